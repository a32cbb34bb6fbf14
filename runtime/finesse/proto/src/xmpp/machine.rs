//! The state machine of a session: from the first byte until it is over, for all transports.
//!
//! The way in which a session comes about is data, [`TRANSITIONS`]: the machine goes nowhere else.

use std::time::Duration;

use super::Piece;
use super::end::{self, End};
use super::jid;
use super::ns;
use super::options::{Login, Options, Transport};
use super::sasl::{self, Exchange, Mechanism};
use super::stanza::{self, Notification, Outgoing};
use crate::xml::{Element, XmlError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not begun.
    New,
    /// A stream is opened; its features are to come.
    Opening,
    /// TLS is asked for.
    Asking,
    /// TLS is made.
    Securing,
    /// The agent proves who they are.
    Authenticating,
    /// The session gets its address.
    Binding,
    /// The session is made, where the server wants that.
    Establishing,
    /// The server has been told that the session is there, and is asked whether it has heard.
    Announcing,
    /// Ready.
    Live,
    /// Subscriptions are taken back.
    Leaving,
    /// The end of the peer's stream is to come.
    Closing,
    /// Over.
    Ended,
}

impl Phase {
    /// For people: what the session waits for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "not begun",
            Self::Opening => "the stream's features",
            Self::Asking => "leave to begin TLS",
            Self::Securing => "TLS",
            Self::Authenticating => "authentication",
            Self::Binding => "an address",
            Self::Establishing => "a session",
            Self::Announcing => "an answer to the first ping",
            Self::Live => "ready",
            Self::Leaving => "the end of subscriptions",
            Self::Closing => "the end of the stream",
            Self::Ended => "over",
        }
    }
}

/// Why a session goes on to another phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The program wants a session.
    Start,
    /// The server offers TLS, which is wanted.
    TlsOffered,
    /// The server is ready for TLS.
    TlsGranted,
    /// TLS is there; the stream begins anew.
    TlsDone,
    /// The server offers mechanisms.
    MechanismsOffered,
    /// The server believes who the agent is; the stream begins anew.
    Authenticated,
    /// The server offers an address.
    AddressOffered,
    /// The address is there, and the server wants a session to be made.
    SessionWanted,
    /// The session is made, and made known.
    Announced,
    /// Nothing is missing: the server has answered what came behind the presence.
    Ready,
    /// The program wants no session any more, and there are subscriptions.
    LeavesSubscriptions,
    /// The stream is ended by us.
    Leaves,
    /// It is over: see [`End`].
    Over,
}

/// Every way that a session can go. [`Cause::Over`] is possible everywhere and leads to [`Phase::Ended`].
pub const TRANSITIONS: [(Phase, Cause, Phase); 13] = [
    (Phase::New, Cause::Start, Phase::Opening),
    (Phase::Opening, Cause::TlsOffered, Phase::Asking),
    (Phase::Asking, Cause::TlsGranted, Phase::Securing),
    (Phase::Securing, Cause::TlsDone, Phase::Opening),
    (Phase::Opening, Cause::MechanismsOffered, Phase::Authenticating),
    (Phase::Authenticating, Cause::Authenticated, Phase::Opening),
    (Phase::Opening, Cause::AddressOffered, Phase::Binding),
    (Phase::Binding, Cause::SessionWanted, Phase::Establishing),
    (Phase::Binding, Cause::Announced, Phase::Announcing),
    (Phase::Establishing, Cause::Announced, Phase::Announcing),
    (Phase::Announcing, Cause::Ready, Phase::Live),
    (Phase::Live, Cause::LeavesSubscriptions, Phase::Leaving),
    (Phase::Leaving, Cause::Leaves, Phase::Closing),
];

/// And the other ways to leave: whatever the session is at, once its stream is open.
const LEAVES_FROM: [Phase; 6] =
    [Phase::Opening, Phase::Authenticating, Phase::Binding, Phase::Establishing, Phase::Announcing, Phase::Live];

