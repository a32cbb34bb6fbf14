//! The fields that topoc gives a meaning of its own, and what it knows of ActiveMQ's attributes.

use super::{Kind, OwnField, Type};

const ANY_BROKER: &[Kind] = &[Kind::Broker, Kind::Pair];
const PORT: Type = Type::Port;
const TEXT: Type = Type::Text;
const BOOL: Type = Type::Bool;

/// Fields with a meaning of topoc's own.
#[rustfmt::skip]
pub static OWN: &[OwnField] = &[
    required(Kind::Topology, "activemq", Type::Release, "the release the brokers run; a line such as \"6.2\" means its newest patch"),
    own(Kind::Topology, "finesse", TEXT, "12.6", "the release of the Finesse nodes; decides ports and endpoints"),

    required(Kind::Broker, "host", TEXT, "the name by which other machines reach the broker"),
    real(Kind::Broker, "broker-name", "brokerName", TEXT, "the block's name", "the name that ActiveMQ and its peers see"),
    own(Kind::Broker, "distribution", Type::Word(&["apache", "debian"]), "apache", "whose package it is: Debian's lacks amqp, ws and http"),

    own(Kind::Listen, "scheme", TEXT, "the listener's name where that is a scheme, else tcp", "what it speaks: tcp, ssl, nio, nio+ssl, auto, stomp, mqtt, amqp, ws ..."),
    own(Kind::Listen, "host", TEXT, "0.0.0.0", "the address it binds"),
    own(Kind::Listen, "port", PORT, "the scheme's own, where the name or `scheme` says the scheme", "the port it binds"),
    own(Kind::Listen, "via", Type::Word(&["direct", "proxy"]), "direct", "proxy: reached through something that accepts before the broker is up"),
    own(Kind::Listen, "uri", Type::Uri, "", "the whole URI by hand, instead of scheme, host and port"),
    real(Kind::Listen, "update-cluster-clients", "updateClusterClients", BOOL, "false", "tells clients which brokers are there (dynamic failover)"),
    real(Kind::Listen, "update-cluster-clients-on-remove", "updateClusterClientsOnRemove", BOOL, "false", "tells clients when a broker leaves as well"),
    real(Kind::Listen, "rebalance-cluster-clients", "rebalanceClusterClients", BOOL, "false", "asks clients to spread when a broker joins"),
    real(Kind::Listen, "update-cluster-filter", "updateClusterFilter", Type::Texts, "", "patterns of broker names that belong to the cluster; each must match the whole name"),
    real(Kind::Listen, "discovery-uri", "discoveryUri", TEXT, "", "makes the broker discoverable: multicast://default"),

    own(Kind::Store, "directory", TEXT, "", "where the files are; members of a pair share by naming the same one"),
    own(Kind::Store, "url", TEXT, "", "the JDBC URL of the database"),
    own(Kind::Store, "driver", TEXT, "found from the URL", "the class of the JDBC driver"),
    own(Kind::Store, "user", TEXT, "", "the database user"),
    own(Kind::Store, "password", Type::Secret, "", "the database user's password"),
    own(Kind::Store, "shared", BOOL, "false", "reached from more than one host"),
    real(Kind::Store, "lock-keep-alive-period", "lockKeepAlivePeriod", Type::Duration(false), "kahadb 0, jdbc 30s; for members of a pair half of lock-acquire-sleep-interval, at most 5s", "how often a master checks that the lock is still its own"),
    real(Kind::Store, "lock-acquire-sleep-interval", "lockAcquireSleepInterval", Type::Duration(false), "10s", "how often a slave tries for the lock"),

    real(Kind::Queue, "replay-when-no-consumers", "replayWhenNoConsumers", BOOL, "true for queues of requests and replies that cross a bridge", "lets messages go back to a broker they came from when no consumer is left here"),

    own(Kind::Limits, "memory", Type::Size, "1 GiB", "memory for messages"),
    own(Kind::Limits, "store", Type::Size, "100 GiB", "disk for persistent messages"),
    own(Kind::Limits, "temp", Type::Size, "50 GiB", "disk for non-persistent messages"),
    own(Kind::Limits, "message", Type::Size, "", "the largest message that is sent; checked against frame limits"),
    own(Kind::Limits, "disk", Type::Size, "", "the disk that is there; checked against the limits"),

    own(Kind::Users, "anonymous", BOOL, "false", "whether clients without a user may connect"),
    required(Kind::User, "password", Type::Secret, "the user's password"),
    own(Kind::User, "groups", Type::Texts, "users", "the groups the user is in"),

    required(Kind::Pair, "master", Type::Ref(&[Kind::Broker]), "the broker that is listed first"),
    required(Kind::Pair, "slave", Type::Ref(&[Kind::Broker]), "the broker that waits for the lock"),

    required(Kind::Finesse, "host", TEXT, "the node's full host name, as in its certificate"),
    own(Kind::Finesse, "port", PORT, "8445", "the port of the REST API"),
    own(Kind::Finesse, "xmpp-port", PORT, "5223; with websocket or bosh 7443", "the port of the notification service"),
    own(Kind::Finesse, "xmpp", Type::Word(&["tcp", "websocket", "bosh"]), "tcp", "how notifications are fetched"),

    own(Kind::Finesse, "deployment", Type::Word(&["ucce", "uccx"]), "ucce", "the contact centre behind it: Enterprise or Express"),

    required(Kind::Connector, "brokers", Type::Refs(ANY_BROKER), "in the order of preference; local first"),
    own(Kind::Connector, "finesse", Type::Refs(&[Kind::Finesse]), "", "in the order of preference"),
    own(Kind::Connector, "priority", Type::Integer(i64::MIN, i64::MAX), "127 for a deployment's first connector, 100 for the second, then 99, 98 and so on", "the consumer priority: higher gets the requests"),
    own(Kind::Connector, "timeout", Type::Duration(true), "", "how long a send may wait for a broker"),
    own(Kind::Connector, "prefetch", Type::Integer(0, 32766), "1000", "requests the broker hands over before the first is answered"),
    own(Kind::Connector, "randomize", BOOL, "false", "whether the order of brokers is shuffled"),
    own(Kind::Connector, "priority-backup", BOOL, "true", "whether it goes back to its first broker when that returns"),
    own(Kind::Connector, "exclusive", BOOL, "false", "consumes alone"),
    own(Kind::Connector, "selector", TEXT, "", "takes only requests that match"),
    own(Kind::Connector, "user", TEXT, "", "the user at the brokers"),
    own(Kind::Connector, "password", Type::Secret, "", "the user's password"),
    own(Kind::Connector, "uri", Type::Uri, "", "the whole failover URI by hand"),
    own(Kind::Connector, "broker-roots", TEXT, "those of the connector's machine", "the PEM file of the authorities that brokers' certificates must come from, on the connector's machine"),
    own(Kind::Connector, "broker-certificate", TEXT, "", "the PEM file of the certificate that it shows to brokers, with the chain above it"),
    own(Kind::Connector, "broker-private-key", Type::Secret, "", "the private key of that certificate, as PEM text"),
    own(Kind::Connector, "finesse-roots", TEXT, "those of the connector's machine", "the PEM file of the authorities that the certificates of Finesse nodes must come from, on the connector's machine"),
    own(Kind::Connector, "admin", Type::Socket, "nobody looks", "where operators see health, metrics and agents; other than on loopback with `admin-token` only"),
    own(Kind::Connector, "admin-token", Type::Secret, "", "what whoever looks must show"),
    own(Kind::Connector, "max-requests", Type::Integer(1, 65535), "the connector's own", "requests in hand that are not answered"),
    own(Kind::Connector, "max-requests-per-agent", Type::Integer(1, 65535), "the connector's own", "the same, of one agent"),
    own(Kind::Connector, "max-agents", Type::Integer(1, 1_000_000), "the connector's own", "agents with a session"),
    own(Kind::Connector, "log-format", Type::Word(&["human", "json"]), "human", "how it writes its log"),

    required(Kind::Client, "brokers", Type::Refs(ANY_BROKER), "in the order of preference"),
    own(Kind::Client, "returns", Type::Word(&["never", "prefer-first"]), "never", "whether it goes back to its first broker when that returns"),
    own(Kind::Client, "replies", Type::Word(&["fixed", "temporary"]), "fixed", "where replies go: a queue of the client's own, or a temporary one"),
    own(Kind::Client, "reply-queue", TEXT, "GC.REPLY. and the client's name", "the fixed queue for replies"),
    own(Kind::Client, "client-id", TEXT, "the client's name", "the JMS client id"),
    own(Kind::Client, "timeout", Type::Duration(true), "", "how long a send may wait for a broker"),
    own(Kind::Client, "fail-fast", BOOL, "false", "must not hang at start when no broker is there"),
    own(Kind::Client, "randomize", BOOL, "false", "whether the order of brokers is shuffled"),
    own(Kind::Client, "user", TEXT, "", "the user at the brokers"),
    own(Kind::Client, "password", Type::Secret, "", "the user's password"),
    own(Kind::Client, "uri", Type::Uri, "", "the whole failover URI by hand"),

    own(Kind::Bridge, "name", TEXT, "made of the two brokers' names", "the connector's name in activemq.xml"),
    own(Kind::Bridge, "uri", Type::Uri, "", "the discovery URI by hand"),
    own(Kind::Bridge, "user", TEXT, "", "the user at both brokers"),
    own(Kind::Bridge, "password", Type::Secret, "", "the user's password"),
    real(Kind::Bridge, "remote-user-name", "remoteUserName", TEXT, "user", "the user at the far broker, where it differs"),
    real(Kind::Bridge, "remote-password", "remotePassword", Type::Secret, "", "the password of remote-user-name, without which it is not used"),
    own(Kind::Bridge, "excluded", Type::Texts, "", "destinations that never cross: queue://NAME, topic://NAME or a queue's name"),
    own(Kind::Bridge, "dynamically-included", Type::Texts, "", "destinations that alone may cross, on demand"),
    own(Kind::Bridge, "statically-included", Type::Texts, "", "destinations that always cross"),
    real(Kind::Bridge, "network-ttl", "networkTTL", Type::Integer(-1, 32767), "the longest way that a request needs", "bridges that messages and subscriptions may cross"),
    real(Kind::Bridge, "message-ttl", "messageTTL", Type::Integer(-1, 32767), "network-ttl", "bridges that messages may cross"),
    real(Kind::Bridge, "consumer-ttl", "consumerTTL", Type::Integer(-1, 32767), "network-ttl", "bridges that subscriptions may cross"),
    real(Kind::Bridge, "prefetch-size", "prefetchSize", Type::Integer(i32::MIN as i64, i32::MAX as i64), "1000", "messages the far broker hands over before the first is acknowledged"),
    real(Kind::Bridge, "decrease-network-consumer-priority", "decreaseNetworkConsumerPriority", BOOL, "true, always written", "local consumers come before those behind bridges"),
    real(Kind::Bridge, "conduit-subscriptions", "conduitSubscriptions", BOOL, "true", "the consumers behind a bridge count as one"),
    real(Kind::Bridge, "consumer-priority-base", "consumerPriorityBase", Type::Integer(-128, 127), "-5", "the priority of consumers behind a bridge"),

    required(Kind::Deployment, "connectors", Type::Refs(&[Kind::Connector]), "who stand in for each other; the first is the primary"),
    own(Kind::Deployment, "requests", TEXT, "GC.REQUESTS", "the queue that requests are sent to"),
    own(Kind::Deployment, "sync-key", Type::Secret, "", "64 hexadecimal digits; seals what the connectors tell each other of agents, their credentials included"),
    own(Kind::Deployment, "other-sync-key", Type::Secret, "", "a key that opens as well, while the connectors are given a new one one after the other"),

    own(Kind::Guarantee, "survives", Type::Integer(0, 16), "1", "how many things may fail at once"),
];

