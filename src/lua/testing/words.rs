//! The words of tests, as functions of the host behind `words.luau`.
//!
//! Nothing here raises by itself: what is wrong is handed to `words.luau`, which raises it where the test called.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlua::chunk::ChunkMode;
use mlua::{Function, IntoLuaMulti, Lua, Table, Value};

use super::asked;
use super::given;
use super::guests;
use super::show;
use super::subject::{ACTS, Deeds};
use super::world::World;
use crate::lua::args::{as_text, shown};
use crate::lua::plugins::{Answer, PluginCall};
use crate::lua::value::from_json;
use crate::lua::vm;
use crate::model::seconds::Seconds;
use crate::text;

/// The globals that tests have besides those of scripts.
pub(super) const WORDS: [&str; 3] = ["test", "given", "expect"];

/// Most characters of a test's name.
const NAME_CHARS: usize = 200;

/// What `words.luau` is told: whether to go on, and with what.
type Told = mlua::Result<(bool, Value)>;

fn told<T: IntoLuaMulti>(lua: &Lua, result: Result<T, String>) -> Told {
    match result {
        Ok(value) => Ok((true, value.into_lua_multi(lua)?.into_iter().next().unwrap_or(Value::Nil))),
        Err(wrong) => Ok((false, Value::String(lua.create_string(wrong)?))),
    }
}

