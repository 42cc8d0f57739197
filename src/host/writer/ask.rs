//! Asking a model: reserve, send, settle, for each attempt.
//!
//! Whatever becomes of the script that asked, every attempt that went out is settled: by what the provider counted, in full
//! when nobody knows, and not at all when it certainly did nothing.

use std::sync::Arc;

use tracing::{debug, info, warn};

use crate::config::LlmFallback;
use crate::host::World;
use crate::host::budget::{Advice, Refused};
use crate::host::prompt::{fresh, tokens};
use crate::llm::{self, Lane, Llm};
use crate::model::llm::Request;
use crate::model::message::{Message, Role};
use crate::model::spend::Ask;
use crate::text;

use super::question::{Answer, Question};

/// Why no model answered.
#[derive(Debug)]
pub(super) enum Unable {
    /// The budget says no.
    Budget(Refused),
    /// There was no reply.
    Model(llm::Error),
    /// There was a reply, and it is no answer.
    Answer { model: String, complaint: String },
}

/// Asks a model, or a cheaper one if the budget says so.
pub(super) async fn ask(world: &World, llm: &Llm, lane: &Arc<Lane>, question: &Question) -> Result<Answer, Unable> {
    let mut lane = lane;
    let advised = budgeted(lane, question, &question.assemble(None).messages, 0);
    match world.budget.advice(&advised).await {
        Advice::Full => {}
        Advice::Cheaper => lane = llm.cheaper().unwrap_or(lane),
        Advice::Offline(refused) => {
            if lane.note(true) {
                warn!(model = lane.name(), %refused, "the budget lets no model write");
            }
            return Err(Unable::Budget(refused));
        }
    }
    let result = attempts(world, llm, lane, question).await;
    match &result {
        Ok(_) if lane.note(false) => info!(model = lane.name(), "the model answers again"),
        Err(Unable::Model(error)) if lane.note(true) => {
            let fallback = match llm.fallback() {
                LlmFallback::Offline => "writing from templates meanwhile",
                LlmFallback::Fail => "scripts are told",
            };
            warn!(model = lane.name(), error = error as &dyn std::error::Error, "the model cannot be had: {fallback}");
        }
        _ => {}
    }
    result
}

async fn attempts(world: &World, llm: &Llm, lane: &Arc<Lane>, question: &Question) -> Result<Answer, Unable> {
    let mut call = lane.call().map_err(Unable::Model)?;
    let image = picture(llm, lane, question).await;
    let assembled = question.assemble(image.as_deref());
    let mut messages = assembled.messages;
    let mut has_complained = false;
    loop {
        let ask = budgeted(lane, question, &messages, u32::from(image.is_some()));
        let request = Request {
            messages: messages.clone(),
            max_output_tokens: u32::try_from(ask.output_tokens_max).unwrap_or(u32::MAX),
            schema: question.schema(),
            temperature: None,
            seed: Some(question.seed),
            stop: Vec::new(),
        };
        // First the turn, then the money, so that nothing is reserved while others are in front.
        let turn = call.turn().await.map_err(Unable::Model)?;
        let reservation = world.budget.reserve(&ask).await.map_err(Unable::Budget)?;
        match turn.send(&request).await {
            Ok(reply) => {
                world.budget.settle(reservation, reply.usage).await;
                let complaint = match question.read(&reply) {
                    Ok(Answer::Text(words)) => match said_before(world, question, &words).await {
                        None => return Ok(Answer::Text(words)),
                        Some(complaint) => complaint,
                    },
                    Ok(answer) => return Ok(answer),
                    Err(complaint) => complaint,
                };
                debug!(model = lane.name(), purpose = question.purpose, complaint, "the reply is no answer");
                if has_complained || !call.may_ask_again() {
                    return Err(Unable::Answer { model: lane.name().to_owned(), complaint });
                }
                has_complained = true;
                messages.push(Message {
                    role: Role::User,
                    content: format!("Your last answer was not accepted: {complaint}. Answer again, as asked."),
                    image: None,
                });
            }
            Err(error) => {
                if error.may_cost() {
                    world.budget.settle(reservation, None).await;
                } else {
                    world.budget.release(reservation).await;
                }
                match call.again(&error) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(Unable::Model(error)),
                }
            }
        }
    }
}

/// What is wrong with a text that was said before, with what to avoid.
async fn said_before(world: &World, question: &Question, words: &str) -> Option<String> {
    if question.is_free() {
        return None;
    }
    let again = match fresh::again(world, &question.bot, words).await {
        Ok(again) => again?,
        // The action that says it is held against everything once more.
        Err(problem) => {
            warn!(error = &problem as &dyn std::error::Error, "could not look whether a text was said before");
            return None;
        }
    };
    Some(format!("it is too like \"{}\"; say something else", text::clip(again.words(words), 120)))
}

/// The picture in a form that the model takes; without it, words about it must do.
async fn picture(llm: &Llm, lane: &Lane, question: &Question) -> Option<String> {
    let address = question.image.as_deref()?;
    match llm.picture(lane, address).await {
        Ok(image) => image,
        Err(error) => {
            debug!(model = lane.name(), %error, "the model does not get to see the picture");
            None
        }
    }
}

/// What a call can come to.
fn budgeted(lane: &Lane, question: &Question, messages: &[Message], images: u32) -> Ask {
    let config = lane.config();
    let schema = question.schema().filter(|_| config.json_schema);
    let schema = schema.map_or(0, |schema| tokens::most_of(&schema.schema.to_string()) + tokens::most_of(&schema.name));
    let most = u64::from(config.max_output_tokens);
    let room = question.room();
    Ask {
        bot: question.bot.clone(),
        purpose: question.purpose.clone(),
        model: config.model.clone().unwrap_or_default(),
        input_tokens_max: tokens::most(messages).saturating_add(schema),
        output_tokens_max: if config.thinks { most } else { most.min(room) },
        images,
    }
}
