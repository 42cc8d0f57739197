//! What scripts get from models: texts, choices, tables and looks at pictures, and what stands in when there are none.

use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Say, Server};
use super::{JUDGE, WRITE, asker, bill, start, start_with, states};

/// Everything that was said to the model in one call.
fn said(body: &Value) -> String {
    let content = |message: &Value| match &message["content"] {
        Value::String(text) => text.clone(),
        parts => parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect(),
    };
    body["messages"].as_array().expect("messages").iter().map(content).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_asked_for_in_words_once_more_and_then_refused() {
    let server =
        Server::start(&[Say::Text("Very calm!"), Say::Text("```json\n{\"calm\": 0.8, \"more\": 1}\n```")]).await;
    let (home, running) = start(&server, &asker(JUDGE), "").await;
    let state = running.asked().await;
    assert_eq!(state["answer"], json!({ "calm": 0.8 }), "{state}");
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].body["response_format"].is_null() && said(&asked[0].body).contains("\"calm\": number"));
    assert!(said(&asked[1].body).contains("was not accepted: it was no JSON object"), "{}", asked[1].body);
    assert_eq!(states(&bill(&home).await), ["settled", "settled"]);

    server.says(&[Say::Text("{\"calm\": \"very\"}")]);
    let state = running.asked().await;
    assert_eq!((server.asked().len(), state["kind"].as_str()), (2, Some("unavailable")), "{state}");
    let told = state["message"].as_str().expect("a message");
    assert!(told.contains("`mini`") && told.contains("the field \"calm\" was no number"), "{told}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_keeps_to_schemas_is_given_one() {
    let server = Server::start(&[Say::Text("{\"calm\": 1}")]).await;
    let (_home, running) = start(&server, &asker(JUDGE), "json_schema = true\n").await;
    assert_eq!(running.asked().await["answer"], json!({ "calm": 1 }));
    let format = server.asked().remove(0).body["response_format"].clone();
    assert_eq!(
        format,
        json!({ "type": "json_schema", "json_schema": { "name": "judge", "strict": true, "schema": {
            "type": "object", "properties": { "calm": { "type": "number" } }, "required": ["calm"],
            "additionalProperties": false,
        } } })
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_is_the_place_of_an_option() {
    let choose = r#"llm.choose { purpose = "pick", question = "Which is calmer?", options = { "Storm", "Lake" } }"#;
    let server = Server::start(&[Say::Text("7"), Say::Text("2. Lake")]).await;
    let (_home, running) = start(&server, &asker(choose), "").await;
    assert_eq!(running.asked().await["answer"], 2);
    let asked = said(&server.asked()[0].body);
    assert!(asked.contains("1. Storm") && asked.contains("2. Lake") && asked.contains("Which is calmer?"), "{asked}");
    assert!(said(&server.asked()[1].body).contains("it was no number from 1 to 2"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_the_template_writer_stands_in_where_the_config_says_so() {
    let server = Server::start(&[Say::Status(401, None, String::new())]).await;
    let flags = ["llm.fallback=offline"];
    let (_home, running) = start_with(&server, &asker(WRITE), "", &flags).await;
    assert_eq!(running.asked().await["answer"], "From a template");
    assert_eq!(server.asked().len(), 1);
    running.stop().await;
    // A table has no template: its fall-back is the script's own, and without one the failure is told.
    let with = JUDGE.replace("fields =", "fallback = { calm = 0.5 }, fields =");
    for (call, answer, kind) in
        [(with.as_str(), json!({ "calm": 0.5 }), Value::Null), (JUDGE, Value::Null, json!("unavailable"))]
    {
        let (_home, running) = start_with(&server, &asker(call), "", &flags).await;
        let state = running.asked().await;
        assert_eq!((&state["answer"], &state["kind"]), (&answer, &kind), "{call}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_price_is_not_asked() {
    let server = Server::start(&[Say::Text("Dear sun")]).await;
    let (home, running) = start(&server, &asker(WRITE), "").await;
    running.stop().await;
    let config = std::fs::read_to_string(home.path().join("config.toml")).expect("a file");
    home.config(&config.replace("price = \"free\"\n", ""));
    let running = home.start_in(&[], &[("FAKE_KEY", "sk-1")]).await;
    let state = running.asked().await;
    assert_eq!(state["kind"], "unsupported", "{state}");
    assert!(state["message"].as_str().expect("a message").contains("`mini-1` has no price"), "{state}");
    assert!(server.asked().is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_sees_the_studios_pictures_and_no_others() {
    let look = r##"(function()
        local picture = floimg.run { name = "dot", steps = {
            { generate = "shapes", params = { shapeType = "circle", width = 16, height = 16, fillColor = "#336699" } },
            { transform = "convert", params = { to = "png" } },
        } }
        local address = if bot.state.n then "http://127.0.0.1:9/elsewhere.png" else picture.url
        return llm.write { purpose = "title", prompt = "What do you see?", image = address }
    end)()"##;
    let server = Server::start(&[Say::Text("Blue dot")]).await;
    let (_home, running) = start(&server, &asker(look), "images = \"inline\"\n").await;
    assert_eq!(running.asked().await["answer"], "Blue dot");
    assert_eq!(running.asked().await["answer"], "Blue dot");
    let asked = server.asked();
    let part = &asked[0].body["messages"][1]["content"][1];
    assert_eq!(
        (part["type"].as_str(), part["image_url"]["detail"].as_str()),
        (Some("image_url"), Some("low")),
        "{part}"
    );
    let url = part["image_url"]["url"].as_str().expect("an address");
    assert!(url.starts_with("data:image/png;base64,iVBOR"), "{}", &url[..url.len().min(60)]);
    assert!(
        asked[1].body["messages"][1]["content"].is_string(),
        "a picture from elsewhere is not sent: {}",
        asked[1].body
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_to_the_model_that_sees() {
    let look =
        r#"llm.write { purpose = "title", prompt = "What do you see?", image = "https://pictures.example/a.png" }"#;
    let more = "[llm.models.eyes]\nprovider = \"fake\"\nmodel = \"eyes-1\"\nprice = \"free\"\nimages = \"url\"\n";
    let server = Server::start(&[Say::Text("Blue dot")]).await;
    for (role, expected) in [("eyes", ("eyes-1", Some("https://pictures.example/a.png"))), ("mini", ("mini-1", None))] {
        server.says(&[Say::Text("Blue dot")]);
        let flag = format!("llm.roles.vision={role}");
        let (_home, running) = start_with(&server, &asker(look), more, &[&flag]).await;
        assert_eq!(running.asked().await["answer"], "Blue dot");
        let body = server.asked().remove(0).body;
        let part = &body["messages"][1]["content"][1]["image_url"]["url"];
        assert_eq!((body["model"].as_str().expect("a model"), part.as_str()), expected, "{body}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_stopped_bot_is_settled_all_the_same() {
    let server = Server::start(&[Say::Hang]).await;
    let flags = ["llm.attempt_timeout_secs=1.5"];
    let (home, running) = start_with(&server, &asker(WRITE), "", &flags).await;
    running.wake_all().await;
    running.until("a call under way", async || (!server.asked().is_empty()).then_some(())).await;
    tokio::time::timeout(Duration::from_secs(30), running.stop()).await.expect("it stops");
    assert_eq!(states(&bill(&home).await), ["assumed"]);
}
