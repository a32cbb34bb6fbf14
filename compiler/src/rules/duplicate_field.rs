//! TOPO0005 duplicate-field: the same field twice in one block.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::sources::Source;
use topoc_dsl::Span;
use topoc_dsl::syntax::Statement;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0005",
    name: "duplicate-field",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "the same field twice in one block",
    page: include_str!("duplicate_field.md"),
    check: Check::Reading,
};

/// A field or a single block for the second time.
pub(crate) fn found(again: Loc, first: Loc, name: &str, statement: &Statement, source: &Source) -> Diagnostic {
    let help = match statement.value() {
        Some(_) => "keep the value that is meant",
        None => "move what is in the second into the first",
    };
    let noun = if statement.value().is_some() { "set" } else { "there" };
    let diagnostic = Diagnostic::new(&RULE, again, format!("`{name}` is {noun} twice in this block"))
        .here("again here")
        .also(first, "first here")
        .help(help);
    let same = source.slice(again.span) == source.slice(first.span);
    let safety = if same { Safety::Safe } else { Safety::Unsafe };
    match statement.value() {
        Some(_) => diagnostic.fix("remove the second", safety, whole_line(again, source), ""),
        None => diagnostic,
    }
}

/// The statement with the blanks and the line end that would be left of its line.
fn whole_line(at: Loc, source: &Source) -> Loc {
    let before = source.text.get(..at.span.start as usize).unwrap_or("");
    let after = source.text.get(at.span.end as usize..).unwrap_or("");
    let blanks = before.len() - before.trim_end_matches([' ', '\t']).len();
    let rest = after.len() - after.trim_start_matches([' ', '\t', '\r', ';']).len();
    let alone = before[..before.len() - blanks].ends_with('\n') && after[rest..].starts_with('\n');
    if !alone {
        return at;
    }
    let span = Span::new(at.span.start as usize - blanks, at.span.end as usize + rest + 1);
    Loc { span, ..at }
}
