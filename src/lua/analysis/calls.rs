//! Calls of primitives: their arguments and option tables against what the stubs say.
//!
//! Only literals and what other primitives answer are judged; what is computed is left to the run.

use super::bind::{Init, Role, Site, gives_many};
use super::infer::Reading;
use super::names::shown;
use super::place::Findings;
use super::shape::{Fields, Shape, Signature};
use super::tree::{Call, Expr, ExprKind, Field, FieldKey, Name, Span};
use crate::text;

/// Looks at every call of a file.
pub fn check(reading: &Reading<'_>, found: &mut Findings<'_>) {
    for site in &reading.bound.sites {
        let ExprKind::Call(call) = &site.expr.kind else { continue };
        if let Some(method) = &call.method {
            with_colon(reading, site, call, method, found);
            continue;
        }
        let seen = reading.seen(&call.callee);
        match &seen.shape {
            Shape::Function(Some(signature)) if !signature.name.is_empty() => {
                if site.function == 0 {
                    let message = format!("{} works only while the bot lives a tick", signature.name);
                    let hint =
                        "call it inside on_start, on_tick, on_event or on_reload, or in a function that they call";
                    found.error_unless(site.is_guarded, site.expr.span, message, hint);
                }
                arguments(reading, site, call, signature, found);
            }
            Shape::Nil if seen.is_sure => {
                found.error_unless(site.is_guarded, call.callee.span, "calls nil", "there is no function here");
            }
            Shape::Named(_) | Shape::List(_) | Shape::Text | Shape::Number | Shape::Boolean if seen.is_sure => {
                let message = format!("`{}` is {} and cannot be called", shown(&call.callee), seen.shape.words());
                found.error_unless(site.is_guarded, call.callee.span, message, "take away the parentheses after it");
            }
            _ => {}
        }
        waits_where_it_cannot(reading, site, call, found);
        asks_for_a_type(reading, site, call, found);
    }
}

/// `floimg:feed()`.
fn with_colon(reading: &Reading<'_>, site: &Site<'_>, call: &Call, method: &Name, found: &mut Findings<'_>) {
    let seen = reading.seen(&call.callee);
    if let Some(table) = reading.global_table(&call.callee) {
        let Some(fields) = reading.fields(&seen.shape) else { return };
        let full = format!("{table}.{}", method.text);
        match fields.get(&method.text) {
            None => {
                let known: Vec<&str> = fields.named.iter().map(|(known, _)| known.as_str()).collect();
                let hint = match text::nearest(&method.text, &known) {
                    Some(near) => format!("did you mean `{table}.{near}`, with a dot?"),
                    None => format!("known: {}", known.join(", ")),
                };
                found.error_unless(site.is_guarded, method.span, format!("`{table}` has no `{}`", method.text), hint);
            }
            Some(shape) => {
                let message =
                    format!("{full} is called with a colon, which hands over `{table}` as its first argument");
                let hint = format!("call {full}(…) with a dot, not a colon");
                let raises = match shape {
                    Shape::Function(Some(signature)) => signature
                        .params
                        .first()
                        .is_some_and(|(_, first)| refuses_table(reading, first) || is_options(reading, first)),
                    _ => false,
                };
                let at = call.callee.span.to(method.span);
                if raises {
                    found.error_unless(site.is_guarded, at, message, hint);
                } else {
                    found.warning(at, message, hint);
                }
            }
        }
        return;
    }
    let shape = seen.shape.without_nil();
    let is_text = shape == Shape::Text;
    if is_text
        && let Some(Shape::Table(library)) = reading.surface.globals.get("string")
        && library.get(&method.text).is_none()
    {
        let known: Vec<&str> = library.named.iter().map(|(known, _)| known.as_str()).collect();
        let hint = match text::nearest(&method.text, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if method.text == "trim" => "use text:match(\"^%s*(.-)%s*$\")".to_owned(),
            None => format!("known: {}", known.join(", ")),
        };
        let message = format!("texts have no `{}`", method.text);
        if seen.is_sure && !seen.shape.may_be_nil() {
            found.error_unless(site.is_guarded, method.span, message, hint);
        } else {
            found.warning(method.span, message, hint);
        }
    }
    if let Some(fields) = reading.fields(&shape)
        && fields.rest.is_none()
    {
        let has = fields.get(&method.text).is_some();
        let name = shown(&call.callee);
        let (message, hint) = if has {
            let message = format!("`{name}.{}` is called with a colon", method.text);
            (message, format!("call {name}.{}(…) with a dot", method.text))
        } else {
            let known: Vec<&str> = fields.named.iter().map(|(known, _)| known.as_str()).collect();
            (format!("{} has no `{}`", shape.words(), method.text), format!("known: {}", known.join(", ")))
        };
        found.warning(method.span, message, hint);
    }
}

