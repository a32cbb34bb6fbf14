//! Options of the discovery agents behind `networkConnector` and `discoveryUri`, and of the `fanout:` transport.

use super::OptionSpec;
use super::OptionType::{Boolean, Integer, Millis, Text, Url};

/// `discovered.NAME` goes to every URI that is found (`DiscoveryListener.DISCOVERED_OPTION_PREFIX`).
const DISCOVERED: OptionSpec =
    OptionSpec::new("discovered.*", Text, "", "Options to be added to every URI of the list, or that is found.");

/// Options of `static:`, `simple:` and `masterslave:` (SimpleDiscoveryAgent, 5.6 to 6.3.1).
pub const SIMPLE_AGENT: &[OptionSpec] = &[
    OptionSpec::new("initialReconnectDelay", Millis, "1000", "How long to wait before building a bridge again."),
    OptionSpec::new("maxReconnectDelay", Millis, "30000", "The longest wait before building a bridge again."),
    OptionSpec::new("useExponentialBackOff", Boolean, "true", "Whether the wait grows after each failure."),
    OptionSpec::new("backOffMultiplier", Integer, "2", "By which factor the wait grows after each failure.")
        .note("failover: calls its own one reconnectDelayExponent"),
    OptionSpec::new("maxReconnectAttempts", Integer, "0", "After how many failures a bridge is given up; 0 is never.")
        .note("0 = forever here, unlike in failover:"),
    OptionSpec::new("minConnectTime", Millis, "5000", "A bridge that lived longer than this did not fail to connect."),
    DISCOVERED,
];

/// Options of `multicast:` discovery (MulticastDiscoveryAgent, 5.6 to 6.3.1).
pub const MULTICAST_AGENT: &[OptionSpec] = &[
    OptionSpec::new("group", Text, "default", "Brokers find those of the same group only."),
    OptionSpec::new("keepAliveInterval", Millis, "500", "How often a broker announces itself.")
        .note("one that is silent for ten intervals is taken for dead"),
    OptionSpec::new("timeToLive", Integer, "1", "How many routers an announcement may pass."),
    OptionSpec::new(
        "loopBackMode",
        Boolean,
        "false",
        "Whether to keep announcements from this machine's own programs.",
    ),
    OptionSpec::new("interface", Text, "", "The address of the network interface to send on."),
    OptionSpec::new("networkInterface", Text, "", "The name of the network interface to send on."),
    OptionSpec::new("joinNetworkInterface", Text, "", "The name of the network interface to listen on."),
    OptionSpec::new("initialReconnectDelay", Millis, "5000", "How long to wait before building a bridge again."),
    OptionSpec::new("maxReconnectDelay", Millis, "30000", "The longest wait before building a bridge again."),
    OptionSpec::new("useExponentialBackOff", Boolean, "false", "Whether the wait grows after each failure."),
    OptionSpec::new("backOffMultiplier", Integer, "2", "By which factor the wait grows after each failure."),
    OptionSpec::new("maxReconnectAttempts", Integer, "0", "After how many failures a broker is given up; 0 is never."),
    DISCOVERED,
];

/// Options of `zeroconf:` discovery (ZeroconfDiscoveryAgent, 5.6 to 6.3.1).
pub const ZEROCONF_AGENT: &[OptionSpec] = &[
    OptionSpec::new("group", Text, "default", "Brokers find those of the same group only."),
    OptionSpec::new("type", Text, "ActiveMQ-5.", "The end of the service type under which brokers are announced.")
        .since("5.10.0"),
    OptionSpec::new("localhost", Text, "", "The address to announce from."),
    OptionSpec::new("priority", Integer, "0", "The priority in the announcement."),
    OptionSpec::new("weight", Integer, "0", "The weight in the announcement."),
    DISCOVERED,
];

/// Options of `http:` discovery (HTTPDiscoveryAgent, 5.6 to 6.3.1).
pub const HTTP_DISCOVERY: &[OptionSpec] = &[
    OptionSpec::new("registryURL", Url, "", "The registry to ask.").note("the URI itself, unless set"),
    OptionSpec::new("updateInterval", Millis, "10000", "How often to ask the registry."),
    OptionSpec::new("startEmbeddRegistry", Boolean, "false", "Whether this broker runs the registry."),
    DISCOVERED,
];

/// Options of the `fanout:` transport (FanoutTransport, 5.6 to 6.3.1).
pub const FANOUT: &[OptionSpec] = &[
    OptionSpec::new("minAckCount", Integer, "2", "How many brokers must be connected and confirm."),
    OptionSpec::new("fanOutQueues", Boolean, "false", "Whether queue commands go to every broker too."),
    OptionSpec::new("initialReconnectDelay", Millis, "10", "How long to wait before the first attempt to reconnect."),
    OptionSpec::new("maxReconnectDelay", Millis, "30000", "The longest wait between two attempts."),
    OptionSpec::new("reconnectDelayExponent", Integer, "2", "By which factor the wait grows after each failure."),
    OptionSpec::new("maxReconnectAttempts", Integer, "0", "After how many failures to give up; 0 is never."),
];
