//! `fleet plugins`: what each does, how it fares, what its options are, and pausing one.
//!
//! `--json` prints the fleet's answer as it came.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::output::{Output, Unwritten, cell};
use super::remote::Remote;
use super::show::{self, list, seconds};
use crate::config::Config;
use crate::model::plugin::PluginName;
use crate::text::printable;

/// `fleet plugins`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct PluginsArgs {
    /// Show this plugin with its options; without it, every plugin
    plugin: Option<PluginName>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<PluginsCommand>,
}

#[derive(Debug, Subcommand)]
enum PluginsCommand {
    /// Let nobody ask a plugin until it is resumed; actions go on without it
    Pause {
        /// The plugin
        plugin: PluginName,
        /// Why, for those who look at the fleet
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a plugin be asked again, out of quarantine too
    Resume {
        /// The plugin
        plugin: PluginName,
    },
}

/// Asks or tells the running fleet.
pub(super) fn run(config: &Config, args: &PluginsArgs, output: Output) -> Result<Exit, Failure> {
    let (plugin, verb, body) = match &args.command {
        None => return look(config, args, &output),
        Some(PluginsCommand::Pause { plugin, reason: Some(reason) }) => (plugin, "pause", json!({ "reason": reason })),
        Some(PluginsCommand::Pause { plugin, reason: None }) => (plugin, "pause", json!({})),
        Some(PluginsCommand::Resume { plugin }) => (plugin, "resume", json!({})),
    };
    let reply = Remote::of(config)?.post(&format!("/api/v1/plugins/{plugin}/{verb}"), &body)?;
    output.text(&format!("{}\n", printable(reply.get("message").and_then(Value::as_str).unwrap_or("done"))))?;
    Ok(Exit::Fine)
}

fn look(config: &Config, args: &PluginsArgs, output: &Output) -> Result<Exit, Failure> {
    let path = match &args.plugin {
        Some(plugin) => format!("/api/v1/plugins/{plugin}"),
        None => "/api/v1/plugins".to_owned(),
    };
    let found = Remote::of(config)?.get(&path)?;
    let plugins = if args.plugin.is_some() { vec![found.clone()] } else { list(&found, "items") };
    match (args.json, plugins.as_slice()) {
        (true, _) => output.json(&found)?,
        (false, [plugin]) if args.plugin.is_some() => show_plugin(plugin, output)?,
        (false, []) => output.text("no plugins: a folder in plugins/ with an init.luau is one\n")?,
        (false, plugins) => show_plugins(plugins, output)?,
    }
    if !args.json {
        list(&found, "problems").iter().try_for_each(|problem| show::problem(problem, output))?;
    }
    let is_wrong = plugins.iter().any(|plugin| !list(plugin, "errors").is_empty());
    Ok(if is_wrong { Exit::Scripts } else { Exit::Fine })
}

/// A line for each plugin, in the order in which they are asked, then every problem.
fn show_plugins(plugins: &[Value], output: &Output) -> Result<(), Unwritten> {
    let rows: Vec<Vec<String>> = plugins
        .iter()
        .map(|plugin| {
            let calls = list(plugin, "calls");
            let asked = calls.iter().find(|calls| cell(calls.get("function")) == "before_action");
            let of_asked = |key: &str| asked.map_or_else(|| "-".to_owned(), |calls| cell(calls.get(key)));
            let words = |key: &str| cell(plugin.get(key));
            vec![
                words("name"),
                words("version"),
                words("hooks"),
                of_asked("calls"),
                of_asked("denied"),
                of_asked("changed"),
                words("faults"),
                asked.map_or_else(|| "-".to_owned(), |calls| format!("{} ms", cell(calls.get("p50_millis")))),
                words("reason"),
            ]
        })
        .collect();
    output.table(
        &["plugin", "version", "hooks", "asked", "denied", "changed", "faults", "half within", "state"],
        &rows,
    )?;
    plugins.iter().try_for_each(|plugin| show::problems(plugin, output))
}

/// One plugin: what it is, what the config may set, how it fares, what is wrong with it.
fn show_plugin(plugin: &Value, output: &Output) -> Result<(), Unwritten> {
    let names = [
        "name",
        "title",
        "description",
        "file",
        "version",
        "accepted_at",
        "status",
        "reason",
        "on_error",
        "needs",
        "hooks",
        "exports",
        "before",
        "after",
        "waiting",
        "missed",
    ];
    let rows: Vec<Vec<String>> = names
        .iter()
        .map(|name| (*name, seconds(&cell(plugin.get(*name)))))
        .filter(|(_, value)| !value.is_empty() && value != "-")
        .map(|(name, value)| vec![name.replace('_', " "), value])
        .collect();
    output.table(&[], &rows)?;
    let rows_of = |key: &str, columns: &[&str]| -> Vec<Vec<String>> {
        let row = |item: &Value| columns.iter().map(|column| shown(item.get(*column))).collect();
        list(plugin, key).iter().map(row).collect()
    };
    let tables = [
        ("options", &["key", "value", "expected", "doc"][..], &["option", "value", "takes", "what it is for"][..]),
        ("timers", &["key", "every_secs", "ran_at", "next_at"], &["timer", "every, s", "ran at", "runs at"]),
        (
            "calls",
            &["function", "calls", "faults", "denied", "changed", "p50_millis", "p99_millis"],
            &["function", "calls", "faults", "denied", "changed", "half within, ms", "99 % within, ms"],
        ),
    ];
    for (key, columns, header) in tables {
        let rows = rows_of(key, columns);
        if !rows.is_empty() {
            output.text("\n")?;
            output.table(header, &rows)?;
        }
    }
    if let Some(fault) = plugin.get("fault").filter(|fault| !fault.is_null()) {
        let at = seconds(&cell(plugin.get("fault_at")));
        output.text(&format!("\nlast fault at {}\n", printable(&at)))?;
        show::problem(fault, output)?;
    }
    show::problems(plugin, output)
}

/// A value as one would write it in the config; times without fractions.
fn shown(value: Option<&Value>) -> String {
    match value {
        Some(value @ (Value::Array(_) | Value::Object(_))) => value.to_string(),
        value => seconds(&cell(value)),
    }
}
