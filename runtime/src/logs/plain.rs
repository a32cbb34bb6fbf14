//! Lines for people: one event is one line, whatever a stranger's text has in it.

use std::io::{self, Write};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// Longest line, in bytes.
const LONGEST: usize = 16 * 1024;

/// Text up to a length in bytes, and a sign where it was cut.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let end = text.floor_char_boundary(longest);
    format!("{}{}", &text[..end], if end < text.len() { "…" } else { "" })
}

/// Makes writers that keep each event to one line.
pub(super) struct Writer<W> {
    inner: W,
    colour: bool,
}

impl<W> Writer<W> {
    pub(super) const fn new(inner: W, colour: bool) -> Self {
        Self { inner, colour }
    }
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Writer<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Line { inner: self.inner.make_writer(), colour: self.colour }
    }

    fn make_writer_for(&'w self, of: &Metadata<'_>) -> Self::Writer {
        Line { inner: self.inner.make_writer_for(of), colour: self.colour }
    }
}

/// Writes one event, which comes as a whole.
pub(super) struct Line<W> {
    inner: W,
    colour: bool,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if !event.is_empty() {
            self.inner.write_all(line(&String::from_utf8_lossy(event), self.colour).as_bytes())?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn line(event: &str, colour: bool) -> String {
    let mut line = String::with_capacity(event.len() + 1);
    for char in event.strip_suffix('\n').unwrap_or(event).chars() {
        match char {
            // What colours has been written here: that of others is escaped where it is formatted.
            '\u{1b}' if colour => line.push(char),
            char if char.is_control() => line.extend(char.escape_default()),
            char => line.push(char),
        }
    }
    line = cut(&line, LONGEST);
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_control_characters() {
        assert_eq!(
            line("a\nERROR forged\r\t\u{1b}[31m\u{85}é\n", false),
            "a\\nERROR forged\\r\\t\\u{1b}[31m\\u{85}é\n"
        );
        assert_eq!(line("\u{1b}[2ma\u{1b}[0m\n", true), "\u{1b}[2ma\u{1b}[0m\n");
    }

    #[test]
    fn a_line_ends() {
        assert_eq!(line(&"x".repeat(LONGEST), false).len(), LONGEST + 1);
        let long = line(&"é".repeat(LONGEST), false);
        assert!(long.len() <= LONGEST + 4 && long.ends_with("é…\n"));
    }
}
