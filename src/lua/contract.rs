//! The persona contract: which fields there are, and where in the file a wrong one stands.

use mlua::{Table, Value};

use crate::model::diagnostic::Diagnostic;
use crate::text;

use super::analysis::study::Study;
use super::args::shown;

/// The fields of a persona's table.
pub const FIELDS: [&str; 16] = [
    "name",
    "weight",
    "identity",
    "voice",
    "interests",
    "schedule",
    "pace",
    "model",
    "needs",
    "templates",
    "reload",
    "on_start",
    "on_tick",
    "on_event",
    "on_reload",
    "description",
];

/// Something wrong with a field of a persona's table, before anybody looked where that stands.
#[derive(Debug)]
pub struct Problem {
    /// The field, like `identity.names[2]`; empty for the table itself.
    pub field: String,
    /// Whether its name is wrong, and not its value.
    pub is_name: bool,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

impl Problem {
    /// A wrong value.
    pub fn new(field: impl Into<String>, diagnostic: Diagnostic) -> Self {
        Self { field: field.into(), is_name: false, diagnostic }
    }

    /// The diagnostic with its place in the file.
    pub fn placed(self, study: Option<&Study>, text: &str) -> Diagnostic {
        let mut diagnostic = self.diagnostic;
        if let Some(entry) = study.and_then(|study| study.outline.find(&self.field)) {
            let spot = if self.is_name { entry.key } else { entry.value };
            diagnostic.line = Some(spot.line);
            diagnostic.columns = Some(spot.columns);
        } else if !text.trim().is_empty() {
            // A file that the analysis does not know, or one that returns nothing: its last lines are the place to look.
            let last = text.lines().collect::<Vec<_>>().iter().rposition(|line| !line.trim().is_empty()).unwrap_or(0);
            diagnostic.line = u32::try_from(last + 1).ok();
        }
        diagnostic.with_text(text)
    }
}

/// The table that a persona's file must return, its fields checked by name.
pub fn table(file: &str, returned: &Value, problems: &mut Vec<Problem>) -> Option<Table> {
    let Value::Table(table) = returned else {
        let message = format!("a persona's file must return one table, got {}", shown(returned));
        let problem =
            Diagnostic::error(file, None, message).with_hint("end the file with `return { name = \"…\", … }`");
        problems.push(Problem::new("", problem));
        return None;
    };
    check_names(file, "", table, &FIELDS, problems);
    Some(table.clone())
}

/// Names every key of a table that is not among the known ones.
pub fn check_names(file: &str, path: &str, table: &Table, known: &[&str], problems: &mut Vec<Problem>) {
    let mut unknown = Vec::new();
    // A table that cannot be walked is reported by whoever reads it.
    let _ = table.for_each(|key: Value, _: Value| {
        let name = match &key {
            Value::String(name) => text::clip(&name.to_string_lossy(), 60),
            other => shown(other),
        };
        if !known.contains(&name.as_str()) {
            unknown.push(name);
        }
        Ok(())
    });
    unknown.sort();
    for name in unknown {
        let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let hint = match text::nearest(&name, known) {
            Some(near) => format!("did you mean `{near}`? Known: {}", known.join(", ")),
            None => format!("known: {}", known.join(", ")),
        };
        let diagnostic = Diagnostic::error(file, None, format!("unknown field `{field}`")).with_hint(hint);
        problems.push(Problem { field, is_name: true, diagnostic });
    }
}
