//! `fleet test`: what came of the tests, for people, for programs and for CI.
//!
//! What passed is counted; what failed is shown with its line, what differs, and what the script said.

use std::path::PathBuf;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::local::runtime;
use super::output::{Output, counted};
use crate::app::test::{self, Ran, Report, Wanted};
use crate::config::Config;
use crate::lua::testing::{Problem, shown_file};
use crate::model::diagnostic::Diagnostic;
use crate::text::printable;

/// `fleet test`
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Only tests of these scripts, files or folders, or with this in their path
    paths: Vec<String>,
    /// Only tests with this in their name
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Change all chance in the tests
    #[arg(long, value_name = "TEXT", default_value = "")]
    seed: String,
    /// Name the tests that passed, too
    #[arg(long)]
    list: bool,
    /// Print JSON, one object a line: one for each test, the sum last
    #[arg(long)]
    json: bool,
    /// Write a JUnit report for CI
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run again whenever a script or a test is saved
    #[arg(long)]
    watch: bool,
}

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Runs tests.
pub(super) fn test(config: &Config, args: &TestArgs, output: &Output) -> Result<Exit, Failure> {
    let wanted = Wanted { paths: args.paths.clone(), filter: args.filter.clone(), seed: args.seed.clone() };
    runtime()?.block_on(async {
        let mut sources = test::read(config).await?;
        loop {
            let report = test::run(config, sources.clone(), &wanted).await?;
            if let Some(file) = &args.junit {
                std::fs::write(file, junit(&report))
                    .with_context(|| format!("could not write `{}`", file.display()))?;
            }
            if args.json {
                for ran in &report.ran {
                    output.text(&format!("{}\n", ran_json(ran)))?;
                }
                for (file, problem) in &report.broken {
                    output.text(&format!("{}\n", broken_json(file, problem)))?;
                }
                output.text(&format!("{}\n", sum_json(&report)))?;
            } else if args.watch || has_run(&report) {
                output.text(&told(&report, args))?;
            }
            if !args.watch {
                return exit(config, args, &report);
            }
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let now = test::read(config).await?;
                if now.files != sources.files || now.unreadable != sources.unreadable {
                    sources = now;
                    break;
                }
            }
        }
    })
}

fn has_run(report: &Report) -> bool {
    !report.ran.is_empty() || !report.broken.is_empty()
}

fn exit(config: &Config, args: &TestArgs, report: &Report) -> Result<Exit, Failure> {
    if !has_run(report) {
        let what = if args.paths.is_empty() && args.filter.is_none() { "there are no tests" } else { "no test fits" };
        let folder = config.scripts_dir.display();
        let hint =
            format!("tests are files `*.test.luau` beside the scripts in `{folder}`; `fleet test` alone runs them all");
        return Err(Failure::usage(anyhow::anyhow!(what), Some(hint)));
    }
    Ok(if report.failed() > 0 { Exit::Scripts } else { Exit::Fine })
}

fn told(report: &Report, args: &TestArgs) -> String {
    let (red, green) = (AnsiColor::Red.on_default().bold(), AnsiColor::Green.on_default());
    let bold = Style::new().bold();
    let mut text = String::new();
    for (file, problem) in &report.broken {
        text += &format!("{red}FAIL{red:#} {bold}{}{bold:#}\n", printable(&shown_file(file)));
        text += &frame(report, problem);
        text.push('\n');
    }
    for ran in &report.ran {
        let name = printable(&ran.case.name);
        match &ran.outcome.problem {
            None if args.list => {
                let file = printable(&shown_file(&ran.case.file));
                text += &format!("{green}ok{green:#}   {file}: {name} ({} ms)\n", ran.took.as_millis());
            }
            None => {}
            Some(problem) => {
                text += &format!("{red}FAIL{red:#} {bold}{name}{bold:#}\n");
                text += &frame(report, problem);
                text.push('\n');
            }
        }
    }
    let (passed, failed) = (report.passed(), report.failed());
    let style = if failed > 0 { red } else { green };
    text + &format!(
        "{style}{} passed, {failed} failed{style:#} in {}, {:.1} s\n",
        counted(passed, "test"),
        counted(report.files, "file"),
        report.took.as_secs_f64()
    )
}

/// What is wrong: the message, the line, what differs, and what the script under test said.
fn frame(report: &Report, problem: &Problem) -> String {
    let (red, green) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
    let dim = Style::new().dimmed();
    let mut text = place(report, &problem.what, "");
    if problem.diff.iter().any(|line| line.starts_with(['-', '+'])) {
        text += &format!("  {dim}(-{dim:#} expected, {dim}+{dim:#} got)\n");
    }
    for line in &problem.diff {
        let style = match line.get(..1) {
            Some("-") => red,
            Some("+") => green,
            _ => Style::new(),
        };
        text += &format!("  {style}{}{style:#}\n", printable(line));
    }
    for cause in &problem.because {
        text += &place(report, cause, "because: ");
    }
    text
}

