//! `fleet check`: what the next start would say of the scripts, said now.
//!
//! Nothing is started and nothing is written.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Role};
use crate::lua::version::{Sources as PluginFiles, Version, compiles};
use crate::model::diagnostic::Diagnostic;
use crate::model::name::PersonaName;
use crate::runtime;
use crate::runtime::catalog::{self, Catalog, Test};
use crate::runtime::plugins::catalog::PluginCatalog;
use crate::runtime::watch::{Changed, Watched};
use crate::text;

/// What is wrong with the scripts, and which personas are fine.
#[derive(Debug, Default)]
pub struct Checked {
    /// Personas that would be accepted, with how many files they are made of.
    pub fine: Vec<(String, usize)>,
    /// Plugins of the folder that would be accepted; those inside the program are fine.
    pub plugins: Vec<String>,
    /// Everything that is wrong, warnings too, in the order of the files.
    pub problems: Vec<Diagnostic>,
}

/// Checks, and checks again after every save, until told to stop; `show` gets what was found each time.
///
/// # Errors
/// When the host's own prelude does not compile, or `show` fails.
pub async fn watch(
    config: &Config,
    stop: CancellationToken,
    mut show: impl FnMut(Checked) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let changed = Changed { scripts: Arc::new(Notify::new()), config: Arc::new(Notify::new()) };
    let folders = [&config.scripts_dir, &config.plugins_dir].into_iter().filter(|folder| folder.is_dir());
    let (_keep, watching) = tokio::sync::watch::channel(config.clone());
    let watches = folders.map(|folder| {
        let watched = Watched { folders: vec![folder.clone()], config: None };
        runtime::watch::run(watched, watching.clone(), changed.clone(), stop.clone())
    });
    let watches = futures_util::future::join_all(watches);
    let checks = async {
        loop {
            show(scripts(config).await?)?;
            tokio::select! {
                () = stop.cancelled() => return anyhow::Ok(()),
                () = changed.scripts.notified() => {}
            }
        }
    };
    tokio::pin!(watches, checks);
    tokio::select! {
        // A check that is under way ends before this does.
        _ = &mut watches => checks.await,
        checked = &mut checks => checked,
    }
}

/// A persona that names a model or role that is not there; its words are then those of the role `small`.
fn unknown_model(config: &Config, version: &Version) -> Option<Diagnostic> {
    let persona = &version.persona;
    let model = persona.model.as_deref().filter(|model| !config.llm.knows(model))?;
    let known: Vec<&str> =
        Role::ALL.map(Role::as_str).into_iter().chain(config.llm.models.keys().map(String::as_str)).collect();
    let hint = match text::nearest(model, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}; another is a section [llm.models.{model}] of the config", known.join(", ")),
    };
    let message =
        format!("`model = \"{model}\"` is neither a role nor a model of the config: `small` is taken instead");
    let path = format!("personas/{}.luau", persona.name);
    let text = version.files.get(&path).map_or("", |text| text);
    let line = text.lines().position(|line| line.trim_start().starts_with("model") && line.contains(model));
    let line = line.and_then(|line| u32::try_from(line + 1).ok());
    Some(Diagnostic::error(format!("scripts/{path}"), line, message).as_warning().with_hint(hint).with_text(text))
}

/// What the plugins' catalog says, and files that no plugin reaches and that do not compile all the same.
fn tell_of_plugins(catalog: &PluginCatalog, sources: &PluginFiles, problems: &mut Vec<Diagnostic>) {
    problems.extend(catalog.stray.iter().cloned());
    for entry in catalog.entries.values() {
        problems.extend(entry.errors.iter().cloned());
        let warnings = entry.ready.iter().flat_map(|ready| ready.version.warnings.iter().chain(&ready.warnings));
        problems.extend(warnings.cloned());
    }
    let others = sources.files.iter().filter_map(|(path, text)| compiles(&format!("plugins/{path}"), text));
    for problem in others {
        if !problems.iter().any(|known| known.file == problem.file && known.line == problem.line) {
            problems.push(problem);
        }
    }
    for (path, problem) in &sources.unreadable {
        let file = format!("plugins/{path}");
        if !problems.iter().any(|known| known.file == file) {
            problems.push(Diagnostic::error(file, None, problem.as_str()));
        }
    }
}

/// Compiles, checks and rehearses every script, and holds the roster against it, without starting anything.
///
/// # Errors
/// When the host's own prelude does not compile.
pub async fn scripts(config: &Config) -> anyhow::Result<Checked> {
    let origin = super::origin(config);
    let limits = super::limits(config);
    let plugin_origin = super::plugin_origin(config);
    let bytes = limits.source_bytes;
    let (mut sources, plugins) = tokio::task::spawn_blocking(move || {
        let scripts = catalog::read(&origin, bytes)?;
        Ok::<_, catalog::Error>((scripts, catalog::read(&plugin_origin, bytes)?))
    })
    .await??;
    let told = super::plugin_settings(config).told;
    let mut catalog = Catalog::new().map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let permissions = Arc::new(config.granted());
    let test = Test { limits, has_trial: config.reload.trial, permissions, now: Timestamp::now() };
    catalog.refresh_all(Some(&plugins), &mut sources, &told, test).await;
    let mut checked = Checked::default();
    for (name, entry) in &catalog.entries {
        checked.problems.extend(entry.errors.iter().chain(&entry.warnings).cloned());
        if let Some(version) = &entry.version {
            checked.problems.extend(version.warnings.iter().cloned());
            checked.problems.extend(unknown_model(config, version));
            checked.fine.push((name.to_string(), version.files.len()));
        }
    }
    checked.problems.extend(catalog.misnamed.iter().cloned());
    // A file that no persona requires is compiled all the same, since somebody is writing it.
    for problem in catalog.broken_files() {
        if !checked.problems.iter().any(|known| known.file == problem.file && known.line == problem.line) {
            checked.problems.push(problem);
        }
    }
    checked.problems.extend(catalog.strays(&sources));
    for (path, problem) in &sources.unreadable {
        let file = format!("scripts/{path}");
        if !checked.problems.iter().any(|known| known.file == file) {
            checked.problems.push(Diagnostic::error(file, None, problem.as_str()));
        }
    }
    for name in config.roster.counts.keys().filter(|name| !catalog.entries.contains_key(name)) {
        let known: Vec<&str> = catalog.entries.keys().map(PersonaName::as_str).collect();
        let hint = match text::nearest(name.as_str(), &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        let message = format!("the roster asks for bots of `{name}`, and there is no such persona");
        checked.problems.push(Diagnostic::error("config.toml", None, message).with_hint(hint));
    }
    if config.plugins_dir.is_dir() {
        let entries = catalog.plugins.entries.iter();
        let fine = entries.filter(|(_, entry)| entry.ready.is_some() && entry.errors.is_empty());
        checked.plugins = fine.map(|(name, _)| name.to_string()).collect();
    }
    tell_of_plugins(&catalog.plugins, &plugins, &mut checked.problems);
    // A behaviour is told of once, however many personas require it.
    let mut told: Vec<Diagnostic> = Vec::new();
    for problem in std::mem::take(&mut checked.problems) {
        if !told.contains(&problem) {
            told.push(problem);
        }
    }
    told.sort_by(|a, b| (&a.file, a.line, a.columns).cmp(&(&b.file, b.line, b.columns)));
    checked.problems = told;
    Ok(checked)
}
