//! What a script gave to a primitive: read strictly, with messages for its author.

use mlua::{MultiValue, Table, Value};

use crate::model::seconds::Seconds;
use crate::text;

/// The arguments of one call, in order.
#[derive(Debug)]
pub struct Args {
    name: &'static str,
    values: MultiValue,
    taken: usize,
}

/// Why the arguments do not fit; becomes a raised error.
pub type Wrong = String;

impl Args {
    /// The arguments of a call of `name`.
    pub fn new(name: &'static str, values: MultiValue) -> Self {
        Self { name, values, taken: 0 }
    }

    /// The primitive's full name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The next argument, whatever it is.
    pub fn value(&mut self) -> Value {
        self.taken += 1;
        self.values.pop_front().unwrap_or(Value::Nil)
    }

    /// All arguments that are left.
    pub fn rest(&mut self) -> MultiValue {
        std::mem::take(&mut self.values)
    }

    fn wrong(&self, what: &str, expected: &str, got: &Value) -> Wrong {
        let name = self.name;
        let place = self.taken;
        let colon = if place == 1 && matches!(got, Value::Table(_)) && expected != "a table" {
            format!("; call {name}(…) with a dot, not a colon")
        } else {
            String::new()
        };
        format!("{name}: argument {place} (`{what}`) must be {expected}, got {}{colon}", shown(got))
    }

    /// A text that is needed.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&mut self, what: &str) -> Result<String, Wrong> {
        let value = self.value();
        as_text(&value).ok_or_else(|| self.wrong(what, "a text", &value))
    }

    /// A text, if given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_text(&mut self, what: &str) -> Result<Option<String>, Wrong> {
        match self.value() {
            Value::Nil => Ok(None),
            value => as_text(&value).map(Some).ok_or_else(|| self.wrong(what, "a text or nothing", &value)),
        }
    }

    /// A finite number that is needed.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(&mut self, what: &str) -> Result<f64, Wrong> {
        let value = self.value();
        as_number(&value).filter(|number| number.is_finite()).ok_or_else(|| self.wrong(what, "a finite number", &value))
    }

    /// A finite number, if given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_number(&mut self, what: &str) -> Result<Option<f64>, Wrong> {
        match self.value() {
            Value::Nil => Ok(None),
            value => as_number(&value)
                .filter(|number| number.is_finite())
                .map(Some)
                .ok_or_else(|| self.wrong(what, "a finite number or nothing", &value)),
        }
    }

    /// A length of time that is needed.
    ///
    /// # Errors
    /// When it is NaN, infinite, negative or no number.
    pub fn seconds(&mut self, what: &str) -> Result<Seconds, Wrong> {
        let value = self.value();
        as_number(&value)
            .and_then(|number| Seconds::new(number).ok())
            .ok_or_else(|| self.wrong(what, "seconds, finite and not negative", &value))
    }

    /// A table that is needed.
    ///
    /// # Errors
    /// When it is something else.
    pub fn table(&mut self, what: &str) -> Result<Table, Wrong> {
        match self.value() {
            Value::Table(table) => Ok(table),
            value => Err(self.wrong(what, "a table", &value)),
        }
    }

    /// One table of options that is needed, with all the names it may hold.
    ///
    /// # Errors
    /// When it is no table, or holds another name.
    pub fn fields(&mut self, known: &[&str]) -> Result<Fields, Wrong> {
        let value = self.value();
        match value {
            Value::Table(table) => {
                self.refuse_colon(&table)?;
                Fields::new(self.name, table, known)
            }
            other => Err(self.wrong("options", "a table", &other)),
        }
    }

    /// One table of options, if given.
    ///
    /// # Errors
    /// When it is no table, or holds another name.
    pub fn optional_fields(&mut self, known: &[&str]) -> Result<Fields, Wrong> {
        match self.value() {
            Value::Nil => Ok(Fields { name: self.name, table: None }),
            Value::Table(table) => {
                self.refuse_colon(&table)?;
                Fields::new(self.name, table, known)
            }
            other => Err(self.wrong("options", "a table or nothing", &other)),
        }
    }

    /// `floimg:feed()` hands over the module itself.
    fn refuse_colon(&self, table: &Table) -> Result<(), Wrong> {
        let short = self.name.rsplit('.').next().unwrap_or(self.name);
        match table.raw_get::<Value>(short) {
            Ok(Value::Function(_)) => Err(format!("{0}: call {0}(…) with a dot, not a colon", self.name)),
            _ => Ok(()),
        }
    }
}

/// A table of options with known names.
#[derive(Debug)]
pub struct Fields {
    name: &'static str,
    table: Option<Table>,
}

