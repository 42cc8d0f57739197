//! `fleet check`: every problem as a frame, or as JSON, one a line.
//!
//! Standard output holds nothing but problems when it is JSON.

use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::failure::{Exit, Failure};
use super::local::{runtime, until_told};
use super::output::{Output, counted};
use crate::app::check::{self, Checked};
use crate::config::{Config, Flag};
use crate::model::diagnostic::Severity;
use crate::model::frame;
use crate::text::printable;

/// `fleet check`
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Show only what concerns these files or folders; all scripts are checked in any case
    paths: Vec<PathBuf>,
    /// Print one JSON object a line for each problem, and nothing else
    #[arg(long)]
    json: bool,
    /// Check again after every save, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

impl CheckArgs {
    /// Whoever asks to watch means it, whatever the config says of the fleet's own reloads.
    pub(super) fn settings(&self) -> Option<Flag> {
        self.watch.then(|| Flag { name: "--watch", setting: "reload.watch=true".to_owned() })
    }
}

/// Checks scripts.
pub(super) fn check(config: &Config, args: &CheckArgs, output: &Output) -> Result<Exit, Failure> {
    for path in &args.paths {
        if !path.exists() && !config.scripts_dir.join(path).exists() {
            let hint = format!("name files or folders below `{}`", config.scripts_dir.display());
            return Err(Failure::usage(anyhow::anyhow!("there is no `{}`", path.display()), Some(hint)));
        }
    }
    let mut exit = Exit::Fine;
    let mut show = |mut checked: Checked| {
        keep_asked(&mut checked, config, args);
        let has_errors = checked.problems.iter().any(|problem| problem.severity == Severity::Error);
        exit = if has_errors { Exit::Scripts } else { Exit::Fine };
        print(&checked, args, output)
    };
    runtime()?.block_on(async {
        if !args.watch {
            return show(check::scripts(config).await?);
        }
        let stop = CancellationToken::new();
        let told = until_told(stop.clone());
        let watching = check::watch(config, stop, |checked| {
            output.clear()?;
            show(checked)
        });
        tokio::pin!(told, watching);
        tokio::select! {
            watched = &mut watching => watched,
            told = &mut told => {
                told?;
                watching.await
            }
        }
    })?;
    Ok(exit)
}

/// Leaves only what concerns the files that were asked for.
fn keep_asked(checked: &mut Checked, config: &Config, args: &CheckArgs) {
    if args.paths.is_empty() {
        return;
    }
    let scripts = &config.scripts_dir;
    let asked = |file: &str| {
        let file = match (file.strip_prefix("scripts/"), file.strip_prefix("plugins/")) {
            (Some(rest), _) => scripts.join(rest),
            (_, Some(rest)) => config.plugins_dir.join(rest),
            _ => PathBuf::from(file),
        };
        args.paths.iter().any(|path| {
            let is_below = |path: PathBuf| {
                path.canonicalize()
                    .ok()
                    .zip(file.canonicalize().ok())
                    .is_some_and(|(path, file)| file.starts_with(path))
            };
            is_below(path.clone()) || is_below(scripts.join(path))
        })
    };
    checked.problems.retain(|problem| asked(&problem.file));
    checked.fine.retain(|(name, _)| asked(&format!("scripts/personas/{name}.luau")));
    checked.plugins.retain(|name| asked(&format!("plugins/{name}/init.luau")));
}

fn print(checked: &Checked, args: &CheckArgs, output: &Output) -> anyhow::Result<()> {
    if args.json {
        for problem in &checked.problems {
            output.json_line(&problem.as_json())?;
        }
        output.aside(&sum(checked))?;
    } else {
        let mut text = String::new();
        for problem in &checked.problems {
            text += &format!("{}\n\n", frame::coloured(problem));
        }
        output.text(&(text + &sum(checked)))?;
    }
    Ok(())
}

/// One line of sum.
fn sum(checked: &Checked) -> String {
    let errors = checked.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let warnings = checked.problems.len() - errors;
    let names: Vec<String> = checked.fine.iter().map(|(name, _)| printable(name)).collect();
    let plugins = match checked.plugins.len() {
        0 => String::new(),
        count => format!(", {} fine: {}", counted(count, "plugin"), checked.plugins.join(", ")),
    };
    format!(
        "{} fine{}{}{plugins}, {}, {}\n",
        counted(names.len(), "persona"),
        if names.is_empty() { "" } else { ": " },
        names.join(", "),
        counted(errors, "error"),
        counted(warnings, "warning")
    )
}
