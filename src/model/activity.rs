//! An activity: the row that an action or a life event leaves.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::name::{BotId, PersonaName};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It happened.
    Done,
    /// The world, or a limit of the host, refused it.
    Refused,
    /// Something broke.
    Failed,
    /// Nobody can tell whether it happened.
    Unknown,
}

impl Ending {
    /// The word in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The ending with this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Done, Self::Refused, Self::Failed, Self::Unknown].into_iter().find(|ending| ending.as_str() == word)
    }
}

/// An activity before it has a row.
#[derive(Debug, Clone, PartialEq)]
pub struct NewActivity {
    /// When.
    pub at: Timestamp,
    /// Which bot, unless it concerns a persona or the fleet.
    pub bot: Option<BotId>,
    /// Which persona, unless it concerns the fleet.
    pub persona: Option<PersonaName>,
    /// The word for it: an action's (`upvote`), or `born`, `script_error`, `reloaded`, `reload_refused`, `quarantined`, ….
    pub kind: String,
    /// How it ended.
    pub ending: Ending,
    /// The post it concerns, or empty.
    pub target: String,
    /// One line for people.
    pub text: String,
    /// The rest, for machines.
    pub detail: Value,
}

/// An activity with its row.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Grows with every activity; what an event stream resumes from.
    pub id: i64,
    /// What happened.
    pub what: NewActivity,
}
