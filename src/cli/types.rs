//! `fleet types`: what an editor needs to complete and check scripts.
//!
//! Nothing that somebody wrote by hand is overwritten: settings are added to, and what cannot be added to is told.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value, json};

use super::failure::{Exit, Failure};
use super::output::Output;
use crate::config::Config;
use crate::lua::definitions;

/// `fleet types`
#[derive(Debug, Args)]
pub(super) struct TypesArgs {
    /// The folder that an editor opens; scripts_dir and plugins_dir are named from there
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Write nothing; exit with 4 when something is missing or stale
    #[arg(long)]
    check: bool,
}

/// Where the definitions are, below the folder.
const DEFINITIONS: &str = ".fleet/fleet.d.luau";
/// Where Luau's tools look for aliases.
const ALIASES: &str = ".luaurc";
/// Where Visual Studio Code and its kin keep a folder's settings.
const SETTINGS: &str = ".vscode/settings.json";

/// What became of one file.
enum State {
    Current,
    Missing,
    Stale,
}

/// One file as it should be.
struct Wanted {
    path: PathBuf,
    text: String,
    state: State,
}

/// Writes the files, or tells which are not as they should be.
pub(super) fn run(config: &Config, args: &TypesArgs, output: &Output) -> Result<Exit, Failure> {
    if !args.dir.is_dir() {
        let hint = Some("name a folder that is there, or go to it and leave the name out".to_owned());
        return Err(Failure::usage(anyhow::anyhow!("there is no folder `{}`", args.dir.display()), hint));
    }
    let wanted = [
        wanted(args.dir.join(DEFINITIONS), |_| Ok(definitions::definitions()))?,
        wanted(args.dir.join(ALIASES), |old| merge(old, &aliases(config, &args.dir)))?,
        wanted(args.dir.join(SETTINGS), |old| merge(old, &settings()))?,
    ];
    let mut stale = 0;
    for file in &wanted {
        let path = file.path.display();
        let line = match (&file.state, args.check) {
            (State::Current, _) => format!("up to date  {path}\n"),
            (State::Missing, true) => format!("missing     {path}\n"),
            (State::Stale, true) => format!("stale       {path}\n"),
            (State::Missing, false) => format!("written     {path}\n"),
            (State::Stale, false) => format!("updated     {path}\n"),
        };
        output.text(&line)?;
        if !matches!(file.state, State::Current) {
            stale += 1;
            if !args.check {
                write(&file.path, &file.text)?;
            }
        }
    }
    if args.check {
        if stale > 0 {
            output.text("`fleet types` brings them up to date\n")?;
        }
        return Ok(if stale > 0 { Exit::Scripts } else { Exit::Fine });
    }
    output.text(
        "Visual Studio Code: install the extension `luau-lsp` and open the folder.\n\
         Other editors: luau-lsp lsp --definitions=.fleet/fleet.d.luau, with the platform `standard`.\n",
    )?;
    Ok(Exit::Fine)
}

fn wanted(path: PathBuf, text: impl FnOnce(Option<&str>) -> anyhow::Result<String>) -> Result<Wanted, Failure> {
    let old = match std::fs::read_to_string(&path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(anyhow::Error::new(error).context(format!("could not read `{}`", path.display())).into());
        }
    };
    let text = text(old.as_deref()).map_err(|problem| {
        let hint =
            format!("add these keys by hand, or move the file away and run `fleet types` again:\n{}", keys_of(&path));
        Failure::usage(problem.context(format!("could not add to `{}`", path.display())), Some(hint))
    })?;
    let state = match old {
        None => State::Missing,
        Some(old) if old == text => State::Current,
        Some(_) => State::Stale,
    };
    Ok(Wanted { path, text, state })
}

fn keys_of(path: &Path) -> String {
    let keys = if path.ends_with(SETTINGS) {
        settings()
    } else {
        json!({ "aliases": { "behaviours": "scripts/behaviours", "lib": "scripts/lib" } })
    };
    format!("{keys:#}")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder `{}`", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("could not write `{}`", path.display()))
}

/// Where `@behaviours`, `@lib` and `@plugins` are, as seen from a folder.
fn aliases(config: &Config, dir: &Path) -> Value {
    let from = |folder: PathBuf| {
        let full = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let base = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let shown = full.strip_prefix(&base).map_or(folder, Path::to_owned);
        shown.display().to_string()
    };
    json!({
        "languageMode": "strict",
        "aliases": {
            "behaviours": from(config.scripts_dir.join("behaviours")),
            "lib": from(config.scripts_dir.join("lib")),
            "plugins": from(config.plugins_dir.clone()),
        },
    })
}

fn settings() -> Value {
    json!({
        "luau-lsp.platform.type": "standard",
        "luau-lsp.types.definitionFiles": { "@fleet": DEFINITIONS },
    })
}

/// Adds keys to what is there. A key that somebody set otherwise is set anew only where the value is ours alone.
fn merge(old: Option<&str>, keys: &Value) -> anyhow::Result<String> {
    let mut all: Value = match old.map(str::trim).filter(|old| !old.is_empty()) {
        None => Value::Object(Map::new()),
        Some(old) => serde_json::from_str(old).context("it is not plain JSON (comments are not)")?,
    };
    anyhow::ensure!(all.is_object(), "it is not a JSON object");
    add(&mut all, keys);
    Ok(format!("{all:#}\n"))
}

fn add(all: &mut Value, keys: &Value) {
    match (all, keys) {
        (Value::Object(all), Value::Object(keys)) => {
            for (key, value) in keys {
                match all.get_mut(key) {
                    Some(there) if value.is_object() && there.is_object() => add(there, value),
                    // A mode that somebody chose stays.
                    Some(_) if key == "languageMode" => {}
                    _ => {
                        all.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (all, keys) => *all = keys.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_added_to() {
        let old = r#"{"editor.tabSize": 2, "luau-lsp.types.definitionFiles": {"@mine": "mine.d.luau"}}"#;
        let new: Value = serde_json::from_str(&merge(Some(old), &settings()).expect("merged")).expect("JSON");
        assert_eq!(new["editor.tabSize"], 2);
        assert_eq!(new["luau-lsp.types.definitionFiles"], json!({ "@mine": "mine.d.luau", "@fleet": DEFINITIONS }));
        let mode: Value = serde_json::from_str(
            &merge(Some("{\"languageMode\": \"nonstrict\"}"), &json!({ "languageMode": "strict" })).expect("merged"),
        )
        .expect("JSON");
        assert_eq!(mode["languageMode"], "nonstrict");
        for wrong in ["// mine\n{}", "[1]", "{"] {
            assert!(merge(Some(wrong), &settings()).is_err(), "{wrong}");
        }
    }
}
