//! What brokers did with requests, replayed on topologies written down.

use super::*;
use crate::{Analysis, analyze};
use proptest::prelude::*;

/// Two sites of the deployment-models document (000_f205e67ac5b4ee75.txt): who lists which broker first, and the bridge.
struct Sites {
    mode: &'static str,
    gc_2: &'static str,
    desktop_2: &'static str,
    bridge: &'static str,
}

const DECREASING: &str = "bridge amq-1 <-> amq-2";
const COPYING: &str = "bridge amq-1 <-> amq-2 { decrease-network-consumer-priority = false }";

fn analysis(text: &str) -> Analysis {
    let text = format!("topology t {{ activemq = \"6.2\" }}\n{text}");
    let files = HashMap::from([("main.topo".to_owned(), text)]);
    let analysis = analyze("main.topo", &[], &files);
    assert!(!analysis.model.incomplete, "{:#?}", analysis.diagnostics);
    analysis
}

/// `amq-2>amq-1>gc-1` for every course, in the order of names.
fn courses(analysis: &Analysis, situation: &Situation<'_>, from: &str) -> String {
    let model = &analysis.model;
    let name = |broker: BrokerId| model.broker(broker).name.value.clone();
    let at = (0_u32..).map(BrokerId).zip(&model.brokers).find(|(_, broker)| broker.name.value == from).unwrap().0;
    let mut courses: Vec<String> = situation
        .follow(at, "GC.REQUESTS")
        .iter()
        .map(|course| {
            let brokers = [from.to_owned()].into_iter().chain(course.way.iter().map(|edge| name(edge.to)));
            let handler =
                course.handler.map_or("nobody".to_owned(), |id| model.connector(id).dialer.name.value.clone());
            brokers.chain([handler]).collect::<Vec<_>>().join(">")
        })
        .collect();
    courses.sort();
    courses.dedup();
    courses.join(" ")
}

fn check_sites(sites: &Sites, desktop_1: &str, desktop_2: &str) {
    let Sites { mode, gc_2, desktop_2: second, bridge } = sites;
    let text = format!(
        r#"
        site site-1 {{
          broker amq-1 {{ host = "amq-1" }}
          connector gc-1 {{ brokers = [amq-1, amq-2]; priority = 127 }}
          client desktop-1 {{ brokers = [amq-1, amq-2] }}
        }}
        site site-2 {{
          broker amq-2 {{ host = "amq-2" }}
          connector gc-2 {{ brokers = [{gc_2}]; priority = 100 }}
          client desktop-2 {{ brokers = [{second}] }}
        }}
        {bridge}
        deployment main {mode} {{ connectors = [gc-1, gc-2] }}
        "#
    );
    let analysis = analysis(&text);
    let situation = Situation::whole(&analysis.model, &analysis.network);
    let first = second.split(',').next().unwrap();
    assert_eq!(courses(&analysis, &situation, "amq-1"), desktop_1, "desktop-1 {mode} {gc_2} {bridge}");
    assert_eq!(courses(&analysis, &situation, first), desktop_2, "desktop-2 {mode} {gc_2} {bridge}");
}

/// The path of each client's requests with nothing failed, as seen on running brokers (5.17.2; the first and the
/// fourth also on 5.14.5 and 6.3.1).
#[test]
fn two_sites_with_nothing_failed() {
    let passive = Sites { mode: "active-passive", gc_2: "amq-2, amq-1", desktop_2: "amq-1, amq-2", bridge: DECREASING };
    check_sites(&passive, "amq-1>gc-1", "amq-1>gc-1");
    check_sites(&Sites { bridge: COPYING, ..passive }, "amq-1>gc-1", "amq-1>gc-1");
    check_sites(&Sites { gc_2: "amq-1, amq-2", ..passive }, "amq-1>gc-1", "amq-1>gc-1");

    let active = Sites { mode: "active-active", gc_2: "amq-2, amq-1", desktop_2: "amq-2, amq-1", bridge: DECREASING };
    check_sites(&active, "amq-1>gc-1", "amq-2>gc-2");
    // 127 behind the bridge beats 100 at home.
    check_sites(&Sites { bridge: COPYING, ..active }, "amq-1>gc-1", "amq-2>amq-1>gc-1");
    let one_ways = "bridge amq-1 -> amq-2; bridge amq-2 -> amq-1";
    check_sites(&Sites { bridge: one_ways, ..active }, "amq-1>gc-1", "amq-2>gc-2");
    let conduit_off = "bridge amq-1 <-> amq-2 { conduit-subscriptions = false }";
    check_sites(&Sites { bridge: conduit_off, ..active }, "amq-1>gc-1", "amq-2>gc-2");
    let two_hops = "bridge amq-1 <-> amq-2 { network-ttl = 2 }";
    check_sites(&Sites { bridge: two_hops, ..active }, "amq-1>gc-1", "amq-2>gc-2");
}

