//! The trial: a gallery in memory, in which a new version shows that it runs and tests let bots live.
//!
//! Nothing in it reaches the world, the disk or the clock.

mod act;
mod given;
mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::model::failure::FailureKind;
use crate::model::gallery::{Author, Comment, FeedQuery, FeedSort, Post};
use crate::model::name::BotId;
use crate::model::permission::Permissions;
use crate::model::seconds::Seconds;
use crate::store::{Change, StoredEvent, StoredMemory};

use super::hooks::Hooks;
use super::refusal::Refusal;
use crate::text::Shape;
pub use given::{PlannedFailure, Scripted};
pub use outside::{Answers, Replied, Sent};

/// A gallery in memory with a few posts by people, and what bots do in it.
#[derive(Debug)]
pub struct Trial {
    inner: Mutex<Inner>,
    refuses: bool,
    seed: String,
    rules: Option<TrialRules>,
    permissions: Arc<Permissions>,
    /// Who answers for plugins, where a test has some.
    hooks: Mutex<Option<Arc<dyn Hooks>>>,
}

/// The host's rules, for a trial that holds bots to them as the world does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialRules {
    /// For how many days a text is not written again.
    pub duplicate_days: u32,
    /// How alike two texts must be to count as the same.
    pub duplicate_similarity: f64,
}

