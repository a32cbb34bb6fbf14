//! What is between programs and brokers: dialling, frames, and requests that brokers give out.

use std::time::Duration;

use bytes::Bytes;
use topoc_core::connector;
use topoc_core::deployment::Event;
use topoc_openwire_proto::command::{Command, MessageDispatch, Response};
use topoc_openwire_proto::destination::Destination;
use topoc_openwire_proto::failover::{self, Attempt};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::message::Message;

use super::{DIAL, WIRE, What, World};
use crate::brokers::{Goes, Place};
use crate::dialler::Want;
use crate::gc::Awaits;

impl World<'_> {
    pub(super) fn want(&mut self, party: usize, wants: impl IntoIterator<Item = Want>) {
        for want in wants {
            match want {
                Want::Dial(attempt, address) => {
                    let broker = self.brokers.at(&address.host);
                    self.soon(DIAL, party, What::Dialled(attempt, broker));
                }
                Want::Hang(attempt) => {
                    self.brokers.hang_up((party, attempt));
                    self.pour();
                }
                Want::Write(attempt, frame) => {
                    let place = (party, attempt);
                    self.carry(place, true, 1, What::Inward(place, frame));
                }
                Want::Connected => self.tell(party, Event::Online),
                Want::Lost => {
                    if let Some(gc) = &mut self.parties[party].gc {
                        gc.inbox.clear();
                        gc.deliveries.clear();
                    }
                    self.tell(party, Event::BrokerLost);
                }
            }
        }
    }

    pub(super) fn tell_dialler(&mut self, party: usize, event: failover::Event) {
        let Some(dialler) = &mut self.parties[party].dialler else { return };
        let wants = dialler.tell(self.now, event, &mut self.chance);
        self.want(party, wants);
    }

    pub(super) fn dialled(&mut self, party: usize, attempt: Attempt, broker: usize) {
        if self.brokers.is_up(broker) && !self.is_cut(&self.parties[party].site, self.brokers.site(broker)) {
            self.brokers.open((party, attempt), broker);
            return self.tell_dialler(party, failover::Event::Opened(attempt));
        }
        self.tell_dialler(party, failover::Event::Failed(attempt, "refused".to_owned()));
    }

    /// A broker takes a frame.
    pub(super) fn inward(&mut self, place: Place, bytes: &Bytes) {
        let Some(broker) = self.brokers.lines.get(&place).map(|line| line.broker) else { return };
        let command = frame::decode(bytes.slice(4..)).unwrap().unwrap();
        if let Some((correlation_id, true)) = command.number() {
            let response = Response { correlation_id, ..Response::default() };
            self.carry(place, false, 1, What::Outward(place, Box::new(response.into())));
        }
        match command {
            Command::Message(message) => self.routed(broker, place.0, message),
            other => self.brokers.take(place, other),
        }
        self.pour();
    }

    fn routed(&mut self, broker: usize, from: usize, message: Box<Message>) {
        let to = message.headers.destination.clone().unwrap();
        if to.name() == self.requests {
            return self.brokers.put(broker, message);
        }
        for (place, bridges) in self.brokers.subscribers(broker, &to) {
            if place.0 != from {
                self.dispatch(place, bridges + 1, &message, 0);
            }
        }
    }

    fn dispatch(&mut self, place: Place, ways: usize, message: &Message, before: i32) {
        let dispatch = MessageDispatch {
            destination: message.headers.destination.clone(),
            message: Some(Box::new(message.clone())),
            redelivery_counter: before,
            ..MessageDispatch::default()
        };
        self.carry(place, false, ways, What::Outward(place, Box::new(dispatch.into())));
    }

    /// Brokers give out what they can.
    pub(super) fn pour(&mut self) {
        for goes in self.brokers.pour() {
            match goes {
                Goes::Over(edge, request) => {
                    let takes = self.chance.within(WIRE);
                    self.come(takes, None, What::Crossed(edge, request));
                }
                Goes::To(place, request, mut way) => {
                    let number: usize = request.message.headers.correlation_id.as_ref().unwrap().parse().unwrap();
                    way.push(self.parties[place.0].name.clone());
                    self.asked[number].way = way;
                    self.asked[number].taken += 1;
                    self.dispatch(place, 1, &request.message, request.deliveries - 1);
                }
            }
        }
    }

    /// Something comes from a broker.
    pub(super) fn outward(&mut self, place: Place, command: Command) {
        let (party, attempt) = place;
        let is_there = self.brokers.lines.contains_key(&place);
        let Some(dialler) = self.parties[party].dialler.as_mut().filter(|one| is_there && one.used() == Some(attempt))
        else {
            return;
        };
        dialler.received(&command);
        match command {
            Command::Response(response) => {
                let awaited =
                    self.parties[party].gc.as_mut().and_then(|gc| gc.awaited.remove(&response.correlation_id));
                match awaited {
                    Some(Awaits::Accepted(ticket)) => self.tell(party, Event::Accepted(ticket)),
                    Some(Awaits::Published(agent)) => self.tell(party, Event::Published(agent)),
                    None => {}
                }
            }
            Command::MessageDispatch(dispatch) => {
                let message = dispatch.message.unwrap();
                match dispatch.destination.unwrap() {
                    to if to.name() == self.requests => self.delivered(party, &message, dispatch.redelivery_counter),
                    Destination::Topic(_) => {
                        let bytes = message.headers.content.unwrap().to_vec();
                        self.tell(party, Event::Heard(bytes));
                    }
                    _ => self.answered(&message),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn delivered(&mut self, party: usize, message: &Message, before: i32) {
        let Some(gc) = &mut self.parties[party].gc else { return };
        gc.next += 1;
        let headers = &message.headers;
        let millis = |at: i64| u64::try_from(at).ok().map(Duration::from_millis);
        gc.deliveries.insert(gc.next, headers.message_id.clone().unwrap());
        gc.inbox.push_back(connector::Message {
            delivery: gc.next,
            id: headers.correlation_id.clone().unwrap(),
            jms_type: headers.r#type.clone(),
            body: headers.content.clone().unwrap_or_default().to_vec(),
            correlation: headers.correlation_id.clone(),
            reply_to: headers.reply_to.as_ref().map(|to| format!("queue://{}", to.name())),
            redelivered: before > 0,
            crossed: headers.broker_path.as_ref().is_some_and(|path| !path.is_empty()),
            sent: millis(headers.timestamp),
            expires: millis(headers.expiration),
        });
        self.take(party);
    }

    pub(super) fn take(&mut self, party: usize) {
        while let Some(gc) = self.parties[party].gc.as_mut().filter(|gc| gc.machine.takes_requests()) {
            let Some(message) = gc.inbox.pop_front() else { return };
            self.tell(party, Event::Requested(Box::new(message)));
        }
    }
}
