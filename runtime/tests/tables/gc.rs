//! A connector without its shell: the machines that the program has, side by side.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use topoc_connector::settings::{Outside, Settings};
use topoc_core::connector::{self, Ticket};
use topoc_core::deployment::Deployment;
use topoc_finesse_proto::cluster::{self, Cluster, NodeId};
use topoc_finesse_proto::session::{Attempt, Session};
use topoc_openwire_proto::id::MessageId;
use topoc_plan::Plan;

/// What the broker says to a command of ours.
pub(crate) enum Awaits {
    Accepted(Ticket),
    Published(Option<String>),
}

/// A connector that runs.
pub(crate) struct Gc {
    pub(crate) name: String,
    pub(crate) machine: Deployment,
    pub(crate) cluster: Cluster,
    /// The contact centre's kind.
    pub(crate) product: cluster::Deployment,
    /// The server of Finesse in use.
    pub(crate) used: Option<(NodeId, Duration)>,
    /// The machine of each agent, with a number that no other one has.
    pub(crate) sessions: BTreeMap<String, (u64, Session)>,
    /// The sessions that are to be, by agent.
    pub(crate) links: BTreeMap<String, (u64, Attempt)>,
    pub(crate) awaited: BTreeMap<i32, Awaits>,
    /// What was delivered and is not taken yet, and what is not acknowledged.
    pub(crate) inbox: VecDeque<connector::Message>,
    pub(crate) deliveries: BTreeMap<u64, MessageId>,
    pub(crate) next: u64,
}

/// A machine on which every variable holds a key.
struct Keys;

impl Outside for Keys {
    fn variable(&self, _: &str) -> Option<String> {
        Some("7391904628abcdef".repeat(4))
    }

    fn file(&self, _: &std::path::Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// What the program reads of a plan.
pub(crate) fn settings(plan: Plan) -> Settings {
    Settings::read(plan, None, &Keys).unwrap()
}

impl Gc {
    pub(crate) fn new(settings: &Settings, now: Duration) -> Self {
        let name = settings.name();
        let own = connector::Settings {
            name: name.clone(),
            epoch: u64::try_from(now.as_millis()).unwrap(),
            queue: settings.plan.requests.queue.clone(),
            limits: settings.limits,
        };
        let cluster = settings.finesse_options().cluster;
        Self {
            name,
            machine: Deployment::new(own, settings.others(now).unwrap(), now),
            product: cluster.deployment,
            cluster: Cluster::new(settings.nodes.len(), cluster),
            used: None,
            sessions: BTreeMap::new(),
            links: BTreeMap::new(),
            awaited: BTreeMap::new(),
            inbox: VecDeque::new(),
            deliveries: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        let sessions = self.sessions.values().filter_map(|(_, session)| session.wakes_at());
        sessions.chain(self.machine.wakes_at()).chain(self.cluster.wakes_at()).min()
    }

    /// Whether it says that an agent is its own.
    pub(crate) fn owns(&self, agent: &str) -> bool {
        let entry = self.machine.sync().unwrap().table().get(agent);
        entry.is_some_and(|entry| *entry.seat.owner == *self.name && entry.card.credentials.is_some())
    }
}
