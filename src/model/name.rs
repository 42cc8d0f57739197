//! Names: personas, bots and script versions.

use std::fmt;
use std::sync::Arc;

/// A persona's name: the stem of its file. Lower-case letters, digits and underscores, at most 48.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonaName(Arc<str>);

/// Why a text is no name of a persona.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name for a persona: use 1 to 48 lower-case letters, digits and underscores, starting with a letter"
)]
pub struct NotAPersonaName(pub String);

impl PersonaName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn new(name: &str) -> Result<Self, NotAPersonaName> {
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        let fits = name.len() <= 48 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if starts && fits { Ok(Self(name.into())) } else { Err(NotAPersonaName(name.to_owned())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A bot's id: its persona and its place among that persona's bots, written `ai_artist-17`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BotId {
    /// Which persona it acts out.
    pub persona: PersonaName,
    /// Its place, from 1.
    pub index: u32,
}

/// Why a text is no bot's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no bot: expected a persona, a hyphen and a number from 1, like `ai_artist-17`")]
pub struct NotABotId(pub String);

impl std::str::FromStr for BotId {
    type Err = NotABotId;

    fn from_str(text: &str) -> Result<Self, NotABotId> {
        let wrong = || NotABotId(text.to_owned());
        let (persona, index) = text.rsplit_once('-').ok_or_else(wrong)?;
        let persona = PersonaName::new(persona).map_err(|_| wrong())?;
        let index = index.parse().ok().filter(|index| *index > 0).ok_or_else(wrong)?;
        Ok(Self { persona, index })
    }
}

impl std::str::FromStr for PersonaName {
    type Err = NotAPersonaName;

    fn from_str(text: &str) -> Result<Self, NotAPersonaName> {
        Self::new(text)
    }
}

impl fmt::Display for BotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.persona, self.index)
    }
}

/// The digest of a script and all it requires, 64 hex digits; people see the first eight.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionId(Arc<str>);

impl VersionId {
    /// Takes a digest as it was made or stored.
    pub fn new(digest: &str) -> Self {
        Self(digest.into())
    }

    /// The whole digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_id_reads_as_it_is_written() {
        let id: BotId = "ai_artist-17".parse().expect("an id");
        assert_eq!((id.persona.as_str(), id.index, id.to_string().as_str()), ("ai_artist", 17, "ai_artist-17"));
        for wrong in ["", "ai_artist", "ai_artist-0", "ai_artist-x", "-1", "Ai-1", "a b-1"] {
            assert!(wrong.parse::<BotId>().is_err(), "{wrong}");
        }
    }
}
