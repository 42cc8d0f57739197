//! A plugin's data: what its Luau file returned, checked and typed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::model::seconds::Seconds;

/// A plugin's name: the name of its folder. Lower-case letters, digits and underscores, at most 48.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginName(Arc<str>);

/// Why a text is no name of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name for a plugin: use 1 to 48 lower-case letters, digits and underscores, starting with a letter"
)]
pub struct NotAPluginName(pub String);

impl PluginName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn new(name: &str) -> Result<Self, NotAPluginName> {
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        let fits = name.len() <= 48 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if starts && fits { Ok(Self(name.into())) } else { Err(NotAPluginName(name.to_owned())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for PluginName {
    type Err = NotAPluginName;

    fn from_str(text: &str) -> Result<Self, NotAPluginName> {
        Self::new(text)
    }
}

/// What becomes of an action when its plugin is broken or too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It goes on.
    Allow,
    /// It is refused.
    Deny,
}

impl OnError {
    /// The word in Luau and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A function that a plugin may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// Asked before an action.
    BeforeAction,
    /// Told after it.
    AfterAction,
    /// Told of every activity.
    OnActivity,
    /// Told when a script or plugin was refused.
    OnReloadFailed,
    /// Told when the platform pauses, limits or resumes the fleet.
    OnPlatform,
    /// Called when it begins to run, before anything else.
    OnStart,
}

impl Hook {
    /// Every hook.
    pub const ALL: [Self; 6] = [
        Self::BeforeAction,
        Self::AfterAction,
        Self::OnActivity,
        Self::OnReloadFailed,
        Self::OnPlatform,
        Self::OnStart,
    ];

    /// The function's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforeAction => "before_action",
            Self::AfterAction => "after_action",
            Self::OnActivity => "on_activity",
            Self::OnReloadFailed => "on_reload_failed",
            Self::OnPlatform => "on_platform",
            Self::OnStart => "on_start",
        }
    }
}

/// What a plugin's file says about it, without its functions.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The name of its folder.
    pub name: PluginName,
    /// What people read.
    pub title: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Modules it declares to use.
    pub needs: Vec<String>,
    /// What the config may set.
    pub options: BTreeMap<String, OptionSpec>,
    /// What becomes of actions when it is broken.
    pub on_error: OnError,
    /// Plugins that are asked after it.
    pub before: Vec<String>,
    /// Plugins that are asked before it.
    pub after: Vec<String>,
    /// The hooks it has.
    pub hooks: Vec<Hook>,
    /// The names of its exports, sorted.
    pub exports: Vec<String>,
    /// What it does now and then.
    pub timers: Vec<Timer>,
}

impl Manifest {
    /// Whether it has a hook.
    pub fn has(&self, hook: Hook) -> bool {
        self.hooks.contains(&hook)
    }
}

/// Something that a plugin does now and then.
#[derive(Debug, Clone, PartialEq)]
pub struct Timer {
    /// What its last run is kept under: its own name, or its place in the list.
    pub key: String,
    /// How often, in bots' time.
    pub every: Seconds,
}

/// What an option may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// A text.
    String,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// A table with texts as keys.
    Table,
}

impl OptionKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::String, Self::Number, Self::Boolean, Self::List, Self::Table];

    /// The word in Luau.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Table => "table",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Table => value.is_object(),
        }
    }
}

/// One option of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionSpec {
    /// What it may hold.
    pub kind: OptionKind,
    /// What it is when the config says nothing; null leaves it out.
    pub default: Value,
    /// What it is for.
    pub doc: String,
    /// The smallest number, or the fewest entries or characters.
    pub min: Option<f64>,
    /// The largest number, or the most entries or characters.
    pub max: Option<f64>,
    /// The only values there are; empty: any.
    pub one_of: Vec<Value>,
}

impl OptionSpec {
    /// What it takes, in words.
    pub fn expected(&self) -> String {
        let mut words = match self.kind {
            OptionKind::String => "a text".to_owned(),
            OptionKind::Number => "a number".to_owned(),
            OptionKind::Boolean => "true or false".to_owned(),
            OptionKind::List => "a list".to_owned(),
            OptionKind::Table => "a table".to_owned(),
        };
        if !self.one_of.is_empty() {
            let all: Vec<String> = self.one_of.iter().map(Value::to_string).collect();
            return format!("one of {}", all.join(", "));
        }
        let unit = match self.kind {
            OptionKind::String => " characters",
            OptionKind::List | OptionKind::Table => " entries",
            OptionKind::Number | OptionKind::Boolean => "",
        };
        let with = if unit.is_empty() { "" } else { " with" };
        match (self.min, self.max) {
            (Some(min), Some(max)) => words.push_str(&format!("{with} from {min} to {max}{unit}")),
            (Some(min), None) => words.push_str(&format!("{with} at least {min}{unit}")),
            (None, Some(max)) => words.push_str(&format!("{with} at most {max}{unit}")),
            (None, None) => {}
        }
        words
    }

    /// Whether a value is one that it takes.
    pub fn takes(&self, value: &Value) -> bool {
        if !self.kind.fits(value) {
            return false;
        }
        if !self.one_of.is_empty() {
            return self.one_of.iter().any(|one| one == value || (one.is_number() && one.as_f64() == value.as_f64()));
        }
        #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
        let size = match value {
            Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
            Value::String(text) => text.chars().count() as f64,
            Value::Array(list) => list.len() as f64,
            Value::Object(fields) => fields.len() as f64,
            Value::Bool(_) | Value::Null => return true,
        };
        self.min.is_none_or(|min| size >= min) && self.max.is_none_or(|max| size <= max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_option_says_what_it_takes_and_takes_just_that() {
        let spec = |kind, min, max, one_of: &[Value]| OptionSpec {
            kind,
            default: Value::Null,
            doc: String::new(),
            min,
            max,
            one_of: one_of.to_vec(),
        };
        let number = spec(OptionKind::Number, Some(1.0), Some(5.0), &[]);
        assert_eq!(number.expected(), "a number from 1 to 5");
        assert!(number.takes(&json!(1)) && number.takes(&json!(4.5)));
        assert!(!number.takes(&json!(0)) && !number.takes(&json!("1")));
        let list = spec(OptionKind::List, None, Some(2.0), &[]);
        assert_eq!(list.expected(), "a list with at most 2 entries");
        assert!(list.takes(&json!([1, 2])) && !list.takes(&json!([1, 2, 3])) && !list.takes(&json!({})));
        let word = spec(OptionKind::String, None, None, &[json!("soft"), json!("hard")]);
        assert_eq!(word.expected(), "one of \"soft\", \"hard\"");
        assert!(word.takes(&json!("soft")) && !word.takes(&json!("else")));
    }
}
