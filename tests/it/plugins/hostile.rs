//! A fixed gallery of hostile plugins. Whatever one does, its author is told the file, the line and the limit, its
//! `on_error` decides what becomes of actions, its neighbours are asked as before, and a save gives it a new chance.

use std::sync::Arc;
use std::time::Duration;

use floimg_fleet::host::hooks::{Changed, Hooks, Outcome, Verdict};
use floimg_fleet::host::words::Words;
use floimg_fleet::model::activity::{Ending, NewActivity};
use floimg_fleet::model::failure::FailureKind;
use floimg_fleet::model::plugin::PluginName;
use floimg_fleet::runtime::plugins::Terms;
use floimg_fleet::runtime::plugins::view::{PluginState, PluginView};
use serde_json::json;
use tokio::task::{JoinError, JoinSet};

use super::stage::{IDLE, LIMITS, Stage, TERMS, comment};

/// What it is; the body of `before_action`, which begins at line 3; what its author is told; the line.
type Case = (&'static str, &'static str, &'static str, u32);

const CPU: &str = "ms of CPU";
const MEMORY: &str = "used more than 12 MiB of memory (sandbox.memory_mib)";
/// Line of `before_action` itself, for what is wrong with its answer.
const WHOLE: u32 = 2;

const LOOPS: &[Case] = &[
    ("plain", "while true do end", "used more than 60 ms of CPU in one go (sandbox.poll_cpu_millis)", 3),
    ("in pcall", "\nwhile true do pcall(function() while true do end end) end", CPU, 4),
    ("caught and allowed", "pcall(function() while true do end end) return nil", CPU, 3),
    (
        "in a metamethod",
        "local t = setmetatable({}, { __index = function() while true do end end }) local x = t.a",
        CPU,
        3,
    ),
    ("in sort", "table.sort({ 3, 1, 2 }, function() while true do end end)", CPU, 3),
    ("in gsub", "string.gsub('abc', '.', function() while true do end end)", CPU, 3),
    ("a catastrophic pattern", "string.find(string.rep('a', 40), string.rep('a*', 40) .. 'b')", CPU, 3),
    (
        "a million lines of log",
        "for i = 1, 1e6 do log.info(string.rep('x', 1000)) end while true do print(1) end",
        CPU,
        3,
    ),
    (
        "in the tostring of its error",
        "error(setmetatable({}, { __tostring = function() while true do end end }))",
        CPU,
        3,
    ),
];

const BOMBS: &[Case] = &[
    ("a list", "local t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end", MEMORY, 3),
    ("a doubling text", "local s = 'x' while true do s = s .. s end", MEMORY, 3),
    (
        "caught",
        "pcall(function() local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end end)",
        MEMORY,
        3,
    ),
    ("a text of a gigabyte", "local s = string.rep('x', 1e9)", "string.rep makes at most 1048576 bytes", 3),
    ("recursion", "local function f() return 1 + f() end\nf()", "stack overflow", 3),
    ("recursion through pcall", "local function f() pcall(f) pcall(f) end while true do f() end", CPU, 3),
    (
        "recursion through a metatable",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k .. 'x'] end local x = t.a",
        "stack overflow",
        3,
    ),
];

const RAISES: &[Case] = &[
    ("a text", "error('I will not')", "I will not", 3),
    ("nothing", "error()", "raised nil as its error", 3),
    ("a table", "error({})", "raised a table as its error", 3),
    ("a raising tostring", "error(setmetatable({}, { __tostring = function() error('no words') end }))", "no words", 3),
    ("a huge text", "error(string.rep('long ', 100000))", "long long long", 3),
    ("an action that is read-only", "action.text = 'mine'", "attempt to modify a readonly table", 3),
    ("options that are read-only", "plugin.options = {}", "plugin.options", 3),
    ("what is for bots", "floimg.upvote('p1')", "floimg.upvote is for bots", 3),
    ("what it has no permission for", "store.get('x')", "store.get needs the permission `store`", 3),
    (
        "a private address",
        "local _, failure = http.get('http://169.254.169.254/latest/')\nerror(failure.message)",
        "169.254.169.254",
        4,
    ),
    (
        "this very machine",
        "local _, failure = http.get('http://127.0.0.1:4748/')\nerror(failure.message)",
        "127.0.0.1",
        4,
    ),
    ("another plugin's world", "require('@plugins/neighbour')", "only at the top", 3),
];

