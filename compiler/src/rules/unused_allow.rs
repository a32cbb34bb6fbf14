//! TOPO0904 unused-allow: an `allow` of something that is not there.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Edit, Loc, Safety};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0904",
    name: "unused-allow",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "an `allow` of something that is not there",
    page: include_str!("unused_allow.md"),
    check: Check::Judging,
};

/// A rule that finds nothing where it is allowed; `edit` removes its name, or the comment.
pub(crate) fn found(at: Loc, rule: &Rule, edit: Edit) -> Diagnostic {
    let name = rule.name;
    let diagnostic = if rule.is_fixed() {
        Diagnostic::new(&RULE, at, format!("`{name}` cannot be allowed"))
            .here("nothing can be built from what could not be read")
            .help("remove it, and mend what is found")
    } else {
        Diagnostic::new(&RULE, at, format!("`{name}` is allowed here and not found"))
            .here("allows nothing")
            .help("remove it: what it allowed has been mended, or stands elsewhere")
    };
    diagnostic.fix_all(format!("remove `{name}`"), Safety::Safe, vec![edit])
}

/// A comment that is addressed to topoc and not understood.
pub(crate) fn unreadable(at: Loc, rest: &str) -> Diagnostic {
    let message = match rest.trim() {
        "" => "this comment for topoc ends too early, so it allows nothing".to_owned(),
        rest => format!("this comment for topoc is not understood from `{}`, so it allows nothing", first(rest)),
    };
    Diagnostic::new(&RULE, at, message)
        .here("not understood")
        .help("write `// topoc: allow(RULE) until=2027-01-31 reason=\"...\"`; `until` may be left out")
}

/// A comment that is addressed to topoc between `/*` and `*/`; `edit` writes it behind `//`.
pub(crate) fn in_block(at: Loc, edit: Option<Edit>) -> Diagnostic {
    let diagnostic = Diagnostic::new(&RULE, at, "a block comment allows nothing")
        .here("not read")
        .help("write it behind `//`, at the end of a line or on a line of its own");
    match edit {
        Some(edit) => diagnostic.fix_all("write it behind `//`", Safety::Safe, vec![edit]),
        None => diagnostic,
    }
}

fn first(words: &str) -> &str {
    words.split_whitespace().next().unwrap_or("")
}
