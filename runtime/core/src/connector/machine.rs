//! The machine: what it has in hand, and who deals with which event.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use topoc_finesse_proto::session::{Change, Connection};

use super::address::Address;
use super::agent::{Agent, Picture};
use super::answers;
use super::events::{Event, Order, Ticket};
use super::settings::Settings;
use super::table::{self, Cause, Phase};
use crate::command::Request;
use crate::event::Service;
use crate::recent::{self, Recent};

/// A request in hand.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// The message's id.
    pub(super) id: String,
    pub(super) delivery: u64,
    pub(super) correlation: String,
    /// Where the answer goes.
    pub(super) to: Address,
    pub(super) request: Request,
    pub(super) phase: Phase,
    /// When it is of no use any more, or is given up.
    pub(super) until: Duration,
    pub(super) redelivered: bool,
    pub(super) sent: Option<Duration>,
    /// Its password is right.
    pub(super) proven: bool,
    /// What Finesse said of the agent when it was asked for the sake of this request.
    pub(super) seen: Option<Box<Picture>>,
    /// Finesse is asked for it beside a session.
    pub(super) borrows: bool,
}

/// A connector.
#[derive(Clone, Debug)]
pub struct Connector {
    pub(super) settings: Settings,
    pub(super) recent: Recent,
    pub(super) service: Service,
    pub(super) agents: BTreeMap<String, Agent>,
    pub(super) requests: BTreeMap<Ticket, Held>,
    pub(super) by_id: BTreeMap<String, Ticket>,
    pub(super) due: BTreeSet<(Duration, Ticket)>,
    /// Agents whose next request finds no room among the claims.
    pub(super) crowded: BTreeSet<String>,
    pub(super) next: Ticket,
    pub(super) unsent: usize,
    /// Of whom, and how much of each.
    pub(super) unsent_of: BTreeMap<String, usize>,
    pub(super) paused: bool,
    pub(super) held: bool,
    /// Another connector may have claimed requests that we do not know; since when nothing was heard of it.
    pub(super) blind: Option<Duration>,
    counts: BTreeMap<(Phase, Cause), u64>,
}

impl Connector {
    /// One that has nobody to ask what was before.
    #[must_use]
    pub fn new(settings: Settings, now: Duration) -> Self {
        let recent = Recent::new(settings.limits.recent, now);
        Self::with(settings, recent)
    }

    /// One that goes on from what another one remembers.
    #[must_use]
    pub fn resume(settings: Settings, snapshot: recent::Snapshot) -> Self {
        let recent = Recent::resume(settings.limits.recent, snapshot);
        Self::with(settings, recent)
    }

    const fn with(settings: Settings, recent: Recent) -> Self {
        Self {
            settings,
            recent,
            service: Service::OutOfService,
            agents: BTreeMap::new(),
            requests: BTreeMap::new(),
            by_id: BTreeMap::new(),
            due: BTreeSet::new(),
            crowded: BTreeSet::new(),
            next: 1,
            unsent: 0,
            unsent_of: BTreeMap::new(),
            paused: false,
            held: false,
            blind: None,
            counts: BTreeMap::new(),
        }
    }

    /// Its name in the deployment.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What is remembered of requests, for a connector that joins.
    #[must_use]
    pub const fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Requests in hand: the message's id, and where each is.
    pub fn requests(&self) -> impl Iterator<Item = (&str, Phase)> {
        self.requests.values().map(|held| (held.id.as_str(), held.phase))
    }

    /// How many agents have a session or a destination, here or at another connector.
    #[must_use]
    pub fn agents(&self) -> usize {
        self.agents.values().filter(|agent| agent.counts()).count()
    }

    /// Whether the broker is to keep requests for now.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Agents with requests in hand, and those of whom the broker has not accepted everything that was told: whoever owned them next
    /// would overtake that.
    pub fn busy(&self) -> impl Iterator<Item = &str> {
        let asked = self.requests.values().map(|held| held.request.subject());
        asked.chain(self.unsent_of.keys().map(String::as_str))
    }

    /// How many events and answers the broker has not accepted.
    #[must_use]
    pub const fn unsent(&self) -> usize {
        self.unsent
    }

    /// How often each step of the table was taken.
    #[must_use]
    pub const fn counts(&self) -> &BTreeMap<(Phase, Cause), u64> {
        &self.counts
    }

    /// When [`Event::Time`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes what has happened at a moment, since the Unix epoch, and says what is to be done.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Order> {
        let mut orders = Vec::new();
        self.recent.pass_time(now);
        Turn { connector: self, now, orders: &mut orders, touched: BTreeSet::new() }.event(event);
        orders
    }

    /// A step of the table.
    pub(super) fn step(&mut self, from: Phase, cause: Cause) -> Phase {
        let to = table::next(from, cause);
        debug_assert!(to.is_some(), "{from:?} does not go on by {cause:?}");
        *self.counts.entry((from, cause)).or_default() += 1;
        to.unwrap_or(from)
    }
}

