//! Who has got what, and who gets it again: every way to acknowledge, transactions, redeliveries, windows, groups.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use support::{Site, at_each, next, nothing_but, plain_sites, send, text, texts, until};
use tokio::task::JoinSet;
use tokio::time::timeout;
use topoc_lab::PATIENCE;
use topoc_openwire::{AckMode, Connection, Consumer, Delivery, Destination, Error, Outgoing, Session};

static SITES: LazyLock<Vec<Site>> =
    LazyLock::new(|| plain_sites(|plain| plain.queues("TIGHT.>", &[("memoryLimit", "100 kb")])));

/// What is rolled back comes again at once.
const SOON: &str = "jms.redeliveryPolicy.initialRedeliveryDelay=0&jms.redeliveryPolicy.redeliveryDelay=0";

/// A consumer, and the first messages that it has got.
async fn drained(session: &Session, queue: &Destination, count: usize) -> (Consumer, Vec<Delivery>) {
    let mut consumer = session.consumer(queue).open().await.unwrap();
    let mut got = Vec::new();
    for _ in 0..count {
        got.push(next(&mut consumer).await);
    }
    (consumer, got)
}

fn redeliveries(got: &[Delivery]) -> Vec<(String, i32)> {
    got.iter().map(|delivery| (text(delivery), delivery.redeliveries())).collect()
}

fn as_texts(pairs: &[(&str, i32)]) -> Vec<(String, i32)> {
    pairs.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect()
}

#[test]
fn automatically_each_message_is_acknowledged() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("AUTO");
        send(site, &queue, &["a", "b", "c"]).await;
        let session = site.session(AckMode::Auto, "").await;
        let (consumer, got) = drained(&session, &queue, 2).await;
        site.until_count(&queue, "size", 1).await;
        got[0].acknowledge().await.unwrap();
        consumer.close().await.unwrap();
        // What only lay at the client is as new.
        let (_consumer, got) = drained(&session, &queue, 1).await;
        assert_eq!(redeliveries(&got), as_texts(&[("c", 0)]));
        assert!(matches!(session.acknowledge().await, Err(Error::Misuse(_))));
        assert!(matches!(session.recover().await, Err(Error::Misuse(_))));
        assert!(matches!(session.commit().await, Err(Error::Misuse(_))));
        assert!(matches!(session.rollback().await, Err(Error::Misuse(_))));
    });
}

#[test]
fn the_client_acknowledges_all_that_the_session_has_got() {
    at_each(&SITES, &async |site| {
        let (one, two) = (Destination::queue("CLIENT.1"), Destination::queue("CLIENT.2"));
        send(site, &one, &["a", "b", "c"]).await;
        send(site, &two, &["d", "e"]).await;
        let session = site.session(AckMode::Client, "").await;
        let (first, got) = drained(&session, &one, 2).await;
        let (_second, _) = drained(&session, &two, 1).await;
        assert_eq!((site.count(&one, "size").await, site.count(&two, "size").await), (Some(3), Some(2)));
        got[0].acknowledge().await.unwrap();
        site.until_count(&one, "size", 1).await;
        site.until_count(&two, "size", 1).await;
        session.acknowledge().await.unwrap();
        drop(first);
        let (_, rest) = drained(&session, &one, 1).await;
        assert_eq!(redeliveries(&rest), as_texts(&[("c", 0)]));
    });
}

