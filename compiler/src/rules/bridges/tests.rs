//! Situations of the rules about bridges that their pages do not show.

use crate::analyze;
use std::collections::HashMap;

/// What is found by the rules about bridges, as `line code`, in a topology whose line 1 is the first of `text`.
fn check(text: &str, expected: &[&str]) {
    let text = text.trim_start();
    let whole = match text.starts_with("topology") {
        true => text.to_owned(),
        false => format!("topology t {{ activemq = \"6.2\" }} {text}"),
    };
    let files = HashMap::from([("main.topo".to_owned(), whole)]);
    let analysis = analyze("main.topo", &[], &files);
    assert!(!analysis.model.incomplete, "{text}\n{:#?}", analysis.diagnostics);
    let found: Vec<String> = analysis
        .diagnostics
        .iter()
        // That an old release has its mistake is true of every topology for it.
        .filter(|finding| finding.rule.code.starts_with("TOPO02") && finding.rule.name != "bridge-handshake-bug")
        .map(|finding| {
            let at = finding.primary();
            let line = analysis.sources.file(at.file).unwrap().position(at.span.start).line;
            format!("{line} {}", finding.rule.name)
        })
        .collect();
    let messages: Vec<&str> = analysis.diagnostics.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(found, expected, "{text}\n{messages:#?}");
}

/// Brokers `a`, `b`, `c`, `d` on line 1, then `rest` from line 2.
fn check_brokers(rest: &str, expected: &[&str]) {
    let listen = "listen openwire { port = 61616 }";
    let brokers: String =
        "abcd".chars().map(|name| format!("broker {name} {{ host = \"{name}\"; {listen} }}; ")).collect();
    check(&format!("site s {{ {brokers} }}\n{rest}"), expected);
}

/// The same with a pair `hub` of `c` and `d`.
fn check_pair(rest: &str, expected: &[&str]) {
    check_brokers(&format!("pair hub {{ master = c; slave = d }}\n{rest}"), expected);
}

/// The same with a client at `client` and connectors at `at`, all of one deployment, on line 2.
fn check_served(mode: &str, client: &str, at: &[&str], rest: &str, expected: &[&str]) {
    let names: Vec<String> = (1..=at.len()).map(|number| format!("gc-{number}")).collect();
    let connectors: String =
        at.iter().zip(&names).map(|(at, name)| format!("connector {name} {{ brokers = [{at}] }}; ")).collect();
    let deployment = format!("deployment d {mode} {{ connectors = [{}] }}", names.join(", "));
    let served = format!("site t {{ client app {{ brokers = [{client}] }}; {connectors} }}; {deployment}");
    check_brokers(&format!("{served}\n{rest}"), expected);
}

#[test]
fn a_discovery_agent_is_asked_for() {
    check_brokers("bridge a -> b { uri = \"static:(tcp://b:61616)\" }", &[]);
    check_brokers("bridge a -> b { uri = \"simple:tcp://b:61616\" }", &[]);
    check_brokers("bridge a -> b { uri = \"${hub.uri}\" }", &[]);
    check_brokers("bridge a -> discovery \"multicast://default\"", &[]);
    check_brokers("bridge a -> discovery \"tcp://b:61616\"", &["2 bridge-needs-discovery"]);
    check_brokers("bridge a -> b { uri = \"nio://b:61616\" }", &["2 bridge-needs-discovery"]);
    check_brokers("let x = \"tcp://b:61616\"\nbridge a -> b { uri = $x }", &["3 bridge-needs-discovery"]);
}

#[test]
fn a_static_list_may_name_others() {
    check_pair("bridge a -> hub { uri = \"static:(tcp://c:61616,tcp://d:61616)\" }", &["3 static-list-to-pair"]);
    check_pair(
        "bridge a -> hub { uri = \"static:(tcp://C:61616,tcp://b:61616,tcp://d:61616)\" }",
        &["3 static-list-to-pair"],
    );
    check_pair("bridge a -> discovery \"static:(tcp://c:61616,tcp://d:61616)\"", &["3 static-list-to-pair"]);
    check_pair("bridge a -> hub { uri = \"static:(tcp://b:61616,tcp://d:61616)\" }", &[]);
    check_pair("bridge a -> hub { uri = \"masterslave:(tcp://c:61616,tcp://d:61616)\" }", &[]);
    check_pair("bridge a -> hub { uri = \"static:(tcp://c:61616,tcp://c:61616)\" }", &[]);
    check_pair("bridge a -> hub { uri = \"static:(tcp://elsewhere:1,tcp://d:61616)\" }", &[]);
    let failover = "static:(failover:(tcp://c:61616,tcp://d:61616)?maxReconnectAttempts=0)";
    check_pair(&format!("bridge a -> hub {{ uri = \"{failover}\" }}"), &[]);
}

