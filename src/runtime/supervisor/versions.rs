//! Versions: which one each bot runs, and how that changes by a save, by a canary's verdict, or by an operator.
//!
//! A tick holds one version from its beginning to its end; the next one takes what its persona's line says then.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{error, warn};

use crate::host::identity::trait_of;
use crate::lua::version::Version;
use crate::model::activity::{Ending, NewActivity};
use crate::model::name::{BotId, PersonaName, VersionId};
use crate::model::tally::Tally;
use crate::runtime::canary::{self, Evidence, Stage, Verdict};
use crate::runtime::catalog;
use crate::runtime::view::{CanaryView, VersionChange};
use crate::store::{self, LineRow, StoredCanary};

use super::Supervisor;

/// Which versions of one persona run.
#[derive(Debug)]
pub(super) struct Line {
    /// What its bots run, but for the canary's.
    pub(super) stable: Arc<Version>,
    /// Whether the files are left aside.
    pub(super) is_pinned: bool,
    /// What was taken back; it is not taken from the files again.
    pub(super) held_back: Option<VersionId>,
    /// What is tried on a few.
    pub(super) canary: Option<Canary>,
    /// What was decided last, and when.
    pub(super) verdict: (String, Timestamp),
}

/// A version that is tried on a few bots.
#[derive(Debug)]
pub(super) struct Canary {
    version: Arc<Version>,
    since: Timestamp,
    stage: Stage,
    /// Bots whose trait is at most this run it: always the same ones first.
    bound: f64,
    /// What either version had come to when it began.
    new_before: Tally,
    old_before: Tally,
}

impl Line {
    fn of(stable: Arc<Version>) -> Self {
        let verdict = (String::new(), Timestamp::UNIX_EPOCH);
        Self { stable, is_pinned: false, held_back: None, canary: None, verdict }
    }
}

/// The trait by which bots are chosen for a canary: the same for ever.
fn place(id: &BotId) -> f64 {
    trait_of(id, "canary")
}

impl Supervisor {
    /// The version that a bot takes at its next tick.
    pub(super) fn running(&self, id: &BotId) -> Option<&Arc<Version>> {
        // A persona whose file is gone has bots no more, whatever they ran.
        let line = self.entries.contains_key(&id.persona).then(|| self.lines.get(&id.persona))??;
        match &line.canary {
            Some(canary) if place(id) <= canary.bound => Some(&canary.version),
            _ => Some(&line.stable),
        }
    }

    /// The version that a persona's bots run, but for those of a canary.
    pub(super) fn stable(&self, persona: &PersonaName) -> Option<&Arc<Version>> {
        self.entries.contains_key(persona).then(|| self.lines.get(persona))?.map(|line| &line.stable)
    }

    /// Takes up what was decided before this process started; then every persona with a version has a line.
    pub(super) async fn restore_lines(&mut self) -> Result<(), store::Error> {
        let rows = self.shared.world.store.lines().await?;
        let mut rows: BTreeMap<PersonaName, LineRow> = rows.into_iter().map(|row| (row.persona.clone(), row)).collect();
        let names: Vec<PersonaName> = self.entries.keys().cloned().collect();
        for name in names {
            let Some(newest) = self.entries.get(&name).and_then(|entry| entry.version.clone()) else { continue };
            self.load_tallies(&name).await?;
            let Some(row) = rows.remove(&name) else {
                self.lines.insert(name.clone(), Line::of(newest));
                self.keep_line(&name).await;
                continue;
            };
            let stable = if row.stable == newest.id { Ok(newest.clone()) } else { self.rebuild(&row.stable).await };
            let stable = match stable {
                Ok(stable) => stable,
                Err(problem) => {
                    let text = format!(
                        "version {} cannot run any more, {newest} takes its place: {problem}",
                        row.stable,
                        newest = newest.id
                    );
                    self.decide(&name, "version_lost", Ending::Failed, text, json!({ "version": row.stable.as_str() }))
                        .await;
                    self.lines.insert(name.clone(), Line::of(newest));
                    self.keep_line(&name).await;
                    continue;
                }
            };
            let line =
                Line { stable, is_pinned: row.is_pinned, held_back: row.held_back, canary: None, verdict: row.verdict };
            self.lines.insert(name.clone(), line);
            match row.canary {
                Some(stored) if stored.id == newest.id => self.begin_canary(&name, newest, Some(stored)).await,
                // The files changed while nobody looked: that is a save like any other.
                _ => self.offer(&name).await,
            }
        }
        Ok(())
    }

