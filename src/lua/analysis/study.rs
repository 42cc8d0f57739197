//! The study of one file: what is wrong in it, and what other files need to know of it.
//!
//! It depends on the file's own text alone, so it is made once for a text.

use std::collections::BTreeSet;

use super::bind::{Bound, FnId, Init, Role};
use super::infer::Reading;
use super::outline::{Outline, Spot};
use super::place::{Findings, Lines};
use super::surface::Surface;
use super::tree::{Expr, ExprKind, FieldKey, Key, Span, Tree};
use super::{calls, life, names, values};
use crate::model::diagnostic::Diagnostic;

/// What one file says.
#[derive(Debug, Default)]
pub struct Study {
    /// What is wrong whatever other files say.
    pub findings: Vec<Diagnostic>,
    /// The files it requires.
    pub requires: Vec<Required>,
    /// What it takes of them.
    pub uses: Vec<Use>,
    /// The names of what it returns, when all are known.
    pub exports: Option<BTreeSet<String>>,
    /// The permissions it needs: where first, and whether that is where a life's function calls it itself.
    pub permissions: Vec<Permission>,
    /// The fields of what it returns.
    pub outline: Outline,
    /// Every name that it gives to something: facts are among them.
    pub words: BTreeSet<String>,
    /// Templates that stand in calls.
    pub templates: Vec<(String, Spot)>,
    /// Its lines, for findings that come of several files.
    lines: Vec<String>,
}

/// `require("@behaviours/browse")`.
#[derive(Debug)]
pub struct Required {
    pub path: String,
    pub spot: Spot,
    /// Whether it stands in a function, where it is too late.
    pub is_late: bool,
    pub is_guarded: bool,
}

/// A member of what was required.
#[derive(Debug)]
pub struct Use {
    pub path: String,
    pub local: String,
    pub member: String,
    pub spot: Spot,
    pub is_called: bool,
    pub is_guarded: bool,
}

/// A module that needs a permission.
#[derive(Debug)]
pub struct Permission {
    pub name: &'static str,
    pub primitive: String,
    pub spot: Spot,
    pub is_guarded: bool,
}

impl Study {
    pub fn new(path: &str, text: &str, tree: &Tree, surface: &Surface) -> Self {
        let lines = Lines::new(text);
        let bound = Bound::new(tree);
        let reading = Reading::new(&bound, &tree.types, surface, path.starts_with("personas/"));
        let mut findings = Findings::new(path, &lines);
        names::check(&reading, &mut findings);
        calls::check(&reading, &mut findings);
        values::check(&reading, &mut findings);
        life::check(&reading, &mut findings);
        let mut study = Self {
            findings: findings.all,
            outline: Outline::new(&bound, &lines),
            exports: exports(&bound),
            lines: text.lines().map(str::to_owned).collect(),
            ..Self::default()
        };
        study.gather(&reading, &lines);
        study.findings.sort_by_key(|found| (found.line, found.columns));
        study.findings.dedup_by(|a, b| a.line == b.line && a.columns == b.columns && a.message == b.message);
        study
    }

    /// A finding at a place of this file.
    pub fn at(&self, file: &str, spot: Spot, message: impl Into<String>) -> Diagnostic {
        let mut found = Diagnostic::error(file, Some(spot.line), message);
        found.columns = Some(spot.columns);
        found.source = self.lines.get(spot.line.saturating_sub(1) as usize).cloned();
        found
    }

