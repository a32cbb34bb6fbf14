//! The compiler's help at a place, in the protocol's words.

use super::findings::Places;
use super::project::{Document, Project};
use super::requests::Place;
use super::server::Server;
use super::types::{
    CompletionItem, CompletionItemKind, CompletionItemTextEdit, Contents, DocumentSymbol, Documentation, Hover,
    Location, MarkupContent, MarkupKind, SymbolKind, TextEdit,
};
use topoc_compiler::assist::{self, Candidate, CandidateKind, Symbol};
use topoc_compiler::language::Kind;
use topoc_dsl::FileId;

pub(super) fn hover(place: &Place<'_>) -> Option<Hover> {
    let said = assist::hover(&place.project.analysis, place.file, place.offset)?;
    Some(Hover {
        contents: Contents::MarkupContent(markdown(said.text)),
        range: Some(place.document.text.range(said.span)),
    })
}

pub(super) fn definition(server: &Server, place: &Place<'_>) -> Option<Location> {
    let at = assist::define(&place.project.analysis, place.file, place.offset)?;
    Some(Places::new(place.project, &server.documents, server.can.encoding).location(at))
}

pub(super) fn completion(place: &Place<'_>) -> Vec<CompletionItem> {
    let candidates = assist::complete(&place.project.analysis, place.file, place.offset);
    candidates.into_iter().enumerate().map(|(order, one)| item(order, one, place.document)).collect()
}

/// Editors sort by text, so the order is written as one.
fn item(order: usize, from: Candidate, document: &Document) -> CompletionItem {
    let edit = TextEdit { range: document.text.range(from.span), new_text: from.insert };
    CompletionItem {
        label: from.label,
        kind: Some(match from.kind {
            CandidateKind::Keyword => CompletionItemKind::Keyword,
            CandidateKind::Field => CompletionItemKind::Property,
            CandidateKind::Word => CompletionItemKind::EnumMember,
            CandidateKind::Name => CompletionItemKind::Reference,
            CandidateKind::Variable => CompletionItemKind::Variable,
        }),
        detail: Some(from.detail).filter(|detail| !detail.is_empty()),
        documentation: Some(from.doc)
            .filter(|doc| !doc.is_empty())
            .map(|doc| Documentation::MarkupContent(markdown(doc))),
        sort_text: Some(format!("{order:04}")),
        text_edit: Some(CompletionItemTextEdit::TextEdit(edit)),
        ..CompletionItem::default()
    }
}

pub(super) fn symbols(project: &Project, file: FileId, document: &Document) -> Vec<DocumentSymbol> {
    let Some(source) = project.analysis.sources.file(file) else { return Vec::new() };
    assist::symbols(source).into_iter().map(|from| symbol(from, document)).collect()
}

fn symbol(from: Symbol, document: &Document) -> DocumentSymbol {
    let children: Vec<DocumentSymbol> = from.children.into_iter().map(|child| symbol(child, document)).collect();
    let (range, selection) = (document.text.range(from.span), document.text.range(from.selection));
    let (detail, children) = (Some(from.keyword), (!children.is_empty()).then_some(children));
    DocumentSymbol::new(from.name, detail, symbol_kind(from.kind), None, None, range, selection, children)
}

/// The protocol's kinds are those of programming languages; these tell the blocks apart.
fn symbol_kind(kind: Kind) -> SymbolKind {
    match kind {
        Kind::Topology => SymbolKind::Package,
        Kind::Site => SymbolKind::Namespace,
        Kind::Broker | Kind::Pair => SymbolKind::Class,
        Kind::Listen | Kind::Bridge => SymbolKind::Interface,
        Kind::Connector | Kind::Client | Kind::Finesse => SymbolKind::Object,
        Kind::Deployment | Kind::Scenario | Kind::Guarantee => SymbolKind::Event,
        Kind::File => SymbolKind::Variable,
        _ => SymbolKind::Struct,
    }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}
