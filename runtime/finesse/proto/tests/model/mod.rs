//! A Finesse cluster, the agents at it, and both machines of ours between: all in virtual time.
//!
//! Agents and calls are the contact centre's; each server shows them by its own clock, and tells of changes those sessions that
//! it believes in. What a server cannot tell is lost. A session that ends is noticed at once or after up to two minutes, and a
//! minute later the agent is logged out by force, whatever they do elsewhere.
//!
//! Of UCCX one server is in service at a time, the master. When it fails the other one takes over after some seconds, and who was
//! ready is not, as if they had just signed in; the old master may take over again. A forced logout logs out at once, also in a
//! call, and agents may sign out without being not ready before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::support::{Dice, ms, secs};
use topoc_finesse_proto::cluster::{
    self, Cluster, Deployment, NodeId, Phase as ClusterPhase, Poll, Service, Settings, Who, Why,
};
use topoc_finesse_proto::dialog::{Dialog, DialogState, Participant, ParticipantState};
use topoc_finesse_proto::notification;
use topoc_finesse_proto::reason_code::ReasonCode;
use topoc_finesse_proto::session::{
    self, Answer, Ask, Attempt, Change, Connection, Loss, Notice, Phase, Refusal, Request, Session, SignIn, Wish,
};
use topoc_finesse_proto::system_info::{self, MaintenanceMode, Status, SystemInfo};
use topoc_finesse_proto::user::{User, UserState};

impl Dice {
    /// A number from the first to the second, without it.
    pub(crate) fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }
}

/// What a server depends on, and how it behaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) web: bool,
    pub(crate) notifications: bool,
    pub(crate) cti: bool,
    /// Accepts, and never answers.
    pub(crate) silent: bool,
    pub(crate) slow: bool,
    pub(crate) maintenance: bool,
    /// Its clock is ahead by so many milliseconds.
    pub(crate) ahead: u64,
    /// Counts outages of sessions, so that those from before are known.
    age: u32,
}

impl Node {
    fn is_up(&self) -> bool {
        self.web && self.notifications && self.cti && !self.silent
    }
}

/// An agent as the contact centre knows them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Agent {
    pub(crate) state: UserState,
    pub(crate) reason: Option<i64>,
    changed: Duration,
    /// Number of the call, whether it is held, and since when.
    pub(crate) calls: BTreeMap<u64, (bool, Duration)>,
    /// Is not ready for this reason once the call is over, though they did not choose it.
    forced_later: Option<i64>,
    /// What the agent chose last, and is to come back to.
    pub(crate) wants: Option<(UserState, Option<i64>)>,
}

/// A session as the client knows it.
#[derive(Debug, Clone, PartialEq)]
struct Link {
    node: usize,
    open: bool,
    /// When the last thing on it arrives: nothing overtakes.
    last: Duration,
}

/// What listeners have been told of an agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) user: Option<(UserState, Option<i64>)>,
    pub(crate) calls: BTreeMap<String, bool>,
    /// Calls that are over: in this model none comes back.
    gone: BTreeSet<String>,
    /// When the agent last changed by the server's clock, and over which session that was heard.
    changed: Option<(Attempt, String)>,
    pub(crate) live_at: Option<Duration>,
    pub(crate) changes: usize,
}

/// A fault, or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Web,
    Notifications,
    Cti,
    Silent,
    Slow,
    Maintenance,
}

pub(crate) const FAULTS: [Fault; 6] =
    [Fault::Notifications, Fault::Web, Fault::Cti, Fault::Silent, Fault::Slow, Fault::Maintenance];

/// What is on its way.
#[derive(Debug, Clone, PartialEq)]
enum Happening {
    PollArrives(Poll, usize),
    PollAnswered(Poll, cluster::Answer),
    Opens(usize, Attempt),
    NotOpened(usize, Attempt),
    Lost(usize, Attempt),
    Closed(usize, Attempt),
    Noticed(usize, Attempt, Box<Notice>),
    AskArrives(usize, Request, usize, Box<Ask>),
    Answered(usize, Request, Box<Answer>),
    /// The server sees that a session has ended.
    Unavailable(usize, usize, Attempt),
    /// And logs the agent out a minute later.
    Forced(usize, usize),
    /// A server of UCCX becomes master, if it can.
    TakesOver(usize),
}

/// The reason of who has just signed in at UCCX. Its label is what clients go by; this model needs a number, and it is any.
pub(crate) const AGENT_LOGON: i64 = 32_000;

