//! A bot under test: what it keeps between ticks, and what it has done.
//!
//! Its VM is made anew for every tick, so that nothing lives on but what `bot.state` holds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value as Json, json};

use crate::host::Host;
use crate::host::identity::{self, Profile};
use crate::host::rhythm::Visit;
use crate::host::rhythm::after::after_tick;
use crate::host::trial::Trial;
use crate::lua::limits::Limits;
use crate::lua::trace::{Answered, Called, Trace};
use crate::lua::version::Version;
use crate::lua::{LivingBot, Tick};
use crate::model::diagnostic::Diagnostic;
use crate::model::name::BotId;
use crate::model::seconds::Seconds;
use crate::model::status::Rest;
use crate::store::StoredEvent;

/// The primitives that act, with the word for the act and the fields that one can ask for.
pub(super) const ACTS: [(&str, &str, &[&str]); 6] = [
    ("floimg.upvote", "upvote", &["post"]),
    ("floimg.comment", "comment", &["post", "text", "reply_to"]),
    ("floimg.share", "share", &["title", "description", "picture", "id"]),
    ("floimg.remix", "remix", &["post", "title", "description", "picture", "id"]),
    ("floimg.generate", "generate", &["prompt", "style", "size", "quality", "generator", "name", "transforms", "url"]),
    ("floimg.run", "run", &["name", "steps", "url"]),
];

/// What a bot did, from the calls it made.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    /// How often each primitive was called.
    pub(super) calls: BTreeMap<&'static str, u32>,
    /// What it did or tried to do, in order, as tests see it.
    pub(super) acts: Vec<Json>,
    /// Its lines of log.
    pub(super) log: Vec<String>,
}

impl Deeds {
    /// Counts what was recorded since the last time.
    pub(super) fn take(&mut self, trace: &Trace, tick: u64) {
        for called in trace.take() {
            if called.name != "bot_.rng" {
                *self.calls.entry(called.name).or_insert(0) += 1;
            }
            if let Some(act) = act(&called, tick) {
                self.acts.push(act);
            }
            if called.name.starts_with("log.") {
                let message = called.args.first().cloned().unwrap_or(Json::Null);
                self.log.push(message.as_str().map_or_else(|| message.to_string(), str::to_owned));
            }
        }
    }
}

/// A call as an act: what was given, and of the answer what counts.
pub(crate) fn act(called: &Called, tick: u64) -> Option<Json> {
    let (_, kind, _) = ACTS.iter().find(|(name, _, _)| *name == called.name)?;
    let mut fields = match called.args.first() {
        Some(Json::Object(fields)) => fields.clone(),
        Some(Json::String(post)) => Map::from_iter([("post".to_owned(), Json::String(post.clone()))]),
        _ => Map::new(),
    };
    match &called.answer {
        Answered::Value(answer) => {
            fields.insert("ok".to_owned(), true.into());
            // What was really sent: a reply names whom it answers, a prompt has its style.
            for key in ["id", "text", "prompt", "likes", "url"] {
                if let Some(value) = answer.get(key) {
                    fields.insert(key.to_owned(), value.clone());
                }
            }
        }
        Answered::Failure(failure) => {
            fields.insert("ok".to_owned(), false.into());
            let failure = json!({
                "kind": failure.kind.as_str(),
                "message": failure.message,
                "retry_after": failure.retry_after.map(Seconds::get),
            });
            fields.insert("failure".to_owned(), failure);
        }
        Answered::Raised(_) => return None,
    }
    fields.insert("kind".to_owned(), (*kind).into());
    fields.insert("tick".to_owned(), tick.into());
    Some(Json::Object(fields))
}

/// A bot under test.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) id: BotId,
    pub(super) profile: Arc<Profile>,
    pub(super) version: Arc<Version>,
    pub(super) trial: Arc<Trial>,
    pub(super) limits: Limits,
    /// The state as JSON; nothing before its first tick.
    pub(super) state: Option<String>,
    pub(super) lived: u64,
    pub(super) visit: Visit,
    pub(super) wakes_at: Option<Timestamp>,
    pub(super) rest: Option<Rest>,
    pub(super) events: VecDeque<StoredEvent>,
    pub(super) deeds: Deeds,
}

/// Events handed over in one tick at most, as in the world.
const EVENTS: usize = 10;

impl Subject {
    /// Lives the next tick, at the time the bot wakes or now if that has passed.
    pub(super) async fn tick(&mut self) -> Result<(), Diagnostic> {
        let now = self.trial.now();
        self.trial.set_now(self.wakes_at.map_or(now, |at| at.max(now)));
        self.lived += 1;
        let persona = self.version.persona.clone();
        let host = Host::trial(self.trial.clone(), self.id.clone(), self.profile.clone(), persona, self.lived);
        let mut living = LivingBot::new(self.version.clone(), self.limits, self.state.clone())?;
        let trace = Arc::new(Trace::default());
        living.record(trace.clone());
        let events: Vec<StoredEvent> = self.events.drain(..self.events.len().min(EVENTS)).collect();
        for event in &events {
            self.trial.tell(event.clone());
        }
        let lived = living.live(Tick { host: host.clone(), visit: self.visit, old_version: None, events }).await;
        self.deeds.take(&trace, self.lived);
        let lived = lived?;
        self.state = Some(lived.state);
        let now = self.trial.now();
        let seed = identity::tick_seed(&format!("{}/wake", self.trial.seed()), &self.id, self.lived);
        let mut rng = ChaCha8Rng::from_seed(seed);
        let persona = &self.version.persona;
        let (at, why, visit) = after_tick(persona, &self.visit, lived.asked, host.told(), now, &mut rng);
        (self.wakes_at, self.rest, self.visit) = (Some(at), Some(why), visit);
        Ok(())
    }

    /// What it remembers, the latest first.
    pub(super) fn memories(&self) -> Json {
        let memories = self.trial.memories(&self.id, None, None);
        let shown = |memory: crate::store::StoredMemory| json!({ "kind": memory.kind, "about": memory.about, "text": memory.text, "weight": memory.weight });
        Json::Array(memories.into_iter().map(shown).collect())
    }

    /// Seconds until it wakes.
    pub(super) fn next_wake(&self) -> Option<f64> {
        let now = self.trial.now();
        self.wakes_at.map(|at| at.duration_since(now).as_secs_f64().max(0.0))
    }
}
