//! Signing what is sent, so that the receiver can tell who sent it and when.
//!
//! `X-Fleet-Signature` is `sha256=` and the HMAC-SHA256, in hex, of the `X-Fleet-Timestamp`, a dot, and the body.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;

use crate::secret::Secret;

const SIGNATURE: HeaderName = HeaderName::from_static("x-fleet-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-fleet-timestamp");

/// The two headers that sign a body at a time in Unix seconds.
pub(super) fn headers(key: &Secret, at: u64, body: &[u8]) -> [(HeaderName, HeaderValue); 2] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes()));
    // The time is signed too, so that a message that was overheard cannot be sent again later.
    context.update(format!("{at}.").as_bytes());
    context.update(body);
    let hex: String = context.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = HeaderValue::from_str(&format!("sha256={hex}"));
    [(SIGNATURE, signature.unwrap_or(HeaderValue::from_static(""))), (TIMESTAMP, HeaderValue::from(at))]
}

/// Takes both off, when what they sign is not sent on.
pub(super) fn strip(headers: &mut HeaderMap) {
    headers.remove(SIGNATURE);
    headers.remove(TIMESTAMP);
}
