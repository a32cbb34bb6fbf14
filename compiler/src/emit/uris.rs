//! The URIs that topoc writes: where a listener binds, whom a client dials, what a bridge follows.

use crate::CheckedModel;
use crate::model::{
    Bridge, BridgeId, Broker, BrokerId, Client, Connector, Dialer, Endpoint, Listener, Model, RawUri, Remote, Setting,
    SettingsExt, SiteId,
};
use crate::options::{self, Protocol};
use crate::release::{self, Release};
use crate::uri::{Address, Composite, Target};
use std::collections::{HashMap, HashSet};

/// How long a dead connection may go unnoticed, in milliseconds, in every URI that topoc writes for those who connect.
/// With ActiveMQ's 30 s a client's first reply came 69 s after packets vanished, with this after 38 s (seen on 6.3.1).
const INACTIVITY: &str = "10000";
/// The misspelling is ActiveMQ's own (`AbstractInactivityMonitor.setMaxInactivityDurationInitalDelay`).
const INACTIVITY_OPTIONS: [&str; 2] =
    ["wireFormat.maxInactivityDuration", "wireFormat.maxInactivityDurationInitalDelay"];
/// The longest wait between two looks for the first broker, in milliseconds, where a client goes back to it. ActiveMQ's
/// 30 s made the return take up to 30 s, this less than 1 s (seen on 5.17.2).
const FAIL_BACK_DELAY: &str = "500";

/// What URIs depend on beyond the thing they are written for.
#[derive(Debug)]
pub struct Surroundings {
    /// Brokers that push lists of brokers to their clients.
    pushing: HashSet<BrokerId>,
    /// The bridges that are written in a broker's file.
    bridges: HashMap<BrokerId, Vec<BridgeId>>,
}

impl Surroundings {
    /// Those of a model.
    #[must_use]
    pub fn of(checked: CheckedModel<'_>) -> Self {
        let brokers = checked.model().brokers.iter().zip(0..);
        let pushes = |broker: &Broker| {
            broker.listeners.iter().any(|listener| listener.settings.bool("updateClusterClients") == Some(true))
        };
        let mut bridges: HashMap<BrokerId, Vec<BridgeId>> = HashMap::new();
        for (bridge, index) in checked.model().bridges.iter().zip(0..) {
            for member in checked.model().members(&bridge.from) {
                bridges.entry(member).or_default().push(BridgeId(index));
            }
        }
        Self {
            pushing: brokers.filter(|(broker, _)| pushes(broker)).map(|(_, index)| BrokerId(index)).collect(),
            bridges,
        }
    }

    /// The bridges that are written in this broker's file.
    pub fn bridges(&self, broker: BrokerId) -> impl Iterator<Item = BridgeId> {
        self.bridges.get(&broker).into_iter().flatten().copied()
    }

    fn pushes_to(&self, model: &Model, dialer: &Dialer) -> bool {
        dialer.brokers.iter().flat_map(|endpoint| model.members(endpoint)).any(|broker| self.pushing.contains(&broker))
    }
}

/// Options of a URI, each once: what is set by hand comes before what topoc adds.
#[derive(Debug, Default)]
struct Options(Vec<(String, String)>);

impl Options {
    fn by_hand(settings: &[Setting]) -> Self {
        Self(settings.iter().map(|setting| (setting.real.clone().into_owned(), setting.value.to_string())).collect())
    }

