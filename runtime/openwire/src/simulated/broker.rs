//! A broker in memory, as far as a client notices: it registers connections, keeps messages of one queue, gives them out within
//! windows, and takes acknowledgements of what it gave out over the same connection, once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};
use topoc_openwire_proto::command::{
    BrokerInfo, Command, ConnectionError, ConsumerInfo, ExceptionResponse, KeepAliveInfo, MessageAck, MessageDispatch,
    MessagePull, RemoveInfo, RemovedId, Response, Throwable, WireFormatInfo,
};
use topoc_openwire_proto::frame::{self, Decoder};
use topoc_openwire_proto::id::{ConsumerId, MessageId};
use topoc_openwire_proto::link::{Link, LinkOptions};
use topoc_openwire_proto::message::Message;

use super::net::{Fault, Net};
use crate::wire::until;

/// Session, producer and number of a message; session and number of a consumer.
pub(super) type Key = (i64, i64, i64);
type ConsumerKey = (i64, i64);

/// How long a broker hears nothing of a client before it gives it up: its own check comes at most a period late.
const SILENT: Duration = Duration::from_secs(60);

/// All brokers, as one: they share their store.
#[derive(Default)]
pub(super) struct Broker {
    /// The password that is wanted, if any is.
    pub(super) password: Option<String>,
    /// A queue that nobody may write to.
    pub(super) closed_queue: Option<String>,
    /// So many pulls of consumers without window are forgotten, and so many end in vain whatever comes.
    pub(super) forgets_pulls: usize,
    pub(super) loses_pulls: usize,
    /// Messages that were stored, and those of them that were dealt with.
    pub(super) stored: BTreeSet<Key>,
    pub(super) done: BTreeSet<Key>,
    /// What was removed, in order: `connection`, `consumer`...
    pub(super) removed: Vec<&'static str>,
    pub(super) pulls: usize,
    waiting: VecDeque<Message>,
    /// Of each producer the last number: a lower one is a message that is there already.
    last: BTreeMap<(i64, i64), i64>,
    peers: BTreeMap<usize, Peer>,
}

/// A line on which a client is registered.
#[derive(Default)]
struct Peer {
    consumers: BTreeMap<ConsumerKey, Consumer>,
}

/// A consumer as `PrefetchSubscription` has it.
struct Consumer {
    id: ConsumerId,
    window: usize,
    /// What may be on its way beyond the window: what has arrived, or was pulled.
    extension: usize,
    dispatched: VecDeque<Message>,
    /// How many messages were ever given to it.
    count: usize,
    /// When a pull ends that began at this count.
    pull_ends: Option<(Instant, usize)>,
}

impl Broker {
    /// The lines that somebody is registered on.
    pub(super) fn registered(&self) -> Vec<usize> {
        self.peers.keys().copied().collect()
    }

    /// How many messages are given out and not dealt with.
    pub(super) fn on_their_way(&self) -> usize {
        self.peers.values().flat_map(|peer| peer.consumers.values()).map(|consumer| consumer.dispatched.len()).sum()
    }

    /// A line is no more: what was given out over it waits again.
    pub(super) fn lose(&mut self, line: usize) {
        for (_, consumer) in self.peers.remove(&line).into_iter().flat_map(|peer| peer.consumers) {
            self.requeue(consumer.dispatched);
        }
    }

    fn requeue(&mut self, messages: VecDeque<Message>) {
        for mut message in messages.into_iter().rev() {
            message.headers.redelivery_counter += 1;
            self.waiting.push_front(message);
        }
    }

    /// Takes a command that came over a line. What it says to that.
    fn take(&mut self, line: usize, command: Command) -> Vec<Command> {
        let wanted = command.number().filter(|(_, wanted)| *wanted).map(|(number, _)| number);
        let refusal = self.carry_out(line, command);
        let mut says: Vec<Command> = match (wanted, refusal) {
            (None, None) => Vec::new(),
            (None, Some(exception)) => {
                vec![ConnectionError { exception: Some(exception), ..ConnectionError::default() }.into()]
            }
            (Some(correlation_id), None) => vec![Response { correlation_id, ..Response::default() }.into()],
            (Some(correlation_id), Some(exception)) => {
                let exception = Some(exception);
                vec![ExceptionResponse { correlation_id, exception, ..ExceptionResponse::default() }.into()]
            }
        };
        says.extend(self.dispatch(line));
        says
    }

