//! `given.plugin` and its words in `fleet test`: what is wrong with a test or a plugin is told where it stands.

use floimg_fleet::lua::plugins::modules::{PLUGIN_MODULES, PLUGIN_STUB};
use serde_json::Value;
use tempfile::TempDir;

use super::new::fleet;

const GATE: &str = r#"return {
	options = { most = { type = "number", default = 2, min = 1, doc = "How many." }, words = { type = "list", default = {} } },
	needs = { "http", "store" },
	before_action = function(action)
		if action.text == "boom" then
			error("no words for this")
		end
		return nil
	end,
	on_activity = function(activity)
		plugin.state.last = activity.kind
		local reply = http.get("https://api.example.com/theme")
		plugin.state.theme = reply and reply.json and reply.json.name
	end,
	every = { { seconds = 60, run = function() plugin.state.runs = (plugin.state.runs or 0) + 1 end } },
	exports = { double = function(number) return number * 2 end, fails = function() error("never") end },
}
"#;

/// The examples between the fences of a stub.
fn examples(stub: &str) -> Vec<String> {
    let code = |block: &str| -> String {
        let lines = block.split("```").next().unwrap_or_default().lines();
        lines.map(|line| line.trim_start().trim_start_matches("---")).collect::<Vec<_>>().join("\n")
    };
    stub.split("```luau\n").skip(1).map(code).collect()
}

