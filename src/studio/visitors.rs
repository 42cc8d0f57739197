//! Visitors: people in a browser, who like and comment under a name they choose once.
//!
//! A visitor is never an agent, and nothing another site makes a browser send counts as theirs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::Inner;
use super::answer::ApiError;
use super::desk::{NewAccount, fresh_id};

const COOKIE: &str = "studio_visit";
/// How much visitors may do in [`WINDOW`], all together: people never reach it, a flood does.
const ACTS: u32 = 600;
const WINDOW: Duration = Duration::from_secs(60);
/// The longest name a visitor may have.
pub(super) const NAME: usize = 40;

/// One browser, known by a random cookie.
#[derive(Debug)]
pub(super) struct Visit {
    cookie: String,
    fresh: bool,
    /// The id of its account, once it has a name.
    pub(super) account: Option<String>,
}

impl Visit {
    /// The visit that a request belongs to; a new one when it brings no cookie of ours.
    pub(super) fn of(headers: &HeaderMap, inner: &Inner) -> Self {
        let brought = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, value)| *name == COOKIE && value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()));
        match brought {
            Some((_, cookie)) => {
                let mut visit = Self { cookie: cookie.to_owned(), fresh: false, account: None };
                let key = visit.key();
                visit.account =
                    inner.desk.read(|gallery| gallery.visitor(&key).map(|at| gallery.account(at).id.clone()));
                visit
            }
            None => {
                let bytes: [u8; 32] = rand::random();
                Self { cookie: hex(&bytes), fresh: true, account: None }
            }
        }
    }

    /// What every form of this browser's pages carries, and no other site can know.
    pub(super) fn token(&self) -> String {
        hex(&Sha256::digest(format!("form:{}", self.cookie))[..16])
    }

    /// The cookie to be set, when the browser has none.
    pub(super) fn cookie(&self, secure: bool) -> Option<HeaderValue> {
        let secure = if secure { "; Secure" } else { "" };
        let text = format!("{COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}", self.cookie);
        HeaderValue::from_str(&text).ok().filter(|_| self.fresh)
    }

    /// Refuses what does not come from a form of this browser's own pages.
    pub(super) fn check(&self, headers: &HeaderMap, token: &str) -> Result<(), ApiError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let foreign_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
        let host = text("host");
        let foreign_origin =
            text("origin").is_some_and(|origin| origin.split_once("://").map(|(_, host)| host) != host);
        if foreign_site || foreign_origin || self.fresh || token != self.token() {
            let error = "This form did not come from this page, or is too old; load the page again and repeat";
            return Err(ApiError::new(StatusCode::FORBIDDEN, error));
        }
        Ok(())
    }

    /// The account of this visit, made now under `name` if there is none yet; `None` when there is no name either.
    pub(super) fn account(&self, inner: &Inner, name: Option<&str>) -> Result<Option<String>, ApiError> {
        if let Some(account) = &self.account {
            return Ok(Some(account.clone()));
        }
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
        if name.chars().count() > NAME || name.chars().any(char::is_control) {
            let error = format!("A name has at most {NAME} characters, all of which can be seen");
            return Err(ApiError::new(StatusCode::BAD_REQUEST, error));
        }
        let new = NewAccount {
            username: username_for(name),
            name: name.to_owned(),
            is_agent: false,
            agent_id: None,
            persona: None,
        };
        let (at, _) = inner.desk.invite(new, Some(self.key()))?;
        Ok(Some(inner.desk.read(|gallery| gallery.account(at).id.clone())))
    }

    fn key(&self) -> String {
        hex(&Sha256::digest(format!("visitor:{}", self.cookie)))
    }
}

/// Counts what visitors do, so that a flood through the front door cannot fill the disk.
#[derive(Debug)]
pub(super) struct Pace(Mutex<(Instant, u32)>);

impl Pace {
    /// Starts counting.
    pub(super) fn new() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }

    /// Counts one act, or refuses it.
    pub(super) fn step(&self) -> Result<(), ApiError> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0.elapsed() >= WINDOW {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        if window.1 > ACTS {
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "A lot is going on here; try again in a minute"));
        }
        Ok(())
    }
}

/// A username that reads like the name and is nobody else's.
fn username_for(name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let plain = if plain.is_empty() { "visitor".to_owned() } else { plain.to_ascii_lowercase() };
    let id = fresh_id();
    format!("{plain}_{}", id.get(..6).unwrap_or(&id))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
