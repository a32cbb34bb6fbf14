//! A session: who acknowledges, and what belongs to one transaction.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Mutex as AsyncMutex;
use topoc_openwire_proto::command::{
    DestinationInfo, RemoveInfo, RemoveSubscriptionInfo, RemovedId, SessionInfo, TransactionInfo,
};
use topoc_openwire_proto::destination::{TempQueue, TempTopic};
use topoc_openwire_proto::id::{ConsumerId, LocalTransactionId, ProducerId, SessionId, TransactionId};

use crate::connection::Inner;
use crate::consumer::{ConsumerBuilder, Held};
use crate::engine::Ask;
use crate::{AckMode, Destination, Error, Producer, Requester};

/// What producers and consumers are made with, and what they share: the way of acknowledging, and the transaction.
///
/// A session in [`AckMode::Transacted`] always has a transaction: it begins with the first message that is sent or received
/// after the last one has ended.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) connection: Arc<Inner>,
    pub(crate) mode: AckMode,
    number: i64,
    children: Mutex<Children>,
    transaction: AsyncMutex<Option<Open>>,
}

/// The transaction that is open.
#[derive(Debug)]
struct Open {
    id: TransactionId,
    /// How many connections were lost when it began.
    losses: u64,
}

#[derive(Debug, Default)]
struct Children {
    producers: i64,
    consumers: i64,
    held: Vec<Weak<Held>>,
    /// Consumers that nobody has any more, and that end with the transaction.
    leaving: Vec<(ConsumerId, Arc<Held>)>,
}

impl Shared {
    /// The transaction that is open, which begins if there is none. None where nothing is transacted.
    pub(crate) async fn transaction(&self) -> Result<Option<TransactionId>, Error> {
        if self.mode != AckMode::Transacted {
            return Ok(None);
        }
        let mut open = self.transaction.lock().await;
        if let Some(Open { id, .. }) = &*open {
            return Ok(Some(id.clone()));
        }
        let value = self.connection.next_transaction();
        let id = LocalTransactionId { value, connection_id: Some(self.connection.connection_id()) };
        let id = TransactionId::from(id);
        let losses = self.connection.handle.losses();
        self.connection.handle.send(self.step(&id, TransactionInfo::BEGIN)).await?;
        *open = Some(Open { id: id.clone(), losses });
        Ok(Some(id))
    }

    fn step(&self, id: &TransactionId, r#type: i8) -> TransactionInfo {
        TransactionInfo {
            connection_id: Some(self.connection.connection_id()),
            transaction_id: Some(id.clone()),
            r#type,
            ..TransactionInfo::default()
        }
    }

    fn children(&self) -> std::sync::MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the session's consumers hold.
    fn held(&self) -> Vec<Arc<Held>> {
        let mut children = self.children();
        children.held.retain(|held| held.strong_count() > 0);
        children.held.iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn add(&self, held: &Arc<Held>) {
        self.children().held.push(Arc::downgrade(held));
    }

    pub(crate) fn next_consumer(&self) -> ConsumerId {
        let mut children = self.children();
        children.consumers += 1;
        let connection_id = Some(self.connection.id.clone());
        ConsumerId { connection_id, session_id: self.number, value: children.consumers }
    }

    pub(crate) fn next_producer(&self) -> ProducerId {
        let mut children = self.children();
        children.producers += 1;
        let connection_id = Some(self.connection.id.clone());
        ProducerId { connection_id, session_id: self.number, value: children.producers }
    }

    /// The consumer ends with the transaction.
    pub(crate) fn leave(&self, id: ConsumerId, held: Arc<Held>) {
        self.children().leaving.push((id, held));
    }

    /// The transaction has ended, and with it those that have waited for that.
    fn take_leave(&self) {
        let leaving = std::mem::take(&mut self.children().leaving);
        for (id, held) in leaving {
            self.connection.handle.remove_soon(&id, &held);
        }
    }

    /// The largest number of a message that the session's consumers have got.
    pub(crate) fn last_delivered(&self) -> Option<i64> {
        let losses = self.connection.handle.losses();
        self.held().iter().map(|held| held.last_delivered(losses)).max()
    }

    /// Acknowledges what the session's consumers have got so far.
    pub(crate) async fn acknowledge(&self) -> Result<(), Error> {
        let mut stale = 0;
        let handle = &self.connection.handle;
        for held in self.held() {
            // Who loses patience here must not lose the acknowledgement.
            let room = handle.reserve().await?;
            let losses = handle.losses();
            let (ack, lost) = held.acknowledge_all(losses);
            stale += lost;
            if let Some(ack) = ack {
                room.send(Ask::SendOver(losses, ack.into()));
            }
        }
        if stale > 0 { Err(Error::WillComeAgain(stale)) } else { Ok(()) }
    }
}

/// The last handle is gone: the broker is told.
impl Drop for Shared {
    fn drop(&mut self) {
        self.take_leave();
        self.connection.handle.ask_soon(Ask::Send(remove(&self.connection, self.number).into()));
    }
}

fn remove(connection: &Inner, number: i64) -> RemoveInfo {
    let id = SessionId { connection_id: Some(connection.id.clone()), value: number };
    RemoveInfo { object_id: Some(RemovedId::Session(id)), ..RemoveInfo::default() }
}

impl Session {
    pub(crate) async fn begin(connection: Arc<Inner>, number: i64, mode: AckMode) -> Result<Self, Error> {
        let id = SessionId { connection_id: Some(connection.id.clone()), value: number };
        connection.handle.request(SessionInfo { session_id: Some(id), ..SessionInfo::default() }).await?;
        let (children, transaction) = (Mutex::default(), AsyncMutex::new(None));
        Ok(Self { shared: Arc::new(Shared { connection, mode, number, children, transaction }) })
    }

