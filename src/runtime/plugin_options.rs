//! A plugin's options: what its section of the config says, held to what its manifest takes.
//!
//! Whatever is wrong is told with the place that said it and with what the option is for.

use serde_json::{Map, Value};

use crate::config::{Config, Entry, Origin};
use crate::model::diagnostic::Diagnostic;
use crate::model::plugin::{Manifest, PluginName};
use crate::text;

/// What the config tells a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Whether it runs.
    pub is_enabled: bool,
    /// Every option that has a value.
    pub options: Map<String, Value>,
}

/// The key of every plugin's section that no manifest may have as an option.
pub const ENABLED: &str = "enabled";

/// What the config tells this plugin, with the manifest's defaults where it says nothing.
///
/// # Errors
/// Everything in its section that the manifest does not take.
pub fn told(config: &Config, manifest: &Manifest) -> Result<Told, Vec<Diagnostic>> {
    let defaults = manifest.options.iter().filter(|(_, spec)| !spec.default.is_null());
    let options = defaults.map(|(key, spec)| (key.clone(), spec.default.clone())).collect();
    let mut told = Told { is_enabled: true, options };
    let mut problems = Vec::new();
    for (key, entry) in section(config, &manifest.name) {
        let value = json(&entry.value);
        match (manifest.options.get(key), &value) {
            _ if key == ENABLED => match entry.value.as_bool() {
                Some(is_enabled) => told.is_enabled = is_enabled,
                None => problems.push(wrong(entry, "true or false", "whether the plugin runs")),
            },
            (None, _) => problems.push(unknown(entry, key, manifest)),
            (Some(spec), Some(value)) if spec.takes(value) => {
                told.options.insert(key.to_owned(), value.clone());
            }
            (Some(spec), _) => problems.push(wrong(entry, &spec.expected(), &spec.doc)),
        }
    }
    if problems.is_empty() { Ok(told) } else { Err(problems) }
}

/// Sections of plugins that are not there, as warnings: a plugin's folder may be gone for a while.
pub fn unclaimed(config: &Config, known: &[&str]) -> Vec<Diagnostic> {
    let mut named: Vec<&str> = Vec::new();
    let mut warnings = Vec::new();
    for entry in in_order(config) {
        let Some((name, _)) = entry.key.strip_prefix("plugins.").and_then(|rest| rest.split_once('.')) else {
            continue;
        };
        if known.contains(&name) || named.contains(&name) {
            continue;
        }
        named.push(name);
        let hint = match text::nearest(name, known) {
            Some(near) => format!("did you mean [plugins.{near}]?"),
            None if known.is_empty() => "no plugin is there: each is a folder in plugins/ with an init.luau".to_owned(),
            None => format!("there are {}", known.join(", ")),
        };
        let message = format!("[plugins.{name}] is for no plugin: plugins/{name}/init.luau is not there");
        warnings.push(at(entry, message).with_hint(hint).as_warning());
    }
    warnings
}

/// What one plugin's section says, by its keys.
fn section<'a>(config: &'a Config, name: &PluginName) -> Vec<(&'a str, &'a Entry)> {
    let prefix = format!("plugins.{name}.");
    in_order(config).into_iter().filter_map(|entry| Some((entry.key.strip_prefix(&prefix)?, entry))).collect()
}

/// Every key as its file has it from top to bottom, as people read problems.
fn in_order(config: &Config) -> Vec<&Entry> {
    let mut entries: Vec<&Entry> = config.entries().iter().collect();
    entries.sort_by_key(|entry| match entry.origin {
        Origin::File { line, .. } => line,
        Origin::Default | Origin::Variable(_) | Origin::Flag(_) => usize::MAX,
    });
    entries
}

fn unknown(entry: &Entry, key: &str, manifest: &Manifest) -> Diagnostic {
    let known: Vec<&str> = manifest.options.keys().map(String::as_str).chain([ENABLED]).collect();
    let hint = match text::nearest(key, &known) {
        Some(near) => match manifest.options.get(near) {
            Some(spec) if !spec.doc.is_empty() => format!("did you mean `{near}`: {}?", spec.doc),
            _ => format!("did you mean `{near}`?"),
        },
        None => format!("it takes {}", known.join(", ")),
    };
    at(entry, format!("`{key}` is no option of the plugin `{}`", manifest.name)).with_hint(hint)
}

fn wrong(entry: &Entry, expected: &str, doc: &str) -> Diagnostic {
    // A long list or text would hide what is said about it.
    const LONGEST: usize = 60;
    let value = entry.value.to_string();
    let value = match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value,
    };
    let problem = at(entry, format!("`{}` is {value}: expected {expected}", entry.key));
    if doc.is_empty() { problem } else { problem.with_hint(format!("it is for this: {doc}")) }
}

