//! Where bridges lead, as topologies say it in words and in URIs.

use super::*;
use crate::analyze;
use std::collections::HashMap;

/// A topology of brokers `a` to `d`, `c` and `d` a pair.
fn analyzed(bridges: &str) -> crate::Analysis {
    let broker = |name: char| {
        format!(
            "broker {name} {{ host = \"{name}.example.com\"; listen openwire {{ port = 61616; address from s = \"proxy:{}\" }} }}\n",
            7000 + u32::from(name)
        )
    };
    let brokers: String = "abcd".chars().map(broker).collect();
    let site = format!("site s {{\n{brokers}}}\npair hub {{ master = c; slave = d }}");
    let text = format!("topology t {{ activemq = \"6.2\" }}\n{site}\n{bridges}");
    analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]))
}

/// Every direction of every bridge as `a>b`, in order.
fn check(bridges: &str, expected: &str) {
    let analysis = analyzed(bridges);
    let name = |broker| node_name(&analysis.model, broker);
    let edges: Vec<String> =
        analysis.network.edges().iter().map(|edge| format!("{}>{}", name(edge.from), name(edge.to))).collect();
    assert_eq!(edges.join(" "), expected, "{bridges}");
}

#[test]
fn arrows() {
    check("bridge a -> b", "a>b");
    check("bridge a <-> b", "a>b b>a");
    check("bridge a -> b { duplex = true }", "a>b b>a");
    check("bridge a -> hub; bridge b -> c; bridge b -> d", "a>hub b>hub b>hub");
    check("bridge a -> a", "");
}

#[test]
fn brokers_between_which_messages_come_and_go() {
    for (bridges, expected) in [
        ("", &[][..]),
        ("bridge a -> b", &["a", "b"]),
        ("bridge a <-> b", &["a b"]),
        ("bridge a -> b; bridge b -> hub; bridge hub -> a", &["a b hub"]),
        ("bridge a -> b; bridge b -> hub", &["a", "b", "hub"]),
        ("bridge a <-> b; bridge b -> hub", &["a b", "hub"]),
        ("bridge hub -> a; bridge a <-> b", &["a b", "hub"]),
    ] {
        let analysis = analyzed(bridges);
        let mut groups: std::collections::BTreeMap<BrokerId, Vec<&str>> = std::collections::BTreeMap::new();
        for (broker, group) in analysis.network.groups() {
            groups.entry(group).or_default().push(node_name(&analysis.model, broker));
        }
        let mut found: Vec<String> = groups
            .into_values()
            .map(|mut names| {
                names.sort_unstable();
                names.join(" ")
            })
            .collect();
        found.sort();
        assert_eq!(found, expected, "{bridges}");
    }
}

#[test]
fn uris_written_by_hand_lead_further() {
    check("bridge a -> b { uri = \"static:(tcp://b.example.com:61616,tcp://C.example.com:61616)\" }", "a>b a>hub");
    check("bridge a <-> discovery \"static:(tcp://b.example.com:61616)\"", "a>b b>a");
    check("bridge a -> discovery \"static:tcp://proxy:7098\"", "a>b");
    check("bridge a -> discovery \"static:(tcp://a.example.com:61616,tcp://b.example.com:61616)\"", "a>b");
    check("bridge a -> discovery \"static:(tcp://c.example.com:61616,tcp://d.example.com:61616)\"", "a>hub");
    // How `b` is dialled there is not known; that it is `b` is.
    check("bridge a -> b { uri = \"static:(tcp://elsewhere:1)\" }", "a>b");
}

#[test]
fn one_broker_of_a_failover_list_at_a_time() {
    let both = "tcp://b.example.com:61616,tcp://c.example.com:61616";
    check(&format!("bridge a -> discovery \"masterslave:({both})\""), "a>b");
    check(&format!("bridge a -> discovery \"static:(failover:({both})?maxReconnectAttempts=0)\""), "a>b");
    check(&format!("bridge a -> discovery \"failover:({both})\""), "");
}

