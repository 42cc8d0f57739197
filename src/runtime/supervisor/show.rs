//! What the supervisor shows: every bot with the reason for what it does or does not do.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::name::BotId;
use crate::model::status::{BotStatus, Rest};
use crate::runtime::view::{BotFilter, BotPage, BotView, FleetView, Lag, ScriptView};
use crate::store::HoldKind;

use super::{Slot, Supervisor};

impl Supervisor {
    pub(super) fn fleet_view(&self) -> FleetView {
        let now = self.shared.world.clock.now();
        let mut by_status: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut by_persona: BTreeMap<&crate::model::name::PersonaName, u64> = BTreeMap::new();
        for slot in self.slots.iter().filter(|slot| !slot.is_retired) {
            *by_status.entry(self.status_word(slot)).or_default() += 1;
            *by_persona.entry(&slot.id.persona).or_default() += 1;
        }
        let by_persona = by_persona.into_iter().map(|(name, bots)| (name.clone(), bots)).collect();
        let stopped_because = match self.pauses.get(&None) {
            Some(pause) if pause.reason.is_empty() => Some("paused by operator".to_owned()),
            Some(pause) => Some(format!("paused by operator: {}", pause.reason)),
            None => self
                .everybody_waits(now)
                .map(|(until, by)| format!("{by} until {}", short(until, now, &TimeZone::UTC)))
                .or_else(|| self.shared.world.budget.fleet_stop()),
        };
        FleetView {
            started_at: self.started_at,
            now,
            speed: self.shared.world.clock.speed(),
            by_status,
            by_persona,
            stopped_because,
            signals: *self.signals.borrow(),
            refused: self
                .entries
                .iter()
                .filter(|(_, entry)| !entry.errors.is_empty())
                .map(|(name, _)| name.clone())
                .collect(),
            ticks: self.ticks_done,
            failed_ticks: self.ticks_failed,
            actions: BTreeMap::new(),
            vms: self.warm.len() + self.ticks.len(),
            next_wake: self.wakes.first().map(|(at, _)| *at),
            lag: self.lag(),
        }
    }

    fn lag(&self) -> Lag {
        let mut lags: Vec<Duration> = self.lags.iter().copied().collect();
        lags.sort_unstable();
        let at = |share: usize| lags.get((lags.len().saturating_sub(1)) * share / 100).copied().unwrap_or_default();
        Lag { p50: at(50), p99: at(99) }
    }

    pub(super) fn status(&self, slot: &Slot) -> BotStatus {
        if slot.is_retired {
            return BotStatus::Retired;
        }
        if slot.is_acting {
            return BotStatus::Acting;
        }
        match self.held(slot) {
            Some(hold) if hold.kind == HoldKind::Paused => BotStatus::Paused { reason: hold.reason, until: hold.until },
            Some(hold) => BotStatus::Quarantined { error: hold.reason },
            None if slot.failures > 0 => {
                BotStatus::Backoff { failures: slot.failures, until: slot.wake_at, error: slot.error.to_string() }
            }
            None => BotStatus::Asleep { until: slot.wake_at, why: slot.why.clone() },
        }
    }

