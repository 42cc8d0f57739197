//! Reads a reply that is not a success: one function for every call, so that every code counts everywhere.
//!
//! Whatever the bytes are, the answer is one typed error.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;

use crate::clock::Clock;
use crate::floimg::error::{Error, FieldIssue, Period, StepIssue, Upstream, Usage};
use crate::floimg::gate::after;

/// A `resetAt` that is missing counts as this far off.
const RESET_UNKNOWN: SignedDuration = SignedDuration::from_hours(1);
/// A `resetAt` further off than this is looked at again after it.
const RESET_FARTHEST: SignedDuration = SignedDuration::from_hours(24);
/// A `resetAt` that has passed or is about to still stops for this long: clocks differ.
const RESET_NEAREST: SignedDuration = SignedDuration::from_secs(30);
/// A rate limit that does not say how long counts as this long.
const RATE_UNKNOWN: Duration = Duration::from_secs(30);
/// No `Retry-After` is longer than this.
const RETRY_FARTHEST: Duration = Duration::from_secs(3_600);
/// Longest piece of a reply that is shown to anyone, in characters.
const SNIPPET: usize = 200;

/// What a call changes on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Read,
    /// The same, however often it is sent.
    Repeatable,
    /// Something each time it is sent.
    Once,
}

/// A reply as it came.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The error that a reply stands for; `None` for a success.
pub(super) fn interpret(
    reply: &Reply,
    call: &'static str,
    upstream: Upstream,
    effect: Effect,
    clock: &Clock,
) -> Option<Error> {
    if reply.status.is_success() {
        return None;
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    let wait = retry_after(&reply.headers, clock.now());
    if let Some(error) = platform_stop(&body, clock.now()) {
        return Some(error);
    }
    if upstream == Upstream::Workflows
        && let Some(error) = workflow_failure(&body)
    {
        return Some(error);
    }
    let message =
        || said(&body).unwrap_or_else(|| format!("status {}: {}", reply.status.as_u16(), snippet(&reply.body)));
    Some(match reply.status {
        StatusCode::TOO_MANY_REQUESTS => {
            Error::RateLimited { until: after(clock, wait.unwrap_or(RATE_UNKNOWN).max(Duration::from_secs(1))) }
        }
        StatusCode::UNAUTHORIZED => Error::Unauthorized { message: message() },
        StatusCode::FORBIDDEN => Error::Forbidden { call, message: message() },
        StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound { call },
        status if status.is_redirection() => Error::BadReply {
            expected: "a reply from the configured address, because redirects are not followed".to_owned(),
            snippet: format!("status {} to {}", status.as_u16(), location(&reply.headers)),
        },
        status if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => {
            Error::Rejected { call, message: message(), fields: fields(&body) }
        }
        status => {
            let why = format!("status {}: {}", status.as_u16(), said(&body).unwrap_or_else(|| snippet(&reply.body)));
            match effect {
                Effect::Read => Error::Unavailable { call, why, retry_after: wait, source: None },
                Effect::Repeatable | Effect::Once => Error::OutcomeUnknown { call, why, source: None },
            }
        }
    })
}

/// The codes that stop a bot, the fleet or all fleets, whatever the status.
fn platform_stop(body: &Value, now: Timestamp) -> Option<Error> {
    let code = text(body, "code").or_else(|| text(body, "errorCode"))?;
    let until = || reset_at(text(body, "resetAt"), now);
    let usage = || {
        let usage = body.get("usage")?;
        Some(Usage { used: usage.get("used")?.as_f64()?, limit: usage.get("limit")?.as_f64()? })
    };
    Some(match code {
        "FLEET_PAUSED" => Error::PlatformPaused { look_again: now },
        "FLEET_DAILY_BUDGET_EXCEEDED" => Error::FleetBudget { period: Period::Daily, until: until(), usage: usage() },
        "FLEET_MONTHLY_BUDGET_EXCEEDED" => {
            Error::FleetBudget { period: Period::Monthly, until: until(), usage: usage() }
        }
        "AGENT_DAILY_LIMIT_EXCEEDED" => Error::AgentBudget { period: Period::Daily, until: until(), usage: usage() },
        "AGENT_MONTHLY_LIMIT_EXCEEDED" => {
            Error::AgentBudget { period: Period::Monthly, until: until(), usage: usage() }
        }
        _ => return None,
    })
}

/// What the workflow server says about a workflow: it answers 500 to the caller's mistakes too, so the body decides.
pub(super) fn workflow_failure(body: &Value) -> Option<Error> {
    let code = text(body, "errorCode").map(|code| clip(code, SNIPPET));
    let issues = body.get("validationIssues").and_then(Value::as_array);
    if issues.is_some() || code.as_deref() == Some("VALIDATION_ERROR") {
        let issues = issues.map(Vec::as_slice).unwrap_or_default().iter().map(step_issue).collect();
        let message = said(body).unwrap_or_else(|| "the studio found it invalid".to_owned());
        return Some(Error::WorkflowInvalid { message, issues });
    }
    if text(body, "status") != Some("error") && code.is_none() {
        return None;
    }
    let message = said(body).unwrap_or_else(|| "the studio did not say why".to_owned());
    let retryable = body.get("retryable").and_then(Value::as_bool).unwrap_or(false);
    Some(Error::WorkflowFailed { message, code, retryable })
}

fn step_issue(issue: &Value) -> StepIssue {
    StepIssue {
        step: issue.get("stepIndex").and_then(Value::as_u64).and_then(|step| u32::try_from(step).ok()),
        parameter: text(issue, "parameterName").map(|name| clip(name, SNIPPET)),
        message: text(issue, "message").or_else(|| text(issue, "code")).map_or_else(String::new, |m| clip(m, SNIPPET)),
    }
}

/// When a budget is looked at again.
fn reset_at(text: Option<&str>, now: Timestamp) -> Timestamp {
    let off = match text.and_then(|text| text.parse::<Timestamp>().ok()) {
        Some(at) => at.duration_since(now).clamp(RESET_NEAREST, RESET_FARTHEST),
        None => RESET_UNKNOWN,
    };
    now.saturating_add(off).unwrap_or(Timestamp::MAX)
}

/// `Retry-After`, in seconds or as a date. A date is measured against the server's own clock where it shows it.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let wait = if seconds.is_nan() || seconds < 0.0 { return None } else { seconds };
        return Some(Duration::try_from_secs_f64(wait).unwrap_or(RETRY_FARTHEST).min(RETRY_FARTHEST));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let at = date(text)?;
    let theirs = headers.get(DATE).and_then(|text| date(text.to_str().ok()?));
    let from = theirs.or_else(|| {
        let since_epoch = now.duration_since(Timestamp::UNIX_EPOCH);
        SystemTime::UNIX_EPOCH.checked_add(since_epoch.try_into().ok()?)
    })?;
    Some(at.duration_since(from).unwrap_or(Duration::ZERO).min(RETRY_FARTHEST))
}

