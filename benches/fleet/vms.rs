//! What a VM costs: a bot's own beside a bare one that holds the same script.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use floimg_fleet::host::Host;
use floimg_fleet::host::identity::identity;
use floimg_fleet::host::rhythm::Visit;
use floimg_fleet::host::trial::Trial;
use floimg_fleet::lua::limits::Limits;
use floimg_fleet::lua::version::{Sources, Version, Workshop};
use floimg_fleet::lua::{LivingBot, Tick};
use floimg_fleet::model::name::BotId;
use jiff::Timestamp;
use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value as LuaValue};
use serde_json::{Value, json};

use crate::child::{Asked, resident};
use crate::rig::BUNDLED;

/// Limits that no measured script meets.
pub const WIDE: Limits = Limits {
    memory_bytes: 12 << 20,
    tick_cpu: Duration::from_secs(600),
    poll_cpu: Duration::from_secs(600),
    state_bytes: 64 << 10,
    log_lines: 50,
    source_bytes: 256 << 10,
};

/// Ticks that a warm VM has lived before it is weighed.
const LIVED: u32 = 4;

/// The shipped persona, compiled.
fn bundled() -> anyhow::Result<Arc<Version>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let origin = floimg_fleet::runtime::catalog::Origin::Folder(folder);
    build(&floimg_fleet::runtime::catalog::read(&origin, WIDE.source_bytes)?, BUNDLED)
}

/// Compiles one persona of some files.
pub fn build(sources: &Sources, name: &str) -> anyhow::Result<Arc<Version>> {
    let wrong = |problem: &dyn std::fmt::Display| anyhow::anyhow!("`{name}` does not build: {problem}");
    let mut workshop = Workshop::new().map_err(|problem| wrong(&problem))?;
    workshop.compile(sources, &WIDE);
    let version = workshop.build(sources, name, &WIDE);
    Ok(Arc::new(version.map_err(|problems| match problems.first() {
        Some(problem) => wrong(problem),
        None => wrong(&"no reason given"),
    })?))
}

/// Compiles a persona that was written for measuring.
pub fn build_script(script: &str) -> anyhow::Result<Arc<Version>> {
    let files = BTreeMap::from([("personas/measured.luau".to_owned(), Arc::from(script))]);
    build(&Sources { files, unreadable: BTreeMap::new() }, "measured")
}

/// Lives one tick in a trial, where nothing reaches the world.
pub async fn live(bot: &mut LivingBot, trial: &Arc<Trial>, index: u32, tick: u32) -> anyhow::Result<Duration> {
    let persona = bot.version().persona.clone();
    let id = BotId { persona: persona.name.clone(), index };
    let profile = Arc::new(identity(&persona, index));
    let host = Host::trial(trial.clone(), id, profile, persona, u64::from(tick));
    let visit = Visit { number: 1, tick, ticks_left: LIVED };
    let started = Instant::now();
    let lived = bot.live(Tick { host, visit, old_version: None, events: Vec::new() }).await;
    let took = started.elapsed();
    lived.map_err(|problem| anyhow::anyhow!("a tick went wrong: {problem}"))?;
    Ok(took)
}

/// Makes many VMs of one kind and weighs them.
pub async fn memory(asked: &Asked) -> anyhow::Result<Value> {
    let (kind, count): (&str, u32) = (asked.text("kind")?, asked.number("count")?);
    let version = bundled()?;
    let trial = || Arc::new(Trial::new(Timestamp::now(), false));
    let mut bare = Vec::new();
    let mut bots = Vec::new();
    let mut times = Vec::new();
    let mut before = 0.0;
    let bytecode = compile(&version)?;
    // The first few pay for what all share.
    let first = 5;
    for index in 1..=first + count {
        if index == first + 1 {
            before = resident()?;
        }
        let started = Instant::now();
        if kind == "bare" {
            bare.push(bare_vm(&bytecode)?);
        } else {
            let bot = LivingBot::new(version.clone(), WIDE, None);
            bots.push(bot.map_err(|problem| anyhow::anyhow!("{problem}"))?);
        }
        times.push(started.elapsed().as_secs_f64() * 1e6);
        if let Some((lua, _)) = bare.last() {
            lua.gc_collect()?;
        }
        if kind == "fresh" {
            let bot = bots.last().context("there is a bot")?;
            anyhow::ensure!(bot.rest(), "a VM could not be collected");
        }
        if kind == "lived" {
            let bot = bots.last_mut().context("there is a bot")?;
            let trial = trial();
            for tick in 1..=LIVED {
                live(bot, &trial, index, tick).await?;
                // As the fleet does with a VM that it keeps.
                anyhow::ensure!(bot.rest(), "a VM could not be collected");
            }
        }
    }
    let bytes = (resident()? - before) / f64::from(count);
    let used: usize = bots.iter().map(LivingBot::memory).chain(bare.iter().map(|vm| vm.0.used_memory())).sum();
    let used = used as f64 / f64::from(first + count);
    Ok(json!({ "kib": bytes / 1024.0, "used_kib": used / 1024.0, "micros": crate::report::median(&times) }))
}

/// The bytecode of all files of a version, compiled as the host does.
fn compile(version: &Version) -> anyhow::Result<Arc<BTreeMap<String, Vec<u8>>>> {
    let compiler = Compiler::new().set_optimization_level(1).set_debug_level(1);
    let compiled = version.files.iter().map(|(path, text)| Ok((path.clone(), compiler.compile(&**text)?)));
    Ok(Arc::new(compiled.collect::<anyhow::Result<_>>()?))
}

/// A bare VM of a script: the same libraries, sandboxed, with the same functions held, and nothing of the host.
fn bare_vm(bytecode: &Arc<BTreeMap<String, Vec<u8>>>) -> anyhow::Result<(Lua, Vec<Function>)> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::BIT | StdLib::BUFFER | StdLib::MATH;
    let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))?;
    lua.set_memory_limit(WIDE.memory_bytes)?;
    let loaded = lua.create_table()?;
    let files = bytecode.clone();
    let require = lua.create_function(move |lua, name: String| {
        if let Some(value) = loaded.raw_get::<Option<LuaValue>>(name.as_str())? {
            return Ok(value);
        }
        let value = run(lua, &files, &format!("{}.luau", name.trim_start_matches('@')))?;
        loaded.raw_set(name, &value)?;
        Ok(value)
    })?;
    lua.globals().raw_set("require", require)?;
    lua.sandbox(true)?;
    let LuaValue::Table(persona) = run(&lua, bytecode, &format!("personas/{BUNDLED}.luau"))? else {
        anyhow::bail!("the persona returned no table");
    };
    let held = held(&persona)?;
    Ok((lua, held))
}

fn run(lua: &Lua, files: &BTreeMap<String, Vec<u8>>, path: &str) -> mlua::Result<LuaValue> {
    let bytecode = files.get(path).ok_or_else(|| mlua::Error::runtime(format!("{path} is not there")))?;
    lua.load(bytecode.as_slice()).set_name(format!("@scripts/{path}")).set_mode(ChunkMode::Binary).call(())
}

fn held(persona: &Table) -> mlua::Result<Vec<Function>> {
    let names = ["on_start", "on_tick", "on_event", "on_reload"];
    names.iter().filter_map(|name| persona.raw_get::<Option<Function>>(*name).transpose()).collect()
}
