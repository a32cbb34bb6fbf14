//! A producer: messages on their way to a broker.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};
use topoc_openwire_proto::EncodeError;
use topoc_openwire_proto::command::{ProducerInfo, RemoveInfo, RemovedId};
use topoc_openwire_proto::id::ProducerId;
use topoc_openwire_proto::message::{Headers, Message};

use crate::connection::Inner;
use crate::engine::Ask;
use crate::session::Shared;
use crate::surroundings::milliseconds;
use crate::{Delivery, Destination, Error, MessageId, Outgoing};

/// Sends messages. When it is dropped it ends.
#[derive(Debug)]
pub struct Producer {
    session: Arc<Shared>,
    id: ProducerId,
    destination: Option<Destination>,
    /// The number of the last message.
    sequence: Mutex<i64>,
    window: Option<Arc<Window>>,
}

/// How many bytes a producer may have on their way (`ProducerWindow`).
#[derive(Debug)]
pub(crate) struct Window {
    size: usize,
    free: Semaphore,
}

impl Window {
    fn new(size: u32) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { size, free: Semaphore::new(size) }
    }

    /// The broker has taken so many bytes.
    pub(crate) fn release(&self, bytes: i32) {
        let room = self.size.saturating_sub(self.free.available_permits());
        self.free.add_permits(usize::try_from(bytes).unwrap_or(0).min(room));
    }

    /// Nobody will say what has become of the bytes that were on their way.
    pub(crate) fn reset(&self) {
        self.free.add_permits(self.size.saturating_sub(self.free.available_permits()));
    }

    /// Waits until there is room. A message larger than the window has all of it.
    async fn take(&self, bytes: usize) {
        let bytes = u32::try_from(bytes.min(self.size)).unwrap_or(u32::MAX);
        if let Ok(permit) = self.free.acquire_many(bytes).await {
            permit.forget();
        }
    }
}

impl Producer {
    pub(crate) async fn begin(session: Arc<Shared>, destination: Option<Destination>) -> Result<Self, Error> {
        let id = session.next_producer();
        let connection = &session.connection;
        let size = connection.options.producer_window;
        let window = (size > 0).then(|| Arc::new(Window::new(size)));
        if let Some(window) = &window {
            connection.handle.ask(Ask::Watch(id.clone(), Arc::clone(window))).await?;
        }
        let info = ProducerInfo {
            producer_id: Some(id.clone()),
            destination: destination.clone(),
            window_size: i32::try_from(size).unwrap_or(i32::MAX),
            ..ProducerInfo::default()
        };
        connection.handle.request(info).await?;
        Ok(Self { session, id, destination, sequence: Mutex::new(0), window })
    }

    /// Sends a message to the producer's destination, and returns its id. A persistent one outside of a transaction is with
    /// the broker, on disk, when this returns; others are on their way.
    ///
    /// # Errors
    /// [`Error::Refused`] by the broker, [`Error::TimedOut`] by `jms.sendTimeout` or `timeout` of `failover:`,
    /// [`Error::Encode`] when something has no room; [`Error::Misuse`] without destination.
    pub async fn send(&self, outgoing: Outgoing) -> Result<MessageId, Error> {
        let destination = self.destination.clone();
        self.send_message(
            destination.ok_or(Error::Misuse("this producer has no destination: use `send_to`"))?,
            outgoing,
        )
        .await
    }

    /// Sends a message to a destination, such as where a request wants its answer.
    ///
    /// # Errors
    /// As [`Producer::send`]; [`Error::Misuse`] when the producer has another destination.
    pub async fn send_to(&self, destination: &Destination, outgoing: Outgoing) -> Result<MessageId, Error> {
        match &self.destination {
            Some(own) if own != destination => Err(Error::Misuse("this producer is for another destination")),
            _ => self.send_message(destination.clone(), outgoing).await,
        }
    }

    /// Hands a message to the connection and does not wait for the broker: [`Sending::accepted`] does. Messages go in the order in
    /// which this is called, and any number of them may be on their way.
    ///
    /// # Errors
    /// [`Error::Encode`] when something has no room; [`Error::Misuse`] when the producer has another destination; when the
    /// connection is over.
    pub async fn hand_over(&self, destination: &Destination, outgoing: Outgoing) -> Result<Sending, Error> {
        if self.destination.as_ref().is_some_and(|own| own != destination) {
            return Err(Error::Misuse("this producer is for another destination"));
        }
        let transaction_id = self.session.transaction().await?;
        let mut message = self.message(destination.clone(), outgoing)?;
        message.headers.transaction_id = transaction_id;
        self.put_asking(message).await
    }

    /// Answers a request: where it wants its answer, with its correlation id, or with its own id where it has none.
    ///
    /// # Errors
    /// As [`Producer::send_to`]; [`Error::Misuse`] when the request wants no answer.
    pub async fn answer(&self, request: &Delivery, outgoing: Outgoing) -> Result<MessageId, Error> {
        let to = request.reply_to().ok_or(Error::Misuse("the request says nowhere where its answer is to go"))?;
        let id = request.correlation_id().map(str::to_owned).or_else(|| request.id().map(ToString::to_string));
        self.send_to(to, Outgoing { correlation_id: id, ..outgoing }).await
    }

