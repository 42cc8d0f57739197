//! The rules one by one: what is charged when, what is refused, and what is said of it.

use floimg_fleet::config::{Config, ConfigFile, Sources};
use floimg_fleet::host::budget::{Advice, Refused};
use floimg_fleet::host::refusal::Refusal;
use floimg_fleet::model::failure::FailureKind;
use floimg_fleet::model::spend::{Ask, Money, Usage};
use floimg_fleet::store::CallState;

use super::{PRICES, Purse, ask, at, money, usage};

fn with(caps: &str) -> String {
    format!("[budgets]\n{caps}\n{PRICES}")
}

#[tokio::test]
async fn what_is_reserved_counts_as_spent_until_it_is_settled() {
    let purse = Purse::new(&with("caps = [{ scope = \"fleet\", period = \"day\", money = 0.01 }]")).await;
    // 0.006 each: only one fits.
    let first = purse.reserve(&ask(2000, 1000)).await.expect("room");
    assert_eq!(first.held().money, money("0.006"));
    let busy = purse.reserve(&ask(2000, 1000)).await.expect_err("no room");
    assert!(matches!(busy, Refused::Busy(_)), "{busy:?}");
    assert_eq!(busy.to_string(), "fleet budget is held by calls under way, 0.006 of 0.01");
    purse.budget.settle(first, Some(usage(1000, 100))).await;
    assert_eq!(purse.spent().await, money("0.0014"));
    let second = purse.reserve(&ask(2000, 1000)).await.expect("room again");
    // Whoever waits gets what is given back.
    let mut waiter = tokio::task::JoinSet::new();
    let budget = purse.budget.clone();
    waiter.spawn(async move { budget.reserve(&ask(2000, 1000)).await.map(|held| held.held().money) });
    tokio::task::yield_now().await;
    purse.budget.release(second).await;
    let waited = waiter.join_next().await.expect("a waiter").expect("no panic");
    assert_eq!(waited.expect("room"), money("0.006"));
}

#[tokio::test]
async fn what_nobody_settles_is_charged_in_full() {
    let mut purse = Purse::new(&with("")).await;
    let dropped = purse.reserve(&ask(1000, 0)).await.expect("room");
    drop(dropped);
    let silent = purse.reserve(&ask(2000, 0)).await.expect("room");
    purse.budget.settle(silent, None).await;
    let unsent = purse.reserve(&ask(500_000, 0)).await.expect("room");
    purse.budget.release(unsent).await;
    let orphan = purse.reserve(&ask(4000, 0)).await.expect("room");
    assert_eq!(purse.spent().await, money("0.003"));
    std::mem::forget(orphan);
    purse = purse.restarted(&with("")).await;
    assert_eq!(purse.spent().await, money("0.007"));
    let report = purse.budget.spent(10).await.expect("a report").report;
    assert_eq!(report.month.calls, 3);
    let ends: Vec<_> = report.bad_ends.iter().map(|end| (end.state, end.calls, end.money)).collect();
    for expected in [
        (CallState::Assumed, 1, money("0.002")),
        (CallState::Dropped, 1, money("0.001")),
        (CallState::CutOff, 1, money("0.004")),
    ] {
        assert!(ends.contains(&expected), "{ends:?}");
    }
    let told = purse.told("spend_cut_off").await;
    assert_eq!(told, ["1 call to a model was under way when the process ended; it is charged in full, 0.004"]);
    // A second start finds nothing more.
    purse = purse.restarted(&with("")).await;
    assert_eq!(purse.told("spend_cut_off").await.len(), 1);
    assert_eq!(purse.spent().await, money("0.007"));
}

#[tokio::test]
async fn an_unknown_model_is_refused_with_the_lines_to_add_and_a_free_one_costs_nothing() {
    let lines = with("caps = [{ scope = \"fleet\", period = \"day\", money = 0 }]");
    let purse = Purse::new(&format!("{lines}[[prices]]\nmodel = \"own\"\nprice = \"free\"\n")).await;
    let unknown = Ask { model: "acme/new-1".to_owned(), ..ask(10, 10) };
    let refused = purse.reserve(&unknown).await.expect_err("no price");
    let Refused::NoPrice(problem) = &refused else { panic!("{refused:?}") };
    assert!(problem.to_string().contains("[[prices]]\nmodel = \"acme/new-1\"\ninput = "), "{problem}");
    assert_eq!(purse.budget.advice(&unknown).await, Advice::Offline(refused.clone()));
    let Refusal::Failure(failure) = refused.refusal(purse.clock.now(), &purse.clock) else { panic!("a failure") };
    assert_eq!((failure.kind, failure.until), (FailureKind::Unsupported, None));
    // What the hint says to add is taken.
    let added = problem
        .to_string()
        .split_once("config\n")
        .expect("lines")
        .1
        .split("\nor,")
        .next()
        .expect("lines")
        .replace('…', "0.5");
    assert!(super::terms(&added).prices.0.contains_key("acme/new-1"), "{added}");
    let own = Ask { model: "own".to_owned(), ..ask(1_000_000, 1_000_000) };
    purse.call(&own, usage(500, 500)).await.expect("free");
    let report = purse.budget.spent(10).await.expect("a report").report;
    assert_eq!((report.month.spent.money, report.month.spent.tokens), (Money::ZERO, 1000));
}

