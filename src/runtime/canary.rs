//! The canary's judge: is a new version worse than the one it would replace?
//!
//! It is pure: the same evidence gives the same verdict, with the numbers in words.
//!
//! Each question is a sequential probability ratio test (Wald 1945): after every tick the evidence for "worse" is weighed
//! against the evidence for "as good". It may be asked after every tick and still wrongly takes back a version that is as
//! good in at most one of a hundred cases, and keeps one that is clearly worse in at most one of twenty.

use crate::model::tally::Tally;

/// Which share of a persona's bots a new version runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A few, so that a bad version does little harm.
    First,
    /// The whole share that the operator allows.
    Whole,
}

/// What the operator allows and wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The share of bots, 0 to 1; 0 gives every version to all at once.
    pub share: f64,
    /// Ticks of the new version after which it is promoted when nothing speaks against it.
    pub ticks: u64,
}

/// What has been seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The new version since it was given out.
    pub new: Tally,
    /// The old version in the same time.
    pub old: Tally,
    /// The old version in all its time.
    pub old_ever: Tally,
    /// Whether the time for judging is over.
    pub is_late: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Wait,
    /// Give it to the whole share.
    Widen(String),
    /// Give it to everybody.
    Promote(String),
    /// Take it back.
    RollBack(String),
}

/// The share of bots at first, whatever the operator allows: less than a twentieth, with room for chance.
pub const FIRST_SHARE: f64 = 0.03;
/// `ln((1 - 0.05) / 0.01)`: the evidence that takes a version back.
const WORSE: f64 = 4.554;
/// `ln(0.05 / (1 - 0.01))`: the evidence that lets it go on.
const AS_GOOD: f64 = -2.986;
/// No script is better than this: one error in so many ticks is chance.
const ERROR_FLOOR: f64 = 0.002;
/// The least share of refused actions that is held against anybody.
const REFUSED_FLOOR: f64 = 0.05;
/// The least calls of a writer a tick that are worth comparing.
const CALLS_FLOOR: f64 = 0.2;
/// Ticks before the whole share may have it.
const FIRST_TICKS: u64 = 150;

impl Stage {
    /// The share of bots in this stage.
    pub fn share(self, rules: &Rules) -> f64 {
        match self {
            Self::First => rules.share.min(FIRST_SHARE),
            Self::Whole => rules.share,
        }
    }
}

/// How many of some bots a share is: at least one, so that something can be learned.
pub fn bots_of(share: f64, bots: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
    let whole = (bots as f64 * share.clamp(0.0, 1.0)).floor() as usize;
    whole.max(1).min(bots)
}

/// Weighs the evidence.
pub fn judge(evidence: &Evidence, stage: Stage, rules: &Rules) -> Verdict {
    let Evidence { new, old, old_ever, is_late } = evidence;
    let errors = weigh_errors(new, old, old_ever);
    let raised = format!(
        "{} of {} ticks raised, of the version before {} of {}",
        new.errors, new.ticks, old_ever.errors, old_ever.ticks
    );
    if errors >= WORSE {
        return Verdict::RollBack(format!("{raised}; {}", odds(errors)));
    }
    let refused = weigh_refused(new, old);
    if refused >= WORSE {
        return Verdict::RollBack(format!(
            "{} of {} actions were refused, of the version before {} of {} in the same time; {}",
            new.refused,
            new.refused + new.actions,
            old.refused,
            old.refused + old.actions,
            odds(refused)
        ));
    }
    let calls = weigh_calls(new, old);
    if calls >= WORSE {
        return Verdict::RollBack(format!(
            "{} texts or choices in {} ticks, of the version before {} in {} in the same time; {}",
            new.calls,
            new.ticks,
            old.calls,
            old.ticks,
            odds(calls)
        ));
    }
    let is_as_good = errors <= AS_GOOD && refused <= 0.0 && calls <= 0.0;
    if stage == Stage::First && rules.share > FIRST_SHARE && new.ticks >= FIRST_TICKS.min(rules.ticks) && is_as_good {
        return Verdict::Widen(raised);
    }
    if new.ticks >= rules.ticks && is_as_good {
        return Verdict::Promote(raised);
    }
    // A version that few bots live is not kept waiting for ever, as long as nothing speaks against it.
    if *is_late && new.ticks > 0 {
        return if errors < 0.0 && refused <= 0.0 && calls <= 0.0 {
            Verdict::Promote(format!("the time for judging is over, and nothing speaks against it: {raised}"))
        } else {
            Verdict::RollBack(format!("the time for judging is over, and it does not look as good: {raised}"))
        };
    }
    Verdict::Wait
}

