//! Which session is open, and where: it is opened, lost, closed, ended and moved.

use std::time::Duration;

use super::Turn;
use super::wishes::Wanted;
use crate::chance::{backoff, jitter};
use crate::cluster::{NodeId, Sign};
use crate::session::LATE;
use crate::session::events::{Attempt, Connection, End, Loss, Order, Refusal, SignIn};
use crate::session::table::{Cause, Phase};

/// A session that does not open within this is given up: name, socket, TLS, password, presence.
pub const OPEN_WITHIN: Duration = Duration::from_secs(5);
/// A session that has not closed within this is dropped.
pub const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// How long after the end of a session Finesse may log the agent out for it: 120 s to notice and 60 s of waiting (Cisco,
/// "Desktop Presence and Forced Logout").
pub const FORCED_WITHIN: Duration = Duration::from_secs(180);
/// Delays between attempts to open a session: full jitter up to the first, doubled up to the second.
const RECONNECT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long after a refused password that was right before it is tried once more, and as much again at random.
pub(super) const PASSWORD_AGAIN: Duration = Duration::from_secs(20);

/// A move to another server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Move {
    pub(super) at: Duration,
    /// In a call, not before this.
    pub(super) patience: Option<Duration>,
}

impl Turn<'_> {
    pub(super) fn start(&mut self, sign_in: Option<SignIn>) {
        if !self.go(Cause::Start) {
            return;
        }
        if let Some(sign_in) = sign_in {
            // Whoever wants them here knows that they are to be signed in.
            (self.machine.wanted, self.machine.returning) = (Wanted::In(sign_in), true);
        }
        (self.machine.opens, self.machine.passwords, self.machine.proven) = (0, 0, false);
        if self.machine.node.is_some() && self.go(Cause::Assigned) {
            self.machine.until = self.now;
        }
    }

    /// This server is the one to use.
    pub(super) fn assigned(&mut self, node: NodeId, over: Duration, patience: Option<Duration>) {
        let elsewhere = self.machine.node.replace(node) != Some(node);
        self.machine.out = false;
        let at = self.now + jitter(over, self.chance);
        if self.machine.phase == Phase::Idle {
            self.go(Cause::Assigned);
            self.machine.until = at;
            return;
        }
        if self.machine.phase == Phase::Waiting {
            self.machine.opens = 0;
            self.machine.until = if elsewhere { at } else { at.min(self.machine.until) };
            return;
        }
        let there = self.machine.link.is_some_and(|(_, there)| there == node);
        self.machine.moving = (!there).then_some(Move { at, patience });
        if there && self.machine.phase.is_up() {
            self.machine.read_at = Some(at);
        }
    }

    pub(super) fn interrupted(&mut self, node: NodeId) {
        if self.machine.node == Some(node) {
            self.machine.out = true;
            self.cut();
        }
    }

    pub(super) fn dial(&mut self) {
        let Some(node) = self.machine.node.filter(|_| self.go(Cause::Due)) else { return };
        let attempt = Attempt(self.machine.next);
        self.machine.next += 1;
        self.machine.link = Some((attempt, node));
        self.machine.moving = None;
        self.machine.until = self.now + OPEN_WITHIN;
        self.orders.push(Order::Open(attempt, node));
    }

    pub(super) fn opened(&mut self) {
        let Some((_, node)) = self.machine.link.filter(|_| self.machine.phase == Phase::Opening) else { return };
        self.go(Cause::Opened);
        (self.machine.opens, self.machine.reads, self.machine.passwords) = (0, 0, 0);
        self.machine.proven = true;
        self.machine.read_at = None;
        // Nothing that was read over another session may be compared with what comes over this one.
        (self.machine.read_user, self.machine.read_dialogs) = (None, None);
        self.orders.push(Order::Tell(node, Sign::Opened));
    }

    pub(super) fn not_opened(&mut self, refusal: Refusal) {
        if self.machine.phase == Phase::Closing {
            return self.closed();
        }
        let Some((_, node)) = self.machine.link.filter(|_| self.machine.phase == Phase::Opening) else { return };
        let ghost = self.machine.ghosts.get(&node).is_some_and(|until| self.now < *until);
        match refusal {
            Refusal::Unauthorized if self.is_final() => return self.end(End::WrongPassword),
            Refusal::Conflict if !ghost => return self.end(End::Taken),
            Refusal::Unreachable => self.orders.push(Order::Tell(node, Sign::Refused)),
            Refusal::Unauthorized | Refusal::NoToken | Refusal::Conflict => {}
        }
        self.machine.link = None;
        self.go(Cause::Refused);
        self.wait();
        self.keep_place();
        if refusal == Refusal::Unauthorized {
            self.machine.until = self.now + PASSWORD_AGAIN + jitter(PASSWORD_AGAIN, self.chance);
        }
    }

    /// Before the next attempt.
    fn wait(&mut self) {
        let (first, longest) = RECONNECT;
        self.machine.until = self.now + backoff(self.machine.opens, first, longest, self.chance);
        self.machine.opens = self.machine.opens.saturating_add(1);
    }

    /// Who was about to move anyway keeps their place in the queue.
    fn keep_place(&mut self) {
        if let Some(moving) = self.machine.moving.take() {
            self.machine.until = moving.at.max(self.now);
            self.machine.opens = 0;
        }
    }

    /// Counts a refused password. Whether that was the last try.
    pub(super) fn is_final(&mut self) -> bool {
        self.machine.passwords += 1;
        self.machine.passwords > u32::from(self.machine.proven)
    }

    pub(super) fn lost(&mut self, loss: Loss) {
        let Some((_, node)) = self.machine.link else { return };
        if self.machine.phase == Phase::Closing {
            return self.closed();
        }
        self.haunt(node);
        if loss == Loss::Conflict {
            self.machine.link = None;
            return self.end(End::Taken);
        }
        self.hang_up();
        if self.machine.phase == Phase::Opening {
            self.go(Cause::Refused);
        } else {
            self.go(Cause::Lost);
        }
        self.orders.push(Order::Tell(node, Sign::Lost));
        self.cut();
        self.wait();
        self.keep_place();
    }

    pub(super) fn moves_now(&self) -> bool {
        let can = self.machine.phase.is_up() || self.machine.phase == Phase::Opening;
        let stays =
            |moving: Move| self.machine.known.in_call() && moving.patience.is_some_and(|until| self.now < until);
        self.machine.moving.is_some_and(|moving| can && moving.at <= self.now && !stays(moving))
    }

    pub(super) fn leave(&mut self) {
        let Some((attempt, node)) = self.machine.link else { return };
        self.machine.moving = None;
        self.haunt(node);
        self.abandon();
        self.machine.buffer.clear();
        self.machine.read_at = None;
        self.go(Cause::Moved);
        self.machine.until = self.now + CLOSE_WITHIN;
        self.orders.push(Order::Close(attempt));
        self.cut();
    }

    pub(super) fn closed(&mut self) {
        if self.machine.phase != Phase::Closing {
            return self.lost(Loss::Broken);
        }
        let node = self.machine.link.take().map(|(_, node)| node);
        if let Some(node) = node {
            self.orders.push(Order::Tell(node, Sign::Closed));
        }
        self.go(Cause::Closed);
        self.machine.until = self.now;
        self.machine.opens = 0;
    }

    /// There is nothing to try again with. Who has no session just now is told when the next one is refused.
    pub(super) fn barred(&mut self) {
        if self.machine.phase.is_up() || self.machine.phase == Phase::Opening {
            self.end(End::WrongPassword);
        }
    }

    pub(super) fn end(&mut self, end: End) {
        if let Some((attempt, _)) = self.machine.link.filter(|_| self.machine.phase.is_up()) {
            self.orders.push(Order::Close(attempt));
        }
        if let Some(node) = self.machine.link.map(|(_, node)| node).or(self.machine.node) {
            self.orders.push(Order::Tell(node, Sign::Closed));
        }
        self.hang_up();
        self.machine.moving = None;
        self.go(Cause::End);
        self.connected(Connection::Ended(end));
    }

    pub(super) fn stop(&mut self) {
        if let Some((attempt, node)) = self.machine.link {
            let close = if self.machine.phase == Phase::Closing { Order::Drop(attempt) } else { Order::Close(attempt) };
            self.orders.push(close);
            self.orders.push(Order::Tell(node, Sign::Closed));
        } else if let Some(node) = self.machine.node {
            self.orders.push(Order::Tell(node, Sign::Closed));
        }
        self.hang_up();
        self.machine.moving = None;
        self.go(Cause::Stop);
    }

    /// Forgets the session and what was asked over it.
    fn hang_up(&mut self) {
        self.machine.link = None;
        self.abandon();
        self.machine.buffer.clear();
        self.machine.read_at = None;
    }

    /// The server may believe in a session for a while after its end.
    pub(super) fn haunt(&mut self, node: NodeId) {
        let now = self.now;
        self.machine.ghosts.retain(|_, until| now < *until);
        self.machine.ghosts.insert(node, now + FORCED_WITHIN + LATE);
    }
}
