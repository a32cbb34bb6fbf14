//! What a client does while there is no broker, and what the options of `failover:` promise about it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

#[path = "support/failover.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Stand, run, until, wait_at};
use tokio::time::timeout;
use topoc_lab::{Link, PATIENCE, Plain};
use topoc_openwire::{
    AckMode, Connection, Consumer, Destination, Error, Outgoing, Producer, RefusalKind, Requester, Session, Status,
};

const LIMIT: Duration = Duration::from_secs(180);
/// What does not wait for a broker is done in this time, on a machine that may be very busy.
const PROMPT: Duration = Duration::from_secs(5);

fn alone(adapt: impl FnOnce(Plain) -> Plain) -> Stand {
    let stand = Stand::start("A", "6.3.1", adapt);
    stand.wait_started();
    stand
}

fn link(stand: &Stand) -> Link {
    Link::to(std::net::SocketAddr::from(([127, 0, 0, 1], stand.port))).unwrap()
}

async fn connect(uri: &str) -> (Connection, Session) {
    let connection = Connection::open(uri).await.unwrap();
    let session = connection.session(AckMode::Auto).await.unwrap();
    (connection, session)
}

async fn wait_interrupted(connection: &Connection) {
    until("the loss is noticed", || matches!(connection.status(), Status::Interrupted(_))).await;
}

