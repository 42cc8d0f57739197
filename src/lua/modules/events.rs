//! `events`: what concerns a bot, and what it wants known.

use futures_util::future::BoxFuture;
use mlua::{Lua, Table, Value};

use crate::lua::api::{Answer, Call, Module};
use crate::lua::value::to_json;
use crate::store::StoredEvent;

use super::floimg::unix;

pub(super) const MODULE: Module = Module {
    name: "events",
    types: include_str!("events.d.luau"),
    is_granted_by_name: true,
    waiting: &[("events.recent", recent), ("events.emit", emit)],
    immediate: &[],
};

fn recent(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.optional_fields(&["limit", "kind"])?;
        let limit = options.count("limit", 1..=100, 20)?;
        let kind = options.optional_text("kind")?;
        let events = call.host.recent_events(kind, limit).await?;
        let list = call.lua.create_table_with_capacity(events.len(), 0)?;
        for (index, event) in events.iter().enumerate() {
            list.raw_set(index + 1, event_table(&call.lua, event)?)?;
        }
        Ok(Value::Table(list))
    })
}

fn emit(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let name = call.args.text("name")?;
        let fits = !name.is_empty()
            && name.len() <= 48
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !fits {
            return Err("events.emit: `name` must be a word of up to 48 of a-z, 0-9 and _".to_owned().into());
        }
        let data = to_json(&call.args.value(), "events.emit: `data`", 64 << 10)?;
        call.host.emit(name, data).await?;
        Ok(Value::Boolean(true))
    })
}

/// An event as scripts see it.
///
/// # Errors
/// When the VM has no memory for it.
pub(in crate::lua) fn event_table(lua: &Lua, event: &StoredEvent) -> mlua::Result<Table> {
    let what = &event.what;
    let table = lua.create_table_with_capacity(0, 9)?;
    table.raw_set("id", event.id.to_string())?;
    table.raw_set("kind", what.kind.as_str())?;
    table.raw_set("post_id", what.post.as_str())?;
    table.raw_set("post_title", what.post_title.as_str())?;
    table.raw_set("comment_id", what.comment.as_deref())?;
    table.raw_set("text", what.text.as_deref())?;
    table.raw_set("from", what.from.as_deref())?;
    table.raw_set("is_fleet", what.is_fleet)?;
    table.raw_set("at", unix(what.at))?;
    Ok(table)
}
