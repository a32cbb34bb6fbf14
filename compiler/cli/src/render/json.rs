//! Findings as one JSON object on one line. Version 1 of the format: fields are added, never renamed or removed.

use super::Summary;
use super::place::{Range, place};
use serde::{Serialize, Serializer};
use std::io::{self, Write};
use topoc_compiler::diagnostic;
use topoc_compiler::sources::Sources;

/// The format's version.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    summary: Summary,
    /// Written one by one as they are made, so that no second copy of all findings exists.
    #[serde(serialize_with = "each")]
    diagnostics: (&'a Sources, &'a [diagnostic::Diagnostic]),
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    code: &'a str,
    name: &'a str,
    severity: &'a str,
    message: &'a str,
    file: &'a str,
    range: Range,
    /// The place of the fault itself first.
    labels: Vec<Label<'a>>,
    help: Option<&'a str>,
    url: String,
    fixes: Vec<Fix<'a>>,
}

#[derive(Serialize)]
struct Label<'a> {
    message: &'a str,
    file: &'a str,
    range: Range,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    safety: &'a str,
    edits: Vec<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    file: &'a str,
    range: Range,
    text: &'a str,
}

/// Writes the object and a line's end.
pub(crate) fn write(
    sources: &Sources,
    diagnostics: &[diagnostic::Diagnostic],
    summary: Summary,
    out: &mut impl Write,
) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Report { version: VERSION, summary, diagnostics: (sources, diagnostics) })?;
    out.write_all(b"\n")
}

fn each<S: Serializer>(all: &(&Sources, &[diagnostic::Diagnostic]), serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.1.iter().map(|one| diagnostic(all.0, one)))
}

fn diagnostic<'a>(sources: &'a Sources, from: &'a diagnostic::Diagnostic) -> Diagnostic<'a> {
    let (file, range) = place(sources, from.primary());
    Diagnostic {
        code: from.rule.code,
        name: from.rule.name,
        severity: from.severity.word(),
        message: &from.message,
        file,
        range,
        labels: from.labels.iter().map(|from| label(sources, from)).collect(),
        help: from.help.as_deref(),
        url: super::human::url(from),
        fixes: from.fixes.iter().map(|from| fix(sources, from)).collect(),
    }
}

fn label<'a>(sources: &'a Sources, from: &'a diagnostic::Label) -> Label<'a> {
    let (file, range) = place(sources, from.at);
    Label { message: &from.message, file, range }
}

fn fix<'a>(sources: &'a Sources, from: &'a diagnostic::Fix) -> Fix<'a> {
    let edit = |from: &'a diagnostic::Edit| {
        let (file, range) = place(sources, from.at);
        Edit { file, range, text: &from.text }
    };
    Fix { title: &from.title, safety: from.safety.word(), edits: from.edits.iter().map(edit).collect() }
}