    fn unless_set(mut self, name: &str, value: &str) -> Self {
        if !self.0.iter().any(|(known, _)| options::same_name(known, name)) {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    fn sorted(mut self) -> Vec<(String, String)> {
        self.0.sort();
        self.0
    }
}

/// The URI that a listener binds, as its `transportConnector` has it.
#[must_use]
pub fn listener(listener: &Listener) -> String {
    let settings = listener.settings.iter().filter(|setting| is_uri_option(setting)).cloned().collect::<Vec<_>>();
    let options = Options::by_hand(&settings).sorted();
    if let Some(raw) = &listener.raw {
        return with_added(raw, options);
    }
    let Some(bind) = &listener.bind else { return String::new() };
    let address = Address::new(&listener.scheme.value, &bind.host, bind.port.value);
    options.into_iter().fold(address, |address, (name, value)| address.option(name, value)).to_string()
}

/// Whether a listener's setting goes into its URI rather than into an attribute.
#[must_use]
pub fn is_uri_option(setting: &Setting) -> bool {
    !matches!(setting.place, crate::language::Place::Attribute(_))
}

/// The listener of a broker that OpenWire clients connect to: the one that is named, else the first that speaks it.
#[must_use]
pub fn openwire_listener(broker: &Broker, named: Option<usize>) -> Option<&Listener> {
    let speaks = |listener: &&Listener| {
        let scheme = options::listener_scheme(&listener.scheme.value);
        scheme.is_some_and(|scheme| matches!(scheme.protocol, Protocol::OpenWire | Protocol::Auto | Protocol::Http))
    };
    match named {
        Some(index) => broker.listeners.get(index),
        None => broker.listeners.iter().find(speaks),
    }
}

/// How clients dial a listener of this scheme.
fn client_scheme(scheme: &str) -> &'static str {
    match scheme {
        "https" => "https",
        "http" => "http",
        "udp" => "udp",
        scheme if options::listener_scheme(scheme).is_some_and(|known| known.tls) => "ssl",
        _ => "tcp",
    }
}

/// Scheme, host and port by which `from` reaches a broker; `None` where it has no listener to reach.
#[must_use]
pub fn reach(
    model: &Model,
    broker: BrokerId,
    named: Option<usize>,
    from: SiteId,
) -> Option<(&'static str, String, u16)> {
    let broker = model.broker(broker);
    let listener = openwire_listener(broker, named)?;
    let scheme = client_scheme(&listener.scheme.value);
    if let Some(address) = listener.addresses.iter().find(|address| address.from == from) {
        let (host, port) = address.address.value.rsplit_once(':')?;
        return Some((scheme, host.to_owned(), port.parse().ok()?));
    }
    Some((scheme, broker.host.value.clone(), listener.bind.as_ref()?.port.value))
}

/// The addresses of what a client, connector or bridge lists, in order; a pair gives two.
fn addresses(model: &Model, endpoints: &[&Endpoint], from: SiteId, options: &[Setting]) -> Vec<Address> {
    let members = endpoints.iter().flat_map(|endpoint| {
        model
            .members(endpoint)
            .into_iter()
            .map(|broker| (broker, endpoint.listener.filter(|_| broker == endpoint.broker)))
    });
    let reached = members.filter_map(|(broker, named)| reach(model, broker, named, from));
    reached.map(|(scheme, host, port)| with_inactivity(Address::new(scheme, &host, port), options)).collect()
}

fn with_inactivity(address: Address, options: &[Setting]) -> Address {
    let options =
        INACTIVITY_OPTIONS.iter().fold(Options::by_hand(options), |options, name| options.unless_set(name, INACTIVITY));
    options.sorted().into_iter().fold(address, |address, (name, value)| address.option(name, value))
}

/// `host:port` of every broker that a connector lists, with the scheme where it is not tcp.
#[must_use]
pub fn hosts(model: &Model, dialer: &Dialer) -> Vec<String> {
    if let Some(raw) = &dialer.raw {
        let addresses = raw.uri.as_ref().map(crate::uri::Uri::addresses).unwrap_or_default();
        return addresses.into_iter().filter_map(|address| address.authority(&raw.text.value)).collect();
    }
    let brokers = dialer.brokers.iter().flat_map(|endpoint| {
        model.members(endpoint).into_iter().filter_map(|broker| reach(model, broker, endpoint.listener, dialer.site))
    });
    brokers
        .map(
            |(scheme, host, port)| {
                if scheme == "tcp" { format!("{host}:{port}") } else { format!("{scheme}://{host}:{port}") }
            },
        )
        .collect()
}

/// Whether a client or connector goes back to its first broker.
fn failover_options(
    surroundings: &Surroundings,
    model: &Model,
    dialer: &Dialer,
    goes_back: bool,
) -> Vec<(String, String)> {
    let shuffles = dialer.shuffles();
    let mut options = Options::by_hand(&dialer.failover);
    options.0.retain(|(name, _)| name != "randomize" && name != "priorityBackup");
    if !shuffles {
        options = options.unless_set("randomize", "false");
    }
    if goes_back {
        options = options.unless_set("priorityBackup", "true").unless_set("maxReconnectDelay", FAIL_BACK_DELAY);
    }
    if let Some(timeout) = &dialer.timeout {
        options = options.unless_set("timeout", &timeout.value.to_string());
    }
    if !shuffles && dialer.brokers.len() > 1 && surroundings.pushes_to(model, dialer) {
        // Lists that a broker pushes are tried before the client's own order.
        options = options.unless_set("updateURIsSupported", "false");
    }
    let differs =
        |(name, value): &(String, String)| options::failover_option(name).is_none_or(|option| option.default != value);
    let mut sorted = options.sorted();
    sorted.retain(differs);
    sorted
}

/// A raw URI with what fields beside it add. Its text stays as it is where there is nothing to add.
fn with_added(raw: &RawUri, added: Vec<(String, String)>) -> String {
    let text = &raw.text.value;
    let Ok(uri) = &raw.uri else { return text.clone() };
    let mut missing = added.into_iter().filter(|(name, _)| uri.find_option(text, name).is_none()).peekable();
    if missing.peek().is_none() {
        return text.clone();
    }
    match uri.to_target(text) {
        Target::Address(address) => missing.fold(address, |uri, (name, value)| uri.option(name, value)).to_string(),
        Target::Composite(list) => missing.fold(list, |uri, (name, value)| uri.option(name, value)).to_string(),
    }
}

/// The failover options that are written in fields, for a list that is written by hand: a single address takes none.
fn beside_raw(raw: &RawUri, dialer: &Dialer, goes_back: Option<bool>) -> Vec<(String, String)> {
    let is_list = raw.uri.as_ref().is_ok_and(|uri| !uri.members().is_empty());
    if !is_list {
        return Vec::new();
    }
    let mut options = Options::default();
    let fields = [
        ("randomize", dialer.randomize.as_ref().map(|set| set.value.to_string())),
        ("priorityBackup", goes_back.map(|value| value.to_string())),
        ("timeout", dialer.timeout.as_ref().map(|set| set.value.to_string())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            options = options.unless_set(name, &value);
        }
    }
    for (name, value) in Options::by_hand(&dialer.failover).0 {
        options = options.unless_set(&name, &value);
    }
    options.sorted()
}

fn failover(model: &Model, dialer: &Dialer, goes_back: Option<bool>, options: Vec<(String, String)>) -> String {
    if let Some(raw) = &dialer.raw {
        return with_added(raw, beside_raw(raw, dialer, goes_back));
    }
    let endpoints: Vec<&Endpoint> = dialer.brokers.iter().collect();
    let members = addresses(model, &endpoints, dialer.site, &dialer.options);
    let composite = Composite::new("failover").members(members);
    options.into_iter().fold(composite, |composite, (name, value)| composite.option(name, value)).to_string()
}

/// The failover URI of a client, and its options in order.
#[must_use]
pub fn client(model: &Model, surroundings: &Surroundings, client: &Client) -> (String, Vec<(String, String)>) {
    let by_option = client.dialer.failover.bool("priorityBackup");
    let goes_back = client.prefer_first.is_some() || by_option == Some(true);
    let options = failover_options(surroundings, model, &client.dialer, goes_back);
    let written = client.prefer_first.map(|_| true);
    (failover(model, &client.dialer, written, options.clone()), options)
}

/// The failover URI of a connector.
#[must_use]
pub fn connector(model: &Model, surroundings: &Surroundings, connector: &Connector) -> String {
    let options = failover_options(surroundings, model, &connector.dialer, connector.goes_back());
    failover(model, &connector.dialer, connector.priority_backup.as_ref().map(|set| set.value), options)
}

/// The discovery URI of a bridge, as the file of a broker of `from` has it.
#[must_use]
pub fn bridge(model: &Model, bridge: &Bridge, from: SiteId) -> String {
    if let Some(raw) = &bridge.raw {
        return raw.text.value.clone();
    }
    let far = match &bridge.to {
        Remote::Discovery(raw) => return raw.text.value.clone(),
        Remote::Broker(far) => far,
    };
    let members = addresses(model, &[far], from, &bridge.options);
    if far.pair.is_none() {
        return Composite::new("static").members(members).to_string();
    }
    pair_bridge(members, model.release())
}

/// `masterslave:` from 5.6 on. Before, failover with one attempt, as 003_6ccfd946947d2646.txt says: there 0 meant for ever.
fn pair_bridge(members: Vec<Address>, release: Release) -> String {
    if release::has_masterslave_discovery(release) {
        return Composite::new("masterslave").members(members).to_string();
    }
    let failover =
        Composite::new("failover").members(members).option("randomize", "false").option("maxReconnectAttempts", "1");
    format!("static:{failover}")
}
