//! The simulated contact centre as a value: agents, calls, nodes, and everything that can be wrong with them.
//!
//! No sockets, no clock and no random source: whoever holds it says what time it is, and chance begins at a seed. What happens
//! is told in [`Output`]s.
//!
//! The truth is with the CTI server (`agents`, `calls`). Each node hears of it a little later, has its own [`View`], answers
//! from that, and tells its sessions.

mod agent;
mod call;
mod centre;
mod config;
mod faults;
mod journal;
mod node;
mod notify;
mod presence;
mod rest;
mod sessions;
mod work;

use std::collections::{BTreeMap, VecDeque};

pub use agent::{Agent, Base, Category, REASON_CODES, ReasonCode, State, TRANSITIONS};
pub use call::{ACTIONS, Action, Call, CallState, Party, PartyState};
pub use config::{
    CRASH_NOTICED, Config, Deployment, FORCED_LOGOUT, FORCED_REASON, HEARTBEAT, LOCKED_FOR, Millis, Reasons,
    WRONG_PASSWORDS,
};
use journal::Journal;
pub use journal::{Entry, KEPT};
pub use node::{Health, Mobile, Node, Service, View};
pub use notify::{Event, Kind};
pub use presence::{PresenceError, SubscribeError};
pub use rest::{Credentials, Method, NOT_HERE, Reply, Request};
pub use sessions::{Session, Sessions};
pub use work::{Ask, Change, CtiError, Object, Queued, Told};

/// What whoever holds the cluster has to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Sends this stanza, in the namespace `jabber:client`.
    Stanza {
        /// To this session.
        session: u64,
        /// The text.
        text: String,
    },
    /// Ends this session's stream.
    Close {
        /// Which.
        session: u64,
        /// The condition of the stream's error; without one the connection is cut.
        error: Option<&'static str>,
    },
    /// A service of this node came or went.
    Services {
        /// Which node.
        node: usize,
    },
}

/// What happens by itself later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// CTI deals with the first request of a line.
    Work(usize, Object),
    /// A node hears of a change.
    Hear(usize),
    /// A node tells an event that was held back.
    Tell(usize),
    /// A call gets to the telephone it is for.
    Deliver(u64),
    /// A telephone outside answers.
    OutsideAnswers(u64),
    /// Wrap-up is over.
    WrapUp(usize),
    /// A client is gone for too long: node, agent, number.
    Forced(usize, usize, u64),
    /// Three heartbeats of CTI are missing.
    Heartbeats(usize),
}

/// The contact centre.
#[derive(Clone, Debug)]
pub struct Cluster {
    config: Config,
    agents: Vec<Agent>,
    calls: BTreeMap<u64, Call>,
    nodes: Vec<Node>,
    /// Unified CCX: which node is in service.
    master: usize,
    agenda: BTreeMap<(Millis, u64), Timer>,
    counter: u64,
    next_call: u64,
    next_session: u64,
    chance: fastrand::Rng,
    outputs: VecDeque<Output>,
    journal: Journal,
}

impl Cluster {
    /// A quiet contact centre: everybody is signed out, every service is up.
    #[must_use]
    pub fn new(config: Config, now: Millis) -> Self {
        let agents: Vec<Agent> = users(&config, now);
        let view = View { agents: agents.clone(), calls: BTreeMap::new() };
        let nodes = config.hosts.iter().map(|host| Node::new(host, view.clone(), now)).collect();
        let chance = fastrand::Rng::with_seed(config.seed);
        let mut cluster = Self {
            config,
            agents,
            calls: BTreeMap::new(),
            nodes,
            master: 0,
            agenda: BTreeMap::new(),
            counter: 0,
            next_call: 16_777_217,
            next_session: 1,
            chance,
            outputs: VecDeque::new(),
            journal: Journal::default(),
        };
        cluster.refresh(now);
        cluster.outputs.clear();
        cluster
    }

    /// How it was made.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Every user, as CTI knows it: agents first, then supervisors.
    #[must_use]
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// A node, to set what it does to events and answers.
    pub fn node_mut(&mut self, node: usize) -> &mut Node {
        &mut self.nodes[node]
    }

    /// Every call, as CTI knows it.
    #[must_use]
    pub fn calls(&self) -> &BTreeMap<u64, Call> {
        &self.calls
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The user with this id.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<usize> {
        let index = if let Some(number) = id.strip_prefix("sup") {
            number.parse::<usize>().ok()?.checked_sub(1)? + self.config.agents
        } else {
            id.parse::<usize>().ok()?.checked_sub(1001)?
        };
        self.agents.get(index).filter(|agent| agent.id == id).map(|_| index)
    }

    /// The telephone that belongs to a user: agents have `2001` and so on, supervisors the numbers behind them.
    #[must_use]
    pub fn extension(&self, user: usize) -> String {
        (2001 + user).to_string()
    }

    /// When something happens by itself next.
    #[must_use]
    pub fn next(&self) -> Option<Millis> {
        self.agenda.first_key_value().map(|((due, _), _)| *due)
    }

    /// Lets happen what is due.
    pub fn advance(&mut self, now: Millis) {
        while self.step(now) {}
    }

    /// Lets the first thing happen that is due: false when nothing is.
    pub fn step(&mut self, now: Millis) -> bool {
        let Some(entry) = self.agenda.first_entry() else { return false };
        let (due, _) = *entry.key();
        if due > now {
            return false;
        }
        let timer = entry.remove();
        self.fire(due, timer);
        true
    }

    fn fire(&mut self, now: Millis, timer: Timer) {
        match timer {
            Timer::Work(node, object) => self.work(now, node, object),
            Timer::Hear(node) => self.hear(now, node),
            Timer::Tell(node) => self.tell_held_back(now, node),
            Timer::Deliver(call) => self.deliver(now, call),
            Timer::OutsideAnswers(call) => {
                // Nobody rings there any more: then there is nothing to answer.
                let _ = self.answer_outside(now, call);
            }
            Timer::WrapUp(agent) => self.wrap_up_over(now, agent),
            Timer::Forced(node, agent, number) => self.forced(now, node, agent, number),
            Timer::Heartbeats(node) => self.heartbeats_missing(now, node),
        }
    }

    fn at(&mut self, due: Millis, timer: Timer) -> u64 {
        self.counter += 1;
        self.agenda.insert((due, self.counter), timer);
        self.counter
    }

    /// What there is to carry out, in order, since this was last asked.
    pub fn outputs(&mut self) -> Vec<Output> {
        self.outputs.drain(..).collect()
    }
}

fn users(config: &Config, now: Millis) -> Vec<Agent> {
    let size = config.team_size.max(1);
    let teams = config.agents.div_ceil(size);
    let user = |id: String, login_name: String, first_name: &str, last_name: String, team: usize, supervisor| Agent {
        id,
        login_name,
        first_name: first_name.to_owned(),
        last_name,
        team,
        supervisor,
        extension: None,
        base: Base::Out(None),
        pending: None,
        ready_again: false,
        wrap_up_until: None,
        state: State::Logout,
        since: now,
    };
    let agents = (0..config.agents).map(|index| {
        let id = (1001 + index).to_string();
        user(id.clone(), format!("agent{id}"), "Agent", id, index / size + 1, false)
    });
    let supervisors = (1..=teams).map(|team| {
        user(format!("sup{team}"), format!("supervisor{team}"), "Supervisor", team.to_string(), team, true)
    });
    agents.chain(supervisors).collect()
}
