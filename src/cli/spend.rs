//! `fleet spend`: what models cost, on what, and what the month will come to.
//!
//! `--json` prints the fleet's answer as it came, `--csv` its rows for a spreadsheet.

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::failure::{Exit, Failure};
use super::output::{Output, Unwritten, cell};
use super::remote::Remote;
use super::show::seconds;
use crate::config::Config;
use crate::model::spend::Money;
use crate::text::printable;

/// `fleet spend`
#[derive(Debug, Args)]
pub(super) struct SpendArgs {
    /// Show only this: by bot, persona, purpose or model
    #[arg(long, value_enum)]
    by: Option<By>,
    /// At most so many of each, the dearest first
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long, conflicts_with_all = ["csv", "by"])]
    json: bool,
    /// Count by the clock again, after it was set to a later time by mistake while calls were made
    #[arg(long, conflicts_with_all = ["csv", "by", "json"])]
    trust_clock: bool,
    /// Print a table for spreadsheets: a line for the fleet and each bot, persona, purpose and model
    #[arg(long)]
    csv: bool,
}

/// What spend is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Bot,
    Persona,
    Purpose,
    Model,
}

impl By {
    const ALL: [Self; 4] = [Self::Persona, Self::Purpose, Self::Model, Self::Bot];

    fn word(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Persona => "persona",
            Self::Purpose => "purpose",
            Self::Model => "model",
        }
    }

    fn rows(self, spend: &Value) -> &[Value] {
        list(spend, &format!("by_{}", self.word()))
    }
}

/// A clock that is behind by so many seconds is said to be.
const BEHIND: u64 = 60;

/// What a line of CSV has of each period.
const COLUMNS: [&str; 6] = ["money", "tokens", "calls", "cached_tokens", "saved", "actions"];

/// Prints what was spent.
pub(super) fn spend(config: &Config, args: &SpendArgs, output: Output) -> Result<Exit, Failure> {
    if args.trust_clock {
        let reply = Remote::of(config)?.post("/api/v1/spend/clock", &serde_json::json!({}))?;
        output.text(&format!("{}\n", printable(&cell(reply.get("message")))))?;
        return Ok(Exit::Fine);
    }
    let spend = Remote::of(config)?.get(&format!("/api/v1/spend?limit={}", args.limit))?;
    let chosen: Vec<By> = args.by.map_or_else(|| By::ALL.to_vec(), |by| vec![by]);
    if args.json {
        output.json(&spend)?;
    } else if args.csv {
        csv(&spend, &chosen, args.by.is_none(), &output)?;
    } else {
        if args.by.is_none() {
            totals(&spend, &output)?;
            caps(&spend, &output)?;
        }
        for by in chosen {
            rows(&spend, by, &output)?;
        }
    }
    Ok(Exit::Fine)
}

fn list<'a>(spend: &'a Value, key: &str) -> &'a [Value] {
    spend.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn of(value: &Value, period: &str, key: &str) -> String {
    cell(value.get(period).and_then(|totals| totals.get(key)))
}

/// An amount as people read it: four digits after the point are enough.
fn short(text: &str) -> String {
    text.parse::<Money>().map_or_else(|_| text.to_owned(), |money| money.rounded(4))
}

fn totals(spend: &Value, output: &Output) -> Result<(), Unwritten> {
    let currency = cell(spend.get("currency"));
    let lines = [
        (format!("spent, {currency}"), "money"),
        ("held by calls under way".to_owned(), "held"),
        ("calls".to_owned(), "calls"),
        ("tokens".to_owned(), "tokens"),
        ("of them from caches".to_owned(), "cached_tokens"),
        ("saved by caches".to_owned(), "saved"),
        ("actions".to_owned(), "actions"),
        ("spent per action".to_owned(), "per_action"),
    ];
    let shown = |period: &str, key: &str| {
        let text = of(spend, period, key);
        if matches!(key, "money" | "held" | "saved") { short(&text) } else { text }
    };
    let rows: Vec<Vec<String>> =
        lines.into_iter().map(|(name, key)| vec![name, shown("today", key), shown("month", key)]).collect();
    output.table(&["", "today", "this month"], &rows)?;
    if let Some(forecast) = spend.get("forecast").and_then(Value::as_str) {
        let forecast = short(forecast);
        output.text(&format!("\nthis month, if it goes on like the last days: {forecast} {currency}\n"))?;
    }
    if let Some(behind) = spend.get("behind_secs").and_then(Value::as_u64).filter(|behind| *behind >= BEHIND) {
        let until = seconds(&cell(spend.get("at")));
        output.text(&format!(
            "the clock is {behind} s behind the newest call: no period begins anew before {until}. \
             If the clock was wrong then: fleet spend --trust-clock\n"
        ))?;
    }
    for end in list(spend, "charged_in_full") {
        let why = match cell(end.get("why")).as_str() {
            "assumed" => "the provider did not say what they used",
            "dropped" => "nobody waited for their end",
            _ => "the process ended while they were under way",
        };
        let (calls, money) = (cell(end.get("calls")), short(&cell(end.get("money"))));
        output.text(&format!("this month {calls} calls are charged in full, {money} {currency}: {why}\n"))?;
    }
    Ok(())
}

