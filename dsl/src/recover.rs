//! Words for what could not be read: from what the grammar expected, and from the slips that people really make.

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
        Fault::Unclosed { open, ref at } => Some(unclosed(open, at, text, chunk)),
        Fault::Endless(at) => Some(endless(at, text)),
    }
}

fn unclosed(open: u32, at: &[u32], text: &str, chunk: Span) -> SyntaxError {
    let brace = one(open);
    let (mark, partner) = if brace.of(text) == "[" { ("[", "]") } else { ("{", "}") };
    let owner = owner(text, open, chunk);
    let message = match owner {
        "" => format!("this `{mark}` is never closed"),
        owner => format!("`{owner}` is never closed"),
    };
    let related = at.first().map(|&at| (one(at), format!("`{partner}` seems to be missing before this line")));
    let help = match at.first() {
        Some(_) => format!("put a `{partner}` on a line of its own before the marked line"),
        None => format!("add the `{partner}` that belongs to it"),
    };
    SyntaxError { related, help: Some(help), ..error(brace, message, "opened here") }
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

/// A statement that the grammar refuses. `source` is its text, `at` the offset in it where the grammar gave up.
pub(crate) fn statement(source: &str, span: Span, at: usize, expected: &[&str]) -> SyntaxError {
    let fault = Broken { source, span, at };
    fault
        .missing_header()
        .or_else(|| fault.open_text())
        .or_else(|| fault.single_quotes())
        .or_else(|| fault.colon())
        .or_else(|| fault.missing_value())
        .or_else(|| fault.missing_comma())
        .or_else(|| fault.unquoted())
        .unwrap_or_else(|| fault.unexpected(expected))
}

/// A statement that could not be read, and where reading stopped.
struct Broken<'s> {
    source: &'s str,
    span: Span,
    at: usize,
}

impl Broken<'_> {
    fn place(&self, from: usize, to: usize) -> Span {
        let start = self.span.start as usize;
        Span::new(start + from, start + to)
    }

    fn missing_header(&self) -> Option<SyntaxError> {
        self.source.is_empty().then(|| SyntaxError {
            help: Some("write what the block is in front of it, for example `broker amq-1 {`".into()),
            ..error(
                Span { start: self.span.start, end: self.span.start + 1 },
                "this `{` has no block in front of it".into(),
                "a kind and a name belong here",
            )
        })
    }

    fn open_text(&self) -> Option<SyntaxError> {
        let open = last_open_quote(self.source)?;
        let end = self.source.len();
        Some(SyntaxError {
            help: Some("add the closing `\"`; a text in quotes ends on the line where it starts".into()),
            repair: Some(Repair { title: "close the text".into(), span: self.place(end, end), text: "\"".into() }),
            ..error(self.place(open, end), "this text is never closed".into(), "opened here")
        })
    }

    fn single_quotes(&self) -> Option<SyntaxError> {
        let open = self.source.find('\'').filter(|&open| open <= self.at)?;
        let length = self.source[open + 1..].find('\'').map_or(self.source.len() - open, |length| length + 2);
        let text = self.source[open..open + length].trim_matches('\'');
        Some(SyntaxError {
            help: Some(format!("write \"{text}\"")),
            repair: Some(Repair {
                title: "use double quotes".into(),
                span: self.place(open, open + length),
                text: crate::syntax::quote(text),
            }),
            ..error(self.place(open, open + length), "text is written in double quotes".into(), "single quotes")
        })
    }

    fn colon(&self) -> Option<SyntaxError> {
        let rest = self.source.get(self.at..)?;
        let key = self.source.get(..self.at)?.trim_end();
        if !rest.starts_with(':') || !key.chars().all(|c| c.is_ascii_alphanumeric() || "-_\"".contains(c)) {
            return None;
        }
        let gap = if rest.starts_with(": ") { " =" } else { " = " };
        Some(SyntaxError {
            help: Some(format!("write `{key} = ...`")),
            repair: Some(Repair {
                title: "use `=`".into(),
                span: self.place(key.len(), self.at + 1),
                text: gap.into(),
            }),
            ..error(self.place(self.at, self.at + 1), "a field is set with `=`".into(), "`:` is not used here")
        })
    }

    fn missing_value(&self) -> Option<SyntaxError> {
        let key = self.source.trim_end().strip_suffix('=')?.trim_end();
        let end = self.source.trim_end().len();
        (self.at >= end).then(|| SyntaxError {
            help: Some(format!("write a value behind it, or remove `{key}`")),
            ..error(self.place(0, end), format!("`{key}` has no value"), "a value belongs behind the `=`")
        })
    }

    /// Two values beside each other inside a list.
    fn missing_comma(&self) -> Option<SyntaxError> {
        let before = self.source.get(..self.at)?;
        let inside = before.matches('[').count() > before.matches(']').count();
        let next = self.source.get(self.at..)?.chars().next()?;
        let starts_value = next.is_ascii_alphanumeric() || matches!(next, '"' | '$' | '[');
        let ends_value =
            before.trim_end().ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '"' | ']' | '_'));
        let gap = before.trim_end().len();
        (inside && starts_value && ends_value).then(|| SyntaxError {
            help: Some("separate the values of a list with `,`".into()),
            repair: Some(Repair { title: "add the comma".into(), span: self.place(gap, gap), text: ",".into() }),
            ..error(
                self.place(self.at, self.at + next.len_utf8()),
                "a `,` is missing in this list".into(),
                "before this",
            )
        })
    }

    /// `host = amq_1:61616`, `path = /var/lib`: a value that wants quotes.
    fn unquoted(&self) -> Option<SyntaxError> {
        let equals = self.source.find('=').filter(|&equals| equals < self.at.max(1))?;
        let value = self.source[equals + 1..].trim();
        let plain = !value.is_empty() && !value.contains(['"', '[', ']', '{', '}', '=', '(', ')', ' ', '\t', ',']);
        let start = self.source.len() - self.source[equals + 1..].trim_start().len();
        plain.then(|| SyntaxError {
            help: Some(format!("write \"{value}\"")),
            repair: Some(Repair {
                title: "put the text in quotes".into(),
                span: self.place(start, start + value.len()),
                text: crate::syntax::quote(value),
            }),
            ..error(self.place(start, start + value.len()), format!("`{value}` needs quotes"), "text without quotes")
        })
    }

    fn unexpected(&self, expected: &[&str]) -> SyntaxError {
        let rest = self.source.get(self.at..).unwrap_or("");
        let found: String = rest.chars().take_while(|c| !c.is_whitespace()).take(24).collect();
        let (span, message) = match found.as_str() {
            "" => (self.place(0, self.source.len()), "this statement is not finished".to_owned()),
            found => (self.place(self.at, self.at + found.len()), format!("unexpected `{found}`")),
        };
        let label = match expected {
            [] => "not understood".to_owned(),
            expected => format!("expected {}", either(expected)),
        };
        SyntaxError { label, ..error(span, message, "") }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// Where a quote opens that its line does not close.
fn last_open_quote(source: &str) -> Option<usize> {
    let mut open = None;
    let mut escaped = false;
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'"' if !escaped => open = if open.is_some() { None } else { Some(at) },
            b'\n' => open = None,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped && open.is_some();
    }
    open
}

fn one(at: u32) -> Span {
    Span { start: at, end: at + 1 }
}

fn error(span: Span, message: String, label: &str) -> SyntaxError {
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
