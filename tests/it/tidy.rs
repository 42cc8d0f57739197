//! The floors, read from the sources: no arrow goes up, and no crate is named outside the module that owns it.
//!
//! Every rule is shown to bite on a few lines that break it, so that a green run means something.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use source::{Mention, Source};

/// The modules of the crate by floor; a module may name those below it.
const FLOORS: [&[&str]; 7] = [
    &["backoff", "breaker", "bucket", "clock", "config", "model", "secret", "text"],
    &["floimg", "llm", "store", "studio", "web"],
    &["host"],
    &["lua"],
    &["runtime"],
    &["http"],
    &["app", "cli"],
];

/// Crates that belong to a part of the program, and the folders and files that may name them.
const OWNERS: [(&str, &[&str]); 11] = [
    ("mlua", &["lua/"]),
    ("full_moon", &["lua/analysis/"]),
    ("annotate_snippets", &["model/frame.rs"]),
    ("sqlx", &["store/"]),
    ("axum", &["http/", "studio/", "app.rs"]),
    ("reqwest", &["floimg/", "llm/", "web/"]),
    ("async_openai", &["llm/"]),
    ("notify", &["runtime/"]),
    ("clap", &["cli/"]),
    ("rustyline", &["cli/"]),
    ("anyhow", &["app.rs", "app/", "cli/", "main.rs"]),
];

/// What makes a static hold state.
const CELLS: [&str; 10] =
    ["OnceLock", "LazyLock", "OnceCell", "LazyCell", "Mutex", "RwLock", "RefCell", "Cell", "UnsafeCell", "ArcSwap"];

/// The longest that a file may be; at this length it holds two things.
const LINES: usize = 600;

/// A line that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    rule: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "src/{}:{}: {}", self.file, self.line, self.rule)
    }
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The module of the crate that a file belongs to: `host` of `host/action.rs`.
fn module_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn is_in(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| file == *place || (place.ends_with('/') && file.starts_with(place)))
}

