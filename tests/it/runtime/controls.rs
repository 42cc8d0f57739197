//! Controls and trouble: pauses, quarantine, and a reason for every bot that rests.

use floimg_fleet::model::name::BotId;
use floimg_fleet::model::seconds::Seconds;
use floimg_fleet::runtime::view::{BotView, Target};
use serde_json::json;

use crate::living::{Home, Running, counter, fault, persona, roster};

fn bot(id: &str) -> Target {
    Target::Bot(id.parse::<BotId>().expect("an id"))
}

fn all_of(persona: &str) -> Target {
    Target::Persona(floimg_fleet::model::name::PersonaName::new(persona).expect("a name"))
}

async fn view(running: &Running, id: &str) -> BotView {
    running.bots().await.into_iter().find(|bot| bot.id.to_string() == id).expect("a bot")
}

async fn pause(running: &Running, target: Target, why: &str) {
    let done = running.fleet.pause(target, why.to_owned(), None, "test").await.expect("a running fleet");
    assert!(done.is_some(), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pauses_outlive_a_restart_and_end_only_by_a_resume() {
    let home = Home::with("walker", &counter("a"), 2);
    home.save("personas/other.luau", &counter("b"));
    home.config(&roster(&[("walker", 2), ("other", 1)]));
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(1).await;
    pause(&running, bot("walker-1"), "look into it").await;
    pause(&running, all_of("other"), "too loud").await;
    running.until_still().await;
    let paused = ["walker-1", "other-1"];
    for id in paused {
        let view = view(&running, id).await;
        assert!(view.reason.starts_with("paused by operator: "), "{}", view.reason);
        assert_eq!(view.next_wake, None);
    }
    let kept = running.states(&paused).await;
    running.stop().await;
    let running = home.start(&[]).await;
    // A budget that runs out and comes back, a wake and a reload: none of them is a resume.
    let reset = running.fleet.status().await.expect("a status").now + jiff::SignedDuration::from_secs(60);
    let body =
        json!({ "kind": "code", "code": "FLEET_DAILY_BUDGET_EXCEEDED", "reset_at": reset.to_string(), "times": 1 });
    running.gallery.faults(json!([fault("GET", "/api/showcase", body)])).await;
    home.save("personas/other.luau", &counter("c"));
    running.until_told("reloaded", 1).await;
    assert_eq!(running.fleet.wake(bot("walker-1"), "test").await.expect("an answer"), Some(0));
    running.until_state("walker-2", "the free one", |state| state["n"].as_u64() > Some(4)).await;
    assert_eq!(running.states(&paused).await, kept);
    pause(&running, Target::All, "stop it all").await;
    running.until_still().await;
    assert!(
        running.fleet.status().await.expect("a status").stopped_because.is_some_and(|why| why.contains("stop it all"))
    );
    let n = running.state("walker-2").await;
    running.stop().await;
    let running = home.start(&[]).await;
    assert!(running.bots().await.iter().all(|bot| bot.status.as_str() == "paused"));
    assert_eq!(running.state("walker-2").await, n);
    running.fleet.resume(Target::All, "test").await.expect("a running fleet");
    running.live_on(1).await;
    // Another pause ends by its own time.
    let soon = Seconds::new(1200.0).ok();
    running.fleet.pause(bot("walker-1"), "a while".to_owned(), soon, "test").await.expect("a running fleet");
    running
        .until("a pause with an end", async || {
            view(&running, "walker-1").await.reason.contains("a while, until ").then_some(())
        })
        .await;
    running
        .until("the end of the pause", async || {
            (view(&running, "walker-1").await.status.as_str() != "paused").then_some(())
        })
        .await;
    running.live_on(1).await;
    running.stop().await;
}

/// Raises when its state says so, and when it is not the trial.
fn faulty() -> String {
    persona(
        "",
        "on_tick = function(bot)
            bot.state.n = (bot.state.n or 0) + 1
            if bot.state.n > 4 and bot.index == 1 then
                error(\"out of ideas\")
            end
            return 30
        end",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_keeps_failing_is_quarantined_until_its_script_changes_or_somebody_resumes_it() {
    let flags = ["runtime.quarantine_after=3", "runtime.retry_base_secs=30", "runtime.retry_cap_secs=60"];
    let home = Home::with("walker", &faulty(), 2);
    let running = home.start(&flags).await;
    running.wake_all().await;
    running.until_told("quarantined", 1).await;
    let stuck = running
        .until("a quarantine", async || {
            Some(view(&running, "walker-1").await).filter(|bot| bot.status.as_str() == "quarantined")
        })
        .await;
    assert!(stuck.reason.contains("walker.luau:") && stuck.reason.contains("out of ideas"), "{}", stuck.reason);
    assert_eq!(running.told("script_error").await.len(), 3);
    assert_eq!(running.state("walker-1").await["n"], 4, "nothing of a failed tick is kept");
    running.until_state("walker-2", "the neighbour", |state| state["n"].as_u64() > Some(6)).await;
    running.stop().await;
    // A restart with the same scripts is no new chance.
    let running = home.start(&flags).await;
    assert_eq!(view(&running, "walker-1").await.status.as_str(), "quarantined");
    running.live_on_of("walker-2", 2).await;
    assert_eq!(running.told("script_error").await.len(), 3);
    running.fleet.resume(bot("walker-1"), "test").await.expect("a running fleet");
    running.until_told("quarantined", 2).await;
    home.save("personas/walker.luau", &counter("better"));
    running.until_state("walker-1", "a tick of the new version", |state| state["word"] == "better").await;
    let view = view(&running, "walker-1").await;
    assert!(matches!(view.status.as_str(), "asleep" | "acting"), "{view:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_during_the_last_tick_before_a_quarantine_stays_a_pause() {
    let text = persona(
        "",
        "on_tick = function(bot) bot.state.n = (bot.state.n or 0) + 1
            if bot.state.n > 4 then
                while floimg.feed { limit = 1 } do time.sleep(30) end
                error(\"the gallery is gone\")
            end
            return 30
        end",
    );
    let home = Home::with("walker", &text, 1);
    let running = home.start(&["runtime.quarantine_after=1", "floimg.read_retries=0"]).await;
    running.wake_all().await;
    running
        .until("the long tick", async || {
            let bot = view(&running, "walker-1").await;
            (bot.ticks == 4 && bot.status.as_str() == "acting").then_some(())
        })
        .await;
    pause(&running, bot("walker-1"), "mine").await;
    running.gallery.faults(json!([fault("GET", "/api/showcase", json!({ "kind": "status", "status": 404 }))])).await;
    running.until_told("quarantined", 1).await;
    running.gallery.faults(json!([])).await;
    running.until_still().await;
    home.save("personas/walker.luau", &counter("new"));
    running.until_told("reloaded", 1).await;
    assert_eq!(view(&running, "walker-1").await.reason, "paused by operator: mine");
    running.stop().await;
    let running = home.start(&[]).await;
    assert_eq!(view(&running, "walker-1").await.reason, "paused by operator: mine");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bot_that_rests_has_a_reason() {
    let home = Home::with("walker", &counter("a"), 2);
    let night = counter("n").replace("00:00-00:00", "12:00-12:30").replace("return 60", "");
    home.save("personas/night.luau", &night);
    home.save("personas/faulty.luau", &faulty());
    home.config(&roster(&[("walker", 2), ("night", 2), ("faulty", 1)]));
    let running = home.start(&["runtime.quarantine_after=50"]).await;
    running.wake_all().await;
    pause(&running, bot("walker-2"), "").await;
    let mut seen = std::collections::BTreeSet::new();
    running
        .until("every kind of rest", async || {
            for bot in running.bots().await {
                assert!(!bot.reason.trim().is_empty(), "{bot:?}");
                seen.insert(bot.status.as_str());
                seen.extend(bot.reason.starts_with("asleep until").then_some("night"));
                seen.extend(bot.reason.starts_with("asked by its script").then_some("asked"));
                if bot.status.as_str() == "backoff" {
                    assert!(bot.reason.contains("faulty.luau:") && bot.reason.contains("tries again"), "{bot:?}");
                }
            }
            ["asleep", "paused", "backoff", "night", "asked"].iter().all(|kind| seen.contains(kind)).then_some(())
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_is_never_in_two_ticks_at_once() {
    let text = persona(
        "",
        r#"needs = { "store" },
    on_tick = function(bot)
        if store.increment("inside") > 1 then bot.state.twice = true end
        time.sleep(20)
        store.increment("inside", -1)
        return 1
    end"#,
    );
    let home = Home::with("walker", &text, 60);
    // Bots that are due while the fleet is still starting are both new and overdue.
    let running = home.start(&["runtime.max_acting=200", "clock.speed=2000"]).await;
    running.live_on(3).await;
    for bot in running.bots().await {
        let state = running.state(&bot.id.to_string()).await;
        assert_eq!(state.get("twice"), None, "{} was in two ticks at once", bot.id);
    }
    running.stop().await;
}
