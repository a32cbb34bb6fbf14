//! The schemes of URIs: on which a broker can listen, with which only a client can dial, and which find brokers.

use Protocol::{Amqp, AmqpWs, Auto, Http, Mqtt, OpenWire, Stomp, Ws};

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// ActiveMQ's own, which connectors, bridges and JMS clients speak.
    OpenWire,
    /// STOMP.
    Stomp,
    /// MQTT.
    Mqtt,
    /// AMQP 1.0.
    Amqp,
    /// AMQP 1.0 over WebSocket.
    AmqpWs,
    /// STOMP or MQTT over WebSocket.
    Ws,
    /// OpenWire commands as XML over HTTP.
    Http,
    /// OpenWire, STOMP, MQTT or AMQP, found out for each connection.
    Auto,
}

/// Where a default port comes from. ActiveMQ itself has none: a URI must say its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortSource {
    /// The `activemq.xml` that ActiveMQ ships, or an example configuration beside it.
    Shipped,
    /// The registry of service names at IANA.
    Iana,
    /// Our own choice where neither says anything.
    Ours,
    /// There is no default.
    None,
}

/// A scheme that a `transportConnector` can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerScheme {
    /// The scheme, to be written exactly so.
    pub name: &'static str,
    /// The port when none is said.
    pub default_port: Option<u16>,
    /// Where that port comes from.
    pub port_source: PortSource,
    /// What it speaks.
    pub protocol: Protocol,
    /// Whether it is encrypted.
    pub tls: bool,
    /// The ActiveMQ module that holds it.
    pub module: &'static str,
    /// Whether Debian's `activemq` package has that module.
    pub in_debian: bool,
    /// The first release that has it; empty when every release from 5.6.0 on does.
    pub since: &'static str,
    /// Whether it takes options that no table of ours lists, so that an unknown one may be right.
    pub open_options: bool,
}

/// A scheme that a client can dial but no broker can listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientScheme {
    /// The scheme, to be written exactly so.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
}

/// A scheme that finds brokers, for a `networkConnector` or a `discoveryUri`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscoveryScheme {
    /// The scheme, to be written exactly so.
    pub name: &'static str,
    /// How many broker URIs it needs at least.
    pub min_addresses: usize,
    /// Whether it takes a list of broker URIs.
    pub takes_list: bool,
    /// The ActiveMQ module that holds it.
    pub module: &'static str,
    /// Whether Debian's `activemq` package has that module.
    pub in_debian: bool,
    /// What it does.
    pub doc: &'static str,
}

/// Every scheme that a broker can listen on (ActiveMQ 5.6.0 to 6.3.1, the files
/// `META-INF/services/org/apache/activemq/transport/*`). Ports: shipped `activemq.xml` and `activemq-demo.xml`; IANA `secure-mqtt`, `amqps`.
#[rustfmt::skip]
pub const LISTENER_SCHEMES: &[ListenerScheme] = &[
    listener("tcp",           shipped(61616), OpenWire, "activemq-client"),
    listener("nio",           shipped(61616), OpenWire, "activemq-client"),
    listener("ssl",           shipped(61617), OpenWire, "activemq-client").tls(),
    listener("nio+ssl",       shipped(61617), OpenWire, "activemq-client").tls(),
    listener("auto",          shipped(61616), Auto,     "activemq-broker").since("5.13.0"),
    listener("auto+nio",      shipped(61616), Auto,     "activemq-broker").since("5.13.0"),
    listener("auto+ssl",      shipped(61617), Auto,     "activemq-broker").since("5.13.0").tls(),
    listener("auto+nio+ssl",  shipped(61617), Auto,     "activemq-broker").since("5.13.0").tls(),
    listener("stomp",         shipped(61613), Stomp,    "activemq-stomp"),
    listener("stomp+nio",     shipped(61613), Stomp,    "activemq-stomp"),
    listener("stomp+ssl",     ours(61612),    Stomp,    "activemq-stomp").tls(),
    listener("stomp+nio+ssl", ours(61612),    Stomp,    "activemq-stomp").tls(),
    listener("mqtt",          shipped(1883),  Mqtt,     "activemq-mqtt"),
    listener("mqtt+nio",      shipped(1883),  Mqtt,     "activemq-mqtt"),
    listener("mqtt+ssl",      iana(8883),     Mqtt,     "activemq-mqtt").tls(),
    listener("mqtt+nio+ssl",  iana(8883),     Mqtt,     "activemq-mqtt").tls(),
    listener("amqp",          shipped(5672),  Amqp,     "activemq-amqp").since("5.8.0"),
    listener("amqp+nio",      shipped(5672),  Amqp,     "activemq-amqp").since("5.8.0"),
    listener("amqp+ssl",      iana(5671),     Amqp,     "activemq-amqp").since("5.8.0").tls(),
    listener("amqp+nio+ssl",  iana(5671),     Amqp,     "activemq-amqp").since("5.8.0").tls(),
    listener("amqp+ws",       NO_PORT,        AmqpWs,   "activemq-amqp").since("5.14.0").open(),
    listener("amqp+wss",      NO_PORT,        AmqpWs,   "activemq-amqp").since("5.14.0").tls().open(),
    listener("ws",            shipped(61614), Ws,       "activemq-http").open(),
    listener("wss",           ours(61619),    Ws,       "activemq-http").since("5.7.0").tls().open(),
    listener("http",          NO_PORT,        Http,     "activemq-http").open(),
    listener("https",         NO_PORT,        Http,     "activemq-http").tls().open(),
    listener("udp",           NO_PORT,        OpenWire, "activemq-client").open(),
    listener("multicast",     NO_PORT,        OpenWire, "activemq-client").open(),
    listener("vm",            NO_PORT,        OpenWire, "activemq-broker").open(),
];

