//! Echoes: words of the prompt and of strangers that come back in an answer.
//!
//! A stranger's text is held against an answer in every way in which a model could have read it.

use std::collections::BTreeSet;

use super::{Quoting, Stranger};
use crate::text::phrases::Said;
use crate::text::{STOP_WORDS, untrusted};

/// So many words in a row are no chance.
const RUN: usize = 6;
/// An answer of so few words may be nothing but an echo.
const SHORT: usize = 8;

/// Whether an answer tells what the model was told, in whatever writing.
pub(super) fn tells(answer: &str, told: &[&str]) -> bool {
    let views = untrusted::views(answer);
    told.iter()
        .map(|told| runs(&Said::of(told), RUN))
        .any(|told| views.iter().any(|view| runs(view, RUN).iter().any(|run| told.contains(run))))
}

/// Whether a stranger speaks through an answer.
pub(super) fn repeats(answer: &Said, strangers: &[Stranger<'_>]) -> bool {
    let words: Vec<&str> = answer.words().collect();
    let own_runs = runs(answer, RUN);
    let orders: Vec<bool> = strangers.iter().map(|stranger| untrusted::gives_orders(stranger.text)).collect();
    // What harmless texts say anyway may be said, also when an order says it too.
    let harmless: BTreeSet<String> = strangers
        .iter()
        .zip(&orders)
        .filter(|(stranger, orders)| !**orders && stranger.quoting != Quoting::Little)
        .flat_map(|(stranger, _)| Said::of(stranger.text).words().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    strangers.iter().zip(&orders).any(|(stranger, orders)| {
        if !orders && stranger.quoting == Quoting::Whole {
            return false;
        }
        untrusted::views(stranger.text).iter().any(|view| {
            let theirs: BTreeSet<&str> = view.words().collect();
            let says = |word: &&str| theirs.contains(word);
            // Nothing that an order speaks of is worth repeating.
            let takes_up =
                *orders && words.iter().any(|word| says(word) && is_telling(word) && !harmless.contains(*word));
            let is_all = words.len() <= SHORT && words.iter().all(says);
            let quotes = *orders || stranger.quoting == Quoting::Little;
            takes_up || is_all || quotes && runs(view, RUN).iter().any(|run| own_runs.contains(run))
        })
    })
}

fn is_telling(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_err()
}

/// Every `length` words in a row.
fn runs(said: &Said, length: usize) -> BTreeSet<String> {
    let words: Vec<&str> = said.words().collect();
    words.windows(length).map(|run| run.join(" ")).collect()
}
