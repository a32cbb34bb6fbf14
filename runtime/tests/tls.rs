//! The connector that a topology with TLS gives, at a broker that wants to know who it is.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::path::Path;
use std::process::{Command, Output};

use harness::{Client, MOON, Running, centre, empty, folder, port, program, run, tells_no_secret};
use serde_json::json;
use topoc_compiler::emit;
use topoc_finesse_sim::Simulator;
use topoc_lab::{Broker, Certificates, PATIENCE, Plain, release};
use topoc_plan::{Plan, Tls, encode};
use topoc_stage::Topology;

/// A broker with a listener for each: for connectors within TLS, which asks for a certificate, and for clients.
struct Stand {
    certificates: Certificates,
    tls: u16,
    plain: u16,
    sim: Simulator,
    _broker: Broker,
}

impl Stand {
    async fn start(dir: &Path) -> Self {
        let (certificates, tls, plain) = (Certificates::make(dir).unwrap(), port(), port());
        let broker = Plain::new("amq-1").tcp(plain).user("gc", MOON).tls(&certificates);
        let broker = broker.listen(&format!("ssl://127.0.0.1:{tls}?needClientAuth=true"), &[]);
        let broker = broker.start(&release("6.3.1").unwrap(), dir).unwrap();
        broker.wait_started(PATIENCE).unwrap();
        Self { certificates, tls, plain, sim: centre(1).await, _broker: broker }
    }

    /// The plan of the connector of a topology whose fields for TLS are these.
    fn plan(&self, tls: &str) -> Plan {
        let topology = format!(
            "topology contact-centre {{ activemq = \"6.3\" }}
             site site-1 {{
               broker amq-1 {{
                 host = \"localhost\"
                 listen ssl {{ port = {}; options {{ needClientAuth = true }} }}
               }}
               finesse finesse-1 {{ host = \"finesse-1.example.com\" }}
               connector gc-1 {{
                 brokers  = [amq-1]
                 finesse  = [finesse-1]
                 user     = \"gc\"
                 password = secret(\"env:GC_PASSWORD\")
                 {tls}
               }}
             }}
             deployment main simplex {{ connectors = [gc-1] }}\n",
            self.tls
        );
        let analysis = Topology::of(topology).compile("");
        let [plan] = <[Plan; 1]>::try_from(emit::plans(analysis.checked().unwrap())).unwrap();
        // Finesse is the simulated one.
        let simulated = harness::plan(&[], &self.sim);
        let tls = Tls { finesse_roots: simulated.tls.finesse_roots, ..plan.tls };
        Plan { finesse: simulated.finesse, tls, ..plan }
    }

    fn roots(&self) -> String {
        format!("broker-roots = {:?}", self.certificates.ca_pem())
    }

    fn certificate(&self) -> String {
        let (certificate, key) = (self.certificates.client_pem(), self.certificates.client_key_pem());
        format!("broker-certificate = {certificate:?}; broker-private-key = secret(\"file:{}\")", key.display())
    }
}

/// What `check` of a connector says, and how it ends.
fn checked(dir: &Path, plan: &Plan) -> (i32, String) {
    let mut command = Command::new(program(dir, &encode(plan)));
    let Output { status, stdout, stderr } = command.arg("check").env("GC_PASSWORD", MOON).output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(topoc_lab::secrets_in(&said), [], "{said}");
    (status.code().unwrap(), said)
}

#[test]
fn requests_are_taken_from_a_broker_that_asks_for_a_certificate() {
    run(async {
        let dir = folder("mutual");
        let stand = Stand::start(&dir).await;
        let plan = stand.plan(&format!("{}; {}", stand.roots(), stand.certificate()));
        assert!(plan.brokers.to_string().contains(&format!("ssl://localhost:{}", stand.tls)), "{}", plan.brokers);
        let mut connector = Running::start(&dir, &plan);
        let mut client = Client::connect(stand.plain, "DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        let answer = client.ask("GetState#1001", empty()).await;
        assert_eq!(answer["data"]["state"], json!("NOT_READY"), "{answer}");
        connector.terminate();
        assert!(connector.wait().await.success(), "{}", connector.log());
        tells_no_secret(&dir);
        let key = std::fs::read_to_string(stand.certificates.client_key_pem()).unwrap();
        let middle = key.lines().nth(1).unwrap();
        assert!(!connector.log().contains(middle), "the private key is logged");
    });
}

#[test]
fn check_says_what_keeps_a_connector_from_a_broker_within_tls() {
    run(async {
        let dir = folder("check");
        let stand = Stand::start(&dir).await;
        let (roots, certificate) = (stand.roots(), stand.certificate());
        // The broker's certificate comes from nobody whom the machine knows, or the connector shows none.
        for (fields, is_well, words) in [
            (format!("{roots}; {certificate}"), true, "ActiveMQ `amq-1`"),
            (certificate.clone(), false, "certificate"),
            (roots.clone(), false, "ssl://localhost"),
        ] {
            let plan = stand.plan(&fields);
            let own = dir.clone();
            let (_, said) = tokio::task::spawn_blocking(move || checked(&own, &plan)).await.unwrap();
            let line = said.lines().find(|line| line.contains("broker ssl://")).unwrap_or_else(|| panic!("{said}"));
            assert_eq!((line.starts_with("ok "), line.contains(words)), (is_well, true), "{fields}: {said}");
        }
    });
}
