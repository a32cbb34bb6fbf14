//! TOPO0901 unknown-setting: a setting of `topoc.toml` that does not exist, or cannot be what it is set to.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::{suggest, value};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0901",
    name: "unknown-setting",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a setting of `topoc.toml` that does not exist, or cannot be what it is set to",
    page: include_str!("unknown_setting.md"),
    check: Check::Judging,
};

/// A key that is not known in its table; `table` is empty at the top.
pub(crate) fn key(at: Loc, table: &str, key: &str, known: &[&str]) -> Diagnostic {
    let place = if table.is_empty() { "`topoc.toml`".to_owned() } else { format!("`[{table}]`") };
    let diagnostic = Diagnostic::new(&RULE, at, format!("there is no setting `{key}` in {place}")).here("unknown");
    match suggest::suggest_sure(key, known.iter().copied()) {
        Some((near, only)) => {
            let safety = if only { Safety::Safe } else { Safety::Shown };
            diagnostic.help(format!("did you mean `{near}`?")).fix(
                format!("write `{near}`"),
                safety,
                at,
                near.to_owned(),
            )
        }
        None => diagnostic.help(format!("write {}", value::list(known))),
    }
}

/// A value that a setting cannot have. `wanted` is what to write.
pub(crate) fn value(at: Loc, setting: &str, wanted: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("setting `{setting}` cannot have this value"))
        .here("not understood")
        .help(format!("write {wanted}"))
}

/// A level for a rule that keeps its own.
pub(crate) fn fixed(at: Loc, level: Loc, rule: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{rule}` is always an error"))
        .here("nothing can be built from what could not be read")
        .also(level, "cannot be chosen")
        .help("remove this line, and mend what is found")
}
