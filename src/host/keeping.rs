//! What a bot keeps: entries, memories, and the events it was told.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::activity::{Ending, NewActivity};
use crate::model::failure::FailureKind;
use crate::model::name::BotId;
use crate::model::seconds::Seconds;
use crate::store::{Change, Scope, StoredEvent, StoredMemory};
use crate::text;

use super::refusal::Refusal;
use super::{Host, Side};

/// Whose entries a script means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The bot's own.
    Own,
    /// The fleet's.
    Shared,
}

/// A memory that was recalled.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    /// The memory.
    pub memory: StoredMemory,
    /// Relevance times recency, 0 to 1.
    pub score: f64,
}

/// Entries that the whole fleet shares at most, whatever a bot may have.
const SHARED_ENTRIES: u32 = 200_000;
/// Entries of one plugin at most; it keeps for the whole fleet.
const PLUGIN_ENTRIES: u32 = 20_000;
/// The age at which a memory counts half, in days.
const HALF_LIFE_DAYS: f64 = 14.0;
/// Most bytes of the data of a script's own event.
const EVENT_BYTES: usize = 4096;

impl Host {
    fn scope(&self, whose: Whose) -> Scope {
        match whose {
            Whose::Own => match &self.plugin {
                Some(name) => Scope::Plugin(name.clone()),
                None => Scope::Bot(self.bot.clone()),
            },
            Whose::Shared => Scope::Shared,
        }
    }

    fn owner(&self, whose: Whose) -> Option<BotId> {
        (whose == Whose::Own).then(|| self.bot.clone())
    }

