//! What is read and heard of the agent, in its true order, and what of it is published.

use std::time::Duration;

use super::Turn;
use crate::cluster::{Service, Sign};
use crate::dialog::Dialog;
use crate::notification;
use crate::session::events::{Connection, Notice, Order};
use crate::session::known::Change;
use crate::session::table::{Cause, Phase};
use crate::user::User;

/// How much later than an answer an event may come that is older than it.
pub const LATE: Duration = Duration::from_secs(5);
/// Events that are kept while an answer is on its way. If there are more, everything is read again.
const BUFFER: usize = 256;

impl Turn<'_> {
    pub(super) fn notified(&mut self, notice: Notice) {
        let Some((_, node)) = self.machine.open() else { return };
        match notice {
            Notice::Presence(available) => self.orders.push(Order::Tell(node, Sign::Presence(available))),
            Notice::Update(notification::Event::SystemInfo(info)) => {
                self.orders.push(Order::Tell(node, Sign::Service(Service::from(&*info))));
            }
            Notice::Update(event) => self.heard(event),
        }
    }

    fn heard(&mut self, event: notification::Event) {
        use notification::Event::{DialogAdded, DialogChanged, DialogRemoved, UserChanged};
        let of_user = matches!(event, UserChanged(_));
        let of_dialog = matches!(event, DialogAdded(_) | DialogChanged(_) | DialogRemoved { .. });
        match self.machine.phase {
            _ if !of_user && !of_dialog => {}
            // The calls are read after this, and that will be newer.
            Phase::ReadingUser if of_dialog => {}
            Phase::ReadingUser => self.keep(event),
            Phase::ReadingDialogs if of_dialog => self.keep(event),
            _ => self.apply(event),
        }
    }

    /// Keeps an event until the answer is there.
    fn keep(&mut self, event: notification::Event) {
        if self.machine.buffer.len() == BUFFER {
            self.machine.buffer.pop_front();
            self.doubt();
        }
        self.machine.buffer.push_back(event);
    }

    fn apply(&mut self, event: notification::Event) {
        let of_user = matches!(event, notification::Event::UserChanged(_));
        let read = if of_user { self.machine.read_user } else { self.machine.read_dialogs };
        let strict = read.is_some_and(|read| self.now < read + LATE);
        let heard = self.machine.known.hear(event, strict);
        let changed = !heard.changes.is_empty();
        self.publish(heard.changes);
        if heard.doubtful {
            self.doubt();
        }
        if of_user && changed {
            self.learn();
        }
    }

    pub(super) fn user_read(&mut self, user: User) {
        let change = self.machine.known.take_user(user);
        self.publish(change);
        self.machine.read_user = Some(self.now);
        self.go(Cause::UserRead);
        self.replay();
        self.learn();
    }

    pub(super) fn dialogs_read(&mut self, dialogs: Vec<Dialog>) {
        let changes = self.machine.known.take_dialogs(dialogs);
        self.publish(changes);
        self.machine.read_dialogs = Some(self.now);
        self.machine.reads = 0;
        self.go(Cause::DialogsRead);
        self.replay();
        if let Some((_, node)) = self.machine.link {
            self.connected(Connection::Live(node));
        }
    }

    /// What came while the answer was on its way.
    fn replay(&mut self) {
        for event in std::mem::take(&mut self.machine.buffer) {
            self.apply(event);
        }
    }

    pub(super) fn connected(&mut self, connection: Connection) {
        if self.machine.connection.replace(connection) != Some(connection) {
            self.publish([Change::Connection(connection)]);
        }
    }

    /// What was published may be out of date from now on.
    pub(super) fn cut(&mut self) {
        if matches!(self.machine.connection, Some(Connection::Live(_))) {
            self.connected(Connection::Interrupted);
        }
    }

    fn publish(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.orders.extend(changes.into_iter().map(Order::Publish));
    }
}
