//! Actions: what a bot does to the world, and the intents that keep each from happening twice.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::name::BotId;

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActionKind {
    /// Makes a picture by a workflow.
    Generate,
    /// Shares a picture as a post.
    Share,
    /// Upvotes a post.
    Upvote,
    /// Comments on a post.
    Comment,
    /// Shares a picture as a remix of another post.
    Remix,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Generate, Self::Share, Self::Upvote, Self::Comment, Self::Remix];

    /// The word in Luau, SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Share => "share",
            Self::Upvote => "upvote",
            Self::Comment => "comment",
            Self::Remix => "remix",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is known of an action that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentState {
    /// Written down; the call may have gone out.
    Open,
    /// It happened.
    Done,
    /// It certainly did not happen.
    Failed,
    /// Nobody can tell; it is never repeated.
    Unknown,
}

impl IntentState {
    /// The word in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state with this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Done, Self::Failed, Self::Unknown].into_iter().find(|state| state.as_str() == word)
    }
}

/// An action about to happen, before it has a row.
#[derive(Debug, Clone, PartialEq)]
pub struct NewIntent {
    /// Who acts.
    pub bot: BotId,
    /// In which tick of its life.
    pub tick: u64,
    /// Which action of this kind within the tick, from 0.
    pub ordinal: u32,
    /// What it does.
    pub kind: ActionKind,
    /// The post it concerns, or empty.
    pub target: String,
    /// All that is needed to look up later whether it happened.
    pub payload: Value,
    /// When.
    pub at: Timestamp,
}

/// An action with its row.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The row.
    pub id: i64,
    /// What was to happen.
    pub what: NewIntent,
    /// What is known.
    pub state: IntentState,
    /// What came of it, as the script was told.
    pub outcome: Value,
}
