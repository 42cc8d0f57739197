//! Templates: texts with facts to fill in and alternatives to choose from.
//!
//! `{fact}` is a value, or else a draw from the list of that name; `{^fact}` gives it a capital, `{a fact}` its article;
//! `{one|another}` is one of its alternatives, which may hold all of these. `{{` and `}}` stand for braces outside of
//! alternatives. What a value says is never read as a template.

use std::fmt;

use rand::Rng;

/// How deep lists and alternatives may lie within each other.
const MAX_DEPTH: usize = 8;
/// The most bytes that a filled template may have.
const MAX_BYTES: usize = 16 * 1024;
/// The most parts that are looked at while filling one template.
const MAX_PARTS: usize = 4096;

/// What stands behind a fact's name.
pub type Values<'a> = &'a dyn Fn(&str) -> Option<String>;
/// The templates behind a list's name.
pub type Lists<'a> = &'a dyn Fn(&str) -> Option<Vec<&'a str>>;

/// A template that cannot be read or filled, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template `{template}` at character {at}: expected {expected}")]
pub struct BadTemplate {
    /// The template, which may be an entry of a list.
    pub template: String,
    /// The character that is wrong, from 1.
    pub at: usize,
    /// What should stand there.
    pub expected: String,
}

/// Why a template was not filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// A fact has neither a value nor a list.
    #[error("nothing is known as `{0}`")]
    Missing(String),
    /// The template itself is wrong.
    #[error(transparent)]
    Bad(BadTemplate),
}

/// Fills a template, drawing from lists and alternatives. Alternatives and list entries whose facts are missing are passed
/// over; spaces that an empty alternative leaves behind are taken away.
///
/// # Errors
/// When a fact is missing, or the template or an entry of a list is wrong.
pub fn fill(template: &str, values: Values<'_>, lists: Lists<'_>, rng: &mut dyn Rng) -> Result<String, Unfilled> {
    let mut filler = Filler { values, lists, rng, parts_left: MAX_PARTS };
    let mut out = String::new();
    filler.template(template, 0, &mut out)?;
    Ok(tidy(&out))
}

/// The names of all facts that a template asks for, in order and each once.
///
/// # Errors
/// When the template is wrong.
pub fn placeholders(template: &str) -> Result<Vec<&str>, BadTemplate> {
    fn collect<'t>(parts: &[Part<'t>], names: &mut Vec<&'t str>) {
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Fact(fact) if names.contains(&fact.name) => {}
                Part::Fact(fact) => names.push(fact.name),
                Part::Choice(alternatives) => alternatives.iter().for_each(|parts| collect(parts, names)),
            }
        }
    }
    let mut names = Vec::new();
    collect(&parse(template)?, &mut names);
    Ok(names)
}

/// The facts that every filling of a template needs: those outside of alternatives, or in each of them.
///
/// # Errors
/// When the template is wrong.
pub fn always(template: &str) -> Result<Vec<&str>, BadTemplate> {
    fn needed<'t>(parts: &[Part<'t>]) -> Vec<&'t str> {
        let mut names = Vec::new();
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Fact(fact) => names.push(fact.name),
                Part::Choice(alternatives) => {
                    let mut each = alternatives.iter().map(|parts| needed(parts));
                    let first = each.next().unwrap_or_default();
                    names.extend(
                        each.fold(first, |common, next| {
                            common.into_iter().filter(|name| next.contains(name)).collect()
                        }),
                    );
                }
            }
        }
        names
    }
    Ok(needed(&parse(template)?))
}

/// The text of a template that is neither a fact nor an alternative's mark, piece by piece.
///
/// # Errors
/// When the template is wrong.
pub fn literals(template: &str) -> Result<Vec<&str>, BadTemplate> {
    fn collect<'t>(parts: &[Part<'t>], texts: &mut Vec<&'t str>) {
        for part in parts {
            match part {
                Part::Text(text) => texts.push(text),
                Part::Fact(_) => {}
                Part::Choice(alternatives) => alternatives.iter().for_each(|parts| collect(parts, texts)),
            }
        }
    }
    let mut texts = Vec::new();
    collect(&parse(template)?, &mut texts);
    Ok(texts)
}

/// A place in a list of this length, the same on every machine; 0 when the list is empty.
pub fn draw(rng: &mut dyn Rng, len: usize) -> usize {
    // Multiplying up a 64-bit draw is even enough for lists and depends on no library's way of rounding.
    ((u128::from(rng.next_u64()) * len as u128) >> 64) as usize
}

