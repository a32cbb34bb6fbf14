//! Why a session is over, as far as a program wants to tell the reasons apart.

use std::fmt;

use super::machine::Phase;
use super::sasl::SaslError;
use crate::xml::{Element, XmlError};

/// How much of what a server says for people is kept, in characters.
const WORDS: usize = 200;

/// Why a session is over. None of them holds a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The program wanted it.
    Asked,
    /// The server does not let this agent in with this password (RFC 6120, 6.5): its condition, such as `not-authorized`. Finesse
    /// blocks an agent for five minutes after five of them.
    NotAuthorized {
        /// The condition, by its name.
        condition: String,
        /// What the server says of it; may be empty.
        text: String,
    },
    /// The server offers no mechanism that may be used: those that it offers. PLAIN may be used within TLS only.
    NoMechanism(Vec<String>),
    /// The server cannot be believed to be the one that has the agent's password.
    NotProven(SaslError),
    /// There is no TLS with this server: why.
    Tls(String),
    /// Another session of the same agent with the same resource has taken over (RFC 6120, 4.9.3.3).
    Conflict,
    /// The server has ended the stream with an error (RFC 6120, 4.9.3).
    Stream {
        /// The condition, by its name, such as `system-shutdown`.
        condition: String,
        /// What the server says of it; may be empty.
        text: String,
    },
    /// The server does not give the session an address (RFC 6120, 7.7): its condition.
    NotBound(String),
    /// The server, or its gateway, has ended the BOSH session (XEP-0124, 17): its condition.
    Bosh(String),
    /// The server has ended the stream without an error.
    Closed,
    /// The connection is gone, or could not be made: why.
    Lost(String),
    /// The server has not answered so many pings.
    Silent(u32),
    /// The session did not come further than this in time.
    Slow(Phase),
    /// What the server sends is no XML that is read.
    Malformed(XmlError),
    /// The server does what the protocol does not have.
    Unexpected(&'static str),
    /// The program does not take what the server has sent.
    NotTaken,
}

impl End {
    /// Whether to try the same again, after a pause, can help. It cannot where the server has refused who one is, and must not
    /// where another session has taken over: the two would throw each other out for ever.
    #[must_use]
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Asked | Self::NoMechanism(_) | Self::NotProven(_) | Self::Tls(_) | Self::Conflict => false,
            Self::NotAuthorized { condition, .. } => condition == "temporary-auth-failure",
            Self::Stream { condition, .. } => !matches!(
                condition.as_str(),
                "host-gone" | "host-unknown" | "not-authorized" | "policy-violation" | "unsupported-version"
            ),
            _ => true,
        }
    }

    /// What a `stream:error` means.
    pub(crate) fn of_stream(error: &Element) -> Self {
        let (condition, text) = condition(error);
        if condition == "conflict" { Self::Conflict } else { Self::Stream { condition, text } }
    }
}

/// The condition of an error, by its name, and the text beside it.
pub(crate) fn condition(error: &Element) -> (String, String) {
    let condition = error.elements().find(|child| child.name != "text");
    let condition = condition.map_or("undefined-condition", |child| child.name.as_str());
    let words: String = error.child_text("text").unwrap_or_default().chars().take(WORDS).collect();
    (condition.chars().take(WORDS).collect(), words)
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, condition: &str, text: &str| {
            if text.is_empty() { write!(f, "`{condition}`") } else { write!(f, "`{condition}` ({text})") }
        };
        match self {
            Self::Asked => f.write_str("the session was closed"),
            Self::NotAuthorized { condition, text } => {
                f.write_str("the server does not let the agent in: ")?;
                with(f, condition, text)
            }
            Self::NoMechanism(offered) => write!(
                f,
                "the server offers no way to authenticate that may be used here: {}",
                if offered.is_empty() { "none".to_owned() } else { offered.join(", ") }
            ),
            Self::NotProven(error) => write!(f, "the server cannot be believed: {error}"),
            Self::Tls(reason) => write!(f, "no TLS: {reason}"),
            Self::Conflict => f.write_str("another session with the same resource has taken over"),
            Self::Stream { condition, text } => {
                f.write_str("the server ended the stream: ")?;
                with(f, condition, text)
            }
            Self::NotBound(condition) => write!(f, "the server gives the session no address: `{condition}`"),
            Self::Bosh(condition) => write!(f, "the server ended the BOSH session: `{condition}`"),
            Self::Closed => f.write_str("the server closed the stream"),
            Self::Lost(reason) => write!(f, "the connection is lost: {reason}"),
            Self::Silent(pings) => write!(f, "the server did not answer {pings} pings"),
            Self::Slow(phase) => write!(f, "the server took too long ({})", phase.name()),
            Self::Malformed(error) => write!(f, "the server sends what cannot be read: {error}"),
            Self::Unexpected(what) => write!(f, "the server does not keep to the protocol: {what}"),
            Self::NotTaken => f.write_str("notifications were not taken in time"),
        }
    }
}

impl std::error::Error for End {}