#[test]
fn what_is_not_acknowledged_goes_to_another_and_is_counted() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("ANOTHER");
        send(site, &queue, &["a", "b", "c", "d"]).await;
        let other = site.session(AckMode::Individual, "").await;
        let session = site.session(AckMode::Client, "").await;
        let (consumer, _got) = drained(&session, &queue, 2).await;
        let mut waiting = other.consumer(&queue).open().await.unwrap();
        drop(consumer);
        let mut got = Vec::new();
        for _ in 0..4 {
            got.push(next(&mut waiting).await);
        }
        // The application had two of them; the others were on their way only.
        assert_eq!(redeliveries(&got), as_texts(&[("a", 1), ("b", 1), ("c", 0), ("d", 0)]));
        got[0].acknowledge().await.unwrap();
        // The same by the end of a connection.
        other.consumer(&queue).open().await.unwrap().close().await.unwrap();
        drop(waiting);
        let connection = site.connect("").await;
        let session = connection.session(AckMode::Client).await.unwrap();
        let (consumer, got) = drained(&session, &queue, 1).await;
        assert_eq!(redeliveries(&got), as_texts(&[("b", 2)]));
        connection.close().await.unwrap();
        drop(consumer);
        let (_, got) = drained(&other, &queue, 3).await;
        assert_eq!(redeliveries(&got), as_texts(&[("b", 3), ("c", 1), ("d", 1)]));
    });
}

#[test]
fn each_message_is_acknowledged_by_itself() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("INDIVIDUAL");
        send(site, &queue, &["a", "b", "c"]).await;
        let session = site.session(AckMode::Individual, "").await;
        let (consumer, got) = drained(&session, &queue, 3).await;
        got[1].acknowledge().await.unwrap();
        got[1].acknowledge().await.unwrap();
        site.until_count(&queue, "size", 2).await;
        consumer.close().await.unwrap();
        let (_consumer, got) = drained(&session, &queue, 2).await;
        assert_eq!(redeliveries(&got), as_texts(&[("a", 1), ("c", 1)]));
        for delivery in got.iter().rev() {
            delivery.acknowledge().await.unwrap();
        }
        site.until_count(&queue, "size", 0).await;
    });
}

#[test]
fn windows_open_as_messages_arrive() {
    at_each(&SITES, &async |site| {
        // More messages than may be on their way, none of them acknowledged before the last one has come.
        let queue = Destination::queue("WINDOW");
        let numbers: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        send(site, &queue, &numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for mode in [AckMode::Client, AckMode::Transacted] {
            let session = site.session(mode, "jms.prefetchPolicy.queuePrefetch=4").await;
            let (consumer, got) = drained(&session, &queue, 50).await;
            assert_eq!(got.iter().map(text).collect::<Vec<_>>(), numbers);
            match mode {
                AckMode::Client => session.recover().await.unwrap(),
                _ => session.commit().await.unwrap(),
            }
            drop(consumer);
        }
        site.until_count(&queue, "size", 0).await;
    });
}

#[test]
fn a_window_keeps_the_rest_for_others() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("SHARED");
        let session = site.session(AckMode::Individual, "jms.prefetchPolicy.all=2").await;
        let mut first = session.consumer(&queue).open().await.unwrap();
        let mut second = session.consumer(&queue).prefetch(1).open().await.unwrap();
        send(site, &queue, &["1", "2", "3", "4"]).await;
        site.until_count(&queue, "inflightCount", 3).await;
        let mut got = BTreeSet::from_iter(texts(&mut second, 1).await);
        // Its window opens again, and that of the other is still full.
        assert_eq!(texts(&mut second, 1).await, ["4"]);
        got.extend(texts(&mut first, 2).await);
        assert_eq!(got, ["1", "2", "3"].map(str::to_owned).into());
    });
}

#[test]
fn without_a_window_each_message_is_asked_for() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("PULLED");
        for mode in [AckMode::Auto, AckMode::Individual] {
            let session = site.session(mode, "").await;
            let mut consumer = session.consumer(&queue).prefetch(0).open().await.unwrap();
            let instant = Duration::from_millis(20);
            assert!(consumer.receive_within(instant).await.unwrap().is_none());
            assert!(consumer.receive_within(instant).await.unwrap().is_none());
            send(site, &queue, &["a", "b", "c"]).await;
            assert_eq!(text(&next(&mut consumer).await), "a");
            let expected = if mode == AckMode::Auto { (2, 0) } else { (3, 1) };
            site.until_count(&queue, "size", expected.0).await;
            assert_eq!(site.count(&queue, "inflightCount").await, Some(expected.1));
            assert_eq!(text(&consumer.receive().await.unwrap()), "b");
            assert_eq!(text(&next(&mut consumer).await), "c");
            // Somebody who loses patience loses no message.
            assert!(timeout(instant, consumer.receive()).await.is_err());
            send(site, &queue, &["d"]).await;
            assert_eq!(text(&next(&mut consumer).await), "d");
            drop(consumer);
            let rest = if mode == AckMode::Auto { 0 } else { 4 };
            site.until_count(&queue, "size", rest).await;
        }
    });
}

