//! A failure: what the world did to us, as a script sees it.

use std::fmt;

use jiff::Timestamp;

use crate::model::seconds::Seconds;

/// The closed set of what can go wrong outside a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The gallery asked us to wait.
    RateLimited,
    /// This bot's or the fleet's budget on the platform is used up.
    Budget,
    /// The platform's kill switch or the operator stopped all actions.
    Paused,
    /// What was asked for is not there, or not there any more.
    NotFound,
    /// The gallery does not allow it, or does not know us.
    Forbidden,
    /// The gallery says that the request is wrong.
    Rejected,
    /// The other side is down, slow or broken.
    Unavailable,
    /// The request was sent and nobody can tell what came of it.
    Unknown,
    /// The host's own limit: actions per hour or day.
    Limit,
    /// Done before: a post is liked once, a comment is answered once.
    AlreadyDone,
    /// A bot does not like, remix or talk to itself.
    OwnPost,
    /// Too like something this bot wrote in the last 30 days.
    DuplicateText,
    /// Faster than a person could have typed it.
    TooSoon,
    /// The studio does not offer this generator or transform.
    Unsupported,
}

impl FailureKind {
    /// Every kind, for stubs and tests.
    pub const ALL: [Self; 14] = [
        Self::RateLimited,
        Self::Budget,
        Self::Paused,
        Self::NotFound,
        Self::Forbidden,
        Self::Rejected,
        Self::Unavailable,
        Self::Unknown,
        Self::Limit,
        Self::AlreadyDone,
        Self::OwnPost,
        Self::DuplicateText,
        Self::TooSoon,
        Self::Unsupported,
    ];

    /// The word that scripts compare with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Budget => "budget",
            Self::Paused => "paused",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
            Self::Limit => "limit",
            Self::AlreadyDone => "already_done",
            Self::OwnPost => "own_post",
            Self::DuplicateText => "duplicate_text",
            Self::TooSoon => "too_soon",
            Self::Unsupported => "unsupported",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What went wrong, in words for the script's author, and when it is worth trying again.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Which of the closed set.
    pub kind: FailureKind,
    /// One sentence without a full stop.
    pub message: String,
    /// Seconds until another try makes sense, where known.
    pub retry_after: Option<Seconds>,
    /// When the platform's budget or pause ends; the bot sleeps until then.
    pub until: Option<Timestamp>,
}

impl Failure {
    /// A failure without a known end.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, until: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}