/// Puts the words into a VM's globals.
pub(super) fn install(lua: &Lua, world: &Arc<World>) -> mlua::Result<()> {
    let source = vm::compile("words", include_str!("words.luau"))
        .map_err(|problem| mlua::Error::runtime(problem.to_string()))?;
    let make: Function = lua.load(source).set_name("=host").set_mode(ChunkMode::Binary).call(())?;
    let host = lua.create_table()?;
    let add = |name: &str, function: fn(&Lua, &Arc<World>, Arguments) -> Told| {
        let world = world.clone();
        host.raw_set(name, lua.create_function(move |lua, args: Arguments| function(lua, &world, args))?)
    };
    add("test", |lua, world, (name, body, ..)| told(lua, name_test(world, &name, body)))?;
    add("gallery", |lua, world, (posts, ..)| told(lua, given::gallery(world, posts)))?;
    add("llm", |lua, world, (answers, ..)| told(lua, given::llm(world, answers)))?;
    add("failure", |lua, world, (name, failure, ..)| told(lua, given::failure(world, &name, failure)))?;
    add("bot", |lua, world, (options, ..)| told(lua, given::bot(world, options)))?;
    add("me", |lua, world, (options, ..)| {
        let me = given::me(lua, world, options)?;
        told(lua, me)
    })?;
    add("bots", |lua, world, (list, ..)| told(lua, guests::bots(world, list)))?;
    add("http", |lua, world, (url, replies, _)| told(lua, guests::http(world, &url, replies)))?;
    add("view_plugin", |lua, world, (id, key, ..)| view_plugin(lua, world, number(&id), &key))?;
    add("plugin_calls", |lua, world, (id, ..)| {
        counted(lua, world.with_guest(number(&id), |guest| guest.deeds.calls.clone()))
    })?;
    add("event", |lua, world, (id, event, ..)| told(lua, given::event(world, number(&id), event)))?;
    add("pass", |lua, world, (time, ..)| {
        told(lua, given::seconds("pass", "time", &time).map(|time| world.trial.pass(time)))
    })?;
    add("view", |lua, world, (id, key, ..)| view(lua, world, number(&id), &key))?;
    add("calls", |lua, world, (id, ..)| calls(lua, world, number(&id)))?;
    add("acts", |lua, world, (id, ..)| {
        match with_deeds(world, number(&id), |deeds| serde_json::Value::Array(deeds.acts.clone())) {
            Ok(acts) => Ok((true, from_json(lua, &acts)?)),
            Err(wrong) => told(lua, Err::<(), _>(wrong)),
        }
    })?;
    add("deeds", |lua, world, (id, ..)| told(lua, with_deeds(world, number(&id), deeds_lines)))?;
    add("check_act", |lua, _, (what, kind, fields)| told(lua, check_act(&what, &kind, &fields)))?;
    add("show", |lua, _, (value, ..)| told(lua, Ok(show::shape(&value).line())))?;
    add("same", |lua, _, (a, b, _)| told(lua, Ok(show::shape(&a) == show::shape(&b))))?;
    add("diff", |lua, _, (expected, got, part)| {
        let (expected, mut got) = (show::shape(&expected), show::shape(&got));
        if matches!(part, Value::Boolean(true)) {
            got.keep_only_what(&expected);
        }
        told(lua, Ok(show::diff(&expected, &got)))
    })?;
    add("fail", |lua, world, (message, lines, _)| {
        let lines = match lines {
            Value::Table(lines) => lines.sequence_values::<String>().collect::<mlua::Result<_>>()?,
            _ => Vec::new(),
        };
        world.fail(as_text(&message).unwrap_or_default(), lines);
        told(lua, Ok(()))
    })?;
    add("forget_failure", |lua, world, _| {
        world.forget_failure();
        told(lua, Ok(()))
    })?;
    add("counted", |lua, world, _| {
        world.count_expectation();
        told(lua, Ok(()))
    })?;
    add("unknown", |lua, _, (whole, word, known)| {
        let known: Vec<String> = match known {
            Value::Table(known) => known.sequence_values::<String>().collect::<mlua::Result<_>>()?,
            _ => Vec::new(),
        };
        told(lua, Ok(unknown(&as_text(&whole).unwrap_or_default(), &as_text(&word).unwrap_or_default(), &known)))
    })?;
    let ticking = world.clone();
    let tick = lua.create_async_function(move |lua: Lua, id: Value| {
        let world = ticking.clone();
        async move { told(&lua, world.tick(number(&id)).await) }
    })?;
    host.raw_set("tick", tick)?;
    let asking = world.clone();
    let hook = lua.create_async_function(move |lua: Lua, (id, name, arguments): Arguments| {
        let world = asking.clone();
        async move { ask(&lua, &world, number(&id), &asked::name(&name), arguments).await }
    })?;
    host.raw_set("hook", hook)?;
    let inviting = world.clone();
    let plugin = lua.create_async_function(move |lua: Lua, options: Value| {
        let world = inviting.clone();
        async move {
            let id = match guests::plugin(&world, options) {
                Ok(id) => id,
                Err(wrong) => return told(&lua, Err::<(), _>(wrong)),
            };
            let began = world.with_guest_away(id, async |guest| guest.call(&PluginCall::Start).await).await;
            told(&lua, began.map(|_| id))
        }
    })?;
    host.raw_set("plugin", plugin)?;
    let passing = world.clone();
    let pass = lua.create_async_function(move |lua: Lua, (id, time, _): Arguments| {
        let world = passing.clone();
        async move {
            let length = match given::seconds("pass", "time", &time) {
                Ok(length) => length,
                Err(wrong) => return told(&lua, Err::<(), _>(wrong)),
            };
            told(&lua, world.with_guest_away(number(&id), async |guest| guest.pass(length).await).await)
        }
    })?;
    host.raw_set("pass_plugin", pass)?;
    let words: (Value, Value, Value) = make.call(host)?;
    let globals = lua.globals();
    for (name, word) in WORDS.iter().zip([words.0, words.1, words.2]) {
        globals.raw_set(*name, word)?;
    }
    Ok(())
}

type Arguments = (Value, Value, Value);

fn number(value: &Value) -> usize {
    match value {
        Value::Integer(number) => usize::try_from(*number).unwrap_or(0),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number of our own")]
        Value::Number(number) if *number >= 0.0 && *number < 1e6 => *number as usize,
        _ => 0,
    }
}

fn name_test(world: &World, name: &Value, body: Value) -> Result<(), String> {
    let Some(name) = as_text(name).filter(|name| !name.trim().is_empty() && name.chars().count() <= NAME_CHARS) else {
        return Err(format!(
            "test: expected a sentence of 1 to {NAME_CHARS} characters and a function, got {}",
            shown(name)
        ));
    };
    let Value::Function(body) = body else {
        return Err(format!("test \"{name}\": expected a function after the name, got {}", shown(&body)));
    };
    world.name(name, body)
}

