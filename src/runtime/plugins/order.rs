//! The order in which plugins are asked: what each said of those before and after it, and names where nobody said anything.
//!
//! The same plugins always come in the same order.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::plugin::{Manifest, PluginName};

/// Plugins each of which wants to be asked before the next, and the last before the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these plugins cannot be put in order: {}", shown(.0))]
pub struct Circle(pub Vec<PluginName>);

fn shown(circle: &[PluginName]) -> String {
    let names = circle.iter().chain(circle.first()).map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(" before ")
}

/// Puts plugins in order. A `before` or `after` that names no plugin here has no effect, so that one may be left out.
///
/// # Errors
/// When some of them go round in a circle.
pub fn order<'a>(manifests: impl IntoIterator<Item = &'a Manifest>) -> Result<Vec<PluginName>, Circle> {
    let manifests: Vec<&Manifest> = manifests.into_iter().collect();
    let by_name: BTreeMap<&str, &PluginName> = manifests.iter().map(|one| (one.name.as_str(), &one.name)).collect();
    // Of each plugin, those that come before it and are not yet in order.
    let mut earlier: BTreeMap<&PluginName, BTreeSet<&PluginName>> =
        by_name.values().map(|name| (*name, BTreeSet::new())).collect();
    let mut add = |first: &'a PluginName, then: &'a PluginName| {
        earlier.entry(then).or_default().insert(first);
    };
    for manifest in &manifests {
        manifest.before.iter().filter_map(|name| by_name.get(name.as_str())).for_each(|then| add(&manifest.name, then));
        manifest
            .after
            .iter()
            .filter_map(|name| by_name.get(name.as_str()))
            .for_each(|first| add(first, &manifest.name));
    }
    let mut ordered = Vec::with_capacity(earlier.len());
    while let Some(next) = earlier.iter().find(|(_, before)| before.is_empty()).map(|(name, _)| *name) {
        earlier.remove(next);
        earlier.values_mut().for_each(|before| {
            before.remove(next);
        });
        ordered.push(next.clone());
    }
    match circle(&earlier) {
        Some(circle) => Err(Circle(circle)),
        None => Ok(ordered),
    }
}

/// One circle among plugins each of which waits for another of them.
fn circle(waiting: &BTreeMap<&PluginName, BTreeSet<&PluginName>>) -> Option<Vec<PluginName>> {
    let mut path: Vec<&PluginName> = Vec::new();
    let mut at = waiting.keys().next().copied()?;
    loop {
        if let Some(start) = path.iter().position(|name| *name == at) {
            let mut circle: Vec<PluginName> = path.drain(start..).cloned().collect();
            // The path was walked from each plugin to one that comes before it.
            circle.reverse();
            return Some(circle);
        }
        path.push(at);
        at = waiting.get(at)?.iter().next().copied()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plugin::OnError;

    fn plugin(name: &str, before: &[&str], after: &[&str]) -> Manifest {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Manifest {
            name: PluginName::new(name).expect("a name"),
            title: String::new(),
            description: String::new(),
            needs: Vec::new(),
            options: BTreeMap::new(),
            on_error: OnError::Allow,
            before: list(before),
            after: list(after),
            hooks: Vec::new(),
            exports: Vec::new(),
            timers: Vec::new(),
        }
    }

    #[test]
    fn plugins_come_as_they_said_and_else_by_name() {
        for (plugins, expected) in [
            (vec![], "Ok: "),
            (vec![plugin("c", &[], &[]), plugin("a", &[], &[]), plugin("b", &[], &[])], "Ok: a b c"),
            (vec![plugin("a", &[], &["c"]), plugin("b", &[], &[]), plugin("c", &[], &[])], "Ok: b c a"),
            (vec![plugin("a", &[], &[]), plugin("c", &["a", "nobody"], &["no_one"])], "Ok: c a"),
            // The same said twice, from both sides.
            (vec![plugin("a", &[], &["b"]), plugin("b", &["a"], &[])], "Ok: b a"),
            (vec![plugin("a", &["a"], &[])], "these plugins cannot be put in order: `a` before `a`"),
            (
                vec![
                    plugin("a", &["b"], &[]),
                    plugin("b", &["c"], &[]),
                    plugin("c", &["a"], &[]),
                    plugin("d", &[], &["a"]),
                ],
                "these plugins cannot be put in order: `b` before `c` before `a` before `b`",
            ),
        ] {
            let found = match order(&plugins) {
                Ok(names) => format!("Ok: {}", names.iter().map(PluginName::as_str).collect::<Vec<_>>().join(" ")),
                Err(circle) => circle.to_string(),
            };
            assert_eq!(found, expected);
        }
    }
}
