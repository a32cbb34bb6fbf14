//! What is written of request queues: which of them a client is told of, and which policy each has at a broker.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use std::collections::HashMap;
use topoc_compiler::{analyze, emit};

const TOPOLOGY: &str = r#"topology t { activemq = "6.2" }
site s {
  broker a { host = "a"; listen openwire { port = 61616 } }
  broker b { host = "b"; listen openwire { port = 61616 } }
  broker c { host = "c"; listen openwire { port = 61616 } }
  connector gc-b { brokers = [b] }
  connector gc-c { brokers = [c] }
  client at-a { brokers = [a] }
  client at-b { brokers = [b] }
  client at-c { brokers = [c] }
}
bridge a <-> b
deployment one simplex { connectors = [gc-b]; requests = "ONE" }
deployment two simplex { connectors = [gc-c]; requests = "TWO" }
"#;

#[test]
fn clients_are_told_of_what_they_can_reach() {
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), TOPOLOGY.to_owned())]));
    let artifacts = emit::artifacts(analysis.checked().unwrap());
    for (client, queue) in [("at-a", "ONE"), ("at-b", "ONE"), ("at-c", "TWO")] {
        let path = format!("s/{client}/client.properties");
        let found = artifacts.iter().find(|artifact| artifact.path == path).unwrap();
        let text = String::from_utf8(found.bytes.clone()).unwrap();
        assert!(text.contains(&format!("requestQueue={queue}\n")), "{client}: {text}");
    }
}

/// The `<policyEntry>` elements of broker `a`, bridged with `b`, where `queues` is written in it.
#[track_caller]
fn check_policies(queues: &str, expected: &[&str]) {
    let text = TOPOLOGY.replace("broker a { ", &format!("broker a {{ {queues} "));
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]));
    let artifacts = emit::artifacts(analysis.checked().unwrap());
    let found = artifacts.iter().find(|artifact| artifact.path == "s/a/activemq.xml").unwrap();
    let text = String::from_utf8(found.bytes.clone()).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let entries = document.descendants().filter(|node| node.has_tag_name((CORE, "policyEntry")));
    let attributes = |node: roxmltree::Node<'_, '_>| {
        node.attributes().map(|a| format!("{}={}", a.name(), a.value())).collect::<Vec<_>>().join(" ")
    };
    let words = |entry: roxmltree::Node<'_, '_>| {
        let filter = entry.descendants().find(|node| node.has_tag_name((CORE, FILTER)));
        filter.map_or_else(|| attributes(entry), |filter| format!("{} [{}]", attributes(entry), attributes(filter)))
    };
    let found: Vec<String> = entries.map(words).collect();
    assert_eq!(found, expected, "{queues}");
}

const CORE: &str = "http://activemq.apache.org/schema/core";
const FILTER: &str = "conditionalNetworkBridgeFilterFactory";

#[test]
fn a_request_queue_that_crosses_a_bridge_can_go_back() {
    check_policies("", &["queue=ONE [replayWhenNoConsumers=true]"]);
    check_policies(
        "queue \"ONE\" { prioritized-messages = true }",
        &["prioritizedMessages=true queue=ONE [replayWhenNoConsumers=true]"],
    );
    check_policies("queue \"ONE\" { replay-when-no-consumers = false }", &["queue=ONE [replayWhenNoConsumers=false]"]);
}

#[test]
fn what_a_pattern_says_holds_for_the_request_queue_too() {
    check_policies(
        "queue \">\" { prioritized-messages = true }; queue \"O*\" { lazy-dispatch = true }",
        &[
            "prioritizedMessages=true queue=>",
            "lazyDispatch=true queue=O*",
            "prioritizedMessages=true queue=ONE [replayWhenNoConsumers=true]",
        ],
    );
    check_policies(
        "queue \"*\" { lazy-dispatch = true }; queue \">\" { prioritized-messages = true }",
        &[
            "lazyDispatch=true queue=*",
            "prioritizedMessages=true queue=>",
            "lazyDispatch=true queue=ONE [replayWhenNoConsumers=true]",
        ],
    );
    check_policies("queue \">\" { replay-delay = 5 }", &["queue=> [replayDelay=5 replayWhenNoConsumers=true]"]);
    check_policies(
        "queue \">\" { replay-when-no-consumers = false; replay-delay = 5 }",
        &[
            "queue=> [replayDelay=5 replayWhenNoConsumers=false]",
            "queue=ONE [replayDelay=5 replayWhenNoConsumers=true]",
        ],
    );
}
