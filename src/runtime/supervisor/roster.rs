//! The roster: brings bots in and out so that those who run are those who should.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;
use tracing::{error, info, warn};

use crate::host::identity::{self, Profile};
use crate::host::rhythm::{self, Visit};
use crate::host::service::CastBot;
use crate::model::activity::{Ending, NewActivity};
use crate::model::name::{BotId, PersonaName};
use crate::model::seconds::Seconds;
use crate::model::status::Rest;
use crate::runtime::plan::{self, Intent, Running, Step};
use crate::store::{self, BotRow, NewBot};

use super::{Slot, Supervisor};

impl Supervisor {
    /// Takes in every bot there ever was.
    pub(super) async fn load_bots(&mut self) -> Result<(), store::Error> {
        let rows = self.shared.world.store.bots().await?;
        for row in rows {
            self.take_in(row);
        }
        self.publish_names();
        Ok(())
    }

    fn take_in(&mut self, row: BotRow) {
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.by_id.insert(row.id.clone(), index);
        self.slots.push(Slot {
            profile: Arc::new(Profile { name: row.name, username: row.username, bio: String::new() }),
            has_account: row.account.is_some(),
            account_tries: 0,
            lived: row.tick,
            version: row.version,
            wake_at: row.wake_at,
            in_order: None,
            why: row.wake_why,
            visit: Visit { number: row.visit, tick: row.visit_tick, ticks_left: row.visit_left },
            failures: row.failures,
            error: row.error.into(),
            hold: row.hold.map(Box::new),
            is_retired: row.retired_at.is_some(),
            is_acting: false,
            id: row.id,
        });
    }

