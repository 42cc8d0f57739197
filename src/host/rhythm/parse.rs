//! Reading a schedule as people write it: time zone, hours and days.
//!
//! What cannot be read is an error that says what was expected, never a default.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::model::persona::Span;

const DAYS: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];

/// The IANA time zone of this name.
///
/// # Errors
/// One sentence with the nearest known names.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    match TimeZone::get(name) {
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => {
            let near = nearest_zones(name);
            let hint = if near.is_empty() {
                "expected an IANA name like `Europe/Berlin`".to_owned()
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            Err(format!("`{}` is no known time zone; {hint}", crate::text::clip(name, 60)))
        }
    }
}

/// From one time of day to another, written `09:00-01:00`; `24:00` is midnight.
///
/// # Errors
/// One sentence that says what was expected.
pub fn span(text: &str) -> Result<Span, String> {
    let read = || {
        let (from, to) = text.split_once(['-', '–'])?;
        Some(Span { from: time_of_day(from)?, to: time_of_day(to)? })
    };
    read().ok_or_else(|| {
        format!(
            "`{}` is no span of time; expected two times of day like `09:00-17:30`, or `20:00-01:00` past midnight",
            crate::text::clip(text, 60)
        )
    })
}

/// The days of a week, Monday first: `all`, `weekdays`, `weekend`, or days and ranges like `mon-fri` or `mon,wed,sat`.
///
/// # Errors
/// One sentence that names the part which is no day.
pub fn days(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let part = part.to_lowercase();
        let (first, last) = match part.as_str() {
            "all" | "daily" => (0, 6),
            "weekdays" => (0, 4),
            "weekend" | "weekends" => (5, 6),
            _ => match part.split_once(['-', '–']) {
                Some((first, last)) => (day(first)?, day(last)?),
                None => (day(&part)?, day(&part)?),
            },
        };
        let mut here = first;
        days[here] = true;
        while here != last {
            here = (here + 1) % 7;
            days[here] = true;
        }
    }
    if days.contains(&true) { Ok(days) } else { Err(format!("no day given; {EXPECTED_DAYS}")) }
}

const EXPECTED_DAYS: &str = "expected `all`, `weekdays`, `weekend`, or days like `mon-fri` or `mon,wed,sat`";

fn day(name: &str) -> Result<usize, String> {
    let name = name.trim();
    DAYS.iter()
        .position(|(short, long)| name == *short || (name.len() >= 3 && long.starts_with(name)))
        .ok_or_else(|| format!("`{}` is no day; {EXPECTED_DAYS}", crate::text::clip(name, 60)))
}

/// `9`, `9:05`, `09:05` or `24:00`, which is midnight.
fn time_of_day(text: &str) -> Option<Time> {
    let text = text.trim();
    let (hour, minute) = text.split_once(':').unwrap_or((text, "00"));
    let digits = |text: &str| (matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit())).then_some(());
    digits(hour)?;
    digits(minute)?;
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    if (hour, minute) == (24, 0) {
        return Some(Time::midnight());
    }
    Time::new(hour, minute, 0, 0).ok()
}

/// Up to three zones whose name, or whose city, is written much like this.
fn nearest_zones(name: &str) -> Vec<String> {
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    let city = wanted.rsplit('/').next().unwrap_or_default().to_owned();
    let mut near: Vec<(f64, String)> = jiff::tz::db()
        .available()
        .map(|zone| zone.as_str().to_owned())
        .filter(|zone| !zone.starts_with("posix/") && !zone.starts_with("right/") && zone != "Etc/Unknown")
        .map(|zone| {
            let lower = zone.to_lowercase();
            let own = lower.rsplit('/').next().unwrap_or_default();
            (strsim::jaro_winkler(&wanted, &lower).max(strsim::jaro_winkler(&city, own)), zone)
        })
        .filter(|(score, _)| *score > 0.85)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.into_iter().take(3).map(|(_, zone)| format!("`{zone}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_zone_is_an_error_with_a_hint() {
        for name in ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Asia/Kathmandu", "europe/berlin"] {
            assert!(zone(name).is_ok(), "{name}");
        }
        for (name, hint) in [
            ("Europe/Berln", "`Europe/Berlin`"),
            ("berlin", "`Europe/Berlin`"),
            ("new york", "`America/New_York`"),
            ("Amerika/Sao Paulo", "`America/Sao_Paulo`"),
            ("Etc/Unknown", "no known time zone"),
            ("", "like `Europe/Berlin`"),
            ("../../etc/passwd", "no known time zone"),
        ] {
            let wrong = zone(name).expect_err(name);
            assert!(wrong.contains(hint), "{name}: {wrong}");
        }
    }

    #[test]
    fn spans_are_two_times_of_day() {
        let time = |hour, minute| Time::constant(hour, minute, 0, 0);
        for (text, from, to) in [
            ("09:00-01:00", time(9, 0), time(1, 0)),
            (" 9:05 – 17:30 ", time(9, 5), time(17, 30)),
            ("9-17", time(9, 0), time(17, 0)),
            ("00:00-24:00", time(0, 0), time(0, 0)),
        ] {
            assert_eq!(span(text), Ok(Span { from, to }), "{text}");
        }
        for text in
            ["", "09:00", "9am-5pm", "25:00-26:00", "09:60-10:00", "24:01-09:00", "-", "+9-10", "09:00-10:00-11:00"]
        {
            assert!(span(text).expect_err(text).contains("expected two times"), "{text}");
        }
    }

    #[test]
    fn days_are_read_as_written() {
        for (text, want) in [
            ("all", "1111111"),
            ("mon-fri", "1111100"),
            ("fri-mon", "1000111"),
            ("Mon, wed,SATURDAY", "1010010"),
            ("weekend,tues", "0100011"),
            ("sun", "0000001"),
        ] {
            let want: Vec<bool> = want.chars().map(|c| c == '1').collect();
            assert_eq!(days(text).map(Vec::from), Ok(want), "{text}");
        }
        for text in ["", "mo-fr", "funday", "mon-", "all-day", ","] {
            assert!(days(text).expect_err(text).contains("mon-fri"), "{text}");
        }
    }
}
