//! TOPO0006 missing-field: a field or block that is required and absent.

use super::protocol_mismatch::named;
use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::language::{Block, Field, Label, Type};
use crate::model::Broker;
use crate::options;
use std::collections::HashSet;
use topoc_dsl::Span;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0006",
    name: "missing-field",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Shown,
    summary: "a field or block that is required and absent",
    page: include_str!("missing_field.md"),
    check: Check::Model(check),
};

/// Brokers that somebody connects to and that listen nowhere. All else is found while reading.
fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for (who, endpoint) in named(context) {
        for id in context.model.members(endpoint) {
            let broker = context.model.broker(id);
            if broker.listeners.is_empty() && !broker.damaged && !context.model.incomplete && seen.insert(id) {
                report.add(listener(broker, &who, endpoint.at));
            }
        }
    }
}

fn listener(broker: &Broker, who: &str, from: Loc) -> Diagnostic {
    Diagnostic::new(
        &RULE,
        broker.at,
        format!("broker `{}` listens nowhere, and {who} connects to it", broker.name.value),
    )
    .here("`listen` is missing in this block")
    .also(from, "connects to it")
    .help("add `listen openwire { port = 61616 }`")
}

/// A required field that neither the block nor a default nor an overlay gives.
/// `header` is what stands before the brace of the block.
pub(crate) fn found(at: Loc, header: &str, field: &Field, body: Option<Loc>) -> Diagnostic {
    let example = example(field);
    let diagnostic = Diagnostic::new(&RULE, at, format!("`{header}` has no `{}`", field.name))
        .here(format!("`{}` is missing in this block", field.name))
        .help(format!("add `{example}`: {}", field.doc));
    insert(diagnostic, &example, body)
}

/// A listener whose scheme is said by nobody and that has no port either.
pub(crate) fn port(at: Loc, name: &str, scheme: &str, body: Option<Loc>) -> Diagnostic {
    let port = options::default_port(scheme).unwrap_or(61616);
    let diagnostic = Diagnostic::new(&RULE, at, format!("listener `{name}` has no port"))
        .here("`port` is missing in this block")
        .help(format!("add `port = {port}`, the usual one of `{scheme}`"));
    insert(diagnostic, &format!("port = {port}"), body)
}

/// A store that does not say where it is.
pub(crate) fn store_place(at: Loc, kind: &str, field: &str, body: Option<Loc>) -> Diagnostic {
    let example = match field {
        "url" => "url = \"jdbc:postgresql://db:5432/activemq\"",
        _ => "directory = \"/var/lib/activemq\"",
    };
    let diagnostic = Diagnostic::new(&RULE, at, format!("`store {kind}` has no `{field}`"))
        .here(format!("`{field}` is missing in this block"))
        .help(format!("add `{example}`"));
    insert(diagnostic, example, body)
}

/// A block without its braces.
pub(crate) fn body(at: Loc, block: &Block) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{}` needs a block", block.keyword))
        .here("`{` is missing behind it")
        .help(format!("write `{}`", block.example))
}

/// A block without the name that belongs behind its keyword.
pub(crate) fn label(at: Loc, block: &Block) -> Diagnostic {
    let what = match block.label {
        Label::Ends => "two brokers",
        Label::Title => "a title",
        Label::Word(_) => "a kind",
        Label::NameAndWord(_) => "a name and a mode",
        Label::Block | Label::BlockAndName => "a kind of block",
        Label::None | Label::Name | Label::NameOrText => "a name",
    };
    Diagnostic::new(&RULE, at, format!("`{}` needs {what}", block.keyword))
        .here("missing behind it")
        .help(format!("write `{}`", block.example))
}

/// A scenario that expects nothing.
pub(crate) fn expectation(at: Loc, header: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{header}` expects nothing"))
        .here("no `expect` in this block")
        .help("add a line such as `expect desktop-1 -> amq-2 -> gc-1`")
}

/// A topology whose block `topology` is nowhere.
pub(crate) fn topology(at: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, at, "there is no `topology` block")
        .here("in this file or one that it imports")
        .help("add `topology contact-centre { activemq = \"6.2\" }`: the release decides which options exist")
}

fn example(field: &Field) -> String {
    let value = match field.ty {
        Type::Release => "\"6.2\"",
        Type::Refs(_) => "[NAME]",
        Type::Ref(_) => "NAME",
        Type::Secret => "secret(\"env:NAME\")",
        Type::Port => "61616",
        Type::Socket => "\"127.0.0.1:9464\"",
        _ => "\"...\"",
    };
    format!("{} = {value}", field.name)
}

/// Shows where the field goes: behind the opening brace.
fn insert(diagnostic: Diagnostic, text: &str, body: Option<Loc>) -> Diagnostic {
    let Some(body) = body else { return diagnostic };
    let at = Loc { file: body.file, span: Span::at(body.span.start as usize + 1) };
    let empty = body.span.len() <= 3;
    let text = if empty { format!(" {text} ") } else { format!(" {text};") };
    diagnostic.fix("add the field", Safety::Shown, at, text)
}
