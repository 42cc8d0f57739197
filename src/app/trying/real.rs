//! Trying for real: a bot with an account of its own acts on the studio in the config.
//!
//! It is a bot that no roster has, one at a time on one data folder, and what it has done is kept, so that no later try does it again.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::plugins::{Desk, Side};
use super::{Candidate, Ending, Error, Place, Tell, Ticked, Told, Wanted, first_visit, stage, state_value};
use crate::clock::Clock;
use crate::config::{Config, LlmProvider, StudioAddress};
use crate::floimg::Floimg;
use crate::floimg::options::Options;
use crate::host::budget::Budget;
use crate::host::crash::CrashPoint;
use crate::host::identity::identity;
use crate::host::journal::Journal;
use crate::host::rhythm::hours;
use crate::host::{World, recovery};
use crate::lua::LivingBot;
use crate::lua::trace::Trace;
use crate::model::activity::NewActivity;
use crate::model::diagnostic::Diagnostic;
use crate::model::gallery::FeedQuery;
use crate::model::name::BotId;
use crate::model::status::Rest;
use crate::runtime::bot::{self, Job, Shared};
use crate::store::{BotRow, NewBot, Store, TickRow};
use crate::web::{self, Web};

/// Bots on trial have places from here on, which no roster reaches.
const FIRST: u32 = 1_000_001;
/// How many such places there are.
const PLACES: u32 = 8_999_999;
/// The longest that a bot waits between two ticks, by the wall; whoever watches has gone by then.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
/// How long an embedded studio is waited for.
const CONNECT: Duration = Duration::from_secs(3);

/// What came of looking for the studio.
pub(super) enum Opened {
    Ready(Box<Acting>),
    NoStudio(String),
}

/// A bot that is ready to act.
pub(super) struct Acting {
    shared: Arc<Shared>,
    scripts: crate::app::ScriptThreads,
    desk: Arc<Desk>,
    serving: JoinSet<()>,
    url: String,
    row: BotRow,
    grace: Duration,
    has_models: bool,
    /// Held as long as it acts.
    _lock: File,
}

