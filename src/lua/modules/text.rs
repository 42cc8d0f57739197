//! `text`: words.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use mlua::Value;

use crate::lua::api::{Answer, Call, Module, Trouble};
use crate::text;

pub(super) const MODULE: Module = Module {
    name: "text",
    types: include_str!("text.d.luau"),
    is_granted_by_name: false,
    waiting: &[("text.has_said", has_said)],
    immediate: &[
        ("text.similarity", similarity),
        ("text.clip", clip),
        ("text.length", length),
        ("text.words", words),
        ("text.fill", fill),
        ("text.asks_if_bot", asks_if_bot),
    ],
};

/// Most bytes of a text that is looked at: these functions cannot be interrupted.
const BYTES: usize = 16 << 10;

fn bounded(call: &mut Call, what: &str) -> Result<String, Trouble> {
    let text = call.args.text(what)?;
    if text.len() > BYTES {
        let name = call.args.name();
        return Err(format!("{name}: `{what}` has {} bytes; at most {BYTES} are looked at", text.len()).into());
    }
    Ok(text)
}

fn has_said(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let text = bounded(&mut call, "text")?;
        Ok(Value::Boolean(call.host.has_said(text).await?))
    })
}

fn similarity(mut call: Call) -> Answer {
    let a = bounded(&mut call, "a")?;
    let b = bounded(&mut call, "b")?;
    Ok(Value::Number(text::similarity(&a, &b)))
}

fn clip(mut call: Call) -> Answer {
    let words = bounded(&mut call, "text")?;
    let chars = call.args.number("chars")?;
    if !(1.0..=100_000.0).contains(&chars) {
        return Err(format!("text.clip: `chars` must be from 1 to 100000, got {chars}").into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    let clipped = text::clip(&words, chars as usize);
    Ok(Value::String(call.lua.create_string(clipped)?))
}

fn length(mut call: Call) -> Answer {
    let words = bounded(&mut call, "text")?;
    Ok(Value::Integer(i64::try_from(text::length(&words)).unwrap_or(0)))
}

fn words(mut call: Call) -> Answer {
    let words = bounded(&mut call, "text")?;
    Ok(Value::Table(call.lua.create_sequence_from(text::words(&words))?))
}

fn fill(mut call: Call) -> Answer {
    let template = bounded(&mut call, "template")?;
    let values = match call.args.value() {
        Value::Nil => BTreeMap::new(),
        Value::Table(table) => super::llm::facts("text.fill", "values", &table)?,
        other => return Err(format!("text.fill: `values` must be a table, got {}", other.type_name()).into()),
    };
    match call.host.fill(&template, &values)? {
        Some(text) => Ok(Value::String(call.lua.create_string(text)?)),
        None => Ok(Value::Nil),
    }
}

fn asks_if_bot(mut call: Call) -> Answer {
    let words = bounded(&mut call, "text")?;
    Ok(Value::Boolean(text::asks_if_bot(&words)))
}
