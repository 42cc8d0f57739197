//! A corpus of wrong scripts: each gets a diagnostic that names the right line, and nearly all a cure.
//!
//! The scripts are in `wrong/`. A line `# name` begins the body of an `on_tick`, `## name` a whole persona, `### path`
//! another file of it; `--!` marks the line that must be named, and `@7` after a name does so by its number.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use floimg_fleet::lua::limits::Limits;
use floimg_fleet::lua::modules::{MODULES, SHARED_TYPES};
use floimg_fleet::lua::version::{Sources, Workshop};
use floimg_fleet::model::diagnostic::{Diagnostic, Severity};
use floimg_fleet::model::frame;
use floimg_fleet::runtime::catalog::{self, Catalog, Origin, Test};
use jiff::Timestamp;

use super::workbench::{LIMITS, Life, ticking};

const MAIN: &str = "personas/test.luau";
/// Nobody but an endless loop uses so much, on the slowest machine.
const FAIR: Limits = Limits { tick_cpu: Duration::from_secs(4), poll_cpu: Duration::from_secs(2), ..LIMITS };

const CORPUS: [(&str, &str); 9] = [
    ("syntax", include_str!("wrong/syntax.txt")),
    ("contract", include_str!("wrong/contract.txt")),
    ("names", include_str!("wrong/names.txt")),
    ("options", include_str!("wrong/options.txt")),
    ("calls", include_str!("wrong/calls.txt")),
    ("values", include_str!("wrong/values.txt")),
    ("life", include_str!("wrong/life.txt")),
    ("requires", include_str!("wrong/requires.txt")),
    ("runs", include_str!("wrong/runs.txt")),
];

/// A script that is wrong.
struct Wrong {
    group: &'static str,
    name: String,
    sources: Sources,
    /// The file and line that must be named.
    file: String,
    line: u32,
    /// Whether it is the body of an `on_tick`.
    is_body: bool,
}

/// Whether it is a body, its name, and its files.
type Part<'a> = (bool, &'a str, Vec<(String, String)>);

fn corpus() -> Vec<Wrong> {
    let mut all = Vec::new();
    for (group, text) in CORPUS {
        let mut parts: Vec<Part<'_>> = Vec::new();
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("### ") {
                let files = &mut parts.last_mut().expect("a case before its other files").2;
                files.push((path.to_owned(), String::new()));
            } else if let Some(name) = line.strip_prefix("## ") {
                parts.push((false, name, vec![(MAIN.to_owned(), String::new())]));
            } else if let Some(name) = line.strip_prefix("# ") {
                parts.push((true, name, vec![(MAIN.to_owned(), String::new())]));
            } else {
                let files = &mut parts.last_mut().expect("a case before its text").2;
                let text = &mut files.last_mut().expect("a file").1;
                writeln!(text, "{line}").expect("room");
            }
        }
        for (is_body, name, mut files) in parts {
            if is_body {
                files[0].1 = ticking(files[0].1.trim_end());
            }
            let (name, line) = match name.split_once(" @") {
                Some((name, line)) => (name, Some(line.parse().expect("a number"))),
                None => (name, None),
            };
            let marked = files.iter().find_map(|(path, text)| {
                let line = text.lines().position(|line| line.contains("--!"))?;
                Some((path.clone(), u32::try_from(line + 1).expect("a short file")))
            });
            let first = if is_body { 3 } else { 1 };
            let (file, line) = match line {
                Some(line) => (MAIN.to_owned(), line),
                None => marked.unwrap_or((MAIN.to_owned(), first)),
            };
            let files = files.into_iter().map(|(path, text)| (path, Arc::from(text))).collect();
            let sources = Sources { files, unreadable: BTreeMap::new() };
            all.push(Wrong { group, name: name.to_owned(), sources, file: format!("scripts/{file}"), line, is_body });
        }
    }
    all
}

/// What the next start would say of these files.
async fn told(catalog: &mut Catalog, sources: &Sources) -> Vec<Diagnostic> {
    let now: Timestamp = "2026-03-04T17:30:00Z".parse().expect("a time");
    catalog
        .refresh(
            sources,
            Test {
                limits: FAIR,
                has_trial: true,
                permissions: std::sync::Arc::new(floimg_fleet::model::permission::Permissions::usual()),
                now,
            },
        )
        .await;
    let entry = catalog.entries.values().next().expect("the persona");
    let warnings = entry.version.as_ref().filter(|_| entry.errors.is_empty()).map(|version| version.warnings.clone());
    [entry.errors.clone(), entry.warnings.clone(), warnings.unwrap_or_default()].concat()
}

