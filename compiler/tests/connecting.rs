//! Who connects where: what the rules of areas 03 and 04 say, and what they must not say, situation by situation.

use std::collections::HashMap;
use topoc_compiler::analyze;

/// Two sites with a broker each, a bridge between them, and room for more.
fn two_sites(east: &str, west: &str, rest: &str) -> String {
    format!(
        r#"topology t {{ activemq = "6.2" }}
site east {{
  broker amq-1 {{ host = "amq-1"; listen openwire {{ port = 61616 }}; listen ssl {{ port = 61617 }} }}
  {east}
}}
site west {{
  broker amq-2 {{ host = "amq-2"; listen openwire {{ port = 61616 }} }}
  {west}
}}
bridge amq-1 <-> amq-2
{rest}
"#
    )
}

/// The codes of these areas that are found, in order. Other rules may have their say.
fn found(topology: &str) -> Vec<&'static str> {
    let files = HashMap::from([("main.topo".to_owned(), topology.to_owned())]);
    let analysis = analyze("main.topo", &[], &files);
    let ours =
        |code: &&str| code.starts_with("TOPO03") || ["TOPO0006", "TOPO0401", "TOPO0402", "TOPO0403"].contains(code);
    // Rules with notes only are about other things.
    let notes = ["TOPO0310", "TOPO0311", "TOPO0312"];
    let codes = analysis.diagnostics.iter().map(|diagnostic| diagnostic.rule.code);
    codes.filter(ours).filter(|code| !notes.contains(code)).collect()
}

fn check(situation: &str, topology: &str, expected: &[&str]) {
    assert_eq!(found(topology), expected, "{situation}\n{topology}");
}

/// A connector of a simplex deployment with these fields, which may hold a raw URI of both brokers.
fn connector(fields: &str) -> String {
    two_sites(&format!("connector gc-1 {{ {fields} }}"), "", "deployment d simplex { connectors = [gc-1] }")
}

