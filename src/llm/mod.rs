//! Language models: every provider that speaks OpenAI's chat API, each behind limits and a breaker of its own.
//!
//! A call ends by its deadline as a reply or as one [`Error`] that says whether it may have cost anything.

mod call;
mod error;
mod picture;
mod provider;
mod route;
mod wire;

pub use call::{Call, Lane, Turn};
pub use error::Error;
pub use route::Wish;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::warn;
use url::Url;

use crate::backoff::Backoff;
use crate::breaker::{Breaker, REST};
use crate::bucket::Bucket;
use crate::config::{LlmConfig, LlmFallback, ModelConfig, ProviderConfig};
use call::Provider;
use picture::Pictures;
use provider::Sender;

/// All models that the config names, and who gets which.
#[derive(Debug)]
pub struct Llm {
    config: LlmConfig,
    lanes: BTreeMap<String, Arc<Lane>>,
    pictures: Pictures,
}

impl Llm {
    /// Makes a client for every provider. Pictures are sent along only from these servers.
    ///
    /// # Errors
    /// When a client cannot be set up on this machine, or a key can be in no header.
    pub fn new(config: &LlmConfig, studios: &[Url]) -> Result<Self, Error> {
        Self::build(config, Pictures::new(studios)?)
    }

    /// The same for another config.
    ///
    /// # Errors
    /// As [`Llm::new`].
    pub fn with(&self, config: &LlmConfig) -> Result<Self, Error> {
        Self::build(config, self.pictures.clone())
    }

    fn build(config: &LlmConfig, pictures: Pictures) -> Result<Self, Error> {
        let mut providers = BTreeMap::new();
        let used = config.models.values().filter_map(|model| model.provider.as_ref());
        for name in used {
            if let Some(settings) = config.providers.get(name)
                && !providers.contains_key(name)
                && let Some(base) = &settings.base_url
            {
                providers.insert(name.clone(), Arc::new(provider(name, base, settings, config)?));
            }
        }
        let lane = |(name, model): (&String, &ModelConfig)| {
            let provider = providers.get(model.provider.as_ref()?)?.clone();
            let settings = config.providers.get(model.provider.as_ref()?)?;
            let most = settings.max_concurrent.unwrap_or(config.max_concurrent);
            let rate = settings.requests_per_minute.unwrap_or(config.requests_per_minute);
            let lane = Lane {
                name: name.clone(),
                config: model.clone(),
                provider,
                turns: turns(model.max_concurrent.unwrap_or(most)),
                bucket: bucket(model.requests_per_minute.unwrap_or(rate)),
                held: Mutex::default(),
                throttled: AtomicU32::new(0),
                is_failing: AtomicBool::new(false),
            };
            Some((name.clone(), Arc::new(lane)))
        };
        let lanes = config.models.iter().filter_map(lane).collect();
        Ok(Self { config: config.clone(), lanes, pictures })
    }

    /// What happens when no model can be had.
    pub fn fallback(&self) -> LlmFallback {
        self.config.fallback
    }

    /// A model by its name in the config.
    pub fn lane(&self, name: &str) -> Option<&Arc<Lane>> {
        self.lanes.get(name)
    }

    /// All models, by name.
    pub fn lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        self.lanes.values()
    }
}

fn provider(name: &str, base: &Url, settings: &ProviderConfig, config: &LlmConfig) -> Result<Provider, Error> {
    let key = config.keys.get(name).cloned();
    let missing_key = match (&key, &settings.api_key_env, &settings.api_key_file) {
        (Some(_), ..) | (None, None, None) => None,
        (None, Some(variable), _) => Some(format!("the environment variable {variable} is not set")),
        (None, None, Some(file)) => Some(format!("the file `{}` cannot be read or is empty", file.display())),
    };
    if key.is_some() && base.scheme() == "http" && !provider::is_this_machine(base) {
        warn!(provider = name, %base, "the provider's key is sent unencrypted: use https, if it can");
    }
    Ok(Provider {
        name: name.to_owned(),
        sender: Sender::new(name, base, key, settings.length_key, config.max_reply_bytes)?,
        missing_key,
        turns: turns(settings.max_concurrent.unwrap_or(config.max_concurrent)),
        bucket: bucket(settings.requests_per_minute.unwrap_or(config.requests_per_minute)),
        breaker: Mutex::new(Breaker::Closed { faults: 0 }),
        rest: Backoff { base: config.rest, cap: REST.cap.max(config.rest) },
        timeout: settings.timeout.unwrap_or(config.timeout),
        attempt_timeout: settings.attempt_timeout.unwrap_or(config.attempt_timeout),
        max_attempts: settings.max_attempts.unwrap_or(config.max_attempts),
    })
}

fn turns(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)))
}

fn bucket(per_minute: u32) -> Bucket {
    Bucket::new(f64::from(per_minute.max(1)) / Duration::from_secs(60).as_secs_f64(), Instant::now())
}
