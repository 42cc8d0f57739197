//! The command line.
//!
//! Every command ends in one [`Exit`], and whatever goes wrong is told once, on standard error, with what to do.

mod check;
mod config;
mod console;
mod control;
mod failure;
mod llm;
mod local;
mod new;
mod output;
mod plugins;
mod remote;
mod show;
mod spend;
mod test;
mod trying;
mod types;
mod versions;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::config::{Config, ConfigFile, Flag, Sources};
use failure::{Exit, Failure};
use output::Output;

const AFTER_HELP: &str = "\
Examples:
  fleet                                  run with ./config.toml, or with the defaults
  fleet --set clock.speed=600            run ten times as fast as the defaults do
  fleet new persona night_owl            begin a persona
  fleet check scripts/personas           look for errors in scripts
  fleet test ai_artist                   run the tests of one script
  fleet try ai_artist --dry-run          watch one bot live a few ticks
  fleet bots --status quarantined        who needs help, and why
  fleet pause all --for 2h               let everybody rest
  fleet config floimg                    what is in force, and where it came from

Exit codes:
  0  fine
  1  something failed
  2  wrong usage or config
  3  no fleet answers
  4  scripts have errors

Values come from the built-in defaults, then config.toml, then environment variables
such as FLEET__CLOCK__SPEED=1, then --set. Secrets come from the environment only.";

/// Luau personas bring a FloImg gallery to life.
#[derive(Debug, Parser)]
#[command(name = "fleet", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Global {
    /// The config file; without this, ./config.toml if it is there
    #[arg(long, global = true, value_name = "PATH", help_heading = "Config")]
    config: Option<PathBuf>,
    /// Set one key of the config, such as --set clock.speed=1; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", help_heading = "Config")]
    set: Vec<String>,
    /// The data folder; the same as --set data_dir=DIR
    #[arg(long, global = true, value_name = "DIR", help_heading = "Config")]
    data: Option<String>,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Config")]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the fleet until it is told to stop (what `fleet` does without a command)
    Run(local::RunArgs),
    /// Begin a script: a working file to change, and its test
    New(new::NewArgs),
    /// Write what an editor needs to complete and check scripts
    Types(types::TypesArgs),
    /// Look for mistakes in scripts, without running a fleet
    Check(check::CheckArgs),
    /// Run the tests beside the scripts
    Test(test::TestArgs),
    /// Let a bot live a few ticks, and tell what it sees, considers and does
    Try(trying::TryArgs),
    /// Run only the embedded studio
    Studio,
    /// Show how the running fleet is doing
    Status(show::JsonArgs),
    /// List the running fleet's bots, or show one
    Bots(show::BotsArgs),
    /// Show what models cost, on what, and how far the budgets are used
    Spend(spend::SpendArgs),
    /// Pause a bot, a persona, or all
    Pause(control::PauseArgs),
    /// Let a bot, a persona, or all go on
    Resume(control::TargetArgs),
    /// Wake a bot, a persona, or all now
    Wake(control::TargetArgs),
    /// Take changed scripts now
    Reload(control::TargetArgs),
    /// List the running fleet's scripts, their versions and errors; compare, pin or roll back versions
    Scripts(versions::ScriptsArgs),
    /// Look into a bot's world with Luau, line by line
    Console(console::ConsoleArgs),
    /// List the running fleet's plugins, show one with its options, or pause one
    Plugins(plugins::PluginsArgs),
    /// List the agent accounts, for analytics to leave out
    Agents(local::AgentsArgs),
    /// List the language models of the config, or see whether they answer
    Llm(llm::LlmArgs),
    /// Print the config that is in force, with the origin of each key
    Config(config::ConfigArgs),
}

/// Runs the program with these arguments, the first of which is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Fine };
            // There is nowhere left to tell that the message could not be written.
            let _ = error.print();
            return exit.into();
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.tell().into(),
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let mut sources = sources(cli.global);
    if let Some(Command::Check(args)) = &cli.command {
        sources.flags.extend(args.settings());
    }
    let config = Config::load(&sources)?;
    let output = Output::new();
    match cli.command.unwrap_or(Command::Run(local::RunArgs::default())) {
        Command::Run(args) => local::run(sources, config, &args, &output),
        Command::Check(args) => check::check(&config, &args, &output),
        Command::New(args) => new::run(&config, &args, &output),
        Command::Types(args) => types::run(&config, &args, &output),
        Command::Test(args) => test::test(&config, &args, &output),
        Command::Try(args) => trying::try_persona(&config, &args, &output),
        Command::Studio => local::studio(&config, &output),
        Command::Agents(args) => local::agents(&config, &args, output),
        Command::Status(args) => show::status(&config, &args, output),
        Command::Bots(args) => show::bots(&config, &args, output),
        Command::Spend(args) => spend::spend(&config, &args, output),
        Command::Pause(args) => control::pause(&config, &args, output),
        Command::Resume(args) => control::send(&config, control::Verb::Resume, &args, output),
        Command::Wake(args) => control::send(&config, control::Verb::Wake, &args, output),
        Command::Reload(args) => control::send(&config, control::Verb::Reload, &args, output),
        Command::Scripts(args) => versions::run(&config, &args, output),
        Command::Console(args) => console::run(&config, &args, &output),
        Command::Llm(args) => llm::run(&config, &args, &output),
        Command::Plugins(args) => plugins::run(&config, &args, output),
        Command::Config(args) => config::print(&config, &args, output),
    }
}

/// The sources of the config, the flags ordered so that `--set` has the last word.
fn sources(global: Global) -> Sources {
    let mut sources = Sources::of_process();
    if let Some(path) = global.config {
        sources.file = ConfigFile::Required(path);
    }
    let filter = match global.verbose {
        0 => None,
        1 => Some("log.filter=info,floimg_fleet=debug"),
        _ => Some("log.filter=debug,floimg_fleet=trace"),
    };
    sources.flags.extend(filter.map(|setting| Flag { name: "--verbose", setting: setting.to_owned() }));
    sources.flags.extend(global.data.map(|dir| Flag { name: "--data", setting: format!("data_dir={dir}") }));
    sources.flags.extend(global.set.into_iter().map(|setting| Flag { name: "--set", setting }));
    sources
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
