//! What was meant: every name resolved, every value typed. Inert data, made only by `lower`.

use crate::diagnostic::Loc;
use crate::language::Place;
use crate::release::Target;
use crate::uri::{Uri, UriKind};
use crate::value::Secret;
use std::net::SocketAddr;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index into the model's vector of its kind.
            #[must_use]
            pub fn index(self) -> usize { self.0 as usize }
        }
    )* };
}

ids!(
    /// Index into [`Model::sites`].
    SiteId,
    /// Index into [`Model::brokers`].
    BrokerId,
    /// Index into [`Model::pairs`].
    PairId,
    /// Index into [`Model::finesse`].
    FinesseId,
    /// Index into [`Model::connectors`].
    ConnectorId,
    /// Index into [`Model::clients`].
    ClientId,
    /// Index into [`Model::bridges`].
    BridgeId,
    /// Index into [`Model::deployments`].
    DeploymentId
);

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub at: Loc,
}

/// A name and where it was written.
pub type Name = Set<String>;

/// A topology.
#[derive(Debug, Default)]
pub struct Model {
    /// What it is called and what it runs on.
    pub topology: Topology,
    /// In the order they were written, as everything below.
    pub sites: Vec<Site>,
    /// Of all sites.
    pub brokers: Vec<Broker>,
    /// Masters with their slaves.
    pub pairs: Vec<Pair>,
    /// Of all sites.
    pub finesse: Vec<Finesse>,
    /// Of all sites.
    pub connectors: Vec<Connector>,
    /// Of all sites.
    pub clients: Vec<Client>,
    /// Network connectors.
    pub bridges: Vec<Bridge>,
    /// Groups of connectors.
    pub deployments: Vec<Deployment>,
    /// Events and expectations; judged by `verify`.
    pub scenarios: Vec<Scenario>,
    /// What must hold; judged by `verify`.
    pub guarantees: Vec<Guarantee>,
    /// Something could not be read or resolved: what follows from the whole is not to be judged.
    pub incomplete: bool,
}

/// The `topology` block.
#[derive(Debug, Default)]
pub struct Topology {
    /// Its name.
    pub name: String,
    /// Where the block is.
    pub at: Option<Loc>,
    /// What the brokers run.
    pub activemq: Option<Set<Target>>,
    /// What the Finesse nodes run, as major and minor.
    pub finesse: Option<Set<FinesseRelease>>,
}

/// A release of Finesse: 11.6, 12.0, 12.5, 12.6, 15.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FinesseRelease {
    /// 12 of 12.6.
    pub major: u16,
    /// 6 of 12.6.
    pub minor: u16,
}

/// A site.
#[derive(Debug)]
pub struct Site {
    /// Its name.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
}

/// A broker.
#[derive(Debug)]
pub struct Broker {
    /// Where it stands.
    pub site: SiteId,
    /// The block's name.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
    /// How other machines reach it.
    pub host: Set<String>,
    /// What ActiveMQ calls it.
    pub broker_name: Set<String>,
    /// Whether `broker-name` was written.
    pub named_by_hand: bool,
    /// From Debian's package.
    pub debian: Option<Loc>,
    /// In the order they were written.
    pub listeners: Vec<Listener>,
    /// Where it keeps messages.
    pub store: Option<Store>,
    /// Policies of queues.
    pub queues: Vec<QueuePolicy>,
    /// How much it may use.
    pub limits: Limits,
    /// Who may connect; empty means anyone.
    pub users: Option<Users>,
    /// XML put in as it is.
    pub raw_xml: Vec<Set<String>>,
    /// Attributes of `<broker>`.
    pub settings: Settings,
    /// The pair it is a member of.
    pub pair: Option<PairId>,
    /// A part of it could not be read.
    pub damaged: bool,
}

/// A transport connector.
#[derive(Debug)]
pub struct Listener {
    /// Its name, also in the XML.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
    /// The part of the URI before `:`.
    pub scheme: Set<String>,
    /// Where it binds: host and port. None where the URI says neither.
    pub bind: Option<Bind>,
    /// The whole URI, where it was written by hand.
    pub raw: Option<RawUri>,
    /// Reached through something that accepts before the broker is up.
    pub proxied: Option<Loc>,
    /// How sites reach it, where that is not the broker's host.
    pub addresses: Vec<Address>,
    /// Attributes of `<transportConnector>` and options of its URI.
    pub settings: Settings,
}