#[tokio::test]
async fn thresholds_are_told_once_and_the_end_says_until_when() {
    let caps =
        "caps = [{ scope = \"persona\", name = \"critic\", period = \"day\", money = \"0.10\", at_end = \"sleep\" }]";
    let mut purse = Purse::new(&with(caps)).await;
    let step = ask(1000, 0);
    for calls in 1..=99 {
        purse.call(&step, usage(1000, 0)).await.expect("room");
        let advice = purse.budget.advice(&step).await;
        assert_eq!(advice == Advice::Cheaper, (90..100).contains(&calls), "{calls}: {advice:?}");
        if calls == 80 {
            purse = purse.restarted(&with(caps)).await;
        }
    }
    purse.call(&step, usage(1000, 0)).await.expect("the last of it");
    let warned = "budget of the persona critic: 0.075 of 0.10 used this day";
    assert_eq!(purse.told("budget_warned").await, [warned]);
    assert_eq!(
        purse.told("budget_cheaper").await,
        ["budget of the persona critic: 0.09 of 0.10 used this day; the cheaper model writes"]
    );
    for _ in 0..3 {
        let refused = purse.reserve(&step).await.expect_err("used up");
        assert_eq!(refused.to_string(), "budget of the persona critic until 00:00 UTC");
        assert_eq!(refused.sleeps_until(), Some(at("2026-11-11T00:00:00Z")));
        let Refusal::Failure(failure) = refused.refusal(purse.clock.now(), &purse.clock) else { panic!("a failure") };
        assert_eq!((failure.kind, failure.until), (FailureKind::Budget, Some(at("2026-11-11T00:00:00Z"))));
        let Advice::Offline(advised) = purse.budget.advice(&step).await else { panic!("it is used up") };
        assert_eq!(advised.to_string(), refused.to_string());
    }
    let full = "budget of the persona critic until 00:00 UTC: used up, 0.10 of 0.10; bots sleep";
    assert_eq!(purse.told("budget_full").await, [full]);
    // It is known which bots sleep, also after a restart, and only those.
    purse = purse.restarted(&with(caps)).await;
    let stop = |bot: &str| purse.budget.stop(&bot.parse().expect("a bot"));
    assert_eq!(
        stop("critic-7"),
        Some((at("2026-11-11T00:00:00Z"), "budget of the persona critic until 00:00 UTC".to_owned()))
    );
    assert_eq!(stop("painter-1"), None);
    let other = Ask { bot: "painter-1".parse().expect("a bot"), ..step.clone() };
    purse.call(&other, usage(1, 1)).await.expect("another persona");
    // More money for today: nobody sleeps any more, and the new cap is told anew.
    let ended = purse.budget.change(super::terms(&with(&caps.replace("0.10", "0.12")))).await;
    assert_eq!(ended, ["budget of the persona critic until 00:00 UTC"]);
    assert_eq!(purse.budget.stop(&step.bot), None);
    purse.call(&step, usage(1000, 0)).await.expect("room");
    assert_eq!(purse.told("budget_warned").await.len(), 2);
    // The next day begins anew by itself.
    purse.budget.change(super::terms(&with(caps))).await;
    assert!(purse.reserve(&step).await.is_err());
    purse.clock.put(at("2026-11-11T00:00:01Z"));
    assert_eq!(purse.budget.stop(&step.bot), None);
    purse.call(&step, usage(1000, 0)).await.expect("a new day");
}

#[tokio::test]
async fn a_clock_that_is_put_back_opens_no_period_anew() {
    let caps = "caps = [{ scope = \"fleet\", period = \"day\", money = \"0.01\" }, { scope = \"fleet\", period = \"hour\", money = \"0.01\" }]";
    let purse = Purse::new(&with(caps)).await;
    purse.call(&ask(10_000, 0), usage(10_000, 0)).await.expect("room");
    for time in ["2026-11-10T11:00:00Z", "2026-11-09T12:00:00Z", "2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        purse.clock.put(at(time));
        let refused = purse.reserve(&ask(1, 0)).await.expect_err(time);
        assert_eq!(refused.to_string(), "fleet budget until 00:00 UTC", "{time}");
        assert_eq!(purse.spent().await, money("0.01"), "{time}");
    }
    purse.clock.put(at("2026-11-11T00:00:00Z"));
    purse.call(&ask(1000, 0), usage(1000, 0)).await.expect("the next day");
    assert_eq!(purse.budget.spent(1).await.expect("a report").report.today.spent.money, money("0.001"));
}

