//! Getting through to a telephone: who dials, whom it rings at, and those outside.

use crate::cluster::agent::Base;
use crate::cluster::call::{Party, PartyState};
use crate::cluster::config::{DIALLING_REASON, Millis};
use crate::cluster::work::{CALL_STATE, CtiError};
use crate::cluster::{Cluster, Timer};

use super::Cause;
use super::calls::party;

impl Cluster {
    pub(super) fn make_call(
        &mut self,
        now: Millis,
        agent: usize,
        to: &str,
        variables: Vec<(String, String)>,
        cause: Cause<'_>,
    ) -> Result<(), CtiError> {
        let Some(from) = self.agents[agent].extension.clone() else { return Err(CALL_STATE) };
        if self.parties_of(agent).any(|party| party.is_there() && party.state != PartyState::Held) {
            return Err(CALL_STATE);
        }
        self.end_wrap_up_if_any(now, agent, cause);
        if self.agents[agent].base == Base::Ready && !self.is_on_call(agent) {
            self.agents[agent].base = Base::NotReady(Some(DIALLING_REASON));
            self.agents[agent].ready_again = true;
        }
        let kind = if self.device(to).is_some() { "AGENT_INSIDE" } else { "OUT" };
        let id = self.new_call(&from, to, kind, party(&from, Some(agent), PartyState::Initiating, now));
        if let Some(call) = self.calls.get_mut(&id) {
            call.variables = variables;
        }
        self.settle_call(now, id, cause);
        self.at(now + self.config.latency, Timer::Deliver(id));
        Ok(())
    }

    pub(in crate::cluster) fn deliver(&mut self, now: Millis, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(caller) = call.parties.iter().position(|party| party.state == PartyState::Initiating) else { return };
        let to = call.to.clone();
        let (state, cause) = match self.reachable(&to) {
            Ok(callee) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.parties.push(party(&to, callee, PartyState::Alerting, now));
                }
                if callee.is_none()
                    && let Some(after) = self.config.outside_answers
                {
                    self.at(now + after, Timer::OutsideAnswers(id));
                }
                (PartyState::Initiated, None)
            }
            Err(cause) => (PartyState::Failed, Some(cause)),
        };
        if let Some(call) = self.calls.get_mut(&id) {
            let caller = &mut call.parties[caller];
            (caller.state, caller.cause, caller.since) = (state, cause, now);
        }
        self.settle_call(now, id, None);
    }

    /// The agent who is rung at this number, nobody for one outside, or the `stateCause` of why it does not ring.
    pub(super) fn reachable(&self, number: &str) -> Result<Option<usize>, &'static str> {
        if self.device(number).is_none() {
            return Ok(None);
        }
        let Some(agent) = self.agent_at(number) else { return Err("BAD_DESTINATION") };
        if self.is_on_call(agent) { Err("BUSY") } else { Ok(Some(agent)) }
    }

    /// Whose telephone it is, of those in the house.
    pub(super) fn device(&self, number: &str) -> Option<usize> {
        number.parse::<usize>().ok()?.checked_sub(2001).filter(|index| *index < self.agents.len())
    }

    /// The agent who signed in with it.
    fn agent_at(&self, number: &str) -> Option<usize> {
        self.agents.iter().position(|agent| agent.extension.as_deref() == Some(number))
    }

    /// A call from outside for this extension: gives its id.
    ///
    /// # Errors
    /// Why nobody is rung there, in a sentence.
    pub fn call_from_outside(
        &mut self,
        now: Millis,
        from: &str,
        to: &str,
        variables: Vec<(String, String)>,
    ) -> Result<u64, String> {
        let agent = match self.reachable(to) {
            Ok(Some(agent)) => agent,
            Ok(None) => return Err(format!("`{to}` is no extension of an agent")),
            Err("BUSY") => return Err(format!("the telephone `{to}` is busy")),
            Err(_) => return Err(format!("nobody has signed in at `{to}`")),
        };
        if self.agents[agent].wrap_up_until.is_some() {
            return Err(format!("the agent at `{to}` is in wrap-up"));
        }
        let id = self.new_call(from, to, "ACD_IN", party(from, None, PartyState::Initiated, now));
        if let Some(call) = self.calls.get_mut(&id) {
            call.variables = variables;
            call.parties.push(party(to, Some(agent), PartyState::Alerting, now));
        }
        self.settle_call(now, id, None);
        Ok(id)
    }

    /// Who is rung outside answers.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub fn answer_outside(&mut self, now: Millis, id: u64) -> Result<(), String> {
        let call = self.calls.get(&id).ok_or_else(|| format!("there is no call `{id}`"))?;
        let index = call
            .parties
            .iter()
            .position(|party| party.agent.is_none() && party.state == PartyState::Alerting)
            .ok_or_else(|| format!("nobody outside is rung by call `{id}`"))?;
        self.answered(now, id, index);
        self.settle_call(now, id, None);
        Ok(())
    }

    /// Those outside hang up; where there is nobody outside, the whole call ends.
    ///
    /// # Errors
    /// That there is no such call.
    pub fn hang_up_outside(&mut self, now: Millis, id: u64) -> Result<(), String> {
        let call = self.calls.get(&id).ok_or_else(|| format!("there is no call `{id}`"))?;
        let there = |party: &&(usize, &Party)| party.1.is_there();
        let all: Vec<(usize, &Party)> = call.parties.iter().enumerate().collect();
        let outside: Vec<usize> =
            all.iter().filter(there).filter(|(_, party)| party.agent.is_none()).map(|(i, _)| *i).collect();
        let leaving = if outside.is_empty() { all.iter().filter(there).map(|(i, _)| *i).collect() } else { outside };
        for index in leaving {
            self.leave(now, id, index);
        }
        self.settle_call(now, id, None);
        Ok(())
    }
}
