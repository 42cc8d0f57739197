//! Budgets from the outside: what may be called, what is charged, and what the operator is told.

mod concurrent;
mod fleet;
mod property;
mod report;
mod rules;

use std::path::PathBuf;
use std::time::Duration;

use floimg_fleet::clock::Clock;
use floimg_fleet::config::{Config, ConfigFile, Sources};
use floimg_fleet::host::budget::{Budget, Refused, Reservation, Terms};
use floimg_fleet::host::journal::Journal;
use floimg_fleet::model::spend::{Ask, Money, Usage};
use floimg_fleet::store::{ActivityQuery, Store};
use jiff::Timestamp;
use tempfile::TempDir;

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub fn money(text: &str) -> Money {
    text.parse().expect("an amount of money")
}

/// The terms of a config file with these lines.
pub fn terms(lines: &str) -> Terms {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("config.toml");
    std::fs::write(&file, lines).expect("a file");
    let sources = Sources { file: ConfigFile::Required(file), ..Sources::default() };
    let config = Config::load(&sources).unwrap_or_else(|problem| panic!("{problem}"));
    Terms { budgets: config.budgets(), prices: config.known_prices() }
}

/// A model at one unit for a million tokens of a prompt, and four for a million of an answer.
pub const PRICES: &str = "[[prices]]\nmodel = \"m\"\ninput = 1\ncached_input = \"0.1\"\noutput = 4\n";

/// A call by `critic-1` to comment.
pub fn ask(input: u64, output: u64) -> Ask {
    Ask {
        bot: "critic-1".parse().expect("a bot"),
        purpose: "comment".to_owned(),
        model: "m".to_owned(),
        input_tokens_max: input,
        output_tokens_max: output,
        images: 0,
    }
}

pub fn usage(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

/// A budget with a store of its own and a clock that stands.
pub struct Purse {
    folder: TempDir,
    pub store: Store,
    pub budget: Budget,
    pub clock: Clock,
}

impl Purse {
    pub async fn new(lines: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let clock = Clock::by_hand(at("2026-11-10T12:00:00Z"));
        let (store, budget) = Self::open(folder.path().join("fleet.db"), &clock, lines).await;
        Self { folder, store, budget, clock }
    }

    async fn open(path: PathBuf, clock: &Clock, lines: &str) -> (Store, Budget) {
        let store = Store::open(&path).await.expect("a store");
        let journal = Journal::new(store.clone());
        let budget = Budget::new(store.clone(), journal, clock.clone(), clock.clone(), terms(lines));
        budget.start().await.expect("a start");
        (store, budget)
    }

    /// The same after the process ended: whoever held a reservation is gone.
    pub async fn restarted(self, lines: &str) -> Self {
        self.store.close().await;
        let (store, budget) = Self::open(self.folder.path().join("fleet.db"), &self.clock, lines).await;
        Self { store, budget, ..self }
    }

    /// Reserves without waiting for others.
    pub async fn reserve(&self, ask: &Ask) -> Result<Reservation, Refused> {
        self.budget.reserve_within(ask, Duration::ZERO).await
    }

    /// Calls and settles.
    pub async fn call(&self, ask: &Ask, usage: Usage) -> Result<(), Refused> {
        let reservation = self.reserve(ask).await?;
        self.budget.settle(reservation, Some(usage)).await;
        Ok(())
    }

    /// What the fleet spent this month, in money.
    pub async fn spent(&self) -> Money {
        self.budget.spent(500).await.expect("a report").report.month.spent.money
    }

    /// What was told of a kind, oldest first.
    pub async fn told(&self, kind: &str) -> Vec<String> {
        let query = ActivityQuery { kind: Some(kind.to_owned()), limit: 500, ..ActivityQuery::default() };
        let mut told: Vec<String> =
            self.store.activities(&query).await.expect("rows").into_iter().map(|row| row.what.text).collect();
        told.reverse();
        told
    }
}
