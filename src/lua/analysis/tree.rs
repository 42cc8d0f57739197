//! A script as a tree: what the checks walk.
//!
//! It is plain data of our own, bounded in depth, so that no walk over it can exhaust a stack.

use super::shape::Shape;

/// Bytes of the text, from the first up to but not the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub from: usize,
    pub to: usize,
}

impl Span {
    /// From the beginning of one to the end of the other.
    pub fn to(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

/// A whole file.
#[derive(Debug)]
pub struct Tree {
    pub body: Vec<Stmt>,
    /// The types it declares.
    pub types: Vec<(String, Shape)>,
    /// How many expressions there are; their ids are below it.
    pub exprs: usize,
}

/// A name as it stands in the text.
#[derive(Debug, Clone)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

#[derive(Debug)]
pub struct Expr {
    /// Its place in tables that hold something for every expression of a file.
    pub id: usize,
    pub span: Span,
    pub kind: ExprKind,
}

#[derive(Debug)]
pub enum ExprKind {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(String),
    /// A text with expressions in it.
    Interpolated(Vec<Expr>),
    /// `...`
    Dots,
    Function(Box<Function>),
    Table(Vec<Field>),
    Name(String),
    Index(Box<Expr>, Box<Key>),
    Call(Box<Call>),
    Binary(Op, Box<Expr>, Box<Expr>),
    Unary(Unary, Box<Expr>),
    /// Parentheses, which leave one of several values.
    Paren(Box<Expr>),
    /// Conditions with their values, and the last value.
    If(Vec<(Expr, Expr)>, Box<Expr>),
    /// `value :: Type`
    Cast(Box<Expr>, Shape),
    /// What this tree has no word for.
    Other,
}

#[derive(Debug)]
pub enum Key {
    /// `.name`, or `["name"]`.
    Name(Name),
    Value(Expr),
}

#[derive(Debug)]
pub struct Call {
    pub callee: Expr,
    /// The name after a colon.
    pub method: Option<Name>,
    pub args: Vec<Expr>,
}

#[derive(Debug)]
pub struct Field {
    pub key: FieldKey,
    pub value: Expr,
}

#[derive(Debug)]
pub enum FieldKey {
    /// Its place in the list, from 1.
    Place(usize),
    Name(Name),
    Value(Expr),
}

#[derive(Debug)]
pub struct Function {
    pub params: Vec<Param>,
    pub body: Vec<Stmt>,
}

#[derive(Debug, Clone)]
pub struct Param {
    pub name: Name,
    /// What its annotation says.
    pub shape: Option<Shape>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Or,
    And,
    Equal,
    Unequal,
    /// `<` and `<=`, or `>` and `>=`, which Luau turns round.
    Order(Turned),
    Concat,
    /// With the word that Luau has for it.
    Arithmetic(&'static str),
}

/// Whether Luau looks at the right side first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    No,
    Yes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    Minus,
    Not,
    Length,
}

#[derive(Debug)]
pub struct Stmt {
    pub span: Span,
    pub kind: StmtKind,
}

#[derive(Debug)]
pub enum StmtKind {
    Local(Vec<Param>, Vec<Expr>),
    LocalFunction(Name, Expr),
    Assign(Vec<Expr>, Vec<Expr>),
    Compound(Expr, Op, Expr),
    /// `function a.b(…)`; with a colon its function has `self` as first parameter.
    Function(Expr, Expr),
    Call(Expr),
    Do(Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    Repeat(Vec<Stmt>, Expr),
    /// Arms, each with the local that its condition may bind, and what stands after `else`.
    If(Vec<Arm>, Option<Vec<Stmt>>),
    NumericFor(Param, Vec<Expr>, Vec<Stmt>),
    GenericFor(Vec<Param>, Vec<Expr>, Vec<Stmt>),
    Return(Vec<Expr>),
    Break,
    Continue,
}

#[derive(Debug)]
pub struct Arm {
    pub binding: Option<Param>,
    pub condition: Expr,
    pub body: Vec<Stmt>,
}

impl Expr {
    /// Without parentheses and casts around it.
    pub fn bare(&self) -> &Self {
        let mut expr = self;
        while let ExprKind::Paren(inner) | ExprKind::Cast(inner, _) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The text it is, when it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.bare().kind {
            ExprKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The function it is, when it is one.
    pub fn function(&self) -> Option<&Function> {
        match &self.bare().kind {
            ExprKind::Function(function) => Some(function),
            _ => None,
        }
    }

    /// `a.b.c` as its names, when it is nothing else.
    pub fn path(&self) -> Option<Vec<&str>> {
        match &self.bare().kind {
            ExprKind::Name(name) => Some(vec![name]),
            ExprKind::Index(base, key) => match &**key {
                Key::Name(name) => {
                    let mut path = base.path()?;
                    path.push(&name.text);
                    Some(path)
                }
                Key::Value(_) => None,
            },
            _ => None,
        }
    }
}
