//! The binding builder, and the one error policy.
//!
//! A primitive answers a value; or `nil, failure` when the world refused; or raises when the script is wrong or the bot stops.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::future::BoxFuture;
use mlua::{Function, Lua, MultiValue, Table, Value};

use crate::host::Host;
use crate::host::refusal::Refusal;
use crate::model::failure::{Failure, FailureKind};

use super::args::{Args, as_text};
use super::limits::{Meter, Stop};
use super::modules::{MODULES, READS};
use super::plugins::modules::{FOR_PLUGINS, PLUGIN_MODULES};
use super::trace::{self, Answered, Called, Trace};
use super::value::shown_call;

/// A global table of primitives.
#[derive(Debug)]
pub struct Module {
    /// The global's name, like `floimg`.
    pub name: &'static str,
    /// The stub: signatures, documentation and examples.
    pub types: &'static str,
    /// Whether a persona that declares `needs` must name it.
    pub is_granted_by_name: bool,
    /// Primitives that may wait.
    pub waiting: &'static [(&'static str, Waiting)],
    /// Primitives that answer at once.
    pub immediate: &'static [(&'static str, Immediate)],
}

impl Module {
    /// Whether a plugin may call one of its primitives.
    fn is_for_plugins(&self, name: &str) -> bool {
        let waits = self.waiting.iter().any(|(waiting, _)| *waiting == name);
        let is_own = PLUGIN_MODULES.iter().any(|module| module.name == self.name);
        is_own || if waits { FOR_PLUGINS.contains(&name) } else { self.name != "bot_" }
    }
}

/// What a primitive answers.
pub type Answer = Result<Value, Trouble>;
/// A primitive that may wait.
pub type Waiting = fn(Call) -> BoxFuture<'static, Answer>;
/// A primitive that answers at once.
pub type Immediate = fn(Call) -> Answer;

/// One call of a primitive.
#[derive(Debug)]
pub struct Call {
    /// The VM it came from.
    pub lua: Lua,
    /// What the bot may do.
    pub host: Arc<Host>,
    /// What the VM may use.
    pub meter: Arc<Meter>,
    /// What the script gave.
    pub args: Args,
}

/// Why a primitive brought no value.
#[derive(Debug)]
pub enum Trouble {
    /// The world refused, the script is wrong, or the bot stops.
    Refusal(Refusal),
    /// The VM itself failed.
    Lua(mlua::Error),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<String> for Trouble {
    fn from(wrong: String) -> Self {
        Self::Refusal(Refusal::Wrong(wrong))
    }
}

impl From<mlua::Error> for Trouble {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

/// What the primitives of one VM work on: set while a tick runs, empty while a file loads.
#[derive(Debug)]
pub struct Slot {
    host: Mutex<Option<Arc<Host>>>,
    /// What was raised last by a primitive, and how it had been called.
    refused: Mutex<Option<(String, String)>>,
    /// What the VM may use.
    pub meter: Arc<Meter>,
    /// Where calls are recorded, for those who want to see them.
    pub trace: OnceLock<Arc<Trace>>,
    /// Whether it is a plugin's, which may do other things than a bot.
    pub is_plugin: AtomicBool,
}

impl Slot {
    /// An empty slot.
    pub fn new(meter: Arc<Meter>) -> Arc<Self> {
        Arc::new(Self {
            host: Mutex::new(None),
            refused: Mutex::new(None),
            meter,
            trace: OnceLock::new(),
            is_plugin: AtomicBool::new(false),
        })
    }

    /// How the primitive had been called that raised these words.
    pub fn refused_call(&self, words: &str) -> Option<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        refused.filter(|(raised, _)| words.contains(raised.as_str())).map(|(_, call)| format!("called as {call}"))
    }

    /// Lets the primitives reach a bot's host, or nothing.
    pub fn set(&self, host: Option<Arc<Host>>) {
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = host;
    }

