//! TOPO0007 nesting-too-deep: more than 64 nested blocks or lists.

use super::{Check, FixKind, Level, Rule};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0007",
    name: "nesting-too-deep",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "more than 64 nested blocks or lists",
    page: include_str!("nesting_too_deep.md"),
    check: Check::Reading,
};