    fn gather(&mut self, reading: &Reading<'_>, lines: &Lines<'_>) {
        let spot = |span: Span| Spot { line: lines.line(span.from), columns: lines.columns(span) };
        for site in &reading.bound.sites {
            match &site.expr.kind {
                ExprKind::Call(call) => {
                    if let Some(path) = names::required_path(reading, site.expr) {
                        self.requires.push(Required {
                            path: path.to_owned(),
                            spot: spot(call.args[0].span),
                            is_late: site.function != 0,
                            is_guarded: site.is_guarded,
                        });
                    }
                    let is_fill = call.callee.path().as_deref() == Some(&["text", "fill"][..]);
                    if let Some(text) = call.args.first().and_then(Expr::text).filter(|_| is_fill) {
                        self.templates.push((text.to_owned(), spot(call.args[0].span)));
                    }
                }
                ExprKind::Table(fields) => {
                    for field in fields {
                        let FieldKey::Name(name) = &field.key else { continue };
                        self.words.insert(name.text.clone());
                        let ExprKind::Table(list) = &field.value.bare().kind else { continue };
                        for entry in list.iter().filter(|_| name.text == "templates") {
                            if let (FieldKey::Place(_), Some(text)) = (&entry.key, entry.value.text()) {
                                self.templates.push((text.to_owned(), spot(entry.value.span)));
                            }
                        }
                    }
                }
                ExprKind::Index(base, key) => {
                    let Key::Name(name) = &**key else { continue };
                    self.words.insert(name.text.clone());
                    self.taken(reading, base, &name.text, spot(name.span), site.role == Role::Callee, site.is_guarded);
                    if let Some(table) = reading.global_table(base)
                        && let Some(permission) = Surface::permission(&table)
                        && !self.permissions.iter().any(|known| known.name == permission)
                    {
                        self.permissions.push(Permission {
                            name: permission,
                            primitive: format!("{table}.{}", name.text),
                            spot: spot(site.expr.span),
                            is_guarded: site.is_guarded,
                        });
                    }
                }
                ExprKind::Text(text) if text.len() <= 40 => {
                    self.words.insert(text.clone());
                }
                // The module itself, handed on or called with a colon.
                ExprKind::Name(name) if site.var.is_none() && site.role != Role::Target => {
                    if let Some(permission) = Surface::permission(name)
                        && !matches!(
                            reading.bound.parent(site).map(|parent| &parent.expr.kind),
                            Some(ExprKind::Index(..))
                        )
                        && !self.permissions.iter().any(|known| known.name == permission)
                    {
                        self.permissions.push(Permission {
                            name: permission,
                            primitive: name.clone(),
                            spot: spot(site.expr.span),
                            is_guarded: true,
                        });
                    }
                }
                _ => {}
            }
        }
    }

    fn taken(
        &mut self,
        reading: &Reading<'_>,
        base: &Expr,
        member: &str,
        spot: Spot,
        is_called: bool,
        is_guarded: bool,
    ) {
        let Some(var) = reading.bound.var_of(base).filter(|var| var.writes.is_empty()) else { return };
        let Init::Value(value, 0) = var.init else { return };
        if let Some(path) = names::required_path(reading, value) {
            self.uses.push(Use {
                path: path.to_owned(),
                local: var.name.to_owned(),
                member: member.to_owned(),
                spot,
                is_called,
                is_guarded,
            });
        }
    }
}

/// The names of the table that a file returns, when nothing else can put names into it.
fn exports(bound: &Bound<'_>) -> Option<BTreeSet<String>> {
    const FILE: FnId = 0;
    let (values, _, _) = bound.returns.iter().rfind(|(_, function, _)| *function == FILE)?;
    let mut names = BTreeSet::new();
    let value = values.first()?.bare();
    let fields = match &value.kind {
        ExprKind::Table(fields) => fields,
        ExprKind::Name(_) => {
            let var = bound.var_of(value).filter(|var| var.writes.is_empty())?;
            let Init::Value(init, 0) = var.init else { return None };
            let ExprKind::Table(fields) = &init.bare().kind else { return None };
            for read in &var.reads {
                let site = &bound.sites[*read];
                if site.expr.id == value.id {
                    continue;
                }
                // Anything but `M.name` might put names in that nobody sees here.
                match bound.parent(site).map(|parent| (&parent.expr.kind, parent.role)) {
                    Some((ExprKind::Index(_, key), role)) if site.role == Role::Base => match (&**key, role) {
                        (Key::Name(name), Role::Target) => {
                            names.insert(name.text.clone());
                        }
                        (Key::Value(_), Role::Target) => return None,
                        _ => {}
                    },
                    _ => return None,
                }
            }
            fields
        }
        _ => return None,
    };
    for field in fields {
        match &field.key {
            FieldKey::Name(name) => names.insert(name.text.clone()),
            FieldKey::Place(_) => false,
            FieldKey::Value(_) => return None,
        };
    }
    Some(names)
}
