//! The catalog: which personas there are and which version of each runs.
//!
//! A version gets in only after it compiled, fits the contract and lived through its trial; otherwise the old one stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::lua::limits::Limits;
use crate::lua::plugins::options::Told;
use crate::lua::testing;
use crate::lua::version::{Sources, Version, Workshop};
use crate::lua::{rehearse, rehearse_refused};
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::name::PersonaName;

use super::plugins::catalog::{PluginCatalog, PluginChanges};
use crate::model::permission::Permissions;

/// The scripts that are shipped, for a program that was started where there are none.
#[derive(RustEmbed)]
#[folder = "scripts/"]
#[exclude = "*.test.luau"]
struct Shipped;

/// The plugins that are shipped, likewise.
#[derive(RustEmbed)]
#[folder = "plugins/"]
#[include = "*.luau"]
#[exclude = "*.test.luau"]
struct ShippedPlugins;

/// Where scripts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A folder that is watched.
    Folder(PathBuf),
    /// The scripts inside the program.
    Shipped,
    /// The plugins inside the program.
    ShippedPlugins,
}

/// What is known of one persona's script.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The file under `scripts`.
    pub file: String,
    /// The version that runs.
    pub version: Option<Arc<Version>>,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// What is wrong with the newest files, when they were refused.
    pub errors: Vec<Diagnostic>,
    /// What else its author should look at, in files that were refused.
    pub warnings: Vec<Diagnostic>,
    /// The texts that were refused, so that they are not tried again.
    refused: Option<[u8; 32]>,
    /// The text of its own file among them.
    refused_text: Option<Arc<str>>,
}

/// All personas.
#[derive(Debug)]
pub struct Catalog {
    workshop: Workshop,
    /// By name, only those with a file.
    pub entries: BTreeMap<PersonaName, Entry>,
    /// Files whose names are no names of personas.
    pub misnamed: Vec<Diagnostic>,
    /// All plugins.
    pub plugins: PluginCatalog,
}

/// What a look at the files found.
#[derive(Debug, Default)]
pub struct Changes {
    /// Personas with a new version.
    pub accepted: Vec<PersonaName>,
    /// Personas whose new files were refused.
    pub refused: Vec<PersonaName>,
    /// Personas whose file is gone.
    pub removed: Vec<PersonaName>,
    /// Personas as they were.
    pub unchanged: u64,
    /// Whether the files could not be read, so that nothing is known of them.
    pub is_blind: bool,
    /// What was found of plugins.
    pub plugins: PluginChanges,
}

/// How a version is tested before it is accepted.
#[derive(Debug, Clone)]
pub struct Test {
    /// The limits it must keep.
    pub limits: Limits,
    /// Whether it must live through a trial.
    pub has_trial: bool,
    /// What scripts get of what they declare.
    pub permissions: Arc<Permissions>,
    /// Bots' time.
    pub now: Timestamp,
}

impl Catalog {
    /// A catalog with nothing in it.
    ///
    /// # Errors
    /// When the host's own prelude does not compile, which a test rules out.
    pub fn new() -> Result<Self, Diagnostic> {
        Ok(Self {
            workshop: Workshop::new()?,
            entries: BTreeMap::new(),
            misnamed: Vec::new(),
            plugins: PluginCatalog::new()?,
        })
    }

    /// Takes what the files of plugins and scripts say now; plugins first, because personas use what they export.
    /// Without `plugins` those stay as they are.
    pub async fn refresh_all(
        &mut self,
        plugins: Option<&Sources>,
        scripts: &mut Sources,
        told: &Told,
        test: Test,
    ) -> Changes {
        let changed = match plugins {
            Some(plugins) => self.plugins.refresh(plugins, scripts, told, &test).await,
            None => PluginChanges::default(),
        };
        self.plugins.add_exports(scripts);
        Changes { plugins: changed, ..self.refresh(scripts, test).await }
    }

