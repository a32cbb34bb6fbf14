//! What tests of faults share: brokers that are killed and started again, our client and Java's side by side.

#![allow(dead_code, reason = "each file of tests uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]
#![allow(clippy::print_stdout, reason = "a failed test shows who was where")]

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use topoc_lab::{Broker, Java, Launch, PATIENCE, Plain, Receiver, Watcher, ports, release};
use topoc_openwire::{AckMode, Config, Connection, Consumer, Destination, Outgoing, Status};

/// A broker that can be killed and come back with what it had on disk.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) name: &'static str,
    release: &'static str,
    pub(crate) port: u16,
    /// Ports of other ways to it: listeners, links.
    ways: Vec<u16>,
    plain: Plain,
    dir: TempDir,
    broker: Option<Broker>,
}

impl Stand {
    /// Starts one with a listener, and waits for nothing.
    pub(crate) fn start(name: &'static str, release: &'static str, adapt: impl FnOnce(Plain) -> Plain) -> Self {
        let port = ports(1).unwrap()[0];
        Self::start_at(port, name, release, adapt(Plain::new(name).tcp(port)))
    }

    /// The same with listeners of its own, of which this is the port of the first.
    pub(crate) fn start_at(port: u16, name: &'static str, release: &'static str, plain: Plain) -> Self {
        let mut stand =
            Self { name, release, port, ways: Vec::new(), plain, dir: tempfile::tempdir().unwrap(), broker: None };
        stand.launch();
        stand
    }

    /// Who is connected to one of these ports is at this broker too.
    pub(crate) fn reached_by(&mut self, ports: &[u16]) {
        self.ways.extend(ports);
    }

    /// Whether an address such as `tcp://127.0.0.1:61616` leads to it.
    fn is_at(&self, address: &str) -> bool {
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
        port.is_some_and(|port| port == self.port || self.ways.contains(&port))
    }

    fn launch(&mut self) {
        let xml = self.plain.write(self.dir.path()).unwrap();
        let release = release(self.release).unwrap();
        self.broker = Some(Launch::new(&release, &xml, self.dir.path()).jvm("-Xmx256m").start().unwrap());
    }

    pub(crate) fn uri(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    pub(crate) fn broker(&self) -> &Broker {
        self.broker.as_ref().expect("it runs")
    }

    pub(crate) fn wait_started(&self) {
        self.broker().wait_started(PATIENCE).unwrap();
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(broker) = self.broker.take() {
            broker.kill();
        }
    }

    /// SIGTERM, and it has stopped.
    pub(crate) fn stop(&mut self) {
        if let Some(broker) = self.broker.take() {
            broker.terminate(PATIENCE).unwrap();
        }
    }

    /// Starts it again where it was, and waits until it is up.
    pub(crate) fn restart(&mut self) {
        self.launch();
        self.wait_started();
    }

    /// Sends a text to a queue, over a connection of its own that knows no failover.
    pub(crate) async fn send(&self, queue: &str, text: &str) {
        let connection = Connection::open(&self.uri()).await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let producer = session.producer(&Destination::queue(queue)).await.unwrap();
        producer.send(Outgoing::text(text)).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// Runs something that waits; not for ever. Tasks go on while it blocks in a wait of the lab.
pub(crate) fn run<T>(limit: Duration, work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(limit, work).await.expect("the test hangs") })
}

/// Looks until something is so.
pub(crate) async fn until(what: &str, mut look: impl FnMut() -> bool) {
    let looking = async {
        while !look() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "waited in vain until {what}");
}

/// The name of the broker that a connection is at.
pub(crate) fn broker_of(connection: &Connection) -> Option<String> {
    match connection.status() {
        Status::Connected(place) => place.broker,
        _ => None,
    }
}

/// Waits until a connection is at a broker.
pub(crate) async fn wait_at(connection: &Connection, broker: &str) {
    until(&format!("the client is at {broker}"), || broker_of(connection).as_deref() == Some(broker)).await;
}

/// Whether the long runs are wanted.
pub(crate) fn is_long() -> bool {
    std::env::var_os("TOPOC_LONG").is_some_and(|long| long == "1")
}

/// A client of ours and Java's own with the same URI.
#[derive(Debug)]
pub(crate) struct Both {
    name: &'static str,
    pub(crate) ours: Connection,
    consumer: Consumer,
    java: Watcher,
    receiver: Receiver,
    sent: usize,
}

impl Both {
    /// Connects both by a URI each, which differ in nothing but the links on the way.
    pub(crate) async fn connect(name: &'static str, java: &Java, uris: [&str; 2]) -> Self {
        let ours = Config::new(uris[0]).unwrap().connect().await.unwrap();
        let queue = Destination::queue(format!("OURS.{name}"));
        let consumer = ours.session(AckMode::Auto).await.unwrap().consumer(&queue).open().await.unwrap();
        let receiver = java.receiver(uris[1], &format!("JAVA.{name}")).unwrap();
        receiver.wait_ready(PATIENCE).unwrap();
        Self { name, ours, consumer, java: java.watch(uris[1]).unwrap(), receiver, sent: 0 }
    }