fn refuses_table(reading: &Reading<'_>, shape: &Shape) -> bool {
    match reading.surface.resolve(shape, &[]) {
        Shape::Text | Shape::Number | Shape::Boolean | Shape::Literal(_) => true,
        Shape::Union(shapes) => shapes.iter().all(|shape| *shape == Shape::Nil || refuses_table(reading, shape)),
        _ => false,
    }
}

/// A table of options with known names.
fn is_options(reading: &Reading<'_>, shape: &Shape) -> bool {
    reading.surface.fields(&shape.without_nil(), &[]).is_some_and(|fields| fields.rest.is_none())
}

fn arguments(reading: &Reading<'_>, site: &Site<'_>, call: &Call, signature: &Signature, found: &mut Findings<'_>) {
    let name = &signature.name;
    let is_open = call.args.last().is_some_and(gives_many);
    for (place, (what, shape)) in signature.params.iter().enumerate() {
        match call.args.get(place) {
            Some(arg) if place + 1 == call.args.len() && is_open && !matches!(arg.kind, ExprKind::Call(_)) => break,
            Some(arg) => {
                let label = if is_options(reading, shape) {
                    name.clone()
                } else {
                    format!("{name}: argument {} (`{what}`)", place + 1)
                };
                fits(reading, site.is_guarded, &label, arg, shape, found);
            }
            None if is_open || shape.may_be_nil() => {}
            None => {
                let message = format!("{name} needs `{what}`, {}", shape.words());
                found.error_unless(site.is_guarded, site.expr.span, message, example(signature));
                break;
            }
        }
    }
    if call.args.len() > signature.params.len() && !signature.is_variadic {
        let extra = &call.args[signature.params.len()];
        let many = signature.params.len();
        let message = format!(
            "{name} takes {}, and this is one more",
            if many == 1 { "one argument".to_owned() } else { format!("{many} arguments") }
        );
        found.warning(extra.span, message, example(signature));
    }
}

/// How a primitive is called, in short.
fn example(signature: &Signature) -> String {
    let params: Vec<&str> = signature.params.iter().map(|(name, _)| name.as_str()).collect();
    format!("call it like {}({})", signature.name, params.join(", "))
}

/// Tells when a value is surely not of this shape.
fn fits(reading: &Reading<'_>, is_guarded: bool, label: &str, arg: &Expr, shape: &Shape, found: &mut Findings<'_>) {
    let expected = reading.surface.resolve(shape, &[]).clone();
    let got = match followed(reading, arg) {
        Some((fields, span)) => match table_shape(reading, &expected) {
            Some(Shape::Table(known)) => {
                options(reading, is_guarded, label, fields, &known, span, found);
                return;
            }
            Some(Shape::List(inner)) => {
                for (place, field) in fields.iter().enumerate() {
                    if let FieldKey::Place(_) = field.key {
                        fits(reading, is_guarded, &format!("{label}[{}]", place + 1), &field.value, &inner, found);
                    }
                }
                return;
            }
            Some(_) => return,
            None => Shape::Table(std::sync::Arc::default()),
        },
        None => {
            let seen = reading.seen(arg);
            if !seen.is_sure {
                if let Shape::Named(_) | Shape::List(_) = seen.shape.without_nil()
                    && refuses_table(reading, &expected)
                {
                    let (message, hint) = mismatch(reading, label, arg, &expected, &seen.shape);
                    found.warning(arg.span, message, hint);
                }
                return;
            }
            seen.shape
        }
    };
    if let (Some(allowed), Some(text)) = (expected.literals(), arg.text()) {
        if !allowed.contains(&text) {
            let known: Vec<String> = allowed.iter().map(|text| format!("\"{text}\"")).collect();
            let hint = match text::nearest(text, &allowed) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write one of {}", known.join(", ")),
            };
            let message = format!("{label} must be {}, got \"{text}\"", expected.words());
            found.error_unless(is_guarded, arg.span, message, hint);
        }
        return;
    }
    if !clashes(reading, &expected, &got) {
        return;
    }
    let (message, hint) = mismatch(reading, label, arg, &expected, &got);
    found.error_unless(is_guarded, arg.span, message, hint);
}