fn place(report: &Report, what: &Diagnostic, lead: &str) -> String {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let mut text = format!("  {lead}{}\n", printable(&what.message));
    let at = what.line.map_or_else(|| what.file.clone(), |line| format!("{}:{line}", what.file));
    text += &format!("  {dim}-->{dim:#} {}\n", printable(&at));
    let source = report.bench.text(what.file.strip_prefix("scripts/").unwrap_or(&what.file));
    let source = what.line.and_then(|line| Some((line, source?.lines().nth(line.checked_sub(1)? as usize)?)));
    if let Some((line, source)) = source {
        text += &format!("  {dim}{line} |{dim:#} {}\n", printable(&crate::text::clip(source.trim(), 160)));
    }
    for frame in what.traceback.iter().skip(1) {
        text += &format!("  {dim}at{dim:#} {}\n", printable(frame));
    }
    if let Some(hint) = &what.hint {
        text += &format!("  {bold}hint{bold:#}: {}\n", printable(hint));
    }
    text
}

fn diagnostic_json(what: &Diagnostic) -> Value {
    json!({ "file": what.file, "line": what.line, "message": what.message, "hint": what.hint, "traceback": what.traceback })
}

fn problem_json(problem: &Problem) -> Value {
    let mut told = diagnostic_json(&problem.what);
    told["diff"] = problem.diff.clone().into();
    told["because"] = problem.because.iter().map(diagnostic_json).collect();
    told
}

fn ran_json(ran: &Ran) -> Value {
    json!({
        "test": ran.case.name,
        "file": shown_file(&ran.case.file),
        "line": ran.case.line,
        "passed": ran.outcome.problem.is_none(),
        "expectations": ran.outcome.expectations,
        "millis": ran.took.as_secs_f64() * 1000.0,
        "problem": ran.outcome.problem.as_ref().map(problem_json),
    })
}

fn broken_json(file: &str, problem: &Problem) -> Value {
    json!({ "test": null, "file": shown_file(file), "passed": false, "problem": problem_json(problem) })
}

fn sum_json(report: &Report) -> Value {
    json!({
        "passed": report.passed(),
        "failed": report.failed(),
        "files": report.files,
        "seconds": report.took.as_secs_f64(),
    })
}

/// The report as CI servers read it: a suite for each file, a case for each test.
fn junit(report: &Report) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"fleet test\" tests=\"{}\" failures=\"{}\" time=\"{:.3}\">\n",
        report.ran.len() + report.broken.len(),
        report.failed(),
        report.took.as_secs_f64()
    );
    let mut files: Vec<&str> = report.ran.iter().map(|ran| ran.case.file.as_str()).collect();
    files.extend(report.broken.iter().map(|(file, _)| file.as_str()));
    files.sort_unstable();
    files.dedup();
    for file in files {
        let shown = xml(&shown_file(file));
        let cases: Vec<&Ran> = report.ran.iter().filter(|ran| ran.case.file == file).collect();
        let broken: Vec<&Problem> =
            report.broken.iter().filter(|(broken, _)| broken == file).map(|(_, problem)| problem).collect();
        let failures = cases.iter().filter(|ran| ran.outcome.problem.is_some()).count() + broken.len();
        let tests = cases.len() + broken.len();
        text += &format!("  <testsuite name=\"{shown}\" tests=\"{tests}\" failures=\"{failures}\">\n");
        let case = |name: &str, time: Duration, problem: Option<&Problem>| {
            let head = format!(
                "    <testcase classname=\"{shown}\" name=\"{}\" time=\"{:.3}\"",
                xml(name),
                time.as_secs_f64()
            );
            match problem {
                None => format!("{head}/>\n"),
                Some(problem) => {
                    let body = anstream::adapter::strip_str(&frame(report, problem)).to_string();
                    let message = xml(&problem.what.to_string());
                    format!("{head}>\n      <failure message=\"{message}\">{}</failure>\n    </testcase>\n", xml(&body))
                }
            }
        };
        for ran in cases {
            text += &case(&ran.case.name, ran.took, ran.outcome.problem.as_ref());
        }
        for problem in broken {
            text += &case("the file runs", Duration::ZERO, Some(problem));
        }
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

/// A text within XML; characters that XML does not have are replaced.
fn xml(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
}
