//! Who gets a request: at each broker the consumer of the highest priority, be it local or behind a bridge.
//!
//! The rules are those of ActiveMQ 5.14.5 to 6.3.1 (`Queue`, `DemandForwardingBridgeSupport`, `ConduitBridge`,
//! `NetworkBridgeFilter`). Not looked at: full prefetch windows, selectors, exclusive consumers, message groups.

use crate::model::{Bridge, BrokerId, Client, ConnectorId, Model};
use crate::network::{Edge, Network, priority_across, seat};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::rc::Rc;

/// A request has several possible ways where priorities are equal; more than these are not followed.
pub const MAX_COURSES: usize = 256;

/// Before the name of a client: the queue for its replies, where none is written.
pub const REPLIES: &str = "GC.REPLY.";

/// Who is connected where, and which bridges are up.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    model: &'a Model,
    network: &'a Network,
    seated: HashMap<BrokerId, Vec<ConnectorId>>,
    down: HashSet<Edge>,
    /// What is behind each bridge, by queue, as far as somebody asked: the same for every message.
    behind: RefCell<ByQueue<Edge, Option<Candidate>>>,
    /// All consumers that a broker may have to choose among, likewise.
    offered: RefCell<ByQueue<BrokerId, Rc<[Offer]>>>,
}

/// What is known of things for each queue that somebody asked for.
type ByQueue<K, V> = HashMap<String, HashMap<K, V>>;

/// A consumer, and how many bridges a message may have crossed before to get to it.
#[derive(Debug, Clone, Copy)]
struct Offer {
    candidate: Candidate,
    ttl: Option<i64>,
}

/// A consumer as a broker sees it when it has to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who it is.
    pub consumer: Consumer,
    /// The lowest priority that it may have here.
    pub least: i64,
    /// The highest: a conduit subscription has that of whoever behind the bridge subscribed first.
    pub most: i64,
}

/// A consumer at a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// A connector that is connected to this broker.
    Connector(ConnectorId),
    /// A bridge that has consumers behind it.
    Bridge(Edge),
}

/// A way that a request may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// The bridges it crosses, in order.
    pub way: Vec<Edge>,
    /// Who gets it; nobody where it stays in the queue of the last broker.
    pub handler: Option<ConnectorId>,
}

impl<'a> Situation<'a> {
    /// Nothing has failed: every connector is connected to its first broker, every bridge is up.
    #[must_use]
    pub fn whole(model: &'a Model, network: &'a Network) -> Self {
        let ids = (0_u32..).map(ConnectorId);
        let seats = ids.zip(&model.connectors).filter_map(|(id, connector)| Some((id, seat(model, connector)?)));
        Self::new(model, network, seats)
    }

    /// Connectors at these brokers, every bridge up. A connector that is not among them is connected nowhere.
    #[must_use]
    pub fn new(
        model: &'a Model,
        network: &'a Network,
        seats: impl IntoIterator<Item = (ConnectorId, BrokerId)>,
    ) -> Self {
        let mut seated: HashMap<BrokerId, Vec<ConnectorId>> = HashMap::new();
        for (connector, broker) in seats {
            seated.entry(broker).or_default().push(connector);
        }
        Self { model, network, seated, down: HashSet::new(), behind: RefCell::default(), offered: RefCell::default() }
    }

    /// The same without these directions of bridges.
    #[must_use]
    pub fn without(mut self, down: impl IntoIterator<Item = Edge>) -> Self {
        self.down.extend(down);
        self.behind = RefCell::default();
        self.offered = RefCell::default();
        self
    }

    /// The connectors that consume a queue at a broker.
    pub fn local(&self, at: BrokerId, queue: &str) -> impl Iterator<Item = ConnectorId> {
        let seated = self.seated.get(&at).into_iter().flatten().copied();
        seated.filter(move |connector| requests_of(self.model, *connector) == Some(queue))
    }

    /// The consumers among which a broker chooses for a message that has passed these brokers before: local ones, and
    /// of every bridge the best that is behind it.
    #[must_use]
    pub fn candidates(&self, at: BrokerId, queue: &str, passed: &[BrokerId]) -> Vec<Candidate> {
        let crossed = i64::try_from(passed.len()).unwrap_or(i64::MAX);
        let open = |offer: &&Offer| match offer.candidate.consumer {
            Consumer::Connector(_) => true,
            Consumer::Bridge(edge) => !passed.contains(&edge.to) && offer.ttl.is_none_or(|ttl| crossed < ttl),
        };
        self.offers(at, queue).iter().filter(open).map(|offer| offer.candidate).collect()
    }

