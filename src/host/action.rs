//! Actions: everything a bot does that others can see.
//!
//! An intent is on disk before the call goes out and settled after it, so no action happens twice.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::error;

use crate::floimg;
use crate::model::action::{ActionKind, Intent, IntentState, NewIntent};
use crate::model::activity::{Ending, NewActivity};
use crate::model::failure::FailureKind;
use crate::model::gallery::{Author, Comment, NewPost, Picture, Post, Workflow};
use crate::store::{self, Opened, OwnPost};
use crate::text;

use super::allow::allow;
use super::asking::{ask, ask_in_trial, tell};
use super::doubt::{in_doubt, replay, told_before};
use super::gallery::{SeenComment, SeenPost};
use super::hooks::About;
use super::outcome::{count_of, optional_text, text_of, time_of};
use super::prompt::fresh;
use super::recovery::{self, Found};
use super::refusal::Refusal;
use super::trial::Trial;
use super::words::{Words, addressed, check_comment, check_words, refuse_false_claims};
use super::{Host, Side, World};

/// A picture about to be shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Absolute address of the picture.
    pub image_url: String,
    /// The workflow that made it.
    pub workflow_id: Option<String>,
    /// 1 to 200 UTF-16 units.
    pub title: String,
    /// What is written under it.
    pub description: String,
}

/// One action, ready to be checked, written down and sent.
pub(super) struct Plan {
    pub(super) kind: ActionKind,
    pub(super) target: String,
    once: bool,
    pub(super) payload: Value,
    /// What others will read of it.
    pub(super) words: Words,
    /// What whoever is asked about it is told.
    pub(super) about: About,
    /// One line for the journal.
    pub(super) summary: String,
    pub(super) detail: Value,
    /// When the bot could have begun to type.
    pub(super) typing_from: Option<Timestamp>,
    /// Whether it answers somebody who asked if this is a bot.
    pub(super) tells_truth: bool,
}

/// Does it, with the words that everybody agreed on.
type Send = Box<
    dyn FnOnce(floimg::Floimg, Words) -> BoxFuture<'static, Result<Value, floimg::error::Error>> + std::marker::Send,
>;

