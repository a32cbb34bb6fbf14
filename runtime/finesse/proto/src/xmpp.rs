//! The notification service of Finesse, which is XMPP: one agent's session, over TCP, WebSocket or BOSH.
//!
//! [`machine`] decides what is said and what an answer means; it is the same for the three transports. What they differ in,
//! how a stream begins and ends and where a stanza stops, is in [`tcp`], [`websocket`] and [`bosh`].

pub mod bosh;
pub mod end;
pub mod jid;
pub mod machine;
pub mod options;
pub mod sasl;
pub mod stanza;
pub mod tcp;
pub mod websocket;

use crate::xml::{Element, Limits};

/// What a stanza may hold: a quarter of a megabyte, 32 deep, 8,000 elements of 32 attributes each. The largest that Finesse sends,
/// a list of an agent's dialogs, has some tens of kilobytes, and nearly all of it is one escaped text.
pub const LIMITS: Limits = Limits { bytes: 256 << 10, depth: 32, elements: 8_000, attributes: 32 };

/// A thing that a transport has received whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The peer has begun a stream; its header.
    Opened(Element),
    /// A stanza, or another element right inside of the stream.
    Stanza(Element),
    /// The peer has ended the stream.
    Closed,
}

/// Namespaces.
pub(crate) mod ns {
    /// RFC 6120, 4.8.2
    pub(crate) const CLIENT: &str = "jabber:client";
    /// RFC 6120, 4.8.1
    pub(crate) const STREAM: &str = "http://etherx.jabber.org/streams";
    /// RFC 6120, 8.3.2
    pub(crate) const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
    /// RFC 6120, 5.4.1
    pub(crate) const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
    /// RFC 6120, 6.4.1
    pub(crate) const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
    /// RFC 6120, 7.4
    pub(crate) const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
    /// RFC 3921, 3
    pub(crate) const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
    /// XEP-0199
    pub(crate) const PING: &str = "urn:xmpp:ping";
    /// XEP-0060
    pub(crate) const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
    /// XEP-0060, 7.1.2.1
    pub(crate) const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
    /// What Finesse wraps its notifications in (finesse developer guide, "Notifications"; captured stanzas).
    pub(crate) const PUSH: &str = "urn:xmpp:push:0";
    /// RFC 7395, 3.3.2
    pub(crate) const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
    /// XEP-0124, 4
    pub(crate) const BOSH: &str = "http://jabber.org/protocol/httpbind";
}
