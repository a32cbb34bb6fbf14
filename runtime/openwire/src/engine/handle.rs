//! How the parts of a connection reach its engine, and what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;
use topoc_openwire_proto::command::{Command, MessageDispatch};
use topoc_openwire_proto::id::{ConsumerId, ProducerId};

use super::waiting::Answer;
use crate::connection::Status;
use crate::consumer::Held;
use crate::inbox;
use crate::producer::Window;
use crate::surroundings::Surroundings;
use crate::{Error, Refusal};

/// How the parts of a connection reach its engine.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) stop: mpsc::Sender<Stop>,
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// Sends a command and waits for its answer.
    pub(crate) async fn request(&self, command: impl Into<Command>) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Request(command.into(), answer)).await?;
        answered.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// Sends a command that nobody answers.
    pub(crate) async fn send(&self, command: impl Into<Command>) -> Result<(), Error> {
        self.ask(Ask::Send(command.into())).await
    }

    /// The same for what is about messages that came over the connection that so many were lost before. None when that one
    /// was lost too: then nothing was sent.
    pub(crate) async fn request_over(&self, losses: u64, command: impl Into<Command>) -> Option<Result<(), Error>> {
        let (answer, answered) = oneshot::channel();
        if let Err(error) = self.ask(Ask::RequestOver(losses, command.into(), answer)).await {
            return Some(Err(error));
        }
        match answered.await {
            Ok(answer) => Some(answer),
            Err(_) if losses != self.losses() => None,
            Err(_) => Some(Err(self.gone())),
        }
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Result<(), Error> {
        self.asks.send(ask).await.map_err(|_| self.gone())
    }

    /// Room for one thing that is asked for: who has it can ask without waiting, and so cannot be interrupted any more.
    pub(crate) async fn reserve(&self) -> Result<mpsc::Permit<'_, Ask>, Error> {
        self.asks.reserve().await.map_err(|_| self.gone())
    }

    /// Asks from where nobody can wait. In the rare case that there is no room at the moment a task waits for it.
    pub(crate) fn ask_soon(&self, ask: Ask) {
        if let Err(mpsc::error::TrySendError::Full(ask)) = self.asks.try_send(ask)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let asks = self.asks.clone();
            runtime.spawn(async move { asks.send(ask).await.is_ok() });
        }
    }

    /// Ends a consumer.
    pub(crate) fn remove_soon(&self, id: &ConsumerId, held: &Held) {
        self.ask_soon(Ask::Send(held.remove(id, self.losses()).into()));
        self.ask_soon(Ask::Unlisten(id.clone()));
    }

    /// How many connections were lost so far.
    pub(crate) fn losses(&self) -> u64 {
        self.shared.losses.load(Ordering::Acquire)
    }

    pub(crate) fn gone(&self) -> Error {
        match &*self.shared.status.borrow() {
            Status::Over(reason) => Error::Disconnected(reason.clone()),
            _ => Error::Closed,
        }
    }
}

/// What the application asks of the engine.
pub(crate) enum Ask {
    /// Send this; the answer is wanted.
    Request(Command, Answer),
    /// Send this.
    Send(Command),
    /// Send this if so many connections were lost before: it is about what came over the one that is there now.
    SendOver(u64, Command),
    /// The same with an answer, of which nothing comes when it was not sent.
    RequestOver(u64, Command, Answer),
    /// This is where messages of a consumer go from now on.
    Listen(ConsumerId, inbox::Sender),
    /// Nobody listens any more.
    Unlisten(ConsumerId),
    /// This is whom the broker tells that it has taken bytes of a producer.
    Watch(ProducerId, Arc<Window>),
    /// The producer is no more.
    Unwatch(ProducerId),
}

/// What a consumer gets.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message, or the end of browsing or of a pull, and of which connection it came.
    Dispatch(u64, Box<MessageDispatch>),
    /// The broker wants another number of messages on their way.
    Prefetch(i32),
    /// The broker has closed the consumer.
    Ended,
}

/// The end of the connection is wanted.
#[derive(Debug)]
pub(crate) struct Stop {
    /// Until when the broker is waited for.
    pub(crate) deadline: Instant,
    /// It has ended.
    pub(crate) ended: oneshot::Sender<()>,
}

/// What a connection knows for all its parts.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Counts the connections that were lost: what came over an older one is known by it.
    pub(crate) losses: AtomicU64,
    /// The longest frame that the broker takes, in bytes without the length itself.
    pub(crate) largest_frame: AtomicU64,
    pub(crate) status: watch::Sender<Status>,
    /// What brokers refuse that nobody waits for.
    pub(crate) refusals: broadcast::Sender<Refusal>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
}
