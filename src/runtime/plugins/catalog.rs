//! The catalog of plugins: which there are, which version of each runs, and what the config tells them.
//!
//! A version gets in only after it compiled, fits the contract and its options, and lived through its trial.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::order;
use crate::host::trial::Trial;
use crate::lua::plugins::options::{self, Setting, Told};
use crate::lua::plugins::{PluginVersion, export_file, main_of, rehearse};
use crate::lua::version::{Sources, Workshop};
use crate::model::diagnostic::Diagnostic;
use crate::model::permission::Author;
use crate::model::plugin::{Manifest, PluginName};
use crate::runtime::catalog::Test;
use crate::text;

/// A plugin's version with its options.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The version.
    pub version: Arc<PluginVersion>,
    /// What the config says, with the defaults.
    pub options: Arc<Value>,
    /// What to look at in the config.
    pub warnings: Vec<Diagnostic>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// What is known of one plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginEntry {
    /// What runs, or would if it were enabled.
    pub ready: Option<Ready>,
    /// Whether the config lets it run.
    pub is_enabled: bool,
    /// What is wrong with the newest files or options, when they were refused.
    pub errors: Vec<Diagnostic>,
    /// What was looked at last, so that it is not tried again.
    tried: Option<[u8; 32]>,
}

/// All plugins.
#[derive(Debug)]
pub struct PluginCatalog {
    workshop: Workshop,
    /// By name, only those with a folder.
    pub entries: BTreeMap<PluginName, PluginEntry>,
    /// In which order they are asked.
    pub order: Vec<PluginName>,
    /// What is wrong with no plugin that is here: names of folders, and names of plugins that nobody has.
    pub stray: Vec<Diagnostic>,
}

/// What a look found.
#[derive(Debug, Clone, Default)]
pub struct PluginChanges {
    /// Plugins with a new version or other options.
    pub accepted: Vec<PluginName>,
    /// Plugins that go on as they were, but of whose options there is something new to say.
    pub warned: Vec<PluginName>,
    /// Plugins whose new files or options were refused.
    pub refused: Vec<PluginName>,
    /// Plugins whose folder is gone.
    pub removed: Vec<PluginName>,
    /// Whether there is something new in what is wrong with no plugin that is here.
    pub has_new_strays: bool,
}

impl PluginCatalog {
    /// A catalog with nothing in it.
    ///
    /// # Errors
    /// When the host's own prelude does not compile, which a test rules out.
    pub fn new() -> Result<Self, Diagnostic> {
        Ok(Self { workshop: Workshop::new()?, entries: BTreeMap::new(), order: Vec::new(), stray: Vec::new() })
    }

    /// Takes what the files and the config say now. Runs scripts, so it belongs where scripts run.
    ///
    /// `plugins` holds the plugins' files by their path under their folder; of `scripts` they reach `lib/`.
    pub async fn refresh(&mut self, plugins: &Sources, scripts: &Sources, told: &Told, test: &Test) -> PluginChanges {
        let mut changes = PluginChanges::default();
        let sources = together(plugins, scripts);
        self.workshop.compile(&sources, &test.limits);
        let strays = std::mem::take(&mut self.stray);
        let mut found = Vec::new();
        for folder in folders(plugins) {
            match PluginName::new(&folder) {
                Ok(name) => found.push(name),
                Err(wrong) => self.stray.push(
                    Diagnostic::error(format!("plugins/{folder}"), None, wrong.to_string())
                        .with_hint("rename the folder"),
                ),
            }
        }
        let known: Vec<&str> = found.iter().map(PluginName::as_str).collect();
        self.stray.extend(options::unclaimed(told, &known));
        let gone: Vec<PluginName> = self.entries.keys().filter(|name| !found.contains(name)).cloned().collect();
        for name in gone {
            self.entries.remove(&name);
            changes.removed.push(name);
        }
        let mut candidates = BTreeMap::new();
        for name in found {
            let given = told.options.get(name.as_str()).map_or(&[][..], Vec::as_slice);
            let tried = fingerprint(&sources, &name, given, test);
            let entry = self.entries.entry(name.clone()).or_default();
            entry.is_enabled = options::is_enabled(given);
            if entry.tried == Some(tried) {
                continue;
            }
            entry.tried = Some(tried);
            match build(&self.workshop, &sources, &name, given, test).await {
                Ok(ready) => {
                    candidates.insert(name, ready);
                }
                Err(errors) => {
                    entry.errors = errors;
                    changes.refused.push(name);
                }
            }
        }
        self.place(candidates, &mut changes);
        self.tell_of_misnamed_neighbours();
        changes.has_new_strays = self.stray.iter().any(|problem| !strays.contains(problem));
        changes
    }

