//! TOPO0408 duplicate-name: two things with one name.

use super::{Check, FixKind, Rule};
use crate::diagnostic::{Severity, Diagnostic, Loc};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0408",
    name: "duplicate-name",
    level: Severity::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "two things with one name",
    page: include_str!("duplicate_name.md"),
    check: Check::Reading,
};

/// Two things of one name. `what` is their keyword.
pub(crate) fn found(what: &str, name: &str, first: Loc, again: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, again, format!("the name `{name}` of this {what} is already taken"))
        .here("again here")
        .also(first, "first here")
        .help("rename one of them; names are unique in a site, whatever they name")
}
