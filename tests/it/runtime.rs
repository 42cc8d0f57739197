//! A running fleet in this process: ticks, reload, roster, controls, faults of the world, and the end.

mod controls;
mod reload;
mod versions;
mod world;

use floimg_fleet::model::name::{BotId, PersonaName};
use floimg_fleet::model::status::Rest;
use floimg_fleet::runtime::view::Target;
use floimg_fleet::store::Store;
use serde_json::{Value, json};

use crate::living::{Home, counter, persona, roster};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_picture_is_shared() {
    let home = Home::with("maker", &maker(), 1);
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.until_state("maker-1", "a first post", |state| state["k"].as_u64() >= Some(1)).await;
    let audit = running.gallery.audit().await;
    let account = &audit.0["accounts"][0];
    assert_eq!((&account["isAgent"], &account["agentId"]), (&json!(true), &json!("maker-1")));
    assert_eq!(audit.items()[0]["title"], "post no. 1");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_goes_on_where_the_first_stopped() {
    let home = Home::with("walker", &counter("a"), 6);
    let first = home.start(&[]).await;
    first.wake_all().await;
    first.live_on(3).await;
    let ids = ["walker-1", "walker-2", "walker-3", "walker-4", "walker-5", "walker-6"];
    first.stop().await;
    let second = home.start(&[]).await;
    second.fleet.pause(Target::All, String::new(), None, "test").await.expect("a running fleet");
    second.until_still().await;
    let bots = second.bots().await;
    let states = second.states(&ids).await;
    for (bot, state) in bots.iter().zip(&states) {
        assert!(bot.ticks >= 3 && state["n"] == bot.ticks, "{}: {} ticks, state {state}", bot.id, bot.ticks);
    }
    second.fleet.resume(Target::All, "test").await.expect("a running fleet");
    second.live_on(2).await;
    for (before, now) in states.iter().zip(second.states(&ids).await) {
        assert!(now["n"].as_u64() >= before["n"].as_u64().map(|n| n + 2), "{before} {now}");
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_is_cut_off_by_the_end_is_lived_again() {
    let text = persona(
        "",
        "on_tick = function(bot) bot.state.n = (bot.state.n or 0) + 1; while bot.state.n > 1 do time.sleep(30) end return 1 end",
    );
    let home = Home::with("sleeper", &text, 1);
    let first = home.start(&["reload.trial=false"]).await;
    first.wake_all().await;
    first
        .until("a long tick", async || {
            let bot = first.bots().await.remove(0);
            (bot.ticks == 1 && bot.status.as_str() == "acting").then_some(())
        })
        .await;
    first.stop().await;
    home.save("personas/sleeper.luau", &counter("awake"));
    let second = home.start(&[]).await;
    second.until_state("sleeper-1", "the second tick", |state| state["n"].as_u64() >= Some(2)).await;
    let bot = second.bots().await.remove(0);
    assert_eq!(second.state("sleeper-1").await["word"], "awake");
    assert!(bot.ticks >= 2);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overdue_wakes_are_spread_and_newborns_too() {
    let home = Home::with("walker", &counter("a"), 40);
    let first = home.start(&["clock.speed=1"]).await;
    for index in 1..=5 {
        let id = BotId { persona: PersonaName::new("walker").expect("a name"), index };
        first.fleet.wake(Target::Bot(id), "test").await.expect("a running fleet");
    }
    first.until("five ticks", async || (first.fleet.status().await.ok()?.ticks >= 5).then_some(())).await;
    let ids: Vec<BotId> = first.bots().await.into_iter().map(|bot| bot.id).collect();
    first.stop().await;
    // As if the host had been down for a day.
    let store = Store::open(&home.path().join("data/fleet.db")).await.expect("a store");
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    store.set_wakes(ids.into_iter().map(|id| (id, past, Rest::Pause)).collect()).await.expect("a write");
    store.close().await;
    let second = home.start(&["clock.speed=1", "runtime.overdue_spread_secs=3600"]).await;
    let bots = second.bots().await;
    let mut wakes: Vec<_> = bots.iter().filter_map(|bot| bot.next_wake).collect();
    assert_eq!(wakes.len(), 40);
    wakes.sort_unstable();
    let span = wakes[39].duration_since(wakes[0]).as_secs();
    let distinct = wakes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(span > 1800 && distinct >= 35, "{span} s, {distinct} distinct");
    assert!(bots.iter().all(|bot| !bot.reason.is_empty()));
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_is_answered_once_and_honestly() {
    let answers = persona(
        "",
        r#"on_tick = function(bot)
            if not bot.state.post then
                local picture = floimg.run { name = "dot", steps = { { generate = "shapes", params = { shapeType = "circle", width = 32, height = 32, fillColor = "ff8866" } } } }
                local post = picture and floimg.share { picture = picture, title = "A dot" }
                bot.state.post = post and post.id
            end
            return 60
        end,
        on_event = function(bot, event)
            bot.state.events = (bot.state.events or 0) + 1
            if event.text and text.asks_if_bot(event.text) then
                local _, lied = floimg.comment { post = event.post_id, text = "No, I am a real person.", reply_to = event.comment_id }
                bot.state.lie = lied and lied.kind
            end
            local said = floimg.comment { post = event.post_id, text = "Yes, an AI agent account.", reply_to = event.comment_id }
            bot.state.said = said ~= nil
        end,"#,
    )
    .replace("ff8866", "#ff8866");
    let home = Home::with("host", &answers, 1);
    let running = home.start(&[]).await;
    running.wake_all().await;
    let state = running.until_state("host-1", "a post", |state| state["post"].is_string()).await;
    let post = state["post"].as_str().expect("an id").to_owned();
    running.gallery.visitor_says(&post, "Zoë", "Lovely. Are you a bot?").await;
    let state = running.until_state("host-1", "an event", |state| state["events"].is_u64()).await;
    assert_eq!((&state["lie"], &state["said"]), (&json!("rejected"), &json!(true)), "{state}");
    running.live_on(3).await;
    let comments = running.gallery.audit().await.comments();
    assert_eq!(comments.len(), 2, "{comments:?}");
    assert!(comments[1].2.ends_with("Yes, an AI agent account."), "{comments:?}");
    assert_eq!(running.state("host-1").await["events"], 1);
    running.stop().await;
}

/// A persona that shares numbered posts and tells in its state which it shared.
pub fn maker() -> String {
    persona("", MAKER)
}

const MAKER: &str = r##"on_tick = function(bot)
        local s = bot.state
        s.k = s.k or 0
        local picture, failed = floimg.run { name = "dot", steps = { { generate = "shapes", params = { shapeType = "circle", width = 32, height = 32, fillColor = "#ff8866" } } } }
        s.failed = failed and failed.kind
        if picture then
            local post, failure = floimg.share { picture = picture, title = "post no. " .. (s.k + 1) }
            s.failed = failure and failure.kind
            if post or failure.kind == "unknown" then
                s.k += 1
            end
            if not post and failure.kind == "unknown" then
                s.doubts = (s.doubts or 0) + 1
            end
        end
        return 60
    end,"##;

/// Roster entries as the file wants them, with more of the config before them.
fn with_roster(head: &str, bots: &[(&str, u32)]) -> String {
    format!("{head}\n{}", roster(bots))
}

fn number(state: &Value, key: &str) -> u64 {
    state[key].as_u64().unwrap_or(0)
}
