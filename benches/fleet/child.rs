//! Children: one measurement, one process.
//!
//! A child prints marks like `@loaded` as they happen, and its figures as one JSON object in its last line.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use crate::{author, calls, hooks, live, vms};

/// What a child measured.
pub struct Answer {
    figures: Value,
    /// When it printed each mark, counted from before it was started.
    pub marks: BTreeMap<String, Duration>,
}

impl Answer {
    /// One of its figures.
    pub fn get(&self, name: &str) -> anyhow::Result<f64> {
        self.figures.get(name).and_then(Value::as_f64).with_context(|| format!("the child told no `{name}`"))
    }

    /// A list of its figures.
    pub fn list(&self, name: &str) -> anyhow::Result<Vec<f64>> {
        let list = self.figures.get(name).and_then(Value::as_array);
        Ok(list.with_context(|| format!("the child told no `{name}`"))?.iter().filter_map(Value::as_f64).collect())
    }

    /// When it printed a mark.
    pub fn mark(&self, name: &str) -> anyhow::Result<Duration> {
        self.marks.get(name).copied().with_context(|| format!("the child never said `@{name}`"))
    }
}

/// What a child was asked.
pub struct Asked(BTreeMap<String, String>);

impl Asked {
    /// A value as text.
    pub fn text(&self, name: &str) -> anyhow::Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("`{name}` is missing"))
    }

    /// A value as a number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> anyhow::Result<T> {
        self.text(name)?.parse().ok().with_context(|| format!("`{name}` is no number"))
    }
}

/// Starts this program again for one measurement, and waits for what it says.
pub fn ask(name: &str, values: &[(&str, String)]) -> anyhow::Result<Answer> {
    let program = std::env::current_exe().context("this program does not know its own file")?;
    let mut command = Command::new(program);
    command.arg("--child").arg(name).args(values.iter().map(|(key, value)| format!("{key}={value}")));
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().context("could not start a child")?;
    let output = child.stdout.take().context("the child has no output")?;
    let mut marks = BTreeMap::new();
    let mut figures = None;
    for line in BufReader::new(output).lines() {
        let line = line.context("could not read what a child says")?;
        match line.strip_prefix('@') {
            Some(mark) => {
                marks.insert(mark.to_owned(), started.elapsed());
            }
            None => figures = serde_json::from_str(&line).ok(),
        }
    }
    let status = child.wait().context("a child was lost")?;
    anyhow::ensure!(status.success(), "the measurement `{name}` failed: {status}");
    Ok(Answer { figures: figures.with_context(|| format!("the measurement `{name}` told nothing"))?, marks })
}

/// Prints a mark, for the parent to time.
pub fn mark(name: &str) {
    println!("@{name}");
}

/// The child's side: measures and prints.
pub fn answer(arguments: &[String]) -> anyhow::Result<()> {
    let (name, values) = arguments.split_first().context("which measurement?")?;
    let asked = values.iter().filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.into(), value.into()));
    let asked = Asked(asked.collect());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(async {
        match name.as_str() {
            "prepare" => live::prepare(&asked).await,
            "sleep" => live::sleep(&asked).await,
            "throughput" => live::throughput(&asked).await,
            "steady" => live::steady(&asked).await,
            "saves" => author::saves(&asked).await,
            "reload" => live::reload(&asked).await,
            "restart" => live::restart(&asked).await,
            "writes" => live::writes(&asked).await,
            "vms" => vms::memory(&asked).await,
            "calls" => calls::prices(&asked).await,
            "hooks" => hooks::prices(&asked).await,
            other => anyhow::bail!("there is no child `{other}`"),
        }
    })?;
    println!("{figures}");
    Ok(())
}

/// The resident memory of this process, in bytes.
pub fn resident() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("no /proc/self/status: this needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is no number")?;
    Ok(kib * 1024.0)
}
