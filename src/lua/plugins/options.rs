//! Options: what the config says to a plugin, held against what its manifest takes.
//!
//! What is wrong is told with the key, with what was expected, and with the manifest's own words on it.

use serde_json::{Map, Value};

use crate::model::diagnostic::Diagnostic;
use crate::model::plugin::Manifest;
use crate::text;

/// The key of a plugin's section that is the host's own.
pub const ENABLED: &str = "enabled";

/// Whether a plugin is to run.
pub fn is_enabled(given: Option<&Map<String, Value>>) -> bool {
    given.and_then(|given| given.get(ENABLED)).and_then(Value::as_bool).unwrap_or(true)
}

/// Every option with its value: the config's, or the manifest's default.
///
/// # Errors
/// Everything in the config that the manifest does not take.
pub fn settle(manifest: &Manifest, given: Option<&Map<String, Value>>) -> Result<Value, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut options: Map<String, Value> = manifest
        .options
        .iter()
        .filter(|(_, spec)| !spec.default.is_null())
        .map(|(name, spec)| (name.clone(), spec.default.clone()))
        .collect();
    let known: Vec<&str> = manifest.options.keys().map(String::as_str).chain([ENABLED]).collect();
    let section = format!("plugins.{}", manifest.name);
    for (name, value) in given.into_iter().flatten() {
        let key = format!("{section}.{name}");
        if name == ENABLED {
            if !value.is_boolean() {
                problems.push(problem(format!("`{key}` must be true or false, got {value}")));
            }
            continue;
        }
        let Some(spec) = manifest.options.get(name) else {
            let hint = match text::nearest(name, &known) {
                Some(near) => format!("did you mean `{near}`? It takes: {}", known.join(", ")),
                None => format!("it takes: {}", known.join(", ")),
            };
            let message = format!("`{key}`: the plugin `{}` has no option `{name}`", manifest.name);
            problems.push(problem(message).with_hint(hint));
            continue;
        };
        if spec.takes(value) {
            options.insert(name.clone(), value.clone());
            continue;
        }
        let wrong = problem(format!("`{key}` must be {}, got {value}", spec.expected()));
        problems.push(if spec.doc.is_empty() { wrong } else { wrong.with_hint(spec.doc.as_str()) });
    }
    if problems.is_empty() { Ok(Value::Object(options)) } else { Err(problems) }
}

fn problem(message: String) -> Diagnostic {
    Diagnostic::error("config.toml", None, message)
}
