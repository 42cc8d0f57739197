//! Run-time errors explained: which expression was nil, and what its author probably forgot.
//!
//! The script has run already; its text is read again only when something went wrong.

use super::bind::{Bound, Init, Role, Site, Var};
use super::infer::Reading;
use super::parse;
use super::place::Lines;
use super::shape::Shape;
use super::surface::Surface;
use super::tree::{Expr, ExprKind, Key, Op, Span, StmtKind, Turned, Unary};
use crate::model::diagnostic::Columns;
use crate::text;

/// Most characters of an expression that is named.
const EXPRESSION: usize = 60;

/// What the text says about an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// The expression that is to blame, like `posts[1]`, with what it was.
    pub culprit: Option<String>,
    pub columns: Option<Columns>,
    pub hint: Option<String>,
    /// The line that is to blame, where it is another than the host could tell.
    pub line: Option<u32>,
}

/// Looks for what was meant by an error of Luau's in a line of a text.
pub fn explain(path: &str, text: &str, line: u32, message: &str, surface: &Surface) -> Option<Explained> {
    let work = || {
        let tree = parse::parse_here(text)?;
        let lines = Lines::new(text);
        let bound = Bound::new(&tree);
        let reading = Reading::new(&bound, &tree.types, surface, path.starts_with("personas/"));
        Explainer { reading: &reading, lines: &lines, line }.explain(message)
    };
    parse::on_deep_stack(work).flatten()
}

struct Explainer<'a, 't> {
    reading: &'a Reading<'t>,
    lines: &'a Lines<'a>,
    line: u32,
}

/// An expression that may be to blame, and what it was.
type Suspect<'t> = (&'t Expr, String);

