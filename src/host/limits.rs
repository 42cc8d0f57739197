//! Hard limits: how much one bot may do in an hour and a day, and how fast it can type.
//!
//! Pure: the caller counts what was done and passes it in.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::failure::{Failure, FailureKind};
use crate::model::seconds::Seconds;

/// How many at most; nothing means no cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cap {
    /// In any 60 minutes.
    pub per_hour: Option<u32>,
    /// In any 24 hours.
    pub per_day: Option<u32>,
}

/// The caps of one bot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caps {
    /// Over all kinds of actions together.
    pub actions: Cap,
    /// For single kinds, by their word, like `comment`.
    pub kinds: BTreeMap<String, Cap>,
}

/// How often something was done within a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How often.
    pub count: u32,
    /// When it was done first within the window.
    pub oldest: Option<Timestamp>,
}

/// What one bot did lately, by the word of the kind of action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// In the last 60 minutes.
    pub hour: BTreeMap<String, Tally>,
    /// In the last 24 hours.
    pub day: BTreeMap<String, Tally>,
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Whether one more action of this kind stays within the caps.
///
/// # Errors
/// A failure of the kind `limit` that names the cap which ends last, and when there is room again.
pub fn check(caps: &Caps, done: &Done, kind: &str, now: Timestamp) -> Result<(), Failure> {
    let own = caps.kinds.get(kind).copied().unwrap_or_default();
    let of_kind = |tallies: &BTreeMap<String, Tally>| tallies.get(kind).copied().unwrap_or_default();
    let full = [
        over(own.per_day, of_kind(&done.day), DAY, now).map(|hit| (hit, kind, "a day", "per_day")),
        over(caps.actions.per_day, total(&done.day), DAY, now).map(|hit| (hit, "actions", "a day", "per_day")),
        over(own.per_hour, of_kind(&done.hour), HOUR, now).map(|hit| (hit, kind, "an hour", "per_hour")),
        over(caps.actions.per_hour, total(&done.hour), HOUR, now).map(|hit| (hit, "actions", "an hour", "per_hour")),
    ];
    let last = full.into_iter().flatten().reduce(|a, b| if b.0.wait > a.0.wait { b } else { a });
    match last {
        None => Ok(()),
        Some((hit, what, window, key)) => {
            let what = if what == "actions" { "actions".to_owned() } else { format!("`{what}` actions") };
            Err(Failure {
                retry_after: Some(hit.wait),
                ..Failure::new(
                    FailureKind::Limit,
                    format!(
                        "cap `{key}` reached: {most} {what} in {window}, {count} done",
                        most = hit.most,
                        count = hit.count
                    ),
                )
            })
        }
    }
}

/// How long a person takes to type this many characters; a speed that is none takes no time.
pub fn typing(chars: usize, chars_per_sec: f64) -> Seconds {
    if chars_per_sec.is_finite() && chars_per_sec > 0.0 {
        Seconds::clamped(chars as f64 / chars_per_sec)
    } else {
        Seconds::ZERO
    }
}

struct Hit {
    most: u32,
    count: u32,
    wait: Seconds,
}

fn over(most: Option<u32>, tally: Tally, window: SignedDuration, now: Timestamp) -> Option<Hit> {
    let most = most.filter(|most| tally.count >= *most)?;
    // A cap of zero never has room; asking again after a whole window is as good as any.
    let wait =
        tally.oldest.filter(|_| most > 0).map_or(window, |oldest| window.saturating_sub(now.duration_since(oldest)));
    let wait = Seconds::clamped(wait.as_secs_f64().ceil().clamp(1.0, window.as_secs_f64()));
    Some(Hit { most, count: tally.count, wait })
}

fn total(tallies: &BTreeMap<String, Tally>) -> Tally {
    tallies.values().fold(Tally::default(), |sum, tally| Tally {
        count: sum.count.saturating_add(tally.count),
        oldest: [sum.oldest, tally.oldest].into_iter().flatten().min(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// Kind, how often, and when first.
    type Rows = &'static [(&'static str, u32, &'static str)];

    fn tallies(rows: Rows) -> BTreeMap<String, Tally> {
        let tally = |count, oldest| Tally { count, oldest: Some(at(oldest)) };
        rows.iter().map(|(kind, count, oldest)| ((*kind).to_owned(), tally(*count, oldest))).collect()
    }

    #[test]
    fn caps_hold_and_say_when_there_is_room() {
        let now = at("2026-03-01T12:00:00Z");
        let caps = Caps {
            actions: Cap { per_hour: Some(5), per_day: Some(20) },
            kinds: BTreeMap::from([
                ("comment".to_owned(), Cap { per_hour: Some(3), per_day: None }),
                ("share".to_owned(), Cap { per_hour: None, per_day: Some(0) }),
            ]),
        };
        type Case = (&'static str, Rows, Rows, Option<(&'static str, f64)>);
        let cases: [Case; 6] = [
            ("comment", &[], &[], None),
            ("comment", &[("comment", 2, "2026-03-01T11:30:00Z")], &[], None),
            (
                "comment",
                &[("comment", 3, "2026-03-01T11:30:00Z")],
                &[],
                Some(("3 `comment` actions in an hour", 1800.0)),
            ),
            (
                "upvote",
                &[("comment", 3, "2026-03-01T11:30:00Z"), ("upvote", 2, "2026-03-01T11:10:00Z")],
                &[],
                Some(("5 actions in an hour", 600.0)),
            ),
            (
                "comment",
                &[("comment", 3, "2026-03-01T11:30:00Z")],
                &[("comment", 25, "2026-03-01T00:00:00Z")],
                Some(("20 actions in a day", 43_200.0)),
            ),
            ("share", &[], &[], Some(("0 `share` actions in a day", 86_400.0))),
        ];
        for (kind, hour, day, want) in cases {
            let done = Done { hour: tallies(hour), day: tallies(day) };
            match (check(&caps, &done, kind, now), want) {
                (Ok(()), None) => {}
                (Err(failure), Some((words, wait))) => {
                    assert_eq!(failure.kind, FailureKind::Limit);
                    assert!(failure.message.contains(words), "{}", failure.message);
                    assert_eq!(failure.retry_after.map(Seconds::get), Some(wait), "{}", failure.message);
                }
                (got, want) => panic!("{kind}: {got:?}, expected {want:?}"),
            }
        }
    }

    #[test]
    fn typing_takes_its_time() {
        assert_eq!(typing(60, 4.0).get(), 15.0);
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(typing(60, speed), Seconds::ZERO, "{speed}");
        }
    }
}
