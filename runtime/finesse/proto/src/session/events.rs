//! What an agent's session is told, and what it orders.

use std::time::Duration;

use super::known::Change;
use crate::cluster::{NodeId, Sign};
use crate::dialog::Dialog;
use crate::notification;
use crate::user::{MobileAgent, User};

/// What has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The agent is wanted here: for the first time, with another password, or after the session was taken over. How they
    /// are to be signed in, as far as that is known.
    Start(Option<SignIn>),
    /// The cluster's machine orders: use this server, at a moment within that time. The same one again: read everything.
    Use(NodeId, Duration),
    /// The cluster's machine orders: go to this server, at a moment within that time; in a call, stay as long as the second.
    Drain(NodeId, Duration, Duration),
    /// The cluster's machine says that this server, in use, has failed.
    Interrupted(NodeId),
    /// The session is open: bound, with its presence sent.
    Opened(Attempt),
    /// It could not be opened.
    NotOpened(Attempt, Refusal),
    /// It was lost.
    Lost(Attempt, Loss),
    /// It has been closed, as ordered.
    Closed(Attempt),
    /// Something came over it.
    Notified(Attempt, Notice),
    /// What came of a request.
    Answered(Request, Answer),
    /// The agent's credentials are not accepted any more, and no others can be had without a person: a token that is not renewed.
    Barred,
    /// What the agent wants.
    Wished(Wish),
    /// The moment of [`Session::wakes_at`](super::Session::wakes_at) has come.
    Timer,
    /// The agent is not wanted here any more.
    Stop,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Open a session, and say how that went.
    Open(Attempt, NodeId),
    /// Close it, and say when that is done.
    Close(Attempt),
    /// Drop it at once without a word, and say nothing.
    Drop(Attempt),
    /// Send a request to a server, and say what came of it.
    Ask(Request, NodeId, Ask),
    /// Give a request up.
    Abandon(Request),
    /// Tell the cluster's machine.
    Tell(NodeId, Sign),
    /// Tell whoever listens to the agent.
    Publish(Change),
    /// Something that a person should know.
    Warn(String),
}

/// One session, from the order to open it until it is closed, dropped or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub(super) u64);

/// One request, from the order to send it until it is answered or abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(pub(super) u64);

/// How an agent signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The phone.
    pub extension: String,
    /// The phone of a mobile agent, which only one server knows.
    pub mobile: Option<MobileAgent>,
}

/// What the agent wants, told before the request for it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// To be signed in.
    SignedIn(SignIn),
    /// To be signed out.
    SignedOut,
    /// To take calls.
    Ready,
    /// To take none; the id of the reason.
    NotReady(Option<i64>),
}

/// Why a session could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The server cannot be reached, or breaks off, or has no time.
    Unreachable,
    /// The password is wrong.
    Unauthorized,
    /// The token has expired, and a new one could not be asked for just now.
    NoToken,
    /// There is a session with this very address.
    Conflict,
}

/// Why a session is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The connection broke, or the peer was silent for too long.
    Broken,
    /// Another session with the same address took its place.
    Conflict,
}

/// What comes over a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A notification.
    Update(notification::Event),
    /// User `finesse` is available, or is not.
    Presence(bool),
}

/// A request to Finesse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `GET User`.
    User,
    /// `GET User/Dialogs`.
    Dialogs,
    /// `PUT User` with `LOGIN`: who is signed in stays as they are ("forced sign-in").
    SignIn(SignIn),
    /// `PUT User` with `READY`.
    Ready,
    /// `PUT User` with `NOT_READY`, and the id of a reason where there is one.
    NotReady(Option<i64>),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Ask::User`].
    User(Box<User>),
    /// To [`Ask::Dialogs`].
    Dialogs(Vec<Dialog>),
    /// 202: an event will tell.
    Accepted,
    /// 401: the password is wrong.
    Unauthorized,
    /// 503, or no answer that means anything.
    Unserved,
    /// Anything else, in Finesse's own words.
    Refused(String),
}

/// Whether what was published can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// It is what this server says.
    Live(NodeId),
    /// It may be out of date.
    Interrupted,
    /// It is over.
    Ended(End),
}

/// Why it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Another connector, or a desktop, has taken the session over.
    Taken,
    /// The password is wrong.
    WrongPassword,
}
