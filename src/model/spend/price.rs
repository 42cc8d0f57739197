//! Prices: what a model's tokens cost, and from when on.
//!
//! A model without a price is not called, because nobody could say what it costs.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Ask, Charge, Money, Usage};

/// What a million tokens cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of a prompt.
    pub input: Money,
    /// Of a prompt, when the provider has them in its cache.
    pub cached_input: Money,
    /// Of pictures in a prompt.
    pub image: Money,
    /// Of an answer.
    pub output: Money,
}

/// What a model costs from some day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The first day, in UTC.
    pub from: Date,
    /// What a million tokens cost; nothing when the model is free.
    pub rates: Rates,
    /// Tokens that one picture takes at most.
    pub image_tokens: u64,
    /// The longest prompt that has this price, pictures counted; a longer one has another, which nobody has told.
    pub up_to_input: Option<u64>,
}

/// Tokens of one picture, where the table does not say.
pub const IMAGE_TOKENS: u64 = 4096;

/// Every model's prices, in the order of their days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices(pub BTreeMap<String, Vec<Price>>);

/// Why nobody can say what a model costs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPrice {
    /// It is not in the table.
    #[error(
        "the model `{model}` has no price, so no budget can hold: add to the config\n\
         [[prices]]\nmodel = \"{model}\"\ninput = \"…\"   # per million tokens\noutput = \"…\"\n\
         or, when it costs nothing,\n[[prices]]\nmodel = \"{model}\"\nprice = \"free\""
    )]
    Unknown {
        /// The model.
        model: String,
    },
    /// It is, but only from some day on.
    #[error("the model `{model}` has a price only from {from} on: give its [[prices]] entry an earlier `from`")]
    NotYet {
        /// The model.
        model: String,
        /// The first day with a price.
        from: Date,
    },
}

impl NoPrice {
    /// In one line, for a log or a failure.
    pub fn in_one_line(&self) -> String {
        match self {
            Self::Unknown { model } => format!(
                "the model `{model}` has no price, so no budget can hold: add \
                 prices = [{{ model = \"{model}\", input = \"…\", output = \"…\" }}], per million tokens, \
                 or {{ model = \"{model}\", price = \"free\" }}"
            ),
            Self::NotYet { .. } => self.to_string(),
        }
    }
}

impl Prices {
    /// What a model costs on a day.
    ///
    /// # Errors
    /// When nobody can say.
    pub fn of(&self, model: &str, day: Date) -> Result<Price, NoPrice> {
        let Some(prices) = self.0.get(model).filter(|prices| !prices.is_empty()) else {
            return Err(NoPrice::Unknown { model: model.to_owned() });
        };
        let in_force = prices.iter().filter(|price| price.from <= day).max_by_key(|price| price.from);
        in_force.copied().ok_or_else(|| NoPrice::NotYet {
            model: model.to_owned(),
            from: prices.iter().map(|price| price.from).min().unwrap_or(Date::MAX),
        })
    }
}

impl Price {
    /// Whether a prompt is too long for this price.
    pub fn is_too_long(&self, ask: &Ask) -> bool {
        let images = u64::from(ask.images).saturating_mul(self.image_tokens);
        self.up_to_input.is_some_and(|most| ask.input_tokens_max.saturating_add(images) > most)
    }

    /// What a call can come to at most.
    pub fn most(&self, ask: &Ask) -> Charge {
        let rates = &self.rates;
        let dearest = rates.input.max(rates.cached_input).max(rates.image);
        let images = u64::from(ask.images).saturating_mul(self.image_tokens);
        let input = ask.input_tokens_max.saturating_add(images);
        let parts = [(ask.input_tokens_max, rates.input.max(rates.cached_input)), (images, dearest)];
        Charge {
            money: sum(parts.into_iter().chain([(ask.output_tokens_max, rates.output)])),
            tokens: input.saturating_add(ask.output_tokens_max),
        }
    }

    /// What a call came to.
    pub fn of(&self, usage: &Usage) -> Charge {
        let plain = if usage.is_inclusive() { usage.input - usage.apart() } else { usage.input };
        let rates = &self.rates;
        let parts = [
            (plain, rates.input),
            (usage.cached_input, rates.cached_input),
            (usage.image, rates.image),
            (usage.output, rates.output),
        ];
        Charge { money: sum(parts), tokens: usage.tokens() }
    }

    /// What the provider's cache saved in a call.
    pub fn saved(&self, usage: &Usage) -> Money {
        sum([(usage.cached_input, self.rates.input.saturating_sub(self.rates.cached_input))])
    }

    /// Whether nothing of it costs anything.
    pub fn is_free(&self) -> bool {
        self.rates == Rates::default()
    }
}

/// Tokens at their rates per million, rounded up once.
fn sum(parts: impl IntoIterator<Item = (u64, Money)>) -> Money {
    let cost = |(tokens, rate): (u64, Money)| i128::from(tokens) * i128::from(rate.nano());
    let total: i128 = parts.into_iter().map(cost).fold(0, i128::saturating_add);
    Money::at_least(total.saturating_add(999_999) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Price {
        let money = |text: &str| text.parse().expect("money");
        let rates =
            Rates { input: money("0.15"), cached_input: money("0.075"), image: money("0.15"), output: money("0.60") };
        Price { from: Date::MIN, rates, image_tokens: 1000, up_to_input: None }
    }

    #[test]
    fn a_call_costs_what_its_tokens_cost() {
        let usage = Usage { input: 3000, cached_input: 1000, image: 500, output: 100 };
        // 1500 × 150 + 1000 × 75 + 500 × 150 + 100 × 600 nano-units.
        assert_eq!(price().of(&usage), Charge { money: Money::from_nano(435_000), tokens: 3100 });
        assert_eq!(price().saved(&usage), Money::from_nano(75_000));
        // Reported apart: charged beside the rest.
        let apart = Usage { input: 10, cached_input: 1000, image: 0, output: 0 };
        assert_eq!(price().of(&apart), Charge { money: Money::from_nano(76_500), tokens: 1010 });
    }

    #[test]
    fn parts_of_a_nano_unit_are_rounded_up() {
        let rates = Rates { input: Money::from_nano(1), ..Rates::default() };
        let price = Price { rates, ..price() };
        assert_eq!(price.of(&Usage { input: 1, ..Usage::default() }).money, Money::from_nano(1));
        assert_eq!(
            price.of(&Usage { input: u64::MAX, ..Usage::default() }).money,
            Money::from_nano(18_446_744_073_710)
        );
    }

    #[test]
    fn a_price_counts_from_its_day_on() {
        let day = |text: &str| text.parse::<Date>().expect("a day");
        let new = Price { from: day("2026-03-01"), ..price() };
        let old = Price { from: day("2025-01-01"), ..price() };
        let prices = Prices(BTreeMap::from([("m".to_owned(), vec![new, old])]));
        assert_eq!(prices.of("m", day("2026-02-28")), Ok(old));
        assert_eq!(prices.of("m", day("2026-03-01")), Ok(new));
        assert_eq!(
            prices.of("m", day("2024-12-31")).map_err(|no| no.to_string()).expect_err("none yet"),
            "the model `m` has a price only from 2025-01-01 on: give its [[prices]] entry an earlier `from`"
        );
        let unknown = prices.of("x", day("2026-01-01")).expect_err("none");
        assert!(unknown.to_string().contains("[[prices]]\nmodel = \"x\""), "{unknown}");
        assert!(!unknown.in_one_line().contains('\n'));
    }
}
