//! The guard: who may ask, who may command, and what browsers must not do with the replies.
//!
//! A page of another site can neither read the API nor command the fleet through somebody's browser.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::Site;
use super::refused::{Refused, clipped};

/// Answers a request unless it is for another host or comes from another site.
pub(super) async fn admit(State(site): State<Arc<Site>>, request: Request, next: Next) -> Result<Response, Refused> {
    let listen = site.options.listen.ip().to_canonical();
    if listen.is_loopback() {
        named_here(request.uri(), request.headers(), listen)?;
    }
    same_site(&request)?;
    Ok(next.run(request).await)
}

/// A name of somebody else's that leads here lets that somebody's page read everything, so only our own names count.
/// Ports are not compared: one that is forwarded from elsewhere is as good.
fn named_here(uri: &Uri, headers: &HeaderMap, listen: IpAddr) -> Result<(), Refused> {
    // Every browser names a host; a request without one is no page's.
    let Some(host) = host(uri, headers)? else { return Ok(()) };
    let name = Url::parse(&format!("http://{host}/")).ok();
    let ours = match name.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || IpAddr::V4(ip) == listen,
        Some(Host::Ipv6(ip)) => ip.is_loopback() || IpAddr::V6(ip) == listen,
        None => false,
    };
    if ours {
        return Ok(());
    }
    Err(Refused::new(StatusCode::MISDIRECTED_REQUEST, format!("`{}` is no name of this fleet's", clipped(host)))
        .hint("ask for localhost or 127.0.0.1; for other names, set http.listen to an address other than loopback"))
}

fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Option<&'a str>, Refused> {
    match (uri.authority(), headers.get(header::HOST)) {
        (Some(authority), _) => Ok(Some(authority.as_str())),
        (None, None) => Ok(None),
        (None, Some(host)) => {
            host.to_str().map(Some).map_err(|_| Refused::wrong("the header `Host` is not plain ASCII"))
        }
    }
}

/// Refuses what a browser says comes from elsewhere; following a link to here is fine.
fn same_site(request: &Request) -> Result<(), Refused> {
    let headers = request.headers();
    let reads = request.method().is_safe();
    let foreign = match said(headers, "sec-fetch-site") {
        Some("same-origin" | "none") => false,
        // Another port of this machine is the same site, and must not command us.
        Some("same-site") => !reads,
        Some(_) => !reads || said(headers, "sec-fetch-mode") != Some("navigate"),
        None => false,
    };
    // Reads need no look at `Origin`: without permission, browsers keep the replies from the page that asked.
    let foreign = foreign
        || (!reads
            && headers.get(header::ORIGIN).is_some_and(|origin| {
                let origin = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
                let host = host(request.uri(), headers).ok().flatten();
                let host = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
                match (origin, host) {
                    (Some(origin), Some(host)) => {
                        // The scheme is not compared: a proxy in front may speak TLS.
                        origin.host() != host.host() || origin.port() != host.port()
                    }
                    _ => true,
                }
            }));
    if foreign {
        return Err(Refused::new(StatusCode::FORBIDDEN, "a page of another site cannot use this fleet")
            .hint("use the fleet's own page, or a program that is no browser"));
    }
    Ok(())
}

fn said<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // What cannot be read is something else than what we know, and so foreign.
    headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"))
}

/// Proof that a request shows the admin token.
#[derive(Debug)]
pub(super) struct Admin;

impl FromRequestParts<Arc<Site>> for Admin {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Refused> {
        let refused = |error| {
            Refused::new(StatusCode::UNAUTHORIZED, error)
                .hint("send `Authorization: Bearer TOKEN` with the fleet's admin token: the variable that http.admin_token_env names, or the file admin.token in data_dir")
        };
        let shown = parts.headers.get(header::AUTHORIZATION).ok_or_else(|| refused("controls need the admin token"))?;
        let (scheme, token) = shown
            .to_str()
            .ok()
            .and_then(|shown| shown.trim().split_once(' '))
            .ok_or_else(|| refused("the header `Authorization` is not understood"))?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused("the header `Authorization` is not understood"));
        }
        let expected = site.options.admin_token.expose();
        if expected.is_empty() || !same(token.trim().as_bytes(), expected.as_bytes()) {
            return Err(refused("this is not the fleet's admin token"));
        }
        Ok(Self)
    }
}

/// Compares without telling by the time it takes where the difference is: digests are compared, and to their end.
fn same(shown: &[u8], expected: &[u8]) -> bool {
    let (shown, expected) = (Sha256::digest(shown), Sha256::digest(expected));
    shown.iter().zip(expected.iter()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Puts on every reply what browsers must not do with it.
pub(super) async fn dress(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What is asked for is how things are now; the page's own files say for themselves how long they keep.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
