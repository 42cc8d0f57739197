//! The reference for authors: every module, type and contract as one Markdown page.
//!
//! It is made of the stubs, so it says what an editor says and what the tests run.

use std::fmt::Write;

use super::api::Module;
use super::modules::{MODULES, PERSONA_TYPES, PLUGIN_TYPES, SHARED_TYPES};
use super::plugins::modules::{PLUGIN_MODULES, PLUGIN_STUB};
use super::testing;

const HEAD: &str = "\
# Reference

Everything that a script can reach. This page is written by `fleet types --reference docs/reference.md` from the stubs in
`src/lua`; an editor shows the same texts. Every example is run by the tests.

- A primitive answers a **value**; or `nil, failure` when the world refused; or it **raises** when the script is wrong.
- `failure.kind` is one of a closed set, listed under [`Failure`](#shapes). The kinds a function may fail with stand below it.
- Lengths of time are seconds, points of time are Unix seconds, both of the bots' own clock.
- Unknown option names raise, and the message names the known ones.
";

/// One function of a module.
struct Entry {
    name: String,
    signature: String,
    docs: Docs,
}

/// A stub, taken apart.
#[derive(Default)]
struct Stub {
    /// What stands above `declare`.
    about: Vec<String>,
    entries: Vec<Entry>,
    /// Types, as they stand in the stub with their comments.
    types: Vec<String>,
}

/// A doc comment.
#[derive(Default)]
struct Docs {
    text: Vec<String>,
    failures: Option<String>,
    example: Vec<String>,
}

/// The whole page.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Contents\n\n");
    for module in documented() {
        let names: Vec<String> = taken_apart(module.name, module.types)
            .entries
            .iter()
            .map(|entry| {
                let short = entry.name.strip_prefix(module.name).unwrap_or(&entry.name).trim_start_matches('.');
                format!("[{short}](#{})", anchor(&entry.name))
            })
            .collect();
        line(&mut page, format_args!("- **[{0}](#{0})**: {1}", module.name, names.join(" · ")));
    }
    page.push_str(
        "- [Shapes](#shapes) · [Persona](#persona) · [Plugin](#plugin) · [Tests](#tests) · [What Luau brings](#what-luau-brings)\n",
    );
    for module in documented() {
        let stub = taken_apart(module.name, module.types);
        line(&mut page, format_args!("\n## {}\n", module.name));
        line(&mut page, format_args!("{}", stub.about.join("\n")));
        for entry in &stub.entries {
            write_entry(&mut page, entry);
        }
        write_types(&mut page, &stub.types);
    }
    page.push_str("\n## Shapes\n\nWhat the modules give and take.\n");
    write_types(&mut page, &taken_apart("", SHARED_TYPES).types);
    for (title, types) in [("Persona", PERSONA_TYPES), ("Plugin", PLUGIN_TYPES)] {
        line(&mut page, format_args!("\n## {title}"));
        write_types(&mut page, &taken_apart("", types).types);
    }
    line(&mut page, format_args!("\n```luau signature\n{}\n```", PLUGIN_STUB.trim()));
    page.push_str("\n## Tests\n\nWhat a file like `night_owl.test.luau` finds besides; see [Testing](testing.md).\n");
    let words = taken_apart("given", testing::TYPES);
    for entry in &words.entries {
        write_entry(&mut page, entry);
    }
    write_types(&mut page, &words.types);
    line(&mut page, format_args!("\n## What Luau brings\n"));
    let kept: Vec<String> = super::vm_globals().iter().map(|name| format!("`{name}`")).collect();
    line(
        &mut page,
        format_args!(
            "Besides the modules a script finds {}, and nothing else: no files, no network, no clock of the machine. \
             `print` writes to the bot's log. `require` reaches `@behaviours` and `@lib`.",
            kept.join(" ")
        ),
    );
    page
}

/// The modules with a stub, those of plugins last.
fn documented() -> impl Iterator<Item = &'static Module> {
    MODULES.iter().chain(&PLUGIN_MODULES).filter(|module| !module.types.is_empty())
}

fn write_entry(page: &mut String, entry: &Entry) {
    line(page, format_args!("\n### {}\n", entry.name));
    line(page, format_args!("```luau signature\n{}{}\n```\n", entry.name, entry.signature));
    line(page, format_args!("{}", entry.docs.text.join("\n")));
    if let Some(failures) = &entry.docs.failures {
        line(page, format_args!("\nFailures: {failures}"));
    }
    if !entry.docs.example.is_empty() {
        line(page, format_args!("\n```luau fragment\n{}\n```", entry.docs.example.join("\n")));
    }
}

