//! TOPO0012 unknown-name: a name that nothing in the topology has.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::{language, suggest, value};
use topoc_dsl::Span;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0012",
    name: "unknown-name",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a name that nothing in the topology has",
    page: include_str!("unknown_name.md"),
    check: Check::Reading,
};

/// A name that nothing has. `what` says what was looked for, `known` what there is, in groups, `elsewhere` the full name
/// of something that has the name in another site. Without `search` no similar name is looked for.
pub(crate) fn found(
    at: Loc,
    what: &str,
    name: &str,
    known: &[&[String]],
    elsewhere: Option<&str>,
    search: bool,
) -> Diagnostic {
    let message = match what.matches(" or ").count() {
        0 | 1 => format!("there is no {what} `{name}`"),
        _ => format!("nothing in the topology is called `{name}`"),
    };
    let diagnostic = Diagnostic::new(&RULE, at, message).here("unknown");
    if let Some(full) = elsewhere {
        return suggested(diagnostic, full, Safety::Shown);
    }
    let near = known.iter().filter(|_| search).flat_map(|names| names.iter()).map(String::as_str);
    match suggest::suggest_sure(name, near.filter(|other| digits(other).eq(digits(name)))) {
        Some((near, only)) => suggested(diagnostic, near, if only { Safety::Safe } else { Safety::Shown }),
        None => diagnostic.help(declared(what, known)),
    }
}

/// `amq-1.opnwire`: the broker is there.
pub(crate) fn listener(at: Loc, broker: &str, name: &str, known: &[String]) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(&RULE, at, format!("broker `{broker}` has no listener `{name}`")).here("unknown listener");
    match suggest::suggest_sure(name, known.iter().map(String::as_str)) {
        Some((near, only)) => {
            let safety = if only { Safety::Safe } else { Safety::Shown };
            let start = at.span.end as usize - name.len();
            let listener = Loc { span: Span::new(start, at.span.end as usize), ..at };
            diagnostic.help(format!("did you mean `{near}`?")).fix(
                format!("write `{near}`"),
                safety,
                listener,
                near.to_owned(),
            )
        }
        None if known.is_empty() => diagnostic.help(format!("give `{broker}` a listener: `listen {name} {{ }}`")),
        None => diagnostic.help(format!("its listeners are {}", all(known))),
    }
}

fn suggested(diagnostic: Diagnostic, name: &str, safety: Safety) -> Diagnostic {
    let at = diagnostic.primary();
    diagnostic.help(format!("did you mean `{name}`?")).fix(format!("write `{name}`"), safety, at, name.to_owned())
}

/// What there is, or how to declare the first.
fn declared(what: &str, known: &[&[String]]) -> String {
    let keyword = what.split(' ').next().unwrap_or(what).to_lowercase();
    let count = known.iter().map(|names| names.len()).sum();
    match (count, language::block_of(&keyword)) {
        (0, Some(block)) => format!("there is no {what} at all; declare one, for example `{}`", block.example),
        (0, None) => format!("there is no {what} at all"),
        (1, _) => format!("there is only `{}`", known.concat().concat()),
        (2..=8, _) => format!("there are {}", all(&known.concat())),
        (count, _) => format!("none of the {count} that there are is called like that"),
    }
}

fn all(names: &[String]) -> String {
    value::list(names).replace(" or ", " and ")
}

/// `amq-2` is no misspelt `amq-1`: names that differ in a number are different names.
fn digits(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(u8::is_ascii_digit)
}

/// A name that something of another kind has.
pub(crate) fn other_kind(at: Loc, what: &str, name: &str, is: &str, declared: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{name}` is a {is}, not a {what}"))
        .here(format!("a {what} belongs here"))
        .also(declared, format!("the {is} is declared here"))
        .help(format!("name a {what}"))
}