#[test]
fn who_announces_itself_is_found() {
    let check = |announced: &str, agent: &str, expected: &[(u32, u32)]| {
        let listen = format!("listen openwire {{ port = 61616; discovery-uri = \"{announced}\" }}");
        let brokers = format!("broker a {{ host = \"a\"; {listen} }}; broker b {{ host = \"b\"; {listen} }}");
        let text =
            format!("topology t {{ activemq = \"6.2\" }}\nsite s {{ {brokers} }}\nbridge a -> discovery \"{agent}\"");
        let files = HashMap::from([("main.topo".to_owned(), text)]);
        let network = analyze("main.topo", &[], &files).network;
        let edges: Vec<(u32, u32)> = network.edges().iter().map(|edge| (edge.from.0, edge.to.0)).collect();
        assert_eq!(edges, expected, "{announced} {agent}");
    };
    check("multicast://default", "multicast://default", &[(0, 1)]);
    check("multicast://default", "multicast://default?initialReconnectDelay=100", &[(0, 1)]);
    check("multicast://default?group=x", "multicast://default", &[]);
    check("multicast://239.0.0.1:6155", "multicast://default", &[]);
    check("zeroconf:_cc", "zeroconf:_cc", &[(0, 1)]);
}

#[test]
fn shortest_ways() {
    let text = "topology t { activemq = \"6.2\" }
        site s { broker a { host = \"a\" }; broker b { host = \"b\" }; broker c { host = \"c\" }; broker d { host = \"d\" } }
        bridge a <-> b; bridge b <-> c; bridge c -> d";
    let files = HashMap::from([("main.topo".to_owned(), text.to_owned())]);
    let network = analyze("main.topo", &[], &files).network;
    let [a, b, c, d] = [0, 1, 2, 3].map(BrokerId);
    let hops = |from, to| network.way(from, to).map(|way| way.len());
    assert_eq!([hops(a, a), hops(a, b), hops(a, d), hops(d, a)], [Some(0), Some(1), Some(3), None]);
    let without_last = network.ways_over(a, |edge| edge.to != d);
    assert_eq!(without_last.reached(), [b, c]);
    assert_eq!(without_last.to(d), None);
}

/// `consumer/message` for each bridge, with brokers `a` to `f` on a release.
#[track_caller]
fn check_ttls_on(release: &str, bridges: &str, served: &str, expected: &str) {
    let brokers: String = "abcdef".chars().map(|name| format!("broker {name} {{ host = \"{name}\" }}\n")).collect();
    let text = format!("topology t {{ activemq = \"{release}\" }}\nsite s {{\n{brokers}{served}\n}}\n{bridges}");
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]));
    let network = &analysis.network;
    let ttls = |bridge| format!("{}/{}", network.default_ttl(bridge), network.default_message_ttl(bridge));
    let found: Vec<String> = analysis.model.bridges.iter().map(ttls).collect();
    assert_eq!(found.join(" "), expected, "{bridges} {served}");
}

#[track_caller]
fn check_ttls(bridges: &str, served: &str, expected: &str) {
    check_ttls_on("6.2", bridges, served, expected);
}

const RING: &str = "bridge a <-> b; bridge b <-> c; bridge c <-> a";
const CHAIN: &str = "bridge a <-> b; bridge b <-> c";

#[test]
fn two_brokers_need_no_ttl() {
    check_ttls("bridge a <-> b", "", "1/1");
    check_ttls(
        "bridge a -> b; bridge b -> a",
        "connector x { brokers = [a, b] }; client y { brokers = [a, b] }",
        "1/1 1/1",
    );
}

#[test]
fn a_request_that_was_forwarded_can_go_on() {
    check_ttls(RING, "", "1/2 1/2 1/2");
    check_ttls(RING, "connector x { brokers = [b, c] }; client y { brokers = [a] }", "1/2 1/2 1/2");
    // Back to where it came from it goes in any case.
    check_ttls(RING, "connector x { brokers = [b] }; client y { brokers = [a, c] }", "1/1 1/1 1/1");
    check_ttls(RING, "connector x { brokers = [a, b] }; client y { brokers = [a] }", "1/1 1/1 1/1");
    check_ttls(CHAIN, "connector x { brokers = [a, c] }; client y { brokers = [a, c] }", "2/2 2/2");
    check_ttls(CHAIN, "connector x { brokers = [b, c] }; client y { brokers = [a] }", "2/2 2/2");
}