    /// Does what is asked, or refuses it.
    fn carry_out(&mut self, line: usize, command: Command) -> Option<Throwable> {
        if let Command::ConnectionInfo(info) = &command {
            if self.password.is_some() && self.password != info.password {
                return refusal("java.lang.SecurityException", "User name [u] or password is invalid.");
            }
            self.peers.insert(line, Peer::default());
            return None;
        }
        let commands_of_nobody = matches!(command, Command::ConnectionControl(_) | Command::ShutdownInfo(_));
        if !self.peers.contains_key(&line) {
            assert!(commands_of_nobody || self.password.is_some(), "nobody is registered, and there comes {command:?}");
            let message = "Cannot add a session that had not been registered";
            return if commands_of_nobody { None } else { refusal("java.lang.IllegalStateException", message) };
        }
        match command {
            Command::Message(message) => return self.store(*message),
            Command::ConsumerInfo(info) => self.consumer(line, &info),
            Command::ConsumerControl(control) => {
                let consumer = control.consumer_id.and_then(|id| self.of(line, &id));
                consumer.expect("it is known").window = usize::try_from(control.prefetch).unwrap_or(0);
            }
            Command::MessageAck(ack) => self.acknowledged(line, &ack),
            Command::MessagePull(pull) => self.pull(line, &pull),
            Command::RemoveInfo(RemoveInfo { object_id: Some(id), .. }) => self.remove(line, &id),
            _ => {}
        }
        None
    }

    fn store(&mut self, message: Message) -> Option<Throwable> {
        let to = message.headers.destination.as_ref().expect("a message goes somewhere").name();
        if self.closed_queue.as_deref() == Some(to) {
            return refusal("java.lang.SecurityException", "User u is not authorized to write to: queue://CLOSED");
        }
        let (session, producer, number) = key(&message);
        let last = self.last.entry((session, producer)).or_default();
        if number > *last {
            *last = number;
            self.stored.insert((session, producer, number));
            self.waiting.push_back(message);
        }
        None
    }

    fn consumer(&mut self, line: usize, info: &ConsumerInfo) {
        let id = info.consumer_id.clone().expect("a consumer has an id");
        let window = usize::try_from(info.prefetch_size).unwrap_or(0);
        let key = (id.session_id, id.value);
        let (dispatched, pull_ends) = (VecDeque::new(), None);
        let consumer = Consumer { id, window, extension: 0, dispatched, count: 0, pull_ends };
        if let Some(peer) = self.peers.get_mut(&line) {
            assert!(peer.consumers.insert(key, consumer).is_none(), "a consumer begins twice");
        }
    }

    fn of(&mut self, line: usize, id: &ConsumerId) -> Option<&mut Consumer> {
        self.peers.get_mut(&line)?.consumers.get_mut(&(id.session_id, id.value))
    }

    fn remove(&mut self, line: usize, id: &RemovedId) {
        self.removed.push(match id {
            RemovedId::Connection(_) => "connection",
            RemovedId::Session(_) => "session",
            RemovedId::Consumer(_) => "consumer",
            RemovedId::Producer(_) => "producer",
        });
        match id {
            RemovedId::Connection(_) => self.lose(line),
            RemovedId::Consumer(id) => {
                let peer = self.peers.get_mut(&line).expect("it is registered");
                if let Some(consumer) = peer.consumers.remove(&(id.session_id, id.value)) {
                    self.requeue(consumer.dispatched);
                }
            }
            RemovedId::Session(_) | RemovedId::Producer(_) => {}
        }
    }

    fn pull(&mut self, line: usize, pull: &MessagePull) {
        self.pulls += 1;
        if self.forgets_pulls > 0 {
            self.forgets_pulls -= 1;
            return;
        }
        let loses = self.loses_pulls > 0;
        self.loses_pulls -= usize::from(loses);
        let consumer = pull.consumer_id.as_ref().and_then(|id| self.of(line, id)).expect("a consumer pulls");
        consumer.extension = usize::from(!loses);
        let limit = u64::try_from(pull.timeout).ok().filter(|limit| *limit > 0);
        consumer.pull_ends = limit.map(|limit| (Instant::now() + Duration::from_millis(limit), consumer.count));
    }