    async fn load_tallies(&mut self, name: &PersonaName) -> Result<(), store::Error> {
        for row in self.shared.world.store.versions(name).await? {
            self.tallies.entry(row.id).or_insert(row.tally);
        }
        Ok(())
    }

    /// A version was accepted from the files: now it is decided who runs it.
    pub(super) async fn offer(&mut self, name: &PersonaName) {
        let Some(newest) = self.entries.get(name).and_then(|entry| entry.version.clone()) else { return };
        let Some(line) = self.lines.get_mut(name) else {
            self.lines.insert(name.clone(), Line::of(newest.clone()));
            self.keep_line(name).await;
            self.live(name, &newest).await;
            return;
        };
        if line.is_pinned && line.stable.id != newest.id {
            let text = format!(
                "version {} waits: {name} is pinned to {} (`fleet scripts unpin {name}` takes it)",
                newest.id, line.stable.id
            );
            warn!("{text}");
            self.record(name, "reload_held", Ending::Refused, text, json!({ "version": newest.id.as_str() })).await;
            return;
        }
        if line.held_back.as_ref() == Some(&newest.id) {
            let text = format!(
                "version {} was rolled back and is not taken again: change the file, or say `fleet scripts promote {name}`",
                newest.id
            );
            warn!("{text}");
            self.record(name, "reload_held", Ending::Refused, text, json!({ "version": newest.id.as_str() })).await;
            return;
        }
        line.held_back = None;
        if line.stable.id == newest.id {
            if let Some(canary) = line.canary.take() {
                let text = format!(
                    "the files are those of version {} again; {} is tried no more",
                    newest.id, canary.version.id
                );
                let tried = self.bots_at(name, canary.bound);
                self.decide(name, "canary_ended", Ending::Done, text, json!({ "version": newest.id.as_str() })).await;
                self.give_new_chance(tried, false).await;
            }
            return;
        }
        if self.shared.settings.load().canary.share > 0.0 {
            self.begin_canary(name, newest, None).await;
        } else {
            line.canary = None;
            line.stable = newest.clone();
            line.verdict = (String::new(), Timestamp::UNIX_EPOCH);
            self.keep_line(name).await;
            self.live(name, &newest).await;
        }
    }

    /// All bots take a version at their next tick.
    async fn live(&mut self, name: &PersonaName, version: &Arc<Version>) {
        let text = format!("version {} is live; each bot takes it at its next tick", version.id);
        let detail = json!({ "version": version.id.as_str(), "files": version.files.keys().collect::<Vec<_>>() });
        self.record(name, "reloaded", Ending::Done, text, detail).await;
        self.take_up(name, version.persona.reload_now).await;
    }

    async fn begin_canary(&mut self, name: &PersonaName, version: Arc<Version>, stored: Option<StoredCanary>) {
        let rules = self.shared.settings.load().canary;
        let is_new = stored.is_none();
        let whole = rules.share <= canary::FIRST_SHARE || stored.as_ref().is_some_and(|stored| stored.is_whole);
        let stage = if whole { Stage::Whole } else { Stage::First };
        let since = stored.map_or_else(|| self.shared.world.clock.now(), |stored| stored.since);
        let tally = |id: &VersionId| self.tallies.get(id).copied().unwrap_or_default();
        // What it did when it was tried before, and taken back, tells nothing of this time; what it did before a restart does.
        let new_before = if is_new { tally(&version.id) } else { Tally::default() };
        let Some(line) = self.lines.get(name) else { return };
        let (old_before, earlier) = (tally(&line.stable.id), line.canary.as_ref().map(|canary| canary.bound));
        let canary = Canary { version: version.clone(), since, stage, bound: 0.0, new_before, old_before };
        if let Some(line) = self.lines.get_mut(name) {
            line.canary = Some(canary);
        }
        self.choose(name);
        self.keep_line(name).await;
        let Some(bound) = self.lines.get(name).and_then(|line| Some(line.canary.as_ref()?.bound)) else { return };
        let chosen = self.bots_at(name, bound.max(earlier.unwrap_or(0.0)));
        if is_new {
            let text = format!(
                "version {} runs on {} of {} bots first, and on all when {} ticks have shown that it is no worse",
                version.id,
                self.bots_at(name, bound).len(),
                self.of_persona(name).len(),
                rules.ticks
            );
            let detail = json!({ "version": version.id.as_str(), "files": version.files.keys().collect::<Vec<_>>() });
            self.record(name, "canary_started", Ending::Done, text, detail).await;
            self.give_new_chance(chosen, version.persona.reload_now).await;
        }
    }

