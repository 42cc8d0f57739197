//! Commands that tell a running fleet what to do: `pause`, `resume`, `wake` and `reload`.
//!
//! A target is a bot, a persona or all; what it is shows in how it is written.

use std::str::FromStr;

use clap::Args;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::output::Output;
use super::remote::Remote;
use crate::config::Config;
use crate::model::name::{BotId, PersonaName};
use crate::model::seconds::MAX_SECS;
use crate::text::printable;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Pause,
    Resume,
    Wake,
    Reload,
}

impl Verb {
    fn path(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Wake => "wake",
            Self::Reload => "reload",
        }
    }
}

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Bot(BotId),
    Persona(PersonaName),
    All,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let bot = text.parse().map(Self::Bot);
        bot.or_else(|_| PersonaName::new(text).map(Self::Persona))
            .map_err(|_| "expected a bot (ai_artist-17), a persona (ai_artist) or all".to_owned())
    }
}

/// A command on a target.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// A bot (ai_artist-17), a persona (ai_artist), or all
    #[arg(default_value = "all")]
    target: Target,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `fleet pause`
#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// How long, such as 2h or "1h 30m"; without this, until `fleet resume`
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    length: Option<f64>,
    /// Why, for those who look at the fleet
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

fn length(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<SignedDuration>().ok().map(|length| length.as_secs_f64());
    seconds
        .filter(|seconds| *seconds > 0.0 && *seconds <= MAX_SECS)
        .ok_or_else(|| "expected a length of time up to a year, such as 90s, 2h or \"1h 30m\"".to_owned())
}

/// Pauses a target.
pub(super) fn pause(config: &Config, args: &PauseArgs, output: Output) -> Result<Exit, Failure> {
    let mut body = serde_json::Map::new();
    if let Some(reason) = &args.reason {
        body.insert("reason".to_owned(), reason.clone().into());
    }
    if let Some(seconds) = args.length {
        body.insert("for_secs".to_owned(), seconds.into());
    }
    command(config, Verb::Pause, &args.target, &body.into(), output)
}

/// Resumes, wakes or reloads a target.
pub(super) fn send(config: &Config, verb: Verb, args: &TargetArgs, output: Output) -> Result<Exit, Failure> {
    command(config, verb, args, &json!({}), output)
}

fn command(config: &Config, verb: Verb, args: &TargetArgs, body: &Value, output: Output) -> Result<Exit, Failure> {
    // The names that a target may have need no escaping.
    let target = match &args.target {
        Target::Bot(id) => format!("bots/{id}"),
        Target::Persona(name) => format!("personas/{name}"),
        Target::All => "fleet".to_owned(),
    };
    let reply = Remote::of(config)?.post(&format!("/api/v1/{target}/{}", verb.path()), body)?;
    let errors = reply.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if args.json {
        output.json(&reply)?;
    } else if !errors.is_empty() {
        for error in errors {
            let text = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
            output.text(&format!("{}\n", printable(&text)))?;
        }
    } else {
        match reply.get("message").and_then(Value::as_str) {
            Some(message) => output.text(&format!("{}\n", printable(message)))?,
            None if reply.as_object().is_some_and(|fields| !fields.is_empty()) => output.value(&reply)?,
            None => output.text("done\n")?,
        }
    }
    Ok(if errors.is_empty() { Exit::Fine } else { Exit::Scripts })
}
