//! The shapes on the wire, and how they become plain data.
//!
//! Unknown fields are ignored, `null` counts as absent, and one malformed item of a list costs only itself.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use tracing::warn;
use url::Url;

use crate::floimg::interpret::snippet;
use crate::model::gallery::{Author, Comment, Like, NewAccount, NewPost, Post, Step};

/// The body of an invitation. Every account that the fleet makes is flagged as an agent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invite<'a> {
    agent_id: &'a str,
    name: &'a str,
    username: &'a str,
    is_agent: bool,
    agent_persona_id: &'a str,
}

impl<'a> Invite<'a> {
    pub(super) fn new(account: &'a NewAccount) -> Self {
        Self {
            agent_id: &account.agent_id,
            name: &account.name,
            username: &account.username,
            is_agent: true,
            agent_persona_id: &account.persona,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Invited {
    pub id: String,
    #[serde(default)]
    pub username: Option<String>,
}

/// The body of a share.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Share<'a> {
    image_url: &'a str,
    title: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_id: Option<&'a str>,
}

impl<'a> Share<'a> {
    pub(super) fn new(post: &'a NewPost) -> Self {
        Self {
            image_url: &post.image_url,
            title: &post.title,
            description: &post.description,
            workflow_id: post.workflow_id.as_deref(),
        }
    }
}

/// The body of a comment.
#[derive(Debug, Serialize)]
pub(super) struct Say<'a> {
    pub content: &'a str,
}

/// The body of a run.
#[derive(Debug, Serialize)]
pub(super) struct Execute<'a> {
    pub name: &'a str,
    pub steps: Vec<StepBody<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum StepBody<'a> {
    Generate {
        generator: &'a str,
        params: Map<String, Value>,
        out: &'a str,
    },
    Transform {
        op: &'a str,
        #[serde(rename = "in")]
        input: &'a str,
        params: Map<String, Value>,
        out: &'a str,
    },
    Save {
        #[serde(rename = "in")]
        input: &'a str,
        destination: &'static str,
    },
}

impl<'a> StepBody<'a> {
    /// A step with the generator that stands in for the one wished for.
    pub(super) fn new(step: &'a Step, generator: impl FnOnce(&'a str) -> &'a str) -> Self {
        match step {
            Step::Generate { generator: wish, params, out } => {
                Self::Generate { generator: generator(wish), params: without_nulls(params), out }
            }
            Step::Transform { op, input, params, out } => {
                Self::Transform { op, input, params: without_nulls(params), out }
            }
        }
    }
}

/// The server takes an absent option and refuses a null one. Lists keep theirs: there, a place means something.
fn without_nulls(params: &Map<String, Value>) -> Map<String, Value> {
    let kept = params.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(key, value)| (key.clone(), without_null_fields(value))).collect()
}

fn without_null_fields(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(without_nulls(fields)),
        Value::Array(items) => Value::Array(items.iter().map(without_null_fields).collect()),
        other => other.clone(),
    }
}

/// The reply to a run. Its previews, megabytes of them, are read over and never kept.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Executed {
    pub status: String,
    #[serde(default)]
    pub image_urls: Option<Vec<String>>,
    #[serde(default)]
    pub workflow_id: Option<String>,
    // A failure that came with a 200.
    #[serde(default)]
    pub error: Option<Value>,
    #[serde(default)]
    pub error_code: Option<Value>,
    #[serde(default)]
    pub retryable: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shared {
    pub showcase_item: Item,
}

#[derive(Debug, Deserialize)]
pub(super) struct One {
    pub item: Item,
}

