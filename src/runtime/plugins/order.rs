//! The order in which plugins are asked: by what each declares, and by name where nobody declares anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::plugin::PluginName;

/// What a plugin declares of its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Plugins that are asked after it.
    pub before: Vec<String>,
    /// Plugins that are asked before it.
    pub after: Vec<String>,
}

/// Puts plugins in order. Names that are not there ask for nothing.
///
/// # Errors
/// The plugins of a circle, each asked before the next.
pub fn order(places: &BTreeMap<PluginName, Place>) -> Result<Vec<PluginName>, Vec<PluginName>> {
    let find = |name: &str| places.keys().find(|known| known.as_str() == name);
    // Whom each one waits for.
    let mut waits: BTreeMap<&PluginName, BTreeSet<&PluginName>> = BTreeMap::new();
    for (name, place) in places {
        waits.entry(name).or_default().extend(place.after.iter().filter_map(|other| find(other)));
        for later in place.before.iter().filter_map(|other| find(other)) {
            waits.entry(later).or_default().insert(name);
        }
    }
    let mut ordered: Vec<PluginName> = Vec::new();
    while ordered.len() < places.len() {
        let next = waits
            .iter()
            .find(|(name, before)| !ordered.contains(name) && before.iter().all(|before| ordered.contains(before)));
        match next {
            Some((name, _)) => ordered.push((*name).clone()),
            None => return Err(circle(&waits, &ordered)),
        }
    }
    Ok(ordered)
}

/// Follows whom one waits for until somebody comes up again.
fn circle(waits: &BTreeMap<&PluginName, BTreeSet<&PluginName>>, ordered: &[PluginName]) -> Vec<PluginName> {
    let is_left = |name: &&&PluginName| !ordered.contains(name);
    let mut path: Vec<&PluginName> = waits.keys().find(|name| is_left(name)).copied().into_iter().collect();
    while let Some(last) = path.last() {
        let Some(next) = waits.get(last).and_then(|before| before.iter().find(is_left)).copied() else { break };
        if let Some(at) = path.iter().position(|seen| *seen == next) {
            // Whoever is waited for is asked first.
            return path.split_off(at).into_iter().rev().cloned().collect();
        }
        path.push(next);
    }
    path.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(plugins: &[(&str, &[&str], &[&str])]) -> Result<Vec<String>, Vec<String>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let places = plugins
            .iter()
            .map(|(name, before, after)| {
                (PluginName::new(name).expect("a name"), Place { before: owned(before), after: owned(after) })
            })
            .collect();
        let texts = |names: Vec<PluginName>| names.iter().map(ToString::to_string).collect();
        order(&places).map(texts).map_err(texts)
    }

    #[test]
    fn plugins_are_asked_in_the_order_they_declare_and_else_by_name() {
        let words = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(ordered(&[("b", &[], &[]), ("a", &[], &[])]), Ok(words(&["a", "b"])));
        assert_eq!(ordered(&[("a", &[], &["c"]), ("b", &[], &[]), ("c", &["b"], &[])]), Ok(words(&["c", "a", "b"])));
        assert_eq!(ordered(&[("a", &["gone"], &["gone"])]), Ok(words(&["a"])));
    }

    #[test]
    fn a_circle_names_who_is_in_it_and_nobody_else() {
        let circle = ordered(&[("a", &["b"], &[]), ("b", &["c"], &[]), ("c", &["a"], &[]), ("d", &[], &["a"])]);
        let mut names = circle.expect_err("a circle");
        names.sort();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(ordered(&[("a", &["a"], &[])]), Err(vec!["a".to_owned()]));
    }
}
