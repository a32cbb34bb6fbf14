//! The machine: what it is told, what it orders, and who deals with what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use topoc_finesse_proto::rest::Credentials;
use topoc_finesse_proto::session::End;

use super::message::{Ask, Hello, Message, Piece, Stage};
use super::owning::Taken;
use super::peer::{Peer, PeerView};
use super::pulling::Pull;
use super::seal::{self, Dropped, Nonces};
use super::settings::Settings;
use super::table::Table;
use crate::connector::Ticket;
use crate::destination::Destination;
use crate::recent::Record;

/// So many records wait for the broker at most; where there are more, the others are told that something is missing.
const BACKLOG: usize = 4096;
/// Answers to signs of life keep this distance.
const BREATH: Duration = Duration::from_millis(200);
/// Whoever is not heard for so long from when the topic is listened to, may not be for want of a subscription at their broker: a bridge
/// that begins at the same moment can miss it (seen with ActiveMQ 6.3.1).
const LISTEN_ANEW: Duration = Duration::from_secs(5);
/// From then on it is listened to anew so often.
const LISTEN_AGAIN: Duration = Duration::from_secs(60);
/// Bodies are cut into pieces of about this size, in bytes.
pub(super) const PIECE: usize = 128 * 1024;

/// What has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// There is a connection to the broker, and what is told on the topic is heard.
    Online,
    /// There is none any more.
    Offline,
    /// This came on the topic.
    Heard(Vec<u8>),
    /// The others have to know this of a request; where there is a ticket, Finesse is asked when the broker has it.
    Record(Option<Ticket>, Record),
    /// An agent of ours, or one whose client came to us, is otherwise: what their session needs, and where their events go. Without
    /// both they are forgotten.
    Bound {
        /// The agent's id.
        agent: String,
        /// How they prove who they are.
        credentials: Option<Credentials>,
        /// Where their events go.
        client: Option<Destination>,
    },
    /// The session of an agent of ours has ended.
    Ended(String, End),
    /// What [`Order::Collect`] wanted.
    Collected(Box<Piece>),
    /// A request has come: who is heard at this moment?
    Look,
    /// Hand everything over.
    Drain,
    /// Everything is handed over: say good-bye.
    Bye,
    /// Nothing but that the moment of [`Sync::wakes_at`] has come. Agents with requests in hand are not handed over.
    Time {
        /// These have some.
        busy: BTreeSet<String>,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Send this on the topic; where there is a ticket, say when the broker has accepted it.
    Send(Option<Ticket>, Vec<u8>),
    /// An agent is ours.
    Adopt {
        /// The agent's id.
        agent: String,
        /// How they prove who they are; none where there is to be no session.
        credentials: Option<Credentials>,
        /// Where their events go.
        client: Option<Destination>,
    },
    /// An agent is another one's. Without credentials and client, nobody's.
    Release {
        /// The agent's id.
        agent: String,
        /// How they prove who they are.
        credentials: Option<Credentials>,
        /// Where their events go.
        client: Option<Destination>,
    },
    /// Another one has told this of a request.
    Peer(Record),
    /// Find the records behind the cursor of this question of that connector.
    Collect(Ask, String),
    /// Requests may be taken. Where another one told all that it knows, what was claimed up to then may not be known.
    Joined(Option<Duration>),
    /// Whether another one may have taken requests of which we do not know, and since when nothing was heard of it; where it is heard
    /// and something of it was lost, the end of all times.
    Blind(Option<Duration>),
    /// Subscribe to the topic once more, and then end the former subscription.
    Listen,
    /// Nobody can tell any more what another one took up to now.
    Missed,
}