/// Brokers `a` to `e`, bridges, and connectors given as `name at broker with priority`, all of one deployment.
fn check(bridges: &str, connectors: &[(&str, &str, i64)], from: &str, expected: &str) {
    let brokers: String = "abcde".chars().map(|name| format!("broker {name} {{ host = \"{name}\" }}\n")).collect();
    let blocks: String = connectors
        .iter()
        .map(|(name, at, priority)| format!("connector {name} {{ brokers = [{at}]; priority = {priority} }}\n"))
        .collect();
    let names: Vec<&str> = connectors.iter().map(|(name, _, _)| *name).collect();
    let deployment = match names.is_empty() {
        true => String::new(),
        false => format!("deployment main active-passive {{ connectors = [{}] }}", names.join(", ")),
    };
    let analysis = analysis(&format!("site s {{\n{brokers}{blocks}}}\n{bridges}\n{deployment}"));
    let situation = Situation::whole(&analysis.model, &analysis.network);
    assert_eq!(courses(&analysis, &situation, from), expected, "{bridges} {connectors:?}");
}

#[test]
fn local_consumers_come_before_bridges_and_the_highest_first() {
    check("bridge a <-> b", &[("x", "a", 1), ("y", "b", 127)], "a", "a>x");
    check("", &[("x", "a", 1), ("y", "a", 127)], "a", "a>y");
    check("", &[("x", "a", 100), ("y", "a", 100)], "a", "a>x a>y");
    check("bridge a <-> b", &[("x", "a", -6), ("y", "b", 0)], "a", "a>b>y");
    check("bridge a <-> b { consumer-priority-base = 110 }", &[("x", "a", 100), ("y", "b", 0)], "a", "a>b>y");
}

#[test]
fn nobody_to_be_found() {
    check("", &[], "a", "a>nobody");
    check("", &[("x", "b", 127)], "a", "a>nobody");
    check("bridge b -> a", &[("x", "b", 127)], "a", "a>nobody");
}

#[test]
fn the_nearer_of_two_bridges_wins_and_equal_ones_share() {
    let two =
        "bridge a <-> b { network-ttl = 2 }; bridge b <-> c { network-ttl = 2 }; bridge a <-> d { network-ttl = 2 }";
    check(two, &[("x", "c", 127), ("y", "d", 0)], "a", "a>d>y");
    check("bridge a <-> b; bridge a <-> c", &[("x", "b", 127), ("y", "c", 0)], "a", "a>b>x a>c>y");
    // A bridge that lowers nothing passes on what the one behind it says: -5, as of a neighbour.
    let mixed = "bridge a <-> b { network-ttl = 2; decrease-network-consumer-priority = false }
                 bridge b <-> c { network-ttl = 2 }; bridge a <-> d { network-ttl = 2 }";
    check(mixed, &[("x", "c", 127), ("y", "d", 0)], "a", "a>b>c>x a>d>y");
}

#[test]
fn a_subscription_travels_as_far_as_its_ttl() {
    let chain = |ttl: &str| format!("bridge a <-> b {{ {ttl} }}; bridge b <-> c {{ {ttl} }}");
    check(&chain("network-ttl = 2"), &[("x", "c", 127)], "a", "a>b>c>x");
    check(&chain("network-ttl = 1"), &[("x", "c", 127)], "a", "a>nobody");
    check(&chain("network-ttl = -1"), &[("x", "c", 127)], "a", "a>b>c>x");
    check(&chain("message-ttl = 2; consumer-ttl = 1"), &[("x", "c", 127)], "a", "a>nobody");
    // The subscription is heard; the message crosses one bridge and stays there.
    check(&chain("message-ttl = 1; consumer-ttl = 2"), &[("x", "c", 127)], "a", "a>b>nobody");
}

#[test]
fn a_request_never_goes_back() {
    // `b` hears of `x` over `c` as well, and `a` is where the request came from.
    let ring =
        "bridge a <-> b { network-ttl = 3 }; bridge b <-> c { network-ttl = 3 }; bridge c <-> a { network-ttl = 3 }";
    check(ring, &[("x", "a", 127)], "b", "b>a>x");
    check(ring, &[], "b", "b>nobody");
}

#[test]
fn a_queue_that_may_not_cross_stays() {
    check("bridge a <-> b { excluded = [\"GC.>\"] }", &[("x", "b", 127)], "a", "a>nobody");
    check("bridge a <-> b { dynamically-included = [\"topic://>\"] }", &[("x", "b", 127)], "a", "a>nobody");
    check("bridge a <-> b { dynamically-included = [\"GC.*\"] }", &[("x", "b", 127)], "a", "a>b>x");
    check("bridge a <-> b { statically-included = [\"GC.REQUESTS\"] }", &[], "a", "a>b>nobody");
    check("bridge a <-> b { static-bridge = true }", &[("x", "b", 127)], "a", "a>nobody");
}

