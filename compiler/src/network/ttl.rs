//! The TTLs that topoc writes: how many bridges subscriptions and requests may have to cross, a move included.

use super::{Edge, Network, listed, node};
use crate::dispatch::replies_of;
use crate::model::{Bridge, BrokerId, Model};
use crate::schema;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The TTLs of the bridges in one connected part of the network, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttls {
    /// For subscriptions: the longest of the shortest ways that requests or replies may take.
    pub(super) consumer: i64,
    /// For messages: the same, or what a request needs that was forwarded and has to follow its consumer.
    pub(super) message: i64,
}

impl Ttls {
    /// ActiveMQ's own: neighbours only.
    pub(super) const NEIGHBOURS: Ttls = Ttls { consumer: 1, message: 1 };

    fn or_more(self, other: Ttls) -> Ttls {
        Ttls { consumer: self.consumer.max(other.consumer), message: self.message.max(other.message) }
    }
}

/// The TTLs of every broker's bridges. Brokers without any bridge to another are left out.
pub(super) fn of(network: &Network, model: &Model) -> FxHashMap<BrokerId, Ttls> {
    let asked = listed(model, model.clients.iter().map(|client| client.dialer.brokers.as_slice()));
    let answered = listed(model, model.connectors.iter().map(|connector| connector.dialer.brokers.as_slice()));
    let apart = has_both(model);
    let lists = Lists::of(model);
    let mut ttls = FxHashMap::default();
    for brokers in parts(network) {
        let mut found = Ttls::NEIGHBOURS;
        for (open, carried) in lists.graphs(network, model, &brokers) {
            let part = Part::of(network, &brokers, &asked, &answered, |edge| lists.let_pass(edge, &open));
            found = found.or_more(part.ttls(carried));
        }
        if !apart {
            found.consumer = found.message;
        }
        ttls.extend(brokers.into_iter().map(|broker| (broker, found)));
    }
    ttls
}

/// What is carried over some bridges.
#[derive(Debug, Clone, Copy, Default)]
struct Carried {
    requests: bool,
    replies: bool,
}

/// What bridges let cross. Bridges that say the same are one list; those that say nothing are none.
struct Lists<'a> {
    /// By bridge.
    of_bridge: Vec<Option<usize>>,
    /// A bridge for each list.
    bridges: Vec<&'a Bridge>,
}

impl<'a> Lists<'a> {
    fn of(model: &'a Model) -> Self {
        let mut lists = Lists { of_bridge: Vec::new(), bridges: Vec::new() };
        let mut known: FxHashMap<Choice<'a>, usize> = FxHashMap::default();
        for bridge in &model.bridges {
            let list = Choice::of(bridge).map(|choice| {
                *known.entry(choice).or_insert_with(|| {
                    lists.bridges.push(bridge);
                    lists.bridges.len() - 1
                })
            });
            lists.of_bridge.push(list);
        }
        lists
    }

    fn list(&self, edge: &Edge) -> Option<usize> {
        self.of_bridge.get(edge.bridge.index()).copied().flatten()
    }

    /// Whether a bridge is open where those lists are that `open` says.
    fn let_pass(&self, edge: &Edge, open: &[bool]) -> bool {
        self.list(edge).and_then(|list| open.get(list)).copied().unwrap_or(true)
    }

