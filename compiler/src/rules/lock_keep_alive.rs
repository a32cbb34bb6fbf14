//! TOPO0415 lock-keep-alive: a pair whose master looks after its lock never, or less often than the lock lasts.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Broker, Pair, Setting, SettingsExt, Store, StoreKind};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0415",
    name: "lock-keep-alive",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a pair whose master looks after its lock never, or less often than the lock lasts",
    page: include_str!("lock_keep_alive.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    let mut seen: HashSet<Loc> = HashSet::new();
    for pair in &model.pairs {
        for member in [pair.master.value, pair.slave.value] {
            let broker = model.broker(member);
            let Some(store) = &broker.store else { continue };
            // What nobody writes is chosen to fit.
            let Some(setting) = store.settings.find("lockKeepAlivePeriod") else { continue };
            let Some(period) = store.settings.integer("lockKeepAlivePeriod") else { continue };
            let fits = 0 < period && period < store.lock_acquire_interval();
            if !fits && store.kind != StoreKind::Memory && seen.insert(setting.value_at) {
                report.add(found(pair, broker, store, setting, period));
            }
        }
    }
}

fn found(pair: &Pair, broker: &Broker, store: &Store, setting: &Setting, period: i64) -> Diagnostic {
    let (pair, broker, interval) = (&pair.name.value, &broker.name.value, shown(store.lock_acquire_interval()));
    let (message, label) = if period <= 0 {
        let message = format!("broker `{broker}` of pair `{pair}` never checks that it still has the lock");
        (message, "off: a master that lost the lock goes on, beside the new one".to_owned())
    } else {
        let message =
            format!("broker `{broker}` of pair `{pair}` checks its lock less often than the other tries for it");
        let label = match store.kind {
            StoreKind::Jdbc => format!("the lease lasts {interval} and runs out before it is renewed"),
            _ => format!("the other member tries every {interval}"),
        };
        (message, label)
    };
    let period = shown(store.pair_lock_keep_alive());
    let interval = store.settings.find("lockAcquireSleepInterval").map(|setting| setting.at);
    Diagnostic::new(&RULE, setting.value_at, message)
        .here(label)
        .also_at(interval, "how often the other tries, and how long a lease lasts")
        .help(format!("write `lock-keep-alive-period = {period}`, or leave it out"))
        .fix(format!("check every {period}"), Safety::Unsafe, setting.value_at, period)
}

/// Milliseconds as one would write them.
fn shown(milliseconds: i64) -> String {
    match milliseconds % 1000 {
        0 => format!("{}s", milliseconds / 1000),
        _ => format!("{milliseconds}ms"),
    }
}