/// Opens all that acting needs; nothing has been sent yet but looks.
pub(super) async fn open(config: &Config, wanted: &Wanted, candidate: &Candidate) -> Result<Opened, Error> {
    config.ready_to_run().map_err(anyhow::Error::new)?;
    let url = super::studio_url(config)?;
    let token = match &config.floimg.studio {
        StudioAddress::Embedded => {
            let token = crate::app::embedded_token(config)?;
            let options = Options {
                connect_timeout: config.floimg.connect_timeout.min(CONNECT),
                read_retries: 0,
                ..crate::app::floimg_options(config, url.clone(), token.clone(), Clock::wall())
            };
            let floimg = Floimg::new(options).map_err(anyhow::Error::new)?;
            let query = FeedQuery { limit: 1, ..FeedQuery::default() };
            if let Err(problem) = floimg.feed(None, &query).await {
                return Ok(Opened::NoStudio(super::copy::silent(config, url.as_str(), &problem)));
            }
            token
        }
        StudioAddress::Remote(_) => config.floimg.token.clone().context("the service token is missing")?,
    };
    if wanted.at.is_some() {
        return Err(usage(
            "--at is for tries in memory: a studio has its own time",
            "add --dry-run, or leave --at out",
        ));
    }
    let (fleet, clock) = fleet(config).await?;
    let folder = config.data_dir.join(super::FOLDER);
    crate::app::make_folder(&folder)?;
    let lock = lock(&folder.join("lock"))?;
    let store = Store::open(&folder.join("fleet.db")).await.map_err(anyhow::Error::new)?;
    let row = enrol(&store, wanted, candidate, &fleet, clock.now()).await?;
    let known: HashMap<Arc<str>, BotId> = (candidate.roster.iter().map(|(name, id)| (name.clone(), id.clone())))
        .chain(fleet.iter().map(|bot| (Arc::from(bot.username.as_str()), bot.id.clone())))
        .chain([(Arc::from(row.username.as_str()), row.id.clone())])
        .collect();
    let floimg = Floimg::new(crate::app::floimg_options(config, url.clone(), token, clock.clone()))
        .map_err(anyhow::Error::new)?;
    let llm = crate::app::llm(config, &url).map_err(anyhow::Error::new)?;
    let journal = Journal::new(store.clone());
    // What a try costs is on the fleet's own bill, and caps hold for both together. A fleet that runs has calls under way
    // there, so nothing is ended.
    let bill = Store::open(&config.data_dir.join("fleet.db")).await.map_err(anyhow::Error::new)?;
    let terms = crate::app::budget_terms(config);
    let budget = Budget::new(bill, journal.clone(), Clock::wall(), clock.clone(), terms);
    let (desk, requests) = candidate.plugins.desk();
    let world = Arc::new(World {
        journal,
        store,
        floimg,
        llm: ArcSwap::from_pointee(llm),
        budget,
        web: Web::new(config.web.max_concurrent, config.floimg.connect_timeout, web::system_lookup())
            .map_err(anyhow::Error::new)?,
        clock,
        rules: ArcSwap::from_pointee(crate::app::rules(config)),
        known: ArcSwap::from_pointee(known),
        hooks: desk.clone(),
        cast: ArcSwap::default(),
        nudges: crate::host::service::Nudges::default(),
        actions: TaskTracker::new(),
        handle: tokio::runtime::Handle::current(),
        crash: CrashPoint::new(None, 1),
        seed: candidate.seed.clone(),
        // The studio may run in another process, and be at work still.
        certain_after: crate::app::CERTAIN_AFTER,
    });
    // What an earlier try left open is looked up before anything is done.
    let username = row.username.clone();
    recovery::settle_all(&world, |intent| (intent.what.bot == row.id).then(|| username.clone()))
        .await
        .map_err(|refusal| anyhow::anyhow!("could not settle what an earlier try left open: {refusal:?}"))?;
    let scripts = crate::app::script_threads(1)?;
    let handle = scripts.0.as_ref().context("the script threads are gone")?.handle().clone();
    let serving = candidate.plugins.serve(requests, &Side::World(world.clone()), &handle);
    let shared = Arc::new(Shared {
        world,
        settings: ArcSwap::from_pointee(crate::app::settings(config)),
        stopping: CancellationToken::new(),
        scripts: handle,
    });
    let grace = config.runtime.grace;
    let has_models = config.llm.provider == LlmProvider::Models;
    Ok(Opened::Ready(Box::new(Acting {
        shared,
        scripts,
        desk,
        serving,
        url: url.to_string(),
        row,
        grace,
        has_models,
        _lock: lock,
    })))
}

/// The bots that the fleet of this data folder ever had, and its time.
async fn fleet(config: &Config) -> Result<(Vec<BotRow>, Clock), Error> {
    let database = config.data_dir.join("fleet.db");
    if !database.is_file() {
        let speed = config.clock.speed;
        #[expect(clippy::float_cmp, reason = "the config says exactly 1")]
        let clock = if speed == 1.0 { Clock::wall() } else { Clock::scaled(Timestamp::now(), speed) };
        return Ok((Vec::new(), clock));
    }
    let store = Store::open(&database).await.map_err(anyhow::Error::new)?;
    let read = async { anyhow::Ok((store.bots().await?, crate::app::open_clock(config, &store).await?)) }.await;
    store.close().await;
    Ok(read?)
}

/// Two tries at once could do one thing twice.
fn lock(path: &std::path::Path) -> Result<File, Error> {
    let file = File::create(path).with_context(|| format!("could not open `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(usage("another `fleet try` acts with this data folder", "wait for it, or add --dry-run"))
        }
        Err(TryLockError::Error(problem)) => {
            Err(anyhow::Error::new(problem).context(format!("could not lock `{}`", path.display())).into())
        }
    }
}

