//! A topology on loopback for tests: compiled, its brokers, links between its sites, a simulated Finesse, and its connectors'
//! programs.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test may stop at the first thing that is not there"
)]

mod connector;
mod look;
mod loopback;
mod room;
mod stage;

pub use connector::Connector;
pub use look::look;
pub use loopback::{Loopback, Surroundings, Topology};
pub use room::Room;
pub use stage::Stage;
