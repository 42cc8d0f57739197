//! Intents from the outside: what keeps an action from happening twice.

use super::*;

#[tokio::test]
async fn a_tick_that_is_tried_again_finds_what_it_did() {
    let home = Home::new().await;
    let what = intent(1, 0, ActionKind::Upvote, "p1");
    let row = begin(&home, what.clone()).await;
    let open = Intent { id: row, what: what.clone(), state: IntentState::Open, outcome: Value::Null };
    assert_eq!(home.open_intents().await.expect("read"), std::slice::from_ref(&open));
    assert_eq!(home.open_intent(what.clone(), true).await.expect("written"), Opened::Before(open));

    settle(&home, row, IntentState::Done).await;
    assert_eq!(home.open_intents().await.expect("read"), []);
    let done = Intent { id: row, what: what.clone(), state: IntentState::Done, outcome: json!({ "likes": 3 }) };
    assert_eq!(home.open_intent(what.clone(), true).await.expect("written"), Opened::Before(done.clone()));
    assert_eq!(home.intent_of_tick(&what, true).await.expect("read"), Some(done.clone()));
    let elsewhere = intent(1, 0, ActionKind::Upvote, "p2");
    assert_eq!(home.intent_of_tick(&elsewhere, true).await.expect("read"), None);
    assert_eq!(home.intent_of_tick(&elsewhere, false).await.expect("read"), Some(done.clone()));
    assert_eq!(home.open_intent(elsewhere.clone(), false).await.expect("written"), Opened::Before(done));
    assert!(matches!(home.open_intent(elsewhere, true).await, Ok(Opened::New(_))), "another post is another action");
}

#[tokio::test]
async fn once_holds_across_ticks_and_for_what_nobody_can_tell() {
    for state in [IntentState::Open, IntentState::Done, IntentState::Unknown] {
        let home = Home::new().await;
        let row = begin(&home, intent(1, 0, ActionKind::Upvote, "p1")).await;
        settle(&home, row, state).await;
        let later = intent(2, 0, ActionKind::Upvote, "p1");
        let answer = home.open_intent(later.clone(), true).await.expect("written");
        assert!(matches!(&answer, Opened::Done(first) if first.id == row && first.state == state), "{answer:?}");
        let mut other_bot = later.clone();
        other_bot.bot = id("mia-2");
        for other in [other_bot, intent(2, 0, ActionKind::Comment, "p1"), intent(2, 0, ActionKind::Upvote, "p2")] {
            assert!(matches!(home.open_intent(other, true).await, Ok(Opened::New(_))));
        }
        assert!(
            matches!(home.open_intent(intent(3, 0, ActionKind::Upvote, "p1"), false).await, Ok(Opened::New(_))),
            "without `once` it may repeat"
        );
    }
}

#[tokio::test]
async fn of_many_at_once_one_may_act() {
    let home = Home::new().await;
    let tries = join_all((1..=40).map(|tick| home.open_intent(intent(tick, 0, ActionKind::Upvote, "p1"), true))).await;
    let new = tries.iter().filter(|answer| matches!(answer, Ok(Opened::New(_)))).count();
    let done = tries.iter().filter(|answer| matches!(answer, Ok(Opened::Done(_)))).count();
    assert_eq!((new, done), (1, 39));
}

#[tokio::test]
async fn what_certainly_did_not_happen_can_be_done_again() {
    let home = Home::new().await;
    let what = intent(1, 0, ActionKind::Upvote, "p1");
    let row = begin(&home, what.clone()).await;
    settle(&home, row, IntentState::Failed).await;
    assert!(!home.has_done(&what.bot, what.kind, "p1").await.expect("read"));
    assert_eq!(home.last_done(&what.bot, what.kind, "p1").await.expect("read"), None);
    assert_eq!(home.intent_of_tick(&what, true).await.expect("read"), None);
    let again = begin(&home, what.clone()).await;
    assert_ne!(again, row);
    assert!(home.has_done(&what.bot, what.kind, "p1").await.expect("read"), "an open one may have happened");
    assert!(!home.has_done(&what.bot, ActionKind::Comment, "p1").await.expect("read"));
    assert!(!home.has_done(&id("mia-2"), what.kind, "p1").await.expect("read"));
    assert_eq!(home.last_done(&what.bot, what.kind, "p1").await.expect("read").map(|last| last.id), Some(again));
}

#[tokio::test]
async fn an_action_whose_row_is_not_understood_is_not_repeated() {
    let home = Home::new().await;
    let what = intent(1, 0, ActionKind::Share, "");
    begin(&home, what.clone()).await;
    behind_its_back(&home.path(), "UPDATE intents SET outcome = '{'").await;
    let answer = home.open_intent(what, false).await;
    assert!(matches!(&answer, Err(Error::Row { row, .. }) if row.starts_with("intents/")), "{answer:?}");
}

