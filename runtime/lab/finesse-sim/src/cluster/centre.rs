//! The CTI server: what requests do to agents and calls, and what of it the nodes are told.

use super::agent::{Base, State};
use super::call::{Action, Call, CallState, Party, PartyState};
use super::config::{DIALLING_REASON, Deployment, FORCED_REASON, Millis};
use super::node::{Health, Mobile};
use super::work::{
    Ask, CALL_STATE, Change, CtiError, DEVICE_BUSY, INVALID_DEVICE, INVALID_STATE, INVALID_WORKMODE, Object, Queued,
    Told,
};
use super::{Cluster, Timer};

/// Requests that may wait for one object.
const LINE: usize = 100;

/// Whose request is being dealt with: at which node, with which id.
type Cause<'a> = Option<(usize, &'a Option<String>)>;

impl Cluster {
    /// Puts a request in its line. False when the line is full.
    pub(super) fn queue(&mut self, now: Millis, node: usize, object: Object, queued: Queued) -> bool {
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

    pub(super) fn work(&mut self, now: Millis, node: usize, object: Object) {
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

    fn login(
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

    fn change(
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

    /// Sets what the agent is, after wrap-up if that is going on.
    fn end_wrap_up(&mut self, now: Millis, agent: usize, to: Option<Base>, cause: Cause<'_>) {
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

    pub(super) fn wrap_up_over(&mut self, now: Millis, agent: usize) {
        if self.agents[agent].wrap_up_until.is_some_and(|until| until <= now) {
            self.end_wrap_up(now, agent, None, None);
        }
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
    fn is_on_call(&self, agent: usize) -> bool {
        self.parties_of(agent).any(Party::is_there)
    }

    fn parties_of(&self, agent: usize) -> impl Iterator<Item = &Party> {
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
    fn settle_agent(&mut self, now: Millis, agent: usize, cause: Cause<'_>, awaited: bool) {
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

    /// Brings a call up to date with its parties, tells the nodes, and brings its agents up to date.
    fn settle_call(&mut self, now: Millis, id: u64, cause: Cause<'_>) {
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

    /// Which parties on hold, of calls that share an agent with this one, could join both now.
    fn merging(&self, id: u64) -> Vec<(u64, usize, bool)> {
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
    fn active_call(&self, agent: usize, besides: u64) -> Option<u64> {
        let speaks = |call: &&Call| {
            call.parties.iter().any(|party| party.agent == Some(agent) && party.state == PartyState::Active)
                && call.parties.iter().any(|party| party.agent != Some(agent) && party.state == PartyState::Active)
        };
        self.calls.values().filter(|call| call.id != besides).find(speaks).map(|call| call.id)
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
    fn leave(&mut self, now: Millis, id: u64, index: usize) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let routed = self.config.deployment == Deployment::Ucce || call.kind == "ACD_IN";
        let party = &mut call.parties[index];
        let spoke = routed && matches!(party.state, PartyState::Active | PartyState::Held);
        party.since = now;
        party.can_merge = false;
        party.state = PartyState::Dropped;
        let Some(agent) = party.agent else { return };
        let Some(length) = self.config.wrap_up.filter(|_| spoke) else { return };
        if self.is_on_call(agent) {
            return;
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.parties[index].state = PartyState::WrapUp;
        }
        self.agents[agent].wrap_up_until = Some(now + length);
        self.at(now + length, Timer::WrapUp(agent));
    }

    fn new_call(&mut self, from: &str, to: &str, kind: &'static str, party: Party) -> u64 {
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

    fn make_call(
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
        self.end_wrap_up_silently(now, agent, cause);
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

    fn end_wrap_up_silently(&mut self, now: Millis, agent: usize, cause: Cause<'_>) {
        if self.agents[agent].wrap_up_until.is_some() {
            self.end_wrap_up(now, agent, None, cause);
        }
    }

    /// Whose telephone it is, of those in the house.
    fn device(&self, number: &str) -> Option<usize> {
        number.parse::<usize>().ok()?.checked_sub(2001).filter(|index| *index < self.agents.len())
    }

    /// The agent who signed in with it.
    fn agent_at(&self, number: &str) -> Option<usize> {
        self.agents.iter().position(|agent| agent.extension.as_deref() == Some(number))
    }

    pub(super) fn deliver(&mut self, now: Millis, id: u64) {
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
    fn reachable(&self, number: &str) -> Result<Option<usize>, &'static str> {
        if self.device(number).is_none() {
            return Ok(None);
        }
        let Some(agent) = self.agent_at(number) else { return Err("BAD_DESTINATION") };
        if self.is_on_call(agent) { Err("BUSY") } else { Ok(Some(agent)) }
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

    fn answered(&mut self, now: Millis, id: u64, index: usize) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        for (other, party) in call.parties.iter_mut().enumerate() {
            if other == index || party.state == PartyState::Initiated {
                (party.state, party.since) = (PartyState::Active, now);
            }
        }
    }

    fn update_call_data(
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

    fn act(
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

    fn put(&mut self, now: Millis, id: u64, index: usize, state: PartyState) {
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

    fn consult(
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
    fn merge(&mut self, now: Millis, agent: usize, (id, other): (u64, u64), stays: bool, cause: Cause<'_>) {
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

    fn blind_transfer(&mut self, now: Millis, id: u64, index: usize, to: &str) -> Result<(), CtiError> {
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
}

fn party(address: &str, agent: Option<usize>, state: PartyState, now: Millis) -> Party {
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