#[test]
fn who_has_waited_in_vain_and_waits_again_gets_the_next_message() {
    // The broker may lose what it is asked for just when it ends what it was asked for before.
    at_each(&SITES, &async |site| {
        let mut workers = JoinSet::new();
        for worker in 0..4 {
            let queue = Destination::queue(format!("AGAIN.{worker}"));
            let session = site.session(AckMode::Auto, "").await;
            let producer = site.session(AckMode::Auto, "").await.producer(&queue).await.unwrap();
            let mut consumer = session.consumer(&queue).prefetch(0).open().await.unwrap();
            workers.spawn(async move {
                for round in 0..200_u64 {
                    let instant = Duration::from_micros(200 + round * 7919 % 3000);
                    assert!(consumer.receive_within(instant).await.unwrap().is_none());
                    let sending = producer.send(Outgoing::text(round.to_string()));
                    let (sent, got) = tokio::join!(sending, timeout(PATIENCE, consumer.receive()));
                    sent.unwrap();
                    assert_eq!(text(&got.expect("the message comes").unwrap()), round.to_string());
                }
            });
        }
        while let Some(done) = workers.join_next().await {
            done.unwrap();
        }
    });
}

#[test]
fn who_loses_patience_loses_no_message() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("PATIENCE");
        let session = site.session(AckMode::Auto, "").await;
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        let numbers: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let sent: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let sending = send(site, &queue, &sent);
        let receiving = async {
            let mut got = Vec::new();
            while got.len() < numbers.len() {
                if let Ok(delivery) = timeout(Duration::from_micros(200), consumer.receive()).await {
                    got.push(text(&delivery.unwrap()));
                }
            }
            got
        };
        let ((), got) = tokio::join!(sending, receiving);
        assert_eq!(got, numbers);
        site.until_count(&queue, "size", 0).await;
    });
}

#[test]
fn a_transaction_is_committed_or_rolled_back_whole() {
    at_each(&SITES, &async |site| {
        let (from, to) = (Destination::queue("TX.FROM"), Destination::queue("TX.TO"));
        send(site, &from, &["a", "b"]).await;
        send(site, &to, &["before"]).await;
        let session = site.session(AckMode::Transacted, SOON).await;
        session.commit().await.unwrap();
        session.rollback().await.unwrap();
        let producer = session.producer(&to).await.unwrap();
        let (mut consumer, got) = drained(&session, &from, 2).await;
        for delivery in &got {
            producer.send(Outgoing::text(format!("{} again", text(delivery)))).await.unwrap();
        }
        assert_eq!((site.count(&from, "size").await, site.count(&to, "size").await), (Some(2), Some(1)));
        session.rollback().await.unwrap();
        let again = [next(&mut consumer).await, next(&mut consumer).await];
        assert_eq!(redeliveries(&again), as_texts(&[("a", 1), ("b", 1)]));
        producer.send(Outgoing::text("done")).await.unwrap();
        session.commit().await.unwrap();
        site.until_count(&from, "size", 0).await;
        let (_, got) = drained(&site.session(AckMode::Auto, "").await, &to, 2).await;
        assert_eq!(got.iter().map(text).collect::<Vec<_>>(), ["before", "done"]);
    });
}