    fn call(&self, lua: &Lua, name: &'static str, module: &Module, values: MultiValue) -> Result<Call, String> {
        if let Some(stop) = self.meter.stopped() {
            return Err(self.meter.words(stop));
        }
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(host) = host else {
            if self.is_plugin.load(Ordering::Relaxed) {
                return Err(format!("{name} works only inside a function of the plugin, not while its file loads"));
            }
            return Err(format!(
                "{name} works only while the bot lives a tick: call it inside on_start, on_tick, on_event or on_reload"
            ));
        };
        if host.of().is_some() && !module.is_for_plugins(name) {
            return Err(format!(
                "{name} is for bots: a plugin acts as nobody, but it can suggest something to a bot with bots.suggest"
            ));
        }
        if module.is_granted_by_name
            && let Some(cure) = host.lacks(module.name)
        {
            return Err(format!("{name} needs the permission `{}`: {cure}", module.name));
        }
        Ok(Call { lua: lua.clone(), host, meter: self.meter.clone(), args: Args::new(name, values) })
    }
}

/// Where a VM keeps the function that raises when a script writes to `bot`.
pub const READ_ONLY: &str = "fleet.read_only";
/// Where it keeps the one that raises when a plugin writes to `plugin`.
pub const READ_ONLY_PLUGIN: &str = "fleet.read_only_plugin";
/// Where it keeps the one that raises when a plugin's file looks at `plugin` while it loads.
pub const TOO_EARLY: &str = "fleet.too_early";
/// Where it keeps what makes a primitive that may wait.
const WAIT: &str = "fleet.wait";
/// Where it keeps what makes the functions that plugins export.
const EXPORTER: &str = "fleet.exporter";

/// What the prelude makes.
type Words = (Function, Function, Function, Function, Function, Function);

/// Adds what only plugins find.
///
/// # Errors
/// When the VM has no memory for it.
pub fn install_for_plugins(lua: &Lua) -> mlua::Result<()> {
    let wait: Function = lua.named_registry_value(WAIT)?;
    for (place, module) in PLUGIN_MODULES.iter().enumerate().filter(|(_, module)| !module.types.is_empty()) {
        let table = module_table(lua, module.name)?;
        for (entry, (name, _)) in module.waiting.iter().enumerate() {
            set_dotted(lua, &table, short(name), wait.call(operation(MODULES.len() + place, entry))?)?;
        }
    }
    Ok(())
}

/// What makes the function of a plugin's export from the plugin's name and its own.
///
/// # Errors
/// When the VM has no memory for it.
pub fn exporter(lua: &Lua) -> mlua::Result<Function> {
    let exporter: Function = lua.named_registry_value(EXPORTER)?;
    let place = PLUGIN_MODULES.iter().position(|module| module.name == "plugins").unwrap_or_default();
    exporter.call(operation(MODULES.len() + place, 0))
}

fn module_at(place: usize) -> Option<&'static Module> {
    MODULES.get(place).or_else(|| PLUGIN_MODULES.get(place.checked_sub(MODULES.len())?))
}

/// Puts every module into a VM's globals.
///
/// # Errors
/// When the VM has no memory for it.
pub fn install(lua: &Lua, slot: &Arc<Slot>, prelude: &Function) -> mlua::Result<()> {
    let waiting = {
        let slot = slot.clone();
        lua.create_async_function(move |lua: Lua, (operation, values): (usize, MultiValue)| {
            let slot = slot.clone();
            async move {
                let Some((module, name, call)) = waiting_operation(operation) else {
                    return Err(mlua::Error::runtime("no such operation"));
                };
                let traced = Traced::new(&slot, name, &values);
                let call_or_wrong = slot.meter.take_call().and_then(|()| slot.call(&lua, name, module, values));
                match call_or_wrong {
                    Ok(request) if request.host.is_console() && !READS.contains(&name) => raised(
                        &lua,
                        &format!("{name} is refused: the console looks, and neither acts, writes nor waits"),
                    ),
                    Ok(request) => {
                        if request.host.is_trial() {
                            // In the world a call waits, and waiting is not possible everywhere: the trial must show that.
                            tokio::task::yield_now().await;
                            if let Some(failure) = refused_in_trial(&request.host, name) {
                                return traced.protocol(&lua, Err(Trouble::Refusal(Refusal::Failure(failure))));
                            }
                        }
                        traced.protocol(&lua, call(request).await)
                    }
                    Err(wrong) => traced.protocol(&lua, Err(wrong.into())),
                }
            }
        })?
    };
    let immediate = {
        let slot = slot.clone();
        lua.create_function(move |lua: &Lua, (operation, values): (usize, MultiValue)| {
            let Some((module, name, call)) = immediate_operation(operation) else {
                return Err(mlua::Error::runtime("no such operation"));
            };
            let traced = Traced::new(&slot, name, &values);
            match slot.call(lua, name, module, values) {
                Ok(request) => traced.protocol(lua, call(request)),
                Err(wrong) => traced.protocol(lua, Err(wrong.into())),
            }
        })?
    };
    // Asked only when a primitive raises, so that a call that goes well pays nothing for it.
    let refused = {
        let slot = slot.clone();
        lua.create_function(move |_, (words, values): (Value, MultiValue)| {
            let words = as_text(&words).unwrap_or_default();
            // What a primitive raises begins with its name.
            let name = words.split([':', ' ']).next().unwrap_or_default();
            if name.contains('.') {
                let call = shown_call(name, &values);
                *slot.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((words, call));
            }
            Ok(())
        })?
    };
    // The prelude makes a plain closure for every primitive, which costs a fraction of a function of the host's.
    let (wait, now, read_only, exporter, read_only_plugin, too_early): Words =
        prelude.call((waiting, immediate, refused))?;
    for (name, function) in [
        (READ_ONLY, &read_only),
        (WAIT, &wait),
        (EXPORTER, &exporter),
        (READ_ONLY_PLUGIN, &read_only_plugin),
        (TOO_EARLY, &too_early),
    ] {
        lua.set_named_registry_value(name, function)?;
    }
    for (place, module) in MODULES.iter().enumerate() {
        let table = module_table(lua, module.name)?;
        for (entry, (name, _)) in module.waiting.iter().enumerate() {
            set_dotted(lua, &table, short(name), wait.call(operation(place, entry))?)?;
        }
        for (entry, (name, _)) in module.immediate.iter().enumerate() {
            set_dotted(lua, &table, short(name), now.call(operation(place, entry))?)?;
        }
    }
    Ok(())
}

