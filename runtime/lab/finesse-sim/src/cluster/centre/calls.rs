//! Calls at the CTI server as such: how one begins, in which state it is, who leaves, and who is told.

use crate::cluster::Cluster;
use crate::cluster::call::{Call, CallState, Party, PartyState};
use crate::cluster::config::{Deployment, Millis};
use crate::cluster::work::Change;

use super::Cause;

impl Cluster {
    pub(super) fn new_call(&mut self, from: &str, to: &str, kind: &'static str, party: Party) -> u64 {
        let id = self.next_call;
        self.next_call += 1;
        let call = Call {
            id,
            secondary: None,
            associated: None,
            from: from.to_owned(),
            to: to.to_owned(),
            kind,
            state: CallState::Initiating,
            variables: Vec::new(),
            wrap_up_reason: String::new(),
            parties: vec![party],
        };
        self.calls.insert(id, call);
        id
    }

    /// Brings a call up to date with its parties, tells the nodes, and brings its agents up to date.
    pub(super) fn settle_call(&mut self, now: Millis, id: u64, cause: Cause<'_>) {
        self.end_if_alone(now, id);
        let merging: Vec<(u64, usize, bool)> = self.merging(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.state = state_of(call);
        for (_, party, can) in merging.iter().filter(|(other, ..)| *other == id) {
            call.parties[*party].can_merge = *can;
        }
        let mut agents: Vec<usize> = call.parties.iter().filter_map(|party| party.agent).collect();
        agents.sort_unstable();
        agents.dedup();
        self.tell_call(now, id, cause);
        // A call on hold shows whether the one that its agent has now could be joined with it.
        let mut others: Vec<u64> = Vec::new();
        for (other, party, can) in merging.into_iter().filter(|(other, ..)| *other != id) {
            let Some(call) = self.calls.get_mut(&other) else { continue };
            if call.parties[party].can_merge != can {
                call.parties[party].can_merge = can;
                others.push(other);
            }
        }
        for other in others {
            self.tell_call(now, other, cause);
        }
        for agent in agents {
            self.settle_agent(now, agent, cause, false);
        }
    }

    fn tell_call(&mut self, now: Millis, id: u64, cause: Cause<'_>) {
        let Some(call) = self.calls.get(&id) else { return };
        let change = Change::Call(Box::new(call.clone()));
        if call.agents().is_empty() {
            self.calls.remove(&id);
        }
        self.tell_all(now, &change, cause);
    }

    /// Nobody stays in a call alone, except who dials, and who is told that it failed.
    fn end_if_alone(&mut self, now: Millis, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let dialling = call.parties.len() == 1 && call.parties[0].state != PartyState::Dropped;
        let failed = call.parties.iter().any(|party| party.state == PartyState::Failed);
        let has_agent = call.parties.iter().any(|party| party.agent.is_some() && party.state != PartyState::Dropped);
        if (call.there() > 1 && has_agent) || ((dialling || failed) && call.there() == 1 && has_agent) {
            return;
        }
        let leaving: Vec<usize> =
            call.parties.iter().enumerate().filter(|(_, party)| party.is_there()).map(|(index, _)| index).collect();
        for index in leaving {
            self.leave(now, id, index);
        }
    }

    /// One party leaves: into wrap-up, if there is such a thing and the call was more than ringing (and, for Unified CCX, routed).
    pub(super) fn leave(&mut self, now: Millis, id: u64, index: usize) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let routed = self.config.deployment == Deployment::Ucce || call.kind == "ACD_IN";
        let party = &mut call.parties[index];
        let spoke = routed && matches!(party.state, PartyState::Active | PartyState::Held);
        party.since = now;
        party.can_merge = false;
        party.state = PartyState::Dropped;
        let agent = party.agent;
        if let Some(agent) = agent.filter(|_| spoke) {
            self.begin_wrap_up(now, agent, id, index);
        }
    }
}

pub(super) fn party(address: &str, agent: Option<usize>, state: PartyState, now: Millis) -> Party {
    Party { address: address.to_owned(), agent, state, cause: None, can_merge: false, start: now, since: now }
}

/// The state of a call, by those who take part (developer guide 12.5, "Dialog state mapping of CTI").
fn state_of(call: &Call) -> CallState {
    let any = |state| call.parties.iter().any(|party| party.state == state);
    let speaking = call.parties.iter().filter(|p| matches!(p.state, PartyState::Active | PartyState::Held)).count();
    if call.there() == 0 {
        CallState::Dropped
    } else if any(PartyState::Failed) {
        CallState::Failed
    } else if any(PartyState::Alerting) && speaking < 2 {
        CallState::Alerting
    } else if any(PartyState::Initiating) {
        CallState::Initiating
    } else if any(PartyState::Initiated) {
        CallState::Initiated
    } else {
        CallState::Active
    }
}
