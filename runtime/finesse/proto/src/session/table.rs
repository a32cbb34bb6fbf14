//! The phases of an agent's session, and how one leads to another: the machine goes by this table.

/// Where the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not started.
    New,
    /// No server is in use yet.
    Idle,
    /// Waits before it opens a session.
    Waiting,
    /// Opens one.
    Opening,
    /// Has one, and reads the agent.
    ReadingUser,
    /// Reads the agent's calls.
    ReadingDialogs,
    /// Knows everything.
    Live,
    /// Signs the agent in again.
    SigningIn,
    /// Brings the agent back to the state they had.
    Restoring,
    /// Closes the session, because another server is in use.
    Closing,
    /// Over until it is started again: taken over, or a wrong password.
    Ended,
    /// Stopped.
    Stopped,
}

impl Phase {
    /// Whether there is an open session.
    #[must_use]
    pub const fn is_up(self) -> bool {
        matches!(self, Self::ReadingUser | Self::ReadingDialogs | Self::Live | Self::SigningIn | Self::Restoring)
    }
}

/// What leads from one phase to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The agent is wanted here.
    Start,
    /// A server is in use.
    Assigned,
    /// The wait is over.
    Due,
    /// The session is open.
    Opened,
    /// It, or a request, was refused.
    Refused,
    /// The session was lost.
    Lost,
    /// Another server is in use, and the agent's moment has come.
    Moved,
    /// The session is closed.
    Closed,
    /// The agent has been read.
    UserRead,
    /// The calls have been read.
    DialogsRead,
    /// Something may have been missed.
    ReadAgain,
    /// The agent was logged out by force, or a mobile agent's phone is not known.
    LoggedOut,
    /// The agent is signed in again.
    SignedIn,
    /// The agent is in a state that nobody chose.
    Forced,
    /// The agent has the state from before.
    Restored,
    /// There is no going on.
    End,
    /// The agent is not wanted here any more.
    Stop,
}

/// From, cause, to. What is not listed changes nothing.
pub const TRANSITIONS: &[(Phase, Cause, Phase)] = &[
    (Phase::New, Cause::Start, Phase::Idle),
    (Phase::New, Cause::Stop, Phase::Stopped),
    (Phase::Idle, Cause::Assigned, Phase::Waiting),
    (Phase::Idle, Cause::Stop, Phase::Stopped),
    (Phase::Waiting, Cause::Due, Phase::Opening),
    (Phase::Waiting, Cause::Stop, Phase::Stopped),
    (Phase::Opening, Cause::Opened, Phase::ReadingUser),
    (Phase::Opening, Cause::Refused, Phase::Waiting),
    (Phase::Opening, Cause::Moved, Phase::Closing),
    (Phase::Opening, Cause::End, Phase::Ended),
    (Phase::Opening, Cause::Stop, Phase::Stopped),
    (Phase::ReadingUser, Cause::UserRead, Phase::ReadingDialogs),
    (Phase::ReadingUser, Cause::Lost, Phase::Waiting),
    (Phase::ReadingUser, Cause::Moved, Phase::Closing),
    (Phase::ReadingUser, Cause::End, Phase::Ended),
    (Phase::ReadingUser, Cause::Stop, Phase::Stopped),
    (Phase::ReadingDialogs, Cause::DialogsRead, Phase::Live),
    (Phase::ReadingDialogs, Cause::Lost, Phase::Waiting),
    (Phase::ReadingDialogs, Cause::Moved, Phase::Closing),
    (Phase::ReadingDialogs, Cause::End, Phase::Ended),
    (Phase::ReadingDialogs, Cause::Stop, Phase::Stopped),
    (Phase::Live, Cause::ReadAgain, Phase::ReadingUser),
    (Phase::Live, Cause::LoggedOut, Phase::SigningIn),
    (Phase::Live, Cause::Forced, Phase::Restoring),
    (Phase::Live, Cause::Lost, Phase::Waiting),
    (Phase::Live, Cause::Moved, Phase::Closing),
    (Phase::Live, Cause::End, Phase::Ended),
    (Phase::Live, Cause::Stop, Phase::Stopped),
    (Phase::SigningIn, Cause::SignedIn, Phase::Live),
    (Phase::SigningIn, Cause::Refused, Phase::Live),
    (Phase::SigningIn, Cause::ReadAgain, Phase::ReadingUser),
    (Phase::SigningIn, Cause::Lost, Phase::Waiting),
    (Phase::SigningIn, Cause::Moved, Phase::Closing),
    (Phase::SigningIn, Cause::End, Phase::Ended),
    (Phase::SigningIn, Cause::Stop, Phase::Stopped),
    (Phase::Restoring, Cause::Restored, Phase::Live),
    (Phase::Restoring, Cause::Refused, Phase::Live),
    (Phase::Restoring, Cause::ReadAgain, Phase::ReadingUser),
    (Phase::Restoring, Cause::Lost, Phase::Waiting),
    (Phase::Restoring, Cause::Moved, Phase::Closing),
    (Phase::Restoring, Cause::End, Phase::Ended),
    (Phase::Restoring, Cause::Stop, Phase::Stopped),
    (Phase::Closing, Cause::Closed, Phase::Waiting),
    (Phase::Closing, Cause::Stop, Phase::Stopped),
    (Phase::Ended, Cause::Start, Phase::Idle),
    (Phase::Ended, Cause::Stop, Phase::Stopped),
];

/// Where a cause leads from a phase, if anywhere.
pub(super) fn next(from: Phase, cause: Cause) -> Option<Phase> {
    TRANSITIONS.iter().find(|(phase, why, _)| (*phase, *why) == (from, cause)).map(|(_, _, to)| *to)
}
