//! The store from the outside: what its callers rely on, on a file in a folder of the test's own.

mod intents;
mod keeping;
mod texts;

use std::path::{Path, PathBuf};
use std::task::Poll;

use floimg_fleet::model::action::{ActionKind, Intent, IntentState, NewIntent};
use floimg_fleet::model::activity::{Ending, NewActivity};
use floimg_fleet::model::name::{BotId, PersonaName, VersionId};
use floimg_fleet::model::status::Rest;
use floimg_fleet::store::{
    ActivityQuery, Change, Error, Hold, HoldKind, NewBot, NewEvent, Opened, OwnPost, Scope, Store, TickRow,
};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

const DAY: i64 = 86_400;

/// A time, in seconds after an arbitrary noon.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_268_800 + seconds).expect("a valid time")
}

fn id(text: &str) -> BotId {
    text.parse().expect("a bot's id")
}

fn persona(name: &str) -> PersonaName {
    PersonaName::new(name).expect("a persona's name")
}

/// A store with a folder that goes when the test ends.
struct Home {
    dir: TempDir,
    store: Store,
}

impl std::ops::Deref for Home {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Home {
    async fn new() -> Self {
        let dir = TempDir::new().expect("a folder");
        let store = Store::open(&dir.path().join("fleet.db")).await.expect("opens");
        Self { dir, store }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("fleet.db")
    }

    /// The store as another process would find it after this one was killed: the files as they are now, nothing closed.
    async fn after_a_crash(&self) -> Self {
        let dir = TempDir::new().expect("a folder");
        for name in ["fleet.db", "fleet.db-wal"] {
            std::fs::copy(self.dir.path().join(name), dir.path().join(name)).expect("a copy");
        }
        let store = Store::open(&dir.path().join("fleet.db")).await.expect("opens after a crash");
        Self { dir, store }
    }
}

/// Runs SQL behind the store's back, for what only another version or a fault would write.
async fn behind_its_back(path: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("connects");
    sqlx::query(sql).execute(&mut connection).await.expect("valid SQL");
    connection.close().await.expect("closes");
}

/// An error with its causes, as it is told.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn new_bot(bot: &str, username: &str) -> NewBot {
    NewBot {
        id: id(bot),
        username: username.to_owned(),
        name: format!("The {username}"),
        born_at: at(0),
        wake_at: at(60),
    }
}

fn activity(kind: &str, bot: Option<&str>) -> NewActivity {
    let bot = bot.map(id);
    NewActivity {
        at: at(0),
        persona: bot.as_ref().map(|bot| bot.persona.clone()),
        bot,
        kind: kind.to_owned(),
        ending: Ending::Done,
        target: "p1".to_owned(),
        text: format!("did {kind}"),
        detail: json!({ "why": "it's \"so\"" }),
    }
}

fn tick(bot: &str, number: u64) -> TickRow {
    TickRow {
        id: id(bot),
        state: Some(format!("{{\"tick\":{number}}}")),
        tick: number,
        version: Some(VersionId::new("abc")),
        wake_at: at(600),
        wake_why: Rest::Pause,
        visit: 2,
        visit_tick: 3,
        visit_left: 4,
        failures: 0,
        error: String::new(),
        hold: None,
        delivered: Vec::new(),
        at: at(100),
        activities: Vec::new(),
    }
}

fn intent(tick: u64, ordinal: u32, kind: ActionKind, target: &str) -> NewIntent {
    NewIntent {
        bot: id("mia-1"),
        tick,
        ordinal,
        kind,
        target: target.to_owned(),
        payload: json!({ "n": ordinal }),
        at: at(0),
    }
}

/// Opens an intent that must be new.
async fn begin(store: &Store, intent: NewIntent) -> i64 {
    match store.open_intent(intent, true).await.expect("written") {
        Opened::New(row) => row,
        other => panic!("not new: {other:?}"),
    }
}

async fn settle(store: &Store, row: i64, state: IntentState) {
    let activity = activity("upvote", Some("mia-1"));
    store.settle_intent(row, state, json!({ "likes": 3 }), None, activity).await.expect("written");
}

fn ids(activities: &[floimg_fleet::model::activity::Activity]) -> Vec<i64> {
    activities.iter().map(|activity| activity.id).collect()
}

