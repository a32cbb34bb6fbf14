//! Nothing is lost and nothing is done twice, while a broker is killed and started again under load.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]
#![expect(clippy::print_stdout, reason = "a failed test shows its seed, and a long run its figures")]

#[path = "support/failover.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use support::{Stand, is_long, run};
use topoc_openwire::{AckMode, Connection, Consumer, Delivery, Destination, Error, Outgoing, Producer, Session};

/// How often the broker of each release is killed.
fn kills() -> usize {
    if is_long() { 100 } else { 3 }
}

/// What is known of the numbers on a queue.
#[derive(Debug, Default)]
struct Book {
    /// Those that the broker has said to have.
    sent: Mutex<BTreeSet<u64>>,
    /// How often each was handed to the application.
    handed: Mutex<BTreeMap<u64, u32>>,
    /// Those that were acknowledged, as far as the application was told.
    done: Mutex<BTreeSet<u64>>,
    /// Those of a transaction that was rolled back, as far as anybody can know.
    in_doubt: Mutex<BTreeSet<u64>>,
    next: AtomicU64,
    /// Nobody begins to send any more.
    stop: AtomicBool,
    /// How many still send.
    senders: AtomicU64,
}

impl Book {
    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn has_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether everything has been sent and received.
    fn is_complete(&self) -> bool {
        self.has_stopped() && self.senders.load(Ordering::Acquire) == 0 && self.missing().is_empty()
    }

    /// A number was given to the application, which must not have been told before that it is done.
    fn hand(&self, number: u64) {
        *self.handed.lock().unwrap().entry(number).or_default() += 1;
        assert!(!self.done.lock().unwrap().contains(&number), "{number} came again after it was acknowledged");
    }

    fn missing(&self) -> Vec<u64> {
        let (done, in_doubt) = (self.done.lock().unwrap(), self.in_doubt.lock().unwrap());
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|number| !done.contains(number) && !in_doubt.contains(number)).copied().collect()
    }
}

/// Sends numbers one after the other until it is told to stop. Several may share a session, and with it a producer.
async fn send_numbers(producer: Arc<Producer>, book: Arc<Book>) {
    while !book.has_stopped() {
        let number = book.number();
        producer.send(Outgoing::text(number.to_string())).await.unwrap();
        book.sent.lock().unwrap().insert(number);
    }
    book.senders.fetch_sub(1, Ordering::Release);
}

/// Sends numbers in transactions of three.
async fn send_transactions(session: Session, queue: Destination, book: Arc<Book>) {
    let producer = session.producer(&queue).await.unwrap();
    while !book.has_stopped() {
        let numbers = [book.number(), book.number(), book.number()];
        for number in numbers {
            producer.send(Outgoing::text(number.to_string())).await.unwrap();
        }
        match session.commit().await {
            Ok(()) => book.sent.lock().unwrap().extend(numbers),
            Err(Error::RolledBack(_)) => {}
            Err(error) => panic!("a commit failed: {error}"),
        }
    }
    book.senders.fetch_sub(1, Ordering::Release);
}

async fn number(consumer: &mut Consumer) -> Option<(u64, Delivery)> {
    let delivery = consumer.receive_within(Duration::from_millis(200)).await.unwrap()?;
    Some((delivery.text().unwrap().unwrap().parse().unwrap(), delivery))
}

/// Receives until everything that was sent has come, and nobody sends any more.
async fn receive(session: Session, queue: Destination, mode: AckMode, book: Arc<Book>) {
    let mut consumer = session.consumer(&queue).open().await.unwrap();
    while !book.is_complete() {
        match mode {
            AckMode::Individual => receive_and_acknowledge(&mut consumer, &book).await,
            AckMode::Transacted => receive_and_commit(&session, &mut consumer, &book).await,
            _ => {
                if let Some((number, _)) = number(&mut consumer).await {
                    book.hand(number);
                    assert!(book.done.lock().unwrap().insert(number));
                }
            }
        }
    }
}

/// How many messages are received before the first of them is dealt with.
const TOGETHER: usize = 4;

async fn receive_and_acknowledge(consumer: &mut Consumer, book: &Book) {
    let mut deliveries = Vec::new();
    while deliveries.len() < TOGETHER
        && let Some((number, delivery)) = number(consumer).await
    {
        book.hand(number);
        deliveries.push((number, delivery));
    }
    for (number, delivery) in deliveries {
        match delivery.acknowledge().await {
            Ok(()) => assert!(book.done.lock().unwrap().insert(number)),
            Err(Error::WillComeAgain(_)) => {}
            Err(error) => panic!("an acknowledgement failed: {error}"),
        }
    }
}

async fn receive_and_commit(session: &Session, consumer: &mut Consumer, book: &Book) {
    let mut numbers = Vec::new();
    while numbers.len() < TOGETHER
        && let Some((number, _)) = number(consumer).await
    {
        book.hand(number);
        numbers.push(number);
    }
    match session.commit().await {
        Ok(()) => book.done.lock().unwrap().extend(numbers),
        Err(Error::RolledBack(_)) => book.in_doubt.lock().unwrap().extend(numbers),
        Err(error) => panic!("a commit failed: {error}"),
    }
}

