//! What a new broker must be told when the old one has gone: the connection's state, and what was asked and not answered.
//!
//! As ActiveMQ's `ConnectionStateTracker` and `FailoverTransport` do it (5.6 to 6.3.1, in which they did not change), with one
//! rule that Java does not hold to: **who waits for an answer gets one**. A command that is to be answered is sent again as it
//! was, or [`Restored::answers`] has its answer. What differs for it, and beside it:
//!
//! * a removal that was not answered is done, since what was removed is not restored. Java's waits for ever;
//! * a commit whose outcome is unknown is answered together with all that is unanswered in its transaction;
//! * a pull without time-out waits while there is no connection, and is forgotten when its message comes. Java throws the first
//!   away and sends the second again with every failover. One with a time-out is not sent again: it ends with its connection;
//! * a message that is to be answered is sent again until it is; `trackMessages` is for the others. Java sends the answered
//!   ones again too, for a broker to find that it has them;
//! * consumers are always restored without window ([`Tracker::resume`]); Java leaves that out where no message was in work.
//!
//! A restored command has the number that it had, so that it is answered again: answers that nobody waits for are nothing.

mod cache;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use bytes::Bytes;

use crate::command::{
    Command, ConnectionControl, ConnectionInfo, ConsumerControl, ConsumerInfo, DestinationInfo, ExceptionResponse,
    MessageAck, MessageDispatch, MessagePull, ProducerInfo, RemoveInfo, RemovedId, Response, SessionInfo, Throwable,
    TransactionInfo,
};
use crate::destination::Destination;
use crate::failover::Options;
use crate::frame;
use crate::id::{ConsumerId, ProducerId, TransactionId};
use crate::message::Headers;
use cache::Cache;

/// What a connection is made of, kept up to date by every command that is sent and received.
///
/// Frames are kept, not copied: a frame should have its memory for itself, as one of [`frame::encode`] has.
pub struct Tracker {
    track_transaction_producers: bool,
    track_messages: bool,
    connection: Option<Connection>,
    /// Commands that are to be answered, by their number.
    waiting: HashMap<i32, Waiting>,
    cache: Cache,
    /// Numbers what has an order.
    next: u64,
}

/// What is to be done before a new transport is the client's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restored {
    /// Frames to send, in this order, before any other.
    pub frames: Vec<Bytes>,
    /// Answers to commands that are not sent again; they are the client's as if a broker had sent them. They are given once:
    /// if the new transport fails too, they are not in the next.
    pub answers: Vec<Command>,
}

/// What becomes of a command while there is no connection.
#[derive(Debug, Clone, PartialEq)]
pub enum WhileDown {
    /// Nothing: it has done what it can.
    Drop,
    /// It is answered with this.
    Answer(Response),
    /// The client gets this, which is no message: there is none now.
    Dispatch(MessageDispatch),
    /// It waits for a connection, and is sent after what is restored.
    Wait,
}

/// A frame, and the number of its command.
#[derive(Clone)]
struct Frame {
    number: i32,
    bytes: Bytes,
}

struct Connection {
    info: Frame,
    temporary: Vec<(Destination, Frame)>,
    /// By number, which is the order in which they began. -1 is there from the beginning and has no frame.
    sessions: BTreeMap<i64, Session>,
    transactions: HashMap<Key, Transaction>,
}

#[derive(Default)]
struct Session {
    info: Option<Frame>,
    producers: BTreeMap<i64, Producer>,
    consumers: BTreeMap<i64, Consumer>,
}

#[derive(Clone)]
struct Producer {
    id: ProducerId,
    info: Frame,
}

struct Consumer {
    id: ConsumerId,
    destination: Option<Destination>,
    prefetch: i32,
    /// Without window.
    info: Frame,
    /// It has been restored, and has no window yet.
    paused: bool,
}

/// A transaction, which is open until its end is answered.
struct Transaction {
    /// When it began, among others.
    order: u64,
    /// BEGIN and what came after it.
    commands: Vec<Frame>,
    /// The producers that have sent in it: session and number.
    senders: BTreeSet<(i64, i64)>,
    /// Those of them that have ended since.
    ended: Vec<Producer>,
    /// The last command was COMMIT in one phase.
    committing: bool,
}

/// A transaction's id as it can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Local(i64),
    Xa(i32, Option<Bytes>, Option<Bytes>),
}

struct Waiting {
    order: u64,
    command: Asked,
}

