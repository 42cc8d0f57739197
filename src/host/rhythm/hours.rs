//! Waking hours: when a persona is awake, in its own time zone.
//!
//! Hours are civil times of a date turned into moments by the zone's rules, so they stay right when clocks change: a time
//! that a change skips counts as the moment after it, a time that comes twice as the first. A span past midnight belongs
//! to the day it begins on.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};

use crate::model::persona::{Schedule, Span};
use crate::model::seconds::MAX_SECS;

/// The longest search for a waking hour, in days; a schedule without one is asked again after that.
const FAR: i64 = (MAX_SECS / 86_400.0) as i64;

/// A stretch of waking time with the same number of visits per hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    pub from: Timestamp,
    pub to: Timestamp,
    pub is_peak: bool,
}

/// Whether the persona is awake at this moment.
pub fn is_awake(schedule: &Schedule, at: Timestamp) -> bool {
    asleep_at(schedule, at).is_some()
}

/// The first moment at or after this one at which the persona is awake.
///
/// A schedule that is never awake answers with a moment a year away.
pub fn next_awake(schedule: &Schedule, after: Timestamp) -> Timestamp {
    let today = date(schedule, after);
    let mut first: Option<Timestamp> = None;
    for offset in -2..=FAR {
        let Some(day) = moved(today, offset) else { continue };
        if let Some((from, to)) = awake_on(schedule, day)
            && to > after
        {
            first = Some(first.map_or(from, |first| first.min(from)).max(after));
        }
        // The day after may begin earlier only where a zone skips a day, so two more days settle it.
        if offset > 2 && first.is_some() {
            break;
        }
    }
    first.unwrap_or_else(|| after.saturating_add(SignedDuration::from_hours(24 * FAR)).unwrap_or(Timestamp::MAX))
}

/// When the persona goes to sleep, when it is awake at this moment; at most two days ahead.
pub fn asleep_at(schedule: &Schedule, at: Timestamp) -> Option<Timestamp> {
    let today = date(schedule, at);
    let mut end: Option<Timestamp> = None;
    // Days in order, so that one which begins as the last one ends goes on from it.
    for day in (-2..=2).filter_map(|offset| moved(today, offset)) {
        if let Some((from, to)) = awake_on(schedule, day)
            && from <= end.unwrap_or(at)
            && to > end.unwrap_or(at)
        {
            end = Some(to);
        }
    }
    end
}

/// The waking hours that begin on this date, when there are any.
pub(super) fn awake_on(schedule: &Schedule, day: Date) -> Option<(Timestamp, Timestamp)> {
    let is_day = schedule.days[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs()) % 7];
    if is_day { moments(schedule, schedule.awake, day) } else { None }
}

/// The waking hours that begin on this date, cut where peaks begin and end.
pub(super) fn pieces_on(schedule: &Schedule, day: Date) -> Vec<Piece> {
    let Some((from, to)) = awake_on(schedule, day) else { return Vec::new() };
    let peaks: Vec<_> = schedule
        .peaks
        .iter()
        .flat_map(|peak| (-1..=2).filter_map(|offset| moments(schedule, *peak, moved(day, offset)?)))
        .filter(|(start, end)| *start < to && *end > from)
        .collect();
    let mut cuts: Vec<Timestamp> = peaks.iter().flat_map(|(start, end)| [*start, *end]).chain([from, to]).collect();
    cuts.retain(|cut| (from..=to).contains(cut));
    cuts.sort_unstable();
    cuts.dedup();
    let is_peak = |at: Timestamp| peaks.iter().any(|(start, end)| *start <= at && at < *end);
    cuts.array_windows().map(|[from, to]| Piece { from: *from, to: *to, is_peak: is_peak(*from) }).collect()
}

/// The date where the persona lives.
pub(super) fn date(schedule: &Schedule, at: Timestamp) -> Date {
    schedule.zone.to_datetime(at).date()
}

