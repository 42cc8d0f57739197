//! `[llm]`: which models write for whom, and how their providers are called.
//!
//! A key of a provider is never written here: the section names the variable or the file that holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::models::{ModelConfig, Price, ProviderConfig, is_name};
use super::web::PersonaKey;
use super::{Problem, Sources, value};
use crate::model::name::BotId;
use crate::secret::Secret;

/// `[llm]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmConfig {
    /// Who writes.
    pub provider: LlmProvider,
    /// What happens when no model can be had.
    pub fallback: LlmFallback,
    /// Purposes whose texts the templates always write.
    #[serde(deserialize_with = "purposes")]
    pub offline_purposes: Vec<String>,
    /// How long a call may take with all its attempts, on the wall.
    #[serde(rename = "timeout_secs", deserialize_with = "value::wall_secs::<100, 600, _>")]
    pub timeout: Duration,
    /// How long one attempt may take, on the wall.
    #[serde(rename = "attempt_timeout_secs", deserialize_with = "value::wall_secs::<100, 600, _>")]
    pub attempt_timeout: Duration,
    /// Attempts of one call.
    #[serde(deserialize_with = "value::whole::<1, 3, _, _>")]
    pub max_attempts: u32,
    /// The longest reply that is read.
    #[serde(rename = "max_reply_kib", deserialize_with = "value::kib::<1, 16_384, _>")]
    pub max_reply_bytes: usize,
    /// How long a provider that keeps failing is left alone at first.
    #[serde(rename = "rest_secs", deserialize_with = "value::wall_secs::<10, 3600, _>")]
    pub rest: Duration,
    /// Calls under way at one provider.
    #[serde(deserialize_with = "value::whole::<1, 1000, _, _>")]
    pub max_concurrent: usize,
    /// Calls that one provider gets in a minute.
    #[serde(deserialize_with = "value::whole::<1, 100_000, _, _>")]
    pub requests_per_minute: u32,
    /// The model of each role that has one; the others are the offline writer's.
    pub roles: BTreeMap<Role, ModelName>,
    /// Roles or models of single personas, whatever their scripts say.
    pub personas: BTreeMap<PersonaKey, ModelName>,
    /// Roles or models of single bots, whatever else is said.
    pub bots: BTreeMap<BotKey, ModelName>,
    /// Who is asked, by name.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// What is asked, by name.
    pub models: BTreeMap<String, ModelConfig>,
    /// The keys that could be had, by their providers' names.
    #[serde(skip)]
    pub keys: BTreeMap<String, Secret>,
}

/// Who writes the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmProvider {
    /// The personas' own templates, without a model.
    Offline,
    /// Models, by role.
    Models,
}

impl<'de> Deserialize<'de> for LlmProvider {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::one_of(from, &[("offline", Self::Offline), ("models", Self::Models)])
    }
}

/// What happens when no model can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmFallback {
    /// The offline writer writes.
    Offline,
    /// The script is told.
    Fail,
}

impl<'de> Deserialize<'de> for LlmFallback {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::one_of(from, &[("offline", Self::Offline), ("fail", Self::Fail)])
    }
}

/// What a persona asks for, whatever model that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Cheap words, and most of them.
    Small,
    /// Words worth more.
    Large,
    /// Looking at pictures.
    Vision,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Small, Self::Large, Self::Vision];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Vision => "vision",
        }
    }

    /// The role with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        Self::parse(&word).ok_or_else(|| D::Error::custom("expected the roles small, large and vision"))
    }
}

/// The name of a model, of a role, or [`OFFLINE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName(String);

/// The model that is always there: the personas' own templates.
pub const OFFLINE: &str = "offline";

impl ModelName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ModelName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(from)? {
            toml::Value::String(name) if is_name(&name) => Ok(Self(name)),
            _ => Err(D::Error::custom("expected the name of a model under [llm.models], a role, or \"offline\"")),
        }
    }
}

/// A bot's id as a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BotKey(String);

impl BotKey {
    /// The id, such as `ai_artist-17`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for BotKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse::<BotId>()
            .map(|id| Self(id.to_string()))
            .map_err(|_| D::Error::custom("expected a bot as the key, such as ai_artist-17"))
    }
}

impl LlmConfig {
    /// The names of the models that may be asked: those that a role, a persona or a bot is given.
    pub fn used(&self) -> impl Iterator<Item = &str> {
        let named = self.roles.values().chain(self.personas.values()).chain(self.bots.values());
        named.map(ModelName::as_str).filter(|name| self.models.contains_key(*name))
    }

    /// What providers call the models that cost nothing.
    pub fn free_models(&self) -> impl Iterator<Item = &str> {
        self.models.values().filter(|model| model.price == Price::Free).filter_map(|model| model.model.as_deref())
    }

    /// Takes the keys from the variables and files that the providers name.
    pub(super) fn read_keys(&mut self, sources: &Sources) {
        for (name, provider) in &self.providers {
            let key = match (&provider.api_key_env, &provider.api_key_file) {
                (Some(variable), _) => sources.secret(variable),
                (None, Some(file)) => secret_in(file),
                (None, None) => None,
            };
            if let Some(key) = key {
                self.keys.insert(name.clone(), key);
            }
        }
    }

