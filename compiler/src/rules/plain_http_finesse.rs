//! TOPO0504 plain-http-finesse: HTTP without TLS to a Finesse node that redirects it.

use super::finesse_port::{API_PORT, is_tls_only};
use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Finesse, Set};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0504",
    name: "plain-http-finesse",
    level: Level::Hygiene,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "HTTP without TLS to a Finesse node that redirects it",
    page: include_str!("plain_http_finesse.md"),
    check: Check::Model(check),
};

/// Ports of HTTP: the usual one and those of Finesse up to 11.6 (Cisco Finesse port utilization, 11.6; EF Connector, ports).
const HTTP_PORTS: &[u16] = &[80, 8080, 8082];

fn check(context: &Context<'_>, report: &mut Report) {
    if !is_tls_only(context.model) {
        return;
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    for node in &context.model.finesse {
        let Some(port) = node.port.as_ref().filter(|port| HTTP_PORTS.contains(&port.value)) else { continue };
        if seen.insert(port.at) {
            report.add(found(node, port));
        }
    }
}

fn found(node: &Finesse, port: &Set<u16>) -> Diagnostic {
    let message = format!("Finesse node `{}` is asked over plain HTTP, on port {}", node.name.value, port.value);
    Diagnostic::new(&RULE, port.at, message)
        .here(format!("from 12.5 on the node answers 301 and points to port {API_PORT}"))
        .help(format!("write `port = {API_PORT}`, or leave it out"))
        .fix(format!("ask over TLS, on port {API_PORT}"), Safety::Unsafe, port.at, API_PORT)
}
