//! A member: one plugin that runs, as those see it who call it.
//!
//! A call ends at its deadline, whatever the plugin does; what the plugin does then is its own task's affair.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::view::{Fared, PluginState};
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
/// Waits that are remembered.
const WAITS: usize = 256;

/// One call on its way.
#[derive(Debug)]
pub struct Request {
    /// What for.
    pub call: PluginCall,
    /// Whom to tell, when somebody waits.
    pub reply: Option<oneshot::Sender<Result<Answer, String>>>,
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
    fared: Fared,
    /// The last calls, the newest lowest; a one is a fault.
    history: u32,
    waits: VecDeque<u64>,
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
                fared: Fared::default(),
                history: 0,
                waits: VecDeque::new(),
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

    /// Whether it is asked and told.
    pub fn is_running(&self) -> bool {
        self.inner().state == PluginState::Running
    }

    /// How it fared.
    pub fn fared(&self) -> Fared {
        let inner = self.inner();
        let mut waits: Vec<u64> = inner.waits.iter().copied().collect();
        waits.sort_unstable();
        Fared {
            median_micros: waits.get(waits.len() / 2).copied().unwrap_or(0),
            longest_micros: waits.last().copied().unwrap_or(0),
            ..inner.fared.clone()
        }
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
    /// Why there is no answer; the second is a fault that its task does not know of.
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
        let began = Instant::now();
        let (reply, answer) = oneshot::channel();
        if self.mailbox.try_send(Request { call, reply: Some(reply) }).is_err() {
            let waiting = self.terms.queue;
            return Err(Unanswered::new_fault(format!("{waiting} calls wait for it already (plugins.queue)")));
        }
        let answered = tokio::time::timeout(self.terms.deadline, answer).await;
        self.note_wait(began.elapsed());
        match answered {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(problem))) => Err(Unanswered::known(problem)),
            Ok(Err(_)) => Err(Unanswered::known("it was reloaded meanwhile".to_owned())),
            Err(_) => {
                let millis = self.terms.deadline.as_millis();
                Err(Unanswered::known(format!("no answer within {millis} ms (plugins.deadline_millis)")))
            }
        }
    }

    /// Tells it something; nobody waits, and what it has no room for is lost.
    pub fn tell(&self, call: PluginCall) {
        if self.is_running() && self.mailbox.try_send(Request { call, reply: None }).is_err() {
            self.inner().fared.missed += 1;
        }
    }

    fn note_wait(&self, wait: Duration) {
        let mut inner = self.inner();
        if inner.waits.len() >= WAITS {
            inner.waits.pop_front();
        }
        inner.waits.push_back(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
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
    pub fn went_well(&self, answer: &Answer) {
        let mut inner = self.inner();
        inner.fared.calls += 1;
        inner.history <<= 1;
        match answer {
            Answer::Deny(..) => inner.fared.denied += 1,
            Answer::Change(..) => inner.fared.changed += 1,
            Answer::Nothing | Answer::Value(_) => {}
        }
    }

    /// A call went wrong.
    pub fn went_wrong(&self, problem: &Diagnostic) -> Consequence {
        let mut inner = self.inner();
        inner.fared.calls += 1;
        inner.fared.faults += 1;
        inner.fared.last_fault = Some(problem.clone());
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// In words.
    pub problem: String,
    /// Whether its task does not know of this fault yet.
    pub is_new_fault: bool,
}

impl Unanswered {
    fn known(problem: String) -> Self {
        Self { problem, is_new_fault: false }
    }

    fn new_fault(problem: String) -> Self {
        Self { problem, is_new_fault: true }
    }
}
