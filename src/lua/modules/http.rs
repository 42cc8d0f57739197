//! `http`: requests to hosts that the operator granted.

use futures_util::future::BoxFuture;
use mlua::{Table, Value};

use crate::host::fetch::Asking;
use crate::lua::api::{Answer, Call, Module, Trouble};
use crate::lua::args::{Fields, as_text, shown};
use crate::lua::value::{from_json, to_json};
use crate::web::{Headers, Reply, Verb};

pub(super) const MODULE: Module = Module {
    name: "http",
    types: include_str!("http.d.luau"),
    is_granted_by_name: true,
    waiting: &[("http.get", get), ("http.post", post)],
    immediate: &[],
};

/// The longest body that is looked at; the config allows less.
const BODY_BYTES: usize = 16 << 20;

fn get(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let url = call.args.text("url")?;
        let options = call.args.optional_fields(&["headers", "timeout"])?;
        let asking = Asking {
            verb: Verb::Get,
            url,
            headers: headers("http.get", &options)?,
            body: None,
            is_signed: false,
            timeout: options.optional_seconds("timeout")?,
        };
        let reply = call.host.fetch(asking).await?;
        Ok(table(&call, &reply)?)
    })
}

fn post(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let url = call.args.text("url")?;
        let options = call.args.optional_fields(&["body", "json", "headers", "timeout", "sign"])?;
        let is_signed = match options.get("sign") {
            Value::Nil => false,
            Value::Boolean(flag) => flag,
            other => return Err(format!("http.post: `sign` must be true or false, got {}", shown(&other)).into()),
        };
        let asking = Asking {
            verb: Verb::Post,
            url,
            headers: headers("http.post", &options)?,
            body: Some(body(&options)?),
            is_signed,
            timeout: options.optional_seconds("timeout")?,
        };
        let reply = call.host.fetch(asking).await?;
        Ok(table(&call, &reply)?)
    })
}

fn body(options: &Fields) -> Result<(Vec<u8>, &'static str), Trouble> {
    match (options.get("body"), options.get("json")) {
        (Value::Nil, Value::Nil) => Ok((Vec::new(), "text/plain; charset=utf-8")),
        (Value::String(text), Value::Nil) => Ok((text.as_bytes().to_vec(), "text/plain; charset=utf-8")),
        (Value::Nil, json) => {
            let json = to_json(&json, "http.post: `json`", BODY_BYTES)?;
            Ok((json.to_string().into_bytes(), "application/json"))
        }
        (other, Value::Nil) => Err(format!("http.post: `body` must be a text, got {}", shown(&other)).into()),
        _ => Err("http.post: give `body` or `json`, not both".to_owned().into()),
    }
}

fn headers(name: &str, options: &Fields) -> Result<Headers, Trouble> {
    let mut headers = Headers::default();
    let Some(table) = options.optional_table("headers")? else { return Ok(headers) };
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let (Value::String(key), Some(value)) = (&key, as_text(&value)) else {
            return Err(
                format!("{name}: `headers` must map names to texts, but {} is {}", shown(&key), shown(&value)).into()
            );
        };
        headers.add(&key.to_string_lossy(), &value).map_err(|wrong| format!("{name}: `headers`: {wrong}"))?;
    }
    Ok(headers)
}

fn table(call: &Call, reply: &Reply) -> mlua::Result<Value> {
    let lua = &call.lua;
    let headers: Table = lua.create_table_with_capacity(0, reply.headers.len())?;
    for (name, value) in &reply.headers {
        headers.raw_set(name.as_str(), value.as_str())?;
    }
    let table = lua.create_table_with_capacity(0, 4)?;
    table.raw_set("status", reply.status)?;
    table.raw_set("headers", headers)?;
    table.raw_set("body", lua.create_string(&reply.body)?)?;
    if reply.is_json()
        && let Ok(json) = serde_json::from_slice(&reply.body)
    {
        table.raw_set("json", from_json(lua, &json)?)?;
    }
    Ok(Value::Table(table))
}
