//! Faults on demand: the studio misbehaves as it is told.
//!
//! What is told is exact: which calls, how often, before or after the effect.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Shared;
use super::answer::{ApiError, JsonBody};
use super::connection::Cut;

/// One fault: which calls it strikes, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    #[serde(rename = "match", default)]
    calls: Calls,
    kind: Kind,
    /// How long the call is held up.
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Seconds, or whatever else should stand in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
    /// How often it strikes yet; without it, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// How likely it strikes, 0 to 1; without it, always.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    /// How often it has struck.
    #[serde(default)]
    struck: u64,
}

/// Which calls a fault strikes. Without a path, every call of the API.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Calls {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// How the path begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The username in `X-Agent-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// The call is held up for `millis`, then goes on.
    Latency,
    /// Answered with `status` and a plain error.
    Status,
    /// Answered with the platform's `code`, `reset_at` and `usage`.
    Code,
    /// The connection ends before anything happens.
    Drop,
    /// The call is carried out, and the connection ends before the reply.
    DropAfter,
    /// A proxy's page in place of the reply.
    Html,
    /// A reply of 128 MiB.
    Huge,
    /// A reply that calls itself JSON and is none.
    Garbage,
}

impl Calls {
    fn meet(&self, method: &Method, path: &str, agent: Option<&str>) -> bool {
        path.starts_with(self.path.as_deref().unwrap_or("/api/"))
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self.agent.as_deref().is_none_or(|wanted| Some(wanted) == agent)
    }
}

impl Fault {
    fn check(&self, place: usize) -> Result<(), String> {
        let wrong = |key: &str, expected: &str| Err(format!("faults[{place}].{key}: expected {expected}"));
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return wrong("probability", "a number from 0 to 1");
        }
        if self.kind == Kind::Latency && self.millis.is_none_or(|millis| millis > 600_000) {
            return wrong("millis", "0 to 600000 for the kind `latency`");
        }
        if self.kind == Kind::Status && self.status.is_none() {
            return wrong("status", "an HTTP status for the kind `status`");
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return wrong("status", "200 to 599");
        }
        if self.kind == Kind::Code && self.code.is_none() {
            return wrong("code", "a code like `FLEET_PAUSED` for the kind `code`");
        }
        if self.retry_after.as_ref().is_some_and(|value| !(value.is_string() || value.is_number())) {
            return wrong("retry_after", "seconds or a text");
        }
        Ok(())
    }

    fn status(&self, otherwise: StatusCode) -> StatusCode {
        self.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(otherwise)
    }

    fn with_retry_after(&self, mut response: Response) -> Response {
        let text =
            self.retry_after.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }

    fn coded(&self) -> Response {
        let code = self.code.as_deref().unwrap_or_default();
        let status =
            if code == "FLEET_PAUSED" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::TOO_MANY_REQUESTS };
        let mut body = json!({ "error": format!("refused as told: {code}"), "code": code });
        if let Some(reset_at) = &self.reset_at {
            body["resetAt"] = json!(reset_at);
        }
        if let Some(usage) = &self.usage {
            body["usage"] = usage.clone();
        }
        self.with_retry_after((self.status(status), axum::Json(body)).into_response())
    }
}

/// The faults that are on.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Mutex<Vec<Fault>>,
}

impl Faults {
    /// The faults as they are now, with what is left of them.
    pub(super) fn show(&self) -> Value {
        json!({ "faults": *self.lock() })
    }

    /// Puts these in the place of all others.
    pub(super) fn set(&self, body: Value) -> Result<(), String> {
        let list = match body {
            Value::Object(mut map) if map.len() == 1 && map.contains_key("faults") => map.remove("faults"),
            other => Some(other),
        };
        let list: Vec<Fault> = serde_path_to_error::deserialize(list.unwrap_or_default())
            .map_err(|error| format!("faults{}: {}", error.path(), error.inner()))?;
        for (place, fault) in list.iter().enumerate() {
            fault.check(place)?;
        }
        *self.lock() = list;
        Ok(())
    }

