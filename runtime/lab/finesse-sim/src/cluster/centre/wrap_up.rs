//! Work after a call: how it begins, and how it ends.

use crate::cluster::agent::Base;
use crate::cluster::call::PartyState;
use crate::cluster::config::Millis;
use crate::cluster::{Cluster, Timer};

use super::Cause;

impl Cluster {
    /// An agent has left a call in which they spoke: they work after it, if there is wrap-up and no other call of theirs.
    pub(super) fn begin_wrap_up(&mut self, now: Millis, agent: usize, id: u64, index: usize) {
        let Some(length) = self.config.wrap_up.filter(|_| !self.is_on_call(agent)) else { return };
        if let Some(call) = self.calls.get_mut(&id) {
            call.parties[index].state = PartyState::WrapUp;
        }
        self.agents[agent].wrap_up_until = Some(now + length);
        self.at(now + length, Timer::WrapUp(agent));
    }

    /// Sets what the agent is, after wrap-up if that is going on.
    pub(super) fn end_wrap_up(&mut self, now: Millis, agent: usize, to: Option<Base>, cause: Cause<'_>) {
        if to.is_some() {
            self.agents[agent].pending = to;
        }
        self.agents[agent].wrap_up_until = None;
        let mut calls = Vec::new();
        for call in self.calls.values_mut() {
            for party in call.parties.iter_mut().filter(|party| party.agent == Some(agent)) {
                if party.state == PartyState::WrapUp {
                    (party.state, party.since) = (PartyState::Dropped, now);
                    calls.push(call.id);
                }
            }
        }
        self.settle_agent(now, agent, cause, true);
        for call in calls {
            self.settle_call(now, call, cause);
        }
    }

    pub(in crate::cluster) fn wrap_up_over(&mut self, now: Millis, agent: usize) {
        if self.agents[agent].wrap_up_until.is_some_and(|until| until <= now) {
            self.end_wrap_up(now, agent, None, None);
        }
    }

    pub(super) fn end_wrap_up_if_any(&mut self, now: Millis, agent: usize, cause: Cause<'_>) {
        if self.agents[agent].wrap_up_until.is_some() {
            self.end_wrap_up(now, agent, None, cause);
        }
    }
}
