//! What is written where a URI is written by hand: its own text, and what fields beside it add.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::HashMap;
use topoc_compiler::{analyze, emit};

const TOPOLOGY: &str = r#"topology t { activemq = "6.2" }
site s {
  broker a { host = "a"; listen openwire { LISTEN } }
  broker b { host = "b"; listen openwire { port = 61616 } }
  connector gc { brokers = [a, b]; CONNECTOR }
  client desk { brokers = [a, b]; CLIENT }
}
bridge a <-> b
deployment main simplex { connectors = [gc] }
"#;

/// The artifact at `path` of the topology with these fields put in.
fn artifact(path: &str, fields: &[(&str, &str)]) -> String {
    let mut text = TOPOLOGY.to_owned();
    for (place, field) in fields {
        text = text.replace(place, field);
    }
    for (place, field) in [("LISTEN", "port = 61616"), ("CONNECTOR", ""), ("CLIENT", "")] {
        text = text.replace(place, field);
    }
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]));
    let errors: Vec<&String> = analysis.diagnostics.iter().map(|found| &found.message).collect();
    let checked = analysis.checked().unwrap_or_else(|| panic!("{errors:?}"));
    let found = emit::artifacts(checked).into_iter().find(|artifact| artifact.path == path).unwrap();
    String::from_utf8(found.bytes).unwrap()
}

#[test]
fn a_raw_list_keeps_its_text_when_no_field_adds_to_it() {
    let raw = "failover:(tcp://a:61616,tcp://b:61616)?randomize=false&timeout=3000";
    let text = artifact("s/desk/client.properties", &[("CLIENT", &format!("uri = \"{raw}\""))]);
    assert!(text.contains(&format!("brokerUrl={raw}\n")), "{text}");
}

#[test]
fn fields_beside_a_raw_list_are_added_and_never_replace() {
    let fields = "uri = \"failover:(tcp://a:61616,tcp://b:61616)?timeout=3000\"; timeout = 9s; randomize = false";
    let text = artifact("s/desk/client.properties", &[("CLIENT", fields)]);
    let expected = "brokerUrl=failover:(tcp://a:61616,tcp://b:61616)?timeout=3000&randomize=false\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn properties_of_a_raw_list_say_what_activemq_will_do() {
    let bare = "uri = \"failover:(tcp://a:61616,tcp://b:61616)\"";
    let text = artifact("s/gc/connector.properties", &[("CONNECTOR", bare)]);
    assert!(text.contains("RANDOMIZE=true\nPRIORITY_BACKUP=false\n"), "{text}");
    let told = format!("{bare}; randomize = false; priority-backup = true");
    let text = artifact("s/gc/connector.properties", &[("CONNECTOR", &told)]);
    assert!(text.contains("RANDOMIZE=false\nPRIORITY_BACKUP=true\n"), "{text}");
}

#[test]
fn options_beside_a_raw_listener_are_added() {
    let fields = "uri = \"tcp://0.0.0.0:61616?backlog=10\"; maximum-connections = 7";
    let text = artifact("s/a/activemq.xml", &[("LISTEN", fields)]);
    assert!(text.contains("tcp://0.0.0.0:61616?backlog=10&amp;maximumConnections=7"), "{text}");
}

#[test]
fn a_field_comes_before_the_failover_block_everywhere() {
    let fields = "timeout = 9s; failover { timeout = 3s; max-reconnect-attempts = 7 }";
    let client = artifact("s/desk/client.properties", &[("CLIENT", fields)]);
    assert!(client.contains("?maxReconnectAttempts=7&randomize=false&timeout=9000\n"), "{client}");
    let connector = artifact("s/gc/connector.properties", &[("CONNECTOR", fields)]);
    assert!(connector.contains("ActiveMq_Timeout=9000\n"), "{connector}");
}

#[test]
fn schemes_other_than_tcp_are_told_to_connectors() {
    let raw = "uri = \"failover:(ssl://a:61617,tcp://b:61616)?randomize=false&priorityBackup=true\"";
    let fields = [("LISTEN", "scheme = \"ssl\"; port = 61617"), ("CONNECTOR", raw)];
    let text = artifact("s/gc/connector.properties", &fields);
    assert!(text.contains("ActiveMq_URL_1=ssl://a:61617\nActiveMq_URL_2=b:61616\n"), "{text}");
}
