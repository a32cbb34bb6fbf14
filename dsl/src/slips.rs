//! Words for a statement that the grammar refuses: first the slips that people really make, then what the grammar expected.

use crate::recover::error;
use crate::span::Span;
use crate::syntax::{Repair, SyntaxError, quote};

/// A piece of a broken statement. Unlike the grammar's tokens these never fail.
#[derive(Debug, Clone, Copy)]
struct Token {
    shape: Shape,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A name, or names with dots between them.
    Word,
    Text,
    /// From a `"` without a partner to the end of its line.
    OpenText,
    Number,
    Variable,
    Equals,
    Comma,
    Arrow,
    /// `[` or `(`
    Open(u8),
    /// `]` or `)`
    Close(u8),
    /// A character that belongs to nothing.
    Other(char),
}

impl Shape {
    fn is_value(self) -> bool {
        matches!(self, Self::Word | Self::Text | Self::Number | Self::Variable | Self::Open(b'['))
    }

    fn is_word(self) -> bool {
        self == Self::Word
    }
}

/// A statement that could not be read, and where reading stopped.
struct Broken<'s> {
    source: &'s str,
    span: Span,
    at: usize,
    /// A block stands behind it.
    block: bool,
    tokens: Vec<Token>,
}

/// The error for a statement: `source` is its text up to a block behind it, `at` the offset where the grammar gave up,
/// `expected` what it would have accepted there.
pub(crate) fn explain(source: &str, span: Span, at: usize, block: bool, expected: &[&str]) -> SyntaxError {
    let broken = Broken { source, span, at, block, tokens: tokens(source) };
    broken
        .missing_header()
        .or_else(|| broken.open_text())
        .or_else(|| broken.odd_blank())
        .or_else(|| broken.odd_quotes())
        .or_else(|| broken.colon())
        .or_else(|| broken.odd_arrow())
        .or_else(|| broken.brackets())
        .or_else(|| broken.list())
        .or_else(|| broken.name())
        .or_else(|| broken.no_value())
        .or_else(|| broken.behind_value())
        .or_else(|| broken.unit_apart())
        .or_else(|| broken.unquoted())
        .unwrap_or_else(|| broken.unexpected(expected))
}

