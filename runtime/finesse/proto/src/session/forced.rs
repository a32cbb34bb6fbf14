//! Which states Finesse puts an agent into because it lost the agent's session, and not because somebody wanted it.

use crate::cluster::Deployment;
use crate::user::{User, UserState};

/// How such a state is told from one that somebody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// By the code of its reason.
    Code(i64),
    /// By the label of its reason, where the code is not documented.
    Label(&'static str),
}

/// A state that nobody chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forced {
    /// Where it occurs; `None`: everywhere.
    pub deployment: Option<Deployment>,
    /// The state.
    pub state: UserState,
    /// Its reason.
    pub reason: Reason,
}

/// The states that nobody chose. Those of supervisors (999, in UCCX 22 and 33) are not among them.
///
/// 255: "Desktop Presence and Forced Logout". 50002: UCCE Database Schema Handbook 15.0(1), "Reason Codes": a client of the CTI
/// server failed, such as Finesse. `Agent Logon`: what UCCX leaves of `READY` after a failover, as connectors' manuals tell.
pub const FORCED: &[Forced] = &[
    Forced { deployment: None, state: UserState::Logout, reason: Reason::Code(255) },
    Forced { deployment: None, state: UserState::NotReady, reason: Reason::Code(255) },
    Forced { deployment: Some(Deployment::Ucce), state: UserState::Logout, reason: Reason::Code(50002) },
    Forced { deployment: Some(Deployment::Ucce), state: UserState::NotReady, reason: Reason::Code(50002) },
    Forced { deployment: Some(Deployment::Uccx), state: UserState::NotReady, reason: Reason::Label("Agent Logon") },
];

/// `NOT_READY` for as long as the agent dials, who was `READY` before (Developer Guide 12.5(1), "Dialog—Create a New Dialog").
const WHILE_DIALLING: i64 = 50006;

/// The code of the reason: the reason itself is left out by some servers.
fn code(user: &User) -> Option<i64> {
    user.reason_code.as_ref().and_then(|reason| reason.code).or_else(|| user.reason())
}

/// Whether nobody chose this state.
pub(super) fn is_forced(user: &User, deployment: Deployment) -> bool {
    let label = user.reason_code.as_ref().and_then(|reason| reason.label.as_deref());
    FORCED.iter().any(|forced| {
        forced.deployment.is_none_or(|only| only == deployment)
            && user.state.as_ref() == Some(&forced.state)
            && match forced.reason {
                Reason::Code(is) => code(user) == Some(is),
                Reason::Label(is) => label.is_some_and(|label| label.eq_ignore_ascii_case(is)),
            }
    })
}

/// Whether no reason is given.
pub(super) fn is_unexplained(user: &User) -> bool {
    code(user).is_none()
}

/// What an agent comes back to after a forced change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Waiting for calls.
    Ready,
    /// Not ready, for a reason that can be given again, or for none.
    NotReady(Option<i64>),
}

/// What the agent is to come back to, judged by a state that somebody chose; `None` if it says nothing of that.
///
/// A pending `NOT_READY` comes without its reason, and a forced one waits for the end of a call, too: where one can come
/// (`haunted`), only the state after the call tells.
pub(super) fn kept(user: &User, deployment: Deployment, haunted: bool) -> Option<Kept> {
    let of = |state: &UserState| match state {
        UserState::Ready | UserState::WorkReady => Some(Kept::Ready),
        UserState::NotReady if is_forced(user, deployment) || code(user) == Some(WHILE_DIALLING) => None,
        // What the centre's own software or a supervisor gave as a reason cannot be given again.
        UserState::NotReady if user.reason_code.as_ref().is_some_and(|reason| reason.system_code == Some(true)) => {
            Some(Kept::NotReady(None))
        }
        UserState::NotReady => Some(Kept::NotReady(user.reason())),
        _ => None,
    };
    match user.pending_state.as_ref() {
        Some(UserState::NotReady) if haunted => None,
        Some(UserState::NotReady) => Some(Kept::NotReady(None)),
        Some(pending) => of(pending),
        None => user.state.as_ref().and_then(of),
    }
}