impl Host {
    /// Makes a picture.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn generate(self: &Arc<Self>, workflow: Workflow, prompt: String) -> Result<Picture, Refusal> {
        let world = match &self.side {
            Side::Live(world) => world,
            Side::Trial(trial) => {
                let about = About { prompt: Some(prompt), ..About::default() };
                ask_in_trial(self, trial, ActionKind::Generate, about, Words::None).await?;
                return Ok(trial.generate());
            }
        };
        let agent = self.profile.username.clone();
        let plan = Plan {
            kind: ActionKind::Generate,
            target: String::new(),
            once: false,
            payload: json!({ "name": workflow.name, "prompt": prompt }),
            words: Words::None,
            about: About { prompt: Some(prompt.clone()), ..About::default() },
            summary: if prompt.is_empty() { workflow.name.clone() } else { prompt },
            detail: json!({ "steps": workflow.steps.len() }),
            typing_from: None,
            tells_truth: false,
        };
        let send: Send = Box::new(move |floimg, _| {
            Box::pin(async move {
                let picture = floimg.execute(&agent, &workflow).await?;
                Ok(json!({ "url": picture.url, "workflow_id": picture.workflow_id }))
            })
        });
        let outcome = self.act(world, plan, send).await?;
        Ok(Picture { url: text_of(&outcome, "url"), workflow_id: optional_text(&outcome, "workflow_id") })
    }

    /// Shares a picture.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn share(self: &Arc<Self>, draft: Draft) -> Result<SeenPost, Refusal> {
        check_draft(&draft)?;
        refuse_false_claims(&format!("{}\n{}", draft.title, draft.description))?;
        match &self.side {
            Side::Live(world) => {
                let post = self.publish(world, ActionKind::Share, About::default(), draft, Value::Null).await?;
                Ok(self.see(post))
            }
            Side::Trial(trial) => {
                let draft = self.ask_draft(trial, ActionKind::Share, About::default(), draft).await?;
                Ok(self.see(trial.share(&self.profile, draft, None)?))
            }
        }
    }

    /// Shares a picture as a remix of somebody else's post.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn remix(self: &Arc<Self>, parent: String, mut draft: Draft) -> Result<SeenPost, Refusal> {
        check_draft(&draft)?;
        refuse_false_claims(&format!("{}\n{}", draft.title, draft.description))?;
        let parent = self.post(parent).await?;
        if parent.is_me {
            return Err(Refusal::failure(FailureKind::OwnPost, "a bot does not remix its own post"));
        }
        match &self.side {
            Side::Live(world) => {
                // How the platform wants a remix declared is assumed: it carries the parent's workflow.
                draft.workflow_id = parent.post.workflow_id.clone().or(draft.workflow_id);
                let detail = json!({ "parent": parent.post.id, "parent_title": parent.post.title });
                let post = self.publish(world, ActionKind::Remix, about_post(&parent), draft, detail).await?;
                Ok(self.see(post))
            }
            Side::Trial(trial) => {
                let draft = self.ask_draft(trial, ActionKind::Remix, about_post(&parent), draft).await?;
                Ok(self.see(trial.share(&self.profile, draft, Some(&parent.post))?))
            }
        }
    }

    /// Upvotes a post and answers its likes.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn upvote(self: &Arc<Self>, id: String) -> Result<u32, Refusal> {
        let world = match &self.side {
            Side::Live(world) => world,
            Side::Trial(trial) => {
                let seen = self.post(id).await?;
                if seen.is_me {
                    return Err(own_like());
                }
                ask_in_trial(self, trial, ActionKind::Upvote, about_post(&seen), Words::None).await?;
                return trial.upvote(&self.profile, &seen.post);
            }
        };
        if let Some(before) = world.store.last_done(&self.bot, ActionKind::Upvote, &id).await? {
            match told_before(world, self, before).await {
                Ok(outcome) => return Ok(count_of(&outcome, "likes")),
                // It was begun and certainly did not happen: begin again.
                Err(Refusal::Failure(failure))
                    if failure.kind == FailureKind::Unavailable && failure.retry_after.is_some() => {}
                Err(refusal) => return Err(refusal),
            }
        }
        let seen = self.post(id.clone()).await?;
        if seen.is_me {
            return Err(own_like());
        }
        if seen.post.is_liked == Some(true) {
            return Err(Refusal::failure(FailureKind::AlreadyDone, "this bot has upvoted the post before"));
        }
        let plan = Plan {
            kind: ActionKind::Upvote,
            target: id.clone(),
            once: true,
            payload: Value::Null,
            words: Words::None,
            about: about_post(&seen),
            summary: seen.post.title.clone(),
            detail: json!({ "author": seen.post.author.username }),
            typing_from: None,
            tells_truth: false,
        };
        let agent = self.profile.username.clone();
        let send: Send = Box::new(move |floimg, _| {
            Box::pin(async move {
                let mut like = floimg.toggle_like(&agent, &id).await?;
                if !like.liked {
                    // It was liked before, whatever the post said: the toggle took it back, so it is given again.
                    like = floimg.toggle_like(&agent, &id).await?;
                }
                Ok(json!({ "likes": like.like_count }))
            })
        });
        let outcome = self.act(world, plan, send).await?;
        Ok(count_of(&outcome, "likes"))
    }

    /// Comments on a post, or answers a comment.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn comment(
        self: &Arc<Self>,
        post: String,
        words: String,
        reply_to: Option<String>,
    ) -> Result<SeenComment, Refusal> {
        let words = words.trim().to_owned();
        check_comment(&words)?;
        refuse_false_claims(&words)?;
        let seen = self.post(post.clone()).await?;
        let mut about = about_post(&seen);
        let mut tells_truth = false;
        let (words, typing_from, is_asked) = match &reply_to {
            None if seen.is_me => {
                return Err(Refusal::failure(
                    FailureKind::OwnPost,
                    "a bot comments on its own post only to answer somebody: give `reply_to`",
                ));
            }
            None => (words, Some(seen.post.created_at), false),
            Some(comment) => {
                let asked = self.find_comment(&seen.post, comment).await?;
                if asked.is_me {
                    return Err(Refusal::failure(FailureKind::OwnPost, "a bot does not answer itself"));
                }
                about.reply_to = Some(comment.clone());
                tells_truth = text::asks_if_bot(&asked.comment.content);
                about.reply_author = Some(asked.comment.author.clone());
                about.reply_text = Some(asked.comment.content.clone());
                (addressed(words, &asked.comment.author), Some(asked.comment.created_at), self.is_asked_by(&asked))
            }
        };
        if let Side::Live(world) = &self.side
            && !seen.is_me
            && !is_asked
            && world.store.has_commented(&self.bot, &post, self.tick).await?
        {
            return Err(Refusal::failure(
                FailureKind::AlreadyDone,
                "this bot has spoken under the post before, and nobody has asked it to go on",
            ));
        }
        let world = match &self.side {
            Side::Live(world) => world,
            Side::Trial(trial) => {
                let is_unasked = !seen.is_me && !is_asked;
                let words = Words::Comment(words);
                let words =
                    ask_in_trial(self, trial, ActionKind::Comment, about, words).await?.all().unwrap_or_default();
                let comment =
                    trial.comment(&self.profile, &post, words, reply_to.as_deref(), is_unasked, tells_truth)?;
                return Ok(SeenComment { comment, is_me: true, is_fleet: true });
            }
        };
        let target = match &reply_to {
            None => post.clone(),
            Some(comment) => format!("{post}#{comment}"),
        };
        let plan = Plan {
            kind: ActionKind::Comment,
            target,
            once: true,
            payload: json!({ "post": post, "content": words }),
            words: Words::Comment(words.clone()),
            about,
            summary: words.clone(),
            detail: json!({
                "post": post, "post_title": seen.post.title, "author": seen.post.author.username, "reply_to": reply_to
            }),
            typing_from,
            tells_truth,
        };
        let agent = self.profile.username.clone();
        let send: Send = Box::new(move |floimg, words| {
            Box::pin(async move {
                let content = words.all().unwrap_or_default();
                let comment = floimg.comment(&agent, &post, &content).await?;
                Ok(json!({ "id": comment.id, "at": comment.created_at.as_millisecond(), "content": comment.content }))
            })
        });
        let outcome = self.act(world, plan, send).await?;
        let comment = Comment {
            id: text_of(&outcome, "id"),
            content: optional_text(&outcome, "content").unwrap_or(words),
            created_at: time_of(&outcome, world),
            author: self.as_author(),
        };
        Ok(SeenComment { comment, is_me: true, is_fleet: true })
    }

    /// Whether a comment speaks to this bot.
    fn is_asked_by(&self, comment: &SeenComment) -> bool {
        comment.comment.content.contains(&format!("@{}", self.profile.username))
    }

    /// A comment that is asked to be answered. Only what is there can be answered.
    async fn find_comment(&self, post: &Post, id: &str) -> Result<SeenComment, Refusal> {
        const PAGE: u32 = 100;
        let pages = (post.comment_count / PAGE + 1).min(5);
        for page in 0..pages {
            let comments = self.comments(post.id.clone(), PAGE, page * PAGE).await?;
            let full = comments.len() >= PAGE as usize;
            if let Some(comment) = comments.into_iter().find(|comment| comment.comment.id == id) {
                return Ok(comment);
            }
            if !full {
                break;
            }
        }
        Err(Refusal::failure(FailureKind::NotFound, format!("there is no comment `{id}` under this post")))
    }

    async fn ask_draft(
        &self,
        trial: &Trial,
        kind: ActionKind,
        mut about: About,
        draft: Draft,
    ) -> Result<Draft, Refusal> {
        about.image_url = Some(draft.image_url.clone());
        let words = Words::Post { title: draft.title.clone(), description: draft.description.clone() };
        Ok(match ask_in_trial(self, trial, kind, about, words).await? {
            Words::Post { title, description } => Draft { title, description, ..draft },
            Words::None | Words::Comment(_) => draft,
        })
    }

    /// Sends a post and keeps it as one of the bot's own.
    async fn publish(
        self: &Arc<Self>,
        world: &Arc<World>,
        kind: ActionKind,
        mut about: About,
        draft: Draft,
        mut detail: Value,
    ) -> Result<Post, Refusal> {
        if detail.is_null() {
            detail = json!({});
        }
        detail["image_url"] = draft.image_url.clone().into();
        detail["description"] = draft.description.clone().into();
        about.image_url = Some(draft.image_url.clone());
        let target = about.post.clone().unwrap_or_default();
        let plan = Plan {
            kind,
            once: !target.is_empty(),
            target,
            payload: json!({ "title": draft.title, "image_url": draft.image_url }),
            words: Words::Post { title: draft.title.clone(), description: draft.description.clone() },
            about,
            summary: draft.title.clone(),
            detail,
            typing_from: None,
            tells_truth: false,
        };
        let new = NewPost {
            image_url: draft.image_url.clone(),
            title: draft.title.clone(),
            description: draft.description.clone(),
            workflow_id: draft.workflow_id.clone(),
        };
        let agent = self.profile.username.clone();
        let send: Send = Box::new(move |floimg, words| {
            Box::pin(async move {
                let new = match words {
                    Words::Post { title, description } => NewPost { title, description, ..new },
                    Words::None | Words::Comment(_) => new,
                };
                let post = floimg.share(&agent, &new).await?;
                Ok(json!({
                    "id": post.id, "title": post.title, "description": new.description, "at": post.created_at.as_millisecond(), "workflow_id": post.workflow_id
                }))
            })
        });
        let outcome = self.act(world, plan, send).await?;
        Ok(Post {
            id: text_of(&outcome, "id"),
            title: optional_text(&outcome, "title").unwrap_or(draft.title),
            description: Some(optional_text(&outcome, "description").unwrap_or(draft.description)),
            category: None,
            tags: Vec::new(),
            content_type: "image".to_owned(),
            image_url: Some(draft.image_url),
            workflow_id: optional_text(&outcome, "workflow_id").or(draft.workflow_id),
            workflow_shared: false,
            like_count: 0,
            comment_count: 0,
            view_count: 0,
            fork_count: 0,
            is_liked: Some(false),
            created_at: time_of(&outcome, world),
            author: self.as_author(),
        })
    }

    fn as_author(&self) -> Author {
        Author {
            id: String::new(),
            username: Some(self.profile.username.clone()),
            name: Some(self.profile.name.clone()),
        }
    }

    async fn act(self: &Arc<Self>, world: &Arc<World>, plan: Plan, send: Send) -> Result<Value, Refusal> {
        let host = self.clone();
        let shared = world.clone();
        let ordinal = self.next_ordinal(plan.kind);
        let result = self.wait(world, async move { run(&host, &shared, plan, ordinal, send).await }).await?;
        let counter = if result.is_ok() { &self.acted } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        result.map_err(|refusal| self.hear(refusal))
    }
}

