//! No cap is ever passed in any scope: random caps, prices, calls, ends, clocks and restarts against a ledger of the test's own.

use std::collections::BTreeMap;

use floimg_fleet::host::budget::{Refused, Reservation};
use floimg_fleet::model::spend::{Ask, Usage};
use futures_util::future::join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Purse, at};

const BOTS: [&str; 3] = ["critic-1", "critic-2", "painter-1"];
const PURPOSES: [&str; 2] = ["comment", "caption"];
const MODELS: [&str; 2] = ["m", "n"];
const SCOPES: [&str; 5] = ["bot", "persona", "purpose", "model", "fleet"];
const PERIODS: [&str; 3] = ["hour", "day", "month"];

#[derive(Debug, Clone)]
struct Cap {
    scope: &'static str,
    name: Option<&'static str>,
    period: &'static str,
    in_money: bool,
    /// In nano-units or tokens.
    limit: i64,
}

#[derive(Debug, Clone)]
struct Call {
    bot: usize,
    purpose: usize,
    model: usize,
    input: u64,
    output: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Reserve(Call),
    /// Many at one time, settled at once.
    Burst(Vec<Call>),
    Settle(usize, u64),
    Silent(usize),
    Drop(usize),
    Release(usize),
    Jump(i64),
    Restart,
}

fn caps() -> impl Strategy<Value = Vec<Cap>> {
    let cap = (0..5_usize, 0..3_usize, 0..3_usize, any::<bool>(), 0..60_000_i64, any::<bool>()).prop_map(
        |(scope, period, name, in_money, size, is_named)| {
            let scope = SCOPES[scope];
            let name = match scope {
                "bot" => Some(BOTS[name]),
                "persona" => Some(["critic", "painter"][name % 2]),
                "purpose" => Some(PURPOSES[name % 2]),
                "model" => Some(MODELS[name % 2]),
                _ => None,
            };
            let limit = if in_money { size * 1000 } else { size };
            Cap { scope, name: name.filter(|_| is_named), period: PERIODS[period], in_money, limit }
        },
    );
    proptest::collection::vec(cap, 1..6)
}

fn call() -> impl Strategy<Value = Call> {
    (0..3_usize, 0..2_usize, 0..2_usize, 0..3000_u64, 0..800_u64)
        .prop_map(|(bot, purpose, model, input, output)| Call { bot, purpose, model, input, output })
}

fn step() -> impl Strategy<Value = Step> {
    let jump = prop_oneof![-90..90_i64, -90_000..90_000_i64, -4_000_000..4_000_000_i64];
    prop_oneof![
        8 => call().prop_map(Step::Reserve),
        2 => proptest::collection::vec(call(), 2..20).prop_map(Step::Burst),
        6 => (any::<usize>(), 0..=1000_u64).prop_map(|(which, share)| Step::Settle(which, share)),
        1 => any::<usize>().prop_map(Step::Silent),
        1 => any::<usize>().prop_map(Step::Drop),
        1 => any::<usize>().prop_map(Step::Release),
        3 => jump.prop_map(Step::Jump),
        1 => Just(Step::Restart),
    ]
}

/// A call as the test counts it.
struct Entry {
    call: Call,
    counted_at: Timestamp,
    money: i64,
    tokens: i64,
}

struct Ledger {
    caps: Vec<Cap>,
    /// Of a prompt and an answer, in nano-units for a million tokens.
    prices: BTreeMap<&'static str, (i64, i64)>,
    entries: Vec<Entry>,
}

fn name_of(scope: &str, call: &Call) -> &'static str {
    match scope {
        "bot" => BOTS[call.bot],
        "persona" => BOTS[call.bot].split('-').next().expect("a persona"),
        "purpose" => PURPOSES[call.purpose],
        "model" => MODELS[call.model],
        _ => "",
    }
}

fn period_of(period: &str, at: Timestamp) -> (i64, i64) {
    let seconds = at.as_second();
    match period {
        "hour" => (seconds.div_euclid(3600), 0),
        "day" => (seconds.div_euclid(86_400), 0),
        _ => {
            let day = at.to_zoned(TimeZone::UTC).date();
            (i64::from(day.year()), i64::from(day.month()))
        }
    }
}

