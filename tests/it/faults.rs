//! Run-time errors as their authors read them: the line, the expression that was nil, the arguments, and what was forgotten.

use std::fmt::Write;

use floimg_fleet::lua::version::Sources;
use floimg_fleet::model::frame;
use floimg_fleet::runtime::catalog::{Catalog, Test};
use jiff::Timestamp;

use super::living::Home;
use super::workbench::{Life, PATIENT, build, live, ticking};

#[tokio::test]
async fn a_frame_shows_what_was_nil_and_what_to_do() {
    let body = "\tlocal posts, failure = floimg.feed { limit = 1 }\n\tlog.info(posts[7].title, failure)";
    let problem = live(body).await.expect_err("it raises");
    assert_eq!(
        frame::plain(&problem),
        "\
error: attempt to index nil with 'title': `posts[7]` is nil
 --> scripts/personas/test.luau:4:11
  |
4 |     log.info(posts[7].title, failure)
  |              ^^^^^^^^
  |
  = at scripts/personas/test.luau:4: in function <scripts/personas/test.luau:2>
  = hint: it may be empty there: ask `if posts[7] then`"
    );
}

#[tokio::test]
async fn a_refused_call_is_shown_as_it_was_made() {
    let body = "local n = 500\nfloimg.feed { limit = n, sort = 'recent' }";
    let problem = live(body).await.expect_err("it raises");
    assert_eq!(
        frame::plain(&problem),
        "\
error: floimg.feed: `limit` must be a whole number from 1 to 100, got 500
 --> scripts/personas/test.luau:4:1
  |
4 | floimg.feed { limit = n, sort = 'recent' }
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = at scripts/personas/test.luau:4: in function <scripts/personas/test.luau:2>
  = note: called as floimg.feed { limit = 500, sort = \"recent\" }
  = hint: use it like floimg.feed { limit?, offset?, sort?, category?, content_type? }"
    );
}

#[tokio::test]
async fn known_mistakes_are_named_with_their_cure() {
    // The body, what is to blame, and the cure.
    let cases: &[(&str, &str, &str)] = &[
        (
            "local n = bot.state.count + 1",
            "`bot.state.count` is nil",
            "begin with bot.state.count = bot.state.count or …",
        ),
        ("bot.state.n += 1", "`bot.state.n` is nil", "bot.state.n or …"),
        ("local x = 'a' .. bot.state.last", "`bot.state.last` is nil", "nil until it is set"),
        ("if bot.state.score > 3 then end", "`bot.state.score` is nil", "nil until it is set"),
        ("if 3 <= bot.state.score then end", "`bot.state.score` is nil", "nil until it is set"),
        ("local n = #bot.state.seen", "`bot.state.seen` is nil", "nil until it is set"),
        ("for _ in bot.state.seen do end", "`bot.state.seen` is nil", "nil until it is set"),
        ("table.insert(bot.state.seen, 1)", "`bot.state.seen` is nil", "nil until it is set"),
        ("local p = floimg.get('nobody') log.info(p.title)", "`p` is nil", "floimg.get answers nil and a failure"),
        (
            "log.info(floimg.get('nobody').title)",
            "`floimg.get('nobody')` is nil",
            "floimg.get answers nil and a failure",
        ),
        ("local _, f = floimg.feed() log.info(f.kind)", "`f` is nil", "there is no failure when the call went well"),
        ("local function f(x) return x.y end f()", "`x` is nil", "whoever calls f gave nothing for it"),
        ("local x log.info(x.y)", "`x` is nil", "declared without a value"),
        ("os.exit()", "`os` is nil", "scripts have no os"),
        ("floimg.fed()", "`floimg.fed` is nil", ""),
        ("local t = {} t.f()", "`t.f` is nil", ""),
        ("local n = 'many' local m = n * 2", "`n` is string", "make it a number: tonumber(n)"),
        ("local _, f = floimg.get('x') local s = 'no: ' .. f", "`f` is table", "use f.kind or f.message"),
        ("bot.visit.tick = 5", "`bot.visit` is read-only", "belongs into bot.state"),
        ("floimg.x = 5", "`floimg` is read-only", "belongs into bot.state"),
        ("table.sort({ 1, 2 }, function(a, b) return floimg.get('p1') ~= nil end)", "attempt to yield", "table.sort"),
        ("string.gsub('a', 'a', function(id) return store.get(id) end)", "attempt to yield", "gsub"),
        (
            "local m = setmetatable({}, { __index = function(_, k) return store.get(k) end }) local x = m.a",
            "attempt to yield",
            "metamethods",
        ),
        ("floimg:feed()", "called as floimg.feed", "use it like floimg.feed"),
        ("bot.state.f = print", "bot.state.f is a function", "JSON"),
    ];
    let mut wrong = String::new();
    for (body, blames, cure) in cases {
        match live(body).await {
            Ok(_) => writeln!(wrong, "{body}: nothing happened").expect("room"),
            Err(problem) => {
                let shown = frame::plain(&problem);
                let is_cured = problem.hint.as_ref().is_some_and(|hint| hint.contains(cure));
                if problem.line != Some(3) || !shown.contains(blames) || !is_cured {
                    writeln!(wrong, "{body}\n    expected {blames}, {cure}\n{shown}").expect("room");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[tokio::test]
async fn a_local_that_is_gone_in_a_later_tick_is_known_for_what_it_is() {
    let text =
        ticking("if not bot.state.planned then plan = { step = 1 } bot.state.planned = true end\nlog.info(plan.step)")
            .replace("P.on_tick", "local plan P.on_tick");
    let version = build(&[("personas/test.luau", &text)], &PATIENT).expect("a version");
    let mut life = Life::new(version, PATIENT, None).expect("a VM");
    let first = life.live().await.expect("lived");
    life.rebuild(&first);
    let problem = life.live().await.expect_err("the local is gone");
    assert_eq!(problem.hint.as_deref(), Some("locals do not survive a tick: keep it in bot.state.plan"));
}

#[tokio::test]
async fn what_a_script_shows_in_a_frame_cannot_move_a_terminals_cursor() {
    let problem = live("local t = nil; t['\u{1b}[2J\u{202e}'] = 1 -- \u{1b}[31m").await.expect_err("it raises");
    let shown = frame::plain(&problem);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
    let coloured = frame::coloured(&problem);
    assert!(!coloured.contains("[2J\u{fffd}\u{1b}[2J") && !coloured.contains("\u{1b}[2J"), "{coloured:?}");
}

#[tokio::test]
async fn what_is_sure_to_raise_keeps_a_version_out_though_the_trial_never_gets_there() {
    let text = ticking("if bot.index > 1000000 then floimg.fed() end\nlocal x = bot.nick");
    let files = [("personas/test.luau".to_owned(), text.as_str().into())].into();
    let sources = Sources { files, unreadable: Default::default() };
    for has_trial in [true, false] {
        let mut catalog = Catalog::new().expect("the prelude compiles");
        catalog
            .refresh(
                &sources,
                Test {
                    limits: PATIENT,
                    has_trial,
                    permissions: std::sync::Arc::new(floimg_fleet::model::permission::Permissions::usual()),
                    now: Timestamp::UNIX_EPOCH,
                },
            )
            .await;
        let entry = catalog.entries.values().next().expect("the persona");
        let told = |problems: &[floimg_fleet::model::diagnostic::Diagnostic]| -> Vec<String> {
            problems.iter().map(ToString::to_string).collect()
        };
        let error = "scripts/personas/test.luau:3: `floimg` has no `fed`".to_owned();
        let warning = "scripts/personas/test.luau:4: a Bot has no `nick`, so it is nil".to_owned();
        if has_trial {
            assert!(entry.version.is_none());
            assert_eq!((told(&entry.errors), told(&entry.warnings)), (vec![error], vec![warning]));
        } else {
            // Who turned the trial off takes it as it is, and is told all the same.
            let version = entry.version.as_ref().expect("a version");
            assert_eq!(told(&version.warnings), [error, warning]);
        }
    }
}

#[tokio::test]
async fn whatever_compiles_is_studied_without_an_accident_however_deep_it_is() {
    for depth in [10, 100, 170, 190, 400, 990] {
        for (open, core, close) in [
            ("(", "1", ")"),
            ("{", "", "}"),
            ("function() return ", "1", " end"),
            ("-", "1", ""),
            ("not ", "x", ""),
            ("'a' .. ", "'b'", ""),
            ("1 + ", "1", ""),
            ("f(", "", ")"),
            ("`{", "1", "}`"),
            ("if x then 1 else ", "2", ""),
            ("x.", "y", ""),
        ] {
            let text = ticking(&format!("local x = {}{core}{}", open.repeat(depth), close.repeat(depth)));
            // Whether it is built, refused or too deep: the process goes on.
            let _ = build(&[("personas/test.luau", &text)], &PATIENT).map(|version| version.warnings.len());
        }
        for (open, close) in
            [("do ", "end "), ("if x then ", "end "), ("while x do ", "end "), ("local function f() ", "end ")]
        {
            let text = ticking(&format!("{}{}", open.repeat(depth), close.repeat(depth)));
            let _ = build(&[("personas/test.luau", &text)], &PATIENT).map(|version| version.warnings.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_fleet_keeps_the_same_frame() {
    let home = Home::with(
        "walker",
        &super::living::persona("", "on_tick = function(bot)\n\tlog.info(bot.state.last.x)\nend,"),
        1,
    );
    let running = home.start(&["reload.trial=false"]).await;
    running.wake_all().await;
    let told = running.until_told("script_error", 1).await;
    let detail = &told[0].what.detail;
    let frame = detail["frame"].as_str().expect("a frame");
    assert!(frame.contains("`bot.state.last` is nil") && frame.contains("log.info(bot.state.last.x)"), "{frame}");
    assert_eq!(detail["source"], "\tlog.info(bot.state.last.x)");
    assert!(detail["hint"].as_str().expect("a hint").contains("nil until it is set"));
    assert!(detail["version"].is_string() && detail["in_a_row"] == 1);
    running.stop().await;
}
