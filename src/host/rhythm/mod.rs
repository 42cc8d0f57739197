//! Rhythm: when a bot wakes next.
//!
//! A bot visits, ticks a few times with heavy-tailed pauses, leaves, and comes again at a time drawn over its waking hours;
//! no wake-up ever falls into its sleep.

pub mod after;
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
    let share = fraction(unit).powi(3);
    let at = later(from, share * FIRST_WINDOW.min(awake_secs * 0.9));
    let at = if is_awake(schedule, at) { at } else { from };
    let born = Visit { number: 0, tick: 0, ticks_left: 0 };
    Wake { at, visit: born.next(pace, rng), reason: WakeReason::NextVisit }
}

/// An overdue wake-up, moved to its own place in the window from now on; one that is still to come stays.
pub fn spread(at: Timestamp, now: Timestamp, window: Seconds, unit: f64) -> Timestamp {
    if at > now { at } else { later(now, fraction(unit) * window.get()) }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn schedule(zone: &str, awake: &str, days: &str, peaks: &[&str]) -> Schedule {
        Schedule {
            zone: parse::zone(zone).expect("a zone"),
            zone_name: zone.to_owned(),
            awake: parse::span(awake).expect("a span"),
            days: parse::days(days).expect("days"),
            peaks: peaks.iter().map(|peak| parse::span(peak).expect("a span")).collect(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn pace(visits_per_day: f64, actions_per_visit: (u32, u32), pause_secs: f64) -> Pace {
        Pace { visits_per_day, actions_per_visit, pause_secs }
    }

    fn seconds(secs: f64) -> Option<Seconds> {
        Some(Seconds::new(secs).expect("seconds"))
    }

    const VISIT: Visit = Visit { number: 7, tick: 2, ticks_left: 3 };
    const LAST: Visit = Visit { number: 7, tick: 5, ticks_left: 0 };

    /// The starts of all visits from `from` on, over so many wake-ups.
    fn lived(schedule: &Schedule, pace: &Pace, from: Timestamp, days: i64) -> Vec<Timestamp> {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let end = from + SignedDuration::from_hours(24 * days);
        let mut wake = first_wake(schedule, pace, 0.5, from, &mut rng);
        let mut starts = Vec::new();
        while wake.at < end {
            if wake.visit.tick == 1 {
                starts.push(wake.at);
            }
            wake = next_wake(schedule, pace, &wake.visit, None, wake.at, &mut rng);
        }
        starts
    }

    #[test]
    fn a_waking_day_has_as_many_visits_as_the_pace_says() {
        let from = at("2026-01-05T00:00:00Z");
        for (zone, awake, days, peaks, visits, actions, waking_days) in [
            ("Europe/Berlin", "09:00-01:00", "all", &["20:00-23:30"][..], 3.0, (2, 9), 1000),
            ("America/New_York", "07:00-23:00", "mon-fri", &[], 5.0, (1, 1), 1000),
            ("UTC", "00:00-24:00", "all", &["12:00-13:00", "18:00-19:00"], 1.0, (1, 3), 3000),
            ("Asia/Tokyo", "20:00-02:00", "sat,sun", &["23:00-01:00"], 0.5, (2, 4), 2000),
        ] {
            let per_week = parse::days(days).expect("days").iter().filter(|day| **day).count() as i64;
            let starts = lived(
                &schedule(zone, awake, days, peaks),
                &pace(visits, actions, 40.0),
                from,
                waking_days * 7 / per_week,
            );
            let mean = starts.len() as f64 / waking_days as f64;
            assert!((mean / visits - 1.0).abs() < 0.08, "{zone} {awake}: {mean} instead of {visits}");
        }
    }

    #[test]
    fn an_hour_of_a_peak_has_three_times_the_visits() {
        let schedule = schedule("UTC", "08:00-24:00", "all", &["20:00-22:00"]);
        let starts = lived(&schedule, &pace(4.0, (1, 1), 40.0), at("2026-01-05T00:00:00Z"), 3000);
        let hour = |from: i8, to: i8| {
            let within = |at: &&Timestamp| (from..to).contains(&schedule.zone.to_datetime(**at).hour());
            starts.iter().filter(within).count() as f64 / f64::from(to - from)
        };
        let ratio = hour(20, 22) / hour(8, 20);
        assert!((2.7..3.3).contains(&ratio), "{ratio}");
    }

    #[test]
    fn pauses_are_log_normal_around_their_median() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut drawn: Vec<f64> = (0..20_000).map(|_| pause(40.0, &mut rng)).collect();
        drawn.sort_by(f64::total_cmp);
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64 / 40.0;
        let quantile = |share: f64| drawn[(share * drawn.len() as f64) as usize] / 40.0;
        assert!((quantile(0.5) - 1.0).abs() < 0.04, "{}", quantile(0.5));
        // Of a log-normal distribution with sigma 0.9: e to the ±0.9 and to 1.48.
        assert!((quantile(0.1587) - 0.407).abs() < 0.03, "{}", quantile(0.1587));
        assert!((quantile(0.8413) - 2.46).abs() < 0.12, "{}", quantile(0.8413));
        assert!((mean - MEAN_PAUSE).abs() < 0.05, "{mean}");
        assert!(drawn.iter().all(|secs| (SHORTEST_SECS..=40.0 * LONGEST_PAUSE).contains(secs)));
        for odd in [f64::NAN, f64::INFINITY, -3.0, 0.0] {
            assert!(pause(odd, &mut rng).is_finite(), "{odd}");
        }
    }

    #[test]
    fn a_visit_goes_on_until_its_ticks_or_the_day_end() {
        let schedule = schedule("UTC", "08:00-22:00", "all", &[]);
        let (pace, mut rng) = (pace(3.0, (2, 4), 40.0), ChaCha8Rng::seed_from_u64(1));
        let on = next_wake(&schedule, &pace, &VISIT, None, at("2026-01-05T12:00:00Z"), &mut rng);
        assert_eq!((on.visit, on.reason), (Visit { number: 7, tick: 3, ticks_left: 2 }, WakeReason::VisitPause));
        for (visit, now) in [(LAST, "2026-01-05T12:00:00Z"), (VISIT, "2026-01-05T21:59:59Z")] {
            let next = next_wake(&schedule, &pace, &visit, None, at(now), &mut rng);
            assert_eq!((next.visit.number, next.visit.tick, next.reason), (8, 1, WakeReason::NextVisit), "{now}");
            assert!((1..=3).contains(&next.visit.ticks_left));
        }
    }

    #[test]
    fn what_a_script_asks_for_is_honoured_while_awake() {
        let schedule = schedule("Europe/Berlin", "09:00-23:00", "all", &[]);
        let (pace, mut rng) = (pace(3.0, (2, 4), 40.0), ChaCha8Rng::seed_from_u64(1));
        let now = at("2026-01-05T12:00:00Z");
        for (visit, asked, after, number, tick) in
            [(VISIT, 45.0, 45, 7, 3), (LAST, 45.0, 45, 7, 6), (VISIT, 0.0, 1, 7, 3), (VISIT, 7200.0, 7200, 8, 1)]
        {
            let wake = next_wake(&schedule, &pace, &visit, seconds(asked), now, &mut rng);
            assert_eq!(wake.at, now + SignedDuration::from_secs(after), "{asked}");
            assert_eq!((wake.visit.number, wake.visit.tick, wake.reason), (number, tick, WakeReason::Asked), "{asked}");
        }
        let asleep = next_wake(&schedule, &pace, &VISIT, seconds(11.0 * 3600.0), now, &mut rng);
        let wakes = at("2026-01-06T08:00:00Z");
        assert_eq!((asleep.reason, asleep.visit.number, asleep.visit.tick), (WakeReason::Awake, 8, 1));
        assert!(asleep.at > wakes && asleep.at <= wakes + SignedDuration::from_secs(2400), "{}", asleep.at);
    }

    #[test]
    fn newborn_bots_come_within_the_hour_or_at_their_waking() {
        let schedule = schedule("UTC", "08:00-22:00", "all", &[]);
        let (pace, mut rng) = (pace(3.0, (2, 4), 40.0), ChaCha8Rng::seed_from_u64(1));
        let mut after = |now: &str, from: &str| -> Vec<f64> {
            let first = |bot: i32| first_wake(&schedule, &pace, f64::from(bot) / 100.0, at(now), &mut rng);
            let wakes: Vec<Wake> = (0..100).map(first).collect();
            assert!(
                wakes.iter().all(|wake| is_awake(&schedule, wake.at) && wake.visit.number == 1 && wake.visit.tick == 1)
            );
            wakes.iter().map(|wake| wake.at.duration_since(at(from)).as_secs_f64()).collect()
        };
        for (now, from) in [
            ("2026-01-05T12:00:00Z", "2026-01-05T12:00:00Z"),
            ("2026-01-05T03:00:00Z", "2026-01-05T08:00:00Z"),
            ("2026-01-05T21:50:00Z", "2026-01-05T21:50:00Z"),
        ] {
            let after = after(now, from);
            assert!(after.iter().all(|secs| (0.0..3600.0).contains(secs)), "{now}");
            assert!(after.iter().filter(|secs| **secs < 120.0).count() >= 20, "{now}");
        }
    }

    #[test]
    fn overdue_wake_ups_are_spread() {
        let now = at("2026-01-05T12:00:00Z");
        let window = Seconds::clamped(600.0);
        assert_eq!(spread(at("2026-01-05T12:00:01Z"), now, window, 0.9), at("2026-01-05T12:00:01Z"));
        assert_eq!(spread(at("2026-01-01T12:00:00Z"), now, window, 0.5), at("2026-01-05T12:05:00Z"));
        for odd in [f64::NAN, -1.0, 7.0, f64::INFINITY] {
            let moved = spread(at("2026-01-01T12:00:00Z"), now, window, odd);
            assert!(moved >= now && moved <= at("2026-01-05T12:10:00Z"), "{odd}");
        }
    }

    #[test]
    fn a_bot_without_visits_stays_away() {
        let schedule = schedule("UTC", "08:00-22:00", "all", &[]);
        let now = at("2026-01-05T12:00:00Z");
        for visits in [0.0, -1.0, f64::NAN] {
            let wake =
                next_wake(&schedule, &pace(visits, (1, 1), 40.0), &LAST, None, now, &mut ChaCha8Rng::seed_from_u64(1));
            assert!(wake.at > now + SignedDuration::from_hours(24 * 300), "{visits}: {}", wake.at);
        }
    }

    proptest! {
        #[test]
        fn the_next_wake_up_is_to_come_and_awake(
            second in -2_000_000_000_i64..7_000_000_000,
            nanos in 0_i32..1_000_000_000,
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
            hours in (0_i8..24, 0_i8..24),
            peak in (0_i8..24, 0_i8..24),
            days in prop::array::uniform7(any::<bool>()),
            visits in prop_oneof![0.0..1000.0_f64, any::<f64>()],
            actions in (0_u32..50, 0_u32..50),
            pause_secs in prop_oneof![0.0..5000.0_f64, any::<f64>()],
            asked in prop::option::of(any::<f64>()),
            visit in (any::<u64>(), any::<u32>(), 0_u32..3),
            unit in any::<f64>(),
            seed: u64,
        ) {
            prop_assume!(days.contains(&true));
            let mut schedule = schedule(zone, "0-1", "all", &["0-1"]);
            let time = |hour| jiff::civil::time(hour, 0, 0, 0);
            schedule.awake = crate::model::persona::Span { from: time(hours.0), to: time(hours.1) };
            schedule.peaks = vec![crate::model::persona::Span { from: time(peak.0), to: time(peak.1) }];
            schedule.days = days;
            let pace = pace(visits, actions, pause_secs);
            let now = Timestamp::new(second, nanos).expect("in range");
            let visit = Visit { number: visit.0, tick: visit.1, ticks_left: visit.2 };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let wake = next_wake(&schedule, &pace, &visit, asked.map(Seconds::clamped), now, &mut rng);
            prop_assert!(wake.at > now, "{wake:?}");
            prop_assert!(is_awake(&schedule, wake.at), "{wake:?}");
            let first = first_wake(&schedule, &pace, unit, now, &mut rng);
            prop_assert!(first.at >= now && is_awake(&schedule, first.at), "{first:?}");
        }
    }
}
