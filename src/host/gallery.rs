//! Looking at the gallery, as one bot sees it.

use std::sync::Arc;

use crate::floimg;
use crate::model::gallery::{Author, Comment, FeedQuery, Post};

use super::refusal::Refusal;
use super::{Host, Side, World};

/// A post with what it means to this bot.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenPost {
    /// The post.
    pub post: Post,
    /// Whether this bot shared it.
    pub is_me: bool,
    /// Whether an account of this fleet shared it.
    pub is_fleet: bool,
}

/// A comment with what it means to this bot.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenComment {
    /// The comment.
    pub comment: Comment,
    /// Whether this bot wrote it.
    pub is_me: bool,
    /// Whether an account of this fleet wrote it.
    pub is_fleet: bool,
}

impl Host {
    /// Posts of the gallery.
    ///
    /// # Errors
    /// What the world said.
    pub async fn feed(&self, query: FeedQuery) -> Result<Vec<SeenPost>, Refusal> {
        let posts = match &self.side {
            Side::Live(world) => {
                let agent = self.viewer();
                self.look(world, move |floimg| async move {
                    floimg.feed(agent.as_deref(), &query).await.map(|page| page.posts)
                })
                .await?
            }
            Side::Trial(trial) => trial.feed(&self.profile.username, &query),
        };
        Ok(posts.into_iter().map(|post| self.see(post)).collect())
    }

    /// One post.
    ///
    /// # Errors
    /// What the world said.
    pub async fn post(&self, id: String) -> Result<SeenPost, Refusal> {
        let post = match &self.side {
            Side::Live(world) => {
                let agent = self.viewer();
                self.look(world, move |floimg| async move { floimg.post(agent.as_deref(), &id).await }).await?
            }
            Side::Trial(trial) => trial.post(&self.profile.username, &id)?,
        };
        Ok(self.see(post))
    }

    /// This bot's own posts, newest first.
    ///
    /// # Errors
    /// What the world said.
    pub async fn mine(&self, limit: usize) -> Result<Vec<SeenPost>, Refusal> {
        let mut posts = match &self.side {
            Side::Live(world) => {
                let agent = self.profile.username.clone();
                self.look(world, move |floimg| async move { floimg.user_posts(&agent).await }).await?
            }
            Side::Trial(trial) => trial.mine(&self.profile.username),
        };
        posts.sort_by_key(|post| std::cmp::Reverse(post.created_at));
        posts.truncate(limit);
        Ok(posts.into_iter().map(|post| self.see(post)).collect())
    }

    /// The comments under a post.
    ///
    /// # Errors
    /// What the world said.
    pub async fn comments(&self, post: String, limit: u32, offset: u32) -> Result<Vec<SeenComment>, Refusal> {
        let comments = match &self.side {
            Side::Live(world) => {
                let agent = self.viewer();
                self.look(
                    world,
                    move |floimg| async move { floimg.comments(agent.as_deref(), &post, limit, offset).await },
                )
                .await?
            }
            Side::Trial(trial) => trial.comments(&post, limit, offset)?,
        };
        Ok(comments
            .into_iter()
            .map(|comment| {
                let (is_me, is_fleet) = self.who(&comment.author);
                SeenComment { comment, is_me, is_fleet }
            })
            .collect())
    }

    /// Whether an author is this bot, and whether it is one of this fleet.
    pub fn who(&self, author: &Author) -> (bool, bool) {
        let Some(username) = author.username.as_deref() else { return (false, false) };
        let is_me = username == self.profile.username;
        let is_fleet = match &self.side {
            Side::Live(world) => world.known.load().contains_key(username),
            Side::Trial(trial) => trial.is_of_fleet(username),
        };
        (is_me, is_me || is_fleet)
    }

    pub(super) fn see(&self, post: Post) -> SeenPost {
        let (is_me, is_fleet) = self.who(&post.author);
        SeenPost { post, is_me, is_fleet }
    }

    async fn look<T, F, Fut>(&self, world: &Arc<World>, call: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(floimg::Floimg) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, floimg::error::Error>> + Send + 'static,
    {
        let floimg = world.floimg.clone();
        let result = self.wait(world, async move { call(floimg).await }).await?;
        result.map_err(|error| self.hear(Refusal::of_gallery(&error, world.clock.now())))
    }
}
