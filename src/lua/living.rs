//! A living bot: a VM of one version with the bot's state in it, good for one tick after the other.
//!
//! A call is never dropped half way: it is told to stop and awaited.

use std::sync::Arc;
use std::time::Duration;

use mlua::{Function, Table, Value};

use super::api::READ_ONLY;
use super::fault;
use super::limits::{Limits, Meter, Stop};
use super::modules::events::event_table;
use super::trace::Trace;
use super::value::{from_json, to_json};
use super::version::Version;
use super::vm::Vm;
use crate::host::Host;
use crate::host::rhythm::Visit;
use crate::model::diagnostic::Diagnostic;
use crate::model::name::VersionId;
use crate::model::seconds::Seconds;
use crate::store::StoredEvent;

/// What one tick is given.
#[derive(Debug)]
pub struct Tick {
    /// What the bot may do.
    pub host: Arc<Host>,
    /// Where in its visits it is.
    pub visit: Visit,
    /// The version of its last tick, when it was another.
    pub old_version: Option<VersionId>,
    /// What happened since.
    pub events: Vec<StoredEvent>,
}

/// What one tick left.
#[derive(Debug, Clone, PartialEq)]
pub struct Lived {
    /// The state as JSON.
    pub state: String,
    /// When the script wants to be called again.
    pub asked: Option<Seconds>,
    /// CPU time it took.
    pub cpu: Duration,
}

/// What the console's own lines are called in errors.
pub(super) const CONSOLE: &str = "console.luau";

/// A VM with a bot in it.
#[derive(Debug)]
pub struct LivingBot {
    vm: Vm,
    version: Arc<Version>,
    on_start: Option<Function>,
    on_tick: Option<Function>,
    on_event: Option<Function>,
    on_reload: Option<Function>,
    /// What the script gets, and the host's table behind it.
    bot: Option<(Table, Table)>,
    is_newborn: bool,
    state: Option<String>,
    /// The event that `on_event` was called for last, until it came back.
    handling: Option<i64>,
}

impl LivingBot {
    /// Builds a VM of a version around a bot's state; `None` is a bot that has not lived yet.
    ///
    /// # Errors
    /// A diagnostic when the file raises now though it did not when it was checked.
    pub fn new(version: Arc<Version>, limits: Limits, state: Option<String>) -> Result<Self, Diagnostic> {
        let file = format!("scripts/{}", version.main);
        let broken = |error: mlua::Error| Diagnostic::error(file.as_str(), None, error.to_string());
        let vm = Vm::new(&version.prelude, version.chunks.clone(), limits).map_err(broken)?;
        let Value::Table(table) = vm.load(&version.main).map_err(|problem| version.told(problem))? else {
            return Err(Diagnostic::error(file, None, "the file returned no table this time"));
        };
        let function = |name: &str| table.raw_get::<Option<Function>>(name).map_err(broken);
        let bot = Self {
            on_start: function("on_start")?,
            on_tick: function("on_tick")?,
            on_event: function("on_event")?,
            on_reload: function("on_reload")?,
            bot: None,
            is_newborn: state.is_none(),
            state,
            handling: None,
            version: version.clone(),
            vm,
        };
        Ok(bot)
    }

    /// The version it was built of.
    pub fn version(&self) -> &Arc<Version> {
        &self.version
    }

    /// What stops it from outside.
    pub fn meter(&self) -> Arc<Meter> {
        self.vm.meter.clone()
    }

    /// Records every call of a primitive from now on.
    pub fn record(&self, trace: Arc<Trace>) {
        // A VM is recorded for one reader only; the first stays.
        let _ = self.vm.slot.trace.set(trace);
    }

    /// After a tick that raised: the event whose handler did, when it was one.
    pub fn stuck_on(&self) -> Option<i64> {
        self.handling
    }

    /// Bytes of Lua memory in use.
    pub fn memory(&self) -> usize {
        self.vm.lua.used_memory()
    }

    /// Collects what loading and ticks left behind, for a VM that is kept; answers whether that went well. A VM that is
    /// dropped after its tick never pays for it.
    pub fn rest(&self) -> bool {
        self.vm.lua.gc_collect().is_ok()
    }

    /// Lives one tick. After an error the VM must be dropped: nothing of the tick counts.
    ///
    /// # Errors
    /// A diagnostic for the script's author.
    pub async fn live(&mut self, tick: Tick) -> Result<Lived, Diagnostic> {
        self.vm.meter.begin_tick();
        self.vm.slot.set(Some(tick.host.clone()));
        let result = self.run(&tick).await;
        self.vm.slot.set(None);
        let file = format!("scripts/{}", self.version.main);
        let asked = result.map_err(|trouble| match trouble {
            Trouble::Raised(error) => {
                let mut problem = fault::diagnose(&error, &self.vm.meter, &file);
                problem.notes.extend(self.vm.slot.refused_call(&problem.message));
                self.version.told(problem)
            }
            Trouble::Told(diagnostic) => self.version.told(diagnostic),
        })?;
        // A script that caught the host's last word with `pcall` is still stopped.
        if let Some(stop) = self.vm.meter.stopped() {
            return Err(self.version.told(fault::stopped(stop, &self.vm.meter, &file)));
        }
        let state = self.encode_state(&file).map_err(|problem| self.version.told(problem))?;
        Ok(Lived { state, asked, cpu: self.vm.meter.used() })
    }

