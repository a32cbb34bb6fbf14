//! What is said about the word under the mouse: fields, blocks, statements, names and variables. Markdown.

use super::cursor::{Cursor, kind_of};
use super::definition::{Word, let_of, word};
use super::names;
use crate::Analysis;
use crate::language::{self, Block, Field, Form, Kind, Place};
use crate::release;
use crate::schema;
use std::fmt::Write;
use topoc_dsl::{FileId, Span};

/// What is said, and about which word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// The word.
    pub span: Span,
    /// Markdown.
    pub text: String,
}

/// What there is to say about the word at `offset`.
#[must_use]
pub fn hover(analysis: &Analysis, file: FileId, offset: u32) -> Option<Hover> {
    let source = analysis.sources.file(file)?;
    let cursor = Cursor::at(source, offset);
    let statement = cursor.statement?;
    let text = &source.text;
    if statement.head.span.touches(offset) {
        let word = statement.head.text(text);
        let said = match (statement.value(), statement.arguments.is_empty()) {
            (Some(_), true) => language::field(cursor.kind(), word).map(field),
            _ => language::block_of(word).map(block).or_else(|| language::form_of(word).map(form)),
        };
        return said.map(|text| Hover { span: statement.head.span, text });
    }
    match word(&cursor)? {
        Word::Variable(span, name) => {
            let (_, written) = let_of(&analysis.sources, name)?;
            Some(Hover { span, text: code(written) })
        }
        Word::Name(span, name, kinds) => {
            let all = names::known(&analysis.model);
            let found = names::resolve(&all, name, cursor.site(), kinds)?;
            Some(Hover { span, text: thing(analysis, &found) })
        }
    }
}

/// A thing: what it is, where, and how it was declared.
fn thing(analysis: &Analysis, known: &names::Known<'_>) -> String {
    let what = language::spec(known.kind).map_or("thing", |spec| spec.keyword);
    let site = known.site.map(|site| format!(" of site `{site}`")).unwrap_or_default();
    let mut said = format!("{what} `{}`{site}", known.name);
    let declared = analysis.sources.file(known.at.file).and_then(|source| {
        let cursor = Cursor::at(source, known.at.span.start);
        let statement = cursor.statement?;
        let head = statement.header().of(&source.text);
        // What it says itself: its fields, without the blocks in it.
        let fields = statement.body().into_iter().flat_map(|body| &body.statements);
        let fields = fields.filter(|field| field.value().is_some()).take(8);
        let lines: Vec<String> = fields.map(|field| format!("  {}\n", field.span.of(&source.text))).collect();
        (kind_of(statement, &source.text) != Kind::File).then(|| format!("{head} {{\n{}}}", lines.concat()))
    });
    if let Some(declared) = declared {
        said += "\n\n";
        said += &code(&declared);
    }
    said
}

fn code(text: &str) -> String {
    format!("```topo\n{text}\n```")
}

/// A kind of block.
pub(super) fn block(block: &Block) -> String {
    format!("**{}**: {}\n\n{}", block.keyword, block.doc, code(block.example))
}

/// A statement that is neither block nor field.
pub(super) fn form(form: &Form) -> String {
    format!("**{}**: {}\n\n{}", form.keyword, form.doc, code(form.example))
}

/// A field: meaning, type, default, ActiveMQ's name for it and since when that exists.
pub(super) fn field(field: &Field) -> String {
    let mut said = format!("**{}**", field.name);
    if !field.doc.is_empty() {
        let _ = write!(said, ": {}", field.doc);
    }
    let example = field.ty.example().map(|example| format!(", such as `{example}`")).unwrap_or_default();
    let _ = write!(said, "\n\n- type: {}{example}", field.ty.words());
    if field.required {
        said += "\n- required";
    } else if !field.default.is_empty() {
        let _ = write!(said, "\n- default: {}", field.default_words());
    }
    match field.place {
        Place::Own => {}
        Place::Attribute(element) => {
            let _ = write!(said, "\n- in ActiveMQ: attribute `{}` of `<{element}>`", field.real);
        }
        Place::ServerOption => {
            let _ = write!(said, "\n- in ActiveMQ: `{}` in the listener's URI", field.real);
        }
        Place::FailoverOption => {
            let _ = write!(said, "\n- in ActiveMQ: `{}` in the failover URI", field.real);
        }
    }
    match (field.place, since(field)) {
        (_, Some(since)) => drop(write!(said, "\n- since ActiveMQ {since}")),
        (Place::Attribute(_), None) => said += "\n- in every release that can be targeted",
        _ => {}
    }
    said
}

fn since(field: &Field) -> Option<release::Release> {
    match field.place {
        Place::Attribute(element) => {
            let element = schema::element(element)?;
            element.attribute(field.real)?.presence.since.or(element.presence.since)
        }
        Place::FailoverOption => release::failover_option_since(field.real),
        Place::Own | Place::ServerOption => None,
    }
}
