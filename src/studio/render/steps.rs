//! Workflow steps, read from JSON into what can be drawn.
//!
//! Everything is checked here, once: what comes out needs no further checking.

use serde_json::{Map, Value};

use super::chart::Chart;
use super::codes::Code;
use super::colour::Colour;
use super::shapes::Shape;
use super::transforms::Op;
use super::{MAX_STEPS, StepError, catalog};

/// A step that can run.
pub(super) struct Step {
    pub(super) out: String,
    pub(super) work: Work,
}

/// What a step does.
pub(super) enum Work {
    Draw(Sketch),
    Shape(Shape),
    Qr(Code),
    Chart(Chart),
    Transform { op: Op, input: String, overlay: Option<String> },
    Save,
}

/// A prompt to draw.
pub(super) struct Sketch {
    pub(super) prompt: String,
    pub(super) style: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Work {
    /// Whether it reads the picture of this name.
    pub(super) fn reads(&self, name: &str) -> bool {
        match self {
            Self::Transform { input, overlay, .. } => input == name || overlay.as_deref() == Some(name),
            _ => false,
        }
    }
}

/// Checks steps without drawing anything.
///
/// # Errors
/// Every fault found, in the order of the steps.
pub fn check(steps: &[Value]) -> Result<(), Vec<StepError>> {
    read(steps).map(|_| ())
}

/// Reads all steps or reports all faults.
pub(super) fn read(steps: &[Value]) -> Result<Vec<Step>, Vec<StepError>> {
    let mut errors = Vec::new();
    if steps.len() > MAX_STEPS {
        let message = format!("a workflow has at most {MAX_STEPS} steps, this one has {}", steps.len());
        return Err(vec![invalid(MAX_STEPS, "steps", "TOO_MANY_STEPS", message)]);
    }
    if steps.is_empty() {
        return Err(vec![invalid(0, "steps", "NO_STEPS", "a workflow needs at least one step".to_owned())]);
    }
    let mut done: Vec<Step> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (at, value) in steps.iter().enumerate() {
        let Some(map) = value.as_object() else {
            errors.push(invalid(at, "kind", "INVALID_STEP", "a step is an object with a `kind`".to_owned()));
            continue;
        };
        let mut fields =
            Params { step: at, of: "step".to_owned(), map: Some(map), known: Vec::new(), errors: Vec::new() };
        let step = one(&mut fields, &names);
        errors.append(&mut fields.errors);
        // A broken step's name still counts, so that one fault is reported once.
        if let Some(Value::String(out)) = map.get("out") {
            names.push(out.clone());
        }
        done.extend(step);
    }
    if errors.is_empty() { Ok(done) } else { Err(errors) }
}

fn one(fields: &mut Params<'_>, names: &[String]) -> Option<Step> {
    let kind = fields.choice("kind", &["generate", "transform", "save"], None)?;
    let at = fields.step;
    if kind == "save" {
        input(fields, "in", names);
        return Some(Step { out: String::new(), work: Work::Save });
    }
    let map = fields.map;
    let params = match map.and_then(|map| map.get("params")) {
        None => None,
        Some(Value::Object(params)) => Some(params),
        Some(_) => {
            fields.fault("params", "INVALID_PARAMETER", "`params` must be an object".to_owned());
            return None;
        }
    };
    let mut inner = Params { step: at, of: String::new(), map: params, known: Vec::new(), errors: Vec::new() };
    let work = if kind == "generate" {
        let generator = fields.text("generator", 64, None)?;
        inner.of = format!("generator `{generator}`");
        match generator.as_str() {
            "openai" => sketch(&mut inner).map(Work::Draw),
            "shapes" => Shape::read(&mut inner).map(Work::Shape),
            "qr" => Code::read(&mut inner).map(Work::Qr),
            "quickchart" => Chart::read(&mut inner).map(Work::Chart),
            _ => {
                let offered = catalog::GENERATORS.join(", ");
                let message = format!("generator `{generator}` is not offered here; offered are {offered}");
                fields.fault("generator", "UNKNOWN_GENERATOR", message);
                return None;
            }
        }
    } else {
        let op = fields.text("op", 64, None);
        let input = input(fields, "in", names);
        let op = op?;
        inner.of = format!("transform `{op}`");
        if !catalog::TRANSFORMS.contains(&op.as_str()) {
            let offered = catalog::TRANSFORMS.join(", ");
            fields.fault(
                "op",
                "UNKNOWN_OPERATION",
                format!("transform `{op}` is not offered here; offered are {offered}"),
            );
            return None;
        }
        let overlay = if op == "composite" { self::input(&mut inner, "overlay", names) } else { None };
        match (Op::read(&op, &mut inner), input) {
            (Some(op), Some(input)) => Some(Work::Transform { op, input, overlay }),
            _ => None,
        }
    };
    inner.finish();
    fields.errors.append(&mut inner.errors);
    let out = fields.text("out", 64, None)?;
    if names.contains(&out) {
        fields.fault(
            "out",
            "DUPLICATE_OUTPUT",
            format!("an earlier step already made `{out}`: give this one another name"),
        );
    }
    Some(Step { out, work: work? })
}

fn input(fields: &mut Params<'_>, key: &'static str, names: &[String]) -> Option<String> {
    let name = fields.text(key, 64, None)?;
    if names.contains(&name) {
        return Some(name);
    }
    let made = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    fields.fault(key, "UNKNOWN_INPUT", format!("no earlier step made `{name}`; made so far: {made}"));
    None
}

fn sketch(params: &mut Params<'_>) -> Option<Sketch> {
    let prompt = params.text("prompt", 4000, None);
    params.text("model", 64, Some("dall-e-3"));
    let size = params.choice("size", &["1024x1024", "1792x1024", "1024x1792"], Some("1024x1024"));
    params.choice("quality", &["standard", "hd"], Some("standard"));
    let style = params.choice("style", &["vivid", "natural"], Some("vivid"));
    let (width, height) = match size?.as_str() {
        "1792x1024" => (1792, 1024),
        "1024x1792" => (1024, 1792),
        _ => (1024, 1024),
    };
    let prompt = prompt?;
    if prompt.trim().is_empty() {
        params.fault("prompt", "INVALID_PARAMETER", "`prompt` is empty: say what to draw".to_owned());
        return None;
    }
    Some(Sketch { prompt, style: style?, width, height })
}

fn invalid(step: usize, parameter: &str, code: &'static str, message: String) -> StepError {
    StepError { step, parameter: Some(parameter.to_owned()), code, message, is_validation: true }
}

/// Reads an object's fields and gathers what is wrong with them.
pub(super) struct Params<'a> {
    step: usize,
    of: String,
    map: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
    errors: Vec<StepError>,
}

