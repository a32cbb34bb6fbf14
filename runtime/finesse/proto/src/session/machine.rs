//! The state machine of one agent: what it knows, and who deals with which event.

mod asks;
mod link;
mod publishing;
mod wishes;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::events::{Ask, Attempt, Connection, Event, Order, Refusal, Request};
use super::forced::Kept;
use super::known::Known;
use super::table::{self, Cause, Phase};
use crate::chance::Chance;
use crate::cluster::{Deployment, NodeId};
use crate::notification;
pub use asks::ASK_WITHIN;
use link::Move;
pub use link::{CLOSE_WITHIN, FORCED_WITHIN, OPEN_WITHIN};
pub use publishing::LATE;
use wishes::Wanted;

/// One agent at Finesse.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    deployment: Deployment,
    phase: Phase,
    /// The server to use.
    node: Option<NodeId>,
    /// The server in use is known to have failed.
    out: bool,
    link: Option<(Attempt, NodeId)>,
    asked: Option<(Request, Duration)>,
    /// What the request under way makes of the agent.
    asked_state: Option<Kept>,
    /// The same of a request that was given up: until then it may still be done, whatever the agent has chosen meanwhile.
    late_state: Option<(Kept, Duration)>,
    /// When to open, or until when opening, closing or an event is waited for.
    until: Duration,
    /// When to read again.
    read_at: Option<Duration>,
    moving: Option<Move>,
    known: Known,
    buffer: VecDeque<notification::Event>,
    read_user: Option<Duration>,
    read_dialogs: Option<Duration>,
    connection: Option<Connection>,
    wanted: Wanted,
    kept: Option<Kept>,
    /// When the agent last wished for something, if events that are older than that may still come.
    wished_at: Option<Duration>,
    /// A forced logout was undone, and the state from before is not back yet.
    returning: bool,
    /// The agent is signed out, and nobody wanted it.
    logged_out: bool,
    /// The server where the agent last signed in or was found.
    home: Option<NodeId>,
    /// Attempts in a row that failed: to open, to read, to bring back.
    opens: u32,
    reads: u32,
    mends: u32,
    mend_after: Duration,
    passwords: u32,
    proven: bool,
    /// Until when each server may believe in a session that is no more.
    ghosts: BTreeMap<NodeId, Duration>,
    next: u64,
}

impl Session {
    /// One that has not started.
    #[must_use]
    pub fn new(deployment: Deployment) -> Self {
        Self {
            deployment,
            phase: Phase::New,
            node: None,
            out: false,
            link: None,
            asked: None,
            asked_state: None,
            late_state: None,
            until: Duration::ZERO,
            read_at: None,
            moving: None,
            known: Known::default(),
            buffer: VecDeque::new(),
            read_user: None,
            read_dialogs: None,
            connection: None,
            wanted: Wanted::Unknown,
            kept: None,
            wished_at: None,
            returning: false,
            logged_out: false,
            home: None,
            opens: 0,
            reads: 0,
            mends: 0,
            mend_after: Duration::ZERO,
            passwords: 0,
            proven: false,
            ghosts: BTreeMap::new(),
            next: 0,
        }
    }

    /// Where the machine is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The session that is open, and where.
    #[must_use]
    pub fn open(&self) -> Option<(Attempt, NodeId)> {
        self.link.filter(|_| self.phase.is_up())
    }

    /// What was last published of the connection.
    #[must_use]
    pub fn connection(&self) -> Option<Connection> {
        self.connection
    }

