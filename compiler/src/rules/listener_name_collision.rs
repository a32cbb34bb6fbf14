//! TOPO0106 listener-name-collision: two connectors of one broker with one name in its XML.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::model::{Bridge, BrokerId, Model, Remote};
use rustc_hash::FxHashMap;
use std::collections::HashSet;
use std::collections::hash_map::Entry;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0106",
    name: "listener-name-collision",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "two connectors of one broker with one name in its XML",
    page: include_str!("listener_name_collision.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut taken = Taken::default();
    listeners(context.model, &mut taken, &mut seen, report);
    for bridge in &context.model.bridges {
        for broker in context.model.members(&bridge.from) {
            if let Some(clash) = taken.clash(broker, bridge).filter(|_| seen.insert(bridge.name.at)) {
                report.add(bridge_found(context.model, broker, bridge, &clash));
            }
            taken.add(broker, bridge);
        }
    }
}

/// What has which name so far, broker by broker.
#[derive(Default)]
struct Taken<'a> {
    listeners: FxHashMap<(BrokerId, &'a str), Loc>,
    /// The first bridge of a name, and the first that leads elsewhere: one of the two leads elsewhere than any third.
    bridges: FxHashMap<(BrokerId, &'a str), (&'a Bridge, Option<&'a Bridge>)>,
}

/// What already has a bridge's name.
struct Clash {
    what: &'static str,
    at: Loc,
}

impl<'a> Taken<'a> {
    /// A listener, or a bridge before this one. Two towards one broker are left to the rules about doubled bridges.
    fn clash(&self, broker: BrokerId, bridge: &Bridge) -> Option<Clash> {
        let key = (broker, bridge.name.value.as_str());
        if let Some(at) = self.listeners.get(&key) {
            return Some(Clash { what: "listener", at: *at });
        }
        let (first, elsewhere) = self.bridges.get(&key)?;
        let before = if same_target(bridge, first) { (*elsewhere)? } else { first };
        Some(Clash { what: "bridge", at: before.name.at })
    }

    fn add(&mut self, broker: BrokerId, bridge: &'a Bridge) {
        let (first, elsewhere) = self.bridges.entry((broker, &bridge.name.value)).or_insert((bridge, None));
        if elsewhere.is_none() && !same_target(first, bridge) {
            *elsewhere = Some(bridge);
        }
    }
}

/// Two listeners of one broker.
fn listeners<'a>(model: &'a Model, taken: &mut Taken<'a>, seen: &mut HashSet<Loc>, report: &mut Report) {
    for (index, broker) in model.brokers.iter().enumerate() {
        let id = BrokerId(u32::try_from(index).unwrap_or(u32::MAX));
        for listener in &broker.listeners {
            let name = &listener.name;
            match taken.listeners.entry((id, &name.value)) {
                Entry::Vacant(free) => drop(free.insert(name.at)),
                Entry::Occupied(first) if seen.insert(name.at) => {
                    let message = format!("broker `{}` has two listeners named `{}`", broker.name.value, name.value);
                    report.add(diagnostic(name.at, &name.value, message).also(*first.get(), "first here"));
                }
                Entry::Occupied(_) => {}
            }
        }
    }
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
