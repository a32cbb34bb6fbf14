//! A request that may have been done: it waits beside the queue for what Finesse's state shows.

use super::agent::Agent;
use super::answers;
use super::events::{Order, Ticket};
use super::judging::{Shown, shown};
use super::machine::{Held, Turn};
use super::settings::GRACE;
use super::table::Cause;
use crate::event::Told;

impl Turn<'_> {
    /// It may have been done.
    pub(super) fn doubt(&mut self, name: &str, ticket: Ticket) {
        let until = self.now.saturating_add(self.connector.settings.limits.within).saturating_add(GRACE);
        self.go(ticket, Cause::Doubt, Some(until));
        if let Some(agent) = self.connector.agents.get_mut(name) {
            agent.queue.retain(|one| *one != ticket);
            agent.doubtful.insert(ticket);
        }
        self.look_beside(ticket);
        self.look(ticket);
    }

    /// Where the session is another connector's, Finesse is asked what the agent is doing.
    pub(super) fn look_beside(&mut self, ticket: Ticket) {
        let Some(held) = self.connector.requests.get(&ticket) else { return };
        let name = held.request.subject().to_owned();
        let beside = self.connector.agents.get(&name).and_then(|agent| agent.beside().cloned());
        if let Some(credentials) = beside {
            self.orders.push(Order::Look(ticket, name, credentials));
        }
    }

    /// Looks what Finesse's state shows of a request in doubt.
    pub(super) fn look(&mut self, ticket: Ticket) {
        let Some(held) = self.connector.requests.get(&ticket) else { return };
        let row = held.request.row();
        match self.shown(held) {
            Some(Shown::Done) => self.answer(ticket, Cause::Answer, answers::accepted(row)),
            Some(Shown::Nothing) => self.answer(ticket, Cause::Answer, answers::unknown(row)),
            Some(Shown::NotDone) | None => {}
        }
    }

    /// `None` while what is known may be out of date: without a session, while what Finesse tells is held back, and before it was
    /// asked.
    fn shown(&self, held: &Held) -> Option<Shown> {
        let agent = self.connector.agents.get(held.request.subject())?;
        let picture = match agent.is_live() {
            true if self.connector.held => None,
            true => Some(&agent.own),
            false => held.seen.as_deref(),
        };
        picture.map(|picture| shown(&held.request, picture))
    }

    /// What is said of a request in doubt when nobody can be asking for it any more.
    pub(super) fn last_word(&self, held: &Held) -> Told {
        let is_live = self.connector.agents.get(held.request.subject()).is_some_and(Agent::is_live);
        match self.shown(held) {
            // What was seen when the doubt began says nothing of what came after.
            Some(Shown::NotDone) if !is_live => answers::unknown(held.request.row()),
            Some(Shown::NotDone) => answers::error("NOT_DONE", "Finesse shows that it was not done: send it again"),
            Some(Shown::Done) => answers::accepted(held.request.row()),
            Some(Shown::Nothing) | None => answers::unknown(held.request.row()),
        }
    }
}
