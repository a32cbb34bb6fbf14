//! Which queues carry requests, where they cross bridges, and where replies go.

use crate::CheckedModel;
use crate::model::{BrokerId, Client, Deployment, Model};
use crate::network;
use std::collections::{BTreeSet, HashMap};

/// Brokers with their neighbours over bridges, whatever the direction.
type Neighbours = HashMap<BrokerId, BTreeSet<BrokerId>>;

/// The request queues that matter to each broker.
#[derive(Debug)]
pub(super) struct RequestQueues {
    /// By the broker that stands for it (a pair's master): queues of the deployments that may hear of requests there.
    near: HashMap<BrokerId, BTreeSet<String>>,
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
            for broker in around(model, deployment, &neighbours) {
                near.entry(broker).or_default().insert(deployment.requests.clone());
            }
        }
        Self { near, neighbours }
    }

    /// The request queues that cross a bridge at this broker.
    pub(super) fn crossing(&self, model: &Model, broker: BrokerId) -> impl Iterator<Item = &str> {
        let broker = network::node(model, broker);
        self.near
            .get(&broker)
            .filter(|_| self.neighbours.contains_key(&broker))
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// The request queues that somebody hears of at a client's brokers.
    pub(super) fn of_client(&self, model: &Model, client: &Client) -> BTreeSet<&str> {
        let brokers = client.dialer.brokers.iter().map(|endpoint| network::node(model, endpoint.broker));
        brokers.filter_map(|broker| self.near.get(&broker)).flatten().map(String::as_str).collect()
    }
}

/// The brokers of a deployment's connectors, and those that are bridged with them.
fn around(model: &Model, deployment: &Deployment, neighbours: &Neighbours) -> BTreeSet<BrokerId> {
    let connectors = deployment.connectors.iter().map(|connector| model.connector(connector.value));
    let listed = connectors.flat_map(|connector| &connector.dialer.brokers);
    let mut around: BTreeSet<BrokerId> = listed.map(|endpoint| network::node(model, endpoint.broker)).collect();
    let mut waiting: Vec<BrokerId> = around.iter().copied().collect();
    while let Some(broker) = waiting.pop() {
        let next = neighbours.get(&broker).into_iter().flatten();
        waiting.extend(next.filter(|next| around.insert(**next)));
    }
    around
}
