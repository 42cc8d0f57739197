//! Plugins in a try: they are asked before every action, as the fleet would ask them.
//!
//! Nothing else of theirs runs: no timer, and nothing that only hears of what happened.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::config::Config;
use crate::host::hooks::{Asked, Hooks, Verdict};
use crate::host::trial::Trial;
use crate::host::{Host, World};
use crate::lua::limits::Limits;
use crate::lua::plugins::{Answer, LivingPlugin, PluginCall};
use crate::lua::version::Sources;
use crate::model::action::ActionKind;
use crate::model::diagnostic::Diagnostic;
use crate::model::failure::{Failure, FailureKind};
use crate::model::plugin::{Hook, OnError, PluginName};
use crate::runtime::catalog::{self, Test};
use crate::runtime::plugins::catalog::{PluginCatalog, Ready};
use crate::runtime::plugins::{Terms, heard};

/// What a plugin had to say of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// The plugin.
    pub plugin: PluginName,
    /// The action.
    pub kind: ActionKind,
    /// What it said.
    pub what: Said,
}

/// What was said of an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// It must not happen.
    Denied(String),
    /// It may happen with these words, for this reason if it gave one.
    Changed(String, Option<String>),
    /// Nothing, because the plugin was wrong or too slow; this decides.
    Failed(Box<Diagnostic>, OnError),
}

/// The plugins that the config has, ready to be asked.
pub(in crate::app) struct Line {
    /// In the order in which they are asked.
    ready: Vec<Ready>,
    /// What is wrong with those that are not.
    pub(super) problems: Vec<Diagnostic>,
    limits: Limits,
    terms: Terms,
}

impl Line {
    /// Reads the plugins as the fleet would at its start, and gives the scripts what they export.
    pub(super) async fn read(config: &Config, scripts: &mut Sources) -> anyhow::Result<Self> {
        let (origin, limits) = (app::plugin_origin(config), app::limits(config));
        let bytes = limits.source_bytes;
        let plugins = tokio::task::spawn_blocking(move || catalog::read(&origin, bytes)).await??;
        let settings = app::plugin_settings(config);
        let mut catalog = PluginCatalog::new().map_err(|problem| anyhow::anyhow!("{problem}"))?;
        let permissions = Arc::new(config.granted());
        let test = Test { limits, has_trial: config.reload.trial, permissions, now: jiff::Timestamp::now() };
        catalog.refresh(&plugins, scripts, &settings.told, &test).await;
        catalog.add_exports(scripts);
        let entries = catalog.order.iter().filter_map(|name| catalog.entries.get(name));
        let ready = entries.filter(|entry| entry.is_enabled).filter_map(|entry| entry.ready.clone()).collect();
        let mut problems = catalog.stray.clone();
        problems.extend(catalog.entries.values().flat_map(|entry| entry.errors.iter().cloned()));
        Ok(Self { ready, problems, limits, terms: settings.terms })
    }

    /// Those that are asked, in their order.
    pub(super) fn names(&self) -> Vec<String> {
        let asked = self.ready.iter().filter(|ready| ready.version.manifest.has(Hook::BeforeAction));
        asked.map(|ready| ready.version.manifest.name.to_string()).collect()
    }

    /// Where they are asked, and what is asked there until somebody serves it.
    pub(super) fn desk(&self) -> (Arc<Desk>, Requests) {
        let (requests, asked) = mpsc::channel(1);
        let asks = !self.names().is_empty();
        (Arc::new(Desk { requests, remarks: Mutex::default(), asks }), Requests(asked))
    }

    /// Lets them answer, where scripts may run, until the set is dropped; whoever asks must have gone by then.
    pub(super) fn serve(&self, requests: Requests, side: &Side, on: &Handle) -> JoinSet<()> {
        let tried = self.ready.iter().map(|ready| Tried {
            ready: ready.clone(),
            side: side.clone(),
            living: None,
            state: None,
            calls: 0,
            limits: self.limits,
            terms: self.terms,
        });
        let mut serving = JoinSet::new();
        serving.spawn_on(serve(tried.collect(), requests), on);
        serving
    }
}

/// Where plugins look.
#[derive(Debug, Clone)]
pub(super) enum Side {
    /// In memory.
    Trial(Arc<Trial>),
    /// At the studio.
    World(Arc<World>),
}

/// Where bots on trial ask.
#[derive(Debug)]
pub(super) struct Desk {
    requests: mpsc::Sender<Request>,
    remarks: Mutex<Vec<Remark>>,
    asks: bool,
}

/// What is asked at a desk.
#[derive(Debug)]
pub(super) struct Requests(mpsc::Receiver<Request>);

#[derive(Debug)]
enum Request {
    Before(Arc<Asked>, oneshot::Sender<(Verdict, Vec<Remark>)>),
    Export(String, String, Vec<Value>, oneshot::Sender<Result<Value, Failure>>),
}

