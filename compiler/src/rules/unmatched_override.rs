//! TOPO0014 unmatched-override: an override that matches nothing.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc};
use crate::{suggest, value};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0014",
    name: "unmatched-override",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "an override that matches nothing",
    page: include_str!("unmatched_override.md"),
    check: Check::Reading,
};

/// An override of something that is not there. `known` is what is there, `near` among what a similar name is looked for.
pub(crate) fn found(at: Loc, keyword: &str, name: &str, known: &[String], near: &[String]) -> Diagnostic {
    let message = format!("this override matches nothing: there is no {keyword} `{name}`");
    let diagnostic = Diagnostic::new(&RULE, at, message).here("changes nothing");
    let bare = name.rsplit('.').next().unwrap_or(name);
    match suggest::suggest(bare, near.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `override {keyword} {near}`?")),
        None if known.is_empty() => diagnostic.help(format!("remove the override: the topology has no {keyword}")),
        None if known.len() > 8 => diagnostic.help(format!("name a {keyword} of the topology, or remove the override")),
        None => {
            let known = value::list(known).replace(" or ", " and ");
            diagnostic.help(format!("name a {keyword} of the topology, which has {known}"))
        }
    }
}
