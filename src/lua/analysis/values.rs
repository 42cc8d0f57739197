//! Values: failures that are not looked at, comparisons that are never true, and sums of what is no number.

use super::bind::{Init, Role, Site};
use super::infer::Reading;
use super::names::shown;
use super::place::Findings;
use super::shape::Shape;
use super::surface::Surface;
use super::tree::{Expr, ExprKind, Op, Unary};
use crate::text;

/// Looks at what every value is used for.
pub fn check(reading: &Reading<'_>, found: &mut Findings<'_>) {
    for site in &reading.bound.sites {
        match &site.expr.kind {
            ExprKind::Binary(op @ (Op::Equal | Op::Unequal), left, right) => {
                compared(reading, *op, left, right, found);
                compared(reading, *op, right, left, found);
            }
            ExprKind::Binary(Op::Order(_), left, right) => ordered(reading, site, left, right, found),
            ExprKind::Binary(op @ (Op::Concat | Op::Arithmetic(_)), left, right) => {
                operand(reading, site, *op, left, found);
                operand(reading, site, *op, right, found);
            }
            _ => {}
        }
        unlooked(reading, site, found);
    }
    first_uses(reading, found);
}

fn compared(reading: &Reading<'_>, op: Op, value: &Expr, with: &Expr, found: &mut Findings<'_>) {
    let Some(word) = with.text() else { return };
    let seen = reading.seen(value);
    let never = if op == Op::Equal { "never" } else { "always" };
    if Surface::is_failure(&seen.shape) {
        let name = shown(value);
        let message = format!("`{name}` is a failure, a table, so this is {never} true");
        found.warning(value.span, message, format!("compare its kind: {name}.kind"));
        return;
    }
    if let Some(allowed) = seen.shape.literals()
        && !allowed.contains(&word)
    {
        let hint = match text::nearest(word, &allowed) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it is one of {}", allowed.join(", ")),
        };
        found.warning(with.span, format!("`{}` is never \"{word}\", so this is {never} true", shown(value)), hint);
        return;
    }
    if matches!(seen.shape.without_nil(), Shape::Number) && seen.is_sure {
        let message = format!("`{}` is a number and \"{word}\" a text, so this is {never} true", shown(value));
        found.warning(with.span, message, "compare with a number, without quotes");
    }
}

fn ordered(reading: &Reading<'_>, site: &Site<'_>, left: &Expr, right: &Expr, found: &mut Findings<'_>) {
    let (a, b) = (reading.seen(left), reading.seen(right));
    if !(a.is_sure && b.is_sure) {
        return;
    }
    let is_mixed = matches!((&a.shape, &b.shape), (Shape::Number, Shape::Text) | (Shape::Text, Shape::Number));
    let odd = [(&a.shape, left), (&b.shape, right)].into_iter().find(|(shape, _)| {
        matches!(shape, Shape::Nil | Shape::Boolean | Shape::Function(_) | Shape::List(_) | Shape::Named(_))
    });
    if is_mixed {
        let message = "compares a number with a text, which raises";
        found.error_unless(
            site.is_guarded,
            site.expr.span,
            message,
            "make it a number with tonumber(…), or write it without quotes",
        );
    } else if let Some((shape, expr)) = odd {
        let hint = match shape {
            Shape::List(_) => format!("compare its length: #{}", shown(expr)),
            _ => "compare two numbers or two texts".to_owned(),
        };
        let message = format!("`{}` is {}, which has no order", shown(expr), shape.words());
        found.error_unless(site.is_guarded, expr.span, message, hint);
    }
}