impl Desk {
    /// Takes what was said since the last time.
    pub(super) fn take(&self) -> Vec<Remark> {
        std::mem::take(&mut *self.remarks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hooks for Desk {
    fn asks(&self) -> bool {
        self.asks
    }

    fn before(&self, asked: Asked) -> BoxFuture<'_, Verdict> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            // The desk ends after everybody who asks.
            if self.requests.send(Request::Before(Arc::new(asked), reply)).await.is_err() {
                return Verdict::Allow;
            }
            let Ok((verdict, remarks)) = answer.await else { return Verdict::Allow };
            self.remarks.lock().unwrap_or_else(PoisonError::into_inner).extend(remarks);
            verdict
        })
    }

    fn call<'a>(
        &'a self,
        plugin: &'a str,
        export: &'a str,
        arguments: Vec<Value>,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Export(plugin.to_owned(), export.to_owned(), arguments, reply);
        Box::pin(async move {
            let gone = || Failure::new(FailureKind::Unavailable, format!("the plugin `{plugin}` does not answer"));
            self.requests.send(request).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        })
    }
}

/// One plugin in a try.
struct Tried {
    ready: Ready,
    side: Side,
    living: Option<LivingPlugin>,
    state: Option<String>,
    calls: u64,
    limits: Limits,
    terms: Terms,
}

/// Answers one request after the other, until nobody asks any more.
async fn serve(mut tried: Vec<Tried>, Requests(mut asked): Requests) {
    for one in tried.iter_mut().filter(|one| one.ready.version.manifest.has(Hook::OnStart)) {
        // What is wrong with it shows when it is asked.
        let _ = one.call(&PluginCall::Start).await;
    }
    while let Some(request) = asked.recv().await {
        // Whoever asked may have gone.
        match request {
            Request::Before(asked, reply) => {
                let _ = reply.send(before(&mut tried, asked).await);
            }
            Request::Export(plugin, export, arguments, reply) => {
                let _ = reply.send(call_export(&mut tried, &plugin, &export, arguments).await);
            }
        }
    }
}

async fn before(tried: &mut [Tried], mut asked: Arc<Asked>) -> (Verdict, Vec<Remark>) {
    let (mut by, mut remarks) = (Vec::new(), Vec::new());
    for one in tried {
        let manifest = one.ready.version.manifest.clone();
        if !manifest.has(Hook::BeforeAction) {
            continue;
        }
        let answer = one.call(&PluginCall::Before(asked.clone())).await;
        let mut remark = |what| remarks.push(Remark { plugin: manifest.name.clone(), kind: asked.kind, what });
        match &answer {
            Ok(Answer::Nothing | Answer::Value(_) | Answer::Change(..)) => {}
            Ok(Answer::Deny(reason, _)) => remark(Said::Denied(reason.clone())),
            Err(problem) => remark(Said::Failed(problem.clone(), manifest.on_error)),
        }
        let changes = by.len();
        let verdict = heard(&manifest, answer.map_err(|problem| problem.to_string()), &mut asked, &mut by);
        if let Some(changed) = by.get(changes) {
            let words = asked.words.all().unwrap_or_default();
            let what = Said::Changed(words, changed.reason.clone());
            remarks.push(Remark { plugin: manifest.name.clone(), kind: asked.kind, what });
        }
        if let Some(verdict) = verdict {
            return (verdict, remarks);
        }
    }
    let verdict = if by.is_empty() { Verdict::Allow } else { Verdict::Change(asked.words.clone(), by) };
    (verdict, remarks)
}

async fn call_export(tried: &mut [Tried], plugin: &str, export: &str, arguments: Vec<Value>) -> Result<Value, Failure> {
    let unavailable = |problem: String| {
        Failure::new(FailureKind::Unavailable, format!("the plugin `{plugin}` does not answer: {problem}"))
    };
    let one = tried.iter_mut().find(|one| one.ready.version.manifest.name.as_str() == plugin);
    let one = one.ok_or_else(|| unavailable("it does not run".to_owned()))?;
    match one.call(&PluginCall::Export(export.into(), arguments)).await {
        Ok(Answer::Value(value)) => Ok(value),
        Ok(Answer::Nothing | Answer::Change(..) | Answer::Deny(..)) => Ok(Value::Null),
        Err(problem) => Err(unavailable(problem.to_string())),
    }
}

impl Tried {
    /// Calls it as its task in the fleet would; what it keeps lives as long as the try.
    async fn call(&mut self, call: &PluginCall) -> Result<Answer, Box<Diagnostic>> {
        self.calls += 1;
        let version = &self.ready.version;
        let mut living = match self.living.take() {
            Some(living) => living,
            None => LivingPlugin::new(version.clone(), self.limits, &self.ready.options, self.state.as_deref())?,
        };
        let token = CancellationToken::new();
        let host = match &self.side {
            Side::Trial(trial) => Host::plugin_trial(trial.clone(), &version.role, self.calls),
            Side::World(world) => Host::plugin(world.clone(), &version.role, self.calls, token.clone()),
        };
        let within = match call {
            PluginCall::Start => self.terms.background,
            _ => self.terms.deadline,
        };
        let answered = living.call_within(host, call, within, &token).await?;
        if answered.state.is_some() {
            self.state = answered.state;
        }
        self.living = Some(living);
        Ok(answered.answer)
    }
}
