//! Leave to act: caps, the speed of typing, and nothing said twice.
//!
//! No action goes out that has not been through [`allow`].

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::action::ActionKind;
use crate::model::failure::{Failure, FailureKind};
use crate::model::seconds::Seconds;
use crate::store::ActionCounts;
use crate::text;

use super::action::Plan;
use super::prompt::fresh;
use super::refusal::Refusal;
use super::{Host, Side, World, limits};

/// Every limit of the host, in one place.
pub(super) async fn allow(host: &Host, world: &World, plan: &Plan, now: Timestamp) -> Result<(), Refusal> {
    let rules = world.rules.load();
    let counts = world.store.action_counts(&host.bot, now).await?;
    limits::check(&rules.caps, &tally(&counts), capped_as(plan.kind), now).map_err(Refusal::Failure)?;
    let Some(words) = &plan.words.all() else { return Ok(()) };
    let typing = limits::typing(text::length(words), rules.typing_chars_per_sec);
    // A picture is made while its caption is thought up, so making it does not count as the last thing done.
    let last = counts.iter().filter(|count| count.kind != ActionKind::Generate).map(|count| count.last).max();
    let ready = [last, plan.typing_from].into_iter().flatten().max();
    if let Some(ready) = ready.and_then(|from| from.checked_add(typing.signed()).ok()).filter(|ready| *ready > now) {
        let mut failure = Failure::new(FailureKind::TooSoon, "nobody types that fast");
        failure.retry_after = Seconds::new(ready.duration_since(now).as_secs_f64()).ok();
        return Err(Refusal::Failure(failure));
    }
    if fresh::own(world, &host.bot, words, &rules).await?.is_some() {
        return Err(Refusal::failure(
            FailureKind::DuplicateText,
            format!("too like something this bot wrote in the last {} days", rules.duplicate_days),
        ));
    }
    // Whoever asks if this is a bot is told so, however many were told the same.
    if !plan.tells_truth
        && fresh::is_said(&plan.words)
        && fresh::fleet(world, &host.bot, words, &rules).await?.is_some()
    {
        return Err(Refusal::failure(
            FailureKind::DuplicateText,
            format!("too like something another bot wrote in the last {} days", rules.fleet_duplicate_days),
        ));
    }
    Ok(())
}

/// A remix is a post too, and the cap on posts counts both.
fn capped_as(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Remix => ActionKind::Share.as_str(),
        other => other.as_str(),
    }
}

fn tally(counts: &[ActionCounts]) -> limits::Done {
    let mut done = limits::Done::default();
    for count in counts {
        let word = capped_as(count.kind).to_owned();
        add(done.day.entry(word.clone()).or_default(), count.day, Some(count.day_oldest));
        add(done.hour.entry(word).or_default(), count.hour, count.hour_oldest);
    }
    done
}

fn add(tally: &mut limits::Tally, count: u32, oldest: Option<Timestamp>) {
    tally.count = tally.count.saturating_add(count);
    tally.oldest = [tally.oldest, oldest].into_iter().flatten().min();
}

impl Host {
    /// Whether this bot wrote something like it lately.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_said(self: &Arc<Self>, words: String) -> Result<bool, Refusal> {
        let world = match &self.side {
            Side::Live(world) => world,
            Side::Trial(trial) => return Ok(trial.has_said(&self.profile.username, &words)),
        };
        let host = self.clone();
        let shared = world.clone();
        self.wait(world, async move {
            let rules = shared.rules.load_full();
            Ok(fresh::own(&shared, &host.bot, &words, &rules).await?.is_some())
        })
        .await?
    }

    /// What this bot wrote lately, newest first.
    pub(super) async fn recent_texts(&self, world: &World, limit: u32) -> Result<Vec<String>, Refusal> {
        let days = i64::from(world.rules.load().duplicate_days);
        let since = world.clock.now().saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN);
        Ok(world.store.texts_since(&self.bot, since, limit).await?)
    }
}
