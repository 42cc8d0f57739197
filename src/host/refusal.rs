//! Why a host call brought no value: the one error policy, before it becomes Luau.

use crate::floimg;
use crate::model::failure::{Failure, FailureKind};
use crate::store;

/// What a script is told instead of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The world refused: `nil, failure`.
    Failure(Failure),
    /// The script is wrong: raised, with a message for its author.
    Wrong(String),
    /// The bot is stopping: raised.
    Stopping,
}

impl Refusal {
    /// A failure without a known end.
    pub fn failure(kind: FailureKind, message: impl Into<String>) -> Self {
        Self::Failure(Failure::new(kind, message))
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the store failed a bot");
        Self::failure(FailureKind::Unavailable, format!("the host's own store failed: {error}"))
    }
}

impl Refusal {
    /// What the gallery's error means to a script.
    pub fn of_gallery(error: &floimg::error::Error, now: jiff::Timestamp) -> Self {
        Self::Failure(error.failure(now))
    }
}
