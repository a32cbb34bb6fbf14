//! The URIs that topoc writes: where a listener binds, whom a client dials, what a bridge follows.

use crate::CheckedModel;
use crate::addresses::Addresses;
use crate::dialling::{self, DialledAddress, Dialling};
use crate::model::{
    Bridge, BridgeId, Broker, BrokerId, Client, Dialer, Listener, Model, RawUri, Remote, Setting, SiteId,
};
use crate::options;
use crate::release::{self, Release};
use crate::uri::{Address, Composite, Target, Uri};
use std::collections::{HashMap, HashSet};
use topoc_plan::properties::FAIL_BACK_DELAY;

/// How long a dead connection may go unnoticed, in milliseconds, in every URI that topoc writes for those who connect.
/// With ActiveMQ's 30 s a client's first reply came 69 s after packets vanished, with this after 38 s (seen on 6.3.1).
const INACTIVITY: &str = "10000";
/// The misspelling is ActiveMQ's own (`AbstractInactivityMonitor.setMaxInactivityDurationInitalDelay`).
const INACTIVITY_OPTIONS: [&str; 2] =
    ["wireFormat.maxInactivityDuration", "wireFormat.maxInactivityDurationInitalDelay"];

/// What URIs depend on beyond the thing they are written for.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// Brokers that push lists of brokers to their clients.
    pushing: HashSet<BrokerId>,
    /// The bridges that are written in a broker's file.
    bridges: HashMap<BrokerId, Vec<BridgeId>>,
    /// Who listens where, for URIs that are written by hand.
    pub(super) addresses: Addresses,
}

impl Surroundings {
    /// Those of a model.
    pub(super) fn of(checked: CheckedModel<'_>) -> Self {
        let brokers = checked.model().brokers.iter().zip(0..);
        let pushes = |broker: &Broker| broker.listeners.iter().any(dialling::pushes_list);
        let mut bridges: HashMap<BrokerId, Vec<BridgeId>> = HashMap::new();
        for (bridge, index) in checked.model().bridges.iter().zip(0..) {
            for member in checked.model().members(&bridge.from) {
                bridges.entry(member).or_default().push(BridgeId(index));
            }
        }
        Self {
            pushing: brokers.filter(|(broker, _)| pushes(broker)).map(|(_, index)| BrokerId(index)).collect(),
            bridges,
            addresses: Addresses::of(checked.model()),
        }
    }

