//! Options: what the config says to a plugin, held against what its manifest takes.
//!
//! What is wrong is told with the place that said it, with what was expected, and with what the option is for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::Origin;
use crate::model::diagnostic::Diagnostic;
use crate::model::plugin::Manifest;
use crate::text;

/// The key of a plugin's section that is the host's own.
pub const ENABLED: &str = "enabled";

/// What the config says of plugins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The section of each plugin, by its name, as it is written from top to bottom.
    pub options: BTreeMap<String, Vec<Setting>>,
    /// Where else the config names a plugin: its permissions, hosts and signing key.
    pub grants: Vec<Grant>,
}

/// One key of a plugin's section.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The option.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// The value as the config has it.
    pub written: String,
    /// What said it.
    pub origin: Origin,
}

/// A key of a section that names plugins.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The section, as `permissions.plugins`.
    pub section: &'static str,
    /// The plugin.
    pub plugin: String,
    /// What said it.
    pub origin: Origin,
}

/// A plugin's options, and what to look at in its section.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// Every option that has a value: the config's, or the manifest's default.
    pub options: Value,
    /// Keys that the plugin does not have.
    pub warnings: Vec<Diagnostic>,
}

/// Options that somebody else than the config says.
pub fn settings(options: &Map<String, Value>, origin: Origin) -> Vec<Setting> {
    let setting = |(name, value): (&String, &Value)| Setting {
        name: name.clone(),
        value: value.clone(),
        written: value.to_string(),
        origin: origin.clone(),
    };
    options.iter().map(setting).collect()
}

/// Whether a plugin is to run.
pub fn is_enabled(given: &[Setting]) -> bool {
    given.iter().find(|setting| setting.name == ENABLED).and_then(|setting| setting.value.as_bool()).unwrap_or(true)
}

/// Every option with its value. A key that the plugin does not have is a warning: who protects a gallery by a plugin
/// would not have it run without for a slip of the pen.
///
/// # Errors
/// Every value in the config that the manifest does not take.
pub fn settle(manifest: &Manifest, given: &[Setting]) -> Result<Settled, Vec<Diagnostic>> {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let defaults = manifest.options.iter().filter(|(_, spec)| !spec.default.is_null());
    let mut options: Map<String, Value> = defaults.map(|(name, spec)| (name.clone(), spec.default.clone())).collect();
    for setting in given {
        match manifest.options.get(&setting.name) {
            _ if setting.name == ENABLED && setting.value.is_boolean() => {}
            _ if setting.name == ENABLED => {
                problems.push(wrong(setting, manifest, "true or false", "whether the plugin runs"));
            }
            None => warnings.push(unknown(setting, manifest)),
            Some(spec) if spec.takes(&setting.value) => {
                options.insert(setting.name.clone(), setting.value.clone());
            }
            Some(spec) => problems.push(wrong(setting, manifest, &spec.expected(), &spec.doc)),
        }
    }
    if problems.is_empty() {
        Ok(Settled { options: Value::Object(options), warnings })
    } else {
        problems.extend(warnings);
        Err(problems)
    }
}

/// Warnings of what the config says to plugins that are not there; a folder may be gone for a while.
pub fn unclaimed(told: &Told, known: &[&str]) -> Vec<Diagnostic> {
    let firsts = told.options.iter().filter_map(|(plugin, settings)| {
        let first = settings.first()?;
        Some((format!("[plugins.{plugin}]"), plugin, &first.origin))
    });
    let grants = told.grants.iter().map(|grant| {
        let key = format!("`{}` in [{}]", grant.plugin, grant.section);
        (key, &grant.plugin, &grant.origin)
    });
    let unclaimed = firsts.chain(grants).filter(|(_, plugin, _)| !known.contains(&plugin.as_str()));
    unclaimed
        .map(|(key, plugin, origin)| {
            let hint = match text::nearest(plugin, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "there are no plugins: each is a folder in plugins_dir".to_owned(),
                None => format!("there are: {}", known.join(", ")),
            };
            let message = format!("{key} is for no plugin: plugins/{plugin}/init.luau is not there");
            at(origin, message).with_hint(hint).as_warning()
        })
        .collect()
}

fn unknown(setting: &Setting, manifest: &Manifest) -> Diagnostic {
    let known: Vec<&str> = manifest.options.keys().map(String::as_str).chain([ENABLED]).collect();
    let hint = match text::nearest(&setting.name, &known) {
        Some(near) => match manifest.options.get(near) {
            Some(spec) if !spec.doc.is_empty() => format!("did you mean `{near}`: {}?", spec.doc.trim_end_matches('.')),
            _ => format!("did you mean `{near}`?"),
        },
        None => format!("it takes: {}", known.join(", ")),
    };
    let message = format!("`{}` is no option of the plugin `{}`, and was not taken", setting.name, manifest.name);
    at(&setting.origin, message).with_hint(hint).as_warning()
}

