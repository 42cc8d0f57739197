//! The console as JSON.
//!
//! What is not known is null, and never left out.

use serde::Serialize;
use utoipa::ToSchema;

use super::scripts::Diagnostic;
use crate::runtime::view::ConsoleView;

/// What to run.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "code": "bot.state.seen" }))]
#[expect(dead_code, reason = "documents what the handler reads field by field, for better errors")]
pub(in crate::http) struct Line {
    /// Luau: an expression or statements.
    #[schema(max_length = 16384)]
    code: String,
    /// Whether `bot.state` may be changed.
    write: Option<bool>,
}

/// What it came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Console {
    /// The version whose world it was, by its first eight digits.
    #[schema(example = "0f3a9c1e")]
    version: String,
    /// What was printed and logged, a line each.
    printed: Vec<String>,
    /// The values, as people read them.
    #[schema(example = json!(["{ \"p12\", \"p17\" }"]))]
    values: Vec<String>,
    /// What was raised, when something was.
    #[schema(required = true)]
    error: Option<Diagnostic>,
    /// Whether `bot.state` was changed and kept.
    kept: bool,
}

impl From<ConsoleView> for Console {
    fn from(view: ConsoleView) -> Self {
        Self {
            version: view.version.to_string(),
            printed: view.printed,
            values: view.values,
            error: view.error.map(Diagnostic::from),
            kept: view.is_kept,
        }
    }
}
