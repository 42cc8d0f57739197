//! What a test asks plugins and tells them, read strictly from the tables it hands over.
//!
//! What a post or comment in the gallery tells need not be said again.

use std::sync::Arc;

use mlua::Value;
use serde_json::{Map, Value as Json};

use super::given::{flag, strict};
use super::world::World;
use crate::host::hooks::{About, Asked, Outcome};
use crate::host::words::Words;
use crate::lua::args::{Fields, as_text, shown};
use crate::lua::plugins::{PluginCall, ReloadFailed};
use crate::lua::value::to_json;
use crate::model::action::ActionKind;
use crate::model::activity::{Activity, Ending, NewActivity};
use crate::model::failure::{Failure, FailureKind};
use crate::model::gallery::Author;
use crate::model::name::BotId;
use crate::text;

/// Most bytes of a table that a test hands over.
const BYTES: usize = 256 << 10;

/// The call of a hook with what a test gives to it.
pub(super) fn hook(world: &World, name: &str, first: Value, second: Value) -> Result<PluginCall, String> {
    match name {
        "before_action" => Ok(PluginCall::Before(Arc::new(action(world, "before_action", first)?))),
        "after_action" => {
            let asked = Arc::new(action(world, "after_action", first)?);
            Ok(PluginCall::After(asked, Arc::new(outcome(second)?)))
        }
        "on_activity" => Ok(PluginCall::Activity(Arc::new(activity(world, first)?))),
        "on_reload_failed" => Ok(PluginCall::ReloadFailed(Arc::new(reload_failed(first)?))),
        "on_platform" => platform(first),
        other => Err(format!("there is no hook `{other}`")),
    }
}

fn action(world: &World, name: &'static str, value: Value) -> Result<Asked, String> {
    let keys = [
        "kind",
        "bot",
        "post",
        "post_author",
        "post_author_is_fleet",
        "reply_to",
        "reply_author",
        "reply_text",
        "text",
        "title",
        "description",
        "prompt",
        "image_url",
    ];
    let fields = strict(name, name, value, &keys)?;
    let word = fields.text("kind")?;
    let Some(kind) = ActionKind::parse(&word) else {
        let kinds: Vec<&str> = ActionKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let near = text::nearest(&word, &kinds).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("{name}: there is no action `{word}`{near} Known: {}", kinds.join(", ")));
    };
    let bot = fields.optional_text("bot")?.unwrap_or_else(|| "tester-1".to_owned());
    let bot: BotId = bot.parse().map_err(|wrong| format!("{name}: `bot`: {wrong}"))?;
    let (shown_name, username) = world.who_is(&bot);
    let mut about = about(world, &fields)?;
    about.prompt = fields.optional_text("prompt")?;
    about.image_url = fields.optional_text("image_url")?;
    let words = match kind {
        ActionKind::Comment => Words::Comment(fields.text("text")?),
        ActionKind::Share | ActionKind::Remix => Words::Post {
            title: fields.text("title")?,
            description: fields.optional_text("description")?.unwrap_or_default(),
        },
        ActionKind::Generate | ActionKind::Upvote => Words::None,
    };
    Ok(Asked { kind, bot, name: shown_name.into(), username: username.into(), about, words })
}

fn about(world: &World, fields: &Fields) -> Result<About, String> {
    let post = fields.optional_text("post")?;
    let known = post.as_ref().and_then(|id| world.trial.posts().into_iter().find(|post| post.id == *id));
    let post_author =
        fields.optional_text("post_author")?.or_else(|| known.as_ref().and_then(|post| post.author.username.clone()));
    let is_fleet = match fields.get("post_author_is_fleet") {
        Value::Nil => post_author.as_ref().is_some_and(|author| world.trial.is_of_fleet(author)),
        _ => flag("before_action", fields, "post_author_is_fleet")?,
    };
    let reply_to = fields.optional_text("reply_to")?;
    let asked = reply_to.as_ref().and_then(|id| {
        world.trial.all_comments().into_iter().map(|(_, comment)| comment).find(|comment| comment.id == *id)
    });
    let reply_author = fields.optional_text("reply_author")?.map(|username| Author {
        id: format!("id-{username}"),
        username: Some(username.clone()),
        name: Some(username),
    });
    Ok(About {
        post,
        post_author,
        post_author_is_fleet: is_fleet,
        reply_to,
        reply_author: reply_author.or_else(|| asked.as_ref().map(|comment| comment.author.clone())),
        reply_text: fields.optional_text("reply_text")?.or_else(|| asked.map(|comment| comment.content)),
        ..About::default()
    })
}

