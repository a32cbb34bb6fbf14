//! The state machine that chooses a server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::judging::{Judgement, Service, Watch};
use super::settings::{HOLDS, Settings};
use super::table::{self, Cause, Phase};
use crate::chance::{Chance, jitter};

/// A server of the cluster: its place in the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// An agent, by any number that the process has for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Who(pub u64);

/// One question to a server, from the order to ask it until it is answered or abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Poll(u64);

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The server told of itself.
    Service(Service),
    /// It refused with 503: it lacks something that it needs.
    Unserved,
    /// There was no answer that means anything: refused, reset, no certificate that is believed, no XML.
    Failed,
}

/// What an agent's session says of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// A notification session is open.
    Opened,
    /// It was lost.
    Lost,
    /// It could not be opened, for a reason that is the server's.
    Refused,
    /// It was closed on purpose, or is not wanted any more.
    Closed,
    /// A request was refused with 503, or not answered.
    Amiss,
    /// User `finesse` is available, or is not.
    Presence(bool),
    /// The server told of itself.
    Service(Service),
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The process starts.
    Start,
    /// What came of a question.
    Answered(Poll, Answer),
    /// An agent's session says something of a server.
    Told(Who, NodeId, Sign),
    /// The moment of [`Cluster::wakes_at`] has come.
    Timer,
    /// The process stops.
    Stop,
}

/// Why agents are to use a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is the first that was found.
    First,
    /// The one before is judged this.
    Instead(Judgement),
    /// It was in use and failed, and is back: what happened meanwhile is to be read.
    Back,
    /// The one that is being drained has failed: there is no more time.
    DrainCut,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Ask a server for its `SystemInfo`.
    Poll(Poll, NodeId),
    /// Give a question up, and close its connection.
    Abandon(Poll),
    /// All agents use this server, each at a moment of their own within `over`.
    Use {
        /// The server.
        node: NodeId,
        /// Why.
        why: Why,
        /// Within which time agents are to spread themselves.
        over: Duration,
    },
    /// All agents go to this server from one that is in maintenance, each at a moment within `over`; those who are in a call
    /// stay until it is over, and at most `within`.
    Drain {
        /// The server to go to.
        node: NodeId,
        /// Within which time agents are to spread themselves.
        over: Duration,
        /// How long those in calls may stay.
        within: Duration,
    },
    /// The server in use has failed, and there is no other yet: what is known of agents may be out of date.
    Interrupted(NodeId, Judgement),
    /// A server is judged otherwise than before: for logs and for whoever asks.
    Judged(NodeId, Judgement),
    /// Something that a person should know.
    Warn(String),
}

/// The choice of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    settings: Settings,
    phase: Phase,
    nodes: Vec<Watch>,
    judged: Vec<Judgement>,
    used: Option<NodeId>,
    /// Where each agent's session is, and whether it is open.
    sessions: BTreeMap<Who, (NodeId, bool)>,
    /// Since when the server in use has failed.
    failed_at: Duration,
    /// Whether agents were told that they know nothing.
    interrupted: bool,
    switched_at: Duration,
    /// How far up in [`HOLDS`].
    level: usize,
    /// When agents were last told to read everything.
    ordered_at: Duration,
    draining: Option<(NodeId, Duration)>,
    wrong_deployment: bool,
    next: u64,
}

impl Cluster {
    /// One that has not started, over so many servers in order of preference; at least one.
    #[must_use]
    pub fn new(nodes: usize, settings: Settings) -> Self {
        let nodes = nodes.max(1);
        Self {
            settings,
            phase: Phase::New,
            nodes: vec![Watch::default(); nodes],
            judged: vec![Judgement::Unknown; nodes],
            used: None,
            sessions: BTreeMap::new(),
            failed_at: Duration::ZERO,
            interrupted: false,
            switched_at: Duration::ZERO,
            level: 0,
            ordered_at: Duration::ZERO,
            draining: None,
            wrong_deployment: false,
            next: 0,
        }
    }

    /// Where the machine is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The server that agents use.
    #[must_use]
    pub fn used(&self) -> Option<NodeId> {
        self.used
    }

    /// What each server was last judged to be, in order of preference.
    #[must_use]
    pub fn judgements(&self) -> &[Judgement] {
        &self.judged
    }

