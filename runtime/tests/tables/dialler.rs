//! Who dials brokers, as values: the failover transport and the tracker of the client, with what waits for a connection.

use std::time::Duration;

use bytes::Bytes;
use topoc_openwire_proto::command::{Command, ConnectionInfo, ConsumerInfo, MessageAck, SessionInfo};
use topoc_openwire_proto::destination::Destination;
use topoc_openwire_proto::failover::{Attempt, Event, Failover, Options, Order};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::id::{ConnectionId, ConsumerId, MessageId, ProducerId, SessionId};
use topoc_openwire_proto::message::{Headers, Message};
use topoc_openwire_proto::tracker::{Tracker, WhileDown};
use topoc_openwire_proto::uri::{Address, Uri};

use crate::chance::Chance;

/// So many messages may be on their way to a consumer: ActiveMQ's own number for queues.
const PREFETCH: i32 = 1000;

/// What a dialler wants of the world.
#[derive(Debug)]
pub(crate) enum Want {
    Dial(Attempt, Address),
    Hang(Attempt),
    /// This goes to the broker.
    Write(Attempt, Bytes),
    /// There is a connection, and what the broker has to know is on its way.
    Connected,
    /// There is none any more.
    Lost,
}

pub(crate) struct Dialler {
    machine: Failover,
    tracker: Tracker,
    used: Option<Attempt>,
    waiting: Vec<Command>,
    id: String,
    commands: i32,
    messages: i64,
    consumers: i64,
}

impl Dialler {
    /// One of this name, which has not started.
    pub(crate) fn new(id: &str, uri: &str, chance: &mut Chance) -> Self {
        let Uri::Failover { addresses, options } = Uri::parse(uri).unwrap() else { panic!("{uri}") };
        let options = Options::read(&options).unwrap();
        Self {
            tracker: Tracker::new(&options),
            machine: Failover::new(addresses, options, chance),
            used: None,
            waiting: Vec::new(),
            id: id.to_owned(),
            commands: 0,
            messages: 0,
            consumers: 0,
        }
    }

    /// The transport in use.
    pub(crate) const fn used(&self) -> Option<Attempt> {
        self.used
    }

    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        self.machine.wakes_at()
    }

    /// Dials, and introduces itself as soon as there is a connection: with these consumers, each with its priority.
    pub(crate) fn start(&mut self, now: Duration, consumers: &[(Destination, i8)], chance: &mut Chance) -> Vec<Want> {
        let mut wants = self.tell(now, Event::Start, chance);
        let connection_id = Some(ConnectionId::new(&*self.id));
        wants.extend(self.send(ConnectionInfo { connection_id, ..ConnectionInfo::default() }.into(), true).1);
        let session_id = Some(SessionId { connection_id: Some(self.id.clone()), value: 1 });
        wants.extend(self.send(SessionInfo { session_id, ..SessionInfo::default() }.into(), true).1);
        for (destination, priority) in consumers {
            self.consumers += 1;
            let consumer = ConsumerInfo {
                consumer_id: Some(self.consumer_id(self.consumers)),
                destination: Some(destination.clone()),
                prefetch_size: PREFETCH,
                priority: *priority,
                ..ConsumerInfo::default()
            };
            wants.extend(self.send(consumer.into(), true).1);
        }
        wants
    }

    fn consumer_id(&self, value: i64) -> ConsumerId {
        ConsumerId { connection_id: Some(self.id.clone()), session_id: 1, value }
    }

    /// What has happened to transports.
    pub(crate) fn tell(&mut self, now: Duration, event: Event, chance: &mut Chance) -> Vec<Want> {
        let mut wants = Vec::new();
        for order in self.machine.handle(now, event, chance) {
            match order {
                Order::Open(attempt, address) => wants.push(Want::Dial(attempt, address)),
                Order::Close(attempt) => {
                    self.used.take_if(|used| *used == attempt);
                    wants.push(Want::Hang(attempt));
                }
                Order::Use { attempt, restore, .. } => self.take(attempt, restore, &mut wants),
                Order::Interrupted => {
                    self.used = None;
                    wants.push(Want::Lost);
                }
                Order::GiveUp(reason) => panic!("{} gave up: {reason}", self.id),
                Order::List(_) | Order::Warn(_) => {}
            }
        }
        wants
    }

    fn take(&mut self, attempt: Attempt, restore: bool, wants: &mut Vec<Want>) {
        self.used = Some(attempt);
        if restore {
            let restored = self.tracker.restore();
            assert!(restored.answers.is_empty(), "nothing is in doubt here: {:?}", restored.answers);
            wants.extend(restored.frames.into_iter().map(|frame| Want::Write(attempt, frame)));
            for control in self.tracker.resume() {
                wants.extend(self.send(control.into(), false).1);
            }
        }
        for command in std::mem::take(&mut self.waiting) {
            wants.push(self.write(attempt, &command));
        }
        wants.push(Want::Connected);
    }

    fn write(&mut self, attempt: Attempt, command: &Command) -> Want {
        let frame = Bytes::from(frame::encode(command).unwrap());
        self.tracker.sent(command, &frame);
        Want::Write(attempt, frame)
    }

    /// Sends a command, or keeps it until there is a connection. Its number, by which the broker answers it.
    pub(crate) fn send(&mut self, mut command: Command, is_to_be_answered: bool) -> (i32, Option<Want>) {
        self.commands += 1;
        command.set_number(self.commands, is_to_be_answered);
        let want = match self.used {
            Some(attempt) => Some(self.write(attempt, &command)),
            None => {
                if self.tracker.while_down(&command) == WhileDown::Wait {
                    self.waiting.push(command);
                }
                None
            }
        };
        (self.commands, want)
    }

    /// A message with a new id.
    pub(crate) fn message(&mut self, to: Destination, content: Vec<u8>) -> Message {
        self.messages += 1;
        let producer_id = Some(ProducerId { connection_id: Some(self.id.clone()), session_id: 1, value: 1 });
        let message_id = Some(MessageId {
            producer_id: producer_id.clone(),
            producer_sequence_id: self.messages,
            ..MessageId::default()
        });
        let content = Some(content.into());
        let headers = Headers { producer_id, message_id, destination: Some(to), content, ..Headers::default() };
        Message { headers, ..Message::default() }
    }

    /// Acknowledges a message by itself.
    pub(crate) fn acknowledge(&mut self, message: MessageId) -> Option<Want> {
        let id = Some(message);
        let ack = MessageAck {
            ack_type: MessageAck::INDIVIDUAL,
            message_count: 1,
            first_message_id: id.clone(),
            last_message_id: id,
            ..MessageAck::default()
        };
        self.send(ack.into(), false).1
    }

    /// Something came from the broker.
    pub(crate) fn received(&mut self, command: &Command) {
        self.tracker.received(command);
    }
}
