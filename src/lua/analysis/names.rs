//! Names: globals that are not there, members that a table does not have, and writes to what is read-only or lost.

use super::bind::{Init, Role, Site};
use super::infer::Reading;
use super::place::Findings;
use super::shape::Shape;
use super::surface::Surface;
use super::tree::{Expr, ExprKind, Key, Name, Span};
use crate::text;

/// Names that authors bring from elsewhere, and what stands for them here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("os", "scripts have no os: time.now() is the time, time.here() the time of day, time.iso() the time as text"),
    ("io", "scripts reach no files: store keeps values, log writes lines"),
    ("debug", "scripts have no debug: log.debug(message) writes a line for you"),
    ("coroutine", "scripts have no coroutines: return the seconds until the next tick, or call time.sleep(seconds)"),
    ("utf8", "scripts have no utf8: text.length counts characters, text.clip cuts between them"),
    ("vector", "scripts have no vectors: use a table like { x = 1, y = 2 }"),
    ("package", "require(\"@behaviours/…\") and require(\"@lib/…\") are all there is"),
    ("xpcall", "use pcall(f, …): what it raised is its second result"),
    ("load", "code cannot be made of text: put it into a file under scripts/lib and require it"),
    ("loadstring", "code cannot be made of text: put it into a file under scripts/lib and require it"),
    ("dofile", "put it into a file under scripts/lib and require it"),
    ("loadfile", "put it into a file under scripts/lib and require it"),
    ("getfenv", "environments cannot be changed; pass values as arguments"),
    ("setfenv", "environments cannot be changed; pass values as arguments"),
    ("newproxy", "use setmetatable on a table"),
    ("collectgarbage", "memory is the host's affair: a VM is dropped when its bot sleeps"),
    ("gcinfo", "memory is the host's affair: a VM is dropped when its bot sleeps"),
    ("module", "a module is a file that ends with `return` and a table"),
    ("table_unpack", "use table.unpack(list)"),
    ("wait", "use time.sleep(seconds), or return the seconds until the next tick"),
    ("delay", "return the seconds until the next tick"),
    ("spawn", "a tick does one thing after the other; return the seconds until the next"),
    ("task", "use time.sleep(seconds), or return the seconds until the next tick"),
    ("sleep", "use time.sleep(seconds)"),
    ("tick", "use time.now()"),
    ("warn", "use log.warn(message)"),
    ("printf", "use log.info(string.format(…))"),
    ("console", "use log.info(message)"),
    ("null", "write nil"),
    ("None", "write nil"),
    ("undefined", "write nil"),
    ("True", "write true"),
    ("False", "write false"),
    ("self", "a function with a dot has no self: declare it with a colon, or name a parameter"),
];

