//! A consumer: messages of a destination, as they come, and what is said of them.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use topoc_openwire_proto::acks::{Acks, Got};
use topoc_openwire_proto::command::{ConsumerInfo, MessageAck, MessageDispatch, MessagePull, RemoveInfo, RemovedId};
use topoc_openwire_proto::id::{ConsumerId, TransactionId};
use topoc_openwire_proto::message::Message;

use crate::engine::{Ask, Incoming};
use crate::session::Shared;
use crate::wire::until;
use crate::{AckMode, Delivery, Destination, Error, MessageId, RedeliveryPolicy};

/// What is to be said of a consumer before it begins.
#[derive(Debug)]
#[must_use = "nothing is consumed before `open`"]
pub struct ConsumerBuilder {
    session: Arc<Shared>,
    info: ConsumerInfo,
    prefetch: Option<u32>,
}

impl ConsumerBuilder {
    pub(crate) fn new(session: Arc<Shared>, destination: Destination) -> Self {
        let info = ConsumerInfo {
            destination: Some(destination),
            dispatch_async: session.connection.options.dispatch_async,
            ..ConsumerInfo::default()
        };
        Self { session, info, prefetch: None }
    }

    /// Who is first: 127 to -128; 0 unless told otherwise. Only when those of a higher priority are full does a broker give
    /// messages to the next.
    pub fn priority(mut self, priority: i8) -> Self {
        self.info.priority = priority;
        self
    }

    /// How many messages may be on their way. With 0 each is asked for when somebody waits for it.
    pub fn prefetch(mut self, prefetch: u32) -> Self {
        self.prefetch = Some(prefetch);
        self
    }

    /// Only messages for which this is true (JMS, message selectors).
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        self.info.selector = Some(selector.into());
        self
    }

    /// Wants to be the only one of the queue.
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.info.exclusive = exclusive;
        self
    }

    /// Wants none that its own connection has sent (of topics).
    pub fn no_local(mut self, no_local: bool) -> Self {
        self.info.no_local = no_local;
        self
    }

    /// A subscription of this name, for which a topic keeps messages while nobody is there. Needs a client id.
    pub fn durable(mut self, name: impl Into<String>) -> Self {
        self.info.subscription_name = Some(name.into());
        self
    }

    pub(crate) fn browser(mut self) -> Self {
        self.info.browser = true;
        self
    }

    /// Begins to consume.
    ///
    /// # Errors
    /// When the broker refuses it: no right to read, a selector that is none. A temporary queue of another connection too.
    pub async fn open(self) -> Result<Consumer, Error> {
        let Self { session, mut info, prefetch } = self;
        let prefetch = prefetch.unwrap_or_else(|| default_prefetch(&session, &info));
        info.prefetch_size = i32::try_from(prefetch).unwrap_or(i32::MAX);
        if info.browser {
            info.prefetch_size = info.prefetch_size.max(1);
        }
        let id = session.next_consumer();
        info.consumer_id = Some(id.clone());
        if info.subscription_name.is_some() {
            info.client_id.clone_from(&session.connection.options.client_id);
        }
        // Who looks takes nothing, so nothing is to be said of it but that it has arrived.
        let mode = if info.browser { AckMode::Client } else { session.mode };
        let (sender, incoming) = mpsc::unbounded_channel();
        let held = Arc::new(Held::new(Acks::new(id.clone(), mode, info.prefetch_size)));
        let handle = &session.connection.handle;
        handle.ask(Ask::Listen(id.clone(), sender)).await?;
        let (prefetch, destination) = (info.prefetch_size, info.destination.clone());
        let browser = info.browser;
        let consumer =
            Consumer { session, id, held, incoming, prefetch, destination, browser, pulled: None, removed: false };
        let opened = consumer.session.connection.handle.request(info).await;
        opened?;
        if !browser {
            consumer.session.add(&consumer.held);
        }
        Ok(consumer)
    }
}

