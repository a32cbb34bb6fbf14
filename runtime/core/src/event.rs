//! What clients are told: one JSON object each, as `schemas/event-1.schema.json` describes it.
//!
//! Names of events are the Generic Connector's (JSON API 4.4.12), whose payloads were not seen: what they hold is ours. What
//! Finesse has a word for is told in that word, also one that no document lists. Absent is what Finesse leaves out.

use serde::{Deserialize, Serialize};
use topoc_finesse_proto::dialog::{Dialog, Participant};
use topoc_finesse_proto::reason_code::{ReasonCategory, ReasonCode, WrapUpReason};
use topoc_finesse_proto::session::Connection;
use topoc_finesse_proto::user::User;

/// The version of the format. Within one, fields are added, never renamed or removed.
pub const VERSION: u32 = 1;

/// An event, or the answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// [`VERSION`].
    pub version: u32,
    /// Whose it is; absent where it is about the connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// How many events of the agent this connector has told, with this one: a gap is a loss. From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Which connector tells it, and counts so. Another one, after a take-over, begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// When that connector was started, in milliseconds since the Unix epoch: it counts anew each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The correlation id of the request that it answers, or its message id; absent where nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// What it tells.
    #[serde(flatten)]
    pub told: Told,
}

impl Event {
    /// Something told of nobody in particular.
    #[must_use]
    pub const fn new(told: Told) -> Self {
        Self { version: VERSION, agent: None, sequence: None, connector: None, epoch: None, correlation: None, told }
    }

    /// Something told of an agent.
    #[must_use]
    pub fn of(agent: impl Into<String>, told: Told) -> Self {
        Self { agent: Some(agent.into()), ..Self::new(told) }
    }

    /// It as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists of them can always be written")
    }
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data")]
pub enum Told {
    /// How the connector is doing.
    SystemStatus(SystemStatus),
    /// Whether what is told of the agent can be relied on.
    ConnectStatus(ConnectStatus),
    /// Who the agent is.
    AgentInfo(AgentInfo),
    /// What the agent is doing.
    AgentState(AgentState),
    /// All calls of the agent.
    DialogState(DialogState),
    /// A call that is none of those below, whoever made it.
    InboundCall(CallChange),
    /// A call about another one.
    ConsultCall(CallChange),
    /// A call that was passed on.
    TransferCall(CallChange),
    /// A call of three or more.
    ConferenceCall(CallChange),
    /// Reasons that the agent may give.
    ReasonCodes(ReasonCodes),
    /// What was asked for was not done, or failed later.
    Error(Error),
    /// What came of a request that is no question.
    Outcome(Outcome),
}

/// A Finesse server's state, in Finesse's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Service {
    /// Requests are done.
    InService,
    /// No server of Finesse can be used.
    OutOfService,
}

/// How the connector is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemStatus {
    /// Whether Finesse can be used.
    pub status: Service,
}

/// Whether what is told can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Link {
    /// It is what Finesse says.
    Connected,
    /// It may be out of date; another event follows.
    Interrupted,
    /// It is over: connect again.
    Ended,
}

/// Whether what is told of the agent can be relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectStatus {
    /// Whether it can.
    pub status: Link,
    /// Why it is over: `TAKEN_OVER`, `WRONG_PASSWORD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who the agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// The name that the agent types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_name: Option<String>,
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The phone; absent for one who is signed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// The phone of a mobile agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile_number: Option<String>,
    /// The name of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// `Agent`, `Supervisor`, `Administrator`.
    pub roles: Vec<String>,
}

/// What the agent is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentState {
    /// The state: `READY`, `NOT_READY` and so on; `UNKNOWN` where Finesse tells none.
    pub state: String,
    /// The state after the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_state: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Since when, as Finesse writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What requests name it by; absent for reasons of calls, which are named by their label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// The number that reports show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What the agent reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// All calls of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogState {
    /// Them; none is a list without any.
    pub dialogs: Vec<Call>,
}

/// What happened to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Happened {
    /// The agent is in it now.
    Added,
    /// It is otherwise than it was.
    Changed,
    /// The agent is in it no more. It is told as it was last.
    Removed,
}

/// A call to which something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallChange {
    /// What.
    pub change: Happened,
    /// The call.
    pub dialog: Call,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its id, which requests name.
    pub id: String,
    /// How it is going.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `ACD_IN`, `OUT`, `CONSULT` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// Who called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The queue that it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// What was said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_up_reason: Option<String>,
    /// Who is in it.
    pub participants: Vec<Member>,
    /// Its variables.
    pub variables: Vec<Variable>,
}

/// Someone in a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Their phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How it is going for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What they may do now, in Finesse's words.
    pub actions: Vec<String>,
}

/// A variable of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Reasons that the agent may give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCodes {
    /// For what: `NOT_READY`, `LOGOUT`, `WRAP_UP`.
    pub category: String,
    /// Them.
    pub reasons: Vec<Reason>,
}

