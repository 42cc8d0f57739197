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

/// Stands for the number while a username is folded and cut.
const NUMBER: char = '\u{1}';

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
        let value = |name: &str| {
            if name == "n" { Some(NUMBER.to_string()) } else { self.word(name).map(|word| word.replace(NUMBER, "")) }
        };
        let pattern = &self.persona.identity.username;
        let filled = grammar::fill(pattern, &value, &|_| None, &mut self.rng("username")).unwrap_or_default();
        let (before, after) = around_number(&filled);
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
fn around_number(filled: &str) -> (String, String) {
    match filled.split_once(NUMBER) {
        Some((before, after)) => (before.to_owned(), after.replace(NUMBER, "")),
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
    // Indices fill blocks of 90, 900, 9000, … numbers, which all have 2, 3, 4, … digits, and are shuffled within them.
    let mut place = u64::from(index.wrapping_sub(1));
    let mut low = 10_u64;
    while place >= 9 * low {
        place -= 9 * low;
        low *= 10;
    }
    let size = 9 * low;
    // The smallest square that holds the block; what falls outside of the block is shuffled on until it is inside.
    let side = size.isqrt() + 1;
    loop {
        place = shuffled(persona, low, side, place);
        if place < size {
            return low + place;
        }
    }
}

/// One of `side * side` places to another: four rounds that each move one half by a digest of the other, which can be undone
/// and therefore never lead two places to the same.
fn shuffled(persona: &str, low: u64, side: u64, place: u64) -> u64 {
    let (mut left, mut right) = (place / side, place % side);
    for round in 0..4_u64 {
        let digest = digest(&["number", persona, &low.to_string(), &round.to_string(), &right.to_string()]);
        let by = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) % side;
        (left, right) = (right, (left + by) % side);
    }
    left * side + right
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::model::name::PersonaName;
    use crate::model::persona::{Pace, Schedule, Span};

    fn persona(identity: Identity) -> Persona {
        let midnight = jiff::civil::Time::midnight();
        Persona {
            name: PersonaName::new("ai_artist").expect("a name"),
            title: "AI art enthusiast".to_owned(),
            weight: 1.0,
            identity,
            voice: String::new(),
            interests: vec![],
            schedule: Schedule {
                zone: TimeZone::UTC,
                zone_name: "UTC".to_owned(),
                awake: Span { from: midnight, to: midnight },
                days: [true; 7],
                peaks: vec![],
            },
            pace: Pace { visits_per_day: 3.0, actions_per_visit: (2, 9), pause_secs: 40.0 },
            model: None,
            needs: vec![],
            templates: BTreeMap::new(),
            reload_now: false,
        }
    }

    fn patterns(names: &[&str], username: &str, bio: &str) -> Identity {
        Identity {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            username: username.to_owned(),
            bio: bio.to_owned(),
            words: BTreeMap::new(),
        }
    }

    fn with_words(mut identity: Identity, name: &str, words: &[&str]) -> Identity {
        identity.words.insert(name.to_owned(), words.iter().map(|word| (*word).to_owned()).collect());
        identity
    }

    #[test]
    fn a_bot_is_the_same_everywhere_and_always() {
        let persona =
            persona(patterns(&["{adj} Dreams", "{first} {last}"], "art_{adj}_{n}", "{^adj} things, {noun} by {noun}."));
        let shown: Vec<String> = [1, 2, 3, 4, 1000]
            .map(|index| identity(&persona, index))
            .into_iter()
            .map(|who| format!("{} @{}: {}", who.name, who.username, who.bio))
            .collect();
        // Accounts live by these: a change here renames every bot there is.
        insta::assert_snapshot!(shown.join("\n"), @"
        Wandering Dreams @art_wandering_26: Wandering things, tide by tide.
        Jiho Lim @art_blurred_76: Blurred things, lens by lens.
        Velvet Dreams @art_velvet_33: Velvet things, echo by echo.
        Laszlo Sharma @art_glassy_73: Glassy things, cedar by cedar.
        Ilse Das @art_polar_3854: Polar things, harbor by harbor.
        ");
    }

    #[test]
    fn a_word_is_the_same_in_name_username_and_bio() {
        let persona = persona(patterns(&["{first} of {noun}s"], "{first}_{noun}_{n}", "{first}"));
        for index in 1..50 {
            let who = identity(&persona, index);
            assert!(who.name.starts_with(&who.bio), "{who:?}");
            assert!(who.username.starts_with(&format!("{}_", text::ascii(&who.bio))), "{who:?}");
        }
    }

    #[test]
    fn a_number_stands_where_the_pattern_has_it() {
        for (pattern, at_start) in [("{n}fox", true), ("fox{n}", false)] {
            let username = identity(&persona(patterns(&[""], pattern, "")), 5).username;
            assert_eq!(username.len(), 5, "{username}");
            assert_eq!(username.ends_with("fox"), at_start, "{username}");
        }
    }

    #[test]
    fn drawn_words_get_capitals_unless_the_pattern_is_small() {
        for (pattern, is_big) in [("{adj} Dreams", true), ("{adj}{noun}", true), ("the {adj} one", false)] {
            let name = identity(&persona(patterns(&[pattern], "{n}", "")), 1).name;
            assert_eq!(name.starts_with(char::is_uppercase), is_big, "{name}");
        }
        assert_eq!(identity(&persona(patterns(&["{nothing}"], "{n}", "")), 1).name, "AI art enthusiast");
    }

    #[test]
    fn no_two_bots_of_a_persona_share_a_username() {
        for identity_of in [
            patterns(&[""], "art_{adj}_{n}", ""),
            patterns(&[""], "{n}", ""),
            patterns(&[""], "no_number", ""),
            patterns(&[""], "broken {", ""),
            patterns(&[""], "{n}_is_rather_long_for_a_username_{adj}", ""),
            with_words(
                patterns(&[""], "{word}{n}{word}", ""),
                "word",
                &["x1", "x12", "Ünï côdé", "静か", "a-very-long-word-that-goes-on-9"],
            ),
        ] {
            let persona = persona(identity_of);
            let mut seen = BTreeSet::new();
            for index in (1..1000).chain(99_900..100_100).chain(u32::MAX - 100..=u32::MAX) {
                let username = identity(&persona, index).username;
                assert!((1..=MAX_USERNAME).contains(&username.len()), "{username}");
                assert!(username.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{username}");
                assert!(seen.insert(username.clone()), "{username} came twice");
            }
        }
    }

    #[test]
    fn numbers_are_scrambled_and_short_for_few_bots() {
        let numbers: Vec<u64> = (1..=90).map(|index| number("ai_artist", index)).collect();
        assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), (10..100).collect());
        assert!(numbers.array_windows().filter(|[a, b]| a.abs_diff(*b) == 1).count() < 3, "{numbers:?}");
        assert_ne!(numbers, (1..=90).map(|index| number("other", index)).collect::<Vec<_>>());
        let hundreds: BTreeSet<u64> = (91..=990).map(|index| number("ai_artist", index)).collect();
        assert_eq!(hundreds, (100..1000).collect());
    }

    #[test]
    fn lists_are_long_and_hold_nothing_twice() {
        for name in ["adj", "noun", "first", "last"] {
            let words = built_in(name).expect("a list");
            assert!(words.len() >= 80, "{name}");
            assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len(), "{name}");
            for word in words {
                assert!(text::ascii(word).len() >= 2 && !text::ascii(word).contains('_'), "{word}");
            }
        }
    }

    #[test]
    fn problems_are_named_with_their_cure() {
        let good = patterns(&["{first} {last}"], "art_{adj}_{n}", "Makes {noun}s.");
        assert_eq!(check(&good), Vec::<String>::new());
        assert_eq!(check(&with_words(good.clone(), "craft", &["linocut"])), Vec::<String>::new());
        for (identity, part) in [
            (patterns(&[], "a_{n}", ""), "identity.names: expected at least one"),
            (patterns(&["A", " "], "a_{n}", ""), "identity.names[2]: is empty"),
            (
                patterns(&["{frist}"], "a_{n}", ""),
                "identity.names[1]: nothing is known as `{frist}`; did you mean `{first}`?",
            ),
            (patterns(&["A"], "a_{adj}", ""), "identity.username: has no `{n}`"),
            (patterns(&["A"], "a_{b{n}|c}", ""), "identity.username: has no `{n}` in every case"),
            (patterns(&["A"], "Art {n}", ""), "identity.username: `A ` cannot be in a username"),
            (patterns(&["A"], "a_{n", ""), "identity.username: template `a_{n` at character 3: expected"),
            (patterns(&["A"], "a_username_that_goes_on_and_on_{n}", ""), "identity.username: is too long"),
            (patterns(&["A"], "a_{n}", "{xyzzy}"), "identity.bio: nothing is known as `{xyzzy}`; known are n, adj"),
            (patterns(&["A"], "a_{n}", "I'm a real person."), "identity.bio: claims"),
            (with_words(good.clone(), "craft", &[]), "identity.words.craft: expected at least one word"),
            (with_words(good.clone(), "n", &["x"]), "identity.words.n: `{n}` is the bot's number"),
            (with_words(good, "my craft", &["x"]), "identity.words.my craft: is no name"),
        ] {
            let wrong = check(&identity);
            assert!(wrong.iter().any(|line| line.contains(part)), "{part}: {wrong:#?}");
        }
    }

    #[test]
    fn traits_and_seeds_are_a_bots_own() {
        let bot = |text: &str| text.parse::<BotId>().expect("a bot");
        let traits: Vec<f64> = (1..=2000).map(|index| trait_of(&bot(&format!("a-{index}")), "phase")).collect();
        let mean = traits.iter().sum::<f64>() / 2000.0;
        assert!((mean - 0.5).abs() < 0.02 && traits.iter().all(|unit| (0.0..1.0).contains(unit)), "{mean}");
        assert_eq!(trait_of(&bot("a-1"), "phase"), traits[0]);
        assert_ne!(trait_of(&bot("a-1"), "pace"), traits[0]);

        let seeds =
            [("x", "a-1", 1), ("x", "a-1", 2), ("x", "a-2", 1), ("x", "a-11", 1), ("xa", "a-1", 1), ("x", "b-1", 11)];
        let seeds: BTreeSet<[u8; 32]> = seeds.map(|(seed, id, tick)| tick_seed(seed, &bot(id), tick)).into();
        assert_eq!(seeds.len(), 6);
        assert_eq!(tick_seed("x", &bot("a-1"), 1), tick_seed("x", &bot("a-1"), 1));
    }

    proptest! {
        #[test]
        fn any_identity_gives_a_usable_profile(
            name in "[a-z{}|^ Ä]{0,20}", username in "[a-z{}|n_ Ä]{0,40}", bio in "\\PC{0,20}",
            words in prop::collection::vec("\\PC{0,40}", 0..4), index: u32,
        ) {
            let mut identity_of = patterns(&[&name, "{w}"], &username, &bio);
            identity_of.words.insert("w".to_owned(), words);
            let _ = check(&identity_of);
            let who = identity(&persona(identity_of), index);
            prop_assert!((1..=MAX_USERNAME).contains(&who.username.len()));
            prop_assert!(who.username.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{}", who.username);
            prop_assert!(text::length(&who.name) <= MAX_NAME && !who.name.is_empty());
        }
    }
}