    /// When the next pull of a line ends.
    fn wakes_at(&self, line: usize) -> Option<Instant> {
        let consumers = self.peers.get(&line)?.consumers.values();
        consumers.filter_map(|consumer| consumer.pull_ends.map(|(at, _)| at)).min()
    }

    /// Pulls that have waited in vain end with nothing.
    fn timer(&mut self, line: usize) -> Vec<Command> {
        let now = Instant::now();
        let consumers = self.peers.get_mut(&line).into_iter().flat_map(|peer| peer.consumers.values_mut());
        let mut says = Vec::new();
        for consumer in consumers {
            let Some((_, count)) = consumer.pull_ends.take_if(|(at, _)| *at <= now) else { continue };
            if count == consumer.count {
                consumer.extension = 0;
                let consumer_id = Some(consumer.id.clone());
                says.push(MessageDispatch { consumer_id, ..MessageDispatch::default() }.into());
            }
        }
        says
    }

    fn acknowledged(&mut self, line: usize, ack: &MessageAck) {
        let consumer = ack.consumer_id.as_ref().and_then(|id| self.of(line, id)).expect("a consumer acknowledges");
        let place = |id: &Option<MessageId>| {
            let id = id.as_ref().expect("it says which");
            let place = consumer.dispatched.iter().position(|known| known.headers.message_id.as_ref() == Some(id));
            place.expect("it was given out over this line, and is not dealt with")
        };
        let to = place(&ack.last_message_id);
        if ack.ack_type == MessageAck::DELIVERED {
            if consumer.window > 0 {
                consumer.extension += usize::try_from(ack.message_count).expect("a count");
            }
            return;
        }
        let from = place(&ack.first_message_id);
        let over: Vec<Message> = consumer.dispatched.drain(from..=to).collect();
        if consumer.window > 0 {
            consumer.extension = consumer.extension.saturating_sub(over.len());
        }
        for message in over {
            assert!(self.done.insert(key(&message)), "{:?} is acknowledged twice", key(&message));
        }
    }

    /// Gives out what may be given out over a line, to each consumer in its turn.
    fn dispatch(&mut self, line: usize) -> Vec<Command> {
        let Some(peer) = self.peers.get_mut(&line) else { return Vec::new() };
        let mut says = Vec::new();
        loop {
            let before = says.len();
            for consumer in peer.consumers.values_mut().filter(|consumer| consumer.has_room()) {
                let Some(message) = self.waiting.pop_front() else { return says };
                says.push(consumer.give(message));
            }
            if says.len() == before {
                return says;
            }
        }
    }
}

impl Consumer {
    fn has_room(&self) -> bool {
        // A consumer that was restored has no window until it is told to have one, and has pulled nothing.
        if self.window == 0 { self.extension > 0 } else { self.dispatched.len() < self.window + self.extension }
    }

    fn give(&mut self, message: Message) -> Command {
        if self.window == 0 {
            self.extension -= 1;
        }
        self.count += 1;
        self.dispatched.push_back(message.clone());
        MessageDispatch {
            consumer_id: Some(self.id.clone()),
            destination: message.headers.destination.clone(),
            redelivery_counter: message.headers.redelivery_counter,
            message: Some(Box::new(message)),
            ..MessageDispatch::default()
        }
        .into()
    }
}

/// What a message is known by.
pub(super) fn key(message: &Message) -> Key {
    let id = message.headers.message_id.as_ref().expect("a message has an id");
    key_of(id)
}

pub(super) fn key_of(id: &MessageId) -> Key {
    let producer = id.producer_id.as_ref().expect("a producer has sent it");
    (producer.session_id, producer.value, id.producer_sequence_id)
}

fn refusal(class: &str, message: &str) -> Option<Throwable> {
    Some(Throwable { class: Some(class.to_owned()), message: Some(message.to_owned()) })
}

/// What a broker says of itself first.
fn format() -> WireFormatInfo {
    Link::new(LinkOptions::default(), Duration::ZERO).1
}

