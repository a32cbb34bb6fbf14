//! Every option that ActiveMQ takes in a URI, as tables: name, type, default, releases.
//!
//! Sources: ActiveMQ's own setters at every tag from 5.6.0 to 6.3.1, since an option is whatever has a public setter
//! (`IntrospectionSupport.setProperties`). Each table names the classes.

mod discovery;
mod failover;
mod schemes;
mod server;
mod tcp;

pub use discovery::{FANOUT, HTTP_DISCOVERY, MULTICAST_AGENT, SIMPLE_AGENT, ZEROCONF_AGENT};
pub use failover::{
    CLUSTER_ATTRIBUTES, CONNECTION_FACTORY, FAILOVER, FAILOVER_INTERNAL, FAILOVER_WRONG_NAMES, WrongName,
};
pub use schemes::{
    CLIENT_ONLY_SCHEMES, ClientScheme, DISCOVERY_SCHEMES, DiscoveryScheme, LISTENER_SCHEMES, ListenerScheme,
    PortSource, Protocol,
};
pub use server::{AMQP, AUTO, HTTP, JETTY, MQTT, SERVER_OPTIONS, SERVER_TLS, STOMP, WIRE_FORMAT};
pub use tcp::{CLIENT_TCP, CLIENT_TLS, TRANSPORT, TRANSPORT_TLS};

/// One option of one place in a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// The name as ActiveMQ spells it, with its prefix (`wireFormat.maxFrameSize`). A name that ends with `.*` stands
    /// for every name that begins so.
    pub name: &'static str,
    /// What its value is.
    pub ty: OptionType,
    /// The default as ActiveMQ would print it; empty when it is unset.
    pub default: &'static str,
    /// The first release that has it; empty when every release from 5.6.0 on does.
    pub since: &'static str,
    /// The first release that no longer has it; empty when 6.3.1 still does.
    pub gone: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// What surprises people about it; mostly empty.
    pub note: &'static str,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptionType {
    /// `true` or `false`; ActiveMQ reads any other text as false.
    Boolean,
    /// A whole number.
    Integer,
    /// A time in milliseconds.
    Millis,
    /// A size in bytes.
    Bytes,
    /// A number that may have a fraction.
    Number,
    /// Any text.
    Text,
    /// Broker URIs with commas between.
    UriList,
    /// One URL.
    Url,
    /// Java regular expressions with commas between.
    Regexes,
}

impl OptionSpec {
    const fn new(name: &'static str, ty: OptionType, default: &'static str, doc: &'static str) -> Self {
        Self { name, ty, default, since: "", gone: "", doc, note: "" }
    }

    const fn since(mut self, release: &'static str) -> Self {
        self.since = release;
        self
    }

    const fn gone(mut self, release: &'static str) -> Self {
        self.gone = release;
        self
    }

    const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// Whether `name` is this option, or begins with its prefix.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            None => same_name(self.name, name),
        }
    }
}

/// Whether ActiveMQ takes two option names for the same: they may differ in the case of the first letter after the
/// last dot (`IntrospectionSupport.findSetterMethod` writes that letter large).
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    let split = |name: &str| name.rfind('.').map_or(0, |dot| dot + 1);
    let (one_prefix, one_name) = one.split_at(split(one));
    let (other_prefix, other_name) = other.split_at(split(other));
    let (mut one_chars, mut other_chars) = (one_name.chars(), other_name.chars());
    let first_alike = match (one_chars.next(), other_chars.next()) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(&other),
        (None, None) => true,
        _ => false,
    };
    first_alike && one_prefix == other_prefix && one_chars.as_str() == other_chars.as_str()
}

/// Every table with a name for it, for documentation and for tests that hold for all of them.
pub const TABLES: &[(&str, &[OptionSpec])] = &[
    ("failover", FAILOVER),
    ("connection factory", CONNECTION_FACTORY),
    ("cluster attributes", CLUSTER_ATTRIBUTES),
    ("server", SERVER_OPTIONS),
    ("server tls", SERVER_TLS),
    ("wire format", WIRE_FORMAT),
    ("transport", TRANSPORT),
    ("transport tls", TRANSPORT_TLS),
    ("auto", AUTO),
    ("stomp", STOMP),
    ("mqtt", MQTT),
    ("amqp", AMQP),
    ("http", HTTP),
    ("jetty", JETTY),
    ("client tcp", CLIENT_TCP),
    ("client tls", CLIENT_TLS),
    ("fanout", FANOUT),
    ("static, simple, masterslave", SIMPLE_AGENT),
    ("multicast", MULTICAST_AGENT),
    ("zeroconf", ZEROCONF_AGENT),
    ("http discovery", HTTP_DISCOVERY),
];

/// The option `name` of `failover:`; wrong names are in [`FAILOVER_WRONG_NAMES`].
#[must_use]
pub fn failover_option(name: &str) -> Option<&'static OptionSpec> {
    find(&[FAILOVER], name)
}

/// What people write for an option of `failover:` that it does not have.
#[must_use]
pub fn failover_wrong_name(name: &str) -> Option<&'static WrongName> {
    FAILOVER_WRONG_NAMES.iter().find(|wrong| same_name(wrong.name, name))
}

/// The scheme `name` of a `transportConnector`; exactly so, in small letters.
#[must_use]
pub fn listener_scheme(name: &str) -> Option<&'static ListenerScheme> {
    LISTENER_SCHEMES.iter().find(|scheme| scheme.name == name)
}

/// The scheme `name` that only a client can use; exactly so.
#[must_use]
pub fn client_only_scheme(name: &str) -> Option<&'static ClientScheme> {
    CLIENT_ONLY_SCHEMES.iter().find(|scheme| scheme.name == name)
}

