//! What a host call costs beside a bare function of mlua's.
//!
//! Each price is the time of a loop with the call in it, less the time of the same loop without.

use std::sync::Arc;
use std::time::{Duration, Instant};

use floimg_fleet::host::Host;
use floimg_fleet::host::identity::identity;
use floimg_fleet::host::rhythm::Visit;
use floimg_fleet::host::trial::Trial;
use floimg_fleet::lua::{LivingBot, Tick};
use floimg_fleet::model::name::BotId;
use jiff::Timestamp;
use mlua::{Function, Lua, LuaOptions, StdLib};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::child::Asked;
use crate::report::median;
use crate::{rig, vms};

/// Prices in nanoseconds, and their ratios.
pub async fn prices(asked: &Asked) -> anyhow::Result<Value> {
    let (runs, calls): (u32, u32) = (asked.number("runs")?, asked.number("calls")?);
    let folder = rig::folder(asked.text("root")?, "calls");
    rig::write_script(&folder, &rig::Script::Quiet(1e6))?;
    rig::write_config(&folder, &[], &[])?;
    let running = rig::Running::start(rig::build(&folder).await?);
    let bare_now = bare("f()", calls, |lua| lua.create_function(|_, ()| Ok(1.0)))?;
    let bare_ready = bare("f('key')", calls, |lua| lua.create_async_function(|_, _: String| async { Ok(1.0) }))?;
    let bare_waits = bare("f('key')", calls, |lua| {
        lua.create_async_function(|_, _: String| async {
            tokio::task::yield_now().await;
            Ok(1.0)
        })
    })?;
    let bare_empty = bare("", calls, |lua| lua.create_function(|_, ()| Ok(1.0)))?;
    let mut empty = measured("", calls)?;
    let mut now = measured("time.now()", calls)?;
    let mut get = measured("store.get('key')", calls)?;
    let mut prices: [Vec<f64>; 6] = Default::default();
    for _ in 0..runs {
        let nothing = call(&bare_empty).await?;
        let bots_nothing = live(&mut empty, None).await?;
        let per_call =
            |took: Duration, base: Duration| took.saturating_sub(base).as_secs_f64() * 1e9 / f64::from(calls);
        prices[0].push(per_call(call(&bare_now).await?, nothing));
        prices[1].push(per_call(call(&bare_ready).await?, nothing));
        prices[2].push(per_call(call(&bare_waits).await?, nothing));
        prices[3].push(per_call(live(&mut now, None).await?, bots_nothing));
        prices[4].push(per_call(live(&mut get, None).await?, bots_nothing));
        prices[5].push(per_call(live(&mut get, Some(&running)).await?, bots_nothing));
    }
    running.stop().await?;
    let [bare_now, bare_ready, bare_waits, now, trial_get, live_get] = prices.map(|runs| median(&runs));
    Ok(json!({
        "bare_now": bare_now, "bare_ready": bare_ready, "bare_waits": bare_waits, "now": now, "trial_get": trial_get,
        "live_get": live_get, "now_ratio": now / bare_now, "trial_ratio": trial_get / bare_waits,
        "live_ratio": live_get / bare_waits,
    }))
}

fn looped(body: &str, calls: u32) -> String {
    format!("for _ = 1, {calls} do {body} end")
}

/// A bare VM with one function `f`.
fn bare(body: &str, calls: u32, f: impl FnOnce(&Lua) -> mlua::Result<Function>) -> anyhow::Result<(Lua, Function)> {
    let lua = Lua::new_with(StdLib::TABLE | StdLib::STRING | StdLib::MATH, LuaOptions::new())?;
    lua.globals().raw_set("f", f(&lua)?)?;
    lua.sandbox(true)?;
    let function = lua.load(format!("return function() {} end", looped(body, calls))).eval()?;
    Ok((lua, function))
}

async fn call((_, function): &(Lua, Function)) -> anyhow::Result<Duration> {
    let started = Instant::now();
    function.call_async::<()>(()).await?;
    Ok(started.elapsed())
}

fn measured(body: &str, calls: u32) -> anyhow::Result<LivingBot> {
    let body = looped(body, calls);
    let version = vms::build_script(&format!(
        "return {{
            identity = {{ names = {{ 'measured {{n}}' }}, username = 'measured_{{n}}' }},
            schedule = {{ timezone = 'UTC', awake = '00:00-00:00' }},
            on_tick = function(bot) {body} end,
        }}"
    ))?;
    LivingBot::new(version, vms::WIDE, None).map_err(|problem| anyhow::anyhow!("{problem}"))
}

/// One tick, in a trial or in the world of a fleet.
async fn live(bot: &mut LivingBot, world: Option<&rig::Running>) -> anyhow::Result<Duration> {
    let Some(world) = world else {
        return vms::live(bot, &Arc::new(Trial::new(Timestamp::now(), false)), 1, 1).await;
    };
    let persona = bot.version().persona.clone();
    let id = BotId { persona: persona.name.clone(), index: 1 };
    let profile = Arc::new(identity(&persona, 1));
    let host = Host::live(world.fleet.world().clone(), id, profile, persona, 1, CancellationToken::new());
    let visit = Visit { number: 1, tick: 1, ticks_left: 1 };
    let started = Instant::now();
    let lived = bot.live(Tick { host, visit, old_version: None, events: Vec::new() }).await;
    let took = started.elapsed();
    lived.map_err(|problem| anyhow::anyhow!("a tick went wrong: {problem}"))?;
    Ok(took)
}
