//! A supervisor that is none: it answers from views made in advance, and writes down what it was told.
//!
//! Behind it is a real world with a real store, so that activities are rows and news as they are in a fleet.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use floimg_fleet::clock::Clock;
use floimg_fleet::config::{Config, Sources};
use floimg_fleet::floimg::Floimg;
use floimg_fleet::floimg::options::Options;
use floimg_fleet::floimg::signals::Signals;
use floimg_fleet::host::budget::{self, Budget};
use floimg_fleet::host::crash::CrashPoint;
use floimg_fleet::host::fetch::Outside;
use floimg_fleet::host::journal::Journal;
use floimg_fleet::host::limits::{Cap, Caps};
use floimg_fleet::host::service::Nudges;
use floimg_fleet::host::{Rules, World};
use floimg_fleet::llm::Llm;
use floimg_fleet::model::activity::{Ending, NewActivity};
use floimg_fleet::model::diagnostic::Diagnostic;
use floimg_fleet::model::name::{BotId, PersonaName, VersionId};
use floimg_fleet::model::permission::Permissions;
use floimg_fleet::model::seconds::Seconds;
use floimg_fleet::model::status::{BotStatus, Rest};
use floimg_fleet::model::tally::Tally;
use floimg_fleet::runtime::fleet::{Command, Fleet};
use floimg_fleet::runtime::plugins::{PluginSettings, Plugins, Terms};
use floimg_fleet::runtime::view::{
    BotPage, BotView, ConsoleView, FleetView, Lag, Reloaded, ScriptView, Target, VersionChange,
};
use floimg_fleet::secret::Secret;
use floimg_fleet::store::{Store, StoredVersion};
use floimg_fleet::web::{self, Web};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use url::Url;

/// What the double shows and was told.
pub struct Double {
    pub fleet: Fleet,
    pub plugins: Plugins,
    pub told: Arc<Mutex<Vec<String>>>,
    pub supervisor: tokio::task::JoinSet<()>,
    _folder: TempDir,
}

pub fn persona(name: &str) -> PersonaName {
    PersonaName::new(name).expect("a name")
}

pub fn at(clock: &Clock, seconds: i64) -> Timestamp {
    clock.now().saturating_add(SignedDuration::from_secs(seconds)).expect("in range")
}

pub fn activity(clock: &Clock, bot: Option<&str>, kind: &str, ending: Ending, text: &str) -> NewActivity {
    let bot: Option<BotId> = bot.map(|bot| bot.parse().expect("an id"));
    NewActivity {
        at: clock.now(),
        persona: bot.as_ref().map(|bot| bot.persona.clone()),
        bot,
        kind: kind.to_owned(),
        ending,
        target: String::new(),
        text: text.to_owned(),
        detail: serde_json::json!({}),
    }
}