    /// Runs a chunk of the console's with the bot among its globals, and whatever else `dress` puts there.
    ///
    /// # Errors
    /// A diagnostic for whoever wrote the chunk.
    pub(super) async fn ask(
        &mut self,
        tick: &Tick,
        chunk: &[u8],
        dress: impl FnOnce(&mlua::Lua, &Table, &Table) -> mlua::Result<()>,
    ) -> Result<mlua::MultiValue, Diagnostic> {
        self.vm.meter.begin_tick();
        self.vm.slot.set(Some(tick.host.clone()));
        let result = self.run_chunk(tick, chunk, dress).await;
        self.vm.slot.set(None);
        let values = result.map_err(|trouble| match trouble {
            Trouble::Raised(error) => fault::diagnose(&error, &self.vm.meter, CONSOLE),
            Trouble::Told(diagnostic) => diagnostic,
        })?;
        match self.vm.meter.stopped() {
            Some(stop) => Err(fault::stopped(stop, &self.vm.meter, CONSOLE)),
            None => Ok(values),
        }
    }

    async fn run_chunk(
        &mut self,
        tick: &Tick,
        chunk: &[u8],
        dress: impl FnOnce(&mlua::Lua, &Table, &Table) -> mlua::Result<()>,
    ) -> Result<mlua::MultiValue, Trouble> {
        let bot = self.bot(tick)?;
        let lua = &self.vm.lua;
        let functions = lua.create_table()?;
        functions.raw_set("on_start", self.on_start.as_ref())?;
        functions.raw_set("on_tick", self.on_tick.as_ref())?;
        functions.raw_set("on_event", self.on_event.as_ref())?;
        functions.raw_set("on_reload", self.on_reload.as_ref())?;
        let own = lua.create_table()?;
        own.raw_set("bot", &bot)?;
        own.raw_set("persona", functions)?;
        dress(lua, &own, &bot)?;
        let behind = lua.create_table()?;
        behind.raw_set("__index", lua.globals())?;
        own.set_metatable(Some(behind))?;
        let function = lua
            .load(chunk)
            .set_name(format!("@{CONSOLE}"))
            .set_mode(mlua::chunk::ChunkMode::Binary)
            .set_environment(own)
            .into_function()?;
        let future = function.call_async::<mlua::MultiValue>(());
        Ok(self.vm.meter.count(Box::pin(future)).await?)
    }

    async fn run(&mut self, tick: &Tick) -> Result<Option<Seconds>, Trouble> {
        let bot = self.bot(tick)?;
        if self.is_newborn {
            self.is_newborn = false;
            if let Some(on_start) = &self.on_start {
                self.call(on_start, &bot, Value::Nil).await?;
            }
        }
        if let (Some(old), Some(on_reload)) = (&tick.old_version, &self.on_reload) {
            self.call(on_reload, &bot, old.short()).await?;
        }
        if let Some(on_event) = self.on_event.clone() {
            for event in &tick.events {
                self.handling = Some(event.id);
                self.call(&on_event, &bot, event_table(&self.vm.lua, event)?).await?;
            }
            self.handling = None;
        }
        let Some(on_tick) = &self.on_tick else { return Ok(None) };
        match self.call(on_tick, &bot, Value::Nil).await? {
            Value::Nil => Ok(None),
            Value::Integer(seconds) => self.seconds(on_tick, seconds as f64),
            Value::Number(seconds) => self.seconds(on_tick, seconds),
            other => Err(self.wrong_return(on_tick, super::args::shown(&other))),
        }
    }

    fn seconds(&self, on_tick: &Function, seconds: f64) -> Result<Option<Seconds>, Trouble> {
        Seconds::new(seconds).map(Some).map_err(|_| self.wrong_return(on_tick, seconds.to_string()))
    }

    fn wrong_return(&self, on_tick: &Function, got: String) -> Trouble {
        let (file, line) = self.place_of(on_tick);
        Trouble::Told(
            Diagnostic::error(
                file,
                line,
                format!("on_tick must return nothing, or seconds that are finite and not negative; got {got}"),
            )
            .with_hint("return a number like 45, or nothing: then the rhythm decides"),
        )
    }

