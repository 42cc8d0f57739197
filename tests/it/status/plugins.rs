//! Plugins through the status API: what is shown of them, and what an operator may tell one.
//!
//! The plugins are real ones, in the world behind the double.

use std::collections::BTreeMap;
use std::path::PathBuf;

use floimg_fleet::config::Origin;
use floimg_fleet::host::hooks::Verdict;
use floimg_fleet::lua::plugins::options::{Setting, Told};
use serde_json::{Value, json};

use super::Served;
use super::fake::Double;
use crate::plugins::stage::Stage;

const GUARD: &str = r#"return {
    name = "Guard",
    description = "Keeps words out that nobody should say",
    needs = { "store" },
    on_error = "deny",
    after = { "rituals" },
    options = {
        words = { type = "list", default = { "nsfw" }, max = 100, doc = "words that nobody says" },
        limit = { type = "number", min = 1, max = 1000, doc = "the longest comment" },
    },
    before_action = function(action)
        if action.text == "spam" then return { deny = "spam" } end
        if action.text == "long" then return { change = { text = "short" } } end
        if action.text == "boom" then error("no words") end
    end,
    exports = { is_clean = function() return true end },
    every = { { name = "sweep", seconds = 3600, run = function() end } },
}"#;

const RITUALS: &str =
    "return { options = { mood = { type = \"string\", one_of = { \"mild\" }, doc = \"how wild\" } } }";

fn setting(name: &str, value: Value, line: usize) -> Setting {
    let origin = Origin::File { path: PathBuf::from("config.toml"), line };
    Setting { name: name.to_owned(), written: value.to_string(), value, origin }
}

/// Gives the double a plugin that runs and one whose options never were right.
pub async fn fill(double: &Double) -> Stage {
    let mut stage = Stage::on(double, true);
    stage.save("guard", GUARD);
    stage.save("rituals", RITUALS);
    stage.told = Told {
        options: BTreeMap::from([
            ("gaurd".to_owned(), vec![setting("limit", json!(3), 80)]),
            ("guard".to_owned(), vec![setting("words", json!(["spam", "scam"]), 84), setting("limt", json!(9), 85)]),
            ("rituals".to_owned(), vec![setting("mood", json!("odd"), 91)]),
        ]),
        grants: Vec::new(),
    };
    let changes = stage.take().await;
    assert_eq!((changes.accepted.len(), changes.refused.len()), (1, 1), "{:?}", stage.catalog);
    stage
}

#[tokio::test]
async fn plugins_show_what_they_do_and_what_is_wrong_with_them() {
    let served = Served::new().await;
    assert_eq!(served.get("/api/v1/plugins").await.fine(), json!({ "items": [], "problems": [] }));
    let stage = fill(&served.double).await;
    for text in ["fine", "spam", "long", "boom"] {
        stage.ask(text).await;
    }
    let plugins = served.get("/api/v1/plugins").await.fine();
    let names: Vec<&Value> =
        plugins["items"].as_array().expect("a list").iter().map(|plugin| &plugin["name"]).collect();
    assert_eq!(names, ["guard", "rituals"], "those that run come first");
    let stray = &plugins["problems"][0];
    assert_eq!((&stray["line"], &stray["severity"]), (&json!(80), &json!("warning")));
    assert_eq!(stray["hint"], "did you mean `guard`?");
    let refused = &plugins["items"][1];
    assert_eq!(
        refused["reason"],
        "no version that works: config.toml:91: `plugins.rituals.mood` must be one of \"mild\", got \"odd\""
    );
    assert_eq!((&refused["version"], &refused["on_error"]), (&Value::Null, &Value::Null));
    assert_eq!(refused["errors"][0]["hint"], "it is for this: how wild");
    let guard = served.get("/api/v1/plugins/guard").await.fine();
    assert_eq!(
        (&guard["name"], &guard["title"], &guard["status"]),
        (&json!("guard"), &json!("Guard"), &json!("running"))
    );
    assert_eq!(
        (&guard["on_error"], &guard["needs"], &guard["after"]),
        (&json!("deny"), &json!(["store"]), &json!(["rituals"]))
    );
    // What the config says stands beside what it may say; what it does not say is the default.
    assert_eq!(
        guard["options"],
        json!([
            { "key": "limit", "kind": "number", "expected": "a number from 1 to 1000", "doc": "the longest comment", "default": null, "value": null },
            { "key": "words", "kind": "list", "expected": "a list with at most 100 entries", "doc": "words that nobody says", "default": ["nsfw"], "value": ["spam", "scam"] }
        ])
    );
    assert_eq!(guard["warnings"][0]["message"], "`limt` is no option of the plugin `guard`, and was not taken");
    let asked = &guard["calls"][0];
    let counts = ["calls", "faults", "denied", "changed"].map(|key| asked[key].as_u64().expect("a count"));
    assert_eq!((&asked["function"], counts), (&json!("before_action"), [4, 1, 1, 1]));
    assert!(asked["p50_millis"].as_f64() > Some(0.0) && asked["p99_millis"].as_f64() >= asked["p50_millis"].as_f64());
    // A fault shows as a script's does: the message, the place, the line itself in its frame.
    let fault = &guard["fault"];
    assert_eq!(
        (&guard["faults"], &fault["file"], &fault["line"]),
        (&json!(1), &json!("plugins/guard/init.luau"), &json!(14))
    );
    assert_eq!(fault["message"], "no words");
    assert!(
        fault["frame"].as_str().is_some_and(|frame| frame.contains("14 |         if action.text == \"boom\"")),
        "{fault}"
    );
    assert!(guard["fault_at"].is_string());
    let timer = &guard["timers"][0];
    assert_eq!((&timer["key"], &timer["every_secs"]), (&json!("sweep"), &json!(3600.0)));
    assert!(timer["next_at"].as_str() > timer["ran_at"].as_str(), "{timer}");
    served.get("/api/v1/plugins/nobody").await.error(404);
    let wrong = served.get("/api/v1/plugins/No").await.error(400);
    assert!(wrong.starts_with("`plugin` is `No`: expected a plugin's name"), "{wrong}");
}

