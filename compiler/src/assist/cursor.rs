//! Where a byte of a file is: in which blocks, in which statement, on which word.

use crate::language::{self, Kind};
use crate::sources::Source;
use topoc_dsl::Span;
use topoc_dsl::syntax::{Body, Statement, Value, ValueKind};

/// The blocks around a place, and the statement it is in.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) source: &'a Source,
    pub(super) offset: u32,
    /// The blocks whose braces are around the place, the outermost first.
    pub(super) blocks: Vec<&'a Statement>,
    /// The innermost statement that the place touches.
    pub(super) statement: Option<&'a Statement>,
}

impl<'a> Cursor<'a> {
    pub(super) fn at(source: &'a Source, offset: u32) -> Self {
        let mut cursor = Self { source, offset, blocks: Vec::new(), statement: None };
        let mut statements = source.tree.statements.as_slice();
        while let Some(statement) = touching(statements, offset) {
            cursor.statement = Some(statement);
            let Some(body) = statement.body().filter(|body| inside(body, &source.text, offset)) else { break };
            cursor.blocks.push(statement);
            cursor.statement = None;
            statements = &body.statements;
        }
        cursor
    }

    /// The kind of block that the place stands in, as its fields are concerned.
    pub(super) fn kind(&self) -> Kind {
        self.blocks.last().map_or(Kind::File, |block| kind_of(block, &self.source.text))
    }

    /// The statements of the block that the place stands in.
    pub(super) fn siblings(&self) -> &'a [Statement] {
        match self.blocks.last() {
            Some(block) => block.body().map_or(&[], |body| body.statements.as_slice()),
            None => &self.source.tree.statements,
        }
    }

    /// The name of the site around the place.
    pub(super) fn site(&self) -> Option<&'a str> {
        let site = self.blocks.iter().find(|block| block.head.span.of(&self.source.text) == "site")?;
        Some(site.arguments.first()?.span.of(&self.source.text))
    }

    /// The value under the place, lists and calls looked into.
    pub(super) fn value(&self) -> Option<&'a Value> {
        let mut value = self.statement?.value().filter(|value| value.span.touches(self.offset))?;
        loop {
            let (ValueKind::List(inner) | ValueKind::Call { arguments: inner, .. }) = &value.kind else {
                return Some(value);
            };
            match inner.iter().find(|inner| inner.span.touches(self.offset)) {
                Some(inner) => value = inner,
                None => return Some(value),
            }
        }
    }
}

/// The statement of a file that a place is in: a line put above it stands outside every text and list.
#[must_use]
pub fn statement_at(source: &Source, offset: u32) -> Option<Span> {
    let cursor = Cursor::at(source, offset);
    let statement = cursor.statement.or(cursor.blocks.last().copied())?;
    Some(statement.span)
}

/// The block that a statement opens; `defaults broker` and `override broker x` open what they name.
pub(super) fn kind_of(statement: &Statement, text: &str) -> Kind {
    let kind = language::block_of(statement.head.text(text)).map_or(Kind::File, |block| block.kind);
    match kind {
        Kind::Defaults | Kind::Override => {
            let named = statement.arguments.first().and_then(|word| language::block_of(word.span.of(text)));
            named.map_or(kind, |block| block.kind)
        }
        kind => kind,
    }
}

fn touching(statements: &[Statement], offset: u32) -> Option<&Statement> {
    // Statements stand in the order of the file. Where two touch the place, the later one is the one being typed.
    let after = statements.partition_point(|statement| statement.span.start <= offset);
    statements[..after].last().filter(|statement| statement.span.touches(offset))
}

/// Between the braces. A block that nothing closes goes on to its end.
fn inside(body: &Body, text: &str, offset: u32) -> bool {
    let closed = body.span.of(text).ends_with('}');
    body.span.start < offset && (offset < body.span.end || (!closed && offset == body.span.end))
}
