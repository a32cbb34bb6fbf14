//! The stanzas that a session says, and what it reads out of those of others.

use std::fmt;

use super::end;
use super::ns;
use crate::xml::Element;

/// What Finesse has to say: the text inside of a notification, which is XML again.
#[derive(Clone, PartialEq, Eq)]
pub struct Notification {
    /// The node that it is about, such as `/finesse/api/User/1001`.
    pub node: String,
    /// The item's id; empty where it has none.
    pub item: String,
    /// What stands in `<notification>`, decoded once.
    pub text: String,
}

/// Without the text: it has customers' numbers and names.
impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_args!("{} bytes", self.text.len());
        f.debug_struct("Notification").field("node", &self.node).field("item", &self.item).field("text", &text).finish()
    }
}

/// Something to say. Its `Debug` has the name of the element and no more: some hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing(pub Element);

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}/>", self.0.name)
    }
}

/// The notifications of a message (XEP-0060, 7.1.2.1), in their order. Items of other kinds are none.
pub fn notifications(message: &Element) -> impl Iterator<Item = Notification> {
    let events = message.elements().filter(|child| child.is("event", ns::PUBSUB_EVENT));
    let lists = events.flat_map(Element::elements).filter(|child| child.is("items", ns::PUBSUB_EVENT));
    lists.flat_map(|list| {
        let node = list.attribute("node").unwrap_or_default();
        let items = list.elements().filter(|child| child.is("item", ns::PUBSUB_EVENT));
        items.filter_map(move |item| {
            let wrapped = item.elements().find(|child| child.is("notification", ns::PUSH))?;
            let id = item.attribute("id").unwrap_or_default();
            Some(Notification { node: node.to_owned(), item: id.to_owned(), text: wrapped.text() })
        })
    })
}

pub(super) fn auth(mechanism: &str, said: String) -> Element {
    // RFC 6120, 6.4.2: `=` for nothing, which PLAIN and SCRAM never say first.
    Element::new("auth", ns::SASL).with("mechanism", mechanism).saying(said)
}

pub(super) fn response(said: String) -> Element {
    Element::new("response", ns::SASL).saying(said)
}

fn iq(kind: &str, id: &str) -> Element {
    Element::new("iq", ns::CLIENT).with("type", kind).with("id", id)
}

pub(super) fn bind(id: &str, resource: &str) -> Element {
    let resource = Element::new("resource", ns::BIND).saying(resource);
    iq("set", id).containing(Element::new("bind", ns::BIND).containing(resource))
}

pub(super) fn session(id: &str) -> Element {
    iq("set", id).containing(Element::new("session", ns::SESSION))
}

pub(super) fn ping(id: &str, to: &str) -> Element {
    iq("get", id).with("to", to).containing(Element::new("ping", ns::PING))
}

pub(super) fn subscribe(id: &str, to: &str, node: &str, jid: &str) -> Element {
    let subscribe = Element::new("subscribe", ns::PUBSUB).with("node", node).with("jid", jid);
    iq("set", id).with("to", to).containing(Element::new("pubsub", ns::PUBSUB).containing(subscribe))
}

pub(super) fn unsubscribe(id: &str, to: &str, node: &str, jid: &str, subid: Option<&str>) -> Element {
    let mut unsubscribe = Element::new("unsubscribe", ns::PUBSUB).with("node", node).with("jid", jid);
    if let Some(subid) = subid {
        unsubscribe = unsubscribe.with("subid", subid);
    }
    iq("set", id).with("to", to).containing(Element::new("pubsub", ns::PUBSUB).containing(unsubscribe))
}

pub(super) fn presence(priority: u8) -> Element {
    let priority = Element::new("priority", ns::CLIENT).saying(priority.min(127).to_string());
    Element::new("presence", ns::CLIENT).containing(priority)
}

pub(super) fn leaving() -> Element {
    Element::new("presence", ns::CLIENT).with("type", "unavailable")
}

pub(super) fn watch(jid: &str) -> Element {
    Element::new("presence", ns::CLIENT).with("type", "subscribe").with("to", jid)
}

/// The answer to a question of somebody else: a ping is answered, anything else is not done here (RFC 6120, 8.2.3 and 8.4).
pub(super) fn answer(asked: &Element) -> Option<Element> {
    let id = asked.attribute("id")?;
    let is_ping = asked.attribute("type") == Some("get") && asked.elements().any(|child| child.is("ping", ns::PING));
    let mut answer = iq(if is_ping { "result" } else { "error" }, id);
    if let Some(from) = asked.attribute("from") {
        answer = answer.with("to", from);
    }
    if is_ping {
        return Some(answer);
    }
    let condition = Element::new("service-unavailable", ns::STANZA_ERRORS);
    let error = Element::new("error", ns::CLIENT).with("type", "cancel");
    Some(answer.containing(error.containing(condition)))
}

/// The condition of a stanza of type `error` (RFC 6120, 8.3).
pub(super) fn refusal(stanza: &Element) -> String {
    stanza.child("error").map_or_else(|| "undefined-condition".to_owned(), |error| end::condition(error).0)
}

/// The address that the server has given the session.
pub(super) fn bound(result: &Element) -> Option<String> {
    result.elements().find(|child| child.is("bind", ns::BIND))?.child_text("jid").filter(|jid| !jid.is_empty())
}

/// The id of a subscription, where the server tells several apart (XEP-0060, 6.1.2).
pub(super) fn subscription_id(result: &Element) -> Option<String> {
    let pubsub = result.elements().find(|child| child.is("pubsub", ns::PUBSUB))?;
    pubsub.child("subscription")?.attribute("subid").map(str::to_owned)
}

/// Whether the server offers something, by the name of its element.
pub(super) fn offers(features: &Element, name: &str, namespace: &str) -> bool {
    features.elements().any(|child| child.is(name, namespace))
}

/// Whether the server wants a session to be made before anything else: those that only know it from RFC 3921 do.
pub(super) fn wants_session(features: &Element) -> bool {
    let mut session = features.elements().filter(|child| child.is("session", ns::SESSION));
    session.any(|session| session.child("optional").is_none())
}

pub(super) fn mechanisms(features: &Element) -> Vec<String> {
    let lists = features.elements().filter(|child| child.is("mechanisms", ns::SASL));
    lists.flat_map(Element::elements).map(|mechanism| mechanism.text().trim().to_owned()).collect()
}
