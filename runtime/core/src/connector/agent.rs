//! An agent as the connector knows them, and what changes in that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use topoc_finesse_proto::dialog::Dialog;
use topoc_finesse_proto::rest::Credentials;
use topoc_finesse_proto::session::{Change, Connection};
use topoc_finesse_proto::user::{User, UserState};

use super::events::Ticket;
use crate::destination::Destination;
use crate::event::{AgentInfo, AgentState, Call, ConnectStatus, Happened, Link, Told};

/// So many requests that Finesse has accepted are remembered, in case it says later that it could not do one.
const ACCEPTED: usize = 16;

/// An agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Agent {
    /// Where their events go.
    pub(super) client: Option<Destination>,
    /// Proven; where there are some, there is a session.
    pub(super) credentials: Option<Credentials>,
    /// Whether the shell looks after the agent, also where the session has ended.
    pub(super) started: bool,
    connection: Option<Connection>,
    pub(super) user: Option<User>,
    pub(super) dialogs: BTreeMap<String, Dialog>,
    /// Events told so far.
    pub(super) sequence: u64,
    /// Requests before Finesse is asked, in the order in which they came.
    pub(super) queue: VecDeque<Ticket>,
    pub(super) doubtful: BTreeSet<Ticket>,
    /// Requests in hand, in whatever phase.
    pub(super) in_hand: usize,
    /// The last ones that Finesse accepted, with their correlation.
    accepted: VecDeque<(String, String)>,
}

impl Agent {
    /// Whether what is known is what Finesse says.
    pub(super) fn is_live(&self) -> bool {
        self.credentials.is_some() && matches!(self.connection, Some(Connection::Live(_)))
    }

    /// Whether they count among the agents that a connector may have.
    pub(super) fn counts(&self) -> bool {
        self.client.is_some() || self.credentials.is_some()
    }

    /// Whether they may be forgotten for the sake of another one: nobody listens, or nothing is to be heard.
    pub(super) fn may_go(&self) -> bool {
        self.in_hand == 0 && (self.client.is_none() || self.credentials.is_none())
    }

    pub(super) fn state(&self) -> Option<&UserState> {
        self.user.as_ref()?.state.as_ref()
    }

    pub(super) fn is_signed_in(&self) -> bool {
        self.state().and_then(UserState::is_signed_in) == Some(true)
    }

    /// The phone that they are signed in with.
    pub(super) fn extension(&self) -> Option<&str> {
        self.user.as_ref()?.extension.as_deref().filter(|phone| !phone.is_empty())
    }

    /// Whether what is told can be relied on.
    pub(super) fn status(&self) -> Told {
        Told::ConnectStatus(match self.connection {
            Some(connection) if self.is_live() => ConnectStatus::from(connection),
            _ if self.credentials.is_some() => ConnectStatus { status: Link::Interrupted, reason: None },
            Some(connection @ Connection::Ended(_)) => ConnectStatus::from(connection),
            _ => ConnectStatus { status: Link::Ended, reason: None },
        })
    }

    /// All that a client has to know who has just come.
    pub(super) fn picture(&self) -> Vec<Told> {
        let Some(user) = self.user.as_ref().filter(|_| self.is_live()) else { return Vec::new() };
        let calls: Vec<Dialog> = self.dialogs.values().cloned().collect();
        vec![Told::AgentInfo(AgentInfo::from(user)), Told::AgentState(AgentState::from(user)), Told::of_calls(&calls)]
    }

    /// Takes what has changed, and says what of it is told.
    pub(super) fn take(&mut self, change: Change) -> Vec<Told> {
        match change {
            Change::Agent(user) => self.take_user(*user),
            Change::DialogAdded(dialog) => self.take_dialog(Happened::Added, *dialog),
            Change::DialogChanged(dialog) => self.take_dialog(Happened::Changed, *dialog),
            Change::DialogRemoved(id) => {
                let call = self.dialogs.remove(&id).as_ref().and_then(Call::new);
                call.map(|call| Told::of_call(Happened::Removed, call)).into_iter().collect()
            }
            Change::Connection(connection) => {
                self.connection = Some(connection);
                if matches!(connection, Connection::Ended(_)) {
                    self.credentials = None;
                }
                vec![Told::ConnectStatus(ConnectStatus::from(connection))]
            }
        }
    }

    fn take_user(&mut self, user: User) -> Vec<Told> {
        let info = AgentInfo::from(&user);
        let is_new = self.user.as_ref().is_none_or(|known| AgentInfo::from(known) != info);
        let state = Told::AgentState(AgentState::from(&user));
        self.user = Some(user);
        is_new.then_some(Told::AgentInfo(info)).into_iter().chain([state]).collect()
    }

    fn take_dialog(&mut self, happened: Happened, dialog: Dialog) -> Vec<Told> {
        let Some(call) = Call::new(&dialog) else { return Vec::new() };
        self.dialogs.insert(call.id.clone(), dialog);
        vec![Told::of_call(happened, call)]
    }

    /// Finesse has accepted a request.
    pub(super) fn accepted(&mut self, request_id: String, correlation: String) {
        self.accepted.push_back((request_id, correlation));
        if self.accepted.len() > ACCEPTED {
            self.accepted.pop_front();
        }
    }

    /// The correlation of a request that Finesse has accepted.
    pub(super) fn correlation(&self, request_id: &str) -> Option<String> {
        self.accepted.iter().find(|(id, _)| id == request_id).map(|(_, correlation)| correlation.clone())
    }
}
