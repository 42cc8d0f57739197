//! Reload: looks at the files, takes what is right, keeps what was right before, and is loud about the rest.

use std::sync::Arc;

use serde_json::json;
use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};

use crate::model::activity::{Ending, NewActivity};
use crate::model::diagnostic::Diagnostic;
use crate::model::frame;
use crate::model::name::{PersonaName, VersionId};
use crate::model::seconds::Seconds;
use crate::model::status::Rest;
use crate::runtime::catalog::{self, Catalog, Changes, Origin, Test};
use crate::runtime::plugins::PluginSettings;
use crate::runtime::view::Reloaded;
use crate::store::{self, StoredVersion};

use super::{NewConfig, Refresh, Supervisor};

/// Bots woken by a new version come within this many seconds of the wall.
const WOKEN_WITHIN_SECS: f64 = 3.0;

impl Supervisor {
    fn test(&self) -> Test {
        let settings = self.shared.settings.load();
        let world = &self.shared.world;
        Test {
            limits: settings.limits,
            has_trial: settings.has_trial,
            permissions: world.rules.load().permissions.clone(),
            now: world.clock.now(),
        }
    }

    /// Begins to look at the files; while a look is under way, another follows it.
    pub(super) fn start_refresh(&mut self) {
        if matches!(self.refresh, Refresh::Running(_)) {
            self.looks_again = true;
            return;
        }
        self.waiting_reloads.append(&mut self.later_reloads);
        let Refresh::Idle(catalog) = std::mem::replace(&mut self.refresh, Refresh::Running(JoinSet::new())) else {
            return;
        };
        let origins = (self.origin.clone(), self.plugin_origin.clone());
        let settings = self.plugins.settings();
        let test = self.test();
        if let Refresh::Running(tasks) = &mut self.refresh {
            tasks.spawn_on(look(*catalog, origins, settings, test), &self.shared.scripts);
        }
    }

    /// Waits for the look that was begun.
    pub(super) async fn finish_refresh(&mut self, is_first: bool) -> Result<(), store::Error> {
        let finished = self.refresh.finished().await;
        if let Some(Ok((mut catalog, changes))) = finished {
            if is_first {
                self.restore(&mut catalog, &changes).await?;
            }
            self.take(catalog, changes, is_first).await?;
        }
        Ok(())
    }

    /// A persona whose files are wrong at the start runs on with the version that was accepted last.
    async fn restore(&self, catalog: &mut Catalog, changes: &Changes) -> Result<(), store::Error> {
        for name in &changes.refused {
            if let Some(version) = self.shared.world.store.last_version(name).await? {
                let files = version.files.into_iter().map(|(path, text)| (path, Arc::from(text))).collect();
                catalog.restore(name, files, version.accepted_at, self.test()).await;
            }
        }
        Ok(())
    }

    pub(super) async fn refreshed(&mut self, finished: Option<Result<(Catalog, Changes), JoinError>>) {
        match finished {
            Some(Ok((catalog, changes))) => {
                if let Err(problem) = self.take(catalog, changes, false).await {
                    error!(error = &problem as &dyn std::error::Error, "could not read what is kept of versions");
                }
            }
            Some(Err(problem)) => {
                error!(%problem, "looking at the scripts ended in a panic of the host; starting over");
                // Whoever waits is not told of a look that never ended.
                self.waiting_reloads.clear();
                match Catalog::new() {
                    Ok(catalog) => self.refresh = Refresh::Idle(Box::new(catalog)),
                    Err(problem) => error!(%problem, "the host's own prelude does not compile"),
                }
            }
            None => {}
        }
        if std::mem::take(&mut self.looks_again) || !self.later_reloads.is_empty() {
            self.start_refresh();
        }
    }

