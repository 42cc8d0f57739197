//! The offline writer: texts without a language model, by a seeded grammar.
//!
//! It never writes what claims to be a person, and asked whether it is a bot, it says so.

mod built_in;

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;

use crate::host::identity;
use crate::text::grammar::{self, BadTemplate, Unfilled};
use crate::text::{self, Shape};

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
    let recent: Vec<Shape> = recent.iter().map(|said| Shape::of(said)).collect();
    if request.purpose == "reply"
        && SAID.iter().any(|fact| request.about.get(*fact).is_some_and(|text| text::asks_if_bot(text)))
    {
        return Ok(honest_answer(request, &recent, rng));
    }
    let mut nothing =
        NoTemplate { purpose: request.purpose.to_owned(), missing: Vec::new(), bad: None, is_repetition: false };
    let mut missing = BTreeSet::new();
    for tier in tiers(request) {
        if let Some(text) = from_tier(request, &tier, &recent, rng, &mut nothing, &mut missing) {
            return Ok(text);
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

/// The templates of the call, of the persona, and of this program: first those that speak of what is given.
fn tiers<'a>(request: &Request<'a>) -> [Vec<&'a str>; 4] {
    let call = request.templates.iter().map(String::as_str).collect();
    let plural = if request.purpose == "reply" { "replies".to_owned() } else { format!("{}s", request.purpose) };
    let persona = [plural.as_str(), request.purpose]
        .iter()
        .filter_map(|name| request.lists.get(*name))
        .flatten()
        .map(String::as_str)
        .collect();
    let built_in = built_in::templates(request.purpose).map(<[_]>::to_vec).unwrap_or_default();
    // What is made of paper boats should not be called "Amber maple"; a comment may well be about the whole.
    let must_fit = matches!(request.purpose, "title" | "caption" | "prompt");
    let fits = |template: &&str| {
        let asked = grammar::placeholders(template).unwrap_or_default();
        !must_fit || asked.iter().any(|fact| request.about.contains_key(*fact))
    };
    let (fitting, general) = built_in.into_iter().partition(fits);
    [call, persona, fitting, general]
}

fn from_tier(
    request: &Request<'_>,
    templates: &[&str],
    recent: &[Shape],
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
fn honest_answer(request: &Request<'_>, recent: &[Shape], rng: &mut dyn Rng) -> String {
    let mut answers: Vec<String> = Vec::new();
    let mut left = built_in::HONEST.to_vec();
    while !left.is_empty() {
        let template = left.swap_remove(grammar::draw(rng, left.len()));
        answers.extend(fill(template, request, rng).ok().filter(|text| text::length(text) <= request.max_chars));
    }
    // The truth may be told twice, so the most different answer is good enough.
    let rated = answers.into_iter().map(|answer| (likeness(&answer, recent), answer));
    let freshest = rated.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, answer)| answer);
    freshest.unwrap_or_else(|| text::clip(built_in::SHORTEST_TRUTH, request.max_chars))
}

