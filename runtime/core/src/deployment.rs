//! A connector among the others of its deployment: the machine of requests and the one that keeps connectors informed, as one value.
//! The shell tells it what happens, does what it orders, and decides nothing.
//!
//! **Whoever receives a request executes it.** Where another connector has the agent's session, Finesse is asked beside it with the
//! credentials that the agent proved there ([`Order::Look`], [`Order::Ask`] with `beside`). Answers come from whoever executes, events
//! from whoever has the session; each says which connector counts it.
//!
//! **A `Connect` does not move a session.** Of an agent whom nobody owns, whoever receives it becomes the owner. Of one whom another
//! connector owns, the client's destination and a new password are told to the owner, who tells the client everything.
//!
//! **Without a key nothing is shared** ([`Others::Unheard`]): nothing is sent and nothing believed. A request that is delivered again
//! is then in doubt unless it was answered here, and of a dead connector's agents the clients have to connect again.

use std::collections::VecDeque;
use std::time::Duration;

use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Command, Credentials};
use topoc_finesse_proto::session::Change;

use crate::connector::{self, Address, Connector, Message, Proof, Seen, Ticket};
use crate::event::{self, Service};
use crate::sync::{self, Sync, collect};

/// Whom there is beside us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Others {
    /// Nobody.
    Nobody,
    /// Other connectors take requests from the same brokers, and there is no key to speak with them.
    Unheard,
    /// Other connectors, and a key.
    Heard(Box<sync::Settings>),
}

/// What has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// There is a connection to the broker, the first or a new one, and the topic of the deployment is listened to.
    Online,
    /// The connection to the broker was lost: what was delivered over it cannot be acknowledged any more, and is delivered again,
    /// here or elsewhere. What was to be sent is sent over the next one.
    BrokerLost,
    /// The broker delivered a request.
    Requested(Box<Message>),
    /// This came on the topic of the deployment.
    Heard(Vec<u8>),
    /// The broker has accepted [`Order::Send`] with this ticket.
    Accepted(Ticket),
    /// The broker has accepted one [`Order::Publish`], which was about this agent.
    Published(Option<String>),
    /// What came of [`Order::Prove`].
    Proved(Ticket, Proof),
    /// What came of [`Order::Look`]; none if no server of Finesse said it.
    Seen(Ticket, Option<Seen>),
    /// What came of [`Order::Ask`].
    Came(Ticket, Outcome),
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
    /// We are to end: finish what is in hand, and hand over the agents.
    Drain,
    /// Nothing but that the moment of [`Deployment::wakes_at`] has come.
    Time,
}

/// What is to be done, in this order. What goes to the broker goes over one connection, so that it keeps the order.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Take no requests from the consumer for now: they stay at the broker. So it is at the start.
    Pause,
    /// Take requests.
    Resume,
    /// Take nothing that Finesse tells of agents for now. Answers are taken.
    Hold,
    /// Take it again.
    Release,
    /// Send these bytes to the topic of the deployment, not persistent; where there is a ticket, say when the broker has accepted it.
    Send(Option<Ticket>, Vec<u8>),
    /// Subscribe to the topic of the deployment once more, and then end the former subscription.
    Listen,
    /// Ask Finesse once for the agent with these credentials, beside any session, and say whether they are right.
    Prove(Ticket, String, Credentials),
    /// Ask Finesse once for the agent and for their calls with these credentials, beside any session, and say what it tells.
    Look(Ticket, String, Credentials),
    /// Look after an agent with these credentials, or go on with them.
    Start(String, Credentials),
    /// Look after the agent no more, and tell nothing more of them.
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
    /// Nothing is left to do after [`Event::Drain`]: send what is still to be sent, close everything, and end.
    Done,
}

/// A connector among the others.
#[derive(Clone, Debug)]
pub struct Deployment {
    connector: Connector,
    sync: Option<Sync>,
    drain: Duration,
    /// Whether requests are taken.
    flows: bool,
    joined: bool,
    /// When we end at the latest.
    ends: Option<Duration>,
    done: bool,
}