/// `ActiveMQPrefetchPolicy`
fn default_prefetch(session: &Shared, info: &ConsumerInfo) -> u32 {
    let options = &session.connection.options;
    let queue = info.destination.as_ref().is_some_and(Destination::is_queue);
    match (queue, info.browser, info.subscription_name.is_some()) {
        (true, true, _) => options.browser_prefetch,
        (true, false, _) => options.queue_prefetch,
        (false, _, true) => options.durable_prefetch,
        (false, _, false) => options.topic_prefetch,
    }
}

/// Gets the messages of a destination. When it is dropped it ends; [`Consumer::close`] waits for that.
#[derive(Debug)]
pub struct Consumer {
    session: Arc<Shared>,
    id: ConsumerId,
    held: Arc<Held>,
    incoming: mpsc::UnboundedReceiver<Incoming>,
    prefetch: i32,
    destination: Option<Destination>,
    browser: bool,
    /// Without window: how many connections were lost when a message was asked for that has not come.
    pulled: Option<u64>,
    removed: bool,
}

impl Consumer {
    /// The next message. May be dropped while it waits: no message is lost by that.
    ///
    /// # Errors
    /// [`Error::Disconnected`] when the connection is over, [`Error::ConsumerEnded`] when the broker has ended the consumer.
    pub async fn receive(&mut self) -> Result<Delivery, Error> {
        loop {
            self.pull(Duration::ZERO).await?;
            if let Some(delivery) = self.next(None).await? {
                return Ok(delivery);
            }
        }
    }

    /// The next message, if one comes in time.
    ///
    /// # Errors
    /// As [`Consumer::receive`].
    pub async fn receive_within(&mut self, limit: Duration) -> Result<Option<Delivery>, Error> {
        // To a broker 0 is for ever.
        self.pull(limit.max(Duration::from_millis(1))).await?;
        self.next(Some(Instant::now() + limit)).await
    }

    /// The next message of a queue that is looked at; none at the end.
    ///
    /// # Errors
    /// As [`Consumer::receive`]; [`Error::Misuse`] of a consumer that takes messages.
    pub async fn browse(&mut self) -> Result<Option<Delivery>, Error> {
        if !self.browser {
            return Err(Error::Misuse("only a browser comes to an end"));
        }
        self.next(None).await
    }