    /// When [`Event::Timer`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        if matches!(self.phase, Phase::New | Phase::Stopped) {
            return None;
        }
        let within = self.settings.answer_within;
        let polls = self.nodes.iter().map(|node| node.poll.map_or(node.next_poll, |(_, asked)| asked + within));
        let doubts = self.nodes.iter().filter_map(|node| node.doubted_until);
        let held = (self.phase == Phase::Held).then(|| self.held_until());
        let back =
            (self.interrupted && self.phase == Phase::Serving).then(|| self.ordered_at + self.settings.reread_gap);
        let drained = self.draining.map(|(_, until)| until);
        polls.chain(doubts).chain(held).chain(back).chain(drained).min()
    }

    /// Takes what has happened at a moment and says what is to be done.
    pub fn handle(&mut self, now: Duration, event: Event, chance: &mut dyn Chance) -> Vec<Order> {
        let mut orders = Vec::new();
        Turn { machine: self, now, chance, orders: &mut orders }.event(event);
        orders
    }

    /// Before when there is no switch to another server.
    fn held_until(&self) -> Duration {
        self.switched_at + HOLDS[self.level.min(HOLDS.len() - 1)]
    }

    fn judge(&self, node: NodeId, now: Duration) -> Judgement {
        self.nodes[node.0].judge(now, self.used == Some(node), &self.settings)
    }

    /// Over which time all agents are spread at a rate.
    fn spread(&self, per_second: u32) -> Duration {
        let agents = u32::try_from(self.sessions.len()).unwrap_or(u32::MAX);
        Duration::from_secs(1).saturating_mul(agents) / per_second.max(1)
    }
}

