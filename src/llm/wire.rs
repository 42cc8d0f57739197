//! Requests as async-openai writes them, and replies as providers really write them.
//!
//! A reply is read leniently: compatible servers leave out what OpenAI always sends, and nothing of that is needed.

use async_openai::types::chat::{
    ChatCompletionRequestMessage, ChatCompletionRequestMessageContentPartImage,
    ChatCompletionRequestMessageContentPartText, ChatCompletionRequestSystemMessage,
    ChatCompletionRequestSystemMessageContent, ChatCompletionRequestUserMessage,
    ChatCompletionRequestUserMessageContent, ChatCompletionRequestUserMessageContentPart, CreateChatCompletionRequest,
    ImageDetail, ImageUrl, ResponseFormat, ResponseFormatJsonSchema, StopConfiguration,
};
use serde_json::Value;

use crate::config::{LengthKey, ModelConfig};
use crate::model::llm::{Finish, Reply, Request};
use crate::model::message::{Message, Role};
use crate::model::spend::Usage;

/// The most texts at which an answer may end; OpenAI takes no more.
const STOPS: usize = 4;

/// A request in the provider's words.
pub(super) fn body(request: &Request, id: &str, model: &ModelConfig, length: LengthKey) -> CreateChatCompletionRequest {
    let most = request.max_output_tokens.min(model.max_output_tokens);
    let stop: Vec<String> = request.stop.iter().take(STOPS).cloned().collect();
    let format = request.schema.as_ref().filter(|_| model.json_schema).map(|schema| ResponseFormat::JsonSchema {
        json_schema: ResponseFormatJsonSchema {
            description: None,
            name: schema.name.clone(),
            schema: schema.schema.clone(),
            strict: Some(true),
        },
    });
    #[expect(clippy::cast_possible_truncation, reason = "a temperature is between 0 and 2")]
    let temperature = request.temperature.or(model.temperature).map(|temperature| temperature as f32);
    let mut body = CreateChatCompletionRequest {
        messages: request.messages.iter().map(message).collect(),
        model: id.to_owned(),
        response_format: format,
        stop: (!stop.is_empty()).then_some(StopConfiguration::StringArray(stop)),
        temperature,
        ..CreateChatCompletionRequest::default()
    };
    #[expect(deprecated, reason = "OpenAI's newer word is unknown to many compatible servers, which know these two")]
    {
        body.seed = request.seed.filter(|_| model.seed).map(|seed| (seed & i64::MAX.unsigned_abs()).cast_signed());
        match length {
            LengthKey::MaxTokens => body.max_tokens = Some(most),
            LengthKey::MaxCompletionTokens => body.max_completion_tokens = Some(most),
        }
    }
    body
}

fn message(message: &Message) -> ChatCompletionRequestMessage {
    match (message.role, &message.image) {
        (Role::System, _) => ChatCompletionRequestMessage::System(ChatCompletionRequestSystemMessage {
            content: ChatCompletionRequestSystemMessageContent::Text(message.content.clone()),
            name: None,
        }),
        (Role::User, None) => ChatCompletionRequestMessage::User(ChatCompletionRequestUserMessage {
            content: ChatCompletionRequestUserMessageContent::Text(message.content.clone()),
            name: None,
        }),
        (Role::User, Some(image)) => {
            let text = ChatCompletionRequestMessageContentPartText {
                text: message.content.clone(),
                prompt_cache_breakpoint: None,
            };
            // A comment needs no fine detail, and `low` costs a tenth.
            let image_url = ImageUrl { url: image.clone(), detail: Some(ImageDetail::Low) };
            let image = ChatCompletionRequestMessageContentPartImage { image_url, prompt_cache_breakpoint: None };
            let parts = vec![
                ChatCompletionRequestUserMessageContentPart::Text(text),
                ChatCompletionRequestUserMessageContentPart::ImageUrl(image),
            ];
            ChatCompletionRequestMessage::User(ChatCompletionRequestUserMessage {
                content: ChatCompletionRequestUserMessageContent::Array(parts),
                name: None,
            })
        }
    }
}

/// A reply in our words; `Err` says what is missing.
pub(super) fn reply(body: &Value) -> Result<Reply, &'static str> {
    let choice = body.get("choices").and_then(|choices| choices.get(0)).ok_or("a chat completion with a choice")?;
    let message = choice.get("message").ok_or("a choice with a message")?;
    let text = content(message.get("content")).ok_or("a message with text")?;
    let refused = text.is_empty() && message.get("refusal").and_then(Value::as_str).is_some_and(|why| !why.is_empty());
    let finish = match choice.get("finish_reason").and_then(Value::as_str) {
        _ if refused => Finish::Filtered,
        Some("length" | "max_tokens") => Finish::Length,
        Some("content_filter") => Finish::Filtered,
        _ => Finish::Stop,
    };
    Ok(Reply { text, finish, usage: body.get("usage").and_then(usage) })
}

/// A text, a list of parts with texts, or nothing at all, as for a refusal.
fn content(content: Option<&Value>) -> Option<String> {
    match content {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(parts)) => {
            Some(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect())
        }
        Some(_) => None,
    }
}

/// What a provider counted; nothing unless it says what went in and what came out.
fn usage(usage: &Value) -> Option<Usage> {
    let number = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let input = number("/prompt_tokens")?;
    let said = number("/completion_tokens")?;
    // Some count thoughts in the total only, and charge for them.
    let output = number("/total_tokens").map_or(said, |total| said.max(total.saturating_sub(input)));
    let part = |path: &str| number(path).unwrap_or(0);
    Some(Usage {
        input,
        cached_input: part("/prompt_tokens_details/cached_tokens"),
        output,
        image: part("/prompt_tokens_details/image_tokens"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replies_of_many_servers_are_read() {
        let says = |body: Value| reply(&body).map(|reply| (reply.text, reply.finish, reply.usage));
        let usage = |input, cached_input, output, image| Some(Usage { input, cached_input, output, image });
        let openai = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "Hi." } }],
            "usage": { "prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23,
                "prompt_tokens_details": { "cached_tokens": 16, "image_tokens": 2 } },
        });
        assert_eq!(says(openai), Ok(("Hi.".to_owned(), Finish::Stop, usage(20, 16, 3, 2))));
        let bare = json!({ "choices": [{ "message": { "content": [{ "type": "text", "text": "Hi." }] } }] });
        assert_eq!(says(bare), Ok(("Hi.".to_owned(), Finish::Stop, None)));
        let thoughts = json!({
            "choices": [{ "finish_reason": "length", "message": { "content": null } }],
            "usage": { "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 50,
                "prompt_tokens_details": { "cached_tokens": 99 } },
        });
        assert_eq!(says(thoughts), Ok((String::new(), Finish::Length, usage(5, 99, 45, 0))));
        let refused = json!({ "choices": [{ "message": { "content": null, "refusal": "I cannot" } }], "usage": {} });
        assert_eq!(says(refused), Ok((String::new(), Finish::Filtered, None)));
        for none in
            [json!({}), json!([]), json!({ "choices": [] }), json!({ "choices": [{ "message": { "content": 7 } }] })]
        {
            assert!(reply(&none).is_err(), "{none}");
        }
        let negative = json!({ "prompt_tokens": -5, "completion_tokens": 2 });
        assert_eq!(super::usage(&negative), None);
    }
}
