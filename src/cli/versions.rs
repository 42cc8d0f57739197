//! `fleet scripts`: which versions run, how they fare, and going back.
//!
//! A version is named by the first digits that `fleet scripts NAME` shows.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::output::{Output, cell};
use super::remote::{Remote, escaped};
use super::show;
use crate::config::Config;
use crate::model::name::PersonaName;
use crate::text::printable;

/// `fleet scripts`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ScriptsArgs {
    /// Show this persona's versions; without it, every persona's script
    persona: Option<PersonaName>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<ScriptsCommand>,
}

#[derive(Debug, Subcommand)]
enum ScriptsCommand {
    /// Show what differs between two versions
    Diff {
        /// The persona
        persona: PersonaName,
        /// A version's first digits
        from: String,
        /// Another's; without it, the one that runs
        to: Option<String>,
    },
    /// Print a version's files
    Show {
        /// The persona
        persona: PersonaName,
        /// The version's first digits; without it, the one that runs
        version: Option<String>,
        /// Only this file, such as personas/ai_artist.luau
        #[arg(long, value_name = "PATH")]
        file: Option<String>,
    },
    /// Go back to a version, or to the one before; a canary is taken back
    Rollback(Change),
    /// Keep a version, or the one that runs, whatever is saved
    Pin(Change),
    /// Take what the files say again
    Unpin(Whose),
    /// Give what is tried on a few, or was rolled back, to all bots
    Promote(Whose),
}

#[derive(Debug, Args)]
struct Change {
    /// The persona
    persona: PersonaName,
    /// The version's first digits
    version: Option<String>,
}

#[derive(Debug, Args)]
struct Whose {
    /// The persona
    persona: PersonaName,
}

/// Asks or tells the running fleet.
pub(super) fn run(config: &Config, args: &ScriptsArgs, output: Output) -> Result<Exit, Failure> {
    let change = |verb: &str, persona: &PersonaName, version: Option<&String>| {
        let body = version.map_or_else(|| json!({}), |version| json!({ "version": version }));
        Remote::of(config)?.post(&format!("/api/v1/scripts/{persona}/{verb}"), &body)
    };
    let reply = match &args.command {
        None => {
            return match &args.persona {
                None => show::scripts(config, args.json, output),
                Some(persona) => history(config, persona, args.json, &output),
            };
        }
        Some(ScriptsCommand::Diff { persona, from, to }) => {
            let to = to.as_ref().map(|to| format!("&to={}", escaped(to))).unwrap_or_default();
            let found =
                Remote::of(config)?.get(&format!("/api/v1/scripts/{persona}/diff?from={}{to}", escaped(from)))?;
            output.text(&painted(found.get("diff").and_then(Value::as_str).unwrap_or_default()))?;
            return Ok(Exit::Fine);
        }
        Some(ScriptsCommand::Show { persona, version, file }) => {
            return files(config, persona, version.as_ref(), file.as_ref(), &output);
        }
        Some(ScriptsCommand::Rollback(to)) => change("rollback", &to.persona, to.version.as_ref())?,
        Some(ScriptsCommand::Pin(to)) => change("pin", &to.persona, to.version.as_ref())?,
        Some(ScriptsCommand::Unpin(whose)) => change("unpin", &whose.persona, None)?,
        Some(ScriptsCommand::Promote(whose)) => change("promote", &whose.persona, None)?,
    };
    output.text(&format!("{}\n", printable(reply.get("message").and_then(Value::as_str).unwrap_or("done"))))?;
    Ok(Exit::Fine)
}

fn files(
    config: &Config,
    persona: &PersonaName,
    version: Option<&String>,
    file: Option<&String>,
    output: &Output,
) -> Result<Exit, Failure> {
    let version = version.map(|version| format!("?version={}", escaped(version))).unwrap_or_default();
    let found = Remote::of(config)?.get(&format!("/api/v1/scripts/{persona}/files{version}"))?;
    let files = found.get("files").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(file) = file {
        let wanted = file.strip_prefix("scripts/").unwrap_or(file);
        let Some(text) = files.get(wanted).and_then(Value::as_str) else {
            let known = files.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let hint = format!("it is made of {known}");
            return Err(Failure::usage(anyhow::anyhow!("the version has no file `{file}`"), Some(hint)));
        };
        output.text(text)?;
        return Ok(Exit::Fine);
    }
    for (path, text) in &files {
        output.text(&format!("-- scripts/{}\n{}\n", printable(path), text.as_str().unwrap_or_default()))?;
    }
    Ok(Exit::Fine)
}

/// A persona's versions with how they fare.
fn history(config: &Config, persona: &PersonaName, is_json: bool, output: &Output) -> Result<Exit, Failure> {
    let found = Remote::of(config)?.get(&format!("/api/v1/scripts/{persona}"))?;
    let script = found.get("script").cloned().unwrap_or_default();
    let is_refused = script.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty());
    let exit = if is_refused { Exit::Scripts } else { Exit::Fine };
    if is_json {
        output.json(&found)?;
        return Ok(exit);
    }
    let versions = found.get("versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = versions
        .iter()
        .map(|version| {
            let fares = |key: &str| version.get("fares").and_then(|fares| fares.get(key));
            let count = |key: &str| fares(key).and_then(Value::as_u64).unwrap_or(0);
            let share = |part: u64, whole: u64| {
                if whole == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
            };
            vec![
                cell(version.get("version")),
                version.get("role").and_then(Value::as_str).unwrap_or("").to_owned(),
                show::seconds(&cell(version.get("accepted_at"))),
                cell(version.get("bots")),
                count("ticks").to_string(),
                share(count("errors"), count("ticks")),
                count("actions").to_string(),
                share(count("refused"), count("refused") + count("actions")),
                count("calls").to_string(),
                format!("{} ms", cell(fares("cpu_millis_per_tick"))),
            ]
        })
        .collect();
    let header = ["version", "", "accepted at", "bots", "ticks", "raised", "actions", "refused", "calls", "CPU a tick"];
    output.table(&header, &rows)?;
    if let Some(words) = show::in_trial(&script) {
        output.text(&format!("\n{}\n", printable(&words)))?;
    }
    if let Some(verdict) = script.get("verdict").and_then(Value::as_str) {
        let at = show::seconds(&cell(script.get("verdict_at")));
        output.text(&format!("\n{at}  {}\n", printable(verdict)))?;
    }
    show::problems(&script, output)?;
    Ok(exit)
}

/// A diff with its lines coloured; nothing in it can move a terminal's cursor.
fn painted(diff: &str) -> String {
    if diff.is_empty() {
        return "the two are the same\n".to_owned();
    }
    let mut text = String::new();
    for line in diff.lines() {
        let colour = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => anstyle::Style::new().bold(),
            [b'+', ..] => anstyle::AnsiColor::Green.on_default(),
            [b'-', ..] => anstyle::AnsiColor::Red.on_default(),
            [b'@', ..] => anstyle::AnsiColor::Cyan.on_default(),
            _ => anstyle::Style::new(),
        };
        // A tab is indentation here, and no control character that a terminal must not see.
        text += &format!("{colour}{}{colour:#}\n", printable(&line.replace('\t', "    ")));
    }
    text
}