    /// Chooses the bots of a canary anew, after its stage or the roster has changed.
    pub(super) fn choose(&mut self, name: &PersonaName) {
        let rules = self.shared.settings.load().canary;
        let mut places: Vec<f64> = self
            .of_persona(name)
            .iter()
            .filter_map(|index| Some(place(&self.slots.get(*index as usize)?.id)))
            .collect();
        places.sort_unstable_by(f64::total_cmp);
        if let Some(canary) = self.lines.get_mut(name).and_then(|line| line.canary.as_mut()) {
            let count = canary::bots_of(canary.stage.share(&rules), places.len());
            canary.bound = count.checked_sub(1).and_then(|last| places.get(last)).copied().unwrap_or(0.0);
        }
    }

    /// The bots of a persona that a canary with this bound takes.
    fn bots_at(&self, name: &PersonaName, bound: f64) -> Vec<u32> {
        let is_chosen = |index: &u32| self.slots.get(*index as usize).is_some_and(|slot| place(&slot.id) <= bound);
        self.of_persona(name).into_iter().filter(is_chosen).collect()
    }

    /// Adds a tick to its version's tally, and asks the judge when the version is being tried.
    pub(super) async fn count(&mut self, id: &BotId, version: &VersionId, tally: Tally) {
        if tally == Tally::default() {
            return;
        }
        *self.tallies.entry(version.clone()).or_default() += tally;
        *self.unwritten.entry(version.clone()).or_default() += tally;
        let is_tried = self
            .lines
            .get(&id.persona)
            .is_some_and(|line| line.canary.as_ref().is_some_and(|canary| canary.version.id == *version));
        if is_tried {
            let name = id.persona.clone();
            self.weigh(&name).await;
        }
    }

    /// Writes what has been counted, and looks after canaries whose time is over.
    pub(super) async fn tend_versions(&mut self) {
        if !self.unwritten.is_empty() {
            let tallies: Vec<(VersionId, Tally)> = self.unwritten.drain().collect();
            if let Err(problem) = self.shared.world.store.add_tallies(tallies.clone()).await {
                warn!(error = &problem as &dyn std::error::Error, "could not keep how versions fare, trying again");
                for (id, tally) in tallies {
                    *self.unwritten.entry(id).or_default() += tally;
                }
            }
        }
        let tried: Vec<PersonaName> =
            self.lines.iter().filter(|(_, line)| line.canary.is_some()).map(|(name, _)| name.clone()).collect();
        for name in tried {
            self.weigh(&name).await;
        }
    }

    fn evidence(&self, line: &Line, canary: &Canary) -> Evidence {
        let tally = |id: &VersionId| self.tallies.get(id).copied().unwrap_or_default();
        let age = self.shared.world.clock.now().duration_since(canary.since);
        Evidence {
            new: tally(&canary.version.id) - canary.new_before,
            old: tally(&line.stable.id) - canary.old_before,
            old_ever: tally(&line.stable.id),
            is_late: age > self.shared.settings.load().canary_time.signed(),
        }
    }

    async fn weigh(&mut self, name: &PersonaName) {
        let rules = self.shared.settings.load().canary;
        let Some(line) = self.lines.get(name) else { return };
        let Some(canary) = &line.canary else { return };
        let (tried, stage) = (canary.version.clone(), canary.stage);
        let verdict = canary::judge(&self.evidence(line, canary), stage, &rules);
        let detail = json!({ "version": tried.id.as_str(), "before": line.stable.id.as_str() });
        match verdict {
            Verdict::Wait => {}
            Verdict::Widen(why) => {
                if let Some(canary) = self.lines.get_mut(name).and_then(|line| line.canary.as_mut()) {
                    canary.stage = Stage::Whole;
                }
                self.choose(name);
                let bound =
                    self.lines.get(name).and_then(|line| line.canary.as_ref()).map_or(0.0, |canary| canary.bound);
                let chosen = self.bots_at(name, bound);
                let text = format!("version {} now runs on {} bots: {why}", tried.id, chosen.len());
                self.decide(name, "canary_widened", Ending::Done, text, detail).await;
                self.give_new_chance(chosen, tried.persona.reload_now).await;
            }
            Verdict::Promote(why) => {
                let text = format!("version {} is promoted to all bots: {why}", tried.id);
                self.promote(name, tried, text, detail).await;
            }
            Verdict::RollBack(why) => {
                let text = format!("version {} is rolled back: {why}", tried.id);
                error!(persona = %name, "{text}");
                self.abandon(name, text, detail).await;
            }
        }
    }

