//! TOPO0106 listener-name-collision: two connectors of one broker with one name in its XML.

use super::{Check, Context, FixKind, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Severity};
use crate::model::{Bridge, BrokerId, Model, Remote};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0106",
    name: "listener-name-collision",
    level: Severity::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "two connectors of one broker with one name in its XML",
    page: include_str!("listener_name_collision.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    listeners(context.model, &mut seen, report);
    for (index, bridge) in context.model.bridges.iter().enumerate() {
        for broker in context.model.members(&bridge.from) {
            let clash = listener_of(context.model, broker, bridge)
                .or_else(|| bridge_before(context.model, broker, bridge, index));
            if let Some(clash) = clash.filter(|_| seen.insert(bridge.name.at)) {
                report.add(bridge_found(context.model, broker, bridge, &clash));
            }
        }
    }
}

/// Two listeners of one broker.
fn listeners(model: &Model, seen: &mut HashSet<Loc>, report: &mut Report) {
    for broker in &model.brokers {
        for (index, listener) in broker.listeners.iter().enumerate() {
            let name = &listener.name;
            let before = broker.listeners[..index].iter().find(|other| other.name.value == name.value);
            if let Some(first) = before.filter(|_| seen.insert(name.at)) {
                let message = format!("broker `{}` has two listeners named `{}`", broker.name.value, name.value);
                report.add(diagnostic(name.at, &name.value, message).also(first.name.at, "first here"));
            }
        }
    }
}

/// What already has a bridge's name.
struct Clash {
    what: &'static str,
    at: Loc,
}

fn listener_of(model: &Model, broker: BrokerId, bridge: &Bridge) -> Option<Clash> {
    let listener = model.broker(broker).listeners.iter().find(|listener| listener.name.value == bridge.name.value)?;
    Some(Clash { what: "listener", at: listener.name.at })
}

/// A bridge of the same broker before this one. Two towards one broker are left to the rules about doubled bridges.
fn bridge_before(model: &Model, broker: BrokerId, bridge: &Bridge, index: usize) -> Option<Clash> {
    let same_file = |other: &&Bridge| model.members(&other.from).contains(&broker);
    let before = model.bridges[..index].iter().filter(same_file);
    let first =
        before.filter(|other| !same_target(bridge, other)).find(|other| other.name.value == bridge.name.value)?;
    Some(Clash { what: "bridge", at: first.name.at })
}

fn same_target(one: &Bridge, other: &Bridge) -> bool {
    match (&one.to, &other.to) {
        (Remote::Broker(one), Remote::Broker(other)) => one.broker == other.broker,
        _ => false,
    }
}

fn bridge_found(model: &Model, broker: BrokerId, bridge: &Bridge, clash: &Clash) -> Diagnostic {
    let (name, broker) = (&bridge.name.value, &model.broker(broker).name.value);
    let message = format!("a bridge of broker `{broker}` has the name of its {} `{name}`", clash.what);
    diagnostic(bridge.name.at, name, message).also(clash.at, format!("the {} of that name", clash.what))
}

fn diagnostic(at: Loc, name: &str, message: String) -> Diagnostic {
    Diagnostic::new(&RULE, at, message)
        .here(format!("the broker stops here with `Bean name '{name}' is already used in this <beans> element`"))
        .help("rename one of them; listeners and bridges of one broker share their names")
}
