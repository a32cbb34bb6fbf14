//! Text to syntax tree. The only file that names pest; parsing never fails, it returns a tree with errors in it.

use crate::again;
use crate::recover;
use crate::scan::{self, Chunk, Fault, Scan};
use crate::slips;
use crate::span::Span;
use crate::syntax::{
    Argument, ArgumentKind, Body, Head, ReadChunk, Repair, Statement, SyntaxError, Tail, Tree, Value, ValueKind,
};
use pest::Parser;
use pest::iterators::{Pair, Pairs};
use rayon::prelude::*;
use std::borrow::Cow;

use grammar::{Grammar, Rule};

#[allow(missing_docs, reason = "pest derives the rules and writes no docs for them")]
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "topology.pest"]
    pub(super) struct Grammar;
}

/// Less than this many bytes is parsed on one thread: handing out the work would cost more than it saves.
const PARALLEL_FROM: usize = 64 * 1024;

/// Errors of one file that are told. Whoever has more has another kind of file, and each takes room.
pub const MAX_ERRORS: usize = 10_000;

/// So many chunks are parsed before their errors are counted.
const BATCH: usize = 65_536;

/// Reads one file. Faults are in [`Tree::errors`], the first [`MAX_ERRORS`] of them and one that says so when there are
/// more; everything that could be read is in the tree.
#[must_use]
pub fn parse(text: &str) -> Tree {
    parse_again(text, "", Tree::default())
}

/// As [`parse`], after `before` was read as `tree`: chunks in front of and behind the place where the texts differ are
/// taken from there, where they were read without a fault.
#[must_use]
pub fn parse_again(text: &str, before: &str, tree: Tree) -> Tree {
    let scan = scan::scan(text);
    let kept = again::kept(&scan.chunks, text, before, &tree);
    let mut old = again::Old::new(tree);
    let mut tree = Tree::default();
    tree.statements.reserve(scan.chunks.len().min(BATCH));
    tree.chunks.reserve_exact(scan.chunks.len());
    for (batch, kept) in scan.chunks.chunks(BATCH).zip(kept.chunks(BATCH)) {
        let explain = tree.errors.len() <= MAX_ERRORS;
        let new: Vec<&Chunk> =
            batch.iter().zip(kept).filter(|(_, kept)| kept.is_none()).map(|(chunk, _)| chunk).collect();
        let mut parsed = parse_chunks(text, &scan, &new, explain).into_iter();
        for (chunk, kept) in batch.iter().zip(kept) {
            let first = tree.statements.len();
            let (sound, passed) = match *kept {
                Some(index) => (true, old.take(index, chunk.span, &mut tree.statements)),
                None => {
                    let parsed = parsed.next().unwrap_or_default();
                    let sound = parsed.errors.is_empty() && chunk.fault.is_none();
                    tree.statements.extend(parsed.statements);
                    tree.errors.extend(parsed.errors.into_iter().take(MAX_ERRORS + 1 - tree.errors.len()));
                    (sound, false)
                }
            };
            let statements = tree.statements.len() - first;
            tree.chunks.push(ReadChunk { span: chunk.span, statements, sound, passed });
        }
    }
    if let Some(last) = tree.errors.get_mut(MAX_ERRORS) {
        *last = recover::too_many(last.span);
    }
    tree.comments = scan.comments;
    tree
}

fn parse_chunks(text: &str, scan: &Scan, chunks: &[&Chunk], explain: bool) -> Vec<ParsedChunk> {
    let bytes: usize = chunks.iter().map(|chunk| chunk.span.len()).sum();
    if bytes < PARALLEL_FROM {
        chunks.iter().map(|chunk| parse_chunk(text, scan, chunk, explain)).collect()
    } else {
        chunks.par_iter().with_min_len(32).map(|chunk| parse_chunk(text, scan, chunk, explain)).collect()
    }
}

#[derive(Default)]
struct ParsedChunk {
    statements: Vec<Statement>,
    errors: Vec<SyntaxError>,
}

/// Without `explain` errors are left out; what is damaged is marked as such all the same.
fn parse_chunk(text: &str, scan: &Scan, chunk: &Chunk, explain: bool) -> ParsedChunk {
    let mut parsed = ParsedChunk::default();
    if let Some(fault) = &chunk.fault {
        let fatal = matches!(fault, Fault::TooDeep(_) | Fault::Endless(_));
        parsed.errors.extend(recover::fault(fault, text, chunk.span).filter(|_| explain));
        if fatal {
            return parsed;
        }
    }
    let readable = readable(text, scan, chunk);
    let base = chunk.span.start as usize;
    // The grammar accepts any text (`bad`, `stray`), so an error here is a limit of pest, not a fault of the file.
    match Grammar::parse(Rule::chunk, &readable) {
        Ok(pairs) => {
            let most = if explain { MAX_ERRORS + 1 } else { 0 };
            let mut builder = Builder { text: &readable, base, errors: Vec::new(), most };
            parsed.statements = pairs.filter_map(|pair| builder.statement(pair)).collect();
            parsed.errors.append(&mut builder.errors);
        }
        Err(error) => parsed.errors.push(recover::unreadable(chunk.span, &error.variant.message())),
    }
    parsed
}

