//! TOPO0903 expired-allow: an `allow` whose day has passed.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc};
use crate::policy::Day;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0903",
    name: "expired-allow",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "an `allow` whose day has passed",
    page: include_str!("expired_allow.md"),
    check: Check::Judging,
};

/// The day has passed. `at` is the place of the day.
pub(crate) fn found(at: Loc, until: Day, today: Day) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("this `allow` held until {until}, and today is {today}"))
        .here("has passed")
        .help("mend what it allows and remove the comment, or look at it again and write a later day")
}

/// The text behind `until=` is no day.
pub(crate) fn no_day(at: Loc, text: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{text}` is no day, so this `allow` holds nothing"))
        .here("no day of the calendar")
        .help("write the last day as `until=2027-01-31`")
}
