//! The JSON of the status API.
//!
//! Every reply is made from the fleet's plain views here and nowhere else, so that a field has one name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::floimg::signals::{BreakerState, Signals};
use crate::host::limits::{Cap, Caps};
use crate::model;
use crate::model::name::VersionId;
use crate::runtime::view::{BotDetail, BotPage, BotView, FleetView, Reloaded, ScriptView};

/// What went wrong, and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "error": "`limit` is `lots`: expected a whole number from 1 to 500",
}))]
pub(super) struct Problem {
    /// What went wrong.
    pub(super) error: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Live {
    /// Always true.
    pub(super) live: bool,
}

/// The fleet answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// Always true; a fleet that is not ready answers with status 503.
    pub(super) ready: bool,
}

/// The fleet in a few numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// Whether bots act, or stand still all together.
    #[schema(example = "running")]
    state: &'static str,
    /// Why everything stands still, if it does.
    #[schema(required = true, example = "paused by operator: maintenance")]
    stopped_because: Option<String>,
    /// The program's version.
    program: &'static str,
    /// Since when the process runs, in wall time.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Bots' time now.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// Seconds of bots' time that pass in one second of the wall.
    speed: f64,
    /// Bots in the roster.
    bots: u64,
    /// Bots by status.
    by_status: BTreeMap<&'static str, u64>,
    /// Bots by persona.
    by_persona: BTreeMap<String, u64>,
    /// What the gallery said that concerns every bot.
    signals: SignalsNow,
    /// Personas whose newest files were refused; their bots go on with the version before.
    refused: Vec<String>,
    /// Ticks since the start.
    ticks: u64,
    /// Ticks that went wrong since the start.
    failed_ticks: u64,
    /// Actions and life events in the last 24 hours of bots' time.
    actions: Vec<Count>,
    /// Luau VMs in memory.
    vms: usize,
    /// When the next bot wakes, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    next_wake: Option<Timestamp>,
    /// How late wake-ups were lately, in wall time.
    lag: Lag,
    /// Where people see the gallery.
    gallery_url: String,
}

/// How often something ended in one way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Count {
    /// The kind of action or life event.
    #[schema(example = "upvote")]
    kind: String,
    /// `done`, `refused`, `failed` or `unknown`.
    #[schema(example = "done")]
    ending: &'static str,
    /// How often.
    count: u64,
}

/// How late wake-ups were lately, in wall time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lag {
    /// Half of them were at most this late.
    p50_millis: u64,
    /// All but one in a hundred were at most this late.
    p99_millis: u64,
}

/// What the gallery said that concerns every bot.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalsNow {
    /// Until when the fleet's budget on the platform is used up.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    budget_until: Option<Timestamp>,
    /// Whether the platform's kill switch is on.
    platform_paused: bool,
    /// Whether the gallery is being left alone because it failed: `closed` (calls pass), `open` or `probing`.
    api: &'static str,
    /// When the gallery is tried again.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    api_until: Option<Timestamp>,
    /// The same of the server that runs workflows.
    workflows: &'static str,
    /// When that server is tried again.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    workflows_until: Option<Timestamp>,
}

/// Bots, and how many there are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Bots {
    /// The bots.
    items: Vec<Bot>,
    /// How many fit what was asked for.
    total: usize,
    /// The most that `items` holds.
    limit: usize,
    /// How many were skipped.
    offset: usize,
}

/// One bot.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Bot {
    /// Its id.
    #[schema(example = "ai_artist-17")]
    id: String,
    /// Its account's username.
    #[schema(example = "art_lucid_17")]
    username: String,
    /// The name shown in the gallery.
    #[schema(example = "Lucid Dreams")]
    name: String,
    /// The persona it acts out.
    #[schema(example = "ai_artist")]
    persona: String,
    /// `acting`, `asleep`, `paused`, `backoff`, `quarantined` or `retired`.
    #[schema(example = "asleep")]
    status: &'static str,
    /// Why, in words.
    #[schema(example = "asleep until 07:40 Europe/Berlin")]
    reason: String,
    /// When it wakes, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    next_wake: Option<Timestamp>,
    /// Ticks of its life.
    ticks: u64,
    /// The version of its last tick, by its first eight digits.
    #[schema(required = true, example = "0f3a9c1e")]
    version: Option<String>,
    /// Its persona's IANA time zone.
    #[schema(example = "Europe/Berlin")]
    zone: String,
    /// Whether the gallery knows it.
    has_account: bool,
}

