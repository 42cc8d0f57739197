//! A plugin under test: what it keeps between calls, when its timers are due, and what it suggested.
//!
//! Its VM is made anew for every call of a hook, so that nothing lives on but its state and its entries.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::subject::Deeds;
use crate::host::Host;
use crate::host::trial::Trial;
use crate::lua::limits::Limits;
use crate::lua::plugins::{Answer, LivingPlugin, PluginCall, PluginVersion};
use crate::model::diagnostic::Diagnostic;
use crate::model::seconds::Seconds;

/// Most runs of timers in one stretch of time.
const RUNS: u32 = 20_000;

/// A plugin under test.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) version: Arc<PluginVersion>,
    pub(super) options: Json,
    pub(super) trial: Arc<Trial>,
    pub(super) limits: Limits,
    /// The state as JSON; nothing before it kept any.
    pub(super) state: Option<String>,
    /// When each of its timers ran last.
    pub(super) timers: Vec<Timestamp>,
    pub(super) calls: u64,
    pub(super) deeds: Deeds,
    /// What it suggested, as tests see it.
    pub(super) suggestions: Vec<Json>,
}

impl Guest {
    /// Makes one call.
    pub(super) async fn call(&mut self, call: &PluginCall) -> Result<Answer, Diagnostic> {
        let mut living = self.live()?;
        self.call_in(&mut living, call).await
    }

    fn live(&self) -> Result<LivingPlugin, Diagnostic> {
        LivingPlugin::new(self.version.clone(), self.limits, &self.options, self.state.as_deref())
    }

    async fn call_in(&mut self, living: &mut LivingPlugin, call: &PluginCall) -> Result<Answer, Diagnostic> {
        self.calls += 1;
        let host = Host::plugin_trial(self.trial.clone(), &self.version.role, self.calls);
        let trace = living.record();
        // Between two calls the test is looked at, so that many short ones are not taken for one that never ends.
        tokio::task::yield_now().await;
        let answered = living.call(host, call).await;
        self.deeds.take(&trace, self.calls);
        let answered = answered?;
        if answered.state.is_some() {
            self.state = answered.state;
        }
        Ok(answered.answer)
    }

    /// Lets time pass; its timers run when they are due. One that was due more than once before now runs once.
    pub(super) async fn pass(&mut self, length: Seconds) -> Result<(), Diagnostic> {
        let end = self.trial.now().saturating_add(length.signed()).unwrap_or(Timestamp::MAX);
        let (mut runs, mut living) = (0, None);
        while let Some((at, place)) = self.next_due().filter(|(at, _)| *at <= end) {
            let now = self.trial.now().max(at);
            self.trial.set_now(now);
            if let Some(last) = self.timers.get_mut(place) {
                *last = now;
            }
            runs += 1;
            if runs > RUNS {
                let file = crate::lua::plugins::main_of(self.version.manifest.name.as_str());
                let words =
                    format!("its timers ran {RUNS} times and the time has not passed yet: let less pass at once");
                return Err(Diagnostic::error(file, None, words));
            }
            // One VM for all of them, as in the world, where it is made anew only after a fault.
            let living = match &mut living {
                Some(living) => living,
                none => none.insert(self.live()?),
            };
            self.call_in(living, &PluginCall::Timer(place)).await?;
        }
        self.trial.set_now(self.trial.now().max(end));
        Ok(())
    }

    fn next_due(&self) -> Option<(Timestamp, usize)> {
        let due = self.version.manifest.timers.iter().zip(&self.timers).enumerate();
        due.map(|(place, (timer, last))| (last.saturating_add(timer.every.signed()).unwrap_or(Timestamp::MAX), place))
            .min()
    }

    /// What it suggested since the last time is kept for the test.
    pub(super) fn keep(&mut self, suggestion: &crate::host::service::Suggestion) {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.suggestions.push(json!({
            "bot": suggestion.bot.to_string(), "kind": suggestion.kind, "post": some(&suggestion.post),
            "post_title": some(&suggestion.post_title), "comment": suggestion.comment, "text": suggestion.text,
            "key": some(&suggestion.key),
        }));
    }
}
