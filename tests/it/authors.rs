//! `fleet test` from the outside: files in a folder in; what came of them, and an exit code, out.

use std::path::Path;
use std::process::Command;

use floimg_fleet::lua::testing::TYPES;
use serde_json::Value;
use tempfile::TempDir;

/// A persona that upvotes the first post of others, and raises for one that is called `boom`.
const FAN: &str = r#"return {
	name = "Fan",
	identity = { names = { "{first}" }, username = "fan_{n}" },
	schedule = { timezone = "UTC", awake = "08:00-22:00" },
	on_tick = function(bot)
		for _, post in floimg.feed() or {} do
			if post.title == "boom" then
				error("no words for this")
			end
			if not post.author.is_me and not post.is_liked then
				floimg.upvote(post.id)
				bot.state.last = post.id
				return 45
			end
		end
		return nil
	end,
}
"#;

/// A folder of scripts to run the program in.
fn place(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().expect("a folder");
    for (path, text) in [("scripts/personas/fan.luau", FAN)].iter().chain(files) {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    dir
}

/// The exit code, standard output and standard error.
fn fleet(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
    let output = command.env_clear().current_dir(dir).args(args).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

/// Runs one test file, and answers its tests as JSON, the sum last.
fn run(body: &str) -> Vec<Value> {
    let dir = place(&[("scripts/personas/fan.test.luau", body)]);
    let (_, out, err) = fleet(dir.path(), &["test", "--json"]);
    assert_eq!(err, "");
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The message of a test that must fail, and the line at which it does.
fn failure(body: &str) -> (String, u64, Value) {
    let told = run(&format!("test(\"it\", function()\n{body}\nend)\n"));
    let problem = told[0]["problem"].clone();
    assert!(problem.is_object(), "{body} fails: {told:?}");
    let message = problem["message"].as_str().expect("a message").to_owned();
    (message, problem["line"].as_u64().unwrap_or(0), problem)
}

#[test]
fn what_a_bot_did_can_be_expected() {
    let told = run(r#"
        test("upvotes once, and says when it wakes", function()
            given.gallery { { id = "p1", author = "mira", likes = 3 } }
            local bot = given.bot { persona = "fan", at = "2026-03-04T10:00:00Z" }
            bot:tick()
            expect(bot:did("upvote", { post = "p1" })):is_true()
            expect(bot.state):equals { last = "p1" }
            expect(bot.next_wake):equals(45)
            expect(bot.rest):equals("asked")
            expect(bot.calls.floimg):equals(2)
            expect(bot.calls.llm):equals(0)
            bot:tick(3)
            expect(bot:count("upvote")):equals(1)
            expect(floimg.get("p1").likes):equals(4)
        end)
        test("two bots share a gallery and know each other", function()
            local a = given.bot { persona = "fan", index = 1 }
            local b = given.bot { persona = "fan", index = 2 }
            given.gallery { { id = "p1", author = a.username } }
            a:tick()
            b:tick()
            expect(a:did("upvote")):is_false()
            expect(b:did("upvote", { post = "p1" })):is_true()
            given.me {}
            expect(floimg.get("p1").author.is_fleet):is_true()
        end)
        test("a failure is met once", function()
            given.gallery { { id = "p1" } }
            given.failure("floimg.upvote", { kind = "rate_limited", retry_after = "10m" })
            local bot = given.bot { persona = "fan", at = "2026-03-04T10:00:00Z" }
            bot:tick()
            expect(bot:last("upvote").failure.kind):equals("rate_limited")
            -- The world said to wait, whatever the script asked for.
            expect(bot.rest):equals("told")
            expect(bot.next_wake):is_between(600, 700)
            bot:tick()
            expect(bot:did("upvote")):is_true()
        end)
    "#);
    assert_eq!(told.len(), 4, "{told:?}");
    for test in &told[..3] {
        assert_eq!(test["passed"], true, "{test}");
    }
    assert_eq!((&told[3]["passed"], &told[3]["failed"]), (&3.into(), &0.into()));
}

#[test]
fn what_fails_names_its_line_and_says_what_differs() {
    for (body, line, words) in [
        ("expect(1):equals(2)", 2, "expected 1 to equal 2"),
        ("\nexpect(\"fox\").never:has(\"ox\")", 3, "expected \"fox\" never to have \"ox\""),
        ("expect(nil):is_between(1, 2)", 2, "expected a number for is_between, got nil"),
        ("expect({ 1 }):has_length(2)", 2, "to have the length 2, not 1"),
        ("expect(function() end):raises()", 2, "to raise; it came back"),
        ("expect(1):equal(1)", 2, "did you mean `equals`?"),
        ("given.galery {}", 2, "did you mean `gallery`?"),
        ("given.gallery { { tittle = \"x\" } }", 2, "post 1: unknown option `tittle`; did you mean `title`?"),
        ("given.bot { persona = \"fam\" }", 2, "did you mean `fan`? Known: fan"),
        ("given.bot { persona = \"fan\", idx = 1 }", 2, "unknown option `idx`"),
        ("given.failure(\"floimg.upvot\", { kind = \"limit\" })", 2, "did you mean `floimg.upvote`?"),
        ("given.failure(\"floimg.upvote\", { kind = \"limits\" })", 2, "did you mean `limit`?"),
        ("local bot = given.bot { persona = \"fan\" }\nbot:did(\"upvotes\")", 3, "did you mean `upvote`?"),
        ("local bot = given.bot { persona = \"fan\" }\nbot:did(\"upvote\", { pst = 1 })", 3, "did you mean `post`?"),
        ("local bot = given.bot { persona = \"fan\" }\nexpect(bot.stat):exists()", 3, "did you mean `state`?"),
        ("local bot = given.bot { persona = \"fan\" }\nbot.state = {}", 3, "read-only in a test"),
        ("local bot = given.bot { persona = \"fan\" }\nbot.tick()", 3, "with a colon"),
        ("given.me {}:tick()", 2, "use given.bot"),
        ("test(\"inner\", function() end)", 2, "only at the top of a file"),
        ("local x = nil\nlocal y = x.z", 3, "attempt to index nil with 'z'"),
        ("require(\"@lib/nothing\")", 2, "only at the top of a file"),
        ("while true do end", 2, "used more than 1 s of CPU in one go"),
        ("local x = 1", 1, "the test expects nothing"),
    ] {
        let (message, at, _) = failure(body);
        assert!(message.contains(words), "{body}: {message}");
        assert_eq!(at, line, "{body}: {message}");
    }
    let (_, _, problem) = failure("expect({ a = 1, b = { \"x\" } }):equals { a = 1, b = { \"y\" } }");
    let diff = problem["diff"].to_string();
    assert!(diff.contains("-     \\\"y\\\"") && diff.contains("+     \\\"x\\\"") && diff.contains("a = 1"), "{diff}");
}

#[test]
fn a_tick_that_raises_shows_the_scripts_own_line() {
    let (message, line, problem) =
        failure("given.gallery { { title = \"boom\" } }\ngiven.bot { persona = \"fan\" }:tick()");
    assert_eq!((message.as_str(), line), ("the tick raised", 3));
    let because = &problem["because"][0];
    assert_eq!((because["file"].as_str(), because["line"].as_u64()), (Some("scripts/personas/fan.luau"), Some(8)));
    assert_eq!(because["message"], "no words for this");
    let dir = place(&[(
        "scripts/personas/fan.test.luau",
        "test(\"it\", function()\n\tgiven.gallery { { title = \"boom\" } }\n\tgiven.bot { persona = \"fan\" }:tick()\nend)\n",
    )]);
    let (code, out, _) = fleet(dir.path(), &["test"]);
    assert_eq!(code, 4);
    for words in
        ["FAIL it", "fan.test.luau:3", "because: no words for this", "fan.luau:8", "error(\"no words for this\")"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
}

#[test]
fn chance_follows_from_the_name_and_the_seed() {
    let file =
        "test(\"it\", function()\n\tgiven.me {}\n\tlog.info(\"x\")\n\texpect(rand.int(1, 1000000)):equals(0)\nend)\n";
    let dir = place(&[("scripts/personas/fan.test.luau", file)]);
    let drawn = |args: &[&str]| fleet(dir.path(), &[&["test", "--json"], args].concat()).1;
    let message = |out: String| {
        let told: Value = serde_json::from_str(out.lines().next().expect("a line")).expect("JSON");
        told["problem"]["message"].as_str().expect("a message").to_owned()
    };
    let first = message(drawn(&[]));
    assert_eq!(first, message(drawn(&[])));
    assert_ne!(first, message(drawn(&["--seed", "other"])));
}

#[test]
fn tests_are_chosen_by_path_and_name_and_end_in_an_exit_code() {
    let passing = "test(\"is fine\", function() expect(1):equals(1) end)\n";
    let failing = "test(\"is not fine\", function() expect(1):equals(2) end)\n";
    let dir = place(&[
        ("scripts/personas/fan.test.luau", passing),
        ("scripts/lib/sums.luau", "return { one = 1 }\n"),
        ("scripts/lib/sums.test.luau", failing),
        ("plugins/guard/words.test.luau", passing),
        ("scripts/lib/broken.test.luau", "test(\"x\", function(\n"),
    ]);
    for (args, code, words) in [
        (&["test"][..], 4, "2 tests passed, 2 failed in 4 files"),
        (&["test", "fan"], 0, "1 test passed, 0 failed in 1 file"),
        (&["test", "scripts/lib/sums.luau"], 4, "0 tests passed, 1 failed in 1 file"),
        (&["test", "scripts/personas"], 0, "1 test passed"),
        (&["test", "guard", "fan"], 0, "2 tests passed"),
        (&["test", "fan", "sums", "--filter", "NOT"], 4, "0 tests passed, 1 failed"),
        (&["test", "broken"], 4, "broken.test.luau:2"),
        (&["test", "fan", "--list"], 0, "fan.test.luau: is fine"),
    ] {
        let (got, out, err) = fleet(dir.path(), args);
        assert_eq!((got, err.as_str()), (code, ""), "{args:?}: {out}");
        assert!(out.contains(words), "{args:?}: {out}");
    }
    let (code, out, err) = fleet(dir.path(), &["test", "fan", "--filter", "nothing"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("no test fits"), "{err}");
    let (code, _, _) = fleet(dir.path(), &["test", "--junit", "report.xml"]);
    assert_eq!(code, 4);
    let report = std::fs::read_to_string(dir.path().join("report.xml")).expect("a report");
    assert!(report.contains("<testsuites name=\"fleet test\" tests=\"4\" failures=\"2\""), "{report}");
    assert!(report.contains("<testcase classname=\"scripts/personas/fan.test.luau\" name=\"is fine\""), "{report}");
    assert!(report.contains("expected 1 to equal 2"), "{report}");
}

#[test]
fn a_test_is_no_persona_and_nothing_that_can_be_required() {
    let dir = place(&[
        ("scripts/personas/fan.test.luau", "test(\"x\", function() expect(1):equals(1) end)\n"),
        ("scripts/lib/sums.test.luau", "return 1\n"),
        ("scripts/personas/other.test.luau", "this is no Luau\n"),
    ]);
    let (code, out, _) = fleet(dir.path(), &["check"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("1 persona fine: fan, 0 errors, 0 warnings"), "{out}");
    let dir = place(&[("scripts/personas/other.luau", "local x = require(\"@lib/sums.test\")\nreturn {}\n")]);
    let (code, out, _) = fleet(dir.path(), &["check"]);
    assert_eq!(code, 4, "{out}");
}

#[test]
fn every_example_of_the_vocabulary_runs() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut tests = String::new();
    let mut count = 0;
    for (place, block) in TYPES.split("```luau\n").skip(1).enumerate() {
        let code = block.split("```").next().expect("an end");
        let code: Vec<&str> = code.lines().map(|line| line.trim_start().trim_start_matches("---")).collect();
        tests += &format!("test(\"example {}\", function()\n{}\nend)\n", place + 1, code.join("\n"));
        count += 1;
    }
    assert!(count >= 28, "the examples are found: {count}");
    let dir = TempDir::new().expect("a folder");
    copy(&scripts, &dir.path().join("scripts"));
    std::fs::write(dir.path().join("scripts/examples.test.luau"), tests).expect("written");
    let (code, out, err) = fleet(dir.path(), &["test", "scripts/examples.test.luau"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("{count} tests passed, 0 failed")), "{out}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// The bundled scripts keep what they promise. A debug build has more time for a tick, being many times slower.
#[test]
fn every_bundled_script_passes_its_tests() {
    const FLOOR: u64 = 170;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let patient = ["--set", "sandbox.poll_cpu_millis=5000", "--set", "sandbox.tick_cpu_millis=20000"];
    let (code, out, err) = fleet(root, &[&["test", "--json"][..], &patient].concat());
    let told: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let failed: Vec<&Value> = told.iter().filter(|told| told["passed"] == false).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!((code, err.as_str()), (0, ""));
    let sum = told.last().expect("a sum");
    assert!(sum["passed"].as_u64().expect("a number") >= FLOOR, "{sum}");
    // Every persona, every behaviour, and the modules with logic have tests.
    let files: std::collections::BTreeSet<&str> = told.iter().filter_map(|told| told["file"].as_str()).collect();
    for folder in ["personas", "behaviours"] {
        for entry in std::fs::read_dir(root.join("scripts").join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            if let Some(stem) = name.strip_suffix(".luau").filter(|stem| !stem.ends_with(".test")) {
                let test = format!("scripts/{folder}/{stem}.test.luau");
                assert!(files.contains(test.as_str()), "{test} is missing");
            }
        }
    }
}
