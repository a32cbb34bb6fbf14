//! A world in virtual time: some connectors, the topic between them with its faults, a queue of requests, and Finesse with one session
//! for each agent.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use topoc_core::connector::{Address, Proof, Seen, Ticket};
use topoc_core::deployment::{Deployment, Event, Order, Others};
use topoc_core::event::Told;
use topoc_core::sync::{Mode, Sync, Table};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::line::{Outcome, Trouble, Why};
use topoc_finesse_proto::rest::{Answer, Command};
use topoc_finesse_proto::session::{Change, Connection, End};
use topoc_finesse_proto::user::{User, UserState};

use crate::support::{Dice, connector, message, millis, secs, settings};

/// A link that is cut for less than this loses nothing: TCP sends again. Longer than a connector needs to be taken for dead.
const NOTICED: Duration = secs(7);

/// What is under way.
#[derive(Debug)]
enum What {
    Tell(Box<Event>),
    /// This was told on the topic.
    Bus(Vec<u8>),
    Opened(usize),
    Look(Ticket, usize),
    Wake,
    Online,
    Restart,
}

#[derive(Debug)]
struct Coming {
    at: Duration,
    number: u64,
    node: usize,
    /// For this start of the connector only; none for any.
    life: Option<u64>,
    what: What,
}

impl PartialEq for Coming {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Coming {}

impl PartialOrd for Coming {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Coming {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

pub(crate) struct Node {
    pub(crate) deployment: Option<Deployment>,
    pub(crate) online: bool,
    pub(crate) life: u64,
    stalled: Duration,
    /// Sessions that it was told to have.
    wants: BTreeSet<usize>,
    wakes: Duration,
    /// Since when it works, without a break.
    pub(crate) well: Duration,
    pub(crate) done: bool,
}

/// A request as the brokers have it.
pub(crate) struct Sent {
    pub(crate) kind: String,
    pub(crate) body: String,
    at: Duration,
    home: usize,
    held: Option<(usize, u64)>,
    available: Duration,
    redelivered: bool,
    pub(crate) over: bool,
    pub(crate) handed: u32,
    pub(crate) answers: Vec<(Duration, Told)>,
}

/// How the topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bus {
    /// It keeps the order, and loses nothing but what is cut.
    Good,
    /// It loses messages, and delivers late.
    Lossy,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now: Duration,
    pub(crate) mode: Mode,
    pub(crate) bus: Bus,
    pub(crate) nodes: Vec<Node>,
    coming: BinaryHeap<Reverse<Coming>>,
    numbers: u64,
    ticks: u64,
    /// Pairs that do not hear each other, since when, and what waits on the link.
    pub(crate) cuts: BTreeMap<(usize, usize), Duration>,
    waiting: Vec<(usize, usize, Vec<u8>)>,
    last: BTreeMap<(usize, usize), Duration>,
    pub(crate) sent: Vec<Sent>,
    deliveries: u64,
    /// Who has the session of an agent at Finesse.
    pub(crate) sessions: Vec<Option<usize>>,
    /// Since when nobody has it.
    pub(crate) alone: Vec<Duration>,
    /// How often sessions were begun.
    pub(crate) starts: u64,
    pub(crate) last_fault: Duration,
    pub(crate) faults: u64,
    pub(crate) secrets_seen: bool,
    /// Whether Finesse always does what it is asked, and says so.
    pub(crate) is_able: bool,
    /// How long the broker takes at most to accept an answer or an event, in milliseconds.
    pub(crate) letters_take: u64,
    /// Most requests that Finesse was asked at once beside a session, and those under way.
    pub(crate) most_asked: usize,
    beside: BTreeSet<(usize, Ticket)>,
    /// How often Finesse was asked what an agent is doing.
    pub(crate) looks: usize,
    /// The first things told without being asked, and to where.
    pub(crate) told: Vec<(String, Told)>,
}

pub(crate) fn agent(who: usize) -> String {
    format!("10{who:02}")
}

fn place(agent: &str) -> usize {
    agent[2..].parse().unwrap()
}

impl World {
    pub(crate) fn new(seed: u64, connectors: usize, agents: usize, mode: Mode, bus: Bus) -> Self {
        let node = |_| Node {
            deployment: None,
            online: false,
            life: 0,
            stalled: Duration::ZERO,
            wants: BTreeSet::new(),
            wakes: Duration::MAX,
            well: Duration::MAX,
            done: false,
        };
        let mut world = Self {
            dice: Dice::new(seed),
            now: secs(1_000_000),
            mode,
            bus,
            nodes: (0..connectors).map(node).collect(),
            coming: BinaryHeap::new(),
            numbers: 0,
            ticks: 0,
            cuts: BTreeMap::new(),
            waiting: Vec::new(),
            last: BTreeMap::new(),
            sent: Vec::new(),
            deliveries: 0,
            sessions: vec![None; agents],
            alone: vec![Duration::MAX; agents],
            starts: 0,
            last_fault: secs(1_000_000),
            faults: 0,
            secrets_seen: false,
            is_able: false,
            letters_take: 30,
            most_asked: 0,
            beside: BTreeSet::new(),
            looks: 0,
            told: Vec::new(),
        };
        for node in 0..connectors {
            let after = world.dice.below(5000);
            world.come(millis(after), node, None, What::Restart);
        }
        world
    }

