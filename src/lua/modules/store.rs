//! `store`: durable values by key.

use futures_util::future::BoxFuture;
use mlua::Value;

use crate::host::keeping::Whose;
use crate::lua::api::{Answer, Call, Module, Trouble};
use crate::lua::value::{from_json, to_json};

pub(super) const MODULE: Module = Module {
    name: "store",
    types: include_str!("store.d.luau"),
    is_granted_by_name: true,
    waiting: &[
        ("store.get", |call| get(call, Whose::Own)),
        ("store.set", |call| set(call, Whose::Own)),
        ("store.delete", |call| delete(call, Whose::Own)),
        ("store.compare_and_set", |call| compare_and_set(call, Whose::Own)),
        ("store.increment", |call| increment(call, Whose::Own)),
        ("store.keys", |call| keys(call, Whose::Own)),
        ("store.shared.get", |call| get(call, Whose::Shared)),
        ("store.shared.set", |call| set(call, Whose::Shared)),
        ("store.shared.delete", |call| delete(call, Whose::Shared)),
        ("store.shared.compare_and_set", |call| compare_and_set(call, Whose::Shared)),
        ("store.shared.increment", |call| increment(call, Whose::Shared)),
        ("store.shared.keys", |call| keys(call, Whose::Shared)),
    ],
    immediate: &[],
};

/// A bound for what is turned into JSON at all; the config's own limit is checked by the host.
const VALUE_BYTES: usize = 1 << 20;

fn get(mut call: Call, whose: Whose) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let key = call.args.text("key")?;
        match call.host.entry(whose, key).await? {
            Some(value) => Ok(from_json(&call.lua, &value)?),
            None => Ok(Value::Nil),
        }
    })
}

fn set(mut call: Call, whose: Whose) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let key = call.args.text("key")?;
        let value = json(&mut call, "value")?;
        let Some(value) = value else {
            return Err(format!("{}: to remove a key, use store.delete; `value` is nil", call.args.name()).into());
        };
        let ttl = call.args.optional_fields(&["ttl"])?.optional_seconds("ttl")?;
        call.host.set_entry(whose, key, value, ttl).await?;
        Ok(Value::Boolean(true))
    })
}

fn delete(mut call: Call, whose: Whose) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let key = call.args.text("key")?;
        Ok(Value::Boolean(call.host.delete_entry(whose, key).await?))
    })
}

fn compare_and_set(mut call: Call, whose: Whose) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let key = call.args.text("key")?;
        let expected = json(&mut call, "expected")?;
        let value = json(&mut call, "value")?;
        let ttl = call.args.optional_fields(&["ttl"])?.optional_seconds("ttl")?;
        Ok(Value::Boolean(call.host.compare_and_set(whose, key, expected, value, ttl).await?))
    })
}

fn increment(mut call: Call, whose: Whose) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let key = call.args.text("key")?;
        let by = call.args.optional_number("by")?.unwrap_or(1.0);
        let ttl = call.args.optional_fields(&["ttl"])?.optional_seconds("ttl")?;
        Ok(Value::Number(call.host.increment(whose, key, by, ttl).await?))
    })
}

fn keys(mut call: Call, whose: Whose) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.optional_fields(&["prefix", "limit"])?;
        let prefix = options.optional_text("prefix")?.unwrap_or_default();
        let limit = options.count("limit", 1..=1000, 100)?;
        let names = call.host.entry_names(whose, prefix, limit).await?;
        Ok(Value::Table(call.lua.create_sequence_from(names)?))
    })
}

fn json(call: &mut Call, what: &str) -> Result<Option<serde_json::Value>, Trouble> {
    match call.args.value() {
        Value::Nil => Ok(None),
        value => {
            let path = format!("{}: `{what}`", call.args.name());
            Ok(Some(to_json(&value, &path, VALUE_BYTES)?))
        }
    }
}
