//! The soak: a whole topology on loopback, requests at a steady rate, and random faults, for as long as one likes.
//!
//! [`run`] starts the topology of `examples/active-active` (two sites, each with a broker, a connector and a client; a simulated
//! Finesse of two nodes), has both clients send so many requests a second whatever becomes of the earlier ones, and meanwhile
//! breaks brokers, connectors, the link between the sites and Finesse as a seed decides. Then it mends everything, waits for
//! answers, and holds what was asked, answered and done to what is promised:
//!
//! - a request that a broker accepted is answered; its time to live is longer than any fault, so that none may expire;
//! - Finesse has accepted each request at most once, however it was sent, and none that nobody asked for; only to a state may it
//!   have been told again by the connector that asked before, as nothing comes of that (`What::is_harmless` in `ledger.rs`); a call
//!   that was said to be made was made, and one that was said not to be made was not;
//! - an `outcome-unknown` met a fault: there was one between the request and its answer, or at most five seconds before;
//! - no agent was without an owner for more than a minute, while there could be one (`owners.rs`);
//! - each agent has one session at the end;
//! - no connector takes more and more memory (`memory.rs`), and no process ended that nobody ended.

mod faults;
mod hands;
mod ledger;
mod load;
mod memory;
mod owners;
mod report;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use topoc_finesse_sim::Options as Finesse;
use topoc_stage::{Stage, Topology};

use crate::faults::{Fault, Parts, calm, schedule};
use crate::hands::{Hands, act, sessions};
use crate::ledger::TIME_TO_LIVE;
use crate::load::{Desk, FIRST, Office};
use crate::memory::Memory;
use crate::owners::{Place, Seen, Shared, World, watch};
use crate::report::Report;

/// How a soak is run.
#[derive(Clone, Debug, Parser)]
#[command(name = "soak", about = "Random faults under load, and whether every request got what it was promised")]
pub struct Options {
    /// How many minutes faults come
    #[arg(long, default_value_t = 2.0)]
    pub minutes: f64,
    /// Requests a second, of both clients together
    #[arg(long, default_value_t = 200)]
    pub rate: u32,
    /// What decides which faults come when
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Agents, who share the requests: at most as many as a connector shows on one page of `/agents`
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub agents: u32,
    /// The release of ActiveMQ that brokers run
    #[arg(long, default_value = "6.3.1")]
    pub release: String,
    /// Seconds that an agent may be without an owner; more for a machine that cannot keep up with so many requests
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    pub owned_within: f64,
    /// A folder for the logs of brokers and connectors, kept when something is wrong
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// Says no more than the report
    #[arg(long)]
    pub quiet: bool,
    /// Names of tests that are wanted, as `cargo test NAME` passes them to all
    #[arg(hide = true)]
    pub wanted: Vec<String>,
    /// As tests have it: nothing is held back anyway
    #[arg(long, hide = true)]
    pub nocapture: bool,
}

impl Options {
    /// Whether a test of this name is wanted.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|wanted| name.contains(wanted.as_str()))
    }
}

const TOPOLOGY: &str = include_str!("../../../../examples/active-active/main.topo");
const CLIENTS: [&str; 2] = ["desktop-1", "desktop-2"];

/// Until every agent has signed in at the start, and has one session at the end, also on a busy machine.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);
/// A request in hand is answered so long after its time at the latest: 30 s and 15 s (`topoc_core::connector::Limits::within` and
/// `GRACE`), and as much again on a busy machine.
const ANSWERED_WITHIN: Duration = Duration::from_secs(90);
/// From one look at what is to be done to the next.
const TICK: Duration = Duration::from_millis(50);
/// From one reading of the simulated Finesse's journal to the next: far less than it takes to forget.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Requests that were answered only after so long are listed where something is wrong.
const SLOW: Duration = Duration::from_secs(60);
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
const SAY_EVERY: Duration = Duration::from_secs(30);