/// The chunk with its comments blanked and the guessed braces put in. Offsets stay as they are.
fn readable<'t>(text: &'t str, scan: &Scan, chunk: &Chunk) -> Cow<'t, str> {
    let source = chunk.span.of(text);
    let comments = scan.comments.get(chunk.comments.0..chunk.comments.1).unwrap_or_default();
    let (braces, mark): (&[u32], u8) = match &chunk.fault {
        Some(Fault::Unclosed { at, .. }) => (at, b'}'),
        Some(Fault::Unopened { at, .. }) => (std::slice::from_ref(at), b'{'),
        _ => (&[], b' '),
    };
    if comments.is_empty() && braces.is_empty() {
        return source.into();
    }
    let mut bytes = source.as_bytes().to_vec();
    for comment in comments {
        let range = comment.span.start.saturating_sub(chunk.span.start) as usize
            ..comment.span.end.saturating_sub(chunk.span.start) as usize;
        if comment.span.start >= chunk.span.start {
            bytes.get_mut(range).into_iter().flatten().for_each(|byte| *byte = b' ');
        }
    }
    for &brace in braces {
        if let Some(byte) = bytes.get_mut((brace - chunk.span.start) as usize) {
            *byte = mark;
        }
    }
    String::from_utf8(bytes).map_or(source.into(), Cow::Owned)
}

/// Turns pest's pairs into the tree. Spans are moved from the chunk to the file.
struct Builder<'t> {
    text: &'t str,
    base: usize,
    errors: Vec<SyntaxError>,
    /// How many errors are kept.
    most: usize,
}

