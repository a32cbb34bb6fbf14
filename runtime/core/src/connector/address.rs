//! Where answers go: a client's destination, or a temporary one that it made.

use std::fmt;
use std::str::FromStr;

use crate::destination::{Destination, LONGEST, NoDestination};

/// Where something is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// A topic or a queue with a name that people gave it.
    Named(Destination),
    /// A temporary queue, by the name that the client library gave it.
    TemporaryQueue(String),
    /// A temporary topic, likewise.
    TemporaryTopic(String),
}

/// As ActiveMQ writes it (`ActiveMQDestination.getQualifiedName` of ActiveMQ Classic): `queue://NAME`, `topic://NAME`,
/// `temp-queue://NAME`, `temp-topic://NAME`. A bare name is a topic.
impl FromStr for Address {
    type Err = NoDestination;

    fn from_str(text: &str) -> Result<Self, NoDestination> {
        let temporary = |name: &str| match name.chars().find(|letter| letter.is_control() || ",?*>".contains(*letter)) {
            _ if name.is_empty() => Err(NoDestination::Empty),
            _ if name.len() > LONGEST => Err(NoDestination::TooLong),
            Some(letter) => Err(NoDestination::Character(letter)),
            None => Ok(name.to_owned()),
        };
        match (text.strip_prefix("temp-queue://"), text.strip_prefix("temp-topic://")) {
            (Some(name), _) => temporary(name).map(Self::TemporaryQueue),
            (None, Some(name)) => temporary(name).map(Self::TemporaryTopic),
            (None, None) => text.parse().map(Self::Named),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(destination) => destination.fmt(f),
            Self::TemporaryQueue(name) => write!(f, "temp-queue://{name}"),
            Self::TemporaryTopic(name) => write!(f, "temp-topic://{name}"),
        }
    }
}
