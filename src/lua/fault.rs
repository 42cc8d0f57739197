//! What went wrong in a script, from mlua's error to something its author can act on.

use mlua::Error;

use crate::model::diagnostic::Diagnostic;

use super::analysis;
use super::analysis::surface::Surface;
use super::limits::{Meter, Stop};
use crate::text::clip;

/// Most characters of a message.
const MESSAGE_CHARS: usize = 500;
/// Most frames of a traceback.
const FRAMES: usize = 16;

/// Turns what a call into a VM raised into a diagnostic with file and line.
///
/// `file` is what to name when the error itself does not say where it was.
pub fn diagnose(error: &Error, meter: &Meter, file: &str) -> Diagnostic {
    let text = full_text(error);
    let (head, trace) = match text.split_once("stack traceback:") {
        Some((head, trace)) => (head.trim(), trace),
        None => (text.trim(), ""),
    };
    let mut traceback: Vec<String> =
        trace.lines().map(str::trim).filter(|line| is_script_frame(line)).map(str::to_owned).collect();
    // A recursion without an end would fill pages with one line.
    traceback.dedup();
    traceback.truncate(FRAMES);
    let position = place(head).or_else(|| traceback.first().and_then(|frame| place(frame)));
    let (file, line, message) = match (place(head), position) {
        (Some((file, line, rest)), _) => (file.to_owned(), Some(line), rest.to_owned()),
        (None, Some((file, line, _))) => (file.to_owned(), Some(line), head.to_owned()),
        (None, None) => (file.to_owned(), None, head.to_owned()),
    };
    let message = message.strip_prefix("runtime error: ").unwrap_or(&message);
    let message = without_host(message).to_owned();
    let stopped = meter.stopped().or_else(|| is_memory(error).then_some(Stop::Memory));
    let (file, line) = match meter.place().filter(|_| stopped.is_some()) {
        Some((file, line)) => (file, Some(line)),
        None => (file, line),
    };
    let message = match stopped {
        Some(stop) => meter.words(stop),
        None => in_words(&message),
    };
    let hint = hint(&message, stopped);
    Diagnostic { hint, traceback, ..Diagnostic::error(file, line, message) }
}

/// The same with the line of the file it was in, and the expression that was to blame.
pub fn explained<'t>(problem: Diagnostic, surface: &Surface, text: impl Fn(&str) -> Option<&'t str>) -> Diagnostic {
    let path = problem.file.strip_prefix("scripts/").unwrap_or(&problem.file).to_owned();
    let Some(text) = text(&path) else { return problem };
    let mut problem = problem.with_text(text);
    const LUAUS: [&str; 5] =
        ["attempt to ", "invalid argument #", "missing argument #", "bot.state", "on_tick must return"];
    if let Some(line) = problem.line
        && LUAUS.iter().any(|start| problem.message.starts_with(start))
        && let Some(explained) = analysis::explain::explain(&path, text, line, &problem.message, surface)
    {
        if let Some(culprit) = explained.culprit {
            problem.message = format!("{}: {culprit}", problem.message);
        }
        problem.line = explained.line.or(problem.line);
        problem.columns = explained.columns.or(problem.columns);
        problem.hint = explained.hint.or(problem.hint);
        problem = problem.with_text(text);
    }
    if problem.hint.is_none() {
        // What a primitive raises begins with its name.
        problem.hint = problem.message.split([':', ' ']).next().and_then(|name| surface.usage(name));
    }
    problem
}

/// What was raised, when it was no text.
fn in_words(message: &str) -> String {
    let kind = match message.split_once(": 0x") {
        Some((kind @ ("table" | "function" | "buffer" | "userdata" | "thread"), _)) => kind,
        None if message == "nil" => "nil",
        None if message.is_empty() => "an empty text",
        None if matches!(message, "true" | "false") => "boolean",
        _ => return clip(message, MESSAGE_CHARS),
    };
    match kind {
        "nil" | "an empty text" => format!("raised {kind} as its error"),
        kind => format!("raised a {kind} as its error"),
    }
}

/// Whether it is the memory limit that was hit.
pub fn is_memory(error: &Error) -> bool {
    match error {
        Error::MemoryError(_) => true,
        Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } => is_memory(cause),
        other => {
            // Caught and raised again with its place, it is a text like any other.
            let text = full_text(other);
            let head = text.split("stack traceback:").next().unwrap_or("").trim();
            place(head).map_or(head, |(_, _, rest)| rest) == "not enough memory"
        }
    }
}