#[test]
fn options_of_lists_and_addresses() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("plain list", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)", &[]),
        ("slashes", "failover://(tcp://amq-1:61616,tcp://amq-2:61616)?backup=true", &[]),
        ("jms options are the connection's", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?jms.clientID=x", &[]),
        ("jms options of a member", "failover:(tcp://amq-1:61616?jms.clientID=x,tcp://amq-2:61616)", &["TOPO0301"]),
        ("nested options", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?nested.soTimeout=1", &[]),
        ("large first letter", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?Backup=true", &[]),
        ("large letters", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?BACKUP=true", &["TOPO0301"]),
        ("connection option on the list", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?soTimeout=1", &["TOPO0301"]),
        ("failover option on a member", "failover:(tcp://amq-1:61616?backup=true,tcp://amq-2:61616)", &["TOPO0301"]),
        ("two at once", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?one=1&two=2", &["TOPO0301", "TOPO0301"]),
        ("wrong name percent-encoded", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?%62ackup=true", &[]),
        ("name from a placeholder", "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?${option}=1", &[]),
        (
            "refused, so what it does is not judged",
            "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?randomize=false&one=1",
            &["TOPO0301"],
        ),
        ("no parentheses, no options", "failover:tcp://amq-1:61616,tcp://amq-2:61616", &[]),
        ("no parentheses", "failover:tcp://amq-1:61616,tcp://amq-2:61616?randomize=false", &["TOPO0302"]),
        ("no parentheses, unknown option", "failover:tcp://amq-1:61616,tcp://amq-2:61616?one=1", &["TOPO0302"]),
        (
            "no parentheses, fault before",
            "failover:tcp://amq-1:61616?one=1,tcp://amq-2:61616?backup=true",
            &["TOPO0301", "TOPO0302"],
        ),
        ("not readable, so somebody else's", "failover:(tcp://amq-1:61616", &[]),
        ("TLS option without TLS", "failover:(tcp://amq-1:61616?verifyHostName=true,tcp://amq-2:61616)", &["TOPO0301"]),
        ("TLS option with TLS", "failover:(ssl://amq-1:61617?verifyHostName=true,tcp://amq-2:61616)", &[]),
    ];
    for (situation, uri, expected) in cases {
        check(situation, &connector(&format!("brokers = [amq-1, amq-2]; uri = \"{uri}\"")), expected);
    }
}

#[test]
fn fields_and_raw_uris_decide_alike() {
    let list = "failover:(tcp://amq-1:61616,tcp://amq-2:61616)";
    let cases: &[(&str, String, &[&str])] = &[
        ("defaults of topoc", String::new(), &[]),
        ("shuffled", "randomize = true".into(), &["TOPO0303"]),
        ("shuffled in the block", "failover { randomize = true }".into(), &["TOPO0303"]),
        ("field before block", "randomize = false; failover { randomize = true }".into(), &["TOPO0316"]),
        ("field and block agree", "randomize = false; failover { randomize = false }".into(), &[]),
        ("shuffled, goes nowhere", "randomize = true; priority-backup = false".into(), &[]),
        ("stays", "priority-backup = false".into(), &["TOPO0304"]),
        ("stays by the block", "failover { priority-backup = false }".into(), &["TOPO0304"]),
        ("defaults of ActiveMQ: any order", format!("uri = \"{list}\""), &[]),
        ("raw, stays", format!("uri = \"{list}?randomize=false\""), &["TOPO0304"]),
        ("raw, shuffled by default", format!("uri = \"{list}?priorityBackup=true\""), &["TOPO0303"]),
        ("a field adds to the raw URI", format!("uri = \"{list}?randomize=false\"; priority-backup = true"), &[]),
        (
            "the raw URI comes first",
            format!("uri = \"{list}?randomize=false&priorityBackup=false\"; priority-backup = true"),
            &["TOPO0304", "TOPO0316"],
        ),
        ("the last of two counts", format!("uri = \"{list}?randomize=true&randomize=false&priorityBackup=true\""), &[]),
        ("yes is read as false", format!("uri = \"{list}?randomize=yes&priorityBackup=true\""), &["TOPO0317"]),
        ("priority URI by field", "failover { priority-uris = \"tcp://AMQ-2:61616\" }".into(), &[]),
        ("not listed", "failover { priority-uris = \"tcp://amq-3:61616\" }".into(), &["TOPO0306"]),
        ("no URI", "failover { priority-uris = \"amq-1\" }".into(), &["TOPO0306"]),
        (
            "another listener of a listed broker",
            "failover { priority-uris = \"ssl://amq-1:61617\" }".into(),
            &["TOPO0306"],
        ),
        ("behind a placeholder", "failover { priority-uris = \"tcp://${host}:61616\" }".into(), &[]),
        (
            "two preferred",
            "failover { priority-uris = [\"tcp://amq-1:61616\", \"tcp://amq-2:61616\"] }".into(),
            &["TOPO0305"],
        ),
        (
            "one preferred twice",
            "failover { priority-uris = [\"tcp://amq-1:61616\", \"tcp://AMQ-1:61616\"] }".into(),
            &[],
        ),
    ];
    for (situation, fields, expected) in cases {
        check(situation, &connector(&format!("brokers = [amq-1, amq-2]; {fields}")), expected);
    }
}

#[test]
fn addresses_and_protocols() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("capitals", "failover:(tcp://AMQ-1:61616,tcp://amq-2:61616)", &[]),
        ("nio dials tcp", "failover:(nio://amq-1:61616,tcp://amq-2:61616)", &[]),
        ("wrong host", "failover:(tcp://amq-1:61616,tcp://amq-9:61616)", &["TOPO0307"]),
        ("wrong port", "failover:(tcp://amq-1:61616,tcp://amq-2:1)", &["TOPO0307"]),
        ("placeholder host", "failover:(tcp://amq-1:61616,tcp://${host}:61616)", &[]),
        ("placeholder port", "failover:(tcp://amq-1:61616,tcp://amq-2:${port})", &[]),
        ("TLS to plain", "failover:(ssl://amq-1:61616,tcp://amq-2:61616)", &["TOPO0308"]),
        ("plain to TLS", "failover:(tcp://amq-1:61617,tcp://amq-2:61616)", &["TOPO0308"]),
        ("STOMP to OpenWire", "failover:(stomp://amq-1:61616,tcp://amq-2:61616)", &["TOPO0308"]),
    ];
    for (situation, uri, expected) in cases {
        check(situation, &connector(&format!("brokers = [amq-1, amq-2]; uri = \"{uri}\"")), expected);
    }
}

#[test]
fn listeners_that_somebody_needs() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("openwire", "listen openwire { port = 1 }", &[]),
        ("auto", "listen auto { port = 1 }", &[]),
        ("none", "", &["TOPO0006"]),
        ("none that fits", "listen stomp { }; listen mqtt { }", &["TOPO0308"]),
        ("one of them fits", "listen stomp { }; listen nio-ssl { }", &[]),
        ("one that does not exist has its own finding", "listen x { scheme = \"xyz\"; port = 1 }", &[]),
        ("failover has its own finding", "listen x { uri = \"failover:(tcp://a:1)\" }", &[]),
    ];
    for (situation, listeners, expected) in cases {
        let west = format!("broker amq-3 {{ host = \"amq-3\"; {listeners} }}");
        let named_twice = "connector gc-1 { brokers = [amq-1, amq-3] }; client c { brokers = [amq-1, amq-3] }";
        check(situation, &two_sites(named_twice, &west, "deployment d simplex { connectors = [gc-1] }"), expected);
        check("nobody connects", &two_sites("", &west, ""), &[]);
    }
}

#[test]
fn one_broker_is_enough() {
    let both = "connector gc-2 { brokers = [amq-2, amq-1] }";
    let duplex = "deployment d active-active { connectors = [gc-1, gc-2] }";
    let gc_1 = "connector gc-1 { brokers = [amq-1, amq-2] }";
    let simplex = "deployment d simplex { connectors = [gc-1] }";
    let pair = "pair hub { master = amq-1; slave = amq-2 }";
    let cases: &[(&str, String, &[&str])] = &[
        ("two brokers", two_sites(&format!("{gc_1}; client c {{ brokers = [amq-1, amq-2] }}"), both, duplex), &[]),
        ("one broker", two_sites(&format!("{gc_1}; client c {{ brokers = [amq-1] }}"), both, duplex), &["TOPO0309"]),
        (
            "one broker twice",
            two_sites(&format!("{gc_1}; client c {{ brokers = [amq-1, amq-1.ssl] }}"), both, duplex),
            &["TOPO0309"],
        ),
        ("a connector", two_sites("connector gc-1 { brokers = [amq-1] }", both, duplex), &["TOPO0309"]),
        ("a connector of simplex", two_sites("connector gc-1 { brokers = [amq-1] }", "", simplex), &[]),
        ("a client of simplex", two_sites(&format!("{gc_1}; client c {{ brokers = [amq-1] }}"), "", simplex), &[]),
        ("no connectors at all", two_sites("client c { brokers = [amq-1] }", "", ""), &["TOPO0309"]),
        (
            "a raw URI",
            two_sites(
                &format!("{gc_1}; client c {{ brokers = [amq-1, amq-2]; uri = \"failover:(tcp://amq-1:61616)\" }}"),
                both,
                duplex,
            ),
            &["TOPO0309"],
        ),
        ("a member of a pair", two_sites("client c { brokers = [amq-1] }", "", pair), &["TOPO0309"]),
        ("a pair", two_sites("client c { brokers = [hub] }", "", pair), &[]),
    ];
    for (situation, topology, expected) in cases {
        check(situation, topology, expected);
    }
    let pushing = two_sites(&format!("{gc_1}; client c {{ brokers = [amq-2] }}"), both, duplex).replace(
        "amq-2\"; listen openwire { port = 61616",
        "amq-2\"; listen openwire { port = 61616; update-cluster-clients = true",
    );
    check("the broker tells of others", &pushing, &[]);
    let deaf =
        pushing.replace("brokers = [amq-2] }", "brokers = [amq-2]; failover { update-uris-supported = false } }");
    check("nobody listens to that", &deaf, &["TOPO0309"]);
    let apart = two_sites("client c { brokers = [amq-1] }", "", "").replace("bridge amq-1 <-> amq-2", "");
    check("nothing joins the two", &apart, &[]);
}

#[test]
fn priorities_of_a_deployment() {
    let cases: &[(&str, &str, [&str; 3], &[&str])] = &[
        ("nobody writes any", "active-active", ["", "", ""], &[]),
        ("standbys by default differ", "active-passive", ["", "", ""], &[]),
        ("equal by hand", "active-active", ["5", "5", "4"], &["TOPO0401"]),
        ("all equal", "active-active", ["5", "5", "5"], &["TOPO0401", "TOPO0401"]),
        ("equal to a default", "active-passive", ["", "127", ""], &["TOPO0401"]),
        ("the default is the later one", "active-passive", ["100", "", ""], &["TOPO0401"]),
        ("standby first", "active-passive", ["1", "3", "2"], &["TOPO0402"]),
        ("standby by default", "active-passive", ["50", "", ""], &["TOPO0402"]),
        ("active-active has no standby", "active-active", ["1", "3", "2"], &[]),
        ("too high is enough", "active-passive", ["100", "128", "50"], &["TOPO0403"]),
        ("edges", "active-passive", ["127", "0", "1"], &[]),
        ("below zero", "active-passive", ["127", "-128", "1"], &["TOPO0403"]),
        ("far below", "active-passive", ["127", "-129", "1"], &["TOPO0403"]),
    ];
    for (situation, mode, priorities, expected) in cases {
        let connector = |index: usize| {
            let priority = priorities[index];
            let field = if priority.is_empty() { String::new() } else { format!("priority = {priority}") };
            format!("connector gc-{index} {{ brokers = [amq-1, amq-2]; {field} }}\n")
        };
        let all: String = (0..3).map(connector).collect();
        let deployment = format!("deployment d {mode} {{ connectors = [gc-0, gc-1, gc-2] }}");
        check(situation, &two_sites(&all, "", &deployment), expected);
    }
}
