//! Signals: what any reply told about the whole fleet, for everyone to see.
//!
//! What one bot learned, all know before their next call.

use jiff::Timestamp;

use crate::floimg::error::Period;

/// What the platform last said that concerns every bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// The fleet's budget is used up until then; a time that has passed means no longer.
    pub fleet_until: Option<(Timestamp, Period)>,
    /// The platform's kill switch is on.
    pub platform_paused: bool,
    /// Whether the gallery is being left alone.
    pub api: BreakerState,
    /// Whether the workflow server is being left alone.
    pub workflows: BreakerState,
}

/// Whether a server is being left alone because it failed too often in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BreakerState {
    /// Calls pass.
    #[default]
    Closed,
    /// No call passes until then.
    Open {
        /// When one call is let through to see.
        until: Timestamp,
    },
    /// One call is out to see.
    Probing,
}
