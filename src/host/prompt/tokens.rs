//! Tokens, counted without a tokenizer: an upper bound to reserve by, and an estimate to plan by.
//!
//! The bound is never below what a provider counts. Byte-level BPE (OpenAI, Llama 3, Qwen) merges bytes and SentencePiece with
//! byte fall-back (Llama 2, Gemma, Mistral) merges characters or bytes, so a token of either stands for one byte at least, but
//! for the markers that a chat template puts around each message.

use crate::model::message::Message;

/// Markers around one message. OpenAI counts 3 for each and 3 to begin the answer; Llama 3's template has 5, Gemma's 4.
const AROUND_MESSAGE: u64 = 8;
/// What a chat template puts before all messages: Llama 3.1 writes two dates there, in 25 tokens.
const AROUND_ALL: u64 = 40;

/// The most tokens that these messages can come to; what a picture costs is the price table's affair.
pub fn most(messages: &[Message]) -> u64 {
    messages.iter().map(|message| most_of(&message.content) + AROUND_MESSAGE).sum::<u64>() + AROUND_ALL
}

/// The most tokens that a text can come to.
pub fn most_of(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// About how many tokens a text comes to: four ASCII characters make one ("1 token ~= 4 chars in English", says OpenAI), any
/// other character is one by itself.
pub fn about(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count().div_ceil(4);
    let other = text.chars().filter(|c| !c.is_ascii()).count();
    u64::try_from(ascii + other).unwrap_or(u64::MAX)
}
