//! `json`: JSON.

use mlua::Value;

use crate::host::refusal::Refusal;
use crate::lua::api::{Answer, Call, Module};
use crate::lua::value::{from_json, to_json};
use crate::model::failure::FailureKind;

pub(super) const MODULE: Module = Module {
    name: "json",
    types: include_str!("json.d.luau"),
    is_granted_by_name: false,
    waiting: &[],
    immediate: &[("json.encode", encode), ("json.decode", decode)],
};

/// Most bytes either way.
const BYTES: usize = 256 << 10;

fn encode(mut call: Call) -> Answer {
    let value = call.args.value();
    let json = to_json(&value, "json.encode: `value`", BYTES)?;
    Ok(Value::String(call.lua.create_string(json.to_string())?))
}

fn decode(mut call: Call) -> Answer {
    let text = call.args.text("json")?;
    if text.len() > BYTES {
        return Err(format!("json.decode: at most {BYTES} bytes, got {}", text.len()).into());
    }
    match serde_json::from_str(&text) {
        Ok(json) => Ok(from_json(&call.lua, &json)?),
        Err(error) => Err(Refusal::failure(FailureKind::Rejected, format!("it is not JSON: {error}")).into()),
    }
}
