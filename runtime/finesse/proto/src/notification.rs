//! What Finesse tells without being asked: an `Update`, as text inside an item of its notification service.
//!
//! Developer Guide 12.5(1), "Cisco Finesse Notifications": the envelope, and what is in it for users, dialogs and errors. The
//! order of its elements and their capitals differ between releases, and between events of one release.

use crate::api_error::ApiError;
use crate::dialog::Dialog;
use crate::record::{Value, child};
use crate::system_info::SystemInfo;
use crate::uri::Resource;
use crate::user::User;
use crate::xml::{self, Element, Limits, XmlError};

/// The namespace of the element that carries an `Update` as text.
pub const PUSH: &str = "urn:xmpp:push:0";

/// The namespace of events of XMPP's publish-subscribe service (XEP-0060, 7.1.2.1).
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A user is as told here from now on: all of it, not the difference.
    UserChanged(Box<User>),
    /// A user is no more. Finesse sends no data then.
    UserRemoved {
        /// The id, from the address of the event.
        id: String,
    },
    /// The agent is in a call that they were not in.
    DialogAdded(Box<Dialog>),
    /// A call is as told here from now on.
    DialogChanged(Box<Dialog>),
    /// The agent is in this call no more.
    DialogRemoved {
        /// The call's id.
        id: String,
        /// How it ended, if the event tells.
        dialog: Option<Box<Dialog>>,
    },
    /// The server is as told here from now on.
    SystemInfo(Box<SystemInfo>),
    /// A request that was accepted has failed later. [`Update::source`] says whose it was.
    Failed(ApiError),
    /// Something that is not for us, or that we do not know.
    Unknown {
        /// What happened to it, as it came.
        event: String,
        /// Its name; empty if there is no data.
        name: String,
    },
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The `requestId` of the request that led to it, where Finesse repeats it: it does not always.
    pub request_id: Option<String>,
    /// Whose change it is.
    pub source: Resource,
    /// What happened: mostly one thing.
    pub events: Vec<Event>,
}

impl Update {
    /// Reads the text of an `Update`.
    ///
    /// # Errors
    ///
    /// [`XmlError`] if it is no XML within these limits.
    pub fn parse(text: &str, limits: Limits) -> Result<Self, XmlError> {
        xml::read(text.trim(), limits).map(|update| Self::read(&update))
    }

    /// Reads an `Update`. Anything else is an unknown event under its own name.
    #[must_use]
    pub fn read(update: &Element) -> Self {
        let text = |name| child(update, name).and_then(String::read);
        let event = text("event").unwrap_or_default();
        let source = Resource::read(&text("source").unwrap_or_default());
        let mut events = Vec::new();
        if update.name.eq_ignore_ascii_case("Update") {
            let change = Change { event: &event, source: &source };
            child(update, "data").into_iter().flat_map(Element::elements).for_each(|data| change.of(data, &mut events));
            if events.is_empty() {
                events.push(change.without_data());
            }
        } else {
            events.push(Event::Unknown { event, name: update.name.clone() });
        }
        Self { request_id: text("requestId"), source, events }
    }
}

/// What happened, before it is clear to what.
struct Change<'a> {
    event: &'a str,
    source: &'a Resource,
}

impl Change<'_> {
    fn is(&self, event: &str) -> bool {
        self.event.eq_ignore_ascii_case(event)
    }

    fn of(&self, data: &Element, events: &mut Vec<Event>) {
        match data.name.to_ascii_lowercase().as_str() {
            "user" => events.push(self.of_user(User::read(data))),
            "dialog" => events.push(self.of_dialog(Dialog::read(data))),
            "dialogs" => events.extend(Dialog::read_list(data).into_iter().map(|dialog| self.of_dialog(dialog))),
            "systeminfo" => events.push(Event::SystemInfo(Box::new(SystemInfo::read(data)))),
            "apierrors" => events.extend(ApiError::read_list(data).into_iter().map(Event::Failed)),
            _ => events.push(self.unknown(&data.name)),
        }
    }

    fn of_user(&self, user: User) -> Event {
        match user.id() {
            Some(id) if self.is("DELETE") => Event::UserRemoved { id: id.to_owned() },
            _ if self.is("PUT") || self.is("POST") => Event::UserChanged(Box::new(user)),
            _ => self.without_data(),
        }
    }

    fn of_dialog(&self, dialog: Dialog) -> Event {
        match dialog.id() {
            Some(id) if self.is("DELETE") => Event::DialogRemoved { id: id.to_owned(), dialog: Some(Box::new(dialog)) },
            Some(_) if self.is("POST") => Event::DialogAdded(Box::new(dialog)),
            Some(_) if self.is("PUT") => Event::DialogChanged(Box::new(dialog)),
            // Without an id it is not clear which call it is.
            _ => self.unknown(Dialog::ELEMENT),
        }
    }

    fn without_data(&self) -> Event {
        match self.source {
            Resource::User(id) if self.is("DELETE") => Event::UserRemoved { id: id.clone() },
            Resource::Dialog(id) if self.is("DELETE") => Event::DialogRemoved { id: id.clone(), dialog: None },
            _ => self.unknown(""),
        }
    }

    fn unknown(&self, name: &str) -> Event {
        Event::Unknown { event: self.event.to_owned(), name: name.to_owned() }
    }
}

/// An item of the notification service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The node that it was published at: the address of the object, such as `/finesse/api/User/1001/Dialogs`.
    pub node: String,
    /// The item's id. Finesse promises nothing about it.
    pub id: Option<String>,
    /// What it says.
    pub update: Result<Update, XmlError>,
}

/// The notifications in a `message` of the notification service; none if it is another kind of message.
#[must_use]
pub fn in_message(message: &Element, limits: Limits) -> Vec<Item> {
    let lists = message.elements().filter(|event| event.is("event", PUBSUB_EVENT)).flat_map(Element::elements);
    let of_list = |items: &Element| -> Vec<Item> {
        let node = items.attribute("node").unwrap_or_default();
        let items = items.elements().filter(|item| item.name == "item");
        items.flat_map(|item| of_item(node, item, limits)).collect()
    };
    lists.filter(|items| items.name == "items").flat_map(of_list).collect()
}

fn of_item(node: &str, item: &Element, limits: Limits) -> Vec<Item> {
    let updates = item.elements().filter(|notification| notification.is("notification", PUSH));
    let read = |notification: &Element| match notification.elements().next() {
        // Finesse writes it as text. A server that writes it as it is means the same.
        Some(update) => Ok(Update::read(update)),
        None => Update::parse(&notification.text(), limits),
    };
    let id = item.attribute("id").map(str::to_owned);
    updates.map(|it| Item { node: node.to_owned(), id: id.clone(), update: read(it) }).collect()
}
