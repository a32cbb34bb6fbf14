//! An hour of random faults in each of some hundred schedules: brokers that go and come, lines that are cut or fall silent,
//! addresses that refuse or swallow who dials, slow answers. `TOPOC_LONG=1` for more schedules.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::broker::{Key, key, key_of};
use super::net::{Door, Fault, Net};
use super::{connect, run};
use crate::{AckMode, Connection, Consumer, Delivery, Destination, Error, Outgoing, Session, Status};

const PORTS: [u16; 3] = [1, 2, 3];
/// Four times a quarter of an hour of faults, each with a calm after it.
const QUARTERS: u32 = 4;
const QUARTER: Duration = Duration::from_secs(15 * 60);
/// The longest silence that is not noticed, and the longest delay between two passes over the list with every address
/// swallowing who dials, with something to spare: after this time of calm a client that is not connected is stuck.
const CALM: Duration = Duration::from_secs(300);

/// What the application knows.
#[derive(Debug, Default)]
struct Seen {
    /// The broker has said that it has them.
    sent: BTreeSet<Key>,
    /// They were said to be dealt with, and must not come again.
    acknowledged: BTreeSet<Key>,
    /// So many came again after they were given to the application and not acknowledged.
    again: usize,
    got: BTreeSet<Key>,
}

/// An application with its net.
#[derive(Clone)]
struct Lab {
    net: Net,
    seen: Arc<Mutex<Seen>>,
    until: Instant,
}

impl Lab {
    fn below(&self, limit: usize) -> usize {
        self.net.lock().chance.below(limit)
    }

