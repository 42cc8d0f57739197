//! Shapes: as much of Luau's types as the stubs use.
//!
//! [`Shape::Any`] stands for everything that is not known, and nothing is ever said against it.

use std::sync::Arc;

/// What a value looks like.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Any,
    Nil,
    Text,
    Number,
    Boolean,
    /// One text of several.
    Literal(String),
    Function(Option<Arc<Signature>>),
    /// One of these.
    Union(Vec<Shape>),
    List(Box<Shape>),
    Table(Arc<Fields>),
    /// A type by its name.
    Named(String),
    /// Of all of these.
    Both(Vec<Shape>),
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields {
    /// By name, in the order of the stub.
    pub named: Vec<(String, Shape)>,
    /// Keys that have no names, and their values.
    pub rest: Option<(Shape, Shape)>,
}

/// What a function takes and answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signature {
    /// Its full name, for those of the host's: `floimg.feed`.
    pub name: String,
    pub params: Vec<(String, Shape)>,
    pub is_variadic: bool,
    pub returns: Vec<Shape>,
}

impl Fields {
    pub fn get(&self, name: &str) -> Option<&Shape> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, shape)| shape)
    }
}

impl Shape {
    /// Whether nil is one of its values.
    pub fn may_be_nil(&self) -> bool {
        match self {
            Self::Any | Self::Nil => true,
            Self::Union(shapes) => shapes.iter().any(Self::may_be_nil),
            _ => false,
        }
    }

    /// The same without nil.
    pub fn without_nil(&self) -> Self {
        match self {
            Self::Union(shapes) => {
                let mut left: Vec<Self> = shapes.iter().filter(|shape| **shape != Self::Nil).cloned().collect();
                match left.len() {
                    1 => left.remove(0),
                    _ => Self::Union(left),
                }
            }
            other => other.clone(),
        }
    }

    /// The texts that it can be, when it can be nothing else.
    pub fn literals(&self) -> Option<Vec<&str>> {
        match self {
            Self::Literal(text) => Some(vec![text]),
            Self::Union(shapes) => {
                let mut all = Vec::new();
                for shape in shapes.iter().filter(|shape| **shape != Self::Nil) {
                    all.extend(shape.literals()?);
                }
                Some(all).filter(|all| !all.is_empty())
            }
            _ => None,
        }
    }

    /// In words for people: `a text`, `a Post`, `one of "a", "b"`.
    pub fn words(&self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Nil => "nothing".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Literal(text) => format!("\"{text}\""),
            Self::Function(_) => "a function".to_owned(),
            Self::List(inner) => match &**inner {
                Self::Text => "a list of texts".to_owned(),
                Self::Named(name) => format!("a list of {name}s"),
                _ => "a list".to_owned(),
            },
            Self::Table(_) | Self::Both(_) => "a table".to_owned(),
            Self::Named(name) if name.starts_with(['A', 'E', 'I', 'O', 'U']) => format!("an {name}"),
            Self::Named(name) => format!("a {name}"),
            Self::Union(shapes) => {
                let all: Vec<String> = shapes.iter().filter(|shape| **shape != Self::Nil).map(Self::words).collect();
                match &all[..] {
                    [] => "nothing".to_owned(),
                    [one] => one.clone(),
                    [first @ .., last] => format!("{} or {last}", first.join(", ")),
                }
            }
        }
    }
}
