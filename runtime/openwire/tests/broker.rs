//! The client against two bridged brokers of each release, as `topoc build` makes them: what every program does with a broker.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]
#![allow(clippy::print_stdout, reason = "a failed test shows where it was")]

mod support;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use support::{JAVA, RELEASES, Site, next, run, send, text, texts, until};
use topoc_lab::PATIENCE;
use topoc_openwire::{AckMode, Connection, Destination, Error, Outgoing, Session, Status};
use topoc_stage::{Loopback, Topology};

const TOPOLOGY: &str = r#"
topology pair {}
defaults broker {
  store memory {}
  limits { memory = 256MiB }
  raw-xml """<plugins><statisticsBrokerPlugin/></plugins>"""
}
site here {
  broker one { host = "one"; listen openwire { port = 61616 } }
  broker two { host = "two"; listen openwire { port = 61616 } }
  bridge one <-> two
}
"#;

/// Two bridged brokers.
struct Pair {
    one: Site,
    two: Site,
    _files: Loopback,
}

static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
    let pairs: Vec<Pair> = RELEASES
        .into_iter()
        .map(|release| {
            let files = Loopback::of(&Topology::of(TOPOLOGY), release);
            let site = |name: &str| {
                let uri = files.address(name);
                let port = uri.rsplit(':').next().unwrap().parse().unwrap();
                Site { release, port, uri, more: Vec::new(), broker: files.start_with(name, &["-Xmx512m"]) }
            };
            Pair { one: site("one"), two: site("two"), _files: files }
        })
        .collect();
    for pair in &pairs {
        pair.one.broker.wait_started(PATIENCE).unwrap();
        pair.two.broker.wait_started(PATIENCE).unwrap();
    }
    for pair in &pairs {
        let bridged = |log: &str| log.contains("Network connection between") && log.contains("has been established");
        topoc_lab::until("the bridge is up", || {
            [&pair.one, &pair.two].iter().any(|site| bridged(&site.broker.log().unwrap())).then_some(())
        });
    }
    pairs
});

fn at_each_pair(test: &impl AsyncFn(&Pair)) {
    for pair in &*PAIRS {
        println!("ActiveMQ {}", pair.one.release);
        run(test(pair));
    }
}

#[test]
fn a_message_is_sent_and_received() {
    at_each_pair(&async |Pair { one, .. }| {
        let connection = Connection::open(&one.uri).await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let queue = Destination::queue("SIMPLE");
        let producer = session.producer(&queue).await.unwrap();
        let id = producer.send(Outgoing::text("hello")).await.unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        let got = next(&mut consumer).await;
        assert_eq!(text(&got), "hello");
        assert_eq!(got.id().unwrap().to_string(), id.to_string());
        assert_eq!(got.destination(), Some(&queue));
        assert_eq!(got.redeliveries(), 0);
        let Status::Connected(place) = connection.status() else { panic!("{:?}", connection.status()) };
        assert_eq!((place.address, place.broker.as_deref()), (one.uri.clone(), Some("one")));
        connection.close().await.unwrap();
        assert!(matches!(consumer.receive().await, Err(Error::Disconnected(_))));
        assert!(matches!(producer.send(Outgoing::text("late")).await, Err(Error::Disconnected(_))));
    });
}

/// Answers every request with its text and the name of whoever answers.
fn answer(session: Session, name: &'static str, requests: Destination) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut consumer = session.consumer(&requests).open().await.unwrap();
        let producer = session.any_producer().await.unwrap();
        while let Ok(request) = consumer.receive().await {
            producer.answer(&request, Outgoing::text(format!("{name} {}", text(&request)))).await.unwrap();
        }
    })
}

