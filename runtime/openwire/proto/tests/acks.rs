//! What consumers say of their messages, held against a model of the broker that hears it (`PrefetchSubscription`).

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod support;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use support::Chance;
use topoc_openwire_proto::acks::{AckMode, Acks, Got, RedeliveryPolicy};
use topoc_openwire_proto::command::MessageAck;
use topoc_openwire_proto::destination::Destination;
use topoc_openwire_proto::id::{ConsumerId, LocalTransactionId, MessageId, TransactionId};

fn id(number: i64) -> MessageId {
    MessageId { producer_sequence_id: number, ..MessageId::default() }
}

fn got(number: i64, redeliveries: i32) -> Got<i64> {
    Got { id: id(number), destination: Some(Destination::queue("Q")), redeliveries, kept: number }
}

fn acks(mode: AckMode, prefetch: i32) -> Acks<i64> {
    Acks::new(ConsumerId::default(), mode, prefetch)
}

fn transaction() -> TransactionId {
    LocalTransactionId::default().into()
}

/// Type, first, last, count.
fn words(ack: Option<MessageAck>) -> Option<(i8, Option<i64>, i64, i32)> {
    let number = |id: MessageId| id.producer_sequence_id;
    ack.map(|ack| {
        (ack.ack_type, ack.first_message_id.map(number), number(ack.last_message_id.unwrap()), ack.message_count)
    })
}

#[test]
fn automatic_is_one_by_one() {
    let mut acks = acks(AckMode::Auto, 1000);
    for number in 1..5 {
        assert_eq!(words(acks.deliver(got(number, 0), None)), Some((MessageAck::STANDARD, Some(number), number, 1)));
    }
    assert_eq!(acks.held(), 0);
}

#[test]
fn the_window_moves_when_half_of_it_has_arrived() {
    let mut acks = acks(AckMode::Client, 4);
    let said: Vec<_> = (1..=4).map(|number| words(acks.deliver(got(number, 0), None))).collect();
    let delivered = |last| Some((MessageAck::DELIVERED, None, last, 2));
    assert_eq!(said, [None, delivered(2), None, delivered(4)]);
    assert_eq!(words(acks.acknowledge_all()), Some((MessageAck::STANDARD, Some(1), 4, 4)));
    assert_eq!(words(acks.acknowledge_all()), None);
}