    async fn send_message(&self, destination: Destination, outgoing: Outgoing) -> Result<MessageId, Error> {
        let connection = &self.session.connection;
        let options = &connection.options;
        let transaction_id = self.session.transaction().await?;
        let waits = options.always_sync_send
            || options.send_timeout.is_some()
            || (outgoing.persistent && transaction_id.is_none() && !options.use_async_send);
        let mut message = self.message(destination, outgoing)?;
        message.headers.transaction_id = transaction_id;
        let (size, limit) = (size(&message), connection.handle.shared.largest_frame.load(Ordering::Relaxed));
        if !waits && size as u64 > limit {
            // The headers count for little, and nobody would hear the answer.
            return Err(EncodeError::FrameTooLong { size: size as u64, limit }.into());
        }
        if !waits {
            if let Some(window) = &self.window {
                window.take(size).await;
            }
            return self.put(message, |message| Ask::Send(message.into())).await;
        }
        within(options.send_timeout, async { self.put_asking(message).await?.answer().await }).await
    }

    async fn put_asking(&self, message: Message) -> Result<Sending, Error> {
        let (answer, answered) = oneshot::channel();
        let id = self.put(message, |message| Ask::Request(message.into(), answer)).await?;
        Ok(Sending { id, answered, connection: Arc::clone(&self.session.connection) })
    }

    /// Gives a message its number and puts it on its way in one step: to a broker that was restarted a message is one that it
    /// has already when its number is not above that of the last (`ProducerBrokerExchange.canDispatch`).
    async fn put(&self, mut message: Message, ask: impl FnOnce(Box<Message>) -> Ask) -> Result<MessageId, Error> {
        let room = self.session.connection.handle.reserve().await?;
        let mut last = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        *last += 1;
        let id = MessageId { producer_id: Some(self.id.clone()), producer_sequence_id: *last, ..MessageId::default() };
        message.headers.message_id = Some(id.clone());
        room.send(ask(Box::new(message)));
        drop(last);
        Ok(id)
    }

    fn message(&self, destination: Destination, outgoing: Outgoing) -> Result<Message, Error> {
        // Without its number, which it gets at the last moment.
        let id = MessageId { producer_id: Some(self.id.clone()), ..MessageId::default() };
        let timestamp = milliseconds(&*self.session.connection.handle.shared.surroundings);
        let (group_id, group_sequence) = outgoing.group.map_or((None, 0), |(id, sequence)| (Some(id), sequence));
        let headers = Headers {
            producer_id: Some(self.id.clone()),
            destination: Some(destination),
            message_id: Some(id),
            group_id,
            group_sequence,
            correlation_id: outgoing.correlation_id,
            persistent: outgoing.persistent,
            expiration: outgoing
                .time_to_live
                .map_or(0, |time| timestamp.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))),
            priority: outgoing.priority,
            reply_to: outgoing.reply_to,
            timestamp,
            r#type: outgoing.r#type,
            ..Headers::default()
        };
        let mut message = Message { headers, ..Message::default() };
        message.set_body(&outgoing.body)?;
        message.set_properties(&outgoing.properties)?;
        Ok(message)
    }
}

/// A message on its way to the broker: see [`Producer::hand_over`]. It goes there also when this is dropped.
#[derive(Debug)]
#[must_use = "only `accepted` says whether the broker has it"]
pub struct Sending {
    id: MessageId,
    answered: oneshot::Receiver<Result<(), Error>>,
    connection: Arc<Inner>,
}

impl Sending {
    /// Waits until the broker has accepted the message: a persistent one is on disk then.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub async fn accepted(self) -> Result<MessageId, Error> {
        within(self.connection.options.send_timeout, self.answer()).await
    }

    async fn answer(self) -> Result<MessageId, Error> {
        self.answered.await.unwrap_or_else(|_| Err(self.connection.handle.gone()))?;
        Ok(self.id)
    }
}

async fn within<T>(limit: Option<Duration>, sent: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match limit {
        None => sent.await,
        Some(limit) => {
            tokio::time::timeout(limit, sent).await.unwrap_or(Err(Error::TimedOut("a send (`jms.sendTimeout`)", limit)))
        }
    }
}

/// How many bytes of a producer's window a message takes, just as the broker counts it that gives them back
/// (`Message.getSize`, `DEFAULT_MINIMUM_MESSAGE_SIZE`).
fn size(message: &Message) -> usize {
    let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
    1024 + length(&message.headers.content) + length(&message.headers.marshalled_properties)
}

impl Drop for Producer {
    fn drop(&mut self) {
        let handle = &self.session.connection.handle;
        let object_id = Some(RemovedId::Producer(self.id.clone()));
        handle.ask_soon(Ask::Send(RemoveInfo { object_id, ..RemoveInfo::default() }.into()));
        if self.window.is_some() {
            handle.ask_soon(Ask::Unwatch(self.id.clone()));
        }
    }
}
