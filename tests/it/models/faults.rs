//! Providers that misbehave: no bot is stuck, no call is tried more than three times, and the bill is right.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::server::{Say, Server, completion};
use super::{KEY, WRITE, asker, bill, start, start_with, states};
use crate::crash::process::Process;
use crate::living::Home;

/// One way to misbehave, and what comes of it.
struct Case {
    what: &'static str,
    says: Vec<Say>,
    attempts: usize,
    /// What the script is told: the kind, and a part of the message.
    kind: &'static str,
    message: &'static str,
    /// How each attempt is on the bill.
    bill: &'static [&'static str],
}

fn status(status: u16, body: &str) -> Say {
    Say::Status(status, None, body.to_owned())
}

fn cases() -> Vec<Case> {
    let case = |what, says, attempts, kind, message, bill| Case { what, says, attempts, kind, message, bill };
    let error = |message: &str| json!({ "error": { "message": message, "type": "server_error" } }).to_string();
    let no_credit = json!({ "error": { "message": "You exceeded your current quota", "code": "insufficient_quota" } });
    let wrong_key = format!("Incorrect API key provided: {KEY}");
    vec![
        case("hangs", vec![Say::Hang], 1, "unavailable", "not within 0.4 s", &["assumed"]),
        case("drips", vec![Say::Drip], 1, "unavailable", "not within 0.4 s", &["assumed"]),
        case("cuts", vec![Say::Cut], 1, "unavailable", "it broke off", &["assumed"]),
        case("floods", vec![Say::Flood], 1, "unavailable", "longer than 262144 bytes", &["assumed"]),
        case(
            "HTML",
            vec![Say::Body("<html><h1>Welcome</h1></html>")],
            1,
            "unavailable",
            "else than JSON",
            &["assumed"],
        ),
        case("nothing", vec![Say::Body("")], 1, "unavailable", "else than JSON: nothing", &["assumed"]),
        case("other JSON", vec![Say::Json(json!({ "hello": 1 }))], 1, "unavailable", "with a choice", &["assumed"]),
        case("a list", vec![Say::Json(json!([1, 2]))], 1, "unavailable", "with a choice", &["assumed"]),
        case(
            "500s",
            vec![status(500, &error("our fault"))],
            3,
            "unavailable",
            "failed (status 500): our fault",
            &["assumed", "assumed", "assumed"],
        ),
        case(
            "a gateway's HTML",
            vec![status(502, "<html>bad\ngateway</html>")],
            3,
            "unavailable",
            "failed (status 502): <html>bad gateway</html>",
            &["assumed", "assumed", "assumed"],
        ),
        case(
            "overloaded",
            vec![status(503, "loading model")],
            3,
            "unavailable",
            "status 503: loading model",
            &["unsent", "unsent", "unsent"],
        ),
        case(
            "429s",
            vec![status(429, "slow down")],
            3,
            "rate_limited",
            "asked us to wait",
            &["unsent", "unsent", "unsent"],
        ),
        case(
            "a long wait",
            vec![Say::Status(429, Some("600"), "slow down".to_owned())],
            1,
            "rate_limited",
            "asked us to wait 600 s",
            &["unsent"],
        ),
        case("no credit", vec![status(429, &no_credit.to_string())], 1, "budget", "has no credit left", &["unsent"]),
        case(
            "a wrong key",
            vec![status(401, &error(&wrong_key))],
            1,
            "unavailable",
            "does not accept our key",
            &["unsent"],
        ),
        case(
            "a wrong model",
            vec![status(404, &error("no such model"))],
            1,
            "unavailable",
            "no such model",
            &["unsent"],
        ),
        case(
            "a failure inside a success",
            vec![Say::Json(json!({ "error": { "message": "upstream gone", "code": 502 } }))],
            3,
            "unavailable",
            "failed (status 502): upstream gone",
            &["assumed", "assumed", "assumed"],
        ),
        case(
            "a redirect",
            vec![Say::Redirect("http://127.0.0.1:9/elsewhere".to_owned())],
            1,
            "unavailable",
            "refused the request (status 307)",
            &["unsent"],
        ),
        case(
            "filtered",
            vec![Say::Json(
                json!({ "choices": [{ "finish_reason": "content_filter", "message": { "content": "" } }] }),
            )],
            2,
            "unavailable",
            "gave no answer that can be used: it was withheld",
            &["assumed", "assumed"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_provider_does_the_bot_lives_on_and_the_bill_is_right() {
    for Case { what, says, attempts, kind, message, bill: expected } in cases() {
        let server = Server::start(&says).await;
        let (home, running) = start(&server, &asker(WRITE), "").await;
        let started = Instant::now();
        let state = running.asked().await;
        assert!(started.elapsed() < Duration::from_secs(20), "{what}: it took {:?}", started.elapsed());
        assert_eq!(server.asked().len(), attempts, "{what}: {state}");
        assert_eq!(state["kind"], kind, "{what}: {state}");
        let told = state["message"].as_str().expect("a message");
        assert!(told.contains(message), "{what}: {told}");
        assert!(told.contains("`fake`") || told.contains("`mini`"), "{what}: it names who: {told}");
        assert!(!told.contains(KEY), "{what}: {told}");
        let bill = bill(&home).await;
        assert_eq!(states(&bill), expected, "{what}");
        assert!(bill.iter().all(|line| line.held > 100), "{what}: {bill:?}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_comes_back_is_asked_again_and_only_as_often_as_it_may() {
    let error = "{\"error\":{\"message\":\"no\"}}";
    let says = [
        Say::Status(429, Some("0.05"), error.to_owned()),
        Say::Status(503, None, error.to_owned()),
        Say::Text("\"A quiet red circle\""),
    ];
    let server = Server::start(&says).await;
    let (home, running) = start(&server, &asker(WRITE), "").await;
    let state = running.asked().await;
    assert_eq!((state["answer"].as_str(), server.asked().len()), (Some("A quiet red circle"), 3), "{state}");
    let lines = bill(&home).await;
    assert_eq!(states(&lines), ["unsent", "unsent", "settled"]);
    assert_eq!((lines[2].input, lines[2].output, lines[2].model.as_str()), (20, 5, "mini-1"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_usage_the_reservation_is_charged_and_cached_tokens_are_told_apart() {
    let usage =
        json!({ "prompt_tokens": 40, "completion_tokens": 6, "prompt_tokens_details": { "cached_tokens": 32 } });
    let says = [Say::Json(completion("First light", usage)), Say::Json(completion("Last light", Value::Null))];
    let server = Server::start(&says).await;
    let (home, running) = start(&server, &asker(WRITE), "").await;
    assert_eq!(running.asked().await["answer"], "First light");
    assert_eq!(running.asked().await["answer"], "Last light");
    let lines = bill(&home).await;
    assert_eq!(states(&lines), ["settled", "assumed"]);
    assert_eq!((lines[0].input, lines[0].cached, lines[0].output), (40, 32, 6));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_leaves_a_dead_provider_alone_and_lets_it_back() {
    let server = Server::start(&[Say::Status(500, None, "down".to_owned())]).await;
    let flags = ["llm.max_attempts=1", "llm.rest_secs=6"];
    let (home, running) = start_with(&server, &asker(WRITE), "", &flags).await;
    for _ in 0..5 {
        let state = running.asked().await;
        assert!(state["message"].as_str().expect("a message").contains("status 500"), "{state}");
    }
    let state = running.asked().await;
    assert!(state["message"].as_str().expect("a message").contains("`fake` failed too often in a row"), "{state}");
    assert!(state["retry_after"].as_f64().is_some_and(|wait| wait > 0.0 && wait <= 6.0), "{state}");
    assert_eq!((server.asked().len(), bill(&home).await.len()), (5, 5), "nothing is sent or reserved meanwhile");
    server.says(&[Say::Text("Circle in rain")]);
    let answered = async || Some(running.asked().await).filter(|state| state["answer"] == "Circle in rain");
    running.until("an answer after the rest", answered).await;
    assert_eq!(server.asked().len(), 1, "one call tried whether it is back");
    assert_eq!(running.asked().await["answer"], "Circle in rain");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429s_is_met_by_waiting_and_not_by_more_calls() {
    let server = Server::start(&[Say::Status(429, None, "too many".to_owned())]).await;
    let home = Home::new();
    home.save("personas/asker.luau", &asker(WRITE));
    home.config(&format!("{}{}", super::settings(&server, ""), crate::living::roster(&[("asker", 30)])));
    let running = home.start_in(&["llm.max_concurrent=1"], &[("FAKE_KEY", KEY)]).await;
    running.wake_all().await;
    running
        .until("everybody was told", async || {
            let bots: Vec<String> = running.bots().await.iter().map(|bot| bot.id.to_string()).collect();
            let states = running.states(&bots.iter().map(String::as_str).collect::<Vec<_>>()).await;
            states.iter().all(|state| state["kind"] == "rate_limited").then_some(())
        })
        .await;
    let asked = server.asked().len();
    assert!(asked < 15, "30 bots with one call each made {asked} calls");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_a_crash_cut_off_is_charged_in_full() {
    let server = Server::start(&[Say::Hang]).await;
    let home = Home::new();
    home.save("personas/asker.luau", &asker(WRITE));
    home.config(&format!("{}{}", super::settings(&server, ""), crate::living::roster(&[("asker", 1)])));
    let flags = ["llm.attempt_timeout_secs=60", "llm.timeout_secs=60"];
    let mut process = Process::run_knowing(&home, &flags, &[("FAKE_KEY", KEY)]);
    process.until_it_serves().await;
    process.until("a call under way", |_| server.asked().into_iter().next()).await;
    process.kill().await;
    assert_eq!(states(&bill(&home).await), ["open"]);
    server.says(&[Say::Text("Circle after rain")]);
    let running = home.start_in(&[], &[("FAKE_KEY", KEY)]).await;
    assert_eq!(states(&bill(&home).await)[0], "cut_off");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_sent_to_its_provider_and_shown_nowhere() {
    let echo = format!("{{\"error\":{{\"message\":\"wrong key {KEY}\"}}}}");
    let server = Server::start(&[Say::Status(401, None, echo)]).await;
    let home = Home::new();
    home.save("personas/asker.luau", &asker(WRITE));
    home.config(&format!("{}{}", super::settings(&server, ""), crate::living::roster(&[("asker", 1)])));
    let mut process = Process::run_knowing(&home, &["log.filter=trace"], &[("FAKE_KEY", KEY)]);
    process.until_it_serves().await;
    let asked = process.until("a call", |_| server.asked().into_iter().next()).await;
    assert_eq!(asked.headers["authorization"].to_str().expect("text"), format!("Bearer {KEY}"));
    process
        .until("its failure in the log", |process| {
            process.whole_log().contains("does not accept our key").then_some(())
        })
        .await;
    process.terminate().await;
    let log = process.whole_log();
    assert!(!log.contains(KEY), "the key is in the log");
    let rows = std::fs::read(home.path().join("data/fleet.db")).expect("a database");
    assert!(!rows.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "the key is in the database");
}