/// The scheme `name` of a `networkConnector` or a `discoveryUri`; exactly so.
#[must_use]
pub fn discovery_scheme(name: &str) -> Option<&'static DiscoveryScheme> {
    DISCOVERY_SCHEMES.iter().find(|scheme| scheme.name == name)
}

/// The port that a listener of this scheme usually has.
#[must_use]
pub fn default_port(scheme: &str) -> Option<u16> {
    listener_scheme(scheme).and_then(|scheme| scheme.default_port)
}

/// The option `name` of a `transportConnector` URI with this scheme.
///
/// `None` means a typo only where [`ListenerScheme::open_options`] is false; ActiveMQ ignores it silently either way.
#[must_use]
pub fn server_option(scheme: &str, name: &str) -> Option<&'static OptionSpec> {
    find(server_tables(scheme), name)
}

/// Every option that a `transportConnector` URI with this scheme takes.
///
/// With an `auto` scheme a name that several protocols have comes several times; [`server_option`] gives the first.
pub fn server_options(scheme: &str) -> impl Iterator<Item = &'static OptionSpec> + use<> {
    server_tables(scheme).iter().copied().flatten()
}

/// The option `name` of a URI that a client or a bridge dials, whose own scheme is `scheme`.
///
/// ActiveMQ refuses any other one ("Invalid connect parameters"), except those of [`CONNECTION_FACTORY`] on the
/// outermost URI of a JMS client.
#[must_use]
pub fn client_option(scheme: &str, name: &str) -> Option<&'static OptionSpec> {
    find(client_tables(scheme), name)
}

/// Every option that a dialled URI with this scheme takes, each name once.
pub fn client_options(scheme: &str) -> impl Iterator<Item = &'static OptionSpec> + use<> {
    client_tables(scheme).iter().copied().flatten()
}

/// The option `name` of a discovery agent (`static:`, `masterslave:`, `multicast:` ...).
///
/// ActiveMQ ignores any other one silently.
#[must_use]
pub fn discovery_option(scheme: &str, name: &str) -> Option<&'static OptionSpec> {
    find(discovery_tables(scheme), name)
}

/// Every option of a discovery agent.
pub fn discovery_options(scheme: &str) -> impl Iterator<Item = &'static OptionSpec> + use<> {
    discovery_tables(scheme).iter().copied().flatten()
}

type Tables = &'static [&'static [OptionSpec]];

fn server_tables(scheme: &str) -> Tables {
    let Some(listener) = listener_scheme(scheme) else { return &[] };
    match (listener.protocol, listener.tls) {
        (Protocol::OpenWire, false) => &[SERVER_OPTIONS, WIRE_FORMAT, TRANSPORT],
        (Protocol::OpenWire, true) => &[SERVER_OPTIONS, SERVER_TLS, WIRE_FORMAT, TRANSPORT, TRANSPORT_TLS],
        (Protocol::Auto, false) => &[SERVER_OPTIONS, AUTO, WIRE_FORMAT, TRANSPORT, STOMP, MQTT, AMQP],
        (Protocol::Auto, true) => {
            &[SERVER_OPTIONS, SERVER_TLS, AUTO, WIRE_FORMAT, TRANSPORT, TRANSPORT_TLS, STOMP, MQTT, AMQP]
        }
        (Protocol::Stomp, false) => &[SERVER_OPTIONS, STOMP, TRANSPORT],
        (Protocol::Stomp, true) => &[SERVER_OPTIONS, SERVER_TLS, STOMP, TRANSPORT, TRANSPORT_TLS],
        (Protocol::Mqtt, false) => &[SERVER_OPTIONS, MQTT, TRANSPORT],
        (Protocol::Mqtt, true) => &[SERVER_OPTIONS, SERVER_TLS, MQTT, TRANSPORT, TRANSPORT_TLS],
        (Protocol::Amqp, false) => &[SERVER_OPTIONS, AMQP, TRANSPORT],
        (Protocol::Amqp, true) => &[SERVER_OPTIONS, SERVER_TLS, AMQP, TRANSPORT, TRANSPORT_TLS],
        (Protocol::Ws | Protocol::AmqpWs, _) => &[JETTY],
        (Protocol::Http, _) => &[JETTY, HTTP],
    }
}

fn client_tables(scheme: &str) -> Tables {
    match scheme {
        "failover" | "discovery" => &[FAILOVER],
        "fanout" => &[FANOUT],
        "tcp" | "nio" | "auto" | "auto+nio" => &[CLIENT_TCP, WIRE_FORMAT],
        "ssl" | "nio+ssl" | "auto+ssl" | "auto+nio+ssl" => &[CLIENT_TCP, CLIENT_TLS, WIRE_FORMAT],
        _ => &[],
    }
}

fn discovery_tables(scheme: &str) -> Tables {
    match scheme {
        "static" | "simple" | "masterslave" => &[SIMPLE_AGENT],
        "multicast" => &[MULTICAST_AGENT],
        "zeroconf" => &[ZEROCONF_AGENT],
        "http" => &[HTTP_DISCOVERY],
        _ => &[],
    }
}

/// An option by its own name first: a prefix takes only what no table names.
fn find(tables: Tables, name: &str) -> Option<&'static OptionSpec> {
    let all = || tables.iter().copied().flatten();
    let named = all().find(|spec| !spec.name.ends_with('*') && spec.matches(name));
    named.or_else(|| all().find(|spec| spec.matches(name)))
}

#[cfg(test)]
mod tests;