/// The bot that acts: the one of earlier tries, so that it keeps to what it has done; else a new one.
async fn enrol(
    store: &Store,
    wanted: &Wanted,
    candidate: &Candidate,
    fleet: &[BotRow],
    now: Timestamp,
) -> Result<BotRow, Error> {
    let persona = &candidate.version.persona;
    let is_free = |id: &BotId| id.index > candidate.highest && fleet.iter().all(|bot| bot.id != *id);
    let rows = store.bots().await.map_err(anyhow::Error::new)?;
    let earlier = rows.into_iter().find(|row| {
        row.id.persona == persona.name && is_free(&row.id) && wanted.index.is_none_or(|index| index == row.id.index)
    });
    if let Some(row) = earlier {
        return Ok(row);
    }
    // Drawn, so that tries on two machines are two bots.
    let index = wanted.index.unwrap_or_else(|| FIRST + rand::random_range(0..PLACES));
    let id = BotId { persona: persona.name.clone(), index };
    if !is_free(&id) {
        return Err(usage(
            format!("{id} is a bot of the fleet, and a try never acts as one"),
            "leave --index out, or add --dry-run",
        ));
    }
    let profile = identity(persona, index);
    let is_taken = candidate.roster.contains_key(profile.username.as_str())
        || fleet.iter().any(|bot| bot.username == profile.username);
    if is_taken {
        return Err(usage(
            format!("@{} would be the name of {id}, and a bot of the fleet has it", profile.username),
            "choose another --index",
        ));
    }
    let new = NewBot { id: id.clone(), username: profile.username, name: profile.name, born_at: now, wake_at: now };
    store.add_bots(vec![new]).await.map_err(anyhow::Error::new)?;
    let rows = store.bots().await.map_err(anyhow::Error::new)?;
    Ok(rows.into_iter().find(|row| row.id == id).context("the bot is not in the store")?)
}

fn usage(message: impl Into<String>, hint: &str) -> Error {
    Error::Usage { message: message.into(), hint: hint.to_owned() }
}

impl Acting {
    /// Lives the ticks, waiting between them as the bot would, and closes everything.
    pub(super) async fn run(
        self,
        wanted: &Wanted,
        candidate: &Candidate,
        stop: CancellationToken,
        tell: Tell<'_>,
    ) -> Result<bool, Error> {
        let lived = self.live(wanted, candidate, &stop, tell).await;
        let world = &self.shared.world;
        world.actions.close();
        // An action that does not end is looked up at the next try.
        let _ = tokio::time::timeout(self.grace, world.actions.wait()).await;
        drop(self.serving);
        world.store.close().await;
        drop(self.scripts);
        lived
    }

