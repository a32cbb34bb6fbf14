//! Workflow commands: GitHub Actions shows each finding beside its line.

use super::place::place;
use super::unsafe_to_show;
use std::io::{self, Write};
use topoc_compiler::diagnostic::{Diagnostic, Severity};
use topoc_compiler::sources::Sources;

/// Writes every finding.
pub(crate) fn write(sources: &Sources, diagnostics: &[Diagnostic], out: &mut impl Write) -> io::Result<()> {
    diagnostics.iter().try_for_each(|diagnostic| writeln!(out, "{}", line(sources, diagnostic)))
}

fn line(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let (path, range) = place(sources, diagnostic.primary());
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let (start, end) = (range.start, range.end);
    // GitHub knows columns of one line only.
    let columns =
        if start.line == end.line { format!(",col={},endColumn={}", start.column, end.column) } else { String::new() };
    let title = property(&format!("{} {}", diagnostic.rule.code, diagnostic.rule.name));
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("\nhelp: {help}"));
    let message = data(&format!("{}{help}", diagnostic.message));
    let path = property(path);
    format!("::{command} file={path},line={},endLine={}{columns},title={title}::{message}", start.line, end.line)
}

/// What stands behind the second pair of colons (actions/toolkit, `command.ts`, `escapeData`).
fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    text.replace(unsafe_to_show, "\u{fffd}")
}

/// What stands between them (`escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_end_it_or_begin_a_command() {
        for (text, as_data, as_property) in [
            ("100 %", "100 %25", "100 %25"),
            ("a\r\n::error::b", "a%0D%0A::error::b", "a%0D%0A%3A%3Aerror%3A%3Ab"),
            ("a,b", "a,b", "a%2Cb"),
            ("%0A", "%250A", "%250A"),
            ("a\u{1b}[2Jb", "a\u{fffd}[2Jb", "a\u{fffd}[2Jb"),
        ] {
            assert_eq!((data(text).as_str(), property(text).as_str()), (as_data, as_property), "{text:?}");
        }
    }
}
