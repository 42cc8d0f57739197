//! The sections of the config, as the types that the program trusts.
//!
//! Every value is in its range, and in base units: bytes, [`Duration`] for the wall, [`Seconds`] for bots' time. The
//! key in the file carries the unit in its name.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use url::Url;

use super::value;
use crate::model::seconds::Seconds;
use crate::secret::Secret;

/// The top-level keys and all sections.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Decides which choices bots make; no name or account depends on it.
    #[serde(deserialize_with = "value::text::<200, _>")]
    pub seed: String,
    /// The folder of the database, the pictures and the admin token.
    #[serde(deserialize_with = "value::folder")]
    pub data_dir: PathBuf,
    /// The folder of personas and behaviours; it may be missing.
    #[serde(deserialize_with = "value::folder")]
    pub scripts_dir: PathBuf,
    /// The folder of plugins; it may be missing.
    #[serde(deserialize_with = "value::folder")]
    pub plugins_dir: PathBuf,
    /// How fast bots' time runs.
    pub clock: ClockConfig,
    /// The gallery that the fleet acts on, and how to call it.
    pub floimg: FloimgConfig,
    /// The embedded studio.
    pub studio: StudioConfig,
    /// The status API and dashboard.
    pub http: HttpConfig,
    /// How bots are run.
    pub runtime: RuntimeConfig,
    /// What one bot's script may use.
    pub sandbox: SandboxConfig,
    /// What one bot may do.
    pub limits: LimitsConfig,
    /// How changed scripts are taken.
    pub reload: ReloadConfig,
    /// How plugins are run.
    pub plugins: PluginsConfig,
    /// What each plugin is told, by its name; its manifest says what it takes.
    #[serde(default)]
    pub plugin_options: BTreeMap<String, toml::Table>,
    /// What scripts get of what they declare.
    pub permissions: super::web::PermissionsConfig,
    /// What scripts may send to other hosts.
    pub web: super::web::WebConfig,
    /// Where words come from.
    pub llm: super::llm::LlmConfig,
    /// What models may cost.
    pub budgets: super::budgets::BudgetsConfig,
    /// What models cost, beside what the program knows.
    pub prices: super::budgets::PricesConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Which bots should exist.
    #[serde(rename = "bots")]
    pub roster: super::roster::Roster,
}

/// `[clock]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockConfig {
    /// Bots' seconds per second of the wall; 1 with a real studio.
    #[serde(deserialize_with = "value::number::<1, 100_000, _>")]
    pub speed: f64,
}

/// `[floimg]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloimgConfig {
    /// The studio that the fleet acts on.
    pub studio: StudioAddress,
    /// The server that runs workflows, when it is not the studio.
    #[serde(deserialize_with = "same_or_url")]
    pub workflows_url: Option<Url>,
    /// The variable that holds the service token.
    #[serde(deserialize_with = "value::variable")]
    pub token_env: String,
    /// The service token, if the variable is set.
    #[serde(skip)]
    pub token: Option<Secret>,
    /// How long a connection may take.
    #[serde(rename = "connect_timeout_secs", deserialize_with = "value::wall_secs::<100, 300, _>")]
    pub connect_timeout: Duration,
    /// How long a read may take.
    #[serde(rename = "read_timeout_secs", deserialize_with = "value::wall_secs::<100, 3600, _>")]
    pub read_timeout: Duration,
    /// How long a write other than a workflow may take.
    #[serde(rename = "write_timeout_secs", deserialize_with = "value::wall_secs::<100, 3600, _>")]
    pub write_timeout: Duration,
    /// How long a workflow may take.
    #[serde(rename = "workflow_timeout_secs", deserialize_with = "value::wall_secs::<100, 3600, _>")]
    pub workflow_timeout: Duration,
    /// The longest reply that is read.
    #[serde(rename = "max_reply_mib", deserialize_with = "value::mib::<1, 1024, _>")]
    pub max_reply_bytes: usize,
    /// Reads that the fleet starts in a second.
    #[serde(deserialize_with = "value::number::<1, 10_000, _>")]
    pub reads_per_sec: f64,
    /// Writes that the fleet starts in a second.
    #[serde(deserialize_with = "value::number::<1, 10_000, _>")]
    pub writes_per_sec: f64,
    /// Calls under way at one time.
    #[serde(deserialize_with = "value::whole::<1, 1000, _, _>")]
    pub max_concurrent: usize,
    /// How often a failed read is tried again.
    #[serde(deserialize_with = "value::whole::<0, 10, _, _>")]
    pub read_retries: u32,
    /// The generator that the studio has, by the one that a persona asks for.
    #[serde(deserialize_with = "value::names")]
    pub generators: BTreeMap<String, String>,
}

