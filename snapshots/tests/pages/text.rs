//! A topology and what topoc says of it, as text that is read in one go.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

use std::fmt::Write;
use topoc_compiler::Analysis;
use topoc_compiler::diagnostic::{Diagnostic, Fix, Loc};

/// All findings: place, message, labels, help and fixes.
pub(crate) fn findings(analysis: &Analysis) -> String {
    let mut text = String::new();
    for diagnostic in &analysis.diagnostics {
        finding(&mut text, analysis, diagnostic);
    }
    text
}

fn finding(text: &mut String, analysis: &Analysis, diagnostic: &Diagnostic) {
    let Diagnostic { rule, severity, message, labels, help, fixes } = diagnostic;
    let at = start(analysis, diagnostic.primary());
    writeln!(text, "{at}: {}[{}]: {message}", severity.word(), rule.code).unwrap();
    for (index, label) in labels.iter().enumerate() {
        let at = if index == 0 { "here".to_owned() } else { start(analysis, label.at) };
        writeln!(text, "    {at}: {}", label.message).unwrap();
    }
    if let Some(help) = help {
        writeln!(text, "    help: {help}").unwrap();
    }
    for fix in fixes {
        change(text, analysis, fix);
    }
}

fn change(text: &mut String, analysis: &Analysis, fix: &Fix) {
    writeln!(text, "    fix ({}): {}", fix.safety.word(), fix.title).unwrap();
    for edit in &fix.edits {
        let old = analysis.sources.text(edit.at);
        writeln!(text, "        {}: {old:?} -> {:?}", start(analysis, edit.at), edit.text).unwrap();
    }
}

/// `main.topo:5:9`
fn start(analysis: &Analysis, at: Loc) -> String {
    let Some(source) = analysis.sources.file(at.file) else { return "nowhere".to_owned() };
    let place = source.position(at.span.start);
    format!("{}:{}:{}", source.path, place.line, place.column)
}
