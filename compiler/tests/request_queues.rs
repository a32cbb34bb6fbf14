//! Which request queues a client is told of: those that somebody hears of at its brokers.

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
