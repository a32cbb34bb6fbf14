//! Cuts a file into chunks that can be parsed apart: knows only strings, comments and braces.
//!
//! A chunk is one top-level statement (or a few on one line). Cutting first has three uses: chunks parse in parallel, a
//! missing brace costs one chunk and not the rest of the file, and depth is bounded before the grammar runs.

use crate::span::Span;
use crate::syntax::Comment;

/// How many blocks and lists may be nested. The parser and everything behind it recurse once per level.
pub const MAX_DEPTH: usize = 64;

/// Words that start a statement at the top level of a file and nowhere else: on a line of their own inside a block they
/// show that a brace was forgotten above.
const TOP_LEVEL_ONLY: [&str; 5] = ["topology", "site", "deployment", "scenario", "guarantee"];

/// The bytes that change nothing in the middle of a statement: most of every file.
const DULL: [bool; 256] = {
    let mut dull = [true; 256];
    let marks = b"\n;/\"{}[]()";
    let mut at = 0;
    while at < marks.len() {
        dull[marks[at] as usize] = false;
        at += 1;
    }
    dull
};

/// What a scan finds.
#[derive(Debug, Default)]
pub struct Scan {
    /// Chunks in the order of the file.
    pub chunks: Vec<Chunk>,
    /// Every comment, in order.
    pub comments: Vec<Comment>,
}

/// A run of text that is parsed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its place in the file.
    pub span: Span,
    /// The first comment in it, as an index into [`Scan::comments`], and one past the last.
    pub comments: (usize, usize),
    /// What the braces say is wrong with it.
    pub fault: Option<Fault>,
}

/// What the braces, quotes or comment marks of a chunk say is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The brace at `open` is never closed (a bracket is the parser's to report). Where the indentation shows where the closing braces belong,
    /// `at` has the bytes (blanks, inside the chunk) that stand in for them.
    Unclosed {
        /// The opening brace.
        open: u32,
        /// Bytes to read as `}`.
        at: Vec<u32>,
    },
    /// A `}` too many, and above it a line that looks like the header of a block without its `{`.
    Unopened {
        /// The line end behind the header, to be read as `{`.
        at: u32,
        /// The `}` that closes nothing.
        close: u32,
    },
    /// More than [`MAX_DEPTH`] levels; the brace that is one too many.
    TooDeep(u32),
    /// A `/*` or `"""` that is never closed.
    Endless(u32),
    /// A `"` without its partner on the same line. The parser reports it.
    OpenText,
}

/// An opening brace or bracket that waits for its partner.
#[derive(Debug, Clone, Copy)]
struct Open {
    at: usize,
    /// Columns before the first word of its line.
    indent: usize,
    mark: u8,
}

impl Open {
    fn is_brace(&self) -> bool {
        self.mark == b'{'
    }
}

struct Scanner<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    /// Blank columns before the first word of the current line.
    indent: usize,
    start: Option<usize>,
    first_comment: usize,
    open: Vec<Open>,
    fault: Option<Fault>,
    out: Scan,
}

/// Cuts `text` into chunks. A byte order mark at the start is skipped.
#[must_use]
pub fn scan(text: &str) -> Scan {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        indent: 0,
        start: None,
        first_comment: 0,
        open: Vec::new(),
        fault: None,
        out: Scan::default(),
    };
    scanner.run();
    scanner.out
}