#[test]
fn a_consumer_that_is_closed_in_a_transaction_is_part_of_it() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("TX.CLOSED");
        send(site, &queue, &["a", "b", "c"]).await;
        let session = site.session(AckMode::Transacted, SOON).await;
        for (ends, left) in [("rolled back", 3), ("committed", 2)] {
            let (consumer, got) = drained(&session, &queue, 1).await;
            assert_eq!(text(&got[0]), "a");
            if left == 3 {
                consumer.close().await.unwrap();
            } else {
                drop(consumer);
                assert_eq!(got[0].redeliveries(), 1);
            }
            assert_eq!(site.count(&queue, "consumerCount").await, Some(1), "until it is {ends}");
            match left {
                3 => session.rollback().await.unwrap(),
                _ => session.commit().await.unwrap(),
            }
            site.until_count(&queue, "consumerCount", 0).await;
            assert_eq!(site.count(&queue, "size").await, Some(left), "when it is {ends}");
        }
    });
}

#[test]
fn a_commit_goes_on_without_who_wanted_it() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("TX.LEFT");
        let session = site.session(AckMode::Transacted, "").await;
        let producer = session.producer(&queue).await.unwrap();
        for sent in ["a", "b"] {
            producer.send(Outgoing::text(sent)).await.unwrap();
            let mut commit = Box::pin(session.commit());
            // Looked at once, then dropped.
            assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(commit.as_mut().poll(cx).is_pending())).await);
        }
        session.commit().await.unwrap();
        site.until_count(&queue, "size", 2).await;
    });
}

#[test]
fn what_comes_again_comes_before_what_is_new_and_after_its_delay() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("DELAYED");
        let options = "jms.redeliveryPolicy.initialRedeliveryDelay=300";
        for mode in [AckMode::Transacted, AckMode::Client] {
            send(site, &queue, &["a", "b", "c"]).await;
            let session = site.session(mode, options).await;
            let (mut consumer, _) = drained(&session, &queue, 2).await;
            match mode {
                AckMode::Client => session.recover().await.unwrap(),
                _ => session.rollback().await.unwrap(),
            }
            assert!(consumer.receive_within(Duration::from_millis(50)).await.unwrap().is_none());
            let mut got = Vec::new();
            for _ in 0..3 {
                got.push(next(&mut consumer).await);
            }
            assert_eq!(redeliveries(&got), as_texts(&[("a", 1), ("b", 1), ("c", 0)]));
            match mode {
                AckMode::Client => session.acknowledge().await.unwrap(),
                _ => session.commit().await.unwrap(),
            }
            site.until_count(&queue, "size", 0).await;
        }
    });
}

/// Takes those of the dead letters for which this is true: other tests have theirs at the same broker.
async fn letters(site: &Site, selector: &str) -> Consumer {
    let dead = Destination::queue("ActiveMQ.DLQ");
    site.session(AckMode::Auto, "").await.consumer(&dead).selector(selector).open().await.unwrap()
}

#[test]
fn what_comes_too_often_goes_to_the_dead_letters() {
    at_each(&SITES, &async |site| {
        let mut letters = letters(site, "dlqDeliveryFailureCause LIKE '%redeliver%'").await;
        for (name, options, times) in
            [("POISON.6", SOON, 7), ("POISON.1", "jms.redeliveryPolicy.maximumRedeliveries=1", 2)]
        {
            let queue = Destination::queue(name);
            send(site, &queue, &[name, "good"]).await;
            let session = site.session(AckMode::Transacted, &format!("{options}&{SOON}")).await;
            let mut consumer = session.consumer(&queue).open().await.unwrap();
            for time in 0..times {
                let got = next(&mut consumer).await;
                assert_eq!(redeliveries(&[got]), as_texts(&[(name, time)]));
                session.rollback().await.unwrap();
            }
            assert_eq!(text(&next(&mut consumer).await), "good");
            session.commit().await.unwrap();
            // Others send letters there too.
            let letter = loop {
                let letter = next(&mut letters).await;
                if letter.message().headers.original_destination.as_ref() == Some(&queue) {
                    break letter;
                }
            };
            assert_eq!(text(&letter), name);
            let cause = letter.properties().unwrap();
            let cause = format!("{:?}", cause.get("dlqDeliveryFailureCause"));
            assert!(cause.contains("redeliver"), "{cause}");
        }
    });
}