fn write_types(page: &mut String, types: &[String]) {
    for source in types {
        line(page, format_args!("\n```luau signature\n{}\n```", source.trim_end()));
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = writeln!(page, "{text}");
}

/// How the heading of a function is linked to: without its dots.
fn anchor(name: &str) -> String {
    name.replace(['.', ':', '(', ')'], "")
}

/// Stubs are written one way: what is declared stands at the margin, its fields one tab deep, and comments above both.
fn taken_apart(module: &str, text: &str) -> Stub {
    let mut stub = Stub::default();
    let mut docs: Vec<String> = Vec::new();
    let mut lines = text.lines();
    while let Some(first) = lines.next() {
        if let Some(comment) = first.strip_prefix("---") {
            docs.push(comment.strip_prefix(' ').unwrap_or(comment).to_owned());
            continue;
        }
        let above = std::mem::take(&mut docs);
        if !first.starts_with("declare ") && !first.starts_with("export type ") {
            continue;
        }
        let mut body: Vec<&str> = Vec::new();
        if first.ends_with('{') {
            body.extend(lines.by_ref().take_while(|line| !line.starts_with('}')));
        }
        let entries = entries(&body);
        if let Some((name, rest)) = first.strip_prefix("declare function ").and_then(|rest| rest.split_once('(')) {
            let docs = Docs { text: above, ..Docs::default() };
            stub.entries.push(Entry { name: name.to_owned(), signature: format!("({rest}"), docs });
        } else if first.starts_with("declare ") {
            stub.about = above;
            stub.entries.extend(named(&format!("{module}."), entries));
        } else if entries.iter().any(|entry| !entry.docs.example.is_empty()) {
            // Functions that a module has under more than one name, or that stand behind a value.
            let owner = match first.split_whitespace().nth(2) {
                Some("TestBot") => "bot:".to_owned(),
                Some("TestPlugin") => "plugin:".to_owned(),
                Some("Expectation") => "expect(value):".to_owned(),
                _ => format!("{module}."),
            };
            stub.entries.extend(named(&owner, entries));
        } else {
            let mut source: String = above.iter().map(|line| format!("--- {line}\n")).collect();
            source.push_str(first.strip_prefix("export ").unwrap_or(first));
            for line in &body {
                source.push('\n');
                source.push_str(line);
            }
            source.push_str(if body.is_empty() { "" } else { "\n}" });
            stub.types.push(source);
        }
    }
    stub
}

fn named(owner: &str, entries: Vec<Entry>) -> impl Iterator<Item = Entry> {
    entries.into_iter().map(move |entry| Entry { name: format!("{owner}{}", entry.name), ..entry })
}

fn entries(body: &[&str]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut docs = Docs::default();
    let mut is_example = false;
    for line in body {
        let Some(line) = line.strip_prefix('\t').filter(|line| !line.starts_with('\t')) else { continue };
        if let Some(comment) = line.strip_prefix("---") {
            let comment = comment.strip_prefix(' ').unwrap_or(comment);
            match comment {
                "```luau" => is_example = true,
                "```" => is_example = false,
                _ if is_example => docs.example.push(comment.to_owned()),
                _ => match comment.strip_prefix("Failures: ") {
                    Some(failures) => docs.failures = Some(failures.to_owned()),
                    None => docs.text.push(comment.to_owned()),
                },
            }
            continue;
        }
        let docs = std::mem::take(&mut docs);
        if let Some((name, kind)) = line.trim_end_matches(',').split_once(": ")
            && kind.contains("->")
        {
            entries.push(Entry { name: name.to_owned(), signature: called(kind), docs });
        }
    }
    entries
}

/// `(id: string) -> Post?` stays, `<T>(list: { T }) -> T?` too: a function's type is its signature but for the arrow's end.
fn called(kind: &str) -> String {
    match kind.rsplit_once(" -> ") {
        Some((takes, gives)) => {
            // Who is called stands before the colon already.
            let takes = ["TestBot", "TestPlugin", "Expectation"]
                .into_iter()
                .flat_map(|me| [format!("(self: {me}, "), format!("(self: {me}")])
                .find_map(|me| takes.strip_prefix(me.as_str()))
                .map_or_else(|| takes.to_owned(), |rest| format!("({rest}"));
            format!("{takes}: {gives}")
        }
        None => kind.to_owned(),
    }
}
