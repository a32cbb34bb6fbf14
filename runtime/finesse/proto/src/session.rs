//! One agent at Finesse: a notification session at the server in use, and what is known of the agent and their calls.
//!
//! After every new session the order is that of Cisco's own desktop (community answer on "Finesse Desktop High Availability
//! Failover"): notifications first, then `GET User`, then `GET Dialogs`; what was known is replaced, and only differences are
//! published. Events go in, orders come out; time is what the caller says it is, and chance is the caller's too.
//!
//! What it keeps to:
//!
//! * **One session.** Another is not opened before the one before is closed, or has been dropped after [`CLOSE_WITHIN`] because
//!   the server says nothing: a socket that is dropped delivers nothing any more. The server may believe in it for up to
//!   [`FORCED_WITHIN`] and then log the agent out.
//! * **Events and answers in their true order.** An event that came before a question is older than its answer. One that comes
//!   after the question, up to [`LATE`] after the answer, may be older or newer: the times of change that the same server wrote
//!   decide, and where they do not, everything is read again. Times of two servers are never compared.
//! * **A forced logout is undone** (reason 255 and its like, [`FORCED`]): the agent is signed in again and brought back to the
//!   state they had, unless signing out was their own wish, or a supervisor's. This never ends, and grows slower.
//! * **A wrong password is not tried again**: five tries lock the account for five minutes (Developer Guide 12.5(1), "User—Sign
//!   In to Finesse"). One that has been right before gets a single second try: a server that is about to fail may refuse it.
//! * **Who takes the session over has it.** A conflict ends it; nobody fights.

mod events;
mod forced;
mod known;
mod machine;
mod table;

pub use events::{Answer, Ask, Attempt, Connection, End, Event, Loss, Notice, Order, Refusal, Request, SignIn, Wish};
pub use forced::{FORCED, Forced, Reason};
pub use known::Change;
pub use machine::{ASK_WITHIN, CLOSE_WITHIN, FORCED_WITHIN, LATE, OPEN_WITHIN, Session};
pub use table::{Cause, Phase, TRANSITIONS};
