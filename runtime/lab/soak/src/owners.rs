//! Whether every agent has a connector that looks after them, and how long one has none.
//!
//! **An agent has an owner** at a look when a connector lists them under `/agents`, and **a session** when it says there that the
//! session is `live`. A connector that stands still answers nothing, and so owns nobody.
//!
//! **Nobody can own an agent**, and the time does not count, while there is no connector that runs, with a broker that it can
//! reach, or while each node of Finesse has a fault. Time counts anew when that is over.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// How long an answer of a connector, and a connection to a broker, is waited for.
const WITHIN: Duration = Duration::from_millis(1500);
/// From one look to the next.
const EVERY: Duration = Duration::from_millis(500);

/// All agents of a connector, on the longest page that there is.
pub(crate) const AGENTS: &str = "/agents?limit=500";

/// Something that listens at a site.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) site: String,
    /// A broker's port for clients, or a connector's for operators.
    pub(crate) port: u16,
    /// Whether it has no fault.
    pub(crate) well: bool,
}

/// What has a fault now.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) brokers: BTreeMap<String, Place>,
    pub(crate) connectors: BTreeMap<String, Place>,
    /// Whether what goes between sites gets there.
    pub(crate) linked: bool,
    /// Faults of each node of Finesse.
    pub(crate) nodes: Vec<usize>,
    /// The watch ends.
    pub(crate) over: bool,
}

impl World {
    /// Whether anybody can own an agent, if these brokers listen.
    fn can_own(&self, listens: impl Fn(&Place) -> bool) -> bool {
        let up: Vec<&Place> = self.brokers.values().filter(|broker| broker.well && listens(broker)).collect();
        let reaches = |connector: &Place| up.iter().any(|broker| self.linked || broker.site == connector.site);
        self.nodes.contains(&0) && self.connectors.values().any(|connector| connector.well && reaches(connector))
    }
}

/// The world, for whoever changes it and whoever looks.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long agents are without something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps {
    without: BTreeMap<u32, Duration>,
    last: Duration,
    /// The longest: how long, until when, and whose it was.
    pub(crate) longest: Option<(Duration, Duration, u32)>,
}

impl Gaps {
    /// A look at a moment: who of all has it; `None` while nobody can.
    pub(crate) fn look(&mut self, now: Duration, all: impl Iterator<Item = u32>, has: Option<&BTreeSet<u32>>) {
        let last = std::mem::replace(&mut self.last, now);
        let Some(has) = has else {
            // Whoever could not have it at the last look had the time since then to get it.
            self.without.clear();
            return;
        };
        for agent in all {
            // Somewhere between two looks they lost it: the earlier one counts.
            let since = *self.without.entry(agent).or_insert(last);
            if has.contains(&agent) {
                self.without.remove(&agent);
            } else if self.longest.is_none_or(|(longest, ..)| longest < now.saturating_sub(since)) {
                self.longest = Some((now.saturating_sub(since), now, agent));
            }
        }
    }

    /// How many are without it now.
    pub(crate) fn open(&self) -> usize {
        self.without.len()
    }

    /// The longest time.
    pub(crate) fn longest(&self) -> Duration {
        self.longest.map_or(Duration::ZERO, |(longest, ..)| longest)
    }
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) owners: Gaps,
    pub(crate) sessions: Gaps,
    /// Time in which nobody could own an agent.
    pub(crate) impossible: Duration,
    pub(crate) looks: u64,
}

/// Looks until the world is over. `now` says what time it is.
pub(crate) fn watch(shared: &Shared, agents: std::ops::Range<u32>, seen: &Mutex<Seen>, now: impl Fn() -> Duration) {
    let mut last = now();
    loop {
        let before = shared.lock().clone();
        if before.over {
            return;
        }
        let (owned, live) = of_connectors(&before);
        // What changed meanwhile counts as it was better.
        let after = shared.lock().clone();
        let can = before.can_own(listens) && after.can_own(listens);
        let time = now();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.looks += 1;
        if !can {
            seen.impossible += time - last;
        }
        seen.owners.look(time, agents.clone(), can.then_some(&owned));
        seen.sessions.look(time, agents.clone(), can.then_some(&live));
        drop(seen);
        last = time;
        std::thread::sleep(EVERY);
    }
}

/// Agents of connectors that answer: all, and those whose session is live.
fn of_connectors(world: &World) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let (mut owned, mut live) = (BTreeSet::new(), BTreeSet::new());
    for connector in world.connectors.values().filter(|connector| connector.well) {
        let page = get(connector.port, AGENTS).and_then(|text| serde_json::from_str::<Value>(&text).ok());
        for agent in page.iter().filter_map(|page| page["agents"].as_array()).flatten() {
            let Some(id) = agent["id"].as_str().and_then(|id| id.parse().ok()) else { continue };
            owned.insert(id);
            if agent["session"] == "live" {
                live.insert(id);
            }
        }
    }
    (owned, live)
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Whether something takes connections there.
pub(crate) fn listens(place: &Place) -> bool {
    TcpStream::connect_timeout(&address(place.port), WITHIN).is_ok()
}

/// The body of what is answered with 200.
fn get(port: u16, path: &str) -> Option<String> {
    let text = topoc_stage::look(port, path)?;
    text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn place(site: &str) -> Place {
        Place { site: site.to_owned(), port: 0, well: true }
    }

    fn world() -> World {
        let places = |names: [&str; 2]| {
            names.into_iter().zip(["site-1", "site-2"]).map(|(name, site)| (name.to_owned(), place(site))).collect()
        };
        let (brokers, connectors) = (places(["amq-1", "amq-2"]), places(["gc-1", "gc-2"]));
        World { brokers, connectors, linked: true, nodes: vec![0, 0], over: false }
    }

    #[test]
    fn a_connector_with_a_broker_and_a_node_can_own_agents() {
        assert!(world().can_own(|_| true));
        assert!(!world().can_own(|_| false), "brokers are starting");
        let mut one = world();
        one.nodes = vec![1, 0];
        one.brokers.get_mut("amq-1").unwrap().well = false;
        one.connectors.get_mut("gc-2").unwrap().well = false;
        assert!(one.can_own(|_| true), "gc-1 at amq-2");
        let mut apart = one.clone();
        apart.linked = false;
        assert!(!apart.can_own(|_| true), "gc-1 has no way to amq-2");
        one.nodes = vec![1, 2];
        assert!(!one.can_own(|_| true));
    }

    #[test]
    fn gaps_are_measured_from_the_last_look_that_was_well() {
        let (mut gaps, both) = (Gaps::default(), BTreeSet::from([1, 2]));
        let one = BTreeSet::from([1]);
        for (at, has) in [(1, &both), (2, &one), (10, &one), (12, &both), (13, &one)] {
            gaps.look(s(at), [1, 2].into_iter(), Some(has));
        }
        assert_eq!(gaps.longest, Some((s(9), s(10), 2)));
    }

    #[test]
    fn time_in_which_nobody_can_does_not_count_and_counts_anew_after_it() {
        let mut gaps = Gaps::default();
        let (all, none) = (BTreeSet::from([1]), BTreeSet::new());
        for (at, has) in [(1, Some(&all)), (5, Some(&none)), (30, None), (31, Some(&none)), (35, Some(&none))] {
            gaps.look(s(at), [1].into_iter(), has);
        }
        assert_eq!(gaps.longest(), s(5), "from 30 to 35, not from 1");
    }
}
