//! Reload: every way of saving, what is broken, and what follows from a file that comes or goes.

use std::io::Write;

use floimg_fleet::runtime::view::{BotFilter, BotView};
use serde_json::json;

use super::{number, with_roster};
use crate::living::{Home, Running, counter, fault, persona, roster};

/// Looks are quick, so that many fit into a test.
const QUICK: &[&str] = &["reload.debounce_millis=30", "reload.poll_secs=0.3"];

type Save = fn(&Home, &str);

fn in_place(home: &Home, text: &str) {
    home.save("personas/walker.luau", text);
}

fn rename_over(home: &Home, text: &str) {
    home.save("personas/.walker.luau.tmp", text);
    std::fs::rename(home.script("personas/.walker.luau.tmp"), home.script("personas/walker.luau")).expect("a rename");
}

fn truncate_then_write(home: &Home, text: &str) {
    let mut file = std::fs::File::create(home.script("personas/walker.luau")).expect("a file");
    file.sync_all().expect("an empty file");
    let (first, second) = text.split_at(text.len() / 2);
    file.write_all(first.as_bytes()).expect("half");
    file.sync_all().expect("half a file");
    file.write_all(second.as_bytes()).expect("the other half");
}

/// As editors do that keep a backup: the old file moves away, the new one takes its name.
fn backup_and_swap(home: &Home, text: &str) {
    let (file, backup) = (home.script("personas/walker.luau"), home.script("personas/walker.luau~"));
    home.save("personas/4913", text);
    std::fs::rename(&file, &backup).expect("a rename");
    std::fs::rename(home.script("personas/4913"), &file).expect("a rename");
    std::fs::remove_file(backup).expect("removed");
}

