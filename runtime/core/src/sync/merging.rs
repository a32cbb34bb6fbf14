//! What others tell of agents, and what our own clients bring.

use std::sync::Arc;
use std::time::Duration;

use topoc_finesse_proto::rest::Credentials;

use super::machine::{Order, Turn};
use super::table::{Card, Entry, Seat};
use crate::destination::Destination;

impl Turn<'_> {
    /// Another one tells.
    pub(super) fn merge(&mut self, agent: String, told: Entry) {
        let merged = self.sync.table.merge(self.now, &agent, told);
        if merged.changed {
            self.place(&agent);
        }
        if merged.stale {
            self.contested(&agent);
            self.sync.dirty.insert(agent);
        }
    }

    /// Another one did not know that the agent is ours. Whoever has taken the session from us may be that one: it gives way when it
    /// hears of us.
    fn contested(&mut self, agent: &str) {
        if self.sync.taken.remove(agent).is_some() {
            self.place(agent);
        }
    }

    /// Says whose an agent is.
    pub(super) fn place(&mut self, agent: &str) {
        let Some(Entry { seat, card }) = self.sync.table.get(agent) else { return };
        let (credentials, client) = (card.credentials.clone(), card.client.clone());
        self.sync.taken.remove(agent);
        let agent = agent.to_owned();
        self.orders.push(match seat.owner == self.sync.me && !card.is_empty() {
            true => Order::Adopt { agent, credentials, client },
            false => Order::Release { agent, credentials, client },
        });
    }

    /// A client of ours came, went, or has another password.
    pub(super) fn bound(&mut self, agent: &str, credentials: Option<Credentials>, client: Option<Destination>) {
        let known = self.sync.table.get(agent);
        let is_empty = credentials.is_none() && client.is_none();
        if known.is_none() && is_empty {
            return;
        }
        let owner = known.filter(|known| !known.card.is_empty()).map(|known| known.seat.owner.clone());
        let stays = is_empty || owner.as_ref().is_some_and(|owner| self.is_alive(owner));
        let seat = match known.filter(|_| stays) {
            Some(known) => known.seat.clone(),
            None => self.next_seat(agent, &self.sync.me.clone()),
        };
        let card = self.next_card(agent, credentials, client);
        self.sync.table.merge(self.now, agent, Entry { seat, card });
        self.sync.taken.remove(agent);
        self.sync.dirty.insert(agent.to_owned());
        // The connector knows what it told, but not that an owner is dead.
        if !stays && owner.is_some() {
            self.place(agent);
        }
    }

    /// Gives an agent to a connector, ours or another one.
    pub(super) fn give(&mut self, agent: &str, to: &Arc<str>) {
        let Some(card) = self.sync.table.get(agent).map(|known| known.card.clone()) else { return };
        let seat = self.next_seat(agent, to);
        self.sync.table.merge(self.now, agent, Entry { seat, card });
        self.sync.dirty.insert(agent.to_owned());
        self.place(agent);
    }

    /// The agent's session is over for good: nobody tries again.
    pub(super) fn close(&mut self, agent: &str) {
        let Some(known) = self.sync.table.get(agent) else { return };
        let (seat, client) = (known.seat.clone(), known.card.client.clone());
        let card = self.next_card(agent, None, client);
        self.sync.table.merge(self.now, agent, Entry { seat, card });
        self.sync.taken.remove(agent);
        self.sync.dirty.insert(agent.to_owned());
    }

    fn next_seat(&self, agent: &str, owner: &Arc<str>) -> Seat {
        let term = self.sync.table.get(agent).map_or(1, |known| known.seat.term.saturating_add(1));
        Seat { term, priority: self.sync.settings.priority, owner: owner.clone() }
    }

    fn next_card(&self, agent: &str, credentials: Option<Credentials>, client: Option<Destination>) -> Card {
        let least = self.sync.table.get(agent).map_or(0, |known| known.card.version.saturating_add(1));
        let now = u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX);
        let writer = self.sync.me.clone();
        Card { version: now.max(least), epoch: self.sync.settings.epoch, writer, credentials, client }
    }

    /// Whether an owner may live.
    pub(super) fn is_alive(&self, owner: &Arc<str>) -> bool {
        let since = self.sync.online.unwrap_or(Duration::MAX);
        let times = &self.sync.settings.times;
        *owner == self.sync.me || self.sync.peers.get(owner).is_some_and(|peer| peer.is_alive(self.now, since, times))
    }
}
