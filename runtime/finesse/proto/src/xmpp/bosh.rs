//! XMPP over HTTP (XEP-0124 and XEP-0206): the client asks, and the server keeps one question until it has something to say.
//!
//! Requests are numbered. Where a connection breaks, the same request is asked again, and the server either deals with it or
//! repeats its answer: nothing is lost, nothing comes twice.

pub mod http;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::end::End;
use super::stanza::Outgoing;
use super::{LIMITS, Piece, ns};
use crate::xml::{self, Element, Limits};

/// What an answer may hold: several stanzas.
pub const ANSWER: Limits = Limits { bytes: 1 << 20, depth: LIMITS.depth + 1, elements: 20_000, attributes: 32 };

/// How long the server may keep a request, in seconds.
const WAIT: u32 = 60;

/// How many requests are kept by the server. One more may be under way (XEP-0124, 11).
const HOLD: usize = 1;

/// How often a request is asked again before the connection counts as lost.
const TRIES: u32 = 4;

/// The pause before a request is asked the third time; then twice as long each time.
const PAUSE: Duration = Duration::from_millis(500);

/// A server that answers an empty request at once, with nothing, does not keep it. Then this pause is made between them.
const BREATH: Duration = Duration::from_secs(1);

/// The greatest number of a request (XEP-0124, 7: 2^53 - 1); the first one is far below.
const FIRST: u64 = 1 << 50;

/// The body of a request. Its `Debug` shows its length: it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(pub String);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The session wants a stream: the first time, a session of BOSH is made.
    Open,
    /// The session says something.
    Send(Outgoing),
    /// The session ends the stream.
    Close,
    /// A request was answered: its number, the status of HTTP, and the text.
    Answered(u64, u16, String),
    /// A request was not answered, since its connection broke: why.
    Broken(u64, String),
    /// The moment of [`Bosh::wakes_at`] has come.
    Timer,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Post this, with the type `text/xml; charset=utf-8`, and tell how it went. There are never more than two at a time.
    Post(u64, Body),
    /// For the session.
    Received(Piece),
    /// It is over.
    Failed(End),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Asked,
    /// Its connection broke; it is asked again then.
    Again(Duration),
    /// Its answer waits for those before it.
    Answered(Element),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Request {
    id: u64,
    body: Body,
    is_empty: bool,
    is_restart: bool,
    is_last: bool,
    asked: Duration,
    tries: u32,
    state: State,
}

/// One session of BOSH.
#[derive(Clone, Debug)]
pub struct Bosh {
    domain: String,
    next: u64,
    sid: Option<String>,
    /// Requests at a time.
    most: usize,
    requests: VecDeque<Request>,
    waiting: Vec<Element>,
    wants_restart: bool,
    wants_end: bool,
    ended: bool,
    rests_until: Option<Duration>,
    over: bool,
}

impl Bosh {
    /// One with a domain. `chance` decides the number of the first request.
    #[must_use]
    pub fn new(domain: &str, chance: u64) -> Self {
        Self {
            domain: domain.to_owned(),
            next: chance % FIRST + 1,
            sid: None,
            most: 1,
            requests: VecDeque::new(),
            waiting: Vec::new(),
            wants_restart: false,
            wants_end: false,
            ended: false,
            rests_until: None,
            over: false,
        }
    }