#[tokio::test]
async fn every_wrong_script_is_told_of_in_the_right_line_and_nearly_all_with_a_cure() {
    let all = corpus();
    let mut catalog = Catalog::new().expect("the prelude compiles");
    let (mut wrong, mut without_cure) = (String::new(), Vec::new());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &all {
        let found = told(&mut catalog, &case.sources).await;
        let right: Vec<&Diagnostic> =
            found.iter().filter(|problem| problem.file == case.file && problem.line == Some(case.line)).collect();
        if right.is_empty() {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            writeln!(wrong, "{}, {}: expected {}:{}, found {found:#?}", case.group, case.name, case.file, case.line)
                .expect("room");
        } else if right.iter().all(|problem| problem.hint.is_none()) {
            without_cure.push(format!("{}, {}: {}", case.group, case.name, right[0].message));
        }
        // A frame can be made of whatever is found, and shows the line.
        for problem in right {
            let shown = problem.source.as_ref().is_none_or(|source| frame::plain(problem).contains(source.trim()));
            assert!(shown || problem.source.as_ref().is_some_and(|source| source.contains('\t')), "{problem:?}");
        }
        *counts.entry(case.group).or_default() += 1;
    }
    let cured = all.len() - without_cure.len();
    // Standard error is shown by `cargo test -- --nocapture`.
    let sum = format!("{} wrong scripts, {cured} with a cure: {counts:?}\nwithout one: {without_cure:#?}\n", all.len());
    std::io::stderr().write_all(sum.as_bytes()).expect("written");
    assert!(wrong.is_empty(), "\n{wrong}");
    let distinct: BTreeSet<(&str, &str)> = all.iter().map(|case| (case.group, case.name.as_str())).collect();
    let texts: BTreeSet<Vec<(&String, &Arc<str>)>> =
        all.iter().map(|case| case.sources.files.iter().collect()).collect();
    assert!(distinct.len() == all.len() && texts.len() == all.len() && all.len() >= 200, "{}", all.len());
    assert!(cured * 10 >= all.len() * 9, "{without_cure:#?}");
}

/// What is told without running anything.
fn examined(sources: &Sources) -> Vec<Diagnostic> {
    let mut workshop = Workshop::new().expect("the prelude compiles");
    workshop.compile(sources, &FAIR);
    workshop.examine(sources, "test", None)
}

#[tokio::test]
async fn what_refuses_a_save_without_a_run_is_sure_to_raise() {
    let mut checked = 0;
    for case in corpus().iter().filter(|case| case.is_body) {
        let mut said = examined(&case.sources);
        said.retain(|problem| problem.severity == Severity::Error);
        if said.is_empty() {
            continue;
        }
        checked += 1;
        let mut workshop = Workshop::new().expect("the prelude compiles");
        workshop.compile(&case.sources, &FAIR);
        let version = workshop.build(&case.sources, "test", &FAIR).map(Arc::new);
        let version = version.unwrap_or_else(|problems| panic!("{}: {problems:?}", case.name));
        let raised = Life::new(version, FAIR, None).expect("a VM").live().await;
        match raised {
            Err(problem) => {
                // An option in a local is told of where it stands, and raises where it is given; what cannot wait raises
                // where it is called from.
                let is_it = |said: &Diagnostic| {
                    said.line == problem.line
                        || problem.message.starts_with(&said.message)
                        || (said.message.contains("may wait") && problem.message.contains("attempt to yield"))
                };
                assert!(said.iter().any(is_it), "{}: said {said:?}, raised {problem}", case.name);
            }
            Ok(_) => panic!("{}, {}: sure to raise, they said, and it did not: {said:?}", case.group, case.name),
        }
    }
    assert!(checked > 60, "{checked}");
}

#[tokio::test]
async fn nothing_is_said_against_the_bundled_scripts() {
    let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let sources = catalog::read(&Origin::Folder(scripts), 256 << 10).expect("the scripts");
    let mut workshop = Workshop::new().expect("the prelude compiles");
    workshop.compile(&sources, &LIMITS);
    for name in sources.personas().keys() {
        let version = workshop.build(&sources, name, &LIMITS).expect("a version");
        let found = workshop.examine(&sources, name, Some(&version.persona.needs));
        assert!(found.is_empty(), "{name}: {found:#?}");
        assert!(version.warnings.is_empty(), "{name}: {:#?}", version.warnings);
    }
    let strays = workshop.examine_strays(&sources);
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn nothing_is_said_against_the_examples_of_the_stubs() {
    let mut wrong = String::new();
    let mut examples = 0;
    for stub in MODULES.iter().map(|module| module.types).chain([SHARED_TYPES]) {
        for example in stub.split("--- ```luau\n").skip(1) {
            let lines: Vec<&str> = example
                .lines()
                .map(|line| line.trim_start().trim_start_matches("---").strip_prefix(' ').unwrap_or_default())
                .take_while(|line| *line != "```")
                .collect();
            let files = [(MAIN.to_owned(), Arc::from(ticking(&lines.join("\n"))))].into();
            examples += 1;
            for problem in examined(&Sources { files, unreadable: BTreeMap::new() }) {
                writeln!(wrong, "{problem}\n{}", lines.join("\n")).expect("room");
            }
        }
    }
    assert!(examples > 40, "{examples}");
    assert!(wrong.is_empty(), "\n{wrong}");
}
