//! Who is first, who stands by and whose store it is: what the rules about roles say and must not say, situation by situation.

use std::collections::HashMap;
use topoc_compiler::analyze;

/// Rules that this file is about; others may have their say.
const OURS: &[&str] = &[
    "literal-site-order",
    "local-broker-not-first",
    "mode-member-count",
    "connector-in-no-deployment",
    "duplicate-broker-name",
    "broker-name-characters",
    "shared-store-not-a-pair",
    "pair-with-two-stores",
];

fn check(situation: &str, topology: &str, expected: &[&str]) {
    let text = format!("topology t {{ activemq = \"6.2\" }}\n{topology}");
    let files = HashMap::from([("main.topo".to_owned(), text.clone())]);
    let analysis = analyze("main.topo", &[], &files);
    let names = analysis.diagnostics.iter().map(|diagnostic| diagnostic.rule.name);
    let found: Vec<&str> = names.filter(|name| OURS.contains(name)).collect();
    assert_eq!(found, expected, "{situation}\n{text}");
}

/// Two sites with a broker and a connector each, a bridge, and a third site with whatever is said.
fn two_sites(gc_1: &str, gc_2: &str, mode: &str, third: &str) -> String {
    format!(
        "site east {{
           broker amq-1 {{ host = \"amq-1\"; listen openwire {{ port = 61616 }} }}
           connector gc-1 {{ {gc_1} }}
         }}
         site west {{
           broker amq-2 {{ host = \"amq-2\"; listen openwire {{ port = 61616 }} }}
           connector gc-2 {{ {gc_2} }}
         }}
         site third {{ {third} }}
         bridge amq-1 <-> amq-2
         deployment d {mode} {{ connectors = [gc-1, gc-2] }}"
    )
}

#[test]
fn which_broker_comes_first() {
    let cases: &[(&str, &str, &str, &str, &[&str])] = &[
        ("each its own", "brokers = [amq-1, amq-2]", "brokers = [amq-2, amq-1]", "active-passive", &[]),
        (
            "the document's",
            "brokers = [amq-1, amq-2]",
            "brokers = [amq-1, amq-2]",
            "active-passive",
            &["literal-site-order"],
        ),
        (
            "not in active-active",
            "brokers = [amq-1, amq-2]",
            "brokers = [amq-1, amq-2]",
            "active-active",
            &["local-broker-not-first"],
        ),
        ("nothing else listed", "brokers = [amq-1]", "brokers = [amq-1]", "active-passive", &[]),
        (
            "shuffled, so no order",
            "brokers = [amq-1, amq-2]",
            "brokers = [amq-1, amq-2]; randomize = true",
            "active-passive",
            &[],
        ),
        (
            "the raw URI has an order of its own",
            "brokers = [amq-1, amq-2]",
            "brokers = [amq-1, amq-2]; uri = \"failover:(tcp://amq-2:61616,tcp://amq-1:61616)?randomize=false\"",
            "active-passive",
            &[],
        ),
        (
            "the primary too far",
            "brokers = [amq-2, amq-1]",
            "brokers = [amq-1, amq-2]",
            "active-passive",
            &["local-broker-not-first"],
        ),
        (
            "both at the standby's",
            "brokers = [amq-2, amq-1]",
            "brokers = [amq-2, amq-1]",
            "active-passive",
            &["local-broker-not-first"],
        ),
        ("a broker that does not exist", "brokers = [amq-9, amq-1]", "brokers = [amq-2, amq-1]", "active-active", &[]),
    ];
    for (situation, gc_1, gc_2, mode, expected) in cases {
        check(situation, &two_sites(gc_1, gc_2, mode, ""), expected);
    }
}

#[test]
fn a_pair_is_one_broker_wherever_its_members_are() {
    let topology = |order: &str| {
        format!(
            "site east {{
               broker hub-a {{ host = \"a\"; listen openwire {{ port = 61616 }}; store kahadb {{ directory = \"/mnt/hub\" }} }}
               connector gc-1 {{ brokers = {order} }}
             }}
             site west {{
               broker hub-b {{ host = \"b\"; listen openwire {{ port = 61616 }}; store kahadb {{ directory = \"/mnt/hub/\" }} }}
               connector gc-2 {{ brokers = {order} }}
             }}
             pair hub {{ master = hub-a; slave = hub-b }}
             deployment d active-passive {{ connectors = [gc-1, gc-2] }}"
        )
    };
    check("the pair", &topology("[hub]"), &[]);
    check("its members one by one", &topology("[hub-a, hub-b]"), &[]);
}

#[test]
fn a_site_without_a_broker_for_connectors_prefers_what_it_likes() {
    let third = |broker: &str| format!("{broker}; connector gc-3 {{ brokers = [amq-1, amq-2] }}");
    let with = |broker: &str| {
        let deployment = "\ndeployment e simplex { requests = \"E\"; connectors = [gc-3] }";
        two_sites("brokers = [amq-1, amq-2]", "brokers = [amq-2, amq-1]", "active-active", &third(broker)) + deployment
    };
    check("none", &with(""), &[]);
    check("for devices only", &with("broker iot { host = \"iot\"; listen mqtt { } }"), &[]);
    check(
        "one of its own",
        &with("broker amq-3 { host = \"amq-3\"; listen openwire { port = 61616 } }"),
        &["local-broker-not-first"],
    );
}

#[test]
fn how_many_connectors_a_mode_takes() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("one", "deployment d simplex { connectors = [gc-1] } deployment e simplex { connectors = [gc-2] }", &[]),
        ("two for one", "deployment d simplex { connectors = [gc-1, gc-2] }", &["mode-member-count"]),
        (
            "none",
            "deployment d simplex { connectors = [] } deployment e simplex { connectors = [gc-1] } deployment f simplex { connectors = [gc-2] }",
            &["mode-member-count"],
        ),
        (
            "one twice",
            "deployment d active-passive { connectors = [gc-1, gc-1] } deployment e simplex { connectors = [gc-2] }",
            &["mode-member-count"],
        ),
        ("one beside", "deployment d simplex { connectors = [gc-1] }", &["connector-in-no-deployment"]),
        (
            "in two",
            "deployment d simplex { connectors = [gc-1] } deployment e active-passive { connectors = [gc-1, gc-2] }",
            &[],
        ),
        ("a deployment that cannot be read", "deployment d simplx { connectors = [gc-1, gc-2] }", &[]),
        ("a connector that does not exist", "deployment d active-passive { connectors = [gc-1, gc-9] }", &[]),
        ("two of one site share", "deployment d active-active { connectors = [gc-1, gc-2] }", &["mode-member-count"]),
        ("two of one site stand by", "deployment d active-passive { connectors = [gc-1, gc-2] }", &[]),
    ];
    for (situation, deployments, expected) in cases {
        let deployments = deployments.replace("} deployment", "}\ndeployment");
        let topology = format!(
            "site east {{
               broker amq-1 {{ host = \"amq-1\"; listen openwire {{ port = 61616 }} }}
               connector gc-1 {{ brokers = [amq-1] }}
               connector gc-2 {{ brokers = [amq-1]; priority = 90 }}
             }}
             {deployments}"
        );
        check(situation, &topology, expected);
    }
}

#[test]
fn names_are_told_apart_in_one_network_only() {
    let sites = |name_1: &str, name_2: &str, listen: &str, bridges: &str| {
        format!(
            "site east {{ broker a {{ host = \"h1\"; {name_1}; listen openwire {{ port = 61616{listen} }} }} }}
             site west {{ broker b {{ host = \"h2\"; {name_2}; listen openwire {{ port = 61616{listen} }} }} }}
             site far {{ broker c {{ host = \"h3\"; listen openwire {{ port = 61616 }} }} }}
             {bridges}"
        )
    };
    let same = "broker-name = \"amq\"";
    let cases: &[(&str, [&str; 4], &[&str])] = &[
        ("no bridge", [same, same, "", ""], &[]),
        ("a bridge", [same, same, "", "bridge east.a -> west.b"], &["duplicate-broker-name"]),
        (
            "over a third",
            [same, same, "", "bridge east.a <-> far.c\nbridge far.c -> west.b"],
            &["duplicate-broker-name"],
        ),
        ("like the other's default", ["broker-name = \"b\"", "", "", "bridge a <-> b"], &["duplicate-broker-name"]),
        (
            "one discovery group",
            [same, same, "; discovery-uri = \"multicast://default\"", ""],
            &["duplicate-broker-name"],
        ),
        (
            "found by a bridge",
            [same, same, "; discovery-uri = \"multicast://default\"", "bridge a -> discovery \"multicast://default\""],
            &["duplicate-broker-name"],
        ),
        ("bad letters", ["broker-name = \"amq 1\"", "", "", ""], &["broker-name-characters"]),
        ("all letters that are kept", ["broker-name = \"A.b_c-d:9\"", "", "", ""], &[]),
    ];
    for (situation, [name_1, name_2, listen, bridges], expected) in cases {
        check(situation, &sites(name_1, name_2, listen, bridges), expected);
    }
}

#[test]
fn whose_store_it_is() {
    let topology = |host_2: &str, store_1: &str, store_2: &str, pair: &str| {
        format!(
            "site east {{
               broker a {{ host = \"h1\"; listen openwire {{ port = 61616 }}; {store_1} }}
               broker b {{ host = \"{host_2}\"; listen openwire {{ port = 61617 }}; {store_2} }}
             }}
             {pair}"
        )
    };
    let pair = "pair p { master = a; slave = b }";
    let data = "store kahadb { directory = \"/data\" }";
    let mounted = "store kahadb { directory = \"/data\"; shared = true }";
    let other = "store kahadb { directory = \"/other\" }";
    let variable = "store kahadb { directory = \"${activemq.data}/kahadb\" }";
    let level = "store leveldb { directory = \"/data\" }";
    let postgres = "store jdbc { url = \"jdbc:postgresql://db/amq\" }";
    let local = "store jdbc { url = \"jdbc:postgresql://localhost/amq\" }";
    let memory = "store memory { }";
    let cases: &[(&str, [&str; 4], &[&str])] = &[
        ("local disks", ["h2", data, data, ""], &[]),
        ("one host", ["h1", data, data, ""], &["shared-store-not-a-pair"]),
        ("one host in other letters", ["H1", data, data, ""], &["shared-store-not-a-pair"]),
        ("one host, two directories", ["h1", data, other, ""], &[]),
        ("one host, two kinds, one directory", ["h1", data, level, ""], &["shared-store-not-a-pair"]),
        ("each its own variable", ["h1", variable, variable, ""], &[]),
        ("mounted", ["h2", mounted, data, ""], &["shared-store-not-a-pair"]),
        ("database", ["h2", postgres, postgres, ""], &["shared-store-not-a-pair"]),
        ("local databases", ["h2", local, local, ""], &[]),
        ("local database", ["h1", local, local, ""], &["shared-store-not-a-pair"]),
        ("nothing to share", ["h1", memory, memory, ""], &[]),
        ("a pair", ["h2", mounted, mounted, pair], &[]),
        ("a pair on one host", ["h1", data, data, pair], &[]),
        ("a pair with two", ["h2", mounted, other, pair], &["pair-with-two-stores"]),
        ("a pair with two kinds", ["h2", data, level, pair], &["pair-with-two-stores"]),
        ("a pair with one", ["h2", mounted, "", pair], &["pair-with-two-stores"]),
        ("a pair with none", ["h2", "", "", pair], &["pair-with-two-stores"]),
        ("a pair in memory", ["h2", memory, memory, pair], &["pair-with-two-stores"]),
        ("a pair, one store unread", ["h2", mounted, "store kahadb { directory = 1 }", pair], &[]),
    ];
    for (situation, [host_2, store_1, store_2, pair], expected) in cases {
        check(situation, &topology(host_2, store_1, store_2, pair), expected);
    }
}