fn mismatch(reading: &Reading<'_>, label: &str, arg: &Expr, expected: &Shape, got: &Shape) -> (String, String) {
    let value = match &arg.bare().kind {
        ExprKind::Text(text) => format!("the text \"{}\"", text::clip(text, 40)),
        ExprKind::Number(number) => number.to_string(),
        ExprKind::Boolean(flag) => flag.to_string(),
        _ => got.without_nil().words(),
    };
    let message = format!("{label} must be {}, got {value}", expected.words());
    let has_id = reading.fields(&got.without_nil()).is_some_and(|fields| fields.get("id").is_some());
    let hint = match (&expected.without_nil(), &arg.bare().kind) {
        (Shape::Text, _) if has_id => format!("give its id: {}.id", shown(arg)),
        (Shape::Number, ExprKind::Text(text)) if text.trim().parse::<f64>().is_ok() => {
            format!("write the number without quotes: {}", text.trim())
        }
        (Shape::List(_), _) => "write a list, like { … }".to_owned(),
        (expected, _) => format!("give {}", expected.words()),
    };
    (message, hint)
}

/// The table among what is allowed.
fn table_shape(reading: &Reading<'_>, shape: &Shape) -> Option<Shape> {
    match reading.surface.resolve(shape, &[]) {
        table @ (Shape::Table(_) | Shape::List(_) | Shape::Any | Shape::Both(_)) => Some(table.clone()),
        Shape::Union(shapes) => shapes.iter().find_map(|shape| table_shape(reading, shape)),
        _ => None,
    }
}

/// The fields of a table that stands here, or of a local that is only ever this table.
fn followed<'e>(reading: &Reading<'e>, arg: &'e Expr) -> Option<(&'e [Field], Span)> {
    match &arg.bare().kind {
        ExprKind::Table(fields) => Some((fields, arg.span)),
        ExprKind::Name(_) => {
            let var = reading.bound.var_of(arg)?;
            let Init::Value(value, 0) = var.init else { return None };
            let ExprKind::Table(fields) = &value.bare().kind else { return None };
            // Whoever else sees it might put something in.
            (var.writes.is_empty() && var.reads.len() == 1 && var.shape.is_none()).then_some((fields, arg.span))
        }
        _ => None,
    }
}

fn options(
    reading: &Reading<'_>,
    is_guarded: bool,
    label: &str,
    given: &[Field],
    known: &Fields,
    span: Span,
    found: &mut Findings<'_>,
) {
    let names: Vec<&str> = known.named.iter().map(|(name, _)| name.as_str()).collect();
    let mut is_open = false;
    for field in given {
        match &field.key {
            FieldKey::Name(name) => match known.get(&name.text) {
                Some(shape) => {
                    let label = format!("{label}: `{}`", name.text);
                    fits(reading, is_guarded, &label, &field.value, shape, found);
                }
                None => match &known.rest {
                    Some((_, shape)) => {
                        fits(reading, is_guarded, &format!("{label}: `{}`", name.text), &field.value, shape, found);
                    }
                    None => {
                        let hint = match text::nearest(&name.text, &names) {
                            Some(near) => format!("did you mean `{near}`? It takes: {}", names.join(", ")),
                            None => format!("it takes: {}", names.join(", ")),
                        };
                        found.error_unless(
                            is_guarded,
                            name.span,
                            format!("{label}: unknown option `{}`", name.text),
                            hint,
                        );
                    }
                },
            },
            FieldKey::Place(_) if known.rest.is_none() => {
                let message = format!("{label}: an option without a name");
                let hint = match names.first() {
                    Some(first) => format!("name it, like {{ {first} = … }}; it takes: {}", names.join(", ")),
                    None => "it takes no options".to_owned(),
                };
                found.error_unless(is_guarded, field.value.span, message, hint);
            }
            FieldKey::Place(_) => {}
            FieldKey::Value(_) => is_open = true,
        }
    }
    if is_open {
        return;
    }
    for (name, shape) in &known.named {
        let is_given = given.iter().any(|field| matches!(&field.key, FieldKey::Name(given) if given.text == *name));
        if !is_given && !shape.may_be_nil() {
            let message = format!("{label}: `{name}` is missing, {}", shape.words());
            found.error_unless(is_guarded, span, message, format!("add {name} = …; it takes: {}", names.join(", ")));
        }
    }
}