/// The logarithm of how much likelier `hits` of `tries` are at the rate `worse` than at the rate `good`.
fn ratio(hits: u64, tries: u64, good: f64, worse: f64) -> f64 {
    let misses = tries.saturating_sub(hits);
    hits as f64 * (worse / good).ln() + misses as f64 * ((1.0 - worse) / (1.0 - good)).ln()
}

fn rate(hits: u64, tries: u64) -> f64 {
    if tries == 0 { 0.0 } else { hits as f64 / tries as f64 }
}

fn weigh_errors(new: &Tally, old: &Tally, old_ever: &Tally) -> f64 {
    // What goes wrong for both is the world's fault.
    let before = rate(old.errors, old.ticks).max(rate(old_ever.errors, old_ever.ticks));
    let good = before.clamp(ERROR_FLOOR, 0.8);
    let worse = (good * 3.0).max(good + 0.03).min(0.95);
    ratio(new.errors, new.ticks, good, worse)
}

fn weigh_refused(new: &Tally, old: &Tally) -> f64 {
    let (new_tries, old_tries) = (new.refused + new.actions, old.refused + old.actions);
    // Without anything to compare with, many refusals may be the world's doing.
    if old_tries < 20 {
        return 0.0;
    }
    let good = rate(old.refused, old_tries).clamp(REFUSED_FLOOR, 0.6);
    let worse = (good * 2.0).max(good + 0.15).min(0.95);
    ratio(new.refused, new_tries, good, worse)
}

fn weigh_calls(new: &Tally, old: &Tally) -> f64 {
    if old.ticks < 20 || new.ticks < 20 {
        return 0.0;
    }
    // Calls come in bursts, which are no sign of anything: they count as if there were fewer of them.
    const BURST: f64 = 4.0;
    let good = rate(old.calls, old.ticks).max(CALLS_FLOOR);
    let worse = good * 3.0;
    (new.calls as f64 * (worse / good).ln() - new.ticks as f64 * (worse - good)) / BURST
}