fn at(entry: &Entry, message: String) -> Diagnostic {
    match &entry.origin {
        Origin::File { path, line } => {
            Diagnostic::error(path.display().to_string(), u32::try_from(*line).ok(), message)
        }
        origin => Diagnostic::error(origin.to_string(), None, message),
    }
}

/// A value as Luau takes it: nothing for a number that is not finite; dates are texts.
fn json(value: &toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(*number)?.into(),
        toml::Value::Boolean(is) => (*is).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => Value::Array(items.iter().map(json).collect::<Option<_>>()?),
        toml::Value::Table(fields) => {
            let fields = fields.iter().map(|(key, value)| Some((key.clone(), json(value)?)));
            Value::Object(fields.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::config::{ConfigFile, Sources};
    use crate::model::plugin::{OnError, OptionKind, OptionSpec};

    fn guard() -> Manifest {
        let spec = |kind, default: Value, doc: &str, max| OptionSpec {
            kind,
            default,
            doc: doc.to_owned(),
            min: None,
            max,
            one_of: Vec::new(),
        };
        Manifest {
            name: PluginName::new("guard").expect("a name"),
            title: String::new(),
            description: String::new(),
            needs: Vec::new(),
            options: BTreeMap::from([
                ("words".to_owned(), spec(OptionKind::List, json!([]), "words that nobody says", None)),
                ("longest".to_owned(), spec(OptionKind::Number, json!(500), "the longest comment", Some(1000.0))),
                ("language".to_owned(), spec(OptionKind::String, Value::Null, "", None)),
            ]),
            on_error: OnError::Deny,
            before: Vec::new(),
            after: Vec::new(),
            hooks: Vec::new(),
            exports: Vec::new(),
            timers: Vec::new(),
        }
    }

    fn config(text: &str) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        let sources = Sources { file: ConfigFile::Required(path), ..Sources::default() };
        let config = Config::load(&sources).expect("a config");
        (folder, config)
    }

    fn problems(text: &str) -> Vec<String> {
        let (folder, config) = config(text);
        let place = format!("{}/", folder.path().display());
        let problems = told(&config, &guard()).expect_err("problems");
        let shown = |problem: &Diagnostic| format!("{problem} | {}", problem.hint.as_deref().unwrap_or_default());
        problems.iter().map(|problem| shown(problem).replace(&place, "")).collect()
    }

    #[test]
    fn what_the_config_does_not_say_is_the_default() {
        let (_folder, nothing) = config("");
        let expected = Told {
            is_enabled: true,
            options: json!({ "longest": 500, "words": [] }).as_object().cloned().expect("an object"),
        };
        assert_eq!(told(&nothing, &guard()), Ok(expected));
        let (_folder, some) =
            config("[plugins.guard]\nenabled = false\nwords = [\"spam\"]\nlongest = 12.5\nlanguage = \"en\"");
        let told = told(&some, &guard()).expect("options");
        assert!(!told.is_enabled);
        assert_eq!(Value::Object(told.options), json!({ "language": "en", "longest": 12.5, "words": ["spam"] }));
    }

    #[test]
    fn whatever_the_manifest_does_not_take_is_told_with_its_line_and_what_it_is_for() {
        let wrong = "[plugins.guard]\nenabled = \"no\"\nzzz = 1\nlongest = 2000\nlongst = 3\nwords = \"spam\"\n";
        assert_eq!(
            problems(wrong),
            [
                "config.toml:2: `plugins.guard.enabled` is \"no\": expected true or false | it is for this: whether the plugin runs",
                "config.toml:3: `zzz` is no option of the plugin `guard` | it takes language, longest, words, enabled",
                "config.toml:4: `plugins.guard.longest` is 2000: expected a number at most 1000 | it is for this: the longest comment",
                "config.toml:5: `longst` is no option of the plugin `guard` | did you mean `longest`: the longest comment?",
                "config.toml:6: `plugins.guard.words` is \"spam\": expected a list | it is for this: words that nobody says",
            ]
        );
        assert_eq!(
            problems("[plugins.guard]\nlongest = nan"),
            [
                "config.toml:2: `plugins.guard.longest` is nan: expected a number at most 1000 | it is for this: the longest comment"
            ]
        );
    }

    #[test]
    fn a_section_for_no_plugin_is_a_warning() {
        let (_folder, config) = config("[plugins.gaurd]\nwords = []\nlongest = 3\n[plugins.zebra]\nenabled = true");
        let found = unclaimed(&config, &["guard", "rituals"]);
        let hints: Vec<&str> = found.iter().filter_map(|problem| problem.hint.as_deref()).collect();
        assert_eq!(hints, ["did you mean [plugins.guard]?", "there are guard, rituals"]);
        assert_eq!((found[0].line, found[0].severity.as_str()), (Some(2), "warning"));
    }
}