/// Where a cause leads from a phase, if it can come there at all.
#[must_use]
pub fn follows(from: Phase, cause: Cause) -> Option<Phase> {
    match cause {
        Cause::Over if from != Phase::Ended => Some(Phase::Ended),
        Cause::Leaves if LEAVES_FROM.contains(&from) => Some(Phase::Closing),
        _ => TRANSITIONS.iter().find(|row| (row.0, row.1) == (from, cause)).map(|row| row.2),
    }
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection is there, with TLS where the transport has it from the beginning.
    Start,
    /// The server has sent something.
    Received(Piece),
    /// What the server has sent cannot be read.
    Malformed(XmlError),
    /// TLS is there, after [`Order::StartTls`].
    Secured,
    /// The transport is over: why. The machine has nothing more to say.
    Failed(End),
    /// The moment of [`Machine::wakes_at`] has come.
    Timer,
    /// The program wants notifications of a node.
    Subscribe(String),
    /// The program wants no notifications of a node any more.
    Unsubscribe(String),
    /// The program wants no session any more.
    Stop,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin a stream to the domain; also again, after TLS and after authentication.
    OpenStream,
    /// Say this.
    Send(Outgoing),
    /// Make TLS of the connection, and tell ([`Event::Secured`]). What came before TLS and was not read yet is not to be believed.
    StartTls,
    /// End the stream.
    CloseStream,
    /// The session is ready; its address.
    Ready(String),
    /// For the program: Finesse has something to say.
    Deliver(Notification),
    /// For the program: the watched user has come or gone.
    Watched(bool),
    /// For the program: notifications of this node come from now on.
    Subscribed(String),
    /// For the program: no more notifications of this node come.
    Unsubscribed(String),
    /// For the program: the server does not do that for this node; why, by the name of the condition.
    NotDone(String, String),
    /// Close the connection: the session is over.
    End(End),
}

/// What an answer is awaited for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Ping,
    Subscribe(String),
    Unsubscribe(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Request {
    id: String,
    wanted: Wanted,
    until: Duration,
}

/// How many answers may be awaited, and how many nodes be subscribed: an agent has some five, a supervisor some more.
const MOST: usize = 64;

const BIND: &str = "bind";
const SESSION: &str = "session";
const ANNOUNCED: &str = "announced";

/// One session.
#[derive(Clone, Debug)]
pub struct Machine {
    options: Options,
    login: Login,
    phase: Phase,
    private: bool,
    authenticated: bool,
    wants_session: bool,
    exchange: Option<Exchange>,
    /// The address that the server has given.
    address: String,
    pubsub: String,
    watched: Option<String>,
    /// The resources of the watched user that are there.
    there: Vec<String>,
    /// What was heard of that before the session was ready.
    early: Option<bool>,
    deadline: Option<Duration>,
    ping_at: Duration,
    /// How many pings in a row have not been answered.
    unanswered: u32,
    requests: Vec<Request>,
    /// What is subscribed, and the subscription's id where it has one.
    nodes: Vec<(String, Option<String>)>,
    next: u64,
}

/// Chance for nonces: fills bytes that nobody can guess.
pub type Chance<'a> = &'a mut dyn FnMut(&mut [u8]);

impl Machine {
    /// One that has not begun.
    #[must_use]
    pub fn new(login: Login, options: Options) -> Self {
        let domain = login.jid.domain();
        let pubsub = options.pubsub.clone().unwrap_or_else(|| format!("pubsub.{domain}"));
        let watched = options.watched.as_ref().map(|user| format!("{user}@{domain}"));
        Self {
            phase: Phase::New,
            private: options.transport.is_private(),
            authenticated: false,
            wants_session: false,
            exchange: None,
            address: login.jid.to_string(),
            pubsub,
            watched,
            there: Vec::new(),
            early: None,
            deadline: None,
            ping_at: Duration::ZERO,
            unanswered: 0,
            requests: Vec::new(),
            nodes: Vec::new(),
            next: 0,
            options,
            login,
        }
    }

    /// Where the session is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// When [`Event::Timer`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        let ping = (self.phase == Phase::Live).then_some(self.ping_at);
        let requests = self.requests.iter().map(|request| request.until);
        requests.chain(self.deadline).chain(ping).min().filter(|_| self.phase != Phase::Ended)
    }

    /// Takes what has happened at a moment, and says what is to be done.
    pub fn handle(&mut self, now: Duration, event: Event, chance: Chance<'_>) -> Vec<Order> {
        let mut orders = Vec::new();
        if self.phase != Phase::Ended {
            Turn { machine: self, now, chance, orders: &mut orders }.event(event);
        }
        orders
    }
}

