//! `fleet new`: a working beginning of a script, with its test.
//!
//! What is there is never overwritten.

use std::io::Write;
use std::path::{Path, PathBuf};

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
    /// Something that sees what the whole fleet does, and may deny or change it
    Plugin,
}

impl Kind {
    /// The folder of the script, and what it is called there, without an ending.
    fn place(self, config: &Config, name: &str) -> (PathBuf, String) {
        match self {
            Self::Persona => (config.scripts_dir.join("personas"), name.to_owned()),
            Self::Behaviour => (config.scripts_dir.join("behaviours"), name.to_owned()),
            Self::Plugin => (config.plugins_dir.join(name), "init".to_owned()),
        }
    }

    /// The script, and its test.
    fn templates(self) -> [&'static str; 2] {
        match self {
            Self::Persona => [include_str!("new/persona.luau"), include_str!("new/persona.test.luau")],
            Self::Behaviour => [include_str!("new/behaviour.luau"), include_str!("new/behaviour.test.luau")],
            Self::Plugin => [include_str!("new/plugin.luau"), include_str!("new/plugin.test.luau")],
        }
    }
}

/// Writes the files and says what to do next.
pub(super) fn run(config: &Config, args: &NewArgs, output: &Output) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    let (folder, stem) = args.kind.place(config, name);
    let has_plugins = config.plugins_dir.is_dir();
    let files = ["luau", "lua"].map(|ending| format!("{stem}.{ending}"));
    let tests = ["test.luau", "test.lua"].map(|ending| format!("{name}.{ending}"));
    let taken = files.iter().chain(&tests).map(|file| folder.join(file)).find(|path| path.exists());
    if let Some(taken) = taken {
        let hint = Some("choose another name, or edit that file".to_owned());
        return Err(Failure::usage(anyhow::anyhow!("`{}` is there already", taken.display()), hint));
    }
    let title = title_of(name);
    let [script, test] = args.kind.templates().map(|text| text.replace("NAME", name).replace("TITLE", &title));
    let path = folder.join(format!("{stem}.luau"));
    let test_path = folder.join(format!("{name}.test.luau"));
    write(&path, &script)?;
    write(&test_path, &test)?;
    let use_it = match args.kind {
        Kind::Persona => format!("fleet try {name}    see it live a few ticks\n"),
        Kind::Behaviour => format!("local {name} = require(\"@behaviours/{name}\")    in a persona\n"),
        Kind::Plugin => "fleet plugins    see how it fares in a running fleet\n".to_owned(),
    };
    // What the program brings is used only where there is no folder, as with scripts.
    let note = match args.kind {
        Kind::Plugin if !has_plugins => format!(
            "\nThe folder `{}` is new: the plugins inside the program (guard and others) no longer run beside it.\n",
            config.plugins_dir.display()
        ),
        _ => String::new(),
    };
    output.text(&format!(
        "written  {0}\nwritten  {1}\n\nNext:\n  fleet check {0}\n  fleet test {name}\n  {use_it}{note}",
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
