//! How Java `.properties` files are read: what `java.util.Properties.load` takes them for.

use std::fmt;
use std::str::Chars;

/// A `\u` in a properties file that is not followed by four hexadecimal digits; Java refuses the whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedEscape {
    /// The line it is on, from 1.
    pub line: usize,
}

/// Reads what `java.util.Properties.load` reads, in file order and with repeated keys. Half of a surrogate pair, which Java
/// can hold and Rust cannot, becomes U+FFFD.
///
/// # Errors
/// A malformed `\u` escape, with its line.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, MalformedEscape> {
    logical_lines(text).into_iter().map(|(number, line)| entry(&line).ok_or(MalformedEscape { line: number })).collect()
}

/// java.util.Properties: space, tab and form feed are blanks, nothing else is.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{C}')
}

/// Lines without comments and blank ones, those that end with a backslash joined to the next without its leading blanks,
/// each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let text = text.replace("\r\n", "\n");
    let mut finished: Vec<(usize, String)> = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, natural) in text.split_inclusive(['\n', '\r']).enumerate() {
        let line = natural.trim_end_matches(['\n', '\r']).trim_start_matches(is_blank);
        // java.util.Properties asks whether anything was read so far, so this holds after a lone backslash as well.
        let nothing_yet = open.as_ref().is_none_or(|(_, joined)| joined.is_empty());
        if nothing_yet && (line.is_empty() || line.starts_with(['#', '!'])) {
            open = None;
            continue;
        }
        let (number, mut joined) = open.take().unwrap_or((index + 1, String::new()));
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        match line.strip_suffix('\\') {
            Some(content) if backslashes % 2 == 1 => {
                joined.push_str(content);
                open = Some((number, joined));
            }
            _ => {
                joined.push_str(line);
                finished.push((number, joined));
            }
        }
    }
    finished.extend(open);
    finished
}

/// Key and value of one logical line; `None` for a malformed escape.
fn entry(line: &str) -> Option<(String, String)> {
    let mut escaped = false;
    let key_end = line.find(|c| {
        let ends = !escaped && (is_blank(c) || c == '=' || c == ':');
        escaped = c == '\\' && !escaped;
        ends
    });
    let (key, rest) = line.split_at(key_end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).map_or(rest, |value| value.trim_start_matches(is_blank));
    Some((unescape(key)?, unescape(value)?))
}

/// Through UTF-16, because an escape may be one half of a character.
fn unescape(text: &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let meant = match (c, if c == '\\' { chars.next() } else { None }) {
            (_, Some('u')) => {
                units.push(code_unit(&mut chars)?);
                continue;
            }
            (_, Some('t')) => '\t',
            (_, Some('n')) => '\n',
            (_, Some('r')) => '\r',
            (_, Some('f')) => '\u{C}',
            (_, Some(other)) => other,
            (plain, None) => plain,
        };
        units.extend_from_slice(meant.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}

/// The four hexadecimal digits after `\u`.
fn code_unit(chars: &mut Chars<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit << 4 | chars.next()?.to_digit(16)?;
    }
    u16::try_from(unit).ok()
}

impl fmt::Display for MalformedEscape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line;
        write!(f, "line {line}: `\\u` needs four hexadecimal digits; write `\\\\` for a backslash")
    }
}

impl std::error::Error for MalformedEscape {}