impl Fields {
    /// Takes a table that may hold only these names.
    ///
    /// # Errors
    /// When it holds another, with the nearest known name.
    pub fn new(name: &'static str, table: Table, known: &[&str]) -> Result<Self, Wrong> {
        let mut unknown = None;
        let checked = table.for_each(|key: Value, _: Value| {
            let text = match &key {
                Value::String(text) => text.to_string_lossy(),
                other => shown(other),
            };
            let text = text::clip(&text, 60);
            if !known.contains(&text.as_str()) && unknown.is_none() {
                unknown = Some(text);
            }
            Ok(())
        });
        checked.map_err(|error| format!("{name}: {error}"))?;
        match unknown {
            None => Ok(Self { name, table: Some(table) }),
            Some(key) => {
                let nearest = text::nearest(&key, known)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or(".".to_owned());
                Err(format!("{name}: unknown option `{key}`{nearest} It takes: {}", known.join(", ")))
            }
        }
    }

    /// The raw value of an option.
    pub fn get(&self, key: &str) -> Value {
        self.table.as_ref().and_then(|table| table.raw_get(key).ok()).unwrap_or(Value::Nil)
    }

    fn wrong(&self, key: &str, expected: &str, got: &Value) -> Wrong {
        format!("{}: `{key}` must be {expected}, got {}", self.name, shown(got))
    }

    /// A text that is needed.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn text(&self, key: &str) -> Result<String, Wrong> {
        let value = self.get(key);
        as_text(&value).ok_or_else(|| self.wrong(key, "a text", &value))
    }

    /// A text, if given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_text(&self, key: &str) -> Result<Option<String>, Wrong> {
        match self.get(key) {
            Value::Nil => Ok(None),
            value => as_text(&value).map(Some).ok_or_else(|| self.wrong(key, "a text", &value)),
        }
    }

    /// A whole number within a range, or a default.
    ///
    /// # Errors
    /// When it is something else.
    pub fn count(&self, key: &str, range: std::ops::RangeInclusive<u32>, default: u32) -> Result<u32, Wrong> {
        let value = self.get(key);
        if matches!(value, Value::Nil) {
            return Ok(default);
        }
        let fits = |number: f64| {
            number.fract() == 0.0 && number >= f64::from(*range.start()) && number <= f64::from(*range.end())
        };
        match as_number(&value) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range of u32")]
            Some(number) if fits(number) => Ok(number as u32),
            _ => {
                let expected = format!("a whole number from {} to {}", range.start(), range.end());
                Err(self.wrong(key, &expected, &value))
            }
        }
    }

    /// A finite number, if given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_number(&self, key: &str) -> Result<Option<f64>, Wrong> {
        match self.get(key) {
            Value::Nil => Ok(None),
            value => as_number(&value)
                .filter(|number| number.is_finite())
                .map(Some)
                .ok_or_else(|| self.wrong(key, "a finite number", &value)),
        }
    }

    /// A length of time, if given.
    ///
    /// # Errors
    /// When it is NaN, infinite, negative or no number.
    pub fn optional_seconds(&self, key: &str) -> Result<Option<Seconds>, Wrong> {
        match self.get(key) {
            Value::Nil => Ok(None),
            value => as_number(&value)
                .and_then(|number| Seconds::new(number).ok())
                .map(Some)
                .ok_or_else(|| self.wrong(key, "seconds, finite and not negative", &value)),
        }
    }

    /// A table that is needed.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn table(&self, key: &str) -> Result<Table, Wrong> {
        match self.get(key) {
            Value::Table(table) => Ok(table),
            value => Err(self.wrong(key, "a table", &value)),
        }
    }

    /// A table, if given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_table(&self, key: &str) -> Result<Option<Table>, Wrong> {
        match self.get(key) {
            Value::Nil => Ok(None),
            Value::Table(table) => Ok(Some(table)),
            value => Err(self.wrong(key, "a table", &value)),
        }
    }

    /// A list of texts, if given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_texts(&self, key: &str) -> Result<Option<Vec<String>>, Wrong> {
        let Some(table) = self.optional_table(key)? else { return Ok(None) };
        texts(&table).map(Some).map_err(|got| self.wrong(key, "a list of texts", &got))
    }
}

/// A table as a list of texts, or the first value that is none.
///
/// # Errors
/// The value that is no text.
pub fn texts(table: &Table) -> Result<Vec<String>, Value> {
    table
        .sequence_values::<Value>()
        .map(|value| {
            let value = value.unwrap_or(Value::Nil);
            as_text(&value).ok_or(value)
        })
        .collect()
}

/// A value as text: texts in UTF-8, and numbers.
pub fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.to_str().ok().map(|text| text.to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) if number.is_finite() => Some(number.to_string()),
        _ => None,
    }
}

/// A value as number.
pub fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        #[expect(clippy::cast_precision_loss, reason = "Luau's own numbers are doubles")]
        Value::Integer(number) => Some(*number as f64),
        _ => None,
    }
}

/// A value in a message.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Nil => "nothing".to_owned(),
        Value::String(text) if text.to_str().is_err() => {
            "a text that is not UTF-8 (string.sub cuts within characters; text.clip does not)".to_owned()
        }
        Value::String(text) => format!("the text `{}`", text::clip(&text.to_string_lossy(), 40)),
        Value::Number(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        other => format!("a {}", other.type_name()),
    }
}
