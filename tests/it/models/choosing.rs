//! Which model writes: roles, what the operator says of a persona or a bot, and what the config changes live.

use super::server::{Say, Server};
use super::{WRITE, asker, settings, start, start_with};
use crate::living::{Home, roster};

const TWO: &str = "[llm.models.maxi]
provider = \"fake\"
model = \"maxi-1\"
price = \"free\"
max_output_tokens = 2000
thinks = true
";

/// The models that were asked since, in their order.
fn models(server: &Server) -> Vec<String> {
    server.asked().iter().map(|asked| asked.body["model"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_mapped_and_the_operator_has_the_last_word() {
    let large = r#"llm.write { purpose = "title", prompt = "A title.", model = "large" }"#;
    let by_persona = asker(WRITE).replace("needs =", "model = \"large\", needs =");
    let maxi_large = "[llm.roles]\nsmall = \"mini\"\nlarge = \"maxi\"\n";
    // The script, what the config adds, and who is asked.
    let prompt =
        WRITE.replace("\"title\"", "\"prompt\"").replace("max_chars", "templates = { \"From a template\" }, max_chars");
    let table: [(&str, String, &str, Option<&str>); 9] = [
        ("nobody reads a prompt for a picture", asker(&prompt), "", None),
        ("small is meant when nobody says", asker(WRITE), "", Some("mini-1")),
        ("the call names a role", asker(large), maxi_large, Some("maxi-1")),
        ("the persona names a role", by_persona.clone(), maxi_large, Some("maxi-1")),
        ("a role without a model is offline", asker(large), "", None),
        ("a model by its name", asker(&large.replace("large", "maxi")), "", Some("maxi-1")),
        ("a name that nobody knows is small", asker(&large.replace("large", "huge")), "", Some("mini-1")),
        ("the operator moves a persona", by_persona.clone(), "[llm.personas]\nasker = \"maxi\"\n", Some("maxi-1")),
        (
            "the operator moves a bot",
            by_persona,
            "[llm.personas]\nasker = \"maxi\"\n[llm.bots]\nasker-1 = \"offline\"\n",
            None,
        ),
    ];
    for (what, script, more, expected) in table {
        let server = Server::start(&[Say::Text("Circle at rest")]).await;
        let home = Home::new();
        home.save("personas/asker.luau", &script);
        let mut config = settings(&server, TWO);
        if more.contains("[llm.roles]") {
            config = config.replace("[llm.roles]\nsmall = \"mini\"\n", "");
        }
        home.config(&format!("{config}{more}{}", roster(&[("asker", 1)])));
        let running = home.start_in(&[], &[("FAKE_KEY", "sk-1")]).await;
        let state = running.asked().await;
        let answer = if expected.is_some() { "Circle at rest" } else { "From a template" };
        assert_eq!(state["answer"], answer, "{what}: {state}");
        assert_eq!(models(&server), expected.into_iter().map(str::to_owned).collect::<Vec<_>>(), "{what}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_bounded_and_says_what_the_provider_expects() {
    let server = Server::start(&[Say::Text("Small sun")]).await;
    let more = "seed = true\ntemperature = 0.7\n";
    let (_home, running) = start(&server, &asker(WRITE), more).await;
    running.asked().await;
    let asked = server.asked().remove(0);
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(asked.headers["user-agent"], concat!("floimg-fleet/", env!("CARGO_PKG_VERSION")));
    let body = &asked.body;
    assert!(body["max_tokens"].as_u64().is_some_and(|most| (20..=60).contains(&most)), "{body}");
    assert_eq!((body["temperature"].as_f64(), body["max_completion_tokens"].is_null()), (Some(0.7), true));
    assert!(body["seed"].is_u64() && body["stream"].is_null() && body["n"].is_null(), "{body}");
    running.stop().await;

    let server = Server::start(&[Say::Text("Slow sun")]).await;
    let config = settings(&server, TWO)
        .replace("small = \"mini\"", "small = \"maxi\"")
        .replace("api_key_env", "length_key = \"max_completion_tokens\"\napi_key_env");
    let home = Home::new();
    home.save("personas/asker.luau", &asker(WRITE));
    home.config(&format!("{config}{}", roster(&[("asker", 1)])));
    let running = home.start_in(&[], &[("FAKE_KEY", "sk-1")]).await;
    running.asked().await;
    let body = server.asked().remove(0).body;
    assert_eq!((body["max_completion_tokens"].as_u64(), body["max_tokens"].is_null()), (Some(2000), true), "{body}");
    assert!(body["seed"].is_null() && body["temperature"].is_null(), "{body}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_config_moves_a_running_fleet_to_another_model_and_back_to_none() {
    let server = Server::start(&[Say::Text("Circle at rest")]).await;
    let (home, running) = start(&server, &asker(WRITE), TWO).await;
    assert_eq!(running.asked().await["answer"], "Circle at rest");
    let save = |config: String| home.config(&format!("{config}{}", roster(&[("asker", 1)])));
    server.says(&[Say::Text("Circle in motion")]);
    save(settings(&server, TWO).replace("small = \"mini\"", "small = \"maxi\""));
    running
        .until("the other model", async || {
            running.asked().await;
            models(&server).contains(&"maxi-1".to_owned()).then_some(())
        })
        .await;
    save(settings(&server, TWO).replace("provider = \"models\"", "provider = \"offline\""));
    running
        .until("templates", async || Some(running.asked().await).filter(|state| state["answer"] == "From a template"))
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_are_under_way_than_the_config_allows() {
    let server = Server::start(&[Say::Hang]).await;
    let home = Home::new();
    home.save("personas/asker.luau", &asker(WRITE));
    home.config(&format!("{}max_concurrent = 2\n{}", settings(&server, ""), roster(&[("asker", 4)])));
    let running = home.start_in(&["llm.attempt_timeout_secs=2"], &[("FAKE_KEY", "sk-1")]).await;
    running.wake_all().await;
    running.until("four calls", async || (server.asked().len() >= 4).then_some(())).await;
    assert_eq!(server.most(), 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_for_a_model_and_for_its_provider() {
    for flag in ["llm.models.mini.requests_per_minute=1", "llm.providers.fake.requests_per_minute=1"] {
        let server = Server::start(&[Say::Text("Circle at rest")]).await;
        let (_home, running) = start_with(&server, &asker(WRITE), "", &[flag, "llm.timeout_secs=1"]).await;
        assert_eq!(running.asked().await["answer"], "Circle at rest", "{flag}");
        let state = running.asked().await;
        assert_eq!((state["kind"].as_str(), server.asked().len()), (Some("rate_limited"), 1), "{flag}: {state}");
        assert!(
            state["message"].as_str().expect("a message").contains("too many calls are waiting"),
            "{flag}: {state}"
        );
        running.stop().await;
    }
}