impl Builder<'_> {
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(span.start(), span.end()).shifted(self.base)
    }

    fn statement(&mut self, pair: Pair<'_, Rule>) -> Option<Statement> {
        match pair.as_rule() {
            Rule::directive => Some(self.directive(pair)),
            Rule::bad => self.bad(pair),
            Rule::stray => {
                let span = self.span(&pair);
                self.error(|_| recover::stray_brace(span));
                None
            }
            _ => None,
        }
    }

    fn error(&mut self, error: impl FnOnce(&Self) -> SyntaxError) {
        if self.errors.len() < self.most {
            let error = error(self);
            self.errors.push(error);
        }
    }

    fn directive(&mut self, pair: Pair<'_, Rule>) -> Statement {
        let mut span = self.span(&pair);
        let mut head = Head { span: Span { start: span.start, end: span.start }, quoted: false };
        let mut tail = Tail::Nothing;
        let mut parts = pair.into_inner();
        if let Some(first) = parts.next() {
            head = Head { span: self.span(&first), quoted: first.as_rule() == Rule::text };
        }
        // The last part is nearly always the body or the value.
        let mut arguments = Vec::with_capacity(parts.len().saturating_sub(1));
        for part in parts {
            match part.as_rule() {
                Rule::body => tail = Tail::Body(self.body(part)),
                Rule::set => tail = self.values(part.into_inner()).pop().map_or(Tail::Nothing, Tail::Value),
                _ => arguments.push(Argument { span: self.span(&part), kind: argument_kind(&part) }),
            }
        }
        span.end = match &tail {
            Tail::Nothing => arguments.last().map_or(head.span.end, |last| last.span.end),
            Tail::Value(value) => value.span.end,
            Tail::Body(body) => body.span.end,
        };
        Statement { span, head, arguments, tail, broken: false }
    }

    fn body(&mut self, pair: Pair<'_, Rule>) -> Body {
        let mut span = self.span(&pair);
        let newlines = pair.as_str().len() - pair.as_str().trim_start().len();
        span.start = Span::at(span.start as usize + newlines).start;
        let errors = self.errors.len();
        let parts = pair.into_inner();
        // The last part is the closing brace.
        let mut statements = Vec::with_capacity(parts.len().saturating_sub(1));
        let mut damaged = false;
        for part in parts {
            damaged |= matches!(part.as_rule(), Rule::bad | Rule::stray)
                || (part.as_rule() == Rule::close && part.as_str().is_empty());
            statements.extend(self.statement(part));
        }
        damaged |= self.errors.len() > errors;
        Body { span, statements, damaged }
    }

    /// A statement that could not be read: an error, and what is left of it when a body hangs on it.
    fn bad(&mut self, pair: Pair<'_, Rule>) -> Option<Statement> {
        let span = self.span(&pair);
        let mut junk = Span { start: span.start, end: span.start };
        let mut body = None;
        let parts: Vec<_> = pair.into_inner().collect();
        if let Some(first) = parts.iter().find(|part| part.as_rule() == Rule::junk) {
            junk = self.span(first);
            junk.end -= u32::try_from(first.as_str().len() - first.as_str().trim_ascii_end().len()).unwrap_or(0);
        }
        let has_body = parts.iter().any(|part| part.as_rule() == Rule::body);
        self.error(|builder| builder.explain(junk, has_body));
        for part in parts {
            if part.as_rule() == Rule::body {
                body = Some(self.body(part));
            }
        }
        let body = body?;
        let word = self.local(junk).bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
        let head = Head { span: Span::new(junk.start as usize, junk.start as usize + word), quoted: false };
        let span = Span { start: span.start, end: body.span.end };
        Some(Statement { span, head, arguments: Vec::new(), tail: Tail::Body(body), broken: true })
    }

    /// Asks the grammar what it expected, and where, and puts it into words.
    fn explain(&self, junk: Span, has_body: bool) -> SyntaxError {
        let source = self.local(junk);
        let alone = if has_body { format!("{source} {{}}") } else { source.to_owned() };
        let (at, expected) = match Grammar::parse(Rule::lone, &alone) {
            Err(error) => (location(&error), expected(&error)),
            Ok(_) => (source.len(), Vec::new()),
        };
        let mut error = slips::explain(source, junk, at.min(source.len()), has_body, &expected);
        // What leaves the statement as unreadable as it was is no repair.
        error.repair = error.repair.filter(|repair| self.repairs(junk, &alone, repair));
        error
    }

    /// Whether the statement at `junk`, which is `alone`, can be read with the repair made.
    fn repairs(&self, junk: Span, alone: &str, repair: &Repair) -> bool {
        let place = |at: u32| at.checked_sub(junk.start).map(|at| at as usize);
        let (Some(start), Some(end)) = (place(repair.span.start), place(repair.span.end)) else { return true };
        let (Some(before), Some(after)) = (alone.get(..start), alone.get(end..)) else { return true };
        let repaired = format!("{before}{}{after}", repair.text);
        let Ok(mut pairs) = Grammar::parse(Rule::chunk, &repaired).map(Pairs::flatten) else { return false };
        // A `;` makes two statements of one.
        pairs.all(|pair| !matches!(pair.as_rule(), Rule::bad | Rule::stray))
    }

    fn local(&self, span: Span) -> &str {
        let base = self.base;
        self.text.get(span.start as usize - base..span.end as usize - base).unwrap_or("")
    }

    /// The values among `pairs`. A name with parentheses behind it comes as two pairs.
    fn values(&self, pairs: Pairs<'_, Rule>) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let span = self.span(&pair);
            let kind = match pair.as_rule() {
                Rule::path => ValueKind::Path,
                Rule::text => text_kind(&pair),
                Rule::number => ValueKind::Number,
                Rule::variable => ValueKind::Variable,
                Rule::list => ValueKind::List(self.values(pair.into_inner())),
                Rule::arguments => {
                    let Some(Value { span: name, .. }) = values.pop() else { continue };
                    let kind = ValueKind::Call { name, arguments: self.values(pair.into_inner()) };
                    values.push(Value { span: name.to(span), kind });
                    continue;
                }
                _ => continue,
            };
            values.push(Value { span, kind });
        }
        values
    }
}

fn text_kind(pair: &Pair<'_, Rule>) -> ValueKind {
    if is_raw(pair) { ValueKind::Raw } else { ValueKind::Text }
}

fn is_raw(text: &Pair<'_, Rule>) -> bool {
    text.as_str().starts_with("\"\"\"")
}

fn argument_kind(pair: &Pair<'_, Rule>) -> ArgumentKind {
    match pair.as_rule() {
        Rule::text if is_raw(pair) => ArgumentKind::Raw,
        Rule::text => ArgumentKind::Text,
        Rule::number => ArgumentKind::Number,
        Rule::comma => ArgumentKind::Comma,
        Rule::arrow if pair.as_str() == "<->" => ArgumentKind::Both,
        Rule::arrow => ArgumentKind::To,
        _ => ArgumentKind::Path,
    }
}

/// Where pest gave up, as an offset into what it was given.
fn location(error: &pest::error::Error<Rule>) -> usize {
    match error.location {
        pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
    }
}

/// What pest would have accepted there, in the words of the language.
fn expected(error: &pest::error::Error<Rule>) -> Vec<&'static str> {
    let pest::error::ErrorVariant::ParsingError { positives, .. } = &error.variant else { return Vec::new() };
    let mut words: Vec<&'static str> = positives.iter().filter_map(|rule| word(*rule)).collect();
    words.dedup();
    words
}

fn word(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::list | Rule::variable => "a value",
        Rule::text => "a text in quotes",
        Rule::number => "a number",
        Rule::path | Rule::name => "a name",
        Rule::arrow => "an arrow",
        Rule::body => "a block",
        Rule::set => "`=`",
        Rule::directive => "a statement",
        _ => return None,
    })
}