    fn come(&mut self, after: Duration, node: usize, life: Option<u64>, what: What) {
        self.numbers += 1;
        self.coming.push(Reverse(Coming { at: self.now + after, number: self.numbers, node, life, what }));
    }

    /// For this start of the connector, after up to so many milliseconds.
    fn soon(&mut self, most: u64, node: usize, event: Event) {
        let (after, life) = (millis(1 + self.dice.below(most)), self.nodes[node].life);
        self.come(after, node, Some(life), What::Tell(Box::new(event)));
    }

    pub(crate) fn table(&self, node: usize) -> Option<&Table> {
        Some(self.nodes[node].deployment.as_ref()?.sync()?.table())
    }

    pub(crate) fn is_up(&self, node: usize) -> bool {
        self.nodes[node].deployment.is_some() && self.nodes[node].online
    }

    pub(crate) fn sync(&self, node: usize) -> &Sync {
        self.nodes[node].deployment.as_ref().and_then(Deployment::sync).unwrap()
    }

    /// Who of those that are up says that they own an agent.
    pub(crate) fn owners(&self, who: usize) -> Vec<usize> {
        let name = agent(who);
        let owns = |node: &usize| {
            let own = self.nodes[*node].deployment.as_ref().map(|deployment| deployment.connector().name());
            let entry = self.table(*node).and_then(|table| table.get(&name));
            entry.is_some_and(|entry| Some(&*entry.seat.owner) == own && entry.card.credentials.is_some())
        };
        (0..self.nodes.len()).filter(|node| self.is_up(*node)).filter(owns).collect()
    }

    /// What everybody says of an agent.
    pub(crate) fn tell_of(&self, who: usize) -> String {
        let name = agent(who);
        let mut text = format!("{name} at {:?}, cuts {:?}, session {:?}", self.now, self.cuts, self.sessions[who]);
        for (place, node) in self.nodes.iter().enumerate() {
            let sync = node.deployment.as_ref().and_then(Deployment::sync);
            let entry = sync.and_then(|sync| sync.table().get(&name));
            let peers = sync.map(|sync| sync.peers(self.now).collect::<Vec<_>>());
            text += &format!(
                "\n  {place} life {} online {} wants {}: {:?} {entry:?} {peers:?}",
                node.life,
                node.online,
                node.wants.contains(&who),
                sync.map(|sync| sync.stage())
            );
        }
        text
    }

    /// Whether somebody who is up knows an agent who wants a session.
    pub(crate) fn is_wanted(&self, who: usize) -> bool {
        let name = agent(who);
        let wants = |node| {
            self.table(node).and_then(|table| table.get(&name)).is_some_and(|entry| entry.card.credentials.is_some())
        };
        (0..self.nodes.len()).filter(|node| self.is_up(*node)).any(wants)
    }

    pub(crate) fn send(&mut self, home: usize, kind: String, body: String) {
        let (at, available) = (self.now, self.now);
        self.sent.push(Sent {
            kind,
            body,
            at,
            home,
            held: None,
            available,
            redelivered: false,
            over: false,
            handed: 0,
            answers: Vec::new(),
        });
    }

    fn fault(&mut self) {
        self.last_fault = self.last_fault.max(self.now);
        self.faults += 1;
    }

