//! One finding a line: `path:line:col: severity[CODE] name: message (help)`. For editors, grep and narrow eyes.

use super::shown;
use std::io::{self, Write};
use topoc_compiler::diagnostic::Diagnostic;
use topoc_compiler::sources::Sources;

/// Writes every finding.
pub(crate) fn write(sources: &Sources, diagnostics: &[Diagnostic], out: &mut impl Write) -> io::Result<()> {
    diagnostics.iter().try_for_each(|diagnostic| writeln!(out, "{}", line(sources, diagnostic)))
}

fn line(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let at = diagnostic.primary();
    let place = sources.file(at.file).map_or_else(String::new, |file| {
        let position = file.position(at.span.start);
        format!("{}:{}:{}: ", file.path, position.line, position.column)
    });
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
    let rule = diagnostic.rule;
    let severity = diagnostic.severity.word();
    let line = format!("{place}{severity}[{}] {}: {}{help}", rule.code, rule.name, diagnostic.message);
    shown(&line).replace('\n', " ")
}
