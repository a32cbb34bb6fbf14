//! TOPO0116 raw-xml-repeats-element: XML written by hand that takes the place of what topoc writes.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::emit::write::xml::outermost;
use crate::model::{Broker, BrokerId, Model, StoreKind};
use crate::network::{Network, node};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0116",
    name: "raw-xml-repeats-element",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "`raw-xml` with an element that takes the place of what topoc writes",
    page: include_str!("raw_xml_repeats_element.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for (id, broker) in (0..).map(BrokerId).zip(&context.model.brokers) {
        for raw in &broker.raw_xml {
            for (element, at) in outermost(&raw.value) {
                let at = place::inside_raw_xml(context, raw, at..at + 1 + element.len());
                let lost = lost(context, id, broker, &element).filter(|_| seen.insert(at));
                report.diagnostics.extend(lost.map(|(what, instead)| found(broker, &element, at, what, instead)));
            }
        }
    }
}

/// What of the topology is in an element of this name, and how more of it is written.
fn lost(context: &Context<'_>, id: BrokerId, broker: &Broker, element: &str) -> Option<(&'static str, &'static str)> {
    let limits = &broker.limits;
    let (is_written, what, instead) = match element {
        "transportConnectors" => (!broker.listeners.is_empty(), "the listeners", "`listen` blocks"),
        "networkConnectors" => (has_bridges(context.model, id), "the bridges", "`bridge` statements"),
        "persistenceAdapter" => {
            let is_element = broker.store.as_ref().is_some_and(|store| store.kind != StoreKind::Memory);
            (is_element, "the store", "the `store` block")
        }
        "plugins" => (broker.users.is_some(), "the users", "the `users` block, or all plugins in `raw-xml`"),
        "systemUsage" => {
            let any = limits.memory.is_some() || limits.store.is_some() || limits.temp.is_some();
            (any, "the limits", "the `limits` block")
        }
        "destinationPolicy" => {
            let replays = is_bridged(context.network, context.model, id) && !context.model.deployments.is_empty();
            (replays || !broker.queues.is_empty(), "the policies of queues", "`queue` blocks")
        }
        _ => return None,
    };
    is_written.then_some((what, instead))
}

fn has_bridges(model: &Model, id: BrokerId) -> bool {
    model.bridges.iter().any(|bridge| model.members(&bridge.from).contains(&id))
}

fn is_bridged(network: &Network, model: &Model, id: BrokerId) -> bool {
    let node = node(model, id);
    network.edges().iter().any(|edge| edge.from == node || edge.to == node)
}

fn found(broker: &Broker, element: &str, at: Loc, what: &str, instead: &str) -> Diagnostic {
    let name = &broker.name.value;
    Diagnostic::new(&RULE, at, format!("broker `{name}` loses {what} to the `<{element}>` of its `raw-xml`"))
        .here("of two such elements ActiveMQ uses the last")
        .help(format!("write {instead}"))
}