/// What a command that waits for its answer is.
enum Asked {
    /// No state: sent again.
    Request(Bytes),
    /// State, which a refusal ends.
    Session(i64),
    Producer(ProducerId),
    Consumer(ConsumerId),
    Temporary(Destination),
    /// State that no answer changes.
    State,
    /// A step within a transaction.
    Step(TransactionId),
    /// Prepares a transaction, which ends it if it has only read.
    Prepare(TransactionId),
    /// Ends a transaction, whatever the answer.
    End(TransactionId),
    /// Something is gone.
    Removal,
}

/// What an answer says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    Refused,
    Number(i32),
}

/// `XAResource.XA_RDONLY`: a branch that only read is over when it is prepared.
const READ_ONLY: i32 = 3;

/// The session of every connection for what belongs to none (`ConnectionState`).
const OWN_SESSION: i64 = -1;

impl Tracker {
    /// One of a connection that has not begun.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            track_transaction_producers: options.track_transaction_producers,
            track_messages: options.track_messages,
            connection: None,
            waiting: HashMap::new(),
            cache: Cache::new(options.max_cache_size),
            next: 0,
        }
    }

    /// How many commands wait for an answer.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.waiting.len()
    }

    /// How many bytes of messages and pulls are kept that nobody answers.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.cache.size()
    }

    /// A command of the client's own is about to be written, each in its turn. Whether it is taken care of from here on: if so,
    /// and writing it fails, [`Tracker::restore`] sends or answers it, and nobody else is to send it again.
    pub fn sent(&mut self, command: &Command, frame: &Bytes) -> bool {
        if let Command::Message(message) = command
            && message.headers.transaction_id.is_none()
            && !message.headers.response_required
            && !self.track_messages
        {
            return false;
        }
        let Some((number, response_required)) = command.number() else { return false };
        self.next += 1;
        let kept = Frame { number, bytes: frame.clone() };
        let asked = self.keep(command, kept);
        let cached = self.cache.holds(self.next);
        if !response_required {
            return asked.is_some() || cached;
        }
        let command = asked.unwrap_or_else(|| Asked::Request(frame.clone()));
        self.waiting.insert(number, Waiting { order: self.next, command });
        true
    }

    /// A command has come from the broker: an answer, the end of a consumer, a message that was pulled.
    pub fn received(&mut self, command: &Command) {
        match command {
            Command::MessageDispatch(dispatch) => {
                if let Some(id) = &dispatch.consumer_id {
                    self.cache.forget_pull(id);
                }
            }
            Command::Response(response) => self.answered(response.correlation_id, Answer::Done),
            Command::ExceptionResponse(response) => self.answered(response.correlation_id, Answer::Refused),
            Command::DataResponse(response) => self.answered(response.correlation_id, Answer::Done),
            Command::DataArrayResponse(response) => self.answered(response.correlation_id, Answer::Done),
            Command::IntegerResponse(response) => {
                self.answered(response.correlation_id, Answer::Number(response.result));
            }
            Command::ConsumerControl(control) if control.close => {
                if let Some(id) = &control.consumer_id {
                    self.remove_consumer(id);
                }
            }
            _ => {}
        }
    }

    /// A new transport is there: what it is to be told, and what is answered without it. In Java's order: that this client
    /// comes back, the connection, its temporary destinations, each session with its producers and its consumers, the
    /// transactions, what is cached, what was asked.
    #[must_use]
    pub fn restore(&mut self) -> Restored {
        let mut restored = Restored { frames: vec![fault_tolerant()], answers: Vec::new() };
        let mut again = Again { frames: &mut restored.frames, numbers: HashSet::new() };
        if let Some(connection) = &mut self.connection {
            connection.restore(&mut again);
        }
        for frame in self.cache.frames() {
            again.send(frame);
        }
        let numbers = again.numbers;
        let mut asked: Vec<(u64, i32)> =
            self.waiting.iter().map(|(number, waiting)| (waiting.order, *number)).collect();
        asked.sort_unstable();
        for (_, number) in asked.into_iter().filter(|(_, number)| !numbers.contains(number)) {
            match self.waiting.get(&number).map(|waiting| &waiting.command) {
                Some(Asked::Request(frame)) => restored.frames.push(frame.clone()),
                Some(command) => {
                    restored.answers.push(command.answer(number));
                    self.waiting.remove(&number);
                }
                None => {}
            }
        }
        restored
    }

    /// The client has dealt with the interruption: the consumers that were restored get their windows.
    #[must_use]
    pub fn resume(&mut self) -> Vec<ConsumerControl> {
        let sessions = self.connection.iter_mut().flat_map(|connection| connection.sessions.values_mut());
        let paused = sessions.flat_map(|session| session.consumers.values_mut()).filter(|consumer| consumer.paused);
        paused
            .map(|consumer| {
                consumer.paused = false;
                ConsumerControl {
                    consumer_id: Some(consumer.id.clone()),
                    destination: consumer.destination.clone(),
                    prefetch: consumer.prefetch,
                    ..ConsumerControl::default()
                }
            })
            .collect()
    }

    /// A command that the client wants to send, while there is no connection.
    pub fn while_down(&mut self, command: &Command) -> WhileDown {
        match command {
            Command::ShutdownInfo(_) => WhileDown::Drop,
            Command::RemoveInfo(RemoveInfo { object_id, command_id, response_required, .. }) => {
                if let Some(id) = object_id {
                    self.remove(id);
                }
                answer_at_once(*command_id, *response_required)
            }
            // What it is about will be delivered again.
            Command::MessageAck(MessageAck { command_id, response_required, .. }) => {
                answer_at_once(*command_id, *response_required)
            }
            Command::MessagePull(MessagePull { consumer_id, destination, timeout, .. }) if *timeout != 0 => {
                WhileDown::Dispatch(MessageDispatch {
                    consumer_id: consumer_id.clone(),
                    destination: destination.clone(),
                    ..MessageDispatch::default()
                })
            }
            _ => WhileDown::Wait,
        }
    }

    /// Keeps what is state. What it is, if it is any.
    fn keep(&mut self, command: &Command, frame: Frame) -> Option<Asked> {
        match command {
            Command::Message(message) => self.message(&message.headers, frame),
            // Who waits so long and no longer asks again.
            Command::MessagePull(pull) => {
                if let Some(id) = pull.consumer_id.as_ref().filter(|_| pull.timeout == 0) {
                    self.cache.pull(self.next, id, frame);
                }
                None
            }
            Command::ConnectionInfo(info) => {
                self.connection = Some(Connection::new(info, frame));
                Some(Asked::State)
            }
            Command::DestinationInfo(info) => self.connection.as_mut()?.destination(info, frame),
            Command::SessionInfo(SessionInfo { session_id: Some(id), .. }) => {
                let session = Session { info: Some(frame), ..Session::default() };
                self.connection.as_mut()?.sessions.insert(id.value, session);
                Some(Asked::Session(id.value))
            }
            Command::ProducerInfo(ProducerInfo { producer_id: Some(id), .. }) => {
                let session = self.connection.as_mut()?.sessions.get_mut(&id.session_id)?;
                session.producers.insert(id.value, Producer { id: id.clone(), info: frame });
                Some(Asked::Producer(id.clone()))
            }
            Command::ConsumerInfo(info) => {
                let id = info.consumer_id.as_ref()?;
                let session = self.connection.as_mut()?.sessions.get_mut(&id.session_id)?;
                session.consumers.insert(id.value, Consumer::new(id, info, frame));
                Some(Asked::Consumer(id.clone()))
            }
            Command::RemoveInfo(RemoveInfo { object_id: Some(id), .. }) => {
                self.remove(id);
                Some(Asked::Removal)
            }
            Command::TransactionInfo(info) => self.transaction(info, frame),
            _ => None,
        }
    }

    fn message(&mut self, headers: &Headers, frame: Frame) -> Option<Asked> {
        let Some(id) = &headers.transaction_id else {
            if self.track_messages && !headers.response_required {
                self.cache.message(self.next, frame);
            }
            return None;
        };
        let transaction = self.connection.as_mut()?.transactions.get_mut(&Key::of(id))?;
        transaction.commands.push(frame);
        if self.track_transaction_producers
            && let Some(id) = &headers.producer_id
        {
            transaction.senders.insert((id.session_id, id.value));
        }
        // Most messages of a transaction wait for nothing, and cost no copy of its id.
        Some(if headers.response_required { Asked::Step(id.clone()) } else { Asked::State })
    }

    fn transaction(&mut self, info: &TransactionInfo, frame: Frame) -> Option<Asked> {
        let id = info.transaction_id.as_ref()?;
        let transactions = &mut self.connection.as_mut()?.transactions;
        let key = Key::of(id);
        if info.r#type == TransactionInfo::BEGIN {
            let transaction = Transaction {
                order: self.next,
                commands: vec![frame],
                senders: BTreeSet::new(),
                ended: Vec::new(),
                committing: false,
            };
            transactions.insert(key, transaction);
            return Some(Asked::Step(id.clone()));
        }
        let asked = match info.r#type {
            TransactionInfo::END => Asked::Step(id.clone()),
            TransactionInfo::PREPARE => Asked::Prepare(id.clone()),
            TransactionInfo::COMMIT_ONE_PHASE | TransactionInfo::COMMIT_TWO_PHASE | TransactionInfo::ROLLBACK => {
                Asked::End(id.clone())
            }
            // RECOVER and FORGET ask, and leave open transactions as they are.
            _ => return None,
        };
        let transaction = transactions.get_mut(&key)?;
        transaction.commands.push(frame);
        transaction.committing = info.r#type == TransactionInfo::COMMIT_ONE_PHASE;
        if matches!(asked, Asked::End(_)) && !info.response_required {
            // Nobody will say that it is over.
            transactions.remove(&key);
        }
        Some(asked)
    }

    fn answered(&mut self, number: i32, answer: Answer) {
        let Some(Waiting { command, .. }) = self.waiting.remove(&number) else { return };
        let refused = answer == Answer::Refused;
        match command {
            Asked::End(id) => self.end(&id),
            Asked::Prepare(id) if answer == Answer::Number(READ_ONLY) => self.end(&id),
            Asked::Session(value) if refused => self.remove_session(value),
            Asked::Producer(id) if refused => self.remove_producer(&id),
            Asked::Consumer(id) if refused => self.remove_consumer(&id),
            Asked::Temporary(destination) if refused => {
                if let Some(connection) = &mut self.connection {
                    connection.temporary.retain(|(known, _)| *known != destination);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, id: &TransactionId) {
        if let Some(connection) = &mut self.connection {
            connection.transactions.remove(&Key::of(id));
        }
    }

    fn remove(&mut self, id: &RemovedId) {
        match id {
            RemovedId::Connection(_) => {
                self.connection = None;
                self.cache.clear();
            }
            RemovedId::Session(id) => self.remove_session(id.value),
            RemovedId::Producer(id) => self.remove_producer(id),
            RemovedId::Consumer(id) => self.remove_consumer(id),
        }
    }

    fn remove_session(&mut self, value: i64) {
        let Some(session) = self.connection.as_mut().and_then(|connection| connection.sessions.remove(&value)) else {
            return;
        };
        for consumer in session.consumers.values() {
            self.cache.forget_pull(&consumer.id);
        }
    }

    /// Forgets a producer, unless a transaction still needs it.
    fn remove_producer(&mut self, id: &ProducerId) {
        let Some(connection) = &mut self.connection else { return };
        let Some(session) = connection.sessions.get_mut(&id.session_id) else { return };
        let Some(producer) = session.producers.remove(&id.value) else { return };
        for transaction in connection.transactions.values_mut() {
            if transaction.senders.contains(&(id.session_id, id.value)) {
                transaction.ended.push(producer.clone());
            }
        }
    }

    fn remove_consumer(&mut self, id: &ConsumerId) {
        self.cache.forget_pull(id);
        let session = self.connection.as_mut().and_then(|connection| connection.sessions.get_mut(&id.session_id));
        if let Some(session) = session {
            session.consumers.remove(&id.value);
        }
    }
}

/// Counts only: a frame may hold a password.
impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker")
            .field("unanswered", &self.unanswered())
            .field("cached", &self.cached())
            .finish_non_exhaustive()
    }
}

