//! Who is meant: every name bound to its local, every expression with its place in what surrounds it.
//!
//! One walk makes flat lists, so that a check is a loop over them and not a walk of its own.

use std::collections::BTreeMap;

use super::shape::Shape;
use super::tree::{Expr, ExprKind, FieldKey, Function, Key, Op, Param, Span, Stmt, StmtKind, Tree, Unary};

pub type VarId = usize;
pub type FnId = usize;

/// What a local begins as.
#[derive(Debug, Clone, Copy)]
pub enum Init<'t> {
    Nothing,
    /// The value of an expression, by its place among several.
    Value(&'t Expr, usize),
    /// What a loop over it gives, by its place.
    Element(&'t Expr, usize),
    /// A parameter of a function, by its place.
    Param(FnId, usize),
    /// Something else that is not nil.
    Known,
}

/// A local.
#[derive(Debug)]
pub struct Var<'t> {
    pub name: &'t str,
    pub span: Span,
    /// What its annotation says.
    pub shape: Option<&'t Shape>,
    pub function: FnId,
    pub init: Init<'t>,
    /// Where it is read, as ids of expressions.
    pub reads: Vec<usize>,
    /// Where it is set again, as ids of expressions.
    pub writes: Vec<usize>,
    /// Declared by the same statement, like a value and its failure.
    pub beside: Vec<VarId>,
}

/// A function; the file itself is the first.
#[derive(Debug)]
pub struct Func<'t> {
    pub parent: FnId,
    /// What it is put into: the last name of `P.on_tick = function …` or of a field.
    pub name: Option<&'t str>,
    /// Its expression.
    pub expr: Option<usize>,
}

/// How an expression is used by what it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A call for its effect.
    Statement,
    Callee,
    /// Of an index.
    Base,
    Key,
    Arg(usize),
    /// Whether it is nil or false is asked.
    Condition,
    Operand,
    /// Of a loop.
    Iterated,
    /// Assigned to.
    Target,
    /// Added to, and so read and assigned to.
    Compound,
    /// Anything else that takes its value.
    Value,
}

/// An expression in its place.
#[derive(Debug, Clone, Copy)]
pub struct Site<'t> {
    pub expr: &'t Expr,
    pub parent: Option<usize>,
    pub role: Role,
    pub function: FnId,
    /// Whether what it raises is caught.
    pub is_guarded: bool,
    /// The local that a name means; a name without one is a global.
    pub var: Option<VarId>,
}

/// A file whose names are bound.
#[derive(Debug)]
pub struct Bound<'t> {
    /// By the ids of the expressions.
    pub sites: Vec<Site<'t>>,
    pub vars: Vec<Var<'t>>,
    pub functions: Vec<Func<'t>>,
    /// Every block with the function it is in.
    pub blocks: Vec<(&'t [Stmt], FnId)>,
    /// What every function returns.
    pub returns: Vec<(&'t [Expr], FnId, Span)>,
}

impl<'t> Bound<'t> {
    pub fn new(tree: &'t Tree) -> Self {
        let placeholder = Vec::with_capacity(tree.exprs);
        let mut binder = Binder {
            sites: placeholder,
            bound: Self {
                sites: Vec::new(),
                vars: Vec::new(),
                functions: Vec::new(),
                blocks: Vec::new(),
                returns: Vec::new(),
            },
            scopes: vec![BTreeMap::new()],
            function: 0,
            guards: 0,
        };
        binder.sites.resize(tree.exprs, None);
        binder.bound.functions.push(Func { parent: 0, name: None, expr: None });
        binder.block(&tree.body);
        let Binder { sites, mut bound, .. } = binder;
        // Ids are dense: an expression that was made and not kept has no place, and nobody asks for it.
        let any = sites.iter().flatten().next().copied();
        bound.sites = any.map_or_else(Vec::new, |any| sites.into_iter().map(|site| site.unwrap_or(any)).collect());
        bound
    }

    pub fn site(&self, expr: &Expr) -> &Site<'t> {
        &self.sites[expr.id]
    }

    pub fn parent(&self, site: &Site<'t>) -> Option<&Site<'t>> {
        site.parent.map(|parent| &self.sites[parent])
    }

    /// The local a name means.
    pub fn var_of(&self, expr: &Expr) -> Option<&Var<'t>> {
        self.site(expr.bare()).var.map(|var| &self.vars[var])
    }

    /// The name of a global, when the expression is one.
    pub fn global<'e>(&self, expr: &'e Expr) -> Option<&'e str> {
        match &expr.bare().kind {
            ExprKind::Name(name) if self.site(expr.bare()).var.is_none() => Some(name),
            _ => None,
        }
    }

    /// The function and all those around it, innermost first; the file is not among them.
    pub fn around(&self, function: FnId) -> impl Iterator<Item = FnId> + '_ {
        let mut next = function;
        std::iter::from_fn(move || {
            let here = next;
            next = self.functions[here].parent;
            (here != 0).then_some(here)
        })
    }
}

