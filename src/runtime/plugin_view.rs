//! What is shown of plugins: plain data, made when asked.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::model::diagnostic::Diagnostic;
use crate::model::name::VersionId;
use crate::model::plugin::{Manifest, PluginName};
use crate::model::seconds::Seconds;

/// One plugin.
#[derive(Debug, Clone)]
pub struct PluginView {
    /// Which.
    pub name: PluginName,
    /// Its main file, like `plugins/guard/init.luau`.
    pub file: String,
    /// What its file says about it; none while it never was right.
    pub manifest: Option<Manifest>,
    /// The version that runs; none while it never was right.
    pub version: Option<VersionId>,
    /// The files the version is made of.
    pub files: Vec<String>,
    /// When it was accepted, in bots' time.
    pub accepted_at: Option<Timestamp>,
    /// What it is doing.
    pub status: PluginStatus,
    /// The options in force, defaults included.
    pub options: Map<String, Value>,
    /// What each of its functions was called for since the start, by the function's name.
    pub calls: Vec<CallsView>,
    /// Calls that wait for it now.
    pub waiting: usize,
    /// What it does now and then.
    pub timers: Vec<TimerView>,
    /// What went wrong last in a call, and when.
    pub fault: Option<(Diagnostic, Timestamp)>,
    /// What is wrong with its newest files or its options; not empty means that they were refused.
    pub errors: Vec<Diagnostic>,
    /// What the author should look at.
    pub warnings: Vec<Diagnostic>,
}

/// What a plugin is doing, and why it is not.
#[derive(Debug, Clone, PartialEq)]
pub enum PluginStatus {
    /// It answers.
    Running,
    /// The config says `enabled = false`.
    Disabled,
    /// An operator paused it: nobody asks it.
    Paused {
        /// What the operator said.
        reason: String,
    },
    /// It went wrong: it is not asked for a while, and its `on_error` decides.
    Backoff {
        /// When it is asked again.
        until: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It went wrong too often: its `on_error` decides until its files change or someone resumes it.
    Quarantined {
        /// What went wrong last.
        error: String,
    },
    /// Its files never were right.
    Refused,
}

impl PluginStatus {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Disabled => "disabled",
            Self::Paused { .. } => "paused",
            Self::Backoff { .. } => "backoff",
            Self::Quarantined { .. } => "quarantined",
            Self::Refused => "refused",
        }
    }
}

impl PluginView {
    /// What it is doing in words.
    pub fn reason(&self) -> String {
        let on_error = self.manifest.as_ref().map_or("allow", |manifest| manifest.on_error.as_str());
        let meanwhile = match on_error {
            "deny" => "actions are refused meanwhile",
            _ => "actions go on without it",
        };
        match &self.status {
            PluginStatus::Running => "running".to_owned(),
            PluginStatus::Disabled => format!("the config has enabled = false in [plugins.{}]", self.name),
            PluginStatus::Paused { reason } if reason.is_empty() => "paused by operator".to_owned(),
            PluginStatus::Paused { reason } => format!("paused by operator: {reason}"),
            PluginStatus::Backoff { until, error } => {
                format!("error at {error}, asked again {}; {meanwhile}", until.strftime("%Y-%m-%d %H:%M:%S UTC"))
            }
            PluginStatus::Quarantined { error } => {
                format!("quarantined until its files change or someone resumes it: error at {error}; {meanwhile}")
            }
            PluginStatus::Refused => {
                let problem = self.errors.first().map(ToString::to_string);
                format!("no version that works: {}", problem.unwrap_or_else(|| "its file is gone".to_owned()))
            }
        }
    }
}

/// What the calls of one function came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsView {
    /// The function: a hook, `every`, or an export.
    pub function: String,
    /// How often it was called.
    pub calls: u64,
    /// How often it raised, was too slow, or was not reached.
    pub faults: u64,
    /// Actions that it changed.
    pub changed: u64,
    /// Actions that it denied.
    pub denied: u64,
    /// Half of the last calls took at most this long, on the wall, waiting included.
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
    /// When it ran last, in bots' time.
    pub ran_at: Option<Timestamp>,
    /// When it runs next, in bots' time, unless something holds it.
    pub next_at: Option<Timestamp>,
}

/// What an operator decides of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginChange {
    /// Nobody asks it until it is resumed, for this reason.
    Pause(String),
    /// It is asked again, out of quarantine too.
    Resume,
}
