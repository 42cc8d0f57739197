//! `fleet try` from the outside: a persona in; its story, and what the studio and the disk know of it, out.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::living::{Home, Running};

/// Upvotes the newest post of others, says something under it, and tries both once more.
const FAN: &str = r#"return {
	name = "Fan",
	identity = { names = { "{first}" }, username = "fan_{n}" },
	schedule = { timezone = "UTC", awake = "00:00-00:00" },
	templates = { comments = { "The {topic} carries it." } },
	on_tick = function(bot)
		bot.state.ticks = (bot.state.ticks or 0) + 1
		for _, post in floimg.feed() or {} do
			if not post.author.is_fleet then
				log.info("likes what it sees")
				memory.remember { kind = "saw", about = post.id, text = post.title }
				floimg.upvote(post.id)
				floimg.upvote(post.id)
				local words = llm.write { purpose = "comment", about = { topic = "light" } }
				floimg.comment { post = post.id, text = words }
				bot.state.last = post.id
			end
		end
		return 1
	end,
}
"#;

/// The exit code, standard output and standard error.
async fn fleet(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fleet"));
    command.env_clear().current_dir(dir).args(args);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let output = ran.expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

/// A folder with one persona and no studio that answers.
fn place(persona: &str) -> TempDir {
    let dir = TempDir::new().expect("a folder");
    std::fs::create_dir_all(dir.path().join("scripts/personas")).expect("a folder");
    std::fs::write(dir.path().join("scripts/personas/fan.luau"), persona).expect("written");
    dir
}

/// Tries in a place without a studio.
async fn alone(dir: &TempDir, args: &[&str]) -> (i32, String, String) {
    fleet(dir.path(), &[&["try"], args, &["--set", "studio.listen=127.0.0.1:9"]].concat()).await
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("JSON: {line}"))).collect()
}

/// Every file below a folder, with what is in it.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).expect("a file"));
        }
    }
    found
}

/// A studio with one post by a person, and a fleet of one fan that never gets to act.
async fn studio() -> (Home, Running) {
    let home = Home::with("fan", FAN, 0);
    let running = home.start(&["clock.speed=60"]).await;
    let account = json!({
        "agentId": "mira", "name": "Mira", "username": "mira", "isAgent": true, "agentPersonaId": "tester",
    });
    running.gallery.call(Method::POST, "/api/admin/users/invite", Some(account)).await;
    running.gallery.share_as("mira", "Neon dream").await;
    (home, running)
}

/// Tries against the studio of a fleet that runs.
async fn beside(home: &Home, running: &Running, args: &[&str]) -> (i32, String, String) {
    let listen = format!("studio.listen={}", running.gallery.address());
    let mut flags: Vec<String> = home.flags(&["clock.speed=60"]);
    flags.retain(|flag| !flag.starts_with("studio.listen"));
    flags.push(listen);
    let sets: Vec<&str> = flags.iter().flat_map(|flag| ["--set", flag]).collect();
    fleet(home.path(), &[&["try", "fan"], args, &sets].concat()).await
}

