//! A plugin's task: one call after the other, each with an end, and its timers in bots' time.
//!
//! A call that goes wrong costs the plugin its VM and nobody else anything; the next call gets a new one around the state
//! that was kept last.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::error;

use super::member::{Consequence, Member, Request};
use crate::host::Host;
use crate::lua::plugins::{Answer, Answered, LivingPlugin, PluginCall};
use crate::model::activity::{Ending, NewActivity};
use crate::model::diagnostic::Diagnostic;
use crate::model::frame;
use crate::model::plugin::Hook;
use crate::runtime::bot::Shared;

/// Lives until the plugin is stopped.
pub(super) async fn run(
    shared: Arc<Shared>,
    member: Arc<Member>,
    mut mailbox: mpsc::Receiver<Request>,
    previous: Option<CancellationToken>,
) {
    let _ended: DropGuard = member.ended.clone().drop_guard();
    if let Some(previous) = previous {
        // Its state is this one's too. It ends within its deadline, because its calls do.
        previous.cancelled().await;
    }
    let Some(mut task) = Task::new(shared, member.clone()).await else { return };
    if member.is_running() && member.manifest().has(Hook::OnStart) {
        // What went wrong is told by the call itself.
        let _ = task.call(&PluginCall::Start, member.terms.background, None).await;
    }
    loop {
        let due = task.next_due();
        let clock = task.shared.world.clock.clone();
        let timer = async {
            match due {
                Some((at, _)) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let request = tokio::select! {
            biased;
            () = member.stop.cancelled() => return,
            Some(request) = mailbox.recv() => Some(request),
            () = timer => None,
        };
        match (request, due) {
            (Some(request), _) => task.answer(request).await,
            (None, Some((_, place))) => task.ring(place).await,
            (None, None) => {}
        }
    }
}

struct Task {
    shared: Arc<Shared>,
    member: Arc<Member>,
    living: Option<LivingPlugin>,
    /// As it is in the store.
    state: Option<String>,
    timers: BTreeMap<String, Timestamp>,
    calls: u64,
}

impl Task {
    async fn new(shared: Arc<Shared>, member: Arc<Member>) -> Option<Self> {
        let mut pause = Duration::from_millis(100);
        // Without what it kept, a plugin would begin anew: it waits until the store can be read.
        let row = loop {
            match shared.world.store.plugin(member.name()).await {
                Ok(row) => break row,
                Err(problem) => {
                    error!(plugin = %member.name(), error = &problem as &dyn std::error::Error, "could not read what a plugin kept, trying again");
                }
            }
            tokio::select! {
                () = member.stop.cancelled() => return None,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(10)),
            }
        };
        // A timer that never ran begins to count now, also over a restart.
        let now = shared.world.clock.now();
        let mut timers = row.timers;
        let new: Vec<(String, Timestamp)> = member
            .manifest()
            .timers
            .iter()
            .filter(|timer| !timers.contains_key(&timer.key))
            .map(|timer| (timer.key.clone(), now))
            .collect();
        timers.extend(new.iter().cloned());
        member.note_timers(&timers);
        let task = Self { shared, member, living: None, state: row.state, timers, calls: 0 };
        if !new.is_empty() {
            task.keep(None, new).await;
        }
        Some(task)
    }

    async fn keep(&self, state: Option<String>, ran: Vec<(String, Timestamp)>) -> bool {
        match self.shared.world.store.keep_plugin(self.member.name(), state, ran).await {
            Ok(()) => true,
            Err(problem) => {
                error!(plugin = %self.member.name(), error = &problem as &dyn std::error::Error, "could not keep what a plugin left");
                false
            }
        }
    }

    /// The timer that is due first, and when.
    fn next_due(&self) -> Option<(Timestamp, usize)> {
        if !self.member.is_running() {
            return None;
        }
        let timers = self.member.manifest().timers.iter().enumerate();
        timers
            .map(|(place, timer)| {
                let last = self.timers.get(&timer.key).copied().unwrap_or(Timestamp::MAX);
                (last.saturating_add(timer.every.signed()).unwrap_or(Timestamp::MAX), place)
            })
            .min()
    }

    async fn answer(&mut self, request: Request) {
        let Request { call, reply, since } = request;
        if !self.member.is_running() {
            return;
        }
        if reply.as_ref().is_some_and(oneshot::Sender::is_closed) {
            // Whoever asked has gone on without it.
            self.member.came_too_late(&call);
            return;
        }
        let (within, began) = match &reply {
            Some(_) => (self.member.terms.deadline, since),
            None => (self.member.terms.background, Instant::now()),
        };
        let result = self.call(&call, within, None).await;
        if let Some(reply) = reply {
            // Whoever asked may have gone on meanwhile.
            let _ = reply.send(result);
        }
        self.member.took(&call, began.elapsed());
    }

    /// A timer is due. Runs that were missed are one run, and one that goes wrong is not repeated before its time.
    async fn ring(&mut self, place: usize) {
        let Some(timer) = self.member.manifest().timers.get(place) else { return };
        let (key, now) = (timer.key.clone(), self.shared.world.clock.now());
        self.timers.insert(key.clone(), now);
        self.member.note_timers(&self.timers);
        let (call, began) = (PluginCall::Timer(place), Instant::now());
        // What went wrong is told by the call itself.
        let _ = self.call(&call, self.member.terms.background, Some((key, now))).await;
        self.member.took(&call, began.elapsed());
    }

    async fn call(
        &mut self,
        call: &PluginCall,
        within: Duration,
        ran: Option<(String, Timestamp)>,
    ) -> Result<Answer, String> {
        self.member.begin(within);
        let result = self.run(call, within).await;
        self.member.end();
        let ran: Vec<_> = ran.into_iter().collect();
        match result {
            Ok(answered) => {
                let is_kept = match (&answered.state, ran.is_empty()) {
                    (None, true) => true,
                    _ => self.keep(answered.state.clone(), ran).await,
                };
                if !is_kept {
                    // What it knows now is not what was kept.
                    self.living = None;
                    return Err("what it wanted to keep could not be written".to_owned());
                }
                if answered.state.is_some() {
                    self.state = answered.state;
                }
                self.member.went_well(call, &answered.answer);
                Ok(answered.answer)
            }
            Err(_) if self.member.stop.is_cancelled() => Err("it is stopping".to_owned()),
            Err(problem) => {
                self.living = None;
                if !ran.is_empty() {
                    self.keep(None, ran).await;
                }
                let words = problem.to_string();
                fault(&self.shared, &self.member, call, &problem).await;
                Err(words)
            }
        }
    }

    async fn run(&mut self, call: &PluginCall, within: Duration) -> Result<Answered, Diagnostic> {
        let limits = self.shared.settings.load().limits;
        let mut living = match self.living.take() {
            Some(living) => living,
            None => {
                LivingPlugin::new(self.member.version.clone(), limits, &self.member.options, self.state.as_deref())?
            }
        };
        self.calls += 1;
        let token = self.member.stop.child_token();
        let world = self.shared.world.clone();
        let host = Host::plugin(world, &self.member.version.role, self.calls, token.clone());
        let result = living.call_within(host, call, within, &token).await?;
        self.living = Some(living);
        Ok(result)
    }
}

/// Tells of a fault, and of the quarantine when it is one too many.
pub(super) async fn fault(shared: &Shared, member: &Member, call: &PluginCall, problem: &Diagnostic) {
    let name = member.name();
    let at = shared.world.clock.now();
    let consequence = member.went_wrong(call, problem, at);
    let activity = |kind: &str, text: String| NewActivity {
        at,
        bot: None,
        persona: None,
        kind: kind.to_owned(),
        ending: Ending::Failed,
        target: String::new(),
        text,
        detail: json!({
            "plugin": name.as_str(), "version": member.version.id.as_str(), "file": problem.file, "line": problem.line,
            "message": problem.message, "hint": problem.hint, "traceback": problem.traceback,
            "frame": frame::plain(problem)
        }),
    };
    let journal = &shared.world.journal;
    journal.record(activity("plugin_error", format!("the plugin `{name}`: {problem}"))).await;
    if consequence == Consequence::Quarantined {
        let decides = member.manifest().on_error.as_str();
        let words = format!(
            "the plugin `{name}` went wrong too often and is no longer asked, its on_error (\"{decides}\") decides; it waits \
             for a new version or a resume: {problem}"
        );
        journal.record(activity("plugin_quarantined", words)).await;
    }
}