    /// Takes what the files say now. Runs scripts, so it belongs where scripts run.
    pub async fn refresh(&mut self, sources: &Sources, test: Test) -> Changes {
        let mut changes = Changes::default();
        self.workshop.compile(sources, &test.limits);
        let found = sources.personas();
        let gone: Vec<PersonaName> =
            self.entries.keys().filter(|name| !found.contains_key(name.as_str())).cloned().collect();
        for name in gone {
            self.entries.remove(&name);
            changes.removed.push(name);
        }
        self.misnamed.clear();
        let all = fingerprint(&self.workshop, &test.permissions);
        for (stem, file) in found {
            let name = match PersonaName::new(&stem) {
                Ok(name) => name,
                Err(wrong) => {
                    let problem = Diagnostic::error(format!("scripts/{file}"), None, wrong.to_string());
                    self.misnamed.push(problem.with_hint("rename the file"));
                    continue;
                }
            };
            let old = self.entries.get(&name);
            let runs_already =
                old.and_then(|entry| entry.version.as_ref()).is_some_and(|version| version.is_made_of(sources));
            let was_refused = old.is_some_and(|entry| entry.refused == Some(all));
            if was_refused || (runs_already && !sources.unreadable.contains_key(&file)) {
                if runs_already && let Some(entry) = self.entries.get_mut(&name) {
                    // A refused save that was taken back is nothing to shout about any more.
                    entry.errors.clear();
                    entry.warnings.clear();
                    entry.refused = None;
                }
                changes.unchanged += 1;
                continue;
            }
            match self.build(sources, &stem, &test).await {
                Ok(version) => {
                    let entry = Entry {
                        file,
                        version: Some(version),
                        accepted_at: Some(test.now),
                        errors: Vec::new(),
                        warnings: Vec::new(),
                        refused: None,
                        refused_text: None,
                    };
                    self.entries.insert(name.clone(), entry);
                    changes.accepted.push(name);
                }
                Err(problems) => {
                    let (errors, warnings): (Vec<_>, Vec<_>) =
                        problems.into_iter().partition(|problem| problem.severity == Severity::Error);
                    let entry = self.entries.entry(name.clone()).or_insert(Entry {
                        file: file.clone(),
                        version: None,
                        accepted_at: None,
                        errors: Vec::new(),
                        warnings: Vec::new(),
                        refused: None,
                        refused_text: None,
                    });
                    let text = sources.files.get(&file).cloned();
                    // Somebody saved another file, which changed nothing for this one: that was told before.
                    let is_old_news = entry.refused.is_some() && entry.refused_text == text && entry.errors == errors;
                    entry.file = file;
                    entry.errors = errors;
                    entry.warnings = warnings;
                    entry.refused = Some(all);
                    entry.refused_text = text;
                    if is_old_news {
                        changes.unchanged += 1;
                    } else {
                        changes.refused.push(name);
                    }
                }
            }
        }
        changes
    }

    /// Files that do not compile, whether a persona requires them or not.
    pub fn broken_files(&self) -> Vec<Diagnostic> {
        self.workshop.broken_files()
    }

    /// What can be told, without running them, of files that no persona requires.
    pub fn strays(&self, sources: &Sources) -> Vec<Diagnostic> {
        self.workshop.examine_strays(sources)
    }

    /// Puts a version in that was accepted before this process started, for a persona whose files are wrong now.
    pub async fn restore(&mut self, name: &PersonaName, files: BTreeMap<String, Arc<str>>, at: Timestamp, test: Test) {
        let Ok(version) = rebuild(name, files, &test.limits) else { return };
        if let Some(entry) = self.entries.get_mut(name) {
            entry.version = Some(version);
            entry.accepted_at = Some(at);
        }
    }

    /// A version that can run, or all that is wrong with it, warnings too.
    async fn build(&self, sources: &Sources, stem: &str, test: &Test) -> Result<Arc<Version>, Vec<Diagnostic>> {
        let built = self.workshop.build(sources, stem, &test.limits);
        let needs = built.as_ref().ok().map(|version| version.persona.needs.as_slice());
        let found = self.workshop.examine(sources, stem, needs);
        // Who turned the trial off wants to see for himself what becomes of it.
        let has_errors = test.has_trial && found.iter().any(|problem| problem.severity == Severity::Error);
        let version = match built {
            Ok(version) if !has_errors => version,
            Ok(version) => return Err(told_once(version.warnings, found)),
            // A file that raises was told of by the analysis, where it saw that coming.
            Err(raised) => return Err(told_once(found, raised)),
        };
        let mut version = Arc::new(version);
        let mut seen = None;
        if test.has_trial {
            if let Err(raised) = rehearse(&version, test.limits, &test.permissions, test.now).await {
                return Err(told_once(vec![raised], [version.warnings.clone(), found].concat()));
            }
            seen = rehearse_refused(&version, test.limits, &test.permissions, test.now).await;
        }
        if let Some(version) = Arc::get_mut(&mut version) {
            // What was seen to happen tells more than that it may.
            let told = [std::mem::take(&mut version.warnings), found].concat();
            version.warnings = told_once(seen.into_iter().collect(), told);
        }
        Ok(version)
    }
}

/// What decides whether a version is accepted: the files, and what the config grants. One that was refused for want of a
/// permission is looked at again when the operator grants it.
fn fingerprint(workshop: &Workshop, permissions: &Permissions) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(workshop.fingerprint());
    hash.update(format!("{permissions:?}"));
    hash.finalize().into()
}

/// Builds a version that was accepted once, of the files it was made of. Runs scripts, so it belongs where scripts run.
///
/// # Errors
/// When this program does not accept it any more.
pub fn rebuild(
    name: &PersonaName,
    files: BTreeMap<String, Arc<str>>,
    limits: &Limits,
) -> Result<Arc<Version>, Vec<Diagnostic>> {
    let sources = Sources { files, unreadable: BTreeMap::new() };
    let mut workshop = Workshop::new().map_err(|problem| vec![problem])?;
    workshop.compile(&sources, limits);
    workshop.build(&sources, name.as_str(), limits).map(Arc::new)
}

