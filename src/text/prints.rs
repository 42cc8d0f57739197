//! Prints: numbers by which equal and nearly equal texts find each other in a table.
//!
//! They are the same on every machine and in every version, since they are kept.

use super::alike::{folded_words, signs, trigrams};

/// Bands of a text: two that are 0.9 alike share one with a chance of 99 %, two that are 0.4 alike with one of 6 %.
pub const BANDS: usize = 6;
/// Smallest hashes in a band.
const ROWS: usize = 3;
/// A text with fewer groups of letters says too little to be called nearly like another.
const FEWEST: usize = 10;

/// The prints of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prints {
    /// The same for texts with the same words, whatever their case, accents and punctuation.
    pub exact: i64,
    /// Texts that are alike most likely share one; none for a very short text.
    pub bands: Option<[i64; BANDS]>,
}

impl Prints {
    /// The prints of a text; none when there is nothing in it.
    pub fn of(text: &str) -> Option<Self> {
        let words = folded_words(text);
        let parts = if words.is_empty() { signs(text) } else { words.clone() };
        if parts.is_empty() {
            return None;
        }
        let exact = parts.iter().fold(START, |hash, part| add(add(hash, part.as_bytes()), b" "));
        let groups = trigrams(&words);
        let bands = (groups.len() >= FEWEST).then(|| bands(&groups));
        Some(Self { exact: mix(exact).cast_signed(), bands })
    }
}

/// MinHash: of every row the smallest hash over all groups, taken together by bands.
fn bands(groups: &[[char; 3]]) -> [i64; BANDS] {
    let hashes: Vec<u64> = groups
        .iter()
        .map(|group| mix(group.iter().fold(START, |hash, c| add(hash, &u32::from(*c).to_le_bytes()))))
        .collect();
    std::array::from_fn(|band| {
        let rows = (0..ROWS).map(|row| {
            let seed = mix((band * ROWS + row + 1) as u64);
            hashes.iter().map(|hash| mix(hash ^ seed)).min().unwrap_or(0)
        });
        mix(rows.fold(band as u64, |all, row| mix(all ^ row))).cast_signed()
    })
}

/// Where FNV-1a begins.
const START: u64 = 0xcbf2_9ce4_8422_2325;

fn add(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The last steps of splitmix64, which spread every bit over all.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::similarity;

    #[test]
    fn equal_texts_have_equal_prints_for_ever() {
        let print = |text: &str| Prints::of(text).map(|prints| prints.exact);
        assert_eq!(print("Lovely light — really."), print("lovely LIGHT, really"));
        assert_ne!(print("ab c"), print("a bc"));
        assert_ne!(print("🔥"), print("🌊"));
        assert_eq!(print("  …"), print("…"));
        assert_eq!(Prints::of(" "), None);
        // Kept in databases, so a change here would let old texts be said again.
        assert_eq!(print("paper boats"), Some(PAPER_BOATS));
    }

    const PAPER_BOATS: i64 = -1_829_530_821_604_801_546;

    #[test]
    fn like_texts_share_a_band_and_others_hardly_ever() {
        let share = |a: &str, b: &str| {
            let (a, b) = (Prints::of(a).and_then(|p| p.bands), Prints::of(b).and_then(|p| p.bands));
            a.zip(b).is_some_and(|(a, b)| a.iter().zip(b).any(|(a, b)| *a == b))
        };
        let subjects = ["paper boats", "neon streets", "a tin robot", "seven foxes", "old harbours", "glass domes"];
        let endings = ["at dusk", "in the rain", "under two moons", "by the canal", "after the storm"];
        let (mut found, mut near) = (0, 0);
        let (mut shared, mut far) = (0, 0);
        for (at, subject) in subjects.iter().enumerate() {
            for ending in endings {
                let text =
                    format!("The way the light falls on {subject} {ending} is what makes me stay longer than planned");
                let close = format!(
                    "The way the light falls on {subject} {ending} is what makes me stay longer than I planned"
                );
                assert!(similarity(&text, &close) >= 0.9);
                near += 1;
                found += usize::from(share(&text, &close));
                let other =
                    format!("I count {at} edges here; {ending} nothing else would have held {subject} together");
                assert!(similarity(&text, &other) < 0.6, "{}", similarity(&text, &other));
                far += 1;
                shared += usize::from(share(&text, &other));
            }
        }
        assert!(found * 100 >= near * 97, "{found} of {near}");
        assert!(shared * 3 <= far, "{shared} of {far}");
    }
}
