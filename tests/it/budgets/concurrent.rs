//! Many calls at one time, and crashes at any moment: never above the cap, and little of it wasted.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use floimg_fleet::host::budget::Refused;
use floimg_fleet::model::spend::Money;
use floimg_fleet::store::CallState;
use futures_util::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use super::{PRICES, Purse, ask, money, usage};

const CAP: &str = "[budgets]\ncaps = [{ scope = \"fleet\", period = \"day\", money = \"1.00\" }]\n";

fn lines() -> String {
    format!("{CAP}{PRICES}")
}

/// What the calls of one run came to at the provider, and how they ended.
#[derive(Default)]
struct Truth {
    nano: AtomicI64,
    settled: AtomicUsize,
    refused: AtomicUsize,
}

/// Starts calls that each ask, are charged at the provider, and settle, unless they break off between the two.
fn start(tasks: &mut JoinSet<()>, purse: &Purse, truth: &Arc<Truth>, count: usize, rng: &mut StdRng) {
    for _ in 0..count {
        let (input, output) = (rng.random_range(200..2000), rng.random_range(10..1000));
        let (used_input, used_output) = (rng.random_range(1..=input), rng.random_range(0..=output));
        let (breaks, says_nothing) = (rng.random_bool(0.02), rng.random_bool(0.02));
        let (budget, truth) = (purse.budget.clone(), Arc::clone(truth));
        tasks.spawn(async move {
            let reservation = match budget.reserve(&ask(input, output)).await {
                Ok(reservation) => reservation,
                Err(Refused::Spent(_) | Refused::Busy(_)) => {
                    truth.refused.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(other) => panic!("{other}"),
            };
            let cost = i64::try_from(used_input + 4 * used_output).expect("small") * 1000;
            truth.nano.fetch_add(cost, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if breaks {
                return drop(reservation);
            }
            budget.settle(reservation, (!says_nothing).then(|| usage(used_input, used_output))).await;
            truth.settled.fetch_add(1, Ordering::Relaxed);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_at_one_time_never_pass_one_and_use_nearly_all_of_it_in_twenty_runs() {
    // Each waits for its disk most of the time, so a few go side by side.
    stream::iter(0..20).for_each_concurrent(4, one_run).await;
}

async fn one_run(run: u64) {
    let mut rng = StdRng::seed_from_u64(run);
    let mut purse = Purse::new(&lines()).await;
    let truth = Arc::new(Truth::default());
    let mut tasks = JoinSet::new();
    start(&mut tasks, &purse, &truth, 1000, &mut rng);
    // The process ends while calls are under way: what they held is found at the next start.
    let before = rng.random_range(20..300);
    while truth.settled.load(Ordering::Relaxed) < before {
        tasks.join_next().await.expect("a call").expect("no panic");
    }
    tasks.shutdown().await;
    purse = purse.restarted(&lines()).await;
    let cut_off = purse.told("spend_cut_off").await;
    start(&mut tasks, &purse, &truth, 800, &mut rng);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no panic");
    }
    let spent = purse.budget.spent(500).await.expect("a report");
    let charged = spent.report.today.spent.money;
    let truly = Money::from_nano(truth.nano.load(Ordering::Relaxed));
    assert!(truly <= charged, "run {run}: {truly} came to be and {charged} is charged");
    assert!(charged <= money("1.00"), "run {run}: {charged}");
    assert!(charged >= money("0.95"), "run {run}: only {charged} could be used");
    assert_eq!(spent.report.today.held.money, Money::ZERO, "run {run}: {cut_off:?}");
    assert!(truth.refused.load(Ordering::Relaxed) > 100, "run {run}: the cap was met");
    let ended = |state| spent.report.bad_ends.iter().find(|end| end.state == state).map_or(0, |end| end.calls);
    assert_eq!(cut_off.len(), usize::from(ended(CallState::CutOff) > 0), "run {run}");
    assert!(ended(CallState::Dropped) + ended(CallState::Assumed) > 0, "run {run}");
}

/// Set in the process that spends until it is killed, to the folder that it spends in.
const SPENDER: &str = "FLEET_TEST_SPENDER";

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_while_it_spends_leaves_nothing_uncharged() {
    if let Some(folder) = std::env::var_os(SPENDER) {
        return spend_until_killed(folder.into()).await;
    }
    let mut purse = Purse::new(&lines()).await;
    let mut before = Money::ZERO;
    for round in 1..=4 {
        purse.store.close().await;
        let ledger = purse.folder.path().join("ledger");
        std::fs::write(&ledger, "").expect("a file");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "budgets::concurrent::a_process_that_is_killed_while_it_spends_leaves_nothing_uncharged"])
            .env(SPENDER, purse.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let called = || std::fs::read_to_string(&ledger).unwrap_or_default().lines().count();
        let end = Instant::now() + Duration::from_secs(120);
        while called() < 20 * round {
            assert!(Instant::now() < end, "it spends nothing");
            assert!(child.try_wait().expect("a state").is_none(), "it ended by itself");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().expect("a signal");
        child.wait().expect("an end");
        let text = std::fs::read_to_string(&ledger).expect("a file");
        // The last line may be half written.
        let truly: i64 =
            text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')?.parse::<i64>().ok()).sum();
        purse = purse.restarted(&lines()).await;
        let spent = purse.budget.spent(500).await.expect("a report");
        let charged = spent.report.today.spent.money;
        assert!(charged <= money("1.00"), "round {round}: {charged}");
        assert!(
            Money::from_nano(truly) <= charged.saturating_sub(before),
            "round {round}: {truly} was called, {charged} is charged"
        );
        assert_eq!(spent.report.today.held.money, Money::ZERO, "round {round}");
        before = charged;
    }
    assert!(!purse.told("spend_cut_off").await.is_empty(), "no kill fell between a reservation and its end");
}

/// Writes down what it calls before it settles, as a provider would.
async fn spend_until_killed(folder: std::path::PathBuf) {
    use std::io::Write;
    let clock = floimg_fleet::clock::Clock::by_hand(super::at("2026-11-10T12:00:00Z"));
    let (_store, budget) = Purse::open(folder.join("fleet.db"), &clock, &lines()).await;
    let ledger = Arc::new(std::sync::Mutex::new(
        std::fs::OpenOptions::new().append(true).open(folder.join("ledger")).expect("a file"),
    ));
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (budget, ledger) = (budget.clone(), Arc::clone(&ledger));
        tasks.spawn(async move {
            while let Ok(reservation) = budget.reserve(&ask(200, 50)).await {
                writeln!(ledger.lock().expect("not poisoned"), "{}", 200_000 + 200_000).expect("a line");
                tokio::task::yield_now().await;
                budget.settle(reservation, Some(usage(200, 50))).await;
            }
            // Used up: it waits for its end.
            std::future::pending::<()>().await;
        });
    }
    tasks.join_next().await;
}
