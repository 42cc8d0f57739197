//! The gate: asks, before anything is sent, whether what is already known forbids it.
//!
//! Whoever hears of a pause, a budget or a rate limit tells the gate, and all others are refused without a call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::breaker::{Breaker, Leave, REST};
use crate::clock::Clock;
use crate::floimg::error::{Error, Period, Upstream, Usage};
use crate::floimg::signals::{BreakerState, Signals};

/// How long a call waits by itself for a rate limit to pass; for more it is refused.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How many bots' budgets are kept before the passed ones are swept out for the first time.
const FIRST_SWEEP: usize = 1024;

/// What a call is, as far as the gate cares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub upstream: Upstream,
    pub write: bool,
    pub agent: Option<&'a str>,
}

/// One gate for the whole fleet.
#[derive(Debug)]
pub(super) struct Gate {
    clock: Clock,
    looks: Backoff,
    state: Mutex<State>,
    signals: watch::Sender<Signals>,
}

#[derive(Debug)]
struct State {
    fleet: Option<Hold>,
    agents: HashMap<String, Hold>,
    sweep_at: usize,
    pause: Option<Pause>,
    /// Pauses since an action last went through; a pause that keeps coming back is looked at more and more rarely.
    pauses: u32,
    /// By upstream, then reads and writes.
    rates: [[Option<Instant>; 2]; 2],
    breakers: [Breaker; 2],
}

/// A budget that is used up.
#[derive(Debug, Clone, Copy)]
struct Hold {
    until: Timestamp,
    period: Period,
    usage: Option<Usage>,
    /// A read met it, so reads count too; until then they pass.
    reads: bool,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    look_at: Instant,
    looking: bool,
}

/// Leave to send one call; what came of it is told by [`Pass::settle`], and dropping it tells that nobody knows.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    upstream: Upstream,
    write: bool,
    agent: Option<String>,
    leave: Leave,
    looks_for_pause: bool,
    settled: bool,
}

/// The clock's time when the wall has moved on by `wall`.
pub(super) fn after(clock: &Clock, wall: Duration) -> Timestamp {
    let passed = SignedDuration::try_from_secs_f64(wall.as_secs_f64() * clock.speed()).unwrap_or(SignedDuration::MAX);
    clock.now().saturating_add(passed).unwrap_or(Timestamp::MAX)
}

impl Gate {
    /// An open gate that looks after a pause about every `look_every`.
    pub(super) fn new(clock: Clock, look_every: Duration) -> Self {
        let looks = Backoff { base: look_every, cap: look_every.saturating_mul(16) };
        let state = State {
            fleet: None,
            agents: HashMap::new(),
            sweep_at: FIRST_SWEEP,
            pause: None,
            pauses: 0,
            rates: [[None; 2]; 2],
            breakers: [Breaker::Closed { faults: 0 }; 2],
        };
        Self { clock, looks, state: Mutex::new(state), signals: watch::Sender::new(Signals::default()) }
    }

    /// What is known, now and from here on.
    pub(super) fn signals(&self) -> watch::Receiver<Signals> {
        self.signals.subscribe()
    }

    /// Whether the platform is paused and it is time to look whether it still is.
    pub(super) fn may_look(&self) -> bool {
        self.state().pause.is_some_and(|pause| !pause.looking && pause.look_at <= Instant::now())
    }

