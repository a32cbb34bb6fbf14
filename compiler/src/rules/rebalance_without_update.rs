//! TOPO0108 rebalance-without-update: spreading clients over brokers that they are not told of.

use super::{Check, Context, FixKind, Level, Rule, cluster};
use crate::diagnostic::Report;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0108",
    name: "rebalance-without-update",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "clients are to spread anew, but no list of brokers is pushed to them",
    page: include_str!("rebalance_without_update.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for idle in cluster::idle(context, "rebalanceClusterClients") {
        report.add(cluster::found(context, &RULE, idle, "spreads its clients anew"));
    }
}
