//! What a consumer says of the messages that it has got: which acknowledgement, when, and over how many
//! (`ActiveMQMessageConsumer`, 5.17.2 to 6.3.1).

use std::collections::VecDeque;
use std::time::Duration;

use crate::command::{MessageAck, Throwable};
use crate::destination::Destination;
use crate::id::{ConsumerId, MessageId, TransactionId};

/// Who says when a message is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AckMode {
    /// It is as soon as the application has it.
    #[default]
    Auto,
    /// All that the session has got so far, when the application says so.
    Client,
    /// Each by itself, when the application says so.
    Individual,
    /// All that a transaction has got, when it is committed.
    Transacted,
}

/// How often and how soon a message comes again after a rollback (`RedeliveryPolicy`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RedeliveryPolicy {
    /// How often it comes again before it is poison; none for ever. 6.
    pub maximum_redeliveries: Option<u32>,
    /// How long it waits the first time. 1 s.
    pub initial_redelivery_delay: Duration,
    /// How long it waits the second time, and later too where the delay does not grow. 1 s.
    pub redelivery_delay: Duration,
    /// Whether the delay grows. No.
    pub use_exponential_back_off: bool,
    /// How much it grows each time. 5.
    pub back_off_multiplier: f64,
    /// The longest delay; none for any. None.
    pub maximum_redelivery_delay: Option<Duration>,
}

impl Default for RedeliveryPolicy {
    fn default() -> Self {
        Self {
            maximum_redeliveries: Some(6),
            initial_redelivery_delay: Duration::from_secs(1),
            redelivery_delay: Duration::from_secs(1),
            use_exponential_back_off: false,
            back_off_multiplier: 5.0,
            maximum_redelivery_delay: None,
        }
    }
}

impl RedeliveryPolicy {
    /// The delay after one of `previous`.
    #[must_use]
    pub fn next_delay(&self, previous: Duration) -> Duration {
        if previous.is_zero() || !self.use_exponential_back_off || self.back_off_multiplier <= 1.0 {
            return self.redelivery_delay;
        }
        let longest = self.maximum_redelivery_delay.map_or(Duration::MAX, |most| most.max(self.redelivery_delay));
        let longer = previous.as_secs_f64() * self.back_off_multiplier;
        Duration::try_from_secs_f64(longer).unwrap_or(longest).min(longest)
    }

    fn allows(&self, redeliveries: i32) -> bool {
        self.maximum_redeliveries.is_none_or(|most| u32::try_from(redeliveries).unwrap_or(0) <= most)
    }
}

/// A message as its consumer got it, with whatever the caller keeps of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Got<T> {
    /// Its id.
    pub id: MessageId,
    /// Where it was sent, as the dispatch says.
    pub destination: Option<Destination>,
    /// How often it was delivered before.
    pub redeliveries: i32,
    /// The caller's.
    pub kept: T,
}

/// What a rollback comes to for one consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct RolledBack<T> {
    /// To be sent first.
    pub ack: Option<MessageAck>,
    /// What the application is to get again, the oldest first, and the delay before. Empty where all is poison.
    pub again: Vec<Got<T>>,
    /// How long that waits.
    pub delay: Duration,
}

/// What a broker makes of the agreed window: it gives out as many messages more as it knows to have arrived, and takes that
/// back with each that is dealt with, whether it had heard of its arrival or not (`PrefetchSubscription`,
/// `expandPrefetchExtension` and `contractPrefetchExtension`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Window {
    /// How many messages the broker thinks have arrived.
    told: i64,
    /// How many more than that the application has. Less than none after a rollback.
    untold: i64,
}

impl Window {
    /// The broker takes back so much of its window, and the application has so many messages less.
    fn contract(&mut self, taken_back: usize, messages: usize) {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        let all = self.told + self.untold - number(messages);
        self.told = (self.told - number(taken_back)).max(0);
        self.untold = all - self.told;
    }
}

/// The messages of one consumer that the application has and that are not yet acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub struct Acks<T> {
    consumer: ConsumerId,
    mode: AckMode,
    /// How many messages may be on their way.
    prefetch: i64,
    held: VecDeque<Got<T>>,
    window: Window,
    /// The last delay of a redelivery.
    delay: Duration,
}

