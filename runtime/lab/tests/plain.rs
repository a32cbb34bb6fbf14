//! Plain brokers: what the builder writes is valid, and does what it says on real brokers.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;
use topoc_lab::{Broker, Certificates, Java, PATIENCE, Plain, ports, release, validate_xml};

/// Passwords of the list that no program may print.
const RIGHT: &str = "Mh4-moonlit";
const WRONG: &str = "Sd6-sunlit";

const RELEASES: [&str; 3] = ["5.15.16", "5.18.3", "6.3.1"];

static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab-certificates");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    Certificates::make(&dir).unwrap()
});

#[test]
fn everything_at_once_is_valid_in_each_release() {
    let dir = tempfile::tempdir().unwrap();
    let xml = Plain::new("all & more \"<>")
        .tcp(61616)
        .listen("ssl://127.0.0.1:61617?needClientAuth=true&maximumConnections=5", &[("updateClusterClients", "true")])
        .listen("nio://127.0.0.1:61618", &[("name", "third"), ("rebalanceClusterClients", "true")])
        .tls(&CERTIFICATES)
        .user("gc", RIGHT)
        .queues(">", &[("maxBrowsePageSize", "1000"), ("memoryLimit", "1 mb")])
        .queues("ORDERS.>", &[("queuePrefetch", "1")])
        .memory_limit("64 mb")
        .persistent()
        .attribute("advisorySupport", "false")
        .plugin("<statisticsBrokerPlugin/>")
        .element("<networkConnectors><networkConnector uri=\"static:(tcp://b:61616)\"/></networkConnectors>")
        .write(dir.path())
        .unwrap();
    for name in RELEASES {
        validate_xml(&release(name).unwrap(), &xml).unwrap();
    }
    let text = fs::read_to_string(&xml).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let names: Vec<_> = document.descendants().filter_map(|node| node.attribute("name")).collect();
    assert_eq!(names, ["listener-1", "listener-2", "third"]);
    let broker =
        document.descendants().find(|node| node.has_tag_name(("http://activemq.apache.org/schema/core", "broker")));
    assert_eq!(broker.unwrap().attribute("brokerName"), Some("all & more \"<>"));
}

#[test]
fn a_tls_listener_wants_the_certificates_it_should() {
    let dir = tempfile::tempdir().unwrap();
    let certified = Java::start_certified(&CERTIFICATES, dir.path()).unwrap();
    let trusting = Java::start_trusting(&CERTIFICATES, dir.path()).unwrap();
    let stranger = Java::start(dir.path()).unwrap();
    let brokers: Vec<(Broker, u16, u16, TempDir)> = RELEASES
        .iter()
        .map(|name| {
            let dir = tempfile::tempdir().unwrap();
            let ports = ports(2).unwrap();
            let broker = Plain::new("tls")
                .listen(&format!("ssl://127.0.0.1:{}", ports[0]), &[])
                .listen(&format!("ssl://127.0.0.1:{}?needClientAuth=true", ports[1]), &[])
                .tls(&CERTIFICATES)
                .start(&release(name).unwrap(), dir.path())
                .unwrap();
            (broker, ports[0], ports[1], dir)
        })
        .collect();
    for (broker, open, mutual, _) in &brokers {
        broker.wait_started(PATIENCE).unwrap();
        let (open, mutual) = (format!("ssl://127.0.0.1:{open}"), format!("ssl://localhost:{mutual}"));
        for (java, uri) in [(&certified, &open), (&certified, &mutual), (&trusting, &open)] {
            let receiver = java.receiver(uri, "Q").unwrap();
            assert_eq!(receiver.wait_ready(PATIENCE).unwrap().as_deref(), Some("tls"));
            java.send(uri, "Q", &["hello"], PATIENCE).unwrap();
            assert_eq!(receiver.wait_messages(1, PATIENCE).unwrap()[0].text.as_deref(), Some("hello"));
            receiver.close(PATIENCE).unwrap();
        }
        // Both ends use a connection from two threads before its handshake is over: which of them learns the reason first,
        // and which only that it is closed, is luck. That others came in shows that there was no other reason.
        trusting.send(&mutual, "Q", &["hello"], PATIENCE).unwrap_err();
        stranger.send(&open, "Q", &["hello"], PATIENCE).unwrap_err();
    }
}

#[test]
fn certificates_are_there_for_others_than_java() {
    for (pem, owner) in [(CERTIFICATES.ca_pem(), "authority of a test"), (CERTIFICATES.client_pem(), "client")] {
        let printed = Command::new("keytool").args(["-J-Duser.language=en", "-printcert", "-file"]).arg(&pem).output();
        let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
        assert!(printed.contains(&format!("Owner: CN={owner}\n")), "{printed}");
        assert!(printed.contains("Issuer: CN=authority of a test\n"), "{printed}");
    }
    let key = fs::read_to_string(CERTIFICATES.client_key_pem()).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n") && key.ends_with("\n-----END PRIVATE KEY-----\n"));
}

#[test]
fn users_and_policies_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let port = ports(1).unwrap()[0];
    let broker = Plain::new("alone").tcp(port).user("gc", RIGHT).user("it", "Sd6-sunlit <\"stars\">");
    let broker = broker.queues("LITTLE.>", &[("maxBrowsePageSize", "3")]);
    let broker = broker.start(&release("5.18.3").unwrap(), dir.path()).unwrap();
    broker.wait_started(PATIENCE).unwrap();
    let java = Java::start(dir.path()).unwrap();
    let uri =
        |user: &str, password: &str| format!("tcp://127.0.0.1:{port}?jms.userName={user}&jms.password={password}");
    java.send(&uri("gc", RIGHT), "Q", &["hello"], PATIENCE).unwrap();
    java.send(&uri("it", "Sd6-sunlit%20%3C%22stars%22%3E"), "Q", &["hello"], PATIENCE).unwrap();
    for (user, password) in [("gc", WRONG), ("nobody", RIGHT)] {
        let refused = java.send(&uri(user, password), "Q", &["hello"], PATIENCE).unwrap_err();
        assert!(refused.to_string().contains("SecurityException"), "{refused}");
    }
    let refused = java.send(&format!("tcp://127.0.0.1:{port}"), "Q", &["hello"], PATIENCE).unwrap_err();
    assert!(refused.to_string().contains("SecurityException"), "{refused}");

    // A browser sees what the policy lets it see.
    let uri = uri("gc", RIGHT);
    for (queue, seen) in [("LITTLE.Q", 3), ("OTHER.Q", 9)] {
        java.send(&uri, queue, &["text"; 9], PATIENCE).unwrap();
        assert_eq!(java.browse(&uri, queue, "", PATIENCE).unwrap().len(), seen);
    }
}
