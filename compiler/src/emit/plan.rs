//! The plan of a connector: what its program is told, of which `connector.properties` has only what the document has names
//! for.

use super::uris::{self, Surroundings};
use crate::CheckedModel;
use crate::dialling::Dialling;
use crate::model::{self, Connector, Dialer, Finesse, Model, PropertyValue, Set};
use crate::uri::{self, Target};
use crate::value;
use topoc_plan::{
    Address, Admin, Brokers, Deployment, Identity, Limits, Listed, LogFormat, Login, Mode, Node, Notifications,
    Options, Peer, Plan, Product, REST_PORT, Requests, Secret, Tls, properties,
};

/// What the names of topics begin with on which the connectors of a deployment keep each other informed.
const SYNC: &str = "GC.SYNC.";

pub(super) fn of(checked: CheckedModel<'_>, surroundings: &Surroundings, connector: &Connector) -> Plan {
    let (model, dialer) = (checked.model(), &connector.dialer);
    let dialling = Dialling::of_connector(model, &surroundings.addresses, connector);
    Plan {
        topology: model.topology.name.clone(),
        site: model.site(dialer.site).name.value.clone(),
        connector: dialer.name.value.clone(),
        deployment: deployment(model, connector),
        brokers: brokers(model, surroundings, &dialling),
        login: Login {
            user: dialer.user.as_ref().map(|user| user.value.clone()),
            password: dialer.password.as_ref().and_then(|password| secret(&password.value)),
        },
        tls: tls(connector),
        requests: requests(model, connector),
        finesse: nodes(model, connector).map(node).collect(),
        product: product(model, connector),
        limits: limits(connector),
        admin: connector.admin.as_ref().map(|address| Admin {
            address: address.value,
            token: connector.admin_token.as_ref().and_then(|token| secret(&token.value)),
        }),
        log: match connector.log_format.as_ref().map(|format| format.value.as_str()) {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Human,
        },
        properties: known_properties(dialer),
    }
}

fn deployment(model: &Model, connector: &Connector) -> Option<Deployment> {
    let deployment = &model.deployments[connector.deployment?.0.index()];
    let peer = |connector: &Connector| Peer {
        site: model.site(connector.dialer.site).name.value.clone(),
        connector: connector.dialer.name.value.clone(),
    };
    let name = deployment.name.value.clone();
    Some(Deployment {
        mode: match deployment.mode {
            model::Mode::Simplex => Mode::Simplex,
            model::Mode::ActivePassive => Mode::ActivePassive,
            model::Mode::ActiveActive => Mode::ActiveActive,
        },
        connectors: deployment.connectors.iter().map(|one| peer(model.connector(one.value))).collect(),
        sync: format!("{SYNC}{name}"),
        sync_keys: [&deployment.sync_key, &deployment.other_sync_key]
            .into_iter()
            .flatten()
            .filter_map(|key| secret(&key.value))
            .collect(),
        name,
    })
}

fn requests(model: &Model, connector: &Connector) -> Requests {
    let deployment = connector.deployment.map(|(id, _)| &model.deployments[id.index()]);
    let queue = deployment.map_or(model::DEFAULT_REQUESTS, |deployment| &deployment.requests);
    // `priority-out-of-range` and the field's own limits let no other numbers through, unless somebody has switched the rule
    // off.
    let priority = connector.effective_priority().clamp(i8::MIN.into(), i8::MAX.into());
    Requests {
        queue: queue.to_owned(),
        priority: i8::try_from(priority).unwrap_or(i8::MAX),
        prefetch: connector.prefetch.as_ref().and_then(|prefetch| u16::try_from(prefetch.value).ok()),
        exclusive: connector.exclusive.as_ref().is_some_and(|exclusive| exclusive.value),
        selector: connector.selector.as_ref().map(|selector| selector.value.clone()),
    }
}