/// The word is not known: those that are, and the nearest.
fn unknown(whole: &str, word: &str, known: &[String]) -> String {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = text::nearest(word, &names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("{whole} has no `{}`{near} Known: {}", text::clip(word, 60), known.join(", "))
}

/// What of a bot can be asked for by name.
const SEEN: [&str; 14] = [
    "id",
    "name",
    "username",
    "bio",
    "persona",
    "index",
    "state",
    "next_wake",
    "rest",
    "ticks",
    "visit_number",
    "calls",
    "log",
    "memories",
];
/// What a bot can be told.
const METHODS: [&str; 9] = ["tick", "visit", "event", "pass", "did", "tried", "count", "acts", "last"];

fn view(lua: &Lua, world: &World, id: usize, key: &Value) -> Told {
    let key = as_text(key).unwrap_or_else(|| shown(key));
    let known: Vec<String> = SEEN.iter().chain(&METHODS).map(|name| (*name).to_owned()).collect();
    if !SEEN.contains(&key.as_str()) {
        return told(lua, Err::<(), _>(unknown("a bot under test", &key, &known)));
    }
    let seen = world.with(id, |bot| match key.as_str() {
        "id" => Ok(bot.id.to_string().into()),
        "name" => Ok(bot.profile.name.as_str().into()),
        "username" => Ok(bot.profile.username.as_str().into()),
        "bio" => Ok(bot.profile.bio.as_str().into()),
        "persona" => Ok(bot.id.persona.as_str().into()),
        "index" => Ok(bot.id.index.into()),
        "ticks" => Ok(bot.lived.into()),
        "visit_number" => Ok(bot.visit.number.into()),
        "next_wake" => Ok(bot.next_wake().map_or(serde_json::Value::Null, serde_json::Value::from)),
        "rest" => Ok(bot.rest.as_ref().map_or(serde_json::Value::Null, |rest| rest.as_str().into())),
        "log" => Ok(bot.deeds.log.clone().into()),
        "memories" => Ok(bot.memories()),
        "state" => match &bot.state {
            None => Ok(serde_json::json!({})),
            Some(state) => serde_json::from_str(state).map_err(|error| format!("the state cannot be read: {error}")),
        },
        _ => Ok(serde_json::Value::Null),
    });
    match seen.and_then(|seen| seen) {
        Ok(json) => Ok((true, from_json(lua, &json)?)),
        Err(wrong) => told(lua, Err::<(), _>(wrong)),
    }
}

/// What a plugin under test can be told.
const PLUGIN_METHODS: [&str; 7] =
    ["before_action", "after_action", "on_activity", "on_reload_failed", "on_platform", "call", "pass"];

fn view_plugin(lua: &Lua, world: &World, id: usize, key: &Value) -> Told {
    let key = asked::name(key);
    if !guests::SEEN.contains(&key.as_str()) {
        let known: Vec<String> = guests::SEEN.iter().chain(&PLUGIN_METHODS).map(|name| (*name).to_owned()).collect();
        return told(lua, Err::<(), _>(unknown("a plugin under test", &key, &known)));
    }
    match guests::view(world, id, &key) {
        Ok(json) => Ok((true, from_json(lua, &json)?)),
        Err(wrong) => told(lua, Err::<(), _>(wrong)),
    }
}

/// Calls a hook of a plugin, or with `call` an export, and answers as tests see it.
async fn ask(lua: &Lua, world: &World, id: usize, name: &str, arguments: Value) -> Told {
    let read = || -> Result<PluginCall, String> {
        let Value::Table(table) = &arguments else { return Err(format!("{name}: expected a table")) };
        let at = |place: i64| table.raw_get::<Value>(place).unwrap_or(Value::Nil);
        if name != "call" {
            return asked::hook(world, name, at(1), at(2));
        }
        let export = asked::name(&at(1));
        let known = world.with_guest(id, |guest| guest.version.manifest.exports.clone())?;
        if !known.contains(&export) {
            return Err(unknown("this plugin", &export, &known));
        }
        Ok(PluginCall::Export(export.as_str().into(), asked::arguments(&export, &at(2))?))
    };
    let call = match read() {
        Ok(call) => call,
        Err(wrong) => return told(lua, Err::<(), _>(wrong)),
    };
    let answer = match world.with_guest_away(id, async |guest| guest.call(&call).await).await {
        Ok(answer) => answer,
        Err(problem) => return told(lua, Err::<(), _>(problem)),
    };
    let json = match answer {
        Answer::Nothing => serde_json::Value::Null,
        Answer::Value(value) => value,
        Answer::Deny(reason, retry_after) => {
            serde_json::json!({ "deny": reason, "retry_after": retry_after.map(Seconds::get) })
        }
        Answer::Change(change, reason) => {
            let change = serde_json::json!({
                "text": change.text, "title": change.title, "description": change.description
            });
            serde_json::json!({ "change": change, "reason": reason })
        }
    };
    Ok((true, from_json(lua, &json)?))
}

fn with_deeds<T>(world: &World, id: usize, look: impl FnOnce(&Deeds) -> T) -> Result<T, String> {
    if id == 0 { Ok(world.with_deeds(look)) } else { world.with(id, |bot| look(&bot.deeds)) }
}

fn calls(lua: &Lua, world: &World, id: usize) -> Told {
    counted(lua, with_deeds(world, id, |deeds| deeds.calls.clone()))
}

fn counted(lua: &Lua, calls: Result<BTreeMap<&'static str, u32>, String>) -> Told {
    let counted = match calls {
        Ok(counted) => counted,
        Err(wrong) => return told(lua, Err::<(), _>(wrong)),
    };
    let table = lua.create_table()?;
    for (name, count) in counted {
        table.raw_set(name, count)?;
        let module = name.split('.').next().unwrap_or(name);
        let of_module = table.raw_get::<Option<u32>>(module)?.unwrap_or(0);
        table.raw_set(module, of_module + count)?;
    }
    told(lua, Ok(table))
}

/// What a bot did, for an expectation on it that does not hold.
fn deeds_lines(deeds: &Deeds) -> Vec<String> {
    const MOST: usize = 12;
    if deeds.acts.is_empty() {
        return vec!["  it did nothing at all".to_owned()];
    }
    let mut lines = vec!["  it did:".to_owned()];
    let from = deeds.acts.len().saturating_sub(MOST);
    if from > 0 {
        lines.push(format!("    … {from} earlier"));
    }
    for act in deeds.acts.iter().skip(from) {
        let text = |key: &str| act.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let words = [text("text"), text("title"), text("prompt")].into_iter().find(|words| !words.is_empty());
        let post =
            Some(text("post")).filter(|post| !post.is_empty()).map(|post| format!(" {post}")).unwrap_or_default();
        let words = words.map(|words| format!(" {:?}", text::clip(words, 60))).unwrap_or_default();
        let failed = act.get("failure").and_then(|failure| failure.get("kind")).and_then(serde_json::Value::as_str);
        let failed = failed.map(|kind| format!(": refused, {kind}")).unwrap_or_default();
        let tick = act.get("tick").and_then(serde_json::Value::as_u64).unwrap_or(0);
        lines.push(format!("    tick {tick}  {}{post}{words}{failed}", text("kind")));
    }
    lines
}

/// Checks what an act is asked for by.
fn check_act(what: &Value, kind: &Value, fields: &Value) -> Result<(), String> {
    let what = as_text(what).unwrap_or_default();
    let kinds: Vec<&str> = ACTS.iter().map(|(_, kind, _)| *kind).collect();
    let known = match kind {
        Value::Nil => return Ok(()),
        kind => {
            let word = as_text(kind).unwrap_or_else(|| shown(kind));
            match ACTS.iter().find(|(_, kind, _)| *kind == word) {
                Some((_, _, fields)) => *fields,
                None => {
                    let near = text::nearest(&word, &kinds).map(|near| format!("; did you mean `{near}`?"));
                    let near = near.unwrap_or_default();
                    return Err(format!("{what}: there is no act `{word}`{near} Known: {}", kinds.join(", ")));
                }
            }
        }
    };
    match fields {
        Value::Nil => Ok(()),
        Value::Table(table) => check_fields(&what, table, known),
        other => Err(format!("{what}: expected a table of fields after the kind, got {}", shown(other))),
    }
}

fn check_fields(what: &str, table: &Table, known: &[&str]) -> Result<(), String> {
    let known: Vec<&str> = known.iter().copied().chain(["ok", "failure", "tick", "kind"]).collect();
    let mut wrong = None;
    let walked = table.for_each(|key: Value, _: Value| {
        let word = as_text(&key).unwrap_or_else(|| shown(&key));
        if !known.contains(&word.as_str()) && wrong.is_none() {
            let near = text::nearest(&word, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            wrong = Some(format!("{what}: this act has no `{word}`{near} Known: {}", known.join(", ")));
        }
        Ok(())
    });
    walked.map_err(|error| error.to_string())?;
    wrong.map_or(Ok(()), Err)
}
