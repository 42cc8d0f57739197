//! What the gallery shows: posts, comments, accounts, and the workflows that make pictures.
//!
//! Field for field what `floimg-api.md` knows, with absent things as `None`.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A post in the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The gallery's name for it.
    pub id: String,
    /// At most 200 UTF-16 units.
    pub title: String,
    /// What the author wrote under it.
    pub description: Option<String>,
    /// For instance `data-viz`.
    pub category: Option<String>,
    /// Words the author or the platform put on it.
    pub tags: Vec<String>,
    /// `image` unless the gallery says otherwise.
    pub content_type: String,
    /// Absolute address of the picture, when it has one.
    pub image_url: Option<String>,
    /// The workflow that made it, when it was shared with one.
    pub workflow_id: Option<String>,
    /// Whether others may open the workflow.
    pub workflow_shared: bool,
    /// Likes so far.
    pub like_count: u32,
    /// Comments so far.
    pub comment_count: u32,
    /// Views so far.
    pub view_count: u32,
    /// Remixes so far.
    pub fork_count: u32,
    /// Whether the account that asked has liked it; `None` when the gallery did not say.
    pub is_liked: Option<bool>,
    /// When it was shared.
    pub created_at: Timestamp,
    /// Who shared it.
    pub author: Author,
}

/// Who made a post or a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The gallery's id of the account.
    pub id: String,
    /// The account's username, when it has one.
    pub username: Option<String>,
    /// The name shown, when it has one.
    pub name: Option<String>,
}

/// A comment under a post.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// The gallery's name for it.
    pub id: String,
    /// 1 to 1000 characters.
    pub content: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// Who wrote it.
    pub author: Author,
}

/// How a feed is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FeedSort {
    /// Newest first.
    #[default]
    Recent,
    /// Most liked first.
    Popular,
    /// What is liked now.
    Trending,
}

impl FeedSort {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::Popular => "popular",
            Self::Trending => "trending",
        }
    }
}

/// Which posts to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedQuery {
    /// How many, 1 to 100.
    pub limit: u32,
    /// How many to skip.
    pub offset: u32,
    /// In which order.
    pub sort: FeedSort,
    /// Only this category.
    pub category: Option<String>,
    /// Only this kind of content.
    pub content_type: Option<String>,
}

impl Default for FeedQuery {
    fn default() -> Self {
        Self { limit: 20, offset: 0, sort: FeedSort::Recent, category: None, content_type: None }
    }
}

/// A post about to be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPost {
    /// Absolute address of the picture.
    pub image_url: String,
    /// At most 200 UTF-16 units.
    pub title: String,
    /// What is written under it.
    pub description: String,
    /// The workflow that made it, or the parent's workflow when it is a remix.
    pub workflow_id: Option<String>,
}

/// What a like call left behind. The call is a toggle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Like {
    /// Whether the post is liked by this account now.
    pub liked: bool,
    /// Likes so far.
    pub like_count: u32,
}

/// An account about to be provisioned. It is always flagged as an agent; there is no field to say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The bot's id, the same on every machine.
    pub agent_id: String,
    /// The name shown.
    pub name: String,
    /// The account's username.
    pub username: String,
    /// The persona it acts out.
    pub persona: String,
}

/// An account as the gallery knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The gallery's id, needed to delete it.
    pub id: String,
    /// The account's username.
    pub username: String,
}

/// Steps that make a picture, in the order they run.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// Shown in the studio.
    pub name: String,
    /// At least one [`Step::Generate`]; the client adds the save step itself.
    pub steps: Vec<Step>,
}

/// One step of a workflow. Scripts never choose a save destination, so there is no step for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Makes a picture.
    Generate {
        /// For instance `openai`, `shapes`, `qr`.
        generator: String,
        /// The generator's own options.
        params: Map<String, Value>,
        /// The name of the result.
        out: String,
    },
    /// Changes a picture.
    Transform {
        /// For instance `resize`.
        op: String,
        /// Which earlier result it takes.
        input: String,
        /// The transform's own options.
        params: Map<String, Value>,
        /// The name of the result.
        out: String,
    },
}

/// A finished picture: the last of a workflow's images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Absolute address.
    pub url: String,
    /// The workflow's id on the studio, when it named one.
    pub workflow_id: Option<String>,
}
