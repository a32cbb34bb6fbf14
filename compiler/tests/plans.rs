//! What a connector is told is what the topology says, whichever way that is written.

use std::collections::HashMap;
use topoc_compiler::{analyze, emit};
use topoc_plan::{Admin, Brokers, Identity, Limits, LogFormat, Mode, Notifications, Plan, Product, Secret, Tls};

/// Two sites with a broker and a Finesse server each.
fn plans(connector: &str, rest: &str) -> Vec<Plan> {
    let text = format!(
        "topology t {{ activemq = \"6.2\" }}
site east {{
  broker a {{ host = \"amq-a\"; listen openwire {{ port = 61616 }} }}
  finesse fin-a {{ host = \"fin-a.example.test\" }}
  connector gc-1 {{ {connector} }}
}}
site west {{
  broker b {{ host = \"amq-b\"; listen ssl {{ port = 61617 }} }}
  finesse fin-b {{ host = \"fin-b.example.test\"; xmpp = websocket; port = 443 }}
}}
{rest}
"
    );
    let files = HashMap::from([("main.topo".to_owned(), text.clone())]);
    let analysis = analyze("main.topo", &[], &files);
    let Some(checked) = analysis.checked() else { panic!("{text}\n{:#?}", analysis.diagnostics) };
    let plans = emit::plans(checked);
    assert_eq!(plans, emit::plans(checked));
    plans
}

fn alone(connector: &str) -> Plan {
    plans(connector, "deployment main simplex { connectors = [gc-1] }").remove(0)
}

const INACTIVITY: &str = "wireFormat.maxInactivityDuration=10000&wireFormat.maxInactivityDurationInitalDelay=10000";

#[test]
fn brokers_by_name_are_a_list_with_the_options_that_keep_its_order() {
    let plan = alone("brokers = [a, b]; timeout = 10s");
    let expected = format!(
        "failover:(tcp://amq-a:61616?{INACTIVITY},ssl://amq-b:61617?{INACTIVITY})\
         ?maxReconnectDelay=500&priorityBackup=true&randomize=false&timeout=10000"
    );
    assert_eq!(plan.brokers.to_string(), expected);
}

#[test]
fn a_uri_by_hand_is_a_list_as_well_and_fields_beside_it_count() {
    for (uri, expected) in [
        (
            "failover:(tcp://x:1?soTimeout=5,tcp://y:2)?timeout=7",
            "failover:(tcp://x:1?soTimeout=5,tcp://y:2)?randomize=false&timeout=7",
        ),
        ("failover:(tcp://x:1)?randomize=true", "failover:(tcp://x:1)?randomize=true"),
        ("tcp://x:1?soTimeout=5", "tcp://x:1?soTimeout=5"),
        ("failover:(tcp://[::1]:1)", "failover:(tcp://[::1]:1)?randomize=false"),
    ] {
        let plan = alone(&format!("brokers = [a]; randomize = false; uri = \"{uri}\""));
        assert!(matches!(plan.brokers, Brokers::Listed(_)), "{uri}");
        assert_eq!(plan.brokers.to_string(), expected, "{uri}");
    }
}

#[test]
fn a_uri_that_names_no_machine_stays_as_it_is() {
    let uri = "discovery:(multicast://default)";
    let plan = alone(&format!("brokers = [a]; uri = \"{uri}\""));
    assert_eq!(plan.brokers, Brokers::Uri(uri.to_owned()));
}

#[test]
fn requests_and_the_login_are_what_fields_say() {
    let plan = alone(
        "brokers = [a]; priority = 9; prefetch = 10; exclusive = true; selector = \"x = 1\"; user = \"gc\"; password = secret(\"file:/run/gc\")",
    );
    assert_eq!((plan.requests.priority, plan.requests.prefetch, plan.requests.exclusive), (9, Some(10), true));
    assert_eq!(plan.requests.selector.as_deref(), Some("x = 1"));
    assert_eq!(plan.login.user.as_deref(), Some("gc"));
    assert_eq!(plan.login.password, Some(Secret::File("/run/gc".into())));
}

#[test]
fn finesse_servers_come_in_order_with_their_ports() {
    let plan = alone("brokers = [a]; finesse = [fin-b, fin-a]");
    let nodes: Vec<_> = plan
        .finesse
        .iter()
        .map(|node| (node.host.as_str(), node.rest_port, node.notifications, node.notifications_port))
        .collect();
    assert_eq!(
        nodes,
        [
            ("fin-b.example.test", 443, Notifications::Websocket, 7443),
            ("fin-a.example.test", 8445, Notifications::Tcp, 5223)
        ]
    );
}

#[test]
fn a_deployment_names_all_its_connectors_the_primary_first() {
    let rest = "site south { connector gc-2 { brokers = [b] } }
bridge a <-> b
deployment main active-passive { connectors = [gc-2, gc-1]; requests = \"Q\" }";
    let plans = plans("brokers = [a]", rest);
    for plan in &plans {
        let deployment = plan.deployment.as_ref().expect("both are in one");
        let peers: Vec<_> = deployment.connectors.iter().map(|peer| (&*peer.site, &*peer.connector)).collect();
        assert_eq!(peers, [("south", "gc-2"), ("east", "gc-1")]);
        assert_eq!((deployment.mode, &*deployment.sync), (Mode::ActivePassive, "GC.SYNC.main"));
        assert_eq!(plan.requests.queue, "Q");
    }
    let who: Vec<_> = plans.iter().map(|plan| (&*plan.site, &*plan.connector, plan.requests.priority)).collect();
    assert_eq!(who, [("east", "gc-1", 100), ("south", "gc-2", 127)]);
}

#[test]
fn a_connector_in_no_deployment_takes_requests_by_itself() {
    let plan = plans("brokers = [a]", "").remove(0);
    assert_eq!((plan.deployment, &*plan.requests.queue, plan.requests.priority), (None, "GC.REQUESTS", 127));
}

#[test]
fn only_properties_that_a_connector_knows_are_in_its_plan() {
    let plan = alone(
        "brokers = [a]; property \"LOG_LEVEL\" = \"debug\"; property \"DB_PASSWORD\" = secret(\"env:DB\"); property \"GRC_CONSUMER_PRIORITY\" = \"5\"",
    );
    assert_eq!(plan.properties, [("GRC_CONSUMER_PRIORITY".to_owned(), "5".to_owned())]);
    assert_eq!(plan.settled().expect("5 is a priority").requests.priority, 5);
}

#[test]
fn what_an_operator_decides_is_told_as_it_is_written() {
    let plan = alone(
        r#"brokers = [b]; finesse = [fin-b]
        broker-roots = "/etc/topoc/brokers.pem"; broker-certificate = "/etc/topoc/gc.pem"
        broker-private-key = secret("file:/etc/topoc/gc.key"); finesse-roots = "/etc/topoc/finesse.pem"
        admin = "127.0.0.1:9464"; admin-token = secret("env:ADMIN_TOKEN")
        max-requests = 512; max-requests-per-agent = 8; max-agents = 10000; log-format = json"#,
    );
    let Tls { broker_roots, broker_identity, finesse_roots } = plan.tls;
    assert_eq!(broker_roots.as_deref(), Some("/etc/topoc/brokers.pem"));
    assert_eq!(finesse_roots.as_deref(), Some("/etc/topoc/finesse.pem"));
    let key = Secret::File("/etc/topoc/gc.key".into());
    assert_eq!(broker_identity, Some(Identity { certificate: "/etc/topoc/gc.pem".into(), key }));
    let token = Some(Secret::Env("ADMIN_TOKEN".into()));
    assert_eq!(plan.admin, Some(Admin { address: "127.0.0.1:9464".parse().unwrap(), token }));
    assert_eq!(plan.limits, Limits { requests: Some(512), requests_of_agent: Some(8), agents: Some(10_000) });
    assert_eq!(plan.log, LogFormat::Json);
}

#[test]
fn what_nobody_writes_is_left_to_the_connector() {
    let plan = alone("brokers = [b]; finesse = [fin-b]");
    assert_eq!((plan.tls, plan.admin, plan.limits), (Tls::default(), None, Limits::default()));
    assert_eq!((plan.log, plan.product), (LogFormat::Human, Product::Ucce));
    assert_eq!(plan.deployment.unwrap().sync_keys, []);
}

#[test]
fn the_contact_centre_is_that_of_the_finesse_nodes() {
    let rest = "deployment main simplex { connectors = [gc-1] }\ndefaults finesse { deployment = uccx }";
    assert_eq!(plans("brokers = [a]; finesse = [fin-a, fin-b]", rest)[0].product, Product::Uccx);
}

#[test]
fn the_newer_key_comes_first() {
    let keys = |written: &str| {
        let rest = format!("deployment main simplex {{ connectors = [gc-1]; {written} }}");
        plans("brokers = [a]", &rest).remove(0).deployment.unwrap().sync_keys
    };
    let (new, old) = (Secret::Env("NEW".into()), Secret::File("/run/keys/old".into()));
    assert_eq!(keys(r#"sync-key = secret("env:NEW")"#), std::slice::from_ref(&new));
    assert_eq!(keys(r#"other-sync-key = secret("file:/run/keys/old"); sync-key = secret("env:NEW")"#), [new, old]);
}
