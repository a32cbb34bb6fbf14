//! A client of Cisco Finesse on tokio: sockets, TLS, time and chance for the protocol of `topoc-finesse-proto`.

pub mod client;
pub mod rest;
pub mod xmpp;
