//! The client beside ActiveMQ's own: what one of them sends the other reads, kind by kind, type by type, header by header.

mod support;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use support::{JAVA, Site, at_each, next, plain_sites, text};
use topoc_lab::{self as lab, Acknowledge, Draft, PATIENCE};
use topoc_openwire::{AckMode, Body, Delivery, Destination, Map, Outgoing, Value};

static SITES: LazyLock<Vec<Site>> = LazyLock::new(|| plain_sites(|plain| plain));

/// A value of every type that a property can have, at its limits: ours and Java's.
fn values() -> Vec<(&'static str, Value, lab::Value)> {
    let long = "gr\u{fc}n ".repeat(5_000);
    vec![
        ("null", Value::Null, lab::Value::Null),
        ("bool", true.into(), lab::Value::Bool(true)),
        ("byte", i8::MIN.into(), lab::Value::Byte(i8::MIN)),
        ("char", Value::Char(0xd83d), lab::Value::Char(0xd83d)),
        ("short", i16::MAX.into(), lab::Value::Short(i16::MAX)),
        ("int", i32::MIN.into(), lab::Value::Int(i32::MIN)),
        ("long", i64::MAX.into(), lab::Value::Long(i64::MAX)),
        ("float", f32::NEG_INFINITY.into(), lab::Value::Float(f32::NEG_INFINITY)),
        ("double", (-0.1).into(), lab::Value::Double(-0.1)),
        ("text", "gr\u{fc}n \u{4e2d}\u{ffff}".into(), lab::Value::Text("gr\u{fc}n \u{4e2d}\u{ffff}".to_owned())),
        ("long text", long.as_str().into(), lab::Value::Text(long.clone())),
        ("empty", "".into(), lab::Value::Text(String::new())),
    ]
}

/// Those that only maps can have, too.
fn more_values() -> Vec<(&'static str, Value, lab::Value)> {
    let bytes = vec![0, 127, 128, 255];
    let inner = lab::Value::Map(BTreeMap::from([("inner".to_owned(), lab::Value::Long(7))]));
    let mut all = values();
    all.extend([
        ("bytes", Value::Bytes(bytes.clone().into()), lab::Value::Bytes(bytes)),
        ("list", vec![1.into(), vec!["deep".into()].into()].into(), {
            lab::Value::List(vec![lab::Value::Int(1), lab::Value::List(vec![lab::Value::Text("deep".to_owned())])])
        }),
        ("map", Map::default().with("inner", 7_i64).into(), inner),
    ]);
    all
}

fn ours(values: &[(&str, Value, lab::Value)]) -> Map {
    values.iter().map(|(name, value, _)| (*name, value.clone())).collect()
}

