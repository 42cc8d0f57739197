//! What differs between two configs, and what of it a running fleet can take.
//!
//! A key that is not known to be safe to change needs a restart.

use std::collections::BTreeSet;

use super::Config;

/// A key whose value changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key with its sections.
    pub key: String,
    /// What it was, as TOML; nothing if it was not there.
    pub old: Option<String>,
    /// What it is now, as TOML; nothing if it is gone.
    pub new: Option<String>,
    /// Whether a running fleet keeps the old value until it is started again.
    pub needs_restart: bool,
}

impl Config {
    /// Every key whose value in `new` is another, in the order of the shipped file.
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        let value = |config: &Self, key: &str| {
            config.entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.to_string())
        };
        let mut seen = BTreeSet::new();
        let keys = self.entries.iter().chain(&new.entries).map(|entry| entry.key.as_str());
        keys.filter(|key| seen.insert(*key))
            .map(|key| Change {
                key: key.to_owned(),
                old: value(self, key),
                new: value(new, key),
                needs_restart: needs_restart(key),
            })
            .filter(|change| change.old != change.new)
            .collect()
    }
}

/// Whether a fleet must be started again to take another value of a key.
fn needs_restart(key: &str) -> bool {
    let live = match key.split_once('.') {
        None => key == "bots" || key == "prices",
        Some(("budgets" | "limits" | "sandbox" | "reload" | "plugins" | "permissions" | "llm", _)) => true,
        Some(("runtime", name)) => name != "script_threads",
        Some(("web", name)) => name != "max_concurrent",
        Some(("log", name)) => name == "filter",
        Some(_) => false,
    };
    !live
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SHIPPED, Sources};

    /// The shipped file tells operators which keys are live; this holds it to the code.
    #[test]
    fn the_shipped_file_marks_live_keys_as_they_are() {
        let config = Config::load(&Sources::default()).expect("valid");
        let (mut section, mut section_is_live) = (String::new(), false);
        let mut seen = 0;
        for line in SHIPPED.lines().take_while(|line| !line.starts_with("[[bots]]")) {
            if let Some((name, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
                section = format!("{name}.");
                section_is_live = rest.contains("(live)");
            } else if let Some((name, rest)) = line.split_once(" = ").filter(|(name, _)| !name.starts_with('#')) {
                let key = format!("{section}{name}");
                assert!(config.entries.iter().any(|entry| entry.key == key), "{key}");
                assert_eq!(needs_restart(&key), !(section_is_live || rest.contains("(live)")), "{key}");
                seen += 1;
            }
        }
        assert_eq!(seen + 1, config.entries.len(), "all but `bots` are seen");
    }
}