pub(super) fn moved(day: Date, days: i64) -> Option<Date> {
    day.checked_add(SignedDuration::from_hours(24 * days)).ok()
}

/// A span that begins on this date as two moments; none when a change of clocks leaves nothing of it.
fn moments(schedule: &Schedule, span: Span, day: Date) -> Option<(Timestamp, Timestamp)> {
    let last = if span.to > span.from { day } else { day.tomorrow().ok()? };
    let moment = |at: DateTime| schedule.zone.to_ambiguous_timestamp(at).compatible().ok();
    let (from, to) = (moment(day.to_datetime(span.from))?, moment(last.to_datetime(span.to))?);
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::rhythm::parse;

    fn schedule(zone: &str, awake: &str, days: &str) -> Schedule {
        Schedule {
            zone: parse::zone(zone).expect("a zone"),
            zone_name: zone.to_owned(),
            awake: parse::span(awake).expect("a span"),
            days: parse::days(days).expect("days"),
            peaks: vec![],
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn waking_hours_follow_the_zone() {
        // Zone, hours, days, when, and when it wakes and sleeps from there.
        let awake = "awake";
        for (zone, hours, days, when, wakes) in [
            ("Europe/Berlin", "09:00-01:00", "all", "2026-01-15T08:00:00Z", awake),
            ("Europe/Berlin", "09:00-01:00", "all", "2026-01-15T07:59:59Z", "2026-01-15T08:00:00Z"),
            ("Europe/Berlin", "09:00-01:00", "all", "2026-07-15T07:00:00Z", awake),
            ("Europe/Berlin", "09:00-01:00", "all", "2026-01-14T23:59:59Z", awake),
            ("Europe/Berlin", "09:00-01:00", "all", "2026-01-15T00:00:00Z", "2026-01-15T08:00:00Z"),
            // Friday's hours go on into Saturday; Saturday's own do not begin.
            ("Europe/Berlin", "20:00-02:00", "mon-fri", "2026-01-17T00:30:00Z", awake),
            ("Europe/Berlin", "20:00-02:00", "mon-fri", "2026-01-17T01:00:00Z", "2026-01-19T19:00:00Z"),
            ("Europe/Berlin", "20:00-02:00", "mon-fri", "2026-01-17T20:00:00Z", "2026-01-19T19:00:00Z"),
            ("UTC", "00:00-24:00", "all", "2026-01-17T23:59:59Z", awake),
            ("UTC", "08:00-08:00", "sat", "2026-01-18T07:59:59Z", awake),
            ("UTC", "08:00-08:00", "sat", "2026-01-18T08:00:00Z", "2026-01-24T08:00:00Z"),
            // 2026-03-29 in Berlin: 02:00 becomes 03:00, so 02:30 is 03:30.
            ("Europe/Berlin", "02:30-10:00", "all", "2026-03-29T01:29:59Z", "2026-03-29T01:30:00Z"),
            ("Europe/Berlin", "02:30-10:00", "all", "2026-03-29T07:59:59Z", awake),
            // A span that the change swallows does not happen that day.
            ("Europe/Berlin", "02:30-03:15", "all", "2026-03-29T00:00:00Z", "2026-03-30T00:30:00Z"),
            // 2026-10-25 in Berlin: 03:00 becomes 02:00, so 02:15 comes at 00:15Z and 01:15Z.
            ("Europe/Berlin", "02:15-02:45", "all", "2026-10-25T00:20:00Z", awake),
            ("Europe/Berlin", "02:15-02:45", "all", "2026-10-25T01:20:00Z", "2026-10-26T01:15:00Z"),
            ("Europe/Berlin", "01:00-04:00", "all", "2026-10-25T02:59:59Z", awake),
            ("America/New_York", "23:00-03:00", "all", "2026-11-01T07:59:59Z", awake),
            ("America/New_York", "23:00-03:00", "all", "2026-11-01T08:00:00Z", "2026-11-02T04:00:00Z"),
            // Samoa had no 30th of December 2011.
            ("Pacific/Apia", "09:00-10:00", "all", "2011-12-29T20:30:00Z", "2011-12-30T19:00:00Z"),
            ("Asia/Kathmandu", "09:00-17:00", "all", "2026-05-01T03:15:00Z", awake),
        ] {
            let schedule = schedule(zone, hours, days);
            let when = at(when);
            let wanted = if wakes == awake { when } else { at(wakes) };
            assert_eq!(next_awake(&schedule, when), wanted, "{zone} {hours} {days} {when}");
            assert_eq!(is_awake(&schedule, when), wakes == awake, "{zone} {hours} {days} {when}");
        }
    }

    #[test]
    fn bedtime_is_known_while_awake() {
        let berlin = schedule("Europe/Berlin", "09:00-01:00", "all");
        assert_eq!(asleep_at(&berlin, at("2026-01-15T12:00:00Z")), Some(at("2026-01-16T00:00:00Z")));
        assert_eq!(asleep_at(&berlin, at("2026-01-15T05:00:00Z")), None);
    }

    #[test]
    fn a_schedule_without_a_day_is_asked_again_in_a_year() {
        let mut never = schedule("UTC", "09:00-10:00", "all");
        never.days = [false; 7];
        assert!(!is_awake(&never, at("2026-01-15T09:30:00Z")));
        assert_eq!(next_awake(&never, at("2026-01-15T09:30:00Z")), at("2027-01-16T09:30:00Z"));
    }

    #[test]
    fn peaks_cut_the_day() {
        let mut berlin = schedule("Europe/Berlin", "22:00-06:00", "all");
        berlin.peaks = vec![parse::span("23:00-01:00").expect("a span"), parse::span("05:00-12:00").expect("a span")];
        let pieces = pieces_on(&berlin, jiff::civil::date(2026, 1, 15));
        let hours: Vec<(String, bool)> = pieces.iter().map(|piece| (piece.from.to_string(), piece.is_peak)).collect();
        let want = [
            ("2026-01-15T21:00:00Z", false),
            ("2026-01-15T22:00:00Z", true),
            ("2026-01-16T00:00:00Z", false),
            ("2026-01-16T04:00:00Z", true),
        ];
        assert_eq!(hours, want.map(|(from, is_peak)| (from.to_owned(), is_peak)));
        assert_eq!(pieces.last().map(|piece| piece.to), Some(at("2026-01-16T05:00:00Z")));
    }

    proptest! {
        #[test]
        fn the_next_waking_moment_is_awake_and_the_first(
            second in -2_000_000_000_i64..7_000_000_000,
            zone in prop::sample::select(vec![
                "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca",
            ]),
            from in 0_i8..24, to in 0_i8..24, half in prop::sample::select(vec![0_i8, 30]),
            days in prop::array::uniform7(any::<bool>()),
        ) {
            prop_assume!(days.contains(&true));
            let mut schedule = schedule(zone, "0-1", "all");
            schedule.awake = Span { from: jiff::civil::time(from, half, 0, 0), to: jiff::civil::time(to, 0, 0, 0) };
            schedule.days = days;
            let now = Timestamp::from_second(second).expect("in range");
            let wakes = next_awake(&schedule, now);
            prop_assert!(wakes >= now && is_awake(&schedule, wakes));
            prop_assert!(asleep_at(&schedule, wakes).is_some_and(|end| end > wakes));
            if wakes > now {
                prop_assert!(!is_awake(&schedule, now));
                prop_assert!(!is_awake(&schedule, wakes - SignedDuration::from_secs(1)));
            }
        }

        #[test]
        fn no_moment_panics(second in i64::MIN..i64::MAX) {
            let schedule = schedule("Europe/Berlin", "20:00-02:00", "mon,sun");
            let now = Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX });
            let _ = (is_awake(&schedule, now), next_awake(&schedule, now), asleep_at(&schedule, now));
        }
    }
}
