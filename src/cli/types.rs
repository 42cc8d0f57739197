//! `fleet types`: what an editor needs to complete and check scripts.
//!
//! Nothing that somebody wrote by hand is lost in silence: settings are added to, and what is replaced is told.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value, json};

use super::failure::{Exit, Failure};
use super::output::Output;
use crate::config::Config;
use crate::lua::{definitions, reference};

/// `fleet types`
#[derive(Debug, Args)]
pub(super) struct TypesArgs {
    /// The folder that an editor opens; scripts_dir and plugins_dir are named from there
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Write nothing; exit with 4 when something is missing or stale
    #[arg(long)]
    check: bool,
    /// Write only the reference for people, as one Markdown page
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
}

/// Where the definitions are, below the folder.
const DEFINITIONS: &str = ".fleet/fleet.d.luau";
/// Where Luau's tools look for aliases.
const ALIASES: &str = ".luaurc";
/// Where Visual Studio Code and its kin keep a folder's settings.
const SETTINGS: &str = ".vscode/settings.json";

/// Keys that stay as somebody set them.
const CHOICES: [&str; 2] = ["languageMode", NEW_SOLVER];
/// The type checker that finds a misspelt field of a persona; the stubs are written for it.
const NEW_SOLVER: &str = "luau-lsp.fflags.enableNewSolver";

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
    /// What somebody wrote that is not in the new text.
    lost: Vec<String>,
}

/// Writes the files, or tells which are not as they should be.
pub(super) fn run(config: &Config, args: &TypesArgs, output: &Output) -> Result<Exit, Failure> {
    if !args.dir.is_dir() {
        let hint = Some("name a folder that is there, or go to it and leave the name out".to_owned());
        return Err(Failure::usage(anyhow::anyhow!("there is no folder `{}`", args.dir.display()), hint));
    }
    let wanted = match &args.reference {
        Some(file) => vec![wanted(file.clone(), |_| Ok((reference::reference(), Vec::new())))?],
        None => vec![
            wanted(args.dir.join(DEFINITIONS), |old| Ok((definitions::definitions(), changed_by_hand(old))))?,
            wanted(args.dir.join(ALIASES), |old| merge(old, &aliases(config, &args.dir)))?,
            wanted(args.dir.join(SETTINGS), |old| merge(old, &settings()))?,
        ],
    };
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
        for lost in &file.lost {
            output.text(&format!("            {} {lost}\n", if args.check { "would replace" } else { "replaced" }))?;
        }
        if !matches!(file.state, State::Current) {
            stale += 1;
            if !args.check {
                write(&file.path, &file.text)?;
            }
        }
    }
    if args.check {
        if stale > 0 {
            let how =
                args.reference.as_ref().map(|file| format!(" --reference {}", file.display())).unwrap_or_default();
            output
                .text(&format!("`fleet types{how}` brings {} up to date\n", if stale > 1 { "them" } else { "it" }))?;
        }
        return Ok(if stale > 0 { Exit::Scripts } else { Exit::Fine });
    }
    if args.reference.is_some() {
        return Ok(Exit::Fine);
    }
    output.text(
        "Visual Studio Code: install the extension `luau-lsp` and open the folder.\n\
         Other editors: luau-lsp lsp --definitions=.fleet/fleet.d.luau, with the platform `standard`.\n",
    )?;
    Ok(Exit::Fine)
}

/// A text, and what of the old one is not in it.
type Text = (String, Vec<String>);

fn wanted(path: PathBuf, text: impl FnOnce(Option<&str>) -> anyhow::Result<Text>) -> Result<Wanted, Failure> {
    let old = match std::fs::read_to_string(&path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(anyhow::Error::new(error).context(format!("could not read `{}`", path.display())).into());
        }
    };
    let (text, lost) = text(old.as_deref()).map_err(|problem| {
        let hint =
            format!("add these keys by hand, or move the file away and run `fleet types` again:\n{}", keys_of(&path));
        Failure::usage(problem.context(format!("could not add to `{}`", path.display())), Some(hint))
    })?;
    let state = match old {
        None => State::Missing,
        Some(old) if old == text => State::Current,
        Some(_) => State::Stale,
    };
    Ok(Wanted { path, text, state, lost })
}