#[tokio::test]
async fn counts_are_of_the_last_hour_and_day_without_failures() {
    let home = Home::new().await;
    let ages = [DAY + 1, DAY - 10, 7200, 3601, 3599, 60];
    for (tick, age) in (1..).zip(ages) {
        let row =
            begin(&home, NewIntent { at: at(-age), ..intent(tick, 0, ActionKind::Upvote, &format!("p{tick}")) }).await;
        settle(&home, row, IntentState::Done).await;
    }
    let failed = begin(&home, intent(20, 0, ActionKind::Upvote, "p20")).await;
    settle(&home, failed, IntentState::Failed).await;
    begin(&home, NewIntent { at: at(-7200), ..intent(21, 0, ActionKind::Comment, "p21") }).await;
    let mut counts = home.action_counts(&id("mia-1"), at(0)).await.expect("read");
    counts.sort_by_key(|count| count.kind);
    let [upvotes, comments] = &counts[..] else { panic!("{counts:?}") };
    assert_eq!((upvotes.kind, upvotes.hour, upvotes.day), (ActionKind::Upvote, 2, 5));
    assert_eq!((upvotes.hour_oldest, upvotes.day_oldest, upvotes.last), (Some(at(-3599)), at(10 - DAY), at(-60)));
    assert_eq!((comments.kind, comments.hour, comments.day, comments.hour_oldest), (ActionKind::Comment, 0, 1, None));
    assert_eq!(home.action_counts(&id("mia-2"), at(0)).await.expect("read"), []);
}

#[tokio::test]
async fn settling_keeps_the_words_and_the_activity_with_it() {
    let home = Home::new().await;
    let row = begin(&home, intent(1, 0, ActionKind::Comment, "p1")).await;
    for (n, words) in [(0, "first"), (5, "second"), (9, "third")] {
        let activity = NewActivity { at: at(n), ..activity("comment", Some("mia-1")) };
        let told = home
            .settle_intent(row, IntentState::Done, json!({}), Some(words.to_owned()), activity.clone())
            .await
            .expect("written");
        assert_eq!(told.what, activity);
    }
    let texts = home.texts_since(&id("mia-1"), at(0), 2).await.expect("read");
    assert_eq!(texts, ["third", "second"]);
    assert_eq!(home.texts_since(&id("mia-2"), at(-9), 9).await.expect("read"), Vec::<String>::new());
    assert_eq!(home.newest_activity().await.expect("read"), 3);
}

#[tokio::test]
async fn pruning_drops_only_what_no_rule_looks_at() {
    let home = Home::new().await;
    let mut rows = Vec::new();
    for (tick, (kind, state)) in (1..).zip([
        (ActionKind::Generate, IntentState::Done),
        (ActionKind::Share, IntentState::Unknown),
        (ActionKind::Upvote, IntentState::Done),
        (ActionKind::Comment, IntentState::Unknown),
        (ActionKind::Remix, IntentState::Done),
        (ActionKind::Generate, IntentState::Open),
    ]) {
        let row = begin(&home, intent(tick, 0, kind, &format!("p{tick}"))).await;
        home.settle_intent(row, state, json!({}), Some(format!("words {tick}")), activity("x", Some("mia-1")))
            .await
            .expect("written");
        rows.push((kind, row, format!("p{tick}")));
    }
    let entries = Scope::Bot(id("mia-1"));
    for (name, expires_at) in [("old", Some(at(1))), ("new", Some(at(99))), ("ever", None)] {
        let change = Change::Set { value: json!(1), expires_at };
        home.change_entry(&entries, name, at(0), 9, |_| (change, ())).await.expect("written").expect("room");
    }
    home.add_bots(vec![new_bot("mia-1", "mia")]).await.expect("written");
    home.add_events(vec![event("mia-1", "comment:c1")]).await.expect("written");
    home.commit_tick(TickRow { delivered: vec![1], at: at(1), ..tick("mia-1", 1) }).await.expect("written");

    home.prune(at(0), at(0)).await.expect("written");
    assert!(home.has_done(&id("mia-1"), ActionKind::Share, "p2").await.expect("read"), "it is not older");
    home.prune(at(50), at(50)).await.expect("written");
    let mut kept = Vec::new();
    for (kind, row, target) in rows {
        let last = home.last_done(&id("mia-1"), kind, &target).await.expect("read");
        if last.is_some_and(|last| last.id == row) {
            kept.push((kind, row));
        }
    }
    assert_eq!(
        kept,
        [(ActionKind::Upvote, 3), (ActionKind::Comment, 4), (ActionKind::Remix, 5), (ActionKind::Generate, 6)]
    );
    assert_eq!(home.texts_since(&id("mia-1"), at(-DAY), 9).await.expect("read"), Vec::<String>::new());
    assert_eq!(home.entry_names(&entries, "", 9, at(0)).await.expect("read"), ["ever", "new"]);
    let told = home.add_events(vec![event("mia-1", "comment:c1")]).await.expect("written");
    assert_eq!(told, [], "a comment is told once, however long ago");
}