/// Whether a value of one shape is refused where another is expected. Numbers are taken as texts, by the host as by Luau.
fn clashes(reading: &Reading<'_>, expected: &Shape, got: &Shape) -> bool {
    let got = match got {
        // What may be nil is another matter.
        Shape::Union(_) => got.without_nil(),
        other => other.clone(),
    };
    match reading.surface.resolve(expected, &[]) {
        Shape::Any | Shape::Named(_) => false,
        Shape::Union(shapes) => shapes.iter().all(|shape| clashes(reading, shape, &got)),
        Shape::Nil => got != Shape::Nil && got != Shape::Any,
        Shape::Text => matches!(
            got,
            Shape::Nil | Shape::Boolean | Shape::Function(_) | Shape::List(_) | Shape::Table(_) | Shape::Named(_)
        ),
        Shape::Literal(_) => {
            matches!(got, Shape::Nil | Shape::Boolean | Shape::Function(_) | Shape::List(_) | Shape::Table(_))
        }
        Shape::Number => matches!(
            got,
            Shape::Nil
                | Shape::Boolean
                | Shape::Text
                | Shape::Function(_)
                | Shape::List(_)
                | Shape::Table(_)
                | Shape::Named(_)
        ),
        Shape::Boolean => false,
        Shape::List(_) | Shape::Table(_) | Shape::Both(_) => {
            matches!(got, Shape::Nil | Shape::Boolean | Shape::Text | Shape::Number | Shape::Function(_))
        }
        Shape::Function(_) => matches!(got, Shape::Nil | Shape::Boolean | Shape::Text | Shape::Number),
    }
}

/// A call that may wait, in a place where Luau cannot wait.
fn waits_where_it_cannot(reading: &Reading<'_>, site: &Site<'_>, call: &Call, found: &mut Findings<'_>) {
    let Shape::Function(Some(signature)) = reading.seen(&call.callee).shape else { return };
    if !reading.surface.waiting.contains(signature.name.as_str()) {
        return;
    }
    let bound = reading.bound;
    let Some(function) = bound.functions.get(site.function).and_then(|function| function.expr) else { return };
    let place = &bound.sites[function];
    let Some(outer) = bound.parent(place) else { return };
    let (place, what) = match &outer.expr.kind {
        ExprKind::Call(outer) => {
            match (outer.method.as_ref().map(|method| method.text.as_str()), outer.callee.path().as_deref()) {
                (None, Some(["table", "sort"])) if place.role == Role::Arg(1) => ("compares for table.sort", "sort"),
                (None, Some(["string", "gsub"])) if place.role == Role::Arg(2) => ("replaces for string.gsub", "gsub"),
                (Some("gsub"), _) if place.role == Role::Arg(1) => ("replaces for gsub", "gsub"),
                _ => return,
            }
        }
        ExprKind::Table(fields) => {
            let field = fields.iter().find(|field| field.value.bare().id == place.expr.id);
            match field.map(|field| &field.key) {
                Some(FieldKey::Name(name)) if name.text.starts_with("__") => ("is a metamethod", "metamethod"),
                _ => return,
            }
        }
        _ => return,
    };
    let hint = match what {
        "sort" => "ask before you sort: put what you need into the list, and compare that",
        "gsub" => "ask before: put the answers into a table, and give gsub that table",
        _ => "make it a function that is called by its name",
    };
    let message = format!("{} may wait, which is not possible in a function that {place}", signature.name);
    found.error_unless(site.is_guarded, site.expr.span, message, hint);
}

/// `type(x) == "strng"` is never true; a test of a type is for one of Luau's.
fn asks_for_a_type(reading: &Reading<'_>, site: &Site<'_>, call: &Call, found: &mut Findings<'_>) {
    const TYPES: [&str; 9] =
        ["nil", "boolean", "number", "string", "table", "function", "userdata", "thread", "buffer"];
    if !matches!(reading.bound.global(&call.callee), Some("type" | "typeof")) {
        return;
    }
    let Some(ExprKind::Binary(_, left, right)) = reading.bound.parent(site).map(|parent| &parent.expr.kind) else {
        return;
    };
    let Some((text, other)) = right.text().map(|text| (text, right)).or_else(|| left.text().map(|text| (text, left)))
    else {
        return;
    };
    if !TYPES.contains(&text) && text != "vector" {
        let hint = match text::nearest(text, &TYPES) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if text == "text" || text == "str" => "a text is a \"string\"".to_owned(),
            None => format!("the types are {}", TYPES.join(", ")),
        };
        found.warning(other.span, format!("there is no type \"{text}\", so this is never true"), hint);
    }
}
