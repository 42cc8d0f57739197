//! The wire: what FloImg's API says and hears, field for field.
//!
//! Every request is read by [`Fields`], so a null or a wrong type is answered as the platform's validator answers it.
//!
//! # Assumed
//! Nothing reachable says these; each is chosen here once.
//! - A new post or comment is answered with 201; an invitation, a like and an execution with 200.
//! - A refused body is `400 {error: "Validation failed", errors: [{path, code, message, expected?, received?}]}`.
//!   Unknown fields are passed over. A body that is no JSON object is a 400 with `error` alone.
//! - Writing as nobody (no `X-Agent-Id`), or as an account that is not known, is a 403 with code `AGENT_REQUIRED` or
//!   `UNKNOWN_AGENT`. Reading as an account that is not known is a 403 too.
//! - An account is its username. An invitation with the same username and `agentId` changes nothing and answers
//!   `created: false`; the same username with another `agentId`, or one that a visitor has, is `409 USERNAME_TAKEN`.
//!   The same `agentId` with another username is another account. Usernames are 1–64 of `A–Z a–z 0–9 _ . -`.
//!   `isAgent: false` makes an organic account, so that simulations can play visitors.
//! - Deleting an account deletes its posts and comments and takes its likes back. Pictures stay.
//! - Comments are listed oldest first. `popular` is by likes, then comments, then newest. `trending` is
//!   `(1 + likes + 2·comments + 3·remixes) / (hours + 2)^1.5`. `limit` is 1–100 everywhere, 20 unless told, 50 for comments.
//! - One's own post may be liked. Likes and comments cost nothing of any budget.
//! - `imageUrls` are relative. A post names a picture of this studio, by the relative or any absolute form of that
//!   address; anything else is a 400. Whose picture it is, is not asked.
//! - A title or comment of nothing but spaces is a 400.
//! - A description has at most 5000 characters; it may be absent, and an empty one is stored as null.
//! - An execution answers with a fresh `workflowId`. A post that carries the `workflowId` of another account's earlier
//!   post is a remix of the first such post; the first post counts it in `forkCount`.
//! - `workflowShared` and `contentType: image_workflow` follow from a `workflowId`; `category` follows from the
//!   generators that made the picture (`quickchart`, `mermaid`: data-viz; `qr`: utilities; otherwise null).
//! - `stats` of a user are `{showcaseCount, likesReceived, commentsReceived, viewsReceived, forksReceived}`; `user` adds
//!   `isAgent`, `avatarUrl` and `createdAt`.
//! - `/api/nodes/generators` and `/api/nodes/transforms` answer with a list, in which each has its `name`, its `params`
//!   in words, and which of them are `required`.
//! - Opening an item counts a view. Pictures and avatars are served to anyone, everything else under `/api` asks for the
//!   service token.
//! - The platform is not known to have `/api/admin/faults` and `/api/admin/audit`: they are this stand-in's, so that
//!   tests can make it misbehave and see what it keeps.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// One thing wrong with a request.
#[derive(Debug, Serialize)]
pub(super) struct Issue {
    path: Vec<String>,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<&'static str>,
}

impl Issue {
    /// An issue with a value of the right type.
    pub(super) fn custom(key: &str, message: impl Into<String>) -> Self {
        Self { path: vec![key.to_owned()], code: "custom", message: message.into(), expected: None, received: None }
    }

    fn of_type(key: &str, expected: &'static str, value: Option<&Value>) -> Self {
        let received = match value {
            None => "undefined",
            Some(Value::Null) => "null",
            Some(Value::Bool(_)) => "boolean",
            Some(Value::Number(_)) => "number",
            Some(Value::String(_)) => "string",
            Some(Value::Array(_)) => "array",
            Some(Value::Object(_)) => "object",
        };
        let message =
            if value.is_none() { "Required".to_owned() } else { format!("Expected {expected}, received {received}") };
        Self {
            path: vec![key.to_owned()],
            code: "invalid_type",
            message,
            expected: Some(expected),
            received: Some(received),
        }
    }
}

/// Reads the fields of one request and gathers everything wrong with them.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    issues: Vec<Issue>,
}

impl<'a> Fields<'a> {
    /// Starts reading.
    pub(super) fn of(map: &'a Map<String, Value>) -> Self {
        Self { map, issues: Vec::new() }
    }