#[test]
fn a_bridge_has_to_learn_of_a_lost_connection() {
    let check_uri = |release: &str, uri: &str, found: bool| {
        let brokers = "site s { broker a { host = \"a\" }; broker b { host = \"b\" } }";
        let text = format!("topology t {{ activemq = \"{release}\" }}\n{brokers}\nbridge a -> b {{ uri = \"{uri}\" }}");
        check(&text, if found { &["3 bridge-never-rebuilt"] } else { &[] });
    };
    check_uri("6.3", "static:failover:(tcp://b:1,tcp://c:1)", true);
    check_uri("6.3", "static:(failover:(tcp://b:1))", true);
    check_uri("6.3", "static:failover:tcp://b:1", true);
    check_uri("6.3", "static:failover:(tcp://b:1)?maxReconnectAttempts=1", true);
    check_uri("6.3", "static:failover:(tcp://b:1)?maxReconnectAttempts=-1", true);
    check_uri("6.3", "static:failover:(tcp://b:1)?maxReconnectAttempts=0", false);
    check_uri("5.6", "static:(failover:(tcp://b:1)?MaxReconnectAttempts=0)", false);
    check_uri("5.5", "static:failover:(tcp://b:1)?maxReconnectAttempts=0", true);
    check_uri("5.5", "static:failover:(tcp://b:1)", true);
    check_uri("5.5", "static:failover:(tcp://b:1)?maxReconnectAttempts=1", false);
    check_uri("6.3", "masterslave:(tcp://b:1,tcp://c:1)", false);
    check_uri("6.3", "static:(tcp://b:1)", false);
    check_uri("6.3", "static:(failover:(tcp://b:1)?maxReconnectAttempts=3)?maxReconnectAttempts=0", true);
}

#[test]
fn an_option_belongs_to_the_list_before_it() {
    let check_uri = |release: &str, uri: &str, found: bool| {
        let brokers = "site s { broker a { host = \"a\" }; broker b { host = \"b\" } }";
        let text = format!("topology t {{ activemq = \"{release}\" }}\n{brokers}\nbridge a -> b {{ uri = \"{uri}\" }}");
        check(&text, if found { &["3 option-on-the-agent"] } else { &[] });
    };
    check_uri("6.3", "static:(failover:(tcp://b:1))?maxReconnectAttempts=0", true);
    check_uri("6.3", "simple:(failover:(tcp://b:1)?randomize=false)?maxReconnectAttempts=0", true);
    check_uri("6.3", "static:(failover:(tcp://b:1))?maxReconnectAttempts=5", true);
    check_uri("6.3", "static:(failover:(tcp://b:1)?maxReconnectAttempts=0)?randomize=false", true);
    check_uri("6.3", "static:(failover:(tcp://b:1)?maxReconnectAttempts=0)?maxReconnectAttempts=5", false);
    check_uri("6.3", "static:(failover:(tcp://b:1)?maxReconnectAttempts=0)?maxReconnectDelay=500", false);
    check_uri("6.3", "static:(failover:(tcp://b:1)?maxReconnectAttempts=0)?discovered.randomize=false", false);
    check_uri("6.3", "static:(tcp://b:1)?maxReconnectAttempts=5", false);
    check_uri("6.3", "masterslave:(tcp://b:1,tcp://c:1)?maxReconnectAttempts=5", false);
}

#[test]
fn network_ttl_overrules_the_others() {
    let bridge = |settings: &str| format!("bridge a <-> b {{ {settings} }}");
    check_brokers(&bridge("network-ttl = 2; message-ttl = 1"), &["2 ttl-fields-conflict"]);
    check_brokers(&bridge("consumer-ttl = 1; network-ttl = 2; message-ttl = 1"), &["2 ttl-fields-conflict"]);
    check_brokers(&bridge("network-ttl = 2; message-ttl = 2"), &[]);
    check_brokers(&bridge("consumer-ttl = 1; message-ttl = 2"), &[]);
    check_brokers(
        "defaults bridge { network-ttl = 2 }\nbridge a <-> b { message-ttl = 3 }\nbridge b <-> c",
        &["3 ttl-fields-conflict"],
    );
    check_brokers(
        "defaults bridge { network-ttl = 2; message-ttl = 3 }\nbridge a <-> b\nbridge b <-> c",
        &["2 ttl-fields-conflict"],
    );
}

