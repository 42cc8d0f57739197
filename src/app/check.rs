//! `fleet check`: what the next start would say of the scripts, said now.
//!
//! Nothing is started and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::model::diagnostic::Diagnostic;
use crate::model::name::PersonaName;
use crate::runtime::catalog::{self, Catalog, Test};
use crate::text;

/// What is wrong with the scripts, and which personas are fine.
#[derive(Debug, Default)]
pub struct Checked {
    /// Personas that would be accepted, with how many files they are made of.
    pub fine: Vec<(String, usize)>,
    /// Everything that is wrong, warnings too.
    pub problems: Vec<Diagnostic>,
    /// The texts, for showing the line.
    pub texts: BTreeMap<String, Arc<str>>,
}

/// Compiles, checks and rehearses every script, and holds the roster against it, without starting anything.
///
/// # Errors
/// When the host's own prelude does not compile.
pub async fn scripts(config: &Config) -> anyhow::Result<Checked> {
    let origin = super::origin(config);
    let limits = super::limits(config);
    let bytes = limits.source_bytes;
    let sources = tokio::task::spawn_blocking(move || catalog::read(&origin, bytes)).await??;
    let mut catalog = Catalog::new().map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let permissions = Arc::new(config.granted());
    let test = Test { limits, has_trial: config.reload.trial, permissions, now: Timestamp::now() };
    catalog.refresh(&sources, test).await;
    let mut checked = Checked { texts: sources.files.clone(), ..Checked::default() };
    let mut used = BTreeSet::new();
    for (name, entry) in &catalog.entries {
        checked.problems.extend(entry.errors.iter().cloned());
        if let Some(version) = &entry.version {
            checked.problems.extend(version.warnings.iter().cloned());
            checked.fine.push((name.to_string(), version.files.len()));
            used.extend(version.files.keys().cloned());
        }
    }
    checked.problems.extend(catalog.misnamed.iter().cloned());
    // A file that no persona requires is compiled all the same, since somebody is writing it.
    for problem in catalog.broken_files() {
        if !checked.problems.iter().any(|known| known.file == problem.file && known.line == problem.line) {
            checked.problems.push(problem);
        }
    }
    for (path, problem) in &sources.unreadable {
        let file = format!("scripts/{path}");
        if !checked.problems.iter().any(|known| known.file == file) {
            checked.problems.push(Diagnostic::error(file, None, problem.as_str()));
        }
    }
    for name in config.roster.counts.keys().filter(|name| !catalog.entries.contains_key(name)) {
        let known: Vec<&str> = catalog.entries.keys().map(PersonaName::as_str).collect();
        let hint = match text::nearest(name.as_str(), &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        let message = format!("the roster asks for bots of `{name}`, and there is no such persona");
        checked.problems.push(Diagnostic::error("config.toml", None, message).with_hint(hint));
    }
    Ok(checked)
}