    /// A connector dies; it is started again after a while.
    pub(crate) fn kill(&mut self, node: usize, back: Duration) {
        if self.nodes[node].deployment.take().is_none() {
            return;
        }
        self.fault();
        self.unhold(node);
        let life = self.nodes[node].life + 1;
        let one = &mut self.nodes[node];
        (one.online, one.wants, one.life, one.well, one.done) = (false, BTreeSet::new(), life, Duration::MAX, false);
        for who in 0..self.sessions.len() {
            if self.sessions[who] == Some(node) {
                self.lose_session(who);
            }
        }
        self.come(back, node, None, What::Restart);
    }

    /// A connector loses its broker; it has one again after a while.
    pub(crate) fn lose_broker(&mut self, node: usize, back: Duration) {
        if !self.is_up(node) {
            return;
        }
        self.fault();
        self.unhold(node);
        self.nodes[node].online = false;
        self.nodes[node].well = Duration::MAX;
        self.tell(node, Event::BrokerLost);
        let life = self.nodes[node].life;
        self.come(back, node, Some(life), What::Online);
    }

    /// A connector does nothing for a while.
    pub(crate) fn stall(&mut self, node: usize, time: Duration) {
        self.fault();
        // It takes what has come meanwhile for new, so that others who are dead by now live a little longer for it.
        self.last_fault = self.last_fault.max(self.now + time);
        self.nodes[node].stalled = self.now + time;
        self.nodes[node].well = self.now + time;
    }

    pub(crate) fn cut(&mut self, one: usize, two: usize) {
        self.fault();
        self.cuts.entry((one.min(two), one.max(two))).or_insert(self.now);
    }

    pub(crate) fn heal(&mut self, one: usize, two: usize) {
        let pair = (one.min(two), one.max(two));
        let Some(since) = self.cuts.remove(&pair) else { return };
        self.fault();
        let waited = std::mem::take(&mut self.waiting);
        for (from, to, bytes) in waited {
            if (from.min(to), from.max(to)) != pair {
                self.waiting.push((from, to, bytes));
            } else if since + NOTICED > self.now {
                self.carry(from, to, bytes);
            }
        }
    }

    /// What it had in hand is delivered again.
    fn unhold(&mut self, node: usize) {
        for sent in self.sent.iter_mut().filter(|sent| sent.held.is_some_and(|(holder, _)| holder == node)) {
            (sent.held, sent.redelivered, sent.available) = (None, true, self.now + millis(200));
        }
    }

    fn lose_session(&mut self, who: usize) {
        self.sessions[who] = None;
        self.alone[who] = self.now;
    }

    /// Brings a message of the topic to somebody, in its order.
    fn carry(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let delay = match self.bus {
            Bus::Good => self.dice.below(60),
            Bus::Lossy if self.dice.one_in(20) => self.dice.below(3000),
            Bus::Lossy => self.dice.below(60),
        };
        let mut at = self.now + millis(delay);
        if self.bus == Bus::Good {
            let last = self.last.entry((from, to)).or_default();
            at = at.max(*last + Duration::from_nanos(1));
            *last = at;
        }
        let life = self.nodes[to].life;
        self.come(at - self.now, to, Some(life), What::Bus(bytes));
    }

    fn broadcast(&mut self, from: usize, bytes: &[u8]) {
        self.secrets_seen |= bytes.windows(6).any(|text| text == b"right-" || text == b"desk-0");
        for to in 0..self.nodes.len() {
            let pair = (from.min(to), from.max(to));
            if self.cuts.contains_key(&pair) {
                self.waiting.push((from, to, bytes.to_vec()));
                continue;
            }
            if self.bus == Bus::Lossy && self.dice.one_in(30) {
                continue;
            }
            self.carry(from, to, bytes.to_vec());
            if self.dice.one_in(40) {
                self.carry(from, to, bytes.to_vec());
            }
        }
    }

    pub(crate) fn tell(&mut self, node: usize, event: Event) {
        let now = self.now;
        let Some(deployment) = &mut self.nodes[node].deployment else { return };
        let orders = deployment.handle(now, event);
        let wakes = deployment.wakes_at();
        for order in orders {
            self.carry_out(node, order);
        }
        if let Some(at) = wakes.filter(|at| self.nodes[node].wakes > *at || self.nodes[node].wakes <= now) {
            self.nodes[node].wakes = at.max(now);
            let life = self.nodes[node].life;
            self.come(at.saturating_sub(now), node, Some(life), What::Wake);
        }
    }