impl Deployment {
    /// One that has just started.
    #[must_use]
    pub fn new(settings: connector::Settings, others: Others, now: Duration) -> Self {
        let is_unheard = others == Others::Unheard;
        let (sync, drain) = match others {
            Others::Heard(settings) => {
                let drain = settings.times.drain;
                (Some(Sync::new(*settings)), drain)
            }
            Others::Nobody | Others::Unheard => (None, sync::Times::default().drain),
        };
        let mut connector = Connector::new(settings, now);
        // Without a key nobody is ever heard, and yet not all that waits is in doubt.
        let blind = if is_unheard { Some(Duration::ZERO) } else { sync.as_ref().map(|_| Duration::MAX) };
        connector.handle(now, connector::Event::Blind(blind));
        Self { connector, sync, drain, flows: false, joined: false, ends: None, done: false }
    }

    /// The machine of requests.
    #[must_use]
    pub const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// What is known of the other connectors; none where there are none, or no key.
    #[must_use]
    pub const fn sync(&self) -> Option<&Sync> {
        self.sync.as_ref()
    }

    /// Whether requests are taken.
    #[must_use]
    pub const fn takes_requests(&self) -> bool {
        self.flows
    }

    /// When [`Event::Time`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        let sync = self.sync.as_ref().and_then(Sync::wakes_at);
        self.connector.wakes_at().into_iter().chain(sync).chain(self.ends).min().filter(|_| !self.done)
    }

    /// Takes what has happened at a moment, since the Unix epoch, and says what is to be done.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Order> {
        if self.done {
            // The others were told good-bye: nothing more is said.
            return Vec::new();
        }
        let mut turn = Turn { deployment: self, now, orders: Vec::new(), queue: VecDeque::new() };
        turn.event(event);
        turn.go_on();
        turn.orders
    }
}