/// One connector among the others.
#[derive(Clone, Debug)]
pub struct Sync {
    pub(super) settings: Settings,
    pub(super) me: Arc<str>,
    epoch: u64,
    sequence: u64,
    nonces: Nonces,
    pub(super) stage: Stage,
    /// Since when we listen; none without a connection.
    pub(super) online: Option<Duration>,
    /// When the first connection was there.
    pub(super) started: Option<Duration>,
    /// When the topic is listened to anew, if somebody is not heard until then.
    listens_anew: Duration,
    pub(super) peers: BTreeMap<Arc<str>, Peer>,
    pub(super) table: Table,
    /// Agents of whom the others do not know yet what we know.
    pub(super) dirty: BTreeSet<String>,
    backlog: VecDeque<Record>,
    pub(super) taken: BTreeMap<String, Taken>,
    pub(super) pull: Option<Pull>,
    pub(super) pulls: u64,
    next_hello: Duration,
    last_hello: Duration,
    /// When it was looked who is dead.
    looked: Duration,
    pub(super) blind: Option<Duration>,
    /// When we were that last.
    pub(super) was_blind: Option<Duration>,
    /// When agents were handed over last, and how many in that second.
    pub(super) given: (Duration, usize),
    counts: BTreeMap<Dropped, u64>,
}

impl Sync {
    /// One that has just started.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let me: Arc<str> = settings.name.as_str().into();
        let others = settings.connectors.iter().filter(|name| **name != settings.name);
        Self {
            peers: others.map(|name| (name.as_str().into(), Peer::default())).collect(),
            table: Table::new(settings.agents),
            epoch: settings.epoch,
            nonces: Nonces::new(settings.chance),
            me,
            settings,
            sequence: 0,
            stage: Stage::Joining,
            online: None,
            started: None,
            listens_anew: Duration::ZERO,
            dirty: BTreeSet::new(),
            backlog: VecDeque::new(),
            taken: BTreeMap::new(),
            pull: None,
            pulls: 0,
            next_hello: Duration::ZERO,
            last_hello: Duration::ZERO,
            looked: Duration::ZERO,
            blind: Some(Duration::MAX),
            was_blind: None,
            given: (Duration::ZERO, 0),
            counts: BTreeMap::new(),
        }
    }

    /// Who owns which agent.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// What we do.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Agents that we own.
    #[must_use]
    pub fn owned(&self) -> usize {
        self.table.iter().filter(|(_, entry)| entry.seat.owner == self.me && !entry.card.is_empty()).count()
    }

    /// The other connectors.
    pub fn peers(&self, now: Duration) -> impl Iterator<Item = PeerView> {
        self.peers.iter().map(move |(name, peer)| PeerView {
            name: name.to_string(),
            alive: peer.is_heard(now, &self.settings.times),
            stage: peer.stage,
            heard: peer.heard,
            epoch: peer.epoch,
            complete: !peer.gap && !peer.unsure,
        })
    }

    /// Messages that did not count, and why.
    #[must_use]
    pub const fn dropped(&self) -> &BTreeMap<Dropped, u64> {
        &self.counts
    }

    /// Whether all others are heard, and all that they told has come.
    #[must_use]
    pub fn is_whole(&self, now: Duration) -> bool {
        let is_there = |peer: &Peer| peer.is_heard(now, &self.settings.times) && !peer.gap && !peer.unsure;
        self.online.is_some() && self.peers.values().all(|peer| peer.left || is_there(peer))
    }

    /// Whether there is somebody to hand agents over to.
    #[must_use]
    pub fn has_heirs(&self, now: Duration) -> bool {
        self.online.is_some() && self.peers.values().any(|peer| peer.serves(now, &self.settings.times))
    }

    /// Whether somebody took the session of an agent of ours, and has it until we try again.
    #[must_use]
    pub fn leaves_to_others(&self, agent: &str) -> bool {
        self.taken.get(agent).is_some_and(|taken| taken.at.is_some())
    }

    /// How much is kept that may grow: for tests.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.table.len() + self.dirty.len() + self.backlog.len() + self.taken.len()
    }

    /// When [`Event::Time`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        let since = self.online?;
        let times = &self.settings.times;
        let silent = |peer: &Peer| [Some(peer.dies_at(since, times)), peer.stales_at(times)];
        let deaths = self.peers.values().flat_map(silent).flatten().filter(|at| *at > self.looked);
        let piece = self.pull.as_ref().map(|pull| pull.until);
        let taken = self.taken.values().filter_map(|taken| taken.at);
        deaths.chain([self.next_hello]).chain(piece).chain(taken).min()
    }

    /// Takes what has happened at a moment, since the Unix epoch, and says what is to be done.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Order> {
        let mut orders = Vec::new();
        Turn { sync: self, now, orders: &mut orders }.event(event);
        orders
    }

    fn envelope(&mut self, message: &Message) -> Vec<u8> {
        self.sequence += 1;
        let head = seal::Head {
            version: seal::VERSION,
            from: self.me.to_string(),
            epoch: self.epoch,
            sequence: self.sequence,
            kind: message.kind().to_owned(),
        };
        seal::seal(&self.settings.keys, &self.settings.deployment, &head, self.nonces.next(), &message.write())
    }
}

