//! Texts from the outside: what keeps two accounts from saying the same, also at once.

use floimg_fleet::store::Claim;
use floimg_fleet::text::Prints;

use super::*;

fn print(words: &str) -> i64 {
    Prints::of(words).expect("words").exact
}

fn claims(words: &str) -> Vec<Claim> {
    vec![Claim { print: print(words), is_sole: true }]
}

fn comment(bot: u32, tick: u64) -> NewIntent {
    NewIntent { bot: id(&format!("mia-{bot}")), ..intent(tick, 0, ActionKind::Comment, &format!("p{tick}")) }
}

/// Says it, if it may be said.
async fn say(home: &Store, bot: u32, tick: u64, words: &str) -> bool {
    match home.open_speaking(comment(bot, tick), true, claims(words)).await.expect("written") {
        Opened::New(row) => {
            let told = activity("comment", Some(&format!("mia-{bot}")));
            let words = Some(words.to_owned());
            home.settle_intent(row, IntentState::Done, json!({}), words, told).await.expect("written");
            true
        }
        Opened::Said => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn of_ten_thousand_texts_of_a_model_that_repeats_itself_each_is_said_once() {
    let home = Home::new().await;
    // 1,250 different texts, each eight times with other signs, by 250 bots, 500 at one time.
    let text = |number: usize| {
        let (one, two) = (number % 50, (number / 50) % 25);
        match number / 1250 % 4 {
            0 => format!("The hulls of boat {one} lean towards number {two}."),
            1 => format!("the hulls of boat {one} lean, towards number {two}"),
            2 => format!("THE HULLS OF BOAT {one} LEAN TOWARDS NUMBER {two}!!"),
            _ => format!("“The hulls of boat {one} — lean towards number {two}” 🔥"),
        }
    };
    let texts: Vec<String> = (0..10_000).map(text).collect();
    let mut said = Vec::new();
    for (batch, texts) in texts.chunks(500).enumerate() {
        let saying = texts.iter().enumerate().map(|(at, words)| {
            let number = batch * 500 + at;
            let (bot, tick) = (u32::try_from(number % 250).expect("small") + 1, number as u64 + 1);
            let home = &home;
            async move { say(home, bot, tick, words).await.then(|| words.clone()) }
        });
        said.extend(join_all(saying).await.into_iter().flatten());
    }
    assert_eq!(said.len(), 1250);
    let different: std::collections::BTreeSet<i64> = said.iter().map(|words| print(words)).collect();
    assert_eq!(different.len(), said.len());
}

#[tokio::test]
async fn of_many_who_say_the_same_at_once_one_is_heard() {
    let home = Home::new().await;
    let tries = (1..=40).map(|bot| home.open_speaking(comment(bot, 1), true, claims("The hulls lean.")));
    let answers = join_all(tries).await;
    let new = answers.iter().filter(|answer| matches!(answer, Ok(Opened::New(_)))).count();
    let taken = answers.iter().filter(|answer| matches!(answer, Ok(Opened::Said))).count();
    assert_eq!((new, taken), (1, 39));
}

#[tokio::test]
async fn what_was_not_said_after_all_may_be_said_by_somebody_else() {
    let home = Home::new().await;
    let words = "The hulls lean.";
    for (state, is_free) in [(IntentState::Failed, true), (IntentState::Unknown, false), (IntentState::Done, false)] {
        let home = Home::new().await;
        let opened = home.open_speaking(comment(1, 1), true, claims(words)).await.expect("written");
        let Opened::New(row) = opened else { panic!("{opened:?}") };
        assert!(home.has_print(print(words)).await.expect("read"));
        settle(&home, row, state).await;
        assert_eq!(say(&home, 2, 2, "the HULLS lean").await, is_free, "{state:?}");
    }
    // What others may say too is kept, and stands in nobody's way.
    let named = vec![Claim { print: print("Paper boats"), is_sole: false }];
    for bot in 1..=2 {
        let opened = home.open_speaking(comment(bot, 9), true, named.clone()).await.expect("written");
        assert!(matches!(opened, Opened::New(_)), "{opened:?}");
    }
    assert!(home.has_print(print("Paper boats")).await.expect("read"));
    // A tick that is tried again finds its own words in its own intent, not in its way.
    let first = home.open_speaking(comment(1, 1), true, claims(words)).await.expect("written");
    assert!(matches!(first, Opened::New(_)));
    let again = home.open_speaking(comment(1, 1), true, claims(words)).await.expect("written");
    assert!(matches!(again, Opened::Before(_)), "{again:?}");
}

#[tokio::test]
async fn a_near_text_of_another_bot_is_found_as_long_as_bands_are_kept() {
    let home = Home::new().await;
    let words = "The way the light falls on the paper boats makes me stay longer than planned";
    let near =
        Prints::of("The way the light falls on the paper boats makes me stay longer than I planned").expect("words");
    let far = Prints::of("Two axes, one legend, no title: what was counted here, and by whom?").expect("words");
    assert!(say(&home, 1, 1, words).await);
    let since = at(-DAY);
    assert_eq!(home.texts_near(&id("mia-2"), &near, since).await.expect("read"), [words]);
    assert_eq!(home.texts_near(&id("mia-1"), &near, since).await.expect("read"), Vec::<String>::new());
    assert_eq!(home.texts_near(&id("mia-2"), &far, since).await.expect("read"), Vec::<String>::new());
    assert_eq!(home.texts_near(&id("mia-2"), &near, at(DAY)).await.expect("read"), Vec::<String>::new());
    home.prune(at(-DAY), at(DAY)).await.expect("written");
    assert_eq!(home.texts_near(&id("mia-2"), &near, since).await.expect("read"), Vec::<String>::new());
    assert_eq!(home.texts_since(&id("mia-1"), since, 9).await.expect("read"), [words]);
    assert!(!say(&home, 2, 2, words).await, "the very words are refused longer");
    home.prune(at(DAY), at(DAY)).await.expect("written");
    assert!(say(&home, 2, 2, words).await);
}