/// One event being dealt with.
pub(super) struct Turn<'a> {
    pub(super) connector: &'a mut Connector,
    pub(super) now: Duration,
    pub(super) orders: &'a mut Vec<Order>,
    /// Agents for whom something may go on.
    pub(super) touched: BTreeSet<String>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Requested(message) => self.requested(&message),
            Event::BrokerLost => self.broker_lost(),
            Event::Recorded(ticket) => self.recorded(ticket),
            Event::Proved(ticket, proof) => self.proved(ticket, proof),
            Event::Came(ticket, outcome) => self.came(ticket, outcome),
            Event::Published(agent) => self.published(agent),
            Event::Changed(agent, change) => self.changed(&agent, change),
            Event::Failed { agent, request_id, error } => self.failed(&agent, request_id.as_deref(), &error),
            Event::Serves(service) => self.connector.service = service,
            Event::Peer(record) => self.connector.recent.take(record),
            Event::Adopted { agent, credentials, client } => self.adopt(&agent, credentials, client),
            Event::Released { agent, credentials, client } => self.release(&agent, credentials, client),
            Event::Seen(ticket, seen) => self.seen(ticket, seen),
            Event::Blind(blind) => self.connector.blind = blind,
            Event::Missed => self.connector.recent.missed(self.now),
            Event::Learned(horizon) => self.connector.recent.learned(horizon),
            Event::Time => {}
        }
        self.overdue();
        self.touched.append(&mut self.connector.crowded);
        while let Some(agent) = self.touched.pop_first() {
            self.advance(&agent);
        }
        self.flow();
    }

    fn changed(&mut self, name: &str, change: Change) {
        let agent = self.connector.agents.get_mut(name).filter(|agent| !agent.elsewhere);
        let Some(agent) = agent else { return };
        let end = match &change {
            Change::Connection(Connection::Ended(end)) => Some(*end),
            _ => None,
        };
        for told in agent.take(change) {
            self.tell(name, None, told);
        }
        self.orders.extend(end.map(|end| Order::Ended(name.to_owned(), end)));
        self.touched.insert(name.to_owned());
    }

    /// What is over by now.
    fn overdue(&mut self) {
        while let Some((_, ticket)) = self.connector.due.first().filter(|(at, _)| *at <= self.now).copied() {
            let Some(held) = self.connector.requests.get(&ticket) else { return };
            let row = held.request.row();
            let told = match held.phase {
                Phase::Doubtful => self.last_word(held),
                Phase::Asked if row.is_question() => answers::unavailable("Finesse does not answer"),
                Phase::Asked => answers::unknown(row),
                _ => answers::expired(),
            };
            self.answer(ticket, Cause::Expire, told);
        }
    }

    /// Whatever Finesse was not asked for is delivered again, here or elsewhere.
    fn broker_lost(&mut self) {
        let is_lost = |(_, held): &(&Ticket, &Held)| held.phase != Phase::Asked;
        let lost: Vec<Ticket> = self.connector.requests.iter().filter(is_lost).map(|(ticket, _)| *ticket).collect();
        for ticket in lost {
            self.let_go(ticket, Cause::Lose);
        }
    }

    /// Takes a request out of hand.
    pub(super) fn let_go(&mut self, ticket: Ticket, cause: Cause) -> Option<Held> {
        let held = self.connector.requests.remove(&ticket)?;
        self.connector.step(held.phase, cause);
        self.connector.by_id.remove(&held.id);
        self.connector.due.remove(&(held.until, ticket));
        let name = held.request.subject();
        if let Some(agent) = self.connector.agents.get_mut(name) {
            agent.queue.retain(|one| *one != ticket);
            agent.doubtful.remove(&ticket);
            agent.in_hand -= 1;
            agent.borrowing -= usize::from(held.borrows);
        }
        self.touched.insert(name.to_owned());
        Some(held)
    }

    /// Goes on with a request, until then.
    pub(super) fn go(&mut self, ticket: Ticket, cause: Cause, until: Option<Duration>) {
        let Some(from) = self.connector.requests.get(&ticket).map(|held| held.phase) else { return };
        let to = self.connector.step(from, cause);
        let Some(held) = self.connector.requests.get_mut(&ticket) else { return };
        held.phase = to;
        if let Some(until) = until {
            self.connector.due.remove(&(held.until, ticket));
            held.until = until;
            self.connector.due.insert((until, ticket));
        }
    }
}
