//! From text to [`Tree`], by the crate `full_moon`, which is named here alone.
//!
//! The compiler stays the judge of what is Luau: a text that this parser does not know is not looked at, and never an error.

use full_moon::ast::luau;
use full_moon::ast::punctuated::Punctuated;
use full_moon::ast::span::ContainedSpan;
use full_moon::ast::{
    self, BinOp, Expression, FunctionArgs, FunctionBody, Index, LastStmt, Parameter, Prefix, Suffix, UnOp, Var,
};
use full_moon::tokenizer::{StringLiteralQuoteType, TokenReference, TokenType};

use super::shape::Shape;
use super::tree::{
    Arm, Call, Expr, ExprKind, Field, FieldKey, Function, Key, Name, Op, Param, Span, Stmt, StmtKind, Tree, Turned,
    Unary,
};
use super::types::shape_of;

/// Deeper than this nobody writes by hand; what is deeper is not looked at.
const DEPTH: usize = 180;
/// The parser descends once for every level, and a text may nest as deep as Luau's compiler lets it.
const STACK: usize = 256 << 20;

/// Runs what parses on a thread of its own, which has the stack for it and keeps a panic of the parser's to itself.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    let parsing = std::thread::Builder::new().name("parse".to_owned()).stack_size(STACK);
    std::thread::scope(|scope| parsing.spawn_scoped(scope, work).ok()?.join().ok())
}

/// Parses what the compiler has accepted; nothing when this parser does not know it, or when it nests too deep.
pub fn parse_here(text: &str) -> Option<Tree> {
    // What the compiler passes over, see `vm::compile`; a blank keeps the places of the rest.
    let text = text.strip_prefix('\u{feff}').map_or(text.into(), |rest| std::borrow::Cow::from(format!("   {rest}")));
    let parsed = full_moon::parse(&text).ok()?;
    let mut reader = Reader { exprs: 0, depth: 0, types: Vec::new() };
    let body = reader.block(parsed.nodes())?;
    Some(Tree { body, types: reader.types, exprs: reader.exprs })
}

struct Reader {
    exprs: usize,
    depth: usize,
    types: Vec<(String, Shape)>,
}

fn span(token: &TokenReference) -> Span {
    Span { from: token.token().start_position().bytes(), to: token.token().end_position().bytes() }
}

fn whole(bounds: &ContainedSpan) -> Span {
    let (first, last) = bounds.tokens();
    span(first).to(span(last))
}

/// Where a statement stands. Read from its own tokens: the parser's way of asking for a position takes twice as long
/// with every level that it nests.
fn extent(stmt: &ast::Stmt, kind: &StmtKind) -> Span {
    let from_to = |first: &TokenReference, last: &TokenReference| span(first).to(span(last));
    let until = |first: Span, values: &[Expr]| values.last().map_or(first, |last| first.to(last.span));
    match (stmt, kind) {
        (ast::Stmt::Do(given), _) => from_to(given.do_token(), given.end_token()),
        (ast::Stmt::If(given), _) => from_to(given.if_token(), given.end_token()),
        (ast::Stmt::While(given), _) => from_to(given.while_token(), given.end_token()),
        (ast::Stmt::NumericFor(given), _) => from_to(given.for_token(), given.end_token()),
        (ast::Stmt::GenericFor(given), _) => from_to(given.for_token(), given.end_token()),
        (ast::Stmt::LocalAssignment(given), StmtKind::Local(_, values)) => until(span(given.local_token()), values),
        (ast::Stmt::ConstAssignment(given), StmtKind::Local(_, values)) => until(span(given.const_token()), values),
        (ast::Stmt::Repeat(given), StmtKind::Repeat(_, condition)) => span(given.repeat_token()).to(condition.span),
        (_, StmtKind::LocalFunction(_, function) | StmtKind::Function(_, function)) => function.span,
        (_, StmtKind::Assign(targets, values)) => targets.first().map_or(NOWHERE, |first| until(first.span, values)),
        (_, StmtKind::Compound(target, _, value)) => target.span.to(value.span),
        (_, StmtKind::Call(call)) => call.span,
        _ => NOWHERE,
    }
}

const NOWHERE: Span = Span { from: 0, to: 0 };

