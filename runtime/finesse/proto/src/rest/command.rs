//! What an agent wants from Finesse.

use super::table::{self, Row};
use crate::dialog::{Action, CallVariable};
use crate::reason_code::ReasonCategory;
use crate::record::Value;
use crate::secret::Secret;
use crate::user::{MobileAgent, UserState};
use crate::xml::{Element, Node};

/// A command with its arguments. Ids and numbers are taken as they are: Finesse knows which ones exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Asks how the server is doing. Finesse wants no credentials for it.
    SystemInfo,
    /// Asks for the agent.
    User {
        /// The agent's id.
        agent: String,
    },
    /// Asks for the calls that the agent is in.
    Dialogs {
        /// The agent's id.
        agent: String,
    },
    /// Asks for one call.
    Dialog {
        /// The call's id.
        dialog: String,
    },
    /// Asks for the reasons that the agent may give.
    ReasonCodes {
        /// The agent's id.
        agent: String,
        /// For what.
        category: ReasonCategory,
    },
    /// Asks what the agent may say of calls.
    WrapUpReasons {
        /// The agent's id.
        agent: String,
    },
    /// Signs the agent in. One who is signed in keeps their state.
    SignIn {
        /// The agent's id.
        agent: String,
        /// The phone.
        extension: String,
        /// Where the phone is, for a mobile agent.
        mobile: Option<MobileAgent>,
    },
    /// Makes the agent ready or not ready.
    ChangeState {
        /// The agent's id.
        agent: String,
        /// `READY` or `NOT_READY`.
        state: UserState,
        /// The id of the reason, which is not its code.
        reason: Option<i64>,
    },
    /// Signs the agent out.
    SignOut {
        /// The agent's id.
        agent: String,
        /// The id of the reason.
        reason: Option<i64>,
    },
    /// Calls someone.
    MakeCall {
        /// The agent's id.
        agent: String,
        /// The phone that the agent signed in with.
        extension: String,
        /// Whom.
        number: String,
        /// Variables of the call. CCX refuses them.
        variables: Vec<CallVariable>,
    },
    /// Answers, holds, retrieves, drops, joins calls: whatever needs nothing else.
    Act {
        /// The call's id.
        dialog: String,
        /// The agent's phone.
        extension: String,
        /// What.
        action: Action,
    },
    /// Holds the call and calls someone about it.
    Consult {
        /// The call's id.
        dialog: String,
        /// The agent's phone.
        extension: String,
        /// Whom.
        number: String,
    },
    /// Passes the call on without a word.
    TransferSingleStep {
        /// The call's id.
        dialog: String,
        /// The agent's phone.
        extension: String,
        /// To whom.
        number: String,
    },
    /// Says something of the call: why it was, or its variables.
    UpdateCallData {
        /// The call's id.
        dialog: String,
        /// What the agent says of the call: the label of a reason.
        reason: Option<String>,
        /// The variables that change.
        variables: Vec<CallVariable>,
    },
    /// Sends tones. What is typed into a call can be a secret.
    SendDtmf {
        /// The call's id.
        dialog: String,
        /// The agent's phone.
        extension: String,
        /// `0`–`9`, `*`, `#`; with CCE `A`–`D` too.
        tones: Secret,
    },
    /// Asks for a new token before the old one expires.
    RefreshToken {
        /// The agent's name or id.
        user: String,
        /// The token in use.
        token: Secret,
        /// The token that a new one is given for.
        refresh: Secret,
    },
}

/// What stands for a `{name}` of a row.
pub(super) enum Argument<'a> {
    /// Text. An empty one counts as none.
    Text(String),
    /// The same, borrowed.
    Str(&'a str),
    /// Variables of a call.
    Variables(&'a [CallVariable]),
}

impl Argument<'_> {
    /// Writes it into an element.
    pub(super) fn add_to(&self, element: &mut Element) {
        match self {
            Self::Text(_) | Self::Str(_) if self.text().is_empty() => {}
            Self::Text(_) | Self::Str(_) => element.children.push(Node::Text(self.text().to_owned())),
            Self::Variables(variables) => {
                let written = variables.iter().map(|it| it.write(Element::new("CallVariable", "")));
                element.children.extend(written.map(Node::Element));
            }
        }
    }

    /// It as text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Str(text) => text,
            Self::Variables(_) => "",
        }
    }
}