    /// Spreads the wake-ups that were missed while the host was down.
    pub(super) async fn wake_overdue(&mut self) -> Result<(), store::Error> {
        let now = self.shared.world.clock.now();
        let speed = self.shared.world.clock.speed();
        let window = Seconds::clamped(self.shared.settings.load().overdue_spread.as_secs_f64() * speed);
        let mut overdue = 0_u32;
        for index in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            let unit = self.unit(index, "overdue");
            if let Some(slot) = self.slots.get_mut(index as usize)
                && slot.wake_at < now
            {
                // Only in memory: whatever happens until it wakes, it stays overdue in the store.
                slot.wake_at = rhythm::spread(slot.wake_at, now, window, unit);
                overdue += 1;
            }
            self.schedule(index);
        }
        if overdue > 0 {
            info!(overdue, "spread wake-ups that were missed");
        }
        Ok(())
    }

    /// Makes who runs those who should run.
    pub(super) async fn reconcile(&mut self) {
        let mut running = Running::default();
        for slot in self.slots.iter().filter(|slot| !slot.is_retired) {
            running.active.entry(slot.id.persona.clone()).or_default().insert(slot.id.index);
        }
        let intent = self.intent(&running);
        let steps = plan::reconcile(&intent, &running);
        if steps.is_empty() {
            return;
        }
        let (mut add, mut retire) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Add(id) => add.push(id),
                Step::Retire(id) => retire.push(id),
            }
        }
        if !retire.is_empty() {
            self.retire(retire).await;
        }
        if !add.is_empty() {
            self.add(add).await;
        }
        // Who tries a new version is a share of those who are there.
        let tried: Vec<PersonaName> = self.entries.keys().cloned().collect();
        for name in tried {
            self.choose(&name);
        }
        self.publish_names();
    }

    /// What should run: the roster of the config over the personas that there are.
    fn intent(&self, running: &Running) -> Intent {
        let mut intent = Intent::new();
        let mut weights = BTreeMap::new();
        for name in self.entries.keys() {
            let Some(version) = self.stable(name) else {
                // A persona that never was right yet neither gains nor loses bots.
                let there = running.active.get(name).and_then(|places| places.last().copied()).unwrap_or(0);
                intent.insert(name.clone(), there);
                continue;
            };
            match self.roster.counts.get(name) {
                Some(count) => {
                    intent.insert(name.clone(), *count);
                }
                None => {
                    weights.insert(name.clone(), version.persona.weight);
                }
            }
        }
        intent.extend(plan::spread(self.roster.spread, &weights));
        for name in self.roster.counts.keys().filter(|name| !self.entries.contains_key(name)) {
            warn!(persona = %name, "the roster asks for bots of a persona that has no file");
        }
        intent
    }

    async fn retire(&mut self, bots: Vec<BotId>) {
        let now = self.shared.world.clock.now();
        if let Err(problem) = self.shared.world.store.retire_bots(bots.clone(), now).await {
            error!(error = &problem as &dyn std::error::Error, "could not retire bots, they stay");
            return;
        }
        let mut by_persona: BTreeMap<PersonaName, u32> = BTreeMap::new();
        for id in bots {
            let Some(&index) = self.by_id.get(&id) else { continue };
            self.unschedule(index);
            self.warm.drop(index);
            if let Some(slot) = self.slots.get_mut(index as usize) {
                slot.is_retired = true;
            }
            *by_persona.entry(id.persona).or_default() += 1;
        }
        for (persona, count) in by_persona {
            self.tell(&persona, "retired", format!("{count} left the roster; they keep all they have"), count).await;
        }
    }

    async fn add(&mut self, bots: Vec<BotId>) {
        let now = self.shared.world.clock.now();
        let mut taken: HashMap<String, BotId> =
            self.slots.iter().map(|slot| (slot.profile.username.clone(), slot.id.clone())).collect();
        let mut rows = Vec::with_capacity(bots.len());
        let mut joined: BTreeMap<PersonaName, u32> = BTreeMap::new();
        for id in bots {
            let Some(version) = self.stable(&id.persona).cloned() else { continue };
            let persona = &version.persona;
            let mut rng = ChaCha8Rng::from_seed(identity::tick_seed("first", &id, 0));
            let unit = identity::trait_of(&id, "first wake");
            let wake = rhythm::first_wake(&persona.schedule, &persona.pace, unit, now, &mut rng);
            let profile = match self.by_id.get(&id).and_then(|index| self.slots.get(*index as usize)) {
                // Once known by a name, a bot keeps it: another name would be another account.
                Some(slot) => (*slot.profile).clone(),
                None => identity::identity(persona, id.index),
            };
            if let Some(other) = taken.get(&profile.username).filter(|other| **other != id) {
                error!(bot = %id, username = profile.username, other = %other, "two bots would have one username; this one stays out. Change identity.username of one persona");
                continue;
            }
            taken.insert(profile.username.clone(), id.clone());
            *joined.entry(id.persona.clone()).or_default() += 1;
            rows.push((
                NewBot {
                    id,
                    username: profile.username.clone(),
                    name: profile.name.clone(),
                    born_at: now,
                    wake_at: wake.at,
                },
                wake,
                profile,
            ));
        }
        let new: Vec<NewBot> = rows.iter().map(|(row, _, _)| row.clone()).collect();
        if let Err(problem) = self.shared.world.store.add_bots(new).await {
            error!(error = &problem as &dyn std::error::Error, "could not add bots; tried again at the next change");
            return;
        }
        for (row, wake, profile) in rows {
            self.join(row, wake, profile, now);
        }
        for (persona, count) in joined {
            self.tell(&persona, "joined", format!("{count} joined the roster"), count).await;
        }
    }

    fn join(&mut self, row: NewBot, wake: rhythm::Wake, profile: Profile, now: Timestamp) {
        match self.by_id.get(&row.id).copied() {
            Some(index) => {
                self.unschedule(index);
                if let Some(slot) = self.slots.get_mut(index as usize) {
                    slot.is_retired = false;
                    slot.wake_at = row.wake_at;
                    slot.why = Rest::NextVisit;
                }
                self.schedule(index);
            }
            None => {
                let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
                self.by_id.insert(row.id.clone(), index);
                self.slots.push(Slot {
                    id: row.id,
                    profile: Arc::new(profile),
                    has_account: false,
                    account_tries: 0,
                    lived: 0,
                    version: None,
                    wake_at: wake.at.max(now),
                    in_order: None,
                    why: Rest::NextVisit,
                    visit: wake.visit,
                    failures: 0,
                    error: "".into(),
                    hold: None,
                    is_retired: false,
                    is_acting: false,
                });
                self.schedule(index);
            }
        }
    }

    /// Lets everybody know which usernames are of this fleet, and plugins which bots there are.
    pub(super) fn publish_names(&self) {
        let known: HashMap<Arc<str>, BotId> =
            self.slots.iter().map(|slot| (slot.profile.username.as_str().into(), slot.id.clone())).collect();
        self.shared.world.known.store(Arc::new(known));
        let cast = self.slots.iter().filter(|slot| !slot.is_retired).filter_map(|slot| {
            Some(CastBot {
                id: slot.id.clone(),
                name: slot.profile.name.as_str().into(),
                username: slot.profile.username.as_str().into(),
                persona: self.running(&slot.id)?.persona.clone(),
            })
        });
        self.shared.world.cast.store(Arc::new(cast.collect()));
    }

    pub(super) async fn tell(&self, persona: &PersonaName, kind: &str, text: String, count: u32) {
        self.shared
            .world
            .journal
            .record(NewActivity {
                at: self.shared.world.clock.now(),
                bot: None,
                persona: Some(persona.clone()),
                kind: kind.to_owned(),
                ending: Ending::Done,
                target: String::new(),
                text,
                detail: json!({ "bots": count }),
            })
            .await;
    }
}
