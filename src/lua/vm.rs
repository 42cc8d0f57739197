//! One VM: made new, sandboxed before any script is in it, for one bot and one version.
//!
//! A script finds exactly the globals that [`KEPT`] and the modules name, all of them read-only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use mlua::chunk::{ChunkMode, Compiler};
use mlua::state::{GcIncParams, GcMode};
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value};

use super::api::{self, Slot};
use super::fault;
use super::limits::{Limits, Meter};
use super::syntax;
use super::version::Chunk;
use crate::model::diagnostic::Diagnostic;
use crate::text;

/// Globals of Luau that scripts keep.
pub const KEPT: [&str; 27] = [
    "_G",
    "_VERSION",
    "assert",
    "bit32",
    "buffer",
    "error",
    "getmetatable",
    "ipairs",
    "math",
    "next",
    "pairs",
    "pcall",
    "print",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "require",
    "select",
    "setmetatable",
    "string",
    "table",
    "tonumber",
    "tostring",
    "type",
    "typeof",
    "unpack",
];

/// How many files deep one may require another; each takes a part of the thread's own stack.
const DEPTH: usize = 32;

/// The heap, in percent of what is in use, at which a collection ends, and how hard it works for that. Luau's own 200 and 200
/// let garbage spread over pages that a warm VM then keeps: 1.36 times a bare VM's memory instead of 1.26 (`cargo bench -- --only vms`).
const GC_GOAL: i32 = 120;
const GC_STEPS: i32 = 800;

/// A VM with its globals in place and no script in it.
#[derive(Debug)]
pub struct Vm {
    /// The VM.
    pub lua: Lua,
    /// What its primitives reach.
    pub slot: Arc<Slot>,
    /// What it may use.
    pub meter: Arc<Meter>,
    loading: Arc<Loading>,
}

/// The files a VM may load, and those it has loaded.
#[derive(Debug)]
struct Loading {
    chunks: Arc<BTreeMap<String, Arc<Chunk>>>,
    state: Mutex<LoadState>,
}

#[derive(Debug, Default)]
struct LoadState {
    is_open: bool,
    stack: Vec<String>,
    used: Vec<String>,
    /// The plugin whose file is loaded, when it is not a persona's.
    home: Option<String>,
}

/// Compiles a source; debug level 1 keeps lines, optimisation level 1 keeps what authors see the same as what runs.
///
/// # Errors
/// A diagnostic with the line.
pub fn compile(path: &str, source: &str) -> Result<Vec<u8>, Diagnostic> {
    let file = file_of(path);
    // Some editors begin a file with a byte order mark, which says nothing.
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    if let Some(at) = source.find('\0') {
        // The compiler would take it for the end of the file and drop the rest without a word.
        let line = source.get(..at).map_or(0, |before| before.matches('\n').count()) + 1;
        return Err(Diagnostic::error(file, u32::try_from(line).ok(), "holds a NUL byte, which no text does")
            .with_hint("the file is damaged, or no script: save it again as UTF-8"));
    }
    // What a plugin finds in `plugin` changes after its file was loaded.
    let compiler = Compiler::new().set_optimization_level(1).set_debug_level(1).set_mutable_globals(["plugin"]);
    compiler.compile(source).map_err(|error| {
        let text = match &error {
            mlua::Error::SyntaxError { message, .. } => message.clone(),
            other => other.to_string(),
        };
        // `:12: message`, with or without a name or colon before it.
        let text = text.trim_start_matches("syntax error: ").trim_start_matches(':');
        let (line, message) = match text.split_once(':').map(|(line, message)| (line.trim().parse().ok(), message)) {
            Some((Some(line), message)) => (Some(line), message),
            _ => (None, text),
        };
        let line = syntax::opened_at(message).or(line);
        let at = line.map_or(0, |line: u32| line.saturating_sub(1) as usize);
        let cure = syntax::cure(message.trim(), source.lines().nth(at).unwrap_or_default());
        Diagnostic::error(file, line, message.trim()).with_hint(cure)
    })
}

