//! `time`: bots' time.

use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mlua::Value;

use crate::host::rhythm::parse;
use crate::lua::api::{Answer, Call, Module, Trouble};

use super::floimg::unix;

pub(super) const MODULE: Module = Module {
    name: "time",
    types: include_str!("time.d.luau"),
    is_granted_by_name: false,
    waiting: &[("time.sleep", sleep)],
    immediate: &[("time.now", now), ("time.here", here), ("time.there", there), ("time.iso", iso)],
};

/// The longest wait within a tick.
const LONGEST_SECS: f64 = 30.0;

fn sleep(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let seconds = call.args.seconds("seconds")?;
        if seconds.get() > LONGEST_SECS {
            return Err(format!(
                "time.sleep: at most {LONGEST_SECS} seconds, got {}; return the seconds from on_tick instead",
                seconds.get()
            )
            .into());
        }
        call.meter.take_sleep(seconds)?;
        call.host.sleep(seconds).await?;
        Ok(Value::Nil)
    })
}

fn now(call: Call) -> Answer {
    Ok(Value::Number(unix(call.host.now())))
}

fn here(mut call: Call) -> Answer {
    let at = moment(&mut call)?;
    let schedule = &call.host.persona().schedule;
    local_time(&call, at, &schedule.zone, &schedule.zone_name)
}

fn there(mut call: Call) -> Answer {
    let name = call.args.text("zone")?;
    let zone = parse::zone(&name).map_err(|wrong| format!("time.there: {wrong}"))?;
    let at = moment(&mut call)?;
    local_time(&call, at, &zone, &name)
}

fn local_time(call: &Call, at: Timestamp, zone: &TimeZone, name: &str) -> Answer {
    let local = at.to_zoned(zone.clone());
    let part = match local.hour() {
        5..12 => "morning",
        12..17 => "afternoon",
        17..22 => "evening",
        _ => "night",
    };
    let table = call.lua.create_table_with_capacity(0, 8)?;
    table.raw_set("year", local.year())?;
    table.raw_set("month", local.month())?;
    table.raw_set("day", local.day())?;
    table.raw_set("hour", local.hour())?;
    table.raw_set("minute", local.minute())?;
    table.raw_set("weekday", local.weekday().to_monday_one_offset())?;
    table.raw_set("zone", name)?;
    table.raw_set("part", part)?;
    Ok(Value::Table(table))
}

fn iso(mut call: Call) -> Answer {
    let at = moment(&mut call)?;
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    Ok(Value::String(call.lua.create_string(whole.to_string())?))
}

fn moment(call: &mut Call) -> Result<Timestamp, Trouble> {
    match call.args.optional_number("at")? {
        None => Ok(call.host.now()),
        Some(seconds) => SignedDuration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok())
            .ok_or_else(|| format!("{}: {seconds} is no time in Unix seconds", call.args.name()).into()),
    }
}
