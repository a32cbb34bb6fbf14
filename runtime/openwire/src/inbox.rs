//! What has come for a consumer and is not yet taken: never more than the broker was allowed to send, and nothing of a
//! connection that is lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::engine::Incoming;

/// Messages beyond twice the window before a broker counts as one that keeps to nothing. It may send some more than the
/// window while acknowledgements are on their way.
const SPARE: usize = 1000;

#[derive(Debug)]
struct Inbox {
    state: Mutex<State>,
    came: Notify,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Incoming>,
    limit: usize,
    /// Nothing more will come.
    closed: bool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the engine puts what comes. When it is dropped, nothing more comes.
#[derive(Debug)]
pub(crate) struct Sender(Arc<Inbox>);

/// Where a consumer takes it from.
#[derive(Debug)]
pub(crate) struct Receiver(Arc<Inbox>);

/// The broker has sent more than it was allowed to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuch;

/// The inbox of a consumer that may have so many messages on their way.
pub(crate) fn inbox(prefetch: i32) -> (Sender, Receiver) {
    let state = State { queue: VecDeque::new(), limit: limit(prefetch), closed: false };
    let inbox = Arc::new(Inbox { state: Mutex::new(state), came: Notify::new() });
    (Sender(Arc::clone(&inbox)), Receiver(inbox))
}

fn limit(prefetch: i32) -> usize {
    usize::try_from(prefetch).unwrap_or(0).saturating_mul(2).saturating_add(SPARE)
}

impl Sender {
    pub(crate) fn send(&self, incoming: Incoming) -> Result<(), TooMuch> {
        let mut state = self.0.lock();
        if let Incoming::Prefetch(prefetch) = incoming {
            state.limit = state.limit.max(limit(prefetch));
        }
        if state.queue.len() >= state.limit {
            return Err(TooMuch);
        }
        state.queue.push_back(incoming);
        drop(state);
        self.0.came.notify_one();
        Ok(())
    }

    /// Forgets messages that came over a connection that is lost: they come again.
    pub(crate) fn forget_messages(&self) {
        self.0.lock().queue.retain(|incoming| !matches!(incoming, Incoming::Dispatch(..)));
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.came.notify_one();
    }
}

impl Receiver {
    /// The next thing that has come; none when nothing more will. May be dropped while it waits.
    pub(crate) async fn recv(&mut self) -> Option<Incoming> {
        loop {
            {
                let mut state = self.0.lock();
                if let Some(incoming) = state.queue.pop_front() {
                    return Some(incoming);
                }
                if state.closed {
                    return None;
                }
            }
            // What comes between the look and the wait has left its mark.
            self.0.came.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use topoc_openwire_proto::command::MessageDispatch;

    use super::*;

    fn message() -> Incoming {
        Incoming::Dispatch(0, Box::<MessageDispatch>::default())
    }

    #[tokio::test]
    async fn what_came_before_the_end_is_still_taken() {
        let (sender, mut receiver) = inbox(10);
        sender.send(message()).unwrap();
        drop(sender);
        assert!(matches!(receiver.recv().await, Some(Incoming::Dispatch(..))));
        assert!(receiver.recv().await.is_none());
        assert!(receiver.recv().await.is_none());
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let (sender, mut receiver) = inbox(10);
        let (taken, ()) = tokio::join!(receiver.recv(), async { sender.send(message()).unwrap() });
        assert!(taken.is_some());
    }

    #[test]
    fn a_broker_is_held_to_the_window() {
        let (sender, _receiver) = inbox(10);
        (0..SPARE + 20).for_each(|_| sender.send(message()).unwrap());
        assert_eq!(sender.send(message()), Err(TooMuch));
        sender.send(Incoming::Prefetch(11)).unwrap();
        sender.forget_messages();
        sender.send(message()).unwrap();
    }
}