fn brokers(model: &Model, surroundings: &Surroundings, dialling: &Dialling<'_>) -> Brokers {
    let target = uris::connector(model, surroundings, dialling);
    let listed = target.as_ref().and_then(|target| match target {
        Target::Address(alone) => Some(Listed { addresses: vec![address(alone)?], failover: None }),
        Target::Composite(list) if list.scheme == "failover" => {
            let addresses = list.members.iter().map(|member| match member {
                Target::Address(one) => address(one),
                Target::Composite(_) => None,
            });
            Some(Listed { addresses: addresses.collect::<Option<_>>()?, failover: Some(options(&list.options)) })
        }
        Target::Composite(_) => None,
    });
    let whole = || target.as_ref().map(ToString::to_string).unwrap_or_default();
    // What stands for something else is filled in before the whole is read.
    listed.filter(|listed| !listed.to_string().contains("${")).map_or_else(|| Brokers::Uri(whole()), Brokers::Listed)
}

fn address(from: &uri::Address) -> Option<Address> {
    let host = from.host.trim_start_matches('[').trim_end_matches(']');
    let port = from.port.as_ref()?.parse().ok()?;
    Some(Address { scheme: from.scheme.clone(), host: host.to_owned(), port, options: options(&from.options) })
}

/// Of two of one name the last counts, as in ActiveMQ.
fn options(from: &[(String, String)]) -> Options {
    from.iter().cloned().collect()
}

/// A certificate without its key, which `certificate-without-key` refuses, is as none.
fn tls(connector: &Connector) -> Tls {
    let model::Tls { broker_roots, broker_certificate, broker_private_key, finesse_roots } = &connector.tls;
    let path = |file: &Option<Set<String>>| file.as_ref().map(|file| file.value.clone());
    let key = broker_private_key.as_ref().and_then(|key| secret(&key.value));
    Tls {
        broker_roots: path(broker_roots),
        broker_identity: path(broker_certificate).zip(key).map(|(certificate, key)| Identity { certificate, key }),
        finesse_roots: path(finesse_roots),
    }
}

fn limits(connector: &Connector) -> Limits {
    let number = |set: &Option<Set<i64>>| set.as_ref().and_then(|set| u32::try_from(set.value).ok());
    let model::Takes { requests, requests_of_agent, agents } = &connector.takes;
    Limits { requests: number(requests), requests_of_agent: number(requests_of_agent), agents: number(agents) }
}

fn nodes<'m>(model: &'m Model, connector: &'m Connector) -> impl Iterator<Item = &'m Finesse> {
    connector.finesse.iter().map(|node| &model.finesse[node.value.index()])
}

/// That of the first node; `mixed-finesse-deployments` refuses others beside it.
fn product(model: &Model, connector: &Connector) -> Product {
    let first = nodes(model, connector).next().and_then(|node| node.deployment.as_ref());
    match first.map(|deployment| deployment.value.as_str()) {
        Some("uccx") => Product::Uccx,
        _ => Product::Ucce,
    }
}

fn node(from: &Finesse) -> Node {
    let notifications = match from.xmpp.as_ref().map(|set| set.value.as_str()) {
        Some("websocket") => Notifications::Websocket,
        Some("bosh") => Notifications::Bosh,
        _ => Notifications::Tcp,
    };
    Node {
        host: from.host.value.clone(),
        rest_port: from.port.as_ref().map_or(REST_PORT, |port| port.value),
        notifications,
        notifications_port: from.xmpp_port.as_ref().map_or(notifications.default_port(), |port| port.value),
    }
}

fn secret(from: &value::Secret) -> Option<Secret> {
    match from {
        value::Secret::Env(name) => Some(Secret::Env(name.clone())),
        value::Secret::File(path) => Some(Secret::File(path.clone())),
        // Its text was never kept.
        value::Secret::Literal => None,
    }
}

/// The others have no meaning to the program, and may be anything.
fn known_properties(dialer: &Dialer) -> Vec<(String, String)> {
    let known = dialer.properties.iter().filter(|(name, _)| properties::known(&name.value).is_some());
    let texts = known.filter_map(|(name, value)| match value {
        PropertyValue::Text(text) => Some((name.value.clone(), text.value.clone())),
        PropertyValue::Secret(_) => None,
    });
    texts.collect()
}
