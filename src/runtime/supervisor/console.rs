//! The console: a few lines of Luau in a bot's world, beside its ticks or between two of them.
//!
//! A bot whose state may be changed begins no tick until the change is kept or given up.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::{Id, JoinError};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error};

use crate::host::Host;
use crate::host::identity::Profile;
use crate::host::rhythm::Visit;
use crate::lua::console::{self, Mode, Question};
use crate::lua::version::Version;
use crate::model::activity::{Ending, NewActivity};
use crate::model::name::BotId;
use crate::runtime::bot::Shared;
use crate::runtime::fleet::Asked;
use crate::runtime::view::ConsoleView;

use super::Supervisor;

/// Calls under way at one time.
const MOST: usize = 4;
/// How long one call may take on the wall, for calls that wait for the gallery.
const WITHIN: Duration = Duration::from_secs(20);

/// One call.
struct Call {
    id: BotId,
    version: Arc<Version>,
    profile: Arc<Profile>,
    visit: Visit,
    lived: u64,
    code: String,
    mode: Mode,
}

impl Supervisor {
    /// Begins a call; it is answered when it has ended.
    pub(super) fn console(&mut self, id: &BotId, code: String, mode: Mode, reply: oneshot::Sender<Asked>) {
        let (index, call) = match self.call(id, code, mode) {
            Ok(call) => call,
            // Whoever asked may be gone.
            Err(answer) => return drop(reply.send(answer.map(Err))),
        };
        if mode == Mode::Write {
            self.unschedule(index);
            // Its VM holds the state of before.
            self.warm.drop(index);
            if let Some(slot) = self.slots.get_mut(index as usize) {
                slot.is_acting = true;
            }
        }
        let span = tracing::info_span!("console", bot = %call.id, version = %call.version.id);
        let shared = self.shared.clone();
        let work = async move {
            let answer = run(&shared, call).await;
            // Whoever asked may be gone.
            let _ = reply.send(Some(answer));
        };
        let handle = self.consoles.spawn_on(work.instrument(span), &self.shared.scripts);
        if mode == Mode::Write {
            self.changing.insert(handle.id(), index);
        }
    }

    fn call(&self, id: &BotId, code: String, mode: Mode) -> Result<(u32, Call), Option<String>> {
        let index = *self.by_id.get(id).ok_or(None)?;
        let slot = self.slots.get(index as usize).ok_or(None)?;
        let Some(version) = self.running(id) else {
            return Err(Some(format!("no version of `{}` runs", id.persona)));
        };
        if self.consoles.len() >= MOST {
            return Err(Some(format!("{MOST} calls of the console are under way: try again in a moment")));
        }
        if mode == Mode::Write {
            if slot.is_acting {
                return Err(Some(format!("{id} is in a tick: its state can be changed between two ticks; try again")));
            }
            if slot.lived == 0 {
                return Err(Some(format!(
                    "{id} has not lived yet, so that there is no state to change: wake it first"
                )));
            }
            if slot.version.as_ref() != Some(&version.id) {
                return Err(Some(format!(
                    "{id} has yet to take version {}, which may change its state: wake it first",
                    version.id
                )));
            }
        }
        let call = Call {
            id: id.clone(),
            version: version.clone(),
            profile: slot.profile.clone(),
            visit: slot.visit,
            lived: slot.lived,
            code,
            mode,
        };
        Ok((index, call))
    }

    pub(super) fn console_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(problem) => {
                error!(%problem, "a call of the console ended in a panic of the host");
                problem.id()
            }
        };
        let Some(index) = self.changing.remove(&id) else { return };
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.is_acting = false;
        }
        self.schedule(index);
    }
}

async fn run(shared: &Arc<Shared>, call: Call) -> Result<ConsoleView, String> {
    let store = &shared.world.store;
    let unreadable = |problem: crate::store::Error| {
        error!(error = &problem as &dyn std::error::Error, "the store failed the console");
        format!("the fleet cannot read or write what it keeps: {problem}")
    };
    let state = store.state(&call.id).await.map_err(unreadable)?;
    let stopping = shared.stopping.child_token();
    let _ended = end_in_time(shared, &stopping);
    let host = Host::console(
        shared.world.clone(),
        call.id.clone(),
        call.profile,
        call.version.persona.clone(),
        call.lived + 1,
        stopping.clone(),
    );
    let limits = shared.settings.load().limits;
    let question = Question { code: call.code, host: host.clone(), visit: call.visit, state, mode: call.mode };
    let asked = console::ask(&call.version, limits, question).await;
    let view = ConsoleView {
        version: call.version.id.clone(),
        printed: host.take_said(),
        values: Vec::new(),
        error: None,
        is_kept: false,
    };
    let answer = match asked {
        Ok(answer) => answer,
        Err(mut problem) => {
            if stopping.is_cancelled() && !shared.stopping.is_cancelled() {
                problem.message = format!("took longer than {} seconds", WITHIN.as_secs());
                problem.hint = Some("ask the gallery for less at a time".to_owned());
            }
            return Ok(ConsoleView { error: Some(problem), ..view });
        }
    };
    let Some(state) = answer.state else { return Ok(ConsoleView { values: answer.values, ..view }) };
    if !store.set_state(&call.id, call.lived, state).await.map_err(unreadable)? {
        return Err(format!("{} has lived another tick meanwhile, and nothing was changed: try again", call.id));
    }
    let activity = NewActivity {
        at: shared.world.clock.now(),
        persona: Some(call.id.persona.clone()),
        bot: Some(call.id),
        kind: "state_changed".to_owned(),
        ending: Ending::Done,
        target: String::new(),
        text: "an operator changed bot.state by the console".to_owned(),
        detail: json!({ "version": call.version.id.as_str() }),
    };
    shared.world.journal.record(activity).await;
    Ok(ConsoleView { values: answer.values, is_kept: true, ..view })
}

/// Tells a call to stop when its time is over; the timer ends with what it answers.
fn end_in_time(shared: &Shared, stopping: &CancellationToken) -> tokio_util::sync::DropGuard {
    let (ended, stopping) = (CancellationToken::new(), stopping.clone());
    let guard = ended.clone().drop_guard();
    let timer = async move {
        tokio::select! {
            () = tokio::time::sleep(WITHIN) => stopping.cancel(),
            () = ended.cancelled() => {}
        }
    };
    // Timers live with the rest of the I/O, not with the scripts.
    shared.world.actions.spawn_on(timer, &shared.world.handle);
    guard
}
