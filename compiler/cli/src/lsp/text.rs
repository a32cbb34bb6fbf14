//! The text of an open file as the client has it, and where its lines and columns are in bytes.
//!
//! Lines end as the protocol says: with `\n`, `\r\n` or a lone `\r`. A byte order mark is a character as any other.

use super::types::{Position, Range};
use std::sync::Arc;
use topoc_dsl::Span;

/// What columns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// 16-bit units, the protocol's default.
    #[default]
    Utf16,
}

impl Encoding {
    fn width(self, c: char) -> usize {
        match self {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
        }
    }
}

/// A text with its lines.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    text: Arc<str>,
    /// Where each line begins.
    lines: Vec<usize>,
    encoding: Encoding,
}

impl Text {
    pub(crate) fn new(text: impl Into<Arc<str>>, encoding: Encoding) -> Self {
        let text = text.into();
        Self { lines: starts(&text), text, encoding }
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The byte of a position. Positions behind the end of a line or of the text are that end; inside a character they
    /// are its start.
    pub(crate) fn offset(&self, at: Position) -> usize {
        let Some(&start) = self.lines.get(at.line as usize) else { return self.text.len() };
        let end = self.lines.get(at.line as usize + 1).copied().unwrap_or(self.text.len());
        let line = self.text[start..end].trim_end_matches(['\r', '\n']);
        let wanted = at.character as usize;
        let mut column = 0;
        for (index, c) in line.char_indices() {
            column += self.encoding.width(c);
            if column > wanted {
                return start + index;
            }
        }
        start + line.len()
    }

    /// The position of a byte.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = self.lines.get(line).copied().unwrap_or(0);
        let before = self.text[start..offset].trim_end_matches(['\r', '\n']);
        let column: usize = match self.encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.chars().map(char::len_utf16).sum(),
        };
        Position { line: small(line), character: small(column) }
    }

    pub(crate) fn range(&self, span: Span) -> Range {
        Range { start: self.position(span.start as usize), end: self.position(span.end as usize) }
    }

    pub(crate) fn span(&self, range: Range) -> Span {
        let start = self.offset(range.start);
        Span::new(start, self.offset(range.end).max(start))
    }

    /// Puts `new` in the place of `range`, or of everything. Lines before and behind it are not looked for again.
    pub(crate) fn change(&mut self, range: Option<Range>, new: &str) {
        let span = range.map_or(Span::new(0, self.text.len()), |range| self.span(range));
        let (start, end) = (span.start as usize, span.end as usize);
        self.text = [&self.text[..start], new, &self.text[end..]].concat().into();
        // A line begins where it does for the sake of the bytes on both sides of that place.
        let first = self.lines.partition_point(|&line| line < start.max(1));
        let last = self.lines.partition_point(|&line| line <= end);
        let bytes = self.text.as_bytes();
        let among: Vec<usize> = (start.max(1)..=start + new.len()).filter(|&place| begins_line(bytes, place)).collect();
        let behind = first + among.len();
        self.lines.splice(first..last, among);
        for line in &mut self.lines[behind..] {
            *line = *line - end + start + new.len();
        }
    }
}

/// Whether a line ends before the byte at `place`.
fn begins_line(bytes: &[u8], place: usize) -> bool {
    match bytes.get(place - 1) {
        Some(b'\n') => true,
        Some(b'\r') => bytes.get(place) != Some(&b'\n'),
        _ => false,
    }
}

fn starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (at, &byte) in bytes.iter().enumerate() {
        if byte <= b'\r' && begins_line(bytes, at + 1) {
            starts.push(at + 1);
        }
    }
    starts
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's side of it: a list of 16-bit units or bytes for each line, with the line's end apart, as editors
    /// keep them; shares nothing with the code above.
    struct Client {
        encoding: Encoding,
        units: Vec<u32>,
    }

    impl Client {
        fn new(text: &str, encoding: Encoding) -> Self {
            Self { encoding, units: text.chars().map(u32::from).collect() }
        }

        fn text(&self) -> String {
            self.units.iter().map(|&unit| char::from_u32(unit).unwrap()).collect()
        }

        /// Every place between two characters as a position, never between `\r` and `\n`.
        fn places(&self) -> Vec<(usize, Position)> {
            let (mut line, mut character) = (0, 0);
            let mut places = vec![(0, Position { line, character })];
            for (index, &unit) in self.units.iter().enumerate() {
                let next = self.units.get(index + 1).copied();
                match (unit, next) {
                    (13, Some(10)) => continue,
                    (10 | 13, _) => (line, character) = (line + 1, 0),
                    (unit, _) => {
                        let c = char::from_u32(unit).unwrap();
                        let width = if self.encoding == Encoding::Utf8 { c.len_utf8() } else { c.len_utf16() };
                        character += u32::try_from(width).unwrap();
                    }
                }
                places.push((index + 1, Position { line, character }));
            }
            places
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % limit as u64).unwrap()
        }
    }

    const PIECES: &[&str] = &[
        "",
        "a",
        "ß",
        "→",
        "🦀",
        "𝒳y",
        "\n",
        "\r\n",
        "\r",
        "site a {\r\n",
        "}\n",
        "\u{feff}",
        "x = \"é\"",
        "\n\n",
        "  ",
    ];

    #[test]
    fn after_100000_random_edits_the_text_is_the_clients() {
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let mut random = Random(0x2545_f491_4f6c_dd1d);
            let start = "site a {\r\n  broker 🦀 { host = \"ä\" }\n}\r";
            let (mut server, mut client) = (Text::new(start, encoding), Client::new(start, encoding));
            for round in 0..50_000 {
                let places = client.places();
                let (a, b) = (random.below(places.len()), random.below(places.len()));
                // Mostly small changes, and never so many insertions that the text grows for ever.
                let b = if client.units.len() > 120 { b } else { b.clamp(a.saturating_sub(3), a + 3) };
                let (from, to) = (places[a.min(b)], places[a.max(b)]);
                let new = PIECES[random.below(PIECES.len())];
                client.units.splice(from.0..to.0, new.chars().map(u32::from));
                server.change(Some(Range { start: from.1, end: to.1 }), new);
                assert_eq!(&**server.text(), client.text(), "edit {round} of {encoding:?}");
                assert_eq!(server.lines, starts(server.text()), "edit {round} of {encoding:?}");
            }
        }
    }

    #[test]
    fn every_place_is_found_again_by_its_position() {
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let text = Text::new("a🦀\r\nb\rß\n\nend", encoding);
            for (offset, _) in text.text().char_indices().filter(|&(at, _)| at != 6) {
                assert_eq!(text.offset(text.position(offset)), offset);
            }
        }
    }

    #[test]
    fn positions_that_do_not_exist_are_the_nearest_that_do() {
        let text = Text::new("a🦀b\nc", Encoding::Utf16);
        for (line, character, offset) in [(0, 2, 1), (0, 99, 6), (1, 5, 8), (7, 0, 8)] {
            assert_eq!(text.offset(Position { line, character }), offset, "{line}:{character}");
        }
        let mut text = text;
        let at = |line, character| Position { line, character };
        text.change(Some(Range { start: at(1, 1), end: at(0, 0) }), "!");
        assert_eq!(&**text.text(), "a🦀b\nc!", "a range that ends before it starts is an insertion");
    }
}
