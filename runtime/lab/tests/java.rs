//! What a test can have the Java client do: messages of every kind, every way to acknowledge, and a look at its connection.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use topoc_lab::{
    Acknowledge, Body, Broker, Draft, End, Java, Link, Message, PATIENCE, Plain, Seen, Sighting, Tally, Value, ports,
    release, until,
};

/// One broker and one Java client for all tests here: each test has queues of its own. They end with the process.
struct Shared {
    java: Java,
    port: u16,
    uri: String,
    _broker: Broker,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab-java");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let port = ports(1).unwrap()[0];
    let broker = Plain::new("one").tcp(port).start(&release("5.18.3").unwrap(), &dir).unwrap();
    broker.wait_started(PATIENCE).unwrap();
    let java = Java::start(&dir).unwrap();
    Shared { java, port, uri: format!("tcp://127.0.0.1:{port}"), _broker: broker }
});

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_deref().unwrap()).collect()
}

fn drafts(texts: &[&str]) -> Vec<Draft> {
    texts.iter().map(|text| Draft::text(text)).collect()
}

/// What waits in a queue.
fn waiting(queue: &str) -> usize {
    SHARED.java.browse(&SHARED.uri, queue, "", PATIENCE).unwrap().len()
}

/// A value of every type, at its limits.
fn values() -> BTreeMap<String, Value> {
    let values = [
        ("bool", Value::Bool(true)),
        ("byte", Value::Byte(i8::MIN)),
        ("short", Value::Short(i16::MAX)),
        ("int", Value::Int(i32::MIN)),
        ("long", Value::Long(i64::MAX)),
        ("float", Value::Float(f32::NEG_INFINITY)),
        ("double", Value::Double(-0.1)),
        ("text", Value::Text("grün \" \\ \t\r\n".to_owned())),
        ("null", Value::Null),
        ("char", Value::Char(0xd83d)),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn more_values() -> BTreeMap<String, Value> {
    let mut values = values();
    values.insert("bytes".to_owned(), Value::Bytes(vec![0, 127, 128, 255]));
    values
        .insert("list".to_owned(), Value::List(vec![Value::Int(1), Value::List(vec![Value::Text("deep".to_owned())])]));
    values.insert("map".to_owned(), Value::Map(BTreeMap::from([("inner".to_owned(), Value::Long(7))])));
    values
}

#[test]
fn bodies_and_properties_of_every_kind_arrive_as_they_were() {
    let in_stream = more_values().into_iter().filter(|(name, _)| name != "map" && name != "list");
    let bodies = [
        Body::None,
        Body::Text(None),
        Body::Text(Some(String::new())),
        Body::Text(Some("grün ".repeat(5_000))),
        Body::Bytes(Vec::new()),
        Body::Bytes((0..=255).collect()),
        Body::Map(BTreeMap::new()),
        Body::Map(more_values()),
        Body::Stream(in_stream.map(|(_, value)| value).collect()),
        Body::Object(vec![0xac, 0xed, 0, 5, 0x70]),
    ];
    for options in ["", "?jms.useCompression=true"] {
        let uri = format!("{}{options}", SHARED.uri);
        let queue = format!("KINDS{}", options.len());
        let receiver = SHARED.java.receiver(&uri, &queue).unwrap();
        let drafts: Vec<Draft> =
            bodies.iter().map(|body| Draft { properties: values(), ..Draft::of(body.clone()) }).collect();
        let ids = SHARED.java.post(&uri, &queue, &drafts, PATIENCE).unwrap();
        let messages = receiver.wait_messages(bodies.len(), PATIENCE).unwrap();
        for ((draft, id), message) in drafts.iter().zip(&ids).zip(&messages) {
            assert_eq!(&message.id, id);
            assert_eq!(message.body, draft.body);
            assert_eq!(message.properties, draft.properties);
        }
        assert_eq!(messages[3].compressed, !options.is_empty());
    }
}

#[test]
fn characters_beyond_16_bits_pass_in_bodies_and_break_in_properties() {
    // Sent in Java's modified UTF-8, read in plain UTF-8 (`UTF8Buffer` in `MarshallingSupport`): so much of a property is
    // lost between two Java clients, and no other client can be asked for more.
    const SMILE: &str = "\u{1f600}";
    let receiver = SHARED.java.receiver(&SHARED.uri, "SMILES").unwrap();
    let smile = || Value::Text(SMILE.to_owned());
    let in_stream = Draft::of(Body::Stream(vec![smile()]));
    let drafts = [Draft::text(SMILE).with("smile", smile()), in_stream.clone()];
    SHARED.java.post(&SHARED.uri, "SMILES", &drafts, PATIENCE).unwrap();
    let messages = receiver.wait_messages(2, PATIENCE).unwrap();
    assert_eq!(messages[0].text.as_deref(), Some(SMILE));
    assert_eq!(messages[0].properties["smile"], Value::Text("\u{fffd}\u{fffd}".to_owned()));
    assert_eq!(messages[1].body, in_stream.body);
}

#[test]
fn headers_arrive_as_they_were() {
    let receiver = SHARED.java.receiver(&SHARED.uri, "HEADERS").unwrap();
    let draft = Draft {
        persistent: false,
        priority: 9,
        time_to_live_ms: 60_000,
        correlation: Some("c-1".to_owned()),
        reply_to: Some("topic://T".to_owned()),
        kind: Some("order".to_owned()),
        group: Some("g".to_owned()),
        group_sequence: 3,
        ..Draft::text("hello")
    };
    SHARED.java.post(&SHARED.uri, "HEADERS", &[draft, Draft::text("plain")], PATIENCE).unwrap();
    // A broker does not keep the order between persistent messages and others.
    let messages = receiver.wait_messages(2, PATIENCE).unwrap();
    let by_text = |text: &str| messages.iter().find(|message| message.text.as_deref() == Some(text)).unwrap();
    let first = by_text("hello");
    assert_eq!((first.persistent, first.priority, first.deliveries), (false, 9, 1));
    assert_eq!(first.expiration_ms - first.timestamp_ms, 60_000);
    assert_eq!(first.correlation.as_deref(), Some("c-1"));
    assert_eq!(first.reply_to.as_deref(), Some("topic://T"));
    assert_eq!(first.kind.as_deref(), Some("order"));
    assert_eq!((first.group.as_deref(), first.group_sequence), (Some("g"), 3));
    assert_eq!(first.destination, "queue://HEADERS");
    let plain = by_text("plain");
    assert_eq!((plain.persistent, plain.priority, plain.expiration_ms), (true, 4, 0));
    assert_eq!((&plain.reply_to, &plain.kind, &plain.group, &plain.user), (&None, &None, &None, &None));
}

#[test]
fn messages_are_acknowledged_as_told() {
    let (java, uri) = (&SHARED.java, &SHARED.uri);
    java.post(uri, "INDIVIDUAL", &drafts(&["a", "b", "c"]), PATIENCE).unwrap();
    let receiver = java.receiver_with(uri, "INDIVIDUAL", Acknowledge::Individual, "").unwrap();
    receiver.wait_messages(3, PATIENCE).unwrap();
    receiver.acknowledge(1, PATIENCE).unwrap();
    receiver.close(PATIENCE).unwrap();
    assert_eq!(texts(&java.browse(uri, "INDIVIDUAL", "", PATIENCE).unwrap()), ["a", "c"]);

    java.post(uri, "CLIENT", &drafts(&["a", "b", "c"]), PATIENCE).unwrap();
    let receiver = java.receiver_with(uri, "CLIENT", Acknowledge::Client, "").unwrap();
    receiver.wait_messages(3, PATIENCE).unwrap();
    assert_eq!(waiting("CLIENT"), 3);
    receiver.recover(PATIENCE).unwrap();
    let again = receiver.wait_messages(6, PATIENCE).unwrap();
    assert!(again[3].redelivered && again[3].deliveries == 2);
    receiver.acknowledge(5, PATIENCE).unwrap();
    until("all are acknowledged", || (waiting("CLIENT") == 0).then_some(()));

    java.post(uri, "DUPS", &drafts(&["a"]), PATIENCE).unwrap();
    let receiver = java.receiver_with(uri, "DUPS", Acknowledge::DupsOk, "").unwrap();
    receiver.wait_messages(1, PATIENCE).unwrap();
    receiver.close(PATIENCE).unwrap();
    assert_eq!(waiting("DUPS"), 0);
}

#[test]
fn transactions_end_as_told() {
    let (java, uri) = (&SHARED.java, format!("{}?jms.redeliveryPolicy.initialRedeliveryDelay=0", SHARED.uri));
    let (uri, queue) = (uri.as_str(), "TRANSACTED");
    java.post_in_transaction(uri, queue, &drafts(&["never"]), End::Rollback, PATIENCE).unwrap();
    assert_eq!(waiting(queue), 0);
    java.post_in_transaction(uri, queue, &drafts(&["a", "b"]), End::Commit, PATIENCE).unwrap();
    assert_eq!(waiting(queue), 2);

    let receiver = java.receiver_with(uri, queue, Acknowledge::Transacted, "").unwrap();
    receiver.wait_messages(2, PATIENCE).unwrap();
    receiver.rollback(PATIENCE).unwrap();
    let again = receiver.wait_messages(4, PATIENCE).unwrap();
    assert_eq!(texts(&again), ["a", "b", "a", "b"]);
    assert!(again[2].redelivered && !again[0].redelivered);
    assert_eq!(waiting(queue), 2);
    receiver.commit(PATIENCE).unwrap();
    assert_eq!(waiting(queue), 0);
}

#[test]
fn selectors_choose() {
    let (java, uri, queue) = (&SHARED.java, &SHARED.uri, "SELECTED");
    let sized = |text: &str, size: i32| Draft::text(text).with("size", Value::Int(size));
    java.post(uri, queue, &[sized("small", 1), sized("big", 9)], PATIENCE).unwrap();
    assert_eq!(texts(&java.browse(uri, queue, "size > 5", PATIENCE).unwrap()), ["big"]);
    let receiver = java.receiver_with(uri, queue, Acknowledge::Auto, "size < 5").unwrap();
    assert_eq!(texts(&receiver.wait_messages(1, PATIENCE).unwrap()), ["small"]);
    receiver.close(PATIENCE).unwrap();
    assert_eq!(texts(&java.browse(uri, queue, "", PATIENCE).unwrap()), ["big"]);
    let error = java.browse(uri, queue, "size <", PATIENCE).unwrap_err();
    assert!(error.to_string().contains("InvalidSelectorException"), "{error}");
}

#[test]
fn options_of_a_consumer_go_with_the_name_of_the_queue() {
    let (java, uri) = (&SHARED.java, &SHARED.uri);
    let first = java.receiver(uri, "EXCLUSIVE?consumer.exclusive=true").unwrap();
    first.wait_ready(PATIENCE).unwrap();
    let second = java.receiver(uri, "EXCLUSIVE").unwrap();
    second.wait_ready(PATIENCE).unwrap();
    java.post(uri, "EXCLUSIVE", &drafts(&["a", "b", "c", "d"]), PATIENCE).unwrap();
    assert_eq!(texts(&first.wait_messages(4, PATIENCE).unwrap()), ["a", "b", "c", "d"]);
    assert_eq!(second.messages(), []);
}

#[test]
fn topics_are_destinations_too() {
    let receivers = [(); 2].map(|()| SHARED.java.receiver(&SHARED.uri, "topic://NEWS").unwrap());
    for receiver in &receivers {
        receiver.wait_ready(PATIENCE).unwrap();
    }
    SHARED.java.send(&SHARED.uri, "topic://NEWS", &["hello"], PATIENCE).unwrap();
    for receiver in &receivers {
        assert_eq!(receiver.wait_messages(1, PATIENCE).unwrap()[0].destination, "topic://NEWS");
    }
}

#[test]
fn a_watcher_tells_where_the_client_is() {
    let dir = tempfile::tempdir().unwrap();
    let port = ports(1).unwrap()[0];
    let two = Plain::new("two").tcp(port).start(&release("5.18.3").unwrap(), dir.path()).unwrap();
    two.wait_started(PATIENCE).unwrap();
    let link = Link::to((Ipv4Addr::LOCALHOST, SHARED.port)).unwrap();
    let two_uri = format!("tcp://127.0.0.1:{port}");
    let uri = format!("failover:({},{two_uri})?randomize=false&priorityBackup=true&maxReconnectDelay=200", link.uri());

    let watcher = SHARED.java.watch(&uri).unwrap();
    let start = watcher.wait_address(&link.uri(), PATIENCE).unwrap();
    let numbers = SHARED.java.numbers(&uri, "AT-ONE", 1_000, Duration::from_millis(1)).unwrap();
    numbers.wait_sent(10, PATIENCE).unwrap();

    link.cut();
    let moved = watcher.wait_address(&two_uri, PATIENCE).unwrap();
    assert!(moved >= start);
    assert_eq!(watcher.address().as_deref(), Some(two_uri.as_str()));
    numbers.wait_done(PATIENCE).unwrap();
    assert_eq!(numbers.sent(), 1_000);

    link.open();
    let back = watcher.wait_address(&link.uri(), PATIENCE).unwrap();
    assert!(back >= moved);

    // They are at two brokers now. One that was sent again may be there twice, and none may be nowhere.
    let parts = [&SHARED.uri, &two_uri].map(|uri| SHARED.java.receiver(uri, "AT-ONE").unwrap());
    let all = until("every number has come", || {
        let all: Vec<Message> = parts.iter().flat_map(topoc_lab::Receiver::messages).collect();
        Tally::of(&all).missing(0..1_000).is_empty().then_some(all)
    });
    assert!(Tally::of(&all).duplicates().len() <= 1);

    // Without `failover:` a lost connection stays lost.
    let plain = SHARED.java.watch(&two_uri).unwrap();
    plain.wait_address(&two_uri, PATIENCE).unwrap();
    two.kill();
    let lost = |sighting: &Sighting| matches!(sighting.what, Seen::Lost(_));
    plain.wait_for("lost", PATIENCE, |sightings| sightings.iter().any(lost).then_some(())).unwrap();
    assert_eq!(plain.address(), None);
}

#[test]
fn a_link_to_a_dead_broker_is_dialled_in_vain() {
    let (dir, release) = (tempfile::tempdir().unwrap(), release("5.18.3").unwrap());
    let port = ports(1).unwrap()[0];
    let plain = Plain::new("mortal").tcp(port);
    let link = Link::to((Ipv4Addr::LOCALHOST, port)).unwrap();
    let watcher = SHARED.java.watch(&format!("failover:({})?maxReconnectDelay=10", link.uri())).unwrap();
    for life in 1..=2 {
        let broker = plain.start(&release, dir.path()).unwrap();
        let wait_seen = |what: &str, seen: &Seen| {
            let count = |sightings: &[Sighting]| sightings.iter().filter(|sighting| sighting.what == *seen).count();
            watcher.wait_for(what, PATIENCE, |sightings| (count(sightings) >= life).then_some(())).unwrap();
        };
        wait_seen("connected", &Seen::Connected(link.uri()));
        assert_eq!(link.accepted(), life, "no connection but those that came about");
        // By a crash, then by an orderly end.
        if life == 1 {
            broker.kill();
        } else {
            broker.terminate(PATIENCE).unwrap();
        }
        wait_seen("interrupted", &Seen::Interrupted);
    }
}

#[test]
fn numbers_survive_a_reset() {
    let link = Link::to((Ipv4Addr::LOCALHOST, SHARED.port)).unwrap();
    let uri = format!("failover:({})?maxReconnectDelay=100", link.uri());
    let receiver = SHARED.java.receiver(&uri, "NUMBERS").unwrap();
    receiver.wait_ready(PATIENCE).unwrap();
    let numbers = SHARED.java.numbers(&uri, "NUMBERS", 500, Duration::from_millis(1)).unwrap();
    for count in [100, 200, 300] {
        numbers.wait_sent(count, PATIENCE).unwrap();
        link.reset();
    }
    numbers.wait_done(PATIENCE).unwrap();
    let tally = receiver.wait_numbers(0..500, PATIENCE).unwrap();
    assert_eq!(tally.missing(0..501), [500]);
    assert!(link.accepted() >= 5, "the sender alone has connected four times");
}

#[test]
fn a_tally_counts() {
    let mut tally = Tally::default();
    tally.times.extend([(0, 1), (2, 3)]);
    assert_eq!(tally.missing(0..4), [1, 3]);
    assert_eq!(tally.duplicates(), [2]);
}
