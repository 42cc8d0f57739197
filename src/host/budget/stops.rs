//! Stops: which bots sleep because a budget is used up, why, and until when.
//!
//! Kept beside the store's counters, so that whoever wakes bots can look without waiting.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::host::refusal::Refusal;
use crate::model::action::NewIntent;
use crate::model::activity::{Ending, NewActivity};
use crate::model::failure::{Failure, FailureKind};
use crate::model::name::BotId;
use crate::model::spend::{AtEnd, Period, Scope};
use crate::store::{self, ActionsFull, ActionsOpened, Claim, Full, Opened};

use super::refused::{in_bots_time, reason};
use super::{Budget, Terms};

/// Some bots sleep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    scope: Scope,
    name: String,
    /// Until when, in real time.
    pub until: Timestamp,
    /// Why, in words, like `fleet budget until 00:00 UTC`.
    pub reason: String,
}

impl Budget {
    /// Why a bot must sleep now, and until which of bots' time.
    pub fn stop(&self, bot: &BotId) -> Option<(Timestamp, String)> {
        let stops = self.inner.stops.load();
        if stops.is_empty() {
            return None;
        }
        let real = self.inner.clock.now();
        let concerns = |stop: &&Stop| match stop.scope {
            Scope::Fleet => true,
            Scope::Persona => stop.name == bot.persona.as_str(),
            Scope::Bot => stop.name == bot.to_string(),
            // Whoever asks for such a call sleeps; the others do not.
            Scope::Purpose | Scope::Model => false,
        };
        let stop = stops.iter().filter(|stop| stop.until > real).filter(concerns).max_by_key(|stop| stop.until)?;
        Some((in_bots_time(stop.until, real, &self.inner.bots_clock), stop.reason.clone()))
    }

    /// Why the whole fleet sleeps now, in words.
    pub fn fleet_stop(&self) -> Option<String> {
        let real = self.inner.clock.now();
        let stops = self.inner.stops.load();
        let stop = stops.iter().filter(|stop| stop.until > real && stop.scope == Scope::Fleet);
        stop.max_by_key(|stop| stop.until).map(|stop| stop.reason.clone())
    }

    /// Other terms from now on; what is reserved stays as it is. Answers the reasons for which nobody sleeps any more.
    pub async fn change(&self, terms: Terms) -> Vec<String> {
        self.inner.terms.store(Arc::new(terms));
        let before = self.inner.stops.load_full();
        if let Err(problem) = self.find_stops().await {
            tracing::warn!(error = &problem as &dyn std::error::Error, "could not read which budgets are used up");
            self.inner.stops.store(Arc::default());
        }
        self.inner.room.notify_waiters();
        let now = self.inner.stops.load();
        before.iter().filter(|stop| !now.contains(stop)).map(|stop| stop.reason.clone()).collect()
    }

    /// Counts by the clock as it is now, although calls were counted by a later time; answers how many, and for which
    /// reasons nobody sleeps any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trust_clock(&self) -> Result<(u64, Vec<String>), store::Error> {
        let moved = self.inner.store.put_spend_clock_back(self.inner.clock.now()).await?;
        let ended = self.change(Terms::clone(&self.terms())).await;
        Ok((moved, ended))
    }

    /// Reads which budgets were used up in this period.
    pub(super) async fn find_stops(&self) -> Result<(), store::Error> {
        let caps: Vec<_> = self.terms().budgets.caps.iter().filter(|cap| cap.at_end == AtEnd::Sleep).cloned().collect();
        let full = self.inner.store.full_caps(&caps, self.inner.clock.now()).await?;
        self.inner.stops.store(Arc::new(full.iter().map(stop_of).collect()));
        Ok(())
    }

    pub(super) fn note_stop(&self, full: &Full) {
        if full.cap.at_end == AtEnd::Sleep {
            self.add_stop(stop_of(full));
        }
    }

    fn add_stop(&self, stop: Stop) {
        let real = self.inner.clock.now();
        if self.inner.stops.load().contains(&stop) {
            return;
        }
        self.inner.stops.rcu(|stops| {
            let left = stops.iter().filter(|other| other.until > real && **other != stop).cloned();
            left.chain([stop.clone()]).collect::<Vec<_>>()
        });
    }

    /// Opens an action's intent and claims its texts, unless the whole fleet has done enough for this hour or day.
    ///
    /// # Errors
    /// A failure of the kind `budget` when it has, or the store's.
    pub async fn open_intent(&self, intent: NewIntent, once: bool, claims: Vec<Claim>) -> Result<Opened, Refusal> {
        let inner = &self.inner;
        let budgets = &self.terms().budgets;
        match inner.store.open_counted_intent(intent, once, claims, budgets.actions, inner.clock.now()).await? {
            ActionsOpened::Opened(opened, done) => {
                let caps = [(Period::Hour, budgets.actions.per_hour), (Period::Day, budgets.actions.per_day)];
                for ((period, most), done) in caps.into_iter().zip(done) {
                    let Some(most) = most.filter(|_| matches!(opened, Opened::New(_))) else { continue };
                    let is_reached = |done: u64| budgets.warn_at.is_reached(i128::from(done), i128::from(most));
                    if is_reached(done) && !is_reached(done.saturating_sub(1)) {
                        let text = format!("fleet actions: {done} of {most} done this {}", period.as_str());
                        self.tell_actions("budget_warned", Ending::Done, text).await;
                    }
                }
                Ok(opened)
            }
            ActionsOpened::Full(full) => {
                let reason = actions_reason(&full);
                let until = full.until;
                self.add_stop(Stop { scope: Scope::Fleet, name: String::new(), until, reason: reason.clone() });
                if full.is_news {
                    let text = format!("{reason}: used up, {} of {}; bots sleep", full.most, full.most);
                    self.tell_actions("budget_full", Ending::Refused, text).await;
                }
                let until = Some(in_bots_time(until, inner.clock.now(), &inner.bots_clock));
                Err(Refusal::Failure(Failure { until, ..Failure::new(FailureKind::Budget, reason) }))
            }
        }
    }

    async fn tell_actions(&self, kind: &str, ending: Ending, text: String) {
        tracing::warn!("{text}");
        let activity = NewActivity {
            at: self.inner.bots_clock.now(),
            bot: None,
            persona: None,
            kind: kind.to_owned(),
            ending,
            target: String::new(),
            text,
            detail: serde_json::json!({ "scope": "fleet", "unit": "actions" }),
        };
        self.inner.journal.record(activity).await;
    }
}

fn stop_of(full: &Full) -> Stop {
    Stop {
        scope: full.cap.scope,
        name: full.cap.name.clone().unwrap_or_default(),
        until: full.until,
        reason: reason(full),
    }
}

fn actions_reason(full: &ActionsFull) -> String {
    format!("fleet actions until {} UTC", full.until.to_zoned(TimeZone::UTC).strftime("%H:%M"))
}
