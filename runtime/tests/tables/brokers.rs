//! Brokers and bridges in memory, as far as the tables are about them: who is connected where, what waits, and to whom a request goes.
//! Which consumer a broker prefers is what the compiler knows of ActiveMQ (`topoc_compiler::dispatch`).

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use topoc_compiler::dispatch::{Consumer, Situation, requests_of, winners};
use topoc_compiler::model::{BrokerId, ConnectorId, Model};
use topoc_compiler::network::{Edge, Network};
use topoc_openwire_proto::command::{Command, ConsumerInfo, MessageAck};
use topoc_openwire_proto::destination::Destination;
use topoc_openwire_proto::failover::Attempt;
use topoc_openwire_proto::id::MessageId;
use topoc_openwire_proto::message::Message;

/// Somebody's connection: who, and by which transport.
pub(crate) type Place = (usize, Attempt);

/// What a broker knows of a connection.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) broker: usize,
    consumers: Vec<ConsumerInfo>,
}

impl Line {
    /// Whether it takes messages of this destination now: a consumer that was restored has no window at first.
    fn takes(&self, destination: &Destination) -> bool {
        self.consumers.iter().any(|it| it.destination.as_ref() == Some(destination) && it.prefetch_size > 0)
    }
}

/// A request under way.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) message: Box<Message>,
    /// The brokers that it has left over bridges.
    passed: Vec<BrokerId>,
    pub(crate) deliveries: i32,
}

impl Request {
    fn id(&self) -> &MessageId {
        self.message.headers.message_id.as_ref().unwrap()
    }
}

/// Where a request goes next.
pub(crate) enum Goes {
    /// To a connector, over its connection; by these brokers, as people name them.
    To(Place, Request, Vec<String>),
    /// Over a bridge.
    Over(Edge, Request),
}

pub(crate) struct Brokers<'a> {
    pub(crate) model: &'a Model,
    network: &'a Network,
    up: BTreeSet<usize>,
    pub(crate) lines: BTreeMap<Place, Line>,
    /// Which connector of the model somebody is; none of a client.
    connectors: BTreeMap<usize, ConnectorId>,
    /// Bridges that are established, each direction by itself.
    bridges: HashSet<Edge>,
    /// Requests that wait, for each broker. They outlive it.
    waiting: BTreeMap<usize, VecDeque<Request>>,
    held: Vec<(Place, Request)>,
    /// How often priorities did not say who gets a request.
    pub(crate) ties: usize,
}

impl<'a> Brokers<'a> {
    pub(crate) fn new(model: &'a Model, network: &'a Network, connectors: BTreeMap<usize, ConnectorId>) -> Self {
        Self {
            model,
            network,
            up: (0..model.brokers.len()).collect(),
            lines: BTreeMap::new(),
            connectors,
            bridges: HashSet::new(),
            waiting: BTreeMap::new(),
            held: Vec::new(),
            ties: 0,
        }
    }

