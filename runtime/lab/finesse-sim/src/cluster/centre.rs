//! The CTI server: requests in line, who does what with them, and what of it the nodes are told.

mod agents;
mod calls;
mod dialling;
mod telephone;
mod transfer;
mod wrap_up;

use super::call::Action;
use super::config::Millis;
use super::node::Health;
use super::work::{Ask, Change, Object, Queued, Told};
use super::{Cluster, Timer};

/// Requests that may wait for one object.
const LINE: usize = 100;

/// Whose request is being dealt with: at which node, with which id.
type Cause<'a> = Option<(usize, &'a Option<String>)>;

impl Cluster {
    /// Puts a request in its line. False when the line is full.
    pub(in crate::cluster) fn queue(&mut self, now: Millis, node: usize, object: Object, queued: Queued) -> bool {
        let line = self.nodes[node].queues.entry(object).or_default();
        if line.len() >= LINE {
            return false;
        }
        line.push_back(queued);
        if line.len() == 1 {
            self.at(now + self.config.latency, Timer::Work(node, object));
        }
        true
    }

    pub(in crate::cluster) fn work(&mut self, now: Millis, node: usize, object: Object) {
        if self.nodes[node].cti == Health::Silent {
            return;
        }
        let Some(line) = self.nodes[node].queues.get_mut(&object) else { return };
        let Some(queued) = line.pop_front() else { return };
        if line.is_empty() {
            self.nodes[node].queues.remove(&object);
        } else {
            self.at(now + self.config.latency, Timer::Work(node, object));
        }
        let cause = Some((node, &queued.request));
        let (agent, call, of_dialogs) = match &queued.ask {
            Ask::Login { agent, .. } | Ask::Change { agent, .. } => (*agent, None, false),
            Ask::MakeCall { agent, .. } => (*agent, None, true),
            Ask::Act { agent, call, .. } => (*agent, Some(*call), true),
        };
        let done = match queued.ask.clone() {
            Ask::Login { agent, extension, mobile } => self.login(now, agent, extension, mobile, cause),
            Ask::Change { agent, to, supervisor } => self.change(now, agent, to, supervisor, cause),
            Ask::MakeCall { agent, to, variables } => self.make_call(now, agent, &to, variables, cause),
            Ask::Act { agent, call, action, to, variables, wrap_up_reason } => match action {
                Action::UpdateCallData => self.update_call_data(now, agent, call, variables, wrap_up_reason, cause),
                _ => self.act(now, agent, call, action, to, cause),
            },
        };
        if let Err(error) = done {
            let told =
                Told { change: Change::Trouble { agent, call, of_dialogs, error }, request: queued.request.clone() };
            self.tell_node(now, node, told);
        }
    }

    fn tell_node(&mut self, now: Millis, node: usize, told: Told) {
        if !self.nodes[node].connected {
            return;
        }
        let due = now + self.config.latency;
        self.nodes[node].inbox.push_back((due, told));
        self.at(due, Timer::Hear(node));
    }

    fn tell_all(&mut self, now: Millis, change: &Change, cause: Cause<'_>) {
        for node in 0..self.nodes.len() {
            let request = cause.filter(|(asked, _)| *asked == node).and_then(|(_, request)| request.clone());
            self.tell_node(now, node, Told { change: change.clone(), request });
        }
    }
}
