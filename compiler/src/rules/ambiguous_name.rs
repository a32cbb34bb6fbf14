//! TOPO0013 ambiguous-name: a name that more than one thing has.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::value;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0013",
    name: "ambiguous-name",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Shown,
    summary: "a name that more than one thing has",
    page: include_str!("ambiguous_name.md"),
    check: Check::Reading,
};

/// A name without its site that things of several sites have.
pub(crate) fn found(at: Loc, what: &str, name: &str, candidates: &[(String, Loc)]) -> Diagnostic {
    let names: Vec<&String> = candidates.iter().map(|(name, _)| name).collect();
    let mut diagnostic = Diagnostic::new(&RULE, at, format!("more than one {what} is called `{name}`"))
        .here("which one?")
        .help(format!("write {}", value::list(&names)));
    for (full, declared) in candidates.iter().take(8) {
        diagnostic = diagnostic.also(*declared, format!("`{full}`"));
        diagnostic = diagnostic.fix(format!("write `{full}`"), Safety::Shown, at, full.clone());
    }
    diagnostic
}