fn burst_of_twenty(home: &Home, text: &str) {
    for place in 0..19 {
        home.save("personas/walker.luau", &counter(&format!("burst {place}")));
    }
    home.save("personas/walker.luau", text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_saving_is_one_reload() {
    let ways: [(&str, Save); 5] = [
        ("in place", in_place),
        ("rename over", rename_over),
        ("truncate then write", truncate_then_write),
        ("backup and swap", backup_and_swap),
        ("a burst of 20", burst_of_twenty),
    ];
    let home = Home::with("walker", &counter("start"), 2);
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(1).await;
    for (place, (way, save)) in ways.into_iter().enumerate() {
        save(&home, &counter(way));
        for bot in ["walker-1", "walker-2"] {
            running.until_state(bot, way, |state| state["word"] == way).await;
        }
        // A look that ends after everything above: had there been more to tell, it would be told now.
        running.fleet.reload("test").await.expect("a look");
        let told = running.told("reloaded").await;
        assert_eq!(told.len(), place + 1, "{way}: {told:#?}");
    }
    assert!(running.told("reload_refused").await.is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_behaviour_reloads_its_users_and_nobody_else() {
    let user = persona(
        "local gen = require(\"@behaviours/gen\")",
        "on_tick = function(bot) bot.state.gen = gen.number return 60 end,\
         on_reload = function(bot, old) bot.state.reloads = (bot.state.reloads or 0) + 1; bot.state.old = old end,",
    );
    let home = Home::new();
    home.save("behaviours/gen.luau", "return { number = 1 }");
    home.save("personas/one.luau", &user);
    home.save("personas/two.luau", &user);
    home.save("personas/other.luau", &counter("other"));
    home.config(&roster(&[("one", 2), ("two", 1), ("other", 1)]));
    let running = home.start(QUICK).await;
    running.wake_all().await;
    running.live_on(1).await;
    let version = |name: &str| {
        let (running, name) = (&running, name.to_owned());
        async move {
            let scripts = running.fleet.scripts().await.expect("scripts");
            let script = scripts.into_iter().find(|script| script.persona.as_str() == name).expect("a persona");
            script.version.expect("a version")
        }
    };
    let (old, other) = (version("one").await, version("other").await);
    home.save("behaviours/gen.luau", "return { number = 2 }");
    for bot in ["one-1", "one-2", "two-1"] {
        running.until_state(bot, "the new behaviour", |state| state["gen"] == 2).await;
    }
    running.live_on(3).await;
    running.fleet.reload("test").await.expect("a look");
    let mut told: Vec<String> = running
        .told("reloaded")
        .await
        .iter()
        .filter_map(|told| Some(told.what.persona.as_ref()?.to_string()))
        .collect();
    told.sort();
    assert_eq!(told, ["one", "two"]);
    assert_eq!(version("other").await, other);
    for state in running.states(&["one-1", "one-2"]).await {
        assert_eq!((&state["reloads"], &state["old"]), (&json!(1), &json!(old.short())), "{state}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_broken_saves_stop_nobody_and_are_told_each() {
    let home = Home::with("walker", &counter("good"), 3);
    let running = home.start(&["reload.debounce_millis=5", "reload.poll_secs=1"]).await;
    running.wake_all().await;
    running.live_on(1).await;
    let before = running.bots().await;
    for place in 0..100 {
        // One does not compile, one breaks the contract, one raises in its trial, each at a line of its own.
        let broken = match place % 3 {
            0 => "return {{{".to_owned(),
            1 => counter("bad").replace("identity", "identitty").replace('\n', " "),
            _ => persona("", "on_tick = function(bot) error(\"no\") end").replace('\n', " "),
        };
        home.save("personas/walker.luau", &format!("{}{broken}", "\n".repeat(place)));
        let told = running.until_told("reload_refused", place + 1).await;
        assert_eq!(told.len(), place + 1);
        let problem = &told[place].what.detail["errors"][0];
        assert_eq!(problem["file"], "scripts/personas/walker.luau", "{problem}");
        assert_eq!(problem["line"], place + 1, "{problem}");
        let place = format!("scripts/personas/walker.luau:{}", place + 1);
        assert!(told.last().expect("one").what.text.contains(&place), "{told:?}");
    }
    running.live_on(2).await;
    for (bot, before) in running.bots().await.iter().zip(&before) {
        assert!(bot.ticks > before.ticks + 2, "{bot:?}");
        let state = running.state(&bot.id.to_string()).await;
        assert_eq!((&state["word"], &state["n"].as_u64().is_some()), (&json!("good"), &true), "{state}");
    }
    assert_eq!(running.fleet.status().await.expect("a status").failed_ticks, 0);
    assert_eq!(running.fleet.status().await.expect("a status").refused.len(), 1);
    home.save("personas/walker.luau", &counter("healed"));
    running.until_state("walker-3", "the fixed version", |state| state["word"] == "healed").await;
    assert!(running.fleet.status().await.expect("a status").refused.is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_once_however_often_other_files_are_saved() {
    let home = Home::with("walker", &counter("good"), 1);
    home.save("personas/other.luau", &counter("0"));
    let running = home.start(QUICK).await;
    home.save("personas/walker.luau", "return 1");
    running.until_told("reload_refused", 1).await;
    for place in 1..5 {
        home.save("personas/other.luau", &counter(&place.to_string()));
        running.until_told("reloaded", place).await;
    }
    let told = running.told("reload_refused").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tick_sees_half_of_a_save() {
    let main = |number: u32| {
        persona(
            &format!("local mine, gen = {number}, require(\"@behaviours/gen\")"),
            "on_tick = function(bot)
                if gen.number ~= mine then bot.state.mixed = mine .. \" with \" .. gen.number end
                bot.state.gen = mine
                return 15
            end",
        )
    };
    let behaviour = |number: u32| format!("return {{ number = {number} }}");
    let home = Home::with("walker", &main(0), 4);
    home.save("behaviours/gen.luau", &behaviour(0));
    home.save("personas/walker.luau", &main(0));
    let running = home.start(QUICK).await;
    running.wake_all().await;
    for number in 1..15 {
        if number % 2 == 0 {
            home.save("behaviours/gen.luau", &behaviour(number));
            home.save("personas/walker.luau", &main(number));
        } else {
            home.save("personas/walker.luau", &main(number));
            home.save("behaviours/gen.luau", &behaviour(number));
        }
        for bot in ["walker-1", "walker-4"] {
            running.until_state(bot, "the new generation", |state| state["gen"] == number).await;
        }
    }
    for state in running.states(&["walker-1", "walker-2", "walker-3", "walker-4"]).await {
        assert!(state["mixed"].is_null(), "{state}");
    }
    running.stop().await;
}

async fn retired(running: &Running) -> Vec<BotView> {
    let filter = BotFilter { status: Some("retired".to_owned()), limit: 100, ..BotFilter::default() };
    running.fleet.bots(filter).await.expect("bots").bots
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_file_retires_its_bots_and_a_restored_one_revives_them() {
    let home = Home::with("walker", &counter("a"), 2);
    home.save("personas/other.luau", &counter("b"));
    home.config(&roster(&[("walker", 2), ("other", 1)]));
    let running = home.start(QUICK).await;
    running.wake_all().await;
    running.live_on(2).await;
    std::fs::remove_file(home.script("personas/walker.luau")).expect("removed");
    let gone =
        running.until("retired bots", async || Some(retired(&running).await).filter(|bots| bots.len() == 2)).await;
    assert!(gone.iter().all(|bot| bot.reason == "not in the roster"), "{gone:?}");
    assert_eq!(running.bots().await.len(), 1);
    let kept = running.states(&["walker-1", "walker-2"]).await;
    home.save("personas/walker.luau", &counter("again"));
    running.until("revived bots", async || (running.bots().await.len() == 3).then_some(())).await;
    running.wake_all().await;
    for (bot, kept) in ["walker-1", "walker-2"].into_iter().zip(kept) {
        let state = running.until_state(bot, "a tick after the return", |state| state["word"] == "again").await;
        assert!(number(&state, "n") > number(&kept, "n"), "{kept} {state}");
    }
    let back = running.bots().await;
    assert!(gone.iter().all(|old| back.iter().any(|new| new.id == old.id && new.username == old.username)));
    assert_eq!(running.gallery.audit().await.0["accounts"].as_array().expect("accounts").len(), 3);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_file_and_a_new_one_change_the_roster() {
    let home = Home::with("walker", &counter("a"), 0);
    home.config("[[bots]]\nsize = 4\n");
    let running = home.start(QUICK).await;
    let count =
        async |persona: &str| running.bots().await.iter().filter(|bot| bot.id.persona.as_str() == persona).count();
    assert_eq!(count("walker").await, 4);
    std::fs::rename(home.script("personas/walker.luau"), home.script("personas/runner.luau")).expect("a rename");
    running
        .until("the renamed persona", async || (count("runner").await == 4 && count("walker").await == 0).then_some(()))
        .await;
    // Broken at first: that is told, and once it is right its bots join.
    home.save("personas/dancer.luau", "return {");
    running.until_told("reload_refused", 1).await;
    assert_eq!((count("runner").await, count("dancer").await), (4, 0));
    home.save("personas/dancer.luau", &counter("c"));
    running
        .until("the new persona", async || (count("runner").await == 2 && count("dancer").await == 2).then_some(()))
        .await;
    running.wake_all().await;
    running.until_state("dancer-1", "a first tick", |state| state["word"] == "c").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_wakes_everybody_also_wakes_who_was_in_a_tick() {
    // Its second tick lasts until the gallery refuses a look.
    let first = persona(
        "",
        "on_tick = function(bot)
            bot.state.word = \"old\"
            if bot.state.n == 1 then
                repeat local _, failure = floimg.feed() until failure
            end
            bot.state.n = (bot.state.n or 0) + 1
            return 200000
        end,",
    );
    let home = Home::with("walker", &first, 1);
    // In a trial nothing ever refuses a look.
    let running = home.start(&[QUICK, &["reload.trial=false"]].concat()).await;
    let look = |more: serde_json::Value| json!([fault("GET", "/api/showcase", more)]);
    running.wake_all().await;
    running.until_state("walker-1", "the first tick", |state| state["n"] == 1).await;
    running.gallery.faults(look(json!({ "kind": "latency", "millis": 50 }))).await;
    running.wake_all().await;
    let is_acting = async || running.bots().await.remove(0).status.as_str() == "acting";
    running.until("a long tick", async || is_acting().await.then_some(())).await;
    home.save("personas/walker.luau", &counter("new").replace("on_tick", "reload = \"now\", on_tick"));
    running.until_told("reloaded", 1).await;
    assert!(is_acting().await, "the tick goes on while the version is taken");
    running.gallery.faults(look(json!({ "kind": "status", "status": 400 }))).await;
    // Its own wish was to sleep for days.
    let state = running.until_state("walker-1", "the new version", |state| state["word"] == "new").await;
    assert_eq!(state["n"], 3, "both ticks of the old version counted");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_away_changes_nothing_and_a_new_one_is_watched() {
    let home = Home::with("walker", &counter("a"), 2);
    let running = home.start(QUICK).await;
    running.wake_all().await;
    running.live_on(1).await;
    std::fs::rename(home.path().join("scripts"), home.path().join("away")).expect("a rename");
    running.fleet.reload("test").await.expect("a look");
    running.live_on(2).await;
    assert!(retired(&running).await.is_empty());
    std::fs::create_dir_all(home.script("personas")).expect("a folder");
    home.save("personas/walker.luau", &counter("b"));
    running.until_state("walker-1", "the new folder's version", |state| state["word"] == "b").await;
    home.save("personas/walker.luau", &counter("c"));
    running.until_state("walker-1", "the next save there", |state| state["word"] == "c").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_config_is_applied_and_a_broken_one_is_not() {
    let home = Home::with("walker", &counter("a"), 2);
    let running = home.start(QUICK).await;
    let days = || running.fleet.world().rules.load().duplicate_days;
    assert_eq!((running.bots().await.len(), days()), (2, 30));
    home.config(&with_roster("[limits]\nduplicate_days = 7\n", &[("walker", 4)]));
    running.until_told("config_applied", 1).await;
    running.until("more bots", async || (running.bots().await.len() == 4).then_some(())).await;
    assert_eq!(days(), 7);
    let broken = ["[limits]\nduplicate_days = -1\n", "[limits\n", "[nonsense]\nx = 1\n", "bots = 3\n"];
    for (place, text) in broken.into_iter().enumerate() {
        home.config(text);
        let told = running.until_told("config_refused", place + 1).await;
        let said = &told.last().expect("one").what.text;
        assert!(said.contains("config.toml"), "{said}");
    }
    assert_eq!((running.bots().await.len(), days()), (4, 7));
    home.config(&with_roster("[limits]\nduplicate_days = 9\n", &[("walker", 1)]));
    running.until_told("config_applied", 2).await;
    running.until("fewer bots", async || (running.bots().await.len() == 1).then_some(())).await;
    assert_eq!(days(), 9);
    let told = running.told("config_applied").await;
    assert!(told[1].what.text.contains("limits.duplicate_days = 9 (was 7)"), "{told:?}");
    // Watching is turned off and on by the file itself; what was saved meanwhile is taken then.
    home.config(&with_roster("[reload]\nwatch = false\n", &[("walker", 1)]));
    running.until_told("config_applied", 3).await;
    home.save("personas/walker.luau", &counter("unseen"));
    home.config(&with_roster("[reload]\nwatch = false\n[limits]\nduplicate_days = 3\n", &[("walker", 1)]));
    running.until_told("config_applied", 4).await;
    assert!(running.told("reloaded").await.is_empty());
    home.config(&roster(&[("walker", 1)]));
    running.until_told("reloaded", 1).await;
    running.stop().await;
}
