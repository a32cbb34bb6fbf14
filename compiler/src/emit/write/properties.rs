//! How Java `.properties` files are spelled: written so that `java.util.Properties.load` reads back exactly what was meant.

pub use topoc_plan::java::{MalformedEscape, parse};

/// A properties file, in the order it is written. Nothing in it depends on the clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Comment(String),
    Entry { key: String, value: String },
    Blank,
}

impl Properties {
    /// An empty file.
    pub fn new() -> Self {
        Properties::default()
    }

    /// Adds a comment: one `# ` line for each line of the text.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        self.lines.push(Line::Comment(text.to_owned()));
        self
    }

    /// Adds a key with its value; both may be any text. Java keeps the last value of a key that comes twice.
    pub fn entry(&mut self, key: &str, value: &str) -> &mut Self {
        self.lines.push(Line::Entry { key: key.to_owned(), value: value.to_owned() });
        self
    }

    /// Adds an empty line.
    pub fn blank(&mut self) -> &mut Self {
        self.lines.push(Line::Blank);
        self
    }

    /// The keys and values in order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| match line {
            Line::Entry { key, value } => Some((key.as_str(), value.as_str())),
            Line::Comment(_) | Line::Blank => None,
        })
    }

    /// The whole file. Outside comments it is ASCII, so that Java reads the same as Latin-1 and as UTF-8.
    pub fn write(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            match line {
                Line::Comment(text) => write_comment(&mut out, text),
                Line::Entry { key, value } => {
                    write_escaped(&mut out, key, Place::Key);
                    out.push('=');
                    write_escaped(&mut out, value, Place::Value);
                    out.push('\n');
                }
                Line::Blank => out.push('\n'),
            }
        }
        out
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Value,
}

/// java.util.Properties, `load`: a key ends at the first blank, `=` or `:` without a backslash, and a value loses the
/// blanks at its start.
fn write_escaped(out: &mut String, text: &str, place: Place) {
    for (index, c) in text.chars().enumerate() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{C}' => out.push_str("\\f"),
            ' ' if place == Place::Key || index == 0 => out.push_str("\\ "),
            '=' | ':' | '#' | '!' if place == Place::Key => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            other => other.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}"))),
        }
    }
}

/// Whatever a reader may take for the end of a line ends one here, so that no part of a comment becomes an entry.
fn write_comment(out: &mut String, text: &str) {
    for line in text.replace("\r\n", "\n").split(['\n', '\r', '\u{B}', '\u{C}', '\u{85}', '\u{2028}', '\u{2029}']) {
        out.push('#');
        if !line.trim_end().is_empty() {
            out.push(' ');
            out.extend(
                line.trim_end()
                    .chars()
                    .map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }),
            );
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests;
