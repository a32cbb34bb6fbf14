//! The failover transport as a value: which broker to dial when, and what to do when one is lost.
//!
//! Events go in, orders come out; time is what the caller says it is, and chance is the caller's too. The algorithm is that
//! of ActiveMQ's `FailoverTransport` (5.6 to 6.3.1, in which it did not change), with three deliberate differences, all in
//! favour of who waits for an answer:
//!
//! * a lost connection ends the wait for the next look at the priority broker. Java's worker sleeps on, up to
//!   `maxReconnectDelay`, before it sees the loss;
//! * the first delay after a loss is `initialReconnectDelay`. Java goes on with the delay that looking for the priority
//!   broker has grown to;
//! * a broker that accepts a connection and does not let the client in counts as lost where there is another one to go to, and is not
//!   gone back to for a minute ([`Event::Mute`]). Java waits for as long as it takes, which can be minutes: a broker lets nobody
//!   in before the former connection of the same client has ended (`TransportConnection.processAddConnection`).
//!
//! Opening a transport means everything until commands can be exchanged: name, socket, TLS and the formats of both sides.
//! A spare is open in that sense and registered nowhere: only one connection is ever known to a broker.

mod machine;
mod options;

pub use crate::option::OptionError;
pub use machine::{Attempt, Event, Failover, Order, Phase, World};
pub use options::{Attempts, Options};
