//! Looking at a queue: 100,000 messages, as far as the broker lets anybody see.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

mod support;

use std::time::Duration;

use support::{RELEASES, next, run, text};
use topoc_lab::{Launch, PATIENCE, Plain, ports, release};
use topoc_openwire::{AckMode, Connection, Destination, Error, Outgoing};

const COUNT: usize = 100_000;

/// A broker that lets everything be seen (`maxBrowsePageSize`) of what it has room for in memory.
#[test]
fn a_hundred_thousand_messages_are_looked_at() {
    std::thread::scope(|scope| {
        for name in RELEASES {
            scope.spawn(move || {
                let dir = tempfile::tempdir().unwrap();
                let port = ports(1).unwrap()[0];
                let plain = Plain::new("large").tcp(port).memory_limit("1 gb");
                let page = [("maxBrowsePageSize", "200000"), ("memoryLimit", "1 gb")];
                let xml = plain.queues(">", &page).write(dir.path()).unwrap();
                let release = release(name).unwrap();
                let launch = Launch::new(&release, &xml, dir.path());
                let broker = launch.jvm("-Xmx2g").jvm("-XX:TieredStopAtLevel=4").start().unwrap();
                broker.wait_started(PATIENCE).unwrap();
                run(look_at_all(port));
                // A broker forgets what a browser has seen in time that grows with the square of it: nobody waits for that.
                broker.kill();
            });
        }
    });
}

async fn look_at_all(port: u16) {
    let queue = Destination::queue("MANY");
    let connection = Connection::open(&format!("tcp://127.0.0.1:{port}?jms.closeTimeout=1")).await.unwrap();
    let session = connection.session(AckMode::Auto).await.unwrap();
    let producer = session.producer(&queue).await.unwrap();
    for number in 1..=COUNT {
        producer.send(Outgoing::text(number.to_string()).persistent(false)).await.unwrap();
    }
    // A broker goes over all that it has for each portion.
    let mut browser = session.browser(&queue).prefetch(50_000).open().await.unwrap();
    let mut seen = 0;
    while let Some(delivery) = browser.browse().await.unwrap() {
        seen += 1;
        assert_eq!(text(&delivery), seen.to_string());
    }
    assert_eq!(seen, COUNT);
    // It stays at its end.
    assert!(browser.browse().await.unwrap().is_none());
    assert!(browser.receive_within(Duration::from_secs(1)).await.unwrap().is_none());
    assert!(matches!(browser.receive().await, Err(Error::ConsumerEnded)));
    // They are all still there.
    let mut consumer = session.consumer(&queue).open().await.unwrap();
    assert_eq!(text(&next(&mut consumer).await), "1");
}
