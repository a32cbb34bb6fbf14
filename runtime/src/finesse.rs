//! The agents that are looked after, and what is asked of Finesse for them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use topoc_core::connector::{Proof, Seen, Ticket};
use topoc_finesse::client::{Agent, Client, Login, Told};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::line::{Outcome, Why};
use topoc_finesse_proto::rest::{Answer, Command, Credentials, Refusal};
use topoc_finesse_proto::session::{Change, Connection};
use topoc_finesse_proto::user::UserState;
use tracing::warn;

use crate::admin::Session;
use crate::driver::Heard;

/// How long the proof of a password is waited for.
const PROOF_WITHIN: Duration = Duration::from_secs(15);
/// How long each part of a look at an agent is waited for.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// Agents, by their ids.
#[derive(Debug)]
pub(crate) struct Agents {
    client: Arc<Client>,
    held: watch::Sender<bool>,
    tell: mpsc::Sender<Heard>,
    agents: BTreeMap<String, Kept>,
    /// Tells a session from an earlier one of the same agent.
    next: u64,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    agent: Arc<Agent>,
    forwards: AbortHandle,
    shown: Shown,
}

/// What operators are shown of an agent.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) session: Session,
    pub(crate) state: Option<UserState>,
    pub(crate) server: Option<NodeId>,
}

impl Shown {
    const NEW: Self = Self { session: Session::Interrupted, state: None, server: None };
}

impl Agents {
    pub(crate) fn new(client: Client, tell: mpsc::Sender<Heard>) -> Self {
        Self { client: Arc::new(client), held: watch::Sender::new(false), tell, agents: BTreeMap::new(), next: 0 }
    }

    /// Takes nothing that Finesse tells for now, or takes it again.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Looks after an agent with these credentials from now on.
    pub(crate) fn start(&mut self, id: &str, credentials: Credentials) {
        if let Some(kept) = self.agents.get(id) {
            let agent = Arc::clone(&kept.agent);
            return begin(async move { agent.start_again(Some(credentials), None).await });
        }
        match self.client.agent(Login::new(id, credentials)) {
            Ok((agent, told)) => {
                let number = self.next;
                self.next += 1;
                let forwarding = forward(id.to_owned(), number, told, self.held.subscribe(), self.tell.clone());
                let forwards = tokio::spawn(forwarding).abort_handle();
                self.agents.insert(id.to_owned(), Kept { number, agent: Arc::new(agent), forwards, shown: Shown::NEW });
            }
            Err(error) => warn!(agent = id, %error, "an agent cannot have a session"),
        }
    }

    /// Looks after an agent no more.
    pub(crate) fn leave(&mut self, id: &str) {
        if let Some(kept) = self.agents.remove(id) {
            kept.forwards.abort();
        }
    }

    /// Whether what was told with this number is of the session that there is.
    pub(crate) fn is_current(&self, id: &str, number: u64) -> bool {
        self.agents.get(id).is_some_and(|kept| kept.number == number)
    }

    /// Notes what operators are shown of an agent.
    pub(crate) fn note(&mut self, id: &str, change: &Change) {
        let Some(kept) = self.agents.get_mut(id) else { return };
        match change {
            Change::Agent(user) => kept.shown.state.clone_from(&user.state),
            Change::Connection(Connection::Live(node)) => {
                kept.shown = Shown { session: Session::Live, server: Some(*node), ..kept.shown.clone() };
            }
            Change::Connection(Connection::Interrupted) => kept.shown.session = Session::Interrupted,
            Change::Connection(Connection::Ended(_)) => {
                kept.shown = Shown { session: Session::Ended, server: None, ..kept.shown.clone() };
            }
            Change::DialogAdded(_) | Change::DialogChanged(_) | Change::DialogRemoved(_) => {}
        }
    }

    /// Agents behind an id, in the order of ids.
    pub(crate) fn behind(&self, id: Option<&str>) -> impl Iterator<Item = (&str, &Shown)> {
        let from = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.agents.range::<str, _>((from, Bound::Unbounded)).map(|(id, kept)| (id.as_str(), &kept.shown))
    }

    /// Asks Finesse over the agent's session. Of one agent requests go in the order in which this is called.
    pub(crate) fn ask(&self, ticket: Ticket, id: &str, command: Command, request_id: String, within: Duration) {
        let tell = self.tell.clone();
        let Some(kept) = self.agents.get(id) else {
            return begin(async move { came(&tell, ticket, not_asked()).await });
        };
        let agent = Arc::clone(&kept.agent);
        begin(async move {
            let outcome = agent.ask(command, Some(request_id), within).await;
            came(&tell, ticket, outcome.unwrap_or_else(|_| not_asked())).await;
        });
    }