#[test]
fn requests_that_may_not_go_back() {
    let served = |queue: &str, bridges: &str| {
        format!(
            "site t {{ broker q {{ host = \"q\"; listen openwire {{ port = 61616 }}\nqueue \"{queue}\" {{ replay-when-no-consumers = false }}\n}}
             client app {{ brokers = [q] }}; connector x {{ brokers = [a] }} }}; deployment d simplex {{ connectors = [x] }}
             {bridges}"
        )
    };
    check_brokers(&served("GC.REQUESTS", "bridge q <-> a"), &["3 stuck-after-return"]);
    check_brokers(&served("GC.REQUESTS", "bridge c <-> a"), &[]);
    check_brokers(&served("OTHER", "bridge q <-> a"), &[]);
    // topoc writes a policy for the queue itself, and the nearer one counts.
    check_brokers(&served("GC.>", "bridge q <-> a"), &[]);
}

#[test]
fn bridges_learn_from_advisories() {
    let deaf = |bridges: &str| {
        format!(
            "site t {{ broker x {{ host = \"x\"; listen openwire {{ port = 61616 }}\nadvisory-support = false }} }}\n{bridges}"
        )
    };
    check_brokers(&deaf("bridge a -> x"), &["3 advisories-off"]);
    check_brokers(&deaf("bridge a <-> x\nbridge x <-> b"), &["3 advisories-off"]);
    check_brokers(&deaf("bridge x <-> a"), &["3 advisories-off"]);
    // Nothing is forwarded to it.
    check_brokers(&deaf("bridge x -> a"), &[]);
    check_brokers(&deaf("bridge a -> b"), &[]);
    check_brokers(&deaf("bridge a -> x { static-bridge = true; statically-included = \"Q\" }"), &[]);
    check_brokers("defaults broker { advisory-support = false }\nbridge a -> b\nbridge b -> c", &["2 advisories-off"]);
}

#[test]
fn the_slave_needs_advisories_too() {
    let slave = "site t { broker y { host = \"y\"; listen openwire { port = 61616 }\nadvisory-support = false } }";
    check_brokers(&format!("{slave}\npair p {{ master = c; slave = y }}\nbridge a -> p"), &["3 advisories-off"]);
}

#[test]
fn a_static_bridge_names_what_crosses() {
    let check_settings = |settings: &str, expected: &[&str]| {
        check_brokers(&format!("bridge a <-> b {{ {settings} }}"), expected);
    };
    check_settings("static-bridge = true", &["2 static-bridge-without-destinations"]);
    check_settings("static-bridge = true; dynamically-included = \"Q\"", &["2 static-bridge-without-destinations"]);
    check_settings("static-bridge = true; statically-included = \"Q\"", &[]);
    check_settings("static-bridge = false", &[]);
    let defaults = "defaults bridge { static-bridge = true }";
    check_brokers(&format!("{defaults}\nbridge a -> b\nbridge b -> c"), &["2 static-bridge-without-destinations"]);
}

#[test]
fn a_bridge_has_two_ends() {
    check_brokers("bridge a -> a", &["2 bridge-to-itself"]);
    check_pair("bridge c -> d", &["3 bridge-to-itself"]);
    check_pair("bridge hub <-> d", &["3 bridge-to-itself"]);
    check_pair("bridge hub <-> a", &[]);
    let check_uri = |uri: &str, expected: &[&str]| {
        check_pair(&format!("bridge a -> b {{ uri = \"{uri}\" }}"), expected);
        check_pair(&format!("bridge a -> discovery \"{uri}\""), expected);
    };
    check_uri("static:(tcp://a:61616)", &["3 bridge-to-itself"]);
    check_uri("static:(tcp://a:61616,tcp://A:61616)", &["3 bridge-to-itself"]);
    check_uri("static:(tcp://a:61616,tcp://b:61616)", &[]);
    check_uri("static:(tcp://a:1)", &[]);
    check_uri("masterslave:(tcp://b:61616,tcp://a:61616)", &["3 bridge-to-itself"]);
    check_uri("static:(failover:(tcp://b:61616,tcp://a:61616)?maxReconnectAttempts=0)", &["3 bridge-to-itself"]);
    check_uri("static:(failover:(tcp://b:61616)?maxReconnectAttempts=0,tcp://a:61616)", &[]);
    check_uri("multicast://default", &[]);
}

