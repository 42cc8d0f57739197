//! Actions: everything a bot does that others can see.
//!
//! Each is checked here and made into a plan; `perform` carries it out, so no action happens twice.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::action::ActionKind;
use crate::model::failure::FailureKind;
use crate::model::gallery::{Author, Comment, NewPost, Picture, Post, Workflow};
use crate::text;

use super::doubt::told_before;
use super::gallery::{SeenComment, SeenPost};
use super::hooks::Says;
use super::perform::{About, Plan, Send, run};
use super::refusal::Refusal;
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

/// Most characters of a comment, from the gallery's form.
pub(super) const COMMENT_CHARS: usize = 1000;
/// Most UTF-16 units of a title.
pub(super) const TITLE_UNITS: usize = 200;
/// Most characters of a description; the gallery's own limit is not known.
pub(super) const DESCRIPTION_CHARS: usize = 2000;

impl Host {
    /// Makes a picture.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn generate(self: &Arc<Self>, workflow: Workflow, prompt: String) -> Result<Picture, Refusal> {
        let Side::Live(world) = &self.side else { return Ok(trial_picture()) };
        let agent = self.profile.username.clone();
        let plan = Plan {
            kind: ActionKind::Generate,
            target: String::new(),
            once: false,
            payload: json!({ "name": workflow.name, "prompt": prompt }),
            words: None,
            says: Says { text: prompt.clone(), ..Says::default() },
            about: About::default(),
            summary: if prompt.is_empty() { workflow.name.clone() } else { prompt },
            detail: json!({ "steps": workflow.steps.len() }),
            typing_from: None,
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
        self.refuse_false_claims(&format!("{}\n{}", draft.title, draft.description))?;
        match &self.side {
            Side::Live(world) => {
                let about = About { image_url: Some(draft.image_url.clone()), ..About::default() };
                let post = self.publish(world, ActionKind::Share, about, draft, Value::Null).await?;
                Ok(self.see(post))
            }
            Side::Trial(trial) => Ok(self.see(trial.share(&self.profile, draft))),
        }
    }

