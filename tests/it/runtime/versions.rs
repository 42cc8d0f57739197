//! Versions: rolling back, pinning, and canaries that are promoted or taken back, through the same doors operators use.

use floimg_fleet::model::name::{PersonaName, VersionId};
use floimg_fleet::runtime::view::{ScriptView, VersionChange};
use serde_json::{Value, json};

use crate::living::{Home, Running, counter, persona, roster};

const QUICK: &[&str] = &["reload.debounce_millis=30", "reload.poll_secs=0.3"];

fn walker() -> PersonaName {
    PersonaName::new("walker").expect("a name")
}

async fn script(running: &Running) -> ScriptView {
    let scripts = running.fleet.scripts().await.expect("scripts");
    scripts.into_iter().find(|script| script.persona == walker()).expect("a script")
}

async fn change(running: &Running, change: VersionChange) -> Result<String, String> {
    running.fleet.change_version(walker(), change, "test").await.expect("a running fleet")
}

async fn all_say(running: &Running, word: &str) {
    let bots = running.bots().await;
    for bot in bots {
        running.wake_all().await;
        running.until_state(&bot.id.to_string(), word, |state| state["word"] == word).await;
    }
}

async fn save_and_run(home: &Home, running: &Running, word: &str) -> VersionId {
    home.save("personas/walker.luau", &counter(word));
    all_say(running, word).await;
    script(running).await.version.expect("a version")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_brings_the_version_of_before_and_holds_the_files_back_until_they_change() {
    let home = Home::with("walker", &counter("one"), 2);
    let running = home.start(QUICK).await;
    all_say(&running, "one").await;
    let one = script(&running).await.version.expect("a version");
    let two = save_and_run(&home, &running, "two").await;
    let before = running.state("walker-1").await["n"].as_u64().expect("a count");
    let said = change(&running, VersionChange::RollBack(None)).await.expect("rolled back");
    assert!(said.contains(one.short()), "{said}");
    all_say(&running, "one").await;
    assert!(running.state("walker-1").await["n"].as_u64() > Some(before), "the state lives on");
    // Looking at the same files again changes nothing, and a restart neither.
    running.fleet.reload("test").await.expect("a look");
    let view = script(&running).await;
    assert_eq!((view.version.as_ref(), view.held_back.as_ref()), (Some(&one), Some(&two)));
    running.stop().await;
    let running = home.start(QUICK).await;
    let view = script(&running).await;
    assert_eq!(
        (view.version.as_ref(), view.held_back.as_ref(), view.newest.as_ref()),
        (Some(&one), Some(&two), Some(&two))
    );
    assert!(view.verdict.expect("words").0.contains("rolled back"));
    // Another text is taken.
    let three = save_and_run(&home, &running, "three").await;
    assert_ne!(three, two);
    assert_eq!(script(&running).await.held_back, None);
    let nothing = change(&running, VersionChange::Promote).await.expect_err("nothing waits");
    assert!(nothing.contains("nothing waits"), "{nothing}");
    // To any version that is kept, and what was rolled back can be promoted all the same.
    change(&running, VersionChange::RollBack(Some(two.clone()))).await.expect("rolled back");
    all_say(&running, "two").await;
    change(&running, VersionChange::Promote).await.expect("promoted");
    all_say(&running, "three").await;
    let unknown = VersionId::new(&"ab".repeat(32));
    let lost = change(&running, VersionChange::RollBack(Some(unknown))).await.expect_err("not kept");
    assert!(lost.contains("not kept"), "{lost}");
    let again = change(&running, VersionChange::RollBack(Some(three))).await.expect_err("it runs");
    assert!(again.contains("runs already"), "{again}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_version_runs_on_whatever_is_saved_until_it_is_unpinned() {
    let home = Home::with("walker", &counter("one"), 2);
    let running = home.start(QUICK).await;
    all_say(&running, "one").await;
    let one = script(&running).await.version.expect("a version");
    change(&running, VersionChange::Pin(one.clone())).await.expect("pinned");
    home.save("personas/walker.luau", &counter("two"));
    let told = running.until_told("reload_held", 1).await;
    assert!(
        told[0].what.text.contains("pinned") && told[0].what.text.contains("fleet scripts unpin walker"),
        "{told:?}"
    );
    running.stop().await;
    let running = home.start(QUICK).await;
    running.wake_all().await;
    running.live_on(1).await;
    let view = script(&running).await;
    assert!(view.is_pinned && view.version.as_ref() == Some(&one) && view.newest.as_ref() != Some(&one), "{view:?}");
    assert_eq!(running.state("walker-2").await["word"], "one");
    let refused = change(&running, VersionChange::RollBack(None)).await.expect_err("pinned");
    assert!(refused.contains("unpin"), "{refused}");
    change(&running, VersionChange::Unpin).await.expect("unpinned");
    all_say(&running, "two").await;
    assert!(change(&running, VersionChange::Unpin).await.is_err());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_are_dropped_and_none_that_is_in_use() {
    let home = Home::with("walker", &counter("0"), 1);
    let running = home.start(&[QUICK, &["reload.keep_versions=3"]].concat()).await;
    all_say(&running, "0").await;
    let first = script(&running).await.version.expect("a version");
    change(&running, VersionChange::Pin(first.clone())).await.expect("pinned");
    for place in 1..6 {
        home.save("personas/walker.luau", &counter(&place.to_string()));
        running.until_told("reload_held", place).await;
    }
    change(&running, VersionChange::Pin(first.clone())).await.expect("pinned again, which looks after what is kept");
    let (_, kept) = running.fleet.versions(&walker()).await.expect("a store").expect("a persona");
    let ids: Vec<&VersionId> = kept.iter().map(|row| &row.id).collect();
    assert!(ids.len() == 4 && ids.contains(&&first), "the newest three and the pinned one: {ids:?}");
    running.stop().await;
}

/// A persona that raises once in so many ticks, each bot by itself, in the version that says so.
fn buggy(word: &str, every: u32) -> String {
    persona(
        "",
        &format!(
            "on_tick = function(bot)
                bot.state.word = \"{word}\"
                bot.state.n = (bot.state.n or 0) + 1
                if {every} > 0 and rand.int(1, {every}) == 1 then error(\"once in {every}\") end
                return 30
            end, on_reload = function(bot, old) bot.state.reloads = (bot.state.reloads or 0) + 1 end"
        ),
    )
}

const CANARY: &[&str] =
    &["reload.canary=0.1", "runtime.retry_base_secs=10", "runtime.retry_cap_secs=20", "clock.speed=3000"];

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_with_a_bug_is_taken_back_by_itself() {
    let home = Home::with("walker", &buggy("old", 0), 50);
    let running = home.start(&[QUICK, CANARY, &["reload.trial=false"]].concat()).await;
    running.wake_all().await;
    running.live_on(2).await;
    let old = script(&running).await.version.expect("a version");
    let before = running.fleet.status().await.expect("a status").ticks;
    home.save("personas/walker.luau", &buggy("new", 20));
    let told = running.until_told("canary_started", 1).await;
    assert!(told[0].what.text.contains("1 of 50 bots"), "{told:?}");
    let told = running.until_told("rolled_back", 1).await;
    let words = &told[0].what.text;
    assert!(words.contains("ticks raised, of the version before 0 of"), "{words}");
    let view = script(&running).await;
    assert_eq!((view.version.as_ref(), view.canary.is_none()), (Some(&old), true));
    assert_eq!(view.held_back, view.newest);
    let (_, versions) = running.fleet.versions(&walker()).await.expect("a store").expect("a persona");
    let bad = view.held_back.clone().expect("a version");
    running
        .until("the counts are written", async || {
            let (_, versions) = running.fleet.versions(&walker()).await.ok()??;
            versions.iter().find(|row| row.id == bad).filter(|row| row.tally.errors >= 2).map(|_| ())
        })
        .await;
    let ran = versions.iter().find(|row| row.id == bad).expect("the bad one").tally.ticks;
    let all = running.fleet.status().await.expect("a status").ticks - before;
    assert!((ran as f64) < 0.05 * all as f64, "{ran} of {all} ticks ran it");
    // Whoever ran it goes on with its state, under the old version, and is forgiven.
    running.live_on(2).await;
    for bot in running.bots().await {
        let state = running.state(&bot.id.to_string()).await;
        assert_eq!(state["word"], "old", "{state}");
        assert_eq!(bot.version.as_ref(), Some(&old));
        assert_ne!(bot.status.as_str(), "quarantined");
    }
    let went = running.bots().await.into_iter().map(|bot| bot.id.to_string());
    let states: Vec<Value> =
        running.states(&went.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(states.iter().filter(|state| state["reloads"] == json!(2)).count(), 1, "there and back: one bot");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_as_good_is_widened_and_promoted_and_survives_a_restart() {
    let home = Home::with("walker", &buggy("old", 0), 40);
    // So many ticks that the canary is still there when somebody looks, however slow the machine.
    let flags = [QUICK, CANARY, &["reload.canary_ticks=1000000", "reload.canary_secs=31536000"]].concat();
    let running = home.start(&flags).await;
    running.wake_all().await;
    running.live_on(1).await;
    home.save("personas/walker.luau", &buggy("new", 0));
    running.until_told("canary_started", 1).await;
    let tried = script(&running).await.canary.expect("a canary").version;
    running.stop().await;
    let running = home.start(&flags).await;
    let view = script(&running).await;
    assert_eq!(view.canary.as_ref().map(|canary| &canary.version), Some(&tried), "{view:?}");
    assert_ne!(view.version.as_ref(), Some(&tried));
    running.until_told("canary_widened", 1).await;
    running.stop().await;
    let running = home.start(&[QUICK, CANARY, &["reload.canary_ticks=160"]].concat()).await;
    let told = running.until_told("promoted", 1).await;
    assert!(told[0].what.text.contains(": 0 of "), "{told:?}");
    assert_eq!(script(&running).await.version.as_ref(), Some(&tried));
    running.live_on(1).await;
    for bot in running.bots().await {
        assert_eq!(running.state(&bot.id.to_string()).await["word"], "new");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_decides_a_canary_and_a_new_save_replaces_it() {
    let home = Home::new();
    home.save("personas/walker.luau", &counter("old"));
    home.config(&roster(&[("walker", 20)]));
    let running = home.start(&[QUICK, &["reload.canary=0.1"]].concat()).await;
    running.wake_all().await;
    running.live_on(1).await;
    home.save("personas/walker.luau", &counter("first"));
    running.until_told("canary_started", 1).await;
    let first = script(&running).await.canary.expect("a canary").version;
    home.save("personas/walker.luau", &counter("second"));
    running.until_told("canary_started", 2).await;
    let second = script(&running).await.canary.expect("a canary").version;
    assert_ne!(first, second);
    change(&running, VersionChange::RollBack(None)).await.expect("taken back");
    assert!(script(&running).await.canary.is_none());
    all_say(&running, "old").await;
    change(&running, VersionChange::Promote).await.expect("given to all");
    all_say(&running, "second").await;
    // Saving the text that runs while something is tried ends the trial.
    home.save("personas/walker.luau", &counter("third"));
    running.until_told("canary_started", 3).await;
    home.save("personas/walker.luau", &counter("second"));
    running.until_told("canary_ended", 1).await;
    assert!(script(&running).await.canary.is_none());
    all_say(&running, "second").await;
    running.stop().await;
}
