//! A trace: every call of a primitive that a script makes, with what it was answered.
//!
//! A VM without one pays a single look; what is kept is bounded, and nothing in it can fail.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mlua::{MultiValue, Table, Value};
use serde_json::{Map, Value as Json};

use crate::model::failure::Failure;
use crate::text;

/// Most calls that are kept.
const CALLS: usize = 20_000;
/// How deep tables are kept.
const DEPTH: usize = 8;
/// Most entries of one table.
const ENTRIES: usize = 200;
/// Most characters of one text.
const CHARS: usize = 4000;

/// One call of a primitive.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// Its full name, like `floimg.feed`.
    pub name: &'static str,
    /// What the script gave.
    pub args: Vec<Json>,
    /// What it was answered.
    pub answer: Answered,
}

/// What a primitive answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// A value; nothing is null.
    Value(Json),
    /// The world refused.
    Failure(Failure),
    /// The script was wrong, or was told to stop.
    Raised(String),
}

/// Calls in the order in which they were answered.
#[derive(Debug, Default)]
pub struct Trace {
    calls: Mutex<Vec<Called>>,
}

impl Trace {
    /// Takes what was recorded since the last time.
    pub fn take(&self) -> Vec<Called> {
        std::mem::take(&mut *self.calls())
    }

    pub(super) fn record(&self, called: Called) {
        let mut calls = self.calls();
        if calls.len() < CALLS {
            calls.push(called);
        }
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Called>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a script gave, as far as JSON can show it.
pub(super) fn shown_args(values: &MultiValue) -> Vec<Json> {
    values.iter().map(shown).collect()
}

/// A value as far as JSON can show it: what it cannot hold is named instead.
pub(super) fn shown(value: &Value) -> Json {
    show(value, 0)
}

fn show(value: &Value, depth: usize) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Integer(number) => Json::from(*number),
        Value::Number(number) => number_json(*number),
        Value::String(words) => Json::String(text::clip(&words.to_string_lossy(), CHARS)),
        Value::Table(table) if depth < DEPTH => show_table(table, depth),
        other => Json::String(format!("<{}>", other.type_name())),
    }
}

fn number_json(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return Json::from(number as i64);
    }
    serde_json::Number::from_f64(number).map_or_else(|| Json::String(number.to_string()), Json::Number)
}

fn show_table(table: &Table, depth: usize) -> Json {
    let length = table.raw_len();
    if length > 0 {
        let items = (1..=length.min(ENTRIES)).map(|index| table.raw_get::<Value>(index).unwrap_or(Value::Nil));
        return Json::Array(items.map(|item| show(&item, depth + 1)).collect());
    }
    let mut fields = Map::new();
    // A table that cannot be walked shows as an empty one.
    let _ = table.for_each(|key: Value, item: Value| {
        if fields.len() < ENTRIES {
            let key = match &key {
                Value::String(key) => key.to_string_lossy(),
                other => show(other, DEPTH).to_string(),
            };
            fields.insert(key, show(&item, depth + 1));
        }
        Ok(())
    });
    Json::Object(fields)
}
