//! A server that does what is asked of it, well or badly, and writes down what it was sent.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

#[derive(Clone)]
struct Desk {
    seen: Arc<Mutex<Vec<Seen>>>,
    count: watch::Sender<usize>,
    gate: Arc<Notify>,
}

/// The server.
pub struct Server {
    address: SocketAddr,
    desk: Desk,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let desk = Desk { seen: Arc::default(), count: watch::Sender::new(0), gate: Arc::default() };
        let router = Router::new()
            .route("/redirect", any(redirect))
            .route("/long/{bytes}", any(|Path(bytes): Path<usize>| async move { "x".repeat(bytes) }))
            .route("/endless", any(|| async { Body::from_stream(stream::repeat_with(|| piece(&[b'x'; 4096]))) }))
            .route("/bomb", any(|| async { zipped(&vec![0; 64 << 20]) }))
            .route("/zipped", any(|| async { zipped(b"hello hello hello") }))
            .route("/drip", any(|| async { Body::from_stream(stream::unfold((), drip)) }))
            .route("/silent", any(std::future::pending::<StatusCode>))
            .route("/gate", any(gate))
            .route("/missing", any(|| async { StatusCode::NOT_FOUND }))
            .fallback(any(|| async { ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], "{\"ok\":true}") }))
            .layer(axum::middleware::from_fn_with_state(desk.clone(), write_down))
            .with_state(desk.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned());
            served.await.expect("served");
        });
        Self { address, desk, stop, tasks }
    }

    /// What grants this server.
    pub fn grant(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn redirect_path(&self, status: u16, to: &str) -> String {
        let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        format!("/redirect?status={status}&to={to}")
    }

    /// An address that redirects.
    pub fn redirect(&self, status: u16, to: &str) -> String {
        self.url(&self.redirect_path(status, to))
    }

    pub fn hits(&self) -> usize {
        *self.desk.count.borrow()
    }

    pub async fn until_hits(&self, count: usize) {
        let mut hits = self.desk.count.subscribe();
        hits.wait_for(|hits| *hits >= count).await.expect("the server lives");
    }

    /// What came in last.
    pub fn last(&self) -> Seen {
        self.desk.seen.lock().expect("whole").last().expect("a request").clone()
    }

    /// What came in first.
    pub fn first(&self) -> Seen {
        self.desk.seen.lock().expect("whole").first().expect("a request").clone()
    }

    pub fn open_gate(&self) {
        self.desk.gate.notify_one();
    }

    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn write_down(State(desk): State<Desk>, request: Request, next: axum::middleware::Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let seen = Seen {
        method: parts.method.to_string(),
        uri: parts.uri.to_string(),
        headers: parts.headers.clone(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    desk.seen.lock().expect("whole").push(seen);
    desk.count.send_modify(|count| *count += 1);
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

#[derive(serde::Deserialize)]
struct To {
    status: u16,
    to: String,
}

async fn redirect(Query(To { status, to }): Query<To>) -> Response {
    (StatusCode::from_u16(status).expect("a status"), [(header::LOCATION, to)]).into_response()
}

async fn gate(State(desk): State<Desk>) -> StatusCode {
    desk.gate.notified().await;
    StatusCode::OK
}

fn piece(bytes: &[u8]) -> Result<Bytes, std::io::Error> {
    Ok(Bytes::copy_from_slice(bytes))
}

async fn drip((): ()) -> Option<(Result<Bytes, std::io::Error>, ())> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    Some((piece(b"x"), ()))
}

fn zipped(bytes: &[u8]) -> Response {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("written");
    ([(header::CONTENT_ENCODING, "gzip")], encoder.finish().expect("zipped")).into_response()
}