    /// A producer of messages for one destination.
    ///
    /// # Errors
    /// When the broker refuses it: no such destination, or no right to write there.
    pub async fn producer(&self, destination: &Destination) -> Result<Producer, Error> {
        Producer::begin(Arc::clone(&self.shared), Some(destination.clone())).await
    }

    /// A producer of messages that say themselves where they go ([`Producer::send_to`]), such as replies.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn any_producer(&self) -> Result<Producer, Error> {
        Producer::begin(Arc::clone(&self.shared), None).await
    }

    /// A consumer of a destination, to be opened when all is said about it.
    pub fn consumer(&self, destination: &Destination) -> ConsumerBuilder {
        ConsumerBuilder::new(Arc::clone(&self.shared), destination.clone())
    }

    /// Somebody who looks at the messages of a queue without taking them; [`crate::Consumer::receive_within`] and
    /// [`crate::Consumer::browse`] give none at the end.
    pub fn browser(&self, queue: &Destination) -> ConsumerBuilder {
        self.consumer(queue).browser()
    }

    /// A queue that lives as long as the connection, and that nobody else may read from.
    ///
    /// # Errors
    /// When the broker refuses it.
    pub async fn temporary_queue(&self) -> Result<Destination, Error> {
        self.temporary(|physical_name| TempQueue { physical_name }.into()).await
    }

    /// A topic that lives as long as the connection, and that nobody else may read from.
    ///
    /// # Errors
    /// When the broker refuses it.
    pub async fn temporary_topic(&self) -> Result<Destination, Error> {
        self.temporary(|physical_name| TempTopic { physical_name }.into()).await
    }

    async fn temporary(&self, named: impl FnOnce(Option<String>) -> Destination) -> Result<Destination, Error> {
        let connection = &self.shared.connection;
        let destination = named(Some(format!("{}:{}", connection.id, connection.next_temporary())));
        let info = DestinationInfo {
            connection_id: Some(connection.connection_id()),
            destination: Some(destination.clone()),
            operation_type: DestinationInfo::ADD,
            ..DestinationInfo::default()
        };
        connection.handle.request(info).await?;
        Ok(destination)
    }

    /// Removes a temporary destination before the connection ends. Its consumers get nothing more.
    ///
    /// # Errors
    /// When the broker refuses it; [`Error::Misuse`] of another destination.
    pub async fn delete_temporary(&self, destination: Destination) -> Result<(), Error> {
        if !destination.is_temporary() {
            return Err(Error::Misuse("only temporary destinations can be deleted"));
        }
        let connection = &self.shared.connection;
        let info = DestinationInfo {
            connection_id: Some(connection.connection_id()),
            destination: Some(destination),
            operation_type: DestinationInfo::REMOVE,
            ..DestinationInfo::default()
        };
        connection.handle.request(info).await
    }

    /// Ends a durable subscription of this client id for good ([`ConsumerBuilder::durable`]). Its consumer is to be closed
    /// before.
    ///
    /// # Errors
    /// When the broker refuses it: there is none of this name, or somebody consumes. [`Error::Misuse`] without a client id.
    pub async fn unsubscribe(&self, name: impl Into<String>) -> Result<(), Error> {
        let connection = &self.shared.connection;
        let Some(client_id) = connection.options.client_id.clone() else {
            return Err(Error::Misuse("a durable subscription belongs to a client id: set `jms.clientID`"));
        };
        let info = RemoveSubscriptionInfo {
            connection_id: Some(connection.connection_id()),
            subscription_name: Some(name.into()),
            client_id: Some(client_id),
            ..RemoveSubscriptionInfo::default()
        };
        connection.handle.request(info).await
    }

    /// Somebody who sends requests to a destination and gets each answer, over a temporary queue of its own.
    ///
    /// # Errors
    /// When the broker refuses the queue, the producer or the consumer.
    pub async fn requester(&self, destination: &Destination) -> Result<Requester, Error> {
        let replies = self.temporary_queue().await?;
        Requester::begin(self, destination, replies).await
    }

    /// The same with a queue for replies that outlives the connection and is nobody else's: across bridges that is the
    /// safer way.
    ///
    /// # Errors
    /// As [`Session::requester`].
    pub async fn requester_with(&self, destination: &Destination, replies: &Destination) -> Result<Requester, Error> {
        Requester::begin(self, destination, replies.clone()).await
    }

