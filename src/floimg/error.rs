//! Everything that can come of a call to the gallery besides a value.
//!
//! Whatever comes back over the wire ends as exactly one of these, and each says whether the thing was done.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::failure::{Failure, FailureKind};
use crate::model::seconds::Seconds;

/// What came of a call that brought no value.
///
/// Only [`Error::OutcomeUnknown`] may have changed something on the other side.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be made from these options.
    #[error("floimg client: `{option}` is {found}; expected {expected}")]
    Options {
        /// The field of [`Options`](crate::floimg::options::Options).
        option: &'static str,
        /// What it holds, never a secret.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The HTTP client could not be set up, for instance because the machine has no root certificates.
    #[error("could not set up the HTTP client for `{url}`")]
    Setup {
        /// For which server.
        url: String,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// Too many calls: the gallery said so, or the fleet's own limit did before it would have.
    #[error("the gallery takes no more calls of this kind until {until}")]
    RateLimited {
        /// When to try again.
        until: Timestamp,
    },
    /// The whole fleet's budget on the platform is used up.
    #[error("the fleet's {period} budget on the platform is used up until {until}{}", used(.usage))]
    FleetBudget {
        /// Which of its budgets.
        period: Period,
        /// When to look again.
        until: Timestamp,
        /// How much was used, when the platform said so.
        usage: Option<Usage>,
    },
    /// This bot's own budget on the platform is used up.
    #[error("this bot's {period} budget on the platform is used up until {until}{}", used(.usage))]
    AgentBudget {
        /// Which of its budgets.
        period: Period,
        /// When to look again.
        until: Timestamp,
        /// How much was used, when the platform said so.
        usage: Option<Usage>,
    },
    /// The platform's kill switch is on.
    #[error("the platform has paused all fleets; next look at {look_again}")]
    PlatformPaused {
        /// When the client lets the next probe through.
        look_again: Timestamp,
    },
    /// The request is wrong and will stay wrong.
    #[error("the gallery refused to {call}: {message}{}", listed(.fields))]
    Rejected {
        /// What was tried.
        call: &'static str,
        /// What the gallery said, or what the client saw before sending.
        message: String,
        /// The fields complained about, where named.
        fields: Vec<FieldIssue>,
    },
    /// The gallery does not know the service token.
    #[error("the gallery does not accept the service token: {message}")]
    Unauthorized {
        /// What the gallery said.
        message: String,
    },
    /// The gallery does not allow it.
    #[error("the gallery does not allow us to {call}: {message}")]
    Forbidden {
        /// What was tried.
        call: &'static str,
        /// What the gallery said.
        message: String,
    },
    /// What was asked for is not there, or not any more.
    #[error("could not {call}: not there")]
    NotFound {
        /// What was tried.
        call: &'static str,
    },
    /// The other side is down, slow or broken, and nothing was changed.
    #[error("could not {call}: {why}")]
    Unavailable {
        /// What was tried.
        call: &'static str,
        /// What was seen, like a status.
        why: String,
        /// How long the other side asked to be left alone.
        retry_after: Option<Duration>,
        /// What the network said.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// It was sent, and whether it was done nobody can tell before looking.
    #[error("could not learn whether it worked to {call}: {why}")]
    OutcomeUnknown {
        /// What was tried.
        call: &'static str,
        /// What was seen, like a status or a time-out.
        why: String,
        /// What lies below.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The reply is longer than anyone should have to read.
    #[error("the reply to {call} is longer than {limit} bytes; if it should be, raise the limit on replies")]
    TooLarge {
        /// What was tried.
        call: &'static str,
        /// The limit that it passed.
        limit: u64,
    },
    /// The reply is not what the gallery's API promises.
    #[error("expected {expected}, got {snippet}")]
    BadReply {
        /// What should have come.
        expected: String,
        /// What came: escaped, shortened.
        snippet: String,
    },
    /// The workflow server has no such generator or transform.
    #[error("the studio has no {what} `{wish}`; it offers {}", .offered.join(", "))]
    UnsupportedGenerator {
        /// `generator` or `transform`.
        what: &'static str,
        /// What the workflow asked for.
        wish: String,
        /// What is there.
        offered: Vec<String>,
    },
    /// The workflow ran and failed.
    #[error("the workflow failed: {message}")]
    WorkflowFailed {
        /// What the studio said.
        message: String,
        /// Its word for the failure, when it has one.
        code: Option<String>,
        /// Whether the studio says that another try makes sense.
        retryable: bool,
    },
    /// The workflow is wrong, and did not run.
    #[error("the workflow is wrong: {message}{}", listed(.issues))]
    WorkflowInvalid {
        /// What the studio said, or what the client saw before sending.
        message: String,
        /// What is wrong where.
        issues: Vec<StepIssue>,
    },
    /// The other side failed too often in a row and is left alone for a while.
    #[error("{upstream} failed too often in a row and is left alone until {until}")]
    BreakerOpen {
        /// Which side.
        upstream: Upstream,
        /// When the next try is let through.
        until: Timestamp,
    },
}

/// Which server a call goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// The gallery's API.
    Api,
    /// The server that runs workflows, be it the same or another.
    Workflows,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "the gallery",
            Self::Workflows => "the workflow server",
        })
    }
}

