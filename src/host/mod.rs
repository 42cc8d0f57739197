//! What one bot may do, in plain async Rust.
//!
//! A [`Host`] is scoped to one bot and one tick: nothing in it takes the id of another bot.

pub mod action;
mod allow;
mod asking;
pub mod budget;
pub mod crash;
mod doubt;
pub mod fetch;
pub mod gallery;
pub mod hooks;
pub mod identity;
pub mod inbox;
pub mod journal;
pub mod keeping;
pub mod limits;
pub mod offline;
mod outcome;
mod permission;
pub mod prompt;
pub mod provision;
pub mod recovery;
pub mod refusal;
pub mod rhythm;
pub mod service;
pub mod trial;
pub mod words;
pub mod writer;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::floimg::Floimg;
use crate::llm::Llm;
use crate::model::action::ActionKind;
use crate::model::failure::{Failure, FailureKind};
use crate::model::name::BotId;
use crate::model::permission::Permissions;
use crate::model::persona::Persona;
use crate::model::plugin::PluginName;
use crate::model::tally::Tally;
use crate::store::Store;
use crate::web::Web;

use budget::Budget;
use crash::CrashPoint;
use hooks::Hooks;
use identity::Profile;
use journal::Journal;
use limits::Caps;
use refusal::Refusal;
use service::{CastBot, Nudges};
use trial::Trial;

/// What all bots share.
#[derive(Debug)]
pub struct World {
    /// What outlives the process.
    pub store: Store,
    /// The gallery.
    pub floimg: Floimg,
    /// Language models, and who gets which.
    pub llm: ArcSwap<Llm>,
    /// Hosts that scripts may call.
    pub web: Web,
    /// Bots' time.
    pub clock: Clock,
    /// What they did.
    pub journal: Journal,
    /// What models and actions may cost.
    pub budget: Budget,
    /// Limits that may change while running.
    pub rules: ArcSwap<Rules>,
    /// Usernames of this fleet's accounts.
    pub known: ArcSwap<HashMap<Arc<str>, BotId>>,
    /// Who is asked before an action and told after it.
    pub hooks: Arc<dyn Hooks>,
    /// The fleet's bots, for plugins.
    pub cast: ArcSwap<Vec<CastBot>>,
    /// Bots that plugins have something to tell.
    pub nudges: Nudges,
    /// Actions under way; they run to their end whatever happens to their bot.
    pub actions: TaskTracker,
    /// Where actions and reads run: never on a thread that runs scripts.
    pub handle: tokio::runtime::Handle,
    /// For crash tests.
    pub crash: CrashPoint,
    /// Changes which choices bots make, and nobody's name.
    pub seed: String,
    /// How long after an unanswered write the gallery can no longer be working on it.
    pub certain_after: Duration,
}

/// Limits of the config that the host enforces.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Actions per bot.
    pub caps: Caps,
    /// For how many days a text is not written again.
    pub duplicate_days: u32,
    /// How alike two texts must be to count as the same.
    pub duplicate_similarity: f64,
    /// For how many days a text is held against those of other bots.
    pub fleet_duplicate_days: u32,
    /// How alike two texts of different bots must be to count as the same.
    pub fleet_duplicate_similarity: f64,
    /// How fast a person types.
    pub typing_chars_per_sec: f64,
    /// Entries of one bot's store.
    pub store_entries: u32,
    /// Bytes of one entry as JSON.
    pub store_value_bytes: usize,
    /// Memories of one bot.
    pub memories: u32,
    /// What scripts get of what they declare.
    pub permissions: Arc<Permissions>,
    /// What scripts may send to other hosts.
    pub outside: fetch::Outside,
}

