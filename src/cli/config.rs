//! `fleet config`: what is in force, and where it came from.
//!
//! Its output is a config file that says the same.

use clap::Args;

use super::failure::{Exit, Failure};
use super::output::Output;
use crate::config::Config;
use crate::text::printable;

/// `fleet config`
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// Only this key or section, such as clock.speed or clock; a key prints its value alone
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the config.
pub(super) fn print(config: &Config, args: &ConfigArgs, output: Output) -> Result<Exit, Failure> {
    let entries = match &args.key {
        None => config.entries().iter().collect(),
        Some(key) => config.find(key).map_err(|unknown| {
            let hint = unknown.hint.clone();
            Failure::usage(unknown, Some(hint))
        })?,
    };
    match (&entries[..], &args.key) {
        (entries, _) if args.json => output.json(&config.to_json(entries.iter().copied()))?,
        ([entry], Some(key)) if entry.key == *key => {
            let value = entry.value.as_str().map_or_else(|| entry.value.to_string(), printable);
            output.text(&format!("{value}\n"))?;
        }
        (entries, _) => output.text(&config.to_toml(entries.iter().copied()))?,
    }
    Ok(Exit::Fine)
}