/// Where a listener binds.
#[derive(Debug, Clone, PartialEq)]
pub struct Bind {
    /// An address or `0.0.0.0`.
    pub host: String,
    /// The port, and where it was written: the listener itself where it is the scheme's own.
    pub port: Set<u16>,
}

/// How one site reaches a listener.
#[derive(Debug)]
pub struct Address {
    /// The site it holds for.
    pub from: SiteId,
    /// `host:port`
    pub address: Set<String>,
}

/// A URI written by hand.
#[derive(Debug, Clone)]
pub struct RawUri {
    /// The text and where it stands, quotes included.
    pub text: Set<String>,
    /// What it means, or why it cannot be read.
    pub uri: Result<Uri, crate::uri::UriError>,
}

/// Where a broker keeps messages.
#[derive(Debug)]
pub struct Store {
    /// The block's header.
    pub at: Loc,
    /// Which kind.
    pub kind: StoreKind,
    /// Directory or URL.
    pub place: Option<Set<String>>,
    /// The class of the JDBC driver.
    pub driver: Option<Set<String>>,
    /// The database user.
    pub user: Option<Set<String>>,
    /// The database user's password.
    pub password: Option<Set<Secret>>,
    /// Reached from more than one host.
    pub shared: bool,
    /// Attributes of the store's element and its locker.
    pub settings: Settings,
}

impl Store {
    /// How often a slave tries for the lock, and how long a lease of a database's lock holds, in milliseconds.
    #[must_use]
    pub fn lock_acquire_interval(&self) -> i64 {
        self.settings.integer("lockAcquireSleepInterval").unwrap_or(LOCK_ACQUIRE_INTERVAL)
    }

    /// How often the master of a pair checks that the lock is still its own where nothing is written, in milliseconds:
    /// twice in a lease or more, which ActiveMQ's own 30 s (JDBC) or never (KahaDB) are not.
    #[must_use]
    pub fn pair_lock_keep_alive(&self) -> i64 {
        (self.lock_acquire_interval() / 2).clamp(1, LOCK_ACQUIRE_INTERVAL / 2)
    }
}

/// ActiveMQ's own, in milliseconds (`AbstractLocker`, 5.6 to 6.3.1).
const LOCK_ACQUIRE_INTERVAL: i64 = 10_000;

/// Kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Files, with a lock file.
    KahaDb,
    /// A database.
    Jdbc,
    /// Nothing survives a restart.
    Memory,
    /// Removed with 5.17.0.
    LevelDb,
}

impl StoreKind {
    /// The kind behind `store`.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "kahadb" => Some(Self::KahaDb),
            "jdbc" => Some(Self::Jdbc),
            "memory" => Some(Self::Memory),
            "leveldb" => Some(Self::LevelDb),
            _ => None,
        }
    }

    /// ActiveMQ's element for it.
    #[must_use]
    pub fn element(self) -> &'static str {
        match self {
            Self::KahaDb => "kahaDB",
            Self::Jdbc => "jdbcPersistenceAdapter",
            Self::Memory => "memoryPersistenceAdapter",
            Self::LevelDb => "levelDB",
        }
    }

    /// The element of its lock; what is in memory has none.
    #[must_use]
    pub fn locker(self) -> Option<&'static str> {
        match self {
            Self::KahaDb | Self::LevelDb => Some("shared-file-locker"),
            Self::Jdbc => Some("lease-database-locker"),
            Self::Memory => None,
        }
    }

    /// The element that has this attribute: the store's own, else its locker. One that has it in this release comes
    /// first, since ActiveMQ moved attributes from stores to lockers.
    #[must_use]
    pub fn place_of(self, attribute: &str, release: crate::release::Release) -> Option<&'static str> {
        // Where both have it, the one of `jdbcPersistenceAdapter` is deprecated and hands it on to the locker.
        let own = Some(self.element()).filter(|_| attribute != "lockAcquireSleepInterval");
        let has = |element: &&str| {
            crate::schema::element(element).is_some_and(|element| {
                element.attribute(attribute).is_some() && crate::schema::not_for_users(element, attribute).is_none()
            })
        };
        let present = |element: &&str| {
            crate::schema::element(element)
                .and_then(|element| element.attribute(attribute))
                .is_some_and(|attribute| attribute.presence.in_release(release).is_present())
        };
        let places: Vec<&'static str> = own.into_iter().chain(self.locker()).filter(has).collect();
        places.iter().copied().find(present).or(places.first().copied())
    }
}

