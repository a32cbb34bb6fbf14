//! Which requests may have to cross bridges: from any broker that a client lists to where a connector is at home.

use super::Context;
use crate::dialling::shuffles;
use crate::dispatch::requests_of;
use crate::model::{Bridge, BrokerId, Client, Connector, ConnectorId, Model};
use crate::network::{Edge, node};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A request's way over one or more bridges, with one client that may send it and one connector that may handle it.
#[derive(Debug)]
pub(super) struct Crossing<'a> {
    /// Of several that list the same broker the first.
    pub(super) client: &'a Client,
    /// A broker that the client lists.
    pub(super) from: BrokerId,
    /// Of several at the same broker the first.
    pub(super) connector: &'a Connector,
    /// The broker that the connector lists first.
    pub(super) to: BrokerId,
    /// The queue of its deployment.
    pub(super) queue: &'a str,
    /// The shortest way over bridges that the queue may cross, TTL left aside.
    pub(super) way: Vec<Edge>,
}

/// Every pair of brokers between which requests of a queue may cross. None while a part of the topology is unread.
pub(super) fn crossings<'a>(context: &Context<'a>) -> Vec<Crossing<'a>> {
    let model = context.model;
    if model.incomplete || context.network.edges().is_empty() {
        return Vec::new();
    }
    let served = served(model);
    let mut crossings = Vec::new();
    for ((from, queue), client) in asked(model) {
        let ways = context.network.ways_over(from, |edge| carries(model, *edge, queue));
        for to in ways.reached() {
            let Some(connector) = served.get(&(to, queue)) else { continue };
            let way = ways.to(to).unwrap_or_default();
            crossings.push(Crossing { client, from, connector, to, queue, way });
        }
    }
    crossings
}

/// Whether messages of a queue may cross a bridge at all.
pub(super) fn carries(model: &Model, edge: Edge, queue: &str) -> bool {
    model.bridges.get(edge.bridge.index()).is_some_and(|bridge: &Bridge| bridge.carries(queue))
}

/// The queues that are asked for at each broker, and who asks.
fn asked(model: &Model) -> BTreeMap<(BrokerId, &str), &Client> {
    let queues = Queues::of(model);
    let mut asked = BTreeMap::new();
    for client in model.clients.iter().filter(|client| !client.dialer.damaged) {
        let brokers: Vec<BrokerId> =
            client.dialer.brokers.iter().map(|endpoint| node(model, endpoint.broker)).collect();
        for queue in queues.of_brokers(&brokers) {
            for broker in &brokers {
                asked.entry((*broker, queue)).or_insert(client);
            }
        }
    }
    asked
}

/// Where connectors are at home, by the queue they consume.
fn served(model: &Model) -> HashMap<(BrokerId, &str), &Connector> {
    let mut served = HashMap::new();
    for (id, connector) in (0_u32..).map(ConnectorId).zip(&model.connectors) {
        let Some(queue) = requests_of(model, id).filter(|_| !connector.dialer.damaged) else { continue };
        for home in homes(model, connector) {
            served.entry((home, queue)).or_insert(connector);
        }
    }
    served
}

/// Where a connector is at home: at the first broker of its list, or at all of it where it shuffles.
pub(super) fn homes<'a>(model: &'a Model, connector: &'a Connector) -> impl Iterator<Item = BrokerId> + 'a {
    let count = if shuffles(&connector.dialer) { usize::MAX } else { 1 };
    connector.dialer.brokers.iter().take(count).map(|endpoint| node(model, endpoint.broker))
}

/// Which queues the connectors of a broker consume. A client does not say which queue it sends to: those of the
/// connectors that share a broker with it, or any where none does.
struct Queues<'a> {
    by_broker: HashMap<BrokerId, BTreeSet<&'a str>>,
    all: BTreeSet<&'a str>,
}

impl<'a> Queues<'a> {
    fn of(model: &'a Model) -> Self {
        let mut queues = Queues { by_broker: HashMap::new(), all: BTreeSet::new() };
        for (id, connector) in (0_u32..).map(ConnectorId).zip(&model.connectors) {
            let Some(queue) = requests_of(model, id) else { continue };
            queues.all.insert(queue);
            for endpoint in &connector.dialer.brokers {
                queues.by_broker.entry(node(model, endpoint.broker)).or_default().insert(queue);
            }
        }
        queues
    }

    fn of_brokers(&self, brokers: &[BrokerId]) -> BTreeSet<&'a str> {
        let near: BTreeSet<&str> =
            brokers.iter().filter_map(|broker| self.by_broker.get(broker)).flatten().copied().collect();
        if near.is_empty() { self.all.clone() } else { near }
    }
}
