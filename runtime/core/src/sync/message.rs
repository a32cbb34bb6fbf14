//! What connectors tell each other, and how it is written inside the envelope: JSON, whose unknown fields are passed over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use topoc_finesse_proto::rest::Credentials;
use topoc_finesse_proto::secret::Secret;
use zeroize::Zeroizing;

use super::table::{Card, Entry, Seat};
use crate::event::Told;
use crate::recent::Record;

/// Longest id of an agent that is believed, in bytes. Ours.
const LONGEST_AGENT: usize = 512;

/// What a connector does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It learns what the others know.
    #[default]
    Joining,
    /// It works.
    Serving,
    /// It hands everything over, and ends.
    Leaving,
}

/// A sign of life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    /// The highest version that the sender reads.
    pub speaks: u32,
    /// The priority of its consumer.
    pub priority: i8,
    /// What it does.
    pub stage: Stage,
    /// Agents that it owns.
    pub agents: u64,
    /// What it knows of all agents, in one number ([`Table::digest`](super::Table::digest)).
    pub digest: u64,
    /// Whom it has heard: the epoch, and how long ago, in milliseconds.
    pub heard: BTreeMap<String, (u64, u64)>,
}

/// Where a snapshot goes on: a place in the agents, or in the records behind them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cursor {
    /// Behind this agent; from the first where it is empty.
    Agents(String),
    /// Behind this request: when it was claimed, in nanoseconds, and its id.
    Records(u64, String),
}

/// Asks one connector for a piece of what it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Whom.
    pub of: String,
    /// Which snapshot of the asker's this is.
    pub pull: u64,
    /// From where.
    pub from: Cursor,
}

/// A piece of what a connector knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Who asked for it.
    pub to: String,
    /// [`Ask::pull`].
    pub pull: u64,
    /// [`Ask::from`].
    pub from: Cursor,
    /// Where the next one begins; none behind the last.
    pub next: Option<Cursor>,
    /// [`Recent::horizon`](crate::recent::Recent::horizon).
    pub horizon: Duration,
    /// Agents.
    pub agents: Vec<(String, Entry)>,
    /// Requests.
    pub records: Vec<Record>,
}

/// What connectors tell each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A sign of life.
    Hello(Hello),
    /// What is otherwise of agents.
    Agents(Vec<(String, Entry)>),
    /// What is otherwise of requests.
    Records(Vec<Record>),
    /// A question for a piece of a snapshot.
    Ask(Ask),
    /// A piece of a snapshot.
    Piece(Piece),
    /// The sender ends, and has handed everything over.
    Bye,
}

#[derive(Serialize, Deserialize)]
struct WireAgent {
    agent: String,
    term: u64,
    #[serde(default)]
    priority: i8,
    owner: String,
    version: u64,
    #[serde(default)]
    epoch: u64,
    writer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<WireCredentials>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<String>,
}

/// One of the two; none of another kind that a newer release may have.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct WireCredentials {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Zeroizing<String>>,
}

#[derive(Serialize, Deserialize)]
struct WireRecord {
    id: String,
    at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct WirePiece {
    to: String,
    pull: u64,
    from: Cursor,
    #[serde(default)]
    next: Option<Cursor>,
    horizon: u64,
    #[serde(default)]
    agents: Vec<WireAgent>,
    #[serde(default)]
    records: Vec<WireRecord>,
}

/// A time as it is written: nanoseconds since the Unix epoch, which reach to the year 2554.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Message {
    /// The word for it in a head.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Agents(_) => "agents",
            Self::Records(_) => "records",
            Self::Ask(_) => "ask",
            Self::Piece(_) => "piece",
            Self::Bye => "bye",
        }
    }

    /// The body. It may hold passwords.
    #[must_use]
    pub fn write(&self) -> Zeroizing<Vec<u8>> {
        let json = match self {
            Self::Hello(hello) => serde_json::to_vec(hello),
            Self::Agents(agents) => serde_json::to_vec(&write_agents(agents)),
            Self::Records(records) => serde_json::to_vec(&write_records(records)),
            Self::Ask(ask) => serde_json::to_vec(ask),
            Self::Piece(piece) => serde_json::to_vec(&WirePiece {
                to: piece.to.clone(),
                pull: piece.pull,
                from: piece.from.clone(),
                next: piece.next.clone(),
                horizon: nanos(piece.horizon),
                agents: write_agents(&piece.agents),
                records: write_records(&piece.records),
            }),
            Self::Bye => Ok(b"{}".to_vec()),
        };
        Zeroizing::new(json.expect("texts, numbers and lists of them can always be written"))
    }

    /// Reads a body of this kind. `None` if there is no such kind; `Some(None)` if it cannot be read.
    #[must_use]
    pub fn read(kind: &str, body: &[u8]) -> Option<Option<Self>> {
        Some(match kind {
            "hello" => serde_json::from_slice(body).ok().map(Self::Hello),
            "agents" => serde_json::from_slice(body).ok().map(|agents| Self::Agents(read_agents(agents))),
            "records" => serde_json::from_slice(body).ok().map(|records| Self::Records(read_records(records))),
            "ask" => serde_json::from_slice(body).ok().map(Self::Ask),
            "piece" => serde_json::from_slice(body).ok().map(|piece: WirePiece| {
                Self::Piece(Piece {
                    to: piece.to,
                    pull: piece.pull,
                    from: piece.from,
                    next: piece.next,
                    horizon: Duration::from_nanos(piece.horizon),
                    agents: read_agents(piece.agents),
                    records: read_records(piece.records),
                })
            }),
            "bye" => Some(Self::Bye),
            _ => return None,
        })
    }
}

