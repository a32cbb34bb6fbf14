//! Calls with a third: consultation, transfer and conference.

use crate::cluster::call::{Call, Party, PartyState};
use crate::cluster::config::Millis;
use crate::cluster::work::{CALL_STATE, CtiError};
use crate::cluster::{Cluster, Timer};

use super::Cause;
use super::calls::party;

impl Cluster {
    pub(super) fn consult(
        &mut self,
        now: Millis,
        agent: usize,
        id: u64,
        index: usize,
        to: &str,
        cause: Cause<'_>,
    ) -> Result<(), CtiError> {
        let Some(from) = self.agents[agent].extension.clone() else { return Err(CALL_STATE) };
        self.put(now, id, index, PartyState::Held);
        let consult = self.new_call(&from, to, "CONSULT", party(&from, Some(agent), PartyState::Initiating, now));
        if let Some(call) = self.calls.get_mut(&consult) {
            call.associated = Some(id);
        }
        self.settle_call(now, id, cause);
        self.settle_call(now, consult, cause);
        self.at(now + self.config.latency, Timer::Deliver(consult));
        Ok(())
    }

    /// Joins the call that the agent speaks in with the one on hold, which survives.
    pub(super) fn merge(&mut self, now: Millis, agent: usize, (id, other): (u64, u64), stays: bool, cause: Cause<'_>) {
        let Some(consult) = self.calls.get_mut(&other) else { return };
        let mut come = Vec::new();
        for party in &mut consult.parties {
            if party.is_there() && party.agent != Some(agent) {
                come.push(Party { start: now, since: now, can_merge: false, ..party.clone() });
            }
            if party.state != PartyState::Dropped {
                (party.state, party.since, party.can_merge) = (PartyState::Dropped, now, false);
            }
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.secondary = Some(other);
        call.kind = if stays { "CONFERENCE" } else { "TRANSFER" };
        for new in come {
            if !call.parties.iter().any(|party| party.is_there() && party.address == new.address) {
                call.parties.push(new);
            }
        }
        let mine = call.parties.iter().position(|party| party.agent == Some(agent) && party.is_there());
        if let Some(index) = mine {
            if stays {
                self.put(now, id, index, PartyState::Active);
            } else {
                self.leave(now, id, index);
            }
        }
        self.settle_call(now, other, cause);
    }

    pub(super) fn blind_transfer(&mut self, now: Millis, id: u64, index: usize, to: &str) -> Result<(), CtiError> {
        let callee = self.reachable(to).map_err(|_| CALL_STATE)?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.parties.push(party(to, callee, PartyState::Alerting, now));
            call.kind = "TRANSFER";
        }
        self.leave(now, id, index);
        if callee.is_none()
            && let Some(after) = self.config.outside_answers
        {
            self.at(now + after, Timer::OutsideAnswers(id));
        }
        Ok(())
    }

    /// Which parties on hold, of calls that share an agent with this one, could join both now.
    pub(super) fn merging(&self, id: u64) -> Vec<(u64, usize, bool)> {
        let Some(changed) = self.calls.get(&id) else { return Vec::new() };
        let agents: Vec<usize> = changed.parties.iter().filter_map(|party| party.agent).collect();
        let mut found = Vec::new();
        for call in self.calls.values() {
            for (index, party) in call.parties.iter().enumerate() {
                let Some(agent) = party.agent.filter(|agent| agents.contains(agent)) else { continue };
                let can = party.state == PartyState::Held && self.active_call(agent, call.id).is_some();
                found.push((call.id, index, can));
            }
        }
        found
    }

    /// The call other than this one that the agent speaks in, with somebody who speaks, too.
    pub(super) fn active_call(&self, agent: usize, besides: u64) -> Option<u64> {
        let speaks = |call: &&Call| {
            call.parties.iter().any(|party| party.agent == Some(agent) && party.state == PartyState::Active)
                && call.parties.iter().any(|party| party.agent != Some(agent) && party.state == PartyState::Active)
        };
        self.calls.values().filter(|call| call.id != besides).find(speaks).map(|call| call.id)
    }
}
