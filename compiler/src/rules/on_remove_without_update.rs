//! TOPO0109 on-remove-without-update: telling clients who leaves, but not who is there.

use super::{Check, Context, FixKind, Level, Rule, cluster};
use crate::diagnostic::Report;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0109",
    name: "on-remove-without-update",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "clients are to be told when a broker leaves, but no list of brokers is pushed to them",
    page: include_str!("on_remove_without_update.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for idle in cluster::idle(context, "updateClusterClientsOnRemove") {
        report.add(cluster::found(context, &RULE, idle, "tells its clients who leaves"));
    }
}
