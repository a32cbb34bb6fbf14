//! TOPO0217 advisories-off: a broker without advisories, which a bridge needs to learn what is asked for there.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Bridge, BrokerId, Model, SettingsExt};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0217",
    name: "advisories-off",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "`advisory-support = false` on a broker that a bridge forwards to",
    page: include_str!("advisories_off.md"),
    check: Check::Model(check),
};

const SETTING: &str = "advisorySupport";

fn check(context: &Context<'_>, report: &mut Report) {
    let off = |broker: &BrokerId| context.model.broker(*broker).settings.bool(SETTING) == Some(false);
    let mut said = HashSet::new();
    for edge in context.network.edges() {
        let dynamic = |bridge: &&Bridge| !bridge.is_static();
        let Some(bridge) = bridges::of(context, edge.bridge).filter(dynamic) else { continue };
        for broker in both(context.model, edge.to).into_iter().filter(off) {
            let Some(setting) = context.model.broker(broker).settings.find(SETTING) else { continue };
            // A value that stands in `defaults` is one mistake, however many brokers take it.
            if said.insert(setting.value_at) {
                let name = &context.model.broker(broker).name.value;
                let title = bridges::title(context.model, bridge);
                let message = format!("bridge `{title}` learns of no consumer of broker `{name}`");
                let diagnostic = Diagnostic::new(&RULE, setting.value_at, message)
                    .here("without advisories the broker tells nobody who consumes here")
                    .also(bridge.at, format!("forwards to `{name}` only what is asked for there: nothing"))
                    .help("remove it: advisories are on unless switched off")
                    .fix("switch advisories on", Safety::Unsafe, setting.value_at, "true");
                report.add(diagnostic);
            }
        }
    }
}

/// A broker of the graph, or the members of the pair that it stands for.
fn both(model: &Model, broker: BrokerId) -> Vec<BrokerId> {
    match model.broker(broker).pair.map(|pair| model.pair(pair)) {
        Some(pair) => vec![pair.master.value, pair.slave.value],
        None => vec![broker],
    }
}
