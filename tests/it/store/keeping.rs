//! What bots keep and what operators read, from the outside: entries, memories, activities, versions, settings, audit.

use std::collections::BTreeMap;

use floimg_fleet::model::activity::NewActivity;
use floimg_fleet::model::name::VersionId;
use floimg_fleet::store::{ActivityQuery, AuditRow, Change, EntryLimit, Scope, Store, StoredMemory, StoredVersion};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{DAY, Home, activity, at, id, ids, persona};

mod entries {
    use super::*;

    fn set(value: Value, expires_at: Option<Timestamp>) -> Change {
        Change::Set { value, expires_at }
    }

    async fn put(store: &Store, scope: &Scope, name: &str, change: Change) -> Result<(), EntryLimit> {
        store.change_entry(scope, name, at(0), 3, move |_| (change, ())).await.expect("written")
    }

    #[tokio::test]
    async fn an_entry_is_its_scopes_own_and_expires() {
        let home = Home::new().await;
        let (mine, yours) = (Scope::Bot(id("mia-1")), Scope::Bot(id("mia-2")));
        let value = json!({ "list": [1, 2.5, "\u{e9}", null] });
        put(&home, &mine, "a", set(value.clone(), Some(at(10)))).await.expect("room");
        assert_eq!(home.entry(&mine, "a", at(9)).await.expect("read"), Some(value));
        for (scope, name, now) in [(&mine, "a", 10), (&mine, "b", 0), (&yours, "a", 0), (&Scope::Shared, "a", 0)] {
            assert_eq!(home.entry(scope, name, at(now)).await.expect("read"), None, "{scope:?} {name} {now}");
        }
        let seen = home.change_entry(&mine, "a", at(10), 3, |old| (Change::Keep, old)).await.expect("written");
        assert_eq!(seen, Ok(None), "a change does not see what expired either");
        put(&home, &mine, "a", set(json!(1), None)).await.expect("room");
        assert_eq!(home.entry(&mine, "a", at(DAY)).await.expect("read"), Some(json!(1)), "it has no end any more");
        put(&home, &mine, "a", Change::Remove).await.expect("room");
        assert_eq!(home.entry(&mine, "a", at(0)).await.expect("read"), None);
    }

    #[tokio::test]
    async fn names_are_sorted_and_a_prefix_is_no_pattern() {
        let home = Home::new().await;
        for name in ["b%", "bx", "b%z", "a", "\u{e9}1", "gone"] {
            let expires_at = (name == "gone").then(|| at(1));
            let change = set(json!(1), expires_at);
            let kept = home.change_entry(&Scope::Shared, name, at(0), 99, |_| (change, ())).await;
            assert_eq!(kept.expect("written"), Ok(()));
        }
        for (prefix, limit, expected) in [
            ("", 99, vec!["a", "b%", "b%z", "bx", "\u{e9}1"]),
            ("", 2, vec!["a", "b%"]),
            ("b%", 99, vec!["b%", "b%z"]),
            ("\u{e9}", 99, vec!["\u{e9}1"]),
            ("c", 99, vec![]),
        ] {
            let names = home.entry_names(&Scope::Shared, prefix, limit, at(1)).await.expect("read");
            assert_eq!(names, expected, "{prefix:?}");
        }
    }

