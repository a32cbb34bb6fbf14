//! TOPO0314 blank-in-uri: white space inside a raw URI.

use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::diagnostic::{Diagnostic, Edit, Safety};
use crate::model::RawUri;
use crate::uri::UriFault;
use std::ops::Range;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0314",
    name: "blank-in-uri",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "white space inside a raw URI",
    page: include_str!("blank_in_uri.md"),
    check: Check::Reading,
};

/// Called by wrong-type, which looks at every raw URI that cannot be read.
pub(super) fn is_one(raw: &RawUri) -> bool {
    raw.uri.as_ref().is_err_and(|error| error.fault == UriFault::Blank)
}

/// A blank in the field `name`.
pub(super) fn found(context: &Context<'_>, name: &str, raw: &RawUri) -> Diagnostic {
    let range = raw.uri.as_ref().err().map_or(0..0, |error| error.range.clone());
    let at = place::inside(context, raw, range);
    let diagnostic = Diagnostic::new(&RULE, at, format!("`{name}` has a blank in it"))
        .here("ActiveMQ stops here with `Illegal character`")
        .help("remove every blank and line break: commas alone part the brokers");
    match edits(context, raw) {
        Some(edits) => diagnostic.fix_all("remove the blanks", Safety::Safe, edits),
        None => diagnostic,
    }
}

/// The removal of every blank, where all of them stand between parts: inside one, something else may be missing.
fn edits(context: &Context<'_>, raw: &RawUri) -> Option<Vec<Edit>> {
    blanks(&raw.text.value)
        .into_iter()
        .map(|blank| {
            let (before, after) = (raw.text.value.get(..blank.start)?, raw.text.value.get(blank.end..)?);
            let between = before.is_empty() || before.ends_with([',', '(', ')', '?', '&']);
            let parts = between || after.is_empty() || after.starts_with([',', '(', ')', '?', '&']);
            let at = dialled::editable(context, raw, blank).filter(|_| parts)?;
            Some(Edit { at, text: String::new().into() })
        })
        .collect()
}

/// Where blanks stand, those side by side as one.
fn blanks(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, blank) in text.match_indices(char::is_whitespace) {
        match found.last_mut().filter(|last| last.end == start) {
            Some(last) => last.end += blank.len(),
            None => found.push(start..start + blank.len()),
        }
    }
    found
}