    pub(crate) fn name(&self, broker: usize) -> &'a str {
        &self.model.brokers[broker].name.value
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.model.brokers.iter().position(|broker| broker.name.value == name)
    }

    /// The broker that listens there.
    pub(crate) fn at(&self, host: &str) -> usize {
        self.model.brokers.iter().position(|broker| broker.host.value == host).unwrap()
    }

    pub(crate) fn site(&self, broker: usize) -> &'a str {
        &self.model.site(self.model.brokers[broker].site).name.value
    }

    pub(crate) fn is_up(&self, broker: usize) -> bool {
        self.up.contains(&broker)
    }

    /// Both directions of every bridge.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        self.network.edges().to_vec()
    }

    /// A bridge is established, or is down.
    pub(crate) fn bridge(&mut self, edge: Edge, is_up: bool) {
        if is_up {
            self.bridges.insert(edge)
        } else {
            self.bridges.remove(&edge)
        };
    }

    /// A broker dies, with all connections to it, which are returned, and all bridges.
    pub(crate) fn kill(&mut self, broker: usize) -> Vec<Place> {
        self.up.remove(&broker);
        self.bridges.retain(|edge| edge.from.0 as usize != broker && edge.to.0 as usize != broker);
        let gone: Vec<Place> =
            self.lines.iter().filter(|(_, line)| line.broker == broker).map(|(place, _)| *place).collect();
        gone.iter().for_each(|place| self.hang_up(*place));
        gone
    }

    pub(crate) fn start(&mut self, broker: usize) {
        self.up.insert(broker);
    }

    pub(crate) fn open(&mut self, place: Place, broker: usize) {
        self.lines.insert(place, Line { broker, consumers: Vec::new() });
    }

    /// A connection is over: what was given out over it, and is not acknowledged, waits again.
    pub(crate) fn hang_up(&mut self, place: Place) {
        let Some(line) = self.lines.remove(&place) else { return };
        let (lost, held) = std::mem::take(&mut self.held).into_iter().partition(|(holder, _)| *holder == place);
        self.held = held;
        for (_, request) in lost.into_iter().rev() {
            self.waiting.entry(line.broker).or_default().push_front(request);
        }
    }

    /// A command that is about a connection itself.
    pub(crate) fn take(&mut self, place: Place, command: Command) {
        let Some(line) = self.lines.get_mut(&place) else { return };
        match command {
            Command::ConsumerInfo(info) => line.consumers.push(info),
            Command::ConsumerControl(control) => {
                let known = line.consumers.iter_mut().find(|known| known.consumer_id == control.consumer_id);
                known.unwrap().prefetch_size = control.prefetch;
            }
            Command::MessageAck(MessageAck { last_message_id: Some(id), .. }) => {
                self.held.retain(|(holder, request)| *holder != place || *request.id() != id);
            }
            _ => {}
        }
    }

    /// Somebody sends a request.
    pub(crate) fn put(&mut self, broker: usize, message: Box<Message>) {
        let request = Request { message, passed: Vec::new(), deliveries: 0 };
        self.waiting.entry(broker).or_default().push_back(request);
    }

    /// A request has come over a bridge; if that is down, it has never left.
    pub(crate) fn cross(&mut self, edge: Edge, mut request: Request) {
        let mut at = edge.from;
        if self.bridges.contains(&edge) {
            request.passed.push(edge.from);
            at = edge.to;
        }
        self.waiting.entry(at.0 as usize).or_default().push_back(request);
    }

    /// The connections that get what somebody publishes at a broker, with how many bridges are between.
    pub(crate) fn subscribers(&self, from: usize, destination: &Destination) -> Vec<(Place, usize)> {
        let takes = self.lines.iter().filter(|(_, line)| line.takes(destination));
        takes.filter_map(|(place, line)| Some((*place, self.distance(from, line.broker)?))).collect()
    }

    fn distance(&self, from: usize, to: usize) -> Option<usize> {
        let id = |broker: usize| BrokerId(u32::try_from(broker).unwrap());
        if from == to {
            return Some(0);
        }
        let ways = self.network.ways_over(id(from), |edge| self.bridges.contains(edge));
        ways.to(id(to)).map(|way| way.len())
    }

    /// Gives out what can be given out, as things are.
    pub(crate) fn pour(&mut self) -> Vec<Goes> {
        let mut all = Vec::new();
        for broker in self.up.clone() {
            let waiting = self.waiting.entry(broker).or_default();
            if waiting.is_empty() {
                continue;
            }
            let mut stays = VecDeque::new();
            for request in std::mem::take(waiting) {
                match self.next(broker, &request) {
                    None => stays.push_back(request),
                    Some(Consumer::Bridge(edge)) => all.push(Goes::Over(edge, request)),
                    Some(Consumer::Connector(id)) => all.push(self.give(broker, id, request)),
                }
            }
            self.waiting.insert(broker, stays);
        }
        all
    }

    fn give(&mut self, broker: usize, to: ConnectorId, mut request: Request) -> Goes {
        let is_it = |(place, line): &(&Place, &Line)| {
            line.broker == broker && self.connectors.get(&place.0) == Some(&to) && !line.consumers.is_empty()
        };
        let place = *self.lines.iter().find(is_it).unwrap().0;
        let brokers = request.passed.iter().map(|id| id.0 as usize).chain([broker]);
        let way = brokers.map(|broker| self.name(broker).to_owned()).collect();
        request.deliveries += 1;
        self.held.push((place, request.clone()));
        Goes::To(place, request, way)
    }

    /// The consumer that a broker gives a request to.
    fn next(&mut self, broker: usize, request: &Request) -> Option<Consumer> {
        let destination = request.message.headers.destination.as_ref().unwrap();
        let at = BrokerId(u32::try_from(broker).unwrap());
        let seats = self.lines.iter().filter_map(|(place, line)| {
            let connector = *self.connectors.get(&place.0)?;
            let takes = line.takes(destination) && requests_of(self.model, connector) == Some(destination.name());
            takes.then(|| (connector, BrokerId(u32::try_from(line.broker).unwrap())))
        });
        let down: Vec<Edge> =
            self.network.edges().iter().filter(|edge| !self.bridges.contains(edge)).copied().collect();
        let situation = Situation::new(self.model, self.network, seats).without(down);
        let winners = winners(&situation.candidates(at, destination.name(), &request.passed));
        self.ties += usize::from(winners.len() > 1);
        winners.first().map(|winner| winner.consumer)
    }
}
