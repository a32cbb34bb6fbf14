//! TOPO0009 import-not-found: an imported file that cannot be read.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc};
use crate::sources::FileError;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0009",
    name: "import-not-found",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "an imported file that cannot be read",
    page: include_str!("import_not_found.md"),
    check: Check::Reading,
};

/// A file that cannot be read. `path` is what was tried; `imported` says that a file names it and not the command line.
pub(crate) fn found(at: Loc, path: &str, error: &FileError, imported: bool) -> Diagnostic {
    let message = match error {
        FileError::NotFound => format!("there is no file `{path}`"),
        FileError::TooLarge(_) => format!("`{path}` is too large"),
        FileError::Other(reason) => format!("`{path}` cannot be read: {reason}"),
    };
    let diagnostic = Diagnostic::new(&RULE, at, message);
    match imported {
        true => diagnostic
            .here("imported here")
            .help("correct the path: it is looked for from the folder of the file that imports it"),
        false => diagnostic.help("give topoc the path of a file that is there and may be read"),
    }
}
