//! Performing an action: asked of plugins, allowed by the limits, written down, sent, settled and told.
//!
//! An intent is on disk before the call goes out and settled after it, whatever happens in between.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::error;

use crate::floimg;
use crate::model::action::{ActionKind, Intent, IntentState, NewIntent};
use crate::model::activity::{Ending, NewActivity};
use crate::model::failure::FailureKind;
use crate::store::{self, Opened, OwnPost};
use crate::text;

use super::action::{COMMENT_CHARS, DESCRIPTION_CHARS, TITLE_UNITS, optional_text, text_of, time_of};
use super::allow::allow;
use super::doubt::{in_doubt, replay, told_before};
use super::gallery::SeenPost;
use super::hooks::{Action, Decision, Outcome, Says};
use super::recovery::{self, Found};
use super::refusal::Refusal;
use super::{Host, World};

/// One action, ready to be checked, written down and sent.
pub(super) struct Plan {
    pub(super) kind: ActionKind,
    pub(super) target: String,
    pub(super) once: bool,
    pub(super) payload: Value,
    /// What others will read of it.
    pub(super) words: Option<String>,
    /// One line for the journal.
    pub(super) summary: String,
    pub(super) detail: Value,
    /// When the bot could have begun to type.
    pub(super) typing_from: Option<Timestamp>,
    /// What others will read, piece by piece, for plugins.
    pub(super) says: Says,
    /// What it is about, for plugins.
    pub(super) about: About,
}

/// What an action is about.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) post: Option<String>,
    pub(super) post_author: Option<String>,
    pub(super) post_author_is_fleet: bool,
    pub(super) reply_to: Option<String>,
    pub(super) image_url: Option<String>,
}

impl About {
    pub(super) fn of(seen: &SeenPost, reply_to: Option<&String>) -> Self {
        Self {
            post: Some(seen.post.id.clone()),
            post_author: seen.post.author.username.clone(),
            post_author_is_fleet: seen.is_fleet,
            reply_to: reply_to.cloned(),
            image_url: None,
        }
    }
}

/// Sends an action with the words that it has in the end.
pub(super) type Send = Box<
    dyn FnOnce(floimg::Floimg, Says) -> BoxFuture<'static, Result<Value, floimg::error::Error>> + std::marker::Send,
>;

