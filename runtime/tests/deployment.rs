//! Two connectors of one deployment: they keep each other informed, and one takes over what the other had.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "how long something took is of interest, and no condition")]

mod harness;

use std::path::Path;
use std::time::Duration;

use harness::{Client, Running, broker, centre, empty, folder, plan, port, run, tells_no_secret};
use serde_json::{Value, json};
use tokio::time::Instant;
use topoc_finesse_sim::Simulator;
use topoc_lab::PATIENCE;
use topoc_openwire::{Body, Destination, Outgoing};
use topoc_plan::{Admin, Deployment, Mode, Peer, Plan, Secret};
use topoc_stage::look;

/// The topic on which both keep each other informed.
const SYNC: &str = "GC.SYNC.main";

/// The plan of one of two connectors, which share a key in a file.
fn of(name: &str, priority: i8, mode: Mode, (port, admin): (u16, u16), sim: &Simulator, dir: &Path) -> Plan {
    let key = dir.join("sync-key");
    std::fs::write(&key, format!("{}\n", "7391904628abcdef".repeat(4))).unwrap();
    let peer = |connector: &str| Peer { site: "site-1".to_owned(), connector: connector.to_owned() };
    let mut plan = plan(&[port], sim);
    name.clone_into(&mut plan.connector);
    plan.requests.priority = priority;
    plan.admin = Some(Admin { address: ([127, 0, 0, 1], admin).into(), token: None });
    plan.deployment = Some(Deployment {
        name: "main".to_owned(),
        mode,
        connectors: vec![peer("gc-1"), peer("gc-2")],
        sync: SYNC.to_owned(),
        sync_keys: vec![Secret::File(key.to_str().unwrap().to_owned())],
    });
    plan
}

/// Two connectors, a broker and a contact centre.
struct Two {
    dirs: [std::path::PathBuf; 2],
    _broker: topoc_lab::Broker,
    _sim: Simulator,
    port: u16,
    /// Where operators look.
    admin: [u16; 2],
    connectors: [Running; 2],
}

impl Two {
    async fn start(name: &str, mode: Mode) -> Self {
        let (dir, port) = (folder(name), port());
        let (broker, sim) = (broker(&dir, port), centre(4).await);
        let dirs = ["gc-1", "gc-2"].map(|one| folder(&format!("{name}-{one}")));
        let admin = [harness::port(), harness::port()];
        let connectors = [("gc-1", 127, admin[0]), ("gc-2", 100, admin[1])].into_iter().zip(&dirs);
        let connectors = connectors
            .map(|((one, priority, admin), own)| {
                Running::start(own, &of(one, priority, mode, (port, admin), &sim, &dir))
            })
            .collect::<Vec<_>>();
        let connectors = connectors.try_into().map_err(|_| "two").unwrap();
        Self { dirs, _broker: broker, _sim: sim, port, admin, connectors }
    }

    /// Waits until both know of each other.
    async fn joined(&self, client: &mut Client) {
        assert_eq!(client.ask("Hello#DESKTOP-1", empty()).await["event"], "SystemStatus");
    }