    /// When [`Event::Timer`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        let waits = matches!(self.phase, Phase::Waiting | Phase::Opening | Phase::Closing);
        let effect = matches!(self.phase, Phase::SigningIn | Phase::Restoring) && self.asked.is_none() && !self.out;
        let asked = self.asked.map(|(_, until)| until);
        let free = self.phase.is_up() && self.asked.is_none() && !self.out;
        let read = self.read_at.filter(|_| free && !effect);
        let mend = (self.phase == Phase::Live && free && self.need().is_some()).then_some(self.mend_after);
        let moving = self
            .moving
            .filter(|_| self.phase.is_up() || self.phase == Phase::Opening)
            .map(|moving| moving.patience.filter(|_| self.known.in_call()).unwrap_or(moving.at));
        [(waits || effect).then_some(self.until), asked, read, mend, moving].into_iter().flatten().min()
    }

    /// Takes what has happened at a moment and says what is to be done. Events of sessions and requests that are no more are
    /// nothing.
    pub fn handle(&mut self, now: Duration, event: Event, chance: &mut dyn Chance) -> Vec<Order> {
        let mut orders = Vec::new();
        let mut turn = Turn { machine: self, now, chance, orders: &mut orders };
        turn.event(event);
        turn.go_on();
        orders
    }
}

/// One event being dealt with.
struct Turn<'a> {
    machine: &'a mut Session,
    now: Duration,
    chance: &'a mut dyn Chance,
    orders: &'a mut Vec<Order>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        let link = self.machine.link.map(|(attempt, _)| attempt);
        match event {
            Event::Start(sign_in) => self.start(sign_in),
            Event::Use(node, over) => self.assigned(node, over, None),
            Event::Drain(node, over, within) => self.assigned(node, over, Some(self.now + within)),
            Event::Interrupted(node) => self.interrupted(node),
            Event::Opened(attempt) if link == Some(attempt) => self.opened(),
            Event::NotOpened(attempt, refusal) if link == Some(attempt) => self.not_opened(refusal),
            Event::Lost(attempt, loss) if link == Some(attempt) => self.lost(loss),
            Event::Closed(attempt) if link == Some(attempt) => self.closed(),
            Event::Notified(attempt, notice) if link == Some(attempt) => self.notified(notice),
            Event::Answered(request, answer) => self.answered(request, answer),
            Event::Barred => self.barred(),
            Event::Wished(wish) => self.wished(wish),
            Event::Timer => self.overdue(),
            Event::Stop => self.stop(),
            _ => {}
        }
    }

    /// Goes where the table says. Whether it says anything.
    fn go(&mut self, cause: Cause) -> bool {
        let next = table::next(self.machine.phase, cause);
        self.machine.phase = next.unwrap_or(self.machine.phase);
        next.is_some()
    }

    /// What has taken too long.
    fn overdue(&mut self) {
        if let Some((request, _)) = self.machine.asked.take_if(|(_, until)| *until <= self.now) {
            self.give_up(request);
            self.failed(Duration::ZERO, true);
        }
        let Some((attempt, node)) = self.machine.link.filter(|_| self.machine.until <= self.now) else { return };
        match self.machine.phase {
            Phase::Opening => {
                self.orders.push(Order::Drop(attempt));
                self.haunt(node);
                self.not_opened(Refusal::Unreachable);
            }
            Phase::Closing => {
                self.orders.push(Order::Drop(attempt));
                self.closed();
            }
            _ => {}
        }
    }

    /// Whatever is due now.
    fn go_on(&mut self) {
        if self.machine.phase == Phase::Waiting && self.machine.until <= self.now {
            return self.dial();
        }
        if self.moves_now() {
            return self.leave();
        }
        if !self.machine.phase.is_up() || self.machine.out || self.machine.asked.is_some() {
            return;
        }
        match self.machine.phase {
            Phase::ReadingUser => self.read(Ask::User),
            Phase::ReadingDialogs => self.read(Ask::Dialogs),
            Phase::SigningIn | Phase::Restoring => self.watch(),
            _ => {}
        }
        if self.machine.phase == Phase::Live && self.machine.asked.is_none() {
            if self.machine.read_at.is_some_and(|at| at <= self.now) {
                self.read_again();
            } else {
                self.mend();
            }
        }
    }
}