#[tokio::test]
async fn a_plugin_in_quarantine_says_why_and_what_becomes_of_actions() {
    let served = Served::new().await;
    let stage = fill(&served.double).await;
    for _ in 0..3 {
        stage.ask("boom").await;
    }
    let verdict = stage.ask("fine").await;
    assert!(matches!(&verdict, Verdict::Unanswered(name, _) if name.as_str() == "guard"), "{verdict:?}");
    let guard = served.get("/api/v1/plugins/guard").await.fine();
    assert_eq!(guard["status"], "quarantined");
    assert_eq!(
        guard["reason"],
        "quarantined until it is saved or resumed: plugins/guard/init.luau:14: no words; actions are refused meanwhile"
    );
    served.post("/api/v1/plugins/guard/resume", "").await.fine();
    assert_eq!(stage.ask("fine").await, Verdict::Allow);
}

#[tokio::test]
async fn a_plugin_is_paused_and_resumed_by_who_has_the_token_and_it_is_written_down() {
    let served = Served::new().await;
    let stage = fill(&served.double).await;
    let pause = "/api/v1/plugins/guard/pause";
    served.ask("POST", pause, &[], "").await.error(401);
    served.ask("POST", "/api/v1/plugins/guard/resume", &[], "").await.error(401);
    served.post(pause, r#"{"for_secs": 3}"#).await.error(400);
    served.post("/api/v1/plugins/nobody/pause", "").await.error(404);
    let world = served.double.fleet.world().clone();
    assert!(world.store.audits(10).await.expect("a store").is_empty(), "nothing was done");
    let done = served.post(pause, r#"{"reason": "denies too much"}"#).await.fine();
    assert_eq!(done["message"], "paused the plugin guard: nobody asks it until it is resumed");
    let guard = served.get("/api/v1/plugins/guard").await.fine();
    assert_eq!((&guard["status"], &guard["reason"]), (&json!("paused"), &json!("paused by operator: denies too much")));
    assert_eq!(guard["timers"][0]["next_at"], Value::Null, "its timers wait");
    assert_eq!(stage.ask("spam").await, Verdict::Allow, "nobody asks it");
    let kept = world.store.plugin(&"guard".parse().expect("a name")).await.expect("a row");
    assert_eq!(kept.paused.as_deref(), Some("denies too much"), "a restart finds it");
    // One that does not run can be paused for the time when it does.
    let done = served.post("/api/v1/plugins/rituals/pause", "").await.fine();
    assert!(done["message"].as_str().is_some_and(|words| words.contains("stays paused when it runs again")), "{done}");
    let done = served.post("/api/v1/plugins/guard/resume", "").await.fine();
    assert_eq!(done["message"], "resumed the plugin guard");
    assert!(matches!(stage.ask("spam").await, Verdict::Deny(..)));
    let audits = world.store.audits(10).await.expect("a store");
    let paused = audits.iter().rfind(|row| row.what == "pause_plugin").expect("a row");
    assert_eq!((paused.target.as_str(), &paused.detail["reason"]), ("guard", &json!("denies too much")));
    let page = served.get("/api/v1/activities?kind=plugin_paused").await.fine();
    let texts: Vec<&Value> = page["items"].as_array().expect("a list").iter().map(|one| &one["text"]).collect();
    assert_eq!(texts, ["the plugin `rituals` is paused", "the plugin `guard` is paused: denies too much"]);
}