const ANSWERS: &[Case] = &[
    ("a number", "return 42", "before_action must return nothing, true or a table, got 42", WHOLE),
    ("false", "return false", "got false", WHOLE),
    ("an empty table", "return {}", "neither deny nor change", WHOLE),
    ("an unknown key", "return { allow = true }", "allow", WHOLE),
    (
        "a million keys",
        "local t = {} for i = 1, 5000 do t[i] = i end return t",
        "it takes deny with retry_after",
        WHOLE,
    ),
    ("no time to wait for", "return { deny = 'x', retry_after = 0 / 0 }", "`retry_after` must be seconds, got", WHOLE),
    ("both", "return { deny = 'x', change = { text = 'y' } }", "both deny and change", WHOLE),
    ("a reason that is no text", "return { deny = true }", "`deny` must be a text, got true", WHOLE),
    ("a change that is no table", "return { change = 'x' }", "`change` must be a table", WHOLE),
    (
        "a change with an unknown key",
        "return { change = { tekst = 'x' } }",
        "it takes text, title and description",
        WHOLE,
    ),
    (
        "a change of what is not there",
        "return { change = { title = 'x' } }",
        "`change.title`: this action has no title, but text",
        WHOLE,
    ),
    (
        "a function for a text",
        "return { change = { text = print } }",
        "`change.text` must be a text, got a function",
        WHOLE,
    ),
    ("a text that is not UTF-8", "return { change = { text = '\\xff\\xfe' } }", "`change.text` must be a text", WHOLE),
    ("a NUL", "return { change = { text = 'a\\0b' } }", "`change.text` has the character '\\0'", WHOLE),
    ("an escape sequence", "return { change = { text = 'a\\27[2J' } }", "`change.text` has the character", WHOLE),
    (
        "nothing to say",
        "return { change = { text = '  ' } }",
        "`change.text` must have 1 to 1000 characters, got 0",
        WHOLE,
    ),
    (
        "over the gallery's limit",
        "return { change = { text = string.rep('x', 1001) } }",
        "1 to 1000 characters, got 1001",
        WHOLE,
    ),
    (
        "a megabyte",
        "return { change = { text = string.rep('x', 1048576) } }",
        "1 to 1000 characters, got 1048576",
        WHOLE,
    ),
];

const STATES: &[Case] = &[
    ("a circle", "local t = {} t.t = t plugin.state.x = t", "plugin.state.x.t contains itself", WHOLE),
    ("a function", "plugin.state.f = print", "plugin.state.f is a function", WHOLE),
    ("NaN", "plugin.state.n = 0 / 0", "plugin.state.n is", WHOLE),
    ("infinity", "plugin.state.n = math.huge", "no number that can be kept", WHOLE),
    ("megabytes", "plugin.state.x = string.rep('x', 1000000)", "plugin.state takes more than 64 KiB as JSON", WHOLE),
    ("a text that is not UTF-8", "plugin.state.x = '\\xff'", "plugin.state.x is a text that is not UTF-8", WHOLE),
    ("no table", "plugin.state = 5", "plugin.state must be a table, got 5", WHOLE),
    ("a metatable", "plugin.state.x = setmetatable({}, {})", "plugin.state.x has a metatable", WHOLE),
    ("too deep", "local t = plugin.state for i = 1, 100 do t.t = {} t = t.t end", "nested deeper than", WHOLE),
];

/// What a trial cannot see, because nobody waits in it.
const WAITS: &[Case] = &[
    (
        "sleeps",
        "\nfor i = 1, 10 do time.sleep(30) end",
        "took longer than anybody waits for a plugin (plugins.deadline_millis",
        4,
    ),
    ("sleeps in pcall", "while true do pcall(time.sleep, 30) end", "took longer than anybody waits", 3),
];

fn hostile(body: &str, on_error: &str) -> String {
    format!(
        "return {{ on_error = \"{on_error}\", needs = {{ \"http\" }},\nbefore_action = function(action)\n{body}\nend }}"
    )
}

fn is_quarantined(view: &PluginView) -> bool {
    matches!(view.state, PluginState::Quarantined(_))
}

