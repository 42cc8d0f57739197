//! What befalls plugins' files: folders that go, are renamed, come half, or change twenty times in a breath.

use floimg_fleet::runtime::plugins::view::PluginState;

use super::{speakers, until};

/// Puts its mark behind every comment, and denies when it is broken.
fn marker(mark: &str) -> String {
    format!(
        "return {{ on_error = 'deny', before_action = function(action)\n\
         if action.text then return {{ change = {{ text = action.text .. \"{mark}\" }} }} end\nend }}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_saves_in_a_breath_end_in_the_last() {
    let home = speakers();
    home.plugin("marker/init.luau", &marker(" 0"));
    let running = home.start(&[]).await;
    let first = running.plugin("marker").version;
    running.wake_all().await;
    for mark in 1..=20 {
        home.plugin("marker/init.luau", &marker(&format!(" {mark}")));
        tokio::task::yield_now().await;
    }
    running
        .until("the last save", async || {
            running.somebody_shares("Something to talk about").await;
            let states = running.states(&["speaker-1", "speaker-2"]).await;
            states.iter().any(|state| state["said"].as_str().is_some_and(|said| said.ends_with(" 20"))).then_some(())
        })
        .await;
    let view = running.plugin("marker");
    assert!(view.state == PluginState::Running && view.version != first && view.fared.faults == 0, "{view:?}");
    // Nobody was turned away while one version followed the other.
    let comments = running.told("comment").await;
    let refused: Vec<_> = comments.iter().filter(|told| told.what.detail["plugin"] == "marker").collect();
    assert!(refused.is_empty(), "{refused:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_half_written_is_refused_and_the_old_one_runs_on() {
    let home = speakers();
    home.plugin("marker/init.luau", &marker(" whole"));
    let running = home.start(&[]).await;
    running.wake_all().await;
    let whole = marker(" new");
    home.plugin("marker/init.luau", &whole[..whole.len() / 2]);
    let told = running.until_told("plugin_refused", 1).await;
    assert!(
        told[0].what.text.contains("plugins/marker/init.luau:") && told[0].what.text.contains("runs on"),
        "{told:?}"
    );
    // An empty file is what an editor leaves between two writes.
    home.plugin("marker/init.luau", "");
    let told = running.until_told("plugin_refused", 2).await;
    assert!(told[1].what.text.contains("must return one table"), "{told:?}");
    running.somebody_shares("A picture").await;
    until(&running, "the old mark", |state| state["said"].as_str().is_some_and(|said| said.ends_with(" whole"))).await;
    std::fs::write(home.path().join("plugins/marker/init.luau"), [0xff, 0xfe, b'x']).expect("written");
    let told = running.until_told("plugin_refused", 3).await;
    assert!(told[2].what.text.contains("is not UTF-8 at line 1"), "{told:?}");
    home.plugin("marker/init.luau", &whole);
    running.until_told("plugin_loaded", 1).await;
    running.somebody_shares("Another picture").await;
    until(&running, "the new mark", |state| state["said"].as_str().is_some_and(|said| said.ends_with(" new"))).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_renamed_is_another_plugin() {
    let home = speakers();
    home.plugin(
        "old_name/init.luau",
        "return { before_action = function() plugin.state.n = (plugin.state.n or 0) + 1 end }",
    );
    let running = home.start(&[]).await;
    running.until_running("old_name").await;
    let plugins = home.path().join("plugins");
    std::fs::rename(plugins.join("old_name"), plugins.join("new_name")).expect("renamed");
    running.until_running("new_name").await;
    assert_eq!(running.fleet.plugins().len(), 1, "{:?}", running.fleet.plugins());
    assert_eq!(running.until_told("plugin_removed", 1).await[0].what.text, "the plugin `old_name` is gone");
    running.wake_all().await;
    running.until_plugin("new_name", "a call", |view| view.fared.calls > 0).await;
    // The main file alone may go as well: the folder is there, and says what it lacks.
    std::fs::rename(plugins.join("new_name/init.luau"), plugins.join("new_name/main.luau")).expect("renamed");
    let told = running.until_told("plugin_refused", 1).await;
    assert!(told[0].what.text.contains("a plugin needs an init.luau"), "{told:?}");
    assert_eq!(running.plugin("new_name").state, PluginState::Running, "the version before runs on");
    // The whole folder of plugins may be away, as a mount is: everything stays as it is.
    std::fs::rename(&plugins, home.path().join("away")).expect("renamed");
    running.live_on(3).await;
    assert_eq!(running.plugin("new_name").state, PluginState::Running);
    running.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn links_are_not_followed() {
    use std::os::unix::fs::symlink;

    let home = speakers();
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::fs::write(elsewhere.path().join("init.luau"), "return { name = 'From elsewhere' }").expect("written");
    home.plugin("honest/init.luau", "return {}");
    let plugins = home.path().join("plugins");
    symlink(elsewhere.path(), plugins.join("linked")).expect("a link");
    std::fs::create_dir_all(plugins.join("inner")).expect("a folder");
    symlink(elsewhere.path().join("init.luau"), plugins.join("inner/init.luau")).expect("a link");
    // One that leads to itself, and one that leads nowhere.
    symlink(&plugins, plugins.join("circle")).expect("a link");
    symlink("/nowhere/init.luau", plugins.join("honest/lost.luau")).expect("a link");
    let running = home.start(&[]).await;
    running.until_running("honest").await;
    let shown: Vec<(String, &str)> =
        running.fleet.plugins().iter().map(|view| (view.name.to_string(), view.state.as_str())).collect();
    assert_eq!(shown, [("honest".to_owned(), "running"), ("inner".to_owned(), "refused")]);
    let error = &running.plugin("inner").errors[0];
    assert!(error.message.contains("is a link, and links are not followed"), "{error:?}");
    running.stop().await;
}
