//! What of a tree holds for a text that has changed: the chunks in front of the change and those behind it.
//!
//! A chunk parses alone, so the same bytes without a fault give the same statements wherever they stand. An editor's
//! change is one place in a file, so looking from both ends for the first difference finds nearly everything that stays,
//! and nothing has to be remembered but the last tree.

use crate::parse::MAX_ERRORS;
use crate::scan::Chunk;
use crate::span::Span;
use crate::syntax::{ReadChunk, Statement, Tail, Tree, Value, ValueKind};

/// For each chunk of `text` the one of `tree`, which was read from `before`, that says the same. The numbers ascend.
pub(crate) fn kept(chunks: &[Chunk], text: &str, before: &str, tree: &Tree) -> Vec<Option<usize>> {
    // Where there were too many errors, some chunks only look sound because theirs were left out.
    if tree.chunks.is_empty() || tree.errors.len() > MAX_ERRORS {
        return vec![None; chunks.len()];
    }
    let front = common_front(text.as_bytes(), before.as_bytes());
    let most = text.len().min(before.len()) - front;
    let back = common_back(text.as_bytes(), before.as_bytes()).min(most);
    let moved = place(text.len()).wrapping_sub(place(before.len()));
    let mut next = 0;
    let old_place = |span: Span| match span {
        span if span.end as usize <= front => Some(span),
        span if span.start as usize >= text.len() - back => Some(span.moved(moved.wrapping_neg())),
        _ => None,
    };
    let old_chunk = |chunk: &Chunk| {
        let place = old_place(chunk.span)?;
        while tree.chunks.get(next).is_some_and(|old| old.span.start < place.start) {
            next += 1;
        }
        let same = tree.chunks.get(next).is_some_and(|old| old.span == place && old.sound);
        (same && chunk.fault.is_none()).then_some(next)
    };
    chunks.iter().map(old_chunk).collect()
}

/// So many bytes are compared at once: nearly all of them are the same.
const BLOCK: usize = 256;

/// How many bytes are the same at the start.
fn common_front(a: &[u8], b: &[u8]) -> usize {
    let blocks = BLOCK * same(a.chunks_exact(BLOCK), b.chunks_exact(BLOCK));
    blocks + same(a[blocks..].iter(), b[blocks..].iter())
}

/// How many bytes are the same at the end.
fn common_back(a: &[u8], b: &[u8]) -> usize {
    let blocks = BLOCK * same(a.rchunks_exact(BLOCK), b.rchunks_exact(BLOCK));
    blocks + same(a[..a.len() - blocks].iter().rev(), b[..b.len() - blocks].iter().rev())
}

/// How many are the same until the first that differ.
fn same<T: PartialEq>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A tree that statements are taken from, in ascending order.
pub(crate) struct Old {
    chunks: Vec<ReadChunk>,
    /// The first chunk whose statements are still there.
    next: usize,
    statements: std::vec::IntoIter<Statement>,
}

impl Old {
    pub(crate) fn new(tree: Tree) -> Self {
        Self { chunks: tree.chunks, next: 0, statements: tree.statements.into_iter() }
    }

    /// Moves the statements of a chunk to where they stand now. Whether they were noted to have passed.
    pub(crate) fn take(&mut self, index: usize, now: Span, out: &mut Vec<Statement>) -> bool {
        let between: usize = self.chunks[self.next..index].iter().map(|chunk| chunk.statements).sum();
        if let Some(last) = between.checked_sub(1) {
            self.statements.nth(last);
        }
        let chunk = &self.chunks[index];
        let by = now.start.wrapping_sub(chunk.span.start);
        out.extend(self.statements.by_ref().take(chunk.statements).map(|mut statement| {
            if by != 0 {
                shift(&mut statement, by);
            }
            statement
        }));
        self.next = index + 1;
        chunk.passed
    }
}

fn shift(statement: &mut Statement, by: u32) {
    statement.span = statement.span.moved(by);
    statement.head.span = statement.head.span.moved(by);
    for argument in &mut statement.arguments {
        argument.span = argument.span.moved(by);
    }
    match &mut statement.tail {
        Tail::Nothing => {}
        Tail::Value(value) => shift_value(value, by),
        Tail::Body(body) => {
            body.span = body.span.moved(by);
            body.statements.iter_mut().for_each(|statement| shift(statement, by));
        }
    }
}