/// What one bot may do in one tick.
#[derive(Debug)]
pub struct Host {
    side: Side,
    bot: BotId,
    profile: Arc<Profile>,
    persona: Arc<Persona>,
    tick: u64,
    ordinals: Mutex<BTreeMap<ActionKind, u32>>,
    chance: Mutex<ChaCha8Rng>,
    told: Mutex<Option<Failure>>,
    turned_away: AtomicBool,
    acted: AtomicU32,
    refused: AtomicU32,
    calls: AtomicU32,
    fetched: AtomicU32,
    /// What was said to the console; only there.
    said: Option<Mutex<Vec<String>>>,
    denied: AtomicU32,
    stopping: CancellationToken,
    /// Whose host it is, when it is not a bot's.
    plugin: Option<PluginName>,
}

/// Lines that one call of the console may say.
const SAID: usize = 200;

/// Where a script runs: in the world, or in a trial before its version is accepted.
#[derive(Debug, Clone)]
enum Side {
    Live(Arc<World>),
    Trial(Arc<Trial>),
}

impl Host {
    /// One bot's host for one tick in the world.
    pub fn live(
        world: Arc<World>,
        bot: BotId,
        profile: Arc<Profile>,
        persona: Arc<Persona>,
        tick: u64,
        stopping: CancellationToken,
    ) -> Arc<Self> {
        let seed = identity::tick_seed(&world.seed, &bot, tick);
        Arc::new(Self::new(Side::Live(world), bot, profile, persona, tick, seed, stopping))
    }

    /// One bot's host for the console: whoever gives out its primitives lets only reads through, and what a script logs
    /// is kept for whoever asked.
    pub fn console(
        world: Arc<World>,
        bot: BotId,
        profile: Arc<Profile>,
        persona: Arc<Persona>,
        tick: u64,
        stopping: CancellationToken,
    ) -> Arc<Self> {
        let seed = identity::tick_seed(&world.seed, &bot, tick);
        let host = Self::new(Side::Live(world), bot, profile, persona, tick, seed, stopping);
        Arc::new(Self { said: Some(Mutex::default()), ..host })
    }

    /// A host in which nothing reaches the world.
    pub fn trial(trial: Arc<Trial>, bot: BotId, profile: Arc<Profile>, persona: Arc<Persona>, tick: u64) -> Arc<Self> {
        let seed = identity::tick_seed(trial.seed(), &bot, tick);
        Arc::new(Self::new(Side::Trial(trial), bot, profile, persona, tick, seed, CancellationToken::new()))
    }

    fn new(
        side: Side,
        bot: BotId,
        profile: Arc<Profile>,
        persona: Arc<Persona>,
        tick: u64,
        seed: [u8; 32],
        stopping: CancellationToken,
    ) -> Self {
        Self {
            side,
            bot,
            profile,
            persona,
            tick,
            ordinals: Mutex::default(),
            chance: Mutex::new(ChaCha8Rng::from_seed(seed)),
            told: Mutex::default(),
            turned_away: AtomicBool::new(false),
            acted: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            fetched: AtomicU32::new(0),
            denied: AtomicU32::new(0),
            said: None,
            stopping,
            plugin: None,
        }
    }

    /// Which bot.
    pub fn bot(&self) -> &BotId {
        &self.bot
    }

    /// Who it is in the gallery.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The persona it acts out.
    pub fn persona(&self) -> &Persona {
        &self.persona
    }

    /// Which tick of its life this is.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// Whether nothing of this reaches the world.
    pub fn is_trial(&self) -> bool {
        matches!(self.side, Side::Trial(_))
    }

    /// Whether somebody only looks, by the console.
    pub fn is_console(&self) -> bool {
        self.said.is_some()
    }

    /// Says a line to the console; what is too much is dropped, and the last line says so.
    pub fn say(&self, line: String) {
        let Some(said) = &self.said else { return };
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.len() {
            0..SAID => said.push(line),
            SAID => said.push(format!("… more than {SAID} lines; the rest is dropped")),
            _ => {}
        }
    }

    /// Takes what was said to the console.
    pub fn take_said(&self) -> Vec<String> {
        let said = self.said.as_ref().map(|said| said.lock().unwrap_or_else(PoisonError::into_inner));
        said.map(|mut said| std::mem::take(&mut *said)).unwrap_or_default()
    }