#[derive(Debug)]
struct Inner {
    now: Timestamp,
    posts: Vec<Post>,
    comments: Vec<(String, Comment)>,
    /// By whose they are, nobody's being the fleet's; with when they end.
    entries: BTreeMap<(Option<BotId>, String), (Value, Option<Timestamp>)>,
    memories: Vec<(BotId, StoredMemory)>,
    made: u32,
    /// Usernames of the fleet's accounts.
    fleet: BTreeSet<String>,
    /// Who has upvoted what.
    likes: BTreeSet<(String, String)>,
    /// What is done once: who, and what it was done to.
    done: BTreeSet<(String, String)>,
    said: Vec<Said>,
    /// Prints of everything that accounts of the fleet said.
    prints: BTreeSet<i64>,
    failures: Vec<PlannedFailure>,
    scripted: BTreeMap<String, Scripted>,
    events: Vec<StoredEvent>,
    outside: outside::Outside,
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

/// A text that an account wrote.
#[derive(Debug)]
struct Said {
    by: String,
    at: Timestamp,
    words: String,
    shape: Shape,
}

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
        let mut trial = Self::empty(now, "trial", None);
        trial.refuses = refuses;
        {
            let mut inner = trial.inner();
            inner.posts = posts;
            inner.comments = comments;
        }
        trial
    }

    /// An empty gallery in which all chance follows from `seed`; with rules, they hold as in the world.
    pub fn empty(now: Timestamp, seed: &str, rules: Option<TrialRules>) -> Self {
        let inner = Inner {
            now,
            posts: Vec::new(),
            comments: Vec::new(),
            entries: BTreeMap::new(),
            memories: Vec::new(),
            made: 0,
            fleet: BTreeSet::new(),
            likes: BTreeSet::new(),
            done: BTreeSet::new(),
            said: Vec::new(),
            prints: BTreeSet::new(),
            failures: Vec::new(),
            scripted: BTreeMap::new(),
            events: Vec::new(),
            outside: outside::Outside::default(),
        };
        Self {
            inner: Mutex::new(inner),
            refuses: false,
            seed: seed.to_owned(),
            rules,
            permissions: Arc::new(Permissions::usual()),
            hooks: Mutex::default(),
        }
    }

    /// The same gallery with the host's rules, for people who want to see what a script does in it.
    pub fn with_rules(mut self, seed: &str, rules: TrialRules) -> Self {
        seed.clone_into(&mut self.seed);
        self.rules = Some(rules);
        self
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

    /// What all chance in it follows from.
    pub fn seed(&self) -> &str {
        &self.seed
    }

    /// What time it is there.
    pub fn now(&self) -> Timestamp {
        self.inner().now
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: Seconds) {
        let mut inner = self.inner();
        inner.now = inner.now.saturating_add(seconds.signed()).unwrap_or(Timestamp::MAX);
    }

    /// Makes it that time.
    pub fn set_now(&self, now: Timestamp) {
        self.inner().now = now;
    }

    /// Whether an account is one of the fleet.
    pub fn is_of_fleet(&self, username: &str) -> bool {
        self.inner().fleet.contains(username)
    }

    pub(super) fn feed(&self, username: &str, query: &FeedQuery) -> Vec<Post> {
        let inner = self.inner();
        let mut posts: Vec<Post> = inner
            .posts
            .iter()
            .filter(|post| query.category.is_none() || post.category == query.category)
            .filter(|post| query.content_type.as_ref().is_none_or(|kind| *kind == post.content_type))
            .cloned()
            .collect();
        // The rehearsal's gallery is shown as it is written down, so that every version is tried on the same.
        if self.rules.is_some() {
            posts.sort_by_key(|post| std::cmp::Reverse(post.created_at));
            match query.sort {
                FeedSort::Recent => {}
                FeedSort::Popular => posts.sort_by_key(|post| std::cmp::Reverse(post.like_count)),
                FeedSort::Trending => {
                    let now = inner.now;
                    let heat = |post: &Post| {
                        let hours = now.duration_since(post.created_at).as_secs_f64().max(0.0) / 3600.0;
                        f64::from(post.like_count) / (hours + 2.0)
                    };
                    posts.sort_by(|a, b| heat(b).total_cmp(&heat(a)));
                }
            }
        }
        let page = posts.into_iter().skip(query.offset as usize).take(query.limit as usize);
        page.map(|post| inner.seen_by(username, post)).collect()
    }

    pub(super) fn post(&self, username: &str, id: &str) -> Result<Post, Refusal> {
        let inner = self.inner();
        let found = inner.posts.iter().find(|post| post.id == id).cloned();
        found
            .map(|post| inner.seen_by(username, post))
            .ok_or_else(|| Refusal::failure(FailureKind::NotFound, format!("there is no post `{id}`")))
    }

    pub(super) fn mine(&self, username: &str) -> Vec<Post> {
        let inner = self.inner();
        inner.posts.iter().filter(|post| post.author.username.as_deref() == Some(username)).cloned().collect()
    }

    pub(super) fn comments(&self, post: &str, limit: u32, offset: u32) -> Result<Vec<Comment>, Refusal> {
        self.post("", post)?;
        let inner = self.inner();
        let under = inner.comments.iter().filter(|(on, _)| on == post).map(|(_, comment)| comment.clone());
        Ok(under.skip(offset as usize).take(limit as usize).collect())
    }

    pub(super) fn entry(&self, owner: Option<BotId>, key: &str) -> Option<Value> {
        let inner = self.inner();
        let (value, until) = inner.entries.get(&(owner, key.to_owned()))?;
        until.is_none_or(|until| until > inner.now).then(|| value.clone())
    }

    pub(super) fn entry_names(&self, owner: Option<BotId>, prefix: &str, limit: u32) -> Vec<String> {
        let inner = self.inner();
        let is_there = |until: &Option<Timestamp>| until.is_none_or(|until| until > inner.now);
        inner
            .entries
            .iter()
            .filter(|((of, key), (_, until))| *of == owner && key.starts_with(prefix) && is_there(until))
            .map(|((_, key), _)| key.clone())
            .take(limit as usize)
            .collect()
    }

    pub(super) fn change(&self, owner: Option<BotId>, key: String, change: Change) {
        let key = (owner, key);
        match change {
            Change::Keep => {}
            Change::Remove => {
                self.inner().entries.remove(&key);
            }
            Change::Set { value, expires_at } => {
                self.inner().entries.insert(key, (value, expires_at));
            }
        }
    }

    pub(super) fn remember(&self, bot: &BotId, memory: StoredMemory) {
        let mut inner = self.inner();
        inner.memories.retain(|(of, old)| of != bot || old.kind != memory.kind || old.about != memory.about);
        inner.memories.push((bot.clone(), memory));
    }

    /// What a bot remembers, the latest first.
    pub fn memories(&self, bot: &BotId, kind: Option<&str>, about: Option<&str>) -> Vec<StoredMemory> {
        let inner = self.inner();
        let fits = |memory: &&StoredMemory| {
            kind.is_none_or(|kind| memory.kind == kind) && about.is_none_or(|about| memory.about == about)
        };
        let own = inner.memories.iter().rev().filter(|(of, _)| of == bot).map(|(_, memory)| memory);
        own.filter(fits).cloned().collect()
    }

    pub(super) fn forget(&self, bot: &BotId, about: &str, kind: Option<&str>) -> u64 {
        let mut inner = self.inner();
        let before = inner.memories.len();
        inner
            .memories
            .retain(|(of, memory)| of != bot || memory.about != about || kind.is_some_and(|kind| memory.kind != kind));
        u64::try_from(before - inner.memories.len()).unwrap_or(0)
    }

    /// Keeps an event as one that its bot was told.
    pub fn tell(&self, event: StoredEvent) {
        self.inner().events.push(event);
    }

    pub(super) fn recent_events(&self, bot: &BotId, kind: Option<&str>, limit: u32) -> Vec<StoredEvent> {
        let inner = self.inner();
        let theirs = inner.events.iter().rev().filter(|event| event.what.bot == *bot);
        theirs.filter(|event| kind.is_none_or(|kind| event.what.kind == kind)).take(limit as usize).cloned().collect()
    }
}

impl Inner {
    /// A post as one account sees it.
    fn seen_by(&self, username: &str, mut post: Post) -> Post {
        if self.likes.contains(&(username.to_owned(), post.id.clone())) {
            post.is_liked = Some(true);
        }
        post
    }
}
