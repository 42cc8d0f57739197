//! The guides: every example in them runs, every command is one that the program takes, every link leads somewhere.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use floimg_fleet::lua::reference::reference;

use super::workbench::live;

/// A block of code: the words behind the fence, and what it holds.
struct Block {
    info: String,
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every guide but the reference, whose examples are those of the stubs and run there.
fn guides() -> BTreeMap<String, String> {
    let folder = root().join("docs");
    let pages = std::fs::read_dir(folder).expect("docs").map(|entry| entry.expect("an entry").path());
    let pages = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    let pages: BTreeMap<String, String> =
        pages.map(|path| (name(&path), std::fs::read_to_string(&path).expect("a page"))).collect();
    assert!(pages.len() > 6, "the guides are found: {:?}", pages.keys());
    pages.into_iter().filter(|(name, _)| name != "reference.md").collect()
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { info: info.to_owned(), code: code.join("\n") });
        }
    }
    blocks
}

fn fleet(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
    let output = command.env_clear().current_dir(folder).args(args).output().expect("the program starts");
    let told = [output.stdout, output.stderr].concat();
    (output.status.code().expect("an exit code"), String::from_utf8(told).expect("UTF-8"))
}

#[test]
fn the_reference_is_up_to_date() {
    let committed = std::fs::read_to_string(root().join("docs/reference.md")).expect("the reference");
    assert!(committed == reference(), "run `fleet types --reference docs/reference.md`");
}

#[test]
fn every_example_has_a_place() {
    for (name, page) in guides() {
        for block in blocks(&page) {
            let known = ["luau fragment", "sh", "toml", "text"].contains(&block.info.as_str());
            let is_file = block.info.starts_with("luau ") && block.info.ends_with(".luau");
            assert!(known || is_file, "{name}: nothing runs a block of `{}`:\n{}", block.info, block.code);
        }
    }
}

#[tokio::test]
async fn every_fragment_runs_in_a_tick() {
    let mut wrong = String::new();
    let mut count = 0;
    for (name, page) in guides() {
        for block in blocks(&page).iter().filter(|block| block.info == "luau fragment") {
            count += 1;
            if let Err(problem) = live(&block.code).await {
                writeln!(wrong, "{name}: {problem}\n{}", block.code).expect("room");
            }
        }
    }
    assert!(count > 5 && wrong.is_empty(), "{count}\n{wrong}");
}

/// Puts the files of a page into a folder: those behind this word, each by the path that stands behind it.
fn write_files(page: &str, word: &str, folder: &Path) -> Vec<String> {
    let mut written = Vec::new();
    for block in blocks(page) {
        let path = block.info.strip_prefix(word).map(str::trim_start);
        let Some(path) = path.filter(|path| path.ends_with(".luau") && !path.contains(' ')) else { continue };
        let full = folder.join(path);
        std::fs::create_dir_all(full.parent().expect("a folder")).expect("made");
        std::fs::write(&full, block.code).expect("written");
        written.push(path.to_owned());
    }
    written
}

#[test]
fn every_file_is_right_and_lives() {
    let mut personas = 0;
    for (name, page) in guides() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let files = write_files(&page, "luau ", folder.path());
        if files.is_empty() {
            continue;
        }
        // Compiles, studies and rehearses them; a warning would teach what the program warns of.
        let (code, told) = fleet(folder.path(), &["check"]);
        assert!(code == 0 && told.contains("0 errors, 0 warnings"), "{name}: {told}");
        if files.iter().any(|path| path.ends_with(".test.luau")) {
            let (code, told) = fleet(folder.path(), &["test"]);
            assert!(code == 0, "{name}: {told}");
        }
        personas += files.iter().filter(|path| path.starts_with("scripts/personas/")).count();
    }
    assert!(personas > 4, "the personas are found: {personas}");
}

#[test]
fn what_is_shown_of_mistakes_is_what_is_told() {
    let page = guides().remove("errors.md").expect("the guide");
    let folder = tempfile::TempDir::new().expect("a folder");
    assert_eq!(write_files(&page, "luau wrong ", folder.path()).len(), 1);
    let (code, told) = fleet(folder.path(), &["check"]);
    assert_eq!(code, 4);
    let shown: Vec<Block> = blocks(&page).into_iter().filter(|block| block.info == "text").collect();
    assert!(shown.len() > 2);
    for block in shown {
        assert!(told.contains(&block.code), "{}\n---\n{told}", block.code);
    }
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let mut count = 0;
    for (name, page) in guides() {
        for block in blocks(&page).iter().filter(|block| block.info == "sh") {
            for line in block.code.lines().filter(|line| line.starts_with("fleet")) {
                count += 1;
                let words = line.split('#').next().unwrap_or(line).split_whitespace().skip(1);
                let mut arguments: Vec<&str> = words.map(|word| word.trim_matches('"')).collect();
                // There is no such config, so the command ends before it acts; a word that is not known ends it sooner.
                arguments.extend(["--config", "missing.toml"]);
                let (_, told) = fleet(folder.path(), &arguments);
                assert!(told.contains("missing.toml"), "{name}: `{line}`: {told}");
            }
        }
    }
    assert!(count > 10, "the commands are found: {count}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages = guides();
    pages.insert("reference.md".to_owned(), reference());
    for (name, page) in &pages {
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            assert!(file.is_empty() || root().join("docs").join(file).exists(), "{name}: {link}");
            let target = if file.is_empty() { Some(page) } else { pages.get(file) };
            if let (Some(heading), Some(target)) = (heading, target) {
                assert!(headings(target).iter().any(|known| known == heading), "{name}: {link}");
            }
        }
    }
}

/// The names of a page's headings, as links spell them.
fn headings(page: &str) -> Vec<String> {
    let titles = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles
        .map(|title| {
            let kept = title.to_lowercase().replace(' ', "-");
            kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
        })
        .collect()
}