    /// Shares a picture as a remix of somebody else's post.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn remix(self: &Arc<Self>, parent: String, mut draft: Draft) -> Result<SeenPost, Refusal> {
        check_draft(&draft)?;
        self.refuse_false_claims(&format!("{}\n{}", draft.title, draft.description))?;
        let parent = self.post(parent).await?;
        if parent.is_me {
            return Err(Refusal::failure(FailureKind::OwnPost, "a bot does not remix its own post"));
        }
        match &self.side {
            Side::Live(world) => {
                // How the platform wants a remix declared is assumed: it carries the parent's workflow.
                draft.workflow_id = parent.post.workflow_id.clone().or(draft.workflow_id);
                let detail = json!({ "parent": parent.post.id, "parent_title": parent.post.title });
                let about = About { image_url: Some(draft.image_url.clone()), ..About::of(&parent, None) };
                let post = self.publish(world, ActionKind::Remix, about, draft, detail).await?;
                Ok(self.see(post))
            }
            Side::Trial(trial) => Ok(self.see(trial.share(&self.profile, draft))),
        }
    }

    /// Upvotes a post and answers its likes.
    ///
    /// # Errors
    /// What the world or a limit said.
    pub async fn upvote(self: &Arc<Self>, id: String) -> Result<u32, Refusal> {
        let Side::Live(world) = &self.side else {
            let seen = self.post(id).await?;
            return if seen.is_me { Err(own_like()) } else { Ok(seen.post.like_count + 1) };
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
            words: None,
            summary: seen.post.title.clone(),
            detail: json!({ "author": seen.post.author.username }),
            typing_from: None,
            says: Says::default(),
            about: About::of(&seen, None),
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
        let length = words.chars().count();
        if length == 0 || length > COMMENT_CHARS {
            return Err(Refusal::Wrong(format!(
                "`text` must have 1 to {COMMENT_CHARS} characters, got {length}: cut it with text.clip"
            )));
        }
        self.refuse_false_claims(&words)?;
        let seen = self.post(post.clone()).await?;
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
        let Side::Live(world) = &self.side else {
            let Side::Trial(trial) = &self.side else { return Err(Refusal::Stopping) };
            return Ok(SeenComment { comment: trial.comment(&self.profile, words), is_me: true, is_fleet: true });
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
            words: Some(words.clone()),
            summary: words.clone(),
            detail: json!({
                "post": post, "post_title": seen.post.title, "author": seen.post.author.username, "reply_to": reply_to
            }),
            typing_from,
            says: Says { text: words.clone(), ..Says::default() },
            about: About::of(&seen, reply_to.as_ref()),
        };
        let agent = self.profile.username.clone();
        let send: Send = Box::new(move |floimg, says| {
            Box::pin(async move {
                let comment = floimg.comment(&agent, &post, &says.text).await?;
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

    /// Sends a post and keeps it as one of the bot's own.
    async fn publish(
        self: &Arc<Self>,
        world: &Arc<World>,
        kind: ActionKind,
        about: About,
        draft: Draft,
        mut detail: Value,
    ) -> Result<Post, Refusal> {
        // A post of its own has no target, and may be made again; a remix is made once for a post.
        let target = about.post.clone().unwrap_or_default();
        if detail.is_null() {
            detail = json!({});
        }
        detail["image_url"] = draft.image_url.clone().into();
        detail["description"] = draft.description.clone().into();
        let plan = Plan {
            kind,
            once: !target.is_empty(),
            target,
            payload: json!({ "title": draft.title, "image_url": draft.image_url }),
            words: Some(format!("{}\n{}", draft.title, draft.description)),
            summary: draft.title.clone(),
            detail,
            typing_from: None,
            says: Says { title: draft.title.clone(), description: draft.description.clone(), text: String::new() },
            about,
        };
        let (image_url, workflow_id) = (draft.image_url.clone(), draft.workflow_id.clone());
        let agent = self.profile.username.clone();
        let send: Send = Box::new(move |floimg, says| {
            Box::pin(async move {
                let Says { title, description, .. } = says;
                let new = NewPost { image_url, title, description: description.clone(), workflow_id };
                let post = floimg.share(&agent, &new).await?;
                Ok(json!({
                    "id": post.id, "title": post.title, "description": description, "at": post.created_at.as_millisecond(), "workflow_id": post.workflow_id
                }))
            })
        });
        let outcome = self.act(world, plan, send).await?;
        Ok(Post {
            id: text_of(&outcome, "id"),
            title: optional_text(&outcome, "title").unwrap_or(draft.title),
            description: optional_text(&outcome, "description").or(Some(draft.description)),
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

    /// A hard line: no text of a bot claims that a person wrote it.
    fn refuse_false_claims(&self, words: &str) -> Result<(), Refusal> {
        if text::claims_to_be_person(words) {
            return Err(Refusal::failure(
                FailureKind::Rejected,
                "the text claims that its author is a person; no bot says that",
            ));
        }
        Ok(())
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

fn check_draft(draft: &Draft) -> Result<(), Refusal> {
    let units = text::utf16_len(&draft.title);
    if draft.title.trim().is_empty() || units > TITLE_UNITS {
        return Err(Refusal::Wrong(format!(
            "`title` must have 1 to {TITLE_UNITS} characters (as UTF-16), got {units}: cut it with text.clip"
        )));
    }
    let chars = draft.description.chars().count();
    if chars > DESCRIPTION_CHARS {
        return Err(Refusal::Wrong(format!(
            "`description` must have at most {DESCRIPTION_CHARS} characters, got {chars}"
        )));
    }
    if draft.image_url.is_empty() {
        return Err(Refusal::Wrong("`picture` has no url: give what floimg.generate answered".to_owned()));
    }
    Ok(())
}

/// A reply begins with whom it answers; the gallery has no other way to say so.
fn addressed(words: String, author: &Author) -> String {
    match &author.username {
        Some(username) if !words.contains(&format!("@{username}")) => {
            // Whoever is named in the text already need not be named twice.
            let addressed = match words.contains(username.as_str()) {
                true => words.replacen(username.as_str(), &format!("@{username}"), 1),
                false => format!("@{username} {words}"),
            };
            if addressed.chars().count() > COMMENT_CHARS { words } else { addressed }
        }
        _ => words,
    }
}

fn own_like() -> Refusal {
    Refusal::failure(FailureKind::OwnPost, "a bot does not upvote its own post")
}

fn trial_picture() -> Picture {
    Picture { url: "https://trial.invalid/picture.png".to_owned(), workflow_id: Some("wf_trial".to_owned()) }
}

pub(super) fn text_of(outcome: &Value, key: &str) -> String {
    optional_text(outcome, key).unwrap_or_default()
}

pub(super) fn optional_text(outcome: &Value, key: &str) -> Option<String> {
    outcome.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn count_of(outcome: &Value, key: &str) -> u32 {
    outcome.get(key).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

pub(super) fn time_of(outcome: &Value, world: &World) -> Timestamp {
    outcome
        .get("at")
        .and_then(Value::as_i64)
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or_else(|| world.clock.now())
}