#[tokio::test]
async fn a_story_says_what_was_seen_considered_done_and_kept() {
    let dir = place(FAN);
    let (code, out, err) = alone(&dir, &["fan", "--dry-run", "--ticks", "1", "--at", "2026-03-04T10:00:00Z"]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for part in [
        "fan-1 is ",
        "in the trial gallery, in memory (the embedded studio is not running at http://127.0.0.1:9/)",
        "tick 1  Wed 2026-03-04 10:00:00 UTC",
        "looked      at the feed, recent → 6 posts: \"Paper boats on a quiet canal\" by mira",
        "noted       likes what it sees",
        "kept        a memory \"saw\" of \"Paper boats on a quiet canal\" by mira",
        "did         upvote \"Paper boats on a quiet canal\" by mira",
        "considered  comment → \"The light carries it.\"",
        "did         comment on \"Paper boats on a quiet canal\" by mira: \"The light carries it.\"",
        "refused     upvote \"Neon poster for a summer sale\" by otto_k: this bot has upvoted the post before (already_done)",
        "calls: floimg 19, llm 6, log 6, memory 6, no tokens (the offline writer wrote)",
        "state       + ticks = 1",
        "rests       until Wed 2026-03-04 10:00:01 UTC, its script asked for this",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    assert_eq!(out.matches("did         upvote").count(), 6, "{out}");
}

#[tokio::test]
async fn the_same_try_comes_out_the_same_and_another_seed_or_index_does_not() {
    let dir = place(&FAN.replace("return 1\n", "bot.state.n = rand.number(); return 1\n"));
    let at = ["fan", "--dry-run", "--json", "--at", "2026-03-04T10:00:00Z"];
    let states = async |more: &[&str]| -> Vec<Value> {
        let (code, out, err) = alone(&dir, &[&at[..], more].concat()).await;
        assert_eq!(code, 0, "{err}");
        lines(&out).into_iter().map(|line| line["state"]["after"]["n"].clone()).collect()
    };
    let first = states(&[]).await;
    assert_eq!(first.len(), 4, "the bot, then three ticks");
    assert_eq!(states(&[]).await, first);
    assert_ne!(states(&["--seed", "x"]).await, first);
    assert_ne!(states(&["--index", "2"]).await, first);
}

#[tokio::test]
async fn a_tick_that_raises_is_shown_where_its_file_lies() {
    let dir = place(FAN);
    std::fs::create_dir(dir.path().join("drafts")).expect("a folder");
    let draft = FAN.replace(
        "for _, post in floimg.feed() or {} do",
        "local x = bot.state.nothing.at_all\n\t\tfor _, post in {} do",
    );
    std::fs::write(dir.path().join("drafts/poet.luau"), draft).expect("written");
    let (code, out, _) = alone(&dir, &["drafts/poet.luau", "--dry-run"]).await;
    assert_eq!(code, 4, "{out}");
    assert!(out.contains("raised      attempt to index nil with 'at_all'"), "{out}");
    assert!(out.contains("--> drafts/poet.luau:8") && out.contains("8 | local x = bot.state.nothing.at_all"), "{out}");
    assert!(out.contains("its state stays as it was before this tick") && !out.contains("state       +"), "{out}");

    std::fs::write(dir.path().join("drafts/poet.luau"), "return {").expect("written");
    let (code, out, _) = alone(&dir, &["drafts/poet.luau", "--dry-run"]).await;
    assert!(code == 4 && out.contains("--> drafts/poet.luau:1"), "{code} {out}");
}

#[tokio::test]
async fn what_cannot_be_tried_is_told_with_a_cure() {
    let dir = place(FAN);
    for (args, part) in [
        (&["fam", "--dry-run"][..], "error: there is no persona `fam`\nhint: did you mean `fan`?"),
        (&["drafts/none.luau", "--dry-run"], "error: could not read `drafts/none.luau`"),
        (
            &["scripts/personas/fan.test.luau", "--dry-run"],
            "is not the file of a persona\nhint: `fleet test` runs tests",
        ),
        (&["fan", "--ticks", "0"], "0 is not in 1..=1000"),
    ] {
        let (code, out, err) = alone(&dir, args).await;
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.contains(part), "{err}");
    }
}

#[tokio::test]
async fn without_a_studio_nothing_is_written_even_when_it_would_act() {
    let dir = place(FAN);
    let before = files(dir.path());
    for args in [&["fan", "--dry-run"][..], &["fan"]] {
        let (code, out, err) = alone(&dir, args).await;
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("It lives in the trial gallery, in memory (the embedded studio is not running"), "{out}");
        assert_eq!(files(dir.path()), before);
    }
}

#[tokio::test]
async fn a_dry_run_lives_in_a_copy_and_changes_neither_studio_nor_disk() {
    let (home, running) = studio().await;
    let audit = running.gallery.audit().await.0;
    let data = |home: &Home| {
        let mut data = files(&home.path().join("data"));
        // The fleet that runs writes its own clock there.
        data.retain(|path, _| !path.contains("fleet.db"));
        data
    };
    let before = data(&home);
    let (code, out, err) = beside(&home, &running, &["--dry-run", "--ticks", "2"]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("It lives in a copy of 1 post from http://127.0.0.1:"), "{out}");
    assert!(out.contains("did         upvote \"Neon dream\" by mira"), "{out}");
    assert!(out.contains("refused     upvote \"Neon dream\" by mira: this bot has upvoted the post before"), "{out}");
    assert_eq!(running.gallery.audit().await.0, audit);
    assert_eq!(data(&home), before);
    running.stop().await;
}

#[tokio::test]
async fn for_real_it_acts_once_as_an_agent_that_no_roster_has() {
    let (home, running) = studio().await;
    let (code, out, err) = beside(&home, &running, &["--ticks", "2", "--json"]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let told = lines(&out);
    assert_eq!(told[0]["place"], "studio");
    let bot = told[0]["bot"].as_str().expect("a bot").to_owned();
    let index: u32 = bot.rsplit('-').next().expect("an index").parse().expect("a number");
    assert!(index > 1_000_000, "no roster reaches {bot}");
    let username = told[0]["username"].as_str().expect("a name").to_owned();
    let audit = running.gallery.audit().await;
    assert_eq!(audit.liked_by(&username).len(), 1);
    assert_eq!(audit.comments().len(), 1, "{:?}", audit.comments());
    let accounts = audit.0["accounts"].as_array().expect("accounts");
    assert!(accounts.iter().any(|one| one["agentId"] == bot.as_str() && one["isAgent"] == true), "{accounts:?}");

    // Another try is the same bot, which has done it all before, whatever its state has forgotten.
    let (code, out, _) = beside(&home, &running, &["--ticks", "1"]).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.contains(&bot) && out.contains("(already_done)") && !out.contains("did         upvote"), "{out}");
    let audit = running.gallery.audit().await;
    assert_eq!((audit.liked_by(&username).len(), audit.comments().len()), (1, 1));
    audit.holds_nothing_twice();

    // Those who count people can leave it out.
    let data = home.path().join("data").display().to_string();
    let (_, agents, _) = fleet(home.path(), &["agents", "--data", &data]).await;
    assert!(agents.contains(&bot), "{agents}");
    running.stop().await;
}

