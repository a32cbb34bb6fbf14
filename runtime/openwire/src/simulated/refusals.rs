//! What a broker refuses that nobody waits for: the client itself after a failover, and what was sent without waiting.

use std::time::Duration;

use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::{Instant, sleep, timeout};

use super::net::{Fault, Net};
use super::{PATIENCE, connect, run, wait_status};
use crate::{AckMode, Destination, Error, Outgoing, RefusalKind, Status};

const URI: &str = "failover:(tcp://h:1,tcp://h:2)?randomize=false&jms.userName=u&jms.password=right";

fn is_security(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.kind == RefusalKind::Security)
}

#[test]
fn a_password_that_is_no_longer_right_is_told_with_the_status_until_it_is_right_again() {
    run(async {
        let net = Net::new(1, &[1, 2]);
        net.lock().broker.password = Some("right".to_owned());
        let connection = connect(&net, URI).await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let producer = session.producer(&Destination::queue("Q")).await.unwrap();
        let mut refusals = connection.refusals();
        net.lock().broker.password = Some("another".to_owned());
        net.down(1);
        let lost = wait_status(&connection, |status| matches!(status, Status::Interrupted(_))).await;
        assert!(matches!(lost, Status::Interrupted(Error::Disconnected(_))), "{lost:?}");
        wait_status(&connection, |status| matches!(status, Status::Interrupted(error) if is_security(error))).await;
        let sending = tokio::spawn(async move { producer.send(Outgoing::text("late")).await });
        // A minute of refusals: it is never connected, and that is always the reason.
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(7)).await;
            let status = connection.status();
            assert!(matches!(&status, Status::Interrupted(error) if is_security(error)), "{status:?}");
        }
        let mut count = 0;
        while let Ok(refusal) = refusals.try_recv() {
            assert_eq!(refusal.kind, RefusalKind::Security);
            count += 1;
        }
        // Each broker is left alone for two seconds.
        assert!((10..=31).contains(&count), "{count} refusals in a minute");
        assert!(!sending.is_finished(), "it waits for a broker that lets the client in");
        net.lock().broker.password = Some("right".to_owned());
        wait_status(&connection, |status| matches!(status, Status::Connected(_))).await;
        sending.await.unwrap().unwrap();
    });
}

#[test]
fn a_broker_that_does_not_let_the_client_in_is_left_for_another_one() {
    run(async {
        let net = Net::new(1, &[1, 2]);
        let connection = connect(&net, &format!("{URI}&priorityBackup=true")).await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let producer = session.producer(&Destination::queue("Q")).await.unwrap();
        sleep(Duration::from_secs(100)).await;
        assert_eq!(connection.losses(), 0, "one that lets the client in is stayed with");
        net.lock().deaf = Some(1);
        net.fault(Some(1), Fault::Cut(0));
        // By way of the other one it is at its priority broker again, which says nothing.
        sleep(Duration::from_secs(2)).await;
        assert!(matches!(connection.status(), Status::Interrupted(_)), "{:?}", connection.status());
        let began = Instant::now();
        producer.send(Outgoing::text("late")).await.unwrap();
        assert!((27..32).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        let is_at =
            |port: &str| matches!(connection.status(), Status::Connected(place) if place.address.contains(port));
        for _ in 0..50 {
            assert!(is_at("h:2"), "{:?}", connection.status());
            sleep(Duration::from_secs(1)).await;
        }
        net.lock().deaf = None;
        sleep(Duration::from_secs(45)).await;
        assert!(is_at("h:1"), "{:?}", connection.status());
    });
}

#[test]
fn a_wrong_password_at_the_first_broker_is_an_error_and_no_status() {
    run(async {
        let net = Net::new(1, &[1, 2]);
        net.lock().broker.password = Some("another".to_owned());
        let error = connect(&net, URI).await.unwrap_err();
        assert!(is_security(&error), "{error:?}");
    });
}

#[test]
fn what_is_sent_without_waiting_and_refused_is_told_and_the_connection_stays() {
    run(async {
        let net = Net::new(1, &[1]);
        net.lock().broker.closed_queue = Some("CLOSED".to_owned());
        let connection = connect(&net, "failover:(tcp://h:1)").await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let producer = session.producer(&Destination::queue("CLOSED")).await.unwrap();
        let mut refusals = connection.refusals();
        producer.send(Outgoing::text("x").persistent(false)).await.unwrap();
        let refusal = timeout(PATIENCE, refusals.recv()).await.expect("it is told").unwrap();
        assert_eq!(refusal.kind, RefusalKind::Security);
        assert!(refusal.message.contains("queue://CLOSED"), "{refusal}");
        // Who waits hears it, and nobody else.
        let error = producer.send(Outgoing::text("x")).await.unwrap_err();
        assert!(is_security(&error), "{error:?}");
        assert_eq!(refusals.try_recv(), Err(TryRecvError::Empty));
        assert!(matches!(connection.status(), Status::Connected(_)));
        assert_eq!(connection.losses(), 0);
    });
}