    fn place_of(&self, function: &Function) -> (String, Option<u32>) {
        let info = function.info();
        let file = info.source.as_deref().map(|source| source.trim_start_matches(['@', '=']).to_owned());
        let line = info.line_defined.and_then(|line| u32::try_from(line).ok());
        // A function of the host's has no place that its author could look at.
        let (file, line) =
            if file.as_deref().is_some_and(super::limits::is_script) { (file, line) } else { (None, None) };
        (file.unwrap_or_else(|| format!("scripts/{}", self.version.main)), line)
    }

    async fn call(&self, function: &Function, bot: &Table, argument: impl mlua::IntoLua) -> Result<Value, Trouble> {
        let future = function.call_async::<Value>((bot, argument));
        Ok(self.vm.meter.count(Box::pin(future)).await?)
    }

    /// The `bot` table: made once for a VM, its visit new at every tick.
    fn bot(&mut self, tick: &Tick) -> Result<Table, Trouble> {
        let lua = &self.vm.lua;
        let bot = match &self.bot {
            Some(bot) => bot.clone(),
            None => {
                let host = &tick.host;
                let bot = lua.create_table_with_capacity(0, 10)?;
                let state = self.decode_state()?;
                bot.raw_set("name", host.profile().name.as_str())?;
                bot.raw_set("username", host.profile().username.as_str())?;
                bot.raw_set("bio", host.profile().bio.as_str())?;
                bot.raw_set("persona", host.persona().name.as_str())?;
                bot.raw_set("index", host.bot().index)?;
                let interests = lua.create_sequence_from(host.persona().interests.iter().map(String::as_str))?;
                interests.set_readonly(true);
                bot.raw_set("interests", interests)?;
                let traits: Table = lua.globals().get("bot_")?;
                bot.raw_set("rng", traits.raw_get::<Function>("rng")?)?;
                bot.set_readonly(true);
                // Only `state` may be written: all else is looked up in the host's own table behind it.
                let front = lua.create_table_with_capacity(0, 1)?;
                front.raw_set("state", state)?;
                let behind = lua.create_table_with_capacity(0, 3)?;
                behind.raw_set("__index", &bot)?;
                behind.raw_set("__newindex", lua.named_registry_value::<Function>(READ_ONLY)?)?;
                behind.raw_set("__metatable", false)?;
                front.set_metatable(Some(behind))?;
                self.bot = Some((front.clone(), bot.clone()));
                (front, bot)
            }
        };
        let (front, bot) = bot;
        let visit = lua.create_table_with_capacity(0, 3)?;
        visit.raw_set("number", tick.visit.number)?;
        visit.raw_set("tick", tick.visit.tick)?;
        visit.raw_set("ticks_left", tick.visit.ticks_left)?;
        visit.set_readonly(true);
        bot.set_readonly(false);
        bot.raw_set("visit", visit)?;
        bot.set_readonly(true);
        Ok(front)
    }

    fn decode_state(&self) -> Result<Value, Trouble> {
        let lua = &self.vm.lua;
        let Some(state) = &self.state else { return Ok(Value::Table(lua.create_table()?)) };
        match serde_json::from_str(state) {
            Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => Ok(from_json(lua, &json)?),
            Ok(_) | Err(_) => Err(Trouble::Told(Diagnostic::error(
                format!("scripts/{}", self.version.main),
                None,
                "the bot's stored state cannot be read",
            ))),
        }
    }

    pub(super) fn encode_state(&self, file: &str) -> Result<String, Diagnostic> {
        let wrong = |message: String| {
            let (file, line) = match &self.on_tick {
                Some(on_tick) => self.place_of(on_tick),
                None => (file.to_owned(), None),
            };
            Diagnostic::error(file, line, message)
                .with_hint("the tick was not kept; bot.state holds only what JSON can hold, and little of it")
        };
        let state: Value = match &self.bot {
            Some((bot, _)) => bot.raw_get("state").map_err(|error| wrong(error.to_string()))?,
            None => Value::Nil,
        };
        let most = self.vm.meter.limits().state_bytes;
        let json = match &state {
            Value::Nil => return Ok("{}".to_owned()),
            Value::Table(_) => to_json(&state, "bot.state", most).map_err(|message| {
                wrong(if message.contains("takes more than") {
                    format!("{message} (sandbox.state_kib)")
                } else {
                    message
                })
            })?,
            other => return Err(wrong(format!("bot.state must be a table, got {}", super::args::shown(other)))),
        };
        Ok(json.to_string())
    }

    /// Tells the VM to stop at its next turn or host call.
    pub fn stop(&self, why: Stop) {
        self.vm.meter.stop(why);
    }
}

enum Trouble {
    Raised(mlua::Error),
    Told(Diagnostic),
}

impl From<mlua::Error> for Trouble {
    fn from(error: mlua::Error) -> Self {
        Self::Raised(error)
    }
}
