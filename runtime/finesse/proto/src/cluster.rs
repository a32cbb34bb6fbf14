//! Which server of a Finesse cluster is in use: one machine for all agents of a process.
//!
//! It asks every server's `SystemInfo` and hears from all agents' sessions, judges each server by Cisco's three signals
//! (`SystemInfo` says `IN_SERVICE`; notification sessions hold; user `finesse` is available: "Failure Scenarios" of the
//! Developer Guide 12.5(1)) and by silence and slowness, and orders which server agents use. Events go in, orders come out;
//! time is what the caller says it is, and chance is the caller's too.
//!
//! What it keeps to:
//!
//! * **Requests do not grow with agents.** Each server is asked every 5 to 10 seconds, and while something is amiss once or
//!   twice a second, however many agents there are.
//! * **No server is taken on old news.** A server that is to replace one that fails has said `IN_SERVICE` to a question that was
//!   asked after the failure. If the failed one answers first, everyone stays (as Cisco's own desktop does: Unified CCX Design
//!   Guide 11.0, "Smart Failover").
//! * **Whoever is told, moves soon.** A failure that a session tells of leads to the other server as soon as that one has
//!   answered: at most [`Settings::answer_within`]. One that only silence tells of is found in at most 10 s (until the next
//!   question) + 3 s + 1 s + 3 s (two questions without an answer).
//! * **No ping-pong.** After a switch the next one waits [`HOLDS`]: 5 s, then 10 s, 20 s, and 30 s from then on; each calm minute
//!   takes one step back. So two servers that fail in turn see at most 4 switches in a minute, later 2, and nobody is held
//!   longer than 30 s at a server that is out of service beside one that is in service.
//! * **Nobody is sent back.** A server that has returned is not gone back to: its agents would lose events, and mobile agents
//!   their phones, for nothing.
//! * **Planned maintenance moves agents in peace**: one after the other, and those in calls when their calls are over.

mod judging;
mod machine;
mod settings;
mod table;
mod turns;

pub use judging::{Judgement, Service};
pub use machine::{Answer, Cluster, Event, NodeId, Order, Poll, Sign, Who, Why};
pub use settings::{Deployment, HOLDS, Settings};
pub use table::{Cause, Phase, TRANSITIONS};
pub use turns::Turns;
