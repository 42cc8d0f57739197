//! A plugin's version: its files with all they require, compiled and checked, under one digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::manifest;
use crate::host::service::Role;
use crate::lua::analysis::surface::Surface;
use crate::lua::api;
use crate::lua::fault;
use crate::lua::limits::Limits;
use crate::lua::version::{Chunk, Sources, Workshop, digest, used_of};
use crate::lua::vm::Vm;
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::name::VersionId;
use crate::model::plugin::{Manifest, PluginName};

use super::modules::PLUGIN_GLOBALS;

/// A version of a plugin that can run.
#[derive(Debug)]
pub struct PluginVersion {
    /// The digest of all its files.
    pub id: VersionId,
    /// What its file says about it.
    pub manifest: Arc<Manifest>,
    /// As whom it works.
    pub role: Arc<Role>,
    /// The texts of its files.
    pub files: BTreeMap<String, Arc<str>>,
    /// What its author should look at.
    pub warnings: Vec<Diagnostic>,
    pub(super) main: String,
    prelude: Arc<Vec<u8>>,
    surface: Arc<Surface>,
    chunks: Arc<BTreeMap<String, Arc<Chunk>>>,
}

/// The file of a plugin that says everything.
pub fn main_of(name: &str) -> String {
    format!("plugins/{name}/init.luau")
}

impl PluginVersion {
    /// Whether it is made of exactly these texts.
    pub fn is_made_of(&self, sources: &Sources) -> bool {
        self.files.iter().all(|(path, text)| sources.files.get(path) == Some(text))
    }

    /// A diagnostic with the line of the file it was in.
    pub(super) fn told(&self, problem: Diagnostic) -> Diagnostic {
        fault::explained(problem, &self.surface, |path| self.files.get(path).map(|text| &**text))
    }

    /// A VM with nothing of it loaded.
    pub(super) fn vm(&self, limits: Limits) -> mlua::Result<Vm> {
        plugin_vm(&self.prelude, self.chunks.clone(), limits)
    }
}

/// A VM that finds what plugins find.
fn plugin_vm(prelude: &[u8], chunks: Arc<BTreeMap<String, Arc<Chunk>>>, limits: Limits) -> mlua::Result<Vm> {
    let vm = Vm::with_words(prelude, chunks, limits, &PLUGIN_GLOBALS, |lua| {
        api::install_for_plugins(lua)?;
        lua.globals().raw_set("plugin", super::living::front(lua)?)
    })?;
    vm.slot.is_plugin.store(true, std::sync::atomic::Ordering::Relaxed);
    Ok(vm)
}

impl Workshop {
    /// Builds a plugin's version from what was compiled last.
    ///
    /// # Errors
    /// Everything that is wrong with it, with files and lines.
    pub fn build_plugin(
        &self,
        sources: &Sources,
        name: &PluginName,
        limits: &Limits,
    ) -> Result<PluginVersion, Vec<Diagnostic>> {
        let main = main_of(name.as_str());
        if let Some(problem) = sources.unreadable.get(&main) {
            return Err(vec![Diagnostic::error(main, None, problem.as_str())]);
        }
        let Some(chunk) = self.chunks.get(&main) else {
            let problem = Diagnostic::error(main, None, "a plugin needs an init.luau, and there is none")
                .with_hint("make the file, or remove the folder");
            return Err(vec![problem]);
        };
        if let Err(diagnostic) = &chunk.bytecode {
            return Err(vec![diagnostic.clone()]);
        }
        let broken = |error: mlua::Error| vec![Diagnostic::error(main.as_str(), None, error.to_string())];
        let vm = plugin_vm(&self.prelude, Arc::new(self.chunks.clone()), *limits).map_err(broken)?;
        let returned = vm.load(&main).map_err(|problem| {
            vec![fault::explained(problem, &self.surface, |path| sources.files.get(path).map(|text| &**text))]
        })?;
        let used = vm.used();
        let mut problems = Vec::new();
        let read = manifest::read(&main, name, &returned, &mut problems);
        let text = sources.files.get(&main).map_or("", |text| text);
        let (errors, warnings): (Vec<_>, Vec<_>) = problems
            .into_iter()
            .map(|problem| problem.placed(chunk.study.as_deref(), text))
            .partition(|diagnostic| diagnostic.severity == Severity::Error);
        let Some((manifest, _)) = read.filter(|_| errors.is_empty()) else { return Err(errors) };
        let role =
            Role::new(&manifest).map_err(|wrong| vec![Diagnostic::error(main.as_str(), None, wrong.to_string())])?;
        let files = used_of(&used, &sources.files);
        let chunks = used_of(&used, &self.chunks);
        Ok(PluginVersion {
            id: digest(&files),
            manifest: Arc::new(manifest),
            role: Arc::new(role),
            files,
            warnings,
            main,
            prelude: self.prelude.clone(),
            surface: self.surface.clone(),
            chunks: Arc::new(chunks),
        })
    }
}
