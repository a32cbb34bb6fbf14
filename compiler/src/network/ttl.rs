//! The TTLs that topoc writes: how many bridges subscriptions and requests may have to cross, a move included.

use super::{Network, listed};
use crate::model::{BrokerId, Model};
use crate::schema;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The TTLs of the bridges in one connected part of the network, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttls {
    /// For subscriptions: the longest of the shortest ways.
    pub(super) consumer: i64,
    /// For messages: the same, or what a request needs that was forwarded and has to follow its consumer.
    pub(super) message: i64,
}

impl Ttls {
    /// ActiveMQ's own: neighbours only.
    pub(super) const NEIGHBOURS: Ttls = Ttls { consumer: 1, message: 1 };
}

/// The TTLs of every broker's bridges. Brokers without any bridge to another are left out.
pub(super) fn of(network: &Network, model: &Model) -> HashMap<BrokerId, Ttls> {
    let asked = listed(model, model.clients.iter().map(|client| client.dialer.brokers.as_slice()));
    let answered = listed(model, model.connectors.iter().map(|connector| connector.dialer.brokers.as_slice()));
    let apart = has_both(model);
    let mut ttls = HashMap::new();
    for brokers in parts(network) {
        let within = |listed: &[BrokerId]| -> BTreeSet<BrokerId> {
            listed.iter().copied().filter(|broker| brokers.contains(broker)).collect()
        };
        let (mut asked, mut answered) = (within(&asked), within(&answered));
        // Where nobody is there to ask or to answer, it may be anybody.
        if asked.is_empty() || answered.is_empty() {
            (asked, answered) = (brokers.clone(), brokers.clone());
        }
        let mut found = Part::of(network, asked, &answered).ttls();
        if !apart {
            found.consumer = found.message;
        }
        ttls.extend(brokers.into_iter().map(|broker| (broker, found)));
    }
    ttls
}

/// Whether the release knows message and consumer TTL apart, which those before 5.9 do not.
fn has_both(model: &Model) -> bool {
    let attribute = schema::element("networkConnector").and_then(|element| element.attribute("messageTTL"));
    attribute.is_some_and(|attribute| attribute.presence.in_release(model.release()).is_present())
}

/// Brokers that hold together, whatever the direction of the bridges between them.
fn parts(network: &Network) -> Vec<BTreeSet<BrokerId>> {
    let mut neighbours: HashMap<BrokerId, Vec<BrokerId>> = HashMap::new();
    for edge in &network.edges {
        neighbours.entry(edge.from).or_default().push(edge.to);
        neighbours.entry(edge.to).or_default().push(edge.from);
    }
    let mut seen = HashSet::new();
    let mut parts = Vec::new();
    for start in network.edges.iter().map(|edge| edge.from) {
        let (mut part, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                part.insert(at);
                open.extend(neighbours.get(&at).into_iter().flatten());
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
    }
    parts
}

/// A connected part of the network.
struct Part<'n> {
    network: &'n Network,
    /// The brokers at which requests enter.
    asked: BTreeSet<BrokerId>,
    /// The brokers at which requests may be consumed, each with how far away the farthest of the others is.
    answered: HashMap<BrokerId, i64>,
    consumer: i64,
}

impl<'n> Part<'n> {
    fn of(network: &'n Network, asked: BTreeSet<BrokerId>, answered: &BTreeSet<BrokerId>) -> Self {
        let farthest = |from: BrokerId| {
            let distances = network.distances(from).into_iter().filter(|(broker, _)| answered.contains(broker));
            distances.map(|(_, hops)| hops).max().unwrap_or(0)
        };
        let answering: HashMap<BrokerId, i64> = answered.iter().map(|broker| (*broker, farthest(*broker))).collect();
        // A request that waits where a consumer was has to hear of those elsewhere, as one does that has just come in.
        let consumer = asked.iter().map(|broker| farthest(*broker)).chain(answering.values().copied()).max();
        Part { network, asked, answered: answering, consumer: consumer.unwrap_or(1).max(1) }
    }

    fn ttls(&self) -> Ttls {
        let message = self.asked.iter().fold(self.consumer, |most, from| self.after_a_move(*from, most));
        Ttls { consumer: self.consumer, message }
    }

    /// The most bridges that a request from here crosses when it was forwarded to one consumer and then has to go to
    /// another, at least `most`. Back to a broker that it came through it is let without regard to TTL
    /// (`ConditionalNetworkBridgeFilterFactory`, whose replay topoc switches on).
    fn after_a_move(&self, from: BrokerId, most: i64) -> i64 {
        let distances = self.network.distances(from);
        let mut ways = None;
        let mut most = most;
        for (first, farthest) in &self.answered {
            let hops = distances.get(first).copied().unwrap_or(0);
            if *first == from || hops == 0 || hops + farthest <= most {
                continue;
            }
            let ways = ways.get_or_insert_with(|| self.network.ways_over(from, |_| true));
            let passed: HashSet<BrokerId> = ways.to(*first).into_iter().flatten().map(|edge| edge.from).collect();
            let next = self.network.distances(*first).into_iter();
            let next = next.filter(|(broker, _)| self.answered.contains_key(broker) && !passed.contains(broker));
            most = next.map(|(_, more)| hops + more).fold(most, i64::max);
        }
        most
    }
}
