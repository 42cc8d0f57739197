//! `memory`: what a bot saw, said, and to whom.

use futures_util::future::BoxFuture;
use mlua::Value;

use crate::lua::api::{Answer, Call, Module, Trouble};

use super::floimg::{age, unix};

pub(super) const MODULE: Module = Module {
    name: "memory",
    types: include_str!("memory.d.luau"),
    is_granted_by_name: true,
    waiting: &[
        ("memory.remember", remember),
        ("memory.recall", recall),
        ("memory.has", has),
        ("memory.forget", forget),
    ],
    immediate: &[],
};

/// Most characters of one memory.
const CHARS: usize = 1000;

fn remember(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["kind", "about", "text", "weight"])?;
        let kind = word(&options.text("kind")?, "kind")?;
        let about = word(&options.text("about")?, "about")?;
        let text = crate::text::clip(&options.optional_text("text")?.unwrap_or_default(), CHARS);
        let weight = options.optional_number("weight")?.unwrap_or(0.5).clamp(0.0, 1.0);
        call.host.remember(kind, about, text, weight).await?;
        Ok(Value::Boolean(true))
    })
}

fn recall(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.optional_fields(&["query", "kind", "about", "limit"])?;
        let limit = options.count("limit", 1..=50, 5)? as usize;
        let recalled = call
            .host
            .recall(
                options.optional_text("query")?,
                options.optional_text("kind")?,
                options.optional_text("about")?,
                limit,
            )
            .await?;
        let list = call.lua.create_table_with_capacity(recalled.len(), 0)?;
        let now = call.host.now();
        for (index, recalled) in recalled.into_iter().enumerate() {
            let table = call.lua.create_table_with_capacity(0, 6)?;
            table.raw_set("kind", recalled.memory.kind)?;
            table.raw_set("about", recalled.memory.about)?;
            table.raw_set("text", recalled.memory.text)?;
            table.raw_set("at", unix(recalled.memory.at))?;
            table.raw_set("age", age(recalled.memory.at, now))?;
            table.raw_set("score", recalled.score)?;
            list.raw_set(index + 1, table)?;
        }
        Ok(Value::Table(list))
    })
}

fn has(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let kind = call.args.text("kind")?;
        let about = call.args.text("about")?;
        let recalled = call.host.recall(None, Some(kind), Some(about), 1).await?;
        Ok(Value::Boolean(!recalled.is_empty()))
    })
}

fn forget(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let about = call.args.text("about")?;
        let kind = call.args.optional_text("kind")?;
        let count = call.host.forget(about, kind).await?;
        Ok(Value::Number(f64::from(u32::try_from(count).unwrap_or(u32::MAX))))
    })
}

fn word(text: &str, what: &str) -> Result<String, Trouble> {
    let chars = text.chars().count();
    if chars == 0 || chars > 200 {
        return Err(format!("memory.remember: `{what}` must have 1 to 200 characters, got {chars}").into());
    }
    Ok(text.to_owned())
}
