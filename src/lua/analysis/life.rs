//! Life: what does not last from tick to tick, what a life's functions may return, and code that never runs.

use super::bind::{FnId, Init, Role, Var};
use super::infer::Reading;
use super::place::Findings;
use super::tree::{ExprKind, Op, Span, Stmt, StmtKind};
use crate::text;

/// What the host calls of a persona.
pub const LIFE: [&str; 4] = ["on_start", "on_tick", "on_event", "on_reload"];

/// Looks at a file's functions and blocks.
pub fn check(reading: &Reading<'_>, found: &mut Findings<'_>) {
    for (stmts, _) in &reading.bound.blocks {
        unreachable(reading, stmts, found);
    }
    if reading.is_persona {
        returned(reading, found);
        lost(reading, found);
        forgotten(reading, found);
    }
}

fn unreachable(reading: &Reading<'_>, stmts: &[Stmt], found: &mut Findings<'_>) {
    for pair in stmts.windows(2) {
        if let Some(why) = ends(reading, &pair[0]) {
            let span =
                Span { from: pair[1].span.from, to: found.lines().range(found.lines().line(pair[1].span.from)).to };
            found.warning(span, format!("never runs: {why}"), "take it away, or move it above");
            return;
        }
    }
}

/// Why nothing after a statement runs.
fn ends(reading: &Reading<'_>, stmt: &Stmt) -> Option<&'static str> {
    match &stmt.kind {
        StmtKind::Return(_) => Some("the block returns before"),
        StmtKind::Break | StmtKind::Continue => Some("the loop has gone on before"),
        StmtKind::Do(body) => body.last().and_then(|last| ends(reading, last)),
        StmtKind::Call(call) => match &call.kind {
            ExprKind::Call(call) => {
                (reading.bound.global(&call.callee) == Some("error")).then_some("error(…) ends the call before")
            }
            _ => None,
        },
        StmtKind::While(condition, body) => {
            let is_endless = matches!(condition.bare().kind, ExprKind::Boolean(true));
            (is_endless && !breaks(body)).then_some("the loop above has no end")
        }
        StmtKind::If(arms, Some(otherwise)) => {
            let all = arms.iter().map(|arm| &arm.body).chain([otherwise]);
            let mut whys = all.map(|body| body.last().and_then(|last| ends(reading, last)));
            whys.all(|why| why.is_some()).then_some("every branch above ends before")
        }
        _ => None,
    }
}

/// Whether a loop's body leaves the loop by `break`.
fn breaks(stmts: &[Stmt]) -> bool {
    stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Break => true,
        StmtKind::Do(body) => breaks(body),
        StmtKind::If(arms, otherwise) => {
            arms.iter().any(|arm| breaks(&arm.body)) || otherwise.as_deref().is_some_and(breaks)
        }
        _ => false,
    })
}

