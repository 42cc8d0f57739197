//! Requests of scripts to hosts that the operator granted.
//!
//! Nothing is sent to a host without a grant or to an address that is not public, not even after a redirect.

mod address;
mod error;
mod headers;
mod resolver;
mod sign;

pub use address::is_public;
pub use error::Error;
pub use headers::{Headers, WrongHeader};
pub use resolver::{Lookup, system_lookup};

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use reqwest::{Client, Method, StatusCode};
use tokio::sync::Semaphore;
use url::{Host, Origin, Url};

use crate::model::grant::HostGrant;
use crate::secret::Secret;
use resolver::Checked;

/// Most redirects of one call.
const REDIRECTS: usize = 3;
/// The longest address.
const URL_BYTES: usize = 2048;
/// Idle connections that are kept to one host.
const IDLE: usize = 2;

/// The client of all scripts.
#[derive(Debug, Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    turns: Semaphore,
}

/// What one call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take, with its redirects and its wait for a turn.
    pub timeout: Duration,
    /// The longest body that is sent.
    pub request_bytes: usize,
    /// The longest body that is read, after decompression.
    pub reply_bytes: usize,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Copy)]
pub enum Verb {
    /// Reads.
    Get,
    /// Does something.
    Post,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked.
    pub verb: Verb,
    /// Where.
    pub url: String,
    /// The script's own headers.
    pub headers: Headers,
    /// What is sent, and its type unless a header names another.
    pub body: Option<(Vec<u8>, &'static str)>,
    /// The key to sign the body with.
    pub key: Option<Secret>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers in lower case; several of one name are joined by commas.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the other side calls it JSON.
    pub fn is_json(&self) -> bool {
        let kind = self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
    }
}

impl Web {
    /// A client that makes so many calls at one time, and finds addresses by `lookup`.
    ///
    /// The proxies named in the environment are not used: behind one, nobody could tell which address is called.
    ///
    /// # Errors
    /// When the system's root certificates cannot be read.
    pub fn new(max_concurrent: usize, connect_timeout: Duration, lookup: Lookup) -> Result<Self, Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(connect_timeout)
            .pool_max_idle_per_host(IDLE)
            .dns_resolver(Arc::new(Checked::new(lookup)))
            .build()
            .map_err(|source| Error::Setup { source })?;
        let turns = Semaphore::new(max_concurrent.clamp(1, Semaphore::MAX_PERMITS));
        Ok(Self { inner: Arc::new(Inner { client, turns }) })
    }

    /// Sends a request to a granted host, and on to where it redirects if that is granted too.
    ///
    /// # Errors
    /// What kept it from being answered.
    pub async fn fetch(&self, grants: &[HostGrant], request: Request, limits: Limits) -> Result<Reply, Error> {
        let url = parse(&request.url)?;
        if let Some((body, _)) = &request.body
            && body.len() > limits.request_bytes
        {
            return Err(Error::RequestTooLarge { bytes: body.len(), limit: limits.request_bytes });
        }
        allowed(grants, &url)?;
        let verb = request.verb;
        match tokio::time::timeout(limits.timeout, self.follow(grants, url, request, limits)).await {
            Ok(result) => result,
            Err(_) => Err(Error::lost(verb, format!("no reply within {} seconds", limits.timeout.as_secs_f64()))),
        }
    }