/// Attributes whose default and meaning are worth saying (ActiveMQ sources, 5.17.2 and 6.3.1).
#[rustfmt::skip]
static ATTRIBUTES: &[(&str, &str, &str, &str)] = &[
    ("transportConnector", "enableStatusMonitor", "false", "watches for blocked and slow connections"),
    ("transportConnector", "disableAsyncDispatch", "false", "no task runner per connection"),
    ("transportConnector", "auditNetworkProducers", "false", "traps duplicates of bridges that send again"),
    ("transportConnector", "maximumProducersAllowedPerConnection", "2147483647", "producers per connection"),
    ("transportConnector", "maximumConsumersAllowedPerConnection", "2147483647", "consumers per connection"),
    ("transportConnector", "allowLinkStealing", "false", "a new connection with the same client id replaces the old one"),
    ("transportConnector", "warnOnRemoteClose", "false", "logs connections that the client ends"),
    ("transportConnector", "displayStackTrace", "false", "logs stack traces of transport errors"),
    ("transportConnector", "autoStart", "true", "whether the listener starts with the broker"),
    ("publishedAddressPolicy", "publishedHostStrategy", "DEFAULT", "how the host that clients are told is found: DEFAULT, IPADDRESS, HOSTNAME or FQDN"),
    ("networkConnector", "conduitNetworkQueueSubscriptions", "false", "conduit also for subscriptions that come from other bridges"),
    ("networkConnector", "advisoryPrefetchSize", "0: prefetch-size", "prefetch for advisories"),
    ("networkConnector", "advisoryAckPercentage", "75", "acknowledges advisories at this share of the prefetch"),
    ("networkConnector", "dynamicOnly", "false", "durable subscriptions are bridged only while they are active"),
    ("networkConnector", "syncDurableSubs", "false", "passes durable subscriptions on when a bridge starts"),
    ("networkConnector", "bridgeTempDestinations", "true", "temporary queues cross the bridge"),
    ("networkConnector", "dispatchAsync", "true", "the far broker dispatches asynchronously"),
    ("networkConnector", "suppressDuplicateQueueSubscriptions", "false", "one subscription where several ways lead to a consumer"),
    ("networkConnector", "suppressDuplicateTopicSubscriptions", "true", "the same for topics"),
    ("networkConnector", "alwaysSyncSend", "true", "waits for the far broker also for non-persistent messages"),
    ("networkConnector", "staticBridge", "false", "no advisories: only statically included destinations"),
    ("networkConnector", "useCompression", "false", "compresses messages on the bridge"),
    ("networkConnector", "advisoryForFailedForward", "false", "an advisory when a message cannot be forwarded"),
    ("networkConnector", "useVirtualDestSubs", "false", "virtual destinations make demand"),
    ("networkConnector", "checkDuplicateMessagesOnDuplex", "false", "checks duplicates on duplex bridges"),
    ("networkConnector", "gcDestinationViews", "true", "removes MBeans of destinations no longer used"),
    ("networkConnector", "gcSweepTime", "60000", "how often, in milliseconds"),
    ("networkConnector", "clientIdToken", "_", "what client ids of the bridge are joined with"),
    ("networkConnector", "destinationFilter", "from the included destinations", "which consumer advisories the bridge listens to"),
    ("networkConnector", "duplex", "from the arrow", "one connection for both directions"),
    ("networkConnector", "autoStart", "true", "whether the bridge starts with the broker"),
    ("conditionalNetworkBridgeFilterFactory", "replayDelay", "0", "milliseconds before a message may go back"),
    ("conditionalNetworkBridgeFilterFactory", "rateLimit", "0", "messages per rate duration"),
    ("conditionalNetworkBridgeFilterFactory", "rateDuration", "1000", "milliseconds"),
    ("conditionalNetworkBridgeFilterFactory", "selectorAware", "false", "looks at selectors of local consumers"),
    ("broker", "advisorySupport", "true", "advisories, which dynamic bridges need"),
    ("broker", "persistent", "true", "whether messages survive a restart"),
    ("broker", "useJmx", "true", "management beans"),
    ("broker", "schedulerSupport", "false", "delayed messages"),
    ("broker", "networkConnectorStartAsync", "false", "bridges start side by side"),
    ("broker", "dataDirectory", "${activemq.data}", "where the broker keeps files of its own"),
];

