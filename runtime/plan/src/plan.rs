//! The plan of a connector. What is here is version 2 of the format: see [`crate::VERSION`] before a field is changed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Everything that one connector is told. It holds no secret, only where each is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The name of the topology.
    pub topology: String,
    /// The site that the connector stands at.
    pub site: String,
    /// The connector's own name.
    pub connector: String,
    /// Those that it stands in for; none where it is in no deployment.
    pub deployment: Option<Deployment>,
    /// Where it connects.
    pub brokers: Brokers,
    /// Who it is at the brokers.
    pub login: Login,
    /// Whom it believes where it connects with TLS, and who it is there.
    pub tls: Tls,
    /// How it takes requests.
    pub requests: Requests,
    /// The Finesse servers, in the order of preference.
    pub finesse: Vec<Node>,
    /// The contact centre behind them.
    pub product: Product,
    /// How much it takes in hand.
    pub limits: Limits,
    /// Where operators look; none where nobody may.
    pub admin: Option<Admin>,
    /// How it writes its log.
    pub log: LogFormat,
    /// Properties of the topology that have no field but a name that a connector knows ([`crate::properties::NAMES`]), in
    /// their order. They count more than what is above.
    pub properties: Vec<(String, String)>,
}

impl Plan {
    /// Every secret that the connector needs, and what it is.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let password = self.login.password.iter().map(|secret| ("the password for the brokers", secret));
        let identity = self.tls.broker_identity.iter();
        let key =
            identity.map(|identity| ("the private key of the certificate for the brokers, as PEM text", &identity.key));
        let token = self.admin.iter().flat_map(|admin| &admin.token);
        let token = token.map(|secret| ("the token that operators show to look at the connector", secret));
        let sync = self.deployment.iter().flat_map(|deployment| &deployment.sync_keys);
        let sync = sync
            .map(|secret| ("a key that the connectors of the deployment seal what they tell each other with", secret));
        password.chain(key).chain(token).chain(sync)
    }
}

/// Connectors that stand in for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Its name.
    pub name: String,
    /// How they share.
    pub mode: Mode,
    /// All of them, this one too; the first is the primary.
    pub connectors: Vec<Peer>,
    /// The topic on which they keep each other informed.
    pub sync: String,
    /// What they seal it with: with the first, and they open what was sealed with any. None where they do not keep each other
    /// informed of what is secret.
    pub sync_keys: Vec<Secret>,
}

/// How connectors share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One alone.
    Simplex,
    /// The primary has all the work while it lives.
    ActivePassive,
    /// Each has its own site's work.
    ActiveActive,
}

impl Mode {
    /// As the topology has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Simplex => "simplex",
            Self::ActivePassive => "active-passive",
            Self::ActiveActive => "active-active",
        }
    }
}

/// A connector of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its site.
    pub site: String,
    /// Its name there.
    pub connector: String,
}

/// Names and values of a URI's options, before any encoding.
pub type Options = BTreeMap<String, String>;

/// Where a connector connects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Brokers {
    /// Addresses that are known one by one.
    Listed(Listed),
    /// A URI that was written by hand and says it in another way.
    Uri(String),
}

/// Addresses in the order of preference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// One or more.
    pub addresses: Vec<Address>,
    /// The options of the failover transport, without those that only repeat its defaults. None for a single address that
    /// is dialled without that transport: once, and never again.
    pub failover: Option<Options>,
}

/// An address of a broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// `tcp` or `ssl`, or another of ActiveMQ's.
    pub scheme: String,
    /// A name or an address; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What belongs to this address alone.
    pub options: Options,
}

/// Who a connector is at the brokers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user.
    pub user: Option<String>,
    /// Where the user's password is.
    pub password: Option<Secret>,
}

/// Where a secret is kept. Never what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    /// In the environment variable of this name.
    Env(String),
    /// In this file.
    File(String),
}

/// Whom a connector believes where it connects with TLS, and who it is there. Files are PEM files of the machine that it runs
/// on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The file of the authorities that brokers' certificates come from; none for those of the system.
    pub broker_roots: Option<String>,
    /// Who it is to brokers that ask (`needClientAuth`).
    pub broker_identity: Option<Identity>,
    /// The file of the authorities that the certificates of Finesse servers come from; none for those of the system.
    pub finesse_roots: Option<String>,
}

/// Who a connector is to servers that ask for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The file of its certificate, with the chain above it.
    pub certificate: String,
    /// Where its private key is, as PEM text.
    pub key: Secret,
}

/// The contact centre behind Finesse: servers of the two behave differently when one fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// Unified Contact Center Enterprise.
    #[default]
    Ucce,
    /// Unified Contact Center Express.
    Uccx,
}

impl Product {
    /// As the topology has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ucce => "ucce",
            Self::Uccx => "uccx",
        }
    }
}

/// How much a connector takes in hand; none of each for the connector's own default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests that are not answered.
    pub requests: Option<u32>,
    /// The same, of one agent.
    pub requests_of_agent: Option<u32>,
    /// Agents with a session.
    pub agents: Option<u32>,
}

/// Where operators look: health, metrics, agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// Where the token is that everybody must show; never none on an address that other machines reach.
    pub token: Option<Secret>,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Human,
    /// A line of JSON.
    Json,
}

impl LogFormat {
    /// As the topology has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// How requests are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// The queue that they are sent to.
    pub queue: String,
    /// The consumer priority: among several the highest gets the requests. OpenWire carries a signed byte
    /// (`ConsumerInfo`).
    pub priority: i8,
    /// How many requests the broker hands over before the first is answered; none for the client's own default.
    pub prefetch: Option<u16>,
    /// Consumes alone.
    pub exclusive: bool,
    /// Takes only requests that match.
    pub selector: Option<String>,
}

/// A Finesse server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its full name, as in its certificate.
    pub host: String,
    /// The port of REST.
    pub rest_port: u16,
    /// How its notifications are fetched.
    pub notifications: Notifications,
    /// The port of its notification service.
    pub notifications_port: u16,
}

/// How notifications are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notifications {
    /// XMPP over TCP with TLS.
    Tcp,
    /// XMPP over WebSocket.
    Websocket,
    /// XMPP over HTTP.
    Bosh,
}

impl Notifications {
    /// As the topology has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Websocket => "websocket",
            Self::Bosh => "bosh",
        }
    }

    /// The port where none is said: the one with TLS (Cisco Finesse Developer Guide 12.5(1), "Cisco Finesse Notification
    /// Service").
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Tcp => 5223,
            Self::Websocket | Self::Bosh => 7443,
        }
    }
}

/// The port of REST where none is said (Cisco Finesse Developer Guide 12.5(1), "HTTPS Requests").
pub const REST_PORT: u16 = 8445;

impl Node {
    /// A server with the ports that a topology need not name.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            rest_port: REST_PORT,
            notifications: Notifications::Tcp,
            notifications_port: Notifications::Tcp.default_port(),
        }
    }
}
