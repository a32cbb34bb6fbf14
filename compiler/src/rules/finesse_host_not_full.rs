//! TOPO0507 finesse-host-not-full: a Finesse node by an address, or by a name without its domain.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report};
use crate::model::Finesse;
use std::collections::HashSet;
use std::net::IpAddr;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0507",
    name: "finesse-host-not-full",
    level: Level::Hygiene,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a Finesse node by an address, or by a name without its domain",
    page: include_str!("finesse_host_not_full.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for node in &context.model.finesse {
        if let Some(found) = found(node).filter(|_| seen.insert(node.host.at)) {
            report.add(found);
        }
    }
}

fn found(node: &Finesse) -> Option<Diagnostic> {
    let host = node.host.value.trim_end_matches('.');
    let what = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(_) => "an address",
        Err(_) if host.contains('.') || host.contains("${") => return None,
        Err(_) => "a name without its domain",
    };
    let message = format!("Finesse node `{}` is named by `{host}`, {what}", node.name.value);
    Some(
        Diagnostic::new(&RULE, node.host.at, message)
            .here("not the name in the node's certificate")
            .help("write the full host name, such as `finesse-1.example.com`"),
    )
}