    /// Asks Finesse beside any session.
    pub(crate) fn ask_beside(
        &self,
        ticket: Ticket,
        command: Command,
        request_id: String,
        within: Duration,
        credentials: Credentials,
    ) {
        let (client, tell) = (Arc::clone(&self.client), self.tell.clone());
        begin(async move {
            let outcome = client.visit(&command, &credentials, Some(request_id), within).await;
            came(&tell, ticket, outcome.unwrap_or_else(|_| not_asked())).await;
        });
    }

    /// Asks Finesse for an agent and their calls.
    pub(crate) fn look(&self, ticket: Ticket, id: &str, credentials: Credentials) {
        let (client, tell, id) = (Arc::clone(&self.client), self.tell.clone(), id.to_owned());
        begin(async move {
            let seen = look(&client, &id, &credentials).await;
            // Nobody listens any more at the end.
            let _ = tell.send(Heard::Seen(ticket, seen)).await;
        });
    }

    /// Asks Finesse whether credentials are right.
    pub(crate) fn prove(&self, ticket: Ticket, id: &str, credentials: Credentials) {
        let (client, tell, command) =
            (Arc::clone(&self.client), self.tell.clone(), Command::User { agent: id.to_owned() });
        begin(async move {
            let outcome = client.visit(&command, &credentials, None, PROOF_WITHIN).await;
            let proof = match outcome {
                Ok(Outcome::Answer(_)) => Proof::Right,
                Ok(Outcome::Refused(Refusal::Unauthorized(_)) | Outcome::NotDone(Why::Stopped)) => Proof::Wrong,
                _ => Proof::Unknown,
            };
            let _ = tell.send(Heard::Proved(ticket, proof)).await;
        });
    }

    /// Leaves all sessions, within a time.
    pub(crate) async fn close(mut self, within: Duration) {
        let mut leaving = JoinSet::new();
        for kept in std::mem::take(&mut self.agents).into_values() {
            kept.forwards.abort();
            // Whoever still asks for something keeps the agent until there is an outcome.
            if let Some(agent) = Arc::into_inner(kept.agent) {
                leaving.spawn(agent.leave());
            }
        }
        let all = async { while leaving.join_next().await.is_some() {} };
        if tokio::time::timeout(within, all).await.is_err() {
            warn!("some sessions of agents were not closed in time");
        }
    }
}

async fn look(client: &Client, id: &str, credentials: &Credentials) -> Option<Seen> {
    let user = Command::User { agent: id.to_owned() };
    let Ok(Outcome::Answer(Answer::User(user))) = client.visit(&user, credentials, None, LOOK_WITHIN).await else {
        return None;
    };
    let dialogs = Command::Dialogs { agent: id.to_owned() };
    match client.visit(&dialogs, credentials, None, LOOK_WITHIN).await {
        Ok(Outcome::Answer(Answer::Dialogs(dialogs))) => Some(Seen { user, dialogs }),
        _ => None,
    }
}

async fn came(tell: &mpsc::Sender<Heard>, ticket: Ticket, outcome: Outcome) {
    // Nobody listens any more at the end.
    let _ = tell.send(Heard::Came(ticket, Box::new(outcome))).await;
}

fn not_asked() -> Outcome {
    Outcome::NotDone(Why::Trouble(topoc_finesse_proto::line::Trouble::Told))
}

/// Goes on with something in a task of its own, after its first step, which is done here: steps of that kind keep their order.
fn begin(future: impl Future<Output = ()> + Send + 'static) {
    // With a budget a step could be put off.
    let mut future: Pin<Box<_>> = Box::pin(tokio::task::unconstrained(future));
    if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        drop(tokio::spawn(future));
    }
}

/// Passes on what is told of an agent. While that is held back it waits here, and the rest at the server.
async fn forward(
    id: String,
    number: u64,
    mut told: mpsc::Receiver<Told>,
    mut held: watch::Receiver<bool>,
    tell: mpsc::Sender<Heard>,
) {
    while let Some(told) = told.recv().await {
        if held.wait_for(|held| !held).await.is_err() || tell.send(Heard::Told(id.clone(), number, told)).await.is_err()
        {
            return;
        }
    }
}