fn odds(weight: f64) -> String {
    format!("that is {:.0} times likelier if the new version is worse", weight.exp().min(1e6))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const RULES: Rules = Rules { share: 0.1, ticks: 300 };

    fn ticks(ticks: u64, errors: u64) -> Tally {
        Tally { ticks, errors, actions: ticks, ..Tally::default() }
    }

    fn verdict(new: Tally, old: Tally, stage: Stage) -> Verdict {
        judge(&Evidence { new, old, old_ever: old, is_late: false }, stage, &RULES)
    }

    #[test]
    fn the_verdict_follows_the_numbers() {
        let old = ticks(1000, 0);
        for (new, stage, expected) in [
            (ticks(0, 0), Stage::First, "wait"),
            (ticks(40, 1), Stage::First, "wait"),
            (ticks(30, 2), Stage::First, "roll back"),
            (ticks(60, 3), Stage::First, "roll back"),
            (ticks(150, 0), Stage::First, "widen"),
            (ticks(150, 1), Stage::First, "wait"),
            (ticks(150, 0), Stage::Whole, "wait"),
            (ticks(300, 0), Stage::Whole, "promote"),
            (ticks(300, 1), Stage::Whole, "promote"),
            (ticks(300, 5), Stage::Whole, "roll back"),
            (Tally { refused: 60, ..ticks(100, 0) }, Stage::Whole, "roll back"),
            (Tally { calls: 900, ..ticks(100, 0) }, Stage::Whole, "roll back"),
        ] {
            let word = match verdict(new, Tally { calls: 300, ..old }, stage) {
                Verdict::Wait => "wait",
                Verdict::Widen(_) => "widen",
                Verdict::Promote(_) => "promote",
                Verdict::RollBack(why) => {
                    assert!(why.contains("of the version before"), "{why}");
                    "roll back"
                }
            };
            assert_eq!(word, expected, "{new:?} {stage:?}");
        }
    }

    #[test]
    fn what_goes_wrong_for_both_is_not_held_against_the_new_one() {
        let mut new = ticks(100, 20);
        let mut old = ticks(1000, 200);
        assert_eq!(verdict(new, old, Stage::First), Verdict::Wait);
        (new.errors, old.errors) = (0, 0);
        (new.refused, old.refused) = (90, 900);
        assert_eq!(verdict(new, old, Stage::First), Verdict::Wait);
    }

    #[test]
    fn at_least_one_bot_and_never_more_than_there_are() {
        for (share, bots, expected) in [(0.1, 0, 0), (0.1, 1, 1), (0.03, 25, 1), (0.1, 100, 10), (2.0, 3, 3)] {
            assert_eq!(bots_of(share, bots), expected);
        }
    }

    /// Lives a canary tick by tick: how it ended, its ticks and the fleet's.
    fn live(seed: u64, bots: usize, bad: f64, good: f64) -> (Verdict, u64, u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut new, mut old, mut stage) = (Tally::default(), Tally::default(), Stage::First);
        for fleet in 1_u64.. {
            let canaries = bots_of(stage.share(&RULES), bots);
            let is_new = rng.random_range(0..bots) < canaries;
            let tick = ticks(1, u64::from(rng.random_bool(if is_new { bad } else { good })));
            if is_new {
                new += tick
            } else {
                old += tick
            }
            match verdict(new, old, stage) {
                Verdict::Wait => {}
                Verdict::Widen(_) => stage = Stage::Whole,
                ended => return (ended, new.ticks, fleet),
            }
        }
        unreachable!("a canary ends")
    }

    #[test]
    fn a_bug_that_shows_once_in_twenty_ticks_is_back_before_a_twentieth_of_the_fleets_ticks_ran_it() {
        // Fleets of one persona, with a tenth allowed; of a fleet of 25, one bot is the least there can be.
        for bots in [25, 34, 100, 1000, 100_000] {
            let (mut late, mut promoted) = (0, 0);
            for seed in 0..400 {
                let (ended, new, fleet) = live(seed, bots, 0.05, 0.0);
                promoted += u32::from(matches!(ended, Verdict::Promote(_)));
                late += u32::from(new as f64 / fleet as f64 >= 0.05);
            }
            assert_eq!(promoted, 0, "{bots} bots");
            // One bot of 25 is four in a hundred already: there, chance alone carries one case in five past five.
            let most = if bots == 25 { 80 } else { 8 };
            assert!(late <= most, "{late} of 400 with {bots} bots");
        }
    }

    #[test]
    fn a_version_that_is_as_good_is_promoted_nearly_always() {
        for rate in [0.0, 0.001, 0.02, 0.2] {
            let wrong = (0..300).filter(|seed| matches!(live(*seed, 200, rate, rate).0, Verdict::RollBack(_))).count();
            assert!(wrong <= 12, "{wrong} of 300 good versions were taken back at an error rate of {rate}");
        }
    }

    proptest! {
        #[test]
        fn more_errors_never_turn_a_rollback_into_anything_else(ticks_lived in 1_u64..2000, errors in 0_u64..2000, more in 0_u64..50, old_errors in 0_u64..100) {
            let errors = errors.min(ticks_lived);
            let old = ticks(1000, old_errors);
            let before = verdict(ticks(ticks_lived, errors), old, Stage::Whole);
            let after = verdict(ticks(ticks_lived, (errors + more).min(ticks_lived)), old, Stage::Whole);
            if matches!(before, Verdict::RollBack(_)) {
                prop_assert!(matches!(after, Verdict::RollBack(_)));
            }
        }

        #[test]
        fn no_evidence_no_verdict(old_ticks in 0_u64..5000, old_errors in 0_u64..5000, is_late: bool) {
            let old = ticks(old_ticks, old_errors.min(old_ticks));
            let evidence = Evidence { new: Tally::default(), old, old_ever: old, is_late };
            prop_assert_eq!(judge(&evidence, Stage::First, &RULES), Verdict::Wait);
        }
    }
}