fn told(view: &PluginView, case: &Case) {
    let (what, _, words, line) = case;
    let fault = &view.fared.last_fault.as_ref().expect("a fault").0;
    assert_eq!((fault.file.as_str(), fault.line), ("plugins/hostile/init.luau", Some(*line)), "{what}: {fault:?}");
    assert!(fault.message.contains(words), "{what}: {fault:?}");
    assert!(fault.message.chars().count() <= 600, "{what}: the message is as long as the plugin likes");
}

/// Everything that holds for one of them.
async fn bear(case: &Case, on_error: &str, terms: Terms) {
    let (what, body, words, _) = case;
    let mut stage = Stage::with(false, if *words == MEMORY { IDLE } else { LIMITS }).await;
    stage.set_terms(terms);
    stage.save("hostile", &hostile(body, on_error));
    // Asked after the hostile one, and before everybody of a later name.
    stage.save("neighbour", "return { after = { 'hostile' }, before_action = function() end }");
    let changes = stage.take().await;
    assert_eq!(changes.accepted.len(), 2, "{what}: {:?}", stage.catalog);
    let mut asked = 0;
    // One that came too late to be called is asked again.
    while !is_quarantined(&stage.view("hostile")) && asked < 12 {
        asked += 1;
        let verdict = stage.ask("fine").await;
        match on_error {
            "allow" => assert_eq!(verdict, Verdict::Allow, "{what}"),
            _ => assert!(
                matches!(&verdict, Verdict::Unanswered(name, _) if name.as_str() == "hostile"),
                "{what}: {verdict:?}"
            ),
        }
    }
    let view = stage.until("hostile", "a quarantine", is_quarantined).await;
    told(&view, case);
    // From now on it costs nobody anything, and its `on_error` goes on to decide.
    let calls = view.fared.calls;
    for _ in 0..3 {
        asked += 1;
        let verdict = stage.ask("fine").await;
        assert_eq!(verdict == Verdict::Allow, on_error == "allow", "{what}: {verdict:?}");
    }
    assert_eq!(stage.view("hostile").fared.calls, calls, "{what}: it was called in quarantine");
    let neighbour = stage.view("neighbour").fared;
    let reached = if on_error == "allow" { asked } else { 0 };
    assert_eq!((neighbour.calls, neighbour.faults), (reached, 0), "{what}");
    assert_eq!(stage.told_of("plugin_quarantined").await.len(), 1, "{what}");
    let errors = stage.told_of("plugin_error").await;
    assert!(
        errors[0].what.detail["frame"].as_str().is_some_and(|frame| frame.contains("plugins/hostile/init.luau:")),
        "{what}"
    );
    // A save is a new chance.
    stage.save("hostile", "return { before_action = function() return { deny = 'well again' } end }");
    stage.take().await;
    let verdict = stage.ask("fine").await;
    assert!(matches!(&verdict, Verdict::Deny(_, reason, _) if reason == "well again"), "{what}: {verdict:?}");
    assert_eq!(stage.view("hostile").state, PluginState::Running, "{what}");
}

