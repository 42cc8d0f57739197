//! The app: config in, a living fleet out; the only place that knows everything.
//!
//! `build` makes and binds everything, `serve` runs it until told to stop, and stopping is one path with one deadline.

pub mod agents;
pub mod check;
pub mod models;
pub mod test;
pub mod trying;

mod terms;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};
use url::Url;

use crate::clock::Clock;
use crate::config::{Config, ConfigFile, Sources, StudioAddress};
use crate::floimg::Floimg;
use crate::host::World;
use crate::host::budget::Budget;
use crate::host::crash::CrashPoint;
use crate::host::journal::Journal;
use crate::host::service::Nudges;
use crate::http;
use crate::model::activity::{Ending, NewActivity};
use crate::runtime::bot::Shared;
use crate::runtime::catalog::Origin;
use crate::runtime::fleet::Fleet;
use crate::runtime::plugins::Plugins;
use crate::runtime::supervisor::{CLOCK, NewConfig, Parts, Supervisor};
use crate::runtime::watch::{self, Changed, Watched};
use crate::secret::Secret;
use crate::store::Store;
use crate::studio::{self, Studio};
use crate::web::{self, Web};

use terms::{budget_terms, floimg_options, limits, llm, origin, plugin_origin, plugin_settings, rules, settings};

/// The token of an embedded studio that only this machine can reach.
const EMBEDDED_TOKEN: &str = "fst_embedded";
/// After so long no studio works on a request that was cut off.
const CERTAIN_AFTER: Duration = Duration::from_secs(120);
/// Commands waiting for the supervisor; when full, callers wait.
const COMMANDS: usize = 256;

/// Changes the level of the log while running; given by whoever set it up.
pub type SetLogFilter = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// What is decided outside the config.
#[derive(Default)]
pub struct Options {
    /// For crash tests: where and at which time to abort.
    pub abort_at: Option<(String, u32)>,
    /// How to change the log's level live.
    pub set_log_filter: Option<SetLogFilter>,
}

/// A fleet that is ready to run: everything is open and bound.
pub struct App {
    sources: Sources,
    config: Config,
    options: Options,
    world: Arc<World>,
    shared: Arc<Shared>,
    supervisor: Supervisor,
    fleet: Fleet,
    studio: Option<(Studio, TcpListener)>,
    studio_stop: CancellationToken,
    status: TcpListener,
    admin_token: Secret,
    scripts: ScriptThreads,
    changed: Changed,
    configs: mpsc::Sender<NewConfig>,
    origin: Origin,
}

/// Where a running fleet can be reached.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The gallery, for people.
    pub gallery: String,
    /// The status page.
    pub status: String,
}

/// The threads that run scripts. Apart from those that do I/O, so that no script can hold up the rest.
struct ScriptThreads(Option<tokio::runtime::Runtime>);

impl Drop for ScriptThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A runtime must not wait for its threads inside another.
            runtime.shutdown_background();
        }
    }
}

