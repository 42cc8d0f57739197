//! Values between Luau, JSON and Rust.
//!
//! Nothing is lost in silence: what JSON cannot hold is named with its path.

use mlua::{Lua, MultiValue, Table, Value};
use serde_json::{Map, Number, Value as Json};

use crate::text;

/// How deep tables may nest.
const DEPTH: usize = 32;

/// Turns a Luau value into JSON; `path` names it in the message, like `bot.state`.
///
/// # Errors
/// A sentence with the path of what does not fit, and why.
pub fn to_json(value: &Value, path: &str, most_bytes: usize) -> Result<Json, String> {
    let mut left = most_bytes;
    let mut path = path.to_owned();
    let root = path.clone();
    let json = encode(value, &mut path, &mut Vec::new(), &mut left);
    // Escapes and long numbers take more than was reckoned on the way.
    match json {
        Ok(json) if json.to_string().len() <= most_bytes => Ok(json),
        Ok(_) | Err(Problem::TooLarge) => Err(format!("{root} takes more than {} KiB as JSON", most_bytes >> 10)),
        Err(Problem::Wrong(words)) => Err(words),
    }
}

/// A call as a script would write it, in short: `floimg.feed { limt = 3 }`.
pub fn shown_call(name: &str, values: &MultiValue) -> String {
    /// Most characters of the whole.
    const CALL: usize = 200;
    let shown: Vec<String> = values.iter().take(8).map(|value| shown_value(value, 0)).collect();
    let call = match &shown[..] {
        [table] if table.starts_with('{') => format!("{name} {table}"),
        _ => format!("{name}({})", shown.join(", ")),
    };
    text::clip(&call, CALL)
}

fn shown_value(value: &Value, depth: usize) -> String {
    /// Most entries of a table that are shown.
    const ENTRIES: usize = 8;
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", text::clip(&text.to_string_lossy(), 60)),
        Value::Table(_) if depth > 1 => "{ … }".to_owned(),
        Value::Table(table) => {
            let mut entries = Vec::new();
            let mut place = 0.0;
            // A table that cannot be walked is shown as far as it was.
            let _ = table.for_each(|key: Value, value: Value| {
                if entries.len() > ENTRIES {
                    return Ok(());
                }
                let value = shown_value(&value, depth + 1);
                entries.push(match (&key, super::args::as_number(&key)) {
                    _ if entries.len() == ENTRIES => "…".to_owned(),
                    (_, Some(number)) if (number - place - 1.0).abs() < f64::EPSILON => {
                        place = number;
                        value
                    }
                    (Value::String(name), _) => format!("{} = {value}", text::clip(&name.to_string_lossy(), 40)),
                    _ => format!("[{}] = {value}", shown_value(&key, 2)),
                });
                Ok(())
            });
            // Entries of a list stay in order, and names come in one that is always the same.
            entries.sort_by_key(|entry| if entry.contains(" = ") { entry.clone() } else { String::new() });
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
        other => other.type_name().to_owned(),
    }
}

enum Problem {
    TooLarge,
    Wrong(String),
}

fn encode(value: &Value, path: &mut String, above: &mut Vec<usize>, left: &mut usize) -> Result<Json, Problem> {
    let wrong = |what: String| Err(Problem::Wrong(format!("{path} {what}")));
    match value {
        Value::Nil => Ok(Json::Null),
        Value::Boolean(flag) => {
            take(left, 4)?;
            Ok(Json::Bool(*flag))
        }
        Value::Integer(number) => {
            take(left, 1)?;
            Ok(Json::from(*number))
        }
        Value::Number(number) => {
            take(left, 1)?;
            number_json(*number).map_or_else(|| wrong(format!("is {number}, which is no number that can be kept")), Ok)
        }
        Value::String(text) => {
            take(left, text.as_bytes().len() + 2)?;
            match text.to_str() {
                Ok(text) => Ok(Json::String(text.to_owned())),
                Err(_) => wrong("is a text that is not UTF-8".to_owned()),
            }
        }
        Value::Table(table) => encode_table(table, path, above, left),
        other => wrong(format!("is a {}; only texts, numbers, booleans and tables can be kept", other.type_name())),
    }
}

fn number_json(number: f64) -> Option<Json> {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return Some(Json::from(number as i64));
    }
    Number::from_f64(number).map(Json::Number)
}

