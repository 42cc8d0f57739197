//! The bundled plugins in a running fleet, from the outside: what the gallery got, what an operator reads, and what left the
//! machine. Their rules one by one are in the tests beside them, which `fleet test` runs.

mod given;
mod new;
mod webhook;

use std::path::{Path, PathBuf};

use floimg_fleet::runtime::plugins::view::PluginState;
use serde_json::{Value, json};

use crate::living::{Home, Running, persona, roster};

/// The names of all that are bundled.
const NAMES: [&str; 5] = ["guard", "newcomers", "quiet_hours", "rituals", "webhook"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name())).expect("an entry");
        match from.is_dir() {
            true => copy(&from, &to.join(name)),
            false => {
                std::fs::copy(from, to.join(name)).expect("a copy");
            }
        }
    }
}

/// A home with some of the bundled plugins, the bundled behaviours, and one persona of the test's own.
fn home(plugins: &[&str], text: &str, count: u32, config: &str) -> Home {
    let home = Home::new();
    for folder in ["behaviours", "lib"] {
        copy(&root().join("scripts").join(folder), &home.path().join("scripts").join(folder));
    }
    for name in plugins {
        copy(&root().join("plugins").join(name), &home.path().join("plugins").join(name));
    }
    home.save("personas/tester.luau", text);
    home.config(&format!("{config}\n{}", roster(&[("tester", count)])));
    home
}

/// The refused activities of a kind, newest first.
async fn refused(running: &Running, kind: &str, words: &str) -> Value {
    let what = format!("a refused {kind} with {words}");
    running
        .until(&what, async || {
            let told = running.told(kind).await;
            let found =
                told.iter().rev().find(|told| told.what.ending.as_str() == "refused" && told.what.text.contains(words));
            found.map(|told| told.what.detail.clone())
        })
        .await
}

async fn is_running(running: &Running, name: &str) {
    running
        .until(name, async || {
            let views = running.fleet.plugins();
            views.iter().any(|view| view.name.as_str() == name && view.state == PluginState::Running).then_some(())
        })
        .await;
}

