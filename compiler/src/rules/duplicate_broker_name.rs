//! TOPO0409 duplicate-broker-name: two brokers of one network that ActiveMQ cannot tell apart.

use super::{Check, Context, FixKind, Level, Rule, client_id_collision};
use crate::diagnostic::{Diagnostic, Report};
use crate::model::{Broker, BrokerId, Model, Remote, SettingValue, SettingsExt};
use crate::network::node;
use std::collections::HashMap;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0409",
    name: "duplicate-broker-name",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "two brokers of one network with one broker-name",
    page: include_str!("duplicate_broker_name.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    if model.incomplete {
        return;
    }
    let mut networks = Networks::of(model);
    // Where their bridges collide as well, that is what is reported: there they do not work at all.
    let collide = client_id_collision::reported(context);
    let mut first: HashMap<(usize, &str), (BrokerId, &Broker)> = HashMap::new();
    for (index, broker) in (0..).zip(&model.brokers) {
        let id = node(model, BrokerId(index));
        let network = networks.root(id.index());
        match first.get(&(network, broker.broker_name.value.as_str())) {
            Some((other, _)) if collide.contains(&(*other, id)) => {}
            Some((other, named)) if *other != id => report.add(found(model, named, broker)),
            Some(_) => {}
            None => drop(first.insert((network, &broker.broker_name.value), (id, broker))),
        }
    }
}

/// Which brokers are connected, by whatever way: a forest in which every broker leads to the root of its network.
struct Networks {
    parents: Vec<usize>,
}

impl Networks {
    fn of(model: &Model) -> Self {
        let mut networks = Networks { parents: (0..model.brokers.len()).collect() };
        // Brokers that are found by one discovery URI are in one network.
        let mut discovered: HashMap<&str, usize> = HashMap::new();
        for bridge in &model.bridges {
            let near = node(model, bridge.from.broker).index();
            match &bridge.to {
                Remote::Broker(far) => networks.join(near, node(model, far.broker).index()),
                Remote::Discovery(raw) => networks.meet(near, &raw.text.value, &mut discovered),
            }
        }
        for (index, broker) in model.brokers.iter().enumerate() {
            for uri in broker.listeners.iter().filter_map(|listener| listener.settings.find("discoveryUri")) {
                if let SettingValue::Text(uri) = &uri.value {
                    networks.meet(index, uri, &mut discovered);
                }
            }
        }
        networks
    }

    fn meet<'m>(&mut self, broker: usize, uri: &'m str, discovered: &mut HashMap<&'m str, usize>) {
        let other = *discovered.entry(uri).or_insert(broker);
        self.join(broker, other);
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }

    fn root(&mut self, broker: usize) -> usize {
        let mut at = broker;
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }
}

fn found(model: &Model, first: &Broker, again: &Broker) -> Diagnostic {
    let site = |broker: &Broker| model.site(broker.site).name.value.clone();
    let full = |broker: &Broker| format!("{}.{}", site(broker), broker.name.value);
    let name = &again.broker_name.value;
    let message =
        format!("`{}` and `{}` are in one network and both called `{name}` by ActiveMQ", full(first), full(again));
    Diagnostic::new(&RULE, again.broker_name.at, message)
        .here(called(again))
        .also(first.broker_name.at, called(first))
        .help(format!("write `broker-name = \"{name}-{}\"` in `{}`", site(again), full(again)))
}

fn called(broker: &Broker) -> String {
    match broker.named_by_hand {
        true => "its broker-name".to_owned(),
        false => format!("`{}` is its broker-name, as none is written", broker.name.value),
    }
}
