//! Controls: what operators ask of the fleet.
//!
//! An operator's pause ends by the operator or by its own time, and by nothing else.

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::model::name::PersonaName;
use crate::model::seconds::Seconds;
use crate::model::status::Rest;
use crate::runtime::fleet::{Command, Controlled};
use crate::runtime::view::Target;
use crate::store::{self, Hold, HoldKind};

use super::{Pause, Slot, Supervisor};

/// The setting that keeps pauses of many bots.
const PAUSES: &str = "pauses";
/// Bots that are woken together come within this many seconds of the wall.
const WOKEN_WITHIN_SECS: f64 = 5.0;

impl Supervisor {
    pub(super) async fn obey(&mut self, command: Command) {
        // A reply that nobody waits for any more is dropped; the command was carried out all the same.
        match command {
            Command::Status(reply) => {
                let _ = reply.send(self.fleet_view());
            }
            Command::Bots(filter, reply) => {
                let _ = reply.send(self.page(&filter));
            }
            Command::Bot(id, reply) => {
                let _ = reply.send(self.bot_view(&id));
            }
            Command::Scripts(reply) => {
                let _ = reply.send(self.script_views());
            }
            Command::Pause(target, reason, duration, reply) => {
                let _ = reply.send(self.pause(&target, reason, duration).await);
            }
            Command::Resume(target, reply) => {
                let _ = reply.send(self.resume(&target).await);
            }
            Command::Wake(target, reply) => {
                let _ = reply.send(self.wake(&target));
            }
            Command::Version(persona, change, reply) => {
                let _ = reply.send(self.change_version(&persona, change).await);
            }
            Command::BudgetsEnded(reasons, reply) => {
                self.end_budget_sleep(&reasons);

                let _ = reply.send(());
            }
            Command::Console(bot, code, mode, reply) => self.console(&bot, code, mode, reply),
            Command::Reload(reply) => {
                self.later_reloads.push(reply);
                self.start_refresh();
            }
        }
    }

    /// What keeps a bot from waking, the widest first.
    pub(super) fn held(&self, slot: &Slot) -> Option<Hold> {
        let wide = self.pauses.get(&None).or_else(|| self.pauses.get(&Some(slot.id.persona.clone())));
        match wide {
            Some(pause) => Some(Hold { kind: HoldKind::Paused, reason: pause.reason.clone(), until: pause.until }),
            None => slot.hold.as_deref().cloned(),
        }
    }

    fn targets(&self, target: &Target) -> Option<Vec<u32>> {
        let found: Vec<u32> = match target {
            Target::All => {
                return Some(
                    self.slots
                        .iter()
                        .zip(0_u32..)
                        .filter(|(slot, _)| !slot.is_retired)
                        .map(|(_, index)| index)
                        .collect(),
                );
            }
            Target::Persona(name) => self.of_persona(name),
            Target::Bot(id) => {
                let index = self.by_id.get(id).copied();
                let is_active = |index: &u32| self.slots.get(*index as usize).is_some_and(|slot| !slot.is_retired);
                index.filter(is_active).into_iter().collect()
            }
        };
        let is_known = !found.is_empty() || matches!(target, Target::Persona(name) if self.entries.contains_key(name));
        is_known.then_some(found)
    }

    async fn pause(&mut self, target: &Target, reason: String, duration: Option<Seconds>) -> Controlled {
        let found = self.targets(target)?;
        let now = self.shared.world.clock.now();
        let until = duration.map(|duration| now.saturating_add(duration.signed()).unwrap_or(Timestamp::MAX));
        // Out of the order first: afterwards the wake-ups would be looked for where they are not.
        for index in &found {
            self.unschedule(*index);
        }
        match target {
            Target::All => {
                self.pauses.insert(None, Pause { reason, until });
                self.keep_pauses().await;
            }
            Target::Persona(name) => {
                self.pauses.insert(Some(name.clone()), Pause { reason, until });
                self.keep_pauses().await;
            }
            Target::Bot(id) => {
                let hold = Hold { kind: HoldKind::Paused, reason, until };
                for index in &found {
                    if let Some(slot) = self.slots.get_mut(*index as usize) {
                        slot.hold = Some(Box::new(hold.clone()));
                    }
                }
                if let Err(problem) = self.shared.world.store.hold_bots(vec![id.clone()], Some(hold)).await {
                    warn!(
                        error = &problem as &dyn std::error::Error,
                        "could not keep a pause; it holds until a restart"
                    );
                }
            }
        }
        for index in &found {
            self.schedule(*index);
        }
        info!(bots = found.len(), ?target, "paused");
        u64::try_from(found.len()).ok()
    }

