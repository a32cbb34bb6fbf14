//! What tests with whole topologies share: topologies compiled for loopback, room for their brokers, and patience.

mod loopback;
mod room;

use std::time::{Duration, Instant};

use topoc_lab::PATIENCE;

pub(crate) use loopback::{Loopback, Topology};
pub(crate) use room::Room;

/// Looks until there is something to return; gives up after the usual patience.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
