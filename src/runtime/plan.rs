//! The plan: what has to change so that what runs is what should run.
//!
//! Pure and idempotent: once its steps are done, the next plan is empty.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::name::{BotId, PersonaName};

/// What should run: how many bots of each persona.
pub type Intent = BTreeMap<PersonaName, u32>;

/// What runs: by persona, the places that are taken, and those that were once and rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// Places of bots in the roster.
    pub active: BTreeMap<PersonaName, BTreeSet<u32>>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A bot joins the roster, new or back from retirement with all it had.
    Add(BotId),
    /// A bot leaves the roster and keeps all it has.
    Retire(BotId),
}

/// The steps from what runs to what should, in a stable order.
pub fn reconcile(intent: &Intent, running: &Running) -> Vec<Step> {
    let mut steps = Vec::new();
    let personas: BTreeSet<&PersonaName> = intent.keys().chain(running.active.keys()).collect();
    for persona in personas {
        let wanted = intent.get(persona).copied().unwrap_or(0);
        let none = BTreeSet::new();
        let active = running.active.get(persona).unwrap_or(&none);
        let id = |index: u32| BotId { persona: persona.clone(), index };
        steps.extend(active.iter().filter(|index| **index > wanted).map(|index| Step::Retire(id(*index))));
        steps.extend((1..=wanted).filter(|index| !active.contains(index)).map(|index| Step::Add(id(index))));
    }
    steps
}

/// Spreads a number of bots over personas by their weights; every whole share is kept, and the rest goes to the largest
/// remainders, so that more bots never means fewer of one persona by more than one.
pub fn spread(size: u32, weights: &BTreeMap<PersonaName, f64>) -> BTreeMap<PersonaName, u32> {
    let total: f64 = weights.values().filter(|weight| weight.is_finite() && **weight > 0.0).sum();
    let mut counts: BTreeMap<PersonaName, u32> = BTreeMap::new();
    if total <= 0.0 {
        return counts;
    }
    let mut remainders = Vec::new();
    let mut given = 0_u32;
    for (name, weight) in weights {
        let share = f64::from(size) * weight.max(0.0) / total;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most `size`")]
        let whole = share.floor() as u32;
        given = given.saturating_add(whole);
        counts.insert(name.clone(), whole);
        remainders.push((share - share.floor(), name.clone()));
    }
    remainders.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    for (_, name) in remainders.into_iter().take(size.saturating_sub(given) as usize) {
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PersonaName {
        PersonaName::new(text).expect("a name")
    }

    fn running(places: &[(&str, &[u32])]) -> Running {
        Running {
            active: places.iter().map(|(persona, places)| (name(persona), places.iter().copied().collect())).collect(),
        }
    }

    fn shown(steps: &[Step]) -> Vec<String> {
        steps
            .iter()
            .map(|step| match step {
                Step::Add(id) => format!("+{id}"),
                Step::Retire(id) => format!("-{id}"),
            })
            .collect()
    }

    #[test]
    fn steps_lead_from_what_runs_to_what_should() {
        type Case = (&'static [(&'static str, u32)], Running, &'static [&'static str]);
        let cases: [Case; 5] = [
            (&[("a", 2)], running(&[]), &["+a-1", "+a-2"]),
            (&[("a", 2)], running(&[("a", &[1, 2])]), &[]),
            (&[("a", 1)], running(&[("a", &[1, 2, 3])]), &["-a-2", "-a-3"]),
            (&[("b", 1)], running(&[("a", &[1])]), &["-a-1", "+b-1"]),
            (&[("a", 3)], running(&[("a", &[2, 5])]), &["-a-5", "+a-1", "+a-3"]),
        ];
        for (intent, running, expected) in cases {
            let intent: Intent = intent.iter().map(|(persona, count)| (name(persona), *count)).collect();
            assert_eq!(shown(&reconcile(&intent, &running)), expected);
        }
    }

    #[test]
    fn bots_are_spread_by_weight_to_the_last_one() {
        let weights = |pairs: &[(&str, f64)]| pairs.iter().map(|(persona, weight)| (name(persona), *weight)).collect();
        let spread_of =
            |size, pairs: &[(&str, f64)]| -> Vec<u32> { spread(size, &weights(pairs)).into_values().collect() };
        assert_eq!(spread_of(10, &[("a", 1.0), ("b", 1.0), ("c", 1.0)]), [4, 3, 3]);
        assert_eq!(spread_of(7, &[("a", 2.0), ("b", 1.0)]), [5, 2]);
        assert_eq!(spread_of(3, &[("a", 0.0), ("b", 1.0)]), [0, 3]);
        assert_eq!(spread_of(3, &[]), [0_u32; 0]);
        for size in 0..200 {
            assert_eq!(spread_of(size, &[("a", 1.3), ("b", 0.7), ("c", 2.9)]).iter().sum::<u32>(), size);
        }
    }
}
