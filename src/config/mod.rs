//! The config: what the operator asked for, and where each value came from.
//!
//! A [`Config`] that exists is valid; every key of it was given by exactly one source, and says which.

mod roster;
mod sections;
mod value;

pub use roster::Roster;
pub use sections::{
    ClockConfig, FloimgConfig, HttpConfig, LimitsConfig, LlmConfig, LlmProvider, LogConfig, LogFormat, ReloadConfig,
    RuntimeConfig, SandboxConfig, Settings, StudioAddress, StudioConfig,
};

/// The defaults: the config file as it is shipped.
pub const SHIPPED: &str = include_str!("../../config.toml");

/// A valid config. Reads like its [`Settings`].
#[derive(Debug, Clone)]
pub struct Config {
    settings: Settings,
}

impl std::ops::Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_config_is_valid() {
        let settings: Settings = toml::from_str(SHIPPED).expect("valid");
        assert_eq!(settings.roster.spread, 48);
    }
}
