//! Where events of an agent go: a client's own topic or queue, as `Connect` names it.

use std::fmt;
use std::str::FromStr;

/// Longest name of a destination, in bytes. Ours: ActiveMQ has no limit, and names are keys of every broker's memory.
pub const LONGEST: usize = 255;

/// A topic or a queue to which a client listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// A topic: what a bare name means (`GC listens on AMQ queue destination; client is expected to subscribe on AMQ topic
    /// destination`, developer guide of the Generic Connector 4.4.12).
    Topic(String),
    /// A queue, written `queue://NAME`.
    Queue(String),
}

/// Why a text names no destination to which a connector sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDestination {
    /// There is no name.
    Empty,
    /// It is longer than [`LONGEST`].
    TooLong,
    /// It has a character that ActiveMQ gives a meaning of its own: `,` (several), `?` (options), `*` and `>` (patterns), `#`, blanks.
    Character(char),
    /// It begins with `ActiveMQ.`: the broker's own messages travel there.
    Broker,
}

impl FromStr for Destination {
    type Err = NoDestination;

    fn from_str(text: &str) -> Result<Self, NoDestination> {
        let text = text.trim();
        let (queue, name) = match (text.strip_prefix("queue://"), text.strip_prefix("topic://")) {
            (Some(name), _) => (true, name),
            (None, Some(name)) => (false, name),
            (None, None) => (false, text),
        };
        let means_something =
            |letter: &char| letter.is_control() || letter.is_whitespace() || ",?*>#:".contains(*letter);
        match name.chars().find(means_something) {
            _ if name.is_empty() => Err(NoDestination::Empty),
            _ if name.len() > LONGEST => Err(NoDestination::TooLong),
            Some(letter) => Err(NoDestination::Character(letter)),
            None if name.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("ActiveMQ.")) => {
                Err(NoDestination::Broker)
            }
            None if queue => Ok(Self::Queue(name.to_owned())),
            None => Ok(Self::Topic(name.to_owned())),
        }
    }
}

/// As it is written: `NAME`, `queue://NAME`.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => f.write_str(name),
            Self::Queue(name) => write!(f, "queue://{name}"),
        }
    }
}

impl fmt::Display for NoDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it has no name"),
            Self::TooLong => write!(f, "it is longer than {LONGEST} bytes"),
            Self::Character(letter) => write!(f, "it contains {letter:?}"),
            Self::Broker => write!(f, "names that begin with `ActiveMQ.` are the broker's own"),
        }
    }
}

impl std::error::Error for NoDestination {}