impl Scanner<'_> {
    fn run(&mut self) {
        self.begin_line(self.at);
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => self.line_end(),
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'/' if self.bytes.get(self.at + 1) == Some(&b'/') => self.line_comment(),
                b'/' if self.bytes.get(self.at + 1) == Some(&b'*') => self.block_comment(),
                b';' if self.open.is_empty() => {
                    self.cut(self.at);
                    self.at += 1;
                }
                _ => self.token(byte),
            }
        }
        self.cut(self.bytes.len());
    }

    /// A byte that belongs to a statement.
    fn token(&mut self, byte: u8) {
        self.start.get_or_insert(self.at);
        match byte {
            b'"' if self.text[self.at..].starts_with("\"\"\"") => self.raw_text(),
            b'"' => self.quoted_text(),
            b'{' | b'[' | b'(' => {
                if self.open.len() == MAX_DEPTH {
                    self.fault.get_or_insert(Fault::TooDeep(place(self.at)));
                }
                self.open.push(Open { at: self.at, indent: self.indent, mark: byte });
                self.at += 1;
            }
            b'}' => self.close_brace(),
            b']' => self.close_bracket(),
            b')' => {
                if self.open.last().is_some_and(|open| open.mark == b'(') {
                    self.open.pop();
                }
                self.at += 1;
            }
            _ => self.at += 1 + self.bytes[self.at + 1..].iter().take_while(|&&byte| DULL[byte as usize]).count(),
        }
    }

    fn close_brace(&mut self) {
        // A list cannot reach across a brace: whatever bracket is still open was forgotten, and the parser says so.
        while self.open.last().is_some_and(|open| !open.is_brace()) {
            self.open.pop();
        }
        if self.open.pop().is_none() {
            self.open_above();
        }
        self.at += 1;
    }

    /// Closes the innermost `[` of this block and what was opened in it. The grammar does the same, which is why the
    /// depth counted here is never less than the depth of its recursion.
    fn close_bracket(&mut self) {
        let inside = self.open.iter().rposition(Open::is_brace).map_or(0, |brace| brace + 1);
        if let Some(bracket) = self.open[inside..].iter().rposition(|open| open.mark == b'[') {
            self.open.truncate(inside + bracket);
        }
        self.at += 1;
    }

    /// At a `}` that closes nothing: joins it with what it was meant to close, where a header without `{` is found.
    fn open_above(&mut self) {
        if self.start != Some(self.at) || self.fault.is_some() {
            return;
        }
        let mut first = self.out.chunks.len();
        while let Some(chunk) = first.checked_sub(1).and_then(|before| self.out.chunks.get(before)) {
            let text = chunk.span.of(self.text);
            if chunk.fault.is_some() || text.starts_with('}') || text.contains("\"\"\"") || text.contains("/*") {
                return;
            }
            first -= 1;
            if self.column(chunk.span.start as usize) <= self.indent {
                break;
            }
        }
        let Some(chunk) = self.out.chunks.get(first) else { return };
        let start = chunk.span.start as usize;
        let Some(at) = headless(&self.text[start..self.at], self.column(start)) else { return };
        self.fault = Some(Fault::Unopened { at: place(start + at), close: place(self.at) });
        self.start = Some(start);
        self.first_comment = chunk.comments.0;
        self.out.chunks.truncate(first);
    }

    /// Bytes between the start of the line and `at`.
    fn column(&self, at: usize) -> usize {
        self.text[..at].bytes().rev().take_while(|&byte| byte != b'\n').count()
    }

    fn line_end(&mut self) {
        if self.open.is_empty() && !self.body_follows() {
            self.cut(self.at);
        }
        self.at += 1;
        self.begin_line(self.at);
    }

    /// Whether the next thing in the text is a `{`, which then belongs to the statement above it.
    fn body_follows(&self) -> bool {
        self.start.is_some()
            && self.bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
            && self.bytes.get(self.at.wrapping_sub(1)) != Some(&b'}')
    }

    fn begin_line(&mut self, at: usize) {
        let blanks = indent_of(&self.text[at..]);
        self.indent = blanks;
        let Some(outermost) = self.open.first() else { return };
        if blanks <= outermost.indent && starts_top_level(&self.text[at + blanks..]) {
            self.cut(at);
            self.at = at;
        }
    }

    fn line_comment(&mut self) {
        let end = self.text[self.at..].find('\n').map_or(self.bytes.len(), |length| self.at + length);
        let trimmed = self.text[self.at..end].trim_end().len();
        self.out.comments.push(Comment { span: Span::new(self.at, self.at + trimmed), block: false });
        self.at = end;
    }

    fn block_comment(&mut self) {
        let end = self.text[self.at + 2..].find("*/").map(|length| self.at + 2 + length + 2);
        if end.is_none() {
            self.start.get_or_insert(self.at);
            self.fault.get_or_insert(Fault::Endless(place(self.at)));
        }
        let end = end.unwrap_or(self.bytes.len());
        self.out.comments.push(Comment { span: Span::new(self.at, end), block: true });
        self.at = end;
    }

    fn raw_text(&mut self) {
        match self.text[self.at + 3..].find("\"\"\"") {
            Some(length) => self.at += 3 + length + 3,
            None => {
                self.fault.get_or_insert(Fault::Endless(place(self.at)));
                self.at = self.bytes.len();
            }
        }
    }

    fn quoted_text(&mut self) {
        let mut at = self.at + 1;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return;
                }
                Some(b'\\') if self.bytes.get(at + 1) != Some(&b'\n') => at += 2,
                None | Some(b'\n') => break,
                Some(_) => at += 1,
            }
        }
        self.fault.get_or_insert(Fault::OpenText);
        self.at = self.before_braces(self.at + 1, at.min(self.bytes.len()));
    }

    /// Where the braces at the end of an open text start: up to three are taken for braces, as the grammar does too.
    fn before_braces(&self, start: usize, end: usize) -> usize {
        let mut at = end;
        for _ in 0..3 {
            let line = self.bytes[start..at].trim_ascii_end();
            match line.last() {
                Some(b'{' | b'}') => at = start + line.len() - 1,
                _ => break,
            }
        }
        at
    }

    /// Ends the current chunk before `end`.
    fn cut(&mut self, end: usize) {
        let comments = (self.first_comment, self.out.comments.len());
        self.first_comment = comments.1;
        let open = std::mem::take(&mut self.open);
        let fault = self.fault.take();
        let Some(start) = self.start.take() else { return };
        let span = Span::new(start, end);
        let fault = fault.or_else(|| {
            let first = open.iter().rev().find(|open| open.is_brace())?;
            Some(
                repair(span.of(self.text), start, &open)
                    .unwrap_or(Fault::Unclosed { open: place(first.at), at: vec![] }),
            )
        });
        self.out.chunks.push(Chunk { span, comments, fault });
    }
}