#[test]
fn what_is_refused_goes_to_the_dead_letters_alone_and_with_its_reason() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("REFUSED");
        let mut letters = letters(site, "dlqDeliveryFailureCause LIKE '%nobody knows%'").await;
        send(site, &queue, &["good", "bad", "also good"]).await;
        let session = site.session(AckMode::Individual, "").await;
        let (_consumer, got) = drained(&session, &queue, 3).await;
        got[1].refuse("nobody knows what to do with it").await.unwrap();
        let letter = next(&mut letters).await;
        assert_eq!(text(&letter), "bad");
        let cause = format!("{:?}", letter.properties().unwrap().get("dlqDeliveryFailureCause"));
        assert!(cause.contains("nobody knows what to do with it"), "{cause}");
        site.until_count(&queue, "size", 2).await;
        // What was said of a message is said, and nothing is left to say.
        got[1].refuse("twice").await.unwrap();
        got[1].acknowledge().await.unwrap();
        site.until_count(&queue, "size", 2).await;
        got[0].acknowledge().await.unwrap();
        got[2].acknowledge().await.unwrap();
        site.until_count(&queue, "size", 0).await;
        let (automatic, other) = (site.session(AckMode::Auto, "").await, Destination::queue("REFUSED.LATER"));
        send(site, &other, &["later"]).await;
        let (_other, got) = drained(&automatic, &other, 1).await;
        assert!(matches!(got[0].refuse("too late").await, Err(Error::Misuse(_))));
    });
}

#[test]
fn messages_that_are_handed_over_come_in_their_order_and_each_is_answered() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("HANDED.OVER");
        let session = site.session(AckMode::Auto, "").await;
        let producer = session.any_producer().await.unwrap();
        let mut sendings = Vec::new();
        for number in 0..100 {
            sendings.push(producer.hand_over(&queue, Outgoing::text(number.to_string())).await.unwrap());
        }
        // In whatever order one asks.
        for sending in sendings.into_iter().rev() {
            sending.accepted().await.unwrap();
        }
        site.until_count(&queue, "size", 100).await;
        let (_consumer, got) = drained(&session, &queue, 100).await;
        assert!(got.iter().map(text).eq((0..100).map(|number: i32| number.to_string())));
    });
}

#[test]
fn who_wants_to_gets_what_has_expired() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("EXPIRED.KEPT");
        let session = site.session(AckMode::Auto, "jms.consumerExpiryCheckEnabled=false").await;
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        let brief = Duration::from_millis(150);
        let producer = session.producer(&queue).await.unwrap();
        producer.send(Outgoing::text("expired").time_to_live(brief)).await.unwrap();
        site.until_count(&queue, "inflightCount", 1).await;
        // Time alone makes it expire.
        tokio::time::sleep(brief).await;
        assert_eq!(text(&next(&mut consumer).await), "expired");
    });
}

#[test]
fn who_never_says_why_he_ends_cannot_go_on_for_ever() {
    at_each(&SITES, &async |site| {
        // A program that dies of a message each time: nobody rolls back, the consumer just ends.
        let queue = Destination::queue("DEADLY");
        send(site, &queue, &["deadly", "good"]).await;
        let session = site.session(AckMode::Transacted, "jms.redeliveryPolicy.maximumRedeliveries=2").await;
        for time in 0..3 {
            let dying = site.session(AckMode::Transacted, "").await;
            let (_consumer, got) = drained(&dying, &queue, 1).await;
            assert_eq!(redeliveries(&got), as_texts(&[("deadly", time)]));
        }
        let (_consumer, got) = drained(&session, &queue, 1).await;
        assert_eq!(redeliveries(&got), as_texts(&[("good", 0)]));
    });
}

