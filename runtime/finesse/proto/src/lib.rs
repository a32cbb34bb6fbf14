//! Cisco Finesse as values: what goes over its REST interface and its notification service, and what to do when servers fail.
//! No sockets, no clock, no random source.
//!
//! Bytes come from strangers: every text is bounded in size, depth and number of elements before a tree is made of it, and no
//! entity is expanded but the five that XML itself knows.

pub mod api_error;
pub mod chance;
pub mod cluster;
pub mod dialog;
pub mod line;
pub mod notification;
pub mod our_reading;
pub mod reason_code;
mod record;
pub mod rest;
pub mod secret;
pub mod session;
pub mod system_info;
pub mod uri;
pub mod user;
pub mod xml;
pub mod xmpp;
