//! Acting in the trial: what others would see, held to the host's rules where the trial has any.
//!
//! Without rules nothing is remembered of what was done, so that a rehearsal is the same for every tick.

use jiff::{SignedDuration, Timestamp};

use crate::host::action::Draft;
use crate::host::identity::Profile;
use crate::host::prompt::fresh;
use crate::host::refusal::Refusal;
use crate::host::words::Words;
use crate::model::failure::FailureKind;
use crate::model::gallery::{Author, Comment, Picture, Post};
use crate::text::{Prints, Shape};

use super::{Inner, Said, Trial, TrialRules};

impl Trial {
    pub(in crate::host) fn generate(&self) -> Picture {
        let mut inner = self.inner();
        inner.made += 1;
        let url = format!("https://trial.invalid/picture{}.png", inner.made);
        Picture { url, workflow_id: Some("wf_trial".to_owned()) }
    }

    /// Shares a picture; with a parent, as its remix.
    pub(in crate::host) fn share(
        &self,
        profile: &Profile,
        draft: Draft,
        parent: Option<&Post>,
    ) -> Result<Post, Refusal> {
        let mut inner = self.inner();
        if let Some(rules) = self.rules {
            let once = parent.map(|parent| format!("remix {}", parent.id));
            inner.refuse_twice(profile, once.as_deref(), "this bot has done that before")?;
            let words = Words::Post { title: draft.title.clone(), description: draft.description.clone() };
            inner.refuse_again(profile, &rules, &words, false)?;
            inner.done.extend(once.map(|once| (profile.username.clone(), once)));
            if let Some(parent) = parent {
                for post in inner.posts.iter_mut().filter(|post| post.id == parent.id) {
                    post.fork_count += 1;
                }
            }
        }
        inner.made += 1;
        let post = Post {
            id: format!("mine{}", inner.made),
            title: draft.title,
            description: Some(draft.description),
            category: None,
            tags: Vec::new(),
            content_type: "image".to_owned(),
            image_url: Some(draft.image_url),
            workflow_id: draft.workflow_id,
            workflow_shared: false,
            like_count: 0,
            comment_count: 0,
            view_count: 0,
            fork_count: 0,
            is_liked: Some(false),
            created_at: inner.now,
            author: author(profile),
        };
        inner.posts.push(post.clone());
        Ok(post)
    }

    /// Upvotes a post of somebody else and answers its likes.
    pub(in crate::host) fn upvote(&self, profile: &Profile, seen: &Post) -> Result<u32, Refusal> {
        if self.rules.is_none() {
            return Ok(seen.like_count + 1);
        }
        if seen.is_liked == Some(true) {
            return Err(Refusal::failure(FailureKind::AlreadyDone, "this bot has upvoted the post before"));
        }
        let mut inner = self.inner();
        inner.likes.insert((profile.username.clone(), seen.id.clone()));
        let post = inner.posts.iter_mut().find(|post| post.id == seen.id);
        Ok(post.map_or(0, |post| {
            post.like_count += 1;
            post.like_count
        }))
    }

    /// Comments; `is_unasked` when neither the post nor the comment that is answered turns to this bot, `tells_truth` when
    /// it answers somebody who asked if this is a bot.
    pub(in crate::host) fn comment(
        &self,
        profile: &Profile,
        post: &str,
        words: String,
        reply_to: Option<&str>,
        is_unasked: bool,
        tells_truth: bool,
    ) -> Result<Comment, Refusal> {
        let mut inner = self.inner();
        if let Some(rules) = self.rules {
            let is_mine = |on: &str, comment: &Comment| {
                on == post && comment.author.username.as_deref() == Some(profile.username.as_str())
            };
            if is_unasked && inner.comments.iter().any(|(on, comment)| is_mine(on, comment)) {
                return Err(Refusal::failure(
                    FailureKind::AlreadyDone,
                    "this bot has spoken under the post before, and nobody has asked it to go on",
                ));
            }
            let once = format!("comment {post}#{}", reply_to.unwrap_or_default());
            inner.refuse_twice(profile, Some(&once), "this bot has done that before")?;
            inner.refuse_again(profile, &rules, &Words::Comment(words.clone()), tells_truth)?;
            inner.done.insert((profile.username.clone(), once));
        }
        inner.made += 1;
        let id = format!("said{}", inner.made);
        let comment = Comment { id, content: words, created_at: inner.now, author: author(profile) };
        if self.rules.is_some() {
            inner.comments.push((post.to_owned(), comment.clone()));
            for commented in inner.posts.iter_mut().filter(|known| known.id == post) {
                commented.comment_count += 1;
            }
        }
        Ok(comment)
    }

    /// What an account wrote lately, newest first.
    pub(in crate::host) fn recent_texts(&self, username: &str, limit: u32) -> Vec<String> {
        let Some(rules) = self.rules else { return Vec::new() };
        let inner = self.inner();
        inner.said_lately(username, &rules).take(limit as usize).map(|said| said.words.clone()).collect()
    }

    /// Whether an account of the fleet has said these very words.
    pub(in crate::host) fn was_said(&self, words: &str) -> bool {
        Prints::of(words).is_some_and(|prints| self.inner().prints.contains(&prints.exact))
    }

    pub(in crate::host) fn has_said(&self, username: &str, words: &str) -> bool {
        self.rules.is_some_and(|rules| self.inner().is_again(username, &rules, words))
    }
}

impl Inner {
    fn refuse_twice(&self, profile: &Profile, once: Option<&str>, why: &str) -> Result<(), Refusal> {
        match once {
            Some(once) if self.done.contains(&(profile.username.clone(), once.to_owned())) => {
                Err(Refusal::failure(FailureKind::AlreadyDone, why))
            }
            _ => Ok(()),
        }
    }

    /// Keeps the texts of an action as said, unless they were said before.
    fn refuse_again(
        &mut self,
        profile: &Profile,
        rules: &TrialRules,
        words: &Words,
        tells_truth: bool,
    ) -> Result<(), Refusal> {
        let claims = fresh::claims(words, tells_truth);
        if claims.iter().any(|claim| claim.is_sole && self.prints.contains(&claim.print)) {
            return Err(Refusal::failure(FailureKind::DuplicateText, "somebody of the fleet has said the very same"));
        }
        let words = &words.all().unwrap_or_default();
        if self.is_again(&profile.username, rules, words) {
            return Err(Refusal::failure(
                FailureKind::DuplicateText,
                format!("too like something this bot wrote in the last {} days", rules.duplicate_days),
            ));
        }
        self.prints.extend(claims.iter().map(|claim| claim.print));
        let shape = Shape::of(words);
        self.said.push(Said { by: profile.username.clone(), at: self.now, words: words.to_owned(), shape });
        Ok(())
    }

    fn is_again(&self, username: &str, rules: &TrialRules, words: &str) -> bool {
        let shape = Shape::of(words);
        self.said_lately(username, rules).any(|old| old.shape.similarity(&shape) >= rules.duplicate_similarity)
    }

    fn said_lately<'a>(&'a self, username: &'a str, rules: &TrialRules) -> impl Iterator<Item = &'a Said> {
        let days = SignedDuration::from_hours(24 * i64::from(rules.duplicate_days));
        let since = self.now.saturating_sub(days).unwrap_or(Timestamp::MIN);
        self.said.iter().rev().filter(move |said| said.by == username && said.at >= since)
    }
}

fn author(profile: &Profile) -> Author {
    Author { id: "me".to_owned(), username: Some(profile.username.clone()), name: Some(profile.name.clone()) }
}