fn encode_table(table: &Table, path: &mut String, above: &mut Vec<usize>, left: &mut usize) -> Result<Json, Problem> {
    let me = table.to_pointer() as usize;
    if above.contains(&me) {
        return Err(Problem::Wrong(format!("{path} contains itself")));
    }
    if above.len() >= DEPTH {
        return Err(Problem::Wrong(format!("{path} is nested deeper than {DEPTH} tables")));
    }
    if table.metatable().is_some() {
        return Err(Problem::Wrong(format!(
            "{path} has a metatable, which cannot be kept: copy its fields to a plain table"
        )));
    }
    above.push(me);
    take(left, 2)?;
    let length = table.raw_len();
    let mark = path.len();
    let result = if length > 0 {
        let mut list = Vec::with_capacity(length.min(1024));
        for index in 1..=length {
            let item: Value = table.raw_get(index).map_err(|error| Problem::Wrong(format!("{path}: {error}")))?;
            if matches!(item, Value::Nil) {
                return Err(Problem::Wrong(format!(
                    "{path} has a hole at {index}; a list has no holes: use table.remove, or texts as keys"
                )));
            }
            path.push_str(&format!("[{index}]"));
            take(left, 1)?;
            list.push(encode(&item, path, above, left)?);
            path.truncate(mark);
        }
        let mut extra = None;
        table
            .for_each(|key: Value, _: Value| {
                let is_index = match &key {
                    Value::Integer(index) => usize::try_from(*index).is_ok_and(|index| (1..=length).contains(&index)),
                    #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
                    Value::Number(index) => index.fract() == 0.0 && *index >= 1.0 && *index <= length as f64,
                    _ => false,
                };
                if !is_index && extra.is_none() {
                    extra = Some(key_text(&key));
                }
                Ok(())
            })
            .map_err(|error| Problem::Wrong(format!("{path}: {error}")))?;
        if let Some(key) = extra {
            return Err(Problem::Wrong(format!(
                "{path} mixes a list with the key `{key}`; a table is either a list from 1 without holes or has texts as keys"
            )));
        }
        Json::Array(list)
    } else {
        let mut pairs = Vec::new();
        table
            .for_each(|key: Value, item: Value| {
                pairs.push((key, item));
                Ok(())
            })
            .map_err(|error| Problem::Wrong(format!("{path}: {error}")))?;
        let mut object = Map::new();
        for (key, item) in pairs {
            let Some(name) = text_key(&key) else {
                return Err(Problem::Wrong(format!(
                    "{path} has the key `{}`, a {}; keys are texts, or 1, 2, 3 … without holes",
                    key_text(&key),
                    kind(&key)
                )));
            };
            path.push('.');
            path.push_str(&text::clip(&name, 60));
            take(left, name.len() + 4)?;
            let item = encode(&item, path, above, left)?;
            path.truncate(mark);
            object.insert(name, item);
        }
        Json::Object(object)
    };
    above.pop();
    Ok(result)
}

fn text_key(key: &Value) -> Option<String> {
    match key {
        Value::String(text) => text.to_str().ok().map(|text| text.to_owned()),
        _ => None,
    }
}

/// What a key is, in Luau's words.
fn kind(key: &Value) -> &'static str {
    match key {
        Value::String(_) => "text that is not UTF-8",
        Value::Integer(_) => "number",
        other => other.type_name(),
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text::clip(&text.to_string_lossy(), 60),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        other => other.type_name().to_owned(),
    }
}

fn take(left: &mut usize, bytes: usize) -> Result<(), Problem> {
    *left = left.checked_sub(bytes).ok_or(Problem::TooLarge)?;
    Ok(())
}

/// Turns JSON into a Luau value; null is nil.
///
/// # Errors
/// When the VM has no memory left.
pub fn from_json(lua: &Lua, json: &Json) -> mlua::Result<Value> {
    Ok(match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(0.0)),
        Json::String(text) => Value::String(lua.create_string(text)?),
        Json::Array(list) => {
            let table = lua.create_table_with_capacity(list.len(), 0)?;
            for (index, item) in list.iter().enumerate() {
                table.raw_set(index + 1, from_json(lua, item)?)?;
            }
            Value::Table(table)
        }
        Json::Object(object) => {
            let table = lua.create_table_with_capacity(0, object.len())?;
            for (key, item) in object {
                table.raw_set(key.as_str(), from_json(lua, item)?)?;
            }
            Value::Table(table)
        }
    })
}
