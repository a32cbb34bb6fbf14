//! Every example on real brokers: its files are valid, its brokers start, its bridges come up and its requests arrive.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use support::{Loopback, Room, Topology, on_release, secret};
use topoc_compiler::emit;
use topoc_compiler::model::{BrokerId, Remote};
use topoc_compiler::network::{Edge, duplex, node};
use topoc_lab::{Broker, Java, LabError, PATIENCE, schema};

/// An example with what its own text says of it.
struct Example {
    name: &'static str,
    /// The queue that requests go to.
    requests: &'static str,
    /// A user of every broker, and the variable that holds the password.
    user: Option<(&'static str, &'static str)>,
    /// The pairs of brokers between which requests go, both ways, and over how many bridges. A pair is its master.
    ways: &'static [(&'static str, &'static str, usize)],
}

const fn example(name: &'static str, ways: &'static [(&'static str, &'static str, usize)]) -> Example {
    Example { name, requests: "GC.REQUESTS", user: None, ways }
}

const RING: &[(&str, &str, usize)] = &[("amq-n", "amq-e", 1), ("amq-e", "amq-w", 1), ("amq-w", "amq-n", 1)];

const STARTED: &[Example] = &[
    example("simplex", &[]),
    example("active-passive", &[("amq-1", "amq-2", 1)]),
    example("active-passive-literal", &[("amq-1", "amq-2", 1)]),
    example("active-active", &[("amq-1", "amq-2", 1)]),
    example("hub-and-spoke", &[("spoke-1a", "hub-a", 1), ("spoke-2a", "hub-a", 1), ("spoke-1a", "spoke-2a", 2)]),
    example("dynamic-failover", &[("A1", "B1", 1), ("A1", "B2", 1), ("B1", "B2", 1)]),
    Example { requests: "ORDERS.TEST", user: Some(("bridge", "BRIDGE_PASSWORD")), ..example("brokers-only", RING) },
    example("three-sites", RING),
];

/// Validated, never started: its packets would leave the machine.
const MULTICAST: &str = "multicast-discovery";

/// An example with its brokers running.
struct Running {
    loopback: Loopback,
    java: Java,
    /// By the broker that was started: for a pair the master first, later whoever has taken over.
    brokers: BTreeMap<String, Broker>,
    _room: Room,
}

impl Running {
    /// Starts every broker, slaves last, and waits until all are up and every bridge is established.
    fn start(example: &Example, release: &str) -> Self {
        let loopback = Loopback::of(&Topology::example(example.name), release);
        let room = Room::take(loopback.analysis.model.brokers.len());
        let java = Java::start(loopback.dir()).unwrap();
        let mut running = Self { loopback, java, brokers: BTreeMap::new(), _room: room };
        let (masters, slaves) = running.masters_and_slaves();
        running.launch(&masters);
        for master in &masters {
            running.brokers[master].wait_started(PATIENCE).unwrap();
        }
        running.launch(&slaves);
        for slave in &slaves {
            running.brokers[slave].wait_log("slave mode", PATIENCE).unwrap();
        }
        for (owner, far) in running.bridges() {
            running.wait_bridge(&owner, &far);
        }
        running
    }

    fn launch(&mut self, names: &[String]) {
        for name in names {
            self.brokers.insert(name.clone(), self.loopback.start(name));
        }
    }

    fn masters_and_slaves(&self) -> (Vec<String>, Vec<String>) {
        let model = &self.loopback.analysis.model;
        let ids = (0..model.brokers.len()).map(|index| BrokerId(u32::try_from(index).unwrap()));
        let (masters, slaves): (Vec<BrokerId>, Vec<BrokerId>) = ids.partition(|id| node(model, *id) == *id);
        let names = |ids: Vec<BrokerId>| ids.into_iter().map(|id| model.broker(id).name.value.clone()).collect();
        (names(masters), names(slaves))
    }

    /// Who logs a bridge to whom: the owner, and the far end of a duplex one.
    fn bridges(&self) -> Vec<(String, String)> {
        let model = &self.loopback.analysis.model;
        let name = |id: BrokerId| model.broker(node(model, id)).name.value.clone();
        let mut logged = Vec::new();
        for bridge in &model.bridges {
            let Remote::Broker(far) = &bridge.to else { continue };
            let (near, far) = (name(bridge.from.broker), name(far.broker));
            if duplex(bridge) {
                logged.push((far.clone(), near.clone()));
            }
            logged.push((near, far));
        }
        logged
    }

    fn wait_bridge(&self, owner: &str, far: &str) {
        let far = &self.loopback.broker(far).broker_name.value;
        self.brokers[owner].wait_log(&format!("({far}) has been established"), PATIENCE).unwrap();
    }
}

#[test]
fn sketch() {
    let release = std::env::var("R").unwrap_or("6.3.1".into());
    for example in STARTED {
        if std::env::var("E").is_ok_and(|only| only != example.name) {
            continue;
        }
        let since = std::time::Instant::now();
        let running = Running::start(example, &release);
        println!("{} {release}: up in {:?}", example.name, since.elapsed());
        if std::env::var("KEEP").is_ok() { std::thread::sleep(std::time::Duration::from_secs(600)); } drop(running);
    }
}
