//! What is known of an agent and their calls, and what of an answer or an event is new.

use std::collections::{BTreeMap, BTreeSet};

use super::events::Connection;
use crate::dialog::{Dialog, Participant};
use crate::notification::Event;
use crate::user::User;

/// Something that is otherwise than was published before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The agent.
    Agent(Box<User>),
    /// The agent is in this call, and was not.
    DialogAdded(Box<Dialog>),
    /// The call.
    DialogChanged(Box<Dialog>),
    /// The agent is no longer in the call with this id.
    DialogRemoved(String),
    /// Whether what was published can be relied on.
    Connection(Connection),
}

/// What an event brought.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Heard {
    pub(super) changes: Vec<Change>,
    /// It is not clear whether it is older than what is known.
    pub(super) doubtful: bool,
}

/// Something as it was published, and when it changed by the clock of the server it was read from.
#[derive(Debug, Clone, PartialEq, Default)]
struct Published<T> {
    /// Without what differs between two servers though nothing has changed: times, and the order of lists.
    plain: T,
    changed: Option<String>,
}

/// What is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Known {
    /// As it came.
    user: Option<User>,
    published: Option<Published<User>>,
    dialogs: BTreeMap<String, Published<Dialog>>,
}

/// How an event stands to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Newer,
    Older,
    Unclear,
}

impl Known {
    /// The agent as last told.
    pub(super) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Whether the agent is in a call.
    pub(super) fn in_call(&self) -> bool {
        !self.dialogs.is_empty()
    }

    /// Takes the agent as they are from now on.
    pub(super) fn take_user(&mut self, user: User) -> Option<Change> {
        let new = Published { plain: plain_user(&user), changed: user.state_change_time.clone() };
        let differs = self.published.as_ref().is_none_or(|known| known.plain != new.plain);
        self.published = Some(new);
        let change = differs.then(|| Change::Agent(Box::new(user.clone())));
        self.user = Some(user);
        change
    }

    /// Takes all calls as they are from now on.
    pub(super) fn take_dialogs(&mut self, dialogs: Vec<Dialog>) -> Vec<Change> {
        let ids: BTreeSet<&str> = dialogs.iter().filter_map(Dialog::id).collect();
        let gone: Vec<String> = self.dialogs.keys().filter(|id| !ids.contains(id.as_str())).cloned().collect();
        let mut changes: Vec<Change> = gone.into_iter().filter_map(|id| self.remove(&id)).collect();
        changes.extend(dialogs.into_iter().filter_map(|dialog| self.take_dialog(dialog)));
        changes
    }

    fn take_dialog(&mut self, dialog: Dialog) -> Option<Change> {
        let id = dialog.id()?.to_owned();
        let new = Published { plain: plain_dialog(&dialog), changed: changed_at(&dialog) };
        match self.dialogs.get_mut(&id) {
            Some(known) if known.plain == new.plain => {
                known.changed = new.changed;
                None
            }
            Some(known) => {
                *known = new;
                Some(Change::DialogChanged(Box::new(dialog)))
            }
            None => {
                self.dialogs.insert(id, new);
                Some(Change::DialogAdded(Box::new(dialog)))
            }
        }
    }

    fn remove(&mut self, id: &str) -> Option<Change> {
        self.dialogs.remove(id).map(|_| Change::DialogRemoved(id.to_owned()))
    }

    /// Takes an event. Where it may be older than what was read (`strict`), the times of change decide.
    pub(super) fn hear(&mut self, event: Event, strict: bool) -> Heard {
        match event {
            Event::UserChanged(user) => {
                let age = self.published.as_ref().filter(|_| strict).map_or(Age::Newer, |known| {
                    age(known.changed.as_deref(), user.state_change_time.as_deref(), || {
                        known.plain == plain_user(&user)
                    })
                });
                self.judged(age, |known| known.take_user(*user))
            }
            Event::DialogAdded(dialog) | Event::DialogChanged(dialog) => {
                let known = dialog.id().and_then(|id| self.dialogs.get(id));
                let age = match known {
                    // Either it is new, or it was over before the answer.
                    None if strict => Age::Unclear,
                    Some(known) if strict => age(known.changed.as_deref(), changed_at(&dialog).as_deref(), || {
                        known.plain == plain_dialog(&dialog)
                    }),
                    _ => Age::Newer,
                };
                self.judged(age, |known| known.take_dialog(*dialog))
            }
            Event::DialogRemoved { id, dialog } => {
                let known = self.dialogs.get(&id).and_then(|known| known.changed.clone());
                let ended = dialog.as_deref().and_then(changed_at);
                // A call that comes a second time may have been left before.
                let older = strict && matches!((known, ended), (Some(known), Some(ended)) if ended < known);
                self.judged(if older { Age::Unclear } else { Age::Newer }, |known| known.remove(&id))
            }
            _ => Heard::default(),
        }
    }

    fn judged(&mut self, age: Age, take: impl FnOnce(&mut Self) -> Option<Change>) -> Heard {
        match age {
            Age::Newer => Heard { changes: take(self).into_iter().collect(), doubtful: false },
            Age::Older => Heard::default(),
            Age::Unclear => Heard { changes: Vec::new(), doubtful: true },
        }
    }
}

/// Compares two times of one server. They are written alike, so their letters are in the order of time.
fn age(known: Option<&str>, new: Option<&str>, same: impl FnOnce() -> bool) -> Age {
    match (known, new) {
        (Some(known), Some(new)) if known.len() == new.len() && known < new => Age::Newer,
        (Some(known), Some(new)) if known.len() == new.len() && known > new => Age::Older,
        _ if same() => Age::Older,
        _ => Age::Unclear,
    }
}

/// When something last changed for anyone in the call.
fn changed_at(dialog: &Dialog) -> Option<String> {
    let times = |one: &Participant| one.state_change_time.clone().max(one.start_time.clone());
    dialog.participants.iter().filter_map(times).max()
}

fn plain_user(user: &User) -> User {
    let mut user = User { state_change_time: None, ..user.clone() };
    user.roles.sort_unstable();
    user
}

fn plain_dialog(dialog: &Dialog) -> Dialog {
    let mut dialog = dialog.clone();
    dialog.participants.sort_by(|one, other| one.media_address.cmp(&other.media_address));
    for participant in &mut dialog.participants {
        (participant.start_time, participant.state_change_time) = (None, None);
        participant.actions.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    }
    if let Some(properties) = &mut dialog.media_properties {
        properties.call_variables.sort_by(|one, other| one.name.cmp(&other.name));
    }
    dialog
}
