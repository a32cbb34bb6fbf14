//! TOPO0004 wrong-type: a value that does not fit its field.

use super::{Check, Context, FixKind, Level, Rule, blank_in_uri, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::language::Block;
use crate::model::{RawUri, Remote};
use crate::suggest;
use crate::uri::{UriError, UriFault};
use crate::value::{self, Mismatch};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0004",
    name: "wrong-type",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a value that does not fit its field",
    page: include_str!("wrong_type.md"),
    check: Check::Model(check),
};

/// Raw URIs that cannot be read, except for what other rules say of them.
fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    let mut raws: Vec<(&str, &RawUri)> = Vec::new();
    let listeners = model.brokers.iter().flat_map(|broker| &broker.listeners).filter_map(|found| found.raw.as_ref());
    // A listener without a scheme is what unknown-listener-scheme is about.
    let schemeless = |error: &UriError| matches!(error.fault, UriFault::NoScheme | UriFault::BadScheme);
    let theirs = |raw: &RawUri| raw.text.value.is_empty() || raw.uri.as_ref().is_err_and(schemeless);
    raws.extend(listeners.filter(|raw| !theirs(raw)).map(|raw| ("uri", raw)));
    raws.extend(model.dialers().filter_map(|(_, dialer)| Some(("uri", dialer.raw.as_ref()?))));
    for bridge in &model.bridges {
        let discovery = match &bridge.to {
            Remote::Discovery(raw) => Some(("discovery", raw)),
            Remote::Broker(_) => None,
        };
        raws.extend(bridge.raw.iter().map(|raw| ("uri", raw)).chain(discovery).filter(|(_, raw)| !without_list(raw)));
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    for (name, raw) in raws {
        let Err(error) = &raw.uri else { continue };
        if seen.insert(raw.text.at) {
            if blank_in_uri::is_one(raw) {
                report.add(blank_in_uri::found(context, name, raw));
                continue;
            }
            let at = place::inside(context, raw, error.range.clone());
            let message = format!("`{name}` cannot be read: {}", error.message);
            report.add(Diagnostic::new(&RULE, at, message).here("does not fit"));
        }
    }
}

/// `masterslave:()`, which masterslave-needs-two reports.
fn without_list(raw: &RawUri) -> bool {
    let empty = raw.uri.as_ref().is_err_and(|error| error.fault == UriFault::EmptyList);
    empty && raw.text.value.starts_with("masterslave:")
}

/// A value that does not fit the field `name`.
pub(crate) fn found(at: Loc, name: &str, fault: Mismatch) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(&RULE, at, format!("`{name}` {}", fault.message)).here("does not fit");
    diagnostic.help = fault.help.map(Into::into);
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
