//! The whole client in virtual time: connection, sessions, consumers, producers and failover as programs use them, beside
//! brokers in memory that speak through the same codec. An hour of outages takes some milliseconds.

mod broker;
#[path = "../../proto/tests/support/mod.rs"]
mod chance;
mod closing;
mod faults;
mod net;
mod pulls;
mod refusals;

use std::time::Duration;

use tokio::time::timeout;

use self::net::Net;
use crate::{Config, Connection, Error, Status};

/// What should come at once, or after the longest delay between two attempts, has come by then, in virtual time.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs something in virtual time.
fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets can always be had").block_on(work)
}

/// A connection of this URI to the brokers of a net.
async fn connect(net: &Net, uri: &str) -> Result<Connection, Error> {
    Connection::within(Config::new(uri)?, net.surroundings()).await
}

/// Waits until a connection is where it should be.
async fn wait_status(connection: &Connection, is: impl FnMut(&Status) -> bool) -> Status {
    let mut watch = connection.watch();
    let status = timeout(PATIENCE, watch.wait_for(is)).await;
    status.unwrap_or_else(|_| panic!("it stays {:?}", connection.status())).unwrap().clone()
}
