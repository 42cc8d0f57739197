//! Sends calls: headers, limits, retries, and a body that is never longer than allowed.
//!
//! Only what may be repeated is sent twice.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::{Client, Method, Response};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::debug;
use url::{Host, Url};

use crate::backoff::Backoff;
use crate::bucket::Bucket;
use crate::clock::Clock;
use crate::floimg::error::{Error, Upstream};
use crate::floimg::gate::{Ask, Gate, PATIENCE, after};
use crate::floimg::interpret::{Effect, Reply, interpret, snippet};

/// How long a call waits for its turn under the fleet's own limits.
const QUEUE: Duration = Duration::from_secs(30);
const RETRY: Backoff = Backoff { base: Duration::from_millis(250), cap: Duration::from_secs(4) };
/// How much of a reply is read that is no success; more says nothing more.
const ERROR_BODY: u64 = 64 * 1024;

/// One call, ready to be sent.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// The call in words, after "could not".
    pub what: &'static str,
    pub upstream: Upstream,
    pub effect: Effect,
    pub method: Method,
    /// Below the server's address; what others chose is one segment, whatever it holds.
    pub path: &'a [&'a str],
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
    pub agent: Option<&'a str>,
    pub timeout: Duration,
}

/// One server and the client that talks to it.
#[derive(Debug)]
pub(super) struct Server {
    pub url: Url,
    client: Client,
    turns: Semaphore,
}

impl Server {
    /// Makes the client for one server.
    ///
    /// Redirects are not followed: the token goes to the configured server only. The proxies named in the environment
    /// are used as everywhere, but never for this machine itself. For plain HTTP no root certificates are loaded, so
    /// that a bare machine can run against a studio of its own.
    pub(super) fn new(url: Url, connect_timeout: Duration, max_concurrent: usize) -> Result<Self, Error> {
        let own = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect_timeout)
            .referer(false);
        if own {
            builder = builder.no_proxy();
        }
        if url.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|source| Error::Setup { url: url.to_string(), source })?;
        Ok(Self { url, client, turns: Semaphore::new(max_concurrent.min(Semaphore::MAX_PERMITS)) })
    }
}

/// Everything that sending needs; shared by all clones of the client.
#[derive(Debug)]
pub(super) struct Sender {
    pub api: Server,
    /// Its own queue and breaker, even where it is the same machine: pictures are slow and must not hold up reading.
    pub workflows: Server,
    pub authorization: Option<HeaderValue>,
    pub user_agent: HeaderValue,
    pub gate: Arc<Gate>,
    pub clock: Clock,
    pub reads: Bucket,
    pub writes: Bucket,
    pub max_reply_bytes: u64,
    pub retries: u32,
}