#[test]
fn what_accepts_before_the_broker_is_there() {
    let proxied = |rest: &str| {
        format!(
            "site t {{ broker m {{ host = \"m\"; listen openwire {{ port = 61616\nvia = proxy }} }}
             broker n {{ host = \"n\"; listen openwire {{ port = 61616; via = direct }} }} }}
             pair p {{ master = m; slave = n }}\n{rest}"
        )
    };
    check_brokers(&proxied("bridge a -> p"), &["3 slow-pair-bridge"]);
    check_brokers(&proxied("bridge a -> p\nbridge b <-> p"), &["3 slow-pair-bridge"]);
    // One broker alone is quick; and who comes from behind the proxy dials something else.
    check_brokers(&proxied("bridge a -> m"), &[]);
    check_brokers(&proxied("bridge p -> a"), &[]);
    check_brokers(
        &proxied("bridge a -> p { uri = \"masterslave:(tcp://m:61616,tcp://n:61616)\" }"),
        &["3 slow-pair-bridge"],
    );
    check_brokers(&proxied("bridge a -> p { uri = \"static:(tcp://m:61616)\" }"), &[]);
}

#[test]
fn masterslave_takes_two() {
    check_brokers("bridge a -> b { uri = \"masterslave:()\" }", &["2 masterslave-needs-two"]);
    check_brokers("bridge a -> discovery \"masterslave:tcp://b:61616\"", &["2 masterslave-needs-two"]);
    check_brokers("bridge a -> b { uri = \"masterslave:(tcp://b:61616,tcp://c:61616)\" }", &[]);
}

#[test]
fn a_default_is_one_mistake() {
    let bridges = "bridge a -> b; bridge b -> c";
    check_brokers(&format!("defaults bridge {{ prefetch-size = 0 }}\n{bridges}"), &["2 bridge-prefetch-zero"]);
    check_brokers(&format!("defaults bridge {{ prefetch-size = -1 }}\n{bridges}"), &["2 bridge-prefetch-zero"]);
    check_brokers(&format!("defaults bridge {{ prefetch-size = 1 }}\n{bridges}"), &[]);
}

const COPY: &str = "decrease-network-consumer-priority = false";

#[test]
fn active_active_serves_each_at_home() {
    let one = |settings: &str| format!("bridge a <-> b {{ {settings} }}");
    check_served("active-active", "b, a", &["a", "b"], &one(""), &[]);
    check_served("active-active", "b, a", &["a", "b"], &one(COPY), &["3 wrong-priority-across-bridge"]);
    check_served("active-active", "a, b", &["a", "b"], &one(COPY), &[]);
    check_served(
        "active-active",
        "b, a",
        &["a", "b"],
        "bridge a -> b { decrease-network-consumer-priority = false }",
        &["3 no-return-path"],
    );
    check_served(
        "active-active",
        "b, a",
        &["a", "b"],
        &one("consumer-priority-base = 120"),
        &["3 wrong-priority-across-bridge"],
    );
    check_served("active-active", "b, a", &["a", "b"], &one("consumer-priority-base = 99"), &[]);
    // Nobody is at home at the client's broker: any connector is right.
    check_served("active-active", "c", &["a", "b"], "bridge a <-> c; bridge b <-> c", &[]);
    check_served("simplex", "b", &["a"], &one(COPY), &[]);
}

#[test]
fn active_passive_leaves_all_to_the_primary() {
    check_served("active-passive", "a, b", &["a", "b"], "bridge a <-> b", &[]);
    check_served("active-passive", "b, a", &["a", "b"], "bridge a <-> b", &["2 wrong-priority-across-bridge"]);
    let copying = "bridge a <-> b { decrease-network-consumer-priority = false }";
    check_served("active-passive", "b, a", &["a", "b"], copying, &[]);
    // Both at the primary's broker, as the document has it.
    check_served("active-passive", "b, a", &["a", "a"], "bridge a <-> b", &[]);
    // A hub between primary and standby cannot tell them apart: both count -5.
    check_served(
        "active-passive",
        "c",
        &["a", "b"],
        "bridge a <-> c; bridge b <-> c",
        &["2 wrong-priority-across-bridge"],
    );
    // The primary is out of reach: no matter of priorities.
    check_served("active-passive", "b, a", &["a", "b"], "bridge c <-> d", &[]);
}

#[test]
fn priorities_without_clients_and_out_of_order() {
    // Who sends requests to the standby's broker is not said.
    check_brokers(
        "site t { connector x { brokers = [a] }; connector y { brokers = [b] } }
         deployment d active-passive { connectors = [x, y] }; bridge a <-> b",
        &[],
    );
    let gcs = |first: &str, second: &str, mode: &str| {
        format!(
            "site t {{ connector x {{ brokers = [a]; {first} }}; connector y {{ brokers = [b]; {second} }} }}
             deployment d {mode} {{ connectors = [x, y] }}; bridge a <-> b {{ {COPY} }}"
        )
    };
    check_brokers(&gcs("", "", "active-active"), &["3 wrong-priority-across-bridge"]);
    check_brokers(&gcs("", "", "active-passive"), &[]);
    // What follows from another rule's fault is left to that rule.
    check_brokers(&gcs("priority = 100", "priority = 127", "active-passive"), &[]);
    check_brokers(&gcs("priority = 1000", "", "active-active"), &[]);
    check_brokers(&gcs("selector = \"x = 1\"", "", "active-active"), &[]);
}

#[test]
fn a_ttl_has_to_last_for_the_way() {
    let chain = |first: &str, second: &str| format!("bridge a <-> b {{ {first} }}\nbridge b <-> c {{ {second} }}");
    let check = |first: &str, second: &str, expected: &[&str]| {
        check_served("simplex", "a", &["c"], &chain(first, second), expected);
    };
    check("", "", &[]);
    check("network-ttl = 2", "network-ttl = 2", &[]);
    check("network-ttl = -1", "network-ttl = 2", &[]);
    check("network-ttl = 1", "network-ttl = 2", &["3 ttl-below-hops"]);
    check("network-ttl = 1", "network-ttl = 1", &["3 ttl-below-hops", "4 ttl-below-hops"]);
    check("network-ttl = 0", "", &["3 ttl-below-hops"]);
    // The request needs the subscription to come over the first bridge, the reply has to cross it as its second.
    check("message-ttl = 1; consumer-ttl = 2", "network-ttl = 2", &["3 ttl-below-hops"]);
    check("message-ttl = 2; consumer-ttl = 1", "network-ttl = 2", &["3 ttl-below-hops"]);
    check("message-ttl = 2; consumer-ttl = 2", "network-ttl = 2", &[]);
    check_served("simplex", "a", &["a"], &chain("network-ttl = 1", "network-ttl = 1"), &[]);
    check_served("simplex", "b", &["c"], &chain("network-ttl = 1", "network-ttl = 1"), &[]);
    check_brokers(&chain("network-ttl = 1", "network-ttl = 1"), &[]);
    check_served(
        "simplex",
        "a",
        &["c"],
        "defaults bridge { network-ttl = 1 }\nbridge a <-> b\nbridge b <-> c",
        &["3 ttl-below-hops"],
    );
    // Of two ways of two bridges one is open.
    let square = "bridge a <-> b { network-ttl = 1 }\nbridge b <-> c { network-ttl = 1 }\nbridge a <-> d { network-ttl = 2 }\nbridge d <-> c { network-ttl = 2 }";
    check_served("simplex", "a", &["c"], square, &["5 cyclic-network"]);
}

#[test]
fn a_cycle_with_subscriptions_that_travel() {
    let ring = |settings: &str| {
        format!("bridge a <-> b {{ {settings} }}\nbridge b <-> c {{ {settings} }}\nbridge c <-> a {{ {settings} }}")
    };
    check_brokers(&ring(""), &[]);
    check_brokers(&ring("network-ttl = 1"), &[]);
    check_brokers(&ring("consumer-ttl = 2"), &["2 cyclic-network"]);
    check_brokers(&ring("message-ttl = 2"), &[]);
    check_brokers(&ring("network-ttl = -1"), &["2 cyclic-network"]);
    check_brokers(&ring("network-ttl = 3; suppress-duplicate-queue-subscriptions = true"), &[]);
    check_brokers("bridge a <-> b { network-ttl = 3 }\nbridge b <-> c { network-ttl = 3 }", &[]);
    // Every broker of a square is two bridges from one other.
    let square = "bridge a <-> b\nbridge b <-> c\nbridge c <-> d\nbridge d <-> a";
    check_brokers(square, &["2 cyclic-network"]);
    // Master and slave are one.
    check_pair(
        "bridge a -> c { network-ttl = 2 }\nbridge c -> a { network-ttl = 2 }\nbridge d -> a { network-ttl = 2 }",
        &[],
    );
}

#[test]
fn two_bridges_one_way() {
    check_brokers("bridge a -> b\nbridge b -> a", &[]);
    check_brokers("bridge a -> b\nbridge a -> b", &["3 double-bridge"]);
    check_brokers("bridge a <-> b\nbridge b -> a", &["3 double-bridge"]);
    check_brokers("bridge a -> b\nbridge a <-> b", &["2 double-bridge"]);
    check_brokers("bridge a <-> b\nbridge b <-> a\nbridge a <-> b", &["3 double-bridge", "4 double-bridge"]);
    check_brokers("bridge a -> b { duplex = true }\nbridge b -> a", &["3 double-bridge"]);
    check_brokers(
        "bridge a -> b { uri = \"static:(tcp://b:61616,tcp://c:61616)\" }\nbridge a -> c",
        &["3 double-bridge"],
    );
    let queues = "conduit-subscriptions = false; excluded = [\"topic://>\"]";
    check_brokers(&format!("bridge a <-> b {{ {queues} }}\nbridge a <-> b {{ excluded = [\"queue://>\"] }}"), &[]);
    check_brokers(&format!("bridge a <-> b {{ {queues} }}\nbridge a <-> b"), &["3 double-bridge"]);
    let lists = |one: &str, other: &str| {
        format!(
            "bridge a <-> b {{ dynamically-included = [\"{one}\"] }}\nbridge a <-> b {{ dynamically-included = [\"{other}\"] }}"
        )
    };
    check_brokers(&lists("GC.>", "OTHER.>"), &[]);
    check_brokers(&lists("GC.>", "GC.REQUESTS"), &["3 double-bridge"]);
}

#[test]
fn bridges_of_and_to_pairs() {
    check_pair("bridge a -> hub\nbridge a -> c", &["4 double-bridge"]);
    check_pair("bridge a -> c\nbridge a -> d", &["4 double-bridge"]);
    // Each member needs its own, and only one runs.
    check_pair("bridge c -> a\nbridge d -> a", &[]);
    check_pair("bridge hub -> a\nbridge d -> a", &["4 double-bridge"]);
    check_pair("bridge a <-> hub\nbridge c -> a", &["4 double-bridge"]);
}

#[test]
fn replies_need_a_way_back() {
    let both = "bridge a -> b\nbridge b -> a";
    check_served("simplex", "a", &["b"], "bridge a -> b", &["3 no-return-path"]);
    check_served("simplex", "a", &["b"], both, &[]);
    check_served("simplex", "a", &["b"], "bridge a <-> b", &[]);
    // Nothing crosses from `a`: requests cannot.
    check_served("simplex", "a", &["b"], "bridge b -> a", &[]);
    check_served("simplex", "a", &["a"], "bridge a -> b", &[]);
    // Only one bridge of the way is at fault; the other leads back.
    check_served("simplex", "a", &["c"], "bridge a <-> b\nbridge b -> c", &["4 no-return-path"]);
    check_served("simplex", "a", &["c"], "bridge a -> b\nbridge b -> c\nbridge c -> a", &["3 cyclic-network"]);
    // Nothing but events crosses: no matter of the way back.
    let events = "bridge a -> b { dynamically-included = [\"topic://>\"] }";
    check_served("simplex", "a", &["b"], events, &["3 queue-not-bridged"]);
    check_brokers("bridge a -> b", &[]);
}

#[test]
fn temporary_queues_and_bridges() {
    let served = |settings: &str, client: &str| {
        format!(
            "site t {{ client app {{ brokers = [{client}]; replies = temporary }}; connector x {{ brokers = [b] }} }}
             deployment d simplex {{ connectors = [x] }}
             bridge a <-> b {{ {settings} }}"
        )
    };
    check_brokers(&served("", "a"), &["2 temporary-replies-cross-bridge"]);
    check_brokers(&served("", "b, a"), &["2 temporary-replies-cross-bridge"]);
    check_brokers(&served("", "b"), &[]);
    // One mistake is said once, where the client is.
    check_brokers(&served("bridge-temp-destinations = false", "a"), &["2 temporary-replies-cross-bridge"]);
    check_brokers(&served("bridge-temp-destinations = false", "b"), &["4 temporary-replies-cross-bridge"]);
    check_brokers(&served("bridge-temp-destinations = true", "b"), &[]);
}

#[test]
fn a_release_that_loses_bridges() {
    let check_release = |release: &str, bridges: &str, found: bool| {
        let brokers = "site s { broker a { host = \"a\" }; broker b { host = \"b\" } }";
        let text = format!("topology t {{ activemq = \"{release}\" }}\n{brokers}\n{bridges}");
        let files = HashMap::from([("main.topo".to_owned(), text)]);
        let analysis = analyze("main.topo", &[], &files);
        let names = analysis.diagnostics.iter().filter(|finding| finding.rule.name == "bridge-handshake-bug");
        assert_eq!(names.count(), usize::from(found), "{release} {bridges}");
    };
    let two = "bridge a -> b\nbridge b -> a";
    check_release("5.17.6", two, true);
    check_release("5.18", two, true);
    check_release("5.19.8", two, true);
    check_release("5.19.9", two, false);
    check_release("5.19", two, false);
    check_release("6.1", two, true);
    check_release("6.2.7", two, true);
    check_release("6.2.8", two, false);
    check_release("6.3.0", two, false);
    check_release("5.17.6", "", false);
}

#[test]
fn conduits_have_no_selector() {
    let served = |selector: &str, bridge: &str| {
        format!(
            "site t {{ client app {{ brokers = [a] }}\nconnector x {{ brokers = [b]; {selector} }} }}
             deployment d simplex {{ connectors = [x] }}\nbridge a <-> b {{ {bridge} }}"
        )
    };
    check_brokers(&served("selector = \"A = 1\"", ""), &["3 conduit-with-selectors"]);
    check_brokers(&served("selector = \"A = 1\"", "conduit-subscriptions = false"), &[]);
    check_brokers(&served("", ""), &[]);
    let at_home = "site t { client app { brokers = [a] }; connector x { brokers = [a]; selector = \"A = 1\" } }";
    check_brokers(&format!("{at_home}\ndeployment d simplex {{ connectors = [x] }}\nbridge a <-> b"), &[]);
    check_brokers(
        "defaults connector { selector = \"A = 1\" }
         site t { client app { brokers = [a] }; connector x { brokers = [b] }; connector y { brokers = [b] } }
         deployment d active-active { connectors = [x, y] }; bridge a <-> b",
        &["2 conduit-with-selectors"],
    );
}

#[test]
fn one_client_id_for_two() {
    let twins = |settings: [&str; 2]| {
        let [one, other] = settings;
        format!(
            "site t {{ broker x {{ host = \"x\"; listen openwire {{ port = 61616 }}; broker-name = \"same\" }}
             broker y {{ host = \"y\"; listen openwire {{ port = 61616 }}; broker-name = \"same\" }} }}
             bridge x -> a {{ {one} }}\nbridge y -> a {{ {other} }}"
        )
    };
    let named = "name = \"n\"";
    check_brokers(&twins([named, named]), &["5 client-id-collision"]);
    // Told apart by the names of the bridges: another rule speaks of the brokers.
    check_brokers(&twins([named, ""]), &[]);
    check_brokers(&twins([named, "name = \"n\"; client-id-token = \"-\""]), &[]);
    let two_of_one = |settings: &str| {
        let queues = "excluded = [\"topic://>\"]";
        format!("bridge a -> b {{ name = \"n\"; {queues} }}\nbridge a -> b {{ name = \"n\"; {settings} }}")
    };
    check_brokers(&two_of_one("excluded = [\"queue://>\"]"), &["3 client-id-collision"]);
    check_brokers(&two_of_one(""), &["3 double-bridge"]);
    // Only one member of a pair runs.
    check_pair("bridge hub -> a { name = \"n\" }", &[]);
    check_pair("bridge c -> a { name = \"n\" }\nbridge d -> a { name = \"n\" }", &[]);
    let list = |uri: &str| format!("bridge a -> b {{ uri = \"static:({uri})\" }}");
    check_brokers(&list("tcp://b:61616,tcp://b:61616?wireFormat.maxFrameSize=1048576"), &["2 client-id-collision"]);
    check_brokers(&list("tcp://b:61616,tcp://B:61616"), &[]);
    check_brokers(&list("tcp://b:61616,tcp://c:61616"), &[]);
}

#[test]
fn queues_that_have_to_cross() {
    let check_lists = |lists: &str, expected: &[&str]| {
        check_served("simplex", "a", &["b"], &format!("bridge a <-> b {{ {lists} }}"), expected);
    };
    check_lists("excluded = \"GC.REQUESTS\"", &["3 queue-not-bridged"]);
    check_lists("excluded = [\"GC.>\"]", &["3 queue-not-bridged"]);
    check_lists("excluded = [\"topic://>\", \"queue://GC.REPLY.*\"]", &["3 queue-not-bridged"]);
    check_lists("excluded = [\"topic://GC.>\", \"OTHER\"]", &[]);
    check_lists("dynamically-included = \"GC.REQUESTS\"", &["3 queue-not-bridged"]);
    check_lists("dynamically-included = [\"GC.REQUESTS\", \"GC.REPLY.app\"]", &[]);
    check_lists("dynamically-included = [\"GC.REQUESTS\"]; statically-included = [\"GC.REPLY.>\"]", &[]);
    check_lists("static-bridge = true; statically-included = [\"GC.REQUESTS\"]", &["3 queue-not-bridged"]);
    check_lists("static-bridge = true", &["3 static-bridge-without-destinations"]);
    // One stands in for the other.
    let shut = "bridge a <-> b { excluded = [\"GC.REQUESTS\"] }";
    check_served("active-active", "a, b", &["a", "b"], shut, &["3 queue-not-bridged"]);
    check_served("simplex", "a", &["a"], shut, &[]);
    // Another way is open.
    let ring = "defaults bridge { network-ttl = 2; suppress-duplicate-queue-subscriptions = true }";
    let round = format!("{shut}\nbridge a <-> c\nbridge c <-> b\n{ring}");
    check_served("simplex", "a", &["b"], &round, &[]);
    // Two bridges side by side, one for events.
    let events = "bridge a <-> b { dynamically-included = [\"topic://>\"] }";
    check_served("simplex", "a", &["b"], &format!("{events}\nbridge a <-> b {{ excluded = [\"topic://>\"] }}"), &[]);
}

#[test]
fn deployments_may_be_kept_apart() {
    let text = |clients: &str| {
        format!(
            "site t {{ {clients}; connector x {{ brokers = [a] }}; connector y {{ brokers = [b] }} }}
             deployment d simplex {{ connectors = [x] }}; deployment e simplex {{ connectors = [y] }}
             bridge a <-> b {{ excluded = [\"GC.>\"] }}; bridge a <-> c"
        )
    };
    check_brokers(&text("client p { brokers = [a] }; client q { brokers = [b] }"), &[]);
    check_brokers(&text("client r { brokers = [c] }"), &[]);
    check_brokers(&text("client s { brokers = [a, b] }"), &["4 queue-not-bridged"]);
}

#[test]
fn temporary_replies_are_not_looked_at() {
    let text = |replies: &str| {
        format!(
            "site t {{ client p {{ brokers = [a]; replies = {replies} }}\nconnector x {{ brokers = [b] }} }}
             deployment d simplex {{ connectors = [x] }}\nbridge a <-> b {{ excluded = [\"GC.REPLY.>\"] }}"
        )
    };
    check_brokers(&text("fixed"), &["5 queue-not-bridged"]);
    check_brokers(&text("temporary"), &["2 temporary-replies-cross-bridge"]);
}

#[test]
fn bridges_log_in_at_both_ends() {
    let check_bridge = |near: &str, arrow: &str, far: &str, settings: &str, expected: &[&str]| {
        let broker = |name: &str, users: &str| {
            format!("broker {name} {{ host = \"{name}\"; listen openwire {{ port = 61616 }}; {users} }}")
        };
        let brokers = format!("{}; {}", broker("x", near), broker("y", far));
        check_brokers(&format!("site t {{ {brokers} }}\nbridge x {arrow} y {{ {settings} }}"), expected);
    };
    let check_ends =
        |near: &str, far: &str, settings: &str, expected: &[&str]| check_bridge(near, "<->", far, settings, expected);
    let user = |name: &str| format!("user {name} {{ password = secret(\"env:P\") }}");
    let users = |name: &str| format!("users {{ {} }}", user(name));
    let login = |name: &str| format!("user = \"{name}\"; password = secret(\"env:P\")");
    let refused: &[&str] = &["3 bridge-credentials-missing"];
    check_ends("", &users("b"), "", refused);
    check_ends(&users("b"), "", "", refused);
    check_ends(&users("b"), &users("b"), "", refused);
    check_ends(&users("b"), &users("b"), &login("b"), &[]);
    check_ends("", &users("b"), &login("b"), &[]);
    check_ends("", "", &login("b"), &[]);
    check_ends(&users("b"), &users("c"), &login("b"), refused);
    let remote = format!("{}; remote-user-name = \"c\"", login("b"));
    check_bridge(&users("b"), "->", &users("c"), &remote, refused);
    let with_password = format!("{remote}; remote-password = secret(\"env:C\")");
    check_bridge(&users("b"), "->", &users("c"), &with_password, &[]);
    // The far end of a duplex bridge is known by the same name at home.
    check_ends(&users("b"), &users("c"), &with_password, refused);
    let both = format!("users {{ {}; {} }}", user("b"), user("c"));
    check_ends(&users("b"), &both, &with_password, &[]);
    let password_alone = format!("{}; remote-password = secret(\"env:C\")", login("b"));
    check_bridge(&users("b"), "->", &users("c"), &password_alone, refused);
    check_ends("", &users("b"), "user = \"b\"", refused);
    let open = format!("users {{ anonymous = true; {} }}", user("b"));
    check_ends("", &open, "", &[]);
    check_ends("", &open, &login("c"), refused);
    check_ends("users { anonymous = true }", &users("b"), &login("b"), refused);
}