    /// Forgets budgets, rate limits and the pause, so that the next call asks the platform itself.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.fleet = None;
        state.agents.clear();
        state.pause = None;
        state.pauses = 0;
        state.rates = [[None; 2]; 2];
        self.publish(&state);
    }

    /// Refuses what is already known to be refused, and says how long to wait for a rate limit that soon passes.
    pub(super) fn check(&self, ask: Ask<'_>) -> Result<Duration, Error> {
        self.refusal(&self.state(), ask)
    }

    /// Gives leave to send a call now, or refuses it.
    pub(super) async fn enter(self: &Arc<Self>, ask: Ask<'_>) -> Result<Pass, Error> {
        let started = Instant::now();
        loop {
            match self.try_enter(ask)? {
                Ok(pass) => return Ok(pass),
                // Others may hear of a longer limit meanwhile, again and again.
                Err(wait) if started.elapsed() > PATIENCE => {
                    return Err(Error::RateLimited { until: after(&self.clock, wait) });
                }
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn try_enter(self: &Arc<Self>, ask: Ask<'_>) -> Result<Result<Pass, Duration>, Error> {
        let mut state = self.state();
        let wait = self.refusal(&state, ask)?;
        if !wait.is_zero() {
            return Ok(Err(wait));
        }
        let now = Instant::now();
        let leave = state.breakers[ask.upstream as usize].enter(now).map_err(|until| Error::BreakerOpen {
            upstream: ask.upstream,
            until: after(&self.clock, until.saturating_duration_since(now)),
        })?;
        if leave == Leave::Probe {
            self.publish_breaker(ask.upstream, state.breakers[ask.upstream as usize]);
        }
        let looks_for_pause = state.pause.is_some();
        if let Some(pause) = &mut state.pause {
            pause.looking = true;
        }
        Ok(Ok(Pass {
            gate: Arc::clone(self),
            upstream: ask.upstream,
            write: ask.write,
            agent: ask.agent.map(str::to_owned),
            leave,
            looks_for_pause,
            settled: false,
        }))
    }

    fn refusal(&self, state: &State, ask: Ask<'_>) -> Result<Duration, Error> {
        let now = Instant::now();
        if let Some(pause) = state.pause {
            let may_look = !ask.write && ask.upstream == Upstream::Api && !pause.looking && pause.look_at <= now;
            if !may_look {
                let wait = pause.look_at.saturating_duration_since(now).max(Duration::from_secs(1));
                return Err(Error::PlatformPaused { look_again: after(&self.clock, wait) });
            }
        }
        if let Some(agent) = ask.agent {
            let stops = |hold: &&Hold| (ask.write || hold.reads) && self.clock.now() < hold.until;
            if let Some(Hold { until, period, usage, .. }) = state.fleet.as_ref().filter(stops).copied() {
                return Err(Error::FleetBudget { period, until, usage });
            }
            if let Some(Hold { until, period, usage, .. }) = state.agents.get(agent).filter(stops).copied() {
                return Err(Error::AgentBudget { period, until, usage });
            }
        }
        let until = state.rates[ask.upstream as usize][usize::from(ask.write)];
        let wait = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if wait > PATIENCE {
            return Err(Error::RateLimited { until: after(&self.clock, wait) });
        }
        Ok(wait)
    }

    fn look_at(&self, pauses: u32, now: Instant) -> Instant {
        now.checked_add(self.looks.delay_at_least_half(pauses, rand::random())).unwrap_or(now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, state: &State) {
        let fleet_until = state.fleet.map(|hold| (hold.until, hold.period));
        let platform_paused = state.pause.is_some();
        self.signals.send_if_modified(|signals| {
            let next = Signals { fleet_until, platform_paused, ..*signals };
            std::mem::replace(signals, next) != next
        });
    }

    fn publish_breaker(&self, upstream: Upstream, breaker: Breaker) {
        let next = match breaker {
            Breaker::Closed { .. } => BreakerState::Closed,
            Breaker::Open { until, .. } => {
                BreakerState::Open { until: after(&self.clock, until.saturating_duration_since(Instant::now())) }
            }
            Breaker::Probing { .. } => BreakerState::Probing,
        };
        self.signals.send_if_modified(|signals| {
            let place = match upstream {
                Upstream::Api => &mut signals.api,
                Upstream::Workflows => &mut signals.workflows,
            };
            std::mem::replace(place, next) != next
        });
    }
}

impl Pass {
    /// Tells what came of the call, so that all others know, and hands it back.
    pub(super) fn settle<T>(mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.settled = true;
        let gate = Arc::clone(&self.gate);
        let now = Instant::now();
        let mut state = gate.state();
        self.settle_breaker(&mut state, result.as_ref().is_err_and(Error::is_fault), now);
        let result = match result {
            Err(Error::PlatformPaused { .. }) => {
                Err(Error::PlatformPaused { look_again: self.paused(&mut state, now) })
            }
            other => other,
        };
        match &result {
            Err(Error::FleetBudget { until, period, usage }) => {
                let reads = !self.write || state.fleet.is_some_and(|hold| hold.reads && gate.clock.now() < hold.until);
                state.fleet = Some(Hold { until: *until, period: *period, usage: *usage, reads });
                warn!(%until, %period, "the fleet's budget on the platform is used up");
            }
            Err(Error::AgentBudget { until, period, usage }) => {
                if let Some(agent) = self.agent.take() {
                    let now = gate.clock.now();
                    let reads =
                        !self.write || state.agents.get(&agent).is_some_and(|hold| hold.reads && now < hold.until);
                    state.hold_agent(agent, Hold { until: *until, period: *period, usage: *usage, reads }, now);
                }
            }
            Err(Error::RateLimited { until }) => {
                let place = &mut state.rates[self.upstream as usize][usize::from(self.write)];
                let until = now.checked_add(gate.clock.wall_until(*until));
                *place = (*place).max(until);
            }
            Ok(_) if self.write && self.agent.is_some() && state.pause.is_none() => state.pauses = 0,
            _ => {}
        }
        if self.looks_for_pause {
            let answered = match &result {
                Ok(_)
                | Err(
                    Error::NotFound { .. }
                    | Error::Rejected { .. }
                    | Error::Forbidden { .. }
                    | Error::FleetBudget { .. }
                    | Error::AgentBudget { .. },
                ) => true,
                Err(_) => false,
            };
            if answered && state.pause.take().is_some() {
                info!("the platform's pause is over");
            } else if state.pause.is_some() && !matches!(result, Err(Error::PlatformPaused { .. })) {
                state.pause = Some(Pause { look_at: gate.look_at(state.pauses, now), looking: false });
            }
        }
        gate.publish(&state);
        result
    }

    /// Notes a pause and says when it is looked at again.
    fn paused(&self, state: &mut State, now: Instant) -> Timestamp {
        if state.pause.is_none() {
            state.pauses = state.pauses.saturating_add(1);
            state.pause = Some(Pause { look_at: self.gate.look_at(state.pauses, now), looking: false });
            warn!("the platform has paused all fleets");
        } else if self.looks_for_pause {
            state.pause = Some(Pause { look_at: self.gate.look_at(state.pauses, now), looking: false });
        }
        let wait = state.pause.map_or(Duration::ZERO, |pause| pause.look_at.saturating_duration_since(now));
        after(&self.gate.clock, wait)
    }

    fn settle_breaker(&self, state: &mut State, fault: bool, now: Instant) {
        let breaker = &mut state.breakers[self.upstream as usize];
        let before = *breaker;
        breaker.settle(self.leave, fault, now, REST, rand::random());
        if *breaker != before {
            if matches!(breaker, Breaker::Open { .. }) {
                warn!(upstream = %self.upstream, "too many faults in a row: leaving it alone for a while");
            }
            self.gate.publish_breaker(self.upstream, *breaker);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let mut state = self.gate.state();
        let breaker = &mut state.breakers[self.upstream as usize];
        if self.leave == Leave::Probe {
            breaker.give_up(self.leave, Instant::now());
            self.gate.publish_breaker(self.upstream, *breaker);
        }
        if self.looks_for_pause
            && let Some(pause) = &mut state.pause
        {
            pause.looking = false;
        }
    }
}

impl State {
    fn hold_agent(&mut self, agent: String, hold: Hold, now: Timestamp) {
        if self.agents.len() >= self.sweep_at {
            self.agents.retain(|_, hold| now < hold.until);
            self.sweep_at = (self.agents.len() * 2).max(FIRST_SWEEP);
        }
        self.agents.insert(agent, hold);
    }
}
