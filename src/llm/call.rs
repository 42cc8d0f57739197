//! One call: its attempts, their turns, and how long all of it may take.
//!
//! Every call ends by its deadline, and none is tried more often than the config allows, whatever it is asked for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::error::Error;
use super::provider::Sender;
use crate::backoff::Backoff;
use crate::breaker::{Breaker, Leave};
use crate::bucket::Bucket;
use crate::config::ModelConfig;
use crate::model::llm::{Reply, Request};

/// Waits between the attempts of a call.
const RETRY: Backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(8) };
/// How long a model is left alone that says "too many" and not for how long.
const THROTTLED: Backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(60) };
/// How long an account without credit is left alone.
const WITHOUT_CREDIT: Duration = Duration::from_secs(60);

/// A provider, shared by its models.
#[derive(Debug)]
pub(super) struct Provider {
    pub name: String,
    pub sender: Sender,
    /// What should hold the key and does not.
    pub missing_key: Option<String>,
    pub turns: Arc<Semaphore>,
    pub bucket: Bucket,
    pub breaker: Mutex<Breaker>,
    pub rest: Backoff,
    pub timeout: Duration,
    pub attempt_timeout: Duration,
    pub max_attempts: u32,
}

/// A model at its provider.
#[derive(Debug)]
pub struct Lane {
    pub(super) name: String,
    pub(super) config: ModelConfig,
    pub(super) provider: Arc<Provider>,
    pub(super) turns: Arc<Semaphore>,
    pub(super) bucket: Bucket,
    /// Until then it asked to be left alone.
    pub(super) held: Mutex<Option<Instant>>,
    /// How often in a row it said "too many".
    pub(super) throttled: AtomicU32,
    /// Whether the last call failed for good, so that only the first of many is told.
    pub(super) is_failing: AtomicBool,
}

impl Lane {
    /// Its name in the config.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the config says of it.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The name of its provider.
    pub fn provider(&self) -> &str {
        &self.provider.name
    }

    /// Notes how a call ended for good; answers whether that is news.
    pub fn note(&self, has_failed: bool) -> bool {
        self.is_failing.swap(has_failed, Ordering::Relaxed) != has_failed
    }

    /// Begins a call.
    ///
    /// # Errors
    /// When the provider's key is missing.
    pub fn call(self: &Arc<Self>) -> Result<Call, Error> {
        if let Some(missing) = &self.provider.missing_key {
            return Err(Error::NoKey { provider: self.provider.name.clone(), missing: missing.clone() });
        }
        Ok(Call { deadline: Instant::now() + self.provider.timeout, attempts: 0, lane: self.clone() })
    }

    fn held_for(&self, now: Instant) -> Duration {
        let held = *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (*held).max(Some(until));
    }

