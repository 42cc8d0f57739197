//! Freshness: nothing is said twice, not by one bot and not by two.
//!
//! The very words of a text are claimed with the action that says them; here is what a text is held against before.

use jiff::{SignedDuration, Timestamp};

use crate::host::words::Words;
use crate::host::{Rules, World};
use crate::model::name::BotId;
use crate::store::{self, Claim};
use crate::text::{self, Prints};

/// How many of a bot's earlier texts a new one is held against.
const TEXTS_LOOKED_AT: u32 = 200;

/// So many words are more than a name.
const SENTENCE: usize = 5;

/// What a text is too like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// Something that this bot wrote.
    Own(String),
    /// Something that another of the fleet wrote.
    Fleet(String),
    /// The very words of somebody of the fleet.
    Same,
}

impl Again {
    /// What must be avoided, for whoever writes it anew.
    pub fn words<'a>(&'a self, written: &'a str) -> &'a str {
        match self {
            Self::Own(words) | Self::Fleet(words) => words,
            Self::Same => written,
        }
    }
}

/// Whether a bot has written something like it lately.
///
/// # Errors
/// When the store fails.
pub async fn own(world: &World, bot: &BotId, words: &str, rules: &Rules) -> Result<Option<Again>, store::Error> {
    let since = days_ago(world, rules.duplicate_days);
    let said = world.store.texts_since(bot, since, TEXTS_LOOKED_AT).await?;
    let like = said.into_iter().find(|old| text::similarity(old, words) >= rules.duplicate_similarity);
    Ok(like.map(Again::Own))
}

/// Whether an action says something, beyond what a work is called.
pub fn is_said(words: &Words) -> bool {
    match words {
        Words::None => false,
        Words::Comment(_) => true,
        Words::Post { description, .. } => text::sentence_like(description, SENTENCE),
    }
}

/// Whether another bot has written something nearly the same lately.
///
/// # Errors
/// When the store fails.
pub async fn fleet(world: &World, bot: &BotId, words: &str, rules: &Rules) -> Result<Option<Again>, store::Error> {
    let Some(prints) = Prints::of(words) else { return Ok(None) };
    let since = days_ago(world, rules.fleet_duplicate_days);
    let near = world.store.texts_near(bot, &prints, since).await?;
    let like = near.into_iter().find(|old| text::similarity(old, words) >= rules.fleet_duplicate_similarity);
    Ok(like.map(Again::Fleet))
}

/// Whether a text that is not posted yet would be refused for what was said before.
///
/// # Errors
/// When the store fails.
pub async fn again(world: &World, bot: &BotId, words: &str) -> Result<Option<Again>, store::Error> {
    let rules = world.rules.load_full();
    if let Some(prints) = Prints::of(words)
        && world.store.has_print(prints.exact).await?
    {
        return Ok(Some(Again::Same));
    }
    match own(world, bot, words, &rules).await? {
        None => fleet(world, bot, words, &rules).await,
        again => Ok(again),
    }
}

/// What an action claims. Two works may bear one name and a word or two under them, though writers steer clear of it; what is
/// said in a sentence, and whatever is said to somebody, is said once.
///
/// What `tells_truth` to somebody who asked if this is a bot may be said by all.
pub fn claims(words: &Words, tells_truth: bool) -> Vec<Claim> {
    let claim = |text: &str, is_said: bool| {
        let is_sole = !tells_truth && (is_said || text::sentence_like(text, SENTENCE));
        Prints::of(text).map(|prints| Claim { print: prints.exact, is_sole })
    };
    let claims = match words {
        Words::None => [None, None],
        // To whom it is said makes it no other text.
        Words::Comment(text) => {
            let rest = text.strip_prefix('@').and_then(|rest| rest.split_once(' '));
            [claim(text, true), rest.and_then(|(_, rest)| claim(rest, true))]
        }
        Words::Post { title, description } => [claim(title, false), claim(description, false)],
    };
    claims.into_iter().flatten().collect()
}

fn days_ago(world: &World, days: u32) -> Timestamp {
    let days = SignedDuration::from_hours(24 * i64::from(days));
    world.clock.now().saturating_sub(days).unwrap_or(Timestamp::MIN)
}