impl Ledger {
    fn cost(&self, call: &Call, input: u64, output: u64) -> (i64, i64) {
        let (of_input, of_output) = self.prices[MODELS[call.model]];
        let parts = i128::from(input) * i128::from(of_input) + i128::from(output) * i128::from(of_output);
        let money = (parts + 999_999).div_euclid(1_000_000);
        (i64::try_from(money).expect("small"), (input + output).cast_signed())
    }

    /// When a call made now counts.
    fn counted_at(&self, now: Timestamp) -> Timestamp {
        self.entries.iter().map(|entry| entry.counted_at).chain([now]).max().expect("one at least")
    }

    fn holds_for(&self, cap: &Cap, name: &str) -> bool {
        match cap.name {
            Some(own) => own == name,
            None => !self.caps.iter().any(|other| {
                other.name == Some(name)
                    && (other.scope, other.period, other.in_money) == (cap.scope, cap.period, cap.in_money)
            }),
        }
    }

    /// The cap that more entries than it allows stand in, if there is one.
    fn passed(&self) -> Option<String> {
        for cap in &self.caps {
            let mut sums: BTreeMap<(&str, (i64, i64)), i64> = BTreeMap::new();
            for entry in &self.entries {
                let name = name_of(cap.scope, &entry.call);
                if self.holds_for(cap, name) {
                    let amount = if cap.in_money { entry.money } else { entry.tokens };
                    *sums.entry((name, period_of(cap.period, entry.counted_at))).or_default() += amount;
                }
            }
            if let Some((of, sum)) = sums.iter().find(|(_, sum)| **sum > cap.limit) {
                return Some(format!("{cap:?} holds {sum} of {of:?}"));
            }
        }
        None
    }

    fn config(&self) -> String {
        let mut text = "[budgets]\ncaps = [\n".to_owned();
        for cap in &self.caps {
            let name = cap.name.map(|name| format!("name = \"{name}\", ")).unwrap_or_default();
            let limit = match cap.in_money {
                true => format!("money = \"0.{:09}\"", cap.limit),
                false => format!("tokens = {}", cap.limit),
            };
            text.push_str(&format!("{{ scope = \"{}\", {name}period = \"{}\", {limit} }},\n", cap.scope, cap.period));
        }
        text.push_str("]\n");
        for (model, (input, output)) in &self.prices {
            let decimal = |nano: &i64| format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
            text.push_str(&format!(
                "[[prices]]\nmodel = \"{model}\"\ninput = \"{}\"\noutput = \"{}\"\n",
                decimal(input),
                decimal(output)
            ));
        }
        text
    }
}

fn asked(call: &Call) -> Ask {
    Ask {
        bot: BOTS[call.bot].parse().expect("a bot"),
        purpose: PURPOSES[call.purpose].to_owned(),
        model: MODELS[call.model].to_owned(),
        input_tokens_max: call.input,
        output_tokens_max: call.output,
        images: 0,
    }
}

struct Run {
    ledger: Ledger,
    purse: Purse,
    /// Reservations with the place of their entry.
    open: Vec<(Reservation, usize)>,
}