    /// Waits until both are at this broker and have got a message there.
    pub(crate) async fn expect_at(&mut self, stand: &Stand) {
        self.expect_at_any(&[stand]).await;
    }

    /// Waits until each is at one of these brokers, and has got a message there.
    pub(crate) async fn expect_at_any(&mut self, stands: &[&Stand]) {
        let (ours, java) = until_at(self.name, &self.ours, &self.java, stands, |_, _| true).await;
        self.expect_messages(ours, java).await;
    }

    async fn expect_messages(&mut self, ours: &Stand, java: &Stand) {
        let text = self.sent.to_string();
        self.sent += 1;
        ours.send(&format!("OURS.{}", self.name), &text).await;
        java.send(&format!("JAVA.{}", self.name), &text).await;
        let got = self.consumer.receive_within(PATIENCE).await.unwrap().expect("a message comes");
        assert_eq!(got.text().unwrap().as_deref(), Some(text.as_str()), "{}", self.name);
        self.receiver.wait_messages(self.sent, PATIENCE).unwrap();
    }

    /// Waits until neither has a connection.
    pub(crate) async fn expect_nowhere(&self) {
        println!("{}: both nowhere", self.name);
        until(&format!("{} has lost its broker", self.name), || {
            (broker_of(&self.ours), self.java.address()) == (None, None)
        })
        .await;
    }
}

/// Waits until ours and Java's are each at one of these brokers, and `wanted` likes the two: where ours is, where Java's is.
pub(crate) async fn until_at<'a>(
    name: &str,
    ours: &Connection,
    java: &Watcher,
    stands: &[&'a Stand],
    wanted: impl Fn(&Stand, &Stand) -> bool,
) -> (&'a Stand, &'a Stand) {
    let names: Vec<&str> = stands.iter().map(|stand| stand.name).collect();
    let (mut seen, mut found) = (None, None);
    until(&format!("{name} is at {}, both ours and Java's", names.join(" or ")), || {
        let now = (broker_of(ours), java.address());
        if seen.as_ref() != Some(&now) {
            println!("{name}: {now:?}");
        }
        let ours = stands.iter().find(|stand| now.0.as_deref() == Some(stand.name));
        let java = stands.iter().find(|stand| now.1.as_deref().is_some_and(|address| stand.is_at(address)));
        found = ours.copied().zip(java.copied()).filter(|(ours, java)| wanted(ours, java));
        seen = Some(now);
        found.is_some()
    })
    .await;
    let (ours, java) = found.expect("both are somewhere");
    println!("{name}: ours at {}, Java's at {}", ours.name, java.name);
    (ours, java)
}

/// A Java client with its log in a folder.
pub(crate) fn java(dir: &Path) -> Java {
    Java::start(dir).unwrap()
}