    async fn live(
        &self,
        wanted: &Wanted,
        candidate: &Candidate,
        stop: &CancellationToken,
        tell: Tell<'_>,
    ) -> Result<bool, Error> {
        let id = self.row.id.clone();
        let bio = identity(&candidate.version.persona, id.index).bio;
        let profile = Arc::new(crate::host::identity::Profile {
            name: self.row.name.clone(),
            username: self.row.username.clone(),
            bio,
        });
        let clock = self.shared.world.clock.clone();
        tell(Told::Stage(&stage(Place::Studio { url: self.url.clone() }, &id, &profile, candidate)))?;
        let mut visit = first_visit(candidate, &id, clock.now());
        let mut state: Option<String> = None;
        // One further than the last, which may have been cut off: what it did is not what this one does.
        let mut lived = self.row.tick + 1;
        let mut has_account = self.row.account.is_some();
        for number in 1..=wanted.ticks {
            let at = clock.now();
            let trace = Arc::new(Trace::default());
            let before = state_value(state.as_deref());
            let mut ticked = Ticked {
                number,
                at,
                visit,
                is_asleep: !hours::is_awake(&candidate.version.persona.schedule, at),
                has_models: self.has_models,
                calls: Vec::new(),
                remarks: Vec::new(),
                after: before.clone(),
                before,
                cpu: Duration::ZERO,
                ending: Ending::Refused(String::new()),
            };
            let living = match LivingBot::new(candidate.version.clone(), candidate.limits, state.clone()) {
                Ok(living) => living,
                Err(diagnostic) => {
                    ticked.ending = candidate.raised(diagnostic);
                    tell(Told::Ticked(&ticked))?;
                    return Ok(false);
                }
            };
            living.record(trace.clone());
            let meter = living.meter();
            let job = Job {
                slot: 0,
                id: id.clone(),
                profile: profile.clone(),
                version: candidate.version.clone(),
                has_account,
                account_tries: 0,
                lived,
                last_version: None,
                visit,
                failures: 0,
                living: Some(living),
                keep_before: Timestamp::MIN,
            };
            let Some(done) = self.tick(job, stop).await? else { return Ok(true) };
            (ticked.calls, ticked.remarks, ticked.cpu) = (trace.take(), self.desk.take(), meter.used());
            has_account = done.has_account;
            let Some(row) = done.row else {
                tell(Told::Over("it was told to stop, or its tick could not be kept"))?;
                return Ok(true);
            };
            if done.is_failure {
                ticked.ending = candidate.raised(raised(&row));
                tell(Told::Ticked(&ticked))?;
                return Ok(false);
            }
            match &row.state {
                Some(kept) => {
                    ticked.after = state_value(Some(kept));
                    state = Some(kept.clone());
                    (lived, visit) = (
                        row.tick,
                        crate::host::rhythm::Visit {
                            number: row.visit,
                            tick: row.visit_tick,
                            ticks_left: row.visit_left,
                        },
                    );
                    ticked.ending = Ending::Rests { until: row.wake_at, why: row.wake_why.clone() };
                    tell(Told::Ticked(&ticked))?;
                }
                None => {
                    let by = match &row.wake_why {
                        Rest::Told { by } => by.clone(),
                        why => why.as_str().to_owned(),
                    };
                    ticked.ending = Ending::Refused(by);
                    tell(Told::Ticked(&ticked))?;
                    return Ok(true);
                }
            }
            if number == wanted.ticks {
                break;
            }
            if !matches!(row.wake_why, Rest::Pause | Rest::Asked) || clock.wall_until(row.wake_at) > LONGEST_WAIT {
                tell(Told::Over("its visit is over, and it comes again much later"))?;
                break;
            }
            tell(Told::Waits(row.wake_at))?;
            tokio::select! {
                () = clock.sleep_until(row.wake_at) => {}
                () = stop.cancelled() => break,
            }
        }
        Ok(true)
    }

    /// Lives one tick where scripts run; told to stop, the tick ends soon, and is awaited all the same.
    async fn tick(&self, job: Job, stop: &CancellationToken) -> Result<Option<bot::Done>, Error> {
        let mut ticks = JoinSet::new();
        ticks.spawn_on(bot::tick(self.shared.clone(), job), &self.shared.scripts);
        let ended = tokio::select! {
            ended = ticks.join_next() => ended,
            () = stop.cancelled() => {
                self.shared.stopping.cancel();
                ticks.join_next().await
            }
        };
        Ok(ended.transpose().context("the tick ended in a panic of the host")?)
    }
}

/// What the script said, from the row that the tick left.
fn raised(row: &TickRow) -> Diagnostic {
    let told = row.activities.iter().find(|activity: &&NewActivity| activity.kind == "script_error");
    let Some(detail) = told.map(|activity| &activity.detail) else {
        return Diagnostic::error("", None, row.error.as_str());
    };
    let text = |key: &str| detail.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    let line = detail.get("line").and_then(serde_json::Value::as_u64).and_then(|line| u32::try_from(line).ok());
    let mut diagnostic =
        Diagnostic::error(text("file").unwrap_or_default(), line, text("message").unwrap_or_else(|| row.error.clone()));
    diagnostic.hint = text("hint");
    let frames = detail.get("traceback").and_then(serde_json::Value::as_array);
    diagnostic.traceback = frames.into_iter().flatten().filter_map(|frame| Some(frame.as_str()?.to_owned())).collect();
    diagnostic
}
