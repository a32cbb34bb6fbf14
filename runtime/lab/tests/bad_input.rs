//! What topoc warns of really fails, on real brokers: good files with one fault each, made by hand where topoc refuses.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

mod support;

use std::fs;
use std::time::Duration;

use support::{Loopback, Room, Topology, until};
use topoc_lab::{Broker, Java, LabError, PATIENCE};

/// A file of the broker `a` with one fault, and what the broker says of it before it ends.
struct Refused {
    fault: &'static str,
    element: &'static str,
    attribute: &'static str,
    /// The new value from the old one, as the file spells it.
    value: fn(&str) -> String,
    says: &'static str,
    releases: &'static [&'static str],
}

const OLD_AND_NEW: &[&str] = &["5.17.6", "6.3.1"];

const REFUSED: &[Refused] = &[
    Refused {
        fault: "failover on a listener",
        element: "transportConnector",
        attribute: "uri",
        value: |uri| format!("failover:({uri})"),
        says: "Invalid server URI: failover:(tcp://127.0.0.1:",
        releases: OLD_AND_NEW,
    },
    Refused {
        fault: "a bridge that dials with bare failover",
        element: "networkConnector",
        attribute: "uri",
        value: |uri| uri.replace("static:", "failover:"),
        says: "DiscoveryAgent scheme NOT recognized: [failover]",
        releases: OLD_AND_NEW,
    },
    Refused {
        fault: "a bridge with the name of a listener",
        element: "networkConnector",
        attribute: "name",
        value: |_| "openwire".to_owned(),
        says: "Bean name 'openwire' is already used",
        releases: OLD_AND_NEW,
    },
    Refused {
        fault: "a bridge without prefetch",
        element: "networkConnector",
        attribute: "prefetchSize",
        value: |_| "0".to_owned(),
        says: "prefetchSize must be > 0",
        releases: OLD_AND_NEW,
    },
    Refused {
        fault: "a listener's attribute that is newer than the release",
        element: "transportConnector",
        attribute: "autoStart",
        value: |_| "true".to_owned(),
        says: "Attribute 'autoStart' is not allowed to appear in element 'transportConnector'",
        releases: &["5.17.6"],
    },
    Refused {
        fault: "a bridge's attribute that is newer than the release",
        element: "networkConnector",
        attribute: "autoStart",
        value: |_| "true".to_owned(),
        says: "Attribute 'autoStart' is not allowed to appear in element 'networkConnector'",
        releases: &["5.17.6"],
    },
];

/// How long a bridge that is never rebuilt is given after the others are up.
const GRACE: Duration = Duration::from_secs(4);

/// A topology of brokers `names`, bridged as `bridges` says.
fn brokers(names: &[&str], bridges: &str) -> Topology {
    let broker = |name: &&str| {
        let store = format!("store kahadb {{ directory = \"/var/lib/activemq/{name}\" }}");
        format!("  broker {name} {{ host = \"{name}\"; listen openwire {{ port = 61616 }}; {store} }}\n")
    };
    let brokers: String = names.iter().map(broker).collect();
    Topology::of(format!("topology t {{ activemq = \"6.3.1\" }}\nsite s {{\n{brokers}}}\n{bridges}"))
}

/// Sets an attribute of the element in a broker's file that has this name, or of the only one; none takes it away.
fn edit(
    loopback: &Loopback,
    broker: &str,
    element: (&str, Option<&str>),
    attribute: &str,
    value: impl Fn(&str) -> Option<String>,
) {
    let file = loopback.xml(broker);
    let text = fs::read_to_string(&file).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let (tag, name) = element;
    let is_it = |node: &roxmltree::Node<'_, '_>| {
        node.tag_name().name() == tag && name.is_none_or(|name| node.attribute("name") == Some(name))
    };
    let found: Vec<_> = document.descendants().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{tag} {name:?} in {text}");
    let old = found[0].attribute_node(attribute);
    let place = old.map_or_else(
        || {
            let end = found[0].range().start + 1 + tag.len();
            end..end
        },
        |old| old.range(),
    );
    let new = value(old.map_or("", |old| &text[old.range_value()]));
    let written = new.map(|value| format!(" {attribute}=\"{value}\"")).unwrap_or_default();
    fs::write(&file, format!("{} {written}{}", &text[..place.start], &text[place.end..])).unwrap();
}

#[test]
fn a_broker_refuses_the_file_and_says_why() {
    let topology = brokers(&["a", "b"], "bridge a -> b");
    for case in REFUSED {
        for release in case.releases {
            let loopback = Loopback::of(&topology, release);
            edit(&loopback, "a", (case.element, None), case.attribute, |old| Some((case.value)(old)));
            let _room = Room::take(1);
            let broker = loopback.start("a");
            let status = broker.wait_exit(PATIENCE).unwrap();
            let log = broker.log().unwrap();
            assert!(log.contains(case.says), "{} on {release} ({status}): {log}", case.fault);
            assert_eq!(status.code(), Some(1), "{} on {release}", case.fault);
        }
    }
}

