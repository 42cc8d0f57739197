//! What a bot is doing, and why it is not.

use jiff::Timestamp;

/// What one bot is doing now.
#[derive(Debug, Clone, PartialEq)]
pub enum BotStatus {
    /// In a tick.
    Acting,
    /// At rest until its next wake-up.
    Asleep {
        /// When it wakes.
        until: Timestamp,
        /// What decided that.
        why: Rest,
    },
    /// An operator paused it.
    Paused {
        /// What the operator said.
        reason: String,
        /// When the pause ends by itself.
        until: Option<Timestamp>,
    },
    /// Its last tick went wrong; it tries again.
    Backoff {
        /// How many in a row.
        failures: u32,
        /// When it tries again.
        until: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It went wrong too often: it waits for another script or for someone to resume it.
    Quarantined {
        /// What went wrong last.
        error: String,
    },
    /// No longer in the roster.
    Retired,
}

/// Why a bot rests.
#[derive(Debug, Clone, PartialEq)]
pub enum Rest {
    /// A pause within a visit.
    Pause,
    /// Until its next visit.
    NextVisit,
    /// Outside its waking hours.
    Night,
    /// The script asked for it.
    Asked,
    /// The world said so: a budget, a pause of the platform, a rate limit.
    Told {
        /// In words, like `gallery asked to wait 30 s`.
        by: String,
    },
}

impl Rest {
    /// The word in SQL.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::NextVisit => "next_visit",
            Self::Night => "night",
            Self::Asked => "asked",
            Self::Told { .. } => "told",
        }
    }
}

impl BotStatus {
    /// The word in SQL and JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Acting => "acting",
            Self::Asleep { .. } => "asleep",
            Self::Paused { .. } => "paused",
            Self::Backoff { .. } => "backoff",
            Self::Quarantined { .. } => "quarantined",
            Self::Retired => "retired",
        }
    }
}
