//! One bot's tick, from waking to sleeping again.
//!
//! A tick leaves exactly one row, written in one piece, or none at all; then it is lived again, with the events it was
//! given, and what it did the first time is not done again.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::backoff::Backoff;
use crate::host::identity::{self, Profile};
use crate::host::refusal::Refusal;
use crate::host::rhythm::Visit;
use crate::host::rhythm::after::{after_tick, end_of, spread_after};
use crate::host::{Host, World};
use crate::lua::limits::Limits;
use crate::lua::version::Version;
use crate::lua::{LivingBot, Tick};
use crate::model::activity::{Ending, NewActivity};
use crate::model::diagnostic::Diagnostic;
use crate::model::failure::Failure;
use crate::model::frame;
use crate::model::name::{BotId, VersionId};
use crate::model::seconds::Seconds;
use crate::model::status::Rest;
use crate::model::tally::Tally;
use crate::store::{Hold, HoldKind, StoredEvent, TickRow};

use super::canary;

/// What every tick needs.
#[derive(Debug)]
pub struct Shared {
    /// What all bots share.
    pub world: Arc<World>,
    /// What may change while running.
    pub settings: ArcSwap<Settings>,
    /// Cancelled when the host stops.
    pub stopping: CancellationToken,
    /// The threads that run scripts.
    pub scripts: tokio::runtime::Handle,
}

/// Settings of the runtime that may change live.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What one VM may use.
    pub limits: Limits,
    /// Bots acting at one time.
    pub max_acting: usize,
    /// VMs kept between ticks.
    pub warm_vms: usize,
    /// A bot whose next tick is nearer than this keeps its VM; wall time.
    pub warm: Duration,
    /// The first pause after an error, in bots' time.
    pub retry: Backoff,
    /// Errors in a row that put a bot into quarantine.
    pub quarantine_after: u32,
    /// Overdue wake-ups are spread over this; wall time.
    pub overdue_spread: Duration,
    /// Whether new versions live through a trial.
    pub has_trial: bool,
    /// How new versions are tried on a few bots.
    pub canary: canary::Rules,
    /// How long at most, in bots' time.
    pub canary_time: Seconds,
    /// How many versions of a persona are kept.
    pub keep_versions: u32,
}

/// One tick about to be lived.
#[derive(Debug)]
pub struct Job {
    /// The supervisor's number of the bot.
    pub slot: u32,
    /// Which bot.
    pub id: BotId,
    /// Who it is in the gallery.
    pub profile: Arc<Profile>,
    /// The version it runs.
    pub version: Arc<Version>,
    /// Whether the gallery knows it.
    pub has_account: bool,
    /// How often it asked for an account in vain.
    pub account_tries: u32,
    /// Ticks it has lived.
    pub lived: u64,
    /// The version of its last tick.
    pub last_version: Option<VersionId>,
    /// Where in its visits this tick is.
    pub visit: Visit,
    /// Ticks that went wrong in a row.
    pub failures: u32,
    /// Its VM, if it is still there and of this version.
    pub living: Option<LivingBot>,
    /// Its VM is kept only when it wakes before this: the cache is full of bots that wake sooner.
    pub keep_before: Timestamp,
}

/// What a tick came to.
#[derive(Debug)]
pub struct Done {
    /// The supervisor's number of the bot.
    pub slot: u32,
    /// Whether the gallery knows it now.
    pub has_account: bool,
    /// What was written; `None` when nothing was, because the host stops or the store failed.
    pub row: Option<Box<TickRow>>,
    /// The VM, if it may live on.
    pub living: Option<LivingBot>,
    /// Whether the script went wrong.
    pub is_failure: bool,
    /// The version that was lived.
    pub version: VersionId,
    /// What the tick came to; nothing when the script was not called.
    pub tally: Tally,
}

/// Events handed over in one tick at most.
const EVENTS: u32 = 10;
/// Errors in a row after which the event at whose handler a bot is stuck is set aside; a quarantine that comes sooner does too.
const SET_ASIDE_AFTER: u32 = 3;
/// Tries to write a tick before it is given up.
const TRIES: u32 = 4;
/// Most characters of an error kept with its bot.
const ERROR_CHARS: usize = 2000;

