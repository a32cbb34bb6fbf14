//! The network of brokers as messages see it: who forwards to whom, over how many bridges, with which priority.

use crate::diagnostic::Loc;
use crate::model::{Bridge, BridgeId, BrokerId, Connector, Endpoint, Model, Remote, SettingsExt};
use std::collections::{HashMap, VecDeque};

/// A direction of a bridge: messages go from one broker to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The bridge.
    pub bridge: BridgeId,
    /// The broker that has the message (for a pair, its master).
    pub from: BrokerId,
    /// The broker that gets it (for a pair, its master).
    pub to: BrokerId,
}

/// Bridges as a graph. A pair counts as one broker, its master.
#[derive(Debug, Default)]
pub struct Network {
    edges: Vec<Edge>,
    leaving: HashMap<BrokerId, Vec<usize>>,
    /// The TTL that topoc writes for bridges that say none.
    pub default_ttl: i64,
}

impl Network {
    /// The graph of a model's bridges.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let mut network = Network { default_ttl: 1, ..Network::default() };
        for (index, bridge) in model.bridges.iter().enumerate() {
            let Remote::Broker(far) = &bridge.to else { continue };
            let id = BridgeId(u32::try_from(index).unwrap_or(u32::MAX));
            let (near, far) = (node(model, bridge.from.broker), node(model, far.broker));
            network.add(Edge { bridge: id, from: near, to: far });
            if duplex(bridge) {
                network.add(Edge { bridge: id, from: far, to: near });
            }
        }
        network.default_ttl = network.longest_way(model);
        network
    }

    fn add(&mut self, edge: Edge) {
        self.leaving.entry(edge.from).or_default().push(self.edges.len());
        self.edges.push(edge);
    }

    /// Every direction of every bridge.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The directions that leave a broker.
    pub fn leaving(&self, from: BrokerId) -> impl Iterator<Item = &Edge> {
        self.leaving.get(&from).into_iter().flatten().filter_map(|index| self.edges.get(*index))
    }

    /// How many bridges lie between `from` and every broker that its messages can reach, TTL left aside.
    #[must_use]
    pub fn distances(&self, from: BrokerId) -> HashMap<BrokerId, i64> {
        let mut distances = HashMap::from([(from, 0)]);
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            let next = distances.get(&at).copied().unwrap_or(0) + 1;
            for edge in self.leaving(at) {
                if let std::collections::hash_map::Entry::Vacant(entry) = distances.entry(edge.to) {
                    entry.insert(next);
                    queue.push_back(edge.to);
                }
            }
        }
        distances
    }

    /// The shortest way from one broker to another as edges, TTL left aside.
    #[must_use]
    pub fn way(&self, from: BrokerId, to: BrokerId) -> Option<Vec<Edge>> {
        let mut came: HashMap<BrokerId, Edge> = HashMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at == to {
                break;
            }
            for edge in self.leaving(at).filter(|edge| edge.to != from) {
                if let std::collections::hash_map::Entry::Vacant(entry) = came.entry(edge.to) {
                    entry.insert(*edge);
                    queue.push_back(edge.to);
                }
            }
        }
        let mut way = Vec::new();
        let mut at = to;
        while at != from {
            let edge = came.get(&at)?;
            way.push(*edge);
            at = edge.from;
        }
        way.reverse();
        Some(way)
    }

    /// The most bridges that a request, or its reply, may have to cross: between any broker that a client lists and any
    /// that a connector lists. Where nobody is there to ask, between any two brokers.
    fn longest_way(&self, model: &Model) -> i64 {
        let asked: Vec<BrokerId> = listed(model, model.clients.iter().map(|client| client.dialer.brokers.as_slice()));
        let answered: Vec<BrokerId> =
            listed(model, model.connectors.iter().map(|connector| connector.dialer.brokers.as_slice()));
        let all: Vec<BrokerId> = self.leaving.keys().copied().collect();
        let (from, to) = if asked.is_empty() || answered.is_empty() { (&all, &all) } else { (&asked, &answered) };
        let to: std::collections::HashSet<BrokerId> = to.iter().copied().collect();
        let longest = from.iter().filter_map(|from| {
            self.distances(*from).into_iter().filter(|(broker, _)| to.contains(broker)).map(|(_, hops)| hops).max()
        });
        longest.max().unwrap_or(1).max(1)
    }
}

