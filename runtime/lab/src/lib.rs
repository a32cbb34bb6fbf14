//! Real brokers on loopback, a real Java client, a network that can fail and the XML schemas of each release, for the tests
//! that need them.
//!
//! ```no_run
//! use topoc_lab as lab;
//!
//! # fn main() -> Result<(), lab::LabError> {
//! let release = lab::release("6.3.1")?;
//! let dir = std::path::Path::new("work");
//! let broker = lab::Broker::start(&release, &dir.join("activemq.xml"), dir)?;
//! broker.wait_started(lab::PATIENCE)?;
//! broker.terminate(lab::PATIENCE)?;
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here waits longer than it is told to, and every process that is started here ends with its handle: also when
//! a test panics, and when the test itself is killed. Brokers are fetched by `runtime/lab/fetch`, which `./test` calls;
//! without them every call fails (a test that finds no broker must fail, not skip).

mod broker;
mod cache;
mod certificates;
mod database;
mod error;
mod java;
mod link;
mod load;
mod log;
mod plain;
mod ports;
mod process;
mod program;
mod prosody;
mod schema;
mod secrets;
mod wait;

use std::time::Duration;

pub use broker::{Broker, Launch};
pub use cache::{Release, release};
pub use certificates::Certificates;
pub use database::Database;
pub use error::LabError;
pub use java::{
    Acknowledge, Body, Draft, End, Java, Message, Numbers, Receiver, Seen, Sighting, Tally, Value, Watcher, frames,
};
pub use link::Link;
pub use load::{Latency, Load, LoadReport, load};
pub use log::Mark;
pub use plain::Plain;
pub use ports::ports;
pub use program::{Program, output};
pub use prosody::Prosody;
pub use schema::{Schema, schema, validate_xml};
pub use secrets::secrets_in;
pub use wait::until;

/// How long a test waits for something that should come soon, on a machine that may be very busy.
pub const PATIENCE: Duration = Duration::from_secs(60);
