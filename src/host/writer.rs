//! Words and decisions for a bot: by the offline writer for now.
//!
//! Every call names its purpose, so that money can be counted by it once it costs any.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use crate::model::failure::FailureKind;
use crate::text;

use super::refusal::Refusal;
use super::{Host, Side, offline};

/// A text that a script wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Writing {
    /// What for.
    pub purpose: String,
    /// What a model is told; the offline writer needs none.
    pub prompt: String,
    /// Facts.
    pub about: BTreeMap<String, String>,
    /// The most characters.
    pub max_chars: usize,
    /// The call's own templates.
    pub templates: Vec<String>,
}

/// A table that a script wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// What for.
    pub purpose: String,
    /// The names and types (`string`, `number`, `boolean`) it must have.
    pub fields: BTreeMap<String, String>,
    /// The answer where no model is asked.
    pub fallback: Option<Map<String, Value>>,
}

/// How many of its last texts a new one is held against.
const RECENT: u32 = 60;

impl Host {
    /// Writes a text.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when no template fits.
    pub async fn write(self: &Arc<Self>, writing: Writing) -> Result<String, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(scripted) = self.scripted(&writing.purpose) {
            return match scripted {
                Value::String(words) => Ok(text::clip(&words, writing.max_chars)),
                other => Err(not_scripted("llm.write", &writing.purpose, "a text", &other)),
            };
        }
        let recent = match &self.side {
            Side::Live(world) => {
                let (host, shared) = (self.clone(), world.clone());
                self.wait(world, async move { host.recent_texts(&shared, RECENT).await }).await??
            }
            Side::Trial(trial) => trial.recent_texts(&self.profile.username, RECENT),
        };
        let request = offline::Request {
            purpose: &writing.purpose,
            about: &writing.about,
            templates: &writing.templates,
            lists: &self.persona.templates,
            words: &self.persona.identity.words,
            interests: &self.persona.interests,
            max_chars: writing.max_chars,
        };
        let text = self
            .with_chance(|rng| offline::write(&request, &recent, rng))
            .map_err(|problem| Refusal::failure(FailureKind::Unsupported, problem.to_string()))?;
        Ok(text)
    }

    /// Chooses one of several options and answers its place from 0.
    ///
    /// # Errors
    /// When there is nothing to choose from.
    pub async fn choose(&self, purpose: &str, options: &[String]) -> Result<usize, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(scripted) = self.scripted(purpose) {
            let place = scripted.as_u64().and_then(|place| usize::try_from(place).ok());
            return place.filter(|place| (1..=options.len()).contains(place)).map(|place| place - 1).ok_or_else(|| {
                let expected = format!("a place from 1 to {}", options.len());
                not_scripted("llm.choose", purpose, &expected, &scripted)
            });
        }
        self.with_chance(|rng| offline::choose(options, &self.persona.interests, rng))
            .ok_or_else(|| Refusal::Wrong("llm.choose: `options` is empty".to_owned()))
    }

    /// Answers with a table of named fields.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when there is no fallback, since no model is asked.
    pub async fn answer(&self, asking: Asking) -> Result<Map<String, Value>, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let fallback = match self.scripted(&asking.purpose) {
            Some(Value::Object(fields)) => Some(fields),
            Some(other) => return Err(not_scripted("llm.json", &asking.purpose, "a table of its fields", &other)),
            None => asking.fallback,
        };
        let Some(fallback) = fallback else {
            return Err(Refusal::failure(
                FailureKind::Unsupported,
                format!("no model is configured for `{}`, and the call has no fallback", asking.purpose),
            ));
        };
        for (name, kind) in &asking.fields {
            let fits = match fallback.get(name) {
                Some(Value::String(_)) => kind == "string",
                Some(Value::Number(_)) => kind == "number",
                Some(Value::Bool(_)) => kind == "boolean",
                _ => false,
            };
            if !fits {
                return Err(Refusal::Wrong(format!("llm.json: `fallback.{name}` must be a {kind}, as `fields` says")));
            }
        }
        Ok(fallback)
    }

    /// What a test lets a model say to this purpose.
    fn scripted(&self, purpose: &str) -> Option<Value> {
        let Side::Trial(trial) = &self.side else { return None };
        trial.next_answer(purpose)
    }

    /// Fills one template; `None` when a fact is missing.
    ///
    /// # Errors
    /// When the template cannot be read, with the place.
    pub fn fill(&self, template: &str, values: &BTreeMap<String, String>) -> Result<Option<String>, Refusal> {
        let request = offline::Request {
            purpose: "",
            about: values,
            templates: &[],
            lists: &self.persona.templates,
            words: &self.persona.identity.words,
            interests: &self.persona.interests,
            max_chars: usize::MAX,
        };
        match self.with_chance(|rng| offline::fill(template, &request, rng)) {
            Ok(text) => Ok(Some(text)),
            Err(text::grammar::Unfilled::Missing(_)) => Ok(None),
            Err(text::grammar::Unfilled::Bad(bad)) => Err(Refusal::Wrong(format!("text.fill: {bad}"))),
        }
    }
}

fn not_scripted(name: &str, purpose: &str, expected: &str, got: &Value) -> Refusal {
    Refusal::Wrong(format!("{name}: the test's answer to the purpose `{purpose}` must be {expected}, got {got}"))
}
