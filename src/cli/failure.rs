//! How a command ends: its exit code, and what it tells when it fails.
//!
//! The exit codes are part of the program's interface and stand in `fleet --help`.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use super::output::Unwritten;
use super::remote::RemoteError;
use crate::config::ConfigError;
use crate::text::printable;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All went well.
    Fine = 0,
    /// Something failed.
    Failed = 1,
    /// The command line or the config is wrong.
    Usage = 2,
    /// No fleet answers.
    NoFleet = 3,
    /// Scripts have errors.
    Scripts = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed, and what to do.
#[derive(Debug)]
pub(super) struct Failure {
    error: anyhow::Error,
    usage: bool,
    hint: Option<String>,
}

impl Failure {
    /// A wrong command line.
    pub(super) fn usage(error: impl Into<anyhow::Error>, hint: Option<String>) -> Self {
        Self { error: error.into(), usage: true, hint }
    }

    /// Tells what went wrong, unless it was only that nobody reads any more.
    pub(super) fn tell(&self) -> Exit {
        let unwritten = self.error.downcast_ref::<Unwritten>();
        if unwritten.is_some_and(|Unwritten(error)| error.kind() == ErrorKind::BrokenPipe) {
            return Exit::Fine;
        }
        let remote = self.error.downcast_ref::<RemoteError>();
        let exit = match remote {
            _ if self.usage || self.error.is::<ConfigError>() => Exit::Usage,
            Some(RemoteError::NoFleet { .. }) => Exit::NoFleet,
            _ => Exit::Failed,
        };
        let hint = self.hint.clone().or_else(|| remote.and_then(RemoteError::hint));
        // There is nowhere left to tell that standard error is closed.
        let _ = self.write(hint.as_deref());
        exit
    }

    fn write(&self, hint: Option<&str>) -> std::io::Result<()> {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let bold = anstyle::Style::new().bold();
        let mut err = anstream::stderr().lock();
        // Advice travels in the chain as a line of its own that begins with `hint:`.
        let told: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        let mut hints: Vec<&str> = Vec::new();
        let mut causes: Vec<&str> = Vec::new();
        for text in &told {
            let (cause, advice) = match text.strip_prefix("hint: ") {
                Some(advice) => ("", advice),
                None => text.split_once("\nhint: ").unwrap_or((text, "")),
            };
            causes.extend(Some(cause).filter(|cause| !cause.is_empty()));
            hints.extend(Some(advice).filter(|advice| !advice.is_empty()));
        }
        let (first, rest) = causes.split_first().unwrap_or((&"something failed", &[]));
        writeln!(err, "{red}error{red:#}: {}", printable(first).trim_end())?;
        for cause in rest {
            writeln!(err, "{bold}caused by{bold:#}: {}", printable(cause))?;
        }
        for advice in hints {
            writeln!(err, "{bold}hint{bold:#}: {}", printable(advice))?;
        }
        if let Some(hint) = hint {
            writeln!(err, "{bold}hint{bold:#}: {}", printable(hint))?;
        }
        Ok(())
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), usage: false, hint: None }
    }
}
