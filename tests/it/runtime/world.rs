//! A world that misbehaves: budgets, the kill switch, lost replies and nonsense, and nothing done twice.

use floimg_fleet::runtime::view::BotView;
use reqwest::Method;
use serde_json::{Value, json};

use super::{maker, number};
use crate::living::{Home, Running, fault, persona, roster};

/// Looks at the gallery in every tick, then likes and comments on what it has not.
const FRIEND: &str = r#"on_tick = function(bot)
        local s = bot.state
        s.liked, s.said, s.n = s.liked or {}, s.said or {}, (s.n or 0) + 1
        local posts, failed = floimg.feed { limit = 50 }
        s.failed = failed and failed.kind
        for _, post in posts or {} do
            if not post.author.is_me then
                if not s.liked[post.id] then
                    local liked, failure = floimg.upvote(post.id)
                    s.failed = failure and failure.kind
                    if liked or failure.kind == "already_done" or failure.kind == "unknown" then s.liked[post.id] = if liked then "yes" else failure.kind end
                    break
                end
                if not s.said[post.id] then
                    local said, failure = floimg.comment { post = post.id, text = "Remark " .. s.n .. " on " .. post.title }
                    s.failed = failure and failure.kind
                    if said or failure.kind == "already_done" or failure.kind == "unknown" then s.said[post.id] = if said then "yes" else failure.kind end
                    break
                end
            end
        end
        return 45
    end,"#;

