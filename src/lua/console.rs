//! The console: a few lines of Luau in a bot's world, in a VM of their own.
//!
//! Reads work and nothing is left behind; what acts or writes is refused, but for `bot.state` when whoever asks may write it.

use std::sync::Arc;

use mlua::{MultiValue, Value};

use super::limits::Limits;
use super::living::{CONSOLE, LivingBot, Tick};
use super::pretty::pretty;
use super::version::Version;
use super::vm;
use crate::host::Host;
use crate::host::rhythm::Visit;
use crate::model::diagnostic::Diagnostic;

/// Whether `bot.state` may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It may not.
    Look,
    /// It may.
    Write,
}

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// Luau: an expression or statements.
    pub code: String,
    /// What may be reached; made by [`Host::console`].
    pub host: Arc<Host>,
    /// Where in its visits the bot is.
    pub visit: Visit,
    /// Its state as JSON; `None` before its first tick.
    pub state: Option<String>,
    /// Whether its state may be changed.
    pub mode: Mode,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The values, as people read them.
    pub values: Vec<String>,
    /// The state as JSON, when it was changed and may be.
    pub state: Option<String>,
}

/// Bytes of values shown in one answer, and of each printed line.
const ROOM: usize = 32 << 10;
const LINE_ROOM: usize = 2 << 10;

/// Asks. What was printed is with the host, whatever came of it.
///
/// # Errors
/// What is wrong with the code, or what it raised.
pub async fn ask(version: &Arc<Version>, limits: Limits, question: Question) -> Result<Answer, Diagnostic> {
    let chunk = compile(&question.code)?;
    let mut bot = LivingBot::new(version.clone(), limits, question.state.clone())?;
    let tick = Tick { host: question.host.clone(), visit: question.visit, old_version: None, events: Vec::new() };
    let (host, mode) = (question.host.clone(), question.mode);
    let asked = bot
        .ask(&tick, &chunk, move |lua, own, bot| {
            if mode == Mode::Look {
                if let Value::Table(state) = bot.raw_get("state")? {
                    vm::freeze(&state);
                }
                bot.set_readonly(true);
            }
            let print = lua.create_function(move |_, values: MultiValue| {
                host.say(line(&values));
                Ok(())
            })?;
            own.raw_set("print", print)
        })
        .await;
    let values = asked.map_err(|problem| in_words(problem, mode))?;
    let mut room = ROOM;
    let shown = values.iter().map(|value| pretty(value, &mut room)).collect();
    let state = match mode {
        Mode::Look => None,
        Mode::Write => {
            let now = bot.encode_state(CONSOLE).map_err(|problem| Diagnostic { hint: None, ..problem })?;
            let before = question.state.as_deref().unwrap_or("{}");
            Some(now).filter(|now| !is_same(now, before))
        }
    };
    Ok(Answer { values: shown, state })
}

/// Whether more lines must follow before this can be run.
pub fn is_unfinished(code: &str) -> bool {
    compile(code).is_err_and(|problem| problem.message.contains("<eof>"))
}

/// An expression gives its value; what is none is run as statements.
fn compile(code: &str) -> Result<Vec<u8>, Diagnostic> {
    let own = |problem: Diagnostic| Diagnostic { file: CONSOLE.to_owned(), hint: None, ..problem };
    // Luau takes nothing at all for a statement, but `return` with nothing behind it too.
    let as_value = vm::compile(CONSOLE, &format!("return {code}"));
    let Err(no_value) = as_value else { return as_value.map_err(own) };
    vm::compile(CONSOLE, code).map_err(|no_statement| {
        let message = &no_statement.message;
        // What stops at its very first word was never meant as a statement.
        let stops_at = message.rsplit_once("got '").map(|(_, word)| word.trim_end_matches('\''));
        let is_no_statement = message.contains("Incomplete statement")
            || stops_at.is_some_and(|word| !word.is_empty() && code.trim_start().starts_with(word));
        own(if is_no_statement { no_value } else { no_statement })
    })
}

/// Texts stand as they are, as `print` has it; all else is laid out.
fn line(values: &MultiValue) -> String {
    let mut room = LINE_ROOM;
    let shown = values.iter().map(|value| match value {
        Value::String(text) => crate::text::clip(&text.to_string_lossy(), LINE_ROOM),
        other => pretty(other, &mut room),
    });
    shown.collect::<Vec<_>>().join("  ")
}

fn in_words(problem: Diagnostic, mode: Mode) -> Diagnostic {
    if problem.message.contains("attempt to modify a readonly table") {
        let hint = match mode {
            Mode::Look => "the console only looks: with --write, it may change bot.state",
            Mode::Write => "of all that a bot has, only bot.state may be changed",
        };
        return problem.with_hint(hint);
    }
    problem
}

fn is_same(a: &str, b: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    parsed(a) == parsed(b)
}
