//! The desk: where everything that changes the gallery is decided, written and then applied.
//!
//! Each change is one critical section, so counts are right however many ask at once, and a change that could not be
//! written did not happen.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use tokio::sync::broadcast;
use tracing::{error, warn};

use super::gallery::{AccountAt, Gallery};
use super::journal::{Event, Journal, JournalError};
use crate::clock::Clock;

/// Why a change was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The item is not there.
    NoItem,
    /// The account is not there.
    NoAccount,
    /// The picture was never made here.
    NoImage,
    /// The username is somebody else's.
    Taken(String),
    /// The disk did not take it.
    Disk,
}

/// What pages are told while they are open.
#[derive(Debug, Clone)]
pub(super) enum Live {
    /// A picture was shared.
    Item { id: String },
    /// An item's counts changed.
    Counts { id: String, likes: usize, comments: usize },
}

/// How many may fall behind by how much: a page that missed more is told to look again.
const LIVE_KEPT: usize = 256;
/// How many views are counted in memory before they are written; a crash forgets at most these.
const VIEWS_KEPT: usize = 128;
/// How many lines a journal may have beyond twice what it needs before it is compacted.
const SLACK: u64 = 10_000;

/// An account about to be made.
#[derive(Debug)]
pub(super) struct NewAccount {
    pub(super) username: String,
    pub(super) name: String,
    pub(super) is_agent: bool,
    pub(super) agent_id: Option<String>,
    pub(super) persona: Option<String>,
}

/// A post about to be made.
#[derive(Debug)]
pub(super) struct NewItem {
    pub(super) image: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) workflow: Option<String>,
}

/// Owns the gallery and its journal.
#[derive(Debug)]
pub(super) struct Desk {
    book: RwLock<Book>,
    clock: Clock,
    live: broadcast::Sender<Live>,
}

#[derive(Debug)]
struct Book {
    gallery: Gallery,
    journal: Journal,
    views: HashMap<String, u64>,
    compact_at: u64,
}

impl Desk {
    /// Opens the journal in `dir` and replays it.
    pub(super) fn open(dir: &Path, clock: Clock) -> Result<Self, JournalError> {
        let mut gallery = Gallery::default();
        let journal = Journal::open(dir, |event| gallery.apply(event))?;
        let mut book = Book { gallery, journal, views: HashMap::new(), compact_at: SLACK };
        book.compact_when_grown();
        Ok(Self { book: RwLock::new(book), clock, live: broadcast::channel(LIVE_KEPT).0 })
    }

