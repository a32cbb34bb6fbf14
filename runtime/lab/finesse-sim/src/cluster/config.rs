//! What a simulated contact centre is like before anything happens in it.

/// A moment of simulated time, or a length of it: milliseconds, since 1970 where it is a moment.
pub type Millis = u64;

/// The product that Finesse belongs to; some rules differ (Finesse developer guide 12.5, "Platform-Based API Differences").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deployment {
    /// Unified Contact Center Enterprise: all nodes serve at the same time.
    #[default]
    Ucce,
    /// Unified Contact Center Express: one node is master, the others are out of service.
    Uccx,
}

impl Deployment {
    /// `deploymentType` of SystemInfo.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ucce => "UCCE",
            Self::Uccx => "UCCX",
        }
    }
}

/// For which changes of state a reason code must be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reasons {
    /// For none: reason codes exist and may be given.
    #[default]
    Optional,
    /// For `NOT_READY`.
    NotReady,
    /// For `LOGOUT`.
    Logout,
    /// For both.
    Both,
}

/// Everything that is decided before the start.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many agents: `1001` and so on, with extensions `2001` and so on.
    pub agents: usize,
    /// Agents of one team, which has one supervisor.
    pub team_size: usize,
    /// The host name of each node: its XMPP domain, too.
    pub hosts: Vec<String>,
    /// The ports that SystemInfo tells of each node: HTTPS, BOSH and WebSocket, XMPP with TLS. Zero is told as nothing.
    pub ports: Vec<[u16; 3]>,
    /// The password of every user.
    pub password: String,
    /// Which rules hold.
    pub deployment: Deployment,
    /// Who must give reasons.
    pub reasons: Reasons,
    /// Whether an agent whose desktop is gone is signed out (`LOAD` 1 of Unified CCE) or made not ready (0).
    pub logout_on_disconnect: bool,
    /// How long wrap-up takes after a call; nothing for none.
    pub wrap_up: Option<Millis>,
    /// From Finesse to the CTI server, and back again.
    pub latency: Millis,
    /// After this time a number outside answers; nothing for never by itself.
    pub outside_answers: Option<Millis>,
    /// Whether the order of elements and the case of words that are known to vary do vary.
    pub vary_forms: bool,
    /// Where chance begins: which events are lost, and ids of items.
    pub seed: u64,
}

impl Config {
    /// So many agents on nodes of these names, all else as by default.
    #[must_use]
    pub fn new(agents: usize, hosts: &[&str]) -> Self {
        Self {
            agents,
            team_size: 10,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ports: vec![[0; 3]; hosts.len()],
            password: "secret".to_owned(),
            deployment: Deployment::Ucce,
            reasons: Reasons::Optional,
            logout_on_disconnect: false,
            wrap_up: None,
            latency: 10,
            outside_answers: Some(1_000),
            vary_forms: false,
            seed: 1,
        }
    }
}

/// Until a client that vanished without a word counts as gone (Finesse 12.6, "Desktop presence and forced logout").
pub const CRASH_NOTICED: Millis = 120_000;
/// From a client's going to the forced logout (same place).
pub const FORCED_LOGOUT: Millis = 60_000;
/// The reason code of a forced logout (same place).
pub const FORCED_REASON: i32 = 255;
/// Reason while an agent who was ready dials (developer guide 12.5, "Make call from ready").
pub(super) const DIALLING_REASON: i32 = 50_006;
/// Wrong passwords in a row that lock an account (developer guide 12.5, "Sign in to Finesse").
pub const WRONG_PASSWORDS: u32 = 5;
/// How long the account stays locked (same place).
pub const LOCKED_FOR: Millis = 300_000;
/// `ctiHeartbeatInterval`; three that are missed mean that CTI is gone (administration guide 12.6, failover mechanisms).
pub const HEARTBEAT: Millis = 5_000;
