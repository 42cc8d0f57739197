//! A living fleet at the end of its budget: who sleeps, why, and how they go on.

use floimg_fleet::host::refusal::Refusal;
use floimg_fleet::model::action::{ActionKind, NewIntent};
use floimg_fleet::model::failure::FailureKind;
use floimg_fleet::runtime::view::BotView;
use floimg_fleet::store::Opened;
use futures_util::future::join_all;
use serde_json::Value;

use super::{PRICES, Purse, ask, at, usage};
use crate::living::{Home, Running, counter, roster};

/// A config with two personas, and a cap that lets bots sleep at its end.
fn config(cap: &str) -> String {
    let bots = roster(&[("walker", 3), ("other", 1)]);
    format!("[budgets]\ncaps = [{{ {cap}, at_end = \"sleep\" }}]\n{PRICES}{bots}")
}

fn home(cap: &str) -> Home {
    let home = Home::with("walker", &counter("a"), 3);
    home.save("personas/other.luau", &counter("b"));
    home.config(&config(cap));
    home
}

/// Calls a model as `walker-1` would until the budget says no.
async fn use_up(running: &Running) {
    let budget = &running.fleet.world().budget;
    let ask = floimg_fleet::model::spend::Ask { bot: "walker-1".parse().expect("a bot"), ..ask(1000, 0) };
    while let Ok(reservation) = budget.reserve(&ask).await {
        budget.settle(reservation, Some(usage(1000, 0))).await;
    }
}

async fn until_all(running: &Running, what: &str, fits: impl Fn(&BotView) -> bool) -> Vec<BotView> {
    running
        .until(what, async || {
            let bots = running.bots().await;
            bots.iter().all(&fits).then_some(bots)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_sleeps_at_the_end_of_its_budget_and_wakes_when_it_gets_more() {
    let day = |money: &str| format!("scope = \"fleet\", period = \"month\", money = \"{money}\"");
    let home = home(&day("0.01"));
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(1).await;
    use_up(&running).await;
    running.wake_all().await;
    let asleep = until_all(&running, "everyone sleeps", |bot| bot.reason.starts_with("fleet budget until ")).await;
    let status = running.fleet.status().await.expect("a status");
    let why = status.stopped_because.expect("a reason");
    assert!(why.starts_with("fleet budget until ") && why.ends_with(" 00:00 UTC"), "{why}");
    // They do not wake all at once.
    let mut wakes: Vec<_> = asleep.iter().filter_map(|bot| bot.next_wake).collect();
    wakes.sort_unstable();
    wakes.dedup();
    assert_eq!(wakes.len(), 4, "{asleep:#?}");
    assert_eq!(running.told("budget_full").await.len(), 1);
    let ticks: u64 = asleep.iter().map(|bot| bot.ticks).sum();
    // A restart forgets none of it, and waking by hand wakes nobody.
    running.stop().await;
    let running = home.start(&[]).await;
    running.wake_all().await;
    let asleep =
        until_all(&running, "everyone sleeps still", |bot| bot.reason.starts_with("fleet budget until ")).await;
    assert_eq!(asleep.iter().map(|bot| bot.ticks).sum::<u64>(), ticks);
    // More money, and they go on by themselves.
    home.config(&config(&day("5.00")));
    running.live_on(2).await;
    assert_eq!(running.fleet.status().await.expect("a status").stopped_because, None);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_a_persona_stops_only_its_bots() {
    let home = home("scope = \"persona\", period = \"month\", tokens = 5000");
    let running = home.start(&[]).await;
    running.wake_all().await;
    running.live_on(1).await;
    use_up(&running).await;
    running.wake_all().await;
    let asleep = |bot: &BotView| bot.reason.starts_with("budget of the persona walker until ");
    until_all(&running, "the walkers sleep", |bot| bot.id.to_string() == "other-1" || asleep(bot)).await;
    running.live_on_of("other-1", 3).await;
    let bots = running.bots().await;
    assert_eq!(bots.iter().filter(|bot| asleep(bot)).count(), 3, "{bots:#?}");
    assert_eq!(running.fleet.status().await.expect("a status").stopped_because, None);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_does_no_more_than_its_actions_of_a_day() {
    let home = Home::with("maker", &crate::runtime::maker(), 3);
    let running = home.start(&["budgets.actions_per_day=7"]).await;
    running.wake_all().await;
    until_all(&running, "everyone sleeps", |bot| bot.reason.starts_with("fleet actions until 00:00 UTC")).await;
    let done = running.told("generate").await.len() + running.told("share").await.len();
    assert_eq!(done, 7);
    assert_eq!(running.told("budget_full").await.len(), 1);
    let report = running.fleet.spent(10).await.expect("a report").report;
    assert_eq!(report.today.actions, 7);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_actions_at_one_time_never_pass_the_cap_of_an_hour() {
    let purse = Purse::new("[budgets]\nactions_per_hour = 50\nactions_per_day = 80\n").await;
    let intent = |tick: u64| NewIntent {
        bot: "critic-1".parse().expect("a bot"),
        tick,
        ordinal: 0,
        kind: ActionKind::Upvote,
        target: format!("post {tick}"),
        payload: Value::Null,
        at: purse.clock.now(),
    };
    let open = async |from: u64| {
        let all = (from..from + 200).map(|tick| purse.budget.open_intent(intent(tick), true, Vec::new()));
        let answers = join_all(all).await;
        let failures: Vec<_> = answers
            .iter()
            .filter_map(|answer| match answer {
                Ok(Opened::New(_)) => None,
                Err(Refusal::Failure(failure)) => Some((failure.kind, failure.message.clone(), failure.until)),
                other => panic!("{other:?}"),
            })
            .collect();
        (answers.len() - failures.len(), failures.into_iter().next().expect("a refusal"))
    };
    let (done, refused) = open(0).await;
    let until = at("2026-11-10T13:00:00Z");
    assert_eq!((done, refused), (50, (FailureKind::Budget, "fleet actions until 13:00 UTC".to_owned(), Some(until))));
    // What was begun before is found, and counts once.
    assert!(matches!(
        purse.budget.open_intent(intent(0), true, Vec::new()).await,
        Err(Refusal::Failure(_)) | Ok(Opened::Before(_))
    ));
    purse.clock.put(until);
    let (done, refused) = open(1000).await;
    assert_eq!((done, refused.1.as_str()), (30, "fleet actions until 00:00 UTC"));
    assert_eq!(
        purse.told("budget_warned").await,
        ["fleet actions: 38 of 50 done this hour", "fleet actions: 60 of 80 done this day"]
    );
    assert_eq!(purse.told("budget_full").await.len(), 2);
}
