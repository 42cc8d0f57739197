//! `[budgets]` and `[[prices]]`: what models may cost, and what they do cost.
//!
//! Money is read exactly as it is written; a cap or a price that is not understood is refused and never guessed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::Value;

use super::value;
use crate::model::name::{BotId, PersonaName};
use crate::model::spend::{
    ActionCaps, AtEnd, Budgets, Cap, IMAGE_TOKENS, Limit, Money, Period, Price, Prices, Rates, Scope, Share,
};

/// `[budgets]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetsConfig {
    /// The currency of all amounts.
    #[serde(deserialize_with = "currency")]
    pub currency: String,
    /// From which part of a cap on the operator is warned.
    #[serde(deserialize_with = "share")]
    pub warn_at: Share,
    /// From which part of a cap on the cheaper model writes.
    #[serde(deserialize_with = "share")]
    pub cheaper_at: Share,
    /// What happens at the end of a cap that does not say.
    #[serde(deserialize_with = "at_end")]
    pub at_end: AtEnd,
    /// Actions of the whole fleet in an hour of real time; 0 is no cap.
    #[serde(deserialize_with = "value::whole::<0, 10_000_000, _, _>")]
    pub actions_per_hour: u64,
    /// Actions of the whole fleet in a day of real time; 0 is no cap.
    #[serde(deserialize_with = "value::whole::<0, 10_000_000, _, _>")]
    pub actions_per_day: u64,
    /// The caps.
    pub caps: Vec<CapConfig>,
}

/// One of `[[budgets.caps]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapConfig {
    scope: Scope,
    name: Option<String>,
    period: Period,
    limits: Vec<Limit>,
    at_end: Option<AtEnd>,
}

/// All `[[prices]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PricesConfig(Prices);

/// The currency of the prices that come with the program.
const CURRENCY: &str = "USD";
/// They, as they are written.
const SHIPPED_PRICES: &str = include_str!("prices.toml");

impl super::Settings {
    /// What the operator allows.
    pub fn budgets(&self) -> Budgets {
        let budgets = &self.budgets;
        let cap = |written: &CapConfig, limit: &Limit| Cap {
            scope: written.scope,
            name: written.name.clone(),
            period: written.period,
            limit: *limit,
            at_end: written.at_end.unwrap_or(budgets.at_end),
        };
        let some = |most: u64| (most > 0).then_some(most);
        Budgets {
            caps: budgets
                .caps
                .iter()
                .flat_map(|written| written.limits.iter().map(|limit| cap(written, limit)))
                .collect(),
            warn_at: budgets.warn_at,
            cheaper_at: budgets.cheaper_at,
            actions: ActionCaps { per_hour: some(budgets.actions_per_hour), per_day: some(budgets.actions_per_day) },
            currency: budgets.currency.clone(),
        }
    }

    /// What models cost: the prices that come with the program, when they are in the fleet's currency, the fleet's own, and
    /// nothing for the models that it says are free.
    pub fn known_prices(&self) -> Prices {
        let mut prices = if self.budgets.currency == CURRENCY { shipped_prices() } else { Prices::default() };
        prices.0.extend(self.prices.0.0.clone());
        let free = Price { from: Date::MIN, rates: Rates::default(), image_tokens: IMAGE_TOKENS, up_to_input: None };
        prices.0.extend(self.llm.free_models().map(|model| (model.to_owned(), vec![free])));
        prices
    }
}

/// The prices that come with the program; a test holds that they can be read.
pub fn shipped_prices() -> Prices {
    #[derive(Deserialize)]
    struct File {
        prices: PricesConfig,
    }
    toml::from_str::<File>(SHIPPED_PRICES).map(|file| file.prices.0).unwrap_or_default()
}

impl<'de> Deserialize<'de> for CapConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, expecting = "expected a table with `scope`, `period` and `money` or `tokens`")]
        struct Keys {
            #[serde(deserialize_with = "scope")]
            scope: Scope,
            #[serde(default, deserialize_with = "name")]
            name: Option<String>,
            #[serde(deserialize_with = "period")]
            period: Period,
            #[serde(default, deserialize_with = "money")]
            money: Option<Money>,
            #[serde(default, deserialize_with = "tokens")]
            tokens: Option<u64>,
            #[serde(default, deserialize_with = "some_at_end")]
            at_end: Option<AtEnd>,
        }
        let Keys { scope, name, period, money, tokens, at_end } = Keys::deserialize(from)?;
        let wrong = |text: &str| Err(D::Error::custom(text));
        match (scope, name.as_deref()) {
            (Scope::Fleet, Some(_)) => return wrong("expected no `name` beside scope = \"fleet\""),
            (Scope::Bot, Some(name)) if name.parse::<BotId>().is_err() => {
                return wrong("expected a bot's id as `name`, such as \"ai_artist-17\"");
            }
            (Scope::Persona, Some(name)) if PersonaName::new(name).is_err() => {
                return wrong("expected a persona as `name`, such as \"ai_artist\"");
            }
            _ => {}
        }
        let limits: Vec<Limit> = money.map(Limit::Money).into_iter().chain(tokens.map(Limit::Tokens)).collect();
        if limits.is_empty() {
            return wrong("expected `money` or `tokens`: how much at most");
        }
        Ok(Self { scope, name, period, limits, at_end })
    }
}

