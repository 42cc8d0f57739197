//! What authors rely on: state, life's functions, events, permissions, failures, stores, memory, chance and time.

use std::sync::Arc;

use floimg_fleet::host::trial::Trial;
use floimg_fleet::lua::rehearse;
use floimg_fleet::model::name::VersionId;
use floimg_fleet::model::permission::Permissions;
use floimg_fleet::store::{NewEvent, StoredEvent};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::workbench::{HEAD, LIMITS, Life, PATIENT, build, live, ticking, version};

fn state(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// What one tick with this body leaves in `bot.state`.
async fn left_by(body: &str) -> Value {
    match live(body).await {
        Ok(lived) => state(&lived.state),
        Err(problem) => panic!("{problem}\n{body}"),
    }
}

/// What is wrong with a tick that has this body, as its author reads it.
async fn wrong_with(body: &str) -> String {
    live(body).await.expect_err("wrong").to_string()
}

#[tokio::test]
async fn state_comes_back_as_it_was_written() {
    let body = "
        local s = bot.state
        if s.kept then
            assert(s.kept.text == 'né\\n\"👍\"' and s.kept.number == 0.1 and s.kept.whole == 2^53 and s.kept.flag == false)
            assert(#s.kept.list == 3 and s.kept.list[3] == 'c' and s.kept.deep.er.est == 1 and s.kept['a key'] == -0.5)
            assert(next(s.kept.empty) == nil and s.kept.gone == nil)
            s.seen = true
        else
            s.kept = { text = 'né\\n\"👍\"', number = 0.1, whole = 2^53, flag = false, list = { 'a', 'b', 'c' },
                deep = { er = { est = 1 } }, ['a key'] = -0.5, empty = {}, gone = nil }
        end";
    let mut life = Life::new(version(body), LIMITS, None).expect("a VM");
    let first = life.live().await.expect("lived");
    life.rebuild(&first);
    let second = life.live().await.expect("lived");
    let (first, second) = (state(&first.state), state(&second.state));
    assert_eq!(first["kept"], second["kept"]);
    assert_eq!(second["seen"], true);
}

#[tokio::test]
async fn state_can_be_replaced_and_the_rest_of_a_bot_cannot() {
    assert_eq!(left_by("bot.state = { a = 1 }").await, json!({ "a": 1 }));
    assert_eq!(left_by("bot.state = nil").await, json!({}));
    assert!(wrong_with("bot.mood = 'calm'").await.contains("test.luau:3: bot.mood is read-only"));
    assert!(wrong_with("table.freeze(bot)").await.contains("test.luau:3: invalid argument #1 to 'freeze'"));
    assert_eq!(left_by("bot.state.a = table.freeze { 1 } table.freeze(bot.state)").await, json!({ "a": [1] }));
}

const LIFE: &str = "
P.on_start = function(bot) bot.state.log = { 'start' } end
P.on_reload = function(bot, old) table.insert(bot.state.log, 'reload ' .. old) end
P.on_event = function(bot, event) table.insert(bot.state.log, event.kind .. ' ' .. event.id .. ' ' .. tostring(event.from)) end
P.on_tick = function(bot) table.insert(bot.state.log, 'tick') return 45 end
return P";

fn event(id: i64, kind: &str, life: &Life) -> StoredEvent {
    let persona = life.version.persona.name.clone();
    StoredEvent {
        id,
        what: NewEvent {
            bot: floimg_fleet::model::name::BotId { persona, index: 1 },
            source: format!("test:{id}"),
            kind: kind.to_owned(),
            post: "p1".to_owned(),
            post_title: "Paper boats".to_owned(),
            comment: None,
            text: None,
            from: Some("mira".to_owned()),
            is_fleet: false,
            at: Timestamp::UNIX_EPOCH,
        },
    }
}

#[tokio::test]
async fn a_life_runs_in_this_order() {
    let version = build(&[("personas/test.luau", &format!("{HEAD}{LIFE}"))], &LIMITS).expect("a version");
    let mut life = Life::new(version, LIMITS, None).expect("a VM");
    let first = life.live().await.expect("lived");
    assert_eq!(first.asked.map(|seconds| seconds.get()), Some(45.0));
    life.rebuild(&first);
    let events = vec![event(1, "comment", &life), event(2, "remix", &life)];
    let second = life.live_with(Some(VersionId::new(&"ab".repeat(32))), events).await.expect("lived");
    assert_eq!(
        state(&second.state)["log"],
        json!(["start", "tick", "reload abababab", "comment 1 mira", "remix 2 mira", "tick"])
    );
}

#[tokio::test]
async fn a_tick_that_raises_leaves_nothing() {
    let body = "bot.state.n = (bot.state.n or 0) + 1 if bot.state.n == 2 then error('twice') end";
    let mut life = Life::new(version(body), LIMITS, None).expect("a VM");
    let first = life.live().await.expect("lived");
    life.live().await.expect_err("twice");
    life.rebuild(&first);
    life.live().await.expect_err("twice again: the first left nothing");
}

#[tokio::test]
async fn a_permission_that_is_not_declared_is_named() {
    let with = |needs: &str, body: &str| {
        format!("{HEAD}\nP.needs = {needs}\nP.on_tick = function(bot)\n{body}\nend\nreturn P")
    };
    let run = async |needs: &str, body: &str| {
        let version = build(&[("personas/test.luau", &with(needs, body))], &LIMITS).expect("a version");
        Life::new(version, LIMITS, None).expect("a VM").live().await.map(|_| ()).map_err(|problem| problem.to_string())
    };
    assert_eq!(run("{ 'floimg' }", "floimg.feed()").await, Ok(()));
    assert_eq!(run("{}", "floimg.feed() store.get('x')").await, Ok(()));
    assert_eq!(run("{ 'llm' }", "rand.number() time.now() log.info('free')").await, Ok(()));
    let refused = run("{ 'llm' }", "floimg.feed()").await.expect_err("not declared");
    assert!(
        refused
            .contains("test.luau:4: floimg.feed needs the permission `floimg`: add \"floimg\" to the persona's needs"),
        "{refused}"
    );
}

#[tokio::test]
async fn failures_are_values_that_can_be_read_and_not_written() {
    let body = "
        local post, failure = floimg.get('nobody')
        assert(post == nil and failure.kind == 'not_found' and #failure.message > 5 and failure.retry_after == nil)
        assert(not pcall(function() failure.kind = 'x' end))
        local value, wrong = json.decode('{')
        assert(value == nil and wrong.kind == 'rejected', wrong.message)
        local _, own = floimg.comment { post = floimg.share { picture = floimg.generate { prompt = 'x' }, title = 'T' }.id, text = 'me' }
        bot.state.kind = own.kind";
    assert_eq!(left_by(body).await, json!({ "kind": "own_post" }));
}

#[tokio::test]
async fn mistakes_name_the_cure() {
    for (body, says) in [
        (
            "floimg.feed { limt = 3 }",
            "floimg.feed: unknown option `limt`; did you mean `limit`? It takes: limit, offset",
        ),
        ("memory.recall { knd = 'x' }", "did you mean `kind`?"),
        ("floimg:feed()", "floimg.feed: call floimg.feed(…) with a dot, not a colon"),
        ("rand:int(1, 6)", "call rand.int(…) with a dot, not a colon"),
        ("text:clip('abc', 2)", "call text.clip(…) with a dot, not a colon"),
        ("store.set('k', nil)", "to remove a key, use store.delete"),
        ("time.sleep(31)", "return the seconds from on_tick instead"),
        ("events.emit('Not A Word')", "`name` must be a word"),
        ("llm.write { prompt = 'x' }", "`purpose` must be a text, got nothing"),
        ("floimg.feed { sort = 'best' }", "`sort` must be recent, popular or trending, got `best`"),
    ] {
        let told = wrong_with(body).await;
        assert!(told.starts_with("scripts/personas/test.luau:3: ") && told.contains(says), "{body}: {told}");
    }
}

#[tokio::test]
async fn the_store_keeps_compares_counts_and_lists() {
    let body = "
        assert(store.get('a') == nil and store.set('a', { 1, { b = 'c' } }) == true)
        assert(store.get('a')[2].b == 'c')
        assert(store.compare_and_set('lock', nil, 'me') == true)
        assert(store.compare_and_set('lock', nil, 'you') == false)
        assert(store.compare_and_set('lock', 'me', nil) == true and store.get('lock') == nil)
        assert(store.increment('n') == 1 and store.increment('n', 2.5) == 3.5)
        assert(store.shared.get('a') == nil and store.shared.set('a', 'ours') and store.get('a')[1] == 1)
        assert(table.concat(store.keys { prefix = 'a' }, ',') == 'a')
        assert(store.delete('a') == true and store.delete('a') == false)
        store.set('text', 'x')
        local is_fine, problem = pcall(store.increment, 'text', 1)
        assert(not is_fine and string.find(problem, 'does not hold a number', 1, true), problem)
        local fine, one = pcall(store.increment, 'other', 1)
        assert(fine and one == 1, one)";
    left_by(body).await;
}

#[tokio::test]
async fn chance_is_the_same_for_the_same_tick_and_different_for_the_next() {
    let body = "bot.state.drawn = { rand.number(), rand.int(1, 1000), rand.pick({ 1, 2, 3 }), rand.pause(40),
        rand.weighted({ a = 1, b = 2, c = 3 }), rand.shuffle({ 1, 2, 3, 4, 5 })[1], bot.rng('chatty') }";
    let version = version(body);
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let mut life = Life::new(version.clone(), LIMITS, None).expect("a VM");
        let first = state(&life.live().await.expect("lived").state);
        let second = state(&life.live().await.expect("lived").state);
        assert_ne!(first["drawn"], second["drawn"]);
        assert_eq!(first["drawn"][6], second["drawn"][6], "a trait stays");
        drawn.push((first, second));
    }
    assert_eq!(drawn[0], drawn[1]);
}

#[tokio::test]
async fn here_is_where_the_persona_lives() {
    // The trial begins at 2026-03-04T17:30:00Z, a Wednesday.
    let body = "
        local here = time.here()
        assert(here.zone == 'Europe/Berlin' and here.hour == 18 and here.minute == 30 and here.part == 'evening')
        assert(here.year == 2026 and here.month == 3 and here.day == 4 and here.weekday == 3)
        assert(time.here(0).hour == 1 and time.iso(0) == '1970-01-01T00:00:00Z')
        local before = time.now()
        time.sleep(12.5)
        assert(math.abs(time.now() - before - 12.5) < 0.001)";
    left_by(body).await;
}

#[tokio::test]
async fn memories_are_ranked_and_can_be_forgotten() {
    let body = "
        memory.remember { kind = 'saw', about = 'p1', text = 'a red fox in the snow', weight = 0.1 }
        memory.remember { kind = 'saw', about = 'p2', text = 'a red fox in the snow', weight = 0.9 }
        memory.remember { kind = 'saw', about = 'p3', text = 'a blue teapot' }
        local found = memory.recall { query = 'the red fox' }
        assert(#found == 2 and found[1].about == 'p2' and found[1].score > found[2].score and found[1].score <= 1)
        assert(memory.has('saw', 'p3') == true and memory.has('met', 'p3') == false)
        memory.remember { kind = 'saw', about = 'p3', text = 'a green teapot' }
        assert(#memory.recall { about = 'p3' } == 1 and memory.recall { about = 'p3' }[1].text == 'a green teapot')
        assert(memory.forget('p3') == 1 and memory.forget('p3') == 0)
        assert(#memory.recall() == 2 and #memory.recall { limit = 1 } == 1)";
    left_by(body).await;
}

#[tokio::test]
async fn words_and_json_do_what_they_say() {
    let body = "
        assert(text.clip('one two three', 8) == 'one two…' and text.length('né👍🏽') == 3)
        assert(text.similarity('a red fox', 'a red fox') == 1 and text.similarity('a red fox', 'teapot') < 0.2)
        assert(text.fill('{^thing} {at dusk|at dusk}', { thing = 'boats' }) == 'Boats at dusk')
        assert(text.fill('{thing}', {}) == nil and text.asks_if_bot('are you a bot?'))
        assert(table.concat(text.words('The Fox in the Snow'), ' ') == 'fox snow')
        assert(json.encode({ a = { 1, 2 } }) == '{\"a\":[1,2]}' and json.encode('x') == '\"x\"')
        local back = json.decode('{\"a\":[1,null,2.5],\"b\":null}')
        assert(back.a[3] == 2.5 and back.a[2] == nil and back.b == nil)
        print('one', { two = 2 })
        print(nil) print({}) print(print) log.warn('\\xff', { bad = '\\xff' })";
    left_by(body).await;
}

fn usual() -> Arc<Permissions> {
    Arc::new(Permissions::usual())
}

#[tokio::test]
async fn a_version_can_be_tried_as_often_as_one_likes() {
    let version = version("bot.state.n = (bot.state.n or 0) + 1 floimg.upvote('p1') return rand.pause(40)");
    for _ in 0..3 {
        assert_eq!(
            rehearse(&version, PATIENT, &usual(), Timestamp::UNIX_EPOCH).await.map_err(|problem| problem.to_string()),
            Ok(())
        );
    }
    assert!(Trial::new(Timestamp::UNIX_EPOCH, true).refuses());
    let broken =
        build(&[("personas/test.luau", &ticking("if bot.state.n then error('later') end bot.state.n = 1"))], &LIMITS);
    let problem = rehearse(&broken.expect("a version"), PATIENT, &usual(), Timestamp::UNIX_EPOCH)
        .await
        .expect_err("in a later tick");
    assert!(problem.message.contains("later"), "{problem}");
}

#[tokio::test]
async fn calls_that_wait_can_be_made_in_pcall() {
    let body = "
        local fine, post = pcall(floimg.get, 'p1')
        assert(fine and post.id == 'p1', post)
        local again, count = pcall(function() return pcall(function() time.sleep(1) return #floimg.feed() end) end)
        assert(again and count == true)
        local wrong, problem = pcall(function() store.set('k', 1) floimg.feed { limt = 1 } end)
        assert(not wrong and string.find(problem, 'test.luau:8: floimg.feed: unknown option', 1, true), problem)
        bot.state.kept = store.get('k')";
    assert_eq!(left_by(body).await, json!({ "kept": 1 }));
}

#[test]
fn a_tick_that_is_dropped_while_it_waits_in_pcall_takes_nobody_with_it() {
    // Only the end of the process does this, but the process must live to its end.
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for polls in 1..4 {
        let body = "pcall(function() pcall(function() for i = 1, 10 do floimg.feed() end end) end)";
        let mut life = Life::new(version(body), LIMITS, None).expect("a VM");
        let mut tick = Box::pin(life.live());
        for _ in 0..polls {
            assert!(tick.as_mut().poll(&mut context).is_pending());
        }
        drop(tick);
        drop(life);
    }
}
