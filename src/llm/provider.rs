//! One provider: its client, its key, and one attempt at a time.
//!
//! An attempt ends as a reply or as one typed error, whatever comes back and however slowly; nothing is sent twice here.

use std::sync::Arc;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use secrecy::SecretString;
use serde_json::Value;
use url::{Host, Url};

use super::error::Error;
use super::wire;
use crate::config::{LengthKey, ModelConfig};
use crate::model::llm::{Reply, Request};
use crate::secret::Secret;

/// How much of a reply is read that is no success; more says nothing more.
const ERROR_BODY: usize = 16 * 1024;
/// Most characters of what a provider said.
const SNIPPET: usize = 160;
/// The longest wait that anybody may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// What sends to one provider.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client<Place>,
    name: String,
    length: LengthKey,
}

/// Where a provider is, and what it wants to see.
#[derive(Debug, Clone)]
struct Place {
    base: String,
    headers: HeaderMap,
    /// Never used: the key is in the headers.
    nothing: SecretString,
}

impl Config for Place {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.nothing
    }
}

/// What reading a reply needs.
#[derive(Debug)]
struct Reading {
    http: reqwest::Client,
    name: String,
    key: Option<Secret>,
    max_reply_bytes: usize,
}

impl Sender {
    /// Makes the client of one provider.
    ///
    /// async-openai would repeat calls by itself, read replies of any length, log them, and take keys from the environment:
    /// so it writes requests, and a service and a config of ours do the rest.
    pub(super) fn new(
        name: &str,
        base: &Url,
        key: Option<Secret>,
        length: LengthKey,
        max_reply_bytes: usize,
    ) -> Result<Self, Error> {
        // `Err` means that the process has a provider of TLS, and then that one is right.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = http_client(base).map_err(|source| Error::Setup { provider: name.to_owned(), source })?;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("floimg-fleet/", env!("CARGO_PKG_VERSION"))));
        if let Some(key) = &key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).map_err(|_| Error::NoKey {
                provider: name.to_owned(),
                missing: "what is there holds a line break or letters beyond ASCII".to_owned(),
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let base = base.as_str().trim_end_matches('/').to_owned();
        let place = Place { base, headers, nothing: SecretString::from(String::new()) };
        let reading = Arc::new(Reading { http: http.clone(), name: name.to_owned(), key, max_reply_bytes });
        let service = tower::service_fn(move |request: HttpRequestFactory| {
            let reading = reading.clone();
            async move {
                let answered = reading.exchange(request).await;
                answered.map_err(|error| OpenAIError::Boxed(Box::new(error)))
            }
        });
        let client = Client::build(http, place).with_http_service(service);
        Ok(Self { client, name: name.to_owned(), length })
    }

    /// Asks once, and waits for the whole reply no longer than this.
    pub(super) async fn ask(&self, request: &Request, model: &ModelConfig, most: Duration) -> Result<Reply, Error> {
        let id = model.model.as_deref().unwrap_or_default();
        let body = wire::body(request, id, model, self.length);
        let chat = self.client.chat();
        let answered = tokio::time::timeout(most, chat.create_byot(body)).await;
        let body: Value = match answered {
            Ok(Ok(body)) => body,
            Ok(Err(OpenAIError::Boxed(error))) => {
                return Err(error.downcast::<Error>().map_or_else(|_| self.lost("the request failed"), |error| *error));
            }
            Ok(Err(_)) => return Err(self.lost("the request failed")),
            Err(_) => return Err(self.lost(&format!("not within {} s", most.as_secs_f64()))),
        };
        wire::reply(&body).map_err(|expected| Error::BadReply {
            provider: self.name.clone(),
            expected: expected.to_owned(),
            snippet: snippet(&body.to_string()),
        })
    }

    fn lost(&self, why: &str) -> Error {
        Error::Lost { provider: self.name.clone(), why: why.to_owned(), source: None }
    }
}

/// Redirects are not followed: the key goes to the configured server only. The proxies named in the environment are used as
/// everywhere, but never for this machine itself. For plain HTTP no root certificates are loaded, so that a bare machine can
/// run with a model of its own.
pub(super) fn http_client(base: &Url) -> Result<reqwest::Client, reqwest::Error> {
    let mut builder =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT).referer(false);
    if is_this_machine(base) {
        builder = builder.no_proxy();
    }
    if base.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// Whether what is sent there stays on this machine.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl Reading {
    /// Sends, reads no more than is allowed, and lets only JSON that is a success through.
    async fn exchange(&self, request: HttpRequestFactory) -> Result<reqwest::Response, Error> {
        let request = request.build().await.map_err(|_| self.unavailable("the request could not be made", None))?;
        let mut response = self.http.execute(request).await.map_err(|source| self.not_answered(source))?;
        let status = response.status();
        let wait = retry_after(response.headers());
        if !status.is_success() {
            let mut body = Vec::new();
            // The status says enough, should the body break off.
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() > ERROR_BODY {
                    break;
                }
            }
            return Err(self.refused(status.as_u16(), wait, &body));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|source| self.cut(source))? {
            if body.len() + chunk.len() > self.max_reply_bytes {
                return Err(Error::TooLarge { provider: self.name.clone(), limit: self.max_reply_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        let parsed: Value = serde_json::from_slice(&body).map_err(|_| Error::BadReply {
            provider: self.name.clone(),
            expected: "JSON".to_owned(),
            snippet: self.scrubbed(&String::from_utf8_lossy(&body)),
        })?;
        // Some gateways answer 200 and tell of the failure inside.
        if let Some(error) = parsed.get("error").filter(|error| error.is_object() && parsed.get("choices").is_none()) {
            let status = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
            return Err(self.refused(status.filter(|status| *status >= 400).unwrap_or(502), wait, &body));
        }
        Ok(reqwest::Response::from(http::Response::new(body)))
    }

    fn refused(&self, status: u16, wait: Option<Duration>, body: &[u8]) -> Error {
        let provider = self.name.clone();
        let told = serde_json::from_slice::<Value>(body).ok();
        let error = told.as_ref().and_then(|told| told.get("error")).or(told.as_ref());
        let word = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str);
        let message = word("message")
            .or_else(|| error.and_then(Value::as_str))
            .map_or_else(|| self.scrubbed(&String::from_utf8_lossy(body)), |message| self.scrubbed(message));
        let has_no_credit = [word("code"), word("type")].contains(&Some("insufficient_quota")) || status == 402;
        match status {
            _ if has_no_credit => Error::Quota { provider, message },
            401 | 403 => Error::Unauthorized { provider, status, message },
            429 => Error::RateLimited { provider, wait: wait.unwrap_or_default() },
            // Said by servers that have not begun: overloaded, or a model that is being loaded.
            503 | 529 => {
                Error::Unavailable { provider, why: format!("status {status}: {message}"), wait, source: None }
            }
            500.. => Error::Failed { provider, status, message, wait },
            _ => Error::Rejected { provider, status, message },
        }
    }

    fn not_answered(&self, source: reqwest::Error) -> Error {
        let why = if source.is_dns() {
            "its name is not known"
        } else if source.is_connect() {
            "no connection"
        } else if source.is_builder() {
            "the request could not be made"
        } else {
            return self.cut(source);
        };
        self.unavailable(why, Some(source))
    }

    fn unavailable(&self, why: &str, source: Option<reqwest::Error>) -> Error {
        Error::Unavailable { provider: self.name.clone(), why: why.to_owned(), wait: None, source }
    }

    fn cut(&self, source: reqwest::Error) -> Error {
        Error::Lost { provider: self.name.clone(), why: "it broke off".to_owned(), source: Some(source) }
    }

    /// What a provider said, shortened and without our key, which some repeat.
    fn scrubbed(&self, text: &str) -> String {
        let text = match &self.key {
            Some(key) if !key.expose().is_empty() => text.replace(key.expose(), "…"),
            _ => text.to_owned(),
        };
        snippet(&text)
    }
}

/// On one line, without control characters, and not long.
fn snippet(text: &str) -> String {
    let mut line = String::new();
    for (count, c) in text.split_whitespace().collect::<Vec<_>>().join(" ").chars().enumerate() {
        if count == SNIPPET {
            line.push('…');
            break;
        }
        line.push(if c.is_control() { '\u{fffd}' } else { c });
    }
    if line.is_empty() { "nothing".to_owned() } else { line }
}

/// `Retry-After` in seconds or as a date, and OpenAI's own header in milliseconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse::<u64>().ok()) {
        return Some(Duration::from_millis(millis).min(LONGEST_WAIT));
    }
    let text = text(RETRY_AFTER.as_str())?;
    let wait = match text.parse::<f64>() {
        Ok(secs) => Duration::try_from_secs_f64(secs).ok()?,
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            at.duration_since(std::time::SystemTime::now()).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_in_every_form_and_capped() {
        let wait = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).expect("a header"));
            retry_after(&headers).map(|wait| wait.as_millis())
        };
        for (name, value, millis) in [
            ("retry-after", "7", Some(7_000)),
            ("retry-after", "0.25", Some(250)),
            ("retry-after-ms", "120", Some(120)),
            ("retry-after", "99999999", Some(3_600_000)),
            ("retry-after", "-1", None),
            ("retry-after", "NaN", None),
            ("retry-after", "soon", None),
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
        ] {
            assert_eq!(wait(name, value), millis, "{name}: {value}");
        }
    }
}
