//! The outline of a file: its blocks, nested as they are written.

use super::cursor::kind_of;
use crate::language::Kind;
use crate::sources::Source;
use topoc_dsl::Span;
use topoc_dsl::syntax::Statement;

/// One entry of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// What it is called.
    pub name: String,
    /// The word that it starts with.
    pub keyword: String,
    /// What it is; [`Kind::File`] for `let` and `import`.
    pub kind: Kind,
    /// All of it.
    pub span: Span,
    /// What to mark when it is chosen; inside `span`.
    pub selection: Span,
    /// What is in it.
    pub children: Vec<Symbol>,
}

/// The outline of a file.
#[must_use]
pub fn symbols(source: &Source) -> Vec<Symbol> {
    source.tree.statements.iter().filter_map(|statement| symbol(statement, &source.text)).collect()
}

fn symbol(statement: &Statement, text: &str) -> Option<Symbol> {
    let keyword = statement.head.text(text);
    if statement.body().is_none() && !matches!(keyword, "let" | "import" | "bridge") {
        return None;
    }
    let arguments = statement.arguments.first().zip(statement.arguments.last());
    let selection = arguments.map_or(statement.head.span, |(first, last)| first.span.to(last.span));
    let name = match selection.of(text).trim_matches('"') {
        "" => keyword,
        name => name,
    };
    let inner = statement.body().into_iter().flat_map(|body| &body.statements);
    Some(Symbol {
        name: name.to_owned(),
        keyword: keyword.to_owned(),
        kind: kind_of(statement, text),
        span: statement.span.to(selection),
        selection,
        children: inner.filter_map(|inner| symbol(inner, text)).collect(),
    })
}
