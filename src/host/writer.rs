//! Words and decisions for a bot: by the model of its role, or by the offline writer.
//!
//! Every call names its purpose, and money is counted by it; where no model can be had, the offline writer is the last to ask.

mod ask;
mod question;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand::Rng;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::config::LlmFallback;
use crate::llm::Wish;
use crate::model::failure::FailureKind;
use crate::text;

use super::budget::Refused;
use super::refusal::Refusal;
use super::{Host, Side, offline};
use ask::Unable;
use question::{Answer, Form, Question};

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
    /// What the model is to be.
    pub look: Look,
}

/// Which model a script wishes for, and what it shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// A role or a model.
    pub model: Option<String>,
    /// The address of a picture.
    pub image: Option<String>,
}

/// A choice that a script wants made.
#[derive(Debug, Clone, PartialEq)]
pub struct Choosing {
    /// What for.
    pub purpose: String,
    /// What a model is asked.
    pub question: String,
    /// What there is to choose from.
    pub options: Vec<String>,
    /// Facts.
    pub about: BTreeMap<String, String>,
    /// What the model is to be.
    pub look: Look,
}

/// A table that a script wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// What for.
    pub purpose: String,
    /// What a model is told.
    pub prompt: String,
    /// Facts.
    pub about: BTreeMap<String, String>,
    /// What the model is to be.
    pub look: Look,
    /// The names and types (`string`, `number`, `boolean`) it must have.
    pub fields: BTreeMap<String, String>,
    /// The answer where no model is asked.
    pub fallback: Option<Map<String, Value>>,
}

/// What came of asking a model.
struct Asked {
    answer: Option<Answer>,
    /// Why it did not answer, when one was asked.
    why_not: Option<Refusal>,
}

impl Host {
    /// Writes a text.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when no template fits; what keeps a model from writing, when the config says so.
    pub async fn write(self: &Arc<Self>, writing: Writing) -> Result<String, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(scripted) = self.scripted(&writing.purpose) {
            return match scripted {
                Value::String(words) => self.received(&writing, &words),
                other => Err(not_scripted("llm.write", &writing.purpose, "a text", &other)),
            };
        }
        let form = Form::Text { max_chars: writing.max_chars };
        let asked = self.ask_model(&writing.purpose, &writing.prompt, &writing.about, &writing.look, form).await?;
        if let Some(Answer::Text(words)) = asked.answer {
            return Ok(words);
        }
        self.from_templates(&writing).await
    }

    /// Chooses one of several options and answers its place from 0.
    ///
    /// # Errors
    /// When there is nothing to choose from, and as [`Host::write`].
    pub async fn choose(&self, choosing: Choosing) -> Result<usize, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let Choosing { purpose, question, options, about, look } = choosing;
        if let Some(scripted) = self.scripted(&purpose) {
            let place = scripted.as_u64().and_then(|place| usize::try_from(place).ok());
            return place.filter(|place| (1..=options.len()).contains(place)).map(|place| place - 1).ok_or_else(|| {
                let expected = format!("a place from 1 to {}", options.len());
                not_scripted("llm.choose", &purpose, &expected, &scripted)
            });
        }
        if !options.is_empty() {
            let form = Form::Choice { options: options.clone() };
            let asked = self.ask_model(&purpose, &question, &about, &look, form).await?;
            if let Some(Answer::Choice(place)) = asked.answer {
                return Ok(place);
            }
        }
        self.with_chance(|rng| offline::choose(&options, &self.persona.interests, rng))
            .ok_or_else(|| Refusal::Wrong("llm.choose: `options` is empty".to_owned()))
    }

    /// Answers with a table of named fields.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when no model is asked and there is no fallback, and as [`Host::write`].
    pub async fn answer(&self, asking: Asking) -> Result<Map<String, Value>, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let fallback = match self.scripted(&asking.purpose) {
            Some(Value::Object(fields)) => Some(fields),
            Some(other) => return Err(not_scripted("llm.json", &asking.purpose, "a table of its fields", &other)),
            None => {
                let form = Form::Fields { fields: asking.fields.clone() };
                let asked = self.ask_model(&asking.purpose, &asking.prompt, &asking.about, &asking.look, form).await?;
                match (asked.answer, asking.fallback, asked.why_not) {
                    (Some(Answer::Fields(table)), ..) => return Ok(table),
                    // The template writer has no tables, so what kept the model from answering is told.
                    (_, None, Some(why)) => return Err(why),
                    (_, fallback, _) => fallback,
                }
            }
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

    /// Asks the model that is to write for this bot, if there is one. The call goes on to its end when the bot stops.
    ///
    /// # Errors
    /// What kept it from answering, where the offline writer must not stand in.
    async fn ask_model(
        &self,
        purpose: &str,
        instruction: &str,
        about: &BTreeMap<String, String>,
        look: &Look,
        form: Form,
    ) -> Result<Asked, Refusal> {
        let nobody = Asked { answer: None, why_not: None };
        let Side::Live(world) = &self.side else { return Ok(nobody) };
        let llm = world.llm.load_full();
        let wish = Wish {
            bot: &self.bot.to_string(),
            persona: self.persona.name.as_str(),
            purpose,
            call: look.model.as_deref(),
            script: self.persona.model.as_deref(),
            has_image: look.image.is_some(),
        };
        let Some(lane) = llm.choose(wish).cloned() else { return Ok(nobody) };
        let question = Question {
            bot: self.bot.clone(),
            persona: self.persona.clone(),
            purpose: purpose.to_owned(),
            instruction: instruction.to_owned(),
            about: about.clone(),
            memories: self.memories_of(about).await?,
            image: look.image.clone(),
            form,
            seed: self.with_chance(|rng| u64::from(rng.next_u32())),
        };
        let fallback = llm.fallback();
        let shared = world.clone();
        let asked = self.wait(world, async move { ask::ask(&shared, &llm, &lane, &question).await }).await?;
        let unable = match asked {
            Ok(answer) => return Ok(Asked { answer: Some(answer), why_not: None }),
            Err(unable) => unable,
        };
        let is_at_end = matches!(&unable, Unable::Budget(Refused::Spent(_)));
        let sleeps = matches!(&unable, Unable::Budget(refused) if refused.sleeps_until().is_some());
        let why = self.refusal_of(unable, &world.clock);
        match fallback {
            // What a budget says of its end goes before what is to be done when a model fails.
            _ if sleeps => Err(self.hear(why)),
            LlmFallback::Fail if !is_at_end => Err(why),
            _ => Ok(Asked { answer: None, why_not: Some(why) }),
        }
    }

    fn refusal_of(&self, unable: Unable, clock: &Clock) -> Refusal {
        match unable {
            Unable::Budget(refused) => refused.refusal(jiff::Timestamp::now(), clock),
            Unable::Model(error) => Refusal::Failure(error.failure()),
            Unable::Answer { model, complaint } => Refusal::failure(
                FailureKind::Unavailable,
                format!("the model `{model}` gave no answer that can be used: {complaint}"),
            ),
        }
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
