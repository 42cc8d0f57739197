//! The readme: what it tells people to do works.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use floimg_fleet::lua::limits::Limits;
use floimg_fleet::lua::version::{Sources, Workshop};
use floimg_fleet::lua::{rehearse, rehearse_refused};
use floimg_fleet::model::permission::Permissions;

const README: &str = include_str!("../../README.md");

/// The lines of all code blocks of one kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    README.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let lines: Vec<&str> =
        blocks("sh").into_iter().flat_map(str::lines).filter(|line| line.starts_with("fleet")).collect();
    assert!(lines.len() > 10, "the commands are found: {lines:?}");
    let folder = tempfile::TempDir::new().expect("a folder");
    for line in lines {
        let words = line.split('#').next().unwrap_or(line).split_whitespace().skip(1);
        let arguments: Vec<&str> = words.map(|word| word.trim_matches('"')).collect();
        // No fleet answers at port 0 and there is no --config of this name, so every command ends before it acts;
        // a word that the command line does not know ends it sooner, and is named.
        let output = Command::new(env!("CARGO_BIN_EXE_fleet"))
            .args(&arguments)
            .args(["--config", "missing.toml"])
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("missing.toml"), "`{line}`: {told}");
    }
}

#[test]
fn files_and_folders_that_it_names_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let linked = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let linked: Vec<&str> = linked.filter(|link| !link.contains("://") && !link.contains('*')).collect();
    assert!(linked.len() > 4, "the links are found: {linked:?}");
    for link in linked {
        // The picture is made by hand, and its place is kept.
        assert!(link == "docs/gallery.png" || root.join(link).exists(), "{link}");
    }
}

#[test]
fn the_sections_are_those_of_the_config() {
    let shipped: toml::Table = floimg_fleet::config::SHIPPED.parse().expect("TOML");
    for (section, _) in shipped.iter().filter(|(_, value)| value.is_table()) {
        assert!(README.contains(&format!("| `[{section}]` |")), "[{section}] is not in the table");
    }
}

#[tokio::test]
async fn the_first_persona_lives() {
    let mut sources = Sources::default();
    let [persona] = blocks("luau")[..] else { panic!("one persona") };
    sources.files.insert("personas/night_owl.luau".to_owned(), persona.into());
    let limits = Limits {
        memory_bytes: 12 << 20,
        tick_cpu: Duration::from_secs(10),
        poll_cpu: Duration::from_secs(10),
        state_bytes: 64 << 10,
        log_lines: 50,
        source_bytes: 256 << 10,
    };
    let mut workshop = Workshop::new().expect("the prelude compiles");
    workshop.compile(&sources, &limits);
    let version = Arc::new(workshop.build(&sources, "night_owl", &limits).expect("nothing is wrong with it"));
    assert!(version.warnings.is_empty(), "{:?}", version.warnings);
    let now = "2026-01-01T00:00:00Z".parse().expect("a time");
    let usual = Arc::new(Permissions::usual());
    rehearse(&version, limits, &usual, now).await.expect("it lives");
    assert_eq!(rehearse_refused(&version, limits, &usual, now).await.map(|wrong| format!("{wrong:?}")), None);
}
