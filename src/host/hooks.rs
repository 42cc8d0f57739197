//! Hooks: who is asked before an action, told after it, and called by personas.
//!
//! The host knows no plugin and no Luau: it asks whoever stands behind [`Hooks`], and never longer than that one promises.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::model::action::ActionKind;
use crate::model::failure::{Failure, FailureKind};
use crate::model::gallery::Author;
use crate::model::name::BotId;
use crate::model::plugin::PluginName;
use crate::model::seconds::Seconds;

use super::words::Words;

/// Who is asked, which is nobody unless it says otherwise. Its answers come within a bounded time.
pub trait Hooks: std::fmt::Debug + Send + Sync {
    /// Whether anybody would be asked before an action.
    fn asks(&self) -> bool {
        false
    }

    /// Whether anybody would be told after one.
    fn tells(&self) -> bool {
        false
    }

    /// Asks everybody in their order; each sees what those before it changed.
    fn before(&self, _: Asked) -> BoxFuture<'_, Verdict> {
        Box::pin(async { Verdict::Allow })
    }

    /// Tells everybody what came of it; waits for nobody.
    fn after(&self, _: Asked, _: Outcome) {}

    /// Calls what a plugin exports.
    fn call<'a>(
        &'a self,
        plugin: &'a str,
        export: &'a str,
        arguments: Vec<Value>,
    ) -> BoxFuture<'a, Result<Value, Failure>>;
}

/// Nobody is asked.
#[derive(Debug, Clone, Copy)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn call<'a>(&'a self, plugin: &'a str, _: &'a str, _: Vec<Value>) -> BoxFuture<'a, Result<Value, Failure>> {
        let failure = Failure::new(FailureKind::Unavailable, format!("the plugin `{plugin}` is not there"));
        Box::pin(async move { Err(failure) })
    }
}

/// An action that somebody is asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What it does.
    pub kind: ActionKind,
    /// Who acts.
    pub bot: BotId,
    /// The bot's name.
    pub name: Arc<str>,
    /// The bot's username.
    pub username: Arc<str>,
    /// What it concerns.
    pub about: About,
    /// What others will read of it.
    pub words: Words,
}

/// What an action concerns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// The post.
    pub post: Option<String>,
    /// Who shared that post.
    pub post_author: Option<String>,
    /// Whether that is an account of this fleet.
    pub post_author_is_fleet: bool,
    /// The comment that is answered.
    pub reply_to: Option<String>,
    /// Who wrote that comment.
    pub reply_author: Option<Author>,
    /// What that comment says.
    pub reply_text: Option<String>,
    /// What the picture was asked to be.
    pub prompt: Option<String>,
    /// The picture.
    pub image_url: Option<String>,
}

/// What everybody together said.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It may happen as it is.
    Allow,
    /// It may happen with these words.
    Change(Words, Vec<Changed>),
    /// It must not happen; for so long, where the plugin knows.
    Deny(PluginName, String, Option<Seconds>),
    /// Nobody can say, because somebody who must be asked does not answer.
    Unanswered(PluginName, String),
}

/// Who changed the words of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The plugin.
    pub by: PluginName,
    /// Why, where it said so.
    pub reason: Option<String>,
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The post or comment that it made.
    pub id: Option<String>,
    /// Why it did not happen.
    pub failure: Option<Failure>,
}
