//! Types as the parser has them → [`Shape`].

use std::sync::Arc;

use full_moon::ast::luau::{TypeFieldKey, TypeInfo};

use super::parse::word;
use super::shape::{Fields, Shape, Signature};

/// The shape a type stands for; what the checks have no word for is [`Shape::Any`].
pub(super) fn shape_of(info: &TypeInfo) -> Shape {
    match info {
        TypeInfo::Array { type_info, .. } => Shape::List(Box::new(shape_of(type_info))),
        TypeInfo::Basic(token) => named(&word(token)),
        TypeInfo::String(token) => Shape::Literal(word(token).trim().trim_matches(['"', '\'']).to_owned()),
        TypeInfo::Boolean(_) => Shape::Boolean,
        TypeInfo::Callback { arguments, return_type, .. } => {
            let mut signature = Signature::default();
            for argument in arguments {
                if matches!(argument.type_info(), TypeInfo::Variadic { .. } | TypeInfo::VariadicPack { .. }) {
                    signature.is_variadic = true;
                    continue;
                }
                let name = argument.name().map(|(name, _)| word(name)).unwrap_or_default();
                signature.params.push((name, shape_of(argument.type_info())));
            }
            signature.returns = match &**return_type {
                TypeInfo::Tuple { types, .. } => types.iter().map(shape_of).collect(),
                other => vec![shape_of(other)],
            };
            Shape::Function(Some(Arc::new(signature)))
        }
        TypeInfo::Intersection(given) => Shape::Both(given.types().iter().map(shape_of).collect()),
        TypeInfo::Optional { base, .. } => Shape::Union(vec![shape_of(base), Shape::Nil]),
        TypeInfo::Table { fields, .. } => {
            let mut table = Fields::default();
            for field in fields {
                let value = shape_of(field.value());
                match field.key() {
                    TypeFieldKey::Name(token) => table.named.push((word(token), value)),
                    TypeFieldKey::IndexSignature { inner, .. } => table.rest = Some((shape_of(inner), value)),
                    _ => table.rest = Some((Shape::Any, Shape::Any)),
                }
            }
            Shape::Table(Arc::new(table))
        }
        TypeInfo::Tuple { types, .. } => match types.len() {
            1 => types.iter().next().map_or(Shape::Any, shape_of),
            _ => Shape::Any,
        },
        TypeInfo::Union(given) => Shape::Union(given.types().iter().map(shape_of).collect()),
        _ => Shape::Any,
    }
}

fn named(word: &str) -> Shape {
    match word.trim() {
        "string" => Shape::Text,
        "number" => Shape::Number,
        "boolean" => Shape::Boolean,
        "nil" => Shape::Nil,
        "any" | "unknown" | "never" | "buffer" | "thread" | "vector" => Shape::Any,
        // A parameter of a generic function.
        name if name.len() == 1 => Shape::Any,
        name => Shape::Named(name.to_owned()),
    }
}