pub(super) fn word(token: &TokenReference) -> String {
    match token.token().token_type() {
        TokenType::Identifier { identifier } => identifier.to_string(),
        _ => token.token().to_string(),
    }
}

fn name(token: &TokenReference) -> Name {
    Name { text: word(token), span: span(token) }
}

impl Reader {
    fn block(&mut self, block: &ast::Block) -> Option<Vec<Stmt>> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let mut stmts = Vec::new();
        for stmt in block.stmts() {
            if let Some(kind) = self.stmt(stmt)? {
                stmts.push(Stmt { span: extent(stmt, &kind), kind });
            }
        }
        if let Some(last) = block.last_stmt() {
            let (span, kind) = match last {
                LastStmt::Return(given) => {
                    let (token, values) = (span(given.token()), self.exprs(given.returns())?);
                    (values.last().map_or(token, |value| token.to(value.span)), StmtKind::Return(values))
                }
                LastStmt::Break(token) => (span(token), StmtKind::Break),
                LastStmt::Continue(token) => (span(token), StmtKind::Continue),
                _ => return None,
            };
            stmts.push(Stmt { span, kind });
        }
        self.depth -= 1;
        Some(stmts)
    }

    /// None within when it is nothing that runs.
    fn stmt(&mut self, stmt: &ast::Stmt) -> Option<Option<StmtKind>> {
        Some(Some(match stmt {
            ast::Stmt::Assignment(given) => {
                let targets = given.variables().iter().map(|var| self.var(var)).collect::<Option<_>>()?;
                StmtKind::Assign(targets, self.exprs(given.expressions())?)
            }
            ast::Stmt::Do(given) => StmtKind::Do(self.block(given.block())?),
            ast::Stmt::FunctionCall(call) => StmtKind::Call(self.chain(call.prefix(), call.suffixes())?),
            ast::Stmt::FunctionDeclaration(given) => {
                let mut names = given.name().names().iter();
                let first = names.next()?;
                let mut target = self.make(span(first), ExprKind::Name(word(first)));
                for key in names.chain(given.name().method_name()) {
                    let span = target.span.to(span(key));
                    target = self.make(span, ExprKind::Index(Box::new(target), Box::new(Key::Name(name(key)))));
                }
                let mut function = self.function(given.body())?;
                if let Some(colon) = given.name().method_colon() {
                    let own = Name { text: "self".to_owned(), span: span(colon) };
                    function.params.insert(0, Param { name: own, shape: None });
                }
                StmtKind::Function(
                    target,
                    self.make(
                        span(given.function_token()).to(span(given.body().end_token())),
                        ExprKind::Function(Box::new(function)),
                    ),
                )
            }
            ast::Stmt::GenericFor(given) => {
                let shapes = given.type_specifiers();
                let names = params(given.names().iter(), shapes);
                let values = self.exprs(given.expressions())?;
                StmtKind::GenericFor(names, values, self.block(given.block())?)
            }
            ast::Stmt::If(given) => {
                let mut arms = vec![Arm {
                    binding: given.binding().map(binding),
                    condition: self.expr(given.condition())?,
                    body: self.block(given.block())?,
                }];
                for other in given.else_if().into_iter().flatten() {
                    arms.push(Arm {
                        binding: other.binding().map(binding),
                        condition: self.expr(other.condition())?,
                        body: self.block(other.block())?,
                    });
                }
                let otherwise = match given.else_block() {
                    Some(block) => Some(self.block(block)?),
                    None => None,
                };
                StmtKind::If(arms, otherwise)
            }
            ast::Stmt::LocalAssignment(given) => {
                let names = params(given.names().iter(), given.type_specifiers());
                StmtKind::Local(names, self.exprs(given.expressions())?)
            }
            ast::Stmt::ConstAssignment(given) => {
                let names = params(given.names().iter(), given.type_specifiers());
                StmtKind::Local(names, self.exprs(given.expressions())?)
            }
            ast::Stmt::LocalFunction(given) => {
                self.local_function(given.name(), given.body(), span(given.local_token()))?
            }
            ast::Stmt::ConstFunction(given) => {
                self.local_function(given.name(), given.body(), span(given.const_token()))?
            }
            ast::Stmt::NumericFor(given) => {
                let mut bounds = vec![self.expr(given.start())?, self.expr(given.end())?];
                if let Some(step) = given.step() {
                    bounds.push(self.expr(step)?);
                }
                let counter = Param { name: name(given.index_variable()), shape: Some(Shape::Number) };
                StmtKind::NumericFor(counter, bounds, self.block(given.block())?)
            }
            ast::Stmt::Repeat(given) => StmtKind::Repeat(self.block(given.block())?, self.expr(given.until())?),
            ast::Stmt::While(given) => StmtKind::While(self.expr(given.condition())?, self.block(given.block())?),
            ast::Stmt::CompoundAssignment(given) => {
                let op = match word(given.compound_operator().token()).trim() {
                    "+=" => Op::Arithmetic("add"),
                    "-=" => Op::Arithmetic("sub"),
                    "*=" => Op::Arithmetic("mul"),
                    "..=" => Op::Concat,
                    _ => Op::Arithmetic("div"),
                };
                StmtKind::Compound(self.var(given.lhs())?, op, self.expr(given.rhs())?)
            }
            ast::Stmt::TypeDeclaration(given) => {
                self.declare(given);
                return Some(None);
            }
            ast::Stmt::ExportedTypeDeclaration(given) => {
                self.declare(given.type_declaration());
                return Some(None);
            }
            ast::Stmt::TypeFunction(_) | ast::Stmt::ExportedTypeFunction(_) => return Some(None),
            _ => return None,
        }))
    }

    fn declare(&mut self, given: &luau::TypeDeclaration) {
        self.types.push((word(given.type_name()), shape_of(given.type_definition())));
    }

    fn local_function(&mut self, own: &TokenReference, body: &FunctionBody, first: Span) -> Option<StmtKind> {
        let function = self.function(body)?;
        let span = first.to(span(body.end_token()));
        Some(StmtKind::LocalFunction(name(own), self.make(span, ExprKind::Function(Box::new(function)))))
    }

    fn function(&mut self, body: &FunctionBody) -> Option<Function> {
        let mut names = Vec::new();
        let mut shapes = body.type_specifiers();
        for parameter in body.parameters() {
            let shape = shapes.next().flatten().map(|given| shape_of(given.type_info()));
            if let Parameter::Name(token) = parameter {
                names.push(Param { name: name(token), shape });
            }
        }
        Some(Function { params: names, body: self.block(body.block())? })
    }

    fn make(&mut self, span: Span, kind: ExprKind) -> Expr {
        let id = self.exprs;
        self.exprs += 1;
        Expr { id, span, kind }
    }

    fn exprs(&mut self, list: &Punctuated<Expression>) -> Option<Vec<Expr>> {
        list.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr(&mut self, expr: &Expression) -> Option<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let (span, kind) = self.kind(expr)?;
        self.depth -= 1;
        match kind {
            Some(kind) => Some(self.make(span, kind)),
            // A chain made its own.
            None => match expr {
                Expression::FunctionCall(call) => self.chain(call.prefix(), call.suffixes()),
                Expression::Var(var) => self.var(var),
                _ => None,
            },
        }
    }

    fn kind(&mut self, expr: &Expression) -> Option<(Span, Option<ExprKind>)> {
        Some(match expr {
            Expression::FunctionCall(_) | Expression::Var(_) => (Span { from: 0, to: 0 }, None),
            Expression::BinaryOperator { lhs, binop, rhs } => {
                let (left, right) = (self.expr(lhs)?, self.expr(rhs)?);
                let op = match binop {
                    BinOp::Or(_) => Op::Or,
                    BinOp::And(_) => Op::And,
                    BinOp::TwoEqual(_) => Op::Equal,
                    BinOp::TildeEqual(_) => Op::Unequal,
                    BinOp::LessThan(_) | BinOp::LessThanEqual(_) => Op::Order(Turned::No),
                    BinOp::GreaterThan(_) | BinOp::GreaterThanEqual(_) => Op::Order(Turned::Yes),
                    BinOp::TwoDots(_) => Op::Concat,
                    BinOp::Plus(_) => Op::Arithmetic("add"),
                    BinOp::Minus(_) => Op::Arithmetic("sub"),
                    BinOp::Star(_) => Op::Arithmetic("mul"),
                    BinOp::Slash(_) => Op::Arithmetic("div"),
                    BinOp::DoubleSlash(_) => Op::Arithmetic("idiv"),
                    BinOp::Percent(_) => Op::Arithmetic("mod"),
                    BinOp::Caret(_) => Op::Arithmetic("pow"),
                    _ => return None,
                };
                (left.span.to(right.span), Some(ExprKind::Binary(op, Box::new(left), Box::new(right))))
            }
            Expression::UnaryOperator { unop, expression } => {
                let inner = self.expr(expression)?;
                let op = match unop {
                    UnOp::Minus(_) => Unary::Minus,
                    UnOp::Not(_) => Unary::Not,
                    UnOp::Hash(_) => Unary::Length,
                    _ => return None,
                };
                (span(unop.token()).to(inner.span), Some(ExprKind::Unary(op, Box::new(inner))))
            }
            Expression::Parentheses { contained, expression } => {
                (whole(contained), Some(ExprKind::Paren(Box::new(self.expr(expression)?))))
            }
            Expression::Function(given) => {
                let at = span(given.function_token()).to(span(given.body().end_token()));
                (at, Some(ExprKind::Function(Box::new(self.function(given.body())?))))
            }
            Expression::IfExpression(given) => {
                let mut arms = vec![(self.expr(given.condition())?, self.expr(given.if_expression())?)];
                // A condition that binds a local is newer than these checks.
                if given.binding().is_some() {
                    return None;
                }
                for other in given.else_if_expressions().into_iter().flatten() {
                    if other.binding().is_some() {
                        return None;
                    }
                    arms.push((self.expr(other.condition())?, self.expr(other.expression())?));
                }
                let otherwise = self.expr(given.else_expression())?;
                (span(given.if_token()).to(otherwise.span), Some(ExprKind::If(arms, Box::new(otherwise))))
            }
            Expression::InterpolatedString(given) => {
                let mut at = span(given.last_string());
                let mut inner = Vec::new();
                for segment in given.segments() {
                    at = at.to(span(&segment.literal));
                    inner.push(self.expr(&segment.expression)?);
                }
                (at, Some(ExprKind::Interpolated(inner)))
            }
            Expression::TableConstructor(given) => (whole(given.braces()), Some(self.table(given)?)),
            Expression::Number(token) => (span(token), Some(ExprKind::Number(number(&word(token))))),
            Expression::String(token) => (span(token), Some(ExprKind::Text(string(token)))),
            Expression::Symbol(token) => {
                let kind = match word(token).trim() {
                    "nil" => ExprKind::Nil,
                    "true" => ExprKind::Boolean(true),
                    "false" => ExprKind::Boolean(false),
                    "..." => ExprKind::Dots,
                    _ => ExprKind::Other,
                };
                (span(token), Some(kind))
            }
            Expression::TypeAssertion { expression, type_assertion } => {
                let inner = self.expr(expression)?;
                let shape = shape_of(type_assertion.cast_to());
                (inner.span, Some(ExprKind::Cast(Box::new(inner), shape)))
            }
            _ => return None,
        })
    }

    fn table(&mut self, given: &ast::TableConstructor) -> Option<ExprKind> {
        let mut fields = Vec::new();
        let mut place = 0;
        for field in given.fields() {
            fields.push(match field {
                ast::Field::NameKey { key, value, .. } => {
                    Field { key: FieldKey::Name(name(key)), value: self.expr(value)? }
                }
                ast::Field::ExpressionKey { key, value, .. } => {
                    let key = self.expr(key)?;
                    let key = match key.text() {
                        Some(text) => FieldKey::Name(Name { text: text.to_owned(), span: key.span }),
                        None => FieldKey::Value(key),
                    };
                    Field { key, value: self.expr(value)? }
                }
                ast::Field::NoKey(value) => {
                    place += 1;
                    Field { key: FieldKey::Place(place), value: self.expr(value)? }
                }
                _ => return None,
            });
        }
        Some(ExprKind::Table(fields))
    }

    fn var(&mut self, var: &Var) -> Option<Expr> {
        match var {
            Var::Name(token) => Some(self.make(span(token), ExprKind::Name(word(token)))),
            Var::Expression(given) => self.chain(given.prefix(), given.suffixes()),
            _ => None,
        }
    }

    fn chain<'a>(&mut self, prefix: &Prefix, suffixes: impl Iterator<Item = &'a Suffix>) -> Option<Expr> {
        let mut expr = match prefix {
            Prefix::Name(token) => self.make(span(token), ExprKind::Name(word(token))),
            Prefix::Expression(inner) => self.expr(inner)?,
            _ => return None,
        };
        let before = self.depth;
        for suffix in suffixes {
            self.depth += 1;
            if self.depth > DEPTH {
                return None;
            }
            expr = match suffix {
                Suffix::Index(Index::Dot { name: key, .. }) => {
                    let at = expr.span.to(span(key));
                    self.make(at, ExprKind::Index(Box::new(expr), Box::new(Key::Name(name(key)))))
                }
                Suffix::Index(Index::Brackets { brackets, expression }) => {
                    let at = expr.span.to(whole(brackets));
                    let key = self.expr(expression)?;
                    let key = match key.text() {
                        Some(text) => Key::Name(Name { text: text.to_owned(), span: key.span }),
                        None => Key::Value(key),
                    };
                    self.make(at, ExprKind::Index(Box::new(expr), Box::new(key)))
                }
                Suffix::Call(ast::Call::AnonymousCall(args)) => self.call(expr, None, args)?,
                Suffix::Call(ast::Call::MethodCall(call)) => self.call(expr, Some(name(call.name())), call.args())?,
                Suffix::TypeInstantiation(_) => expr,
                _ => return None,
            };
        }
        self.depth = before;
        Some(expr)
    }

    fn call(&mut self, callee: Expr, method: Option<Name>, args: &FunctionArgs) -> Option<Expr> {
        let (end, args) = match args {
            FunctionArgs::Parentheses { parentheses, arguments } => (whole(parentheses), self.exprs(arguments)?),
            FunctionArgs::String(token) => {
                let at = span(token);
                (at, vec![self.make(at, ExprKind::Text(string(token)))])
            }
            FunctionArgs::TableConstructor(given) => {
                let at = whole(given.braces());
                let kind = self.table(given)?;
                (at, vec![self.make(at, kind)])
            }
            _ => return None,
        };
        Some(self.make(callee.span.to(end), ExprKind::Call(Box::new(Call { callee, method, args }))))
    }
}

