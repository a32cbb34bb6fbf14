//! What tests with real brokers share: brokers that all tests of a file use, the Java client beside them, and waiting.

#![allow(dead_code, reason = "each file of tests uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]
#![allow(clippy::print_stdout, reason = "a failed test shows at which release it was")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use topoc_lab::{Broker, Java, Launch, PATIENCE, Plain, ports, release};
use topoc_openwire::{
    AckMode, Body, Config, Connection, Consumer, Delivery, Destination, Error, Outgoing, Refusal, RefusalKind, Session,
    Value,
};

/// One release of each line that brokers of today are of.
pub(crate) const RELEASES: [&str; 3] = ["5.15.16", "5.18.3", "6.3.1"];

/// A broker that runs as long as the test process.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) release: &'static str,
    pub(crate) port: u16,
    pub(crate) uri: String,
    /// Ports for further listeners.
    pub(crate) more: Vec<u16>,
    pub(crate) broker: Broker,
}

/// A Java client for all tests of a file.
pub(crate) static JAVA: LazyLock<Java> = LazyLock::new(|| Java::start(&folder("java")).unwrap());

/// An empty folder for something of this file of tests that lasts as long as the process.
pub(crate) fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("openwire-{}-{name}", env!("CARGO_CRATE_NAME")));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// A broker of each release, in memory and open to everybody, that also counts (see [`Site::count`]).
pub(crate) fn plain_sites(adapt: impl Fn(Plain) -> Plain) -> Vec<Site> {
    sites("plain", |plain, _| adapt(plain))
}

/// The same under a name of their own, where a file of tests has several.
pub(crate) fn sites(name: &str, adapt: impl Fn(Plain, &[u16]) -> Plain) -> Vec<Site> {
    let sites: Vec<Site> = RELEASES.into_iter().map(|release| site(name, release, &adapt)).collect();
    for site in &sites {
        site.broker.wait_started(PATIENCE).unwrap();
    }
    sites
}

fn site(name: &str, release_name: &'static str, adapt: impl Fn(Plain, &[u16]) -> Plain) -> Site {
    let dir = folder(&format!("{name}-{release_name}"));
    let (port, more) = (ports(1).unwrap()[0], ports(8).unwrap());
    let xml = adapt(Plain::new("one").tcp(port).plugin("<statisticsBrokerPlugin/>"), &more).write(&dir).unwrap();
    let broker = Launch::new(&release(release_name).unwrap(), &xml, &dir).jvm("-Xmx512m").start().unwrap();
    Site { release: release_name, port, uri: format!("tcp://127.0.0.1:{port}"), more, broker }
}

/// Runs something that waits; not for ever. Tasks go on while it blocks in a wait of the lab.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(2 * PATIENCE, work).await.expect("the test hangs") })
}

/// Runs a test at each broker.
pub(crate) fn at_each(sites: &[Site], test: &impl AsyncFn(&Site)) {
    for site in sites {
        println!("ActiveMQ {}", site.release);
        run(test(site));
    }
}

/// Looks until something is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "waited in vain until {what}");
}

impl Site {
    /// A connection with options, such as `jms.prefetchPolicy.all=1`.
    pub(crate) async fn connect(&self, options: &str) -> Connection {
        Config::new(&format!("{}?{options}", self.uri)).unwrap().connect().await.unwrap()
    }

    /// A session of a connection of its own.
    pub(crate) async fn session(&self, mode: AckMode, options: &str) -> Session {
        self.connect(options).await.session(mode).await.unwrap()
    }

    /// What the broker counts of a destination: `size`, `consumerCount`, `inflightCount`... None where there is none.
    pub(crate) async fn count(&self, destination: &Destination, what: &str) -> Option<i64> {
        let asked = format!("ActiveMQ.Statistics.Destination{}", destination.name());
        let asked = if destination.is_queue() { Destination::queue(asked) } else { Destination::topic(asked) };
        let connection = self.connect("").await;
        let requester = connection.session(AckMode::Auto).await.unwrap().requester(&asked).await.unwrap();
        let answer = requester.request(Outgoing::new(Body::None), Duration::from_secs(5)).await;
        connection.close().await.unwrap();
        let answer = answer.ok()?.body();
        let Ok(Body::Map(counts)) = answer else { panic!("no statistics but {answer:?}") };
        match counts.get(what) {
            Some(Value::Long(count)) => Some(*count),
            Some(Value::Int(count)) => Some((*count).into()),
            other => panic!("{what} is {other:?}"),
        }
    }

    /// Waits until the broker counts so many.
    pub(crate) async fn until_count(&self, destination: &Destination, what: &str, count: i64) {
        let mut last = None;
        let awaited = format!("{what} of {destination} is {count}");
        let counted = until(&awaited, async || {
            last = self.count(destination, what).await;
            last == Some(count)
        });
        counted.await;
    }
}

/// Sends texts to a queue, over a connection of its own.
pub(crate) async fn send(site: &Site, queue: &Destination, texts: &[&str]) {
    let connection = site.connect("").await;
    let session = connection.session(AckMode::Auto).await.unwrap();
    let producer = session.producer(queue).await.unwrap();
    for text in texts {
        producer.send(Outgoing::text(*text)).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// The next message, which must come.
pub(crate) async fn next(consumer: &mut Consumer) -> Delivery {
    consumer.receive_within(PATIENCE).await.unwrap().expect("a message comes")
}

/// The texts of the next messages.
pub(crate) async fn texts(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(text(&next(consumer).await));
    }
    texts
}

pub(crate) fn text(delivery: &Delivery) -> String {
    delivery.text().unwrap().expect("a text")
}

/// That nothing waits for a consumer: a message that is sent after all else comes next.
pub(crate) async fn nothing_but(site: &Site, queue: &Destination, consumer: &mut Consumer, last: &str) {
    send(site, queue, &[last]).await;
    assert_eq!(text(&next(consumer).await), last);
}

/// The refusal, which it must be.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Error>, kind: RefusalKind) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) if refusal.kind == kind => refusal,
        other => panic!("{kind:?} was expected, not {other:?}"),
    }
}
