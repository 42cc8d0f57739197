//! The config as people and programs read it, with the origin of each key.
//!
//! What is printed can be loaded again and says the same; no secret is in it.

use toml::{Table, Value};

use super::layer::{NAMED, OPEN, Shape};
use super::{Config, Entry, SHIPPED};

/// Why a key cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown key `{key}`")]
pub struct UnknownKey {
    /// What was asked for.
    pub key: String,
    /// What may have been meant.
    pub hint: String,
}

impl Config {
    /// The keys under a name: the key itself, or a section's.
    ///
    /// # Errors
    /// When there is no such key or section.
    pub fn find(&self, name: &str) -> Result<Vec<&Entry>, UnknownKey> {
        let inside = |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let found: Vec<_> = self.entries.iter().filter(|entry| inside(&entry.key)).collect();
        let mut sections = OPEN.iter().map(|(section, _)| section).chain(NAMED.iter().map(|(section, _)| section));
        if !found.is_empty() || sections.any(|section| *section == name) {
            return Ok(found);
        }
        let shape = SHIPPED.parse().map(|shipped| Shape::of(&shipped)).ok();
        let hint = shape.map_or_else(String::new, |shape| match shape.nearest(name) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => shape.neighbours(name),
        });
        Err(UnknownKey { key: name.to_owned(), hint })
    }

    /// Some entries as TOML, the origin of each beside it.
    pub fn to_toml<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> String {
        // Keys at the top come first, because a key after a header belongs to the header's section; so the roster's
        // tables come last.
        let (roster, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| roster_tables(entry).is_some());
        let (top, inside): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.path.len() < 2);
        let lines: Vec<(&[String], String, String)> = top
            .into_iter()
            .chain(inside)
            .map(|entry| {
                let (name, section) = entry.path.split_last().map_or((entry.key.as_str(), &[][..]), |(n, s)| (n, s));
                (section, format!("{} = {}", bare(name), entry.value), self.remark(entry))
            })
            .collect();
        let width = lines.iter().map(|(_, text, _)| text.chars().count()).filter(|width| *width <= 60).max();
        let width = width.unwrap_or(0);
        let (mut text, mut current) = (String::new(), &[][..]);
        let gap = |text: &str| if text.is_empty() { "" } else { "\n" };
        for (section, line, remark) in lines {
            if section != current {
                let header: Vec<_> = section.iter().map(|name| bare(name)).collect();
                text.push_str(&format!("{}[{}]\n", gap(&text), header.join(".")));
                current = section;
            }
            text.push_str(&format!("{line:width$}  # {remark}\n"));
        }
        for entry in roster {
            for table in roster_tables(entry).into_iter().flatten() {
                text.push_str(&format!("{}[[bots]]  # {}\n", gap(&text), self.remark(entry)));
                text.extend(table.iter().map(|(name, value)| format!("{} = {value}\n", bare(name))));
            }
        }
        text
    }

    /// Some entries as JSON: a list of `{key, value, origin}`, with `secret` where a key names a variable.
    pub fn to_json<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> serde_json::Value {
        entries
            .into_iter()
            .map(|entry| {
                let mut object = serde_json::json!({
                    "key": entry.key,
                    "value": entry.value,
                    "origin": entry.origin.to_string(),
                });
                if let Some(set) = self.secret_is_set(&entry.key) {
                    object["secret"] = if set { "set" } else { "not set" }.into();
                }
                object
            })
            .collect()
    }

    fn remark(&self, entry: &Entry) -> String {
        let origin = visible(&entry.origin.to_string());
        match (self.secret_is_set(&entry.key), entry.value.as_str()) {
            (Some(true), Some(_)) if entry.key.ends_with(".api_key_file") => format!("{origin}; the key is there"),
            (Some(false), Some(_)) if entry.key.ends_with(".api_key_file") => format!("{origin}; no key is there"),
            (Some(true), Some(variable)) if entry.key.starts_with("web.") || entry.key.starts_with("llm.") => {
                format!("{origin}; the key is set from ${variable}")
            }
            (Some(true), Some(variable)) => format!("{origin}; the token is set from ${variable}"),
            (Some(false), Some(variable)) => format!("{origin}; ${variable} is not set"),
            _ => origin,
        }
    }

    fn secret_is_set(&self, key: &str) -> Option<bool> {
        match key {
            "floimg.token_env" => Some(self.floimg.token.is_some()),
            "http.admin_token_env" => Some(self.http.admin_token.is_some()),
            _ => {
                if let Some(provider) = key.strip_prefix("llm.providers.") {
                    let (provider, name) = provider.split_once('.')?;
                    return name.starts_with("api_key_").then(|| self.llm.keys.contains_key(provider));
                }
                let plugin = key.strip_prefix("web.secrets.")?;
                Some(self.web.signing.contains_key(plugin))
            }
        }
    }
}

/// The tables of a roster that is not empty.
fn roster_tables(entry: &Entry) -> Option<Vec<&Table>> {
    let items = entry.value.as_array().filter(|items| entry.key == "bots" && !items.is_empty())?;
    items.iter().map(Value::as_table).collect()
}

fn bare(name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain { name.to_owned() } else { Value::String(name.to_owned()).to_string() }
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
