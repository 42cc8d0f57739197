//! Where values come from: the sources that are read, and the one that gave a value.
//!
//! Nothing else in the program reads the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Everything that a config is made of, beside the shipped defaults. Loading from the same sources again rereads only
/// the file.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The config file.
    pub file: ConfigFile,
    /// The environment: overrides named `FLEET__SECTION__KEY`, and the variables that hold secrets.
    pub environment: BTreeMap<String, String>,
    /// Values from the command line; the last one wins.
    pub flags: Vec<Flag>,
}

/// Which file to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConfigFile {
    /// None.
    #[default]
    Nowhere,
    /// This one, if it is there.
    Optional(PathBuf),
    /// This one; it is an error if it is missing.
    Required(PathBuf),
}

/// One value from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as it was written, such as `--set`.
    pub name: &'static str,
    /// What it says, as `section.key=value`.
    pub setting: String,
}

impl Sources {
    /// The environment of this process, and `./config.toml` if it is there.
    pub fn of_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self {
            file: ConfigFile::Optional(PathBuf::from("config.toml")),
            environment: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            flags: Vec::new(),
        }
    }

    /// The secret in a variable, if there is one; spaces around it are taken off.
    pub(super) fn secret(&self, variable: &str) -> Option<crate::secret::Secret> {
        let text = self.environment.get(variable)?.trim();
        (!text.is_empty()).then(|| crate::secret::Secret::new(text))
    }
}

/// What gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The shipped defaults.
    Default,
    /// A line of a file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}