/// Frames that are sent again, and whose they are.
struct Again<'a> {
    frames: &'a mut Vec<Bytes>,
    numbers: HashSet<i32>,
}

impl Again<'_> {
    fn send(&mut self, frame: &Frame) {
        self.frames.push(frame.bytes.clone());
        self.numbers.insert(frame.number);
    }
}

impl Connection {
    fn new(info: &ConnectionInfo, frame: Frame) -> Self {
        let info = Command::from(ConnectionInfo { failover_reconnect: true, ..info.clone() });
        Self {
            info: frame.holding(&info),
            temporary: Vec::new(),
            sessions: BTreeMap::from([(OWN_SESSION, Session::default())]),
            transactions: HashMap::new(),
        }
    }

    /// Temporary destinations are state; others are a broker's own.
    fn destination(&mut self, info: &DestinationInfo, frame: Frame) -> Option<Asked> {
        let destination = info.destination.as_ref().filter(|destination| destination.is_temporary())?;
        let known = self.temporary.len();
        self.temporary.retain(|(known, _)| known != destination);
        match info.operation_type {
            DestinationInfo::ADD => {
                self.temporary.push((destination.clone(), frame));
                Some(Asked::Temporary(destination.clone()))
            }
            _ if self.temporary.len() < known => Some(Asked::Removal),
            _ => None,
        }
    }

