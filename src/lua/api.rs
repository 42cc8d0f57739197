//! The binding builder, and the one error policy.
//!
//! A primitive answers a value; or `nil, failure` when the world refused; or raises when the script is wrong or the bot stops.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use mlua::{Function, Lua, MultiValue, Table, Value};

use crate::host::Host;
use crate::host::refusal::Refusal;
use crate::model::failure::{Failure, FailureKind};

use super::args::Args;
use super::limits::{Meter, Stop};
use super::modules::{MODULES, READS};

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
    /// What the VM may use.
    pub meter: Arc<Meter>,
}

impl Slot {
    /// An empty slot.
    pub fn new(meter: Arc<Meter>) -> Arc<Self> {
        Arc::new(Self { host: Mutex::new(None), meter })
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
            return Err(format!(
                "{name} works only while the bot lives a tick: call it inside on_start, on_tick, on_event or on_reload"
            ));
        };
        if module.is_granted_by_name && !host.persona().needs.is_empty() {
            let is_declared = host.persona().needs.iter().any(|need| need == module.name);
            if !is_declared {
                return Err(format!(
                    "{name} needs the permission `{0}`: add \"{0}\" to the persona's needs",
                    module.name
                ));
            }
        }
        Ok(Call { lua: lua.clone(), host, meter: self.meter.clone(), args: Args::new(name, values) })
    }
}

/// Where a VM keeps the function that raises when a script writes to `bot`.
pub const READ_ONLY: &str = "fleet.read_only";

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
                            if request.host.refuses_all() && name != "time.sleep" {
                                let failure =
                                    Refusal::failure(FailureKind::Unavailable, "the trial refuses everything");
                                return protocol(&lua, &slot, Err(Trouble::Refusal(failure)));
                            }
                        }
                        protocol(&lua, &slot, call(request).await)
                    }
                    Err(wrong) => raised(&lua, &wrong),
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
            match slot.call(lua, name, module, values) {
                Ok(request) => protocol(lua, &slot, call(request)),
                Err(wrong) => raised(lua, &wrong),
            }
        })?
    };
    // The prelude makes a plain closure for every primitive, which costs a fraction of a function of the host's.
    let (wait, now, read_only): (Function, Function, Function) = prelude.call((waiting, immediate))?;
    lua.set_named_registry_value(READ_ONLY, read_only)?;
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
    let module = MODULES.get(operation >> 8)?;
    let (name, call) = module.waiting.get(operation & 0xff)?;
    Some((module, name, *call))
}

fn immediate_operation(operation: usize) -> Option<(&'static Module, &'static str, Immediate)> {
    let module = MODULES.get(operation >> 8)?;
    let (name, call) = module.immediate.get(operation & 0xff)?;
    Some((module, name, *call))
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
