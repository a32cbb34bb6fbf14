//! TOPO0012 unknown-name: a name that nothing in the topology has.

use super::{Check, FixKind, Rule};
use crate::diagnostic::{Severity, Diagnostic, Loc, Safety};
use crate::{suggest, value};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0012",
    name: "unknown-name",
    level: Severity::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a name that nothing in the topology has",
    page: include_str!("unknown_name.md"),
    check: Check::Reading,
};

/// A name that nothing has. `what` says what was looked for, `known` what there is.
pub(crate) fn found(at: Loc, what: &str, name: &str, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(&RULE, at, format!("there is no {what} `{name}`")).here("unknown");
    let bare = name.rsplit('.').next().unwrap_or(name);
    let names = || known.iter().map(String::as_str);
    match suggest::suggest(name, names()).or_else(|| suggest::suggest(bare, names())) {
        Some(near) => {
            let safety = if suggest::only_near(name, names()) { Safety::Safe } else { Safety::Shown };
            diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), safety, at, near)
        }
        None if known.is_empty() => diagnostic.help(format!("the topology has no {what} at all")),
        None if known.len() <= 8 => diagnostic.help(format!("there is {}", value::list(known).replace(" or ", " and "))),
        None => diagnostic.help(format!("none of the {} that there are is called like that", known.len())),
    }
}

/// A name that something of another kind has.
pub(crate) fn other_kind(at: Loc, what: &str, name: &str, is: &str, declared: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{name}` is a {is}, not a {what}"))
        .here(format!("a {what} is expected here"))
        .also(declared, format!("the {is} is declared here"))
        .help(format!("name a {what}"))
}