/// Runs a soak with connectors' programs made of this template, says how it goes, and gives back whether all was right.
#[must_use]
pub fn run(options: &Options, template: &Path) -> bool {
    let mut soak = Soak::start(options, template);
    let settled = soak.settle();
    if settled {
        soak.break_things();
        soak.finish();
    }
    let report = soak.report(settled);
    let right = report.print();
    if !right {
        soak.keep_logs();
    }
    right
}

/// A soak that runs.
struct Soak<'a> {
    options: &'a Options,
    stage: Stage,
    office: Arc<Office>,
    shared: Shared,
    seen: Arc<Mutex<Seen>>,
    memory: Memory,
    /// What must not be, in sentences.
    wrong: Vec<String>,
    /// When the office opened, in milliseconds since the Unix epoch.
    epoch: u64,
    /// The journal is read up to here.
    read: u64,
    due: Due,
    /// When faults began and ended.
    faults: std::ops::Range<Duration>,
}

/// When what is done now and then is done again.
#[derive(Default)]
struct Due {
    read: Duration,
    sample: Duration,
    say: Duration,
}

/// Whether it is time, and then when it is again.
fn is_due(due: &mut Duration, now: Duration, every: Duration) -> bool {
    let is = now >= *due;
    if is {
        *due = now + every;
    }
    is
}

impl<'a> Soak<'a> {
    fn start(options: &'a Options, template: &Path) -> Self {
        let agents = options.agents as usize;
        let topology = Topology::of(TOPOLOGY);
        let stage = Stage::with(&topology, &options.release, template, |nodes| Finesse::new(agents, nodes));
        let office = Office::new(options.seed, options.agents, options.rate);
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(office.now());
        let shared = Shared::new(world(&stage));
        let epoch = u64::try_from(epoch.as_millis()).unwrap_or_default();
        Self {
            options,
            stage,
            office,
            shared,
            seen: Arc::default(),
            memory: Memory::default(),
            wrong: Vec::new(),
            epoch,
            read: 0,
            due: Due::default(),
            faults: Duration::ZERO..Duration::ZERO,
        }
    }

    /// Clients begin to work, and agents sign in. False when they do not.
    fn settle(&mut self) -> bool {
        let opened: Result<Vec<Arc<Desk>>, _> = CLIENTS
            .iter()
            .map(|name| self.stage.runtime.block_on(Desk::open(name, &self.stage.access(name), &self.office)))
            .collect();
        match opened {
            Ok(desks) => drop(self.stage.runtime.spawn(load::run(Arc::clone(&self.office), desks, self.options.rate))),
            Err(error) => self.wrong.push(format!("a client cannot connect: {error}")),
        }
        let until = self.office.now() + SETTLED_WITHIN;
        while self.wrong.is_empty() && self.office.at_work() < self.options.agents as usize {
            if self.office.now() > until {
                self.wrong.push(format!("{} of {} agents signed in", self.office.at_work(), self.options.agents));
            }
            self.look_after();
            std::thread::sleep(TICK);
        }
        self.wrong.is_empty()
    }

