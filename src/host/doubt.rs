//! Actions that were begun before: what a script is told instead of doing them twice.

use std::sync::Arc;

use serde_json::Value;

use crate::model::action::{ActionKind, Intent, IntentState};
use crate::model::failure::{Failure, FailureKind};
use crate::model::seconds::Seconds;

use super::perform::Plan;
use super::refusal::Refusal;
use super::{Host, World, recovery};

/// The same words or target as in an earlier tick of which nobody knew what came of it: looked up once more, never sent on a
/// guess. A script that was told `unavailable` or `unknown` may well ask again.
pub(super) async fn in_doubt(
    world: &Arc<World>,
    host: &Host,
    plan: &Plan,
) -> Result<Option<Result<Value, Refusal>>, Refusal> {
    if plan.kind == ActionKind::Generate {
        // A picture that nobody saw may be made again.
        return Ok(None);
    }
    for earlier in world.store.doubtful_intents(&host.bot, plan.kind, host.tick).await? {
        let is_same = earlier.what.target == plan.target && says_the_same(&earlier.what.payload, &plan.payload);
        if !is_same {
            continue;
        }
        let settled = recovery::settle(world, host.agent(), earlier).await?;
        match settled.state {
            IntentState::Done => return Ok(Some(Ok(settled.outcome))),
            IntentState::Failed => {}
            IntentState::Unknown => return Ok(Some(Err(unknown()))),
            IntentState::Open => {
                let message = "it was begun before, and the gallery cannot be asked now whether it happened";
                return Ok(Some(Err(Refusal::failure(FailureKind::Unavailable, message))));
            }
        }
    }
    Ok(None)
}

/// Two posts with one title, or two comments with one text. A picture made anew has another address.
fn says_the_same(a: &Value, b: &Value) -> bool {
    ["title", "post", "content"].iter().all(|key| a.get(key) == b.get(key))
}

/// What this very action of this very tick came to the first time the tick was tried.
pub(super) fn replay(before: Option<Intent>) -> Option<Result<Value, Refusal>> {
    before.and_then(|before| match before.state {
        IntentState::Done => Some(Ok(before.outcome)),
        IntentState::Unknown => Some(Err(unknown())),
        IntentState::Open | IntentState::Failed => None,
    })
}

fn unknown() -> Refusal {
    Refusal::failure(FailureKind::Unknown, "it was tried before, and nobody can tell whether it happened")
}

/// What a script is told of an action that was begun before.
pub(super) async fn told_before(world: &Arc<World>, host: &Host, intent: Intent) -> Result<Value, Refusal> {
    let is_this_tick = intent.what.tick == host.tick;
    let intent =
        if intent.state == IntentState::Open { recovery::settle(world, host.agent(), intent).await? } else { intent };
    match intent.state {
        IntentState::Done if is_this_tick => Ok(intent.outcome),
        IntentState::Unknown if is_this_tick => Err(unknown()),
        IntentState::Open => Err(Refusal::failure(
            FailureKind::Unavailable,
            "it was begun before, and the gallery cannot be asked now whether it happened",
        )),
        IntentState::Failed => {
            let mut failure = Failure::new(FailureKind::Unavailable, "it was cut off and did not happen; try again");
            failure.retry_after = Some(Seconds::ZERO);
            Err(Refusal::Failure(failure))
        }
        IntentState::Done | IntentState::Unknown => {
            Err(Refusal::failure(FailureKind::AlreadyDone, "this bot has done that before"))
        }
    }
}