#[test]
fn failover_on_a_listener_is_refused_by_topoc_too() {
    let text = "topology t { activemq = \"6.3.1\" }
site s { broker a { host = \"a\"; listen openwire { uri = \"failover:(tcp://a:61616)\" } } }";
    let found = Topology::of(text).analyze("").diagnostics;
    assert!(found.iter().any(|diagnostic| diagnostic.rule.name == "failover-on-listener"), "{found:?}");
}

#[test]
fn a_bridge_by_failover_is_never_rebuilt_unless_attempts_are_zero() {
    OLD_AND_NEW.iter().for_each(|release| never_rebuilt(release));
}

/// Three duplex bridges lose their far brokers and get them back. Two are rebuilt. Of the one by bare failover only the
/// connection comes back: the far broker does not know that there is a bridge, and keeps what it should send over it.
/// (What goes the other way may still cross, since failover restores the bridge's own subscription: seen on both releases.)
fn never_rebuilt(release: &str) {
    let far = ["plain", "bare", "without-attempts"];
    let bridges: String = far.iter().map(|far| format!("bridge near <-> {far}\n")).collect();
    let loopback = Loopback::of(&brokers(&["near", far[0], far[1], far[2]], &bridges), release);
    for (name, options) in [("bare", ""), ("without-attempts", "?randomize=false&amp;maxReconnectAttempts=0")] {
        let by_failover = |uri: &str| Some(format!("{}{options}", uri.replace("static:", "static:failover:")));
        edit(&loopback, "near", ("networkConnector", Some(&format!("near-to-{name}"))), "uri", by_failover);
    }
    let _room = Room::take(4);
    let java = Java::start(loopback.dir()).unwrap();
    let start_far = || far.map(|name| loopback.start(name));
    let established = |name: &str| format!("({name}) has been established");
    let before = start_far();
    before.iter().for_each(|broker| broker.wait_started(PATIENCE).unwrap());
    let near = loopback.start("near");
    for (name, broker) in far.iter().zip(&before) {
        near.wait_log(&established(name), PATIENCE).unwrap();
        broker.wait_log(&established("near"), PATIENCE).unwrap();
    }

    let mark = near.mark().unwrap();
    before.iter().for_each(Broker::kill);
    let [plain, bare, without_attempts] = start_far();
    bare.wait_started(PATIENCE).unwrap();
    near.wait_log_since(mark, "Successfully reconnected to", PATIENCE).unwrap();
    // The message over the bridge that is dead is sent first: it has longer than the others.
    let receivers = ["bare", "plain", "without-attempts"].map(|name| {
        let receiver = java.receiver(&loopback.address("near"), name).unwrap();
        receiver.wait_ready(PATIENCE).unwrap();
        java.send(&format!("failover:({})", loopback.address(name)), name, &["hello"], PATIENCE).unwrap();
        receiver
    });
    for (name, broker) in [("plain", &plain), ("without-attempts", &without_attempts)] {
        near.wait_log_since(mark, &established(name), PATIENCE).unwrap();
        broker.wait_log(&established("near"), PATIENCE).unwrap();
    }
    receivers[1].wait_messages(1, PATIENCE).unwrap();
    receivers[2].wait_messages(1, PATIENCE).unwrap();
    let never = [bare.wait_log(&established("near"), GRACE), near.wait_log_since(mark, &established("bare"), GRACE)];
    for waited in never {
        assert!(matches!(waited, Err(LabError::TooLate { .. })), "on {release}: {waited:?}");
    }
    assert_eq!(receivers[0].messages(), [], "on {release}");
}

#[test]
fn without_decreased_priority_a_far_consumer_may_win() {
    for (release, left_out) in [("5.17.6", Winner::Far), ("5.18.3", Winner::Local)] {
        let topology = brokers(&["a1", "b1", "a2", "b2"], "bridge a1 <-> b1\nbridge a2 <-> b2\n");
        let loopback = Loopback::of(&topology, release);
        edit(&loopback, "a1", ("networkConnector", None), "decreaseNetworkConsumerPriority", |_| None);
        let _room = Room::take(4);
        let brokers = ["a1", "b1", "a2", "b2"].map(|name| loopback.start(name));
        brokers.iter().for_each(|broker| broker.wait_bridges(1, PATIENCE).unwrap());
        let java = Java::start(loopback.dir()).unwrap();
        assert_eq!(winner(&java, &loopback, "a1", "b1"), left_out, "left out, on {release}");
        assert_eq!(winner(&java, &loopback, "a2", "b2"), Winner::Local, "as topoc writes it, on {release}");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Winner {
    Local,
    Far,
}

/// Who gets requests that are sent where a consumer of priority 100 is, when one of priority 127 is behind a bridge.
fn winner(java: &Java, loopback: &Loopback, here: &str, there: &str) -> Winner {
    let consumer = |broker: &str, priority: u8| {
        let queue = format!("GC.REQUESTS?consumer.priority={priority}");
        let receiver = java.receiver(&loopback.address(broker), &queue).unwrap();
        receiver.wait_ready(PATIENCE).unwrap();
        receiver
    };
    let send = |texts: &[&str]| java.send(&loopback.address(here), "GC.REQUESTS", texts, PATIENCE).unwrap();
    let far = consumer(there, 127);
    // Once this has crossed, the broker here knows of the consumer there.
    send(&["first"]);
    far.wait_messages(1, PATIENCE).unwrap();
    let local = consumer(here, 100);
    send(&["1", "2", "3", "4"]);
    until("all requests have come", || match (local.messages().len(), far.messages().len() - 1) {
        (4, 0) => Some(Winner::Local),
        (0, 4) => Some(Winner::Far),
        (local, far) => {
            assert!(local + far < 4, "{local} came here, {far} there");
            None
        }
    })
}
