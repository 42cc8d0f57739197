//! The surface: what scripts can reach, read from the stubs and from a VM.
//!
//! There is no list of primitives here; what a stub says is what the checks know.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::parse;
use super::shape::{Fields, Shape, Signature};
use crate::lua::modules::{MODULES, SHARED_TYPES};

/// What scripts can reach.
#[derive(Debug, Default)]
pub struct Surface {
    /// Tables of the host's and of Luau's own, by their global names.
    pub globals: BTreeMap<String, Shape>,
    /// The types of the stubs.
    pub types: BTreeMap<String, Shape>,
    /// Full names of primitives that may wait.
    pub waiting: BTreeSet<&'static str>,
}

impl Surface {
    /// Reads the stubs; `libraries` are the globals of a VM, with the members of those that are tables.
    pub fn new(libraries: &BTreeMap<String, Option<BTreeSet<String>>>) -> Self {
        let mut surface = Self::default();
        for (name, members) in libraries {
            let shape = match members {
                None => Shape::Function(None),
                Some(members) => {
                    let named = members.iter().map(|member| (member.clone(), Shape::Any)).collect();
                    Shape::Table(Arc::new(Fields { named, rest: None }))
                }
            };
            surface.globals.insert(name.clone(), shape);
        }
        // Values of Luau's own whose insides nobody checks.
        for open in ["_G", "_VERSION"] {
            surface.globals.insert(open.to_owned(), Shape::Any);
        }
        // `declare floimg: {` declares a value; read as a type of that name it says the same.
        let stubs: Vec<String> = std::iter::once(SHARED_TYPES)
            .chain(MODULES.iter().map(|module| module.types))
            .map(|stub| {
                let lines = stub.lines().map(|line| {
                    match line.strip_prefix("declare ").and_then(|rest| rest.split_once(": ")) {
                        Some((name, rest)) => format!("type {name} = {rest}\n"),
                        None => format!("{line}\n"),
                    }
                });
                lines.collect()
            })
            .collect();
        let types = parse::on_deep_stack(|| {
            stubs.iter().filter_map(|stub| parse::parse_here(stub)).flat_map(|tree| tree.types).collect::<Vec<_>>()
        });
        surface.types.extend(types.unwrap_or_default());
        for module in MODULES.iter().filter(|module| !module.types.is_empty()) {
            if let Some(shape) = surface.types.remove(module.name) {
                let named = surface.named_after(module.name, &shape);
                surface.globals.insert(module.name.to_owned(), named);
            }
        }
        surface.waiting = MODULES.iter().flat_map(|module| module.waiting.iter().map(|(name, _)| *name)).collect();
        surface
    }

    /// The same shape, every function in it with its full name.
    fn named_after(&self, path: &str, shape: &Shape) -> Shape {
        match shape {
            Shape::Function(Some(signature)) => {
                Shape::Function(Some(Arc::new(Signature { name: path.to_owned(), ..(**signature).clone() })))
            }
            shape => match self.fields(shape, &[]) {
                // Below a module there are functions, or types that hold nothing else.
                Some(fields) if fields.named.iter().any(|(_, shape)| matches!(shape, Shape::Function(_))) => {
                    let named = fields
                        .named
                        .iter()
                        .map(|(name, shape)| (name.clone(), self.named_after(&format!("{path}.{name}"), shape)))
                        .collect();
                    Shape::Table(Arc::new(Fields { named, rest: fields.rest.clone() }))
                }
                _ => shape.clone(),
            },
        }
    }

    /// What stands behind the name of a type; `own` are the types of the file, which come first.
    pub fn resolve<'a>(&'a self, shape: &'a Shape, own: &'a [(String, Shape)]) -> &'a Shape {
        let mut shape = shape;
        // A type may be another name for another, and by mistake for itself.
        for _ in 0..8 {
            let Shape::Named(name) = shape else { return shape };
            let of_file = own.iter().find(|(known, _)| known == name).map(|(_, shape)| shape);
            match of_file.or_else(|| self.types.get(name)) {
                Some(behind) => shape = behind,
                None => return &Shape::Any,
            }
        }
        &Shape::Any
    }

    /// The fields that a value of this shape has, when it is a table of which all are known.
    pub fn fields<'a>(&'a self, shape: &'a Shape, own: &'a [(String, Shape)]) -> Option<Cow<'a, Fields>> {
        match self.resolve(shape, own) {
            Shape::Table(fields) => Some(Cow::Borrowed(&**fields)),
            Shape::Both(parts) => {
                let mut all = Fields::default();
                for part in parts {
                    let fields = self.fields(part, own)?;
                    all.named.extend(fields.named.iter().cloned());
                    all.rest = all.rest.or_else(|| fields.rest.clone());
                }
                Some(Cow::Owned(all))
            }
            _ => None,
        }
    }

    /// How a primitive is called, by its full name: `use it like llm.choose { purpose, question, options, about? }`.
    pub fn usage(&self, name: &str) -> Option<String> {
        let mut path = name.split('.');
        let mut shape = self.globals.get(path.next()?).filter(|_| name.contains('.'))?;
        for part in path {
            let Shape::Table(fields) = shape else { return None };
            shape = fields.get(part)?;
        }
        let Shape::Function(Some(signature)) = shape else { return None };
        let params: Vec<String> = signature
            .params
            .iter()
            .map(|(name, shape)| {
                let mark = if shape.may_be_nil() && *shape != Shape::Any { "?" } else { "" };
                match self.fields(&shape.without_nil(), &[]).filter(|fields| fields.rest.is_none()) {
                    Some(fields) => {
                        let mark = |shape: &Shape| if shape.may_be_nil() && *shape != Shape::Any { "?" } else { "" };
                        let names: Vec<String> =
                            fields.named.iter().map(|(name, shape)| format!("{name}{}", mark(shape))).collect();
                        format!("{{ {} }}", names.join(", "))
                    }
                    None => format!("{name}{mark}"),
                }
            })
            .collect();
        Some(match &params[..] {
            [options] if options.starts_with('{') => format!("use it like {name} {options}"),
            params => format!("use it like {name}({})", params.join(", ")),
        })
    }

    /// The permission that a global needs, when it needs one.
    pub fn permission(name: &str) -> Option<&'static str> {
        MODULES.iter().find(|module| module.is_granted_by_name && module.name == name).map(|module| module.name)
    }

    /// Whether the global is a table of the host's.
    pub fn is_module(name: &str) -> bool {
        MODULES.iter().any(|module| module.name == name && !module.types.is_empty())
    }

    /// The types of failures and all their kinds.
    pub fn is_failure(shape: &Shape) -> bool {
        matches!(shape.without_nil(), Shape::Named(name) if name == "Failure")
    }
}
