//! Spend: money and tokens, what they are counted in, and how much of them may be used.
//!
//! Money is a whole number of nano-units, so that sums are exact; what is rounded is rounded up.

mod cap;
mod money;
mod price;

use crate::model::name::BotId;

pub use cap::{ActionCaps, AtEnd, Budgets, Cap, Limit, Period, Scope, Share, day_of};
pub use money::Money;
pub use price::{IMAGE_TOKENS, NoPrice, Price, Prices, Rates};

/// A call that somebody would like to make to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// For which bot, and so for which persona.
    pub bot: BotId,
    /// What for, as the script says it, like `comment`.
    pub purpose: String,
    /// The model's name as the provider is told it.
    pub model: String,
    /// Tokens of the prompt at most, without its pictures. A bound and no guess: no token is shorter than a byte.
    pub input_tokens_max: u64,
    /// Tokens of the answer at most, as the provider is told to stop there.
    pub output_tokens_max: u64,
    /// Pictures that the prompt shows.
    pub images: u32,
}

/// What a call used, as the provider says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt: all of them, those from a cache and those of pictures too.
    pub input: u64,
    /// Those of them that the provider had in its cache.
    pub cached_input: u64,
    /// Those of them that are pictures, when the provider tells them apart.
    pub image: u64,
    /// Tokens of the answer, hidden reasoning counted.
    pub output: u64,
}

impl Usage {
    /// All tokens, as budgets count them.
    pub fn tokens(&self) -> u64 {
        // A provider that reports more cached tokens than tokens counts them apart.
        let input = if self.is_inclusive() { self.input } else { self.input.saturating_add(self.apart()) };
        input.saturating_add(self.output)
    }

    fn apart(&self) -> u64 {
        self.cached_input.saturating_add(self.image)
    }

    fn is_inclusive(&self) -> bool {
        self.apart() <= self.input
    }
}

/// Money and tokens together: what is reserved or charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charge {
    /// In money.
    pub money: Money,
    /// In tokens.
    pub tokens: u64,
}
