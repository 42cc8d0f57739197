//! Plugins, from the outside: what they deny, change, hear, keep and export, and what their faults cost nobody else.

mod faults;
mod files;
mod hostile;
mod reload;
pub mod stage;

use floimg_fleet::model::plugin::PluginName;
use floimg_fleet::runtime::plugins::view::{PluginState, PluginView};
use reqwest::Method;
use serde_json::{Value, json};

use crate::living::{Home, Running, persona, roster};

impl Home {
    /// Saves a file of a plugin.
    fn plugin(&self, path: &str, text: &str) {
        let file = self.path().join("plugins").join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a saved file");
    }
}

impl Running {
    fn plugin(&self, name: &str) -> PluginView {
        let found = self.fleet.plugins().into_iter().find(|view| view.name.as_str() == name);
        found.expect("a plugin")
    }

    async fn until_plugin(&self, name: &str, what: &str, fits: impl Fn(&PluginView) -> bool) -> PluginView {
        self.until(what, async || {
            self.fleet.plugins().into_iter().find(|view| view.name.as_str() == name).filter(|view| fits(view))
        })
        .await
    }

    /// Somebody who is not of this fleet shares a picture.
    async fn somebody_shares(&self, title: &str) {
        let account = json!({
            "agentId": "visitor", "name": "Visitor", "username": "visitor", "isAgent": true, "agentPersonaId": "visitor"
        });
        self.gallery.call(Method::POST, "/api/admin/users/invite", Some(account)).await;
        self.gallery.share_as("visitor", title).await;
    }

    async fn until_running(&self, name: &str) {
        self.until_plugin(name, "a running plugin", |view| view.state == PluginState::Running).await;
    }
}

/// Shares a post and then says one line under the post of whoever came first, again and again with a number.
const SPEAKER: &str = r##"on_tick = function(bot)
        local s = bot.state
        s.n = (s.n or 0) + 1
        if not s.post then
            local picture = floimg.run { name = "dot", steps = { { generate = "shapes", params = { shapeType = "circle", width = 32, height = 32, fillColor = "#ff8866" } } } }
            local post, failure = floimg.share { picture = picture, title = "A dot of " .. bot.username, description = "Plain." }
            s.post, s.title = post and post.id, post and post.title
            s.share_failed, s.share_said = failure and failure.kind, failure and failure.message
        end
        for _, post in floimg.feed { limit = 50 } or {} do
            if not post.author.is_me then
                local said, failure = floimg.comment { post = post.id, text = "Remark no. " .. s.n .. " on it" }
                s.said = said and said.text or s.said
                s.failed, s.why = failure and failure.kind, failure and failure.message
                if said then break end
            end
        end
        floimg.run { name = "dot", steps = { { generate = "shapes", params = { shapeType = "circle", width = 16, height = 16 } } } }
        return 20
    end,"##;

/// Two bots that speak.
fn speakers() -> Home {
    let home = Home::new();
    home.save("personas/speaker.luau", &persona("", SPEAKER));
    home.config(&roster(&[("speaker", 2)]));
    home
}