fn write_agents(agents: &[(String, Entry)]) -> Vec<WireAgent> {
    let write = |(agent, entry): &(String, Entry)| WireAgent {
        agent: agent.clone(),
        term: entry.seat.term,
        priority: entry.seat.priority,
        owner: entry.seat.owner.to_string(),
        version: entry.card.version,
        epoch: entry.card.epoch,
        writer: entry.card.writer.to_string(),
        credentials: entry.card.credentials.as_ref().map(write_credentials),
        client: entry.card.client.as_ref().map(ToString::to_string),
    };
    agents.iter().map(write).collect()
}

fn write_credentials(credentials: &Credentials) -> WireCredentials {
    let secret = |secret: &Secret| Some(Zeroizing::new(secret.expose().to_owned()));
    match credentials {
        Credentials::Basic { user, password } => {
            WireCredentials { user: Some(user.clone()), password: secret(password), token: None }
        }
        Credentials::Bearer(token) => WireCredentials { token: secret(token), ..WireCredentials::default() },
    }
}

fn read_agents(agents: Vec<WireAgent>) -> Vec<(String, Entry)> {
    let fits = |wire: &WireAgent| !wire.agent.is_empty() && wire.agent.len() <= LONGEST_AGENT;
    let read = |wire: WireAgent| {
        let seat = Seat { term: wire.term, priority: wire.priority, owner: wire.owner.into() };
        let card = Card {
            version: wire.version,
            epoch: wire.epoch,
            writer: wire.writer.into(),
            credentials: wire.credentials.and_then(read_credentials),
            client: wire.client.and_then(|client| client.parse().ok()),
        };
        (wire.agent, Entry { seat, card })
    };
    agents.into_iter().filter(fits).map(read).collect()
}

fn read_credentials(wire: WireCredentials) -> Option<Credentials> {
    let secret = |mut text: Zeroizing<String>| Secret::new(std::mem::take(&mut *text));
    match (wire.user, wire.password, wire.token) {
        (_, _, Some(token)) => Some(Credentials::Bearer(secret(token))),
        (Some(user), Some(password), None) => Some(Credentials::Basic { user, password: secret(password) }),
        _ => None,
    }
}

fn write_records(records: &[Record]) -> Vec<WireRecord> {
    let write = |record: &Record| match record {
        Record::Claimed { id, at } => WireRecord { id: id.clone(), at: nanos(*at), answer: None },
        Record::Answered { id, at, answer } => {
            WireRecord { id: id.clone(), at: nanos(*at), answer: serde_json::to_value(answer).ok() }
        }
    };
    records.iter().map(write).collect()
}

/// An answer that is not understood, of a newer release, is none: whoever gets the request again is told that nobody knows.
fn read_records(records: Vec<WireRecord>) -> Vec<Record> {
    let fits = |wire: &WireRecord| !wire.id.is_empty() && wire.id.len() <= crate::connector::LONGEST_ID;
    let read = |wire: WireRecord| {
        let at = Duration::from_nanos(wire.at);
        let answer: Option<Told> = wire.answer.and_then(|answer| serde_json::from_value(answer).ok());
        match answer {
            Some(answer) => Record::Answered { id: wire.id, at, answer: Box::new(answer) },
            None => Record::Claimed { id: wire.id, at },
        }
    };
    records.into_iter().filter(fits).map(read).collect()
}
