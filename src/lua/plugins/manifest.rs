//! Reads a plugin's table into plain data, and tells everything that is wrong with it at once.

use std::collections::BTreeMap;

use mlua::{Function, Table, Value};
use serde_json::Value as Json;

use crate::lua::args::{as_number, as_text, shown, texts};
use crate::lua::contract::{Problem, check_names};
use crate::lua::value::to_json;
use crate::model::diagnostic::Diagnostic;
use crate::model::permission::{BY_HOST, BY_NAME};
use crate::model::plugin::{Hook, Manifest, OnError, OptionKind, OptionSpec, PluginName, Timer};
use crate::model::seconds::Seconds;

/// The fields of a plugin's table.
const FIELDS: [&str; 16] = [
    "name",
    "description",
    "since",
    "needs",
    "options",
    "on_error",
    "before",
    "after",
    "before_action",
    "after_action",
    "on_activity",
    "on_reload_failed",
    "on_platform",
    "on_start",
    "every",
    "exports",
];
/// The version of what the host offers to plugins.
pub const API_VERSION: u32 = 1;
/// Most options, timers or exports of one plugin.
const MOST: usize = 100;
/// Most bytes of a default, as JSON.
const DEFAULT_BYTES: usize = 64 << 10;
/// The shortest time between two runs of a timer.
const SHORTEST_SECS: f64 = 1.0;

/// A plugin's functions.
#[derive(Debug, Default)]
pub(super) struct Functions {
    pub hooks: BTreeMap<Hook, Function>,
    pub timers: Vec<Function>,
    pub exports: BTreeMap<String, Function>,
}

