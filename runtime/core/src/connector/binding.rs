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
        self.rebind(name, client);
        let Some(agent) = self.connector.agents.get_mut(name) else { return };
        if agent.elsewhere {
            // The session stays where it is; whoever has it tells the client the rest.
            agent.lent = Some(credentials);
        } else {
            self.start(name, credentials);
        }
        let Some(agent) = self.connector.agents.get(name) else { return };
        let (status, picture) = (agent.status(), agent.picture());
        self.keep(name);
        self.answer(ticket, Cause::Answer, status);
        for told in picture {
            self.tell(name, None, told);
        }
    }

    /// Where events go from now on. The client before is told that nothing comes any more, by whoever has the session.
    fn rebind(&mut self, name: &str, client: Option<Destination>) {
        let Some(agent) = self.connector.agents.get(name) else { return };
        if !agent.elsewhere && agent.client.is_some() && agent.client != client {
            let reason = client.is_some().then(|| "TAKEN_OVER".to_owned());
            self.tell(name, None, Told::ConnectStatus(ConnectStatus { status: Link::Ended, reason }));
        }
        if let Some(agent) = self.connector.agents.get_mut(name) {
            agent.client = client;
        }
    }

    /// Tells the other connectors what is known of an agent.
    pub(super) fn keep(&mut self, name: &str) {
        let agent = self.connector.agents.get(name);
        let credentials = agent.and_then(|agent| agent.proven().cloned());
        let client = agent.and_then(|agent| agent.client.clone());
        self.orders.push(Order::Bound { agent: name.to_owned(), credentials, client });
    }

    pub(super) fn unbind(&mut self, name: &str, ticket: Ticket) {
        let status = ConnectStatus { status: Link::Ended, reason: None };
        self.answer(ticket, Cause::Answer, Told::ConnectStatus(status));
        if let Some(agent) = self.connector.agents.get_mut(name) {
            agent.client = None;
            self.keep(name);
        }
    }

    /// An agent is ours, or is otherwise than before.
    pub(super) fn adopt(&mut self, name: &str, credentials: Option<Credentials>, client: Option<Destination>) {
        let is_new = self.connector.agents.get(name).is_none_or(|agent| !agent.counts());
        if is_new && !self.make_room() {
            return;
        }
        let agent = self.connector.agents.entry(name.to_owned()).or_default();
        let is_other = agent.client != client;
        self.rebind(name, client);
        let Some(agent) = self.connector.agents.get_mut(name) else { return };
        agent.elsewhere = false;
        match credentials {
            Some(credentials) => {
                agent.lent = agent.lent.as_ref().map(|_| credentials.clone());
                self.start(name, credentials);
            }
            None => {
                agent.lent = None;
                self.stop(name);
            }
        }
        if is_other {
            let Some(agent) = self.connector.agents.get(name) else { return };
            let picture = agent.picture();
            let status = agent.is_live().then(|| agent.status());
            status.into_iter().chain(picture).for_each(|told| self.tell(name, None, told));
        }
        self.touched.insert(name.to_owned());
    }

    /// An agent is another connector's, or nobody's.
    pub(super) fn release(&mut self, name: &str, credentials: Option<Credentials>, client: Option<Destination>) {
        let is_nobodys = credentials.is_none() && client.is_none();
        let is_new = self.connector.agents.get(name).is_none_or(|agent| !agent.counts());
        if is_new && (is_nobodys || !self.make_room()) {
            return;
        }
        let agent = self.connector.agents.entry(name.to_owned()).or_default();
        if !agent.elsewhere && agent.is_live() && !is_nobodys {
            // Whoever has the session now goes on.
            let status = ConnectStatus { status: Link::Interrupted, reason: None };
            self.tell(name, None, Told::ConnectStatus(status));
        }
        self.stop(name);
        let Some(agent) = self.connector.agents.get_mut(name) else { return };
        agent.elsewhere = !is_nobodys;
        agent.lent = credentials;
        agent.client = client;
        self.touched.insert(name.to_owned());
    }

    /// There is to be no session of ours.
    fn stop(&mut self, name: &str) {
        if self.connector.agents.get_mut(name).is_some_and(Agent::end) {
            self.orders.push(Order::Leave(name.to_owned()));
        }
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
        self.orders.push(Order::Bound { agent: name, credentials: None, client: None });
        true
    }

    /// Forgets an agent.
    pub(super) fn leave(&mut self, name: &str) {
        if self.connector.agents.remove(name).is_some_and(|agent| agent.started) {
            self.orders.push(Order::Leave(name.to_owned()));
        }
    }
}