    /// The different graphs that queues of these brokers see, as the lists that let them pass, and what sees them. One
    /// with every bridge where no bridge is choosy.
    fn graphs(&self, network: &Network, model: &Model, brokers: &[BrokerId]) -> BTreeMap<Vec<bool>, Carried> {
        let leaving = brokers.iter().flat_map(|broker| network.leaving(*broker));
        let here: BTreeSet<usize> = leaving.filter_map(|edge| self.list(edge)).collect();
        if here.is_empty() {
            return BTreeMap::from([(Vec::new(), Carried { requests: true, replies: true })]);
        }
        let mut graphs: BTreeMap<Vec<bool>, Carried> = BTreeMap::new();
        let open = |queue: &str| -> Vec<bool> {
            let carries = |(list, bridge): (usize, &&Bridge)| !here.contains(&list) || bridge.carries(queue);
            self.bridges.iter().enumerate().map(carries).collect()
        };
        let requests: BTreeSet<&str> =
            model.deployments.iter().map(|deployment| deployment.requests.as_str()).collect();
        for queue in &requests {
            graphs.entry(open(queue)).or_default().requests = true;
        }
        if requests.is_empty() {
            // Queues that the topology does not know may cross anywhere.
            graphs.insert(vec![true; self.bridges.len()], Carried { requests: true, replies: true });
        }
        let is_here = |broker| brokers.binary_search(&node(model, broker)).is_ok();
        for client in &model.clients {
            if client.dialer.brokers.iter().any(|endpoint| is_here(endpoint.broker)) {
                graphs.entry(open(&replies_of(client))).or_default().replies = true;
            }
        }
        graphs
    }
}

/// What a bridge says of the destinations that may cross it.
#[derive(PartialEq, Eq, Hash)]
struct Choice<'a> {
    lists: [Vec<&'a str>; 3],
    only_fixed: bool,
}

impl<'a> Choice<'a> {
    fn of(bridge: &'a Bridge) -> Option<Self> {
        let texts = |list: &'a [(_, String)]| list.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>();
        let lists = [texts(&bridge.excluded), texts(&bridge.dynamic), texts(&bridge.fixed)];
        let only_fixed = bridge.is_static();
        (only_fixed || lists.iter().any(|list| !list.is_empty())).then_some(Choice { lists, only_fixed })
    }
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

/// Up to so many connected brokers every way of a request that moves is followed. Beyond, the longest that there could be is
/// taken: a TTL that is too high lets a message live, and no message passes a broker twice for it.
const EXACT: usize = 64;

/// A connected part of the network. Every broker is searched from every other, so brokers are numbers from 0 here and
/// what is known of them stands in vectors.
struct Part {
    /// The brokers that messages of each broker go to.
    forwards: Vec<Vec<usize>>,
    /// The brokers at which requests enter, and where replies are waited for.
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
    fn of(
        network: &Network,
        brokers: &[BrokerId],
        asked: &[BrokerId],
        answered: &[BrokerId],
        open: impl Fn(&Edge) -> bool,
    ) -> Self {
        let number = |broker: &BrokerId| brokers.binary_search(broker).ok();
        let next = |from| network.leaving(from).filter(|edge| open(edge)).filter_map(|edge| number(&edge.to));
        let forwards = brokers.iter().map(|from| next(*from).collect());
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

    fn ttls(&self, carried: Carried) -> Ttls {
        let mut ttls = Ttls::NEIGHBOURS;
        if carried.requests {
            ttls = ttls.or_more(self.of_requests());
        }
        // Where every way can be gone back, replies go as far as requests.
        if carried.replies && !(carried.requests && self.is_two_way()) {
            ttls = ttls.or_more(self.of_replies());
        }
        ttls
    }

    fn of_requests(&self) -> Ttls {
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

    /// A reply goes from any broker where a request may be handled to any where its client may be.
    fn of_replies(&self) -> Ttls {
        let answering = (0..self.answers.len()).filter(|place| self.answers[*place]);
        let hops = answering.map(|from| {
            let search = self.search(from);
            self.asked.iter().filter_map(|to| search.hops(*to)).max().unwrap_or(0)
        });
        let hops = hops.fold(1, i64::max);
        Ttls { consumer: hops, message: hops }
    }

    fn is_two_way(&self) -> bool {
        let ways = |from: usize| self.forwards[from].iter().map(move |to| (from, *to));
        let all: FxHashSet<(usize, usize)> = (0..self.forwards.len()).flat_map(ways).collect();
        all.iter().all(|(from, to)| all.contains(&(*to, *from)))
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
        if self.answers.len() > EXACT {
            let answering = (0..self.answers.len()).filter(|place| self.answers[*place]);
            let moved = answering.filter_map(|first| Some((here.hops(first).filter(|hops| *hops > 0)?, first)));
            return moved.map(|(hops, first)| hops + farthest[first]).fold(most, i64::max);
        }
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