/// Lives one tick.
pub async fn tick(shared: Arc<Shared>, mut job: Job) -> Done {
    shared.world.crash.reached("tick:begin");
    let mut done = Done {
        slot: job.slot,
        has_account: job.has_account,
        row: None,
        living: None,
        is_failure: false,
        version: job.version.id.clone(),
        tally: Tally::default(),
    };
    if !job.has_account {
        match provision(&shared, &job).await {
            Ok(()) => done.has_account = true,
            Err(Refusal::Stopping) => return done,
            Err(Refusal::Wrong(message)) => {
                let failure = Failure::new(crate::model::failure::FailureKind::Rejected, message);
                return rest(&shared, &job, done, &failure).await;
            }
            Err(Refusal::Failure(failure)) => return rest(&shared, &job, done, &failure).await,
        }
    }
    let host = Host::live(
        shared.world.clone(),
        job.id.clone(),
        job.profile.clone(),
        job.version.persona.clone(),
        job.lived + 1,
        shared.stopping.clone(),
    );
    let (living, events) = match prepare(&shared, &mut job).await {
        Ok(prepared) => prepared,
        Err(Unready::Store) => return done,
        Err(Unready::Script(diagnostic)) => return fail(&shared, &job, done, *diagnostic, None).await,
    };
    let mut living = living;
    let old_version = job.last_version.clone().filter(|old| *old != job.version.id);
    let delivered: Vec<i64> = events.iter().map(|event| event.id).collect();
    let heard = events.clone();
    let lived = living.live(Tick { host: host.clone(), visit: job.visit, old_version, events }).await;
    shared.world.crash.reached("tick:ran");
    done.tally = host.tally();
    done.tally.cpu_micros = u64::try_from(living.meter().used().as_micros()).unwrap_or(u64::MAX);
    if host.was_turned_away() {
        // An account that the gallery does not know (any more) is asked for again: asking twice does no harm.
        done.has_account = false;
    }
    let lived = match lived {
        Ok(lived) => lived,
        // Told to stop: nothing is written, and the tick is lived again at the next start.
        Err(_) if shared.stopping.is_cancelled() => return done,
        Err(diagnostic) => {
            let stuck = living.stuck_on().and_then(|id| heard.into_iter().find(|event| event.id == id));
            return fail(&shared, &job, done, diagnostic, stuck).await;
        }
    };
    let now = shared.world.clock.now();
    let (wake_at, why, visit) = next_wake(&shared, &job, lived.asked, host.told(), now);
    let mut row = row(&job, now);
    row.state = Some(lived.state);
    row.tick = job.lived + 1;
    row.version = Some(job.version.id.clone());
    row.wake_at = wake_at;
    row.wake_why = why;
    row.visit = visit.number;
    row.visit_tick = visit.tick;
    row.visit_left = visit.ticks_left;
    row.failures = 0;
    row.error = String::new();
    row.delivered = delivered;
    if commit(&shared, &row).await {
        let wall = shared.world.clock.wall_until(wake_at);
        let is_kept = wake_at < job.keep_before && wall <= shared.settings.load().warm;
        // Collected, or else dropped, here: the supervisor has no time for either.
        done.living = is_kept.then_some(living).filter(LivingBot::rest);
        done.row = Some(Box::new(row));
    }
    done
}

enum Unready {
    Store,
    Script(Box<Diagnostic>),
}

async fn prepare(shared: &Arc<Shared>, job: &mut Job) -> Result<(LivingBot, Vec<StoredEvent>), Unready> {
    let store = &shared.world.store;
    let trouble = |problem: crate::store::Error| {
        error!(bot = %job.id, error = &problem as &dyn std::error::Error, "could not read a bot, trying again later");
        Unready::Store
    };
    let events = store.waiting_events(&job.id, EVENTS).await.map_err(trouble)?;
    if let Some(living) = job.living.take().filter(|living| living.version().id == job.version.id) {
        return Ok((living, events));
    }
    let state = store.state(&job.id).await.map_err(trouble)?;
    let limits = shared.settings.load().limits;
    let living = LivingBot::new(job.version.clone(), limits, state)
        .map_err(|diagnostic| Unready::Script(Box::new(diagnostic)))?;
    Ok((living, events))
}

async fn provision(shared: &Arc<Shared>, job: &Job) -> Result<(), Refusal> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let world = shared.world.clone();
    let (id, profile) = (job.id.clone(), job.profile.clone());
    shared.world.actions.spawn_on(
        async move {
            // Nobody waits any more when the host stops; the account is kept all the same.
            let _ = reply.send(world.provision(&id, &profile).await);
        },
        &shared.world.handle,
    );
    tokio::select! {
        answer = answer => answer.map_err(|_| Refusal::Stopping)?.map(|_| ()),
        () = shared.stopping.cancelled() => Err(Refusal::Stopping),
    }
}

fn row(job: &Job, now: Timestamp) -> TickRow {
    TickRow {
        id: job.id.clone(),
        state: None,
        tick: job.lived,
        version: None,
        wake_at: now,
        wake_why: Rest::Pause,
        visit: job.visit.number,
        visit_tick: job.visit.tick,
        visit_left: job.visit.ticks_left,
        failures: job.failures,
        error: String::new(),
        hold: None,
        delivered: Vec::new(),
        at: now,
        activities: Vec::new(),
    }
}

fn chance(shared: &Shared, job: &Job) -> ChaCha8Rng {
    // Another stream than the script's own, so that what a script draws does not change when it sleeps.
    ChaCha8Rng::from_seed(identity::tick_seed(
        &format!("{}/wake/{}/{}", shared.world.seed, job.failures, job.account_tries),
        &job.id,
        job.lived,
    ))
}