/// The prelude's bytecode, compiled once for all VMs.
///
/// # Errors
/// Never for the prelude that is shipped, which a test compiles.
pub fn compile_prelude() -> Result<Vec<u8>, Diagnostic> {
    compile("prelude", include_str!("prelude.luau"))
}

impl Vm {
    /// Makes a VM that may load these files.
    ///
    /// # Errors
    /// When it has no memory for its own globals.
    pub fn new(prelude: &[u8], chunks: Arc<BTreeMap<String, Arc<Chunk>>>, limits: Limits) -> mlua::Result<Self> {
        Self::with_words(prelude, chunks, limits, &[], |_| Ok(()))
    }

    /// Makes a VM with more globals: `words` names those that `furnish` sets.
    ///
    /// # Errors
    /// When it has no memory for its own globals.
    pub fn with_words(
        prelude: &[u8],
        chunks: Arc<BTreeMap<String, Arc<Chunk>>>,
        limits: Limits,
        words: &[&str],
        furnish: impl FnOnce(&Lua) -> mlua::Result<()>,
    ) -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::BIT | StdLib::BUFFER | StdLib::MATH;
        // Without `catch_rust_panics` mlua puts a `pcall` of its own in, across which no call of the host's could wait.
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))?;
        lua.set_memory_limit(limits.memory_bytes)?;
        lua.gc_set_mode(GcMode::Incremental(GcIncParams::default().goal(GC_GOAL).step_multiplier(GC_STEPS)));
        let meter = Meter::new(limits);
        let slot = Slot::new(meter.clone());
        let loading = Arc::new(Loading { chunks, state: Mutex::default() });
        let vm = Self { lua, slot, meter, loading };
        vm.furnish(prelude, words, furnish)?;
        Ok(vm)
    }

    fn furnish(
        &self,
        prelude: &[u8],
        words: &[&str],
        furnish: impl FnOnce(&Lua) -> mlua::Result<()>,
    ) -> mlua::Result<()> {
        let lua = &self.lua;
        let (primitives, requiring): (Function, Function) =
            lua.load(prelude).set_name("=host").set_mode(ChunkMode::Binary).call(())?;
        api::install(lua, &self.slot, &primitives)?;
        let globals = lua.globals();
        let log: Table = globals.raw_get("log")?;
        globals.raw_set("print", log.raw_get::<Function>("info")?)?;
        globals.raw_set("require", self.require(&requiring)?)?;
        furnish(lua)?;
        let mut removed = Vec::new();
        globals.for_each(|name: String, value: Value| {
            let is_module = super::modules::MODULES.iter().any(|module| module.name == name);
            if !is_module && !KEPT.contains(&name.as_str()) && !words.contains(&name.as_str()) {
                removed.push(name);
            } else if let Value::Table(table) = value
                && name != "_G"
            {
                freeze(&table);
            }
            Ok(())
        })?;
        for name in removed {
            globals.raw_set(name, Value::Nil)?;
        }
        lua.sandbox(true)?;
        self.meter.watch(lua);
        Ok(())
    }

    /// The globals that scripts find; those that are tables with the names in them.
    pub fn globals(&self) -> BTreeMap<String, Option<BTreeSet<String>>> {
        let globals = self.lua.globals();
        let names = KEPT.iter().copied().chain(super::modules::MODULES.iter().map(|module| module.name));
        let mut all = BTreeMap::new();
        for name in names {
            let members = match globals.get::<Value>(name) {
                Ok(Value::Table(table)) if name != "_G" => {
                    Some(table.pairs::<String, Value>().filter_map(|pair| pair.ok().map(|(name, _)| name)).collect())
                }
                _ => None,
            };
            all.insert(name.to_owned(), members);
        }
        all
    }

    /// Runs the persona's file and answers what it returned.
    ///
    /// # Errors
    /// A diagnostic with file and line.
    pub fn load(&self, main: &str) -> Result<Value, Diagnostic> {
        {
            let mut loading = self.loading();
            loading.is_open = true;
            loading.home =
                main.strip_prefix("plugins/").and_then(|rest| rest.split_once('/')).map(|(name, _)| name.to_owned());
        }
        self.meter.begin_tick();
        let result = self.meter.run(|| self.run_file(main));
        self.loading().is_open = false;
        result.map_err(|error| fault::diagnose(&error, &self.meter, &file_of(main)))
    }

    /// The files that were loaded, sorted.
    pub fn used(&self) -> Vec<String> {
        let mut used = self.loading().used.clone();
        used.sort();
        used.dedup();
        used
    }

    fn loading(&self) -> std::sync::MutexGuard<'_, LoadState> {
        self.loading.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_file(&self, path: &str) -> mlua::Result<Value> {
        run_file(&self.lua, &self.loading, path)
    }

    fn require(&self, requiring: &Function) -> mlua::Result<Function> {
        let loading = self.loading.clone();
        let cache = self.lua.create_table()?;
        let load = self.lua.create_function(move |lua, name: Value| {
            let Value::String(name) = name else {
                return refuse(lua, "require: expected a text like \"@behaviours/browse\"");
            };
            let name: String = text::clip(&name.to_string_lossy(), 100)
                .chars()
                .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
                .collect();
            let home = loading.state.lock().unwrap_or_else(PoisonError::into_inner).home.clone();
            let resolved = match &home {
                Some(home) => resolve_in_plugin(&name, home, &loading.chunks),
                None => resolve(&name, &loading.chunks),
            };
            let path = match resolved {
                Ok(path) => path,
                Err(_) if !loading.state.lock().unwrap_or_else(PoisonError::into_inner).is_open => {
                    return refuse(lua, &too_late(&name));
                }
                Err(wrong) => return refuse(lua, &wrong),
            };
            if let Some(value) = cache.raw_get::<Option<Value>>(path.as_str())? {
                return Ok((true, value));
            }
            {
                let state = loading.state.lock().unwrap_or_else(PoisonError::into_inner);
                if !state.is_open {
                    return refuse(lua, &too_late(&name));
                }
                if state.stack.len() >= DEPTH {
                    return refuse(
                        lua,
                        &format!("require \"{name}\" is {DEPTH} files deep: require less from one another"),
                    );
                }
                if state.stack.contains(&path) {
                    let circle = state.stack.join(" → ");
                    return refuse(lua, &format!("require \"{name}\" goes in a circle: {circle} → {path}"));
                }
            }
            let value = run_file(lua, &loading, &path)?;
            if let Value::Table(table) = &value {
                freeze(table);
            }
            if matches!(value, Value::Nil) {
                return refuse(
                    lua,
                    &format!("require \"{name}\": {} returns nothing; end it with `return`", file_of(&path)),
                );
            }
            cache.raw_set(path.as_str(), &value)?;
            Ok((true, value))
        })?;
        requiring.call(load)
    }
}

