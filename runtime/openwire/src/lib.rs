//! A native client of ActiveMQ Classic for tokio: OpenWire 12, the failover transport with all its options, TLS.
//!
//! ```no_run
//! use topoc_openwire::{AckMode, Connection, Destination, Outgoing};
//!
//! # async fn run() -> Result<(), topoc_openwire::Error> {
//! let connection = Connection::open("failover:(tcp://amq-1:61616,tcp://amq-2:61616)?randomize=false").await?;
//! let session = connection.session(AckMode::Auto).await?;
//! let queue = Destination::queue("GC.REQUESTS");
//! session.producer(&queue).await?.send(Outgoing::text("hello")).await?;
//! let mut consumer = session.consumer(&queue).priority(127).open().await?;
//! println!("{:?}", consumer.receive().await?.text()?);
//! connection.close().await
//! # }
//! ```
//!
//! A connection is one task that owns its socket. While brokers come and go it stays what it is: sessions, consumers,
//! producers and temporary destinations are made anew at each broker, commands that had no answer are sent again, and what
//! cannot be known (a commit whose answer was lost, a message that will come again) is said.
//!
//! What is different from ActiveMQ's own client is listed in this crate's README.

mod config;
mod connection;
mod consumer;
mod engine;
mod error;
mod inbox;
mod list;
mod message;
mod producer;
mod request;
mod session;
#[cfg(test)]
mod simulated;
mod socket;
mod surroundings;
mod wire;

pub use config::Config;
pub use connection::{Connection, Place, Status};
pub use consumer::{Consumer, ConsumerBuilder};
pub use error::{Error, Refusal, RefusalKind};
pub use message::{Delivery, Outgoing};
pub use producer::{Producer, Sending};
pub use request::Requester;
pub use session::Session;
pub use topoc_openwire_proto::acks::{AckMode, RedeliveryPolicy};
pub use topoc_openwire_proto::body::Body;
pub use topoc_openwire_proto::destination::Destination;
pub use topoc_openwire_proto::id::MessageId;
pub use topoc_openwire_proto::primitive::{Map, Value};
pub use topoc_tls::{TlsConfig, TlsError};

/// The programs in the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
