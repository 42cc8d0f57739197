//! What differs between two states: one line for each field, and one for each item of a list.
//!
//! Shows only what differs, and never more than a screen of it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::text;

/// Most lines of one tick.
const LINES: usize = 24;
/// Most characters of one line.
const CHARS: usize = 140;

/// What became of a value, and the words for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) sign: char,
    pub(super) words: String,
}

/// What differs, by name.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    walk("", Some(before), Some(after), &mut changes);
    if changes.len() > LINES {
        let more = changes.len() - LINES;
        changes.truncate(LINES);
        changes.push(Change { sign: '…', words: format!("and {more} more") });
    }
    changes
}

fn walk(name: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                walk(&name, old.get(key), new.get(key), changes);
            }
        }
        // An empty table is a list as well as not.
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for place in 0..old.len().max(new.len()) {
                item(&format!("{name}[{}]", place + 1), old.get(place), new.get(place), changes);
            }
        }
        (Some(before), Some(after)) => {
            push(changes, '~', format!("{name}: {} → {}", shown(before), shown(after)));
        }
        (None, Some(after)) => push(changes, '+', format!("{name} = {}", shown(after))),
        (Some(before), None) => push(changes, '-', format!("{name} = {}", shown(before))),
        (None, None) => {}
    }
}

/// An item of a list, whatever differs in it, is one line.
fn item(name: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    let (Some(Value::Object(_)), Some(Value::Object(_))) = (before, after) else {
        return walk(name, before, after, changes);
    };
    let mut within = Vec::new();
    walk("", before, after, &mut within);
    if !within.is_empty() {
        let told: Vec<String> = within.into_iter().map(|change| change.words).collect();
        push(changes, '~', format!("{name}: {}", told.join(", ")));
    }
}

fn push(changes: &mut Vec<Change>, sign: char, words: String) {
    changes.push(Change { sign, words: text::clip(&words, CHARS) });
}

/// A value as its script would write it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Number(number) => match number.as_f64() {
            // Nobody reads the sixteenth digit of a score.
            Some(number) if number.fract() != 0.0 => format!("{number:.2}"),
            _ => number.to_string(),
        },
        Value::Array(items) if items.is_empty() => "{}".to_owned(),
        Value::Array(items) => {
            let told: Vec<String> = items.iter().map(shown).collect();
            let count = if items.len() > 3 { format!("{} items ", items.len()) } else { String::new() };
            format!("{count}{{ {} }}", told.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let told: Vec<String> = fields.iter().map(|(key, value)| format!("{key} = {}", shown(value))).collect();
            format!("{{ {} }}", told.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        changes(before, after).into_iter().map(|change| format!("{} {}", change.sign, change.words)).collect()
    }

    #[test]
    fn what_came_changed_and_went_is_told_by_name() {
        let before = json!({ "a": 1, "gone": true, "deep": { "x": 1 }, "same": [1, 2] });
        let after = json!({ "a": 2.345, "deep": { "x": 1, "y": "new" }, "same": [1, 2], "list": [{ "id": "p1" }] });
        assert_eq!(
            told(&before, &after),
            ["~ a: 1 → 2.35", "+ deep.y = \"new\"", "- gone = true", "+ list = { { id = \"p1\" } }"]
        );
    }

    #[test]
    fn an_item_of_a_list_is_one_line_and_lines_are_bounded() {
        let before = json!({ "list": [{ "id": "p1", "n": 1 }, "x"] });
        let after = json!({ "list": [{ "id": "p2", "n": 1, "m": {} }, "x", "y"] });
        assert_eq!(told(&before, &after), ["~ list[1]: id: \"p1\" → \"p2\", m = {}", "+ list[3] = \"y\""]);
        let many: Vec<u32> = (0..100).collect();
        let told = told(&json!({ "list": [] }), &json!({ "list": many }));
        assert_eq!((told.len(), told[24].as_str()), (25, "… and 76 more"));
    }
}
