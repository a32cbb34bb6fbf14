//! Findings as text: each format is a file. All of them translate the compiler's one neutral type.

pub(crate) mod github;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod junit;
mod place;
pub(crate) mod sarif;
pub(crate) mod short;

use crate::terminal::Paint;
use topoc_compiler::diagnostic::{Diagnostic, Severity};

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
    files: usize,
}

impl Summary {
    /// Counts.
    pub(crate) fn of(diagnostics: &[Diagnostic], files: usize) -> Self {
        let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note), files }
    }

    /// The same with notes that were only counted.
    pub(crate) fn with_notes(self, counted: usize) -> Self {
        Self { notes: self.notes + counted, ..self }
    }

    /// `2 errors, 1 warning in 3 files`
    pub(crate) fn line(self, paint: Paint) -> String {
        let mut parts = Vec::new();
        let mut part = |count: usize, word: &str, colour: fn(Paint, &str) -> String| {
            if count > 0 {
                parts.push(colour(paint, &counted(count, word)));
            }
        };
        part(self.errors, "error", Paint::red);
        part(self.warnings, "warning", Paint::yellow);
        part(self.notes, "note", Paint::cyan);
        let found = if parts.is_empty() { paint.green("no findings") } else { parts.join(", ") };
        format!("{found} in {}", counted(self.files, "file"))
    }
}

/// `1 file`, `2 files`, `2 fixes`
pub(crate) fn counted(count: usize, word: &str) -> String {
    let plural = match (count, word.ends_with('x')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {word}{plural}")
}

/// The first few of a list of names.
pub(crate) fn some<N: std::fmt::Display>(names: impl Iterator<Item = N>) -> String {
    const FEW: usize = 8;
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(FEW);
    names.truncate(FEW);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    names.join(", ") + &rest
}

/// What a terminal would obey instead of show: control characters, and those that turn the direction of writing
/// (Unicode Standard Annex 9). Texts of findings repeat what stands in files that anyone may have written.
pub(crate) fn unsafe_to_show(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text without anything that a terminal would obey.
pub(crate) fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(unsafe_to_show) { text.replace(unsafe_to_show, "\u{fffd}").into() } else { text.into() }
}