    fn millis(&self, most: usize) -> Duration {
        Duration::from_millis(self.below(most + 1) as u64)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uri(&self) -> String {
        let yes = || self.below(2) == 0;
        format!(
            "failover:(tcp://h:1,tcp://h:2,tcp://h:3)?randomize={}&priorityBackup={}&backup={}&jms.prefetchPolicy.all={}",
            yes(),
            yes(),
            yes(),
            [0, 1, 2, 10, 1000][self.below(5)],
        )
    }

    /// Sends until the time is over. No send may fail: each waits for as long as it takes.
    async fn send(self, session: Session) {
        let producer = session.producer(&Destination::queue("Q")).await.unwrap();
        while Instant::now() < self.until {
            for _ in 0..self.below(4) {
                let id = producer.send(Outgoing::text("x")).await.expect("a send waits for a broker");
                self.seen().sent.insert(key_of(&id));
            }
            sleep(self.millis(20_000)).await;
        }
    }

    /// Receives and acknowledges for ever.
    async fn receive(self, session: Session, mode: AckMode) {
        let mut consumer = session.consumer(&Destination::queue("Q")).open().await.unwrap();
        let mut held = Vec::new();
        loop {
            let delivery = self.next(&mut consumer, mode).await;
            if mode == AckMode::Client && (delivery.is_none() || self.below(3) == 0) {
                self.acknowledged(session.acknowledge().await, std::mem::take(&mut held));
            }
            let Some(delivery) = delivery else { continue };
            let key = key(delivery.message());
            held.push(key);
            {
                let mut seen = self.seen();
                assert!(!seen.acknowledged.contains(&key), "{key:?} comes again after it was acknowledged");
                seen.again += usize::from(!seen.got.insert(key));
                if mode == AckMode::Auto {
                    seen.acknowledged.insert(key);
                }
            }
            if self.below(3) == 0 {
                sleep(self.millis(3000)).await;
            }
            if mode == AckMode::Individual {
                self.acknowledged(delivery.acknowledge().await, vec![key]);
            }
        }
    }

    fn acknowledged(&self, result: Result<(), Error>, keys: Vec<Key>) {
        match result {
            Ok(()) => self.seen().acknowledged.extend(keys),
            Err(Error::WillComeAgain(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// The next message, waited for in one of the ways there are.
    async fn next(&self, consumer: &mut Consumer, mode: AckMode) -> Option<Delivery> {
        if mode != AckMode::Client && self.below(2) == 0 {
            return Some(consumer.receive().await.unwrap());
        }
        let limit = self.millis(10_000);
        consumer.receive_within(limit).await.unwrap()
    }

    /// Something goes wrong, or comes back.
    fn fault(&self) {
        let port = PORTS[self.below(PORTS.len())];
        let inward = self.below(2) == 0;
        let outward = !inward && self.below(2) == 0;
        let takes = self.below(4);
        match self.below(10) {
            0 | 1 => self.net.down(port),
            2 => self.net.door(port, [Door::Silent, Door::Mute, Door::Closed][self.below(3)]),
            3..=5 => self.net.door(port, Door::Open),
            6 => self.net.fault(Some(port), Fault::Cut(takes)),
            7 => self.net.fault(None, Fault::Cut(takes)),
            8 => self.net.fault(None, Fault::Hole { inward, outward }),
            _ => self.net.fault(None, Fault::Heal),
        }
    }

    /// All is well for a while: everything that was sent is stored, everything that is stored is dealt with.
    async fn calm(&self, connection: &Connection, seed: u64, sending: &[JoinHandle<()>]) {
        self.net.calm();
        let began = Instant::now();
        loop {
            sleep(Duration::from_secs(1)).await;
            let connected = matches!(connection.status(), Status::Connected(_));
            let over = Instant::now() < self.until || sending.iter().all(JoinHandle::is_finished);
            let (stored, done, lines) = {
                let state = self.net.lock();
                (state.broker.stored.len(), state.broker.done.len(), state.lines())
            };
            if connected && over && stored == done {
                return;
            }
            assert!(
                began.elapsed() < CALM,
                "seed {seed}: stuck: {:?}, {stored} stored, {done} done, all sent: {over}, lines {lines:?}",
                connection.status(),
            );
        }
    }
}

/// How many losses there were, and how many messages came again.
async fn hour(seed: u64) -> (u64, usize) {
    let net = Net::new(seed, &PORTS);
    let until = Instant::now() + QUARTER * QUARTERS;
    let lab = Lab { net: net.clone(), seen: Arc::default(), until };
    net.lock().slowness = [Duration::from_millis(200), Duration::from_secs(5), Duration::from_secs(20)][lab.below(3)];
    let connection = connect(&net, &lab.uri()).await.unwrap();
    let mut sending = Vec::new();
    for _ in 0..2 {
        let session = connection.session(AckMode::Auto).await.unwrap();
        sending.push(tokio::spawn(lab.clone().send(session)));
    }
    let mut receiving = Vec::new();
    for _ in 0..2 {
        let mode = [AckMode::Auto, AckMode::Individual, AckMode::Client][lab.below(3)];
        let session = connection.session(mode).await.unwrap();
        receiving.push(tokio::spawn(lab.clone().receive(session, mode)));
    }
    for quarter in 1..=QUARTERS {
        let end = until - QUARTER * (QUARTERS - quarter);
        while Instant::now() < end {
            let most = if lab.below(3) == 0 { 90_000 } else { 5000 };
            sleep(lab.millis(most)).await;
            lab.fault();
            assert!(!net.lock().outraged, "seed {seed}: a broker has met with what no client may do");
        }
        lab.calm(&connection, seed, &sending).await;
        for task in &receiving {
            assert!(!task.is_finished(), "seed {seed}: a receiver has failed");
        }
        assert!(!net.lock().outraged, "seed {seed}: a broker has met with what no client may do");
    }
    let losses = connection.losses();
    for task in sending {
        task.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let again = {
        let (state, seen) = (lab.net.lock(), lab.seen());
        assert_eq!(seen.sent, state.broker.stored, "seed {seed}: what was sent is there, once");
        assert_eq!(seen.sent, state.broker.done, "seed {seed}: what was sent is dealt with, once");
        assert_eq!(state.broker.on_their_way(), 0, "seed {seed}");
        seen.again
    };
    receiving.iter().for_each(JoinHandle::abort);
    connection.close().await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert!(net.lock().broker.registered().is_empty(), "seed {seed}: the broker knows that it has ended");
    (losses, again)
}

#[test]
fn an_hour_of_faults_loses_nothing_and_ends_in_peace_whatever_the_schedule() {
    let long = std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1");
    let schedules = if long { 5000 } else { 200 };
    let (mut losses, mut again) = (0, 0);
    for seed in 0..schedules {
        let (lost, came_again) = run(hour(seed));
        losses += lost;
        again += came_again;
    }
    println!("{losses} losses, {again} messages given to the application again in {schedules} hours");
    assert!(losses > 10 * schedules && again > 0, "{losses} losses and {again} messages again try nothing");
}