/// Where the studio is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudioAddress {
    /// In this process.
    Embedded,
    /// At an address.
    Remote(Url),
}

impl<'de> Deserialize<'de> for StudioAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(value::word_or_url(from, "embedded")?.map_or(Self::Embedded, Self::Remote))
    }
}

fn same_or_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    value::word_or_url(from, "same")
}

/// `[studio]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudioConfig {
    /// Where the embedded studio listens; port 0 takes any.
    #[serde(deserialize_with = "value::address")]
    pub listen: SocketAddr,
    /// How many bytes of pictures it keeps.
    #[serde(rename = "image_cache_mib", deserialize_with = "value::mib::<16, 65_536, _>")]
    pub image_cache_bytes: usize,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where the status API and the dashboard listen; port 0 takes any.
    #[serde(deserialize_with = "value::address")]
    pub listen: SocketAddr,
    /// The variable that holds the admin token.
    #[serde(deserialize_with = "value::variable")]
    pub admin_token_env: String,
    /// The admin token, if the variable is set; otherwise it is kept in a file of [`Settings::data_dir`].
    #[serde(skip)]
    pub admin_token: Option<Secret>,
}

/// `[runtime]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    /// Bots acting at one time.
    #[serde(deserialize_with = "value::whole::<1, 10_000, _, _>")]
    pub max_acting: usize,
    /// VMs kept between ticks.
    #[serde(deserialize_with = "value::whole::<0, 100_000, _, _>")]
    pub warm_vms: usize,
    /// How soon on the wall a bot's next tick must be for its VM to be kept.
    #[serde(rename = "warm_secs", deserialize_with = "value::wall_secs::<0, 86_400, _>")]
    pub warm: Duration,
    /// Threads that run scripts; 0 leaves the number to [`RuntimeConfig::script_threads`].
    #[serde(rename = "script_threads", deserialize_with = "value::whole::<0, 1024, _, _>")]
    pub configured_script_threads: usize,
    /// How long ticks and actions under way get at shutdown, on the wall.
    #[serde(rename = "grace_secs", deserialize_with = "value::wall_secs::<0, 3600, _>")]
    pub grace: Duration,
    /// The wait after a bot's first script error.
    #[serde(rename = "retry_base_secs", deserialize_with = "value::bot_secs::<1000, 86_400, _>")]
    pub retry_base: Seconds,
    /// The longest wait after a script error.
    #[serde(rename = "retry_cap_secs", deserialize_with = "value::bot_secs::<1000, 604_800, _>")]
    pub retry_cap: Seconds,
    /// Script errors in a row after which a bot is quarantined.
    #[serde(deserialize_with = "value::whole::<1, 1000, _, _>")]
    pub quarantine_after: u32,
    /// How much of the wall the bots that are overdue at a start wake over.
    #[serde(rename = "overdue_spread_secs", deserialize_with = "value::wall_secs::<0, 86_400, _>")]
    pub overdue_spread: Duration,
}

impl RuntimeConfig {
    /// How many threads run scripts: what is configured, or two per core and at least 4.
    pub fn script_threads(&self) -> usize {
        match self.configured_script_threads {
            0 => std::thread::available_parallelism().map_or(4, |cores| (cores.get() * 2).max(4)),
            threads => threads,
        }
    }
}

/// `[sandbox]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxConfig {
    /// Memory of one VM.
    #[serde(rename = "memory_mib", deserialize_with = "value::mib::<2, 1024, _>")]
    pub memory_bytes: usize,
    /// CPU of one tick.
    #[serde(rename = "tick_cpu_millis", deserialize_with = "value::millis::<1, 60_000, _>")]
    pub tick_cpu: Duration,
    /// CPU between two calls to the host.
    #[serde(rename = "poll_cpu_millis", deserialize_with = "value::millis::<1, 60_000, _>")]
    pub poll_cpu: Duration,
    /// The longest script file.
    #[serde(rename = "source_kib", deserialize_with = "value::kib::<1, 16_384, _>")]
    pub source_bytes: usize,
    /// The largest `bot.state`, as JSON.
    #[serde(rename = "state_kib", deserialize_with = "value::kib::<1, 1024, _>")]
    pub state_bytes: usize,
    /// Lines that one tick may log.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub log_lines_per_tick: usize,
    /// Entries that a bot may keep in `store`.
    #[serde(deserialize_with = "value::whole::<0, 100_000, _, _>")]
    pub store_entries: usize,
    /// The largest value in `store`, as JSON.
    #[serde(rename = "store_value_kib", deserialize_with = "value::kib::<1, 1024, _>")]
    pub store_value_bytes: usize,
    /// Memories that a bot keeps.
    #[serde(deserialize_with = "value::whole::<0, 100_000, _, _>")]
    pub memories: usize,
}

