//! Which queues carry requests, where they cross bridges, and where replies go.

use crate::CheckedModel;
use crate::model::{BrokerId, Client, Model};
use crate::network;
use std::collections::{BTreeSet, HashMap};

/// The request queues that matter to each broker.
#[derive(Debug)]
pub(super) struct RequestQueues {
    /// By the broker that stands for it (a pair's master): queues of the deployments it can reach over bridges.
    crossing: HashMap<BrokerId, BTreeSet<String>>,
    all: BTreeSet<String>,
}

impl RequestQueues {
    /// Those of a model.
    #[must_use]
    pub(super) fn of(checked: CheckedModel<'_>) -> Self {
        let model = checked.model();
        let network = checked.network();
        let mut bridged: HashMap<BrokerId, BTreeSet<BrokerId>> = HashMap::new();
        for edge in network.edges() {
            bridged.entry(edge.from).or_default().insert(edge.to);
            bridged.entry(edge.to).or_default().insert(edge.from);
        }
        let mut crossing: HashMap<BrokerId, BTreeSet<String>> = HashMap::new();
        for deployment in &model.deployments {
            for broker in reached(model, deployment, &bridged) {
                crossing.entry(broker).or_default().insert(deployment.requests.clone());
            }
        }
        Self { crossing, all: model.deployments.iter().map(|deployment| deployment.requests.clone()).collect() }
    }

    /// The request queues that cross a bridge at this broker.
    pub(super) fn crossing(&self, model: &Model, broker: BrokerId) -> impl Iterator<Item = &str> {
        self.crossing.get(&network::node(model, broker)).into_iter().flatten().map(String::as_str)
    }

    /// Every request queue of the topology.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }
}

/// The bridged brokers from which a connector of the deployment can be reached.
fn reached(
    model: &Model,
    deployment: &crate::model::Deployment,
    bridged: &HashMap<BrokerId, BTreeSet<BrokerId>>,
) -> BTreeSet<BrokerId> {
    let connectors = deployment.connectors.iter().map(|connector| model.connector(connector.value));
    let starts = connectors
        .flat_map(|connector| &connector.dialer.brokers)
        .map(|endpoint| network::node(model, endpoint.broker));
    let mut waiting: Vec<BrokerId> = starts.filter(|broker| bridged.contains_key(broker)).collect();
    let mut reached: BTreeSet<BrokerId> = waiting.iter().copied().collect();
    while let Some(broker) = waiting.pop() {
        for next in bridged.get(&broker).into_iter().flatten() {
            if reached.insert(*next) {
                waiting.push(*next);
            }
        }
    }
    reached
}

/// The queue of a client's own that replies go to.
#[must_use]
pub(super) fn reply_queue(client: &Client) -> String {
    client
        .reply_queue
        .as_ref()
        .map_or_else(|| format!("GC.REPLY.{}", client.dialer.name.value), |set| set.value.clone())
}
