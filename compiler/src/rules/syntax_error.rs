//! TOPO0001 syntax-error: the text does not follow the grammar.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::language::{Block, Form, Label};
use topoc_dsl::FileId;
use topoc_dsl::syntax::{SyntaxError, SyntaxErrorKind, quote};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0001",
    name: "syntax-error",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "the text does not follow the grammar",
    page: include_str!("syntax_error.md"),
    check: Check::Reading,
};

/// What the parser could not read.
pub(crate) fn read(file: FileId, error: &SyntaxError) -> Diagnostic {
    let rule = match error.kind {
        SyntaxErrorKind::Grammar => &RULE,
        SyntaxErrorKind::TooDeep => &super::nesting_too_deep::RULE,
    };
    let at = |span| Loc { file, span };
    let mut diagnostic = Diagnostic::new(rule, at(error.span), error.message.clone()).here(error.label.clone());
    if let Some((span, message)) = &error.related {
        diagnostic = diagnostic.also(at(*span), message.clone());
    }
    if let Some(repair) = &error.repair {
        diagnostic = diagnostic.fix(repair.title.clone(), Safety::Safe, at(repair.span), repair.text.clone());
    }
    diagnostic.help = error.help.clone().map(Into::into);
    diagnostic
}

/// `topoc.toml` is no TOML.
pub(crate) fn settings(at: Loc, message: &str) -> Diagnostic {
    let reason: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Diagnostic::new(&RULE, at, format!("`topoc.toml` is no TOML: {}", reason.join(", ")))
        .here("not understood")
        .help("correct the text: settings are written `key = \"value\"`, tables `[check]`")
}

/// `site a = 1`
pub(crate) fn block_with_value(at: Loc, block: &Block) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{}` is a block and takes no value", block.keyword))
        .here("expected `{` instead of `=`")
        .help(format!("write `{}`", block.example))
}

/// Something between a block's keyword and its brace that does not belong there.
pub(crate) fn label(at: Loc, block: &Block) -> Diagnostic {
    let what = match block.label {
        Label::None => "nothing between the keyword and `{`",
        Label::Name => "one name",
        Label::NameOrText => "one name, or a text in quotes",
        Label::Title => "a title in quotes",
        Label::Word(_) => "one word",
        Label::NameAndWord(_) => "a name and a mode",
        Label::Ends => "two brokers with `->` or `<->` between them",
        Label::Block => "the keyword of a block",
        Label::BlockAndName => "the keyword of a block and the name of one",
    };
    Diagnostic::new(&RULE, at, format!("`{}` takes {what}", block.keyword))
        .here("not understood")
        .help(format!("write `{}`", block.example))
}

/// A statement with a form of its own that is written differently.
pub(crate) fn form(at: Loc, form: &Form) -> Diagnostic {
    let what = match form.keyword {
        "import" => "the path of a file, in quotes",
        "let" => "a name, `=` and a value",
        "property" => "a key in quotes, `=` and a value",
        "address" => "`from`, a site, `=` and an address in quotes",
        "raw-xml" => "XML between `\"\"\"` and `\"\"\"`",
        "cut" | "heal" => "two things with `<->` between them",
        "settle" => "`before fail-back` and nothing else",
        "expect" => "a client and all that its request passes, with `->` between them",
        _ => "one name, or several with `,` between them",
    };
    Diagnostic::new(&RULE, at, format!("`{}` takes {what}", form.keyword))
        .here("not understood")
        .help(format!("write it like `{}`", form.example))
}

/// `import east.topo`
pub(crate) fn unquoted_import(at: Loc, path: &str) -> Diagnostic {
    let quoted = quote(path);
    Diagnostic::new(&RULE, at, "`import` takes the path of a file, in quotes")
        .here("no quotes")
        .help(format!("write `import {quoted}`"))
        .fix("put the path in quotes", Safety::Safe, at, quoted)
}