/// The policy of one queue or a pattern.
#[derive(Debug)]
pub struct QueuePolicy {
    /// The queue's name or a pattern with `>` and `*`.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
    /// Attributes of `<policyEntry>` and of the bridge filter in it.
    pub settings: Settings,
}

/// How much a broker may use, in bytes.
#[derive(Debug, Default)]
pub struct Limits {
    /// Memory for messages.
    pub memory: Option<Set<i64>>,
    /// Disk for persistent messages.
    pub store: Option<Set<i64>>,
    /// Disk for non-persistent messages.
    pub temp: Option<Set<i64>>,
    /// The largest message that is sent.
    pub message: Option<Set<i64>>,
    /// The disk that is there.
    pub disk: Option<Set<i64>>,
}

/// Who may connect.
#[derive(Debug)]
pub struct Users {
    /// The block.
    pub at: Loc,
    /// Clients without a user may connect as well: where that is written.
    pub anonymous: Option<Loc>,
    /// In the order they were written.
    pub users: Vec<User>,
}

/// A user of a broker.
#[derive(Debug)]
pub struct User {
    /// The name.
    pub name: Name,
    /// The password.
    pub password: Option<Set<Secret>>,
    /// The groups.
    pub groups: Vec<String>,
}

/// A master and a slave.
#[derive(Debug)]
pub struct Pair {
    /// Its name.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
    /// Listed first.
    pub master: Set<BrokerId>,
    /// Waits for the lock.
    pub slave: Set<BrokerId>,
}

/// A Finesse node.
#[derive(Debug)]
pub struct Finesse {
    /// Where it stands.
    pub site: SiteId,
    /// The block's name.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
    /// The full host name.
    pub host: Set<String>,
    /// The port of the REST API, where written.
    pub port: Option<Set<u16>>,
    /// The port of the notification service, where written.
    pub xmpp_port: Option<Set<u16>>,
    /// How notifications are fetched: `tcp`, `websocket` or `bosh`.
    pub xmpp: Option<Set<String>>,
    /// The contact centre behind it, where written: `ucce` or `uccx`.
    pub deployment: Option<Set<String>>,
}

/// A broker or a pair that someone connects to, and through which listener.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The broker, or the pair's master.
    pub broker: BrokerId,
    /// The pair, where one was named.
    pub pair: Option<PairId>,
    /// The listener, as an index into the broker's, where one was named.
    pub listener: Option<usize>,
    /// Where it was written.
    pub at: Loc,
}

/// What connectors and clients have in common.
#[derive(Debug)]
pub struct Dialer {
    /// Where it stands.
    pub site: SiteId,
    /// The block's name.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
    /// In the order of preference. Those that do not exist are left out (and `damaged` says so).
    pub brokers: Vec<Endpoint>,
    /// Where `brokers` is written.
    pub brokers_at: Loc,
    /// Where `randomize` is written, and what it says.
    pub randomize: Option<Set<bool>>,
    /// How long a send may wait, in milliseconds; -1 is for ever.
    pub timeout: Option<Set<i64>>,
    /// The user at the brokers.
    pub user: Option<Set<String>>,
    /// The user's password.
    pub password: Option<Set<Secret>>,
    /// The whole URI, where it was written by hand.
    pub raw: Option<RawUri>,
    /// Options of the failover transport.
    pub failover: Settings,
    /// Options of each address.
    pub options: Settings,
    /// Properties without a field.
    pub properties: Vec<(Set<String>, PropertyValue)>,
    /// A part of it could not be read.
    pub damaged: bool,
}

/// The value of a property without a field.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyValue {
    /// As it is.
    Text(Set<String>),
    /// By reference.
    Secret(Set<Secret>),
}

