//! The host of a plugin: it looks at the gallery as the service, keeps entries of its own, and knows the fleet's bots.
//!
//! It acts as nobody: a plugin suggests, and a bot does or does not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::failure::FailureKind;
use crate::model::name::{BotId, PersonaName};
use crate::model::persona::{Identity, Pace, Persona, Schedule, Span};
use crate::model::plugin::{Manifest, PluginName};
use crate::store::NewEvent;

use super::identity::{self, Profile};
use super::refusal::Refusal;
use super::rhythm::hours;
use super::trial::Trial;
use super::{Host, Side, World};

/// A bot as plugins see it.
#[derive(Debug, Clone)]
pub struct CastBot {
    /// Which bot.
    pub id: BotId,
    /// The name shown.
    pub name: Arc<str>,
    /// Its username.
    pub username: Arc<str>,
    /// The persona it acts out.
    pub persona: Arc<Persona>,
}

/// A bot with what changes from hour to hour.
#[derive(Debug, Clone)]
pub struct ListedBot {
    /// The bot.
    pub bot: CastBot,
    /// Whether its persona is awake now.
    pub is_awake: bool,
}

/// Bots that have something new to hear; when many wait already, more of them hear it at their next tick.
#[derive(Debug)]
pub struct Nudges {
    sender: mpsc::Sender<Vec<BotId>>,
    receiver: Mutex<Option<mpsc::Receiver<Vec<BotId>>>>,
}

/// Nudges that may wait.
const NUDGES: usize = 64;

impl Default for Nudges {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(NUDGES);
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Nudges {
    /// The other end; the first who asks gets it.
    pub fn take(&self) -> Option<mpsc::Receiver<Vec<BotId>>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Something that a plugin would like a bot to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Which bot.
    pub bot: BotId,
    /// A word for it, which becomes the event's kind.
    pub kind: String,
    /// The post it concerns; empty when it is about none.
    pub post: String,
    /// The post's title.
    pub post_title: String,
    /// The comment it concerns.
    pub comment: Option<String>,
    /// What the bot should know.
    pub text: Option<String>,
    /// What makes it another one than the last of its kind, such as a week; empty where the post does.
    pub key: String,
}

impl Suggestion {
    /// What makes it one of a kind for its bot, which is told once of each.
    pub fn source(&self, by: &str) -> String {
        let comment = self.comment.as_deref().unwrap_or_default();
        let key = if self.key.is_empty() { String::new() } else { format!(":{}", self.key) };
        format!("plugin:{by}:{}:{}:{comment}{key}", self.kind, self.post)
    }

    /// As its bot hears of it.
    pub fn event(self, by: &str, at: Timestamp) -> NewEvent {
        NewEvent {
            source: self.source(by),
            bot: self.bot,
            kind: self.kind,
            post: self.post,
            post_title: self.post_title,
            comment: self.comment,
            text: self.text,
            from: None,
            is_fleet: true,
            at,
        }
    }
}

/// What a plugin's host is made of, the same for all its calls.
#[derive(Debug)]
pub struct Role {
    name: PluginName,
    bot: BotId,
    profile: Arc<Profile>,
    persona: Arc<Persona>,
}

impl Role {
    /// The role of a plugin.
    ///
    /// # Errors
    /// Never: a plugin's name is made as a persona's is.
    pub fn new(manifest: &Manifest) -> Result<Self, crate::model::name::NotAPersonaName> {
        let name = PersonaName::new(manifest.name.as_str())?;
        let persona = Persona {
            name: name.clone(),
            title: manifest.title.clone(),
            weight: 1.0,
            identity: Identity {
                names: Vec::new(),
                username: String::new(),
                bio: String::new(),
                words: BTreeMap::new(),
            },
            voice: String::new(),
            interests: Vec::new(),
            schedule: Schedule {
                zone: TimeZone::UTC,
                zone_name: "UTC".to_owned(),
                awake: Span { from: Time::midnight(), to: Time::midnight() },
                days: [true; 7],
                peaks: Vec::new(),
            },
            pace: Pace { visits_per_day: 1.0, actions_per_visit: (1, 1), pause_secs: 1.0 },
            model: None,
            needs: manifest.needs.clone(),
            templates: BTreeMap::new(),
            reload_now: false,
        };
        Ok(Self {
            name: manifest.name.clone(),
            bot: BotId { persona: name, index: 0 },
            profile: Arc::new(Profile { name: manifest.title.clone(), username: String::new(), bio: String::new() }),
            persona: Arc::new(persona),
        })
    }
}

impl Host {
    /// A plugin's host for one call in the world.
    pub fn plugin(world: Arc<World>, role: &Role, call: u64, stopping: CancellationToken) -> Arc<Self> {
        let seed = identity::tick_seed(&format!("{}/plugin", world.seed), &role.bot, call);
        Self::of_plugin(Side::Live(world), role, call, seed, stopping)
    }

