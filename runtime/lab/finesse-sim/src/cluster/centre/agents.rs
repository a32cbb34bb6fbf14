//! Agents at the CTI server: signing in, changes of state, and the state that all of it makes.

use crate::cluster::Cluster;
use crate::cluster::agent::{Base, State};
use crate::cluster::call::{Call, Party, PartyState};
use crate::cluster::config::{Deployment, FORCED_REASON, Millis};
use crate::cluster::node::Mobile;
use crate::cluster::work::{Change, CtiError, DEVICE_BUSY, INVALID_DEVICE, INVALID_STATE, INVALID_WORKMODE};

use super::Cause;

impl Cluster {
    pub(super) fn login(
        &mut self,
        now: Millis,
        agent: usize,
        extension: String,
        mobile: Option<Mobile>,
        cause: Cause<'_>,
    ) -> Result<(), CtiError> {
        if extension
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(2001))
            .is_none_or(|index| index >= self.agents.len())
        {
            return Err(INVALID_DEVICE);
        }
        if self
            .agents
            .iter()
            .enumerate()
            .any(|(other, user)| other != agent && user.extension.as_ref() == Some(&extension))
        {
            return Err(DEVICE_BUSY);
        }
        if self.agents[agent].is_in() && self.agents[agent].extension.as_ref() != Some(&extension) {
            return Err(INVALID_STATE);
        }
        if let Some((node, _)) = cause {
            match mobile {
                Some(mobile) => self.nodes[node].mobile.insert(agent, mobile),
                None => self.nodes[node].mobile.remove(&agent),
            };
        }
        if !self.agents[agent].is_in() {
            self.agents[agent].base = Base::NotReady(None);
            self.agents[agent].extension = Some(extension);
        }
        self.settle_agent(now, agent, cause, true);
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        now: Millis,
        agent: usize,
        to: Base,
        supervisor: bool,
        cause: Cause<'_>,
    ) -> Result<(), CtiError> {
        let user = &self.agents[agent];
        if !user.is_in() {
            return Err(INVALID_STATE);
        }
        let ccx = self.config.deployment == Deployment::Uccx;
        if self.is_on_call(agent) {
            if ccx && matches!(to, Base::Out(_)) {
                return Err(INVALID_WORKMODE);
            }
            if user.wrap_up_until.is_some() {
                // A telephone rings during the work after a call, which ends with any choice.
                self.end_wrap_up(now, agent, Some(to), cause);
                return Ok(());
            }
            self.agents[agent].pending = Some(to);
            self.settle_agent(now, agent, cause, true);
            return Ok(());
        }
        if matches!(to, Base::Out(_)) && user.state == State::Ready && !ccx && !supervisor {
            return Err(INVALID_STATE);
        }
        self.end_wrap_up(now, agent, Some(to), cause);
        Ok(())
    }

    /// A supervisor's change, or one made from outside by whoever runs the simulator.
    ///
    /// # Errors
    /// What CTI says against it.
    pub fn supervise(&mut self, now: Millis, agent: usize, to: Base) -> Result<(), CtiError> {
        self.change(now, agent, to, true, None)
    }

    /// What happens to an agent whose client is gone (section "Desktop presence and forced logout").
    pub fn forced_logout(&mut self, now: Millis, agent: usize) {
        if !self.agents[agent].is_in() {
            return;
        }
        if self.config.deployment == Deployment::Ucce && !self.config.logout_on_disconnect {
            let to = Base::NotReady(Some(FORCED_REASON));
            if self.is_on_call(agent) {
                self.agents[agent].pending = Some(to);
                self.settle_agent(now, agent, None, true);
            } else {
                self.end_wrap_up(now, agent, Some(to), None);
            }
            return;
        }
        // The telephone goes on without the agent.
        let mut calls = Vec::new();
        for call in self.calls.values_mut() {
            for party in call.parties.iter_mut().filter(|party| party.agent == Some(agent)) {
                if party.state == PartyState::WrapUp {
                    party.state = PartyState::Dropped;
                }
                party.agent = None;
                calls.push(call.id);
            }
        }
        let user = &mut self.agents[agent];
        (user.pending, user.ready_again, user.wrap_up_until) = (None, false, None);
        user.base = Base::Out(Some(FORCED_REASON));
        self.settle_agent(now, agent, None, true);
        for call in calls {
            self.settle_call(now, call, None);
        }
    }

    /// Whether a telephone of this agent takes part in a call.
    pub(super) fn is_on_call(&self, agent: usize) -> bool {
        self.parties_of(agent).any(Party::is_there)
    }

    pub(super) fn parties_of(&self, agent: usize) -> impl Iterator<Item = &Party> {
        self.calls.values().flat_map(|call| &call.parties).filter(move |party| party.agent == Some(agent))
    }

    /// The state that all of this makes.
    fn derive(&self, agent: usize) -> State {
        let user = &self.agents[agent];
        if !user.is_in() {
            return State::Logout;
        }
        let ccx = self.config.deployment == Deployment::Uccx;
        // Unified CCX leaves agents as they are during calls that it did not route.
        let counts = |call: &Call| !ccx || call.kind == "ACD_IN";
        let states: Vec<PartyState> = self
            .calls
            .values()
            .filter(|call| counts(call))
            .flat_map(|call| &call.parties)
            .filter(|party| party.agent == Some(agent))
            .map(|party| party.state)
            .collect();
        let any = |state| states.contains(&state);
        if any(PartyState::Active) {
            State::Talking
        } else if any(PartyState::Held) {
            if ccx { State::Talking } else { State::Hold }
        } else if any(PartyState::Alerting) && user.base == Base::Ready {
            State::Reserved
        } else if any(PartyState::WrapUp) {
            let ready = match user.pending {
                Some(pending) => pending == Base::Ready,
                None => user.base == Base::Ready || user.ready_again,
            };
            if ready && !ccx { State::WorkReady } else { State::Work }
        } else {
            user.base.state()
        }
    }

    /// Brings an agent up to date with its calls, and tells the nodes if anything became different, or if they wait for it.
    pub(super) fn settle_agent(&mut self, now: Millis, agent: usize, cause: Cause<'_>, awaited: bool) {
        let before = self.agents[agent].clone();
        let busy = self.parties_of(agent).any(|party| party.state != PartyState::Dropped);
        let user = &mut self.agents[agent];
        if !busy {
            if let Some(pending) = user.pending.take() {
                user.base = pending;
            } else if user.ready_again {
                user.base = Base::Ready;
            }
            user.ready_again = false;
        }
        if let Base::Out(_) = user.base {
            user.extension = None;
            for node in &mut self.nodes {
                node.mobile.remove(&agent);
            }
        }
        let state = self.derive(agent);
        let user = &mut self.agents[agent];
        user.state = state;
        if state != before.state || user.base != before.base {
            user.since = now;
        }
        if awaited || *user != before {
            let change = Change::Agent(agent, Box::new(user.clone()));
            self.tell_all(now, &change, cause);
        }
    }
}
