//! The story of a tick: what the bot looked at, considered and did, what it cost, and what it keeps.
//!
//! Every line stands for calls of the script; the same thing said many times in a row is said once.

use std::collections::BTreeMap;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::change::changes;
use super::llm_calls;
use crate::app::trying::plugins::{Remark, Said};
use crate::app::trying::{Ending, Place, Stage, Ticked, Told};
use crate::cli::output::counted;
use crate::lua::trace::{Answered, Called};
use crate::model::diagnostic::Diagnostic;
use crate::model::status::Rest;
use crate::text;
use crate::text::printable;

/// Most characters of a text that is quoted.
const QUOTE: usize = 160;
/// How many posts, comments or memories are named of one look.
const NAMED: usize = 3;

/// What kind of line it is, by the word it begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Looked,
    Considered,
    Did,
    Refused,
    Logged,
    Kept,
    Wrong,
}

/// What was told so far, for lines that speak of it again.
#[derive(Default)]
pub(super) struct Story {
    zone: Option<TimeZone>,
    /// What posts and comments are called, by id.
    names: BTreeMap<String, String>,
}

impl Story {
    pub(super) fn tell(&mut self, told: &Told) -> String {
        match told {
            Told::Stage(stage) => self.stage(stage),
            Told::Ticked(ticked) => self.tick(ticked),
            Told::Waits(until) => format!("… waits until {}\n", self.time(*until)),
            Told::Over(why) => format!("\nIt ends here: {why}.\n"),
        }
    }

    fn stage(&mut self, stage: &Stage) -> String {
        self.zone = Some(stage.zone.clone());
        let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
        let place = match &stage.place {
            Place::Trial { why } => {
                format!("in the trial gallery, in memory ({why}); nothing is written anywhere")
            }
            Place::Copy { url, posts } => {
                format!("in a copy of {} from {url}, in memory; nothing is written anywhere", counted(*posts, "post"))
            }
            Place::Studio { url } => format!("for real on {url}, with an agent account of its own"),
        };
        let mut text = format!(
            "{bold}{}{bold:#} is {}, @{}, version {}\n{dim}It lives {}.{dim:#}\n",
            stage.bot,
            printable(&stage.profile.name),
            printable(&stage.profile.username),
            stage.version.short(),
            printable(&place)
        );
        if !stage.plugins.is_empty() {
            text += &format!("{dim}Before it acts, these plugins are asked: {}.{dim:#}\n", stage.plugins.join(", "));
        }
        for warning in stage.warnings.iter().chain(&stage.plugin_problems) {
            text += &format!("{}: {}\n", warning.severity.as_str(), printable(&warning.to_string()));
        }
        text
    }

    fn tick(&mut self, ticked: &Ticked) -> String {
        let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
        let visit = &ticked.visit;
        let mut text = format!(
            "\n{bold}tick {}{bold:#}  {}  {dim}visit {}, tick {}, {} to come{}{dim:#}\n",
            ticked.number,
            self.time(ticked.at),
            visit.number,
            visit.tick,
            visit.ticks_left,
            if ticked.is_asleep { "; it would be asleep now" } else { "" }
        );
        let mut lines: Vec<(Kind, String, u32)> = Vec::new();
        for called in &ticked.calls {
            let Some((kind, words)) = self.line(called) else { continue };
            match lines.last_mut() {
                Some((last, said, times)) if *last == kind && *said == words => *times += 1,
                _ => lines.push((kind, words, 1)),
            }
        }
        for (kind, words, times) in &lines {
            let (word, style) = match kind {
                Kind::Looked => ("looked", AnsiColor::Cyan.on_default()),
                Kind::Considered => ("considered", AnsiColor::Blue.on_default()),
                Kind::Did => ("did", AnsiColor::Green.on_default().bold()),
                Kind::Refused => ("refused", AnsiColor::Yellow.on_default().bold()),
                Kind::Logged => ("noted", Style::new()),
                Kind::Kept => ("kept", Style::new()),
                Kind::Wrong => ("raised", AnsiColor::Red.on_default().bold()),
            };
            let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
            text += &format!("  {style}{word:<11}{style:#} {}{times}\n", printable(words));
        }
        let magenta = AnsiColor::Magenta.on_default().bold();
        // What was denied is told by the call that it was denied to.
        for remark in ticked.remarks.iter().filter(|remark| !matches!(remark.what, Said::Denied(_))) {
            text += &format!("  {magenta}{:<11}{magenta:#} {}\n", "plugin", printable(&said_by(remark)));
        }
        if !lines.iter().any(|(kind, ..)| matches!(kind, Kind::Did | Kind::Refused)) {
            text += &format!("  {dim}{:<11} nothing{dim:#}\n", "did");
        }
        text += &format!("  {dim}{:<11}{dim:#} {}\n", "cost", cost(ticked));
        for change in changes(&ticked.before, &ticked.after) {
            text += &format!("  {dim}{:<11}{dim:#} {} {}\n", "state", change.sign, printable(&change.words));
        }
        text + &self.ending(ticked)
    }

