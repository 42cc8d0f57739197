//! What the supervisor shows of itself: plain data, made when asked.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::floimg::signals::Signals;
use crate::host::budget::CapState;
use crate::model::activity::Activity;
use crate::model::diagnostic::Diagnostic;
use crate::model::name::{BotId, PersonaName, VersionId};
use crate::model::status::BotStatus;
use crate::model::tally::Tally;
use crate::store::ActionCounts;

/// The fleet in a few numbers.
#[derive(Debug, Clone)]
pub struct FleetView {
    /// Since when this process runs, in wall time.
    pub started_at: Timestamp,
    /// Bots' time now.
    pub now: Timestamp,
    /// How fast bots' time runs.
    pub speed: f64,
    /// How many bots there are by status; retired ones are not counted.
    pub by_status: BTreeMap<&'static str, u64>,
    /// How many bots there are by persona.
    pub by_persona: BTreeMap<PersonaName, u64>,
    /// Why everything stands still, if it does.
    pub stopped_because: Option<String>,
    /// What the gallery said that concerns everybody.
    pub signals: Signals,
    /// Personas whose newest files were refused.
    pub refused: Vec<PersonaName>,
    /// Ticks since the start.
    pub ticks: u64,
    /// Ticks that went wrong since the start.
    pub failed_ticks: u64,
    /// Actions in the last 24 hours of bots' time, by kind and ending.
    pub actions: BTreeMap<(String, &'static str), u64>,
    /// VMs in memory: those acting and those kept warm.
    pub vms: usize,
    /// When the next bot wakes.
    pub next_wake: Option<Timestamp>,
    /// How late wake-ups were lately, in wall time.
    pub lag: Lag,
}

/// How late wake-ups were: of the last few thousand, in wall time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Half of them were at most this late.
    pub p50: Duration,
    /// All but one in a hundred were at most this late.
    pub p99: Duration,
}

/// Which bots to show.
#[derive(Debug, Clone, Default)]
pub struct BotFilter {
    /// Only this persona's.
    pub persona: Option<PersonaName>,
    /// Only with this status, by its word.
    pub status: Option<String>,
    /// Only those whose id, username or name holds this, in any case.
    pub search: Option<String>,
    /// How many to skip.
    pub offset: usize,
    /// How many at most.
    pub limit: usize,
}

/// Some bots of many.
#[derive(Debug, Clone)]
pub struct BotPage {
    /// The bots.
    pub bots: Vec<BotView>,
    /// How many fit the filter.
    pub total: usize,
}

/// One bot in a list.
#[derive(Debug, Clone)]
pub struct BotView {
    /// Which bot.
    pub id: BotId,
    /// Its account's username.
    pub username: String,
    /// The name shown.
    pub name: String,
    /// Whether the gallery knows it.
    pub has_account: bool,
    /// What it is doing.
    pub status: BotStatus,
    /// The same in words, like `asleep until 07:40 Europe/Berlin`.
    pub reason: String,
    /// When it wakes, unless something holds it.
    pub next_wake: Option<Timestamp>,
    /// Ticks of its life.
    pub ticks: u64,
    /// The version of its last tick.
    pub version: Option<VersionId>,
    /// Its persona's IANA zone.
    pub zone: String,
}

/// One bot as closely as it can be looked at.
#[derive(Debug, Clone)]
pub struct BotDetail {
    /// The bot.
    pub bot: BotView,
    /// The line about itself.
    pub bio: String,
    /// Its state as JSON text, as committed with its last tick.
    pub state: Option<String>,
    /// Its last activities, newest first.
    pub activities: Vec<Activity>,
    /// What it did in the last hour and day.
    pub used: Vec<ActionCounts>,
    /// How far the budgets are used that hold for whatever it does.
    pub budgets: Vec<CapState>,
    /// The last thing that went wrong, or empty.
    pub error: String,
}

/// One persona's script.
#[derive(Debug, Clone)]
pub struct ScriptView {
    /// Which persona.
    pub persona: PersonaName,
    /// What people call it.
    pub title: String,
    /// Its file.
    pub file: String,
    /// The version that bots take at their next tick; none while it never was right.
    pub version: Option<VersionId>,
    /// The files the version is made of.
    pub files: Vec<String>,
    /// When it was accepted, in bots' time.
    pub accepted_at: Option<Timestamp>,
    /// The version that the files make, when they are right; another than [`Self::version`] while it is tried, held or pinned away.
    pub newest: Option<VersionId>,
    /// Whether the files are left aside.
    pub is_pinned: bool,
    /// The version that was rolled back and is not taken from the files again.
    pub held_back: Option<VersionId>,
    /// What is tried on a few.
    pub canary: Option<CanaryView>,
    /// What was decided last of its versions, and when.
    pub verdict: Option<(String, Timestamp)>,
    /// What the ticks of the version came to.
    pub tally: Tally,
    /// Bots by the version of their last tick, the current one included.
    pub ran: BTreeMap<String, u64>,
    /// Bots in the roster.
    pub bots: u64,
    /// What is wrong with the newest files, when they were refused.
    pub errors: Vec<Diagnostic>,
    /// What the author should look at.
    pub warnings: Vec<Diagnostic>,
}

/// A version that is tried on a few bots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryView {
    /// Which.
    pub version: VersionId,
    /// Since when, in bots' time.
    pub since: Timestamp,
    /// Bots that run it.
    pub bots: u64,
    /// What its ticks came to since then.
    pub new: Tally,
    /// What the ticks of the version before came to in the same time.
    pub old: Tally,
    /// Ticks after which it is promoted when nothing speaks against it.
    pub wanted_ticks: u64,
}

/// What an operator decides of a persona's versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionChange {
    /// Back to this version, or to the one before.
    RollBack(Option<VersionId>),
    /// This version, whatever is saved.
    Pin(VersionId),
    /// What the files say again.
    Unpin,
    /// What is tried, or was rolled back, for all.
    Promote,
}

/// What a call of the console came to.
#[derive(Debug, Clone)]
pub struct ConsoleView {
    /// The version whose world it was.
    pub version: VersionId,
    /// What was printed and logged, a line each.
    pub printed: Vec<String>,
    /// The values, as people read them.
    pub values: Vec<String>,
    /// What was raised, when something was.
    pub error: Option<Diagnostic>,
    /// Whether `bot.state` was changed and kept.
    pub is_kept: bool,
}

/// Whom a control concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every bot.
    All,
    /// One persona's bots.
    Persona(PersonaName),
    /// One bot.
    Bot(BotId),
}

/// What a reload came to.
#[derive(Debug, Clone, Default)]
pub struct Reloaded {
    /// Personas with a new version.
    pub accepted: Vec<(PersonaName, VersionId)>,
    /// Personas whose files were refused, with what is wrong.
    pub refused: Vec<(PersonaName, Vec<Diagnostic>)>,
    /// Personas that are as they were.
    pub unchanged: u64,
}
