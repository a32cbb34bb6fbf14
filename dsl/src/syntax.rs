//! The syntax tree: what was typed, with the place of everything. Text is read out of the source through spans.
//!
//! A tree is a value for one file and holds no resolved names. It is generic on purpose: whether a block or a field
//! exists is the compiler's to say, because only then can it suggest the nearest one.

use crate::span::Span;

/// One file as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Top-level statements in the order they were typed.
    pub statements: Vec<Statement>,
    /// Every comment, in order.
    pub comments: Vec<Comment>,
    /// What could not be read. Empty for a well-formed file.
    pub errors: Vec<SyntaxError>,
    /// The chunks that it was read in, which together have all the statements.
    pub(crate) chunks: Vec<ReadChunk>,
}

/// A run of text that was parsed by itself ([`crate::scan`]), for whoever reads the file again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadChunk {
    /// Its place in the file.
    pub(crate) span: Span,
    /// How many top-level statements are in it.
    pub(crate) statements: usize,
    /// Nothing was wrong with it, neither in the grammar's eyes nor by its braces.
    pub(crate) sound: bool,
    /// Whoever looks at trees noted that they need not look at this one again.
    pub(crate) passed: bool,
}

/// Statements that were read from a text of their own, as long as it stays the same.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Its place in the file.
    pub span: Span,
    /// The statements in it.
    pub statements: &'a [Statement],
    /// What [`Tree::pass`] said of it, in this tree or in one from which it was taken.
    pub passed: bool,
}

impl Tree {
    /// All statements, in the parts that were read each by itself.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut rest = self.statements.as_slice();
        self.chunks.iter().map(move |chunk| {
            let (statements, behind) = rest.split_at(chunk.statements.min(rest.len()));
            rest = behind;
            Part { span: chunk.span, statements, passed: chunk.passed }
        })
    }

    /// Notes for each part whether it passed an examination that depends on nothing but its text. The note stays with the
    /// part where the tree is read again ([`crate::parse_again`]).
    pub fn pass(&mut self, passed: impl IntoIterator<Item = bool>) {
        for (chunk, passed) in self.chunks.iter_mut().zip(passed) {
            chunk.passed = passed;
        }
    }
}

/// A comment with its delimiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// From `//` or `/*` to the end of the comment, without the line's end.
    pub span: Span,
    /// `/* */` rather than `//`.
    pub block: bool,
}

/// `HEAD ARGUMENTS`, then nothing, `= VALUE` or `{ BODY }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// All of it, without the separator behind it.
    pub span: Span,
    /// The first word.
    pub head: Head,
    /// What stands between the first word and `=` or `{`.
    pub arguments: Vec<Argument>,
    /// What it ends with.
    pub tail: Tail,
    /// Something in its own line could not be read (an error says what); only its body, if any, is to be trusted.
    pub broken: bool,
}

/// The first word of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The word, with its quotes if it has them.
    pub span: Span,
    /// Written as `"key"`.
    pub quoted: bool,
}

/// How a statement ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// With its last argument.
    Nothing,
    /// `= VALUE`
    Value(Value),
    /// `{ ... }`
    Body(Body),
}

/// The statements between two braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// From `{` to `}`, both included where both are there.
    pub span: Span,
    /// In the order they were typed.
    pub statements: Vec<Statement>,
    /// A statement in here could not be read, so what seems to be missing may be in it.
    pub damaged: bool,
}

/// A word between a head and `=` or `{`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: ArgumentKind,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// `amq-1` or `site-1.amq-1`
    Path,
    /// `"text"`
    Text,
    /// `"""text"""`
    Raw,
    /// `10s`
    Number,
    /// `->`
    To,
    /// `<->`
    Both,
    /// `,`
    Comma,
}

/// A value behind `=` or in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: ValueKind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueKind {
    /// `"text"` with escapes
    Text,
    /// `"""text"""` without escapes
    Raw,
    /// Digits with an optional sign, dots and unit: `127`, `-5`, `2.5`, `10s`, `64KiB`
    Number,
    /// `amq-1`, `site-1.amq-1`, `true`
    Path,
    /// `$name`
    Variable,
    /// `[a, b]`
    List(Vec<Value>),
    /// `secret("env:NAME")`
    Call {
        /// The word before the parenthesis.
        name: Span,
        /// What is between the parentheses.
        arguments: Vec<Value>,
    },
}

