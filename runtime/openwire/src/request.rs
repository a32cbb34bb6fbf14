//! Requests and their answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Consumer, Delivery, Destination, Error, Outgoing, Producer, Session};

/// Sends requests and gives each its answer, by correlation id; any number at once. Answers that nobody waits for any more
/// are dropped. When the requester is dropped, its consumer ends, and its temporary queue with it.
#[derive(Debug)]
pub struct Requester {
    producer: Producer,
    replies: Destination,
    waiting: Waiting,
    prefix: String,
    next: AtomicU64,
    /// Ends the task that gives the answers out.
    _stop: oneshot::Sender<()>,
}

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Delivery>>>>;

impl Requester {
    pub(crate) async fn begin(
        session: &Session,
        destination: &Destination,
        replies: Destination,
    ) -> Result<Self, Error> {
        let consumer = session.consumer(&replies).open().await?;
        let producer = session.producer(destination).await?;
        let waiting = Waiting::default();
        let (stop, stopped) = oneshot::channel();
        let of_its_own = replies.is_temporary().then(|| (session.clone(), replies.clone()));
        let known = Arc::clone(&waiting);
        tokio::spawn(async move {
            answer(consumer, &known, stopped).await;
            // Who still waits learns that nothing will come.
            lock(&known).clear();
            if let Some((session, replies)) = of_its_own {
                let _ = session.delete_temporary(replies).await;
            }
        });
        let connection = &session.shared.connection;
        let prefix = format!("{}:{:08x}", connection.id, connection.handle.shared.surroundings.chance() >> 32);
        Ok(Self { producer, replies, waiting, prefix, next: AtomicU64::new(0), _stop: stop })
    }

    /// Sends a request and waits for its answer, for so long. Give the request a time to live of the same length, so that
    /// nobody works on what nobody waits for.
    ///
    /// # Errors
    /// [`Error::TimedOut`] without an answer; what sending may give; [`Error::Disconnected`] when the connection is over.
    pub async fn request(&self, outgoing: Outgoing, limit: Duration) -> Result<Delivery, Error> {
        let id = match &outgoing.correlation_id {
            Some(id) => id.clone(),
            None => format!("{}:{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)),
        };
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(id.clone(), answer);
        let _forget = Forget { waiting: &self.waiting, id: &id };
        let exchange = async {
            self.producer.send(outgoing.correlation_id(id.as_str()).reply_to(self.replies.clone())).await?;
            answered.await.map_err(|_| Error::Disconnected("the consumer of answers has ended".to_owned()))
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Error::TimedOut("an answer", limit)))
    }

    /// Where the answers go.
    #[must_use]
    pub fn replies(&self) -> &Destination {
        &self.replies
    }
}

/// Gives out answers until nobody can ask any more, or nothing more can come.
async fn answer(mut consumer: Consumer, waiting: &Waiting, mut stopped: oneshot::Receiver<()>) {
    loop {
        let delivery = tokio::select! {
            _ = &mut stopped => break,
            delivery = consumer.receive() => delivery,
        };
        let Ok(delivery) = delivery else { break };
        let answer = delivery.correlation_id().and_then(|id| lock(waiting).remove(id));
        if let Some(answer) = answer {
            let _ = answer.send(delivery);
        }
    }
    let _ = consumer.close().await;
}

/// Who no longer waits is forgotten, however the wait ended.
struct Forget<'a> {
    waiting: &'a Waiting,
    id: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(self.waiting).remove(self.id);
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Delivery>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