struct Reader<'a> {
    file: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, field: &str, expected: &str, got: &Value) {
        self.says(field, format!("`{field}` must be {expected}, got {}", shown(got)));
    }

    fn says(&mut self, field: &str, message: String) {
        self.problems.push(Problem::new(field, Diagnostic::error(self.file, None, message)));
    }

    fn text(&mut self, table: &Table, path: &str, key: &str) -> Option<String> {
        match value(table, key) {
            Value::Nil => None,
            found => {
                let text = as_text(&found);
                if text.is_none() {
                    self.wrong(&join(path, key), "a text", &found);
                }
                text
            }
        }
    }

    fn texts(&mut self, table: &Table, key: &str) -> Vec<String> {
        match value(table, key) {
            Value::Nil => Vec::new(),
            Value::Table(list) => texts(&list).unwrap_or_else(|found| {
                self.wrong(key, "a list of texts, like { \"…\" }", &found);
                Vec::new()
            }),
            found => {
                self.wrong(key, "a list of texts, like { \"…\" }", &found);
                Vec::new()
            }
        }
    }

    fn number(&mut self, table: &Table, path: &str, key: &str) -> Option<f64> {
        match value(table, key) {
            Value::Nil => None,
            found => {
                let number = as_number(&found).filter(|number| number.is_finite());
                if number.is_none() {
                    self.wrong(&join(path, key), "a finite number", &found);
                }
                number
            }
        }
    }

    /// Tables or functions by name.
    fn named(&mut self, table: &Table, key: &str, what: &str) -> Vec<(String, Value)> {
        let inner = match value(table, key) {
            Value::Nil => return Vec::new(),
            Value::Table(inner) => inner,
            found => {
                self.wrong(key, &format!("a table of {what} by name"), &found);
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        // A table that cannot be walked has nothing in it.
        let _ = inner.for_each(|name: Value, value: Value| {
            found.push((name, value));
            Ok(())
        });
        if found.len() > MOST {
            self.says(key, format!("`{key}` has {} entries; at most {MOST}", found.len()));
            return Vec::new();
        }
        let mut named = Vec::new();
        for (name, value) in found {
            match as_text(&name).filter(|name| is_word(name)) {
                Some(name) => named.push((name, value)),
                None => self.wrong(key, &format!("{what} named by words of a-z, 0-9 and _, a letter first"), &name),
            }
        }
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        named
    }
}

fn value(table: &Table, key: &str) -> Value {
    table.raw_get(key).unwrap_or(Value::Nil)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn is_word(name: &str) -> bool {
    name.len() <= 48
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !KEYWORDS.contains(&name)
}

/// Words of Luau that can name nothing.
const KEYWORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
];

/// Reads a plugin; what is wrong is in `problems`.
pub(super) fn read(
    file: &str,
    name: &PluginName,
    returned: &Value,
    problems: &mut Vec<Problem>,
) -> Option<(Manifest, Functions)> {
    let Value::Table(table) = returned else {
        let message = format!("a plugin's init.luau must return one table, got {}", shown(returned));
        let problem =
            Diagnostic::error(file, None, message).with_hint("end the file with `return { name = \"…\", … }`");
        problems.push(Problem::new("", problem));
        return None;
    };
    check_names(file, "", table, &FIELDS, problems);
    let mut reader = Reader { file, problems };
    let mut functions = Functions::default();
    let title = reader.text(table, "", "name").unwrap_or_else(|| name.as_str().replace('_', " "));
    let description = reader.text(table, "", "description").unwrap_or_default();
    if let Some(since) = reader.number(table, "", "since")
        && (since < 1.0 || since > f64::from(API_VERSION) || since.fract() != 0.0)
    {
        let message = format!(
            "`since` is {since}, but this program offers version {API_VERSION} to plugins: a newer program may run it"
        );
        reader.says("since", message);
    }
    let needs = read_needs(&mut reader, table);
    let options = read_options(&mut reader, table);
    let on_error = match reader.text(table, "", "on_error").as_deref() {
        None | Some("allow") => OnError::Allow,
        Some("deny") => OnError::Deny,
        Some(_) => {
            reader.wrong("on_error", "\"deny\" or \"allow\"", &value(table, "on_error"));
            OnError::Allow
        }
    };
    let (before, after) = (reader.texts(table, "before"), reader.texts(table, "after"));
    for hook in Hook::ALL {
        match value(table, hook.as_str()) {
            Value::Nil => {}
            Value::Function(function) => {
                functions.hooks.insert(hook, function);
            }
            found => reader.wrong(hook.as_str(), "a function", &found),
        }
    }
    let timers = read_timers(&mut reader, table, &mut functions);
    for (export, found) in reader.named(table, "exports", "functions") {
        match found {
            Value::Function(function) => {
                functions.exports.insert(export, function);
            }
            found => reader.wrong(&format!("exports.{export}"), "a function", &found),
        }
    }
    let manifest = Manifest {
        name: name.clone(),
        title,
        description,
        needs,
        options,
        on_error,
        before,
        after,
        hooks: functions.hooks.keys().copied().collect(),
        exports: functions.exports.keys().cloned().collect(),
        timers,
    };
    Some((manifest, functions))
}

fn read_needs(reader: &mut Reader<'_>, table: &Table) -> Vec<String> {
    let needs = reader.texts(table, "needs");
    let may = ["floimg", "store", BY_HOST];
    for need in &needs {
        if may.contains(&need.as_str()) {
            continue;
        }
        let message = if BY_NAME.contains(&need.as_str()) {
            format!("`needs`: `{need}` is for bots; a plugin can use {}", may.join(", "))
        } else {
            format!("`needs`: there is no permission `{need}`; a plugin can use {}", may.join(", "))
        };
        reader.says("needs", message);
    }
    needs
}

fn read_options(reader: &mut Reader<'_>, table: &Table) -> BTreeMap<String, OptionSpec> {
    let mut options = BTreeMap::new();
    for (name, found) in reader.named(table, "options", "options") {
        let path = format!("options.{name}");
        let Value::Table(option) = found else {
            reader.wrong(&path, "a table like { type = \"number\", default = 3, doc = \"…\" }", &found);
            continue;
        };
        if name == "enabled" {
            reader.says(&path, "`options.enabled` is the host's own: it turns the plugin on and off".to_owned());
            continue;
        }
        let known = ["type", "default", "doc", "min", "max", "one_of"];
        check_names(reader.file, &path, &option, &known, reader.problems);
        let kind = reader.text(&option, &path, "type").and_then(|word| OptionKind::parse(&word));
        let Some(kind) = kind else {
            let kinds: Vec<String> = OptionKind::ALL.iter().map(|kind| format!("\"{}\"", kind.as_str())).collect();
            reader.wrong(&format!("{path}.type"), &kinds.join(" or "), &value(&option, "type"));
            continue;
        };
        let mut json = |key: &str| {
            let field = format!("{path}.{key}");
            to_json(&value(&option, key), &field, DEFAULT_BYTES).unwrap_or_else(|problem| {
                reader.says(&field, problem);
                Json::Null
            })
        };
        let default = as_kind(json("default"), kind);
        let one_of = match as_kind(json("one_of"), OptionKind::List) {
            Json::Array(list) => list,
            _ => Vec::new(),
        };
        let spec = OptionSpec {
            kind,
            default,
            doc: reader.text(&option, &path, "doc").unwrap_or_default(),
            min: reader.number(&option, &path, "min"),
            max: reader.number(&option, &path, "max"),
            one_of,
        };
        if !spec.default.is_null() && !spec.takes(&spec.default) {
            let message = format!("`{path}.default` must be {}, got {}", spec.expected(), spec.default);
            reader.says(&format!("{path}.default"), message);
        }
        options.insert(name, spec);
    }
    options
}

/// An empty table of Luau is a list or a table, as the option says.
fn as_kind(json: Json, kind: OptionKind) -> Json {
    match (&json, kind) {
        (Json::Object(fields), OptionKind::List) if fields.is_empty() => Json::Array(Vec::new()),
        (Json::Array(list), OptionKind::Table) if list.is_empty() => Json::Object(serde_json::Map::new()),
        _ => json,
    }
}

fn read_timers(reader: &mut Reader<'_>, table: &Table, functions: &mut Functions) -> Vec<Timer> {
    let list = match value(table, "every") {
        Value::Nil => return Vec::new(),
        Value::Table(list) => list,
        found => {
            reader.wrong("every", "a list like { { seconds = 3600, run = function() … end } }", &found);
            return Vec::new();
        }
    };
    if list.raw_len() > MOST {
        reader.says("every", format!("`every` has {} entries; at most {MOST}", list.raw_len()));
        return Vec::new();
    }
    if list.raw_len() == 0 && !list.is_empty() {
        reader.wrong("every", "a list like { { seconds = 3600, run = function() … end } }", &Value::Table(list));
        return Vec::new();
    }
    let mut timers: Vec<Timer> = Vec::new();
    for (place, entry) in (1..).zip(list.sequence_values::<Value>()) {
        let path = format!("every[{place}]");
        let entry = match entry.unwrap_or(Value::Nil) {
            Value::Table(entry) => entry,
            found => {
                reader.wrong(&path, "a table like { seconds = 3600, run = function() … end }", &found);
                continue;
            }
        };
        check_names(reader.file, &path, &entry, &["seconds", "run", "name"], reader.problems);
        let seconds = value(&entry, "seconds");
        let every = as_number(&seconds)
            .filter(|seconds| *seconds >= SHORTEST_SECS)
            .and_then(|seconds| Seconds::new(seconds).ok());
        let run = value(&entry, "run");
        let (Some(every), Value::Function(run)) = (every, &run) else {
            if every.is_none() {
                reader.wrong(&format!("{path}.seconds"), &format!("seconds, at least {SHORTEST_SECS}"), &seconds);
            }
            if !matches!(run, Value::Function(_)) {
                reader.wrong(&format!("{path}.run"), "a function", &run);
            }
            continue;
        };
        let key = reader.text(&entry, &path, "name").unwrap_or_else(|| place.to_string());
        if timers.iter().any(|timer| timer.key == key) {
            reader.says(&path, format!("`{path}.name`: there are two timers `{key}`"));
            continue;
        }
        timers.push(Timer { key, every });
        functions.timers.push(run.clone());
    }
    timers
}