/// The one way that anything reaches the world.
pub(super) async fn run(
    host: &Host,
    world: &Arc<World>,
    mut plan: Plan,
    ordinal: u32,
    send: Send,
) -> Result<Value, Refusal> {
    let now = world.clock.now();
    let mut intent = NewIntent {
        bot: host.bot.clone(),
        tick: host.tick,
        ordinal,
        kind: plan.kind,
        target: plan.target.clone(),
        payload: plan.payload.clone(),
        at: now,
    };
    // What this tick did before it was cut off counts as done before any limit has a say.
    let before = world.store.intent_of_tick(&intent, plan.once).await?;
    let is_begun = before.is_some();
    if let Some(outcome) = replay(before) {
        return outcome;
    }
    // What was begun has been allowed, with the words that it has.
    if !is_begun && world.hooks.has_before() {
        consult(host, world, &mut plan).await?;
        intent.payload = plan.payload.clone();
    }
    if let Some(outcome) = in_doubt(world, host, &plan).await? {
        return outcome;
    }
    allow(host, world, &plan, now).await?;
    world.crash.reached("action:allowed");
    let id = match world.store.open_intent(intent, plan.once).await? {
        Opened::New(id) => id,
        Opened::Before(intent) | Opened::Done(intent) => return told_before(world, host, intent).await,
    };
    world.crash.reached("action:opened");
    let sent = send(world.floimg.clone(), plan.says.clone()).await;
    world.crash.reached("action:sent");
    let result = match sent {
        Ok(outcome) => Ok((outcome, false)),
        Err(error @ floimg::error::Error::OutcomeUnknown { .. }) => {
            match recovery::look_up(world, host.agent(), &intent_row(host, &plan, id, now)).await {
                Ok(Found::Yes(outcome)) => Ok((outcome, true)),
                Ok(Found::No | Found::CannotTell) | Err(_) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    let activity = |ending, text: String, detail: Value| NewActivity {
        at: world.clock.now(),
        bot: Some(host.bot.clone()),
        persona: Some(host.bot.persona.clone()),
        kind: plan.kind.as_str().to_owned(),
        ending,
        target: plan.target.clone(),
        text,
        detail,
    };
    let settled = match &result {
        Ok((outcome, looked_up)) => {
            let mut detail = plan.detail.clone();
            detail["outcome"] = outcome.clone();
            if *looked_up {
                detail["looked_up"] = true.into();
            }
            if matches!(plan.kind, ActionKind::Share | ActionKind::Remix)
                && let Err(problem) = keep_post(world, host, outcome).await
            {
                error!(bot = %host.bot, error = &problem as &dyn std::error::Error, "could not keep a post; its comments are not noticed");
            }
            let activity = activity(Ending::Done, plan.summary.clone(), detail);
            world.store.settle_intent(id, IntentState::Done, outcome.clone(), plan.words.clone(), activity).await
        }
        Err(error) => {
            let failure = error.failure(world.clock.now());
            let (state, ending) = match error {
                floimg::error::Error::OutcomeUnknown { .. } => (IntentState::Unknown, Ending::Unknown),
                _ if failure.kind == FailureKind::Unavailable => (IntentState::Failed, Ending::Failed),
                _ => (IntentState::Failed, Ending::Refused),
            };
            let mut detail = plan.detail.clone();
            detail["failure"] = failure.kind.as_str().into();
            let activity = activity(ending, format!("{}: {}", plan.summary, failure.message), detail);
            world.store.settle_intent(id, state, json!({ "message": failure.message }), None, activity).await
        }
    };
    world.crash.reached("action:settled");
    match settled {
        Ok(activity) => world.journal.announce(activity),
        // The intent stays open and stands in the way of a second time; what happened has happened all the same.
        Err(problem) => {
            error!(bot = %host.bot, error = &problem as &dyn std::error::Error, "could not settle an action; it is looked up at the next start");
        }
    }
    let failure = result.as_ref().err().map(|error| error.failure(world.clock.now()));
    world.hooks.after(
        host.action(&plan),
        Outcome {
            is_done: result.is_ok(),
            failure: failure.map(|failure| (failure.kind, failure.message)),
            id: result.as_ref().ok().and_then(|(outcome, _)| optional_text(outcome, "id")),
            at: world.clock.now(),
        },
    );
    match result {
        Ok((outcome, _)) => Ok(outcome),
        Err(error) => Err(Refusal::of_gallery(&error, world.clock.now())),
    }
}

/// Asks the plugins, and takes the words that they leave. What they say counts for less than the limits, which come after.
async fn consult(host: &Host, world: &Arc<World>, plan: &mut Plan) -> Result<(), Refusal> {
    let refused = match world.hooks.before(host.action(plan)).await {
        Decision::Allow(says) if says == plan.says => return Ok(()),
        Decision::Allow(says) => match plan.reword(says) {
            Ok(()) => return Ok(()),
            Err(problem) => {
                Refusal::failure(FailureKind::Rejected, format!("a plugin changed the words, but {problem}"))
            }
        },
        Decision::Deny { plugin, reason } => {
            Refusal::failure(FailureKind::Rejected, format!("the plugin `{plugin}` says no: {reason}"))
        }
        Decision::Unavailable { plugin, why } => Refusal::failure(
            FailureKind::Unavailable,
            format!("the plugin `{plugin}` could not be asked, and nothing happens without it: {why}"),
        ),
    };
    if let Refusal::Failure(failure) = &refused {
        let activity = NewActivity {
            at: world.clock.now(),
            bot: Some(host.bot.clone()),
            persona: Some(host.bot.persona.clone()),
            kind: plan.kind.as_str().to_owned(),
            ending: Ending::Refused,
            target: plan.target.clone(),
            text: format!("{}: {}", plan.summary, failure.message),
            detail: json!({ "failure": failure.kind.as_str() }),
        };
        world.journal.record(activity).await;
    }
    Err(refused)
}

impl Plan {
    /// Takes other words, when they are within the gallery's and the host's bounds.
    fn reword(&mut self, says: Says) -> Result<(), String> {
        let words = match self.kind {
            ActionKind::Comment => {
                let length = says.text.chars().count();
                if says.text.trim().is_empty() || length > COMMENT_CHARS {
                    return Err(format!("a comment has 1 to {COMMENT_CHARS} characters, not {length}"));
                }
                self.payload["content"] = says.text.clone().into();
                self.summary.clone_from(&says.text);
                says.text.clone()
            }
            ActionKind::Share | ActionKind::Remix => {
                let units = text::utf16_len(&says.title);
                if says.title.trim().is_empty() || units > TITLE_UNITS {
                    return Err(format!("a title has 1 to {TITLE_UNITS} characters (as UTF-16), not {units}"));
                }
                if says.description.chars().count() > DESCRIPTION_CHARS {
                    return Err(format!("a description has at most {DESCRIPTION_CHARS} characters"));
                }
                self.payload["title"] = says.title.clone().into();
                self.detail["description"] = says.description.clone().into();
                self.summary.clone_from(&says.title);
                format!("{}\n{}", says.title, says.description)
            }
            // There is nothing to read in an upvote, and a picture is made of more than its prompt.
            _ => return Ok(()),
        };
        if text::claims_to_be_person(&words) {
            return Err("they claim that a person wrote them; no bot says that".to_owned());
        }
        self.words = Some(words);
        self.says = says;
        Ok(())
    }
}

impl Host {
    /// An action as plugins see it.
    fn action(&self, plan: &Plan) -> Action {
        let About { post, post_author, post_author_is_fleet, reply_to, image_url } = plan.about.clone();
        Action {
            kind: plan.kind,
            bot: self.bot.clone(),
            username: self.profile.username.clone(),
            name: self.profile.name.clone(),
            post,
            post_author,
            post_author_is_fleet,
            reply_to,
            image_url,
            says: plan.says.clone(),
        }
    }

    pub(super) fn agent(&self) -> &str {
        &self.profile.username
    }
}

async fn keep_post(world: &World, host: &Host, outcome: &Value) -> Result<(), store::Error> {
    let post = OwnPost {
        id: text_of(outcome, "id"),
        bot: host.bot.clone(),
        title: text_of(outcome, "title"),
        workflow: optional_text(outcome, "workflow_id"),
        at: time_of(outcome, world),
        comments_seen: 0,
    };
    world.store.add_post(post).await
}

fn intent_row(host: &Host, plan: &Plan, id: i64, at: Timestamp) -> Intent {
    Intent {
        id,
        what: NewIntent {
            bot: host.bot.clone(),
            tick: host.tick,
            ordinal: 0,
            kind: plan.kind,
            target: plan.target.clone(),
            payload: plan.payload.clone(),
            at,
        },
        state: IntentState::Open,
        outcome: Value::Null,
    }
}
