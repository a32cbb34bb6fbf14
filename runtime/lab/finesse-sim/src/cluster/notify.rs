//! What a node hears from CTI, and what it tells its sessions of it.

use topoc_finesse_proto::xml::Element;

use super::call::Call;
use super::config::Millis;
use super::node::{Health, View};
use super::work::{Change, CtiError, Told};
use super::{Cluster, Output, Timer};
use crate::forms;

/// `event` of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something is different.
    Put,
    /// Something is new.
    Post,
    /// Something is gone.
    Delete,
}

/// One event, for one node of publish-subscribe.
#[derive(Clone, Debug)]
pub struct Event {
    /// The node.
    pub node: String,
    /// Whose own node it is; nothing where everybody is subscribed, or nobody by itself.
    pub owner: Option<usize>,
    /// Whether every session gets it.
    pub everybody: bool,
    /// The `Update`.
    pub payload: String,
}

/// Events that may be held back at one node: what is beyond is lost.
const HELD_BACK: usize = 100_000;

impl Cluster {
    pub(super) fn hear(&mut self, now: Millis, node: usize) {
        if let Some((_, told)) = self.nodes[node].inbox.pop_front() {
            self.apply(now, node, told);
        }
    }

    fn apply(&mut self, now: Millis, node: usize, told: Told) {
        let request = told.request.as_deref();
        match told.change {
            Change::Agent(index, agent) => {
                self.nodes[node].view.agents[index] = *agent;
                self.tell_user(now, node, index, request);
            }
            Change::Call(call) => self.apply_call(now, node, &call, request),
            Change::Trouble { agent, call, of_dialogs, error } => {
                self.tell_trouble(now, node, agent, (call, of_dialogs), error, request);
            }
        }
    }

    pub(super) fn tell_user(&mut self, now: Millis, node: usize, index: usize, request: Option<&str>) {
        let user = forms::user(self, node, index, "user");
        let agent = &self.nodes[node].view.agents[index];
        let (source, team) = (format!("/finesse/api/User/{}", agent.id), agent.team);
        self.publish(now, node, Some(index), &source, Kind::Put, request, &source, Some(user.clone()));
        self.publish(
            now,
            node,
            None,
            &format!("/finesse/api/Team/{team}/Users"),
            Kind::Put,
            request,
            &source,
            Some(user),
        );
    }

    fn apply_call(&mut self, now: Millis, node: usize, call: &Call, request: Option<&str>) {
        let had = self.nodes[node].view.calls.get(&call.id).map(Call::agents).unwrap_or_default();
        let has = call.agents();
        if has.is_empty() {
            self.nodes[node].view.calls.remove(&call.id);
        } else {
            self.nodes[node].view.calls.insert(call.id, call.clone());
        }
        for agent in &had {
            self.tell_call_changed(now, node, *agent, call, request);
            if !has.contains(agent) {
                self.tell_call_listed(now, node, *agent, call, Kind::Delete, request);
            }
        }
        for agent in has.iter().filter(|agent| !had.contains(agent)) {
            self.tell_call_listed(now, node, *agent, call, Kind::Post, request);
        }
    }

    fn tell_call_listed(
        &mut self,
        now: Millis,
        node: usize,
        agent: usize,
        call: &Call,
        kind: Kind,
        request: Option<&str>,
    ) {
        let list = format!("/finesse/api/User/{}/Dialogs", self.agents[agent].id);
        let offset = self.nodes[node].clock_offset;
        let data = Element::new("dialogs", "").containing(forms::dialog(call, offset, "Dialog"));
        self.publish(now, node, Some(agent), &list, kind, request, &list, Some(data));
    }

    fn tell_call_changed(&mut self, now: Millis, node: usize, agent: usize, call: &Call, request: Option<&str>) {
        let list = format!("/finesse/api/User/{}/Dialogs", self.agents[agent].id);
        let source = format!("/finesse/api/Dialog/{}", call.id);
        let data = forms::dialog(call, self.nodes[node].clock_offset, "dialog");
        self.publish(now, node, Some(agent), &list, Kind::Put, request, &source, Some(data));
    }

    pub(super) fn tell_trouble(
        &mut self,
        now: Millis,
        node: usize,
        agent: usize,
        (call, of_dialogs): (Option<u64>, bool),
        error: CtiError,
        request: Option<&str>,
    ) {
        let user = format!("/finesse/api/User/{}", self.agents[agent].id);
        let list = format!("{user}/Dialogs");
        let source = match call {
            Some(call) => format!("/finesse/api/Dialog/{call}"),
            None if of_dialogs => list.clone(),
            None => user.clone(),
        };
        let topic = if of_dialogs { &list } else { &user };
        self.publish(now, node, Some(agent), topic, Kind::Put, request, &source, Some(forms::trouble(error)));
    }

