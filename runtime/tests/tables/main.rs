//! Each row of the failover tables in virtual time: the machines of the connectors' program and of the clients, with the URIs and plans
//! that the compiler writes, beside brokers, bridges and a contact centre in memory. The same rows as `scenarios`, which has the
//! programs, real brokers and a simulated Finesse.
//!
//! `TOPOC_LONG=1` for more courses of each row; `TOPOC_SEED=N` for one course of one row.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod brokers;
mod centre;
mod chance;
mod dialler;
mod gc;
#[path = "../../core/tests/many/mod.rs"]
mod many;
#[path = "../scenarios/rows.rs"]
mod rows;
mod world;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use many::{each, many, wanted};
use rows::{Row, rows};
use topoc_compiler::{Analysis, analyze};
use world::World;

/// Agents of each client.
const AGENTS: usize = 5;
/// After a broker or a connector is killed, somebody is answered within this.
const ANSWERED: Duration = Duration::from_secs(1);
/// The agents of a connector that is killed have another owner, with a session, within this.
const OWNED: Duration = Duration::from_secs(10);
/// Whatever follows an event is over within this. The primary has its agents again after 15 s, or 30 s.
const SETTLED: Duration = Duration::from_secs(60);

fn topology(mode: &str) -> Analysis {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(mode).join("main.topo");
    let files = HashMap::from([("main.topo".to_owned(), std::fs::read_to_string(path).unwrap())]);
    analyze("main.topo", &[], &files)
}

/// What a row took at most after something was killed; nothing where that is not so, or where nobody had to be owned anew.
#[derive(Default, Clone, Copy)]
struct Took {
    answered: Option<Duration>,
    owned: Option<Duration>,
}

impl Took {
    fn or_longer(self, other: Self) -> Self {
        Self { answered: self.answered.max(other.answered), owned: self.owned.max(other.owned) }
    }
}

/// One course of a row.
fn run(row: &Row, analysis: &Analysis, seed: u64) -> Took {
    let mut world = World::new(analysis, analysis.checked().unwrap(), seed, AGENTS);
    world.begin();
    let all: Vec<String> = world.centre.0.keys().cloned().collect();
    let mut took = Took::default();
    for event in &row.events {
        let (now, kills) = (world.now, event.starts_with("fail"));
        let killed: Vec<usize> = event.split([' ', ',']).filter_map(|name| world.find(name)).collect();
        let theirs = |agent: &&String| kills && world.owners(agent).iter().any(|owner| killed.contains(owner));
        let theirs: Vec<String> = all.iter().filter(theirs).cloned().collect();
        world.apply(event);
        let mut owned = None;
        world.watch(SETTLED, &mut |world| {
            if owned.is_none() && theirs.iter().all(|agent| world.is_owned(agent)) {
                owned = Some(world.now - now);
            }
        });
        let owned = owned.expect("agents have an owner again");
        let answered = first_answer(&world, now);
        if kills {
            assert!(answered <= ANSWERED, "{}: {event}: the first answer after {answered:?}", row.title());
            assert!(owned <= OWNED, "{}: {event}: owned anew after {owned:?}", row.title());
            let owned = (!theirs.is_empty()).then_some(owned);
            took = took.or_longer(Took { answered: Some(answered), owned });
        }
    }
    check_ways(row, &world);
    if row.splits() {
        // Each half serves every agent as well as it can: only afterwards there is one owner each.
        world.apply("heal site-1 <-> site-2");
        world.pass(SETTLED);
    }
    for agent in &all {
        assert!(world.is_owned(agent), "{}: {agent} is owned by {:?}", row.title(), world.owners(agent));
        assert_eq!(world.centre.0[agent].state.to_string(), "READY", "{}: {agent}", row.title());
    }
    assert_eq!(world.ties(), 0, "{}: priorities leave it open who gets a request", row.title());
    took
}

/// How long the client that waited longest had no answer to anything that it asked after a moment.
fn first_answer(world: &World<'_>, since: Duration) -> Duration {
    let first = |client: &usize| {
        let asked = world.asked.iter().filter(|asked| asked.client == *client && asked.at >= since);
        let answers = asked.filter_map(|asked| asked.answer.as_ref()).filter(|(_, answer)| answer["event"] != "Error");
        answers.map(|(at, _)| *at - since).min().expect("an answer")
    };
    world.clients().iter().map(first).max().unwrap()
}

/// All that clients asked lately has taken the way of the table, once, and is answered.
fn check_ways(row: &Row, world: &World<'_>) {
    let lately = world.now - Duration::from_secs(10)..world.now - Duration::from_secs(2);
    for (client, way) in world.clients().iter().zip(&row.request) {
        let asked = world.asked.iter().filter(|asked| asked.client == *client && lately.contains(&asked.at));
        let asked: Vec<_> = asked.collect();
        assert!(asked.len() > 50, "{} questions", asked.len());
        for asked in asked {
            assert_eq!((&asked.way, asked.taken), (way, 1), "{}", row.title());
            let (_, answer) = asked.answer.as_ref().expect("an answer");
            assert_eq!(answer["event"], "AgentState", "{}: {answer}", row.title());
        }
    }
}

#[test]
fn each_row_goes_as_the_table_says_in_virtual_time() {
    let topologies: BTreeMap<&str, Analysis> =
        ["active-passive", "active-active"].into_iter().map(|mode| (mode, topology(mode))).collect();
    let rows = rows();
    // Seeds go through the rows, one after the other.
    let of = |seed: u64| usize::try_from(seed).unwrap() % rows.len();
    let course = |seed: u64, sum: &mut BTreeMap<usize, Took>| {
        let row = &rows[of(seed)];
        let took = run(row, &topologies[&*row.mode], seed);
        let known = sum.entry(of(seed)).or_default();
        *known = known.or_longer(took);
    };
    if let Some(seed) = wanted() {
        return course(seed, &mut BTreeMap::new());
    }
    let sums = each(rows.len() as u64 * many(2, 50), course);
    for (number, row) in rows.iter().enumerate() {
        let took = sums.iter().filter_map(|sum| sum.get(&number)).fold(Took::default(), |one, two| one.or_longer(*two));
        println!("{}: answered after {:?}, owned anew after {:?} at most", row.title(), took.answered, took.owned);
    }
}
