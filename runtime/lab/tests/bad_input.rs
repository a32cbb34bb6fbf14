//! What topoc warns of really fails, on real brokers: good files with one fault each, made by hand where topoc refuses.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::fs;
use std::time::Duration;

use topoc_compiler::diagnostic::{Diagnostic, Severity};
use topoc_lab::{Broker, Java, LabError, PATIENCE, until};
use topoc_stage::{Loopback, Room, Topology};

/// A file of the broker `a` with one fault: what topoc reports where the topology has it, and what the broker says.
struct Refused {
    rule: &'static str,
    /// How the same is written in a topology, as the listener of `a` or the bridge from `a` to `b`.
    written: Written,
    element: &'static str,
    attribute: &'static str,
    /// The new value from the old one, as the file spells it.
    value: fn(&str) -> String,
    releases: &'static [&'static str],
}

/// Where a topology has a fault, and the text that has it.
#[derive(Clone, Copy, Debug)]
enum Written {
    Listener(&'static str),
    Bridge(&'static str),
}

const OLD_AND_NEW: &[&str] = &["5.17.6", "6.3.1"];

const REFUSED: &[Refused] = &[
    Refused {
        rule: "failover-on-listener",
        written: Written::Listener("uri = \"failover:(tcp://a:61616)\""),
        element: "transportConnector",
        attribute: "uri",
        value: |uri| format!("failover:({uri})"),
        releases: OLD_AND_NEW,
    },
    Refused {
        rule: "bridge-needs-discovery",
        written: Written::Bridge("uri = \"failover:(tcp://b:61616)\""),
        element: "networkConnector",
        attribute: "uri",
        value: |uri| uri.replace("static:", "failover:"),
        releases: OLD_AND_NEW,
    },
    Refused {
        rule: "listener-name-collision",
        written: Written::Bridge("name = \"openwire\""),
        element: "networkConnector",
        attribute: "name",
        value: |_| "openwire".to_owned(),
        releases: OLD_AND_NEW,
    },
    Refused {
        rule: "bridge-prefetch-zero",
        written: Written::Bridge("prefetch-size = 0"),
        element: "networkConnector",
        attribute: "prefetchSize",
        value: |_| "0".to_owned(),
        releases: OLD_AND_NEW,
    },
    Refused {
        rule: "attribute-too-new",
        written: Written::Listener("port = 61616; auto-start = true"),
        element: "transportConnector",
        attribute: "autoStart",
        value: |_| "true".to_owned(),
        releases: &["5.17.6"],
    },
    Refused {
        rule: "attribute-too-new",
        written: Written::Bridge("auto-start = true"),
        element: "networkConnector",
        attribute: "autoStart",
        value: |_| "true".to_owned(),
        releases: &["5.17.6"],
    },
];

/// How long a bridge that is never rebuilt is given after the others are up.
const GRACE: Duration = Duration::from_secs(4);

/// A topology of brokers `names`, bridged as `bridges` says.
fn brokers(names: &[&str], bridges: &str) -> Topology {
    let brokers: String = names.iter().map(|name| broker(name, "port = 61616")).collect();
    topology("", &brokers, bridges)
}

fn broker(name: &str, listener: &str) -> String {
    let store = format!("store kahadb {{ directory = \"/var/lib/activemq/{name}\" }}");
    format!("  broker {name} {{ host = \"{name}\"; listen openwire {{ {listener} }}; {store} }}\n")
}

fn topology(fields: &str, members: &str, bridges: &str) -> Topology {
    Topology::of(format!("topology t {{ activemq = \"6.3.1\"; {fields} }}\nsite s {{\n{members}}}\n{bridges}"))
}

/// What topoc says of a topology by one rule, and nothing else that stops it.
fn found(topology: &Topology, release: &str, rule: &str) -> Diagnostic {
    let diagnostics = topology.analyze(&topology.on_release(release)).diagnostics;
    let errors: Vec<&Diagnostic> =
        diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect();
    let [found] = errors[..] else { panic!("one {rule} on {release}: {diagnostics:#?}") };
    assert_eq!(found.rule.name, rule, "{found:#?}");
    found.clone()
}

/// The words of the broker that a diagnostic quotes at the place where the fault is.
fn quoted(diagnostic: &Diagnostic) -> &str {
    let says = &diagnostic.labels[0].message;
    says.split('`').nth(1).unwrap_or_else(|| panic!("{says} quotes nobody"))
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
fn a_broker_refuses_what_topoc_reports_and_says_what_topoc_quotes() {
    let sound = brokers(&["a", "b"], "bridge a -> b");
    for case in REFUSED {
        for release in case.releases {
            let diagnostic = found(&case.topology(), release, case.rule);
            let loopback = Loopback::of(&sound, release);
            edit(&loopback, "a", (case.element, None), case.attribute, |old| Some((case.value)(old)));
            let _room = Room::take(1);
            let broker = loopback.start("a");
            let status = broker.wait_exit(PATIENCE).unwrap();
            let log = broker.log().unwrap();
            let quoted = quoted(&diagnostic);
            assert!(log.contains(quoted), "{} on {release} ({status}): {quoted}\nis not in {log}", case.rule);
            assert_eq!(status.code(), Some(1), "{:?} on {release}", case.written);
        }
    }
}

impl Refused {
    /// The topology that has the fault.
    fn topology(&self) -> Topology {
        let (listener, bridge) = match self.written {
            Written::Listener(fields) => (fields, ""),
            Written::Bridge(fields) => ("port = 61616", fields),
        };
        let brokers = broker("a", listener) + &broker("b", "port = 61616");
        topology("", &brokers, &format!("bridge a -> b {{ {bridge} }}"))
    }
}

#[test]
fn a_bridge_by_failover_is_never_rebuilt_unless_attempts_are_zero() {
    OLD_AND_NEW.iter().for_each(|release| never_rebuilt(release));
}

/// Three duplex bridges lose their far brokers and get them back. Two are rebuilt. Of the one by bare failover only the
/// connection comes back: the far broker does not know that there is a bridge, and keeps what it should send over it.
/// (What goes the other way may still cross, since failover restores the bridge's own subscription: seen on both releases.)
fn never_rebuilt(release: &str) {
    let by_failover = brokers(&["a", "b"], "bridge a <-> b { uri = \"static:failover:(tcp://b:61616)\" }");
    found(&by_failover, release, "bridge-never-rebuilt");
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
        found(&not_decreased(), release, "wrong-priority-across-bridge");
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

/// The same as a topology says it: one connector at each of two brokers, both of which should come first at home.
fn not_decreased() -> Topology {
    let members = |name: &str, other: &str, priority: u8| {
        let connector =
            format!("connector gc-{name} {{ brokers = [{name}, {other}]; finesse = [f]; priority = {priority} }}\n");
        broker(name, "port = 61616") + &connector
    };
    let members = "finesse f { host = \"f\" }\n".to_owned() + &members("a", "b", 100) + &members("b", "a", 127);
    let rest = "bridge a <-> b { decrease-network-consumer-priority = false }
deployment main active-active { connectors = [gc-a, gc-b] }";
    topology("finesse = \"12.6\"", &members, rest)
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

/// Fields of a bridge from `near` to `far`, and which user is refused at which of them. `near` knows the user `near` alone,
/// and `far` the user `far`.
struct Login {
    duplex: bool,
    fields: &'static [(&'static str, &'static str)],
    refused: (&'static str, &'static str),
}

const USER: (&str, &str) = ("user", "near");
const PASSWORD: (&str, &str) = ("password", "NEAR");
const REMOTE_USER: (&str, &str) = ("remote-user-name", "far");
const REMOTE_PASSWORD: (&str, &str) = ("remote-password", "FAR");

const LOGINS: &[Login] = &[
    Login { duplex: false, fields: &[USER, PASSWORD], refused: ("far", "near") },
    Login { duplex: false, fields: &[REMOTE_USER, REMOTE_PASSWORD], refused: ("near", "null") },
    Login { duplex: false, fields: &[USER, PASSWORD, REMOTE_USER], refused: ("far", "far") },
    Login { duplex: false, fields: &[USER, PASSWORD, REMOTE_PASSWORD], refused: ("far", "near") },
    // The far end of a duplex bridge logs in at its own broker as the near end does at its.
    Login { duplex: true, fields: &[USER, PASSWORD, REMOTE_USER, REMOTE_PASSWORD], refused: ("far", "near") },
];

impl Login {
    fn write(&self, loopback: &Loopback) {
        for (name, attribute) in [
            ("user", "userName"),
            ("password", "password"),
            ("remote-user-name", "remoteUserName"),
            ("remote-password", "remotePassword"),
        ] {
            let value = self.fields.iter().find(|field| field.0 == name).map(|(_, value)| match value {
                &"near" | &"far" => (*value).to_owned(),
                variable => format!("${{{variable}}}"),
            });
            edit(loopback, "near", ("networkConnector", None), attribute, |_| value.clone());
        }
        edit(loopback, "near", ("networkConnector", None), "duplex", |_| self.duplex.then(|| "true".to_owned()));
    }
}

fn logins(duplex: bool, fields: &[(&str, &str)]) -> Topology {
    let fields = fields.iter().map(|(name, value)| match *name {
        "password" | "remote-password" => format!("{name} = secret(\"env:{value}\"); "),
        _ => format!("{name} = \"{value}\"; "),
    });
    let fields: String = fields.collect();
    let broker = |name: &str| {
        let users = format!("users {{ user {name} {{ password = secret(\"env:{}\") }} }}", name.to_uppercase());
        broker(name, "port = 61616").replace(" }\n", &format!("; {users} }}\n"))
    };
    let arrow = if duplex { "<->" } else { "->" };
    topology("", &(broker("near") + &broker("far")), &format!("bridge near {arrow} far {{ {fields} }}"))
}

#[test]
fn a_bridge_logs_in_at_both_ends_as_topoc_says() {
    for release in OLD_AND_NEW {
        let loopback = Loopback::of(&logins(false, &[USER, PASSWORD, REMOTE_USER, REMOTE_PASSWORD]), release);
        let _room = Room::take(2);
        let far = loopback.start("far");
        far.wait_started(PATIENCE).unwrap();
        let near = loopback.start("near");
        near.wait_bridges(1, PATIENCE).unwrap();
        near.kill();
        for case in LOGINS {
            let (at, user) = case.refused;
            let refusal = format!("User name [{user}] or password is invalid");
            let diagnostic = found(&logins(case.duplex, case.fields), release, "bridge-credentials-missing");
            assert_eq!(quoted(&diagnostic), refusal, "{:?}", case.fields);
            assert!(diagnostic.message.contains(&format!("broker `{at}`")), "{diagnostic:?}");
            case.write(&loopback);
            let mark = far.mark().unwrap();
            let near = loopback.start("near");
            match at {
                "near" => near.wait_log(&refusal, PATIENCE),
                _ => far.wait_log_since(mark, &refusal, PATIENCE),
            }
            .unwrap_or_else(|error| panic!("{at} on {release}, {:?}: {error}", case.fields));
            near.kill();
        }
    }
}

/// A bridge to a broker with rights written by hand, where its user may read advisories or not.
fn rights(advisories: &str) -> Topology {
    let entry = |kind: &str, name: &str, group: &str| {
        format!("<authorizationEntry {kind}=\"{name}\" read=\"{group}\" write=\"{group}\" admin=\"{group}\"/>")
    };
    let entries = entry("queue", ">", "bridges") + &entry("topic", "ActiveMQ.Advisory.>", advisories);
    let plugins = format!(
        "<plugins><simpleAuthenticationPlugin><users><authenticationUser username=\"bridge\" \
         password=\"${{BRIDGE}}\" groups=\"bridges\"/><authenticationUser username=\"desk\" password=\"${{BRIDGE}}\" \
         groups=\"bridges,desks\"/></users></simpleAuthenticationPlugin><authorizationPlugin><map><authorizationMap>\
         <authorizationEntries>{entries}</authorizationEntries></authorizationMap></map></authorizationPlugin></plugins>"
    );
    let far = broker("far", "port = 61616").replace(" }\n", &format!("; raw-xml \"\"\"{plugins}\"\"\" }}\n"));
    let bridge = "bridge near -> far { user = \"bridge\"; password = secret(\"env:BRIDGE\") }";
    topology("", &(broker("near", "port = 61616") + &far), bridge)
}

#[test]
fn a_bridge_needs_rights_on_advisories() {
    for release in OLD_AND_NEW {
        let refused = Loopback::of(&rights("desks"), release);
        let allowed = Loopback::of(&rights("bridges"), release);
        let _room = Room::take(4);
        let [far, far_allowed] = [&refused, &allowed].map(|loopback| loopback.start("far"));
        far.wait_started(PATIENCE).unwrap();
        far_allowed.wait_started(PATIENCE).unwrap();
        let [_near, near_allowed] = [&refused, &allowed].map(|loopback| loopback.start("near"));
        // 5.17.6: create the topic of connections; 6.3.1: read those of consumers.
        far.wait_log("User bridge is not authorized to ", PATIENCE).unwrap();

        near_allowed.wait_bridges(1, PATIENCE).unwrap();
        let java = Java::start(allowed.dir()).unwrap();
        let password: String = Loopback::secret("BRIDGE").bytes().map(|byte| format!("%{byte:02X}")).collect();
        let as_desk = format!("{}?jms.userName=desk&jms.password={password}", allowed.address("far"));
        let receiver = java.receiver(&as_desk, "Q").unwrap();
        receiver.wait_ready(PATIENCE).unwrap();
        java.send(&allowed.address("near"), "Q", &["hello"], PATIENCE).unwrap();
        receiver.wait_messages(1, PATIENCE).unwrap();
        assert!(!far_allowed.log().unwrap().contains("not authorized"), "on {release}");
    }
}

#[test]
fn of_two_elements_of_one_name_the_last_takes_effect() {
    let sound = brokers(&["a", "b"], "bridge a -> b");
    let second = "<networkConnectors><networkConnector name=\"again\" uri=\"static:(tcp://127.0.0.1:1)\"/></networkConnectors>\
                  <transportConnectors><transportConnector name=\"second\" uri=\"vm://second\"/></transportConnectors>";
    for release in OLD_AND_NEW {
        for element in ["networkConnectors", "transportConnectors"] {
            let raw = format!("port = 61616 }}; raw-xml \"\"\"<{element}/>\"\"\"; listen other {{ port = 61617");
            let brokers = broker("a", &raw) + &broker("b", "port = 61616");
            found(&topology("", &brokers, "bridge a -> b"), release, "raw-xml-repeats-element");
        }
        let loopback = Loopback::of(&sound, release);
        let file = loopback.xml("a");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("</broker>", &format!("{second}</broker>"))).unwrap();
        let _room = Room::take(1);
        let broker = loopback.start("a");
        broker.wait_started(PATIENCE).unwrap();
        let log = broker.log().unwrap();
        for (lost, there) in [
            ("Connector openwire started", "Connector second started"),
            ("DiscoveryNetworkConnector:a-to-b:", "DiscoveryNetworkConnector:again:"),
        ] {
            assert!(!log.contains(lost) && log.contains(there), "{there} on {release}: {log}");
        }
    }
}

#[test]
fn a_bridge_with_an_unknown_option_never_connects() {
    let faulty = brokers(&["a", "b"], "bridge a -> b { uri = \"static:(tcp://b:61616?soTimeout=9000&colour=red)\" }");
    for release in OLD_AND_NEW {
        let diagnostic = found(&faulty, release, "unknown-failover-option");
        let loopback = Loopback::of(&brokers(&["a", "b"], "bridge a -> b"), release);
        let with_option = |uri: &str| Some(uri.replace(')', "&amp;colour=red)"));
        edit(&loopback, "a", ("networkConnector", None), "uri", with_option);
        let _room = Room::take(1);
        loopback.start("a").wait_log(quoted(&diagnostic), PATIENCE).unwrap();
    }
}