/// Both, without what the second says of a line of which the first has told; in the order of the files.
fn told_once(first: Vec<Diagnostic>, second: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_new = |problem: &Diagnostic| {
        !first
            .iter()
            .any(|known| known.file == problem.file && known.line == problem.line && known.severity <= problem.severity)
    };
    let second: Vec<Diagnostic> = second.into_iter().filter(is_new).collect();
    let mut all = [first, second].concat();
    all.sort_by(|a, b| (&a.file, a.line, a.columns).cmp(&(&b.file, b.line, b.columns)));
    all
}

/// Why the scripts could not be read as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder cannot be listed.
    #[error("could not list the scripts in `{}`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Reads every script there is, as they were at one moment; tests are none. Blocks; run it where that is allowed.
///
/// # Errors
/// When a folder cannot be listed; what is in it is then unknown, and not gone.
pub fn read(origin: &Origin, most_bytes: usize) -> Result<Sources, Error> {
    let mut sources = read_with_tests(origin, most_bytes)?;
    // A saved test makes no new version.
    sources.files.retain(|path, _| !testing::is_test(path));
    sources.unreadable.retain(|path, _| !testing::is_test(path));
    Ok(sources)
}

/// Reads every script and every test beside it, as they were at one moment. Blocks; run it where that is allowed.
///
/// # Errors
/// When a folder cannot be listed.
#[expect(clippy::disallowed_methods, reason = "its callers give it a thread that may block")]
pub fn read_with_tests(origin: &Origin, most_bytes: usize) -> Result<Sources, Error> {
    const TRIES: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(20);
    const EMPTY_ROUNDS: u32 = 10;
    let mut sources = read_once(origin, most_bytes)?;
    let mut empty_rounds = 0;
    for _ in 0..TRIES {
        // Files that are being saved while they are read would make a version that nobody wrote.
        let again = read_once(origin, most_bytes)?;
        let is_quiet = again.files == sources.files && again.unreadable == sources.unreadable;
        // Some editors empty a file before they write it; one that stays empty is taken for what it is.
        let is_filled = empty_rounds >= EMPTY_ROUNDS || again.files.values().all(|text| !text.is_empty());
        if is_quiet && is_filled {
            break;
        }
        empty_rounds += u32::from(!is_filled);
        sources = again;
        std::thread::sleep(PAUSE);
    }
    Ok(sources)
}

fn read_once(origin: &Origin, most_bytes: usize) -> Result<Sources, Error> {
    let mut sources = Sources::default();
    match origin {
        Origin::Folder(folder) => read_folder(folder, "", 0, most_bytes, &mut sources)?,
        Origin::Shipped => read_shipped::<Shipped>(&mut sources),
        Origin::ShippedPlugins => read_shipped::<ShippedPlugins>(&mut sources),
    }
    Ok(sources)
}

fn read_shipped<E: RustEmbed>(sources: &mut Sources) {
    for path in E::iter() {
        if path.ends_with(".luau")
            && let Some(file) = E::get(&path)
            && let Ok(text) = String::from_utf8(file.data.into_owned())
        {
            sources.files.insert(path.into_owned(), text.into());
        }
    }
}

fn read_folder(folder: &Path, prefix: &str, depth: u32, most_bytes: usize, sources: &mut Sources) -> Result<(), Error> {
    const DEPTH: u32 = 6;
    const FILES: usize = 5000;
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // A folder below may have been deleted since it was listed.
        Err(error) if depth > 0 && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Folder { folder: folder.to_owned(), source }),
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth < DEPTH {
                read_folder(&entry.path(), &path, depth + 1, most_bytes, sources)?;
            }
            continue;
        }
        if !(name.ends_with(".luau") || name.ends_with(".lua")) || name.ends_with(".d.luau") {
            continue;
        }
        if sources.files.len() >= FILES {
            sources.unreadable.insert(path, format!("there are more than {FILES} scripts; this one was not read"));
        } else if kind.is_symlink() {
            sources
                .unreadable
                .insert(path, "is a link, and links are not followed: put the file itself here".to_owned());
        } else {
            match read_file(&entry.path(), most_bytes) {
                Ok(text) => {
                    sources.files.insert(path, text.into());
                }
                Err(problem) => {
                    sources.unreadable.insert(path, problem);
                }
            }
        }
    }
    Ok(())
}

fn read_file(path: &Path, most_bytes: usize) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > most_bytes as u64 {
        return Err(format!(
            "has {size} bytes; a script has at most {} KiB (sandbox.source_kib): split it and require the parts",
            most_bytes >> 10
        ));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .map_or(1, |before| before.iter().filter(|byte| **byte == b'\n').count() + 1);
        format!("is not UTF-8 at line {line}: save it as UTF-8")
    })
}