/// One event being dealt with.
pub(super) struct Turn<'a> {
    pub(super) sync: &'a mut Sync,
    pub(super) now: Duration,
    pub(super) orders: &'a mut Vec<Order>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Online => self.online(),
            Event::Offline => {
                self.sync.online = None;
                self.sync.pull = None;
            }
            Event::Heard(bytes) => {
                if let Err(why) = self.heard(&bytes) {
                    *self.sync.counts.entry(why).or_default() += 1;
                }
            }
            Event::Record(ticket, record) => self.record(ticket, record),
            Event::Bound { agent, credentials, client } => self.bound(&agent, credentials, client),
            Event::Ended(agent, end) => self.ended(&agent, end),
            Event::Collected(piece) => self.send(None, &Message::Piece(*piece)),
            Event::Look => {}
            Event::Drain => {
                self.sync.stage = Stage::Leaving;
                self.hello();
            }
            Event::Bye => self.send(None, &Message::Bye),
            Event::Time { busy } => self.time(&busy),
        }
        self.look_around();
        self.flush();
    }

    fn online(&mut self) {
        self.sync.online = Some(self.now);
        self.sync.started.get_or_insert(self.now);
        self.sync.listens_anew = self.now.saturating_add(LISTEN_ANEW);
        self.sync.peers.values_mut().for_each(|peer| peer.unsure = peer.proven);
        self.hello();
        while let Some(record) = self.sync.backlog.pop_front() {
            self.send(None, &Message::Records(vec![record]));
        }
    }

    /// What time brings.
    fn time(&mut self, busy: &BTreeSet<String>) {
        if self.sync.online.is_none() {
            return;
        }
        self.sync.looked = self.now;
        if self.sync.next_hello <= self.now {
            self.hello();
            self.sync.table.pass_time(self.now);
        }
        self.listen_anew();
        self.go_on_pulling();
        self.join();
        self.own(busy);
        self.try_again();
    }

    /// Whoever runs and is not heard may be at a broker that does not know that we listen.
    fn listen_anew(&mut self) {
        let times = self.sync.settings.times;
        let is_missed = |peer: &Peer| !peer.left && !peer.is_heard(self.now, &times);
        if !self.sync.peers.values().any(is_missed) {
            self.sync.listens_anew = self.now.saturating_add(LISTEN_ANEW);
        } else if self.sync.listens_anew <= self.now {
            self.sync.listens_anew = self.now.saturating_add(LISTEN_AGAIN);
            self.orders.push(Order::Listen);
        }
    }

    /// Since when somebody is not heard of whom we should know what they do; none where all are.
    pub(super) fn blind(&self) -> Option<Duration> {
        let times = self.sync.settings.times;
        let started = self.sync.started.unwrap_or(Duration::MAX);
        let dark = |peer: &Peer| {
            let is_fresh = peer.is_fresh(self.now, &times);
            let silent = if is_fresh { Duration::MAX } else { peer.heard.unwrap_or(started) };
            (!peer.left && (peer.gap || peer.unsure || !is_fresh)).then_some(silent)
        };
        self.sync.peers.values().filter_map(dark).max()
    }

    /// Says what is known of the others, where that has changed.
    fn look_around(&mut self) {
        let blind = self.blind();
        if blind.is_some() || self.sync.blind.is_some() {
            self.sync.was_blind = Some(self.now);
        }
        if blind != self.sync.blind {
            self.sync.blind = blind;
            self.orders.push(Order::Blind(blind));
        }
    }

    pub(super) fn hello(&mut self) {
        let heard = |(name, peer): (&Arc<str>, &Peer)| {
            let age = peer.heard.map_or(Duration::MAX, |at| self.now.saturating_sub(at));
            (name.to_string(), (peer.epoch, u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
        };
        let hello = Hello {
            speaks: seal::VERSION,
            priority: self.sync.settings.priority,
            stage: self.sync.stage,
            agents: u64::try_from(self.sync.owned()).unwrap_or(u64::MAX),
            digest: self.sync.table.digest(),
            heard: self.sync.peers.iter().filter(|(_, peer)| peer.epoch > 0).map(heard).collect(),
        };
        self.sync.last_hello = self.now;
        self.sync.next_hello = self.now.saturating_add(self.sync.settings.times.hello);
        self.send(None, &Message::Hello(hello));
    }

    /// Answers a sign of life soon.
    fn hello_soon(&mut self) {
        let soon = self.sync.last_hello.saturating_add(BREATH);
        if soon <= self.now { self.hello() } else { self.sync.next_hello = self.sync.next_hello.min(soon) }
    }

    fn record(&mut self, ticket: Option<Ticket>, record: Record) {
        if self.sync.online.is_some() {
            return self.send(ticket, &Message::Records(vec![record]));
        }
        self.sync.backlog.push_back(record);
        if self.sync.backlog.len() > BACKLOG {
            self.sync.backlog.pop_front();
            // Nobody gets this number: the others see that something is missing, and ask for everything.
            self.sync.sequence += 1;
        }
    }

    pub(super) fn send(&mut self, ticket: Option<Ticket>, message: &Message) {
        if self.sync.online.is_some() {
            let bytes = self.sync.envelope(message);
            self.orders.push(Order::Send(ticket, bytes));
        }
    }

    /// Tells what has changed of agents.
    fn flush(&mut self) {
        if self.sync.online.is_none() || self.sync.dirty.is_empty() {
            return;
        }
        let mut agents = Vec::new();
        let mut size = 0;
        for agent in std::mem::take(&mut self.sync.dirty) {
            let Some(entry) = self.sync.table.get(&agent) else { continue };
            size += entry.weight() + agent.len();
            agents.push((agent, entry.clone()));
            if size >= PIECE {
                self.send(None, &Message::Agents(std::mem::take(&mut agents)));
                size = 0;
            }
        }
        if !agents.is_empty() {
            self.send(None, &Message::Agents(agents));
        }
    }

    fn heard(&mut self, bytes: &[u8]) -> Result<(), Dropped> {
        let (head, end) = seal::head(bytes)?;
        if *head.from == *self.sync.me {
            return Err(if head.epoch == self.sync.epoch { Dropped::Own } else { Dropped::Twin });
        }
        if !self.sync.peers.contains_key(head.from.as_str()) {
            return Err(Dropped::Stranger);
        }
        let body = seal::open(&self.sync.settings.keys, &self.sync.settings.deployment, bytes, end)?;
        let name: Arc<str> = head.from.as_str().into();
        let peer = self.sync.peers.get_mut(&name).ok_or(Dropped::Stranger)?;
        match (head.epoch.cmp(&peer.epoch), head.sequence) {
            (std::cmp::Ordering::Less, _) => return Err(Dropped::OldEpoch),
            (std::cmp::Ordering::Equal, number) if number <= peer.sequence => return Err(Dropped::Replayed),
            (std::cmp::Ordering::Equal, number) => {
                if number > peer.sequence.saturating_add(1) {
                    peer.lose();
                }
                peer.unsure = false;
            }
            (std::cmp::Ordering::Greater, _) => {
                peer.missed |= peer.gap || peer.unsure || !peer.is_heard(self.now, &self.sync.settings.times);
                peer.epoch = head.epoch;
                peer.proven = false;
                peer.unsure = false;
            }
        }
        peer.sequence = head.sequence;
        let message = Message::read(&head.kind, &body).ok_or(Dropped::UnknownKind)?.ok_or(Dropped::Unreadable)?;
        self.meet(&name, &message)?;
        self.take(&name, message);
        Ok(())
    }

    /// Whether a message is one that was sent since we started.
    fn meet(&mut self, name: &Arc<str>, message: &Message) -> Result<(), Dropped> {
        let (epoch, now, times) = (self.sync.epoch, self.now, self.sync.settings.times);
        let names_us = match message {
            Message::Hello(hello) => hello.heard.get(&*self.sync.me).map(|(epoch, _)| *epoch),
            _ => None,
        };
        if self.sync.stage == Stage::Joining && names_us.is_some_and(|known| known > epoch) {
            // Our clock has gone back since we were started before: nobody would listen to us.
            self.sync.epoch = names_us.unwrap_or(epoch).saturating_add(1);
            self.sync.sequence = 0;
            self.hello();
            return Err(Dropped::Unproven);
        }
        let Some(peer) = self.sync.peers.get_mut(name) else { return Err(Dropped::Stranger) };
        if !peer.proven {
            if names_us != Some(epoch) {
                self.hello_soon();
                return Err(Dropped::Unproven);
            }
            peer.proven = true;
            peer.appears(now);
            peer.heard = Some(now);
            if std::mem::take(&mut peer.missed) && self.sync.stage == Stage::Serving {
                self.orders.push(Order::Missed);
            }
            self.hello_soon();
            return Ok(());
        }
        if !peer.is_heard(now, &times) {
            peer.appears(now);
        }
        peer.heard = Some(now);
        Ok(())
    }

    fn take(&mut self, name: &Arc<str>, message: Message) {
        match message {
            Message::Hello(hello) => self.hello_of(name, hello),
            Message::Agents(agents) => agents.into_iter().for_each(|(agent, entry)| self.merge(agent, entry)),
            Message::Records(records) => self.orders.extend(records.into_iter().map(Order::Peer)),
            Message::Ask(ask) => self.asked(name, ask),
            Message::Piece(piece) => self.piece(name, piece),
            Message::Bye => {
                if let Some(peer) = self.sync.peers.get_mut(name) {
                    peer.left = true;
                }
            }
        }
    }

    fn hello_of(&mut self, name: &Arc<str>, hello: Hello) {
        let (now, me) = (self.now, self.sync.me.clone());
        let digests = (hello.digest, self.sync.table.digest());
        let Some(peer) = self.sync.peers.get_mut(name) else { return };
        peer.stage = hello.stage;
        let is_still = peer.digests == digests && digests.0 != digests.1;
        peer.differs = if is_still { peer.differs + 1 } else { 0 };
        peer.digests = digests;
        if peer.differs >= 3 {
            peer.differs = 0;
            peer.due = true;
        }
        for (other, (epoch, age)) in hello.heard {
            let at = now.saturating_sub(Duration::from_millis(age));
            let peer = self.sync.peers.get_mut(other.as_str()).filter(|peer| *other != *me && epoch >= peer.epoch);
            if let Some(peer) = peer {
                peer.told = peer.told.max(at);
            }
        }
    }
}
