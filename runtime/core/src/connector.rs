//! The connector's machine: requests of clients in, orders for the shell out; no clock, no sockets, no chance.
//!
//! Requests of an agent are dealt with one after the other until Finesse is asked; what Finesse does in which order is the
//! business of [`topoc_finesse_proto::line`]. What it keeps to:
//!
//! * **Asked at most once.** A request that changes something is claimed, and Finesse is asked when the broker has accepted the
//!   record of the claim, not before. Whoever gets the request a second time knows of the claim, and asks no more.
//! * **Doubt is told.** One that may have been asked for is answered by what Finesse shows: done, where its goal is reached; not
//!   done, where that could not have been undone and nobody can still be asking; else `outcome-unknown`. It holds nobody up.
//! * **Every request is answered**, also one that is expired, and acknowledged when its answer has been handed to the broker. One
//!   that tells nobody to answer goes to the broker's dead letters.
//! * **A stranger gets nothing by a guess.** Who binds or signs in an agent proves the password by one `GET User`, beside the
//!   session that there is. Nobody can have the connector's own queue for a reply.
//! * **Nothing piles up.** Requests in hand, agents, and what the broker has not accepted yet are counted; what is too much stays
//!   at the broker ([`Order::Pause`]) and at Finesse ([`Order::Hold`]).
//!
//! Times are since the Unix epoch, as in [`recent`](crate::recent).

mod address;
mod agent;
mod answers;
mod asking;
mod binding;
mod doubting;
mod events;
mod judging;
mod machine;
mod requests;
mod settings;
mod table;
mod telling;

pub use address::Address;
pub use events::{Event, Message, Order, Proof, Seen, Ticket};
pub use machine::Connector;
pub use settings::{GRACE, LONGEST_ID, Limits, Settings};
pub use table::{Cause, Phase, TRANSITIONS};
