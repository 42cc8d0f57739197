//! Receiving: what a model answered, held against what it was asked.
//!
//! A text that comes out of here has passed every rule of [`crate::text::clean`].

use crate::text;
use crate::text::clean::{self, Expected, Form, Language, Quoting, Spoilt, Stranger};

use super::{Prompting, Wanted, data};

/// Facts that name accounts; an answer may mention these.
const PEOPLE: [&str; 4] = ["author", "from", "whose", "username"];
/// Facts that an answer may quote at length.
const QUOTABLE: [&str; 7] = ["title", "subject", "topic", "interest", "earlier", "author", "name"];
/// Most characters of a persona's own words from which its language is told.
const SAMPLE: usize = 1500;
/// Bytes of them from which the best guess is taken for right.
const ENOUGH: usize = 60;

/// The text that an answer to this holds; `was_cut` when the model was stopped by its limit.
///
/// # Errors
/// When there is none that may be posted.
pub fn receive(prompting: &Prompting<'_>, answer: &str, was_cut: bool) -> Result<String, Spoilt> {
    let Wanted::Text { max_chars } = prompting.wanted else { return Err(Spoilt::Empty) };
    let form = Form::of(prompting.purpose);
    let about = prompting.about.iter();
    // What a bot makes of its own facts may be all of them; what others said may not.
    let is_own = matches!(prompting.purpose, "title" | "caption" | "prompt");
    let strangers: Vec<Stranger<'_>> = about
        .clone()
        .map(|(name, text)| {
            let quoting = match name.as_str() {
                name if data::is_said(name) => Quoting::Little,
                _ if is_own => Quoting::Whole,
                name if QUOTABLE.contains(&name) => Quoting::Within,
                _ => Quoting::Little,
            };
            Stranger { text, quoting }
        })
        .chain(prompting.memories.iter().map(|text| Stranger { text, quoting: Quoting::Little }))
        .collect();
    let people: Vec<&str> =
        about.filter(|(name, _)| PEOPLE.contains(&name.as_str())).map(|(_, value)| value.as_str()).collect();
    let head = super::head(prompting.persona);
    let mut languages: Vec<Language> = own_language(prompting).into_iter().collect();
    if form == Form::Reply {
        // Whoever writes in another language may be answered in it, but does not decide it by asking for it.
        let said = prompting.about.iter().filter(|(name, text)| data::is_said(name) && !text::gives_orders(text));
        languages.extend(said.filter_map(|(_, text)| clean::likely(text)));
    }
    let expected = Expected {
        form,
        max_chars,
        was_cut,
        languages: &languages,
        told: &[&head, prompting.instruction],
        strangers: &strangers,
        people: &people,
    };
    clean::clean(answer, &expected)
}

/// The language of a persona: that of its templates, and of its voice where it has none.
fn own_language(prompting: &Prompting<'_>) -> Option<Language> {
    let mut sample = String::new();
    for template in prompting.persona.templates.values().flatten() {
        if sample.len() > SAMPLE {
            break;
        }
        sample.extend(template.chars().filter(|c| !matches!(c, '{' | '}' | '|' | '^')));
        sample.push('\n');
    }
    if sample.is_empty() {
        sample.push_str(&prompting.persona.voice);
    }
    // A few sentences of one persona are guessed right also where whatlang is not sure of it.
    if sample.len() > ENOUGH { clean::likely(&sample) } else { clean::language(&sample) }
}
