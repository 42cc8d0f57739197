//! What a test gives to the trial: posts, accounts of the fleet, a model's answers, and failures.
//!
//! All of it is plain data; nothing here knows who asks for it.

use std::collections::VecDeque;

use serde_json::Value;

use crate::model::failure::Failure;
use crate::model::gallery::{Comment, Post};

use super::Trial;

/// What a language model says to calls of one purpose.
#[derive(Debug, Clone, PartialEq)]
pub enum Scripted {
    /// The same each time.
    Always(Value),
    /// One after the other; when they are used up, the offline writer goes on.
    InTurn(VecDeque<Value>),
}

/// A failure that calls of one primitive meet.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedFailure {
    /// The primitive, like `floimg.comment`.
    pub name: String,
    /// What its caller is told.
    pub failure: Failure,
    /// How many more calls fail; without a number, all.
    pub left: Option<u32>,
}

impl Trial {
    /// Puts a post with its comments into the gallery; one with the same id goes.
    pub fn add_post(&self, post: Post, comments: Vec<Comment>) {
        let mut inner = self.inner();
        inner.posts.retain(|old| old.id != post.id);
        inner.comments.retain(|(on, _)| *on != post.id);
        inner.comments.extend(comments.into_iter().map(|comment| (post.id.clone(), comment)));
        inner.posts.push(post);
    }

    /// Puts one more comment under a post; false when there is no such post.
    pub fn add_comment(&self, post: &str, comment: Comment) -> bool {
        let mut inner = self.inner();
        let Some(known) = inner.posts.iter_mut().find(|known| known.id == post) else { return false };
        known.comment_count += 1;
        inner.comments.push((post.to_owned(), comment));
        true
    }

    /// Every post there is, in the order they came.
    pub fn posts(&self) -> Vec<Post> {
        self.inner().posts.clone()
    }

    /// Every comment there is, with the post it is under.
    pub fn all_comments(&self) -> Vec<(String, Comment)> {
        self.inner().comments.clone()
    }

    /// Counts an account as one of the fleet.
    pub fn add_to_fleet(&self, username: &str) {
        self.inner().fleet.insert(username.to_owned());
    }

    /// Lets calls of a primitive fail.
    pub fn plan_failure(&self, planned: PlannedFailure) {
        self.inner().failures.push(planned);
    }

    /// What the next call of this primitive meets, taken from what was planned.
    pub(in crate::host) fn next_failure(&self, name: &str) -> Option<Failure> {
        let mut inner = self.inner();
        let place = inner.failures.iter().position(|planned| planned.name == name)?;
        let planned = inner.failures.get_mut(place)?;
        let failure = planned.failure.clone();
        match &mut planned.left {
            Some(left) if *left <= 1 => {
                inner.failures.remove(place);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Some(failure)
    }

    /// Lets a model answer calls of a purpose.
    pub fn script(&self, purpose: &str, scripted: Scripted) {
        self.inner().scripted.insert(purpose.to_owned(), scripted);
    }

    /// What a model says to this purpose now, taken from what was scripted.
    pub(in crate::host) fn next_answer(&self, purpose: &str) -> Option<Value> {
        match self.inner().scripted.get_mut(purpose)? {
            Scripted::Always(value) => Some(value.clone()),
            Scripted::InTurn(values) => values.pop_front(),
        }
    }
}
