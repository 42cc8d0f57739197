//! The supervisor: the one owner of every bot's task.
//!
//! No fault of a bot, a script or the world ends it; only being told to stop does.

mod budgets;
mod console;
mod controls;
mod plugins;
mod roster;
mod scripts;
mod show;
mod versions;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{Instrument, error, info, warn};

use crate::config::Roster;
use crate::floimg::signals::Signals;
use crate::host::identity::Profile;
use crate::host::inbox::Inbox;
use crate::host::rhythm::after::spread_after;
use crate::host::rhythm::{Visit, hours};
use crate::host::{Rules, budget, recovery};
use crate::model::action::Intent;
use crate::model::name::{BotId, PersonaName, VersionId};
use crate::model::seconds::Seconds;
use crate::model::status::Rest;
use crate::model::tally::Tally;
use crate::store::{self, Hold, HoldKind};

use super::bot::{self, Done, Job, Settings, Shared};
use super::catalog::{Catalog, Changes, Entry, Origin};
use super::fleet::Command;
use super::plugins::{PluginSettings, Plugins};
use super::view::Reloaded;
use super::warm::Warm;
use versions::Line;

/// What the supervisor is made with.
#[derive(Debug)]
pub struct Parts {
    /// What every tick needs.
    pub shared: Arc<Shared>,
    /// Which bots there should be.
    pub roster: Roster,
    /// Where scripts come from.
    pub origin: Origin,
    /// Where plugins come from.
    pub plugin_origin: Origin,
    /// Plugins that run.
    pub plugins: Plugins,
    /// Commands from handles.
    pub commands: mpsc::Receiver<Command>,
    /// Told when files may have changed.
    pub changed: Arc<Notify>,
    /// Config that was read anew and is valid.
    pub configs: mpsc::Receiver<NewConfig>,
}

/// A config that may be applied while running.
#[derive(Debug)]
pub struct NewConfig {
    /// Limits of actions.
    pub rules: Rules,
    /// Settings of the runtime.
    pub settings: Settings,
    /// Which bots there should be.
    pub roster: Roster,
    /// What plugins are told.
    pub plugins: PluginSettings,
    /// What models may cost, and do.
    pub budget: budget::Terms,
    /// What changed, for the journal.
    pub changes: Vec<String>,
}

/// One bot. It costs a few hundred bytes, and while it sleeps nothing else.
#[derive(Debug)]
struct Slot {
    id: BotId,
    profile: Arc<Profile>,
    has_account: bool,
    /// How often it asked for an account in vain.
    account_tries: u32,
    lived: u64,
    version: Option<VersionId>,
    wake_at: Timestamp,
    /// The time under which it stands in the order of wake-ups, if it does.
    in_order: Option<Timestamp>,
    why: Rest,
    visit: Visit,
    failures: u32,
    error: Box<str>,
    hold: Option<Box<Hold>>,
    is_retired: bool,
    is_acting: bool,
}

/// A pause of many bots.
#[derive(Debug, Clone, PartialEq)]
struct Pause {
    reason: String,
    until: Option<Timestamp>,
}

/// Owns the bots.
#[derive(Debug)]
pub struct Supervisor {
    shared: Arc<Shared>,
    roster: Roster,
    origin: Origin,
    plugin_origin: Origin,
    plugins: Plugins,
    commands: mpsc::Receiver<Command>,
    changed: Arc<Notify>,
    configs: mpsc::Receiver<NewConfig>,
    signals: watch::Receiver<Signals>,
    slots: Vec<Slot>,
    by_id: HashMap<BotId, u32>,
    wakes: BTreeSet<(Timestamp, u32)>,
    ticks: JoinSet<Done>,
    acting: HashMap<Id, u32>,
    /// Calls of the console under way, and the bots whose state they may change.
    consoles: JoinSet<()>,
    changing: HashMap<Id, u32>,
    warm: Warm,
    pauses: BTreeMap<Option<PersonaName>, Pause>,
    entries: BTreeMap<PersonaName, Entry>,
    lines: BTreeMap<PersonaName, Line>,
    /// What every version's ticks came to, and what of that is not written yet.
    tallies: HashMap<VersionId, Tally>,
    unwritten: HashMap<VersionId, Tally>,
    misnamed: Vec<crate::model::diagnostic::Diagnostic>,
    refresh: Refresh,
    /// Whether the files changed after the look under way began.
    looks_again: bool,
    /// Told by the look under way.
    waiting_reloads: Vec<oneshot::Sender<Reloaded>>,
    /// Told by the next look: the one under way may have read the files before they asked.
    later_reloads: Vec<oneshot::Sender<Reloaded>>,
    lags: VecDeque<Duration>,
    started_at: Timestamp,
    ticks_done: u64,
    ticks_failed: u64,
}