    fn break_things(&mut self) {
        let watching = {
            let (shared, seen, office) = (self.shared.clone(), Arc::clone(&self.seen), Arc::clone(&self.office));
            let agents = FIRST..FIRST + self.options.agents;
            std::thread::spawn(move || watch(&shared, agents, &seen, || office.now()))
        };
        let sites = {
            let sites = &self.stage.loopback.analysis.model.sites;
            (sites[0].name.value.clone(), sites[1].name.value.clone())
        };
        let length = Duration::from_secs_f64(self.options.minutes * 60.0);
        let parts = parts(&self.shared.lock(), &sites);
        let mut faults: VecDeque<Fault> = schedule(self.options.seed, length, &parts).into();
        let (shared, office) = (self.shared.clone(), Arc::clone(&self.office));
        let began = office.now();
        self.faults = began..began + length;
        // What was begun is mended at the end, whatever it is and however long that takes.
        let mut open = Vec::new();
        loop {
            let mut hands = Hands::new(&mut self.stage, &shared, &office, &sites, open);
            let over = office.now() >= began + length;
            hands.mend(over);
            if let Some(fault) = faults.front().filter(|fault| !over && began + fault.at <= office.now()).cloned()
                && hands.begin(&fault)
            {
                faults.pop_front();
                if !self.options.quiet {
                    report::say_fault(office.now() - began, &fault);
                }
            }
            let (left, wrong) = hands.rest();
            open = left;
            self.wrong.extend(wrong);
            if over && open.is_empty() {
                break;
            }
            self.look_after();
            std::thread::sleep(TICK);
        }
        self.faults.end = office.now();
        self.wait_for_owners();
        self.shared.lock().over = true;
        if watching.join().is_err() {
            self.wrong.push("the watch of owners has failed".to_owned());
        }
    }

    /// Longest time that an agent may be without an owner.
    fn owned_within(&self) -> Duration {
        Duration::from_secs_f64(self.options.owned_within)
    }

    /// Lets a gap that began in the end be measured to its end.
    fn wait_for_owners(&mut self) {
        let until = self.office.now() + self.owned_within() + Duration::from_secs(15);
        while self.office.now() < until {
            let has_gap = {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.looks < 2 || seen.owners.open() > 0 || seen.sessions.open() > 0
            };
            if !has_gap {
                return;
            }
            self.look_after();
            std::thread::sleep(TICK);
        }
    }

    /// Waits until everything is answered, and every agent has one session.
    fn finish(&mut self) {
        self.office.close();
        let until = self.office.now() + TIME_TO_LIVE + ANSWERED_WITHIN;
        while self.office.with(|ledger| ledger.waiting()) > 0 && self.office.now() < until {
            self.look_after();
            std::thread::sleep(TICK);
        }
        if self.office.with(|ledger| ledger.waiting()) > 0 {
            self.take_dead_letters();
        }
        let until = self.office.now() + SETTLED_WITHIN;
        loop {
            let agents = FIRST..FIRST + self.options.agents;
            let all = sessions(&self.stage);
            let odd: BTreeMap<u32, usize> =
                all.into_iter().filter(|(agent, sessions)| agents.contains(agent) && *sessions != 1).collect();
            if odd.is_empty() {
                break;
            }
            if self.office.now() > until {
                self.wrong.push(format!("agents whose sessions at Finesse are not one: {odd:?}"));
                break;
            }
            std::thread::sleep(TICK);
        }
        self.read_journal();
    }

    fn take_dead_letters(&mut self) {
        let names: Vec<String> = self.shared.lock().brokers.keys().cloned().collect();
        for name in names {
            let broker = self.stage.loopback.address(&name);
            if let Err(error) = self.stage.runtime.block_on(load::take_dead_letters(&self.office, &broker)) {
                self.wrong.push(format!("the dead letters of {name} cannot be read: {error}"));
            }
        }
    }

    /// What is done now and then, whatever else is done.
    fn look_after(&mut self) {
        let now = self.office.now();
        if is_due(&mut self.due.read, now, READ_EVERY) {
            self.read_journal();
        }
        if is_due(&mut self.due.sample, now, SAMPLE_EVERY) {
            let names: Vec<String> = self.shared.lock().connectors.keys().cloned().collect();
            for name in names.iter().filter(|name| self.stage.runs(name)) {
                if let Some(kib) = memory::resident(self.stage.pid(name)) {
                    self.memory.note(name, now.saturating_sub(self.faults.start), kib);
                }
            }
        }
        if is_due(&mut self.due.say, now, SAY_EVERY) && !self.options.quiet {
            let longest = self.seen.lock().unwrap_or_else(PoisonError::into_inner).owners.longest();
            self.office.with(|ledger| report::say_progress(now, ledger, longest));
        }
    }

