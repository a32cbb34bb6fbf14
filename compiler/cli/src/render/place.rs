//! Where a finding is, as programs are told: lines and columns from 1.

use serde::Serialize;
use topoc_compiler::diagnostic::Loc;
use topoc_compiler::sources::Sources;
use topoc_dsl::Span;

/// From here to there, the end not included.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Range {
    /// The first character.
    pub(super) start: Position,
    /// Behind the last one.
    pub(super) end: Position,
}

/// Lines and columns from 1, columns in Unicode scalars, offsets in bytes from 0.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) offset: u32,
}

/// The file and the range; of what is in no file, no path and its beginning.
pub(super) fn place(sources: &Sources, at: Loc) -> (&str, Range) {
    let Span { start, end } = at.span;
    let Some(file) = sources.file(at.file) else {
        let nowhere = Position { line: 1, column: 1, offset: 0 };
        return ("", Range { start: nowhere, end: nowhere });
    };
    let position = |offset| {
        let position = file.position(offset);
        Position { line: position.line, column: position.column, offset }
    };
    (&file.path, Range { start: position(start), end: position(end) })
}