impl Run {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Reserve(call) => {
                let answer = self.purse.reserve(&asked(&call)).await;
                self.answered(call, answer);
            }
            Step::Burst(calls) => {
                let asks: Vec<Ask> = calls.iter().map(asked).collect();
                let answers = join_all(asks.iter().map(|ask| self.purse.reserve(ask))).await;
                // In no known order: what was granted is held against the caps, and nothing else is.
                for (call, answer) in calls.into_iter().zip(answers) {
                    if let Ok(reservation) = answer {
                        self.granted(call, reservation);
                    }
                }
            }
            Step::Settle(which, share) => {
                if let Some((reservation, place)) = self.take_open(which) {
                    let call = self.ledger.entries[place].call.clone();
                    let (input, output) = (call.input * share / 1000, call.output * share / 1000);
                    let (money, tokens) = self.ledger.cost(&call, input, output);
                    self.purse.budget.settle(reservation, Some(Usage { input, output, ..Usage::default() })).await;
                    (self.ledger.entries[place].money, self.ledger.entries[place].tokens) = (money, tokens);
                }
            }
            Step::Silent(which) => {
                if let Some((reservation, _)) = self.take_open(which) {
                    self.purse.budget.settle(reservation, None).await;
                }
            }
            Step::Drop(which) => drop(self.take_open(which)),
            Step::Release(which) => {
                if let Some((reservation, place)) = self.take_open(which) {
                    self.purse.budget.release(reservation).await;
                    (self.ledger.entries[place].money, self.ledger.entries[place].tokens) = (0, 0);
                }
            }
            Step::Jump(seconds) => {
                let now = self.purse.clock.now();
                self.purse.clock.put(now.saturating_add(SignedDuration::from_secs(seconds)).expect("in range"));
            }
            Step::Restart => unreachable!("taken by its caller"),
        }
    }

    fn take_open(&mut self, which: usize) -> Option<(Reservation, usize)> {
        (!self.open.is_empty()).then(|| self.open.swap_remove(which % self.open.len()))
    }

    fn granted(&mut self, call: Call, reservation: Reservation) {
        let (money, tokens) = self.ledger.cost(&call, call.input, call.output);
        assert_eq!((reservation.held().money.nano(), reservation.held().tokens.cast_signed()), (money, tokens));
        let counted_at = self.ledger.counted_at(self.purse.clock.now());
        self.open.push((reservation, self.ledger.entries.len()));
        self.ledger.entries.push(Entry { call, counted_at, money, tokens });
    }

    fn answered(&mut self, call: Call, answer: Result<Reservation, Refused>) {
        match answer {
            Ok(reservation) => self.granted(call, reservation),
            // Nothing is refused that would have fitted.
            Err(Refused::Spent(_) | Refused::Busy(_)) => {
                let (money, tokens) = self.ledger.cost(&call, call.input, call.output);
                let counted_at = self.ledger.counted_at(self.purse.clock.now());
                self.ledger.entries.push(Entry { call, counted_at, money, tokens });
                let passed = self.ledger.passed();
                self.ledger.entries.pop();
                assert!(passed.is_some(), "it was refused and would have fitted");
            }
            Err(other) => panic!("{other}"),
        }
    }

    async fn holds(&self) {
        assert_eq!(self.ledger.passed(), None);
        let report = self.purse.budget.spent(1).await.expect("a report").report;
        let now = self.ledger.counted_at(self.purse.clock.now());
        for (period, totals) in [("day", report.today), ("month", report.month)] {
            let entries = self.ledger.entries.iter();
            let sum = entries.filter(|entry| period_of(period, entry.counted_at) == period_of(period, now));
            let (money, tokens) = sum.fold((0, 0), |sum, entry| (sum.0 + entry.money, sum.1 + entry.tokens));
            let counted = totals.spent.money.saturating_add(totals.held.money).nano();
            assert_eq!(
                (counted, (totals.spent.tokens + totals.held.tokens).cast_signed()),
                (money, tokens),
                "{period}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_cap_is_ever_passed(
        caps in caps(),
        prices in proptest::array::uniform4(0..20_000_000_000_i64),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let prices = BTreeMap::from([("m", (prices[0], prices[1])), ("n", (prices[2], prices[3]))]);
            let ledger = Ledger { caps, prices, entries: Vec::new() };
            let purse = Purse::new(&ledger.config()).await;
            purse.clock.put(at("2026-11-30T22:00:00Z"));
            let mut run = Run { ledger, purse, open: Vec::new() };
            for step in steps {
                if matches!(step, Step::Restart) {
                    // Killed: nobody has the time to drop anything.
                    run.open.drain(..).for_each(|(reservation, _)| std::mem::forget(reservation));
                    let purse = run.purse.restarted(&run.ledger.config()).await;
                    run = Run { purse, ..run };
                } else {
                    run.take(step).await;
                }
                run.holds().await;
            }
        });
    }
}