/// Takes requests off a queue.
#[derive(Debug)]
pub struct Connector {
    /// What it shares with clients.
    pub dialer: Dialer,
    /// In the order of preference.
    pub finesse: Vec<Set<FinesseId>>,
    /// The consumer priority, where written.
    pub priority: Option<Set<i64>>,
    /// The consumer's prefetch, where written.
    pub prefetch: Option<Set<i64>>,
    /// Whether it goes back to its first broker, where written.
    pub priority_backup: Option<Set<bool>>,
    /// Consumes alone.
    pub exclusive: Option<Set<bool>>,
    /// Takes only requests that match.
    pub selector: Option<Set<String>>,
    /// Whom it believes over TLS, and who it is there.
    pub tls: Tls,
    /// Where operators look.
    pub admin: Option<Set<SocketAddr>>,
    /// What they must show.
    pub admin_token: Option<Set<Secret>>,
    /// How much it takes in hand.
    pub takes: Takes,
    /// How it writes its log: `human` or `json`.
    pub log_format: Option<Set<String>>,
    /// The deployment that names it first, and at which place in its list.
    pub deployment: Option<(DeploymentId, usize)>,
}

/// Whom a connector believes over TLS, and who it is there. Paths are those of its machine.
#[derive(Debug, Default)]
pub struct Tls {
    /// Authorities of brokers.
    pub broker_roots: Option<Set<String>>,
    /// What it shows to brokers.
    pub broker_certificate: Option<Set<String>>,
    /// The key of that.
    pub broker_private_key: Option<Set<Secret>>,
    /// Authorities of Finesse nodes.
    pub finesse_roots: Option<Set<String>>,
}

/// How much a connector takes in hand, where written.
#[derive(Debug, Default)]
pub struct Takes {
    /// Requests that are not answered.
    pub requests: Option<Set<i64>>,
    /// The same, of one agent.
    pub requests_of_agent: Option<Set<i64>>,
    /// Agents with a session.
    pub agents: Option<Set<i64>>,
}

/// Sends requests.
#[derive(Debug)]
pub struct Client {
    /// What it shares with connectors.
    pub dialer: Dialer,
    /// Goes back to its first broker when that returns.
    pub prefer_first: Option<Loc>,
    /// Is said to stay where it is.
    pub stays: Option<Loc>,
    /// Replies to a temporary queue.
    pub temporary_replies: Option<Loc>,
    /// The fixed queue for replies.
    pub reply_queue: Option<Set<String>>,
    /// The JMS client id.
    pub client_id: Option<Set<String>>,
    /// Must not hang at start.
    pub fail_fast: Option<Set<bool>>,
}

/// A network connector.
#[derive(Debug)]
pub struct Bridge {
    /// The whole statement's header.
    pub at: Loc,
    /// In whose file it is written: the broker, or the members of a pair.
    pub from: Endpoint,
    /// What it dials.
    pub to: Remote,
    /// Both ways over one connection.
    pub duplex: bool,
    /// The connector's name in the XML.
    pub name: Set<String>,
    /// Whether `name` was written.
    pub named_by_hand: bool,
    /// The discovery URI, where it was written by hand.
    pub raw: Option<RawUri>,
    /// The user at both brokers.
    pub user: Option<Set<String>>,
    /// The user's password.
    pub password: Option<Set<Secret>>,
    /// Destinations that never cross.
    pub excluded: Vec<(Loc, String)>,
    /// Destinations that alone may cross.
    pub dynamic: Vec<(Loc, String)>,
    /// Destinations that always cross.
    pub fixed: Vec<(Loc, String)>,
    /// Attributes of `<networkConnector>`.
    pub settings: Settings,
    /// Options of the far address.
    pub options: Settings,
}

/// What a bridge dials.
#[derive(Debug, Clone)]
pub enum Remote {
    /// A broker or a pair of the topology.
    Broker(Endpoint),
    /// Whatever a discovery agent finds.
    Discovery(RawUri),
}