    /// A plugin's host in which nothing reaches the world.
    pub fn plugin_trial(trial: Arc<Trial>, role: &Role, call: u64) -> Arc<Self> {
        let seed = identity::tick_seed("trial/plugin", &role.bot, call);
        Self::of_plugin(Side::Trial(trial), role, call, seed, CancellationToken::new())
    }

    fn of_plugin(side: Side, role: &Role, call: u64, seed: [u8; 32], stopping: CancellationToken) -> Arc<Self> {
        let (bot, profile, persona) = (role.bot.clone(), role.profile.clone(), role.persona.clone());
        let host = Self::new(side, bot, profile, persona, call, seed, stopping);
        Arc::new(Self { plugin: Some(role.name.clone()), ..host })
    }

    /// The plugin whose host this is, if it is not a bot's.
    pub fn of(&self) -> Option<&PluginName> {
        self.plugin.as_ref()
    }

    /// Who works here, for the log: `ai_artist-17`, or `plugin guard`.
    pub fn label(&self) -> String {
        match &self.plugin {
            Some(name) => format!("plugin {name}"),
            None => self.bot.to_string(),
        }
    }

    /// As whom it looks at the gallery; a plugin looks as the service.
    pub(super) fn viewer(&self) -> Option<String> {
        self.plugin.is_none().then(|| self.profile.username.clone())
    }

    /// The fleet's bots, those of one persona or with one of some interests.
    pub fn bots(&self, persona: Option<&str>, interests: &[String]) -> Vec<ListedBot> {
        let (cast, now) = match &self.side {
            Side::Live(world) => (world.cast.load_full(), world.clock.now()),
            Side::Trial(trial) => (Arc::new(trial.cast()), trial.now()),
        };
        let wanted: Vec<String> = interests.iter().map(|interest| interest.to_lowercase()).collect();
        cast.iter()
            .filter(|bot| persona.is_none_or(|persona| bot.id.persona.as_str() == persona))
            .filter(|bot| {
                wanted.is_empty()
                    || bot.persona.interests.iter().any(|interest| wanted.contains(&interest.to_lowercase()))
            })
            .map(|bot| ListedBot { bot: bot.clone(), is_awake: hours::is_awake(&bot.persona.schedule, now) })
            .collect()
    }

    /// Calls what a plugin exports.
    ///
    /// # Errors
    /// What the plugin's host said; a trial asks no plugin.
    pub async fn call_plugin(
        &self,
        plugin: String,
        export: String,
        arguments: Vec<serde_json::Value>,
    ) -> Result<serde_json::Value, Refusal> {
        let world = match &self.side {
            Side::Live(world) => world,
            Side::Trial(trial) => {
                let Some(hooks) = trial.hooks() else {
                    let words = "a trial asks no plugin; in the world it may answer";
                    return Err(Refusal::failure(FailureKind::Unavailable, words));
                };
                return hooks.call(&plugin, &export, arguments).await.map_err(Refusal::Failure);
            }
        };
        let hooks = world.hooks.clone();
        let answered = self.wait(world, async move { hooks.call(&plugin, &export, arguments).await }).await?;
        answered.map_err(Refusal::Failure)
    }

    /// Suggests something to a bot, which hears of it as of any other event; answers whether that is new to it.
    ///
    /// # Errors
    /// When there is no such bot, or the store fails.
    pub async fn suggest(&self, suggestion: Suggestion) -> Result<bool, Refusal> {
        let by = self.plugin.as_ref().map_or("host", PluginName::as_str);
        let world = match &self.side {
            Side::Live(world) => world,
            Side::Trial(trial) => return trial.suggest(by, suggestion),
        };
        if !world.cast.load().iter().any(|bot| bot.id == suggestion.bot) {
            return Err(Refusal::failure(FailureKind::NotFound, format!("there is no bot `{}`", suggestion.bot)));
        }
        let event = suggestion.event(by, world.clock.now());
        let shared = world.clone();
        let told = self.wait(world, async move { shared.store.add_events(vec![event]).await }).await??;
        let is_new = !told.is_empty();
        if is_new {
            // When there is no room, the bot hears of it at its next tick.
            let _ = world.nudges.sender.try_send(told);
        }
        Ok(is_new)
    }
}
