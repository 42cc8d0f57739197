//! A question to a model, and what its answer must be.
//!
//! What comes back is an answer of the wanted form or a complaint that the model can be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::host::prompt::{self, Assembled, Prompting, Wanted};
use crate::model::llm::{Finish, Reply, Schema};
use crate::model::name::BotId;
use crate::model::persona::Persona;

/// Everything that one call of a script asks.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub bot: BotId,
    pub persona: Arc<Persona>,
    pub purpose: String,
    pub instruction: String,
    pub about: BTreeMap<String, String>,
    pub memories: Vec<String>,
    pub image: Option<String>,
    pub form: Form,
    pub seed: u64,
}

/// The form of an answer.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// A text of so many characters at most.
    Text { max_chars: usize },
    /// One of these.
    Choice { options: Vec<String> },
    /// A table of these fields with their types.
    Fields { fields: BTreeMap<String, String> },
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// A text.
    Text(String),
    /// The place of the option, from 0.
    Choice(usize),
    /// A table.
    Fields(Map<String, Value>),
}

impl Question {
    /// The question in words, for a model that sees the picture at this address.
    pub fn assemble(&self, image: Option<&str>) -> Assembled {
        self.with_prompting(image, prompt::assemble)
    }

    fn with_prompting<T>(&self, image: Option<&str>, use_it: impl FnOnce(&Prompting<'_>) -> T) -> T {
        let wanted = match &self.form {
            Form::Text { max_chars } => Wanted::Text { max_chars: *max_chars },
            Form::Choice { options } => Wanted::Choice { options },
            Form::Fields { fields } => Wanted::Fields { fields },
        };
        use_it(&Prompting {
            persona: &self.persona,
            purpose: &self.purpose,
            instruction: &self.instruction,
            about: &self.about,
            memories: &self.memories,
            memory_tokens: prompt::MEMORY_TOKENS,
            avoid: &[],
            image,
            wanted,
        })
    }

    /// The most tokens that are of use in an answer.
    pub fn room(&self) -> u64 {
        self.assemble(None).output_tokens_max
    }

    /// Whether the answer may be what was said before: a prompt for a picture is read by nobody, and that this is a bot is
    /// told to everybody who asks.
    pub fn is_free(&self) -> bool {
        prompt::is_private(&self.purpose) || prompt::asks_if_bot(&self.about)
    }

    /// What an answer must look like, if it is JSON.
    pub fn schema(&self) -> Option<Schema> {
        let Form::Fields { fields } = &self.form else { return None };
        let properties: Map<String, Value> =
            fields.iter().map(|(name, kind)| (name.clone(), json!({ "type": kind }))).collect();
        let required: Vec<&String> = fields.keys().collect();
        let schema = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        Some(Schema { name: self.purpose.clone(), schema })
    }

    /// Reads an answer; `Err` says what is wrong with it.
    pub fn read(&self, reply: &Reply) -> Result<Answer, String> {
        if reply.finish == Finish::Filtered {
            return Err("it was withheld".to_owned());
        }
        match &self.form {
            Form::Text { .. } => {
                let text = self.with_prompting(None, |prompting| {
                    prompt::receive(prompting, &reply.text, reply.finish == Finish::Length)
                });
                text.map(Answer::Text).map_err(|spoilt| spoilt.to_string())
            }
            Form::Choice { options } => choice(&reply.text, options.len()).map(Answer::Choice),
            Form::Fields { fields } => table(&reply.text, fields).map(Answer::Fields),
        }
    }
}

fn choice(said: &str, options: usize) -> Result<usize, String> {
    let digits = said.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
    let place = digits.and_then(|digits| digits.parse::<usize>().ok());
    let place = place.filter(|place| (1..=options).contains(place));
    place.map(|place| place - 1).ok_or_else(|| format!("it was no number from 1 to {options}"))
}

/// The table in a text; models like to put words or a fence around it.
fn table(said: &str, fields: &BTreeMap<String, String>) -> Result<Map<String, Value>, String> {
    let inside = said.find('{').zip(said.rfind('}')).and_then(|(from, to)| said.get(from..=to));
    let parsed = inside.and_then(|inside| serde_json::from_str::<Map<String, Value>>(inside).ok());
    let mut parsed = parsed.ok_or("it was no JSON object")?;
    let mut table = Map::new();
    for (name, kind) in fields {
        let value = parsed.remove(name).ok_or_else(|| format!("the field \"{name}\" was missing"))?;
        let fits = match kind.as_str() {
            "string" => value.is_string(),
            "number" => value.is_number(),
            _ => value.is_boolean(),
        };
        if !fits {
            return Err(format!("the field \"{name}\" was no {kind}"));
        }
        table.insert(name.clone(), value);
    }
    Ok(table)
}