    /// Lets `look` see the gallery as it is now.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Gallery) -> T) -> T {
        look(&self.shared().gallery)
    }

    /// What happens from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Live> {
        self.live.subscribe()
    }

    /// The studio's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes an account, or finds it. Answers its place and whether it is new.
    pub(super) fn invite(&self, new: NewAccount, visitor: Option<String>) -> Result<(AccountAt, bool), Refusal> {
        let mut book = self.owned();
        if let Some(at) = book.gallery.account_named(&new.username) {
            let there = book.gallery.account(at);
            return if visitor.is_none() && there.agent_id == new.agent_id && there.is_agent == new.is_agent {
                Ok((at, false))
            } else {
                Err(Refusal::Taken(new.username))
            };
        }
        let id = fresh_id();
        let NewAccount { username, name, is_agent, agent_id, persona } = new;
        let account =
            Event::Account { id: id.clone(), username, name, is_agent, agent_id, persona, at: self.clock.now() };
        let visitor = visitor.map(|key| Event::Visitor { key, account: id.clone() });
        book.commit(std::iter::once(account).chain(visitor).collect())?;
        book.gallery.account_by_id(&id).map(|at| (at, true)).ok_or(Refusal::NoAccount)
    }

    /// Takes an account away with all it did.
    pub(super) fn delete(&self, id: &str) -> Result<(), Refusal> {
        let mut book = self.owned();
        book.gallery.account_by_id(id).ok_or(Refusal::NoAccount)?;
        book.commit(vec![Event::Deletion { account: id.to_owned(), at: self.clock.now() }])
    }

    /// Writes down how pictures were made.
    pub(super) fn record(&self, recipe: Event) -> Result<(), Refusal> {
        self.owned().commit(vec![recipe])
    }

    /// Shares a picture. Answers the item's id.
    pub(super) fn share(&self, account: &str, new: NewItem) -> Result<String, Refusal> {
        let mut book = self.owned();
        let at = book.gallery.account_by_id(account).ok_or(Refusal::NoAccount)?;
        if book.gallery.recipe(&new.image).is_none() {
            return Err(Refusal::NoImage);
        }
        let NewItem { image, title, description, workflow } = new;
        let parent = workflow.as_deref().and_then(|workflow| book.gallery.parent(workflow, at));
        let remix_of = parent.map(|item| item.id.clone());
        let id = fresh_id();
        let account = account.to_owned();
        let at = self.clock.now();
        book.commit(vec![Event::Item { id: id.clone(), account, image, title, description, workflow, remix_of, at }])?;
        drop(book);
        self.tell(Live::Item { id: id.clone() });
        Ok(id)
    }

    /// Likes, or takes the like back. Answers whether it stands now, and how many do.
    pub(super) fn toggle_like(&self, account: &str, item: &str) -> Result<(bool, usize), Refusal> {
        let mut book = self.owned();
        let at = book.gallery.account_by_id(account).ok_or(Refusal::NoAccount)?;
        let liked = book.gallery.item(item).ok_or(Refusal::NoItem)?.likes.contains_key(&at);
        let (id, account, now) = (item.to_owned(), account.to_owned(), self.clock.now());
        book.commit(vec![if liked {
            Event::Unlike { item: id, account, at: now }
        } else {
            Event::Like { item: id, account, at: now }
        }])?;
        let (likes, comments) = book.gallery.item(item).map_or((0, 0), |item| (item.likes.len(), item.comments.len()));
        drop(book);
        self.tell(Live::Counts { id: item.to_owned(), likes, comments });
        Ok((!liked, likes))
    }

    /// Says something under an item. Answers the comment's id.
    pub(super) fn comment(&self, account: &str, item: &str, content: String) -> Result<String, Refusal> {
        let mut book = self.owned();
        book.gallery.account_by_id(account).ok_or(Refusal::NoAccount)?;
        book.gallery.item(item).ok_or(Refusal::NoItem)?;
        let id = fresh_id();
        let (item_id, account) = (item.to_owned(), account.to_owned());
        book.commit(vec![Event::Comment { id: id.clone(), item: item_id, account, content, at: self.clock.now() }])?;
        let (likes, comments) = book.gallery.item(item).map_or((0, 0), |item| (item.likes.len(), item.comments.len()));
        drop(book);
        self.tell(Live::Counts { id: item.to_owned(), likes, comments });
        Ok(id)
    }

    /// Counts a view, which is written with the next change or when enough have come together.
    pub(super) fn view(&self, item: &str) {
        let mut book = self.owned();
        if book.gallery.item(item).is_none() {
            return;
        }
        let one = Event::Views { counts: vec![(item.to_owned(), 1)] };
        if book.gallery.apply(one).is_ok() {
            *book.views.entry(item.to_owned()).or_default() += 1;
        }
        if book.views.len() >= VIEWS_KEPT {
            // The views stay counted in memory and are tried again with the next change.
            let _ = book.commit(Vec::new());
        }
    }

    /// Writes what is still only counted.
    pub(super) fn flush(&self) {
        let mut book = self.owned();
        if !book.views.is_empty() {
            // commit() has logged why; nobody is left to be told.
            let _ = book.commit(Vec::new());
        }
    }

    fn tell(&self, live: Live) {
        // It is no mistake that no page is open.
        let _ = self.live.send(live);
    }

    fn shared(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn owned(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Writes events and then applies them; when they cannot be written, nothing changes.
    fn commit(&mut self, events: Vec<Event>) -> Result<(), Refusal> {
        let mut lines = Vec::with_capacity(events.len() + 1);
        if !self.views.is_empty() {
            lines.push(Event::Views { counts: self.views.iter().map(|(id, count)| (id.clone(), *count)).collect() });
        }
        lines.extend(events.iter().cloned());
        self.journal.append(&lines).map_err(|error| {
            error!(%error, "could not write to the studio's journal");
            Refusal::Disk
        })?;
        self.views.clear();
        for event in events {
            if let Err(reason) = self.gallery.apply(event) {
                error!(reason, "the studio wrote an event that its gallery cannot take");
            }
        }
        self.compact_when_grown();
        Ok(())
    }

    fn compact_when_grown(&mut self) {
        let lines = self.journal.lines();
        if lines < self.compact_at || lines < 2 * self.gallery.size() + SLACK {
            return;
        }
        match self.journal.rewrite(self.gallery.snapshot()) {
            Ok(()) => {
                self.views.clear();
                self.compact_at = SLACK;
            }
            Err(error) => {
                warn!(%error, "could not compact the studio's journal; it stays as it is");
                self.compact_at = lines + SLACK;
            }
        }
    }
}

/// A name that nothing else has.
pub(super) fn fresh_id() -> String {
    let bytes: [u8; 16] = rand::random();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compaction_keeps_everything_that_counts() {
        let dir = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(dir.path(), Clock::wall()).expect("a desk");
        let invite = |name: &str| {
            let (username, name, agent_id) = (name.to_owned(), name.to_owned(), Some(name.to_owned()));
            let new = NewAccount { username, name, is_agent: true, agent_id, persona: None };
            let (at, _) = desk.invite(new, None).expect("an account");
            desk.read(|gallery| gallery.account(at).id.clone())
        };
        let (anna, ben) = (invite("anna"), invite("ben"));
        let image =
            crate::studio::journal::RecipeImage { id: "i".into(), extension: "png".into(), width: 1, height: 1 };
        let recipe = Event::Recipe {
            workflow: "w".into(),
            account: None,
            seed: "s".into(),
            steps: serde_json::json!([]),
            images: vec![image],
            at: desk.now(),
        };
        desk.record(recipe).expect("a recipe");
        let post = |account: &str| {
            let new = NewItem { image: "i".into(), title: "t".into(), description: None, workflow: Some("w".into()) };
            desk.share(account, new).expect("an item")
        };
        let (first, second) = (post(&anna), post(&ben));
        desk.comment(&ben, &first, "well".into()).expect("a comment");
        desk.view(&first);
        for _ in 0..(SLACK + 51) {
            desk.toggle_like(&ben, &first).expect("a like");
        }
        let facts = |desk: &Desk| {
            desk.read(|gallery| {
                let one = gallery.item(&first).expect("the item");
                let two = gallery.item(&second).expect("the remix");
                let remix = two.remix_of.clone();
                (one.likes.len(), one.comments.len(), one.views, one.forks.len(), remix, gallery.counts())
            })
        };
        let before = facts(&desk);
        assert_eq!((before.0, before.1, before.2, before.3, before.4.as_deref()), (1, 1, 1, 1, Some(first.as_str())));
        let lines = desk.shared().journal.lines();
        assert!(lines < 100, "{lines} lines are left");
        drop(desk);
        assert_eq!(facts(&Desk::open(dir.path(), Clock::wall()).expect("the desk again")), before);
    }
}