/// Says this under the first post of somebody else, with the number of the try.
fn speaker(text: &str) -> String {
    persona(
        "",
        &format!(
            r##"on_tick = function(bot)
                local s = bot.state
                s.n = (s.n or 0) + 1
                if not s.post then
                    local picture = floimg.run {{ name = "dot", steps = {{ {{ generate = "shapes", params = {{ shapeType = "circle", width = 32, height = 32, fillColor = "#ff8866" }} }} }} }}
                    local post = picture and floimg.share {{ picture = picture, title = "A dot of " .. bot.username, description = "Plain." }}
                    s.post = post and post.id
                end
                for _, post in floimg.feed {{ limit = 50 }} or {{}} do
                    if not post.author.is_me then
                        local said, failure = floimg.comment {{ post = post.id, text = {text} }}
                        s.said = said and said.text or s.said
                        s.failed, s.why = failure and failure.kind, failure and failure.message
                        if said then break end
                    end
                end
                return 20
            end,"##
        ),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn guard_mends_and_denies_with_a_reason_that_an_operator_reads() {
    let text = r#"if bot.index == 1 then "The dot sits well, see https://spam.example/no" .. s.n else "Buy now, the dot no. " .. s.n"#;
    let home = home(&["guard"], &speaker(text), 2, "[plugins.guard]\nwords = [\"buy now\"]");
    let running = home.start(&[]).await;
    is_running(&running, "guard").await;
    running.wake_all().await;
    let state = running.until_state("tester-1", "a mended comment", |state| state["said"].is_string()).await;
    assert_eq!(state["said"], "The dot sits well, see");
    let told = running
        .until("a told change", async || {
            running.told("comment").await.into_iter().find(|told| told.what.detail["changed_by"].is_array())
        })
        .await;
    assert_eq!(told.what.detail["changed_by"], json!(["guard"]));
    assert_eq!(told.what.detail["changed_because"], json!(["guard: took out a link to spam.example"]));
    let detail = refused(&running, "comment", "buy now").await;
    assert_eq!(detail["plugin"], "guard");
    let state = running.until_state("tester-2", "a denied comment", |state| state["failed"].is_string()).await;
    assert!(
        state["failed"] == "rejected" && state["why"].as_str().is_some_and(|why| why.contains("“buy now”")),
        "{state}"
    );
    let comments = running.gallery.audit().await.comments();
    assert!(!comments.is_empty() && comments.iter().all(|(.., said)| !said.contains("http") && !said.contains("Buy")));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guard_lets_no_two_bots_say_nearly_the_same() {
    // The same words by everybody, but for a sign.
    let home = home(
        &["guard"],
        &speaker(r#""The circle carries all the weight of this picture" .. string.rep("!", bot.index)"#),
        3,
        "",
    );
    let running = home.start(&[]).await;
    is_running(&running, "guard").await;
    running.wake_all().await;
    refused(&running, "comment", "nearly what").await;
    let audit = running.gallery.audit().await;
    let speakers: std::collections::BTreeSet<String> = audit.comments().into_iter().map(|(_, who, _)| who).collect();
    assert_eq!(speakers.len(), 1, "{:?}", audit.comments());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_stop_what_bots_do_and_they_rest_until_its_end() {
    let config =
        "[plugins.quiet_hours]\npauses = [{ hours = \"00:00-24:00\", zone = \"Europe/Berlin\", why = \"a holiday\" }]";
    let home = home(&["quiet_hours"], &speaker(r#""A word no. " .. s.n"#), 2, config);
    let running = home.start(&["clock.speed=60"]).await;
    is_running(&running, "quiet_hours").await;
    running.wake_all().await;
    let detail = refused(&running, "generate", "quiet until 00:00 Europe/Berlin: a holiday").await;
    assert_eq!(detail["plugin"], "quiet_hours");
    running
        .until("a bot that rests for it", async || {
            running.bots().await.iter().any(|bot| bot.reason.contains("quiet until 00:00 Europe/Berlin")).then_some(())
        })
        .await;
    assert!(running.gallery.audit().await.items().is_empty());
    // What cannot be read is refused, with the entry, and the pause that is there goes on.
    home.config(&format!(
        "[plugins.quiet_hours]\npauses = [{{ zone = \"Europe/Berln\" }}]\n{}",
        roster(&[("tester", 2)])
    ));
    let told = running.until_told("plugin_refused", 1).await;
    assert!(told[0].what.text.contains("did you mean `Europe/Berlin`"), "{:?}", told[0].what);
    home.config(&roster(&[("tester", 2)]));
    running
        .until("no pause any more", async || {
            let views = running.fleet.plugins();
            let view = views.iter().find(|view| view.name.as_str() == "quiet_hours")?;
            let pauses = view.options.iter().find(|option| option.name == "pauses")?;
            (pauses.value == json!([]) && view.errors.is_empty()).then_some(())
        })
        .await;
    running.wake_all().await;
    running.until("a post", async || (!running.gallery.audit().await.items().is_empty()).then_some(())).await;
    running.stop().await;
}

/// Hears suggestions and takes them up by the bundled behaviours, as the bundled personas do.
fn listener() -> String {
    persona(
        r#"local comment = require("@behaviours/comment")
        local post = require("@behaviours/post")
        local reply = require("@behaviours/reply")
        local suggested = require("@behaviours/suggested")"#,
        r#"interests = { "foxes and snow" },
        templates = { comments = { "The {topic} carries it, {author}.", "I keep looking at the {topic}." }, prompts = { "{subject}" }, titles = { "{^subject}, no. {count}" }, captions = { "{^subject}, study no. {count}." } },
        needs = { "floimg", "llm", "store", "memory", "events" },
        on_event = function(bot, event) reply.receive(bot, event) end,
        on_tick = function(bot)
            bot.state.n = (bot.state.n or 0) + 1
            if suggested.answer(bot) then comment.next(bot, {}) end
            if suggested.ritual(bot) then
                post.next(bot, { plan = function() return { facts = { subject = "a paper kite", count = bot.state.n } } end })
            end
            return 3600
        end,"#,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomers_get_one_answer_by_a_bot_that_fits() {
    let config = "[plugins.newcomers]\npeople_first_minutes = 0";
    let home = home(&["newcomers"], &listener(), 3, config);
    let running = home.start(&["clock.speed=6000"]).await;
    is_running(&running, "newcomers").await;
    let name = "newcomers".parse().expect("a name");
    running
        .until("a first look", async || {
            let row = running.fleet.world().store.plugin(&name).await.ok()?;
            row.state.filter(|state| state.contains("since"))
        })
        .await;
    running.somebody_comes("newbie", "A fox in the snow").await;
    let comments = running
        .until("an answer", async || Some(running.gallery.audit().await.comments()).filter(|all| !all.is_empty()))
        .await;
    assert!(comments[0].2.contains("fox"), "{comments:?}");
    running
        .until("an answer that was seen", async || {
            let row = running.fleet.world().store.plugin(&name).await.ok()?;
            row.state.filter(|state| state.contains("is_answered"))
        })
        .await;
    // A second post by the same person is nobody's first.
    running.somebody_comes("newbie", "Another fox in the snow").await;
    running.live_on(3).await;
    let comments = running.gallery.audit().await.comments();
    assert_eq!(comments.len(), 1, "{comments:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_of_the_week_reaches_pictures_and_captions() {
    let config = "[plugins.rituals]\nshare = 1\nthemes = [{ name = \"Moons\", style = \"with two moons\" }]";
    let home = home(&["rituals"], &listener(), 6, config);
    let running = home.start(&["clock.speed=36000"]).await;
    is_running(&running, "rituals").await;
    let item = running
        .until("a post with the theme", async || {
            let audit = running.gallery.audit().await;
            audit
                .items()
                .iter()
                .find(|item| item["description"].as_str().is_some_and(|words| words.contains("For “Moons”")))
                .cloned()
        })
        .await;
    assert!(item["title"].as_str().is_some_and(|title| title.starts_with("A paper kite")), "{item}");
    let told = running.told("generate").await;
    assert!(
        told.iter()
            .any(|told| told.what.detail.to_string().contains("with two moons")
                || told.what.text.contains("with two moons")),
        "{told:?}"
    );
    running.stop().await;
}

impl Running {
    /// Somebody who is not of this fleet shares a picture, with an account that is made when it is not there.
    async fn somebody_comes(&self, username: &str, title: &str) {
        let account = json!({
            "agentId": username, "name": username, "username": username, "isAgent": true, "agentPersonaId": "visitor"
        });
        self.gallery.call(reqwest::Method::POST, "/api/admin/users/invite", Some(account)).await;
        self.gallery.share_as(username, title).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_plugins_folder_has_the_bundled_ones() {
    let home = home(&[], &speaker(r#""A word no. " .. s.n"#), 1, "");
    std::fs::remove_dir_all(home.path().join("plugins")).expect("removed");
    let running = home.start(&[]).await;
    for name in NAMES {
        is_running(&running, name).await;
    }
    let views = running.fleet.plugins();
    assert_eq!(views.len(), NAMES.len(), "{views:?}");
    for view in &views {
        let is_described = view.manifest.as_ref().is_some_and(|manifest| !manifest.description.is_empty());
        assert!(view.errors.is_empty() && view.fared.faults == 0 && is_described, "{view:?}");
        assert!(
            view.options.iter().all(|option| option.spec.doc.len() > 10),
            "every option of {} has a doc",
            view.name
        );
    }
    running.wake_all().await;
    running.until_state("tester-1", "a post", |state| state["post"].is_string()).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_config_shows_every_option_with_its_default() {
    let home = home(&NAMES, &speaker(r#""A word""#), 0, "");
    let running = home.start(&[]).await;
    for name in NAMES {
        is_running(&running, name).await;
    }
    let shown = std::fs::read_to_string(root().join("config.toml")).expect("the config");
    let begin = shown.find("# [plugins.guard]").expect("the plugins");
    let lines = shown[begin..].lines().take_while(|line| line.starts_with('#'));
    let text: Vec<&str> = lines.map(|line| line.trim_start_matches('#').trim_start()).collect();
    let table: toml::Table = toml::from_str(&text.join("\n")).expect("TOML behind the marks");
    let plugins = serde_json::to_value(&table["plugins"]).expect("JSON");
    for view in running.fleet.plugins() {
        let section =
            plugins[view.name.as_str()].as_object().unwrap_or_else(|| panic!("[plugins.{}] is shown", view.name));
        let keys: Vec<&str> = section.keys().map(String::as_str).collect();
        let mut options: Vec<&str> = view.options.iter().map(|option| option.name.as_str()).collect();
        options.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, options, "{}", view.name);
        for option in &view.options {
            let (shown, real) = (&section[&option.name], &option.value);
            let is_same = shown == real || shown.as_f64().is_some_and(|shown| real.as_f64() == Some(shown));
            assert!(is_same, "{}.{}: {shown} is shown, {real} is the default", view.name, option.name);
        }
    }
    running.stop().await;
}

#[test]
fn every_bundled_plugin_is_strict_and_has_tests() {
    for name in NAMES {
        let folder: PathBuf = root().join("plugins").join(name);
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a file");
            let is_test = path.to_string_lossy().ends_with(".test.luau");
            assert!(is_test || text.starts_with("--!strict"), "{}", path.display());
            assert!(text.lines().count() <= 220, "{} is a page or two", path.display());
        }
        assert!(folder.join(format!("{name}.test.luau")).exists(), "{name} has tests");
    }
}
