//! `fleet console`: a line on a running bot's world.
//!
//! It only looks, unless `--write` lets it change `bot.state`; the fleet writes down every line that is run.

use std::io::{self, BufRead, IsTerminal};

use clap::Args;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::output::{Output, Unwritten, cell};
use super::remote::{Remote, RemoteError, escaped};
use crate::config::Config;
use crate::lua::console::is_unfinished;
use crate::model::name::BotId;
use crate::text::printable;

/// `fleet console`
#[derive(Debug, Args)]
pub(super) struct ConsoleArgs {
    /// The bot, such as ai_artist-17
    bot: BotId,
    /// Run this and end, such as -e 'bot.state.seen'; may be repeated
    #[arg(short, long, value_name = "CODE")]
    evaluate: Vec<String>,
    /// Let bot.state be changed; all else stays as it is
    #[arg(long)]
    write: bool,
    /// Print JSON; with --evaluate
    #[arg(long, requires = "evaluate")]
    json: bool,
}

const HELP: &str = "\
An expression shows its value; statements run too. Each line has a world of its own: a local ends with it.
  bot           the bot, with bot.state as it was committed last; --write lets it be changed
  persona       its script's functions: on_start, on_tick, on_event, on_reload
  require(…)    what its script requires
  floimg, store, memory, events, text, time, rand, json: what only looks works, what acts or writes is refused

  :state        bot.state
  :error        the last thing that went wrong, with its line and the calls that led there
  :version      which version it runs
  :persona      what its script is made of
  :help         this
  :quit         the end, as Ctrl-D
";

/// A console on one bot.
struct Console<'a> {
    config: &'a Config,
    bot: &'a BotId,
    write: bool,
    output: &'a Output,
}

/// Runs what was given, or reads lines until there are no more.
pub(super) fn run(config: &Config, args: &ConsoleArgs, output: &Output) -> Result<Exit, Failure> {
    let console = Console { config, bot: &args.bot, write: args.write, output };
    if !args.evaluate.is_empty() {
        let mut exit = Exit::Fine;
        for code in &args.evaluate {
            let answer = console.ask(code)?;
            if args.json {
                output.json(&answer)?;
            } else {
                console.show(&answer)?;
            }
            exit = worse(exit, &answer);
        }
        return Ok(exit);
    }
    if io::stdin().is_terminal() { console.talk() } else { console.read(io::stdin().lock()) }
}

fn worse(exit: Exit, answer: &Value) -> Exit {
    if answer.get("error").is_some_and(|error| !error.is_null()) { Exit::Scripts } else { exit }
}

