//! A topology in virtual time: clients and connectors with the machines that they have, brokers, bridges and a contact centre in memory.
//!
//! What is not the machines' own is taken as this. A process that is killed, and a link that is cut, refuse at once, as loopback does: a
//! machine that vanishes without a word is noticed by the inactivity monitor and by the time that dialling takes, which
//! `runtime/openwire/proto/tests/link.rs` tries. A bridge is there a second after both of its brokers are: the first delay of ActiveMQ's
//! discovery agent (`SimpleDiscoveryAgent.initialReconnectDelay`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use topoc_compiler::emit;
use topoc_compiler::model::ConnectorId;
use topoc_compiler::network::Edge;
use topoc_compiler::{Analysis, CheckedModel};
use topoc_connector::settings::Settings;
use topoc_core::connector::{self, Proof, Seen, Ticket};
use topoc_core::deployment::{Event, Order};
use topoc_core::event::Service;
use topoc_finesse_proto::cluster::{self, NodeId, Poll, Who};
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::notification;
use topoc_finesse_proto::rest::{Answer, Command as Rest};
use topoc_finesse_proto::session::{self, Ask, Loss, Notice, Wish};
use topoc_finesse_proto::user::UserState;
use topoc_openwire_proto::command::{Command, MessageDispatch, Response};
use topoc_openwire_proto::destination::Destination;
use topoc_openwire_proto::failover::{self, Attempt};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::message::Message;

use crate::brokers::{Brokers, Goes, Place, Request};
use crate::centre::{Centre, Holder};
use crate::chance::Chance;
use crate::dialler::{Dialler, Want};
use crate::gc::{Awaits, Gc, settings};

/// How long things take, in milliseconds from least to most: dialling until commands can be exchanged, a way between two processes, an
/// answer of Finesse, a notification session until it is open, a bridge.
const DIAL: (u64, u64) = (1, 20);
const WIRE: (u64, u64) = (1, 4);
const REST: (u64, u64) = (5, 60);
const SESSION: (u64, u64) = (20, 200);
const BRIDGE: (u64, u64) = (1000, 1200);
/// How often a client asks, and how long its question is of use.
const ASKS: Duration = Duration::from_millis(100);
const WITHIN: Duration = Duration::from_secs(2);
/// After how long without a session Finesse logs an agent out (Developer Guide 12.5(1), "Failure Scenarios").
const FORCED: Duration = Duration::from_secs(60);
/// How often the world is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What is under way.
enum What {
    Dialled(Attempt, usize),
    Broken(Attempt),
    Inward(Place, Bytes),
    Outward(Place, Box<Command>),
    Take,
    Tell(Box<Event>),
    Looked(Ticket, String),
    Done(Ticket, String, Rest),
    Opens(String, u64, session::Attempt),
    Closes(String, u64, session::Attempt),
    Asked(String, u64, session::Request, Ask),
    Answered(String, u64, session::Request, Box<session::Answer>),
    Notified(String, Holder),
    Polled(Poll),
    Questions,
    Crossed(Edge, Request),
    Bridged(Edge),
    Forced(String, Duration),
}

struct Coming {
    /// For this start of that party; none for nobody's.
    of: Option<(usize, u64)>,
    what: What,
}

/// A client or a connector.
struct Party {
    name: String,
    site: String,
    uri: String,
    life: u64,
    dialler: Option<Dialler>,
    /// What a connector was built with.
    settings: Option<Settings>,
    gc: Option<Gc>,
    /// The agents of a client.
    agents: Vec<String>,
}

/// A question of a client.
pub(crate) struct Asked {
    pub(crate) client: usize,
    pub(crate) at: Duration,
    /// When it was answered, and with what.
    pub(crate) answer: Option<(Duration, Value)>,
    /// The brokers that it came by, and who took it last.
    pub(crate) way: Vec<String>,
    /// How often somebody took it.
    pub(crate) taken: u32,
}

pub(crate) struct World<'a> {
    pub(crate) now: Duration,
    chance: Chance,
    brokers: Brokers<'a>,
    parties: Vec<Party>,
    pub(crate) centre: Centre,
    /// By the moment, and what was ordered first is first.
    coming: BTreeMap<(Duration, u64), Coming>,
    numbers: u64,
    /// Nothing overtakes on a line: when the last thing arrives, inwards and outwards.
    last: BTreeMap<(Place, bool), Duration>,
    cuts: BTreeSet<(String, String)>,
    pub(crate) asked: Vec<Asked>,
    /// Clients ask all the time.
    asks: bool,
    requests: String,
    looked: Duration,
}

