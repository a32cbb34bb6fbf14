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

/// What Finesse says of an agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    pub(super) user: Option<Box<User>>,
    pub(super) dialogs: BTreeMap<String, Dialog>,
}

/// An agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Agent {
    /// Where their events go.
    pub(super) client: Option<Destination>,
    /// Proven; where there are some, there is a session.
    pub(super) credentials: Option<Credentials>,
    /// Whether another connector owns the agent.
    pub(super) elsewhere: bool,
    /// What Finesse can be asked with beside a session: another connector has it, or had it until ours is live.
    pub(super) lent: Option<Credentials>,
    /// Requests for which Finesse is asked so.
    pub(super) borrowing: usize,
    /// Whether the shell looks after the agent, also where the session has ended.
    pub(super) started: bool,
    connection: Option<Connection>,
    /// As the session tells it.
    pub(super) own: Picture,
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

    /// What was proven, here or elsewhere.
    pub(super) fn proven(&self) -> Option<&Credentials> {
        self.credentials.as_ref().or(self.lent.as_ref())
    }

    /// What Finesse is asked with where the session cannot be.
    pub(super) fn beside(&self) -> Option<&Credentials> {
        self.lent.as_ref().filter(|_| !self.is_live())
    }

    /// Whether they count among the agents that a connector may have.
    pub(super) fn counts(&self) -> bool {
        self.client.is_some() || self.proven().is_some()
    }

    /// Whether they may be forgotten for the sake of another one: nobody listens, or nothing is to be heard.
    pub(super) fn may_go(&self) -> bool {
        self.in_hand == 0 && !self.elsewhere && (self.client.is_none() || self.proven().is_none())
    }

    /// Whether what is told can be relied on.
    pub(super) fn status(&self) -> Told {
        Told::ConnectStatus(match self.connection {
            Some(connection) if self.is_live() => ConnectStatus::from(connection),
            _ if self.proven().is_some() => ConnectStatus { status: Link::Interrupted, reason: None },
            Some(connection @ Connection::Ended(_)) => ConnectStatus::from(connection),
            _ => ConnectStatus { status: Link::Ended, reason: None },
        })
    }

    /// All that a client has to know who has just come.
    pub(super) fn picture(&self) -> Vec<Told> {
        let Some(user) = self.own.user.as_deref().filter(|_| self.is_live()) else { return Vec::new() };
        let calls: Vec<Dialog> = self.own.dialogs.values().cloned().collect();
        vec![Told::AgentInfo(AgentInfo::from(user)), Told::AgentState(AgentState::from(user)), Told::of_calls(&calls)]
    }

    /// Takes what has changed, and says what of it is told.
    pub(super) fn take(&mut self, change: Change) -> Vec<Told> {
        match change {
            Change::Agent(user) => self.take_user(user),
            Change::DialogAdded(dialog) => self.take_dialog(Happened::Added, *dialog),
            Change::DialogChanged(dialog) => self.take_dialog(Happened::Changed, *dialog),
            Change::DialogRemoved(id) => {
                let call = self.own.dialogs.remove(&id).as_ref().and_then(Call::new);
                call.map(|call| Told::of_call(Happened::Removed, call)).into_iter().collect()
            }
            Change::Connection(connection) => {
                self.connection = Some(connection);
                match connection {
                    Connection::Live(_) => self.lent = None,
                    Connection::Ended(_) => (self.credentials, self.lent) = (None, None),
                    Connection::Interrupted => {}
                }
                vec![Told::ConnectStatus(ConnectStatus::from(connection))]
            }
        }
    }

    fn take_user(&mut self, user: Box<User>) -> Vec<Told> {
        let info = AgentInfo::from(&*user);
        let is_new = self.own.user.as_ref().is_none_or(|known| AgentInfo::from(&**known) != info);
        let state = Told::AgentState(AgentState::from(&*user));
        self.own.user = Some(user);
        is_new.then_some(Told::AgentInfo(info)).into_iter().chain([state]).collect()
    }

    fn take_dialog(&mut self, happened: Happened, dialog: Dialog) -> Vec<Told> {
        let Some(call) = Call::new(&dialog) else { return Vec::new() };
        self.own.dialogs.insert(call.id.clone(), dialog);
        vec![Told::of_call(happened, call)]
    }

    /// The session is another connector's from now on, or nobody's. Whether ours was begun.
    pub(super) fn end(&mut self) -> bool {
        self.credentials = None;
        self.connection = None;
        self.own = Picture::default();
        std::mem::take(&mut self.started)
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

impl Picture {
    pub(super) fn new(user: Box<User>, dialogs: Vec<Dialog>) -> Self {
        let with_id = |dialog: Dialog| Some((dialog.id()?.to_owned(), dialog));
        Self { user: Some(user), dialogs: dialogs.into_iter().filter_map(with_id).collect() }
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
}
