//! The stubs are the manual: what they declare exists, what exists they declare, and every example in them runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use floimg_fleet::host::trial::Trial;
use floimg_fleet::lua::api::Module;
use floimg_fleet::lua::modules::{MODULES, SHARED_TYPES};
use floimg_fleet::lua::{Lived, vm_globals};
use floimg_fleet::model::diagnostic::Diagnostic;
use floimg_fleet::model::failure::FailureKind;
use floimg_fleet::model::grant::HostGrant;
use floimg_fleet::model::permission::Permissions;
use jiff::Timestamp;

use super::workbench::{Life, PATIENT, build, live, ticking};

/// A function that a stub declares.
struct Declared {
    name: String,
    docs: Vec<String>,
}

/// The functions of a stub, by their full names.
fn declared(module: &str, stub: &str) -> Vec<Declared> {
    let mut functions = Vec::new();
    let mut docs = Vec::new();
    // Functions stand one level deep, in `declare x: {` or in `export type Entries = {`, which is `store` and `store.shared`.
    let mut block = None;
    for line in stub.lines() {
        if let Some(comment) = line.trim_start().strip_prefix("---") {
            docs.push(comment.strip_prefix(' ').unwrap_or(comment).to_owned());
            continue;
        }
        if let Some(name) = line.strip_prefix("declare ").and_then(|rest| rest.strip_suffix(": {")) {
            block = Some(vec![name.to_owned()]);
        } else if line == "export type Entries = {" {
            block = Some(vec!["store".to_owned(), "store.shared".to_owned()]);
        } else if line.starts_with('}') {
            block = None;
        }
        if let (Some(prefixes), Some((name, kind))) = (&block, line.trim().split_once(": "))
            && line.starts_with('\t')
            && !line.starts_with("\t\t")
            && kind.contains("->")
        {
            for prefix in prefixes {
                functions.push(Declared { name: format!("{prefix}.{name}"), docs: docs.clone() });
            }
        }
        docs.clear();
    }
    assert!(!functions.is_empty(), "no function was found in the stub of {module}");
    functions
}

/// The code between the fences of a doc comment.
fn example(docs: &[String]) -> String {
    let code: Vec<&str> = docs
        .iter()
        .skip_while(|line| *line != "```luau")
        .skip(1)
        .take_while(|line| *line != "```")
        .map(String::as_str)
        .collect();
    code.join("\n")
}

#[test]
fn every_primitive_has_a_stub_and_every_stub_a_primitive() {
    for module in MODULES.iter().filter(|module| !module.types.is_empty()) {
        let real: BTreeSet<String> = module
            .waiting
            .iter()
            .map(|(name, _)| *name)
            .chain(module.immediate.iter().map(|(name, _)| *name))
            .map(str::to_owned)
            .collect();
        let declared = declared(module.name, module.types);
        let names: BTreeSet<String> = declared.iter().map(|function| function.name.clone()).collect();
        assert_eq!(names, real, "{}", module.name);
        for function in declared {
            let sentence = function.docs.first().map_or("", |line| line.as_str());
            assert!(sentence.len() > 8 && !sentence.starts_with('`'), "{} has no sentence", function.name);
            assert!(!example(&function.docs).is_empty(), "{} has no example", function.name);
        }
    }
}

/// Runs an example, for a bot that is granted what it needs.
async fn run(module: &Module, code: &str) -> Result<Lived, Diagnostic> {
    if module.name != "http" {
        return live(code).await;
    }
    let persona = ticking(code).replace("\nP.on_tick", "\nP.needs = { \"http\" } P.on_tick");
    let mut life = Life::new(build(&[("personas/test.luau", &persona)], &PATIENT).expect("a version"), PATIENT, None)?;
    let mut granted = Permissions::usual();
    let hosts = ["api.example.com", "hooks.example.com"].map(|host| HostGrant::parse(host).expect("a host"));
    granted.persona_hosts.insert("test".to_owned(), hosts.into());
    life.trial = Arc::new(Trial::new(Timestamp::UNIX_EPOCH, false).granting(Arc::new(granted)));
    life.live().await
}

#[tokio::test]
async fn every_example_runs() {
    let mut wrong = String::new();
    for module in &MODULES {
        if module.types.is_empty() {
            continue;
        }
        for function in declared(module.name, module.types) {
            let code = example(&function.docs);
            if function.name == "http.post" {
                let problem = run(module, &code).await.expect_err("a bot only reads").to_string();
                assert!(problem.contains("may only get"), "{problem}");
                continue;
            }
            if let Err(problem) = run(module, &code).await {
                writeln!(wrong, "{}: {problem}\n{code}", function.name).expect("room");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_kinds_of_failure_are_the_same_in_stub_and_host() {
    let from = SHARED_TYPES.split("kind: ").nth(1).expect("the kinds").split(",\n").next().expect("the kinds");
    let stub: Vec<&str> = from.split('"').skip(1).step_by(2).collect();
    let host: Vec<&str> = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(stub, host);
    // What a stub says of a function's failures are kinds too.
    for module in &MODULES {
        for line in module.types.lines().filter_map(|line| line.trim().strip_prefix("--- Failures: ")) {
            let words = line.trim_end_matches('.').split([',', ' ']).map(|word| word.trim_matches(['(', ')', '`']));
            for word in words.filter(|word| word.contains('_')) {
                assert!(FailureKind::parse(word).is_some(), "{}: {word} in {line}", module.name);
            }
        }
    }
}

#[tokio::test]
async fn scripts_find_exactly_these_globals() {
    let body =
        "local names = {} for name in _G do table.insert(names, name) end table.sort(names) bot.state.names = names";
    let lived = live(body).await.expect("lived");
    let state: serde_json::Value = serde_json::from_str(&lived.state).expect("JSON");
    let found: BTreeSet<&str> =
        state["names"].as_array().expect("names").iter().filter_map(|name| name.as_str()).collect();
    let expected: BTreeSet<&str> =
        vm_globals().iter().copied().chain(MODULES.iter().map(|module| module.name)).collect();
    assert_eq!(found, expected);
    for gone in [
        "os",
        "io",
        "debug",
        "coroutine",
        "loadstring",
        "load",
        "dofile",
        "loadfile",
        "getfenv",
        "setfenv",
        "newproxy",
        "collectgarbage",
        "gcinfo",
        "xpcall",
        "module",
        "package",
    ] {
        assert!(!found.contains(gone), "{gone}");
    }
}

#[tokio::test]
async fn a_bot_has_what_its_type_says() {
    let bot = SHARED_TYPES.split("export type Bot = {").nth(1).expect("the type of a bot");
    let fields: BTreeMap<&str, &str> = bot
        .lines()
        .filter(|line| line.starts_with('\t') && !line.starts_with("\t\t") && !line.trim_start().starts_with("---"))
        .filter_map(|line| line.trim().split_once(": "))
        .collect();
    assert!(fields.len() >= 9, "{fields:?}");
    for (field, kind) in fields {
        let kind = match kind.trim_end_matches(',') {
            "string" => "string",
            "number" => "number",
            other if other.contains("->") => "function",
            _ => "table",
        };
        let body = format!("assert(type(bot.{field}) == '{kind}', type(bot.{field}))");
        let version = build(&[("personas/test.luau", &ticking(&body))], &PATIENT).expect("a version");
        let lived = Life::new(version, PATIENT, None).expect("a VM").live().await;
        assert!(lived.is_ok(), "{field}: {lived:?}");
    }
}
