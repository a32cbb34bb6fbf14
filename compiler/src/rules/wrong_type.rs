//! TOPO0004 wrong-type: a value that does not fit its field.

use super::{Check, FixKind, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety, Severity};
use crate::language::Block;
use crate::suggest;
use crate::value::{self, Mismatch};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0004",
    name: "wrong-type",
    level: Severity::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a value that does not fit its field",
    page: include_str!("wrong_type.md"),
    check: Check::Reading,
};

/// A value that does not fit the field `name`.
pub(crate) fn found(at: Loc, name: &str, fault: Mismatch) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(&RULE, at, format!("`{name}` {}", fault.message)).here("does not fit");
    diagnostic.help = fault.help;
    diagnostic.fixes = fault.fix.into_iter().collect();
    diagnostic
}

/// `deployment main active-activ { }`: a word that is none of those that fit.
pub(crate) fn label(at: Loc, block: &Block, word: &str, words: &'static [&'static str]) -> Diagnostic {
    let message = format!("`{}` is one of {}, not `{word}`", block.keyword, value::list(words));
    let diagnostic = Diagnostic::new(&RULE, at, message).here("does not fit");
    match suggest::suggest(word, words.iter().copied()) {
        Some(near) => {
            diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), Safety::Safe, at, near)
        }
        None => diagnostic.help(format!("write it like `{}`", block.example)),
    }
}

/// A release of Finesse that cannot be read as one.
pub(crate) fn finesse_release(at: Loc, text: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`finesse` names a release such as \"12.6\", not \"{text}\""))
        .here("does not fit")
        .help("write major and minor number: \"11.6\", \"12.5\", \"12.6\", \"15.0\"")
}

/// Raw XML that would break the file it is copied into.
pub(crate) fn raw_xml(at: Loc, reason: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`raw-xml` is not well-formed: {reason}"))
        .here("copied into activemq.xml as it is")
        .help("close every element, and write `&` as `&amp;`")
}
