//! What a language model is asked and what it answers, as plain data that names no provider.

use serde_json::Value;

use crate::model::message::Message;
use crate::model::spend::Usage;

/// One question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// In order; what is the same for every call comes first.
    pub messages: Vec<Message>,
    /// The most tokens of the answer.
    pub max_output_tokens: u32,
    /// What the answer must look like, if it is to be JSON.
    pub schema: Option<Schema>,
    /// How freely words are chosen, 0 to 2; the model's own where there is none.
    pub temperature: Option<f64>,
    /// Makes the answer repeatable, where the model can.
    pub seed: Option<u64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
}

/// What a JSON answer must look like.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// A word of a-z, 0-9 and `_`.
    pub name: String,
    /// JSON Schema of an object.
    pub schema: Value,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What it says; may be empty.
    pub text: String,
    /// Why it ends here.
    pub finish: Finish,
    /// What it cost in tokens; nothing if the provider did not say.
    pub usage: Option<Usage>,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It is complete, as far as anyone says.
    Stop,
    /// It has as many tokens as it may have.
    Length,
    /// The provider withheld it.
    Filtered,
}
