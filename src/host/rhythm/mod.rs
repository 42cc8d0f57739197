//! Rhythm: when a bot wakes next.
//!
//! A bot visits, ticks a few times with heavy-tailed pauses, leaves, and comes again at a time drawn over its waking hours;
//! no wake-up ever falls into its sleep.

pub mod hours;
pub mod parse;

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use self::hours::{asleep_at, is_awake, next_awake};
use crate::host::identity::fraction;
use crate::model::persona::{Pace, Schedule};
use crate::model::seconds::{MAX_SECS, Seconds};
use crate::text::grammar::draw;

/// How many times more visits an hour of a peak has.
const PEAK: f64 = 3.0;
/// Spread of pauses on the logarithmic scale.
const SIGMA: f64 = 0.9;
/// No pause is longer than this many times the median one.
const LONGEST_PAUSE: f64 = 12.0;
/// Mean of a pause with median 1, as drawn.
const MEAN_PAUSE: f64 = 1.48;
/// No wake-up is sooner than this, whatever a script asks for.
const SHORTEST_SECS: f64 = 1.0;
/// Within how long a newborn bot comes for the first time, in seconds.
const FIRST_WINDOW: f64 = 3600.0;
/// The median and the longest time between waking and reaching for the gallery, in seconds.
const AFTER_WAKING: (f64, f64) = (360.0, 2400.0);

/// Where a bot is in its visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Which visit of its life, from 1.
    pub number: u64,
    /// Which tick of the visit, from 1.
    pub tick: u32,
    /// How many more ticks the visit has after that one.
    pub ticks_left: u32,
}

/// Why a bot wakes when it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeReason {
    /// It goes on with its visit.
    VisitPause,
    /// It comes for its next visit.
    NextVisit,
    /// Its script asked for this pause.
    Asked,
    /// Its script asked for a time at which it sleeps, so it comes after waking.
    Awake,
}

impl WakeReason {
    /// The reason in one word, for logs and the status API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VisitPause => "visit_pause",
            Self::NextVisit => "next_visit",
            Self::Asked => "asked",
            Self::Awake => "awake",
        }
    }
}

/// The next wake-up of a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// When.
    pub at: Timestamp,
    /// Where in its visits the tick at that time lies.
    pub visit: Visit,
    /// Why then.
    pub reason: WakeReason,
}

/// The wake-up after a tick of `visit` that has just ended; `asked` is what its script wished for.
///
/// A wish is honoured and goes on with the visit, or begins the next one when it is long; where it falls into sleep, the bot
/// comes after waking. Without a wish, the visit goes on while it has ticks left and bedtime has not come.
pub fn next_wake(
    schedule: &Schedule,
    pace: &Pace,
    visit: &Visit,
    asked: Option<Seconds>,
    now: Timestamp,
    rng: &mut dyn Rng,
) -> Wake {
    if let Some(asked) = asked {
        return asked_wake(schedule, pace, visit, asked, now, rng);
    }
    if visit.ticks_left > 0 {
        let at = later(now, pause(pace.pause_secs, rng));
        if is_awake(schedule, at) {
            return Wake { at, visit: visit.went_on(), reason: WakeReason::VisitPause };
        }
    }
    Wake { at: next_visit(schedule, pace, now, rng), visit: visit.next(pace, rng), reason: WakeReason::NextVisit }
}

/// The first wake-up of a bot's life. Those awake come within the hour, many of them within minutes; the others when
/// they wake up. `unit` is the bot's own, from 0 to 1, so that bots of one roster do not come together.
pub fn first_wake(schedule: &Schedule, pace: &Pace, unit: f64, now: Timestamp, rng: &mut dyn Rng) -> Wake {
    let from = next_awake(schedule, now);
    let awake_secs = asleep_at(schedule, from).map_or(0.0, |end| end.duration_since(from).as_secs_f64());
    // The cube lets a third of them come within two minutes.
    let share = within(unit).powi(3);
    let at = later(from, share * FIRST_WINDOW.min(awake_secs * 0.9));
    let at = if is_awake(schedule, at) { at } else { from };
    let born = Visit { number: 0, tick: 0, ticks_left: 0 };
    Wake { at, visit: born.next(pace, rng), reason: WakeReason::NextVisit }
}

/// An overdue wake-up, moved to its own place in the window from now on; one that is still to come stays.
pub fn spread(at: Timestamp, now: Timestamp, window: Seconds, unit: f64) -> Timestamp {
    if at > now { at } else { later(now, within(unit) * window.get()) }
}