struct Binder<'t> {
    sites: Vec<Option<Site<'t>>>,
    bound: Bound<'t>,
    scopes: Vec<BTreeMap<&'t str, VarId>>,
    function: FnId,
    guards: usize,
}

impl<'t> Binder<'t> {
    fn find(&self, name: &str) -> Option<VarId> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name).copied())
    }

    fn declare(&mut self, param: &'t Param, init: Init<'t>) -> VarId {
        self.declare_named(&param.name.text, param.name.span, param.shape.as_ref(), init)
    }

    fn declare_named(&mut self, name: &'t str, span: Span, shape: Option<&'t Shape>, init: Init<'t>) -> VarId {
        let id = self.bound.vars.len();
        self.bound.vars.push(Var {
            name,
            span,
            shape,
            function: self.function,
            init,
            reads: Vec::new(),
            writes: Vec::new(),
            beside: Vec::new(),
        });
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, id);
        }
        id
    }

    fn scoped(&mut self, body: impl FnOnce(&mut Self)) {
        self.scopes.push(BTreeMap::new());
        body(self);
        self.scopes.pop();
    }

    fn block(&mut self, stmts: &'t [Stmt]) {
        self.bound.blocks.push((stmts, self.function));
        for stmt in stmts {
            self.stmt(stmt);
        }
    }

    fn nested(&mut self, stmts: &'t [Stmt]) {
        self.scoped(|this| this.block(stmts));
    }

    fn stmt(&mut self, stmt: &'t Stmt) {
        match &stmt.kind {
            StmtKind::Local(names, values) => {
                for (place, value) in values.iter().enumerate() {
                    let name = names.get(place).map(|param| param.name.text.as_str());
                    self.named(value, None, Role::Value, name);
                }
                let mut all = Vec::new();
                for (place, param) in names.iter().enumerate() {
                    let init = match values.get(place) {
                        Some(value) if place + 1 < values.len() || !gives_many(value) => Init::Value(value, 0),
                        _ => match values.last().filter(|last| gives_many(last)) {
                            Some(last) => Init::Value(last, place + 1 - values.len()),
                            None => Init::Nothing,
                        },
                    };
                    all.push(self.declare(param, init));
                }
                for var in &all {
                    self.bound.vars[*var].beside = all.iter().copied().filter(|other| other != var).collect();
                }
            }
            StmtKind::LocalFunction(name, function) => {
                self.declare_named(&name.text, name.span, None, Init::Value(function, 0));
                self.named(function, None, Role::Value, Some(&name.text));
            }
            StmtKind::Assign(targets, values) => {
                for (place, value) in values.iter().enumerate() {
                    let name = targets.get(place).and_then(last_name);
                    self.named(value, None, Role::Value, name);
                }
                for target in targets {
                    self.target(target, Role::Target);
                }
            }
            StmtKind::Compound(target, _, value) => {
                self.expr(value, None, Role::Operand);
                self.target(target, Role::Compound);
            }
            StmtKind::Function(target, function) => {
                self.target(target, Role::Target);
                self.named(function, None, Role::Value, last_name(target));
            }
            StmtKind::Call(call) => self.expr(call, None, Role::Statement),
            StmtKind::Do(body) => self.nested(body),
            StmtKind::While(condition, body) => {
                self.expr(condition, None, Role::Condition);
                self.nested(body);
            }
            StmtKind::Repeat(body, until) => self.scoped(|this| {
                this.block(body);
                this.expr(until, None, Role::Condition);
            }),
            StmtKind::If(arms, otherwise) => {
                for arm in arms {
                    self.scoped(|this| {
                        this.expr(&arm.condition, None, Role::Condition);
                        if let Some(binding) = &arm.binding {
                            this.declare(binding, Init::Known);
                        }
                        this.block(&arm.body);
                    });
                }
                if let Some(body) = otherwise {
                    self.nested(body);
                }
            }
            StmtKind::NumericFor(counter, bounds, body) => {
                for bound in bounds {
                    self.expr(bound, None, Role::Operand);
                }
                self.scoped(|this| {
                    this.declare(counter, Init::Known);
                    this.block(body);
                });
            }
            StmtKind::GenericFor(names, values, body) => {
                for value in values {
                    self.expr(value, None, Role::Iterated);
                }
                self.scoped(|this| {
                    for (place, name) in names.iter().enumerate() {
                        let init = match values.as_slice() {
                            [one] => Init::Element(one, place),
                            _ => Init::Known,
                        };
                        this.declare(name, init);
                    }
                    this.block(body);
                });
            }
            StmtKind::Return(values) => {
                for value in values {
                    self.expr(value, None, Role::Value);
                }
                self.bound.returns.push((values, self.function, stmt.span));
            }
            StmtKind::Break | StmtKind::Continue => {}
        }
    }

    fn target(&mut self, target: &'t Expr, role: Role) {
        self.expr(target, None, role);
    }

    fn expr(&mut self, expr: &'t Expr, parent: Option<usize>, role: Role) {
        self.named(expr, parent, role, None);
    }

    /// `name` is what a function that this is would be put into.
    fn named(&mut self, expr: &'t Expr, parent: Option<usize>, role: Role, name: Option<&'t str>) {
        let var = match &expr.kind {
            ExprKind::Name(name) => self.find(name),
            _ => None,
        };
        if let Some(var) = var {
            let var = &mut self.bound.vars[var];
            match role {
                Role::Target => var.writes.push(expr.id),
                Role::Compound => {
                    var.writes.push(expr.id);
                    var.reads.push(expr.id);
                }
                _ => var.reads.push(expr.id),
            }
        }
        let is_guarded = self.guards > 0;
        if let Some(site) = self.sites.get_mut(expr.id) {
            *site = Some(Site { expr, parent, role, function: self.function, is_guarded, var });
        }
        let own = Some(expr.id);
        match &expr.kind {
            ExprKind::Interpolated(parts) => parts.iter().for_each(|part| self.expr(part, own, Role::Value)),
            ExprKind::Function(function) => self.function(expr, function, name),
            ExprKind::Table(fields) => {
                for field in fields {
                    let name = match &field.key {
                        FieldKey::Name(name) => Some(name.text.as_str()),
                        FieldKey::Place(_) => None,
                        FieldKey::Value(key) => {
                            self.expr(key, own, Role::Key);
                            None
                        }
                    };
                    self.named(&field.value, own, Role::Value, name);
                }
            }
            ExprKind::Index(base, key) => {
                self.expr(base, own, Role::Base);
                if let Key::Value(key) = &**key {
                    self.expr(key, own, Role::Key);
                }
            }
            ExprKind::Call(call) => {
                let base_role = if call.method.is_some() { Role::Base } else { Role::Callee };
                self.expr(&call.callee, own, base_role);
                let guards =
                    matches!(&call.callee.kind, ExprKind::Name(name) if name == "pcall" && self.find(name).is_none());
                self.guards += usize::from(guards);
                for (place, arg) in call.args.iter().enumerate() {
                    self.expr(arg, own, Role::Arg(place));
                }
                self.guards -= usize::from(guards);
            }
            ExprKind::Binary(op, left, right) => {
                let asks = matches!(op, Op::And | Op::Or);
                self.expr(left, own, if asks { Role::Condition } else { Role::Operand });
                // What decides of the whole decides of its right side too.
                let inherited = if asks && role == Role::Condition { Role::Condition } else { Role::Value };
                self.expr(right, own, if asks { inherited } else { Role::Operand });
            }
            ExprKind::Unary(op, inner) => {
                self.expr(inner, own, if *op == Unary::Not { Role::Condition } else { Role::Operand });
            }
            // Parentheses and casts are used as what is in them.
            ExprKind::Paren(inner) | ExprKind::Cast(inner, _) => self.named(inner, parent, role, name),
            ExprKind::If(arms, otherwise) => {
                for (condition, value) in arms {
                    self.expr(condition, own, Role::Condition);
                    self.expr(value, own, Role::Value);
                }
                self.expr(otherwise, own, Role::Value);
            }
            ExprKind::Nil
            | ExprKind::Boolean(_)
            | ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Dots
            | ExprKind::Name(_)
            | ExprKind::Other => {}
        }
    }

    fn function(&mut self, expr: &'t Expr, function: &'t Function, name: Option<&'t str>) {
        let id = self.bound.functions.len();
        self.bound.functions.push(Func { parent: self.function, name, expr: Some(expr.id) });
        let outer = std::mem::replace(&mut self.function, id);
        self.scoped(|this| {
            for (place, param) in function.params.iter().enumerate() {
                this.declare(param, Init::Param(id, place));
            }
            this.block(&function.body);
        });
        self.function = outer;
    }
}

/// Whether an expression may give several values.
pub fn gives_many(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Call(_) | ExprKind::Dots)
}

fn last_name(target: &Expr) -> Option<&str> {
    match &target.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Index(_, key) => match &**key {
            Key::Name(name) => Some(&name.text),
            Key::Value(_) => None,
        },
        _ => None,
    }
}
