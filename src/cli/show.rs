//! Commands that ask a running fleet: `status`, `bots` and `scripts`.
//!
//! `--json` prints the fleet's answer as it came.

use clap::Args;
use serde_json::Value;

use super::failure::{Exit, Failure};
use super::output::{Output, cell};
use super::remote::{Remote, escaped};
use crate::config::Config;
use crate::model::name::BotId;
use crate::text::printable;

/// A command that only chooses how to print.
#[derive(Debug, Args)]
pub(super) struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `fleet bots`
#[derive(Debug, Args)]
pub(super) struct BotsArgs {
    /// Show this bot, such as ai_artist-17
    id: Option<BotId>,
    /// Only bots of this persona
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    persona: Option<String>,
    /// Only bots in this status, such as asleep or quarantined
    #[arg(long, conflicts_with = "id")]
    status: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, conflicts_with = "id", value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints how the fleet is doing.
pub(super) fn status(config: &Config, args: &JsonArgs, output: Output) -> Result<Exit, Failure> {
    let status = Remote::of(config)?.get("/api/v1/status")?;
    if args.json {
        output.json(&status)?;
        return Ok(Exit::Fine);
    }
    let text = |key: &str| cell(status.get(key));
    let counts = |key: &str| {
        let counts = status.get(key).and_then(Value::as_object);
        let counts =
            counts.map(|counts| counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>());
        counts.unwrap_or_default().join(", ")
    };
    let state = match status.get("stopped_because").and_then(Value::as_str) {
        Some(reason) => format!("{}: {reason}", text("state")),
        None => text("state"),
    };
    let actions = status.get("actions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let actions: Vec<String> = actions
        .iter()
        .filter(|action| ACTIONS.contains(&cell(action.get("kind")).as_str()))
        .map(|action| {
            format!("{} {} {}", cell(action.get("count")), cell(action.get("kind")), cell(action.get("ending")))
        })
        .collect();
    let lag = |key: &str| cell(status.get("lag").and_then(|lag| lag.get(key)));
    let rows = [
        ("state", state),
        ("bots", format!("{}: {}", text("bots"), counts("by_status"))),
        ("personas", counts("by_persona")),
        ("refused scripts", text("refused")),
        ("actions, last day", actions.join(", ")),
        ("ticks", format!("{}, {} went wrong", text("ticks"), text("failed_ticks"))),
        ("wake-up lag", format!("half within {} ms, 99 % within {} ms", lag("p50_millis"), lag("p99_millis"))),
        ("VMs in memory", text("vms")),
        ("next wake", seconds(&text("next_wake"))),
        ("bots' time", format!("{}, {} times as fast as the wall", seconds(&text("now")), text("speed"))),
        ("running since", seconds(&text("started_at"))),
        ("gallery", text("gallery_url")),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .filter(|(_, value)| !value.is_empty() && value != "-")
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    output.table(&[], &rows)?;
    Ok(Exit::Fine)
}

/// The kinds of activities that are actions.
const ACTIONS: [&str; 5] = ["generate", "share", "upvote", "comment", "remix"];

/// A time without the fraction of its second; what is no time stays as it is.
pub(super) fn seconds(text: &str) -> String {
    let time: Option<jiff::Timestamp> = text.parse().ok();
    time.and_then(|time| jiff::Timestamp::from_second(time.as_second()).ok())
        .map_or_else(|| text.to_owned(), |time| time.to_string())
}

/// Prints bots.
pub(super) fn bots(config: &Config, args: &BotsArgs, output: Output) -> Result<Exit, Failure> {
    let remote = Remote::of(config)?;
    if let Some(id) = &args.id {
        let bot = remote.get(&format!("/api/v1/bots/{}", escaped(&id.to_string())))?;
        if args.json { output.json(&bot) } else { show_bot(&bot, &output) }?;
        return Ok(Exit::Fine);
    }
    let mut path = format!("/api/v1/bots?limit={}&offset=0", args.limit);
    for (name, value) in [("persona", &args.persona), ("status", &args.status)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", escaped(value)));
        }
    }
    let page = remote.get(&path)?;
    if args.json {
        output.json(&page)?;
        return Ok(Exit::Fine);
    }
    let names = ["id", "username", "status", "reason", "next_wake", "ticks", "version"];
    let items = page.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> =
        items.iter().map(|bot| names.iter().map(|name| seconds(&cell(bot.get(name)))).collect()).collect();
    if !rows.is_empty() {
        output.table(&names.map(|name| if name == "next_wake" { "next wake" } else { name }), &rows)?;
    }
    let total = page.get("total").and_then(Value::as_u64).unwrap_or(rows.len() as u64);
    let shown = rows.len() as u64;
    if shown < total {
        output.text(&format!("{shown} of {total} bots; --limit shows more\n"))?;
    } else {
        output.text(&format!("{total} bots\n"))?;
    }
    Ok(Exit::Fine)
}

/// Prints scripts; their errors decide the exit code.
pub(super) fn scripts(config: &Config, is_json: bool, output: Output) -> Result<Exit, Failure> {
    let scripts = Remote::of(config)?.get("/api/v1/scripts")?;
    let items = scripts.get("items").unwrap_or(&scripts);
    if is_json { output.json(&scripts) } else { show_scripts(items, &output) }?;
    let has_error = |script: &Value| {
        script.get("error").is_some_and(|error| !error.is_null())
            || script.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
    };
    let wrong = items.as_array().is_some_and(|items| items.iter().any(has_error));
    Ok(if wrong { Exit::Scripts } else { Exit::Fine })
}

/// A line for each persona, then every problem.
fn show_scripts(items: &Value, output: &Output) -> Result<(), super::output::Unwritten> {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|script| {
            let version = script.get("version").filter(|version| !version.is_null());
            let is_pinned = script.get("pinned").and_then(Value::as_bool).unwrap_or(false);
            let text = |key: &str| script.get(key).and_then(Value::as_str);
            let state = match (list(script, "errors").is_empty(), version) {
                (_, None) => "refused, nothing runs".to_owned(),
                (false, Some(_)) => "refused, the version before runs on".to_owned(),
                (true, Some(_)) if is_pinned && text("newest") != text("version") => {
                    "pinned, what was saved waits".to_owned()
                }
                (true, Some(_)) if is_pinned => "pinned".to_owned(),
                (true, Some(_)) => match (in_trial(script), text("held_back")) {
                    (Some(words), _) => words,
                    (None, Some(held)) => format!("runs; {held} was rolled back"),
                    (None, None) => "runs".to_owned(),
                },
            };
            let short = |digest: &str| digest.chars().take(8).collect::<String>();
            let bots = cell(script.get("bots"));
            let ran = script.get("ran").and_then(Value::as_object).map_or(0, |ran| {
                ran.iter()
                    .filter(|(digest, _)| version.and_then(Value::as_str).is_some_and(|v| short(digest) == short(v)))
                    .filter_map(|(_, count)| count.as_u64())
                    .sum()
            });
            vec![
                cell(script.get("persona")),
                version.and_then(Value::as_str).map_or_else(|| "-".to_owned(), short),
                bots,
                ran.to_string(),
                seconds(&cell(script.get("accepted_at"))),
                state,
            ]
        })
        .collect();
    output.table(&["persona", "version", "bots", "ran it", "accepted at", "state"], &rows)?;
    for script in items {
        problems(script, output)?;
    }
    Ok(())
}

pub(super) fn list(script: &Value, key: &str) -> Vec<Value> {
    script.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// What is tried on a few bots, in words.
pub(super) fn in_trial(script: &Value) -> Option<String> {
    let canary = script.get("canary").filter(|canary| !canary.is_null())?;
    let fares = |key: &str| canary.get("fares").and_then(|fares| fares.get(key)?.as_u64()).unwrap_or(0);
    Some(format!(
        "{} is tried on {} of {} bots: {} of {} ticks, {} raised",
        cell(canary.get("version")),
        cell(canary.get("bots")),
        cell(script.get("bots")),
        fares("ticks"),
        cell(canary.get("wanted_ticks")),
        fares("errors")
    ))
}

/// Every problem of a script.
pub(super) fn problems(script: &Value, output: &Output) -> Result<(), super::output::Unwritten> {
    for key in ["errors", "warnings"] {
        for found in list(script, key) {
            problem(&found, output)?;
        }
    }
    Ok(())
}

/// One problem of a script.
pub(super) fn problem(problem: &Value, output: &Output) -> Result<(), super::output::Unwritten> {
    output.text(&format!("\n{}\n", printable(&cell(problem.get("frame")))))
}

/// One bot: who it is, why it does what it does, what it did last.
fn show_bot(bot: &Value, output: &Output) -> Result<(), super::output::Unwritten> {
    let names = [
        "id",
        "name",
        "username",
        "bio",
        "persona",
        "status",
        "reason",
        "next_wake",
        "ticks",
        "version",
        "zone",
        "has_account",
        "error",
    ];
    let rows: Vec<Vec<String>> = names
        .iter()
        .map(|name| (*name, seconds(&cell(bot.get(*name)))))
        .filter(|(_, value)| !value.is_empty() && value != "-")
        .map(|(name, value)| vec![name.replace('_', " "), value])
        .collect();
    output.table(&[], &rows)?;
    let list = |key: &str| bot.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let limits: Vec<Vec<String>> = list("limits")
        .iter()
        .map(|limit| {
            let of = |used: &str, cap: &str| match cell(limit.get(cap)).as_str() {
                "-" => cell(limit.get(used)),
                cap => format!("{} of {cap}", cell(limit.get(used))),
            };
            vec![
                cell(limit.get("kind")),
                of("hour", "per_hour"),
                of("day", "per_day"),
                seconds(&cell(limit.get("last"))),
            ]
        })
        .collect();
    output.text("\n")?;
    output.table(&["limit", "last hour", "last day", "last"], &limits)?;
    super::spend::show_caps(&list("budgets"), output)?;
    let activities: Vec<Vec<String>> = list("activities")
        .iter()
        .take(20)
        .map(|activity| {
            let word = |key: &str| cell(activity.get(key));
            vec![seconds(&word("at")), word("kind"), word("ending"), word("text")]
        })
        .collect();
    output.text("\n")?;
    output.table(&["at", "what", "ending", "words"], &activities)?;
    if let Some(frame) = bot.get("diagnostic").and_then(|problem| problem.get("frame")).and_then(Value::as_str) {
        output.text(&format!("\nlast error\n{}\n", printable(frame)))?;
    }
    if let Some(state) = bot.get("state").filter(|state| !state.is_null()) {
        output.text(&format!("\nstate\n{}\n", printable(&format!("{state:#}"))))?;
    }
    Ok(())
}
