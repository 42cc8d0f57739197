//! What an expression is, as far as its own text and the stubs tell.
//!
//! An answer is [`Shape::Any`] wherever there is a doubt, so that no check speaks up without a reason.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::bind::{Bound, Init, Role, Site, Var};
use super::shape::{Fields, Shape};
use super::surface::Surface;
use super::tree::{Expr, ExprKind, Key, Op, Unary};

/// How far one thing is followed to another.
const DEPTH: usize = 40;

/// A shape, and whether it is more than what an annotation says.
#[derive(Debug, Clone)]
pub struct Seen {
    pub shape: Shape,
    pub is_sure: bool,
}

/// A file that is being read.
#[derive(Debug)]
pub struct Reading<'t> {
    pub bound: &'t Bound<'t>,
    pub types: &'t [(String, Shape)],
    pub surface: &'t Surface,
    /// Whether it is a persona, whose functions the host calls.
    pub is_persona: bool,
    /// Globals that the file sets itself.
    pub assigned: BTreeSet<&'t str>,
    known: RefCell<Vec<Option<Seen>>>,
}

impl<'t> Reading<'t> {
    pub fn new(bound: &'t Bound<'t>, types: &'t [(String, Shape)], surface: &'t Surface, is_persona: bool) -> Self {
        let known = RefCell::new(vec![None; bound.sites.len()]);
        let targets = bound.sites.iter().filter(|site| matches!(site.role, Role::Target) && site.var.is_none());
        let assigned = targets
            .filter_map(|site| match &site.expr.kind {
                ExprKind::Name(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        Self { bound, types, surface, is_persona, assigned, known }
    }

    /// What an expression is.
    pub fn seen(&self, expr: &Expr) -> Seen {
        self.look(expr, 0)
    }

    /// The fields of a shape, when all are known.
    pub fn fields(&self, shape: &Shape) -> Option<Fields> {
        self.surface.fields(shape, self.types).map(std::borrow::Cow::into_owned)
    }

    /// The name of a library or module, when an expression is its global or a local for it.
    pub fn global_table(&self, expr: &Expr) -> Option<String> {
        let mut expr = expr.bare();
        for _ in 0..DEPTH {
            if let Some(name) = self.bound.global(expr) {
                return matches!(self.surface.globals.get(name), Some(Shape::Table(_))).then(|| name.to_owned());
            }
            match self.bound.var_of(expr) {
                Some(Var { writes, init: Init::Value(value, 0), .. }) if writes.is_empty() => expr = value.bare(),
                _ => return None,
            }
        }
        None
    }

    fn look(&self, expr: &Expr, depth: usize) -> Seen {
        if let Some(Some(seen)) = self.known.borrow().get(expr.id) {
            return seen.clone();
        }
        if depth > DEPTH {
            return unknown();
        }
        let seen = self.work_out(expr, depth + 1);
        if let Some(known) = self.known.borrow_mut().get_mut(expr.id) {
            *known = Some(seen.clone());
        }
        seen
    }

    fn work_out(&self, expr: &Expr, depth: usize) -> Seen {
        match &expr.kind {
            ExprKind::Nil => sure(Shape::Nil),
            ExprKind::Boolean(_) => sure(Shape::Boolean),
            ExprKind::Number(_) => sure(Shape::Number),
            ExprKind::Text(_) | ExprKind::Interpolated(_) => sure(Shape::Text),
            ExprKind::Function(_) => sure(Shape::Function(None)),
            ExprKind::Table(_) => sure(some_table()),
            ExprKind::Dots | ExprKind::Other => unknown(),
            ExprKind::Name(name) => match self.bound.var_of(expr) {
                Some(var) => self.var(var, depth),
                None if self.assigned.contains(name.as_str()) => unknown(),
                None => self.surface.globals.get(name).cloned().map_or_else(unknown, sure),
            },
            ExprKind::Index(base, key) => self.index(base, key, depth),
            ExprKind::Call(_) => self.result(expr, 0, depth),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, depth),
            ExprKind::Unary(Unary::Not, _) => sure(Shape::Boolean),
            ExprKind::Unary(Unary::Length, _) => sure(Shape::Number),
            ExprKind::Unary(Unary::Minus, inner) => {
                let inner = self.look(inner, depth);
                if inner.shape == Shape::Number { inner } else { unknown() }
            }
            ExprKind::Paren(inner) => self.look(inner, depth),
            ExprKind::Cast(_, shape) => Seen { shape: shape.clone(), is_sure: false },
            ExprKind::If(arms, otherwise) => {
                let mut all = self.look(otherwise, depth);
                for (_, value) in arms {
                    all = either(all, self.look(value, depth));
                }
                all
            }
        }
    }

    fn var(&self, var: &Var<'t>, depth: usize) -> Seen {
        if let Some(shape) = var.shape {
            let is_counter = matches!(var.init, Init::Known) && *shape == Shape::Number;
            return Seen { shape: shape.clone(), is_sure: is_counter && var.writes.is_empty() };
        }
        if !var.writes.is_empty() {
            return unknown();
        }
        match var.init {
            Init::Nothing | Init::Known => unknown(),
            Init::Value(value, 0) => self.look(value, depth),
            Init::Value(value, place) => self.result(value, place, depth),
            Init::Element(over, place) => self.element(over, place, depth),
            Init::Param(function, place) => self.parameter(function, place),
        }
    }

    /// What the host gives to a persona's functions.
    fn parameter(&self, function: usize, place: usize) -> Seen {
        let function = &self.bound.functions[function];
        if !self.is_persona || function.parent != 0 {
            return unknown();
        }
        match (function.name, place) {
            (Some("on_start" | "on_tick" | "on_event" | "on_reload"), 0) => sure(Shape::Named("Bot".to_owned())),
            (Some("on_event"), 1) => sure(Shape::Named("Event".to_owned())),
            (Some("on_reload"), 1) => sure(Shape::Text),
            _ => unknown(),
        }
    }

    fn element(&self, over: &Expr, place: usize, depth: usize) -> Seen {
        let over = match &over.bare().kind {
            ExprKind::Call(call)
                if call.method.is_none()
                    && call.args.len() == 1
                    && matches!(self.bound.global(&call.callee), Some("ipairs" | "pairs")) =>
            {
                &call.args[0]
            }
            _ => over,
        };
        let seen = self.look(over, depth);
        match seen.shape.without_nil() {
            Shape::List(_) if place == 0 => Seen { shape: Shape::Number, ..seen },
            Shape::List(inner) if place == 1 => Seen { shape: *inner, ..seen },
            _ => unknown(),
        }
    }

    fn index(&self, base: &Expr, key: &Key, depth: usize) -> Seen {
        let seen = self.look(base, depth);
        let shape = seen.shape.without_nil();
        match key {
            Key::Name(name) => {
                let Some(fields) = self.fields(&shape) else { return unknown() };
                match (fields.get(&name.text), &fields.rest) {
                    (Some(shape), _) => Seen { shape: shape.clone(), ..seen },
                    (None, Some((_, value))) => Seen { shape: value.clone(), ..seen },
                    (None, None) => unknown(),
                }
            }
            Key::Value(_) => match shape {
                Shape::List(inner) => Seen { shape: *inner, ..seen },
                _ => unknown(),
            },
        }
    }

    /// One of the values that a call gives.
    fn result(&self, call: &Expr, place: usize, depth: usize) -> Seen {
        let ExprKind::Call(call) = &call.bare().kind else { return unknown() };
        if call.method.is_some() {
            return unknown();
        }
        if place == 0 {
            match self.bound.global(&call.callee) {
                Some("tostring" | "type" | "typeof") => return sure(Shape::Text),
                Some("tonumber") => return sure(Shape::Union(vec![Shape::Number, Shape::Nil])),
                _ => {}
            }
        }
        let seen = self.look(&call.callee, depth);
        match &seen.shape {
            Shape::Function(Some(signature)) => {
                let shape = signature.returns.get(place).cloned().unwrap_or(Shape::Any);
                Seen { shape, is_sure: seen.is_sure }
            }
            _ => unknown(),
        }
    }

    fn binary(&self, op: Op, left: &Expr, right: &Expr, depth: usize) -> Seen {
        match op {
            Op::Equal | Op::Unequal | Op::Order(_) => sure(Shape::Boolean),
            Op::Concat => sure(Shape::Text),
            Op::Arithmetic(_) => {
                let (left, right) = (self.look(left, depth), self.look(right, depth));
                let are_numbers = left.shape == Shape::Number && right.shape == Shape::Number;
                if are_numbers { sure(Shape::Number) } else { unknown() }
            }
            Op::Or => {
                let left = self.look(left, depth);
                let left = Seen { shape: left.shape.without_nil(), ..left };
                either(left, self.look(right, depth))
            }
            Op::And => {
                let seen = self.look(right, depth);
                either(seen, sure(Shape::Nil))
            }
        }
    }

    /// Whether what an expression gives is `nil` when the world refuses; the name of what it calls.
    pub fn may_fail(&self, expr: &Expr) -> Option<String> {
        let ExprKind::Call(call) = &expr.bare().kind else { return None };
        let Shape::Function(Some(signature)) = self.seen(&call.callee).shape else { return None };
        let fails = call.method.is_none() && signature.returns.get(1).is_some_and(Surface::is_failure);
        (fails && signature.returns[0].may_be_nil() && signature.returns[0] != Shape::Any)
            .then(|| signature.name.clone())
    }

    /// Whether somebody asks anywhere if this local is nil.
    pub fn is_asked(&self, var: &Var<'t>) -> bool {
        let asks = |site: &Site<'t>| match site.role {
            Role::Condition => true,
            Role::Operand => self
                .bound
                .parent(site)
                .is_some_and(|parent| matches!(parent.expr.kind, ExprKind::Binary(Op::Equal | Op::Unequal, ..))),
            Role::Arg(_) => self.bound.parent(site).is_some_and(|parent| match &parent.expr.kind {
                ExprKind::Call(call) => {
                    matches!(self.bound.global(&call.callee), Some("assert" | "type" | "typeof" | "pcall" | "select"))
                }
                _ => false,
            }),
            _ => false,
        };
        var.reads.iter().any(|read| asks(&self.bound.sites[*read]))
    }
}

fn sure(shape: Shape) -> Seen {
    Seen { shape, is_sure: true }
}

fn unknown() -> Seen {
    Seen { shape: Shape::Any, is_sure: false }
}

/// A table of which nothing else is known.
fn some_table() -> Shape {
    Shape::Table(std::sync::Arc::new(Fields { named: Vec::new(), rest: Some((Shape::Any, Shape::Any)) }))
}

fn either(left: Seen, right: Seen) -> Seen {
    let is_sure = left.is_sure && right.is_sure;
    if left.shape == right.shape {
        return Seen { shape: left.shape, is_sure };
    }
    if left.shape == Shape::Any || right.shape == Shape::Any {
        return unknown();
    }
    // `list or {}` is that list.
    if matches!(left.shape, Shape::List(_) | Shape::Named(_)) && right.shape == some_table() {
        return Seen { shape: left.shape, is_sure };
    }
    let mut all = Vec::new();
    for shape in [left.shape, right.shape] {
        match shape {
            Shape::Union(shapes) => all.extend(shapes),
            other => all.push(other),
        }
    }
    all.dedup();
    Seen { shape: Shape::Union(all), is_sure }
}