fn too_late(name: &str) -> String {
    format!("require \"{name}\": only at the top of a file, where it becomes part of the version")
}

fn refuse(lua: &Lua, words: &str) -> mlua::Result<(bool, Value)> {
    Ok((false, Value::String(lua.create_string(words)?)))
}

fn run_file(lua: &Lua, loading: &Loading, path: &str) -> mlua::Result<Value> {
    let Some(chunk) = loading.chunks.get(path) else {
        return Err(mlua::Error::runtime(format!("{} is not there", file_of(path))));
    };
    let state = || loading.state.lock().unwrap_or_else(PoisonError::into_inner);
    state().used.push(path.to_owned());
    let bytecode = match &chunk.bytecode {
        Ok(bytecode) => bytecode,
        Err(diagnostic) => return Err(mlua::Error::runtime(diagnostic.to_string())),
    };
    state().stack.push(path.to_owned());
    let code = lua.load(bytecode.as_slice()).set_name(format!("@{}", file_of(path))).set_mode(ChunkMode::Binary);
    let result = if is_exports(path) {
        api::exporter(lua).and_then(|exporter| code.call::<Value>(exporter))
    } else {
        code.call::<Value>(())
    };
    state().stack.pop();
    result
}

/// `@behaviours/browse` → `behaviours/browse.luau`, when there is such a file.
pub(super) fn resolve<T>(name: &str, files: &BTreeMap<String, T>) -> Result<String, String> {
    let reaches = ["behaviours/", "lib/", "plugins/"];
    let rest = name.strip_prefix('@').filter(|rest| reaches.iter().any(|start| rest.starts_with(start)));
    let Some(rest) = rest else {
        return Err(format!(
            "require \"{name}\": only \"@behaviours/…\", \"@lib/…\" and \"@plugins/NAME\" can be required"
        ));
    };
    find(name, rest, files)
}