    /// Whether it is a trial in which the world refuses everything.
    pub fn refuses_all(&self) -> bool {
        matches!(&self.side, Side::Trial(trial) if trial.refuses())
    }

    /// The failure that a test has planned for the next call of this primitive.
    pub fn planned_failure(&self, name: &str) -> Option<Failure> {
        let Side::Trial(trial) = &self.side else { return None };
        let failure = trial.next_failure(name)?;
        self.hear(Refusal::Failure(failure.clone()));
        Some(failure)
    }

    /// Bots' time.
    pub fn now(&self) -> Timestamp {
        match &self.side {
            Side::Live(world) => world.clock.now(),
            Side::Trial(trial) => trial.now(),
        }
    }

    /// Waits in bots' time, or until the host stops.
    ///
    /// # Errors
    /// [`Refusal::Stopping`] when the host stops meanwhile.
    pub async fn sleep(&self, seconds: crate::model::seconds::Seconds) -> Result<(), Refusal> {
        match &self.side {
            Side::Live(world) => {
                let until = world.clock.now().saturating_add(seconds.signed()).unwrap_or(Timestamp::MAX);
                let clock = world.clock.clone();
                let stopping = self.stopping.clone();
                // Timers live with the rest of the I/O, not with the scripts.
                self.wait(world, async move {
                    tokio::select! {
                        () = clock.sleep_until(until) => {}
                        () = stopping.cancelled() => {}
                    }
                })
                .await
            }
            Side::Trial(trial) => {
                trial.pass(seconds);
                Ok(())
            }
        }
    }

    /// A draw that is the same when this tick is tried again.
    pub fn with_chance<T>(&self, draw: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        draw(&mut self.chance.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the world said that the bot must wait for, if it said so in this tick.
    pub fn told(&self) -> Option<Failure> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What this tick has come to so far, but for its CPU time.
    pub fn tally(&self) -> Tally {
        let count = |counter: &AtomicU32| u64::from(counter.load(Ordering::Relaxed));
        Tally {
            ticks: 1,
            actions: count(&self.acted),
            refused: count(&self.refused),
            calls: count(&self.calls),
            ..Tally::default()
        }
    }

    /// Whether the gallery would not have this bot, as one does that has lost its account.
    pub fn was_turned_away(&self) -> bool {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Keeps what the world said, when it concerns more than this one call.
    fn hear(&self, refusal: Refusal) -> Refusal {
        if matches!(&refusal, Refusal::Failure(failure) if failure.kind == FailureKind::Forbidden) {
            self.turned_away.store(true, Ordering::Relaxed);
        }
        if let Refusal::Failure(failure) = &refusal
            && matches!(failure.kind, FailureKind::RateLimited | FailureKind::Budget | FailureKind::Paused)
            && (failure.until.is_some() || failure.retry_after.is_some())
        {
            *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.clone());
        }
        refusal
    }

    fn count_denied(&self) -> u32 {
        self.denied.fetch_add(1, Ordering::Relaxed)
    }

    fn next_ordinal(&self, kind: ActionKind) -> u32 {
        let mut ordinals = self.ordinals.lock().unwrap_or_else(PoisonError::into_inner);
        let next = ordinals.entry(kind).or_insert(0);
        let ordinal = *next;
        *next += 1;
        ordinal
    }

    /// Runs work beside the scripts and waits for it, or until the host stops; the work itself goes on to its end.
    async fn wait<T: Send + 'static>(
        &self,
        world: &World,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Refusal> {
        if self.stopping.is_cancelled() {
            return Err(Refusal::Stopping);
        }
        let (reply, answer) = oneshot::channel();
        world.actions.spawn_on(
            async move {
                // Nobody waits any more when the bot was told to stop; the work is done all the same.
                let _ = reply.send(work.await);
            },
            &world.handle,
        );
        tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| {
                Refusal::failure(FailureKind::Unavailable, "the host's own code failed; its log says where")
            }),
            () = self.stopping.cancelled() => Err(Refusal::Stopping),
        }
    }
}
