//! An agent as Finesse tells of them: the `User` object.
//!
//! Finesse Web Services Developer Guide 12.5(1), "User" (objects, parameters, states); where captures of real servers leave
//! elements out, the field is optional.

use crate::reason_code::ReasonCode;
use crate::record::{record, words};

words! {
    /// What an agent is doing (Developer Guide 12.5(1), "User States").
    UserState {
        /// Signed out.
        "LOGOUT" Logout,
        /// Signed in, takes no calls.
        "NOT_READY" NotReady,
        /// Waits for a call.
        "READY" Ready,
        /// A call is on its way to the agent.
        "RESERVED" Reserved,
        /// Kept for a call of the outbound dialler.
        "RESERVED_OUTBOUND" ReservedOutbound,
        /// Kept to look at the customer of an outbound call before it is made.
        "RESERVED_OUTBOUND_PREVIEW" ReservedOutboundPreview,
        /// In a call.
        "TALKING" Talking,
        /// Has the call on hold.
        "HOLD" Hold,
        /// Works after a call, and is not ready then.
        "WORK" Work,
        /// Works after a call, and is ready then.
        "WORK_READY" WorkReady,
        /// Finesse does not know.
        "UNKNOWN" Unknown,
    }
}

impl UserState {
    /// Whether the agent is signed in; `None` if the word does not say it.
    #[must_use]
    pub const fn is_signed_in(&self) -> Option<bool> {
        match self {
            Self::Logout => Some(false),
            Self::Unknown | Self::Other(_) => None,
            _ => Some(true),
        }
    }
}

words! {
    /// How a mobile agent is reached.
    MobileMode {
        /// The phone rings for each call.
        "CALL_BY_CALL" CallByCall,
        /// One connection stays up for all calls.
        "NAILED_CONNECTION" NailedConnection,
    }
}

record! {
    /// A phone that is no extension of the centre. One node of Finesse knows it, the other one does not.
    MobileAgent "mobileAgent" {
        /// How it is used.
        "mode" mode: Option<MobileMode>;
        /// Its number.
        "dialNumber" dial_number: Option<String>;
    }
}

record! {
    /// What the centre wants from the agent after calls.
    UserSettings "settings" {
        /// Whether a reason is asked for after a call that came in: `REQUIRED`, `OPTIONAL`, `NOT_ALLOWED`, `REQUIRED_WITH_WRAP_UP_DATA`.
        "wrapUpOnIncoming" wrap_up_on_incoming: Option<String>;
        /// The same for calls that the agent made.
        "wrapUpOnOutgoing" wrap_up_on_outgoing: Option<String>;
        /// Whether the agent chooses among several phones.
        "deviceSelection" device_selection: Option<String>;
    }
}

record! {
    /// A team that the user supervises.
    Team "Team" {
        /// Its identifier.
        "id" id: Option<String>;
        /// Its name.
        "name" name: Option<String>;
        /// Where it is found.
        "uri" uri: Option<String>;
    }
}

record! {
    /// The `User` object.
    User "User" {
        /// Where the dialogs of the user are found.
        "dialogs" dialogs: Option<String>;
        /// The phone that the agent signed in with. Empty after signing out.
        "extension" extension: Option<String>;
        /// First name.
        "firstName" first_name: Option<String>;
        /// Last name.
        "lastName" last_name: Option<String>;
        /// The agent's id: what paths and XMPP addresses are made of.
        "loginId" login_id: Option<String>;
        /// The name that the agent types.
        "loginName" login_name: Option<String>;
        /// The kind of calls; 1 is voice.
        "mediaType" media_type: Option<String>;
        /// The phone of a mobile agent.
        "mobileAgent" mobile_agent: Option<MobileAgent>;
        /// What the agent will be once the call has ended.
        "pendingState" pending_state: Option<UserState>;
        /// The id of the reason for not being ready; −1 where there is none. Read it with [`User::reason`].
        "reasonCodeId" reason_code_id: Option<i64>;
        /// The reason itself; real servers leave it out where there is none.
        "ReasonCode" reason_code: Option<ReasonCode>;
        /// `Agent`, `Supervisor`, `Administrator`.
        "roles/role" roles: Vec<String>;
        /// What is wanted after calls.
        "settings" settings: Option<UserSettings>;
        /// Number of the agent in the router (CCE).
        "skillTargetId" skill_target_id: Option<String>;
        /// What the agent is doing.
        "state" state: Option<UserState>;
        /// Since when, as Finesse writes it: `2026-01-01T08:00:00.000Z`.
        "stateChangeTime" state_change_time: Option<String>;
        /// The team that the agent is in.
        "teamId" team_id: Option<String>;
        /// Its name.
        "teamName" team_name: Option<String>;
        /// The teams that the user supervises.
        "teams/Team" teams: Vec<Team>;
        /// Where the user is found: `/finesse/api/User/1001`.
        "uri" uri: Option<String>;
        /// Seconds that the agent has after a call.
        "wrapUpTimer" wrap_up_timer: Option<i64>;
    }
}

impl User {
    /// The agent's id: as it stands there, or the end of `uri`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.login_id.as_deref().or_else(|| crate::uri::last(self.uri.as_deref()?))
    }

    /// The id of the reason, where there is one.
    #[must_use]
    pub fn reason(&self) -> Option<i64> {
        self.reason_code_id.filter(|id| *id >= 0)
    }
}
