//! What a plugin looks like from outside.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::diagnostic::Diagnostic;
use crate::model::name::VersionId;
use crate::model::plugin::{OnError, PluginName};

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

    /// Why, where there is a reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Paused(reason) | Self::Quarantined(reason) => reason,
            Self::Running | Self::Off | Self::Refused => "",
        }
    }
}

/// An option of a plugin and what it is set to.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionView {
    /// Its key.
    pub name: String,
    /// What it takes.
    pub expected: String,
    /// What it is for.
    pub doc: String,
    /// What it is now; null: nothing.
    pub value: Value,
}

/// A plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginView {
    /// The name of its folder.
    pub name: PluginName,
    /// What people read.
    pub title: String,
    /// What it does.
    pub description: String,
    /// The version that runs.
    pub version: Option<VersionId>,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// What it does at the moment.
    pub state: PluginState,
    /// What becomes of actions while it does not answer.
    pub on_error: OnError,
    /// What it hears of.
    pub hooks: Vec<&'static str>,
    /// What personas can call.
    pub exports: Vec<String>,
    /// How often its timers run, in seconds.
    pub timers: Vec<(String, f64)>,
    /// What the config may say.
    pub options: Vec<OptionView>,
    /// What is wrong with its newest files or options.
    pub errors: Vec<Diagnostic>,
    /// How it fared.
    pub fared: Fared,
}

/// How a plugin fared since it was loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fared {
    /// Calls that ended.
    pub calls: u64,
    /// Calls that went wrong, and calls that nobody had room for.
    pub faults: u64,
    /// Things it was not told of because it had too much to do.
    pub missed: u64,
    /// Actions it denied.
    pub denied: u64,
    /// Actions it changed.
    pub changed: u64,
    /// How long bots waited for it: the median of the last calls, in microseconds.
    pub median_micros: u64,
    /// The longest of them.
    pub longest_micros: u64,
    /// What went wrong last.
    pub last_fault: Option<Diagnostic>,
}
