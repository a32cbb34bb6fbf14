//! TOPO0502 same-finesse-twice: a connector that would fail over from a Finesse node to the same node.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::model::{Connector, Finesse, FinesseId, Set};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0502",
    name: "same-finesse-twice",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a connector that names one Finesse node twice, or two with one host and port",
    page: include_str!("same_finesse_twice.md"),
    check: Check::Model(check),
};

/// The port of the REST API where none is written.
const API_PORT: u16 = 8445;

fn check(context: &Context<'_>, report: &mut Report) {
    let nodes = &context.model.finesse;
    let node = |id: FinesseId| nodes.get(id.index());
    let mut places: HashSet<Loc> = HashSet::new();
    let mut twins: HashSet<(FinesseId, FinesseId)> = HashSet::new();
    for connector in &context.model.connectors {
        for (index, again) in connector.finesse.iter().enumerate() {
            for first in &connector.finesse[..index] {
                let (Some(one), Some(other)) = (node(first.value), node(again.value)) else { continue };
                if first.value == again.value {
                    if places.insert(again.at) {
                        report.add(named_twice(connector, one, first, again));
                    }
                    break;
                }
                let pair = (first.value.min(again.value), first.value.max(again.value));
                if same_place(one, other) && twins.insert(pair) {
                    report.add(one_host(connector, one, other, again));
                }
            }
        }
    }
}

fn same_place(one: &Finesse, other: &Finesse) -> bool {
    let port = |node: &Finesse| node.port.as_ref().map_or(API_PORT, |port| port.value);
    one.host.value.eq_ignore_ascii_case(&other.host.value) && port(one) == port(other)
}

fn named_twice(connector: &Connector, node: &Finesse, first: &Set<FinesseId>, again: &Set<FinesseId>) -> Diagnostic {
    let message = format!("connector `{}` names Finesse node `{}` twice", connector.dialer.name.value, node.name.value);
    Diagnostic::new(&RULE, again.at, message)
        .here("again here")
        .also(first.at, "first here")
        .help("name the other node of the Finesse cluster here, or remove this one")
}

fn one_host(connector: &Connector, one: &Finesse, other: &Finesse, again: &Set<FinesseId>) -> Diagnostic {
    let message = format!(
        "connector `{}` names two Finesse nodes that are one: `{}` and `{}` have the same host and port",
        connector.dialer.name.value, one.name.value, other.name.value
    );
    Diagnostic::new(&RULE, again.at, message)
        .here("no other node to fail over to")
        .also(one.host.at, format!("the host of `{}`", one.name.value))
        .also(other.host.at, format!("the host of `{}`", other.name.value))
        .help(format!("write the host of the second node into `{}`", other.name.value))
}
