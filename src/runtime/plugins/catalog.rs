//! The catalog of plugins: which there are, which version of each runs, and what the config tells them.
//!
//! A version gets in only after it compiled, fits the contract and its options, and lived through its trial.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::order::{self, Place};
use crate::host::trial::Trial;
use crate::lua::plugins::{PluginVersion, export_file, main_of, options, rehearse};
use crate::lua::version::{Sources, Workshop};
use crate::model::diagnostic::Diagnostic;
use crate::model::plugin::PluginName;
use crate::runtime::catalog::Test;
use crate::text;

/// What the config tells every plugin, by name.
pub type Told = BTreeMap<String, Map<String, Value>>;

/// A plugin's version with its options.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The version.
    pub version: Arc<PluginVersion>,
    /// What the config says, with the defaults.
    pub options: Arc<Value>,
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
    /// What is wrong with no plugin in particular: names, and sections of the config about nobody.
    pub stray: Vec<Diagnostic>,
}

/// What a look found.
#[derive(Debug, Clone, Default)]
pub struct PluginChanges {
    /// Plugins with a new version or other options.
    pub accepted: Vec<PluginName>,
    /// Plugins whose new files or options were refused.
    pub refused: Vec<PluginName>,
    /// Plugins whose folder is gone.
    pub removed: Vec<PluginName>,
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
        self.stray.clear();
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
        self.tell_of_nobody(told, &found);
        let gone: Vec<PluginName> = self.entries.keys().filter(|name| !found.contains(name)).cloned().collect();
        for name in gone {
            self.entries.remove(&name);
            changes.removed.push(name);
        }
        let mut candidates = BTreeMap::new();
        for name in found {
            let given = told.get(name.as_str());
            let tried = fingerprint(&sources, &name, given);
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
        changes
    }

    /// Lets in what is new, as far as everybody can be put in order with it.
    fn place(&mut self, mut candidates: BTreeMap<PluginName, Ready>, changes: &mut PluginChanges) {
        loop {
            let mut places: BTreeMap<PluginName, Place> = BTreeMap::new();
            for (name, entry) in &self.entries {
                if let Some(ready) = candidates.get(name).or(entry.ready.as_ref()) {
                    let manifest = &ready.version.manifest;
                    let place = Place { before: manifest.before.clone(), after: manifest.after.clone() };
                    places.insert(name.clone(), place);
                }
            }
            let circle = match order::order(&places) {
                Ok(order) => {
                    self.order = order;
                    break;
                }
                Err(circle) => circle,
            };
            let names: Vec<&str> = circle.iter().map(PluginName::as_str).collect();
            let first = names.first().copied().unwrap_or_default();
            let message = format!("the plugins are to be asked in a circle: {} → {first}", names.join(" → "));
            let new: Vec<PluginName> = circle.iter().filter(|name| candidates.contains_key(name)).cloned().collect();
            if new.is_empty() {
                // Those that run were in order before, so a circle has somebody new in it.
                break;
            }
            for name in new {
                candidates.remove(&name);
                if let Some(entry) = self.entries.get_mut(&name) {
                    let problem = Diagnostic::error(main_of(name.as_str()), None, message.clone());
                    entry.errors = vec![problem.with_hint("take a name out of `before` or `after` of one of them")];
                }
                changes.refused.push(name);
            }
        }
        for (name, ready) in candidates {
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            entry.errors.clear();
            let is_same = entry
                .ready
                .as_ref()
                .is_some_and(|old| old.version.id == ready.version.id && old.options == ready.options);
            if !is_same {
                entry.ready = Some(ready);
                changes.accepted.push(name);
            }
        }
    }

    fn tell_of_nobody(&mut self, told: &Told, found: &[PluginName]) {
        let known: Vec<&str> = found.iter().map(PluginName::as_str).collect();
        for name in told.keys().filter(|name| !known.contains(&name.as_str())) {
            let message = format!("`plugins.{name}`: there is no plugin `{name}`");
            let hint = match text::nearest(name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "there are no plugins".to_owned(),
                None => format!("there are: {}", known.join(", ")),
            };
            self.stray.push(Diagnostic::error("config.toml", None, message).with_hint(hint).as_warning());
        }
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
    given: Option<&Map<String, Value>>,
    test: &Test,
) -> Result<Ready, Vec<Diagnostic>> {
    let version = Arc::new(workshop.build_plugin(sources, name, &test.limits)?);
    let options = Arc::new(options::settle(&version.manifest, given)?);
    if test.has_trial {
        let trial = Arc::new(Trial::new(test.now, false).granting(test.permissions.clone()));
        rehearse(&version, test.limits, &options, trial, test.now).await.map_err(|problem| vec![problem])?;
    }
    Ok(Ready { version, options, accepted_at: test.now })
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
fn fingerprint(sources: &Sources, name: &PluginName, given: Option<&Map<String, Value>>) -> [u8; 32] {
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
    take(&given.map(|given| Value::Object(given.clone()).to_string()).unwrap_or_default());
    hash.finalize().into()
}