    async fn follow(
        &self,
        grants: &[HostGrant],
        mut url: Url,
        request: Request,
        limits: Limits,
    ) -> Result<Reply, Error> {
        let busy = || Error::Busy;
        let _turn = self.inner.turns.acquire().await.map_err(|_| busy())?;
        let mut headers = request.headers.to_map();
        let mut body = request.body;
        if let Some((_, kind)) = &body
            && !headers.contains_key(CONTENT_TYPE)
        {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if let (Some(key), Some((body, _))) = (&request.key, &body) {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            for (name, value) in sign::headers(key, now, body) {
                headers.insert(name, value);
            }
        }
        let mut method = match request.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
        };
        for redirects in 0..=REDIRECTS {
            let verb = if method == Method::POST { Verb::Post } else { Verb::Get };
            let mut sent = self.inner.client.request(method.clone(), url.clone()).headers(headers.clone());
            sent = sent.header(USER_AGENT, concat!("floimg-fleet/", env!("CARGO_PKG_VERSION")));
            if let Some((body, _)) = &body {
                sent = sent.body(body.clone());
            }
            let response = sent.send().await.map_err(|source| Error::of_sending(verb, source))?;
            let Some(target) = target(&response) else { return read(response, verb, limits).await };
            if redirects == REDIRECTS {
                return Err(Error::TooManyRedirects { limit: REDIRECTS });
            }
            let next = url.join(&target).map_err(|_| Error::BadRedirect { to: shorten(&target) })?;
            let next = parse(next.as_str()).map_err(|_| Error::BadRedirect { to: shorten(&target) })?;
            allowed(grants, &next).map_err(|error| Error::Redirect { to: host_of(&next), source: Box::new(error) })?;
            let status = response.status();
            if status == StatusCode::SEE_OTHER
                || (method == Method::POST && matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND))
            {
                method = Method::GET;
                body = None;
                headers.remove(CONTENT_TYPE);
                sign::strip(&mut headers);
            }
            if !same_origin(&url, &next) {
                headers = headers::without_own(&headers);
            }
            url = next;
        }
        Err(Error::TooManyRedirects { limit: REDIRECTS })
    }
}

/// The address of a request, when it is one that can be granted.
fn parse(text: &str) -> Result<Url, Error> {
    let wrong = |why: &'static str| Error::BadUrl { url: shorten(text), why };
    if text.len() > URL_BYTES {
        return Err(wrong("it is longer than 2048 bytes"));
    }
    let mut url = Url::parse(text).map_err(|_| wrong("expected one like \"https://example.com/path\""))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("only https:// and http:// are known"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // They are secrets, and a message may be logged.
        let why = "user and password do not belong into an address; send a header";
        return Err(Error::BadUrl { url: host_of(&url), why });
    }
    url.set_fragment(None);
    Ok(url)
}

/// Whether a grant covers the address, and if it is written as numbers, whether it may be called at all.
///
/// A name is looked up later, and [`Checked`] hands on only public addresses.
fn allowed(grants: &[HostGrant], url: &Url) -> Result<(), Error> {
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(Error::BadUrl { url: shorten(url.as_str()), why: "it has no host" });
    };
    // A grant of an address is written as that address, so whoever granted a private one meant it.
    if grants.iter().any(|grant| grant.covers(url.scheme(), &host, port)) {
        return Ok(());
    }
    Err(Error::NotGranted { host: host_of(url) })
}

fn host_of(url: &Url) -> String {
    let host = url.host().as_ref().map(Host::to_string).unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let scheme = if url.scheme() == "http" { "http://" } else { "" };
    shorten(&format!("{scheme}{host}{port}"))
}

fn same_origin(one: &Url, other: &Url) -> bool {
    matches!((one.origin(), other.origin()), (one @ Origin::Tuple(..), other) if one == other)
}

/// Where a reply sends us on to.
fn target(response: &reqwest::Response) -> Option<String> {
    let follows = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| follows)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// Reads a body as it comes, decompressed, and stops as soon as it is too long.
async fn read(mut response: reqwest::Response, verb: Verb, limits: Limits) -> Result<Reply, Error> {
    let limit = limits.reply_bytes;
    let status = response.status().as_u16();
    let headers = told(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|source| Error::of_reading(verb, source))? {
        if body.len() + chunk.len() > limit {
            return Err(Error::ReplyTooLarge { verb, limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}

fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let name = |name: &HeaderName| name.as_str().to_owned();
    headers
        .keys()
        .map(|key| {
            let values: Vec<_> = headers.get_all(key).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
            (name(key), values.join(", "))
        })
        .collect()
}

fn shorten(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(121).collect();
    if text.chars().count() > 120 { text.chars().take(120).chain(['…']).collect() } else { text }
}
