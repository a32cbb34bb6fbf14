//! Where a part of something stands in the text: of a raw URI, of an option, of a value behind a `let`; and where a new
//! statement goes.

use super::Context;
use crate::diagnostic::{Edit, Loc};
use crate::model::{RawUri, Set, Setting};
use std::ops::Range;
use topoc_dsl::syntax::quote;
use topoc_dsl::{FileId, Span};

/// A part of a raw URI, as `uri` gives its range. The whole text where it has escapes or stands behind a `let`.
pub(super) fn inside(context: &Context<'_>, raw: &RawUri, range: Range<usize>) -> Loc {
    let whole = raw.text.at;
    let plain = context.sources.text(whole).strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if plain != Some(raw.text.value.as_str()) {
        return whole;
    }
    let start = whole.span.start as usize + 1;
    Loc { file: whole.file, span: Span::new(start + range.start, start + range.end) }
}

/// A part of XML written by hand. The whole where it has escapes or stands behind a `let`.
pub(super) fn inside_raw_xml(context: &Context<'_>, raw: &Set<String>, range: Range<usize>) -> Loc {
    let whole = raw.at;
    let verbatim = context.sources.text(whole).strip_prefix("\"\"\"").and_then(|text| text.strip_suffix("\"\"\""));
    if verbatim != Some(raw.value.as_str()) {
        return whole;
    }
    let start = whole.span.start as usize + "\"\"\"".len();
    Loc { file: whole.file, span: Span::new(start + range.start, start + range.end) }
}

/// The name of a field or an option, with its quotes. The whole statement where the name has escapes.
pub(super) fn key(context: &Context<'_>, setting: &Setting) -> Loc {
    let text = context.sources.text(setting.at);
    let quoted = quote(&setting.name);
    let length = if text.starts_with(&quoted) {
        quoted.len()
    } else if text.starts_with(setting.name.as_ref()) {
        setting.name.len()
    } else {
        return setting.at;
    };
    let start = setting.at.span.start as usize;
    Loc { file: setting.at.file, span: Span::new(start, start + length) }
}

/// Whether a place is in the block behind a header, and not in what is laid over it or under it.
pub(super) fn is_in_block(context: &Context<'_>, header: Loc, at: Loc) -> bool {
    let Some(source) = context.sources.file(header.file).filter(|_| header.file == at.file) else { return false };
    let mut statements = &source.tree.statements;
    loop {
        let behind = statements.partition_point(|statement| statement.span.start <= header.span.start);
        let Some(statement) = behind.checked_sub(1).and_then(|last| statements.get(last)) else { return false };
        match statement.body() {
            _ if statement.span.start == header.span.start => {
                return statement.span.start <= at.span.start && at.span.end <= statement.span.end;
            }
            Some(body) => statements = &body.statements,
            None => return false,
        }
    }
}

/// The value that a `$name` at `at` stands for; `at` itself where none is written there.
pub(super) fn behind_let(context: &Context<'_>, at: Loc) -> Loc {
    let Some(name) = context.sources.text(at).strip_prefix('$') else { return at };
    let lets = context.sources.files.iter().enumerate().flat_map(|(index, source)| {
        let file = FileId(u32::try_from(index).unwrap_or(u32::MAX));
        source.tree.statements.iter().filter_map(move |statement| {
            let is_it = statement.head.span.of(&source.text) == "let"
                && statement.arguments.first().is_some_and(|argument| argument.span.of(&source.text) == name);
            let value = statement.value().filter(|_| is_it)?;
            Some((source.overlay, Loc { file, span: value.span }))
        })
    });
    // An overlay's `let` replaces the topology's own.
    lets.min_by_key(|(overlay, _)| !overlay).map_or(at, |(_, value)| value)
}

/// An edit that writes a statement first into the block whose header stands at `header`. `None` where no brace follows it.
pub(super) fn into_block(context: &Context<'_>, header: Loc, statement: &str) -> Option<Edit> {
    let end = header.span.end as usize;
    let text = context.sources.file(header.file)?.text.get(end..)?;
    let inside = text.trim_start().strip_prefix('{')?;
    let brace = end + text.len() - inside.len();
    let (line, below) = inside.split_once('\n').unwrap_or((inside, ""));
    let (span, text) = if inside.trim_start().starts_with('}') {
        (Span::new(brace, brace + inside.len() - inside.trim_start().len()), format!(" {statement} "))
    } else if line.trim().is_empty() || line.trim_start().starts_with("//") {
        let indent = &below[..below.len() - below.trim_start_matches([' ', '\t']).len()];
        (Span::at(brace + line.len()), format!("\n{indent}{statement}"))
    } else {
        (Span::at(brace), format!(" {statement};"))
    };
    Some(Edit { at: Loc { span, ..header }, text: text.into() })
}

/// An edit that writes a statement before the one at `at`: on a line of its own where that has one.
pub(super) fn before(context: &Context<'_>, at: Loc, statement: &str) -> Option<Edit> {
    let start = at.span.start as usize;
    let text = context.sources.file(at.file)?.text.get(..start)?;
    let line = text.rsplit_once('\n').map_or(text, |(_, line)| line);
    let text = if line.trim().is_empty() { format!("{statement}\n{line}") } else { format!("{statement}; ") };
    Some(Edit { at: Loc { span: Span::at(start), ..at }, text: text.into() })
}