fn binding(given: &luau::IfConditionBinding) -> Param {
    Param { name: name(given.name()), shape: given.type_specifier().map(|given| shape_of(given.type_info())) }
}

fn params<'a>(
    names: impl Iterator<Item = &'a TokenReference>,
    mut shapes: impl Iterator<Item = Option<&'a luau::TypeSpecifier>>,
) -> Vec<Param> {
    names
        .map(|token| Param {
            name: name(token),
            shape: shapes.next().flatten().map(|given| shape_of(given.type_info())),
        })
        .collect()
}

fn number(text: &str) -> f64 {
    let text = text.trim().replace('_', "");
    let lower = text.to_lowercase();
    let integer = |digits: &str, radix| u64::from_str_radix(digits, radix).map_or(f64::NAN, |number| number as f64);
    match (lower.strip_prefix("0x"), lower.strip_prefix("0b")) {
        (Some(digits), _) => integer(digits, 16),
        (_, Some(digits)) => integer(digits, 2),
        _ => lower.parse().unwrap_or(f64::NAN),
    }
}

/// What a text literal stands for; escapes that no name or template holds are left as they are.
fn string(token: &TokenReference) -> String {
    let TokenType::StringLiteral { literal, quote_type, .. } = token.token().token_type() else { return word(token) };
    if matches!(quote_type, StringLiteralQuoteType::Brackets) || !literal.contains('\\') {
        return literal.to_string();
    }
    let mut text = String::new();
    let mut chars = literal.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('z') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            Some(c @ ('\\' | '"' | '\'' | '`' | '{' | '}' | '\n')) => text.push(c),
            // A byte by its number, which matters to nobody here.
            Some(_) => text.push('\u{fffd}'),
            None => {}
        }
    }
    text
}