impl<T> Acks<T> {
    /// Those of a consumer that may have `prefetch` messages on their way.
    #[must_use]
    pub fn new(consumer: ConsumerId, mode: AckMode, prefetch: i32) -> Self {
        let prefetch = prefetch.into();
        Self { consumer, mode, prefetch, held: VecDeque::new(), window: Window::default(), delay: Duration::ZERO }
    }

    /// Who acknowledges.
    #[must_use]
    pub fn mode(&self) -> AckMode {
        self.mode
    }

    /// The broker has changed how many messages may be on their way.
    pub fn set_prefetch(&mut self, prefetch: i32) {
        self.prefetch = prefetch.into();
    }

    /// How many messages the application has that are not acknowledged.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Which those are, the oldest first.
    pub fn ids(&self) -> impl Iterator<Item = &MessageId> {
        self.held.iter().map(|got| &got.id)
    }

    /// The application gets a message. What the broker is told at once: that it is dealt with; or, when half of those
    /// that may be on their way have arrived, that they have, so that others can follow.
    pub fn deliver(&mut self, got: Got<T>, transaction: Option<&TransactionId>) -> Option<MessageAck> {
        if self.mode == AckMode::Auto {
            return Some(self.one(MessageAck::STANDARD, got.id, got.destination));
        }
        let (id, destination) = (got.id.clone(), got.destination.clone());
        self.held.push_back(got);
        self.window.untold += 1;
        if self.window.untold * 2 < self.prefetch.max(1) {
            return None;
        }
        // The broker looks for the last one only, and goes by the count.
        let untold = std::mem::take(&mut self.window.untold);
        self.window.told += untold;
        let count = usize::try_from(untold).unwrap_or(0);
        let ack = self.ack(MessageAck::DELIVERED, None, id, destination, count);
        Some(MessageAck { transaction_id: transaction.cloned(), ..ack })
    }

    /// The application has dealt with one message. None when it is not held: acknowledged before, or lost.
    pub fn acknowledge_one(&mut self, id: &MessageId) -> Option<MessageAck> {
        let place = self.held.iter().position(|got| got.id == *id)?;
        let got = self.held.remove(place)?;
        self.window.contract(1, 1);
        Some(self.one(MessageAck::INDIVIDUAL, got.id, got.destination))
    }

    /// Nobody can deal with one message: it goes to the dead letters, with why. None when it is not held.
    pub fn refuse_one(&mut self, id: &MessageId, why: &str) -> Option<MessageAck> {
        let place = self.held.iter().position(|got| got.id == *id)?;
        let got = self.held.remove(place)?;
        self.window.contract(1, 1);
        let cause = Throwable { class: Some("java.lang.Throwable".to_owned()), message: Some(why.to_owned()) };
        Some(MessageAck { poison_cause: Some(cause), ..self.one(MessageAck::POISON, got.id, got.destination) })
    }

    /// The application has dealt with all that it has.
    pub fn acknowledge_all(&mut self) -> Option<MessageAck> {
        let ack = self.over(MessageAck::STANDARD);
        self.forget();
        ack
    }

    /// What belongs into a transaction before it is committed. All is held until [`Acks::forget`] or a rollback, as the commit may fail.
    #[must_use]
    pub fn before_commit(&self, transaction: &TransactionId) -> Option<MessageAck> {
        let mut ack = self.over(MessageAck::STANDARD)?;
        ack.transaction_id = Some(transaction.clone());
        Some(ack)
    }

    /// Forgets what the application has, since the broker knows that it is dealt with. How many those were.
    pub fn forget(&mut self) -> usize {
        let count = self.drop_held();
        self.window.contract(count, count);
        count
    }

    /// Forgets what the application has, since the connection that it came over is lost: the broker gives it out again. How
    /// many those were.
    pub fn lose(&mut self) -> usize {
        self.window = Window::default();
        self.drop_held()
    }

    /// Forgets what somebody has who only looks: nothing will be said of it, and the broker's window is as it was.
    pub fn let_go(&mut self) {
        self.drop_held();
    }