fn theirs(values: &[(&str, Value, lab::Value)]) -> BTreeMap<String, lab::Value> {
    values.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Every kind of body, of the smallest and of a usual size: ours and Java's.
fn bodies() -> Vec<(Body, lab::Body)> {
    let all = more_values();
    let in_stream: Vec<_> = all.iter().filter(|(name, ..)| *name != "map" && *name != "list").collect();
    let stream = in_stream.iter().map(|(_, value, _)| value.clone()).collect();
    let java_stream = in_stream.iter().map(|(.., value)| value.clone()).collect();
    let long = "\u{1f600} gr\u{fc}n \0".repeat(20_000);
    let bytes: Vec<u8> = (0..=255).collect();
    // A serialised null.
    let object = vec![0xac, 0xed, 0, 5, 0x70];
    vec![
        (Body::None, lab::Body::None),
        (Body::Text(None), lab::Body::Text(None)),
        (Body::Text(Some(String::new())), lab::Body::Text(Some(String::new()))),
        (Body::Text(Some(long.clone())), lab::Body::Text(Some(long))),
        (Body::Bytes(Vec::new().into()), lab::Body::Bytes(Vec::new())),
        (Body::Bytes(bytes.clone().into()), lab::Body::Bytes(bytes)),
        (Body::Map(Map::default()), lab::Body::Map(BTreeMap::new())),
        (Body::Map(ours(&all)), lab::Body::Map(theirs(&all))),
        (Body::Stream(Vec::new()), lab::Body::Stream(Vec::new())),
        (Body::Stream(stream), lab::Body::Stream(java_stream)),
        (Body::Object(object.clone().into()), lab::Body::Object(object)),
    ]
}

/// Names in an order of their own: a map of Java's has none.
fn sorted(body: Body) -> Body {
    match body {
        Body::Map(map) => Body::Map(sorted_map(&map)),
        other => other,
    }
}

fn sorted_map(map: &Map) -> Map {
    map.iter().map(|(name, value)| (name, value.clone())).collect::<BTreeMap<_, _>>().into_iter().collect()
}

#[test]
fn java_reads_what_we_send() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("TO.JAVA");
        let producer = site.session(AckMode::Auto, "").await.producer(&queue).await.unwrap();
        let receiver = JAVA.receiver(&site.uri, queue.name()).unwrap();
        for (body, _) in bodies() {
            let message = values()
                .into_iter()
                .fold(Outgoing::new(body), |message, (name, value, _)| message.property(name, value));
            producer.send(message).await.unwrap();
        }
        let messages = receiver.wait_messages(bodies().len(), PATIENCE).unwrap();
        for ((_, body), message) in bodies().into_iter().zip(messages) {
            assert_eq!(message.body, body);
            assert_eq!(message.properties, theirs(&values()));
            assert!(!message.compressed);
        }
    });
}

#[test]
fn we_read_what_java_sends_compressed_or_not() {
    at_each(&SITES, &async |site| {
        for options in ["", "?jms.useCompression=true"] {
            let queue = Destination::queue(format!("FROM.JAVA{}", options.len()));
            let properties = theirs(&values());
            let drafts: Vec<Draft> = bodies()
                .into_iter()
                .map(|(_, body)| Draft { properties: properties.clone(), ..Draft::of(body) })
                .collect();
            let ids = JAVA.post(&format!("{}{options}", site.uri), queue.name(), &drafts, PATIENCE).unwrap();
            let mut consumer = site.session(AckMode::Auto, "").await.consumer(&queue).open().await.unwrap();
            for ((body, _), id) in bodies().into_iter().zip(ids) {
                let delivery = next(&mut consumer).await;
                assert_eq!(delivery.id().unwrap().to_string(), id);
                assert_eq!(sorted(delivery.body().unwrap()), sorted(body), "{options}");
                assert_eq!(sorted_map(&delivery.properties().unwrap()), sorted_map(&ours(&values())));
                let long = matches!(delivery.body().unwrap(), Body::Text(Some(text)) if text.len() > 1000);
                assert!(!long || delivery.message().headers.compressed != options.is_empty());
            }
        }
    });
}

#[test]
fn characters_beyond_16_bits_are_read_from_java_everywhere() {
    const SMILE: &str = "\u{1f600}";
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("SMILES");
        let session = site.session(AckMode::Auto, "").await;
        let smile = || lab::Value::Text(SMILE.to_owned());
        let map = lab::Body::Map(BTreeMap::from([(SMILE.to_owned(), smile())]));
        let drafts =
            [Draft::text(SMILE).with("smile", smile()), Draft::of(lab::Body::Stream(vec![smile()])), Draft::of(map)];
        JAVA.post(&site.uri, queue.name(), &drafts, PATIENCE).unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        let first = next(&mut consumer).await;
        assert_eq!(text(&first), SMILE);
        // Java itself reads two broken characters here.
        assert_eq!(first.properties().unwrap().get("smile"), Some(&SMILE.into()));
        assert_eq!(next(&mut consumer).await.body().unwrap(), Body::Stream(vec![SMILE.into()]));
        assert_eq!(next(&mut consumer).await.body().unwrap(), Body::Map(Map::default().with(SMILE, SMILE)));
        consumer.close().await.unwrap();

        let producer = session.producer(&queue).await.unwrap();
        for body in [Body::Text(Some(SMILE.to_owned())), Body::Stream(vec![SMILE.into()])] {
            producer.send(Outgoing::new(body).property("smile", SMILE)).await.unwrap();
        }
        let messages = JAVA.receiver(&site.uri, queue.name()).unwrap().wait_messages(2, PATIENCE).unwrap();
        assert_eq!(messages[0].text.as_deref(), Some(SMILE));
        assert_eq!(messages[0].properties["smile"], lab::Value::Text("\u{fffd}\u{fffd}".to_owned()));
        assert_eq!(messages[1].body, lab::Body::Stream(vec![smile()]));
    });
}

