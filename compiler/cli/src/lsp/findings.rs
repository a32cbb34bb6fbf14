//! Findings as the protocol has them. There may be thousands, and every change asks for all of them again: each is written
//! as JSON straight from what the compiler found, and its JSON is what is kept, compared and sent.

use super::project::{Documents, Project};
use super::text::{Encoding, Text};
use super::types::{Diagnostic, DiagnosticSeverity, Location, Range, Uri};
use super::uri;
use crate::render::human;
use rayon::prelude::*;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, HashSet};
use topoc_compiler::diagnostic::{self, Loc, Severity};
use topoc_dsl::FileId;

/// The findings of one file, in the order in which they are shown.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Findings {
    /// JSON objects with commas between them.
    json: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Findings {
    /// What stands between the brackets of a JSON array.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + 1));
        starts.zip(&self.ends).filter_map(|(start, &end)| self.json.get(start..end))
    }

    fn add(&mut self, finding: &Finding<'_>) {
        let before = self.json.len();
        self.comma();
        match serde_json::to_writer(&mut self.json, finding) {
            Ok(()) => self.ends.push(self.json.len()),
            Err(_) => self.json.truncate(before),
        }
    }

    /// Takes in those that come behind these.
    fn append(&mut self, others: &Self) {
        if others.is_empty() {
            return;
        }
        self.comma();
        let before = self.json.len();
        self.json.extend_from_slice(&others.json);
        self.ends.extend(others.ends.iter().map(|end| before + end));
    }

    /// Takes in those of another topology that are not among these.
    pub(super) fn merge(&mut self, others: &Self) {
        let known: HashSet<Vec<u8>> = self.each().map(<[u8]>::to_vec).collect();
        for other in others.each().filter(|other| !known.contains(*other)) {
            self.comma();
            self.json.extend_from_slice(other);
            self.ends.push(self.json.len());
        }
    }

    fn comma(&mut self) {
        if !self.ends.is_empty() {
            self.json.push(b',');
        }
    }
}

/// The names of a project's files as the client has them, and their lines and columns, made when they are first asked for.
pub(super) struct Places<'a> {
    project: &'a Project,
    documents: &'a Documents,
    encoding: Encoding,
    files: Vec<Option<Place>>,
}

struct Place {
    uri: String,
    text: Text,
}

impl<'a> Places<'a> {
    pub(super) fn new(project: &'a Project, documents: &'a Documents, encoding: Encoding) -> Self {
        Self { project, documents, encoding, files: project.paths.iter().map(|_| None).collect() }
    }

    /// Makes the place of a file, if it is not there yet.
    fn look(&mut self, file: FileId) -> Option<&Place> {
        let index = file.0 as usize;
        let slot = self.files.get_mut(index)?;
        if slot.is_none() {
            let path = self.project.paths.get(index)?;
            let source = self.project.analysis.sources.file(file)?;
            let document = self.documents.get(path);
            let uri = document.map_or_else(|| uri::of(path), |document| document.uri.clone());
            // The lines of an open file are known, where what was analysed is what is open.
            let open = document.filter(|document| **document.text.text() == *source.text);
            let text = open.map_or_else(|| Text::new(source.text.clone(), self.encoding), |open| open.text.clone());
            *slot = Some(Place { uri, text });
        }
        slot.as_ref()
    }

    fn known(&self, file: FileId) -> Option<&Place> {
        self.files.get(file.0 as usize)?.as_ref()
    }

    /// A file as the client calls it.
    pub(super) fn uri(&mut self, file: FileId) -> Uri {
        self.look(file).map(|place| place.uri.clone()).unwrap_or_default().into()
    }

    pub(super) fn range(&mut self, at: Loc) -> Range {
        self.look(at.file).map(|place| place.text.range(at.span)).unwrap_or_default()
    }

    pub(super) fn location(&mut self, at: Loc) -> Location {
        Location { uri: self.uri(at.file), range: self.range(at) }
    }
}

/// So many findings are written by one thread.
const BATCH: usize = 128;

/// The findings of a project, for each of its files.
pub(super) fn by_file(project: &Project, documents: &Documents, encoding: Encoding) -> Vec<Findings> {
    let mut places = Places::new(project, documents, encoding);
    let diagnostics = &project.analysis.diagnostics;
    for label in diagnostics.iter().flat_map(|found| &found.labels) {
        places.look(label.at.file);
    }
    let places = &places;
    let write = |batch: &[diagnostic::Diagnostic]| {
        let mut written: BTreeMap<usize, Findings> = BTreeMap::new();
        for found in batch {
            written.entry(found.primary().file.0 as usize).or_default().add(&Finding::of(found, places));
        }
        written
    };
    let batches: Vec<BTreeMap<usize, Findings>> = diagnostics.par_chunks(BATCH).map(write).collect();
    let mut all: Vec<Findings> = project.paths.iter().map(|_| Findings::default()).collect();
    for (file, found) in batches.into_iter().flatten() {
        if let Some(own) = all.get_mut(file) {
            own.append(&found);
        }
    }
    all
}

/// One finding, as a type of the protocol.
pub(super) fn diagnostic(found: &diagnostic::Diagnostic, places: &mut Places<'_>) -> Diagnostic {
    for label in &found.labels {
        places.look(label.at.file);
    }
    let json = serde_json::to_value(Finding::of(found, places));
    json.and_then(serde_json::from_value).unwrap_or_default()
}

/// One finding: the protocol's `Diagnostic`, without copies.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    range: Range,
    severity: DiagnosticSeverity,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_description: Option<Link>,
    source: &'static str,
    #[serde(serialize_with = "words")]
    message: &'a diagnostic::Diagnostic,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_information: Vec<Related<'a>>,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Link {
    href: String,
}

#[derive(Serialize)]
struct Related<'a> {
    location: RelatedPlace<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct RelatedPlace<'a> {
    uri: &'a str,
    range: Range,
}

#[derive(Serialize)]
struct Data<'a> {
    name: &'static str,
    message: &'a str,
    help: Option<&'a str>,
}

impl<'a> Finding<'a> {
    /// The places of its labels must have been looked for.
    fn of(found: &'a diagnostic::Diagnostic, places: &'a Places<'_>) -> Self {
        let range = |at: Loc| places.known(at.file).map(|place| place.text.range(at.span)).unwrap_or_default();
        let uri = |at: Loc| places.known(at.file).map_or("", |place| &place.uri);
        let others = found.labels.iter().filter(|label| !label.message.is_empty());
        let related = others.map(|label| Related {
            location: RelatedPlace { uri: uri(label.at), range: range(label.at) },
            message: &label.message,
        });
        Self {
            range: range(found.primary()),
            severity: severity(found.severity),
            code: found.rule.code,
            // A link that a browser cannot open is worse than none.
            code_description: Some(human::url(found)).filter(|url| url.starts_with("http")).map(|href| Link { href }),
            source: "topoc",
            message: found,
            related_information: related.collect(),
            data: Data { name: found.rule.name, message: &found.message, help: found.help.as_deref() },
        }
    }
}

/// What to do first stands below the message, because editors show nothing else.
fn words<S: Serializer>(found: &diagnostic::Diagnostic, out: S) -> Result<S::Ok, S::Error> {
    match &found.help {
        Some(help) => out.collect_str(&format_args!("{}\nhelp: {help}", found.message)),
        None => out.serialize_str(&found.message),
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Note => DiagnosticSeverity::Information,
    }
}