/// A broker's end of a line.
struct End {
    net: Net,
    line: usize,
    stream: DuplexStream,
    decoder: Decoder,
    /// What has come, and when it is taken.
    inbox: VecDeque<(Instant, Command)>,
    out: BytesMut,
    inward: bool,
    outward: bool,
    heard: Instant,
}

/// Serves a line until it is cut, or its client has gone.
pub(super) async fn serve(net: Net, line: usize, stream: DuplexStream, mut faults: mpsc::UnboundedReceiver<Fault>) {
    let (decoder, inbox, out) = (Decoder::new(1 << 30), VecDeque::new(), BytesMut::new());
    let mut end = End { net, line, stream, decoder, inbox, out, inward: true, outward: true, heard: Instant::now() };
    end.say([format().into(), BrokerInfo { broker_name: Some("sim".to_owned()), ..BrokerInfo::default() }.into()]);
    let mut beat = interval(Duration::from_secs(10));
    while end.step(&mut faults, &mut beat).await {}
}

impl End {
    fn say(&mut self, commands: impl IntoIterator<Item = Command>) {
        for command in commands {
            self.out.extend_from_slice(&frame::encode(&command).expect("it has room"));
        }
    }

    /// One thing happens. Whether it goes on after that.
    async fn step(&mut self, faults: &mut mpsc::UnboundedReceiver<Fault>, beat: &mut tokio::time::Interval) -> bool {
        if self.outward && !self.out.is_empty() && self.stream.write_all(&self.out.split()).await.is_err() {
            return self.left();
        }
        let due = self.inbox.front().map(|(at, _)| *at);
        let pull_ends = self.net.lock().broker.wakes_at(self.line);
        tokio::select! {
            fault = faults.recv() => return fault.is_some_and(|fault| self.suffer(fault)),
            read = self.stream.read_buf(self.decoder.buffer()), if self.inward => {
                if !matches!(read, Ok(1..)) {
                    return self.left();
                }
                self.came();
            }
            () = until(due) => return self.take(),
            () = until(pull_ends) => {
                let says = self.net.lock().broker.timer(self.line);
                self.say(says);
            }
            _ = beat.tick() => {
                self.say([KeepAliveInfo::default().into()]);
                return self.heard.elapsed() < SILENT;
            }
        }
        true
    }

    fn suffer(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::Cut(takes) => {
                let known = takes.min(self.inbox.len());
                for (_, command) in self.inbox.drain(..known) {
                    self.net.lock().broker.take(self.line, command);
                }
                return false;
            }
            Fault::Hole { inward, outward } => (self.inward, self.outward) = (inward, outward),
            Fault::Heal => (self.inward, self.outward) = (true, true),
        }
        true
    }

    /// The client has closed the line: what it has said before is heard all the same.
    fn left(&mut self) -> bool {
        while self.take() {}
        false
    }

    fn came(&mut self) {
        self.heard = Instant::now();
        while let Some(command) = self.decoder.next().expect("a client speaks OpenWire") {
            if matches!(command, Command::WireFormatInfo(_) | Command::KeepAliveInfo(_)) {
                continue;
            }
            let before = self.inbox.back().map_or(self.heard, |(at, _)| *at);
            let takes = self.net.lock().takes();
            self.inbox.push_back((before.max(self.heard) + takes, command));
        }
    }

    /// The broker takes the next command. Whether there was one, and more may come.
    fn take(&mut self) -> bool {
        let Some((_, command)) = self.inbox.pop_front() else { return false };
        if matches!(command, Command::ShutdownInfo(_)) {
            return false;
        }
        let mut state = self.net.lock();
        if state.is_deaf(self.line) {
            return true;
        }
        if matches!(command, Command::ConnectionInfo(_)) {
            let others = state.broker.registered();
            if !others.is_empty() && !state.is_held(self.line) {
                // It comes too late: the client has closed this line and gone on to another.
                return false;
            }
            for other in others {
                assert!(!state.is_held(other), "the client is registered on two lines that it has open");
                // As `TransportConnection.processAddConnection` does with a connection that is there already.
                state.fault(other, Fault::Cut(0));
                state.broker.lose(other);
            }
        }
        let says = state.broker.take(self.line, command);
        drop(state);
        self.say(says);
        true
    }
}
