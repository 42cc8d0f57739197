//! What hangs on a bot instead of a module: its traits.

use mlua::Value;

use crate::host::identity;
use crate::lua::api::{Answer, Call, Module};

pub(super) const MODULE: Module =
    Module { name: "bot_", types: "", is_granted_by_name: false, waiting: &[], immediate: &[("bot_.rng", rng)] };

fn rng(mut call: Call) -> Answer {
    let word = call.args.text("word")?;
    Ok(Value::Number(identity::trait_of(call.host.bot(), &word)))
}