#[test]
fn a_single_one_is_acknowledged_once() {
    let mut acks = acks(AckMode::Individual, 1000);
    (1..=3).for_each(|number| drop(acks.deliver(got(number, 0), None)));
    assert_eq!(words(acks.acknowledge_one(&id(2))), Some((MessageAck::INDIVIDUAL, Some(2), 2, 1)));
    assert_eq!(words(acks.acknowledge_one(&id(2))), None);
    assert_eq!(acks.ids().map(|id| id.producer_sequence_id).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_commit_that_fails_leaves_everything_held() {
    let mut acks = acks(AckMode::Transacted, 1000);
    (1..=3).for_each(|number| drop(acks.deliver(got(number, 0), Some(&transaction()))));
    let ack = acks.before_commit(&transaction()).unwrap();
    assert_eq!(ack.transaction_id, Some(transaction()));
    assert_eq!(words(Some(ack)), Some((MessageAck::STANDARD, Some(1), 3, 3)));
    assert_eq!(acks.held(), 3);
    assert_eq!(acks.forget(), 3);
}

#[test]
fn what_is_rolled_back_comes_again_until_it_is_poison() {
    let policy = RedeliveryPolicy { maximum_redeliveries: Some(2), ..RedeliveryPolicy::default() };
    let mut acks = acks(AckMode::Transacted, 1000);
    let mut round = |first: i32| {
        (1..=2).for_each(|number| drop(acks.deliver(got(number, first), None)));
        acks.roll_back(&policy)
    };
    let again = |back: &[Got<i64>]| back.iter().map(|got| (got.kept, got.redeliveries)).collect::<Vec<_>>();
    let first = round(0);
    assert_eq!(
        (words(first.ack), again(&first.again), first.delay),
        (None, vec![(1, 1), (2, 1)], Duration::from_secs(1))
    );
    let second = round(1);
    assert_eq!(words(second.ack), Some((MessageAck::REDELIVERED, Some(1), 2, 2)));
    assert_eq!(again(&second.again), [(1, 2), (2, 2)]);
    let third = round(2);
    assert!(third.again.is_empty());
    assert!(third.ack.as_ref().unwrap().poison_cause.is_some());
    assert_eq!(words(third.ack), Some((MessageAck::POISON, Some(1), 2, 2)));
}

#[test]
fn delays_grow_where_that_is_wanted() {
    let seconds = Duration::from_secs;
    let steady = RedeliveryPolicy::default();
    assert_eq!(steady.next_delay(seconds(1)), seconds(1));
    let growing = RedeliveryPolicy { use_exponential_back_off: true, ..steady };
    assert_eq!([0, 1, 5].map(|before| growing.next_delay(seconds(before))), [1, 5, 25].map(seconds));
    let bounded = RedeliveryPolicy { maximum_redelivery_delay: Some(seconds(7)), ..growing };
    assert_eq!([1, 5].map(|before| bounded.next_delay(seconds(before))), [5, 7].map(seconds));
    let huge = RedeliveryPolicy { back_off_multiplier: 1e300, ..growing };
    assert_eq!(huge.next_delay(seconds(u64::MAX)), Duration::MAX);
}

/// What a broker has given to a consumer, and what it makes of acknowledgements.
struct Broker {
    prefetch: usize,
    dispatched: VecDeque<i64>,
    /// How much larger its window is than what was agreed (`prefetchExtension`).
    extension: usize,
    done: BTreeSet<i64>,
    next: i64,
    /// The most that it had given out at once.
    most: usize,
}

impl Broker {
    fn has_room(&self) -> bool {
        self.dispatched.len() < self.prefetch + self.extension
    }

    fn dispatch(&mut self) -> i64 {
        self.next += 1;
        self.dispatched.push_back(self.next);
        self.most = self.most.max(self.dispatched.len());
        self.next
    }

    fn take(&mut self, ack: MessageAck) {
        let (kind, first, last, count) = words(Some(ack)).unwrap();
        let place = |number| self.dispatched.iter().position(|known| *known == number).expect("it was dispatched");
        let to = place(last);
        match kind {
            MessageAck::DELIVERED => self.extension += usize::try_from(count).unwrap(),
            MessageAck::REDELIVERED => {}
            _ => {
                let from = first.map_or(0, place);
                assert_eq!(to + 1 - from, usize::try_from(count).unwrap(), "the count is that of the range");
                for number in self.dispatched.drain(from..=to) {
                    assert!(self.done.insert(number), "{number} is dealt with once");
                }
                let smaller = if kind == MessageAck::POISON { 1 } else { to + 1 - from };
                self.extension = self.extension.saturating_sub(smaller);
            }
        }
        // It gives out as much more as has arrived, and never without end.
        assert!(self.extension <= self.most, "{} of {}", self.extension, self.most);
    }
}

#[test]
fn every_message_is_dealt_with_once_and_the_window_never_shuts_for_good() {
    let rounds = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 200_000 } else { 5_000 };
    let mut chance = Chance(11);
    for _ in 0..rounds {
        let mode = [AckMode::Auto, AckMode::Client, AckMode::Individual, AckMode::Transacted][chance.below(4)];
        let prefetch = [1, 2, 3, 10, 1000][chance.below(5)];
        let mut acks = acks(mode, prefetch);
        let mut broker = Broker {
            prefetch: usize::try_from(prefetch).unwrap(),
            dispatched: VecDeque::new(),
            extension: 0,
            done: BTreeSet::new(),
            next: 0,
            most: 0,
        };
        let mut again: VecDeque<Got<i64>> = VecDeque::new();
        for _ in 0..chance.below(60) {
            for said in step(mode, &mut acks, &mut broker, &mut again, &mut chance) {
                broker.take(said);
            }
        }
        // What is left is held or waits to be given again; the rest is dealt with.
        let mut left: Vec<i64> = again.iter().map(|got| got.kept).collect();
        left.extend(acks.ids().map(|id| id.producer_sequence_id));
        left.sort_unstable();
        let mut open: Vec<i64> = broker.dispatched.iter().copied().collect();
        open.sort_unstable();
        assert_eq!(left, open, "{mode:?}");
    }
}

/// The application does something.
fn step(
    mode: AckMode,
    acks: &mut Acks<i64>,
    broker: &mut Broker,
    again: &mut VecDeque<Got<i64>>,
    chance: &mut Chance,
) -> Vec<MessageAck> {
    let policy = RedeliveryPolicy { maximum_redeliveries: Some(2), ..RedeliveryPolicy::default() };
    match (chance.below(6), mode) {
        (0, AckMode::Client) => acks.acknowledge_all().into_iter().collect(),
        (0, AckMode::Transacted) => {
            let ack = acks.before_commit(&transaction());
            acks.forget();
            ack.into_iter().collect()
        }
        (0, AckMode::Individual) => {
            let held: Vec<MessageId> = acks.ids().cloned().collect();
            let one = held.get(chance.below(held.len().max(1)));
            one.and_then(|id| acks.acknowledge_one(id)).into_iter().collect()
        }
        (1, AckMode::Client | AckMode::Transacted) => {
            let back = acks.roll_back(&policy);
            for got in back.again.into_iter().rev() {
                again.push_front(got);
            }
            back.ack.into_iter().collect()
        }
        _ => {
            let next = again.pop_front().unwrap_or_else(|| {
                assert!(broker.has_room(), "{mode:?}: the application has taken everything, and nothing more comes");
                got(broker.dispatch(), 0)
            });
            acks.deliver(next, None).into_iter().collect()
        }
    }
}
