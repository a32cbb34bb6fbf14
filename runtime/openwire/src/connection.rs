//! A connection: who one is at whatever broker there is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use topoc_openwire_proto::client::ClientOptions;
use topoc_openwire_proto::command::{ConnectionInfo, FlushCommand, RemoveInfo, RemovedId};
use topoc_openwire_proto::id::ConnectionId;

use crate::consumer::{Done, NONE_DELIVERED};
use crate::engine::{self, Handle, Stop};
use crate::surroundings::{Surroundings, System, milliseconds};
use crate::{AckMode, Config, Destination, Error, Refusal, Session, session};

/// Where a connection is.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// Not yet connected to any broker.
    Connecting,
    /// Connected: the broker has let the client in.
    Connected(Place),
    /// There is no broker, and one is looked for; why the last is none: [`Error::Disconnected`] when it was lost, and
    /// [`Error::Refused`] when it does not let the client in, such as with a password that is no longer right. Each broker
    /// is asked again and again, for whom one refuses another may let in: a program that would rather end drops the
    /// connection.
    Interrupted(Error),
    /// It is over; why.
    Over(String),
}

/// A broker that a connection is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The address that was dialled, as it was listed.
    pub address: String,
    /// The name that the broker gives itself, once it has said it.
    pub broker: Option<String>,
}

/// A connection to a broker, or by `failover:` to whichever broker there is. When the last handle of it, its sessions,
/// producers and consumers has been dropped, it ends; [`Connection::close`] waits for that.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) handle: Handle,
    pub(crate) options: ClientOptions,
    pub(crate) largest_body: u64,
    pub(crate) id: String,
    sessions: AtomicI64,
    /// Those that are there.
    open: Mutex<Vec<Weak<session::Shared>>>,
    /// What was dealt with of each queue that somebody consumes.
    done: Mutex<HashMap<String, Weak<Mutex<Done>>>>,
    temporary: AtomicU64,
    transactions: AtomicI64,
}

impl Inner {
    pub(crate) fn connection_id(&self) -> ConnectionId {
        ConnectionId::new(self.id.clone())
    }