    fn restore(&mut self, again: &mut Again<'_>) {
        again.send(&self.info);
        for (_, frame) in &self.temporary {
            again.send(frame);
        }
        for session in self.sessions.values_mut() {
            if let Some(info) = &session.info {
                again.send(info);
            }
            for producer in session.producers.values() {
                again.send(&producer.info);
            }
            for consumer in session.consumers.values_mut() {
                consumer.paused = consumer.prefetch > 0;
                again.send(&consumer.info);
            }
        }
        // Their end may have come to the broker or not: nobody can know, and their work is not done twice.
        self.transactions.retain(|_, transaction| !transaction.committing);
        let mut transactions: Vec<&Transaction> = self.transactions.values().collect();
        transactions.sort_unstable_by_key(|transaction| transaction.order);
        for transaction in transactions {
            transaction.restore(&self.sessions, again);
        }
    }
}

impl Consumer {
    fn new(id: &ConsumerId, info: &ConsumerInfo, frame: Frame) -> Self {
        let prefetch = info.prefetch_size;
        let without = Command::from(ConsumerInfo { prefetch_size: prefetch.min(0), ..info.clone() });
        Self {
            id: id.clone(),
            destination: info.destination.clone(),
            prefetch,
            info: frame.holding(&without),
            paused: false,
        }
    }
}

