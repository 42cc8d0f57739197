//! `fleet try`: one bot lives a few ticks, and everything it sees, considers and does is told.
//!
//! It never acts as a bot of the roster, and a dry run changes nothing anywhere.

mod copy;
pub mod plugins;
mod real;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, StudioAddress};
use crate::host::Host;
use crate::host::identity::{Profile, identity, tick_seed};
use crate::host::rhythm::after::after_tick;
use crate::host::rhythm::{Visit, first_wake, hours};
use crate::host::trial::{Trial, TrialRules};
use crate::lua::limits::Limits;
use crate::lua::trace::{Called, Trace};
use crate::lua::version::{Sources, Version, Workshop};
use crate::lua::{LivingBot, Tick, testing};
use crate::model::diagnostic::Diagnostic;
use crate::model::name::{BotId, PersonaName, VersionId};
use crate::model::persona::Persona;
use crate::model::status::Rest;
use crate::runtime::catalog;
use crate::runtime::plan;
use crate::text;
use plugins::{Line, Remark};

/// What is to be tried, and how.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The name of a persona, or the path of its file.
    pub persona: String,
    /// How many ticks it lives at most.
    pub ticks: u32,
    /// Whether nothing may change anywhere.
    pub is_dry: bool,
    /// What all chance follows from; without one, the config's.
    pub seed: Option<String>,
    /// Which bot of the persona.
    pub index: Option<u32>,
    /// When it lives, where time is free.
    pub at: Option<Timestamp>,
}

/// Where the bot lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a small gallery in memory.
    Trial {
        /// Why not in the studio.
        why: String,
    },
    /// In a copy of the studio's gallery, in memory.
    Copy {
        /// The studio.
        url: String,
        /// How many posts were read.
        posts: usize,
    },
    /// In the studio itself.
    Studio {
        /// The studio.
        url: String,
    },
}

/// Who lives where, told before the first tick.
#[derive(Debug)]
pub struct Stage {
    /// Where it lives.
    pub place: Place,
    /// Which bot.
    pub bot: BotId,
    /// Who it is in the gallery.
    pub profile: Profile,
    /// What it runs.
    pub version: VersionId,
    /// What the script's author should look at.
    pub warnings: Vec<Diagnostic>,
    /// The plugins that are asked before an action, in their order.
    pub plugins: Vec<String>,
    /// What is wrong with plugins; those are not asked.
    pub plugin_problems: Vec<Diagnostic>,
    /// Its time zone.
    pub zone: TimeZone,
}

/// One tick that was lived.
#[derive(Debug)]
pub struct Ticked {
    /// Which, from 1.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// Where in its visits.
    pub visit: Visit,
    /// Whether the bot would be asleep at this hour.
    pub is_asleep: bool,
    /// Whether models may have written, so that it may have cost something.
    pub has_models: bool,
    /// What the script called, in order.
    pub calls: Vec<Called>,
    /// What plugins had to say of what it did.
    pub remarks: Vec<Remark>,
    /// `bot.state` before the tick.
    pub before: Value,
    /// `bot.state` after it.
    pub after: Value,
    /// CPU time it took.
    pub cpu: Duration,
    /// How it ended.
    pub ending: Ending,
}

/// How a tick ended.
#[derive(Debug)]
pub enum Ending {
    /// The bot rests.
    Rests {
        /// When it wakes.
        until: Timestamp,
        /// Why then.
        why: Rest,
    },
    /// The script was wrong; nothing of the tick counts but what it did.
    Raised {
        /// What is wrong, and where.
        what: Box<Diagnostic>,
        /// The line of source.
        source: Option<String>,
    },
    /// The script was not called, since the gallery gave the bot no account.
    Refused(String),
}