    fn read_journal(&mut self) {
        let entries = self.stage.simulator.journal(self.read);
        if let Some(first) = entries.first().filter(|first| first.number != self.read + 1) {
            self.wrong.push(format!("the journal was read too late: {} are missing", first.number - self.read - 1));
        }
        self.read = entries.last().map_or(self.read, |last| last.number);
        let acts: Vec<_> = entries.iter().filter_map(|entry| act(entry, self.epoch)).collect();
        self.office.with(|ledger| ledger.acts.extend(acts));
    }

    fn report(&self, settled: bool) -> Report {
        let length = self.faults.end - self.faults.start;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let memory = self.memory.judge(&calm(length));
        let mut wrong = self.wrong.clone();
        wrong.extend(memory.iter().filter_map(|one| one.wrong.clone()));
        if let Some((gap, until, agent)) = seen.owners.longest.filter(|(gap, ..)| *gap > self.owned_within()) {
            let (gap, until) = (gap.as_secs_f64(), until.as_secs_f64());
            wrong.push(format!("agent {agent} had no owner for {gap:.1} s, until {until:.1} s"));
        }
        let verdict = self.office.with(|ledger| if settled { ledger.judge() } else { ledger::Verdict::default() });
        wrong.extend(verdict.wrong.iter().cloned());
        let faults = self.office.with(|ledger| report::count(&ledger.faults));
        let (events, skipped) = (self.office.events(), self.office.skipped());
        Report { seed: self.options.seed, length, faults, verdict, seen, memory, events, skipped, wrong }
    }

    /// Keeps what tells how a wrong end came about: logs, what connectors and Finesse say of themselves now, and who waited long.
    fn keep_logs(&self) {
        let Some(folder) = &self.options.logs else { return };
        report::say_logs(folder, self.keep_in(folder));
    }

    fn keep_in(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for (name, path) in self.stage.logs() {
            std::fs::copy(path, folder.join(format!("{name}.log")))?;
        }
        let connectors = self.shared.lock().connectors.clone();
        for (name, place) in &connectors {
            for (page, path) in [("ready", "/ready"), ("agents", owners::AGENTS), ("metrics", "/metrics")] {
                let text = topoc_stage::look(place.port, path).unwrap_or_default();
                std::fs::write(folder.join(format!("{name}.{page}")), text)?;
            }
        }
        std::fs::write(folder.join("finesse.json"), self.stage.simulator.state().to_string())?;
        let slow = self.office.with(|ledger| ledger.slow(SLOW));
        std::fs::write(folder.join("slow-requests"), slow)
    }
}

fn world(stage: &Stage) -> World {
    let model = &stage.loopback.analysis.model;
    let site = |id| model.site(id).name.value.clone();
    let brokers = model.brokers.iter().map(|broker| {
        let name = broker.name.value.clone();
        let address = stage.loopback.address(&name);
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default();
        (name, Place { site: site(broker.site), port, well: true })
    });
    let connectors = model.connectors.iter().map(|connector| {
        let name = connector.dialer.name.value.clone();
        let port = stage.admin(&name);
        (name, Place { site: site(connector.dialer.site), port, well: true })
    });
    World {
        brokers: brokers.collect(),
        connectors: connectors.collect(),
        linked: true,
        nodes: vec![0; model.finesse.len()],
        over: false,
    }
}

fn parts(world: &World, sites: &(String, String)) -> Parts {
    Parts {
        brokers: world.brokers.keys().cloned().collect(),
        connectors: world.connectors.keys().cloned().collect(),
        links: vec![sites.clone()],
        nodes: world.nodes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_may_ask_for_other_tests() {
        let wants = |words: &[&str]| Options::parse_from([&["soak"], words].concat()).wants("soak");
        assert!(wants(&[]) && wants(&["soak"]) && wants(&["other", "soa"]) && wants(&["--nocapture"]));
        assert!(!wants(&["requests_take"]));
    }
}