fn caps(spend: &Value, output: &Output) -> Result<(), Unwritten> {
    match list(spend, "caps") {
        [] => output.text("\nno caps: [budgets] in the config sets them\n"),
        caps => show_caps(caps, output),
    }
}

/// A line for each cap.
pub(super) fn show_caps(caps: &[Value], output: &Output) -> Result<(), Unwritten> {
    let rows: Vec<Vec<String>> = caps
        .iter()
        .map(|cap| {
            let text = |key: &str| cell(cap.get(key));
            let whose = if text("name") == "-" { text("scope") } else { format!("{} {}", text("scope"), text("name")) };
            let is_money = text("unit") == "money";
            let amount = |key: &str| if is_money { short(&text(key)) } else { text(key) };
            let unit = if is_money { "" } else { " tokens" };
            let percent = cap.get("share").and_then(Value::as_f64).unwrap_or(0.0) * 100.0;
            vec![
                format!("{whose}, {}", text("period")),
                format!("{} of {}{unit}", amount("used"), amount("limit")),
                format!("{percent:.0} %"),
                seconds(&text("until")),
                match cap.get("used_up").and_then(Value::as_str) {
                    Some(reason) => format!("used up: {reason}"),
                    None => format!("then {}", text("at_end")),
                },
            ]
        })
        .collect();
    output.text("\n")?;
    output.table(&["cap", "used", "share", "until", "at its end"], &rows)
}

fn rows(spend: &Value, by: By, output: &Output) -> Result<(), Unwritten> {
    let items = by.rows(spend);
    if items.is_empty() {
        return Ok(());
    }
    let acts = matches!(by, By::Bot | By::Persona);
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let mut row = vec![cell(item.get("name"))];
            row.extend(["today", "month"].map(|period| short(&of(item, period, "money"))));
            row.extend(["calls", "tokens", "saved"].map(|key| match key {
                "saved" => short(&of(item, "month", key)),
                key => of(item, "month", key),
            }));
            if acts {
                row.push(of(item, "month", "per_action"));
            }
            row
        })
        .collect();
    let mut header = vec![by.word(), "today", "this month", "calls", "tokens", "saved"];
    if acts {
        header.push("per action");
    }
    output.text("\n")?;
    output.table(&header, &rows)
}

fn csv(spend: &Value, chosen: &[By], with_fleet: bool, output: &Output) -> Result<(), Unwritten> {
    let periods = ["today", "month"];
    let mut text = String::from("scope,name,currency");
    for period in periods {
        COLUMNS.iter().for_each(|column| text.push_str(&format!(",{period}_{column}")));
    }
    text.push('\n');
    let currency = cell(spend.get("currency"));
    let mut line = |scope: &str, name: &str, value: &Value| {
        text.push_str(&format!("{scope},{},{}", field(name), field(&currency)));
        for period in periods {
            COLUMNS.iter().for_each(|column| text.push_str(&format!(",{}", field(&of(value, period, column)))));
        }
        text.push('\n');
    };
    if with_fleet {
        line("fleet", "", spend);
    }
    for by in chosen {
        by.rows(spend).iter().for_each(|item| line(by.word(), &cell(item.get("name")), item));
    }
    output.text(&text)
}

/// A field of CSV: quoted where it must be, and never a formula.
fn field(text: &str) -> String {
    let safe = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    let clean: String = safe.chars().map(|c| if crate::text::is_unsafe(c) { '\u{fffd}' } else { c }).collect();
    if clean.contains([',', '"']) { format!("\"{}\"", clean.replace('"', "\"\"")) } else { clean }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_field_of_csv_is_one_field_and_no_formula() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("a\nb", "a\u{fffd}b"),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
