//! `fleet try`: a bot's next ticks as a story, or as one JSON object a line.
//!
//! What it prints comes from the calls that the script really made, and from nothing else.

mod change;
mod story;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::failure::{Exit, Failure};
use super::local::{runtime, start_log_of, until_told};
use super::output::Output;
use crate::app::trying::plugins::{Remark, Said};
use crate::app::trying::{self, Ending, MOST_TICKS, Place, Stage, Ticked, Told, Wanted};
use crate::config::Config;
use crate::lua::trace::{Answered, Called};
use crate::model::diagnostic::Diagnostic;
use crate::model::seconds::Seconds;
use story::Story;

const AFTER_HELP: &str = "\
Where it lives:
  --dry-run   in a copy of the studio's gallery, read once, in memory; without a studio that
              answers, in a small trial gallery. Nothing is written anywhere.
  otherwise   for real on the studio in the config, as a bot with an account of its own that no
              roster has; while the embedded studio does not run, in the trial gallery.

Acting for real, it keeps what it did in the data folder under try/, so that no later try does
the same again, and waits between its ticks as a bot does. `fleet agents` lists its account.

Examples:
  fleet try ai_artist                       three ticks
  fleet try ai_artist --ticks 20 --dry-run  a whole visit, and nothing is written
  fleet try drafts/poet.luau --dry-run      a file that is not in the scripts folder yet";

/// `fleet try`
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct TryArgs {
    /// The name of a persona, or the path of its file
    persona: String,
    /// How many ticks it lives
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_TICKS)))]
    ticks: u32,
    /// Write nothing anywhere: what it does is only told
    #[arg(long)]
    dry_run: bool,
    /// Change all chance; without this, the config's seed
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,
    /// Which bot of the persona: another name, other traits
    #[arg(long, value_name = "I", value_parser = clap::value_parser!(u32).range(1..))]
    index: Option<u32>,
    /// When it lives, like 2026-03-04T17:30:00Z; in memory only
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Print JSON, one object a line: the bot, then each tick
    #[arg(long)]
    json: bool,
}

/// Lets a bot live a few ticks.
pub(super) fn try_persona(config: &Config, args: &TryArgs, output: &Output) -> Result<Exit, Failure> {
    // The story tells what it does; the log says only what goes wrong behind it.
    let _set_log_filter = start_log_of("warn", config.log.format)?;
    let wanted = Wanted {
        persona: args.persona.clone(),
        ticks: args.ticks,
        is_dry: args.dry_run,
        seed: args.seed.clone(),
        index: args.index,
        at: args.at,
    };
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let mut story = Story::default();
        let mut tell = |told: Told| -> anyhow::Result<()> {
            let text = if args.json { json_line(&told) } else { story.tell(&told) };
            Ok(output.text(&text)?)
        };
        let tried = trying::run(config, &wanted, stop.clone(), &mut tell);
        tokio::pin!(tried);
        let tried = tokio::select! {
            tried = &mut tried => tried,
            told = until_told(stop) => {
                told?;
                // It ends by itself after the action that is under way.
                tried.await
            }
        };
        match tried {
            Ok(true) => Ok(Exit::Fine),
            Ok(false) => Ok(Exit::Scripts),
            Err(trying::Error::Usage { message, hint }) => Err(Failure::usage(anyhow::anyhow!(message), Some(hint))),
            Err(trying::Error::Scripts { problems, texts }) => {
                if args.json {
                    let problems: Vec<Value> = problems.iter().map(diagnostic_json).collect();
                    output.text(&format!("{}\n", json!({ "problems": problems })))?;
                } else {
                    output.text(&story::unfit(&problems, &texts))?;
                }
                Ok(Exit::Scripts)
            }
            Err(trying::Error::Other(error)) => Err(error.into()),
        }
    })
}

