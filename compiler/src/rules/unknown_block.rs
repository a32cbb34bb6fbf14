//! TOPO0002 unknown-block: a block that does not exist here.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::language::{self, BLOCKS, Block, FORMS, Form, Kind};
use crate::sources::Source;
use crate::{suggest, value};
use topoc_dsl::Span;
use topoc_dsl::syntax::{Argument, ArgumentKind, Statement, Tail};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0002",
    name: "unknown-block",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a block that does not exist here",
    page: include_str!("unknown_block.md"),
    check: Check::Reading,
};

/// A statement whose first word means nothing here. It may be a misspelt block, or a field without its `=`.
pub(crate) fn found(at: Loc, head: &str, within: Kind, source: &Source, statement: &Statement) -> Diagnostic {
    if language::field(within, head).is_some() {
        return field_without_equals(at, head, source, statement);
    }
    let diagnostic =
        Diagnostic::new(&RULE, at, format!("there is no block `{head}` {}", place(within))).here("unknown");
    let here: Vec<&str> = language::keywords(within).collect();
    let everywhere = BLOCKS.iter().map(|block| block.keyword).chain(FORMS.iter().map(|form| form.keyword));
    match (suggest::suggest(head, here.iter().copied()), suggest::suggest(head, everywhere)) {
        (Some(near), _) => {
            let sure = suggest::only_near(head, here.iter().copied());
            let safety = if sure { Safety::Safe } else { Safety::Shown };
            diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), safety, at, near)
        }
        (None, Some(near)) => diagnostic.help(format!("`{near}` exists, but {}", where_it_stands(near))),
        (None, None) if here.is_empty() => diagnostic.help(format!("{} holds only fields", block_name(within))),
        (None, None) => diagnostic.help(format!("{} may hold {}", block_name(within), value::list(&here))),
    }
}

fn field_without_equals(at: Loc, head: &str, source: &Source, statement: &Statement) -> Diagnostic {
    let end = Loc { file: at.file, span: Span::at(at.span.end as usize) };
    let rest = source.slice(Span { start: at.span.end, end: statement.span.end }).trim();
    let diagnostic =
        Diagnostic::new(&RULE, at, format!("`{head}` is a field and is set with `=`")).here("no `=` behind it");
    // Of a value alone a field can be made, not of one with a block or another `=` behind it.
    let value = |argument: &Argument| {
        matches!(argument.kind, ArgumentKind::Path | ArgumentKind::Text | ArgumentKind::Raw | ArgumentKind::Number)
    };
    match (statement.arguments.as_slice(), &statement.tail) {
        ([only], Tail::Nothing) if value(only) => {
            diagnostic.help(format!("write `{head} = {rest}`")).fix("add the `=`", Safety::Safe, end, " =")
        }
        _ => diagnostic.help(format!("write `{head} = ...`")),
    }
}

/// A block that exists, in a place where it does not.
pub(crate) fn misplaced(at: Loc, block: &Block, within: Kind) -> Diagnostic {
    misplaced_word(at, block.keyword, within)
}

/// A statement that exists, in a place where it does not.
pub(crate) fn form_misplaced(at: Loc, form: &Form, within: Kind) -> Diagnostic {
    misplaced_word(at, form.keyword, within)
}

fn misplaced_word(at: Loc, keyword: &str, within: Kind) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{keyword}` cannot stand {}", place(within)))
        .here("not here")
        .help(format!("`{keyword}` {}", where_it_stands(keyword)))
}

/// `defaults conector { ... }`
pub(crate) fn unknown_kind(at: Loc, word: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(&RULE, at, format!("there is no block `{word}`")).here("unknown");
    match suggest::suggest(word, BLOCKS.iter().map(|block| block.keyword)) {
        Some(near) => {
            diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), Safety::Safe, at, near)
        }
        None => diagnostic.help("name the kind of block whose fields these are, for example `connector`"),
    }
}

/// `override` in a file that was not given with `--overlay`.
pub(crate) fn override_outside_overlay(at: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, at, "`override` works in overlay files only")
        .here("this file is part of the topology itself")
        .help("move it into a file of its own and pass that with `--overlay FILE`")
}

fn where_it_stands(keyword: &str) -> String {
    let within = language::block_of(keyword)
        .map(|block| block.within)
        .or(language::form_of(keyword).map(|form| form.within))
        .unwrap_or_default();
    let places: Vec<&str> = within.iter().map(|kind| block_name(*kind)).collect();
    format!("belongs into {}", places.join(" or "))
}

fn place(within: Kind) -> String {
    match within {
        Kind::File => "at the top level of a file".to_owned(),
        kind => format!("in {}", block_name(kind)),
    }
}

/// `a broker`, `the top level of a file`.
pub(crate) fn block_name(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "the top level of a file",
        Kind::Topology => "the topology block",
        Kind::Site => "a site",
        Kind::Broker => "a broker",
        Kind::Listen => "a listener",
        Kind::Store => "a store",
        Kind::Queue => "a queue",
        Kind::Limits => "a limits block",
        Kind::Users => "a users block",
        Kind::User => "a user",
        Kind::Options => "an options block",
        Kind::Pair => "a pair",
        Kind::Finesse => "a Finesse node",
        Kind::Connector => "a connector",
        Kind::Client => "a client",
        Kind::Failover => "a failover block",
        Kind::Bridge => "a bridge",
        Kind::Deployment => "a deployment",
        Kind::Scenario => "a scenario",
        Kind::Guarantee => "a guarantee",
        Kind::Except => "an except block",
        Kind::Defaults => "a defaults block",
        Kind::Override => "an override",
    }
}
