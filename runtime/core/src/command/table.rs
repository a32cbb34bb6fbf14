//! All commands, one row each: code reads it, tests execute it, documents print it.
//!
//! Names and bodies are those of the Generic Connector's developer guide and JSON API (4.4 and 4.4.12). Where these pages name a
//! purpose and show no name, the name is ours and says so.

use topoc_finesse_proto::dialog::Action;
use topoc_finesse_proto::reason_code::ReasonCategory;
use topoc_finesse_proto::user::UserState;

/// Where a command comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This document shows its name.
    Documented(&'static str),
    /// The name is ours, for this reason.
    Ours(&'static str),
}

/// What a command is about, in the words of the Generic Connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// The connector itself.
    System,
    /// Which client is whose.
    AgentInfo,
    /// What the agent is doing.
    AgentState,
    /// Calls.
    AgentCall,
    /// What is known of calls.
    AgentDialog,
}

/// What stands after `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The agent's id at Finesse.
    Agent,
    /// The client's destination: it asks before it has an agent.
    Destination,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client's destination.
    Destination,
    /// A password or a token: never shown.
    Secret,
    /// The word `SSO`.
    Sso,
    /// A phone: an extension, or any number that can be dialled.
    Phone,
    /// `true` or `false`.
    Flag,
    /// The id of a call.
    Dialog,
    /// The id of a reason, as `ReasonCodes` tells it. It is not the reason's code.
    Reason,
    /// What an agent says of a call.
    Label,
}

impl Kind {
    /// Longest value, in bytes. Ours: longer than any that Finesse's documents show.
    #[must_use]
    pub const fn longest(self) -> usize {
        match self {
            Self::Destination => crate::destination::LONGEST + "queue://".len(),
            // Tokens of single sign-on are some kilobytes.
            Self::Secret => 8192,
            Self::Sso | Self::Flag => 8,
            Self::Phone | Self::Dialog => 64,
            Self::Reason => 20,
            Self::Label => 256,
        }
    }

    /// What is expected, for messages.
    #[must_use]
    pub const fn expects(self) -> &'static str {
        match self {
            Self::Destination => "the name of a topic, or `queue://NAME`",
            Self::Secret => "a password or a token",
            Self::Sso => "the word `SSO`",
            Self::Phone => "a phone number of digits, letters and `+ - . * ( ) @ _`",
            Self::Flag => "`true` or `false`",
            Self::Dialog => "the id of a call",
            Self::Reason => "the id of a reason, a whole number from 0",
            Self::Label => "a text",
        }
    }
}

/// A field of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it has to be there.
    pub required: bool,
    /// What it means.
    pub says: &'static str,
}

const fn wanted(name: &'static str, kind: Kind, says: &'static str) -> Field {
    Field { name, kind, required: true, says }
}

const fn optional(name: &'static str, kind: Kind, says: &'static str) -> Field {
    Field { name, kind, required: false, says }
}

/// What becomes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// The connector answers it alone.
    Status,
    /// The agent's events go to the client from now on.
    Bind,
    /// The agent's events go nowhere any more.
    Unbind,
    /// Signs in.
    SignIn,
    /// Signs out.
    SignOut,
    /// Changes the agent's state to this.
    State(UserState),
    /// Reads the agent.
    ReadAgent,
    /// Reads the agent's calls.
    ReadDialogs,
    /// Calls someone.
    MakeCall,
    /// This action on a call, which needs nothing but the call.
    Act(Action),
    /// Calls someone about a call.
    Consult,
    /// Passes a call on.
    TransferSingleStep,
    /// Says why a call was.
    WrapUp,
    /// Reads reasons for a state.
    ReasonCodes(ReasonCategory),
    /// Reads reasons for calls.
    WrapUpReasons,
}

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name, as it is best written.
    pub name: &'static str,
    /// Where the name comes from.
    pub origin: Origin,
    /// What it is about.
    pub category: Category,
    /// What stands after `#`.
    pub subject: Subject,
    /// The fields, in the order of the comma-separated form. Required ones come first.
    pub fields: &'static [Field],
    /// The events that tell what came of it.
    pub events: &'static [&'static str],
    /// What becomes of it.
    pub becomes: Becomes,
    /// What it does.
    pub says: &'static str,
}

