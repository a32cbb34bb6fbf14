//! A consumer: messages of a destination, as they come, and what is said of them.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use topoc_openwire_proto::acks::{Acks, Got};
use topoc_openwire_proto::command::{ConsumerInfo, MessageAck, MessageDispatch, MessagePull, RemoveInfo, RemovedId};
use topoc_openwire_proto::id::{ConsumerId, TransactionId};
use topoc_openwire_proto::message::Message;

use crate::engine::{Ask, Incoming};
use crate::inbox::{Receiver, inbox};
use crate::session::Shared;
use crate::surroundings::{Surroundings, milliseconds};
use crate::wire::until;
use crate::{AckMode, Delivery, Destination, Error, MessageId, RedeliveryPolicy, Status};

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
    ///
    /// Brokers (seen at 5.15.16, 5.18.3 and 6.3.1) lose what is asked for in the very moment in which they say that they had
    /// nothing for what was asked for before. So a message is asked for anew every two seconds while somebody waits, also
    /// without limit, where Java's client asks once and would wait for ever: in such a moment it comes two seconds late. Who
    /// stops waiting may get one message that was on its way by then; it is kept, and the next to wait gets it.
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
    /// When the broker refuses it: no right to read, a selector that is none.
    /// [`Error::Misuse`] of a durable subscription without a client id, which nobody could find again, and of a temporary
    /// destination of another connection.
    pub async fn open(self) -> Result<Consumer, Error> {
        let Self { session, mut info, prefetch } = self;
        if info.subscription_name.is_some() && session.connection.options.client_id.is_none() {
            return Err(Error::Misuse("a durable subscription belongs to a client id: set `jms.clientID`"));
        }
        // Brokers before 5.19.8 and 6.2.7 leave this to the client (`ActiveMQMessageConsumer`).
        let own = |destination: &Destination| {
            destination.name().strip_prefix(&session.connection.id).is_some_and(|rest| rest.starts_with(':'))
        };
        if info.destination.as_ref().is_some_and(|destination| destination.is_temporary() && !own(destination)) {
            return Err(Error::Misuse(
                "a temporary destination can be read from by the connection alone that has made it",
            ));
        }
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
        let (sender, incoming) = inbox(info.prefetch_size);
        // Who listens to a topic gets a message of its own.
        let queue = info.destination.as_ref().filter(|destination| destination.is_queue());
        let done = queue.map_or_else(Arc::default, |queue| session.connection.done(queue));
        let held = Arc::new(Held::new(Acks::new(id.clone(), mode, info.prefetch_size), done, info.browser));
        let handle = &session.connection.handle;
        handle.ask(Ask::Listen(id.clone(), sender)).await?;
        let (prefetch, destination) = (info.prefetch_size, info.destination.clone());
        let browser = info.browser;
        let waiting = VecDeque::new();
        let (pulled, ended, removed) = (None, false, false);
        let mut consumer =
            Consumer { session, id, held, incoming, waiting, prefetch, destination, browser, pulled, ended, removed };
        let begun = consumer.session.connection.handle.request(info).await;
        if let Err(error) = begun {
            if matches!(error, Error::Refused(_)) {
                // The broker does not know it: of its removal it would say that this is an error.
                consumer.removed = true;
                consumer.session.connection.handle.ask_soon(Ask::Unlisten(consumer.id.clone()));
            }
            return Err(error);
        }
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

/// Gets the messages of a destination. When it is dropped it ends; [`Consumer::close`] waits for that. In a transaction that
/// has got messages from it, it ends with the transaction.
#[derive(Debug)]
pub struct Consumer {
    session: Arc<Shared>,
    id: ConsumerId,
    held: Arc<Held>,
    incoming: Receiver,
    /// What has come and was not yet given to the application, and of which connection it came.
    waiting: VecDeque<(u64, MessageDispatch)>,
    prefetch: i32,
    destination: Option<Destination>,
    browser: bool,
    /// Without window: what was asked for and has not come.
    pulled: Option<Pull>,
    /// The queue that was looked at has no more.
    ended: bool,
    removed: bool,
}

impl Consumer {
    /// The next message. May be dropped while it waits: no message is lost by that.
    ///
    /// # Errors
    /// [`Error::Disconnected`] when the connection is over, [`Error::ConsumerEnded`] when the broker has ended the consumer,
    /// or when a queue that is looked at has no more.
    pub async fn receive(&mut self) -> Result<Delivery, Error> {
        self.next(None).await?.ok_or(Error::ConsumerEnded)
    }

    /// The next message, if one comes in time. May be dropped as [`Consumer::receive`].
    ///
    /// # Errors
    /// As [`Consumer::receive`], but a queue that is looked at and has no more is none.
    pub async fn receive_within(&mut self, limit: Duration) -> Result<Option<Delivery>, Error> {
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

    /// Ends the consumer. What it has got and not acknowledged goes to others; what it has got in a transaction that is
    /// still open stays there, and the consumer ends with it.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn close(mut self) -> Result<(), Error> {
        self.removed = true;
        if self.leave_with_transaction() {
            return Ok(());
        }
        let handle = &self.session.connection.handle;
        let removed = handle.request(self.held.remove(&self.id, handle.losses())).await;
        handle.ask(Ask::Unlisten(self.id.clone())).await?;
        removed
    }

    /// Leaves the end of the consumer to the transaction that has got messages from it: a broker would give them to others
    /// at once (`ActiveMQMessageConsumer.close`).
    fn leave_with_transaction(&self) -> bool {
        let stays = self.session.mode == AckMode::Transacted && self.held.count() > 0;
        if stays {
            self.session.leave(self.id.clone(), Arc::clone(&self.held));
        }
        stays
    }

    /// The next message, or none: the end of a queue that is looked at, or of the time.
    async fn next(&mut self, limit: Option<Instant>) -> Result<Option<Delivery>, Error> {
        loop {
            if let Some(delivery) = self.deliver().await? {
                return Ok(Some(delivery));
            }
            if self.ended {
                return Ok(None);
            }
            tokio::select! {
                biased;
                pulled = pull(&self.session, &self.id, self.destination.as_ref(), limit), if self.is_to_pull() => {
                    self.pulled = Some(pulled?);
                }
                () = until(self.pulled.as_ref().map(|pull| pull.until)) => self.pulled = None,
                incoming = self.incoming.recv() => self.came(incoming)?,
                () = self.held.wait_again() => {}
                () = until(limit) => return Ok(None),
            }
        }
    }

    /// Whether a message is to be asked for: where none comes unasked.
    fn is_to_pull(&self) -> bool {
        let losses = self.session.connection.handle.losses();
        let asked = self.pulled.as_ref().is_some_and(|pull| pull.losses == losses);
        self.prefetch == 0 && !asked && self.held.again(losses).is_none()
    }

    fn came(&mut self, incoming: Option<Incoming>) -> Result<(), Error> {
        match incoming {
            None => return Err(self.gone()),
            Some(Incoming::Ended) => return Err(Error::ConsumerEnded),
            Some(Incoming::Prefetch(prefetch)) => self.held.lock().acks.set_prefetch(prefetch),
            Some(Incoming::Dispatch(losses, dispatch)) if losses == self.session.connection.handle.losses() => {
                self.pulled = None;
                if dispatch.message.is_some() {
                    self.waiting.push_back((losses, *dispatch));
                } else {
                    self.ended = self.browser;
                }
            }
            Some(Incoming::Dispatch(..)) => {}
        }
        Ok(())
    }

    fn gone(&self) -> Error {
        match &*self.session.connection.handle.shared.status.borrow() {
            Status::Over(reason) => Error::Disconnected(reason.clone()),
            _ => Error::ConsumerEnded,
        }
    }

    /// Gives the next message that is there to the application, and says so where that is to be said. It is taken only when
    /// nothing has to be waited for any more.
    async fn deliver(&mut self) -> Result<Option<Delivery>, Error> {
        let session = Arc::clone(&self.session);
        let handle = &session.connection.handle;
        while self.has_due(handle.losses()) {
            let transaction = if self.browser { None } else { session.transaction().await? };
            let room = handle.reserve().await?;
            let losses = handle.losses();
            let got = match self.take(losses) {
                Next::Give(got) => got,
                Next::Refuse(ack) => {
                    room.send(Ask::SendOver(losses, (*ack).into()));
                    continue;
                }
                Next::Nothing => continue,
            };
            let (message, redeliveries) = (Arc::clone(&got.kept), got.redeliveries);
            match self.held.deliver(got, transaction.as_ref(), losses) {
                Some(ack) => room.send(Ask::SendOver(losses, ack.into())),
                None => drop(room),
            }
            let (held, session) = (Arc::clone(&self.held), Arc::clone(&self.session));
            return Ok(Some(Delivery { message, redeliveries, held, session, losses }));
        }
        Ok(None)
    }

    /// Whether a message can be given now. Those that were given back come first, and all others wait for them.
    fn has_due(&self, losses: u64) -> bool {
        match self.held.again(losses) {
            Some(at) => at <= Instant::now(),
            None => !self.waiting.is_empty(),
        }
    }

    fn take(&mut self, losses: u64) -> Next {
        if self.held.again(losses).is_some() {
            return self.held.take_again().map_or(Next::Nothing, Next::Give);
        }
        let Some((of, MessageDispatch { destination, message: Some(message), redelivery_counter, .. })) =
            self.waiting.pop_front()
        else {
            return Next::Nothing;
        };
        let Some(id) = message.headers.message_id.clone().filter(|_| of == losses) else { return Next::Nothing };
        let got = Got { id, destination, redeliveries: redelivery_counter, kept: Arc::from(message) };
        match self.refuse(&got, losses) {
            Some(ack) => Next::Refuse(Box::new(ack)),
            None => Next::Give(got),
        }
    }

    /// What the broker is told of a message that has expired, was dealt with before, or comes too often.
    fn refuse(&self, got: &Got<Arc<Message>>, losses: u64) -> Option<MessageAck> {
        if self.browser {
            return None;
        }
        let state = self.held.lock();
        let (id, destination) = (&got.id, &got.destination);
        let checks = self.session.connection.options.consumer_expiry_check;
        if checks && has_expired(&got.kept, &*self.session.connection.handle.shared.surroundings) {
            return Some(state.acks.expired(id.clone(), destination.clone()));
        }
        if losses > 0 && state.done().contains(id) {
            return Some(state.acks.again(id.clone(), destination.clone()));
        }
        let policy = self.session.connection.options.redelivery();
        state.acks.poison(&policy, id, destination.as_ref(), got.redeliveries)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if !self.removed && !self.leave_with_transaction() {
            self.session.connection.handle.remove_soon(&self.id, &self.held);
        }
    }
}

/// What becomes of the message that is next.
enum Next {
    /// The application gets it.
    Give(Got<Arc<Message>>),
    /// The application does not get it, and the broker is told so.
    Refuse(Box<MessageAck>),
    /// There is none after all.
    Nothing,
}

/// A message that a broker was asked for.
#[derive(Debug)]
struct Pull {
    /// How many connections were lost before.
    losses: u64,
    /// When the broker has surely forgotten it, and says nothing.
    until: Instant,
}

/// For how long a message is asked for at a time. A broker loses a pull that comes while it ends the one before
/// (`PrefetchSubscription.pullTimeout` sets `prefetchExtension` to 0 after it has sent the end, 5.15 to 6.3.1), but not the
/// end of the lost one, after which it is asked again.
const PULL: Duration = Duration::from_secs(2);

/// How much later than that the end of a pull may come.
const PULL_LATE: Duration = Duration::from_secs(5);

/// Asks for one message.
///
/// While there is no connection, a broker would be said to have none; so it is waited for first.
async fn pull(
    session: &Shared,
    id: &ConsumerId,
    destination: Option<&Destination>,
    limit: Option<Instant>,
) -> Result<Pull, Error> {
    let handle = &session.connection.handle;
    let mut status = handle.shared.status.subscribe();
    let _ = status.wait_for(|status| matches!(status, Status::Connected(_) | Status::Over(_))).await;
    let losses = handle.losses();
    let now = Instant::now();
    // To a broker 0 is for ever.
    let shortest = Duration::from_millis(1);
    let time = limit.map_or(PULL, |limit| limit.saturating_duration_since(now).clamp(shortest, PULL));
    let pull = MessagePull {
        consumer_id: Some(id.clone()),
        destination: destination.cloned(),
        timeout: i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
        ..MessagePull::default()
    };
    handle.send(pull).await?;
    Ok(Pull { losses, until: now + time + PULL_LATE })
}

/// `RemoveInfo.LAST_DELIVERED_UNSET`: none that is not acknowledged was given to the application.
pub(crate) const NONE_DELIVERED: i64 = -1;

fn has_expired(message: &Message, surroundings: &dyn Surroundings) -> bool {
    let expiration = message.headers.expiration;
    expiration > 0 && milliseconds(surroundings) > expiration
}

/// What a consumer has given to the application, shared with its session and with the messages themselves.
#[derive(Debug)]
pub(crate) struct Held {
    state: Mutex<State>,
    /// Something is to be given again.
    again: Notify,
    /// Only looks: what the broker knows to have arrived need not be kept.
    browser: bool,
}

#[derive(Debug)]
struct State {
    acks: Acks<Arc<Message>>,
    /// To be given again, and from when on.
    again: VecDeque<(Instant, Got<Arc<Message>>)>,
    /// The connection that `acks` and `again` are about, by how many were lost before it.
    losses: u64,
    /// So many messages that the application has came over connections that are lost, and it was not told yet.
    lost: usize,
    /// The broker's number of the last message that was given to the application (`lastDeliveredSequenceId`).
    last: i64,
    done: Arc<Mutex<Done>>,
}

impl State {
    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what came over a connection that is lost, but for how many messages the application has of it.
    fn forget_lost(&mut self, losses: u64) {
        if self.losses != losses {
            self.losses = losses;
            self.last = NONE_DELIVERED;
            self.again.clear();
            self.lost += self.acks.lose();
        }
    }
}

impl Held {
    fn new(acks: Acks<Arc<Message>>, done: Arc<Mutex<Done>>, browser: bool) -> Self {
        let (again, last) = (VecDeque::new(), NONE_DELIVERED);
        let state = State { acks, again, losses: 0, lost: 0, last, done };
        Self { state: Mutex::new(state), again: Notify::new(), browser }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, got: Got<Arc<Message>>, transaction: Option<&TransactionId>, losses: u64) -> Option<MessageAck> {
        let mut state = self.lock();
        state.forget_lost(losses);
        state.last = got.id.broker_sequence_id;
        if state.acks.mode() == AckMode::Auto {
            state.done().insert(&got.id);
        }
        let ack = state.acks.deliver(got, transaction);
        if self.browser {
            state.acks.let_go();
        }
        ack
    }

    /// The broker's number of the last message that was given to the application over this connection; -1 for none.
    pub(crate) fn last_delivered(&self, losses: u64) -> i64 {
        let mut state = self.lock();
        state.forget_lost(losses);
        state.last
    }

    /// What ends the consumer. Up to the last message that was given to the application, and not acknowledged, the broker
    /// counts a delivery; what only lay here comes to others as if for the first time.
    pub(crate) fn remove(&self, id: &ConsumerId, losses: u64) -> RemoveInfo {
        let object_id = Some(RemovedId::Consumer(id.clone()));
        RemoveInfo { object_id, last_delivered_sequence_id: self.last_delivered(losses), ..RemoveInfo::default() }
    }

    pub(crate) fn acknowledge_one(&self, id: &MessageId) -> Option<MessageAck> {
        let mut state = self.lock();
        let ack = state.acks.acknowledge_one(id);
        if ack.is_some() {
            state.done().insert(id);
        }
        ack
    }

    pub(crate) fn refuse_one(&self, id: &MessageId, why: &str) -> Option<MessageAck> {
        let mut state = self.lock();
        let ack = state.acks.refuse_one(id, why);
        if ack.is_some() {
            state.done().insert(id);
        }
        ack
    }

    /// What to say, and how many messages are of a connection that is lost.
    pub(crate) fn acknowledge_all(&self, losses: u64) -> (Option<MessageAck>, usize) {
        let mut state = self.lock();
        state.forget_lost(losses);
        let mut done = state.done();
        state.acks.ids().for_each(|id| done.insert(id));
        drop(done);
        let ack = state.acks.acknowledge_all();
        (ack, std::mem::take(&mut state.lost))
    }

    pub(crate) fn before_commit(&self, transaction: &TransactionId) -> Option<MessageAck> {
        self.lock().acks.before_commit(transaction)
    }

    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.acks.forget();
        state.lost = 0;
    }

    /// How many messages the application has.
    pub(crate) fn count(&self) -> usize {
        let state = self.lock();
        state.acks.held() + state.lost
    }

    /// Gives back what the application has. What to say.
    pub(crate) fn roll_back(&self, policy: &RedeliveryPolicy, losses: u64) -> Option<MessageAck> {
        let mut state = self.lock();
        state.forget_lost(losses);
        state.lost = 0;
        let rolled_back = state.acks.roll_back(policy);
        let at = Instant::now() + rolled_back.delay;
        for got in rolled_back.again.into_iter().rev() {
            state.again.push_front((at, got));
        }
        drop(state);
        self.again.notify_one();
        rolled_back.ack
    }

    /// When the next message is to be given again, if there is one.
    fn again(&self, losses: u64) -> Option<Instant> {
        let mut state = self.lock();
        state.forget_lost(losses);
        state.again.front().map(|(at, _)| *at)
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

/// The last messages of a queue that the application has dealt with. When a connection is lost the broker may not have heard
/// of it, and gives them again, to any consumer that the connection has there (`ConnectionAudit`).
#[derive(Debug, Default)]
pub(crate) struct Done {
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