impl<'a> World<'a> {
    pub(crate) fn new(analysis: &'a Analysis, checked: CheckedModel<'_>, seed: u64, agents: usize) -> Self {
        let model = &analysis.model;
        let mut chance = Chance::new(seed);
        let accesses = emit::accesses(checked);
        let mut parties = Vec::new();
        let mut centre = Centre::default();
        for (client, access) in model.clients.iter().zip(&accesses) {
            let first = 1001 + parties.len() * agents;
            let own: Vec<String> = (first..first + agents).map(|agent| agent.to_string()).collect();
            own.iter().for_each(|agent| centre.add(agent, &format!("9{agent}")));
            let site = model.site(client.dialer.site).name.value.clone();
            parties.push(party(&client.dialer.name.value, &site, &access.uri, None, own));
        }
        let mut connectors = BTreeMap::new();
        for (plan, id) in emit::plans(checked).into_iter().zip(0..) {
            connectors.insert(parties.len(), ConnectorId(id));
            let (name, site, uri) = (plan.connector.clone(), plan.site.clone(), plan.brokers.to_string());
            parties.push(party(&name, &site, &uri, Some(settings(plan)), Vec::new()));
        }
        let brokers = Brokers::new(model, &analysis.network, connectors);
        let now = Duration::from_secs(1_700_000_000) + chance.within((0, 1000));
        let mut world = Self {
            now,
            chance,
            brokers,
            parties,
            centre,
            coming: BTreeMap::new(),
            numbers: 0,
            last: BTreeMap::new(),
            cuts: BTreeSet::new(),
            asked: Vec::new(),
            asks: false,
            requests: accesses[0].requests[0].clone(),
            looked: now,
        };
        world.build_bridges();
        (0..world.parties.len()).for_each(|party| world.start(party));
        world
    }

    // Clients.

    /// Every agent connects, signs in and is ready; from then on clients ask all the time what they are doing.
    pub(crate) fn begin(&mut self) {
        self.pass(Duration::from_secs(10));
        for command in ["Connect", "Login", "MakeReady"] {
            for client in 0..self.parties.len() {
                for agent in self.parties[client].agents.clone() {
                    let body = match command {
                        "Connect" => format!("EVENTS.{},secret", self.parties[client].name),
                        "Login" => format!("secret,9{agent}"),
                        _ => String::new(),
                    };
                    self.ask(client, command, &agent, &body);
                }
            }
            self.pass(Duration::from_secs(4));
        }
        for asked in &self.asked {
            let (_, answer) = asked.answer.as_ref().expect("an answer");
            assert_ne!(answer["event"], "Error", "{answer}");
        }
        self.asks = true;
        for client in self.clients() {
            self.come(Duration::ZERO, Some(client), What::Questions);
        }
    }

    pub(crate) fn clients(&self) -> Vec<usize> {
        (0..self.parties.len()).filter(|party| self.parties[*party].settings.is_none()).collect()
    }

    fn ask(&mut self, client: usize, command: &str, agent: &str, body: &str) {
        let number = self.asked.len();
        let (now, to) = (self.now, Destination::queue(&*self.requests));
        let replies = Destination::queue(format!("REPLIES.{}", self.parties[client].name));
        self.asked.push(Asked { client, at: now, answer: None, way: Vec::new(), taken: 0 });
        let Some(dialler) = &mut self.parties[client].dialler else { return };
        let mut message = dialler.message(to, body.as_bytes().to_vec());
        let millis = |at: Duration| i64::try_from(at.as_millis()).unwrap();
        message.headers.r#type = Some(format!("{command}#{agent}"));
        message.headers.correlation_id = Some(number.to_string());
        message.headers.reply_to = Some(replies);
        message.headers.timestamp = millis(now);
        message.headers.expiration = millis(now + WITHIN);
        let (_, want) = dialler.send(Box::new(message).into(), true);
        self.want(client, want);
    }

    fn questions(&mut self, client: usize) {
        if self.asks {
            let agents = &self.parties[client].agents;
            let agent = agents[self.asked.len() / 2 % agents.len()].clone();
            self.ask(client, "GetState", &agent, "");
            self.come(ASKS, Some(client), What::Questions);
        }
    }