    #[tokio::test]
    async fn one_key_too_many_is_refused_and_changes_nothing() {
        let home = Home::new().await;
        let mine = Scope::Bot(id("mia-1"));
        for name in ["a", "b", "c"] {
            put(&home, &mine, name, set(json!(1), (name == "c").then(|| at(50)))).await.expect("room");
        }
        assert_eq!(put(&home, &mine, "d", set(json!(1), None)).await, Err(EntryLimit));
        assert_eq!(home.entry(&mine, "d", at(0)).await.expect("read"), None);
        put(&home, &mine, "a", set(json!(2), None)).await.expect("a key that is there can change");
        put(&home, &Scope::Shared, "d", set(json!(1), None)).await.expect("another scope has room");
        let later = home.change_entry(&mine, "d", at(50), 3, |_| (set(json!(1), None), ())).await;
        assert_eq!(later.expect("written"), Ok(()), "what expired makes room");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn concurrent_changes_lose_nothing_and_one_claim_wins() {
        let home = Home::new().await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..50 {
            let store = home.store.clone();
            tasks.spawn(async move {
                let add = |old: Option<Value>| {
                    let sum = old.and_then(|old| old.as_i64()).unwrap_or(0) + 1;
                    (set(json!(sum), None), sum)
                };
                let sum =
                    store.change_entry(&Scope::Shared, "sum", at(0), 9, add).await.expect("written").expect("room");
                let claim = move |old: Option<Value>| {
                    if old.is_none() { (set(json!(n), None), true) } else { (Change::Keep, false) }
                };
                let won =
                    store.change_entry(&Scope::Shared, "host", at(0), 9, claim).await.expect("written").expect("room");
                (sum, won)
            });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_unstable();
        let sums: Vec<i64> = answers.iter().map(|(sum, _)| *sum).collect();
        assert_eq!(sums, (1..=50).collect::<Vec<_>>(), "each saw the one before it");
        assert_eq!(answers.iter().filter(|(_, won)| *won).count(), 1);
        assert_eq!(home.entry(&Scope::Shared, "sum", at(0)).await.expect("read"), Some(json!(50)));
    }
}

mod memories {
    use super::*;

    fn memory(kind: &str, about: &str, weight: f64, seconds: i64) -> StoredMemory {
        StoredMemory {
            kind: kind.to_owned(),
            about: about.to_owned(),
            text: format!("{kind} {about}"),
            weight,
            at: at(seconds),
        }
    }

    #[tokio::test]
    async fn the_same_kind_and_about_is_one_memory() {
        let home = Home::new().await;
        let mia = id("mia-1");
        for memory in [
            memory("met", "bo", 0.2, 1),
            memory("saw", "bo", 0.5, 2),
            memory("met", "bo", 0.9, 3),
            memory("met", "al", 0.1, 0),
        ] {
            home.remember(&mia, memory, 10).await.expect("written");
        }
        home.remember(&id("mia-2"), memory("met", "bo", 0.4, 9), 10).await.expect("written");
        let (met, saw, al) = (memory("met", "bo", 0.9, 3), memory("saw", "bo", 0.5, 2), memory("met", "al", 0.1, 0));
        for (kind, about, expected) in [
            (None, None, vec![&met, &saw, &al]),
            (Some("met"), None, vec![&met, &al]),
            (None, Some("bo"), vec![&met, &saw]),
            (Some("saw"), Some("bo"), vec![&saw]),
            (Some("liked"), None, vec![]),
        ] {
            let found = home.memories(&mia, kind, about).await.expect("read");
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{kind:?} {about:?}");
        }
        assert_eq!(home.forget(&mia, "bo", Some("saw")).await.expect("written"), 1);
        assert_eq!(home.forget(&mia, "bo", None).await.expect("written"), 1);
        assert_eq!(home.forget(&mia, "bo", None).await.expect("written"), 0);
        assert_eq!(home.memories(&mia, None, None).await.expect("read"), [al]);
        assert_eq!(home.memories(&id("mia-2"), None, None).await.expect("read").len(), 1);
    }

    #[tokio::test]
    async fn memories_stay_within_their_bound_and_the_heavy_stay_longest() {
        let home = Home::new().await;
        let mia = id("mia-1");
        home.remember(&mia, memory("met", "friend", 0.9, 0), 20).await.expect("written");
        for n in 0..100 {
            home.remember(&mia, memory("saw", &format!("p{n}"), 0.1, n), 20).await.expect("written");
            assert!(home.memories(&mia, None, None).await.expect("read").len() <= 20);
        }
        let kept = home.memories(&mia, None, None).await.expect("read");
        assert!(kept.len() >= 17, "no more than a tenth goes at a time: {}", kept.len());
        assert_eq!(kept.first().map(|memory| memory.about.as_str()), Some("p99"));
        assert_eq!(kept.last().map(|memory| memory.about.as_str()), Some("friend"));
        // A week outweighs what weight there is.
        for n in 0..25 {
            home.remember(&mia, memory("saw", &format!("q{n}"), 0.5, 14 * DAY + n), 20).await.expect("written");
        }
        assert_eq!(home.memories(&mia, Some("met"), None).await.expect("read"), []);
    }
}

mod journal {
    use super::*;

    #[tokio::test]
    async fn activities_are_read_in_pages_both_ways() {
        let home = Home::new().await;
        for n in 1..=10 {
            let bot = if n % 2 == 0 { "mia-1" } else { "zoe-1" };
            let kind = if n > 7 { "share" } else { "upvote" };
            home.record(activity(kind, Some(bot))).await.expect("written");
        }
        let fleet = NewActivity { persona: None, ..activity("paused", None) };
        let row = home.record(fleet.clone()).await.expect("written");
        assert_eq!((row.id, &row.what), (11, &fleet));
        let any = ActivityQuery { limit: 4, ..Default::default() };
        for (query, expected) in [
            (any.clone(), vec![11, 10, 9, 8]),
            (ActivityQuery { before: Some(8), ..any.clone() }, vec![7, 6, 5, 4]),
            (ActivityQuery { before: Some(1), ..any.clone() }, vec![]),
            (ActivityQuery { after: Some(0), ..any.clone() }, vec![1, 2, 3, 4]),
            (ActivityQuery { after: Some(9), ..any.clone() }, vec![10, 11]),
            (ActivityQuery { after: Some(2), before: Some(5), ..any.clone() }, vec![3, 4]),
            (ActivityQuery { bot: Some(id("mia-1")), ..any.clone() }, vec![10, 8, 6, 4]),
            (ActivityQuery { persona: Some(persona("zoe")), after: Some(4), ..any.clone() }, vec![5, 7, 9]),
            (ActivityQuery { kind: Some("share".to_owned()), ..any.clone() }, vec![10, 9, 8]),
            (ActivityQuery { kind: Some("x' OR 1=1 --".to_owned()), ..any.clone() }, vec![]),
            (ActivityQuery { limit: 0, ..any.clone() }, vec![]),
        ] {
            assert_eq!(ids(&home.activities(&query).await.expect("read")), expected, "{query:?}");
        }
        let newest = home.activities(&ActivityQuery { limit: 2, ..any }).await.expect("read");
        assert_eq!(newest[0].what, fleet);
        assert_eq!(newest[1].what, activity("share", Some("mia-1")));
        assert_eq!(home.newest_activity().await.expect("read"), 11);
    }

    #[tokio::test]
    async fn totals_are_by_kind_and_ending_since_a_time() {
        use floimg_fleet::model::activity::Ending;
        let home = Home::new().await;
        for (kind, ending, seconds) in [
            ("share", Ending::Done, 0),
            ("share", Ending::Done, 10),
            ("share", Ending::Done, 11),
            ("share", Ending::Refused, 12),
            ("upvote", Ending::Unknown, 13),
        ] {
            let row = NewActivity { ending, at: at(seconds), ..activity(kind, None) };
            home.record(row).await.expect("written");
        }
        let mut totals = home.activity_totals(at(5)).await.expect("read");
        totals.sort_by_key(|(kind, ending, _)| (kind.clone(), ending.as_str()));
        let share = |ending, count| ("share".to_owned(), ending, count);
        assert_eq!(
            totals,
            [share(Ending::Done, 2), share(Ending::Refused, 1), ("upvote".to_owned(), Ending::Unknown, 1)]
        );
    }

    #[tokio::test]
    async fn what_operators_did_is_read_newest_first() {
        let home = Home::new().await;
        let row = |what: &str| AuditRow {
            at: at(1),
            who: "api".to_owned(),
            what: what.to_owned(),
            target: "mia-1".to_owned(),
            detail: json!({ "for_secs": 5 }),
        };
        for what in ["pause", "wake", "resume"] {
            home.audit(row(what)).await.expect("written");
        }
        assert_eq!(home.audits(2).await.expect("read"), [row("resume"), row("wake")]);
    }
}

mod versions {
    use super::*;

    fn version(digest: &str, seconds: i64) -> StoredVersion {
        StoredVersion {
            id: VersionId::new(digest),
            persona: persona("mia"),
            files: BTreeMap::from([("personas/mia.luau".to_owned(), format!("return {{}} -- '{digest}'\r\n\u{e9}"))]),
            accepted_at: at(seconds),
        }
    }

    #[tokio::test]
    async fn the_version_that_was_accepted_last_comes_back_with_its_files() {
        let home = Home::new().await;
        assert_eq!(home.last_version(&persona("mia")).await.expect("read"), None);
        home.add_version(version("aa", 1)).await.expect("written");
        home.add_version(version("bb", 2)).await.expect("written");
        home.add_version(StoredVersion { persona: persona("zoe"), ..version("cc", 9) }).await.expect("written");
        assert_eq!(home.last_version(&persona("mia")).await.expect("read"), Some(version("bb", 2)));
        home.add_version(version("aa", 3)).await.expect("an old script saved again");
        assert_eq!(home.last_version(&persona("mia")).await.expect("read"), Some(version("aa", 3)));
    }

    #[tokio::test]
    async fn a_setting_holds_what_was_set_last() {
        let home = Home::new().await;
        assert_eq!(home.setting("clock").await.expect("read"), None);
        let sets = join_all([home.set_setting("clock", "1"), home.set_setting("other", "x")]).await;
        assert!(sets.iter().all(Result::is_ok));
        home.set_setting("clock", "").await.expect("written");
        assert_eq!(home.setting("clock").await.expect("read").as_deref(), Some(""));
    }
}
