//! What only plugins can call, and what a persona calls of a plugin.

use futures_util::future::BoxFuture;
use mlua::Value;

use crate::host::service::Suggestion;
use crate::lua::api::{Answer, Call, Module, Trouble};
use crate::lua::value::{from_json, to_json};
use crate::model::name::BotId;

/// The modules of plugins; `plugins` is no global, but behind the functions of `require("@plugins/NAME")`.
pub const PLUGIN_MODULES: [Module; 2] = [
    Module {
        name: "bots",
        types: include_str!("bots.d.luau"),
        is_granted_by_name: false,
        waiting: &[("bots.list", list), ("bots.suggest", suggest)],
        immediate: &[],
    },
    Module {
        name: "plugins",
        types: "",
        is_granted_by_name: false,
        waiting: &[("plugins.call", call_export)],
        immediate: &[],
    },
];

/// Primitives that wait and that plugins share with bots; all others act as somebody, and a plugin is nobody.
pub const FOR_PLUGINS: [&str; 19] = [
    "floimg.feed",
    "floimg.trending",
    "floimg.get",
    "floimg.comments",
    "store.get",
    "store.set",
    "store.delete",
    "store.compare_and_set",
    "store.increment",
    "store.keys",
    "store.shared.get",
    "store.shared.set",
    "store.shared.delete",
    "store.shared.compare_and_set",
    "store.shared.increment",
    "store.shared.keys",
    "http.get",
    "http.post",
    "time.sleep",
];

/// The globals that only plugins find.
pub const PLUGIN_GLOBALS: [&str; 2] = ["plugin", "bots"];

/// The stub of `plugin`.
pub const PLUGIN_STUB: &str = include_str!("plugin.d.luau");

/// The longest key of a suggestion.
const KEY_CHARS: usize = 100;
/// The most bots of one list.
const BOTS: u32 = 1000;
/// Most bytes of what goes to an export and comes back, as JSON.
pub(super) const EXPORT_BYTES: usize = 64 << 10;

fn list(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.optional_fields(&["persona", "interests", "limit"])?;
        let persona = options.optional_text("persona")?;
        let interests = options.optional_texts("interests")?.unwrap_or_default();
        let limit = options.count("limit", 1..=BOTS, BOTS)? as usize;
        let found = call.host.bots(persona.as_deref(), &interests);
        let list = call.lua.create_table()?;
        for (place, listed) in (1..).zip(found.iter().take(limit)) {
            let bot = &listed.bot;
            let table = call.lua.create_table_with_capacity(0, 6)?;
            table.raw_set("id", bot.id.to_string())?;
            table.raw_set("name", &*bot.name)?;
            table.raw_set("username", &*bot.username)?;
            table.raw_set("persona", bot.id.persona.as_str())?;
            table.raw_set(
                "interests",
                call.lua.create_sequence_from(bot.persona.interests.iter().map(String::as_str))?,
            )?;
            table.raw_set("is_awake", listed.is_awake)?;
            list.raw_set(place, table)?;
        }
        Ok(Value::Table(list))
    })
}

fn suggest(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["bot", "kind", "post", "post_title", "comment", "text", "key"])?;
        let id = options.text("bot")?;
        let bot: BotId = id.parse().map_err(|wrong| Trouble::from(format!("bots.suggest: {wrong}")))?;
        let kind = options.text("kind")?;
        let is_word = (1..=48).contains(&kind.len())
            && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_word || ["comment", "mention", "remix"].contains(&kind.as_str()) {
            return Err(format!(
                "bots.suggest: `kind` must be a word of up to 48 of a-z, 0-9 and _, and none of comment, mention and \
                 remix, which people cause; got `{kind}`"
            )
            .into());
        }
        let post = options.optional_text("post")?.unwrap_or_default();
        let key = options.optional_text("key")?.unwrap_or_default();
        if post.is_empty() && key.is_empty() {
            let wrong = "bots.suggest: give `post`, or a `key` that tells this one from the last of its kind";
            return Err(wrong.to_owned().into());
        }
        if key.chars().count() > KEY_CHARS {
            return Err(format!("bots.suggest: `key` must have at most {KEY_CHARS} characters").into());
        }
        let suggestion = Suggestion {
            bot,
            kind,
            post,
            post_title: options.optional_text("post_title")?.unwrap_or_default(),
            comment: options.optional_text("comment")?,
            text: options.optional_text("text")?,
            key,
        };
        Ok(Value::Boolean(call.host.suggest(suggestion).await?))
    })
}

fn call_export(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let plugin = call.args.text("plugin")?;
        let export = call.args.text("export")?;
        let mut arguments = Vec::new();
        for (place, value) in (1..).zip(call.args.rest()) {
            arguments.push(to_json(&value, &format!("{plugin}.{export}: argument {place}"), EXPORT_BYTES)?);
        }
        let answer = call.host.call_plugin(plugin, export, arguments).await?;
        Ok(from_json(&call.lua, &answer)?)
    })
}