    /// A reply has come.
    fn answered(&mut self, message: &Message) {
        let event: Value = serde_json::from_slice(message.headers.content.as_ref().unwrap()).unwrap();
        let number: usize = event["correlation"].as_str().unwrap().parse().unwrap();
        let now = self.now;
        self.asked[number].answer.get_or_insert((now, event));
    }

    // What happens to the topology.

    /// An event of a row.
    pub(crate) fn apply(&mut self, event: &str) {
        let (word, rest) = event.split_once(' ').unwrap();
        match word {
            "fail" => rest.split(", ").for_each(|name| self.fail(name)),
            "restore" => rest.split(", ").for_each(|name| self.restore(name)),
            "cut" | "heal" => {
                let (one, other) = rest.split_once(" <-> ").unwrap();
                self.link(one, other, word == "heal");
            }
            _ => panic!("unknown event {event}"),
        }
    }

    /// Connectors by their names, and whether they run.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.parties.iter().position(|party| party.name == name && party.settings.is_some())
    }

    fn fail(&mut self, name: &str) {
        match (self.find(name), self.brokers.find(name)) {
            (Some(party), _) => self.kill(party),
            (None, Some(broker)) => {
                let gone = self.brokers.kill(broker);
                self.break_off(&gone);
            }
            (None, None) => panic!("nothing of the name {name}"),
        }
        self.pour();
    }

    fn restore(&mut self, name: &str) {
        match (self.find(name), self.brokers.find(name)) {
            (Some(party), _) => self.start(party),
            (None, Some(broker)) => {
                self.brokers.start(broker);
                self.build_bridges();
                self.pour();
            }
            (None, None) => panic!("nothing of the name {name}"),
        }
    }

    fn is_cut(&self, one: &str, other: &str) -> bool {
        self.cuts.contains(&(one.to_owned(), other.to_owned()))
    }

    fn link(&mut self, one: &str, other: &str, is_whole: bool) {
        for (one, other) in [(one, other), (other, one)] {
            let pair = (one.to_owned(), other.to_owned());
            if is_whole {
                self.cuts.remove(&pair)
            } else {
                self.cuts.insert(pair)
            };
        }
        if is_whole {
            return self.build_bridges();
        }
        let crosses =
            |(party, _): &Place, broker: usize| self.is_cut(&self.parties[*party].site, self.brokers.site(broker));
        let lines = self.brokers.lines.iter().filter(|(place, line)| crosses(place, line.broker));
        let gone: Vec<Place> = lines.map(|(place, _)| *place).collect();
        for edge in self.brokers.edges() {
            if !self.is_open(edge) {
                self.brokers.bridge(edge, false);
            }
        }
        gone.iter().for_each(|place| self.brokers.hang_up(*place));
        self.break_off(&gone);
        self.pour();
    }

    /// Those at the other end notice.
    fn break_off(&mut self, gone: &[Place]) {
        for (party, attempt) in gone {
            let takes = self.chance.within(WIRE);
            self.come(takes, Some(*party), What::Broken(*attempt));
        }
    }

    fn is_open(&self, edge: Edge) -> bool {
        let (from, to) = (edge.from.index(), edge.to.index());
        let is_up = self.brokers.is_up(from) && self.brokers.is_up(to);
        is_up && !self.is_cut(self.brokers.site(from), self.brokers.site(to))
    }

    fn build_bridges(&mut self) {
        for edge in self.brokers.edges() {
            let takes = self.chance.within(BRIDGE);
            self.come(takes, None, What::Bridged(edge));
        }
    }

    fn start(&mut self, party: usize) {
        let now = self.now;
        let Party { name, uri, settings, .. } = &self.parties[party];
        let mut dialler = Dialler::new(name, uri, &mut self.chance);
        let (gc, consumers) = match settings {
            None => (None, vec![(Destination::queue(format!("REPLIES.{name}")), 0)]),
            Some(settings) => {
                let (plan, gc) = (&settings.plan, Gc::new(settings, now));
                let sync = Destination::topic(&*plan.deployment.as_ref().unwrap().sync);
                let requests = Destination::queue(&*plan.requests.queue);
                (Some(gc), vec![(sync, 0), (requests, plan.requests.priority)])
            }
        };
        let wants = dialler.start(now, &consumers, &mut self.chance);
        (self.parties[party].dialler, self.parties[party].gc) = (Some(dialler), gc);
        self.want(party, wants);
        self.tell_cluster(party, cluster::Event::Start);
    }

    /// A connector dies, with its sockets.
    fn kill(&mut self, party: usize) {
        let one = &mut self.parties[party];
        (one.dialler, one.gc) = (None, None);
        one.life += 1;
        let lines: Vec<Place> = self.brokers.lines.keys().filter(|(of, _)| *of == party).copied().collect();
        lines.iter().for_each(|place| self.brokers.hang_up(*place));
        let had = |holder: Option<Holder>| holder.filter(|(of, ..)| *of == party);
        let held: Vec<(String, Holder)> =
            self.centre.0.iter().filter_map(|(agent, known)| Some((agent.clone(), had(known.holder)?))).collect();
        held.into_iter().for_each(|(agent, holder)| self.close_session(&agent, holder));
    }

    // What is between.

    fn come(&mut self, after: Duration, party: Option<usize>, what: What) {
        self.numbers += 1;
        let of = party.map(|party| (party, self.parties[party].life));
        self.coming.insert((self.now + after, self.numbers), Coming { of, what });
    }

    fn soon(&mut self, (least, most): (u64, u64), party: usize, what: What) {
        let takes = self.chance.within((least, most));
        self.come(takes, Some(party), what);
    }

    /// Over a line, in its order, after so many ways between processes.
    fn carry(&mut self, place: Place, is_inward: bool, ways: usize, what: What) {
        let takes: Duration = (0..ways).map(|_| self.chance.within(WIRE)).sum();
        let last = self.last.entry((place, is_inward)).or_default();
        *last = (self.now + takes).max(*last + Duration::from_nanos(1));
        let after = *last - self.now;
        self.come(after, Some(place.0), what);
    }

    fn want(&mut self, party: usize, wants: impl IntoIterator<Item = Want>) {
        for want in wants {
            match want {
                Want::Dial(attempt, address) => {
                    let broker = self.brokers.at(&address.host);
                    self.soon(DIAL, party, What::Dialled(attempt, broker));
                }
                Want::Hang(attempt) => {
                    self.brokers.hang_up((party, attempt));
                    self.pour();
                }
                Want::Write(attempt, frame) => {
                    let place = (party, attempt);
                    self.carry(place, true, 1, What::Inward(place, frame));
                }
                Want::Connected => self.tell(party, Event::Online),
                Want::Lost => {
                    if let Some(gc) = &mut self.parties[party].gc {
                        gc.inbox.clear();
                        gc.deliveries.clear();
                    }
                    self.tell(party, Event::BrokerLost);
                }
            }
        }
    }

    fn tell_dialler(&mut self, party: usize, event: failover::Event) {
        let Some(dialler) = &mut self.parties[party].dialler else { return };
        let wants = dialler.tell(self.now, event, &mut self.chance);
        self.want(party, wants);
    }

    fn dialled(&mut self, party: usize, attempt: Attempt, broker: usize) {
        if self.brokers.is_up(broker) && !self.is_cut(&self.parties[party].site, self.brokers.site(broker)) {
            self.brokers.open((party, attempt), broker);
            return self.tell_dialler(party, failover::Event::Opened(attempt));
        }
        self.tell_dialler(party, failover::Event::Failed(attempt, "refused".to_owned()));
    }

    /// A broker takes a frame.
    fn inward(&mut self, place: Place, bytes: &Bytes) {
        let Some(broker) = self.brokers.lines.get(&place).map(|line| line.broker) else { return };
        let command = frame::decode(bytes.slice(4..)).unwrap().unwrap();
        if let Some((correlation_id, true)) = command.number() {
            let response = Response { correlation_id, ..Response::default() };
            self.carry(place, false, 1, What::Outward(place, Box::new(response.into())));
        }
        match command {
            Command::Message(message) => self.routed(broker, place.0, message),
            other => self.brokers.take(place, other),
        }
        self.pour();
    }

    fn routed(&mut self, broker: usize, from: usize, message: Box<Message>) {
        let to = message.headers.destination.clone().unwrap();
        if to.name() == self.requests {
            return self.brokers.put(broker, message);
        }
        for (place, bridges) in self.brokers.subscribers(broker, &to) {
            if place.0 != from {
                self.dispatch(place, bridges + 1, &message, 0);
            }
        }
    }

    fn dispatch(&mut self, place: Place, ways: usize, message: &Message, before: i32) {
        let dispatch = MessageDispatch {
            destination: message.headers.destination.clone(),
            message: Some(Box::new(message.clone())),
            redelivery_counter: before,
            ..MessageDispatch::default()
        };
        self.carry(place, false, ways, What::Outward(place, Box::new(dispatch.into())));
    }

    /// Brokers give out what they can.
    fn pour(&mut self) {
        for goes in self.brokers.pour() {
            match goes {
                Goes::Over(edge, request) => {
                    let takes = self.chance.within(WIRE);
                    self.come(takes, None, What::Crossed(edge, request));
                }
                Goes::To(place, request, mut way) => {
                    let number: usize = request.message.headers.correlation_id.as_ref().unwrap().parse().unwrap();
                    way.push(self.parties[place.0].name.clone());
                    self.asked[number].way = way;
                    self.asked[number].taken += 1;
                    self.dispatch(place, 1, &request.message, request.deliveries - 1);
                }
            }
        }
    }

    /// Something comes from a broker.
    fn outward(&mut self, place: Place, command: Command) {
        let (party, attempt) = place;
        let is_there = self.brokers.lines.contains_key(&place);
        let Some(dialler) = self.parties[party].dialler.as_mut().filter(|one| is_there && one.used() == Some(attempt))
        else {
            return;
        };
        dialler.received(&command);
        match command {
            Command::Response(response) => {
                let awaited =
                    self.parties[party].gc.as_mut().and_then(|gc| gc.awaited.remove(&response.correlation_id));
                match awaited {
                    Some(Awaits::Accepted(ticket)) => self.tell(party, Event::Accepted(ticket)),
                    Some(Awaits::Published(agent)) => self.tell(party, Event::Published(agent)),
                    None => {}
                }
            }
            Command::MessageDispatch(dispatch) => {
                let message = dispatch.message.unwrap();
                match dispatch.destination.unwrap() {
                    to if to.name() == self.requests => self.delivered(party, &message, dispatch.redelivery_counter),
                    Destination::Topic(_) => {
                        let bytes = message.headers.content.unwrap().to_vec();
                        self.tell(party, Event::Heard(bytes));
                    }
                    _ => self.answered(&message),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn delivered(&mut self, party: usize, message: &Message, before: i32) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        gc.next += 1;
        let headers = &message.headers;
        let millis = |at: i64| u64::try_from(at).ok().map(Duration::from_millis);
        gc.deliveries.insert(gc.next, headers.message_id.clone().unwrap());
        gc.inbox.push_back(connector::Message {
            delivery: gc.next,
            id: headers.correlation_id.clone().unwrap(),
            jms_type: headers.r#type.clone(),
            body: headers.content.clone().unwrap_or_default().to_vec(),
            correlation: headers.correlation_id.clone(),
            reply_to: headers.reply_to.as_ref().map(|to| format!("queue://{}", to.name())),
            redelivered: before > 0,
            crossed: headers.broker_path.as_ref().is_some_and(|path| !path.is_empty()),
            sent: millis(headers.timestamp),
            expires: millis(headers.expiration),
        });
        self.take(party);
    }

    fn take(&mut self, party: usize) {
        while let Some(gc) = self.parties[party].gc.as_mut().filter(|gc| gc.machine.takes_requests()) {
            let Some(message) = gc.inbox.pop_front() else { return };
            self.tell(party, Event::Requested(Box::new(message)));
        }
    }

    // Connectors.

    fn tell(&mut self, party: usize, event: Event) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        for order in gc.machine.handle(self.now, event) {
            self.carry_out(party, order);
        }
    }

    fn carry_out(&mut self, party: usize, order: Order) {
        match order {
            Order::Pause | Order::Hold | Order::Release => {}
            Order::Resume => self.come(Duration::ZERO, Some(party), What::Take),
            Order::Send(ticket, bytes) => {
                let topic = self.sync(party);
                self.publish(party, topic, bytes, ticket.map(Awaits::Accepted));
            }
            Order::Publish(to, event) => {
                let to = to.to_string();
                let to = match to.strip_prefix("queue://") {
                    Some(name) => Destination::queue(name),
                    None => Destination::topic(to),
                };
                let text = serde_json::to_vec(&*event).unwrap();
                self.publish(party, to, text, Some(Awaits::Published(event.agent)));
            }
            Order::Acknowledge(delivery) => self.acknowledge(party, delivery),
            Order::Prove(ticket, ..) => {
                self.soon(REST, party, What::Tell(Box::new(Event::Proved(ticket, Proof::Right))));
            }
            Order::Look(ticket, agent, _) => self.soon(REST, party, What::Looked(ticket, agent)),
            Order::Start(agent, _) => self.start_session(party, &agent),
            Order::Leave(agent) => {
                self.tell_session(party, &agent, session::Event::Stop);
                if let Some(gc) = &mut self.parties[party].gc {
                    gc.sessions.remove(&agent);
                }
            }
            Order::Ask { ticket, agent, command, beside, .. } => {
                let wish = match (&command, beside) {
                    (Rest::SignIn { extension, mobile, .. }, None) => {
                        Some(Wish::SignedIn(session::SignIn { extension: extension.clone(), mobile: mobile.clone() }))
                    }
                    (Rest::ChangeState { state: UserState::Ready, .. }, None) => Some(Wish::Ready),
                    _ => None,
                };
                if let Some(wish) = wish {
                    self.tell_session(party, &agent, session::Event::Wished(wish));
                }
                self.soon(REST, party, What::Done(ticket, agent, command));
            }
            Order::Refuse(_) | Order::Done => panic!("everybody can be answered, and nobody ends in order"),
        }
    }

    fn sync(&self, party: usize) -> Destination {
        let settings = self.parties[party].settings.as_ref().unwrap();
        Destination::topic(&*settings.plan.deployment.as_ref().unwrap().sync)
    }

    fn publish(&mut self, party: usize, to: Destination, bytes: Vec<u8>, awaits: Option<Awaits>) {
        let Party { dialler: Some(dialler), gc: Some(gc), .. } = &mut self.parties[party] else { return };
        let message = dialler.message(to, bytes);
        let (number, want) = dialler.send(Box::new(message).into(), awaits.is_some());
        gc.awaited.extend(awaits.map(|awaits| (number, awaits)));
        self.want(party, want);
    }

    fn acknowledge(&mut self, party: usize, delivery: u64) {
        let Party { dialler: Some(dialler), gc: Some(gc), .. } = &mut self.parties[party] else { return };
        if let Some(message) = gc.deliveries.remove(&delivery) {
            let want = dialler.acknowledge(message);
            self.want(party, want);
        }
    }

    // Finesse.

    fn tell_cluster(&mut self, party: usize, event: cluster::Event) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        for order in gc.cluster.handle(self.now, event, &mut self.chance) {
            match order {
                cluster::Order::Poll(poll, _) => self.soon(REST, party, What::Polled(poll)),
                cluster::Order::Use { node, over, .. } => self.use_server(party, node, over),
                cluster::Order::Abandon(_) | cluster::Order::Judged(..) => {}
                other => panic!("Finesse is well, and there is {other:?}"),
            }
        }
    }

    fn use_server(&mut self, party: usize, node: NodeId, over: Duration) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        gc.used = Some((node, over));
        let agents: Vec<String> = gc.sessions.keys().cloned().collect();
        agents.iter().for_each(|agent| self.tell_session(party, agent, session::Event::Use(node, over)));
        self.tell(party, Event::Serves(Service::InService));
    }

    fn start_session(&mut self, party: usize, agent: &str) {
        self.numbers += 1;
        let number = self.numbers;
        let Some(gc) = &mut self.parties[party].gc else { return };
        let product = gc.product;
        let is_new = !gc.sessions.contains_key(agent);
        gc.sessions.entry(agent.to_owned()).or_insert_with(|| (number, session::Session::new(product)));
        let used = gc.used.filter(|_| is_new);
        self.tell_session(party, agent, session::Event::Start(None));
        if let Some((node, over)) = used {
            self.tell_session(party, agent, session::Event::Use(node, over));
        }
    }

    fn tell_session(&mut self, party: usize, agent: &str, event: session::Event) {
        let Some((number, session)) = self.parties[party].gc.as_mut().and_then(|gc| gc.sessions.get_mut(agent)) else {
            return;
        };
        let number = *number;
        for order in session.handle(self.now, event, &mut self.chance) {
            self.carry_out_session(party, agent, number, order);
        }
    }

    fn carry_out_session(&mut self, party: usize, agent: &str, number: u64, order: session::Order) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        let name = agent.to_owned();
        match order {
            session::Order::Open(attempt, _) => {
                gc.links.insert(name.clone(), (number, attempt));
                self.soon(SESSION, party, What::Opens(name, number, attempt));
            }
            session::Order::Close(attempt) => {
                gc.links.remove(agent);
                self.soon(WIRE, party, What::Closes(name, number, attempt));
            }
            session::Order::Drop(attempt) => {
                gc.links.remove(agent);
                self.close_session(agent, (party, number, attempt));
            }
            session::Order::Ask(request, _, ask) => self.soon(REST, party, What::Asked(name, number, request, ask)),
            session::Order::Tell(node, sign) => {
                let who = Who(agent.parse().unwrap());
                self.tell_cluster(party, cluster::Event::Told(who, node, sign));
            }
            session::Order::Publish(change) => self.tell(party, Event::Changed(name, change)),
            session::Order::Abandon(_) | session::Order::Warn(_) => {}
        }
    }

    fn close_session(&mut self, agent: &str, holder: Holder) {
        if self.centre.close(self.now, agent, holder) {
            self.come(FORCED, None, What::Forced(agent.to_owned(), self.now));
        }
    }

    fn opens(&mut self, party: usize, agent: &str, number: u64, attempt: session::Attempt) {
        let is_wanted =
            self.parties[party].gc.as_ref().is_some_and(|gc| gc.links.get(agent) == Some(&(number, attempt)));
        if !is_wanted {
            return;
        }
        if let Some((before, of, lost)) = self.centre.open(agent, (party, number, attempt)) {
            let gc = self.parties[before].gc.as_mut();
            let is_known = |gc: &mut Gc| {
                let is_it = gc.sessions.get(agent).is_some_and(|(number, _)| *number == of);
                is_it && gc.links.remove(agent).is_some()
            };
            if gc.is_some_and(is_known) {
                self.tell_session(before, agent, session::Event::Lost(lost, Loss::Conflict));
            }
        }
        self.tell_session(party, agent, session::Event::Opened(attempt));
    }

    /// The agent's session hears of a change.
    fn notify(&mut self, agent: &str) {
        if let Some(holder) = self.centre.get(agent).holder {
            self.soon(WIRE, holder.0, What::Notified(agent.to_owned(), holder));
        }
    }

    // Time.

    /// Time passes; every tenth of a second somebody may look.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.watch(time, &mut |_| {});
    }

    /// The same, with somebody who looks.
    pub(crate) fn watch(&mut self, time: Duration, look: &mut dyn FnMut(&Self)) {
        let end = self.now + time;
        loop {
            let next = self.coming.first_key_value().map(|((at, _), _)| *at);
            let wakes = self.wakes();
            let at = next.into_iter().chain(wakes.map(|(at, _)| at)).min().unwrap_or(end);
            while self.looked + LOOK <= at.min(end) {
                self.looked += LOOK;
                self.now = self.looked;
                look(self);
            }
            if at >= end {
                self.now = end;
                return;
            }
            self.now = self.now.max(at);
            match wakes {
                Some((wakes, party)) if next.is_none_or(|next| wakes < next) => self.wake(party),
                _ => {
                    let Some((_, coming)) = self.coming.pop_first() else { return };
                    self.happen(coming);
                }
            }
        }
    }

    /// Whose timer is the next.
    fn wakes(&self) -> Option<(Duration, usize)> {
        let of = |(party, one): (usize, &Party)| {
            let dialler = one.dialler.as_ref().and_then(Dialler::wakes_at);
            let gc = one.gc.as_ref().and_then(Gc::wakes_at);
            Some((dialler.into_iter().chain(gc).min()?, party))
        };
        self.parties.iter().enumerate().filter_map(of).min()
    }

    fn wake(&mut self, party: usize) {
        let now = self.now;
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let one = &self.parties[party];
        let dials = one.dialler.as_ref().is_some_and(|dialler| is_due(dialler.wakes_at()));
        let gc = one.gc.as_ref();
        let works = gc.is_some_and(|gc| is_due(gc.machine.wakes_at()));
        let watches = gc.is_some_and(|gc| is_due(gc.cluster.wakes_at()));
        let due = gc.into_iter().flat_map(|gc| &gc.sessions).filter(|(_, (_, session))| is_due(session.wakes_at()));
        let due: Vec<String> = due.map(|(agent, _)| agent.clone()).collect();
        if dials {
            self.tell_dialler(party, failover::Event::Timer);
        }
        if works {
            self.tell(party, Event::Time);
        }
        if watches {
            self.tell_cluster(party, cluster::Event::Timer);
        }
        due.iter().for_each(|agent| self.tell_session(party, agent, session::Event::Timer));
    }

    fn happen(&mut self, coming: Coming) {
        let party = match coming.of {
            Some((party, life)) if self.parties[party].life == life => party,
            Some(_) => return,
            None => usize::MAX,
        };
        match coming.what {
            What::Dialled(attempt, broker) => self.dialled(party, attempt, broker),
            What::Broken(attempt) => self.tell_dialler(party, failover::Event::Failed(attempt, "reset".to_owned())),
            What::Inward(place, bytes) => self.inward(place, &bytes),
            What::Outward(place, command) => self.outward(place, *command),
            What::Take => self.take(party),
            What::Tell(event) => self.tell(party, *event),
            What::Looked(ticket, agent) => {
                let seen = Seen { user: self.centre.user(&agent), dialogs: Vec::new() };
                self.tell(party, Event::Seen(ticket, Some(seen)));
            }
            What::Done(ticket, agent, command) => {
                if self.centre.act(self.now, &agent, &command) {
                    self.notify(&agent);
                }
                let answer = match command {
                    Rest::User { .. } => Answer::User(self.centre.user(&agent)),
                    Rest::Dialogs { .. } => Answer::Dialogs(Vec::new()),
                    _ => Answer::Accepted,
                };
                self.tell(party, Event::Came(ticket, Outcome::Answer(answer)));
            }
            What::Opens(agent, number, attempt) => self.opens(party, &agent, number, attempt),
            What::Closes(agent, number, attempt) => {
                self.close_session(&agent, (party, number, attempt));
                self.tell_of(party, &agent, number, session::Event::Closed(attempt));
            }
            What::Asked(agent, number, request, ask) => {
                let (answer, changes) = self.centre.ask(self.now, &agent, &ask);
                if changes {
                    self.notify(&agent);
                }
                self.soon(WIRE, party, What::Answered(agent, number, request, Box::new(answer)));
            }
            What::Answered(agent, number, request, answer) => {
                self.tell_of(party, &agent, number, session::Event::Answered(request, *answer));
            }
            What::Notified(agent, (_, number, attempt)) => {
                let user = notification::Event::UserChanged(self.centre.user(&agent));
                let event = session::Event::Notified(attempt, Notice::Update(user));
                self.tell_of(party, &agent, number, event);
            }
            What::Polled(poll) => {
                let service = cluster::Service { in_service: true, draining: false, express: Some(false) };
                self.tell_cluster(party, cluster::Event::Answered(poll, cluster::Answer::Service(service)));
            }
            What::Questions => self.questions(party),
            What::Crossed(edge, request) => {
                self.brokers.cross(edge, request);
                self.pour();
            }
            What::Bridged(edge) => {
                if self.is_open(edge) {
                    self.brokers.bridge(edge, true);
                    self.pour();
                }
            }
            What::Forced(agent, since) => {
                if self.centre.force(self.now, &agent, since) {
                    self.notify(&agent);
                }
            }
        }
    }

    /// Tells an agent's machine, if it is still the one that is meant.
    fn tell_of(&mut self, party: usize, agent: &str, number: u64, event: session::Event) {
        let gc = self.parties[party].gc.as_ref();
        if gc.and_then(|gc| gc.sessions.get(agent)).is_some_and(|(known, _)| *known == number) {
            self.tell_session(party, agent, event);
        }
    }

    // What is to be seen.

    /// The connectors that say that an agent is theirs.
    pub(crate) fn owners(&self, agent: &str) -> Vec<usize> {
        let owns = |party: &usize| self.parties[*party].gc.as_ref().is_some_and(|gc| gc.owns(agent));
        (0..self.parties.len()).filter(owns).collect()
    }

    /// Whether an agent has exactly one owner, who has the one session.
    pub(crate) fn is_owned(&self, agent: &str) -> bool {
        let holder = self.centre.0[agent].holder.map(|(party, ..)| party);
        matches!(self.owners(agent)[..], [owner] if holder == Some(owner))
    }

    /// How often priorities left it open who gets a request.
    pub(crate) const fn ties(&self) -> usize {
        self.brokers.ties
    }
}

fn party(name: &str, site: &str, uri: &str, settings: Option<Settings>, agents: Vec<String>) -> Party {
    let [name, site, uri] = [name, site, uri].map(str::to_owned);
    Party { name, site, uri, life: 0, dialler: None, settings, gc: None, agents }
}
