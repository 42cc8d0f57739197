//! A living plugin: a VM of one version with the plugin's state in it, good for one call after the other.
//!
//! A call is never dropped half way: it is told to stop and awaited. After an error the VM must be dropped.

use std::sync::Arc;
use std::time::Duration;

use mlua::{Function, Lua, Table, Value};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::calls::{self, Answer, PluginCall};
use super::manifest::{self, Functions};
use super::modules::EXPORT_BYTES;
use super::version::PluginVersion;
use crate::host::Host;
use crate::lua::api::{READ_ONLY_PLUGIN, TOO_EARLY};
use crate::lua::fault;
use crate::lua::limits::{Limits, Meter, Stop};
use crate::lua::trace::Trace;
use crate::lua::value::{from_json, to_json};
use crate::lua::vm::{Vm, freeze};
use crate::model::diagnostic::Diagnostic;

/// A VM with a plugin in it.
#[derive(Debug)]
pub struct LivingPlugin {
    vm: Vm,
    version: Arc<PluginVersion>,
    functions: Functions,
    front: Table,
    /// The state as it was last kept.
    kept: String,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What it answered.
    pub answer: Answer,
    /// The state as JSON, when the call changed it.
    pub state: Option<String>,
    /// CPU time it took.
    pub cpu: Duration,
}

/// The `plugin` table while a file loads: there, and not to be looked at yet.
pub(super) fn front(lua: &Lua) -> mlua::Result<Table> {
    let front = lua.create_table_with_capacity(0, 1)?;
    let behind = lua.create_table_with_capacity(0, 3)?;
    let too_early: Function = lua.named_registry_value(TOO_EARLY)?;
    behind.raw_set("__index", &too_early)?;
    behind.raw_set("__newindex", too_early)?;
    front.set_metatable(Some(behind))?;
    Ok(front)
}

impl LivingPlugin {
    /// Builds a VM of a version around what the config says and what the plugin kept.
    ///
    /// # Errors
    /// A diagnostic when the file raises now though it did not when it was checked.
    pub fn new(
        version: Arc<PluginVersion>,
        limits: Limits,
        options: &Json,
        state: Option<&str>,
    ) -> Result<Self, Diagnostic> {
        let main = version.main.clone();
        let broken = |error: mlua::Error| Diagnostic::error(main.as_str(), None, error.to_string());
        let vm = version.vm(limits).map_err(broken)?;
        let returned = vm.load(&main).map_err(|problem| version.told(problem))?;
        let read = manifest::read(&main, &version.manifest.name, &returned, &mut Vec::new());
        let Some((_, functions)) = read else {
            return Err(Diagnostic::error(main, None, "the file returned no table this time"));
        };
        let front = open(&vm.lua, &version, options, state).map_err(broken)?;
        Ok(Self { vm, version, functions, front, kept: state.unwrap_or("{}").to_owned() })
    }

    /// Where every call of a primitive is recorded from now on.
    pub fn record(&self) -> Arc<Trace> {
        self.vm.slot.trace.get_or_init(Arc::default).clone()
    }

    /// What stops it from outside.
    pub fn meter(&self) -> Arc<Meter> {
        self.vm.meter.clone()
    }

    /// Bytes of Lua memory in use.
    pub fn memory(&self) -> usize {
        self.vm.lua.used_memory()
    }

    /// Whether it has a function for a call.
    pub fn hears(&self, call: &PluginCall) -> bool {
        self.function(call).is_some()
    }

    fn function(&self, call: &PluginCall) -> Option<&Function> {
        match call {
            PluginCall::Timer(place) => self.functions.timers.get(*place),
            PluginCall::Export(name, _) => self.functions.exports.get(&**name),
            other => self.functions.hooks.get(&other.hook()?),
        }
    }