impl<'a> Params<'a> {
    /// Notes a fault of a parameter.
    pub(super) fn fault(&mut self, parameter: &str, code: &'static str, message: String) {
        self.errors.push(invalid(self.step, parameter, code, message));
    }

    fn wrong(&mut self, key: &str, expected: &str) {
        let shown: String =
            self.raw_of(key).map(|value| value.to_string().chars().take(60).collect()).unwrap_or_default();
        self.fault(key, "INVALID_PARAMETER", format!("`{key}` of {} must be {expected}, not {shown}", self.of));
    }

    fn raw_of(&self, key: &str) -> Option<&'a Value> {
        self.map.and_then(|map| map.get(key))
    }

    /// The value as it stands.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.raw_of(key)
    }

    fn missing<T>(&mut self, key: &str) -> Option<T> {
        self.fault(key, "MISSING_PARAMETER", format!("{} needs `{key}`", self.of));
        None
    }

    /// A number in a range; `None` when it is missing without a default, or wrong.
    pub(super) fn number(&mut self, key: &'static str, range: (f64, f64), default: Option<f64>) -> Option<f64> {
        match self.raw(key) {
            None => default.or_else(|| self.missing(key)),
            Some(value) => match value.as_f64() {
                Some(n) if n >= range.0 && n <= range.1 => Some(n),
                _ => {
                    self.wrong(key, &format!("a number from {} to {}", range.0, range.1));
                    None
                }
            },
        }
    }

    /// A whole number in a range.
    pub(super) fn whole(&mut self, key: &'static str, range: (u32, u32), default: Option<u32>) -> Option<u32> {
        match self.raw(key) {
            None => default.or_else(|| self.missing(key)),
            Some(value) => match value.as_f64() {
                Some(n) if n.fract() == 0.0 && n >= f64::from(range.0) && n <= f64::from(range.1) => Some(n as u32),
                _ => {
                    self.wrong(key, &format!("a whole number from {} to {}", range.0, range.1));
                    None
                }
            },
        }
    }

    /// A whole number that may be left out.
    pub(super) fn maybe_whole(&mut self, key: &'static str, range: (u32, u32)) -> Option<Option<u32>> {
        match self.raw(key) {
            None => Some(None),
            Some(_) => self.whole(key, range, None).map(Some),
        }
    }

    /// Text of at most `max` characters.
    pub(super) fn text(&mut self, key: &'static str, max: usize, default: Option<&str>) -> Option<String> {
        match self.raw(key) {
            None => default.map(str::to_owned).or_else(|| self.missing(key)),
            Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= max => Some(text.clone()),
            Some(_) => {
                self.wrong(key, &format!("text of 1 to {max} characters"));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice(&mut self, key: &'static str, allowed: &[&str], default: Option<&str>) -> Option<String> {
        match self.raw(key) {
            None => default.map(str::to_owned).or_else(|| self.missing(key)),
            Some(Value::String(text)) if allowed.contains(&text.as_str()) => Some(text.clone()),
            Some(_) => {
                self.wrong(key, &format!("one of {}", allowed.join(", ")));
                None
            }
        }
    }

    /// A colour.
    pub(super) fn colour(&mut self, key: &'static str, default: Option<Colour>) -> Option<Colour> {
        match self.raw(key) {
            None => default.or_else(|| self.missing(key)),
            Some(value) => match value.as_str().and_then(Colour::parse) {
                Some(colour) => Some(colour),
                None => {
                    self.wrong(key, "a colour like #1a2b3c, #abc or a name like teal");
                    None
                }
            },
        }
    }

    /// Notes every parameter that nothing asked for.
    pub(super) fn finish(&mut self) {
        // A reader that stopped early has not asked for everything it knows.
        if !self.errors.is_empty() {
            return;
        }
        let Some(map) = self.map else { return };
        let unknown: Vec<String> =
            map.keys().filter(|key| !self.known.contains(&key.as_str())).take(8).cloned().collect();
        for key in unknown {
            let known = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
            let key: String = key.chars().take(60).collect();
            self.fault(&key, "UNKNOWN_PARAMETER", format!("{} takes no `{key}`; known are {known}", self.of));
        }
    }
}
