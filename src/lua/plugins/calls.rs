//! What a plugin is called for, and what it answers: Luau tables on one side, plain data on the other.

use std::sync::Arc;

use mlua::{Lua, Table, Value};
use serde_json::Value as Json;

use crate::host::hooks::{Asked, Outcome};
use crate::host::words::{Change, Words};
use crate::lua::api::failure_table;
use crate::lua::args::{as_number, as_text, shown};
use crate::lua::modules::floimg::unix;
use crate::lua::value::from_json;
use crate::model::activity::Activity;
use crate::model::plugin::Hook;
use crate::model::seconds::Seconds;

/// One call of a plugin.
#[derive(Debug, Clone)]
pub enum PluginCall {
    /// It begins to run.
    Start,
    /// Before an action.
    Before(Arc<Asked>),
    /// After one.
    After(Arc<Asked>, Arc<Outcome>),
    /// Something left an activity.
    Activity(Arc<Activity>),
    /// A script or plugin was refused.
    ReloadFailed(Arc<ReloadFailed>),
    /// The platform paused, limited or resumed the fleet: its word, and until when in Unix seconds.
    Platform(&'static str, Option<f64>),
    /// The timer at this place is due.
    Timer(usize),
    /// A persona calls an export.
    Export(Arc<str>, Vec<Json>),
}

/// A script or plugin that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct ReloadFailed {
    /// The persona, when it is one.
    pub persona: Option<String>,
    /// The plugin, when it is one.
    pub plugin: Option<String>,
    /// What was said of it, in a line.
    pub text: String,
    /// What is wrong.
    pub errors: Json,
}

/// What a call answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Nothing that anybody waits for, or that the action may happen.
    Nothing,
    /// The action may happen with other words; why, where it says so.
    Change(Change, Option<String>),
    /// The action must not happen; for so long, where the plugin knows.
    Deny(String, Option<Seconds>),
    /// What an export answered.
    Value(Json),
}

impl PluginCall {
    /// The hook it goes to, if it is one.
    pub fn hook(&self) -> Option<Hook> {
        match self {
            Self::Start => Some(Hook::OnStart),
            Self::Before(_) => Some(Hook::BeforeAction),
            Self::After(..) => Some(Hook::AfterAction),
            Self::Activity(_) => Some(Hook::OnActivity),
            Self::ReloadFailed(_) => Some(Hook::OnReloadFailed),
            Self::Platform(..) => Some(Hook::OnPlatform),
            Self::Timer(_) | Self::Export(..) => None,
        }
    }

    /// What its function is given.
    pub(super) fn arguments(&self, lua: &Lua) -> mlua::Result<mlua::MultiValue> {
        let table = |table: Table| {
            table.set_readonly(true);
            Value::Table(table)
        };
        Ok(match self {
            Self::Before(asked) => [table(action(lua, asked)?)].into_iter().collect(),
            Self::After(asked, outcome) => {
                [table(action(lua, asked)?), table(outcome_table(lua, outcome)?)].into_iter().collect()
            }
            Self::Activity(activity) => [table(activity_table(lua, activity)?)].into_iter().collect(),
            Self::ReloadFailed(failed) => {
                let event = lua.create_table_with_capacity(0, 4)?;
                event.raw_set("persona", failed.persona.as_deref())?;
                event.raw_set("plugin", failed.plugin.as_deref())?;
                event.raw_set("text", failed.text.as_str())?;
                event.raw_set("errors", from_json(lua, &failed.errors)?)?;
                [table(event)].into_iter().collect()
            }
            Self::Platform(kind, until) => {
                let event = lua.create_table_with_capacity(0, 2)?;
                event.raw_set("kind", *kind)?;
                event.raw_set("until_at", *until)?;
                [table(event)].into_iter().collect()
            }
            Self::Start | Self::Timer(_) => mlua::MultiValue::new(),
            Self::Export(_, arguments) => {
                arguments.iter().map(|argument| from_json(lua, argument)).collect::<mlua::Result<_>>()?
            }
        })
    }
}

fn action(lua: &Lua, asked: &Asked) -> mlua::Result<Table> {
    let bot = lua.create_table_with_capacity(0, 5)?;
    bot.raw_set("id", asked.bot.to_string())?;
    bot.raw_set("name", &*asked.name)?;
    bot.raw_set("username", &*asked.username)?;
    bot.raw_set("persona", asked.bot.persona.as_str())?;
    bot.raw_set("index", asked.bot.index)?;
    bot.set_readonly(true);
    let table = lua.create_table_with_capacity(0, 8)?;
    table.raw_set("kind", asked.kind.as_str())?;
    table.raw_set("bot", bot)?;
    let about = &asked.about;
    if let Some(post) = &about.post {
        table.raw_set("post", post.as_str())?;
        table.raw_set("post_author", about.post_author.as_deref())?;
        table.raw_set("post_author_is_fleet", about.post_author_is_fleet)?;
    }
    table.raw_set("reply_to", about.reply_to.as_deref())?;
    table.raw_set("reply_author", about.reply_author.as_ref().and_then(|author| author.username.as_deref()))?;
    table.raw_set("reply_text", about.reply_text.as_deref())?;
    table.raw_set("prompt", about.prompt.as_deref())?;
    table.raw_set("image_url", about.image_url.as_deref())?;
    match &asked.words {
        Words::None => {}
        Words::Comment(text) => table.raw_set("text", text.as_str())?,
        Words::Post { title, description } => {
            table.raw_set("title", title.as_str())?;
            table.raw_set("description", description.as_str())?;
        }
    }
    Ok(table)
}

