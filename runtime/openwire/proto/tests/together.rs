//! Failover transport, tracker and acknowledgements together, against brokers that come, go and hang up in virtual time with
//! what is on its way: one store, as a pair of master and slave has. `TOPOC_LONG=1` for more schedules.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod support;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use support::Chance;
use topoc_openwire_proto::acks::{AckMode, Acks, Got};
use topoc_openwire_proto::command::{
    Command, ConnectionInfo, ConsumerInfo, MessageAck, MessageDispatch, ProducerInfo, Response, SessionInfo,
};
use topoc_openwire_proto::destination::Destination;
use topoc_openwire_proto::failover::{Attempt, Event, Failover, Options, Order, World};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::id::{ConnectionId, ConsumerId, MessageId, ProducerId, SessionId};
use topoc_openwire_proto::message::{Headers, Message};
use topoc_openwire_proto::tracker::{Tracker, WhileDown};
use topoc_openwire_proto::uri::Uri;

impl World for Chance {
    fn below(&mut self, limit: usize) -> usize {
        Chance::below(self, limit)
    }

    fn same_host(&mut self, one: &str, other: &str) -> bool {
        one == other
    }
}

const PREFETCH: i32 = 4;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn consumer_id() -> ConsumerId {
    ConsumerId { connection_id: Some("c".to_owned()), session_id: 1, value: 1 }
}

fn producer_id() -> ProducerId {
    ProducerId { connection_id: Some("c".to_owned()), session_id: 1, value: 1 }
}

fn message(number: i64) -> Message {
    let id = MessageId { producer_id: Some(producer_id()), producer_sequence_id: number, ..MessageId::default() };
    let headers = Headers {
        producer_id: Some(producer_id()),
        destination: Some(Destination::queue("Q")),
        message_id: Some(id),
        persistent: true,
        ..Headers::default()
    };
    Message { headers, ..Message::default() }
}

/// What a broker knows of a transport that it has accepted.
#[derive(Default)]
struct Peer {
    port: u16,
    registered: bool,
    /// How many messages may be on their way; none before there is a consumer.
    window: Option<i32>,
    extension: usize,
    dispatched: VecDeque<i64>,
    /// On its way to the broker and to the client.
    inward: VecDeque<Bytes>,
    outward: VecDeque<Command>,
}

/// The store that all brokers share.
#[derive(Default)]
struct Store {
    waiting: VecDeque<i64>,
    done: BTreeSet<i64>,
    /// The highest number of the producer, by which a broker knows what it has already.
    last: i64,
    deliveries: BTreeMap<i64, i32>,
}

impl Peer {
    /// The broker takes one frame.
    fn take(&mut self, store: &mut Store) {
        let Some(frame) = self.inward.pop_front() else { return };
        let command = frame::decode(frame.slice(4..)).unwrap().unwrap();
        let number = command.number().filter(|(_, wanted)| *wanted).map(|(number, _)| number);
        match command {
            Command::ConnectionInfo(_) => self.registered = true,
            Command::ConsumerInfo(info) => self.window = Some(info.prefetch_size),
            Command::ConsumerControl(control) => self.window = Some(control.prefetch),
            Command::Message(message) => {
                assert!(self.registered, "a message before the connection");
                let number = message.headers.message_id.unwrap().producer_sequence_id;
                if number > store.last {
                    store.last = number;
                    store.waiting.push_back(number);
                }
            }
            Command::MessageAck(ack) => self.acknowledged(&ack, store),
            _ => {}
        }
        if let Some(correlation_id) = number {
            self.outward.push_back(Response { correlation_id, ..Response::default() }.into());
        }
        self.dispatch(store);
    }

    fn acknowledged(&mut self, ack: &MessageAck, store: &mut Store) {
        let number = |id: &Option<MessageId>| id.as_ref().unwrap().producer_sequence_id;
        let place =
            |number| self.dispatched.iter().position(|known| *known == number).expect("it is of this connection");
        let to = place(number(&ack.last_message_id));
        if ack.ack_type == MessageAck::DELIVERED {
            self.extension += usize::try_from(ack.message_count).unwrap();
            return;
        }
        let from = place(number(&ack.first_message_id));
        for number in self.dispatched.drain(from..=to) {
            assert!(store.done.insert(number), "{number} is acknowledged twice");
            self.extension = self.extension.saturating_sub(1);
        }
    }

    fn dispatch(&mut self, store: &mut Store) {
        let Some(window) = self.window.and_then(|window| usize::try_from(window).ok()) else { return };
        while window > 0 && self.dispatched.len() < window + self.extension {
            let Some(number) = store.waiting.pop_front() else { return };
            let deliveries = store.deliveries.entry(number).or_default();
            let dispatch = MessageDispatch {
                consumer_id: Some(consumer_id()),
                message: Some(Box::new(message(number))),
                redelivery_counter: *deliveries,
                ..MessageDispatch::default()
            };
            *deliveries += 1;
            self.dispatched.push_back(number);
            self.outward.push_back(dispatch.into());
        }
    }

