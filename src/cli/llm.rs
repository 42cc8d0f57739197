//! `fleet llm`: which models there are, and whether they answer.
//!
//! No key is shown, only whether it is there.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::local::runtime;
use super::output::Output;
use crate::app::models::{self, Listed, Tried};
use crate::config::{Config, LlmProvider};
use crate::text::printable;

/// `fleet llm`
#[derive(Debug, Args)]
pub(super) struct LlmArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send one tiny call, and print how long it took, what it used and what it cost
    Test {
        /// Models or roles of the config; without any, all models
        models: Vec<String>,
    },
}

/// Lists the models, or tries them.
pub(super) fn run(config: &Config, args: &LlmArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        None => list(config, args, output),
        Some(Command::Test { models }) => test(config, models, args, output),
    }
}

fn list(config: &Config, args: &LlmArgs, output: &Output) -> Result<Exit, Failure> {
    let listed = models::list(config);
    if args.json {
        output.json(&listed.iter().map(shown).collect())?;
        return Ok(Exit::Fine);
    }
    if config.llm.provider == LlmProvider::Offline {
        output.text("llm.provider = \"offline\": the personas' templates write, and no model is asked.\n")?;
    }
    if listed.is_empty() {
        output.text("The config names no model; config.toml shows how, under [llm.models].\n")?;
        return Ok(Exit::Fine);
    }
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|model| {
            let key = model.has_key.map_or("none needed", |has_key| if has_key { "set" } else { "missing" });
            let price = if model.is_free { "free" } else { "by the table" };
            let texts = [&model.name, &model.id, &model.provider];
            let mut row: Vec<String> = texts.into_iter().map(|text| printable(text)).collect();
            row.extend([key.to_owned(), price.to_owned(), printable(&model.writes_for.join(", "))]);
            row
        })
        .collect();
    output.table(&["MODEL", "ID", "PROVIDER", "KEY", "PRICE", "WRITES FOR"], &rows)?;
    Ok(Exit::Fine)
}

fn test(config: &Config, names: &[String], args: &LlmArgs, output: &Output) -> Result<Exit, Failure> {
    let (mut tried, mut failed) = (0, false);
    let currency = &config.budgets.currency;
    runtime()?.block_on(models::test(config, names, |one: &Tried| {
        tried += 1;
        failed |= one.outcome.is_err();
        if args.json {
            let mut value = shown(&one.model);
            value["seconds"] = json!(one.took.as_secs_f64());
            match &one.outcome {
                Ok((said, usage, cost)) => {
                    value["said"] = json!(said);
                    value["usage"] = usage.map_or(Value::Null, |usage| {
                        json!({ "input": usage.input, "cached_input": usage.cached_input, "output": usage.output })
                    });
                    value["cost"] = json!(cost.to_string());
                    value["currency"] = json!(currency);
                }
                Err(why) => value["error"] = json!(why),
            }
            return Ok(output.json_line(&value)?);
        }
        let who = format!("{} ({} at {})", one.model.name, one.model.id, one.model.provider);
        let took = one.took.as_secs_f64();
        let told = match &one.outcome {
            Ok((said, usage, cost)) => {
                let used = usage.map_or_else(
                    || "tokens not told, so charged in full".to_owned(),
                    |usage| format!("{} tokens in, {} out", usage.input, usage.output),
                );
                let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
                format!("{who}: answered in {took:.2} s, {used}, {} {currency}: {said}\n", cost.rounded(6))
            }
            Err(why) => format!("{who}: FAILED after {took:.2} s: {why}\n"),
        };
        Ok(output.text(&format!("{}\n", printable(told.trim_end())))?)
    }))?;
    if tried == 0 {
        return Err(Failure::usage(
            anyhow::anyhow!("the config names no model"),
            Some("config.toml shows how, under [llm.providers] and [llm.models]".to_owned()),
        ));
    }
    Ok(if failed { Exit::Failed } else { Exit::Fine })
}

fn shown(model: &Listed) -> Value {
    json!({
        "name": model.name, "id": model.id, "provider": model.provider, "writes_for": model.writes_for,
        "key": model.has_key.map(|has_key| if has_key { "set" } else { "missing" }), "free": model.is_free,
    })
}
