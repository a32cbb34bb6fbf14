//! Which agents there are, with which credentials, and where their events go.

use topoc_finesse_proto::rest::Credentials;

use super::agent::Agent;
use super::answers;
use super::events::{Order, Ticket};
use super::machine::Turn;
use super::requests::named_destination;
use super::table::Cause;
use crate::destination::Destination;
use crate::event::{ConnectStatus, Link, Told};

impl Turn<'_> {
    pub(super) fn bind(&mut self, name: &str, ticket: Ticket, credentials: Credentials) {
        let request = self.connector.requests.get(&ticket).map(|held| &held.request);
        let client = request.and_then(named_destination);
        let is_new = self.connector.agents.get(name).is_none_or(|agent| !agent.counts());
        if is_new && !self.make_room() {
            let says = "the connector has as many agents as it may: another one has to disconnect";
            return self.answer(ticket, Cause::Answer, answers::error("TOO_MANY_AGENTS", says));
        }
        let Some(agent) = self.connector.agents.get(name) else { return };
        if agent.client.is_some() && agent.client != client {
            let reason = Some("TAKEN_OVER".to_owned());
            self.tell(name, None, Told::ConnectStatus(ConnectStatus { status: Link::Ended, reason }));
        }
        let Some(agent) = self.connector.agents.get_mut(name) else { return };
        agent.client = client;
        self.start(name, credentials);
        let Some(agent) = self.connector.agents.get(name) else { return };
        let (status, picture) = (agent.status(), agent.picture());
        self.answer(ticket, Cause::Answer, status);
        for told in picture {
            self.tell(name, None, told);
        }
    }

    pub(super) fn unbind(&mut self, name: &str, ticket: Ticket) {
        let status = ConnectStatus { status: Link::Ended, reason: None };
        self.answer(ticket, Cause::Answer, Told::ConnectStatus(status));
        if let Some(agent) = self.connector.agents.get_mut(name) {
            agent.client = None;
        }
    }

    pub(super) fn adopt(&mut self, name: &str, credentials: Credentials, client: Option<Destination>) {
        let is_new = self.connector.agents.get(name).is_none_or(|agent| !agent.counts());
        if is_new && !self.make_room() {
            return;
        }
        let agent = self.connector.agents.entry(name.to_owned()).or_default();
        agent.client = client;
        self.start(name, credentials);
        self.touched.insert(name.to_owned());
    }

    /// Looks after an agent with these credentials.
    fn start(&mut self, name: &str, credentials: Credentials) {
        let Some(agent) = self.connector.agents.get_mut(name) else { return };
        if agent.credentials.as_ref() != Some(&credentials) {
            agent.credentials = Some(credentials.clone());
            agent.started = true;
            self.orders.push(Order::Start(name.to_owned(), credentials));
        }
    }

    /// Whether there is room for one more agent. One to whom nobody listens makes it, if need be.
    fn make_room(&mut self) -> bool {
        if self.connector.agents() < self.connector.settings.limits.agents {
            return true;
        }
        let goes = |(_, agent): &(&String, &Agent)| agent.counts() && agent.may_go();
        let Some(name) = self.connector.agents.iter().find(goes).map(|(name, _)| name.clone()) else { return false };
        self.leave(&name);
        true
    }

    /// Forgets an agent.
    pub(super) fn leave(&mut self, name: &str) {
        if self.connector.agents.remove(name).is_some_and(|agent| agent.started) {
            self.orders.push(Order::Leave(name.to_owned()));
        }
    }
}