    /// The value under a key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entry(&self, whose: Whose, key: String) -> Result<Option<Value>, Refusal> {
        check_key(&key)?;
        match &self.side {
            Side::Live(world) => {
                let (store, scope, now) = (world.store.clone(), self.scope(whose), world.clock.now());
                Ok(self.wait(world, async move { store.entry(&scope, &key, now).await }).await??)
            }
            Side::Trial(trial) => Ok(trial.entry(self.owner(whose), &key)),
        }
    }

    /// Keys that begin with a prefix.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entry_names(&self, whose: Whose, prefix: String, limit: u32) -> Result<Vec<String>, Refusal> {
        match &self.side {
            Side::Live(world) => {
                let (store, scope, now) = (world.store.clone(), self.scope(whose), world.clock.now());
                Ok(self.wait(world, async move { store.entry_names(&scope, &prefix, limit, now).await }).await??)
            }
            Side::Trial(trial) => Ok(trial.entry_names(self.owner(whose), &prefix, limit)),
        }
    }

    /// Keeps a value under a key.
    ///
    /// # Errors
    /// When there are too many keys, or the value is too large.
    pub async fn set_entry(
        &self,
        whose: Whose,
        key: String,
        value: Value,
        ttl: Option<Seconds>,
    ) -> Result<(), Refusal> {
        self.change(whose, key, move |_, expires_at| (Change::Set { value, expires_at }, ()), ttl).await
    }

    /// Removes a key; answers whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_entry(&self, whose: Whose, key: String) -> Result<bool, Refusal> {
        self.change(whose, key, |old, _| (Change::Remove, old.is_some()), None).await
    }

    /// Sets a key only when it holds what is expected.
    ///
    /// # Errors
    /// When there are too many keys, or the value is too large.
    pub async fn compare_and_set(
        &self,
        whose: Whose,
        key: String,
        expected: Option<Value>,
        value: Option<Value>,
        ttl: Option<Seconds>,
    ) -> Result<bool, Refusal> {
        let change = move |old: Option<Value>, expires_at| {
            if old != expected {
                return (Change::Keep, false);
            }
            let change = value.map_or(Change::Remove, |value| Change::Set { value, expires_at });
            (change, true)
        };
        self.change(whose, key, change, ttl).await
    }

    /// Adds to a number and answers the new one.
    ///
    /// # Errors
    /// When the key holds something else, or there are too many keys.
    pub async fn increment(&self, whose: Whose, key: String, by: f64, ttl: Option<Seconds>) -> Result<f64, Refusal> {
        let name = key.clone();
        let change = move |old: Option<Value>, expires_at| {
            let old = match &old {
                None => 0.0,
                Some(Value::Number(number)) => number.as_f64().unwrap_or(0.0),
                Some(_) => return (Change::Keep, None),
            };
            let new = old + by;
            match serde_json::Number::from_f64(new) {
                // A whole number stays one, so that it reads back as it was written.
                Some(_) if new.fract() == 0.0 && new.abs() < 9e15 => {
                    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
                    let whole = new as i64;
                    (Change::Set { value: whole.into(), expires_at }, Some(new))
                }
                Some(number) => (Change::Set { value: Value::Number(number), expires_at }, Some(new)),
                None => (Change::Keep, None),
            }
        };
        self.change(whose, key, change, ttl)
            .await?
            .ok_or_else(|| Refusal::Wrong(format!("the entry `{name}` does not hold a number that can be added to")))
    }

    async fn change<T, F>(&self, whose: Whose, key: String, change: F, ttl: Option<Seconds>) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(Option<Value>, Option<Timestamp>) -> (Change, T) + Send + 'static,
    {
        check_key(&key)?;
        let expires_at = ttl.map(|ttl| self.now().saturating_add(ttl.signed()).unwrap_or(Timestamp::MAX));
        match &self.side {
            Side::Live(world) => {
                let rules = world.rules.load();
                let most = match whose {
                    Whose::Shared => SHARED_ENTRIES,
                    Whose::Own if self.plugin.is_some() => PLUGIN_ENTRIES,
                    Whose::Own => rules.store_entries,
                };
                let bytes = rules.store_value_bytes;
                let (store, scope, now) = (world.store.clone(), self.scope(whose), world.clock.now());
                let name = key.clone();
                let changed = self
                    .wait(world, async move {
                        store
                            .change_entry(&scope, &name, now, most, move |old| {
                                let (change, told) = change(old, expires_at);
                                match &change {
                                    Change::Set { value, .. } if value.to_string().len() > bytes => {
                                        (Change::Keep, Err(value.to_string().len()))
                                    }
                                    _ => (change, Ok(told)),
                                }
                            })
                            .await
                    })
                    .await??;
                match changed {
                    Err(_) => Err(Refusal::failure(
                        FailureKind::Limit,
                        format!("there are {most} entries already (sandbox.store_entries): delete some or give a ttl"),
                    )),
                    Ok(Err(size)) => Err(Refusal::Wrong(format!(
                        "the value for `{key}` takes {size} bytes as JSON; at most {bytes} fit (sandbox.store_value_kib)"
                    ))),
                    Ok(Ok(told)) => Ok(told),
                }
            }
            Side::Trial(trial) => {
                let (change, told) = change(trial.entry(self.owner(whose), &key), expires_at);
                trial.change(self.owner(whose), key, change);
                Ok(told)
            }
        }
    }

    /// Remembers something.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember(&self, kind: String, about: String, words: String, weight: f64) -> Result<(), Refusal> {
        let memory = StoredMemory { kind, about, text: words, weight, at: self.now() };
        match &self.side {
            Side::Live(world) => {
                let (store, bot, most) = (world.store.clone(), self.bot.clone(), world.rules.load().memories);
                Ok(self.wait(world, async move { store.remember(&bot, memory, most).await }).await??)
            }
            Side::Trial(trial) => {
                trial.remember(&self.bot, memory);
                Ok(())
            }
        }
    }

    /// The memories that fit best, best first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recall(
        &self,
        query: Option<String>,
        kind: Option<String>,
        about: Option<String>,
        limit: usize,
    ) -> Result<Vec<Recalled>, Refusal> {
        let memories = match &self.side {
            Side::Live(world) => {
                let (store, bot) = (world.store.clone(), self.bot.clone());
                self.wait(world, async move { store.memories(&bot, kind.as_deref(), about.as_deref()).await }).await??
            }
            Side::Trial(trial) => trial.memories(&self.bot, kind.as_deref(), about.as_deref()),
        };
        let asked = query.as_deref().map(text::words);
        let now = self.now();
        let mut recalled: Vec<Recalled> = memories
            .into_iter()
            .map(|memory| Recalled { score: score(&memory, asked.as_deref(), now), memory })
            .filter(|recalled| asked.is_none() || recalled.score > 0.0)
            .collect();
        recalled.sort_by(|a, b| b.score.total_cmp(&a.score));
        recalled.truncate(limit);
        Ok(recalled)
    }

    /// Forgets memories about something; answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, about: String, kind: Option<String>) -> Result<u64, Refusal> {
        match &self.side {
            Side::Live(world) => {
                let (store, bot) = (world.store.clone(), self.bot.clone());
                Ok(self.wait(world, async move { store.forget(&bot, &about, kind.as_deref()).await }).await??)
            }
            Side::Trial(trial) => Ok(trial.forget(&self.bot, &about, kind.as_deref())),
        }
    }

    /// Events that this bot was told lately, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recent_events(&self, kind: Option<String>, limit: u32) -> Result<Vec<StoredEvent>, Refusal> {
        match &self.side {
            Side::Live(world) => {
                let (store, bot) = (world.store.clone(), self.bot.clone());
                Ok(self.wait(world, async move { store.recent_events(&bot, kind.as_deref(), limit).await }).await??)
            }
            Side::Trial(trial) => Ok(trial.recent_events(&self.bot, kind.as_deref(), limit)),
        }
    }

    /// Leaves an activity of the script's own.
    ///
    /// # Errors
    /// When its data is too large.
    pub async fn emit(self: &Arc<Self>, name: String, data: Value) -> Result<(), Refusal> {
        let bytes = data.to_string().len();
        if bytes > EVENT_BYTES {
            return Err(Refusal::Wrong(format!("`data` takes {bytes} bytes as JSON; at most {EVENT_BYTES} fit")));
        }
        let Side::Live(world) = &self.side else { return Ok(()) };
        let activity = NewActivity {
            at: world.clock.now(),
            bot: Some(self.bot.clone()),
            persona: Some(self.bot.persona.clone()),
            kind: "emitted".to_owned(),
            ending: Ending::Done,
            target: String::new(),
            text: name.clone(),
            detail: json!({ "name": name, "data": data }),
        };
        let journal = world.journal.clone();
        self.wait(world, async move { journal.record(activity).await }).await
    }
}

fn score(memory: &StoredMemory, asked: Option<&[String]>, now: Timestamp) -> f64 {
    let days = now.duration_since(memory.at).as_secs_f64().max(0.0) / 86_400.0;
    let recency = 0.5_f64.powf(days / HALF_LIFE_DAYS);
    let relevance = match asked {
        None => 1.0,
        Some([]) => 1.0,
        Some(asked) => {
            let known = text::words(&format!("{} {}", memory.about, memory.text));
            let hits = asked.iter().filter(|word| known.contains(word)).count();
            #[expect(clippy::cast_precision_loss, reason = "counts of words are small")]
            let share = hits as f64 / asked.len() as f64;
            share
        }
    };
    relevance * recency * (0.5 + memory.weight / 2.0)
}

fn check_key(key: &str) -> Result<(), Refusal> {
    let chars = key.chars().count();
    if chars == 0 || chars > 200 {
        return Err(Refusal::Wrong(format!("a key must have 1 to 200 characters, got {chars}")));
    }
    Ok(())
}
