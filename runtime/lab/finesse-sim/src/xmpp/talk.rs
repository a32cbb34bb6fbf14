//! What the notification service answers to each element, whatever carries it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use topoc_finesse_proto::xml::Element;

use super::scram::{Hash, Scram};
use crate::hub::{Hub, Mailbox};

pub(super) const CLIENT: &str = "jabber:client";
pub(super) const STREAMS: &str = "http://etherx.jabber.org/streams";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
const PING: &str = "urn:xmpp:ping";
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const ROSTER: &str = "jabber:iq:roster";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

/// What the carrier has to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Sends this element.
    Send(String),
    /// Sends this, and goes on with TLS.
    StartTls(String),
    /// Ends the stream with this error.
    Fail(&'static str),
}

/// Tries to be let in before the stream is closed.
const TRIES: u32 = 3;

/// The side of the server of one stream.
pub(super) struct Talk {
    hub: Arc<Hub>,
    pub(super) node: usize,
    secure: bool,
    scram: Option<Scram>,
    tries: u32,
    user: Option<usize>,
    session: Option<u64>,
    /// Where the session's mail comes, once there is one: the carrier takes it.
    pub(super) mailbox: Option<Mailbox>,
}

impl Talk {
    pub(super) fn new(hub: Arc<Hub>, node: usize, secure: bool) -> Self {
        Self { hub, node, secure, scram: None, tries: 0, user: None, session: None, mailbox: None }
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// From here on everything goes through TLS.
    pub(super) fn secured(&mut self) {
        self.secure = true;
    }

    /// Whether it is known who the other side is.
    pub(super) fn is_let_in(&self) -> bool {
        self.user.is_some()
    }

    pub(super) fn host(&self) -> String {
        self.hub.with(|cluster, _| cluster.nodes()[self.node].host.clone())
    }

    /// What is offered at the beginning of a stream.
    pub(super) fn features(&self) -> String {
        let offers: Vec<Element> = if !self.secure {
            vec![Element::new("starttls", TLS).containing(Element::new("required", TLS))]
        } else if self.user.is_none() {
            let mechanism = |name: &str| Element::new("mechanism", SASL).saying(name);
            let mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"].map(mechanism);
            vec![mechanisms.into_iter().fold(Element::new("mechanisms", SASL), Element::containing)]
        } else {
            let session = Element::new("session", SESSION).containing(Element::new("optional", SESSION));
            vec![Element::new("bind", BIND), session]
        };
        let offers: String = offers.iter().map(ToString::to_string).collect();
        format!("<stream:features xmlns:stream=\"{STREAMS}\">{offers}</stream:features>")
    }

    /// Answers one element.
    pub(super) fn take(&mut self, element: &Element) -> Vec<Step> {
        if !self.secure {
            return if element.is("starttls", TLS) {
                vec![Step::StartTls(Element::new("proceed", TLS).to_string())]
            } else {
                vec![Step::Fail("policy-violation")]
            };
        }
        if self.user.is_none() {
            return self.sasl(element);
        }
        match (element.name.as_str(), element.attribute("type").unwrap_or_default()) {
            ("iq", "get" | "set") => vec![Step::Send(self.iq(element).to_string_within(CLIENT))],
            ("presence", kind) if self.session.is_some() => self.presence(element, kind),
            ("iq" | "message" | "presence", _) => Vec::new(),
            _ => vec![Step::Fail("unsupported-stanza-type")],
        }
    }

    fn sasl(&mut self, element: &Element) -> Vec<Step> {
        let text = element.text();
        let text = text.trim();
        // "=" is an answer without content (RFC 6120, section 6.4.2).
        let said =
            STANDARD.decode(if text == "=" { "" } else { text }).ok().and_then(|said| String::from_utf8(said).ok());
        let Some(said) = said else { return self.refuse("incorrect-encoding") };
        match (element.name.as_str(), element.attribute("mechanism").unwrap_or_default()) {
            ("auth", "PLAIN") => self.plain(&said),
            ("auth", "SCRAM-SHA-1") => self.scram_begin(Hash::Sha1, &said),
            ("auth", "SCRAM-SHA-256") => self.scram_begin(Hash::Sha256, &said),
            ("auth", _) => self.refuse("invalid-mechanism"),
            ("response", _) => self.scram_finish(&said),
            ("abort", _) => self.refuse("aborted"),
            _ => vec![Step::Fail("not-authorized")],
        }
    }

    fn refuse(&mut self, condition: &str) -> Vec<Step> {
        self.scram = None;
        self.tries += 1;
        let failure = Element::new("failure", SASL).containing(Element::new(condition, SASL)).to_string();
        let mut steps = vec![Step::Send(failure)];
        if self.tries == TRIES {
            steps.push(Step::Fail("policy-violation"));
        }
        steps
    }

    fn plain(&mut self, said: &str) -> Vec<Step> {
        let parts: Vec<&str> = said.split('\0').collect();
        let [_, user, password] = parts.as_slice() else { return self.refuse("malformed-request") };
        // Some clients name the user with its domain.
        let user = user.split('@').next().unwrap_or_default();
        match self.hub.with(|cluster, now| cluster.authenticate(now, self.node, user, password)) {
            Ok(agent) => {
                self.user = Some(agent);
                vec![Step::Send(Element::new("success", SASL).to_string())]
            }
            Err(_) => self.refuse("not-authorized"),
        }
    }

    fn scram_begin(&mut self, hash: Hash, said: &str) -> Vec<Step> {
        let mut random = [0; 34];
        if SystemRandom::new().fill(&mut random).is_err() {
            return vec![Step::Fail("internal-server-error")];
        }
        let (nonce, salt) = random.split_at(18);
        let Some((scram, answer)) = Scram::begin(hash, said, &STANDARD.encode(nonce), salt) else {
            return self.refuse("malformed-request");
        };
        self.scram = Some(scram);
        vec![Step::Send(Element::new("challenge", SASL).saying(STANDARD.encode(answer)).to_string())]
    }

    fn scram_finish(&mut self, said: &str) -> Vec<Step> {
        let Some(scram) = self.scram.take() else { return self.refuse("malformed-request") };
        // The hashing takes a millisecond or more, and is not done under the lock.
        let (user, password) =
            self.hub.with(|cluster, _| (cluster.user(&scram.user), cluster.config().password.clone()));
        let verifier = scram.finish(said, &password);
        let judged = user
            .map(|user| self.hub.with(|cluster, now| cluster.judge_password(now, self.node, user, verifier.is_some())));
        match (judged, verifier) {
            (Some(Ok(agent)), Some(verifier)) => {
                self.user = Some(agent);
                vec![Step::Send(Element::new("success", SASL).saying(STANDARD.encode(verifier)).to_string())]
            }
            _ => self.refuse("not-authorized"),
        }
    }

    fn iq(&mut self, iq: &Element) -> Element {
        let set = iq.attribute("type") == Some("set");
        let Some(query) = iq.elements().next() else { return error(iq, "modify", "bad-request", None) };
        match (query.name.as_str(), query.namespace.as_str()) {
            ("bind", BIND) if set => self.bind(iq, query),
            ("session", SESSION) if set => result(iq),
            ("ping", PING) if !set => result(iq),
            _ if self.session.is_none() => error(iq, "auth", "not-authorized", None),
            ("query", ROSTER) if !set => {
                let finesse = format!("finesse@{}", self.host());
                let item = Element::new("item", ROSTER).with("jid", finesse).with("subscription", "both");
                result(iq).containing(Element::new("query", ROSTER).containing(item))
            }
            ("query", ROSTER) => result(iq),
            ("query", DISCO_INFO) if !set => match query.attribute("node") {
                None => result(iq).containing(disco(iq)),
                Some(topic) if self.hub.with(|cluster, _| cluster.has_topic(topic)) => {
                    let identity = Element::new("identity", DISCO_INFO).with("category", "pubsub").with("type", "leaf");
                    result(iq).containing(Element::new("query", DISCO_INFO).with("node", topic).containing(identity))
                }
                Some(_) => error(iq, "cancel", "item-not-found", None),
            },
            ("query", DISCO_ITEMS) if !set => {
                let item = Element::new("item", DISCO_ITEMS).with("jid", format!("pubsub.{}", self.host()));
                result(iq).containing(Element::new("query", DISCO_ITEMS).containing(item))
            }
            ("pubsub", PUBSUB) => self.pubsub(iq, query),
            _ => error(iq, "cancel", "service-unavailable", None),
        }
    }

    fn bind(&mut self, iq: &Element, query: &Element) -> Element {
        let Some(agent) = self.user.filter(|_| self.session.is_none()) else {
            return error(iq, "cancel", "not-allowed", None);
        };
        let asked = query.child_text("resource").filter(|resource| !resource.is_empty() && resource.len() <= 1023);
        let resource = asked.unwrap_or_else(|| {
            let mut random = [0; 6];
            // Without chance the clock does: a resource is no secret.
            let _ = SystemRandom::new().fill(&mut random);
            random.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        let (session, mailbox) = self.hub.open_session(self.node, agent, &resource);
        (self.session, self.mailbox) = (Some(session), Some(mailbox));
        let jid = self.hub.with(|cluster, _| cluster.full_jid(self.node, session)).map(|(_, jid)| jid);
        let jid = Element::new("jid", BIND).saying(jid.unwrap_or_default());
        result(iq).containing(Element::new("bind", BIND).containing(jid))
    }

    fn presence(&mut self, element: &Element, kind: &str) -> Vec<Step> {
        let Some(session) = self.session else { return Vec::new() };
        let to = element.attribute("to");
        let finesse = format!("finesse@{}", self.host());
        let is_finesse = to.is_some_and(|to| to.split('/').next() == Some(finesse.as_str()));
        match (kind, to) {
            ("", None) => {
                let priority = element.child_text("priority").map_or(Ok(0), |priority| priority.parse());
                let Ok(priority) = priority else { return vec![Step::Fail("invalid-xml")] };
                self.hub.with(|cluster, now| cluster.set_presence(now, self.node, session, Some(priority)));
            }
            ("unavailable", None) => {
                self.hub.with(|cluster, now| cluster.set_presence(now, self.node, session, None));
            }
            ("subscribe", Some(_)) if is_finesse => {
                let answer = Element::new("presence", CLIENT).with("from", finesse).with("type", "subscribed");
                self.hub.with(|cluster, _| cluster.ask_presence(self.node, session));
                return vec![Step::Send(answer.to_string_within(CLIENT))];
            }
            ("probe", Some(_)) if is_finesse => self.hub.with(|cluster, _| cluster.ask_presence(self.node, session)),
            _ => {}
        }
        Vec::new()
    }

    fn pubsub(&mut self, iq: &Element, query: &Element) -> Element {
        let to_service = iq.attribute("to") == Some(format!("pubsub.{}", self.host()).as_str());
        let (Some(session), Some(ask), true) = (self.session, query.elements().next(), to_service) else {
            return error(iq, "cancel", "service-unavailable", None);
        };
        let (topic, jid) = (ask.attribute("node").unwrap_or_default(), ask.attribute("jid").unwrap_or_default());
        match ask.name.as_str() {
            "subscribe" => match self.hub.with(|cluster, _| cluster.subscribe(self.node, session, topic, jid)) {
                Ok(()) => {
                    let subscription = Element::new("subscription", PUBSUB)
                        .with("node", topic)
                        .with("jid", jid)
                        .with("subscription", "subscribed");
                    result(iq).containing(Element::new("pubsub", PUBSUB).containing(subscription))
                }
                Err((condition, more)) => error(iq, "cancel", condition, Some(more)),
            },
            "unsubscribe" => match self.hub.with(|cluster, _| cluster.unsubscribe(self.node, session, topic, jid)) {
                Ok(()) => result(iq),
                Err((condition, more)) => error(iq, "cancel", condition, Some(more)),
            },
            _ => error(iq, "cancel", "feature-not-implemented", None),
        }
    }

    /// The stream has ended.
    pub(super) fn end(&mut self, by_its_own_word: bool) {
        if let Some(session) = self.session.take() {
            self.hub.close_session(self.node, session, by_its_own_word);
        }
    }
}

/// A carrier that is dropped has lost its connection.
impl Drop for Talk {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// The same element outside of a stream: a stanza says there which namespace it is of.
pub(super) fn framed(text: &str) -> String {
    let stanza = ["<message", "<presence", "<iq"].into_iter().find(|name| text.starts_with(name));
    stanza.map_or_else(|| text.to_owned(), |name| format!("{name} xmlns=\"{CLIENT}\"{}", &text[name.len()..]))
}

fn reply(iq: &Element, kind: &str) -> Element {
    let mut reply = Element::new("iq", CLIENT).with("type", kind).with("id", iq.attribute("id").unwrap_or_default());
    if let Some(to) = iq.attribute("to") {
        reply = reply.with("from", to);
    }
    reply
}

fn result(iq: &Element) -> Element {
    reply(iq, "result")
}

fn error(iq: &Element, kind: &str, condition: &str, more: Option<&str>) -> Element {
    let mut error = Element::new("error", CLIENT).with("type", kind).containing(Element::new(condition, STANZAS));
    if let Some(more) = more.filter(|more| !more.is_empty()) {
        error = error.containing(Element::new(more, "http://jabber.org/protocol/pubsub#errors"));
    }
    reply(iq, "error").containing(error)
}

fn disco(iq: &Element) -> Element {
    let service = iq.attribute("to").is_some_and(|to| to.starts_with("pubsub."));
    let (category, kind, features) = if service {
        ("pubsub", "service", vec![DISCO_INFO, PUBSUB, "http://jabber.org/protocol/pubsub#subscribe"])
    } else {
        ("server", "im", vec![DISCO_INFO, DISCO_ITEMS, PING, ROSTER])
    };
    let identity = Element::new("identity", DISCO_INFO).with("category", category).with("type", kind);
    let query = Element::new("query", DISCO_INFO).containing(identity);
    features
        .into_iter()
        .fold(query, |query, feature| query.containing(Element::new("feature", DISCO_INFO).with("var", feature)))
}
