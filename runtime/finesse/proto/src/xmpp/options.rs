//! What can be chosen of a session.

use std::time::Duration;

use super::jid::Jid;
use super::sasl::Mechanism;
use crate::secret::Secret;

/// How a session reaches its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP within TLS from the first byte: Finesse's port 5223.
    DirectTls,
    /// TCP that becomes TLS before anything is said: 5222. A server that does not offer it is left.
    StartTls,
    /// TCP, readable by everybody on the way: 5222 of Finesse up to 11.6.
    Plain,
    /// WebSocket (RFC 7395), within TLS or not: `wss://HOST:7443/ws/`.
    WebSocket {
        /// Within TLS.
        tls: bool,
    },
    /// BOSH (XEP-0124, XEP-0206), within TLS or not: `https://HOST:7443/http-bind/`.
    Bosh {
        /// Within TLS.
        tls: bool,
    },
}

impl Transport {
    /// Whether nobody on the way can read, from the beginning.
    #[must_use]
    pub const fn is_private(self) -> bool {
        matches!(self, Self::DirectTls | Self::WebSocket { tls: true } | Self::Bosh { tls: true })
    }
}

/// Who the agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Agent, XMPP domain and resource.
    pub jid: Jid,
    /// The agent's password. What is not ASCII goes as it is: without SASLprep, which Finesse does not do either.
    pub password: Secret,
}

/// What can be chosen of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How the server is reached.
    pub transport: Transport,
    /// The mechanisms that may be used, the one to prefer first.
    pub mechanisms: Vec<Mechanism>,
    /// Says the password with PLAIN where everybody on the way can read it.
    pub danger_plain_without_tls: bool,
    /// The session's presence, 0 to 127. Finesse sends no notifications to a negative one.
    pub priority: u8,
    /// Who sends notifications (`xmppPubSubDomain` of Finesse's `SystemInfo`). `None`: `pubsub.` and the domain.
    pub pubsub: Option<String>,
    /// The user of the same domain whose presence says whether Finesse itself is there. `None`: nobody is watched.
    pub watched: Option<String>,
    /// How long it may take until the session is ready.
    pub negotiation_timeout: Duration,
    /// How often a ping is sent.
    pub ping_interval: Duration,
    /// How long one may stay without an answer.
    pub ping_timeout: Duration,
    /// How many are sent again before the server counts as gone.
    pub ping_retries: u32,
    /// How long the answer to a subscription may take.
    pub request_timeout: Duration,
    /// How long a session may take to leave.
    pub close_timeout: Duration,
}

impl Options {
    /// As Finesse's own clients have it: a ping every 10 seconds with 2 retries, presence with priority 0, and an eye on the
    /// user `finesse`.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            mechanisms: Mechanism::ALL.to_vec(),
            danger_plain_without_tls: false,
            priority: 0,
            pubsub: None,
            watched: Some("finesse".to_owned()),
            negotiation_timeout: Duration::from_secs(20),
            ping_interval: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(10),
            ping_retries: 2,
            request_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(3),
        }
    }
}