impl<'de> Deserialize<'de> for PricesConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut prices: BTreeMap<String, Vec<Price>> = BTreeMap::new();
        for PriceConfig { model, price } in Vec::<PriceConfig>::deserialize(from)? {
            let known = prices.entry(model.clone()).or_default();
            if known.iter().any(|other| other.from == price.from) {
                return Err(D::Error::custom(format!(
                    "expected one price for each day, found two for `{model}` from the same day on"
                )));
            }
            known.push(price);
        }
        Ok(Self(Prices(prices)))
    }
}

struct PriceConfig {
    model: String,
    price: Price,
}

impl<'de> Deserialize<'de> for PriceConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            deny_unknown_fields,
            expecting = "expected a table with `model`, and `input` and `output` or price = \"free\""
        )]
        struct Keys {
            #[serde(deserialize_with = "value::text::<200, _>")]
            model: String,
            #[serde(default, deserialize_with = "free")]
            price: bool,
            #[serde(default, deserialize_with = "day")]
            from: Option<Date>,
            #[serde(default, deserialize_with = "money")]
            input: Option<Money>,
            #[serde(default, deserialize_with = "money")]
            cached_input: Option<Money>,
            #[serde(default, deserialize_with = "money")]
            image: Option<Money>,
            #[serde(default, deserialize_with = "money")]
            output: Option<Money>,
            #[serde(default, deserialize_with = "tokens")]
            image_tokens: Option<u64>,
            #[serde(default, deserialize_with = "tokens")]
            up_to_input: Option<u64>,
        }
        let keys = Keys::deserialize(from)?;
        let amounts = [keys.input, keys.cached_input, keys.image, keys.output];
        let rates = match (keys.price, keys.input, keys.output) {
            (true, ..) if amounts.iter().any(Option::is_some) => {
                return Err(D::Error::custom("expected no amounts beside price = \"free\""));
            }
            (true, ..) => Rates::default(),
            (false, Some(input), Some(output)) => Rates {
                input,
                cached_input: keys.cached_input.unwrap_or(input),
                image: keys.image.unwrap_or(input),
                output,
            },
            (false, ..) => return Err(D::Error::custom("expected `input` and `output`, or price = \"free\"")),
        };
        let price = Price {
            from: keys.from.unwrap_or(Date::MIN),
            rates,
            image_tokens: keys.image_tokens.unwrap_or(IMAGE_TOKENS),
            up_to_input: keys.up_to_input,
        };
        Ok(Self { model: keys.model, price })
    }
}

/// An amount of money: a text, or a number, which is taken as it is written.
fn money<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Money>, D::Error> {
    let text = match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        // The shortest decimal that reads as this number is what was written.
        Value::Float(number) => number.to_string(),
        _ => String::new(),
    };
    text.parse().map(Some).map_err(|wrong| D::Error::custom(format!("expected {wrong}")))
}

fn tokens<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    value::whole::<0, 1_000_000_000_000, u64, D>(from).map(Some)
}

/// A part from 0 to 1, as thousandths.
fn share<'de, D: Deserializer<'de>>(from: D) -> Result<Share, D::Error> {
    let part = value::number::<0, 1, D>(from)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    Ok(Share((part * 1000.0).round() as u16))
}

fn currency<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = value::text::<3, D>(from)
        .ok()
        .filter(|text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()));
    text.ok_or_else(|| D::Error::custom("expected a currency's three letters, such as \"USD\""))
}

fn scope<'de, D: Deserializer<'de>>(from: D) -> Result<Scope, D::Error> {
    value::one_of(from, &Scope::ALL.map(|scope| (scope.as_str(), scope)))
}

fn period<'de, D: Deserializer<'de>>(from: D) -> Result<Period, D::Error> {
    value::one_of(from, &Period::ALL.map(|period| (period.as_str(), period)))
}

fn at_end<'de, D: Deserializer<'de>>(from: D) -> Result<AtEnd, D::Error> {
    value::one_of(from, &[AtEnd::Offline, AtEnd::Sleep].map(|end| (end.as_str(), end)))
}

fn some_at_end<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AtEnd>, D::Error> {
    at_end(from).map(Some)
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    value::text::<200, D>(from).map(Some)
}

fn free<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    value::one_of(from, &[("free", true)])
}

fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let text = match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Datetime(day) => day.to_string(),
        _ => String::new(),
    };
    text.parse().map(Some).map_err(|_| D::Error::custom("expected a day, such as 2026-10-07"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prices_that_come_with_the_program_can_be_read() {
        let prices = shipped_prices();
        assert!(prices.0.len() >= 5, "{prices:?}");
        assert!(prices.0.values().flatten().all(|price| !price.is_free()), "no hosted model is free");
        let entries = SHIPPED_PRICES.matches("\n[[prices]]").count();
        assert_eq!(prices.0.values().map(Vec::len).sum::<usize>(), entries);
        // Each says where it is from.
        for entry in SHIPPED_PRICES.split("\n[[prices]]").take(entries) {
            let comment = entry.rsplit("\n\n").next().unwrap_or_default();
            assert!(comment.contains("https://") || comment.contains("same page"), "{comment}");
        }
    }
}
