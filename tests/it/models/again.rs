//! A model that says what was said before is asked once more, with what to avoid.

use super::server::{Say, Server};
use super::{asker, start};

/// Writes a caption and shares a picture with it.
const SHARE: &str = r##"(function()
    local text, failure = llm.write { purpose = "caption", prompt = "What it is.", max_chars = 120 }
    if not text then return nil, failure end
    local picture = floimg.run { name = "dot", steps = { { generate = "shapes", params = { shapeType = "circle", width = 16, height = 16, fillColor = "#336699" } } } }
    local post = floimg.share { picture = picture, title = "Dot no. " .. tostring(bot.state.n or 0), description = text }
    bot.state.shared = post and true or false
    return text
end)()"##;

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_was_said_is_asked_for_once_more() {
    let first = "A calm red circle on rough paper.";
    let server = Server::start(&[Say::Text(first)]).await;
    let (_home, running) = start(&server, &asker(SHARE), "").await;
    let state = running.asked().await;
    assert_eq!((state["answer"].as_str(), state["shared"].as_bool()), (Some(first), Some(true)), "{state}");

    let other = "Nothing here but a rim of late light.";
    server.says(&[Say::Text("a calm RED circle, on rough paper!"), Say::Text(other)]);
    assert_eq!(running.asked().await["answer"], other);
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    let told = asked[1].body["messages"].to_string();
    assert!(told.contains("it is too like") && told.contains("calm RED circle"), "{told}");

    server.says(&[Say::Text(first)]);
    let state = running.asked().await;
    assert_eq!((state["kind"].as_str(), server.asked().len()), (Some("unavailable"), 2), "{state}");
    assert!(state["message"].as_str().is_some_and(|told| told.contains("too like")), "{state}");
    running.stop().await;
}
