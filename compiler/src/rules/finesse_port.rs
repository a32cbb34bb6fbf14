//! TOPO0501 finesse-port: a port on which a Finesse node does not answer the REST API.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Finesse, FinesseRelease, Model, Set};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0501",
    name: "finesse-port",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a port on which a Finesse node does not answer the REST API",
    page: include_str!("finesse_port.md"),
    check: Check::Model(check),
};

/// The port of the REST API (Cisco Finesse REST API guide, 12.5(1) and later: "all HTTPS requests to port 8445").
pub(super) const API_PORT: &str = "8445";

/// The first release that redirects HTTP to TLS and whose notification ports without TLS are off (Cisco Finesse 12.5(1)).
const TLS_ONLY: FinesseRelease = FinesseRelease { major: 12, minor: 5 };

fn check(context: &Context<'_>, report: &mut Report) {
    let tls_only = is_tls_only(context.model);
    let mut seen: HashSet<Loc> = HashSet::new();
    for node in &context.model.finesse {
        let Some(port) = &node.port else { continue };
        if let Some(what) = known_for(port.value, tls_only).filter(|_| seen.insert(port.at)) {
            report.add(found(node, port, what));
        }
    }
}

/// Whether the nodes speak TLS only unless somebody has changed that. Nodes of an unknown release count as new ones.
pub(super) fn is_tls_only(model: &Model) -> bool {
    model.topology.finesse.as_ref().is_none_or(|release| release.value >= TLS_ONLY)
}

/// What is known of a port that is not the API's. Any other port may be forwarded to it.
fn known_for(port: u16, tls_only: bool) -> Option<&'static str> {
    match port {
        8443 => Some("the API answers on 8445; port lists often say 8443"),
        5222 | 7071 if tls_only => Some("the notification service without TLS, which is off from 12.5 on"),
        _ => None,
    }
}

fn found(node: &Finesse, port: &Set<u16>, what: &str) -> Diagnostic {
    let message = format!("Finesse node `{}` does not answer the REST API on port {}", node.name.value, port.value);
    let help = match port.value {
        8443 => format!("write `port = {API_PORT}`, or leave it out"),
        _ => format!("write `port = {API_PORT}`, or leave it out; the notification service's port is `xmpp-port`"),
    };
    Diagnostic::new(&RULE, port.at, message).here(what.to_owned()).help(help).fix(
        format!("ask on port {API_PORT}"),
        Safety::Unsafe,
        port.at,
        API_PORT,
    )
}