/// One event being dealt with.
struct Turn<'a> {
    machine: &'a mut Cluster,
    now: Duration,
    chance: &'a mut dyn Chance,
    orders: &'a mut Vec<Order>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        match (event, self.machine.phase) {
            (Event::Start, Phase::New) => drop(self.go(Cause::Start)),
            (_, Phase::New | Phase::Stopped) | (Event::Start, _) => return,
            (Event::Stop, _) => return self.stop(),
            (Event::Answered(poll, answer), _) => self.answered(poll, answer),
            (Event::Told(who, node, sign), _) if node.0 < self.machine.nodes.len() => self.told(who, node, sign),
            (Event::Told(..) | Event::Timer, _) => {}
        }
        self.overdue();
        self.decide();
        self.ask();
        self.report();
    }

    /// Goes where the table says. Whether it says anything.
    fn go(&mut self, cause: Cause) -> bool {
        let next = table::next(self.machine.phase, cause);
        self.machine.phase = next.unwrap_or(self.machine.phase);
        next.is_some()
    }

    fn node(&mut self, node: NodeId) -> &mut Watch {
        &mut self.machine.nodes[node.0]
    }

    fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.machine.nodes.len()).map(NodeId)
    }

    fn answered(&mut self, poll: Poll, answer: Answer) {
        let Some(id) = self.ids().find(|id| self.node(*id).poll.is_some_and(|(known, _)| known == poll)) else {
            return;
        };
        let (now, slow_after) = (self.now, self.machine.settings.slow_after);
        let node = self.node(id);
        let asked = node.poll.take().map_or(now, |(_, asked)| asked);
        // What the server has said by itself meanwhile may be newer than the answer; it is asked again.
        let overtaken = node.told_at.is_some_and(|told| told >= asked);
        let amiss = node.amiss_at.take().is_some_and(|at| at > asked);
        match answer {
            Answer::Failed => node.failures += 1,
            _ if overtaken => node.failures = 0,
            Answer::Unserved => {
                node.failures = 0;
                node.service = Some(Service { in_service: false, draining: false, express: None });
            }
            Answer::Service(service) => {
                node.failures = 0;
                node.slow = if now - asked >= slow_after { node.slow + 1 } else { 0 };
                node.confirmed = if service.in_service { Some(asked) } else { node.confirmed };
                self.heard(id, service);
            }
        }
        self.schedule(id, overtaken || amiss);
    }

    fn heard(&mut self, id: NodeId, service: Service) {
        let expected = !self.machine.settings.deployment.all_serve();
        if service.express.is_some_and(|express| express != expected) && !self.machine.wrong_deployment {
            self.machine.wrong_deployment = true;
            let (is, said) = if expected { ("UCCE", "uccx") } else { ("UCCX", "ucce") };
            let text =
                format!("the Finesse server says that it is of {is}, and `deployment = {said}` is set: correct it");
            self.orders.push(Order::Warn(text));
        }
        self.node(id).service = Some(service);
    }

    fn told(&mut self, who: Who, id: NodeId, sign: Sign) {
        let now = self.now;
        match sign {
            Sign::Opened => {
                self.moved(who, Some((id, true)));
                let node = self.node(id);
                (node.strikes, node.doubted_until) = (0, None);
            }
            Sign::Lost | Sign::Refused => {
                self.moved(who, Some((id, false)));
                let doubt = self.machine.settings.doubt_sessions;
                let node = self.node(id);
                node.strikes += 1;
                if node.sessions_fail() {
                    node.doubted_until = Some(now + doubt);
                }
            }
            Sign::Closed => self.moved(who, None),
            Sign::Amiss => {
                let anxious = self.machine.settings.poll_anxious;
                let node = self.node(id);
                // As soon as one question may follow another: the last answer may be from before.
                let soon = node.asked_at.map_or(now, |asked| now.max(asked + anxious));
                node.next_poll = node.next_poll.min(soon);
                node.amiss_at = Some(now);
            }
            Sign::Presence(true) => self.node(id).away.clear(),
            Sign::Presence(false) if self.machine.sessions.get(&who) == Some(&(id, true)) => {
                self.node(id).away.insert(who);
            }
            // It is over by now.
            Sign::Presence(false) => {}
            Sign::Service(service) => {
                self.node(id).told_at = Some(now);
                self.heard(id, service);
            }
        }
    }

    /// An agent's session is open somewhere, is down somewhere, or is none.
    fn moved(&mut self, who: Who, to: Option<(NodeId, bool)>) {
        let before = match to {
            Some(to) => self.machine.sessions.insert(who, to),
            None => self.machine.sessions.remove(&who),
        };
        if let Some((NodeId(node), up)) = to {
            let node = &mut self.machine.nodes[node];
            *(if up { &mut node.up } else { &mut node.down }) += 1;
            node.away.remove(&who);
        }
        if let Some((NodeId(node), up)) = before {
            let node = &mut self.machine.nodes[node];
            *(if up { &mut node.up } else { &mut node.down }) -= 1;
            node.away.remove(&who);
            if node.up + node.down == 0 {
                node.strikes = 0;
            }
        }
    }

    /// Gives up what is not answered in time, and doubts that have been long enough.
    fn overdue(&mut self) {
        let (now, within) = (self.now, self.machine.settings.answer_within);
        for id in self.ids() {
            let node = self.node(id);
            node.doubted_until.take_if(|until| *until <= now);
            if let Some((poll, _)) = node.poll.take_if(|(_, asked)| *asked + within <= now) {
                node.failures += 1;
                self.orders.push(Order::Abandon(poll));
                self.schedule(id, true);
            }
        }
        if self.machine.draining.take_if(|(_, until)| *until <= now).is_some() {
            self.go(Cause::Drained);
        }
    }

    /// When a server is asked next.
    fn schedule(&mut self, id: NodeId, amiss: bool) {
        let settings = &self.machine.settings;
        let (every, anxious) = (settings.poll_every, settings.poll_anxious);
        let amiss = amiss || self.is_anxious() || self.node(id).failures == 1;
        let delay =
            if amiss { anxious / 2 + jitter(anxious / 2, self.chance) } else { every + jitter(every, self.chance) };
        self.node(id).next_poll = self.now + delay;
    }

    /// Whether there is no server that agents can use.
    fn is_anxious(&self) -> bool {
        matches!(self.machine.phase, Phase::Choosing | Phase::Seeking | Phase::Held)
    }

    fn ask(&mut self) {
        for id in self.ids() {
            let now = self.now;
            if self.node(id).poll.is_some() || self.node(id).next_poll > now {
                continue;
            }
            let poll = Poll(self.machine.next);
            self.machine.next += 1;
            let node = self.node(id);
            (node.poll, node.asked_at) = (Some((poll, now)), Some(now));
            self.orders.push(Order::Poll(poll, id));
        }
    }

    /// Judges everything anew, and acts on it.
    fn decide(&mut self) {
        let Some(used) = self.machine.used else { return self.choose() };
        let judgement = self.machine.judge(used, self.now);
        if judgement.is_usable() {
            self.holds(used, judgement);
        } else {
            self.fails(used, judgement);
        }
    }

    /// At the start: the first server in order of preference, of those that serve. Who has not been heard of yet is waited for.
    fn choose(&mut self) {
        let usable = |id: &NodeId| self.machine.judge(*id, self.now).is_usable();
        let Some(best) = self.ids().find(usable) else { return };
        let heard = |node: &Watch| node.service.is_some() || node.failures > 0;
        if self.machine.nodes[..best.0].iter().all(heard) && self.go(Cause::Found) {
            self.machine.switched_at = self.now;
            self.take(best, Why::First);
        }
    }

    /// The server in use can be used.
    fn holds(&mut self, used: NodeId, judgement: Judgement) {
        if matches!(self.machine.phase, Phase::Seeking | Phase::Held) {
            self.go(Cause::Recovered);
        }
        if self.machine.interrupted && self.now >= self.machine.ordered_at + self.machine.settings.reread_gap {
            self.take(used, Why::Back);
        }
        if let Some((from, _)) = self.machine.draining
            && !self.machine.judge(from, self.now).is_usable()
        {
            self.machine.draining = None;
            self.go(Cause::DrainCut);
            return self.take(used, Why::DrainCut);
        }
        let leaves = match judgement {
            Judgement::Leaving => true,
            Judgement::Slow => self.machine.settings.deployment.all_serve(),
            _ => false,
        };
        // It is no emergency: an answer of the last round is new enough, and the longest hold is kept to.
        let since = self.now.saturating_sub(2 * self.machine.settings.poll_every);
        let calm = self.now >= self.machine.switched_at + HOLDS[HOLDS.len() - 1];
        let phase = self.machine.phase == Phase::Serving && !self.machine.interrupted;
        let Some(other) = self.other(used, since, judgement).filter(|_| leaves && calm && phase) else { return };
        if judgement == Judgement::Leaving {
            self.drain(used, other);
        } else if self.go(Cause::Switched) {
            self.switch(other, judgement);
        }
    }

    /// The server in use cannot be used.
    fn fails(&mut self, used: NodeId, judgement: Judgement) {
        if self.go(Cause::Failed) {
            self.machine.failed_at = self.now;
            self.machine.draining = None;
            let now = self.now;
            self.machine.nodes.iter_mut().for_each(|node| node.next_poll = now);
            // A question that was asked before is no answer to this: it is asked again.
            for id in self.ids() {
                if let Some((poll, _)) = self.node(id).poll.take_if(|(_, asked)| *asked < now) {
                    self.orders.push(Order::Abandon(poll));
                }
            }
        }
        if judgement != Judgement::NoSessions && !self.machine.interrupted {
            self.machine.interrupted = true;
            self.orders.push(Order::Interrupted(used, judgement));
        }
        // Newer than the failure, and no older than two rounds of questions.
        let round = self.machine.settings.answer_within + self.machine.settings.poll_anxious;
        let since = self.machine.failed_at.max(self.now.saturating_sub(round));
        match self.other(used, since, Judgement::NoSessions) {
            Some(other) if self.now >= self.machine.held_until() => {
                if self.go(Cause::Switched) {
                    self.switch(other, judgement);
                }
            }
            Some(_) => drop(self.go(Cause::TooEarly)),
            None => drop(self.go(Cause::OtherGone)),
        }
    }

    /// The best other server that said `IN_SERVICE` when it was asked since then, and is better than this.
    fn other(&self, used: NodeId, since: Duration, than: Judgement) -> Option<NodeId> {
        let confirmed = |id: &NodeId| self.machine.nodes[id.0].confirmed.is_some_and(|asked| asked >= since);
        let judged = |id: NodeId| (self.machine.judge(id, self.now), id);
        let others = self.ids().filter(|id| *id != used).filter(confirmed).map(judged);
        others.filter(|(judgement, _)| judgement.is_usable() && *judgement < than).min().map(|(_, id)| id)
    }

    fn switch(&mut self, to: NodeId, judgement: Judgement) {
        self.stepped();
        self.take(to, Why::Instead(judgement));
    }

    /// Counts a switch for the time that the next one waits.
    fn stepped(&mut self) {
        let calm = usize::try_from((self.now - self.machine.switched_at).as_secs() / 60).unwrap_or(usize::MAX);
        self.machine.level = (self.machine.level.saturating_sub(calm) + 1).min(HOLDS.len() - 1);
        self.machine.switched_at = self.now;
    }

    fn take(&mut self, node: NodeId, why: Why) {
        self.machine.used = Some(node);
        self.machine.interrupted = false;
        self.machine.ordered_at = self.now;
        let over = self.machine.spread(self.machine.settings.sessions_per_second);
        self.orders.push(Order::Use { node, why, over });
    }

    fn drain(&mut self, from: NodeId, to: NodeId) {
        if !self.go(Cause::Maintenance) {
            return;
        }
        self.stepped();
        let over = self.machine.spread(self.machine.settings.drained_per_second);
        let within = over.max(self.machine.settings.drain_within);
        self.machine.used = Some(to);
        self.machine.ordered_at = self.now;
        self.machine.draining = Some((from, self.now + within));
        self.orders.push(Order::Drain { node: to, over, within });
    }

    /// Says which servers are judged otherwise than before.
    fn report(&mut self) {
        for id in self.ids() {
            let judgement = self.machine.judge(id, self.now);
            if std::mem::replace(&mut self.machine.judged[id.0], judgement) != judgement {
                self.orders.push(Order::Judged(id, judgement));
            }
        }
    }

    fn stop(&mut self) {
        self.go(Cause::Stop);
        self.machine.draining = None;
        for id in self.ids() {
            if let Some((poll, _)) = self.node(id).poll.take() {
                self.orders.push(Order::Abandon(poll));
            }
        }
    }
}
