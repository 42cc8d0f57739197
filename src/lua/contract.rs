//! The persona contract: which fields there are, and where in the file a wrong one stands.

use mlua::{Table, Value};

use crate::model::diagnostic::Diagnostic;
use crate::text;

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

/// The table that a persona's file must return, its fields checked by name.
pub fn table(file: &str, returned: &Value, diagnostics: &mut Vec<Diagnostic>) -> Option<Table> {
    let Value::Table(table) = returned else {
        diagnostics.push(
            Diagnostic::error(file, None, format!("a persona's file must return one table, got {}", shown(returned)))
                .with_hint("end the file with `return { name = \"…\", … }`"),
        );
        return None;
    };
    check_names(file, "", table, &FIELDS, diagnostics);
    Some(table.clone())
}

/// Names every key of a table that is not among the known ones.
pub fn check_names(file: &str, path: &str, table: &Table, known: &[&str], diagnostics: &mut Vec<Diagnostic>) {
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
        diagnostics.push(Diagnostic::error(file, None, format!("unknown field `{field}`")).with_hint(hint));
    }
}

/// Finds the line of the field that a diagnostic names in backticks, for one that came without a line.
pub fn locate(mut diagnostic: Diagnostic, source: &str) -> Diagnostic {
    if diagnostic.line.is_some() {
        return diagnostic;
    }
    // A message that names no field is about what the file returns.
    let field = diagnostic.message.split('`').nth(1).unwrap_or_default();
    let mut from = 0;
    let mut found = None;
    let lines: Vec<&str> = source.lines().collect();
    // `schedule.timezone` is the first `timezone =` at or after the line of `schedule =`.
    for part in field.split('.') {
        let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let at = lines.iter().enumerate().skip(from).find(|(_, line)| assigns(line, &name)).map(|(index, _)| index);
        match at {
            Some(at) => {
                found = Some(at);
                from = at;
            }
            None => break,
        }
    }
    let fallback = || lines.iter().rposition(|line| line.trim_start().starts_with("return"));
    diagnostic.line = found.or_else(fallback).and_then(|index| u32::try_from(index + 1).ok());
    diagnostic
}

fn assigns(line: &str, name: &str) -> bool {
    if name.is_empty() {
        return false;
    }
    let code = line.split("--").next().unwrap_or("");
    code.match_indices(name).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + name.len()..).unwrap_or("").trim_start_matches(['"', '\'', ']', ' ', '\t']);
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_') && after.starts_with('=') && !after.starts_with("==")
    })
}
