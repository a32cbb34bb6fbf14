//! A call as Finesse tells of it: the `Dialog` object.
//!
//! Developer Guide 12.5(1), "Dialog", "Dialog API Parameters", "State (Participant) Parameter Values".

use crate::record::{Value, record, words};
use crate::xml::Element;

words! {
    /// How a call is going, seen as a whole.
    DialogState {
        /// The caller's phone is off the hook.
        "INITIATING" Initiating,
        /// The number is dialled.
        "INITIATED" Initiated,
        /// It rings.
        "ALERTING" Alerting,
        /// Someone talks.
        "ACTIVE" Active,
        /// It could not be made.
        "FAILED" Failed,
        /// It is over.
        "DROPPED" Dropped,
        /// A call of the outbound dialler was accepted.
        "ACCEPTED" Accepted,
    }
}

words! {
    /// How a call is going for one of those in it.
    ParticipantState {
        /// The phone is off the hook.
        "INITIATING" Initiating,
        /// The number is dialled.
        "INITIATED" Initiated,
        /// It rings.
        "ALERTING" Alerting,
        /// Talks.
        "ACTIVE" Active,
        /// Holds the call.
        "HELD" Held,
        /// Could not be reached.
        "FAILED" Failed,
        /// Works on it after its end.
        "WRAP_UP" WrapUp,
        /// Has left.
        "DROPPED" Dropped,
        /// Accepted a call of the outbound dialler.
        "ACCEPTED" Accepted,
    }
}

words! {
    /// What may be asked of a call. What a participant may do now is in their `actions`: ask that list, not a table of states.
    Action {
        /// Make a call.
        "MAKE_CALL" MakeCall,
        /// Answer it.
        "ANSWER" Answer,
        /// Hold it.
        "HOLD" Hold,
        /// Talk again.
        "RETRIEVE" Retrieve,
        /// Leave it.
        "DROP" Drop,
        /// Call someone about it.
        "CONSULT_CALL" ConsultCall,
        /// Join the two calls and stay.
        "CONFERENCE" Conference,
        /// Join the two calls and leave.
        "TRANSFER" Transfer,
        /// Pass it on without a word.
        "TRANSFER_SST" TransferSingleStep,
        /// Change its variables or the reason of its end.
        "UPDATE_CALL_DATA" UpdateCallData,
        /// Send tones.
        "SEND_DTMF" SendDtmf,
        /// Record it (CCX).
        "START_RECORDING" StartRecording,
        /// Take a call that the outbound dialler offers.
        "ACCEPT" Accept,
        /// Refuse it, for good.
        "CLOSE" Close,
        /// Refuse it, to be offered again.
        "REJECT" Reject,
    }
}

/// A variable of a call. Its value is kept to the last blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallVariable {
    /// `callVariable1` to `callVariable10`, or the name of an ECC variable, `user.account`.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Value for CallVariable {
    /// A variable without a name is none.
    fn read(element: &Element) -> Option<Self> {
        let name = crate::record::child(element, "name").and_then(String::read)?;
        let value = crate::record::child(element, "value").map(Element::text).unwrap_or_default();
        Some(Self { name, value })
    }

    fn write(&self, element: Element) -> Element {
        let value = Element::new("value", "");
        let value = if self.value.is_empty() { value } else { value.saying(&self.value) };
        element.containing(Element::new("name", "").saying(&self.name)).containing(value)
    }
}

record! {
    /// What is known of a call besides who is in it.
    MediaProperties "mediaProperties" {
        /// The kind of calls; 1 is voice.
        "mediaId" media_id: Option<String>;
        /// The number that was dialled.
        "dialedNumber" dialed_number: Option<String>;
        /// `ACD_IN`, `AGENT_INSIDE`, `CONSULT`, `OUT` and others.
        "callType" call_type: Option<String>;
        /// The number that the network was asked for.
        "DNIS" dnis: Option<String>;
        /// Number of the queue that it came through.
        "queueNumber" queue_number: Option<String>;
        /// Name of that queue.
        "queueName" queue_name: Option<String>;
        /// First part of the router's key of the call.
        "callKeyPrefix" call_key_prefix: Option<String>;
        /// Second part.
        "callKeyCallId" call_key_call_id: Option<String>;
        /// Third part.
        "callKeySequenceNum" call_key_sequence: Option<String>;
        /// What the agent said of the call.
        "wrapUpReason" wrap_up_reason: Option<String>;
        /// The same in CCX, where there can be several.
        "wrapUpItems/wrapUpItem" wrap_up_items: Vec<String>;
        /// Its variables.
        "callvariables/CallVariable" call_variables: Vec<CallVariable>;
    }
}

record! {
    /// Someone in a call: an agent's phone, a customer's, a queue.
    Participant "Participant" {
        /// What they may do now.
        "actions/action" actions: Vec<Action>;
        /// The extension or number.
        "mediaAddress" media_address: Option<String>;
        /// `AGENT_DEVICE` for agents; empty for others.
        "mediaAddressType" media_address_type: Option<String>;
        /// When they came in.
        "startTime" start_time: Option<String>;
        /// How it is going for them.
        "state" state: Option<ParticipantState>;
        /// Why it failed: `BUSY`, `BAD_DESTINATION`, `OTHER`.
        "stateCause" state_cause: Option<String>;
        /// Since when.
        "stateChangeTime" state_change_time: Option<String>;
    }
}

record! {
    /// The `Dialog` object.
    Dialog "Dialog" {
        /// The call that this one was made about.
        "associatedDialogUri" associated_dialog_uri: Option<String>;
        /// Number of the caller.
        "fromAddress" from_address: Option<String>;
        /// Its id. Read it with [`Dialog::id`].
        "id" own_id: Option<String>;
        /// The call that was joined to this one and is gone.
        "secondaryId" secondary_id: Option<String>;
        /// What is known of it besides.
        "mediaProperties" media_properties: Option<MediaProperties>;
        /// `Voice` for calls.
        "mediaType" media_type: Option<String>;
        /// Who is in it.
        "participants/Participant" participants: Vec<Participant>;
        /// How it is going.
        "state" state: Option<DialogState>;
        /// Number that was called.
        "toAddress" to_address: Option<String>;
        /// Where it is found: `/finesse/api/Dialog/16804377`.
        "uri" uri: Option<String>;
    }
}

impl Dialog {
    /// The call's id: as it stands there, or the end of `uri`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.own_id.as_deref().or_else(|| crate::uri::last(self.uri.as_deref()?))
    }

    /// The one with this extension.
    #[must_use]
    pub fn participant(&self, media_address: &str) -> Option<&Participant> {
        self.participants.iter().find(|participant| participant.media_address.as_deref() == Some(media_address))
    }

    /// Whether the one with this extension may do this now.
    #[must_use]
    pub fn allows(&self, media_address: &str, action: &Action) -> bool {
        self.participant(media_address).is_some_and(|participant| participant.actions.contains(action))
    }

    /// Reads `Dialogs` or `dialogs`.
    #[must_use]
    pub fn read_list(list: &Element) -> Vec<Self> {
        crate::record::list_of(list, Self::ELEMENT)
    }
}
