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
    if args.json { output.json(&status) } else { output.value(&status) }?;
    Ok(Exit::Fine)
}

/// Prints bots.
pub(super) fn bots(config: &Config, args: &BotsArgs, output: Output) -> Result<Exit, Failure> {
    let remote = Remote::of(config)?;
    if let Some(id) = &args.id {
        let bot = remote.get(&format!("/api/v1/bots/{}", escaped(&id.to_string())))?;
        if args.json { output.json(&bot) } else { output.value(&bot) }?;
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
        items.iter().map(|bot| names.iter().map(|name| cell(bot.get(name))).collect()).collect();
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
pub(super) fn scripts(config: &Config, args: &JsonArgs, output: Output) -> Result<Exit, Failure> {
    let scripts = Remote::of(config)?.get("/api/v1/scripts")?;
    let items = scripts.get("items").unwrap_or(&scripts);
    if args.json { output.json(&scripts) } else { output.value(items) }?;
    let has_error = |script: &Value| {
        script.get("error").is_some_and(|error| !error.is_null())
            || script.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
    };
    let wrong = items.as_array().is_some_and(|items| items.iter().any(has_error));
    Ok(if wrong { Exit::Scripts } else { Exit::Fine })
}
