//! Values as people read them, and what differs between two of them.
//!
//! Whatever a script builds, however deep or large or circular, is shown in bounded space.

use std::collections::BTreeMap;

use mlua::{Table, Value};

use crate::text;

/// How deep tables are looked at.
const DEPTH: usize = 16;
/// How many values of one table in all are looked at.
const VALUES: usize = 4000;
/// Most characters of one line of a value.
const LINE: usize = 88;
/// Most lines of a difference.
const LINES: usize = 60;
/// Most characters of one text.
const CHARS: usize = 2000;

/// A value, read out of the VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// Something that has no parts, as it is shown.
    Leaf(String),
    /// A function and the like: one is like another only when it is the same one.
    Opaque(&'static str, usize),
    List(Vec<Shape>),
    Map(BTreeMap<String, Shape>),
}

/// Reads a value.
pub(super) fn shape(value: &Value) -> Shape {
    read(value, 0, &mut VALUES.clone())
}

fn read(value: &Value, depth: usize, left: &mut usize) -> Shape {
    *left = left.saturating_sub(1);
    match value {
        Value::Table(table) if depth < DEPTH && *left > 0 => read_table(table, depth, left),
        Value::Function(_) | Value::UserData(_) | Value::Thread(_) | Value::Buffer(_) | Value::LightUserData(_) => {
            Shape::Opaque(value.type_name(), value.to_pointer() as usize)
        }
        other => Shape::Leaf(leaf(other)),
    }
}

fn read_table(table: &Table, depth: usize, left: &mut usize) -> Shape {
    let length = table.raw_len();
    let mut list = Vec::new();
    for index in 1..=length {
        if *left == 0 {
            break;
        }
        list.push(read(&table.raw_get::<Value>(index).unwrap_or(Value::Nil), depth + 1, left));
    }
    let mut map = BTreeMap::new();
    // A table that cannot be walked shows as an empty one.
    let _ = table.for_each(|key: Value, item: Value| {
        let is_listed = match &key {
            Value::Integer(index) => usize::try_from(*index).is_ok_and(|index| (1..=length).contains(&index)),
            #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
            Value::Number(index) => index.fract() == 0.0 && *index >= 1.0 && *index <= length as f64,
            _ => false,
        };
        if !is_listed && *left > 0 {
            map.insert(key_name(&key), read(&item, depth + 1, left));
        }
        Ok(())
    });
    if map.is_empty() {
        return Shape::List(list);
    }
    for (place, item) in list.into_iter().enumerate() {
        map.insert(format!("[{}]", place + 1), item);
    }
    Shape::Map(map)
}

fn key_name(key: &Value) -> String {
    match key {
        Value::String(name) => {
            let name = text::clip(&name.to_string_lossy(), 80);
            let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_word && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() {
                name
            } else {
                format!("[{name:?}]")
            }
        }
        other => format!("[{}]", leaf(other)),
    }
}

fn leaf(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(words) => format!("{:?}", text::clip(&words.to_string_lossy(), CHARS)),
        Value::Table(_) => "{ … }".to_owned(),
        other => format!("<{}>", other.type_name()),
    }
}

impl Shape {
    /// Drops every field that the other does not have, for who asked for a part only.
    pub(super) fn keep_only_what(&mut self, other: &Shape) {
        let (Self::Map(fields), Self::Map(wanted)) = (self, other) else { return };
        fields.retain(|key, _| wanted.contains_key(key));
        for (key, item) in fields {
            if let Some(wanted) = wanted.get(key) {
                item.keep_only_what(wanted);
            }
        }
    }

    /// On one line.
    pub(super) fn line(&self) -> String {
        text::clip(&self.whole(), LINE)
    }

    fn whole(&self) -> String {
        match self {
            Self::Leaf(words) => words.clone(),
            Self::Opaque(kind, _) => format!("<{kind}>"),
            Self::List(items) if items.is_empty() => "{}".to_owned(),
            Self::List(items) => format!("{{ {} }}", items.iter().map(Self::whole).collect::<Vec<_>>().join(", ")),
            Self::Map(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(key, item)| format!("{key} = {}", item.whole())).collect();
                format!("{{ {} }}", fields.join(", "))
            }
        }
    }
}

/// What differs, line by line: `-` is what was expected and `+` is what is there. Nothing where one line says it all.
pub(super) fn diff(expected: &Shape, got: &Shape) -> Vec<String> {
    let mut lines = Vec::new();
    let is_short = |shape: &Shape| matches!(shape, Shape::Leaf(words) if words.chars().count() < LINE / 2);
    if is_short(expected) && is_short(got) {
        return lines;
    }
    walk(Some(expected), Some(got), "", 0, &mut lines);
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("  … and {more} more lines"));
    }
    lines
}

fn walk(expected: Option<&Shape>, got: Option<&Shape>, key: &str, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match (expected, got) {
        (Some(expected), Some(got)) if expected == got => lines.push(format!("  {indent}{key}{}", got.line())),
        (Some(Shape::List(expected)), Some(Shape::List(got))) => {
            lines.push(format!("  {indent}{key}{{"));
            for place in 0..expected.len().max(got.len()) {
                walk(expected.get(place), got.get(place), "", depth + 1, lines);
            }
            lines.push(format!("  {indent}}}"));
        }
        (Some(Shape::List(none)), Some(got @ Shape::Map(_))) if none.is_empty() => {
            walk(Some(&Shape::Map(BTreeMap::new())), Some(got), key, depth, lines);
        }
        (Some(expected @ Shape::Map(_)), Some(Shape::List(none))) if none.is_empty() => {
            walk(Some(expected), Some(&Shape::Map(BTreeMap::new())), key, depth, lines);
        }
        (Some(Shape::Map(expected)), Some(Shape::Map(got))) => {
            lines.push(format!("  {indent}{key}{{"));
            let mut keys: Vec<&String> = expected.keys().chain(got.keys()).collect();
            keys.sort();
            keys.dedup();
            for name in keys {
                walk(expected.get(name), got.get(name), &format!("{name} = "), depth + 1, lines);
            }
            lines.push(format!("  {indent}}}"));
        }
        (expected, got) => {
            lines.extend(expected.map(|expected| format!("- {indent}{key}{}", expected.line())));
            lines.extend(got.map(|got| format!("+ {indent}{key}{}", got.line())));
        }
    }
}
