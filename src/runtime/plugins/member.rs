//! A member: one plugin that runs, as those see it who call it.
//!
//! A call ends at its deadline, whatever the plugin does; what the plugin does then is its own task's affair.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::tally::Tally;
use super::view::{Fared, PluginState, TimerView};
use crate::lua::plugins::{Answer, PluginCall, PluginVersion};
use crate::model::diagnostic::Diagnostic;
use crate::model::plugin::{Manifest, PluginName};

/// How long bots wait and what a plugin may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long a bot waits, on the wall.
    pub deadline: Duration,
    /// How long a call may take that nobody waits for.
    pub background: Duration,
    /// Calls that may wait.
    pub queue: usize,
    /// Faults among the last [`LAST`] calls that stop it.
    pub quarantine_after: u32,
}

/// Calls that count for a quarantine.
pub const LAST: u32 = 20;

/// One call on its way.
#[derive(Debug)]
pub struct Request {
    /// What for.
    pub call: PluginCall,
    /// Whom to tell, when somebody waits.
    pub reply: Option<oneshot::Sender<Result<Answer, String>>>,
    /// Since when it waits.
    pub since: Instant,
}

/// One plugin that runs.
#[derive(Debug)]
pub struct Member {
    /// Its version.
    pub version: Arc<PluginVersion>,
    /// What the config says.
    pub options: Arc<Value>,
    /// How long bots wait.
    pub terms: Terms,
    /// Told to end.
    pub stop: CancellationToken,
    /// Whether it has ended.
    pub ended: CancellationToken,
    mailbox: mpsc::Sender<Request>,
    inner: Mutex<Inner>,
    /// Milliseconds since `born` when the call under way must have ended, plus one; 0: none is.
    busy_until: AtomicU64,
    born: Instant,
}

#[derive(Debug)]
struct Inner {
    state: PluginState,
    tally: Tally,
    /// The last calls, the newest lowest; a one is a fault.
    history: u32,
    /// When each timer ran last.
    timers: BTreeMap<String, Timestamp>,
}

/// What a fault did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// It goes on.
    GoesOn,
    /// It is stopped from now on.
    Quarantined,
}

impl Member {
    /// A plugin about to run, and the end of its mailbox that its task reads.
    pub fn new(
        ready: &super::catalog::Ready,
        terms: Terms,
        paused: Option<String>,
        stopping: &CancellationToken,
    ) -> (Arc<Self>, mpsc::Receiver<Request>) {
        let (mailbox, requests) = mpsc::channel(terms.queue);
        let member = Self {
            version: ready.version.clone(),
            options: ready.options.clone(),
            terms,
            stop: stopping.child_token(),
            ended: CancellationToken::new(),
            mailbox,
            inner: Mutex::new(Inner {
                state: paused.map_or(PluginState::Running, PluginState::Paused),
                tally: Tally::new(ready.version.manifest.clone()),
                history: 0,
                timers: BTreeMap::new(),
            }),
            busy_until: AtomicU64::new(0),
            born: Instant::now(),
        };
        (Arc::new(member), requests)
    }

    /// What its file says.
    pub fn manifest(&self) -> &Manifest {
        &self.version.manifest
    }

