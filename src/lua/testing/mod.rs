//! Tests of scripts: `*.test.luau` beside what they test, each test in a sandbox and a gallery of its own.
//!
//! A test reaches no network, disk or clock, and all chance in it follows from its name and the seed.

mod asked;
mod given;
mod guests;
mod plugin;
mod show;
mod subject;
mod words;
mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mlua::Function;

use super::fault;
use super::limits::{Limits, Stop};
use super::plugins::{PluginVersion, export_file};
use super::version::{Sources, Version, Workshop};
use super::vm::Vm;
use crate::host::trial::TrialRules;
use crate::model::diagnostic::Diagnostic;
use crate::model::plugin::PluginName;
use world::World;

/// The vocabulary of tests: signatures, documentation and examples.
pub const TYPES: &str = include_str!("test.d.luau");

/// CPU that one test may use in all, what its bots use included.
const TEST_CPU: Duration = Duration::from_secs(10);
/// CPU that may lie between two calls of a test that wait.
const POLL_CPU: Duration = Duration::from_secs(1);

/// Whether a path under `scripts` is that of a test.
pub fn is_test(path: &str) -> bool {
    path.ends_with(".test.luau") || path.ends_with(".test.lua")
}

/// Everything that tests are run with: the scripts and the tests, compiled once.
#[derive(Debug)]
pub struct Bench {
    workshop: Workshop,
    sources: Sources,
    limits: Limits,
    rules: TrialRules,
    versions: Mutex<BTreeMap<String, Built>>,
    plugins: BTreeMap<PluginName, BuiltPlugin>,
}

type Built = Result<Arc<Version>, Arc<Vec<Diagnostic>>>;
type BuiltPlugin = Result<Arc<PluginVersion>, Arc<Vec<Diagnostic>>>;

/// One test of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its file, by the path under `scripts`.
    pub file: String,
    /// What it is called.
    pub name: String,
    /// The line on which its function begins.
    pub line: Option<u32>,
}

/// What is wrong, with what was expected and what a script said itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, and where in the test.
    pub what: Diagnostic,
    /// Lines that tell what was expected from what was there; `-` and `+` mark what differs.
    pub diff: Vec<String>,
    /// What the script under test raised.
    pub because: Vec<Diagnostic>,
}

/// What came of one test.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Nothing when it passed.
    pub problem: Option<Problem>,
    /// CPU time it took.
    pub cpu: Duration,
    /// How many expectations were looked at.
    pub expectations: u32,
}

impl Problem {
    fn plain(what: Diagnostic) -> Self {
        Self { what, diff: Vec::new(), because: Vec::new() }
    }
}

impl Bench {
    /// Compiles scripts, plugins and tests, which are all in `sources`; those of plugins begin with `plugins/`.
    ///
    /// # Errors
    /// When the host's own prelude does not compile, which a test rules out.
    pub fn new(mut sources: Sources, limits: Limits, rules: TrialRules) -> Result<Self, Diagnostic> {
        let mut workshop = Workshop::new()?;
        workshop.compile(&sources, &limits);
        let mut plugins = BTreeMap::new();
        for name in guests::folders(sources.files.keys()) {
            let built = workshop.build_plugin(&sources, &name, &limits).map(Arc::new).map_err(Arc::new);
            plugins.insert(name, built);
        }
        // What they export is a file like any other to those who require it.
        for version in plugins.values().flatten() {
            let (path, text) = export_file(&version.manifest);
            sources.files.insert(path, text.into());
        }
        workshop.compile(&sources, &limits);
        Ok(Self { workshop, sources, limits, rules, versions: Mutex::default(), plugins })
    }

    /// The text of a file, by its path under `scripts`.
    pub fn text(&self, path: &str) -> Option<&Arc<str>> {
        self.sources.files.get(path)
    }

    /// The tests of a file, in its order. Runs the file, so it belongs where scripts run.
    ///
    /// # Errors
    /// What is wrong with the file as a whole.
    pub fn cases(self: &Arc<Self>, file: &str) -> Result<Vec<Case>, Box<Problem>> {
        let open = self.open(file, "")?;
        Ok(open.tests.into_iter().map(|test| test.case).collect())
    }

