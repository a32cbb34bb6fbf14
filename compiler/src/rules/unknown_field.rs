//! TOPO0003 unknown-field: a field that this block does not have.

use super::unknown_block::block_name;
use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Safety};
use crate::language::{self, Kind};
use crate::sources::Source;
use crate::{kebab, options, suggest};
use topoc_dsl::Span;
use topoc_dsl::syntax::Statement;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0003",
    name: "unknown-field",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a field that this block does not have",
    page: include_str!("unknown_field.md"),
    check: Check::Model(super::element_options::check),
};

/// A field that does not exist in this kind of block.
pub(crate) fn found(
    at: Loc,
    name: &str,
    within: Kind,
    store: &str,
    statement: &Statement,
    source: &Source,
) -> Diagnostic {
    let block = match store {
        "" => block_name(within).to_owned(),
        store => format!("a {store} store"),
    };
    let diagnostic = Diagnostic::new(&RULE, at, format!("{block} has no field `{name}`")).here("unknown");
    let fields = language::fields(within);
    let value = statement.value().map_or("...", |value| source.slice(value.span));
    let kebab = kebab::kebab(name);
    if kebab != name && fields.contains_key(&kebab) {
        let help = format!("fields are written with dashes: `{kebab}`");
        return diagnostic.help(help).fix(format!("write `{kebab}`"), Safety::Safe, at, kebab);
    }
    if name.contains('.') {
        return dotted(diagnostic, name, value, within, statement.span);
    }
    if options::failover_wrong_name(&real(name)).is_some() || language::field(Kind::Failover, name).is_some() {
        return failover(diagnostic, name, value, within);
    }
    let names = || fields.keys().map(String::as_str);
    match suggest::suggest(name, names()) {
        Some(near) => {
            let safety = if suggest::only_near(name, names()) { Safety::Safe } else { Safety::Shown };
            diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), safety, at, near)
        }
        None if language::block_of(name).is_some() => {
            diagnostic.help(format!("`{name}` is no field; a block is written `{name} ... {{ }}`"))
        }
        None => match shortened(name, names()) {
            Some(full) => diagnostic.help(format!("did you mean `{full}`?")).fix(
                format!("write `{full}`"),
                Safety::Shown,
                at,
                full,
            ),
            None => diagnostic.help(elsewhere(name, within, &block)),
        },
    }
}

/// `dir` for `directory`: the field with which all begin that begin so.
fn shortened<'a>(name: &str, fields: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let longer: Vec<&str> = fields.filter(|field| name.len() > 2 && field.starts_with(name)).collect();
    let shortest = longer.iter().copied().min_by_key(|field| field.len())?;
    longer.iter().all(|field| field.starts_with(shortest)).then_some(shortest)
}

/// Where a field of that name is known, or where all fields are listed.
fn elsewhere(name: &str, within: Kind, block: &str) -> String {
    let mut kinds: Vec<Kind> = language::OWN.iter().filter(|own| own.name == name).map(|own| own.kind).collect();
    kinds.dedup();
    let inner: Vec<Kind> = kinds
        .iter()
        .copied()
        .filter(|kind| language::spec(*kind).is_some_and(|spec| spec.within.contains(&within)))
        .collect();
    let nearest = if inner.is_empty() { kinds } else { inner };
    let names: Vec<&str> = nearest.iter().map(|kind| block_name(*kind)).collect();
    match names.as_slice() {
        [] if language::fields(within).is_empty() => format!("{block} has no fields, only blocks"),
        [] => format!("`topoc explain --fields` lists the fields of {block}"),
        names => format!("`{name}` is a field of {}", names.join(" or ")),
    }
}

fn dotted(diagnostic: Diagnostic, name: &str, value: &str, within: Kind, statement: Span) -> Diagnostic {
    let takes_options = language::spec(Kind::Options).is_some_and(|options| options.within.contains(&within));
    if !takes_options {
        return diagnostic.help("a dotted option belongs into an `options { }` block");
    }
    let at = Loc { file: diagnostic.primary().file, span: statement };
    let text = format!("options {{ \"{name}\" = {value} }}");
    diagnostic.help(format!("write `{text}`")).fix("move it into an options block", Safety::Shown, at, text)
}

/// An option of the failover transport that was written outside its block, or under a name that ActiveMQ does not know.
fn failover(diagnostic: Diagnostic, name: &str, value: &str, within: Kind) -> Diagnostic {
    let at = diagnostic.primary();
    let right = options::failover_wrong_name(&real(name)).map(|wrong| wrong.right.map(kebab::kebab));
    match (right, within) {
        (Some(Some(right)), Kind::Failover) => diagnostic
            .help(format!("ActiveMQ calls it `{right}` and refuses `{name}`"))
            .fix(format!("write `{right}`"), Safety::Safe, at, right),
        (Some(None), _) => diagnostic.help(format!("the failover transport has no option `{name}`; remove it")),
        (right, Kind::Connector | Kind::Client) => {
            let option = right.flatten().unwrap_or_else(|| name.to_owned());
            let text = format!("failover {{ {option} = {value} }}");
            diagnostic.help(format!("it is an option of the failover transport: write `{text}`"))
        }
        _ => diagnostic.help("it is an option of the failover transport of a connector or client"),
    }
}

/// `back-off-multiplier` as ActiveMQ would spell it.
fn real(name: &str) -> String {
    let mut parts = name.split('-');
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |mut real, part| {
        let mut chars = part.chars();
        real.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        real.push_str(chars.as_str());
        real
    })
}