impl<'t> Explainer<'_, 't> {
    fn explain(&self, message: &str) -> Option<Explained> {
        if message.starts_with("bot.state") {
            return self.kept(message).map(|span| self.elsewhere(span));
        }
        if message.starts_with("on_tick must return") {
            return self.returned().map(|span| self.elsewhere(span));
        }
        let suspects = self.suspects(message);
        let mut named: Vec<(String, Span)> = Vec::new();
        for (expr, _) in &suspects {
            let shown: String = self.lines.text(expr.span).split_whitespace().collect::<Vec<_>>().join(" ");
            let shown = text::clip(&shown, EXPRESSION);
            if !shown.is_empty() && !named.iter().any(|(known, _)| *known == shown) {
                named.push((shown, expr.span));
            }
        }
        let (first, what) = suspects.first()?;
        let culprit = match &named[..] {
            [] => None,
            [(one, _)] => Some(format!("`{one}` is {what}")),
            many => {
                let all: Vec<String> = many.iter().take(4).map(|(name, _)| format!("`{name}`")).collect();
                Some(format!("one of {} is {what}", all.join(", ")))
            }
        };
        // With several to choose from, what is said of one would be a guess.
        let hint = if named.len() == 1 || suspects.len() == 1 { self.cure(first, what) } else { None };
        let columns =
            (named.len() == 1 && self.lines.line(first.span.from) == self.line).then(|| self.lines.columns(first.span));
        Some(Explained { culprit, columns, hint, line: None })
    }

    fn elsewhere(&self, span: Span) -> Explained {
        let (line, columns) = (self.lines.line(span.from), self.lines.columns(span));
        Explained { line: Some(line), columns: Some(columns), ..Explained::default() }
    }

    /// The only place where something was put into the state that cannot be kept there: `bot.state.f is a function`.
    fn kept(&self, message: &str) -> Option<Span> {
        let mut path = message.split(' ').next()?.split('[').next()?;
        loop {
            let places: Vec<Span> = self
                .reading
                .bound
                .sites
                .iter()
                .filter(|site| matches!(site.role, Role::Target | Role::Compound))
                .filter(|site| site.expr.path().is_some_and(|names| names.join(".") == path))
                .map(|site| site.expr.span)
                .collect();
            match &places[..] {
                [one] => return Some(*one),
                [] => path = path.rsplit_once('.').map(|(outer, _)| outer).filter(|outer| outer.contains('.'))?,
                _ => return None,
            }
        }
    }

    /// The only value that the function of this line returns, unless that is a number as it stands.
    fn returned(&self) -> Option<Span> {
        let bound = self.reading.bound;
        let values = bound.returns.iter().filter_map(|(values, function, _)| {
            let function = bound.functions.get(*function)?.expr?;
            let is_here = self.lines.line(bound.sites[function].expr.span.from) == self.line;
            values.first().filter(|_| is_here)
        });
        let mut odd = values.filter(|value| !matches!(value.bare().kind, ExprKind::Number(_) | ExprKind::Nil));
        odd.next().map(|value| value.span).filter(|_| odd.next().is_none())
    }

    fn suspects(&self, message: &str) -> Vec<Suspect<'t>> {
        if let Some(rest) = message.strip_prefix("attempt to index ") {
            let (what, key) = rest.split_once(" with ").unwrap_or((rest, ""));
            let name = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\''));
            return self.indexed(name, what);
        }
        if let Some(what) = between(message, "attempt to call a ", " value") {
            return self.called(what);
        }
        if let Some(rest) = message.strip_prefix("attempt to call missing method '") {
            let (method, of) = rest.split_once("' of ").unwrap_or((rest, "nil"));
            return self.on_line(|site| match &site.expr.kind {
                ExprKind::Call(call) if call.method.as_ref().is_some_and(|name| name.text == method) => {
                    Some((&call.callee, of.to_owned()))
                }
                _ => None,
            });
        }
        if let Some(rest) = message.strip_prefix("attempt to perform arithmetic (") {
            let (op, of) = rest.split_once(") on ").unwrap_or((rest, ""));
            return self.operands(
                |given| matches!(given, Op::Arithmetic(word) if *word == op) || op == "unm",
                of,
                " and ",
            );
        }
        if let Some(of) = message.strip_prefix("attempt to concatenate ") {
            return self.operands(|given| *given == Op::Concat, of, " with ");
        }
        if let Some(of) = message.strip_prefix("attempt to compare ") {
            let sign = [" <= ", " < ", " >= ", " > ", " == "].into_iter().find(|sign| of.contains(sign));
            return self.operands(|given| matches!(given, Op::Order(_)), of, sign.unwrap_or(" with "));
        }
        if let Some(what) = between(message, "attempt to get length of a ", " value") {
            return self.on_line(|site| match &site.expr.kind {
                ExprKind::Unary(Unary::Length, inner) => Some((&**inner, what.to_owned())),
                _ => None,
            });
        }
        if let Some(what) = between(message, "attempt to iterate over a ", " value") {
            return self.on_line(|site| (site.role == Role::Iterated).then(|| (site.expr, what.to_owned())));
        }
        if let Some(rest) =
            message.strip_prefix("invalid argument #").or_else(|| message.strip_prefix("missing argument #"))
        {
            return self.argument(rest);
        }
        if message.contains("attempt to modify a readonly table") {
            return self.on_line(|site| match (&site.expr.kind, site.role) {
                (ExprKind::Index(base, _), Role::Target | Role::Compound) => Some((&**base, "read-only".to_owned())),
                _ => None,
            });
        }
        Vec::new()
    }

    /// Of all expressions that touch the line, those that `pick` has something to say about; those that begin there first.
    fn on_line(&self, pick: impl Fn(&Site<'t>) -> Option<Suspect<'t>>) -> Vec<Suspect<'t>> {
        let bound: &Bound<'t> = self.reading.bound;
        let mut near = Vec::new();
        let mut here = Vec::new();
        for site in &bound.sites {
            let (from, to) = (self.lines.line(site.expr.span.from), self.lines.line(site.expr.span.to));
            if !(from..=to).contains(&self.line) {
                continue;
            }
            if let Some(suspect) = pick(site) {
                let is_here = self.lines.line(suspect.0.span.to) == self.line || from == self.line;
                if is_here { here.push(suspect) } else { near.push(suspect) }
            }
        }
        if here.is_empty() { near } else { here }
    }

    fn indexed(&self, name: Option<&str>, what: &str) -> Vec<Suspect<'t>> {
        let with = |is_it: &dyn Fn(&Key) -> bool| {
            let mut suspects = self.on_line(|site| match &site.expr.kind {
                ExprKind::Index(base, key) => is_it(key).then(|| (&**base, what.to_owned())),
                ExprKind::Call(call) => {
                    let is_it = call.method.as_ref().is_some_and(|method| Some(method.text.as_str()) == name);
                    is_it.then(|| (&call.callee, what.to_owned()))
                }
                _ => None,
            });
            // A table that stands there is never nil.
            suspects.retain(|(expr, _)| !matches!(expr.kind, ExprKind::Table(_)));
            suspects
        };
        let named = with(&|key| matches!((key, name), (Key::Name(key), Some(name)) if key.text == name));
        if !named.is_empty() {
            return named;
        }
        // The value of a key that is computed may be any text, but a number is none.
        with(&|key| match key {
            Key::Value(key) => name.is_none() || !matches!(key.bare().kind, ExprKind::Number(_)),
            Key::Name(_) => false,
        })
    }

    fn called(&self, what: &str) -> Vec<Suspect<'t>> {
        let is_there = |expr: &Expr| {
            let seen = self.reading.seen(expr);
            what == "nil" && seen.is_sure && matches!(seen.shape, Shape::Function(_))
        };
        let suspects = self.on_line(|site| match &site.expr.kind {
            ExprKind::Call(call) if call.method.is_none() && !is_there(&call.callee) => {
                Some((&call.callee, what.to_owned()))
            }
            _ => None,
        });
        // One that is surely not there is to blame, whatever else is called in that line.
        let gone: Vec<Suspect<'t>> = suspects
            .iter()
            .filter(|(expr, _)| match &expr.bare().kind {
                ExprKind::Name(_) => {
                    self.reading.bound.global(expr).is_some_and(|name| !self.reading.surface.globals.contains_key(name))
                }
                ExprKind::Index(base, key) => match (self.reading.global_table(base), &**key) {
                    (Some(_), Key::Name(name)) => self
                        .reading
                        .fields(&self.reading.seen(base).shape)
                        .is_some_and(|fields| fields.get(&name.text).is_none()),
                    _ => false,
                },
                _ => false,
            })
            .cloned()
            .collect();
        if gone.is_empty() { suspects } else { gone }
    }

    /// The operand that `of` blames: `nil and number` blames the left one.
    fn operands(&self, is_it: impl Fn(&Op) -> bool, of: &str, between: &str) -> Vec<Suspect<'t>> {
        let (left, right) = of.split_once(between).unwrap_or((of, of));
        let blames = |what: &str| !matches!(what, "number" | "string");
        // A text that is no number, where neither is nil: `number and string`.
        let picks_left = blames(left) || (!blames(right) && left == "string");
        let what = if picks_left { left } else { right };
        let mut suspects = self.on_line(|site| match &site.expr.kind {
            ExprKind::Binary(op, a, b) if is_it(op) => {
                let picks_left = picks_left != matches!(op, Op::Order(Turned::Yes));
                Some((if picks_left { &**a } else { &**b }, what.to_owned()))
            }
            ExprKind::Unary(Unary::Minus, inner) => Some((&**inner, what.to_owned())),
            _ => None,
        });
        self.compounds(&mut |op, target, value| {
            if is_it(op) {
                suspects.push((if picks_left { target } else { value }, what.to_owned()));
            }
        });
        // What is surely a number or a text is not what was meant.
        let is_fine = |expr: &Expr| {
            let seen = self.reading.seen(expr);
            seen.is_sure && (seen.shape == Shape::Number || (seen.shape == Shape::Text && what != "string"))
        };
        suspects.retain(|(expr, _)| !is_fine(expr));
        suspects
    }

    fn compounds(&self, tell: &mut dyn FnMut(&Op, &'t Expr, &'t Expr)) {
        for (stmts, _) in &self.reading.bound.blocks {
            for stmt in *stmts {
                if let StmtKind::Compound(target, op, value) = &stmt.kind
                    && self.lines.line(target.span.from) == self.line
                {
                    tell(op, target, value);
                }
            }
        }
    }

    /// `1 to 'insert' (table expected, got nil)`.
    fn argument(&self, rest: &str) -> Vec<Suspect<'t>> {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(place) = rest[..digits].parse::<usize>() else { return Vec::new() };
        let name = between(rest, "'", "'");
        let got = between(rest, "got ", ")").unwrap_or("not given");
        self.on_line(|site| {
            let ExprKind::Call(call) = &site.expr.kind else { return None };
            let is_it = match (&call.method, call.callee.path()) {
                (Some(method), _) => name.is_none_or(|name| name == method.text),
                (None, Some(path)) => name.is_none_or(|name| path.last() == Some(&name)),
                (None, None) => false,
            };
            // With a colon the first argument stands before it.
            let arg = match (&call.method, place) {
                (Some(_), 1) => Some(&call.callee),
                (Some(_), place) => call.args.get(place.saturating_sub(2)),
                (None, place) => call.args.get(place.saturating_sub(1)),
            };
            arg.filter(|_| is_it).map(|arg| (arg, got.to_owned()))
        })
    }

    /// What its author probably forgot.
    fn cure(&self, expr: &Expr, what: &str) -> Option<String> {
        let expr = expr.bare();
        let shown = text::clip(self.lines.text(expr.span), EXPRESSION);
        if what == "read-only" {
            let is_bot = self.reading.seen(expr).shape == Shape::Named("Bot".to_owned());
            return Some(if is_bot {
                "only bot.state may be written; what must live on belongs there".to_owned()
            } else {
                "the host's tables and what files return are read-only; what must live on belongs into bot.state"
                    .to_owned()
            });
        }
        if let Some(name) = self.reading.bound.global(expr)
            && !self.reading.surface.globals.contains_key(name)
        {
            return Some(super::names::cure_for_name(self.reading, expr.span, name));
        }
        match what {
            "nil" => {}
            "string" => return Some(format!("make it a number: tonumber({shown})")),
            "table" if Surface::is_failure(&self.reading.seen(expr).shape) => {
                return Some(format!("a failure is a table: use {shown}.kind or {shown}.message"));
            }
            "table" => {
                return Some(format!("`{shown}` is a whole table: use one of its fields, or #{shown} for its length"));
            }
            "boolean" => return Some("ask for it with `if`; true and false are no numbers and no texts".to_owned()),
            _ => return None,
        }
        if let Some(name) = self.reading.may_fail(expr) {
            return Some(format!(
                "{name} answers nil and a failure when the world refuses: keep both, and ask `if not value then`"
            ));
        }
        match &expr.kind {
            ExprKind::Name(name) => self.reading.bound.var_of(expr).and_then(|var| self.cure_of_local(var, name)),
            ExprKind::Index(base, key) => self.cure_of_member(base, key, &shown),
            ExprKind::Call(_) => Some(format!("{shown} gave nothing: keep it in a local and ask `if value then`")),
            _ => None,
        }
    }

    fn cure_of_local(&self, var: &Var<'t>, name: &str) -> Option<String> {
        let bound = self.reading.bound;
        let is_set_later = var.writes.iter().any(|write| bound.sites[*write].function != 0);
        if var.function == 0 && is_set_later {
            return Some(format!("locals do not survive a tick: keep it in bot.state.{name}"));
        }
        match var.init {
            Init::Value(value, 0) => self.reading.may_fail(value).map(|primitive| {
                format!(
                    "{primitive} answers nil and a failure when the world refuses: ask `if not {name} then return end` before"
                )
            }),
            Init::Value(value, 1) if self.reading.may_fail(value).is_some() => {
                Some("there is no failure when the call went well: ask for the value first".to_owned())
            }
            Init::Param(function, _) => {
                let name_of = bound.functions[function].name.unwrap_or("this function");
                Some(format!("`{name}` is a parameter: whoever calls {name_of} gave nothing for it"))
            }
            Init::Nothing => Some(format!("`{name}` was declared without a value, and nothing was put into it before this")),
            _ => None,
        }
        .or_else(|| Some(format!("ask first: `if {name} then`, or give it a value with `or`")))
    }

    fn cure_of_member(&self, base: &Expr, key: &Key, shown: &str) -> Option<String> {
        if let Some(path) = base.path()
            && path.len() >= 2
            && path[path.len() - 1] == "state"
        {
            return Some(format!("it is nil until it is set: begin with {shown} = {shown} or …"));
        }
        let seen = self.reading.seen(base);
        let shape = seen.shape.without_nil();
        match key {
            Key::Value(_) => Some(format!("it may be empty there: ask `if {shown} then`")),
            Key::Name(name) => {
                let fields = self.reading.fields(&shape).filter(|fields| fields.rest.is_none());
                let Some(fields) = fields else {
                    return Some(format!("ask first: `if {shown} then`, or give it a value with `or`"));
                };
                let known: Vec<&str> = fields.named.iter().map(|(known, _)| known.as_str()).collect();
                match fields.get(&name.text) {
                    Some(_) => Some(format!("it is not always there: ask `if {shown} then`")),
                    None => Some(match text::nearest(&name.text, &known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("it has: {}", known.join(", ")),
                    }),
                }
            }
        }
    }
}

fn between<'m>(message: &'m str, before: &str, after: &str) -> Option<&'m str> {
    let rest = &message[message.find(before)? + before.len()..];
    rest.find(after).map(|end| &rest[..end])
}
