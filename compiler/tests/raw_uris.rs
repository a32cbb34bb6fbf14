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

#[test]
fn what_counts_for_nothing_is_said() {
    let list = "failover:(tcp://a:61616,tcp://b:61616)";
    let cases: &[(&str, &str, String, &[&str])] = &[
        ("added to a list", "CLIENT", format!("timeout = 3s; uri = \"{list}?randomize=false\""), &[]),
        ("the same twice", "CLIENT", format!("timeout = 3s; uri = \"{list}?timeout=3000&randomize=false\""), &[]),
        ("overruled", "CLIENT", format!("timeout = 9s; uri = \"{list}?timeout=3000&randomize=false\""), &["timeout"]),
        ("a single address", "CLIENT", "timeout = 9s; uri = \"tcp://a:61616\"".into(), &["timeout"]),
        ("a connector's timeout", "CONNECTOR", "timeout = 9s; uri = \"tcp://a:61616\"".into(), &[]),
        (
            "said to stay",
            "CLIENT",
            format!("timeout = 3s; returns = never; uri = \"{list}?priorityBackup=true&randomize=false\""),
            &["returns"],
        ),
        (
            "options for addresses",
            "CLIENT",
            format!("timeout = 3s; options {{ \"soTimeout\" = 5 }}; uri = \"{list}?randomize=false\""),
            &["soTimeout"],
        ),
        (
            "options that are there",
            "CLIENT",
            "timeout = 3s; options { \"soTimeout\" = 5 }; uri = \"failover:(tcp://a:61616?soTimeout=5)\"".into(),
            &[],
        ),
        ("added to a listener", "LISTEN", "uri = \"tcp://0.0.0.0:61616\"; maximum-connections = 5".into(), &[]),
        (
            "overruled on a listener",
            "LISTEN",
            "uri = \"tcp://0.0.0.0:61616?maximumConnections=9\"; maximum-connections = 5".into(),
            &["maximum-connections"],
        ),
    ];
    for (name, place, fields, expected) in cases {
        let mut text = TOPOLOGY.replace(place, fields);
        for (place, field) in [("LISTEN", "port = 61616"), ("CONNECTOR", ""), ("CLIENT", "timeout = 3s")] {
            text = text.replace(place, field);
        }
        let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]));
        let said = analysis.diagnostics.iter().filter(|found| found.rule.name == "overruled-option");
        let said: Vec<&str> = said.map(|found| found.message.split('`').nth(1).unwrap()).collect();
        assert_eq!(said, *expected, "{name}: {fields}");
    }
}

#[test]
fn defaults_are_there_to_be_overruled() {
    let defaults = "defaults client { timeout = 9s; options { \"soTimeout\" = 5 } }\n";
    let raw = "uri = \"failover:(tcp://a:61616,tcp://b:61616)?timeout=3000&randomize=false\"";
    let text = defaults.to_owned() + &TOPOLOGY.replace("CLIENT", raw).replace("LISTEN", "port = 61616");
    let text = text.replace("CONNECTOR", "");
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]));
    assert!(analysis.diagnostics.iter().all(|found| found.rule.name != "overruled-option"));
}
