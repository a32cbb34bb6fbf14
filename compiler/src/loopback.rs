//! A topology as one machine can run it for a look: an overlay that puts every address on loopback and every store in one folder.

use crate::model::{Broker, BrokerId, Model, Name, Remote, SettingsExt, SiteId, Store, StoreKind};
use std::fmt::Write;

/// Where everything is found.
pub const HOST: &str = "127.0.0.1";
/// Where the simulated Finesse is found: its certificates are for this name.
const FINESSE: &str = "localhost";

/// What the overlay cannot know by itself.
#[derive(Debug)]
pub struct Machine<'a> {
    /// The folder that stores are kept in, without a slash at its end.
    pub stores: &'a str,
    /// A free port for each broker's listeners: by broker, in the order that they were written.
    pub listeners: &'a [Vec<u16>],
    /// The ports of REST and of notifications of each Finesse server, in the model's order.
    pub finesse: &'a [(u16, u16)],
    /// The PEM file of the authority that their certificates come from; none where no connector is to be run.
    pub finesse_roots: Option<&'a str>,
    /// A free port for each connector's operators, in the model's order.
    pub admin: &'a [u16],
}

/// The overlay, as the text of a topology file.
#[must_use]
pub fn overlay(model: &Model, machine: &Machine<'_>) -> String {
    let mut text = String::new();
    for ((id, broker), ports) in (0..).map(BrokerId).zip(&model.brokers).zip(machine.listeners) {
        let name = qualified(model, broker.site, &broker.name);
        put(&mut text, format_args!("override broker {name} {{\n  host = \"{HOST}\""));
        listeners(broker, ports, &mut text);
        if broker.store.as_ref().is_some_and(|store| store.kind == StoreKind::KahaDb) {
            put(&mut text, format_args!("  store kahadb {{ {} }}", store(model, id, machine.stores)));
        }
        put(&mut text, format_args!("}}"));
    }
    for (node, (rest, xmpp)) in model.finesse.iter().zip(machine.finesse) {
        let name = qualified(model, node.site, &node.name);
        put(
            &mut text,
            format_args!("override finesse {name} {{ host = \"{FINESSE}\"; port = {rest}; xmpp-port = {xmpp} }}"),
        );
    }
    let roots = machine.finesse_roots.map(|roots| format!("; finesse-roots = \"{roots}\"")).unwrap_or_default();
    for (connector, port) in model.connectors.iter().zip(machine.admin) {
        let name = qualified(model, connector.dialer.site, &connector.dialer.name);
        put(&mut text, format_args!("override connector {name} {{ admin = \"{HOST}:{port}\"{roots} }}"));
    }
    text
}

/// Names of things are unique at a site only.
fn qualified(model: &Model, site: SiteId, name: &Name) -> String {
    format!("{}.{}", model.site(site).name.value, name.value)
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Nothing can go wrong when text is written into memory.
    let _ = writeln!(text, "{line}");
}

fn listeners(broker: &Broker, ports: &[u16], text: &mut String) {
    for (listener, port) in broker.listeners.iter().zip(ports) {
        // A pushed list names hosts as this machine would resolve them, which is not what it listens on.
        let pushes = listener.settings.find("publishedHostStrategy").is_some();
        let published = if pushes { "; published-host-strategy = \"IPADDRESS\"" } else { "" };
        let name = &listener.name.value;
        put(text, format_args!("  listen {name} {{ port = {port}; host = \"{HOST}\"{published} }}"));
    }
}

/// Members of a pair share a folder; a slave tries for the lock often, so that a take-over takes no 10 s.
fn store(model: &Model, id: BrokerId, stores: &str) -> String {
    match model.broker(id).pair {
        Some(pair) => {
            let name = &model.pair(pair).name.value;
            format!("directory = \"{stores}/{name}\"; lock-acquire-sleep-interval = 500ms")
        }
        None => {
            let broker = model.broker(id);
            format!("directory = \"{stores}/{}\"", qualified(model, broker.site, &broker.name))
        }
    }
}

/// What of a topology needs more than this machine, in words for a person. Without any it can be run.
#[must_use]
pub fn obstacles(model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    for broker in &model.brokers {
        let name = &broker.name.value;
        if broker.store.as_ref().is_some_and(|store: &Store| store.kind == StoreKind::Jdbc) {
            found.push(format!("`{name}` keeps its messages in a database"));
        }
        for listener in &broker.listeners {
            let at = &listener.name.value;
            match &listener.raw {
                Some(_) => found.push(format!("the URI of `{name}`'s listener `{at}` is written by hand")),
                None if is_encrypted(&listener.scheme.value) => {
                    found.push(format!("`{name}`'s listener `{at}` needs a certificate"));
                }
                None => {}
            }
        }
    }
    for bridge in &model.bridges {
        let name = &bridge.name.value;
        if matches!(bridge.to, Remote::Discovery(_)) {
            found.push(format!("bridge `{name}` looks for brokers, and would find those of others"));
        } else if bridge.raw.is_some() {
            found.push(format!("the URI of bridge `{name}` is written by hand"));
        }
    }
    let dialers = model.connectors.iter().map(|connector| &connector.dialer);
    for dialer in dialers.chain(model.clients.iter().map(|client| &client.dialer)).filter(|dialer| dialer.raw.is_some())
    {
        found.push(format!("the URI of `{}` is written by hand", dialer.name.value));
    }
    found
}

/// Names of ActiveMQ's transports within TLS end so or begin so: `ssl`, `nio+ssl`, `wss`, `https`.
fn is_encrypted(scheme: &str) -> bool {
    scheme.contains("ssl") || matches!(scheme, "wss" | "https")
}