#[test]
fn a_long_property_is_no_trouble() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("LONG");
        let session = site.session(AckMode::Auto, "").await;
        let huge = "\u{4e2d}".repeat(1_000_000);
        let receiver = JAVA.receiver(&site.uri, queue.name()).unwrap();
        let producer = session.producer(&queue).await.unwrap();
        producer.send(Outgoing::text("x").property("huge", huge.as_str())).await.unwrap();
        let message = receiver.wait_messages(1, PATIENCE).unwrap().remove(0);
        assert!(message.properties["huge"] == lab::Value::Text(huge.clone()));
        receiver.close(PATIENCE).unwrap();
        let draft = Draft::text("y").with("huge", lab::Value::Text(huge.clone()));
        JAVA.post(&site.uri, queue.name(), &[draft], PATIENCE).unwrap();
        let delivery = next(&mut session.consumer(&queue).open().await.unwrap()).await;
        assert!(delivery.properties().unwrap().get("huge") == Some(&huge.as_str().into()));
        // A header has room for 65,535 bytes, and that is said before anything is sent.
        let error = producer.send(Outgoing::text("z").correlation_id("\u{4e2d}".repeat(30_000))).await.unwrap_err();
        assert!(matches!(error, topoc_openwire::Error::Encode(_)), "{error}");
    });
}

#[test]
fn java_reads_every_header() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("HEADERS.TO.JAVA");
        let producer = site.session(AckMode::Auto, "").await.producer(&queue).await.unwrap();
        let receiver = JAVA.receiver(&site.uri, queue.name()).unwrap();
        let full = Outgoing::text("full")
            .persistent(false)
            .priority(9)
            .time_to_live(Duration::from_secs(60))
            .correlation_id("c-1")
            .reply_to(Destination::topic("T"))
            .message_type("order")
            .group("g", 3);
        let full = producer.send(full).await.unwrap();
        let plain = producer.send(Outgoing::text("plain")).await.unwrap();
        let messages = receiver.wait_messages(2, PATIENCE).unwrap();
        let by_text = |text: &str| messages.iter().find(|message| message.text.as_deref() == Some(text)).unwrap();
        let message = by_text("full");
        assert_eq!(message.id, full.to_string());
        assert_eq!((message.persistent, message.priority, message.deliveries), (false, 9, 1));
        assert_eq!(message.expiration_ms - message.timestamp_ms, 60_000);
        assert_eq!(message.correlation.as_deref(), Some("c-1"));
        assert_eq!(message.reply_to.as_deref(), Some("topic://T"));
        assert_eq!(message.kind.as_deref(), Some("order"));
        assert_eq!((message.group.as_deref(), message.group_sequence), (Some("g"), 3));
        assert_eq!(message.destination, "queue://HEADERS.TO.JAVA");
        let message = by_text("plain");
        assert_eq!(message.id, plain.to_string());
        assert_eq!((message.persistent, message.priority, message.expiration_ms), (true, 4, 0));
        assert_eq!((&message.reply_to, &message.kind, &message.group), (&None, &None, &None));
        assert_eq!((&message.correlation, message.redelivered, &message.user), (&None, false, &None));
    });
}

