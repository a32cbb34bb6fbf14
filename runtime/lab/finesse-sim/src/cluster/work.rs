//! What is on its way between Finesse and the CTI server.

use super::agent::{Agent, Base};
use super::call::{Action, Call};
use super::node::Mobile;

/// What requests are kept in line for: the next one waits until CTI has dealt with the one before (developer guide 12.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A user and the calls that it makes.
    User(usize),
    /// A dialog.
    Dialog(u64),
}

/// A request that was accepted.
#[derive(Clone, Debug)]
pub struct Queued {
    /// `requestId`, to be repeated in the event.
    pub request: Option<String>,
    /// What is asked.
    pub ask: Ask,
}

/// What CTI is asked to do.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Signs in.
    Login {
        /// Who.
        agent: usize,
        /// With this telephone.
        extension: String,
        /// From elsewhere.
        mobile: Option<Mobile>,
    },
    /// Changes the state.
    Change {
        /// Whose.
        agent: usize,
        /// To what.
        to: Base,
        /// Whether a supervisor asks.
        supervisor: bool,
    },
    /// Calls somebody.
    MakeCall {
        /// Who.
        agent: usize,
        /// Whom.
        to: String,
        /// Call variables.
        variables: Vec<(String, String)>,
    },
    /// Does something with a call.
    Act {
        /// Who.
        agent: usize,
        /// Which call.
        call: u64,
        /// What.
        action: Action,
        /// For a consult or a blind transfer.
        to: Option<String>,
        /// Call variables to be changed.
        variables: Vec<(String, String)>,
        /// The wrap-up reason to be set.
        wrap_up_reason: Option<String>,
    },
}

/// Why CTI refuses, as Finesse passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CtiError {
    /// `errorType`, where it is not that of calls.
    pub kind: &'static str,
    /// `errorMessage`: the constant of CTI.
    pub constant: &'static str,
    /// `errorData`: its number.
    pub number: u32,
    /// `peripheralErrorCode`.
    pub peripheral: Option<u32>,
}

/// Not in this state (from captures of Finesse: pokornyIt/finesse-api).
pub(super) const INVALID_STATE: CtiError =
    CtiError { kind: "Invalid State", constant: "CF_INVALID_OBJECT_STATE", number: 22, peripheral: None };
/// No such telephone (same captures).
pub(super) const INVALID_DEVICE: CtiError = CtiError {
    kind: "Invalid Device",
    constant: "CF_INVALID_LOGON_DEVICE_SPECIFIED",
    number: 260,
    peripheral: Some(10_125),
};
/// Another agent has the telephone: the type is documented (developer guide 12.5, "Sign in to Finesse"), the constant is our reading.
pub(super) const DEVICE_BUSY: CtiError =
    CtiError { kind: "Device Busy", constant: "CF_RESOURCE_BUSY", number: 21, peripheral: None };
/// Unified CCX takes no such change during a call (developer guide 12.5, "Change agent state").
pub(super) const INVALID_WORKMODE: CtiError =
    CtiError { kind: "Invalid State", constant: "CF_INVALID_AGENT_WORKMODE", number: 265, peripheral: None };
/// A call operation that the call is not ready for.
pub(super) const CALL_STATE: CtiError = CtiError { kind: "Call Operation Failure", ..INVALID_STATE };

/// Something that CTI tells the nodes.
#[derive(Clone, Debug)]
pub enum Change {
    /// A user as it is now.
    Agent(usize, Box<Agent>),
    /// A call as it is now.
    Call(Box<Call>),
    /// A request failed.
    Trouble {
        /// Whose.
        agent: usize,
        /// Which call it was about; nothing for the user itself.
        call: Option<u64>,
        /// Whether it goes to those who look at dialogs.
        of_dialogs: bool,
        /// Why.
        error: CtiError,
    },
}

/// A change, and whose request it came from.
#[derive(Clone, Debug)]
pub struct Told {
    /// What.
    pub change: Change,
    /// `requestId`, at the node that was asked.
    pub request: Option<String>,
}
