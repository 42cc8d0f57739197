//! Loading: layers are read, laid over each other, and checked.
//!
//! Everything that is wrong is found in one go, so that nobody has to start the program once per mistake.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::layer::{Layer, NAMED, OPEN, Shape, shown};
use super::{Config, ConfigError, ConfigFile, Entry, Problem, SHIPPED, Settings, Sources, StudioAddress};

impl Config {
    /// Reads all sources and checks what they say together.
    ///
    /// # Errors
    /// When a source cannot be read, or holds anything that is not valid: the error names each place.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let layers = read(sources, &mut problems);
        // What a broken source would have said is unknown, so conclusions about the rest could mislead.
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        let mut merged = Merged::of(layers);
        let settings = merged.settings(&mut problems);
        let Some(mut settings) = settings.filter(|_| problems.is_empty()) else {
            return Err(ConfigError { problems });
        };
        merged.check(&settings, &mut problems);
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        settings.floimg.token = sources.secret(&settings.floimg.token_env);
        settings.http.admin_token = sources.secret(&settings.http.admin_token_env);
        for (plugin, variable) in &settings.web.secrets {
            if let Some(secret) = sources.secret(variable.as_str()) {
                settings.web.signing.insert(plugin.as_str().to_owned(), secret);
            }
        }
        settings.llm.read_keys(sources);
        Ok(Self { settings, entries: merged.entries() })
    }

    /// Whether a fleet may run with this config: what only [`Config::load`] cannot demand, because other commands
    /// need no secrets.
    ///
    /// # Errors
    /// When a needed secret is missing or is no such secret.
    pub fn ready_to_run(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let mut missing = |key: &str, variable: &str, message: String, hint: String| {
            let problem = Problem {
                key: Some(key.to_owned()),
                place: format!("${variable}"),
                excerpt: None,
                message,
                hint: Some(hint),
            };
            problems.push(problem);
        };
        let sendable = |token: &str| token.bytes().all(|b| b.is_ascii_graphic());
        if let StudioAddress::Remote(url) = &self.floimg.studio {
            let (key, variable) = ("floimg.token_env", &self.floimg.token_env);
            let hint = format!("set {variable} to the studio's service token");
            match &self.floimg.token {
                None => {
                    missing(key, variable, format!("not set, and the studio at {url} needs a service token"), hint);
                }
                Some(token) if !token.expose().starts_with("fst_") || !sendable(token.expose()) => {
                    missing(key, variable, "expected a service token, which begins with `fst_`".to_owned(), hint);
                }
                Some(_) => {}
            }
        }
        let (key, variable) = ("http.admin_token_env", &self.http.admin_token_env);
        let listen = self.http.listen;
        let hint = format!("set {variable} to a long random text, or listen on 127.0.0.1");
        match &self.http.admin_token {
            Some(token) if !sendable(token.expose()) => {
                missing(key, variable, "expected letters, digits and signs without spaces".to_owned(), hint);
            }
            _ if listen.ip().is_loopback() => {}
            None => {
                missing(key, variable, format!("not set, and http.listen = \"{listen}\" is open to others"), hint);
            }
            Some(token) if token.expose().len() < 16 => {
                let message =
                    format!("expected at least 16 characters, because http.listen = \"{listen}\" is open to others");
                missing(key, variable, message, hint);
            }
            Some(_) => {}
        }
        self.llm.ready_to_run(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

/// All layers, the weakest first.
fn read(sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Layer> {
    let shape = match SHIPPED.parse::<Table>() {
        Ok(shipped) => Shape::of(&shipped),
        Err(_) => Shape::Section(BTreeMap::new()),
    };
    let mut layers = Vec::new();
    let mut take = |layer: Result<Layer, Vec<Problem>>| match layer {
        Ok(layer) => layers.push(layer),
        Err(found) => problems.extend(found),
    };
    take(Layer::shipped(SHIPPED, &shape));
    let path = match &sources.file {
        ConfigFile::Nowhere => None,
        ConfigFile::Optional(path) | ConfigFile::Required(path) => Some(path),
    };
    if let Some(path) = path {
        match std::fs::read_to_string(path) {
            Ok(text) => take(Layer::file(path.clone(), &text, &shape)),
            Err(error) => {
                let optional = matches!(sources.file, ConfigFile::Optional(_));
                if !(optional && error.kind() == std::io::ErrorKind::NotFound) {
                    take(Err(vec![Problem {
                        key: None,
                        place: path.display().to_string(),
                        excerpt: None,
                        message: format!("could not read the config file: {error}"),
                        hint: Some("`--config PATH` names another file".to_owned()),
                    }]));
                }
            }
        }
    }
    for (name, value) in &sources.environment {
        if let Some(layer) = Layer::variable(name, value, &shape) {
            take(layer);
        }
    }
    for flag in &sources.flags {
        take(Layer::flag(flag, &shape));
    }
    layers
}

/// The strongest value of every key, and the layer it is from.
struct Merged {
    layers: Vec<Layer>,
    values: BTreeMap<String, (Vec<String>, Value, usize)>,
}

impl Merged {
    fn of(layers: Vec<Layer>) -> Self {
        let mut values = BTreeMap::new();
        for (index, layer) in layers.iter().enumerate() {
            for (key, (path, value)) in &layer.values {
                values.insert(key.clone(), (path.clone(), value.clone(), index));
            }
        }
        Self { layers, values }
    }

    /// The typed settings. A value that is refused is reported, and its default is taken to find what else is wrong.
    fn settings(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let mut values = self.values.clone();
        loop {
            let error = match serde_path_to_error::deserialize(tree(&values)) {
                Ok(settings) => return Some(settings),
                Err(error) => error,
            };
            let path = error.path().to_string();
            let mut message = error.inner().message().lines().collect::<Vec<_>>().join(" ");
            let key = values.keys().filter(|key| covers(key, &path)).max_by_key(|key| key.len()).cloned();
            let Some((key, (_, value, from))) = key.and_then(|key| values.remove_entry(&key)) else {
                // Reached only by a key that the shipped file lacks, which a test rules out.
                problems.push(Problem {
                    key: Some(path),
                    place: "config".to_owned(),
                    excerpt: None,
                    message,
                    hint: None,
                });
                return None;
            };
            // Whoever writes a key where its variable belongs should not find it in a log.
            let is_secret = path.ends_with(".api_key_env");
            if !value.is_array() && !value.is_table() && !is_secret {
                message = format!("{message}, got {}", shown(&value));
            }
            if let Some(layer) = self.layers.get(from) {
                let mut problem = layer.problem(&path, message);
                if let Some(excerpt) = problem.excerpt.as_mut().filter(|_| is_secret) {
                    excerpt.conceal_marked();
                }
                problem.key = Some(path);
                problems.push(problem);
            }
            match self.layers.first().and_then(|shipped| shipped.values.get(&key)) {
                Some((path, default)) if from > 0 => {
                    values.insert(key, (path.clone(), default.clone(), 0));
                }
                Some(_) => return None,
                None => {}
            }
        }
    }

    /// What no single key can know to be wrong.
    fn check(&self, settings: &Settings, problems: &mut Vec<Problem>) {
        let mut refuse = |keys: [&str; 2], message: String, hint: &str| {
            // The place to look at is the one that the operator wrote last.
            let from = |key: &str| self.values.get(key).map_or(0, |(.., layer)| *layer);
            let key = if from(keys[0]) >= from(keys[1]) { keys[0] } else { keys[1] };
            if let Some(layer) = self.layers.get(from(key)) {
                let mut problem = layer.problem(key, message);
                problem.hint = Some(hint.to_owned());
                problems.push(problem);
            }
        };
        #[expect(clippy::float_cmp, reason = "1 is exact, and so must the speed be")]
        let hurried = settings.clock.speed != 1.0;
        if hurried && let StudioAddress::Remote(url) = &settings.floimg.studio {
            refuse(
                ["clock.speed", "floimg.studio"],
                format!("expected clock.speed = 1 with the real studio at {url}, got {}", settings.clock.speed),
                "set `speed = 1` in `[clock]`: only the embedded studio can live faster than the wall",
            );
        }
        let (studio, http) = (settings.studio.listen, settings.http.listen);
        let same_host = studio.ip() == http.ip() || studio.ip().is_unspecified() || http.ip().is_unspecified();
        if settings.floimg.studio == StudioAddress::Embedded
            && studio.port() == http.port()
            && studio.port() != 0
            && same_host
        {
            refuse(
                ["http.listen", "studio.listen"],
                format!("expected two ports, but http.listen and studio.listen share {}", http.port()),
                "give one of them another port",
            );
        }
        if settings.runtime.retry_base > settings.runtime.retry_cap {
            refuse(
                ["runtime.retry_base_secs", "runtime.retry_cap_secs"],
                format!(
                    "expected retry_base_secs to be at most retry_cap_secs, got {} and {}",
                    settings.runtime.retry_base.get(),
                    settings.runtime.retry_cap.get()
                ),
                "raise retry_cap_secs or lower retry_base_secs",
            );
        }
        if settings.sandbox.poll_cpu > settings.sandbox.tick_cpu {
            refuse(
                ["sandbox.poll_cpu_millis", "sandbox.tick_cpu_millis"],
                format!(
                    "expected poll_cpu_millis to be at most tick_cpu_millis, got {} and {}",
                    settings.sandbox.poll_cpu.as_millis(),
                    settings.sandbox.tick_cpu.as_millis()
                ),
                "raise tick_cpu_millis or lower poll_cpu_millis",
            );
        }
        settings.llm.check(&mut |at, message, hint| {
            // Of a section that lacks something, any key shows where it is.
            let Some((key, (.., from))) = self.values.iter().find(|(key, _)| covers(at, key)) else { return };
            if let Some(layer) = self.layers.get(*from) {
                let mut problem = layer.problem(key, message);
                problem.key = Some(at.to_owned());
                problem.hint = Some(hint.to_owned());
                problems.push(problem);
            }
        });
    }

    fn entries(&mut self) -> Vec<Entry> {
        let place = |key: &str| {
            let known = self.layers.first().filter(|shipped| shipped.values.contains_key(key));
            // The operator's own keys are all in one section, which in the shipped file ends before the next.
            known.map_or_else(|| self.end_of_section_before(key), |shipped| shipped.span(key).start)
        };
        let mut entries: Vec<(usize, Entry)> = self
            .values
            .iter()
            .filter_map(|(key, (path, value, from))| {
                let origin = self.layers.get(*from)?.origin(key);
                let entry = Entry { key: key.clone(), value: value.clone(), origin, path: path.clone() };
                Some((place(key), entry))
            })
            .collect();
        entries.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.key.cmp(&other.key)));
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    fn end_of_section_before(&self, key: &str) -> usize {
        let parent = key.split('.').next().unwrap_or_default();
        let Some(shipped) = self.layers.first() else { return usize::MAX };
        let siblings = shipped.values.keys().filter(|other| covers(parent, other));
        siblings.map(|other| shipped.span(other).start + 1).max().unwrap_or(usize::MAX)
    }
}

/// Whether `path` is `key` or lies inside it.
fn covers(key: &str, path: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn tree(values: &BTreeMap<String, (Vec<String>, Value, usize)>) -> Table {
    let mut root = Table::new();
    // A section may have no value at all, as `[floimg.generators]` has none by default.
    for section in OPEN.map(|(section, _)| section).into_iter().chain(NAMED.map(|(section, _)| section)) {
        let path: Vec<String> = section.split('.').map(str::to_owned).collect();
        insert(&mut root, &path, Value::Table(Table::new()));
    }
    for (path, value, _) in values.values() {
        match path.as_slice() {
            // What a plugin takes is known to its manifest only.
            [section, plugin, name] if section == "plugins" => {
                insert(&mut root, &["plugin_options".to_owned(), plugin.clone(), name.clone()], value.clone());
            }
            path => insert(&mut root, path, value.clone()),
        }
    }
    root
}

fn insert(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            table.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = table.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
