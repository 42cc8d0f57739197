//! What a call to the gallery came to, read field by field: whatever is missing or strange reads as nothing.

use jiff::Timestamp;
use serde_json::Value;

use super::World;

pub(super) fn text_of(outcome: &Value, key: &str) -> String {
    optional_text(outcome, key).unwrap_or_default()
}

pub(super) fn optional_text(outcome: &Value, key: &str) -> Option<String> {
    outcome.get(key).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn count_of(outcome: &Value, key: &str) -> u32 {
    outcome.get(key).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

pub(super) fn time_of(outcome: &Value, world: &World) -> Timestamp {
    outcome
        .get("at")
        .and_then(Value::as_i64)
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or_else(|| world.clock.now())
}
