//! Answers: what is read from a call's body, and how a refusal is worded.
//!
//! Whatever went wrong inside, the caller learns a status, a sentence and what the platform's clients look for.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tracing::error;

use super::desk::Refusal;
use super::pictures::PictureError;
use super::render::StepError;
use super::wire::Issue;

/// The largest body that is read.
const BODY: usize = 1 << 20;
/// How long a body may take to arrive.
const BODY_TIME: std::time::Duration = std::time::Duration::from_secs(30);
/// An error as the platform words it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: Value,
    retry_after: Option<u32>,
}

impl ApiError {
    /// An error with a sentence.
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, body: json!({ "error": error.into() }), retry_after: None }
    }

    /// A mistake of ours, of which the caller learns no more.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    }

    /// An error with a word for programs.
    pub(super) fn coded(status: StatusCode, code: &str, error: impl Into<String>) -> Self {
        let mut this = Self::new(status, error);
        this.body["code"] = json!(code);
        this
    }

    /// An error about fields of the body.
    pub(super) fn issues(issues: &[Issue]) -> Self {
        let body = json!({ "error": "Validation failed", "errors": issues });
        Self { status: StatusCode::BAD_REQUEST, body, retry_after: None }
    }

    /// A workflow whose steps cannot run.
    pub(super) fn steps(found: &[StepError]) -> Self {
        let issues: Vec<Value> = found.iter().map(issue_of).collect();
        let error = found.first().map_or("The workflow is not valid", |step| step.message.as_str());
        let body = json!({
            "status": "error", "error": error, "errorCode": "VALIDATION_ERROR", "validationIssues": issues,
        });
        Self { status: StatusCode::BAD_REQUEST, body, retry_after: None }
    }

    /// The sentence.
    pub(super) fn sentence(&self) -> &str {
        self.body["error"].as_str().unwrap_or("Something went wrong")
    }

    /// The status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Vec<Issue>> for ApiError {
    fn from(issues: Vec<Issue>) -> Self {
        Self::issues(&issues)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoItem => Self::new(StatusCode::NOT_FOUND, "Showcase item not found"),
            Refusal::NoAccount => Self::new(StatusCode::NOT_FOUND, "User not found"),
            Refusal::NoImage => Self::issues(&[Issue::custom("imageUrl", NO_IMAGE)]),
            Refusal::Taken(username) => {
                let error = format!("The username `{username}` belongs to another account");
                Self::coded(StatusCode::CONFLICT, "USERNAME_TAKEN", error)
            }
            Refusal::Disk => {
                let error = "The studio cannot write to its disk; nothing was changed";
                let mut this = Self::coded(StatusCode::SERVICE_UNAVAILABLE, "STORAGE_UNAVAILABLE", error);
                this.retry_after = Some(10);
                this
            }
        }
    }
}

impl From<PictureError> for ApiError {
    fn from(error: PictureError) -> Self {
        let mut this = match error {
            PictureError::Busy => {
                let mut this = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Too many pictures are being drawn");
                this.retry_after = Some(5);
                this.body["retryable"] = json!(true);
                this
            }
            PictureError::Step(step) if step.is_validation => Self::steps(&[step]),
            PictureError::Step(step) => {
                let error = format!("Step {}: {}", step.step + 1, step.message);
                let mut this = Self::new(StatusCode::INTERNAL_SERVER_ERROR, error);
                this.body["errorCode"] = json!(step.code);
                this.body["errorCategory"] = json!("user_input");
                this.body["retryable"] = json!(false);
                this
            }
            PictureError::Broken(error) => {
                error!(error, "could not draw a picture");
                let mut this = Self::internal();
                this.body["retryable"] = json!(true);
                this
            }
        };
        this.body["status"] = json!("error");
        this
    }
}

/// What is said to a post whose picture is not ours.
pub(super) const NO_IMAGE: &str =
    "Must be the address of a picture that this studio made, like /api/storage/images/{id}/content";

/// A body that is JSON; nothing at all is read as `{}`.
pub(super) struct JsonBody(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = read_body(request).await?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Value::Object(Map::new())));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {error}")))
    }
}

/// A body, within its size and its time.
pub(super) async fn read_body(request: Request) -> Result<Bytes, ApiError> {
    let whole = axum::body::to_bytes(request.into_body(), BODY);
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body has more than {BODY} bytes, or broke off"),
        )),
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "The body took too long")),
    }
}

impl JsonBody {
    /// The body as an object.
    pub(super) fn object(&self) -> Result<&Map<String, Value>, ApiError> {
        self.0.as_object().ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "The body must be a JSON object"))
    }
}

fn issue_of(step: &StepError) -> Value {
    let mut issue = json!({ "code": step.code, "message": step.message, "stepIndex": step.step });
    if let Some(parameter) = &step.parameter {
        issue["parameterName"] = json!(parameter);
    }
    issue
}