    /// Lets in what is new, as far as everybody can be put in order with it.
    fn place(&mut self, mut candidates: BTreeMap<PluginName, Ready>, changes: &mut PluginChanges) {
        loop {
            let ready = |(name, entry)| {
                let entry: &PluginEntry = entry;
                candidates.get(name).or(entry.ready.as_ref()).map(|ready: &Ready| &*ready.version.manifest)
            };
            let circle = match order::order(self.entries.iter().filter_map(ready)) {
                Ok(order) => {
                    self.order = order;
                    break;
                }
                Err(circle) => circle,
            };
            let new: Vec<&PluginName> = circle.0.iter().filter(|name| candidates.contains_key(*name)).collect();
            if new.is_empty() {
                // Those that run were in order before, so a circle has somebody new in it.
                break;
            }
            for name in new {
                candidates.remove(name);
                let Some(entry) = self.entries.get_mut(name) else { continue };
                let problem = Diagnostic::error(main_of(name.as_str()), None, circle.to_string())
                    .with_hint("take a name out of `before` or `after` of one of them");
                // Another plugin's save can undo the circle, so that this one is tried at every look.
                entry.tried = None;
                if entry.errors != [problem.clone()] {
                    entry.errors = vec![problem];
                    changes.refused.push(name.clone());
                }
            }
        }
        for (name, ready) in candidates {
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            entry.errors.clear();
            let is_same = entry
                .ready
                .as_ref()
                .is_some_and(|old| old.version.id == ready.version.id && old.options == ready.options);
            let says_more = entry.ready.as_ref().is_none_or(|old| old.warnings != ready.warnings);
            match (is_same, &mut entry.ready) {
                (true, Some(old)) => {
                    if says_more && !ready.warnings.is_empty() {
                        changes.warned.push(name);
                    }
                    old.warnings = ready.warnings;
                }
                _ => {
                    entry.ready = Some(ready);
                    changes.accepted.push(name);
                }
            }
        }
    }

    /// Tells of names in `before` and `after` that nobody has but somebody nearly has. Other names may be of plugins that
    /// are left out here.
    fn tell_of_misnamed_neighbours(&mut self) {
        let known: Vec<&str> = self.entries.keys().map(PluginName::as_str).collect();
        let mut problems = Vec::new();
        for ready in self.entries.values().filter_map(|entry| entry.ready.as_ref()) {
            let Manifest { name, before, after, .. } = &*ready.version.manifest;
            for (field, names) in [("before", before), ("after", after)] {
                for other in names.iter().filter(|other| !known.contains(&other.as_str())) {
                    let Some(near) = text::nearest(other, &known) else { continue };
                    let main = main_of(name.as_str());
                    let file = ready.version.files.get(&main).map_or("", |text| text);
                    let quoted = [format!("\"{other}\""), format!("'{other}'")];
                    let line = file.lines().position(|line| quoted.iter().any(|quoted| line.contains(quoted.as_str())));
                    let line = line.and_then(|line| u32::try_from(line + 1).ok());
                    let message = format!("`{field}` names `{other}`, and there is no such plugin");
                    let problem = Diagnostic::error(main, line, message).with_hint(format!("did you mean `{near}`?"));
                    problems.push(problem.with_text(file).as_warning());
                }
            }
        }
        self.stray.extend(problems);
    }

    /// Adds the files that tell personas what plugins export; a script of that name is nobody's.
    pub fn add_exports(&self, scripts: &mut Sources) {
        scripts.files.retain(|path, _| !path.starts_with("plugins/"));
        scripts.unreadable.retain(|path, _| !path.starts_with("plugins/"));
        for ready in self.entries.values().filter_map(|entry| entry.ready.as_ref()) {
            let (path, text) = export_file(&ready.version.manifest);
            scripts.files.insert(path, text.into());
        }
    }
}

async fn build(
    workshop: &Workshop,
    sources: &Sources,
    name: &PluginName,
    given: &[Setting],
    test: &Test,
) -> Result<Ready, Vec<Diagnostic>> {
    let version = Arc::new(workshop.build_plugin(sources, name, &test.limits)?);
    let settled = options::settle(&version.manifest, given)?;
    let options = Arc::new(settled.options);
    if test.has_trial {
        let trial = Arc::new(Trial::new(test.now, false).granting(test.permissions.clone()));
        rehearse(&version, test.limits, &options, trial, test.now).await.map_err(|problem| vec![problem])?;
    }
    Ok(Ready { version, options, warnings: settled.warnings, accepted_at: test.now })
}

/// What a plugin may load: the plugins' files, and the library of the scripts.
fn together(plugins: &Sources, scripts: &Sources) -> Sources {
    let mut sources = Sources::default();
    let lib = |path: &String| path.starts_with("lib/");
    sources.files.extend(scripts.files.iter().filter(|(path, _)| lib(path)).map(|(p, text)| (p.clone(), text.clone())));
    sources.unreadable.extend(
        scripts.unreadable.iter().filter(|(path, _)| lib(path)).map(|(path, problem)| (path.clone(), problem.clone())),
    );
    sources.files.extend(plugins.files.iter().map(|(path, text)| (format!("plugins/{path}"), text.clone())));
    sources
        .unreadable
        .extend(plugins.unreadable.iter().map(|(path, problem)| (format!("plugins/{path}"), problem.clone())));
    sources
}

fn folders(plugins: &Sources) -> Vec<String> {
    let mut folders: Vec<String> = plugins
        .files
        .keys()
        .chain(plugins.unreadable.keys())
        .filter_map(|path| path.split_once('/').map(|(folder, _)| folder.to_owned()))
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

/// The digest of all that decides whether a plugin is accepted.
fn fingerprint(sources: &Sources, name: &PluginName, given: &[Setting], test: &Test) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut take = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    let own = format!("plugins/{name}/");
    let concerns = |path: &str| path.starts_with(&own) || path.starts_with("lib/");
    for (path, text) in sources.files.iter().filter(|(path, _)| concerns(path)) {
        take(path);
        take(text);
    }
    for (path, problem) in sources.unreadable.iter().filter(|(path, _)| concerns(path)) {
        take(path);
        take(problem);
    }
    for setting in given {
        take(&format!("{} = {} at {}", setting.name, setting.written, setting.origin));
    }
    // Its trial may have wanted what the operator has granted since.
    let author = Author::Plugin(name.clone());
    let permissions = &test.permissions;
    take(&format!("{:?} {:?}", permissions.plugins.get(name.as_str()), permissions.hosts(&author)));
    take(&format!("{:?}", permissions.default));
    hash.finalize().into()
}