fn wrong(setting: &Setting, manifest: &Manifest, expected: &str, doc: &str) -> Diagnostic {
    // A long list or text would hide what is said about it.
    const LONGEST: usize = 60;
    let written = text::clip(&setting.written, LONGEST);
    let message = format!("`plugins.{}.{}` must be {expected}, got {written}", manifest.name, setting.name);
    let problem = at(&setting.origin, message);
    if doc.is_empty() { problem } else { problem.with_hint(format!("it is for this: {doc}")) }
}

fn at(origin: &Origin, message: String) -> Diagnostic {
    match origin {
        Origin::File { path, line } => {
            Diagnostic::error(path.display().to_string(), u32::try_from(*line).ok(), message)
        }
        origin => Diagnostic::error(origin.to_string(), None, message),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::model::plugin::{OnError, OptionKind, OptionSpec, PluginName};

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

    fn given(settings: &[(&str, Value)]) -> Vec<Setting> {
        let setting = |((name, value), line): (&(&str, Value), usize)| Setting {
            name: (*name).to_owned(),
            value: value.clone(),
            written: if value.is_null() { "nan".to_owned() } else { value.to_string() },
            origin: Origin::File { path: PathBuf::from("config.toml"), line },
        };
        settings.iter().zip(2..).map(setting).collect()
    }

    fn shown(problems: &[Diagnostic]) -> Vec<String> {
        let shown = |problem: &Diagnostic| {
            format!("{} {problem} | {}", problem.severity.as_str(), problem.hint.as_deref().unwrap_or_default())
        };
        problems.iter().map(shown).collect()
    }

    #[test]
    fn what_the_config_does_not_say_is_the_default() {
        let settled = settle(&guard(), &[]).expect("options");
        assert_eq!(settled, Settled { options: json!({ "longest": 500, "words": [] }), warnings: Vec::new() });
        let some = given(&[
            ("enabled", json!(false)),
            ("words", json!(["spam"])),
            ("longest", json!(12.5)),
            ("language", json!("en")),
        ]);
        assert!(!is_enabled(&some) && is_enabled(&[]));
        let settled = settle(&guard(), &some).expect("options");
        assert_eq!(settled.options, json!({ "language": "en", "longest": 12.5, "words": ["spam"] }));
    }

    #[test]
    fn whatever_the_manifest_does_not_take_is_told_with_its_line_and_what_it_is_for() {
        let all = given(&[
            ("enabled", json!("no")),
            ("zzz", json!(1)),
            ("longest", json!(2000)),
            ("longst", json!(3)),
            ("words", json!("spam")),
        ]);
        let problems = settle(&guard(), &all).expect_err("problems");
        assert_eq!(
            shown(&problems),
            [
                "error config.toml:2: `plugins.guard.enabled` must be true or false, got \"no\" | it is for this: whether the plugin runs",
                "error config.toml:4: `plugins.guard.longest` must be a number at most 1000, got 2000 | it is for this: the longest comment",
                "error config.toml:6: `plugins.guard.words` must be a list, got \"spam\" | it is for this: words that nobody says",
                "warning config.toml:3: `zzz` is no option of the plugin `guard`, and was not taken | it takes: language, longest, words, enabled",
                "warning config.toml:5: `longst` is no option of the plugin `guard`, and was not taken | did you mean `longest`: the longest comment?",
            ]
        );
        let settled = settle(&guard(), &given(&[("longst", json!(3))])).expect("options");
        assert_eq!((settled.options, settled.warnings.len()), (json!({ "longest": 500, "words": [] }), 1));
        let problems = settle(&guard(), &given(&[("longest", Value::Null)])).expect_err("problems");
        assert!(problems[0].message.ends_with("got nan"), "{problems:?}");
    }

    #[test]
    fn what_is_said_to_no_plugin_is_a_warning() {
        let origin = Origin::File { path: PathBuf::from("config.toml"), line: 9 };
        let grant = |section, plugin: &str| Grant { section, plugin: plugin.to_owned(), origin: origin.clone() };
        let told = Told {
            options: BTreeMap::from([
                ("gaurd".to_owned(), given(&[("words", json!([])), ("longest", json!(3))])),
                ("guard".to_owned(), given(&[("words", json!([]))])),
            ]),
            grants: vec![grant("permissions.plugins", "guard"), grant("web.plugins", "zebra")],
        };
        assert_eq!(
            shown(&unclaimed(&told, &["guard", "rituals"])),
            [
                "warning config.toml:2: [plugins.gaurd] is for no plugin: plugins/gaurd/init.luau is not there | did you mean `guard`?",
                "warning config.toml:9: `zebra` in [web.plugins] is for no plugin: plugins/zebra/init.luau is not there | there are: guard, rituals",
            ]
        );
    }
}