impl Double {
    /// A fleet of 60 bots of two personas, one of them with a refused script.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("fleet.db")).await.expect("a store");
        let clock = Clock::scaled(Timestamp::now(), 60.0);
        for (id, hours, text) in [
            ("0f3a9c1e77aa", 1, "return { 2 }\n"),
            ("0f3a22222222", 2, "return { 1 }\n"),
            ("77bb00000000", 3, "return {}\n"),
        ] {
            let version = StoredVersion {
                id: VersionId::new(id),
                persona: persona("ai_artist"),
                files: BTreeMap::from([("personas/ai_artist.luau".to_owned(), text.to_owned())]),
                accepted_at: at(&clock, -3600 * hours),
            };
            store.add_version(version).await.expect("a version");
        }
        let nobody = Url::parse("http://127.0.0.1:9").expect("an address");
        let floimg = Floimg::new(Options::new(nobody, Secret::new(""), clock.clone())).expect("a client");
        let cap = |hour, day| Cap { per_hour: Some(hour), per_day: Some(day) };
        let kinds =
            [("upvote", cap(15, 60)), ("comment", cap(6, 25)), ("share", Cap { per_hour: None, per_day: Some(6) })];
        let rules = Rules {
            caps: Caps {
                actions: cap(20, 80),
                kinds: kinds.into_iter().map(|(kind, cap)| (kind.to_owned(), cap)).collect(),
            },
            duplicate_days: 30,
            duplicate_similarity: 0.8,
            fleet_duplicate_days: 7,
            fleet_duplicate_similarity: 0.9,
            typing_chars_per_sec: 8.0,
            store_entries: 500,
            store_value_bytes: 16 << 10,
            memories: 400,
            permissions: Arc::new(Permissions::usual()),
            outside: Outside {
                limits: web::Limits { timeout: Duration::from_secs(5), request_bytes: 1 << 16, reply_bytes: 1 << 16 },
                calls_per_tick: 5,
                keys: BTreeMap::new(),
            },
        };
        let plugins = plugins();
        let web = Web::new(1, Duration::from_secs(5), web::system_lookup()).expect("a client");
        let journal = Journal::new(store.clone());
        let config = Config::load(&Sources::default()).expect("valid");
        let terms = budget::Terms { budgets: config.budgets(), prices: config.known_prices() };
        let llm = Llm::new(&config.llm, &[]).expect("clients");
        let world = Arc::new(World {
            llm: ArcSwap::from_pointee(llm),
            budget: Budget::new(store.clone(), journal.clone(), Clock::wall(), clock.clone(), terms),
            journal,
            store,
            floimg,
            web,
            clock: clock.clone(),
            rules: ArcSwap::from_pointee(rules),
            known: ArcSwap::from_pointee(HashMap::new()),
            hooks: Arc::new(plugins.clone()),
            cast: ArcSwap::default(),
            nudges: Nudges::default(),
            actions: TaskTracker::new(),
            handle: tokio::runtime::Handle::current(),
            crash: CrashPoint::new(None, 1),
            seed: "test".to_owned(),
            certain_after: Duration::from_secs(60),
        });
        let (commands, asked) = mpsc::channel(64);
        let told = Arc::new(Mutex::new(Vec::new()));
        let mut supervisor = tokio::task::JoinSet::new();
        supervisor.spawn(answer(asked, clock, Arc::clone(&told)));
        Self { fleet: Fleet::new(commands, world, plugins.clone()), plugins, told, supervisor, _folder: folder }
    }
}

fn plugins() -> Plugins {
    let terms = Terms {
        deadline: Duration::from_millis(200),
        background: Duration::from_secs(10),
        queue: 64,
        quarantine_after: 5,
    };
    Plugins::new(PluginSettings { terms, told: Default::default() })
}

const NAMES: [&str; 6] = ["Lucid Dreams", "Quiet Vector", "Mira Okafor", "Paper Lantern", "Sol & Ash", "Tin Orchard"];

pub fn bots(clock: &Clock) -> Vec<BotView> {
    let mut bots = Vec::new();
    for (name, zone, count) in [("ai_artist", "Europe/Berlin", 40), ("data_viz_analyst", "America/New_York", 20)] {
        for index in 1..=count {
            let until = at(clock, i64::from(index) * 1900);
            let (status, reason, next_wake) = match index % 10 {
                1 => (BotStatus::Acting, "in a tick".to_owned(), None),
                4 => {
                    let error = "attempt to index nil with 'title'".to_owned();
                    let reason = "script error at scripts/personas/ai_artist.luau:31, trying again".to_owned();
                    (BotStatus::Backoff { failures: 2, until, error }, reason, Some(until))
                }
                7 => {
                    let reason = "paused by operator: maintenance".to_owned();
                    (BotStatus::Paused { reason: "maintenance".to_owned(), until: None }, reason, None)
                }
                9 if index == 9 => {
                    let error = "CPU limit".to_owned();
                    (BotStatus::Quarantined { error }, "stopped after 5 script errors in a row".to_owned(), None)
                }
                _ => (BotStatus::Asleep { until, why: Rest::Night }, format!("asleep until 07:40 {zone}"), Some(until)),
            };
            bots.push(BotView {
                id: BotId { persona: persona(name), index },
                username: format!("{}_{index}", &name[..2]),
                name: if index == 3 {
                    "<img src=x onerror=alert(1)>".to_owned()
                } else {
                    format!("{} {index}", NAMES[index as usize % 6])
                },
                has_account: index != 5,
                status,
                reason,
                next_wake,
                ticks: u64::from(index) * 37,
                version: (index != 5).then(|| VersionId::new("0f3a9c1e77aa")),
                zone: zone.to_owned(),
            });
        }
    }
    bots
}

