//! The fleet's handle: commands in, snapshots out; cheap to clone.
//!
//! Whoever holds it can ask and command, but never touches a bot's task.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::host::World;
use crate::host::budget::Spent;
use crate::lua::console::Mode;
use crate::model::activity::{Activity, Ending, NewActivity};
use crate::model::diagnostic::Diagnostic;
use crate::model::name::{BotId, PersonaName, VersionId};
use crate::model::plugin::PluginName;
use crate::model::seconds::Seconds;
use crate::store::{self, ActivityQuery, AuditRow, StoredVersion, VersionRow};

use super::plugins::Plugins;
use super::plugins::view::PluginView;
use super::view::{
    BotDetail, BotFilter, BotPage, BotView, ConsoleView, FleetView, Reloaded, ScriptView, Target, VersionChange,
};

/// What the supervisor can be asked.
#[derive(Debug)]
pub enum Command {
    /// The fleet in a few numbers.
    Status(oneshot::Sender<FleetView>),
    /// Some bots.
    Bots(BotFilter, oneshot::Sender<BotPage>),
    /// One bot with its bio and last error.
    Bot(BotId, oneshot::Sender<Option<(BotView, String, String)>>),
    /// Every persona's script.
    Scripts(oneshot::Sender<Vec<ScriptView>>),
    /// Stop bots from waking, for some time or until resumed; answers how many.
    Pause(Target, String, Option<Seconds>, oneshot::Sender<Controlled>),
    /// Let bots wake again, out of quarantine too.
    Resume(Target, oneshot::Sender<Controlled>),
    /// Wake sleeping bots now.
    Wake(Target, oneshot::Sender<Controlled>),
    /// Read the script files now.
    Reload(oneshot::Sender<Reloaded>),
    /// Decide which version of a persona runs; answers what was done, or why nothing was.
    Version(PersonaName, VersionChange, oneshot::Sender<Result<String, String>>),
    /// Nobody sleeps for these reasons any more.
    BudgetsEnded(Vec<String>, oneshot::Sender<()>),
    /// Run a few lines of Luau in a bot's world.
    Console(BotId, String, Mode, oneshot::Sender<Asked>),
}

/// What the console answers, or why it does not; nothing: there is no such bot.
pub type Asked = Option<Result<ConsoleView, String>>;

/// How many bots a control concerned; none: there is no such bot or persona.
pub type Controlled = Option<u64>;

/// Why the fleet does not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The supervisor has ended.
    #[error("the fleet is stopping")]
    Stopping,
    /// The store cannot be read.
    #[error("the fleet cannot read what it keeps")]
    Store(#[from] store::Error),
}

/// Asks and commands the supervisor.
#[derive(Debug, Clone)]
pub struct Fleet {
    commands: mpsc::Sender<Command>,
    world: Arc<World>,
    plugins: Plugins,
}

/// Activities shown with one bot.
const LAST_ACTIVITIES: u32 = 50;

impl Fleet {
    /// A handle that sends to a supervisor.
    pub fn new(commands: mpsc::Sender<Command>, world: Arc<World>, plugins: Plugins) -> Self {
        Self { commands, world, plugins }
    }

    /// Every plugin, in the order in which they are asked, then those that do not run.
    pub fn plugins(&self) -> Vec<PluginView> {
        self.plugins.views()
    }

    /// What is wrong with no plugin that is here: the config of plugins that are not there, and names of folders.
    pub fn stray_plugins(&self) -> Vec<Diagnostic> {
        self.plugins.stray()
    }

