//! Permissions: what a script may use.
//!
//! What the config does not grant at the moment of the call is refused, whatever was declared or granted before.

use std::sync::Arc;

use crate::model::permission::{Author, BY_HOST, Permissions};

use super::{Host, Side};

impl Host {
    /// Whose script this host serves.
    pub fn author(&self) -> Author {
        match &self.plugin {
            Some(name) => Author::Plugin(name.clone()),
            None => Author::Persona(self.persona.name.clone()),
        }
    }

    /// What to do when a module is not declared or not granted; nothing when it is both.
    pub fn lacks(&self, module: &str) -> Option<String> {
        let needs = &self.persona.needs;
        let author = self.author();
        let is_declared = needs.iter().any(|need| need == module);
        // A persona without `needs` declares everything but the one thing that reaches other hosts.
        let takes_all = needs.is_empty() && module != BY_HOST && matches!(author, Author::Persona(_));
        if !is_declared && !takes_all {
            let whose = if matches!(author, Author::Plugin(_)) { "plugin" } else { "persona" };
            return Some(format!("add \"{module}\" to the {whose}'s needs"));
        }
        if let Side::Trial(trial) = &self.side
            && module == BY_HOST
            && trial.has_web()
        {
            // A test that answers for other hosts grants them.
            return None;
        }
        let cure = self.permissions().cure(&author, module)?;
        Some(format!("{cure}; it does not grant this to {author}"))
    }

    fn permissions(&self) -> Arc<Permissions> {
        match &self.side {
            Side::Live(world) => world.rules.load().permissions.clone(),
            Side::Trial(trial) => trial.permissions(),
        }
    }
}
