//! Which model writes: what the operator says of a bot or persona, else what the script says, else the role `small`.
//!
//! Every wish leads to a model or to the offline writer, also one for a model that is not there.

use std::sync::Arc;

use super::{Lane, Llm};
use crate::config::{Images, LlmProvider, OFFLINE, Role};

/// Who asks, and for which model.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The bot's id, such as `ai_artist-17`.
    pub bot: &'a str,
    /// Its persona.
    pub persona: &'a str,
    /// What the text is for.
    pub purpose: &'a str,
    /// The role or model that the call names.
    pub call: Option<&'a str>,
    /// The role or model that the persona's file names.
    pub script: Option<&'a str>,
    /// Whether there is a picture to look at.
    pub has_image: bool,
}

impl Llm {
    /// The model for a wish; nothing is the offline writer.
    pub fn choose(&self, wish: Wish<'_>) -> Option<&Arc<Lane>> {
        let is_offline = self.config.offline_purposes.iter().any(|purpose| purpose == wish.purpose);
        if self.config.provider == LlmProvider::Offline || is_offline {
            return None;
        }
        let bot = self.config.bots.iter().find(|(bot, _)| bot.as_str() == wish.bot).map(|(_, name)| name.as_str());
        let persona = self.config.personas.iter().find(|(persona, _)| persona.as_str() == wish.persona);
        let persona = persona.map(|(_, name)| name.as_str());
        let name = bot.or(persona).or(wish.call).or(wish.script).unwrap_or(Role::Small.as_str());
        let lane = self.named(name)?;
        // A picture goes to a model that sees; without one, words about it are better than none.
        let sees = |lane: &&Arc<Lane>| lane.config.images != Images::None;
        match wish.has_image && !sees(&lane) {
            true => Some(self.role(Role::Vision).filter(sees).unwrap_or(lane)),
            false => Some(lane),
        }
    }

    /// The model of the role `small`, for who has to save.
    pub fn cheaper(&self) -> Option<&Arc<Lane>> {
        self.role(Role::Small)
    }

    fn named(&self, name: &str) -> Option<&Arc<Lane>> {
        match Role::parse(name) {
            Some(role) => self.role(role),
            None if name == OFFLINE => None,
            None => self.lanes.get(name).or_else(|| self.role(Role::Small)),
        }
    }

    fn role(&self, role: Role) -> Option<&Arc<Lane>> {
        self.lanes.get(self.config.roles.get(&role)?.as_str())
    }
}
