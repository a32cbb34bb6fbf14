//! TOPO0505 insecure-xmpp-port: a notification port without TLS, which is off from 12.5 on.

use super::finesse_port::is_tls_only;
use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Finesse, Set};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0505",
    name: "insecure-xmpp-port",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a notification port without TLS, which is off unless someone has switched it on",
    page: include_str!("insecure_xmpp_port.md"),
    check: Check::Model(check),
};

/// Ports of the notification service without TLS: XMPP, and BOSH and WebSocket (Cisco Finesse 12.5(1)).
const WITHOUT_TLS: &[u16] = &[5222, 7071];

fn check(context: &Context<'_>, report: &mut Report) {
    if !is_tls_only(context.model) {
        return;
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    for node in &context.model.finesse {
        let Some(port) = node.xmpp_port.as_ref().filter(|port| WITHOUT_TLS.contains(&port.value)) else { continue };
        if seen.insert(port.at) {
            report.add(found(node, port));
        }
    }
}

fn found(node: &Finesse, port: &Set<u16>) -> Diagnostic {
    let safe = with_tls(node);
    let message = format!("Finesse node `{}` has port {} switched off", node.name.value, port.value);
    Diagnostic::new(&RULE, port.at, message)
        .here("the notification service without TLS, which is off from 12.5 on")
        .help(format!("write `xmpp-port = {safe}`"))
        .fix(format!("listen to notifications on port {safe}"), Safety::Unsafe, port.at, safe)
}

/// The port with TLS for the way in which notifications are fetched.
fn with_tls(node: &Finesse) -> &'static str {
    match node.xmpp.as_ref().map(|xmpp| xmpp.value.as_str()) {
        Some("websocket" | "bosh") => "7443",
        _ => "5223",
    }
}