#[test]
fn in_a_chain_it_goes_back_and_on() {
    // b, a, b, c
    check_ttls(CHAIN, "connector x { brokers = [a, c] }; client y { brokers = [b] }", "2/3 2/3");
    check_ttls(
        "bridge a <-> d; bridge b <-> d; bridge c <-> d",
        "connector x { brokers = [b, c] }; client y { brokers = [a] }",
        "2/4 2/4 2/4",
    );
}

#[test]
fn one_part_of_a_network_says_nothing_of_another() {
    check_ttls("bridge a <-> b; bridge c <-> d; bridge d -> e; bridge e -> f", "", "1/1 3/4 3/4 3/4");
    check_ttls("bridge a <-> b; bridge a <-> discovery \"multicast://default\"", "", "1/1 1/1");
}

#[test]
fn bridges_of_a_pair_count_as_those_of_its_master() {
    let pair = "pair hub { master = a; slave = f }";
    check_ttls(&format!("{pair}; bridge hub <-> b; bridge b <-> c"), "", "2/3 2/3");
    check_ttls(&format!("{pair}; bridge f <-> b; bridge b <-> c"), "", "2/3 2/3");
}

#[test]
fn before_5_9_there_is_one_ttl_for_both() {
    check_ttls_on("5.8", RING, "", "2/2 2/2 2/2");
    check_ttls_on("5.9", RING, "", "1/2 1/2 1/2");
}

/// The TTLs of the first bridge of a ring of so many brokers, all of which may ask and answer.
fn of_ring(brokers: usize) -> (i64, i64) {
    let each = |text: &dyn Fn(usize) -> String| (0..brokers).map(text).collect::<Vec<_>>().join("; ");
    let hosts = each(&|number| format!("broker b{number} {{ host = \"b{number}\" }}"));
    let bridges = each(&|number| format!("bridge b{number} <-> b{}", (number + 1) % brokers));
    let text = format!("topology t {{ activemq = \"6.2\" }}; site s {{ {hosts} }}; {bridges}");
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]));
    let bridge = &analysis.model.bridges[0];
    (analysis.network.default_ttl(bridge), analysis.network.default_message_ttl(bridge))
}

#[test]
fn in_a_large_network_messages_may_live_longer_than_they_must() {
    assert_eq!(of_ring(64), (32, 63));
    assert_eq!(of_ring(66), (33, 66));
}

#[test]
fn replies_come_back_another_way() {
    let ways = "bridge a -> c; bridge c -> b; bridge b -> a";
    check_ttls(ways, "connector x { brokers = [c] }; client y { brokers = [a] }", "2/2 2/2 2/2");
    check_ttls("bridge a -> b; bridge b -> a", "connector x { brokers = [b] }; client y { brokers = [a] }", "1/1 1/1");
}

#[test]
fn a_queue_that_is_kept_back_goes_the_longer_way() {
    let served = "connector x { brokers = [b] }; client y { brokers = [a] }";
    let ring = |list: &str| format!("{DEPLOYMENT} bridge a <-> b {{ {list} }}; bridge b <-> c; bridge c <-> a");
    check_ttls(&ring(""), served, "1/1 1/1 1/1");
    check_ttls(&ring("excluded = [\"queue://REQUESTS\"]"), served, "2/2 2/2 2/2");
    check_ttls(&ring("excluded = [\"queue://OTHER\"]"), served, "1/1 1/1 1/1");
    check_ttls(&ring("excluded = [\"queue://GC.REPLY.>\"]"), served, "2/2 2/2 2/2");
    check_ttls(&ring("dynamically-included = [\"queue://GC.REPLY.y\"]"), served, "2/2 2/2 2/2");
    check_ttls(&ring("statically-included = [\"queue://OTHER\"]; static-bridge = true"), served, "2/2 2/2 2/2");
    check_ttls(&ring("excluded = [\"queue://ANY\"]").replace(DEPLOYMENT, ""), "", "1/2 1/2 1/2");
}

const DEPLOYMENT: &str = "deployment d simplex { connectors = [x]; requests = \"REQUESTS\" };";
