//! Fleets that run: memory, throughput, lag, reload, restart and writes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use floimg_fleet::model::name::{BotId, PersonaName};
use floimg_fleet::model::seconds::Seconds;
use floimg_fleet::model::status::Rest;
use floimg_fleet::store::{BotRow, NewBot, Store, TickRow};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::child::{Asked, mark, resident};
use crate::report::median;
use crate::rig::{self, BUNDLED, Running, Script};

/// Wall time from a start to the first wake-ups, so that all is loaded by then.
const LEAD_SECS: f64 = 3.0;
/// Bots that are written together while a database is prepared.
const TOGETHER: usize = 512;

pub fn folder(asked: &Asked) -> anyhow::Result<PathBuf> {
    Ok(PathBuf::from(asked.text("folder")?))
}

pub async fn pause(seconds: f64) {
    tokio::time::sleep(Seconds::clamped(seconds).duration()).await;
}

/// The roster that was asked for, like `quiet:100,hostile:1`.
fn roster(asked: &Asked) -> anyhow::Result<Vec<(&str, u32)>> {
    let pairs = asked.text("roster")?.split(',').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, count) = pair.split_once(':').context("a roster is like quiet:100")?;
            Ok((name, count.parse()?))
        })
        .collect()
}

/// The keys that were asked for, like `runtime.warm_vms=0`, under `set`.
pub fn write_config(asked: &Asked) -> anyhow::Result<()> {
    let pairs = asked.text("set")?.split(';').filter_map(|pair| pair.split_once(':'));
    let keys: Vec<(&str, String)> = pairs.map(|(key, value)| (key, value.to_owned())).collect();
    rig::write_config(&folder(asked)?, &roster(asked)?, &keys)
}

/// Makes a folder whose bots have accounts, have lived one tick, and wake one after the other over a period.
pub async fn prepare(asked: &Asked) -> anyhow::Result<Value> {
    let folder = folder(asked)?;
    let (period, speed): (f64, f64) = (asked.number("period")?, asked.number("speed")?);
    rig::write_bundled(&folder)?;
    for script in [Script::Quiet(period * speed), Script::Marked(period * speed), Script::Hostile] {
        rig::write_script(&folder, &script)?;
    }
    write_config(asked)?;
    // Everything is read and every bot is made, but nothing runs.
    let app = rig::build(&folder).await?;
    let store = app.fleet().world().store.clone();
    drop(app);
    let bots = store.bots().await?;
    let from = Timestamp::now();
    let gap = period / bots.len().max(1) as f64;
    for (chunk, some) in bots.chunks(TOGETHER).enumerate() {
        let writes = some.iter().enumerate().map(|(nth, bot)| {
            let wait = (LEAD_SECS + gap * (chunk * TOGETHER + nth) as f64) * speed;
            let at = from.saturating_add(Seconds::clamped(wait).signed()).unwrap_or(from);
            born(&store, bot, at)
        });
        try_join_all(writes).await?;
    }
    store.close().await;
    Ok(json!({ "bots": bots.len() }))
}

async fn born(store: &Store, bot: &BotRow, wake_at: Timestamp) -> anyhow::Result<()> {
    store.set_account(&bot.id, Some(format!("account-{}", bot.id))).await?;
    let version = store.last_version(&bot.id.persona).await?.context("the persona has no version")?;
    let mut row = tick_row(&bot.id, wake_at);
    row.version = Some(version.id);
    row.state = Some(json!({ "count": 1, "due": wake_at.as_duration().as_secs_f64() }).to_string());
    store.commit_tick(row).await?;
    Ok(())
}

fn tick_row(id: &BotId, wake_at: Timestamp) -> TickRow {
    TickRow {
        id: id.clone(),
        state: Some(json!({ "count": 1 }).to_string()),
        tick: 1,
        version: None,
        wake_at,
        wake_why: Rest::Asked,
        visit: 1,
        visit_tick: 1,
        visit_left: 1,
        failures: 0,
        error: String::new(),
        hold: None,
        delivered: Vec::new(),
        at: wake_at,
        activities: Vec::new(),
    }
}