    async fn take(&mut self, catalog: Catalog, changes: Changes, is_first: bool) -> Result<(), store::Error> {
        if !changes.is_blind {
            self.take_plugins(&catalog.plugins, &changes.plugins, is_first).await;
        }
        self.entries = catalog.entries.clone();
        self.misnamed = catalog.misnamed.clone();
        self.refresh = Refresh::Idle(Box::new(catalog));
        for problem in &self.misnamed {
            warn!(%problem, "a script that is no persona");
        }
        let mut chances = Vec::new();
        for name in &changes.accepted {
            if self.accepted(name, is_first).await {
                chances.push(name.clone());
            }
        }
        if is_first {
            self.restore_lines().await?;
            // A restart with new scripts is a new chance, and wakes nobody.
            for name in chances {
                self.take_up(&name, false).await;
            }
        } else {
            for name in &changes.accepted {
                self.offer(name).await;
            }
        }
        for name in &changes.refused {
            self.refused(name).await;
        }
        for name in &changes.removed {
            info!(persona = %name, "its file is gone");
        }
        if !changes.is_blind {
            self.reconcile().await;
            self.publish_names();
        }
        let reloaded = Reloaded {
            accepted: changes
                .accepted
                .iter()
                .filter_map(|name| Some((name.clone(), self.entries.get(name)?.version.as_ref()?.id.clone())))
                .collect(),
            refused: self
                .entries
                .iter()
                .filter(|(_, entry)| !entry.errors.is_empty())
                .map(|(name, entry)| (name.clone(), entry.errors.clone()))
                .collect(),
            unchanged: changes.unchanged,
        };
        for reply in self.waiting_reloads.drain(..) {
            // Whoever asked may have gone.
            let _ = reply.send(reloaded.clone());
        }
        Ok(())
    }

    /// Keeps an accepted version; answers whether it is another than the one accepted before this process started.
    async fn accepted(&mut self, name: &PersonaName, is_first: bool) -> bool {
        let Some(version) = self.entries.get(name).and_then(|entry| entry.version.clone()) else { return false };
        let world = self.shared.world.clone();
        let now = world.clock.now();
        // A restart with the scripts of before is no new chance for a bot that waits for a new version.
        let is_new = !is_first
            || match world.store.last_version(name).await {
                Ok(last) => last.is_none_or(|last| last.id != version.id),
                Err(problem) => {
                    warn!(persona = %name, error = &problem as &dyn std::error::Error, "could not read the last version");
                    false
                }
            };
        let stored = StoredVersion {
            id: version.id.clone(),
            persona: name.clone(),
            files: version.files.iter().map(|(path, text)| (path.clone(), text.to_string())).collect(),
            accepted_at: now,
        };
        if let Err(problem) = world.store.add_version(stored).await {
            warn!(persona = %name, error = &problem as &dyn std::error::Error, "could not keep the version; it runs all the same");
        }
        for warning in &version.warnings {
            warn!(persona = %name, "look at this\n{}", frame::plain(warning));
        }
        if is_first {
            info!(persona = %name, version = %version.id, "script loaded");
        }
        is_new
    }

    /// A new version is a new chance for bots that were in trouble, and wakes the others if it says so.
    pub(super) async fn take_up(&mut self, name: &PersonaName, wakes_all: bool) {
        self.give_new_chance(self.of_persona(name), wakes_all).await;
    }

    pub(super) async fn give_new_chance(&mut self, bots: Vec<u32>, wakes_all: bool) {
        let mut freed = Vec::new();
        for index in bots {
            let unit = self.unit(index, "woken");
            let now = self.shared.world.clock.now();
            let speed = self.shared.world.clock.speed();
            let Some(slot) = self.slots.get_mut(index as usize) else { continue };
            let was_quarantined =
                slot.hold.as_ref().is_some_and(|hold| hold.kind == crate::store::HoldKind::Quarantined);
            if was_quarantined {
                slot.hold = None;
                freed.push(slot.id.clone());
            }
            let was_in_trouble = was_quarantined || slot.failures > 0;
            if was_in_trouble {
                slot.failures = 0;
            }
            if (was_in_trouble || wakes_all) && !slot.is_acting {
                let wait = Seconds::clamped(unit * WOKEN_WITHIN_SECS * speed);
                let at = now.saturating_add(wait.signed()).unwrap_or(now);
                let at = if was_in_trouble { at } else { at.min(slot.wake_at) };
                self.reschedule(index, at, Rest::Pause);
            } else {
                self.schedule(index);
            }
        }
        if !freed.is_empty()
            && let Err(problem) = self.shared.world.store.hold_bots(freed, None).await
        {
            warn!(error = &problem as &dyn std::error::Error, "could not keep the end of a quarantine");
        }
    }