/// Guesses from the indentation which brace was forgotten, when that makes the chunk balanced.
fn repair(text: &str, start: usize, unclosed: &[Open]) -> Option<Fault> {
    let missing = unclosed.iter().filter(|open| open.is_brace()).count();
    let mut open: Vec<Open> = Vec::new();
    let mut at = Vec::new();
    let mut culprit = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let indent = if offset == 0 { unclosed.first().map_or(0, |first| first.indent) } else { indent_of(line) };
        let first = line.trim_start().bytes().next();
        let is_statement = first.is_some_and(|byte| !matches!(byte, b'}' | b']' | b'/' | b'{'));
        while offset > 0 && is_statement && at.len() < missing && indent > 0 {
            let Some(last) = open.last().filter(|last| last.indent >= indent) else { break };
            let blank = at_in_line(&at, start + offset);
            if blank == indent {
                break;
            }
            culprit.get_or_insert(last.at);
            at.push(place(start + offset + blank));
            open.pop();
        }
        braces(line, indent, start + offset, &mut open);
        offset += line.len();
    }
    let balanced = open.is_empty() && at.len() == missing;
    balanced.then(|| Fault::Unclosed { open: place(culprit.unwrap_or(start)), at })
}

/// Where the first line ends that looks like a header without its `{`: names only, and the next line is indented more.
fn headless(text: &str, column: usize) -> Option<usize> {
    let mut offset = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let end = offset + line.trim_end_matches(['\n', '\r']).len();
        let indent = if offset == 0 { column } else { indent_of(line) };
        let is_names = line.contains(|c: char| c.is_ascii_alphabetic())
            && line.trim().contains([' ', '\t'])
            && line.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "-_.\"".contains(c));
        let next = lines.peek().filter(|next| !next.trim().is_empty());
        if is_names && end < offset + line.len() && next.is_some_and(|next| indent_of(next) > indent) {
            return Some(end);
        }
        offset += line.len();
    }
    None
}

fn indent_of(line: &str) -> usize {
    line.bytes().take_while(|&byte| byte == b' ' || byte == b'\t').count()
}

/// The next free blank of a line that already stands in for some braces.
fn at_in_line(taken: &[u32], line: usize) -> usize {
    taken.iter().filter(|&&at| at as usize >= line).count()
}

