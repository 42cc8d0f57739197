//! The budget: reserve, call, settle.
//!
//! Nothing is called that is not reserved, and what is reserved counts as spent until it is settled; so no number of calls
//! at one time, no crash and no clock passes a cap.

mod news;
mod refused;
mod report;
mod stops;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tracing::{error, warn};

use crate::clock::Clock;
use crate::model::spend::{Ask, Budgets, Cap, Charge, Money, Price, Prices, Share, Usage, day_of};
use crate::store::{self, CallEnding, CallState, Full, Held, NewCall, OpenCall, Store, Told};

use super::journal::Journal;

pub use refused::{Refused, reason};
pub use report::{CapState, Spent};
pub use stops::Stop;

/// Answers what may be spent; cheap to clone, and all clones answer by the same store.
#[derive(Debug, Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    journal: Journal,
    /// Real time: what providers bill by.
    clock: Clock,
    /// Bots' time, for what is written into the journal.
    bots_clock: Clock,
    terms: ArcSwap<Terms>,
    /// Reservations that nobody settled, until they are written down as such.
    dropped: Arc<Mutex<Vec<Open>>>,
    /// Told when something was settled, and there may be room again.
    room: Notify,
    /// Which bots sleep.
    stops: ArcSwap<Vec<Stop>>,
    /// Who waits for room may look for it; the others wait behind them, so that a settled call wakes few.
    line: Semaphore,
}

/// What the operator allows, and what things cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The caps.
    pub budgets: Budgets,
    /// The prices.
    pub prices: Prices,
}

/// How a call should be made.
#[derive(Debug, Clone, PartialEq)]
pub enum Advice {
    /// By the model that was asked for.
    Full,
    /// By a cheaper model.
    Cheaper,
    /// Without a model.
    Offline(Refused),
}

/// A call that may go out. Charged in full unless it is settled or released.
#[derive(Debug)]
#[must_use = "a reservation that is dropped stays charged in full"]
pub struct Reservation {
    open: Option<Open>,
    dropped: Arc<Mutex<Vec<Open>>>,
}

#[derive(Debug)]
struct Open {
    call: OpenCall,
    ask: Ask,
    held: Charge,
    price: Price,
}

/// How long a call waits for others to be settled, on the wall, when only they stand in its way.
const WAIT: Duration = Duration::from_secs(20);
/// How many of those who wait look at one time.
const LOOKING: usize = 4;
/// A call with more tokens than this is none: whoever counted them is wrong.
const MOST_TOKENS: u64 = 1_000_000_000;

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(open);
        }
    }
}

impl Reservation {
    /// What it holds: the call must not come to more.
    pub fn held(&self) -> Charge {
        self.open.as_ref().map_or(Charge::default(), |open| open.held)
    }
}

