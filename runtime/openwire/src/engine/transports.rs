//! Transports that are not the connection: on their way, spare, or refused and soon given up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use topoc_openwire_proto::failover::Attempt;
use topoc_openwire_proto::uri::Address;

use super::Outside;
use crate::surroundings::Surroundings;
use crate::wire::{Reason, Wire};

/// How long a broker that refuses the connection is left alone: so long after its answer it hangs up, too
/// (`TransportConnection.delayedStop`, 5.6 to 6.3.1).
const REFUSED: Duration = Duration::from_secs(2);

/// A transport that is not the connection.
enum Other {
    /// On its way, or refused by the broker and soon given up.
    Opening(JoinHandle<()>),
    /// Open; ask for it, and it comes back.
    Spare(oneshot::Sender<()>, JoinHandle<Result<Box<Wire>, Reason>>),
}

/// All of them, each in a task of its own that tells what becomes of it.
pub(super) struct Transports {
    surroundings: Arc<dyn Surroundings>,
    tell: mpsc::UnboundedSender<Outside>,
    others: HashMap<Attempt, Other>,
}

impl Transports {
    pub(super) fn new(surroundings: Arc<dyn Surroundings>, tell: mpsc::UnboundedSender<Outside>) -> Self {
        Self { surroundings, tell, others: HashMap::new() }
    }

    pub(super) fn open(&mut self, attempt: Attempt, address: Address) {
        let (tell, surroundings) = (self.tell.clone(), Arc::clone(&self.surroundings));
        let task = tokio::spawn(async move {
            let opened = Wire::open(&address, &*surroundings).await.map(Box::new);
            let _ = tell.send(Outside::Opened(attempt, opened));
        });
        self.others.insert(attempt, Other::Opening(task));
    }

    /// Keeps an open wire alive until it is used.
    pub(super) fn keep(&mut self, attempt: Attempt, mut wire: Box<Wire>) {
        let (ask, asked) = oneshot::channel();
        let tell = self.tell.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = asked => Ok(wire),
                reason = wire.idle() => {
                    let _ = tell.send(Outside::Lost(attempt, reason.clone()));
                    Err(reason)
                }
            }
        });
        self.others.insert(attempt, Other::Spare(ask, task));
    }

    /// The wire that was kept.
    pub(super) async fn take(&mut self, attempt: Attempt) -> Result<Box<Wire>, Reason> {
        let Some(Other::Spare(ask, task)) = self.others.remove(&attempt) else {
            return Err("it has gone again".to_owned());
        };
        let _ = ask.send(());
        task.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Counts a transport as lost after a while: its broker does not let the client in, and may be the only one.
    pub(super) fn refused(&mut self, attempt: Attempt, reason: Reason) {
        let tell = self.tell.clone();
        let task = tokio::spawn(async move {
            tokio::time::sleep(REFUSED).await;
            let _ = tell.send(Outside::Lost(attempt, reason));
        });
        self.others.insert(attempt, Other::Opening(task));
    }

    /// Forgets a transport, of which something was told. Whether it was not closed before.
    pub(super) fn forget(&mut self, attempt: Attempt) -> bool {
        self.others.remove(&attempt).is_some()
    }

    pub(super) fn close(&mut self, attempt: Attempt) {
        match self.others.remove(&attempt) {
            Some(Other::Opening(task)) => task.abort(),
            Some(Other::Spare(_, task)) => task.abort(),
            None => {}
        }
    }
}