fn event(bot: &str, source: &str) -> NewEvent {
    NewEvent {
        bot: id(bot),
        source: source.to_owned(),
        kind: source.split(':').next().expect("a word").to_owned(),
        post: "p1".to_owned(),
        post_title: "Paper fleet".to_owned(),
        comment: Some("c1".to_owned()),
        text: Some("Lovely \u{1f98a}".to_owned()),
        from: None,
        is_fleet: true,
        at: at(5),
    }
}

mod writing {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn every_one_of_many_writers_is_answered() {
        let home = Home::new().await;
        let bots = (1..=200).map(|n| home.add_bots(vec![new_bot(&format!("mia-{n}"), &format!("mia{n}"))]));
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..200 {
            let store = home.store.clone();
            tasks.spawn(async move { store.record(activity(&format!("k{n}"), None)).await.expect("written").id });
        }
        assert!(join_all(bots).await.iter().all(Result::is_ok));
        let mut rows = tasks.join_all().await;
        rows.sort_unstable();
        rows.dedup();
        assert_eq!((rows.len(), home.bots().await.expect("read").len()), (200, 200), "each got its own row");
    }

    #[tokio::test]
    async fn a_job_that_fails_fails_alone_and_leaves_nothing() {
        let home = Home::new().await;
        // One thread: all of these are in the queue before the writer takes the first.
        let answers = join_all([
            home.add_bots(vec![new_bot("mia-1", "mia")]),
            home.add_bots(vec![new_bot("mia-2", "two"), new_bot("mia-3", "three"), new_bot("mia-4", "mia")]),
            home.add_bots(vec![new_bot("mia-5", "five")]),
        ])
        .await;
        assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
        let error = answers[1].as_ref().expect_err("the username is taken");
        assert!(matches!(error, Error::Write(_)) && told(error).contains("bots.username"), "{}", told(error));
        let kept: Vec<String> = home.bots().await.expect("read").iter().map(|bot| bot.id.to_string()).collect();
        assert_eq!(kept, ["mia-1", "mia-5"]);
        home.add_bots(vec![new_bot("mia-2", "two")]).await.expect("what was rolled back can be written again");
    }

    #[tokio::test]
    async fn what_was_answered_outlives_a_crash() {
        let home = Home::new().await;
        home.add_bots((1..=30).map(|n| new_bot(&format!("mia-{n}"), &format!("mia{n}"))).collect())
            .await
            .expect("written");
        let ticks = join_all((1..=30).map(|n| home.commit_tick(tick(&format!("mia-{n}"), n)))).await;
        assert!(ticks.iter().all(Result::is_ok));
        let after = home.after_a_crash().await;
        for n in 1..=30 {
            let state = after.state(&id(&format!("mia-{n}"))).await.expect("read");
            assert_eq!(state, Some(format!("{{\"tick\":{n}}}")));
        }
    }

    #[tokio::test]
    async fn a_write_stands_when_its_caller_went_away() {
        let home = Home::new().await;
        let mut write = Box::pin(home.set_setting("mood", "calm"));
        let first = std::future::poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_pending())).await;
        assert!(first, "it waits for the disk");
        drop(write);
        home.set_setting("other", "x").await.expect("written after it");
        assert_eq!(home.setting("mood").await.expect("read").as_deref(), Some("calm"));
    }

    #[tokio::test]
    async fn closing_finishes_what_was_asked_and_refuses_more() {
        let home = Home::new().await;
        let mut write = Box::pin(home.set_setting("mood", "calm"));
        assert!(std::future::poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_pending())).await);
        home.close().await;
        write.await.expect("it was asked before the end");
        assert!(matches!(home.set_setting("late", "x").await, Err(Error::Closed)));
        home.close().await;
        let again = Store::open(&home.path()).await.expect("opens again");
        assert_eq!(again.setting("mood").await.expect("read").as_deref(), Some("calm"));
    }

    #[tokio::test]
    async fn all_jobs_of_a_group_that_cannot_be_written_are_told_why() {
        let home = Home::new().await;
        // A trigger that ends the whole transaction, as a full disk does.
        behind_its_back(
            &home.path(),
            "CREATE TRIGGER full BEFORE INSERT ON settings WHEN NEW.name = 'b' BEGIN SELECT RAISE(ROLLBACK, 'full'); END",
        )
        .await;
        let answers =
            join_all([home.set_setting("a", "1"), home.set_setting("b", "1"), home.set_setting("c", "1")]).await;
        for answer in &answers {
            assert!(matches!(answer, Err(Error::Write(_))), "not `closed`, which would mean stop: {answer:?}");
        }
        assert_eq!(
            home.setting("a").await.expect("read"),
            None,
            "it was not answered with success, so it is not there"
        );
        home.set_setting("a", "2").await.expect("the next group is written");
    }
}

