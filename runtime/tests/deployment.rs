//! Two connectors of one deployment: they keep each other informed, and one takes over what the other had.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::path::Path;
use std::time::Duration;

use harness::{Client, Running, broker, centre, empty, folder, plan, port, run, tells_no_secret};
use serde_json::{Value, json};
use tokio::time::Instant;
use topoc_finesse_sim::Simulator;
use topoc_plan::{Deployment, Mode, Peer, Plan, Secret};

/// The plan of one of two connectors, which share a key in a file.
fn of(name: &str, priority: i8, mode: Mode, port: u16, sim: &Simulator, dir: &Path) -> Plan {
    let key = dir.join("sync-key");
    std::fs::write(&key, format!("{}\n", "7391904628abcdef".repeat(4))).unwrap();
    let peer = |connector: &str| Peer { site: "site-1".to_owned(), connector: connector.to_owned() };
    let mut plan = plan(&[port], sim);
    name.clone_into(&mut plan.connector);
    plan.requests.priority = priority;
    plan.deployment = Some(Deployment {
        name: "main".to_owned(),
        mode,
        connectors: vec![peer("gc-1"), peer("gc-2")],
        sync: "GC.SYNC.main".to_owned(),
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
    connectors: [Running; 2],
}

impl Two {
    async fn start(name: &str, mode: Mode) -> Self {
        let (dir, port) = (folder(name), port());
        let (broker, sim) = (broker(&dir, port), centre(4).await);
        let dirs = ["gc-1", "gc-2"].map(|one| folder(&format!("{name}-{one}")));
        let connectors = [("gc-1", 127), ("gc-2", 100)].into_iter().zip(&dirs);
        let connectors = connectors
            .map(|((one, priority), own)| Running::start(own, &of(one, priority, mode, port, &sim, &dir)))
            .collect::<Vec<_>>();
        let connectors = connectors.try_into().map_err(|_| "two").unwrap();
        Self { dirs, _broker: broker, _sim: sim, port, connectors }
    }

    /// Waits until both know of each other.
    async fn joined(&self, client: &mut Client) {
        assert_eq!(client.ask("Hello#DESKTOP-1", empty()).await["event"], "SystemStatus");
    }

    fn tell_no_secret(&self) {
        self.dirs.iter().for_each(|dir| tells_no_secret(dir));
    }
}

fn connector(event: &Value) -> &str {
    event["connector"].as_str().unwrap_or_default()
}

#[test]
fn when_one_is_killed_the_other_has_its_agents_within_ten_seconds() {
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
        assert!(killed.elapsed() < Duration::from_secs(10), "{:?}: {owned}", killed.elapsed());
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
