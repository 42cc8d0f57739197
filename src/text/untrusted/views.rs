//! Views: the ways in which a model could read a text that hides what it says.
//!
//! Every view is plain words; a text that hides nothing has one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::text::phrases::Said;

/// The fewest letters of a run that is tried as an encoding.
const BLOB: usize = 12;
/// How often what was decoded may hold another encoding.
const DEPTH: usize = 2;
/// Most characters of a text that are looked at.
const CHARS: usize = 1500;

/// The text's words, and its words read in every other way that yields some.
pub(crate) fn views(text: &str) -> Vec<Said> {
    let text: String = text.chars().take(CHARS).collect();
    let mut views = Vec::new();
    look(&text, DEPTH, &mut views);
    views
}

fn look(text: &str, depth: usize, views: &mut Vec<Said>) {
    let plain = Said::of(text);
    views.extend([leet(&plain), spelled(&plain), tags(text)].into_iter().flatten());
    // These only turn letters around, so they find something in any text; what they find is held against phrases.
    views.push(plain.map(rot13));
    views.push(Said::of(&text.chars().rev().collect::<String>()));
    views.push(plain);
    if depth > 0 {
        for hidden in decoded(text) {
            look(&hidden, depth - 1, views);
        }
    }
}

/// Digits that stand for letters.
fn leet(plain: &Said) -> Option<Said> {
    let has_both = |word: &str| word.chars().any(|c| c.is_ascii_digit()) && word.chars().any(char::is_alphabetic);
    plain.words().any(has_both).then(|| {
        plain.map(|word| {
            let letter = |c| match c {
                '0' => 'o',
                '1' => 'i',
                '3' => 'e',
                '4' => 'a',
                '5' => 's',
                '7' => 't',
                '8' => 'b',
                '9' => 'g',
                c => c,
            };
            word.chars().map(letter).collect()
        })
    })
}

/// Letters that stand apart, put together; where one word ends is told by nothing, so all of a run is one.
fn spelled(plain: &Said) -> Option<Said> {
    let words: Vec<&str> = plain.words().collect();
    let singles = words.iter().filter(|word| word.chars().count() == 1 && word.is_ascii()).count();
    // "I see a fox" has two.
    (singles >= 6).then(|| {
        let mut run = String::new();
        let mut out = String::new();
        for word in words {
            if word.chars().count() == 1 {
                run.push_str(word);
            } else {
                out.push_str(&format!(" {} {word}", std::mem::take(&mut run)));
            }
        }
        Said::of(&format!("{out} {} {}", apart(&run), run))
    })
}

/// A run of letters parted at the words that orders are made of.
fn apart(run: &str) -> String {
    let known = [
        "ignore",
        "previous",
        "instructions",
        "prompt",
        "system",
        "say",
        "only",
        "reply",
        "with",
        "the",
        "all",
        "reveal",
        "your",
    ];
    let mut out = run.to_owned();
    for word in known {
        out = out.replace(word, &format!(" {word} "));
    }
    out
}

/// Flags' letters as letters.
fn flags(text: &str) -> Option<String> {
    let is_flag = |c: &char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    (text.chars().filter(is_flag).count() > 4).then(|| {
        let letter = |c: char| match u32::from(c).checked_sub(0x1_f1e6) {
            Some(place @ 0..26) => char::from_u32(u32::from('a') + place).unwrap_or(c),
            _ => c,
        };
        text.chars().map(letter).collect()
    })
}

/// What is written in tags, which have a character for every ASCII one and are never shown.
fn tags(text: &str) -> Option<Said> {
    let hidden: String = text
        .chars()
        .filter_map(|c| u32::from(c).checked_sub(0xe_0000).filter(|code| (0x20..0x7f).contains(code)))
        .filter_map(char::from_u32)
        .collect();
    (!hidden.is_empty()).then(|| Said::of(&hidden))
}

fn rot13(word: &str) -> String {
    let turn = |c: char| match c {
        'a'..='m' => char::from_u32(u32::from(c) + 13).unwrap_or(c),
        'n'..='z' => char::from_u32(u32::from(c) - 13).unwrap_or(c),
        c => c,
    };
    word.chars().map(turn).collect()
}

/// What runs of letters and digits hold when they are base64 or hex, and what percent signs and entities stand for.
fn decoded(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for blob in text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_'))) {
        if blob.len() >= BLOB {
            let bytes = STANDARD_NO_PAD.decode(blob).or_else(|_| URL_SAFE_NO_PAD.decode(blob)).ok();
            found.extend(bytes.into_iter().chain(hex(blob)).filter_map(readable));
        }
    }
    let spaced: String = text.split_whitespace().filter(|part| part.len() == 2).collect();
    found.extend(Some(spaced).filter(|spaced| spaced.len() >= BLOB).and_then(|spaced| hex(&spaced)).and_then(readable));
    found.extend(flags(text));
    found.extend(percent(text));
    found.extend(entities(text));
    found
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if pairs.1.is_empty() { pairs.0.iter().map(byte).collect() } else { None }
}

/// Bytes as text, when it is text that somebody might have written.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let letters = text.chars().filter(|c| c.is_alphabetic() || *c == ' ').count();
    (letters * 10 >= text.chars().count() * 7 && !text.chars().any(char::is_control)).then_some(text)
}

fn percent(text: &str) -> Option<String> {
    if text.matches('%').count() < 3 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code =
            (*first == b'%').then(|| after.get(..2).and_then(|pair| hex(std::str::from_utf8(pair).ok()?))).flatten();
        match code {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    readable(bytes)
}

/// `&#105;` and `&#x69;` as the characters that they stand for.
fn entities(text: &str) -> Option<String> {
    if text.matches("&#").count() < 3 {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for (place, part) in text.split("&#").enumerate() {
        let code = part.split_once(';').filter(|_| place > 0).and_then(|(code, rest)| {
            let number = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            Some((char::from_u32(number)?, rest))
        });
        match code {
            Some((c, rest)) => {
                out.push(c);
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    Some(out)
}
