//! TOPO0902 unknown-rule: a rule that does not exist, in `topoc.toml` or an `allow`.

use super::{AREAS, Check, FixKind, Level, RULES, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::suggest;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0902",
    name: "unknown-rule",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a rule that does not exist, in `topoc.toml` or an `allow`",
    page: include_str!("unknown_rule.md"),
    check: Check::Judging,
};

/// A key of `[rules]`.
pub(crate) fn in_settings(at: Loc, name: &str) -> Diagnostic {
    let areas = AREAS.iter().map(|(_, name)| *name);
    found(at, name, "rule or area", areas)
}

/// A name of an `allow`.
pub(crate) fn in_allow(at: Loc, name: &str) -> Diagnostic {
    let diagnostic = found(at, name, "rule", std::iter::empty());
    match AREAS.iter().any(|(digits, area)| *area == name || *digits == name) {
        true => diagnostic.help("name rules, not areas: `topoc explain --all` lists them"),
        false => diagnostic,
    }
}

fn found(at: Loc, name: &str, what: &str, areas: impl Iterator<Item = &'static str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(&RULE, at, format!("there is no {what} `{name}`")).here("unknown");
    let names = RULES.iter().map(|rule| rule.name).chain(areas);
    // Codes are as near to each other as two numbers are: one that is misspelt may mean any.
    match suggest::suggest_sure(name, names) {
        Some((near, only)) => {
            let safety = if only { Safety::Safe } else { Safety::Shown };
            diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), safety, at, near)
        }
        None => diagnostic.help("take a code or name from `topoc explain --all`"),
    }
}
