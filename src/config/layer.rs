//! Layers: the values of one source, and where in it each is written.
//!
//! A layer has only keys that are known; what else its source says becomes a [`Problem`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::error::{Excerpt, Problem};
use super::models;
use super::origin::{Flag, Origin};
use super::value::conceal;
use crate::model::plugin::PluginName;

/// What may stand at a place of the config.
#[derive(Debug)]
pub(super) enum Shape {
    /// A section with these keys.
    Section(BTreeMap<String, Self>),
    /// A section whose keys the operator chooses, all with values of this shape.
    Open(Box<Self>),
    /// A section of sections that the operator names, all of this shape.
    Named(Box<Self>),
    /// A section with these keys, and below it sections that the operator names, with any keys and values.
    Plugins(BTreeMap<String, Self>),
    /// One of those sections.
    Plugin,
    /// A value; the default's type helps to read a text.
    Leaf(Value),
    /// A value that somebody else checks.
    Any,
}

/// Sections whose keys the operator chooses, and whether their values are lists.
pub(super) const OPEN: [(&str, bool); 9] = [
    ("floimg.generators", false),
    ("llm.roles", false),
    ("llm.personas", false),
    ("llm.bots", false),
    ("permissions.personas", true),
    ("permissions.plugins", true),
    ("web.personas", true),
    ("web.plugins", true),
    ("web.secrets", false),
];
/// Sections of sections that the operator names, and the keys that each of them may have, with values of the right type.
pub(super) const NAMED: [(&str, &str); 2] =
    [("llm.providers", models::PROVIDER_KEYS), ("llm.models", models::MODEL_KEYS)];
/// The section of plugins, each of which has a section of its own.
const PLUGINS: &str = "plugins";

impl Shape {
    /// The shape of the shipped config, whose keys are all there are.
    pub(super) fn of(shipped: &Table) -> Self {
        Self::of_section(shipped, "")
    }

    fn of_section(table: &Table, at: &str) -> Self {
        let keys = table.iter().map(|(name, value)| {
            let key = join(at, name);
            let open = OPEN.iter().find(|(section, _)| *section == key);
            let named = NAMED.iter().find(|(section, _)| *section == key);
            let shape = match (value, open) {
                (Value::Table(_), None) if let Some((_, keys)) = named => {
                    let keys = keys.parse::<Table>().unwrap_or_default();
                    Self::Named(Box::new(Self::of_section(&keys, &key)))
                }
                (Value::Table(_), Some((_, true))) => Self::Open(Box::new(Self::Leaf(Value::Array(Vec::new())))),
                (Value::Table(_), Some((_, false))) => Self::Open(Box::new(Self::Leaf(Value::String(String::new())))),
                (Value::Table(inner), None) if key == PLUGINS => match Self::of_section(inner, &key) {
                    Self::Section(keys) => Self::Plugins(keys),
                    other => other,
                },
                (Value::Table(inner), None) => Self::of_section(inner, &key),
                (value, _) => Self::Leaf(value.clone()),
            };
            (name.clone(), shape)
        });
        Self::Section(keys.collect())
    }

    fn is_section(&self) -> bool {
        !matches!(self, Self::Leaf(_) | Self::Any)
    }

    fn at(&self, path: &[&str]) -> Option<&Self> {
        match (self, path) {
            (shape, []) => Some(shape),
            (Self::Section(keys), [name, rest @ ..]) => keys.get(*name)?.at(rest),
            (Self::Open(leaf), [name]) if !name.is_empty() && !name.contains(char::is_control) => Some(leaf),
            (Self::Named(inner), [name, rest @ ..]) if models::is_name(name) => inner.at(rest),
            (Self::Plugins(keys), [name, rest @ ..]) => match keys.get(*name) {
                Some(shape) => shape.at(rest),
                None => PluginName::new(name).ok().and_then(|_| Self::of_plugin(rest)),
            },
            _ => None,
        }
    }