pub fn scripts(clock: &Clock) -> Vec<ScriptView> {
    let script = |name: &str, title: &str, bots| ScriptView {
        persona: persona(name),
        title: title.to_owned(),
        file: format!("scripts/personas/{name}.luau"),
        version: Some(VersionId::new("0f3a9c1e77aa")),
        files: vec![format!("scripts/personas/{name}.luau"), "scripts/behaviours/browse.luau".to_owned()],
        accepted_at: Some(at(clock, -4000)),
        newest: Some(VersionId::new("0f3a9c1e77aa")),
        is_pinned: false,
        held_back: None,
        canary: None,
        verdict: None,
        tally: Tally { ticks: 812, errors: 3, actions: 96, refused: 4, calls: 210, cpu_micros: 406_000 },
        ran: BTreeMap::from([("0f3a9c1e77aa".to_owned(), bots - 2), ("77bb".to_owned(), 2)]),
        bots,
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let mut broken = script("data_viz_analyst", "Data viz analyst", 20);
    broken.errors.push(wrong());
    let mut warned = script("ai_artist", "AI art enthusiast", 40);
    warned.warnings.push(
        Diagnostic::error("scripts/personas/ai_artist.luau", Some(8), "`pace` is faster than the limits").as_warning(),
    );
    vec![warned, broken]
}

fn wrong() -> Diagnostic {
    let mut wrong =
        Diagnostic::error("scripts/personas/data_viz_analyst.luau", Some(31), "attempt to index nil with 'title'")
            .with_hint("`floimg.get` answers nil and a failure when the post is gone: look at the second value");
    wrong.traceback = vec![
        "scripts/behaviours/comment.luau:18 in function opening".to_owned(),
        "scripts/personas/data_viz_analyst.luau:31 in function on_tick".to_owned(),
    ];
    wrong
}

async fn answer(mut asked: mpsc::Receiver<Command>, clock: Clock, told: Arc<Mutex<Vec<String>>>) {
    let started_at = Timestamp::now();
    let bots = bots(&clock);
    let scripts = scripts(&clock);
    let mut stopped_because = None;
    let count = |target: &Target| match target {
        Target::All => Some(bots.len() as u64),
        Target::Persona(name) => {
            Some(bots.iter().filter(|bot| bot.id.persona == *name).count() as u64).filter(|count| *count > 0)
        }
        Target::Bot(id) => bots.iter().any(|bot| bot.id == *id).then_some(1),
    };
    let write = |line: String| told.lock().expect("not poisoned").push(line);
    while let Some(command) = asked.recv().await {
        // An asker that went away is none of the supervisor's business.
        match command {
            Command::Version(persona, change, reply) => {
                write(format!("version {persona} {change:?}"));
                let is_wrong = change == VersionChange::Unpin && persona.as_str() == "data_viz_analyst";
                let _ =
                    reply.send(if is_wrong { Err(format!("{persona} is not pinned")) } else { Ok("done".to_owned()) });
            }
            Command::Status(reply) => {
                let mut by_status = BTreeMap::new();
                let mut by_persona = BTreeMap::new();
                for bot in &bots {
                    *by_status.entry(bot.status.as_str()).or_insert(0) += 1;
                    *by_persona.entry(bot.id.persona.clone()).or_insert(0) += 1;
                }
                let _ = reply.send(FleetView {
                    started_at,
                    now: clock.now(),
                    speed: 60.0,
                    by_status,
                    by_persona,
                    stopped_because: stopped_because.clone(),
                    signals: Signals::default(),
                    refused: vec![persona("data_viz_analyst")],
                    ticks: 48_213,
                    failed_ticks: 12,
                    actions: BTreeMap::new(),
                    vms: 18,
                    next_wake: Some(at(&clock, 90)),
                    lag: Lag { p50: Duration::from_millis(2), p99: Duration::from_millis(31) },
                });
            }
            Command::Bots(filter, reply) => {
                let search = filter.search.map(|search| search.to_lowercase());
                let fit = |bot: &&BotView| {
                    filter.persona.as_ref().is_none_or(|name| bot.id.persona == *name)
                        && filter.status.as_ref().is_none_or(|status| bot.status.as_str() == status)
                        && search.as_ref().is_none_or(|search| {
                            [bot.id.to_string(), bot.username.clone(), bot.name.clone()]
                                .iter()
                                .any(|text| text.to_lowercase().contains(search))
                        })
                };
                let total = bots.iter().filter(fit).count();
                let bots = bots.iter().filter(fit).skip(filter.offset).take(filter.limit).cloned().collect();
                let _ = reply.send(BotPage { bots, total });
            }
            Command::Bot(id, reply) => {
                let found = bots.iter().find(|bot| bot.id == id).cloned();
                let error = "scripts/personas/ai_artist.luau:31: attempt to index nil with 'title'".to_owned();
                let _ = reply.send(found.map(|bot| {
                    let is_broken = matches!(bot.status, BotStatus::Backoff { .. });
                    (bot, "Collects skies that never were.".to_owned(), if is_broken { error } else { String::new() })
                }));
            }
            Command::Scripts(reply) => {
                let _ = reply.send(scripts.clone());
            }
            Command::Pause(target, reason, duration, reply) => {
                write(format!("pause {target:?} {reason:?} {:?}", duration.map(Seconds::get)));
                if target == Target::All {
                    stopped_because = Some(if reason.is_empty() {
                        "paused by operator".to_owned()
                    } else {
                        format!("paused by operator: {reason}")
                    });
                }
                let _ = reply.send(count(&target));
            }
            Command::Resume(target, reply) => {
                write(format!("resume {target:?}"));
                stopped_because = None;
                let _ = reply.send(count(&target));
            }
            Command::Wake(target, reply) => {
                write(format!("wake {target:?}"));
                let _ = reply.send(count(&target));
            }
            Command::BudgetsEnded(_, reply) => {
                write("budgets ended".to_owned());
                let _ = reply.send(());
            }
            Command::Console(id, code, mode, reply) => {
                write(format!("console {id} {code:?} {mode:?}"));
                let error = code.contains("error").then(wrong);
                let _ = reply.send(count(&Target::Bot(id)).map(|_| match code.as_str() {
                    "busy" => Err("it is in a tick".to_owned()),
                    _ => Ok(ConsoleView {
                        version: VersionId::new("0f3a9c1e77aa"),
                        printed: vec!["a line".to_owned()],
                        values: vec!["{ 1, 2 }".to_owned()],
                        error,
                        is_kept: mode == floimg_fleet::lua::console::Mode::Write,
                    }),
                }));
            }
            Command::Reload(reply) => {
                write("reload".to_owned());
                let _ = reply.send(Reloaded {
                    accepted: vec![(persona("ai_artist"), VersionId::new("0f3a9c1e77aa"))],
                    refused: vec![(persona("data_viz_analyst"), vec![wrong()])],
                    unchanged: 4,
                });
            }
        }
    }
}
