//! Commands that need no running fleet: they are the fleet, or look at its files.
//!
//! Each turns its arguments into one call on `app`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};

use super::failure::{Exit, Failure};
use super::output::Output;
use crate::config::{Config, Sources};

/// `fleet check`
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Scripts or folders; without any, all of scripts_dir and plugins_dir
    pub(super) paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// `fleet agents`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AgentsArgs {
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    pub(super) json: bool,
    /// Print comma-separated values
    #[arg(long)]
    pub(super) csv: bool,
    #[command(subcommand)]
    pub(super) command: Option<AgentsCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AgentsCommand {
    /// Delete the accounts of bots that the roster no longer has
    Prune,
}

/// Runs the fleet.
pub(super) fn run(_sources: Sources, config: Config) -> Result<Exit, Failure> {
    config.ready_to_run()?;
    Err(anyhow!("`fleet run` is not wired yet").into())
}

/// Checks scripts.
pub(super) fn check(_config: &Config, _args: &CheckArgs, _output: Output) -> Result<Exit, Failure> {
    Err(anyhow!("`fleet check` is not wired yet").into())
}

/// Runs the embedded studio alone.
pub(super) fn studio(_config: Config) -> Result<Exit, Failure> {
    Err(anyhow!("`fleet studio` is not wired yet").into())
}

/// Lists or prunes the agent accounts.
pub(super) fn agents(config: Config, _args: &AgentsArgs, _output: Output) -> Result<Exit, Failure> {
    config.ready_to_run()?;
    Err(anyhow!("`fleet agents` is not wired yet").into())
}
