//! What is shown of plugins: plain data, made when asked.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::diagnostic::Diagnostic;
use crate::model::name::VersionId;
use crate::model::plugin::{Manifest, OnError, OptionSpec, PluginName};
use crate::model::seconds::Seconds;

/// What a plugin does at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginState {
    /// It is asked and told.
    Running,
    /// An operator paused it: nobody asks it.
    Paused(String),
    /// It went wrong too often; its `on_error` decides for it.
    Quarantined(String),
    /// The config does not let it run.
    Off,
    /// It was never right yet.
    Refused,
}

impl PluginState {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused(_) => "paused",
            Self::Quarantined(_) => "quarantined",
            Self::Off => "off",
            Self::Refused => "refused",
        }
    }
}

/// A plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginView {
    /// The name of its folder.
    pub name: PluginName,
    /// Its main file, like `plugins/guard/init.luau`.
    pub file: String,
    /// What its file says about it; none while it never was right.
    pub manifest: Option<Arc<Manifest>>,
    /// The version that runs.
    pub version: Option<VersionId>,
    /// The files the version is made of.
    pub files: Vec<String>,
    /// When it was accepted, in bots' time.
    pub accepted_at: Option<Timestamp>,
    /// What it does at the moment.
    pub state: PluginState,
    /// What the config may say, and what is in force.
    pub options: Vec<OptionView>,
    /// What it does now and then.
    pub timers: Vec<TimerView>,
    /// Calls that wait for it now.
    pub waiting: usize,
    /// How it fared since it was loaded.
    pub fared: Fared,
    /// What is wrong with its newest files or options; not empty means that they were refused.
    pub errors: Vec<Diagnostic>,
    /// What its author or the operator should look at.
    pub warnings: Vec<Diagnostic>,
}

impl PluginView {
    /// What it does in words.
    pub fn reason(&self) -> String {
        let meanwhile = match self.manifest.as_ref().map(|manifest| manifest.on_error) {
            Some(OnError::Deny) => "actions are refused meanwhile",
            Some(OnError::Allow) | None => "actions go on without it",
        };
        match &self.state {
            PluginState::Running => "running".to_owned(),
            PluginState::Off => format!("the config has enabled = false in [plugins.{}]", self.name),
            PluginState::Paused(reason) if reason.is_empty() => "paused by operator".to_owned(),
            PluginState::Paused(reason) => format!("paused by operator: {reason}"),
            PluginState::Quarantined(error) => {
                format!("quarantined until it is saved or resumed: {error}; {meanwhile}")
            }
            PluginState::Refused => {
                let problem = self.errors.first().map(ToString::to_string);
                format!("no version that works: {}", problem.unwrap_or_else(|| "its file is gone".to_owned()))
            }
        }
    }
}

/// An option of a plugin and what it is set to.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionView {
    /// Its key.
    pub name: String,
    /// What it takes and what it is for.
    pub spec: OptionSpec,
    /// What it is now; null: nothing.
    pub value: Value,
}

/// How a plugin fared since it was loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fared {
    /// Calls that ended.
    pub calls: u64,
    /// Calls that went wrong, took too long, or that nobody had room for.
    pub faults: u64,
    /// Things it was not told of because it had too much to do.
    pub missed: u64,
    /// Actions it denied.
    pub denied: u64,
    /// Actions it changed.
    pub changed: u64,
    /// The same by function: hooks, then timers, then exports.
    pub functions: Vec<CallsView>,
    /// What went wrong last, and when in bots' time.
    pub last_fault: Option<(Diagnostic, Timestamp)>,
}

/// What the calls of one function came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsView {
    /// The function: a hook, `every.NAME` or `exports.NAME`.
    pub function: String,
    /// Calls that ended.
    pub calls: u64,
    /// Calls that went wrong, took too long, or that nobody had room for.
    pub faults: u64,
    /// Actions that it denied.
    pub denied: u64,
    /// Actions that it changed.
    pub changed: u64,
    /// Half of the last calls took at most this long on the wall, with the time in the queue where a bot waited.
    pub p50: Duration,
    /// All but one in a hundred took at most this long.
    pub p99: Duration,
}

/// One thing that a plugin does now and then.
#[derive(Debug, Clone, PartialEq)]
pub struct TimerView {
    /// Its own name, or its place in the list.
    pub key: String,
    /// How often, in bots' time.
    pub every: Seconds,
    /// When it ran last, or began to count, in bots' time.
    pub ran_at: Option<Timestamp>,
    /// When it runs next, in bots' time, while the plugin runs.
    pub next_at: Option<Timestamp>,
}