    /// It is lost with everything on its way; what was not acknowledged waits again.
    fn lose(mut self, store: &mut Store) {
        while let Some(number) = self.dispatched.pop_back() {
            store.waiting.push_front(number);
        }
    }
}

/// A client and its brokers.
struct Lab {
    chance: Chance,
    now: Duration,
    up: BTreeMap<u16, bool>,
    store: Store,
    machine: Failover,
    tracker: Tracker,
    opening: BTreeMap<Attempt, (Duration, u16)>,
    open: BTreeMap<Attempt, Peer>,
    used: Option<Attempt>,
    commands: i32,
    waiting: VecDeque<Command>,
    /// Sends whose answer is awaited, by command, and those that were answered.
    asked: BTreeMap<i32, i64>,
    sent: BTreeSet<i64>,
    next: i64,
    acks: Acks<i64>,
    /// What came and the application has not yet looked at.
    inbox: VecDeque<Got<i64>>,
    /// What the application got, and how many losses there were.
    got: BTreeSet<i64>,
    losses: u32,
}

impl Lab {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed | 1);
        for _ in 0..8 {
            chance.next();
        }
        let yes = |chance: &mut Chance| chance.below(2) == 0;
        let uri = format!(
            "failover:(tcp://h:1,tcp://h:2,tcp://h:3)?randomize={}&priorityBackup={}&backup={}&maxReconnectDelay=500",
            yes(&mut chance),
            yes(&mut chance),
            yes(&mut chance),
        );
        let Uri::Failover { addresses, options } = Uri::parse(&uri).unwrap() else { panic!("{uri}") };
        let options = Options::read(&options).unwrap();
        let tracker = Tracker::new(&options);
        let machine = Failover::new(addresses, options, &mut chance);
        let up = [1, 2, 3].map(|port| (port, yes(&mut chance))).into();
        let acks = Acks::new(consumer_id(), AckMode::Client, PREFETCH);
        let mut lab = Self {
            chance,
            now: Duration::ZERO,
            up,
            store: Store::default(),
            machine,
            tracker,
            opening: BTreeMap::new(),
            open: BTreeMap::new(),
            used: None,
            commands: 0,
            waiting: VecDeque::new(),
            asked: BTreeMap::new(),
            sent: BTreeSet::new(),
            next: 0,
            acks,
            inbox: VecDeque::new(),
            got: BTreeSet::new(),
            losses: 0,
        };
        lab.tell(Event::Start);
        let id = Some(ConnectionId::new("c"));
        lab.send(ConnectionInfo { connection_id: id, ..ConnectionInfo::default() }.into(), true);
        let session = SessionId { connection_id: Some("c".to_owned()), value: 1 };
        lab.send(SessionInfo { session_id: Some(session), ..SessionInfo::default() }.into(), true);
        lab.send(ProducerInfo { producer_id: Some(producer_id()), ..ProducerInfo::default() }.into(), true);
        let consumer = ConsumerInfo {
            consumer_id: Some(consumer_id()),
            prefetch_size: PREFETCH,
            destination: Some(Destination::queue("Q")),
            ..ConsumerInfo::default()
        };
        lab.send(consumer.into(), true);
        lab
    }

    /// The client sends a command, or lets it wait.
    fn send(&mut self, mut command: Command, answer: bool) -> i32 {
        self.commands += 1;
        command.set_number(self.commands, answer);
        if self.used.is_some() {
            self.write(&command);
        } else if self.tracker.while_down(&command) == WhileDown::Wait {
            self.waiting.push_back(command);
        }
        self.commands
    }

    fn write(&mut self, command: &Command) {
        let frame = Bytes::from(frame::encode(command).unwrap());
        self.tracker.sent(command, &frame);
        let peer = self.used.and_then(|used| self.open.get_mut(&used)).unwrap();
        peer.inward.push_back(frame);
    }

    fn tell(&mut self, event: Event) {
        for order in self.machine.handle(self.now, event, &mut self.chance) {
            match order {
                Order::Open(attempt, address) => {
                    let takes = ms(1 + self.chance.next() % 100);
                    self.opening.insert(attempt, (self.now + takes, address.port));
                }
                Order::Close(attempt) => {
                    self.opening.remove(&attempt);
                    self.hang_up(attempt);
                }
                Order::Use { attempt, restore, .. } => self.use_transport(attempt, restore),
                Order::Interrupted => {
                    self.losses += 1;
                    self.acks.lose();
                    self.inbox.clear();
                }
                Order::GiveUp(reason) => panic!("gave up: {reason}"),
                Order::List(_) | Order::Warn(_) => {}
            }
        }
        let registered = self.open.values().filter(|peer| peer.registered).count();
        assert!(registered <= 1, "{registered} registered connections of one client");
    }

    fn use_transport(&mut self, attempt: Attempt, restore: bool) {
        assert_eq!(self.used, None);
        self.used = Some(attempt);
        if restore {
            let restored = self.tracker.restore();
            assert!(restored.answers.is_empty(), "nothing is in doubt here: {:?}", restored.answers);
            self.open.get_mut(&attempt).unwrap().inward.extend(restored.frames);
            for control in self.tracker.resume() {
                self.send(control.into(), false);
            }
        }
        for command in std::mem::take(&mut self.waiting) {
            self.write(&command);
        }
    }

    fn hang_up(&mut self, attempt: Attempt) -> bool {
        self.used.take_if(|used| *used == attempt);
        let peer = self.open.remove(&attempt);
        let was = peer.is_some();
        if let Some(peer) = peer {
            peer.lose(&mut self.store);
        }
        was
    }

    /// One thing happens: a transport is decided, a timer comes, a frame is taken at either end.
    fn step(&mut self) {
        self.now += ms(1 + self.chance.next() % 20);
        let decided = self.opening.iter().find(|(_, (when, _))| *when <= self.now).map(|(id, (_, port))| (*id, *port));
        if let Some((attempt, port)) = decided {
            self.opening.remove(&attempt);
            if self.up[&port] {
                self.open.insert(attempt, Peer { port, ..Peer::default() });
                self.tell(Event::Opened(attempt));
            } else {
                self.tell(Event::Failed(attempt, "refused".to_owned()));
            }
        }
        if self.machine.wakes_at().is_some_and(|at| at <= self.now) {
            self.tell(Event::Timer);
        }
        for _ in 0..self.chance.below(4) {
            self.exchange();
        }
        self.application();
    }

    /// A frame arrives, at the broker and at the client.
    fn exchange(&mut self) {
        let Some(peer) = self.used.and_then(|used| self.open.get_mut(&used)) else { return };
        peer.take(&mut self.store);
        let Some(command) = peer.outward.pop_front() else { return };
        self.tracker.received(&command);
        match command {
            Command::Response(response) => {
                self.sent.extend(self.asked.remove(&response.correlation_id));
            }
            Command::MessageDispatch(dispatch) => {
                let id = dispatch.message.unwrap().headers.message_id.unwrap();
                let kept = id.producer_sequence_id;
                self.inbox.push_back(Got { id, destination: None, redeliveries: dispatch.redelivery_counter, kept });
            }
            _ => {}
        }
    }

    fn application(&mut self) {
        if self.chance.below(3) == 0 && self.next < 60 {
            self.next += 1;
            let number = self.send(Box::new(message(self.next)).into(), true);
            self.asked.insert(number, self.next);
        }
        if self.chance.below(2) == 0
            && let Some(got) = self.inbox.pop_front()
        {
            assert!(!self.store.done.contains(&got.kept), "{} comes again after it was acknowledged", got.kept);
            self.got.insert(got.kept);
            if let Some(ack) = self.acks.deliver(got, None) {
                self.send(ack.into(), false);
            }
        }
        if self.chance.below(8) == 0
            && let Some(ack) = self.acks.acknowledge_all()
        {
            self.send(ack.into(), false);
        }
    }

    fn fault(&mut self) {
        let port = [1, 2, 3][self.chance.below(3)];
        let up = !self.up[&port];
        self.up.insert(port, up);
        if up {
            return;
        }
        let dead: Vec<Attempt> =
            self.open.iter().filter(|(_, peer)| peer.port == port).map(|(attempt, _)| *attempt).collect();
        for attempt in dead {
            if self.hang_up(attempt) {
                self.tell(Event::Failed(attempt, "reset".to_owned()));
            }
        }
    }

    /// Everything is up and stays up: until all is sent, received and acknowledged.
    fn calm(&mut self) {
        self.up.values_mut().for_each(|up| *up = true);
        for _ in 0..5000 {
            self.step();
            if self.next == 60 && self.sent.len() == 60 && self.store.done.len() == 60 {
                return;
            }
        }
        let Self { sent, store, got, used, .. } = self;
        panic!("stuck: {} sent, {} got, {} done, connected: {used:?}", sent.len(), got.len(), store.done.len());
    }
}

#[test]
fn nothing_is_lost_and_nothing_acknowledged_twice_whatever_the_schedule() {
    let schedules = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 100_000 } else { 10_000 };
    let (mut losses, mut again) = (0, 0);
    for seed in 0..schedules {
        let mut lab = Lab::new(seed * 2_654_435_761 + 1);
        for _ in 0..8 {
            for _ in 0..lab.chance.below(30) {
                lab.step();
            }
            lab.fault();
        }
        lab.calm();
        assert_eq!(lab.got.len(), 60, "seed {seed}");
        losses += lab.losses;
        again += lab.store.deliveries.values().filter(|deliveries| **deliveries > 1).count();
    }
    println!("{losses} losses, {again} messages given out again in {schedules} schedules");
    assert!(losses > 1000 && again > 1000, "{losses} losses and {again} messages given out again try nothing");
}