#[test]
fn what_has_expired_is_not_given() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("EXPIRED");
        let session = site.session(AckMode::Client, "").await;
        let producer = session.producer(&queue).await.unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        // It expires while it lies at the client, between others that do not.
        let brief = Duration::from_millis(150);
        producer.send(Outgoing::text("first")).await.unwrap();
        producer.send(Outgoing::text("expired").time_to_live(brief)).await.unwrap();
        producer.send(Outgoing::text("last").time_to_live(PATIENCE)).await.unwrap();
        site.until_count(&queue, "inflightCount", 3).await;
        let first = next(&mut consumer).await;
        assert_eq!(text(&first), "first");
        // Time alone makes it expire.
        tokio::time::sleep(brief).await;
        let last = next(&mut consumer).await;
        assert_eq!(text(&last), "last");
        let headers = &last.message().headers;
        assert_eq!(headers.expiration - headers.timestamp, PATIENCE.as_millis() as i64);
        // Those that the application has are untouched by the one that it has not.
        site.until_count(&queue, "size", 2).await;
        drop(consumer);
        let (_consumer, got) = drained(&session, &queue, 2).await;
        assert_eq!(redeliveries(&got), as_texts(&[("first", 1), ("last", 1)]));
        session.acknowledge().await.unwrap();

        // Without window another is asked for instead.
        let mut consumer = session.consumer(&queue).prefetch(0).open().await.unwrap();
        assert!(timeout(Duration::from_millis(20), consumer.receive()).await.is_err());
        producer.send(Outgoing::text("expired").time_to_live(brief)).await.unwrap();
        site.until_count(&queue, "inflightCount", 1).await;
        tokio::time::sleep(brief).await;
        producer.send(Outgoing::text("good")).await.unwrap();
        assert_eq!(text(&next(&mut consumer).await), "good");
    });
}

#[test]
fn a_group_stays_with_one_consumer() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("GROUPS");
        let session = site.session(AckMode::Auto, "").await;
        let mut consumers =
            [session.consumer(&queue).open().await.unwrap(), session.consumer(&queue).open().await.unwrap()];
        let producer = session.producer(&queue).await.unwrap();
        for number in 0..20 {
            let group = if number % 2 == 0 { "even" } else { "odd" };
            producer.send(Outgoing::text(number.to_string()).group(group, number / 2 + 1)).await.unwrap();
        }
        let mut got: Vec<BTreeMap<String, Vec<i32>>> = Vec::new();
        for consumer in &mut consumers {
            let mut groups: BTreeMap<String, Vec<i32>> = BTreeMap::new();
            for _ in 0..10 {
                let delivery = next(consumer).await;
                let headers = &delivery.message().headers;
                groups.entry(headers.group_id.clone().unwrap()).or_default().push(headers.group_sequence);
            }
            got.push(groups);
        }
        for groups in &got {
            assert_eq!(groups.len(), 1, "{got:?}");
            assert_eq!(groups.values().next().unwrap(), &(1..=10).collect::<Vec<_>>());
        }
    });
}

#[test]
fn an_exclusive_consumer_gets_all() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("EXCLUSIVE");
        let session = site.session(AckMode::Auto, "").await;
        let mut other = session.consumer(&queue).open().await.unwrap();
        let mut only = session.consumer(&queue).exclusive(true).open().await.unwrap();
        send(site, &queue, &["a", "b", "c", "d"]).await;
        assert_eq!(texts(&mut only, 4).await, ["a", "b", "c", "d"]);
        only.close().await.unwrap();
        nothing_but(site, &queue, &mut other, "after").await;
    });
}

#[test]
fn a_topic_does_not_tell_who_has_said_it() {
    at_each(&SITES, &async |site| {
        let topic = Destination::topic("LOCAL");
        let session = site.session(AckMode::Auto, "").await;
        let mut deaf = session.consumer(&topic).no_local(true).open().await.unwrap();
        let mut all = session.consumer(&topic).open().await.unwrap();
        session.producer(&topic).await.unwrap().send(Outgoing::text("own")).await.unwrap();
        send(site, &topic, &["other"]).await;
        assert_eq!(texts(&mut all, 2).await, ["own", "other"]);
        assert_eq!(text(&next(&mut deaf).await), "other");
    });
}