impl Transaction {
    /// Its commands between its producers' beginnings and ends.
    fn restore(&self, sessions: &BTreeMap<i64, Session>, again: &mut Again<'_>) {
        // A broker refuses producers of a session that is gone, and takes their messages all the same.
        let producers = || self.ended.iter().filter(|producer| sessions.contains_key(&producer.id.session_id));
        for producer in producers() {
            again.send(&producer.info);
        }
        for command in &self.commands {
            again.send(command);
        }
        again.frames.extend(producers().filter_map(|producer| {
            let object_id = Some(RemovedId::Producer(producer.id.clone()));
            let remove = RemoveInfo { object_id, last_delivered_sequence_id: NOT_DELIVERED, ..RemoveInfo::default() };
            frame::encode(&remove.into()).map(Bytes::from).ok()
        }));
    }
}

/// `RemoveInfo.LAST_DELIVERED_UNKNOWN`
const NOT_DELIVERED: i64 = -2;

impl Frame {
    /// The same with another command in it. One that differs in a flag or a number has room where the first had.
    fn holding(self, command: &Command) -> Self {
        let Self { number, bytes } = self;
        Self { number, bytes: frame::encode(command).map_or(bytes, Bytes::from) }
    }
}

impl Key {
    fn of(id: &TransactionId) -> Self {
        match id {
            TransactionId::Local(id) => Self::Local(id.value),
            TransactionId::Xa(id) => {
                Self::Xa(id.format_id, id.global_transaction_id.clone(), id.branch_qualifier.clone())
            }
        }
    }
}

impl Asked {
    /// The answer to what is not sent again: removals are done, and transactions are in doubt.
    fn answer(&self, number: i32) -> Command {
        let (Self::Step(id) | Self::Prepare(id) | Self::End(id)) = self else {
            return done(number).into();
        };
        // As Java words it, for programs that look for the class and people who look for the text.
        let message = format!("Transaction completion in doubt due to failover. Forcing rollback of {id}");
        let class = "javax.jms.TransactionRolledBackException";
        let exception = Some(Throwable { class: Some(class.to_owned()), message: Some(message) });
        ExceptionResponse { correlation_id: number, exception, ..ExceptionResponse::default() }.into()
    }
}

fn done(number: i32) -> Response {
    Response { correlation_id: number, ..Response::default() }
}

fn answer_at_once(number: i32, response_required: bool) -> WhileDown {
    if response_required { WhileDown::Answer(done(number)) } else { WhileDown::Drop }
}

/// What a client says that has been connected before: a broker tells it of its cluster from now on.
fn fault_tolerant() -> Bytes {
    let control = ConnectionControl {
        fault_tolerant: true,
        connected_brokers: Some(String::new()),
        reconnect_to: Some(String::new()),
        ..ConnectionControl::default()
    };
    frame::encode(&control.into()).map(Bytes::from).expect("empty texts have room")
}
