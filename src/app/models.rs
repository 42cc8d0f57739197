//! `fleet llm`: the models of the config, and one tiny call to each.
//!
//! A try is a call like any other: reserved before, settled after, and on the fleet's bill.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::{Config, OFFLINE, Price as Pricing, Role};
use crate::host::budget::Budget;
use crate::host::journal::Journal;
use crate::host::prompt::tokens;
use crate::llm::{Lane, Llm};
use crate::model::llm::Request;
use crate::model::message::{Message, Role as Speaker};
use crate::model::name::{BotId, PersonaName};
use crate::model::spend::{Ask, Money, Usage, day_of};
use crate::store::Store;
use crate::text;

/// One model as the config has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What its provider calls it.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The roles, personas and bots that it is given to.
    pub writes_for: Vec<String>,
    /// Whether its provider's key is there; nothing if it needs none.
    pub has_key: Option<bool>,
    /// Whether it costs nothing.
    pub is_free: bool,
}

/// What came of a try.
#[derive(Debug)]
pub struct Tried {
    /// The model.
    pub model: Listed,
    /// How long it took.
    pub took: Duration,
    /// What it said, what it used and what that costs, or why it did not.
    pub outcome: Result<(String, Option<Usage>, Money), String>,
}

/// Every model of the config, by name.
pub fn list(config: &Config) -> Vec<Listed> {
    let llm = &config.llm;
    let given = |name: &str| {
        let roles = llm.roles.iter().map(|(role, model)| (role.as_str().to_owned(), model));
        let personas = llm.personas.iter().map(|(persona, model)| (persona.as_str().to_owned(), model));
        let bots = llm.bots.iter().map(|(bot, model)| (bot.as_str().to_owned(), model));
        let all = roles.chain(personas).chain(bots);
        all.filter(|(_, model)| model.as_str() == name).map(|(who, _)| who).collect()
    };
    llm.models
        .iter()
        .map(|(name, model)| {
            let provider = model.provider.clone().unwrap_or_default();
            let needs_key = llm
                .providers
                .get(&provider)
                .is_some_and(|provider| provider.api_key_env.is_some() || provider.api_key_file.is_some());
            Listed {
                name: name.clone(),
                id: model.model.clone().unwrap_or_default(),
                writes_for: given(name),
                has_key: needs_key.then(|| llm.keys.contains_key(&provider)),
                is_free: model.price == Pricing::Free,
                provider,
            }
        })
        .collect()
}

/// Sends one tiny call to these models, or to all; `tell` hears of each when it is done.
///
/// # Errors
/// When a name is none, the store cannot be opened, or `tell` fails.
pub async fn test(
    config: &Config,
    names: &[String],
    mut tell: impl FnMut(&Tried) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let listed = list(config);
    for name in names {
        let name =
            Role::parse(name).and_then(|role| config.llm.roles.get(&role)).map_or(name.as_str(), |name| name.as_str());
        if !listed.iter().any(|model| model.name == name) {
            let known: Vec<&str> = listed.iter().map(|model| model.name.as_str()).collect();
            let hint = match text::nearest(name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "there are none: see [llm.models] in config.toml".to_owned(),
                None => format!("there are: {}", known.join(", ")),
            };
            let what =
                if name == OFFLINE { "is the template writer, and no model" } else { "is no model of the config" };
            anyhow::bail!("`{name}` {what}\nhint: {hint}");
        }
    }
    let is_asked = |model: &&Listed| {
        names.is_empty() || names.iter().any(|name| *name == model.name || model.writes_for.contains(name))
    };
    let llm = Llm::new(&config.llm, &[])?;
    super::make_folder(&config.data_dir)?;
    let store = Store::open(&config.data_dir.join("fleet.db")).await?;
    // A fleet that runs has calls under way in the same store, so nothing is settled here but the tries.
    let (journal, terms) = (Journal::new(store.clone()), super::budget_terms(config));
    let budget = Budget::new(store.clone(), journal, Clock::wall(), Clock::wall(), terms);
    for model in listed.iter().filter(is_asked) {
        let lane = llm.lane(&model.name).context("the model has no provider")?;
        let started = Instant::now();
        let outcome = once(config, &budget, lane).await;
        tell(&Tried { model: model.clone(), took: started.elapsed(), outcome })?;
    }
    store.close().await;
    Ok(())
}

async fn once(
    config: &Config,
    budget: &Budget,
    lane: &std::sync::Arc<Lane>,
) -> Result<(String, Option<Usage>, Money), String> {
    let say = |role, content: &str| Message { role, content: content.to_owned(), image: None };
    let messages = vec![say(Speaker::System, "Answer with one word."), say(Speaker::User, "Say the word: fine")];
    let most = if lane.config().thinks { lane.config().max_output_tokens } else { 16 };
    let persona = PersonaName::new("operator").map_err(|wrong| wrong.to_string())?;
    let ask = Ask {
        bot: BotId { persona, index: 0 },
        purpose: "llm_test".to_owned(),
        model: lane.config().model.clone().unwrap_or_default(),
        input_tokens_max: tokens::most(&messages),
        output_tokens_max: u64::from(most),
        images: 0,
    };
    let request =
        Request { messages, max_output_tokens: most, schema: None, temperature: None, seed: None, stop: Vec::new() };
    let mut call = lane.call().map_err(|error| error.to_string())?;
    let turn = call.turn().await.map_err(|error| error.to_string())?;
    let reservation = budget.reserve(&ask).await.map_err(|refused| refused.to_string())?;
    let held = reservation.held().money;
    match turn.send(&request).await {
        Ok(reply) => {
            budget.settle(reservation, reply.usage).await;
            let price = config.known_prices().of(&ask.model, day_of(Timestamp::now()));
            let cost = price.ok().zip(reply.usage).map_or(held, |(price, usage)| price.of(&usage).money);
            Ok((reply.text, reply.usage, cost))
        }
        Err(error) => {
            if error.may_cost() {
                budget.settle(reservation, None).await;
            } else {
                budget.release(reservation).await;
            }
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Err(format!("{error}{cause}"))
        }
    }
}