#[test]
fn every_example_of_what_only_plugins_find_runs() {
    let stubs = PLUGIN_MODULES.iter().map(|module| module.types).chain([PLUGIN_STUB]);
    let examples: Vec<String> = stubs.flat_map(examples).collect();
    assert!(examples.len() >= 3, "the examples are found: {examples:?}");
    let place = TempDir::new().expect("a folder");
    std::fs::create_dir_all(place.path().join("scripts/personas")).expect("a folder");
    for (number, example) in examples.iter().enumerate() {
        let folder = place.path().join(format!("plugins/example{number}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let text = format!("--!strict\nreturn {{ on_start = function()\n{example}\nend }}\n");
        std::fs::write(folder.join("init.luau"), text).expect("written");
    }
    let (code, out) = fleet(place.path(), &["check"]);
    assert!(code == 0 && out.contains("0 errors, 0 warnings"), "{out}");
}

/// Asks the plugin, and does what it answers.
const CALLER: &str = r#"local gate = require("@plugins/gate")
return {
	identity = { names = { "{first}" }, username = "caller_{n}" },
	schedule = { timezone = "UTC" },
	on_event = function(bot, event) bot.state.heard = event.kind end,
	on_tick = function(bot)
		local doubled, failure = gate.double(4)
		bot.state.doubled, bot.state.failed = doubled, failure and failure.kind
		return 60
	end,
}
"#;

fn run(body: &str) -> Vec<Value> {
    let place = TempDir::new().expect("a folder");
    for (path, text) in [
        ("scripts/personas/caller.luau", CALLER),
        ("plugins/gate/init.luau", GATE),
        ("plugins/gate/gate.test.luau", body),
    ] {
        let path = place.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    let (_, out) = fleet(place.path(), &["test", "--json"]);
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{out}"))).collect()
}

#[test]
fn a_plugin_is_asked_told_and_called() {
    let told = run(r#"
        test("hears and keeps", function()
            given.http("https://api.example.com/theme", { json = { name = "doors" } })
            local gate = given.plugin { name = "gate", options = { words = {} } }
            gate:on_activity { kind = "born" }
            expect(gate.state):equals { last = "born", theme = "doors" }
            expect(gate.options):equals { most = 2, words = {} }
            expect(gate.requests[1]):fits { method = "GET", url = "https://api.example.com/theme" }
            expect(gate.calls.http):equals(1)
            gate:pass("10m")
            expect(gate.state.runs):equals(10)
        end)
        test("goes on from a state, at a time", function()
            local gate = given.plugin { name = "gate", state = { runs = 5 }, at = "2026-03-04T10:00:00Z" }
            gate:pass(60)
            expect(gate.state.runs):equals(6)
            expect(time.iso()):equals("2026-03-04T10:01:00Z")
        end)
        test("answers a persona that requires it", function()
            given.plugin { name = "gate" }
            local bot = given.bot { persona = "caller" }
            bot:tick()
            expect(bot.state.doubled):equals(8)
        end)
        test("a persona goes on where the plugin does not run", function()
            local bot = given.bot { persona = "caller" }
            bot:tick()
            expect(bot.state):equals { failed = "unavailable" }
        end)
    "#);
    assert_eq!(told.len(), 5, "{told:?}");
    for test in &told[..4] {
        assert_eq!(test["passed"], true, "{test}");
    }
}

#[test]
fn what_is_wrong_names_its_line_and_what_was_meant() {
    for (body, line, words) in [
        ("given.plugin { name = \"gat\" }", 2, "did you mean `gate`? Known: gate"),
        ("given.plugin { name = \"gate\", option = {} }", 2, "did you mean `options`?"),
        ("given.plugin { name = \"gate\", options = { mots = 1 } }", 2, "did you mean `most`"),
        (
            "given.plugin { name = \"gate\", options = { most = 0 } }",
            2,
            "must be a number at least 1, got 0 (it is for this: How many.)",
        ),
        ("given.plugin { name = \"gate\" }\ngiven.plugin { name = \"gate\" }", 3, "has the plugin `gate` already"),
        ("given.plugin { name = \"gate\" }:before_acton {}", 2, "did you mean `before_action`?"),
        (
            "given.plugin { name = \"gate\" }:before_action { kind = \"comments\", text = \"x\" }",
            2,
            "did you mean `comment`?",
        ),
        (
            "given.plugin { name = \"gate\" }:before_action { kind = \"comment\", txt = \"x\" }",
            2,
            "did you mean `text`?",
        ),
        (
            "given.plugin { name = \"gate\" }:after_action({ kind = \"upvote\" }, { failure = \"limits\" })",
            2,
            "did you mean `limit`?",
        ),
        (
            "given.plugin { name = \"gate\" }:on_platform { kind = \"gone\" }",
            2,
            "must be one of paused, resumed, budget",
        ),
        ("given.plugin { name = \"gate\" }:call(\"doubel\", 2)", 2, "did you mean `double`?"),
        ("given.plugin { name = \"gate\" }.pass(1)", 2, "with a colon"),
        ("local gate = given.plugin { name = \"gate\" }\ngate.state = {}", 3, "read-only in a test"),
        ("given.http(\"https://api.example.com\", { stauts = 200 })", 2, "did you mean `status`?"),
        ("given.bots { { id = \"painter\" } }", 2, "bot 1: `id`"),
        ("given.bots { { id = \"painter-1\", awake = \"always\" } }", 2, "is no span of time"),
    ] {
        let told = run(&format!("test(\"it\", function()\n{body}\nend)\n"));
        let problem = &told[0]["problem"];
        let message = problem["message"].as_str().unwrap_or_else(|| panic!("{body} fails: {told:?}"));
        assert!(message.contains(words), "{body}: {message}");
        assert_eq!(problem["line"], line, "{body}: {message}");
    }
}

#[test]
fn a_plugin_that_raises_shows_its_own_line() {
    let body = "test(\"it\", function()\n\tgiven.plugin { name = \"gate\" }:before_action { kind = \"comment\", text = \"boom\" }\nend)\n";
    let told = run(body);
    let problem = &told[0]["problem"];
    assert_eq!((&problem["message"], &problem["line"]), (&"the plugin raised".into(), &2.into()), "{problem}");
    let because = &problem["because"][0];
    assert_eq!((&because["file"], &because["line"]), (&"plugins/gate/init.luau".into(), &6.into()), "{because}");
    assert_eq!(because["message"], "no words for this");
}
