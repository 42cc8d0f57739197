//! After a tick: when the bot wakes next, and why then.
//!
//! Its rhythm decides, but it never wakes before what the world told it to wait for.

use jiff::Timestamp;
use rand::{Rng, RngExt};

use crate::model::failure::Failure;
use crate::model::persona::Persona;
use crate::model::seconds::Seconds;
use crate::model::status::Rest;

use super::{Visit, WakeReason, hours, next_wake};

/// When a bot wakes after a tick that went well: by its rhythm, but not before what the world told it to wait for.
pub fn after_tick(
    persona: &Persona,
    visit: &Visit,
    asked: Option<Seconds>,
    told: Option<Failure>,
    now: Timestamp,
    rng: &mut dyn Rng,
) -> (Timestamp, Rest, Visit) {
    let wake = next_wake(&persona.schedule, &persona.pace, visit, asked, now, rng);
    let why = match wake.reason {
        WakeReason::VisitPause => Rest::Pause,
        WakeReason::Asked => Rest::Asked,
        WakeReason::Awake => Rest::Night,
        WakeReason::NextVisit => {
            let bedtime = hours::asleep_at(&persona.schedule, now);
            if bedtime.is_none_or(|bedtime| bedtime < wake.at) { Rest::Night } else { Rest::NextVisit }
        }
    };
    match told.and_then(|failure| Some((end_of(&failure, now)?, failure))) {
        Some((end, failure)) if end > wake.at => {
            (spread_after(end, now, rng.random()), Rest::Told { by: failure.message }, wake.visit)
        }
        _ => (wake.at, why, wake.visit),
    }
}

/// When a failure says that it is over.
pub fn end_of(failure: &Failure, now: Timestamp) -> Option<Timestamp> {
    failure.until.or_else(|| now.checked_add(failure.retry_after?.signed()).ok())
}

/// Wakes after a common end are spread, never all at once.
pub fn spread_after(end: Timestamp, now: Timestamp, unit: f64) -> Timestamp {
    let wait = end.duration_since(now).as_secs_f64().max(0.0);
    let window = Seconds::clamped((wait * 0.1).clamp(5.0, 900.0) * unit);
    end.saturating_add(window.signed()).unwrap_or(end)
}
