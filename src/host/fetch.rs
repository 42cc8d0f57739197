//! Requests of scripts to other hosts.
//!
//! A request that does something is a plugin's; a bot only reads.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use crate::model::failure::FailureKind;
use crate::model::permission::Author;
use crate::model::seconds::Seconds;
use crate::secret::Secret;
use crate::web::{Headers, Limits, Reply, Request, Verb};

use super::refusal::Refusal;
use super::{Host, Side};

/// What a script asks of another host.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What is asked.
    pub verb: Verb,
    /// Where.
    pub url: String,
    /// The script's own headers.
    pub headers: Headers,
    /// What is sent, and its type.
    pub body: Option<(Vec<u8>, &'static str)>,
    /// Whether the body is signed with the plugin's key.
    pub is_signed: bool,
    /// How long it may take, if less than the config allows.
    pub timeout: Option<Seconds>,
}

/// What scripts may send to other hosts, as the config says.
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    /// What one call may take.
    pub limits: Limits,
    /// Calls of one tick.
    pub calls_per_tick: u32,
    /// The keys that plugins sign with, by their names.
    pub keys: BTreeMap<String, Secret>,
}

impl Host {
    /// Sends a request to a granted host and waits for its reply.
    ///
    /// # Errors
    /// What kept it from being answered.
    pub async fn fetch(&self, asking: Asking) -> Result<Reply, Refusal> {
        let author = self.author();
        if asking.verb == Verb::Post && !matches!(author, Author::Plugin(_)) {
            // A tick may be lived again after a crash, and nobody could look up whether its request had gone out.
            return Err(Refusal::Wrong(format!(
                "{author} may only get: a request that does something belongs into a plugin, which a persona can call"
            )));
        }
        let world = match &self.side {
            Side::Live(world) => world,
            Side::Trial(trial) => return trial.fetch(asking).map_err(Refusal::Failure),
        };
        let rules = world.rules.load_full();
        let outside = &rules.outside;
        let key = outside.keys.get(author.name()).cloned();
        if asking.is_signed && key.is_none() {
            let name = author.name();
            return Err(Refusal::Wrong(format!(
                "nothing to sign with: {name} = \"VARIABLE\" under [web.secrets] of the config names the environment \
                 variable that holds the key, and the variable must be set"
            )));
        }
        if self.fetched.fetch_add(1, Ordering::Relaxed) >= outside.calls_per_tick {
            let words = format!("at most {} requests in one tick (web.calls_per_tick)", outside.calls_per_tick);
            return Err(Refusal::failure(FailureKind::Limit, words));
        }
        let request = Request {
            verb: asking.verb,
            url: asking.url,
            headers: asking.headers,
            body: asking.body,
            key: key.filter(|_| asking.is_signed),
        };
        let mut limits = outside.limits;
        if let Some(timeout) = asking.timeout {
            limits.timeout = limits.timeout.min(timeout.duration());
        }
        let (web, permissions) = (world.web.clone(), rules.permissions.clone());
        let shared = author.clone();
        let result =
            self.wait(world, async move { web.fetch(permissions.hosts(&shared), request, limits).await }).await?;
        result.map_err(|error| {
            tracing::debug!(%author, error = &error as &dyn std::error::Error, "a request of a script failed");
            let mut failure = error.failure();
            if matches!(error, crate::web::Error::NotGranted { .. }) {
                failure.message = format!("{}: see [web.{}] of the config", failure.message, author.section());
            }
            Refusal::Failure(failure)
        })
    }
}