    async fn promote(&mut self, name: &PersonaName, version: Arc<Version>, text: String, detail: Value) {
        if let Some(line) = self.lines.get_mut(name) {
            line.stable = version.clone();
            line.canary = None;
            line.held_back = None;
        }
        self.decide(name, "promoted", Ending::Done, text, detail).await;
        self.take_up(name, version.persona.reload_now).await;
    }

    /// The canary's bots go back to the version of before, with the state that they have.
    async fn abandon(&mut self, name: &PersonaName, text: String, detail: Value) {
        let Some(canary) = self.lines.get_mut(name).and_then(|line| {
            let canary = line.canary.take()?;
            line.held_back = Some(canary.version.id.clone());
            Some(canary)
        }) else {
            return;
        };
        self.decide(name, "rolled_back", Ending::Refused, text, detail).await;
        let tried = self.bots_at(name, canary.bound);
        self.give_new_chance(tried, false).await;
    }

    /// What an operator decided; answers what was done, or why nothing was.
    pub(super) async fn change_version(&mut self, name: &PersonaName, change: VersionChange) -> Result<String, String> {
        let newest = self.entries.get(name).and_then(|entry| entry.version.clone());
        let Some(line) = self.lines.get(name).filter(|_| self.entries.contains_key(name)) else {
            return Err(format!("no version of `{name}` runs"));
        };
        let (stable, is_pinned) = (line.stable.id.clone(), line.is_pinned);
        let is_newest = |id: &VersionId| newest.as_ref().is_some_and(|newest| newest.id == *id);
        match change {
            VersionChange::RollBack(None) if line.canary.is_some() => {
                let tried = line.canary.as_ref().map(|canary| canary.version.id.to_string()).unwrap_or_default();
                let text = format!("version {tried} is rolled back by an operator; version {stable} runs on");
                self.abandon(name, text.clone(), json!({ "before": stable.as_str() })).await;
                Ok(text)
            }
            VersionChange::RollBack(target) => {
                if is_pinned {
                    return Err(format!("{name} is pinned to {stable}: unpin it, or pin another version"));
                }
                let target = match target {
                    Some(target) => target,
                    None => self.before(name, &stable).await?,
                };
                if target == stable {
                    return Err(format!("version {target} runs already"));
                }
                let version = self.rebuild(&target).await?;
                if let Some(line) = self.lines.get_mut(name) {
                    line.canary = None;
                    line.stable = version.clone();
                    line.held_back = newest.as_ref().map(|newest| newest.id.clone()).filter(|id| *id != target);
                }
                let text = format!(
                    "rolled back to version {target} by an operator; what is in the files is taken again when it changes"
                );
                self.decide(
                    name,
                    "rolled_back",
                    Ending::Done,
                    text.clone(),
                    json!({ "version": target.as_str(), "before": stable.as_str() }),
                )
                .await;
                self.take_up(name, version.persona.reload_now).await;
                Ok(text)
            }
            VersionChange::Pin(target) => {
                let version = if target == stable { None } else { Some(self.rebuild(&target).await?) };
                if let Some(line) = self.lines.get_mut(name) {
                    line.canary = None;
                    line.is_pinned = true;
                    line.held_back = None;
                    line.stable = version.clone().unwrap_or_else(|| line.stable.clone());
                }
                let text = format!("pinned to version {target}; saved files wait until `fleet scripts unpin {name}`");
                self.decide(name, "pinned", Ending::Done, text.clone(), json!({ "version": target.as_str() })).await;
                if let Some(version) = version {
                    self.take_up(name, version.persona.reload_now).await;
                }
                Ok(text)
            }
            VersionChange::Unpin => {
                if !is_pinned {
                    return Err(format!("{name} is not pinned"));
                }
                if let Some(line) = self.lines.get_mut(name) {
                    line.is_pinned = false;
                }
                let text = if is_newest(&stable) {
                    format!("unpinned; version {stable} runs on")
                } else {
                    "unpinned; the version in the files is taken".to_owned()
                };
                self.decide(name, "unpinned", Ending::Done, text.clone(), json!({ "version": stable.as_str() })).await;
                self.offer(name).await;
                Ok(text)
            }
            VersionChange::Promote => {
                let tried = line.canary.as_ref().map(|canary| canary.version.clone());
                let held = newest.filter(|newest| line.held_back.as_ref() == Some(&newest.id));
                let Some(version) = tried.or(held) else {
                    return Err(format!("nothing waits to be promoted: all bots of {name} run version {stable}"));
                };
                let text = format!("version {} is promoted to all bots by an operator", version.id);
                let detail = json!({ "version": version.id.as_str(), "before": stable.as_str() });
                self.promote(name, version, text.clone(), detail).await;
                Ok(text)
            }
        }
    }