/// The text with its first letter as a capital.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[derive(Debug)]
enum Part<'t> {
    Text(&'t str),
    Fact(Fact<'t>),
    Choice(Vec<Vec<Part<'t>>>),
}

#[derive(Debug, Clone, Copy)]
struct Fact<'t> {
    name: &'t str,
    form: Form,
    /// Byte position of the name, for errors.
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Capital,
    Article,
    CapitalArticle,
}

fn parse(template: &str) -> Result<Vec<Part<'_>>, BadTemplate> {
    let mut parser = Parser { template, at: 0 };
    parser.parts(0)
}

struct Parser<'t> {
    template: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.template[self.at..]
    }

    fn bad(&self, at: usize, expected: impl fmt::Display) -> BadTemplate {
        bad(self.template, at, expected)
    }

    /// Reads up to the end at depth 0, and to an unread `|` or `}` within alternatives.
    fn parts(&mut self, depth: usize) -> Result<Vec<Part<'t>>, BadTemplate> {
        let mut parts = Vec::new();
        loop {
            let rest = self.rest();
            let stops: &[char] = if depth == 0 { &['{', '}'] } else { &['{', '}', '|'] };
            let text = rest.find(stops).unwrap_or(rest.len());
            if text > 0 {
                parts.push(Part::Text(&rest[..text]));
                self.at += text;
            }
            let rest = self.rest();
            match rest.as_bytes().first() {
                None => return Ok(parts),
                Some(b'{') if depth == 0 && rest.starts_with("{{") => {
                    parts.push(Part::Text(&rest[..1]));
                    self.at += 2;
                }
                Some(b'}') if depth == 0 && rest.starts_with("}}") => {
                    parts.push(Part::Text(&rest[..1]));
                    self.at += 2;
                }
                Some(b'}') if depth == 0 => {
                    return Err(self.bad(
                        self.at,
                        "no closing brace without an opening one (a plain brace is written `}}`; `{{` at the start of \
                         alternatives is a plain one too: put a space between)",
                    ));
                }
                Some(b'{') => parts.push(self.braces(depth)?),
                Some(_) => return Ok(parts),
            }
        }
    }

    fn braces(&mut self, depth: usize) -> Result<Part<'t>, BadTemplate> {
        let open = self.at;
        if depth >= MAX_DEPTH {
            return Err(self.bad(open, format_args!("alternatives at most {MAX_DEPTH} deep")));
        }
        self.at += 1;
        // A fact's braces hold neither alternatives nor braces.
        if let Some(end) = self.rest().find(['{', '|', '}'])
            && self.rest()[end..].starts_with('}')
        {
            let fact = self.fact(&self.template[self.at..self.at + end])?;
            self.at += end + 1;
            return Ok(Part::Fact(fact));
        }
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.parts(depth + 1)?);
            match self.rest().as_bytes().first() {
                Some(b'|') => self.at += 1,
                Some(_) => {
                    self.at += 1;
                    return Ok(Part::Choice(alternatives));
                }
                None => return Err(self.bad(open, "a `}` for this `{`")),
            }
        }
    }

    fn fact(&self, inside: &'t str) -> Result<Fact<'t>, BadTemplate> {
        let (capital, rest) = inside.strip_prefix('^').map_or((false, inside), |rest| (true, rest));
        let (article, name) = match rest.strip_prefix("a ").or_else(|| rest.strip_prefix("an ")) {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let at = self.at + inside.len() - name.len();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name {
            return Err(self.bad(
                at,
                "a fact's name (letters, digits and underscores) or alternatives like `{one|another}` between the braces",
            ));
        }
        let form = match (capital, article) {
            (false, false) => Form::Plain,
            (true, false) => Form::Capital,
            (false, true) => Form::Article,
            (true, true) => Form::CapitalArticle,
        };
        Ok(Fact { name, form, at })
    }
}

struct Filler<'v, 'l, 'r> {
    values: Values<'v>,
    lists: Lists<'l>,
    rng: &'r mut dyn Rng,
    parts_left: usize,
}

