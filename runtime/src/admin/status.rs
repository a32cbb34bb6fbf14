//! How a connector is doing, as plain values: what the rest of the program fills in, and what is made of it for operators.

use std::collections::BTreeMap;

use topoc_core::command;
use topoc_core::event::{self, Told};
use topoc_core::sync::Dropped;
use topoc_finesse_proto::cluster::Judgement;

use super::latencies::Latencies;

/// How the connector is doing. Whoever changes it does so in place: `sender.send_modify(|status| status.paused = true)`.
/// Counters only rise, from the start of the process on. No field may hold a secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// Who it is.
    pub identity: Identity,
    /// How far it is in its life.
    pub stage: Stage,
    /// The broker.
    pub broker: Broker,
    /// The Finesse servers.
    pub finesse: Finesse,
    /// Requests of clients.
    pub requests: Requests,
    /// Whether it takes no requests for now: they stay at the broker.
    pub paused: bool,
    /// How often it began to take none.
    pub pauses: u64,
    /// Whether it takes nothing that Finesse tells for now: it stays there.
    pub held: bool,
    /// Events and answers that a broker has accepted.
    pub sent: u64,
    /// Events and answers that no broker has accepted yet.
    pub unsent: usize,
    /// Agents that this connector looks after, by what there is of their session.
    pub sessions: BTreeMap<Session, usize>,
    /// Agents that are known in the deployment, whoever looks after them.
    pub known: usize,
    /// The connectors of the deployment; empty where there is no other one.
    pub peers: Vec<Peer>,
    /// What was told in the name of other connectors and not believed, by the reason: a word of the program, never of a message.
    pub dropped: BTreeMap<&'static str, u64>,
    /// How many requests are remembered, so that none is done twice.
    pub recent: usize,
    /// How much there may be.
    pub limits: Limits,
}

/// Who a connector is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The topology's name.
    pub topology: String,
    /// Its site.
    pub site: String,
    /// Its name there.
    pub connector: String,
    /// Its deployment; empty where it is in none.
    pub deployment: String,
    /// The hash of its plan: `topoc_plan::digest`.
    pub plan: String,
    /// Its epoch: it rises with each start.
    pub epoch: u64,
}

/// How far a connector is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// It has not yet been connected to a broker and to Finesse.
    #[default]
    Starting,
    /// It does its work.
    Running,
    /// It takes no requests any more and ends what it has in hand.
    Draining,
}

/// The broker that the connector uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// The one that it is connected to.
    pub connected: Option<Place>,
    /// Why it is connected to none, in words for people.
    pub trouble: Option<String>,
    /// How often a connection was lost.
    pub losses: u64,
}

/// A broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its address, without options: see [`Place::new`].
    pub address: String,
    /// The name that it gives itself; empty while it has not said it.
    pub broker: String,
}

impl Place {
    /// A broker at an address as it is written in a `failover:` list; its options and what could be a password are left out.
    #[must_use]
    pub fn new(address: &str, broker: Option<&str>) -> Self {
        let plain = address.split(['?', '#']).next().unwrap_or_default();
        let address = match plain.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default()),
            None => plain.rsplit('@').next().unwrap_or_default().to_owned(),
        };
        Self { address, broker: broker.unwrap_or_default().to_owned() }
    }
}

/// The Finesse servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finesse {
    /// In the order of preference.
    pub servers: Vec<Server>,
    /// The place in that order of the one that agents use.
    pub used: Option<usize>,
    /// How often agents went to another one, without the first time.
    pub switches: u64,
}

/// A Finesse server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// What it is judged to be.
    pub judgement: Judgement,
}

/// All judgements, and the word for each. A test holds it to be complete.
pub const JUDGEMENTS: &[(Judgement, &str)] = &[
    (Judgement::Good, "good"),
    (Judgement::Slow, "slow"),
    (Judgement::Leaving, "leaving"),
    (Judgement::NoSessions, "no-sessions"),
    (Judgement::Away, "away"),
    (Judgement::OutOfService, "out-of-service"),
    (Judgement::Standby, "standby"),
    (Judgement::Silent, "silent"),
    (Judgement::Unknown, "unknown"),
];

impl Finesse {
    /// Whether agents can work.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.used.and_then(|used| self.servers.get(used)).is_some_and(|server| server.judgement.is_usable())
    }
}

