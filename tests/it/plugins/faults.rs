//! Plugins that misbehave: they cost nobody but themselves anything, and their `on_error` decides for them.

use floimg_fleet::runtime::plugins::view::PluginState;

use super::{speakers, until};

/// Every way of being of no use, each of which must not delay or end anybody.
const HOSTILE: [(&str, &str, &str); 6] = [
    ("loop", "while true do end", "used more than"),
    ("protected_loop", "while true do pcall(function() while true do end end) end", "used more than"),
    ("sleep", "for i = 1, 9 do time.sleep(30) end", "took longer than anybody waits"),
    ("raise", "error('I will not')", "I will not"),
    ("memory", "local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end", "of memory"),
    ("nonsense", "return 42", "must return nothing, true or a table"),
];

fn hostile(body: &str, on_error: &str) -> String {
    format!("return {{ on_error = \"{on_error}\", before_action = function(action)\n{body}\nend }}")
}

/// CPU limits as they are shipped, which the other tests lift; no trial, which would refuse these at once.
const FLAGS: &[&str] = &[
    "reload.trial=false",
    "sandbox.poll_cpu_millis=60",
    "sandbox.tick_cpu_millis=250",
    "plugins.quarantine_after=3",
    // Patient, so that on a busy machine it is the CPU that ends a loop and not the wall.
    "plugins.deadline_millis=2000",
    "clock.speed=60",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_plugins_that_allow_stop_nobody_and_are_quarantined() {
    let home = speakers();
    for (name, body, _) in HOSTILE {
        home.plugin(&format!("{name}/init.luau"), &hostile(body, "allow"));
    }
    let running = home.start(FLAGS).await;
    running.wake_all().await;
    until(&running, "a comment past all of them", |state| state["said"].is_string()).await;
    for (name, _, problem) in HOSTILE {
        let view = running
            .until_plugin(name, &format!("{name} in quarantine"), |view| {
                matches!(view.state, PluginState::Quarantined(_))
            })
            .await;
        let PluginState::Quarantined(why) = &view.state else { unreachable!() };
        assert!(why.contains(problem), "{name}: {why}");
        assert!(why.contains(&format!("plugins/{name}/init.luau")), "{name}: {why}");
    }
    assert!(running.told("plugin_error").await.len() >= 3 * HOSTILE.len());
    let told = running.told("plugin_quarantined").await;
    assert_eq!(told.len(), HOSTILE.len(), "{told:?}");
    assert_eq!(running.fleet.status().await.expect("a status").failed_ticks, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_must_be_asked_and_does_not_answer_stops_the_action_until_it_is_resumed_or_saved() {
    let home = speakers();
    home.plugin("gate/init.luau", &hostile("if action.kind == 'comment' then error('lost my list') end", "deny"));
    let running = home.start(FLAGS).await;
    running.wake_all().await;
    let state = until(&running, "a stopped comment", |state| state["failed"] == "unavailable").await;
    let why = state["why"].as_str().expect("a reason");
    assert!(why.contains("plugin `gate`") && why.contains("lost my list"), "{why}");
    running.until_plugin("gate", "a quarantine", |view| matches!(view.state, PluginState::Quarantined(_))).await;
    let calls = running.plugin("gate").fared.calls;
    until(&running, "an immediate refusal", |state| {
        state["why"].as_str().is_some_and(|why| why.contains("quarantined after too many faults"))
    })
    .await;
    assert_eq!(running.plugin("gate").fared.calls, calls, "nobody asks a plugin in quarantine");
    assert!(running.gallery.audit().await.comments().is_empty());
    // A saved file is a new chance.
    home.plugin("gate/init.luau", &hostile("return true", "deny"));
    until(&running, "a comment", |state| state["said"].is_string()).await;
    running.until_running("gate").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_pauses_and_resumes_a_plugin_and_that_outlives_a_restart() {
    let home = speakers();
    home.plugin("gate/init.luau", &hostile("if action.kind == 'comment' then return { deny = 'not now' } end", "deny"));
    let running = home.start(FLAGS).await;
    running.wake_all().await;
    until(&running, "a denied comment", |state| state["failed"] == "rejected").await;
    let name = "gate".parse().expect("a name");
    assert!(running.fleet.pause_plugin(&name, "looking at it".to_owned(), "test").await.expect("a fleet"));
    until(&running, "a comment", |state| state["said"].is_string()).await;
    running.stop().await;
    let again = home.start(FLAGS).await;
    let state = again.plugin("gate").state;
    assert_eq!(state, PluginState::Paused("looking at it".to_owned()));
    assert!(again.fleet.resume_plugin(&name, "test").await.expect("a fleet"));
    again.until_running("gate").await;
    again.somebody_shares("A picture to talk about").await;
    again.wake_all().await;
    again.until_plugin("gate", "a denied comment again", |view| view.fared.denied > 0).await;
    assert!(
        !again.fleet.pause_plugin(&"nobody".parse().expect("a name"), String::new(), "test").await.expect("a fleet")
    );
    let audits = again.fleet.world().store.audits(10).await.expect("rows");
    assert!(audits.iter().any(|row| row.what == "pause_plugin" && row.target == "gate"), "{audits:?}");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_that_raised_wrote_into_the_state_does_not_count() {
    let home = speakers();
    home.plugin(
        "forgetful/init.luau",
        &hostile(
            "local s = plugin.state; s.n = (s.n or 0) + 1; if s.n == 2 then s.n = 100; error('second thoughts') end; \
             if s.n > 50 then return { deny = 'the state of a broken call was kept' } end; s.fine = true",
            "allow",
        ),
    );
    let running = home.start(FLAGS).await;
    running.wake_all().await;
    running.until_plugin("forgetful", "a fault", |view| view.fared.faults >= 1).await;
    let kept = running.fleet.world().store.plugin(&"forgetful".parse().expect("a name")).await.expect("a row");
    assert_eq!(kept.state.as_deref(), Some(r#"{"fine":true,"n":1}"#));
    assert_eq!(running.plugin("forgetful").fared.denied, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_run_in_bots_time_and_what_was_missed_runs_once() {
    let home = speakers();
    home.plugin(
        "clock/init.luau",
        r#"return { every = { { name = "hourly", seconds = 3600, run = function()
            plugin.state.runs = (plugin.state.runs or 0) + 1
        end } } }"#,
    );
    let name = "clock".parse().expect("a name");
    let running = home.start(&["clock.speed=36000"]).await;
    let store = running.fleet.world().store.clone();
    let runs = async |store: &floimg_fleet::store::Store| -> u64 {
        let state = store.plugin(&name).await.expect("a row").state.unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&state).ok().and_then(|state| state["runs"].as_u64()).unwrap_or(0)
    };
    running.until("two runs", async || (runs(&store).await >= 2).then_some(())).await;
    running.stop().await;
    let store = floimg_fleet::store::Store::open(&home.path().join("data/fleet.db")).await.expect("a store");
    let before = runs(&store).await;
    // As if the host had been down for ten hours.
    let ran = store.plugin(&name).await.expect("a row").timers["hourly"];
    let past = ran - jiff::SignedDuration::from_hours(10);
    store.keep_plugin(&name, None, vec![("hourly".to_owned(), past)]).await.expect("a write");
    store.close().await;
    let again = home.start(&["clock.speed=1"]).await;
    let store = again.fleet.world().store.clone();
    again.until("the missed run", async || (runs(&store).await > before).then_some(())).await;
    let kept = again.fleet.world().store.plugin(&name).await.expect("a row");
    assert!(kept.timers["hourly"] > past + jiff::SignedDuration::from_hours(9), "the next is an hour away: {kept:?}");
    assert_eq!(runs(&store).await, before + 1);
    again.stop().await;
}
