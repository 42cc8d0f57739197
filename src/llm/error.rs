//! Everything that can come of a call to a model besides an answer.
//!
//! Each names the provider, says whether the provider may have charged for it, and never holds its key.

use std::time::Duration;

use crate::model::failure::{Failure, FailureKind};
use crate::model::seconds::Seconds;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client could not be set up, for instance because the machine has no root certificates.
    #[error("could not set up the HTTP client for the provider `{provider}`")]
    Setup {
        /// For whom.
        provider: String,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// The key that the config names is not there.
    #[error("the provider `{provider}` has no key: {missing}")]
    NoKey {
        /// Whose.
        provider: String,
        /// The variable or file that should hold it.
        missing: String,
    },
    /// Too many calls are ahead of this one.
    #[error("too many calls are waiting for the provider `{provider}` (llm.max_concurrent, llm.requests_per_minute)")]
    Busy {
        /// Whose turn it would be.
        provider: String,
    },
    /// It asked us to wait.
    #[error("the provider `{provider}` asked us to wait {} s", .wait.as_secs_f64().ceil())]
    RateLimited {
        /// Who.
        provider: String,
        /// How long.
        wait: Duration,
    },
    /// The account there has nothing left to spend.
    #[error("the account at the provider `{provider}` has no credit left: {message}")]
    Quota {
        /// Where.
        provider: String,
        /// What it said.
        message: String,
    },
    /// It failed too often in a row and is left alone for a while.
    #[error("the provider `{provider}` failed too often in a row and is left alone for {} s", .wait.as_secs_f64().ceil())]
    Resting {
        /// Who.
        provider: String,
        /// For how long yet.
        wait: Duration,
    },
    /// It does not know our key, or does not allow the call.
    #[error("the provider `{provider}` does not accept our key (status {status}): {message}")]
    Unauthorized {
        /// Who.
        provider: String,
        /// 401 or 403.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The request is wrong and will stay wrong.
    #[error("the provider `{provider}` refused the request (status {status}): {message}")]
    Rejected {
        /// Who.
        provider: String,
        /// What it answered with.
        status: u16,
        /// What it said.
        message: String,
    },
    /// It is down or overloaded, and did nothing.
    #[error("the provider `{provider}` cannot be had: {why}")]
    Unavailable {
        /// Who.
        provider: String,
        /// What was seen.
        why: String,
        /// How long it asked to be left alone.
        wait: Option<Duration>,
        /// What the network said.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// It failed by itself, perhaps after it had done the work.
    #[error("the provider `{provider}` failed (status {status}): {message}")]
    Failed {
        /// Who.
        provider: String,
        /// 500 or above.
        status: u16,
        /// What it said.
        message: String,
        /// How long it asked to be left alone.
        wait: Option<Duration>,
    },
    /// The question was sent, and no whole answer came back.
    #[error("no whole answer from the provider `{provider}`: {why}")]
    Lost {
        /// From whom.
        provider: String,
        /// What was seen.
        why: String,
        /// What the network said.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The answer is none.
    #[error("the provider `{provider}` answered with something else than {expected}: {snippet}")]
    BadReply {
        /// Who.
        provider: String,
        /// What should have come.
        expected: String,
        /// What came: escaped and shortened.
        snippet: String,
    },
    /// The answer is longer than anyone should have to read.
    #[error("the answer of the provider `{provider}` is longer than {limit} bytes (llm.max_reply_kib)")]
    TooLarge {
        /// Whose.
        provider: String,
        /// The limit that it passed.
        limit: usize,
    },
    /// A picture to look at could not be had.
    #[error("the picture for a model cannot be had: {why}")]
    NoPicture {
        /// Why.
        why: String,
    },
}

impl Error {
    /// Whether the provider may have done the work, so that it may charge for it.
    pub fn may_cost(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Lost { .. } | Self::BadReply { .. } | Self::TooLarge { .. })
    }

    /// Whether it says that the provider is not well.
    pub(super) fn is_fault(&self) -> bool {
        self.may_cost() || matches!(self, Self::Unavailable { .. })
    }

    /// How long to wait at least before another attempt; nothing if another makes no sense.
    pub(super) fn again_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait, .. } => Some(*wait),
            Self::Unavailable { wait, .. } | Self::Failed { wait, .. } => Some(wait.unwrap_or_default()),
            _ => None,
        }
    }

    /// What a script is told.
    pub fn failure(&self) -> Failure {
        let (kind, wait) = match self {
            Self::RateLimited { wait, .. } => (FailureKind::RateLimited, Some(*wait)),
            Self::Busy { .. } => (FailureKind::RateLimited, None),
            Self::Quota { .. } => (FailureKind::Budget, None),
            Self::Resting { wait, .. } => (FailureKind::Unavailable, Some(*wait)),
            _ => (FailureKind::Unavailable, None),
        };
        let retry_after = wait.map(|wait| Seconds::clamped(wait.as_secs_f64()));
        Failure { retry_after, ..Failure::new(kind, self.to_string()) }
    }
}