/// Requests of clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests {
    /// Those that are answered, by command and outcome: see [`Requests::answered`].
    pub answered: BTreeMap<(&'static str, Outcome), u64>,
    /// Those that the broker has delivered before.
    pub redelivered: u64,
    /// Those that are not answered yet.
    pub in_hand: usize,
    /// How long answers took, from the delivery to the order to send them.
    pub seconds: Latencies,
}

/// The word for a command that there is none of.
pub const NO_COMMAND: &str = "none";

impl Requests {
    /// Counts an answer. What is no command of the table is counted as [`NO_COMMAND`], so that nobody can fill the memory with
    /// names.
    pub fn answered(&mut self, command: &str, outcome: Outcome, seconds: f64) {
        let command = command::find(command).map_or(NO_COMMAND, |row| row.name);
        *self.answered.entry((command, outcome)).or_default() += 1;
        self.seconds.take(seconds);
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was done, or what was asked is told.
    Done,
    /// Nobody knows whether it was done.
    Unknown,
    /// Finesse said no, or the agent's state did.
    Refused,
    /// It was not understood.
    Invalid,
    /// The password was wrong.
    WrongPassword,
    /// The agent has no session.
    NotConnected,
    /// No Finesse server could say anything.
    Unavailable,
    /// Too much was in hand.
    Busy,
    /// Its time was over.
    Expired,
    /// Nobody could be answered: it went to the broker's dead letters.
    DeadLetter,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Unknown,
        Self::Refused,
        Self::Invalid,
        Self::WrongPassword,
        Self::NotConnected,
        Self::Unavailable,
        Self::Busy,
        Self::Expired,
        Self::DeadLetter,
    ];

    /// What an answer says of it.
    #[must_use]
    pub fn of(told: &Told) -> Self {
        match told {
            Told::Outcome(event::Outcome { outcome: event::Result::OutcomeUnknown, .. }) => Self::Unknown,
            Told::Error(error) => Self::of_code(&error.code),
            _ => Self::Done,
        }
    }

    fn of_code(code: &str) -> Self {
        match code {
            "BUSY" => Self::Busy,
            "EXPIRED" => Self::Expired,
            "NOT_CONNECTED" => Self::NotConnected,
            "WRONG_PASSWORD" => Self::WrongPassword,
            "FINESSE_UNAVAILABLE" => Self::Unavailable,
            "TOO_LONG" | "NOT_TEXT" | "TWO_COMMANDS" | "UNKNOWN_COMMAND" | "TOO_MANY_FIELDS" | "UNKNOWN_FIELD"
            | "REPEATED_FIELD" | "INVALID_JSON" | "INVALID_DATA" => Self::Invalid,
            code if code.starts_with("MISSING_") || code.starts_with("INVALID_") => Self::Invalid,
            // Finesse's own words, and what the agent's state does not allow.
            _ => Self::Refused,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::WrongPassword => "wrong-password",
            Self::NotConnected => "not-connected",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::Expired => "expired",
            Self::DeadLetter => "dead-letter",
        }
    }
}

/// What there is of an agent's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Session {
    /// It is there, and what is known of the agent is what Finesse says.
    Live,
    /// It is opened, or lost and opened again.
    Interrupted,
    /// It is over until somebody connects: taken over by a desktop, or the password is wrong.
    Ended,
    /// There is none here.
    None,
}

impl Session {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Live, Self::Interrupted, Self::Ended, Self::None];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Interrupted => "interrupted",
            Self::Ended => "ended",
            Self::None => "none",
        }
    }
}

/// Another connector of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Whether it is heard.
    pub life: Life,
}

/// Whether another connector is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    /// It was heard not long ago.
    Alive,
    /// It is taken for dead, or was never heard.
    Dead,
}

impl Life {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Alive, Self::Dead];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Dead => "dead",
        }
    }
}

/// Why something is not believed that was told in another connector's name.
pub const DROPPED: [Dropped; 12] = [
    Dropped::TooLong,
    Dropped::NoHead,
    Dropped::TooNew,
    Dropped::Own,
    Dropped::Twin,
    Dropped::Stranger,
    Dropped::Forged,
    Dropped::OldEpoch,
    Dropped::Replayed,
    Dropped::Unproven,
    Dropped::Unreadable,
    Dropped::UnknownKind,
];

/// How much a connector takes in hand; zero is none told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests that are not answered.
    pub requests: usize,
    /// Agents.
    pub agents: usize,
    /// Events and answers that no broker has accepted.
    pub unsent: usize,
    /// Requests that are remembered.
    pub recent: usize,
}
