//! The network of brokers as messages see it: who forwards to whom, over how many bridges, with which priority.

use crate::addresses::Addresses;
use crate::destination;
use crate::diagnostic::Loc;
use crate::dialling;
use crate::model::{Bridge, BridgeId, BrokerId, Connector, Endpoint, Model, RawUri, Remote, Setting, SettingsExt};
use crate::uri::{self, Uri, UriKind};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use ttl::Ttls;

mod groups;
mod ttl;

/// A direction of a bridge: messages go from one broker to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    leaving: FxHashMap<BrokerId, Vec<usize>>,
    /// Those that topoc writes for bridges that say none, by the broker that owns the bridge.
    ttls: FxHashMap<BrokerId, Ttls>,
}

/// The shortest ways from one broker to all that it reaches.
#[derive(Debug)]
pub struct Ways {
    from: BrokerId,
    came: FxHashMap<BrokerId, Edge>,
}

impl Ways {
    /// The brokers that are reached over at least one bridge, by id.
    #[must_use]
    pub fn reached(&self) -> Vec<BrokerId> {
        let mut reached: Vec<BrokerId> = self.came.keys().copied().collect();
        reached.sort_unstable();
        reached
    }

    /// Whether a broker is reached over at least one bridge.
    #[must_use]
    pub fn reaches(&self, to: BrokerId) -> bool {
        self.came.contains_key(&to)
    }

    /// The bridges on the way to a broker, in order.
    #[must_use]
    pub fn to(&self, to: BrokerId) -> Option<Vec<Edge>> {
        if to != self.from && !self.reaches(to) {
            return None;
        }
        let mut way: Vec<Edge> = self.backwards(to).collect();
        way.reverse();
        Some(way)
    }

    /// The same from its end; none where there is no way.
    pub fn backwards(&self, to: BrokerId) -> impl Iterator<Item = Edge> {
        let before = |at: BrokerId| self.came.get(&at).filter(|_| at != self.from).copied();
        std::iter::successors(before(to), move |edge| before(edge.from))
    }
}

impl Network {
    /// The graph of a model's bridges.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let mut network = Network::default();
        // Only URIs written by hand are looked up.
        let addresses = match model.bridges.iter().any(|bridge| bridge.uri_by_hand().is_some()) {
            true => Addresses::of(model),
            false => Addresses::default(),
        };
        for (index, bridge) in model.bridges.iter().enumerate() {
            let id = BridgeId(u32::try_from(index).unwrap_or(u32::MAX));
            let near = node(model, bridge.from.broker);
            for far in far_ends(model, &addresses, bridge) {
                network.add(Edge { bridge: id, from: near, to: far });
                if duplex(bridge) {
                    network.add(Edge { bridge: id, from: far, to: near });
                }
            }
        }
        network.ttls = ttl::of(&network, model);
        for owner in model.bridges.iter().map(|bridge| bridge.from.broker) {
            if let Some(ttls) = network.ttls.get(&node(model, owner)).copied() {
                network.ttls.insert(owner, ttls);
            }
        }
        network
    }

    fn add(&mut self, edge: Edge) {
        self.leaving.entry(edge.from).or_default().push(self.edges.len());
        self.edges.push(edge);
    }

    /// The consumer TTL that topoc writes for a bridge that says none: the longest of the shortest ways between brokers
    /// that clients and connectors list, in the part of the network that the bridge belongs to.
    #[must_use]
    pub fn default_ttl(&self, bridge: &Bridge) -> i64 {
        self.default_ttls(bridge).consumer
    }

    /// The message TTL that topoc writes for a bridge that says none: more than [`Network::default_ttl`] where requests
    /// that were forwarded to one consumer may have to go on to another when that is gone.
    #[must_use]
    pub fn default_message_ttl(&self, bridge: &Bridge) -> i64 {
        self.default_ttls(bridge).message
    }

    fn default_ttls(&self, bridge: &Bridge) -> Ttls {
        self.ttls.get(&bridge.from.broker).copied().unwrap_or(Ttls::NEIGHBOURS)
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

    /// The broker that stands for those between which messages come and go, for every broker with bridges: each of them
    /// reaches all others. Only a bridge between two such groups leads where nothing comes back from.
    #[must_use]
    pub fn groups(&self) -> FxHashMap<BrokerId, BrokerId> {
        groups::of(self)
    }

    /// How many bridges lie between `from` and every broker that its messages can reach, TTL left aside.
    #[must_use]
    pub fn distances(&self, from: BrokerId) -> FxHashMap<BrokerId, i64> {
        let mut distances = FxHashMap::from_iter([(from, 0)]);
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
        self.ways_over(from, |_| true).to(to)
    }

    /// The shortest ways from one broker to every other over those edges only that `open` lets pass.
    pub fn ways_over(&self, from: BrokerId, open: impl Fn(&Edge) -> bool) -> Ways {
        let mut came: FxHashMap<BrokerId, Edge> = FxHashMap::default();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            for edge in self.leaving(at).filter(|edge| edge.to != from && open(edge)) {
                if let std::collections::hash_map::Entry::Vacant(entry) = came.entry(edge.to) {
                    entry.insert(*edge);
                    queue.push_back(edge.to);
                }
            }
        }
        Ways { from, came }
    }
}