mod opening {
    use super::*;

    async fn refusal(path: &Path) -> (Error, String) {
        let error = Store::open(path).await.expect_err("it must not open");
        let text = told(&error);
        assert!(text.contains(&path.display().to_string()), "the path is named: {text}");
        (error, text)
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_named_and_left_alone() {
        let dir = TempDir::new().expect("a folder");
        let path = dir.path().join("fleet.db");
        let text = "My shopping list: apples, pears, and a very long explanation of why.\n".repeat(20);
        std::fs::write(&path, &text).expect("a file");
        let (error, told) = refusal(&path).await;
        assert!(matches!(error, Error::Open { .. }) && told.contains("not a database"), "{told}");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
    }

    #[tokio::test]
    async fn a_database_of_a_newer_program_is_refused() {
        let home = Home::new().await;
        home.close().await;
        behind_its_back(
            &home.path(),
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'later', TRUE, x'00', 0)",
        )
        .await;
        let (error, told) = refusal(&home.path()).await;
        assert!(matches!(error, Error::Newer { .. }) && told.contains("newer version"), "{told}");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_named() {
        let dir = TempDir::new().expect("a folder");
        refusal(&dir.path().join("missing").join("fleet.db")).await;
        refusal(dir.path()).await;
        let shut = dir.path().join("shut");
        std::fs::create_dir(&shut).expect("a folder");
        let mut mode = std::fs::metadata(&shut).expect("there").permissions();
        mode.set_readonly(true);
        std::fs::set_permissions(&shut, mode).expect("set");
        // The superuser may write there all the same, but nobody makes files in /proc.
        let shut = if std::fs::write(shut.join("probe"), "").is_ok() { PathBuf::from("/proc") } else { shut };
        let (error, told) = refusal(&shut.join("fleet.db")).await;
        assert!(matches!(error, Error::Open { .. }), "{told}");
    }

    #[tokio::test]
    async fn a_row_that_is_not_understood_is_named() {
        let home = Home::new().await;
        home.add_bots(vec![new_bot("mia-1", "mia")]).await.expect("written");
        behind_its_back(&home.path(), "UPDATE bots SET held = 'stuck'").await;
        let error = home.bots().await.expect_err("no such hold");
        assert_eq!(told(&error), "the database row bots/mia-1 is not understood: held is `stuck`");
    }
}

mod bots {
    use super::*;

    #[tokio::test]
    async fn a_tick_is_kept_as_it_was() {
        let home = Home::new().await;
        home.add_bots(vec![new_bot("mia-1", "mia"), new_bot("mia-10", "ten"), new_bot("mia-2", "two")])
            .await
            .expect("written");
        let order: Vec<u32> = home.bots().await.expect("read").iter().map(|bot| bot.id.index).collect();
        assert_eq!(order, [1, 2, 10], "by place, not by text");
        assert_eq!(home.state(&id("mia-1")).await.expect("read"), None);
        assert_eq!(home.state(&id("zoe-1")).await.expect("read"), None);

        let mut row = tick("mia-1", 7);
        row.wake_why = Rest::Told { by: "budget".to_owned() };
        (row.failures, row.error) = (2, "line 3".to_owned());
        row.activities = vec![activity("born", Some("mia-1")), activity("visit", Some("mia-1"))];
        let told = home.commit_tick(row).await.expect("written");
        assert_eq!(
            told,
            home.activities(&ActivityQuery { after: Some(0), limit: 9, ..Default::default() }).await.expect("read")
        );
        let bot = home.bots().await.expect("read").remove(0);
        assert_eq!((bot.tick, bot.visit, bot.visit_tick, bot.visit_left), (7, 2, 3, 4));
        assert_eq!((bot.failures, bot.error.as_str(), bot.version), (2, "line 3", Some(VersionId::new("abc"))));
        assert_eq!((bot.wake_at, bot.wake_why), (at(600), Rest::Told { by: "budget".to_owned() }));

        // A tick that raised leaves the state and the version as they were.
        home.commit_tick(TickRow { state: None, version: None, ..tick("mia-1", 8) }).await.expect("written");
        let bot = home.bots().await.expect("read").remove(0);
        assert_eq!((bot.tick, bot.version, bot.wake_why), (8, Some(VersionId::new("abc")), Rest::Pause));
        assert_eq!(home.state(&id("mia-1")).await.expect("read").as_deref(), Some("{\"tick\":7}"));
    }

