//! Versions of a script as JSON.
//!
//! What is not known is null, and never left out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::scripts::{Fares, Script};
use crate::model::name::VersionId;
use crate::runtime::view::ScriptView;
use crate::store::{StoredVersion, VersionRow};

/// Which version is meant.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "version": "0f3a9c1e" }))]
#[expect(dead_code, reason = "documents what the handlers read field by field, for better errors")]
pub(in crate::http) struct Which {
    /// Its first digits.
    #[schema(max_length = 64)]
    version: Option<String>,
}

/// What was decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "message": "pinned to version 0f3a9c1e; saved files wait until `fleet scripts unpin ai_artist`" }))]
pub(in crate::http) struct Decided {
    /// What was done, in words.
    pub(in crate::http) message: String,
}

/// One persona's script with its versions.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct History {
    /// The script as it is now.
    script: Script,
    /// Every version that is kept, the one accepted last first.
    versions: Vec<Version>,
}

/// One version.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Version {
    /// The first eight digits of its digest.
    #[schema(example = "0f3a9c1e")]
    version: String,
    /// The whole digest.
    digest: String,
    /// When it was accepted last, in bots' time.
    #[schema(value_type = String, format = DateTime)]
    accepted_at: Timestamp,
    /// `runs`, `pinned`, `canary`, `rolled back`, `in the files`, or null: what it is now.
    #[schema(required = true)]
    role: Option<&'static str>,
    /// Bots whose last tick ran it.
    bots: u64,
    /// What its ticks came to, but for those of the last seconds.
    fares: Fares,
}

/// The files of one version.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Files {
    /// The version, by its first eight digits.
    version: String,
    /// Every file's text by its path under the scripts folder.
    files: BTreeMap<String, String>,
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Difference {
    /// The one.
    pub(in crate::http) from: String,
    /// The other.
    pub(in crate::http) to: String,
    /// A unified diff of all files; empty when they are the same.
    pub(in crate::http) diff: String,
}

impl History {
    /// A script's view and its versions.
    pub(in crate::http) fn of(view: ScriptView, versions: Vec<VersionRow>) -> Self {
        let is = |known: Option<&VersionId>, id: &VersionId| known == Some(id);
        let role = |id: &VersionId| {
            if is(view.version.as_ref(), id) {
                return Some(if view.is_pinned { "pinned" } else { "runs" });
            }
            if is(view.canary.as_ref().map(|canary| &canary.version), id) {
                return Some("canary");
            }
            if is(view.held_back.as_ref(), id) {
                return Some("rolled back");
            }
            is(view.newest.as_ref(), id).then_some("in the files")
        };
        let version = |row: VersionRow| Version {
            version: row.id.to_string(),
            digest: row.id.as_str().to_owned(),
            accepted_at: row.accepted_at,
            role: role(&row.id),
            bots: view.ran.get(row.id.as_str()).copied().unwrap_or(0),
            fares: row.tally.into(),
        };
        Self { versions: versions.into_iter().map(version).collect(), script: Script::from(view) }
    }
}

impl Files {
    /// A version's files.
    pub(in crate::http) fn of(version: StoredVersion) -> Self {
        Self { version: version.id.to_string(), files: version.files }
    }
}
