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

/// Facts that hold what somebody said; they come first, since what is said to a bot matters most.
const SAID: [&str; 8] = ["said", "text", "comment", "content", "question", "message", "description", "quote"];
/// Characters of a fact that are looked at for orders; no more than a part of them is shown.
const LOOKED_AT: usize = 1500;
/// Stands for a fact that gives orders.
const WITHHELD: &str = "(withheld: it tries to give you orders)";

/// Facts as lines, the most telling first, each made harmless and cut; what no longer fits is left out.
pub(super) fn lines(about: &BTreeMap<String, String>) -> Vec<String> {
    let place = |name: &str| SAID.iter().position(|said| *said == name).unwrap_or(SAID.len());
    let mut facts: Vec<(&String, &String)> = about.iter().collect();
    facts.sort_by_key(|(name, _)| place(name));
    let mut room = ALL_CHARS;
    let mut lines = Vec::new();
    for (name, value) in facts {
        let chars = if is_said(name) { LONG_CHARS } else { SHORT_CHARS };
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

/// Whether a fact holds what somebody said, rather than what something is called.
pub(super) fn is_said(name: &str) -> bool {
    SAID.contains(&name)
}

/// A text as part of one line: cut, without line ends, links, invisible characters and the marks that prompts are built of.
/// One that gives orders is not shown at all.
pub(super) fn line(value: &str, chars: usize) -> String {
    if text::gives_orders(&value.chars().take(LOOKED_AT).collect::<String>()) {
        return WITHHELD.to_owned();
    }
    let is_link = |word: &&str| word.contains("://") || word.starts_with("www.");
    let inert = text::inert(&value.chars().take(LOOKED_AT).collect::<String>());
    let words: Vec<&str> = inert.split(' ').map(|word| if is_link(&word) { "(link)" } else { word }).collect();
    text::clip(&words.join(" "), chars)
}

/// A fact's name, which a script may have taken from anywhere.
fn label(name: &str) -> String {
    let name: String = text::ascii(name).chars().take(NAME_CHARS).collect();
    if name.is_empty() { "fact".to_owned() } else { name }
}