fn listed<'m>(model: &Model, lists: impl Iterator<Item = &'m [Endpoint]>) -> Vec<BrokerId> {
    let mut brokers: Vec<BrokerId> = lists.flatten().map(|endpoint| node(model, endpoint.broker)).collect();
    brokers.sort_unstable();
    brokers.dedup();
    brokers
}

/// The broker that stands for a broker: the master for members of a pair.
#[must_use]
pub fn node(model: &Model, broker: BrokerId) -> BrokerId {
    model.brokers.get(broker.index()).and_then(|found| found.pair).map_or(broker, |pair| model.pair(pair).master.value)
}

/// Whether a bridge forwards both ways: by its arrow, or by an attribute that overrides it.
#[must_use]
pub fn duplex(bridge: &Bridge) -> bool {
    bridge.settings.bool("duplex").unwrap_or(bridge.duplex)
}

impl Bridge {
    /// How many bridges a message may cross, this one included. `None` is without limit.
    #[must_use]
    pub fn message_ttl(&self, default: i64) -> Option<i64> {
        self.ttl("messageTTL", default)
    }

    /// How many bridges a subscription may cross, this one included. `None` is without limit.
    #[must_use]
    pub fn consumer_ttl(&self, default: i64) -> Option<i64> {
        self.ttl("consumerTTL", default)
    }

    /// `networkTTL` overwrites the other two whatever the order (reference: `NetworkBridgeConfiguration.setNetworkTTL`).
    fn ttl(&self, own: &str, default: i64) -> Option<i64> {
        let network = self.settings.integer("networkTTL");
        let ttl = network.or(self.settings.integer(own)).unwrap_or(if self.splits_ttl() { 1 } else { default });
        (ttl != -1).then_some(ttl)
    }

    /// Whether message and consumer TTL are written apart.
    #[must_use]
    pub fn splits_ttl(&self) -> bool {
        self.settings.find("messageTTL").is_some() || self.settings.find("consumerTTL").is_some()
    }

    /// Whether consumers behind this bridge get a lower priority than local ones. topoc writes true unless told otherwise.
    #[must_use]
    pub fn decreases_priority(&self) -> bool {
        self.settings.bool("decreaseNetworkConsumerPriority").unwrap_or(true)
    }
}

/// A consumer as a broker sees it when it has to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The consumer priority in its place.
    pub priority: i64,
    /// A connector connected to this broker, by its index in the model.
    pub connector: Option<usize>,
    /// Or the bridge to cross.
    pub edge: Option<Edge>,
}

/// Where every connector is when nothing has failed: at the first broker of its list.
#[must_use]
pub fn seat(model: &Model, connector: &Connector) -> Option<BrokerId> {
    connector.dialer.brokers.first().map(|endpoint| node(model, endpoint.broker))
}

/// The priority of a consumer of priority `own` seen over `hops` bridges of which the last has this setting
/// (`DemandForwardingBridgeSupport.doCreateDemandSubscription`, 5.17.2 and 6.3.1).
#[must_use]
pub fn priority_across(own: i64, hops: i64, decrease: bool, base: i64) -> i64 {
    match (decrease, hops) {
        (false, _) => own,
        (true, ..=1) => byte(base),
        (true, hops) => byte(base - (hops + 1)),
    }
}

/// As a signed byte, which is what OpenWire carries.
fn byte(value: i64) -> i64 {
    i64::from(value as i8)
}

/// The place where a bridge is written.
#[must_use]
pub fn written_at(model: &Model, edge: Edge) -> Option<Loc> {
    model.bridges.get(edge.bridge.index()).map(|bridge| bridge.at)
}