/// One bot as closely as it can be looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BotInFull {
    /// The same as in lists.
    #[serde(flatten)]
    bot: Bot,
    /// The line about itself.
    bio: String,
    /// `bot.state` as it was committed with the last tick.
    #[schema(required = true, value_type = Value)]
    state: Option<Value>,
    /// Its last activities, newest first.
    activities: Vec<Activity>,
    /// What it did lately beside what it may.
    limits: Vec<Limit>,
    /// The last thing that went wrong, or empty.
    error: String,
}

/// What a bot did of one kind of action, and how much it may.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Limit {
    /// The kind of action, or `actions` for all together.
    #[schema(example = "comment")]
    kind: String,
    /// How many in the last hour of bots' time.
    hour: u32,
    /// The most in an hour; absent means no such limit.
    #[schema(required = true)]
    per_hour: Option<u32>,
    /// How many in the last day of bots' time.
    day: u32,
    /// The most in a day; absent means no such limit.
    #[schema(required = true)]
    per_day: Option<u32>,
    /// When the last one was.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    last: Option<Timestamp>,
}

/// Every persona.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Personas {
    /// The personas.
    items: Vec<Persona>,
}

/// One persona.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Persona {
    /// Its name, the stem of its file.
    #[schema(example = "ai_artist")]
    name: String,
    /// What people call it.
    #[schema(example = "AI art enthusiast")]
    title: String,
    /// Bots in the roster.
    bots: u64,
    /// The version that bots take at their next tick, by its first eight digits.
    #[schema(required = true)]
    version: Option<String>,
    /// Whether its newest files were refused.
    refused: bool,
}

/// Every persona's script.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Scripts {
    /// The scripts.
    items: Vec<Script>,
}

/// One persona's script.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Script {
    /// Which persona.
    #[schema(example = "ai_artist")]
    persona: String,
    /// What people call it.
    title: String,
    /// Its file.
    #[schema(example = "scripts/personas/ai_artist.luau")]
    file: String,
    /// The version that bots take at their next tick, by its first eight digits.
    #[schema(required = true)]
    version: Option<String>,
    /// The files the version is made of.
    files: Vec<String>,
    /// When it was accepted, in bots' time.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    accepted_at: Option<Timestamp>,
    /// Bots by the version of their last tick.
    ran: BTreeMap<String, u64>,
    /// Bots in the roster.
    bots: u64,
    /// What is wrong with the newest files; not empty means that they were refused.
    errors: Vec<Diagnostic>,
    /// What the author should look at.
    warnings: Vec<Diagnostic>,
}

/// One thing that is wrong with a script.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Diagnostic {
    /// `error` or `warning`.
    severity: &'static str,
    /// The file.
    #[schema(example = "scripts/personas/ai_artist.luau")]
    file: String,
    /// The line, from 1, where one is known.
    #[schema(required = true, example = 31)]
    line: Option<u32>,
    /// What is wrong.
    message: String,
    /// What to do about it.
    #[schema(required = true)]
    hint: Option<String>,
    /// The calls that led there, outermost last.
    traceback: Vec<String>,
}

/// Some activities.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Activities {
    /// Newest first, or oldest first when `after` was given.
    items: Vec<Activity>,
    /// Give this as `before` for what is older; null when there is nothing more, or when `after` was given.
    #[schema(required = true)]
    next_before: Option<i64>,
    /// Give this as `after` for what is newer; null when there is nothing more, or when `after` was not given.
    #[schema(required = true)]
    next_after: Option<i64>,
}

/// What a bot did, or what happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Activity {
    /// Grows with every activity; event streams resume from it.
    id: i64,
    /// When, in bots' time.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Which bot, unless it concerns a persona or the fleet.
    #[schema(required = true, example = "ai_artist-17")]
    bot: Option<String>,
    /// Which persona, unless it concerns the fleet.
    #[schema(required = true, example = "ai_artist")]
    persona: Option<String>,
    /// The word for it.
    #[schema(example = "upvote")]
    kind: String,
    /// `done`, `refused`, `failed` or `unknown`.
    #[schema(example = "done")]
    ending: &'static str,
    /// The post it concerns, or empty.
    target: String,
    /// One line for people.
    text: String,
    /// The rest, for machines.
    detail: Value,
}

/// How to pause; nothing at all is fine too.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "reason": "maintenance", "for_secs": 3600 }))]
#[expect(dead_code, reason = "documents what `control::pause` reads field by field, for better errors")]
pub(super) struct Pause {
    /// Why, for those who look at the fleet; at most 200 characters.
    #[schema(max_length = 200)]
    reason: Option<String>,
    /// For how many seconds of bots' time; without this, until resumed.
    #[schema(minimum = 0)]
    for_secs: Option<f64>,
}