impl Budget {
    /// A budget that counts in a store, by real time.
    pub fn new(store: Store, journal: Journal, clock: Clock, bots_clock: Clock, terms: Terms) -> Self {
        let inner = Inner {
            store,
            journal,
            clock,
            bots_clock,
            terms: ArcSwap::from_pointee(terms),
            dropped: Arc::default(),
            room: Notify::new(),
            stops: ArcSwap::default(),
            line: Semaphore::new(LOOKING),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What is in force.
    pub fn terms(&self) -> Arc<Terms> {
        self.inner.terms.load_full()
    }

    /// Charges in full what a crash left, before anything is asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(&self) -> Result<(), store::Error> {
        let cut_off = self.inner.store.end_cut_off_calls().await?;
        if cut_off.calls > 0 {
            self.tell_cut_off(cut_off).await;
        }
        self.find_stops().await
    }

    /// Reserves what a call can come to at most. When only calls under way stand in its way, it waits for them for a while.
    ///
    /// # Errors
    /// Why the call must not go out.
    pub async fn reserve(&self, ask: &Ask) -> Result<Reservation, Refused> {
        self.reserve_within(ask, WAIT).await
    }

    /// The same for somebody who waits no longer than this, on the wall.
    ///
    /// # Errors
    /// Why the call must not go out.
    pub async fn reserve_within(&self, ask: &Ask, wait: Duration) -> Result<Reservation, Refused> {
        self.sweep().await;
        let deadline = Instant::now() + wait;
        // Who finds no room stands in line; whoever is in front looks again each time something is settled.
        let busy = match self.try_reserve(ask).await? {
            Ok(reservation) => return Ok(reservation),
            Err(busy) => busy,
        };
        let Ok(Ok(_place)) = tokio::time::timeout_at(deadline, self.inner.line.acquire()).await else {
            return Err(Refused::Busy(busy));
        };
        loop {
            let room = self.inner.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            let busy = match self.try_reserve(ask).await? {
                Ok(reservation) => return Ok(reservation),
                Err(busy) => busy,
            };
            if tokio::time::timeout_at(deadline, room).await.is_err() {
                return Err(Refused::Busy(busy));
            }
            self.sweep().await;
        }
    }

    async fn try_reserve(&self, ask: &Ask) -> Result<Result<Reservation, Box<Full>>, Refused> {
        let inner = &self.inner;
        let (price, most, caps) = self.look_up(ask)?;
        let call = NewCall { at: inner.clock.now(), ask: ask.clone(), most, caps };
        match inner.store.open_call(call).await.map_err(Refused::Store)? {
            Held::Open(call) => {
                let open = Open { call, ask: ask.clone(), held: most, price };
                Ok(Ok(Reservation { open: Some(open), dropped: inner.dropped.clone() }))
            }
            Held::Busy(full) => Ok(Err(Box::new(full))),
            Held::Full(full) => {
                self.note_stop(&full);
                if full.is_news {
                    self.tell(&full, Told::Full).await;
                }
                Err(Refused::Spent(Box::new(full)))
            }
        }
    }

    fn look_up(&self, ask: &Ask) -> Result<(Price, Charge, Vec<Cap>), Refused> {
        let terms = self.terms();
        let price = terms.prices.of(&ask.model, day_of(self.inner.clock.now())).map_err(Refused::NoPrice)?;
        let most = price.most(ask);
        if most.tokens > MOST_TOKENS || most.money > Money::LARGEST || price.is_too_long(ask) {
            return Err(Refused::TooLarge { model: ask.model.clone(), tokens: most.tokens });
        }
        Ok((price, most, terms.budgets.for_ask(ask)))
    }

    /// Charges a call by what the provider says it used; in full when it does not say.
    pub async fn settle(&self, mut reservation: Reservation, usage: Option<Usage>) {
        let Some(open) = reservation.open.take() else { return };
        let charge = usage.map(|usage| (open.price.of(&usage), usage));
        let ending = match charge.filter(|(charge, _)| charge.tokens <= MOST_TOKENS && charge.money <= Money::LARGEST) {
            Some((charge, usage)) => {
                if charge.money > open.held.money || charge.tokens > open.held.tokens {
                    // It is spent, whatever was allowed; so it is counted, and said.
                    warn!(
                        model = open.ask.model, purpose = open.ask.purpose, held = %open.held.money,
                        charged = %charge.money, tokens_held = open.held.tokens, tokens_charged = charge.tokens,
                        "a call came to more than it could; it is charged as the provider counts it"
                    );
                }
                let saved = open.price.saved(&usage);
                self.ending(open, CallState::Settled, charge, usage, saved)
            }
            None => {
                let held = open.held;
                self.ending(open, CallState::Assumed, held, Usage::default(), Money::ZERO)
            }
        };
        self.end(ending).await;
    }

    /// Gives a reservation back: nothing was sent, or the provider refused before it did anything.
    pub async fn release(&self, mut reservation: Reservation) {
        let Some(open) = reservation.open.take() else { return };
        let ending = self.ending(open, CallState::Unsent, Charge::default(), Usage::default(), Money::ZERO);
        self.end(ending).await;
    }

    /// How a call should be made, as things stand. Reserves nothing, so another call may be faster.
    pub async fn advice(&self, ask: &Ask) -> Advice {
        self.sweep().await;
        let (most, caps) = match self.look_up(ask) {
            Ok((_, most, caps)) => (most, caps),
            Err(refused) => return Advice::Offline(refused),
        };
        let standings = match self.inner.store.standings(&caps, self.inner.clock.now()).await {
            Ok(standings) => standings,
            Err(problem) => return Advice::Offline(Refused::Store(problem)),
        };
        let cheaper_at = self.terms().budgets.cheaper_at;
        let is_over = |full: &Full| {
            full.cap.limit.part(&full.standing.spent) + full.cap.limit.part(&most) > full.cap.limit.most()
        };
        let is_near =
            |full: &Full| cheaper_at.is_reached(full.cap.limit.part(&full.standing.used()), full.cap.limit.most());
        let is_cheaper = standings.iter().any(is_near);
        match standings.into_iter().filter(is_over).max_by_key(|full| full.until) {
            Some(full) => Advice::Offline(Refused::Spent(Box::new(full))),
            None if is_cheaper => Advice::Cheaper,
            None => Advice::Full,
        }
    }

    /// Writes down what was dropped without being settled: charged in full.
    pub async fn sweep(&self) {
        let dropped = std::mem::take(&mut *self.inner.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        for open in dropped {
            warn!(
                bot = %open.ask.bot, model = open.ask.model, purpose = open.ask.purpose, charged = %open.held.money,
                "nobody waited for the end of a call; it is charged in full"
            );
            let held = open.held;
            let ending = self.ending(open, CallState::Dropped, held, Usage::default(), Money::ZERO);
            self.end(ending).await;
        }
    }

    fn ending(&self, open: Open, state: CallState, charge: Charge, usage: Usage, saved: Money) -> CallEnding {
        let caps = self.terms().budgets.for_ask(&open.ask);
        CallEnding { open: open.call, ask: open.ask, held: open.held, state, charge, usage, saved, caps }
    }

    async fn end(&self, ending: CallEnding) {
        let budgets = &self.terms().budgets;
        let marks = [(Told::Warned, budgets.warn_at), (Told::Cheaper, budgets.cheaper_at)];
        let marks: Vec<(Told, Share)> = marks.into_iter().filter(|(_, share)| share.0 <= 1000).collect();
        match self.inner.store.end_call(ending, &marks).await {
            Ok(news) => {
                for (full, told) in news {
                    self.tell(&full, told).await;
                }
            }
            // Held is as good as charged; the next start charges it.
            Err(problem) => {
                error!(error = &problem as &dyn std::error::Error, "could not settle a call; it stays charged in full")
            }
        }
        self.inner.room.notify_waiters();
    }
}