impl Command {
    /// Its row in the table.
    #[must_use]
    pub const fn row(&self) -> &'static Row {
        match self {
            Self::SystemInfo => table::SYSTEM_INFO,
            Self::User { .. } => table::USER,
            Self::Dialogs { .. } => table::DIALOGS,
            Self::Dialog { .. } => table::DIALOG,
            Self::ReasonCodes { .. } => table::REASON_CODES,
            Self::WrapUpReasons { .. } => table::WRAP_UP_REASONS,
            Self::SignIn { .. } => table::SIGN_IN,
            Self::ChangeState { .. } => table::CHANGE_STATE,
            Self::SignOut { .. } => table::SIGN_OUT,
            Self::MakeCall { .. } => table::MAKE_CALL,
            Self::Act { .. } => table::ACT,
            Self::Consult { .. } => table::CONSULT,
            Self::TransferSingleStep { .. } => table::TRANSFER_SINGLE_STEP,
            Self::UpdateCallData { .. } => table::UPDATE_CALL_DATA,
            Self::SendDtmf { .. } => table::SEND_DTMF,
            Self::RefreshToken { .. } => table::REFRESH_TOKEN,
        }
    }

    /// What stands for this `{name}`; `None` if nothing does.
    pub(super) fn argument(&self, wanted: &str) -> Option<Argument<'_>> {
        let text = |value| Some(Argument::Str(value));
        match (self, wanted) {
            (
                Self::User { agent }
                | Self::Dialogs { agent }
                | Self::ReasonCodes { agent, .. }
                | Self::WrapUpReasons { agent }
                | Self::SignIn { agent, .. }
                | Self::ChangeState { agent, .. }
                | Self::SignOut { agent, .. }
                | Self::MakeCall { agent, .. },
                "agent",
            ) => text(agent),
            (
                Self::Dialog { dialog }
                | Self::Act { dialog, .. }
                | Self::Consult { dialog, .. }
                | Self::TransferSingleStep { dialog, .. }
                | Self::UpdateCallData { dialog, .. }
                | Self::SendDtmf { dialog, .. },
                "dialog",
            ) => text(dialog),
            (
                Self::SignIn { extension, .. }
                | Self::MakeCall { extension, .. }
                | Self::Act { extension, .. }
                | Self::Consult { extension, .. }
                | Self::TransferSingleStep { extension, .. }
                | Self::SendDtmf { extension, .. },
                "extension",
            ) => text(extension),
            (
                Self::MakeCall { number, .. } | Self::Consult { number, .. } | Self::TransferSingleStep { number, .. },
                "number",
            ) => text(number),
            (Self::ReasonCodes { category, .. }, "category") => text(category.as_str()),
            (Self::SignIn { mobile: Some(mobile), .. }, "mode") => text(mobile.mode.as_ref()?.as_str()),
            (Self::SignIn { mobile: Some(mobile), .. }, "number") => text(mobile.dial_number.as_deref()?),
            (Self::ChangeState { state, .. }, "state") => text(state.as_str()),
            (Self::ChangeState { reason, .. } | Self::SignOut { reason, .. }, "reason") => {
                Some(Argument::Text((*reason)?.to_string()))
            }
            (Self::UpdateCallData { reason, .. }, "reason") => text(reason.as_deref()?),
            (Self::MakeCall { variables, .. } | Self::UpdateCallData { variables, .. }, "variables") => {
                Some(Argument::Variables(variables))
            }
            (Self::Act { action, .. }, "action") => text(action.as_str()),
            (Self::SendDtmf { tones, .. }, "tones") => text(tones.expose()),
            (Self::RefreshToken { user, .. }, "user") => text(user),
            (Self::RefreshToken { token, .. }, "token") => text(token.expose()),
            (Self::RefreshToken { refresh, .. }, "refresh") => text(refresh.expose()),
            _ => None,
        }
    }
}