#[test]
fn with_conduit_who_subscribed_first_decides() {
    let two_at_b = [("x", "a", 100), ("y", "b", 127), ("z", "b", 50)];
    let copying = "bridge a <-> b { decrease-network-consumer-priority = false }";
    check(copying, &two_at_b, "a", "a>b>y a>x");
    let each = "bridge a <-> b { decrease-network-consumer-priority = false; conduit-subscriptions = false }";
    check(each, &two_at_b, "a", "a>b>y");
    check(copying, &[("x", "a", 40), ("y", "b", 127), ("z", "b", 50)], "a", "a>b>y");
}

#[test]
fn a_broken_bridge_is_not_crossed() {
    let analysis = analysis(
        "site s { broker a { host = \"a\" }; broker b { host = \"b\" }; connector x { brokers = [b] } }
         bridge a <-> b
         deployment main simplex { connectors = [x] }",
    );
    let whole = Situation::whole(&analysis.model, &analysis.network);
    assert_eq!(courses(&analysis, &whole, "a"), "a>b>x");
    let broken = whole.clone().without(analysis.network.edges().iter().copied());
    assert_eq!(courses(&analysis, &broken, "a"), "a>nobody");
    let nobody = Situation::new(&analysis.model, &analysis.network, []);
    assert_eq!(courses(&analysis, &nobody, "b"), "b>nobody");
}

#[test]
fn a_mesh_without_ttl_ends() {
    let names: Vec<char> = "abcde".chars().collect();
    let pairs = names.iter().enumerate().flat_map(|(index, one)| names[..index].iter().map(move |other| (one, other)));
    let mesh: Vec<String> =
        pairs.map(|(one, other)| format!("bridge {one} <-> {other} {{ network-ttl = -1 }}")).collect();
    check(&mesh.join("\n"), &[("x", "c", 127)], "a", "a>c>x");
}

proptest! {
    /// The formula as ActiveMQ computes it broker by broker, against what a broker hears over a whole chain at once.
    #[test]
    fn priorities_over_a_chain_are_those_of_one_bridge_after_the_other(
        own in -128_i64..=127,
        chain in proptest::collection::vec((any::<bool>(), -128_i64..=127), 1..6),
    ) {
        // The far end first, as subscriptions travel: `doCreateDemandSubscription` at each broker in turn.
        let mut heard = own;
        for (index, (decrease, base)) in chain.iter().rev().enumerate() {
            let hops = i64::try_from(index).unwrap() + 1;
            heard = match (decrease, hops) {
                (false, _) => heard,
                (true, 1) => i64::from(*base as i8),
                (true, _) => i64::from((base - (hops + 1)) as i8),
            };
        }
        let names: Vec<String> = (0..=chain.len()).map(|index| format!("n{index}")).collect();
        let brokers: String = names.iter().map(|name| format!("broker {name} {{ host = \"{name}\" }}\n")).collect();
        let bridges: String = chain.iter().zip(names.windows(2)).map(|((decrease, base), ends)| format!(
            "bridge {} -> {} {{ network-ttl = -1; decrease-network-consumer-priority = {decrease}; consumer-priority-base = {base} }}\n",
            ends[0], ends[1],
        )).collect();
        let last = names.last().unwrap();
        let analysis = analysis(&format!(
            "site s {{\n{brokers}connector x {{ brokers = [{last}]; priority = {own} }}\n}}\n{bridges}deployment d simplex {{ connectors = [x] }}"
        ));
        let situation = Situation::whole(&analysis.model, &analysis.network);
        let candidates = situation.candidates(BrokerId(0), "GC.REQUESTS", &[]);
        prop_assert_eq!(candidates.len(), 1);
        prop_assert_eq!((candidates[0].least, candidates[0].most), (heard, heard));
    }

    /// Where bridges lower priorities, the own one does not matter, and nobody behind a bridge outranks a local one.
    #[test]
    fn lowered_priorities_depend_on_distance_alone(own in -128_i64..=127, hops in 1_i64..60) {
        let lowered = priority_across(own, hops, true, -5);
        prop_assert_eq!(lowered, priority_across(0, hops, true, -5));
        prop_assert!((-128..=-5).contains(&lowered));
        prop_assert_eq!(priority_across(own, hops, false, -5), own);
    }
}

/// The table of `doCreateDemandSubscription` with the default base (5.17.2 and 6.3.1): -6 and -7 are never seen.
#[test]
fn the_table_of_the_default_base() {
    let table: Vec<i64> = (1..=4).map(|hops| priority_across(127, hops, true, -5)).collect();
    assert_eq!(table, [-5, -8, -9, -10]);
    assert_eq!(priority_across(127, 1, true, 200), -56, "a base is cut to a byte");
}