    fn carry_out(&mut self, node: usize, order: Order) {
        match order {
            Order::Pause | Order::Resume | Order::Hold | Order::Release | Order::Listen => {}
            Order::Done => self.nodes[node].done = true,
            Order::Send(ticket, bytes) => {
                if !self.nodes[node].online {
                    return;
                }
                self.broadcast(node, &bytes);
                if let Some(ticket) = ticket {
                    self.soon(20, node, Event::Accepted(ticket));
                }
            }
            Order::Prove(ticket, ..) => self.soon(300, node, Event::Proved(ticket, Proof::Right)),
            Order::Look(ticket, agent, _) => {
                self.looks += 1;
                let (after, life) = (millis(self.dice.below(300)), self.nodes[node].life);
                self.come(after, node, Some(life), What::Look(ticket, place(&agent)));
            }
            Order::Start(agent, credentials) => {
                assert!(!format!("{credentials:?}").contains("right-"));
                let who = place(&agent);
                self.starts += 1;
                self.nodes[node].wants.insert(who);
                let (after, life) = (millis(100 + self.dice.below(1500)), self.nodes[node].life);
                self.come(after, node, Some(life), What::Opened(who));
            }
            Order::Leave(agent) => {
                let who = place(&agent);
                self.nodes[node].wants.remove(&who);
                if self.sessions[who] == Some(node) {
                    self.lose_session(who);
                }
            }
            Order::Ask { ticket, command, beside, .. } => {
                if beside.is_some() {
                    self.beside.insert((node, ticket));
                    self.most_asked = self.most_asked.max(self.beside.len());
                }
                self.ask(node, ticket, &command);
            }
            Order::Publish(to, event) => {
                let agent = event.agent.clone();
                if let (Address::Named(_), Some(id)) = (&to, &event.correlation) {
                    let request = &mut self.sent[id.parse::<usize>().unwrap()];
                    request.answers.push((self.now, event.told));
                } else if self.told.len() < 1000 {
                    self.told.push((to.to_string(), event.told));
                }
                self.soon(self.letters_take, node, Event::Published(agent));
            }
            Order::Acknowledge(delivery) | Order::Refuse(delivery) => {
                if let Some(sent) = self.sent.iter_mut().find(|sent| sent.held == Some((node, delivery))) {
                    sent.over = true;
                }
            }
        }
    }

    fn ask(&mut self, node: usize, ticket: Ticket, command: &Command) {
        if let Command::MakeCall { number, .. } = command {
            let request: usize = number[1..].parse().unwrap();
            self.sent[request].handed += 1;
            assert!(
                self.sent[request].handed == 1 || self.bus == Bus::Lossy,
                "request {request} is handed to Finesse twice"
            );
        }
        let outcome = match self.dice.below(10) {
            _ if self.is_able => Some(Outcome::Answer(Answer::Accepted)),
            0 => Some(Outcome::Unknown(Why::Trouble(Trouble::Broken))),
            1 => None,
            _ => Some(Outcome::Answer(Answer::Accepted)),
        };
        if let Some(outcome) = outcome {
            self.soon(400, node, Event::Came(ticket, outcome));
        }
    }

    fn user(who: usize) -> Box<User> {
        Box::new(User {
            login_id: Some(agent(who)),
            extension: Some(format!("20{who:02}")),
            state: Some(UserState::Ready),
            ..User::default()
        })
    }

    fn opened(&mut self, node: usize, who: usize) {
        if !self.nodes[node].wants.contains(&who) || self.sessions[who] == Some(node) {
            return;
        }
        if let Some(before) = self.sessions[who].replace(node) {
            self.nodes[before].wants.remove(&who);
            self.tell(before, Event::Changed(agent(who), Change::Connection(Connection::Ended(End::Taken))));
        }
        self.tell(node, Event::Changed(agent(who), Change::Agent(Self::user(who))));
        self.tell(node, Event::Changed(agent(who), Change::Connection(Connection::Live(NodeId(0)))));
    }

    /// A desktop takes a session.
    pub(crate) fn desktop(&mut self, who: usize) {
        if let Some(node) = self.sessions[who] {
            self.nodes[node].wants.remove(&who);
            self.lose_session(who);
            self.tell(node, Event::Changed(agent(who), Change::Connection(Connection::Ended(End::Taken))));
        }
    }