/// Two who make pictures and two who like them.
pub fn village() -> Home {
    let home = Home::with("maker", &maker(), 2);
    home.save("personas/friend.luau", &persona("", FRIEND));
    home.config(&roster(&[("maker", 2), ("friend", 2)]));
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_every_kind_double_nothing_and_stop_nobody() {
    let home = village();
    let running = home.start(&["floimg.write_timeout_secs=1", "floimg.read_timeout_secs=1"]).await;
    running.wake_all().await;
    running.until_state("maker-1", "a first post", |state| number(state, "k") > 0).await;
    let kinds = [
        json!({ "kind": "drop" }),
        json!({ "kind": "drop_after" }),
        json!({ "kind": "garbage" }),
        json!({ "kind": "html" }),
        json!({ "kind": "status", "status": 429, "retry_after": 1 }),
        json!({ "kind": "status", "status": 503 }),
        json!({ "kind": "status", "status": 500 }),
    ];
    for kind in kinds {
        // Once on each kind of call: fewer than the breaker takes for a fault of the whole gallery.
        let mut faults = Vec::new();
        for (method, path) in [("POST", "/api/showcase/"), ("POST", "/api/showcase"), ("GET", "/api/showcase")] {
            let mut fault = fault(method, path, kind.clone());
            fault["times"] = json!(1);
            faults.push(fault);
        }
        running.gallery.faults(Value::Array(faults)).await;
        let what = format!("{kind} on every call");
        running
            .until(&what, async || running.gallery.struck().await.iter().all(|struck| *struck == 1).then_some(()))
            .await;
        running.live_on(1).await;
    }
    running.gallery.faults(json!([])).await;
    let before = running.states(&["maker-1", "maker-2"]).await;
    running
        .until("new posts", async || {
            let now = running.states(&["maker-1", "maker-2"]).await;
            before.iter().zip(&now).all(|(before, now)| number(now, "k") > number(before, "k")).then_some(())
        })
        .await;
    let audit = running.gallery.audit().await;
    audit.holds_nothing_twice();
    assert_eq!(running.fleet.status().await.expect("a status").failed_ticks, 0);
    for bot in running.bots().await {
        let state = running.state(&bot.id.to_string()).await;
        let liked = audit.liked_by(&bot.username);
        for (post, how) in state["liked"].as_object().into_iter().flatten() {
            assert!(how == "unknown" || liked.contains(post), "{}: {post} was liked and is not", bot.id);
        }
    }
    running.stop().await;
}

async fn reasons(running: &Running) -> Vec<BotView> {
    running.bots().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_the_fleet_stops_everyone_until_its_reset_and_their_wakes_are_spread() {
    let home = village();
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(2).await;
    let now = running.fleet.status().await.expect("a status").now;
    let reset = now + jiff::SignedDuration::from_secs(1800);
    let body = json!({ "kind": "code", "code": "FLEET_DAILY_BUDGET_EXCEEDED", "reset_at": reset.to_string(), "usage": { "used": 5, "limit": 5 } });
    running.gallery.faults(json!([fault("POST", "/api/showcase", body)])).await;
    let all = running
        .until("everyone waits", async || {
            let bots = reasons(&running).await;
            bots.iter().all(|bot| bot.reason.contains("budget")).then_some(bots)
        })
        .await;
    let struck = running.gallery.struck().await[0];
    assert!(struck <= 4, "a budget is learned once for all, not by {struck} calls");
    let mut wakes: Vec<_> = all.iter().filter_map(|bot| bot.next_wake).collect();
    wakes.sort_unstable();
    wakes.dedup();
    assert_eq!(wakes.len(), 4, "{all:#?}");
    assert!(wakes.iter().all(|wake| *wake >= reset), "{wakes:?} {reset}");
    assert!(running.fleet.status().await.expect("a status").stopped_because.is_some_and(|why| why.contains("budget")));
    running.gallery.faults(json!([])).await;
    running.live_on(1).await;
    assert!(running.fleet.status().await.expect("a status").now >= reset);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_one_agent_stops_only_that_bot() {
    let home = village();
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(2).await;
    let username =
        running.bots().await.into_iter().find(|bot| bot.id.to_string() == "maker-1").expect("a bot").username;
    let reset = running.fleet.status().await.expect("a status").now + jiff::SignedDuration::from_hours(20);
    let mut told = fault(
        "POST",
        "/api/showcase",
        json!({ "kind": "code", "code": "AGENT_DAILY_LIMIT_EXCEEDED", "reset_at": reset.to_string(), "usage": { "used": 9, "limit": 9 } }),
    );
    told["match"]["agent"] = json!(username);
    running.gallery.faults(json!([told])).await;
    let stopped = running
        .until("one waits", async || {
            let bots = reasons(&running).await;
            bots.into_iter()
                .find(|bot| bot.id.to_string() == "maker-1" && bot.next_wake.is_some_and(|wake| wake >= reset))
        })
        .await;
    assert!(stopped.reason.contains("budget") || stopped.reason.contains("limit"), "{}", stopped.reason);
    for bot in ["maker-2", "friend-1", "friend-2"] {
        running.live_on_of(bot, 3).await;
    }
    let now = running.bots().await.into_iter().find(|bot| bot.id == stopped.id).expect("a bot");
    assert_eq!(now.ticks, stopped.ticks);
    assert_eq!(running.gallery.struck().await, [1]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_everyone_and_its_end_lets_them_go_on() {
    let home = village();
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(2).await;
    running.gallery.faults(json!([{ "kind": "code", "code": "FLEET_PAUSED", "status": 503 }])).await;
    running
        .until("everyone waits", async || {
            let bots = reasons(&running).await;
            bots.iter().all(|bot| bot.reason.contains("paused")).then_some(())
        })
        .await;
    assert!(running.fleet.status().await.expect("a status").signals.platform_paused);
    let before = running.gallery.audit().await.items().len();
    let struck = running.gallery.struck().await[0];
    assert!(struck < 20, "a paused platform is probed gently, not {struck} times");
    assert_eq!(running.gallery.audit().await.items().len(), before);
    running.gallery.faults(json!([])).await;
    running.live_on(1).await;
    assert!(!running.fleet.status().await.expect("a status").signals.platform_paused);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_always_raises_is_set_aside_and_the_bot_lives_on() {
    let touchy = super::maker().replace(
        "on_tick",
        "on_event = function(bot, event)
            if event.text == \"poison\" then error(\"cannot bear it\") end
            bot.state.heard = event.text
        end,
        on_tick",
    );
    let home = Home::with("maker", &touchy, 1);
    let running = home.start(&["runtime.retry_base_secs=1", "runtime.retry_cap_secs=2"]).await;
    running.wake_all().await;
    running.until_state("maker-1", "a first post", |state| state["k"].as_u64() >= Some(1)).await;
    let post = running.gallery.audit().await.items()[0]["id"].as_str().expect("an id").to_owned();
    running.gallery.visitor_says(&post, "Zoë", "poison").await;
    let told = running.until_told("event_set_aside", 1).await;
    assert_eq!((&told[0].what.detail["text"], &told[0].what.detail["kind"]), (&json!("poison"), &json!("comment")));
    assert!(told[0].what.text.contains("maker.luau") && told[0].what.text.contains("cannot bear it"), "{told:?}");
    running.gallery.visitor_says(&post, "Zoë", "hello again").await;
    running.until_state("maker-1", "the next event", |state| state["heard"] == "hello again").await;
    assert!(running.told("quarantined").await.is_empty());
    assert_eq!(running.told("event_set_aside").await.len(), 1);
    assert_eq!(running.told("script_error").await.len(), 3);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_gallery_lost_is_asked_for_again() {
    let home = Home::with("maker", &super::maker(), 1);
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.until_state("maker-1", "a first post", |state| state["k"].as_u64() >= Some(1)).await;
    let old = running.gallery.audit().await.0["accounts"][0]["id"].as_str().expect("an id").to_owned();
    running.gallery.call(Method::DELETE, &format!("/api/admin/users/{old}"), None).await;
    let told = running.until_told("provisioned", 2).await;
    assert_ne!(told[1].what.detail["account"], old.as_str(), "{told:?}");
    let before = running.state("maker-1").await["k"].as_u64().unwrap_or(0);
    running.until_state("maker-1", "a post after that", |state| state["k"].as_u64() > Some(before)).await;
    assert_eq!(running.told("provisioned").await.len(), 2);
    running.stop().await;
}
