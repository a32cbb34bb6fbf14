//! What Finesse's state shows of a request that may have been done.

use topoc_finesse_proto::dialog::{Action, Dialog, ParticipantState};
use topoc_finesse_proto::user::UserState;

use super::agent::Picture;
use crate::command::{Becomes, Request, Value};

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// What was wanted is so.
    Done,
    /// It was not done so far: it could not have been undone.
    NotDone,
    /// Neither.
    Nothing,
}

/// What is shown of a request by what Finesse says now.
pub(super) fn shown(request: &Request, agent: &Picture) -> Shown {
    let dialog = request.text("dialog_id").and_then(|id| agent.dialogs.get(id));
    let done = |is: bool| if is { Shown::Done } else { Shown::Nothing };
    match &request.row().becomes {
        Becomes::SignIn => done(agent.is_signed_in() && agent.extension() == request.text("extension")),
        Becomes::SignOut => done(agent.state() == Some(&UserState::Logout)),
        Becomes::State(wanted) => done(is_in_state(request, agent, wanted)),
        Becomes::MakeCall => done(has_called(request, agent)),
        Becomes::Consult => done(dialog.is_some() && has_called(request, agent)),
        Becomes::WrapUp => {
            let said = dialog.and_then(|dialog| dialog.media_properties.as_ref()?.wrap_up_reason.as_deref());
            done(said.is_some() && said == request.text("reason"))
        }
        Becomes::Act(action) => acted(action, dialog, agent),
        Becomes::TransferSingleStep => not_yet(&Action::TransferSingleStep, dialog, agent),
        _ => Shown::Nothing,
    }
}

fn is_in_state(request: &Request, agent: &Picture, wanted: &UserState) -> bool {
    let Some(user) = &agent.user else { return false };
    let same_reason = match request.value("reason") {
        Some(Value::Reason(id)) => user.reason() == Some(*id),
        _ => true,
    };
    user.pending_state.as_ref() == Some(wanted) || (user.state.as_ref() == Some(wanted) && same_reason)
}

fn has_called(request: &Request, agent: &Picture) -> bool {
    let is_it = |dialog: &Dialog| {
        dialog.from_address.as_deref() == agent.extension() && dialog.to_address.as_deref() == request.text("number")
    };
    agent.extension().is_some() && agent.dialogs.values().any(is_it)
}

fn acted(action: &Action, dialog: Option<&Dialog>, agent: &Picture) -> Shown {
    let state = dialog.zip(agent.extension()).and_then(|(dialog, phone)| dialog.participant(phone)?.state.as_ref());
    match (action, state) {
        (Action::Drop, _) if dialog.is_none() => Shown::Done,
        (Action::Drop, Some(ParticipantState::Dropped | ParticipantState::WrapUp))
        | (Action::Answer, Some(ParticipantState::Active | ParticipantState::Held))
        | (Action::Hold, Some(ParticipantState::Held))
        | (Action::Retrieve, Some(ParticipantState::Active)) => Shown::Done,
        (Action::Conference, _) if dialog.is_some_and(|dialog| dialog.participants.len() > 2) => Shown::Done,
        (Action::Answer | Action::Drop | Action::Transfer | Action::Conference, _) => not_yet(action, dialog, agent),
        _ => Shown::Nothing,
    }
}

/// For what cannot be undone: as long as it may still be asked for, it was not done.
fn not_yet(action: &Action, dialog: Option<&Dialog>, agent: &Picture) -> Shown {
    let may = dialog.zip(agent.extension()).is_some_and(|(dialog, phone)| dialog.allows(phone, action));
    if may { Shown::NotDone } else { Shown::Nothing }
}