/// Connectors that stand in for each other.
#[derive(Debug)]
pub struct Deployment {
    /// Its name.
    pub name: Name,
    /// The block's header.
    pub at: Loc,
    /// How they share.
    pub mode: Mode,
    /// The first is the primary. Those that do not exist are left out (and `damaged` says so).
    pub connectors: Vec<Set<ConnectorId>>,
    /// The queue that requests are sent to.
    pub requests: String,
    /// Where that is written.
    pub requests_at: Option<Loc>,
    /// Seals what its connectors tell each other.
    pub sync_key: Option<Set<Secret>>,
    /// What opens it as well.
    pub other_sync_key: Option<Set<Secret>>,
    /// A part of it could not be read.
    pub damaged: bool,
}

/// How the connectors of a deployment share the work (000_f205e67ac5b4ee75.txt).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One alone.
    Simplex,
    /// The primary has all the work while it lives.
    ActivePassive,
    /// Each has its own site's work.
    ActiveActive,
}

/// Events and what is expected after them.
#[derive(Debug)]
pub struct Scenario {
    /// Its title.
    pub title: Name,
    /// In order.
    pub steps: Vec<Step>,
}

/// A thing that can fail, or an end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// All of a site.
    Site(SiteId),
    /// One broker.
    Broker(BrokerId),
    /// Both members.
    Pair(PairId),
    /// One node.
    Finesse(FinesseId),
    /// One connector.
    Connector(ConnectorId),
    /// One client.
    Client(ClientId),
}

/// A line of a scenario.
#[derive(Debug)]
pub enum Step {
    /// Something happens to these.
    Event {
        /// `fail`, `restore`, `hang` or `out-of-service`.
        verb: &'static str,
        /// To whom.
        things: Vec<Set<Thing>>,
    },
    /// The link between two is `cut` or `heal`ed.
    Link {
        /// `cut` or `heal`.
        verb: &'static str,
        /// One end.
        a: Set<Thing>,
        /// The other.
        b: Set<Thing>,
    },
    /// Look before anything has failed back.
    SettleBeforeFailBack(Loc),
    /// The path of a client's request; empty means that nobody handles it.
    Expect {
        /// Whose request.
        client: Set<ClientId>,
        /// Brokers in order, then the connector.
        path: Vec<Set<Thing>>,
        /// `nobody` was written.
        nobody: bool,
    },
}

/// What must hold whatever fails.
#[derive(Debug)]
pub struct Guarantee {
    /// Which: one of [`crate::language::GUARANTEES`].
    pub name: Name,
    /// How many things may fail at once.
    pub survives: i64,
    /// Failures that it need not survive.
    pub except: Vec<Step>,
}

/// Fields that become attributes and options without topoc looking at them one by one.
pub type Settings = Vec<Setting>;

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// ActiveMQ's name for it.
    pub real: Cow,
    /// As it was written in the topology.
    pub name: Cow,
    /// Where it goes.
    pub place: Place,
    /// The value as ActiveMQ reads it.
    pub value: SettingValue,
    /// The whole statement.
    pub at: Loc,
    /// The value.
    pub value_at: Loc,
}

/// Text that is mostly a constant.
pub type Cow = std::borrow::Cow<'static, str>;

/// A value as ActiveMQ reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// `true` or `false`.
    Bool(bool),
    /// Durations in milliseconds, sizes in bytes.
    Integer(i64),
    /// With a fraction.
    Number(f64),
    /// A secret, of which artifacts have the place only.
    Secret(Secret),
    /// Anything else.
    Text(String),
}

impl std::fmt::Display for SettingValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SettingValue::Bool(value) => value.fmt(f),
            SettingValue::Integer(value) => value.fmt(f),
            SettingValue::Number(value) => value.fmt(f),
            SettingValue::Secret(value) => value.fmt(f),
            SettingValue::Text(value) => value.fmt(f),
        }
    }
}

impl Bridge {
    /// The user at the far broker, where it is not the one at both. ActiveMQ then takes its password from
    /// `remotePassword` alone, and ignores that without a user (`DemandForwardingBridgeSupport`, 6.3.1).
    #[must_use]
    pub fn remote_user(&self) -> Option<&Setting> {
        self.settings.find("remoteUserName")
    }

    /// The password of the user at the far broker.
    #[must_use]
    pub fn remote_password(&self) -> Option<Set<Secret>> {
        let setting = self.settings.find("remotePassword")?;
        match &setting.value {
            SettingValue::Secret(secret) => Some(Set { value: secret.clone(), at: setting.value_at }),
            _ => None,
        }
    }
}

