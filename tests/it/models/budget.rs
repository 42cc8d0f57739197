//! Budgets on the way to a model: what they let through, to which model, and what a bot does when they do not.

use serde_json::json;

use super::server::{Say, Server, completion};
use super::{WRITE, asker, bill, settings, states};
use crate::living::{Home, Running, roster};

/// A fleet of one asker with this in its config besides the model.
async fn start(server: &Server, script: &str, more: &str) -> (Home, Running) {
    let home = Home::new();
    home.save("personas/asker.luau", script);
    home.config(&format!("{}{more}{}", settings(server, ""), roster(&[("asker", 1)])));
    let running = home.start_in(&[], &[("FAKE_KEY", "sk-1")]).await;
    (home, running)
}

fn used(input: u64, output: u64) -> Say {
    let usage = json!({ "prompt_tokens": input, "completion_tokens": output });
    Say::Json(completion("Circle at rest", usage))
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_of_a_budget_templates_write_and_nothing_is_sent() {
    // What a call can come to must fit: more than one call, and less than what the first one says that it used.
    let cap = "[budgets]\nat_end = \"offline\"\ncaps = [{ scope = \"fleet\", period = \"day\", tokens = 4000 }]\n";
    let server = Server::start(&[used(3000, 900)]).await;
    let (home, running) = start(&server, &asker(WRITE), cap).await;
    assert_eq!(running.asked().await["answer"], "Circle at rest");
    // The config says `fallback = "fail"`, which is for models that fail: a budget says itself what its end is.
    for _ in 0..3 {
        assert_eq!(running.asked().await["answer"], "From a template");
    }
    assert_eq!((server.asked().len(), states(&bill(&home).await)), (1, vec!["settled"]));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_of_a_budget_a_bot_sleeps_where_the_config_says_so_and_shows_why() {
    let cap = "[budgets]\nat_end = \"sleep\"\ncaps = [{ scope = \"persona\", period = \"day\", tokens = 4000 }]\n";
    let server = Server::start(&[used(3000, 900)]).await;
    // It would tick again long before the day ends, whatever the hour of the test.
    let script = asker(WRITE).replace("return 86400 * 300", "return 600");
    let (_home, running) = start(&server, &script, cap).await;
    running.wake_all().await;
    let slept = async || running.bots().await.into_iter().find(|bot| bot.reason.contains("budget"));
    let bot = running.until("a bot that sleeps for its budget", slept).await;
    assert!(bot.reason.contains("asker") && bot.reason.contains("UTC"), "{}", bot.reason);
    let state = running.state("asker-1").await;
    assert_eq!((state["kind"].as_str(), server.asked().len()), (Some("budget"), 1), "{state}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn near_the_end_of_a_budget_the_small_model_writes() {
    let large = WRITE.replace("purpose", "model = \"large\", purpose");
    let more = "[llm.models.maxi]\nprovider = \"fake\"\nmodel = \"maxi-1\"\nprice = \"free\"\n\
        [budgets]\ncheaper_at = 0.9\ncaps = [{ scope = \"fleet\", period = \"day\", tokens = 100000 }]\n";
    let server = Server::start(&[used(80_000, 12_000), used(20, 5)]).await;
    let home = Home::new();
    home.save("personas/asker.luau", &asker(&large));
    let config = settings(&server, more).replace("small = \"mini\"", "small = \"mini\"\nlarge = \"maxi\"");
    home.config(&format!("{config}{}", roster(&[("asker", 1)])));
    let running = home.start_in(&[], &[("FAKE_KEY", "sk-1")]).await;
    running.asked().await;
    running.asked().await;
    let models: Vec<_> = server.asked().iter().map(|asked| asked.body["model"].clone()).collect();
    assert_eq!(models, ["maxi-1", "mini-1"]);
    running.stop().await;
}
