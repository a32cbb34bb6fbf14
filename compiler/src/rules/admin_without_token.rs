//! TOPO0706 admin-without-token: a connector that shows its agents to whoever reaches it.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Connector, Set};
use std::net::SocketAddr;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0706",
    name: "admin-without-token",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a connector that shows agents and metrics to other machines without asking for a token",
    page: include_str!("admin_without_token.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for connector in context.model.connectors.iter().filter(|connector| connector.admin_token.is_none()) {
        let admin = connector.admin.as_ref().filter(|admin| !admin.value.ip().to_canonical().is_loopback());
        report.diagnostics.extend(admin.map(|admin| found(context, connector, admin)));
    }
}

fn found(context: &Context<'_>, connector: &Connector, admin: &Set<SocketAddr>) -> Diagnostic {
    let (name, port) = (&connector.dialer.name.value, admin.value.port());
    let here = format!("\"127.0.0.1:{port}\"");
    let at = place::behind_let(context, admin.at);
    Diagnostic::new(&RULE, at, format!("connector `{name}` lets other machines look at it without `admin-token`"))
        .here("the connector does not start with this")
        .help(format!("write `admin-token = secret(\"env:ADMIN_TOKEN\")`, or `admin = {here}`"))
        .fix("let only this machine look", Safety::Unsafe, at, here)
}