    /// Ends the consumer. What it has got and not acknowledged goes to others.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn close(mut self) -> Result<(), Error> {
        self.removed = true;
        let handle = &self.session.connection.handle;
        let removed = handle.request(self.remove()).await;
        handle.ask(Ask::Unlisten(self.id.clone())).await?;
        removed
    }

    fn remove(&self) -> RemoveInfo {
        let object_id = Some(RemovedId::Consumer(self.id.clone()));
        RemoveInfo { object_id, last_delivered_sequence_id: NOT_KNOWN, ..RemoveInfo::default() }
    }

    /// Asks for a message, where none comes unasked.
    async fn pull(&mut self, limit: Duration) -> Result<(), Error> {
        let handle = &self.session.connection.handle;
        if self.prefetch > 0 || self.held.has_again() || self.pulled == Some(handle.losses()) {
            return Ok(());
        }
        self.pulled = Some(handle.losses());
        let pull = MessagePull {
            consumer_id: Some(self.id.clone()),
            destination: self.destination.clone(),
            timeout: i64::try_from(limit.as_millis()).unwrap_or(i64::MAX),
            ..MessagePull::default()
        };
        handle.send(pull).await
    }

    /// The next message, or none: the end of a queue that is looked at, or of the time.
    async fn next(&mut self, limit: Option<Instant>) -> Result<Option<Delivery>, Error> {
        loop {
            if let Some(got) = self.held.take_again() {
                return self.deliver(got).await.map(Some);
            }
            tokio::select! {
                biased;
                incoming = self.incoming.recv() => match incoming {
                    None => return Err(self.gone()),
                    Some(Incoming::Ended) => return Err(Error::ConsumerEnded),
                    Some(Incoming::Prefetch(prefetch)) => self.held.lock().acks.set_prefetch(prefetch),
                    Some(Incoming::Dispatch(losses, dispatch)) => match self.arrived(losses, *dispatch).await? {
                        Arrived::Message(got) => return self.deliver(got).await.map(Some),
                        Arrived::End => return Ok(None),
                        Arrived::Nothing => {}
                    },
                },
                () = self.held.wait_again() => {}
                () = until(limit) => return Ok(None),
            }
        }
    }

    fn gone(&self) -> Error {
        match &*self.session.connection.handle.shared.status.borrow() {
            crate::Status::Over(reason) => Error::Disconnected(reason.clone()),
            _ => Error::ConsumerEnded,
        }
    }

    /// What has come, unless it is of a connection that is lost, has expired, or was dealt with before.
    async fn arrived(&mut self, losses: u64, dispatch: MessageDispatch) -> Result<Arrived, Error> {
        let handle = &self.session.connection.handle;
        if losses != handle.losses() {
            return Ok(Arrived::Nothing);
        }
        self.pulled = None;
        let MessageDispatch { destination, message: Some(message), redelivery_counter, .. } = dispatch else {
            return Ok(Arrived::End);
        };
        let Some(id) = message.headers.message_id.clone() else { return Ok(Arrived::Nothing) };
        if self.browser {
            return Ok(Arrived::Message(got(id, destination, redelivery_counter, message)));
        }
        let ack = {
            let state = self.held.lock();
            if has_expired(&message) {
                Some(state.acks.expired(id.clone(), destination.clone()))
            } else if losses > 0 && state.done.contains(&id) {
                Some(state.acks.again(id.clone(), destination.clone()))
            } else {
                None
            }
        };
        match ack {
            Some(ack) => {
                handle.send(ack).await?;
                // Who asked for one message is still without.
                Ok(Arrived::Nothing)
            }
            None => Ok(Arrived::Message(got(id, destination, redelivery_counter, message))),
        }
    }

    /// Gives a message to the application, and says so where that is to be said.
    async fn deliver(&mut self, got: Got<Arc<Message>>) -> Result<Delivery, Error> {
        let handle = &self.session.connection.handle;
        let losses = handle.losses();
        let (message, redeliveries) = (Arc::clone(&got.kept), got.redeliveries);
        let transaction = if self.browser { None } else { self.session.transaction().await? };
        if let Some(ack) = self.held.deliver(got, transaction.as_ref(), losses) {
            handle.send(ack).await?;
        }
        let (held, session) = (Arc::clone(&self.held), Arc::clone(&self.session));
        Ok(Delivery { message, redeliveries, held, session, losses })
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if !self.removed {
            let handle = &self.session.connection.handle;
            handle.ask_soon(Ask::Send(self.remove().into()));
            handle.ask_soon(Ask::Unlisten(self.id.clone()));
        }
    }
}

/// `RemoveInfo.LAST_DELIVERED_UNKNOWN`: the broker decides itself which messages were delivered.
const NOT_KNOWN: i64 = -2;

enum Arrived {
    Message(Got<Arc<Message>>),
    End,
    Nothing,
}

fn got(id: MessageId, destination: Option<Destination>, redeliveries: i32, message: Box<Message>) -> Got<Arc<Message>> {
    Got { id, destination, redeliveries, kept: Arc::from(message) }
}

fn has_expired(message: &Message) -> bool {
    let expiration = message.headers.expiration;
    expiration > 0 && SystemTime::now().duration_since(UNIX_EPOCH).is_ok_and(|now| now.as_millis() as i64 > expiration)
}

/// What a consumer has given to the application, shared with its session and with the messages themselves.
#[derive(Debug)]
pub(crate) struct Held {
    state: Mutex<State>,
    /// Something is to be given again.
    again: Notify,
}

#[derive(Debug)]
struct State {
    acks: Acks<Arc<Message>>,
    /// To be given again, and from when on.
    again: VecDeque<(Instant, Got<Arc<Message>>)>,
    /// The connection that `acks` and `again` are about, by how many were lost before it.
    losses: u64,
    done: Done,
}

