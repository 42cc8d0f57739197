//! Versions: a persona's file with all it requires, compiled and checked, under one digest.
//!
//! A version is closed: nothing that is saved later can get into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::limits::Limits;
use super::vm::{self, Vm};
use super::{contract, persona};
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::name::{PersonaName, VersionId};
use crate::model::persona::Persona;

/// The script files as they were read at one moment, by their path under `scripts`.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// What could be read.
    pub files: BTreeMap<String, Arc<str>>,
    /// What could not, and why.
    pub unreadable: BTreeMap<String, String>,
}

/// A compiled file, or why it does not compile.
#[derive(Debug)]
pub struct Chunk {
    /// The digest of its text.
    pub digest: [u8; 32],
    /// Its bytecode.
    pub bytecode: Result<Vec<u8>, Diagnostic>,
}

/// Compiles files once and keeps the result until their text changes.
#[derive(Debug)]
pub struct Workshop {
    prelude: Arc<Vec<u8>>,
    chunks: BTreeMap<String, Arc<Chunk>>,
}

/// A version that can run.
#[derive(Debug)]
pub struct Version {
    /// The digest of all its files.
    pub id: VersionId,
    /// What its file says about the persona.
    pub persona: Arc<Persona>,
    /// The texts of its files.
    pub files: BTreeMap<String, Arc<str>>,
    /// What its author should look at.
    pub warnings: Vec<Diagnostic>,
    pub(super) main: String,
    pub(super) prelude: Arc<Vec<u8>>,
    pub(super) chunks: Arc<BTreeMap<String, Arc<Chunk>>>,
}

impl Sources {
    /// The personas there are files for, with the file.
    pub fn personas(&self) -> BTreeMap<String, String> {
        let all = self.files.keys().chain(self.unreadable.keys());
        all.filter_map(|path| {
            let stem = path.strip_prefix("personas/")?;
            let stem = stem.strip_suffix(".luau").or_else(|| stem.strip_suffix(".lua"))?;
            let is_persona = !stem.contains('/') && !stem.ends_with(".test");
            is_persona.then(|| (stem.to_owned(), path.clone()))
        })
        .collect()
    }
}

impl Workshop {
    /// A workshop with nothing compiled yet.
    ///
    /// # Errors
    /// When the host's own prelude does not compile, which a test rules out.
    pub fn new() -> Result<Self, Diagnostic> {
        Ok(Self { prelude: Arc::new(vm::compile_prelude()?), chunks: BTreeMap::new() })
    }

    /// Compiles what has changed; files that are gone are forgotten.
    pub fn compile(&mut self, sources: &Sources, limits: &Limits) {
        self.chunks.retain(|path, _| sources.files.contains_key(path));
        for (path, problem) in &sources.unreadable {
            // It stands among the others, so that whoever requires it is told why it is not there.
            let diagnostic = Diagnostic::error(format!("scripts/{path}"), None, problem.as_str());
            let digest: [u8; 32] = Sha256::digest(problem.as_bytes()).into();
            self.chunks.insert(path.clone(), Arc::new(Chunk { digest, bytecode: Err(diagnostic) }));
        }
        for (path, text) in &sources.files {
            let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
            if self.chunks.get(path).is_some_and(|chunk| chunk.digest == digest) {
                continue;
            }
            let bytecode = if text.len() > limits.source_bytes {
                Err(Diagnostic::error(
                    format!("scripts/{path}"),
                    None,
                    format!(
                        "has {} bytes; a script has at most {} KiB (sandbox.source_kib)",
                        text.len(),
                        limits.source_bytes >> 10
                    ),
                )
                .with_hint("split it: behaviours and long lists can be files of their own, and be required"))
            } else {
                vm::compile(path, text)
            };
            self.chunks.insert(path.clone(), Arc::new(Chunk { digest, bytecode }));
        }
    }

    /// A VM that may load what was compiled last, with more globals.
    pub(super) fn vm(
        &self,
        limits: Limits,
        words: &[&str],
        furnish: impl FnOnce(&mlua::Lua) -> mlua::Result<()>,
    ) -> mlua::Result<Vm> {
        Vm::with_words(&self.prelude, Arc::new(self.chunks.clone()), limits, words, furnish)
    }