impl Console<'_> {
    /// Lines of a file or a pipe, all together: what goes wrong first ends it.
    fn read(&self, lines: impl BufRead) -> Result<Exit, Failure> {
        let mut code = String::new();
        let mut exit = Exit::Fine;
        for line in lines.lines() {
            code += &line?;
            if !is_unfinished(&code) {
                exit = self.line(&code, exit)?.unwrap_or(exit);
                code.clear();
            } else {
                code.push('\n');
            }
        }
        if code.trim().is_empty() { Ok(exit) } else { Ok(self.line(&code, exit)?.unwrap_or(exit)) }
    }

    /// Somebody at a terminal: what goes wrong is told, and the next line is read.
    fn talk(&self) -> Result<Exit, Failure> {
        let bot = self.get("")?;
        let what = if self.write { "bot.state may be changed" } else { "nothing can be changed" };
        let (name, reason) = (cell(bot.get("name")), cell(bot.get("reason")));
        self.output.text(&printable(&format!("{}: {name}, {reason}; {what}. :help says what there is\n", self.bot)))?;
        let mut editor = DefaultEditor::new()?;
        let prompt = format!("{}> ", self.bot);
        let mut code = String::new();
        loop {
            match editor.readline(if code.is_empty() { prompt.as_str() } else { "... " }) {
                Ok(line) => code += &line,
                // Gives up what was begun.
                Err(ReadlineError::Interrupted) if !code.is_empty() => {
                    code.clear();
                    continue;
                }
                Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(Exit::Fine),
                Err(problem) => return Err(problem.into()),
            }
            if is_unfinished(&code) {
                code.push('\n');
                continue;
            }
            let whole = std::mem::take(&mut code);
            if whole.trim().is_empty() {
                continue;
            }
            editor.add_history_entry(whole.as_str())?;
            match self.line(&whole, Exit::Fine) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Exit::Fine),
                Err(failure) => {
                    failure.tell();
                }
            }
        }
    }

    /// One line; nothing ends it all.
    fn line(&self, line: &str, exit: Exit) -> Result<Option<Exit>, Failure> {
        match line.trim() {
            "" => {}
            ":state" => self.show(&self.ask("bot.state")?)?,
            ":error" => self.error()?,
            ":version" => self.version()?,
            ":persona" => self.persona()?,
            ":help" => self.output.text(HELP)?,
            ":quit" | ":q" => return Ok(None),
            word if word.starts_with(':') => {
                let hint = "there are :state, :error, :version, :persona, :help and :quit".to_owned();
                return Err(Failure::usage(anyhow::anyhow!("there is no `{word}`"), Some(hint)));
            }
            code => {
                let answer = self.ask(code)?;
                self.show(&answer)?;
                return Ok(Some(worse(exit, &answer)));
            }
        }
        Ok(Some(exit))
    }

    fn ask(&self, code: &str) -> Result<Value, RemoteError> {
        let path = format!("/api/v1/bots/{}/console", escaped(&self.bot.to_string()));
        Remote::of(self.config)?.post(&path, &json!({ "code": code, "write": self.write }))
    }

    fn get(&self, rest: &str) -> Result<Value, RemoteError> {
        Remote::of(self.config)?.get(&format!("/api/v1/bots/{}{rest}", escaped(&self.bot.to_string())))
    }

    fn script(&self, rest: &str) -> Result<Value, RemoteError> {
        Remote::of(self.config)?.get(&format!("/api/v1/scripts/{}{rest}", self.bot.persona))
    }

    /// What was printed, the values, and what was raised.
    fn show(&self, answer: &Value) -> Result<(), Unwritten> {
        for line in lines(answer, "printed").iter().chain(&lines(answer, "values")) {
            self.output.text(&format!("{}\n", printable(line)))?;
        }
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            self.output.text(&problem(error))?;
        }
        if answer.get("kept").and_then(Value::as_bool).unwrap_or(false) {
            self.output.text("bot.state is changed and kept\n")?;
        }
        Ok(())
    }

    /// The last error with its line of source, from the version that raised it.
    fn error(&self) -> Result<(), Failure> {
        let bot = self.get("")?;
        let activities = bot.get("activities").and_then(Value::as_array).cloned().unwrap_or_default();
        let raised = activities.iter().find(|activity| activity.get("kind").is_some_and(|kind| kind == "script_error"));
        let Some(raised) = raised else {
            let error = bot.get("error").and_then(Value::as_str).filter(|error| !error.is_empty());
            self.output.text(&format!("{}\n", printable(error.unwrap_or("nothing went wrong lately"))))?;
            return Ok(());
        };
        let detail = raised.get("detail").unwrap_or(&Value::Null);
        self.output.text(&format!("{}\n", super::show::seconds(&cell(raised.get("at")))))?;
        self.output.text(&problem(detail))?;
        let version = detail.get("version").and_then(Value::as_str).unwrap_or_default();
        let path = detail.get("file").and_then(Value::as_str).and_then(|file| file.strip_prefix("scripts/"));
        let line = detail.get("line").and_then(Value::as_u64).and_then(|line| usize::try_from(line).ok());
        if let (Some(path), Some(line)) = (path, line) {
            match self.script(&format!("/files?version={}", escaped(version))) {
                Ok(found) => {
                    let text = found.get("files").and_then(|files| files.get(path)?.as_str()).unwrap_or_default();
                    self.output.text(&around(text, line))?;
                }
                // The version may be dropped by now; the error is worth showing without its source.
                Err(RemoteError::Refused { .. }) => {}
                Err(problem) => return Err(problem.into()),
            }
        }
        Ok(())
    }

    fn version(&self) -> Result<(), Failure> {
        let (bot, found) = (self.get("")?, self.script("")?);
        let script = found.get("script").unwrap_or(&Value::Null);
        let mut rows = vec![
            vec!["last tick ran".to_owned(), cell(bot.get("version"))],
            vec!["the persona runs".to_owned(), cell(script.get("version"))],
        ];
        rows.extend(super::show::in_trial(script).map(|words| vec!["canary".to_owned(), words]));
        if script.get("pinned").and_then(Value::as_bool).unwrap_or(false) {
            rows.push(vec!["pinned".to_owned(), "what is saved waits".to_owned()]);
        }
        Ok(self.output.table(&[], &rows)?)
    }

    fn persona(&self) -> Result<(), Failure> {
        let found = self.script("")?;
        let script = found.get("script").unwrap_or(&Value::Null);
        let names = ["persona", "title", "file", "files", "version", "accepted_at", "bots"];
        let rows: Vec<Vec<String>> =
            names.iter().map(|name| vec![name.replace('_', " "), cell(script.get(*name))]).collect();
        Ok(self.output.table(&[], &rows)?)
    }
}

fn lines(answer: &Value, key: &str) -> Vec<String> {
    let found = answer.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    found.iter().map(|line| cell(Some(line))).collect()
}

/// An error with its place, the calls that led there, and what to do.
fn problem(error: &Value) -> String {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let line = error.get("line").and_then(Value::as_u64).map(|line| format!(":{line}")).unwrap_or_default();
    let place = printable(&format!("{}{line}: {}", cell(error.get("file")), cell(error.get("message"))));
    let mut text = format!("{red}error{red:#}: {place}\n");
    for frame in lines(error, "traceback") {
        text += &printable(&format!("  {frame}\n"));
    }
    if let Some(hint) = error.get("hint").and_then(Value::as_str) {
        text += &printable(&format!("  hint: {hint}\n"));
    }
    text
}

/// A line of a file between its neighbours.
fn around(text: &str, line: usize) -> String {
    let red = anstyle::AnsiColor::Red.on_default();
    let numbered = text.lines().zip(1_usize..).skip(line.saturating_sub(3)).take(5);
    let shown = numbered.map(|(text, number)| {
        let text = printable(&text.replace('\t', "    "));
        if number == line { format!("{red}{number:>5} > {text}{red:#}\n") } else { format!("{number:>5} | {text}\n") }
    });
    shown.collect()
}
