//! TOPO0011 bad-encoding: a file that is not UTF-8.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0011",
    name: "bad-encoding",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a file that is not UTF-8",
    page: include_str!("bad_encoding.md"),
    check: Check::Reading,
};

/// A file with a byte that is no UTF-8.
pub(crate) fn found(at: Loc, path: &str, offset: usize, byte: u8, line: usize) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{path}` is not UTF-8: byte {offset} (line {line}) is 0x{byte:02x}"))
        .here("cannot be read as text")
        .help(format!("save it as UTF-8; `iconv -f windows-1252 -t utf-8 {path}` converts what old editors write"))
}