/// Attributes that the schema has as text and ActiveMQ reads as booleans (`BrokerService` with `BooleanEditor`, 5.6 to
/// 6.3.1): what is not `true` or `false` stops the broker. Other text may be a size, a duration or a name.
static BOOLEANS: &[(&str, &str)] = &[
    ("broker", "advisorySupport"),
    ("broker", "deleteAllMessagesOnStartup"),
    ("broker", "passiveSlave"),
    ("broker", "persistent"),
    ("broker", "schedulerSupport"),
    ("broker", "shutdownOnSlaveFailure"),
    ("broker", "systemExitOnShutdown"),
    ("broker", "useJmx"),
    ("broker", "waitForSlave"),
];

/// Whether an attribute that the schema has as text takes `true` or `false` only.
pub(super) fn is_boolean(element: &str, name: &str) -> bool {
    BOOLEANS.contains(&(element, name))
}

/// The default and the meaning of an attribute, where they are written down.
pub(super) fn attribute_doc(element: &str, name: &str) -> Option<(&'static str, &'static str)> {
    ATTRIBUTES.iter().find(|row| row.0 == element && row.1 == name).map(|row| (row.2, row.3))
}

const fn required(kind: Kind, name: &'static str, ty: Type, doc: &'static str) -> OwnField {
    OwnField { kind, name, real: "", ty, default: "", required: true, doc }
}

const fn own(kind: Kind, name: &'static str, ty: Type, default: &'static str, doc: &'static str) -> OwnField {
    OwnField { kind, name, real: "", ty, default, required: false, doc }
}

const fn real(
    kind: Kind,
    name: &'static str,
    real: &'static str,
    ty: Type,
    default: &'static str,
    doc: &'static str,
) -> OwnField {
    OwnField { kind, name, real, ty, default, required: false, doc }
}
