//! Bots and what they did as JSON.
//!
//! What is not known is null, and never left out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::spend::SpendCap;
use crate::host::limits::{Cap, Caps};
use crate::model;
use crate::model::name::VersionId;
use crate::runtime::view::{BotDetail, BotPage, BotView};

/// Bots, and how many there are.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Bots {
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
pub(in crate::http) struct Bot {
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
pub(in crate::http) struct BotInFull {
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
    /// How far the budgets are used that hold for whatever it does, in real time.
    budgets: Vec<SpendCap>,
    /// The last thing that went wrong, or empty.
    error: String,
    /// The same as it was found: with the line of the script, values, advice and the frame; null where it was no script's.
    #[schema(required = true, value_type = Option<Value>)]
    diagnostic: Option<Value>,
}

/// What a bot did of one kind of action, and how much it may.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Limit {
    /// The kind of action, or `actions` for all together.
    #[schema(example = "comment")]
    kind: String,
    /// How many in the last hour of bots' time.
    hour: u32,
    /// The most in an hour; null means no such limit.
    #[schema(required = true)]
    per_hour: Option<u32>,
    /// How many in the last day of bots' time.
    day: u32,
    /// The most in a day; null means no such limit.
    #[schema(required = true)]
    per_day: Option<u32>,
    /// When the last one was.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    last: Option<Timestamp>,
}

/// Some activities.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Activities {
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
pub(in crate::http) struct Activity {
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

impl Bots {
    pub(in crate::http) fn of(page: BotPage, limit: usize, offset: usize) -> Self {
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
    pub(in crate::http) fn of(detail: BotDetail, caps: &Caps) -> Self {
        let limits = limits(&detail, caps);
        let last = detail.activities.iter().find(|activity| activity.what.kind == "script_error");
        let diagnostic = last.filter(|_| !detail.error.is_empty()).map(|activity| activity.what.detail.clone());
        Self {
            diagnostic,
            bot: detail.bot.into(),
            bio: detail.bio,
            // A state that is no JSON is shown as the text it is, rather than hidden.
            state: detail.state.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
            activities: detail.activities.into_iter().map(Activity::from).collect(),
            limits,
            budgets: detail.budgets.iter().map(SpendCap::of).collect(),
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

impl Activities {
    pub(in crate::http) fn of(activities: Vec<model::activity::Activity>, limit: u32, oldest_first: bool) -> Self {
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