fn json_line(told: &Told) -> String {
    let line = match told {
        Told::Stage(stage) => stage_json(stage),
        Told::Ticked(ticked) => ticked_json(ticked),
        Told::Waits(until) => json!({ "waits_until": until.to_string() }),
        Told::Over(why) => json!({ "over": why }),
    };
    format!("{line}\n")
}

fn stage_json(stage: &Stage) -> Value {
    let (place, detail) = match &stage.place {
        Place::Trial { why } => ("trial", json!({ "why": why })),
        Place::Copy { url, posts } => ("copy", json!({ "url": url, "posts": posts })),
        Place::Studio { url } => ("studio", json!({ "url": url })),
    };
    json!({
        "bot": stage.bot.to_string(), "name": stage.profile.name, "username": stage.profile.username,
        "version": stage.version.as_str(), "place": place, "detail": detail,
        "warnings": stage.warnings.iter().map(diagnostic_json).collect::<Vec<_>>(),
        "plugins": stage.plugins, "plugin_problems": stage.plugin_problems.iter().map(diagnostic_json).collect::<Vec<_>>(),
    })
}

fn ticked_json(ticked: &Ticked) -> Value {
    let ending = match &ticked.ending {
        Ending::Rests { until, why } => json!({ "rests_until": until.to_string(), "why": why.as_str() }),
        Ending::Raised { what, .. } => json!({ "raised": diagnostic_json(what) }),
        Ending::Refused(why) => json!({ "refused": why }),
    };
    // What a model wrote is on the fleet's bill, together with all else; here nobody can tell it apart.
    let none = |nothing: Value| if ticked.has_models && llm_calls(ticked) > 0 { Value::Null } else { nothing };
    json!({
        "tick": ticked.number,
        "at": ticked.at.to_string(),
        "visit": { "number": ticked.visit.number, "tick": ticked.visit.tick, "ticks_left": ticked.visit.ticks_left },
        "is_asleep": ticked.is_asleep,
        "calls": ticked.calls.iter().map(call_json).collect::<Vec<_>>(),
        "plugins": ticked.remarks.iter().map(remark_json).collect::<Vec<_>>(),
        "cost": { "cpu_millis": ticked.cpu.as_secs_f64() * 1000.0, "llm_calls": llm_calls(ticked), "tokens": none(json!(0)), "money": none(json!(0.0)) },
        "state": { "before": ticked.before, "after": ticked.after },
        "ending": ending,
    })
}

fn call_json(called: &Called) -> Value {
    let (key, answer) = match &called.answer {
        Answered::Value(value) => ("answer", value.clone()),
        Answered::Failure(failure) => (
            "failure",
            json!({
                "kind": failure.kind.as_str(), "message": failure.message,
                "retry_after": failure.retry_after.map(Seconds::get)
            }),
        ),
        Answered::Raised(message) => ("raised", message.as_str().into()),
    };
    json!({ "name": called.name, "args": called.args, key: answer })
}

fn remark_json(remark: &Remark) -> Value {
    let (said, detail) = match &remark.what {
        Said::Denied(reason) => ("denied", json!({ "reason": reason })),
        Said::Changed(words, reason) => ("changed", json!({ "words": words, "reason": reason })),
        Said::Failed(problem, on_error) => {
            ("failed", json!({ "problem": diagnostic_json(problem), "on_error": on_error.as_str() }))
        }
    };
    json!({ "plugin": remark.plugin.as_str(), "action": remark.kind.as_str(), "said": said, "detail": detail })
}

fn diagnostic_json(what: &Diagnostic) -> Value {
    json!({
        "severity": what.severity.as_str(), "file": what.file, "line": what.line, "message": what.message,
        "hint": what.hint, "traceback": what.traceback
    })
}

/// Calls that a language model answers where one is configured, and else the offline writer, for nothing.
fn llm_calls(ticked: &Ticked) -> usize {
    ticked.calls.iter().filter(|called| called.name.starts_with("llm.")).count()
}
