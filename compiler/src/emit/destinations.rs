//! Which queues carry requests, where they cross bridges, and where replies go.

use crate::CheckedModel;
use crate::dispatch::{REPLIES, replies_of};
use crate::model::{BrokerId, Client, Deployment, Model};
use crate::network;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Brokers with their neighbours over bridges, whatever the direction.
type Neighbours = HashMap<BrokerId, BTreeSet<BrokerId>>;

/// The request queues that matter to each broker.
#[derive(Debug)]
pub(super) struct RequestQueues {
    /// By the broker that stands for it (a pair's master): queues of the deployments that may hear of requests there.
    near: HashMap<BrokerId, BTreeSet<String>>,
    /// Likewise: queues where clients' replies lie, those of the usual name by the pattern of all of them.
    replies: HashMap<BrokerId, BTreeSet<String>>,
    neighbours: Neighbours,
}

impl RequestQueues {
    /// Those of a model.
    pub(super) fn of(checked: CheckedModel<'_>) -> Self {
        let model = checked.model();
        let mut neighbours = Neighbours::new();
        for edge in checked.network().edges() {
            neighbours.entry(edge.from).or_default().insert(edge.to);
            neighbours.entry(edge.to).or_default().insert(edge.from);
        }
        let mut near: HashMap<BrokerId, BTreeSet<String>> = HashMap::new();
        for deployment in &model.deployments {
            for broker in around(of_connectors(model, deployment), &neighbours) {
                near.entry(broker).or_default().insert(deployment.requests.clone());
            }
        }
        let mut replies: HashMap<BrokerId, BTreeSet<String>> = HashMap::new();
        for (queue, brokers) in reply_queues(model) {
            for broker in around(brokers, &neighbours).into_iter().filter(|broker| near.contains_key(broker)) {
                replies.entry(broker).or_default().insert(queue.clone());
            }
        }
        Self { near, replies, neighbours }
    }

    /// The queues of requests and of replies that cross a bridge at this broker: names, and patterns of them.
    pub(super) fn crossing(&self, model: &Model, broker: BrokerId) -> impl Iterator<Item = &str> {
        let broker = network::node(model, broker);
        let crosses = self.neighbours.contains_key(&broker);
        let both = [self.near.get(&broker), self.replies.get(&broker)];
        both.into_iter().filter(move |_| crosses).flatten().flatten().map(String::as_str)
    }

    /// The request queues that somebody hears of at a client's brokers.
    pub(super) fn of_client(&self, model: &Model, client: &Client) -> BTreeSet<&str> {
        let brokers = client.dialer.brokers.iter().map(|endpoint| network::node(model, endpoint.broker));
        brokers.filter_map(|broker| self.near.get(&broker)).flatten().map(String::as_str).collect()
    }
}

/// The brokers of a deployment's connectors.
fn of_connectors(model: &Model, deployment: &Deployment) -> BTreeSet<BrokerId> {
    let connectors = deployment.connectors.iter().map(|connector| model.connector(connector.value));
    let listed = connectors.flat_map(|connector| &connector.dialer.brokers);
    listed.map(|endpoint| network::node(model, endpoint.broker)).collect()
}

/// Where clients' fixed queues for replies are consumed.
fn reply_queues(model: &Model) -> BTreeMap<String, BTreeSet<BrokerId>> {
    let mut queues: BTreeMap<String, BTreeSet<BrokerId>> = BTreeMap::new();
    for client in model.clients.iter().filter(|client| client.temporary_replies.is_none()) {
        let queue = replies_of(client);
        let queue = if queue.starts_with(REPLIES) { format!("{REPLIES}>") } else { queue };
        let brokers = client.dialer.brokers.iter().map(|endpoint| network::node(model, endpoint.broker));
        queues.entry(queue).or_default().extend(brokers);
    }
    queues
}

/// These brokers, and those that are bridged with them.
fn around(mut around: BTreeSet<BrokerId>, neighbours: &Neighbours) -> BTreeSet<BrokerId> {
    let mut waiting: Vec<BrokerId> = around.iter().copied().collect();
    while let Some(broker) = waiting.pop() {
        let next = neighbours.get(&broker).into_iter().flatten();
        waiting.extend(next.filter(|next| around.insert(**next)));
    }
    around
}