fn listed<'m>(model: &Model, lists: impl Iterator<Item = &'m [Endpoint]>) -> Vec<BrokerId> {
    let mut brokers: Vec<BrokerId> = lists.flatten().map(|endpoint| node(model, endpoint.broker)).collect();
    brokers.sort_unstable();
    brokers.dedup();
    brokers
}

/// Where a bridge leads: to the end of its arrow, and to every broker that a URI written by hand leads to besides. A
/// bridge from a broker to itself is closed at once and never tried again (`DemandForwardingBridgeSupport`).
fn far_ends(model: &Model, addresses: &Addresses, bridge: &Bridge) -> Vec<BrokerId> {
    let near = node(model, bridge.from.broker);
    let mut ends = Vec::with_capacity(1);
    if let Remote::Broker(far) = &bridge.to {
        ends.push(node(model, far.broker));
    }
    if let Some((raw, uri)) = bridge.uri_by_hand().and_then(|raw| Some((raw, raw.uri.as_ref().ok()?))) {
        let discovered = discovered(model, addresses, uri, &raw.text.value);
        ends.extend(discovered.into_iter().map(|broker| node(model, broker)));
    }
    let mut seen = std::collections::HashSet::from([near]);
    ends.retain(|end| seen.insert(*end));
    ends
}

/// The brokers to which a discovery agent opens bridges, as far as the topology knows them.
fn discovered(model: &Model, addresses: &Addresses, uri: &Uri, source: &str) -> Vec<BrokerId> {
    let first_of = |uri: &Uri| uri.addresses().into_iter().find_map(|address| dialled(addresses, address, source));
    match uri.scheme.text(source) {
        // One bridge for each member; of a `failover:` in the list one broker at a time.
        "static" | "simple" => uri.members().iter().filter_map(first_of).collect(),
        "masterslave" => first_of(uri).into_iter().collect(),
        "multicast" | "zeroconf" => announced(model, uri, source),
        _ => Vec::new(),
    }
}

/// The broker at an address of a raw URI.
pub(crate) fn dialled(addresses: &Addresses, address: &Uri, source: &str) -> Option<BrokerId> {
    dialling::dialled(address, source, addresses)?.broker
}

/// The brokers with a listener that announces itself where this agent listens.
fn announced(model: &Model, agent: &Uri, source: &str) -> Vec<BrokerId> {
    let group = Group::of(agent, source);
    let announces = |setting: &Setting| {
        let text = setting.value.to_string();
        uri::parse(&text).is_ok_and(|uri| Group::of(&uri, &text) == group)
    };
    let ids = (0_u32..).map(BrokerId);
    let found = ids.zip(&model.brokers).filter(|(_, broker)| {
        broker.listeners.iter().any(|listener| listener.settings.find("discoveryUri").is_some_and(announces))
    });
    found.map(|(id, _)| id).collect()
}

/// Those who find each other: same agent, same address, same `group` (`MulticastDiscoveryAgent`, whose default it is).
#[derive(Debug, PartialEq, Eq)]
struct Group {
    scheme: String,
    place: String,
    group: String,
}