    /// Takes all off.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Which strike this call: any delays, and the first other.
    fn strike(&self, method: &Method, path: &str, agent: Option<&str>) -> (Duration, Option<Fault>) {
        let mut delay = Duration::ZERO;
        for fault in self.lock().iter_mut() {
            let meets = fault.times != Some(0) && fault.calls.meet(method, path, agent);
            if !meets || fault.probability.is_some_and(|p| !rand::random_bool(p)) {
                continue;
            }
            fault.struck += 1;
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            if fault.kind != Kind::Latency {
                return (delay, Some(fault.clone()));
            }
            delay += Duration::from_millis(fault.millis.unwrap_or_default());
        }
        (delay, None)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Strikes calls before they reach the API. What sets the faults is never struck.
pub(super) async fn strike(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/admin/faults") || path.starts_with("/api/admin/audit") {
        return next.run(request).await;
    }
    let agent = request.headers().get("x-agent-id").and_then(|value| value.to_str().ok());
    let (delay, fault) = shared.faults.strike(request.method(), path, agent);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let Some(fault) = fault else { return next.run(request).await };
    let cut = request.extensions().get::<ConnectInfo<Cut>>().map(|info| info.0.clone());
    match fault.kind {
        Kind::Latency => next.run(request).await,
        Kind::Status => {
            let status = fault.status(StatusCode::INTERNAL_SERVER_ERROR);
            let body = axum::Json(json!({ "error": format!("failed as told: {status}") }));
            fault.with_retry_after((status, body).into_response())
        }
        Kind::Code => fault.coded(),
        Kind::Drop => broken(cut),
        Kind::DropAfter => {
            let reply = next.run(request).await;
            // A reply that comes in pieces is heard out, so that everything it stands for has happened.
            let whole = axum::body::to_bytes(reply.into_body(), usize::MAX);
            // A stream of events never ends; whatever else it was, the reply is lost.
            let _ = tokio::time::timeout(Duration::from_secs(60), whole).await;
            broken(cut)
        }
        Kind::Html => {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
            let kind = [(header::CONTENT_TYPE, "text/html")];
            fault.with_retry_after((fault.status(StatusCode::BAD_GATEWAY), kind, page).into_response())
        }
        Kind::Huge => {
            let head = Bytes::from_static(b"{\"items\":[],\"filler\":\"");
            let piece = Bytes::from(vec![b'a'; 1 << 20]);
            let pieces = std::iter::once(head)
                .chain(std::iter::repeat_n(piece, 128))
                .chain(std::iter::once(Bytes::from_static(b"\"}")))
                .map(Ok::<_, std::io::Error>);
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (fault.status(StatusCode::OK), kind, Body::from_stream(stream::iter(pieces))).into_response()
        }
        Kind::Garbage => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (fault.status(StatusCode::OK), kind, "{\"items\": [}\u{fffd} not json").into_response()
        }
    }
}

/// A reply that never arrives. Without a connection, as when called in process, its body fails.
fn broken(cut: Option<Cut>) -> Response {
    if let Some(cut) = cut {
        cut.now();
    }
    let end = stream::iter([Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))]);
    Body::from_stream(end).into_response()
}

/// Shows the faults.
pub(super) async fn show(State(shared): State<Shared>) -> axum::Json<Value> {
    axum::Json(shared.faults.show())
}

/// Sets the faults.
pub(super) async fn set(State(shared): State<Shared>, JsonBody(body): JsonBody) -> Result<axum::Json<Value>, ApiError> {
    shared.faults.set(body).map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, error))?;
    Ok(axum::Json(shared.faults.show()))
}

/// Takes all faults off.
pub(super) async fn clear(State(shared): State<Shared>) -> axum::Json<Value> {
    shared.faults.clear();
    axum::Json(shared.faults.show())
}