#[tokio::test]
async fn for_real_it_never_acts_as_a_bot_of_the_fleet() {
    let (home, running) = studio().await;
    let (code, out, err) = beside(&home, &running, &["--index", "3", "--set", "bots=[{ size = 5 }]"]).await;
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("fan-3 is a bot of the fleet, and a try never acts as one"), "{err}");
    let (code, _, err) = beside(&home, &running, &["--at", "2026-03-04T10:00:00Z"]).await;
    assert!(code == 2 && err.contains("a studio has its own time"), "{err}");
    running.stop().await;
}

/// A guard that has something against everything, each in its way, and a neighbour that is broken.
fn guarded(dir: &Path) {
    let plugin = |name: &str, text: &str| {
        let folder = dir.join("plugins").join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("init.luau"), text).expect("written");
    };
    plugin(
        "guard",
        r#"return {
            options = { word = { type = "string", default = "Truly." } },
            before_action = function(action)
                if action.kind == "upvote" then return { deny = "not today" } end
                if action.text then return { change = { text = action.text .. " " .. plugin.options.word }, reason = "it was dry" } end
            end,
            exports = { mood = function() return "calm" end },
        }"#,
    );
    plugin(
        "shaky",
        r#"return { before_action = function(action) if string.find(action.text or "", "Really") then error("lost it") end end }"#,
    );
    plugin("broken", "return {");
    std::fs::write(dir.join("config.toml"), "[plugins.guard]\nword = \"Really.\"\n").expect("written");
}

/// A fan that asks a plugin how it is.
fn asking_fan() -> String {
    format!(
        "local guard = require(\"@plugins/guard\")\n{}",
        FAN.replace("bot.state.last =", "bot.state.mood = guard.mood()\n\t\t\t\tbot.state.last =")
    )
}

#[tokio::test]
async fn plugins_are_asked_in_a_try_and_what_they_say_is_told() {
    let dir = place(&asking_fan());
    guarded(dir.path());
    let before = files(dir.path());
    let (code, out, err) = alone(&dir, &["fan", "--dry-run", "--ticks", "1"]).await;
    assert_eq!(code, 0, "{out}{err}");
    for words in [
        "these plugins are asked: guard, shaky",
        "error: plugins/broken/init.luau:",
        "guard changed the comment (it was dry): ",
        "Really.",
        "shaky went wrong and its on_error (\"allow\") decided on the comment: plugins/shaky/init.luau:1: lost it",
        "the plugin `guard` denied it: not today",
        "calm",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let (_, out, _) = alone(&dir, &["fan", "--dry-run", "--ticks", "1", "--json"]).await;
    let told = lines(&out);
    assert_eq!(told[0]["plugins"], json!(["guard", "shaky"]));
    assert_eq!(told[0]["plugin_problems"][0]["file"], "plugins/broken/init.luau");
    let remarks = told[1]["plugins"].as_array().expect("remarks");
    let said: Vec<(&str, &str)> = remarks
        .iter()
        .map(|remark| (remark["plugin"].as_str().expect("a name"), remark["said"].as_str().expect("a word")))
        .collect();
    assert!(said.contains(&("guard", "denied")) && said.contains(&("guard", "changed")), "{said:?}");
    assert!(said.contains(&("shaky", "failed")), "{said:?}");
    let comment = told[1]["calls"].as_array().expect("calls").iter().find(|call| call["name"] == "floimg.comment");
    let text = comment.expect("a comment")["answer"]["text"].as_str().map(str::to_owned);
    assert!(text.is_some_and(|text| text.ends_with(" Really.")), "{comment:?}");
    assert_eq!(files(dir.path()), before, "a dry run writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_are_asked_in_a_try_for_real() {
    let (home, running) = studio().await;
    let plugin = home.path().join("plugins/guard");
    std::fs::create_dir_all(&plugin).expect("a folder");
    let text = "return { every = { { seconds = 1, run = function() plugin.state.ran = true end } }, before_action = function(action)\n\
                if action.text then return { change = { text = action.text .. ' Really.' } } end\n\
                if action.kind == 'upvote' then return { deny = 'not today' } end end }";
    std::fs::write(plugin.join("init.luau"), text).expect("written");
    let (code, out, err) = beside(&home, &running, &["--ticks", "1"]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("`guard` denied it: not today") && out.contains("guard changed the comment: "), "{out}");
    let audit = running.gallery.audit().await;
    let comments = audit.comments();
    assert!(!comments.is_empty() && comments.iter().all(|(.., text)| text.ends_with(" Really.")), "{comments:?}");
    assert!(
        audit.items().iter().all(|item| item["likes"].as_array().is_some_and(Vec::is_empty)),
        "{:?}",
        audit.items()
    );
    running.stop().await;
}
