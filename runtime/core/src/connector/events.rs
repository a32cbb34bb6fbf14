//! What the connector's machine is told, and what it orders.

use std::fmt;
use std::time::Duration;

use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::dialog::Dialog;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Command, Credentials};
use topoc_finesse_proto::session::{Change, End};
use topoc_finesse_proto::user::User;

use super::address::Address;
use crate::destination::Destination;
use crate::event::{self, Service};
use crate::recent::Record;

/// A request in hand. The machine gives them out, and no two the same.
pub type Ticket = u64;

/// A request as the broker delivers it.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What the shell acknowledges it by.
    pub delivery: u64,
    /// `JMSMessageID`: the same for all deliveries.
    pub id: String,
    /// `JMSType`.
    pub jms_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// `JMSCorrelationID`.
    pub correlation: Option<String>,
    /// `JMSReplyTo`, as [`Address`] reads it.
    pub reply_to: Option<String>,
    /// `JMSRedelivered`.
    pub redelivered: bool,
    /// Whether it has come over a bridge between brokers, which forgets whether it was delivered before.
    pub crossed: bool,
    /// `JMSTimestamp`.
    pub sent: Option<Duration>,
    /// `JMSExpiration`.
    pub expires: Option<Duration>,
}

/// Without the body: it may hold a password.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("delivery", &self.delivery).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Whether a password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is.
    Right,
    /// It is not.
    Wrong,
    /// No server could say it.
    Unknown,
}

/// An agent and their calls, as Finesse told them on one question each.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The agent: `GET User`.
    pub user: Box<User>,
    /// Their calls: `GET Dialogs`.
    pub dialogs: Vec<Dialog>,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The broker delivered a request.
    Requested(Box<Message>),
    /// The connection to the broker was lost: what was delivered over it cannot be acknowledged any more, and is delivered again,
    /// here or elsewhere. What was to be sent is sent over the next one.
    BrokerLost,
    /// The broker has accepted the record of a claim.
    Recorded(Ticket),
    /// What came of [`Order::Prove`].
    Proved(Ticket, Proof),
    /// What came of [`Order::Ask`].
    Came(Ticket, Outcome),
    /// The broker has accepted one [`Order::Publish`], which was about this agent.
    Published(Option<String>),
    /// Something is otherwise than was told before of this agent.
    Changed(String, Change),
    /// Finesse has accepted a request of this agent and could not do it.
    Failed {
        /// The agent's id.
        agent: String,
        /// The request's `requestId`, where Finesse repeats it.
        request_id: Option<String>,
        /// Finesse's own words.
        error: Box<ApiError>,
    },
    /// How Finesse as a whole is doing.
    Serves(Service),
    /// What came of [`Order::Look`]: the agent and their calls; none if no server of Finesse said it.
    Seen(Ticket, Option<Seen>),
    /// Another connector of the deployment has told this.
    Peer(Record),
    /// Whether other connectors may have taken requests of which we do not know, and since when nothing was heard of them: then one
    /// that is delivered again, or was sent before and lay somewhere, is in doubt.
    Blind(Option<Duration>),
    /// Nobody can tell any more what another connector took up to now.
    Missed,
    /// Another connector has told all that it remembers of requests claimed since then.
    Learned(Duration),
    /// An agent is ours: taken over from another connector, which had their password proven, or otherwise than before.
    Adopted {
        /// The agent's id.
        agent: String,
        /// How they prove who they are; none where there is to be no session.
        credentials: Option<Credentials>,
        /// Where their events go.
        client: Option<Destination>,
    },
    /// An agent is another connector's, which looks after them. Requests for them that come to us are done all the same.
    Released {
        /// The agent's id.
        agent: String,
        /// How they prove who they are; without these and a client, nobody knows them any more.
        credentials: Option<Credentials>,
        /// Where their events go.
        client: Option<Destination>,
    },
    /// Nothing but that the moment of [`Connector::wakes_at`](super::Connector::wakes_at) has come.
    Time,
}

/// What is to be done, in this order. What goes to the broker goes over one connection, so that it keeps the order.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Take no requests from the consumer for now: they stay at the broker.
    Pause,
    /// Take requests again.
    Resume,
    /// Take nothing that Finesse tells of agents for now. Answers are taken.
    Hold,
    /// Take it again.
    Release,
    /// Tell the other connectors, and say when the broker has accepted it.
    Record(Ticket, Record),
    /// Tell the other connectors.
    Share(Record),
    /// Tell the other connectors what an agent's session needs, and where their events go. Without both the agent is forgotten.
    Bound {
        /// The agent's id.
        agent: String,
        /// How they prove who they are.
        credentials: Option<Credentials>,
        /// Where their events go.
        client: Option<Destination>,
    },
    /// Tell the other connectors that an agent's session has ended.
    Ended(String, End),
    /// Ask Finesse once for the agent with these credentials, beside any session, and say whether they are right.
    Prove(Ticket, String, Credentials),
    /// Ask Finesse once for the agent and for their calls with these credentials, beside any session, and say what it tells.
    Look(Ticket, String, Credentials),
    /// Look after an agent with these credentials, or go on with them.
    Start(String, Credentials),
    /// Look after the agent no more.
    Leave(String),
    /// Ask Finesse for this, and say what came of it.
    Ask {
        /// The request.
        ticket: Ticket,
        /// The agent's id.
        agent: String,
        /// What.
        command: Command,
        /// `requestId`, by which a later [`Event::Failed`] names it.
        request_id: String,
        /// When it is of no use any more.
        deadline: Duration,
        /// Ask with these beside any session, as another connector has it; without them, over the agent's session.
        beside: Option<Credentials>,
    },
    /// Send this to there, and say when the broker has accepted it.
    Publish(Address, Box<event::Event>),
    /// Acknowledge this delivery.
    Acknowledge(u64),
    /// Hand this delivery to the broker's dead letters: it names nobody who could be answered.
    Refuse(u64),
}