impl Group {
    fn of(uri: &Uri, source: &str) -> Self {
        let place = match &uri.kind {
            UriKind::Address { path, .. } => uri.authority(source).unwrap_or_else(|| path.text(source).to_owned()),
            UriKind::Composite { .. } => String::new(),
        };
        let group = uri.find_option(source, "group").map(|option| uri.decoded(source, option.value));
        let group = group.unwrap_or_else(|| "default".to_owned());
        Group { scheme: uri.scheme.text(source).to_owned(), place, group }
    }
}

/// The broker that stands for a broker: the master for members of a pair.
#[must_use]
pub fn node(model: &Model, broker: BrokerId) -> BrokerId {
    model.brokers.get(broker.index()).and_then(|found| found.pair).map_or(broker, |pair| model.pair(pair).master.value)
}

/// What a broker of the graph is called: by the pair's name where it stands for one.
#[must_use]
pub fn node_name(model: &Model, broker: BrokerId) -> &str {
    let found = model.broker(broker);
    found.pair.map_or(&found.name.value, |pair| &model.pair(pair).name.value)
}

/// Whether a bridge forwards both ways: by its arrow, or by an attribute that overrides it.
#[must_use]
pub fn duplex(bridge: &Bridge) -> bool {
    bridge.settings.bool("duplex").unwrap_or(bridge.duplex)
}

impl Bridge {
    /// The discovery URI, where one was written by hand.
    #[must_use]
    pub fn uri_by_hand(&self) -> Option<&RawUri> {
        match (&self.raw, &self.to) {
            (Some(raw), _) | (None, Remote::Discovery(raw)) => Some(raw),
            (None, Remote::Broker(_)) => None,
        }
    }

    /// Whether messages of a queue may cross at all, in the order of ActiveMQ's own questions
    /// (`DemandForwardingBridgeSupport.isPermissableDestination`).
    #[must_use]
    pub fn carries(&self, queue: &str) -> bool {
        let named = |list: &[(Loc, String)]| list.iter().any(|(_, text)| destination::means_queue(text, queue));
        if named(&self.excluded) {
            return false;
        }
        named(&self.fixed) || (!self.is_static() && (self.dynamic.is_empty() || named(&self.dynamic)))
    }

    /// Whether only what is listed as `statically-included` crosses.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.settings.bool("staticBridge").unwrap_or(false)
    }

    /// Whether a queue crosses although nobody asks for it.
    #[must_use]
    pub fn always_carries(&self, queue: &str) -> bool {
        self.carries(queue) && self.fixed.iter().any(|(_, text)| destination::means_queue(text, queue))
    }

    /// How many bridges a message may cross, this one included. `None` is without limit.
    #[must_use]
    pub fn message_ttl(&self, network: &Network) -> Option<i64> {
        self.ttl("messageTTL", network.default_message_ttl(self))
    }

    /// How many bridges a subscription may cross, this one included. `None` is without limit.
    #[must_use]
    pub fn consumer_ttl(&self, network: &Network) -> Option<i64> {
        self.ttl("consumerTTL", network.default_ttl(self))
    }

    /// `networkTTL` overwrites the other two whatever the order (reference: `NetworkBridgeConfiguration.setNetworkTTL`).
    fn ttl(&self, own: &str, default: i64) -> Option<i64> {
        let network = self.settings.integer("networkTTL");
        let ttl = network.or(self.settings.integer(own)).unwrap_or(if self.splits_ttl() { 1 } else { default });
        (ttl != -1).then_some(ttl)
    }

    /// What was written about one of the two TTLs: itself, or what overrules it, or the other one, which leaves this at 1.
    #[must_use]
    pub fn ttl_setting(&self, own: &str) -> Option<&Setting> {
        let names = ["networkTTL", own, "messageTTL", "consumerTTL"];
        names.into_iter().find_map(|name| self.settings.find(name))
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

    /// The priority of a consumer right behind this bridge, where the bridge lowers it
    /// (`ConsumerInfo.NETWORK_CONSUMER_PRIORITY`).
    #[must_use]
    pub fn priority_base(&self) -> i64 {
        self.settings.integer("consumerPriorityBase").unwrap_or(-5)
    }

    /// Whether the consumers behind this bridge count as one.
    #[must_use]
    pub fn is_conduit(&self) -> bool {
        self.settings.bool("conduitSubscriptions").unwrap_or(true)
    }
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

#[cfg(test)]
mod tests;