/// Every scheme whose `doBind` always fails ("Invalid server URI", "This protocol does not support being bound").
pub const CLIENT_ONLY_SCHEMES: &[ClientScheme] = &[
    ClientScheme { name: "failover", doc: "keeps one connection to one of several brokers" },
    ClientScheme { name: "fanout", doc: "sends to several brokers at once" },
    ClientScheme { name: "discovery", doc: "keeps one connection to one of the brokers that a discovery agent finds" },
    ClientScheme { name: "mock", doc: "is ActiveMQ's own, for tests" },
    ClientScheme { name: "peer", doc: "starts a broker inside the client and bridges it to its peers" },
];

/// Every scheme that finds brokers (the files `.../transport/discoveryagent/*` of 5.6.0 to 6.3.1).
pub const DISCOVERY_SCHEMES: &[DiscoveryScheme] = &[
    DiscoveryScheme {
        name: "static",
        min_addresses: 1,
        takes_list: true,
        module: "activemq-client",
        in_debian: true,
        doc: "one bridge to each broker of the list",
    },
    DiscoveryScheme {
        name: "simple",
        min_addresses: 1,
        takes_list: true,
        module: "activemq-client",
        in_debian: true,
        doc: "another name for static",
    },
    DiscoveryScheme {
        name: "masterslave",
        min_addresses: 2,
        takes_list: true,
        module: "activemq-client",
        in_debian: true,
        doc: "one bridge to whichever broker of the list is the master",
    },
    DiscoveryScheme {
        name: "multicast",
        min_addresses: 0,
        takes_list: false,
        module: "activemq-client",
        in_debian: true,
        doc: "one bridge to each broker that announces itself by multicast",
    },
    DiscoveryScheme {
        name: "zeroconf",
        min_addresses: 0,
        takes_list: false,
        module: "activemq-client",
        in_debian: true,
        doc: "one bridge to each broker that announces itself by Zeroconf",
    },
    DiscoveryScheme {
        name: "http",
        min_addresses: 0,
        takes_list: false,
        module: "activemq-http",
        in_debian: false,
        doc: "one bridge to each broker that a registry knows",
    },
];

type DefaultPort = (Option<u16>, PortSource);

const NO_PORT: DefaultPort = (None, PortSource::None);

const fn shipped(port: u16) -> DefaultPort {
    (Some(port), PortSource::Shipped)
}

const fn iana(port: u16) -> DefaultPort {
    (Some(port), PortSource::Iana)
}

const fn ours(port: u16) -> DefaultPort {
    (Some(port), PortSource::Ours)
}

const fn listener(name: &'static str, port: DefaultPort, protocol: Protocol, module: &'static str) -> ListenerScheme {
    // Debian leaves out activemq-amqp and activemq-http (5.17.2+dfsg-2), which hold these protocols.
    let in_debian = !matches!(protocol, Amqp | AmqpWs | Ws | Http);
    let (default_port, port_source) = port;
    ListenerScheme {
        name,
        default_port,
        port_source,
        protocol,
        tls: false,
        module,
        in_debian,
        since: "",
        open_options: false,
    }
}

impl ListenerScheme {
    const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    const fn since(mut self, release: &'static str) -> Self {
        self.since = release;
        self
    }

    const fn open(mut self) -> Self {
        self.open_options = true;
        self
    }
}