    /// When [`Input::Timer`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        let again = self.requests.iter().filter_map(|request| match request.state {
            State::Again(at) => Some(at),
            _ => None,
        });
        again.chain(self.rests_until).min().filter(|_| !self.over)
    }

    /// Takes what has happened at a moment, and says what is to be done.
    pub fn handle(&mut self, now: Duration, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        if self.over {
            return out;
        }
        match input {
            Input::Open if self.sid.is_none() => self.create(now, &mut out),
            Input::Open => self.wants_restart = true,
            Input::Send(Outgoing(stanza)) => self.waiting.push(stanza),
            Input::Close => self.wants_end = true,
            Input::Answered(id, status, text) => self.answered(now, id, status, &text, &mut out),
            Input::Broken(id, reason) => self.broken(now, id, &reason, &mut out),
            Input::Timer => self.again(now, &mut out),
        }
        self.ask(now, &mut out);
        out
    }

    fn body(&self, id: u64) -> Element {
        let body = Element::new("body", ns::BOSH).with("rid", id.to_string());
        match &self.sid {
            Some(sid) => body.with("sid", sid.as_str()),
            None => body,
        }
    }

    fn create(&mut self, now: Duration, out: &mut Vec<Output>) {
        if !self.requests.is_empty() {
            return;
        }
        let body = self
            .body(self.next)
            .with("to", self.domain.as_str())
            .with("wait", WAIT.to_string())
            .with("hold", HOLD.to_string())
            .with("ver", "1.6")
            .with("content", "text/xml; charset=utf-8")
            .with("xml:lang", "en")
            .with("xmlns:xmpp", "urn:xmpp:xbosh")
            .with("xmpp:version", "1.0");
        self.post(now, &body, out);
    }

    fn post(&mut self, now: Duration, body: &Element, out: &mut Vec<Output>) {
        let request = Request {
            id: self.next,
            is_empty: body.children.is_empty(),
            is_restart: body.attribute("xmpp:restart").is_some(),
            is_last: body.attribute("type").is_some(),
            body: Body(body.to_string()),
            asked: now,
            tries: 1,
            state: State::Asked,
        };
        self.next += 1;
        out.push(Output::Post(request.id, request.body.clone()));
        self.requests.push_back(request);
    }

    /// Asks what there is to ask, as far as may be asked at a time. One request is always with the server.
    fn ask(&mut self, now: Duration, out: &mut Vec<Output>) {
        while !self.over && self.sid.is_some() && !self.ended && self.requests.len() < self.most {
            let body = self.body(self.next);
            let body = if self.wants_restart && self.waiting.is_empty() {
                self.wants_restart = false;
                body.with("to", self.domain.as_str())
                    .with("xml:lang", "en")
                    .with("xmlns:xmpp", "urn:xmpp:xbosh")
                    .with("xmpp:restart", "true")
            } else if self.wants_end {
                self.ended = true;
                std::mem::take(&mut self.waiting).into_iter().fold(body.with("type", "terminate"), Element::containing)
            } else if !self.waiting.is_empty() {
                std::mem::take(&mut self.waiting).into_iter().fold(body, Element::containing)
            } else if self.requests.is_empty() && self.rests_until.is_none_or(|until| until <= now) {
                body
            } else {
                return;
            };
            self.rests_until = None;
            self.post(now, &body, out);
        }
    }

    fn fail(&mut self, end: End, out: &mut Vec<Output>) {
        self.over = true;
        out.push(Output::Failed(end));
    }

    fn broken(&mut self, now: Duration, id: u64, reason: &str, out: &mut Vec<Output>) {
        let Some(request) = self.requests.iter_mut().find(|request| request.id == id) else { return };
        if request.tries >= TRIES {
            return self.fail(End::Lost(reason.to_owned()), out);
        }
        // At once the first time: servers close connections that nobody uses.
        let pause = match request.tries {
            1 => Duration::ZERO,
            tries => PAUSE * 2_u32.pow(tries - 2),
        };
        request.tries += 1;
        request.state = State::Again(now + pause);
        self.again(now, out);
    }

    fn again(&mut self, now: Duration, out: &mut Vec<Output>) {
        for request in &mut self.requests {
            if matches!(request.state, State::Again(at) if at <= now) {
                request.state = State::Asked;
                request.asked = now;
                out.push(Output::Post(request.id, request.body.clone()));
            }
        }
    }

    fn answered(&mut self, now: Duration, id: u64, status: u16, text: &str, out: &mut Vec<Output>) {
        if !self.requests.iter().any(|request| request.id == id && request.state == State::Asked) {
            return;
        }
        match status {
            200 => {}
            // XEP-0124, 17.1: what older gateways say in place of a condition.
            400 => return self.fail(End::Bosh("bad-request".to_owned()), out),
            403 => return self.fail(End::Bosh("policy-violation".to_owned()), out),
            404 => return self.fail(End::Bosh("item-not-found".to_owned()), out),
            500..=599 => return self.broken(now, id, &format!("HTTP status {status}"), out),
            _ => return self.fail(End::Lost(format!("HTTP status {status}")), out),
        }
        let body = match xml::read(text, ANSWER) {
            Ok(body) => body,
            Err(error) => return self.fail(End::Malformed(error), out),
        };
        if !body.is("body", ns::BOSH) {
            return self.fail(End::Unexpected("it answers without the body of BOSH"), out);
        }
        // XEP-0124, 17.3: the gateway asks for the request again.
        if body.attribute("type") == Some("error") {
            return self.broken(now, id, "the gateway could not deal with a request", out);
        }
        let alone = self.requests.len() == 1 && self.sid.is_some();
        if let Some(request) = self.requests.iter_mut().find(|request| request.id == id) {
            let at_once = now.saturating_sub(request.asked) < BREATH;
            if alone && at_once && request.is_empty && !request.is_restart && body.children.is_empty() {
                self.rests_until = Some(now + BREATH);
            }
            request.state = State::Answered(body);
        }
        self.deliver(out);
    }

    /// Hands over answers in the order of their requests: over two connections they need not come so.
    fn deliver(&mut self, out: &mut Vec<Output>) {
        while matches!(self.requests.front(), Some(Request { state: State::Answered(_), .. })) && !self.over {
            let Some(Request { state: State::Answered(mut body), is_restart, is_last, .. }) = self.requests.pop_front()
            else {
                return;
            };
            let children = std::mem::take(&mut body.children);
            if self.sid.is_none() && !self.made(&body, out) {
                return;
            }
            if is_restart {
                out.push(Output::Received(Piece::Opened(body.clone())));
            }
            let stanzas = children.into_iter().filter_map(|child| match child {
                xml::Node::Element(stanza) => Some(Output::Received(Piece::Stanza(as_client(stanza)))),
                xml::Node::Text(_) => None,
            });
            out.extend(stanzas);
            if body.attribute("type") == Some("terminate") {
                self.terminated(&body, is_last, out);
            } else if is_last {
                self.over = true;
                out.push(Output::Received(Piece::Closed));
            }
        }
    }

    /// The answer to the first request. Whether there is a session now.
    fn made(&mut self, body: &Element, out: &mut Vec<Output>) -> bool {
        let number = |name: &str| body.attribute(name).and_then(|value| value.parse::<usize>().ok());
        match (body.attribute("type"), body.attribute("sid")) {
            (None, Some(sid)) if !sid.is_empty() => {
                if number("hold") == Some(0) || number("wait") == Some(0) {
                    self.fail(End::Unexpected("its gateway does not keep requests, and would have to be polled"), out);
                    return false;
                }
                self.sid = Some(sid.to_owned());
                self.most = number("requests").unwrap_or(HOLD + 1).clamp(1, HOLD + 1);
                out.push(Output::Received(Piece::Opened(body.clone())));
                true
            }
            (None, _) => {
                self.fail(End::Unexpected("it answers without an id of the session"), out);
                false
            }
            (Some(_), _) => {
                self.terminated(body, false, out);
                false
            }
        }
    }

    fn terminated(&mut self, body: &Element, was_asked: bool, out: &mut Vec<Output>) {
        self.over = true;
        match body.attribute("condition") {
            None if was_asked || self.wants_end => out.push(Output::Received(Piece::Closed)),
            None => out.push(Output::Failed(End::Closed)),
            Some(condition) => out.push(Output::Failed(End::Bosh(condition.chars().take(100).collect()))),
        }
    }
}

/// Some gateways leave out that a stanza is one of a client, and would have it in their own namespace.
fn as_client(mut stanza: Element) -> Element {
    if stanza.namespace == ns::BOSH && matches!(stanza.name.as_str(), "message" | "presence" | "iq") {
        ns::CLIENT.clone_into(&mut stanza.namespace);
    }
    stanza
}