pub(crate) struct World {
    deployment: Deployment,
    /// Of UCCX, the server in service.
    master: usize,
    pub(crate) now: Duration,
    pub(crate) dice: Dice,
    pub(crate) cluster: Cluster,
    pub(crate) sessions: Vec<Session>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) agents: Vec<Agent>,
    pub(crate) told: Vec<Told>,
    /// Whether a forced logout logs out (`LOAD` is 1), or makes agents not ready.
    pub(crate) logs_out: bool,
    /// Whether a server without its notification service says so, and serves nobody.
    honest: bool,
    links: BTreeMap<(usize, Attempt), Link>,
    /// Whom each server believes to be there.
    believed: BTreeMap<(usize, usize), Attempt>,
    happenings: BTreeMap<(Duration, u64), Happening>,
    next: u64,
    next_call: u64,
    /// When agents were sent to another server because the one before had failed.
    pub(crate) switches: Vec<Duration>,
    pub(crate) polls: Vec<u64>,
    pub(crate) asks: BTreeMap<&'static str, u64>,
    stuck_since: Option<Duration>,
    /// The first promise that was broken.
    pub(crate) broken: Option<String>,
    /// What happened, in words, if anybody wants to read it.
    pub(crate) history: Option<Vec<String>>,
    pub(crate) phases: BTreeSet<(Phase, Phase)>,
    pub(crate) cluster_phases: BTreeSet<(ClusterPhase, ClusterPhase)>,
}

impl World {
    pub(crate) fn new(deployment: Deployment, seed: u64, agents: usize) -> Self {
        let mut dice = Dice::new(seed);
        let node = |ahead| Node {
            web: true,
            notifications: true,
            cti: true,
            silent: false,
            slow: false,
            maintenance: false,
            ahead,
            age: 0,
        };
        let nodes = vec![node(0), node(dice.within(0, 600_000))];
        let agent = Agent {
            state: UserState::NotReady,
            reason: None,
            changed: Duration::ZERO,
            calls: BTreeMap::new(),
            forced_later: None,
            wants: Some((UserState::NotReady, None)),
        };
        let (logs_out, honest) = (dice.once_in(2), dice.once_in(2));
        let logs_out = logs_out || deployment == Deployment::Uccx;
        let settings = Settings { deployment, ..Settings::default() };
        Self {
            deployment,
            master: 0,
            now: secs(1000),
            dice,
            cluster: Cluster::new(nodes.len(), settings),
            sessions: vec![Session::new(deployment); agents],
            nodes,
            agents: vec![agent; agents],
            told: vec![Told::default(); agents],
            logs_out,
            honest,
            links: BTreeMap::new(),
            believed: BTreeMap::new(),
            happenings: BTreeMap::new(),
            next: 0,
            next_call: 0,
            switches: Vec::new(),
            polls: vec![0; 2],
            asks: BTreeMap::new(),
            stuck_since: None,
            broken: None,
            history: None,
            phases: BTreeSet::new(),
            cluster_phases: BTreeSet::new(),
        }
    }

    pub(crate) fn start(&mut self) {
        self.tell_cluster(cluster::Event::Start);
        for agent in 0..self.agents.len() {
            self.tell(agent, session::Event::Start(Some(SignIn { extension: format!("2{agent:03}"), mobile: None })));
        }
    }

    /// Whether a server has its contact centre: of UCCX, only the master has.
    pub(crate) fn serves(&self, node: usize) -> bool {
        self.nodes[node].cti && (self.deployment.all_serve() || self.master == node)
    }

    fn tells(&self, node: usize) -> bool {
        self.nodes[node].is_up() && self.serves(node)
    }

    fn is_well(&self, node: usize) -> bool {
        self.tells(node) && !self.nodes[node].slow && !self.nodes[node].maintenance
    }

