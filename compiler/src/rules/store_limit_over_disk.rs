//! TOPO0416 store-limit-over-disk: a limit above the disk that is there.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Broker, Set, StoreKind};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0416",
    name: "store-limit-over-disk",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a limit for messages on disk above the disk that is there",
    page: include_str!("store_limit_over_disk.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for broker in &context.model.brokers {
        let Some(disk) = &broker.limits.disk else { continue };
        for (field, limit) in on_disk(broker) {
            if limit.value > disk.value && seen.insert(limit.at) {
                report.add(found(context, broker, field, limit, disk));
            }
        }
    }
}

/// The limits that are about a disk of the broker's own: a database has another, and memory has none.
fn on_disk(broker: &Broker) -> impl Iterator<Item = (&'static str, &Set<i64>)> {
    let kind = broker.store.as_ref().map_or(StoreKind::KahaDb, |store| store.kind);
    let store = broker.limits.store.as_ref().filter(|_| matches!(kind, StoreKind::KahaDb | StoreKind::LevelDb));
    let temp = broker.limits.temp.as_ref().filter(|_| kind != StoreKind::Memory);
    store.map(|limit| ("store", limit)).into_iter().chain(temp.map(|limit| ("temp", limit)))
}

fn found(context: &Context<'_>, broker: &Broker, field: &str, limit: &Set<i64>, disk: &Set<i64>) -> Diagnostic {
    let message = format!("the {field} limit of broker `{}` is above its disk", broker.name.value);
    let size = context.sources.text(disk.at);
    Diagnostic::new(&RULE, limit.at, message)
        .here("the broker lowers it when it starts, to what is free by then")
        .also(disk.at, "the disk that is there")
        .help(format!("write a limit that leaves room for all that is on the disk, at most `{field} = {size}`"))
        .fix(format!("write {size}"), Safety::Unsafe, limit.at, size.to_owned())
}
