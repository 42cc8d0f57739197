//! Scripts, what is wrong with them, and what a reload came to, as JSON.
//!
//! What is not known is null, and never left out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model;
use crate::model::name::VersionId;
use crate::model::tally::Tally;
use crate::runtime::view::{CanaryView, Reloaded, ScriptView};

/// Every persona.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Personas {
    /// The personas.
    items: Vec<Persona>,
}

/// One persona.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Persona {
    /// Its name, the stem of its file.
    #[schema(example = "ai_artist")]
    name: String,
    /// What people call it.
    #[schema(example = "AI art enthusiast")]
    title: String,
    /// Bots in the roster.
    bots: u64,
    /// The version that bots take at their next tick, by its first eight digits.
    #[schema(required = true)]
    version: Option<String>,
    /// Whether its newest files were refused.
    refused: bool,
}

/// Every persona's script.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Scripts {
    /// The scripts.
    items: Vec<Script>,
}

/// One persona's script.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Script {
    /// Which persona.
    #[schema(example = "ai_artist")]
    persona: String,
    /// What people call it.
    title: String,
    /// Its file.
    #[schema(example = "scripts/personas/ai_artist.luau")]
    file: String,
    /// The version that bots take at their next tick, by its first eight digits.
    #[schema(required = true)]
    version: Option<String>,
    /// The files the version is made of.
    files: Vec<String>,
    /// When it was accepted, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    accepted_at: Option<Timestamp>,
    /// The version that the files make; another than `version` while it is tried on a few bots, held back or pinned away.
    #[schema(required = true)]
    newest: Option<String>,
    /// Whether saved files wait because an operator pinned the version.
    pinned: bool,
    /// The version that was rolled back and is not taken from the files again.
    #[schema(required = true)]
    held_back: Option<String>,
    /// What is tried on a few bots.
    #[schema(required = true)]
    canary: Option<Canary>,
    /// What was decided last of its versions, in words.
    #[schema(required = true)]
    verdict: Option<String>,
    /// When, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    verdict_at: Option<Timestamp>,
    /// What the ticks of the version came to.
    fares: Fares,
    /// Bots by the version of their last tick.
    ran: BTreeMap<String, u64>,
    /// Bots in the roster.
    bots: u64,
    /// What is wrong with the newest files; not empty means that they were refused.
    errors: Vec<Diagnostic>,
    /// What the author should look at.
    warnings: Vec<Diagnostic>,
}

/// A version that is tried on a few bots.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Canary {
    /// Which, by its first eight digits.
    version: String,
    /// Since when, in bots' time.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Bots that run it.
    bots: u64,
    /// Ticks after which it is promoted when nothing speaks against it.
    wanted_ticks: u64,
    /// What its ticks came to since then.
    fares: Fares,
    /// What the ticks of the version before came to in the same time.
    before: Fares,
}

/// What the ticks of a version came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Fares {
    /// Ticks that were lived.
    ticks: u64,
    /// Ticks that went wrong.
    errors: u64,
    /// Actions that happened.
    actions: u64,
    /// Actions that the world or a limit refused.
    refused: u64,
    /// Texts and choices that were asked of a writer.
    calls: u64,
    /// CPU time of one tick on average, in milliseconds.
    cpu_millis_per_tick: f64,
}

impl From<Tally> for Fares {
    fn from(tally: Tally) -> Self {
        let millis = if tally.ticks == 0 { 0.0 } else { tally.cpu_micros as f64 / tally.ticks as f64 / 1000.0 };
        Self {
            ticks: tally.ticks,
            errors: tally.errors,
            actions: tally.actions,
            refused: tally.refused,
            calls: tally.calls,
            cpu_millis_per_tick: (millis * 1000.0).round() / 1000.0,
        }
    }
}

impl From<CanaryView> for Canary {
    fn from(view: CanaryView) -> Self {
        Self {
            version: view.version.to_string(),
            since: view.since,
            bots: view.bots,
            wanted_ticks: view.wanted_ticks,
            fares: view.new.into(),
            before: view.old.into(),
        }
    }
}

/// One thing that is wrong with a script.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Diagnostic {
    /// `error` or `warning`.
    severity: &'static str,
    /// The file.
    #[schema(example = "scripts/personas/ai_artist.luau")]
    file: String,
    /// The line, from 1, where one is known.
    #[schema(required = true, example = 31)]
    line: Option<u32>,
    /// The first character of the line that is meant, from 1, where it is known.
    #[schema(required = true, example = 14)]
    column: Option<u32>,
    /// The character after the last that is meant.
    #[schema(required = true, example = 19)]
    end_column: Option<u32>,
    /// The line itself.
    #[schema(required = true)]
    source: Option<String>,
    /// What is wrong.
    message: String,
    /// Values of interest, like the arguments of a call that failed.
    notes: Vec<String>,
    /// What to do about it.
    #[schema(required = true)]
    hint: Option<String>,
    /// The calls that led there, outermost last.
    traceback: Vec<String>,
    /// All of it as text for people, the line with marks under what is meant.
    frame: String,
}