/// One event being dealt with.
struct Turn<'a> {
    machine: &'a mut Machine,
    now: Duration,
    chance: Chance<'a>,
    orders: &'a mut Vec<Order>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Start if self.phase() == Phase::New => {
                self.machine.deadline = Some(self.now + self.machine.options.negotiation_timeout);
                self.go(Cause::Start);
                self.order(Order::OpenStream);
            }
            Event::Secured if self.phase() == Phase::Securing => {
                self.machine.private = true;
                self.go(Cause::TlsDone);
                self.order(Order::OpenStream);
            }
            Event::Start | Event::Secured => {}
            Event::Received(Piece::Opened(_)) => {}
            Event::Received(Piece::Stanza(stanza)) => self.stanza(&stanza),
            Event::Received(Piece::Closed) => self.closed(),
            Event::Malformed(error) => self.fail(End::Malformed(error)),
            Event::Failed(end) => self.over(if self.is_going() { End::Asked } else { end }),
            Event::Timer => self.timer(),
            Event::Subscribe(node) => self.subscribe(node),
            Event::Unsubscribe(node) => self.unsubscribe(node),
            Event::Stop => self.stop(),
        }
    }

    fn phase(&self) -> Phase {
        self.machine.phase
    }

    fn is_going(&self) -> bool {
        matches!(self.phase(), Phase::Leaving | Phase::Closing)
    }

    fn order(&mut self, order: Order) {
        self.orders.push(order);
    }

    fn send(&mut self, element: Element) {
        self.order(Order::Send(Outgoing(element)));
    }

    /// Goes where the table says, which has every cause that is given here.
    fn go(&mut self, cause: Cause) {
        let to = follows(self.phase(), cause);
        debug_assert!(to.is_some(), "{cause:?} cannot come in {:?}", self.phase());
        self.machine.phase = to.unwrap_or(Phase::Ended);
    }

    /// Ends a session whose connection is no longer there or no longer of use.
    fn over(&mut self, end: End) {
        self.go(Cause::Over);
        self.machine.exchange = None;
        self.order(Order::End(end));
    }

    /// Ends a session whose peer may still listen.
    fn fail(&mut self, end: End) {
        // In the middle of TLS nobody could read it.
        if !matches!(self.phase(), Phase::New | Phase::Securing | Phase::Closing) {
            self.order(Order::CloseStream);
        }
        self.over(end);
    }

    fn stanza(&mut self, stanza: &Element) {
        if stanza.is("error", ns::STREAM) {
            return self.fail(End::of_stream(stanza));
        }
        match self.phase() {
            Phase::Opening if stanza.is("features", ns::STREAM) => self.features(stanza),
            Phase::Asking if stanza.is("proceed", ns::TLS) => {
                self.go(Cause::TlsGranted);
                self.order(Order::StartTls);
            }
            Phase::Asking if stanza.is("failure", ns::TLS) => self.fail(End::Tls("the server refuses it".to_owned())),
            Phase::Authenticating => self.authentication(stanza),
            Phase::Binding => self.bound(stanza),
            Phase::Establishing => self.established(stanza),
            Phase::Announcing => self.announced(stanza),
            Phase::Live | Phase::Leaving => self.live(stanza),
            Phase::New | Phase::Closing | Phase::Ended => {}
            Phase::Opening | Phase::Asking | Phase::Securing => {
                self.fail(End::Unexpected("it sends something else before the session is ready"));
            }
        }
    }

    fn features(&mut self, features: &Element) {
        let wants_tls = self.machine.options.transport == Transport::StartTls && !self.machine.private;
        if wants_tls {
            // Even if a mechanism is offered: whoever is on the way can have taken TLS off the list.
            if !stanza::offers(features, "starttls", ns::TLS) {
                return self.fail(End::Tls("the server does not offer it".to_owned()));
            }
            self.go(Cause::TlsOffered);
            self.send(Element::new("starttls", ns::TLS));
        } else if !self.machine.authenticated {
            self.authenticate(features);
        } else if stanza::offers(features, "bind", ns::BIND) {
            self.machine.wants_session = stanza::wants_session(features);
            self.go(Cause::AddressOffered);
            self.send(stanza::bind(BIND, self.machine.login.jid.resource()));
        } else {
            self.fail(End::Unexpected("it offers no address"));
        }
    }

    fn authenticate(&mut self, features: &Element) {
        let offered = stanza::mechanisms(features);
        let options = &self.machine.options;
        let may_say_password = self.machine.private || options.danger_plain_without_tls;
        let Some(mechanism) = sasl::choose(&offered, &options.mechanisms, may_say_password) else {
            return self.fail(End::NoMechanism(offered));
        };
        let nonce = self.nonce(mechanism);
        let Login { jid, password } = &self.machine.login;
        let (exchange, said) = Exchange::begin(mechanism, jid.local(), password, &nonce);
        self.machine.exchange = Some(exchange);
        self.go(Cause::MechanismsOffered);
        self.send(stanza::auth(mechanism.name(), said));
    }

    fn nonce(&mut self, mechanism: Mechanism) -> String {
        // 144 bits, which make 24 characters.
        let mut bytes = [0; 18];
        if mechanism != Mechanism::Plain {
            (self.chance)(&mut bytes);
        }
        STANDARD.encode(bytes)
    }

    fn authentication(&mut self, stanza: &Element) {
        let Some(exchange) = &mut self.machine.exchange else { return };
        if stanza.is("challenge", ns::SASL) {
            match exchange.challenge(&stanza.text()) {
                Ok(said) => self.send(stanza::response(said)),
                Err(error) => {
                    self.send(Element::new("abort", ns::SASL));
                    self.fail(End::NotProven(error));
                }
            }
        } else if stanza.is("success", ns::SASL) {
            match exchange.success(&stanza.text()) {
                Ok(()) => {
                    self.machine.authenticated = true;
                    self.machine.exchange = None;
                    self.go(Cause::Authenticated);
                    self.order(Order::OpenStream);
                }
                Err(error) => self.fail(End::NotProven(error)),
            }
        } else if stanza.is("failure", ns::SASL) {
            let (condition, text) = end::condition(stanza);
            self.fail(End::NotAuthorized { condition, text });
        } else {
            self.fail(End::Unexpected("it sends something else before it lets the agent in"));
        }
    }

    fn bound(&mut self, stanza: &Element) {
        if !stanza.is("iq", ns::CLIENT) || stanza.attribute("id") != Some(BIND) {
            return;
        }
        if stanza.attribute("type") != Some("result") {
            return self.fail(End::NotBound(stanza::refusal(stanza)));
        }
        if let Some(address) = stanza::bound(stanza) {
            self.machine.address = address;
        }
        if self.machine.wants_session {
            self.go(Cause::SessionWanted);
            self.send(stanza::session(SESSION));
        } else {
            self.announce();
        }
    }

    fn established(&mut self, stanza: &Element) {
        if !stanza.is("iq", ns::CLIENT) || stanza.attribute("id") != Some(SESSION) {
            return;
        }
        match stanza.attribute("type") {
            Some("result") => self.announce(),
            _ => self.fail(End::NotBound(stanza::refusal(stanza))),
        }
    }

    /// Says that the session is there. A server delivers nothing to a session whose presence it has not heard (RFC 6121, 4.2.2),
    /// and what the agent asks for by other ways may overtake it; so something that has to be answered goes behind it, since
    /// stanzas of one stream are processed in order (RFC 6120, 10.1).
    fn announce(&mut self) {
        self.go(Cause::Announced);
        self.send(stanza::presence(self.machine.options.priority));
        if let Some(watched) = &self.machine.watched {
            let watch = stanza::watch(watched);
            self.send(watch);
        }
        let ping = stanza::ping(ANNOUNCED, self.machine.login.jid.domain());
        self.send(ping);
    }

    /// What comes before the answer is older than all that is asked for later: notifications are not told, who is there is.
    fn announced(&mut self, stanza: &Element) {
        if stanza.namespace != ns::CLIENT {
            return;
        }
        let from = stanza.attribute("from").unwrap_or_default();
        let kind = stanza.attribute("type");
        match (stanza.name.as_str(), kind) {
            // A server without pings says so, and has heard the presence as well.
            ("iq", Some("result" | "error")) if stanza.attribute("id") == Some(ANNOUNCED) => self.ready(),
            ("iq", Some("get" | "set")) => self.orders.extend(stanza::answer(stanza).map(Outgoing).map(Order::Send)),
            ("presence", None | Some("unavailable")) => self.presence(from, kind.is_none()),
            _ => {}
        }
    }

    fn ready(&mut self) {
        self.go(Cause::Ready);
        self.machine.deadline = None;
        self.machine.ping_at = self.now + self.machine.options.ping_interval;
        self.order(Order::Ready(self.machine.address.clone()));
        if let Some(is_there) = self.machine.early.take() {
            self.order(Order::Watched(is_there));
        }
    }

    fn live(&mut self, stanza: &Element) {
        // Whatever comes shows that the server is there.
        if self.machine.unanswered > 0 {
            self.machine.unanswered = 0;
            self.machine.ping_at = self.now + self.machine.options.ping_interval;
        }
        let from = stanza.attribute("from").unwrap_or_default();
        let kind = stanza.attribute("type");
        if stanza.namespace != ns::CLIENT {
            return;
        }
        match (stanza.name.as_str(), kind) {
            // Anybody may send a message: only those of the publisher are notifications.
            ("message", kind) if kind != Some("error") && jid::same(from, &self.machine.pubsub) => {
                self.orders.extend(stanza::notifications(stanza).map(Order::Deliver));
            }
            ("presence", None | Some("unavailable")) => self.presence(from, kind.is_none()),
            ("iq", Some("get" | "set")) => self.orders.extend(stanza::answer(stanza).map(Outgoing).map(Order::Send)),
            ("iq", Some("result" | "error")) => self.answered(stanza, from),
            _ => {}
        }
    }

    fn presence(&mut self, from: &str, is_there: bool) {
        let machine = &mut *self.machine;
        let is_watched = machine.watched.as_ref().is_some_and(|watched| jid::same(jid::bare(from), watched));
        if !is_watched {
            return;
        }
        let before = !machine.there.is_empty();
        let resource = from.strip_prefix(jid::bare(from)).unwrap_or_default();
        machine.there.retain(|other| other != resource);
        if is_there && machine.there.len() < MOST {
            machine.there.push(resource.to_owned());
        } else if !is_there && resource.is_empty() {
            // Of the user altogether.
            machine.there.clear();
        }
        let now = !machine.there.is_empty();
        // The first word counts even if it is that nobody is there.
        if machine.phase == Phase::Announcing {
            machine.early = Some(now);
        } else if before != now || !now {
            self.order(Order::Watched(now));
        }
    }

    fn answered(&mut self, stanza: &Element, from: &str) {
        let id = stanza.attribute("id").unwrap_or_default();
        let machine = &mut *self.machine;
        let of_pubsub = |wanted: &Wanted| *wanted != Wanted::Ping;
        let matches =
            |request: &Request| request.id == id && (!of_pubsub(&request.wanted) || jid::same(from, &machine.pubsub));
        let Some(at) = machine.requests.iter().position(matches) else { return };
        let request = machine.requests.swap_remove(at);
        let is_done = stanza.attribute("type") == Some("result");
        match request.wanted {
            Wanted::Ping => {}
            Wanted::Subscribe(node) if is_done => {
                machine.nodes.push((node.clone(), stanza::subscription_id(stanza)));
                if machine.phase == Phase::Leaving {
                    return self.take_back(&node);
                }
                self.order(Order::Subscribed(node));
            }
            Wanted::Unsubscribe(node) if is_done => self.order(Order::Unsubscribed(node)),
            Wanted::Subscribe(node) | Wanted::Unsubscribe(node) => {
                self.order(Order::NotDone(node, stanza::refusal(stanza)));
            }
        }
        self.leave_if_nothing_is_left();
    }

    fn request(&mut self, wanted: Wanted, stanza: impl FnOnce(&Machine, &str) -> Element) {
        self.machine.next += 1;
        let id = format!("t{}", self.machine.next);
        let stanza = stanza(self.machine, &id);
        let until = self.now + self.machine.options.request_timeout;
        self.machine.requests.push(Request { id, wanted, until });
        self.send(stanza);
    }

    fn has_room(&self) -> bool {
        self.machine.requests.len() < MOST && self.machine.nodes.len() < MOST
    }

    fn subscribe(&mut self, node: String) {
        let is_known = self.machine.nodes.iter().any(|(known, _)| *known == node);
        if is_known {
            return self.order(Order::Subscribed(node));
        }
        if self.phase() != Phase::Live || !self.has_room() {
            return self.order(Order::NotDone(node, self.why_not().to_owned()));
        }
        self.request(Wanted::Subscribe(node.clone()), |machine, id| {
            stanza::subscribe(id, &machine.pubsub, &node, &machine.address)
        });
    }

    fn unsubscribe(&mut self, node: String) {
        if self.phase() != Phase::Live || self.machine.requests.len() >= MOST {
            return self.order(Order::NotDone(node, self.why_not().to_owned()));
        }
        self.take_back(&node);
    }

    /// The server's own words for the same (RFC 6120, 8.3.3).
    fn why_not(&self) -> &'static str {
        if self.phase() == Phase::Live { "resource-constraint" } else { "unexpected-request" }
    }

    /// Also what an earlier session may have left behind.
    fn take_back(&mut self, node: &str) {
        let known = self.machine.nodes.iter().position(|(known, _)| known == node);
        let subid = known.and_then(|at| self.machine.nodes.swap_remove(at).1);
        self.request(Wanted::Unsubscribe(node.to_owned()), |machine, id| {
            stanza::unsubscribe(id, &machine.pubsub, node, &machine.address, subid.as_deref())
        });
    }

    fn stop(&mut self) {
        match self.phase() {
            Phase::New | Phase::Asking | Phase::Securing => self.over(End::Asked),
            Phase::Live if !self.machine.nodes.is_empty() => {
                self.machine.deadline = Some(self.now + self.machine.options.close_timeout);
                self.go(Cause::LeavesSubscriptions);
                while let Some((node, _)) = self.machine.nodes.first().cloned() {
                    self.take_back(&node);
                }
            }
            Phase::Leaving | Phase::Closing | Phase::Ended => {}
            _ => {
                self.machine.deadline = Some(self.now + self.machine.options.close_timeout);
                self.leave();
            }
        }
    }

    fn leave_if_nothing_is_left(&mut self) {
        let is_left = |request: &Request| request.wanted != Wanted::Ping;
        if self.phase() == Phase::Leaving && !self.machine.requests.iter().any(is_left) {
            self.leave();
        }
    }

    fn leave(&mut self) {
        if matches!(self.phase(), Phase::Live | Phase::Leaving) {
            self.send(stanza::leaving());
        }
        self.machine.requests.clear();
        self.go(Cause::Leaves);
        self.order(Order::CloseStream);
    }

    fn closed(&mut self) {
        if self.phase() == Phase::Closing {
            return self.over(End::Asked);
        }
        let end = if self.is_going() { End::Asked } else { End::Closed };
        self.fail(end);
    }

    fn timer(&mut self) {
        if self.machine.deadline.is_some_and(|deadline| deadline <= self.now) {
            let end = if self.is_going() { End::Asked } else { End::Slow(self.phase()) };
            return self.fail(end);
        }
        let (late, left) = self.machine.requests.drain(..).partition(|request| request.until <= self.now);
        self.machine.requests = left;
        let late: Vec<Request> = late;
        for request in late {
            if let Wanted::Subscribe(node) | Wanted::Unsubscribe(node) = request.wanted {
                self.order(Order::NotDone(node, "remote-server-timeout".to_owned()));
            }
        }
        self.leave_if_nothing_is_left();
        if self.phase() == Phase::Live && self.machine.ping_at <= self.now {
            self.ping();
        }
    }

    fn ping(&mut self) {
        let options = &self.machine.options;
        let sent = self.machine.unanswered;
        if sent > options.ping_retries {
            return self.fail(End::Silent(sent));
        }
        self.machine.ping_at = self.now + options.ping_timeout;
        self.machine.unanswered += 1;
        // One that is late stands for nothing any more.
        self.machine.requests.retain(|request| request.wanted != Wanted::Ping);
        self.request(Wanted::Ping, |machine, id| stanza::ping(id, machine.login.jid.domain()));
    }
}