    #[tokio::test]
    async fn a_tick_is_kept_whole_or_not_at_all() {
        let home = Home::new().await;
        home.add_bots(vec![new_bot("mia-1", "mia")]).await.expect("written");
        home.commit_tick(tick("mia-1", 1)).await.expect("written");
        home.add_events(vec![event("mia-1", "comment:c1")]).await.expect("written");
        let waiting = home.waiting_events(&id("mia-1"), 9).await.expect("read");
        behind_its_back(
            &home.path(),
            "CREATE TRIGGER refuse BEFORE INSERT ON activities WHEN NEW.kind = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .await;
        let mut row = tick("mia-1", 2);
        row.delivered = vec![waiting[0].id];
        row.hold = Some(hold(HoldKind::Quarantined, None));
        row.activities = vec![activity("good", Some("mia-1")), activity("bad", Some("mia-1"))];
        let before = home.bots().await.expect("read");
        assert!(matches!(home.commit_tick(row).await, Err(Error::Write(_))));
        assert_eq!(home.bots().await.expect("read"), before);
        assert_eq!(home.state(&id("mia-1")).await.expect("read").as_deref(), Some("{\"tick\":1}"));
        assert_eq!(home.waiting_events(&id("mia-1"), 9).await.expect("read"), waiting, "the event is told again");
        assert_eq!(home.newest_activity().await.expect("read"), 0);
    }

    fn hold(kind: HoldKind, until: Option<Timestamp>) -> Hold {
        Hold { kind, reason: "too loud".to_owned(), until }
    }

    #[tokio::test]
    async fn holds_come_and_go_and_a_release_forgets_failures() {
        let home = Home::new().await;
        home.add_bots(vec![new_bot("mia-1", "mia"), new_bot("mia-2", "two")]).await.expect("written");
        let quarantine = Some(hold(HoldKind::Quarantined, None));
        home.commit_tick(TickRow { failures: 5, hold: quarantine.clone(), ..tick("mia-1", 1) }).await.expect("written");
        assert_eq!(home.bots().await.expect("read")[0].hold, quarantine);
        home.commit_tick(TickRow { failures: 6, ..tick("mia-1", 2) }).await.expect("written");
        assert_eq!(home.bots().await.expect("read")[0].hold, quarantine, "a tick without a hold lets nobody go");

        let pause = Some(hold(HoldKind::Paused, Some(at(900))));
        home.hold_bots(vec![id("mia-1"), id("mia-2")], pause.clone()).await.expect("written");
        let bots = home.bots().await.expect("read");
        assert_eq!((&bots[0].hold, &bots[1].hold, bots[0].failures), (&pause, &pause, 6));
        home.hold_bots(vec![id("mia-1")], None).await.expect("written");
        let bots = home.bots().await.expect("read");
        assert_eq!((&bots[0].hold, &bots[1].hold, bots[0].failures), (&None, &pause, 0));
    }

    #[tokio::test]
    async fn wakes_move_and_keep_their_reason() {
        let home = Home::new().await;
        home.add_bots(vec![new_bot("mia-1", "mia"), new_bot("mia-2", "two")]).await.expect("written");
        let reasons = [Rest::Pause, Rest::NextVisit, Rest::Night, Rest::Asked, Rest::Told { by: "gallery".to_owned() }];
        for (n, why) in (1..).zip(reasons) {
            home.set_wakes(vec![(id("mia-2"), at(n), why.clone())]).await.expect("written");
            let bots = home.bots().await.expect("read");
            assert_eq!((bots[1].wake_at, &bots[1].wake_why), (at(n), &why));
            assert_eq!((bots[0].wake_at, &bots[0].wake_why), (at(60), &Rest::NextVisit));
        }
    }

    #[tokio::test]
    async fn a_bot_that_comes_back_has_all_it_had() {
        let home = Home::new().await;
        home.add_bots(vec![new_bot("mia-1", "mia")]).await.expect("written");
        home.set_account(&id("mia-1"), Some("acc1".to_owned())).await.expect("written");
        home.commit_tick(tick("mia-1", 5)).await.expect("written");
        home.retire_bots(vec![id("mia-1")], at(1000)).await.expect("written");
        home.retire_bots(vec![id("mia-1")], at(2000)).await.expect("written");
        assert_eq!(home.bots().await.expect("read")[0].retired_at, Some(at(1000)), "it left once");
        home.add_bots(vec![NewBot { wake_at: at(5000), ..new_bot("mia-1", "mia") }]).await.expect("written");
        let bot = home.bots().await.expect("read").remove(0);
        assert_eq!((bot.retired_at, bot.wake_at, bot.born_at, bot.tick), (None, at(5000), at(0), 5));
        assert_eq!((bot.account.as_deref(), bot.wake_why), (Some("acc1"), Rest::NextVisit));
        assert_eq!(home.state(&id("mia-1")).await.expect("read").as_deref(), Some("{\"tick\":5}"));
        home.set_account(&id("mia-1"), None).await.expect("written");
        assert_eq!(home.bots().await.expect("read")[0].account, None);
    }
}

mod inbox {
    use super::*;

