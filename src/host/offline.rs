//! The offline writer: texts without a language model, by a seeded grammar.
//!
//! It never writes what claims to be a person, and asked whether it is a bot, it says so.

mod built_in;

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;

use crate::host::identity;
use crate::text::grammar::{self, BadTemplate, Unfilled};
use crate::text::{self, similarity};

/// Texts more alike than this count as the same.
pub const SAME: f64 = 0.8;
/// How often all templates of a tier are drawn anew when they come out like recent texts.
const ROUNDS: usize = 6;
/// How many templates that fit are compared for the freshest.
const COMPARED: usize = 5;
/// The longest that one fact may be within a template, in characters.
const MAX_FACT: usize = 120;
/// Facts that hold what somebody said to this bot.
const SAID: [&str; 5] = ["text", "comment", "content", "question", "message"];

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What for: `title`, `caption`, `comment`, `reply`, `prompt`, or a list of the persona's.
    pub purpose: &'a str,
    /// Facts that templates may use.
    pub about: &'a BTreeMap<String, String>,
    /// The call's own templates, tried first.
    pub templates: &'a [String],
    /// The persona's templates, by purpose or any other name.
    pub lists: &'a BTreeMap<String, Vec<String>>,
    /// The persona's own words from its identity.
    pub words: &'a BTreeMap<String, Vec<String>>,
    /// What the persona cares for, drawn as `{interest}`.
    pub interests: &'a [String],
    /// The most characters, as people count them.
    pub max_chars: usize,
}

/// Why the offline writer has nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no template fits the purpose `{purpose}`{}", self.why())]
pub struct NoTemplate {
    /// What was to be written.
    pub purpose: String,
    /// The facts that templates asked for and nobody gave.
    pub missing: Vec<String>,
    /// The first template that is wrong.
    pub bad: Option<BadTemplate>,
    /// Whether there were texts, all too like recent ones.
    pub is_repetition: bool,
}

impl NoTemplate {
    fn why(&self) -> String {
        let mut why = Vec::new();
        if self.is_repetition {
            why.push("all that do were used lately, more of them would help".to_owned());
        }
        if !self.missing.is_empty() {
            why.push(format!("missing in `about`: {}", self.missing.join(", ")));
        }
        why.extend(self.bad.as_ref().map(ToString::to_string));
        if why.is_empty() {
            why.push(format!("add `templates` to the call or a list `{}` to the persona's templates", self.purpose));
        }
        format!(": {}", why.join("; "))
    }
}

/// Writes a text: by the call's templates, else by the persona's, else by the built-in ones; none that is like one of
/// `recent`, this bot's last texts with the latest first.
///
/// # Errors
/// When no template fits, with what was missing.
pub fn write(request: &Request<'_>, recent: &[String], rng: &mut dyn Rng) -> Result<String, NoTemplate> {
    if request.purpose == "reply"
        && SAID.iter().any(|fact| request.about.get(*fact).is_some_and(|text| text::asks_if_bot(text)))
    {
        return Ok(honest_answer(request, recent, rng));
    }
    let mut nothing =
        NoTemplate { purpose: request.purpose.to_owned(), missing: Vec::new(), bad: None, is_repetition: false };
    let mut missing = BTreeSet::new();
    for tier in tiers(request) {
        match from_tier(request, &tier, recent, rng, &mut nothing, &mut missing) {
            Some(text) => return Ok(text),
            None => continue,
        }
    }
    nothing.missing = missing.into_iter().collect();
    Err(nothing)
}

/// The place of one option, weighed by the words it shares with the interests and a little chance; none without options.
pub fn choose(options: &[String], interests: &[String], rng: &mut dyn Rng) -> Option<usize> {
    let cares: BTreeSet<String> =
        interests.iter().flat_map(|interest| text::words(interest)).map(|word| stem(&word)).collect();
    let weights: Vec<u64> = options
        .iter()
        .map(|option| {
            let words: BTreeSet<String> = text::words(option).iter().map(|word| stem(word)).collect();
            1 + 4 * words.intersection(&cares).count() as u64
        })
        .collect();
    let all: u64 = weights.iter().sum();
    let mut drawn = grammar::draw(rng, usize::try_from(all).unwrap_or(usize::MAX)) as u64;
    for (place, weight) in weights.iter().enumerate() {
        match drawn.checked_sub(*weight) {
            Some(left) => drawn = left,
            None => return Some(place),
        }
    }
    None
}