    /// Pauses a plugin, so that nobody asks it; false when there is no such plugin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pause_plugin(&self, name: &PluginName, reason: String, who: &str) -> Result<bool, Error> {
        let words = match reason.as_str() {
            "" => format!("the plugin `{name}` is paused"),
            reason => format!("the plugin `{name}` is paused: {reason}"),
        };
        self.change_plugin(name, Some(reason), "pause_plugin", words, who).await
    }

    /// Lets a plugin run again, out of quarantine too; false when there is no such plugin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume_plugin(&self, name: &PluginName, who: &str) -> Result<bool, Error> {
        self.change_plugin(name, None, "resume_plugin", format!("the plugin `{name}` is resumed"), who).await
    }

    async fn change_plugin(
        &self,
        name: &PluginName,
        paused: Option<String>,
        what: &str,
        words: String,
        who: &str,
    ) -> Result<bool, Error> {
        if !self.plugins.has(name) {
            return Ok(false);
        }
        let at = self.world.clock.now();
        let detail = json!({ "reason": paused });
        let row = AuditRow { at, who: who.to_owned(), what: what.to_owned(), target: name.to_string(), detail };
        self.world.store.audit(row).await?;
        let kind = if paused.is_some() { "plugin_paused" } else { "plugin_resumed" };
        let is_there = self.plugins.pause(name, paused).await?;
        let activity = NewActivity {
            at,
            bot: None,
            persona: None,
            kind: kind.to_owned(),
            ending: Ending::Done,
            target: String::new(),
            text: words,
            detail: json!({ "plugin": name.as_str(), "who": who }),
        };
        self.world.journal.record(activity).await;
        Ok(is_there)
    }

    /// What all bots share.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)
    }

    /// The fleet in a few numbers.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn status(&self) -> Result<FleetView, Error> {
        let mut view = self.ask(Command::Status).await?;
        let day = view.now.saturating_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(view.now);
        for (kind, ending, count) in self.world.store.activity_totals(day).await? {
            view.actions.insert((kind, ending.as_str()), count);
        }
        Ok(view)
    }

    /// Some bots.
    ///
    /// # Errors
    /// When the fleet is stopping.
    pub async fn bots(&self, filter: BotFilter) -> Result<BotPage, Error> {
        self.ask(|reply| Command::Bots(filter, reply)).await
    }

    /// One bot; `None` when there is no such bot.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn bot(&self, id: BotId) -> Result<Option<BotDetail>, Error> {
        let asked = id.clone();
        let Some((bot, bio, error)) = self.ask(|reply| Command::Bot(asked, reply)).await? else { return Ok(None) };
        let store = &self.world.store;
        let query = ActivityQuery { bot: Some(id.clone()), limit: LAST_ACTIVITIES, ..ActivityQuery::default() };
        Ok(Some(BotDetail {
            bio,
            state: store.state(&id).await?,
            activities: store.activities(&query).await?,
            used: store.action_counts(&id, self.world.clock.now()).await?,
            budgets: self.world.budget.caps_of(&id).await?,
            error,
            bot,
        }))
    }

    /// Every persona's script.
    ///
    /// # Errors
    /// When the fleet is stopping.
    pub async fn scripts(&self) -> Result<Vec<ScriptView>, Error> {
        self.ask(Command::Scripts).await
    }

    /// Activities that fit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn activities(&self, query: &ActivityQuery) -> Result<Vec<Activity>, Error> {
        Ok(self.world.store.activities(query).await?)
    }

    /// What models cost, with at most `limit` rows of each kind.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn spent(&self, limit: u32) -> Result<Spent, Error> {
        Ok(self.world.budget.spent(limit).await?)
    }

    /// Counts spending by the clock as it is now, although calls were counted by a later time; answers how many.
    ///
    /// # Errors
    /// When the store fails or the fleet is stopping.
    pub async fn trust_clock(&self, who: &str) -> Result<u64, Error> {
        self.audit(who, "trust_clock", &Target::All, json!({ "clock": jiff::Timestamp::now().to_string() })).await?;
        let (moved, ended) = self.world.budget.trust_clock().await?;
        self.ask(|reply| Command::BudgetsEnded(ended, reply)).await?;
        Ok(moved)
    }

    /// Hears of every activity from now on.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Activity>> {
        self.world.journal.listen()
    }

    /// Stops bots from waking, for some time of bots' or until resumed.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn pause(
        &self,
        target: Target,
        reason: String,
        duration: Option<Seconds>,
        who: &str,
    ) -> Result<Controlled, Error> {
        self.audit(who, "pause", &target, json!({ "reason": reason, "for_secs": duration.map(Seconds::get) })).await?;
        self.ask(|reply| Command::Pause(target, reason, duration, reply)).await
    }

    /// Lets bots wake again, out of quarantine too.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn resume(&self, target: Target, who: &str) -> Result<Controlled, Error> {
        self.audit(who, "resume", &target, json!({})).await?;
        self.ask(|reply| Command::Resume(target, reply)).await
    }

    /// Wakes sleeping bots now.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn wake(&self, target: Target, who: &str) -> Result<Controlled, Error> {
        self.audit(who, "wake", &target, json!({})).await?;
        self.ask(|reply| Command::Wake(target, reply)).await
    }

    /// Reads the script files now, and answers when every persona is accepted or refused.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn reload(&self, who: &str) -> Result<Reloaded, Error> {
        self.audit(who, "reload", &Target::All, json!({})).await?;
        self.ask(Command::Reload).await
    }

    /// A persona's versions that are kept, the one accepted last first; `None` when there is no such persona.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn versions(&self, persona: &PersonaName) -> Result<Option<(ScriptView, Vec<VersionRow>)>, Error> {
        let scripts = self.scripts().await?;
        let Some(script) = scripts.into_iter().find(|script| script.persona == *persona) else { return Ok(None) };
        Ok(Some((script, self.world.store.versions(persona).await?)))
    }

    /// One version with its files; `None` when it is not kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn version(&self, id: &VersionId) -> Result<Option<StoredVersion>, Error> {
        Ok(self.world.store.version(id).await?)
    }

    /// Decides which version of a persona runs; answers what was done, or why nothing was.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn change_version(
        &self,
        persona: PersonaName,
        change: VersionChange,
        who: &str,
    ) -> Result<Result<String, String>, Error> {
        let (what, version) = match &change {
            VersionChange::RollBack(version) => ("rollback", version.as_ref()),
            VersionChange::Pin(version) => ("pin", Some(version)),
            VersionChange::Unpin => ("unpin", None),
            VersionChange::Promote => ("promote", None),
        };
        let detail = json!({ "version": version.map(VersionId::as_str) });
        self.audit(who, what, &Target::Persona(persona.clone()), detail).await?;
        self.ask(|reply| Command::Version(persona, change, reply)).await
    }

    /// Runs a few lines of Luau in a bot's world; nothing but `bot.state` can be changed, and that only when asked for.
    ///
    /// # Errors
    /// When the fleet is stopping or the store fails.
    pub async fn console(&self, bot: BotId, code: String, mode: Mode, who: &str) -> Result<Asked, Error> {
        let detail = json!({ "code": code, "writes": mode == Mode::Write });
        self.audit(who, "console", &Target::Bot(bot.clone()), detail).await?;
        self.ask(|reply| Command::Console(bot, code, mode, reply)).await
    }

    async fn audit(&self, who: &str, what: &str, target: &Target, detail: serde_json::Value) -> Result<(), Error> {
        let target = match target {
            Target::All => "all".to_owned(),
            Target::Persona(name) => name.to_string(),
            Target::Bot(id) => id.to_string(),
        };
        let at = self.world.clock.now();
        let row = AuditRow { at, who: who.to_owned(), what: what.to_owned(), target, detail };
        Ok(self.world.store.audit(row).await?)
    }
}
