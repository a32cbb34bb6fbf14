//! The client against real brokers: what JMS promises, with each release.

use std::time::Duration;

use topoc_lab as lab;
use topoc_openwire::{AckMode, Connection, Destination, Outgoing};

#[tokio::test]
async fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let port = lab::ports(1).unwrap()[0];
    let broker = lab::Plain::new("alone").tcp(port).start(&lab::release("6.3.1").unwrap(), dir.path()).unwrap();
    broker.wait_started(lab::PATIENCE).unwrap();
    let connection = Connection::open(&format!("tcp://127.0.0.1:{port}")).await.unwrap();
    let session = connection.session(AckMode::Auto).await.unwrap();
    let queue = Destination::queue("Q");
    let producer = session.producer(&queue).await.unwrap();
    producer.send(Outgoing::text("hello")).await.unwrap();
    let mut consumer = session.consumer(&queue).open().await.unwrap();
    let got = consumer.receive_within(Duration::from_secs(10)).await.unwrap().unwrap();
    assert_eq!(got.text().unwrap().as_deref(), Some("hello"));
    consumer.close().await.unwrap();
    println!("{:?}", connection.status());
    drop((producer, session));
    connection.close().await.unwrap();
}
