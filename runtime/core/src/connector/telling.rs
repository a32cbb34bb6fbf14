//! Answers and events on their way out, in order and counted; and what is held back when they are too many.

use std::collections::btree_map::Entry;

use topoc_finesse_proto::api_error::ApiError;

use super::address::Address;
use super::answers;
use super::events::{Order, Ticket};
use super::machine::{Held, Turn};
use super::table::{Cause, Phase};
use crate::event::{Event, Told};
use crate::recent::Record;

impl Turn<'_> {
    /// Answers a request: the other connectors know first, so that whoever gets it again says the same; then the client; and only
    /// then the broker may forget it.
    pub(super) fn answer(&mut self, ticket: Ticket, cause: Cause, told: Told) {
        let Some(held) = self.let_go(ticket, cause) else { return };
        if !held.request.row().is_harmless() {
            self.remember(&held.id, &told);
        }
        self.publish(held.to, Some(held.request.subject()), Some(held.correlation), told);
        self.orders.push(Order::Acknowledge(held.delivery));
    }

    /// Keeps an answer and shares it. Also a no: what a client was told was not done must not be done by a second delivery.
    pub(super) fn remember(&mut self, id: &str, told: &Told) {
        let record = self.connector.recent.answer(id, Box::new(told.clone())).unwrap_or_else(|| {
            let record = Record::Answered { id: id.to_owned(), at: self.now, answer: Box::new(told.clone()) };
            self.connector.recent.take(record.clone());
            record
        });
        self.orders.push(Order::Share(record));
    }

    /// Tells an agent's client, if there is one.
    pub(super) fn tell(&mut self, name: &str, correlation: Option<String>, told: Told) {
        let client = self.connector.agents.get(name).and_then(|agent| agent.client.clone());
        if let Some(client) = client {
            self.publish(Address::Named(client), Some(name), correlation, told);
        }
    }

    /// Sends something. What goes to an agent's client is counted, so that a gap shows.
    pub(super) fn publish(&mut self, to: Address, name: Option<&str>, correlation: Option<String>, told: Told) {
        let connector = Some(self.connector.settings.name.clone());
        let mut event = Event { agent: name.map(str::to_owned), connector, correlation, ..Event::new(told) };
        let agent = name.and_then(|name| self.connector.agents.get_mut(name));
        let is_clients = |client: &_| matches!(&to, Address::Named(named) if named == client);
        if let Some(agent) = agent.filter(|agent| agent.client.as_ref().is_some_and(is_clients)) {
            agent.sequence += 1;
            event.sequence = Some(agent.sequence);
            event.epoch = Some(self.connector.settings.epoch);
        }
        self.connector.unsent += 1;
        if let Some(agent) = &event.agent {
            *self.connector.unsent_of.entry(agent.clone()).or_default() += 1;
        }
        self.orders.push(Order::Publish(to, Box::new(event)));
    }

    /// The broker has something that was sent, about this agent.
    pub(super) fn published(&mut self, agent: Option<String>) {
        self.connector.unsent = self.connector.unsent.saturating_sub(1);
        if let Some(Entry::Occupied(mut left)) = agent.map(|agent| self.connector.unsent_of.entry(agent)) {
            *left.get_mut() -= 1;
            if *left.get() == 0 {
                left.remove();
            }
        }
    }

    /// Finesse could not do what it has accepted.
    pub(super) fn failed(&mut self, name: &str, request_id: Option<&str>, error: &ApiError) {
        let agent = self.connector.agents.get(name);
        let correlation = agent.zip(request_id).and_then(|(agent, id)| agent.correlation(id));
        // The notification may overtake the answer that says that it was accepted.
        let correlation = correlation.or_else(|| self.asked(name, request_id?));
        let code = error.message.as_deref().filter(|text| !text.is_empty()).unwrap_or("FAILED");
        self.tell(name, correlation, answers::error(code, format!("Finesse could not do it: {error}")));
    }

    /// The correlation of a request that Finesse is being asked for.
    fn asked(&self, name: &str, request_id: &str) -> Option<String> {
        let is_it = |(ticket, held): &(&Ticket, &Held)| {
            held.phase == Phase::Asked && held.request.subject() == name && self.request_id(**ticket) == request_id
        };
        self.connector.requests.iter().find(is_it).map(|(_, held)| held.correlation.clone())
    }

    /// Holds back what is too much where it comes from, and lets it come when half is free again.
    pub(super) fn flow(&mut self) {
        let limits = self.connector.settings.limits;
        let (in_hand, unsent) = (self.connector.requests.len(), self.connector.unsent);
        let full = unsent >= limits.unsent;
        let free = unsent <= limits.unsent / 2;
        if !self.connector.held && full {
            self.connector.held = true;
            self.orders.push(Order::Hold);
        } else if self.connector.held && free {
            self.connector.held = false;
            self.orders.push(Order::Release);
        }
        if !self.connector.paused && (full || in_hand >= limits.requests) {
            self.connector.paused = true;
            self.orders.push(Order::Pause);
        } else if self.connector.paused && free && in_hand <= limits.requests / 2 {
            self.connector.paused = false;
            self.orders.push(Order::Resume);
        }
    }
}
