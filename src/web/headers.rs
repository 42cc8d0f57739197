//! The headers that a script may send.
//!
//! A name or value that could end a line, or that says how the message itself is framed or who sends it, never gets in.

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// Most headers of one request.
const MOST: usize = 32;
/// The longest value.
const VALUE_BYTES: usize = 4096;

/// Names that the client itself sets, or that concern only one hop.
const FORBIDDEN: [&str; 16] = [
    "host",
    "content-length",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "expect",
    "accept-encoding",
    "x-fleet-signature",
    "x-fleet-timestamp",
    "x-agent-id",
];

/// Checked headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(HeaderMap);

/// Why a header cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongHeader {
    /// The name has characters that no name has.
    #[error("`{0}` is no header name: use letters, digits and hyphens")]
    Name(String),
    /// The value could end the line.
    #[error("the value of `{0}` has characters that no header has, such as a line break")]
    Value(String),
    /// It is not the script's to set.
    #[error("`{0}` is set by the host alone")]
    Forbidden(String),
    /// The value is too long.
    #[error("the value of `{0}` is longer than 4096 bytes")]
    Long(String),
    /// There are too many.
    #[error("at most 32 headers can be sent")]
    Many,
    /// The same name in other letters.
    #[error("`{0}` is given twice")]
    Twice(String),
}

impl Headers {
    /// Takes one more header.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), WrongHeader> {
        let shown = || super::shorten(name);
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| WrongHeader::Name(shown()))?;
        let text = header.as_str();
        if FORBIDDEN.contains(&text) || text.starts_with("proxy-") || text.starts_with("sec-") {
            return Err(WrongHeader::Forbidden(shown()));
        }
        if value.len() > VALUE_BYTES {
            return Err(WrongHeader::Long(shown()));
        }
        let value = HeaderValue::from_str(value).map_err(|_| WrongHeader::Value(shown()))?;
        if self.0.contains_key(&header) {
            return Err(WrongHeader::Twice(shown()));
        }
        if self.0.len() >= MOST {
            return Err(WrongHeader::Many);
        }
        self.0.insert(header, value);
        Ok(())
    }

    /// Names in lower case with their values, as far as they are text.
    pub fn shown(&self) -> Vec<(String, String)> {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.0.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
    }

    pub(super) fn to_map(&self) -> HeaderMap {
        self.0.clone()
    }
}

/// What may follow a redirect to another host: nothing that could hold a key.
pub(super) fn without_own(headers: &HeaderMap) -> HeaderMap {
    let harmless = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE];
    headers.iter().filter(|(name, _)| harmless.contains(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
}
