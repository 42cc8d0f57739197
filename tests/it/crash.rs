//! Crashes of the real program: whatever the moment, nothing is done twice and nothing that was done is forgotten.
//!
//! `FLEET_TEST_KILLS` sets how often the long test kills; 12 unless it says otherwise.

pub mod process;

use std::time::Duration;

use floimg_fleet::host::crash::STEPS;
use floimg_fleet::model::action::ActionKind;
use floimg_fleet::model::status::Rest;
use floimg_fleet::runtime::view::Target;
use floimg_fleet::store::{ActivityQuery, Store};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use self::process::Process;
use crate::living::{Home, Running, fault, persona, roster, text};

/// Does one thing of every kind in a tick, in this order, and tells in its state what it did.
const VILLAGER: &str = r##"on_tick = function(bot)
        local s = bot.state
        s.k, s.doubts, s.liked, s.said, s.remixed = s.k or 0, s.doubts or 0, s.liked or {}, s.said or {}, s.remixed or {}
        local function picture()
            return (floimg.run { name = "dot", steps = { { generate = "shapes", params = { shapeType = "circle", width = 32, height = 32, fillColor = "#ff8866" } } } })
        end
        -- What became of it: yes, once before, or nobody knows; nothing when it may be tried again.
        local function came(value, failure)
            return if value then "yes" elseif failure.kind == "unknown" or failure.kind == "already_done" then failure.kind else nil
        end
        local made = picture()
        local how = made and came(floimg.share { picture = made, title = "post no. " .. (s.k + 1) })
        if how then
            s.k += 1
            s.doubts += if how == "unknown" then 1 else 0
        end
        local function first(of)
            for _, post in floimg.feed { limit = 30 } or {} do
                if not post.author.is_me and not of[post.id] and post.title:sub(1, 4) == "post" then return post end
            end
            return nil
        end
        local post = first(s.liked)
        if post then s.liked[post.id] = came(floimg.upvote(post.id)) end
        post = first(s.said)
        if post then s.said[post.id] = came(floimg.comment { post = post.id, text = "A word on " .. post.id }) end
        post = first(s.remixed)
        made = post and picture()
        if made then s.remixed[post.id] = came(floimg.remix { post = post.id, picture = made, title = "remix of " .. post.id }) end
        return PAUSE
    end,"##;

/// The kinds of its actions, in the order of one tick.
const KINDS: [ActionKind; 6] = [
    ActionKind::Generate,
    ActionKind::Share,
    ActionKind::Upvote,
    ActionKind::Comment,
    ActionKind::Generate,
    ActionKind::Remix,
];

fn villager(pause: &str) -> String {
    persona("", &VILLAGER.replace("PAUSE", pause))
}

/// A folder with a small gallery that a maker left, and one villager who has not lived yet.
async fn prepared() -> Home {
    let home = Home::with("maker", &super::runtime::maker(), 1);
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.until_state("maker-1", "three posts", |state| state["k"].as_u64() >= Some(3)).await;
    running.stop().await;
    home.save("personas/villager.luau", &villager("60"));
    home.config(&roster(&[("maker", 0), ("villager", 1)]));
    home
}

/// Lets everyone live on, brings all to rest, and holds what they remember against what the studio knows.
async fn holds(running: Running) {
    running.wake_all().await;
    running.live_on(2).await;
    running.fleet.pause(Target::All, "to count".to_owned(), None, "test").await.expect("a running fleet");
    running.until_still().await;
    let audit = running.gallery.audit().await;
    audit.holds_nothing_twice();
    let bots = running.bots().await;
    assert!(!bots.is_empty());
    for bot in bots {
        let state = running.state(&bot.id.to_string()).await;
        let what = format!("{} @{}: {state}", bot.id, bot.username);
        posts(&audit.titles_of(&bot.username), &state, &what);
        let said = audit.comments().into_iter().filter(|(_, who, _)| *who == bot.username).map(|(post, ..)| post);
        let remixes = audit.titles_of(&bot.username);
        let remixes = remixes.iter().filter_map(|title| title.strip_prefix("remix of ")).map(str::to_owned);
        for (key, kind, there) in [
            ("liked", ActionKind::Upvote, audit.liked_by(&bot.username)),
            ("said", ActionKind::Comment, said.collect()),
            ("remixed", ActionKind::Remix, remixes.collect()),
        ] {
            let known = state[key].as_object().cloned().unwrap_or_default();
            for (post, how) in &known {
                assert!(how != "yes" || there.contains(post), "{key}: {post} was done and is not there\n{what}");
            }
            for post in there {
                // A tick that was cut off is lived again in a gallery that went on, and may choose another post. Then the
                // script does not know what it did, but the host does and never lets it do that again.
                let store = &running.fleet.world().store;
                let is_known = store.has_done(&bot.id, kind, &post).await.expect("a read");
                assert!(is_known, "{key}: {post} was done and forgotten\n{what}");
            }
        }
    }
    assert_eq!(running.fleet.status().await.expect("a status").failed_ticks, 0);
    running.stop().await;
}

