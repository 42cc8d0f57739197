//! `fleet test`: runs the tests beside the scripts, each in a world of its own, over all cores.
//!
//! Nothing is started and nothing is written; the same tests with the same seed come out the same.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::host::trial::TrialRules;
use crate::lua::testing::{self, Bench, Case, Outcome, Problem};
use crate::lua::version::Sources;
use crate::runtime::catalog;

/// Which tests are wanted, and how.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Files, folders, or parts of their paths; none means all.
    pub paths: Vec<String>,
    /// A part of the test's name.
    pub filter: Option<String>,
    /// What all chance follows from, with the test's name.
    pub seed: String,
}

/// One test that has run.
#[derive(Debug)]
pub struct Ran {
    /// Which.
    pub case: Case,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took by the wall.
    pub took: Duration,
}

/// What came of all.
#[derive(Debug)]
pub struct Report {
    /// The tests, by file and in their order.
    pub ran: Vec<Ran>,
    /// Files that could not be run at all.
    pub broken: Vec<(String, Problem)>,
    /// How many files were wanted.
    pub files: usize,
    /// How long it all took.
    pub took: Duration,
    /// The texts, for showing lines.
    pub bench: Arc<Bench>,
}

impl Report {
    /// How many tests passed.
    pub fn passed(&self) -> usize {
        self.ran.iter().filter(|ran| ran.outcome.problem.is_none()).count()
    }

    /// How many failed, files that could not be run included.
    pub fn failed(&self) -> usize {
        self.ran.len() - self.passed() + self.broken.len()
    }
}

/// Reads all scripts and tests. Blocks for a few milliseconds, and longer while files are being saved.
///
/// # Errors
/// When a folder cannot be listed.
pub async fn read(config: &Config) -> anyhow::Result<Sources> {
    let origin = super::origin(config);
    let (bytes, plugin_origin) = (config.sandbox.source_bytes, super::plugin_origin(config));
    let read = move || -> anyhow::Result<Sources> {
        let mut sources = catalog::read_with_tests(&origin, bytes)?;
        let plugins = catalog::read_with_tests(&plugin_origin, bytes)?;
        let within = |path: String| format!("plugins/{path}");
        sources.files.retain(|path, _| !path.starts_with("plugins/"));
        sources.files.extend(plugins.files.into_iter().map(|(path, text)| (within(path), text)));
        sources.unreadable.extend(plugins.unreadable.into_iter().map(|(path, problem)| (within(path), problem)));
        Ok(sources)
    };
    tokio::task::spawn_blocking(read).await?
}

/// Runs the tests that are wanted.
///
/// # Errors
/// When the host's own prelude does not compile.
pub async fn run(config: &Config, sources: Sources, wanted: &Wanted) -> anyhow::Result<Report> {
    let began = Instant::now();
    let files: Vec<String> = sources
        .files
        .keys()
        .chain(sources.unreadable.keys())
        .filter(|path| testing::is_test(path) && is_wanted(config, path, &wanted.paths))
        .cloned()
        .collect();
    let limits = &config.limits;
    let rules = TrialRules { duplicate_days: limits.duplicate_days, duplicate_similarity: limits.duplicate_similarity };
    let bench = Bench::new(sources, super::limits(config), rules).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let bench = Arc::new(bench);
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let turns = Arc::new(Semaphore::new(cores));
    let (mut cases, mut broken) = (Vec::new(), Vec::new());
    let mut listing = JoinSet::new();
    for file in &files {
        let (bench, turns, file) = (bench.clone(), turns.clone(), file.clone());
        listing.spawn(async move {
            let _turn = turns.acquire().await;
            let listed = bench.cases(&file);
            (file, listed)
        });
    }
    while let Some(listed) = listing.join_next().await {
        match listed.context("reading a test ended in a panic of the host")? {
            (_, Ok(listed)) => cases.extend(listed),
            (file, Err(problem)) => broken.push((file, *problem)),
        }
    }
    broken.sort_by(|a, b| a.0.cmp(&b.0));
    let filter = wanted.filter.as_deref().map(str::to_lowercase);
    cases.retain(|case| filter.as_ref().is_none_or(|filter| case.name.to_lowercase().contains(filter)));
    let mut running = JoinSet::new();
    for case in cases {
        let (bench, turns, seed) = (bench.clone(), turns.clone(), wanted.seed.clone());
        running.spawn(async move {
            let _turn = turns.acquire().await;
            let began = Instant::now();
            let outcome = bench.run(&case, &seed).await;
            Ran { case, outcome, took: began.elapsed() }
        });
    }
    let mut ran = Vec::new();
    while let Some(done) = running.join_next().await {
        ran.push(done.context("a test ended in a panic of the host")?);
    }
    ran.sort_by(|a, b| (&a.case.file, a.case.line, &a.case.name).cmp(&(&b.case.file, b.case.line, &b.case.name)));
    Ok(Report { ran, broken, files: files.len(), took: began.elapsed(), bench })
}

/// Whether a test's file is asked for: by a file, a folder, or a part of its path.
fn is_wanted(config: &Config, path: &str, wanted: &[String]) -> bool {
    let real = match path.strip_prefix("plugins/") {
        Some(rest) => config.plugins_dir.join(rest),
        None => config.scripts_dir.join(path),
    };
    let is_below = |named: PathBuf| {
        let real = real.canonicalize().ok();
        // A script stands for its tests.
        let named = match named.extension() {
            Some(ending) if named.is_file() && !named.to_str().is_some_and(testing::is_test) => {
                named.with_extension(format!("test.{}", ending.display()))
            }
            _ => named,
        };
        named.canonicalize().ok().zip(real).is_some_and(|(named, real)| real.starts_with(named))
    };
    wanted.is_empty()
        || wanted.iter().any(|wanted| {
            let named = PathBuf::from(wanted);
            if named.exists() || config.scripts_dir.join(&named).exists() {
                is_below(named) || is_below(config.scripts_dir.join(wanted))
            } else {
                path.contains(wanted.as_str())
            }
        })
}