    /// The consumers that a broker has for a queue, wherever a message has come from.
    fn offers(&self, at: BrokerId, queue: &str) -> Rc<[Offer]> {
        if let Some(known) = self.offered.borrow().get(queue).and_then(|known| known.get(&at)) {
            return Rc::clone(known);
        }
        let local = self.local(at, queue).map(|id| {
            let priority = self.model.connector(id).effective_priority();
            let candidate = Candidate { consumer: Consumer::Connector(id), least: priority, most: priority };
            Offer { candidate, ttl: None }
        });
        let open = self.network.leaving(at).copied().filter(|edge| self.is_open(*edge, queue));
        let across = open.filter_map(|edge| {
            let ttl = self.bridge(edge).and_then(|bridge| bridge.message_ttl(self.network));
            Some(Offer { candidate: self.behind(edge, queue)?, ttl })
        });
        let offers: Rc<[Offer]> = local.chain(across).collect();
        self.offered.borrow_mut().entry(queue.to_owned()).or_default().insert(at, Rc::clone(&offers));
        offers
    }

    /// Every way that a request entering at a broker may take: one, unless priorities are equal or depend on who
    /// subscribed first. At most [`MAX_COURSES`].
    #[must_use]
    pub fn follow(&self, at: BrokerId, queue: &str) -> Vec<Course> {
        let mut courses = Vec::new();
        let mut open: Vec<Vec<Edge>> = vec![Vec::new()];
        while let Some(way) = open.pop().filter(|_| courses.len() < MAX_COURSES) {
            let here = way.last().map_or(at, |edge| edge.to);
            let passed: Vec<BrokerId> = way.iter().map(|edge| edge.from).collect();
            let winners = winners(&self.candidates(here, queue, &passed));
            if winners.is_empty() {
                courses.push(Course { way, handler: None });
                continue;
            }
            for winner in winners {
                match winner.consumer {
                    Consumer::Connector(id) => courses.push(Course { way: way.clone(), handler: Some(id) }),
                    Consumer::Bridge(edge) => open.push(way.iter().copied().chain([edge]).collect()),
                }
            }
        }
        courses
    }

