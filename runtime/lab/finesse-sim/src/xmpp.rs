//! The notification service: XMPP over TCP, WebSocket and BOSH.

pub(crate) mod bosh;
mod late;
mod scram;
mod splitter;
pub(crate) mod stream;
mod talk;
pub(crate) mod web;
