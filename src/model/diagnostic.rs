//! A diagnostic: what is wrong with a script, where, and what to do about it.
//!
//! Terminal, log, API and page all show this one thing; [`Diagnostic::as_json`] is its only shape in JSON and
//! [`super::frame`] its only picture.

use std::fmt;

use serde_json::{Value, json};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The version cannot be taken.
    Error,
    /// It can, but the author should look.
    Warning,
}

impl Severity {
    /// The word in JSON and on a terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Which characters of a line are meant, from 1; `to` is the first that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Columns {
    /// The first character.
    pub from: u32,
    /// The character after the last.
    pub to: u32,
}

/// One thing that is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file, like `scripts/personas/ai_artist.luau`.
    pub file: String,
    /// The line, from 1, where one is known.
    pub line: Option<u32>,
    /// The part of the line, where it is known.
    pub columns: Option<Columns>,
    /// The line itself as it was when this was found, where it is known.
    pub source: Option<String>,
    /// What is wrong, without a full stop.
    pub message: String,
    /// Values of interest, like the arguments of a call that failed.
    pub notes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The calls that led there, outermost last, without the host's own.
    pub traceback: Vec<String>,
}

impl Diagnostic {
    /// An error in a file.
    pub fn error(file: impl Into<String>, line: Option<u32>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            line,
            columns: None,
            source: None,
            message: message.into(),
            notes: Vec::new(),
            hint: None,
            traceback: Vec::new(),
        }
    }

    /// The same with advice.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same as a warning.
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same with its line out of the file's text, and all of that line meant unless a part of it is.
    pub fn with_text(mut self, text: &str) -> Self {
        /// Longer lines are generated, and fill a screen without telling anything.
        const LINE_CHARS: usize = 400;
        if let Some(line) = self.line.and_then(|line| text.lines().nth(line.saturating_sub(1) as usize)) {
            self.source = Some(line.trim_end().chars().take(LINE_CHARS).collect());
        }
        self
    }

    /// The one shape of a diagnostic in JSON.
    pub fn as_json(&self) -> Value {
        json!({
            "severity": self.severity.as_str(),
            "file": self.file,
            "line": self.line,
            "column": self.columns.map(|columns| columns.from),
            "end_column": self.columns.map(|columns| columns.to),
            "source": self.source,
            "message": self.message,
            "notes": self.notes,
            "hint": self.hint,
            "traceback": self.traceback,
            "frame": super::frame::plain(self),
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}