/// What the body says in words.
fn said(body: &Value) -> Option<String> {
    let error = body.get("error");
    let words = error.and_then(Value::as_str).or_else(|| text(error?, "message")).or_else(|| text(body, "message"))?;
    let words = words.trim();
    (!words.is_empty()).then(|| clip(words, SNIPPET))
}

/// The fields complained about, in the shapes that Zod's errors come in.
fn fields(body: &Value) -> Vec<FieldIssue> {
    let lists = [body.get("errors"), body.get("issues"), body.get("details"), body.pointer("/error/issues")];
    let Some(list) = lists.into_iter().flatten().find(|list| list.is_array() || list.is_object()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    match list.get("fieldErrors").unwrap_or(list) {
        Value::Array(items) => {
            for item in items {
                let path = item.get("path").or_else(|| item.get("field"));
                let field = match path {
                    Some(Value::Array(parts)) => parts.iter().map(plain).collect::<Vec<_>>().join("."),
                    Some(part) => plain(part),
                    None => String::new(),
                };
                let message = text(item, "message").map_or_else(|| plain(item), str::to_owned);
                found.push(FieldIssue { field: clip(&field, SNIPPET), message: clip(&message, SNIPPET) });
            }
        }
        Value::Object(by_name) => {
            for (field, messages) in by_name {
                let message = match messages {
                    Value::Array(messages) => messages.iter().map(plain).collect::<Vec<_>>().join(", "),
                    message => plain(message),
                };
                found.push(FieldIssue { field: clip(field, SNIPPET), message: clip(&message, SNIPPET) });
            }
        }
        _ => {}
    }
    found.truncate(20);
    found
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn location(headers: &HeaderMap) -> String {
    headers.get(LOCATION).map_or_else(|| "nowhere".to_owned(), |to| snippet(to.as_bytes()))
}

/// A short piece of what came, safe to show: control characters escaped, anything that is no text replaced.
pub(super) fn snippet(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    // Four bytes are the most that one character takes.
    let head = bytes.get(..SNIPPET * 4).unwrap_or(bytes);
    let text = clip(String::from_utf8_lossy(head).trim(), SNIPPET);
    if bytes.len() > head.len() && !text.ends_with('…') { text + "…" } else { text }
}

/// At most `most` characters, without control characters.
fn clip(text: &str, most: usize) -> String {
    let mut clipped = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(most) {
        // Line and paragraph separators, and what turns the writing direction, can forge a line of a log.
        let forges =
            c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if forges { clipped.extend(c.escape_default()) } else { clipped.push(c) }
    }
    if chars.next().is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a valid time")
    }

    #[test]
    fn a_reset_is_never_missing_passed_or_far_off() {
        let now = at("2026-03-01T12:00:00Z");
        let table = [
            (None, "2026-03-01T13:00:00Z"),
            (Some("soon"), "2026-03-01T13:00:00Z"),
            (Some("2026-03-01T18:30:00.000Z"), "2026-03-01T18:30:00Z"),
            (Some("2026-03-01T20:30:00+02:00"), "2026-03-01T18:30:00Z"),
            (Some("2026-04-01T00:00:00Z"), "2026-03-02T12:00:00Z"),
            (Some("2020-01-01T00:00:00Z"), "2026-03-01T12:00:30Z"),
        ];
        for (text, expected) in table {
            assert_eq!(reset_at(text, now), at(expected), "{text:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_survives_nonsense() {
        let now = at("2026-03-01T12:00:00Z");
        let table = [
            ("7", None, Some(7.0)),
            (" 1.5 ", None, Some(1.5)),
            ("0", None, Some(0.0)),
            ("999999999999999999999", None, Some(3_600.0)),
            ("inf", None, Some(3_600.0)),
            ("-5", None, None),
            ("nan", None, None),
            ("", None, None),
            ("tomorrow", None, None),
            ("Sun, 01 Mar 2026 12:00:20 GMT", None, Some(20.0)),
            ("Sun, 01 Mar 2026 11:00:00 GMT", None, Some(0.0)),
            ("Sun, 01 Mar 2026 12:00:20 GMT", Some("Sun, 01 Mar 2026 12:00:15 GMT"), Some(5.0)),
        ];
        for (text, date, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers, now).map(|wait| wait.as_secs_f64()), expected, "{text} {date:?}");
        }
    }

    #[test]
    fn a_snippet_is_short_and_forges_nothing() {
        assert_eq!(snippet(b""), "nothing");
        assert_eq!(snippet(b"<h1>\nno\x1b[2J\xff"), "<h1>\\nno\\u{1b}[2J\u{fffd}");
        let long = snippet("ü".repeat(5_000).as_bytes());
        assert_eq!((long.chars().count(), long.ends_with('…')), (SNIPPET + 1, true));
    }

    #[test]
    fn complaints_name_their_fields_in_every_shape() {
        let shapes = [
            r#"{"errors":[{"path":["title"],"message":"too long"}]}"#,
            r#"{"error":{"issues":[{"path":["title"],"message":"too long"}]}}"#,
            r#"{"errors":{"title":["too long"]}}"#,
            r#"{"details":{"fieldErrors":{"title":["too long"]}}}"#,
            r#"{"errors":[{"field":"title","message":"too long"}]}"#,
        ];
        for shape in shapes {
            let body = serde_json::from_str(shape).expect("valid JSON");
            let expected = [FieldIssue { field: "title".to_owned(), message: "too long".to_owned() }];
            assert_eq!(fields(&body), expected, "{shape}");
        }
        let bare = serde_json::from_str(r#"{"errors":["no title"]}"#).expect("valid JSON");
        assert_eq!(fields(&bare), [FieldIssue { field: String::new(), message: "no title".to_owned() }]);
    }
}