/// Follows the braces of one line, passing over its strings and line comment.
fn braces(line: &str, indent: usize, start: usize, open: &mut Vec<Open>) {
    let mut in_text = false;
    let mut before = 0u8;
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            b'"' if before != b'\\' => in_text = !in_text,
            b'/' if !in_text && before == b'/' => return,
            b'{' if !in_text => open.push(Open { at: start + index, indent, mark: b'{' }),
            b'}' if !in_text => drop(open.pop()),
            _ => {}
        }
        before = byte;
    }
}

/// Whether a line starts like a statement that exists at the top level only.
fn starts_top_level(line: &str) -> bool {
    TOP_LEVEL_ONLY.iter().any(|word| {
        let rest = line.strip_prefix(word).unwrap_or("");
        let name = rest.trim_start_matches([' ', '\t']);
        name.len() < rest.len() && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '"')
    })
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &str) -> Vec<&str> {
        scan(text).chunks.iter().map(|chunk| chunk.span.of(text).trim_end()).collect()
    }

    #[test]
    fn statements_are_cut_at_line_ends_and_semicolons() {
        assert_eq!(
            chunks("a = 1\nb = 2; c = 3\n\n  d {\n x = 1; y\n}\ne"),
            ["a = 1", "b = 2", "c = 3", "d {\n x = 1; y\n}", "e"]
        );
    }

    #[test]
    fn braces_in_text_and_comments_do_not_count() {
        assert_eq!(chunks("a { x = \"}\" // }\n /* } */ }\nb").len(), 2);
        assert_eq!(chunks("a { x = \"\"\"\n}\n\"\"\" }\nb").len(), 2);
    }

    #[test]
    fn a_brace_on_the_next_line_belongs_to_its_block() {
        assert_eq!(chunks("site a\n{\n}\nsite b\n\n{ }").len(), 2);
    }

    #[test]
    fn a_new_site_shows_that_a_brace_was_forgotten() {
        let text = "site a {\n  broker b {\n  }\nsite c {\n}\n";
        let scan = scan(text);
        assert_eq!(scan.chunks.len(), 2);
        assert_eq!(scan.chunks[0].fault, Some(Fault::Unclosed { open: 7, at: vec![] }));
        assert_eq!(scan.chunks[1].fault, None);
    }

    #[test]
    fn indentation_tells_which_brace_is_missing() {
        let text = "site a {\n  broker b {\n    x = 1\n  finesse f { }\n}\n";
        let fault = scan(text).chunks[0].fault.clone();
        let broker = place(text.find("{\n    x").unwrap());
        assert_eq!(fault, Some(Fault::Unclosed { open: broker, at: vec![place(text.find("  finesse").unwrap())] }));
    }

    #[test]
    fn a_header_without_its_brace_is_joined_with_the_brace_too_many() {
        let text = "a = 1\nsite x\n  host = 1\n}\nb = 2\n";
        let scan = scan(text);
        assert_eq!(chunks(text), ["a = 1", "site x\n  host = 1\n}", "b = 2"]);
        assert_eq!(scan.chunks[1].fault, Some(Fault::Unopened { at: 12, close: 24 }));
    }

    #[test]
    fn brackets_are_the_parsers_to_report() {
        assert_eq!(scan("a = [1\nb { }").chunks[0].fault, None);
    }

    #[test]
    fn sixty_four_levels_pass_and_sixty_five_do_not() {
        let nested = |levels: usize| format!("{}{}", "a {".repeat(levels), "}".repeat(levels));
        assert_eq!(scan(&nested(MAX_DEPTH)).chunks[0].fault, None);
        assert_eq!(scan(&nested(MAX_DEPTH + 1)).chunks[0].fault, Some(Fault::TooDeep(3 * 64 + 2)));
    }

    #[test]
    fn comments_are_found_in_order() {
        let scan = scan("// one\na = 1 // two  \n/* three\n*/ b");
        assert_eq!(scan.comments.len(), 3);
        assert_eq!(scan.chunks[0].comments, (1, 2));
        assert_eq!(scan.chunks[1].comments, (2, 3));
    }
}
