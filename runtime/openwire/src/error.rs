//! What can go wrong, and what a broker says when it refuses something.

use std::fmt;
use std::time::Duration;

use topoc_openwire_proto::command::Throwable;
use topoc_openwire_proto::uri::UriError;
use topoc_openwire_proto::{DecodeError, EncodeError, OptionError};
use topoc_tls::TlsError;

/// Why something did not work.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The URI is none.
    Uri(UriError),
    /// An option in the URI cannot be used.
    Option(OptionError),
    /// Certificates or keys cannot be used.
    Tls(TlsError),
    /// The broker has refused it.
    Refused(Refusal),
    /// There is no connection and no attempt will be made any more; why.
    Disconnected(String),
    /// It was closed here.
    Closed,
    /// The broker has closed the consumer.
    ConsumerEnded,
    /// The time that an option gives was over; what was waited for, and how long.
    TimedOut(&'static str, Duration),
    /// So many messages were received over a connection that is lost: they cannot be acknowledged, and will come again.
    WillComeAgain(usize),
    /// Whether a transaction was committed is not known, or it was rolled back because a connection was lost; what is known.
    RolledBack(String),
    /// What is asked for has no meaning here.
    Misuse(&'static str),
    /// A message that was received cannot be read.
    Decode(DecodeError),
    /// A message that is to be sent has no room for something.
    Encode(EncodeError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(error) => write!(f, "the URI {error}"),
            Self::Option(error) => error.fmt(f),
            Self::Tls(error) => write!(f, "TLS cannot be set up: {error}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Disconnected(reason) => write!(f, "not connected: {reason}"),
            Self::Closed => f.write_str("it was closed"),
            Self::ConsumerEnded => f.write_str("the broker has closed the consumer"),
            Self::TimedOut(what, limit) => write!(f, "{what} took longer than {} ms", limit.as_millis()),
            Self::WillComeAgain(count) => {
                write!(f, "{count} message(s) came over a connection that was lost since: they will come again")
            }
            Self::RolledBack(reason) => write!(f, "the transaction was rolled back: {reason}"),
            Self::Misuse(what) => f.write_str(what),
            Self::Decode(error) => write!(f, "the message cannot be read: {error}"),
            Self::Encode(error) => write!(f, "the message cannot be written: {error}"),
        }
    }
}

impl std::error::Error for Error {}

macro_rules! from {
    ($($type:ty => $variant:ident)*) => {$(
        impl From<$type> for Error {
            fn from(error: $type) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    UriError => Uri
    OptionError => Option
    TlsError => Tls
    Refusal => Refused
    DecodeError => Decode
    EncodeError => Encode
}

/// What a broker says when it refuses something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of refusal it is.
    pub kind: RefusalKind,
    /// The Java class of the exception, such as `javax.jms.InvalidSelectorException`.
    pub class: String,
    /// What the broker says.
    pub message: String,
}

/// Kinds of refusals, as far as a program may want to tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// User, password or rights.
    Security,
    /// Somebody else is connected with this client id.
    ClientId,
    /// No such destination, or none that this connection may use.
    Destination,
    /// A selector that is none.
    Selector,
    /// The broker is full: memory, store or connections.
    Resources,
    /// A transaction that is rolled back.
    RolledBack,
    /// Anything else.
    Other,
}

/// Java's classes without their package, which is `javax.jms` up to 5.18 and `jakarta.jms` in 6.
const KINDS: [(&str, RefusalKind); 9] = [
    ("SecurityException", RefusalKind::Security),
    ("JMSSecurityException", RefusalKind::Security),
    ("InvalidClientIDException", RefusalKind::ClientId),
    ("InvalidDestinationException", RefusalKind::Destination),
    ("DestinationDoesNotExistException", RefusalKind::Destination),
    ("InvalidSelectorException", RefusalKind::Selector),
    ("ResourceAllocationException", RefusalKind::Resources),
    ("ExceededMaximumConnectionsException", RefusalKind::Resources),
    ("TransactionRolledBackException", RefusalKind::RolledBack),
];

impl Refusal {
    /// What an exception says.
    #[must_use]
    pub(crate) fn of(exception: Option<Throwable>) -> Self {
        let Throwable { class, message } = exception.unwrap_or_default();
        let class = class.unwrap_or_default();
        let name = class.rsplit('.').next().unwrap_or_default();
        let kind = KINDS.iter().find(|(known, _)| *known == name).map_or(RefusalKind::Other, |(_, kind)| *kind);
        Self { kind, class, message: message.unwrap_or_default() }
    }

    /// As an error: a transaction that was rolled back is one of its own.
    pub(crate) fn into_error(self) -> Error {
        if self.kind == RefusalKind::RolledBack { Error::RolledBack(self.message) } else { Error::Refused(self) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the broker refuses: {} ({})", self.message, self.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_whatever_the_package() {
        for (class, kind) in [
            ("java.lang.SecurityException", RefusalKind::Security),
            ("javax.jms.InvalidSelectorException", RefusalKind::Selector),
            ("jakarta.jms.InvalidSelectorException", RefusalKind::Selector),
            ("java.lang.NullPointerException", RefusalKind::Other),
        ] {
            let refusal = Refusal::of(Some(Throwable { class: Some(class.to_owned()), message: None }));
            assert_eq!(refusal.kind, kind, "{class}");
        }
        assert_eq!(Refusal::of(None).kind, RefusalKind::Other);
    }
}