fn shift_value(value: &mut Value, by: u32) {
    value.span = value.span.moved(by);
    match &mut value.kind {
        ValueKind::List(values) => values.iter_mut().for_each(|value| shift_value(value, by)),
        ValueKind::Call { name, arguments } => {
            *name = name.moved(by);
            arguments.iter_mut().for_each(|value| shift_value(value, by));
        }
        ValueKind::Text | ValueKind::Raw | ValueKind::Number | ValueKind::Path | ValueKind::Variable => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{parse, parse_again};
    use crate::scan::scan;

    /// Which statements stay when `from` becomes `to`, one letter for each chunk.
    fn stays(before: &str, text: &str) -> String {
        let tree = parse(before);
        let kept = kept(&scan(text).chunks, text, before, &tree);
        assert_eq!(parse_again(text, before, tree), parse(text));
        kept.iter().map(|kept| if kept.is_some() { 'k' } else { '-' }).collect()
    }

    #[test]
    fn all_but_the_changed_statement_stays() {
        let before = "a = 1\nb { x = [y, secret(\"z\")] }\nc -> d\ne \"f\" { }\n";
        for (text, expected) in [
            (before.to_owned(), "kkkk"),
            (before.replace("b {", "b {\n\n  // longer\n"), "k-kk"),
            (before.replace("c -> d\n", ""), "kkk"),
            (before.replace("c ->", "n\nc ->"), "kk-kk"),
            (format!("// first\n{before}"), "kkkk"),
            (format!("x = 1\n{before}"), "-kkkk"),
            (format!("{before}x = 1\n"), "kkkk-"),
            (before.replace("a = 1", "a = 1 /* to the end"), "-"),
            (before.replace("a = 1", "a = \"1"), "-kkk"),
            (String::new(), ""),
        ] {
            assert_eq!(stays(before, &text), expected, "{text}");
        }
    }

    #[test]
    fn a_note_stays_with_what_stays() {
        let mut text = "a = 1\nb = 2\nc = 3\n".to_owned();
        let mut tree = parse(&text);
        tree.pass([true, true, false]);
        for (from, to, expected) in
            [("a =", "n = 0\na =", [false, true, true, false]), ("b = 2", "b = 22", [false, true, false, false])]
        {
            let now = text.replace(from, to);
            tree = parse_again(&now, &text, tree);
            text = now;
            let parts: Vec<_> = tree.parts().map(|part| (part.span.of(&text), part.statements.len())).collect();
            assert_eq!(parts, text.lines().map(|line| (line, 1)).collect::<Vec<_>>());
            assert_eq!(tree.parts().map(|part| part.passed).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn long_texts_are_compared_to_the_byte() {
        let text: Vec<u8> = (0..=255).cycle().take(3 * BLOCK + 7).collect();
        for at in (0..text.len()).step_by(5) {
            let mut other = text.clone();
            other[at] ^= 1;
            assert_eq!((common_front(&text, &other), common_back(&text, &other)), (at, text.len() - at - 1));
            other.remove(at);
            assert_eq!(common_front(&text, &other), at);
            assert_eq!(common_back(&text, &other), text.len() - at - 1);
        }
        assert_eq!((common_front(&text, &text), common_back(&text, &text[9..])), (text.len(), text.len() - 9));
    }

    #[test]
    fn what_was_broken_is_read_anew() {
        let before = "a = 1\nb {\nsite c { }\nd { e = }\nf = 2\n";
        assert_eq!(stays(before, before), "k-k-k");
        assert_eq!(stays(before, &before.replace("a = 1", "a = 11")), "--k-k");
    }

    #[test]
    fn where_too_much_was_wrong_nothing_is_believed() {
        let before = "= 1\n".repeat(MAX_ERRORS + 5) + "a = 1\n";
        assert!(!stays(&before, &before).contains('k'));
    }
}