fn likeness(text: &str, recent: &[Shape]) -> f64 {
    let shape = Shape::of(text);
    recent.iter().map(|said| shape.similarity(said)).fold(0.0, f64::max)
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

/// Whether a list of this name is there for every persona.
pub fn has_list(name: &str) -> bool {
    matches!(name, "interest" | "interests" | "adj" | "noun") || built_in::list(name).is_some()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// What one call and one persona bring.
    #[derive(Default)]
    struct Given {
        about: BTreeMap<String, String>,
        templates: Vec<String>,
        lists: BTreeMap<String, Vec<String>>,
        words: BTreeMap<String, Vec<String>>,
        interests: Vec<String>,
    }

    impl Given {
        fn about(mut self, fact: &str, value: &str) -> Self {
            self.about.insert(fact.to_owned(), value.to_owned());
            self
        }

        fn templates(mut self, templates: &[&str]) -> Self {
            self.templates = owned(templates);
            self
        }

        fn list(mut self, name: &str, list: &[&str]) -> Self {
            self.lists.insert(name.to_owned(), owned(list));
            self
        }

        fn interests(mut self, interests: &[&str]) -> Self {
            self.interests = owned(interests);
            self
        }

        fn write(&self, purpose: &str, max_chars: usize, recent: &[String], seed: u64) -> Result<String, NoTemplate> {
            let Self { about, templates, lists, words, interests } = self;
            let request = Request { purpose, about, templates, lists, words, interests, max_chars };
            write(&request, recent, &mut ChaCha8Rng::seed_from_u64(seed))
        }
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_calls_templates_come_before_the_personas_and_those_before_the_built_in() {
        let given = || Given::default().about("subject", "paper boats").list("comments", &["persona on {subject}"]);
        for (given, purpose, want) in [
            (given().templates(&["call on {subject}"]), "comment", "call on paper boats"),
            (given().templates(&["call on {nobody}"]), "comment", "persona on paper boats"),
            (given().templates(&["call on {"]), "comment", "persona on paper boats"),
            (given().templates(&["I'm a real person"]), "comment", "persona on paper boats"),
            (given().list("replies", &["{author|reply}"]), "reply", "author"),
            (
                given().list("toast", &["cheers to {cheer}"]).list("cheer", &["{subject}"]),
                "toast",
                "cheers to paper boats",
            ),
        ] {
            let texts: BTreeSet<String> =
                (0..30).map(|seed| given.write(purpose, 200, &[], seed).expect("a text")).collect();
            assert!(texts.contains(want), "{want}: {texts:?}");
            assert!(texts.iter().all(|text| text == want || purpose == "reply"), "{texts:?}");
        }
    }

    #[test]
    fn who_has_nothing_to_say_says_why() {
        let nothing =
            Given::default().templates(&["{who} and {what}", "{"]).write("toast", 200, &[], 1).expect_err("no text");
        assert_eq!(nothing.missing, ["who"]);
        assert!(nothing.to_string().contains("`toast`") && nothing.to_string().contains("at character 1"), "{nothing}");
        let nothing = Given::default().write("toast", 200, &[], 1).expect_err("no text");
        assert!(nothing.to_string().contains("a list `toast`"), "{nothing}");
        let given = Given::default().templates(&["the only thing to say"]);
        let nothing = given.write("toast", 200, &owned(&["The only thing to say!"]), 1).expect_err("no text");
        assert!(nothing.is_repetition && nothing.to_string().contains("used lately"), "{nothing}");
    }

    #[test]
    fn a_bot_does_not_repeat_itself_for_long() {
        for purpose in ["title", "caption", "comment", "reply", "prompt"] {
            let given =
                Given::default().about("subject", "paper boats").about("author", "mira").interests(&["origami", "fog"]);
            let mut recent: Vec<String> = Vec::new();
            for seed in 0..60 {
                let text =
                    given.write(purpose, 200, &recent, seed).unwrap_or_else(|nothing| panic!("{seed}: {nothing}"));
                assert!(recent.iter().all(|said| text::similarity(said, &text) <= SAME), "{text}");
                recent.insert(0, text);
            }
        }
    }

    #[test]
    fn built_in_texts_are_clean_with_and_without_facts() {
        for purpose in ["title", "caption", "comment", "reply", "prompt"] {
            let facts =
                Given::default().about("subject", "paper boats").about("author", "mira").about("title", "Fleet");
            for given in [Given::default(), facts.interests(&["slow photography"])] {
                let texts: BTreeSet<String> =
                    (0..400).map(|seed| given.write(purpose, 500, &[], seed).expect("a text")).collect();
                assert!(texts.len() > 60, "{purpose}: {}", texts.len());
                for text in &texts {
                    assert!(!text.contains(['{', '}', '|', '^']) && !text.contains("  "), "{text}");
                    assert!(!text.contains(" .") && !text.contains("..") && text.trim() == text, "{text}");
                    assert!(
                        purpose == "prompt" || text.starts_with(|c: char| c.is_uppercase() || c == '“' || c == 'm'),
                        "{text}"
                    );
                    assert!(!text::claims_to_be_person(text), "{text}");
                }
            }
        }
    }

    #[test]
    fn every_built_in_template_can_be_filled() {
        let facts = Given::default().about("subject", "paper boats").about("author", "mira").about("title", "Fleet");
        let given = facts.interests(&["fog"]);
        let Given { about, templates, lists, words, interests } = &given;
        let request = Request { purpose: "", about, templates, lists, words, interests, max_chars: 500 };
        let all = ["title", "caption", "comment", "reply", "prompt"]
            .map(|purpose| built_in::templates(purpose).expect("some"));
        for template in all.into_iter().flatten().chain(built_in::HONEST) {
            for seed in 0..20 {
                let text = fill(template, &request, &mut ChaCha8Rng::seed_from_u64(seed));
                assert!(text.is_ok(), "{template}: {text:?}");
            }
        }
    }

    #[test]
    fn asked_whether_it_is_a_bot_it_says_so() {
        let asked = Given::default().about("text", "are you a real person?").templates(&["of course!"]);
        let mut answers = BTreeSet::new();
        let mut recent = Vec::new();
        for seed in 0..100 {
            let answer = asked.write("reply", 200, &recent, seed).expect("an answer");
            assert!(["bot", "automated", "software", "AI agent"].iter().any(|word| answer.contains(word)), "{answer}");
            assert!(!text::claims_to_be_person(&answer), "{answer}");
            answers.insert(answer.clone());
            recent.push(answer);
        }
        assert!(answers.len() >= 8, "{answers:?}");
        assert_eq!(asked.write("reply", 15, &[], 1).expect("an answer"), "Yes, a bot.");
        assert_eq!(asked.write("comment", 200, &[], 1).expect("a text"), "of course!");
    }

    #[test]
    fn texts_fit_and_facts_stay_facts() {
        let given = Given::default().about("title", "{author} | \n{{ ^ end").templates(&["On {title}"]);
        assert_eq!(given.write("comment", 200, &[], 1).expect("a text"), "On {author} | {{ ^ end");
        let claim = Given::default().about("title", "I'm a real person").templates(&["On {title}"]);
        assert!(!claim.write("comment", 200, &[], 1).expect("a text").contains("real person"));
        assert_eq!(given.write("comment", 4, &[], 1).expect("a text"), "On…");
    }

    #[test]
    fn a_title_is_about_the_subject_when_there_is_one() {
        let given = Given::default().about("subject", "paper boats").interests(&["fog"]);
        for purpose in ["title", "caption", "prompt"] {
            for seed in 0..100 {
                let text = given.write(purpose, 200, &[], seed).expect("a text");
                assert!(text.to_lowercase().contains("paper boats"), "{text}");
            }
        }
    }

    #[test]
    fn options_near_the_interests_are_chosen_more_often() {
        let options = owned(&["Bar chart of rents", "Neon cities at night", "A loaf of bread"]);
        let interests = owned(&["neon light", "the city"]);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut counts = [0; 3];
        for _ in 0..1100 {
            counts[choose(&options, &interests, &mut rng).expect("one")] += 1;
        }
        // Weights 1, 9 and 1.
        assert!((850..950).contains(&counts[1]) && counts[0] > 60 && counts[2] > 60, "{counts:?}");
        assert_eq!(choose(&[], &interests, &mut rng), None);
    }

    proptest! {
        #[test]
        fn no_request_panics_or_passes_its_limit(
            purpose in "(reply|comment|title|x)", fact in "\\PC{0,60}", template in "[a-z{}|^ ]{0,30}", max_chars in 0_usize..60, seed: u64,
        ) {
            let given = Given::default().about("text", &fact).about("subject", &fact).templates(&[&template, "{text}"]);
            if let Ok(text) = given.write(&purpose, max_chars, &[], seed) {
                prop_assert!(text::length(&text) <= max_chars, "{text}");
                prop_assert!(!text::claims_to_be_person(&text), "{text}");
            }
        }
    }
}
