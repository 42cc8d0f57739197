//! `rand`: chance, seeded by the bot and its tick.

use mlua::Value;
use rand::RngExt;

use crate::host::rhythm;
use crate::lua::api::{Answer, Call, Module};
use crate::lua::args::{as_number, shown};

pub(super) const MODULE: Module = Module {
    name: "rand",
    types: include_str!("rand.d.luau"),
    is_granted_by_name: false,
    waiting: &[],
    immediate: &[
        ("rand.number", number),
        ("rand.int", int),
        ("rand.chance", chance),
        ("rand.pick", pick),
        ("rand.weighted", weighted),
        ("rand.shuffle", shuffle),
        ("rand.pause", pause),
    ],
};

fn unit(call: &Call) -> f64 {
    call.host.with_chance(|rng| rng.random::<f64>())
}

fn number(call: Call) -> Answer {
    Ok(Value::Number(unit(&call)))
}

fn int(mut call: Call) -> Answer {
    let low = call.args.number("low")?;
    let high = call.args.number("high")?;
    if low.fract() != 0.0 || high.fract() != 0.0 || low > high || low.abs() > 1e15 || high.abs() > 1e15 {
        return Err(format!("rand.int: expected two whole numbers, the lower first, got {low} and {high}").into());
    }
    Ok(Value::Number((low + (unit(&call) * (high - low + 1.0)).floor()).min(high)))
}

fn chance(mut call: Call) -> Answer {
    let probability = call.args.number("probability")?;
    Ok(Value::Boolean(unit(&call) < probability))
}

fn pick(mut call: Call) -> Answer {
    let list = call.args.table("list")?;
    let length = list.raw_len();
    if length == 0 {
        return Ok(Value::Nil);
    }
    let index = call.host.with_chance(|rng| rng.random_range(1..=length));
    Ok(list.raw_get(index)?)
}

fn weighted(mut call: Call) -> Answer {
    let table = call.args.table("weights")?;
    let mut weights = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let weight = as_number(&value).filter(|weight| weight.is_finite() && *weight >= 0.0).ok_or_else(|| {
            format!("rand.weighted: the weight of {} must be a number from 0, got {}", shown(&key), shown(&value))
        })?;
        weights.push((key, weight));
    }
    // The order of a table's keys is not told, so the draw goes by the keys themselves and stays the same for the same tick.
    weights.sort_by_cached_key(|(key, _)| shown(key));
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut left = unit(&call) * total;
    let mut chosen = Value::Nil;
    for (key, weight) in weights {
        if weight > 0.0 {
            chosen = key;
            if left < weight {
                break;
            }
            left -= weight;
        }
    }
    Ok(chosen)
}

fn shuffle(mut call: Call) -> Answer {
    let list = call.args.table("list")?;
    let mut values: Vec<Value> = list.sequence_values::<Value>().collect::<mlua::Result<_>>()?;
    call.host.with_chance(|rng| {
        for last in (1..values.len()).rev() {
            values.swap(last, rng.random_range(0..=last));
        }
    });
    Ok(Value::Table(call.lua.create_sequence_from(values)?))
}

fn pause(mut call: Call) -> Answer {
    let median = call.args.seconds("median")?;
    Ok(Value::Number(call.host.with_chance(|rng| rhythm::pause(median.get(), rng))))
}
