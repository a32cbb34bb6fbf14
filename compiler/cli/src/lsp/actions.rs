//! What can be done about findings: the compiler's own fixes, all safe ones at once, or allowing a finding for a reason.

use super::findings::{Places, diagnostic};
use super::project::Project;
use super::server::Server;
use super::text::Text;
use super::types::{
    CodeAction, CodeActionKind, OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextDocumentIdentifier,
    TextEdit, WorkspaceEdit,
};
use std::collections::BTreeMap;
use topoc_compiler::assist;
use topoc_compiler::diagnostic::{Diagnostic, Edit, Loc, Safety};
use topoc_dsl::{FileId, Span};

/// The kind of the action that applies every safe fix of a file.
pub(super) const FIX_ALL: &str = "source.fixAll.topoc";

/// What can be done about what is found in a range of a file, as far as the client asks for it.
pub(super) fn actions(
    server: &Server,
    project: &Project,
    (file, span): (FileId, Span),
    only: Option<&[CodeActionKind]>,
) -> Vec<CodeAction> {
    let mut places = Edits { places: Places::new(project, &server.documents, server.can.encoding), server };
    let mut actions = Vec::new();
    let in_file = |found: &&Diagnostic| found.primary().file == file;
    if wanted(only, "quickfix") {
        let here =
            |found: &&Diagnostic| found.primary().span.start <= span.end && span.start <= found.primary().span.end;
        for found in project.analysis.diagnostics.iter().filter(in_file).filter(here) {
            quick_fixes(found, &mut places, &mut actions);
            actions.extend(allow(found, project, &mut places));
        }
    }
    if wanted(only, FIX_ALL) {
        let safe = project.analysis.diagnostics.iter().filter(in_file).flat_map(|found| found.fixes.iter());
        let edits = disjoint(safe.filter(|fix| fix.safety == Safety::Safe).map(|fix| fix.edits.as_slice()));
        if !edits.is_empty() {
            actions.push(CodeAction {
                title: "Apply every safe fix in this file".to_owned(),
                kind: Some(kind(FIX_ALL)),
                edit: Some(places.workspace_edit(&edits)),
                ..CodeAction::default()
            });
        }
    }
    actions
}

/// Kinds are a hierarchy: who asks for `source` gets `source.fixAll.topoc`.
fn wanted(only: Option<&[CodeActionKind]>, kind: &str) -> bool {
    only.is_none_or(|only| {
        only.iter().any(|asked| {
            let asked = serde_json::to_value(asked).ok();
            let asked = asked.as_ref().and_then(|asked| asked.as_str()).unwrap_or("");
            asked.is_empty() || kind.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    })
}

fn kind(name: &str) -> CodeActionKind {
    serde_json::from_value(name.into()).unwrap_or(CodeActionKind::QuickFix)
}

fn quick_fixes(found: &Diagnostic, places: &mut Edits<'_>, actions: &mut Vec<CodeAction>) {
    for fix in found.fixes.iter().filter(|fix| fix.safety != Safety::Shown) {
        let safe = fix.safety == Safety::Safe;
        let mark = if safe { "" } else { " (unsafe: may change who gets what)" };
        let edits: Vec<&Edit> = fix.edits.iter().collect();
        actions.push(CodeAction {
            title: format!("{}{mark}", fix.title),
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(vec![diagnostic(found, &mut places.places)]),
            is_preferred: Some(safe),
            edit: Some(places.workspace_edit(&edits)),
            ..CodeAction::default()
        });
    }
}

/// A comment above the statement, with the reason left to be written. What cannot be read cannot be allowed.
fn allow(found: &Diagnostic, project: &Project, places: &mut Edits<'_>) -> Option<CodeAction> {
    let code = found.rule.code;
    if code.starts_with("TOPO00") {
        return None;
    }
    let at = found.primary();
    let source = project.analysis.sources.file(at.file)?;
    let statement = assist::statement_at(source, at.span.start)?;
    let start = statement.start as usize;
    let line = source.text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line = if line == 0 && source.text.starts_with('\u{feff}') { 3 } else { line };
    let before = &source.text[line..start];
    let indent = &before[..before.len() - before.trim_start_matches([' ', '\t']).len()];
    let end = if source.text.contains("\r\n") { "\r\n" } else { "\n" };
    let text = format!("{indent}// topoc: allow({code}) reason=\"why this is meant\"{end}");
    let edit = Edit { at: Loc { file: at.file, span: Span::at(line) }, text: text.into() };
    Some(CodeAction {
        title: format!("Allow {code} here and say why"),
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![diagnostic(found, &mut places.places)]),
        is_preferred: Some(false),
        edit: Some(places.workspace_edit(&[&edit])),
        ..CodeAction::default()
    })
}

/// The edits of those fixes that do not touch an earlier one's: the client asks again for the rest.
fn disjoint<'a>(fixes: impl Iterator<Item = &'a [Edit]>) -> Vec<&'a Edit> {
    let mut taken: Vec<&Edit> = Vec::new();
    for edits in fixes {
        let overlaps = |new: &Edit| {
            taken.iter().any(|old| {
                old.at.file == new.at.file
                    && old.at.span.start <= new.at.span.end
                    && new.at.span.start <= old.at.span.end
            })
        };
        if !edits.iter().any(overlaps) {
            taken.extend(edits);
        }
    }
    taken
}

