//! Version 1 of a plan: what connectors were told before TLS, limits, keys and what operators look at had fields.

use serde::Deserialize;

use crate::{Brokers, Limits, LogFormat, Login, Mode, Node, Peer, Product, Requests, Tls};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    topology: String,
    site: String,
    connector: String,
    deployment: Option<Deployment>,
    brokers: Brokers,
    login: Login,
    requests: Requests,
    finesse: Vec<Node>,
    properties: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    name: String,
    mode: Mode,
    connectors: Vec<Peer>,
    sync: String,
}

/// What it did not say is as if nobody had written it into the topology.
impl From<Plan> for crate::Plan {
    fn from(old: Plan) -> Self {
        let Plan { topology, site, connector, deployment, brokers, login, requests, finesse, properties } = old;
        let deployment = deployment.map(|Deployment { name, mode, connectors, sync }| crate::Deployment {
            name,
            mode,
            connectors,
            sync,
            sync_keys: Vec::new(),
        });
        Self {
            topology,
            site,
            connector,
            deployment,
            brokers,
            login,
            tls: Tls::default(),
            requests,
            finesse,
            product: Product::default(),
            limits: Limits::default(),
            admin: None,
            log: LogFormat::default(),
            properties,
        }
    }
}
