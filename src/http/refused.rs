//! A refusal: what the outside is told when there is no answer.
//!
//! Every error leaves the process as `{error, hint?}`; its inner cause is logged once, here, and goes no further.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tracing::{error, warn};

use super::wire::Problem;
use crate::runtime::fleet;

/// Why there is no answer, for the outside.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    error: String,
    hint: Option<String>,
    retry_after: Option<HeaderValue>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: None, retry_after: None }
    }

    /// The request is wrong.
    pub(super) fn wrong(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// A field of the request is wrong.
    pub(super) fn field(name: &str, value: &str, expected: &str) -> Self {
        Self::wrong(format!("`{name}` is `{}`: expected {expected}", clipped(value)))
    }

    /// There is no such thing.
    pub(super) fn missing(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// Not now.
    pub(super) fn later(error: impl Into<String>, seconds: u32) -> Self {
        let retry_after = Some(HeaderValue::from(seconds));
        Self { retry_after, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error) }
    }

    /// The fleet took too long.
    pub(super) fn slow(limit: Duration) -> Self {
        let seconds = limit.as_secs();
        warn!(seconds, "the fleet did not answer the status API in time");
        Self::later(format!("the fleet did not answer within {seconds} s"), 5)
            .hint("it may be busy and still do what was asked: look again before repeating it")
    }

    /// Our own fault.
    pub(super) fn broken() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the fleet could not answer").hint("its log says why")
    }

    /// The same with what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is said to the outside.
    pub(super) fn error(&self) -> &str {
        &self.error
    }
}

impl From<fleet::Error> for Refused {
    fn from(problem: fleet::Error) -> Self {
        match problem {
            fleet::Error::Stopping => Self::later("the fleet is stopping", 5).hint("try again once it runs"),
            fleet::Error::Store(_) => {
                error!(error = &problem as &dyn std::error::Error, "the status API could not answer");
                Self::broken()
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Problem { error: self.error, hint: self.hint })).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// The longest part of a request that an error repeats, in characters.
const LONGEST_QUOTE: usize = 80;

/// A part of the request, short enough to be repeated.
pub(super) fn clipped(text: &str) -> String {
    let mut clipped: String = text.chars().take(LONGEST_QUOTE).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped
}

/// The answer where nothing is served.
pub(super) async fn nothing_here(uri: Uri) -> Refused {
    Refused::missing(format!("there is nothing at `{}`", clipped(uri.path())))
        .hint("GET /openapi.json lists what there is")
}

/// The answer to a method that a path does not have.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> Refused {
    let what = format!("`{}` does not take {}", clipped(uri.path()), clipped(method.as_str()));
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, what).hint("the Allow header names what it takes")
}
