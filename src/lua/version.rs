//! Versions: a persona's file with all it requires, compiled and checked, under one digest.
//!
//! A version is closed: nothing that is saved later can get into it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::analysis::across::{self, Studies};
use super::analysis::study::Study;
use super::analysis::surface::Surface;
use super::limits::Limits;
use super::vm::{self, Vm};
use super::{analysis, contract, fault, persona};
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

/// What the VM may use that is only looked at.
const LOOKING: Limits = Limits {
    memory_bytes: 16 << 20,
    tick_cpu: Duration::from_secs(1),
    poll_cpu: Duration::from_secs(1),
    state_bytes: 0,
    log_lines: 0,
    source_bytes: 0,
};

/// A compiled file, or why it does not compile.
#[derive(Debug)]
pub struct Chunk {
    /// The digest of its text.
    pub digest: [u8; 32],
    /// Its bytecode.
    pub bytecode: Result<Vec<u8>, Diagnostic>,
    /// What can be told of it without running it; nothing when it does not compile, or is newer than the analysis.
    pub(super) study: Option<Arc<Study>>,
}

/// What keeps a text from compiling, if anything does; `file` is what to call it.
pub fn compiles(file: &str, text: &str) -> Option<Diagnostic> {
    let problem = vm::compile(file, text).err()?;
    Some(Diagnostic { file: file.to_owned(), ..problem }.with_text(text))
}

/// Compiles files once and keeps the result until their text changes.
#[derive(Debug)]
pub struct Workshop {
    pub(super) prelude: Arc<Vec<u8>>,
    pub(super) surface: Arc<Surface>,
    pub(super) chunks: BTreeMap<String, Arc<Chunk>>,
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
    pub(super) surface: Arc<Surface>,
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
        let prelude = vm::compile_prelude()?;
        // What Luau itself brings is asked of a VM, so that nobody keeps a list of it.
        let vm = Vm::new(&prelude, Arc::default(), LOOKING)
            .map_err(|error| Diagnostic::error("the host", None, error.to_string()))?;
        let surface = Arc::new(Surface::new(&vm.globals()));
        Ok(Self { prelude: Arc::new(prelude), surface, chunks: BTreeMap::new() })
    }

    /// Compiles what has changed; files that are gone are forgotten.
    pub fn compile(&mut self, sources: &Sources, limits: &Limits) {
        self.chunks.retain(|path, _| sources.files.contains_key(path));
        for (path, problem) in &sources.unreadable {
            // It stands among the others, so that whoever requires it is told why it is not there.
            let diagnostic = Diagnostic::error(vm::file_of(path), None, problem.as_str());
            let digest: [u8; 32] = Sha256::digest(problem.as_bytes()).into();
            self.chunks.insert(path.clone(), Arc::new(Chunk { digest, bytecode: Err(diagnostic), study: None }));
        }
        let mut changed = Vec::new();
        for (path, text) in &sources.files {
            let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
            if self.chunks.get(path).is_some_and(|chunk| chunk.digest == digest) {
                continue;
            }
            let bytecode = if text.len() > limits.source_bytes {
                Err(Diagnostic::error(
                    vm::file_of(path),
                    None,
                    format!(
                        "has {} bytes; a script has at most {} KiB (sandbox.source_kib)",
                        text.len(),
                        limits.source_bytes >> 10
                    ),
                )
                .with_hint("split it: behaviours and long lists can be files of their own, and be required"))
            } else {
                vm::compile(path, text).map_err(|problem| problem.with_text(text))
            };
            changed.push((path, text, digest, bytecode));
        }
        let fine: Vec<(&str, &str)> = changed
            .iter()
            // A test has words of its own, which no other script finds.
            .filter(|(path, .., code)| code.is_ok() && !is_test(path))
            .map(|(path, text, ..)| (path.as_str(), &***text))
            .collect();
        let mut studies = analysis::study_all(&fine, &self.surface).into_iter();
        for (path, _, digest, bytecode) in changed {
            let study = if bytecode.is_ok() && !is_test(path) { studies.next().flatten().map(Arc::new) } else { None };
            self.chunks.insert(path.clone(), Arc::new(Chunk { digest, bytecode, study }));
        }
    }

    /// What can be told of a persona and all it requires without running it. Its `needs` are read from
    /// the text when they are not known.
    pub fn examine(&self, sources: &Sources, name: &str, needs: Option<&[String]>) -> Vec<Diagnostic> {
        let Some(main) = sources.personas().remove(name) else { return Vec::new() };
        let studies = self.studies();
        let mut found = Vec::new();
        for path in across::reached(&main, &studies) {
            found.extend(across::file(&path, &studies));
        }
        match needs {
            Some(needs) => found.extend(across::persona(&main, needs, &studies)),
            // What keeps the persona from being read does not keep anybody from reading its list.
            None => found.extend(across::persona(&main, &across::needs(&main, &studies), &studies)),
        }
        found
    }

    /// What can be told of files that no persona requires.
    pub fn examine_strays(&self, sources: &Sources) -> Vec<Diagnostic> {
        let studies = self.studies();
        let reached: BTreeSet<String> =
            sources.personas().values().flat_map(|main| across::reached(main, &studies)).collect();
        studies.keys().filter(|path| !reached.contains(*path)).flat_map(|path| across::file(path, &studies)).collect()
    }

    fn studies(&self) -> Studies {
        self.chunks.iter().map(|(path, chunk)| (path.clone(), chunk.study.clone())).collect()
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
        let returned = vm.load(&main).map_err(|problem| {
            vec![fault::explained(problem, &self.surface, |path| sources.files.get(path).map(|text| &**text))]
        })?;
        let used = vm.used();
        let mut problems = Vec::new();
        let table = contract::table(&file, &returned, &mut problems);
        let persona = table.and_then(|table| persona::read(&file, name, &table, &mut problems));
        let text = sources.files.get(&main).map_or("", |text| text);
        let study = self.chunks.get(&main).and_then(|chunk| chunk.study.as_deref());
        let (errors, warnings): (Vec<_>, Vec<_>) = problems
            .into_iter()
            .map(|problem| problem.placed(study, text))
            .partition(|diagnostic| diagnostic.severity == Severity::Error);
        let Some(persona) = persona.filter(|_| errors.is_empty()) else { return Err(errors) };
        let files = used_of(&used, &sources.files);
        let chunks = used_of(&used, &self.chunks);
        Ok(Version {
            id: digest(&files),
            persona: Arc::new(persona),
            files,
            warnings,
            main,
            prelude: self.prelude.clone(),
            surface: self.surface.clone(),
            chunks: Arc::new(chunks),
        })
    }
}

impl Version {
    /// What went wrong in it, told with the lines of its files.
    pub(super) fn told(&self, problem: Diagnostic) -> Diagnostic {
        fault::explained(problem, &self.surface, |path| self.files.get(path).map(|text| &**text))
    }

    /// Whether it is made of exactly these texts.
    pub fn is_made_of(&self, sources: &Sources) -> bool {
        self.files.iter().all(|(path, text)| sources.files.get(path) == Some(text))
    }
}

fn is_test(path: &str) -> bool {
    path.ends_with(".test.luau") || path.ends_with(".test.lua")
}

/// What a version keeps: of all there is, what its files are.
pub(super) fn used_of<T: Clone>(used: &[String], all: &BTreeMap<String, T>) -> BTreeMap<String, T> {
    used.iter().filter_map(|path| Some((path.clone(), all.get(path)?.clone()))).collect()
}

pub(super) fn digest(files: &BTreeMap<String, Arc<str>>) -> VersionId {
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
