//! A workbench for scripts: builds a version of texts and lets one bot live single ticks of it in the trial's gallery.
//!
//! Nothing here reaches the network, the disk or the clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use floimg_fleet::host::Host;
use floimg_fleet::host::identity::{Profile, identity};
use floimg_fleet::host::rhythm::Visit;
use floimg_fleet::host::trial::Trial;
use floimg_fleet::lua::limits::Limits;
use floimg_fleet::lua::version::{Sources, Version, Workshop};
use floimg_fleet::lua::{Lived, LivingBot, Tick};
use floimg_fleet::model::diagnostic::Diagnostic;
use floimg_fleet::model::name::{BotId, VersionId};
use floimg_fleet::store::StoredEvent;
use jiff::Timestamp;

/// The limits of the shipped config.
pub const LIMITS: Limits = Limits {
    memory_bytes: 12 << 20,
    tick_cpu: Duration::from_millis(250),
    poll_cpu: Duration::from_millis(60),
    state_bytes: 64 << 10,
    log_lines: 50,
    source_bytes: 256 << 10,
};

/// The same with so much CPU that only another limit can be met first, however slow the machine.
pub const PATIENT: Limits = Limits { tick_cpu: Duration::from_secs(120), poll_cpu: Duration::from_secs(120), ..LIMITS };

/// What a persona needs besides its functions, on one line.
pub const HEAD: &str = r#"local P = { name = "Test", identity = { names = { "{first}" }, username = "t_{n}" }, schedule = { timezone = "Europe/Berlin" } }"#;

/// A persona whose `on_tick` is this body, which begins on line 3.
pub fn ticking(body: &str) -> String {
    format!("{HEAD}\nP.on_tick = function(bot)\n{body}\nend\nreturn P\n")
}

/// A version of the persona `test`, made of these files under `scripts`.
pub fn build(files: &[(&str, &str)], limits: &Limits) -> Result<Arc<Version>, Vec<Diagnostic>> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect();
    build_from(&Sources { files, unreadable: BTreeMap::new() }, limits)
}

/// A version of the persona `test` in these sources.
pub fn build_from(sources: &Sources, limits: &Limits) -> Result<Arc<Version>, Vec<Diagnostic>> {
    let mut workshop = Workshop::new().expect("the prelude compiles");
    workshop.compile(sources, limits);
    workshop.build(sources, "test", limits).map(Arc::new)
}

/// A version whose `on_tick` is this body.
pub fn version(body: &str) -> Arc<Version> {
    build(&[("personas/test.luau", &ticking(body))], &LIMITS).expect("a version")
}

/// One bot in a gallery of its own.
pub struct Life {
    pub bot: LivingBot,
    pub version: Arc<Version>,
    pub trial: Arc<Trial>,
    pub tick: u64,
    limits: Limits,
    id: BotId,
    profile: Arc<Profile>,
}

impl Life {
    pub fn new(version: Arc<Version>, limits: Limits, state: Option<String>) -> Result<Self, Diagnostic> {
        let now: Timestamp = "2026-03-04T17:30:00Z".parse().expect("a time");
        Ok(Self {
            bot: LivingBot::new(version.clone(), limits, state)?,
            trial: Arc::new(Trial::new(now, false)),
            tick: 0,
            limits,
            id: BotId { persona: version.persona.name.clone(), index: 1 },
            profile: Arc::new(identity(&version.persona, 1)),
            version,
        })
    }

    /// The next tick.
    pub async fn live(&mut self) -> Result<Lived, Diagnostic> {
        self.live_with(None, Vec::new()).await
    }

    /// The next tick, after these events and perhaps another version.
    pub async fn live_with(
        &mut self,
        old_version: Option<VersionId>,
        events: Vec<StoredEvent>,
    ) -> Result<Lived, Diagnostic> {
        self.tick += 1;
        let persona = self.version.persona.clone();
        let host = Host::trial(self.trial.clone(), self.id.clone(), self.profile.clone(), persona, self.tick);
        self.bot.live(Tick { host, visit: Visit { number: 1, tick: 1, ticks_left: 3 }, old_version, events }).await
    }

    /// Drops the VM and builds another around what the last tick left, as happens between any two ticks.
    pub fn rebuild(&mut self, lived: &Lived) {
        self.bot = LivingBot::new(self.version.clone(), self.limits, Some(lived.state.clone())).expect("a VM");
    }
}

/// Lives one tick with this body.
pub async fn live(body: &str) -> Result<Lived, Diagnostic> {
    Life::new(version(body), LIMITS, None)?.live().await
}
