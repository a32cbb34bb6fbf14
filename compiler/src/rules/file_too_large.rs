//! TOPO0008 file-too-large: a file over 32 MiB.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0008",
    name: "file-too-large",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a file over 32 MiB",
    page: include_str!("file_too_large.md"),
    check: Check::Reading,
};

/// A file over the limit; `bytes` is its size.
pub(crate) fn found(at: Loc, path: &str, bytes: u64) -> Diagnostic {
    let mib = bytes.div_ceil(1024 * 1024);
    Diagnostic::new(&RULE, at, format!("`{path}` has {mib} MiB; files of up to 32 MiB are read"))
        .here("refused before it is read")
        .help("split it with `import`, one file for each site")
}
