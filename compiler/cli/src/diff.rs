//! What would change in a file, as a unified difference.

use crate::render::counted;
use crate::terminal::{Io, Paint};
use similar::{ChangeTag, TextDiff};
use std::io::{self, Write};

/// Writes what is new to a file, at most so many lines of it.
pub(crate) fn write(name: &str, old: &str, new: &str, most: usize, io: &mut Io<'_>) -> io::Result<()> {
    if old == new {
        return Ok(());
    }
    let paint = Paint(io.out.colour);
    writeln!(io.stdout, "{}", paint.bold(name))?;
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(1).iter_hunks() {
        lines.push(paint.cyan(&hunk.header().to_string()));
        lines.extend(hunk.iter_changes().map(|change| {
            let line = change.value().trim_end_matches(['\n', '\r']);
            match change.tag() {
                ChangeTag::Delete => paint.red(&format!("-{line}")),
                ChangeTag::Insert => paint.green(&format!("+{line}")),
                ChangeTag::Equal => format!(" {line}"),
            }
        }));
    }
    for line in lines.iter().take(most) {
        writeln!(io.stdout, "{line}")?;
    }
    if lines.len() > most {
        writeln!(io.stdout, "... and {} more", counted(lines.len() - most, "line"))?;
    }
    Ok(())
}