    /// What may stand in a plugin's section; the plugin's own manifest knows the rest.
    fn of_plugin(path: &[&str]) -> Option<&'static Self> {
        match path {
            [] => Some(&Self::Plugin),
            [name] if !name.is_empty() && !name.contains(char::is_control) => Some(&Self::Any),
            _ => None,
        }
    }

    /// The section that the operator named and in which this key stands, with the shape of all such sections.
    fn named_around<'a>(&self, key: &'a str) -> Option<(&'a str, &Self)> {
        let (at, _) = key.rsplit_once('.')?;
        let (section, _) = at.rsplit_once('.')?;
        let shape = self.at(&section.split('.').collect::<Vec<_>>())?;
        matches!(shape, Self::Named(_)).then_some((at, shape))
    }

    /// All keys that hold a value, sections' names first.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        self.collect("", &mut keys);
        keys
    }

    fn collect(&self, at: &str, keys: &mut Vec<String>) {
        match self {
            Self::Section(inner) | Self::Plugins(inner) => {
                inner.iter().for_each(|(name, shape)| shape.collect(&join(at, name), keys));
            }
            Self::Open(_) | Self::Named(_) | Self::Leaf(_) | Self::Plugin | Self::Any => keys.push(at.to_owned()),
        }
    }

    /// What may be written where an unknown key stands.
    pub(super) fn neighbours(&self, key: &str) -> String {
        let section = key.rsplit_once('.').map(|(section, _)| section);
        let shape = section.and_then(|section| self.at(&section.split('.').collect::<Vec<_>>()));
        match (section, shape) {
            (Some(section), Some(Self::Section(keys) | Self::Plugins(keys))) => {
                format!("`[{section}]` has {}", keys.keys().cloned().collect::<Vec<_>>().join(", "))
            }
            _ => "`fleet config` prints every key".to_owned(),
        }
    }

    /// The known key that was likely meant.
    pub(super) fn nearest(&self, key: &str) -> Option<String> {
        let name = last(key);
        if let Some((at, Self::Named(inner))) = self.named_around(key) {
            let Self::Section(keys) = &**inner else { return None };
            let score = |known: &&String| strsim::jaro_winkler(known, name);
            let near = keys.keys().filter(|known| score(known) > 0.85).max_by(|a, b| score(a).total_cmp(&score(b)))?;
            return Some(join(at, near));
        }
        let mut candidates = self.keys();
        let sections: Vec<String> =
            candidates.iter().filter_map(|key| key.rsplit_once('.').map(|(section, _)| section.to_owned())).collect();
        candidates.extend(sections);
        let score = |candidate: &String| {
            let whole = strsim::jaro_winkler(candidate, key);
            let own = strsim::jaro_winkler(last(candidate), name) * 0.98;
            whole.max(own)
        };
        candidates
            .into_iter()
            .filter(|candidate| !key.strip_prefix(candidate.as_str()).is_some_and(|rest| rest.starts_with('.')))
            .map(|candidate| (score(&candidate), candidate))
            .filter(|(score, _)| *score > 0.85)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, candidate)| candidate)
    }
}

/// The values of one source.
#[derive(Debug)]
pub(super) struct Layer {
    source: Source,
    text: String,
    /// The values by key, with their paths.
    pub(super) values: BTreeMap<String, (Vec<String>, Value)>,
    spans: BTreeMap<String, Range<usize>>,
}

#[derive(Debug)]
enum Source {
    Shipped,
    File(PathBuf),
    Variable(String),
    Flag(&'static str),
}

/// Environment variables that begin so are overrides.
const PREFIX: &str = "FLEET__";

impl Layer {
    /// The shipped defaults.
    pub(super) fn shipped(text: &str, shape: &Shape) -> Result<Self, Vec<Problem>> {
        Self::of_text(Source::Shipped, text, shape)
    }

    /// A config file's text.
    pub(super) fn file(path: PathBuf, text: &str, shape: &Shape) -> Result<Self, Vec<Problem>> {
        Self::of_text(Source::File(path), text, shape)
    }