#[derive(Debug, Deserialize)]
pub(super) struct Items {
    pub items: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Showcase {
    pub showcase: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comments {
    pub comments: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commented {
    pub comment: Remark,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Liked {
    liked: bool,
    #[serde(default, deserialize_with = "count")]
    like_count: u32,
}

impl From<Liked> for Like {
    fn from(liked: Liked) -> Self {
        Self { liked: liked.liked, like_count: liked.like_count }
    }
}

/// A post as it comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    id: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    image: Option<Image>,
    #[serde(default)]
    preview_image_url: Option<String>,
    #[serde(default)]
    workflow_id: Option<String>,
    #[serde(default)]
    workflow_shared: Option<bool>,
    #[serde(default, deserialize_with = "count")]
    like_count: u32,
    #[serde(default, deserialize_with = "count")]
    comment_count: u32,
    #[serde(default, deserialize_with = "count")]
    view_count: u32,
    #[serde(default, deserialize_with = "count")]
    fork_count: u32,
    #[serde(default)]
    is_liked: Option<bool>,
    created_at: Timestamp,
    user: User,
}

#[derive(Debug, Deserialize)]
struct Image {
    #[serde(default)]
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

/// A comment as it comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remark {
    id: String,
    content: String,
    created_at: Timestamp,
    user: User,
}

impl Item {
    /// The post, with its picture's address made absolute against the server that named it.
    pub(super) fn into_post(self, server: &Url) -> Post {
        let address = self.image.and_then(|image| image.url).filter(|address| !address.is_empty());
        let address = address.or(self.preview_image_url);
        Post {
            id: self.id,
            title: self.title.unwrap_or_default(),
            description: self.description,
            category: self.category,
            tags: self.tags.unwrap_or_default(),
            content_type: self.content_type.unwrap_or_else(|| "image".to_owned()),
            image_url: address.and_then(|address| absolute(server, &address)),
            workflow_id: self.workflow_id,
            workflow_shared: self.workflow_shared.unwrap_or(false),
            like_count: self.like_count,
            comment_count: self.comment_count,
            view_count: self.view_count,
            fork_count: self.fork_count,
            is_liked: self.is_liked,
            created_at: self.created_at,
            author: self.user.into(),
        }
    }
}

impl From<Remark> for Comment {
    fn from(remark: Remark) -> Self {
        Self { id: remark.id, content: remark.content, created_at: remark.created_at, author: remark.user.into() }
    }
}

impl From<User> for Author {
    fn from(user: User) -> Self {
        Self { id: user.id, username: user.username, name: user.name }
    }
}

/// Reads each item of a list, and leaves out what is malformed.
pub(super) fn each<T: DeserializeOwned>(list: Vec<Value>, what: &'static str) -> Vec<T> {
    let read = |item: Value| match T::deserialize(&item) {
        Ok(read) => Some(read),
        Err(error) => {
            warn!(what, %error, item = snippet(item.to_string().as_bytes()), "left out a malformed item");
            None
        }
    };
    list.into_iter().filter_map(read).collect()
}

/// The names in a list of generators or transforms: a bare list, or one under its own name, of names or of objects
/// with a `name`. `None` when it is anything else.
pub(super) fn names(body: &Value, key: &str) -> Option<Vec<String>> {
    let list = body.as_array().or_else(|| body.get(key)?.as_array())?;
    let name = |item: &Value| item.as_str().or_else(|| item.get("name")?.as_str()).map(str::to_owned);
    Some(list.iter().filter_map(name).collect())
}

/// The address made absolute; `None` when it is none that a browser would load from the web.
pub(super) fn absolute(server: &Url, address: &str) -> Option<String> {
    if address.trim().is_empty() {
        return None;
    }
    let url = server.join(address.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.into())
}

/// A count: what is missing, null or negative is 0, what is too large is the largest.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = Option::<f64>::deserialize(deserializer)?.unwrap_or(0.0);
    // `as` from a float saturates, and NaN is 0.
    Ok(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_resolve_against_their_server() {
        let server = Url::parse("https://studio.example:8443/").expect("a valid address");
        let table = [
            ("/api/images/1", Some("https://studio.example:8443/api/images/1")),
            ("images/1", Some("https://studio.example:8443/images/1")),
            ("https://cdn.example/1.png", Some("https://cdn.example/1.png")),
            ("//cdn.example/1.png", Some("https://cdn.example/1.png")),
            ("", None),
            ("  ", None),
            ("javascript:alert(1)", None),
            ("data:image/png;base64,AA==", None),
            ("https://[", None),
        ];
        for (address, expected) in table {
            assert_eq!(absolute(&server, address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn nulls_are_left_out_but_keep_their_place_in_a_list() {
        let Value::Object(params) = serde_json::json!({"a": null, "b": {"c": null, "d": [1, null, {"e": null}]}})
        else {
            unreachable!("an object")
        };
        assert_eq!(Value::Object(without_nulls(&params)), serde_json::json!({"b": {"d": [1, null, {}]}}));
    }

    #[test]
    fn lists_of_names_come_in_several_shapes() {
        for shape in [r#"["qr","shapes"]"#, r#"[{"name":"qr"},{"name":"shapes"}]"#, r#"{"generators":["qr","shapes"]}"#]
        {
            let body = serde_json::from_str(shape).expect("valid JSON");
            assert_eq!(names(&body, "generators"), Some(vec!["qr".to_owned(), "shapes".to_owned()]), "{shape}");
        }
        assert_eq!(names(&serde_json::json!({"error": "no"}), "generators"), None);
    }
}
