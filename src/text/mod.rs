//! Words: measuring, cutting, comparing and filling texts, for bots and for messages to people.
//!
//! Everything here is pure and never panics, whatever the text.

mod abroad;
mod alike;
pub mod clean;
mod fold;
pub mod grammar;
mod honesty;
mod phrases;
mod prints;
mod untrusted;

use unicode_segmentation::UnicodeSegmentation;

use alike::STOP_WORDS;
pub use alike::{Shape, similarity, words};
pub use fold::ascii;
pub use honesty::{asks_if_bot, claims_to_be_person};
pub use prints::{BANDS, Prints};
pub use untrusted::{gives_orders, inert};

/// How many characters a text has, as people count them.
///
/// ```
/// assert_eq!(floimg_fleet::text::length("né👍🏽"), 3);
/// ```
pub fn length(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Whether a text has at least so many words.
pub fn sentence_like(text: &str, words: usize) -> bool {
    text.unicode_words().take(words).count() == words
}

/// How many UTF-16 units a text has, as the gallery counts titles.
pub fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most this many characters as people count them, cut at a word, with an ellipsis when cut.
///
/// ```
/// assert_eq!(floimg_fleet::text::clip("one two three", 8), "one two…");
/// ```
pub fn clip(text: &str, chars: usize) -> String {
    clip_by(text, chars, |_| 1)
}

/// At most this many UTF-16 units, cut at a word and never within a character, with an ellipsis when cut.
pub fn clip_utf16(text: &str, units: usize) -> String {
    clip_by(text, units, utf16_len)
}

/// The option that a person most likely meant by `word`; none when nothing comes close.
///
/// ```
/// assert_eq!(floimg_fleet::text::nearest("colour", &["size", "color"]), Some("color"));
/// ```
pub fn nearest<'a>(word: &str, options: &[&'a str]) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    let allowed = (wanted.chars().count() / 3).max(1);
    options
        .iter()
        .map(|option| (strsim::damerau_levenshtein(&wanted, &option.to_lowercase()), *option))
        .filter(|(distance, option)| *distance <= allowed && *distance < option.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, option)| option)
}

/// Text without control characters, which could otherwise rewrite what a terminal shows. Line ends stay.
///
/// ```
/// assert_eq!(floimg_fleet::text::printable("a\u{1b}[2J\n"), "a\u{fffd}[2J\n");
/// ```
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// Whether it is a control character, or one that turns the direction of writing around.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Cuts where the sizes of the characters, and one for the ellipsis, no longer fit into the limit.
fn clip_by(text: &str, limit: usize, size: impl Fn(&str) -> usize) -> String {
    let mut used = 0_usize;
    let mut fits = 0_usize;
    let mut all = true;
    for (at, grapheme) in text.grapheme_indices(true) {
        used = used.saturating_add(size(grapheme));
        if used > limit {
            all = false;
            break;
        }
        // The ellipsis takes one unit, so what is kept when cutting ends one earlier.
        if used < limit {
            fits = at + grapheme.len();
        }
    }
    if all {
        return text.to_owned();
    }
    if limit == 0 {
        return String::new();
    }
    let (kept, rest) = text.split_at(fits);
    let whole_word = rest.starts_with(char::is_whitespace) || kept.ends_with(char::is_whitespace);
    let kept = if whole_word {
        kept
    } else {
        // A script without spaces, or one endless word, is cut where it must be.
        match kept.rfind(char::is_whitespace) {
            Some(space) if space * 2 >= kept.len() => &kept[..space],
            _ => kept,
        }
    };
    let kept =
        kept.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–' | '—' | '…'));
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clips_at_words_with_an_ellipsis() {
        for (text, chars, want) in [
            ("one two three", 8, "one two…"),
            ("one two three", 9, "one two…"),
            ("one two three", 12, "one two…"),
            ("one two three", 13, "one two three"),
            ("one, two", 5, "one…"),
            ("onetwothree", 4, "one…"),
            ("né👍🏽 yes", 4, "né👍🏽…"),
            ("one", 1, "…"),
            ("one", 0, ""),
            ("", 0, ""),
            ("静かな夜の海", 4, "静かな…"),
        ] {
            assert_eq!(clip(text, chars), want, "{text} to {chars}");
        }
    }

    #[test]
    fn titles_are_cut_by_utf16_units() {
        assert_eq!(clip_utf16("👍👍👍", 5), "👍👍…");
        assert_eq!(clip_utf16("👍👍👍", 6), "👍👍👍");
    }

    #[test]
    fn nearest_helps_with_typing_errors_only() {
        assert_eq!(nearest("Authr", &["title", "author", "subject"]), Some("author"));
        assert_eq!(nearest("zebra", &["title", "author", "subject"]), None);
        assert_eq!(nearest("x", &["y"]), None);
        assert_eq!(nearest("", &[]), None);
    }

    proptest! {
        #[test]
        fn clip_never_exceeds_its_limit(text in "\\PC{0,40}", limit in 0_usize..30) {
            prop_assert!(length(&clip(&text, limit)) <= limit);
            prop_assert!(utf16_len(&clip_utf16(&text, limit)) <= limit);
            if length(&text) <= limit {
                prop_assert_eq!(clip(&text, limit), text);
            }
        }
    }
}