async fn bear_all(cases: &'static [Case], terms: Terms) {
    let mut bearing = JoinSet::new();
    let mut broken = Vec::new();
    let mut note = |ended: Option<Result<(), JoinError>>| {
        let panic = ended.and_then(Result::err).map(|error| error.into_panic());
        broken.extend(panic.map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default()));
    };
    for case in cases {
        for on_error in ["allow", "deny"] {
            bearing.spawn(bear(case, on_error, terms));
            // A few at a time: each has a world of its own.
            if bearing.len() >= 4 {
                note(bearing.join_next().await);
            }
        }
    }
    while let Some(borne) = bearing.join_next().await {
        note(Some(borne));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn loops_stop_nobody() {
    bear_all(LOOPS, TERMS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bombs_stop_nobody() {
    bear_all(BOMBS, TERMS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_is_raised_is_told_with_its_line() {
    bear_all(RAISES, TERMS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_of_the_wrong_shape_are_faults() {
    bear_all(ANSWERS, TERMS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_state_that_cannot_be_kept_is_a_fault() {
    bear_all(STATES, TERMS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_past_the_deadline() {
    bear_all(WAITS, Terms { deadline: Duration::from_secs(1), ..TERMS }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trial_keeps_them_out_with_the_same_words() {
    let mut stage = Stage::new(true).await;
    stage.save("hostile", "return {}");
    stage.take().await;
    let mut broken = Vec::new();
    for case in [LOOPS, BOMBS, RAISES, ANSWERS, STATES].concat() {
        let (what, body, words, line) = case;
        if what.starts_with("a private") || what.starts_with("this very") {
            // Nothing in a trial reaches another host.
            continue;
        }
        stage.save("hostile", &hostile(body, "deny"));
        let changes = stage.take().await;
        let view = stage.view("hostile");
        if changes.refused.len() != 1 {
            broken.push(format!("{what}: was let in"));
            continue;
        }
        // A trial asks about pictures first, which have no words to change.
        let has_words = body.contains("change = { t");
        let said = &view.errors[0].message;
        let is_told = said.contains(words) || (words == MEMORY && said.contains(CPU));
        let is_placed = view.errors[0].line == Some(line);
        if !(has_words || is_told && is_placed) {
            broken.push(format!("{what}: {:?}", view.errors[0]));
        }
        assert_eq!(view.state, PluginState::Running, "{what}: the version before runs on");
        assert_eq!(stage.ask("fine").await, Verdict::Allow, "{what}");
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_delays_nobody() {
    let mut stage = Stage::new(false).await;
    stage.set_terms(Terms { background: Duration::from_millis(500), ..TERMS });
    for (name, body) in [
        ("looping", "while true do pcall(function() while true do end end) end"),
        ("raising", "error('no')"),
        ("sleeping", "while true do time.sleep(60) end"),
        ("hoarding", "plugin.state.x = string.rep('x', 100000)"),
    ] {
        let text = format!(
            "local function f()\n{body}\nend\nreturn {{ after_action = f, on_activity = f, every = {{ {{ seconds = 1, run = f }} }} }}"
        );
        stage.save(name, &text);
    }
    stage.save("neighbour", "return { before_action = function() end, after_action = function() end }");
    stage.take().await;
    let names = ["looping", "raising", "sleeping", "hoarding"];
    let activity = || NewActivity {
        at: stage.fleet.world().clock.now(),
        bot: None,
        persona: None,
        kind: "test".to_owned(),
        ending: Ending::Done,
        target: String::new(),
        text: String::new(),
        detail: json!({}),
    };
    let mut told = 0;
    while !names.iter().all(|name| is_quarantined(&stage.view(name))) {
        told += 1;
        assert_eq!(stage.ask("fine").await, Verdict::Allow);
        stage.plugins.after(comment("fine"), Outcome { id: None, failure: None });
        stage.fleet.world().journal.record(activity()).await;
        // The neighbour is told as often as there was something to tell, whatever the others do.
        stage.until("neighbour", "it was told", |view| view.fared.calls >= 2 * told).await;
    }
    assert_eq!(stage.view("neighbour").fared.faults, 0);
    for name in names {
        let view = stage.view(name);
        let fault = &view.fared.last_fault.as_ref().expect("a fault").0;
        assert_eq!(fault.file, format!("plugins/{name}/init.luau"), "{fault:?}");
        assert!(view.fared.functions.iter().any(|calls| calls.faults > 0), "{view:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_exports_are_failures_of_their_callers_and_nothing_else() {
    let mut stage = Stage::new(false).await;
    // A deadline for the one that sleeps.
    stage.set_terms(Terms { quarantine_after: 20, deadline: Duration::from_secs(1), ..TERMS });
    stage.save(
        "hostile",
        r#"
        local all = {}
        function all.loops() while true do end end
        function all.raises() error("no idea") end
        function all.a_function() return function() end end
        function all.a_function_within() return { fine = 1, f = print } end
        function all.a_circle() local t = {} t.t = t return t end
        function all.too_much() return string.rep("x", 100000) end
        function all.nan() return { n = 0 / 0 } end
        function all.itself() return all.itself() + 1 end
        function all.sleeps() time.sleep(200) time.sleep(100) end
        function all.acts() floimg.comment { post = "p1", text = "hello" } end
        function all.fine(a, b) return { a, b } end
        return { exports = all }"#,
    );
    stage.take().await;
    for (export, words) in [
        ("loops", "ms of CPU"),
        ("raises", "no idea"),
        ("a_function", "what `a_function` answers is a function"),
        ("a_function_within", ".f is a function"),
        ("a_circle", "contains itself"),
        ("too_much", "takes more than 64 KiB"),
        ("nan", "no number that can be kept"),
        ("itself", "stack overflow"),
        ("sleeps", ""),
        ("acts", "floimg.comment is for bots"),
        ("not_there", "does not export `not_there`"),
    ] {
        let failure = stage.plugins.call("hostile", export, vec![json!(1)]).await.expect_err("a failure");
        assert_eq!(failure.kind, FailureKind::Unavailable, "{export}");
        assert!(failure.message.contains("`hostile`") && failure.message.contains(words), "{export}: {failure:?}");
    }
    let answer = stage.plugins.call("hostile", "fine", vec![json!(1), json!("b")]).await;
    assert_eq!(answer.expect("an answer"), json!([1, "b"]));
    let failure = stage.plugins.call("nobody", "fine", Vec::new()).await.expect_err("a failure");
    assert!(failure.message.contains("the plugin `nobody` does not answer"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_cannot_reach_into_each_other_or_themselves() {
    let mut stage = Stage::new(true).await;
    stage.save("neighbour", "return { exports = { f = function() return 1 end } }");
    for (required, words) in [
        ("@plugins/neighbour", "only"),
        ("@plugins/hostile", "only"),
        ("@self/init", "circle"),
        ("@self/../neighbour/init", "require"),
        ("@self/nothing", "nothing"),
        ("@behaviours/browse", "require"),
        ("../../config", "require"),
    ] {
        stage.save("hostile", &format!("local other = require(\"{required}\")\nreturn {{}}"));
        let changes = stage.take().await;
        assert_eq!(changes.refused.len(), 1, "{required}");
        let errors = stage.view("hostile").errors;
        assert_eq!(errors[0].line, Some(1), "{required}: {errors:?}");
        assert!(errors[0].message.contains(words), "{required}: {errors:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_take_no_time_that_is_none() {
    let mut stage = Stage::new(true).await;
    for (seconds, shown) in [
        ("0", "got 0"),
        ("-1", "got -1"),
        ("0.01", "got 0.01"),
        ("0 / 0", "got"),
        ("math.huge", "got"),
        ("-math.huge", "got"),
        ("'soon'", "got the text `soon`"),
        ("{}", "got a table"),
        ("nil", "got nothing"),
    ] {
        stage.save(
            "hostile",
            &format!("return {{\n\tevery = {{ {{ seconds = {seconds}, run = function() end }} }},\n}}"),
        );
        let changes = stage.take().await;
        assert_eq!(changes.refused.len(), 1, "{seconds}");
        let errors = stage.view("hostile").errors;
        let said = &errors[0].message;
        assert!(
            said.contains("`every[1].seconds` must be seconds, at least 1") && said.contains(shown),
            "{seconds}: {said}"
        );
        assert_eq!(errors[0].line, Some(2), "{seconds}: {errors:?}");
    }
    // What is further away than any calendar is a timer that never comes.
    stage.save("hostile", "return { every = { { seconds = 1e300, run = function() end } } }");
    stage.take().await;
    let view = stage.view("hostile");
    assert!(view.state == PluginState::Running || view.errors[0].message.contains("every[1].seconds"), "{view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_turned_away_because_a_plugin_is_saved_again_and_again() {
    let mut stage = Stage::new(true).await;
    let text = |mark: u32| {
        format!(
            "return {{ on_error = 'deny', needs = {{ 'store' }}, before_action = function(action)\n\
             store.increment('asked')\nif action.text then return {{ change = {{ text = 'no. {mark}' }} }} end end }}"
        )
    };
    stage.save("guard", &text(0));
    assert_eq!(stage.take().await.accepted.len(), 1, "{:?}", stage.catalog);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut asking = JoinSet::new();
    for _ in 0..4 {
        let (plugins, stop) = (stage.plugins.clone(), stop.clone());
        asking.spawn(async move {
            let mut asked = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let verdict = plugins.before(comment("fine")).await;
                assert!(matches!(verdict, Verdict::Change(..)), "{verdict:?}");
                asked += 1;
            }
            asked
        });
    }
    for mark in 1..=20 {
        stage.save("guard", &text(mark));
        stage.take().await;
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut asked = 0;
    while let Some(done) = asking.join_next().await {
        asked += done.expect("no panic");
    }
    assert!(asked > 4, "they were asked all the time");
    let by: PluginName = "guard".parse().expect("a name");
    let changed = Changed { by, reason: None };
    assert_eq!(stage.ask("fine").await, Verdict::Change(Words::Comment("no. 20".to_owned()), vec![changed]));
}