fn posts(titles: &[String], state: &Value, what: &str) {
    let count = |key: &str| state[key].as_u64().unwrap_or(0);
    let numbers = titles.iter().filter_map(|title| title.strip_prefix("post no. "));
    let posts: Vec<u64> = numbers.map(|number| number.parse().expect("a number")).collect();
    assert!(posts.len() as u64 >= count("k") - count("doubts"), "a post was lost: {posts:?}\n{what}");
    assert!(posts.iter().all(|number| (1..=count("k")).contains(number)), "a post was forgotten: {posts:?}\n{what}");
}

/// No post of a bot in an embedded studio is ever in doubt: the studio was cut off with it and can be asked.
async fn certain(running: &Running) {
    for bot in running.bots().await {
        let state = running.state(&bot.id.to_string()).await;
        assert!(state["doubts"].as_u64().unwrap_or(0) == 0, "{}: {state}", bot.id);
    }
}

/// Crashes once at a step, then holds the folder to its promise.
async fn crash_at(template: &Home, step: &str, nth: usize) {
    let home = template.copy();
    let flags = ["clock.speed=3000"];
    let mut process = Process::run(&home, &flags, Some(&format!("{step}@{nth}")), None);
    process.until_end().await;
    if matches!(step, "action:opened" | "action:sent") {
        let store = Store::open(&home.path().join("data/fleet.db")).await.expect("a store");
        let open = store.open_intents().await.expect("a read");
        let kinds: Vec<ActionKind> = open.iter().map(|intent| intent.what.kind).collect();
        assert_eq!(kinds, [KINDS[nth - 1]], "{step}@{nth}");
        store.close().await;
    }
    let running = home.start(&flags).await;
    running.wake_all().await;
    running.live_on(1).await;
    certain(&running).await;
    holds(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_every_step_of_every_kind_of_action_doubles_and_loses_nothing() {
    let template = prepared().await;
    let mut cases: Vec<(&str, usize)> = Vec::new();
    for step in STEPS {
        let times = if step.starts_with("action:") { KINDS.len() } else { 1 };
        cases.extend((1..=times).map(|nth| (step, nth)));
    }
    assert_eq!(cases.len(), 28, "every step and every kind");
    let each = stream::iter(cases).for_each_concurrent(4, async |(step, nth)| crash_at(&template, step, nth).await);
    each.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_under_load_doubles_and_loses_nothing() {
    // The one place that reads the environment of a test: the full count takes minutes.
    #[expect(clippy::disallowed_methods, reason = "a test's own knob")]
    let kills = std::env::var("FLEET_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let home = Home::with("villager", &villager("60"), 48);
    let flags = ["clock.speed=3000"];
    for _ in 0..kills {
        let mut process = Process::run(&home, &flags, None, None);
        process.until_it_serves().await;
        process.at_some_moment(Duration::from_millis(1200)).await;
        process.kill().await;
    }
    // The last one is asked to stop, and does so in time and in order.
    let mut process = Process::run(&home, &flags, None, None);
    process.until_it_serves().await;
    process.at_some_moment(Duration::from_millis(1200)).await;
    process.terminate().await;
    let store = Store::open(&home.path().join("data/fleet.db")).await.expect("a store");
    let query = ActivityQuery { limit: 1000, ..ActivityQuery::default() };
    let done = store.activities(&query).await.expect("a read");
    assert!(done.iter().any(|row| row.what.kind == "upvote"), "nobody acted between the kills");
    store.close().await;
    let running = home.start(&flags).await;
    running.live_on(1).await;
    certain(&running).await;
    // A picture whose making was cut off is not made again in that tick, so a post may come with a later one.
    running.until_state("villager-1", "a post of its own", |state| state["k"].as_u64() >= Some(1)).await;
    holds(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_with_calls_under_way_to_another_machine_doubles_nothing() {
    let home = Home::with("villager", &villager("1"), 6);
    let mut studio = Process::studio(&home, "fst_x");
    let url = studio.until_it_serves().await;
    let gallery = crate::living::Gallery::at(&url, "fst_x");
    let address = format!("floimg.studio={url}");
    let flags = ["clock.speed=1", address.as_str(), "runtime.overdue_spread_secs=0.3"];
    // They come in the course of an hour; their rows say that they are late.
    let mut process = Process::run(&home, &flags, None, Some("fst_x"));
    process.until_it_serves().await;
    process.kill().await;
    let store = Store::open(&home.path().join("data/fleet.db")).await.expect("a store");
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(60);
    let bots = store.bots().await.expect("bots");
    assert_eq!(bots.len(), 6);
    store.set_wakes(bots.into_iter().map(|bot| (bot.id, past, Rest::Pause)).collect()).await.expect("a write");
    store.close().await;
    let slow = json!({ "kind": "latency", "millis": 120 });
    let lost = json!({ "kind": "drop_after", "probability": 0.05 });
    gallery.faults(json!([fault("POST", "/api/", slow), fault("POST", "/api/showcase", lost)])).await;
    for _ in 0..6 {
        let mut process = Process::run(&home, &flags, None, Some("fst_x"));
        process.until_it_serves().await;
        process.at_some_moment(Duration::from_millis(1500)).await;
        process.kill().await;
    }
    gallery.faults(json!([])).await;
    let running = home.start_with(&flags, Some((&url, "fst_x"))).await;
    running.live_on(1).await;
    assert!(running.gallery.audit().await.items().iter().any(|item| text(&item["title"]).starts_with("post no. ")));
    holds(running).await;
}
