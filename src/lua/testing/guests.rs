//! `given.plugin`, and what plugins meet in a test: bots that they see, and other hosts that answer.
//!
//! An option that is not known is named, with those that are.

use std::collections::VecDeque;

use jiff::Timestamp;
use mlua::{Table, Value};
use serde_json::{Map, Value as Json};

use super::given::{items, optional_seconds, plain_persona, set_time, strict, table};
use super::plugin::Guest;
use super::subject::Deeds;
use super::world::World;
use super::{Bench, asked};
use crate::config::Origin;
use crate::host::rhythm::parse;
use crate::host::service::CastBot;
use crate::host::trial::{Answers, Replied};
use crate::lua::args::{Fields, shown};
use crate::lua::plugins::PluginVersion;
use crate::lua::plugins::options::{self, Settled};
use crate::lua::value::to_json;
use crate::model::failure::Failure;
use crate::model::name::BotId;
use crate::model::plugin::{OptionKind, PluginName};
use crate::text;
use crate::web::Reply;

/// Most bytes of a table that a test hands over.
const BYTES: usize = 256 << 10;

/// `given.plugin`: a plugin in the plugins folder, with options and perhaps a state.
pub(super) fn plugin(world: &World, options: Value) -> Result<usize, String> {
    const NAME: &str = "given.plugin";
    let fields = strict(NAME, NAME, options, &["name", "options", "state", "at"])?;
    let name = fields.text("name")?;
    let version = world.bench.plugin(&name).map_err(|problems| not_there(&world.bench, &name, &problems))?;
    let given = match fields.get("options") {
        Value::Nil => Map::new(),
        value => given_options(&version, &table(NAME, value)?)?,
    };
    let given = options::settings(&given, Origin::Flag(NAME));
    // What the fleet only warns of is a slip of the test's pen here.
    let strictly =
        |settled: Settled| if settled.warnings.is_empty() { Ok(settled.options) } else { Err(settled.warnings) };
    let settled = options::settle(&version.manifest, &given).and_then(strictly).map_err(|problems| {
        let shown = |problem: &crate::model::diagnostic::Diagnostic| match &problem.hint {
            None => problem.message.clone(),
            Some(hint) => format!("{} ({hint})", problem.message),
        };
        format!("{NAME}: {}", problems.iter().map(shown).collect::<Vec<_>>().join("; "))
    })?;
    let state = match fields.get("state") {
        Value::Nil => None,
        state => Some(to_json(&Value::Table(table(NAME, state)?), "given.plugin: `state`", BYTES)?.to_string()),
    };
    set_time(world, NAME, &fields)?;
    let now: Timestamp = world.trial.now();
    world.add_guest(Guest {
        timers: version.manifest.timers.iter().map(|_| now).collect(),
        options: settled,
        trial: world.trial.clone(),
        limits: world.bench.limits,
        state,
        calls: 0,
        deeds: Deeds::default(),
        suggestions: Vec::new(),
        version,
    })
}