/// What a reload came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Reload {
    /// What was done, in words.
    message: String,
    /// Personas with a new version.
    accepted: Vec<Accepted>,
    /// Personas whose files were refused.
    refused: Vec<RefusedPersona>,
    /// Personas that are as they were.
    unchanged: u64,
    /// Everything that is wrong, as text.
    #[schema(example = json!(["scripts/personas/ai_artist.luau:31: expected `)`"]))]
    errors: Vec<String>,
}

/// A persona with a new version.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Accepted {
    /// Which persona.
    #[schema(example = "ai_artist")]
    persona: String,
    /// The version, by its first eight digits.
    #[schema(example = "0f3a9c1e")]
    version: String,
}

/// A persona whose files were refused.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct RefusedPersona {
    /// Which persona.
    #[schema(example = "ai_artist")]
    persona: String,
    /// What is wrong.
    errors: Vec<Diagnostic>,
}

impl From<Vec<ScriptView>> for Personas {
    fn from(scripts: Vec<ScriptView>) -> Self {
        let persona = |script: ScriptView| Persona {
            name: script.persona.to_string(),
            title: script.title,
            bots: script.bots,
            version: script.version.as_ref().map(VersionId::to_string),
            refused: !script.errors.is_empty(),
        };
        Self { items: scripts.into_iter().map(persona).collect() }
    }
}

impl From<Vec<ScriptView>> for Scripts {
    fn from(scripts: Vec<ScriptView>) -> Self {
        Self { items: scripts.into_iter().map(Script::from).collect() }
    }
}

impl From<ScriptView> for Script {
    fn from(view: ScriptView) -> Self {
        let mut ran = BTreeMap::new();
        for (version, bots) in view.ran {
            *ran.entry(VersionId::new(&version).to_string()).or_insert(0) += bots;
        }
        Self {
            persona: view.persona.to_string(),
            title: view.title,
            file: view.file,
            version: view.version.as_ref().map(VersionId::to_string),
            files: view.files,
            accepted_at: view.accepted_at,
            newest: view.newest.as_ref().map(VersionId::to_string),
            pinned: view.is_pinned,
            held_back: view.held_back.as_ref().map(VersionId::to_string),
            canary: view.canary.map(Canary::from),
            verdict_at: view.verdict.as_ref().map(|(_, at)| *at),
            verdict: view.verdict.map(|(words, _)| words),
            fares: view.tally.into(),
            ran,
            bots: view.bots,
            errors: view.errors.into_iter().map(Diagnostic::from).collect(),
            warnings: view.warnings.into_iter().map(Diagnostic::from).collect(),
        }
    }
}

impl From<model::diagnostic::Diagnostic> for Diagnostic {
    fn from(diagnostic: model::diagnostic::Diagnostic) -> Self {
        Self {
            severity: diagnostic.severity.as_str(),
            frame: model::frame::plain(&diagnostic),
            file: diagnostic.file,
            line: diagnostic.line,
            column: diagnostic.columns.map(|columns| columns.from),
            end_column: diagnostic.columns.map(|columns| columns.to),
            source: diagnostic.source,
            message: diagnostic.message,
            notes: diagnostic.notes,
            hint: diagnostic.hint,
            traceback: diagnostic.traceback,
        }
    }
}

impl From<Reloaded> for Reload {
    fn from(reloaded: Reloaded) -> Self {
        let flat = |diagnostic: &model::diagnostic::Diagnostic| match &diagnostic.hint {
            Some(hint) => format!("{diagnostic}; hint: {hint}"),
            None => diagnostic.to_string(),
        };
        let errors = reloaded.refused.iter().flat_map(|(_, errors)| errors).map(flat).collect();
        let message = format!(
            "{} accepted, {} refused, {} unchanged",
            reloaded.accepted.len(),
            reloaded.refused.len(),
            reloaded.unchanged
        );
        let accepted = |(persona, version): (model::name::PersonaName, VersionId)| Accepted {
            persona: persona.to_string(),
            version: version.to_string(),
        };
        let refused = |(persona, errors): (model::name::PersonaName, Vec<model::diagnostic::Diagnostic>)| {
            RefusedPersona { persona: persona.to_string(), errors: errors.into_iter().map(Diagnostic::from).collect() }
        };
        Self {
            message,
            accepted: reloaded.accepted.into_iter().map(accepted).collect(),
            refused: reloaded.refused.into_iter().map(refused).collect(),
            unchanged: reloaded.unchanged,
            errors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_is_the_same_wherever_it_becomes_json() {
        let mut full = model::diagnostic::Diagnostic::error("scripts/a.luau", Some(1), "wrong").with_text("local x");
        full.columns = Some(model::diagnostic::Columns { from: 7, to: 8 });
        full.notes.push("called as f(1)".to_owned());
        full.traceback.push("scripts/a.luau:1".to_owned());
        for problem in [full.with_hint("write it right"), model::diagnostic::Diagnostic::error("b", None, "wrong")] {
            let wire = serde_json::to_value(Diagnostic::from(problem.clone())).expect("JSON");
            assert_eq!(wire, problem.as_json());
        }
    }
}
