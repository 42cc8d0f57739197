//! The trial: a small gallery in which a new version shows that it runs, before any bot takes it.
//!
//! Nothing in it reaches the world, the disk or the clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::model::failure::FailureKind;
use crate::model::gallery::{Author, Comment, FeedQuery, Post};
use crate::model::permission::Permissions;
use crate::model::seconds::Seconds;
use crate::store::{Change, StoredMemory};

use super::action::Draft;
use super::identity::Profile;
use super::keeping::Whose;
use super::refusal::Refusal;

/// A gallery in memory with a few posts by people, and what one bot does in it.
#[derive(Debug)]
pub struct Trial {
    inner: Mutex<Inner>,
    refuses: bool,
    permissions: Arc<Permissions>,
}

#[derive(Debug)]
struct Inner {
    now: Timestamp,
    posts: Vec<Post>,
    comments: Vec<(String, Comment)>,
    entries: BTreeMap<(bool, String), Value>,
    memories: Vec<StoredMemory>,
    made: u32,
}

const PEOPLE: [(&str, &str); 4] =
    [("mira", "Mira"), ("otto_k", "Otto K."), ("juno", "Juno"), ("sam_draws", "Sam draws")];

const PICTURES: [(&str, &str); 6] = [
    ("p1", "Paper boats on a quiet canal"),
    ("p2", "Ceramic mug in morning light"),
    ("p3", "Ridgeline of city temperatures"),
    ("p4", "Pixel art forest with two moons"),
    ("p5", "Onboarding screen in mint and navy"),
    ("p6", "Neon poster for a summer sale"),
];

impl Trial {
    /// A gallery with six posts and two comments at a given time; one that `refuses` fails every call.
    pub fn new(now: Timestamp, refuses: bool) -> Self {
        let author = |index: usize| {
            let (username, name) = PEOPLE[index % PEOPLE.len()];
            Author { id: format!("u{index}"), username: Some(username.to_owned()), name: Some(name.to_owned()) }
        };
        let ago = |minutes: i64| now.saturating_sub(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MIN);
        let posts = PICTURES
            .iter()
            .enumerate()
            .map(|(index, (id, title))| Post {
                id: (*id).to_owned(),
                title: (*title).to_owned(),
                // Not everybody writes a description, and a script must bear that.
                description: (index % 2 == 0).then(|| format!("{title}, tried in two ways.")),
                category: (index % 3 == 0).then(|| "ai-workflows".to_owned()),
                tags: Vec::new(),
                content_type: "image".to_owned(),
                image_url: Some(format!("https://trial.invalid/{id}.png")),
                workflow_id: Some(format!("wf_{id}")),
                workflow_shared: index % 2 == 1,
                like_count: u32::try_from(index).unwrap_or(0) * 3,
                comment_count: u32::from(index < 2),
                view_count: 12,
                fork_count: 0,
                is_liked: Some(false),
                created_at: ago(20 + 45 * i64::try_from(index).unwrap_or(0)),
                author: author(index),
            })
            .collect();
        let comments = vec![
            (
                "p1".to_owned(),
                Comment {
                    id: "c1".to_owned(),
                    content: "The reflections are lovely. How did you do the water?".to_owned(),
                    created_at: ago(15),
                    author: author(1),
                },
            ),
            (
                "p2".to_owned(),
                Comment {
                    id: "c2".to_owned(),
                    content: "Wait, are you a bot?".to_owned(),
                    created_at: ago(11),
                    author: author(2),
                },
            ),
        ];
        Self {
            inner: Mutex::new(Inner { now, posts, comments, entries: BTreeMap::new(), memories: Vec::new(), made: 0 }),
            refuses,
            permissions: Arc::new(Permissions::usual()),
        }
    }

    /// The same, where scripts get what these permissions grant.
    #[must_use]
    pub fn granting(self, permissions: Arc<Permissions>) -> Self {
        Self { permissions, ..self }
    }

    pub(super) fn permissions(&self) -> Arc<Permissions> {
        self.permissions.clone()
    }

    /// Whether every call fails.
    pub fn refuses(&self) -> bool {
        self.refuses
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner().now
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: Seconds) {
        let mut inner = self.inner();
        inner.now = inner.now.saturating_add(seconds.signed()).unwrap_or(Timestamp::MAX);
    }

    pub(super) fn feed(&self, query: &FeedQuery) -> Vec<Post> {
        let inner = self.inner();
        inner.posts.iter().skip(query.offset as usize).take(query.limit as usize).cloned().collect()
    }

    pub(super) fn post(&self, id: &str) -> Result<Post, Refusal> {
        let found = self.inner().posts.iter().find(|post| post.id == id).cloned();
        found.ok_or_else(|| Refusal::failure(FailureKind::NotFound, format!("there is no post `{id}`")))
    }

    pub(super) fn mine(&self, username: &str) -> Vec<Post> {
        let inner = self.inner();
        inner.posts.iter().filter(|post| post.author.username.as_deref() == Some(username)).cloned().collect()
    }

    pub(super) fn comments(&self, post: &str) -> Result<Vec<Comment>, Refusal> {
        self.post(post)?;
        let inner = self.inner();
        Ok(inner.comments.iter().filter(|(on, _)| on == post).map(|(_, comment)| comment.clone()).collect())
    }

    pub(super) fn share(&self, profile: &Profile, draft: Draft) -> Post {
        let mut inner = self.inner();
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
        post
    }

    pub(super) fn comment(&self, profile: &Profile, content: String) -> Comment {
        let mut inner = self.inner();
        inner.made += 1;
        Comment { id: format!("said{}", inner.made), content, created_at: inner.now, author: author(profile) }
    }

    pub(super) fn entry(&self, whose: Whose, key: &str) -> Option<Value> {
        self.inner().entries.get(&(whose == Whose::Shared, key.to_owned())).cloned()
    }

    pub(super) fn entry_names(&self, whose: Whose, prefix: &str) -> Vec<String> {
        let shared = whose == Whose::Shared;
        let inner = self.inner();
        inner
            .entries
            .keys()
            .filter(|key| key.0 == shared && key.1.starts_with(prefix))
            .map(|key| key.1.clone())
            .collect()
    }

    pub(super) fn change(&self, whose: Whose, key: String, change: Change) {
        let key = (whose == Whose::Shared, key);
        match change {
            Change::Keep => {}
            Change::Remove => {
                self.inner().entries.remove(&key);
            }
            Change::Set { value, .. } => {
                self.inner().entries.insert(key, value);
            }
        }
    }

    pub(super) fn remember(&self, memory: StoredMemory) {
        let mut inner = self.inner();
        inner.memories.retain(|old| old.kind != memory.kind || old.about != memory.about);
        inner.memories.push(memory);
    }

    pub(super) fn memories(&self, kind: Option<&str>, about: Option<&str>) -> Vec<StoredMemory> {
        let inner = self.inner();
        let fits = |memory: &&StoredMemory| {
            kind.is_none_or(|kind| memory.kind == kind) && about.is_none_or(|about| memory.about == about)
        };
        inner.memories.iter().rev().filter(fits).cloned().collect()
    }

    pub(super) fn forget(&self, about: &str, kind: Option<&str>) -> u64 {
        let mut inner = self.inner();
        let before = inner.memories.len();
        inner.memories.retain(|memory| memory.about != about || kind.is_some_and(|kind| memory.kind != kind));
        u64::try_from(before - inner.memories.len()).unwrap_or(0)
    }
}

fn author(profile: &Profile) -> Author {
    Author { id: "me".to_owned(), username: Some(profile.username.clone()), name: Some(profile.name.clone()) }
}