impl Broken<'_> {
    fn place(&self, from: usize, to: usize) -> Span {
        let start = self.span.start as usize;
        Span::new(start + from, start + to)
    }

    fn token(&self, token: Token) -> Span {
        self.place(token.start, token.end)
    }

    fn text(&self, token: Token) -> &str {
        self.source.get(token.start..token.end).unwrap_or("")
    }

    fn repair(&self, title: &str, from: usize, to: usize, text: &str) -> Option<Repair> {
        Some(Repair { title: title.into(), span: self.place(from, to), text: text.into() })
    }

    /// The tokens in front of the first `=` and those behind it.
    fn sides(&self) -> (&[Token], Option<&[Token]>) {
        match self.tokens.iter().position(|token| token.shape == Shape::Equals) {
            Some(equals) => (&self.tokens[..equals], Some(&self.tokens[equals + 1..])),
            None => (&self.tokens, None),
        }
    }

    /// What stands in front of `=`.
    fn key(&self) -> &str {
        let (key, _) = self.sides();
        let end = key.last().map_or(0, |last| last.end);
        self.source.get(..end).unwrap_or("").trim()
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
        let index = self.tokens.iter().position(|token| token.shape == Shape::OpenText)?;
        let open = self.tokens[index];
        let in_brackets = self.tokens[..index].iter().any(|token| matches!(token.shape, Shape::Open(_)));
        // In a list, what looks like its next mark was hardly meant as text.
        let text = self.text(open);
        let length = if in_brackets { text.find([',', ']', ')']).unwrap_or(text.len()) } else { text.len() };
        let end = open.start + length;
        Some(SyntaxError {
            help: Some("add the closing `\"`; a text in quotes ends on the line where it starts".into()),
            repair: self.repair("close the text", end, end, "\""),
            ..error(self.token(open), "this text is never closed".into(), "opened here")
        })
    }

    /// A character that looks like a blank or like nothing: it comes along when text is copied from a document.
    fn odd_blank(&self) -> Option<SyntaxError> {
        let (token, odd) = self.tokens.iter().find_map(|token| match token.shape {
            Shape::Other(c) if c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}') => {
                Some((token, c))
            }
            _ => None,
        })?;
        Some(SyntaxError {
            help: Some("delete it and type a blank; it often comes along when text is copied from a document".into()),
            repair: self.repair("put a blank there", token.start, token.end, " "),
            ..error(
                self.token(*token),
                format!("an invisible character, U+{:04X}, that is no ordinary blank", u32::from(odd)),
                "here",
            )
        })
    }

    /// Text in single or curly quotes.
    fn odd_quotes(&self) -> Option<SyntaxError> {
        const QUOTES: [char; 6] = ['\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'];
        let open = self.tokens.iter().find(|token| matches!(token.shape, Shape::Other(c) if QUOTES.contains(&c)))?;
        let inner = self.source[open.end..].split(QUOTES).next().unwrap_or("");
        let inner = inner.split('\n').next().unwrap_or("");
        let end = open.end + inner.len();
        let end = end + self.source[end..].chars().next().filter(|c| QUOTES.contains(c)).map_or(0, char::len_utf8);
        Some(SyntaxError {
            help: Some(format!("write {}", quote(inner))),
            repair: self.repair("use double quotes", open.start, end, &quote(inner)),
            ..error(self.place(open.start, end), "text is written in double quotes, `\"`".into(), "other quotes")
        })
    }

    /// `finesse: "12.6"`
    fn colon(&self) -> Option<SyntaxError> {
        let [key, colon, ..] = self.tokens.as_slice() else { return None };
        if colon.shape != Shape::Other(':') || !matches!(key.shape, Shape::Word | Shape::Text) {
            return None;
        }
        let gap = if self.source[colon.end..].starts_with([' ', '\t']) { " =" } else { " = " };
        Some(SyntaxError {
            help: Some(format!("write `{} = ...`", self.text(*key))),
            repair: self.repair("use `=`", key.end, colon.end, gap),
            ..error(self.token(*colon), "a field is set with `=`".into(), "`:` is not used here")
        })
    }

    /// An arrow of another language.
    fn odd_arrow(&self) -> Option<SyntaxError> {
        const ARROWS: [(&str, Option<&str>); 5] =
            [("<=>", Some("<->")), ("<-->", Some("<->")), ("=>", Some("->")), ("-->", Some("->")), ("<-", None)];
        let start = |arrow: &str| {
            let token = self.tokens.iter().find(|token| self.source[token.start..].starts_with(arrow))?;
            (!self.source[token.start..].starts_with("<->")).then_some(token.start)
        };
        let (start, arrow, right) =
            ARROWS.into_iter().find_map(|(arrow, right)| start(arrow).map(|start| (start, arrow, right)))?;
        let end = start + arrow.len();
        let help = match right {
            Some(right) => format!("write `{right}`"),
            None => "put the sender first and write `->`, or `<->` for both ways".to_owned(),
        };
        Some(SyntaxError {
            help: Some(help),
            repair: right.and_then(|right| self.repair("use an arrow of this language", start, end, right)),
            ..error(self.place(start, end), format!("`{arrow}` is no arrow"), "arrows are `->` and `<->`")
        })
    }

    /// A bracket without its partner.
    fn brackets(&self) -> Option<SyntaxError> {
        let mut open: Vec<Token> = Vec::new();
        for token in &self.tokens {
            match token.shape {
                Shape::Open(_) => open.push(*token),
                Shape::Close(mark) if open.pop().is_none_or(|open| open.shape != Shape::Open(mark)) => {
                    let mark = char::from(if mark == b'[' { b']' } else { b')' });
                    return Some(SyntaxError {
                        help: Some("remove it, or open it where it should begin".into()),
                        ..error(
                            self.token(*token),
                            format!("this `{mark}` closes nothing"),
                            "no partner in front of it",
                        )
                    });
                }
                _ => {}
            }
        }
        let open = open.first()?;
        let (what, partner) = if open.shape == Shape::Open(b'[') { ("list", "]") } else { ("`(`", ")") };
        let end = self.tokens.last().map_or(self.source.len(), |last| last.end);
        Some(SyntaxError {
            help: Some(format!("add the closing `{partner}`")),
            repair: self.repair("close it at the end", end, end, partner),
            ..error(self.token(*open), format!("this {what} is never closed"), "opened here")
        })
    }

    /// Two values beside each other in a list, or two commas. The brackets are known to have partners.
    fn list(&self) -> Option<SyntaxError> {
        let mut depth = 0usize;
        for pair in self.tokens.windows(2) {
            let [before, next] = [pair[0], pair[1]];
            match before.shape {
                Shape::Open(_) => depth += 1,
                Shape::Close(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            let ends_value = before.shape.is_value() && !matches!(before.shape, Shape::Open(_))
                || matches!(before.shape, Shape::Close(_));
            if depth > 0 && next.shape == Shape::Comma && !ends_value && !matches!(before.shape, Shape::Other(_)) {
                return Some(SyntaxError {
                    help: Some("write the value, or remove the comma".into()),
                    repair: self.repair("remove the comma", next.start, next.end, ""),
                    ..error(self.token(next), "a value is missing in front of this `,`".into(), "nothing before it")
                });
            }
            if depth > 0 && next.shape == Shape::Other(';') {
                return Some(SyntaxError {
                    help: Some("separate the values of a list with `,`".into()),
                    repair: self.repair("use `,`", next.start, next.end, ","),
                    ..error(self.token(next), "a `;` inside a list".into(), "a `;` ends a statement")
                });
            }
            if depth > 0 && ends_value && next.shape.is_value() && before.end < next.start {
                return Some(SyntaxError {
                    help: Some("separate the values of a list with `,`".into()),
                    repair: self.repair("add the comma", before.end, before.end, ","),
                    ..error(self.token(next), "a `,` is missing in this list".into(), "in front of this")
                });
            }
        }
        None
    }

    /// A name with a character that no name has, in a header or a key.
    fn name(&self) -> Option<SyntaxError> {
        let (words, value) = self.sides();
        let first = *words.first()?;
        if first.shape == Shape::Number {
            let message = format!("a statement cannot start with `{}`", self.text(first));
            let help = "a name starts with a letter".to_owned();
            return Some(SyntaxError { help: Some(help), ..error(self.token(first), message, "a name belongs here") });
        }
        if first.shape.is_word() && self.text(first).contains('.') {
            let word = self.text(first);
            return Some(SyntaxError {
                help: Some(format!("a name with dots stands in quotes here: \"{word}\"")),
                repair: value.and_then(|_| self.repair("put the name in quotes", first.start, first.end, &quote(word))),
                ..error(
                    self.token(first),
                    format!("`{word}` cannot start a statement"),
                    "a name without dots belongs here",
                )
            });
        }
        let (index, odd) = words.iter().enumerate().find_map(|(index, token)| match token.shape {
            Shape::Other(c) => Some((index, c)),
            _ => None,
        })?;
        let here = words[index];
        let touches = |other: Option<&Token>| {
            other.is_some_and(|other| other.shape.is_word() && (other.end == here.start || other.start == here.end))
        };
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        if !touches(before) && !touches(words.get(index + 1)) {
            return None;
        }
        let message = if matches!(odd, '-' | '.') {
            format!("a name cannot start or end with `{odd}`")
        } else {
            format!("`{odd}` cannot be part of a name")
        };
        Some(SyntaxError {
            help: Some("a name has letters, digits, `-` and `_`, and starts with a letter".into()),
            ..error(self.token(here), message, "in this name")
        })
    }

    /// `port =`, `limits = {`, `port == 1`
    fn no_value(&self) -> Option<SyntaxError> {
        let equals = *self.tokens.iter().find(|token| token.shape == Shape::Equals)?;
        let (_, value) = self.sides();
        let key = self.key();
        match value?.first() {
            None if self.block && !key.is_empty() => Some(SyntaxError {
                help: Some(format!("write `{key} {{`")),
                repair: self.repair("remove the `=`", key.len(), equals.end, ""),
                ..error(self.token(equals), "a block is written without `=`".into(), "not in front of a `{`")
            }),
            _ if key.is_empty() => Some(SyntaxError {
                help: Some("write the name of the field in front of it".into()),
                ..error(self.token(equals), "this `=` has no name in front of it".into(), "a name belongs here")
            }),
            None => Some(SyntaxError {
                help: Some(format!("write a value behind it, or remove `{key}`")),
                ..error(self.place(0, equals.end), format!("`{key}` has no value"), "a value belongs behind the `=`")
            }),
            Some(second) if second.shape == Shape::Equals => Some(SyntaxError {
                help: Some("one `=` is enough".into()),
                repair: self.repair("remove the second `=`", equals.end, second.end, ""),
                ..error(self.token(*second), "there is a second `=`".into(), "not needed")
            }),
            Some(_) => None,
        }
    }

    /// Something behind a whole value: a second statement, a second `=`, a second value.
    fn behind_value(&self) -> Option<SyntaxError> {
        let value = self.sides().1?;
        let length = value_length(value)?;
        let (last, next) = (*value.get(length - 1)?, *value.get(length)?);
        let after = value.get(length + 1).map(|token| token.shape);
        let is_key = matches!(next.shape, Shape::Word | Shape::Text);
        if next.start > last.end && is_key && (after == Some(Shape::Equals) || self.block && next.shape.is_word()) {
            return Some(SyntaxError {
                help: Some("put them on two lines, or write `;` between them".into()),
                repair: self.repair("put `;` between them", last.end, last.end, ";"),
                ..error(self.token(next), "two statements on one line".into(), "the second one starts here")
            });
        }
        if next.shape == Shape::Equals {
            return Some(SyntaxError {
                help: Some("write one field per line".into()),
                ..error(self.token(next), "there is a second `=`".into(), "a field has one value")
            });
        }
        self.several_values(value)
    }

    /// `brokers = a, b` and `z = 10 20`: values that want brackets.
    fn several_values(&self, value: &[Token]) -> Option<SyntaxError> {
        let commas = value.iter().any(|token| token.shape == Shape::Comma);
        let simple = value.iter().all(|token| token.shape.is_value() || token.shape == Shape::Comma);
        let apart = value.windows(2).all(|pair| pair[0].end < pair[1].start || pair[1].shape == Shape::Comma);
        let words = value.iter().any(|token| token.shape.is_word());
        if !simple || !(commas || apart && !words) {
            return None;
        }
        let items: Vec<&str> =
            value.iter().filter(|token| token.shape != Shape::Comma).map(|token| self.text(*token)).collect();
        let list = format!("[{}]", items.join(", "));
        let (first, last) = (value.first()?, value.last()?);
        Some(SyntaxError {
            help: Some(format!("write several values as a list: `{list}`")),
            repair: self.repair("make it a list", first.start, last.end, &list),
            ..error(
                self.place(first.start, last.end),
                format!("`{}` has several values", self.key()),
                "not in brackets",
            )
        })
    }

    /// `store = 10 GiB`: a blank between a number and its unit.
    fn unit_apart(&self) -> Option<SyntaxError> {
        const UNITS: [&str; 16] =
            ["ms", "s", "m", "h", "B", "KiB", "MiB", "GiB", "TiB", "kb", "mb", "gb", "KB", "MB", "GB", "sec"];
        let [number, unit] = self.sides().1? else { return None };
        let plain = number.shape == Shape::Number && self.text(*number).ends_with(|c: char| c.is_ascii_digit());
        if !plain || !UNITS.contains(&self.text(*unit)) {
            return None;
        }
        let joined = format!("{}{}", self.text(*number), self.text(*unit));
        Some(SyntaxError {
            help: Some(format!("write `{joined}`")),
            repair: self.repair("remove the blank", number.start, unit.end, &joined),
            ..error(
                self.place(number.start, unit.end),
                format!("a blank between `{}` and its unit", self.text(*number)),
                "not in one piece",
            )
        })
    }

    /// `host = amq_1:61616`, `path = /var/lib`, `host = my host`: a value that wants quotes.
    fn unquoted(&self) -> Option<SyntaxError> {
        let value = self.sides().1?;
        let (start, end) = (value.first()?.start, value.last()?.end);
        let text = self.source.get(start..end)?;
        let plain = !text.contains(['"', '[', ']', '=', '(', ')', ',', '\n']);
        plain.then(|| SyntaxError {
            help: Some(format!("write {}", quote(text))),
            repair: self.repair("put the text in quotes", start, end, &quote(text)),
            ..error(self.place(start, end), format!("`{text}` needs quotes"), "text without quotes")
        })
    }

    fn unexpected(&self, expected: &[&str]) -> SyntaxError {
        let rest = self.source.get(self.at..).unwrap_or("");
        let at = self.at + rest.len() - rest.trim_start().len();
        let found: String = rest.trim_start().chars().take_while(|c| !c.is_whitespace()).take(24).collect();
        let (span, message) = match found.as_str() {
            "" => (self.place(0, self.source.len()), "this statement is not finished".to_owned()),
            found => (self.place(at, at + found.len()), format!("unexpected `{found}`")),
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

/// How many of `tokens` the first value takes.
fn value_length(tokens: &[Token]) -> Option<usize> {
    let first = tokens.first().filter(|first| first.shape.is_value())?;
    let is_call = first.shape.is_word() && tokens.get(1).is_some_and(|next| next.shape == Shape::Open(b'('));
    if first.shape != Shape::Open(b'[') && !is_call {
        return Some(1);
    }
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.shape {
            Shape::Open(_) => depth += 1,
            Shape::Close(_) if depth <= 1 => return Some(index + 1),
            Shape::Close(_) => depth -= 1,
            _ => {}
        }
    }
    None
}

fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let (shape, length) = match first {
            c if c.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            '"' => text(rest),
            '=' => (Shape::Equals, 1),
            ',' => (Shape::Comma, 1),
            '[' | '(' => (Shape::Open(rest.as_bytes()[0]), 1),
            ']' => (Shape::Close(b'['), 1),
            ')' => (Shape::Close(b'('), 1),
            '<' if rest.starts_with("<->") => (Shape::Arrow, 3),
            '-' if rest.starts_with("->") => (Shape::Arrow, 2),
            '$' if word(&rest[1..]) > 0 => (Shape::Variable, 1 + word(&rest[1..])),
            c if c.is_ascii_alphabetic() => (Shape::Word, word(rest)),
            _ if number(rest) > 0 => (Shape::Number, number(rest)),
            c => (Shape::Other(c), c.len_utf8()),
        };
        tokens.push(Token { shape, start: at, end: at + length });
        at += length;
    }
    tokens
}

/// The length of the text in quotes that `rest` starts with.
fn text(rest: &str) -> (Shape, usize) {
    if let Some(raw) = rest.strip_prefix("\"\"\"") {
        return match raw.find("\"\"\"") {
            Some(length) => (Shape::Text, length + 6),
            None => (Shape::OpenText, rest.len()),
        };
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return (Shape::OpenText, rest[..at].trim_end().len()),
            '"' if !escaped => return (Shape::Text, at + 1),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    (Shape::OpenText, rest.trim_end().len())
}

/// The length of the name, with dots, that `rest` starts with.
fn word(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    let mut end = 1;
    loop {
        let letters = bytes[end..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let dashes = bytes[end + letters..].iter().take_while(|byte| **byte == b'-').count();
        let next = bytes.get(end + letters + dashes.max(1));
        let joins = match bytes.get(end + letters) {
            Some(b'-') => next.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
            Some(b'.') => next.is_some_and(u8::is_ascii_alphabetic),
            _ => false,
        };
        if !joins {
            return end + letters;
        }
        end += letters + dashes.max(1);
    }
}

/// The length of the number that `rest` starts with.
fn number(rest: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(rest.starts_with('-'));
    let mut end = sign + digits(&rest[sign..]);
    if end == sign {
        return 0;
    }
    while rest[end..].starts_with('.') && digits(&rest[end + 1..]) > 0 {
        end += 1 + digits(&rest[end + 1..]);
    }
    end + rest[end..].bytes().take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'%').count()
}