    /// Makes one call. After an error the VM must be dropped: nothing of the call counts.
    ///
    /// # Errors
    /// A diagnostic for the plugin's author.
    pub async fn call(&mut self, host: Arc<Host>, call: &PluginCall) -> Result<Answered, Diagnostic> {
        let Some(function) = self.function(call).cloned() else {
            return Ok(Answered { answer: Answer::Nothing, state: None, cpu: Duration::ZERO });
        };
        self.vm.meter.begin_tick();
        self.vm.slot.set(Some(host));
        let result = self.run(&function, call).await;
        self.vm.slot.set(None);
        let value =
            result.map_err(|error| self.version.told(fault::diagnose(&error, &self.vm.meter, &self.version.main)))?;
        // A script that caught the host's last word with `pcall` is still stopped.
        if let Some(stop) = self.vm.meter.stopped() {
            return Err(self.version.told(fault::stopped(stop, &self.vm.meter, &self.version.main)));
        }
        // Nobody asks where a function is that did what it should.
        let placed = |wrong: String, hint: Option<&str>| {
            let (file, line) = self.place_of(&function);
            let problem = Diagnostic::error(file, line, wrong);
            self.version.told(Diagnostic { hint: hint.map(str::to_owned), ..problem })
        };
        let answer = match call {
            PluginCall::Before(asked) => {
                calls::verdict(asked, &value).map_err(|wrong| placed(wrong, Some(calls::VERDICT)))?
            }
            PluginCall::Export(name, _) => {
                let json = to_json(&value, &format!("what `{name}` answers"), EXPORT_BYTES);
                Answer::Value(json.map_err(|wrong| placed(wrong, None))?)
            }
            _ => Answer::Nothing,
        };
        let state = self.encode_state().map_err(|wrong| placed(wrong, None))?;
        let state = (state != self.kept).then_some(state);
        if let Some(state) = &state {
            self.kept.clone_from(state);
        }
        Ok(Answered { answer, state, cpu: self.vm.meter.used() })
    }

    /// Makes one call that must end in time: past that it is told to stop, and awaited all the same, because a call is
    /// never dropped half way. `token` is what ends the host's waits.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_within(
        &mut self,
        host: Arc<Host>,
        call: &PluginCall,
        within: Duration,
        token: &CancellationToken,
    ) -> Result<Answered, Diagnostic> {
        let meter = self.meter();
        meter.set_deadline(within);
        let called = self.call(host, call);
        tokio::pin!(called);
        tokio::select! {
            biased;
            result = &mut called => result,
            () = tokio::time::sleep(within) => {
                meter.stop(Stop::Deadline);
                token.cancel();
                called.await
            }
        }
    }

    async fn run(&self, function: &Function, call: &PluginCall) -> mlua::Result<Value> {
        let arguments = call.arguments(&self.vm.lua)?;
        self.vm.meter.count(Box::pin(function.call_async::<Value>(arguments))).await
    }

    fn place_of(&self, function: &Function) -> (String, Option<u32>) {
        let info = function.info();
        let file = info.source.as_deref().map(|source| source.trim_start_matches(['@', '=']).to_owned());
        let line = info.line_defined.and_then(|line| u32::try_from(line).ok());
        (file.unwrap_or_else(|| self.version.main.clone()), line)
    }

    fn encode_state(&self) -> Result<String, String> {
        let state: Value = self.front.raw_get("state").map_err(|error| error.to_string())?;
        match &state {
            Value::Nil => Ok("{}".to_owned()),
            Value::Table(table) if table.is_empty() && table.metatable().is_none() => Ok("{}".to_owned()),
            Value::Table(_) => {
                let json = to_json(&state, "plugin.state", self.vm.meter.limits().state_bytes)?;
                Ok(json.to_string())
            }
            other => Err(format!("plugin.state must be a table, got {}", crate::lua::args::shown(other))),
        }
    }
}

/// Puts what is known now into `plugin`.
fn open(lua: &Lua, version: &PluginVersion, options: &Json, state: Option<&str>) -> mlua::Result<Table> {
    let front: Table = lua.globals().get("plugin")?;
    let about = lua.create_table_with_capacity(0, 2)?;
    about.raw_set("name", version.manifest.name.as_str())?;
    let options = from_json(lua, options)?;
    if let Value::Table(options) = &options {
        freeze(options);
    }
    about.raw_set("options", options)?;
    about.set_readonly(true);
    let json = state.and_then(|state| serde_json::from_str::<Json>(state).ok());
    let state = match json {
        Some(json @ (Json::Object(_) | Json::Array(_))) => from_json(lua, &json)?,
        _ => Value::Table(lua.create_table()?),
    };
    // Made anew: the one that files saw while they loaded was frozen with the other globals.
    let behind = lua.create_table_with_capacity(0, 3)?;
    behind.raw_set("__index", &about)?;
    behind.raw_set("__newindex", lua.named_registry_value::<Function>(READ_ONLY_PLUGIN)?)?;
    behind.raw_set("__metatable", false)?;
    front.set_readonly(false);
    front.raw_set("state", state)?;
    front.set_metatable(Some(behind))?;
    Ok(front)
}
