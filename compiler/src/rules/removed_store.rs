//! TOPO0802 removed-store: a kind of store that the release no longer has.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Broker, Store, StoreKind};
use crate::release::Release;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0802",
    name: "removed-store",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a kind of store that the release no longer has",
    page: include_str!("removed_store.md"),
    check: Check::Model(check),
};

/// The first release without LevelDB (ActiveMQ AMQ-7502).
const WITHOUT_LEVELDB: Release = Release::new(5, 17, 0);

fn check(context: &Context<'_>, report: &mut Report) {
    let release = context.model.release();
    let mut seen: HashSet<Loc> = HashSet::new();
    for broker in &context.model.brokers {
        let Some(store) = &broker.store else { continue };
        if is_removed(store.kind, release) && seen.insert(store.at) {
            report.add(found(context, broker, store, release));
        }
    }
}

/// Whether a store of this kind was there and is no more.
pub(super) fn is_removed(kind: StoreKind, release: Release) -> bool {
    kind == StoreKind::LevelDb && release >= WITHOUT_LEVELDB
}

fn found(context: &Context<'_>, broker: &Broker, store: &Store, release: Release) -> Diagnostic {
    let message =
        format!("broker `{}` keeps its messages in LevelDB, which ActiveMQ {release} no longer has", broker.name.value);
    let running = context.model.topology.activemq.as_ref().map(|target| target.at);
    let diagnostic = Diagnostic::new(&RULE, store.at, message)
        .here("the broker's XML does not load: there is no element `levelDB`")
        .also_at(running, format!("the brokers run {release}; LevelDB was removed in {WITHOUT_LEVELDB}"))
        .help("write `store kahadb` with a new directory, and empty the queues before the upgrade: nothing moves the messages");
    let is_plain = store.settings.is_empty() && context.sources.text(store.at) == "store leveldb";
    if is_plain { diagnostic.fix("use KahaDB", Safety::Unsafe, store.at, "store kahadb") } else { diagnostic }
}
