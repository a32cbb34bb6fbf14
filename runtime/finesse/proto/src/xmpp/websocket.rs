//! XMPP over WebSocket (RFC 7395): each message is one element, and streams begin and end with `<open/>` and `<close/>`.

pub mod frame;
pub mod handshake;

use super::{Piece, ns};
use crate::xml::{self, Element, Limits, XmlError};

/// The beginning of a stream to a domain.
#[must_use]
pub fn opening(domain: &str) -> String {
    Element::new("open", ns::FRAMING).with("to", domain).with("version", "1.0").to_string()
}

/// The end of a stream.
#[must_use]
pub fn closing() -> String {
    Element::new("close", ns::FRAMING).to_string()
}

/// What a message of the peer means.
///
/// # Errors
///
/// As [`xml::read`].
pub fn read(text: &str, limits: Limits) -> Result<Piece, XmlError> {
    let element = xml::read(text, limits)?;
    Ok(if element.is("open", ns::FRAMING) {
        Piece::Opened(element)
    } else if element.is("close", ns::FRAMING) {
        Piece::Closed
    } else {
        Piece::Stanza(element)
    })
}
