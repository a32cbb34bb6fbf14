//! How the connectors of a deployment keep each other informed: who lives, who owns which agent, and which requests were taken.
//!
//! All is values: bytes of the deployment's topic in, bytes for it out, and what is to be done about agents. What it keeps to:
//!
//! * **Nothing is believed that is not sealed** with the deployment's key ([`seal`]), comes twice, or is older than our own start: of a
//!   connector that we have not met since, the first message that counts is one that names our start. What does not count is
//!   dropped and counted ([`Dropped`]).
//! * **A session moves when its owner is gone**: not heard for [`Times::dead`] by us nor by anybody whom we hear; or when it hands
//!   it over, because it ends, or because the primary of an active-passive deployment is back for good. Which survivor takes an
//!   agent over is decided alike by all.
//! * **Both sides of a healed split come to the same**, as what they know is merged by a maximum ([`Table`]).
//! * **Who cannot know says so** ([`Order::Blind`]): while a connector was not heard for [`Times::fresh`], or something of it was lost, a
//!   request that is delivered again, or was sent before and lay somewhere, may have been done by it. What is left is a link that is
//!   cut between two of three connectors, and the one of them that claims a request lost as well, both within that time.
//! * **Whoever is not heard is listened to anew** ([`Order::Listen`]), as a bridge between brokers can miss a subscription.
//! * **Nothing piles up**: the table is bounded, what changed is a set, snapshots are asked for piece by piece.

mod machine;
mod merging;
mod message;
mod owning;
mod peer;
mod pulling;
pub mod seal;
mod settings;
mod table;

pub use machine::{Event, Order, Sync};
pub use message::{Ask, Cursor, Hello, Message, Piece, Stage};
pub use peer::PeerView;
pub(crate) use pulling::collect;
pub use seal::Dropped;
pub use settings::{Mode, Settings, Times};
pub use table::{Card, Entry, FORGOTTEN, Merged, Seat, Table};