/// Looking settings up by ActiveMQ's name.
pub trait SettingsExt {
    /// The setting of that name.
    fn find(&self, real: &str) -> Option<&Setting>;
    /// Its value where it is a boolean.
    fn bool(&self, real: &str) -> Option<bool>;
    /// Its value where it is a whole number.
    fn integer(&self, real: &str) -> Option<i64>;
}

impl SettingsExt for [Setting] {
    fn find(&self, real: &str) -> Option<&Setting> {
        self.iter().find(|setting| setting.real == real)
    }

    fn bool(&self, real: &str) -> Option<bool> {
        match self.find(real)?.value {
            SettingValue::Bool(value) => Some(value),
            SettingValue::Text(ref text) => Some(text.eq_ignore_ascii_case("true")),
            SettingValue::Integer(_) | SettingValue::Number(_) | SettingValue::Secret(_) => None,
        }
    }

    fn integer(&self, real: &str) -> Option<i64> {
        match self.find(real)?.value {
            SettingValue::Integer(value) => Some(value),
            SettingValue::Text(ref text) => text.parse().ok(),
            SettingValue::Bool(_) | SettingValue::Number(_) | SettingValue::Secret(_) => None,
        }
    }
}

impl Listener {
    /// The host that it binds, also where a URI written by hand says no port that can be read.
    #[must_use]
    pub fn bound_host(&self) -> Option<&str> {
        if let Some(bind) = &self.bind {
            return Some(&bind.host);
        }
        let raw = self.raw.as_ref()?;
        match &raw.uri.as_ref().ok()?.kind {
            UriKind::Address { host, .. } => Some(host.text(&raw.text.value)),
            UriKind::Composite { .. } => None,
        }
    }
}

impl Model {
    /// A broker by its id. Ids are made by `lower` for things that exist.
    #[must_use]
    pub fn broker(&self, id: BrokerId) -> &Broker {
        &self.brokers[id.index()]
    }

    /// A site by its id.
    #[must_use]
    pub fn site(&self, id: SiteId) -> &Site {
        &self.sites[id.index()]
    }

    /// A connector by its id.
    #[must_use]
    pub fn connector(&self, id: ConnectorId) -> &Connector {
        &self.connectors[id.index()]
    }

    /// A pair by its id.
    #[must_use]
    pub fn pair(&self, id: PairId) -> &Pair {
        &self.pairs[id.index()]
    }

    /// The brokers that an endpoint stands for: one, or a pair's master and slave.
    #[must_use]
    pub fn members(&self, endpoint: &Endpoint) -> Vec<BrokerId> {
        match endpoint.pair {
            Some(pair) => vec![self.pair(pair).master.value, self.pair(pair).slave.value],
            None => vec![endpoint.broker],
        }
    }

    /// The release that the brokers run; the newest known where the topology does not say.
    #[must_use]
    pub fn release(&self) -> crate::release::Release {
        self.topology.activemq.as_ref().map_or(crate::release::newest(), |target| target.value.release)
    }

    /// Connectors and clients together.
    pub fn dialers(&self) -> impl Iterator<Item = (&'static str, &Dialer)> {
        let connectors = self.connectors.iter().map(|connector| ("connector", &connector.dialer));
        connectors.chain(self.clients.iter().map(|client| ("client", &client.dialer)))
    }
}

/// The queue that requests are sent to where no deployment says another.
pub const DEFAULT_REQUESTS: &str = "GC.REQUESTS";

/// The priority of the connector at this place of a deployment: 127 and 100, as the deployment models have it, then 99, 98
/// and so on, so that connectors whose priority nobody writes are never equal.
#[must_use]
pub fn default_priority(place: usize) -> i64 {
    match i64::try_from(place) {
        Ok(0) => 127,
        Ok(place) => (101 - place).max(0),
        Err(_) => 0,
    }
}

impl Connector {
    /// The priority that is written or follows from its place in a deployment: see [`default_priority`].
    #[must_use]
    pub fn effective_priority(&self) -> i64 {
        match &self.priority {
            Some(priority) => priority.value,
            None => default_priority(self.deployment.map_or(0, |(_, place)| place)),
        }
    }
}