/// The memory of a fleet whose bots all sleep.
pub async fn sleep(asked: &Asked) -> anyhow::Result<Value> {
    write_config(asked)?;
    let started = Instant::now();
    let running = Running::start(rig::build(&folder(asked)?).await?);
    let loaded = started.elapsed();
    let view = running.fleet.status().await?;
    pause(1.5).await;
    let figures = json!({
        "bytes": resident()?, "bots": view.by_status.values().sum::<u64>(), "load_secs": loaded.as_secs_f64(),
    });
    running.stop().await?;
    Ok(figures)
}

/// Ticks in a second of a fleet that never catches up.
pub async fn throughput(asked: &Asked) -> anyhow::Result<Value> {
    let seconds: f64 = asked.number("seconds")?;
    let folder = folder(asked)?;
    rig::write_bundled(&folder)?;
    rig::write_script(&folder, &Script::Quiet(1.0))?;
    write_config(asked)?;
    let running = Running::start(rig::build(&folder).await?);
    let fleet = &running.fleet;
    // Everyone has an account and a first tick behind it before anything is counted.
    loop {
        let view = fleet.status().await?;
        if view.ticks >= 2 * view.by_status.values().sum::<u64>() {
            break;
        }
        pause(0.05).await;
    }
    let store = &fleet.world().store;
    let (before, rows, started) = (fleet.status().await?, store.newest_activity().await?, Instant::now());
    pause(seconds).await;
    let (after, new_rows, took) =
        (fleet.status().await?, store.newest_activity().await?, started.elapsed().as_secs_f64());
    running.stop().await?;
    let failed = after.failed_ticks - before.failed_ticks;
    anyhow::ensure!(failed == 0, "{failed} ticks went wrong");
    Ok(json!({
        "ticks": (after.ticks - before.ticks) as f64 / took, "activities": (new_rows - rows) as f64 / took,
    }))
}

/// How late wake-ups are under a steady load: from when a bot was due to the first line of its script.
pub async fn steady(asked: &Asked) -> anyhow::Result<Value> {
    let (seconds, speed): (f64, f64) = (asked.number("seconds")?, asked.number("speed")?);
    write_config(asked)?;
    let running = Running::start(rig::build(&folder(asked)?).await?);
    pause(LEAD_SECS).await;
    let before = running.fleet.status().await?;
    pause(seconds).await;
    let after = running.fleet.status().await?;
    let bytes = resident()?;
    let mut late = Vec::new();
    for (_, state) in states(&running, "quiet").await? {
        let found = state.get("late").and_then(Value::as_array).into_iter().flatten();
        late.extend(found.filter_map(Value::as_f64).map(|late| late / speed * 1e3));
    }
    running.stop().await?;
    anyhow::ensure!(!late.is_empty(), "no bot woke");
    late.sort_by(f64::total_cmp);
    let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
    Ok(json!({
        "p50": at(0.5), "p99": at(0.99), "most": at(1.0), "wakes": late.len(), "bytes": bytes,
        "rate": (after.ticks - before.ticks) as f64 / seconds, "failed": after.failed_ticks,
    }))
}

/// The bots of one persona with their states.
async fn states(running: &Running, persona: &str) -> anyhow::Result<Vec<(BotRow, Value)>> {
    let store = &running.fleet.world().store;
    let bots = store.bots().await?.into_iter().filter(|bot| bot.id.persona.as_str() == persona);
    let mut found = Vec::new();
    for bot in bots {
        let state = store.state(&bot.id).await?.context("a bot has no state")?;
        found.push((bot, serde_json::from_str(&state)?));
    }
    Ok(found)
}

