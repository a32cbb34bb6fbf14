//! What topoc writes: one emitter per artifact. An emitter takes a checked model, cannot fail, and gives the same bytes for
//! the same model. How the formats are spelled is in `write`.

mod activemq_xml;
mod client_properties;
mod connector_properties;
mod destinations;
mod hand_written;
mod plan;
mod systemd;
mod uris;
pub mod write;

use crate::CheckedModel;
use crate::model::{BrokerId, SiteId};
use rayon::prelude::*;
use topoc_plan::Plan;

pub use systemd::systemd;

/// A file that topoc writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its place below the output folder, with `/`: `site-1/amq-1/activemq.xml`.
    pub path: String,
    /// The site it belongs to.
    pub site: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Every artifact of a topology, by path.
#[must_use]
pub fn artifacts(checked: CheckedModel<'_>) -> Vec<Artifact> {
    let model = checked.model();
    let surroundings = uris::Surroundings::of(checked);
    let queues = destinations::RequestQueues::of(checked);
    let brokers = model.brokers.par_iter().enumerate().map(|(index, broker)| {
        let bytes = activemq_xml::write(checked, &surroundings, &queues, BrokerId(small(index)));
        artifact(checked, broker.site, &broker.name.value, "activemq.xml", bytes)
    });
    let connectors = model.connectors.par_iter().map(|connector| {
        let bytes = connector_properties::write(checked, &surroundings, connector);
        artifact(checked, connector.dialer.site, &connector.dialer.name.value, "connector.properties", bytes)
    });
    let clients = model.clients.par_iter().map(|client| {
        let bytes = client_properties::write(checked, &surroundings, &queues, client);
        artifact(checked, client.dialer.site, &client.dialer.name.value, "client.properties", bytes)
    });
    let mut artifacts: Vec<Artifact> = brokers.chain(connectors).chain(clients).collect();
    artifacts.par_sort_unstable_by(|a, b| a.path.cmp(&b.path));
    artifacts
}

/// The plan of every connector, in the order of the model.
#[must_use]
pub fn plans(checked: CheckedModel<'_>) -> Vec<Plan> {
    let surroundings = uris::Surroundings::of(checked);
    checked.model().connectors.par_iter().map(|connector| plan::of(checked, &surroundings, connector)).collect()
}

/// How a client reaches its brokers, as `client.properties` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The URI that it dials.
    pub uri: String,
    /// The queues that its requests may go to: one for each deployment that hears of them.
    pub requests: Vec<String>,
}

/// The access of every client, in the order of the model.
#[must_use]
pub fn accesses(checked: CheckedModel<'_>) -> Vec<Access> {
    let surroundings = uris::Surroundings::of(checked);
    let queues = destinations::RequestQueues::of(checked);
    let access = |client| Access {
        uri: uris::client(checked.model(), &surroundings, client).0,
        requests: queues.of_client(checked.model(), client).into_iter().map(str::to_owned).collect(),
    };
    checked.model().clients.iter().map(access).collect()
}

fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn artifact(checked: CheckedModel<'_>, site: SiteId, name: &str, file: &str, text: String) -> Artifact {
    let site = checked.model().site(site).name.value.clone();
    Artifact { path: format!("{site}/{name}/{file}"), site, bytes: text.into_bytes() }
}
