//! `fleet new`: a working beginning of a script.
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

    fn template(self) -> &'static str {
        match self {
            Self::Persona => include_str!("new/persona.luau"),
            Self::Behaviour => include_str!("new/behaviour.luau"),
        }
    }
}

/// Writes the file and says what to do next.
pub(super) fn run(config: &Config, args: &NewArgs, output: &Output) -> Result<Exit, Failure> {
    let folder = config.scripts_dir.join(args.kind.folder());
    let name = args.name.as_str();
    let taken =
        ["luau", "lua"].map(|ending| folder.join(format!("{name}.{ending}"))).into_iter().find(|path| path.exists());
    if let Some(taken) = taken {
        let hint = Some("choose another name, or edit that file".to_owned());
        return Err(Failure::usage(anyhow::anyhow!("`{}` is there already", taken.display()), hint));
    }
    let title = title_of(name);
    let path = folder.join(format!("{name}.luau"));
    write(&path, &args.kind.template().replace("NAME", name).replace("TITLE", &title))?;
    let next = match args.kind {
        Kind::Persona => format!("fleet check {0}\nfleet bots --persona {name}    when a fleet runs\n", path.display()),
        Kind::Behaviour => format!("local {name} = require(\"@behaviours/{name}\")    in a persona\n"),
    };
    output.text(&format!("written  {}\n\n{next}", path.display()))?;
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
