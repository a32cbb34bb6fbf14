//! From a name, a `$variable` or an import to the place that it means.

use super::cursor::Cursor;
use super::names;
use crate::Analysis;
use crate::diagnostic::Loc;
use crate::language::{self, Kind, Type};
use crate::sources::{self, Sources};
use topoc_dsl::syntax::{ArgumentKind, Statement, ValueKind};
use topoc_dsl::{FileId, Span};

/// What is under a place and refers to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A name, and the kinds of things that it may be the name of; none for any.
    Name(Span, &'a str, &'static [Kind]),
    /// `$name`, without the dollar.
    Variable(Span, &'a str),
}

/// The place that the word at `offset` means.
#[must_use]
pub fn define(analysis: &Analysis, file: FileId, offset: u32) -> Option<Loc> {
    let source = analysis.sources.file(file)?;
    let cursor = Cursor::at(source, offset);
    if let Some(found) = imported(&analysis.sources, file, cursor.statement?, offset) {
        return Some(found);
    }
    match word(&cursor)? {
        Word::Variable(_, name) => let_of(&analysis.sources, name).map(|(at, _)| at),
        Word::Name(_, name, kinds) => {
            let all = names::known(&analysis.model);
            names::resolve(&all, name, cursor.site(), kinds).map(|known| known.at)
        }
    }
}

/// The word that the cursor is on.
pub(super) fn word<'a>(cursor: &Cursor<'a>) -> Option<Word<'a>> {
    let text: &'a str = &cursor.source.text;
    let statement = cursor.statement?;
    if let Some(value) = cursor.value() {
        return match value.kind {
            ValueKind::Variable => Some(Word::Variable(value.span, value.span.of(text).trim_start_matches('$'))),
            ValueKind::Path => {
                let field = language::field(cursor.kind(), statement.head.text(text))?;
                let (Type::Ref(kinds) | Type::Refs(kinds)) = field.ty else { return None };
                Some(Word::Name(value.span, value.span.of(text), kinds))
            }
            _ => None,
        };
    }
    let argument = statement.arguments.iter().find(|argument| argument.span.touches(cursor.offset))?;
    if argument.kind != ArgumentKind::Path {
        return None;
    }
    let kinds: &'static [Kind] = match statement.head.text(text) {
        "let" => return Some(Word::Variable(argument.span, argument.span.of(text))),
        "site" => &[Kind::Site],
        "broker" => &[Kind::Broker],
        "pair" => &[Kind::Pair],
        "finesse" => &[Kind::Finesse],
        "connector" => &[Kind::Connector],
        "client" => &[Kind::Client],
        "deployment" => &[Kind::Deployment],
        "bridge" => &[Kind::Broker, Kind::Pair],
        "address" => &[Kind::Site],
        "fail" | "restore" | "hang" | "cut" | "heal" | "out-of-service" | "expect" | "override" => &[],
        _ => return None,
    };
    Some(Word::Name(argument.span, argument.span.of(text), kinds))
}

/// The name of a `let` and its statement. An overlay's wins, as it does when values are read.
pub(super) fn let_of<'a>(sources: &'a Sources, name: &str) -> Option<(Loc, &'a str)> {
    let mut found = None;
    for (index, source) in sources.files.iter().enumerate() {
        for statement in &source.tree.statements {
            let Some(argument) = statement.arguments.first() else { continue };
            let is_it = statement.head.text(&source.text) == "let" && argument.span.of(&source.text) == name;
            if is_it && (found.is_none() || source.overlay) {
                let file = FileId(u32::try_from(index).unwrap_or(u32::MAX));
                found = Some((Loc { file, span: argument.span }, statement.span.of(&source.text)));
            }
        }
    }
    found
}

fn imported(sources: &Sources, file: FileId, statement: &Statement, offset: u32) -> Option<Loc> {
    let source = sources.file(file)?;
    let (span, path) = sources::import(statement, &source.text)?;
    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = sources::join(folder, &path);
    let to = sources.files.iter().position(|other| other.path == path).filter(|_| span.touches(offset))?;
    Some(Loc { file: FileId(u32::try_from(to).ok()?), span: Span::default() })
}