    pub(crate) fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(history) = &mut self.history {
            // What is absent is not worth reading.
            let text = text();
            let absent = |part: &str| [": None", ": []"].iter().any(|end| part.ends_with(end));
            let said = |part: &str| match part.rsplit_once("{ ") {
                Some((before, last)) if absent(last) => format!("{before}{{"),
                _ => part.to_owned(),
            };
            let parts = text.split(", ").filter(|part| part.contains('{') || !absent(part)).map(said);
            history.push(format!("{:9.3}  {}", self.now.as_secs_f64(), parts.collect::<Vec<_>>().join(", ")));
        }
    }

    fn must(&mut self, holds: bool, promise: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            let promise = promise();
            self.note(|| format!("BROKEN: {promise}"));
            self.broken = Some(promise);
        }
    }

    fn later(&mut self, delay: Duration, happening: Happening) {
        self.next += 1;
        self.happenings.insert((self.now + delay, self.next), happening);
    }

    fn rest_takes(&mut self, node: usize) -> Duration {
        ms(if self.nodes[node].slow { self.dice.within(1000, 1400) } else { self.dice.within(2, 40) })
    }

    pub(crate) fn tell_cluster(&mut self, event: cluster::Event) {
        let before = self.cluster.phase();
        let used = self.cluster.used();
        let orders = self.cluster.handle(self.now, event, &mut self.dice);
        if before != self.cluster.phase() {
            self.cluster_phases.insert((before, self.cluster.phase()));
        }
        for order in orders {
            if !matches!(order, cluster::Order::Poll(..) | cluster::Order::Abandon(_)) {
                self.note(|| format!("cluster: {order:?}"));
            }
            match order {
                cluster::Order::Poll(poll, NodeId(node)) => {
                    self.polls[node] += 1;
                    let takes = self.rest_takes(node);
                    self.later(takes, Happening::PollArrives(poll, node));
                }
                cluster::Order::Use { node, why, over } => {
                    if matches!(why, Why::Instead(_)) {
                        self.must(used != Some(node), || "switched to the server in use".to_owned());
                        self.switched();
                    }
                    (0..self.agents.len()).for_each(|agent| self.tell(agent, session::Event::Use(node, over)));
                }
                cluster::Order::Drain { node, over, within } => {
                    self.switched();
                    (0..self.agents.len())
                        .for_each(|agent| self.tell(agent, session::Event::Drain(node, over, within)));
                }
                cluster::Order::Interrupted(node, _) => {
                    (0..self.agents.len()).for_each(|agent| self.tell(agent, session::Event::Interrupted(node)));
                }
                cluster::Order::Abandon(_) | cluster::Order::Judged(..) => {}
                cluster::Order::Warn(text) => self.must(false, || text),
            }
        }
    }

    fn switched(&mut self) {
        self.switches.push(self.now);
        let since = self.now.saturating_sub(secs(60));
        let many = self.switches.iter().filter(|at| **at > since).count();
        self.must(many <= 4, || format!("{many} switches within a minute"));
    }

    pub(crate) fn tell(&mut self, agent: usize, event: session::Event) {
        let before = self.sessions[agent].phase();
        let orders = self.sessions[agent].handle(self.now, event, &mut self.dice);
        let after = self.sessions[agent].phase();
        if before != after {
            self.phases.insert((before, after));
            self.note(|| format!("agent {agent}: {before:?} -> {after:?}"));
        }
        for order in orders {
            self.carry_out(agent, order);
        }
    }

    fn carry_out(&mut self, agent: usize, order: session::Order) {
        if !matches!(order, session::Order::Tell(..)) {
            self.note(|| format!("agent {agent}: {order:?}"));
        }
        match order {
            session::Order::Open(attempt, NodeId(node)) => {
                let other = self.links.keys().any(|(of, _)| *of == agent);
                self.must(!other, || format!("agent {agent} opens a second session"));
                self.links.insert((agent, attempt), Link { node, open: false, last: self.now });
                let takes = ms(self.dice.within(5, 120));
                if !self.nodes[node].silent {
                    self.later(takes, Happening::Opens(agent, attempt));
                }
            }
            session::Order::Close(attempt) => {
                let node = self.links.get(&(agent, attempt)).map(|link| link.node);
                self.must(node.is_some(), || format!("agent {agent} closes what is not there"));
                let Some(node) = node else { return };
                let takes = ms(self.dice.within(2, 60));
                if self.nodes[node].silent {
                    self.unseen(agent, node, attempt);
                } else {
                    self.later(takes, Happening::Closed(agent, attempt));
                    self.later(takes, Happening::Unavailable(agent, node, attempt));
                }
            }
            session::Order::Drop(attempt) => {
                let link = self.links.remove(&(agent, attempt));
                self.must(link.is_some(), || format!("agent {agent} drops what is not there"));
                if let Some(link) = link {
                    self.unseen(agent, link.node, attempt);
                }
            }
            session::Order::Ask(request, NodeId(node), ask) => {
                *self
                    .asks
                    .entry(match ask {
                        Ask::User => "user",
                        Ask::Dialogs => "dialogs",
                        Ask::SignIn(_) => "sign in",
                        Ask::Ready | Ask::NotReady(_) => "state",
                    })
                    .or_default() += 1;
                let takes = self.rest_takes(node);
                self.later(takes, Happening::AskArrives(agent, request, node, Box::new(ask)));
            }
            session::Order::Tell(node, sign) => self.tell_cluster(cluster::Event::Told(Who(agent as u64), node, sign)),
            session::Order::Publish(change) => self.published(agent, &change),
            session::Order::Abandon(_) | session::Order::Warn(_) => {}
        }
    }

    /// The server notices the end of a session late.
    fn unseen(&mut self, agent: usize, node: usize, attempt: Attempt) {
        let takes = ms(self.dice.within(1000, 120_000));
        self.later(takes, Happening::Unavailable(agent, node, attempt));
    }

    fn published(&mut self, agent: usize, change: &Change) {
        self.told[agent].changes += 1;
        if let (Change::Agent(user), Some((attempt, _))) = (change, self.sessions[agent].open()) {
            let changed = Some((attempt, user.state_change_time.clone().expect("the model says it")));
            let before = std::mem::replace(&mut self.told[agent].changed, changed.clone());
            let back = before.as_ref().map(|(of, _)| *of) == Some(attempt) && self.told[agent].changed < before;
            self.must(!back, || format!("agent {agent} is told what is older than {before:?}: {changed:?}"));
        }
        let now = self.now;
        let told = &mut self.told[agent];
        let fresh = match change {
            Change::Agent(user) => {
                let new = Some((user.state.clone().expect("the model says it"), user.reason()));
                std::mem::replace(&mut told.user, new.clone()) != new
            }
            Change::DialogAdded(dialog) => {
                let before = told.calls.insert(id_of(dialog), is_held(dialog));
                before.is_none() && !told.gone.contains(&id_of(dialog))
            }
            Change::DialogChanged(dialog) => {
                told.calls.insert(id_of(dialog), is_held(dialog)).is_some_and(|before| before != is_held(dialog))
            }
            Change::DialogRemoved(id) => told.calls.remove(id).is_some() && told.gone.insert(id.clone()),
            Change::Connection(connection) => {
                told.live_at = matches!(connection, Connection::Live(_)).then_some(now);
                true
            }
        };
        self.must(fresh, || format!("agent {agent} is told again: {change:?}"));
    }

    /// The time by a server's clock.
    fn time(&self, node: usize, at: Duration) -> String {
        let at = at.as_millis() as u64 + self.nodes[node].ahead;
        let (rest, millis) = (at / 1000, at % 1000);
        format!("2026-01-01T{:02}:{:02}:{:02}.{millis:03}Z", rest / 3600 % 24, rest / 60 % 60, rest % 60)
    }

    fn user(&self, agent: usize, node: usize) -> User {
        let known = &self.agents[agent];
        let label = |code| (code == AGENT_LOGON).then(|| "Agent Logon".to_owned());
        let code = |code: i64| ReasonCode { code: Some(code), label: label(code), ..ReasonCode::default() };
        User {
            login_id: Some(format!("1{agent:03}")),
            extension: (known.state != UserState::Logout).then(|| format!("2{agent:03}")),
            state: Some(known.state.clone()),
            state_change_time: Some(self.time(node, known.changed)),
            reason_code_id: Some(known.reason.unwrap_or(-1)),
            reason_code: known.reason.map(code),
            ..User::default()
        }
    }

    fn dialog(&self, agent: usize, call: u64, node: usize) -> Dialog {
        let (held, since) = self.agents[agent].calls.get(&call).copied().unwrap_or((false, self.now));
        let state = if held { ParticipantState::Held } else { ParticipantState::Active };
        let participant = Participant {
            media_address: Some(format!("2{agent:03}")),
            state: Some(state),
            state_change_time: Some(self.time(node, since)),
            ..Participant::default()
        };
        Dialog {
            own_id: Some(call.to_string()),
            state: Some(DialogState::Active),
            participants: vec![participant],
            ..Dialog::default()
        }
    }

    fn info(&self, node: usize) -> SystemInfo {
        let known = &self.nodes[node];
        let express = !self.deployment.all_serve();
        SystemInfo {
            deployment: Some(if express {
                system_info::Deployment::Express
            } else {
                system_info::Deployment::Enterprise
            }),
            status: Some(if self.serves(node) && (known.notifications || !self.honest) {
                Status::InService
            } else {
                Status::OutOfService
            }),
            finesse_maintenance: known.maintenance.then_some(MaintenanceMode::InProgress),
            ..SystemInfo::default()
        }
    }

    /// Sends to every session of an agent that a server believes in.
    fn push(&mut self, agent: usize, of: impl Fn(&Self, usize) -> notification::Event) {
        for node in 0..self.nodes.len() {
            if self.tells(node) {
                let event = of(self, node);
                self.push_at(agent, node, Notice::Update(event));
            }
        }
    }

    fn push_at(&mut self, agent: usize, node: usize, notice: Notice) {
        let Some(attempt) = self.believed.get(&(node, agent)).copied() else { return };
        let takes = ms(if self.dice.once_in(8) { self.dice.within(100, 900) } else { self.dice.within(1, 60) });
        let Some(link) = self.links.get_mut(&(agent, attempt)) else { return };
        link.last = link.last.max(self.now + takes);
        let delay = link.last - self.now;
        self.later(delay, Happening::Noticed(agent, attempt, Box::new(notice)));
    }

    pub(crate) fn set(&mut self, agent: usize, state: UserState, reason: Option<i64>) {
        let now = self.now;
        self.note(|| format!("centre: agent {agent} is {state} {reason:?}"));
        let known = &mut self.agents[agent];
        (known.state, known.reason, known.changed) = (state, reason, now);
        self.push(agent, |world, node| notification::Event::UserChanged(Box::new(world.user(agent, node))));
    }

    /// The agent chooses, and the session's machine is told before.
    pub(crate) fn choose(&mut self, agent: usize, state: UserState, reason: Option<i64>) {
        let wish = match state {
            UserState::Ready => Wish::Ready,
            UserState::Logout => Wish::SignedOut,
            _ if self.agents[agent].state == UserState::Logout => {
                Wish::SignedIn(SignIn { extension: format!("2{agent:03}"), mobile: None })
            }
            _ => Wish::NotReady(reason),
        };
        self.agents[agent].wants = (state != UserState::Logout).then(|| (state.clone(), reason));
        let signs_in = matches!(wish, Wish::SignedIn(_));
        self.tell(agent, session::Event::Wished(wish));
        self.set(agent, state, if signs_in { self.reason_of_sign_in() } else { reason });
    }

    pub(crate) fn may_sign_out(&self, agent: usize) -> bool {
        let state = &self.agents[agent].state;
        *state == UserState::NotReady || *state == UserState::Ready && self.deployment == Deployment::Uccx
    }

    fn reason_of_sign_in(&self) -> Option<i64> {
        (self.deployment == Deployment::Uccx).then_some(AGENT_LOGON)
    }

    pub(crate) fn call(&mut self, agent: usize) {
        self.next_call += 1;
        let (call, now) = (self.next_call, self.now);
        self.note(|| format!("centre: agent {agent} is called, {call}"));
        self.agents[agent].calls.insert(call, (false, now));
        self.push(agent, |world, node| notification::Event::DialogAdded(Box::new(world.dialog(agent, call, node))));
        self.set(agent, UserState::Talking, None);
    }

    pub(crate) fn hold(&mut self, agent: usize) {
        let now = self.now;
        let Some((call, known)) = self.agents[agent].calls.iter_mut().next() else { return };
        *known = (!known.0, now);
        let call = *call;
        self.push(agent, |world, node| notification::Event::DialogChanged(Box::new(world.dialog(agent, call, node))));
    }

    pub(crate) fn hang_up(&mut self, agent: usize) {
        let Some(call) = self.agents[agent].calls.keys().next().copied() else { return };
        self.note(|| format!("centre: agent {agent} hangs up {call}"));
        self.agents[agent].calls.remove(&call);
        let tells = self.dice.once_in(2);
        self.push(agent, |world, node| {
            let dialog = tells.then(|| Box::new(world.dialog(agent, call, node)));
            notification::Event::DialogRemoved { id: call.to_string(), dialog }
        });
        if self.agents[agent].state == UserState::Talking {
            let forced = std::mem::take(&mut self.agents[agent].forced_later);
            let state = if forced.is_some() { UserState::NotReady } else { UserState::Ready };
            self.set(agent, state, forced);
        }
    }

    /// Something begins, or ends.
    pub(crate) fn fault(&mut self, node: usize, fault: Fault, on: bool) {
        let told_before: Vec<SystemInfo> = (0..self.nodes.len()).map(|node| self.info(node)).collect();
        let known = &mut self.nodes[node];
        match fault {
            Fault::Web => known.web = !on,
            Fault::Notifications => known.notifications = !on,
            Fault::Cti => known.cti = !on,
            Fault::Silent => known.silent = on,
            Fault::Slow => known.slow = on,
            Fault::Maintenance => known.maintenance = on,
        }
        let (notifications, silent) = (known.notifications, known.silent);
        self.note(|| format!("{fault:?} of server {node} {}", if on { "begins" } else { "ends" }));
        match fault {
            Fault::Notifications if on => self.cut(node, ms(0), ms(80)),
            Fault::Silent if on => self.cut(node, secs(20), secs(30)),
            Fault::Web if notifications && !silent => {
                (0..self.agents.len()).for_each(|agent| self.push_at(agent, node, Notice::Presence(!on)));
            }
            _ => {}
        }
        self.tell_of_service(&told_before);
        // Servers that are back tell the last state again.
        if !on && self.tells(node) && matches!(fault, Fault::Cti) {
            self.tell_again(node);
        }
        if self.deployment == Deployment::Uccx {
            self.elect(node);
        }
    }

    /// Servers whose service is otherwise than before tell so.
    fn tell_of_service(&mut self, before: &[SystemInfo]) {
        for (node, before) in before.iter().enumerate() {
            let (info, known) = (self.info(node), &self.nodes[node]);
            if *before != info && known.web && known.notifications && !known.silent {
                (0..self.agents.len()).for_each(|agent| {
                    self.push_at(agent, node, Notice::Update(notification::Event::SystemInfo(Box::new(info.clone()))));
                });
            }
        }
    }

    fn tell_again(&mut self, node: usize) {
        for agent in 0..self.agents.len() {
            let user = self.user(agent, node);
            self.push_at(agent, node, Notice::Update(notification::Event::UserChanged(Box::new(user))));
        }
    }

    /// After a change at a server: the other one takes over from a master that has failed, and sometimes one that is back.
    fn elect(&mut self, changed: usize) {
        let next = if self.nodes[self.master].is_up() { changed } else { 1 - self.master };
        if next != self.master && (!self.nodes[self.master].is_up() || self.dice.once_in(3)) {
            let (least, most) = if self.dice.once_in(2) { (100, 2000) } else { (2000, 20_000) };
            let takes = ms(self.dice.within(least, most));
            self.later(takes, Happening::TakesOver(next));
        }
    }

    fn take_over(&mut self, node: usize) {
        if self.master == node || !self.nodes[node].is_up() {
            return;
        }
        self.note(|| format!("server {node} is master"));
        let told_before: Vec<SystemInfo> = (0..self.nodes.len()).map(|node| self.info(node)).collect();
        self.master = node;
        self.tell_of_service(&told_before);
        for agent in 0..self.agents.len() {
            match self.agents[agent].state {
                UserState::Ready => self.set(agent, UserState::NotReady, Some(AGENT_LOGON)),
                UserState::Talking => self.agents[agent].forced_later = Some(AGENT_LOGON),
                _ => {}
            }
        }
        self.tell_again(node);
    }

    /// All sessions at a server end, and clients see it within this time.
    pub(crate) fn cut(&mut self, node: usize, from: Duration, to: Duration) {
        self.nodes[node].age += 1;
        let links: Vec<(usize, Attempt)> =
            self.links.iter().filter(|(_, link)| link.node == node).map(|(key, _)| *key).collect();
        for (agent, attempt) in links {
            self.cut_one(agent, attempt, from, to);
        }
    }

    pub(crate) fn cut_one(&mut self, agent: usize, attempt: Attempt, from: Duration, to: Duration) {
        let takes = ms(self.dice.within(from.as_millis() as u64, to.as_millis() as u64));
        self.later(takes, Happening::Lost(agent, attempt));
        if let Some(link) = self.links.get(&(agent, attempt)) {
            let node = link.node;
            self.unseen(agent, node, attempt);
        }
    }

    /// The session of an agent is lost by itself.
    pub(crate) fn trip(&mut self, agent: usize) {
        if let Some((attempt, _)) = self.sessions[agent].open() {
            self.cut_one(agent, attempt, ms(0), ms(50));
        }
    }

    /// The next thing to happen, if it comes before a moment. Whether there was one.
    pub(crate) fn step(&mut self, end: Duration) -> bool {
        let next = self.happenings.keys().next().map(|(at, _)| *at);
        let cluster = self.cluster.wakes_at();
        let session =
            (0..self.sessions.len()).filter_map(|agent| Some((self.sessions[agent].wakes_at()?, agent))).min();
        let at = [next, cluster, session.map(|(at, _)| at)].into_iter().flatten().min().unwrap_or(end);
        if at >= end {
            self.now = end;
            self.watch();
            return false;
        }
        self.must(at + secs(1) >= self.now || next == Some(at), || "a timer that has passed long ago".to_owned());
        self.now = self.now.max(at);
        if next == Some(at) {
            let Some((_, happening)) = self.happenings.pop_first() else { return false };
            self.happen(happening);
        } else if cluster == Some(at) {
            self.tell_cluster(cluster::Event::Timer);
            let again = self.cluster.wakes_at();
            self.must(again != Some(at), || format!("the cluster's timer stands still: {:?}", "now"));
        } else if let Some((_, agent)) = session {
            self.tell(agent, session::Event::Timer);
            let again = self.sessions[agent].wakes_at();
            self.must(again.is_none_or(|again| again > at), || format!("the timer of agent {agent} stands still"));
        }
        self.watch();
        self.broken.is_none()
    }

    pub(crate) fn until(&mut self, moment: Duration) {
        while self.step(moment) {}
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.until(self.now + time);
    }

    /// Nobody is kept at a server that is out of service beside one that is well.
    fn watch(&mut self) {
        let stuck = self.cluster.used().is_some_and(|NodeId(used)| {
            !self.serves(used) && (0..self.nodes.len()).any(|other| other != used && self.is_well(other))
        });
        self.stuck_since = self.stuck_since.or(Some(self.now)).filter(|_| stuck);
        let long = self.stuck_since.is_some_and(|since| self.now - since > secs(60));
        self.must(!long, || "stuck at a server that is out of service".to_owned());
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::PollArrives(poll, node) => {
                let known = &self.nodes[node];
                let takes = ms(if known.slow { self.dice.within(500, 1000) } else { self.dice.within(1, 20) });
                if known.silent {
                    return;
                }
                let answer = match (known.web, self.info(node)) {
                    (false, _) => cluster::Answer::Failed,
                    (true, info) => cluster::Answer::Service(Service::from(&info)),
                };
                self.later(takes, Happening::PollAnswered(poll, answer));
            }
            Happening::PollAnswered(poll, answer) => self.tell_cluster(cluster::Event::Answered(poll, answer)),
            Happening::Opens(agent, attempt) => self.opens(agent, attempt),
            Happening::NotOpened(agent, attempt) => {
                if self.links.remove(&(agent, attempt)).is_some() {
                    self.tell(agent, session::Event::NotOpened(attempt, Refusal::Unreachable));
                }
            }
            Happening::Lost(agent, attempt) => {
                if let Some(link) = self.links.remove(&(agent, attempt)) {
                    let refusal = session::Event::NotOpened(attempt, Refusal::Unreachable);
                    self.tell(agent, if link.open { session::Event::Lost(attempt, Loss::Broken) } else { refusal });
                }
            }
            Happening::Closed(agent, attempt) => {
                if self.links.remove(&(agent, attempt)).is_some() {
                    self.tell(agent, session::Event::Closed(attempt));
                }
            }
            Happening::Noticed(agent, attempt, notice) => {
                // What was on its way when the server fell silent is not delivered.
                let there = self.links.get(&(agent, attempt)).is_some_and(|link| !self.nodes[link.node].silent);
                if there {
                    self.note(|| format!("agent {agent} hears {notice:?}"));
                    self.tell(agent, session::Event::Notified(attempt, *notice));
                }
            }
            Happening::AskArrives(agent, request, node, ask) => self.asked(agent, request, node, &ask),
            Happening::Answered(agent, request, answer) => {
                self.note(|| format!("agent {agent} is answered {answer:?}"));
                self.tell(agent, session::Event::Answered(request, *answer));
            }
            Happening::Unavailable(agent, node, attempt) => {
                if self.believed.get(&(node, agent)) == Some(&attempt) {
                    self.believed.remove(&(node, agent));
                    self.later(secs(60), Happening::Forced(agent, node));
                }
            }
            Happening::Forced(agent, node) => self.force(agent, node),
            Happening::TakesOver(node) => self.take_over(node),
        }
    }

    fn opens(&mut self, agent: usize, attempt: Attempt) {
        let Some(link) = self.links.get_mut(&(agent, attempt)) else { return };
        let node = link.node;
        if self.nodes[node].silent {
            return;
        }
        if !self.nodes[node].notifications {
            return self.happen(Happening::NotOpened(agent, attempt));
        }
        link.open = true;
        self.believed.insert((node, agent), attempt);
        let open = self.links.iter().filter(|((of, _), link)| *of == agent && link.open).count();
        self.must(open == 1, || format!("agent {agent} has {open} sessions"));
        self.tell(agent, session::Event::Opened(attempt));
        // Much happens just when an agent comes back: events and answers cross.
        match self.dice.within(0, 8) {
            0 => self.hold(agent),
            1 => {
                self.hold(agent);
                self.hang_up(agent);
            }
            2 if self.agents[agent].state == UserState::Ready => self.call(agent),
            _ => {}
        }
        if !self.nodes[node].web {
            self.push_at(agent, node, Notice::Presence(false));
        }
    }

    fn asked(&mut self, agent: usize, request: Request, node: usize, ask: &Ask) {
        let known = self.nodes[node].clone();
        if known.silent {
            return;
        }
        let answer = match ask {
            _ if !known.web || !self.serves(node) || (self.honest && !known.notifications) => Answer::Unserved,
            Ask::User => Answer::User(Box::new(self.user(agent, node))),
            Ask::Dialogs => {
                let calls: Vec<u64> = self.agents[agent].calls.keys().copied().collect();
                Answer::Dialogs(calls.into_iter().map(|call| self.dialog(agent, call, node)).collect())
            }
            Ask::SignIn(_) => {
                if self.agents[agent].state == UserState::Logout {
                    let talks = !self.agents[agent].calls.is_empty();
                    let (state, reason) = if talks {
                        (UserState::Talking, None)
                    } else {
                        (UserState::NotReady, self.reason_of_sign_in())
                    };
                    self.set(agent, state, reason);
                }
                Answer::Accepted
            }
            Ask::Ready | Ask::NotReady(_) if self.agents[agent].state == UserState::Logout => {
                Answer::Refused("Invalid State".to_owned())
            }
            Ask::Ready | Ask::NotReady(_) if self.agents[agent].state == UserState::Talking => Answer::Accepted,
            Ask::Ready => {
                self.set(agent, UserState::Ready, None);
                Answer::Accepted
            }
            Ask::NotReady(reason) => {
                self.set(agent, UserState::NotReady, *reason);
                Answer::Accepted
            }
        };
        let takes = self.rest_takes(node);
        self.later(takes, Happening::Answered(agent, request, Box::new(answer)));
        // What happens now may be heard before the answer, which does not know it.
        if matches!(ask, Ask::User | Ask::Dialogs) && self.dice.once_in(8) {
            match self.agents[agent].state {
                UserState::Ready => self.call(agent),
                UserState::Talking => self.hang_up(agent),
                _ => {}
            }
        }
    }

    /// Reason 255: for a session that is no more, whatever the agent does elsewhere.
    pub(crate) fn force(&mut self, agent: usize, node: usize) {
        let known = &self.nodes[node];
        if !known.web || !self.serves(node) || self.believed.contains_key(&(node, agent)) {
            return;
        }
        self.note(|| format!("server {node} logs agent {agent} out: 255"));
        match self.agents[agent].state {
            UserState::Logout => {}
            UserState::Talking if !self.logs_out => self.agents[agent].forced_later = Some(255),
            _ if self.logs_out => self.set(agent, UserState::Logout, Some(255)),
            _ => self.set(agent, UserState::NotReady, Some(255)),
        }
    }

    /// Whether everyone knows everything, at the server in use.
    pub(crate) fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        for (agent, (known, told)) in self.agents.iter().zip(&self.told).enumerate() {
            let session = &self.sessions[agent];
            let at = self.cluster.used();
            if session.connection() != at.map(Connection::Live) || session.open().map(|(_, node)| node) != at {
                differences.push(format!(
                    "agent {agent} is not at {at:?}: {:?} {:?}",
                    session.phase(),
                    session.connection()
                ));
            }
            if told.user != Some((known.state.clone(), known.reason)) {
                differences.push(format!("agent {agent} is {} {:?}, told {:?}", known.state, known.reason, told.user));
            }
            let calls: BTreeMap<String, bool> =
                known.calls.iter().map(|(call, (held, _))| (call.to_string(), *held)).collect();
            if told.calls != calls {
                differences.push(format!("agent {agent} has calls {calls:?}, told {:?}", told.calls));
            }
        }
        differences
    }

    /// Whether every agent is what they chose to be.
    pub(crate) fn losses(&self) -> Vec<String> {
        let mut losses = Vec::new();
        for (agent, known) in self.agents.iter().enumerate() {
            let signed_in = known.state != UserState::Logout;
            let as_wanted = match &known.wants {
                None => !signed_in,
                Some(_) if !known.calls.is_empty() => signed_in,
                Some((UserState::NotReady, None)) => known.state == UserState::NotReady,
                Some((state, reason)) => known.state == *state && known.reason == *reason,
            };
            if !as_wanted {
                losses.push(format!("agent {agent} wants {:?} and is {} {:?}", known.wants, known.state, known.reason));
            }
        }
        losses
    }
}

fn id_of(dialog: &Dialog) -> String {
    dialog.id().expect("the model gives it").to_owned()
}

fn is_held(dialog: &Dialog) -> bool {
    dialog.participants[0].state == Some(ParticipantState::Held)
}
