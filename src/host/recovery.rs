//! What came of an action that nobody answered: looked up in the gallery, never tried again on a guess.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::floimg;
use crate::model::action::{ActionKind, Intent, IntentState};
use crate::model::activity::{Ending, NewActivity};
use crate::store::OwnPost;

use super::World;
use super::outcome::{optional_text, text_of};
use super::refusal::Refusal;

/// What the gallery shows of an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It happened, with what the script would have been told.
    Yes(Value),
    /// There is no trace of it.
    No,
    /// The gallery has no way to tell.
    CannotTell,
}

/// Clocks of two machines may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// Looks in the gallery whether an action happened.
///
/// # Errors
/// When the gallery cannot be asked.
pub async fn look_up(world: &World, agent: &str, intent: &Intent) -> Result<Found, floimg::error::Error> {
    let what = &intent.what;
    let since = what.at.saturating_sub(SKEW).unwrap_or(Timestamp::MIN);
    match what.kind {
        ActionKind::Generate => Ok(Found::CannotTell),
        ActionKind::Upvote => match world.floimg.post(Some(agent), &what.target).await {
            Ok(post) => Ok(match post.is_liked {
                Some(true) => Found::Yes(json!({ "likes": post.like_count })),
                Some(false) => Found::No,
                None => Found::CannotTell,
            }),
            Err(floimg::error::Error::NotFound { .. }) => Ok(Found::No),
            Err(error) => Err(error),
        },
        ActionKind::Comment => find_comment(world, agent, intent, since).await,
        ActionKind::Share | ActionKind::Remix => {
            let title = text_of(&what.payload, "title");
            let image = text_of(&what.payload, "image_url");
            let posts = match world.floimg.user_posts(agent).await {
                Ok(posts) => posts,
                Err(floimg::error::Error::NotFound { .. }) => return Ok(Found::No),
                Err(error) => return Err(error),
            };
            let found = posts.into_iter().find(|post| {
                is_same(&post.title, &title)
                    && post.created_at >= since
                    && post.image_url.as_deref().is_none_or(|url| url == image || !is_comparable(url, &image))
            });
            Ok(found.map_or(Found::No, |post| {
                Found::Yes(json!({
                    "id": post.id, "title": post.title, "at": post.created_at.as_millisecond(), "workflow_id": post.workflow_id
                }))
            }))
        }
    }
}

/// A gallery may take spaces off the ends, or put one kind for another.
fn is_same(kept: &str, sent: &str) -> bool {
    kept.split_whitespace().eq(sent.split_whitespace())
}

/// A gallery may keep its own copy of a picture under another address; then only title and time can be compared.
fn is_comparable(url: &str, image: &str) -> bool {
    let host = |url: &str| url.split('/').nth(2).map(str::to_owned);
    host(url) == host(image)
}

async fn find_comment(
    world: &World,
    agent: &str,
    intent: &Intent,
    since: Timestamp,
) -> Result<Found, floimg::error::Error> {
    const PAGE: u32 = 100;
    const PAGES: u32 = 20;
    let post = text_of(&intent.what.payload, "post");
    let content = text_of(&intent.what.payload, "content");
    for page in 0..PAGES {
        let comments = match world.floimg.comments(Some(agent), &post, PAGE, page * PAGE).await {
            Ok(comments) => comments,
            Err(floimg::error::Error::NotFound { .. }) => return Ok(Found::No),
            Err(error) => return Err(error),
        };
        let is_full = comments.len() >= PAGE as usize;
        let found = comments.into_iter().find(|comment| {
            comment.author.username.as_deref() == Some(agent)
                && is_same(&comment.content, &content)
                && comment.created_at >= since
        });
        if let Some(comment) = found {
            return Ok(Found::Yes(
                json!({ "id": comment.id, "at": comment.created_at.as_millisecond(), "content": comment.content }),
            ));
        }
        if !is_full {
            return Ok(Found::No);
        }
    }
    Ok(Found::CannotTell)
}

/// Settles an action that a crash left open; one that the gallery cannot be asked about stays open.
///
/// # Errors
/// When the store fails.
pub async fn settle(world: &Arc<World>, agent: &str, mut intent: Intent) -> Result<Intent, Refusal> {
    let now = world.clock.now();
    let (state, outcome) = match look_up(world, agent, &intent).await {
        Ok(Found::Yes(outcome)) => (IntentState::Done, outcome),
        // No trace is proof only when the gallery cannot be working on it any more.
        Ok(Found::No) if is_over(world, intent.what.at, now) => (IntentState::Failed, Value::Null),
        Ok(Found::No | Found::CannotTell) => (IntentState::Unknown, Value::Null),
        Err(error) => {
            warn!(
                bot = %intent.what.bot, kind = intent.what.kind.as_str(), error = &error as &dyn std::error::Error,
                "could not look up an unsettled action, it stays open"
            );
            return Ok(intent);
        }
    };
    if state == intent.state {
        // Looked up once more, and nobody knows more than before.
        return Ok(intent);
    }
    let (ending, text) = match state {
        IntentState::Done => (Ending::Done, "found in the gallery after a restart"),
        IntentState::Failed => (Ending::Failed, "did not happen before the restart"),
        IntentState::Open | IntentState::Unknown => (Ending::Unknown, "cut off, and nobody can tell; not repeated"),
    };
    if state == IntentState::Done && matches!(intent.what.kind, ActionKind::Share | ActionKind::Remix) {
        let post = OwnPost {
            id: text_of(&outcome, "id"),
            bot: intent.what.bot.clone(),
            title: text_of(&outcome, "title"),
            workflow: optional_text(&outcome, "workflow_id"),
            at: intent.what.at,
            comments_seen: 0,
        };
        world.store.add_post(post).await?;
    }
    let words = match (state, intent.what.kind) {
        (IntentState::Done, ActionKind::Comment) => Some(text_of(&intent.what.payload, "content")),
        (IntentState::Done, ActionKind::Share | ActionKind::Remix) => Some(text_of(&intent.what.payload, "title")),
        _ => None,
    };
    let activity = NewActivity {
        at: now,
        bot: Some(intent.what.bot.clone()),
        persona: Some(intent.what.bot.persona.clone()),
        kind: intent.what.kind.as_str().to_owned(),
        ending,
        target: intent.what.target.clone(),
        text: text.to_owned(),
        detail: json!({ "recovered": true, "outcome": outcome }),
    };
    let activity = world.store.settle_intent(intent.id, state, outcome.clone(), words, activity).await?;
    world.journal.announce(activity);
    intent.state = state;
    intent.outcome = outcome;
    Ok(intent)
}

fn is_over(world: &World, at: Timestamp, now: Timestamp) -> bool {
    let passed = now.duration_since(at).as_secs_f64() / world.clock.speed();
    passed >= world.certain_after.as_secs_f64()
}

/// Settles what a crash left open, at the start and before any bot acts; what cannot be asked now is asked when it matters.
///
/// # Errors
/// When the store fails.
pub async fn settle_all(world: &Arc<World>, username: impl Fn(&Intent) -> Option<String>) -> Result<(), Refusal> {
    let open = world.store.open_intents().await?;
    if open.is_empty() {
        return Ok(());
    }
    info!(count = open.len(), "settling actions that were cut off");
    for intent in open {
        if let Some(agent) = username(&intent) {
            settle(world, &agent, intent).await?;
        }
    }
    Ok(())
}