    /// Whether a broker knows of a connector's subscription, over however many bridges.
    #[must_use]
    pub fn hears(&self, at: BrokerId, queue: &str, connector: ConnectorId) -> bool {
        let is_it = |at| self.local(at, queue).any(|id| id == connector);
        let mut found = is_it(at);
        for edge in self.network.leaving(at).filter(|edge| self.is_open(**edge, queue)) {
            if found {
                break;
            }
            self.listen(*edge, queue, |ear| {
                found |= is_it(ear.edge.to);
                if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        }
        found
    }

    fn bridge(&self, edge: Edge) -> Option<&'a Bridge> {
        self.model.bridges.get(edge.bridge.index())
    }

    fn is_open(&self, edge: Edge, queue: &str) -> bool {
        !self.down.contains(&edge) && self.bridge(edge).is_some_and(|bridge| bridge.carries(queue))
    }

    /// The best consumer behind a bridge.
    fn behind(&self, edge: Edge, queue: &str) -> Option<Candidate> {
        if let Some(known) = self.behind.borrow().get(queue).and_then(|known| known.get(&edge)) {
            return *known;
        }
        let found = self.search(edge, queue);
        self.behind.borrow_mut().entry(queue.to_owned()).or_default().insert(edge, found);
        found
    }

    fn search(&self, edge: Edge, queue: &str) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        self.listen(edge, queue, |ear| {
            for (least, most) in self.subscriptions(ear, queue) {
                let found = best.get_or_insert(Candidate { consumer: Consumer::Bridge(edge), least, most });
                (found.least, found.most) = (found.least.max(least), found.most.max(most));
            }
            if best.is_some() && ear.is_best() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        best
    }

    /// The priorities that the subscriptions of one bridge have at the broker that listens, each as lowest and highest.
    fn subscriptions(&self, ear: &Ear, queue: &str) -> Vec<(i64, i64)> {
        let Some(bridge) = self.bridge(ear.edge) else { return Vec::new() };
        let own = self.local(ear.edge.to, queue).map(|id| self.model.connector(id).effective_priority());
        let mut seen: Vec<i64> = own.map(|own| ear.priority(own)).collect();
        seen.sort_unstable();
        let mut subscriptions = match (bridge.is_conduit(), seen.first(), seen.last()) {
            (true, Some(least), Some(most)) => vec![(*least, *most)],
            _ => seen.into_iter().map(|priority| (priority, priority)).collect(),
        };
        if bridge.always_carries(queue) {
            // A statically included destination has a consumer of priority 0 of its own.
            subscriptions.push((ear.priority(0), ear.priority(0)));
        }
        subscriptions
    }

    /// Visits every bridge whose consumers are heard through `first`, the nearest ones first, until it is told to stop.
    fn listen(&self, first: Edge, queue: &str, mut visit: impl FnMut(&Ear) -> ControlFlow<()>) {
        let mut heard = Heard::default();
        let mut open = VecDeque::new();
        let Some(ear) = self.bridge(first).and_then(|bridge| self.ear(None, first, bridge)) else { return };
        if heard.is_new(&ear) && visit(&ear).is_continue() {
            open.push_back(ear);
        }
        while let Some(ear) = open.pop_front() {
            // A subscription is not passed to a broker that it came through.
            let further = self.network.leaving(ear.edge.to).filter(|edge| edge.to != first.from);
            for edge in further.copied().filter(|edge| self.is_open(*edge, queue)) {
                let next = self.bridge(edge).and_then(|bridge| self.ear(Some(&ear), edge, bridge));
                let Some(next) = next.filter(|next| heard.is_new(next)) else { continue };
                if visit(&next).is_break() {
                    return;
                }
                open.push_back(next);
            }
        }
    }

    /// What is heard over one bridge more, where its consumer TTL and those before it let a subscription pass.
    fn ear(&self, before: Option<&Ear>, edge: Edge, bridge: &Bridge) -> Option<Ear> {
        let left = before.map_or(i64::MAX, |ear| ear.left);
        let left = left.min(bridge.consumer_ttl(self.network).unwrap_or(i64::MAX));
        let lowered = match before.and_then(|ear| ear.lowered) {
            Some((base, hops)) => Some((base, hops + 1)),
            None => bridge.decreases_priority().then(|| (bridge.priority_base(), 1)),
        };
        let hops = before.map_or(0, |ear| ear.hops) + 1;
        (left > 0).then(|| Ear { edge, lowered, left: left.saturating_sub(1), hops })
    }
}

/// What a broker hears of the consumers at the far end of a bridge, over this and the bridges before it.
#[derive(Debug, Clone, Copy)]
struct Ear {
    /// The last bridge.
    edge: Edge,
    /// Where the bridge nearest to the broker that lowers priorities does so: to which base, seen from how many
    /// bridges away. Bridges before it pass on what it says.
    lowered: Option<(i64, i64)>,
    /// How many bridges more the TTLs allow.
    left: i64,
    /// How many bridges away it is.
    hops: i64,
}

impl Ear {
    /// Whether nothing that is heard later has a higher priority: one is lowered by the first bridge, and from there on with
    /// every bridge more, as long as it fits into a byte.
    fn is_best(&self) -> bool {
        self.lowered.is_some_and(|(base, hops)| {
            let deepest = hops.saturating_add(self.left).saturating_add(1);
            hops == self.hops && base.saturating_sub(deepest) >= i64::from(i8::MIN)
        })
    }

    fn priority(&self, own: i64) -> i64 {
        match self.lowered {
            Some((base, hops)) => priority_across(own, hops, true, base),
            None => own,
        }
    }
}

/// What has been heard: a longer way to the same broker is worth a look only where it says something better.
#[derive(Debug, Default)]
struct Heard {
    /// By broker and the base of the lowered priority.
    known: HashMap<(BrokerId, Option<i64>), Vec<Distance>>,
}

#[derive(Debug, Clone, Copy)]
struct Distance {
    /// Bridges from where the priority is lowered.
    hops: i64,
    /// Bridges that the TTLs still allow.
    left: i64,
}

impl Heard {
    fn is_new(&mut self, ear: &Ear) -> bool {
        let (base, hops) = (ear.lowered.map(|(base, _)| base), ear.lowered.map_or(0, |(_, hops)| hops));
        let known = self.known.entry((ear.edge.to, base)).or_default();
        let is_new = !known.iter().any(|known| known.hops <= hops && known.left >= ear.left);
        if is_new {
            known.push(Distance { hops, left: ear.left });
        }
        is_new
    }
}

/// The queue that a connector consumes: that of its deployment.
#[must_use]
pub fn requests_of(model: &Model, connector: ConnectorId) -> Option<&str> {
    let (deployment, _) = model.connector(connector).deployment?;
    model.deployments.get(deployment.index()).map(|deployment| deployment.requests.as_str())
}

/// The queue of a client's own that replies go to, unless it asks for temporary ones.
#[must_use]
pub fn replies_of(client: &Client) -> String {
    client
        .reply_queue
        .as_ref()
        .map_or_else(|| format!("{REPLIES}{}", client.dialer.name.value), |set| set.value.clone())
}

/// Those that may get the next message: one, unless priorities are equal or not certain.
#[must_use]
pub fn winners(candidates: &[Candidate]) -> Vec<Candidate> {
    let sure = candidates.iter().map(|candidate| candidate.least).max();
    candidates.iter().copied().filter(|candidate| Some(candidate.most) >= sure).collect()
}

#[cfg(test)]
mod tests;
