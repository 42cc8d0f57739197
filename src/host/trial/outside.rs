//! What plugins meet in the trial: bots to suggest something to, other hosts that answer as a test says, and each other.
//!
//! What they suggest and send is kept, so that a test can look at it; nothing leaves the process.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use crate::host::fetch::Asking;
use crate::host::hooks::Hooks;
use crate::host::refusal::Refusal;
use crate::host::service::{CastBot, Suggestion};
use crate::model::failure::{Failure, FailureKind};
use crate::web::{Reply, Verb};

use super::{Inner, Trial};

/// What another host answers to requests.
#[derive(Debug, Clone)]
pub enum Answers {
    /// The same each time.
    Always(Replied),
    /// One after the other; then nobody answers.
    InTurn(VecDeque<Replied>),
}

/// One answer of another host.
pub type Replied = Result<Reply, Failure>;

/// A request that a script sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What was asked.
    pub verb: Verb,
    /// Where.
    pub url: String,
    /// The script's own headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was sent.
    pub body: String,
    /// Whether it was to be signed.
    pub is_signed: bool,
}

/// What plugins did in a trial, and what they find there.
#[derive(Debug, Default)]
pub(super) struct Outside {
    cast: Vec<CastBot>,
    suggestions: Vec<(String, Suggestion)>,
    told: std::collections::BTreeSet<(String, String)>,
    answers: Vec<(String, Answers)>,
    sent: Vec<Sent>,
}

/// Most requests and suggestions that are kept.
const KEPT: usize = 10_000;

impl Trial {
    /// Puts a bot among those that plugins see; one with the same id goes.
    pub fn add_to_cast(&self, bot: CastBot) {
        let mut inner = self.inner();
        inner.outside.cast.retain(|old| old.id != bot.id);
        inner.outside.cast.push(bot);
    }

    /// The bots that plugins see.
    pub fn cast(&self) -> Vec<CastBot> {
        self.inner().outside.cast.clone()
    }

    /// Keeps a suggestion; answers whether it is new to its bot.
    pub(in crate::host) fn suggest(&self, by: &str, suggestion: Suggestion) -> Result<bool, Refusal> {
        let mut inner = self.inner();
        let outside = &mut inner.outside;
        // A rehearsal knows no bots, and a plugin that names one is not wrong.
        if self.rules.is_some() && !outside.cast.iter().any(|bot| bot.id == suggestion.bot) {
            return Err(Refusal::failure(FailureKind::NotFound, format!("there is no bot `{}`", suggestion.bot)));
        }
        let is_new = outside.told.insert((suggestion.bot.to_string(), suggestion.source(by)));
        if is_new && outside.suggestions.len() < KEPT {
            outside.suggestions.push((by.to_owned(), suggestion));
        }
        Ok(is_new)
    }

    /// Takes what was suggested since the last time, with the plugin that did.
    pub fn take_suggestions(&self) -> Vec<(String, Suggestion)> {
        std::mem::take(&mut self.inner().outside.suggestions)
    }

    /// Lets another host answer requests to this address.
    pub fn answer_web(&self, url: &str, answers: Answers) {
        let mut inner = self.inner();
        inner.outside.answers.retain(|(known, _)| known != url);
        inner.outside.answers.push((url.to_owned(), answers));
    }

    /// Whether a test answers for any other host.
    pub(in crate::host) fn has_web(&self) -> bool {
        !self.inner().outside.answers.is_empty()
    }

    pub(in crate::host) fn fetch(&self, asking: Asking) -> Replied {
        let mut inner = self.inner();
        let body = asking.body.map(|(body, _)| String::from_utf8_lossy(&body).into_owned()).unwrap_or_default();
        let sent = Sent {
            verb: asking.verb,
            url: asking.url,
            headers: asking.headers.shown(),
            body,
            is_signed: asking.is_signed,
        };
        let answered = inner.answer_to(&sent.url);
        if inner.outside.sent.len() < KEPT {
            inner.outside.sent.push(sent);
        }
        answered
    }

    /// Every request that was sent, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.inner().outside.sent.clone()
    }

    /// Lets plugins of a test answer what scripts call of them.
    pub fn set_hooks(&self, hooks: Arc<dyn Hooks>) {
        *self.hooks.lock().unwrap_or_else(PoisonError::into_inner) = Some(hooks);
    }

    pub(in crate::host) fn hooks(&self) -> Option<Arc<dyn Hooks>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Inner {
    fn answer_to(&mut self, url: &str) -> Replied {
        let answers = self.outside.answers.iter_mut().find(|(known, _)| known == url);
        match answers.map(|(_, answers)| answers) {
            Some(Answers::Always(replied)) => replied.clone(),
            Some(Answers::InTurn(replies)) => replies.pop_front().unwrap_or_else(|| {
                let words = format!("the test's answers for {url} are used up");
                Err(Failure::new(FailureKind::Unavailable, words))
            }),
            None => {
                let words = "a trial reaches no other host; in the world this may be answered";
                Err(Failure::new(FailureKind::Unavailable, words))
            }
        }
    }
}
