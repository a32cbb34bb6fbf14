//! TOPO0215 stuck-after-return: requests that crossed a bridge and may not go back when their connector does.

use super::crossing::{Crossing, crossings};
use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Broker, BrokerId, Setting, SettingsExt};
use crate::network::node;
use std::collections::{HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0215",
    name: "stuck-after-return",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "replay switched off on a request queue that crosses a bridge",
    page: include_str!("stuck_after_return.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let off: Vec<(BrokerId, &Broker, &str, &Setting)> = switched_off(context).collect();
    if off.is_empty() {
        return;
    }
    let mut crossed: HashMap<(BrokerId, &str), Crossing<'_>> = HashMap::new();
    // The brokers on the ways that begin where this one does: what leads to one of them is known.
    let mut known: (Option<(BrokerId, &str)>, HashSet<BrokerId>) = Default::default();
    for crossing in crossings(context) {
        let start = Some((crossing.from, crossing.queue));
        if known.0 != start {
            known = (start, HashSet::new());
        }
        let news = crossing.backwards().take_while(|edge| known.1.insert(edge.to));
        for broker in news.map(|edge| edge.to).chain([crossing.from]) {
            crossed.entry((broker, crossing.queue)).or_insert_with(|| crossing.clone());
        }
    }
    let mut said = HashSet::new();
    for (id, broker, queue, setting) in off {
        if let Some(crossing) = crossed.get(&(node(context.model, id), queue))
            && said.insert(setting.value_at)
        {
            report.add(found(context, broker, queue, setting, crossing));
        }
    }
}

/// The queues, by name, whose policy says that nothing goes back. A pattern does not count: for request queues that cross
/// bridges topoc writes a policy of their own besides.
fn switched_off<'a>(context: &Context<'a>) -> impl Iterator<Item = (BrokerId, &'a Broker, &'a str, &'a Setting)> {
    let brokers = (0_u32..).map(BrokerId).zip(&context.model.brokers);
    brokers.flat_map(|(id, broker)| {
        let off = broker.queues.iter().filter(|policy| policy.settings.bool("replayWhenNoConsumers") == Some(false));
        off.filter_map(move |policy| {
            Some((id, broker, policy.name.value.as_str(), policy.settings.find("replayWhenNoConsumers")?))
        })
    })
}

fn found(
    context: &Context<'_>,
    broker: &Broker,
    queue: &str,
    setting: &Setting,
    crossing: &Crossing<'_>,
) -> Diagnostic {
    let name = &broker.name.value;
    let bridge = crossing.way().first().and_then(|edge| bridges::of(context, edge.bridge));
    let message = format!("requests in `{queue}` of broker `{name}` may stay there for ever");
    Diagnostic::new(&RULE, setting.value_at, message)
        .here("what came over a bridge does not go back, also when its connector does")
        .also_at(bridge.map(|bridge| bridge.at), "requests cross here")
        .also(crossing.connector.dialer.at, "handles them")
        .help(format!("write `true`, or leave `{}` out: topoc switches it on for this queue", setting.name))
        .fix("let requests go back", Safety::Unsafe, setting.value_at, "true")
}