    fn ending(&self, ticked: &Ticked) -> String {
        let dim = Style::new().dimmed();
        match &ticked.ending {
            Ending::Rests { until, why } => {
                let why = match why {
                    Rest::Pause => "a pause within its visit".to_owned(),
                    Rest::NextVisit => "its next visit".to_owned(),
                    Rest::Night => "it sleeps until then".to_owned(),
                    Rest::Asked => "its script asked for this".to_owned(),
                    Rest::Told { by } => format!("the world said so: {by}"),
                };
                format!("  {dim}{:<11}{dim:#} until {}, {}\n", "rests", self.time(*until), printable(&why))
            }
            Ending::Raised { what, source } => raised(what, source.as_deref()),
            Ending::Refused(why) => format!("  {dim}{:<11}{dim:#} {}\n", "refused", printable(why)),
        }
    }

    fn time(&self, at: Timestamp) -> String {
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        at.to_zoned(zone).strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// A call as a line; nothing for what is only handling of words, chance and time, which the cost counts.
    fn line(&mut self, called: &Called) -> Option<(Kind, String)> {
        let first = called.args.first();
        let given = |key: &str| first.and_then(|first| first.get(key));
        let asked = match &called.answer {
            Answered::Raised(message) => return Some((Kind::Wrong, format!("{}: {message}", called.name))),
            Answered::Failure(failure) => {
                let what = match act_words(called.name) {
                    Some(_) => self.act(called, &Value::Null),
                    None => called.name.to_owned(),
                };
                let retry =
                    failure.retry_after.map(|retry| format!(", again in {} s", retry.get())).unwrap_or_default();
                let why = format!("{what}: {} ({}{retry})", failure.message, failure.kind.as_str());
                return Some((Kind::Refused, why));
            }
            Answered::Value(answer) => answer,
        };
        Some(match called.name {
            "floimg.feed" | "floimg.trending" | "floimg.mine" | "floimg.get" | "floimg.comments" => {
                (Kind::Looked, self.look(called, asked))
            }
            "llm.choose" => {
                let options = given("options").and_then(Value::as_array);
                let place = asked.as_u64().and_then(|place| usize::try_from(place).ok()).unwrap_or(0);
                let chosen = options.and_then(|options| options.get(place.checked_sub(1)?));
                let question = given("question").map(words_of).unwrap_or_default();
                (Kind::Considered, format!("{question} → {}", chosen.map(quoted).unwrap_or_else(|| asked.to_string())))
            }
            "llm.write" | "llm.json" => {
                let purpose = given("purpose").map(words_of).unwrap_or_default();
                (Kind::Considered, format!("{purpose} → {}", quoted(asked)))
            }
            "memory.recall" => {
                let memories: Vec<&Value> = list(asked).collect();
                let told: Vec<String> = memories
                    .iter()
                    .take(NAMED)
                    .map(|memory| {
                        let text = memory.get("text").map(quoted).unwrap_or_default();
                        format!("{} {} {text}", word(memory, "kind"), self.name(&word(memory, "about")))
                    })
                    .collect();
                let what = counted_many(memories.len(), "memory", "memories");
                (Kind::Considered, format!("recalled {what}{}", named(&told, memories.len())))
            }
            "memory.has" => {
                let about = called.args.get(1).map(words_of).unwrap_or_default();
                let kind = first.map(words_of).unwrap_or_default();
                let known = if asked.as_bool() == Some(true) { "yes" } else { "no" };
                (Kind::Considered, format!("remembers \"{kind}\" of {}? {known}", self.name(&about)))
            }
            "memory.remember" => {
                let text = given("text").map(|text| format!(": {}", quoted(text))).unwrap_or_default();
                let about = given("about").map(words_of).unwrap_or_default();
                let kind = given("kind").map(words_of).unwrap_or_default();
                (Kind::Kept, format!("a memory \"{kind}\" of {}{text}", self.name(&about)))
            }
            "text.has_said" => {
                let known = if asked.as_bool() == Some(true) { "yes" } else { "no" };
                (Kind::Considered, format!("said {} before? {known}", first.map(quoted).unwrap_or_default()))
            }
            "events.recent" => {
                let count = list(asked).count();
                (Kind::Looked, format!("what happened to it lately → {}", counted(count, "event")))
            }
            "events.emit" => (Kind::Did, format!("told the dashboard {}", first.map(quoted).unwrap_or_default())),
            "time.sleep" => (Kind::Considered, format!("waited {} s", first.map(words_of).unwrap_or_default())),
            name if name.starts_with("log.") => {
                let level = name.trim_start_matches("log.");
                let words = first.map(words_of).unwrap_or_default();
                (Kind::Logged, if level == "info" { words } else { format!("{level}: {words}") })
            }
            name if name.starts_with("store.") => self.store(called, asked),
            name if act_words(name).is_some() => (Kind::Did, self.act(called, asked)),
            _ => return None,
        })
    }

    fn look(&mut self, called: &Called, answer: &Value) -> String {
        let items: Vec<&Value> = match answer {
            Value::Object(_) if called.name == "floimg.get" => vec![answer],
            answer => list(answer).collect(),
        };
        let told: Vec<String> = items
            .iter()
            .map(|item| {
                let author = item.get("author").map(|author| word(author, "username")).unwrap_or_default();
                let whose = match item.get("author").and_then(|author| author.get("is_me")).and_then(Value::as_bool) {
                    Some(true) => "its own".to_owned(),
                    _ => format!("by {author}"),
                };
                let what = item.get("title").or_else(|| item.get("text")).map(quoted).unwrap_or_default();
                self.names.insert(word(item, "id"), format!("{what} {whose}"));
                format!("{what} {whose}")
            })
            .collect();
        let of = |count: usize, what: &str| format!("{}{}", counted(count, what), named(&told, count));
        match called.name {
            "floimg.get" => format!("at one post: {}", told.join("")),
            "floimg.comments" => {
                let post = called.args.first().map(words_of).unwrap_or_default();
                format!("under {} → {}", self.name(&post), of(items.len(), "comment"))
            }
            "floimg.mine" => format!("at its own posts → {}", of(items.len(), "post")),
            "floimg.trending" => format!("at what is trending → {}", of(items.len(), "post")),
            _ => {
                let sort = called.args.first().map(|options| word(options, "sort")).unwrap_or_default();
                let sort = if sort.is_empty() { "recent".to_owned() } else { sort };
                format!("at the feed, {sort} → {}", of(items.len(), "post"))
            }
        }
    }

    /// An action in words, done or only tried.
    fn act(&mut self, called: &Called, answer: &Value) -> String {
        let first = called.args.first();
        let given = |key: &str| first.map(|first| word(first, key)).unwrap_or_default();
        // What was really sent: a reply names whom it answers.
        let sent = |key: &str| match answer.get(key) {
            Some(value) => quoted(value),
            None => first.and_then(|first| first.get(key)).map(quoted).unwrap_or_default(),
        };
        let verb = act_words(called.name).unwrap_or(called.name);
        match called.name {
            "floimg.upvote" => format!("{verb} {}", self.name(&first.map(words_of).unwrap_or_default())),
            "floimg.comment" => {
                let to = given("reply_to");
                let under = self.name(&given("post"));
                match to.is_empty() {
                    true => format!("{verb} {under}: {}", sent("text")),
                    false => format!("answer {} under {under}: {}", self.name(&to), sent("text")),
                }
            }
            "floimg.share" | "floimg.remix" => {
                let (id, title) = (word(answer, "id"), sent("title"));
                if !id.is_empty() {
                    self.names.insert(id, format!("{title} its own"));
                }
                let of = if called.name == "floimg.remix" {
                    format!(" of {}", self.name(&given("post")))
                } else {
                    String::new()
                };
                let description = given("description");
                let description =
                    if description.is_empty() { String::new() } else { format!(": {}", quoted(&description.into())) };
                format!("{verb} {title}{of}{description}")
            }
            "floimg.generate" => {
                let look: Vec<String> =
                    ["style", "size", "generator"].map(given).into_iter().filter(|word| !word.is_empty()).collect();
                let look = if look.is_empty() { String::new() } else { format!(" ({})", look.join(", ")) };
                format!("{verb} {}{look}", sent("prompt"))
            }
            _ => format!("{verb} {}", quoted(&given("name").into())),
        }
    }

    fn store(&self, called: &Called, answer: &Value) -> (Kind, String) {
        let key = called.args.first().map(words_of).unwrap_or_default();
        let whose = if called.name.starts_with("store.shared.") { "the fleet's " } else { "" };
        match called.name.rsplit('.').next().unwrap_or_default() {
            "get" => (Kind::Considered, format!("{whose}entry {key} → {}", short(answer))),
            "keys" => (Kind::Considered, format!("{whose}entries {key}… → {}", list(answer).count())),
            "set" => {
                (Kind::Kept, format!("{whose}entry {key} = {}", called.args.get(1).map(short).unwrap_or_default()))
            }
            other => (Kind::Kept, format!("{whose}entry {key}, {other} → {}", short(answer))),
        }
    }

    /// What an id stands for, where it was seen.
    fn name(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}

fn act_words(name: &str) -> Option<&'static str> {
    Some(match name {
        "floimg.upvote" => "upvote",
        "floimg.comment" => "comment on",
        "floimg.share" => "share",
        "floimg.remix" => "share a remix,",
        "floimg.generate" => "make a picture of",
        "floimg.run" => "run the workflow",
        _ => return None,
    })
}

/// What the tick took: CPU, calls by module, and money.
fn cost(ticked: &Ticked) -> String {
    let mut modules: BTreeMap<&str, usize> = BTreeMap::new();
    for called in ticked.calls.iter().filter(|called| !called.name.starts_with("bot_.")) {
        *modules.entry(called.name.split('.').next().unwrap_or(called.name)).or_insert(0) += 1;
    }
    let calls: Vec<String> = modules.iter().map(|(module, count)| format!("{module} {count}")).collect();
    let calls = if calls.is_empty() { "no calls".to_owned() } else { format!("calls: {}", calls.join(", ")) };
    let money = match llm_calls(ticked) {
        0 => "no tokens",
        _ if ticked.has_models => "`fleet spend` has the bill",
        _ => "no tokens (the offline writer wrote)",
    };
    format!("{:.1} ms CPU, {calls}, {money}", ticked.cpu.as_secs_f64() * 1000.0)
}

/// What keeps a persona from being tried, each with its line of source.
pub(super) fn unfit(problems: &[Diagnostic], texts: &BTreeMap<String, Arc<str>>) -> String {
    let red = AnsiColor::Red.on_default().bold();
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let mut told = String::new();
    for problem in problems {
        let place = problem.line.map_or_else(|| problem.file.clone(), |line| format!("{}:{line}", problem.file));
        told += &format!("{red}error{red:#}: {bold}{}{bold:#}\n", printable(&problem.message));
        told += &format!("  {dim}-->{dim:#} {}\n", printable(&place));
        let source = texts.get(problem.file.strip_prefix("scripts/").unwrap_or(&problem.file));
        if let Some((line, source)) = problem.line.zip(source)
            && let Some(source) = source.lines().nth(line.saturating_sub(1) as usize)
        {
            told += &format!("{dim}{line} |{dim:#} {}\n", printable(&text::clip(source.trim_end(), QUOTE)));
        }
        if let Some(hint) = &problem.hint {
            told += &format!("  {bold}hint{bold:#}: {}\n", printable(hint));
        }
    }
    told
}

fn raised(diagnostic: &Diagnostic, source: Option<&str>) -> String {
    let red = AnsiColor::Red.on_default().bold();
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let place = match diagnostic.line {
        Some(line) => format!("{}:{line}", diagnostic.file),
        None => diagnostic.file.clone(),
    };
    let mut text = format!("  {red}{:<11}{red:#} {}\n", "raised", printable(&diagnostic.message));
    text += &format!("  {:<11} {dim}-->{dim:#} {}\n", "", printable(&place));
    if let Some((line, source)) = diagnostic.line.zip(source) {
        let source = text::clip(source.trim(), QUOTE);
        text += &format!("  {:<11} {dim}{line} |{dim:#} {}\n", "", printable(&source));
    }
    for frame in diagnostic.traceback.iter().skip(1) {
        text += &format!("  {:<11} {dim}at{dim:#} {}\n", "", printable(frame));
    }
    if let Some(hint) = &diagnostic.hint {
        text += &format!("  {:<11} {bold}hint{bold:#}: {}\n", "", printable(hint));
    }
    text + &format!("  {dim}{:<11} its state stays as it was before this tick{dim:#}\n", "")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn named(told: &[String], count: usize) -> String {
    if told.is_empty() {
        return String::new();
    }
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    format!(": {}{more}", told.iter().take(NAMED).map(|words| words.trim()).collect::<Vec<_>>().join(", "))
}

fn counted_many(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn word(value: &Value, key: &str) -> String {
    value.get(key).map(words_of).unwrap_or_default()
}

fn words_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(words) => words.replace('\n', " "),
        other => other.to_string(),
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::String(words) => format!("\"{}\"", text::clip(&words.replace('\n', " "), QUOTE)),
        other => text::clip(&other.to_string(), QUOTE),
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        other => text::clip(&other.to_string(), QUOTE / 2),
    }
}

/// What a plugin said of an action.
fn said_by(remark: &Remark) -> String {
    let (plugin, kind) = (&remark.plugin, remark.kind.as_str());
    match &remark.what {
        Said::Denied(reason) => format!("{plugin} denied the {kind}: {reason}"),
        Said::Changed(words, None) => format!("{plugin} changed the {kind}: {}", text::clip(words, QUOTE)),
        Said::Changed(words, Some(reason)) => {
            format!("{plugin} changed the {kind} ({reason}): {}", text::clip(words, QUOTE))
        }
        Said::Failed(problem, on_error) => {
            format!("{plugin} went wrong and its on_error (\"{}\") decided on the {kind}: {problem}", on_error.as_str())
        }
    }
}
