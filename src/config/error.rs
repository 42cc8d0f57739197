//! What is wrong with a config, shown where it is written.
//!
//! Every problem of a config is told at once, and none shows a secret.

use std::fmt;
use std::ops::Range;

use super::value::conceal;

/// Why a config cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// All that is wrong; never empty.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, if one is to blame.
    pub key: Option<String>,
    /// The place, such as `config.toml:3:9` or `$FLEET__CLOCK__SPEED`.
    pub place: String,
    /// The line as it is written, if there is one.
    pub excerpt: Option<Excerpt>,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// A source line, and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The number of the line, for files.
    pub line: Option<usize>,
    /// The text of the line.
    pub text: String,
    /// The characters of the line that are meant.
    pub mark: Range<usize>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => writeln!(f, "the config cannot be used")?,
            many => writeln!(f, "the config cannot be used, for {many} reasons")?,
        }
        for problem in &self.problems {
            write!(f, "\n{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_ref().map(|key| format!("  [{}]", visible(key))).unwrap_or_default();
        writeln!(f, "  --> {}{key}", visible(&self.place))?;
        match &self.excerpt {
            None => writeln!(f, "   = {}", visible(&self.message))?,
            Some(excerpt) => excerpt.write(f, &visible(&self.message))?,
        }
        if let Some(hint) = &self.hint {
            let margin = self.excerpt.as_ref().map_or(1, Excerpt::margin);
            writeln!(f, " {:margin$} = hint: {}", "", visible(hint))?;
        }
        Ok(())
    }
}

/// How much of a long line is shown.
const WINDOW: usize = 100;

impl Excerpt {
    /// The line of `text` in which the bytes `span` begin.
    pub(super) fn new(text: &str, span: Range<usize>, numbered: bool) -> (Self, usize, usize) {
        let start = floor(text, span.start);
        let end = floor(text, span.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[..start].matches('\n').count() + 1;
        let before = text[line_start..start].chars().count();
        let marked = text[start..end.clamp(start, line_end)].chars().count();
        let excerpt = Self {
            line: numbered.then_some(line),
            text: conceal(text[line_start..line_end].trim_end_matches('\r')),
            mark: before..before + marked.max(1),
        };
        (excerpt, line, before + 1)
    }

    /// Puts dots over the part that is meant.
    pub(super) fn conceal_marked(&mut self) {
        let mark = self.mark.clone();
        let dotted = |(at, c)| if mark.contains(&at) { '•' } else { c };
        self.text = self.text.chars().enumerate().map(dotted).collect();
    }

    /// Leaves out what a key is set to.
    pub(super) fn without_value(&mut self) {
        let chars: Vec<char> = self.text.chars().collect();
        let end = self.mark.end.min(chars.len());
        if let Some(at) = chars[end..].iter().position(|c| *c == '=') {
            self.text = chars[..=end + at].iter().chain(&[' ', '…']).collect();
        }
    }

    fn margin(&self) -> usize {
        self.line.map_or(1, |line| line.to_string().len())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, message: &str) -> fmt::Result {
        let number = self.line.map(|line| line.to_string()).unwrap_or_default();
        let margin = self.margin();
        let from = self.mark.start.saturating_sub(WINDOW / 2);
        let shown: String = self.text.chars().skip(from).take(WINDOW).map(plain).collect();
        let lead = if from > 0 { "…" } else { "" };
        let indent = " ".repeat(self.mark.start - from + lead.chars().count());
        let carets = "^".repeat(self.mark.len().clamp(1, WINDOW / 2));
        writeln!(f, " {:margin$} |", "")?;
        writeln!(f, " {number:margin$} | {lead}{}", shown.trim_end())?;
        writeln!(f, " {:margin$} | {indent}{carets} {message}", "")
    }
}

/// A character that takes one column and cannot move a terminal's cursor.
fn plain(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

fn visible(text: &str) -> String {
    conceal(text).chars().map(plain).collect()
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}