/// Waits until it is over, and says why.
async fn wait_over(mut status: tokio::sync::watch::Receiver<Status>) -> String {
    let over = timeout(PATIENCE, status.wait_for(|status| matches!(status, Status::Over(_)))).await;
    match &*over.expect("it ends").expect("the reason stays") {
        Status::Over(reason) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

async fn text(consumer: &mut Consumer) -> String {
    let delivery = consumer.receive_within(PATIENCE).await.unwrap().expect("a message comes");
    delivery.text().unwrap().expect("a text")
}

#[test]
fn a_send_fails_after_its_timeout_and_everything_else_waits() {
    run(LIMIT, async {
        let stand = alone(|plain| plain);
        let link = link(&stand);
        let (connection, session) =
            connect(&format!("failover:({})?timeout=200&maxReconnectDelay=100", link.uri())).await;
        let queue = Destination::queue("Q");
        let producer = session.producer(&queue).await.unwrap();
        link.cut();
        wait_interrupted(&connection).await;
        let failed = producer.send(Outgoing::text("late")).await;
        assert!(matches!(failed, Err(Error::TimedOut(_, limit)) if limit == Duration::from_millis(200)), "{failed:?}");
        let opening = tokio::spawn({
            let connection = connection.clone();
            async move { connection.session(AckMode::Auto).await }
        });
        let failed = producer.send(Outgoing::text("late too")).await;
        assert!(matches!(failed, Err(Error::TimedOut(..))), "{failed:?}");
        assert!(!opening.is_finished());
        link.open();
        opening.await.unwrap().unwrap();
        producer.send(Outgoing::text("in time")).await.unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        assert_eq!(text(&mut consumer).await, "in time");
    });
}

#[test]
fn attempts_are_counted() {
    run(LIMIT, async {
        let nobody = format!("tcp://127.0.0.1:{}", topoc_lab::ports(1).unwrap()[0]);
        let failed = Connection::open(&format!("failover:({nobody})?startupMaxReconnectAttempts=3")).await.unwrap_err();
        let Error::Disconnected(reason) = failed else { panic!("{failed:?}") };
        assert!(reason.contains("after 3 attempt(s)") && reason.contains(&nobody), "{reason}");

        let stand = alone(|plain| plain);
        for (attempts, says) in [("3", "after 3 attempt(s)"), ("0", "")] {
            let link = link(&stand);
            let uri =
                format!("failover:({})?startupMaxReconnectAttempts=-1&maxReconnectAttempts={attempts}", link.uri());
            let (connection, session) = connect(&uri).await;
            let mut consumer = session.consumer(&Destination::queue("Q")).open().await.unwrap();
            link.cut();
            let reason = wait_over(connection.watch()).await;
            assert!(reason.contains(says), "{reason}");
            let failed = consumer.receive().await;
            assert!(matches!(failed, Err(Error::Disconnected(_))), "{failed:?}");
            let failed = connection.session(AckMode::Auto).await;
            assert!(matches!(failed, Err(Error::Disconnected(_))), "{failed:?}");
        }
    });
}

#[test]
fn a_spare_is_open_and_registered_nowhere_until_it_is_needed() {
    run(LIMIT, async {
        let mut a = Stand::start("A", "6.3.1", |plain| plain);
        let b = Stand::start("B", "6.3.1", |plain| plain);
        [&a, &b].into_iter().for_each(Stand::wait_started);
        let (_watching, session) = connect(&b.uri()).await;
        let mut registered =
            session.consumer(&Destination::topic("ActiveMQ.Advisory.Connection")).open().await.unwrap();
        let link = link(&b);
        let uri = format!("failover:({},{})?randomize=false&backup=true", a.uri(), link.uri());
        let (connection, session) = connect(&uri).await;
        let producer = session.producer(&Destination::queue("Q")).await.unwrap();
        until("there is a spare", || link.connections() == 1).await;
        let (other, _session) = connect(&b.uri()).await;
        // Who watches, and the one that came after the spare.
        for _ in 0..2 {
            registered.receive_within(PATIENCE).await.unwrap().expect("a connection is told of");
        }
        assert!(
            registered.receive_within(Duration::from_millis(200)).await.unwrap().is_none(),
            "the spare is registered"
        );
        other.close().await.unwrap();
        registered.receive_within(PATIENCE).await.unwrap().expect("its end is told of");
        a.kill();
        wait_at(&connection, "B").await;
        producer.send(Outgoing::text("here")).await.unwrap();
        assert_eq!(link.accepted(), 1, "the spare is what is used");
        registered.receive_within(PATIENCE).await.unwrap().expect("now it is told of");
    });
}

#[test]
fn messages_that_nobody_answers_are_kept_where_that_is_wanted() {
    run(LIMIT, async {
        let stand = alone(|plain| plain);
        for (track, expected) in [("true", vec!["0", "1", "2", "3", "4", "last"]), ("false", vec!["last"])] {
            let link = link(&stand);
            let uri = format!("failover:({})?trackMessages={track}&maxReconnectDelay=100", link.uri());
            let (connection, session) = connect(&uri).await;
            let queue = Destination::queue(format!("TRACK.{track}"));
            let producer = session.producer(&queue).await.unwrap();
            link.black_hole();
            for number in 0..5 {
                producer.send(Outgoing::text(number.to_string()).persistent(false)).await.unwrap();
            }
            // Refused on this side, and in its turn: all before it are on their way.
            let refused = producer.send(Outgoing::text("").correlation_id("x".repeat(70_000))).await;
            assert!(matches!(refused, Err(Error::Encode(_))), "{refused:?}");
            link.reset();
            producer.send(Outgoing::text("last")).await.unwrap();
            let mut browser = session.browser(&queue).open().await.unwrap();
            let mut texts = Vec::new();
            while let Some(delivery) = browser.browse().await.unwrap() {
                texts.push(delivery.text().unwrap().unwrap());
            }
            // Brokers keep the two kinds of messages apart.
            texts.sort();
            assert_eq!(texts, expected, "trackMessages={track}");
            connection.close().await.unwrap();
        }
    });
}

#[test]
fn options_of_every_address_are_used_and_checked() {
    run(LIMIT, async {
        let stand = alone(|plain| plain);
        let link = link(&stand);
        let quick =
            "nested.wireFormat.maxInactivityDuration=500&nested.wireFormat.maxInactivityDurationInitalDelay=500";
        let (connection, _session) = connect(&format!("failover:({})?{quick}", link.uri())).await;
        link.black_hole();
        wait_interrupted(&connection).await;
        let refused = Connection::open(&format!("failover:({})?nested.sotimeuot=1", link.uri())).await;
        assert!(matches!(refused, Err(Error::Option(_))), "{refused:?}");
    });
}

#[test]
fn who_ends_during_an_outage_need_not_wait() {
    run(LIMIT, async {
        let stand = alone(|plain| plain);
        for dropped in [false, true] {
            let link = link(&stand);
            let (connection, session) = connect(&format!("failover:({})", link.uri())).await;
            let queue = Destination::queue("Q");
            let mut consumer = session.consumer(&queue).open().await.unwrap();
            let producer = Arc::new(session.producer(&queue).await.unwrap());
            let status = connection.watch();
            link.cut();
            wait_interrupted(&connection).await;
            if dropped {
                drop((connection, session, consumer, producer));
            } else {
                let sending = tokio::spawn({
                    let producer = Arc::clone(&producer);
                    async move { producer.send(Outgoing::text("never")).await }
                });
                tokio::task::yield_now().await;
                timeout(PROMPT, connection.close()).await.expect("closing is prompt").unwrap();
                let failed = sending.await.unwrap();
                assert!(matches!(failed, Err(Error::Disconnected(_) | Error::Closed)), "{failed:?}");
                let failed = consumer.receive().await.map(|_| ());
                assert!(matches!(failed, Err(Error::Disconnected(_) | Error::Closed)), "{failed:?}");
            }
            assert_eq!(wait_over(status).await, "the connection was closed");
        }
    });
}

#[test]
fn what_ends_before_a_broker_has_heard_of_it_never_begins() {
    run(LIMIT, async {
        let stand = alone(|plain| plain);
        let link = link(&stand);
        let (connection, session) = connect(&format!("failover:({})?maxReconnectDelay=100", link.uri())).await;
        let queue = Destination::queue("Q");
        link.cut();
        wait_interrupted(&connection).await;
        let gave_up = timeout(Duration::from_millis(50), session.consumer(&queue).open()).await;
        assert!(gave_up.is_err());
        link.open();
        wait_at(&connection, "A").await;
        stand.send("Q", "for whoever is there").await;
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        assert_eq!(text(&mut consumer).await, "for whoever is there");
    });
}

#[test]
fn everything_sent_before_the_last_handle_goes_arrives() {
    run(LIMIT, async {
        let stand = alone(|plain| plain);
        for round in 0..20 {
            let (connection, session) = connect(&stand.uri()).await;
            let producer = session.producer(&Destination::queue("Q")).await.unwrap();
            for number in 0..5 {
                producer.send(Outgoing::text(format!("{round}.{number}")).persistent(false)).await.unwrap();
            }
            drop((producer, session, connection));
        }
        let (_connection, session) = connect(&stand.uri()).await;
        let mut consumer = session.consumer(&Destination::queue("Q")).open().await.unwrap();
        for _ in 0..100 {
            text(&mut consumer).await;
        }
    });
}

#[test]
fn who_is_not_let_in_is_told_at_the_first_broker_and_waits_for_another_later() {
    run(LIMIT, async {
        let mut open = Stand::start("A", "6.3.1", |plain| plain);
        let closed = Stand::start("B", "6.3.1", |plain| plain.user("gc", "Mh4-moonlit"));
        [&open, &closed].into_iter().for_each(Stand::wait_started);
        let link = link(&closed);
        let uri = format!("failover:({})?jms.userName=gc&jms.password=Sd6-sunlit", link.uri());
        let failed = timeout(PROMPT, Connection::open(&uri)).await.expect("nobody tries for ever").unwrap_err();
        assert!(matches!(&failed, Error::Refused(refusal) if refusal.kind == RefusalKind::Security), "{failed:?}");
        // Once, unless the broker has hung up without an answer (see `refusals.rs`).
        let tried = link.accepted();

        let (connection, session) = connect(&format!("failover:({},{})?randomize=false", open.uri(), link.uri())).await;
        let queue = Destination::queue("Q");
        let producer = session.producer(&queue).await.unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        assert_eq!(
            link.accepted(),
            tried,
            "who was refused does not come again, and nobody needs the second broker yet"
        );
        open.kill();
        until("the other broker is asked", || link.accepted() > tried).await;
        let sending = tokio::spawn(async move { producer.send(Outgoing::text("at last")).await });
        open.restart();
        wait_at(&connection, "A").await;
        sending.await.unwrap().unwrap();
        assert_eq!(text(&mut consumer).await, "at last");
    });
}

#[test]
fn a_broker_that_stops_in_order_is_left_for_another() {
    run(LIMIT, async {
        let mut a = Stand::start("A", "6.3.1", |plain| plain);
        let b = Stand::start("B", "6.3.1", |plain| plain);
        [&a, &b].into_iter().for_each(Stand::wait_started);
        let (connection, session) = connect(&format!("failover:({},{})?randomize=false", a.uri(), b.uri())).await;
        let queue = Destination::queue("Q");
        let producer = session.producer(&queue).await.unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        a.stop();
        wait_at(&connection, "B").await;
        producer.send(Outgoing::text("here")).await.unwrap();
        assert_eq!(text(&mut consumer).await, "here");
    });
}

/// Answers each request with its own text, wherever the broker is.
async fn echo(mut consumer: Consumer, producer: Producer) {
    while let Ok(request) = consumer.receive().await {
        let answer = Outgoing::text(request.text().unwrap().unwrap()).persistent(false);
        // Who asked may not be back yet; then it asks again.
        let _ = producer.answer(&request, answer).await;
    }
}

/// Asks until an answer comes: one that was on its way when the broker was killed is lost with its memory.
async fn ask(requester: &Requester, text: &str) {
    let asking = async {
        loop {
            match requester.request(Outgoing::text(text), Duration::from_secs(2)).await {
                Ok(answer) => break assert_eq!(answer.text().unwrap().as_deref(), Some(text)),
                Err(Error::TimedOut(..)) => {}
                Err(error) => panic!("a request failed: {error}"),
            }
        }
    };
    timeout(PATIENCE, asking).await.expect("requests are answered again");
}

fn requests_go_on(release: &'static str) {
    run(LIMIT, async {
        let mut a = Stand::start("A", release, |plain| plain);
        let b = Stand::start("B", release, |plain| plain);
        [&a, &b].into_iter().for_each(Stand::wait_started);
        let here = format!("failover:({})?maxReconnectDelay=200", a.uri());
        let either = format!("failover:({},{})?randomize=false&maxReconnectDelay=200", a.uri(), b.uri());
        let queue = Destination::queue("REQUESTS");
        let mut requesters = Vec::new();
        for uri in [&here, &either] {
            let (asking, session) = connect(uri).await;
            let requester = session.requester(&queue).await.unwrap();
            let (answering, session) = connect(uri).await;
            let consumer = session.consumer(&queue).open().await.unwrap();
            tokio::spawn(echo(consumer, session.any_producer().await.unwrap()));
            requesters.push((asking, answering, requester));
        }
        for (_, _, requester) in &requesters {
            ask(requester, "before").await;
        }
        a.kill();
        let (asking, answering, at_either) = &requesters[1];
        wait_at(asking, "B").await;
        wait_at(answering, "B").await;
        ask(at_either, "at another broker").await;
        a.restart();
        let (asking, answering, at_home) = &requesters[0];
        wait_at(asking, "A").await;
        wait_at(answering, "A").await;
        ask(at_home, "at the broker that was restarted").await;
    });
}

#[test]
fn requests_go_on_over_a_kill_with_6_3_1() {
    requests_go_on("6.3.1");
}

#[test]
fn requests_go_on_over_a_kill_with_5_15_16() {
    requests_go_on("5.15.16");
}