/// Edits in the client's words.
struct Edits<'a> {
    places: Places<'a>,
    server: &'a Server,
}

impl Edits<'_> {
    /// With the version of each open file where the client takes one: it then refuses what was meant for an older text.
    fn workspace_edit(&mut self, edits: &[&Edit]) -> WorkspaceEdit {
        let mut changes: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
        for edit in edits {
            let new = TextEdit { range: self.places.range(edit.at), new_text: edit.text.clone().into() };
            changes.entry(edit.at.file).or_default().push(new);
        }
        if self.server.can.versioned_edits {
            let documents = changes.into_iter().map(|(file, edits)| self.document_edit(file, edits).into());
            return WorkspaceEdit { document_changes: Some(documents.collect()), ..WorkspaceEdit::default() };
        }
        let changes = changes.into_iter().map(|(file, edits)| (self.places.uri(file), edits));
        WorkspaceEdit { changes: Some(changes.collect()), ..WorkspaceEdit::default() }
    }

    fn document_edit(&mut self, file: FileId, edits: Vec<TextEdit>) -> TextDocumentEdit {
        let uri = self.places.uri(file);
        let version = self.server.documents.get(&self.server.path(&uri.0)).map(|document| document.version);
        let document = OptionalVersionedTextDocumentIdentifier::new(version, TextDocumentIdentifier::new(uri));
        TextDocumentEdit::new(document, edits.into_iter().map(Into::into).collect())
    }
}

/// The edits that lay a text out canonically, line by line so that cursors stay where they are.
pub(super) fn format(text: &Text) -> Result<Vec<TextEdit>, String> {
    let old: &str = text.text();
    let new = topoc_dsl::format::format(old).map_err(|errors| {
        let first = errors.first().map(|error| error.message.as_str()).unwrap_or_default();
        format!("the file was left as it is: {first}; mend the text first, then format it")
    })?;
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let (old_starts, new_starts) = (starts(&old_lines), starts(&new_lines));
    let changes = similar::capture_diff_slices(similar::Algorithm::Myers, &old_lines, &new_lines);
    let changed = changes.iter().filter(|op| op.tag() != similar::DiffTag::Equal);
    Ok(changed
        .map(|op| {
            let (from, to) = (op.old_range(), op.new_range());
            TextEdit {
                range: text.range(Span::new(old_starts[from.start], old_starts[from.end])),
                new_text: new[new_starts[to.start]..new_starts[to.end]].to_owned(),
            }
        })
        .collect())
}

/// Where each line begins, and where the last one ends.
fn starts(lines: &[&str]) -> Vec<usize> {
    let ends = lines.iter().scan(0, |at, line| {
        *at += line.len();
        Some(*at)
    });
    std::iter::once(0).chain(ends).collect()
}