impl Filler<'_, '_, '_> {
    fn template(&mut self, template: &str, depth: usize, out: &mut String) -> Result<(), Unfilled> {
        let parts = parse(template).map_err(Unfilled::Bad)?;
        self.parts(template, &parts, depth, out)
    }

    fn parts(&mut self, template: &str, parts: &[Part<'_>], depth: usize, out: &mut String) -> Result<(), Unfilled> {
        for part in parts {
            let Some(left) = self.parts_left.checked_sub(1) else {
                return Err(Unfilled::Bad(bad(template, 0, format_args!("at most {MAX_PARTS} parts, lists included"))));
            };
            self.parts_left = left;
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Fact(fact) => self.fact(template, *fact, depth, out)?,
                Part::Choice(alternatives) => {
                    self.one_of(alternatives.len(), out, |filler, which, out| {
                        filler.parts(template, &alternatives[which], depth, out)
                    })?;
                }
            }
            if out.len() > MAX_BYTES {
                return Err(Unfilled::Bad(bad(
                    template,
                    0,
                    format_args!("no more than {MAX_BYTES} bytes once filled"),
                )));
            }
        }
        Ok(())
    }

    fn fact(&mut self, template: &str, fact: Fact<'_>, depth: usize, out: &mut String) -> Result<(), Unfilled> {
        let mut text = String::new();
        if let Some(value) = (self.values)(fact.name) {
            text = value;
        } else {
            let entries = (self.lists)(fact.name).filter(|entries| !entries.is_empty());
            let entries = entries.ok_or_else(|| Unfilled::Missing(fact.name.to_owned()))?;
            if depth >= MAX_DEPTH {
                let expected =
                    format_args!("lists at most {MAX_DEPTH} deep; does `{}` lead back to itself?", fact.name);
                return Err(Unfilled::Bad(bad(template, fact.at, expected)));
            }
            self.one_of(entries.len(), &mut text, |filler, which, text| {
                filler.template(entries[which], depth + 1, text)
            })?;
        }
        if matches!(fact.form, Form::Article | Form::CapitalArticle) {
            text = format!("{} {text}", article(&text));
        }
        if matches!(fact.form, Form::Capital | Form::CapitalArticle) {
            text = capital(&text);
        }
        out.push_str(&text);
        Ok(())
    }

    /// Writes a drawn one of so many, passing over those that miss a fact.
    fn one_of(
        &mut self,
        count: usize,
        out: &mut String,
        mut write: impl FnMut(&mut Self, usize, &mut String) -> Result<(), Unfilled>,
    ) -> Result<(), Unfilled> {
        let start = out.len();
        let drawn = draw(self.rng, count);
        match write(self, drawn, out) {
            Err(Unfilled::Missing(fact)) => {
                let mut left: Vec<usize> = (0..count).filter(|which| *which != drawn).collect();
                while !left.is_empty() {
                    out.truncate(start);
                    let which = left.swap_remove(draw(self.rng, left.len()));
                    match write(self, which, out) {
                        Err(Unfilled::Missing(_)) => {}
                        done => return done,
                    }
                }
                out.truncate(start);
                Err(Unfilled::Missing(fact))
            }
            done => done,
        }
    }
}

fn bad(template: &str, at: usize, expected: impl fmt::Display) -> BadTemplate {
    let before = template.get(..at).map_or(0, |before| before.chars().count());
    let shown = super::clip(template, 120);
    BadTemplate { template: shown, at: before + 1, expected: expected.to_string() }
}

/// `an` before what sounds like a vowel, as well as letters can tell.
fn article(text: &str) -> &'static str {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let says_you = ["uni", "use", "usu", "uto", "eu", "ewe", "one", "once", "ubi", "ura"];
    let silent_h = ["hour", "honest", "honour", "honor", "heir"];
    let starts = |heads: &[&str]| heads.iter().any(|head| word.starts_with(head));
    let unusual_un = ["unin", "unim", "unid"];
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u', '8']);
    if starts(&silent_h) || vowel && (!starts(&says_you) || starts(&unusual_un)) { "an" } else { "a" }
}

