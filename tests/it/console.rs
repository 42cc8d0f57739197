//! The console: a line on a running bot's world, through the fleet that runs it.

use floimg_fleet::lua::console::Mode;
use floimg_fleet::lua::modules::MODULES;
use floimg_fleet::runtime::view::{ConsoleView, Target};

use crate::living::{Home, Running, persona};

const BOT: &str = "walker-1";

fn walker() -> String {
    let head = "local scale = require(\"@lib/scale\")\n";
    persona(
        head,
        "on_tick = function(bot)
            bot.state.n = (bot.state.n or 0) + 1
            bot.state.seen = { \"a\", \"b\" }
            bot.state.word = scale.twice(\"x\")
            return 60
        end",
    )
    .replace("needs = { \"floimg\", \"events\" },", "")
}

/// A fleet of one bot that has lived a tick and is at rest until told otherwise.
async fn resting() -> (Home, Running) {
    let home = Home::with("walker", "return {}", 1);
    std::fs::create_dir_all(home.script("lib")).expect("a folder");
    home.save("lib/scale.luau", "return { twice = function(x) return x .. x end }\n");
    home.save("personas/walker.luau", &walker());
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.until_state(BOT, "a first tick", |state| state["n"].is_number()).await;
    running.fleet.pause(Target::All, "test".to_owned(), None, "test").await.expect("paused");
    running.until_still().await;
    (home, running)
}

async fn ask(running: &Running, code: &str, mode: Mode) -> ConsoleView {
    // A bot that was paused in its tick may still be in the end of it.
    let between_ticks = async || {
        let asked = running.fleet.console(BOT.parse().expect("an id"), code.to_owned(), mode, "test").await;
        match asked.expect("a running fleet").expect("a bot") {
            Ok(view) => Some(view),
            Err(reason) => {
                assert!(reason.contains("is in a tick"), "{reason}");
                None
            }
        }
    };
    running.until("an answer", between_ticks).await
}

async fn raised(running: &Running, code: &str) -> String {
    let view = ask(running, code, Mode::Look).await;
    let error = view.error.unwrap_or_else(|| panic!("{code} raised nothing: {:?}", view.values));
    format!("{error}; {}", error.hint.as_deref().unwrap_or("no hint"))
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_and_statements_show_what_a_bot_knows() {
    let (_home, running) = resting().await;
    for (code, values) in [
        ("bot.state.seen", vec!["{ \"a\", \"b\" }"]),
        ("1 + 1, nil, true, 'it''s'", vec![]),
        ("1 + 1, nil, true, \"it's \\\"so\\\"\\27[2J\"", vec!["2", "nil", "true", "\"it's \\\"so\\\"\\u{1b}[2J\""]),
        ("bot.persona, bot.index", vec!["\"walker\"", "1"]),
        ("require(\"@lib/scale\").twice(\"ab\")", vec!["\"abab\""]),
        ("{ 1, 2, b = { c = 3 }, [\"x y\"] = 1 }", vec!["{ 1, 2, [\"x y\"] = 1, b = { c = 3 } }"]),
        ("local sum = 0 for i = 1, 4 do sum += i end return sum", vec!["10"]),
        ("x = 3", vec![]),
        ("x", vec!["nil"]),
        ("type(persona.on_tick), persona.on_start", vec!["\"function\"", "nil"]),
        ("type(floimg.feed { limit = 1 })", vec!["\"table\""]),
        ("store.get(\"nothing\"), #memory.recall(), #store.keys()", vec!["nil", "0", "0"]),
        ("-- only a comment", vec![]),
    ] {
        let view = ask(&running, code, Mode::Look).await;
        if code.contains("it''s") {
            assert!(view.error.is_some(), "{view:?}");
            continue;
        }
        assert_eq!((view.error, view.values), (None, values.iter().map(|v| (*v).to_owned()).collect()), "{code}");
    }
    let view = ask(&running, "print(\"a\", { 1 }) log.info(\"b\", { c = 1 }) return nil", Mode::Look).await;
    assert_eq!(view.printed, ["a  { 1 }", "b {\"c\":1}"]);
    let endless = ask(&running, "local t = {} t.t = t return t", Mode::Look).await;
    assert_eq!(endless.values, ["{ t = <the table above> }"]);
    let much = ask(&running, "local t = {} for i = 1, 5000 do t[i] = { i } end return t, t, t", Mode::Look).await;
    assert!(much.values.concat().len() < 100_000, "{}", much.values.concat().len());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_acts_writes_or_waits_is_refused_and_limits_hold() {
    let (_home, running) = resting().await;
    let reads = [
        "floimg.feed",
        "floimg.trending",
        "floimg.get",
        "floimg.mine",
        "floimg.comments",
        "store.get",
        "store.keys",
        "store.shared.get",
        "store.shared.keys",
        "memory.recall",
        "memory.has",
        "events.recent",
        "text.has_said",
    ];
    for (name, _) in MODULES.iter().flat_map(|module| module.waiting) {
        let view = ask(&running, &format!("{name}({{}})"), Mode::Look).await;
        let words = view.error.map(|error| error.to_string()).unwrap_or_default();
        // What the persona may not use at all is refused for that, before the console has a say.
        let is_refused = words.contains(&format!("{name} is refused: the console looks"))
            || words.contains(&format!("{name} needs the permission"));
        assert_eq!(is_refused, !reads.contains(name), "{name}: {words}");
    }
    let before = running.state(BOT).await;
    for code in ["bot.state.n = 5", "bot.state = {}", "table.insert(bot.state.seen, \"c\")", "persona.on_tick(bot)"] {
        let words = raised(&running, code).await;
        assert!(words.contains("readonly") && words.contains("--write"), "{code}: {words}");
    }
    assert_eq!(running.state(BOT).await, before);
    for (code, expected) in [
        ("while true do end", "CPU"),
        ("pcall(function() while true do end end)", "CPU"),
        ("local t = {} while true do t[#t + 1] = #t .. string.rep(\"x\", 20000) end", "memory"),
        ("1 +", "console.luau:1: Expected identifier when parsing expression, got <eof>"),
        ("local = 1", "console.luau:1: Expected identifier"),
        ("bot.state.none.more", "console.luau:1: attempt to index nil with 'more'"),
        ("os.exit()", "console.luau:1: attempt to index nil with 'exit'"),
        ("bot.name = \"x\"", "read"),
    ] {
        let words = raised(&running, code).await;
        assert!(words.contains(expected), "{code}: {words}");
    }
    assert!(running.gallery.audit().await.items().is_empty(), "nothing was shared");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_is_changed_between_ticks_and_only_when_asked_for() {
    let (home, running) = resting().await;
    let view = ask(&running, "bot.state.n = 500 return bot.state.n", Mode::Write).await;
    assert_eq!((view.error.as_ref(), view.is_kept, view.values), (None, true, vec!["500".to_owned()]));
    assert_eq!(running.state(BOT).await["n"], 500);
    assert_eq!(running.told("state_changed").await.len(), 1);
    // What cannot be kept, what changes nothing and what raises half way leave all as it was.
    for code in ["bot.state.f = print", "bot.state = 3", "bot.state.n = 1 error(\"no\")"] {
        let view = ask(&running, code, Mode::Write).await;
        assert!(view.error.is_some() && !view.is_kept, "{code}: {view:?}");
    }
    assert!(!ask(&running, "bot.state.n", Mode::Write).await.is_kept);
    let acts = ask(&running, "store.set(\"a\", 1)", Mode::Write).await;
    assert!(acts.error.expect("refused").to_string().contains("store.set is refused"));
    assert_eq!(running.state(BOT).await["n"], 500);
    // The bot goes on from there, and so does it after a restart.
    running.fleet.resume(Target::All, "test").await.expect("resumed");
    running.wake_all().await;
    running.until_state(BOT, "a tick from there", |state| state["n"].as_u64() > Some(500)).await;
    running.stop().await;
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(1).await;
    assert!(running.state(BOT).await["n"].as_u64() > Some(501));
    let nobody = running.fleet.console("walker-9".parse().expect("an id"), "1".to_owned(), Mode::Look, "test").await;
    assert!(nobody.expect("a running fleet").is_none());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_never_meets_a_tick() {
    let (_home, running) = resting().await;
    running.fleet.resume(Target::All, "test").await.expect("resumed");
    let id = || BOT.parse().expect("an id");
    let mut kept = 0_u64;
    for _ in 0..60 {
        running.fleet.wake(Target::Bot(id()), "test").await.expect("woken");
        let code = "bot.state.changes = (bot.state.changes or 0) + 1".to_owned();
        let asked = running.fleet.console(id(), code, Mode::Write, "test").await.expect("a running fleet");
        match asked.expect("a bot") {
            Ok(view) => kept += u64::from(view.is_kept),
            Err(reason) => assert!(reason.contains("in a tick") || reason.contains("another tick"), "{reason}"),
        }
    }
    running.live_on(1).await;
    let state = running.state(BOT).await;
    assert_eq!(state["changes"].as_u64().unwrap_or(0), kept, "no change is lost to a tick: {state}");
    assert!(kept > 0, "at least one change found its place");
    running.stop().await;
}