/// Fills one template with given values and the persona's and the built-in lists, as `text.fill` does.
///
/// # Errors
/// When a fact is missing or the template is wrong.
pub fn fill(template: &str, request: &Request<'_>, rng: &mut dyn Rng) -> Result<String, Unfilled> {
    let values = |name: &str| request.about.get(name).map(|value| one_line(value)).filter(|value| !value.is_empty());
    let lists = |name: &str| list(request, name);
    grammar::fill(template, &values, &lists, rng)
}

/// The templates of the call, of the persona, and of this program.
fn tiers<'a>(request: &Request<'a>) -> [Vec<&'a str>; 3] {
    let call = request.templates.iter().map(String::as_str).collect();
    let plural = if request.purpose == "reply" { "replies".to_owned() } else { format!("{}s", request.purpose) };
    let persona = [plural.as_str(), request.purpose]
        .iter()
        .filter_map(|name| request.lists.get(*name))
        .flatten()
        .map(String::as_str)
        .collect();
    let built_in = built_in::templates(request.purpose).map(<[_]>::to_vec).unwrap_or_default();
    [call, persona, built_in]
}

fn from_tier(
    request: &Request<'_>,
    templates: &[&str],
    recent: &[String],
    rng: &mut dyn Rng,
    nothing: &mut NoTemplate,
    missing: &mut BTreeSet<String>,
) -> Option<String> {
    for _ in 0..ROUNDS {
        let mut fresh: Vec<(f64, String)> = Vec::new();
        let mut any = false;
        let mut left = templates.to_vec();
        while !left.is_empty() && fresh.len() < COMPARED {
            let template = left.swap_remove(grammar::draw(rng, left.len()));
            let text = match fill(template, request, rng) {
                Ok(text) => text::clip(&text, request.max_chars),
                Err(Unfilled::Missing(fact)) => {
                    missing.insert(fact);
                    continue;
                }
                Err(Unfilled::Bad(bad)) => {
                    nothing.bad.get_or_insert(bad);
                    continue;
                }
            };
            if text.trim_matches(['…', ' ']).is_empty() || text::claims_to_be_person(&text) {
                continue;
            }
            any = true;
            let likeness = likeness(&text, recent);
            if likeness <= SAME {
                fresh.push((likeness, text));
            } else {
                nothing.is_repetition = true;
            }
        }
        // The least like what was said lately: a template that was just used comes last.
        if let Some((_, text)) = fresh.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)) {
            return Some(text);
        }
        if !any {
            return None;
        }
    }
    None
}

/// An answer that tells the truth; a short one where there is little room.
fn honest_answer(request: &Request<'_>, recent: &[String], rng: &mut dyn Rng) -> String {
    let mut answers: Vec<String> = Vec::new();
    let mut left = built_in::HONEST.to_vec();
    while !left.is_empty() {
        let template = left.swap_remove(grammar::draw(rng, left.len()));
        answers.extend(fill(template, request, rng).ok().filter(|text| text::length(text) <= request.max_chars));
    }
    // The truth may be told twice, so the most different answer is good enough.
    let freshest = answers.into_iter().min_by(|a, b| likeness(a, recent).total_cmp(&likeness(b, recent)));
    freshest.unwrap_or_else(|| text::clip(built_in::SHORTEST_TRUTH, request.max_chars))
}

fn likeness(text: &str, recent: &[String]) -> f64 {
    recent.iter().map(|said| similarity(text, said)).fold(0.0, f64::max)
}

/// The list of this name: the persona's templates, its words, its interests, then what this program brings along.
fn list<'a>(request: &Request<'a>, name: &str) -> Option<Vec<&'a str>> {
    let own = request.lists.get(name).or_else(|| request.words.get(name)).filter(|list| !list.is_empty());
    if let Some(own) = own {
        return Some(own.iter().map(String::as_str).collect());
    }
    if matches!(name, "interest" | "interests") && !request.interests.is_empty() {
        return Some(request.interests.iter().map(String::as_str).collect());
    }
    // A name from the list of given names would invent a person, so only the other words are offered.
    built_in::list(name)
        .or_else(|| identity::built_in(name).filter(|_| matches!(name, "adj" | "noun")))
        .map(<[_]>::to_vec)
}

fn one_line(value: &str) -> String {
    text::clip(&value.split_whitespace().collect::<Vec<_>>().join(" "), MAX_FACT)
}

/// A word without the plural's ending, so that `city` and `cities`, `chart` and `charts` meet.
fn stem(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with('s')).unwrap_or(word).to_owned()
}
