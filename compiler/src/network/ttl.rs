//! The TTLs that topoc writes: how many bridges subscriptions and requests may have to cross, a move included.

use super::{Network, listed};
use crate::model::{BrokerId, Model};
use crate::schema;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// The TTLs of the bridges in one connected part of the network, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttls {
    /// For subscriptions: the longest of the shortest ways.
    pub(super) consumer: i64,
    /// For messages: the same, or what a request needs that was forwarded and has to follow its consumer.
    pub(super) message: i64,
}

impl Ttls {
    /// ActiveMQ's own: neighbours only.
    pub(super) const NEIGHBOURS: Ttls = Ttls { consumer: 1, message: 1 };
}

/// The TTLs of every broker's bridges. Brokers without any bridge to another are left out.
pub(super) fn of(network: &Network, model: &Model) -> FxHashMap<BrokerId, Ttls> {
    let asked = listed(model, model.clients.iter().map(|client| client.dialer.brokers.as_slice()));
    let answered = listed(model, model.connectors.iter().map(|connector| connector.dialer.brokers.as_slice()));
    let apart = has_both(model);
    let mut ttls = FxHashMap::default();
    for brokers in parts(network) {
        let mut found = Part::of(network, &brokers, &asked, &answered).ttls();
        if !apart {
            found.consumer = found.message;
        }
        ttls.extend(brokers.into_iter().map(|broker| (broker, found)));
    }
    ttls
}

/// Whether the release knows message and consumer TTL apart, which those before 5.9 do not.
fn has_both(model: &Model) -> bool {
    let attribute = schema::element("networkConnector").and_then(|element| element.attribute("messageTTL"));
    attribute.is_some_and(|attribute| attribute.presence.in_release(model.release()).is_present())
}

/// Brokers that hold together, whatever the direction of the bridges between them.
fn parts(network: &Network) -> Vec<Vec<BrokerId>> {
    let mut neighbours: FxHashMap<BrokerId, Vec<BrokerId>> = FxHashMap::default();
    for edge in &network.edges {
        neighbours.entry(edge.from).or_default().push(edge.to);
        neighbours.entry(edge.to).or_default().push(edge.from);
    }
    let mut seen = FxHashSet::default();
    let mut parts = Vec::new();
    for start in network.edges.iter().map(|edge| edge.from) {
        let (mut part, mut open) = (Vec::new(), vec![start]);
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                part.push(at);
                open.extend(neighbours.get(&at).into_iter().flatten());
            }
        }
        if !part.is_empty() {
            part.sort_unstable();
            parts.push(part);
        }
    }
    parts
}

/// A connected part of the network. Every broker is searched from every other, so brokers are numbers from 0 here and
/// what is known of them stands in vectors.
struct Part {
    /// The brokers that messages of each broker go to.
    forwards: Vec<Vec<usize>>,
    /// The brokers at which requests enter.
    asked: Vec<usize>,
    /// Whether requests may be consumed at a broker.
    answers: Vec<bool>,
}

/// What a search from one broker finds.
struct Search {
    /// How many bridges away each broker is.
    hops: Vec<Option<i64>>,
    /// The broker before each on the way to it.
    before: Vec<usize>,
}

impl Search {
    fn hops(&self, to: usize) -> Option<i64> {
        self.hops.get(to).copied().flatten()
    }

    /// Whether a broker lies on the way to another, its end left out.
    /// Which brokers lie on the way to a broker, its end left out.
    fn passed(&self, to: usize) -> Vec<bool> {
        let mut passed = vec![false; self.hops.len()];
        let mut at = to;
        while self.hops(at).is_some_and(|hops| hops > 0) {
            at = self.before[at];
            passed[at] = true;
        }
        passed
    }
}

impl Part {
    /// `asked` and `answered` are those of the whole topology. Where nobody is there to ask or to answer, it may be anybody.
    fn of(network: &Network, brokers: &[BrokerId], asked: &[BrokerId], answered: &[BrokerId]) -> Self {
        let number = |broker: &BrokerId| brokers.binary_search(broker).ok();
        let forwards = brokers.iter().map(|from| network.leaving(*from).filter_map(|edge| number(&edge.to)).collect());
        let among = |all: &[BrokerId]| -> Vec<usize> {
            (0..brokers.len()).filter(|place| all.binary_search(&brokers[*place]).is_ok()).collect()
        };
        let (mut asked, mut answered) = (among(asked), among(answered));
        if asked.is_empty() || answered.is_empty() {
            (asked, answered) = ((0..brokers.len()).collect(), (0..brokers.len()).collect());
        }
        let mut answers = vec![false; brokers.len()];
        answered.into_iter().for_each(|place| answers[place] = true);
        Part { forwards: forwards.collect(), asked, answers }
    }

    fn ttls(&self) -> Ttls {
        // A request that waits where a consumer was has to hear of those elsewhere, as one does that has just come in.
        let mut farthest = vec![0; self.answers.len()];
        let answering = (0..self.answers.len()).filter(|place| self.answers[*place]);
        for place in self.asked.iter().copied().chain(answering) {
            farthest[place] = self.farthest(place);
        }
        let entered = self.asked.iter().map(|place| farthest[*place]);
        let waiting = farthest.iter().zip(&self.answers).filter(|(_, answers)| **answers).map(|(hops, _)| *hops);
        let consumer = entered.chain(waiting).fold(1, i64::max);
        let message = self.asked.iter().fold(consumer, |most, from| self.after_a_move(*from, most, &farthest));
        Ttls { consumer, message }
    }

    fn search(&self, from: usize) -> Search {
        let mut search = Search { hops: vec![None; self.forwards.len()], before: vec![from; self.forwards.len()] };
        search.hops[from] = Some(0);
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            let next = search.hops(at).unwrap_or(0) + 1;
            for to in &self.forwards[at] {
                if search.hops[*to].is_none() {
                    search.hops[*to] = Some(next);
                    search.before[*to] = at;
                    queue.push_back(*to);
                }
            }
        }
        search
    }

    /// The most bridges from a broker to one where requests may be consumed.
    fn farthest(&self, from: usize) -> i64 {
        let search = self.search(from);
        let hops = search.hops.iter().zip(&self.answers).filter(|(_, answers)| **answers);
        hops.filter_map(|(hops, _)| *hops).max().unwrap_or(0)
    }

    /// The most bridges that a request from here crosses when it was forwarded to one consumer and then has to go to
    /// another, at least `most`. Back to a broker that it came through it is let without regard to TTL
    /// (`ConditionalNetworkBridgeFilterFactory`, whose replay topoc switches on).
    fn after_a_move(&self, from: usize, most: i64, farthest: &[i64]) -> i64 {
        let here = self.search(from);
        let mut most = most;
        for first in (0..self.answers.len()).filter(|place| self.answers[*place]) {
            let Some(hops) = here.hops(first).filter(|hops| *hops > 0 && hops + farthest[first] > most) else {
                continue;
            };
            let (there, passed) = (self.search(first), here.passed(first));
            let next = (0..self.answers.len()).filter(|place| self.answers[*place] && !passed[*place]);
            most = next.filter_map(|next| there.hops(next)).map(|more| hops + more).fold(most, i64::max);
        }
        most
    }
}