/// `@self/words` → `plugins/guard/words.luau`, when there is such a file.
fn resolve_in_plugin<T>(name: &str, home: &str, files: &BTreeMap<String, T>) -> Result<String, String> {
    match (name.strip_prefix("@self/"), name.strip_prefix("@lib/")) {
        (Some(rest), _) => find(name, &format!("plugins/{home}/{rest}"), files),
        (None, Some(rest)) => find(name, &format!("lib/{rest}"), files),
        (None, None) => Err(format!("require \"{name}\": a plugin can require only \"@self/…\" and \"@lib/…\"")),
    }
}

fn find<T>(name: &str, rest: &str, files: &BTreeMap<String, T>) -> Result<String, String> {
    let is_plain = rest.split('/').all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    });
    if !is_plain {
        return Err(format!("require \"{name}\": parts of a path are letters, digits, _ and -; no dots and no ending"));
    }
    for ending in ["luau", "lua"] {
        let path = format!("{rest}.{ending}");
        if files.contains_key(&path) {
            return Ok(path);
        }
    }
    let known: Vec<&str> = files.keys().filter_map(|path| path.rsplit_once('.').map(|(stem, _)| stem)).collect();
    let near = text::nearest(rest, &known).map(|near| format!("; did you mean \"@{near}\"?")).unwrap_or_default();
    if let Some(plugin) = rest.strip_prefix("plugins/").filter(|plugin| !plugin.contains('/')) {
        return Err(format!("require \"{name}\": there is no plugin `{plugin}` that runs{near}"));
    }
    Err(format!("require \"{name}\": there is no {}{near}", file_of(&format!("{rest}.luau"))))
}

/// A file as authors know it: those of plugins lie beside the scripts, all others in them.
pub(super) fn file_of(path: &str) -> String {
    if path.starts_with("plugins/") { path.to_owned() } else { format!("scripts/{path}") }
}

/// Whether a file is none of an author's, but tells a persona what a plugin exports.
fn is_exports(path: &str) -> bool {
    path.strip_prefix("plugins/").is_some_and(|rest| !rest.contains('/'))
}

/// Makes a table and all below it read-only.
pub(super) fn freeze(table: &Table) {
    // A list instead of recursion: tables may nest deeper than any stack.
    let mut left = vec![table.clone()];
    while let Some(table) = left.pop() {
        if table.is_readonly() {
            continue;
        }
        table.set_readonly(true);
        // A table that cannot be walked stays as it is; the outermost level is frozen already.
        let _ = table.for_each(|_: Value, value: Value| {
            if let Value::Table(table) = value {
                left.push(table);
            }
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_compile_is_told_with_its_line() {
        for (source, line, message) in [
            ("local a = 1\nlocal b = = 2", 2, "Expected identifier when parsing expression, got '='"),
            ("return {\n\tname = 'a: b',\n", 3, "Expected identifier when parsing expression, got <eof>"),
            ("\n\n\nx:y:z()", 4, "Expected '(', '{' or <string> when parsing function call, got ':'"),
        ] {
            let problem = compile("personas/a.luau", source).expect_err("it is wrong");
            assert_eq!((problem.file.as_str(), problem.line), ("scripts/personas/a.luau", Some(line)), "{problem:?}");
            assert_eq!(problem.message, message);
        }
    }
}
