//! Answers that wait for the broker go together: in one transaction, each once, and one that it refuses holds up no other.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "harness/mod.rs"]
mod harness;

use std::time::Duration;

use harness::{Client, Running, broker, centre, empty, folder, plan, port, run, slow, tells_no_secret};
use rustix::process::{Pid, Signal, kill_process};
use topoc_lab::{Broker, PATIENCE};
use topoc_openwire::Outgoing;

const AGENTS: [&str; 4] = ["1001", "1002", "1003", "1004"];

fn signal(broker: &Broker, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(broker.pid()).unwrap()).unwrap(), signal).unwrap();
}

/// Waits until something is so.
async fn until(connector: &Running, what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}: {}", connector.log()));
}

/// Waits until the connector has said something so often.
async fn until_said(connector: &Running, what: &str, count: usize) {
    until(connector, what, || connector.log().matches(what).count() >= count).await;
}

/// How often letters went together; where one is refused, they go one by one afterwards.
fn batches(connector: &Running) -> usize {
    let log = connector.log();
    log.matches("events and answers went together").count() + log.matches("are sent again, one by one").count()
}

#[test]
fn answers_that_wait_for_a_broker_go_together() {
    run(async {
        let (dir, port) = (folder("together"), port());
        let (broker, sim) = (broker(&dir, port), centre(4).await);
        let mut connector = Running::start(&dir, &plan(&[port], &sim));
        let mut client = Client::connect(port, "DESKTOP-1").await;
        for agent in AGENTS {
            client.sign_in(agent, &agent.replacen('1', "2", 1)).await;
        }
        let before = connector.log().matches("a request is answered").count();
        let taken = connector.log().matches("a request is taken").count();
        // Long enough that the broker stands still before Finesse answers.
        slow(&sim, 2500);
        let gone = client.session.temporary_queue().await.unwrap();
        let mut sent = Vec::new();
        for agent in &AGENTS[..3] {
            sent.push(client.send(&format!("GetState#{agent}"), empty()).await);
        }
        client.send_bare(Outgoing::text("").message_type("GetState#1004").reply_to(gone.clone())).await;
        client.session.delete_temporary(gone).await.unwrap();
        until_said(&connector, "a request is taken", taken + 4).await;
        let gone_together = batches(&connector);
        signal(&broker, Signal::STOP);
        slow(&sim, 0);
        until_said(&connector, "a request is answered", before + 4).await;
        signal(&broker, Signal::CONT);
        let mut answered = Vec::new();
        for _ in &sent {
            answered.push(client.reply().await["correlation"].as_str().unwrap().to_owned());
        }
        answered.sort();
        sent.sort();
        assert_eq!(answered, sent, "each once");
        until_said(&connector, "a broker does not take an event or an answer", 1).await;
        // Clients have their answers a moment before the connector hears that the broker has them.
        until(&connector, "letters go together", || batches(&connector) > gone_together).await;
        // Whatever was refused is over: nothing comes again, and the next request is answered.
        let answer = client.ask("GetState#1004", empty()).await;
        assert_eq!(answer["event"], "AgentState", "{answer}");
        assert_eq!(client.reply_within(Duration::from_millis(500)).await, None);
        connector.terminate();
        assert!(connector.wait().await.success());
        tells_no_secret(&dir);
    });
}
