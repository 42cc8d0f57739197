//! What keeps a request of a script from being answered.
//!
//! Each message names the host and what to do; none repeats a header or a body.

use crate::model::failure::{Failure, FailureKind};

use super::Verb;
use super::resolver::NotPublic;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be made.
    #[error("could not make the client for scripts' requests")]
    Setup {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It is no address that can be called.
    #[error("`{url}` cannot be called: {why}")]
    BadUrl {
        /// The address.
        url: String,
        /// Why.
        why: &'static str,
    },
    /// Nobody granted the host.
    #[error("the host `{host}` is not granted")]
    NotGranted {
        /// The host.
        host: String,
    },
    /// The name leads to an address inside a private network.
    #[error("the host is refused: {why}")]
    Private {
        /// Why.
        why: String,
    },
    /// The reply sends us where we may not go.
    #[error("the reply redirects to `{to}`")]
    Redirect {
        /// Where to.
        to: String,
        /// Why not there.
        #[source]
        source: Box<Self>,
    },
    /// The reply sends us nowhere.
    #[error("the reply redirects to `{to}`, which is no address")]
    BadRedirect {
        /// Where to.
        to: String,
    },
    /// One redirect leads to another.
    #[error("there are more than {limit} redirects")]
    TooManyRedirects {
        /// How many are followed.
        limit: usize,
    },
    /// The body is too long to be sent.
    #[error("the body has {bytes} bytes, and at most {limit} are sent (web.max_request_kib)")]
    RequestTooLarge {
        /// Its length.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The reply is too long to be read.
    #[error("the reply is longer than {limit} bytes (web.max_reply_kib)")]
    ReplyTooLarge {
        /// What was asked.
        verb: Verb,
        /// How long it may be.
        limit: usize,
    },
    /// The client is closed.
    #[error("too many requests are under way")]
    Busy,
    /// It was not sent.
    #[error("not sent: {why}")]
    NotSent {
        /// Why.
        why: &'static str,
        /// The cause.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// It was sent, or nobody knows.
    #[error("{why}")]
    Lost {
        /// What was asked.
        verb: Verb,
        /// What happened.
        why: String,
        /// The cause.
        #[source]
        source: Option<reqwest::Error>,
    },
}

impl Error {
    pub(super) fn lost(verb: Verb, why: String) -> Self {
        Self::Lost { verb, why, source: None }
    }

    pub(super) fn of_sending(verb: Verb, source: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&source);
        while let Some(error) = cause {
            if let Some(private) = error.downcast_ref::<NotPublic>() {
                return Self::Private { why: private.to_string() };
            }
            cause = error.source();
        }
        let why = if source.is_dns() {
            "the host's name is not known"
        } else if source.is_connect() {
            "no connection to the host"
        } else if source.is_builder() {
            "the request could not be made"
        } else {
            return Self::Lost { verb, why: "no reply".to_owned(), source: Some(source) };
        };
        Self::NotSent { why, source: Some(source) }
    }

    pub(super) fn of_reading(verb: Verb, source: reqwest::Error) -> Self {
        let why = if source.is_decode() { "the reply cannot be decompressed" } else { "the reply broke off" };
        Self::Lost { verb, why: why.to_owned(), source: Some(source) }
    }

    /// What a script is told.
    pub fn failure(&self) -> Failure {
        let kind = match self {
            Self::NotGranted { .. } | Self::Private { .. } | Self::Redirect { .. } => FailureKind::Forbidden,
            Self::BadUrl { .. } | Self::RequestTooLarge { .. } => FailureKind::Rejected,
            // A request that does something may have done it, whatever became of the reply.
            Self::Lost { verb: Verb::Post, .. } | Self::ReplyTooLarge { verb: Verb::Post, .. } => FailureKind::Unknown,
            Self::ReplyTooLarge { .. } => FailureKind::Limit,
            Self::Setup { .. }
            | Self::BadRedirect { .. }
            | Self::TooManyRedirects { .. }
            | Self::Busy
            | Self::NotSent { .. }
            | Self::Lost { .. } => FailureKind::Unavailable,
        };
        let message = match self {
            Self::Redirect { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        };
        Failure::new(kind, message)
    }
}
