//! What is asked of the server, and what the answers lead to.

use std::time::Duration;

use super::Turn;
use super::link::PASSWORD_AGAIN;
use super::wishes::EFFECT_WITHIN;
use crate::chance::{backoff, jitter};
use crate::cluster::Sign;
use crate::session::events::{Answer, Ask, End, Order, Request};
use crate::session::forced::Kept;
use crate::session::table::{Cause, Phase};

/// A request without an answer after this is given up.
pub const ASK_WITHIN: Duration = Duration::from_secs(4);
/// Delays between attempts to read: full jitter up to the first, doubled up to the second.
const REREAD: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

impl Turn<'_> {
    pub(super) fn ask(&mut self, ask: Ask) {
        let Some((_, node)) = self.machine.link else { return };
        let request = Request(self.machine.next);
        self.machine.next += 1;
        self.machine.asked = Some((request, self.now + ASK_WITHIN));
        self.machine.asked_state = match ask {
            Ask::Ready => Some(Kept::Ready),
            Ask::NotReady(reason) => Some(Kept::NotReady(reason)),
            _ => None,
        };
        self.orders.push(Order::Ask(request, node, ask));
    }

    pub(super) fn read(&mut self, ask: Ask) {
        if self.machine.read_at.is_some_and(|at| self.now < at) {
            return;
        }
        self.machine.read_at = None;
        // What came before the question is older than the answer.
        self.machine.buffer.clear();
        self.ask(ask);
    }

    pub(super) fn read_again(&mut self) {
        self.machine.read_at = None;
        if self.go(Cause::ReadAgain) {
            self.read(Ask::User);
        }
    }

    /// Everything is read again soon.
    pub(super) fn doubt(&mut self) {
        let (first, _) = REREAD;
        let at = self.now + first / 2 + jitter(first / 2, self.chance);
        self.machine.read_at = Some(self.machine.read_at.map_or(at, |before| before.min(at)));
    }

    pub(super) fn answered(&mut self, request: Request, answer: Answer) {
        if self.machine.asked.take_if(|(asked, _)| *asked == request).is_none() {
            return;
        }
        match (answer, self.machine.phase) {
            (Answer::User(user), Phase::ReadingUser) => self.user_read(*user),
            (Answer::Dialogs(dialogs), Phase::ReadingDialogs) => self.dialogs_read(dialogs),
            (Answer::Accepted, Phase::SigningIn | Phase::Restoring) => self.machine.until = self.now + EFFECT_WITHIN,
            (Answer::Unauthorized, _) if self.is_final() => self.end(End::WrongPassword),
            (Answer::Unauthorized, _) => self.failed(PASSWORD_AGAIN, false),
            (Answer::Refused(reason), Phase::SigningIn | Phase::Restoring) => self.refused(&reason),
            (Answer::Refused(_) | Answer::Unserved, _) => self.failed(Duration::ZERO, true),
            _ => {}
        }
    }

    /// A request came to nothing; it is sent again after a while.
    pub(super) fn failed(&mut self, least: Duration, amiss: bool) {
        if let Some((_, node)) = self.machine.link.filter(|_| amiss) {
            self.orders.push(Order::Tell(node, Sign::Amiss));
        }
        self.go(Cause::Refused);
        let (first, longest) = REREAD;
        let delay = backoff(self.machine.reads, first, longest, self.chance).max(least);
        self.machine.reads = self.machine.reads.saturating_add(1);
        self.machine.read_at = Some(self.now + delay);
        self.machine.mend_after = self.machine.mend_after.max(self.now + least);
    }

    pub(super) fn abandon(&mut self) {
        if let Some((request, _)) = self.machine.asked.take() {
            self.give_up(request);
        }
    }

    pub(super) fn give_up(&mut self, request: Request) {
        self.orders.push(Order::Abandon(request));
        if let Some(state) = self.machine.asked_state.take() {
            self.machine.late_state = Some((state, self.now + EFFECT_WITHIN));
        }
    }
}
