//! A request that may have been done: it waits beside the queue for what Finesse's state shows.

use super::answers;
use super::events::Ticket;
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
        self.look(ticket);
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

    /// `None` while what is known may be out of date: without a session, and while what Finesse tells is held back.
    fn shown(&self, held: &Held) -> Option<Shown> {
        if self.connector.held {
            return None;
        }
        let agent = self.connector.agents.get(held.request.subject())?;
        agent.is_live().then(|| shown(&held.request, agent))
    }

    /// What is said of a request in doubt when nobody can be asking for it any more.
    pub(super) fn last_word(&self, held: &Held) -> Told {
        match self.shown(held) {
            Some(Shown::NotDone) => answers::error("NOT_DONE", "Finesse shows that it was not done: send it again"),
            Some(Shown::Done) => answers::accepted(held.request.row()),
            Some(Shown::Nothing) | None => answers::unknown(held.request.row()),
        }
    }
}