    /// A tick that went wrong with a version that has been replaced meanwhile does not count against the new one.
    pub(super) async fn forgive(&mut self, index: u32, lived: &VersionId) {
        let Some(slot) = self.slots.get(index as usize) else { return };
        let current = self.running(&slot.id);
        if current.is_some_and(|version| version.id != *lived) {
            self.give_new_chance(vec![index], false).await;
        }
    }

    async fn refused(&mut self, name: &PersonaName) {
        let Some(entry) = self.entries.get(name) else { return };
        let errors = entry.errors.clone();
        let kept = entry.version.as_ref().map(|version| version.id.clone());
        for problem in &errors {
            error!(persona = %name, "refused\n{}", frame::plain(problem));
        }
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        let text = match &kept {
            Some(version) => format!("refused, version {version} runs on: {first}"),
            None => format!("refused, and there is no earlier version: {first}"),
        };
        self.shared
            .world
            .journal
            .record(NewActivity {
                at: self.shared.world.clock.now(),
                bot: None,
                persona: Some(name.clone()),
                kind: "reload_refused".to_owned(),
                ending: Ending::Refused,
                target: String::new(),
                text,
                detail: json!({ "errors": errors.iter().map(Diagnostic::as_json).collect::<Vec<_>>() }),
            })
            .await;
        // Bots of a version that was put back wake as they would have.
        for index in self.of_persona(name) {
            self.schedule(index);
        }
    }

    pub(super) fn of_persona(&self, name: &PersonaName) -> Vec<u32> {
        self.slots
            .iter()
            .zip(0_u32..)
            .filter(|(slot, _)| slot.id.persona == *name && !slot.is_retired)
            .map(|(_, index)| index)
            .collect()
    }

    /// Takes a config that was read anew.
    pub(super) async fn apply(&mut self, config: NewConfig) {
        let had_trial_or_limits = self.shared.settings.load().limits;
        // What was refused for want of a permission is looked at again when that is granted.
        let is_granted_otherwise = self.shared.world.rules.load().permissions != config.rules.permissions;
        self.shared.world.rules.store(Arc::new(config.rules));
        if *self.shared.world.budget.terms() != config.budget {
            let ended = self.shared.world.budget.change(config.budget).await;
            self.end_budget_sleep(&ended);
        }
        let limits_changed = had_trial_or_limits != config.settings.limits;
        self.shared.settings.store(Arc::new(config.settings));
        self.roster = config.roster;
        if limits_changed {
            // Warm VMs were made with the old limits.
            self.warm = Default::default();
        }
        self.shared
            .world
            .journal
            .record(NewActivity {
                at: self.shared.world.clock.now(),
                bot: None,
                persona: None,
                kind: "config_applied".to_owned(),
                ending: Ending::Done,
                target: String::new(),
                text: config.changes.join("; "),
                detail: json!({ "changes": config.changes }),
            })
            .await;
        if *self.plugins.settings() != config.plugins || is_granted_otherwise {
            self.plugins.set_settings(config.plugins);
            self.start_refresh();
        }
        self.reconcile().await;
    }
}

async fn look(
    mut catalog: Catalog,
    (scripts, plugins): (Origin, Origin),
    settings: Arc<PluginSettings>,
    test: Test,
) -> (Catalog, Changes) {
    let bytes = test.limits.source_bytes;
    let read = tokio::task::spawn_blocking(move || {
        let scripts = catalog::read(&scripts, bytes)?;
        let plugins = catalog::read(&plugins, bytes).inspect_err(|problem| {
            // As for scripts: a folder that is away is a mistake, and no wish to have no plugins.
            error!(error = problem as &dyn std::error::Error, "the plugins stay as they are");
        });
        Ok::<_, catalog::Error>((scripts, plugins.ok()))
    })
    .await;
    match read {
        Ok(Ok((mut scripts, plugins))) => {
            let changes = catalog.refresh_all(plugins.as_ref(), &mut scripts, &settings.told, test).await;
            (catalog, changes)
        }
        Ok(Err(problem)) => {
            // Nobody deletes every persona at once: a folder that is away is a mount, a rename or a mistake.
            error!(
                error = &problem as &dyn std::error::Error,
                "everything stays as it is until the scripts can be read again"
            );
            (catalog, Changes { is_blind: true, ..Changes::default() })
        }
        Err(problem) => {
            error!(%problem, "reading the scripts ended in a panic of the host; everything stays as it is");
            (catalog, Changes { is_blind: true, ..Changes::default() })
        }
    }
}