    fn open(&self) -> MutexGuard<'_, Vec<Weak<session::Shared>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was dealt with of a queue, known to all its consumers here.
    pub(crate) fn done(&self, queue: &Destination) -> Arc<Mutex<Done>> {
        let mut all = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, done| done.strong_count() > 0);
        let done = all.get(queue.name()).and_then(Weak::upgrade).unwrap_or_default();
        all.insert(queue.name().to_owned(), Arc::downgrade(&done));
        done
    }

    /// A number for a temporary destination, beginning with 1.
    pub(crate) fn next_temporary(&self) -> u64 {
        self.temporary.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A number for a transaction, beginning with 1.
    pub(crate) fn next_transaction(&self) -> i64 {
        self.transactions.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Connection {
    /// Connects to a URI: `tcp://HOST:PORT`, `ssl://HOST:PORT` or `failover:(ADDRESS,ADDRESS)?OPTIONS`. With `failover:`
    /// this waits until a broker is there, unless `startupMaxReconnectAttempts` ends it.
    ///
    /// # Errors
    /// What cannot be used of the URI; [`Error::Disconnected`] when no broker could be reached; [`Error::Refused`] when the
    /// broker knows the user or the client id not, or knows it too well.
    pub async fn open(uri: &str) -> Result<Self, Error> {
        Config::new(uri)?.connect().await
    }

    pub(crate) async fn with(config: Config) -> Result<Self, Error> {
        let system = System::new(config.tls.build()?);
        Self::within(config, Arc::new(system)).await
    }

    pub(crate) async fn within(config: Config, surroundings: Arc<dyn Surroundings>) -> Result<Self, Error> {
        let options = config.client.clone();
        let fault_tolerant = config.fault_tolerant;
        let largest_body = config.largest_body;
        let id = unique_id(options.client_id_prefix.as_deref(), &*surroundings);
        let handle = engine::start(config, surroundings);
        let info = ConnectionInfo {
            connection_id: Some(ConnectionId::new(id.clone())),
            client_id: Some(options.client_id.clone().unwrap_or_else(|| id.clone())),
            user_name: options.user.clone(),
            password: options.password.reveal().map(str::to_owned),
            manageable: true,
            client_master: true,
            fault_tolerant,
            ..ConnectionInfo::default()
        };
        let refused = match options.connect_timeout {
            None => handle.request(info).await,
            Some(limit) => tokio::time::timeout(limit, handle.request(info))
                .await
                .unwrap_or(Err(Error::TimedOut("connecting (`jms.connectResponseTimeout`)", limit))),
        };
        refused?;
        let inner = Inner {
            handle,
            options,
            largest_body,
            id,
            sessions: AtomicI64::new(0),
            open: Mutex::default(),
            done: Mutex::default(),
            temporary: AtomicU64::new(0),
            transactions: AtomicI64::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Begins a session, whose consumers acknowledge in this way.
    ///
    /// # Errors
    /// When the connection is over, or the broker refuses it.
    pub async fn session(&self, mode: AckMode) -> Result<Session, Error> {
        let number = self.inner.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        let session = Session::begin(Arc::clone(&self.inner), number, mode).await?;
        let mut open = self.inner.open();
        open.retain(|known| known.strong_count() > 0);
        open.push(Arc::downgrade(&session.shared));
        Ok(session)
    }

    /// Where the connection is now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.inner.handle.shared.status.borrow().clone()
    }

    /// Where the connection is, whenever that changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.inner.handle.shared.status.subscribe()
    }

    /// What brokers refuse that nobody waits for, from now on, as Java's `ExceptionListener` hears it: a message that was
    /// sent without waiting to where the user may not write ([`crate::Outgoing::persistent`]); and, beyond Java, the connection
    /// itself after a failover, which [`Status::Interrupted`] tells as well. Who does not look misses the oldest of more than
    /// 64 ([`broadcast::error::RecvError::Lagged`]). All are logged too.
    #[must_use]
    pub fn refusals(&self) -> broadcast::Receiver<Refusal> {
        self.inner.handle.shared.refusals.subscribe()
    }

    /// How often a connection was lost so far.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.inner.handle.losses()
    }

    /// The id of the connection, which brokers show.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Waits until the broker has taken everything that was sent before, such as messages that are not persistent.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn flush(&self) -> Result<(), Error> {
        self.inner.handle.request(FlushCommand::default()).await
    }

    /// Ends the connection, and everything that was made with it, in order. Waits at most `jms.closeTimeout` for the broker,
    /// and not at all while there is none. Whoever still waits for something gets an error.
    ///
    /// # Errors
    /// [`Error::Closed`] or [`Error::Disconnected`] when it was over before.
    pub async fn close(self) -> Result<(), Error> {
        let handle = &self.inner.handle;
        let deadline = Instant::now() + self.inner.options.close_timeout;
        let removed = tokio::select! {
            // A broker that does not answer has lost the connection all the same.
            removed = timeout_at(deadline, self.remove()) => removed.unwrap_or(Ok(())),
            status = not_connected(handle) => match status {
                Status::Over(_) => Err(handle.gone()),
                // A broker that is gone has lost it too. What waits for another must not be waited for.
                _ => Ok(()),
            },
        };
        let (ended, end) = oneshot::channel();
        if handle.stop.send(Stop { deadline, ended }).await.is_ok() {
            let _ = end.await;
        }
        removed
    }

    /// Tells the broker that the connection ends.
    async fn remove(&self) -> Result<(), Error> {
        let object_id = Some(RemovedId::Connection(self.inner.connection_id()));
        // As Java does; without it what was given to the application and not acknowledged would come to others as if for the
        // first time.
        let sessions: Vec<_> = self.inner.open().iter().filter_map(Weak::upgrade).collect();
        let last = sessions.iter().filter_map(|session| session.last_delivered()).max();
        let last_delivered_sequence_id = last.unwrap_or(NONE_DELIVERED);
        let remove = RemoveInfo { object_id, last_delivered_sequence_id, ..RemoveInfo::default() };
        self.inner.handle.request(remove).await
    }
}

/// Waits until there is no broker, and says where the connection is then.
async fn not_connected(handle: &Handle) -> Status {
    let mut status = handle.shared.status.subscribe();
    // It cannot fail: its sender is the handle's own.
    let _ = status.wait_for(|status| !matches!(status, Status::Connected(_))).await;
    status.borrow().clone()
}

/// Tells connections of one process apart.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// An id that no other connection has: process, moment, chance, number.
fn unique_id(prefix: Option<&str>, surroundings: &dyn Surroundings) -> String {
    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed) + 1;
    let (moment, chance) = (milliseconds(surroundings), surroundings.chance() >> 32);
    let prefix = prefix.unwrap_or("ID:topoc");
    format!("{prefix}-{}-{moment}-{chance:08x}:{number}", std::process::id())
}