/// What `on_tick` returns must be seconds, or nothing.
fn returned(reading: &Reading<'_>, found: &mut Findings<'_>) {
    for (values, function, _) in &reading.bound.returns {
        let function = &reading.bound.functions[*function];
        let Some(value) = values.first().filter(|_| function.name == Some("on_tick") && function.parent == 0) else {
            continue;
        };
        let kind = &value.bare().kind;
        let wrong = match kind {
            ExprKind::Text(_) | ExprKind::Interpolated(_) => Some("a text"),
            ExprKind::Boolean(_) => Some("true or false"),
            ExprKind::Table(_) => Some("a table"),
            ExprKind::Function(_) => Some("a function"),
            ExprKind::Unary(super::tree::Unary::Minus, inner) if matches!(inner.bare().kind, ExprKind::Number(_)) => {
                Some("a number below 0")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            let message = format!("on_tick must return seconds or nothing, and this is {wrong}");
            found.error(value.span, message, "return a number like 45, or nothing: then the rhythm decides");
        }
    }
}

/// Locals of the file that are set in one tick and gone in the next.
fn lost(reading: &Reading<'_>, found: &mut Findings<'_>) {
    for var in reading.bound.vars.iter().filter(|var| var.function == 0) {
        let Some((place, why)) = loss(reading, var) else { continue };
        let hint = format!("what must live on belongs into bot.state: bot.state.{}", var.name);
        found.warning(place, format!("`{}` does not outlive the tick: {why}", var.name), hint);
    }
}

fn life_of(reading: &Reading<'_>, function: FnId) -> Option<&'static str> {
    let outermost = reading.bound.around(function).last()?;
    let name = reading.bound.functions[outermost].name?;
    LIFE.into_iter().find(|known| *known == name)
}

fn loss(reading: &Reading<'_>, var: &Var<'_>) -> Option<(Span, &'static str)> {
    let bound = reading.bound;
    let write = var.writes.iter().map(|write| &bound.sites[*write]).find(|site| site.function != 0)?;
    // `count += 1` and `count = count + 1` go on from what was.
    if write.role == Role::Compound && life_of(reading, write.function).is_some() {
        return Some((write.expr.span, "its VM is dropped when the bot sleeps, and it begins anew"));
    }
    let in_start = |id: &usize| life_of(reading, bound.sites[*id].function) == Some("on_start");
    let is_read_elsewhere = var.reads.iter().any(|read| bound.sites[*read].function != 0 && !in_start(read));
    if var.writes.iter().all(in_start) && is_read_elsewhere {
        return Some((write.expr.span, "on_start runs once in a bot's life, and locals do not last so long"));
    }
    let counts = bound.blocks.iter().any(|(stmts, function)| {
        life_of(reading, *function).is_some()
            && stmts.iter().any(|stmt| match &stmt.kind {
                StmtKind::Assign(targets, values) => targets.iter().zip(values).any(|(target, value)| {
                    let same =
                        |expr: &super::tree::Expr| bound.var_of(expr).is_some_and(|other| other.span == var.span);
                    let goes_on = match &value.bare().kind {
                        ExprKind::Binary(Op::Arithmetic(_) | Op::Concat, left, right) => same(left) || same(right),
                        _ => false,
                    };
                    matches!(target.kind, ExprKind::Name(_)) && same(target) && goes_on
                }),
                _ => false,
            })
    });
    counts.then_some((write.expr.span, "its VM is dropped when the bot sleeps, and it begins anew"))
}

/// A function for the host that the host never gets.
fn forgotten(reading: &Reading<'_>, found: &mut Findings<'_>) {
    let bound = reading.bound;
    let taken: Vec<&str> = bound
        .functions
        .iter()
        .filter(|function| function.expr.is_some_and(|expr| !is_local(reading, expr)))
        .filter_map(|function| function.name)
        .collect();
    for var in bound.vars.iter().filter(|var| var.function == 0 && var.reads.is_empty()) {
        let Init::Value(value, 0) = var.init else { continue };
        if value.function().is_none() {
            continue;
        }
        let near = text::nearest(var.name, &LIFE).filter(|near| !taken.contains(near));
        match near {
            Some(near) if near == var.name => found.warning(
                var.span,
                format!("`{near}` is a local here, and the host looks for it in the table that the file returns"),
                format!("put it there: {near} = {near}"),
            ),
            Some(near) => found.warning(
                var.span,
                format!("`{}` is never used", var.name),
                format!("did you mean `{near}`, as a field of the table that the file returns?"),
            ),
            None if var.name.starts_with('_') => {}
            None => found.warning(
                var.span,
                format!("the function `{}` is never used", var.name),
                "call it, or take it away; a name that begins with _ says that this is meant".to_owned(),
            ),
        }
    }
}

/// Whether a function's expression is what a local is made of.
fn is_local(reading: &Reading<'_>, expr: usize) -> bool {
    reading.bound.vars.iter().any(|var| matches!(var.init, Init::Value(value, 0) if value.bare().id == expr))
}