impl Row {
    /// The action that has to be among the agent's `actions` of the call, if the command is about a call. Ask that list, not a
    /// table of states (Finesse Developer Guide, "State (Participant) Parameter Values").
    #[must_use]
    pub const fn action(&self) -> Option<&Action> {
        match &self.becomes {
            Becomes::Act(action) => Some(action),
            Becomes::Consult => Some(&Action::ConsultCall),
            Becomes::TransferSingleStep => Some(&Action::TransferSingleStep),
            Becomes::WrapUp => Some(&Action::UpdateCallData),
            _ => None,
        }
    }

    /// Whether nothing is changed at Finesse, so that a second time does no harm.
    #[must_use]
    pub const fn is_harmless(&self) -> bool {
        self.is_question() || matches!(self.becomes, Becomes::Bind | Becomes::Unbind)
    }

    /// Whether it changes nothing, so that it may be asked as often as one likes.
    #[must_use]
    pub const fn is_question(&self) -> bool {
        matches!(
            self.becomes,
            Becomes::Status
                | Becomes::ReadAgent
                | Becomes::ReadDialogs
                | Becomes::ReasonCodes(_)
                | Becomes::WrapUpReasons
        )
    }
}

/// The row with this name, whatever its capitals.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    COMMANDS.iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// Something that the documents list among commands and that is none here.
#[derive(Debug, PartialEq, Eq)]
pub struct NotACommand {
    /// What the documents call it.
    pub purpose: &'static str,
    /// How one gets it.
    pub instead: &'static str,
}

/// Purposes without a command of their own. Their pages show neither a name nor a body.
pub const NOT_COMMANDS: &[NotACommand] = &[
    NotACommand {
        purpose: "Dialog controls",
        instead: "`GetDialogState`: each participant has the actions that are allowed now",
    },
    NotACommand { purpose: "Dialog participants", instead: "`GetDialogState`: each call has its participants" },
    NotACommand {
        purpose: "Abrupt disconnection",
        instead: "`Disconnect`: the client takes no events of the agent any more",
    },
    NotACommand { purpose: "Logout with reason, as a form of `Logout`", instead: "`LogoutWithReason`" },
];

const DIALOG: Field = wanted("dialog_id", Kind::Dialog, "the call");
const NUMBER: Field = wanted("number", Kind::Phone, "whom to call");
const REASON: Field = wanted("reason", Kind::Reason, "why; its id is in `ReasonCodes`");
const PASSWORD: Field = wanted("password", Kind::Secret, "the agent's password at Finesse; with `SSO`, their token");
const EXTENSION: Field = wanted("extension", Kind::Phone, "the phone that the agent sits at");
const SECOND: Field = wanted("second_extension", Kind::Phone, "who was called about the call");

const GUIDE: Origin = Origin::Documented("Generic Connector, developer guide and JSON API 4.4.12");
const WITH_REASON: Origin = Origin::Ours("documented as \"Logout with Reason\", named as `MakeNotReadyWithReason` is");
const PURPOSE: Origin = Origin::Ours("the purpose is documented, the name was not seen");

macro_rules! commands {
    ($( $name:literal $origin:ident $category:ident $subject:ident $fields:tt $events:tt $becomes:expr, $says:literal )*) => {
        /// The table.
        pub static COMMANDS: &[Row] = &[$( Row {
            name: $name,
            origin: $origin,
            category: Category::$category,
            subject: Subject::$subject,
            fields: &$fields,
            events: &$events,
            becomes: $becomes,
            says: $says,
        } ),*];
    };
}