    /// Acknowledges all that the session's consumers have got so far ([`AckMode::Client`]).
    ///
    /// # Errors
    /// [`Error::WillComeAgain`] when some of it came over a connection that is lost; the rest is acknowledged.
    /// [`Error::Misuse`] in another mode.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        match self.shared.mode {
            AckMode::Client => self.shared.acknowledge().await,
            _ => Err(Error::Misuse("only a session in `AckMode::Client` acknowledges all that it has got")),
        }
    }

    /// Gives back all that the session's consumers have got and not acknowledged: they get it again after a while
    /// ([`AckMode::Client`]; `jms.redeliveryPolicy.*`).
    ///
    /// # Errors
    /// When the connection is over; [`Error::Misuse`] in another mode.
    pub async fn recover(&self) -> Result<(), Error> {
        match self.shared.mode {
            AckMode::Client => self.give_back().await,
            _ => Err(Error::Misuse("only a session in `AckMode::Client` recovers")),
        }
    }

    /// Commits the transaction: what was sent in it is there for others, what was received in it is dealt with. Without an
    /// open transaction nothing happens. May be dropped while it waits: the commit goes on by itself.
    ///
    /// # Errors
    /// [`Error::RolledBack`] when messages were received in it over a connection that was lost since, or when the answer to
    /// the commit was lost with the connection: all of it is rolled back as far as anybody can know, and received messages
    /// come again. They do so too when the broker refuses the commit.
    pub async fn commit(&self) -> Result<(), Error> {
        self.expect_transacted()?;
        self.to_the_end(|session| async move { session.commit_now().await }).await
    }

    /// Rolls the transaction back: what was sent in it is gone, what was received comes again after a while
    /// (`jms.redeliveryPolicy.*`). May be dropped as [`Session::commit`].
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn rollback(&self) -> Result<(), Error> {
        self.expect_transacted()?;
        self.to_the_end(|session| async move { session.rollback_now().await }).await
    }

    /// Does something in a task of its own: nobody can stop in the middle of it.
    async fn to_the_end<F>(&self, work: impl FnOnce(Self) -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        // A task that has gone without a word has gone with its runtime.
        tokio::spawn(work(self.clone())).await.unwrap_or(Err(Error::Closed))
    }

    async fn commit_now(self) -> Result<(), Error> {
        let mut open = self.shared.transaction.lock().await;
        let Some(Open { id, losses }) = open.take() else { return Ok(()) };
        let handle = &self.shared.connection.handle;
        let held = self.shared.held();
        let received: usize = held.iter().map(|held| held.count()).sum();
        if losses != handle.losses() && received > 0 {
            return self.roll_back_lost(&id, received).await;
        }
        let commit = self.shared.step(&id, TransactionInfo::COMMIT_ONE_PHASE);
        let committed = if received == 0 {
            Some(handle.request(commit).await)
        } else {
            // A commit without its acknowledgements would be half of one: all goes over the same connection, or nothing.
            for ack in held.iter().filter_map(|held| held.before_commit(&id)) {
                handle.ask(Ask::SendOver(losses, ack.into())).await?;
            }
            handle.request_over(losses, commit).await
        };
        match committed {
            Some(Ok(())) => {
                held.iter().for_each(|held| held.forget());
                self.shared.take_leave();
                Ok(())
            }
            Some(Err(error)) => {
                self.give_back().await?;
                Err(error)
            }
            None => self.roll_back_lost(&id, received).await,
        }
    }

    /// The connection was lost that messages of the transaction came over. The new broker knows the transaction from what was
    /// restored.
    async fn roll_back_lost(&self, id: &TransactionId, received: usize) -> Result<(), Error> {
        self.shared.connection.handle.request(self.shared.step(id, TransactionInfo::ROLLBACK)).await?;
        self.give_back().await?;
        let reason = format!("{received} message(s) were received in it before the connection was lost");
        Err(Error::RolledBack(reason))
    }

    async fn rollback_now(self) -> Result<(), Error> {
        let mut open = self.shared.transaction.lock().await;
        let Some(Open { id, .. }) = open.take() else { return Ok(()) };
        self.shared.connection.handle.request(self.shared.step(&id, TransactionInfo::ROLLBACK)).await?;
        self.give_back().await
    }

    async fn give_back(&self) -> Result<(), Error> {
        let connection = &self.shared.connection;
        let policy = connection.options.redelivery();
        for held in self.shared.held() {
            let room = connection.handle.reserve().await?;
            let losses = connection.handle.losses();
            if let Some(ack) = held.roll_back(&policy, losses) {
                room.send(Ask::SendOver(losses, ack.into()));
            }
        }
        self.shared.take_leave();
        Ok(())
    }

    fn expect_transacted(&self) -> Result<(), Error> {
        match self.shared.mode {
            AckMode::Transacted => Ok(()),
            _ => Err(Error::Misuse("only a session in `AckMode::Transacted` has transactions")),
        }
    }
}
