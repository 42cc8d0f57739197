//! Plugins that run: who is asked before an action, in which order, and what becomes of those that do not answer.
//!
//! Nobody waits for a plugin past its deadline, and no fault of one reaches a bot.

pub mod catalog;
mod member;
mod order;
mod tally;
mod task;
mod tell;
pub mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, warn};

use crate::host::hooks::{Asked, Changed, Hooks, Outcome, Verdict};
use crate::lua::plugins::options::Told;
use crate::lua::plugins::{Answer, PluginCall, main_of};
use crate::model::diagnostic::Diagnostic;
use crate::model::failure::{Failure, FailureKind};
use crate::model::plugin::{Hook, Manifest, OnError, PluginName};
use crate::store;

use super::bot::Shared;
use catalog::{PluginCatalog, PluginEntry, Ready};
use member::{Member, Unanswered};
use view::{OptionView, PluginState, PluginView};

pub use member::Terms;

/// What the config says of plugins.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginSettings {
    /// How long bots wait, and what a plugin may do.
    pub terms: Terms,
    /// What each plugin is told.
    pub told: Told,
}

/// A handle on all plugins; cheap to clone.
#[derive(Debug, Clone)]
pub struct Plugins {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: ArcSwap<PluginSettings>,
    /// Those that run, in the order in which they are asked.
    line: ArcSwap<Vec<Arc<Member>>>,
    /// What is known of all, with those that do not run.
    known: Mutex<Known>,
    /// Held while plugins begin and end, so that none begins as it was before a pause.
    changing: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
    /// Known once the fleet is put together.
    shared: OnceLock<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct Known {
    entries: BTreeMap<PluginName, PluginEntry>,
    stray: Vec<Diagnostic>,
}

impl Plugins {
    /// Plugins of which none runs yet.
    pub fn new(settings: PluginSettings) -> Self {
        let inner = Inner {
            settings: ArcSwap::from_pointee(settings),
            line: ArcSwap::default(),
            known: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            shared: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Lets plugins run in a world, of which they are told from now on.
    pub fn begin(&self, shared: Arc<Shared>) {
        if self.inner.shared.set(shared.clone()).is_ok() {
            let plugins = self.clone();
            let span = tracing::info_span!("plugins");
            self.inner.tasks.spawn_on(tell::run(plugins, shared.clone()).instrument(span), &shared.world.handle);
        }
    }

    /// Waits until every plugin has ended; they were told to with everybody else.
    pub async fn end(&self) {
        self.inner.line.store(Arc::default());
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// What the config says.
    pub fn settings(&self) -> Arc<PluginSettings> {
        self.inner.settings.load_full()
    }

    /// Takes what the config says now; what that changes is found by the next look at the files.
    pub fn set_settings(&self, settings: PluginSettings) {
        self.inner.settings.store(Arc::new(settings));
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what a catalog says: those that are as they were run on.
    pub async fn take(&self, catalog: &PluginCatalog) {
        let Some(shared) = self.inner.shared.get() else { return };
        let _changing = self.inner.changing.lock().await;
        {
            let mut known = self.known();
            known.entries = catalog.entries.clone();
            known.stray = catalog.stray.clone();
        }
        let terms = self.settings().terms;
        let old = self.inner.line.load_full();
        let mut line = Vec::new();
        for name in &catalog.order {
            let Some(entry) = catalog.entries.get(name).filter(|entry| entry.is_enabled) else { continue };
            let Some(ready) = &entry.ready else { continue };
            let before = old.iter().find(|member| member.name() == name);
            let is_same = |member: &&Arc<Member>| {
                member.version.id == ready.version.id && member.options == ready.options && member.terms == terms
            };
            if let Some(member) = before.filter(is_same) {
                line.push(member.clone());
                continue;
            }
            let paused = match shared.world.store.plugin(name).await {
                Ok(row) => row.paused,
                Err(problem) => {
                    warn!(plugin = %name, error = &problem as &dyn std::error::Error, "could not read whether a plugin is paused");
                    None
                }
            };
            let (member, mailbox) = Member::new(ready, terms, paused, &shared.stopping);
            let previous = before.map(|before| before.ended.clone());
            let span = tracing::info_span!("plugin", name = %name, version = %ready.version.id);
            let task = task::run(shared.clone(), member.clone(), mailbox, previous);
            self.inner.tasks.spawn_on(task.instrument(span), &shared.scripts);
            line.push(member);
        }
        let line = Arc::new(line);
        self.inner.line.store(line.clone());
        // Only now, so that whoever was asking one of them finds the next.
        for member in old.iter().filter(|old| !line.iter().any(|new| Arc::ptr_eq(new, old))) {
            member.stop.cancel();
        }
    }

    fn members(&self, hook: Hook) -> Vec<Arc<Member>> {
        self.inner.line.load().iter().filter(|member| member.manifest().has(hook)).cloned().collect()
    }

    fn tell(&self, call: &PluginCall) {
        let Some(hook) = call.hook() else { return };
        for member in self.members(hook) {
            member.tell(call.clone());
        }
    }

    /// Asks one plugin, and the one that took its place when it is reloaded meanwhile; a fault that its task does not know
    /// of is told here.
    async fn ask(&self, member: &Arc<Member>, call: PluginCall) -> Result<Answer, String> {
        let mut member = member.clone();
        loop {
            let Unanswered { problem, unknown, is_reloaded } = match member.ask(call.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(unanswered) => unanswered,
            };
            let line = self.inner.line.load();
            let next = line.iter().find(|next| next.name() == member.name() && !Arc::ptr_eq(next, &member));
            match next.filter(|_| is_reloaded) {
                // Each was saved after the one before, so that this ends.
                Some(next) => member = next.clone(),
                None => {
                    if let (Some(call), Some(shared)) = (unknown, self.inner.shared.get()) {
                        let file = main_of(member.name().as_str());
                        task::fault(shared, &member, &call, &Diagnostic::error(file, None, problem.as_str())).await;
                    }
                    return Err(problem);
                }
            }
        }
    }

    async fn ask_all(&self, asked: Asked) -> Verdict {
        let mut asked = Arc::new(asked);
        let mut by = Vec::new();
        let line = self.inner.line.load_full();
        for member in line.iter().filter(|member| member.manifest().has(Hook::BeforeAction) && !member.is_paused()) {
            let answer = self.ask(member, PluginCall::Before(asked.clone())).await;
            if let Some(verdict) = heard(member.manifest(), answer, &mut asked, &mut by) {
                return verdict;
            }
        }
        if by.is_empty() { Verdict::Allow } else { Verdict::Change(asked.words.clone(), by) }
    }

    async fn call_export(&self, plugin: &str, export: &str, arguments: Vec<Value>) -> Result<Value, Failure> {
        let unavailable = |problem: String| {
            Failure::new(FailureKind::Unavailable, format!("the plugin `{plugin}` does not answer: {problem}"))
        };
        let line = self.inner.line.load_full();
        let Some(member) = line.iter().find(|member| member.name().as_str() == plugin) else {
            return Err(unavailable("it does not run".to_owned()));
        };
        if !member.manifest().exports.iter().any(|known| known == export) {
            return Err(unavailable(format!("it does not export `{export}` any more")));
        }
        match self.ask(member, PluginCall::Export(export.into(), arguments)).await {
            Ok(Answer::Value(value)) => Ok(value),
            Ok(Answer::Nothing | Answer::Change(..) | Answer::Deny(..)) => Ok(Value::Null),
            Err(problem) => Err(unavailable(problem)),
        }
    }

    /// Pauses a plugin, or lets it run again, out of quarantine too; false: there is no such plugin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pause(&self, name: &PluginName, reason: Option<String>) -> Result<bool, store::Error> {
        let Some(shared) = self.inner.shared.get().filter(|_| self.has(name)) else { return Ok(false) };
        let _changing = self.inner.changing.lock().await;
        shared.world.store.pause_plugin(name, reason.clone()).await?;
        if let Some(member) = self.inner.line.load().iter().find(|member| member.name() == name) {
            member.set_paused(reason);
            // Its timers are looked at again.
            member.tell(PluginCall::Timer(usize::MAX));
        }
        Ok(true)
    }

    /// Whether there is a folder of this name, whatever is in it.
    pub fn has(&self, name: &PluginName) -> bool {
        self.known().entries.contains_key(name)
    }

    /// Every plugin, in the order in which they are asked, then those that do not run.
    pub fn views(&self) -> Vec<PluginView> {
        let line = self.inner.line.load_full();
        let known = self.known();
        let place = |name: &PluginName| line.iter().position(|member| member.name() == name).unwrap_or(usize::MAX);
        let mut views: Vec<(usize, PluginView)> = known
            .entries
            .iter()
            .map(|(name, entry)| {
                let member = line.iter().find(|member| member.name() == name);
                (place(name), view(name, entry, member.map(Arc::as_ref)))
            })
            .collect();
        views.sort_by_key(|(place, _)| *place);
        views.into_iter().map(|(_, view)| view).collect()
    }

    /// What is wrong with no plugin in particular.
    pub fn stray(&self) -> Vec<Diagnostic> {
        self.known().stray.clone()
    }
}

/// What a plugin's answer makes of an action: an end to it, or other words for those who are asked next.
pub fn heard(
    manifest: &Manifest,
    answer: Result<Answer, String>,
    asked: &mut Arc<Asked>,
    by: &mut Vec<Changed>,
) -> Option<Verdict> {
    match answer {
        Ok(Answer::Nothing | Answer::Value(_)) => None,
        Ok(Answer::Deny(reason, retry_after)) => Some(Verdict::Deny(manifest.name.clone(), reason, retry_after)),
        Ok(Answer::Change(change, reason)) => {
            if Arc::make_mut(asked).words.change(change) {
                by.push(Changed { by: manifest.name.clone(), reason });
            }
            None
        }
        Err(problem) => match manifest.on_error {
            OnError::Allow => None,
            OnError::Deny => Some(Verdict::Unanswered(manifest.name.clone(), problem)),
        },
    }
}

fn view(name: &PluginName, entry: &PluginEntry, member: Option<&Member>) -> PluginView {
    let ready = entry.ready.as_ref();
    let state = match (member, entry.is_enabled) {
        (Some(member), _) => member.state(),
        (None, false) => PluginState::Off,
        (None, true) => PluginState::Refused,
    };
    let warnings = ready.map(|ready| ready.version.warnings.iter().chain(&ready.warnings).cloned().collect());
    PluginView {
        name: name.clone(),
        file: main_of(name.as_str()),
        manifest: ready.map(|ready| ready.version.manifest.clone()),
        version: ready.map(|ready| ready.version.id.clone()),
        files: ready.map(|ready| ready.version.files.keys().cloned().collect()).unwrap_or_default(),
        accepted_at: ready.map(|ready| ready.accepted_at),
        state,
        options: ready.map(options).unwrap_or_default(),
        timers: member.map(Member::timers).unwrap_or_default(),
        waiting: member.map(Member::waiting).unwrap_or_default(),
        fared: member.map(Member::fared).unwrap_or_default(),
        errors: entry.errors.clone(),
        warnings: warnings.unwrap_or_default(),
    }
}

fn options(ready: &Ready) -> Vec<OptionView> {
    let value = |name: &str| ready.options.get(name).cloned().unwrap_or(Value::Null);
    let options = ready.version.manifest.options.iter();
    options.map(|(name, spec)| OptionView { name: name.clone(), spec: spec.clone(), value: value(name) }).collect()
}

impl Hooks for Plugins {
    fn asks(&self) -> bool {
        self.inner.line.load().iter().any(|member| member.manifest().has(Hook::BeforeAction))
    }

    fn tells(&self) -> bool {
        self.inner.line.load().iter().any(|member| member.manifest().has(Hook::AfterAction))
    }

    fn before(&self, asked: Asked) -> BoxFuture<'_, Verdict> {
        Box::pin(self.ask_all(asked))
    }

    fn after(&self, asked: Asked, outcome: Outcome) {
        self.tell(&PluginCall::After(Arc::new(asked), Arc::new(outcome)));
    }

    fn call<'a>(
        &'a self,
        plugin: &'a str,
        export: &'a str,
        arguments: Vec<Value>,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(self.call_export(plugin, export, arguments))
    }
}
