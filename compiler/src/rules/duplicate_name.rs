//! TOPO0408 duplicate-name: two things with one name.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0408",
    name: "duplicate-name",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "two things with one name",
    page: include_str!("duplicate_name.md"),
    check: Check::Reading,
};

/// Two things of one name. `what` is the keyword of the second.
pub(crate) fn found(what: &str, name: &str, first: Loc, again: Loc) -> Diagnostic {
    let (message, help) = match what {
        "let" => (format!("`${name}` is defined twice"), "remove one of the two `let`s, or rename it"),
        "site" => (format!("there are two sites `{name}`"), "move the blocks of one into the other, or rename one"),
        "pair" | "deployment" | "scenario" => {
            (format!("there are two {what}s `{name}`"), "rename one of them, and what refers to it")
        }
        what => (
            format!("the name `{name}` of this {what} is already taken in its site"),
            "rename one of them, and what refers to it: names are unique in a site, whatever they name",
        ),
    };
    Diagnostic::new(&RULE, again, message).here("again here").also(first, "first here").help(help)
}

/// Two `topology` blocks, whatever their names.
pub(crate) fn topology(first: Loc, again: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, again, "there are two `topology` blocks")
        .here("again here")
        .also(first, "first here")
        .help("keep one: what is imported belongs to the topology of the file that imports it")
}