/// The one way that anything reaches the world.
async fn run(host: &Host, world: &Arc<World>, mut plan: Plan, ordinal: u32, send: Send) -> Result<Value, Refusal> {
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
    if let Some(outcome) = replay(world, &intent, plan.once).await? {
        return outcome;
    }
    if let Some(outcome) = in_doubt(world, host, &plan).await? {
        return outcome;
    }
    allow(host, world, &plan, now).await?;
    // An action that was begun before has come to its end above, so nobody is asked twice about one.
    if let Some(outcome) = ask(host, world, &mut plan, now).await? {
        return outcome;
    }
    intent.payload.clone_from(&plan.payload);
    world.crash.reached("action:allowed");
    let id = match world.budget.open_intent(intent, plan.once, fresh::claims(&plan.words, plan.tells_truth)).await? {
        Opened::New(id) => id,
        Opened::Said => {
            return Err(Refusal::failure(FailureKind::DuplicateText, "somebody of the fleet has said the very same"));
        }
        Opened::Before(intent) | Opened::Done(intent) => return told_before(world, host, intent).await,
    };
    world.crash.reached("action:opened");
    let sent = send(world.floimg.clone(), plan.words.clone()).await;
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
            world.store.settle_intent(id, IntentState::Done, outcome.clone(), plan.words.all(), activity).await
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
    let result = match result {
        Ok((outcome, _)) => Ok(outcome),
        Err(error) => Err(Refusal::of_gallery(&error, world.clock.now())),
    };
    tell(host, world, &plan, &result);
    result
}

impl Host {
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

fn check_draft(draft: &Draft) -> Result<(), Refusal> {
    check_words(&draft.title, &draft.description)?;
    if draft.image_url.is_empty() {
        return Err(Refusal::Wrong("`picture` has no url: give what floimg.generate answered".to_owned()));
    }
    Ok(())
}

fn about_post(seen: &SeenPost) -> About {
    About {
        post: Some(seen.post.id.clone()),
        post_author: seen.post.author.username.clone(),
        post_author_is_fleet: seen.is_fleet,
        ..About::default()
    }
}

fn own_like() -> Refusal {
    Refusal::failure(FailureKind::OwnPost, "a bot does not upvote its own post")
}
