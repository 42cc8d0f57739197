//! `[permissions]` and `[web]`: what the operator grants to scripts.
//!
//! Names and hosts are read strictly, because a grant that is not understood must not grant.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::value;
use crate::model::grant::HostGrant;
use crate::model::name::PersonaName;
use crate::model::permission::{BY_HOST, BY_NAME, Permissions};
use crate::model::plugin::PluginName;
use crate::secret::Secret;

/// `[permissions]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionsConfig {
    /// What everybody gets who has no list of its own.
    pub default: Granted,
    /// What single personas get.
    pub personas: BTreeMap<PersonaKey, Granted>,
    /// What single plugins get.
    pub plugins: BTreeMap<PluginKey, Granted>,
}

/// `[web]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    /// How long a call may take, with its redirects.
    #[serde(rename = "timeout_secs", deserialize_with = "value::wall_secs::<100, 120, _>")]
    pub timeout: Duration,
    /// The longest body that is sent.
    #[serde(rename = "max_request_kib", deserialize_with = "value::kib::<1, 16_384, _>")]
    pub max_request_bytes: usize,
    /// The longest body that is read.
    #[serde(rename = "max_reply_kib", deserialize_with = "value::kib::<1, 4096, _>")]
    pub max_reply_bytes: usize,
    /// Calls of one tick.
    #[serde(deserialize_with = "value::whole::<0, 1000, _, _>")]
    pub calls_per_tick: u32,
    /// Calls under way at one time.
    #[serde(deserialize_with = "value::whole::<1, 1000, _, _>")]
    pub max_concurrent: usize,
    /// The hosts that single personas may call.
    pub personas: BTreeMap<PersonaKey, Vec<GrantedHost>>,
    /// The hosts that single plugins may call.
    pub plugins: BTreeMap<PluginKey, Vec<GrantedHost>>,
    /// The variables that hold plugins' signing keys.
    pub secrets: BTreeMap<PluginKey, Variable>,
    /// The keys, where the variables are set, by the plugins' names.
    #[serde(skip)]
    pub signing: BTreeMap<String, Secret>,
}

impl super::Settings {
    /// What both sections grant together.
    pub fn granted(&self) -> Permissions {
        let hosts = |hosts: &[GrantedHost]| hosts.iter().map(|host| host.0.clone()).collect();
        Permissions {
            default: self.permissions.default.0.clone(),
            personas: self.permissions.personas.iter().map(|(name, list)| (name.0.clone(), list.0.clone())).collect(),
            plugins: self.permissions.plugins.iter().map(|(name, list)| (name.0.clone(), list.0.clone())).collect(),
            persona_hosts: self.web.personas.iter().map(|(name, list)| (name.0.clone(), hosts(list))).collect(),
            plugin_hosts: self.web.plugins.iter().map(|(name, list)| (name.0.clone(), hosts(list))).collect(),
        }
    }
}

/// A list of permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted(BTreeSet<String>);

impl<'de> Deserialize<'de> for Granted {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let list = Vec::<String>::deserialize(from)
            .map_err(|_| D::Error::custom(format!("expected a list of permissions: {}", BY_NAME.join(", "))))?;
        for permission in &list {
            if permission == BY_HOST {
                return Err(D::Error::custom(
                    "expected no `http` here: it is granted by naming the hosts, in [web.personas] or [web.plugins]",
                ));
            }
            if !BY_NAME.contains(&permission.as_str()) {
                let known = BY_NAME.join(", ");
                return Err(D::Error::custom(format!("expected permissions out of {known}")));
            }
        }
        Ok(Self(list.into_iter().collect()))
    }
}

/// A host of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedHost(HostGrant);

impl<'de> Deserialize<'de> for GrantedHost {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from).map_err(|_| D::Error::custom("expected a host, as a text"))?;
        HostGrant::parse(&text).map(Self).map_err(|wrong| D::Error::custom(format!("expected a host: {wrong}")))
    }
}

/// A persona's name as a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonaKey(String);

impl PersonaKey {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for PersonaKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        PersonaName::new(&text).map(|name| Self(name.as_str().to_owned())).map_err(D::Error::custom)
    }
}

/// A plugin's name as a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginKey(String);

impl PluginKey {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for PluginKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        PluginName::new(&text).map(|name| Self(name.as_str().to_owned())).map_err(D::Error::custom)
    }
}

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable(String);

impl Variable {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::variable(from).map(Self)
    }
}
