//! The JSON of the status API.
//!
//! Every reply is made from the fleet's plain views here and nowhere else, so that a field has one name.

pub(super) mod bots;
pub(super) mod console;
pub(super) mod fleet;
pub(super) mod plugins;
pub(super) mod scripts;
pub(super) mod spend;
pub(super) mod versions;

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "error": "`limit` is `lots`: expected a whole number from 1 to 500",
}))]
pub(super) struct Problem {
    /// What went wrong.
    pub(super) error: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

/// How to pause; nothing at all is fine too.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "reason": "maintenance", "for_secs": 3600 }))]
#[expect(dead_code, reason = "documents what `control::pause` reads field by field, for better errors")]
pub(super) struct Pause {
    /// Why, for those who look at the fleet; at most 200 characters.
    #[schema(max_length = 200)]
    reason: Option<String>,
    /// For how many seconds of bots' time; without this, until resumed.
    #[schema(minimum = 0)]
    for_secs: Option<f64>,
}

/// Why to pause a plugin; nothing at all is fine too.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "reason": "denies too much" }))]
#[expect(dead_code, reason = "documents what `plugins::pause` reads field by field, for better errors")]
pub(super) struct PausePlugin {
    /// Why, for those who look at the fleet; at most 200 characters.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// What a control did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "message": "paused 8 bots until resumed", "count": 8 }))]
pub(super) struct Controlled {
    /// What was done, in words.
    pub(super) message: String,
    /// How many bots it concerned.
    pub(super) count: u64,
}
