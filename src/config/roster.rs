//! The roster: which bots should exist.
//!
//! Every persona has at most one number of its own; whoever has none shares the rest by weight.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::model::name::PersonaName;

/// How many bots there should be.
///
/// The bots of [`Roster::counts`] come first. [`Roster::spread`] more are spread by weight over the personas that
/// have no entry there, so an entry with 0 keeps a persona out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// Bots of the personas that have a number of their own.
    pub counts: BTreeMap<PersonaName, u32>,
    /// Bots to be spread over all other personas.
    pub spread: u32,
}

/// The most bots that one entry may ask for.
const MOST: i64 = 100_000;

/// One `[[bots]]` entry, as it is written.
enum Entry {
    Persona(PersonaName, u32),
    Size(u32),
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, expecting = "expected a table with `persona` and `count`, or with `size`")]
        struct Keys {
            #[serde(default, deserialize_with = "persona")]
            persona: Option<PersonaName>,
            #[serde(default, deserialize_with = "number")]
            count: Option<u32>,
            #[serde(default, deserialize_with = "number")]
            size: Option<u32>,
        }
        match Keys::deserialize(from)? {
            Keys { persona: Some(persona), count: Some(count), size: None } => Ok(Self::Persona(persona, count)),
            Keys { persona: None, count: None, size: Some(size) } => Ok(Self::Size(size)),
            Keys { persona: Some(_), count: None, size: None } => {
                Err(D::Error::custom("expected `count` beside `persona`"))
            }
            Keys { persona: None, count: Some(_), size: None } => {
                Err(D::Error::custom("expected `persona` beside `count`"))
            }
            _ => Err(D::Error::custom("expected either `persona` and `count`, or `size`")),
        }
    }
}

impl<'de> Deserialize<'de> for Roster {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut roster = Self::default();
        let mut spread = None;
        for entry in Vec::<Entry>::deserialize(from)? {
            let again = match entry {
                Entry::Persona(persona, count) => {
                    let before = roster.counts.insert(persona.clone(), count);
                    before.map(|_| format!("expected one entry for each persona, found two for `{persona}`"))
                }
                Entry::Size(size) => {
                    spread.replace(size).map(|_| "expected one entry with `size`, found two".to_owned())
                }
            };
            if let Some(message) = again {
                return Err(D::Error::custom(message));
            }
        }
        roster.spread = spread.unwrap_or(0);
        Ok(roster)
    }
}

fn persona<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PersonaName>, D::Error> {
    let name = match toml::Value::deserialize(from)? {
        toml::Value::String(name) => PersonaName::new(&name).ok(),
        _ => None,
    };
    name.map(Some).ok_or_else(|| {
        D::Error::custom("expected a persona: 1 to 48 lower-case letters, digits and underscores, a letter first")
    })
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    super::value::whole::<0, MOST, u32, D>(from).map(Some)
}
