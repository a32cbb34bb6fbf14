//! Findings as the protocol has them.

use super::project::{Documents, Project};
use super::text::{Encoding, Text};
use super::types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, Message, Range, Uri,
};
use super::uri;
use crate::render::human;
use std::collections::BTreeMap;
use std::path::PathBuf;
use topoc_compiler::diagnostic::{self, Loc, Severity};

/// The lines and columns of a project's files, made when they are first asked for.
pub(super) struct Places<'a> {
    project: &'a Project,
    documents: &'a Documents,
    encoding: Encoding,
    texts: Vec<Option<Text>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(project: &'a Project, documents: &'a Documents, encoding: Encoding) -> Self {
        Self { project, documents, encoding, texts: vec![None; project.paths.len()] }
    }

    /// The file of a place as the client calls it.
    pub(super) fn uri(&self, at: Loc) -> Uri {
        let path = self.project.paths.get(at.file.0 as usize).cloned().unwrap_or_default();
        self.documents.get(&path).map_or_else(|| uri::of(&path), |document| document.uri.clone()).into()
    }

    pub(super) fn range(&mut self, at: Loc) -> Range {
        let index = at.file.0 as usize;
        let (Some(slot), Some(source)) = (self.texts.get_mut(index), self.project.analysis.sources.file(at.file))
        else {
            return Range::default();
        };
        slot.get_or_insert_with(|| Text::new(source.text.clone(), self.encoding)).range(at.span)
    }

    pub(super) fn location(&mut self, at: Loc) -> Location {
        Location { uri: self.uri(at), range: self.range(at) }
    }
}

/// The findings of a project by the file they are in. Every file of it is there, also those with nothing to report.
pub(super) fn by_file(
    project: &Project,
    documents: &Documents,
    encoding: Encoding,
) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
    let mut places = Places::new(project, documents, encoding);
    let mut all: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
    for path in &project.paths {
        all.entry(path.clone()).or_default();
    }
    for found in &project.analysis.diagnostics {
        let Some(path) = project.paths.get(found.primary().file.0 as usize) else { continue };
        all.entry(path.clone()).or_default().push(diagnostic(found, &mut places));
    }
    all
}

/// One finding. What to do first stands below the message, because editors show nothing else.
pub(super) fn diagnostic(found: &diagnostic::Diagnostic, places: &mut Places<'_>) -> Diagnostic {
    let help = found.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let others = found.labels.iter().filter(|label| !label.message.is_empty());
    let related: Vec<DiagnosticRelatedInformation> = others
        .map(|label| DiagnosticRelatedInformation {
            location: places.location(label.at),
            message: label.message.clone().into(),
        })
        .collect();
    let url = human::url(found);
    Diagnostic {
        range: places.range(found.primary()),
        severity: Some(severity(found.severity)),
        code: Some(Code::String(found.rule.code.to_owned())),
        // A link that a browser cannot open is worse than none.
        code_description: url.starts_with("http").then(|| CodeDescription { href: url.into() }),
        source: Some("topoc".to_owned()),
        message: Message::String(format!("{}{help}", found.message)),
        related_information: (!related.is_empty()).then_some(related),
        data: Some(serde_json::json!({ "name": found.rule.name, "message": found.message, "help": found.help })),
        ..Diagnostic::default()
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Note => DiagnosticSeverity::Information,
    }
}