#[test]
fn a_durable_subscription_keeps_what_comes_meanwhile() {
    at_each(&SITES, &async |site| {
        let topic = Destination::topic("DURABLE");
        let options = "jms.clientID=durable-client";
        let open = async || {
            let connection = site.connect(options).await;
            let session = connection.session(AckMode::Auto).await.unwrap();
            let consumer = session.consumer(&topic).durable("sub").open().await.unwrap();
            (connection, session, consumer)
        };
        let (connection, _session, mut consumer) = open().await;
        send(site, &topic, &["a"]).await;
        assert_eq!(text(&next(&mut consumer).await), "a");
        connection.close().await.unwrap();
        send(site, &topic, &["b", "c"]).await;
        let (connection, session, mut consumer) = open().await;
        assert_eq!(texts(&mut consumer, 2).await, ["b", "c"]);
        assert!(session.unsubscribe("sub").await.is_err(), "somebody still consumes");
        consumer.close().await.unwrap();
        session.unsubscribe("sub").await.unwrap();
        send(site, &topic, &["to nobody"]).await;
        connection.close().await.unwrap();
        let (connection, session, mut consumer) = open().await;
        nothing_but(site, &topic, &mut consumer, "d").await;
        consumer.close().await.unwrap();
        session.unsubscribe("sub").await.unwrap();
        connection.close().await.unwrap();
        let nameless = site.session(AckMode::Auto, "").await;
        assert!(matches!(nameless.consumer(&topic).durable("sub").open().await, Err(Error::Misuse(_))));
        assert!(matches!(nameless.unsubscribe("sub").await, Err(Error::Misuse(_))));
    });
}

#[test]
fn a_full_queue_holds_its_producer_up_and_nobody_else() {
    const COUNT: usize = 300;
    at_each(&SITES, &async |site| {
        // 100 kB have room for a few messages; the window stops the producer before the broker stops its whole connection.
        let queue = Destination::queue("TIGHT.WINDOW");
        let connection = Connection::open(&format!("{}?jms.producerWindowSize=20000&jms.useAsyncSend=true", site.uri))
            .await
            .unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let producer = session.producer(&queue).await.unwrap();
        let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = std::sync::Arc::clone(&sent);
        let sending = tokio::spawn(async move {
            for number in 0..COUNT {
                producer.send(Outgoing::text(format!("{number:01000}"))).await.unwrap();
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
        let is_full = async || site.count(&queue, "memoryPercentUsage").await >= Some(90);
        until("the queue is full", is_full).await;
        assert!(sent.load(std::sync::atomic::Ordering::Relaxed) < COUNT / 2);
        // The same connection still does everything else.
        let free = Destination::queue("FREE");
        session.producer(&free).await.unwrap().send(Outgoing::text("free")).await.unwrap();
        let mut consumer = session.consumer(&free).open().await.unwrap();
        assert_eq!(text(&next(&mut consumer).await), "free");
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        // A broker takes those that have waited for room beside those that come meanwhile: the order is not that of sending.
        let got: BTreeSet<usize> = texts(&mut consumer, COUNT).await.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(got, (0..COUNT).collect());
        sending.await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_send_to_a_full_queue_ends_when_it_is_told_to() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("TIGHT.TIMEOUT");
        let session = site.session(AckMode::Auto, "jms.sendTimeout=300&jms.closeTimeout=100").await;
        let producer = session.producer(&queue).await.unwrap();
        let mut sent = 0;
        let error = loop {
            match producer.send(Outgoing::bytes(vec![0; 10_000])).await {
                Ok(_) => sent += 1,
                Err(error) => break error,
            }
            assert!(sent < 20, "it is full by now");
        };
        assert!(matches!(error, Error::TimedOut(_, limit) if limit == Duration::from_millis(300)), "{error}");
        assert!(error.to_string().contains("jms.sendTimeout"), "{error}");
        // It may come all the same, when there is room.
        let (_consumer, got) = drained(&site.session(AckMode::Auto, "").await, &queue, sent).await;
        assert_eq!(got.len(), sent);
        until("the broker has gone on", async || producer.send(Outgoing::text("next")).await.is_ok()).await;
    });
}
