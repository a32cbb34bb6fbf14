//! Connectors: their machine is told what happens, and what it orders is done.

use std::time::Duration;

use topoc_core::connector::Proof;
use topoc_core::deployment::{Event, Order};
use topoc_finesse_proto::rest::Command as Rest;
use topoc_finesse_proto::session::{self, Wish};
use topoc_finesse_proto::user::UserState;
use topoc_openwire_proto::destination::Destination;

use super::{Party, REST, What, World};
use crate::gc::Awaits;

impl World<'_> {
    pub(super) fn tell(&mut self, party: usize, event: Event) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        for order in gc.machine.handle(self.now, event) {
            self.carry_out(party, order);
        }
    }

    fn carry_out(&mut self, party: usize, order: Order) {
        match order {
            Order::Pause | Order::Hold | Order::Release | Order::Listen => {}
            Order::Resume => self.come(Duration::ZERO, Some(party), What::Take),
            Order::Send(ticket, bytes) => {
                let topic = self.sync(party);
                self.publish(party, topic, bytes, ticket.map(Awaits::Accepted));
            }
            Order::Publish(to, event) => {
                let to = to.to_string();
                let to = match to.strip_prefix("queue://") {
                    Some(name) => Destination::queue(name),
                    None => Destination::topic(to),
                };
                let text = serde_json::to_vec(&*event).unwrap();
                self.publish(party, to, text, Some(Awaits::Published(event.agent)));
            }
            Order::Acknowledge(delivery) => self.acknowledge(party, delivery),
            Order::Prove(ticket, ..) => {
                self.soon(REST, party, What::Tell(Box::new(Event::Proved(ticket, Proof::Right))));
            }
            Order::Look(ticket, agent, _) => self.soon(REST, party, What::Looked(ticket, agent)),
            Order::Start(agent, _) => self.start_session(party, &agent),
            Order::Leave(agent) => {
                self.tell_session(party, &agent, session::Event::Stop);
                if let Some(gc) = &mut self.parties[party].gc {
                    gc.sessions.remove(&agent);
                }
            }
            Order::Ask { ticket, agent, command, beside, .. } => {
                let wish = match (&command, beside) {
                    (Rest::SignIn { extension, mobile, .. }, None) => {
                        Some(Wish::SignedIn(session::SignIn { extension: extension.clone(), mobile: mobile.clone() }))
                    }
                    (Rest::ChangeState { state: UserState::Ready, .. }, None) => Some(Wish::Ready),
                    _ => None,
                };
                if let Some(wish) = wish {
                    self.tell_session(party, &agent, session::Event::Wished(wish));
                }
                self.soon(REST, party, What::Done(ticket, agent, command));
            }
            Order::Refuse(_) | Order::Done => panic!("everybody can be answered, and nobody ends in order"),
        }
    }

    fn sync(&self, party: usize) -> Destination {
        let settings = self.parties[party].settings.as_ref().unwrap();
        Destination::topic(&*settings.plan.deployment.as_ref().unwrap().sync)
    }

    fn publish(&mut self, party: usize, to: Destination, bytes: Vec<u8>, awaits: Option<Awaits>) {
        let Party { dialler: Some(dialler), gc: Some(gc), .. } = &mut self.parties[party] else { return };
        let message = dialler.message(to, bytes);
        let (number, want) = dialler.send(Box::new(message).into(), awaits.is_some());
        gc.awaited.extend(awaits.map(|awaits| (number, awaits)));
        self.want(party, want);
    }

    fn acknowledge(&mut self, party: usize, delivery: u64) {
        let Party { dialler: Some(dialler), gc: Some(gc), .. } = &mut self.parties[party] else { return };
        if let Some(message) = gc.deliveries.remove(&delivery) {
            let want = dialler.acknowledge(message);
            self.want(party, want);
        }
    }
}