/// What is told while it lives.
#[derive(Debug)]
pub enum Told<'a> {
    /// Before the first tick.
    Stage(&'a Stage),
    /// After each tick.
    Ticked(&'a Ticked),
    /// The bot waits in real time.
    Waits(Timestamp),
    /// It ends before the ticks are used up.
    Over(&'a str),
}

/// Takes what is told.
pub type Tell<'a> = &'a mut dyn FnMut(Told) -> anyhow::Result<()>;

/// Why it could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for what cannot be.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The persona is not fit to run.
    #[error("the persona is not fit to run")]
    Scripts {
        /// Everything that is wrong.
        problems: Vec<Diagnostic>,
        /// The texts, for showing lines.
        texts: BTreeMap<String, Arc<str>>,
    },
    /// Something else failed.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// The persona, and what is known of the fleet around it.
pub(super) struct Candidate {
    pub(super) version: Arc<Version>,
    pub(super) limits: Limits,
    pub(super) seed: String,
    /// The bots that the roster has, by username.
    pub(super) roster: BTreeMap<Arc<str>, BotId>,
    /// The plugins that are asked.
    pub(super) plugins: Line,
    /// The highest index that the roster may have for this persona.
    pub(super) highest: u32,
    /// The path that its file is known by in the scripts folder, and the one it has.
    place: Option<(String, String)>,
}

impl Candidate {
    fn raised(&self, mut what: Diagnostic) -> Ending {
        let text = self.version.files.get(what.file.strip_prefix("scripts/").unwrap_or(&what.file));
        let line = what.line.and_then(|line| text?.lines().nth(line.checked_sub(1)? as usize));
        let source = line.map(str::to_owned);
        in_its_place(&mut what, self.place.as_ref());
        Ending::Raised { what: Box::new(what), source }
    }
}

/// A file from elsewhere is shown where it lies.
fn in_its_place(what: &mut Diagnostic, place: Option<&(String, String)>) {
    let Some((inside, outside)) = place else { return };
    if what.file == *inside {
        what.file.clone_from(outside);
    }
    for frame in &mut what.traceback {
        *frame = frame.replace(inside, outside);
    }
}

/// The folder of all that tries keep, in the data folder.
pub const FOLDER: &str = "try";
/// Ticks a bot may be asked to live.
pub const MOST_TICKS: u32 = 1000;

/// Lives the ticks and tells of each. Answers false when the script raised.
///
/// # Errors
/// Why it could not be tried.
pub async fn run(config: &Config, wanted: &Wanted, stop: CancellationToken, tell: Tell<'_>) -> Result<bool, Error> {
    let candidate = candidate(config, wanted).await?;
    let place = if wanted.is_dry {
        match copy::read(config).await {
            Ok(copied) => {
                let place = Place::Copy { url: copied.url, posts: copied.posts.len() };
                return in_memory(config, wanted, &candidate, place, copied.posts, &stop, tell).await;
            }
            Err(why) => Place::Trial { why },
        }
    } else {
        match real::open(config, wanted, &candidate).await? {
            real::Opened::Ready(acting) => return acting.run(wanted, &candidate, stop, tell).await,
            real::Opened::NoStudio(why) => Place::Trial { why },
        }
    };
    in_memory(config, wanted, &candidate, place, Vec::new(), &stop, tell).await
}

/// Reads and builds the persona, and says who is in the roster.
async fn candidate(config: &Config, wanted: &Wanted) -> Result<Candidate, Error> {
    let origin = super::origin(config);
    let limits = super::limits(config);
    let bytes = limits.source_bytes;
    let sources = tokio::task::spawn_blocking(move || catalog::read(&origin, bytes)).await;
    let mut sources =
        sources.context("reading the scripts ended in a panic of the host")?.map_err(anyhow::Error::new)?;
    let name = take_in(&mut sources, &wanted.persona).await?;
    let plugins = Line::read(config, &mut sources).await?;
    let mut workshop = Workshop::new().map_err(|problem| anyhow::anyhow!("{problem}"))?;
    workshop.compile(&sources, &limits);
    let inside = format!("scripts/personas/{name}.luau");
    let place = is_file(&wanted.persona).then(|| (inside, wanted.persona.clone()));
    let version = workshop.build(&sources, &name, &limits).map_err(|mut problems| {
        let mut texts = sources.files.clone();
        if let Some(text) = texts.get(&format!("personas/{name}.luau")).cloned() {
            texts.insert(wanted.persona.clone(), text);
        }
        problems.iter_mut().for_each(|problem| in_its_place(problem, place.as_ref()));
        Error::Scripts { problems, texts }
    })?;
    let others = sources.personas().into_keys().filter_map(|name| workshop.build(&sources, &name, &limits).ok());
    let personas: BTreeMap<PersonaName, Arc<Persona>> =
        others.map(|version| (version.persona.name.clone(), version.persona)).collect();
    let mut weights = BTreeMap::new();
    for (name, persona) in personas.iter().filter(|(name, _)| !config.roster.counts.contains_key(*name)) {
        weights.insert(name.clone(), persona.weight);
    }
    let mut intent = plan::spread(config.roster.spread, &weights);
    intent.extend(config.roster.counts.clone());
    let mut roster = BTreeMap::new();
    for (name, persona) in &personas {
        for index in 1..=intent.get(name).copied().unwrap_or(0) {
            let id = BotId { persona: name.clone(), index };
            roster.insert(Arc::from(identity(persona, index).username), id);
        }
    }
    let counted = config.roster.counts.get(&version.persona.name).copied();
    Ok(Candidate {
        highest: counted.unwrap_or(config.roster.spread),
        version: Arc::new(version),
        limits,
        seed: wanted.seed.clone().unwrap_or_else(|| config.seed.clone()),
        roster,
        plugins,
        place,
    })
}

fn is_file(persona: &str) -> bool {
    persona.contains('/') || persona.ends_with(".luau") || persona.ends_with(".lua")
}

/// Finds the persona that is meant; a file from elsewhere is taken in as if it lay in the scripts folder.
async fn take_in(sources: &mut Sources, wanted: &str) -> Result<String, Error> {
    let names = sources.personas();
    let path = Path::new(wanted);
    if !is_file(wanted) {
        if names.contains_key(wanted) {
            return Ok(wanted.to_owned());
        }
        let known: Vec<&str> = names.keys().map(String::as_str).collect();
        let hint = match text::nearest(wanted, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}; or name a file, like drafts/{wanted}.luau", known.join(", ")),
        };
        return Err(Error::Usage { message: format!("there is no persona `{wanted}`"), hint });
    }
    let usage = |message: String, hint: &str| Error::Usage { message, hint: hint.to_owned() };
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if testing::is_test(wanted) || stem.is_empty() {
        return Err(usage(format!("`{wanted}` is not the file of a persona"), "`fleet test` runs tests"));
    }
    let words = tokio::fs::read_to_string(path)
        .await
        .map_err(|problem| usage(format!("could not read `{wanted}`: {problem}"), "name a persona, or its file"))?;
    // The file stands for the persona of its name, whatever the folder has of it.
    if let Some(old) = names.get(stem) {
        sources.files.remove(old);
        sources.unreadable.remove(old);
    }
    sources.files.insert(format!("personas/{stem}.luau"), words.into());
    Ok(stem.to_owned())
}

/// Lives in a gallery in memory, where time jumps.
async fn in_memory(
    config: &Config,
    wanted: &Wanted,
    candidate: &Candidate,
    place: Place,
    posts: Vec<copy::Copied>,
    stop: &CancellationToken,
    tell: Tell<'_>,
) -> Result<bool, Error> {
    let persona = candidate.version.persona.clone();
    let id = BotId { persona: persona.name.clone(), index: wanted.index.unwrap_or(1) };
    let profile = Arc::new(identity(&persona, id.index));
    let newest = posts.iter().map(|(post, _)| post.created_at).max();
    // Time is free here, so it begins when the bot is awake, unless an hour was asked for.
    let begin = wanted.at.unwrap_or_else(|| {
        let now = newest.map_or_else(Timestamp::now, |newest| newest.max(Timestamp::now()));
        hours::next_awake(&persona.schedule, now)
    });
    let limits = &config.limits;
    let rules = TrialRules { duplicate_days: limits.duplicate_days, duplicate_similarity: limits.duplicate_similarity };
    let trial = match &place {
        Place::Trial { .. } => Trial::new(begin, false).with_rules(&candidate.seed, rules),
        Place::Copy { .. } | Place::Studio { .. } => Trial::empty(begin, &candidate.seed, Some(rules)),
    };
    for (post, comments) in posts {
        trial.add_post(post, comments);
    }
    for username in candidate.roster.keys() {
        trial.add_to_fleet(username);
    }
    trial.add_to_fleet(&profile.username);
    let trial = Arc::new(trial);
    let (desk, requests) = candidate.plugins.desk();
    let side = plugins::Side::Trial(trial.clone());
    let _serving = candidate.plugins.serve(requests, &side, &tokio::runtime::Handle::current());
    trial.set_hooks(desk.clone());
    tell(Told::Stage(&stage(place, &id, &profile, candidate)))?;
    let mut visit = first_visit(candidate, &id, begin);
    let mut state: Option<String> = None;
    for number in 1..=wanted.ticks {
        if stop.is_cancelled() {
            break;
        }
        let at = trial.now();
        let lived = u64::from(number);
        let host = Host::trial(trial.clone(), id.clone(), profile.clone(), persona.clone(), lived);
        let trace = Arc::new(Trace::default());
        let before = state_value(state.as_deref());
        let is_asleep = !hours::is_awake(&persona.schedule, at);
        let tick = Tick { host: host.clone(), visit, old_version: None, events: Vec::new() };
        let (result, cpu) = match LivingBot::new(candidate.version.clone(), candidate.limits, state.clone()) {
            Ok(mut living) => {
                living.record(trace.clone());
                let result = living.live(tick).await;
                (result, living.meter().used())
            }
            Err(diagnostic) => (Err(diagnostic), Duration::ZERO),
        };
        let mut ticked = Ticked {
            number,
            at,
            visit,
            is_asleep,
            has_models: false,
            calls: trace.take(),
            remarks: desk.take(),
            after: before.clone(),
            before,
            cpu,
            ending: Ending::Refused(String::new()),
        };
        match result {
            Ok(lived_tick) => {
                ticked.after = state_value(Some(&lived_tick.state));
                state = Some(lived_tick.state);
                let seed = tick_seed(&format!("{}/wake", candidate.seed), &id, lived);
                let mut rng = ChaCha8Rng::from_seed(seed);
                let (until, why, next) =
                    after_tick(&persona, &visit, lived_tick.asked, host.told(), trial.now(), &mut rng);
                visit = next;
                ticked.ending = Ending::Rests { until, why };
                tell(Told::Ticked(&ticked))?;
                trial.set_now(until.max(trial.now()));
            }
            Err(diagnostic) => {
                ticked.ending = candidate.raised(diagnostic);
                tell(Told::Ticked(&ticked))?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn stage(place: Place, bot: &BotId, profile: &Profile, candidate: &Candidate) -> Stage {
    Stage {
        place,
        bot: bot.clone(),
        profile: profile.clone(),
        version: candidate.version.id.clone(),
        warnings: candidate.version.warnings.clone(),
        plugins: candidate.plugins.names(),
        plugin_problems: candidate.plugins.problems.clone(),
        zone: candidate.version.persona.schedule.zone.clone(),
    }
}

/// The first visit of a life, as long as the persona's pace draws it.
fn first_visit(candidate: &Candidate, id: &BotId, now: Timestamp) -> Visit {
    let persona = &candidate.version.persona;
    let mut rng = ChaCha8Rng::from_seed(tick_seed(&format!("{}/first", candidate.seed), id, 0));
    first_wake(&persona.schedule, &persona.pace, 0.0, now, &mut rng).visit
}

/// A state as it is kept; what was never written is an empty table.
fn state_value(state: Option<&str>) -> Value {
    state.and_then(|state| serde_json::from_str(state).ok()).unwrap_or_else(|| json!({}))
}

/// Where the studio of the config is to be reached.
fn studio_url(config: &Config) -> anyhow::Result<url::Url> {
    Ok(match &config.floimg.studio {
        StudioAddress::Embedded => url::Url::parse(&format!("http://{}", config.studio.listen))?,
        StudioAddress::Remote(url) => url.clone(),
    })
}
