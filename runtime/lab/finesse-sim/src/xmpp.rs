//! The notification service: XMPP over TCP, WebSocket and BOSH.

mod scram;
mod splitter;
pub(crate) mod stream;
mod talk;