fn outcome_table(lua: &Lua, outcome: &Outcome) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("id", outcome.id.as_deref())?;
    if let Some(failure) = &outcome.failure {
        table.raw_set("failure", failure_table(lua, failure)?)?;
    }
    Ok(table)
}

fn activity_table(lua: &Lua, activity: &Activity) -> mlua::Result<Table> {
    let what = &activity.what;
    let table = lua.create_table_with_capacity(0, 9)?;
    table.raw_set("id", activity.id.to_string())?;
    table.raw_set("at", unix(what.at))?;
    table.raw_set("bot", what.bot.as_ref().map(ToString::to_string))?;
    table.raw_set("persona", what.persona.as_ref().map(|name| name.as_str()))?;
    table.raw_set("kind", what.kind.as_str())?;
    table.raw_set("ending", what.ending.as_str())?;
    table.raw_set("target", what.target.as_str())?;
    table.raw_set("text", what.text.as_str())?;
    table.raw_set("detail", from_json(lua, &what.detail)?)?;
    Ok(table)
}

/// Most characters of a reason.
const REASON_CHARS: usize = 500;

/// What `before_action` may answer.
pub(super) const VERDICT: &str = "return nothing to allow it, { deny = \"reason\" }, or { change = { text = \"…\" } } for a \
                                  comment and { change = { title = \"…\", description = \"…\" } } for a post";

/// What `before_action` answered.
pub(super) fn verdict(asked: &Asked, value: &Value) -> Result<Answer, String> {
    let table = match value {
        Value::Nil | Value::Boolean(true) => return Ok(Answer::Nothing),
        Value::Table(table) => table,
        other => {
            return Err(format!("before_action must return nothing, true or a table, got {}", shown(other)));
        }
    };
    let get = |table: &Table, key: &str| table.raw_get::<Value>(key).unwrap_or(Value::Nil);
    let names = |table: &Table, known: &[&str]| {
        let mut unknown = None;
        // A walk ends at the first key that does not belong there, and may end for no other reason.
        let _ = table.for_each(|key: Value, _: Value| {
            if as_text(&key).is_some_and(|key| known.contains(&key.as_str())) {
                return Ok(());
            }
            unknown = Some(shown(&key));
            Err(mlua::Error::runtime("an unknown key"))
        });
        unknown
    };
    if let Some(key) = names(table, &["deny", "retry_after", "change", "reason"]) {
        return Err(format!(
            "before_action returned a table with {key}; it takes deny with retry_after, or change with reason"
        ));
    }
    let reason = match get(table, "reason") {
        Value::Nil => None,
        value => match as_text(&value) {
            Some(reason) => Some(crate::text::clip(&reason, REASON_CHARS)),
            None => return Err(format!("`reason` must be a text, got {}", shown(&value))),
        },
    };
    let retry_after = match get(table, "retry_after") {
        Value::Nil => None,
        value => match as_number(&value).and_then(|seconds| Seconds::new(seconds).ok()) {
            Some(seconds) => Some(seconds),
            None => return Err(format!("`retry_after` must be seconds, got {}", shown(&value))),
        },
    };
    match (get(table, "deny"), get(table, "change")) {
        (Value::Nil, Value::Nil) => Err("before_action returned a table with neither deny nor change".to_owned()),
        (deny, Value::Nil) => match as_text(&deny) {
            Some(reason) => Ok(Answer::Deny(crate::text::clip(&reason, REASON_CHARS), retry_after)),
            None => Err(format!("`deny` must be a text, got {}", shown(&deny))),
        },
        (Value::Nil, Value::Table(change)) => {
            if let Some(key) = names(&change, &["text", "title", "description"]) {
                return Err(format!("`change` has {key}; it takes text, title and description"));
            }
            let text = |key: &str| match get(&change, key) {
                Value::Nil => Ok(None),
                value => as_text(&value)
                    .map(Some)
                    .ok_or_else(|| format!("`change.{key}` must be a text, got {}", shown(&value))),
            };
            let change = Change { text: text("text")?, title: text("title")?, description: text("description")? };
            change.fits(&asked.words)?;
            Ok(Answer::Change(change, reason))
        }
        (Value::Nil, other) => Err(format!("`change` must be a table, got {}", shown(&other))),
        _ => Err("before_action returned both deny and change".to_owned()),
    }
}
