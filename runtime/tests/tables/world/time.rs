//! Time passes: what was under way happens, and whose timer is due wakes.

use std::time::Duration;

use topoc_core::connector::Seen;
use topoc_core::deployment::Event;
use topoc_finesse_proto::cluster;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::notification;
use topoc_finesse_proto::rest::{Answer, Command as Rest};
use topoc_finesse_proto::session::{self, Notice};
use topoc_openwire_proto::failover;

use super::{Coming, LOOK, Party, WIRE, What, World};
use crate::dialler::Dialler;
use crate::gc::Gc;

impl World<'_> {
    /// Time passes; every tenth of a second somebody may look.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.watch(time, &mut |_| {});
    }

    /// The same, with somebody who looks.
    pub(crate) fn watch(&mut self, time: Duration, look: &mut dyn FnMut(&Self)) {
        let end = self.now + time;
        loop {
            let next = self.coming.first_key_value().map(|((at, _), _)| *at);
            let wakes = self.wakes();
            let at = next.into_iter().chain(wakes.map(|(at, _)| at)).min().unwrap_or(end);
            while self.looked + LOOK <= at.min(end) {
                self.looked += LOOK;
                self.now = self.looked;
                look(self);
            }
            if at >= end {
                self.now = end;
                return;
            }
            self.now = self.now.max(at);
            match wakes {
                Some((wakes, party)) if next.is_none_or(|next| wakes < next) => self.wake(party),
                _ => {
                    let Some((_, coming)) = self.coming.pop_first() else { return };
                    self.happen(coming);
                }
            }
        }
    }

    /// Whose timer is the next.
    fn wakes(&self) -> Option<(Duration, usize)> {
        let of = |(party, one): (usize, &Party)| {
            let dialler = one.dialler.as_ref().and_then(Dialler::wakes_at);
            let gc = one.gc.as_ref().and_then(Gc::wakes_at);
            Some((dialler.into_iter().chain(gc).min()?, party))
        };
        self.parties.iter().enumerate().filter_map(of).min()
    }

    fn wake(&mut self, party: usize) {
        let now = self.now;
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let one = &self.parties[party];
        let dials = one.dialler.as_ref().is_some_and(|dialler| is_due(dialler.wakes_at()));
        let gc = one.gc.as_ref();
        let works = gc.is_some_and(|gc| is_due(gc.machine.wakes_at()));
        let watches = gc.is_some_and(|gc| is_due(gc.cluster.wakes_at()));
        let due = gc.into_iter().flat_map(|gc| &gc.sessions).filter(|(_, (_, session))| is_due(session.wakes_at()));
        let due: Vec<String> = due.map(|(agent, _)| agent.clone()).collect();
        if dials {
            self.tell_dialler(party, failover::Event::Timer);
        }
        if works {
            self.tell(party, Event::Time);
        }
        if watches {
            self.tell_cluster(party, cluster::Event::Timer);
        }
        due.iter().for_each(|agent| self.tell_session(party, agent, session::Event::Timer));
    }

    fn happen(&mut self, coming: Coming) {
        let party = match coming.of {
            Some((party, life)) if self.parties[party].life == life => party,
            Some(_) => return,
            None => usize::MAX,
        };
        match coming.what {
            What::Dialled(attempt, broker) => self.dialled(party, attempt, broker),
            What::Broken(attempt) => self.tell_dialler(party, failover::Event::Failed(attempt, "reset".to_owned())),
            What::Inward(place, bytes) => self.inward(place, &bytes),
            What::Outward(place, command) => self.outward(place, *command),
            What::Take => self.take(party),
            What::Tell(event) => self.tell(party, *event),
            What::Looked(ticket, agent) => {
                let seen = Seen { user: self.centre.user(&agent), dialogs: Vec::new() };
                self.tell(party, Event::Seen(ticket, Some(seen)));
            }
            What::Done(ticket, agent, command) => {
                if self.centre.act(self.now, &agent, &command) {
                    self.notify(&agent);
                }
                let answer = match command {
                    Rest::User { .. } => Answer::User(self.centre.user(&agent)),
                    Rest::Dialogs { .. } => Answer::Dialogs(Vec::new()),
                    _ => Answer::Accepted,
                };
                self.tell(party, Event::Came(ticket, Outcome::Answer(answer)));
            }
            What::Opens(agent, number, attempt) => self.opens(party, &agent, number, attempt),
            What::Closes(agent, number, attempt) => {
                self.close_session(&agent, (party, number, attempt));
                self.tell_of(party, &agent, number, session::Event::Closed(attempt));
            }
            What::Asked(agent, number, request, ask) => {
                let (answer, changes) = self.centre.ask(self.now, &agent, &ask);
                if changes {
                    self.notify(&agent);
                }
                self.soon(WIRE, party, What::Answered(agent, number, request, Box::new(answer)));
            }
            What::Answered(agent, number, request, answer) => {
                self.tell_of(party, &agent, number, session::Event::Answered(request, *answer));
            }
            What::Notified(agent, (_, number, attempt)) => {
                let user = notification::Event::UserChanged(self.centre.user(&agent));
                let event = session::Event::Notified(attempt, Notice::Update(user));
                self.tell_of(party, &agent, number, event);
            }
            What::Polled(poll) => {
                let service = cluster::Service { in_service: true, draining: false, express: Some(false) };
                self.tell_cluster(party, cluster::Event::Answered(poll, cluster::Answer::Service(service)));
            }
            What::Questions => self.questions(party),
            What::Crossed(edge, request) => {
                self.brokers.cross(edge, request);
                self.pour();
            }
            What::Bridged(edge) => {
                if self.is_open(edge) {
                    self.brokers.bridge(edge, true);
                    self.pour();
                }
            }
            What::Forced(agent, since) => {
                if self.centre.force(self.now, &agent, since) {
                    self.notify(&agent);
                }
            }
        }
    }
}
