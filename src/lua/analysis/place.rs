//! Places: from bytes of a text to lines and characters, and findings that name them.

use super::tree::Span;
use crate::model::diagnostic::{Columns, Diagnostic};

/// A text with the beginnings of its lines.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The line a byte is in, from 1.
    pub fn line(&self, at: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= at)).unwrap_or(u32::MAX).max(1)
    }

    /// The bytes of a line, from 1, without its end.
    pub fn range(&self, line: u32) -> Span {
        let index = (line as usize).saturating_sub(1);
        let from = self.starts.get(index).copied().unwrap_or(self.text.len());
        let to = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        Span { from, to }
    }

    /// The part of its first line that a span covers.
    pub fn columns(&self, span: Span) -> Columns {
        let line = self.range(self.line(span.from));
        let chars = |to: usize| {
            let part = self.text.get(line.from..to.clamp(line.from, line.to)).unwrap_or_default();
            u32::try_from(part.chars().count()).unwrap_or(u32::MAX - 1) + 1
        };
        Columns { from: chars(span.from), to: chars(span.to.max(span.from)) }
    }

    /// What stands there.
    pub fn text(&self, span: Span) -> &'a str {
        self.text.get(span.from..span.to).unwrap_or_default()
    }

    /// A diagnostic at this place.
    pub fn diagnostic(&self, file: &str, span: Span, message: impl Into<String>) -> Diagnostic {
        let line = self.line(span.from);
        let mut diagnostic = Diagnostic::error(file, Some(line), message);
        diagnostic.columns = Some(self.columns(span));
        diagnostic.with_text(self.text)
    }
}

/// What the checks of one file found.
#[derive(Debug)]
pub struct Findings<'a> {
    file: String,
    lines: &'a Lines<'a>,
    /// In the order of the checks.
    pub all: Vec<Diagnostic>,
}

impl<'a> Findings<'a> {
    pub fn new(path: &str, lines: &'a Lines<'a>) -> Self {
        Self { file: format!("scripts/{path}"), lines, all: Vec::new() }
    }

    /// Sure to raise where it stands.
    pub fn error(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        let found = self.lines.diagnostic(&self.file, span, message).with_hint(hint);
        self.all.push(found);
    }

    /// Hardly meant like this.
    pub fn warning(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        let found = self.lines.diagnostic(&self.file, span, message).with_hint(hint).as_warning();
        self.all.push(found);
    }

    /// An error unless what it raises is caught.
    pub fn error_unless(&mut self, is_guarded: bool, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        if is_guarded { self.warning(span, message, hint) } else { self.error(span, message, hint) }
    }

    /// The lines of the file.
    pub fn lines(&self) -> &'a Lines<'a> {
        self.lines
    }
}
