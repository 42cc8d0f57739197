//! Hooks: what plugins may say to an action before it happens, and hear of it afterwards.
//!
//! This floor knows no plugin: it asks whoever stands behind [`Hooks`], and whatever they answer, the host's own limits
//! have the last word.

use std::fmt;

use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use serde_json::Value;

use crate::model::action::ActionKind;
use crate::model::failure::{Failure, FailureKind};
use crate::model::name::BotId;

/// What others will read of an action. Empty for an action that says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    /// The title of a post.
    pub title: String,
    /// What is written under a post.
    pub description: String,
    /// The text of a comment, or the prompt of a picture.
    pub text: String,
}

/// An action about to happen, or one that did.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// What.
    pub kind: ActionKind,
    /// Who.
    pub bot: BotId,
    /// Its username.
    pub username: String,
    /// The name shown.
    pub name: String,
    /// The post that it is about.
    pub post: Option<String>,
    /// Who shared that post.
    pub post_author: Option<String>,
    /// Whether an account of this fleet did.
    pub post_author_is_fleet: bool,
    /// The comment that it answers.
    pub reply_to: Option<String>,
    /// The picture that it shares.
    pub image_url: Option<String>,
    /// What others will read.
    pub says: Says,
}

/// What the plugins made of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may happen, with these words.
    Allow(Says),
    /// One of them says no.
    Deny {
        /// Which.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// One of them could not answer, and wants nothing to happen without it.
    Unavailable {
        /// Which.
        plugin: String,
        /// Why it could not.
        why: String,
    },
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whether it happened.
    pub is_done: bool,
    /// Why it did not: the kind of the failure and its words.
    pub failure: Option<(FailureKind, String)>,
    /// The gallery's id of what it made.
    pub id: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Whoever has a say in actions.
pub trait Hooks: Send + Sync + fmt::Debug {
    /// Whether anybody wants to be asked, so that nobody waits for nobody.
    fn has_before(&self) -> bool;

    /// Asks everybody in their order, each for no longer than its deadline.
    fn before(&self, action: Action) -> BoxFuture<'static, Decision>;

    /// Tells everybody what came of an action. Waits for nobody.
    fn after(&self, action: Action, outcome: Outcome);

    /// Calls a function that a plugin offers.
    fn call(&self, plugin: String, export: String, arguments: Value) -> BoxFuture<'static, Result<Value, Failure>>;
}

/// Nobody: every action is allowed as it is.
#[derive(Debug)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn has_before(&self) -> bool {
        false
    }

    fn before(&self, action: Action) -> BoxFuture<'static, Decision> {
        async move { Decision::Allow(action.says) }.boxed()
    }

    fn after(&self, _: Action, _: Outcome) {}

    fn call(&self, plugin: String, _: String, _: Value) -> BoxFuture<'static, Result<Value, Failure>> {
        let failure = Failure::new(FailureKind::Unavailable, format!("the plugin `{plugin}` does not run"));
        async move { Err(failure) }.boxed()
    }
}
