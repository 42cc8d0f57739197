//! What the config says, in the terms of those who are told.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::config::{self, Config, Entry};
use crate::floimg::options::Options as FloimgOptions;
use crate::host::fetch::Outside;
use crate::host::limits::{Cap, Caps};
use crate::host::{Rules, budget};
use crate::llm::Llm;
use crate::lua::limits::Limits;
use crate::lua::plugins::options::{Grant, Setting, Told};
use crate::model::action::ActionKind;
use crate::model::seconds::Seconds;
use crate::runtime::bot::Settings;
use crate::runtime::canary;
use crate::runtime::catalog::Origin;
use crate::runtime::plugins::{PluginSettings, Terms};
use crate::secret::Secret;
use crate::web;

pub(super) fn limits(config: &Config) -> Limits {
    Limits {
        memory_bytes: config.sandbox.memory_bytes,
        tick_cpu: config.sandbox.tick_cpu,
        poll_cpu: config.sandbox.poll_cpu,
        state_bytes: config.sandbox.state_bytes,
        log_lines: u32::try_from(config.sandbox.log_lines_per_tick).unwrap_or(u32::MAX),
        source_bytes: config.sandbox.source_bytes,
    }
}

pub(super) fn settings(config: &Config) -> Settings {
    Settings {
        limits: limits(config),
        max_acting: config.runtime.max_acting,
        warm_vms: config.runtime.warm_vms,
        warm: config.runtime.warm,
        retry: Backoff { base: config.runtime.retry_base.duration(), cap: config.runtime.retry_cap.duration() },
        quarantine_after: config.runtime.quarantine_after,
        overdue_spread: config.runtime.overdue_spread,
        has_trial: config.reload.trial,
        canary: canary::Rules { share: config.reload.canary, ticks: config.reload.canary_ticks },
        canary_time: config.reload.canary_time,
        keep_versions: config.reload.keep_versions,
    }
}

pub(super) fn rules(config: &Config) -> Rules {
    let limits = &config.limits;
    let cap = |per_hour: Option<u32>, per_day: u32| Cap { per_hour, per_day: Some(per_day) };
    let kinds = [
        (ActionKind::Share, cap(None, limits.posts_per_day)),
        (ActionKind::Comment, cap(Some(limits.comments_per_hour), limits.comments_per_day)),
        (ActionKind::Upvote, cap(Some(limits.upvotes_per_hour), limits.upvotes_per_day)),
        (ActionKind::Generate, cap(None, limits.generations_per_day)),
    ];
    Rules {
        caps: Caps {
            actions: cap(Some(limits.actions_per_hour), limits.actions_per_day),
            kinds: kinds.into_iter().map(|(kind, cap)| (kind.as_str().to_owned(), cap)).collect(),
        },
        duplicate_days: limits.duplicate_days,
        duplicate_similarity: limits.duplicate_similarity,
        fleet_duplicate_days: limits.fleet_duplicate_days,
        fleet_duplicate_similarity: limits.fleet_duplicate_similarity,
        typing_chars_per_sec: limits.typing_chars_per_sec,
        store_entries: u32::try_from(config.sandbox.store_entries).unwrap_or(u32::MAX),
        store_value_bytes: config.sandbox.store_value_bytes,
        memories: u32::try_from(config.sandbox.memories).unwrap_or(u32::MAX),
        permissions: Arc::new(config.granted()),
        outside: Outside {
            limits: web::Limits {
                timeout: config.web.timeout,
                request_bytes: config.web.max_request_bytes,
                reply_bytes: config.web.max_reply_bytes,
            },
            calls_per_tick: config.web.calls_per_tick,
            keys: config.web.signing.clone(),
        },
    }
}

pub(super) fn budget_terms(config: &Config) -> budget::Terms {
    budget::Terms { budgets: config.budgets(), prices: config.known_prices() }
}

pub(super) fn floimg_options(config: &Config, api_url: Url, token: Secret, clock: Clock) -> FloimgOptions {
    let floimg = &config.floimg;
    FloimgOptions {
        workflows_url: floimg.workflows_url.clone(),
        connect_timeout: floimg.connect_timeout,
        read_timeout: floimg.read_timeout,
        write_timeout: floimg.write_timeout,
        workflow_timeout: floimg.workflow_timeout,
        max_reply_bytes: floimg.max_reply_bytes as u64,
        reads_per_sec: floimg.reads_per_sec,
        writes_per_sec: floimg.writes_per_sec,
        max_concurrent: floimg.max_concurrent,
        read_retries: floimg.read_retries,
        generators: floimg.generators.clone(),
        // A minute of bots' time, so that a hurried studio is not waited for by the wall.
        look_every: Seconds::clamped(60.0 / config.clock.speed).duration().max(Duration::from_secs(1)),
        ..FloimgOptions::new(api_url, token, clock)
    }
}

pub(super) fn origin(config: &Config) -> Origin {
    if config.scripts_dir.is_dir() { Origin::Folder(config.scripts_dir.clone()) } else { Origin::Shipped }
}

pub(super) fn plugin_origin(config: &Config) -> Origin {
    if config.plugins_dir.is_dir() { Origin::Folder(config.plugins_dir.clone()) } else { Origin::ShippedPlugins }
}

pub(super) fn plugin_settings(config: &Config) -> PluginSettings {
    let plugins = &config.plugins;
    let terms = Terms {
        deadline: plugins.deadline,
        background: plugins.background,
        queue: plugins.queue,
        quarantine_after: plugins.quarantine_after,
    };
    PluginSettings { terms, told: told(config) }
}

/// What the config says of plugins, from top to bottom of the file.
fn told(config: &Config) -> Told {
    let mut entries: Vec<&Entry> = config.entries().iter().collect();
    entries.sort_by_key(|entry| match entry.origin {
        config::Origin::File { line, .. } => line,
        config::Origin::Default | config::Origin::Variable(_) | config::Origin::Flag(_) => usize::MAX,
    });
    let mut told = Told::default();
    for entry in entries {
        let origin = entry.origin.clone();
        if let Some((plugin, name)) = entry.key.strip_prefix("plugins.").and_then(|rest| rest.split_once('.')) {
            let setting = Setting {
                name: name.to_owned(),
                value: config::plain(&entry.value),
                written: entry.value.to_string(),
                origin,
            };
            told.options.entry(plugin.to_owned()).or_default().push(setting);
            continue;
        }
        let named = ["permissions.plugins", "web.plugins", "web.secrets"].into_iter().find_map(|section| {
            let plugin = entry.key.strip_prefix(section)?.strip_prefix('.')?;
            Some((section, plugin.to_owned()))
        });
        told.grants.extend(named.map(|(section, plugin)| Grant { section, plugin, origin }));
    }
    told
}

/// Every model that the config names, which see pictures of this studio only.
pub(super) fn llm(config: &Config, studio: &Url) -> Result<Llm, crate::llm::Error> {
    let workflows = config.floimg.workflows_url.iter().cloned();
    Llm::new(&config.llm, &[studio.clone()].into_iter().chain(workflows).collect::<Vec<_>>())
}