/// What a control did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "message": "paused 8 bots until resumed", "count": 8 }))]
pub(super) struct Controlled {
    /// What was done, in words.
    pub(super) message: String,
    /// How many bots it concerned.
    pub(super) count: u64,
}

/// What a reload came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reload {
    /// What was done, in words.
    message: String,
    /// Personas with a new version.
    accepted: Vec<Accepted>,
    /// Personas whose files were refused.
    refused: Vec<RefusedPersona>,
    /// Personas that are as they were.
    unchanged: u64,
    /// Everything that is wrong, as text.
    #[schema(example = json!(["scripts/personas/ai_artist.luau:31: expected `)`"]))]
    errors: Vec<String>,
}

/// A persona with a new version.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accepted {
    /// Which persona.
    #[schema(example = "ai_artist")]
    persona: String,
    /// The version, by its first eight digits.
    #[schema(example = "0f3a9c1e")]
    version: String,
}

/// A persona whose files were refused.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefusedPersona {
    /// Which persona.
    #[schema(example = "ai_artist")]
    persona: String,
    /// What is wrong.
    errors: Vec<Diagnostic>,
}

impl Status {
    pub(super) fn of(view: FleetView, gallery_url: &str) -> Self {
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            state: if view.stopped_because.is_some() { "stopped" } else { "running" },
            stopped_because: view.stopped_because,
            program: env!("CARGO_PKG_VERSION"),
            started_at: view.started_at,
            now: view.now,
            speed: view.speed,
            bots: view.by_status.values().sum(),
            by_status: view.by_status,
            by_persona: view.by_persona.into_iter().map(|(name, count)| (name.to_string(), count)).collect(),
            signals: SignalsNow::of(view.signals, view.now),
            refused: view.refused.iter().map(ToString::to_string).collect(),
            ticks: view.ticks,
            failed_ticks: view.failed_ticks,
            actions: (view.actions.into_iter()).map(|((kind, ending), count)| Count { kind, ending, count }).collect(),
            vms: view.vms,
            next_wake: view.next_wake,
            lag: Lag { p50_millis: millis(view.lag.p50), p99_millis: millis(view.lag.p99) },
            gallery_url: gallery_url.to_owned(),
        }
    }
}

impl SignalsNow {
    fn of(signals: Signals, now: Timestamp) -> Self {
        let breaker = |state| match state {
            BreakerState::Closed => ("closed", None),
            BreakerState::Open { until } => ("open", Some(until)),
            BreakerState::Probing => ("probing", None),
        };
        let ((api, api_until), (workflows, workflows_until)) = (breaker(signals.api), breaker(signals.workflows));
        let budget_until = signals.fleet_until.map(|(until, _)| until).filter(|until| *until > now);
        Self { budget_until, platform_paused: signals.platform_paused, api, api_until, workflows, workflows_until }
    }
}

impl Bots {
    pub(super) fn of(page: BotPage, limit: usize, offset: usize) -> Self {
        Self { items: page.bots.into_iter().map(Bot::from).collect(), total: page.total, limit, offset }
    }
}

impl From<BotView> for Bot {
    fn from(view: BotView) -> Self {
        Self {
            id: view.id.to_string(),
            persona: view.id.persona.to_string(),
            username: view.username,
            name: view.name,
            status: view.status.as_str(),
            reason: view.reason,
            next_wake: view.next_wake,
            ticks: view.ticks,
            version: view.version.as_ref().map(VersionId::to_string),
            zone: view.zone,
            has_account: view.has_account,
        }
    }
}

impl BotInFull {
    pub(super) fn of(detail: BotDetail, caps: &Caps) -> Self {
        let limits = limits(&detail, caps);
        Self {
            bot: detail.bot.into(),
            bio: detail.bio,
            // A state that is no JSON is shown as the text it is, rather than hidden.
            state: detail.state.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
            activities: detail.activities.into_iter().map(Activity::from).collect(),
            limits,
            error: detail.error,
        }
    }
}