    #[tokio::test]
    async fn an_event_is_told_once_and_only_to_its_bot() {
        let home = Home::new().await;
        home.add_bots(vec![new_bot("mia-1", "mia"), new_bot("mia-2", "two")]).await.expect("written");
        let batch = vec![
            event("mia-1", "comment:c1"),
            event("mia-1", "comment:c1"),
            event("mia-1", "mention:c2"),
            event("mia-2", "comment:c1"),
        ];
        assert_eq!(home.add_events(batch.clone()).await.expect("written"), [id("mia-1"), id("mia-2")]);
        assert_eq!(home.add_events(batch.clone()).await.expect("written"), []);
        let waiting = home.waiting_events(&id("mia-1"), 9).await.expect("read");
        let what: Vec<NewEvent> = waiting.iter().map(|event| event.what.clone()).collect();
        assert_eq!(what, [event("mia-1", "comment:c1"), event("mia-1", "mention:c2")]);
        assert_eq!(home.waiting_events(&id("mia-1"), 1).await.expect("read"), waiting[..1]);
        assert_eq!(home.recent_events(&id("mia-1"), None, 9).await.expect("read"), []);

        let delivered = waiting.iter().map(|event| event.id).collect();
        home.commit_tick(TickRow { delivered, ..tick("mia-1", 1) }).await.expect("written");
        assert_eq!(home.waiting_events(&id("mia-1"), 9).await.expect("read"), []);
        assert_eq!(home.add_events(batch).await.expect("written"), [], "also after it was told");
        let recent = home.recent_events(&id("mia-1"), None, 9).await.expect("read");
        assert_eq!(recent, [waiting[1].clone(), waiting[0].clone()], "newest first");
        assert_eq!(home.recent_events(&id("mia-1"), Some("comment"), 9).await.expect("read"), waiting[..1]);
        assert_eq!(home.waiting_events(&id("mia-2"), 9).await.expect("read").len(), 1, "the neighbour still waits");
    }

    #[tokio::test]
    async fn own_posts_are_found_by_id_and_by_workflow() {
        let home = Home::new().await;
        let post = |id: &str, bot: &str, seconds| OwnPost {
            id: id.to_owned(),
            bot: super::id(bot),
            title: "Paper fleet".to_owned(),
            workflow: Some("w1".to_owned()),
            at: at(seconds),
            comments_seen: 0,
        };
        home.add_post(post("p2", "mia-2", 20)).await.expect("written");
        home.add_post(post("p1", "mia-1", 10)).await.expect("written");
        home.add_post(post("p1", "mia-9", 30)).await.expect("the first stays");
        home.saw_comments("p1", 4).await.expect("written");
        let first = OwnPost { comments_seen: 4, ..post("p1", "mia-1", 10) };
        assert_eq!(home.own_post("p1").await.expect("read"), Some(first.clone()));
        assert_eq!(home.post_of_workflow("w1").await.expect("read"), Some(first));
        assert_eq!(home.own_post("p3").await.expect("read"), None);
        assert_eq!(home.post_of_workflow("w2").await.expect("read"), None);
    }
}