/// What was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// A word for programs: [`Fault::code`](crate::command::Fault::code), or Finesse's own.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Result {
    /// Finesse has accepted it. What comes of it is told by events.
    Accepted,
    /// Nobody knows whether it was done, and it is not sent again: look at the state.
    OutcomeUnknown,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The command.
    pub command: String,
    /// What came of it.
    pub outcome: Result,
}

impl From<Connection> for ConnectStatus {
    fn from(connection: Connection) -> Self {
        use topoc_finesse_proto::session::End;
        let (status, reason) = match connection {
            Connection::Live(_) => (Link::Connected, None),
            Connection::Interrupted => (Link::Interrupted, None),
            Connection::Ended(End::Taken) => (Link::Ended, Some("TAKEN_OVER")),
            Connection::Ended(End::WrongPassword) => (Link::Ended, Some("WRONG_PASSWORD")),
        };
        Self { status, reason: reason.map(str::to_owned) }
    }
}

impl From<&User> for AgentInfo {
    fn from(user: &User) -> Self {
        Self {
            login_name: user.login_name.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            extension: user.extension.clone(),
            mobile_number: user.mobile_agent.as_ref().and_then(|mobile| mobile.dial_number.clone()),
            team: user.team_name.clone(),
            roles: user.roles.clone(),
        }
    }
}

impl From<&User> for AgentState {
    fn from(user: &User) -> Self {
        let code = user.reason_code.as_ref();
        let named = user.reason().or_else(|| code.and_then(ReasonCode::id));
        Self {
            state: user.state.as_ref().map_or("UNKNOWN", |state| state.as_str()).to_owned(),
            pending_state: user.pending_state.as_ref().map(ToString::to_string),
            reason: named.map(|id| Reason {
                id: Some(id),
                code: code.and_then(|code| code.code),
                label: code.and_then(|code| code.label.clone()),
            }),
            since: user.state_change_time.clone(),
        }
    }
}

impl Call {
    /// A call; `None` if Finesse gives it no id, without which nobody can ask anything of it.
    #[must_use]
    pub fn new(dialog: &Dialog) -> Option<Self> {
        let known = dialog.media_properties.as_ref();
        let variables = known.map(|known| known.call_variables.as_slice()).unwrap_or_default();
        Some(Self {
            id: dialog.id()?.to_owned(),
            state: dialog.state.as_ref().map(ToString::to_string),
            call_type: known.and_then(|known| known.call_type.clone()),
            from: dialog.from_address.clone(),
            to: dialog.to_address.clone(),
            queue: known.and_then(|known| known.queue_name.clone()),
            wrap_up_reason: known.and_then(|known| known.wrap_up_reason.clone()),
            participants: dialog.participants.iter().map(Member::from).collect(),
            variables: variables
                .iter()
                .map(|one| Variable { name: one.name.clone(), value: one.value.clone() })
                .collect(),
        })
    }
}

impl From<&Participant> for Member {
    fn from(participant: &Participant) -> Self {
        Self {
            address: participant.media_address.clone(),
            state: participant.state.as_ref().map(ToString::to_string),
            actions: participant.actions.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Told {
    /// What happened to a call. Its type decides which event tells it: `CONSULT`, `TRANSFER`, `CONFERENCE`, each alone or in front
    /// of `_`; every other one is an `InboundCall`, as the Generic Connector has it also for calls that the agent makes.
    #[must_use]
    pub fn of_call(change: Happened, dialog: Call) -> Self {
        let kind = dialog.call_type.as_deref().unwrap_or_default();
        let told = match kind.split('_').next().unwrap_or_default() {
            "CONSULT" => Self::ConsultCall,
            "TRANSFER" => Self::TransferCall,
            "CONFERENCE" => Self::ConferenceCall,
            _ => Self::InboundCall,
        };
        told(CallChange { change, dialog })
    }

    /// All calls of an agent.
    #[must_use]
    pub fn of_calls(dialogs: &[Dialog]) -> Self {
        Self::DialogState(DialogState { dialogs: dialogs.iter().filter_map(Call::new).collect() })
    }

    /// Reasons for a state.
    #[must_use]
    pub fn of_reasons(category: &ReasonCategory, reasons: &[ReasonCode]) -> Self {
        let reason = |one: &ReasonCode| Reason { id: one.id(), code: one.code, label: one.label.clone() };
        let reasons = reasons.iter().map(reason).collect();
        Self::ReasonCodes(ReasonCodes { category: category.to_string(), reasons })
    }

    /// Reasons for calls.
    #[must_use]
    pub fn of_wrap_up_reasons(reasons: &[WrapUpReason]) -> Self {
        let reason = |one: &WrapUpReason| Reason { id: None, code: None, label: one.label.clone() };
        let reasons = reasons.iter().map(reason).collect();
        Self::ReasonCodes(ReasonCodes { category: "WRAP_UP".to_owned(), reasons })
    }

    /// What is wrong with a request.
    #[must_use]
    pub fn of_fault(fault: &crate::command::Fault) -> Self {
        Self::Error(Error { code: fault.code(), message: fault.to_string() })
    }
}
