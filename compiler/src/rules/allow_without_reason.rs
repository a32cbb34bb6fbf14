//! TOPO0905 allow-without-reason: an `allow` that does not say why.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0905",
    name: "allow-without-reason",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "an `allow` that does not say why",
    page: include_str!("allow_without_reason.md"),
    check: Check::Judging,
};

/// A comment without a reason.
pub(crate) fn found(at: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, at, "this `allow` gives no reason, so it holds nothing")
        .here("no `reason=\"...\"`")
        .help("say behind it why this is right here: `reason=\"...\"`")
}
