//! The persona contract: what is wrong with a persona is told with its line and a cure, everything at once.

use std::fmt::Write;

use floimg_fleet::model::diagnostic::Diagnostic;

use super::workbench::{LIMITS, build};

const GOOD: &str = r#"return {
  name = "Test",
  weight = 1.5,
  identity = {
    names = { "{first} {last}" },
    username = "{first}_{n}",
    bio = "I like {thing}.",
    words = { thing = { "boats" } },
  },
  voice = "Short.",
  interests = { "boats" },
  schedule = {
    timezone = "Europe/Berlin",
    awake = "09:00-23:00",
    days = "all",
    peak = { "20:00-22:00" },
  },
  pace = { visits_per_day = 3, actions_per_visit = { 2, 9 }, pause = 40 },
  needs = { "floimg", "llm" },
  templates = {
    comments = {
      "{author}, fine {light|shade}",
    },
  },
  reload = "next_tick",
  on_tick = function(bot) end,
}
"#;

fn problems(text: &str) -> Vec<Diagnostic> {
    match build(&[("personas/test.luau", text)], &LIMITS) {
        Ok(version) => version.warnings.clone(),
        Err(problems) => problems,
    }
}

#[test]
fn what_is_right_has_no_problem() {
    assert_eq!(problems(GOOD), []);
}

