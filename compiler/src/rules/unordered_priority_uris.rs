//! TOPO0305 unordered-priority-uris: two or more preferred brokers, which have no order among themselves.

use super::{Check, Context, FixKind, Level, Rule, dialled, priority_uri_not_listed};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::{At, DialledAddress, Dialling, WrittenOption};
use crate::network::node;
use crate::value::list;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0305",
    name: "unordered-priority-uris",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "two or more priority-uris have no order among themselves",
    page: include_str!("unordered_priority_uris.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context) {
        let Some(option) = dialling.option("priorityURIs") else { continue };
        let entries = priority_uri_not_listed::entries(option, context.addresses);
        let preferred: Vec<&DialledAddress> = entries.iter().filter_map(|(_, entry)| entry.as_ref()).collect();
        let at = dialled::loc(context, dialling, &option.at);
        if unordered(context, &preferred) && seen.insert(at) {
            report.add(found(context, dialling, option, &preferred, at));
        }
    }
}

/// Whether they are two brokers at least. The members of a pair are one: only the master is ever there.
fn unordered(context: &Context<'_>, preferred: &[&DialledAddress]) -> bool {
    let key = |address: &DialledAddress| {
        let broker = address.broker.map(|broker| node(context.model, broker));
        (broker, broker.map_or_else(|| address.authority().to_ascii_lowercase(), |_| String::new()))
    };
    let first = preferred.first().map(|first| key(first));
    preferred.iter().any(|other| Some(key(other)) != first)
}

fn found(
    context: &Context<'_>,
    dialling: &Dialling<'_>,
    option: &WrittenOption<'_>,
    preferred: &[&DialledAddress],
    at: Loc,
) -> Diagnostic {
    let names: Vec<String> = preferred.iter().map(|address| address.authority()).collect();
    let first = preferred.first().map(|first| format!("{}://{}", first.scheme, first.authority())).unwrap_or_default();
    let message = format!("the priority-uris of {} have no order among themselves", dialling.who());
    let here = format!("connected to {}, it stays there", list(&names));
    let typed = matches!(option.value_at, At::Source(_));
    let written = if typed { format!("priority-uris = [\"{first}\"]") } else { format!("priorityURIs={first}") };
    let help = format!("name one, `{written}`, or none: then the first broker of the list is the preferred one");
    let diagnostic = Diagnostic::new(&RULE, at, message).here(here).help(help);
    let value = if typed { format!("[\"{first}\"]") } else { first };
    match dialled::set(context, dialling, "priorityURIs", &value) {
        Some(edit) => diagnostic.fix_all("prefer the first of them only", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