/// `floimg.feed` → `feed`; `store.shared.get` → `shared.get`.
fn short(name: &'static str) -> &'static str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

fn module_table(lua: &Lua, name: &str) -> mlua::Result<Table> {
    let globals = lua.globals();
    if let Some(table) = globals.raw_get::<Option<Table>>(name)? {
        return Ok(table);
    }
    let table = lua.create_table()?;
    globals.raw_set(name, &table)?;
    Ok(table)
}

fn set_dotted(lua: &Lua, table: &Table, name: &str, function: Function) -> mlua::Result<()> {
    match name.split_once('.') {
        None => table.raw_set(name, function),
        Some((outer, inner)) => {
            let nested = match table.raw_get::<Option<Table>>(outer)? {
                Some(nested) => nested,
                None => {
                    let nested = lua.create_table()?;
                    table.raw_set(outer, &nested)?;
                    nested
                }
            };
            set_dotted(lua, &nested, inner, function)
        }
    }
}

/// Where a primitive stands in [`MODULES`], as one number: found without a search at every call.
fn operation(module: usize, entry: usize) -> usize {
    module << 8 | entry
}

fn waiting_operation(operation: usize) -> Option<(&'static Module, &'static str, Waiting)> {
    let module = module_at(operation >> 8)?;
    let (name, call) = module.waiting.get(operation & 0xff)?;
    Some((module, name, *call))
}

fn immediate_operation(operation: usize) -> Option<(&'static Module, &'static str, Immediate)> {
    let module = module_at(operation >> 8)?;
    let (name, call) = module.immediate.get(operation & 0xff)?;
    Some((module, name, *call))
}

/// What a call meets in a trial that refuses, or in a test that has planned a failure.
fn refused_in_trial(host: &Host, name: &str) -> Option<Failure> {
    if host.refuses_all() && name != "time.sleep" {
        return Some(Failure::new(FailureKind::Unavailable, "the trial refuses everything"));
    }
    host.planned_failure(name)
}

/// A call that is answered by the protocol, and recorded where somebody wants to see it.
struct Traced<'a> {
    slot: &'a Slot,
    name: &'static str,
    /// What was given, when it is recorded.
    args: Option<Vec<serde_json::Value>>,
}

impl<'a> Traced<'a> {
    fn new(slot: &'a Slot, name: &'static str, values: &MultiValue) -> Self {
        Self { slot, name, args: slot.trace.get().map(|_| trace::shown_args(values)) }
    }

    fn protocol(self, lua: &Lua, answer: Answer) -> mlua::Result<(bool, Value, Value)> {
        if let (Some(trace), Some(args)) = (self.slot.trace.get(), self.args) {
            let told = match &answer {
                Ok(value) => Answered::Value(trace::shown(value)),
                Err(Trouble::Refusal(Refusal::Failure(failure))) => Answered::Failure(failure.clone()),
                Err(Trouble::Refusal(Refusal::Wrong(wrong))) => Answered::Raised(wrong.clone()),
                Err(Trouble::Refusal(Refusal::Stopping)) => Answered::Raised("the host is stopping".to_owned()),
                Err(Trouble::Lua(error)) => Answered::Raised(error.to_string()),
            };
            trace.record(Called { name: self.name, args, answer: told });
        }
        protocol(lua, self.slot, answer)
    }
}

/// What the prelude is told: whether to go on, and with what.
fn protocol(lua: &Lua, slot: &Slot, answer: Answer) -> mlua::Result<(bool, Value, Value)> {
    match answer {
        Ok(value) => Ok((true, value, Value::Nil)),
        Err(Trouble::Refusal(Refusal::Failure(failure))) => {
            Ok((true, Value::Nil, Value::Table(failure_table(lua, &failure)?)))
        }
        Err(Trouble::Refusal(Refusal::Wrong(wrong))) => raised(lua, &wrong),
        Err(Trouble::Refusal(Refusal::Stopping)) => {
            slot.meter.stop(Stop::Shutdown);
            raised(lua, &slot.meter.words(Stop::Shutdown))
        }
        Err(Trouble::Lua(error)) => Err(error),
    }
}

fn raised(lua: &Lua, words: &str) -> mlua::Result<(bool, Value, Value)> {
    Ok((false, Value::String(lua.create_string(words)?), Value::Nil))
}

/// A failure as scripts see it.
///
/// # Errors
/// When the VM has no memory for it.
pub fn failure_table(lua: &Lua, failure: &Failure) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 3)?;
    table.raw_set("kind", failure.kind.as_str())?;
    table.raw_set("message", failure.message.as_str())?;
    table.raw_set("retry_after", failure.retry_after.map(crate::model::seconds::Seconds::get))?;
    table.set_readonly(true);
    Ok(table)
}
