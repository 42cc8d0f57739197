//! `cargo bench`: what bots, VMs, ticks and host calls cost on this machine.
//!
//! Every figure is a median, every ratio is taken within one run, and every target is shown beside what came out.
//!
//! Each measurement runs in a child process of its own, so that none sees another's memory or threads: the program starts
//! itself again with `--child NAME KEY=VALUE…`, and the child answers with one line of JSON.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to a terminal")]

#[path = "fleet/author.rs"]
mod author;
#[path = "fleet/calls.rs"]
mod calls;
#[path = "fleet/child.rs"]
mod child;
#[path = "fleet/hooks.rs"]
mod hooks;
#[path = "fleet/live.rs"]
mod live;
#[path = "fleet/plan.rs"]
mod plan;
#[path = "fleet/report.rs"]
mod report;
#[path = "fleet/rig.rs"]
mod rig;
#[path = "fleet/vms.rs"]
mod vms;

use std::process::ExitCode;

const HELP: &str = "cargo bench -- [--quick] [--json] [--only NAME]… [--list]

  --quick      fewer runs of each measurement, and shorter ones
  --json       the same figures as JSON
  --only NAME  only this measurement; may be given more than once
  --list       the names of the measurements
";

fn main() -> ExitCode {
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.split_first() {
        Some((first, rest)) if first == "--child" => child::answer(rest),
        _ => options(&arguments).and_then(|options| options.map_or(Ok(()), |options| plan::run(&options))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

/// What to measure; `None` when only help was wanted.
fn options(arguments: &[String]) -> anyhow::Result<Option<plan::Options>> {
    let mut options = plan::Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => options.is_quick = true,
            "--json" => options.is_json = true,
            "--only" => {
                let name = rest.next().ok_or_else(|| anyhow::anyhow!("--only needs the name of a measurement"))?;
                anyhow::ensure!(
                    plan::NAMES.contains(&name.as_str()),
                    "there is no measurement `{name}`; there are: {}",
                    plan::NAMES.join(", ")
                );
                options.only.push(name.clone());
            }
            "--list" => {
                println!("{}", plan::NAMES.join("\n"));
                return Ok(None);
            }
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            // What cargo itself adds.
            "--bench" => {}
            other => anyhow::bail!("unknown argument `{other}`\n\n{HELP}"),
        }
    }
    Ok(Some(options))
}
