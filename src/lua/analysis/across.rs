//! What shows only when several files are looked at: requires, members of what they return, permissions and facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::outline::Spot;
use super::study::Study;
use crate::host::offline::has_list;
use crate::lua::vm::resolve;
use crate::model::diagnostic::Diagnostic;
use crate::text::{self, grammar};

/// Every file by its path under `scripts`, with its study where it could be made.
pub type Studies = BTreeMap<String, Option<Arc<Study>>>;

fn study<'a>(path: &str, studies: &'a Studies) -> Option<&'a Study> {
    studies.get(path)?.as_deref()
}

fn target(required: &str, studies: &Studies) -> Option<String> {
    resolve(required, studies).ok()
}

/// The file and all that it requires, as far as that can be read.
pub fn reached(main: &str, studies: &Studies) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut left = vec![main.to_owned()];
    while let Some(path) = left.pop() {
        if reached.insert(path.clone())
            && let Some(study) = study(&path, studies)
        {
            left.extend(study.requires.iter().filter_map(|required| target(&required.path, studies)));
        }
    }
    reached
}

/// The permissions that a persona's own text names.
pub fn needs(main: &str, studies: &Studies) -> Vec<String> {
    let texts = study(main, studies).map(|study| study.outline.texts.as_slice()).unwrap_or_default();
    texts.iter().filter(|(path, ..)| path.starts_with("needs[")).map(|(_, text, _)| text.clone()).collect()
}

/// What is wrong with one file among the others.
pub fn file(path: &str, studies: &Studies) -> Vec<Diagnostic> {
    let Some(study) = study(path, studies) else { return Vec::new() };
    let file = format!("scripts/{path}");
    let mut found = study.findings.clone();
    for required in &study.requires {
        match resolve(&required.path, studies) {
            Err(wrong) => {
                let (message, hint) = match wrong.split_once("; ") {
                    Some((message, hint)) => (message.to_owned(), hint.to_owned()),
                    None => {
                        (wrong, "name a file under scripts/behaviours or scripts/lib, without its ending".to_owned())
                    }
                };
                let problem = study.at(&file, required.spot, message).with_hint(hint);
                found.push(if required.is_guarded { problem.as_warning() } else { problem });
            }
            Ok(path) => {
                let is_loaded = study
                    .requires
                    .iter()
                    .any(|other| !other.is_late && target(&other.path, studies).as_deref() == Some(path.as_str()));
                if required.is_late && !is_loaded {
                    let message = format!("require \"{}\" stands in a function, where it is too late", required.path);
                    let hint = "require at the top of the file, where it becomes part of the version";
                    let problem = study.at(&file, required.spot, message).with_hint(hint);
                    // Some function that is called while the file loads is early enough.
                    found.push(problem.as_warning());
                }
            }
        }
    }
    for used in &study.uses {
        let Some(path) = target(&used.path, studies) else { continue };
        let Some(exports) = self::study(&path, studies).and_then(|target| target.exports.as_ref()) else { continue };
        if exports.contains(&used.member) {
            continue;
        }
        let known: Vec<&str> = exports.iter().map(String::as_str).collect();
        let hint = match text::nearest(&used.member, &known) {
            Some(near) => format!("did you mean `{}.{near}`?", used.local),
            None => format!("it has: {}", known.join(", ")),
        };
        let message = format!("\"{}\" returns nothing named `{}`", used.path, used.member);
        let problem = study.at(&file, used.spot, message).with_hint(hint);
        found.push(if used.is_called && !used.is_guarded { problem } else { problem.as_warning() });
    }
    found
}

/// What is wrong with a persona's permissions and facts, besides what is wrong with its files.
pub fn persona(main: &str, needs: &[String], studies: &Studies) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(own) = study(main, studies) else { return found };
    let file = format!("scripts/{main}");
    let files = reached(main, studies);
    if !needs.is_empty() {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for path in &files {
            let Some(study) = study(path, studies) else { continue };
            for permission in &study.permissions {
                let is_new = used.insert(permission.name);
                if needs.iter().any(|need| need == permission.name) || !is_new && path != main {
                    continue;
                }
                let hint = format!("add \"{}\" to the persona's needs", permission.name);
                if path == main {
                    let message = format!("{} needs the permission `{}`", permission.primitive, permission.name);
                    let problem = own.at(&file, permission.spot, message).with_hint(hint);
                    found.push(if permission.is_guarded { problem.as_warning() } else { problem });
                } else if let Some(spot) = own.outline.find("needs").map(|entry| entry.value) {
                    let message = format!(
                        "`needs` does not name `{}`, which scripts/{path} uses ({})",
                        permission.name, permission.primitive
                    );
                    found.push(own.at(&file, spot, message).with_hint(hint).as_warning());
                }
            }
        }
        for (place, need) in needs.iter().enumerate() {
            // Events reach whoever has a function for them.
            if need == "events" && own.outline.has("on_event") {
                continue;
            }
            let is_permission = super::surface::Surface::permission(need).is_some();
            if is_permission
                && !used.contains(need.as_str())
                && let Some(entry) = own.outline.find(&format!("needs[{}]", place + 1))
            {
                let message = format!("the permission `{need}` is never used");
                let hint = "take it out of needs: who reads a persona sees by them what it can do";
                found.push(own.at(&file, entry.value, message).with_hint(hint).as_warning());
            }
        }
    }
    // With a file that could not be read, nobody knows which facts there are.
    if files.iter().all(|path| study(path, studies).is_some()) {
        facts(main, own, &files, studies, &mut found);
    }
    found
}

/// Templates that ask for what no file gives.
fn facts(main: &str, own: &Study, files: &BTreeSet<String>, studies: &Studies, found: &mut Vec<Diagnostic>) {
    let words: BTreeSet<&str> = files
        .iter()
        .filter_map(|path| study(path, studies))
        .flat_map(|study| study.words.iter().map(String::as_str))
        .collect();
    let known: Vec<&str> = words.iter().copied().collect();
    let is_of_lists = |path: &str| path.starts_with("templates.");
    let in_lists = own.outline.texts.iter().filter(|(path, ..)| is_of_lists(path)).map(|(_, text, spot)| (text, *spot));
    let in_calls = own.templates.iter().map(|(text, spot)| (text, *spot));
    let mut all: Vec<(&String, Spot)> = in_lists.chain(in_calls).collect();
    all.sort_by_key(|(_, spot)| (spot.line, spot.columns));
    all.dedup_by_key(|(_, spot)| *spot);
    for (template, spot) in all {
        let file = format!("scripts/{main}");
        match grammar::placeholders(template) {
            Ok(facts) => {
                for fact in facts.iter().filter(|fact| !words.contains(**fact) && !has_list(fact)) {
                    let hint = match text::nearest(fact, &known) {
                        Some(near) => format!("did you mean {{{near}}}?"),
                        None => format!("give it in `about`, or add a list of that name: templates.{fact} = {{ … }}"),
                    };
                    let message = format!("no script gives the fact {{{fact}}}, so this template is never used");
                    found.push(own.at(&file, spot, message).with_hint(hint).as_warning());
                }
            }
            Err(bad) => {
                let hint = "close every { with a }, and write {{ for a brace that is meant as one";
                found.push(own.at(&file, spot, bad.to_string()).with_hint(hint).as_warning());
            }
        }
    }
}
