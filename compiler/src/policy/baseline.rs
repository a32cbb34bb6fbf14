//! Findings that were there before: told apart by rule, file and the blocks they are in, and by nothing that moves.
//!
//! Lines, layout and folders may change; so two findings of one rule at one thing have one fingerprint, and are counted.

use super::allow::around;
use crate::diagnostic::Diagnostic;
use crate::sources::Sources;
use std::collections::BTreeMap;
use topoc_dsl::syntax::Statement;

/// What stays the same of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// Its rule's code.
    pub rule: String,
    /// Its file's name, without folders.
    pub file: String,
    /// The blocks and the field that it is in, from the outside: `site east > connector gc-1 > priority`.
    pub within: String,
}

/// How often each finding was there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline(pub BTreeMap<Fingerprint, usize>);

/// What a baseline did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Findings that were there before.
    pub hidden: usize,
    /// Findings that were there and are no more.
    pub fixed: usize,
}

impl Baseline {
    /// All that is found now.
    #[must_use]
    pub fn of(sources: &Sources, diagnostics: &[Diagnostic]) -> Self {
        let mut counts = BTreeMap::new();
        for finding in diagnostics {
            *counts.entry(Fingerprint::of(sources, finding)).or_default() += 1;
        }
        Self(counts)
    }

    /// Takes away what was there before. Of more findings than there were of one kind, the last ones stay.
    pub fn hide(&self, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) -> Hidden {
        let mut left = self.0.clone();
        let all = diagnostics.len();
        diagnostics.retain(|finding| match left.get_mut(&Fingerprint::of(sources, finding)) {
            Some(count @ 1..) => {
                *count -= 1;
                false
            }
            _ => true,
        });
        Hidden { hidden: all - diagnostics.len(), fixed: left.values().sum() }
    }
}

impl Fingerprint {
    /// The fingerprint of a finding.
    #[must_use]
    pub fn of(sources: &Sources, finding: &Diagnostic) -> Self {
        let at = finding.primary();
        let (mut file, mut within) = (String::new(), Vec::new());
        if let Some(source) = sources.file(at.file) {
            file = source.path.rsplit('/').next().unwrap_or("").to_owned();
            name(&source.tree.statements, at.span.start, &source.text, &mut within);
        }
        Self { rule: finding.rule.code.to_owned(), file, within: within.join(" > ") }
    }
}

/// The headers of the statements around a place, from the outside.
fn name(statements: &[Statement], place: u32, text: &str, names: &mut Vec<String>) {
    let Some(statement) = around(statements, place) else { return };
    let header = statement.header().of(text);
    names.push(header.split_whitespace().collect::<Vec<_>>().join(" "));
    if let Some(body) = statement.body() {
        name(&body.statements, place, text, names);
    }
}