    /// What no single key can know to be wrong: `refuse` takes the key or section to blame, what is wrong, and what to do.
    pub(super) fn check(&self, refuse: &mut dyn FnMut(&str, String, &str)) {
        let known: Vec<&str> = self.models.keys().map(String::as_str).collect();
        let known =
            if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
        let roles = self.roles.iter().map(|(role, name)| (format!("llm.roles.{}", role.as_str()), name));
        for (key, name) in roles {
            if name.as_str() != OFFLINE && !self.models.contains_key(name.as_str()) {
                let message = format!("expected the name of a model, and [llm.models.{}] is not there", name.as_str());
                refuse(&key, message, &format!("add that section, or name another model or \"offline\": {known}"));
            }
        }
        let personas = self.personas.iter().map(|(persona, name)| (format!("llm.personas.{}", persona.as_str()), name));
        let bots = self.bots.iter().map(|(bot, name)| (format!("llm.bots.{}", bot.as_str()), name));
        for (key, name) in personas.chain(bots) {
            if !self.knows(name.as_str()) {
                let message = format!("expected a role or a model, and [llm.models.{}] is not there", name.as_str());
                refuse(&key, message, &format!("name small, large, vision, \"offline\" or a model: {known}"));
            }
        }
        for (name, provider) in &self.providers {
            let section = format!("llm.providers.{name}");
            if provider.base_url.is_none() {
                let hint =
                    "add base_url = \"https://…\": where the provider answers, with its /v1 or what it has instead";
                refuse(&section, format!("expected `base_url` in [{section}]"), hint);
            }
            if provider.api_key_env.is_some() && provider.api_key_file.is_some() {
                let message = "expected one place for the key, got a variable and a file".to_owned();
                refuse(&format!("{section}.api_key_file"), message, "leave one of api_key_env and api_key_file out");
            }
        }
        for (name, model) in &self.models {
            let section = format!("llm.models.{name}");
            match &model.provider {
                None => refuse(
                    &section,
                    format!("expected `provider` in [{section}]"),
                    "add provider = \"NAME\", a section under [llm.providers]",
                ),
                Some(provider) if !self.providers.contains_key(provider) => {
                    let known: Vec<&str> = self.providers.keys().map(String::as_str).collect();
                    let hint =
                        format!("add [llm.providers.{provider}] with its base_url; there are: {}", known.join(", "));
                    refuse(&format!("{section}.provider"), format!("[llm.providers.{provider}] is not there"), &hint);
                }
                Some(_) => {}
            }
            if model.model.is_none() {
                refuse(
                    &section,
                    format!("expected `model` in [{section}]"),
                    "add model = \"ID\": what the provider calls the model",
                );
            }
            let is_free_elsewhere = |other: &ModelConfig| other.model == model.model && other.price == Price::Free;
            if model.price == Price::Table && model.model.is_some() && self.models.values().any(is_free_elsewhere) {
                refuse(
                    &section,
                    "expected one price for a model, which is free in another section".to_owned(),
                    "spend is counted by what the provider calls a model: give both sections the same `price`",
                );
            }
            if Role::parse(name).is_some() || name == OFFLINE {
                refuse(
                    &section,
                    format!("expected another name than `{name}`, which means a role or the offline writer"),
                    "call the section after the model, and name it under [llm.roles]",
                );
            }
        }
    }

    /// The keys that are missing for models that may be asked.
    pub(super) fn ready_to_run(&self, problems: &mut Vec<Problem>) {
        if self.provider == LlmProvider::Offline {
            return;
        }
        let used: BTreeSet<&String> =
            self.used().filter_map(|model| self.models.get(model)?.provider.as_ref()).collect();
        for name in used {
            let Some(provider) = self.providers.get(name).filter(|_| !self.keys.contains_key(name)) else { continue };
            let (key, place, message, hint) = match (&provider.api_key_env, &provider.api_key_file) {
                (Some(variable), _) => (
                    "api_key_env",
                    format!("${variable}"),
                    format!("not set, and the provider `{name}` needs its key"),
                    format!("set {variable} to the provider's key, or set llm.provider = \"offline\""),
                ),
                (None, Some(file)) => (
                    "api_key_file",
                    file.display().to_string(),
                    format!("expected a file with the key of the provider `{name}` on one line"),
                    "write the key into that file, or set llm.provider = \"offline\"".to_owned(),
                ),
                (None, None) => continue,
            };
            problems.push(Problem {
                key: Some(format!("llm.providers.{name}.{key}")),
                place,
                excerpt: None,
                message,
                hint: Some(hint),
            });
        }
    }

    /// Whether something is called so: a model, a role, or the offline writer.
    pub fn knows(&self, name: &str) -> bool {
        name == OFFLINE || Role::parse(name).is_some() || self.models.contains_key(name)
    }
}

fn purposes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let is_purpose = |word: &String| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let wrong = || D::Error::custom("expected a list of purposes, as scripts name them, such as [\"prompt\"]");
    let list = Vec::<String>::deserialize(from).map_err(|_| wrong())?;
    if list.iter().all(is_purpose) { Ok(list) } else { Err(wrong()) }
}

/// The most bytes that are read of a file with a key.
const KEY_BYTES: u64 = 8 << 10;

fn secret_in(file: &std::path::Path) -> Option<Secret> {
    let mut text = String::new();
    File::open(file).ok()?.take(KEY_BYTES).read_to_string(&mut text).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| Secret::new(text))
}