async fn until(running: &Running, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    running
        .until(what, async || {
            let states = running.states(&["speaker-1", "speaker-2"]).await;
            states.into_iter().find(|state| fits(state))
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_denies_with_its_reason_and_the_activity_names_it() {
    let home = speakers();
    home.plugin(
        "censor/init.luau",
        r#"return {
            name = "Censor",
            before_action = function(action)
                if action.kind == "comment" then
                    return { deny = "no remarks by " .. action.bot.persona .. " no. " .. action.bot.index .. ": " .. action.text }
                end
            end,
        }"#,
    );
    let running = home.start(&[]).await;
    running.wake_all().await;
    let state = until(&running, "a denied comment", |state| state["failed"] == "rejected").await;
    let why = state["why"].as_str().expect("a reason");
    assert!(why.contains("the plugin `censor` denied it: no remarks by speaker no. "), "{why}");
    let told = running.until_told("comment", 1).await;
    assert_eq!((told[0].what.ending.as_str(), &told[0].what.detail["plugin"]), ("refused", &json!("censor")));
    assert!(running.gallery.audit().await.comments().is_empty());
    let view = running.plugin("censor");
    assert!(view.fared.denied > 0 && view.fared.faults == 0, "{view:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_changes_words_and_those_after_it_see_them() {
    let home = speakers();
    // By name `alpha` would be asked first; it wants to come after `beta`.
    home.plugin(
        "alpha/init.luau",
        r#"return { after = { "beta" }, before_action = function(action)
            if action.text then return { change = { text = action.text .. ", said alpha" } } end
        end }"#,
    );
    home.plugin(
        "beta/init.luau",
        r#"return { before_action = function(action)
            if action.text then return { change = { text = action.text .. ", said beta" } } end
            if action.title then return { change = { title = "Beta's " .. action.title } } end
        end }"#,
    );
    let running = home.start(&[]).await;
    running.wake_all().await;
    let state = until(&running, "a changed comment", |state| state["said"].is_string()).await;
    let said = state["said"].as_str().expect("a comment");
    assert!(said.ends_with(" on it, said beta, said alpha"), "{said}");
    let state = until(&running, "a changed post", |state| state["title"].is_string()).await;
    assert!(state["title"].as_str().is_some_and(|title| title.starts_with("Beta's A dot of ")), "{state}");
    let audit = running.gallery.audit().await;
    assert!(
        audit.comments().iter().all(|(.., text)| text.ends_with("said beta, said alpha")),
        "{:?}",
        audit.comments()
    );
    assert!(audit.items().iter().all(|item| item["title"].as_str().is_some_and(|t| t.starts_with("Beta's "))));
    let told = running.told("comment").await;
    assert_eq!(told[0].what.detail["changed_by"], json!(["beta", "alpha"]));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_plugin_can_make_a_bot_say_what_no_bot_says() {
    let home = speakers();
    home.plugin(
        "liar/init.luau",
        r#"return { on_error = "deny", before_action = function(action)
            if action.text then return { change = { text = "No, I am a real person." } } end
            if action.title then return { change = { title = string.rep("x", 300) } } end
        end }"#,
    );
    let running = home.start(&["reload.trial=false"]).await;
    running.wake_all().await;
    running.somebody_shares("Somebody's picture").await;
    let state = until(&running, "a refused comment", |state| state["why"].is_string()).await;
    let why = state["why"].as_str().expect("a reason");
    assert!(state["failed"] == "rejected" && why.contains("plugin `liar`") && why.contains("is a person"), "{state}");
    let state = until(&running, "a refused post", |state| state["share_said"].is_string()).await;
    let why = state["share_said"].as_str().expect("a reason");
    // Words that pass a limit are the plugin's mistake, and its `on_error` decides.
    assert!(state["share_failed"] == "unavailable" && why.contains("plugin `liar`") && why.contains("200"), "{state}");
    let told = running.until_told("comment", 1).await;
    assert_eq!((told[0].what.ending.as_str(), &told[0].what.detail["plugin"]), ("refused", &json!("liar")));
    assert!(running.gallery.audit().await.comments().is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_hears_what_came_of_actions_and_of_activities_and_keeps_it() {
    let home = speakers();
    home.plugin(
        "ear/init.luau",
        r#"return {
            needs = { "store" },
            before_action = function(action)
                plugin.state.asked = (plugin.state.asked or 0) + 1
            end,
            after_action = function(action, outcome)
                local key = action.kind .. (if outcome.failure then ":" .. outcome.failure.kind else "")
                plugin.state[key] = (plugin.state[key] or 0) + 1
                if outcome.id then store.set("last", outcome.id) end
            end,
            on_activity = function(activity)
                plugin.state["activity:" .. activity.kind] = activity.ending
            end,
        }"#,
    );
    let running = home.start(&[]).await;
    running.wake_all().await;
    let store = running.fleet.world().store.clone();
    let name = PluginName::new("ear").expect("a name");
    let kept = async || -> Value {
        let row = store.plugin(&name).await.expect("a row");
        row.state.and_then(|state| serde_json::from_str(&state).ok()).unwrap_or(Value::Null)
    };
    let state = running
        .until("a plugin that heard", async || {
            let state = kept().await;
            (state["comment"].is_u64() && state["share"].is_u64() && state["activity:comment"] == "done")
                .then_some(state)
        })
        .await;
    assert!(state["asked"].as_u64() >= Some(3), "{state}");
    let asked = state["asked"].as_u64();
    running.stop().await;
    let again = home.start(&[]).await;
    again.wake_all().await;
    let store = again.fleet.world().store.clone();
    again
        .until("it goes on counting", async || {
            let row = store.plugin(&name).await.expect("a row");
            let state: Value = row.state.and_then(|state| serde_json::from_str(&state).ok())?;
            (state["asked"].as_u64() > asked).then_some(())
        })
        .await;
    assert_eq!(again.plugin("ear").fared.faults, 0, "{:?}", again.plugin("ear"));
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persona_calls_what_a_plugin_exports() {
    let home = Home::new();
    let caller = persona(
        r#"local weather = require("@plugins/weather")"#,
        r#"on_tick = function(bot)
            local s = bot.state
            local told, failure = weather.forecast("Berlin", { days = 3 })
            s.told, s.failed, s.why = told and told.words, failure and failure.kind, failure and failure.message
            local all = weather :: any
            local _, broken = all.broken()
            s.broken = broken and broken.kind
            s.fine, s.raised = pcall(weather.forecast, function() end)
            return 20
        end,"#,
    );
    home.save("personas/caller.luau", &caller);
    home.config(&roster(&[("caller", 1)]));
    home.plugin(
        "weather/init.luau",
        r#"
        local words = require("@self/words")
        local count = 0
        return { exports = {
            forecast = function(place, options)
                return { words = words.about(place, options.days) }
            end,
            broken = function() error("no idea") end,
        } }"#,
    );
    home.plugin(
        "weather/words.luau",
        r#"return { about = function(place, days) return place .. " is dry for " .. days .. " days" end }"#,
    );
    let running = home.start(&["plugins.quarantine_after=20"]).await;
    running.wake_all().await;
    let state = running.until_state("caller-1", "an answer", |state| state["told"].is_string()).await;
    assert_eq!(
        (&state["told"], &state["broken"]),
        (&json!("Berlin is dry for 3 days"), &json!("unavailable")),
        "{state}"
    );
    assert!(
        state["fine"] == false
            && state["raised"].as_str().is_some_and(|r| r.contains("weather.forecast: argument 1 is a function")),
        "{state}"
    );
    let old = running.fleet.scripts().await.expect("scripts").remove(0).version.expect("a version");
    // Other exports are another version of whoever calls them.
    home.plugin(
        "weather/init.luau",
        r#"return { exports = { forecast = function() return { words = "wet" } end, broken = function() end, more = function() end } }"#,
    );
    running.until_state("caller-1", "a new answer", |state| state["told"] == "wet").await;
    let new = running
        .until("another version", async || {
            let version = running.fleet.scripts().await.ok()?.remove(0).version?;
            (version != old).then_some(version)
        })
        .await;
    assert_ne!(old, new);
    // A plugin that is gone answers nothing, and the version that was written for it runs on.
    std::fs::remove_dir_all(home.path().join("plugins/weather")).expect("removed");
    let state = running.until_state("caller-1", "no answer", |state| state["failed"] == "unavailable").await;
    assert!(state["why"].as_str().is_some_and(|why| why.contains("the plugin `weather` does not answer")), "{state}");
    let told = running.until_told("reload_refused", 1).await;
    assert!(told[0].what.text.contains("there is no plugin `weather`"), "{told:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_suggests_and_the_bot_hears() {
    let home = Home::new();
    let listener = persona(
        "",
        r#"on_tick = function(bot) return 30 end,
        on_event = function(bot, event) bot.state.heard, bot.state.about, bot.state.post = event.kind, event.text, event.post_id end,"#,
    );
    home.save("personas/listener.luau", &listener);
    home.config(&roster(&[("listener", 1)]));
    home.plugin(
        "newcomers/init.luau",
        r#"return {
            needs = { "floimg" },
            every = { { seconds = 10, run = function()
                local bots_there = bots.list { persona = "listener" } or {}
                plugin.state.bots = #bots_there
                for _, post in floimg.feed { limit = 10 } or {} do
                    if not post.author.is_fleet and bots_there[1] then
                        local new = bots.suggest { bot = bots_there[1].id, kind = "answer", post = post.id, post_title = post.title, text = "a first post" }
                        plugin.state.new = (plugin.state.new or 0) + (if new then 1 else 0)
                    end
                end
                plugin.state.runs = (plugin.state.runs or 0) + 1
                local fine, refused = pcall(floimg.upvote, "p1")
                plugin.state.refused = tostring(refused)
                local fine, undeclared = pcall(store.get, "x")
                plugin.state.undeclared = tostring(undeclared)
            end } },
        }"#,
    );
    let running = home.start(&[]).await;
    running.somebody_shares("My first picture").await;
    running.wake_all().await;
    let state = running.until_state("listener-1", "an event", |state| state["heard"].is_string()).await;
    assert_eq!((&state["heard"], &state["about"]), (&json!("answer"), &json!("a first post")));
    let name = PluginName::new("newcomers").expect("a name");
    let kept = running
        .until("three runs", async || {
            let row = running.fleet.world().store.plugin(&name).await.ok()?;
            let state: Value = serde_json::from_str(&row.state?).ok()?;
            (state["runs"].as_u64() >= Some(3)).then_some(state)
        })
        .await;
    assert_eq!(kept["new"], 1, "the same is suggested once: {kept}");
    assert!(kept["refused"].as_str().is_some_and(|r| r.contains("floimg.upvote is for bots")), "{kept}");
    assert!(kept["undeclared"].as_str().is_some_and(|r| r.contains("needs the permission `store`")), "{kept}");
    running.stop().await;
}
