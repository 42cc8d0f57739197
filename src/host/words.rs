//! Words: what others will read of an action, and the lines that no text crosses.

use crate::model::failure::FailureKind;
use crate::model::gallery::Author;
use crate::text;

use super::refusal::Refusal;

/// Most characters of a comment, from the gallery's form.
const COMMENT_CHARS: usize = 1000;
/// Most UTF-16 units of a title.
const TITLE_UNITS: usize = 200;
/// Most characters of a description; the gallery's own limit is not known.
const DESCRIPTION_CHARS: usize = 2000;

/// What others will read of an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Words {
    /// Nothing.
    None,
    /// A comment.
    Comment(String),
    /// A post.
    Post {
        /// Its title.
        title: String,
        /// What is written under it.
        description: String,
    },
}

impl Words {
    /// All of it, as it is held against what the bot wrote before.
    pub fn all(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Comment(text) => Some(text.clone()),
            Self::Post { title, description } => Some(format!("{title}\n{description}")),
        }
    }

    /// The same with other words; answers whether anything is different now.
    pub fn change(&mut self, change: Change) -> bool {
        let before = self.clone();
        match self {
            Self::None => {}
            Self::Comment(text) => *text = change.text.unwrap_or_else(|| std::mem::take(text)),
            Self::Post { title, description } => {
                *title = change.title.unwrap_or_else(|| std::mem::take(title));
                *description = change.description.unwrap_or_else(|| std::mem::take(description));
            }
        }
        *self != before
    }
}

/// Other words for an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Of a comment.
    pub text: Option<String>,
    /// Of a post.
    pub title: Option<String>,
    /// Under a post.
    pub description: Option<String>,
}

impl Change {
    /// Whether an action of these words can be changed so.
    ///
    /// # Errors
    /// What is wrong, with the limit that it passes.
    pub fn fits(&self, words: &Words) -> Result<(), String> {
        let fields = [("text", &self.text), ("title", &self.title), ("description", &self.description)];
        let takes: &[&str] = match words {
            Words::None => &[],
            Words::Comment(_) => &["text"],
            Words::Post { .. } => &["title", "description"],
        };
        for (name, text) in fields.iter().filter_map(|(name, text)| Some((*name, text.as_ref()?))) {
            if takes.is_empty() {
                return Err(format!("`change.{name}`: this action has no words to change"));
            }
            if !takes.contains(&name) {
                return Err(format!("`change.{name}`: this action has no {name}, but {}", takes.join(" and ")));
            }
            if let Some(odd) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
                return Err(format!("`change.{name}` has the character {odd:?}, which nobody can read"));
            }
        }
        let mut changed = words.clone();
        changed.change(self.clone());
        let checked = match &changed {
            Words::None => Ok(()),
            Words::Comment(text) => check_comment(text.trim()),
            Words::Post { title, description } => check_words(title, description),
        };
        match checked {
            // Both begin with the field's name in backticks.
            Err(Refusal::Wrong(problem)) => Err(problem.replacen('`', "`change.", 1)),
            _ => Ok(()),
        }
    }
}

/// A hard line: no text of a bot claims that a person wrote it.
///
/// # Errors
/// When it does.
pub(super) fn refuse_false_claims(words: &str) -> Result<(), Refusal> {
    if text::claims_to_be_person(words) {
        return Err(Refusal::failure(
            FailureKind::Rejected,
            "the text claims that its author is a person; no bot says that",
        ));
    }
    Ok(())
}

pub(super) fn check_comment(words: &str) -> Result<(), Refusal> {
    let length = words.chars().count();
    if length == 0 || length > COMMENT_CHARS {
        return Err(Refusal::Wrong(format!(
            "`text` must have 1 to {COMMENT_CHARS} characters, got {length}: cut it with text.clip"
        )));
    }
    Ok(())
}

pub(super) fn check_words(title: &str, description: &str) -> Result<(), Refusal> {
    let units = text::utf16_len(title);
    if title.trim().is_empty() || units > TITLE_UNITS {
        return Err(Refusal::Wrong(format!(
            "`title` must have 1 to {TITLE_UNITS} characters (as UTF-16), got {units}: cut it with text.clip"
        )));
    }
    let chars = description.chars().count();
    if chars > DESCRIPTION_CHARS {
        return Err(Refusal::Wrong(format!(
            "`description` must have at most {DESCRIPTION_CHARS} characters, got {chars}"
        )));
    }
    Ok(())
}

/// A reply begins with whom it answers; the gallery has no other way to say so.
pub(super) fn addressed(words: String, author: &Author) -> String {
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
