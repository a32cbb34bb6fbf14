//! What an agent does in a call: answers, puts on hold, comes back, hangs up, changes its data.

use crate::cluster::Cluster;
use crate::cluster::call::{Action, Party, PartyState};
use crate::cluster::config::Millis;
use crate::cluster::work::{CALL_STATE, CtiError};

use super::Cause;

impl Cluster {
    pub(super) fn act(
        &mut self,
        now: Millis,
        agent: usize,
        id: u64,
        action: Action,
        to: Option<String>,
        cause: Cause<'_>,
    ) -> Result<(), CtiError> {
        let call = self.calls.get(&id).ok_or(CALL_STATE)?;
        let mine = |party: &Party| party.agent == Some(agent) && party.state != PartyState::Dropped;
        let index = call.parties.iter().position(mine).ok_or(CALL_STATE)?;
        if !call.parties[index].actions().contains(&action) {
            return Err(CALL_STATE);
        }
        match action {
            Action::Answer => self.answered(now, id, index),
            Action::Hold => self.put(now, id, index, PartyState::Held),
            Action::Retrieve => self.retrieve(now, agent, id, index, cause)?,
            Action::Drop => self.leave(now, id, index),
            Action::Consult => return self.consult(now, agent, id, index, &to.unwrap_or_default(), cause),
            Action::Transfer | Action::Conference => {
                let other = self.active_call(agent, id).ok_or(CALL_STATE)?;
                self.merge(now, agent, (id, other), action == Action::Conference, cause);
            }
            Action::BlindTransfer => self.blind_transfer(now, id, index, &to.unwrap_or_default())?,
            Action::SendDtmf | Action::StartRecording | Action::UpdateCallData => return Ok(()),
        }
        self.settle_call(now, id, cause);
        Ok(())
    }

    pub(super) fn answered(&mut self, now: Millis, id: u64, index: usize) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        for (other, party) in call.parties.iter_mut().enumerate() {
            if other == index || party.state == PartyState::Initiated {
                (party.state, party.since) = (PartyState::Active, now);
            }
        }
    }

    pub(super) fn put(&mut self, now: Millis, id: u64, index: usize, state: PartyState) {
        if let Some(call) = self.calls.get_mut(&id) {
            (call.parties[index].state, call.parties[index].since) = (state, now);
        }
    }

    /// Comes back to a call; another one that the agent speaks in is put on hold.
    fn retrieve(&mut self, now: Millis, agent: usize, id: u64, index: usize, cause: Cause<'_>) -> Result<(), CtiError> {
        let dials = |party: &Party| {
            matches!(party.state, PartyState::Initiating | PartyState::Initiated | PartyState::Alerting)
        };
        if self.parties_of(agent).any(dials) {
            return Err(CALL_STATE);
        }
        let mut others = Vec::new();
        for call in self.calls.values_mut().filter(|call| call.id != id) {
            for party in call.parties.iter_mut().filter(|party| party.agent == Some(agent)) {
                if party.state == PartyState::Active {
                    (party.state, party.since) = (PartyState::Held, now);
                    others.push(call.id);
                }
            }
        }
        self.put(now, id, index, PartyState::Active);
        for other in others {
            self.settle_call(now, other, cause);
        }
        Ok(())
    }

    pub(super) fn update_call_data(
        &mut self,
        now: Millis,
        agent: usize,
        id: u64,
        variables: Vec<(String, String)>,
        wrap_up_reason: Option<String>,
        cause: Cause<'_>,
    ) -> Result<(), CtiError> {
        let call = self.calls.get_mut(&id).filter(|call| call.holds(agent)).ok_or(CALL_STATE)?;
        let allowed =
            call.parties.iter().any(|p| p.agent == Some(agent) && p.actions().contains(&Action::UpdateCallData));
        if !allowed {
            return Err(CALL_STATE);
        }
        for (name, value) in variables {
            match call.variables.iter_mut().find(|(other, _)| *other == name) {
                Some((_, old)) => *old = value,
                None => call.variables.push((name, value)),
            }
        }
        if let Some(reason) = wrap_up_reason {
            call.wrap_up_reason = reason;
        }
        self.settle_call(now, id, cause);
        Ok(())
    }
}
