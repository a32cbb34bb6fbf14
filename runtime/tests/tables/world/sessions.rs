//! What connectors have at Finesse: the server that they use, and a session for each agent.

use std::time::Duration;

use topoc_core::deployment::Event;
use topoc_core::event::Service;
use topoc_finesse_proto::cluster::{self, NodeId, Who};
use topoc_finesse_proto::session::{self, Loss};

use super::{FORCED, REST, SESSION, WIRE, What, World};
use crate::centre::Holder;
use crate::gc::Gc;

impl World<'_> {
    pub(super) fn tell_cluster(&mut self, party: usize, event: cluster::Event) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        for order in gc.cluster.handle(self.now, event, &mut self.chance) {
            match order {
                cluster::Order::Poll(poll, _) => self.soon(REST, party, What::Polled(poll)),
                cluster::Order::Use { node, over, .. } => self.use_server(party, node, over),
                cluster::Order::Abandon(_) | cluster::Order::Judged(..) => {}
                other => panic!("Finesse is well, and there is {other:?}"),
            }
        }
    }

    fn use_server(&mut self, party: usize, node: NodeId, over: Duration) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        gc.used = Some((node, over));
        let agents: Vec<String> = gc.sessions.keys().cloned().collect();
        agents.iter().for_each(|agent| self.tell_session(party, agent, session::Event::Use(node, over)));
        self.tell(party, Event::Serves(Service::InService));
    }

    pub(super) fn start_session(&mut self, party: usize, agent: &str) {
        self.numbers += 1;
        let number = self.numbers;
        let Some(gc) = &mut self.parties[party].gc else { return };
        let product = gc.product;
        let is_new = !gc.sessions.contains_key(agent);
        gc.sessions.entry(agent.to_owned()).or_insert_with(|| (number, session::Session::new(product)));
        let used = gc.used.filter(|_| is_new);
        self.tell_session(party, agent, session::Event::Start(None));
        if let Some((node, over)) = used {
            self.tell_session(party, agent, session::Event::Use(node, over));
        }
    }

    pub(super) fn tell_session(&mut self, party: usize, agent: &str, event: session::Event) {
        let Some((number, session)) = self.parties[party].gc.as_mut().and_then(|gc| gc.sessions.get_mut(agent)) else {
            return;
        };
        let number = *number;
        for order in session.handle(self.now, event, &mut self.chance) {
            self.carry_out_session(party, agent, number, order);
        }
    }

    fn carry_out_session(&mut self, party: usize, agent: &str, number: u64, order: session::Order) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        let name = agent.to_owned();
        match order {
            session::Order::Open(attempt, _) => {
                gc.links.insert(name.clone(), (number, attempt));
                self.soon(SESSION, party, What::Opens(name, number, attempt));
            }
            session::Order::Close(attempt) => {
                gc.links.remove(agent);
                self.soon(WIRE, party, What::Closes(name, number, attempt));
            }
            session::Order::Drop(attempt) => {
                gc.links.remove(agent);
                self.close_session(agent, (party, number, attempt));
            }
            session::Order::Ask(request, _, ask) => self.soon(REST, party, What::Asked(name, number, request, ask)),
            session::Order::Tell(node, sign) => {
                let who = Who(agent.parse().unwrap());
                self.tell_cluster(party, cluster::Event::Told(who, node, sign));
            }
            session::Order::Publish(change) => self.tell(party, Event::Changed(name, change)),
            session::Order::Abandon(_) | session::Order::Warn(_) => {}
        }
    }

    pub(super) fn close_session(&mut self, agent: &str, holder: Holder) {
        if self.centre.close(self.now, agent, holder) {
            self.come(FORCED, None, What::Forced(agent.to_owned(), self.now));
        }
    }

    pub(super) fn opens(&mut self, party: usize, agent: &str, number: u64, attempt: session::Attempt) {
        let is_wanted =
            self.parties[party].gc.as_ref().is_some_and(|gc| gc.links.get(agent) == Some(&(number, attempt)));
        if !is_wanted {
            return;
        }
        if let Some((before, of, lost)) = self.centre.open(agent, (party, number, attempt)) {
            let gc = self.parties[before].gc.as_mut();
            let is_known = |gc: &mut Gc| {
                let is_it = gc.sessions.get(agent).is_some_and(|(number, _)| *number == of);
                is_it && gc.links.remove(agent).is_some()
            };
            if gc.is_some_and(is_known) {
                self.tell_session(before, agent, session::Event::Lost(lost, Loss::Conflict));
            }
        }
        self.tell_session(party, agent, session::Event::Opened(attempt));
    }

    /// The agent's session hears of a change.
    pub(super) fn notify(&mut self, agent: &str) {
        if let Some(holder) = self.centre.get(agent).holder {
            self.soon(WIRE, holder.0, What::Notified(agent.to_owned(), holder));
        }
    }

    /// Tells an agent's machine, if it is still the one that is meant.
    pub(super) fn tell_of(&mut self, party: usize, agent: &str, number: u64, event: session::Event) {
        let gc = self.parties[party].gc.as_ref();
        if gc.and_then(|gc| gc.sessions.get(agent)).is_some_and(|(known, _)| *known == number) {
            self.tell_session(party, agent, event);
        }
    }
}
