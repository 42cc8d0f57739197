//! The frame: a diagnostic with its line of source, as a terminal, the log and the page show it.
//!
//! Nothing of a script gets out of it as a control character.

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Severity};
use crate::text::printable;

/// A frame without colours.
///
/// ```
/// use floimg_fleet::model::{diagnostic::Diagnostic, frame};
///
/// let problem = Diagnostic::error("scripts/a.luau", Some(2), "`x` is nil").with_text("local x\nprint(x.y)");
/// assert!(frame::plain(&problem).contains("2 | print(x.y)"));
/// ```
pub fn plain(problem: &Diagnostic) -> String {
    render(problem, &Renderer::plain())
}

/// A frame with colours, for whoever takes them out again where they are not wanted.
pub fn coloured(problem: &Diagnostic) -> String {
    render(problem, &Renderer::styled())
}

fn render(problem: &Diagnostic, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = printable(&problem.file);
    let line = problem.line.unwrap_or(0) as usize;
    let source = problem.source.as_deref().map(shown);
    let mut elements: Vec<Element<'_>> = Vec::new();
    match (&source, problem.line) {
        (Some(source), Some(_)) => {
            let snippet = Snippet::source(source.as_str())
                .line_start(line)
                .path(file.as_str())
                .annotation(AnnotationKind::Primary.span(marked(problem, source)));
            elements.push(snippet.into());
        }
        (None, Some(_)) => elements.push(Origin::path(file.as_str()).line(line).into()),
        (_, None) => elements.push(Origin::path(file.as_str()).into()),
    }
    for frame in &problem.traceback {
        elements.push(Level::NOTE.no_name().message(format!("at {}", printable(frame))).into());
    }
    for note in &problem.notes {
        elements.push(Level::NOTE.message(printable(note)).into());
    }
    if let Some(hint) = &problem.hint {
        elements.push(Level::HELP.with_name("hint").message(printable(hint)).into());
    }
    let group = level.primary_title(printable(&problem.message)).elements(elements);
    renderer.render(&[group])
}

/// A line without control characters, but with its tabs, for which the renderer makes room.
fn shown(source: &str) -> String {
    source.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

/// The bytes of the shown line that are meant: the part that is named, or all but the blanks around it.
fn marked(problem: &Diagnostic, line: &str) -> std::ops::Range<usize> {
    let whole = || {
        let from = line.len() - line.trim_start().len();
        from..line.trim_end().len().max(from)
    };
    let Some((columns, source)) = problem.columns.zip(problem.source.as_deref()) else { return whole() };
    let before = |column: u32| -> usize {
        let part: String = source.chars().take(column.saturating_sub(1) as usize).collect();
        shown(&part).len()
    };
    let (from, to) = (before(columns.from), before(columns.to));
    if from >= to { whole() } else { from..to }
}
