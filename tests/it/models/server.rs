//! A provider that answers as a test tells it, and remembers what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;

/// What it answers with.
#[derive(Debug, Clone)]
pub enum Say {
    /// A proper completion with this text, 20 tokens in and 5 out.
    Text(&'static str),
    /// Any JSON.
    Json(Value),
    /// A status, a `Retry-After` and a body.
    Status(u16, Option<&'static str>, String),
    /// A success with any body.
    Body(&'static str),
    /// Nothing, for as long as anybody waits.
    Hang,
    /// Headers, and then a byte now and then.
    Drip,
    /// Half of a reply.
    Cut,
    /// A reply that never ends.
    Flood,
    /// A redirect to this place.
    Redirect(String),
}

/// One call that came in.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    says: VecDeque<Say>,
    asked: Vec<Asked>,
    /// Calls under way, and the most that ever were.
    now: usize,
    most: usize,
}

/// A server on a port of its own; it ends with its handle.
pub struct Server {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    _serving: JoinSet<()>,
}

impl Server {
    /// One that begins with these answers and repeats the last.
    pub async fn start(says: &[Say]) -> Self {
        let inner = Arc::new(Mutex::new(Inner { says: says.iter().cloned().collect(), ..Inner::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(any(answer)).with_state(inner.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, inner, _serving: serving }
    }

    /// Answers so from now on, and forgets what was asked before.
    pub fn says(&self, says: &[Say]) {
        let mut inner = self.lock();
        inner.says = says.iter().cloned().collect();
        inner.asked.clear();
    }

    /// What was asked since.
    pub fn asked(&self) -> Vec<Asked> {
        self.lock().asked.clone()
    }

    /// The most calls that were under way at one time.
    pub fn most(&self) -> usize {
        self.lock().most
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A proper completion.
pub fn completion(text: &str, usage: Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "mini-1",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": text } }],
        "usage": usage,
    })
}

struct Counted(Arc<Mutex<Inner>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now -= 1;
    }
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (say, _counted) = {
        let mut inner_now = inner.lock().unwrap_or_else(PoisonError::into_inner);
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        inner_now.asked.push(Asked { path: uri.path().to_owned(), headers, body });
        inner_now.now += 1;
        inner_now.most = inner_now.most.max(inner_now.now);
        let say = if inner_now.says.len() > 1 { inner_now.says.pop_front() } else { inner_now.says.front().cloned() };
        (say.unwrap_or(Say::Hang), Counted(inner.clone()))
    };
    let usage = json!({ "prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25 });
    match say {
        Say::Text(text) => axum::Json(completion(text, usage)).into_response(),
        Say::Json(body) => axum::Json(body).into_response(),
        Say::Status(status, retry_after, body) => {
            let mut response = (StatusCode::from_u16(status).expect("a status"), body).into_response();
            if let Some(wait) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, wait.parse().expect("a header"));
            }
            response
        }
        Say::Body(body) => body.into_response(),
        Say::Hang => std::future::pending().await,
        Say::Drip => {
            let every = tokio_stream::wrappers::IntervalStream::new(tokio::time::interval(Duration::from_millis(20)));
            Body::from_stream(every.map(|_| Ok::<_, Infallible>(" "))).into_response()
        }
        Say::Cut => {
            let half = completion("half", usage).to_string();
            let parts = [Ok(half[..half.len() / 2].to_owned()), Err(std::io::Error::other("cut"))];
            Body::from_stream(tokio_stream::iter(parts)).into_response()
        }
        Say::Flood => {
            let endless = tokio_stream::iter(std::iter::repeat_with(|| Ok::<_, Infallible>(" ".repeat(8192))));
            Body::from_stream(endless).into_response()
        }
        Say::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
    }
}
