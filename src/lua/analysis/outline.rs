//! The outline: where in the text every field of what a file returns stands, however the table is built.
//!
//! `schedule.timezone` is found in `return { schedule = { timezone = … } }`, in `P.schedule = …` and in a local of its own.

use std::collections::BTreeMap;

use super::bind::{Bound, Init, Var};
use super::place::Lines;
use super::tree::{Expr, ExprKind, FieldKey, Key, Span, Stmt, StmtKind};
use crate::model::diagnostic::Columns;

/// Deeper fields than these are told of by the field they are in.
const DEPTH: usize = 6;
/// More fields than these are told of by the field they are in.
const FIELDS: usize = 20_000;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    pub line: u32,
    pub columns: Columns,
}

/// Where a field stands.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub key: Spot,
    /// What it is, when that begins on the same line.
    pub value: Spot,
}

/// The fields of what a file returns, by their paths: `identity.names[2]`.
#[derive(Debug, Default)]
pub struct Outline {
    entries: BTreeMap<String, Entry>,
    /// The table itself, or what is returned instead.
    root: Option<Spot>,
    /// What each template of a list says, with its path.
    pub texts: Vec<(String, String, Spot)>,
}

impl Outline {
    pub fn new(bound: &Bound<'_>, lines: &Lines<'_>) -> Self {
        let mut outline = Self::default();
        let last = bound.returns.iter().rfind(|(_, function, _)| *function == 0);
        let Some((values, _, span)) = last else { return outline };
        let Some(value) = values.first() else {
            outline.root = Some(spot(lines, *span));
            return outline;
        };
        let mut writer = Writer { bound, lines, outline, targets: targets(bound) };
        writer.outline.root = Some(spot(lines, value.span));
        writer.table("", value, 0);
        writer.outline
    }

    /// Where a field stands, or the innermost table that it is missing in.
    pub fn find(&self, field: &str) -> Option<Entry> {
        let mut field = field;
        loop {
            if let Some(entry) = self.entries.get(field) {
                return Some(*entry);
            }
            match field.rfind(['.', '[']) {
                Some(at) => field = &field[..at],
                None => return self.root.map(|root| Entry { key: root, value: root }),
            }
        }
    }

    /// Whether exactly this field stands there.
    pub fn has(&self, field: &str) -> bool {
        self.entries.contains_key(field)
    }
}

/// A statement that sets a field of a local: the names after the local's, and what it is set to.
type Target<'t> = (&'t Expr, &'t Expr);

fn targets<'t>(bound: &Bound<'t>) -> Vec<Target<'t>> {
    let mut all = Vec::new();
    for (stmts, function) in &bound.blocks {
        if *function != 0 {
            continue;
        }
        for Stmt { kind, .. } in *stmts {
            match kind {
                StmtKind::Assign(targets, values) => all.extend(targets.iter().zip(values)),
                StmtKind::Function(target, value) => all.push((target, value)),
                _ => {}
            }
        }
    }
    all.retain(|(target, _)| matches!(target.kind, ExprKind::Index(..)));
    all
}

struct Writer<'b, 't> {
    bound: &'b Bound<'t>,
    lines: &'b Lines<'b>,
    outline: Outline,
    targets: Vec<Target<'t>>,
}

impl<'t> Writer<'_, 't> {
    fn table(&mut self, path: &str, value: &Expr, depth: usize) {
        if depth > DEPTH || self.outline.entries.len() > FIELDS {
            return;
        }
        match &value.bare().kind {
            ExprKind::Table(fields) => {
                if path.is_empty() {
                    self.outline.root = Some(spot(self.lines, value.span));
                }
                for field in fields {
                    let (path, key) = match &field.key {
                        FieldKey::Name(name) => (join(path, &name.text), name.span),
                        FieldKey::Place(place) => (format!("{path}[{place}]"), field.value.span),
                        FieldKey::Value(key) => match &key.bare().kind {
                            ExprKind::Number(number) if path.is_empty() => (number.to_string(), key.span),
                            ExprKind::Number(number) => (format!("{path}[{number}]"), key.span),
                            _ => continue,
                        },
                    };
                    self.entry(&path, key, &field.value, depth);
                }
            }
            ExprKind::Name(_) => {
                let Some(var) = self.bound.var_of(value) else { return };
                if let Init::Value(value, 0) = var.init {
                    self.table(path, value, depth + 1);
                }
                self.assigned(path, var, depth);
            }
            // `table.freeze { … }` and `setmetatable({ … }, …)` give what they got.
            ExprKind::Call(call) => {
                let gives_back =
                    matches!(call.callee.path().as_deref(), Some(["table", "freeze" | "clone"] | ["setmetatable"]));
                if let Some(first) = call.args.first().filter(|_| gives_back) {
                    self.table(path, first, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// Fields that are set after the table was made; the last one counts.
    fn assigned(&mut self, path: &str, var: &Var<'t>, depth: usize) {
        for (target, value) in self.targets.clone() {
            let mut names = Vec::new();
            let mut base = target;
            let mut last = None;
            while let ExprKind::Index(inner, key) = &base.kind {
                let (Key::Name(name), true) = (&**key, names.len() < DEPTH) else { break };
                last = last.or(Some(name.span));
                names.push(name.text.as_str());
                base = inner;
            }
            let is_own = self.bound.var_of(base).is_some_and(|other| other.span == var.span);
            if let (true, Some(key)) = (is_own, last) {
                let full = names.iter().rev().fold(path.to_owned(), |path, name| join(&path, name));
                self.entry(&full, key, value, depth);
            }
        }
    }

    fn entry(&mut self, path: &str, key: Span, value: &Expr, depth: usize) {
        let key = spot(self.lines, key);
        let value_spot = spot(self.lines, value.span);
        let value_spot = if value_spot.line == key.line { value_spot } else { key };
        self.outline.entries.insert(path.to_owned(), Entry { key, value: value_spot });
        if let Some(text) = value.text() {
            self.outline.texts.push((path.to_owned(), text.to_owned(), value_spot));
        }
        self.table(path, value, depth + 1);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn spot(lines: &Lines<'_>, span: Span) -> Spot {
    Spot { line: lines.line(span.from), columns: lines.columns(span) }
}