fn operand(reading: &Reading<'_>, site: &Site<'_>, op: Op, value: &Expr, found: &mut Findings<'_>) {
    let seen = reading.seen(value);
    let (what, cure) = match op {
        Op::Concat => ("joined to a text", "make it a text with tostring(…)"),
        _ => ("counted with", "make it a number with tonumber(…), and say what happens when it is none"),
    };
    if op != Op::Concat
        && let Some(text) = value.text()
    {
        // Luau takes a text for the number that it says.
        if text.trim().parse::<f64>().is_err() {
            let message = format!("the text \"{}\" is no number and cannot be {what}", text::clip(text, 40));
            found.error_unless(site.is_guarded, value.span, message, "join texts with `..`; count with numbers");
        }
        return;
    }
    let clashes = match &seen.shape {
        Shape::Nil | Shape::Boolean | Shape::Function(_) | Shape::List(_) => true,
        Shape::Named(_) => reading.fields(&seen.shape).is_some(),
        Shape::Table(_) => matches!(value.bare().kind, ExprKind::Table(_)),
        _ => false,
    };
    if !clashes {
        return;
    }
    let named = reading.fields(&seen.shape).filter(|_| matches!(seen.shape, Shape::Named(_)));
    let hint = match named {
        Some(fields) => {
            let fitting =
                |shape: &Shape| if op == Op::Concat { *shape == Shape::Text } else { *shape == Shape::Number };
            let known: Vec<String> = fields
                .named
                .iter()
                .filter(|(_, shape)| fitting(shape))
                .map(|(name, _)| format!("{}.{name}", shown(value)))
                .collect();
            format!("use one of its fields: {}", known.join(", "))
        }
        None => cure.to_owned(),
    };
    let message = format!("`{}` is {} and cannot be {what}", shown(value), seen.shape.words());
    if seen.is_sure {
        found.error_unless(site.is_guarded, value.span, message, hint);
    } else {
        found.warning(value.span, message, hint);
    }
}

/// `floimg.feed {}[1]`: used before anybody asked whether it is there.
fn unlooked(reading: &Reading<'_>, site: &Site<'_>, found: &mut Findings<'_>) {
    let Some(name) = reading.may_fail(site.expr) else { return };
    if let Some(use_) = used_as(reading, site) {
        let message = format!("{name} answers nil when the world refuses, and then {use_} raises");
        let hint = match site.role {
            Role::Iterated => format!("write `{name} … or {{}}`, or keep the failure: local list, failure = {name} …"),
            _ => format!("keep it first: local value, failure = {name} …, and ask `if value then`"),
        };
        found.warning(site.expr.span, message, hint);
    }
}

/// What a value is used for that nil cannot be used for.
fn used_as(reading: &Reading<'_>, site: &Site<'_>) -> Option<&'static str> {
    let parent = reading.bound.parent(site);
    match site.role {
        Role::Base => Some("taking something of it"),
        Role::Iterated => Some("the loop"),
        Role::Operand => match parent.map(|parent| &parent.expr.kind) {
            Some(ExprKind::Unary(Unary::Length, _)) => Some("its length"),
            Some(ExprKind::Binary(Op::Concat, ..)) => Some("joining it to a text"),
            Some(ExprKind::Binary(Op::Arithmetic(_) | Op::Order(_), ..)) => Some("counting with it"),
            _ => None,
        },
        Role::Arg(0) => match parent.map(|parent| &parent.expr.kind) {
            Some(ExprKind::Call(call)) => match reading.bound.global(&call.callee) {
                Some("pairs" | "ipairs") => Some("the loop"),
                _ => match call.callee.path().as_deref() {
                    Some(["table", "sort" | "insert" | "remove" | "concat" | "unpack"]) => Some("the call"),
                    _ => None,
                },
            },
            _ => None,
        },
        _ => None,
    }
}

/// A local for what may be nil, used though nobody ever asks.
fn first_uses(reading: &Reading<'_>, found: &mut Findings<'_>) {
    for var in &reading.bound.vars {
        let Init::Value(value, 0) = var.init else { continue };
        let Some(name) = reading.may_fail(value).filter(|_| var.writes.is_empty()) else { continue };
        let is_asked = |id: &usize| reading.is_asked(&reading.bound.vars[*id]);
        if reading.is_asked(var) || var.beside.iter().any(is_asked) {
            continue;
        }
        let first = var.reads.iter().find_map(|read| {
            let site = &reading.bound.sites[*read];
            used_as(reading, site).map(|use_| (site, use_))
        });
        if let Some((site, use_)) = first {
            let message = format!("`{}` is nil when the world refuses {name}, and then {use_} raises", var.name);
            let hint = format!("ask first: `if not {} then return end`, or write `{} or …`", var.name, name);
            found.warning(site.expr.span, message, hint);
        }
    }
}
