//! Which requests may have to cross bridges: from any broker that a client lists to where a connector is at home.

use super::Context;
use crate::dialling::shuffles;
use crate::dispatch::requests_of;
use crate::model::{Bridge, BrokerId, Client, Connector, ConnectorId, Model};
use crate::network::{Edge, Ways, node};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// A request's way over one or more bridges, with one client that may send it and one connector that may handle it.
#[derive(Debug, Clone)]
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
    /// The shortest ways of such requests from there, over bridges that the queue may cross.
    ways: Rc<Ways>,
}

impl Crossing<'_> {
    /// The shortest way over bridges that the queue may cross, TTL left aside. Made when it is asked for: all of them
    /// together are as long as the square of the network, or its cube.
    pub(super) fn way(&self) -> Vec<Edge> {
        self.ways.to(self.to).unwrap_or_default()
    }

    /// The bridges of the way from its end to its beginning.
    pub(super) fn backwards(&self) -> impl Iterator<Item = Edge> {
        self.ways.backwards(self.to)
    }
}

/// Every pair of brokers between which requests of a queue may cross, those from one broker one after the other. None
/// while a part of the topology is unread.
pub(super) fn crossings<'a>(context: &Context<'a>) -> impl Iterator<Item = Crossing<'a>> {
    let (model, network) = (context.model, context.network);
    let silent = model.incomplete || network.edges().is_empty();
    let (asked, served) = if silent { Default::default() } else { (asked(model), served(model)) };
    asked.into_iter().flat_map(move |((from, queue), client)| {
        let ways = Rc::new(network.ways_over(from, |edge| carries(model, *edge, queue)));
        let served = ways.reached().into_iter().filter_map(|to| Some((to, *served.get(&(to, queue))?)));
        let crossing = |(to, connector)| Crossing { client, from, connector, to, queue, ways: Rc::clone(&ways) };
        served.map(crossing).collect::<Vec<_>>()
    })
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