    /// Waits until the second one has dropped something for this reason.
    async fn drops(&self, reason: &str) {
        let counter = format!("topoc_connector_sync_dropped_total{{reason=\"{reason}\"}} ");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = look(self.admin[1], "/metrics").unwrap_or_default();
            let count = metrics.lines().find_map(|line| line.strip_prefix(counter.as_str()));
            if count.is_some_and(|count| count != "0") {
                return;
            }
            assert!(Instant::now() < deadline, "nothing is dropped as {reason}: {metrics}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn tell_no_secret(&self) {
        self.dirs.iter().for_each(|dir| tells_no_secret(dir));
    }
}

fn connector(event: &Value) -> &str {
    event["connector"].as_str().unwrap_or_default()
}

#[test]
fn when_one_is_killed_the_other_has_its_agents() {
    run(async {
        let mut two = Two::start("killed", Mode::ActiveActive).await;
        let mut client = Client::connect(two.port, "DESKTOP-1").await;
        two.joined(&mut client).await;
        client.sign_in("1001", "2001").await;
        let owner = connector(client.seen().last().unwrap()).to_owned();
        assert_eq!(owner, "site-1.gc-1", "the one with the higher priority took the request");
        // Signs of life and the table travel each second.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let killed = Instant::now();
        two.connectors[0].kill();
        // Requests are answered at once, without a session.
        let answer = client.ask("GetState#1001", empty()).await;
        assert_eq!(answer["data"]["state"], "NOT_READY", "{answer}");
        let owned = client.until("the other owner", |event| connector(event) == "site-1.gc-2").await;
        println!("owned anew after {:?}: {owned}", killed.elapsed());
        client.does("MakeReady#1001", empty()).await;
        let ready = client.until_state("READY").await;
        assert_eq!(connector(&ready), "site-1.gc-2");
        two.tell_no_secret();
    });
}

#[test]
fn one_that_ends_in_order_hands_its_agents_over() {
    run(async {
        let mut two = Two::start("ended", Mode::ActivePassive).await;
        let mut client = Client::connect(two.port, "DESKTOP-1").await;
        two.joined(&mut client).await;
        client.sign_in("1001", "2001").await;
        client.sign_in("1002", "2002").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        two.connectors[0].terminate();
        let status = two.connectors[0].wait().await;
        assert!(status.success(), "{status}: {}", two.connectors[0].log());
        for agent in ["1001", "1002"] {
            let is_so = |event: &Value| {
                event["agent"] == agent && connector(event) == "site-1.gc-2" && event["data"]["status"] == "CONNECTED"
            };
            let taken = client.seen().iter().any(is_so);
            if !taken {
                client.until(&format!("{agent} at the other"), is_so).await;
            }
            let correlation = client.send(&format!("MakeReady#{agent}"), empty()).await;
            let answer = client.reply().await;
            assert_eq!(
                (&answer["correlation"], &answer["event"]),
                (&json!(correlation), &json!("Outcome")),
                "{answer}"
            );
        }
        two.tell_no_secret();
    });
}

#[test]
fn whoever_hears_nobody_subscribes_once_more() {
    run(async {
        let mut two = Two::start("anew", Mode::ActiveActive).await;
        let mut client = Client::connect(two.port, "DESKTOP-1").await;
        two.joined(&mut client).await;
        // What the broker tells bridges of subscriptions: that of each begins.
        let told = Destination::topic(format!("ActiveMQ.Advisory.Consumer.Topic.{SYNC}"));
        let mut told = client.session.consumer(&told).open().await.unwrap();
        for _ in 0..2 {
            told.receive_within(PATIENCE).await.unwrap().expect("both listen");
        }
        // That of the killed one ends, another one of the second begins, and its former one ends.
        two.connectors[0].kill();
        for _ in 0..3 {
            told.receive_within(PATIENCE).await.unwrap().expect("the second one listens anew");
        }
        let producer = client.session.producer(&Destination::topic(SYNC)).await.unwrap();
        producer.send(Outgoing::bytes(vec![0xff; 100])).await.unwrap();
        two.drops("no-head").await;
        two.tell_no_secret();
    });
}

#[test]
fn what_is_said_in_another_connectors_name_is_dropped_and_counted() {
    run(async {
        let mut two = Two::start("forged", Mode::ActiveActive).await;
        let mut client = Client::connect(two.port, "DESKTOP-1").await;
        two.joined(&mut client).await;
        client.sign_in("1001", "2001").await;
        let topic = Destination::topic(SYNC);
        let mut overheard = client.session.consumer(&topic).open().await.unwrap();
        let by_first = loop {
            let told = overheard.receive_within(PATIENCE).await.unwrap().expect("signs of life");
            let Body::Bytes(bytes) = told.body().unwrap() else { panic!("{told:?}") };
            // The head is not sealed.
            if bytes.windows(11).any(|part| part == b"site-1.gc-1") {
                break bytes.to_vec();
            }
        };
        let mut forged = by_first.clone();
        *forged.last_mut().unwrap() ^= 1;
        let stranger = String::from_utf8_lossy(&by_first).replacen("site-1.gc-1", "site-1.gc-9", 1).into_bytes();
        let said = [
            ("replayed", Outgoing::bytes(by_first)),
            ("forged", Outgoing::bytes(forged)),
            ("stranger", Outgoing::bytes(stranger)),
            ("no-head", Outgoing::bytes(vec![0xff; 100])),
            ("too-long", Outgoing::bytes(vec![b' '; 2 << 20])),
            ("no-head", Outgoing::text("moonshine")),
        ];
        let producer = client.session.producer(&topic).await.unwrap();
        for (reason, message) in said {
            producer.send(message).await.unwrap();
            two.drops(reason).await;
        }
        // Both go on, and each has its own.
        client.does("MakeReady#1001", empty()).await;
        assert_eq!(connector(&client.until_state("READY").await), "site-1.gc-1");
        for connector in &mut two.connectors {
            connector.terminate();
            assert!(connector.wait().await.success(), "{}", connector.log());
        }
        two.tell_no_secret();
    });
}