#[test]
fn requests_are_answered_over_a_bridge() {
    at_each_pair(&async |Pair { one, two, .. }| {
        let requests = Destination::queue("REQUESTS");
        let answering = answer(two.session(AckMode::Auto, "").await, "two", requests.clone());
        let session = one.session(AckMode::Auto, "").await;
        for replies in [None, Some(Destination::queue("REPLIES"))] {
            let requester = match &replies {
                None => session.requester(&requests).await.unwrap(),
                Some(replies) => session.requester_with(&requests, replies).await.unwrap(),
            };
            let (first, second) = tokio::join!(
                requester.request(Outgoing::text("1"), PATIENCE),
                requester.request(Outgoing::text("2").correlation_id("mine"), PATIENCE),
            );
            let (first, second) = (first.unwrap(), second.unwrap());
            assert_eq!((text(&first), text(&second)), ("two 1".to_owned(), "two 2".to_owned()));
            assert_eq!(second.correlation_id(), Some("mine"));
            assert_eq!(requester.replies().is_temporary(), replies.is_none());
            let passed = first.message().headers.broker_path.as_ref().map_or(0, Vec::len);
            assert_eq!(passed, 1, "the answer has come over the bridge");
        }
        answering.abort();
    });
}

#[test]
fn an_answer_has_the_id_of_a_request_without_one() {
    at_each_pair(&async |Pair { one, .. }| {
        let session = one.session(AckMode::Auto, "").await;
        let (requests, replies) = (Destination::queue("BARE"), Destination::queue("BARE.REPLIES"));
        let producer = session.any_producer().await.unwrap();
        let id = producer.send_to(&requests, Outgoing::text("?").reply_to(replies.clone())).await.unwrap();
        let mut consumer = session.consumer(&requests).open().await.unwrap();
        producer.answer(&next(&mut consumer).await, Outgoing::text("!")).await.unwrap();
        let answer = next(&mut session.consumer(&replies).open().await.unwrap()).await;
        assert_eq!(answer.correlation_id(), Some(id.to_string().as_str()));
        producer.send_to(&requests, Outgoing::text("?")).await.unwrap();
        let nowhere = producer.answer(&next(&mut consumer).await, Outgoing::text("!")).await;
        assert!(matches!(nowhere, Err(Error::Misuse(_))), "{nowhere:?}");
    });
}

#[test]
fn nobody_answers_and_that_is_said_in_time() {
    at_each_pair(&async |Pair { one, .. }| {
        let session = one.session(AckMode::Auto, "").await;
        let requests = Destination::queue("NOBODY");
        let requester = session.requester(&requests).await.unwrap();
        let limit = Duration::from_millis(50);
        let answer = requester.request(Outgoing::text("?").time_to_live(limit), limit).await;
        assert!(matches!(answer, Err(Error::TimedOut(..))), "{answer:?}");
        // Its queue ends with it.
        let replies = requester.replies().clone();
        assert_eq!(one.count(&requests, "producerCount").await, Some(1));
        drop(requester);
        one.until_count(&requests, "producerCount", 0).await;
        let producer = session.any_producer().await.unwrap();
        until("the temporary queue is gone", async || {
            producer.send_to(&replies, Outgoing::text("late")).await.is_err()
        })
        .await;
    });
}

#[test]
fn who_has_the_highest_priority_is_first() {
    at_each_pair(&async |Pair { one, .. }| {
        let queue = Destination::queue("PRIORITIES");
        let session = one.session(AckMode::Individual, "").await;
        let mut consumers = Vec::new();
        for priority in [-5, 0, 127, 100] {
            let consumer = session.consumer(&queue).priority(priority).prefetch(1).open().await.unwrap();
            consumers.push((priority, consumer));
        }
        // Each has room for one. Who comes later has a lower priority.
        send(one, &queue, &["1", "2", "3", "4"]).await;
        let mut got = Vec::new();
        for (priority, consumer) in &mut consumers {
            got.push((*priority, text(&next(consumer).await)));
        }
        let expected = [(-5, "4"), (0, "3"), (127, "1"), (100, "2")];
        assert_eq!(got, expected.map(|(priority, text)| (priority, text.to_owned())));
    });
}

