//! What is written of queues of requests and replies: which of them a client is told of, and which policy each has at a broker.

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
    assert_eq!(policies(&TOPOLOGY.replace("broker a { ", &format!("broker a {{ {queues} "))), expected, "{queues}");
}

/// The same of a whole topology.
fn policies(text: &str) -> Vec<String> {
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text.to_owned())]));
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
    entries.map(words).collect()
}

const CORE: &str = "http://activemq.apache.org/schema/core";
const FILTER: &str = "conditionalNetworkBridgeFilterFactory";

/// The policy of clients' queues for replies, where nothing is written of them.
const REPLIES: &str = "queue=GC.REPLY.> [replayWhenNoConsumers=true]";

#[test]
fn a_request_queue_that_crosses_a_bridge_can_go_back() {
    check_policies("", &[REPLIES, "queue=ONE [replayWhenNoConsumers=true]"]);
    check_policies(
        "queue \"ONE\" { prioritized-messages = true }",
        &[REPLIES, "prioritizedMessages=true queue=ONE [replayWhenNoConsumers=true]"],
    );
    check_policies(
        "queue \"ONE\" { replay-when-no-consumers = false }",
        &[REPLIES, "queue=ONE [replayWhenNoConsumers=false]"],
    );
}

#[test]
fn replies_that_cross_a_bridge_can_go_back() {
    const ONE: &str = "queue=ONE [replayWhenNoConsumers=true]";
    check_policies(
        "queue \"GC.REPLY.at-a\" { lazy-dispatch = true }",
        &[REPLIES, "lazyDispatch=true queue=GC.REPLY.at-a [replayWhenNoConsumers=true]", ONE],
    );
    check_policies(
        "queue \"GC.REPLY.>\" { replay-when-no-consumers = false }",
        &["queue=GC.REPLY.> [replayWhenNoConsumers=false]", ONE],
    );
    let client = |fields: &str, expected: &[&str]| {
        let text = TOPOLOGY.replace("client at-a { ", &format!("client at-a {{ {fields} "));
        assert_eq!(policies(&text.replace("client at-b { brokers = [b] }\n", "")), expected, "{fields}");
    };
    client("reply-queue = \"MINE\";", &["queue=MINE [replayWhenNoConsumers=true]", ONE]);
    client("replies = temporary;", &[ONE]);
}

#[test]
fn what_a_pattern_says_holds_for_the_queues_too() {
    check_policies(
        "queue \">\" { prioritized-messages = true }; queue \"O*\" { lazy-dispatch = true }",
        &[
            "prioritizedMessages=true queue=>",
            "prioritizedMessages=true queue=GC.REPLY.> [replayWhenNoConsumers=true]",
            "lazyDispatch=true queue=O*",
            "prioritizedMessages=true queue=ONE [replayWhenNoConsumers=true]",
        ],
    );
    check_policies(
        "queue \"*\" { lazy-dispatch = true }; queue \">\" { prioritized-messages = true }",
        &[
            "lazyDispatch=true queue=*",
            "prioritizedMessages=true queue=>",
            "prioritizedMessages=true queue=GC.REPLY.> [replayWhenNoConsumers=true]",
            "lazyDispatch=true queue=ONE [replayWhenNoConsumers=true]",
        ],
    );
    check_policies("queue \">\" { replay-delay = 5 }", &["queue=> [replayDelay=5 replayWhenNoConsumers=true]"]);
    check_policies(
        "queue \">\" { replay-when-no-consumers = false; replay-delay = 5 }",
        &[
            "queue=> [replayDelay=5 replayWhenNoConsumers=false]",
            "queue=GC.REPLY.> [replayDelay=5 replayWhenNoConsumers=true]",
            "queue=ONE [replayDelay=5 replayWhenNoConsumers=true]",
        ],
    );
}