fn outcome(value: Value) -> Result<Outcome, String> {
    const NAME: &str = "after_action";
    if matches!(value, Value::Nil) {
        return Ok(Outcome { id: Some("made".to_owned()), failure: None });
    }
    let fields = strict(NAME, "after_action: the outcome", value, &["id", "failure"])?;
    let failure = match fields.get("failure") {
        Value::Nil => None,
        Value::String(word) => Some(failed(NAME, &word.to_string_lossy())?),
        other => return Err(format!("{NAME}: `failure` must be a kind of failure, got {}", shown(&other))),
    };
    Ok(Outcome { id: fields.optional_text("id")?, failure })
}

/// A failure by its kind.
pub(super) fn failed(name: &str, word: &str) -> Result<Failure, String> {
    let Some(kind) = FailureKind::parse(word) else {
        let kinds: Vec<&str> = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let near = text::nearest(word, &kinds).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("{name}: there is no kind `{word}`{near} Known: {}", kinds.join(", ")));
    };
    Ok(Failure::new(kind, format!("the test says {word}")))
}

fn activity(world: &World, value: Value) -> Result<Activity, String> {
    const NAME: &str = "on_activity";
    let fields = strict(NAME, NAME, value, &["kind", "bot", "persona", "ending", "target", "text", "detail"])?;
    let bot = match fields.optional_text("bot")? {
        None => None,
        Some(bot) => Some(bot.parse::<BotId>().map_err(|wrong| format!("{NAME}: `bot`: {wrong}"))?),
    };
    let persona = match fields.optional_text("persona")? {
        None => bot.as_ref().map(|bot| bot.persona.clone()),
        Some(name) => Some(name.parse().map_err(|wrong| format!("{NAME}: `persona`: {wrong}"))?),
    };
    let ending = match fields.optional_text("ending")? {
        None => Ending::Done,
        Some(word) => Ending::parse(&word).ok_or_else(|| {
            format!("{NAME}: `ending` must be done, refused, failed or unknown, got `{}`", text::clip(&word, 60))
        })?,
    };
    let detail = match fields.get("detail") {
        Value::Nil => Json::Object(Map::new()),
        detail => to_json(&detail, "on_activity: `detail`", BYTES)?,
    };
    Ok(Activity {
        id: i64::from(world.next_number()),
        what: NewActivity {
            at: world.trial.now(),
            bot,
            persona,
            kind: fields.text("kind")?,
            ending,
            target: fields.optional_text("target")?.unwrap_or_default(),
            text: fields.optional_text("text")?.unwrap_or_default(),
            detail,
        },
    })
}

fn reload_failed(value: Value) -> Result<ReloadFailed, String> {
    const NAME: &str = "on_reload_failed";
    let fields = strict(NAME, NAME, value, &["persona", "plugin", "text", "errors"])?;
    let errors = match fields.get("errors") {
        Value::Nil => Json::Array(Vec::new()),
        errors => to_json(&errors, "on_reload_failed: `errors`", BYTES)?,
    };
    Ok(ReloadFailed {
        persona: fields.optional_text("persona")?,
        plugin: fields.optional_text("plugin")?,
        text: fields.optional_text("text")?.unwrap_or_default(),
        errors,
    })
}

fn platform(value: Value) -> Result<PluginCall, String> {
    const NAME: &str = "on_platform";
    let fields = strict(NAME, NAME, value, &["kind", "until_at"])?;
    let kind = fields.text("kind")?;
    let kinds = ["paused", "resumed", "budget"];
    let Some(kind) = kinds.into_iter().find(|known| *known == kind) else {
        return Err(format!("{NAME}: `kind` must be one of {}, got `{}`", kinds.join(", "), text::clip(&kind, 60)));
    };
    Ok(PluginCall::Platform(kind, fields.optional_number("until_at")?))
}

/// The arguments of an export.
pub(super) fn arguments(name: &str, value: &Value) -> Result<Vec<Json>, String> {
    let Value::Table(list) = value else { return Ok(Vec::new()) };
    let count = list.raw_get::<Option<usize>>("n").ok().flatten().unwrap_or(0);
    (1..=count)
        .map(|place| {
            let value: Value = list.raw_get(place).map_err(|error| error.to_string())?;
            to_json(&value, &format!("{name}: argument {place}"), BYTES)
        })
        .collect()
}

/// A name as a text, whatever a test gave for it.
pub(super) fn name(value: &Value) -> String {
    as_text(value).unwrap_or_else(|| shown(value))
}