commands! {
    "Hello" GUIDE System Destination [] ["SystemStatus"] Becomes::Status,
        "Asks how the connector is doing, before there is an agent"
    "Beat" GUIDE System Destination [] ["SystemStatus"] Becomes::Status,
        "Asks how the connector is doing"
    "Connect" GUIDE AgentInfo Agent
        [wanted("client_destination", Kind::Destination, "where the agent's events go from now on"), PASSWORD,
         optional("sso", Kind::Sso, "the password is a token of single sign-on")]
        ["ConnectStatus"] Becomes::Bind,
        "Binds an agent to a client"
    "Disconnect" PURPOSE AgentInfo Agent [] ["ConnectStatus"] Becomes::Unbind,
        "Unbinds an agent; Finesse is not told"
    "Login" GUIDE AgentState Agent [PASSWORD, EXTENSION] ["AgentState", "AgentInfo", "DialogState"] Becomes::SignIn,
        "Signs an agent in. One who is signed in keeps their state"
    "MobileAgentLogin" GUIDE AgentState Agent
        [PASSWORD, EXTENSION, wanted("phone", Kind::Phone, "the phone that is called"),
         wanted("mode", Kind::Flag, "`true`: the phone rings for each call; `false`: one connection stays up")]
        ["AgentInfo", "AgentState", "DialogState"] Becomes::SignIn,
        "Signs a mobile agent in"
    "Logout" GUIDE AgentState Agent [] ["AgentState"] Becomes::SignOut,
        "Signs an agent out"
    "LogoutWithReason" WITH_REASON AgentState Agent [REASON] ["AgentState"] Becomes::SignOut,
        "Signs an agent out, and says why"
    "MakeReady" GUIDE AgentState Agent [] ["AgentState"] Becomes::State(UserState::Ready),
        "The agent takes calls"
    "MakeNotReady" GUIDE AgentState Agent [] ["AgentState"] Becomes::State(UserState::NotReady),
        "The agent takes no calls"
    "MakeNotReadyWithReason" GUIDE AgentState Agent [REASON] ["AgentState"] Becomes::State(UserState::NotReady),
        "The agent takes no calls, and says why"
    "MakeWorkReady" PURPOSE AgentState Agent [] ["AgentState"] Becomes::State(UserState::WorkReady),
        "The agent works after the call, and is ready then"
    "MakeWorkNotReady" PURPOSE AgentState Agent [] ["AgentState"] Becomes::State(UserState::Work),
        "The agent works after the call, and is not ready then"
    "GetState" GUIDE AgentState Agent [] ["AgentState"] Becomes::ReadAgent,
        "Asks what the agent is doing"
    "GetDialogState" PURPOSE AgentDialog Agent [] ["DialogState"] Becomes::ReadDialogs,
        "Asks for the agent's calls: who is in them, and what may be done with them"
    "MakeCall" GUIDE AgentCall Agent [NUMBER] ["InboundCall"] Becomes::MakeCall,
        "Calls someone"
    "AnswerCall" GUIDE AgentCall Agent [DIALOG] ["InboundCall"] Becomes::Act(Action::Answer),
        "Answers a call"
    "HoldCall" GUIDE AgentCall Agent [DIALOG] ["InboundCall"] Becomes::Act(Action::Hold),
        "Holds a call"
    "RetrieveCall" GUIDE AgentCall Agent [DIALOG] ["InboundCall"] Becomes::Act(Action::Retrieve),
        "Talks again"
    "ReleaseCall" GUIDE AgentCall Agent [DIALOG] ["InboundCall"] Becomes::Act(Action::Drop),
        "Leaves a call"
    "Transfer_sst" GUIDE AgentCall Agent [NUMBER, DIALOG] ["InboundCall"] Becomes::TransferSingleStep,
        "Passes a call on without a word (CCE)"
    "ConsultCall" PURPOSE AgentCall Agent [NUMBER, DIALOG] ["ConsultCall"] Becomes::Consult,
        "Holds a call and calls someone about it"
    "TransferCall" GUIDE AgentCall Agent [SECOND, DIALOG] ["TransferCall"] Becomes::Act(Action::Transfer),
        "Joins the held call with the one about it, and leaves"
    "ConferenceCall" GUIDE AgentCall Agent [SECOND, DIALOG] ["ConferenceCall"] Becomes::Act(Action::Conference),
        "Joins the held call with the one about it, and stays"
    "WrapUpCall" PURPOSE AgentDialog Agent [wanted("reason", Kind::Label, "the label, as `ReasonCodes` tells it"), DIALOG] []
        Becomes::WrapUp,
        "Says what a call was about"
    "WrapUpReasonCode" GUIDE AgentDialog Agent [] ["ReasonCodes"] Becomes::WrapUpReasons,
        "Asks what may be said of calls"
    "ReasonCodeLogout" GUIDE AgentState Agent [] ["ReasonCodes"] Becomes::ReasonCodes(ReasonCategory::Logout),
        "Asks for the reasons for signing out"
    "ReasonCodeNotReady" GUIDE AgentState Agent [] ["ReasonCodes"] Becomes::ReasonCodes(ReasonCategory::NotReady),
        "Asks for the reasons for not being ready"
}