#[test]
fn every_mistake_has_its_line_and_a_cure() {
    // What stands in the good persona; what stands there instead; the line; what is said, hint included.
    let cases: &[(&str, &str, u32, &str)] = &[
        ("voice =", "voyce =", 10, "did you mean `voice`?"),
        ("bio =", "boi =", 7, "did you mean `bio`?"),
        ("awake =", "wake =", 14, "did you mean `awake`?"),
        ("pause = 40", "pauze = 40", 18, "did you mean `pause`?"),
        ("voice = \"Short.\"", "colour = 1", 10, "known: name, weight, identity"),
        ("voice = \"Short.\"", "voice = 'x', [3] = 1", 10, "unknown field `3`"),
        ("name = \"Test\"", "name = {}", 2, "`name` must be a text, got a table"),
        ("weight = 1.5", "weight = 0/0", 3, "`weight` must be a number above 0"),
        ("weight = 1.5", "weight = -1", 3, "`weight` must be a number above 0"),
        ("weight = 1.5", "weight = 0", 3, "`weight` must be a number above 0"),
        ("weight = 1.5", "weight = math.huge", 3, "`weight` must be a number above 0"),
        ("weight = 1.5", "weight = 'much'", 3, "got the text `much`"),
        ("identity = {", "identity = 5, pace = {", 4, "`identity` must be a table, got 5"),
        ("names = { \"{first} {last}\" }", "names = {}", 5, "expected at least one pattern"),
        (
            "names = { \"{first} {last}\" }",
            "names = \"{first}\"",
            5,
            "`identity.names` must be a list of texts, like { \"…\" }, got the text `{first}`",
        ),
        ("names = { \"{first} {last}\" }", "names = { 'a', {} }", 5, "`identity.names[2]` must be a text, got a table"),
        ("names = { \"{first} {last}\" }", "names = { '{frist}' }", 5, "{frist}"),
        ("username = \"{first}_{n}\"", "username = \"{first}\"", 6, "{n}"),
        ("username = \"{first}_{n}\",", "", 4, "`identity.username` is missing"),
        ("username = \"{first}_{n}\"", "username = \"{first\"", 6, "identity.username"),
        ("words = { thing = { \"boats\" } }", "words = { thing = {} }", 8, "expected at least one word"),
        (
            "words = { thing = { \"boats\" } }",
            "words = { thing = 'boats' }",
            8,
            "`identity.words.thing` must be a list of texts",
        ),
        ("interests = { \"boats\" }", "interests = { boats = true }", 11, "`interests`: expected a list of texts"),
        ("interests = { \"boats\" }", "interests = 'boats'", 11, "`interests` must be a list of texts, like { \"…\" }"),
        ("timezone = \"Europe/Berlin\"", "timezone = \"Europe/Berlni\"", 13, "did you mean `Europe/Berlin`"),
        ("timezone = \"Europe/Berlin\",", "", 12, "`schedule.timezone` is missing"),
        ("timezone = \"Europe/Berlin\"", "timezone = 2", 13, "`2` is no known time zone"),
        ("awake = \"09:00-23:00\"", "awake = \"9 to 5\"", 14, "`9 to 5` is no span of time"),
        ("awake = \"09:00-23:00\"", "awake = \"09:00-25:00\"", 14, "is no span of time"),
        ("awake = \"09:00-23:00\"", "awake = 9", 14, "`9` is no span of time"),
        ("days = \"all\"", "days = \"mon,funday\"", 15, "`funday` is no day"),
        ("days = \"all\"", "days = {}", 15, "no day given"),
        ("days = \"all\"", "days = true", 15, "`schedule.days` must be"),
        ("days = \"all\"", "days = { {} }", 15, "`schedule.days[1]` must be a text, got a table"),
        ("peak = { \"20:00-22:00\" }", "peak = { \"late\" }", 16, "`late` is no span of time"),
        ("peak = { \"20:00-22:00\" }", "peak = \"20:00-22:00\"", 16, "`schedule.peak` must be a list of texts"),
        (
            "visits_per_day = 3",
            "visits_per_day = 0",
            18,
            "`pace.visits_per_day` must be a number from 0.01 to 200, got 0",
        ),
        ("visits_per_day = 3", "visits_per_day = 0/0", 18, "got NaN"),
        ("actions_per_visit = { 2, 9 }", "actions_per_visit = { 9, 2 }", 18, "like { 2, 9 }"),
        ("actions_per_visit = { 2, 9 }", "actions_per_visit = 5", 18, "like { 2, 9 }"),
        ("actions_per_visit = { 2, 9 }", "actions_per_visit = { 1.5, 0/0 }", 18, "like { 2, 9 }"),
        ("pause = 40", "pause = -1", 18, "`pace.pause` must be a number from 1 to 86400"),
        ("pace = { visits", "pace = 5, model = { visits", 18, "`pace` must be a table, got 5"),
        ("needs = { \"floimg\", \"llm\" }", "needs = { \"flomig\" }", 19, "did you mean `floimg`?"),
        ("needs = { \"floimg\", \"llm\" }", "needs = \"floimg\"", 19, "`needs` must be a list of texts"),
        ("needs = { \"floimg\", \"llm\" }", "needs = { 1 }", 19, "there is no permission `1`"),
        ("\"{author}, fine {light|shade}\"", "\"{author, fine\"", 22, "templates.comments"),
        (
            "\"{author}, fine {light|shade}\"",
            "'fine', 7, {}",
            22,
            "`templates.comments[3]` must be a text, got a table",
        ),
        ("templates = {", "templates = 'x', voice = {", 20, "`templates` must be a table, got the text `x`"),
        (
            "reload = \"next_tick\"",
            "reload = \"soon\"",
            25,
            "`reload` must be \"now\" or \"next_tick\", got the text `soon`",
        ),
        ("reload = \"next_tick\"", "reload = true", 25, "`reload` must be"),
        (
            "on_tick = function(bot) end",
            "on_tick = 'browse'",
            26,
            "`on_tick` must be a function, got the text `browse`",
        ),
        ("on_tick = function(bot) end", "on_tik = function(bot) end", 26, "did you mean `on_tick`?"),
        ("on_tick = function(bot) end,", "", 1, "add on_tick = function(bot)"),
        ("reload = \"next_tick\"", "on_event = {}", 25, "`on_event` must be a function, got a table"),
        ("voice = \"Short.\"", "voice = '\\xff'", 10, "`voice` must be a text, got a text that is not UTF-8"),
    ];
    let mut wrong = String::new();
    assert!(problems("return {}").iter().filter(|problem| problem.hint.is_some()).count() >= 2);
    for (old, new, line, says) in cases {
        assert!(GOOD.contains(old), "{old}");
        let text = GOOD.replacen(old, new, 1);
        let found = problems(&text);
        let fits = found.iter().any(|problem| {
            let told = format!("{}\n{}", problem.message, problem.hint.as_deref().unwrap_or_default());
            problem.file == "scripts/personas/test.luau" && problem.line == Some(*line) && told.contains(says)
        });
        if !fits {
            let found: Vec<String> =
                found.iter().map(|problem| format!("{problem} ({})", problem.hint.as_deref().unwrap_or("-"))).collect();
            writeln!(wrong, "{new}\n    found {found:#?}\n    expected line {line}: {says}").expect("room");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD
        .replace("weight = 1.5", "weight = {}")
        .replace("Europe/Berlin", "Nowhere/Land")
        .replace("{first}_{n}", "{first}")
        .replace("voice", "voyce");
    let lines: Vec<Option<u32>> = problems(&text).iter().map(|problem| problem.line).collect();
    for line in [3, 6, 10, 13] {
        assert!(lines.contains(&Some(line)), "{line}: {:#?}", problems(&text));
    }
}