    /// The bridges that are written in this broker's file.
    pub(super) fn bridges(&self, broker: BrokerId) -> impl Iterator<Item = BridgeId> {
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
pub(super) fn listener(listener: &Listener) -> String {
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
pub(super) fn is_uri_option(setting: &Setting) -> bool {
    !matches!(setting.place, crate::language::Place::Attribute(_))
}

/// Addresses as they are written: those whose port is known.
fn addresses<'d>(dialled: impl IntoIterator<Item = &'d DialledAddress>, options: &[Setting]) -> Vec<Address> {
    let known = dialled.into_iter().filter_map(|address| Some((address, address.port?)));
    known.map(|(address, port)| with_inactivity(Address::new(&address.scheme, &address.host, port), options)).collect()
}

fn with_inactivity(address: Address, options: &[Setting]) -> Address {
    let options =
        INACTIVITY_OPTIONS.iter().fold(Options::by_hand(options), |options, name| options.unless_set(name, INACTIVITY));
    options.sorted().into_iter().fold(address, |address, (name, value)| address.option(name, value))
}

/// `host:port` of every broker that a connector lists, with the scheme where it is not tcp.
pub(super) fn hosts(dialling: &Dialling<'_>) -> Vec<String> {
    let spelled =
        |scheme: &str, authority: String| if scheme == "tcp" { authority } else { format!("{scheme}://{authority}") };
    let Some((raw, uri)) = dialling.uri() else {
        return dialling.addresses.iter().map(|address| spelled(&address.scheme, address.authority())).collect();
    };
    let text = &raw.text.value;
    let listed = uri.addresses().into_iter();
    listed.filter_map(|address| Some(spelled(address.scheme.text(text), address.authority(text)?))).collect()
}

/// The options of a failover URI that topoc writes as a whole, without those that only repeat ActiveMQ's default.
fn failover_options(surroundings: &Surroundings, model: &Model, dialling: &Dialling<'_>) -> Vec<(String, String)> {
    let mut options = Options(by_fields(dialling));
    if !dialling.shuffles() {
        options = options.unless_set("randomize", "false");
    }
    if dialling.goes_back() {
        options = options.unless_set("priorityBackup", "true").unless_set("maxReconnectDelay", FAIL_BACK_DELAY);
    }
    let ordered = !dialling.shuffles() && dialling.dialer.brokers.len() > 1;
    if ordered && surroundings.pushes_to(model, dialling.dialer) {
        // Lists that a broker pushes are tried before the client's own order.
        options = options.unless_set("updateURIsSupported", "false");
    }
    let differs =
        |(name, value): &(String, String)| options::failover_option(name).is_none_or(|option| option.default != value);
    let mut sorted = options.sorted();
    sorted.retain(differs);
    sorted
}

fn by_fields(dialling: &Dialling<'_>) -> Vec<(String, String)> {
    dialling.by_fields().map(|option| (option.name.clone().into_owned(), option.value.clone())).collect()
}

/// A raw URI with what fields beside it add. Its text stays as it is where there is nothing to add.
fn with_added(raw: &RawUri, added: Vec<(String, String)>) -> String {
    let text = &raw.text.value;
    let Ok(uri) = &raw.uri else { return text.clone() };
    if added.iter().all(|(name, _)| uri.find_option(text, name).is_some()) {
        return text.clone();
    }
    target_with_added(text, uri, added).to_string()
}

fn target_with_added(text: &str, uri: &Uri, added: Vec<(String, String)>) -> Target {
    let missing = added.into_iter().filter(|(name, _)| uri.find_option(text, name).is_none());
    match uri.to_target(text) {
        Target::Address(address) => missing.fold(address, |uri, (name, value)| uri.option(name, value)).into(),
        Target::Composite(list) => missing.fold(list, |uri, (name, value)| uri.option(name, value)).into(),
    }
}

/// What a connector dials; none where a URI that was written by hand cannot be read.
pub(super) fn connector(model: &Model, surroundings: &Surroundings, dialling: &Dialling<'_>) -> Option<Target> {
    if dialling.dialer.raw.is_some() {
        let (raw, uri) = dialling.uri()?;
        let text = &raw.text.value;
        let added = if dialling::is_failover(uri, text) { Options(by_fields(dialling)).sorted() } else { Vec::new() };
        return Some(target_with_added(text, uri, added));
    }
    let options = failover_options(surroundings, model, dialling);
    let list = Composite::new("failover").members(addresses(&dialling.addresses, &dialling.dialer.options));
    Some(options.iter().fold(list, |list, (name, value)| list.option(name, value)).into())
}

/// The URI of a client, and the options that topoc wrote into it: none into one that is written by hand.
pub(super) fn client(model: &Model, surroundings: &Surroundings, client: &Client) -> (String, Vec<(String, String)>) {
    let dialling = Dialling::of_client(model, &surroundings.addresses, client);
    if let Some(raw) = &dialling.dialer.raw {
        // A single address takes no option of a list.
        let is_list = dialling.uri().is_some_and(|(raw, uri)| dialling::is_failover(uri, &raw.text.value));
        let added = if is_list { Options(by_fields(&dialling)).sorted() } else { Vec::new() };
        return (with_added(raw, added), Vec::new());
    }
    let options = failover_options(surroundings, model, &dialling);
    let list = Composite::new("failover").members(addresses(&dialling.addresses, &dialling.dialer.options));
    let list = options.iter().fold(list, |list, (name, value)| list.option(name, value));
    (list.to_string(), options)
}

/// The discovery URI of a bridge, as the file of a broker of `from` has it.
pub(super) fn bridge(model: &Model, bridge: &Bridge, from: SiteId) -> String {
    if let Some(raw) = &bridge.raw {
        return raw.text.value.clone();
    }
    let far = match &bridge.to {
        Remote::Discovery(raw) => return raw.text.value.clone(),
        Remote::Broker(far) => far,
    };
    let dialled: Vec<DialledAddress> = dialling::reached(model, from, far);
    let members = addresses(&dialled, &bridge.options);
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