fn not_there(bench: &Bench, name: &str, problems: &[crate::model::diagnostic::Diagnostic]) -> String {
    let known = bench.plugins();
    if known.iter().any(|known| known == name) {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return format!("given.plugin: the plugin `{name}` is not fit to run: {}", problems.join("; "));
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = text::nearest(name, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let name = text::clip(name, 60);
    format!("given.plugin: there is no plugin `{name}`{near} Known: {}", known.join(", "))
}

/// As the config would say it: an empty table of Luau is a list where the manifest takes one.
fn given_options(version: &PluginVersion, table: &Table) -> Result<Map<String, Json>, String> {
    let mut given = Map::new();
    let Json::Object(fields) = to_json(&Value::Table(table.clone()), "given.plugin: `options`", BYTES)? else {
        return Err("given.plugin: `options` must be a table of options by name".to_owned());
    };
    for (name, value) in fields {
        let is_list = version.manifest.options.get(&name).is_some_and(|spec| spec.kind == OptionKind::List);
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        given.insert(name, if is_list && is_empty { Json::Array(Vec::new()) } else { value });
    }
    Ok(given)
}

/// `given.bots`: bots that plugins see by `bots.list`, and can suggest something to.
pub(super) fn bots(world: &World, list: Value) -> Result<(), String> {
    const NAME: &str = "given.bots";
    for (place, bot) in items(&table(NAME, list)?)?.into_iter().enumerate() {
        let what = format!("{NAME}: bot {}", place + 1);
        let named = |wrong: String| wrong.replacen(NAME, &what, 1);
        let fields = strict(NAME, &what, bot, &["id", "name", "username", "interests", "awake", "timezone"])?;
        let id: BotId = fields.text("id").map_err(named)?.parse().map_err(|wrong| format!("{what}: `id`: {wrong}"))?;
        let mut persona = plain_persona();
        persona.name = id.persona.clone();
        persona.interests = fields.optional_texts("interests").map_err(named)?.unwrap_or_default();
        if let Some(awake) = fields.optional_text("awake").map_err(named)? {
            persona.schedule.awake = parse::span(&awake).map_err(|wrong| format!("{what}: `awake`: {wrong}"))?;
        }
        if let Some(zone) = fields.optional_text("timezone").map_err(named)? {
            persona.schedule.zone = parse::zone(&zone).map_err(|wrong| format!("{what}: `timezone`: {wrong}"))?;
            persona.schedule.zone_name = zone;
        }
        let username =
            fields.optional_text("username").map_err(named)?.unwrap_or_else(|| id.to_string().replace('-', "_"));
        let name = fields.optional_text("name").map_err(named)?.unwrap_or_else(|| username.clone());
        world.trial.add_to_fleet(&username);
        world.trial.add_to_cast(CastBot {
            id,
            name: name.into(),
            username: username.into(),
            persona: std::sync::Arc::new(persona),
        });
    }
    Ok(())
}

/// `given.http`: what another host answers to requests to an address.
pub(super) fn http(world: &World, url: &Value, replies: Value) -> Result<(), String> {
    const NAME: &str = "given.http";
    let url = asked::name(url);
    let replies = table(NAME, replies)?;
    let answers = if replies.raw_len() == 0 {
        Answers::Always(reply(Value::Table(replies))?)
    } else {
        Answers::InTurn(items(&replies)?.into_iter().map(reply).collect::<Result<VecDeque<_>, _>>()?)
    };
    world.trial.answer_web(&url, answers);
    Ok(())
}

fn reply(value: Value) -> Result<Replied, String> {
    const NAME: &str = "given.http";
    let fields = strict(NAME, NAME, value, &["status", "body", "json", "headers", "failure", "retry_after"])?;
    if let Value::String(word) = fields.get("failure") {
        let failure = asked::failed(NAME, &word.to_string_lossy())?;
        let retry_after = optional_seconds(NAME, &fields, "retry_after")?;
        return Ok(Err(Failure { retry_after, ..failure }));
    }
    let mut headers = headers(&fields)?;
    let body = match (fields.optional_text("body")?, fields.get("json")) {
        (Some(body), Value::Nil) => body,
        (None, Value::Nil) => String::new(),
        (None, json) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            to_json(&json, "given.http: `json`", BYTES)?.to_string()
        }
        _ => return Err(format!("{NAME}: give `body` or `json`, not both")),
    };
    let status = fields.count("status", 100..=599, 200)?;
    Ok(Ok(Reply { status: u16::try_from(status).unwrap_or(200), headers, body: body.into_bytes() }))
}

fn headers(fields: &Fields) -> Result<Vec<(String, String)>, String> {
    let Some(table) = fields.optional_table("headers")? else { return Ok(Vec::new()) };
    let mut headers = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (name, value) = pair.map_err(|error| error.to_string())?;
        let (Value::String(name), Value::String(value)) = (&name, &value) else {
            return Err(format!("given.http: `headers` must map names to texts, but {} is not", shown(&name)));
        };
        headers.push((name.to_string_lossy().to_lowercase(), value.to_string_lossy()));
    }
    Ok(headers)
}

/// What a plugin under test can be asked for by name.
pub(super) const SEEN: [&str; 7] = ["name", "state", "options", "log", "calls", "suggestions", "requests"];

/// One of them; `calls` is counted elsewhere.
pub(super) fn view(world: &World, id: usize, key: &str) -> Result<Json, String> {
    world.with_guest(id, |guest| match key {
        "name" => Ok(guest.version.manifest.name.as_str().into()),
        "options" => Ok(guest.options.clone()),
        "log" => Ok(guest.deeds.log.clone().into()),
        "suggestions" => Ok(guest.suggestions.clone().into()),
        "requests" => Ok(world.trial.sent().iter().map(sent).collect::<Vec<_>>().into()),
        _ => match &guest.state {
            None => Ok(serde_json::json!({})),
            Some(state) => serde_json::from_str(state).map_err(|error| format!("the state cannot be read: {error}")),
        },
    })?
}

fn sent(sent: &crate::host::trial::Sent) -> Json {
    let headers: Map<String, Json> =
        sent.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    serde_json::json!({
        "method": if sent.verb == crate::web::Verb::Post { "POST" } else { "GET" },
        "url": sent.url,
        "headers": headers,
        "body": sent.body,
        "json": serde_json::from_str::<Json>(&sent.body).unwrap_or(Json::Null),
        "is_signed": sent.is_signed,
    })
}

/// The names of plugins that have a folder among these paths.
pub(super) fn folders<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<PluginName> {
    let mut names: Vec<PluginName> = paths
        .filter(|path| !super::is_test(path))
        .filter_map(|path| path.strip_prefix("plugins/")?.split_once('/'))
        .filter_map(|(folder, _)| PluginName::new(folder).ok())
        .collect();
    names.sort();
    names.dedup();
    names
}
