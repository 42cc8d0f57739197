//! `fleet new`: a working beginning of a script, with its test.
//!
//! What is there is never overwritten.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::failure::{Exit, Failure};
use super::output::Output;
use crate::config::Config;
use crate::model::name::PersonaName;

/// `fleet new`
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// What to begin
    kind: Kind,
    /// Its name: lower-case letters, digits and underscores
    name: PersonaName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A personality with bots of its own
    Persona,
    /// Something that any bot can do
    Behaviour,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Persona => "personas",
            Self::Behaviour => "behaviours",
        }
    }

    /// The script, and its test.
    fn templates(self) -> [&'static str; 2] {
        match self {
            Self::Persona => [include_str!("new/persona.luau"), include_str!("new/persona.test.luau")],
            Self::Behaviour => [include_str!("new/behaviour.luau"), include_str!("new/behaviour.test.luau")],
        }
    }
}

/// Writes the files and says what to do next.
pub(super) fn run(config: &Config, args: &NewArgs, output: &Output) -> Result<Exit, Failure> {
    let folder = config.scripts_dir.join(args.kind.folder());
    let name = args.name.as_str();
    let endings = ["luau", "lua", "test.luau", "test.lua"];
    let taken = endings.map(|ending| folder.join(format!("{name}.{ending}"))).into_iter().find(|path| path.exists());
    if let Some(taken) = taken {
        let hint = Some("choose another name, or edit that file".to_owned());
        return Err(Failure::usage(anyhow::anyhow!("`{}` is there already", taken.display()), hint));
    }
    let title = title_of(name);
    let [script, test] = args.kind.templates().map(|text| text.replace("NAME", name).replace("TITLE", &title));
    let path = folder.join(format!("{name}.luau"));
    let test_path = folder.join(format!("{name}.test.luau"));
    write(&path, &script)?;
    write(&test_path, &test)?;
    let use_it = match args.kind {
        Kind::Persona => format!("fleet try {name}    see it live a few ticks\n"),
        Kind::Behaviour => format!("local {name} = require(\"@behaviours/{name}\")    in a persona\n"),
    };
    output.text(&format!(
        "written  {0}\nwritten  {1}\n\nNext:\n  fleet check {0}\n  fleet test {name}\n  {use_it}",
        path.display(),
        test_path.display()
    ))?;
    Ok(Exit::Fine)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder `{}`", folder.display()))?;
    }
    // Made only when it is not there, whoever else may be writing.
    let mut file =
        std::fs::File::create_new(path).with_context(|| format!("could not make the file `{}`", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("could not write `{}`", path.display()))
}

/// `night_owl` → `Night owl`
fn title_of(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
