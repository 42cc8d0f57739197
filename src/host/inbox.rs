//! The inbox: notices what people do to the bots' posts, once for the whole fleet.
//!
//! It reads the feed, not every bot's page, so its cost does not grow with the fleet.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::debug;

use crate::floimg;
use crate::model::gallery::{Comment, FeedQuery, FeedSort, Post};
use crate::model::name::BotId;
use crate::store::{self, NewEvent};

use super::World;

/// Watches the gallery for events that concern bots.
#[derive(Debug)]
pub struct Inbox {
    world: Arc<World>,
    /// Comments under a post when it was last looked at; bounded by the pages that are read.
    seen: HashMap<String, u32>,
    looks: u64,
}

/// Why a look ended early; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The gallery could not be read.
    #[error("could not look for events in the gallery")]
    Gallery(#[from] floimg::error::Error),
    /// The store could not be read or written.
    #[error("could not keep events")]
    Store(#[from] store::Error),
}

const PAGE: u32 = 100;
/// Pages of a deep look.
const DEEP_PAGES: u32 = 10;
/// One look in so many is deep.
const DEEP_EVERY: u64 = 20;
/// Posts whose comment counts are remembered.
const SEEN: usize = 4096;

impl Inbox {
    /// An inbox that has seen nothing yet.
    pub fn new(world: Arc<World>) -> Self {
        Self { world, seen: HashMap::new(), looks: 0 }
    }

    /// Looks once and answers which bots have something new to hear.
    ///
    /// # Errors
    /// When the gallery or the store cannot be asked.
    pub async fn look(&mut self) -> Result<Vec<BotId>, Error> {
        let pages = if self.looks.is_multiple_of(DEEP_EVERY) { DEEP_PAGES } else { 1 };
        self.looks += 1;
        let mut events = Vec::new();
        for page in 0..pages {
            let query = FeedQuery { limit: PAGE, offset: page * PAGE, sort: FeedSort::Recent, ..FeedQuery::default() };
            let feed = self.world.floimg.feed(None, &query).await?;
            for post in &feed.posts {
                self.look_at(post, &mut events).await?;
            }
            if !feed.may_have_more {
                break;
            }
        }
        if self.seen.len() > SEEN {
            // What was dropped is looked at once more; an event is told once whatever happens.
            self.seen.clear();
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let told = self.world.store.add_events(events).await?;
        debug!(bots = told.len(), "events");
        Ok(told)
    }

    async fn look_at(&mut self, post: &Post, events: &mut Vec<NewEvent>) -> Result<(), Error> {
        let seen = self.seen.get(&post.id).copied();
        if seen.is_none() {
            self.remix(post, events).await?;
        }
        if seen == Some(post.comment_count) || post.comment_count == 0 {
            self.seen.insert(post.id.clone(), post.comment_count);
            return Ok(());
        }
        let owner = self.world.store.own_post(&post.id).await?;
        if owner.as_ref().is_some_and(|owner| owner.comments_seen == post.comment_count) {
            self.seen.insert(post.id.clone(), post.comment_count);
            return Ok(());
        }
        let mut offset = 0;
        let mut all = Vec::new();
        loop {
            let comments = self.world.floimg.comments(None, &post.id, PAGE, offset).await?;
            let is_full = comments.len() >= PAGE as usize;
            all.extend(comments);
            offset += PAGE;
            if !is_full || offset >= PAGE * DEEP_PAGES {
                break;
            }
        }
        for comment in &all {
            self.comment(post, owner.as_ref().map(|owner| &owner.bot), comment, events);
        }
        if owner.is_some() {
            self.world.store.saw_comments(&post.id, post.comment_count).await?;
        }
        self.seen.insert(post.id.clone(), post.comment_count);
        Ok(())
    }

    fn comment(&self, post: &Post, owner: Option<&BotId>, comment: &Comment, events: &mut Vec<NewEvent>) {
        let known = self.world.known.load();
        let from = comment.author.username.clone();
        let writer = from.as_deref().and_then(|username| known.get(username));
        let event = |bot: &BotId, kind: &str| NewEvent {
            bot: bot.clone(),
            source: format!("comment:{}", comment.id),
            kind: kind.to_owned(),
            post: post.id.clone(),
            post_title: post.title.clone(),
            comment: Some(comment.id.clone()),
            text: Some(comment.content.clone()),
            from: from.clone(),
            is_fleet: writer.is_some(),
            at: comment.created_at,
        };
        let mut told: Vec<BotId> = writer.cloned().into_iter().collect();
        for bot in mentions(&comment.content).filter_map(|name| known.get(name)) {
            if !told.contains(bot) {
                told.push(bot.clone());
                let kind = if owner == Some(bot) { "comment" } else { "mention" };
                events.push(event(bot, kind));
            }
        }
        if let Some(owner) = owner.filter(|owner| !told.contains(owner)) {
            events.push(event(owner, "comment"));
        }
    }

    async fn remix(&self, post: &Post, events: &mut Vec<NewEvent>) -> Result<(), Error> {
        let Some(workflow) = &post.workflow_id else { return Ok(()) };
        let Some(parent) = self.world.store.post_of_workflow(workflow).await? else { return Ok(()) };
        let by_owner = self.world.store.own_post(&post.id).await?.is_some_and(|own| own.bot == parent.bot);
        if parent.id == post.id || by_owner {
            return Ok(());
        }
        let from = post.author.username.clone();
        let is_fleet = from.as_deref().is_some_and(|username| self.world.known.load().contains_key(username));
        events.push(NewEvent {
            bot: parent.bot,
            source: format!("remix:{}", post.id),
            kind: "remix".to_owned(),
            post: post.id.clone(),
            post_title: post.title.clone(),
            comment: None,
            text: None,
            from,
            is_fleet,
            at: post.created_at,
        });
        Ok(())
    }
}

/// Usernames that a text addresses with an `@`.
fn mentions(text: &str) -> impl Iterator<Item = &str> {
    text.split('@').skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn mentions_are_found_in_a_text() {
        let found: Vec<&str> = mentions("@mira_4, see @otto! mail a@b.c @ ").collect();
        assert_eq!(found, ["mira_4", "otto", "b"]);
    }
}