/// The span that a platform's budget counts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// A day.
    Daily,
    /// A month.
    Monthly,
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daily => "daily",
            Self::Monthly => "monthly",
        })
    }
}

/// How much of a platform's budget is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// This much.
    pub used: f64,
    /// Of this much.
    pub limit: f64,
}

/// A field of a request that the gallery complained about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldIssue {
    /// Its name or path; empty when not named.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for FieldIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.message) } else { write!(f, "`{}`: {}", self.field, self.message) }
    }
}

/// What is wrong with one step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepIssue {
    /// Which step, from 0, when it is about one.
    pub step: Option<u32>,
    /// Which of its parameters, when it is about one.
    pub parameter: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for StepIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "step {}", step.saturating_add(1))?,
            None => f.write_str("workflow")?,
        }
        if let Some(parameter) = &self.parameter {
            write!(f, ", `{parameter}`")?;
        }
        write!(f, ": {}", self.message)
    }
}

fn used(usage: &Option<Usage>) -> String {
    usage.map_or_else(String::new, |usage| format!(" ({} of {} used)", usage.used, usage.limit))
}

fn listed<T: fmt::Display>(items: &[T]) -> String {
    if items.is_empty() {
        return String::new();
    }
    format!(" ({})", items.iter().map(T::to_string).collect::<Vec<_>>().join("; "))
}

impl Error {
    /// The same as a script sees it.
    ///
    /// `until` is set for budgets, which a bot sleeps through; everything else that ends by itself sets `retry_after`.
    pub fn failure(&self, now: Timestamp) -> Failure {
        let wait = |until: Timestamp| Some(Seconds::clamped(until.duration_since(now).as_secs_f64()));
        let (kind, retry_after, until) = match self {
            Self::RateLimited { until } => (FailureKind::RateLimited, wait(*until), None),
            Self::FleetBudget { until, .. } | Self::AgentBudget { until, .. } => {
                (FailureKind::Budget, wait(*until), Some(*until))
            }
            Self::PlatformPaused { look_again } => (FailureKind::Paused, wait(*look_again), None),
            Self::Rejected { .. } | Self::WorkflowInvalid { .. } => (FailureKind::Rejected, None, None),
            Self::WorkflowFailed { retryable: false, .. } => (FailureKind::Rejected, None, None),
            Self::Unauthorized { .. } | Self::Forbidden { .. } => (FailureKind::Forbidden, None, None),
            Self::NotFound { .. } => (FailureKind::NotFound, None, None),
            Self::Unavailable { retry_after, .. } => {
                (FailureKind::Unavailable, retry_after.map(|wait| Seconds::clamped(wait.as_secs_f64())), None)
            }
            Self::BreakerOpen { until, .. } => (FailureKind::Unavailable, wait(*until), None),
            Self::WorkflowFailed { retryable: true, .. }
            | Self::TooLarge { .. }
            | Self::BadReply { .. }
            | Self::Options { .. }
            | Self::Setup { .. } => (FailureKind::Unavailable, None, None),
            Self::OutcomeUnknown { .. } => (FailureKind::Unknown, None, None),
            Self::UnsupportedGenerator { .. } => (FailureKind::Unsupported, None, None),
        };
        Failure { kind, message: self.to_string(), retry_after, until }
    }

    /// Whether the other side is at fault: down, slow or broken.
    pub(super) fn is_fault(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::OutcomeUnknown { .. })
    }
}
