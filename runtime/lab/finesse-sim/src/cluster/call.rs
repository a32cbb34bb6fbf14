//! Calls: who takes part, in which state, and what each may do.

use super::config::Millis;

/// `state` of a dialog (Finesse documentation, "State (dialog) parameter values"), as far as voice calls have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Somebody dials.
    Initiating,
    /// It has been dialled.
    Initiated,
    /// It rings.
    Alerting,
    /// At least two speak.
    Active,
    /// It could not be put through.
    Failed,
    /// It is over.
    Dropped,
}

/// `state` of a participant ("State (participant) parameter values").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyState {
    /// Dials.
    Initiating,
    /// Has dialled.
    Initiated,
    /// It rings.
    Alerting,
    /// Speaks.
    Active,
    /// Has put the others on hold.
    Held,
    /// Could not get through.
    Failed,
    /// Works after the call.
    WrapUp,
    /// Is gone.
    Dropped,
}

/// `requestedAction` of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Takes a call that rings.
    Answer,
    /// Puts the others on hold.
    Hold,
    /// Comes back to them.
    Retrieve,
    /// Leaves.
    Drop,
    /// Calls a third while the others are on hold.
    Consult,
    /// Connects the others with the third, and leaves.
    Transfer,
    /// Connects all.
    Conference,
    /// Sends the others on to somebody without asking.
    BlindTransfer,
    /// Changes call variables or the wrap-up reason.
    UpdateCallData,
    /// Sends tones.
    SendDtmf,
    /// Records (Unified CCX).
    StartRecording,
}

/// How actions are written.
pub const ACTIONS: &[(Action, &str)] = &[
    (Action::Answer, "ANSWER"),
    (Action::Hold, "HOLD"),
    (Action::Retrieve, "RETRIEVE"),
    (Action::Drop, "DROP"),
    (Action::Consult, "CONSULT_CALL"),
    (Action::Transfer, "TRANSFER"),
    (Action::Conference, "CONFERENCE"),
    (Action::BlindTransfer, "TRANSFER_SST"),
    (Action::UpdateCallData, "UPDATE_CALL_DATA"),
    (Action::SendDtmf, "SEND_DTMF"),
    (Action::StartRecording, "START_RECORDING"),
];

/// What a participant may do in which state ("State (participant) parameter values"). `TRANSFER_SST` of an active one is our
/// reading: the guide names it as an action that the list can hold, without the state.
const ALLOWED: &[(PartyState, &[Action])] = &[
    (PartyState::Initiating, &[Action::Drop, Action::UpdateCallData]),
    (PartyState::Initiated, &[Action::Drop, Action::UpdateCallData]),
    (PartyState::Alerting, &[Action::Answer]),
    (
        PartyState::Active,
        &[Action::Hold, Action::Drop, Action::UpdateCallData, Action::Consult, Action::BlindTransfer, Action::SendDtmf],
    ),
    (PartyState::Held, &[Action::Retrieve, Action::Drop, Action::UpdateCallData]),
    (PartyState::Failed, &[Action::Drop]),
    (PartyState::WrapUp, &[Action::UpdateCallData]),
    (PartyState::Dropped, &[]),
];

impl Action {
    /// How Finesse writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("", |(_, name)| name)
    }

    /// The action of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|(_, other)| *other == name).map(|(action, _)| *action)
    }
}

impl CallState {
    /// How Finesse writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiating => "INITIATING",
            Self::Initiated => "INITIATED",
            Self::Alerting => "ALERTING",
            Self::Active => "ACTIVE",
            Self::Failed => "FAILED",
            Self::Dropped => "DROPPED",
        }
    }
}

impl PartyState {
    /// How Finesse writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiating => "INITIATING",
            Self::Initiated => "INITIATED",
            Self::Alerting => "ALERTING",
            Self::Active => "ACTIVE",
            Self::Held => "HELD",
            Self::Failed => "FAILED",
            Self::WrapUp => "WRAP_UP",
            Self::Dropped => "DROPPED",
        }
    }
}

/// One end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The telephone.
    pub address: String,
    /// Whose it is, if an agent has signed in with it.
    pub agent: Option<usize>,
    /// What it does.
    pub state: PartyState,
    /// Why it failed: `BUSY`, `BAD_DESTINATION` or `OTHER`.
    pub cause: Option<&'static str>,
    /// Whether the call that it consults with is active, so that both can be made one.
    pub can_merge: bool,
    /// When it came.
    pub start: Millis,
    /// Since when it is in its state.
    pub since: Millis,
}

impl Party {
    /// What it may do: the `actions` of the participant. Telephones outside may nothing by this interface.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        if self.agent.is_none() {
            return Vec::new();
        }
        let row = ALLOWED.iter().find(|(state, _)| *state == self.state).map_or(&[][..], |(_, actions)| actions);
        let mut actions = row.to_vec();
        if self.state == PartyState::Held && self.can_merge {
            actions.extend([Action::Transfer, Action::Conference]);
        }
        actions
    }

    /// Whether it has a part in the call still.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !matches!(self.state, PartyState::Dropped | PartyState::WrapUp)
    }
}

/// A call: what Finesse names a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `id`.
    pub id: u64,
    /// `secondaryId`: the call that this one took in.
    pub secondary: Option<u64>,
    /// The call on hold while this one consults.
    pub associated: Option<u64>,
    /// `fromAddress`.
    pub from: String,
    /// `toAddress`.
    pub to: String,
    /// `callType`.
    pub kind: &'static str,
    /// `state`.
    pub state: CallState,
    /// Call variables, in their order.
    pub variables: Vec<(String, String)>,
    /// `wrapUpReason`.
    pub wrap_up_reason: String,
    /// Everybody who takes or took part.
    pub parties: Vec<Party>,
}

impl Call {
    /// The end of this telephone that is the latest one.
    #[must_use]
    pub fn party(&self, address: &str) -> Option<&Party> {
        self.parties.iter().rev().find(|party| party.address == address)
    }

    /// The same, to change it.
    pub fn party_mut(&mut self, address: &str) -> Option<&mut Party> {
        self.parties.iter_mut().rev().find(|party| party.address == address)
    }

    /// Whether this agent has it in its list of dialogs.
    #[must_use]
    pub fn holds(&self, agent: usize) -> bool {
        self.parties.iter().any(|party| party.agent == Some(agent) && party.state != PartyState::Dropped)
    }

    /// The agents that have it in their lists.
    #[must_use]
    pub fn agents(&self) -> Vec<usize> {
        let mut agents: Vec<usize> = self
            .parties
            .iter()
            .filter(|party| party.state != PartyState::Dropped)
            .filter_map(|party| party.agent)
            .collect();
        agents.sort_unstable();
        agents.dedup();
        agents
    }

    /// How many take part still.
    #[must_use]
    pub fn there(&self) -> usize {
        self.parties.iter().filter(|party| party.is_there()).count()
    }
}