    /// Runs one test. Runs scripts, so it belongs where scripts run.
    pub async fn run(self: &Arc<Self>, case: &Case, seed: &str) -> Outcome {
        let failed = |problem| Outcome { problem: Some(problem), cpu: Duration::ZERO, expectations: 0 };
        let open = match self.open(&case.file, &format!("{seed}/{}/{}", case.file, case.name)) {
            Ok(open) => open,
            Err(problem) => return failed(*problem),
        };
        let Some(test) = open.tests.into_iter().find(|test| test.case.name == case.name) else {
            let what = Diagnostic::error(shown_file(&case.file), case.line, "the test is not there this time")
                .with_hint("a file must name the same tests each time it is run");
            return failed(Problem::plain(what));
        };
        let (vm, world) = (open.vm, open.world);
        vm.meter.begin_tick();
        if let Err(error) = world.begin(&vm) {
            return failed(Problem::plain(Diagnostic::error(shown_file(&case.file), case.line, error.to_string())));
        }
        let result = vm.meter.count(Box::pin(test.function.call_async::<()>(()))).await;
        vm.slot.set(None);
        let expectations = world.expectations();
        let cpu = vm.meter.used();
        let problem = match (result, vm.meter.stopped()) {
            (Ok(()), None) if expectations == 0 => {
                let what = Diagnostic::error(shown_file(&case.file), case.line, "the test expects nothing")
                    .with_hint("a test that cannot fail tells nothing: end it with expect(…)");
                Some(Problem::plain(what))
            }
            (Ok(()), None) => None,
            (Ok(()), Some(stop)) => Some(stopped(fault::stopped(stop, &vm.meter, &shown_file(&case.file)), stop)),
            (Err(error), stop) => Some(told(&error, &vm, &world, &case.file, stop)),
        };
        Outcome { problem: problem.map(in_its_place), cpu, expectations }
    }

    /// The version of a persona, built once for all tests.
    fn version(&self, name: &str) -> Built {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || self.workshop.build(&self.sources, name, &self.limits).map(Arc::new).map_err(Arc::new);
        versions.entry(name.to_owned()).or_insert_with(build).clone()
    }

    /// The version of a plugin.
    fn plugin(&self, name: &str) -> BuiltPlugin {
        let none = || Arc::new(Vec::new());
        self.plugins
            .iter()
            .find(|(known, _)| known.as_str() == name)
            .map_or_else(|| Err(none()), |(_, built)| built.clone())
    }

    /// The names of all plugins.
    fn plugins(&self) -> Vec<String> {
        self.plugins.keys().map(ToString::to_string).collect()
    }

    /// The names of all personas.
    fn personas(&self) -> Vec<String> {
        self.sources.personas().into_keys().collect()
    }

    fn open(self: &Arc<Self>, file: &str, seed: &str) -> Result<Open, Box<Problem>> {
        let shown = shown_file(file);
        if let Some(problem) = self.sources.unreadable.get(file) {
            return Err(Box::new(Problem::plain(Diagnostic::error(shown, None, problem.as_str()))));
        }
        if let Some(problem) = self.workshop.broken(file) {
            return Err(Box::new(in_its_place(Problem::plain(problem))));
        }
        let broken =
            |error: mlua::Error| Box::new(Problem::plain(Diagnostic::error(shown.as_str(), None, error.to_string())));
        let world = World::new(self.clone(), seed);
        let limits = Limits {
            memory_bytes: self.limits.memory_bytes.saturating_mul(2),
            tick_cpu: TEST_CPU,
            poll_cpu: POLL_CPU,
            ..self.limits
        };
        let vm = self.workshop.vm(limits, &words::WORDS, |lua| words::install(lua, &world)).map_err(broken)?;
        if let Err(diagnostic) = vm.load(file) {
            let mut problem = Problem::plain(diagnostic);
            world.explain(&mut problem);
            // What was named so far holds the VM, which holds the world.
            drop(world.close(file));
            return Err(Box::new(in_its_place(problem)));
        }
        let tests = world.close(file);
        Ok(Open { vm, world, tests })
    }
}

/// A file that has been run, with the tests that it named.
struct Open {
    vm: Vm,
    world: Arc<World>,
    tests: Vec<Test>,
}

/// A test with its function.
#[derive(Debug)]
struct Test {
    case: Case,
    function: Function,
}

/// A file as people read its path.
pub fn shown_file(path: &str) -> String {
    // Tests of plugins lie beside the scripts folder, not in it.
    if path.starts_with("plugins/") { path.to_owned() } else { format!("scripts/{path}") }
}

/// Files of plugins are compiled among the scripts, and shown where they lie.
fn in_its_place(mut problem: Problem) -> Problem {
    for place in std::iter::once(&mut problem.what).chain(&mut problem.because) {
        if place.file.starts_with("scripts/plugins/") {
            place.file = place.file.replacen("scripts/", "", 1);
        }
    }
    problem
}

fn told(error: &mlua::Error, vm: &Vm, world: &World, file: &str, stop: Option<Stop>) -> Problem {
    let diagnostic = fault::diagnose(error, &vm.meter, &shown_file(file));
    match stop {
        Some(stop) => stopped(diagnostic, stop),
        None => {
            let mut problem = Problem::plain(diagnostic);
            world.explain(&mut problem);
            problem
        }
    }
}

/// A test that was stopped has other limits than a tick, and no key of the config to name.
fn stopped(mut what: Diagnostic, stop: Stop) -> Problem {
    what.message = match stop {
        Stop::TickCpu => format!("the test used more than {} s of CPU: is there an endless loop?", TEST_CPU.as_secs()),
        Stop::PollCpu => {
            format!("the test used more than {} s of CPU in one go: is there an endless loop?", POLL_CPU.as_secs())
        }
        Stop::Memory => "the test used too much memory".to_owned(),
        Stop::Shutdown | Stop::Deadline => "the test was told to stop".to_owned(),
    };
    Problem::plain(what)
}
