//! Words for what braces, quotes and comment marks say is wrong with a chunk. `slips.rs` does it for single statements.

use crate::scan::Fault;
use crate::span::Span;
use crate::syntax::{Repair, SyntaxError, SyntaxErrorKind};

/// The error for a chunk whose braces, quotes or comment marks are at fault.
pub(crate) fn fault(fault: &Fault, text: &str, chunk: Span) -> Option<SyntaxError> {
    match *fault {
        // The statement with the quote is reported when it is read.
        Fault::OpenText => None,
        Fault::TooDeep(at) => Some(SyntaxError {
            kind: SyntaxErrorKind::TooDeep,
            help: Some("blocks of this language nest four deep; look for a brace that was never closed above".into()),
            ..error(one(at), "more than 64 nested blocks or lists".into(), "one too many")
        }),
        Fault::Unopened { at, close } => Some(unopened(at, close, text, chunk)),
        Fault::Unclosed { open, ref at } => Some(unclosed(open, at, text, chunk)),
        Fault::Endless(at) => Some(endless(at, text)),
    }
}

/// In the place of the first error that is not told.
pub(crate) fn too_many(at: Span) -> SyntaxError {
    SyntaxError {
        help: Some("mend the first ones; where there are none, this is no topology file".into()),
        ..error(at, format!("more than {} syntax errors in this file", crate::parse::MAX_ERRORS), "and so on")
    }
}

fn unclosed(open: u32, at: &[u32], text: &str, chunk: Span) -> SyntaxError {
    let owner = owner(text, open, chunk);
    let message = match owner {
        "" => "this `{` is never closed".to_owned(),
        owner => format!("`{owner}` is never closed"),
    };
    let related = at.first().map(|&at| (one(at), "`}` seems to be missing before this line".to_owned()));
    let help = match at.first() {
        Some(_) => "put a `}` on a line of its own before the marked line",
        None => "add the `}` that belongs to it",
    };
    SyntaxError { related, help: Some(help.into()), ..error(one(open), message, "opened here") }
}

fn unopened(at: u32, close: u32, text: &str, chunk: Span) -> SyntaxError {
    let line = text.get(chunk.start as usize..at as usize).unwrap_or("").rsplit('\n').next().unwrap_or("").trim();
    let start = (at as usize).saturating_sub(line.len());
    SyntaxError {
        related: Some((one(close), "so this `}` closes nothing".into())),
        help: Some(format!("write `{line} {{`")),
        repair: Some(Repair { title: "open the block".into(), span: Span::at(at as usize), text: " {".into() }),
        ..error(
            Span::new(start, at as usize),
            format!("a `{{` is missing behind `{line}`"),
            "this block is never opened",
        )
    }
}

/// The header in front of a brace: `broker amq-1`.
fn owner(text: &str, open: u32, chunk: Span) -> &str {
    let before = text.get(chunk.start as usize..open as usize).unwrap_or("");
    let line = before.rsplit(['\n', ';', '{', '}', '=']).next().unwrap_or("");
    line.trim()
}

fn endless(at: u32, text: &str) -> SyntaxError {
    let (what, partner) =
        if text[at as usize..].starts_with("/*") { ("comment", "*/") } else { ("raw text", "\"\"\"") };
    SyntaxError {
        help: Some(format!("add the closing `{partner}`; until then the rest of the file cannot be read")),
        ..error(
            Span::new(at as usize, at as usize + partner.len()),
            format!("this {what} is never closed"),
            "opened here",
        )
    }
}

/// A `}` at the top level.
pub(crate) fn stray_brace(span: Span) -> SyntaxError {
    SyntaxError {
        help: Some("remove it, or look above for a block that was closed too early".into()),
        ..error(span, "this `}` closes nothing".into(), "no block is open here")
    }
}

/// Text that pest gave up on: one of its own limits.
pub(crate) fn unreadable(span: Span, reason: &str) -> SyntaxError {
    SyntaxError {
        help: Some("split it into smaller statements".into()),
        ..error(span, format!("this statement cannot be read: {reason}"), "here")
    }
}

fn one(at: u32) -> Span {
    Span { start: at, end: at + 1 }
}

pub(crate) fn error(span: Span, message: String, label: &str) -> SyntaxError {
    SyntaxError {
        kind: SyntaxErrorKind::Grammar,
        span,
        message,
        label: label.to_owned(),
        related: None,
        help: None,
        repair: None,
    }
}