    /// The version that was accepted before another.
    async fn before(&self, name: &PersonaName, id: &VersionId) -> Result<VersionId, String> {
        let versions = self.shared.world.store.versions(name).await.map_err(|problem| problem.to_string())?;
        let place = versions.iter().position(|row| row.id == *id);
        let before = place.and_then(|place| versions.get(place + 1));
        before.map(|row| row.id.clone()).ok_or_else(|| format!("no version of {name} from before {id} is kept"))
    }

    /// Builds a version that was accepted once.
    async fn rebuild(&self, id: &VersionId) -> Result<Arc<Version>, String> {
        let stored = self.shared.world.store.version(id).await.map_err(|problem| problem.to_string())?;
        let Some(stored) = stored else { return Err(format!("version {id} is not kept any more")) };
        let limits = self.shared.settings.load().limits;
        let files = stored.files.into_iter().map(|(path, text)| (path, Arc::from(text))).collect();
        let persona = stored.persona;
        // It runs the script's file, and scripts have threads of their own.
        let building = self.shared.scripts.spawn(async move { catalog::rebuild(&persona, files, &limits) });
        match building.await {
            Ok(Ok(version)) => Ok(version),
            Ok(Err(problems)) => {
                Err(problems.first().map_or_else(|| "it does not build".to_owned(), ToString::to_string))
            }
            Err(problem) => Err(format!("the host's own code failed: {problem}")),
        }
    }

    /// Keeps a decision with its line, and tells of it.
    async fn decide(&mut self, name: &PersonaName, kind: &str, ending: Ending, text: String, detail: Value) {
        let now = self.shared.world.clock.now();
        if let Some(line) = self.lines.get_mut(name) {
            line.verdict = (text.clone(), now);
        }
        self.keep_line(name).await;
        self.record(name, kind, ending, text, detail).await;
    }

    async fn record(&self, name: &PersonaName, kind: &str, ending: Ending, text: String, detail: Value) {
        let activity = NewActivity {
            at: self.shared.world.clock.now(),
            bot: None,
            persona: Some(name.clone()),
            kind: kind.to_owned(),
            ending,
            target: String::new(),
            text,
            detail,
        };
        self.shared.world.journal.record(activity).await;
    }

    async fn keep_line(&self, name: &PersonaName) {
        let Some(line) = self.lines.get(name) else { return };
        let row = LineRow {
            persona: name.clone(),
            stable: line.stable.id.clone(),
            is_pinned: line.is_pinned,
            held_back: line.held_back.clone(),
            canary: line.canary.as_ref().map(|canary| StoredCanary {
                id: canary.version.id.clone(),
                since: canary.since,
                is_whole: canary.stage == Stage::Whole,
            }),
            verdict: line.verdict.clone(),
        };
        let store = &self.shared.world.store;
        if let Err(problem) = store.set_line(row).await {
            warn!(persona = %name, error = &problem as &dyn std::error::Error, "could not keep which version runs; it holds until a restart");
            return;
        }
        let keep = self.shared.settings.load().keep_versions;
        if let Err(problem) = store.prune_versions(name, keep).await {
            warn!(persona = %name, error = &problem as &dyn std::error::Error, "could not drop old versions");
        }
    }

    /// What is tried, for people.
    pub(super) fn canary_view(&self, name: &PersonaName) -> Option<CanaryView> {
        let line = self.lines.get(name)?;
        let canary = line.canary.as_ref()?;
        let evidence = self.evidence(line, canary);
        Some(CanaryView {
            version: canary.version.id.clone(),
            since: canary.since,
            bots: self.bots_at(name, canary.bound).len() as u64,
            new: evidence.new,
            old: evidence.old,
            wanted_ticks: self.shared.settings.load().canary.ticks,
        })
    }
}