/// When the bot wakes next: by its rhythm, but not before what the world told it to wait for.
fn next_wake(
    shared: &Shared,
    job: &Job,
    asked: Option<Seconds>,
    told: Option<Failure>,
    now: Timestamp,
) -> (Timestamp, Rest, Visit) {
    after_tick(&job.version.persona, &job.visit, asked, told, now, &mut chance(shared, job))
}

/// The world would not have the bot: it rests, and that is no fault of its script.
async fn rest(shared: &Arc<Shared>, job: &Job, mut done: Done, failure: &Failure) -> Done {
    let now = shared.world.clock.now();
    let mut rng = chance(shared, job);
    let retry = &shared.settings.load().retry;
    let end = end_of(failure, now).unwrap_or_else(|| {
        let delay = retry.delay_at_least_half(job.account_tries.saturating_add(1), rng.random());
        now.saturating_add(Seconds::clamped(delay.as_secs_f64()).signed()).unwrap_or(now)
    });
    let mut row = row(job, now);
    row.wake_at = spread_after(end, now, rng.random());
    row.wake_why = Rest::Told { by: format!("could not get an account: {}", failure.message) };
    if commit(shared, &row).await {
        done.row = Some(Box::new(row));
    }
    done
}

/// The script went wrong: back off, and after too many times in a row wait for somebody to look.
///
/// An event whose handler raised again and again is set aside, so that one comment cannot silence a bot for good.
async fn fail(
    shared: &Arc<Shared>,
    job: &Job,
    mut done: Done,
    diagnostic: Diagnostic,
    stuck: Option<StoredEvent>,
) -> Done {
    let now = shared.world.clock.now();
    let settings = shared.settings.load_full();
    let failures = job.failures.saturating_add(1);
    let mut rng = chance(shared, job);
    let delay = settings.retry.delay_at_least_half(failures, rng.random());
    let mut row = row(job, now);
    row.wake_at = now.saturating_add(Seconds::clamped(delay.as_secs_f64()).signed()).unwrap_or(now);
    row.failures = failures;
    let words = diagnostic.to_string();
    row.error = crate::text::clip(&words, ERROR_CHARS);
    let mut detail = diagnostic.as_json();
    detail["version"] = job.version.id.as_str().into();
    detail["in_a_row"] = failures.into();
    // A bot that goes wrong the same way again and again says so once.
    let picture = frame::plain(&diagnostic);
    match failures {
        1 => warn!(bot = %job.id, version = %job.version.id, "a script went wrong\n{picture}"),
        _ => debug!(bot = %job.id, version = %job.version.id, failures, "a script went wrong\n{picture}"),
    }
    row.activities.push(activity(job, now, "script_error", words.clone(), detail));
    if let Some(event) = stuck.filter(|_| failures >= settings.quarantine_after.min(SET_ASIDE_AFTER)) {
        row.delivered.push(event.id);
        row.activities.push(activity(
            job,
            now,
            "event_set_aside",
            format!(
                "on_event raised {failures} times in a row at a {}; it is not told again: {words}",
                event.what.kind
            ),
            json!({
                "event": event.id, "kind": event.what.kind, "post": event.what.post, "comment": event.what.comment,
                "from": event.what.from, "text": event.what.text
            }),
        ));
    }
    if failures >= settings.quarantine_after {
        row.hold = Some(Hold { kind: HoldKind::Quarantined, reason: words.clone(), until: None });
        row.activities.push(activity(
            job,
            now,
            "quarantined",
            format!("{failures} errors in a row; waits for a new version or a resume: {words}"),
            json!({ "in_a_row": failures }),
        ));
    }
    done.is_failure = true;
    // A script that fails before its tick begins has lived it all the same.
    done.tally.ticks = 1;
    done.tally.errors = 1;
    if commit(shared, &row).await {
        done.row = Some(Box::new(row));
    }
    done
}

fn activity(job: &Job, at: Timestamp, kind: &str, text: String, detail: serde_json::Value) -> NewActivity {
    NewActivity {
        at,
        bot: Some(job.id.clone()),
        persona: Some(job.id.persona.clone()),
        kind: kind.to_owned(),
        ending: Ending::Failed,
        target: String::new(),
        text,
        detail,
    }
}

/// Writes the row and tells of its activities; false when the store would not.
async fn commit(shared: &Arc<Shared>, row: &TickRow) -> bool {
    let mut pause = Duration::from_millis(50);
    for left in (0..TRIES).rev() {
        match shared.world.store.commit_tick(row.clone()).await {
            Ok(activities) => {
                shared.world.crash.reached("tick:committed");
                for activity in activities {
                    shared.world.journal.announce(activity);
                }
                return true;
            }
            Err(problem) => {
                error!(bot = %row.id, error = &problem as &dyn std::error::Error, tries_left = left, "could not write a tick");
            }
        }
        tokio::time::sleep(pause).await;
        pause *= 4;
    }
    false
}