    async fn resume(&mut self, target: &Target) -> Controlled {
        let found = self.targets(target)?;
        match target {
            Target::All => self.pauses.clear(),
            Target::Persona(name) => {
                self.pauses.remove(&Some(name.clone()));
            }
            Target::Bot(_) => {}
        }
        self.keep_pauses().await;
        let mut freed = Vec::new();
        for index in &found {
            if let Some(slot) = self.slots.get_mut(*index as usize)
                && (slot.hold.is_some() || slot.failures > 0)
            {
                slot.hold = None;
                slot.failures = 0;
                freed.push(slot.id.clone());
            }
        }
        if !freed.is_empty()
            && let Err(problem) = self.shared.world.store.hold_bots(freed, None).await
        {
            warn!(error = &problem as &dyn std::error::Error, "could not keep the end of a pause");
        }
        self.set_free(&found);
        info!(bots = found.len(), ?target, "resumed");
        u64::try_from(found.len()).ok()
    }

    /// Bots that were held wake when they would have; those overdue are spread.
    fn set_free(&mut self, found: &[u32]) {
        let now = self.shared.world.clock.now();
        for index in found {
            let at = self.within(*index, "resumed", now);
            let is_overdue = self.slots.get(*index as usize).is_some_and(|slot| !slot.is_acting && slot.wake_at < now);
            if is_overdue {
                self.reschedule(*index, at, Rest::NextVisit);
            } else {
                self.schedule(*index);
            }
        }
    }

    fn within(&self, index: u32, word: &str, now: Timestamp) -> Timestamp {
        let wait = self.unit(index, word) * WOKEN_WITHIN_SECS * self.shared.world.clock.speed();
        now.saturating_add(Seconds::clamped(wait).signed()).unwrap_or(now)
    }

    fn wake(&mut self, target: &Target) -> Controlled {
        let found = self.targets(target)?;
        let now = self.shared.world.clock.now();
        let is_one = matches!(target, Target::Bot(_));
        let mut woken = 0;
        for index in found {
            let at = if is_one { now } else { self.within(index, "woken", now) };
            let may = self.slots.get(index as usize).is_some_and(|slot| !slot.is_acting && self.held(slot).is_none());
            if may {
                self.reschedule(index, at, Rest::Told { by: "woken by an operator".to_owned() });
                woken += 1;
            }
        }
        Some(woken)
    }

    /// Ends pauses whose time is over.
    pub(super) async fn end_pauses(&mut self, now: Timestamp) {
        let over = |until: &Option<Timestamp>| until.is_some_and(|until| until <= now);
        let ended: Vec<Option<PersonaName>> =
            self.pauses.iter().filter(|(_, pause)| over(&pause.until)).map(|(name, _)| name.clone()).collect();
        for name in &ended {
            self.pauses.remove(name);
        }
        if !ended.is_empty() {
            self.keep_pauses().await;
            for name in ended {
                let found = match name {
                    Some(name) => self.of_persona(&name),
                    None => self.targets(&Target::All).unwrap_or_default(),
                };
                self.set_free(&found);
            }
        }
        let freed: Vec<u32> = self
            .slots
            .iter()
            .zip(0_u32..)
            .filter(|(slot, _)| slot.hold.as_ref().is_some_and(|hold| over(&hold.until)))
            .map(|(_, index)| index)
            .collect();
        if freed.is_empty() {
            return;
        }
        let mut ids = Vec::new();
        for index in &freed {
            if let Some(slot) = self.slots.get_mut(*index as usize) {
                slot.hold = None;
                ids.push(slot.id.clone());
            }
        }
        if let Err(problem) = self.shared.world.store.hold_bots(ids, None).await {
            warn!(error = &problem as &dyn std::error::Error, "could not keep the end of a pause");
        }
        self.set_free(&freed);
    }

    async fn keep_pauses(&self) {
        let rows: Vec<Value> = self
            .pauses
            .iter()
            .map(|(name, pause)| {
                json!({
                    "persona": name.as_ref().map(PersonaName::as_str),
                    "reason": pause.reason,
                    "until": pause.until.map(|until| until.to_string()),
                })
            })
            .collect();
        if let Err(problem) = self.shared.world.store.set_setting(PAUSES, &Value::Array(rows).to_string()).await {
            warn!(error = &problem as &dyn std::error::Error, "could not keep the pauses; they hold until a restart");
        }
    }

    pub(super) async fn load_pauses(&mut self) -> Result<(), store::Error> {
        let Some(text) = self.shared.world.store.setting(PAUSES).await? else { return Ok(()) };
        let rows: Vec<Value> = serde_json::from_str(&text)
            .map_err(|error| store::Error::Row { row: "settings/pauses".to_owned(), problem: error.to_string() })?;
        for row in rows {
            let text = |key: &str| row.get(key).and_then(Value::as_str);
            let name = text("persona").and_then(|name| PersonaName::new(name).ok());
            let pause = Pause {
                reason: text("reason").unwrap_or_default().to_owned(),
                until: text("until").and_then(|until| until.parse().ok()),
            };
            self.pauses.insert(name, pause);
        }
        Ok(())
    }
}
