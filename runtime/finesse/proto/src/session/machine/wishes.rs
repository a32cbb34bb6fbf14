//! What the agent wants to be, learnt or told, and how they are brought back to it.

use std::time::Duration;

use super::link::FORCED_WITHIN;
use super::{Session, Turn};
use crate::chance::jitter;
use crate::session::LATE;
use crate::session::events::{Ask, Order, SignIn, Wish};
use crate::session::forced::{Kept, is_forced, is_unexplained, kept};
use crate::session::table::{Cause, Phase};
use crate::user::{User, UserState};

/// After an accepted request, how long its event may take before everything is read again.
pub(super) const EFFECT_WITHIN: Duration = Duration::from_secs(5);
/// Delays between attempts to bring an agent back, doubled up to the second.
const MEND: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// So many refusals to restore a state are taken as an answer.
const RESTORES: u32 = 5;

/// Whether the agent is to be signed in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    Unknown,
    In(SignIn),
    Out,
}

impl Session {
    /// What the agent needs in order to be as they were, if anything.
    pub(super) fn need(&self) -> Option<Ask> {
        let Wanted::In(sign_in) = &self.wanted else { return None };
        let user = self.known.user()?;
        let phoneless =
            sign_in.mobile.is_some() && user.mobile_agent.is_none() && self.home != self.link.map(|(_, node)| node);
        match user.state.as_ref()? {
            UserState::Logout if self.logged_out => Some(Ask::SignIn(sign_in.clone())),
            UserState::Logout | UserState::Unknown | UserState::Other(_) => None,
            _ if phoneless => Some(Ask::SignIn(sign_in.clone())),
            UserState::NotReady if self.returning || is_forced(user, self.deployment) => match self.kept {
                Some(Kept::Ready) => Some(Ask::Ready),
                Some(Kept::NotReady(Some(reason))) if user.reason() != Some(reason) => {
                    Some(Ask::NotReady(Some(reason)))
                }
                _ => None,
            },
            UserState::Ready if self.returning => match self.kept {
                Some(Kept::NotReady(reason)) => Some(Ask::NotReady(reason)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether nobody chose the agent's state: it says so, or gives no reason so soon after the end of a session.
    fn is_unwanted(&self, user: &User, now: Duration) -> bool {
        is_forced(user, self.deployment) || (is_unexplained(user) && (self.is_haunted(now) || self.returning))
    }

    /// Whether the agent's state is what a request of ours brought about after it was given up, and after the agent has chosen
    /// another.
    fn is_overtaken(&self, user: &User, now: Duration) -> bool {
        let Some((late, _)) = self.late_state.filter(|(_, until)| now < *until) else { return false };
        let is_late = match late {
            Kept::Ready => user.state == Some(UserState::Ready),
            Kept::NotReady(reason) => user.state == Some(UserState::NotReady) && user.reason() == reason,
        };
        is_late && self.kept.is_some_and(|kept| kept != late)
    }

    /// Whether a server may still believe in a session that is no more.
    fn is_haunted(&self, now: Duration) -> bool {
        self.ghosts.values().any(|until| now < *until)
    }
}

impl Turn<'_> {
    pub(super) fn wished(&mut self, wish: Wish) {
        // What is being asked for the agent's sake is not what they wish any more, and may still be done.
        if self.machine.asked_state.is_some() {
            self.abandon();
        }
        self.machine.returning = false;
        self.machine.wished_at = Some(self.now);
        match wish {
            Wish::SignedIn(sign_in) => self.machine.wanted = Wanted::In(sign_in),
            Wish::SignedOut => (self.machine.wanted, self.machine.kept) = (Wanted::Out, None),
            Wish::Ready => self.machine.kept = Some(Kept::Ready),
            Wish::NotReady(reason) => self.machine.kept = Some(Kept::NotReady(reason)),
        }
    }

    /// What the agent's state says of what they want.
    pub(super) fn learn(&mut self) {
        let Some(user) = self.machine.known.user() else { return };
        let unwanted = self.machine.is_unwanted(user, self.now);
        // What does not agree with a wish that has just been uttered is older than it.
        let stale = self.machine.wished_at.is_some_and(|wished| self.now < wished + LATE);
        self.machine.logged_out = user.state == Some(UserState::Logout) && unwanted;
        match user.state.as_ref().and_then(UserState::is_signed_in) {
            Some(false) if !(unwanted || stale && matches!(self.machine.wanted, Wanted::In(_))) => {
                // Somebody wanted it.
                (self.machine.wanted, self.machine.kept, self.machine.returning) = (Wanted::Unknown, None, false);
            }
            Some(true) => {
                if let (Wanted::Unknown, Some(extension)) = (&self.machine.wanted, &user.extension) {
                    let sign_in = SignIn { extension: extension.clone(), mobile: user.mobile_agent.clone() };
                    self.machine.wanted = Wanted::In(sign_in);
                }
                let now = kept(user, self.machine.deployment, self.machine.is_haunted(self.now));
                if self.machine.is_overtaken(user, self.now) {
                    // It happens once: the next time it is what the agent wants.
                    (self.machine.returning, self.machine.late_state) = (true, None);
                } else if now == Some(Kept::Ready) || now.is_some() && now == self.machine.kept {
                    self.machine.returning = false;
                }
                if now.is_some() && now == self.machine.kept {
                    self.machine.wished_at = None;
                } else if !self.machine.returning && !stale {
                    self.machine.kept = now.or(self.machine.kept);
                }
            }
            _ => {}
        }
    }

    pub(super) fn mend(&mut self) {
        let Some(need) = self.machine.need() else {
            if self.now >= self.machine.mend_after + FORCED_WITHIN {
                self.machine.mends = 0;
            }
            // In a call it is not decided yet what comes after it.
            if matches!(self.state(), Some(UserState::Ready | UserState::NotReady)) {
                self.machine.returning = false;
                self.machine.home = self.machine.link.map(|(_, node)| node);
            }
            return;
        };
        if self.now < self.machine.mend_after {
            return;
        }
        let (first, longest) = MEND;
        // At least half of it: an event should have the time to come before the next attempt.
        let most = first.saturating_mul(1 << self.machine.mends.min(16)).min(longest);
        self.machine.mend_after = self.now + most / 2 + jitter(most / 2, self.chance);
        self.machine.mends = self.machine.mends.saturating_add(1);
        self.machine.until = self.now + EFFECT_WITHIN;
        match &need {
            Ask::SignIn(_) => {
                self.machine.returning = true;
                self.go(Cause::LoggedOut);
            }
            _ => drop(self.go(Cause::Forced)),
        }
        self.ask(need);
    }

    /// Whether the agent is as they were; if that takes too long, everything is read again.
    pub(super) fn watch(&mut self) {
        let signed_in = self.state().and_then(UserState::is_signed_in);
        let done = match self.machine.phase {
            Phase::SigningIn => {
                signed_in == Some(true) && self.machine.need().is_none_or(|need| !matches!(need, Ask::SignIn(_)))
            }
            _ => self.machine.need().is_none(),
        };
        if done {
            self.go(if self.machine.phase == Phase::SigningIn { Cause::SignedIn } else { Cause::Restored });
        } else if self.machine.until <= self.now {
            self.settle();
            self.read_again();
        }
    }

    /// Finesse does not do what would bring the agent back.
    pub(super) fn refused(&mut self, reason: &str) {
        let signing_in = self.machine.phase == Phase::SigningIn;
        let what = if signing_in { "signed in again" } else { "brought back to the state from before" };
        self.orders.push(Order::Warn(format!("the agent is not {what}: {reason}")));
        self.settle();
        if !signing_in && self.machine.mends >= RESTORES {
            (self.machine.kept, self.machine.returning) = (None, false);
        }
        self.go(Cause::Refused);
        self.machine.read_at = Some(self.machine.mend_after);
    }

    /// The server where the agent was signed in does not tell of their phone: it is not asked to know it again and again.
    fn settle(&mut self) {
        if self.machine.phase == Phase::SigningIn {
            self.machine.home = self.machine.link.map(|(_, node)| node);
        }
    }

    fn state(&self) -> Option<&UserState> {
        self.machine.known.user().and_then(|user| user.state.as_ref())
    }
}