impl Sender {
    /// Sends a call and reads its reply as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: Call<'_>, expected: &str) -> Result<T, Error> {
        self.send(&call, |body| {
            serde_json::from_slice(body)
                .map_err(|error| Error::BadReply { expected: format!("{expected} ({error})"), snippet: snippet(body) })
        })
        .await
    }

    /// Sends a call, again if it may be, and hands the body of a success to `read`.
    pub(super) async fn send<T>(&self, call: &Call<'_>, read: impl Fn(&[u8]) -> Result<T, Error>) -> Result<T, Error> {
        let started = Instant::now();
        let allowance = call.timeout.saturating_mul(3);
        let mut failures = 0;
        loop {
            let left = allowance.saturating_sub(started.elapsed());
            let error = match self.attempt(call, call.timeout.min(left), &read).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            failures += 1;
            let left = allowance.saturating_sub(started.elapsed());
            match self.pause_before_retry(call, &error, failures).filter(|pause| *pause < left) {
                Some(pause) => {
                    debug!(call = call.what, failures, ?pause, %error, "trying again");
                    tokio::time::sleep(pause).await;
                }
                None => return Err(error),
            }
        }
    }

    fn pause_before_retry(&self, call: &Call<'_>, error: &Error, failures: u32) -> Option<Duration> {
        if call.effect == Effect::Once || failures > self.retries {
            return None;
        }
        let asked = match error {
            Error::Unavailable { retry_after, .. } => retry_after.unwrap_or(Duration::ZERO),
            Error::OutcomeUnknown { .. } => Duration::ZERO,
            // The gate holds the call back for as long as was asked.
            Error::RateLimited { until } => self.clock.wall_until(*until),
            _ => return None,
        };
        (asked <= PATIENCE).then(|| asked.saturating_add(RETRY.delay(failures, rand::random())))
    }

    async fn attempt<T>(
        &self,
        call: &Call<'_>,
        timeout: Duration,
        read: &impl Fn(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let write = call.effect != Effect::Read;
        let ask = Ask { upstream: call.upstream, write, agent: call.agent };
        let server = self.server(call.upstream);
        let request = self.request(call, server)?;

        self.gate.check(ask)?;
        let bucket = if write { &self.writes } else { &self.reads };
        let turn = bucket.take(Instant::now(), QUEUE);
        let wait = turn.map_err(|wait| Error::RateLimited { until: after(&self.clock, wait) })?;
        tokio::time::sleep(wait).await;
        let unavailable =
            |why: &str| Error::Unavailable { call: call.what, why: why.to_owned(), retry_after: None, source: None };
        let turn = tokio::time::timeout(QUEUE, server.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(unavailable("too many calls are waiting for an answer")) };
        let pass = self.gate.enter(ask).await?;

        let started = Instant::now();
        let result = self.exchange(call, &server.client, request.timeout(timeout)).await;
        let result = match result {
            Ok(reply) => {
                debug!(call = call.what, status = reply.status.as_u16(), took = ?started.elapsed(), "answered");
                match interpret(&reply, call.what, call.upstream, call.effect, &self.clock) {
                    Some(error) => Err(error),
                    None => read(&reply.body).map_err(|error| in_doubt(call, error)),
                }
            }
            Err(error) => Err(error),
        };
        pass.settle(result)
    }

    fn server(&self, upstream: Upstream) -> &Server {
        match upstream {
            Upstream::Api => &self.api,
            Upstream::Workflows => &self.workflows,
        }
    }

    fn request(&self, call: &Call<'_>, server: &Server) -> Result<reqwest::RequestBuilder, Error> {
        let refused = |message: String| Error::Rejected { call: call.what, message, fields: Vec::new() };
        let mut url = server.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            for segment in call.path {
                // The address would lose these, and the call would go to another endpoint.
                if matches!(*segment, "" | "." | "..") {
                    return Err(refused(format!("`{segment}` is no id")));
                }
                segments.push(segment);
            }
        }
        let mut request = server.client.request(call.method.clone(), url).header(ACCEPT, "application/json");
        request = request.header(USER_AGENT, self.user_agent.clone());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(agent) = call.agent {
            let name = HeaderValue::from_str(agent).ok().filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| refused(format!("`{}` is no username", snippet(agent.as_bytes()))))?;
            request = request.header("X-Agent-Id", name);
        }
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        Ok(request)
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        client: &Client,
        request: reqwest::RequestBuilder,
    ) -> Result<Reply, Error> {
        let request = request.build().map_err(|source| not_sent(call, source))?;
        let mut response = client.execute(request).await.map_err(|source| lost(call, source))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = if status.is_success() {
            self.body(call, response).await?
        } else {
            // The status says enough, should the body break off.
            let mut body = Vec::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() as u64 > ERROR_BODY.min(self.max_reply_bytes) {
                    break;
                }
            }
            body
        };
        Ok(Reply { status, headers, body })
    }

    /// Reads a body as it comes, and stops as soon as it is too long.
    async fn body(&self, call: &Call<'_>, mut response: Response) -> Result<Vec<u8>, Error> {
        let limit = self.max_reply_bytes;
        let too_large = || in_doubt(call, Error::TooLarge { call: call.what, limit });
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|source| lost(call, source))? {
            if body.len() as u64 + chunk.len() as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The error of a call whose request never left.
fn not_sent(call: &Call<'_>, source: reqwest::Error) -> Error {
    let why = if source.is_dns() {
        "the server's name is not known"
    } else if source.is_connect() {
        "no connection to the server"
    } else {
        "the request could not be made"
    };
    Error::Unavailable { call: call.what, why: why.to_owned(), retry_after: None, source: Some(source) }
}

/// The error of a call whose reply was lost on the way.
fn lost(call: &Call<'_>, source: reqwest::Error) -> Error {
    if source.is_connect() || source.is_builder() {
        return not_sent(call, source);
    }
    let why = if source.is_timeout() { "no reply in time" } else { "the reply was lost" }.to_owned();
    match call.effect {
        Effect::Read => Error::Unavailable { call: call.what, why, retry_after: None, source: Some(source) },
        Effect::Repeatable | Effect::Once => {
            Error::OutcomeUnknown { call: call.what, why, source: Some(Box::new(source)) }
        }
    }
}

/// A success that cannot be read: a write was done, or was not, and its reply does not tell.
fn in_doubt(call: &Call<'_>, error: Error) -> Error {
    match error {
        Error::BadReply { .. } | Error::TooLarge { .. } if call.effect != Effect::Read => {
            let why = "the reply could not be read".to_owned();
            Error::OutcomeUnknown { call: call.what, why, source: Some(Box::new(error)) }
        }
        other => other,
    }
}
