//! `log`: the bot's log.

use mlua::Value;
use tracing::{debug, error, info, warn};

use crate::lua::api::{Answer, Call, Module};
use crate::lua::args::as_text;
use crate::lua::limits::LogLine;
use crate::lua::value::to_json;
use crate::text::clip;

pub(super) const MODULE: Module = Module {
    name: "log",
    types: include_str!("log.d.luau"),
    is_granted_by_name: false,
    waiting: &[],
    immediate: &[("log.debug", low), ("log.info", plain), ("log.warn", high), ("log.error", highest)],
};

/// Most characters of one line.
const CHARS: usize = 500;

fn low(call: Call) -> Answer {
    line(call, |bot, message, fields| debug!(target: "script", bot, fields, "{message}"))
}

fn plain(call: Call) -> Answer {
    line(call, |bot, message, fields| info!(target: "script", bot, fields, "{message}"))
}

fn high(call: Call) -> Answer {
    line(call, |bot, message, fields| warn!(target: "script", bot, fields, "{message}"))
}

fn highest(call: Call) -> Answer {
    line(call, |bot, message, fields| error!(target: "script", bot, fields, "{message}"))
}

fn line(mut call: Call, write: fn(&str, &str, Option<&str>)) -> Answer {
    let given = call.args.value();
    let fields = call.args.value();
    if call.host.is_trial() {
        return Ok(Value::Nil);
    }
    if call.host.is_console() {
        call.host.say(said(&given, &fields));
        return Ok(Value::Nil);
    }
    let bot = call.host.label();
    match call.meter.take_log_line() {
        LogLine::Granted => {}
        LogLine::FirstTooMany => {
            let most = call.meter.limits().log_lines;
            warn!(target: "script", bot, "more than {most} lines of log in one tick, the rest is dropped");
            return Ok(Value::Nil);
        }
        LogLine::TooMany => return Ok(Value::Nil),
    }
    let (message, fields) = (message_of(&given), fields_of(&fields));
    // Scripts may write anything; a terminal must not obey it.
    let escaped: String = clip(&message, CHARS).chars().flat_map(escape).collect();
    let fields: Option<String> = fields.map(|fields| clip(&fields, CHARS).chars().flat_map(escape).collect());
    write(&bot, &escaped, fields.as_deref());
    Ok(Value::Nil)
}

fn message_of(given: &Value) -> String {
    let message = match given {
        // What is cut within a character is still worth reading.
        Value::String(text) => Some(text.to_string_lossy()),
        other => as_text(other),
    };
    message
        .or_else(|| to_json(given, "message", 4096).ok().map(|json| json.to_string()))
        .unwrap_or_else(|| given.type_name().to_owned())
}

fn fields_of(fields: &Value) -> Option<String> {
    match fields {
        Value::Nil => None,
        fields => Some(to_json(fields, "fields", 4096).map_or_else(|wrong| wrong, |json| json.to_string())),
    }
}

/// The same line for the console.
fn said(given: &Value, fields: &Value) -> String {
    let fields = fields_of(fields).map(|fields| format!(" {fields}")).unwrap_or_default();
    clip(&format!("{}{fields}", message_of(given)), CHARS)
}

fn escape(c: char) -> impl Iterator<Item = char> {
    let shown: String = if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    shown.chars().collect::<Vec<_>>().into_iter()
}
