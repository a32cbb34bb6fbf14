//! Consumers without window, at brokers that lose what they are asked for.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::net::Net;
use super::{PATIENCE, connect, run, wait_status};
use crate::{AckMode, Connection, Consumer, Destination, Outgoing, Status};

async fn consumer(connection: &Connection) -> Consumer {
    let session = connection.session(AckMode::Individual).await.unwrap();
    session.consumer(&Destination::queue("Q")).prefetch(0).open().await.unwrap()
}

/// How many messages are with the application or on their way to it, and how many are dealt with.
fn given_out(net: &Net) -> (usize, usize) {
    let state = net.lock();
    (state.broker.on_their_way(), state.broker.done.len())
}

async fn send(connection: &Connection, text: &str) {
    let session = connection.session(AckMode::Auto).await.unwrap();
    session.producer(&Destination::queue("Q")).await.unwrap().send(Outgoing::text(text)).await.unwrap();
}

#[test]
fn who_waits_gets_its_message_whatever_the_broker_loses() {
    for (loses, forgets, most) in [(0, 0, 0), (1, 0, 2), (3, 0, 6), (0, 1, 7), (1, 1, 9)] {
        for limited in [false, true] {
            run(async {
                let net = Net::new(1, &[1]);
                let connection = connect(&net, "failover:(tcp://h:1)").await.unwrap();
                let mut consumer = consumer(&connection).await;
                {
                    let mut state = net.lock();
                    (state.broker.loses_pulls, state.broker.forgets_pulls) = (loses, forgets);
                    state.slowness = Duration::ZERO;
                }
                let waiting = tokio::spawn(async move {
                    if limited { consumer.receive_within(PATIENCE).await } else { consumer.receive().await.map(Some) }
                });
                sleep(Duration::from_millis(1)).await;
                let began = Instant::now();
                send(&connection, "x").await;
                let got = timeout(PATIENCE, waiting).await.expect("it does not wait for ever").unwrap().unwrap();
                assert_eq!(got.unwrap().text().unwrap().as_deref(), Some("x"));
                let took = began.elapsed();
                assert!(took < Duration::from_secs(most) + Duration::from_millis(50), "{loses} {forgets}: {took:?}");
            });
        }
    }
}

#[test]
fn one_message_is_asked_for_at_a_time_also_after_many_losses() {
    run(async {
        let net = Net::new(1, &[1]);
        net.lock().slowness = Duration::from_millis(10);
        let connection = connect(&net, "failover:(tcp://h:1)").await.unwrap();
        let mut consumer = consumer(&connection).await;
        let waiting = tokio::spawn(async move {
            let first = consumer.receive().await.unwrap();
            // The next is not asked for before somebody waits.
            sleep(Duration::from_secs(60)).await;
            first.acknowledge().await.unwrap();
            consumer.receive().await.unwrap()
        });
        for _ in 0..20 {
            sleep(Duration::from_millis(700)).await;
            net.down(1);
            wait_status(&connection, |status| matches!(status, Status::Interrupted(_))).await;
            net.calm();
            wait_status(&connection, |status| matches!(status, Status::Connected(_))).await;
        }
        let before = net.lock().broker.pulls;
        sleep(Duration::from_secs(600)).await;
        let asked = net.lock().broker.pulls - before;
        assert!((295..=301).contains(&asked), "asked for {asked} times in ten minutes, and every two seconds is right");
        for text in ["a", "b", "c"] {
            send(&connection, text).await;
        }
        sleep(Duration::from_secs(30)).await;
        assert_eq!(given_out(&net), (1, 0));
        let second = timeout(PATIENCE, waiting).await.expect("it comes").unwrap();
        assert_eq!(second.text().unwrap().as_deref(), Some("b"));
        assert_eq!(given_out(&net), (1, 1));
    });
}

#[test]
fn who_stops_waiting_leaves_at_most_one_message_on_its_way() {
    run(async {
        let net = Net::new(1, &[1]);
        let connection = connect(&net, "failover:(tcp://h:1)").await.unwrap();
        let mut consumer = consumer(&connection).await;
        let instant = Duration::from_millis(500);
        assert!(timeout(instant, consumer.receive()).await.is_err());
        send(&connection, "soon").await;
        sleep(Duration::from_secs(60)).await;
        send(&connection, "late").await;
        sleep(Duration::from_secs(60)).await;
        assert_eq!(net.lock().broker.on_their_way(), 1, "the broker was not asked for the second");
        for text in ["soon", "late"] {
            let got = timeout(PATIENCE, consumer.receive()).await.expect("it comes").unwrap();
            assert_eq!(got.text().unwrap().as_deref(), Some(text));
        }
    });
}
