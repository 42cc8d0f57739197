//! The trial run: a new version lives a few ticks in a gallery of its own before any bot takes it.

use std::sync::Arc;

use jiff::Timestamp;

use super::limits::Limits;
use super::living::{LivingBot, Tick};
use super::version::Version;
use crate::host::Host;
use crate::host::identity::identity;
use crate::host::rhythm::Visit;
use crate::host::trial::Trial;
use crate::model::diagnostic::Diagnostic;
use crate::model::name::{BotId, VersionId};
use crate::model::permission::Permissions;
use crate::model::seconds::Seconds;
use crate::store::{NewEvent, StoredEvent};

/// How many bots are tried, each with other traits and chance.
const BOTS: u32 = 3;
/// How many ticks each of them lives.
const TICKS: u32 = 4;

/// Lets a version live a few ticks; the script cannot tell it from the world.
///
/// # Errors
/// The first diagnostic it raised.
pub async fn rehearse(
    version: &Arc<Version>,
    limits: Limits,
    permissions: &Arc<Permissions>,
    now: Timestamp,
) -> Result<(), Diagnostic> {
    for index in 1..=BOTS {
        let trial = Arc::new(Trial::new(now, false).granting(permissions.clone()));
        let id = BotId { persona: version.persona.name.clone(), index };
        let profile = Arc::new(identity(&version.persona, index));
        let mut bot = LivingBot::new(version.clone(), limits, None)?;
        for tick in 1..=TICKS {
            let host =
                Host::trial(trial.clone(), id.clone(), profile.clone(), version.persona.clone(), u64::from(tick));
            let lived = bot
                .live(Tick {
                    host,
                    visit: Visit { number: 1, tick, ticks_left: TICKS - tick },
                    // The last tick pretends a reload, so that a broken migration shows.
                    old_version: (tick == TICKS).then(|| VersionId::new(version.id.as_str())),
                    events: if tick == 2 { events(&id, now) } else { Vec::new() },
                })
                .await?;
            // A state must survive being written and read, as it will be.
            bot = if tick == 2 { LivingBot::new(version.clone(), limits, Some(lived.state))? } else { bot };
            trial.pass(Seconds::clamped(180.0));
        }
    }
    Ok(())
}

/// Lets a version live a few ticks in a world that refuses everything, as worlds do.
///
/// Raising there does not keep a version out, but its author should know.
pub async fn rehearse_refused(
    version: &Arc<Version>,
    limits: Limits,
    permissions: &Arc<Permissions>,
    now: Timestamp,
) -> Option<Diagnostic> {
    let trial = Arc::new(Trial::new(now, true).granting(permissions.clone()));
    let id = BotId { persona: version.persona.name.clone(), index: 1 };
    let profile = Arc::new(identity(&version.persona, 1));
    let mut bot = LivingBot::new(version.clone(), limits, None).ok()?;
    for tick in 1..=TICKS {
        let host = Host::trial(trial.clone(), id.clone(), profile.clone(), version.persona.clone(), u64::from(tick));
        let visit = Visit { number: 1, tick, ticks_left: TICKS - tick };
        let events = if tick == 2 { events(&id, now) } else { Vec::new() };
        if let Err(diagnostic) = bot.live(Tick { host, visit, old_version: None, events }).await {
            let message = format!("raises when the world refuses a call: {}", diagnostic.message);
            return Some(Diagnostic { message, ..diagnostic }.as_warning());
        }
        trial.pass(Seconds::clamped(180.0));
    }
    None
}

fn events(bot: &BotId, now: Timestamp) -> Vec<StoredEvent> {
    let event = |id: i64, kind: &str, comment: Option<&str>, text: Option<&str>, from: Option<&str>| StoredEvent {
        id,
        what: NewEvent {
            bot: bot.clone(),
            source: format!("trial:{id}"),
            kind: kind.to_owned(),
            post: "p1".to_owned(),
            post_title: "Paper boats on a quiet canal".to_owned(),
            comment: comment.map(str::to_owned),
            text: text.map(str::to_owned),
            from: from.map(str::to_owned),
            is_fleet: false,
            at: now,
        },
    };
    vec![
        event(1, "comment", Some("c1"), Some("The reflections are lovely. How did you do the water?"), Some("otto_k")),
        event(2, "mention", Some("c1"), Some("Are you a bot?"), Some("juno")),
        event(3, "remix", None, None, None),
    ]
}