/// The definitions carry a digest of themselves, so that what a program wrote and what a person changed can be told apart.
fn changed_by_hand(old: Option<&str>) -> Vec<String> {
    match old {
        Some(old) if !definitions::is_untouched(old) => {
            vec!["what was changed by hand; put definitions of your own into a file of their own".to_owned()]
        }
        _ => Vec::new(),
    }
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
        NEW_SOLVER: true,
        "luau-lsp.types.definitionFiles": { "@fleet": DEFINITIONS },
    })
}

/// Adds keys to what is there. What somebody set otherwise and the editor needs is replaced, and told.
fn merge(old: Option<&str>, keys: &Value) -> anyhow::Result<Text> {
    let mut all: Value = match old.map(str::trim).filter(|old| !old.is_empty()) {
        None => Value::Object(Map::new()),
        Some(old) => serde_json::from_str(old).context("it is not plain JSON (comments are not)")?,
    };
    anyhow::ensure!(all.is_object(), "it is not a JSON object");
    let before = all.clone();
    let mut lost = Vec::new();
    add(&mut all, keys, "", &mut lost);
    // The same keys in another layout are as good.
    let text = old.filter(|_| all == before).map_or_else(|| format!("{all:#}\n"), str::to_owned);
    Ok((text, lost))
}

fn add(all: &mut Value, keys: &Value, path: &str, lost: &mut Vec<String>) {
    let (Value::Object(all), Value::Object(keys)) = (all, keys) else { return };
    for (key, value) in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path} → {key}") };
        match all.get_mut(key) {
            Some(there) if value.is_object() && there.is_object() => add(there, value, &path, lost),
            Some(there) if there == value => {}
            // How strictly scripts are checked is for somebody who chose it.
            Some(_) if CHOICES.contains(&key.as_str()) => {}
            // The list that luau-lsp also takes is kept, and added to.
            Some(Value::Array(there)) if key == "luau-lsp.types.definitionFiles" => {
                let ours = Value::from(DEFINITIONS);
                if !there.contains(&ours) {
                    there.push(ours);
                }
            }
            there => {
                if let Some(there) = there {
                    lost.push(format!("{path}, which was {there}"));
                }
                all.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(old: &str, keys: &Value) -> (Value, Vec<String>) {
        let (text, lost) = merge(Some(old), keys).expect("merged");
        (serde_json::from_str(&text).expect("JSON"), lost)
    }

    #[test]
    fn what_is_there_is_added_to_and_what_is_replaced_is_told() {
        let old = r#"{"editor.tabSize": 2, "luau-lsp.types.definitionFiles": {"@mine": "mine.d.luau"}}"#;
        let (new, lost) = merged(old, &settings());
        assert_eq!(new["editor.tabSize"], 2);
        assert_eq!(new["luau-lsp.types.definitionFiles"], json!({ "@mine": "mine.d.luau", "@fleet": DEFINITIONS }));
        assert!(lost.is_empty(), "{lost:?}");
        let (new, lost) = merged(r#"{"luau-lsp.types.definitionFiles": ["mine.d.luau"]}"#, &settings());
        assert_eq!(new["luau-lsp.types.definitionFiles"], json!(["mine.d.luau", DEFINITIONS]));
        assert!(lost.is_empty(), "{lost:?}");
        let keys = json!({ "languageMode": "strict", "aliases": { "lib": "scripts/lib" } });
        let (new, lost) = merged(r#"{"languageMode": "nonstrict", "aliases": {"lib": "mine", "x": "y"}}"#, &keys);
        assert_eq!(new, json!({ "languageMode": "nonstrict", "aliases": { "lib": "scripts/lib", "x": "y" } }));
        assert_eq!(lost, ["aliases → lib, which was \"mine\""]);
        for wrong in ["// mine\n{}", "[1]", "{"] {
            assert!(merge(Some(wrong), &settings()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_as_it_should_be_keeps_its_layout() {
        let old = settings().to_string();
        assert_eq!(merge(Some(&old), &settings()).expect("merged").0, old);
    }
}