impl App {
    /// Opens the store, binds both ports, loads every script and bot. Nothing acts yet.
    ///
    /// # Errors
    /// Whatever keeps the fleet from running, with what to do about it.
    pub async fn build(config: Config, sources: Sources, options: Options) -> anyhow::Result<Self> {
        config.ready_to_run()?;
        make_folder(&config.data_dir)?;
        let admin_token = config.admin_token_or_new()?;
        let status = bind(config.http.listen, "http.listen").await?;
        let database = config.data_dir.join("fleet.db");
        let store = Store::open(&database)
            .await
            .map_err(|problem| hinted(problem, "check that data_dir is a folder of this fleet and can be written"))?;
        let clock = open_clock(&config, &store).await?;
        let (studio, api_url, token) = match &config.floimg.studio {
            StudioAddress::Embedded => {
                let listener = bind(config.studio.listen, "studio.listen").await?;
                let url = address_of(&listener)?;
                let token = embedded_token(&config)?;
                let studio = open_studio(&config, clock.clone(), token.clone(), url.as_str())?;
                (Some((studio, listener)), url, token)
            }
            StudioAddress::Remote(url) => {
                let token = config.floimg.token.clone().context("the service token is missing")?;
                (None, url.clone(), token)
            }
        };
        let llm = llm(&config, &api_url).map_err(|problem| hinted(problem, "look at [llm.providers] of the config"))?;
        let floimg = Floimg::new(floimg_options(&config, api_url, token, clock.clone()))?;
        let web = Web::new(config.web.max_concurrent, config.floimg.connect_timeout, web::system_lookup())?;
        let (step, nth) = options.abort_at.clone().map_or((None, 1), |(step, nth)| (Some(step), nth));
        let plugins = Plugins::new(plugin_settings(&config));
        let journal = Journal::new(store.clone());
        let budget = Budget::new(store.clone(), journal.clone(), Clock::wall(), clock.clone(), budget_terms(&config));
        budget.start().await?;
        let world = Arc::new(World {
            journal,
            store,
            floimg,
            llm: ArcSwap::from_pointee(llm),
            budget,
            web,
            clock,
            rules: ArcSwap::from_pointee(rules(&config)),
            known: ArcSwap::default(),
            hooks: Arc::new(plugins.clone()),
            cast: ArcSwap::default(),
            nudges: Nudges::default(),
            actions: TaskTracker::new(),
            handle: tokio::runtime::Handle::current(),
            crash: CrashPoint::new(step, nth),
            seed: config.seed.clone(),
            certain_after: if studio.is_some() { Duration::ZERO } else { CERTAIN_AFTER },
        });
        let scripts = script_threads(config.runtime.script_threads())?;
        let handle = scripts.0.as_ref().context("the script threads are gone")?.handle().clone();
        let shared = Arc::new(Shared {
            world: world.clone(),
            settings: ArcSwap::from_pointee(settings(&config)),
            stopping: CancellationToken::new(),
            scripts: handle,
        });
        let origin = origin(&config);
        if origin == Origin::Shipped {
            warn!(
                folder = %config.scripts_dir.display(),
                "there is no scripts folder: running the scripts inside the program, which cannot be edited"
            );
        }
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (configs, new_configs) = mpsc::channel(4);
        let changed = Changed { scripts: Arc::new(Notify::new()), config: Arc::new(Notify::new()) };
        let fleet = Fleet::new(commands, world.clone(), plugins.clone());
        let supervisor = Supervisor::new(Parts {
            shared: shared.clone(),
            roster: config.roster.clone(),
            origin: origin.clone(),
            plugin_origin: plugin_origin(&config),
            plugins,
            commands: inbox,
            changed: changed.scripts.clone(),
            configs: new_configs,
        })
        .await?;
        Ok(Self {
            sources,
            config,
            options,
            world,
            shared,
            supervisor,
            fleet,
            studio,
            studio_stop: CancellationToken::new(),
            status,
            admin_token,
            scripts,
            changed,
            configs,
            origin,
        })
    }

    /// The handle on the fleet.
    pub fn fleet(&self) -> Fleet {
        self.fleet.clone()
    }

    /// Where it can be reached.
    ///
    /// # Errors
    /// When the system does not say where the ports are.
    pub fn addresses(&self) -> anyhow::Result<Addresses> {
        let gallery = match (&self.studio, &self.config.floimg.studio) {
            (Some((_, listener)), _) => address_of(listener)?.to_string(),
            (None, StudioAddress::Remote(url)) => url.to_string(),
            (None, StudioAddress::Embedded) => String::new(),
        };
        Ok(Addresses { gallery, status: address_of(&self.status)?.to_string() })
    }