    fn restart(&mut self, node: usize) {
        self.nodes[node].life += 1;
        let (life, many) = (self.nodes[node].life, self.nodes.len());
        let others = Others::Heard(Box::new(settings(node, many, self.mode, life)));
        let one = &mut self.nodes[node];
        one.deployment = Some(Deployment::new(connector(node, many, life), others, self.now));
        one.online = true;
        one.wakes = Duration::MAX;
        one.well = self.now;
        self.fault();
        self.tell(node, Event::Online);
    }

    /// The brokers deliver what waits.
    fn deliver(&mut self) {
        for request in 0..self.sent.len() {
            let sent = &self.sent[request];
            if sent.over || sent.held.is_some() || sent.available > self.now {
                continue;
            }
            let home = sent.home;
            let takes = |node: &usize| {
                let deployment = self.nodes[*node].deployment.as_ref();
                let is_near = *node == home || !self.cuts.contains_key(&(home.min(*node), home.max(*node)));
                self.is_up(*node) && is_near && deployment.is_some_and(Deployment::takes_requests)
            };
            let Some(node) = [home].into_iter().chain(0..self.nodes.len()).find(takes) else { continue };
            self.deliveries += 1;
            let sent = &mut self.sent[request];
            sent.held = Some((node, self.deliveries));
            let mut one = message(self.deliveries, &request.to_string(), &sent.kind, &sent.body);
            (one.redelivered, one.sent) = (sent.redelivered, Some(sent.at));
            self.come_now(node, Event::Requested(Box::new(one)));
        }
    }

    fn come_now(&mut self, node: usize, event: Event) {
        let life = self.nodes[node].life;
        self.come(Duration::ZERO, node, Some(life), What::Tell(Box::new(event)));
    }

    /// Time passes until then, and what comes comes. Every tenth of a second the brokers deliver; every half second `look`
    /// sees the world.
    pub(crate) fn pass(&mut self, time: Duration, look: &mut dyn FnMut(&Self)) {
        let end = self.now + time;
        while self.now < end {
            let tick = (self.now + millis(100)).min(end);
            while self.coming.peek().is_some_and(|next| next.0.at <= tick) {
                let Some(Reverse(coming)) = self.coming.pop() else { break };
                self.now = self.now.max(coming.at);
                self.happen(coming);
            }
            self.now = tick;
            self.deliver();
            self.ticks += 1;
            if self.ticks.is_multiple_of(5) {
                look(self);
            }
        }
    }

    fn happen(&mut self, mut coming: Coming) {
        let node = coming.node;
        let one = &self.nodes[node];
        if coming.life.is_some_and(|life| life != one.life) {
            return;
        }
        if one.stalled > self.now {
            coming.at = one.stalled;
            self.coming.push(Reverse(coming));
            return;
        }
        match coming.what {
            What::Tell(event) => {
                let is_brokers = matches!(*event, Event::Requested(_) | Event::Accepted(_) | Event::Published(_));
                // What is acknowledged over a lost connection is not.
                let is_gone = match &*event {
                    Event::Requested(message) => {
                        let is_it = |sent: &Sent| sent.held == Some((node, message.delivery));
                        !self.sent.iter().any(is_it)
                    }
                    _ => is_brokers && !self.nodes[node].online && !matches!(*event, Event::Published(_)),
                };
                if let Event::Came(ticket, _) = &*event {
                    self.beside.remove(&(node, *ticket));
                }
                if !is_gone {
                    self.tell(node, *event);
                }
            }
            What::Bus(bytes) => {
                if self.nodes[node].online {
                    self.tell(node, Event::Heard(bytes));
                }
            }
            What::Opened(who) => self.opened(node, who),
            What::Look(ticket, who) => {
                let seen = (self.is_able || !self.dice.one_in(10))
                    .then(|| Seen { user: Self::user(who), dialogs: Vec::new() });
                self.tell(node, Event::Seen(ticket, seen));
            }
            What::Wake => {
                self.nodes[node].wakes = Duration::MAX;
                self.tell(node, Event::Time);
            }
            What::Online => {
                self.nodes[node].online = true;
                self.nodes[node].well = self.now;
                self.fault();
                self.tell(node, Event::Online);
            }
            What::Restart => {
                if self.nodes[node].deployment.is_none() {
                    self.restart(node);
                }
            }
        }
    }
}