#[test]
fn the_highest_priority_gets_all_while_it_has_room() {
    at_each_pair(&async |Pair { one, .. }| {
        let queue = Destination::queue("FIRST");
        let session = one.session(AckMode::Auto, "").await;
        let mut low = session.consumer(&queue).priority(100).open().await.unwrap();
        let mut high = session.consumer(&queue).priority(127).open().await.unwrap();
        let all: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        send(one, &queue, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(texts(&mut high, 50).await, all);
        high.close().await.unwrap();
        // Nothing but this has ever come to the other.
        support::nothing_but(one, &queue, &mut low, "after").await;
    });
}

#[test]
fn selectors_choose() {
    at_each_pair(&async |Pair { one, .. }| {
        let queue = Destination::queue("SELECTED");
        let session = one.session(AckMode::Auto, "").await;
        let producer = session.producer(&queue).await.unwrap();
        for (text, size, color) in [("a", 1, "grün"), ("b", 9, "grün"), ("c", 9, "rot")] {
            let message = Outgoing::text(text).property("size", size).property("color", color).message_type("T");
            producer.send(message.correlation_id(text)).await.unwrap();
        }
        for (selector, chosen) in [
            ("size > 5 AND color = 'grün'", &["b"][..]),
            ("JMSCorrelationID = 'c' AND JMSType = 'T'", &["c"]),
            ("size BETWEEN 1 AND 5 AND color LIKE 'gr%' AND none IS NULL", &["a"]),
        ] {
            let mut browser = session.browser(&queue).selector(selector).open().await.unwrap();
            let mut seen = Vec::new();
            while let Some(delivery) = browser.browse().await.unwrap() {
                seen.push(text(&delivery));
            }
            assert_eq!(seen, chosen, "{selector}");
            let mut consumer = session.consumer(&queue).selector(selector).open().await.unwrap();
            assert_eq!(texts(&mut consumer, chosen.len()).await, chosen, "{selector}");
        }
        one.until_count(&queue, "size", 0).await;
    });
}

#[test]
fn ten_megabytes_arrive_as_they_were() {
    at_each_pair(&async |Pair { one, two, .. }| {
        let queue = Destination::queue("LARGE");
        let session = one.session(AckMode::Auto, "").await;
        let bytes: Vec<u8> = (0..10 * 1024 * 1024_u32).map(|at| ((at * 31) >> 3) as u8).collect();
        let long = "0123456789abcde\u{e4}".repeat(10 * 1024 * 1024 / 17);
        let mut consumer = two.session(AckMode::Auto, "").await.consumer(&queue).open().await.unwrap();
        let producer = session.producer(&queue).await.unwrap();
        producer.send(Outgoing::bytes(bytes.clone())).await.unwrap();
        producer.send(Outgoing::text(long.clone())).await.unwrap();
        let first = next(&mut consumer).await.body().unwrap();
        assert!(first == topoc_openwire::Body::Bytes(bytes.into()), "the bytes are others");
        assert!(text(&next(&mut consumer).await) == long, "the text is another");
    });
}

#[test]
fn texts_of_every_script_arrive_as_they_were() {
    at_each_pair(&async |Pair { one, .. }| {
        let queue = Destination::queue("SCRIPTS.\u{fc}\u{4e2d}");
        let session = one.session(AckMode::Auto, "").await;
        let producer = session.producer(&queue).await.unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        for sent in ["", "\0", "gr\u{fc}n", "\u{4e2d}\u{6587}", "\u{1f600}\u{10ffff}", "a\0\u{1f600}\u{ffff}z"] {
            let message = Outgoing::text(sent).correlation_id(sent).property("text", sent).message_type(sent);
            producer.send(message).await.unwrap();
            let got = next(&mut consumer).await;
            assert_eq!(text(&got), sent);
            assert_eq!(got.properties().unwrap().get("text"), Some(&sent.into()));
            assert_eq!((got.correlation_id(), got.message_type()), (Some(sent), Some(sent)));
            assert_eq!(got.destination(), Some(&queue));
        }
    });
}

#[test]
fn topics_and_temporary_topics_give_to_all() {
    at_each_pair(&async |Pair { one, two, .. }| {
        let (here, there) = (one.session(AckMode::Auto, "").await, two.session(AckMode::Auto, "").await);
        let news = Destination::topic("NEWS");
        let mut near = here.consumer(&news).open().await.unwrap();
        let mut far = there.consumer(&news).open().await.unwrap();
        // The other broker's interest comes over the bridge in its own time.
        one.until_count(&news, "consumerCount", 2).await;
        here.producer(&news).await.unwrap().send(Outgoing::text("hello")).await.unwrap();
        assert_eq!((text(&next(&mut near).await), text(&next(&mut far).await)), ("hello".into(), "hello".into()));

        let own = here.temporary_topic().await.unwrap();
        let mut consumers = [here.consumer(&own).open().await.unwrap(), here.consumer(&own).open().await.unwrap()];
        here.producer(&own).await.unwrap().send(Outgoing::text("among us")).await.unwrap();
        for consumer in &mut consumers {
            assert_eq!(text(&next(consumer).await), "among us");
        }
    });
}

#[test]
fn a_connection_that_ends_leaves_nothing_behind() {
    at_each_pair(&async |Pair { one, .. }| {
        let queue = Destination::queue("LEFT");
        let connection = one.connect("").await;
        let mut kept = Vec::new();
        for mode in [AckMode::Auto, AckMode::Client, AckMode::Transacted] {
            let session = connection.session(mode).await.unwrap();
            let consumer = session.consumer(&queue).open().await.unwrap();
            kept.push((session.producer(&queue).await.unwrap(), consumer, session));
        }
        assert_eq!(one.count(&queue, "consumerCount").await, Some(3));
        assert_eq!(one.count(&queue, "producerCount").await, Some(3));
        // Dropped one by one.
        drop(kept.pop());
        one.until_count(&queue, "consumerCount", 2).await;
        one.until_count(&queue, "producerCount", 2).await;
        // Closed with all that belongs to it.
        connection.close().await.unwrap();
        assert_eq!(one.count(&queue, "consumerCount").await, Some(0));
        assert_eq!(one.count(&queue, "producerCount").await, Some(0));
        drop(kept);
        // Not even closed.
        let connection = one.connect("").await;
        let session = connection.session(AckMode::Auto).await.unwrap();
        let consumer = session.consumer(&queue).open().await.unwrap();
        drop((connection, session));
        assert_eq!(one.count(&queue, "consumerCount").await, Some(1), "its consumer still holds it");
        drop(consumer);
        one.until_count(&queue, "consumerCount", 0).await;
    });
}

#[test]
fn java_at_the_other_broker_asks_and_answers() {
    at_each_pair(&async |Pair { one, two, .. }| {
        let ours = Destination::queue("ASKED.RUST");
        let answering = answer(two.session(AckMode::Auto, "").await, "rust", ours.clone());
        two.until_count(&ours, "consumerCount", 1).await;
        let answers = JAVA.request(&one.uri, ours.name(), None, &["1", "2"], PATIENCE).unwrap();
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().text.unwrap()).collect();
        assert_eq!(answers, ["rust 1", "rust 2"]);
        answering.abort();

        let theirs = Destination::queue("ASKED.JAVA");
        let echo = JAVA.echo("java", &two.uri, theirs.name()).unwrap();
        echo.wait_ready(PATIENCE).unwrap();
        let requester = one.session(AckMode::Auto, "").await.requester(&theirs).await.unwrap();
        let mut answers = BTreeSet::new();
        for request in ["1", "2"] {
            answers.insert(text(&requester.request(Outgoing::text(request), PATIENCE).await.unwrap()));
        }
        assert_eq!(answers, BTreeSet::from(["java 1".to_owned(), "java 2".to_owned()]));
    });
}