/// `[limits]`: hard caps for each bot, in bots' time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Actions of any kind in an hour.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub actions_per_hour: u32,
    /// Actions of any kind in a day.
    #[serde(deserialize_with = "value::whole::<0, 100_000, _, _>")]
    pub actions_per_day: u32,
    /// Posts in a day, remixes counted.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub posts_per_day: u32,
    /// Comments in an hour.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub comments_per_hour: u32,
    /// Comments in a day.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub comments_per_day: u32,
    /// Upvotes in an hour.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub upvotes_per_hour: u32,
    /// Upvotes in a day.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub upvotes_per_day: u32,
    /// Workflows run in a day.
    #[serde(deserialize_with = "value::whole::<0, 10_000, _, _>")]
    pub generations_per_day: u32,
    /// How many days back a bot's texts are compared.
    #[serde(deserialize_with = "value::whole::<0, 366, _, _>")]
    pub duplicate_days: u32,
    /// From which similarity, 0 to 1, two texts are the same.
    #[serde(deserialize_with = "value::number::<0, 1, _>")]
    pub duplicate_similarity: f64,
    /// How many days back a text is compared with those of other bots.
    #[serde(deserialize_with = "value::whole::<0, 30, _, _>")]
    pub fleet_duplicate_days: u32,
    /// From which similarity, 0 to 1, two texts of different bots are the same.
    #[serde(deserialize_with = "value::number::<0, 1, _>")]
    pub fleet_duplicate_similarity: f64,
    /// How fast a bot types.
    #[serde(deserialize_with = "value::number::<100, 1000, _>")]
    pub typing_chars_per_sec: f64,
}

/// `[reload]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReloadConfig {
    /// Whether saved scripts are taken at once.
    #[serde(deserialize_with = "value::flag")]
    pub watch: bool,
    /// Quiet time after a save before looking.
    #[serde(rename = "debounce_millis", deserialize_with = "value::millis::<0, 10_000, _>")]
    pub debounce: Duration,
    /// How often to look without being told.
    #[serde(rename = "poll_secs", deserialize_with = "value::wall_secs::<100, 3600, _>")]
    pub poll: Duration,
    /// Whether a new version runs once without effects before bots get it.
    #[serde(deserialize_with = "value::flag")]
    pub trial: bool,
    /// The share of a persona's bots, 0 to 1, that tries a new version before the others get it; 0 gives it to all.
    #[serde(deserialize_with = "value::number::<0, 1, _>")]
    pub canary: f64,
    /// Ticks after which a version that is tried is promoted, when nothing speaks against it.
    #[serde(deserialize_with = "value::whole::<20, 1_000_000, _, _>")]
    pub canary_ticks: u64,
    /// How long a version is tried at most, in bots' time.
    #[serde(rename = "canary_secs", deserialize_with = "value::bot_secs::<60_000, 31_536_000, _>")]
    pub canary_time: Seconds,
    /// How many versions of a persona are kept.
    #[serde(deserialize_with = "value::whole::<2, 10_000, _, _>")]
    pub keep_versions: u32,
}

/// `[plugins]`, without the sections of single plugins
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginsConfig {
    /// How long a bot waits for a plugin, on the wall.
    #[serde(rename = "deadline_millis", deserialize_with = "value::millis::<1, 10_000, _>")]
    pub deadline: Duration,
    /// How long a call may take that no bot waits for, on the wall.
    #[serde(rename = "background_secs", deserialize_with = "value::wall_secs::<100, 600, _>")]
    pub background: Duration,
    /// Calls that may wait for one plugin.
    #[serde(deserialize_with = "value::whole::<1, 10_000, _, _>")]
    pub queue: usize,
    /// Faults among its last 20 calls that stop a plugin.
    #[serde(deserialize_with = "value::whole::<1, 20, _, _>")]
    pub quarantine_after: u32,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// Which events are logged, as `tracing_subscriber::EnvFilter` reads it.
    #[serde(deserialize_with = "value::log_filter")]
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl<'de> Deserialize<'de> for LogFormat {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::one_of(from, &[("text", Self::Text), ("json", Self::Json)])
    }
}
