//! The journal: everything that happened in the studio, one JSON line each.
//!
//! An event is written before anyone is told of it, and a line that was cut by a crash never happened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

/// Something that happened. The order of fields is the order in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Event {
    /// The first line of a journal: how it is to be read.
    Format { version: u32 },
    /// An account was made.
    Account {
        id: String,
        username: String,
        name: String,
        is_agent: bool,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        agent_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        persona: Option<String>,
        at: Timestamp,
    },
    /// A browser is this account's from now on; `key` is the digest of its cookie.
    Visitor { key: String, account: String },
    /// An account and all it did is gone.
    Deletion { account: String, at: Timestamp },
    /// A workflow ran; `steps` and `seed` draw its pictures again at any time.
    Recipe {
        workflow: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        account: Option<String>,
        seed: String,
        steps: serde_json::Value,
        images: Vec<RecipeImage>,
        at: Timestamp,
    },
    /// A picture was shared.
    Item {
        id: String,
        account: String,
        image: String,
        title: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        description: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        workflow: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        remix_of: Option<String>,
        at: Timestamp,
    },
    /// An account likes an item.
    Like { item: String, account: String, at: Timestamp },
    /// An account no longer likes an item.
    Unlike { item: String, account: String, at: Timestamp },
    /// An account said something.
    Comment { id: String, item: String, account: String, content: String, at: Timestamp },
    /// Items were looked at so many times more.
    Views { counts: Vec<(String, u64)> },
}

/// One picture of a recipe, in the order of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeImage {
    pub(super) id: String,
    pub(super) extension: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk refused.
    #[error("could not open the studio's journal `{}`", path.display())]
    Open {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line in it cannot be believed.
    #[error(
        "{}:{line}: {reason}; the studio refuses to guess what happened there. \
         Repair or remove that line, or move the file away to begin an empty gallery",
        path.display()
    )]
    Line {
        /// The journal.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

const NAME: &str = "journal.jsonl";
const VERSION: u32 = 1;

/// An open journal, its end known to be whole.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    len: u64,
    lines: u64,
    torn: bool,
}

impl Journal {
    /// Opens the journal in `dir` and replays it through `apply`, which says what it cannot take.
    ///
    /// A last line without an end that is no event either was cut by a crash before anybody was told: it is cut off.
    pub(super) fn open(dir: &Path, mut apply: impl FnMut(Event) -> Result<(), String>) -> Result<Self, JournalError> {
        let path = dir.join(NAME);
        let failed = |source| JournalError::Open { path: path.clone(), source };
        // A compaction that a crash interrupted leaves its half-written copy; the journal itself is untouched.
        match fs::remove_file(dir.join(format!("{NAME}.new"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed)?;
        let mut journal = Self { path: path.clone(), file, len: 0, lines: 0, torn: false };
        let mut reader = BufReader::new(journal.file.try_clone().map_err(failed)?);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(failed)?;
            if read == 0 {
                break;
            }
            let number = journal.lines + 1;
            let whole = line.last() == Some(&b'\n');
            let refused = |reason: String| JournalError::Line { path: path.clone(), line: number, reason };
            match serde_json::from_slice::<Event>(&line) {
                Ok(Event::Format { version }) if number == 1 && version == VERSION => {}
                Ok(Event::Format { version }) => {
                    return Err(refused(format!(
                        "version {version} of the journal, expected {VERSION} on line 1 alone"
                    )));
                }
                Ok(event) => apply(event).map_err(refused)?,
                Err(error) if whole => return Err(refused(format!("no event of the studio: {error}"))),
                Err(_) => {
                    warn!(file = %path.display(), line = number, bytes = read, "cut off a last line that a crash had left unfinished");
                    break;
                }
            }
            journal.lines += 1;
            journal.len += read as u64;
            if !whole {
                journal.file.write_all(b"\n").map_err(failed)?;
                journal.len += 1;
            }
        }
        journal.file.set_len(journal.len).map_err(failed)?;
        if journal.lines == 0 {
            journal.append(&[Event::Format { version: VERSION }]).map_err(failed)?;
        }
        Ok(journal)
    }

    /// Writes events in one piece; after an error none of them happened.
    pub(super) fn append(&mut self, events: &[Event]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.len)?;
            self.torn = false;
        }
        let mut lines = Vec::with_capacity(256 * events.len());
        for event in events {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        if let Err(error) = self.file.write_all(&lines) {
            // Part of a line may have reached the file; the next event must not be glued to it.
            self.torn = self.file.set_len(self.len).is_err();
            return Err(error);
        }
        self.len += lines.len() as u64;
        self.lines += events.len() as u64;
        Ok(())
    }

    /// How many lines it has.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Puts `events` in the place of all lines so far, or leaves everything as it was.
    pub(super) fn rewrite(&mut self, events: impl Iterator<Item = Event>) -> io::Result<()> {
        let fresh = self.path.with_file_name(format!("{NAME}.new"));
        let written = write_whole(&fresh, events);
        let (lines, len) = match written {
            Ok(sizes) => sizes,
            Err(error) => {
                // The copy is worthless, and open() removes what could not be removed here.
                let _ = fs::remove_file(&fresh);
                return Err(error);
            }
        };
        let file = OpenOptions::new().append(true).open(&fresh)?;
        fs::rename(&fresh, &self.path)?;
        info!(before = self.lines, after = lines, "compacted the studio's journal");
        (self.file, self.lines, self.len, self.torn) = (file, lines, len, false);
        if let Some(dir) = self.path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    }
}

fn write_whole(path: &Path, events: impl Iterator<Item = Event>) -> io::Result<(u64, u64)> {
    let mut out = BufWriter::new(File::create(path)?);
    let (mut lines, mut len) = (0, 0);
    for event in std::iter::once(Event::Format { version: VERSION }).chain(events) {
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        out.write_all(&line)?;
        lines += 1;
        len += line.len() as u64;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok((lines, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_cannot_be_written_did_not_happen() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(dir.path(), |_| Ok(())).expect("a journal");
        let before = fs::read(dir.path().join(NAME)).expect("a file");
        // A handle without the right to write fails as a full disk does.
        journal.file = File::open(dir.path().join(NAME)).expect("a file");
        let event = Event::Views { counts: vec![("a".into(), 1)] };
        assert!(journal.append(std::slice::from_ref(&event)).is_err());
        assert_eq!(fs::read(dir.path().join(NAME)).expect("a file"), before);
        journal.file = OpenOptions::new().append(true).open(dir.path().join(NAME)).expect("a file");
        journal.append(std::slice::from_ref(&event)).expect("the disk has room again");
        let mut seen = Vec::new();
        Journal::open(dir.path(), |event| {
            seen.push(event);
            Ok(())
        })
        .expect("a whole journal");
        assert_eq!(seen, [event]);
    }
}