    fn drop_held(&mut self) -> usize {
        self.delay = Duration::ZERO;
        let count = self.held.len();
        self.held.clear();
        count
    }

    /// The application has given up what it has: it gets it again after a while, unless that has been too often.
    pub fn roll_back(&mut self, policy: &RedeliveryPolicy) -> RolledBack<T> {
        let Some(newest) = self.held.back().map(|got| got.redeliveries) else {
            return RolledBack { ack: None, again: Vec::new(), delay: Duration::ZERO };
        };
        if !policy.allows(newest.saturating_add(1)) {
            let ack =
                self.over(MessageAck::POISON).map(|ack| MessageAck { poison_cause: Some(too_often(policy)), ..ack });
            // For any number of poisoned messages a broker makes its window smaller by one.
            let count = self.drop_held();
            self.window.contract(1, count);
            return RolledBack { ack, again: Vec::new(), delay: Duration::ZERO };
        }
        self.delay = if newest > 0 { policy.next_delay(self.delay) } else { policy.initial_redelivery_delay };
        let ack = if newest > 0 { self.over(MessageAck::REDELIVERED) } else { None };
        self.window.contract(0, self.held.len());
        let again = self.held.drain(..).map(|got| Got { redeliveries: got.redeliveries.saturating_add(1), ..got });
        RolledBack { ack, again: again.collect(), delay: self.delay }
    }

    /// A message that had expired when the application should have got it.
    #[must_use]
    pub fn expired(&self, id: MessageId, destination: Option<Destination>) -> MessageAck {
        self.one(MessageAck::EXPIRED, id, destination)
    }

    /// A message that came too often, over lost connections too: where it goes, it harms nobody. None where it is to be
    /// dealt with once more. As in Java only transactions are so careful (`ActiveMQMessageConsumer.redeliveryExceeded`).
    #[must_use]
    pub fn poison(
        &self,
        policy: &RedeliveryPolicy,
        id: &MessageId,
        destination: Option<&Destination>,
        redeliveries: i32,
    ) -> Option<MessageAck> {
        if self.mode != AckMode::Transacted || policy.allows(redeliveries) {
            return None;
        }
        let ack = self.one(MessageAck::POISON, id.clone(), destination.cloned());
        Some(MessageAck { poison_cause: Some(too_often(policy)), ..ack })
    }

    /// A message that the application had dealt with before the broker was told.
    #[must_use]
    pub fn again(&self, id: MessageId, destination: Option<Destination>) -> MessageAck {
        self.one(MessageAck::INDIVIDUAL, id, destination)
    }

    /// An acknowledgement over all that is held.
    fn over(&self, kind: i8) -> Option<MessageAck> {
        let (oldest, newest) = (self.held.front()?, self.held.back()?);
        let (first, last) = (Some(oldest.id.clone()), newest.id.clone());
        Some(self.ack(kind, first, last, newest.destination.clone(), self.held.len()))
    }

    /// An acknowledgement of one message. To a broker a range without beginning is all that it has given out before
    /// (`PrefetchSubscription.acknowledge`).
    fn one(&self, kind: i8, id: MessageId, destination: Option<Destination>) -> MessageAck {
        self.ack(kind, Some(id.clone()), id, destination, 1)
    }

    fn ack(
        &self,
        ack_type: i8,
        first_message_id: Option<MessageId>,
        last: MessageId,
        destination: Option<Destination>,
        count: usize,
    ) -> MessageAck {
        MessageAck {
            destination,
            consumer_id: Some(self.consumer.clone()),
            ack_type,
            first_message_id,
            last_message_id: Some(last),
            message_count: i32::try_from(count).unwrap_or(i32::MAX),
            ..MessageAck::default()
        }
    }
}

fn too_often(policy: &RedeliveryPolicy) -> Throwable {
    let most = policy.maximum_redeliveries.unwrap_or(u32::MAX);
    let message = format!("Exceeded redelivery policy limit: {most} redeliveries");
    Throwable { class: Some("java.lang.Throwable".to_owned()), message: Some(message) }
}
