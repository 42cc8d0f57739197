//! Permissions: what the operator grants to personas and plugins of what they declare in `needs`.
//!
//! What is not granted here is refused, whatever a script declares.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::grant::HostGrant;
use super::name::PersonaName;
use super::plugin::PluginName;

/// What can be granted by its name alone. Requests to other hosts are granted by naming the hosts.
pub const BY_NAME: [&str; 5] = ["floimg", "llm", "store", "memory", "events"];
/// What is granted by naming hosts.
pub const BY_HOST: &str = "http";

/// Whose script it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A persona's.
    Persona(PersonaName),
    /// A plugin's.
    Plugin(PluginName),
}

impl Author {
    /// The name alone.
    pub fn name(&self) -> &str {
        match self {
            Self::Persona(name) => name.as_str(),
            Self::Plugin(name) => name.as_str(),
        }
    }

    /// `personas` or `plugins`: the last part of the config's sections about it.
    pub fn section(&self) -> &'static str {
        match self {
            Self::Persona(_) => "personas",
            Self::Plugin(_) => "plugins",
        }
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Persona(name) => write!(f, "the persona `{name}`"),
            Self::Plugin(name) => write!(f, "the plugin `{name}`"),
        }
    }
}

/// What the config grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// What everybody gets who has no list of its own.
    pub default: BTreeSet<String>,
    /// What single personas get.
    pub personas: BTreeMap<String, BTreeSet<String>>,
    /// What single plugins get.
    pub plugins: BTreeMap<String, BTreeSet<String>>,
    /// The hosts that single personas may call.
    pub persona_hosts: BTreeMap<String, Vec<HostGrant>>,
    /// The hosts that single plugins may call.
    pub plugin_hosts: BTreeMap<String, Vec<HostGrant>>,
}

impl Permissions {
    /// Everything that is granted by name, to everybody, and no host to anybody.
    pub fn usual() -> Self {
        Self { default: BY_NAME.map(str::to_owned).into(), ..Self::default() }
    }

    /// The hosts that somebody may call.
    pub fn hosts(&self, author: &Author) -> &[HostGrant] {
        let hosts = match author {
            Author::Persona(_) => &self.persona_hosts,
            Author::Plugin(_) => &self.plugin_hosts,
        };
        hosts.get(author.name()).map_or(&[], Vec::as_slice)
    }

    /// What to change in the config, when somebody is not granted a permission.
    pub fn cure(&self, author: &Author, permission: &str) -> Option<String> {
        let (section, name) = (author.section(), author.name());
        if permission == BY_HOST {
            let cure = format!("{name} = [\"hooks.example.com\"] under [web.{section}] of the config names the hosts");
            return self.hosts(author).is_empty().then_some(cure);
        }
        let lists = match author {
            Author::Persona(_) => &self.personas,
            Author::Plugin(_) => &self.plugins,
        };
        let (granted, key) = match lists.get(name) {
            Some(own) => (own, format!("permissions.{section}.{name}")),
            None => (&self.default, "permissions.default".to_owned()),
        };
        (!granted.contains(permission)).then(|| format!("add \"{permission}\" to {key} in the config"))
    }
}