    /// Why a file does not compile.
    pub(super) fn broken(&self, path: &str) -> Option<Diagnostic> {
        self.chunks.get(path)?.bytecode.as_ref().err().cloned()
    }

    /// Files that do not compile.
    pub fn broken_files(&self) -> Vec<Diagnostic> {
        self.chunks.values().filter_map(|chunk| chunk.bytecode.as_ref().err().cloned()).collect()
    }

    /// The digest of all that was compiled last.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (path, chunk) in &self.chunks {
            hash.update(path.as_bytes());
            hash.update(chunk.digest);
        }
        hash.finalize().into()
    }

    /// Builds a persona's version from what was compiled last.
    ///
    /// # Errors
    /// Everything that is wrong with it, with files and lines.
    pub fn build(&self, sources: &Sources, name: &str, limits: &Limits) -> Result<Version, Vec<Diagnostic>> {
        let Some(main) = sources.personas().remove(name) else {
            return Err(vec![Diagnostic::error(
                format!("scripts/personas/{name}.luau"),
                None,
                format!("there is no persona `{name}`"),
            )]);
        };
        let file = format!("scripts/{main}");
        let name = PersonaName::new(name).map_err(|wrong| {
            vec![Diagnostic::error(file.as_str(), None, wrong.to_string()).with_hint("rename the file")]
        })?;
        if let Some(problem) = sources.unreadable.get(&main) {
            return Err(vec![Diagnostic::error(file, None, problem.as_str())]);
        }
        if let Some(chunk) = self.chunks.get(&main)
            && let Err(diagnostic) = &chunk.bytecode
        {
            return Err(vec![diagnostic.clone()]);
        }
        let broken = |error: mlua::Error| vec![Diagnostic::error(file.as_str(), None, error.to_string())];
        let vm = Vm::new(&self.prelude, Arc::new(self.chunks.clone()), *limits).map_err(broken)?;
        let returned = vm.load(&main).map_err(|diagnostic| vec![diagnostic])?;
        let used = vm.used();
        let mut diagnostics = Vec::new();
        let table = contract::table(&file, &returned, &mut diagnostics);
        let persona = table.and_then(|table| persona::read(&file, name, &table, &mut diagnostics));
        let (errors, warnings): (Vec<_>, Vec<_>) =
            diagnostics.into_iter().partition(|diagnostic| diagnostic.severity == Severity::Error);
        let source = sources.files.get(&main).map_or("", |text| text);
        let errors: Vec<_> = errors.into_iter().map(|problem| contract::locate(problem, source)).collect();
        let warnings: Vec<_> = warnings.into_iter().map(|problem| contract::locate(problem, source)).collect();
        let Some(persona) = persona.filter(|_| errors.is_empty()) else { return Err(errors) };
        let files: BTreeMap<String, Arc<str>> =
            used.iter().filter_map(|path| Some((path.clone(), sources.files.get(path)?.clone()))).collect();
        let chunks: BTreeMap<_, _> =
            used.iter().filter_map(|path| Some((path.clone(), self.chunks.get(path)?.clone()))).collect();
        Ok(Version {
            id: digest(&files),
            persona: Arc::new(persona),
            files,
            warnings,
            main,
            prelude: self.prelude.clone(),
            chunks: Arc::new(chunks),
        })
    }
}

impl Version {
    /// Whether it is made of exactly these texts.
    pub fn is_made_of(&self, sources: &Sources) -> bool {
        self.files.iter().all(|(path, text)| sources.files.get(path) == Some(text))
    }
}

fn digest(files: &BTreeMap<String, Arc<str>>) -> VersionId {
    let mut hash = Sha256::new();
    for (path, text) in files {
        // Lengths keep one file's end from becoming another's beginning.
        hash.update((path.len() as u64).to_le_bytes());
        hash.update(path.as_bytes());
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    VersionId::new(&hex)
}