/// One event being dealt with.
struct Turn<'a> {
    deployment: &'a mut Deployment,
    now: Duration,
    orders: Vec<Order>,
    /// What the machine of requests is still to be told.
    queue: VecDeque<connector::Event>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        use connector::Event as To;
        let to = match event {
            Event::Online => {
                self.deployment.joined |= self.deployment.sync.is_none();
                return self.sync(sync::Event::Online);
            }
            Event::BrokerLost => {
                self.sync(sync::Event::Offline);
                To::BrokerLost
            }
            Event::Heard(bytes) => return self.sync(sync::Event::Heard(bytes)),
            Event::Drain => {
                let end = self.now.saturating_add(self.deployment.drain);
                self.deployment.ends.get_or_insert(end);
                return self.sync(sync::Event::Drain);
            }
            Event::Requested(message) => {
                self.sync(sync::Event::Look);
                To::Requested(message)
            }
            Event::Accepted(ticket) => To::Recorded(ticket),
            Event::Published(agent) => To::Published(agent),
            Event::Proved(ticket, proof) => To::Proved(ticket, proof),
            Event::Seen(ticket, seen) => To::Seen(ticket, seen),
            Event::Came(ticket, outcome) => To::Came(ticket, outcome),
            Event::Changed(agent, change) => To::Changed(agent, change),
            Event::Failed { agent, request_id, error } => To::Failed { agent, request_id, error },
            Event::Serves(service) => To::Serves(service),
            Event::Time => To::Time,
        };
        self.queue.push_back(to);
    }

    /// Until nothing follows from anything any more.
    fn go_on(&mut self) {
        self.tell_all();
        let is_due = |sync: &Sync| sync.wakes_at().is_some_and(|at| at <= self.now);
        if self.deployment.sync.as_ref().is_some_and(is_due) {
            let busy = self.deployment.connector.busy().map(str::to_owned).collect();
            self.sync(sync::Event::Time { busy });
            self.tell_all();
        }
        self.end();
        self.flow();
    }

    fn tell_all(&mut self) {
        while let Some(event) = self.queue.pop_front() {
            for order in self.deployment.connector.handle(self.now, event) {
                self.order(order);
            }
        }
    }

    /// What the machine of requests orders. What others have to know is sent where it stands: in front of answers.
    fn order(&mut self, order: connector::Order) {
        use connector::Order as From;
        self.orders.push(match order {
            From::Record(ticket, record) if self.deployment.sync.is_some() => {
                return self.sync(sync::Event::Record(Some(ticket), record));
            }
            // Nobody has to know.
            From::Record(ticket, _) => return self.queue.push_back(connector::Event::Recorded(ticket)),
            From::Share(record) => return self.sync(sync::Event::Record(None, record)),
            From::Bound { agent, credentials, client } => {
                return self.sync(sync::Event::Bound { agent, credentials, client });
            }
            From::Ended(agent, end) => return self.sync(sync::Event::Ended(agent, end)),
            // See `flow`.
            From::Pause | From::Resume => return,
            From::Hold => Order::Hold,
            From::Release => Order::Release,
            From::Prove(ticket, agent, credentials) => Order::Prove(ticket, agent, credentials),
            From::Look(ticket, agent, credentials) => Order::Look(ticket, agent, credentials),
            From::Start(agent, credentials) => Order::Start(agent, credentials),
            From::Leave(agent) => Order::Leave(agent),
            From::Ask { ticket, agent, command, request_id, deadline, beside } => {
                Order::Ask { ticket, agent, command, request_id, deadline, beside }
            }
            From::Publish(to, event) => Order::Publish(to, event),
            From::Acknowledge(delivery) => Order::Acknowledge(delivery),
            From::Refuse(delivery) => Order::Refuse(delivery),
        });
    }

    fn sync(&mut self, event: sync::Event) {
        let Some(sync) = &mut self.deployment.sync else { return };
        for order in sync.handle(self.now, event) {
            self.sync_order(order);
        }
    }

    fn sync_order(&mut self, order: sync::Order) {
        use connector::Event as To;
        use sync::Order as From;
        let to = match order {
            From::Send(ticket, bytes) => return self.orders.push(Order::Send(ticket, bytes)),
            From::Listen => return self.orders.push(Order::Listen),
            From::Collect(ask, to) => {
                let piece = collect(self.deployment.connector.recent(), ask, to);
                return self.sync(sync::Event::Collected(Box::new(piece)));
            }
            From::Joined(horizon) => {
                self.deployment.joined = true;
                let Some(horizon) = horizon else { return };
                To::Learned(horizon)
            }
            From::Adopt { agent, credentials, client } => To::Adopted { agent, credentials, client },
            From::Release { agent, credentials, client } => To::Released { agent, credentials, client },
            From::Peer(record) => To::Peer(record),
            From::Blind(blind) => To::Blind(blind),
            From::Missed => To::Missed,
        };
        self.queue.push_back(to);
    }

    /// Whether everything is over that was to be finished.
    fn end(&mut self) {
        let Some(ends) = self.deployment.ends else { return };
        let connector = &self.deployment.connector;
        let is_idle = connector.requests().next().is_none() && connector.unsent() == 0;
        let keeps = self.deployment.sync.as_ref().is_some_and(|sync| sync.owned() > 0 && sync.has_heirs(self.now));
        if ends <= self.now || (is_idle && !keeps) {
            self.deployment.done = true;
            self.sync(sync::Event::Bye);
            self.orders.push(Order::Done);
        }
    }

    /// Requests are taken while there is room, unless we join or end.
    fn flow(&mut self) {
        let wanted = self.deployment.joined && self.deployment.ends.is_none() && !self.deployment.connector.is_paused();
        if std::mem::replace(&mut self.deployment.flows, wanted) != wanted {
            self.orders.push(if wanted { Order::Resume } else { Order::Pause });
        }
    }
}