/// Saves a new version under a fleet at work, and looks at every wake-up afterwards.
pub async fn reload(asked: &Asked) -> anyhow::Result<Value> {
    let (count, speed): (u64, f64) = (asked.number("count")?, asked.number("speed")?);
    let folder = folder(asked)?;
    rig::mark(&folder, 1)?;
    write_config(asked)?;
    let running = Running::start(rig::build(&folder).await?);
    let fleet = &running.fleet;
    pause(LEAD_SECS + 2.0).await;
    let persona = PersonaName::new("marked")?;
    let version = || async {
        let found = fleet.scripts().await?.into_iter().find(|script| script.persona == persona);
        let script = found.context("the persona is gone")?;
        let id = script.version.context("the persona has no version")?;
        let on_it = script.ran.get(id.as_str()).copied().unwrap_or(0);
        anyhow::Ok((id, on_it))
    };
    let (old, _) = version().await?;
    rig::mark(&folder, 2)?;
    let (saved, saved_at) = (Instant::now(), fleet.world().clock.now());
    let mut accepted = None;
    let last = loop {
        let (id, on_it) = version().await?;
        if id != old {
            accepted.get_or_insert_with(|| saved.elapsed());
            if on_it == count {
                break saved.elapsed();
            }
        }
        anyhow::ensure!(saved.elapsed() < Duration::from_secs(60), "after 60 s {on_it} of {count} run the new version");
        pause(0.01).await;
    };
    pause(1.0).await;
    let second = Seconds::clamped(speed).signed();
    let limit = saved_at.saturating_add(second).unwrap_or(saved_at).as_duration().as_secs_f64();
    let (mut stale, mut mixed, mut lost, mut wakes) = (0_u64, 0_u64, 0_u64, 0_u64);
    let failed = fleet.status().await?.failed_ticks;
    let found = states(&running, "marked").await?;
    for (bot, state) in &found {
        let number = |name: &str| state.get(name).and_then(Value::as_u64).unwrap_or(0);
        mixed += number("mixed");
        lost += bot.tick.abs_diff(number("count"));
        for wake in state.get("wakes").and_then(Value::as_array).into_iter().flatten() {
            let late = wake.get("at").and_then(Value::as_f64).is_some_and(|at| at > limit);
            wakes += u64::from(late);
            stale += u64::from(late && wake.get("mark").and_then(Value::as_u64) != Some(2));
        }
    }
    running.stop().await?;
    Ok(json!({
        "accepted": accepted.unwrap_or(last).as_secs_f64(), "last": last.as_secs_f64(), "stale": stale, "mixed": mixed,
        "lost": lost + failed, "wakes": wakes,
    }))
}

/// A start with bots that are all due: the parent times the marks.
pub async fn restart(asked: &Asked) -> anyhow::Result<Value> {
    write_config(asked)?;
    let app = rig::build(&folder(asked)?).await?;
    mark("loaded");
    let running = Running::start(app);
    while running.fleet.status().await?.ticks == 0 {
        pause(0.002).await;
    }
    mark("ticked");
    running.stop().await?;
    Ok(json!({}))
}

/// Ticks written one by one, and as many at once as one transaction takes.
pub async fn writes(asked: &Asked) -> anyhow::Result<Value> {
    let runs: usize = asked.number("runs")?;
    let folder = folder(asked)?;
    std::fs::create_dir_all(&folder)?;
    let store = Store::open(&folder.join("writes.db")).await?;
    let now = Timestamp::now();
    let bots: Vec<BotId> =
        (1..=512).map(|index| anyhow::Ok(format!("{BUNDLED}-{index}").parse()?)).collect::<Result<_, _>>()?;
    let new = bots.iter().map(|id| NewBot {
        id: id.clone(),
        username: id.to_string(),
        name: id.to_string(),
        born_at: now,
        wake_at: now,
    });
    store.add_bots(new.collect()).await?;
    let (mut ones, mut groups) = (Vec::new(), Vec::new());
    for id in bots.iter().cycle().take(runs) {
        let started = Instant::now();
        store.commit_tick(tick_row(id, now)).await?;
        ones.push(started.elapsed().as_secs_f64() * 1e3);
        let started = Instant::now();
        try_join_all(bots.iter().map(|id| store.commit_tick(tick_row(id, now)))).await?;
        groups.push(started.elapsed().as_secs_f64() * 1e3);
    }
    store.close().await;
    Ok(json!({ "one": median(&ones), "group": median(&groups) }))
}