    pub(super) fn tell_system_info(&mut self, now: Millis, node: usize) {
        let info = forms::system_info(self, node, now, "systemInfo");
        let topic = "/finesse/api/SystemInfo";
        let payload = forms::update(Kind::Put, topic, None, Some(info), self.form(node));
        let event = Event { node: topic.to_owned(), owner: None, everybody: true, payload };
        self.hold_back_or_send(now, node, event);
    }

    /// Which of the known forms the next update takes.
    fn form(&mut self, node: usize) -> u64 {
        self.nodes[node].items += 1;
        if self.config.vary_forms { self.nodes[node].items } else { 0 }
    }

    #[expect(clippy::too_many_arguments, reason = "an event has this many parts, and each caller knows them all")]
    fn publish(
        &mut self,
        now: Millis,
        node: usize,
        owner: Option<usize>,
        topic: &str,
        kind: Kind,
        request: Option<&str>,
        source: &str,
        data: Option<Element>,
    ) {
        let payload = forms::update(kind, source, request, data, self.form(node));
        let event = Event { node: topic.to_owned(), owner, everybody: false, payload };
        self.hold_back_or_send(now, node, event);
    }

    /// An event that somebody made up: whatever text, on whatever node.
    pub fn inject_event(&mut self, now: Millis, node: usize, topic: &str, payload: &str) {
        let owner = topic
            .strip_prefix("/finesse/api/User/")
            .and_then(|rest| self.user(rest.split('/').next().unwrap_or_default()));
        let everybody = topic == "/finesse/api/SystemInfo";
        self.hold_back_or_send(
            now,
            node,
            Event { node: topic.to_owned(), owner, everybody, payload: payload.to_owned() },
        );
    }

    fn hold_back_or_send(&mut self, now: Millis, node: usize, event: Event) {
        let (loss, delay) = (self.nodes[node].event_loss, self.nodes[node].event_delay);
        if loss > 0 && self.chance.u8(0..100) < loss {
            return;
        }
        // Order is kept: behind one that is held back, every other is.
        if delay == 0 && self.nodes[node].outbox.is_empty() {
            self.send(node, &event);
            return;
        }
        if self.nodes[node].outbox.len() < HELD_BACK {
            let last = self.nodes[node].outbox.back().map_or(0, |(due, _)| *due);
            let due = last.max(now + delay);
            self.nodes[node].outbox.push_back((due, event));
            self.at(due, Timer::Tell(node));
        }
    }

    pub(super) fn tell_held_back(&mut self, _now: Millis, node: usize) {
        if let Some((_, event)) = self.nodes[node].outbox.pop_front() {
            self.send(node, &event);
        }
    }

    /// To every session that is subscribed and there.
    fn send(&mut self, node: usize, event: &Event) {
        let here = &mut self.nodes[node];
        if here.notification != Health::Up || here.tomcat == Health::Down {
            return;
        }
        here.items += 1;
        let subscribed = here.subscriptions.get(&event.node);
        // Most events concern one of many.
        let meant: Box<dyn Iterator<Item = _>> = match event.owner {
            _ if event.everybody || subscribed.is_some() => Box::new(here.sessions.iter()),
            Some(owner) => Box::new(here.sessions.of(owner)),
            None => return,
        };
        for (number, session) in meant {
            let of_itself = event.everybody || event.owner == Some(session.agent);
            if session.presence.is_none_or(|priority| priority < 0) {
                continue;
            }
            let bare = format!("{}@{}", self.agents[session.agent].id, here.host);
            let full = format!("{bare}/{}", session.resource);
            let subscribed_bare = subscribed.is_some_and(|jids| jids.contains(&bare));
            let to = if of_itself || subscribed_bare {
                bare
            } else if subscribed.is_some_and(|jids| jids.contains(&full)) {
                full
            } else {
                continue;
            };
            let text =
                forms::notification(&here.host, &to, &event.node, (self.config.seed, here.items), &event.payload);
            self.outputs.push_back(Output::Stanza { session: number, text });
        }
    }

    /// A node that could not hear takes over the truth, and tells everything that it has anew.
    pub(super) fn resync(&mut self, now: Millis, node: usize) {
        let old = std::mem::replace(
            &mut self.nodes[node].view,
            View { agents: self.agents.clone(), calls: self.calls.clone() },
        );
        for index in 0..self.agents.len() {
            if self.agents[index].is_in() || self.agents[index] != old.agents[index] {
                self.tell_user(now, node, index, None);
            }
        }
        // The calls as they were, so that what became of each can be told.
        let new = std::mem::replace(&mut self.nodes[node].view.calls, old.calls.clone());
        for (id, call) in &old.calls {
            if !new.contains_key(id) {
                let mut gone = call.clone();
                for party in &mut gone.parties {
                    party.state = super::PartyState::Dropped;
                    party.can_merge = false;
                }
                gone.state = super::CallState::Dropped;
                self.apply_call(now, node, &gone, None);
            }
        }
        for call in new.values() {
            self.apply_call(now, node, call, None);
        }
    }
}