    /// An environment variable; nothing if it is no override.
    pub(super) fn variable(name: &str, value: &str, shape: &Shape) -> Option<Result<Self, Vec<Problem>>> {
        let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
        let text = format!("{name}={value}");
        Some(Self::of_setting(Source::Variable(name.to_owned()), text, &key, shape))
    }

    /// A flag of the command line.
    pub(super) fn flag(flag: &Flag, shape: &Shape) -> Result<Self, Vec<Problem>> {
        let key = flag.setting.split('=').next().unwrap_or_default().trim().to_owned();
        Self::of_setting(Source::Flag(flag.name), flag.setting.clone(), &key, shape)
    }

    fn of_text(source: Source, text: &str, shape: &Shape) -> Result<Self, Vec<Problem>> {
        let mut layer = Self { source, text: text.to_owned(), values: BTreeMap::new(), spans: BTreeMap::new() };
        let parsed = DeTable::parse(text).and_then(|spanned| Ok((spanned, text.parse::<Table>()?)));
        let (spanned, table) = parsed.map_err(|error| {
            let message = error.message().replace('\n', ", ");
            vec![layer.problem_at(error.span().unwrap_or(0..0), None, message)]
        })?;
        let mut problems = Vec::new();
        layer.walk(spanned.get_ref(), &table, &mut Vec::new(), shape, &mut problems);
        problems.sort_by_key(|problem| problem.excerpt.as_ref().map(|excerpt| (excerpt.line, excerpt.mark.start)));
        if problems.is_empty() { Ok(layer) } else { Err(problems) }
    }

    fn walk(
        &mut self,
        spanned: &DeTable<'_>,
        table: &Table,
        path: &mut Vec<String>,
        shape: &Shape,
        problems: &mut Vec<Problem>,
    ) {
        for (name, inner) in spanned {
            let (span, name) = (name.span(), name.get_ref().as_ref());
            let Some(value) = table.get(name) else { continue };
            path.push(name.to_owned());
            let key = path.join(".");
            match (shape.at(&path.iter().map(String::as_str).collect::<Vec<_>>()), inner.get_ref(), value) {
                (None, ..) => problems.push(self.unknown(span, &key, shape)),
                (Some(shape_here), DeValue::Table(spanned), Value::Table(table)) if shape_here.is_section() => {
                    self.walk(spanned, table, path, shape, problems);
                }
                (Some(shape_here), ..) if shape_here.is_section() => {
                    let message = format!("expected a section, `[{key}]`, got {}", shown(value));
                    problems.push(self.problem_at(inner.span(), Some(&key), message));
                }
                (Some(Shape::Leaf(default)), ..) => {
                    self.mark(&key, inner);
                    self.values.insert(key, (path.clone(), alike(value.clone(), default)));
                }
                (Some(_), ..) => {
                    self.mark(&key, inner);
                    self.values.insert(key, (path.clone(), value.clone()));
                }
            }
            path.pop();
        }
    }