/// All together first, then every kind that was done or has a limit.
fn limits(detail: &BotDetail, caps: &Caps) -> Vec<Limit> {
    let limit = |kind: &str, hour, day, cap: Cap, last| Limit {
        kind: kind.to_owned(),
        hour,
        per_hour: cap.per_hour,
        day,
        per_day: cap.per_day,
        last,
    };
    let used = &detail.used;
    let sum = |count: fn(&crate::store::ActionCounts) -> u32| used.iter().map(count).fold(0, u32::saturating_add);
    let last = used.iter().map(|used| used.last).max();
    let mut limits = vec![limit("actions", sum(|used| used.hour), sum(|used| used.day), caps.actions, last)];
    let done = used.iter().map(|used| used.kind.as_str());
    let kinds: BTreeSet<&str> = done.chain(caps.kinds.keys().map(String::as_str)).collect();
    for kind in kinds {
        let cap = caps.kinds.get(kind).copied().unwrap_or_default();
        limits.push(match used.iter().find(|used| used.kind.as_str() == kind) {
            Some(used) => limit(kind, used.hour, used.day, cap, Some(used.last)),
            None => limit(kind, 0, 0, cap, None),
        });
    }
    limits
}

impl From<Vec<ScriptView>> for Personas {
    fn from(scripts: Vec<ScriptView>) -> Self {
        let persona = |script: ScriptView| Persona {
            name: script.persona.to_string(),
            title: script.title,
            bots: script.bots,
            version: script.version.as_ref().map(VersionId::to_string),
            refused: !script.errors.is_empty(),
        };
        Self { items: scripts.into_iter().map(persona).collect() }
    }
}

impl From<Vec<ScriptView>> for Scripts {
    fn from(scripts: Vec<ScriptView>) -> Self {
        Self { items: scripts.into_iter().map(Script::from).collect() }
    }
}

impl From<ScriptView> for Script {
    fn from(view: ScriptView) -> Self {
        let mut ran = BTreeMap::new();
        for (version, bots) in view.ran {
            *ran.entry(VersionId::new(&version).to_string()).or_insert(0) += bots;
        }
        Self {
            persona: view.persona.to_string(),
            title: view.title,
            file: view.file,
            version: view.version.as_ref().map(VersionId::to_string),
            files: view.files,
            accepted_at: view.accepted_at,
            ran,
            bots: view.bots,
            errors: view.errors.into_iter().map(Diagnostic::from).collect(),
            warnings: view.warnings.into_iter().map(Diagnostic::from).collect(),
        }
    }
}

impl From<model::diagnostic::Diagnostic> for Diagnostic {
    fn from(diagnostic: model::diagnostic::Diagnostic) -> Self {
        Self {
            severity: diagnostic.severity.as_str(),
            file: diagnostic.file,
            line: diagnostic.line,
            message: diagnostic.message,
            hint: diagnostic.hint,
            traceback: diagnostic.traceback,
        }
    }
}

impl Activities {
    pub(super) fn of(activities: Vec<model::activity::Activity>, limit: u32, oldest_first: bool) -> Self {
        let is_full = activities.len() >= limit as usize;
        let last = activities.last().map(|activity| activity.id).filter(|_| is_full);
        Self {
            items: activities.into_iter().map(Activity::from).collect(),
            next_before: last.filter(|_| !oldest_first),
            next_after: last.filter(|_| oldest_first),
        }
    }
}

impl From<model::activity::Activity> for Activity {
    fn from(activity: model::activity::Activity) -> Self {
        let what = activity.what;
        Self {
            id: activity.id,
            at: what.at,
            bot: what.bot.as_ref().map(ToString::to_string),
            persona: what.persona.as_ref().map(ToString::to_string),
            kind: what.kind,
            ending: what.ending.as_str(),
            target: what.target,
            text: what.text,
            detail: what.detail,
        }
    }
}

impl From<Reloaded> for Reload {
    fn from(reloaded: Reloaded) -> Self {
        let flat = |diagnostic: &model::diagnostic::Diagnostic| match &diagnostic.hint {
            Some(hint) => format!("{diagnostic}; hint: {hint}"),
            None => diagnostic.to_string(),
        };
        let errors = reloaded.refused.iter().flat_map(|(_, errors)| errors).map(flat).collect();
        let message = format!(
            "{} accepted, {} refused, {} unchanged",
            reloaded.accepted.len(),
            reloaded.refused.len(),
            reloaded.unchanged
        );
        let accepted = |(persona, version): (model::name::PersonaName, VersionId)| Accepted {
            persona: persona.to_string(),
            version: version.to_string(),
        };
        let refused = |(persona, errors): (model::name::PersonaName, Vec<model::diagnostic::Diagnostic>)| {
            RefusedPersona { persona: persona.to_string(), errors: errors.into_iter().map(Diagnostic::from).collect() }
        };
        Self {
            message,
            accepted: reloaded.accepted.into_iter().map(accepted).collect(),
            refused: reloaded.refused.into_iter().map(refused).collect(),
            unchanged: reloaded.unchanged,
            errors,
        }
    }
}