/// What is wrong with the text, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What kind of fault.
    pub kind: SyntaxErrorKind,
    /// Where.
    pub span: Span,
    /// One sentence without a full stop.
    pub message: String,
    /// What the place is, in a few words.
    pub label: String,
    /// A second place that belongs to it.
    pub related: Option<(Span, String)>,
    /// What to do first.
    pub help: Option<String>,
    /// Text to put at a place, with a title, when there is one obvious repair.
    pub repair: Option<Repair>,
}

/// An obvious repair: replace `span` by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What it does, as an order: "put the text in quotes".
    pub title: String,
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What is put there.
    pub text: String,
}

/// Kinds of faults that the language itself knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxErrorKind {
    /// The text does not follow the grammar.
    Grammar,
    /// More than [`crate::scan::MAX_DEPTH`] nested blocks or lists.
    TooDeep,
}

impl Head {
    /// The word without quotes. Quoted heads have no escapes worth decoding: they are option names.
    #[must_use]
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        let text = self.span.of(source);
        if self.quoted { text.trim_matches('"') } else { text }
    }
}

impl Statement {
    /// The block between braces, if it has one.
    #[must_use]
    pub fn body(&self) -> Option<&Body> {
        match &self.tail {
            Tail::Body(body) => Some(body),
            Tail::Nothing | Tail::Value(_) => None,
        }
    }

    /// The value behind `=`, if it has one.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match &self.tail {
            Tail::Value(value) => Some(value),
            Tail::Nothing | Tail::Body(_) => None,
        }
    }

    /// Head and arguments: the part of a block that names it.
    #[must_use]
    pub fn header(&self) -> Span {
        self.arguments.last().map_or(self.head.span, |last| self.head.span.to(last.span))
    }
}

/// The characters that a `"text"` or `"""text"""` stands for. `source` is the text with its quotes.
///
/// # Errors
/// The byte range, relative to `source`, of an escape that does not exist.
pub fn decode(source: &str) -> Result<std::borrow::Cow<'_, str>, std::ops::Range<usize>> {
    if let Some(raw) = source.strip_prefix("\"\"\"") {
        let raw = raw.strip_suffix("\"\"\"").unwrap_or(raw);
        return Ok(if raw.contains("\r\n") { raw.replace("\r\n", "\n").into() } else { raw.into() });
    }
    let inner = source.strip_prefix('"').unwrap_or(source);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Ok(inner.into());
    }
    unescape(inner).map(Into::into).map_err(|range| range.start + 1..range.end + 1)
}

/// `text` as it is written between quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn unescape(inner: &str) -> Result<String, std::ops::Range<usize>> {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(slash) = rest.find('\\') {
        text.push_str(&rest[..slash]);
        let at = inner.len() - rest.len() + slash;
        let (c, length) = escape(&rest[slash + 1..]).map_err(|length| at..at + 1 + length)?;
        text.push(c);
        rest = &rest[slash + 1 + length..];
    }
    text.push_str(rest);
    Ok(text)
}

/// The character of an escape and the length of what stands behind the backslash; or the length of what is wrong.
fn escape(rest: &str) -> Result<(char, usize), usize> {
    let Some(first) = rest.chars().next() else { return Err(0) };
    match first {
        'n' => Ok(('\n', 1)),
        't' => Ok(('\t', 1)),
        'r' => Ok(('\r', 1)),
        '"' | '\\' => Ok((first, 1)),
        'u' => {
            let end = rest.find('}').ok_or(1usize)?;
            let digits = rest.get(2..end).filter(|_| rest[1..].starts_with('{')).ok_or(1usize)?;
            let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or(end + 1)?;
            Ok((c, end + 1))
        }
        other => Err(other.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_and_decoding_are_inverse() {
        for text in ["", "plain", "a\"b", "back\\slash", "line\nbreak\ttab\r", "ünï→", "\u{1}\u{7f}", "}]]>"] {
            assert_eq!(decode(&quote(text)).unwrap(), text);
        }
    }

    #[test]
    fn escapes_that_do_not_exist_are_pointed_at() {
        for (source, bad) in [(r#""a\qb""#, 2..4), (r#""\u{110000}""#, 1..11), (r#""\ux""#, 1..3)] {
            assert_eq!(decode(source).unwrap_err(), bad, "{source}");
        }
    }

    #[test]
    fn raw_text_keeps_backslashes_and_loses_carriage_returns() {
        assert_eq!(decode("\"\"\"a\\n\r\nb\"\"\"").unwrap(), "a\\n\nb");
    }
}