/// A pause in seconds with this median and a heavy tail, as people pause.
pub fn pause(median: f64, rng: &mut dyn Rng) -> f64 {
    let median = Seconds::clamped(median).get();
    let drawn: f64 = StandardNormal.sample(&mut &mut *rng);
    (median * (SIGMA * drawn).exp()).clamp(SHORTEST_SECS, (median * LONGEST_PAUSE).max(SHORTEST_SECS))
}

impl Visit {
    fn went_on(self) -> Self {
        Self { tick: self.tick.saturating_add(1), ticks_left: self.ticks_left.saturating_sub(1), ..self }
    }

    fn next(self, pace: &Pace, rng: &mut dyn Rng) -> Self {
        let (fewest, most) = pace.actions_per_visit;
        let (fewest, most) = (fewest.min(most).max(1), fewest.max(most).max(1));
        let ticks = fewest + u32::try_from(draw(rng, (most - fewest) as usize + 1)).unwrap_or(0);
        Self { number: self.number.saturating_add(1), tick: 1, ticks_left: ticks - 1 }
    }
}

fn asked_wake(
    schedule: &Schedule,
    pace: &Pace,
    visit: &Visit,
    asked: Seconds,
    now: Timestamp,
    rng: &mut dyn Rng,
) -> Wake {
    let secs = asked.get().max(SHORTEST_SECS);
    let at = later(now, secs);
    if is_awake(schedule, at) {
        // Who is away for longer than any pause has left the gallery and comes back for another visit.
        let left = secs > (Seconds::clamped(pace.pause_secs).get() * LONGEST_PAUSE).max(1800.0);
        let visit = if left { visit.next(pace, rng) } else { visit.went_on() };
        return Wake { at, visit, reason: WakeReason::Asked };
    }
    let wakes = next_awake(schedule, at);
    let awake_secs = asleep_at(schedule, wakes).map_or(0.0, |end| end.duration_since(wakes).as_secs_f64());
    let (median, longest) = AFTER_WAKING;
    let settled = later(wakes, pause(median, rng).min(longest).min(awake_secs * 0.5));
    let at = if is_awake(schedule, settled) { settled } else { wakes };
    Wake { at, visit: visit.next(pace, rng), reason: WakeReason::Awake }
}

/// Draws the next visit: arrivals over the waking hours, denser in peaks, so that a waking day has the mean number of them.
fn next_visit(schedule: &Schedule, pace: &Pace, now: Timestamp, rng: &mut dyn Rng) -> Timestamp {
    let per_day = if pace.visits_per_day.is_finite() { pace.visits_per_day.max(0.0) } else { 0.0 };
    let soonest = later(now, SHORTEST_SECS);
    let drawn: f64 = Exp1.sample(&mut &mut *rng);
    // How many visits' worth of waking time is to pass.
    let mut wait = drawn;
    let today = hours::date(schedule, now);
    for offset in -2..=366 {
        if per_day <= 0.0 {
            break;
        }
        let Some(day) = hours::moved(today, offset) else { break };
        let pieces = hours::pieces_on(schedule, day);
        let weight = |piece: &hours::Piece| if piece.is_peak { PEAK } else { 1.0 };
        let secs = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
        let weighed: f64 = pieces.iter().map(|piece| secs(piece.from, piece.to) * weight(piece)).sum();
        let plain: f64 = pieces.iter().map(|piece| secs(piece.from, piece.to)).sum();
        if weighed <= 0.0 {
            continue;
        }
        // A visit itself takes time in which no other begins; without this, there would be too few.
        let gap = (weighed / per_day - visit_secs(pace) * weighed / plain).max(0.05 * weighed / per_day);
        for piece in pieces {
            let from = piece.from.max(soonest);
            if from >= piece.to {
                continue;
            }
            let worth = secs(from, piece.to) * weight(&piece) / gap;
            if wait < worth {
                let at = later(from, wait * gap / weight(&piece));
                // Rounding must not push it past the end of the piece.
                return if at < piece.to { at } else { from };
            }
            wait -= worth;
        }
    }
    next_awake(schedule, later(now, MAX_SECS))
}

/// How long a visit takes on average.
fn visit_secs(pace: &Pace) -> f64 {
    let (fewest, most) = pace.actions_per_visit;
    let pauses = (f64::from(fewest.max(1)) + f64::from(most.max(1))) / 2.0 - 1.0;
    pauses * Seconds::clamped(pace.pause_secs).get() * MEAN_PAUSE
}

fn later(from: Timestamp, secs: f64) -> Timestamp {
    let by: SignedDuration = Seconds::clamped(secs).signed();
    from.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn within(unit: f64) -> f64 {
    fraction(unit)
}
