//! Plugins through the status API: what is shown of them, and what an operator may tell one.

use std::collections::BTreeMap;
use std::time::Duration;

use floimg_fleet::clock::Clock;
use floimg_fleet::model::diagnostic::Diagnostic;
use floimg_fleet::model::name::VersionId;
use floimg_fleet::model::plugin::{Hook, Manifest, OnError, OptionKind, OptionSpec, PluginName, Timer};
use floimg_fleet::model::seconds::Seconds;
use floimg_fleet::runtime::plugin_view::{CallsView, PluginStatus, PluginView, TimerView};
use serde_json::{Value, json};

use super::Served;
use super::fake::at;

/// One that runs and had a fault, and one whose files never were right.
pub fn plugins(clock: &Clock) -> Vec<PluginView> {
    let words = OptionSpec {
        kind: OptionKind::List,
        default: json!(["nsfw"]),
        doc: "words that nobody says".to_owned(),
        min: None,
        max: Some(100.0),
        one_of: Vec::new(),
    };
    let limit = OptionSpec {
        kind: OptionKind::Number,
        default: Value::Null,
        doc: "the longest comment".to_owned(),
        min: Some(1.0),
        max: Some(1000.0),
        one_of: Vec::new(),
    };
    let every = Seconds::new(3600.0).expect("an hour");
    let guard = PluginView {
        name: PluginName::new("guard").expect("a name"),
        file: "plugins/guard/init.luau".to_owned(),
        manifest: Some(Manifest {
            name: PluginName::new("guard").expect("a name"),
            title: "Guard".to_owned(),
            description: "Keeps words out that nobody should say".to_owned(),
            needs: vec!["store".to_owned()],
            options: BTreeMap::from([("limit".to_owned(), limit), ("words".to_owned(), words)]),
            on_error: OnError::Deny,
            before: Vec::new(),
            after: vec!["rituals".to_owned()],
            hooks: vec![Hook::BeforeAction],
            exports: vec!["is_clean".to_owned()],
            timers: vec![Timer { key: "1".to_owned(), every }],
        }),
        version: Some(VersionId::new("5e5e5e5e0000")),
        files: vec!["plugins/guard/init.luau".to_owned()],
        accepted_at: Some(at(clock, -4000)),
        status: PluginStatus::Quarantined { error: "plugins/guard/init.luau:9: no words".to_owned() },
        options: json!({ "words": ["spam", "scam"] }).as_object().expect("an object").clone(),
        calls: vec![CallsView {
            function: "before_action".to_owned(),
            calls: 120,
            faults: 5,
            changed: 2,
            denied: 7,
            p50: Duration::from_micros(42),
            p99: Duration::from_micros(1300),
        }],
        waiting: 0,
        timers: vec![TimerView { key: "1".to_owned(), every, ran_at: None, next_at: Some(at(clock, 1800)) }],
        fault: Some((Diagnostic::error("plugins/guard/init.luau", Some(9), "no words"), at(clock, -60))),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let wrong =
        Diagnostic::error("config.toml", Some(91), "`limt` is no option of `rituals`").with_hint("it has `limit`");
    let rituals = PluginView {
        name: PluginName::new("rituals").expect("a name"),
        file: "plugins/rituals/init.luau".to_owned(),
        manifest: None,
        version: None,
        files: Vec::new(),
        accepted_at: None,
        status: PluginStatus::Refused,
        options: serde_json::Map::new(),
        calls: Vec::new(),
        fault: None,
        timers: Vec::new(),
        errors: vec![wrong],
        ..guard.clone()
    };
    vec![rituals, guard]
}

#[tokio::test]
async fn plugins_show_what_they_do_and_what_is_wrong_with_them() {
    let served = Served::new().await;
    let plugins = served.get("/api/v1/plugins").await.fine();
    let names: Vec<&Value> =
        plugins["items"].as_array().expect("a list").iter().map(|plugin| &plugin["name"]).collect();
    assert_eq!(names, ["rituals", "guard"]);
    let refused = &plugins["items"][0];
    assert_eq!(refused["reason"], "no version that works: config.toml:91: `limt` is no option of `rituals`");
    assert_eq!(
        (&refused["version"], &refused["on_error"], &refused["errors"][0]["hint"]),
        (&Value::Null, &Value::Null, &json!("it has `limit`"))
    );
    let guard = served.get("/api/v1/plugins/guard").await.fine();
    assert_eq!((&guard["name"], &guard["status"]), (&json!("guard"), &json!("quarantined")));
    assert_eq!(
        guard["reason"],
        "quarantined until its files change or someone resumes it: error at plugins/guard/init.luau:9: no words; \
         actions are refused meanwhile"
    );
    // What the config says stands beside what it may say; what it does not say is the default.
    assert_eq!(
        guard["options"],
        json!([
            { "key": "limit", "kind": "number", "expected": "a number from 1 to 1000", "doc": "the longest comment", "default": null, "value": null },
            { "key": "words", "kind": "list", "expected": "a list with at most 100 entries", "doc": "words that nobody says", "default": ["nsfw"], "value": ["spam", "scam"] }
        ])
    );
    assert_eq!(
        guard["calls"],
        json!([{ "function": "before_action", "calls": 120, "faults": 5, "changed": 2, "denied": 7, "p50_millis": 0.042, "p99_millis": 1.3 }])
    );
    assert_eq!((&guard["faults"], &guard["fault"]["line"]), (&json!(5), &json!(9)));
    assert_eq!((&guard["timers"][0]["every_secs"], &guard["timers"][0]["ran_at"]), (&json!(3600.0), &Value::Null));
    served.get("/api/v1/plugins/nobody").await.error(404);
    let wrong = served.get("/api/v1/plugins/No").await.error(400);
    assert!(wrong.starts_with("`plugin` is `No`: expected a plugin's name"), "{wrong}");
}

#[tokio::test]
async fn a_plugin_is_paused_and_resumed_by_who_has_the_token_and_it_is_written_down() {
    let served = Served::new().await;
    let pause = "/api/v1/plugins/guard/pause";
    served.ask("POST", pause, &[], "").await.error(401);
    served.post(pause, r#"{"for_secs": 3}"#).await.error(400);
    served.post("/api/v1/plugins/nobody/pause", "").await.error(404);
    assert_eq!(served.told(), Vec::<String>::new());
    let done = served.post(pause, r#"{"reason": "denies too much"}"#).await.fine();
    assert_eq!(done["message"], "done");
    served.post("/api/v1/plugins/guard/resume", "").await.fine();
    assert!(served.post("/api/v1/plugins/rituals/resume", "").await.error(409).starts_with("rituals is not paused"));
    assert_eq!(
        served.told(),
        ["plugin guard Pause(\"denies too much\")", "plugin guard Resume", "plugin rituals Resume"]
    );
    let audits = served.double.fleet.world().store.audits(10).await.expect("a store");
    let paused = audits.iter().find(|row| row.what == "pause").expect("a row");
    assert_eq!((paused.target.as_str(), &paused.detail["reason"]), ("plugin guard", &json!("denies too much")));
}