#[test]
fn we_read_every_header() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("HEADERS.FROM.JAVA");
        let draft = Draft {
            persistent: false,
            priority: 9,
            time_to_live_ms: 60_000,
            correlation: Some("c-1".to_owned()),
            reply_to: Some("topic://T".to_owned()),
            kind: Some("order".to_owned()),
            group: Some("g".to_owned()),
            group_sequence: 3,
            ..Draft::text("full")
        };
        let ids = JAVA.post(&site.uri, queue.name(), &[draft, Draft::text("plain")], PATIENCE).unwrap();
        let session = site.session(AckMode::Individual, "").await;
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        let got: Vec<Delivery> = vec![next(&mut consumer).await, next(&mut consumer).await];
        let by_text = |name: &str| got.iter().find(|delivery| text(delivery) == name).unwrap();
        let full = by_text("full");
        let headers = &full.message().headers;
        assert_eq!(full.id().unwrap().to_string(), ids[0]);
        assert_eq!((headers.persistent, headers.priority), (false, 9));
        assert_eq!(headers.expiration - headers.timestamp, 60_000);
        assert_eq!((full.correlation_id(), full.message_type()), (Some("c-1"), Some("order")));
        assert_eq!(full.reply_to(), Some(&Destination::topic("T")));
        assert_eq!((headers.group_id.as_deref(), headers.group_sequence), (Some("g"), 3));
        assert_eq!((full.destination(), full.redeliveries()), (Some(&queue), 0));
        let plain = by_text("plain");
        let headers = &plain.message().headers;
        assert_eq!((headers.persistent, headers.priority, headers.expiration), (true, 4, 0));
        assert_eq!((plain.reply_to(), plain.message_type(), &headers.group_id), (None, None, &None));
    });
}

#[test]
fn redeliveries_are_counted_from_one_client_to_the_other() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("COUNTED");
        support::send(site, &queue, &["a"]).await;
        let session = site.session(AckMode::Individual, "").await;
        for expected in [0, 2] {
            let mut consumer = session.consumer(&queue).open().await.unwrap();
            assert_eq!(next(&mut consumer).await.redeliveries(), expected);
            consumer.close().await.unwrap();
            let receiver = JAVA.receiver_with(&site.uri, queue.name(), Acknowledge::Client, "").unwrap();
            let message = receiver.wait_messages(1, PATIENCE).unwrap().remove(0);
            assert_eq!((message.deliveries, message.redelivered), (expected.cast_unsigned() + 2, true));
            receiver.close(PATIENCE).unwrap();
        }
    });
}

#[test]
fn transactions_of_one_are_seen_by_the_other() {
    at_each(&SITES, &async |site| {
        let queue = Destination::queue("TX");
        let session = site.session(AckMode::Transacted, "").await;
        let producer = session.producer(&queue).await.unwrap();
        producer.send(Outgoing::text("never")).await.unwrap();
        session.rollback().await.unwrap();
        producer.send(Outgoing::text("a")).await.unwrap();
        assert_eq!(JAVA.browse(&site.uri, queue.name(), "", PATIENCE).unwrap(), []);
        session.commit().await.unwrap();
        let seen = JAVA.browse(&site.uri, queue.name(), "", PATIENCE).unwrap();
        assert_eq!(seen.iter().map(|message| message.text.as_deref().unwrap()).collect::<Vec<_>>(), ["a"]);

        let drafts = [Draft::text("b")];
        JAVA.post_in_transaction(&site.uri, queue.name(), &[Draft::text("never")], lab::End::Rollback, PATIENCE)
            .unwrap();
        JAVA.post_in_transaction(&site.uri, queue.name(), &drafts, lab::End::Commit, PATIENCE).unwrap();
        let mut consumer = session.consumer(&queue).open().await.unwrap();
        assert_eq!(support::texts(&mut consumer, 2).await, ["a", "b"]);
        session.commit().await.unwrap();
        site.until_count(&queue, "size", 0).await;
    });
}
