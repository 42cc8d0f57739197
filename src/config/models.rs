//! `[llm.providers.*]` and `[llm.models.*]`: who can be asked, and what.
//!
//! What a section leaves out holds for it as `[llm]` says, or as is safe with any provider.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use url::Url;

#[cfg(doc)]
use super::LlmConfig;
use super::value;

/// What `[llm.providers.NAME]` may hold, as TOML of the right types.
pub(super) const PROVIDER_KEYS: &str = "base_url = ''\napi_key_env = ''\napi_key_file = ''\nlength_key = ''\n\
    timeout_secs = 1.0\nattempt_timeout_secs = 1.0\nmax_attempts = 1\nmax_concurrent = 1\nrequests_per_minute = 1\n";
/// What `[llm.models.NAME]` may hold, as TOML of the right types.
pub(super) const MODEL_KEYS: &str = "provider = ''\nmodel = ''\nmax_output_tokens = 1\nthinks = true\njson_schema = true\nimages = ''\n\
    seed = true\ntemperature = 1.0\nprice = ''\nmax_concurrent = 1\nrequests_per_minute = 1\n";

/// `[llm.providers.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderConfig {
    /// Where it answers; needed.
    #[serde(deserialize_with = "some_url")]
    pub base_url: Option<Url>,
    /// The variable that holds its key.
    #[serde(deserialize_with = "some_variable")]
    pub api_key_env: Option<String>,
    /// The file that holds its key.
    #[serde(deserialize_with = "some_file")]
    pub api_key_file: Option<PathBuf>,
    /// Its word for the most tokens of an answer.
    pub length_key: LengthKey,
    /// Its own [`LlmConfig::timeout`].
    #[serde(rename = "timeout_secs", deserialize_with = "some_wall_secs")]
    pub timeout: Option<Duration>,
    /// Its own [`LlmConfig::attempt_timeout`].
    #[serde(rename = "attempt_timeout_secs", deserialize_with = "some_wall_secs")]
    pub attempt_timeout: Option<Duration>,
    /// Its own [`LlmConfig::max_attempts`].
    #[serde(deserialize_with = "some_whole::<1, 3, _, _>")]
    pub max_attempts: Option<u32>,
    /// Its own [`LlmConfig::max_concurrent`].
    #[serde(deserialize_with = "some_whole::<1, 1000, _, _>")]
    pub max_concurrent: Option<usize>,
    /// Its own [`LlmConfig::requests_per_minute`].
    #[serde(deserialize_with = "some_whole::<1, 100_000, _, _>")]
    pub requests_per_minute: Option<u32>,
}

/// What a provider calls the most tokens of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LengthKey {
    /// As nearly everybody does.
    #[default]
    MaxTokens,
    /// As OpenAI does, which refuses the other for newer models.
    MaxCompletionTokens,
}

impl<'de> Deserialize<'de> for LengthKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = [("max_tokens", Self::MaxTokens), ("max_completion_tokens", Self::MaxCompletionTokens)];
        value::one_of(from, &words)
    }
}

/// `[llm.models.NAME]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A name under `[llm.providers]`; needed.
    #[serde(deserialize_with = "some_name")]
    pub provider: Option<String>,
    /// What the provider calls it; needed.
    #[serde(deserialize_with = "some_text")]
    pub model: Option<String>,
    /// The most tokens of one answer.
    #[serde(deserialize_with = "value::whole::<16, 100_000, _, _>")]
    pub max_output_tokens: u32,
    /// Whether it thinks before it answers, so that an answer takes more tokens than its text.
    #[serde(deserialize_with = "value::flag")]
    pub thinks: bool,
    /// Whether it keeps to a JSON schema by itself.
    #[serde(deserialize_with = "value::flag")]
    pub json_schema: bool,
    /// Whether and how it sees pictures.
    pub images: Images,
    /// Whether it takes a seed.
    #[serde(deserialize_with = "value::flag")]
    pub seed: bool,
    /// How freely it chooses words; its own where there is none.
    #[serde(deserialize_with = "some_temperature")]
    pub temperature: Option<f64>,
    /// Whether its tokens cost anything.
    pub price: Price,
    /// Calls to it under way at one time, when fewer than the provider's.
    #[serde(deserialize_with = "some_whole::<1, 1000, _, _>")]
    pub max_concurrent: Option<usize>,
    /// Calls to it in a minute, when fewer than the provider's.
    #[serde(deserialize_with = "some_whole::<1, 100_000, _, _>")]
    pub requests_per_minute: Option<u32>,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            provider: None,
            model: None,
            max_output_tokens: 400,
            thinks: false,
            json_schema: false,
            images: Images::None,
            seed: false,
            temperature: None,
            price: Price::Table,
            max_concurrent: None,
            requests_per_minute: None,
        }
    }
}

/// How a model sees pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// Not at all.
    None,
    /// Its provider fetches them from their address.
    Url,
    /// They are sent along; only the studio's own.
    Inline,
}

impl<'de> Deserialize<'de> for Images {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::one_of(from, &[("none", Self::None), ("url", Self::Url), ("inline", Self::Inline)])
    }
}

/// What a model's tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// What the price table says.
    Table,
    /// Nothing, because it runs here.
    Free,
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::one_of(from, &[("table", Self::Table), ("free", Self::Free)])
    }
}

/// Whether something under `[llm.providers]` or `[llm.models]` may have this name.
pub(super) fn is_name(name: &str) -> bool {
    (1..=48).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn some_whole<'de, const MIN: i64, const MAX: i64, T: TryFrom<i64>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    value::whole::<MIN, MAX, T, D>(from).map(Some)
}

fn some_wall_secs<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    value::wall_secs::<100, 600, D>(from).map(Some)
}

fn some_temperature<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    value::number::<0, 2, D>(from).map(Some)
}

fn some_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    value::text::<200, D>(from).map(Some)
}

fn some_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match toml::Value::deserialize(from)? {
        toml::Value::String(name) if is_name(&name) => Ok(Some(name)),
        _ => Err(D::Error::custom("expected the name of a provider under [llm.providers]")),
    }
}

fn some_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    value::url(from, "an address such as \"https://api.openai.com/v1\"").map(Some)
}

fn some_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    value::file(from).map(Some)
}

/// In capitals, as such variables are, so that a key that was pasted here by mistake is none.
fn some_variable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let what =
        "expected the name of an environment variable in capitals, such as \"OPENAI_API_KEY\", and not the key itself";
    match value::variable(from) {
        Ok(name) if !name.bytes().any(|b| b.is_ascii_lowercase()) => Ok(Some(name)),
        _ => Err(D::Error::custom(what)),
    }
}
