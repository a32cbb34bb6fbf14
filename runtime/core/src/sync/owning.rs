//! Who owns agents whose owner is gone or ends, and what becomes of a session that somebody has taken.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use topoc_finesse_proto::session::End;

use super::machine::{Order, Turn};
use super::message::Stage;
use super::peer::Peer;
use super::settings::Mode;
use super::table::{Entry, mixed};

/// How long whoever took a session has to say so.
const VERDICT: Duration = Duration::from_secs(3);

/// A session of ours that somebody took.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// When it is looked at again; none while we have it again.
    pub(super) at: Option<Duration>,
    taker: Taker,
    /// How often we took it back.
    tries: u32,
}

/// Who may have taken a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taker {
    /// A desktop, unless one of us says soon that it was them.
    Desktop,
    /// Perhaps a connector, as not all were heard shortly before: it gives the session back when it hears of us, and says nothing.
    Connector,
    /// Somebody whom we do not hear, or who has taken it from us before.
    Somebody,
}

impl Turn<'_> {
    /// Takes agents over whose owner is dead, and hands over what is not ours to keep.
    pub(super) fn own(&mut self, busy: &BTreeSet<String>) {
        if self.sync.stage == Stage::Joining {
            return;
        }
        let room = self.room();
        let mut moves = Vec::new();
        let mut given = 0;
        for (agent, entry) in self.sync.table.iter().filter(|(_, entry)| !entry.card.is_empty()) {
            let owner = &entry.seat.owner;
            if *owner == self.sync.me {
                let may_go = given < room && !busy.contains(agent);
                let heir = may_go.then(|| self.rightful(agent)).flatten().filter(|heir| *heir != self.sync.me);
                if let Some(heir) = heir {
                    given += 1;
                    moves.push((agent.to_owned(), heir));
                }
            } else if self.is_gone(owner) && self.heir(agent).as_ref() == Some(&self.sync.me) {
                moves.push((agent.to_owned(), self.sync.me.clone()));
            }
        }
        self.sync.given.1 += given;
        moves.iter().for_each(|(agent, to)| self.give(agent, to));
    }

    /// Whether an owner is dead, or has been started again and takes longer to join than one is waited for.
    fn is_gone(&self, owner: &Arc<str>) -> bool {
        let is_late = |peer: &Peer| peer.is_late(self.now, &self.sync.settings.times);
        !self.is_alive(owner) || self.sync.peers.get(owner).is_some_and(is_late)
    }

    /// How many agents may be handed over now.
    fn room(&mut self) -> usize {
        let (since, given) = self.sync.given;
        if since.saturating_add(Duration::from_secs(1)) <= self.now {
            self.sync.given = (self.now, 0);
            return self.sync.settings.batch;
        }
        self.sync.settings.batch.saturating_sub(given)
    }

    /// Who is to have an agent of ours, if anybody.
    fn rightful(&self, agent: &str) -> Option<Arc<str>> {
        if self.sync.stage == Stage::Leaving {
            return self.heir(agent);
        }
        if self.sync.settings.mode == Mode::ActiveActive {
            return None;
        }
        let times = &self.sync.settings.times;
        let is_fit = |name: &&String| {
            ***name == *self.sync.me
                || self.sync.peers.get(name.as_str()).is_some_and(|peer| peer.is_settled(self.now, times))
        };
        self.sync.settings.connectors.iter().find(is_fit).map(|name| name.as_str().into())
    }

    /// Who of those that work takes an agent over. All that hear the same decide the same.
    fn heir(&self, agent: &str) -> Option<Arc<str>> {
        let times = &self.sync.settings.times;
        let serves = |name: &&String| match self.sync.peers.get(name.as_str()) {
            Some(peer) => peer.serves(self.now, times),
            None => ***name == *self.sync.me && self.sync.stage == Stage::Serving,
        };
        let mut those = self.sync.settings.connectors.iter().filter(serves);
        let heir = match self.sync.settings.mode {
            Mode::ActivePassive => those.next(),
            // Each gets about as many, and nobody's agents depend on who else is there (rendezvous hashing).
            Mode::ActiveActive => {
                those.max_by_key(|name| mixed(&[agent.as_bytes(), &[0], name.as_bytes()].concat(), &[]))
            }
        };
        heir.map(|name| name.as_str().into())
    }

    /// The session of an agent has ended. If it was taken, that may have been a connector that takes us for dead: it is not fought, and
    /// requests that come to us are done beside its session.
    pub(super) fn ended(&mut self, agent: &str, end: End) {
        let is_ours = self.sync.table.get(agent).is_some_and(|entry| entry.seat.owner == self.sync.me);
        if !is_ours {
            return;
        }
        if end == End::WrongPassword {
            return self.close(agent);
        }
        let tries = self.sync.taken.get(agent).map_or(0, |taken| taken.tries);
        let (taker, wait) = match tries {
            0 if self.was_blind_lately() => (Taker::Connector, VERDICT),
            0 => (Taker::Desktop, VERDICT),
            _ => (Taker::Somebody, self.retry(tries)),
        };
        let at = Some(self.now.saturating_add(wait));
        self.sync.taken.insert(agent.to_owned(), Taken { at, taker, tries });
        if let Some(Entry { card, .. }) = self.sync.table.get(agent) {
            let (agent, credentials, client) = (agent.to_owned(), card.credentials.clone(), card.client.clone());
            self.orders.push(Order::Release { agent, credentials, client });
        }
    }

    /// Whether one that we do not hear may have taken us for dead, or has done so and does not know better yet.
    fn was_blind_lately(&self) -> bool {
        let times = &self.sync.settings.times;
        let until = self.sync.was_blind.map(|at| at.saturating_add(times.dead).saturating_add(VERDICT));
        until.is_some_and(|until| until > self.now) || self.blind().is_some()
    }

    /// How long a session is left to whoever took it. Not ever longer: nobody knows when they die, and then the agent has none.
    fn retry(&self, tries: u32) -> Duration {
        self.sync.settings.times.retry.saturating_mul(if tries == 0 { 1 } else { 2 })
    }

    /// Sessions that were taken: nobody among us has them, so that it was a desktop; or somebody whom we do not hear may have them.
    pub(super) fn try_again(&mut self) {
        let is_whole = self.sync.is_whole(self.now);
        let is_due = |taken: &Taken| match taken.at {
            None => is_whole,
            Some(at) => at <= self.now || (is_whole && taken.taker == Taker::Somebody),
        };
        let due: Vec<String> =
            self.sync.taken.iter().filter(|(_, taken)| is_due(taken)).map(|(agent, _)| agent.clone()).collect();
        for agent in due {
            let Some(taken) = self.sync.taken.remove(&agent) else { continue };
            match taken {
                // We have it, and all agree.
                Taken { at: None, .. } => {}
                Taken { taker: Taker::Desktop, .. } if is_whole => self.close(&agent),
                Taken { taker: Taker::Desktop | Taker::Connector, tries, .. } if !is_whole => {
                    let at = Some(self.now.saturating_add(self.retry(tries)));
                    self.sync.taken.insert(agent, Taken { at, taker: Taker::Somebody, tries });
                }
                Taken { tries, .. } => {
                    self.place(&agent);
                    self.sync.taken.insert(agent, Taken { at: None, taker: Taker::Somebody, tries: tries + 1 });
                }
            }
        }
    }
}