    /// Remembers where a value and all inside it are written.
    fn mark(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        self.spans.insert(key.to_owned(), value.span());
        match value.get_ref() {
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.mark(&format!("{key}[{index}]"), item);
                }
            }
            DeValue::Table(entries) => {
                for (name, item) in entries {
                    self.mark(&join(key, name.get_ref()), item);
                }
            }
            _ => {}
        }
    }

    fn of_setting(source: Source, text: String, key: &str, shape: &Shape) -> Result<Self, Vec<Problem>> {
        let mut layer = Self { source, text, values: BTreeMap::new(), spans: BTreeMap::new() };
        let Some(at) = layer.text.find('=') else {
            let message = format!("expected key=value, got `{}`", layer.text);
            return Err(vec![layer.problem_at(0..layer.text.len(), None, message)]);
        };
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        let default = match shape.at(&path.iter().map(String::as_str).collect::<Vec<_>>()) {
            Some(Shape::Leaf(default)) => Some(default),
            Some(Shape::Any) => None,
            Some(_) => {
                let message = format!("expected a key, but `{key}` is a section");
                return Err(vec![layer.problem_at(0..at, Some(key), message)]);
            }
            None => return Err(vec![layer.unknown(0..at, key, shape)]),
        };
        let raw = layer.text[at + 1..].trim();
        let value = match (raw.parse::<Value>(), default) {
            (Ok(value @ Value::String(_)), _) | (Ok(value), None) => value,
            (Ok(value), Some(default)) if !default.is_str() => alike(value, default),
            _ => Value::String(raw.to_owned()),
        };
        layer.spans.insert(key.to_owned(), at + 1..layer.text.len());
        layer.values.insert(key.to_owned(), (path, value));
        Ok(layer)
    }

    /// What gave the value of a key.
    pub(super) fn origin(&self, key: &str) -> Origin {
        match &self.source {
            Source::Shipped => Origin::Default,
            Source::File(path) => {
                let start = self.span(key).start.min(self.text.len());
                let line = self.text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
                Origin::File { path: path.clone(), line }
            }
            Source::Variable(name) => Origin::Variable(name.clone()),
            Source::Flag(name) => Origin::Flag(name),
        }
    }

    /// Where in the text a key stands, for ordering.
    pub(super) fn span(&self, key: &str) -> Range<usize> {
        let mut key = key;
        loop {
            if let Some(span) = self.spans.get(key) {
                return span.clone();
            }
            match key.rfind(['.', '[']) {
                Some(at) => key = &key[..at],
                None => return 0..0,
            }
        }
    }

    /// A problem with the value of a key.
    pub(super) fn problem(&self, key: &str, message: String) -> Problem {
        self.problem_at(self.span(key), Some(key), message)
    }

    fn problem_at(&self, span: Range<usize>, key: Option<&str>, message: String) -> Problem {
        let in_file = matches!(self.source, Source::Shipped | Source::File(_));
        let message = conceal(&message);
        let (excerpt, line, column) = Excerpt::new(&self.text, span, in_file);
        let place = match &self.source {
            Source::Shipped => format!("the built-in config:{line}:{column}"),
            Source::File(path) => format!("{}:{line}:{column}", path.display()),
            Source::Variable(name) => format!("${name}"),
            Source::Flag(name) => (*name).to_owned(),
        };
        Problem { key: key.map(str::to_owned), place, excerpt: Some(excerpt), message, hint: None }
    }

    fn unknown(&self, span: Range<usize>, key: &str, shape: &Shape) -> Problem {
        let mut problem = self.problem_at(span, Some(key), format!("unknown key `{key}`"));
        problem.hint = Some(match (shape.nearest(key), &self.source) {
            _ if key.starts_with("bots.") => "give the whole roster, as in `bots=[{ size = 10 }]`".to_owned(),
            (Some(nearest), Source::Variable(_)) => {
                format!("did you mean `{PREFIX}{}`?", nearest.to_uppercase().replace('.', "__"))
            }
            (Some(nearest), _) => format!("did you mean `{nearest}`?"),
            (None, _) => shape.neighbours(key),
        });
        // What is set by a wrong name may be a secret by another name.
        if let Some(excerpt) = &mut problem.excerpt {
            excerpt.without_value();
        }
        problem
    }
}

/// A whole number where the default is a fraction becomes one, so that 60 and 60.0 are the same value.
fn alike(value: Value, default: &Value) -> Value {
    match (&value, default) {
        #[expect(clippy::cast_precision_loss, reason = "numbers that are in range are far below 2^53")]
        (Value::Integer(number), Value::Float(_)) => Value::Float(*number as f64),
        _ => value,
    }
}

/// A value for a message, on one line and shortened.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string().replace('\n', " ");
    if text.chars().count() > 60 { text.chars().take(60).chain(['…']).collect() } else { text }
}

pub(super) fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
