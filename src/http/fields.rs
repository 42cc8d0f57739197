//! What a request says: its query, its path and its body, read strictly.
//!
//! What is not understood is refused by its name, with its value and what was expected.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::refused::{Refused, clipped};
use super::{LONGEST_BODY, Site};
use crate::model::name::{BotId, PersonaName};
use crate::model::plugin::PluginName;

/// The fields of a query.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a query that has these fields and no others.
    ///
    /// # Errors
    /// When it has another, or one of them twice.
    pub(super) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Refused> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or("").as_bytes()) {
            if !known.contains(&&*name) {
                return Err(unknown("query field", &name, known));
            }
            if fields.iter().any(|(there, _)| *there == name) {
                return Err(Refused::wrong(format!("the query field `{name}` is there twice: expected it once")));
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }

    /// A field's text; an empty one counts as absent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(there, _)| there == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// A field that is a whole number.
    pub(super) fn number<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<Option<T>, Refused>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            Refused::field(name, text, &format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A field that is a persona's name.
    pub(super) fn persona(&self, name: &str) -> Result<Option<PersonaName>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        PersonaName::new(text).map(Some).map_err(|_| Refused::field(name, text, A_PERSONA))
    }

    /// A field that is a bot's id.
    pub(super) fn bot(&self, name: &str) -> Result<Option<BotId>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Refused::field(name, text, A_BOT))
    }
}

const A_BOT: &str = "a bot's id, like `ai_artist-17`";
const A_PERSONA: &str = "a persona's name in lower-case letters, digits and underscores, like `ai_artist`";
const A_PLUGIN: &str = "a plugin's name in lower-case letters, digits and underscores, like `guard`";

fn unknown(what: &str, name: &str, known: &[&str]) -> Refused {
    let name = clipped(name);
    if known.is_empty() {
        return Refused::wrong(format!("unknown {what} `{name}`: expected none"));
    }
    let close = known
        .iter()
        .map(|known| (strsim::jaro_winkler(known, &name), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let refused = Refused::wrong(format!("unknown {what} `{name}`: expected {}", known.join(", ")));
    match close {
        Some((_, close)) => refused.hint(format!("did you mean `{close}`?")),
        None => refused,
    }
}

/// Takes requests that have no query.
#[derive(Debug)]
pub(super) struct NoFields;

impl FromRequestParts<Arc<Site>> for NoFields {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Site>) -> Result<Self, Refused> {
        Fields::read(parts.uri.query(), &[]).map(|_| Self)
    }
}

/// The bot in a path.
#[derive(Debug)]
pub(super) struct TheBot(pub(super) BotId);

impl FromRequestParts<Arc<Site>> for TheBot {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Refused> {
        let text = path(parts, site).await?;
        text.parse().map(Self).map_err(|_| Refused::field("id", &text, A_BOT))
    }
}

/// The persona in a path.
#[derive(Debug)]
pub(super) struct ThePersona(pub(super) PersonaName);

impl FromRequestParts<Arc<Site>> for ThePersona {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Refused> {
        let text = path(parts, site).await?;
        PersonaName::new(&text).map(Self).map_err(|_| Refused::field("name", &text, A_PERSONA))
    }
}

/// The plugin in a path.
#[derive(Debug)]
pub(super) struct ThePlugin(pub(super) PluginName);

impl FromRequestParts<Arc<Site>> for ThePlugin {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Refused> {
        let text = path(parts, site).await?;
        PluginName::new(&text).map(Self).map_err(|_| Refused::field("plugin", &text, A_PLUGIN))
    }
}

async fn path(parts: &mut Parts, site: &Arc<Site>) -> Result<String, Refused> {
    match Path::<String>::from_request_parts(parts, site).await {
        Ok(Path(text)) => Ok(text),
        Err(_) => Err(Refused::wrong(format!("the path `{}` is not UTF-8", clipped(parts.uri.path())))),
    }
}

/// A body that is a JSON object, or nothing.
#[derive(Debug)]
pub(super) struct Body(Map<String, Value>);

impl FromRequest<Arc<Site>> for Body {
    type Rejection = Refused;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Refused> {
        let bytes = Bytes::from_request(request, site).await.map_err(|problem| {
            if problem.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let longest = LONGEST_BODY / 1024;
                Refused::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {longest} KiB"))
            } else {
                Refused::wrong("the body broke off")
            }
        })?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(Value::Null) => Ok(Self(Map::new())),
            Ok(other) => Err(Refused::field("the body", &other.to_string(), "a JSON object or nothing")),
            Err(problem) => Err(Refused::wrong(format!("the body is not JSON: {problem}"))
                .hint("send a JSON object, like {\"reason\": \"maintenance\"}, or nothing")),
        }
    }
}

impl Body {
    /// Refuses fields other than these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refused> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(unknown("field of the body", name, known)),
            None => Ok(()),
        }
    }

    /// A field that is a text of at most so many characters; absent, null and empty are nothing.
    pub(super) fn text(&self, name: &str, longest: usize) -> Result<Option<String>, Refused> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim(),
            Some(other) => return Err(Refused::field(name, &other.to_string(), "a text")),
        };
        if text.chars().count() > longest {
            return Err(Refused::field(name, text, &format!("at most {longest} characters")));
        }
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    /// A field that is true or false; absent and null are false.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(Refused::field(name, &other.to_string(), "true or false")),
        }
    }

    /// A field that is a number; absent and null are nothing.
    pub(super) fn number(&self, name: &str, expected: &str) -> Result<Option<f64>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| Refused::field(name, &value.to_string(), expected)),
        }
    }
}
