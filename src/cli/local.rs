//! Commands that need no running fleet: they are the fleet, or look at its files.
//!
//! Each turns its arguments into one call on `app`.

use std::io::IsTerminal;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

use super::failure::{Exit, Failure};
use super::output::{Output, counted};
use crate::app::agents;
use crate::app::{self, App, Options, SetLogFilter};
use crate::config::{Config, LogFormat, Sources};
use crate::store::BotRow;

/// `fleet run`
#[derive(Debug, Default, Args)]
pub(super) struct RunArgs {
    /// For crash tests: abort as `kill -9` would when this step is reached
    #[arg(long, hide = true, value_name = "STEP[:NTH]")]
    pub(super) abort_at: Option<String>,
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
pub(super) fn run(sources: Sources, config: Config, args: &RunArgs, output: &Output) -> Result<Exit, Failure> {
    config.ready_to_run()?;
    let set_log_filter = start_log(&config)?;
    let abort_at = args.abort_at.as_deref().map(|text| match text.rsplit_once('@') {
        Some((step, nth)) => (step.to_owned(), nth.parse().unwrap_or(1)),
        None => (text.to_owned(), 1),
    });
    let hint = match config.scripts_dir.is_dir() {
        true => {
            format!("Edit a file in {}/ and save: the bots take it at their next tick.", config.scripts_dir.display())
        }
        false => format!("There is no {}/: the scripts inside the program run.", config.scripts_dir.display()),
    };
    runtime()?.block_on(async {
        let app = App::build(config, sources, Options { abort_at, set_log_filter: Some(set_log_filter) }).await?;
        let addresses = app.addresses()?;
        output.text(&format!(
            "the gallery  {}\nthe status   {}\n{hint} Ctrl-C stops.\n",
            addresses.gallery, addresses.status
        ))?;
        let stop = CancellationToken::new();
        let _ends_with_this = stop.clone().drop_guard();
        let told = until_told(stop.clone());
        tokio::pin!(told);
        let served = app.serve(stop);
        tokio::pin!(served);
        tokio::select! {
            served = &mut served => served?,
            told = &mut told => {
                told?;
                // Asked once more, it ends at once; what was under way is settled at the next start.
                tokio::select! {
                    served = &mut served => served?,
                    again = again() => {
                        again?;
                        return Ok(Exit::Failed);
                    }
                }
            }
        }
        Ok(Exit::Fine)
    })
}

/// Waits for SIGTERM or Ctrl-C, then tells.
pub(super) async fn until_told(stop: CancellationToken) -> anyhow::Result<()> {
    again().await?;
    stop.cancel();
    Ok(())
}

async fn again() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("could not listen for Ctrl-C")?,
    }
    Ok(())
}

/// Runs the embedded studio alone.
pub(super) fn studio(config: &Config, output: &Output) -> Result<Exit, Failure> {
    // The studio alone reads its config once.
    let _set_log_filter = start_log(config)?;
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let told = until_told(stop.clone());
        let served = app::serve_studio(config, stop, |url| {
            // A closed standard output does not keep the studio from serving.
            let _ = output.text(&format!("the gallery  {url}\nCtrl-C stops.\n"));
        });
        tokio::pin!(served);
        tokio::select! {
            served = &mut served => served?,
            told = told => {
                told?;
                served.await?;
            }
        }
        Ok(Exit::Fine)
    })
}

/// Lists or prunes the agent accounts.
pub(super) fn agents(config: &Config, args: &AgentsArgs, output: Output) -> Result<Exit, Failure> {
    if let Some(AgentsCommand::Prune) = args.command {
        config.ready_to_run()?;
        let deleted = runtime()?.block_on(agents::prune(config))?;
        output.text(&format!("deleted {}\n", counted(usize::try_from(deleted).unwrap_or(usize::MAX), "account")))?;
        return Ok(Exit::Fine);
    }
    let bots = runtime()?.block_on(agents::all(config))?;
    let bots: Vec<&BotRow> = bots.iter().filter(|bot| bot.account.is_some()).collect();
    if args.json {
        let rows: Vec<Value> = bots
            .iter()
            .map(|bot| {
                json!({
                    "account": bot.account, "username": bot.username, "name": bot.name, "bot": bot.id.to_string(),
                    "persona": bot.id.persona.as_str(), "is_agent": true, "born_at": bot.born_at.to_string(),
                    "retired_at": bot.retired_at.map(|at| at.to_string())
                })
            })
            .collect();
        output.json(&Value::Array(rows))?;
        return Ok(Exit::Fine);
    }
    let header = ["account", "username", "name", "bot", "born_at", "retired_at"];
    let rows: Vec<Vec<String>> = bots
        .iter()
        .map(|bot| {
            vec![
                bot.account.clone().unwrap_or_default(),
                bot.username.clone(),
                bot.name.clone(),
                bot.id.to_string(),
                bot.born_at.to_string(),
                bot.retired_at.map(|at| at.to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    if args.csv {
        let mut text = header.join(",") + "\r\n";
        for row in &rows {
            let fields: Vec<String> = row.iter().map(|field| csv_field(field)).collect();
            text += &(fields.join(",") + "\r\n");
        }
        output.text(&text)?;
    } else {
        output.table(&header, &rows)?;
    }
    Ok(Exit::Fine)
}

/// A field by RFC 4180; one that a spreadsheet would take for a formula is kept from being one.
fn csv_field(field: &str) -> String {
    let field = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("could not start the runtime")
}

/// Starts the log on standard error; answers how to change its filter.
fn start_log(config: &Config) -> anyhow::Result<SetLogFilter> {
    start_log_of(&config.log.filter, config.log.format)
}

pub(super) fn start_log_of(filter: &str, format: LogFormat) -> anyhow::Result<SetLogFilter> {
    let filter = EnvFilter::try_new(filter).context("log.filter is no filter")?;
    let (filter, handle) = reload::Layer::new(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Json => layer.json().with_filter(filter).boxed(),
        LogFormat::Text => {
            layer.with_ansi(std::io::stderr().is_terminal()).with_target(false).with_filter(filter).boxed()
        }
    };
    tracing_subscriber::registry().with(layer).try_init().context("the log is started already")?;
    Ok(Box::new(move |text| {
        let filter = EnvFilter::try_new(text).map_err(|error| error.to_string())?;
        handle.reload(filter).map_err(|error| error.to_string())
    }))
}