/// Everything wrong with one file that shows without the others.
fn check(file: &str, text: &str) -> Vec<Finding> {
    let source = Source::read(text);
    let mut findings = Vec::new();
    let mut find = |line: usize, rule: String| findings.push(Finding { file: file.to_owned(), line, rule });
    let module = module_of(file);
    let is_root = matches!(file, "lib.rs" | "main.rs");
    let prints = is_in(file, &["main.rs", "cli/"]);

    if !text.starts_with("//!") {
        find(1, "a file opens with `//!`: what it is, then the one promise it keeps".to_owned());
    }
    let lines = text.lines().count();
    if lines > LINES {
        find(LINES + 1, format!("{lines} lines: split a file before it has more than {LINES}"));
    }
    if !is_root && floor(module).is_none() {
        find(1, format!("the module `{module}` has no floor: put it on one in tests/it/tidy.rs"));
    }
    for (line, word) in &source.unfinished {
        find(*line, format!("`{word}` is an unfinished thought: finish it, or open an issue"));
    }
    for Mention { line, path, is_macro, is_method, in_tests } in &source.mentions {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let (first, last) = (names[0], names[names.len() - 1]);
        if *is_method {
            if last == "unwrap" && !in_tests {
                find(*line, "no `unwrap` outside tests: return the error, or `expect` why it cannot happen".to_owned());
            }
            continue;
        }
        if let ["crate", other, ..] = names[..] {
            let arrow = if other == module { None } else { Some((floor(module), floor(other))) };
            match arrow {
                None => {}
                Some((Some(from), Some(to))) if from < to => {
                    find(
                        *line,
                        format!("`{module}` (floor {from}) names `{other}` (floor {to}): imports go down only"),
                    );
                }
                Some((Some(1), Some(1))) => {
                    find(*line, format!("`{module}` names `{other}`: the modules of floor 1 never meet"));
                }
                Some((_, None)) if !is_root => {
                    find(*line, format!("`crate::{other}`: name the module it comes from, which has a floor"));
                }
                Some(_) => {}
            }
        }
        if names.windows(2).any(|pair| pair == ["super", "super"]) {
            find(*line, "no `super::super`: write the path from `crate`".to_owned());
        }
        let is_top = !file.contains('/') || file.matches('/').count() == 1 && file.ends_with("/mod.rs");
        if first == "super" && is_top && !is_root && !in_tests {
            find(*line, "here `super` is the whole crate: write the path from `crate`".to_owned());
        }
        if let Some((name, places)) = OWNERS.iter().find(|(name, _)| *name == first)
            && !is_in(file, places)
        {
            find(*line, format!("only {} may name `{name}`", places.join(" ")));
        }
        if names.starts_with(&["std", "env"]) && !is_in(file, &["config/"]) {
            let is_arguments = matches!(last, "args" | "args_os") && prints;
            if !is_arguments {
                find(*line, "only config/ reads the environment".to_owned());
            }
        }
        if first == "serde" && module == "model" {
            find(*line, "model/ has no serde derives: wire structs live in `wire.rs` files".to_owned());
        }
        if names.ends_with(&["process", "exit"]) && !prints {
            find(*line, "only main.rs and cli/ end the process".to_owned());
        }
        if *is_macro {
            match last {
                "println" | "eprintln" | "print" | "eprint" if !prints => {
                    find(*line, format!("only main.rs and cli/ print: `{last}!`"));
                }
                "dbg" | "todo" | "unimplemented" => find(*line, format!("`{last}!` is unfinished")),
                "thread_local" => find(*line, "no state in statics: `thread_local!`".to_owned()),
                "lazy_static" => find(*line, "no state in statics: `lazy_static!`".to_owned()),
                _ => {}
            }
        }
    }
    for (line, name) in &source.built_in_variables {
        if !name.starts_with("CARGO_") {
            find(*line, format!("`{name}` is read when the program is built: only CARGO_ variables are"));
        }
    }
    for (line, kind) in &source.statics {
        let cell = kind.iter().find(|word| CELLS.contains(&word.as_str()) || word.starts_with("Atomic"));
        if let Some(cell) = cell {
            find(*line, format!("no state in statics: `{cell}`; `App::build` makes it and hands it down"));
        } else if kind.first().is_some_and(|word| word == "mut") {
            find(*line, "no state in statics: `static mut`".to_owned());
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// The modules that go round in a circle, if any do.
fn circle(files: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in files {
        let module = module_of(file);
        for mention in Source::read(text).mentions {
            if let [first, other, ..] = &mention.path[..]
                && first == "crate"
                && other != module
                && floor(other).is_some()
                && floor(module).is_some()
            {
                arrows.entry(module.to_owned()).or_default().insert(other.clone());
            }
        }
    }
    // What names nothing that is left is in no circle; what remains in the end is one, or leads to one.
    loop {
        let left: BTreeSet<String> = arrows.keys().cloned().collect();
        let before = arrows.len();
        arrows.retain(|_, others| others.iter().any(|other| left.contains(other)));
        if arrows.len() == before {
            return if arrows.is_empty() { None } else { Some(arrows.into_keys().collect()) };
        }
    }
}

/// Primitives without a stub, and stubs without a primitive, of one module of Luau.
fn unlike_its_stub(module: &str, code: &str, stub: &str) -> Vec<String> {
    let prefix = format!("(\"{module}.");
    let registered: BTreeSet<&str> = code
        .split(prefix.as_str())
        .skip(1)
        // Entries of the list are `("json.encode", encode)`; messages and file names go on otherwise.
        .filter_map(|rest| rest.split_once("\",").map(|(name, _)| name))
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '.')))
        .map(|name| name.strip_prefix("shared.").unwrap_or(name))
        .collect();
    let told: BTreeSet<&str> = stub
        .lines()
        .filter_map(|line| line.strip_prefix('\t')?.split_once(": "))
        .filter(|(name, kind)| !name.starts_with(['\t', '-']) && kind.starts_with(['(', '<']))
        .map(|(name, _)| name)
        .collect();
    let without_stub = registered.difference(&told).map(|name| format!("{module}.{name} has no stub"));
    let without_primitive = told.difference(&registered).map(|name| format!("{module}.{name} is only a stub"));
    without_stub.chain(without_primitive).collect()
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file under `src`, by its path there.
fn sources() -> BTreeMap<String, String> {
    let root = source_folder();
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("under src").display().to_string();
                files.insert(name.replace('\\', "/"), std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    files
}

#[test]
fn every_file_keeps_the_rules() {
    let files = sources();
    assert!(files.contains_key("lib.rs") && files.contains_key("store/mod.rs"), "the sources are found");
    let findings: Vec<String> =
        files.iter().flat_map(|(file, text)| check(file, text)).map(|finding| finding.to_string()).collect();
    assert!(findings.is_empty(), "{} lines break a rule:\n{}\n", findings.len(), findings.join("\n"));
}

#[test]
fn imports_go_in_no_circle() {
    assert_eq!(circle(&sources()), None, "these modules name each other");
}

#[test]
fn every_module_of_luau_has_a_stub_and_a_place_in_the_list() {
    let folder = source_folder().join("lua/modules");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let list = read("mod.rs");
    let stubs: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .filter_map(|entry| {
            entry.expect("an entry").file_name().to_string_lossy().strip_suffix(".d.luau").map(str::to_owned)
        })
        .filter(|name| name != "types")
        .collect();
    assert!(stubs.len() >= 10, "the stubs are found: {stubs:?}");
    let mut wrong = Vec::new();
    for module in &stubs {
        if !list.contains(&format!("{module}::MODULE")) {
            wrong.push(format!("{module} is not in MODULES"));
        }
        wrong.extend(unlike_its_stub(module, &read(&format!("{module}.rs")), &read(&format!("{module}.d.luau"))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks a few lines as a file, and expects findings at these lines with these words in their rule.
fn bites(file: &str, text: &str, expected: &[(usize, &str)]) {
    let text = format!("//! A file.\n{text}");
    let findings = check(file, &text);
    let fits = findings.len() == expected.len()
        && findings
            .iter()
            .zip(expected)
            .all(|(found, (line, words))| found.line == *line && found.rule.contains(words));
    assert!(fits, "{file}:\n{text}\nexpected {expected:?}\ngot {findings:#?}");
}

#[test]
fn an_arrow_up_or_sideways_is_found() {
    bites("model/name.rs", "use crate::store::Store;", &[(2, "floor 1")]);
    bites("store/bots.rs", "fn f() -> crate::host::Host {}", &[(2, "imports go down only")]);
    bites(
        "store/mod.rs",
        "use crate::{\n    model::{name, status},\n    runtime::Fleet,\n};",
        &[(4, "`runtime` (floor 4)")],
    );
    bites("store/mod.rs", "use crate::floimg::Client;", &[(2, "never meet")]);
    bites("store/mod.rs", "use crate::Thing;", &[(2, "has a floor")]);
    bites("newcomer/mod.rs", "", &[(1, "has no floor")]);
    bites("backoff.rs", "use super::store::Store;", &[(2, "whole crate")]);
    bites("host/mod.rs", "use super::lua;", &[(2, "whole crate")]);
    bites("host/rhythm/hours.rs", "use super::super::parse;", &[(2, "super::super")]);
    for (file, fine) in [
        ("host/mod.rs", "use crate::{model::name, store::Store, host::gallery};"),
        ("cli/mod.rs", "use crate::app;"),
        ("backoff.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}"),
        ("host/action.rs", "use super::World; // crate::lua is above"),
        ("main.rs", "fn f() { floimg_fleet::cli::main() }"),
    ] {
        bites(file, fine, &[]);
    }
}

#[test]
fn a_circle_is_found() {
    let files =
        |text: &[(&str, &str)]| text.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    let round = files(&[
        ("config/mod.rs", "use crate::secret::Secret;"),
        ("secret.rs", "use crate::text;"),
        ("text/mod.rs", "use crate::{model, config::Config};"),
        ("model/mod.rs", ""),
    ]);
    assert_eq!(circle(&round), Some(["config", "secret", "text"].map(str::to_owned).to_vec()));
    let straight = files(&[("config/mod.rs", "use crate::{secret, config::load};"), ("secret.rs", "// crate::config")]);
    assert_eq!(circle(&straight), None);
}

#[test]
fn a_crate_outside_its_owner_is_found() {
    for (name, owner) in [
        ("mlua", "lua/vm.rs"),
        ("sqlx", "store/bots.rs"),
        ("axum", "studio/mod.rs"),
        ("reqwest", "floimg/send.rs"),
        ("async_openai", "llm/mod.rs"),
        ("notify", "runtime/watch.rs"),
        ("clap", "cli/mod.rs"),
        ("rustyline", "cli/console.rs"),
        ("anyhow", "app.rs"),
    ] {
        for text in
            [format!("use {name}::A;"), format!("fn f(a: &{name}::A) {{}}"), format!("#[{name}::main]\nfn f() {{}}")]
        {
            bites(owner, &text, &[]);
            bites("host/mod.rs", &text, &[(2, name)]);
        }
        bites("host/mod.rs", &format!("// {name}::A\nconst A: &str = \"{name}::A\";\nuse {name}_tools::A;"), &[]);
    }
    bites("model/name.rs", "#[derive(serde::Serialize)]\nstruct A;", &[(2, "no serde")]);
    bites("model/name.rs", "use serde_json::Value;", &[]);
}

#[test]
fn the_environment_and_the_terminal_have_their_places() {
    bites("host/mod.rs", "fn f() { std::env::var(\"A\"); }", &[(2, "environment")]);
    bites("cli/mod.rs", "use std::{env, fs};", &[(2, "environment")]);
    bites("main.rs", "fn f() { std::env::vars(); std::env::args_os(); }", &[(2, "environment")]);
    bites("config/origin.rs", "fn f() { std::env::vars_os(); }", &[]);
    bites(
        "host/mod.rs",
        "const A: &str = env!(\"HOME\");\nconst B: &str = env!(\"CARGO_PKG_VERSION\");",
        &[(2, "HOME")],
    );
    bites("host/mod.rs", "const A: Option<&str> = option_env!(\"CI\");", &[(2, "CI")]);
    bites("host/mod.rs", "fn f() {\n    println!(\"{}\", 1);\n    eprintln!();\n}", &[(3, "print"), (4, "print")]);
    bites("host/mod.rs", "fn f() { std::process::exit(1) }", &[(2, "end the process")]);
    bites("app.rs", "use std::process;\nfn f() { process::exit(1) }", &[(3, "end the process")]);
    bites("cli/mod.rs", "fn f() { println!(); std::process::exit(1) }", &[]);
    bites("host/mod.rs", "/// println!(\"in a comment\")\nconst A: &str = r#\"println!(\"\"#;", &[]);
}

#[test]
fn state_in_statics_is_found() {
    bites("host/mod.rs", "static A: OnceLock<u8> = OnceLock::new();", &[(2, "OnceLock")]);
    bites("host/mod.rs", "pub(crate) static A:\n    std::sync::LazyLock<u8> = f();", &[(2, "LazyLock")]);
    bites("host/mod.rs", "static A: [Mutex<u8>; 2] = f();", &[(2, "Mutex")]);
    bites("host/mod.rs", "static A: AtomicU64 = f();", &[(2, "AtomicU64")]);
    bites("host/mod.rs", "static mut A: u8 = 1;", &[(2, "static mut")]);
    bites("host/mod.rs", "thread_local! { static A: u8 = 1; }", &[(2, "thread_local")]);
    bites("host/mod.rs", "static A: &[&'static str] = &[];\nfn f(a: &'static Mutex<u8>) {}", &[]);
}

#[test]
fn what_is_unfinished_unopened_or_overlong_is_found() {
    assert_eq!(check("host/mod.rs", "fn f() {}").len(), 1, "no opening");
    let long = |lines| "\n".repeat(lines - 1);
    bites("host/mod.rs", &long(LINES), &[]);
    bites("host/mod.rs", &long(LINES + 1), &[(601, "601 lines")]);
    bites("host/mod.rs", "// TODO: think\n/* a\n FIXME */", &[(2, "TODO"), (4, "FIXME")]);
    bites("host/mod.rs", "fn f() { todo!() }", &[(2, "todo")]);
    bites("host/mod.rs", "const A: &str = \"TODO\"; // the TODOS table", &[]);
    bites("host/mod.rs", "fn f() { g().unwrap(); }", &[(2, "unwrap")]);
    bites(
        "host/mod.rs",
        "fn f() { g()\n    .unwrap() }\n#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }",
        &[(3, "unwrap")],
    );
    bites("host/mod.rs", "#[cfg(test)]\nmod tests { fn f() {} }\nfn f() { g().unwrap() }", &[(4, "unwrap")]);
    bites("host/mod.rs", "fn f() { g().unwrap_or(1); '\"'; b'\\''; unwrap(); }", &[]);
}

#[test]
fn a_stub_and_its_primitives_are_compared() {
    let code = "waiting: &[(\"store.get\", get), (\"store.shared.get\", g)], immediate: &[(\"store.lost\", l)]";
    let stub =
        "export type E = {\n\t--- Gets.\n\tget: (key: string) -> any,\n\tkind: string,\n\tmade_up: <T>(T) -> T,\n}";
    assert_eq!(unlike_its_stub("store", code, stub), ["store.lost has no stub", "store.made_up is only a stub"]);
}