    /// Its name.
    pub fn name(&self) -> &PluginName {
        &self.version.manifest.name
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it does at the moment.
    pub fn state(&self) -> PluginState {
        self.inner().state.clone()
    }

    /// Whether an operator paused it.
    pub fn is_paused(&self) -> bool {
        matches!(self.inner().state, PluginState::Paused(_))
    }

    /// Whether it is asked and told.
    pub fn is_running(&self) -> bool {
        self.inner().state == PluginState::Running
    }

    /// How it fared.
    pub fn fared(&self) -> Fared {
        self.inner().tally.fared()
    }

    /// Calls that wait for it.
    pub fn waiting(&self) -> usize {
        self.terms.queue.saturating_sub(self.mailbox.capacity())
    }

    /// When its timers ran and will run.
    pub fn timers(&self) -> Vec<TimerView> {
        let inner = self.inner();
        let is_running = inner.state == PluginState::Running;
        let timers = self.manifest().timers.iter().map(|timer| {
            let ran_at = inner.timers.get(&timer.key).copied();
            let next_at = ran_at.and_then(|ran| ran.saturating_add(timer.every.signed()).ok());
            TimerView { key: timer.key.clone(), every: timer.every, ran_at, next_at: next_at.filter(|_| is_running) }
        });
        timers.collect()
    }

    /// Its timers ran last at these times.
    pub fn note_timers(&self, ran: &BTreeMap<String, Timestamp>) {
        self.inner().timers.clone_from(ran);
    }

    /// Pauses it, or lets it run again with a clean slate.
    pub fn set_paused(&self, reason: Option<String>) {
        let mut inner = self.inner();
        inner.history = 0;
        inner.state = reason.map_or(PluginState::Running, PluginState::Paused);
    }

    /// Calls it and waits, but never past the deadline.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(&self, call: PluginCall) -> Result<Answer, Unanswered> {
        match self.state() {
            PluginState::Running => {}
            PluginState::Quarantined(error) => {
                return Err(Unanswered::known(format!("it is quarantined after too many faults: {error}")));
            }
            state => return Err(Unanswered::known(format!("it is {}", state.as_str()))),
        }
        let now = self.millis();
        let busy_until = self.busy_until.load(Ordering::Relaxed);
        if busy_until > 0 && now > busy_until {
            return Err(Unanswered::known("it is busy with a call that should have ended".to_owned()));
        }
        let (reply, answer) = oneshot::channel();
        if let Err(full) = self.mailbox.try_send(Request { call, reply: Some(reply), since: Instant::now() }) {
            let waiting = self.terms.queue;
            let problem = format!("{waiting} calls wait for it already (plugins.queue)");
            return Err(Unanswered { unknown: Some(full.into_inner().call), ..Unanswered::known(problem) });
        }
        match tokio::time::timeout(self.terms.deadline, answer).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(problem))) => Err(self.cut_off(problem)),
            Ok(Err(_)) => Err(self.cut_off("it was reloaded meanwhile".to_owned())),
            Err(_) => {
                let millis = self.terms.deadline.as_millis();
                Err(Unanswered::known(format!("no answer within {millis} ms (plugins.deadline_millis)")))
            }
        }
    }

    /// A call that failed, maybe only because the plugin was told to end.
    fn cut_off(&self, problem: String) -> Unanswered {
        Unanswered { is_reloaded: self.stop.is_cancelled(), ..Unanswered::known(problem) }
    }

    /// Tells it something; nobody waits, and what it has no room for is lost.
    pub fn tell(&self, call: PluginCall) {
        if self.is_running() && self.mailbox.try_send(Request { call, reply: None, since: Instant::now() }).is_err() {
            self.inner().tally.missed();
        }
    }

    /// A call has ended after so long, however it did.
    pub fn took(&self, call: &PluginCall, time: Duration) {
        self.inner().tally.took(call, time);
    }

    /// Whoever asked had gone on before the call began.
    pub fn came_too_late(&self, call: &PluginCall) {
        self.inner().tally.came_too_late(call);
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A call begins that must end within this; past twice that, nobody waits for it any more.
    pub fn begin(&self, within: Duration) {
        let grace = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(1);
        self.busy_until.store(self.millis().saturating_add(grace), Ordering::Relaxed);
    }

    /// The call has ended.
    pub fn end(&self) {
        self.busy_until.store(0, Ordering::Relaxed);
    }

    /// A call went well.
    pub fn went_well(&self, call: &PluginCall, answer: &Answer) {
        let mut inner = self.inner();
        inner.history <<= 1;
        inner.tally.went_well(call, answer);
    }

    /// A call went wrong.
    pub fn went_wrong(&self, call: &PluginCall, problem: &Diagnostic, at: Timestamp) -> Consequence {
        let mut inner = self.inner();
        inner.tally.went_wrong(call, problem, at);
        inner.history = inner.history << 1 | 1;
        let faults = (inner.history & ((1 << LAST) - 1)).count_ones();
        if faults >= self.terms.quarantine_after && inner.state == PluginState::Running {
            inner.state = PluginState::Quarantined(problem.to_string());
            return Consequence::Quarantined;
        }
        Consequence::GoesOn
    }
}

/// Why a plugin did not answer.
#[derive(Debug, Clone)]
pub struct Unanswered {
    /// In words.
    pub problem: String,
    /// The call, when it is a fault that its task does not know of.
    pub unknown: Option<PluginCall>,
    /// Whether another member of its name may have taken its place.
    pub is_reloaded: bool,
}

impl Unanswered {
    fn known(problem: String) -> Self {
        Self { problem, unknown: None, is_reloaded: false }
    }
}