/// Takes away doubled spaces, spaces before a comma or a sentence's end, and spaces at either end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if c == ' ' && out.ends_with([' ', '\n']) {
            continue;
        }
        if matches!(c, ',' | '.' | '!' | '?' | '\n') && out.ends_with(' ') {
            out.pop();
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn filled(template: &str, seed: u64) -> Result<String, Unfilled> {
        let values = |name: &str| match name {
            "subject" => Some("paper boats".to_owned()),
            "thing" => Some("old hour".to_owned()),
            "tricky" => Some("{subject} | {".to_owned()),
            _ => None,
        };
        let lists = |name: &str| match name {
            "mood" => Some(vec!["calm", "loud {subject}"]),
            "loop" => Some(vec!["{loop}"]),
            "broken" => Some(vec!["oh {"]),
            "half" => Some(vec!["{nobody}", "whole"]),
            "empty" => Some(vec![]),
            "bomb" => Some(vec!["{bomb2}{bomb2}{bomb2}{bomb2}{bomb2}{bomb2}{bomb2}{bomb2}"]),
            "bomb2" => Some(vec!["{bomb3}{bomb3}{bomb3}{bomb3}{bomb3}{bomb3}{bomb3}{bomb3}"]),
            "bomb3" => Some(vec!["{bomb4}{bomb4}{bomb4}{bomb4}{bomb4}{bomb4}{bomb4}{bomb4}"]),
            "bomb4" => Some(vec!["{mood}{mood}{mood}{mood}{mood}{mood}{mood}{mood}{mood}{mood}"]),
            _ => None,
        };
        fill(template, &values, &lists, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    /// All that a template becomes over many seeds.
    fn all(template: &str) -> BTreeSet<String> {
        (0..200).map(|seed| filled(template, seed).expect("a filling")).collect()
    }

    #[test]
    fn fills_facts_lists_and_alternatives() {
        for (template, want) in [
            ("", vec![""]),
            ("{^subject} here", vec!["Paper boats here"]),
            ("{subject} {at dusk|at dawn}", vec!["paper boats at dawn", "paper boats at dusk"]),
            ("{mood}", vec!["calm", "loud paper boats"]),
            ("{a|b {c|{subject}}}", vec!["a", "b c", "b paper boats"]),
            ("{{{subject}}}", vec!["{paper boats}"]),
            ("a|b", vec!["a|b"]),
            ("{an subject}, {^a thing}", vec!["a paper boats, An old hour"]),
            ("{tricky}", vec!["{subject} | {"]),
            ("so {very|} calm {|now}.", vec!["so calm now.", "so calm.", "so very calm now.", "so very calm."]),
            ("{by {nobody}|untitled}", vec!["untitled"]),
            ("{half}", vec!["whole"]),
        ] {
            let want: BTreeSet<String> = want.into_iter().map(str::to_owned).collect();
            assert_eq!(all(template), want, "{template}");
        }
    }

    #[test]
    fn says_what_is_missing_or_wrong_and_where() {
        assert_eq!(filled("{nobody} {none|{nobody}}", 1), Err(Unfilled::Missing("nobody".into())));
        assert_eq!(filled("{empty}", 1), Err(Unfilled::Missing("empty".into())));
        for (template, at) in [
            ("é {", 3),
            ("{a|b", 1),
            ("a } b", 3),
            ("{}", 2),
            ("{two words}", 2),
            ("{^}", 3),
            ("x {a|{b c}}", 7),
            ("{{a|b}|c}", 6),
            ("{a|{b|{c|{d|{e|{f|{g|{h|{i|j}}}}}}}}}", 25),
        ] {
            let Err(Unfilled::Bad(wrong)) = filled(template, 1) else { panic!("{template} was filled") };
            assert_eq!(wrong.at, at, "{wrong}");
            assert_eq!(placeholders(template), Err(wrong), "{template}");
        }
    }

    #[test]
    fn lists_without_an_end_end() {
        for (template, part) in [("{loop}", "back to itself"), ("{broken}", "`oh {`"), ("{bomb}", "parts")] {
            let Err(wrong @ Unfilled::Bad(_)) = filled(template, 1) else { panic!("{template} was filled") };
            assert!(wrong.to_string().contains(part), "{wrong}");
        }
    }

    #[test]
    fn names_what_a_template_asks_for() {
        assert_eq!(placeholders("{^b} {a|{b}|{a c}} {{d}}"), Ok(vec!["b", "c"]));
        assert_eq!(always("{b} { {x} and {c}|{c}}"), Ok(vec!["b", "c"]));
        assert_eq!(always("{x|{n}}"), Ok(vec![]));
    }

    #[test]
    fn articles_follow_the_sound() {
        for (word, want) in [
            ("apple", "an"),
            ("unicorn", "a"),
            ("hour", "an"),
            ("owl", "an"),
            ("one", "a"),
            ("Union", "a"),
            ("fox", "a"),
        ] {
            assert_eq!(article(word), want, "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_template_panics(template in "[a-c{}|^ é]{0,40}", seed: u64) {
            let _ = placeholders(&template);
            let _ = filled(&template, seed);
        }

        #[test]
        fn a_draw_lies_in_the_list(len in 1_usize..1000, seed: u64) {
            prop_assert!(draw(&mut ChaCha8Rng::seed_from_u64(seed), len) < len);
        }
    }
}
