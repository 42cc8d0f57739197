//! Who a bot is: its name, username and line about itself, and the chance that is its own.
//!
//! All of it follows from the persona and the index alone, so it is the same on every machine, at every start, and however
//! many bots there are.

mod names;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::model::name::BotId;
use crate::model::persona::{Identity, Persona};
use crate::text::{self, grammar};

/// The longest username.
pub const MAX_USERNAME: usize = 30;
/// The longest name shown, in characters as people count them.
const MAX_NAME: usize = 60;
/// The longest line about themselves.
const MAX_BIO: usize = 160;

/// A bot as the gallery shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name shown.
    pub name: String,
    /// At most [`MAX_USERNAME`] of `a-z`, `0-9` and `_`; no other index of the persona has it.
    pub username: String,
    /// A line about themselves; may be empty.
    pub bio: String,
}

/// Who the bot of this persona with this index is. A placeholder means the same word in name, username and bio.
pub fn identity(persona: &Persona, index: u32) -> Profile {
    let who = Who { persona, index, n: number(persona.name.as_str(), index).to_string() };
    let name = who.name();
    Profile {
        username: who.username(),
        bio: text::clip(&who.fill("bio", &persona.identity.bio, str::to_owned), MAX_BIO),
        name,
    }
}

/// What is wrong with an identity, one sentence each, naming the key.
pub fn check(identity: &Identity) -> Vec<String> {
    let mut wrong = Vec::new();
    if identity.names.iter().all(|name| name.trim().is_empty()) {
        wrong.push("identity.names: expected at least one pattern like `{first} {last}` or `{adj} Dreams`".to_owned());
    }
    for (place, name) in identity.names.iter().enumerate() {
        let key = format!("identity.names[{}]", place + 1);
        if name.trim().is_empty() {
            wrong.push(format!("{key}: is empty; expected a pattern like `{{first}} {{last}}`"));
        }
        check_pattern(identity, &key, name, &mut wrong);
    }
    check_pattern(identity, "identity.username", &identity.username, &mut wrong);
    check_username(&identity.username, &mut wrong);
    check_pattern(identity, "identity.bio", &identity.bio, &mut wrong);
    for (name, words) in &identity.words {
        let key = format!("identity.words.{name}");
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name {
            wrong.push(format!("{key}: is no name for a list; use letters, digits and underscores"));
        }
        if name == "n" {
            wrong.push(format!("{key}: `{{n}}` is the bot's number; give this list another name"));
        }
        if words.is_empty() || words.iter().any(|word| word.trim().is_empty()) {
            wrong.push(format!("{key}: expected at least one word and none that is empty"));
        }
    }
    wrong
}

/// A trait of a bot from 0 up to but not 1, the same for its whole life; another word is another trait.
pub fn trait_of(bot: &BotId, word: &str) -> f64 {
    let digest = digest(&["trait", bot.persona.as_str(), &bot.index.to_string(), word]);
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// The seed of one tick's chance: a tick that is tried again draws the same.
pub fn tick_seed(seed: &str, bot: &BotId, tick: u64) -> [u8; 32] {
    digest(&["tick", seed, bot.persona.as_str(), &bot.index.to_string(), &tick.to_string()])
}

/// A number as a fraction from 0 up to but not 1; what is none counts as 0.
pub(super) fn fraction(unit: f64) -> f64 {
    if unit.is_finite() { unit.clamp(0.0, 1.0 - f64::EPSILON) } else { 0.0 }
}

/// The words that every persona may use without listing them.
pub(super) fn built_in(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "adj" => Some(names::ADJECTIVES),
        "noun" => Some(names::NOUNS),
        "first" => Some(names::FIRST),
        "last" => Some(names::LAST),
        _ => None,
    }
}

struct Who<'a> {
    persona: &'a Persona,
    index: u32,
    n: String,
}