/// The catalog, at home or out looking at the files.
#[derive(Debug)]
enum Refresh {
    Idle(Box<Catalog>),
    Running(JoinSet<(Catalog, Changes)>),
}

/// Wake-ups whose lag is remembered.
const LAGS: usize = 4096;
/// How long the start waits for the gallery to tell what was cut off.
const SETTLE_WITHIN: Duration = Duration::from_secs(15);
/// How often small chores are done.
const CHORES: Duration = Duration::from_secs(1);
/// How far ahead of now bots' time is kept, in wall time; more than lies between two chores.
const AHEAD: Duration = Duration::from_secs(3);
/// How often old rows are dropped.
const PRUNE: Duration = Duration::from_secs(600);
/// How long rows are kept that no rule looks at, in days of bots' time beyond the rule of duplicates.
const KEEP_DAYS: i64 = 35;
/// The median time until somebody who was spoken to looks, in seconds of bots' time.
const NOTICE_SECS: f64 = 150.0;

impl Supervisor {
    /// Loads scripts and bots; nothing acts yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn new(parts: Parts) -> Result<Self, store::Error> {
        let catalog = Catalog::new()
            .map_err(|problem| store::Error::Row { row: "prelude".to_owned(), problem: problem.to_string() })?;
        let mut supervisor = Self {
            signals: parts.shared.world.floimg.signals(),
            shared: parts.shared,
            roster: parts.roster,
            origin: parts.origin,
            plugin_origin: parts.plugin_origin,
            plugins: parts.plugins,
            commands: parts.commands,
            changed: parts.changed,
            configs: parts.configs,
            slots: Vec::new(),
            by_id: HashMap::new(),
            wakes: BTreeSet::new(),
            ticks: JoinSet::new(),
            acting: HashMap::new(),
            consoles: JoinSet::new(),
            changing: HashMap::new(),
            warm: Warm::default(),
            pauses: BTreeMap::new(),
            entries: BTreeMap::new(),
            lines: BTreeMap::new(),
            tallies: HashMap::new(),
            unwritten: HashMap::new(),
            misnamed: Vec::new(),
            refresh: Refresh::Idle(Box::new(catalog)),
            looks_again: false,
            waiting_reloads: Vec::new(),
            later_reloads: Vec::new(),
            lags: VecDeque::new(),
            started_at: Timestamp::now(),
            ticks_done: 0,
            ticks_failed: 0,
        };
        supervisor.plugins.begin(supervisor.shared.clone());
        supervisor.load_pauses().await?;
        supervisor.load_bots().await?;
        supervisor.start_refresh();
        supervisor.finish_refresh(true).await?;
        supervisor.wake_overdue().await?;
        Ok(supervisor)
    }

    /// Lets bots live until told to stop, then waits for those in a tick.
    pub async fn run(mut self) {
        let (told, mut news) = mpsc::channel::<Vec<BotId>>(64);
        // Only a second supervisor on the same world would find it taken, and that one nudges nobody.
        let mut suggested = self.shared.world.nudges.take().unwrap_or_else(|| mpsc::channel(1).1);
        let mut helpers = JoinSet::new();
        self.keep_time(AHEAD).await;
        self.settle_cut_off().await;
        helpers.spawn(watch_gallery(self.shared.clone(), told).instrument(tracing::info_span!("inbox")));
        let mut chores = tokio::time::interval(CHORES);
        chores.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut next_prune = Instant::now() + PRUNE;
        let stopping = self.shared.stopping.clone();
        loop {
            self.dispatch();
            let next = self.next_wake_wall();
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                Some(command) = self.commands.recv() => self.obey(command).await,
                Some(done) = self.ticks.join_next_with_id() => self.ended(done).await,
                Some(ended) = self.consoles.join_next_with_id() => self.console_ended(ended),
                refreshed = self.refresh.finished() => self.refreshed(refreshed).await,
                () = self.changed.notified() => self.start_refresh(),
                Some(config) = self.configs.recv() => self.apply(config).await,
                Some(bots) = news.recv() => self.nudge(&bots),
                Some(bots) = suggested.recv() => self.nudge(&bots),
                () = tokio::time::sleep(next) => {}
                _ = chores.tick() => {
                    self.chores().await;
                    if Instant::now() >= next_prune {
                        next_prune = Instant::now() + PRUNE;
                        self.prune().await;
                    }
                }
            }
        }
        self.drain().await;
        helpers.shutdown().await;
    }

    /// Starts a tick for everyone whose time has come, as far as there is room.
    fn dispatch(&mut self) {
        let now = self.shared.world.clock.now();
        let most = self.shared.settings.load().max_acting;
        while self.ticks.len() < most {
            let Some(&(wake_at, slot)) = self.wakes.first() else { return };
            if wake_at > now {
                return;
            }
            self.unschedule(slot);
            if let Some((until, by)) = self.everybody_waits(now) {
                self.postpone(slot, until, by, now);
                continue;
            }
            let stop = self.slots.get(slot as usize).and_then(|slot| self.shared.world.budget.stop(&slot.id));
            if let Some((until, by)) = stop {
                self.postpone(slot, until, by, now);
                continue;
            }
            self.note_lag(wake_at, now);
            self.start(slot);
        }
    }

    /// What the gallery told the whole fleet to wait for.
    fn everybody_waits(&self, now: Timestamp) -> Option<(Timestamp, String)> {
        const PROBE: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
        let signals = self.signals.borrow();
        if signals.platform_paused {
            let until = now.saturating_add(PROBE).unwrap_or(now);
            return Some((until, "the platform has paused all fleets".to_owned()));
        }
        let (until, period) = signals.fleet_until.as_ref().filter(|(until, _)| *until > now)?;
        Some((*until, format!("the fleet's {period} budget is used up")))
    }

    fn postpone(&mut self, index: u32, until: Timestamp, by: String, now: Timestamp) {
        let unit = self.unit(index, "postponed");
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.wake_at = spread_after(until, now, unit);
            slot.why = Rest::Told { by };
        }
        self.schedule(index);
    }

    fn start(&mut self, index: u32) {
        let Some(slot) = self.slots.get(index as usize) else { return };
        let Some(version) = self.running(&slot.id).cloned() else { return };
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if slot.is_acting {
            error!(bot = %slot.id, "a bot in a tick was about to begin another; it goes on with the first");
            return;
        }
        slot.is_acting = true;
        let job = Job {
            slot: index,
            id: slot.id.clone(),
            profile: slot.profile.clone(),
            version,
            has_account: slot.has_account,
            account_tries: slot.account_tries,
            lived: slot.lived,
            last_version: slot.version.clone(),
            visit: slot.visit,
            failures: slot.failures,
            living: self.warm.take(index),
            keep_before: self.warm.keeps_before(self.shared.settings.load().warm_vms),
        };
        let span = tracing::info_span!("tick", bot = %job.id, version = %job.version.id);
        let shared = self.shared.clone();
        let handle = self.ticks.spawn_on(bot::tick(shared, job).instrument(span), &self.shared.scripts);
        self.acting.insert(handle.id(), index);
    }

    async fn ended(&mut self, done: Result<(Id, Done), JoinError>) {
        match done {
            Ok((id, done)) => {
                self.acting.remove(&id);
                let failed = done.is_failure.then(|| (done.slot, done.version.clone()));
                let counted = self.slots.get(done.slot as usize).map(|slot| slot.id.clone());
                let (version, tally) = (done.version.clone(), done.tally);
                self.settle_slot(done);
                if let Some(id) = counted {
                    self.count(&id, &version, tally).await;
                }
                if let Some((index, version)) = failed {
                    self.forgive(index, &version).await;
                }
            }
            Err(error) => {
                let Some(index) = self.acting.remove(&error.id()) else { return };
                error!(slot = index, %error, "a tick ended in a panic of the host; the bot tries again later");
                self.ticks_failed += 1;
                self.try_later(index, "the host's own code failed; its log says where");
            }
        }
    }

    fn settle_slot(&mut self, done: Done) {
        self.ticks_done += 1;
        if done.is_failure {
            self.ticks_failed += 1;
        }
        let Some(slot) = self.slots.get_mut(done.slot as usize) else { return };
        slot.has_account = done.has_account;
        slot.account_tries = if done.has_account { 0 } else { slot.account_tries.saturating_add(1) };
        let Some(row) = done.row else {
            if self.shared.stopping.is_cancelled() {
                slot.is_acting = false;
            } else {
                self.try_later(done.slot, "the store could not keep the tick");
            }
            return;
        };
        slot.is_acting = false;
        slot.lived = row.tick;
        if row.version.is_some() {
            slot.version = row.version;
        }
        slot.wake_at = row.wake_at;
        slot.why = row.wake_why;
        slot.visit = Visit { number: row.visit, tick: row.visit_tick, ticks_left: row.visit_left };
        slot.failures = row.failures;
        slot.error = row.error.into();
        // What an operator said meanwhile stands.
        let is_paused = slot.hold.as_ref().is_some_and(|hold| hold.kind == HoldKind::Paused);
        if let Some(hold) = row.hold.filter(|_| !is_paused) {
            slot.hold = Some(Box::new(hold));
        }
        let wake_at = slot.wake_at;
        if let Some(living) = done.living {
            let most = self.shared.settings.load().warm_vms;
            self.warm.keep(done.slot, wake_at, living, most);
        }
        self.schedule(done.slot);
        self.catch_up(done.slot, &done.version);
    }

    /// Nothing was written: the bot sleeps for a little and is what it was.
    fn try_later(&mut self, index: u32, why: &str) {
        let now = self.shared.world.clock.now();
        let speed = self.shared.world.clock.speed();
        let pause = Seconds::clamped(5.0 * speed);
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.is_acting = false;
            slot.wake_at = now.saturating_add(pause.signed()).unwrap_or(now);
            slot.why = Rest::Told { by: why.to_owned() };
        }
        self.schedule(index);
    }

    /// A bot that was in a tick when a version came that wakes everybody is woken now.
    fn catch_up(&mut self, index: u32, ran: &VersionId) {
        let Some(slot) = self.slots.get(index as usize) else { return };
        let version = self.running(&slot.id);
        let is_behind = version.is_some_and(|version| version.id != *ran && version.persona.reload_now);
        let now = self.shared.world.clock.now();
        if is_behind && slot.failures == 0 && slot.wake_at > now && self.held(slot).is_none() {
            self.reschedule(index, now, Rest::Pause);
        }
    }

    /// Puts a bot's wake-up into the order, if it may wake. A bot stands in the order once or not at all.
    fn schedule(&mut self, index: u32) {
        self.unschedule(index);
        let Some(slot) = self.slots.get(index as usize) else { return };
        let has_version = self.running(&slot.id).is_some();
        let may = !slot.is_acting && !slot.is_retired && has_version && self.held(slot).is_none();
        let is_acting = slot.is_acting;
        if may {
            if let Some(slot) = self.slots.get_mut(index as usize) {
                slot.in_order = Some(slot.wake_at);
                self.wakes.insert((slot.wake_at, index));
            }
        } else if !is_acting {
            self.warm.drop(index);
        }
    }

    /// Takes a bot's wake-up out of the order.
    fn unschedule(&mut self, index: u32) {
        if let Some(at) = self.slots.get_mut(index as usize).and_then(|slot| slot.in_order.take()) {
            self.wakes.remove(&(at, index));
        }
    }

    /// Moves a sleeping bot's wake-up.
    fn reschedule(&mut self, index: u32, at: Timestamp, why: Rest) {
        self.unschedule(index);
        if let Some(slot) = self.slots.get_mut(index as usize) {
            if slot.is_acting {
                return;
            }
            slot.wake_at = at;
            slot.why = why;
        }
        self.schedule(index);
    }

    /// Somebody wrote to these bots: they look sooner than they would have.
    fn nudge(&mut self, bots: &[BotId]) {
        let now = self.shared.world.clock.now();
        for id in bots {
            let Some(&index) = self.by_id.get(id) else { continue };
            let Some(slot) = self.slots.get(index as usize) else { continue };
            let Some(version) = self.running(id) else { continue };
            let is_free = !slot.is_acting && slot.failures == 0 && !matches!(slot.why, Rest::Told { .. });
            let seconds = NOTICE_SECS * (0.3 + 2.4 * self.unit(index, &format!("nudge {}", slot.lived)));
            let at = now.saturating_add(Seconds::clamped(seconds).signed()).unwrap_or(now);
            if is_free && at < slot.wake_at && hours::is_awake(&version.persona.schedule, at) {
                self.reschedule(index, at, Rest::Pause);
            }
        }
    }

    fn unit(&self, index: u32, word: &str) -> f64 {
        self.slots.get(index as usize).map_or(0.5, |slot| crate::host::identity::trait_of(&slot.id, word))
    }

    fn next_wake_wall(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(5);
        let has_room = self.ticks.len() < self.shared.settings.load().max_acting;
        match self.wakes.first() {
            Some((at, _)) if has_room => self.shared.world.clock.wall_until(*at).min(LONGEST),
            _ => LONGEST,
        }
    }

    fn note_lag(&mut self, due: Timestamp, now: Timestamp) {
        let late = now.duration_since(due).as_secs_f64().max(0.0) / self.shared.world.clock.speed();
        if self.lags.len() >= LAGS {
            self.lags.pop_front();
        }
        self.lags.push_back(Duration::try_from_secs_f64(late).unwrap_or(Duration::ZERO));
    }

    async fn chores(&mut self) {
        self.keep_time(AHEAD).await;
        self.end_pauses(self.shared.world.clock.now()).await;
        self.tend_versions().await;
        self.shared.world.budget.sweep().await;
        if self.signals.borrow().platform_paused
            && let Err(problem) = self.shared.world.floimg.look_after_pause().await
        {
            info!(error = &problem as &dyn std::error::Error, "looked whether the platform's pause is over");
        }
    }

    /// Keeps bots' time, `ahead` of now: a crash must not put it back to before what has happened.
    async fn keep_time(&self, ahead: Duration) {
        let clock = &self.shared.world.clock;
        if clock.is_wall() {
            return;
        }
        let ahead = Seconds::clamped(ahead.as_secs_f64() * clock.speed());
        let until = clock.now().saturating_add(ahead.signed()).unwrap_or(Timestamp::MAX);
        if let Err(problem) = self.shared.world.store.set_setting(CLOCK, &until.to_string()).await {
            warn!(error = &problem as &dyn std::error::Error, "could not keep the time");
        }
    }

    async fn prune(&self) {
        let world = &self.shared.world;
        let ago = |days: i64| {
            let keep = jiff::SignedDuration::from_hours(24 * days);
            world.clock.now().saturating_sub(keep).unwrap_or(Timestamp::MIN)
        };
        let near = ago(i64::from(world.rules.load().fleet_duplicate_days));
        if let Err(problem) = world.store.prune(ago(KEEP_DAYS), near).await {
            warn!(error = &problem as &dyn std::error::Error, "could not drop old rows");
        }
    }

    async fn drain(&mut self) {
        info!(acting = self.ticks.len(), "stopping: waiting for ticks to end");
        while let Some(done) = self.ticks.join_next_with_id().await {
            self.ended(done).await;
        }
        while let Some(ended) = self.consoles.join_next_with_id().await {
            self.console_ended(ended);
        }
        self.plugins.end().await;
        self.tend_versions().await;
        self.keep_time(Duration::ZERO).await;
    }

    /// Settles what a crash left open before anybody acts; what takes too long is looked up when it matters.
    async fn settle_cut_off(&self) {
        let username = |intent: &Intent| {
            let index = self.by_id.get(&intent.what.bot)?;
            Some(self.slots.get(*index as usize)?.profile.username.clone())
        };
        match tokio::time::timeout(SETTLE_WITHIN, recovery::settle_all(&self.shared.world, username)).await {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => warn!(?refusal, "could not settle what was cut off; it is looked up when it matters"),
            Err(_) => warn!("the gallery is slow; what was cut off is looked up when it matters"),
        }
    }
}

/// The setting that keeps bots' time while the host is down.
pub const CLOCK: &str = "clock.now";

/// Watches the gallery for what concerns bots, for as long as the fleet lives.
async fn watch_gallery(shared: Arc<Shared>, told: mpsc::Sender<Vec<BotId>>) {
    let mut inbox = Inbox::new(shared.world.clone());
    // Half a minute of bots' time, but the wall's second is enough for the gallery.
    let every = Seconds::clamped(30.0 / shared.world.clock.speed()).duration().max(Duration::from_secs(2));
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        match inbox.look().await {
            Ok(bots) if bots.is_empty() => {}
            Ok(bots) => {
                if told.send(bots).await.is_err() {
                    return;
                }
            }
            Err(problem) => tracing::debug!(error = &problem as &dyn std::error::Error, "did not look for events"),
        }
    }
}

impl Refresh {
    async fn finished(&mut self) -> Option<Result<(Catalog, Changes), JoinError>> {
        match self {
            Self::Idle(_) => std::future::pending().await,
            Self::Running(task) => task.join_next().await,
        }
    }
}
