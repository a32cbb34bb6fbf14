//! Agents and supervisors: who they are, what state they are in, and the reason codes there are.

use super::config::{DIALLING_REASON, FORCED_REASON, Millis};

/// A state of a user (developer guide 12.5, "User API parameters"), without those of outbound campaigns, which are not simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Signed out.
    Logout,
    /// Signed in, takes no calls.
    NotReady,
    /// Waits for a call.
    Ready,
    /// A call rings.
    Reserved,
    /// Speaks.
    Talking,
    /// Every call of the agent is on hold.
    Hold,
    /// Works after a call, and will not be ready then.
    Work,
    /// Works after a call, and will be ready then.
    WorkReady,
}

impl State {
    /// How Finesse writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logout => "LOGOUT",
            Self::NotReady => "NOT_READY",
            Self::Ready => "READY",
            Self::Reserved => "RESERVED",
            Self::Talking => "TALKING",
            Self::Hold => "HOLD",
            Self::Work => "WORK",
            Self::WorkReady => "WORK_READY",
        }
    }
}

/// From which state which others can follow while nothing is broken (developer guide 12.5, "Change agent state").
pub const TRANSITIONS: &[(State, &[State])] = &[
    (State::Logout, &[State::NotReady]),
    (State::NotReady, &[State::Ready, State::Logout, State::Talking]),
    (State::Ready, &[State::NotReady, State::Reserved, State::Logout]),
    (State::Reserved, &[State::Talking, State::Ready, State::NotReady, State::Logout]),
    (
        State::Talking,
        &[State::Hold, State::Ready, State::NotReady, State::Work, State::WorkReady, State::Logout, State::Reserved],
    ),
    (
        State::Hold,
        &[State::Talking, State::Ready, State::NotReady, State::Work, State::WorkReady, State::Logout, State::Reserved],
    ),
    (State::Work, &[State::NotReady, State::Ready, State::Logout, State::Talking]),
    (State::WorkReady, &[State::Ready, State::NotReady, State::Logout, State::Talking, State::Reserved]),
];

/// What an agent is while no call holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Signed out, for this reason code's number.
    Out(Option<i32>),
    /// Not ready, for this reason code's number.
    NotReady(Option<i32>),
    /// Ready.
    Ready,
}

impl Base {
    /// The state that this is when no call holds the agent.
    #[must_use]
    pub const fn state(self) -> State {
        match self {
            Self::Out(_) => State::Logout,
            Self::NotReady(_) => State::NotReady,
            Self::Ready => State::Ready,
        }
    }

    /// The reason code's number.
    #[must_use]
    pub const fn reason(self) -> Option<i32> {
        match self {
            Self::Out(code) | Self::NotReady(code) => code,
            Self::Ready => None,
        }
    }
}

/// A user: an agent, or the supervisor of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// `loginId`, and the local part of the JID.
    pub id: String,
    /// `loginName`.
    pub login_name: String,
    /// `firstName`.
    pub first_name: String,
    /// `lastName`.
    pub last_name: String,
    /// `teamId`.
    pub team: usize,
    /// Whether it leads its team.
    pub supervisor: bool,
    /// The telephone it signed in with.
    pub extension: Option<String>,
    /// What it is while no call holds it.
    pub base: Base,
    /// What it becomes when its calls have ended.
    pub pending: Option<Base>,
    /// Whether it becomes ready again after the call that it made from ready.
    pub ready_again: bool,
    /// When wrap-up ends.
    pub wrap_up_until: Option<Millis>,
    /// The state that all of this makes.
    pub state: State,
    /// Since when.
    pub since: Millis,
}

/// `category` of a reason code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// For `NOT_READY`.
    NotReady,
    /// For `LOGOUT`.
    Logout,
}

impl Category {
    /// How Finesse writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotReady => "NOT_READY",
            Self::Logout => "LOGOUT",
        }
    }
}

/// A configured reason code.
#[derive(Clone, Copy, Debug)]
pub struct ReasonCode {
    /// What requests name it by: `reasonCodeId`.
    pub id: u32,
    /// For which state.
    pub category: Category,
    /// The number that reports show.
    pub code: i32,
    /// What a person reads.
    pub label: &'static str,
    /// Whether Finesse sets it by itself; no request may.
    pub system: bool,
}

/// All reason codes.
pub const REASON_CODES: &[ReasonCode] = &[
    ReasonCode { id: 16, category: Category::NotReady, code: 1, label: "Break", system: false },
    ReasonCode { id: 17, category: Category::NotReady, code: 2, label: "Meeting", system: false },
    ReasonCode { id: 18, category: Category::NotReady, code: 3, label: "Training", system: false },
    ReasonCode { id: 19, category: Category::Logout, code: 11, label: "End of shift", system: false },
    ReasonCode { id: 20, category: Category::Logout, code: 12, label: "Sick", system: false },
    ReasonCode { id: 1, category: Category::NotReady, code: FORCED_REASON, label: "Connection failure", system: true },
    ReasonCode { id: 2, category: Category::Logout, code: FORCED_REASON, label: "Connection failure", system: true },
    ReasonCode { id: 3, category: Category::NotReady, code: 999, label: "Supervisor initiated", system: true },
    ReasonCode { id: 4, category: Category::Logout, code: 999, label: "Supervisor initiated", system: true },
    ReasonCode { id: 5, category: Category::NotReady, code: 33, label: "Supervisor initiated", system: true },
    ReasonCode { id: 6, category: Category::Logout, code: 33, label: "Supervisor initiated", system: true },
    ReasonCode { id: 7, category: Category::NotReady, code: DIALLING_REASON, label: "Dialling", system: true },
];

impl Agent {
    /// The reason code that the state has now.
    #[must_use]
    pub fn reason(&self) -> Option<&'static ReasonCode> {
        let category = match self.state {
            State::Logout => Category::Logout,
            State::NotReady => Category::NotReady,
            _ => return None,
        };
        let code = self.base.reason()?;
        REASON_CODES.iter().find(|row| row.category == category && row.code == code)
    }

    /// Whether it is signed in.
    #[must_use]
    pub fn is_in(&self) -> bool {
        !matches!(self.base, Base::Out(_))
    }
}
