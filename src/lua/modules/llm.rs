//! `llm`: words and decisions.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use mlua::Value;

use crate::host::writer::{Asking, Choosing, Look, Writing};
use crate::lua::api::{Answer, Call, Module, Trouble};
use crate::lua::args::{Fields, as_text, shown};
use crate::lua::value::{from_json, to_json};

pub(super) const MODULE: Module = Module {
    name: "llm",
    types: include_str!("llm.d.luau"),
    is_granted_by_name: true,
    waiting: &[("llm.write", write), ("llm.choose", choose), ("llm.json", json)],
    immediate: &[],
};

/// Most facts of one text.
const FACTS: usize = 200;
/// Most options to choose from.
const OPTIONS: usize = 50;

fn write(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["purpose", "prompt", "about", "max_chars", "image", "model", "templates"])?;
        let writing = Writing {
            purpose: purpose("llm.write", &options)?,
            prompt: options.optional_text("prompt")?.unwrap_or_default(),
            about: about("llm.write", &options)?,
            max_chars: options.count("max_chars", 1..=10_000, 500)? as usize,
            templates: options.optional_texts("templates")?.unwrap_or_default(),
            look: look(&options)?,
        };
        let text = call.host.write(writing).await?;
        Ok(Value::String(call.lua.create_string(text)?))
    })
}

fn choose(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["purpose", "question", "options", "about", "image", "model"])?;
        let purpose = purpose("llm.choose", &options)?;
        let question = options.text("question")?;
        let about = about("llm.choose", &options)?;
        let look = look(&options)?;
        let choices = options
            .optional_texts("options")?
            .ok_or_else(|| "llm.choose: `options` must be a list of texts, got nothing".to_owned())?;
        if choices.is_empty() || choices.len() > OPTIONS {
            return Err(format!("llm.choose: `options` must have 1 to {OPTIONS} texts, got {}", choices.len()).into());
        }
        let choosing = Choosing { purpose, question, options: choices, about, look };
        let chosen = call.host.choose(choosing).await?;
        Ok(Value::Integer(i64::try_from(chosen + 1).unwrap_or(1)))
    })
}

fn json(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["purpose", "prompt", "fields", "fallback", "about", "image", "model"])?;
        let purpose = purpose("llm.json", &options)?;
        let prompt = options.text("prompt")?;
        let about = about("llm.json", &options)?;
        let look = look(&options)?;
        let mut fields = BTreeMap::new();
        for pair in options.table("fields")?.pairs::<Value, Value>() {
            let (name, kind) = pair?;
            let (Some(name), Some(kind)) = (as_text(&name), as_text(&kind)) else {
                return Err("llm.json: `fields` must map names to \"string\", \"number\" or \"boolean\""
                    .to_owned()
                    .into());
            };
            if !["string", "number", "boolean"].contains(&kind.as_str()) {
                return Err(format!("llm.json: `fields.{name}` must be string, number or boolean, got `{kind}`").into());
            }
            fields.insert(name, kind);
        }
        let fallback = match options.get("fallback") {
            Value::Nil => None,
            value => match to_json(&value, "llm.json: `fallback`", 16 << 10)? {
                serde_json::Value::Object(fallback) => Some(fallback),
                _ => return Err("llm.json: `fallback` must have texts as keys".to_owned().into()),
            },
        };
        let answer = call.host.answer(Asking { purpose, prompt, about, look, fields, fallback }).await?;
        Ok(from_json(&call.lua, &serde_json::Value::Object(answer))?)
    })
}

fn purpose(name: &str, options: &Fields) -> Result<String, Trouble> {
    let purpose = options.text("purpose")?;
    let fits = !purpose.is_empty()
        && purpose.len() <= 48
        && purpose.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if fits {
        Ok(purpose)
    } else {
        Err(format!("{name}: `purpose` must be a word of a-z, 0-9 and _, like \"comment\"").into())
    }
}

fn look(options: &Fields) -> Result<Look, Trouble> {
    Ok(Look { model: options.optional_text("model")?, image: options.optional_text("image")? })
}

pub(super) fn about(name: &str, options: &Fields) -> Result<BTreeMap<String, String>, Trouble> {
    let Some(table) = options.optional_table("about")? else { return Ok(BTreeMap::new()) };
    facts(name, "about", &table)
}

pub(super) fn facts(name: &str, what: &str, table: &mlua::Table) -> Result<BTreeMap<String, String>, Trouble> {
    let mut facts = BTreeMap::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if facts.len() >= FACTS {
            return Err(format!("{name}: `{what}` has more than {FACTS} facts; at most so many are looked at").into());
        }
        match (&key, as_text(&value)) {
            (Value::String(key), Some(text)) => {
                facts.insert(key.to_string_lossy(), text);
            }
            _ => {
                return Err(format!(
                    "{name}: `{what}` must map names to texts or numbers, but {} is {}",
                    shown(&key),
                    shown(&value)
                )
                .into());
            }
        }
    }
    Ok(facts)
}
