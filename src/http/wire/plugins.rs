//! Plugins, how they fare and what is wrong with them, as JSON.
//!
//! What is not known is null, and never left out.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::scripts::Diagnostic;
use crate::model;
use crate::model::name::VersionId;
use crate::model::plugin::Manifest;
use crate::runtime::plugins::view::{CallsView, OptionView, PluginView, TimerView};

/// Every plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Plugins {
    /// The plugins, in the order in which they are asked, then those that do not run.
    items: Vec<Plugin>,
    /// What is wrong with no plugin that is here: config of plugins that are not there, and names of folders.
    problems: Vec<Diagnostic>,
}

/// One plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Plugin {
    /// Its name, that of its folder.
    #[schema(example = "guard")]
    name: String,
    /// What people call it.
    #[schema(example = "Guard")]
    title: String,
    /// What it does, in a sentence.
    description: String,
    /// Its main file.
    #[schema(example = "plugins/guard/init.luau")]
    file: String,
    /// The version that runs, by its first eight digits.
    #[schema(required = true)]
    version: Option<String>,
    /// The files the version is made of.
    files: Vec<String>,
    /// When it was accepted, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    accepted_at: Option<Timestamp>,
    /// `running`, `off`, `paused`, `quarantined` or `refused`.
    #[schema(example = "running")]
    status: &'static str,
    /// The same in words.
    reason: String,
    /// What becomes of actions while it is broken or too slow: `allow` or `deny`.
    #[schema(required = true, example = "deny")]
    on_error: Option<&'static str>,
    /// Modules it declares to use.
    needs: Vec<String>,
    /// The hooks it has.
    #[schema(example = json!(["before_action"]))]
    hooks: Vec<&'static str>,
    /// The names of its exports.
    exports: Vec<String>,
    /// Plugins that are asked after it.
    before: Vec<String>,
    /// Plugins that are asked before it.
    after: Vec<String>,
    /// What the config may set, and what is in force.
    options: Vec<PluginOption>,
    /// What it does now and then.
    timers: Vec<Timer>,
    /// What its functions were called for since it was loaded.
    calls: Vec<Calls>,
    /// Calls that wait for it now.
    waiting: u64,
    /// Things it was not told of, because it had too much to do, since it was loaded.
    missed: u64,
    /// Faults since it was loaded.
    faults: u64,
    /// What went wrong last in a call.
    #[schema(required = true)]
    fault: Option<Diagnostic>,
    /// When, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    fault_at: Option<Timestamp>,
    /// What is wrong with its newest files or its options; not empty means that they were refused.
    errors: Vec<Diagnostic>,
    /// What its author or the operator should look at.
    warnings: Vec<Diagnostic>,
}

/// One option of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct PluginOption {
    /// Its key in the plugin's section of the config.
    #[schema(example = "words")]
    key: String,
    /// `string`, `number`, `boolean`, `list` or `table`.
    #[schema(example = "list")]
    kind: &'static str,
    /// What it takes, in words.
    #[schema(example = "a list with at most 100 entries")]
    expected: String,
    /// What it is for.
    doc: String,
    /// What it is when the config says nothing.
    #[schema(required = true, value_type = Value)]
    default: Value,
    /// What it is now.
    #[schema(required = true, value_type = Value)]
    value: Value,
}

/// One thing that a plugin does now and then.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Timer {
    /// Its own name, or its place in the list.
    key: String,
    /// How often, in seconds of bots' time.
    every_secs: f64,
    /// When it ran last, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    ran_at: Option<Timestamp>,
    /// When it runs next, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
}

/// What the calls of one function came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Calls {
    /// The function: a hook, `every.NAME` or `exports.NAME`.
    #[schema(example = "before_action")]
    function: String,
    /// How often it was called.
    calls: u64,
    /// How often it raised, was too slow, or had no room for a call.
    faults: u64,
    /// Actions that it changed.
    changed: u64,
    /// Actions that it denied.
    denied: u64,
    /// Half of the last calls took at most this long, in milliseconds of the wall, waiting included.
    p50_millis: f64,
    /// All but one in a hundred took at most this long.
    p99_millis: f64,
}

impl Plugins {
    /// Plugins, and what is wrong with none of them.
    pub(in crate::http) fn of(plugins: Vec<PluginView>, problems: Vec<model::diagnostic::Diagnostic>) -> Self {
        Self {
            items: plugins.into_iter().map(Plugin::from).collect(),
            problems: problems.into_iter().map(Diagnostic::from).collect(),
        }
    }
}

impl From<PluginView> for Plugin {
    fn from(view: PluginView) -> Self {
        let reason = view.reason();
        let known = view.manifest.as_deref();
        let list = |of: fn(&Manifest) -> &Vec<String>| known.map(|manifest| of(manifest).clone()).unwrap_or_default();
        Self {
            title: known.map_or_else(|| view.name.to_string(), |manifest| manifest.title.clone()),
            description: known.map(|manifest| manifest.description.clone()).unwrap_or_default(),
            version: view.version.as_ref().map(VersionId::to_string),
            accepted_at: view.accepted_at,
            status: view.state.as_str(),
            reason,
            on_error: known.map(|manifest| manifest.on_error.as_str()),
            needs: list(|manifest| &manifest.needs),
            hooks: known.map(|manifest| manifest.hooks.iter().map(|hook| hook.as_str()).collect()).unwrap_or_default(),
            exports: list(|manifest| &manifest.exports),
            before: list(|manifest| &manifest.before),
            after: list(|manifest| &manifest.after),
            options: view.options.into_iter().map(PluginOption::from).collect(),
            timers: view.timers.into_iter().map(Timer::from).collect(),
            missed: view.fared.missed,
            faults: view.fared.faults,
            calls: view.fared.functions.into_iter().map(Calls::from).collect(),
            waiting: view.waiting as u64,
            fault_at: view.fared.last_fault.as_ref().map(|(_, at)| *at),
            fault: view.fared.last_fault.map(|(fault, _)| fault.into()),
            errors: view.errors.into_iter().map(Diagnostic::from).collect(),
            warnings: view.warnings.into_iter().map(Diagnostic::from).collect(),
            name: view.name.to_string(),
            file: view.file,
            files: view.files,
        }
    }
}

impl From<OptionView> for PluginOption {
    fn from(view: OptionView) -> Self {
        Self {
            key: view.name,
            kind: view.spec.kind.as_str(),
            expected: view.spec.expected(),
            doc: view.spec.doc,
            default: view.spec.default,
            value: view.value,
        }
    }
}

impl From<TimerView> for Timer {
    fn from(view: TimerView) -> Self {
        Self { key: view.key, every_secs: view.every.get(), ran_at: view.ran_at, next_at: view.next_at }
    }
}

impl From<CallsView> for Calls {
    fn from(view: CallsView) -> Self {
        let millis = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        Self {
            function: view.function,
            calls: view.calls,
            faults: view.faults,
            changed: view.changed,
            denied: view.denied,
            p50_millis: millis(view.p50),
            p99_millis: millis(view.p99),
        }
    }
}
