//! Data: text of the gallery on its way into a prompt.
//!
//! It stands in one fence that it cannot close, one line for each fact, and takes no more than its share of room.

use std::collections::BTreeMap;

use crate::text;

/// Opens the fence.
pub(super) const OPEN: &str = "<data>";
/// Closes the fence.
pub(super) const CLOSE: &str = "</data>";

/// Most characters of all facts together.
const ALL_CHARS: usize = 640;
/// Most characters of a fact that somebody said or wrote at length.
const LONG_CHARS: usize = 280;
/// Most characters of any other fact.
const SHORT_CHARS: usize = 90;
/// Most characters of a fact's name.
const NAME_CHARS: usize = 20;

/// Facts that somebody wrote at length; they come first, since what is said to a bot matters most.
const LONG: [&str; 9] =
    ["said", "text", "comment", "content", "question", "message", "description", "title", "subject"];

/// Facts as lines, the most telling first, each made harmless and cut; what no longer fits is left out.
pub(super) fn lines(about: &BTreeMap<String, String>) -> Vec<String> {
    let place = |name: &str| LONG.iter().position(|long| *long == name).unwrap_or(LONG.len());
    let mut facts: Vec<(&String, &String)> = about.iter().collect();
    facts.sort_by_key(|(name, _)| place(name));
    let mut room = ALL_CHARS;
    let mut lines = Vec::new();
    for (name, value) in facts {
        let chars = if place(name) < LONG.len() { LONG_CHARS } else { SHORT_CHARS };
        let value = line(value, chars);
        if value.is_empty() {
            continue;
        }
        let line = format!("{}: {value}", label(name));
        let length = line.chars().count();
        if length > room {
            continue;
        }
        room -= length;
        lines.push(line);
    }
    lines
}

/// A text as part of one line: cut, without line ends, invisible characters and the marks that prompts are built of.
pub(super) fn line(value: &str, chars: usize) -> String {
    text::clip(&text::inert(value), chars)
}

/// A fact's name, which a script may have taken from anywhere.
fn label(name: &str) -> String {
    let name: String = text::ascii(name).chars().take(NAME_CHARS).collect();
    if name.is_empty() { "fact".to_owned() } else { name }
}
