//! What tests with whole topologies share: topologies compiled for loopback, and room for their brokers.

mod loopback;
mod room;

pub(crate) use loopback::{Loopback, Topology};
pub(crate) use room::Room;
