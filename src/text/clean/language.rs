//! Languages: whether a text is in the one that was expected.
//!
//! A short text tells only its alphabet, so it is refused only by that; a longer one is refused where the guess is firm.

use whatlang::{Detector, Lang, Script};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(Lang);

impl Language {
    /// Its English name.
    pub fn name(self) -> &'static str {
        self.0.eng_name()
    }
}

/// The languages that guesses are made among: with all 69, short texts of one are often taken for a rare neighbour.
const KNOWN: [Lang; 27] = [
    Lang::Eng,
    Lang::Deu,
    Lang::Fra,
    Lang::Spa,
    Lang::Por,
    Lang::Ita,
    Lang::Nld,
    Lang::Swe,
    Lang::Dan,
    Lang::Pol,
    Lang::Ces,
    Lang::Hun,
    Lang::Fin,
    Lang::Ron,
    Lang::Tur,
    Lang::Ind,
    Lang::Vie,
    Lang::Rus,
    Lang::Ukr,
    Lang::Ell,
    Lang::Ara,
    Lang::Heb,
    Lang::Hin,
    Lang::Tha,
    Lang::Cmn,
    Lang::Jpn,
    Lang::Kor,
];

/// The fewest letters of a Latin text whose language is guessed.
const LETTERS: usize = 32;
/// How sure a guess must be, where whatlang does not call it reliable itself.
const SURE: f64 = 0.7;

/// The language of a text that is long enough to tell.
pub fn language(text: &str) -> Option<Language> {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let info = Detector::with_allowlist(KNOWN.to_vec()).detect(text)?;
    let is_firm =
        info.script() != Script::Latin || letters >= LETTERS && (info.is_reliable() || info.confidence() >= SURE);
    is_firm.then(|| Language(info.lang()))
}

/// The language that a text is most likely in, however short it is.
pub fn likely(text: &str) -> Option<Language> {
    Detector::with_allowlist(KNOWN.to_vec()).detect_lang(text).map(Language)
}

/// Whether a text may be in one of these languages, and is in one alone. Where somebody gave orders, which may have been to
/// write in another, a weak guess is enough to refuse.
pub(super) fn fits(text: &str, languages: &[Language], has_orders: bool) -> bool {
    if mixes(text) {
        return false;
    }
    let guess = match language(text) {
        None if has_orders => likely(text),
        guess => guess,
    };
    languages.is_empty() || guess.is_none_or(|language| languages.contains(&language))
}

/// Whether a good part of it is in another alphabet than the rest.
fn mixes(text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    let latin = letters.iter().filter(|c| is_latin(**c)).count();
    let other = letters.len() - latin;
    // A foreign word in a sentence is at home in every language.
    latin > 8 && other > 8
}

fn is_latin(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}
