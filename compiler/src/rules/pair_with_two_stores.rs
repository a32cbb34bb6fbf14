//! TOPO0412 pair-with-two-stores: a master and a slave without a store in common.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::model::{Broker, Pair, Store, StoreKind};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0412",
    name: "pair-with-two-stores",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a pair whose members have no store in common",
    page: include_str!("pair_with_two_stores.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    for pair in &model.pairs {
        let (master, slave) = (model.broker(pair.master.value), model.broker(pair.slave.value));
        if !master.damaged && !slave.damaged {
            report.diagnostics.extend(judge(pair, master, slave));
        }
    }
}

fn judge(pair: &Pair, master: &Broker, slave: &Broker) -> Option<Diagnostic> {
    let name = &pair.name.value;
    let (first, second) = match (&master.store, &slave.store) {
        (Some(first), Some(second)) => (first, second),
        (Some(_), None) => return Some(without(pair, slave, master)),
        (None, Some(_)) => return Some(without(pair, master, slave)),
        (None, None) => return Some(neither(pair, master, slave)),
    };
    if first.kind != second.kind {
        let message = format!("the members of pair `{name}` have stores of two kinds");
        return Some(found(pair, message, (master, first.at), (slave, second.at)));
    }
    if first.kind == StoreKind::Memory {
        let message = format!("the members of pair `{name}` keep messages in memory, which cannot be shared");
        return Some(found(pair, message, (master, first.at), (slave, second.at)));
    }
    let (here, there) = (first.place.as_ref()?, second.place.as_ref()?);
    let same = here.value.trim_end_matches('/') == there.value.trim_end_matches('/');
    let message = format!("the members of pair `{name}` use two stores: {}", what(first));
    (!same).then(|| found(pair, message, (master, here.at), (slave, there.at)))
}

fn what(store: &Store) -> &'static str {
    if store.kind == StoreKind::Jdbc { "their URLs differ" } else { "their directories differ" }
}

fn found(pair: &Pair, message: String, master: (&Broker, Loc), slave: (&Broker, Loc)) -> Diagnostic {
    Diagnostic::new(&RULE, slave.1, message)
        .here(format!("the slave `{}`", slave.0.name.value))
        .also(master.1, format!("the master `{}`", master.0.name.value))
        .also(pair.at, "the pair")
        .help("name the same directory on a shared disk, or the same database, in both")
}

/// One member says where messages are, the other would take its own local default.
fn without(pair: &Pair, lacks: &Broker, has: &Broker) -> Diagnostic {
    let message = format!("broker `{}` of pair `{}` has no store", lacks.name.value, pair.name.value);
    Diagnostic::new(&RULE, lacks.at, message)
        .here("would use a local store of its own")
        .also_at(has.store.as_ref().map(|store| store.at), format!("the store of `{}`", has.name.value))
        .help(format!("repeat the store of `{}` here", has.name.value))
}

fn neither(pair: &Pair, master: &Broker, slave: &Broker) -> Diagnostic {
    Diagnostic::new(&RULE, pair.at, format!("the members of pair `{}` have no store in common", pair.name.value))
        .here("nothing makes one of them wait")
        .also(master.at, "no store")
        .also(slave.at, "no store")
        .help("write the same `store kahadb { directory = \"/mnt/shared/hub\"; shared = true }` in both")
}