    /// Runs until told to stop, then finishes ticks and actions within the grace period and closes everything.
    ///
    /// # Errors
    /// When the addresses are not known.
    pub async fn serve(self, stop: CancellationToken) -> anyhow::Result<()> {
        let addresses = self.addresses()?;
        let listen = self.status.local_addr().context("the status port has no address")?;
        let mut helpers = JoinSet::new();
        if let Some((studio, listener)) = self.studio {
            let stop = self.studio_stop.clone();
            helpers.spawn(async move {
                if let Err(problem) = studio.serve(listener, stop).await {
                    error!(error = &problem as &dyn std::error::Error, "the embedded studio ended");
                }
            });
        }
        let http_stop = CancellationToken::new();
        let http_options = http::Options {
            admin_token: self.admin_token,
            listen,
            gallery_url: addresses.gallery,
            stop: http_stop.clone(),
        };
        let status = http::serve(self.fleet, http_options, self.status);
        helpers.spawn(async move {
            if let Err(problem) = status.await {
                error!(error = &problem as &dyn std::error::Error, "the status API ended");
            }
        });
        let watch_stop = CancellationToken::new();
        let (in_force, config) = tokio::sync::watch::channel(self.config);
        let watched = Watched {
            folders: vec![scripts_folder(&self.origin), scripts_folder(&plugin_origin(&config.borrow()))],
            config: config_file(&self.sources),
        };
        helpers.spawn(watch::run(watched, config.clone(), self.changed.clone(), watch_stop.clone()));
        helpers.spawn(apply_configs(
            in_force,
            self.sources,
            self.changed.config.clone(),
            self.configs,
            self.options.set_log_filter,
            self.world.clone(),
            watch_stop.clone(),
        ));
        let stopping = self.shared.stopping.clone();
        let mut bots = JoinSet::new();
        bots.spawn(self.supervisor.run());
        tokio::select! {
            () = stop.cancelled() => {}
            ended = bots.join_next() => {
                error!(?ended, "the supervisor ended by itself; stopping");
            }
        }
        let grace = config.borrow().runtime.grace;
        info!(grace_secs = grace.as_secs(), "stopping");
        watch_stop.cancel();
        stopping.cancel();
        let drained = tokio::time::timeout(grace, async {
            while bots.join_next().await.is_some() {}
            self.world.actions.close();
            self.world.actions.wait().await;
        });
        if drained.await.is_err() {
            warn!(
                actions = self.world.actions.len(),
                "the grace period is over; what is under way is settled at the next start"
            );
        }
        http_stop.cancel();
        self.studio_stop.cancel();
        let closed = tokio::time::timeout(Duration::from_secs(5), async {
            while helpers.join_next().await.is_some() {}
            self.world.store.close().await;
        });
        if closed.await.is_err() {
            warn!("something did not close in time");
        }
        drop(self.scripts);
        info!("stopped");
        Ok(())
    }
}

/// Runs the embedded studio alone until told to stop; answers where before it serves.
///
/// # Errors
/// When its folder or port cannot be had.
pub async fn serve_studio(config: &Config, stop: CancellationToken, ready: impl FnOnce(&str)) -> anyhow::Result<()> {
    make_folder(&config.data_dir)?;
    let listener = bind(config.studio.listen, "studio.listen").await?;
    let url = address_of(&listener)?;
    let studio = open_studio(config, Clock::wall(), embedded_token(config)?, url.as_str())?;
    ready(url.as_str());
    studio.serve(listener, stop).await.context("the studio ended")
}

/// Applies what can change live each time the config file may have changed.
async fn apply_configs(
    in_force: tokio::sync::watch::Sender<Config>,
    sources: Sources,
    changed: Arc<Notify>,
    configs: mpsc::Sender<NewConfig>,
    set_log_filter: Option<SetLogFilter>,
    world: Arc<World>,
    stop: CancellationToken,
) {
    let mut hang_ups = signal(SignalKind::hangup()).ok();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed.notified() => {}
            () = hang_up(hang_ups.as_mut()) => info!("told to read the config again"),
        }
        let read = sources.clone();
        let loaded = tokio::task::spawn_blocking(move || Config::load(&read)).await;
        let new = match loaded {
            Ok(Ok(new)) => new,
            Ok(Err(problem)) => {
                error!("the config is wrong and was not applied; what was in force stays\n{problem}");
                let problems: Vec<String> =
                    problem.problems.iter().map(|one| format!("{}: {}", one.place, one.message)).collect();
                world
                    .journal
                    .record(NewActivity {
                        at: world.clock.now(),
                        bot: None,
                        persona: None,
                        kind: "config_refused".to_owned(),
                        ending: Ending::Refused,
                        target: String::new(),
                        text: format!("not applied, what was in force stays: {}", problems.join("; ")),
                        detail: json!({ "problems": problems }),
                    })
                    .await;
                continue;
            }
            Err(problem) => {
                error!(%problem, "reading the config ended in a panic of the host");
                continue;
            }
        };
        let config = in_force.borrow().clone();
        // The key in a file may be another one while the config says the same.
        if config.llm != new.llm {
            match world.llm.load().with(&new.llm) {
                Ok(llm) => world.llm.store(Arc::new(llm)),
                Err(problem) => {
                    warn!(error = &problem as &dyn std::error::Error, "the models stay as they were");
                }
            }
        }
        let changes = config.changes(&new);
        if changes.is_empty() {
            in_force.send_replace(new);
            continue;
        }
        let mut told = Vec::new();
        for change in &changes {
            let line = format!(
                "{} = {} (was {}){}",
                change.key,
                change.new.as_deref().unwrap_or("not set"),
                change.old.as_deref().unwrap_or("not set"),
                if change.needs_restart { ", needs a restart" } else { "" }
            );
            if change.needs_restart {
                warn!("{line}");
            } else {
                info!("{line}");
            }
            told.push(line);
        }
        if config.log.filter != new.log.filter
            && let Some(set) = &set_log_filter
            && let Err(problem) = set(&new.log.filter)
        {
            warn!(problem, "could not change the log's filter");
        }
        let applied = NewConfig {
            rules: rules(&new),
            settings: settings(&new),
            roster: new.roster.clone(),
            plugins: plugin_settings(&new),
            budget: budget_terms(&new),
            changes: told,
        };
        in_force.send_replace(new);
        if configs.send(applied).await.is_err() {
            return;
        }
    }
}

