//! The fleet's numbers as JSON.
//!
//! What is not known is null, and never left out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::floimg::signals::{BreakerState, Signals};
use crate::runtime::view::FleetView;

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Live {
    /// Always true.
    pub(in crate::http) live: bool,
}

/// The fleet answers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Ready {
    /// Always true; a fleet that is not ready answers with status 503.
    pub(in crate::http) ready: bool,
}

/// The fleet in a few numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Status {
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
pub(in crate::http) struct Count {
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
pub(in crate::http) struct Lag {
    /// Half of them were at most this late.
    p50_millis: u64,
    /// All but one in a hundred were at most this late.
    p99_millis: u64,
}

/// What the gallery said that concerns every bot.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SignalsNow {
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

impl Status {
    pub(in crate::http) fn of(view: FleetView, gallery_url: &str) -> Self {
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