    fn breaker<T>(&self, look: impl FnOnce(&mut Breaker) -> T) -> T {
        look(&mut self.provider.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A call under way. Whoever makes it asks for a turn, sends, and asks again as long as [`Call::again`] allows.
#[derive(Debug)]
pub struct Call {
    lane: Arc<Lane>,
    deadline: Instant,
    attempts: u32,
}

/// Leave to send once.
#[derive(Debug)]
pub struct Turn {
    lane: Arc<Lane>,
    deadline: Instant,
    leave: Option<Leave>,
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Call {
    /// Attempts so far.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether one more attempt is allowed.
    pub fn may_ask_again(&self) -> bool {
        self.attempts < self.lane.provider.max_attempts && Instant::now() < self.deadline
    }

    /// Waits for a turn under the limits of the model and its provider.
    ///
    /// # Errors
    /// When none comes before the call's deadline, or the provider is being left alone.
    pub async fn turn(&mut self) -> Result<Turn, Error> {
        let lane = self.lane.clone();
        let provider = &lane.provider;
        let busy = || Error::Busy { provider: provider.name.clone() };
        let now = Instant::now();
        lane.refuse_if_resting(now)?;
        let left = self.deadline.saturating_duration_since(now);
        lane.refuse_if_held(left)?;
        let mine = lane.bucket.take(now, left).map_err(|_| busy())?;
        let all = provider.bucket.take(now, left).map_err(|_| busy())?;
        tokio::time::sleep(mine.max(all)).await;
        let permits = tokio::time::timeout_at(self.deadline, async {
            let mine = lane.turns.clone().acquire_owned().await;
            let all = provider.turns.clone().acquire_owned().await;
            mine.and_then(|mine| all.map(|all| (mine, all)))
        });
        let Ok(Ok(permits)) = permits.await else { return Err(busy()) };
        // Others may have been told to wait meanwhile, and are told again when they all come back at once.
        loop {
            let wait = lane.refuse_if_held(self.deadline.saturating_duration_since(Instant::now()))?;
            if wait.is_zero() {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        let now = Instant::now();
        let leave = lane.breaker(|breaker| breaker.enter(now)).map_err(|until| lane.resting(until, now))?;
        self.attempts += 1;
        Ok(Turn { deadline: self.deadline, leave: Some(leave), _permits: permits, lane })
    }

    /// How long to wait before another attempt after an error; nothing if there is none.
    pub fn again(&self, error: &Error) -> Option<Duration> {
        if !self.may_ask_again() {
            return None;
        }
        let asked = error.again_after()?;
        let pause = asked.saturating_add(RETRY.delay_at_least_half(self.attempts, rand::random()));
        (pause < self.deadline.saturating_duration_since(Instant::now())).then_some(pause)
    }
}

impl Turn {
    /// Sends once and waits for the reply.
    ///
    /// # Errors
    /// Whatever came instead; [`Error::may_cost`] says whether it may be on the bill.
    pub async fn send(mut self, request: &Request) -> Result<Reply, Error> {
        let lane = self.lane.clone();
        let provider = &lane.provider;
        let started = Instant::now();
        let most = provider.attempt_timeout.min(self.deadline.saturating_duration_since(started));
        if most.is_zero() {
            return Err(Error::Busy { provider: provider.name.clone() });
        }
        let result = provider.sender.ask(request, &lane.config, most).await;
        match &result {
            Ok(_) => debug!(provider = provider.name, model = lane.name, took = ?started.elapsed(), "answered"),
            Err(error) => {
                debug!(provider = provider.name, model = lane.name, took = ?started.elapsed(), %error, "no answer");
            }
        }
        match &result {
            Err(Error::RateLimited { wait, .. }) => {
                // All who call the model wait, not only who was told to; else each of them would be told.
                let times = lane.throttled.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                lane.hold((*wait).max(THROTTLED.delay_at_least_half(times, rand::random())));
            }
            Ok(_) => lane.throttled.store(0, Ordering::Relaxed),
            Err(Error::Quota { .. }) => lane.hold(WITHOUT_CREDIT),
            _ => {}
        }
        let fault = result.as_ref().is_err_and(Error::is_fault);
        if let Some(leave) = self.leave.take() {
            let has_opened = lane.breaker(|breaker| {
                let before = *breaker;
                breaker.settle(leave, fault, Instant::now(), provider.rest, rand::random());
                *breaker != before && matches!(breaker, Breaker::Open { .. })
            });
            if has_opened {
                warn!(provider = provider.name, "too many faults in a row: leaving the provider alone for a while");
            }
        }
        result
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take() {
            self.lane.breaker(|breaker| breaker.give_up(leave, Instant::now()));
        }
    }
}

impl Lane {
    fn refuse_if_held(&self, left: Duration) -> Result<Duration, Error> {
        let wait = self.held_for(Instant::now());
        if wait < left || wait.is_zero() {
            return Ok(wait);
        }
        Err(Error::RateLimited { provider: self.provider.name.clone(), wait })
    }

    fn refuse_if_resting(&self, now: Instant) -> Result<(), Error> {
        match self.breaker(|breaker| *breaker) {
            Breaker::Open { until, .. } if now < until => Err(self.resting(until, now)),
            _ => Ok(()),
        }
    }

    fn resting(&self, until: Instant, now: Instant) -> Error {
        let wait = until.saturating_duration_since(now);
        Error::Resting { provider: self.provider.name.clone(), wait }
    }
}
