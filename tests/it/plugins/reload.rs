//! Plugins that come, change, break and go, and what the config says to them.

use floimg_fleet::runtime::plugins::view::PluginState;

use super::{speakers, until};
use crate::living::roster;

fn with_config(head: &str) -> String {
    format!("{head}\n{}", roster(&[("speaker", 2)]))
}

/// Puts its mark behind every comment.
fn marker(mark: &str) -> String {
    format!(
        "return {{ before_action = function(action)\n\
         if action.text then return {{ change = {{ text = action.text .. \"{mark}\" }} }} end\nend }}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plugin_is_taken_a_broken_one_is_refused_and_a_deleted_one_is_gone() {
    let home = speakers();
    let running = home.start(&[]).await;
    running.wake_all().await;
    until(&running, "a plain comment", |state| state["said"].as_str().is_some_and(|said| said.ends_with("on it")))
        .await;
    home.plugin("marker/init.luau", &marker(" one"));
    running.until_told("plugin_loaded", 1).await;
    running.somebody_shares("Another picture").await;
    let is_marked = |mark: &'static str| {
        move |state: &serde_json::Value| state["said"].as_str().is_some_and(|said| said.ends_with(mark))
    };
    until(&running, "a first mark", is_marked(" one")).await;
    for (place, (broken, words)) in [
        ("return { before_action = 3 }", "`before_action` must be a function, got 3"),
        ("return { befor_action = function() end }", "unknown field `befor_action`"),
        ("return {", "init.luau"),
        ("return { needs = { \"llm\" } }", "`llm` is for bots"),
        ("return { before_action = function(action) return action.nothing.there end }", "attempt to index nil"),
        ("return { options = { words = { type = \"lits\" } } }", "`options.words.type` must be"),
        ("return { since = 7 }", "`since` is 7"),
    ]
    .into_iter()
    .enumerate()
    {
        home.plugin("marker/init.luau", broken);
        let told = running.until_told("plugin_refused", place + 1).await;
        let said = &told.last().expect("one").what.text;
        assert!(said.contains(words) && said.contains("runs on"), "{broken}: {said}");
        assert_eq!(running.plugin("marker").state, PluginState::Running);
        assert!(!running.plugin("marker").errors.is_empty());
    }
    home.plugin("marker/init.luau", &marker(" two"));
    running.until_told("plugin_loaded", 2).await;
    running.somebody_shares("A third picture").await;
    until(&running, "a second mark", is_marked(" two")).await;
    assert!(running.plugin("marker").errors.is_empty());
    std::fs::remove_dir_all(home.path().join("plugins/marker")).expect("removed");
    running.until_told("plugin_removed", 1).await;
    assert!(running.fleet.plugins().is_empty());
    running.somebody_shares("A fourth picture").await;
    until(&running, "a plain comment again", is_marked("on it")).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn options_are_typed_by_the_manifest_and_apply_live() {
    let home = speakers();
    home.plugin(
        "limit/init.luau",
        r#"return {
            options = {
                most = { type = "number", default = 5, min = 1, max = 100, doc = "The most remarks, as a number." },
                mood = { type = "string", default = "mild", one_of = { "mild", "strict" } },
                words = { type = "list", default = {} },
            },
            before_action = function(action)
                plugin.state.most, plugin.state.mood, plugin.state.first = plugin.options.most, plugin.options.mood, plugin.options.words[1]
                local fine = pcall(function() plugin.options.most = 1 end)
                if fine then error("options can be written") end
            end,
        }"#,
    );
    home.config(&with_config("[plugins.limit]\nmost = 7\nwords = [\"soft\"]\n"));
    let running = home.start(&[]).await;
    running.wake_all().await;
    let name = "limit".parse().expect("a name");
    let kept = async |what: &str, wanted: &str| {
        running
            .until(what, async || {
                let state = running.fleet.world().store.plugin(&name).await.ok()?.state?;
                (state == wanted).then_some(())
            })
            .await;
    };
    kept("the config's options", r#"{"first":"soft","mood":"mild","most":7}"#).await;
    home.config(&with_config("[plugins.limit]\nmood = \"strict\"\n"));
    kept("other options", r#"{"mood":"strict","most":5}"#).await;
    for (place, (wrong, words, hint)) in [
        ("most = 0", "`plugins.limit.most` must be a number from 1 to 100, got 0", "The most remarks"),
        ("most = \"7\"", "`plugins.limit.most` must be a number", "The most remarks"),
        ("mood = \"wild\"", "one of \"mild\", \"strict\", got \"wild\"", ""),
    ]
    .into_iter()
    .enumerate()
    {
        home.config(&with_config(&format!("[plugins.limit]\n{wrong}\n")));
        let told = running.until_told("plugin_refused", place + 1).await;
        let errors = &told.last().expect("one").what.detail["errors"][0];
        assert!(errors["message"].as_str().is_some_and(|said| said.contains(words)), "{errors}");
        assert!(hint.is_empty() || errors["hint"].as_str().is_some_and(|said| said.contains(hint)), "{errors}");
        assert!(errors["file"].as_str().is_some_and(|file| file.ends_with("/config.toml")), "{errors}");
        assert_eq!(errors["line"], 2, "{errors}");
        assert!(errors["frame"].as_str().is_some_and(|frame| frame.contains("config.toml:2")), "{errors}");
    }
    // A key that the plugin does not have is no reason to do without the plugin.
    home.config(&with_config("[plugins.limit]\nmood = \"strict\"\nmots = 3\n"));
    let view = running.until_plugin("limit", "a warning", |view| !view.warnings.is_empty()).await;
    let warning = &view.warnings[0];
    assert_eq!((view.state, view.errors.len(), warning.line), (PluginState::Running, 0, Some(3)), "{warning:?}");
    assert!(warning.message.contains("`mots` is no option of the plugin `limit`"), "{warning:?}");
    assert!(warning.hint.as_deref().is_some_and(|hint| hint.contains("did you mean `most`")), "{warning:?}");
    home.config(&with_config("[plugins.limit]\nenabled = false\n"));
    running.until_plugin("limit", "a plugin that is off", |view| view.state == PluginState::Off).await;
    home.config(&with_config(""));
    running.until_running("limit").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_is_refused_with_the_names_in_it() {
    let home = speakers();
    home.plugin("one/init.luau", "return { before = { \"two\" } }");
    home.plugin("two/init.luau", "return {}");
    let running = home.start(&[]).await;
    running.until_running("two").await;
    home.plugin("two/init.luau", "return { before = { \"one\" } }");
    let told = running.until_told("plugin_refused", 1).await;
    let said = &told[0].what.text;
    assert!(said.contains("cannot be put in order") && said.contains("one") && said.contains("two"), "{said}");
    assert_eq!(running.plugin("two").state, PluginState::Running);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_config_says_to_nobody_is_told_at_the_start_and_when_it_is_saved() {
    let home = speakers();
    home.plugin("guard/init.luau", "return { after = { \"mark\", \"elsewhere\" } }");
    home.plugin("marks/init.luau", "return {}");
    home.plugin("Wrong-Name/init.luau", "return {}");
    home.config(&with_config("[plugins.gaurd]\nenabled = false\n"));
    let running = home.start(&[]).await;
    let shown = || -> Vec<String> {
        let shown = |problem: &floimg_fleet::model::diagnostic::Diagnostic| {
            let file = problem.file.rsplit('/').take(2).collect::<Vec<_>>();
            let hint = problem.hint.as_deref().unwrap_or_default();
            format!("{}:{} {} | {hint}", file[0], problem.line.unwrap_or(0), problem.message)
        };
        running.fleet.stray_plugins().iter().map(shown).collect()
    };
    assert_eq!(
        shown(),
        [
            "Wrong-Name:0 `Wrong-Name` is no name for a plugin: use 1 to 48 lower-case letters, digits and underscores, starting with a letter | rename the folder",
            "config.toml:2 [plugins.gaurd] is for no plugin: plugins/gaurd/init.luau is not there | did you mean `guard`?",
            "init.luau:1 `after` names `mark`, and there is no such plugin | did you mean `marks`?",
        ]
    );
    std::fs::remove_dir_all(home.path().join("plugins/Wrong-Name")).expect("removed");
    home.plugin("guard/init.luau", "return {}");
    home.config(&with_config(
        "[permissions.plugins]\nguards = [\"store\"]\n[web.plugins]\nzebra = [\"example.com\"]\n",
    ));
    running
        .until("other warnings", async || {
            (shown()
                == [
                    "config.toml:2 `guards` in [permissions.plugins] is for no plugin: plugins/guards/init.luau is not there | did you mean `guard`?",
                    "config.toml:4 `zebra` in [web.plugins] is for no plugin: plugins/zebra/init.luau is not there | there are: guard, marks",
                ])
            .then_some(())
        })
        .await;
    // The file that was meant makes them go away.
    home.plugin("zebra/init.luau", "return {}");
    running.until("one warning less", async || (shown().len() == 1).then_some(())).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_that_another_save_undoes_is_no_circle_any_more() {
    let home = speakers();
    home.plugin("one/init.luau", "return { before = { \"two\" } }");
    home.plugin("two/init.luau", "return { before = { \"one\" } }");
    let running = home.start(&[]).await;
    assert!(running.fleet.plugins().iter().all(|view| view.state == PluginState::Refused));
    home.plugin("one/init.luau", "return {}");
    running.until_running("one").await;
    running.until_running("two").await;
    assert!(running.plugin("two").errors.is_empty());
    running.stop().await;
}
