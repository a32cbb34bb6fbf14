//! The end of a connection: in order, and in the middle of an outage.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::net::{Door, Fault, Net};
use super::{connect, run, wait_status};
use crate::{AckMode, Destination, Error, Outgoing, Status};

const URI: &str = "failover:(tcp://h:1)?jms.closeTimeout=15000";

/// Ten thousand and some more sends that wait for a broker, with what comes of each.
async fn sends(connection: &crate::Connection, count: usize) -> JoinSet<Result<crate::MessageId, Error>> {
    let session = connection.session(AckMode::Auto).await.unwrap();
    let producer = Arc::new(session.producer(&Destination::queue("Q")).await.unwrap());
    let mut sends = JoinSet::new();
    for _ in 0..count {
        let producer = Arc::clone(&producer);
        sends.spawn(async move { producer.send(Outgoing::text("x")).await });
    }
    sends
}

#[test]
fn a_close_in_order_is_told_to_the_broker() {
    run(async {
        let net = Net::new(1, &[1]);
        let connection = connect(&net, URI).await.unwrap();
        let mut sends = sends(&connection, 20).await;
        while let Some(sent) = sends.join_next().await {
            sent.unwrap().unwrap();
        }
        connection.close().await.unwrap();
        let state = net.lock();
        assert_eq!(state.broker.removed.last(), Some(&"connection"));
        assert_eq!(state.broker.stored.len(), 20);
    });
}

#[test]
fn a_close_during_an_outage_waits_for_nothing_and_nobody_waits_on() {
    // Fewer than the engine keeps, as many, and more, which wait before it.
    for count in [1, 10_000, 12_000] {
        run(async {
            let net = Net::new(1, &[1]);
            let connection = connect(&net, URI).await.unwrap();
            net.down(1);
            wait_status(&connection, |status| matches!(status, Status::Interrupted(_))).await;
            net.calm();
            wait_status(&connection, |status| matches!(status, Status::Connected(_))).await;
            let mut sends = {
                let sending = sends(&connection, count).await;
                net.down(1);
                sending
            };
            wait_status(&connection, |status| matches!(status, Status::Interrupted(_))).await;
            sleep(Duration::from_secs(1)).await;
            assert_eq!(sends.len(), count, "they wait");
            let began = Instant::now();
            connection.close().await.unwrap();
            assert_eq!(began.elapsed(), Duration::ZERO, "{count}");
            let ends = async {
                while let Some(sent) = sends.join_next().await {
                    assert!(matches!(sent.unwrap(), Err(Error::Disconnected(_))));
                }
            };
            timeout(Duration::from_millis(1), ends).await.expect("every send is answered");
            assert!(net.lock().broker.registered().is_empty());
        });
    }
}

#[test]
fn a_connection_that_is_dropped_in_an_outage_ends_however_much_waits() {
    for count in [1, 10_000, 12_000] {
        run(async {
            let net = Net::new(1, &[1]);
            let connection = connect(&net, URI).await.unwrap();
            let mut sends = sends(&connection, count).await;
            net.down(1);
            wait_status(&connection, |status| matches!(status, Status::Interrupted(_))).await;
            sleep(Duration::from_secs(1)).await;
            assert_eq!(sends.len(), count, "they wait");
            drop(connection);
            sends.shutdown().await;
            sleep(Duration::from_secs(1)).await;
            let dialled = net.lock().dialled;
            sleep(Duration::from_secs(600)).await;
            assert_eq!(net.lock().dialled, dialled, "{count}: nobody dials any more");
        });
    }
}

#[test]
fn a_close_does_not_outwait_a_broker_that_is_lost_meanwhile() {
    run(async {
        let net = Net::new(1, &[1]);
        let connection = connect(&net, URI).await.unwrap();
        net.fault(None, Fault::Hole { inward: false, outward: false });
        let closing = tokio::spawn(connection.close());
        sleep(Duration::from_secs(2)).await;
        assert!(!closing.is_finished(), "the broker may still answer");
        net.down(1);
        timeout(Duration::from_millis(1), closing).await.expect("nobody can answer").unwrap().unwrap();
    });
}

#[test]
fn a_close_waits_once_for_a_broker_that_says_nothing() {
    // With the line and the engine full, too.
    for count in [1, 200] {
        run(async {
            let net = Net::new(1, &[1]);
            let connection = connect(&net, URI).await.unwrap();
            let session = connection.session(AckMode::Auto).await.unwrap();
            let producer = Arc::new(session.producer(&Destination::queue("Q")).await.unwrap());
            net.fault(None, Fault::Hole { inward: false, outward: false });
            let mut sends = JoinSet::new();
            for _ in 0..count {
                let producer = Arc::clone(&producer);
                sends.spawn(async move { producer.send(Outgoing::text("x".repeat(60_000))).await });
            }
            sleep(Duration::from_secs(1)).await;
            let began = Instant::now();
            connection.close().await.unwrap();
            assert_eq!(began.elapsed(), Duration::from_secs(15), "{count}");
            while let Some(sent) = timeout(Duration::from_millis(1), sends.join_next()).await.expect("nobody waits on")
            {
                assert!(matches!(sent.unwrap(), Err(Error::Disconnected(_))));
            }
        });
    }
}

#[test]
fn a_close_before_any_broker_is_found_again_leaves_nothing_behind() {
    run(async {
        let net = Net::new(1, &[1]);
        let connection = connect(&net, URI).await.unwrap();
        net.down(1);
        net.door(1, Door::Silent);
        wait_status(&connection, |status| matches!(status, Status::Interrupted(_))).await;
        sleep(Duration::from_secs(5)).await;
        connection.close().await.unwrap();
        let dialled = net.lock().dialled;
        net.calm();
        sleep(Duration::from_secs(600)).await;
        assert_eq!(net.lock().dialled, dialled, "nobody dials any more");
    });
}