impl Who<'_> {
    fn rng(&self, what: &str) -> ChaCha8Rng {
        let digest = digest(&["identity", self.persona.name.as_str(), &self.index.to_string(), what]);
        ChaCha8Rng::from_seed(digest)
    }

    /// The bot's word for a placeholder, drawn by its own chance so that no other pattern can change it.
    fn word(&self, name: &str) -> Option<String> {
        let mut rng = self.rng(&format!("word {name}"));
        match self.persona.identity.words.get(name).filter(|words| !words.is_empty()) {
            Some(words) => words.get(grammar::draw(&mut rng, words.len())).cloned(),
            None => built_in(name)
                .and_then(|words| words.get(grammar::draw(&mut rng, words.len())))
                .map(|word| (*word).to_owned()),
        }
    }

    /// A filled pattern; one that cannot be filled is empty, which [`check`] has told the author before.
    fn fill(&self, what: &str, pattern: &str, form: impl Fn(&str) -> String) -> String {
        let value =
            |name: &str| if name == "n" { Some(self.n.clone()) } else { self.word(name).map(|word| form(&word)) };
        grammar::fill(pattern, &value, &|_| None, &mut self.rng(what)).unwrap_or_default()
    }

    fn name(&self) -> String {
        let patterns = &self.persona.identity.names;
        let drawn = patterns.get(grammar::draw(&mut self.rng("pattern"), patterns.len())).map_or("", String::as_str);
        // `{adj} Dreams` means "Velvet Dreams"; an author who writes `the {adj} one` wants it small.
        let small = grammar::literals(drawn).is_ok_and(|texts| {
            let letters = texts.concat();
            letters.chars().any(char::is_lowercase) && !letters.chars().any(char::is_uppercase)
        });
        let name = self.fill("name", drawn, |word| if small { word.to_owned() } else { grammar::capital(word) });
        let name = if name.is_empty() { self.persona.title.clone() } else { name };
        text::clip(&name, MAX_NAME)
    }

    fn username(&self) -> String {
        // The number travels as a sign that folding cannot meet, so that it is whole whatever is cut around it.
        let number = |name: &str| if name == "n" { Some("\n".to_owned()) } else { self.word(name) };
        let pattern = &self.persona.identity.username;
        let filled = grammar::fill(
            pattern,
            &|name| number(name).map(|text| text.replace(' ', "_")),
            &|_| None,
            &mut self.rng("username"),
        )
        .unwrap_or_default();
        let filled = filled_with_marker(&filled);
        let (before, after) = filled;
        let (mut before, mut after) = (usable(&before), usable(&after));
        if before.trim_matches('_').is_empty() && after.trim_matches('_').is_empty() {
            before = format!("{}_", self.persona.name);
            after.clear();
        }
        // A word that ends in a digit would blur where the number begins.
        if before.ends_with(|c: char| c.is_ascii_digit()) {
            before.push('_');
        }
        if after.starts_with(|c: char| c.is_ascii_digit()) {
            after.insert(0, '_');
        }
        let room = MAX_USERNAME.saturating_sub(self.n.len());
        if before.len() + after.len() > room {
            let ends_apart = before.ends_with('_');
            after.truncate(room / 3);
            before.truncate(room.saturating_sub(after.len()).saturating_sub(1));
            if ends_apart && !before.ends_with('_') || before.ends_with(|c: char| c.is_ascii_digit()) {
                before.push('_');
            }
        }
        let username = format!("{}{}{}", before.trim_start_matches('_'), self.n, after.trim_end_matches('_'));
        username.chars().take(MAX_USERNAME).collect()
    }
}

/// What stands before and after the first number; without one, it goes last.
fn filled_with_marker(filled: &str) -> (String, String) {
    match filled.split_once('\n') {
        Some((before, after)) => (before.to_owned(), after.replace('\n', "")),
        None => (format!("{filled}_"), String::new()),
    }
}

/// Folded to what usernames may hold, with an underscore kept at either end.
fn usable(text: &str) -> String {
    let folded = text::ascii(text);
    let edge = |c: char| !c.is_alphanumeric();
    let (head, tail) = (text.starts_with(edge), text.ends_with(edge));
    match (folded.is_empty(), text.is_empty()) {
        (true, true) => String::new(),
        (true, false) => "_".to_owned(),
        _ => format!("{}{folded}{}", if head { "_" } else { "" }, if tail { "_" } else { "" }),
    }
}

/// The number of an index: each index has its own, few have few digits, and neighbours do not look like neighbours.
fn number(persona: &str, index: u32) -> u64 {
    // Indices fill blocks of 90, 900, 9000, … numbers, which all have 2, 3, 4, … digits; within a block, an affine map
    // with a factor prime to the block's size shuffles them without ever meeting.
    let mut place = u64::from(index.wrapping_sub(1));
    let mut low = 10_u64;
    while place >= 9 * low {
        place -= 9 * low;
        low *= 10;
    }
    let size = 9 * low;
    let digest = digest(&["number", persona, &low.to_string()]);
    let drawn = |at: usize| digest.iter().skip(at).take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut factor = size / 3 + drawn(0) % (size / 2);
    while factor % 2 == 0 || factor % 3 == 0 || factor % 5 == 0 {
        factor += 1;
    }
    let scrambled = u128::from(place) * u128::from(factor) + u128::from(drawn(8) % size);
    low + u64::try_from(scrambled % u128::from(size)).unwrap_or(0)
}

fn check_pattern(identity: &Identity, key: &str, pattern: &str, wrong: &mut Vec<String>) {
    let asked = match grammar::placeholders(pattern) {
        Ok(asked) => asked,
        Err(bad) => return wrong.push(format!("{key}: {bad}")),
    };
    let known: Vec<&str> =
        ["n", "adj", "noun", "first", "last"].into_iter().chain(identity.words.keys().map(String::as_str)).collect();
    for name in asked.into_iter().filter(|name| !known.contains(name)) {
        let hint = match text::nearest(name, &known) {
            Some(near) => format!("did you mean `{{{near}}}`?"),
            None => format!("known are {}; or list its words in identity.words.{name}", known.join(", ")),
        };
        wrong.push(format!("{key}: nothing is known as `{{{name}}}`; {hint}"));
    }
    let literal = grammar::literals(pattern).map(|texts| texts.join(" ")).unwrap_or_default();
    if text::claims_to_be_person(&literal) {
        wrong.push(format!("{key}: claims that the bot is a person; say something else"));
    }
}

fn check_username(pattern: &str, wrong: &mut Vec<String>) {
    // What is no template at all has been told already.
    let (Ok(always), Ok(literals)) = (grammar::always(pattern), grammar::literals(pattern)) else { return };
    if !always.contains(&"n") {
        wrong.push("identity.username: has no `{n}` in every case, so two bots could have the same; expected like `art_{adj}_{n}`".to_owned());
    }
    let odd: String = literals.concat().chars().filter(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_')).collect();
    if !odd.is_empty() {
        wrong.push(format!("identity.username: `{odd}` cannot be in a username; use a-z, 0-9 and _"));
    }
    if literals.concat().len() > MAX_USERNAME - 6 && !pattern.contains('|') {
        wrong.push(format!("identity.username: is too long; a username has at most {MAX_USERNAME} characters, words and number included"));
    }
}

/// A digest over parts that cannot run into each other.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
