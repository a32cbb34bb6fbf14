//! Messages, agents and calls as tests need them.

use std::time::Duration;

use topoc_core::connector::{Limits, Message, Settings};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::dialog::{Action, Dialog, Participant, ParticipantState};
use topoc_finesse_proto::session::{Change, Connection};
use topoc_finesse_proto::user::{User, UserState};

pub(crate) const LIVE: Change = Change::Connection(Connection::Live(NodeId(0)));

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn settings(limits: Limits) -> Settings {
    Settings { name: "gc-1".to_owned(), epoch: 3, queue: "requests".to_owned(), limits }
}

pub(crate) fn message(delivery: u64, id: &str, jms_type: &str, body: &str) -> Message {
    Message {
        delivery,
        id: id.to_owned(),
        jms_type: Some(jms_type.to_owned()),
        body: body.as_bytes().to_vec(),
        correlation: None,
        reply_to: None,
        redelivered: false,
        crossed: false,
        sent: None,
        expires: None,
    }
}

pub(crate) fn user(state: UserState, extension: &str, since: u64) -> User {
    User {
        login_id: Some("1001".to_owned()),
        extension: Some(extension.to_owned()),
        state: Some(state),
        state_change_time: Some(format!("{since:08}")),
        ..User::default()
    }
}

pub(crate) fn dialog(id: &str, to: &str, state: ParticipantState, actions: &[Action]) -> Dialog {
    Dialog {
        own_id: Some(id.to_owned()),
        from_address: Some("2001".to_owned()),
        to_address: Some(to.to_owned()),
        participants: vec![Participant {
            media_address: Some("2001".to_owned()),
            state: Some(state),
            actions: actions.to_vec(),
            ..Participant::default()
        }],
        ..Dialog::default()
    }
}

/// An agent who talks: with the actions that Finesse then allows.
pub(crate) fn talking(id: &str) -> Dialog {
    dialog(id, "3000", ParticipantState::Active, &[Action::Hold, Action::Drop, Action::ConsultCall])
}