/// What the broker still has, after all have left, was never acknowledged.
async fn nothing_done_is_left(stand: &Stand, name: &str, book: &Book) {
    let connection = Connection::open(&stand.uri()).await.unwrap();
    let session = connection.session(AckMode::Auto).await.unwrap();
    let mut consumer = session.consumer(&Destination::queue(name)).open().await.unwrap();
    while let Some((number, _)) = number(&mut consumer).await {
        assert!(!book.done.lock().unwrap().contains(&number), "{name}: {number} is left, and was acknowledged");
    }
}

/// How many tasks send with one producer.
const SENDERS: u64 = 3;

/// A queue with its senders and its receivers, each kind on a connection of its own.
async fn traffic(uri: &str, name: &str, mode: AckMode) -> (Arc<Book>, Vec<tokio::task::JoinHandle<()>>) {
    let (book, queue) = (Arc::<Book>::default(), Destination::queue(name));
    book.senders.store(SENDERS + 1, Ordering::Relaxed);
    let connect = async || Connection::open(uri).await.unwrap();
    let sender = connect().await.session(AckMode::Auto).await.unwrap();
    let producer = Arc::new(sender.producer(&queue).await.unwrap());
    let receiver = connect().await;
    let mut tasks: Vec<_> =
        (0..SENDERS).map(|_| tokio::spawn(send_numbers(Arc::clone(&producer), Arc::clone(&book)))).collect();
    let transacted = connect().await.session(AckMode::Transacted).await.unwrap();
    tasks.push(tokio::spawn(send_transactions(transacted, queue.clone(), Arc::clone(&book))));
    // What one has dealt with may come again to the other.
    for _ in 0..2 {
        let session = receiver.session(mode).await.unwrap();
        tasks.push(tokio::spawn(receive(session, queue.clone(), mode, Arc::clone(&book))));
    }
    (book, tasks)
}

const MODES: [(&str, AckMode); 3] =
    [("AUTO", AckMode::Auto), ("INDIVIDUAL", AckMode::Individual), ("TRANSACTED", AckMode::Transacted)];

fn killed(release: &'static str) {
    let seed = std::env::var("TOPOC_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("{release}: TOPOC_SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let limit = Duration::from_secs(if is_long() { 3600 } else { 300 });
    run(limit, async {
        let mut stand = Stand::start("killed", release, topoc_lab::Plain::persistent);
        stand.wait_started();
        let uri = format!("failover:({})?maxReconnectDelay=100", stand.uri());
        let mut books = Vec::new();
        let mut tasks = Vec::new();
        for (name, mode) in MODES {
            let (book, of_it) = traffic(&uri, name, mode).await;
            books.push((name, book));
            tasks.extend(of_it);
        }
        for kill in 0..kills() {
            // Something must have gone through, or the kills only hit a client that connects.
            let before: Vec<usize> = books.iter().map(|(_, book)| book.handed.lock().unwrap().len()).collect();
            support::until("every queue goes on", || {
                if let Some(failed) = tasks.iter().find(|task| task.is_finished()) {
                    panic!("{failed:?} ended before its time");
                }
                books.iter().zip(&before).all(|((_, book), before)| book.handed.lock().unwrap().len() > before + 20)
            })
            .await;
            tokio::time::sleep(Duration::from_millis(chance.u64(0..400))).await;
            stand.kill();
            tokio::time::sleep(Duration::from_millis(chance.u64(0..200))).await;
            stand.restart();
            println!("{release}: killed {} time(s)", kill + 1);
        }
        books.iter().for_each(|(_, book)| book.stop.store(true, Ordering::Relaxed));
        let ended = tokio::time::timeout(topoc_lab::PATIENCE, async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        let ended = ended.await.is_ok();
        for (name, book) in &books {
            let handed = book.handed.lock().unwrap();
            let again = handed.values().filter(|count| **count > 1).count();
            let (sent, in_doubt) = (book.sent.lock().unwrap().len(), book.in_doubt.lock().unwrap().len());
            println!(
                "{release} {name}: {sent} sent, {} received, {again} of them again, {in_doubt} in doubt",
                handed.len()
            );
            let missing = book.missing();
            assert!(missing.is_empty(), "{name}: lost {missing:?}");
            if *name == "AUTO" {
                assert_eq!(again, 0, "handed to the application twice");
            }
        }
        assert!(ended, "senders and receivers end");
        for (name, book) in &books {
            nothing_done_is_left(&stand, name, book).await;
        }
    });
}

#[test]
fn nothing_is_lost_and_nothing_done_twice_with_6_3_1() {
    killed("6.3.1");
}

#[test]
fn nothing_is_lost_and_nothing_done_twice_with_5_15_16() {
    killed("5.15.16");
}
