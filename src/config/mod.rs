//! The config: what the operator asked for, and where each value came from.
//!
//! A [`Config`] that exists is valid; every key of it was given by exactly one source, and says which.

mod budgets;
mod change;
mod error;
mod layer;
mod llm;
mod load;
mod models;
mod origin;
mod roster;
mod sections;
mod show;
mod token;
mod value;
mod web;

pub use budgets::{BudgetsConfig, CapConfig, PricesConfig, shipped_prices};
pub use change::Change;
pub use error::{ConfigError, Excerpt, Problem};
pub use llm::{LlmConfig, LlmFallback, LlmProvider, ModelName, OFFLINE, Role};
pub use models::{Images, LengthKey, ModelConfig, Price, ProviderConfig};
pub use origin::{ConfigFile, Flag, Origin, Sources};
pub use roster::Roster;
pub use sections::{
    ClockConfig, FloimgConfig, HttpConfig, LimitsConfig, LogConfig, LogFormat, PluginsConfig, ReloadConfig,
    RuntimeConfig, SandboxConfig, Settings, StudioAddress, StudioConfig,
};
pub use show::UnknownKey;
pub use token::AdminTokenError;
pub use web::{PermissionsConfig, WebConfig};

/// The defaults: the config file as it is shipped.
pub const SHIPPED: &str = include_str!("../../config.toml");

/// A value of the config as JSON, for whoever else checks it; a date is its text.
pub fn plain(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(list) => list.iter().map(plain).collect(),
        toml::Value::Table(table) => {
            serde_json::Value::Object(table.iter().map(|(key, value)| (key.clone(), plain(value))).collect())
        }
    }
}

/// A valid config. Reads like its [`Settings`].
#[derive(Debug, Clone)]
pub struct Config {
    settings: Settings,
    entries: Vec<Entry>,
}

/// A key that is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key with its sections, such as `clock.speed`.
    pub key: String,
    /// Its value as it was given.
    pub value: toml::Value,
    /// What gave it.
    pub origin: Origin,
    path: Vec<String>,
}

impl Config {
    /// Every key that is in force, in the order of the shipped file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl std::ops::Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}
