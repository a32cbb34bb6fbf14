//! An agent as a program has it: who they are, what they want, and what is told of them.

use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::line::{Outcome, Trouble, Why};
use topoc_finesse_proto::rest::{Command, Credentials, NoId, Request, Token};
use topoc_finesse_proto::session::{Change, SignIn};

use crate::rest::Wish;

/// Who an agent is.
#[derive(Clone, Debug)]
pub struct Login {
    /// The agent's id, which is not always the name.
    pub id: String,
    /// How they prove it. A token is said to the notification service as a password.
    pub credentials: Credentials,
    /// The token that the credentials are, as it was given just now: it is renewed before it expires, and when it is refused.
    pub token: Option<Token>,
    /// Their session's resource.
    pub resource: String,
    /// How they are to be signed in, if they are to be: they were, and this program has them from another one. Who signs in for the
    /// first time does so by [`Command::SignIn`].
    pub sign_in: Option<SignIn>,
}

impl Login {
    /// An agent with the resource `topoc`, who is left as they are.
    #[must_use]
    pub fn new(id: impl Into<String>, credentials: Credentials) -> Self {
        Self { id: id.into(), credentials, token: None, resource: "topoc".to_owned(), sign_in: None }
    }

    /// The same with a token of single sign-on, which is renewed for as long as the server gives new ones: each is told. When it
    /// gives none any more and does not accept the old one, the agent's session ends as with a wrong password:
    /// [`Agent::start_again`] takes a token that a browser has brought.
    #[must_use]
    pub fn with_token(id: impl Into<String>, token: Token) -> Self {
        Self { token: Some(token.clone()), ..Self::new(id, Credentials::Bearer(token.access)) }
    }
}

/// What is told of an agent.
#[derive(Clone, PartialEq)]
pub enum Told {
    /// Something is otherwise than was told before.
    Change(Change),
    /// Finesse has accepted a request and could not do it.
    Failed {
        /// The `requestId` that the request had.
        request_id: Option<String>,
        /// Finesse's own words.
        error: Box<ApiError>,
    },
    /// The agent's token was renewed: with this one another program can take the agent over ([`Login::with_token`]), and with the
    /// one before nobody can any more. It lasts from when this is told.
    Renewed(Box<Token>),
    /// Something that a person should know.
    Warned(String),
}

/// Without customers' names and numbers, and without tokens.
impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Change(Change::Agent(user)) => write!(f, "Agent({:?})", user.state),
            Self::Change(Change::DialogAdded(dialog)) => write!(f, "DialogAdded({:?})", dialog.id()),
            Self::Change(Change::DialogChanged(dialog)) => write!(f, "DialogChanged({:?})", dialog.id()),
            Self::Change(Change::DialogRemoved(id)) => write!(f, "DialogRemoved({id:?})"),
            Self::Change(Change::Connection(connection)) => connection.fmt(f),
            Self::Failed { error, .. } => write!(f, "Failed({error})"),
            Self::Renewed(token) => write!(f, "Renewed(for {} s)", token.lasts.as_secs()),
            Self::Warned(text) => write!(f, "Warned({text})"),
        }
    }
}

/// What the task of an agent is asked for.
#[derive(Debug)]
pub(super) enum Wanted {
    /// A request, and what of the agent's wishes it tells.
    Request(Command, Request, Wish, oneshot::Sender<Outcome>),
    /// Begin again, after the session was taken over or the password was wrong.
    Start(Option<Credentials>, Option<SignIn>),
    /// Leave, and say when that is done.
    Leave(oneshot::Sender<()>),
}

/// An agent who is looked after. When it is dropped, the agent's session is left; the agent stays signed in, as far as Finesse
/// lets them.
#[derive(Debug)]
pub struct Agent {
    /// Boxed, since a channel has room for 32 from the beginning.
    pub(super) wanted: mpsc::Sender<Box<Wanted>>,
}

impl Agent {
    /// Asks Finesse for something, when its turn comes and a server is ready, within a time. Requests go in the order in which
    /// this is called. Dropping the future does not take it back. What comes of a request that was accepted is told.
    ///
    /// `request_id` is repeated by Finesse where it says that it could not do it.
    ///
    /// # Errors
    ///
    /// [`NoId`] if the command has no id where it needs one: nothing is sent.
    pub async fn ask(&self, command: Command, request_id: Option<String>, within: Duration) -> Result<Outcome, NoId> {
        let request = Request::new(&command)?;
        let wish = Wish { deadline: Instant::now() + within, request_id, recovery: false };
        let (owner, outcome) = oneshot::channel();
        if self.wanted.send(Box::new(Wanted::Request(command, request, wish, owner))).await.is_err() {
            return Ok(Outcome::NotDone(Why::Trouble(Trouble::Told)));
        }
        Ok(outcome.await.unwrap_or(Outcome::Unknown(Why::Trouble(Trouble::Told))))
    }

    /// Begins again after [`Connection::Ended`](topoc_finesse_proto::session::Connection::Ended), with other credentials or the
    /// same. Where nothing has ended, the credentials are those of everything from now on: a token that was renewed.
    pub async fn start_again(&self, credentials: Option<Credentials>, sign_in: Option<SignIn>) {
        // It is only closed when the runtime ends.
        let _ = self.wanted.send(Box::new(Wanted::Start(credentials, sign_in))).await;
    }

    /// Leaves the session, and waits until that is done.
    pub async fn leave(self) {
        let (left, done) = oneshot::channel();
        let _ = self.wanted.send(Box::new(Wanted::Leave(left))).await;
        let _ = done.await;
    }
}
