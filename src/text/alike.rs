//! Likeness of texts, by the words and the letter groups they share.
//!
//! Case, accents and punctuation never make two texts different.

use unicode_segmentation::UnicodeSegmentation;

use super::fold;

/// How much of [`similarity`] is decided by whole words; letter groups decide the rest.
const WORDS_SHARE: f64 = 0.4;

/// Words that say nothing about what a text is about.
pub(super) const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "being", "but", "by", "can", "could", "did", "do", "does", "for", "from", "had", "has", "have",
    "he", "her", "here", "him", "his", "how", "i", "i'd", "i'll", "i'm", "i've", "if", "in", "into", "is", "it", "its",
    "just", "me", "more", "most", "my", "no", "not", "of", "off", "on", "one", "only", "or", "other", "our", "out",
    "over", "own", "s", "same", "she", "should", "so", "some", "such", "t", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "through", "to", "too", "under", "up", "very", "was", "we",
    "were", "what", "when", "where", "which", "while", "who", "why", "will", "with", "would", "you", "you're", "your",
];

/// How alike two texts are, from 0 to 1, whichever comes first.
///
/// ```
/// assert!(floimg_fleet::text::similarity("a red fox", "A red fox!") > 0.95);
/// ```
pub fn similarity(a: &str, b: &str) -> f64 {
    Shape::of(a).similarity(&Shape::of(b))
}

/// What [`similarity`] compares of a text, for comparing one with many.
#[derive(Debug, Clone)]
pub struct Shape {
    words: Vec<String>,
    letters: Vec<[char; 3]>,
    /// Filled only for a text without words, like a row of emoji: signs are then all there is to compare.
    signs: Vec<String>,
}

impl Shape {
    /// The shape of a text.
    pub fn of(text: &str) -> Self {
        let mut words = folded_words(text);
        let mut letters = trigrams(&words);
        let mut signs = if words.is_empty() { signs(text) } else { Vec::new() };
        words.sort_unstable();
        letters.sort_unstable();
        signs.sort_unstable();
        Self { words, letters, signs }
    }

    /// How alike two texts of these shapes are, from 0 to 1, whichever comes first.
    pub fn similarity(&self, other: &Self) -> f64 {
        if self.words.is_empty() && other.words.is_empty() {
            return shared(&self.signs, &other.signs);
        }
        WORDS_SHARE * shared(&self.words, &other.words) + (1.0 - WORDS_SHARE) * shared(&self.letters, &other.letters)
    }
}

/// The words of a text in lower case and in order, without stop words and possessive endings.
///
/// ```
/// assert_eq!(floimg_fleet::text::words("The Fox in the Snow"), ["fox", "snow"]);
/// ```
pub fn words(text: &str) -> Vec<String> {
    text.unicode_words()
        .map(|word| word.to_lowercase().replace('’', "'"))
        .map(|word| word.strip_suffix("'s").map_or(word.clone(), str::to_owned))
        .filter(|word| STOP_WORDS.binary_search(&word.as_str()).is_err())
        .collect()
}

/// All words, lower-case and with letters in their plain form.
pub(super) fn folded_words(text: &str) -> Vec<String> {
    text.unicode_words()
        .map(|word| {
            let mut out = String::with_capacity(word.len());
            for c in word.chars().flat_map(char::to_lowercase) {
                match fold::plain(c) {
                    Some(letters) => out.push_str(letters),
                    None if c.is_alphanumeric() => out.push(c),
                    None => {}
                }
            }
            out
        })
        .filter(|word| !word.is_empty())
        .collect()
}

pub(super) fn signs(text: &str) -> Vec<String> {
    text.graphemes(true).filter(|sign| !sign.trim().is_empty()).map(str::to_owned).collect()
}

/// Groups of three letters over the joined words, with a space before and after, so that one letter makes a group too.
pub(super) fn trigrams(words: &[String]) -> Vec<[char; 3]> {
    let mut letters = vec![' '];
    for word in words {
        letters.extend(word.chars());
        letters.push(' ');
    }
    letters.array_windows().copied().collect()
}

/// Dice's coefficient of two sorted lists: twice what both have, by what each has.
fn shared<T: Ord>(a: &[T], b: &[T]) -> f64 {
    let all = a.len() + b.len();
    if all == 0 {
        return 1.0;
    }
    let (mut i, mut j, mut both) = (0, 0, 0_usize);
    while let (Some(left), Some(right)) = (a.get(i), b.get(j)) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                both += 1;
                i += 1;
                j += 1;
            }
        }
    }
    2.0 * both as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_words_are_the_same_text() {
        for (a, b) in [
            ("a red fox", "A RED FOX!!"),
            ("Lovely light — really.", "lovely light, really 🔥"),
            ("Café crème", "cafe creme"),
            ("e\u{301}te\u{301}", "Été"),
            ("don't", "don’t"),
            ("", "  "),
            ("🔥🔥", "🔥🔥"),
        ] {
            assert!(similarity(a, b) >= 0.95, "{a} / {b}: {}", similarity(a, b));
        }
    }

    #[test]
    fn different_texts_are_far_apart_and_variations_lie_between() {
        assert!(similarity("The light in this one is unreal", "Who taught you to stack colours like that?") < 0.3);
        let variation = similarity("The light in this one is lovely", "The light in that one is so lovely");
        assert!((0.6..0.95).contains(&variation), "{variation}");
        assert_eq!(similarity("🔥", "🌊"), 0.0);
        assert_eq!(similarity("", "word"), 0.0);
    }

    #[test]
    fn words_leave_out_stop_words() {
        assert!(STOP_WORDS.is_sorted());
        assert_eq!(words("The Fox's den, in the SNOW. I'm over there"), ["fox", "den", "snow"]);
        assert_eq!(words("über Ähren"), ["über", "ähren"]);
        assert!(words("of the and").is_empty());
    }

    proptest! {
        #[test]
        fn similarity_is_symmetric_and_bounded(a in "\\PC{0,30}", b in "\\PC{0,30}") {
            let there = similarity(&a, &b);
            prop_assert_eq!(there, similarity(&b, &a));
            prop_assert!((0.0..=1.0 + 1e-12).contains(&there));
            prop_assert!(similarity(&a, &a) > 0.999);
        }

        #[test]
        fn case_and_punctuation_do_not_count(words in proptest::collection::vec("[a-z]{1,8}", 1..8)) {
            let plain = words.join(" ");
            let shouted = words.join(", ").to_uppercase() + "!";
            prop_assert!(similarity(&plain, &shouted) >= 0.95);
        }
    }
}
