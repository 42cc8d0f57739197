//! Reads a persona's table into plain data, and tells everything that is wrong with it at once.

use std::collections::BTreeMap;

use mlua::{Table, Value};

use crate::host::{identity, rhythm};
use crate::model::diagnostic::Diagnostic;
use crate::model::name::PersonaName;
use crate::model::persona::{Identity, Pace, Persona, Schedule};
use crate::text::{self, grammar};

use super::args::{as_number, as_text, shown};
use super::contract::{self, Problem};
use super::modules::MODULES;

/// Most texts in one list.
const LIST: usize = 2000;

/// Reads one table, collecting what is wrong.
struct Reader<'a> {
    file: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, field: &str, expected: &str, got: &Value) {
        let message = format!("`{field}` must be {expected}, got {}", shown(got));
        let problem = Diagnostic::error(self.file, None, message).with_hint(format!("give `{field}` {expected}"));
        self.problems.push(Problem::new(field, problem));
    }

    fn says(&mut self, field: &str, problem: &str) {
        self.says_at(field, field, problem, None);
    }

    /// What is wrong with one field, told at another within it, with a cure or none.
    fn says_at(&mut self, field: &str, at: &str, problem: &str, hint: Option<&str>) {
        // Who knows the cure says it last.
        let is_cure = |words: &str| ["did you mean", "expected", "known:"].iter().any(|start| words.starts_with(start));
        let (message, cure) = match problem.split_once("; ") {
            Some((message, cure)) if is_cure(cure) => (message, Some(cure.to_owned())),
            _ => (problem, problem.strip_prefix("expected ").map(|what| format!("write {what}"))),
        };
        let mut diagnostic = Diagnostic::error(self.file, None, format!("`{field}`: {message}"));
        diagnostic.hint = hint.map(str::to_owned).or(cure);
        self.problems.push(Problem::new(at, diagnostic));
    }

    fn value(table: &Table, key: &str) -> Value {
        table.raw_get(key).unwrap_or(Value::Nil)
    }

    fn text(&mut self, table: &Table, path: &str, key: &str) -> Option<String> {
        match Self::value(table, key) {
            Value::Nil => None,
            value => match as_text(&value) {
                Some(text) => Some(text),
                None => {
                    self.wrong(&join(path, key), "a text", &value);
                    None
                }
            },
        }
    }

    fn needed(&mut self, table: &Table, path: &str, key: &str, example: &str) -> String {
        let is_missing = matches!(Self::value(table, key), Value::Nil);
        if is_missing {
            let problem = format!("`{}` is missing", join(path, key));
            let diagnostic = Diagnostic::error(self.file, None, problem).with_hint(format!("add it, like {example}"));
            self.problems.push(Problem::new(path, diagnostic));
        }
        self.text(table, path, key).unwrap_or_default()
    }

    fn table(&mut self, table: &Table, path: &str, key: &str) -> Option<Table> {
        match Self::value(table, key) {
            Value::Nil => None,
            Value::Table(inner) => Some(inner),
            value => {
                self.wrong(&join(path, key), "a table", &value);
                None
            }
        }
    }

    fn number(&mut self, table: &Table, path: &str, key: &str, range: (f64, f64)) -> Option<f64> {
        match Self::value(table, key) {
            Value::Nil => None,
            value => match as_number(&value).filter(|number| (range.0..=range.1).contains(number)) {
                Some(number) => Some(number),
                None => {
                    self.wrong(&join(path, key), &format!("a number from {} to {}", range.0, range.1), &value);
                    None
                }
            },
        }
    }

    fn texts(&mut self, table: &Table, path: &str, key: &str) -> Option<Vec<String>> {
        let field = join(path, key);
        let list = match Self::value(table, key) {
            Value::Nil => return None,
            Value::Table(list) => list,
            value => {
                self.wrong(&field, "a list of texts, like { \"…\" }", &value);
                return None;
            }
        };
        if list.raw_len() > LIST {
            self.says(&field, &format!("has {} entries; at most {LIST}", list.raw_len()));
            return None;
        }
        let mut all = Vec::new();
        for (place, value) in (1..).zip(list.sequence_values::<Value>()) {
            let value = value.unwrap_or(Value::Nil);
            match as_text(&value) {
                Some(text) => all.push(text),
                None => {
                    self.wrong(&format!("{field}[{place}]"), "a text", &value);
                    return None;
                }
            }
        }
        let mut stray = None;
        // A table that cannot be walked has only what its list has.
        let _ = list.for_each(|key: Value, _: Value| {
            if !as_number(&key).is_some_and(|place| place >= 1.0 && place as usize <= all.len()) {
                stray = Some(key);
            }
            Ok(())
        });
        if let Some(key) = stray {
            self.says(
                &field,
                &format!("expected a list of texts, like {{ \"…\" }}, but it has the key {}", shown(&key)),
            );
            return None;
        }
        Some(all)
    }

    /// Named lists of texts, like templates.
    fn lists(&mut self, table: &Table, path: &str, key: &str) -> BTreeMap<String, Vec<String>> {
        let mut lists = BTreeMap::new();
        let Some(outer) = self.table(table, path, key) else { return lists };
        let field = join(path, key);
        let mut names = Vec::new();
        // A table that cannot be walked has no lists.
        let _ = outer.for_each(|name: Value, _: Value| {
            names.push(name);
            Ok(())
        });
        for name in names {
            match &name {
                Value::String(text) => {
                    let name = text.to_string_lossy();
                    if let Some(texts) = self.texts(&outer, &field, &name) {
                        lists.insert(name, texts);
                    }
                }
                other => self.wrong(&field, "lists by name", other),
            }
        }
        lists
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Reads a persona; `None` when something is missing without which there is no persona.
pub fn read(file: &str, name: PersonaName, table: &Table, problems: &mut Vec<Problem>) -> Option<Persona> {
    let mut reader = Reader { file, problems };
    let title = reader.text(table, "", "name").unwrap_or_else(|| name.as_str().replace('_', " "));
    let weight = match Reader::value(table, "weight") {
        Value::Nil => 1.0,
        value => match as_number(&value).filter(|weight| *weight > 0.0 && *weight <= 1e6) {
            Some(weight) => weight,
            None => {
                reader.wrong("weight", "a number above 0 and at most 1000000", &value);
                1.0
            }
        },
    };
    let identity = read_identity(&mut reader, table);
    let schedule = read_schedule(&mut reader, table);
    let pace = read_pace(&mut reader, table);
    let needs = read_needs(&mut reader, table);
    let templates = reader.lists(table, "", "templates");
    check_templates(&mut reader, &templates);
    let reload_now = match Reader::value(table, "reload") {
        Value::Nil => false,
        value => match as_text(&value).as_deref() {
            Some("now") => true,
            Some("next_tick") => false,
            _ => {
                reader.wrong("reload", "\"now\" or \"next_tick\"", &value);
                false
            }
        },
    };
    for function in ["on_start", "on_tick", "on_event", "on_reload"] {
        match Reader::value(table, function) {
            Value::Nil | Value::Function(_) => {}
            value => reader.wrong(function, "a function", &value),
        }
    }
    if matches!(Reader::value(table, "on_tick"), Value::Nil) {
        let problem = Diagnostic::error(file, None, "`on_tick` is missing: without it the bots do nothing")
            .with_hint("add on_tick = function(bot) … end");
        reader.problems.push(Problem::new("", problem.as_warning()));
    }
    if let Some(identity) = &identity {
        for problem in identity::check(identity) {
            let (field, words) = problem.split_once(": ").unwrap_or(("identity", &problem));
            reader.says(field, words);
        }
    }
    let (voice, interests) = (reader.text(table, "", "voice"), reader.texts(table, "", "interests"));
    let model = reader.text(table, "", "model");
    Some(Persona {
        name,
        title,
        weight,
        identity: identity?,
        voice: voice.unwrap_or_default(),
        interests: interests.unwrap_or_default(),
        schedule: schedule?,
        pace,
        model,
        needs,
        templates,
        reload_now,
    })
}

fn read_identity(reader: &mut Reader<'_>, table: &Table) -> Option<Identity> {
    let Some(inner) = reader.table(table, "", "identity") else {
        let problem = Diagnostic::error(reader.file, None, "`identity` is missing")
            .with_hint("add identity = { names = { \"{first} {last}\" }, username = \"{first}_{n}\", bio = \"…\" }");
        reader.problems.push(Problem::new("identity", problem));
        return None;
    };
    let known = ["names", "username", "bio", "words"];
    contract::check_names(reader.file, "identity", &inner, &known, reader.problems);
    Some(Identity {
        names: reader.texts(&inner, "identity", "names").unwrap_or_default(),
        username: reader.needed(&inner, "identity", "username", "username = \"{first}_{n}\""),
        bio: reader.text(&inner, "identity", "bio").unwrap_or_default(),
        words: reader.lists(&inner, "identity", "words"),
    })
}

fn read_schedule(reader: &mut Reader<'_>, table: &Table) -> Option<Schedule> {
    let Some(inner) = reader.table(table, "", "schedule") else {
        let problem = Diagnostic::error(reader.file, None, "`schedule` is missing")
            .with_hint("add schedule = { timezone = \"Europe/Berlin\", awake = \"09:00-23:00\" }");
        reader.problems.push(Problem::new("schedule", problem));
        return None;
    };
    let known = ["timezone", "awake", "days", "peak"];
    contract::check_names(reader.file, "schedule", &inner, &known, reader.problems);
    let zone_name = reader.needed(&inner, "schedule", "timezone", "timezone = \"Europe/Berlin\"");
    let zone = match rhythm::parse::zone(&zone_name) {
        Ok(zone) => Some(zone),
        Err(_) if zone_name.is_empty() => None,
        Err(problem) => {
            reader.says("schedule.timezone", &problem);
            None
        }
    };
    let awake = reader.text(&inner, "schedule", "awake").unwrap_or_else(|| "00:00-00:00".to_owned());
    let awake = rhythm::parse::span(&awake).map_err(|problem| reader.says("schedule.awake", &problem)).ok();
    let days = match Reader::value(&inner, "days") {
        Value::Nil => "all".to_owned(),
        Value::Table(_) => {
            reader.texts(&inner, "schedule", "days").map_or_else(|| "all".to_owned(), |days| days.join(","))
        }
        value => as_text(&value).unwrap_or_else(|| {
            reader.wrong("schedule.days", "a text like \"mon-fri\", or a list of days", &value);
            "all".to_owned()
        }),
    };
    let days = rhythm::parse::days(&days).map_err(|problem| reader.says("schedule.days", &problem)).ok();
    let mut peaks = Vec::new();
    for peak in reader.texts(&inner, "schedule", "peak").unwrap_or_default() {
        match rhythm::parse::span(&peak) {
            Ok(peak) => peaks.push(peak),
            Err(problem) => reader.says("schedule.peak", &problem),
        }
    }
    Some(Schedule { zone: zone?, zone_name, awake: awake?, days: days?, peaks })
}

fn read_pace(reader: &mut Reader<'_>, table: &Table) -> Pace {
    let mut pace = Pace { visits_per_day: 3.0, actions_per_visit: (2, 8), pause_secs: 60.0 };
    let Some(inner) = reader.table(table, "", "pace") else { return pace };
    let known = ["visits_per_day", "actions_per_visit", "pause"];
    contract::check_names(reader.file, "pace", &inner, &known, reader.problems);
    if let Some(visits) = reader.number(&inner, "pace", "visits_per_day", (0.01, 200.0)) {
        pace.visits_per_day = visits;
    }
    if let Some(pause) = reader.number(&inner, "pace", "pause", (1.0, 86_400.0)) {
        pace.pause_secs = pause;
    }
    match Reader::value(&inner, "actions_per_visit") {
        Value::Nil => {}
        Value::Table(range) => {
            let end = |index: i64| range.raw_get::<Value>(index).ok().as_ref().and_then(as_number);
            match (end(1), end(2)) {
                (Some(low), Some(high))
                    if low.fract() == 0.0 && high.fract() == 0.0 && (1.0..=high).contains(&low) && high <= 1000.0 =>
                {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 1000")]
                    {
                        pace.actions_per_visit = (low as u32, high as u32);
                    }
                }
                _ => reader.says("pace.actions_per_visit", "expected fewest and most as whole numbers, like { 2, 9 }"),
            }
        }
        value => reader.wrong("pace.actions_per_visit", "fewest and most, like { 2, 9 }", &value),
    }
    pace
}

fn read_needs(reader: &mut Reader<'_>, table: &Table) -> Vec<String> {
    let needs = reader.texts(table, "", "needs").unwrap_or_default();
    let known: Vec<&str> =
        MODULES.iter().filter(|module| module.is_granted_by_name).map(|module| module.name).collect();
    for (place, need) in (1..).zip(&needs) {
        let is_free = MODULES.iter().any(|module| !module.is_granted_by_name && module.name == need);
        if !known.contains(&need.as_str()) && !is_free {
            let near = text::nearest(need, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let problem = format!("there is no permission `{need}`{near}; known: {}", known.join(", "));
            reader.says_at("needs", &format!("needs[{place}]"), &problem, None);
        }
    }
    needs
}

fn check_templates(reader: &mut Reader<'_>, templates: &BTreeMap<String, Vec<String>>) {
    for (name, list) in templates {
        for (index, template) in list.iter().enumerate() {
            if let Err(bad) = grammar::placeholders(template) {
                let (field, place) = (format!("templates.{name}"), index + 1);
                let hint = "close every { with a }, and write {{ for a brace that is meant as one";
                reader.says_at(&field, &format!("{field}[{place}]"), &format!("entry {place}: {bad}"), Some(hint));
            }
        }
    }
}
