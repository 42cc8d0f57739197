//! A bot's own part of a prompt: what it remembers, and a text of the template writer that nobody has said.
//!
//! However much a bot remembers, its prompt has the same room for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::host::refusal::Refusal;
use crate::host::writer::Writing;
use crate::host::{Host, Side, offline};
use crate::model::failure::FailureKind;

use super::{MEMORY_TOKENS, Prompting, Wanted, fresh, receive};

/// Most memories that are looked at for a prompt.
const MEMORIES: usize = 8;
/// How many of its last texts a new one is held against.
const RECENT: u32 = 60;
/// How often the template writer chooses anew because somebody has said it.
const CHOICES: usize = 8;
/// Facts that tell whom or what a memory should be about.
const TOPICS: [&str; 6] = ["author", "from", "username", "title", "subject", "topic"];

impl Host {
    /// What the bot remembers of whom and what a call is about, the most fitting first.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::host) async fn memories_of(&self, about: &BTreeMap<String, String>) -> Result<Vec<String>, Refusal> {
        let topics: Vec<&str> = TOPICS.iter().filter_map(|name| about.get(*name)).map(String::as_str).collect();
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let recalled = self.recall(Some(topics.join(" ")), None, None, MEMORIES).await?;
        Ok(recalled
            .into_iter()
            .filter(|recalled| !recalled.memory.text.is_empty())
            .map(|recalled| format!("{} {}: {}", recalled.memory.kind, recalled.memory.about, recalled.memory.text))
            .collect())
    }

    /// The text in what a test lets a model say, held to every rule that a model's answer is held to.
    ///
    /// # Errors
    /// When there is none that may be posted.
    pub(in crate::host) fn received(&self, writing: &Writing, answer: &str) -> Result<String, Refusal> {
        let prompting = Prompting {
            persona: &self.persona,
            purpose: &writing.purpose,
            instruction: &writing.prompt,
            about: &writing.about,
            memories: &[],
            memory_tokens: MEMORY_TOKENS,
            avoid: &[],
            image: None,
            wanted: Wanted::Text { max_chars: writing.max_chars },
        };
        receive(&prompting, answer, false).map_err(|spoilt| {
            Refusal::failure(
                FailureKind::Unavailable,
                format!("the model's answer to the purpose `{}` cannot be used: {spoilt}", writing.purpose),
            )
        })
    }

    /// A text from templates that is like nothing this bot wrote lately, and that nobody of the fleet has said.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when no template fits, or everything that fits was said.
    pub(in crate::host) async fn from_templates(self: &Arc<Self>, writing: &Writing) -> Result<String, Refusal> {
        let mut recent = match &self.side {
            Side::Live(world) => {
                let (host, shared) = (self.clone(), world.clone());
                self.wait(world, async move { host.recent_texts(&shared, RECENT).await }).await??
            }
            Side::Trial(trial) => trial.recent_texts(&self.profile.username, RECENT),
        };
        if writing.purpose != "title" {
            // The name of a work is no text for what stands under it, though nobody has said it yet.
            recent.extend(writing.about.get("title").cloned());
        }
        let request = offline::Request {
            purpose: &writing.purpose,
            about: &writing.about,
            templates: &writing.templates,
            lists: &self.persona.templates,
            words: &self.persona.identity.words,
            interests: &self.persona.interests,
            max_chars: writing.max_chars,
        };
        // Whoever asks if this is a bot is told so, however often it was told.
        let is_free = super::asks_if_bot(&writing.about) || super::is_private(&writing.purpose);
        for _ in 0..CHOICES {
            let text = self
                .with_chance(|rng| offline::write(&request, &recent, rng))
                .map_err(|problem| Refusal::failure(FailureKind::Unsupported, problem.to_string()))?;
            if is_free || !self.was_said(&text).await? {
                return Ok(text);
            }
            // What is recent is steered clear of, and so is this now.
            recent.insert(0, text);
        }
        Err(Refusal::failure(
            FailureKind::Unsupported,
            format!(
                "the fleet has said all that the templates for `{}` came up with: more of them would help",
                writing.purpose
            ),
        ))
    }

    /// Whether somebody of the fleet has said it, in these words or nearly.
    async fn was_said(&self, text: &str) -> Result<bool, Refusal> {
        match &self.side {
            Side::Live(world) => {
                let (shared, bot, text) = (world.clone(), self.bot.clone(), text.to_owned());
                let again = self.wait(world, async move { fresh::again(&shared, &bot, &text).await }).await??;
                Ok(again.is_some())
            }
            Side::Trial(trial) => Ok(trial.was_said(text)),
        }
    }
}
