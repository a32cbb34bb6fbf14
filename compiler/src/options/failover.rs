//! Options of the `failover:` transport, what people write instead of them, and the broker's side of dynamic failover.

use super::OptionSpec;
use super::OptionType::{Boolean, Bytes, Integer, Millis, Number, Regexes, Text, UriList, Url};

/// The options of `failover:` (FailoverTransport, 5.6 to 6.3.1). `discovery:` takes the same.
pub const FAILOVER: &[OptionSpec] = &[
    OptionSpec::new("initialReconnectDelay", Millis, "10", "How long to wait before the first attempt to reconnect.")
        .note("honoured only after a connection that worked, not at the first start"),
    OptionSpec::new("maxReconnectDelay", Millis, "30000", "The longest wait between two passes over the list.")
        .note("with priorityBackup it is also the longest time until fail-back"),
    OptionSpec::new("useExponentialBackOff", Boolean, "true", "Whether the wait grows after each failed pass."),
    OptionSpec::new("reconnectDelayExponent", Number, "2.0", "By which factor the wait grows after each failed pass."),
    OptionSpec::new("maxReconnectAttempts", Integer, "-1", "After how many failed passes to give up; -1 is never.")
        .note("0 = one pass, never reconnect (5.6+); before 5.6, 0 = forever"),
    OptionSpec::new("startupMaxReconnectAttempts", Integer, "-1", "The same until the first connection succeeds.")
        .note("-1 = what maxReconnectAttempts says"),
    OptionSpec::new("randomize", Boolean, "true", "Whether to try the list in random order instead of as written."),
    OptionSpec::new("backup", Boolean, "false", "Whether to hold spare connections open."),
    OptionSpec::new("backupPoolSize", Integer, "1", "How many spare connections to hold open."),
    OptionSpec::new("timeout", Millis, "-1", "How long a send may wait for a connection; -1 is for ever.")
        .note("bounds message sends only"),
    OptionSpec::new("trackMessages", Boolean, "false", "Whether to keep sent messages for sending them again.")
        .note("messages outside transactions only"),
    OptionSpec::new("maxCacheSize", Bytes, "131072", "How much to keep for trackMessages and for pulls on their way."),
    OptionSpec::new("updateURIsSupported", Boolean, "true", "Whether to take over broker lists that brokers push.")
        .note("pushed brokers come before those of the written list"),
    OptionSpec::new("updateURIsURL", Url, "", "A file or page to read the broker list from.")
        .note("lines are joined with no separator: commas needed"),
    OptionSpec::new("rebalanceUpdateURIs", Boolean, "true", "Whether a list from updateURIsURL may move connections."),
    OptionSpec::new("reconnectSupported", Boolean, "true", "Whether a broker may send the client to another broker.")
        .note("being sent away empties the written list"),
    OptionSpec::new("priorityBackup", Boolean, "false", "Whether to go back to a preferred broker once it is there.")
        .note("needs randomize=false"),
    OptionSpec::new("priorityURIs", UriList, "", "The preferred brokers; empty means the first of the list.")
        .note("no order among them"),
    OptionSpec::new("trackTransactionProducers", Boolean, "true", "Whether to restore producers of open transactions."),
    OptionSpec::new(
        "warnAfterReconnectAttempts",
        Integer,
        "10",
        "After every how many failed passes to log a warning.",
    )
    .since("5.9.1"),
    OptionSpec::new("nested.*", Text, "", "Options to be added to every URI of the list.")
        .since("5.9.0")
        .note("with nested options a failed broker is retried first, not last"),
];

/// A name that people use although `failover:` has no such option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongName {
    /// What is written.
    pub name: &'static str,
    /// What was meant; `None` when there is nothing of the kind.
    pub right: Option<&'static str>,
    /// Where the name comes from.
    pub doc: &'static str,
}

/// Names that ActiveMQ refuses ("Invalid connect parameters") although documents list them: no release has a setter for them.
pub const FAILOVER_WRONG_NAMES: &[WrongName] = &[
    WrongName {
        name: "backOffMultiplier",
        right: Some("reconnectDelayExponent"),
        doc: "an option of static: and masterslave:; failover: calls it reconnectDelayExponent",
    },
    WrongName {
        name: "maxPullCacheSize",
        right: None,
        doc: "in documents, but in no release; maxCacheSize bounds both",
    },
];

/// Setters that `failover:` has for itself: accepted in a URI, but nobody should write them.
pub const FAILOVER_INTERNAL: &[&str] =
    &["reconnectDelay", "nestedExtraQueryOptions", "transportListener", "peerCertificates"];

/// What a JMS client's connection factory takes off the outermost URI before the transport sees it
/// (`ActiveMQConnectionFactory.setBrokerURL`).
pub const CONNECTION_FACTORY: &[OptionSpec] =
    &[OptionSpec::new("jms.*", Text, "", "Options of the JMS connection, like jms.prefetchPolicy.queuePrefetch.")
        .note("only on the outermost URI: on a member of a list ActiveMQ refuses it")];

/// The broker's side of dynamic failover: attributes of `transportConnector`, not URI options (TransportConnector).
pub const CLUSTER_ATTRIBUTES: &[OptionSpec] = &[
    OptionSpec::new(
        "updateClusterClients",
        Boolean,
        "false",
        "Whether clients are told of the brokers in the network.",
    ),
    OptionSpec::new("updateClusterClientsOnRemove", Boolean, "false", "Whether they are also told when one leaves.")
        .note("needs updateClusterClients"),
    OptionSpec::new("rebalanceClusterClients", Boolean, "false", "Whether they are spread anew when one joins.")
        .note("needs updateClusterClients"),
    OptionSpec::new("updateClusterFilter", Regexes, "", "Which brokers are told of, by name.")
        .note("full match on the broker name; a comma inside an expression splits it"),
];