    /// A text that must be there, of at least `min` and at most `max` units of `measure`.
    pub(super) fn text(&mut self, key: &str, min: usize, max: usize, measure: Measure) -> String {
        match self.map.get(key) {
            Some(Value::String(text)) => self.sized(key, text, min, max, measure),
            other => {
                self.issues.push(Issue::of_type(key, "string", other));
                String::new()
            }
        }
    }

    /// A text that may be absent, but not null.
    pub(super) fn optional_text(&mut self, key: &str, max: usize, measure: Measure) -> Option<String> {
        self.map.contains_key(key).then(|| self.text(key, 0, max, measure))
    }

    /// A truth that must be there.
    pub(super) fn truth(&mut self, key: &str) -> bool {
        match self.map.get(key) {
            Some(Value::Bool(truth)) => *truth,
            other => {
                self.issues.push(Issue::of_type(key, "boolean", other));
                false
            }
        }
    }

    /// A list that must be there.
    pub(super) fn list(&mut self, key: &str) -> &'a [Value] {
        match self.map.get(key) {
            Some(Value::Array(list)) => list,
            other => {
                self.issues.push(Issue::of_type(key, "array", other));
                &[]
            }
        }
    }

    /// Adds an issue that only the caller can see.
    pub(super) fn object_to(&mut self, key: &str, message: impl Into<String>) {
        if !self.issues.iter().any(|issue| issue.path == [key]) {
            self.issues.push(Issue::custom(key, message));
        }
    }

    /// Ends reading.
    pub(super) fn finish(self) -> Result<(), Vec<Issue>> {
        if self.issues.is_empty() { Ok(()) } else { Err(self.issues) }
    }

    fn sized(&mut self, key: &str, text: &str, min: usize, max: usize, measure: Measure) -> String {
        let (size, unit) = match measure {
            Measure::Utf16 => (text.encode_utf16().count(), "UTF-16 units"),
            Measure::Characters => (text.chars().count(), "characters"),
        };
        let blank = min > 0 && text.trim().is_empty();
        if size < min || blank {
            self.issues.push(Issue {
                code: "too_small",
                ..Issue::custom(key, format!("Must contain at least {min} {unit} that can be seen"))
            });
        } else if size > max {
            self.issues.push(Issue {
                code: "too_big",
                ..Issue::custom(key, format!("Must contain at most {max} {unit}, has {size}"))
            });
        }
        text.to_owned()
    }
}

/// How the size of a text is counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measure {
    /// As JavaScript counts.
    Utf16,
    /// As Unicode counts.
    Characters,
}

/// A time as JavaScript writes it.
pub(super) fn iso(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Where a picture is found, relative to the server.
pub(super) fn image_path(id: &str) -> String {
    format!("/api/storage/images/{id}/content")
}

/// Where an account's avatar is found, relative to the server.
pub(super) fn avatar_path(username: &str) -> String {
    format!("/api/users/{username}/avatar")
}

/// Who made a post or comment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserRef {
    pub(super) id: String,
    pub(super) username: Option<String>,
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) avatar_url: Option<String>,
}

/// The picture of a post.
#[derive(Debug, Serialize)]
pub(super) struct ImageRef {
    pub(super) id: String,
    pub(super) url: String,
}

/// A post.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShowcaseItem {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<&'static str>,
    pub(super) image: Option<ImageRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preview_image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workflow_id: Option<String>,
    pub(super) workflow_shared: bool,
    pub(super) like_count: usize,
    pub(super) comment_count: usize,
    pub(super) view_count: u64,
    pub(super) fork_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_liked: Option<bool>,
    pub(super) created_at: String,
    pub(super) user: UserRef,
}

/// A comment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireComment {
    pub(super) id: String,
    pub(super) content: String,
    pub(super) created_at: String,
    pub(super) user: UserRef,
}

/// An account as its profile shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) is_agent: bool,
    pub(super) avatar_url: String,
    pub(super) created_at: String,
}

/// What an account has brought.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stats {
    pub(super) showcase_count: usize,
    pub(super) likes_received: usize,
    pub(super) comments_received: usize,
    pub(super) views_received: u64,
    pub(super) forks_received: usize,
}