/// Looks at every name, index and write of a file.
pub fn check(reading: &Reading<'_>, found: &mut Findings<'_>) {
    for site in &reading.bound.sites {
        match (&site.expr.kind, site.role) {
            (ExprKind::Name(name), Role::Target | Role::Compound) if site.var.is_none() => {
                written(reading, site, name, found);
            }
            (ExprKind::Name(name), _) if site.var.is_none() => global(reading, site, name, found),
            (ExprKind::Index(base, key), role) => {
                if let Key::Name(name) = &**key {
                    if matches!(role, Role::Target | Role::Compound) {
                        member_written(reading, site, base, name, found);
                    } else {
                        member(reading, site, base, name, found);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A global that is read.
fn global(reading: &Reading<'_>, site: &Site<'_>, name: &str, found: &mut Findings<'_>) {
    if reading.surface.globals.contains_key(name) || reading.assigned.contains(name) {
        return;
    }
    let is_same =
        |other: &&Site<'_>| matches!(&other.expr.kind, ExprKind::Name(known) if known == name) && other.var.is_none();
    // Who asks whether it is there knows that it may not be.
    if reading.bound.sites.iter().filter(is_same).any(|other| other.role == Role::Condition) {
        return;
    }
    let hint = cure_for_name(reading, site.expr.span, name);
    let message = format!("there is no `{name}`: neither a local nor anything of the host's");
    match site.role {
        Role::Callee | Role::Base => found.error_unless(site.is_guarded, site.expr.span, message, hint),
        _ => found.warning(site.expr.span, format!("{message}, so it is nil"), hint),
    }
}

/// What stands for a global that is not there.
pub fn cure_for_name(reading: &Reading<'_>, at: Span, name: &str) -> String {
    if let Some((_, cure)) = ELSEWHERE.iter().find(|(known, _)| *known == name) {
        return (*cure).to_owned();
    }
    let bound = reading.bound;
    if matches!(name, "bot" | "event") {
        return format!(
            "it is a parameter: on_tick = function(bot), on_event = function(bot, event); pass {name} on to other functions"
        );
    }
    // A local of another function, or one that is declared further down.
    if let Some(var) = bound.vars.iter().find(|var| var.name == name) {
        return if var.span.from > at.from {
            "it is declared further down: move that above".to_owned()
        } else {
            "the local of that name ends with its block: declare it outside, or pass it on".to_owned()
        };
    }
    let known: Vec<&str> = reading
        .surface
        .globals
        .keys()
        .map(String::as_str)
        // What the host keeps for itself ends like this.
        .filter(|name| !name.ends_with('_'))
        .chain(bound.vars.iter().map(|var| var.name))
        .chain(["true", "false", "nil", "not"])
        .collect();
    if let Some(near) = text::nearest(name, &known) {
        return format!("did you mean `{near}`?");
    }
    // `feed()` instead of `floimg.feed()`.
    for (module, shape) in &reading.surface.globals {
        if let Shape::Table(fields) = shape
            && fields.get(name).is_some()
        {
            return format!("did you mean `{module}.{name}`?");
        }
    }
    format!("declare it with `local {name} = …`, or take it as a parameter")
}

/// A member that is read.
fn member(reading: &Reading<'_>, site: &Site<'_>, base: &Expr, name: &Name, found: &mut Findings<'_>) {
    let seen = reading.seen(base);
    let shape = seen.shape.without_nil();
    if let (Shape::List(inner), false) = (&shape, matches!(name.text.as_str(), "n")) {
        let has = reading.fields(inner).is_some_and(|fields| fields.get(&name.text).is_some());
        let message = format!("`{}` is {}, which has no `{}`", shown(base), shape.words(), name.text);
        let hint = if has {
            format!("take one of it, like `{}[1]`, or loop over it", shown(base))
        } else {
            "go over it with `for _, one in list do`".to_owned()
        };
        found.warning(name.span, message, hint);
        return;
    }
    let Some(fields) = reading.fields(&shape) else { return };
    if fields.rest.is_some() || fields.get(&name.text).is_some() {
        return;
    }
    let known: Vec<&str> = fields.named.iter().map(|(known, _)| known.as_str()).collect();
    let table = reading.global_table(base);
    let mut hint = match text::nearest(&name.text, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => String::new(),
    };
    if let Some(table) = &table
        && hint.is_empty()
    {
        // The right name in the wrong module: `floimg.write`.
        let other = reading.surface.globals.iter().find(|(other, shape)| {
            Surface::is_module(other) && matches!(shape, Shape::Table(fields) if fields.get(&name.text).is_some())
        });
        hint = match (other, table.as_str(), name.text.as_str()) {
            (Some((other, _)), ..) => format!("did you mean `{other}.{}`?", name.text),
            (None, "table", "contains" | "includes" | "indexOf") => {
                "use table.find(list, value), which answers its place or nil".to_owned()
            }
            (None, "string", "trim") => "use string.match(text, \"^%s*(.-)%s*$\")".to_owned(),
            (None, "math", "rand" | "randint") => "use rand.int(low, high)".to_owned(),
            _ => String::new(),
        };
    }
    if hint.is_empty() {
        hint = format!("known: {}", known.join(", "));
    }
    let is_used = matches!(site.role, Role::Callee | Role::Base);
    match table {
        Some(table) => {
            let message = format!("`{table}` has no `{}`", name.text);
            if is_used {
                found.error_unless(site.is_guarded, name.span, message, hint);
            } else if site.role != Role::Condition {
                found.warning(name.span, format!("{message}, so it is nil"), hint);
            }
        }
        None => {
            let what = shape.words();
            let message = format!("{what} has no `{}`, so it is nil", name.text);
            if is_used && seen.is_sure && !seen.shape.may_be_nil() {
                found.error_unless(site.is_guarded, name.span, message, hint);
            } else {
                found.warning(name.span, message, hint);
            }
        }
    }
}

/// A global that is set.
fn written(reading: &Reading<'_>, site: &Site<'_>, name: &str, found: &mut Findings<'_>) {
    if reading.surface.globals.contains_key(name) {
        let message = format!("`{name}` is the host's, and this file no longer reaches it after being set here");
        found.warning(site.expr.span, message, format!("give it another name: `local my_{name} = …`"));
        return;
    }
    let locals: Vec<&str> = reading.bound.vars.iter().filter(|var| var.name.len() > 3).map(|var| var.name).collect();
    let hint = match text::nearest(name, &locals) {
        Some(near) if name.len() > 3 => format!("did you mean the local `{near}`?"),
        _ => format!("write `local {name}`; what must live on belongs into bot.state"),
    };
    found.warning(site.expr.span, format!("sets the global `{name}`, which is gone with the VM after any tick"), hint);
}

/// A member that is set.
fn member_written(reading: &Reading<'_>, site: &Site<'_>, base: &Expr, name: &Name, found: &mut Findings<'_>) {
    if let Some(table) = reading.global_table(base) {
        if table != "_G" {
            let message = format!("`{table}` is read-only");
            let hint = format!("keep it in a local: `local {} = …`", name.text);
            found.error_unless(site.is_guarded, site.expr.span, message, hint);
        }
        return;
    }
    let seen = reading.seen(base);
    if seen.shape == Shape::Named("Bot".to_owned()) && name.text != "state" {
        let message = format!("`bot.{}` is read-only", name.text);
        let hint = format!("what must live on belongs into bot.state: bot.state.{}", name.text);
        if seen.is_sure {
            found.error_unless(site.is_guarded, site.expr.span, message, hint);
        } else {
            found.warning(site.expr.span, message, hint);
        }
        return;
    }
    if reading.surface.resolve(&seen.shape.without_nil(), &[]) != &Shape::Any && Surface::is_failure(&seen.shape) {
        found.warning(site.expr.span, "a failure is read-only", "make a table of your own of what it says");
        return;
    }
    // What a file gave by `require` is frozen.
    let required = reading.bound.var_of(base).filter(|var| var.writes.is_empty()).and_then(|var| match var.init {
        Init::Value(value, 0) => required_path(reading, value),
        _ => None,
    });
    if let Some(path) = required {
        let hint = "return a function from that file that makes a new table, or keep the value in bot.state";
        found.error_unless(site.is_guarded, site.expr.span, format!("what \"{path}\" returns is read-only here"), hint);
    }
}

/// The path of `require("…")`.
pub fn required_path<'e>(reading: &Reading<'_>, expr: &'e Expr) -> Option<&'e str> {
    match &expr.bare().kind {
        ExprKind::Call(call) if reading.bound.global(&call.callee) == Some("require") => call.args.first()?.text(),
        _ => None,
    }
}

/// A short expression in words.
pub fn shown(expr: &Expr) -> String {
    match expr.path() {
        Some(path) => path.join("."),
        None => match &expr.bare().kind {
            ExprKind::Call(call) => format!("{}(…)", shown(&call.callee)),
            ExprKind::Index(base, _) => format!("{}[…]", shown(base)),
            _ => "this".to_owned(),
        },
    }
}