/// Waits for SIGHUP.
async fn hang_up(signals: Option<&mut Signal>) {
    let told = match signals {
        Some(signals) => signals.recv().await,
        None => None,
    };
    if told.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Bots' time goes on where it stopped, so that nothing that happened lies in the future.
async fn open_clock(config: &Config, store: &Store) -> anyhow::Result<Clock> {
    let kept = store.setting(CLOCK).await?.and_then(|text| text.parse::<Timestamp>().ok());
    let now = Timestamp::now();
    let speed = config.clock.speed;
    match kept.filter(|kept| *kept > now) {
        Some(kept) => {
            anyhow::ensure!(
                matches!(config.floimg.studio, StudioAddress::Embedded),
                "the data folder `{}` was used with a faster clock and is at {kept}\nhint: use another data_dir for the real studio",
                config.data_dir.display()
            );
            Ok(Clock::scaled(kept, speed))
        }
        #[expect(clippy::float_cmp, reason = "the config says exactly 1")]
        None if speed == 1.0 => Ok(Clock::wall()),
        None => Ok(Clock::scaled(now, speed)),
    }
}

fn open_studio(config: &Config, clock: Clock, token: Secret, url: &str) -> anyhow::Result<Studio> {
    let options = studio::Options {
        data_dir: config.data_dir.join("studio"),
        service_token: token,
        clock,
        image_cache_bytes: config.studio.image_cache_bytes as u64,
        public_url: url.to_owned(),
    };
    Ok(Studio::open(options)?)
}

fn embedded_token(config: &Config) -> anyhow::Result<Secret> {
    if let Some(token) = &config.floimg.token {
        return Ok(token.clone());
    }
    anyhow::ensure!(
        config.studio.listen.ip().is_loopback(),
        "studio.listen is {}, which others can reach, and there is no service token\nhint: set the environment variable {} to a token that begins with fst_",
        config.studio.listen,
        config.floimg.token_env
    );
    Ok(Secret::new(EMBEDDED_TOKEN))
}

fn scripts_folder(origin: &Origin) -> PathBuf {
    match origin {
        Origin::Folder(folder) => folder.clone(),
        Origin::Shipped => PathBuf::from("scripts"),
        Origin::ShippedPlugins => PathBuf::from("plugins"),
    }
}

fn config_file(sources: &Sources) -> Option<PathBuf> {
    match &sources.file {
        ConfigFile::Nowhere => None,
        ConfigFile::Optional(path) | ConfigFile::Required(path) => Some(path.clone()),
    }
}

fn script_threads(count: usize) -> anyhow::Result<ScriptThreads> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(count)
        .thread_name("script")
        .enable_all()
        .build()
        .context("could not start the script threads")?;
    Ok(ScriptThreads(Some(runtime)))
}

fn make_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|problem| hinted(problem, "choose another folder with --data DIR or data_dir in config.toml"))
        .with_context(|| format!("could not make the data folder `{}`", folder.display()))
}

async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|problem| {
            let hint = match problem.kind() {
                std::io::ErrorKind::AddrInUse => format!(
                    "another program, or another fleet, uses this port: stop it, or choose another with --set {key}=127.0.0.1:PORT"
                ),
                _ => format!("choose an address of this machine with --set {key}=127.0.0.1:PORT"),
            };
            hinted(problem, &hint)
        })
        .with_context(|| format!("could not listen on {address} ({key})"))
}

fn address_of(listener: &TcpListener) -> anyhow::Result<Url> {
    let address = listener.local_addr().context("the port has no address")?;
    Ok(Url::parse(&format!("http://{address}"))?)
}

/// An error with advice; the command line shows the line that begins with `hint:` apart.
fn hinted(problem: impl std::error::Error + Send + Sync + 'static, hint: &str) -> anyhow::Error {
    anyhow::Error::new(problem).context(format!("hint: {hint}"))
}