#[test]
fn the_guide_says_what_the_config_takes() {
    let guide = include_str!("../../../docs/budgets.md");
    let blocks: Vec<&str> = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2);
    let terms = super::terms(&blocks.concat());
    assert_eq!(terms.budgets.caps.len(), 4, "{terms:?}");
    assert!(terms.prices.of("llama3.2:3b", "2026-11-25".parse().expect("a day")).expect("a price").is_free());
    assert!(terms.prices.of("acme-large", "2026-11-30".parse().expect("a day")).is_err());
}

#[test]
fn a_cap_or_price_that_is_not_understood_is_refused_with_what_was_expected() {
    for (lines, expected) in [
        ("[budgets]\ncaps = [{ scope = \"fleet\", period = \"day\" }]", "expected `money` or `tokens`"),
        ("[budgets]\ncaps = [{ scope = \"fleet\", period = \"week\", money = 1 }]", "\"hour\" or \"day\" or \"month\""),
        ("[budgets]\ncaps = [{ scope = \"fleet\", name = \"x\", period = \"day\", money = 1 }]", "no `name` beside"),
        ("[budgets]\ncaps = [{ scope = \"bot\", name = \"critic\", period = \"day\", money = 1 }]", "a bot's id"),
        ("[budgets]\ncaps = [{ scope = \"fleet\", period = \"day\", money = \"5,00\" }]", "an amount of money from 0"),
        ("[budgets]\ncaps = [{ scope = \"fleet\", period = \"day\", money = -1 }]", "an amount of money from 0"),
        (
            "[budgets]\ncaps = [{ scope = \"fleet\", period = \"day\", money = 0.0000000001 }]",
            "9 digits after the point",
        ),
        ("[budgets]\ncaps = [{ scope = \"fleet\", period = \"day\", money = nan }]", "an amount of money from 0"),
        ("[budgets]\ncaps = [{ scope = \"fleet\", period = \"day\", monney = 1 }]", "unknown field `monney`"),
        ("[budgets]\nwarn_at = 75", "a number from 0 to 1"),
        ("[budgets]\ncurrency = \"dollars\"", "three letters"),
        ("[[prices]]\nmodel = \"m\"\ninput = 1", "`input` and `output`, or price = \"free\""),
        ("[[prices]]\nmodel = \"m\"\nprice = \"free\"\ninput = 1", "no amounts beside"),
        ("[[prices]]\nmodel = \"m\"\nprice = \"cheap\"", "expected \"free\""),
        ("[[prices]]\nmodel = \"m\"\nfrom = \"soon\"\ninput = 1\noutput = 1", "expected a day, such as"),
        (
            "[[prices]]\nmodel = \"m\"\nprice = \"free\"\n[[prices]]\nmodel = \"m\"\nprice = \"free\"",
            "found two for `m` from the same day on",
        ),
    ] {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, lines).expect("a file");
        let sources = Sources { file: ConfigFile::Required(file), ..Sources::default() };
        let problem = Config::load(&sources).expect_err(lines).to_string();
        assert!(problem.contains(expected) && problem.contains("config.toml:"), "{lines}\n{problem}");
    }
    // In another currency none of the prices that come with the program hold.
    assert!(super::terms("[budgets]\ncurrency = \"EUR\"").prices.0.is_empty());
    assert!(!super::terms("").prices.0.is_empty());
}

