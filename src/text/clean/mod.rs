//! Cleaning: what a model answered becomes a text that can be posted, or none.
//!
//! What only surrounds the text is taken away; what is wrong with the text itself spoils it.

mod echo;
mod language;
mod leaks;
mod mend;
mod tells;

use crate::text::{self, phrases::Said, untrusted};

pub use language::{Language, language, likely};

/// What an answer is held against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// What kind of text it is.
    pub form: Form,
    /// The most characters, as people count them.
    pub max_chars: usize,
    /// Whether the model was stopped by its limit, so that the last sentence is not whole.
    pub was_cut: bool,
    /// The languages that it may be in; with none, any.
    pub languages: &'a [Language],
    /// What the model was told by us: none of it comes out.
    pub told: &'a [&'a str],
    /// What strangers wrote: nobody speaks through a bot.
    pub strangers: &'a [Stranger<'a>],
    /// Usernames that may be mentioned.
    pub people: &'a [&'a str],
}

/// What kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Sentences for others to read.
    #[default]
    Prose,
    /// The same in answer to somebody, where "Sure!" is an answer.
    Reply,
    /// A few words without a full stop.
    Title,
    /// For a model that makes pictures, and read by nobody else.
    Prompt,
}

impl Form {
    /// The form of a purpose's texts.
    pub fn of(purpose: &str) -> Self {
        match purpose {
            "title" | "titles" => Self::Title,
            "reply" | "replies" => Self::Reply,
            "prompt" | "prompts" => Self::Prompt,
            _ => Self::Prose,
        }
    }
}

/// A text by a stranger that the model read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger<'a> {
    /// What it says.
    pub text: &'a str,
    /// How much of it an answer may repeat.
    pub quoting: Quoting,
}

/// How much of a text an answer may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// All of it, and nothing else: what a bot has made itself.
    Whole,
    /// All of it among other words: what something is called.
    Within,
    /// A few words: what somebody said.
    Little,
}

/// Why an answer is no text to post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Spoilt {
    /// There are no words.
    #[error("it has no words")]
    Empty,
    /// The model would not write it, or asks back.
    #[error("the model refuses or asks back instead of writing it")]
    Refused,
    /// It says what the model was told.
    #[error("it tells what the model was told")]
    TellsPrompt,
    /// It speaks of the task instead of doing it.
    #[error("it speaks of the task, the rules or the model itself")]
    SpeaksOfTask,
    /// It has what looks like a key, a password or an address of somebody.
    #[error("it has what looks like a secret or a private address")]
    Secret,
    /// It has a link.
    #[error("it has a link")]
    Link,
    /// It mentions an account that has nothing to do with it.
    #[error("it mentions somebody who has nothing to do with it")]
    Mention,
    /// It has markup or code.
    #[error("it has markup or code")]
    Markup,
    /// It sells something.
    #[error("it sells or advertises something")]
    Advert,
    /// It insults.
    #[error("it is rude")]
    Rude,
    /// It is in another language than the persona's.
    #[error("it is not in the persona's language")]
    Language,
    /// A stranger speaks through it.
    #[error("it says what a stranger's text says or asks for")]
    Echo,
    /// It says the same over and over.
    #[error("it goes round in circles")]
    Circles,
    /// Its author claims to be a person.
    #[error("it claims that its author is a person")]
    Person,
}

/// The text that an answer holds.
///
/// # Errors
/// When there is none, or none that may be posted.
pub fn clean(answer: &str, expected: &Expected<'_>) -> Result<String, Spoilt> {
    let text = mend::mend(answer, expected);
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Spoilt::Empty);
    }
    let said = Said::of(&text);
    let words: Vec<&str> = said.words().collect();
    if matches!(words[..], ["none" | "null" | "na" | "undefined" | "error" | "empty" | "nil"] | ["n", "a"]) {
        return Err(Spoilt::Empty);
    }
    if leaks::has_secret(&text) {
        return Err(Spoilt::Secret);
    }
    if leaks::has_link(&text) {
        return Err(Spoilt::Link);
    }
    if leaks::has_markup(&text) {
        return Err(Spoilt::Markup);
    }
    if tells::refuses(&said) {
        return Err(Spoilt::Refused);
    }
    if echo::tells(&text, expected.told) {
        return Err(Spoilt::TellsPrompt);
    }
    if echo::repeats(&said, expected.strangers) {
        return Err(Spoilt::Echo);
    }
    if text::claims_to_be_person(&text) {
        return Err(Spoilt::Person);
    }
    if circles(&said) {
        return Err(Spoilt::Circles);
    }
    if expected.form == Form::Prompt {
        return Ok(text);
    }
    if leaks::mentions(&text, expected.people) {
        return Err(Spoilt::Mention);
    }
    if tells::speaks_of_task(&said) {
        return Err(Spoilt::SpeaksOfTask);
    }
    if tells::advertises(&said) {
        return Err(Spoilt::Advert);
    }
    if tells::is_rude(&said) {
        return Err(Spoilt::Rude);
    }
    let has_orders = || expected.strangers.iter().any(|stranger| untrusted::gives_orders(stranger.text));
    if !language::fits(&text, expected.languages, has_orders()) {
        return Err(Spoilt::Language);
    }
    Ok(text)
}

/// Whether it is mostly the same few words.
fn circles(said: &Said) -> bool {
    let words: Vec<&str> = said.words().collect();
    let different: std::collections::BTreeSet<&&str> = words.iter().collect();
    words.len() >= 12 && different.len() * 5 < words.len() * 2
}