    /// The word of [`Self::status`] without its facts, for counting a hundred thousand bots while others wait.
    fn status_word(&self, slot: &Slot) -> &'static str {
        let is_at_ease = self.pauses.is_empty() && slot.hold.is_none() && slot.failures == 0;
        match (is_at_ease, slot.is_retired, slot.is_acting) {
            (true, false, false) => "asleep",
            _ => self.status(slot).as_str(),
        }
    }

    fn reason(&self, slot: &Slot, status: &BotStatus, now: Timestamp) -> String {
        let entry = self.entries.get(&slot.id.persona);
        let version = self.running(&slot.id);
        let (zone, zone_name) = match version {
            Some(version) => (version.persona.schedule.zone.clone(), version.persona.schedule.zone_name.clone()),
            None => (TimeZone::UTC, "UTC".to_owned()),
        };
        let until = |at: Timestamp| format!("{} {zone_name}", short(at, now, &zone));
        match status {
            BotStatus::Acting => "acting".to_owned(),
            BotStatus::Retired => "not in the roster".to_owned(),
            BotStatus::Paused { reason, until: end } => {
                let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                let end = end.map(|end| format!(", until {}", until(end))).unwrap_or_default();
                format!("paused by operator{reason}{end}")
            }
            BotStatus::Quarantined { error } => {
                format!("quarantined until its script changes or someone resumes it: script error at {error}")
            }
            BotStatus::Backoff { failures, until: at, error } => {
                format!("script error at {error} ({failures} in a row), tries again {}", until(*at))
            }
            BotStatus::Asleep { .. } if version.is_none() => {
                let problem = entry.and_then(|entry| entry.errors.first()).map(ToString::to_string);
                format!("no script that works: {}", problem.unwrap_or_else(|| "its file is gone".to_owned()))
            }
            BotStatus::Asleep { until: at, .. } if *at <= now => "ready, waits for its turn".to_owned(),
            BotStatus::Asleep { until: at, why } => match why {
                Rest::Pause => format!("pauses within a visit until {}", until(*at)),
                Rest::NextVisit => format!("away until its next visit {}", until(*at)),
                Rest::Night => format!("asleep until {}", until(*at)),
                Rest::Asked => format!("asked by its script to wait until {}", until(*at)),
                Rest::Told { by } => format!("{by}, until {}", until(*at)),
            },
        }
    }

    fn view(&self, slot: &Slot, now: Timestamp) -> BotView {
        let status = self.status(slot);
        let is_waiting = matches!(status, BotStatus::Asleep { .. } | BotStatus::Backoff { .. });
        let version = self.running(&slot.id);
        BotView {
            id: slot.id.clone(),
            username: slot.profile.username.clone(),
            name: slot.profile.name.clone(),
            has_account: slot.has_account,
            reason: self.reason(slot, &status, now),
            next_wake: (is_waiting && version.is_some()).then_some(slot.wake_at),
            ticks: slot.lived,
            version: slot.version.clone(),
            zone: version.map_or_else(|| "UTC".to_owned(), |version| version.persona.schedule.zone_name.clone()),
            status,
        }
    }

    pub(super) fn page(&self, filter: &BotFilter) -> BotPage {
        let now = self.shared.world.clock.now();
        let search = filter.search.as_deref().map(str::to_lowercase);
        let wants_retired = filter.status.as_deref() == Some("retired");
        let fits = |slot: &&Slot| {
            slot.is_retired == wants_retired
                && filter.persona.as_ref().is_none_or(|persona| slot.id.persona == *persona)
                && filter.status.as_deref().is_none_or(|status| self.status_word(slot) == status)
                && search.as_deref().is_none_or(|search| {
                    slot.id.to_string().contains(search)
                        || slot.profile.username.contains(search)
                        || slot.profile.name.to_lowercase().contains(search)
                })
        };
        let mut found: Vec<&Slot> = self.slots.iter().filter(fits).collect();
        let total = found.len();
        let end = filter.offset.saturating_add(filter.limit);
        // Only what is shown is put in order; the rest need only come after it.
        if end < total {
            found.select_nth_unstable_by(end, |a, b| a.id.cmp(&b.id));
            found.truncate(end);
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        let bots = found.into_iter().skip(filter.offset).take(filter.limit).map(|slot| self.view(slot, now)).collect();
        BotPage { bots, total }
    }

    pub(super) fn bot_view(&self, id: &BotId) -> Option<(BotView, String, String)> {
        let slot = self.by_id.get(id).and_then(|index| self.slots.get(*index as usize))?;
        let version = self.running(id);
        let bio = version.map(|version| crate::host::identity::identity(&version.persona, id.index).bio);
        Some((self.view(slot, self.shared.world.clock.now()), bio.unwrap_or_default(), slot.error.to_string()))
    }

    pub(super) fn script_views(&self) -> Vec<ScriptView> {
        let mut ran: BTreeMap<&crate::model::name::PersonaName, BTreeMap<&str, u64>> = BTreeMap::new();
        let mut bots: BTreeMap<&crate::model::name::PersonaName, u64> = BTreeMap::new();
        for slot in self.slots.iter().filter(|slot| !slot.is_retired) {
            *bots.entry(&slot.id.persona).or_default() += 1;
            if let Some(version) = &slot.version {
                *ran.entry(&slot.id.persona).or_default().entry(version.as_str()).or_default() += 1;
            }
        }
        self.entries
            .iter()
            .map(|(name, entry)| {
                let line = self.lines.get(name);
                let version = line.map(|line| &line.stable);
                let newest = entry.version.as_ref().map(|version| version.id.clone());
                let is_newest = version.is_some_and(|version| newest.as_ref() == Some(&version.id));
                let verdict = line.map(|line| line.verdict.clone()).filter(|(words, _)| !words.is_empty());
                ScriptView {
                    persona: name.clone(),
                    title: version.map_or_else(|| name.to_string(), |version| version.persona.title.clone()),
                    file: format!("scripts/{}", entry.file),
                    version: version.map(|version| version.id.clone()),
                    files: version.map(|version| version.files.keys().cloned().collect()).unwrap_or_default(),
                    accepted_at: if is_newest { entry.accepted_at } else { verdict.as_ref().map(|(_, at)| *at) },
                    newest,
                    is_pinned: line.is_some_and(|line| line.is_pinned),
                    held_back: line.and_then(|line| line.held_back.clone()),
                    canary: self.canary_view(name),
                    verdict,
                    tally: version.and_then(|version| self.tallies.get(&version.id).copied()).unwrap_or_default(),
                    ran: counts(ran.remove(name)),
                    bots: bots.get(name).copied().unwrap_or(0),
                    errors: entry.errors.clone(),
                    warnings: version.map(|version| version.warnings.clone()).unwrap_or_default(),
                }
            })
            .collect()
    }
}

fn counts(by_version: Option<BTreeMap<&str, u64>>) -> BTreeMap<String, u64> {
    by_version.unwrap_or_default().into_iter().map(|(version, bots)| (version.to_owned(), bots)).collect()
}

/// A time of day, with the date when it is not within a day.
fn short(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    let is_near = local.date() == now.to_zoned(zone.clone()).date();
    let format = if is_near { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    local.strftime(format).to_string()
}
