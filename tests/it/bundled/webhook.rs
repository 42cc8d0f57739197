//! `webhook` against a receiver of our own: what it posts, how it is signed, and that it tries again.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{home, is_running};
use crate::living::{persona, roster};
use crate::web::hmac;

type Deliveries = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Takes every delivery but the first, which it cannot take yet.
async fn receiver() -> (String, Deliveries, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let seen = Deliveries::default();
    let take = async |State(seen): State<Deliveries>, headers: HeaderMap, body: Bytes| {
        let mut seen = seen.lock().expect("whole");
        seen.push((headers, String::from_utf8_lossy(&body).into_owned()));
        if seen.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
    };
    let router = Router::new().route("/hook", post(take)).with_state(seen.clone());
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await.expect("served") });
    (format!("http://{address}"), seen, serving)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reload_is_posted_signed_and_until_it_is_taken() {
    let (address, seen, _serving) = receiver().await;
    let config = format!(
        "[plugins.webhook]\nurl = \"{address}/hook\"\nsign = true\n[web.plugins]\nwebhook = [\"{address}\"]\n[web.secrets]\n\
         webhook = \"HOOK_SECRET\""
    );
    let fine = persona("", "on_tick = function(bot) return 600 end,");
    let home = home(&["webhook"], &fine, 1, &config);
    let running = home.start_in(&["clock.speed=600"], &[("HOOK_SECRET", "s3cret")]).await;
    is_running(&running, "webhook").await;
    home.save("personas/tester.luau", "return { nonsense = true }");
    running.until_told("reload_refused", 1).await;
    let two = running
        .until("two deliveries", async || Some(seen.lock().expect("whole").clone()).filter(|seen| seen.len() >= 2))
        .await;
    let bodies: Vec<Value> = two.iter().map(|(_, body)| serde_json::from_str(body).expect("JSON")).collect();
    assert_eq!(bodies[0]["id"], bodies[1]["id"], "the same event is sent again");
    assert_eq!((&bodies[0]["kind"], &bodies[0]["persona"]), (&"reload_refused".into(), &"tester".into()));
    assert!(bodies[0]["text"].as_str().is_some_and(|text| text.contains("`identity` is missing")), "{}", bodies[0]);
    for (headers, body) in &two {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().expect("text").to_owned());
        let at = header("x-fleet-timestamp").expect("a time");
        let expected = format!("sha256={}", hmac(b"s3cret", format!("{at}.{body}").as_bytes()));
        assert_eq!(header("x-fleet-signature").as_deref(), Some(expected.as_str()));
        assert_eq!(header("x-fleet-event").as_deref(), Some("reload_refused"));
    }
    // What was taken is not sent again.
    let name = "webhook".parse().expect("a name");
    running
        .until("nothing that waits", async || {
            let state = running.fleet.world().store.plugin(&name).await.ok()?.state.unwrap_or_default();
            (!state.contains("waiting")).then_some(())
        })
        .await;
    assert_eq!(seen.lock().expect("whole").len(), 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_nothing_leaves_and_the_event_waits() {
    let (address, seen, _serving) = receiver().await;
    let fine = persona("", "on_tick = function(bot) return 600 end,");
    let section = format!("[plugins.webhook]\nurl = \"{address}/hook\"\n");
    let home = home(&["webhook"], &fine, 1, &section);
    let running = home.start(&["clock.speed=600"]).await;
    is_running(&running, "webhook").await;
    home.save("personas/tester.luau", "return { nonsense = true }");
    running.until_told("reload_refused", 1).await;
    // It does not go on for ever: the operator is told, and the plugin waits for a resume.
    let told = running.until_told("plugin_quarantined", 1).await;
    assert!(told[0].what.text.contains("webhook = [\"hooks.example.com\"] under [web.plugins]"), "{:?}", told[0].what);
    assert!(seen.lock().expect("whole").is_empty());
    // The grant is applied live, and what waited goes out when the plugin is resumed.
    home.config(&format!("{section}[web.plugins]\nwebhook = [\"{address}\"]\n{}", roster(&[("tester", 1)])));
    running.until_told("config_applied", 1).await;
    running.fleet.resume_plugin(&"webhook".parse().expect("a name"), "test").await.expect("a fleet");
    running.until("a delivery", async || (seen.lock().expect("whole").len() >= 2).then_some(())).await;
    running.stop().await;
}
