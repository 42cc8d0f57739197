//! What the client is made from.
//!
//! Nothing here says how an account is flagged or who a request claims to come from: those have no switch.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use crate::clock::Clock;
use crate::floimg::error::Error;
use crate::secret::Secret;

/// What the client needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// The gallery's address.
    pub api_url: Url,
    /// The address of the server that runs workflows, when it is another.
    pub workflows_url: Option<Url>,
    /// The fleet's service token; empty sends none.
    pub token: Secret,
    /// The version told in `User-Agent`.
    pub user_agent_version: &'static str,
    /// How long one try of a read may take; all its tries together may take three times that.
    pub read_timeout: Duration,
    /// How long a write may take.
    pub write_timeout: Duration,
    /// How long a run of a workflow may take.
    pub workflow_timeout: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// No more of a reply than this is ever held.
    pub max_reply_bytes: u64,
    /// The most reads a second.
    pub reads_per_sec: f64,
    /// The most writes a second.
    pub writes_per_sec: f64,
    /// The most calls at once, for each of the two servers.
    pub max_concurrent: usize,
    /// How many times a read that failed is tried again.
    pub read_retries: u32,
    /// How often to look whether the platform's pause is over.
    pub look_every: Duration,
    /// The generator used in place of one that a persona wishes for.
    pub generators: BTreeMap<String, String>,
    /// The time that budgets and pauses end by.
    pub clock: Clock,
}

impl Options {
    /// Options with everything else as it is good for a fleet.
    pub fn new(api_url: Url, token: Secret, clock: Clock) -> Self {
        Self {
            api_url,
            workflows_url: None,
            token,
            user_agent_version: env!("CARGO_PKG_VERSION"),
            read_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            workflow_timeout: Duration::from_secs(180),
            connect_timeout: Duration::from_secs(10),
            max_reply_bytes: 64 * 1024 * 1024,
            reads_per_sec: 20.0,
            writes_per_sec: 5.0,
            max_concurrent: 32,
            read_retries: 3,
            look_every: Duration::from_secs(60),
            generators: BTreeMap::new(),
            clock,
        }
    }

    /// Refuses what no client can be made from.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |option, found: String, expected| Err(Error::Options { option, found, expected });
        for (option, url) in [("api_url", Some(&self.api_url)), ("workflows_url", self.workflows_url.as_ref())] {
            let Some(url) = url else { continue };
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
                return wrong(option, format!("`{url}`"), "an address that begins with http:// or https://");
            }
            if !url.username().is_empty() || url.password().is_some() {
                return wrong(option, "an address with a password".to_owned(), "an address without user and password");
            }
            if url.query().is_some() || url.fragment().is_some() {
                return wrong(option, format!("`{url}`"), "an address without `?` and `#`");
            }
        }
        let day = Duration::from_secs(86_400);
        for (option, time) in [
            ("read_timeout", self.read_timeout),
            ("write_timeout", self.write_timeout),
            ("workflow_timeout", self.workflow_timeout),
            ("connect_timeout", self.connect_timeout),
            ("look_every", self.look_every),
        ] {
            if time.is_zero() || time > day {
                return wrong(option, format!("{time:?}"), "more than nothing and at most a day");
            }
        }
        for (option, rate) in [("reads_per_sec", self.reads_per_sec), ("writes_per_sec", self.writes_per_sec)] {
            if !(1e-4..=1e6).contains(&rate) {
                return wrong(option, rate.to_string(), "a number from 0.0001 to 1000000");
            }
        }
        if self.max_concurrent == 0 {
            return wrong("max_concurrent", "0".to_owned(), "at least 1");
        }
        if self.max_reply_bytes == 0 {
            return wrong("max_reply_bytes", "0".to_owned(), "at least 1");
        }
        Ok(())
    }
}