impl State {
    /// Forgets what came over a connection that is lost. How many messages that were.
    fn forget_lost(&mut self, losses: u64) -> usize {
        if self.losses == losses {
            return 0;
        }
        self.losses = losses;
        self.again.clear();
        self.acks.lose()
    }
}

impl Held {
    fn new(acks: Acks<Arc<Message>>) -> Self {
        let state = State { acks, again: VecDeque::new(), losses: 0, done: Done::default() };
        Self { state: Mutex::new(state), again: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, got: Got<Arc<Message>>, transaction: Option<&TransactionId>, losses: u64) -> Option<MessageAck> {
        let mut state = self.lock();
        state.forget_lost(losses);
        if state.acks.mode() == AckMode::Auto {
            state.done.insert(&got.id);
        }
        state.acks.deliver(got, transaction)
    }

    pub(crate) fn acknowledge_one(&self, id: &MessageId) -> Option<MessageAck> {
        let mut state = self.lock();
        let ack = state.acks.acknowledge_one(id);
        if ack.is_some() {
            state.done.insert(id);
        }
        ack
    }

    /// What to say, and how many messages are of a connection that is lost.
    pub(crate) fn acknowledge_all(&self, losses: u64) -> (Option<MessageAck>, usize) {
        let mut state = self.lock();
        let lost = state.forget_lost(losses);
        let State { acks, done, .. } = &mut *state;
        acks.ids().for_each(|id| done.insert(id));
        (acks.acknowledge_all(), lost)
    }

    pub(crate) fn before_commit(&self, transaction: &TransactionId) -> Option<MessageAck> {
        self.lock().acks.before_commit(transaction)
    }

    pub(crate) fn forget(&self) {
        self.lock().acks.forget();
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().acks.held()
    }

    /// Gives back what the application has. What to say.
    pub(crate) fn roll_back(&self, policy: &RedeliveryPolicy, losses: u64) -> Option<MessageAck> {
        let mut state = self.lock();
        state.forget_lost(losses);
        let rolled_back = state.acks.roll_back(policy);
        let at = Instant::now() + rolled_back.delay;
        for got in rolled_back.again.into_iter().rev() {
            state.again.push_front((at, got));
        }
        drop(state);
        self.again.notify_one();
        rolled_back.ack
    }

    fn has_again(&self) -> bool {
        !self.lock().again.is_empty()
    }

    /// The next message that is to be given again, if it is time.
    fn take_again(&self) -> Option<Got<Arc<Message>>> {
        let mut state = self.lock();
        let due = state.again.front().is_some_and(|(at, _)| *at <= Instant::now());
        if due { state.again.pop_front().map(|(_, got)| got) } else { None }
    }

    /// Waits until something is to be given again.
    async fn wait_again(&self) {
        loop {
            let at = self.lock().again.front().map(|(at, _)| *at);
            match at {
                Some(at) => return tokio::time::sleep_until(at).await,
                None => self.again.notified().await,
            }
        }
    }
}

/// The last messages that the application has dealt with. When a connection is lost the broker may not have heard of it,
/// and gives them again (`ActiveMQMessageAudit`).
#[derive(Debug, Default)]
struct Done {
    producers: RandomState,
    order: VecDeque<(u64, i64)>,
    known: HashSet<(u64, i64)>,
}

/// As many as a broker may have on their way, twice.
const DONE: usize = 4096;

impl Done {
    /// A message: its number, which is exact, and its producer, of which 64 bits are enough to tell a few apart.
    fn key(&self, id: &MessageId) -> (u64, i64) {
        let producer = id.producer_id.as_ref().map(|id| (&id.connection_id, id.session_id, id.value));
        (self.producers.hash_one((producer, &id.text_view)), id.producer_sequence_id)
    }

    fn insert(&mut self, id: &MessageId) {
        let key = self.key(id);
        if self.known.insert(key) {
            self.order.push_back(key);
        }
        if self.order.len() > DONE
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn contains(&self, id: &MessageId) -> bool {
        self.known.contains(&self.key(id))
    }
}
