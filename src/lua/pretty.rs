//! Values as people read them: tables laid out and sorted, texts quoted.
//!
//! What it makes is bounded, whatever the value holds.

use mlua::{Table, Value};

use super::args::as_text;

/// How deep tables are shown.
const DEPTH: usize = 8;
/// How many entries of one table are shown.
const ENTRIES: usize = 200;
/// A table that fits into so many characters stands on one line.
const LINE: usize = 72;
/// Bytes of one text that are shown.
const TEXT: usize = 2000;

/// A value in at most about `room` bytes; what is used is taken off it.
pub fn pretty(value: &Value, room: &mut usize) -> String {
    show(value, 0, &mut Vec::new(), room)
}

fn show(value: &Value, depth: usize, above: &mut Vec<usize>, room: &mut usize) -> String {
    let shown = match value {
        Value::Table(table) => return show_table(table, depth, above, room),
        Value::String(text) => quoted(&text.to_string_lossy()),
        Value::Function(function) => {
            let info = function.info();
            let source = info.source.as_deref().unwrap_or("").trim_start_matches(['@', '=']).to_owned();
            match info.line_defined.filter(|_| source.ends_with(".luau") || source.ends_with(".lua")) {
                Some(line) => format!("<function {source}:{line}>"),
                None => "<function>".to_owned(),
            }
        }
        Value::Nil => "nil".to_owned(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        other => as_text(other).unwrap_or_else(|| format!("<{}>", other.type_name())),
    };
    *room = room.saturating_sub(shown.len());
    shown
}

fn show_table(table: &Table, depth: usize, above: &mut Vec<usize>, room: &mut usize) -> String {
    let me = table.to_pointer() as usize;
    if above.contains(&me) {
        return "<the table above>".to_owned();
    }
    if depth >= DEPTH || *room == 0 {
        return "{ … }".to_owned();
    }
    above.push(me);
    let length = table.raw_len();
    let mut parts = Vec::new();
    for index in 1..=length.min(ENTRIES) {
        let item = table.raw_get(index).unwrap_or(Value::Nil);
        parts.push(show(&item, depth + 1, above, room));
        if *room == 0 {
            break;
        }
    }
    let mut pairs: Vec<(String, Value)> = Vec::new();
    // A table that cannot be walked is shown as far as it could be.
    let _ = table.for_each(|key: Value, item: Value| {
        if pairs.len() < ENTRIES && !is_index(&key, length) {
            pairs.push((key_text(&key), item));
        }
        Ok(())
    });
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let is_full = length > parts.len() || pairs.len() >= ENTRIES;
    let mut is_cut = is_full;
    for (key, item) in pairs {
        if *room == 0 {
            is_cut = true;
            break;
        }
        *room = room.saturating_sub(key.len() + 3);
        parts.push(format!("{key} = {}", show(&item, depth + 1, above, room)));
    }
    above.pop();
    if is_cut {
        parts.push("…".to_owned());
    }
    if parts.is_empty() {
        return "{}".to_owned();
    }
    let is_short = parts.iter().map(|part| part.chars().count() + 2).sum::<usize>() <= LINE;
    if is_short && !parts.iter().any(|part| part.contains('\n')) {
        return format!("{{ {} }}", parts.join(", "));
    }
    let inner = "  ".repeat(depth + 1);
    let body: Vec<String> = parts.iter().map(|part| format!("{inner}{part},\n")).collect();
    format!("{{\n{}{}}}", body.concat(), "  ".repeat(depth))
}

fn is_index(key: &Value, length: usize) -> bool {
    match key {
        Value::Integer(index) => usize::try_from(*index).is_ok_and(|index| (1..=length).contains(&index)),
        #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
        Value::Number(index) => index.fract() == 0.0 && *index >= 1.0 && *index <= length as f64,
        _ => false,
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => {
            let text = text.to_string_lossy();
            let is_name = !text.is_empty()
                && !text.starts_with(|c: char| c.is_ascii_digit())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_name { crate::text::clip(&text, 60) } else { format!("[{}]", quoted(&text)) }
        }
        other => {
            let mut room = TEXT;
            format!("[{}]", show(other, DEPTH, &mut Vec::new(), &mut room))
        }
    }
}

/// A text in quotes, with control characters as escapes: a terminal must not obey it.
fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    for c in crate::text::clip(text, TEXT).chars() {
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown.push('"');
    shown
}