fn full_text(error: &Error) -> String {
    match error {
        Error::CallbackError { traceback, cause } => {
            let cause = full_text(cause);
            if cause.contains("stack traceback:") { cause } else { format!("{cause}\nstack traceback:\n{traceback}") }
        }
        Error::RuntimeError(text) | Error::MemoryError(text) => text.clone(),
        Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// Drops the place in the host's own prelude, where an author cannot look.
fn without_host(message: &str) -> &str {
    let rest = message.strip_prefix("host:").and_then(|rest| rest.split_once(": "));
    rest.filter(|(line, _)| line.bytes().all(|byte| byte.is_ascii_digit())).map_or(message, |(_, rest)| rest)
}

fn is_script_frame(line: &str) -> bool {
    !line.is_empty() && place(line).is_some()
}

/// Splits `scripts/personas/mia.luau:12: rest` or `scripts/personas/mia.luau:12 in function …`.
pub fn place(text: &str) -> Option<(&str, u32, &str)> {
    let text = text.trim_start();
    let end = text.find(".luau:").map(|at| at + 5).or_else(|| text.find(".lua:").map(|at| at + 4))?;
    let file = text.get(..end)?;
    if file.contains(char::is_whitespace) || file.contains(':') {
        return None;
    }
    let rest = text.get(end + 1..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let line = rest.get(..digits)?.parse().ok()?;
    let rest = rest.get(digits..)?;
    Some((file, line, rest.strip_prefix(':').unwrap_or(rest).trim()))
}

/// What is said of a VM that was stopped, though the script caught the host's last word.
pub fn stopped(stop: Stop, meter: &Meter, file: &str) -> Diagnostic {
    let (file, line) = meter.place().map_or((file.to_owned(), None), |(file, line)| (file, Some(line)));
    let message = meter.words(stop);
    Diagnostic { hint: hint(&message, Some(stop)), ..Diagnostic::error(file, line, message) }
}

/// Advice for mistakes that everybody makes once.
fn hint(message: &str, stopped: Option<Stop>) -> Option<String> {
    let advice = match stopped {
        Some(Stop::PollCpu | Stop::TickCpu) => {
            "look for a loop without an end, or do less in one tick and return the seconds until the next"
        }
        Some(Stop::Memory) => "keep lists bounded, and build long texts with table.concat",
        Some(Stop::Shutdown) => return None,
        Some(Stop::Deadline) => {
            "do in a timer what takes long, and keep what before_action and exports need in plugin.state"
        }
        None if message.contains("attempt to index nil") => {
            "a call that the world refused answers nil and a failure: check it before you use it; os, io, debug, utf8 and \
             coroutine are not there at all"
        }
        None if message.starts_with("raised ") => {
            "raise a text, like error(failure.message): it is shown with its line"
        }
        None if message.contains("attempt to modify a readonly table") => {
            "the host's tables and `bot` data are read-only; what must live on belongs into bot.state"
        }
        None if message.contains("attempt to call nil with") || message.contains("attempt to call a nil value") => {
            "no function has this name; `fleet types` lists the modules and what they offer"
        }
        None if message.contains("attempt to yield across") => {
            "host calls that wait cannot be made inside table.sort, gsub callbacks, metamethods, or while a file loads"
        }
        None if message.contains("is nil") && message.contains("index") => {
            "a key was nil: ask for it first, with `if key then`"
        }
        None if message.contains("malformed pattern") => {
            "close every [ with a ], and write %[ for one that is meant as it stands; to search for plain text, use \
             string.find(text, what, 1, true)"
        }
        None if message.starts_with("require") && message.contains("only at the top") => {
            "move it to the first lines of the file, above every function"
        }
        None if message.starts_with("require") && message.contains("returns nothing") => {
            "end that file with `return` and the table of what it offers"
        }
        None if message.starts_with("require") && message.contains("circle") => {
            "put what both need into a third file, and require that"
        }
        None if message.starts_with("require") => {
            "write it like require(\"@behaviours/browse\"): a file under scripts/behaviours or scripts/lib, without its ending"
        }
        None if message.contains("stack overflow") => "a function calls itself without an end",
        None if message.contains("attempt to compare") && message.contains("table") => {
            "a failure is a table: compare failure.kind"
        }
        None => return None,
    };
    Some(advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_messages_and_frames() {
        assert_eq!(place("scripts/personas/mia.luau:12: boom"), Some(("scripts/personas/mia.luau", 12, "boom")));
        assert_eq!(place("scripts/lib/a.lua:3 in function 'f'"), Some(("scripts/lib/a.lua", 3, "in function 'f'")));
        assert_eq!(place("[C] in function 'error'"), None);
        assert_eq!(place("host:3: x"), None);
    }
}