#[tokio::test]
async fn a_clock_that_was_ahead_by_years_is_trusted_again_when_the_operator_says_so() {
    let purse =
        Purse::new(&with("caps = [{ scope = \"fleet\", period = \"day\", money = \"0.01\", at_end = \"sleep\" }]"))
            .await;
    purse.call(&ask(4000, 0), usage(4000, 0)).await.expect("room");
    let right = purse.clock.now();
    purse.clock.put(at("2035-01-01T00:00:00Z"));
    purse.call(&ask(10_000, 0), usage(10_000, 0)).await.expect("another day");
    assert!(purse.reserve(&ask(1, 0)).await.is_err());
    purse.clock.put(right);
    assert!(purse.reserve(&ask(1, 0)).await.is_err());
    assert!(purse.budget.stop(&ask(1, 0).bot).is_some());
    let spent = purse.budget.spent(1).await.expect("a report");
    assert_eq!(spent.behind_secs, 256_910_400);
    let (moved, ended) = purse.budget.trust_clock().await.expect("done");
    assert_eq!((moved, ended), (1, vec!["fleet budget until 00:00 UTC".to_owned()]));
    // The day goes on where it was, and the day that was wrong keeps what it cost.
    assert_eq!(purse.budget.stop(&ask(1, 0).bot), None);
    purse.call(&ask(6000, 0), usage(6000, 0)).await.expect("what is left of today");
    assert!(purse.reserve(&ask(1, 0)).await.is_err());
    purse.clock.put(at("2035-01-01T12:00:00Z"));
    assert!(purse.reserve(&ask(1, 0)).await.is_err());
    assert_eq!(purse.budget.trust_clock().await.expect("done").0, 0);
}

#[tokio::test]
async fn a_name_of_its_own_stands_instead_of_the_cap_for_each() {
    let caps = "caps = [\n\
        { scope = \"bot\", period = \"hour\", tokens = 100 },\n\
        { scope = \"bot\", name = \"critic-2\", period = \"hour\", tokens = 300 },\n\
        { scope = \"model\", period = \"month\", money = \"0.001\" },\n\
        { scope = \"purpose\", name = \"caption\", period = \"day\", tokens = 0 },\n]";
    let purse = Purse::new(&with(caps)).await;
    let bot = |id: &str| Ask { bot: id.parse().expect("a bot"), ..ask(100, 0) };
    purse.call(&bot("critic-1"), usage(100, 0)).await.expect("room");
    assert!(purse.call(&bot("critic-1"), usage(1, 0)).await.is_err());
    for _ in 0..3 {
        purse.call(&bot("critic-2"), usage(100, 0)).await.expect("room");
    }
    let refused = purse.call(&bot("critic-2"), usage(1, 0)).await.expect_err("no room");
    assert_eq!(refused.to_string(), "budget of the bot critic-2 until 13:00 UTC");
    let caption = Ask { purpose: "caption".to_owned(), ..bot("critic-3") };
    assert_eq!(
        purse.call(&caption, usage(1, 0)).await.expect_err("none").to_string(),
        "budget of the purpose caption until 00:00 UTC"
    );
    for id in ["critic-3", "critic-4", "critic-5", "critic-6", "critic-7", "critic-8"] {
        purse.call(&bot(id), usage(100, 0)).await.expect("room");
    }
    let refused = purse.call(&bot("critic-9"), usage(1, 0)).await.expect_err("the model is used up");
    assert_eq!(refused.to_string(), "budget of the model m until 2026-12-01 00:00 UTC");
    // A month outlasts an hour: of two that are used up the one that ends last is told.
    assert_eq!(purse.call(&bot("critic-1"), usage(1, 0)).await.expect_err("both").to_string(), refused.to_string());
}

#[tokio::test]
async fn more_than_was_reserved_is_charged_as_it_is_and_stops_the_next_call() {
    let purse = Purse::new(&with("caps = [{ scope = \"fleet\", period = \"day\", money = \"0.01\" }]")).await;
    purse.call(&ask(1000, 0), usage(20_000, 0)).await.expect("room");
    assert_eq!(purse.spent().await, money("0.02"));
    assert!(matches!(purse.reserve(&ask(1, 0)).await, Err(Refused::Spent(_))));
    // What cannot be is no number of tokens: the reservation is charged.
    let purse = Purse::new(&with("caps = [{ scope = \"fleet\", period = \"day\", money = \"0.01\" }]")).await;
    purse
        .call(&ask(1000, 0), Usage { input: u64::MAX, cached_input: u64::MAX, image: 7, output: u64::MAX })
        .await
        .expect("room");
    assert_eq!(purse.spent().await, money("0.001"));
    for absurd in [ask(u64::MAX, u64::MAX), Ask { images: u32::MAX, ..ask(1, 1) }] {
        assert!(matches!(purse.reserve(&absurd).await, Err(Refused::TooLarge { .. })), "{absurd:?}");
    }
}

#[tokio::test]
async fn a_prompt_longer_than_its_price_is_known_for_is_refused() {
    let purse = Purse::new("").await;
    let model = |input| Ask { model: "claude-haiku-5-5".to_owned(), ..ask(input, 10) };
    assert!(purse.reserve(&model(100_000)).await.is_ok());
    let refused = purse.reserve(&model(100_001)).await.expect_err("too long");
    assert_eq!(
        refused.to_string(),
        "a call of 100011 tokens is longer than the price of `claude-haiku-5-5` is known for"
    );
}
