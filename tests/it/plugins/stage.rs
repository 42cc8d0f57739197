//! A stage for plugins alone: a real world with a real store behind them, and nobody who acts.
//!
//! What bots would ask, the test asks itself, so that each answer can be held against what the plugin did.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use floimg_fleet::backoff::Backoff;
use floimg_fleet::host::Rules;
use floimg_fleet::host::hooks::{About, Asked, Hooks, Verdict};
use floimg_fleet::host::words::Words;
use floimg_fleet::lua::limits::Limits;
use floimg_fleet::lua::plugins::options::Told;
use floimg_fleet::lua::version::Sources;
use floimg_fleet::model::action::ActionKind;
use floimg_fleet::model::activity::Activity;
use floimg_fleet::model::grant::HostGrant;
use floimg_fleet::model::permission::Permissions;
use floimg_fleet::model::seconds::Seconds;
use floimg_fleet::runtime::bot::{Settings, Shared};
use floimg_fleet::runtime::canary;
use floimg_fleet::runtime::catalog::Test;
use floimg_fleet::runtime::fleet::Fleet;
use floimg_fleet::runtime::plugins::catalog::{PluginCatalog, PluginChanges};
use floimg_fleet::runtime::plugins::view::PluginView;
use floimg_fleet::runtime::plugins::{PluginSettings, Plugins, Terms};
use floimg_fleet::store::ActivityQuery;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::status::fake::Double;

/// As they are shipped, but for the CPU of one go, which is shorter so that tests are.
pub const LIMITS: Limits = Limits {
    memory_bytes: 12 << 20,
    tick_cpu: Duration::from_millis(250),
    poll_cpu: Duration::from_millis(60),
    state_bytes: 64 << 10,
    log_lines: 50,
    source_bytes: 256 << 10,
};

/// With all the CPU in the world, so that it is memory that ends a call.
pub const IDLE: Limits = Limits { tick_cpu: LONGEST, poll_cpu: LONGEST, ..LIMITS };

/// Patient, so that on a busy machine it is a limit that ends a call and not the wall.
pub const TERMS: Terms =
    Terms { deadline: Duration::from_secs(10), background: Duration::from_secs(10), queue: 64, quarantine_after: 3 };

/// Longest that anything is waited for.
const LONGEST: Duration = Duration::from_secs(60);

/// Plugins with their files and what is said to them.
pub struct Stage {
    pub fleet: Fleet,
    pub plugins: Plugins,
    pub told: Told,
    pub catalog: PluginCatalog,
    has_trial: bool,
    limits: Limits,
    sources: Sources,
    _double: Option<Double>,
}

impl Stage {
    /// One of its own; without a trial whatever does not raise while it loads gets in.
    pub async fn new(has_trial: bool) -> Self {
        Self::with(has_trial, LIMITS).await
    }

    /// One of its own with other limits.
    pub async fn with(has_trial: bool, limits: Limits) -> Self {
        let double = Double::new().await;
        let mut stage = Self::within(&double, has_trial, limits);
        stage._double = Some(double);
        stage
    }

    /// One in the world behind a status API.
    pub fn on(double: &Double, has_trial: bool) -> Self {
        Self::within(double, has_trial, LIMITS)
    }

    fn within(double: &Double, has_trial: bool, limits: Limits) -> Self {
        let (fleet, plugins) = (double.fleet.clone(), double.plugins.clone());
        plugins.set_settings(PluginSettings { terms: TERMS, told: Told::default() });
        let settings = Settings {
            limits,
            max_acting: 1,
            warm_vms: 1,
            warm: Duration::ZERO,
            retry: Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(1) },
            quarantine_after: 5,
            overdue_spread: Duration::ZERO,
            has_trial,
            canary: canary::Rules { share: 0.0, ticks: 20 },
            canary_time: Seconds::new(60.0).expect("a minute"),
            keep_versions: 2,
        };
        let shared = Shared {
            world: fleet.world().clone(),
            settings: ArcSwap::from_pointee(settings),
            stopping: CancellationToken::new(),
            scripts: tokio::runtime::Handle::current(),
        };
        let rules = Rules { permissions: permissions(), ..(**fleet.world().rules.load()).clone() };
        fleet.world().rules.store(Arc::new(rules));
        plugins.begin(Arc::new(shared));
        let catalog = PluginCatalog::new().expect("a prelude");
        Self {
            fleet,
            plugins,
            told: Told::default(),
            catalog,
            has_trial,
            limits,
            sources: Sources::default(),
            _double: None,
        }
    }

    /// Says how long plugins may take, to those that are taken from now on.
    pub fn set_terms(&self, terms: Terms) {
        self.plugins.set_settings(PluginSettings { terms, told: Told::default() });
    }

    /// Saves a plugin's only file.
    pub fn save(&mut self, name: &str, text: &str) {
        self.sources.files.insert(format!("{name}/init.luau"), Arc::from(text));
    }

    /// Looks at the files and runs what is right.
    pub async fn take(&mut self) -> PluginChanges {
        let now = self.fleet.world().clock.now();
        let test = Test { limits: self.limits, has_trial: self.has_trial, permissions: permissions(), now };
        let changes = self.catalog.refresh(&self.sources, &Sources::default(), &self.told, &test).await;
        self.plugins.take(&self.catalog).await;
        changes
    }

    /// Asks everybody about a comment.
    pub async fn ask(&self, text: &str) -> Verdict {
        self.plugins.before(comment(text)).await
    }

    pub fn view(&self, name: &str) -> PluginView {
        let found = self.fleet.plugins().into_iter().find(|view| view.name.as_str() == name);
        found.expect("a plugin")
    }

    /// Waits until a plugin looks so.
    pub async fn until(&self, name: &str, what: &str, fits: impl Fn(&PluginView) -> bool) -> PluginView {
        let end = Instant::now() + LONGEST;
        loop {
            let view = self.view(name);
            if fits(&view) {
                return view;
            }
            assert!(Instant::now() < end, "never came: {what}: {view:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Activities of one kind, once there is one.
    pub async fn told_of(&self, kind: &str) -> Vec<Activity> {
        let end = Instant::now() + LONGEST;
        loop {
            let query = ActivityQuery { kind: Some(kind.to_owned()), limit: 1000, ..ActivityQuery::default() };
            let found = self.fleet.activities(&query).await.expect("a store");
            if !found.is_empty() {
                return found;
            }
            assert!(Instant::now() < end, "nothing was told of {kind}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What everybody gets, and one host for the hostile one.
fn permissions() -> Arc<Permissions> {
    let host = HostGrant::parse("hooks.example.com").expect("a host");
    let plugin_hosts = [("hostile".to_owned(), vec![host])].into();
    Arc::new(Permissions { plugin_hosts, ..Permissions::usual() })
}

/// A comment that somebody is asked about.
pub fn comment(text: &str) -> Asked {
    Asked {
        kind: ActionKind::Comment,
        bot: "ai_artist-1".parse().expect("an id"),
        name: "Quiet Prism".into(),
        username: "art_quiet_1".into(),
        about: About::default(),
        words: Words::Comment(text.to_owned()),
    }
}
