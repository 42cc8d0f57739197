//! What commands print: lines, tables and JSON on standard output.
//!
//! Colour and cutting to width happen on a terminal only, and no text from outside can move its cursor.

use std::io::{self, IsTerminal, Write};

use anstyle::Style;
use serde_json::Value;

use crate::text::is_unsafe;

/// Standard output took no more.
#[derive(Debug, thiserror::Error)]
#[error("could not write to standard output")]
pub(super) struct Unwritten(#[from] pub(super) io::Error);

/// Standard output.
pub(super) struct Output {
    width: Option<usize>,
}

impl Output {
    /// Looks at what standard output is.
    pub(super) fn new() -> Self {
        let width = io::stdout().is_terminal().then(|| {
            let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| size.ws_col);
            if columns == 0 { 80 } else { usize::from(columns) }
        });
        Self { width }
    }

    /// Prints text as it is, which must be our own or [`crate::text::printable`].
    pub(super) fn text(&self, text: &str) -> Result<(), Unwritten> {
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Prints a value as JSON.
    pub(super) fn json(&self, value: &Value) -> Result<(), Unwritten> {
        self.text(&format!("{value:#}\n"))
    }

    /// Prints a value as JSON on one line.
    pub(super) fn json_line(&self, value: &Value) -> Result<(), Unwritten> {
        self.text(&format!("{value}\n"))
    }

    /// Prints text on standard error.
    pub(super) fn aside(&self, text: &str) -> Result<(), Unwritten> {
        Ok(anstream::stderr().lock().write_all(text.as_bytes())?)
    }

    /// Empties the terminal; what is no terminal never shows it.
    pub(super) fn clear(&self) -> Result<(), Unwritten> {
        if self.width.is_some() { self.text("\u{1b}[2J\u{1b}[3J\u{1b}[H") } else { Ok(()) }
    }

    /// Prints a table.
    pub(super) fn table(&self, header: &[&str], rows: &[Vec<String>]) -> Result<(), Unwritten> {
        self.text(&table(header, rows, self.width))
    }

    /// Prints whatever a fleet answered: an object as one name and value a line, a list of objects as a table.
    pub(super) fn value(&self, value: &Value) -> Result<(), Unwritten> {
        match value {
            Value::Object(_) => {
                let mut rows = Vec::new();
                flatten(String::new(), value, &mut rows);
                let rows: Vec<_> = rows.into_iter().map(|(name, text)| vec![name, text]).collect();
                self.table(&[], &rows)
            }
            Value::Array(items) => {
                let mut names: Vec<&str> = Vec::new();
                for name in items.iter().filter_map(Value::as_object).flat_map(|object| object.keys()) {
                    if !names.contains(&name.as_str()) {
                        names.push(name);
                    }
                }
                let row = |item: &Value| names.iter().map(|name| cell(item.get(name))).collect();
                self.table(&names, &items.iter().map(row).collect::<Vec<_>>())
            }
            value => self.text(&format!("{}\n", cell(Some(value)))),
        }
    }
}

fn flatten(name: String, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                flatten(if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, value, rows);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                flatten(format!("{name}[{index}]"), item, rows);
            }
        }
        value => rows.push((name, cell(Some(value)))),
    }
}

/// A JSON value as the text of a cell.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join(", "),
        Some(value) => value.to_string(),
    }
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Columns that a character takes; rough, but right for what names and captions use.
fn columns(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200b..=0x200f | 0x2060 | 0xfe00..=0xfe0f | 0x1f3fb..=0x1f3ff => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1f9ff => 2,
        0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The longest cell when there is no terminal to fit.
const LONGEST: usize = 400;

/// Lays out rows under a header, aligned; each line at most `limit` columns wide.
fn table(header: &[&str], rows: &[Vec<String>], limit: Option<usize>) -> String {
    let clean = |text: &str| -> String {
        text.chars().take(LONGEST).map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect()
    };
    let header: Vec<String> = header.iter().map(|name| clean(name).to_uppercase()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|text| clean(text)).collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in std::iter::once(&header).chain(&rows) {
        for (index, text) in row.iter().enumerate() {
            match widths.get_mut(index) {
                Some(widest) => *widest = width(text).max(*widest),
                None => widths.push(width(text)),
            }
        }
    }
    let line = |row: &[String]| {
        let mut line = String::new();
        for (index, text) in row.iter().enumerate() {
            line.push_str(text);
            if index + 1 < row.len() {
                let gap = widths.get(index).map_or(0, |widest| widest - width(text)) + 2;
                line.extend(std::iter::repeat_n(' ', gap));
            }
        }
        limit.map_or_else(|| line.trim_end().to_owned(), |limit| cut(line.trim_end(), limit))
    };
    let mut text = String::new();
    if !header.is_empty() {
        let bold = Style::new().bold();
        text.push_str(&format!("{bold}{}{bold:#}\n", line(&header)));
    }
    for row in &rows {
        text.push_str(&line(row));
        text.push('\n');
    }
    text
}

fn cut(line: &str, limit: usize) -> String {
    if width(line) <= limit {
        return line.to_owned();
    }
    let mut room = limit.saturating_sub(1);
    let fits = |c: &char| {
        let fits = columns(*c) <= room;
        room = room.saturating_sub(columns(*c));
        fits
    };
    line.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        vec![row(["a-1", "夢の絵", "asleep until 07:40"]), row(["artist-12", "é\u{301}", "line\nbreak\u{1b}[2J"])]
    }

    #[test]
    fn columns_line_up_and_control_characters_are_gone() {
        assert_eq!(
            anstream::adapter::strip_str(&table(&["id", "name", "reason"], &rows(), None)).to_string(),
            "ID         NAME    REASON\n\
             a-1        夢の絵  asleep until 07:40\n\
             artist-12  é\u{301}       line\u{fffd}break\u{fffd}[2J\n"
        );
    }

    #[test]
    fn lines_are_cut_to_the_terminal() {
        let text = table(&[], &rows(), Some(15));
        assert_eq!(text, "a-1        夢…\nartist-12  é\u{301}  …\n");
        assert!(text.lines().all(|line| width(line) <= 15));
    }
}
