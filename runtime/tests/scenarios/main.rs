//! Each row of the failover tables, live: real brokers, the connectors' program, a simulated Finesse, clients with agents at work.
//!
//! `TOPOC_LONG=1` runs all rows on two releases; without it a few of them on one. So it is with the kills of `medians.rs`.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]
#![expect(clippy::print_stdout, reason = "a failed test shows which row it was at, and a passed one what was measured")]

mod desk;
mod medians;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use desk::Desk;
use rows::{Row, rows};
use topoc_stage::{Stage, Topology, look};

/// The rows that are run on every change: a connector that dies, one that comes back, a broker that dies, and a split.
const QUICK: [(&str, i64); 4] =
    [("active-passive", 4), ("active-passive", 7), ("active-active", 1), ("active-active", 4)];
/// Agents of each client.
const AGENTS: usize = 5;
/// Whatever follows an event is over within this, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// What stays the same so long has settled: brokers that prefer another one look for it every half second.
const QUIET: Duration = Duration::from_secs(3);

/// Times are of interest: one test after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether as much as there is is to be tried.
fn is_long() -> bool {
    std::env::var_os("TOPOC_LONG").is_some()
}

/// The releases of ActiveMQ to try.
fn releases() -> &'static [&'static str] {
    if is_long() { &["5.18.3", "6.3.1"] } else { &["6.3.1"] }
}

fn topology(mode: &str) -> Topology {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(mode).join("main.topo");
    let text = std::fs::read_to_string(path).unwrap();
    Topology::of(text)
}

/// A topology with a client at each site, whose agents are ready.
struct Running {
    stage: Stage,
    desks: Vec<Desk>,
}

impl Running {
    fn start(mode: &str, release: &str) -> Self {
        let template = PathBuf::from(env!("CARGO_BIN_EXE_topoc-connector"));
        let stage = Stage::start(&topology(mode), release, &template, 2 * AGENTS);
        let desks = ["desktop-1", "desktop-2"].iter().enumerate();
        let desks: Vec<Desk> = desks
            .map(|(index, name)| {
                let first = 1001 + index * AGENTS;
                stage.runtime.block_on(Desk::open(name, &stage.access(name), first..first + AGENTS))
            })
            .collect();
        let running = Self { stage, desks };
        for desk in &running.desks {
            running.stage.runtime.block_on(desk.begin(PATIENCE));
        }
        running
    }

    /// The way that a client's requests take now: its broker, the connector's if it is another one, and the connector.
    fn way(&self, desk: &Desk) -> Option<Vec<String>> {
        let answer = self.stage.runtime.block_on(desk.ask_state())?;
        // Connectors call themselves by their site, too.
        let by = answer.connector?.rsplit('.').next()?.to_owned();
        let at = desk.broker()?;
        let far = self.broker_of(&by)?;
        Some(if far == at { vec![at, by] } else { vec![at, far, by] })
    }

    /// How many agents have a session with a connector, as it says.
    fn live_agents(&self, connector: &str) -> Option<usize> {
        let metrics = look(self.stage.admin(connector), "/metrics")?;
        let line = metrics.lines().find_map(|line| line.strip_prefix("topoc_connector_agents{session=\"live\"} "));
        line?.parse().ok()
    }

    fn broker_of(&self, connector: &str) -> Option<String> {
        let metrics = look(self.stage.admin(connector), "/metrics")?;
        let line =
            metrics.lines().find(|line| line.starts_with("topoc_connector_broker_info{") && line.ends_with(" 1"));
        let (_, rest) = line?.split_once("broker=\"")?;
        Some(rest.split('"').next()?.to_owned())
    }

    fn ways(&self) -> Option<Vec<Vec<String>>> {
        self.desks.iter().map(|desk| self.way(desk)).collect()
    }

    /// Waits until requests take the same ways for a while, and says which.
    fn settle(&self) -> Vec<Vec<String>> {
        let until = Instant::now() + PATIENCE;
        let (mut since, mut last) = (Instant::now(), None);
        loop {
            let now = self.ways();
            if now != last || now.is_none() {
                (since, last) = (Instant::now(), now);
            } else if since.elapsed() >= QUIET {
                return last.unwrap();
            }
            assert!(Instant::now() < until, "nothing settles: {last:?}\n{}", self.logs());
        }
    }

    fn apply(&mut self, event: &str) {
        let (word, rest) = event.split_once(' ').unwrap();
        match word {
            "fail" => rest.split(", ").for_each(|name| self.stage.fail(name)),
            "restore" => rest.split(", ").for_each(|name| self.stage.restore(name)),
            "cut" => {
                let (one, other) = rest.split_once(" <-> ").unwrap();
                self.stage.cut(one, other);
            }
            _ => panic!("unknown event {event}"),
        }
    }

    /// How long it takes until each client is answered again.
    fn first_answers(&self) -> Vec<Duration> {
        let began = Instant::now();
        let first = |desk: &Desk| loop {
            let answer = self.stage.runtime.block_on(desk.ask_state());
            if answer.as_ref().is_some_and(|answer| answer.event == "AgentState") {
                return began.elapsed();
            }
            assert!(began.elapsed() < PATIENCE, "{}: {answer:?} at last\n{}", desk.name, self.logs());
        };
        self.desks.iter().map(first).collect()
    }

    /// Each agent is ready as before, and has one session.
    fn check_agents(&self, after: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let state = self.stage.simulator.state();
            let wrong: Vec<String> = state["agents"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|agent| agent["supervisor"] != true)
                .filter(|agent| {
                    agent["state"] != "READY" || agent["sessions"].as_array().is_none_or(|all| all.len() != 1)
                })
                .map(ToString::to_string)
                .collect();
            if wrong.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "{after}: {wrong:#?}\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What programs have said, and how connectors that run are doing.
    fn logs(&self) -> String {
        let connectors = ["gc-1", "gc-2"];
        let logs = connectors.iter().chain(&["amq-1", "amq-2"]).filter_map(|name| Some((*name, self.stage.log(name)?)));
        let pages = ["/ready", "/agents", "/metrics"];
        let seen = connectors
            .iter()
            .flat_map(|name| pages.iter().filter_map(|page| Some((*name, look(self.stage.admin(name), page)?))));
        logs.chain(seen).map(|(name, text)| format!("{name}:\n{text}\n")).collect()
    }
}

fn run(row: &Row, release: &str) {
    let mut running = Running::start(&row.mode, release);
    let mut firsts = Vec::new();
    for event in &row.events {
        running.settle();
        running.apply(event);
        firsts = running.first_answers();
    }
    let ways = running.settle();
    println!("{} on {release}: {ways:?}, first answers after the last event {firsts:?}", row.title());
    assert_eq!(ways, row.request, "{}\n{}", row.title(), running.logs());
    if row.splits() {
        // Each half serves every agent as well as it can: only afterwards there is one session each.
        running.stage.heal("site-1", "site-2");
    }
    running.check_agents(&row.title());
}

#[test]
fn requests_take_the_ways_of_the_tables_and_agents_are_kept() {
    let _alone = alone();
    for release in releases() {
        for row in rows().iter().filter(|row| is_long() || QUICK.contains(&(&row.mode, row.number))) {
            run(row, release);
        }
    }
}
